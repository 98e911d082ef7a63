"""Facts: the few numbers of a history by which verdicts and remedies are judged, of both kinds of nets."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.choices.arrays import Array
from explorer.diagnosis.seeds import band, logarithm
from explorer.diagnosis.wording import against_last, decades
from explorer.training.history import DIVERGED, SOLVED, STUCK, History

ALIKE = 1e-9
HEALTHY_DECADES = 3.0
DEAD_SHARE = 0.4


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the rules look at: medians over seeds, logarithms to base 10.

    The gradient is RMS dL/dz of layers, or RMS dL/dh of time steps. "Latest" is the latest record at which a seed still
    had numbers. In logarithms -inf is an exact 0 and inf is what is not finite.
    """

    experiment: Any
    complete: bool  # Whether training is over
    runs: int
    solved: int
    stuck: int
    diverged: int
    epoch: int  # Of the latest record
    first_end: str  # What became non-finite first, where and when; empty if nothing did
    # At epoch 0 and at the latest record; a seed that is not finite counts as the largest.
    loss_start: float
    loss_end: float
    # From which epoch on the error stayed below the bound, median and quartiles; a seed that did not solve counts as inf.
    solve_epoch: float
    solve_early: float
    solve_late: float
    # The gradient at the first position over that at the last, at epoch 0 and at the latest record.
    log_ratio: float
    log_ratio_end: float
    log_factor: float  # What each position multiplies the gradient by on its way back, at epoch 0
    every_position_counts: bool  # Whether each position adds to the gradient: then the ratio says nothing of reach
    first_norm: float  # L2 norm over all parameters of the first update's gradient, before clipping
    clipped_share: float  # Of all updates so far, mean over the seeds that still have numbers; NaN before the first
    # At the latest record, NaN where units are not measured: the share of seeds whose first layer's dL/dW is exactly 0,
    # of hidden units that are dead, and of seeds in which all units of every hidden layer are alike.
    zero_share: float = math.nan
    dead_share: float = math.nan
    alike_share: float = math.nan

    @property
    def learnt(self) -> str:
        """How many seeds solve it: `3 of 8`."""
        return f"{self.solved} of {self.runs}"


def facts(history: History) -> Facts:
    """Gather what the rules look at."""
    experiment, outcomes = history.experiment, history.outcome
    gradient = history.measures[history.kind.main]
    latest = _latest_known(gradient)
    log_ratio = first_over_last(gradient[:, 0])
    solving, loss = band(history.solved_epoch()), band(history.loss).middle
    return Facts(
        experiment=experiment,
        complete=history.complete,
        runs=len(outcomes),
        solved=outcomes.count(SOLVED),
        stuck=outcomes.count(STUCK),
        diverged=outcomes.count(DIVERGED),
        epoch=int(history.epochs[latest]),
        first_end=_first_end(history),
        loss_start=float(loss[0]),
        loss_end=float(loss[latest]),
        solve_epoch=float(solving.middle),
        solve_early=float(solving.low),
        solve_late=float(solving.high),
        log_ratio=log_ratio,
        log_ratio_end=first_over_last(gradient[:, latest]),
        log_factor=log_ratio / (experiment.positions - 1),
        every_position_counts=experiment.every_position_counts,
        first_norm=float(band(history.gradient_norm[:, 0]).middle),
        clipped_share=_mean_known(history.clipped_share[:, latest]),
        **(_of_units(history, latest) if "dead" in history.measures else {}),
    )


def _of_units(history: History, latest: int) -> dict[str, float]:
    """What is told of units, where they are measured one by one."""
    measures = history.measures
    return {
        "zero_share": float((measures["weight_gradient"][:, latest, 0] == 0).mean()),
        "dead_share": _mean_known(measures["dead"][:, latest, :-1]),
        "alike_share": float((measures["unit_spread"][:, latest, :-1].max(axis=1) < ALIKE).mean()),
    }


def _latest_known(gradient: Array) -> int:
    """The last record at which at least one seed still had numbers."""
    known = np.flatnonzero(~np.isnan(gradient).all(axis=(0, 2)))
    return int(known[-1]) if known.size else 0


def first_over_last(gradient: Array) -> float:
    """Return the median over seeds of log10(first / last), of (runs, positions)."""
    logs = logarithm(gradient)
    with np.errstate(invalid="ignore"):
        ratio = logs[:, 0] - logs[:, -1]
    # Nothing left anywhere is nothing left at the first position.
    return float(band(np.where(logs[:, 0] == -np.inf, -np.inf, ratio)).middle)


def _mean_known(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan


def _first_end(history: History) -> str:
    ends = [ending for ending in history.endings if ending is not None]
    if not ends:
        return ""
    first = min(ends, key=lambda ending: ending.epoch)
    return f"{first.quantity} of {history.kind.position} {first.layer} at epoch {first.epoch:,}"


def gradient_change(old: Facts, new: Facts) -> str:
    """Say how the share of the gradient that reaches the first layer differs between two experiments at their start."""
    if new.log_ratio == -math.inf:
        again = ", as before" if old.log_ratio == -math.inf else ""
        return f"none of the gradient reaches the first layer{again}"
    if old.log_ratio == -math.inf:
        return f"the first layer's gradient is {against_last(new.log_ratio)} instead of exactly 0"
    if not math.isfinite(old.log_ratio) or not math.isfinite(new.log_ratio):
        both = math.isfinite(old.log_ratio) == math.isfinite(new.log_ratio)
        return f"the gradient is not finite in {'both' if both else 'one of the two'}"
    change = new.log_ratio - old.log_ratio
    if abs(change) < 0.1:
        return "the share of the gradient that reaches the first layer stays the same"
    if max(old.log_ratio, new.log_ratio) > HEALTHY_DECADES:
        # More of an exploding gradient is no cure, and less of it no harm.
        went = f"from {decades(old.log_ratio)} to {decades(new.log_ratio)}"
        return f"dL/dz at the first layer goes {went} times the last's"
    return f"{decades(abs(change))} times {'more' if change > 0 else 'less'} of the gradient reaches the first layer"
