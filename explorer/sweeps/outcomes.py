"""Outcomes: what a sweep keeps of one experiment, and the numbers that can colour its map, one entry each."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.choices.arrays import Array
from explorer.choices.experiment import Experiment
from explorer.choices.registry import Entry, registry
from explorer.diagnosis.facts import facts
from explorer.diagnosis.seeds import log_band
from explorer.diagnosis.verdict import judge
from explorer.theory.prediction import log_factor
from explorer.training.history import History


@dataclass(frozen=True, eq=False, kw_only=True)
class Finding:
    """What is kept of an experiment: a few numbers over its seeds, small enough for thousands of them.

    Logarithms are to base 10, medians over seeds; -inf stands for an exact 0, +inf for what is not finite.
    """

    experiment: Experiment
    trained: bool  # Whether it was trained; else only its start was measured, and what training tells is NaN
    # RMS dL/dz of the first layer over that of the last, at the start and at the end.
    log_ratio: float
    log_ratio_end: float
    # What each layer multiplies RMS dL/dz by on its way back from the last hidden layer to the first, at the start and at the
    # end; NaN where there is one hidden layer, theory's also where there is no theory.
    log_factor: float
    log_factor_end: float
    log_factor_theory: float
    loss: float  # Median over seeds at the end; not finite where half of the seeds diverged
    runs: int
    solved: int
    diverged: int
    solve_epoch: float  # From which the error stays below the bound, median; inf where half of the seeds never solve it
    end: Mapping[str, Array]  # Of "delta" and "weight_gradient", the gradient of every layer at the end, (layers,)
    verdict: str


def find(history: History, *, trained: bool = True) -> Finding:
    """Keep of a history what a sweep shows; `trained` False: the history holds the start alone."""
    experiment, known = history.experiment, facts(history)
    last = history.at(known.epoch)
    # A seed that diverged counts as larger than all.
    loss = math.inf if known.diverged * 2 >= known.runs else known.loss_end
    return Finding(
        experiment=experiment,
        trained=trained,
        log_ratio=known.log_ratio,
        log_ratio_end=known.log_ratio_end if trained else math.nan,
        log_factor=known.log_factor,
        log_factor_end=known.log_factor_end if trained else math.nan,
        log_factor_theory=log_factor(experiment),
        loss=loss if trained else math.nan,
        runs=known.runs,
        solved=known.solved if trained else 0,
        diverged=known.diverged,
        solve_epoch=known.solve_epoch if trained else math.nan,
        end={name: log_band(history.measures[name][:, last]).middle for name in ("delta", "weight_gradient")},
        verdict=judge(known).name,
    )


@dataclass(frozen=True, kw_only=True)
class Outcome(Entry):
    """A number of a Finding that a map can show as colour."""

    # From a Finding to the number; NaN where there is none, -inf for an exact 0, +inf for what is not finite.
    of: Callable[[Finding], float]
    unit: str = "decades"  # "decades" (a logarithm to base 10) or "share"
    span: tuple[float, float]  # The fixed range of the colours
    diverging: bool = False  # Whether 0 is the neutral middle: neither shrunk nor grown
    trained: bool = True  # Whether the networks must be trained for it; else their start is enough
    # Whether theory's critical line, on which gradients neither shrink nor grow, belongs over it.
    critical: bool = False
    by_theory: bool = False  # Whether it compares with what theory predicts
    counts: bool = False  # Whether it is the logarithm of a count, which is told as a whole number
    # What +inf and -inf mean, where that is something else than infinity and an exact 0.
    infinite: str = ""
    zero: str = ""
    computed_by: tuple[Callable[..., Any], ...] = ()  # Functions that a reader should see beside `of`


def _log(value: float) -> float:
    if math.isnan(value) or math.isinf(value):
        return value
    return math.log10(value) if value > 0 else -math.inf


OUTCOMES = registry(
    [
        Outcome(
            name="first / last layer, start",
            caption="RMS dL/dz of the first layer over that of the output layer before any update, median over seeds: "
            "below 1 the gradient vanishes, above it explodes.",
            formula="rms δ₁ / rms δ_last",
            of=lambda finding: finding.log_ratio,
            span=(-12.0, 12.0),
            diverging=True,
            trained=False,
            critical=True,
        ),
        Outcome(
            name="factor per layer, start",
            caption="What each layer multiplies RMS dL/dz by on its way back from the last hidden layer to the first, before any "
            "update, median over seeds.",
            formula="(rms δ₁ / rms δ_depth)^(1/(depth - 1))",
            of=lambda finding: finding.log_factor,
            span=(-1.0, 1.0),
            diverging=True,
            trained=False,
            critical=True,
        ),
        Outcome(
            name="factor against theory, start",
            caption="The measured factor per layer over the one that mean-field theory predicts for a median seed: 1 is "
            "agreement. Empty cells: no theory, or nothing to compare.",
            formula="measured factor / predicted factor",
            of=lambda finding: finding.log_factor - finding.log_factor_theory,
            span=(-0.3, 0.3),
            diverging=True,
            trained=False,
            by_theory=True,
        ),
        Outcome(
            name="first / last layer, end",
            caption="RMS dL/dz of the first layer over that of the output layer after training, median over seeds.",
            formula="rms δ₁ / rms δ_last",
            of=lambda finding: finding.log_ratio_end,
            span=(-12.0, 12.0),
            diverging=True,
            critical=True,
        ),
        Outcome(
            name="share solved",
            caption="Share of seeds whose mean squared error is below the data set's bound at the end.",
            of=lambda finding: finding.solved / finding.runs if finding.trained else math.nan,
            unit="share",
            span=(0.0, 1.0),
            critical=True,
        ),
        Outcome(
            name="epochs to solve",
            caption="The epoch from which the error stays below the data set's bound, median over seeds.",
            of=lambda finding: _log(finding.solve_epoch),
            counts=True,
            infinite="at least half of the seeds never solve it",
            zero="solved at the start",
            computed_by=(History.solved_epoch,),
            span=(0.0, 5.0),
        ),
        Outcome(
            name="final loss",
            caption="Median over seeds after training. Losses of different kinds cannot be compared.",
            of=lambda finding: _log(finding.loss),
            span=(-4.0, 1.0),
        ),
    ]
)
