"""Initializers: how the weights W of shape (fan_in, fan_out) start, one entry each.

Almost all of them draw independent weights of mean 0 and differ in one number,
the variance; that number is what theory needs, so an entry carries it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.choices.activations import Activation
from explorer.choices.arrays import Array
from explorer.choices.registry import Entry, registry

Draw = Callable[[np.random.Generator, int, int, Activation], Array]
Variance = Callable[[int, int, Activation], float]
UNIFORM_KURTOSIS = -1.2  # in excess of the normal distribution's


@dataclass(frozen=True, kw_only=True)
class Initializer(Entry):
    """A rule for the first weights."""

    draw: Draw  # `draw(rng, fan_in, fan_out, activation)` returns W of shape (fan_in, fan_out)
    # `variance(fan_in, fan_out, activation)` of one weight; None where the weights have a mean or are all alike, so
    # that mean-field theory says nothing.
    variance: Variance | None
    draws_bias: bool = False  # Whether biases are usually drawn like one more row of W (else they start at 0)
    excess_kurtosis: float = 0.0  # E w^4 / (E w^2)^2 - 3 of one weight: 0 for a normal one
    # Whether rows or columns are at right angles, so that weights of a unit are not independent.
    orthogonal: bool = False
    passes_gradient: bool = True  # Whether any weight differs from 0


def variance_scaling(name: str, variance: Variance, *, normal: bool = False, **more: Any) -> Initializer:
    """Make an initializer that draws independent weights of mean 0 and the given variance, evenly or else normal."""

    def draw(rng: np.random.Generator, fan_in: int, fan_out: int, activation: Activation) -> Array:
        size, var = (fan_in, fan_out), variance(fan_in, fan_out, activation)
        if normal:
            return rng.normal(0.0, math.sqrt(var), size)
        bound = math.sqrt(3 * var)
        return rng.uniform(-bound, bound, size)

    kurtosis = 0.0 if normal else UNIFORM_KURTOSIS
    return Initializer(name=name, draw=draw, variance=variance, excess_kurtosis=kurtosis, **more)


def _orthogonal(rng: np.random.Generator, fan_in: int, fan_out: int, activation: Activation) -> Array:
    # The QR factor of a Gaussian matrix, its signs fixed, is uniform over orthogonal matrices.
    gaussian = rng.normal(size=(max(fan_in, fan_out), min(fan_in, fan_out)))
    q, r = np.linalg.qr(gaussian)
    q *= np.sign(np.diag(r))
    return q if fan_in >= fan_out else q.T


CONSTANT = 0.5

INITIALIZERS = registry(
    [
        Initializer(
            name="zeros",
            caption="Every weight 0: dL/dz of every hidden layer is exactly 0.",
            formula="W = 0",
            draw=lambda rng, fan_in, fan_out, activation: np.zeros((fan_in, fan_out)),
            variance=None,
            passes_gradient=False,
        ),
        Initializer(
            name="constant",
            caption="Every weight the same: the units of a layer stay alike, as if the width were 1, unless the activation draws "
            "a slope for each.",
            formula="W = 0.5",
            draw=lambda rng, fan_in, fan_out, activation: np.full((fan_in, fan_out), CONSTANT),
            variance=None,
            draws_bias=True,
        ),
        variance_scaling(
            "uniform",
            lambda fan_in, fan_out, activation: 1 / 3,
            draws_bias=True,
            caption="Drawn evenly between -1 and 1, whatever the width; biases too.",
            formula="W ~ U(-1, 1)",
        ),
        Initializer(
            name="positive uniform",
            caption="Drawn evenly between 0 and 1, so all positive; biases too. A well-known tutorial's choice.",
            formula="W ~ U(0, 1)",
            draw=lambda rng, fan_in, fan_out, activation: rng.uniform(0.0, 1.0, (fan_in, fan_out)),
            variance=None,
            draws_bias=True,
        ),
        variance_scaling(
            "normal",
            lambda fan_in, fan_out, activation: 1.0,
            normal=True,
            draws_bias=True,
            caption="Standard normal, whatever the width; biases too. Too large for wide layers.",
            formula="W ~ N(0, 1)",
        ),
        variance_scaling(
            "small normal",
            lambda fan_in, fan_out, activation: 1e-4,
            normal=True,
            caption="Small random numbers: fine for a shallow net, far too small for a deep one.",
            formula="W ~ N(0, 0.01²)",
            source="Krizhevsky et al. 2012, section 5",
        ),
        variance_scaling(
            "fan-in uniform",
            lambda fan_in, fan_out, activation: 1 / (3 * fan_in),
            caption="The old standard: its variance is a third of what keeps a linear layer level.",
            formula="W ~ U(-1/√fan_in, 1/√fan_in)",
            source="Glorot & Bengio 2010, eq. 1",
        ),
        variance_scaling(
            "LeCun",
            lambda fan_in, fan_out, activation: 1 / fan_in,
            normal=True,
            caption="Keeps the variance of z level going forward, as long as the activation is close to linear.",
            formula="W ~ N(0, 1/fan_in)",
            source="LeCun et al. 1998, eq. 16",
        ),
        variance_scaling(
            "Glorot uniform",
            lambda fan_in, fan_out, activation: 2 / (fan_in + fan_out),
            caption="Also called Xavier: a compromise between level signals forward and level gradients backward.",
            formula="W ~ U(-r, r),  r = √(6 / (fan_in + fan_out))",
            source="Glorot & Bengio 2010, eq. 16",
        ),
        variance_scaling(
            "Glorot normal",
            lambda fan_in, fan_out, activation: 2 / (fan_in + fan_out),
            normal=True,
            caption="Xavier with normal weights: the same variance.",
            formula="W ~ N(0, 2 / (fan_in + fan_out))",
            source="Glorot & Bengio 2010, eq. 12",
        ),
        variance_scaling(
            "He uniform",
            lambda fan_in, fan_out, activation: activation.he_gain**2 / fan_in,
            caption="Makes up for what a rectifier cuts off, with evenly drawn weights.",
            formula="W ~ U(-r, r),  r = g·√(3 / fan_in)",
            source="He et al. 2015, eq. 10; g from the activation, √2 where it has none",
        ),
        variance_scaling(
            "He normal",
            lambda fan_in, fan_out, activation: activation.he_gain**2 / fan_in,
            normal=True,
            caption="Makes up for what a rectifier cuts off: twice LeCun's variance for ReLU.",
            formula="W ~ N(0, g²/fan_in)",
            source="He et al. 2015, eq. 10; g from the activation, √2 where it has none",
        ),
        Initializer(
            name="orthogonal",
            caption="Rows and columns of length 1 at right angles: between equal widths, a linear layer turns the "
            "gradient without changing its length. W of a convolution holds three places: only its columns are at right angles.",
            formula="Wᵀ W = I, or W Wᵀ = I where fan_out is larger",
            source="Saxe et al. 2014",
            draw=_orthogonal,
            orthogonal=True,
            variance=lambda fan_in, fan_out, activation: 1 / max(fan_in, fan_out),
        ),
    ]
)
