"""Show the code: which functions and entries made what a page shows, and their text as it is installed."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

from explorer.choices import normalizations
from explorer.choices.cells import Cell
from explorer.choices.clipping import CLIPPERS, Clipper, global_norm
from explorer.choices.comparisons import COMPARISONS
from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.registry import Entry
from explorer.diagnosis import decomposition, effects, facts, lens, reach, seeds, walk
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.verdict import Verdict, judge
from explorer.figures.view import TimeView, View
from explorer.stories import tutorial
from explorer.sweeps import cliff, critical, descent, outcomes
from explorer.sweeps.outcomes import Outcome
from explorer.theory import (
    gates,
    layer_by_layer,
    mean_field,
    median_seed,
    moments,
    prediction,
    typical_gradients,
    typical_signals,
)
from explorer.training import all_depths, answers, history, recording, recurrent_group, time_measures
from explorer.training.group import Group
from explorer.training.measures import Stage
from explorer.training.network import BOTH_FROM, Network, mean_over_places, spread_over_places
from explorer.training.recurrent_network import Layer, RecurrentArchitecture, RecurrentNetwork
from explorer.training.run import train

# A function or method, or a registry's entry.
Piece = Callable[..., Any] | Entry
# The pieces behind each part of what a page shows, by the part's words.
Table = dict[str, list[Piece]]
# Recurrent nets that stand side by side.
Compared = Sequence[RecurrentExperiment]


@dataclass(frozen=True)
class Listing:
    """The very lines of a source file that declare `name`; `line` counts the first of them from 1."""

    name: str
    module: str
    line: int
    text: str


def listings(pieces: Sequence[Piece]) -> list[Listing]:
    """Return the source text of functions, as it is installed, and of entries the lines in which they are declared."""
    told = dict.fromkeys(_of_entry(piece) if isinstance(piece, Entry) else _of_function(piece) for piece in pieces)
    return [listing for listing in told if listing is not None]


def _of_function(function: Callable[..., Any]) -> Listing | None:
    """None for a function that Python did not write, such as NumPy's, and one that stands in its entry."""
    function = inspect.unwrap(function)
    if not inspect.isfunction(function) or "<lambda>" in function.__qualname__:
        return None
    lines, first = inspect.getsourcelines(function)
    return Listing(function.__qualname__, function.__module__, first, "".join(lines))


def _of_entry(entry: Entry) -> Listing | None:
    """Look beside the entry's functions, then beside its class; None for a name that is put together."""
    beside = [getattr(value, "__module__", "") for value in vars(entry).values() if inspect.isfunction(value)]
    for module in dict.fromkeys([*(name for name in beside if name.startswith("explorer.")), type(entry).__module__]):
        declared = _declarations(module).get(entry.name)
        if declared is not None:
            return Listing(entry.name, module, *declared)
    return None


@lru_cache(maxsize=32)
def _declarations(module: str) -> Mapping[str, tuple[int, str]]:
    """First line and text of every call in a module that has a name, the outermost one of a name."""
    text = inspect.getsource(import_module(module))
    lines, declared = text.splitlines(keepends=True), dict[str, tuple[int, str]]()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            for name in [*(key.value for key in node.keywords if key.arg == "name"), *node.args[:1]]:
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    declared.setdefault(name.value, (node.lineno, "".join(lines[node.lineno - 1 : node.end_lineno])))
    return declared


def _lines(function: Callable[..., Any], first: str, last: str = "") -> Listing:
    """The lines of a function from the one that contains `first` to the one that contains `last`, or that line alone.

    Raises LookupError where the function has no such lines, or more than one that begins so.
    """
    text, start = inspect.getsourcelines(function)
    begins = [place for place, line in enumerate(text) if first in line]
    if len(begins) != 1:
        raise LookupError(f"{len(begins)} lines of {function.__qualname__} contain {first!r}")
    begin = begins[0]
    end = next((place for place in range(begin, len(text)) if (last or first) in text[place]), None)
    if end is None:
        raise LookupError(f"no line of {function.__qualname__} after {first!r} contains {last!r}")
    return Listing(
        function.__qualname__, function.__module__, start + begin, textwrap.dedent("".join(text[begin : end + 1]))
    )


def walk_code(experiment: Experiment) -> Mapping[str, Listing]:
    """Return, by the names that boxes of a `walk_graph` have for them, the engine's own lines that computed their numbers."""
    forward, backward, activation = Network._forward_pass, Network._backward_pass, experiment.activation_function
    together = activation.both is not None and experiment.width * experiment.sample_count >= BOTH_FROM
    f = "yield self._both" if together else "yield leaky" if activation.random_slope else "yield shape.activation.f"
    slope = activation.both if together and activation.both else _written_out(activation.df)[-1]
    return {
        "z": _lines(forward, "yield self._product, (self._rows(self.theta, layer)"),
        "z of the output": _lines(forward, "last = self._rows", "yield self._product, (last"),
        "n": _lines(Network._normalize, "statistics = (", "yield np.add"),
        "a": _lines(forward, f),
        "h": _lines(forward, "yield np.add, (a,"),
        "loss": listings([experiment.loss_function.delta])[0],
        "slope": listings([slope])[0],
        "dh": _lines(Network._to_dh, "yield self._product"),
        "dh with a skip": _lines(Network._to_dh, "yield self._product", "yield np.add, (through"),
        "dn": _lines(backward, "yield np.multiply, (self._view(self.through_skip, layer)"),
        "dz through a normalization": _lines(Network._through_normalization, "yield affine_backward"),
    }


def explore_table(experiment: Experiment, view: View, verdict: Verdict) -> Table:
    """What Explore shows of an experiment."""
    measure = view.diagnostic.measure
    table: Table = {f"{view.metric}: colours and profile": [measure, *_way_to(view.diagnostic.stage, experiment)]}
    table["Median and band over seeds"] = [seeds.log_band, seeds.band]
    if prediction.predict(experiment).of(view.diagnostic.name) is not None:
        table["Theory"] = _theory()
    if experiment.layer_kind.slides:
        table["Convolution"] = [Network._see_neighbours, Network._give_back_to_neighbours, Network.neighbours]
        table["Mean over places"] = [mean_over_places, spread_over_places]
    table["Loss and answers"] = [experiment.loss_function.value, Network._forward_pass, answers.answer_map]
    if experiment.clipper.limits:
        table["Clipping"] = _clipping([experiment.clipper])
    table["Update"] = [experiment.update_rule, experiment.update_rule.step]
    table["Why"] = [decomposition.decompose]
    table["The verdict"] = [verdict, judge, facts.facts, history.History._outcome]
    return table


def walk_table(experiment: Experiment) -> Table:
    """What Walk shows of an experiment."""
    return {
        "Both passes": [walk.of_parameters, Network._forward_pass, Network._backward_pass, Network._to_dh],
        "f and its slope": _activation(experiment),
        **(
            {"Normalization": [*_normalization(experiment, forward=True), *_normalization(experiment, forward=False)]}
            if experiment.normalizer.axis is not None
            else {}
        ),
        "Loss": [experiment.loss_function.delta],
        "Factors": [walk._factor, walk.norm],
        "Parameters": [walk.parameters_at],
    }


def lens_code() -> list[Piece]:
    """What made the lens of Explore."""
    return [recording.count_bins, recording.bins_of, lens.bin_slopes, decomposition.decompose]


def time_lens_code(compared: Compared) -> list[Piece]:
    """What made the lens of Time."""
    cells = dict.fromkeys(experiment.unit for experiment in compared)
    return [*cells, Layer._count, recording.count_bins, recording.bins_of, lens.bin_slopes]


def remedies_table(names: Sequence[str]) -> Table:
    """What Remedies shows of some remedies."""
    return {
        "The panels": [train, Network._backward_pass, seeds.log_band],
        "What a remedy changes": [REMEDIES[name] for name in names],
        "Helped or harmed": [effects.effect, effects._judge_by_divergence, effects._judge, effects.chance_of_more],
        "The ranking": [effects.rank, history.History.solved_epoch],
    }


def depth_table() -> Table:
    """What Depth shows."""
    way_back = all_depths._BackwardPass
    return {
        "All depths at once": [all_depths.gradients_by_depth, all_depths._NestedNets._draw, way_back.measure],
        "The way back": [way_back._output, way_back._to_dh, way_back._to_dz],
        "dL/dz and dL/dW": [way_back._sizes],
        "Factor per layer, theory": [prediction.log_factor, *_theory()],
        "Seeds that learn": [seeds.share_interval, history.History._outcome],
    }


CLIPPING, BLOCK = "clip_gradient_norm", "The residual block"


def tutorial_table() -> Table:
    """What Tutorial shows: of each function of the programs, written out, what stands for it in the engine, and the log."""
    return {
        CLIPPING: [tutorial.clip_gradient_norm, *_clip_of("norm"), global_norm],
        BLOCK: [tutorial.residual_block, Network._forward_pass],
        "The log": [tutorial.log_lines, Group._add_losses, tutorial.Program.advance],
        "The recipe": [tutorial.program, train],
        "Seeds that learn": [seeds.share_interval, history.History._outcome],
    }


def _clip_of(name: str) -> list[Piece]:
    clip = CLIPPERS[name].clip
    return [] if clip is None else [clip]


def sweep_table(outcome: Outcome) -> Table:
    """What Sweep shows as colour."""
    table: Table = {
        outcome.name: [outcome, *outcome.computed_by],
        "What is kept of a cell": [outcomes.find, facts.facts],
        "The gradient": [Network._backward_pass, Network._to_dh],
    }
    if outcome.by_theory:
        table["Theory"] = [prediction.log_factor, *_theory()]
    if outcome.critical:
        table["The dashed line"] = [critical.critical_points, moments.fixed_point]
    return table


def time_table(
    experiment: RecurrentExperiment, view: TimeView, figure: str, code: Callable[[Compared], list[Piece]]
) -> Table:
    """What Time shows of an experiment and of what it is set beside; `code` returns what made the second figure."""
    compared = list(COMPARISONS[view.compare].of(experiment, None).values())
    entry, rule = view.diagnostic, experiment.update_rule
    table: Table = {
        f"{view.metric}: colours and profile": [entry, entry.measure, Layer.backward, seeds.log_band, seeds.band],
        **{
            f"The cell, {cell.name}": _cell(cell, experiment)
            for cell in dict.fromkeys(experiment.unit for experiment in compared)
        },
        "Through time and back": [
            Layer.forward,
            RecurrentNetwork.forward,
            RecurrentNetwork.backward,
            RecurrentNetwork.backward_from,
        ],
        "Loss": [experiment.loss_function.value, experiment.loss_function.delta],
        f"Look closer: {figure}": code(compared),
    }
    clippers = dict.fromkeys(experiment.clipper for experiment in compared if experiment.clipper.limits)
    if clippers:
        table["Clipping"] = _clipping(clippers)
    table["Update"] = [rule, rule.step]
    table["Seeds that learn"] = [history.History._outcome, facts.facts, judge]
    return table


def cliff_table(clip: str) -> Table:
    """What Cliff shows; `clip` names how the second descent is clipped."""
    return {
        "Loss and gradient": [cliff.Unit.__init__, cliff.Unit.surface, Layer.forward, Layer.backward],
        "Both descents": [descent.side_by_side],
        "Clipping": [CLIPPERS[clip], *_clip_of(clip)],
        "The wall, theory": [cliff.wall],
        "The section": [cliff.section],
    }


def _clipping(clippers: Collection[Clipper]) -> list[Piece]:
    return [*clippers, *(clipper.clip for clipper in clippers if clipper.clip is not None), global_norm]


def _cell(cell: Cell, experiment: RecurrentExperiment) -> list[Piece]:
    return [cell, cell.forward, cell.backward, *([] if cell.memory_gate else _activation(experiment))]


def reach_code(compared: Compared) -> list[Piece]:
    """What made the figure of Time that shows how far a change of the state reaches."""
    bounds: list[Piece] = [gates.step_bound] * any(not experiment.unit.memory_gate for experiment in compared)
    return [reach.state_reach, reach.reach_norms, reach.state_jacobians, *_gate(compared), *bounds]


def matrix_code(compared: Compared) -> list[Piece]:
    """What made the figure of Time that shows the recurrent matrices."""
    starts = dict.fromkeys(experiment.initialization for experiment in compared)
    drawn = [piece for start in starts for piece in (start, *_written_out(start.draw))]
    return [*drawn, RecurrentArchitecture.recurrent_weights, recurrent_group.spectra]


def gates_code(compared: Compared) -> list[Piece]:
    """What made the figure of Time that shows the gates."""
    return [time_measures._gate, time_measures._openness, time_measures._kept, *_gate(compared)]


def steps_code(compared: Compared) -> list[Piece]:
    """What made the figure of Time that shows each step's part of dL/dW_hh."""
    return [Layer._contribution, time_measures._contribution, decomposition.last_steps, decomposition.cancelled]


def truncation_code(compared: Compared) -> list[Piece]:
    """What made the figure of Time that shows what truncation takes away."""
    return [RecurrentArchitecture.is_cut, Layer.backward, reach.cut_off]


def clipping_code(compared: Compared) -> list[Piece]:
    """What made the figure of Time that shows the gradient's norm before and after clipping."""
    return _clipping(CLIPPERS.values())


def _gate(compared: Compared) -> list[Piece]:
    return [gates.gate_product] * any(experiment.unit.memory_gate for experiment in compared)


def _way_to(stage: Stage, experiment: Experiment) -> list[Piece]:
    """What made the arrays that a measure of this stage looks at."""
    if stage is Stage.FORWARD:
        return [Network._forward_pass, *_activation(experiment), *_normalization(experiment, forward=True)]
    if stage is Stage.SLOPES:
        return [Network._slope, *_activation(experiment)]
    if stage is Stage.UPDATE:
        return [experiment.update_rule.step, Network._backward_pass]
    way: list[Piece] = [Network._backward_pass, Network._to_dh]
    if stage is Stage.GRADIENT:
        way.append(Network._weight_gradient)
    return [*way, *_activation(experiment), *_normalization(experiment, forward=False), experiment.loss_function.delta]


def _activation(experiment: Experiment | RecurrentExperiment) -> list[Piece]:
    entry = experiment.activation_function
    both = [] if entry.both is None else [entry.both]
    return [entry, *_written_out(entry.f), *_written_out(entry.df), *both]


def _written_out(function: Callable[..., Any]) -> list[Piece]:
    """A function, or of one that stands in its entry the functions that it calls."""
    if getattr(function, "__name__", "") != "<lambda>":
        return [function]
    called = (function.__globals__.get(name) for name in function.__code__.co_names)  # type: ignore[attr-defined]
    return [function for function in called if inspect.isfunction(function)]


def _normalization(experiment: Experiment, *, forward: bool) -> list[Piece]:
    if experiment.normalizer.axis is None:
        return []
    both: list[Piece] = [normalizations.affine_backward, normalizations.normalize_backward]
    return [experiment.normalizer, *([normalizations.normalize] if forward else both)]


def _theory() -> list[Piece]:
    return [
        moments.expectations,
        layer_by_layer.wide_net,
        typical_signals.typical_signals,
        mean_field.backward,
        typical_gradients.typical_gradients,
        median_seed.median_seed,
    ]
