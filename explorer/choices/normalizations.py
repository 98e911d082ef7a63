"""Normalizations: z is centred and scaled before the activation, one entry each.

Both are the same few lines along another axis: batch normalization takes mean
and variance of a unit over the samples, layer normalization of a sample over
the units. Arrays have units on the last axis but one and samples on the last.
"""

from dataclasses import dataclass

import numpy as np

from explorer.choices.arrays import Array, filled
from explorer.choices.registry import Entry, registry

EPSILON = 1e-5
MOMENTUM = 0.1


@dataclass(frozen=True, kw_only=True)
class Normalization(Entry):
    """A normalization of z."""

    axis: int | None  # -1 over the samples of the batch, -2 over the units of the layer; None: off

    @property
    def uses_batch(self) -> bool:
        """Whether samples of a batch see each other, so that running statistics must answer later."""
        return self.axis == -1


def mean_along(values: Array, axis: int) -> Array:
    """Return the mean along `axis`, kept as an axis of length 1."""
    if axis == -1:  # a dot product with ones takes half the time of a sum
        return np.vecdot(values, filled(values.shape[-1], 1.0))[..., None] / values.shape[-1]
    return np.add.reduce(values, axis, keepdims=True) / values.shape[axis]


def mean_product(a: Array, b: Array, axis: int) -> Array:
    """Return the mean of a * b along `axis`, kept as an axis of length 1."""
    if axis == -1:  # the product needs no room of its own, and this takes a third of the time
        return np.vecdot(a, b)[..., None] / a.shape[-1]
    return mean_along(a * b, axis)


def normalize(z: Array, mean: Array, variance: Array, inverse_std: Array, axis: int) -> None:
    """Overwrite z by (z - mean) / sqrt(variance + EPSILON): Ioffe & Szegedy 2015, algorithm 1; Ba et al. 2016, eq. 3.

    The three statistics, of z's shape with `axis` of length 1, are written: mean, variance (which divides by the count)
    and 1 / sqrt(variance + EPSILON).
    """
    mean[...] = mean_along(z, axis)
    np.subtract(z, mean, z)
    variance[...] = mean_product(z, z, axis)
    np.add(variance, EPSILON, inverse_std)
    np.sqrt(inverse_std, inverse_std)
    np.divide(1.0, inverse_std, inverse_std)
    np.multiply(z, inverse_std, z)


def normalize_by(z: Array, mean: Array, variance: Array) -> None:
    """Centre and scale z in place by statistics that are given, such as running ones."""
    np.subtract(z, mean, z)
    np.divide(z, np.sqrt(variance + EPSILON), z)


def normalize_backward(
    delta: Array, normalized: Array, mean: Array, along: Array, scale: Array, scratch: Array
) -> None:
    """Turn dL/d(normalized z) into dL/dz, in place.

    The gradient loses its mean and its part along the normalized values, then is scaled (Ioffe & Szegedy 2015,
    section 3): dz = (dn - mean(dn) - n * mean(dn * n)) / std. `along` is mean(dn * n); `scale` is 1 / std, times whatever
    else delta is to be multiplied by.
    """
    np.multiply(normalized, along, scratch)
    np.subtract(delta, mean, delta)
    np.subtract(delta, scratch, delta)
    np.multiply(delta, scale, delta)


def affine_backward(
    delta: Array, normalized: Array, inverse_std: Array, scratch: Array, affine: tuple[Array, Array, Array], axis: int
) -> None:
    """Turn dL/d(scale * normalized + shift) into dL/dz, in place.

    `affine` holds the scale as a column, and where to write dL/dscale and
    dL/dshift, which are sums over samples whatever `axis` is.
    """
    scale, scale_gradient, shift_gradient = affine
    mean, along = mean_along(delta, -1), mean_product(delta, normalized, -1)
    np.multiply(along[..., 0], delta.shape[-1], scale_gradient)
    np.multiply(mean[..., 0], delta.shape[-1], shift_gradient)
    if axis == -1:  # batch: these are the means needed, and the scale, one number per unit, can wait for the last step
        normalize_backward(delta, normalized, mean, along, scale * inverse_std, scratch)
        return
    np.multiply(delta, scale, delta)
    mean, along = mean_along(delta, axis), mean_product(delta, normalized, axis)
    normalize_backward(delta, normalized, mean, along, inverse_std, scratch)


NORMALIZATIONS = registry(
    [
        Normalization(name="none", caption="z goes into the activation as it is.", axis=None),
        Normalization(
            name="batch",
            caption="Each unit's z gets mean 0 and variance 1 over the batch, of a convolution over all places too, then a learnt "
            "scale and shift. With one sample per update every z of a dense layer becomes 0 and no gradient passes.",
            formula="n = γ·(z - mean) / √(variance + 1e-5) + β",
            source="Ioffe & Szegedy 2015, algorithm 1",
            axis=-1,
        ),
        Normalization(
            name="layer",
            caption="Each sample's z gets mean 0 and variance 1 over the units of the layer, of a convolution at each place, then a "
            "learnt scale and shift.",
            formula="n = γ·(z - mean) / √(variance + 1e-5) + β",
            source="Ba et al. 2016, eqs. 3 and 4",
            axis=-2,
        ),
    ]
)
