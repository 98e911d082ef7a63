"""Notebook: the few lines of Python that repeat what a page shows, and give its numbers."""

import json
from collections.abc import Mapping, Sequence

from explorer.choices.experiment import Experiment
from explorer.choices.settings import Settings
from explorer.diagnosis.lens import Lens
from explorer.figures.view import CliffView, View
from explorer.stories.tutorial import RUN, SAID, TutorialView
from explorer.sweeps.outcomes import Outcome
from explorer.sweeps.sweep import Sweep
from explorer.theory.products import Products
from explorer.training.kinds import kind_of

OWN_DATA = "data=read_csv(open('my.csv', 'rb').read())"


def constructor(experiment: Settings) -> str:
    """Write an experiment as it is made: only what differs from the opening example."""
    changed = experiment.settings(changed_only=True)
    arguments = [f"{name}={value!r}" for name, value in changed.items()]
    own = experiment.data is not None
    return f"{type(experiment).__name__}({', '.join([*arguments, *([OWN_DATA] * own)])})"


def _imports(experiment: Settings, names: str, *more: str) -> str:
    own = ["from explorer.choices.own_data import read_csv"] * (experiment.data is not None)
    return "\n".join([f"from explorer import {names}", *sorted([*more, *own])]) + "\n\n"


def explore_lines(experiment: Experiment, baseline: Experiment | None = None, lens: Lens | None = None) -> str:
    """Repeat what Explore shows, and where somebody looks through the lens what that shows."""
    more = [] if lens is None else ["from explorer.diagnosis.lens import look"]
    before = f"baseline = train({constructor(baseline)})\n" if baseline is not None else ""
    return (
        f"{_imports(experiment, 'Experiment, train', *more)}"
        f"history = train({constructor(experiment)})\n"
        f"{before}"
        'history.measures["delta"]   # (runs, records, layers): RMS of dL/dz, first layer to last\n'
        "history.outcome             # per run: solved, learning, stuck or diverged\n"
    ) + ("" if lens is None else _lens_lines(lens))


def _lens_lines(lens: Lens) -> str:
    return (
        f"lens = look(history, epoch={lens.epoch}, layer={lens.layer}, seed={lens.seed})\n"
        "lens.shares     # of all z of the layer, in each bin between lens.edges; lens.zero: exactly 0\n"
        "lens.rms_slope  # RMS of f' over this histogram: the least, likely and most that its bins allow\n"
        "lens.factor     # what Why calls the slope: the RMS in which each f' counts by the square of dL/dh\n"
    )


def walk_lines(experiment: Experiment, seed: int, sample: int, epoch: int) -> str:
    """Repeat what Walk shows."""
    return (
        f"{_imports(experiment, 'Experiment', 'from explorer.diagnosis.walk import walk')}"
        f"found = walk({constructor(experiment)}, seed={seed}, sample={sample}, epoch={epoch})\n"
        "found.layers[0].z, found.layers[0].slope, found.layers[0].dz   # of the first layer: an entry for each unit\n"
        "[(factor.layer, factor.parts, factor.total) for factor in found.factors]   # on the way back\n"
        "found.product, found.ratio   # of all factors; measured: norm of dL/dz, first layer over last\n"
    )


def compared_lines(named: Mapping[str, Settings], view: View) -> str:
    """Repeat what stands side by side, by name, and what is shown of every layer or step."""
    first = next(iter(named.values()))
    made = "".join(f"    {name!r}: {constructor(experiment)},\n" for name, experiment in named.items())
    position = kind_of(first).position
    return (
        f"{_imports(first, f'{type(first).__name__}, train')}"
        f"experiments = {{\n{made}}}\n"
        "histories = {name: train(experiment) for name, experiment in experiments.items()}\n"
        "for name, history in histories.items():\n"
        "    print(f\"{name}: {history.outcome.count('solved')} of {len(history.outcome)} seeds learn it\")\n"
        f"shown = {{name: history.measures[{view.diagnostic.name!r}] for name, history in histories.items()}}\n"
        f"shown  # by name: (runs, records, {position}s), {view.diagnostic.title}; first {position} to last\n"
    )


def product_lines(about: Products) -> str:
    """Repeat what the tour shows of random factors."""
    arguments = ", ".join(f"{name}={getattr(about, name)!r}" for name in about.controls())
    return (
        "from explorer.theory.products import Products, followed, product_rows\n\n"
        f"about = Products({arguments})\n"
        "followed(about).product   # (paths, 51): log10 of the product of 0 to 50 factors\n"
        "about.rate                # the mean of ln f: the Lyapunov exponent\n"
        "print(*product_rows(about), sep='\\n')\n"
    )


def remedies_lines(start: Experiment, combine: Sequence[str]) -> str:
    """Repeat what Remedies shows: every remedy alone, and those that are combined."""
    more = f"tried[{' + '.join(combine)!r}] = combined(start, {tuple(combine)!r})\n" if len(combine) > 1 else ""
    return (
        _imports(
            start,
            "Experiment, train",
            f"from explorer.diagnosis.effects import {'combined, ' if more else ''}effect, rank",
            "from explorer.diagnosis.facts import facts",
            "from explorer.diagnosis.remedies import REMEDIES",
        )
        + f"start = {constructor(start)}\n"
        "tried = {name: remedy.change(start) for name, remedy in REMEDIES.items()}\n"
        f"{more}"
        "before = facts(train(start))\n"
        "after = {name: facts(train(experiment)) for name, experiment in tried.items()}\n"
        "ranking = [list(after)[place] for place in rank(list(after.values()))]\n"
        "effects = {name: effect(name.split(' + '), before, after[name]) for name in ranking}\n"
        "for name in ranking:\n"
        '    print(f"{name}: {effects[name].sentence}")\n'
    )


def depth_lines(sweeps: dict[str, Sweep], gradient: str, *, trained: bool) -> str:
    """Repeat what Depth shows, of one or two experiments by name.

    `gradient` is "delta" or "weight_gradient".
    """
    base = next(iter(sweeps.values()))
    runs = "from explorer.sweeps.sweep_run import run_sweep"
    sweep = "from explorer.sweeps.sweep import Sweep"
    lines = _imports(
        base.base,
        "Experiment",
        "from explorer.training.all_depths import gradients_by_depth",
        "from explorer.diagnosis.seeds import log_band",
        *((sweep, runs) if trained else ()),
    )
    named = ",\n".join(f"    {name!r}: {constructor(sweep.base)}" for name, sweep in sweeps.items())
    lines += f"experiments = {{\n{named},\n}}\n"
    lines += f"depths = {_values(base.xs)}\n"
    lines += (
        f"start = {{name: log_band(gradients_by_depth(experiment, depths).{gradient}).middle for name, experiment in experiments.items()}}\n"
        "start  # by name: (depths, layers), log10 of the median over seeds\n"
    )
    if trained:
        lines += (
            "findings = {\n"
            '    name: run_sweep(Sweep(experiment, "depth", depths, "width", (experiment.width,), trained=True))\n'
            "    for name, experiment in experiments.items()\n"
            "}\n"
            "learn = {name: [found[column, 0].solved for column in range(len(depths))] for name, found in findings.items()}\n"
            "learn  # by name: of each depth the seeds that learn\n"
        )
    return lines


def tutorial_lines(view: TutorialView) -> str:
    """Repeat what Tutorial shows: a program's run with its log, or the share of seeds that learn for every NL."""
    if view.shown == SAID:
        return (
            "from explorer.stories.claims import CLAIMS, measured\n\n"
            "for claim in CLAIMS.values():\n"
            "    value = measured(claim)\n"
            "    print(f'{claim.name}: {claim.verdict(value)}. {claim.told(value)}')\n"
        )
    run = f"view = TutorialView(net={view.net!r}, inner={view.inner}, seed={view.seed})\n"
    if view.shown == RUN:
        return (
            "from explorer.stories.tutorial import Program, TutorialView, log_lines\n\n"
            f"{run}"
            "program = Program(view.experiment)\n"
            "program.advance(float('inf'))\n"
            "print(*log_lines(program.losses, view.experiment.epochs), sep='\\n')\n"
            "program.history().answers[0, -1]         # to 00, 01, 10 and 11\n"
            'program.history().measures["delta"][0]   # (records, layers): RMS of dL/dz, first layer to last\n'
        )
    return (
        "from explorer.diagnosis.seeds import share_interval\n"
        "from explorer.stories.tutorial import INNER, NETS, TutorialView\n"
        "from explorer.sweeps.sweep_run import run_sweep\n\n"
        f"view = TutorialView(seeds={view.seeds}, epochs={view.epochs})\n"
        "for net in NETS:\n"
        "    found = run_sweep(view.sweep(net))\n"
        "    for column, inner in enumerate(INNER):\n"
        "        cell = found[column, 0]\n"
        "        print(net, inner, cell.solved, 'of', cell.runs, share_interval(cell.solved, cell.runs))\n"
    )


def sweep_lines(sweep: Sweep, outcome: Outcome) -> str:
    """Repeat what Sweep shows."""
    return (
        _imports(
            sweep.base,
            "Experiment",
            "from explorer.sweeps.outcomes import OUTCOMES",
            "from explorer.sharing.saved import sweep_csv",
            "from explorer.sweeps.sweep import Sweep",
            "from explorer.sweeps.sweep_run import run_sweep",
        )
        + "sweep = Sweep(\n"
        f"    {constructor(sweep.base)},\n"
        f"    {sweep.x!r}, {_values(sweep.xs)},\n"
        f"    {sweep.y!r}, {_values(sweep.ys)},\n"
        f"    trained={sweep.trained},\n"
        ")\n"
        "findings = run_sweep(sweep)\n"
        f"values = {{cell: OUTCOMES[{outcome.name!r}].of(finding) for cell, finding in findings.items()}}\n"
        f"values  # by (column, row); {'log10' if outcome.unit == 'decades' else 'from 0 to 1'}\n"
        "print(sweep_csv(sweep, findings))\n"
    )


def cliff_lines(view: CliffView) -> str:
    """Repeat what Cliff shows: both descents, and the map below them."""
    same = (
        f"w={view.w!r}, b={view.b!r}, learning_rate={view.learning_rate!r}, updates={view.updates}, steps={view.steps}"
    )
    return (
        "from dataclasses import replace\n\n"
        "from explorer.sweeps.cliff import B_SPAN, W_SPAN, survey\n"
        "from explorer.sweeps.descent import Descent, side_by_side\n\n"
        f"descent = Descent({same})\n"
        f"free, clipped = side_by_side(descent, replace(descent, clip={view.clip!r}, threshold={view.threshold!r}))\n"
        "clipped.points  # (updates + 1, 2): w and b, the start first\n"
        "clipped.norm    # (updates + 1,): of the gradient there, before clipping\n"
        f"ground = survey(W_SPAN, B_SPAN, {view.steps})\n"
        "ground.surface.loss  # (values of b, values of w)\n"
        'print(f"loss at the end: {free.loss[-1]:.2g} without clipping, {clipped.loss[-1]:.2g} with")\n'
    )


def _values(values: Sequence[object]) -> str:
    """Write the values of an axis; whole numbers in a row as a range."""
    if len(values) > 3 and all(isinstance(value, int) for value in values):
        first = int(str(values[0]))
        if list(values) == list(range(first, first + len(values))):
            return f"tuple(range({first}, {first + len(values)}))"
    return repr(tuple(values))


def notebook_json(title: str, lines: str) -> str:
    """Write the lines as a notebook of two cells, the title and the code, in Jupyter's format 4.5."""
    cells = [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": f"# {title}"},
        {"cell_type": "code", "id": "lines", "metadata": {}, "source": lines, "outputs": [], "execution_count": None},
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps(
        {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}, indent=1
    )
