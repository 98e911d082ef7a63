"""Many seeds together: medians and bands that keep zeros and infinities apart.

A single run misleads, so everything shown is a median over seeds with a band. Medians are taken of logarithms. An exact 0
counts as smaller than every number, a non-finite value as larger, so that neither is averaged away.
"""

import math
from dataclasses import dataclass

import numpy as np

from explorer.choices.arrays import Array


@dataclass(frozen=True, eq=False)
class Band:
    """First quartile, median and third quartile over seeds."""

    low: Array
    middle: Array
    high: Array


def logarithm(values: Array) -> Array:
    """Return log10 |values|: -inf for an exact 0, +inf for anything not finite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(np.abs(values))
    return np.where(np.isfinite(values), logs, np.inf)


def band(values: Array) -> Band:
    """Return quartiles over axis 0, NaN counting as larger than every number."""
    ordered = np.sort(np.where(np.isnan(values), np.inf, values), axis=0)
    return Band(*(_quantile(ordered, share) for share in (0.25, 0.5, 0.75)))


def _quantile(ordered: Array, share: float) -> Array:
    position = share * (len(ordered) - 1)
    below, above = ordered[int(np.floor(position))], ordered[int(np.ceil(position))]
    weight = position % 1
    with np.errstate(invalid="ignore"):
        between = below + weight * (above - below)
    # Nothing lies between an infinity and a number, or two infinities: take the nearer one, and half-way the infinity,
    # so that what holds for half of the seeds is seen.
    nearer = below if weight < 0.5 else above if weight > 0.5 else np.where(np.isfinite(below), above, below)
    return np.where(np.isfinite(below) & np.isfinite(above), between, nearer)


def log_band(values: Array) -> Band:
    """Return the band of log10 |values| over axis 0; -inf stands for 0 and +inf for non-finite."""
    return band(logarithm(values))


def share_interval(successes: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % interval of a probability after `successes` in `trials`.

    Wilson 1927: unlike share ± 2 standard errors it stays within 0 and 1 and has a width where none or all succeeded.

    >>> low, high = share_interval(0, 8)
    >>> low, round(high, 2)
    (0.0, 0.32)
    """
    share, weight = successes / trials, z * z / trials
    middle = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / trials + weight / (4 * trials)) / (1 + weight)
    return max(middle - half, 0.0), min(middle + half, 1.0)
