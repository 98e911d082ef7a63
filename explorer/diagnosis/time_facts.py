"""Time facts: the few numbers of a history over time steps, and what they say in words, as `facts` for layers."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.choices.cells import CELLS
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.registry import Entry, registry
from explorer.diagnosis.facts import HEALTHY_DECADES, first_over_last
from explorer.diagnosis.seeds import band
from explorer.diagnosis.wording import decades, number
from explorer.training.history import DIVERGED, SOLVED, STUCK, History

# A first gradient longer than this, of all parameters together, throws a net about at any usual learning rate.
LARGE_NORM = 100.0


@dataclass(frozen=True)
class TimeFacts:
    """What the sentences tell: medians over seeds, logarithms to base 10.

    Attributes
    ----------
    experiment : RecurrentExperiment
    complete : bool
        Whether training is over.
    runs, solved, stuck, diverged : int
        Seeds.
    epoch : int
        Of the latest record at which a seed still had numbers.
    first_end : str
        What became non-finite first, at which step and when; empty if nothing did.
    loss_start, loss_end : float
        At epoch 0 and at the latest record; a seed that is not finite counts as the largest.
    solve_epoch : float
        Epoch from which the error stayed below the bound, a seed that did not solve counting as later than all (inf).
    log_ratio, log_ratio_end : float
        RMS dL/dh at the first step over that at the last, at epoch 0 and at the latest record; -inf for an
        exact 0, inf where it is not finite.
    log_factor : float
        What each step multiplies it by on its way back, at epoch 0.
    every_step : bool
        Whether the loss counts at every step: then each adds to the gradient, and the ratio says nothing of reach.
    first_norm : float
        L2 norm over all parameters of the first update's gradient, before clipping.
    clipped_share : float
        Of all updates so far, mean over the seeds that still have numbers; NaN before the first.
    """

    experiment: RecurrentExperiment
    complete: bool
    runs: int
    solved: int
    stuck: int
    diverged: int
    epoch: int
    first_end: str
    loss_start: float
    loss_end: float
    solve_epoch: float
    log_ratio: float
    log_ratio_end: float
    log_factor: float
    every_step: bool
    first_norm: float
    clipped_share: float


def time_facts(history: History) -> TimeFacts:
    """Gather what the sentences tell of a recurrent experiment's history."""
    experiment, outcomes = history.experiment, history.outcome
    gradient = history.measures["state_gradient"]
    known = np.flatnonzero(~np.isnan(gradient).all(axis=(0, 2)))
    latest = int(known[-1]) if known.size else 0
    log_ratio = first_over_last(gradient[:, 0])
    clipped = history.clipped_share[:, latest]
    return TimeFacts(
        experiment=experiment,
        complete=history.complete,
        runs=len(outcomes),
        solved=outcomes.count(SOLVED),
        stuck=outcomes.count(STUCK),
        diverged=outcomes.count(DIVERGED),
        epoch=int(history.epochs[latest]),
        first_end=_first_end(history),
        loss_start=float(band(history.loss[:, 0]).middle),
        loss_end=float(band(history.loss[:, latest]).middle),
        solve_epoch=float(band(history.solved_epoch()).middle),
        log_ratio=log_ratio,
        log_ratio_end=first_over_last(gradient[:, latest]),
        log_factor=log_ratio / (experiment.length - 1),
        every_step=experiment.points().first_counted == 0,
        first_norm=float(band(history.gradient_norm[:, 0]).middle),
        clipped_share=float(np.nanmean(clipped)) if not np.isnan(clipped).all() else math.nan,
    )


def _first_end(history: History) -> str:
    """Of a recurrent net an ending's position is the time step."""
    ends = [ending for ending in history.endings if ending is not None]
    if not ends:
        return ""
    first = min(ends, key=lambda ending: ending.epoch)
    return f"{first.quantity} of step {first.layer} at epoch {first.epoch:,}"


# --- one word -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TimeVerdict(Entry):
    """A word for how a recurrent net does; as `verdict.Verdict` for layers.

    Attributes
    ----------
    holds : callable
        From TimeFacts to whether this is the word.
    """

    holds: Callable[[TimeFacts], bool]


TIME_VERDICTS = registry(
    [
        TimeVerdict(
            name="not finite",
            caption="At least half of the seeds became infinite or NaN.",
            holds=lambda f: f.diverged * 2 >= f.runs,
        ),
        TimeVerdict(
            name="learns",
            caption="At least half of the seeds answer with a mean squared error below the task's bound.",
            holds=lambda f: f.solved * 2 >= f.runs,
        ),
        TimeVerdict(
            name="exploding",
            caption=f"Before any update the gradient of all parameters is longer than {LARGE_NORM:g}; or, of a task whose loss "
            "counts at the end only, dL/dh of the first step is over 10³ times that of the last.",
            holds=lambda f: not f.first_norm <= LARGE_NORM or (not f.every_step and f.log_ratio > HEALTHY_DECADES),
        ),
        TimeVerdict(
            name="vanishing",
            caption="Of a task whose loss counts at the end only, dL/dh of the first step is under 10⁻³ of "
            "that of the last, before any update.",
            holds=lambda f: not f.every_step and f.log_ratio < -HEALTHY_DECADES,
        ),
        TimeVerdict(
            name="the gradient arrives",
            caption="None of the above holds.",
            holds=lambda f: True,
        ),
    ]
)


def judge_time(found: TimeFacts) -> TimeVerdict:
    """Return the first verdict whose rule holds."""
    return next(verdict for verdict in TIME_VERDICTS.values() if verdict.holds(found))


# --- sentences ----------------------------------------------------------------------------------


def time_headline(names: Sequence[str], found: Sequence[TimeFacts]) -> str:
    """Say in one sentence how many seeds learn it, by the names of what stands side by side."""
    if not found:
        return "Nothing is measured yet."
    so_far = not all(each.complete for each in found)
    if len(found) == 1:
        (only,) = found
        told = f"{judge_time(only).name}: {_learn(only)}"
    elif all(name in CELLS for name in names):
        first, *others = (f"with the {name}" for name in names)
        more = [f"{_count(each, found[0])} {name}" for name, each in zip(others, found[1:], strict=True)]
        told = ", ".join([f"{_learn(found[0])} {first}", *more])
    else:
        more = [f"{name}: {_count(each, found[0])}" for name, each in zip(names[1:], found[1:], strict=True)]
        told = "; ".join([f"{names[0]}: {_learn(found[0])}", *more])
    return _sentence(f"so far, {told}" if so_far else told)


def _learn(f: TimeFacts) -> str:
    """Say how many seeds learn it: `0 of 8 seeds learn it (8 not finite)`."""
    of = f"{f.solved} of {f.runs} seeds learn it" if f.runs > 1 else f"{f.solved} of 1 seed learns it"
    return f"{of}{_ended(f)}"


def _count(f: TimeFacts, first: TimeFacts) -> str:
    """Say the same of a further one; of how many only where there are not as many as of the first."""
    return f"{f.solved}{'' if f.runs == first.runs else f' of {f.runs}'}{_ended(f)}"


def _ended(f: TimeFacts) -> str:
    return f" ({f.diverged} not finite)" if f.diverged else ""


def time_detail(names: Sequence[str], found: Sequence[TimeFacts]) -> str:
    """Say what became of the gradient on its way back, at the start and now; where it has no way, how large it is."""
    each = [(f"{name}: " if len(found) > 1 else "", f) for name, f in zip(names, found, strict=True)]
    told = _reach([(name, f) for name, f in each if not f.every_step])
    told += _sizes([(name, f) for name, f in each if f.every_step])
    ends = [f"{name[:-2]}, {f.first_end}" if name else f.first_end for name, f in each if f.first_end]
    told += [f"Not finite first: {'; '.join(ends)}."] if ends else []
    return " ".join(told)


def _reach(each: list[tuple[str, TimeFacts]]) -> list[str]:
    """Say what share of the last step's gradient the first step gets: at the start, and now."""
    if not each:
        return []
    lengths, epochs = {f.experiment.length for _, f in each}, {f.epoch for _, f in each}
    last = f"step {lengths.pop()}" if len(lengths) == 1 else "the last step"
    now = f"at epoch {epochs.pop():,}" if len(epochs) == 1 else "at the latest epoch"
    then = f" → {now}" if any(f.epoch for _, f in each) else ""
    shares = "; ".join(f"{name}{_shares(f)}" for name, f in each)
    return [f"RMS dL/dh at step 1 over that at {last}, at the start{then}: {shares}."]


def _shares(f: TimeFacts) -> str:
    return " → ".join(share(log_ratio) for log_ratio in (f.log_ratio, f.log_ratio_end)[: 1 + (f.epoch > 0)])


def _sizes(each: list[tuple[str, TimeFacts]]) -> list[str]:
    """Say how long the first gradient is, and how often clipping made one shorter."""
    if not each:
        return []
    norms = "; ".join(f"{name}{number(f.first_norm)}" for name, f in each)
    told = [f"L2 norm of the first update's gradient, over all parameters, before clipping: {norms}."]
    clipping = [(name, f) for name, f in each if f.experiment.clip != "none" and not math.isnan(f.clipped_share)]
    clipped = "; ".join(f"{name}{f.clipped_share:.0%}" for name, f in clipping)
    return told + ([f"Updates that clipping made smaller: {clipped}."] if clipped else [])


def share(log_ratio: float) -> str:
    """Say a ratio, given as its decimal logarithm: a share in percent, a multiple as a number of times.

    >>> share(-1.585), share(-12.4), share(2.0), share(float("-inf"))
    ('2.6%', '4.0 × 10⁻¹³', '100 times', 'exactly 0')
    """
    if not math.isfinite(log_ratio):
        return decades(log_ratio)
    if log_ratio >= 0:
        return f"{decades(log_ratio)} times"
    return f"{number(100 * 10.0**log_ratio)}%" if log_ratio > -HEALTHY_DECADES else decades(log_ratio)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
