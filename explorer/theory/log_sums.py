"""Logarithms of sums over the units of a layer: what a typical seed has of a quantity of which theory knows the mean.

In a narrow layer |f(z)|^2, or the squared gradient behind the slopes, is a sum of a few independent terms, often of one
that outweighs all others. The mean of its logarithm then lies far below the logarithm of its mean. Both the mean and the
variance of the logarithm are integrals of the sum's Laplace transform, which of n independent terms is the n-th power of
one term's (derived here).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from explorer.choices.activations import Activation
from explorer.choices.arrays import Array
from explorer.theory.moments import branches, normal_nodes

# ln t, measured from where t E X = 1: close around it, far apart where only seeds with a tiny sum still count.
_LOG_T = np.concatenate([np.linspace(-10.0, 10.0, 61), np.geomspace(10.0, 600.0, 27)[1:]])
# ln q of the tables: three points a decade.
_LOG_Q = np.linspace(math.log(1e-12), math.log(1e12), 73)
# A sum below e^-LOST of its mean counts as lost if fewer seeds than RARE have one, as where all units are far below 0.
LOST, RARE = 15.0, 0.3
FAR_BELOW = -30.0
# A relative variance up to which its expansion is better than the integrals.
SMALL = 0.02


def _mean_log(survival: Array) -> Array:
    # Of ln T, from P(T > t).
    mean: Array = _LOG_T[0] + np.trapezoid(survival, _LOG_T, axis=-1)
    return mean


_EXPONENTIAL = _mean_log(np.exp(-np.exp(_LOG_T)))


def mean_log(transform: Array, rare: float = 0.0) -> tuple[Array, Array]:
    """Return E ln X of those X that are not lost and the share that is, from E e^{-tX} at ln t = `_LOG_T`, the last axis.

    For an exponential E, independent of X, T = E / X survives t with probability E e^{-tX}. So E ln X = E ln E - E ln T
    (derived here).
    """
    beyond = (transform <= rare) & (_LOG_T >= LOST)
    lost = np.where(beyond, transform, 0.0).max(axis=-1)
    kept = np.where(beyond, 0.0, transform - lost[..., None]) / (1 - lost[..., None])
    return _EXPONENTIAL - _mean_log(kept), lost


@lru_cache(maxsize=512)
def log_gamma(shape: float) -> float:
    """Return E ln X of a gamma variable of mean 1; of a chi-squared one of n terms, over n, the shape is n / 2."""
    return float(mean_log(np.exp(-shape * np.logaddexp(0.0, _LOG_T - math.log(shape))))[0])


class Table:
    """A function of ln q, straight beyond the ends of its table: activations are powers there."""

    def __init__(self, values: Array) -> None:
        self.values = values
        step = _LOG_Q[1] - _LOG_Q[0]
        self.slopes = (values[1] - values[0]) / step, (values[-1] - values[-2]) / step

    def at(self, log_q: Array) -> Array:
        """Interpolate; q = 0 counts as very small."""
        log_q = np.maximum(log_q, -2000.0)
        below, above = np.minimum(log_q - _LOG_Q[0], 0.0), np.maximum(log_q - _LOG_Q[-1], 0.0)
        result: Array = np.interp(log_q, _LOG_Q, self.values) + below * self.slopes[0] + above * self.slopes[1]
        return result


@dataclass(frozen=True, kw_only=True)
class LayerSums:
    """Of a layer of n units with z normal of variance q, as functions of ln q."""

    value: Table  # E ln sum f^2
    value_drop: Table  # ln E - E ln of it
    slope: Table  # E ln sum f'^2 u^2 for a random direction u, sum u^2 = 1
    slope_drop: Table
    slope_lost: Table  # How often it is lost
    log_square: Table  # ln E f^2 of a unit
    lean: Table  # E f / sqrt(E f^2)
    skew: Table  # E f^3 / (E f^2)^(3/2)
    kurtosis: Table  # E f^4 / (E f^2)^2
    log_slope: Table  # ln E f'^2
    slope_kurtosis: Table  # E f'^4 / (E f'^2)^2


@lru_cache(maxsize=64)
def layer_sums(activation: Activation, units: int) -> LayerSums:
    """Tabulate the sums over a layer of independent units."""
    z, weight = np.exp(_LOG_Q / 2)[:, None] * normal_nodes()[0], normal_nodes()[1]
    with np.errstate(over="ignore", under="ignore"):
        drawn = [(share, f(z, np.empty_like(z)), df(z, np.empty_like(z))) for share, f, df in branches(activation)]
        values, slopes = [(share, a) for share, a, _ in drawn], [(share, slope) for share, _, slope in drawn]
        f1, f2, f3, f4 = (_mean_power(values, power, weight) for power in (1, 2, 3, 4))
        s2, s4 = (_mean_power(slopes, power, weight) for power in (2, 4))
        rare = RARE if _flat_below(activation) else 0.0
        value = _drop(values, f2, units, rare, lambda x: np.exp(-x), (f4 / f2**2 - 1) / units)
        # For a normal g of variance 1, E e^{-t a^2 g^2} = (1 + 2 t a^2)^{-1/2}. Its length is independent of its direction.
        more = 3 * (s4 / s2**2 - 1) / (units + 2)
        slope = _drop(slopes, s2, units, rare, lambda x: 1 / np.sqrt(1 + 2 * x), more, log_gamma(units / 2))
    return LayerSums(
        value=Table(np.log(units * f2) - value.drop),
        value_drop=Table(value.drop - np.log1p(-value.lost)),
        slope=Table(np.log(s2) - slope.drop),
        slope_drop=Table(slope.drop - np.log1p(-slope.lost)),
        slope_lost=Table(slope.lost),
        log_square=Table(np.log(f2)),
        lean=Table(f1 / np.sqrt(f2)),
        skew=Table(f3 / f2**1.5),
        kurtosis=Table(f4 / f2**2),
        log_slope=Table(np.log(s2)),
        slope_kurtosis=Table(s4 / s2**2),
    )


def _flat_below(activation: Activation) -> bool:
    low, high = activation.df(np.array([FAR_BELOW, -FAR_BELOW]), np.empty(2))
    return bool(low < 1e-6 < high)


def _mean_power(drawn: list[tuple[float, Array]], power: int, weight: Array) -> Array:
    mean: Array = sum((share * (values**power @ weight) for share, values in drawn), np.zeros(len(_LOG_Q)))
    return mean


class _Drop(NamedTuple):
    drop: Array  # ln E X - E ln X of those that are not lost
    lost: Array


def _drop(
    drawn: list[tuple[float, Array]],
    mean: Array,
    units: int,
    rare: float,
    transform: Callable[[Array], Array],
    relative: Array,
    length: float = 0.0,
) -> _Drop:
    """Compare the logarithm of a sum of `units` squares with that of its mean, units * `mean`.

    `transform(t a^2)` is E e^{-tX} of one term for given a; `relative` is Var X / (E X)^2 of the sum, and `length` E ln of an
    independent factor to be taken out.
    """
    survival = np.zeros((len(mean), len(_LOG_T)))
    for share, a in drawn:
        square = a * a / (units * mean[:, None])
        for column, t in enumerate(np.exp(_LOG_T)):
            survival[:, column] += share * transform(square * t) @ normal_nodes()[1]
    log, lost = mean_log(survival**units, rare)
    return _Drop(np.where(relative < SMALL, relative / 2, length - log), lost)
