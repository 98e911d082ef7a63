"""The well-known tutorial's two programs, as their reader runs them: one seed, a log, and an end once the loss is small."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.controls import choice, controls_of, numeric
from explorer.choices.experiment import Experiment
from explorer.diagnosis.wording import number
from explorer.stories.scenarios import TUTORIAL
from explorer.sweeps.sweep import Sweep
from explorer.training.history import History
from explorer.training.network import architecture
from explorer.training.run import Training

# The log has a line for each so many epochs, and a program ends once an epoch's loss is below ENOUGH.
LOG_EVERY, ENOUGH = 1000, 1e-7
# Smaller losses, of which six digits say little, are said with a power of ten outside the log.
SAID_AS_PRINTED = 1e-4
# The numbers of inner layers that the programs are tried with.
INNER = tuple(range(1, 11))
PLAIN, RESIDUAL = "plain", "residual"
# The seed of a residual program, NL = 10, that prints what was published: 1.000000 for 3,000 epochs, below 1e-6 by 13,000.
LIKE_PUBLISHED = 31
NETS = {PLAIN: "none", RESIDUAL: "one layer"}
RUN, CURVE, SAID = "one run", "how deep fails", "what is often said"


@dataclass(frozen=True, kw_only=True)
class TutorialView:
    """What the page on the tutorial shows; a ValueError names the field, the value and what is allowed."""

    shown: str = choice(
        "View",
        "Show",
        "one run: a program with its log, as its reader sees it; how deep fails: many seeds for every NL; what is often said: of "
        "gradients, each with the experiment that decides.",
        (RUN, CURVE, SAID),
        default=RUN,
    )
    net: str = choice(
        "View",
        "Program",
        "plain: a = sigmoid(W x + b) in each layer; residual: the NL inner layers are x + sigmoid(W x + b).",
        NETS,
        default=PLAIN,
    )
    inner: int = numeric(
        "View",
        "NL: inner layers",
        "Layers of 4 units between the first hidden layer and the output. The net has NL + 1 hidden layers: elsewhere in this "
        "app its depth is NL + 1.",
        low=INNER[0],
        high=INNER[-1],
        default=INNER[-1],
    )
    seed: int = numeric(
        "View", "Seed", "Of the first weights: a reader runs one. Try others.", low=0, high=1_000_000, default=0
    )
    seeds: int = numeric(
        "View", "Seeds", "So many for every NL.", low=4, high=100, marks=(4, 8, 12, 16, 24, 48, 100), default=24
    )
    epochs: int = numeric(
        "View",
        "Epochs",
        "How long each seed may take. The tutorial's programs have 100,000; in a shorter run fewer seeds learn in time.",
        low=100,
        high=100_000,
        marks=(1000, 10_000, 20_000, 50_000, 100_000),
        default=100_000,
    )

    def __post_init__(self) -> None:
        for name, control in controls_of(TutorialView).items():
            object.__setattr__(self, name, control.check(f"{TUTORIAL_PAGE}{name}", getattr(self, name)))

    @property
    def experiment(self) -> Experiment:
        """The program as it is run."""
        return program(self.net, self.inner).but(runs=1, seed=self.seed)

    def sweep(self, net: str) -> Sweep:
        """The programs of a kind with every NL, many seeds each."""
        base = program(net, INNER[-1]).but(runs=self.seeds, epochs=self.epochs)
        depths = tuple(inner + 1 for inner in INNER)
        return Sweep(base, "depth", depths, "width", (base.width,), trained=True)


# Before each name in the link.
TUTORIAL_PAGE = "tutorial_"
TUTORIAL_CONTROLS = {f"{TUTORIAL_PAGE}{name}": control for name, control in controls_of(TutorialView).items()}


def program(net: str, inner: int) -> Experiment:
    """Return the experiment that a program is: its NL inner layers come after a first hidden layer.

    >>> program("residual", 10).depth
    11
    """
    return TUTORIAL.but(depth=inner + 1, skip=NETS[net])


class Program(Training):
    """A run of one of the programs: a training that keeps its losses, and ends where the program does.

    The loss of an epoch is the sum over its four updates of (y - t)² / 2 before each: not the loss after the epoch.
    To end at the very epoch, the run is made again up to it, with the same numbers to the last bit.
    """

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment, each_epoch=True)
        self._again: Training | None = None

    def of(self, *indexes: int) -> Self:
        """Return this training: it has one experiment."""
        return self

    @property
    def losses(self) -> Array:
        """The losses of the epochs so far, up to that at which the program ends, (epochs,)."""
        assert self.records.epoch_losses is not None
        known: Array = self.records.epoch_losses[0, : self.groups[0].epoch]
        small = np.flatnonzero(known < ENOUGH)
        return known[: small[0] + 1] if small.size else known

    @property
    def complete(self) -> bool:
        """Whether the program has ended."""
        return super().complete if self._again is None else self._again.complete

    @property
    def progress(self) -> float:
        """Share of the epochs that are done."""
        return super().progress if self._again is None else self._again.progress

    def advance(self, seconds: float) -> bool:
        """Train for about `seconds`, as `Training.advance` does; return whether the program has ended."""
        if self._again is not None:
            return self._again.advance(seconds)
        super().advance(seconds)
        losses = self.losses
        if losses.size and losses[-1] < ENOUGH:
            self._again = Training(self.experiment.but(epochs=losses.size))
            self._again.advance(seconds)
        return self.complete

    def history(self, index: int = 0) -> History:
        """Return what has been recorded so far; where the program has ended early, up to that epoch."""
        return super().history(index) if self._again is None else self._again.history(index)


def losses_of(run: Training) -> Array:
    """Return the losses of a program's epochs so far, (epochs,)."""
    assert isinstance(run, Program)
    return run.losses.copy()


# --- what the programs print ----------------------------------------------------------------------


def log_rows(losses: Array) -> list[tuple[int, float]]:
    """Return epoch, counted from 1, and loss of every line of the log; the last is where the program ends early."""
    epochs = list(range(LOG_EVERY, len(losses) + 1, LOG_EVERY))
    if losses.size and losses[-1] < ENOUGH and len(losses) % LOG_EVERY:
        epochs.append(len(losses))
    return [(epoch, float(losses[epoch - 1])) for epoch in epochs]


def log_lines(losses: Array, epochs: int) -> list[str]:
    """Write the log as the programs print it.

    >>> log_lines(np.full(1000, 0.500135), 100_000)
    ['epoch: 1000 / 100000 Loss = 0.500135']
    """
    return [f"epoch: {epoch} / {epochs} Loss = {loss:.6f}" for epoch, loss in log_rows(losses)]


def layer_rows(experiment: Experiment) -> list[dict[str, str]]:
    """Return the net as a summary of layers prints it, from the input on, and the total of parameters."""
    shape = architecture(experiment)
    rows = [_row("input", shape.inputs, 0)]
    for layer in range(shape.layers):
        skipped = " + its input" if layer < shape.depth and shape.shortcut_source(layer) is not None else ""
        name = "output" if layer == shape.depth else f"inner {layer}" if layer else "first hidden"
        rows.append(_row(f"{name} (sigmoid{skipped})", shape.fan(layer)[1], shape.parameters(layer)))
    return [*rows, _row("Total params", None, sum(map(shape.parameters, range(shape.layers))))]


def _row(name: str, units: int | None, parameters: int) -> dict[str, str]:
    """Write a row under the column names of such summaries; `None` in a shape stands for the samples of a batch."""
    shape = "" if units is None else f"(None, {units})"
    return {"Layer (type)": name, "Output Shape": shape, "Param #": f"{parameters}"}


def truth_rows(history: History) -> list[dict[str, str]]:
    """Return the truth table with the first seed's answers at the last record, to four digits."""
    points = history.experiment.points()
    assert history.answers is not None
    return [
        {"x₁": f"{x[0]:g}", "x₂": f"{x[1]:g}", "Target": f"{target:g}", "Answer": f"{answer:.4f}"}
        for x, target, answer in zip(points.x, points.y, history.answers[0, -1], strict=True)
    ]


def run_headline(view: TutorialView, losses: Array, history: History) -> str:
    """Say in a sentence where the run stands."""
    name = f"{view.net.capitalize()}, NL = {view.inner}, seed {view.seed}"
    if not losses.size:
        return f"{name}: the first epoch is being trained"
    if losses[-1] < ENOUGH:
        return f"{name}: the loss is below 10⁻⁷ after {len(losses):,} epochs, and the program ends"
    assert history.answers is not None
    found, loss = history.answers[0, -1], float(losses[-1])
    alike = f", and all four answers are about {found.mean():.2g}" if np.ptp(found) < 0.05 else ""
    said = f"{loss:.6f}" if loss >= SAID_AS_PRINTED else number(loss)
    return f"{name}: after {len(losses):,} epochs the loss is {said}{alike}"


def curve_headline(solved: dict[str, dict[int, tuple[int, int]]], complete: bool) -> str:
    """Say at which NL at least half of the seeds learn, of the seeds that learn and all seeds by net and NL."""
    told = []
    for net, by_inner in solved.items():
        if by_inner:
            learnt = [inner for inner, (count, runs) in sorted(by_inner.items()) if 2 * count >= runs]
            told.append(f"{net}, NL = {_listed(learnt)}" if learnt else f"{net}, at no NL")
    if not told:
        return "No NL is trained yet"
    return f"{'At' if complete else 'So far, at'} least half of the seeds learn: {'; '.join(told)}"


def _listed(values: Sequence[int]) -> str:
    whole = len(values) > 2 and list(values) == list(range(values[0], values[-1] + 1))
    return f"{values[0]} to {values[-1]}" if whole else ", ".join(map(str, values))


# --- the programs' two functions, written out -------------------------------------------------------


def clip_gradient_norm(gradients: Sequence[Array], largest: float) -> list[Array]:
    """Shorten a net's gradients, a list of arrays of any shapes, so that their common L2 norm is at most `largest`.

    One factor for all: no layer's share changes, so what has vanished stays vanished.
    """
    norm = math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
    factor = min(1.0, largest / (norm + 1e-6))
    return [gradient * factor for gradient in gradients]


def residual_block(x: Array, weights: Array, bias: Array) -> Array:
    """Return x + sigmoid(x W + b), x (samples, units), W (units, units): what comes in is added to what the layer makes.

    On the way back the gradient passes the addition unchanged, beside its way through the sigmoid.
    """
    z = x @ weights + bias
    return x + 1 / (1 + np.exp(-z))
