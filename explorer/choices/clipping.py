"""Clipping: a limit on the gradient before the optimizer sees it, one entry each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.registry import Entry, registry

# `clip(gradient, norm)` -> factor, of a group of runs
Clip = Callable[[Array, Array], Array]


@dataclass(frozen=True, kw_only=True)
class Clipper(Entry):
    """A rule that limits a gradient."""

    # `clip(gradient, norm, threshold)` limits `gradient`, shape (layers, runs, rows, columns), in place. `norm`, shape
    # (runs,), is its global L2 norm over all parameters of each run; `threshold` is a number, or one of each run, shape
    # (runs,). Returns the factor of each run: the global norm afterwards over that before, 1 where nothing was done.
    clip: Callable[[Array, Array, float | Array], Array] | None
    threshold_name: str = ""  # What its threshold is, beside a line in a picture
    by_entry: bool = False  # Whether the threshold is that of each entry, not of the whole gradient

    @property
    def limits(self) -> bool:
        """Whether it changes any gradient."""
        return self.clip is not None


def global_norm(gradient: Array) -> Array:
    """Return the L2 norm over all parameters of each run; squares must not overflow.

    Accumulated layer by layer, the sum is the same to the last digit however many runs share the array.
    """
    flat = gradient.reshape(*gradient.shape[:2], -1)
    return np.sqrt(np.add.accumulate(np.vecdot(flat, flat))[-1])


def _by_value(gradient: Array, norm: Array, threshold: float | Array) -> Array:
    limit = threshold[:, None, None] if isinstance(threshold, np.ndarray) else threshold
    np.minimum(gradient, limit, out=gradient)
    np.maximum(gradient, -limit, out=gradient)
    clipped = global_norm(gradient)
    factor = np.ones_like(norm)
    # The two norms are rounded in different orders: a norm no larger than the threshold was not clipped.
    np.divide(clipped, norm, out=factor, where=norm > threshold)
    return np.minimum(factor, 1.0)


def _by_norm(gradient: Array, norm: Array, threshold: float | Array) -> Array:
    factor = np.minimum(threshold / (norm + 1e-6), 1.0)
    if factor.min() < 1.0:
        np.multiply(gradient, factor[:, None, None], out=gradient)
    return factor


CLIPPERS = registry(
    [
        Clipper(name="none", caption="The gradient is used as it is.", clip=None),
        Clipper(
            name="value",
            caption="Each entry of the gradient is cut to the threshold: this changes its direction.",
            formula="g ← min(max(g, -c), c)",
            source="Mikolov 2012",
            clip=_by_value,
            threshold_name="bound of each entry of dL/dθ",
            by_entry=True,
        ),
        Clipper(
            name="norm",
            caption="The whole gradient is shortened to the threshold: its direction, and every layer's share, stay.",
            formula="g ← g·min(1, c / (‖g‖ + 1e-6)), ‖g‖ over all parameters together",
            source="Pascanu et al. 2013, algorithm 1; 1e-6 as in PyTorch",
            clip=_by_norm,
            threshold_name="threshold of ‖dL/dθ‖",
        ),
    ]
)


# --- runs that train together, each with the clipping of its own experiment ---------------------


def one_or_each(values: Sequence[float]) -> float | Array:
    """Return the number that all runs share, or else each run's: an array (runs,)."""
    return values[0] if len(set(values)) == 1 else np.array(values)


def clipping_of(clippers: Sequence[Clipper], thresholds: Sequence[float]) -> Clip | None:
    """Make one clipping of the clippers and thresholds of all runs; None if no run is clipped.

    Runs with the same clipper should be neighbours: one call clips each stretch of them.
    """
    stretches: list[tuple[slice, Clip]] = []
    first = 0
    for clipper, runs in groupby(clippers):
        rows = slice(first, first + len(list(runs)))
        if clipper.clip is not None:
            stretches.append((rows, _filled_in(clipper.clip, one_or_each(thresholds[rows]))))
        first = rows.stop
    if not stretches:
        return None
    rows, clip = stretches[0]
    return clip if rows == slice(0, len(clippers)) else partial(_stretch_by_stretch, stretches)


def _filled_in(clip: Callable[[Array, Array, float | Array], Array], threshold: float | Array) -> Clip:
    return lambda gradient, norm: clip(gradient, norm, threshold)


def _stretch_by_stretch(stretches: list[tuple[slice, Clip]], gradient: Array, norm: Array) -> Array:
    factor = np.ones_like(norm)
    for rows, clip in stretches:
        factor[rows] = clip(gradient[:, rows], norm[rows])
    return factor
