"""View: what of a history is shown and how. Changing it never retrains."""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from explorer.choices.cells import CELLS
from explorer.choices.clipping import CLIPPERS
from explorer.choices.comparisons import COMPARISONS
from explorer.choices.controls import choice, controls_of, numeric, one_two_five
from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import NEW_STATE, RecurrentExperiment, matrix_choices
from explorer.choices.sequences import LONGEST
from explorer.sweeps.cliff import B_SPAN, W_SPAN
from explorer.sweeps.descent import Descent
from explorer.training.kinds import LAYERS, TIME_STEPS, Kind
from explorer.training.measures import Diagnostic, offered

VALUE = "value"
RATIO, TIME_RATIO = (f"ratio to last {kind.position}" for kind in (LAYERS, TIME_STEPS))
RANGES = {"usual": 0, "wide": 26, "widest": 92}
LATEST = -1


_choice, _number = partial(choice, "View"), partial(numeric, "View")


def _stepped(label: str, help: str, marks: tuple[float, ...], default: float) -> Any:
    return _number(label, help, low=marks[0], high=marks[-1], marks=marks, default=default)


def _metric(kind: Kind) -> Any:
    """What can be shown: the measures of a kind of net that have a name in the menu."""
    return _choice(
        "Show",
        f"What the colours and the profile show of every {kind.position}.",
        options=offered(kind.measures),
        default=kind.measures[kind.main].label,
    )


def _colour(kind: Kind, ratio: str) -> Any:
    words = (
        f"{ratio}: how many times that of the last {kind.position}; white is level, violet has vanished on the way back, "
        f"orange has exploded. value: its size."
    )
    return _choice("Colour", words, options=(ratio, VALUE), default=ratio)


@dataclass(frozen=True, kw_only=True)
class View:
    """How a history is shown; a ValueError names the field, the value and what is allowed.

    The page on time has the same view of its own kind of net, see `TimeView`.
    """

    kind: ClassVar[Kind] = LAYERS

    metric: str = _metric(LAYERS)
    colour: str = _colour(LAYERS, RATIO)
    axis: str = _choice(
        "Epochs", "Whether the epoch axis is linear or logarithmic.", options=("linear", "log"), default="linear"
    )
    range: str = _choice(
        "Range",
        "The span of the colours. It stays fixed while settings change, so that pictures can be compared. "
        "For gradients: usual 10⁻¹⁰ to 10², wide 10⁻³⁶ to 10²⁸, widest 10⁻¹⁰² to 10⁹⁴; for ratios as far to both sides of 1.",
        options=RANGES,
        default="usual",
    )
    at: int = _number(
        "Profile at epoch",
        "The epoch of the profile and of the answers; a line marks it.",
        low=LATEST,
        high=1_000_000,
        default=LATEST,
    )

    def __post_init__(self) -> None:
        for name, control in controls_of(type(self)).items():  # type: ignore[arg-type]  # a class is hashable
            object.__setattr__(self, name, control.check(name, getattr(self, name)))

    @property
    def diagnostic(self) -> Diagnostic:
        """The entry of what is shown."""
        return self.kind.measures[offered(self.kind.measures)[self.metric]]

    @property
    def in_decades(self) -> bool:
        """Whether values are shown as powers of ten."""
        return self.diagnostic.unit == "decades"

    @property
    def is_ratio(self) -> bool:
        """Whether each position is shown relative to the last."""
        return self.colour != VALUE and self.in_decades

    @property
    def span(self) -> tuple[float, float]:
        """The fixed range of the colours and of the profile's axis, in decades where `in_decades`."""
        low, high = self.diagnostic.span
        if not self.in_decades:
            return low, high
        more = RANGES[self.range]
        return (-8.0 - more, 8.0 + more) if self.is_ratio else (low - more, high + more)


VIEW_CONTROLS = controls_of(View)

# --- the lens: what a function receives at a layer or time step ---


# Before each name in the link, and what stands for all seeds.
LENS, ALL_SEEDS = "lens_", 0


def _seed() -> Any:
    return _number(
        "Seed (0: all)",
        "Whose z: 1 is the first seed alone, 2 the second, and so on; 0 is all of them together.",
        low=ALL_SEEDS,
        high=Experiment.controls()["runs"].high,  # type: ignore[attr-defined]
        default=ALL_SEEDS,
    )


def of_seed(seed: int) -> int | None:
    """Return the number of the one seed that a lens looks at, from 0; None: all."""
    return None if seed == ALL_SEEDS else seed - 1


@dataclass(frozen=True, kw_only=True)
class LensView:
    """At which layer the lens looks, and over which seeds."""

    layer: int = _number(
        "Layer",
        "The hidden layer whose z is shown; 1 is nearest the input. A click on a row chooses it, among the "
        "small histograms or in the map above.",
        low=1,
        high=Experiment.controls()["depth"].high,  # type: ignore[attr-defined]
        default=1,
    )
    seed: int = _seed()


LENS_CONTROLS = controls_of(LensView)


@dataclass(frozen=True, kw_only=True)
class TimeLensView:
    """At which of the compared nets, function and time step the lens looks, and over which seeds."""

    net: int = _number(
        "Net",
        "Whose z, counted as the nets stand above. The first one’s is drawn faintly behind it, where it has the same function. A "
        "click on a map chooses net and step.",
        low=LATEST,
        high=6,
        default=LATEST,
    )
    function: str = _choice(
        "Function",
        "Every gate is a sigmoid of a z of its own; the new state, in an LSTM and a GRU the candidate for it, a tanh, or what the "
        "sidebar says of a plain net.",
        options=matrix_choices(RecurrentExperiment(cell=cell, stack=3) for cell in CELLS),
        default=NEW_STATE,
    )
    step: int = _number(
        "Time step",
        "The step whose z is shown; of long sequences there is a selection. A click on a row chooses it, among the small histograms or "
        "in a map above.",
        low=1,
        high=LONGEST,
        default=1,
    )
    seed: int = _seed()


TIME_LENS_CONTROLS = controls_of(TimeLensView)


@dataclass(frozen=True, kw_only=True)
class TimeView(View):
    """How histories over time steps are shown, and which stand side by side."""

    kind: ClassVar[Kind] = TIME_STEPS

    compare: str = _choice(
        "Side by side",
        "What stands side by side on one scale: the net in the sidebar with one setting changed.",
        options=COMPARISONS,
        default="the three cells",
    )
    metric: str = _metric(TIME_STEPS)
    colour: str = _colour(TIME_STEPS, TIME_RATIO)


TIME_VIEW_CONTROLS = controls_of(TimeView)


# --- Cliff view: where a descent on the cliff starts, how it goes, and what is shown of it ---


# Before each name in the link.
CLIFF_PAGE = "cliff_"
STRIDE = 0.05
LOSS, GRADIENT, RELIEF = "loss", "gradient", "relief"


def _marks(span: tuple[float, float]) -> tuple[float, ...]:
    count = round((span[1] - span[0]) / STRIDE) + 1
    return tuple(round(float(mark), 2) for mark in np.linspace(*span, count))


@dataclass(frozen=True, kw_only=True)
class CliffView:
    """What the cliff's page shows; a ValueError names the field, the value and what is allowed."""

    shown: str = _choice(
        "Show",
        "loss, gradient: the loss, or the norm of its gradient, as colour; relief: the loss as a surface to turn.",
        options=(LOSS, GRADIENT, RELIEF),
        default=LOSS,
    )
    learning_rate: float = _stepped(
        "Learning rate", "An update is this many times the gradient.", one_two_five(0.01, 10.0), default=0.5
    )
    clip: str = _choice(
        "Clip by",
        "norm: the whole gradient is shortened to the threshold; value: each of its two entries is cut to it.",
        options=tuple(reversed([name for name, clipper in CLIPPERS.items() if clipper.limits])),
        default="norm",
    )
    threshold: float = _stepped(
        "Threshold",
        "The longest gradient, or the largest entry, that clipping lets through.",
        one_two_five(0.01, 1000.0),
        default=0.5,
    )
    updates: int = _stepped(
        "Updates",
        "How far both descents are followed: move it to see them go, update by update.",
        tuple(range(5, 201)),
        default=180,
    )
    steps: int = _stepped(
        "Steps T",
        "Time steps of the net, through which the gradient goes back. With few there is no cliff.",
        (*range(2, 20), *range(20, 100, 5), *range(100, 201, 10)),
        default=50,
    )
    w: float = _stepped(
        "Start w", "The recurrent weight at the start; a click on the map sets both.", _marks(W_SPAN), default=5.5
    )
    b: float = _stepped("Start b", "The bias at the start; a click on the map sets both.", _marks(B_SPAN), default=-2.0)

    def __post_init__(self) -> None:
        for name, control in controls_of(CliffView).items():
            object.__setattr__(self, name, control.check(f"{CLIFF_PAGE}{name}", getattr(self, name)))

    def descent(self, *, clipped: bool) -> Descent:
        """Return the descent with clipping, or the same without."""
        names = ("w", "b", "learning_rate", "updates", "steps", *(("clip", "threshold") if clipped else ()))
        return Descent(**{name: getattr(self, name) for name in names})


CLIFF_VIEW_CONTROLS = controls_of(CliffView)
