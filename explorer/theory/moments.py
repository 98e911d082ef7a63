"""Gaussian moments of activations, and where a very wide, very deep net settles.

In a wide net z of a unit is normal with some variance q. A few integrals over the normal distribution then say what every
layer does to the signal going forward and to the gradient going backward (Poole et al. 2016; Schoenholz et al. 2017).
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from explorer.choices.activations import Activation, Function, leaky, leaky_slope
from explorer.choices.arrays import Array

# Panels of Gauss-Legendre nodes on each half-line: 0 is an edge, because activations have their kinks there, and panels
# shrink towards it, because f(sqrt(q) z) bends within 1 / sqrt(q).
_EDGES = (0.0, 1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.05, 0.2, 0.6, 1.2, 2.0, 3.0, 4.5, 6.5, 9.0)
_PER_PANEL = 8


@lru_cache(maxsize=1)
def normal_nodes() -> tuple[Array, Array]:
    """Return nodes z and weights w with sum w g(z) = E g(z) for a standard normal z."""
    node, weight = np.polynomial.legendre.leggauss(_PER_PANEL)
    low, high = np.array(_EDGES[:-1])[:, None], np.array(_EDGES[1:])[:, None]
    z = ((high + low + (high - low) * node) / 2).ravel()
    w = ((high - low) / 2 * weight).ravel() * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return np.concatenate([-z[::-1], z]), np.concatenate([w[::-1], w])


@lru_cache(maxsize=32)
def branches(activation: Activation) -> tuple[tuple[float, Function, Function], ...]:
    """Return the functions (weight, f, f') over which an activation is averaged: one, unless its slope is random."""
    if activation.random_slope is None:
        return ((1.0, activation.f, activation.df),)
    low, high = activation.random_slope
    # Three Gauss-Legendre slopes are exact up to u^5; f'^4 needs u^4.
    node, weight = np.polynomial.legendre.leggauss(3)
    slopes = (high + low + (high - low) * node) / 2
    return tuple((float(w) / 2, *_leaky_of(u)) for u, w in zip(slopes, weight, strict=True))


def _leaky_of(slope: float) -> tuple[Function, Function]:
    return lambda z, out: leaky(z, slope, out), lambda z, out: leaky_slope(z, slope, out)


@dataclass(frozen=True)
class Moments:
    """E f, E f^2, E f'^2 and E f'^4 of f(z) for z normal with mean 0 and variance q, each of q's shape."""

    mean: Array
    second: Array
    slope_second: Array
    slope_fourth: Array

    @classmethod
    def of(cls, a: Array, slope: Array) -> "Moments":
        """Integrate values of f and f' given at `normal_nodes`, on the last axis."""
        _, weight = normal_nodes()
        square = np.square(slope)
        return cls(a @ weight, np.square(a) @ weight, square @ weight, np.square(square) @ weight)

    @property
    def variance(self) -> Array:
        """Var f, never negative."""
        return np.maximum(self.second - self.mean**2, 0.0)


def expectations(activation: Activation, q: float | Array) -> Moments:
    """Integrate f, f^2, f'^2 and f'^4 over the normal distribution with mean 0 and variance q, which may be 0.

    Randomized ReLU is averaged over its slopes too, as in training.
    """
    z = np.sqrt(np.asarray(q, dtype=float))[..., None] * normal_nodes()[0]
    sums = np.zeros((4, *z.shape[:-1]))
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for share, f, df in branches(activation):
            m = Moments.of(f(z, np.empty_like(z)), df(z, np.empty_like(z)))
            sums += share * np.array([m.mean, m.second, m.slope_second, m.slope_fourth])
    return Moments(*sums)


class SlopeMoments(NamedTuple):
    """Expectations of products of f = f(z), f' and z, for z normal with variance q."""

    slope_square: Array  # E f'^2
    slope_square_value: Array  # E f'^2 f
    slope_square_square: Array  # E f'^2 f^2
    z_slope: Array  # E z f'
    z_slope_value: Array  # E z f' f


def through_slopes(activation: Activation, q: Array) -> SlopeMoments:
    """Integrate what a gradient along the signal itself meets at the slopes of a layer."""
    z, weight = np.sqrt(q)[..., None] * normal_nodes()[0], normal_nodes()[1]
    sums = np.zeros((5, *q.shape))
    for share, f, df in branches(activation):
        a, slope = f(z, np.empty_like(z)), df(z, np.empty_like(z))
        square = slope * slope
        sums += share * np.array([square, square * a, square * a * a, z * slope, z * slope * a]) @ weight
    return SlopeMoments(*sums)


@dataclass(frozen=True)
class FixedPoint:
    """The limit of a very deep net of independent weights."""

    # Variance of z far from the input: 0 where signals die out, infinity where they grow without end, NaN where every q is
    # a fixed point (ReLU with He weights).
    q: float
    chi: float  # chi_1: what each layer multiplies the mean squared gradient by


_LOG_Q = np.linspace(math.log(1e-12), math.log(1e12), 961)
_ORIGIN = int(np.argmin(np.abs(_LOG_Q)))
_ROUNDING = 1e-13


@lru_cache(maxsize=512)
def fixed_point(activation: Activation, weight_variance_times_fan_in: float, bias_variance: float = 0.0) -> FixedPoint:
    """Find q* = sigma_w^2 E f^2 + sigma_b^2, starting from inputs of variance 1, and chi_1 = sigma_w^2 E f'^2.

    sigma_w^2 = fan_in Var W; sigma_b^2 is the biases' variance. Poole et al. 2016; Schoenholz et al. 2017.
    """
    growth = _growth(activation, weight_variance_times_fan_in, bias_variance, _LOG_Q)
    if np.all(np.abs(growth) < 1e-9):
        q, at = math.nan, 1.0
    else:
        q = _settle(activation, weight_variance_times_fan_in, bias_variance, growth)
        at = min(q, math.exp(_LOG_Q[-1]))
    chi = weight_variance_times_fan_in * float(expectations(activation, at).slope_second)
    if q == 0:
        # Functions with a kink have no slope at 0; just above it they have the one that matters.
        chi = weight_variance_times_fan_in * float(expectations(activation, math.exp(_LOG_Q[0])).slope_second)
    return FixedPoint(q, chi)


def _growth(activation: Activation, weight: float, bias: float, log_q: Array | float) -> Array:
    # The change of ln q in one layer; 0 at a fixed point.
    second = expectations(activation, np.exp(log_q)).second
    with np.errstate(divide="ignore"):
        change: Array = np.log(weight * second + bias) - log_q
    return change


def _settle(activation: Activation, weight: float, bias: float, growth: Array) -> float:
    up = bool(growth[_ORIGIN] > 0)
    path = np.arange(_ORIGIN, len(_LOG_Q)) if up else np.arange(_ORIGIN, -1, -1)
    along = growth[path] if up else -growth[path]
    crossed = np.flatnonzero(along < -_ROUNDING)
    if not len(crossed):
        return math.inf if up else 0.0
    near, far = _LOG_Q[path[crossed[0] - 1]], _LOG_Q[path[crossed[0]]]
    for _ in range(50):
        middle = (near + far) / 2
        ahead = float(_growth(activation, weight, bias, middle)) * (1 if up else -1)
        near, far = (middle, far) if ahead > 0 else (near, middle)
    return math.exp(near)
