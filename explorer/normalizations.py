"""Normalizations: z is centred and scaled before the activation, one entry each.

Both are the same few lines along another axis: batch normalization takes mean
and variance of a unit over the samples, layer normalization of a sample over
the units. Arrays have units on the last axis but one and samples on the last.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.registry import Entry, registry

Array = NDArray[np.float64]

EPSILON = 1e-5
MOMENTUM = 0.1


@dataclass(frozen=True, kw_only=True)
class Normalization(Entry):
    """A normalization of z.

    Attributes
    ----------
    axis : int or None
        -1 over the samples of the batch, -2 over the units of the layer; None: off.
    """

    axis: int | None

    @property
    def uses_batch(self) -> bool:
        """Whether samples of a batch see each other, so that running statistics must answer later."""
        return self.axis == -1


def normalize(z: Array, inverse_std: Array, axis: int) -> tuple[Array, Array]:
    """Centre and scale z in place.

    Parameters
    ----------
    z : (..., units, samples) array
        Overwritten by (z - mean) / sqrt(variance + EPSILON).
    inverse_std : array
        Receives 1 / sqrt(variance + EPSILON); of z's shape with `axis` of length 1.

    Returns
    -------
    mean, variance : arrays
        Of z along `axis`, of inverse_std's shape; the variance divides by the count.

    Notes
    -----
    Ioffe & Szegedy 2015, algorithm 1; Ba et al. 2016, eq. 4.
    """
    mean = z.mean(axis=axis, keepdims=True)
    np.subtract(z, mean, z)
    variance = np.square(z).mean(axis=axis, keepdims=True)
    np.add(variance, EPSILON, inverse_std)
    np.sqrt(inverse_std, inverse_std)
    np.reciprocal(inverse_std, inverse_std)
    np.multiply(z, inverse_std, z)
    return mean, variance


def normalize_backward(delta: Array, normalized: Array, inverse_std: Array, axis: int) -> None:
    """Turn dL/d(normalized z) into dL/dz, in place.

    The gradient loses its mean and its part along the normalized values, then
    is scaled: dz = (dn - mean(dn) - n * mean(dn * n)) / std (Ioffe & Szegedy
    2015, section 3).
    """
    along = (delta * normalized).mean(axis=axis, keepdims=True)
    delta -= delta.mean(axis=axis, keepdims=True)
    delta -= normalized * along
    np.multiply(delta, inverse_std, delta)


NORMALIZATIONS = registry(
    [
        Normalization(name="none", caption="z goes into the activation as it is.", axis=None),
        Normalization(
            name="batch",
            caption="Each unit's z gets mean 0 and variance 1 over the batch, then a learnt scale and shift.",
            formula="n = γ·(z - mean) / √(variance + 1e-5) + β",
            source="Ioffe & Szegedy 2015, algorithm 1",
            axis=-1,
        ),
        Normalization(
            name="layer",
            caption="Each sample's z gets mean 0 and variance 1 over the units of the layer, then a learnt scale and shift.",
            formula="n = γ·(z - mean) / √(variance + 1e-5) + β",
            source="Ba et al. 2016, eq. 4",
            axis=-2,
        ),
    ]
)
