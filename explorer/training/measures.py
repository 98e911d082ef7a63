"""Diagnostics: what is measured of every layer at a recorded epoch, one entry each.

A diagnostic looks at a `Network` after a forward and a backward pass over the
whole data set, made with `keep=True`, and at the update that was about to be
applied, and returns one number for every layer and run. Exact zeros,
infinities and NaN come out as what they are; nothing underflows that a double
can hold.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.normalizations import mean_along
from explorer.choices.registry import Entry, registry
from explorer.training.network import Architecture, Network

# Squares below or above these have lost digits or will; then numbers are scaled before squaring.
SMALL_SQUARE, LARGE_SQUARE = 1e-280, 1e280
# Layer norm makes numbers of about 1. Of smaller ones than this it had nothing but rounding to enlarge.
ROUNDING = 1e-9


class Stage(Enum):
    """The parts of an update, in their order."""

    FORWARD = "forward pass"
    SLOPES = "slopes of the activations"
    BACKWARD = "backward pass"
    GRADIENT = "gradient of the parameters"
    UPDATE = "update"


@dataclass(frozen=True, kw_only=True)
class Diagnostic(Entry):
    """A number per layer."""

    # `measure(network)` or, at the stage of the update, `measure(network, update)`: array (layers, runs), NaN where it
    # is not defined. `update` has theta's shape.
    measure: Callable[..., Array]
    title: str  # For an axis: what is measured, of what
    unit: str = "decades"  # "decades" if it is shown as a power of ten, "share" from 0 to 1, or "plain"
    span: tuple[float, float] = (-10, 2)  # The fixed range of the colour scale: in decades, or in the quantity itself
    label: str = ""  # What it is called in the menu of what to show; empty: it is not offered there
    stage: Stage = Stage.BACKWARD  # Of which part of an update it looks at the result
    # Why an experiment has nothing of the kind; an empty string where it has.
    missing: Callable[[Any], str] = lambda experiment: ""

    @property
    def of_update(self) -> bool:
        """Whether it is measured once the update is known, and not before."""
        return self.stage is Stage.UPDATE


def offered(measures: Mapping[str, Diagnostic]) -> Mapping[str, str]:
    """Return the names of the measures that can be shown, by what the menu calls them."""
    return MappingProxyType({entry.label: name for name, entry in measures.items() if entry.label})


def _flat(values: Array) -> Array:
    """Join the last two axes: of a layer and run, all units and samples, or all weights."""
    return values.reshape(*values.shape[:-2], values.shape[-2] * values.shape[-1])


def std(values: Array) -> Array:
    """Standard deviation over the last two axes, right even where squares would underflow or overflow."""
    flat = _flat(values)
    centred = flat - mean_along(flat, -1)
    return root_sum_square(centred, -1) / np.sqrt(flat.shape[-1])


def root_sum_square(values: Array, axis: int | tuple[int, ...]) -> Array:
    """Return the L2 norm along `axis`, right even where squares would underflow or overflow.

    Squares of doubles underflow at 1e-154; then m * sqrt(sum((v / m)^2)) with
    m = max |v| is used. Zeros give 0, infinities inf and NaN NaN.
    """
    if axis == (-2, -1):
        values, axis = _flat(values), -1
    # A dot product needs no room for the squares.
    squares = np.vecdot(values, values) if axis == -1 else np.square(values).sum(axis=axis)
    usual = (squares > SMALL_SQUARE) & (squares < LARGE_SQUARE)
    if usual.all():
        return np.sqrt(squares)
    largest = np.abs(values).max(axis=axis, keepdims=True)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    scaled = np.sqrt(np.square(values / scale).sum(axis=axis)) * scale.reshape(squares.shape)
    # Each number by its own size alone: what overflows in one run must not touch another's last digit.
    return np.where(usual, np.sqrt(squares), scaled)


def rms(values: Array) -> Array:
    """Root mean square over units and samples, the last two axes."""
    return root_sum_square(values, (-2, -1)) / np.sqrt(values.shape[-2] * values.shape[-1])


def _only_hidden(values: Array) -> Array:
    """Add NaN for the output layer, of which a diagnostic says nothing."""
    padded = np.empty((len(values) + 1, values.shape[1]))
    padded[:-1], padded[-1] = values, np.nan
    return padded


def _weight_gradient(network: Network) -> Array:
    return root_sum_square(network.gradient[:, :, : network.shape.weight_rows, :], (-2, -1))


def _bias_gradient(network: Network) -> Array:
    norms = root_sum_square(network.gradient[:, :, network.shape.weight_rows, :], -1)
    without = [not network.shape.has_bias(layer) for layer in range(network.shape.layers)]
    norms[without] = np.nan
    return norms


def _delta(network: Network) -> Array:
    # Of the output's z at each place, as of hidden layers: each place has its part of the mean.
    return np.concatenate([rms(network.delta[:-1]), rms(network.delta[-1, :, :1, :])[None]])


def _handed_on(network: Network) -> Array:
    """What each hidden layer hands on: the input of the next, without its neighbours and its row of ones."""
    return network.h[1:, :, : network.shape.width, :]


def _activation_std(network: Network) -> Array:
    return _only_hidden(std(_handed_on(network)))


def _saturated(network: Network) -> Array:
    bounds = network.shape.activation.saturation
    assert network.a is not None
    if bounds is None:
        return np.full((network.shape.layers, network.runs), np.nan)
    low, high = bounds
    return _only_hidden(((network.a <= low) | (network.a >= high)).mean(axis=(-2, -1)))


def _dead(network: Network) -> Array:
    share = (network.slope == 0).all(axis=-1).mean(axis=-1)
    if not np.isfinite(network.z_out).all():  # NaN has no slope, and its unit is neither alive nor dead
        share[np.isnan(network.n).any(axis=(-2, -1))] = np.nan
    return _only_hidden(share)


def _unit_spread(network: Network) -> Array:
    z = network.n
    high, low = z.max(axis=-2), z.min(axis=-2)
    spread, largest = (high - low).max(axis=-1), np.maximum(high, -low).max(axis=-1)
    # Of units that are alike layer norm leaves rounding alone.
    least = ROUNDING if network.shape.normalization.axis == -2 else 0.0
    return _only_hidden(np.divide(spread, largest, out=np.zeros_like(spread), where=~(largest <= least)))


@lru_cache(maxsize=64)
def _real_weights(shape: Architecture) -> tuple[Array, Array]:
    """Return a mask of the W part of every layer, 0 at padding, and how many weights there are."""
    mask = np.zeros((shape.layers, 1, shape.weight_rows, shape.width))
    for layer in range(shape.layers):
        fan_in, fan_out = shape.fan(layer)
        mask[layer, :, :fan_in, :fan_out] = 1.0
    flat = _flat(mask)
    return flat, flat.sum(axis=-1)


def _weight_std(network: Network, stack: Array) -> Array:
    """Standard deviation of the W part of every layer, padding (which is 0) left out."""
    mask, count = _real_weights(network.shape)
    weights = _flat(stack[:, :, : network.shape.weight_rows, :])
    mean = np.vecdot(weights, mask) / count
    return root_sum_square((weights - mean[..., None]) * mask, -1) / np.sqrt(count)


def _update_ratio(network: Network, update: Array) -> Array:
    return _weight_std(network, update) / _weight_std(network, network.theta)


DIAGNOSTICS = registry(
    [
        Diagnostic(
            name="delta",
            title="dL/dz, RMS",
            caption="Size of the gradient at the layer's units: root mean square of dL/dz over units and samples, of a "
            "convolution also over places.",
            formula="√ mean (dL/dz)²",
            label="dL/dz",
            measure=_delta,
        ),
        Diagnostic(
            name="weight_gradient",
            title="dL/dW, L2 norm",
            caption="Size of the gradient of the layer's weights, before any clipping.",
            formula="√ Σ (dL/dW)²",
            label="dL/dW",
            measure=_weight_gradient,
            stage=Stage.GRADIENT,
        ),
        Diagnostic(
            name="bias_gradient",
            title="dL/db, L2 norm",
            caption="Size of the gradient of the layer's biases, before any clipping.",
            formula="√ Σ (dL/db)²",
            label="dL/db",
            measure=_bias_gradient,
            stage=Stage.GRADIENT,
        ),
        Diagnostic(
            name="update_ratio",
            title="update : data",
            caption="How much of itself a weight matrix changes in one update; about 10⁻³ is a good pace.",
            formula="std(applied update) / std(W)",
            source="Karpathy 2022; CS231n, notes 3",
            label="update : data",
            measure=_update_ratio,
            stage=Stage.UPDATE,
        ),
        Diagnostic(
            name="activation_std",
            title="activations, spread",
            caption="Standard deviation, over units and samples (of a convolution also places), of what the layer hands on.",
            formula="std(h)",
            label="activation spread",
            measure=_activation_std,
            stage=Stage.FORWARD,
            span=(-6, 6),
        ),
        Diagnostic(
            name="activation_mean",
            title="activations, mean",
            caption="Mean, over units and samples (of a convolution also places), of what the layer hands on.",
            formula="mean(h)",
            measure=lambda network: _only_hidden(mean_along(_flat(_handed_on(network)), -1)[..., 0]),
            stage=Stage.FORWARD,
            unit="plain",
            span=(-2, 2),
        ),
        Diagnostic(
            name="saturated",
            title="saturated, share",
            caption="Share of activations at the flat ends of the function, where its slope is 6% of its best or "
            "less: tanh beyond ±0.97, sigmoid below 0.015 or above 0.985, ELU and SELU within 3% of their lower limit.",
            source="Glorot & Bengio 2010, section 3; the bound 0.97: Karpathy 2022",
            label="saturated",
            measure=_saturated,
            stage=Stage.FORWARD,
            unit="share",
            span=(0, 1),
        ),
        Diagnostic(
            name="dead",
            title="dead units, share",
            caption="Share of units whose slope is exactly 0 for every sample: their weights get no gradient at all.",
            label="dead",
            measure=_dead,
            stage=Stage.SLOPES,
            unit="share",
            span=(0, 1),
        ),
        Diagnostic(
            name="unit_spread",
            title="difference between units",
            caption="Largest difference between two units of the layer on one sample, as a share of the largest value: "
            "0 means that all units are alike and stay so.",
            measure=_unit_spread,
            stage=Stage.FORWARD,
            span=(-16, 2),
        ),
        Diagnostic(
            name="through_weights",
            title="W'·dL/dz of the layer above, RMS",
            caption="What of the gradient comes back through the weights of the layer above.",
            measure=lambda network: _only_hidden(rms(network.through_weights)),
        ),
        Diagnostic(
            name="through_skip",
            title="dL/dh, RMS",
            caption="The gradient at what the layer hands on: through the weights above, plus what a skip brings.",
            measure=lambda network: _only_hidden(rms(network.through_skip)),
        ),
        Diagnostic(
            name="through_slope",
            title="dL/dh · f', RMS",
            caption="The gradient behind the activation's slope, before the normalization.",
            measure=lambda network: _only_hidden(rms(network.through_slope)),
        ),
    ]
)
