"""RecurrentExperiment: every choice that makes a training over time steps, frozen, hashable and checked.

What means the same as in an `Experiment` is the same control; the rest is
declared here, in the same way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from explorer.choices.activations import ACTIVATIONS, Activation
from explorer.choices.arrays import thin
from explorer.choices.cells import CELLS
from explorer.choices.controls import NETWORK, REMEDY, TASK, TRAINING, choice, numeric, setting, told_elsewhere
from explorer.choices.experiment import CONTROLS as LAYER_CONTROLS
from explorer.choices.recurrent_initializers import RECURRENT_INITIALIZERS
from explorer.choices.registry import EntryOf
from explorer.choices.sequences import LONGEST, SHORTEST, TASKS, Sequences, sequences
from explorer.choices.settings import Settings

# Of a hundred steps every third.
MOST_LOOKED_AT = 34

PLAIN_ACTIVATIONS = tuple(name for name, entry in ACTIVATIONS.items() if entry.in_plain_nets)


def _units(experiment: "RecurrentExperiment") -> str:
    units = "unit" if experiment.hidden == 1 else "units"
    return f" of {experiment.hidden} {units if experiment.unit.memory_gate else experiment.activation}"


def _like(name: str, **changes: Any) -> Any:
    """The field of an `Experiment`'s setting, some of its words or numbers changed."""
    return setting(replace(LAYER_CONTROLS[name], **changes))


@dataclass(frozen=True, kw_only=True)
class RecurrentExperiment(Settings):
    """One recurrent net, one task over time, one way to train it, `runs` seeds.

    Raises ValueError naming the field, the value and what is allowed.

    >>> RecurrentExperiment(cell="lstm", forget_bias=3).cell
    'LSTM'
    """

    task: str = _like("task", options=TASKS, default="which first")
    # fmt: off
    length: int = numeric(
        TASK, "Length",
        "Time steps of a sequence. From 4 steps on, what must be remembered comes in its first half and the answer at its "
        "end; a sine is continued at every step. A gate’s bias should grow with it, as ln T.",
        low=SHORTEST, high=LONGEST, marks=(2, 3, 5, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200, 300, 500),
        default=100, row=1, moderate=100, caption=lambda e: f", {e.length} steps",
    )
    samples: int = _like(
        "samples", help="How many sequences there are.", default=32, moderate=32,
        caption=lambda e: f", {e.samples} sequences",
    )
    cell: str = choice(
        REMEDY, "Cell", "What happens in one time step.", CELLS, default="RNN", row=1, phrase="{}",
        caption=lambda e: e.cell,
    )
    activation: str = choice(
        NETWORK, "Activation", "The function f of the plain net; LSTM and GRU have sigmoid gates and tanh.",
        PLAIN_ACTIVATIONS, default="tanh", row=2, phrase="{}",
        caption=told_elsewhere,
    )
    hidden: int = numeric(
        NETWORK, "Hidden units", "Size of h_t, and so of W_hh: hidden × hidden.",
        low=1, high=128, marks=(1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128), default=16, row=1, moderate=32,
        caption=_units,
    )
    stack: int = numeric(
        NETWORK, "Recurrent layers", "Each reads the h_t of the one below it; the answer is read from the top.",
        low=1, high=3, default=1, row=1, caption=lambda e: f"{e.stack} layers" if e.stack > 1 else "",
    )
    initializer: str = choice(
        REMEDY, "Start of W_hh",
        "How the recurrent weights start; weights from the input are LeCun's, N(0, 1/fan_in).",
        RECURRENT_INITIALIZERS, default="scaled normal", row=3, per_run=True, caption=lambda e: e.initialization.formula,
    )
    strength: float = numeric(
        REMEDY, "Strength", "The number s that the start of W_hh sets: a radius, a singular value, a factor.",
        low=0.01, high=10.0, marks=(0.1, 0.2, 0.5, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5, 2.0, 3.0, 5.0),
        default=0.5, row=4, per_run=True, caption=lambda e: f"s = {e.strength:g}",
    )
    forget_bias: float = numeric(
        REMEDY, "Forget bias",
        "Where the bias of the gate that keeps the state starts: the forget gate of an LSTM, the update gate "
        "of a GRU. At rest the gate keeps a share σ(bias) per step: over T steps the bias has to be about ln T.",
        low=-10.0, high=10.0, marks=(-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 4.6, 5.0, 6.0), default=4.6, row=4, per_run=True,
        caption=lambda e: f"forget bias {e.forget_bias:g}",
    )
    clip: str = _like("clip", default="norm")
    threshold: float = _like("threshold")
    truncation: int = numeric(
        TRAINING, "Truncation",
        "Backpropagation through time is cut after so many steps: nothing flows back from one piece of the "
        "sequence to the one before it. Every update still sees whole sequences. 0: not cut.",
        low=0, high=LONGEST, marks=(0, 1, 2, 5, 10, 20, 50, 100, 200), default=0, row=7,
        phrase="cut after {} steps", phrases={"0": "not cut", "1": "cut after every step"},
    )
    # fmt: on
    learning_rate: float = _like("learning_rate", default=0.005)
    optimizer: str = _like("optimizer", default="Adam")
    batch: str = _like("batch")
    order: str = _like("order")
    loss: str = _like("loss", help="usual: cross-entropy for classes, mean squared error for numbers.")
    epochs: int = _like("epochs", high=100_000, default=100, moderate=100)
    runs: int = _like("runs")
    seed: int = _like("seed")

    dataset = EntryOf("task", TASKS)
    unit = EntryOf("cell", CELLS)
    initialization = EntryOf("initializer", RECURRENT_INITIALIZERS)

    @property
    def positions(self) -> int:
        """Where along the net something is measured: its time steps."""
        return self.length

    @property
    def functions(self) -> Mapping[str, Activation]:
        """The functions of gates and new state, by name: layer by layer, as `matrix_names` has them."""
        functions = self.unit.functions(self.activation_function).values()
        return dict(zip(matrix_names(self), [*functions] * self.stack, strict=True))

    @property
    def looked_at(self) -> Sequence[int]:
        """The time steps, from 1, at which z is counted by bin: a selection where there are many, as memory has an end."""
        return thin(range(1, self.length + 1), MOST_LOOKED_AT)

    @property
    def every_position_counts(self) -> bool:
        """Whether the loss counts at every step; else at the last ones only."""
        return self.points().first_counted == 0

    @property
    def sample_count(self) -> int:
        """How many sequences there are."""
        return self.samples

    def without_effect(self) -> set[str]:
        """Return the names of settings that change nothing as the others stand."""
        idle = super().without_effect() | {"activation" if self.unit.memory_gate else "forget_bias"}
        return idle if self.initialization.scales else idle | {"strength"}

    def points(self) -> Sequences:
        """Return the data: the same for every seed."""
        return sequences(self.task, self.samples, self.length)


# --- the recurrent matrices W_hh of a net --------------------------------------------------------


# The matrix of the plain net, and of the candidate for the new state in gated ones.
NEW_STATE = "new state"


def matrix_names(experiment: RecurrentExperiment) -> list[str]:
    """Name every recurrent matrix W_hh, in the order of a history's eigenvalues: layer by layer, and gate by gate.

    >>> matrix_names(RecurrentExperiment(cell="GRU"))
    ['reset gate', 'update gate', 'new state']
    """
    cell = experiment.unit
    blocks = [NEW_STATE if block == cell.new_state else f"{block} gate" for block in cell.recurrent]
    layers = range(1, experiment.stack + 1)
    return [block + f", layer {layer}" * (layer > 1) for layer in layers for block in blocks]


def matrix_choices(experiments: Iterable[RecurrentExperiment]) -> list[str]:
    """Return the names of all matrices of compared nets, that of the new state, which all have, first."""
    names = dict.fromkeys(name for experiment in experiments for name in matrix_names(experiment))
    return sorted(names, key=lambda name: name != NEW_STATE)
