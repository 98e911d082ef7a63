"""Lens: where a function works at one layer or time step, by the histogram of z, and the slope that this histogram gives.

On the way back dL/dh, the gradient at what a layer hands on, is multiplied by f'(z) at every unit and sample. The effect on its
RMS is the factor that `decompose` calls the slope, and in a plain recurrent net RMS dL/dz over RMS dL/dh of a step:

    RMS(dL/dh · f') / RMS(dL/dh) = √( Σ g² f'² / Σ g² ),   g = dL/dh

which is a root mean square of f' in which every unit and sample counts by the square of the gradient that arrives there. A
histogram counts them all alike, and gives √ mean f'². Both are the same number where f' is the same everywhere or the
gradient that arrives has nothing to do with z, and nearly so at the start of wide nets; training may part them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.choices.activations import Activation
from explorer.choices.arrays import Array
from explorer.diagnosis.decomposition import usable_seeds
from explorer.diagnosis.seeds import logarithm
from explorer.training.history import History
from explorer.training.recording import BIN_EDGES, FINE, LOST_BIN, OCTAVES, STEPS_OUT, ZERO_BIN

FARTHEST = FINE * 2.0 ** (OCTAVES * STEPS_OUT)
# So many places in a bin at which its slopes are looked at.
PLACES = 32


@dataclass(frozen=True, eq=False)
class BinSlopes:
    """How large f' is in each bin along z, whatever its sign, and last at an exact 0: (BINS - 1,)."""

    low: Array
    high: Array
    rms: Array  # As if z were spread evenly over the bin
    saturated: Array  # (3, BINS - 1): the share of a bin at the flat ends, the least, as if spread evenly, and the most


@dataclass(frozen=True, eq=False)
class Lens:
    """What a function receives at one layer or time step at one record, over some seeds."""

    history: History
    record: int
    position: int  # From 1: the hidden layer, nearest the input first, or the time step; one that is `looked_at`
    seed: int | None  # The number of one seed, from 0; None: all
    function: str  # The name of an entry of the experiment's `functions`

    @property
    def epoch(self) -> int:
        """The epoch of the record."""
        return int(self.history.epochs[self.record])

    @property
    def activation(self) -> Activation:
        """The function."""
        return self.functions[self.function]

    @property
    def functions(self) -> Mapping[str, Activation]:
        """All functions that z goes through at a position, by name."""
        functions: Mapping[str, Activation] = self.history.experiment.functions
        return functions

    @property
    def looked_at(self) -> Sequence[int]:
        """The positions of which there are histograms."""
        positions: Sequence[int] = self.history.experiment.looked_at
        return positions

    @property
    def row(self) -> int:
        """The place of the position among these, from 0."""
        return list(self.looked_at).index(self.position)

    @property
    def seeds(self) -> slice:
        """The rows of the history that count."""
        return slice(None) if self.seed is None else slice(self.seed, self.seed + 1)

    @property
    def edges(self) -> Array:
        """The ends of the bins along z, one more than there are of these."""
        return BIN_EDGES

    def _counts(self, seeds: slice) -> NDArray[Any]:
        """Return how many z lie in each bin: (seeds, functions, positions, BINS)."""
        assert self.history.z_counts is not None
        counts = self.history.z_counts[seeds, self.record]
        return counts.reshape(len(counts), len(self.functions), len(self.looked_at), -1)

    @property
    def _of_function(self) -> NDArray[Any]:
        """The same of the function alone: (seeds, positions, BINS)."""
        return self._counts(self.seeds)[:, list(self.functions).index(self.function)]

    @cached_property
    def by_position(self) -> Array:
        """Share of all z of each position in each bin, exact zeros and what is not finite last: (positions, BINS).

        All 0 if every seed has ended.
        """
        counts = self._of_function.sum(axis=0, dtype=np.float64)
        return np.divide(
            counts, counts.sum(axis=-1, keepdims=True), out=counts, where=counts.any(axis=-1, keepdims=True)
        )

    @property
    def shares(self) -> Array:
        """Share of all z of the position in each bin along z: (BINS - 2,)."""
        return np.asarray(self.by_position[self.row, :ZERO_BIN])

    @property
    def zero(self) -> float:
        """Share of z that is exactly 0."""
        return float(self.by_position[self.row, ZERO_BIN])

    @property
    def lost(self) -> float:
        """Share of z that is not finite."""
        return float(self.by_position[self.row, LOST_BIN])

    @property
    def empty(self) -> bool:
        """Whether no seed is left."""
        return not self.by_position[self.row].any()

    @property
    def measured(self) -> bool:
        """Whether the engine measures the function itself at every position: it is the only one."""
        return len(self.functions) == 1

    @cached_property
    def saturated(self) -> tuple[float, float, float]:
        """Share of z at the flat ends, mean over the seeds that go on: the least, likely and most that the bins allow.

        NaN where the function has none; three times the same where the share is measured.
        """
        if self.measured:
            shares = self.history.measures["saturated"][self.seeds, self.record, self.position - 1]
            known = shares[~np.isnan(shares)]
            return (float(known.mean()) if known.size else np.nan,) * 3
        if self.empty or self.activation.saturation is None:
            return (np.nan,) * 3
        least, likely, most = bin_slopes(self.activation).saturated @ self.by_position[self.row, :LOST_BIN]
        return float(least), float(likely), float(most)

    @cached_property
    def factor(self) -> float:
        """The factor of the slope, as `decompose` has it of layers.

        NaN where no seed has a gradient that is finite and not 0, and of gates and candidates, whose gradients mix.
        """
        if not self.measured:
            return np.nan
        rows, _ = usable_seeds(self.history, self.record, self.seeds)
        before, behind = (
            logarithm(self.history.measures[name][self.seeds, self.record, self.position - 1])[rows]
            for name in self.history.kind.around_slope
        )
        with np.errstate(invalid="ignore"):
            log10 = (behind - before).mean()
        return float(10.0**log10) if np.isfinite(log10) else np.nan

    @cached_property
    def rms_slopes(self) -> Array:
        """RMS of f' over the histogram, geometric mean over the seeds that `factor` counts: the least, likely and most that the bins allow.

        Of shape (positions, 3). NaN where a z is not finite.
        """
        rows, _ = usable_seeds(self.history, self.record, self.seeds)
        counts = self._of_function[rows].astype(float)
        going = counts.any(axis=(1, 2))
        counts = counts[going] if going.any() else counts
        slopes = bin_slopes(self.activation)
        squares = np.square(np.stack([slopes.low, slopes.rms, slopes.high], axis=-1))
        with np.errstate(divide="ignore", invalid="ignore"):
            means = counts[..., :LOST_BIN] @ squares / counts.sum(axis=-1, keepdims=True)
            means[counts[..., LOST_BIN] > 0] = np.nan
            return np.asarray(np.exp(np.log(means).mean(axis=0) / 2))

    @property
    def rms_slope(self) -> tuple[float, float, float]:
        """The same of this position."""
        least, likely, most = self.rms_slopes[self.row]
        return float(least), float(likely), float(most)

    def rows(self) -> list[dict[str, Any]]:
        """Return every seed's histograms of all functions and positions at the epoch as flat rows, one for every bin that is not empty."""
        first, counts, place = self.history.experiment.seed, self._counts(slice(None)), self.history.kind.position
        names = [{"function": name} if name else {} for name in self.functions]
        ends = [*pairwise(BIN_EDGES), (0.0, 0.0), (np.nan, np.nan)]
        return [
            {
                "seed": first + int(run),
                "epoch": self.epoch,
                **names[function],
                place: self.looked_at[row],
                "z from": float(ends[number][0]),
                "z to": float(ends[number][1]),
                "count": int(counts[run, function, row, number]),
            }
            for run, function, row, number in np.argwhere(counts)
        ]


def look(history: History, epoch: float, position: int, seed: int | None = None, function: str | None = None) -> Lens:
    """Look at a hidden layer or a time step, the nearest of which there is a histogram, at an epoch, over all seeds or one.

    `function` names one of the experiment's `functions`, where there are several; None: the last.

    >>> lens = look(train(Experiment(activation="tanh")), 0, position=1)
    >>> lens.shares.sum() + lens.zero + lens.lost
    1.0
    """
    experiment, runs = history.experiment, len(history.loss)
    names = list(experiment.functions)
    if function is not None and function not in names:
        raise ValueError(f"function = {function!r}: there is only {', '.join(names)}")
    nearest = min(experiment.looked_at, key=lambda each: abs(each - position))
    one = None if seed is None else min(seed, runs - 1)
    return Lens(history, history.at(epoch), nearest, one, names[-1] if function is None else function)


# --- along z ------------------------------------------------------------------------------------


def on_axis(z: Array) -> Array:
    """Return the place of z on an axis on which bins are of few widths: z itself, and beyond `FINE` its logarithm.

    There each bin is one unit wide, also the outermost, which has no end.
    """
    size = np.clip(np.abs(z), FINE, FARTHEST)
    return np.where(np.abs(z) <= FINE, z, np.copysign(FINE + np.log2(size / FINE) / OCTAVES, z))


def off_axis(places: Array) -> Array:
    """Return the z that stands at each place."""
    out = FINE * 2.0 ** (OCTAVES * np.maximum(np.abs(places) - FINE, 0.0))
    return np.where(np.abs(places) <= FINE, places, np.copysign(out, places))


@lru_cache(maxsize=64)
def bin_slopes(activation: Activation) -> BinSlopes:
    """Return what an activation's slope is in each bin."""
    ends = on_axis(BIN_EDGES)
    places = np.linspace(ends[:-1], ends[1:], PLACES + 1, axis=1)
    # The ends themselves may belong to a neighbour, where the slope is another.
    z = np.clip(
        off_axis(places), np.nextafter(BIN_EDGES[:-1, None], np.inf), np.nextafter(BIN_EDGES[1:, None], -np.inf)
    )
    z = np.concatenate([z, np.zeros((1, PLACES + 1))])
    with np.errstate(over="ignore"):
        slope = activation.df(z, np.empty_like(z))
    size, turns = np.abs(slope), (slope.min(axis=1) < 0) & (slope.max(axis=1) > 0)
    least, most, squares = np.where(turns, 0.0, size.min(axis=1)), size.max(axis=1), np.square(slope).mean(axis=1)
    if activation.random_slope is not None:
        below = np.arange(len(z)) < (len(z) - 1) // 2
        below[-1] = True  # the slope at 0 is drawn as well
        first, last = activation.random_slope
        least, most = np.where(below, first, least), np.where(below, last, most)
        squares = np.where(below, (first * first + first * last + last * last) / 3, squares)
    return BinSlopes(least, most, np.sqrt(squares), _saturated(activation, z))


def _saturated(activation: Activation, z: Array) -> Array:
    """Return how much of the places z of each bin is at the flat ends: none unless all is, what is, all if any is."""
    low, high = activation.saturation or (-np.inf, np.inf)
    with np.errstate(over="ignore"):
        a = activation.f(z, np.empty_like(z))
    flat = (a <= low) | (a >= high)
    return np.stack([flat.all(axis=1), flat.mean(axis=1), flat.any(axis=1)]).astype(float)
