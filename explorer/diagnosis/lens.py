"""Lens: where the activation works at one layer, by the histogram of z, and the slope that this histogram gives.

On the way back dL/dh, the gradient at what a layer hands on, is multiplied by f'(z) at every unit and sample. The effect on its
RMS is the factor that `decompose` calls the slope:

    RMS(dL/dh · f') / RMS(dL/dh) = √( Σ g² f'² / Σ g² ),   g = dL/dh

which is a root mean square of f' in which every unit and sample counts by the square of the gradient that arrives there. A
histogram counts them all alike, and gives √ mean f'². Both are the same number where f' is the same everywhere or the
gradient that arrives has nothing to do with z, and nearly so at the start of wide nets; training may part them.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np

from explorer.choices.activations import Activation
from explorer.choices.arrays import Array
from explorer.diagnosis.decomposition import decompose, usable_seeds
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


@dataclass(frozen=True, eq=False)
class Lens:
    """What the activation of one layer receives at one record, over some seeds."""

    history: History
    record: int
    layer: int  # From 1, nearest the input, to depth
    seed: int | None  # The number of one seed, from 0; None: all

    @property
    def epoch(self) -> int:
        """The epoch of the record."""
        return int(self.history.epochs[self.record])

    @property
    def activation(self) -> Activation:
        """The activation of the layer."""
        function: Activation = self.history.experiment.activation_function
        return function

    @property
    def seeds(self) -> slice:
        """The rows of the history that count."""
        return slice(None) if self.seed is None else slice(self.seed, self.seed + 1)

    @property
    def edges(self) -> Array:
        """The ends of the bins along z, one more than there are of these."""
        return BIN_EDGES

    @cached_property
    def layers(self) -> Array:
        """Share of all z of each hidden layer in each bin, exact zeros and what is not finite last: (depth, BINS).

        All 0 if every seed has ended.
        """
        assert self.history.z_counts is not None
        counts = self.history.z_counts[self.seeds, self.record].sum(axis=0, dtype=np.float64)
        return np.divide(
            counts, counts.sum(axis=-1, keepdims=True), out=counts, where=counts.any(axis=-1, keepdims=True)
        )

    @property
    def shares(self) -> Array:
        """Share of all z of the layer in each bin along z: (BINS - 2,)."""
        return np.asarray(self.layers[self.layer - 1, :ZERO_BIN])

    @property
    def zero(self) -> float:
        """Share of z that is exactly 0."""
        return float(self.layers[self.layer - 1, ZERO_BIN])

    @property
    def lost(self) -> float:
        """Share of z that is not finite."""
        return float(self.layers[self.layer - 1, LOST_BIN])

    @property
    def empty(self) -> bool:
        """Whether no seed is left."""
        return not self.layers[self.layer - 1].any()

    @cached_property
    def saturated(self) -> float:
        """Share of activations at the flat ends, mean over the seeds that go on; NaN where the function has none."""
        shares = self.history.measures["saturated"][self.seeds, self.record, self.layer - 1]
        known = shares[~np.isnan(shares)]
        return float(known.mean()) if known.size else np.nan

    @cached_property
    def factor(self) -> float:
        """The factor of the slope, as `decompose` has it; NaN where no seed has a gradient that is finite and not 0."""
        log10 = decompose(self.history, self.record, self.seeds).parts["slope"][self.layer - 1]
        return float(10.0**log10) if np.isfinite(log10) else np.nan

    @cached_property
    def rms_slopes(self) -> Array:
        """RMS of f' over the histogram, geometric mean over the seeds that `factor` counts: the least, likely and most that the bins allow.

        Of shape (depth, 3). NaN where a z is not finite.
        """
        assert self.history.z_counts is not None
        rows, _ = usable_seeds(self.history, self.record, self.seeds)
        counts = self.history.z_counts[self.seeds, self.record][rows].astype(float)
        slopes = bin_slopes(self.activation)
        squares = np.square(np.stack([slopes.low, slopes.rms, slopes.high], axis=-1))
        with np.errstate(divide="ignore", invalid="ignore"):
            means = counts[..., :LOST_BIN] @ squares / counts.sum(axis=-1, keepdims=True)
            means[counts[..., LOST_BIN] > 0] = np.nan
            return np.asarray(np.exp(np.log(means).mean(axis=0) / 2))

    @property
    def rms_slope(self) -> tuple[float, float, float]:
        """The same of this layer."""
        least, likely, most = self.rms_slopes[self.layer - 1]
        return float(least), float(likely), float(most)

    def rows(self) -> list[dict[str, float | int]]:
        """Return every seed's histograms of all hidden layers at the epoch as flat rows, one for every bin that is not empty."""
        assert self.history.z_counts is not None
        first, counts = self.history.experiment.seed, self.history.z_counts[:, self.record]
        ends = [*pairwise(BIN_EDGES), (0.0, 0.0), (np.nan, np.nan)]
        return [
            {
                "seed": first + int(run),
                "epoch": self.epoch,
                "layer": int(layer) + 1,
                "z from": float(ends[place][0]),
                "z to": float(ends[place][1]),
                "count": int(counts[run, layer, place]),
            }
            for run, layer, place in np.argwhere(counts)
        ]


def look(history: History, epoch: float, layer: int, seed: int | None = None) -> Lens:
    """Look at a hidden layer, the last one at most, at an epoch, over all seeds or one.

    >>> lens = look(train(Experiment(activation="tanh")), 0, layer=1)
    >>> lens.shares.sum() + lens.zero + lens.lost
    1.0
    """
    depth, runs = history.experiment.depth, len(history.loss)
    return Lens(history, history.at(epoch), min(layer, depth), None if seed is None else min(seed, runs - 1))


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
    return BinSlopes(least, most, np.sqrt(squares))
