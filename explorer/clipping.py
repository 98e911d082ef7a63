"""Clipping: a limit on the gradient before the optimizer sees it, one entry each."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.registry import Entry, registry

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Clipper(Entry):
    """A rule that limits a gradient.

    Attributes
    ----------
    clip : callable or None
        `clip(gradient, norm, threshold)` limits `gradient`, shape (layers,
        runs, rows, columns), in place. `norm`, shape (runs,), is its global L2
        norm over all parameters of each run. Returns the factor of each run:
        the global norm afterwards over that before, 1 where nothing was done.
    """

    clip: Callable[[Array, Array, float], Array] | None


def global_norm(gradient: Array) -> Array:
    """Return the L2 norm over all parameters of each run; squares must not overflow.

    Accumulated layer by layer, the sum is the same to the last digit however many runs share the array.
    """
    flat = gradient.reshape(*gradient.shape[:2], -1)
    return np.sqrt(np.add.accumulate(np.vecdot(flat, flat))[-1])


def _by_value(gradient: Array, norm: Array, threshold: float) -> Array:
    np.minimum(gradient, threshold, out=gradient)
    np.maximum(gradient, -threshold, out=gradient)
    clipped = global_norm(gradient)
    factor = np.ones_like(norm)
    # The two norms are rounded in different orders: a norm no larger than the threshold was not clipped.
    np.divide(clipped, norm, out=factor, where=norm > threshold)
    return np.minimum(factor, 1.0)


def _by_norm(gradient: Array, norm: Array, threshold: float) -> Array:
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
        ),
        Clipper(
            name="norm",
            caption="The whole gradient is shortened to the threshold: its direction, and every layer's share, stay.",
            formula="g ← g·min(1, c / (‖g‖ + 1e-6)), ‖g‖ over all parameters together",
            source="Pascanu et al. 2013, algorithm 1; 1e-6 as in PyTorch",
            clip=_by_norm,
        ),
    ]
)
