"""Losses: how far the answers are from the targets, one entry each.

A loss sees z of the output unit, so that it can be exact where the output
saturates. Under the squared losses the output unit is a sigmoid for classes
and linear for a regression; cross-entropy takes the logit z itself.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explorer.choices.activations import ACTIVATIONS, Activation
from explorer.choices.arrays import Array
from explorer.choices.registry import Entry, registry


@dataclass(frozen=True)
class WrittenLoss:
    """How a textbook writes a loss: of the answers a and targets y, both (samples, 1), and z of the output unit."""

    value: str  # In NumPy
    slope: str  # dL/da; of a loss `of_z` dL/dz
    torch: str
    of_z: bool = False  # Whether the loss is one of z, so that the output unit's own slope is in `slope`


@dataclass(frozen=True, kw_only=True)
class Loss(Entry):
    """A loss over a batch."""

    # `value(z, y, output)`: the loss of each run, from z and y of shape (..., outputs, samples); `output` is the output
    # unit's Activation. A mean is over both.
    value: Callable[[Array, Array, Activation], Array]
    delta: Callable[[Array, Array, Activation, Array], Array]  # `delta(z, y, output, out)` writes dL/dz into `out`
    written: WrittenLoss  # As code for a reader
    regression: bool = True  # Whether it can be used when y is a number rather than a class


def output_unit(regression: bool) -> Activation:
    """Return what turns z of the output unit into the answer."""
    return ACTIVATIONS["linear" if regression else "sigmoid"]


def _squared(z: Array, y: Array, output: Activation) -> Array:
    error = output.f(z, np.empty_like(z))
    error -= y
    return np.square(error, error)


def _half_squared_value(z: Array, y: Array, output: Activation) -> Array:
    return 0.5 * _squared(z, y, output).sum(axis=(-2, -1))


def _half_squared_delta(z: Array, y: Array, output: Activation, out: Array) -> Array:
    slope = output.df(z, np.empty_like(z))
    output.f(z, out)
    np.subtract(out, y, out)
    return np.multiply(out, slope, out)


def _mean_squared_value(z: Array, y: Array, output: Activation) -> Array:
    return _squared(z, y, output).mean(axis=(-2, -1))


def _mean_squared_delta(z: Array, y: Array, output: Activation, out: Array) -> Array:
    _half_squared_delta(z, y, output, out)
    return np.multiply(out, 2 / (z.shape[-2] * z.shape[-1]), out)


def _cross_entropy_value(z: Array, y: Array, output: Activation) -> Array:
    return (np.logaddexp(0.0, z) - y * z).mean(axis=(-2, -1))


def _cross_entropy_delta(z: Array, y: Array, output: Activation, out: Array) -> Array:
    output.f(z, out)
    np.subtract(out, y, out)
    return np.multiply(out, 1 / (z.shape[-2] * z.shape[-1]), out)


LOSSES = registry(
    [
        Loss(
            name="half squared error",
            written=WrittenLoss("0.5 * np.sum((a - y) ** 2)", "a - y", "0.5 * ((a - y) ** 2).sum()"),
            caption="Summed over the samples of a batch, as in the well-known XOR tutorial.",
            formula="L = ½ Σ (a - y)²",
            value=_half_squared_value,
            delta=_half_squared_delta,
        ),
        Loss(
            name="mean squared error",
            written=WrittenLoss("np.mean((a - y) ** 2)", "2 * (a - y) / len(y)", "((a - y) ** 2).mean()"),
            caption="Averaged over the samples of a batch.",
            formula="L = mean (a - y)²",
            value=_mean_squared_value,
            delta=_mean_squared_delta,
        ),
        Loss(
            name="cross-entropy",
            written=WrittenLoss(
                "np.mean(np.logaddexp(0, z) - y * z)",
                "(a - y) / len(y)",
                "F.binary_cross_entropy_with_logits(z, y)",
                of_z=True,
            ),
            caption="Averaged over the samples, from the logit z: its gradient does not vanish when the output saturates at the wrong answer.",
            formula="L = mean( ln(1 + eᶻ) - y·z )",
            value=_cross_entropy_value,
            delta=_cross_entropy_delta,
            regression=False,
        ),
    ]
)
