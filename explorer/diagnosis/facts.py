"""Facts: the few numbers of a history by which verdicts and remedies are judged, of both kinds of nets."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.choices.arrays import Array
from explorer.diagnosis.seeds import band
from explorer.diagnosis.signs import Signs, first_over_last, mean_answer_loss, mean_known, signs
from explorer.training.history import DIVERGED, SOLVED, STUCK, History

# A gradient's ratio is healthy within 10⁻³ to 10³: updates by ratios that far apart cannot all be of a usual size, 10⁻³ of the
# weights (Karpathy; CS231n). Of hidden units that are off, over 10 to 40 % are called bad; this is the upper end.
HEALTHY_DECADES = 3.0
# Behind batch norm without skips it is less: nets of 25 and 40 layers in which it grew by 600 to 800 learn with skips alone.
NORMED_DECADES = 2.0
# If the first gradient of all parameters is longer than this many times the loss of the mean answer, updates at any usual
# learning rate overshoot: behind one, Adam helped none of 3 nets that hardly moved, else 82 of 105.
LARGE_PULL = 100.0
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
    diverged: int  # Became infinite or NaN, or ended at a loss a thousand times that of the start
    ended: int  # Of these: became infinite or NaN
    epoch: int  # Of the latest record
    first_end: str  # What became non-finite first, where and when; empty if nothing did
    # Per seed, the error of the answers as a share of that of always answering the mean target; at most 1, and 1 if it diverged.
    shares: tuple[float, ...]
    # At epoch 0 and at the latest record; a seed that is not finite counts as the largest.
    loss_start: float
    loss_end: float
    loss_solved: float  # At the latest record, over the seeds that solve it; NaN if none does
    # From which epoch on the error stayed below the bound, median and quartiles; a seed that did not solve counts as inf.
    solve_epoch: float
    solve_early: float
    solve_late: float
    # The gradient at the first position over that at the last, at epoch 0 and at the latest record.
    log_ratio: float
    log_ratio_end: float
    # What each position inside the net multiplies the gradient by on its way back, from the last hidden layer to the first or
    # from step to step, at epoch 0 and at the latest record. NaN where there is but one.
    log_factor: float
    log_factor_end: float
    every_position_counts: bool  # Whether each position adds to the gradient: then the ratio says nothing of reach
    first_norm: float  # L2 norm over all parameters of the first update's gradient, before clipping
    first_pull: float  # The same over the loss of always answering the mean target: whatever the loss's unit
    clipped_share: float  # Of all updates so far, mean over the seeds that still have numbers; NaN before the first
    # At the latest record, NaN where units are not measured: the share of seeds whose first layer's dL/dW is exactly 0,
    # of hidden units that are dead.
    zero_share: float = math.nan
    dead_share: float = math.nan
    signs: Signs

    @property
    def learnt(self) -> str:
        """How many seeds solve it: `3 of 8`."""
        return f"{self.solved} of {self.runs}"

    @property
    def log_inside(self) -> float:
        """The gradient at the first position inside the net over that at the last one inside, at epoch 0, as log10."""
        steps = self.experiment.inner_positions - 1
        return self.log_factor * steps if steps else 0.0

    @property
    def score(self) -> float:
        """How much of the error of always answering the mean target is left: the mean over seeds."""
        return sum(self.shares) / len(self.shares)


def facts(history: History) -> Facts:
    """Gather what the rules look at."""
    experiment, outcomes = history.experiment, np.array(history.outcome)
    gradient = history.measures[history.kind.main]
    latest = _latest_known(gradient)
    inside = gradient[:, :, : experiment.inner_positions]
    solving, loss = band(history.solved_epoch()), history.loss[:, latest]
    failed = ~np.isin(outcomes, (SOLVED, DIVERGED))
    diverged = outcomes == DIVERGED
    solved = loss[outcomes == SOLVED]
    return Facts(
        experiment=experiment,
        complete=history.complete,
        runs=len(outcomes),
        solved=solved.size,
        stuck=int((outcomes == STUCK).sum()),
        diverged=int(diverged.sum()),
        ended=sum(ending is not None for ending in history.endings),
        epoch=int(history.epochs[latest]),
        first_end=_first_end(history),
        shares=tuple(map(float, final_shares(history))),
        loss_start=float(band(history.loss[:, 0]).middle),
        loss_end=float(band(loss).middle),
        loss_solved=float(np.median(solved)) if solved.size else math.nan,
        solve_epoch=float(solving.middle),
        solve_early=float(solving.low),
        solve_late=float(solving.high),
        log_ratio=first_over_last(gradient[:, 0]),
        log_ratio_end=first_over_last(gradient[:, latest]),
        log_factor=_factor(inside[:, 0]),
        log_factor_end=_factor(inside[:, latest]),
        every_position_counts=experiment.every_position_counts,
        first_norm=float(band(history.gradient_norm[:, 0]).middle),
        first_pull=float(band(history.gradient_norm[:, 0]).middle) / mean_answer_loss(experiment),
        clipped_share=mean_known(history.clipped_share[:, latest]),
        signs=signs(history, failed if failed.any() else np.ones_like(failed), latest),
        **(_of_units(history, latest) if "dead" in history.measures else {}),
    )


def final_shares(history: History) -> Array:
    """Return, per seed, the error at the end as a share of that of always answering the mean target: `Facts.shares`."""
    diverged = np.array(history.outcome) == DIVERGED
    return np.where(diverged, 1.0, np.minimum(history.error[:, -1] / history.target_variance, 1.0))


def _of_units(history: History, latest: int) -> dict[str, float]:
    """What is told of units, where they are measured one by one."""
    return {
        "zero_share": float((history.measures["weight_gradient"][:, latest, 0] == 0).mean()),
        "dead_share": mean_known(history.measures["dead"][:, latest, :-1]),
    }


def _factor(gradient: Array) -> float:
    steps = gradient.shape[1] - 1
    return first_over_last(gradient) / steps if steps else math.nan


def _latest_known(gradient: Array) -> int:
    """The last record at which at least one seed still had numbers."""
    known = np.flatnonzero(~np.isnan(gradient).all(axis=(0, 2)))
    return int(known[-1]) if known.size else 0


def _first_end(history: History) -> str:
    ends = [ending for ending in history.endings if ending is not None]
    if not ends:
        return ""
    first = min(ends, key=lambda ending: ending.epoch)
    return f"{first.quantity} of {history.kind.position} {first.layer} {_when(history, first.epoch)}"


def _when(history: History, epoch: int) -> str:
    """Name the update before which a run ended; where an epoch has many, the epoch, from 1."""
    if len(history.experiment.batch_sizes()) > 1:
        return f"in epoch {epoch + 1:,}"
    return f"after {epoch:,} update{'s' * (epoch > 1)}" if epoch else "before any update"
