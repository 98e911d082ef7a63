"""A sweep's work in chunks of a fraction of a second: what they are, how long they take, and the work itself.

A chunk is what a worker is handed at once. Cells of equal shape in it train together as one array computation. The whole
map shows soon: the chunks of a coarse grid of cells come first, the cheap ones leading, then those between.
"""

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import groupby
from typing import Any

from explorer.choices.arrays import thin
from explorer.choices.controls import TRAINING, Number
from explorer.choices.experiment import Experiment
from explorer.sweeps.outcomes import Finding, find
from explorer.sweeps.sweep import Sweep
from explorer.training import cost, cost_models
from explorer.training.compiled import KERNELS
from explorer.training.run import Training

# Estimated for a laptop; the test machines take about 0.15 s. A cancel need not wait for it, a picture does.
CHUNK_SECONDS = 0.25
CHUNK_BYTES = cost_models.LIMIT_BYTES // 4
# A whole sweep may take as long as this many of the longest trainings: an hour of one core.
LIMIT_SECONDS = 6 * cost_models.LIMIT_SECONDS
MAX_RUNS = 512
# Of the coarse grid that comes first every fourth cell each way, of the next every second.
STRIDES = (4, 2, 1)

# Seconds: what theory says of a cell, and what is found in its history.
PER_THEORY, PER_FINDING = 0.020, 0.0006


@dataclass(frozen=True)
class Chunk:
    """Cells for one worker."""

    experiments: tuple[Experiment, ...]  # Distinct
    seconds: float  # Estimated for one core


def chunk_seconds(experiments: Sequence[Experiment], trained: bool) -> float:
    """Estimate the seconds that one core needs for experiments of one shape key."""
    together = experiments[0].but(runs=min(sum(experiment.runs for experiment in experiments), MAX_RUNS))
    training = cost.estimate(together if trained else together.but(epochs=1)).seconds
    starts = {experiment.at_start() for experiment in experiments}
    return training + PER_THEORY * len(starts) + PER_FINDING * len(experiments)


def sweep_seconds(sweep: Sweep) -> float:
    """Estimate the seconds that one core needs for a whole sweep of which nothing is known yet."""
    return _sweep_seconds(sweep, KERNELS.now() is not None)


@lru_cache(maxsize=64)
def _sweep_seconds(sweep: Sweep, compiled: bool) -> float:
    # Once there are kernels the same sweep takes less.
    return sum(chunk.seconds for chunk in chunks(sweep))


def refuse_sweep(sweep: Sweep) -> str | None:
    """Return None if a sweep is within `LIMIT_SECONDS`, else one sentence: how long it is and what to lower."""
    counts = (24, 20, 16, 12, 10, 8, 6, 5, 4, 3, 2)
    thinned = (replace(sweep, xs=thin(sweep.xs, count), ys=thin(sweep.ys, count)) for count in counts)
    smaller = (
        (one, f"take {len(one.xs)} × {len(one.ys)} values") for one in thinned if len(one.cells) < len(sweep.cells)
    )
    return refuse_cells(sweep, f"This sweep of {len(sweep.xs) * len(sweep.ys):,} cells", smaller)


def refuse_cells(sweep: Sweep, what: str, smaller: Iterable[tuple[Sweep, str]]) -> str | None:
    """Return None if the cells of a sweep take at most `LIMIT_SECONDS`, else one sentence: how long they take, what to lower.

    `what` names the cells, `smaller` sweeps of fewer and how to ask for them, the largest first. Memory needs no bound of
    its own: every cell is within `cost`'s, a chunk of several within a quarter of it.
    """
    seconds = sweep_seconds(sweep)
    if seconds <= LIMIT_SECONDS:
        return None
    minutes = f"about {seconds / 60:,.0f} minutes of one core (the limit is {LIMIT_SECONDS / 60:.0f})"
    fewer = _first(list(smaller), lambda one: _fits(one[0]))
    ways = ", or ".join([*_ways(sweep), *([fewer[1]] if fewer else [])]) or "lower several settings"
    return f"{what} would take {minutes} and is not started: {ways}."


def _ways(sweep: Sweep) -> list[str]:
    """Single changes of settings of which each is enough, the largest value of each."""
    ways = []
    for name, control in sweep.base.controls().items():
        if isinstance(control, Number) and control.group == TRAINING and name not in (sweep.x, sweep.y):
            value = _first([*control.cheaper(getattr(sweep.base, name))], partial(_fits_with, sweep, name))
            ways += [f"set {control.label.lower()} to {value:,}"] if value is not None else []
    return ways


def _first(choices: Sequence[Any], fits: Callable[[Any], bool]) -> Any:
    """Return the first choice that fits, where all behind it do too; None if none does. Few are asked: each is a whole sweep."""
    place = bisect_left(choices, True, key=fits)
    return choices[place] if place < len(choices) else None


def _fits_with(sweep: Sweep, name: str, value: Any) -> bool:
    return _fits(replace(sweep, base=sweep.base.but(**{name: value})))


def _fits(sweep: Sweep) -> bool:
    return sweep_seconds(sweep) <= LIMIT_SECONDS


def chunks(sweep: Sweep, known: Iterable[Experiment] = ()) -> list[Chunk]:
    """Cut what is not known of a sweep into chunks of about `CHUNK_SECONDS`, or of one cell that takes longer.

    Cells of one shape key stay together; small chunks of the same grid are joined.
    """
    levels = _levels(sweep, set(known))
    groups: dict[Experiment, list[Experiment]] = defaultdict(list)
    for experiment in sorted(levels, key=levels.__getitem__):
        groups[experiment.shape_key()].append(experiment)
    cut = [chunk for group in groups.values() for chunk in _cut(group, sweep.trained)]
    cut.sort(key=lambda chunk: (levels[chunk.experiments[0]], chunk.seconds))
    joined = []
    for _, level in groupby(cut, key=lambda chunk: levels[chunk.experiments[0]]):
        joined += _joined(list(level))
    return joined


def _levels(sweep: Sweep, known: set[Experiment]) -> dict[Experiment, int]:
    """The first grid that each unknown experiment lies on; equal cells count once."""
    levels: dict[Experiment, int] = {}
    for (column, row), experiment in sweep.cells.items():
        if isinstance(experiment, str) or experiment in known:
            continue
        level = next(n for n, stride in enumerate(STRIDES) if column % stride == row % stride == 0)
        levels[experiment] = min(level, levels.get(experiment, level))
    return levels


def _cut(group: Sequence[Experiment], trained: bool) -> list[Chunk]:
    """Cut experiments that train together into chunks, in their order."""
    cut: list[Chunk] = []
    taken: tuple[Experiment, ...] = ()
    seconds, runs, size = 0.0, 0, 0
    for experiment in group:
        more, own = (*taken, experiment), cost.estimate(experiment).bytes
        longer = chunk_seconds(more, trained)
        full = longer > CHUNK_SECONDS or runs + experiment.runs > MAX_RUNS or size + own > CHUNK_BYTES
        if taken and full:
            cut.append(Chunk(taken, seconds))
            more, longer, runs, size = (experiment,), chunk_seconds((experiment,), trained), 0, 0
        taken, seconds, runs, size = more, longer, runs + experiment.runs, size + own
    return [*cut, Chunk(taken, seconds)]


def _joined(cut: Sequence[Chunk]) -> list[Chunk]:
    """Join neighbours as long as they stay short: handing over has a price too."""
    joined: list[Chunk] = []
    for chunk in cut:
        if joined and joined[-1].seconds + chunk.seconds <= CHUNK_SECONDS:
            last = joined.pop()
            chunk = Chunk(last.experiments + chunk.experiments, last.seconds + chunk.seconds)
        joined.append(chunk)
    return joined


class Measurement:
    """The measuring of some experiments, resumable: those of equal shape train together.

    If they are not `trained`, only their start is measured.
    """

    def __init__(self, experiments: Sequence[Experiment], trained: bool) -> None:
        self.experiments, self.trained = tuple(experiments), trained
        groups: dict[Experiment, list[Experiment]] = defaultdict(list)
        for experiment in dict.fromkeys(experiments):
            groups[experiment.shape_key()].append(experiment)
        self._waiting = list(groups.values())
        self._training: Training | None = None
        self._findings: dict[Experiment, Finding] = {}

    def advance(self, seconds: float) -> bool:
        """Go on for about `seconds`, by at least one step; return whether complete."""
        deadline = time.perf_counter() + seconds
        while self._waiting:
            self._step(max(deadline - time.perf_counter(), 0.0))
            if time.perf_counter() >= deadline:
                break
        return not self._waiting

    def _step(self, seconds: float) -> None:
        """Begin a training, or advance it, or keep what it says of one experiment."""
        group = self._waiting[0]
        if self._training is None:
            self._training = Training(*group, record_at=None if self.trained else [0], histograms=False)
        elif not self._training.complete:
            self._training.advance(seconds)
        else:
            index = next(number for number, experiment in enumerate(group) if experiment not in self._findings)
            self._findings[group[index]] = find(self._training.history(index), trained=self.trained)
            if index == len(group) - 1:
                self._training = None
                self._waiting.pop(0)

    def result(self) -> list[Finding]:
        """Return the findings in the order of the experiments; only when complete."""
        return [self._findings[experiment] for experiment in self.experiments]
