"""A very wide net at its start: signals forward and gradients backward, layer by layer.

With independent weights of mean 0, inner products suffice: those of the signals of two samples, h_s . h_t, follow from
layer to layer, and so do those of their gradients (Poole et al. 2016; Schoenholz et al. 2017). Layers count from 1, nearest
the input; index 0 is the input itself.
"""

import math
from dataclasses import dataclass

import numpy as np

from explorer.choices.activations import Activation
from explorer.choices.arrays import Array
from explorer.choices.losses import Loss
from explorer.choices.normalizations import EPSILON
from explorer.theory.correlations import SamplePairs, joint_expectation
from explorer.theory.moments import Moments, expectations, normal_nodes


@dataclass(frozen=True, kw_only=True)
class WideNet:
    """What mean-field theory needs to know of a net; arrays are over its weight layers."""

    sizes: tuple[int, ...]  # Inputs, width of every hidden layer, 1
    weight_variance: Array
    bias_variance: Array
    activation: Activation
    layer_norm: bool
    skip: int  # Layers that a shortcut skips: 0, 1 or 2
    weight_kurtosis: Array  # E (W u)^4 / (E (W u)^2)^2 of one entry of W u for a random direction u

    @property
    def depth(self) -> int:
        """Hidden layers."""
        return len(self.sizes) - 2

    def shortcut(self, layer: int) -> int | None:
        """Return the layer whose h is added to that of `layer`, or None."""
        if self.skip == 1 and layer >= 2:
            return layer - 1
        if self.skip == 2 and layer >= 3 and layer % 2 == 1:
            return layer - 2
        return None


@dataclass(frozen=True)
class Signals:
    """What goes forward: of each layer an array over pairs, `moments` over samples; entry 0 is the input's, some unused."""

    h: list[Array]  # Inner products of what the layer hands on
    z: list[Array]  # Covariance of a unit's z between samples, the output layer included
    moments: list[Moments]
    slopes: list[Array]  # E f' f' of a unit between samples
    slope_squares: list[Array]  # E f'^2 f'^2
    inverse_variance: list[Array]  # Of layer normalization: 1 / (std std); 1 without it


def forward(net: WideNet, pairs: SamplePairs, product: Array) -> Signals:
    """Follow signals from `product`, the inner products of the inputs, through the hidden layers to the output's z."""
    nothing = expectations(net.activation, np.zeros(pairs.count))
    s = Signals([product], [product], [nothing], [product], [product], [product])
    # Sums of h over units: with shortcuts the mean matters. No shortcut reaches the input.
    totals = [np.zeros(pairs.count)]
    for layer in range(1, net.depth + 1):
        z = net.weight_variance[layer - 1] * s.h[-1] + net.bias_variance[layer - 1]
        q = z[: pairs.count]
        squeeze = 1 / (q + EPSILON) if net.layer_norm else np.ones(pairs.count)
        correlation = pairs.correlation(z)
        moments, a, slopes, slope_squares = _through_activation(net.activation, pairs, q * squeeze, correlation)
        units = net.sizes[layer]
        h, h_total = units * a, units * moments.mean
        source = net.shortcut(layer)
        if source is not None:
            # W is independent of x and of mean 0, so f(z) does not depend on the direction of x: E x . f = (sum x) E f.
            across = moments.mean[pairs.first] * totals[source][pairs.second]
            across = across + moments.mean[pairs.second] * totals[source][pairs.first]
            h, h_total = h + s.h[source] + across, h_total + totals[source]
        s.h.append(h)
        s.z.append(z)
        s.moments.append(moments)
        s.slopes.append(slopes)
        s.slope_squares.append(slope_squares)
        s.inverse_variance.append(np.sqrt(pairs.outer(squeeze)))
        totals.append(h_total)
    s.z.append(net.weight_variance[-1] * s.h[-1] + net.bias_variance[-1])
    return s


def _through_activation(
    activation: Activation, pairs: SamplePairs, q: Array, correlation: Array
) -> tuple[Moments, Array, Array, Array]:
    # E f f, E f' f' and E f'^2 f'^2; a sample with itself directly, two samples by Mehler's formula.
    if len(pairs.first) == pairs.count:
        moments = expectations(activation, q)
        return moments, moments.second, moments.slope_second, moments.slope_fourth
    z = np.sqrt(q)[:, None] * normal_nodes()[0]
    a, slope = activation.f(z, np.empty_like(z)), activation.df(z, np.empty_like(z))
    # A random slope is drawn for each sample: between two samples only its mean counts, which f and f' have.
    moments = Moments.of(a, slope) if activation.random_slope is None else expectations(activation, q)
    expected = [joint_expectation(values, pairs, correlation) for values in (a, slope, slope * slope)]
    own = (moments.second, moments.slope_second, moments.slope_fourth)
    for values, exact in zip(expected, own, strict=True):
        values[: pairs.count] = exact
    return moments, expected[0], expected[1], expected[2]


def output_delta(loss: Loss, output: Activation, pairs: SamplePairs, z: Array, y: Array) -> Array:
    """Return E delta_s delta_t at the output, whose z is normal with covariance `z`."""
    at_nodes = delta_at(loss, output, np.sqrt(z[: pairs.count]) * normal_nodes()[0][:, None], y).T
    if len(pairs.first) == pairs.count:
        squares: Array = np.square(at_nodes) @ normal_nodes()[1]
        return squares
    return joint_expectation(at_nodes, pairs, pairs.correlation(z))


def delta_at(loss: Loss, output: Activation, z: Array, y: Array) -> Array:
    """Return dL/dz of the output for rows of z, one sample a column."""
    rows = np.ascontiguousarray(z[:, None, :])
    return loss.delta(rows, y, output, np.empty_like(rows))[:, 0, :]


@dataclass(frozen=True)
class Gradients:
    """What comes back, for each weight layer from first to last."""

    delta: Array  # Inner products of dL/dz between samples, divided by e^log_scale of the layer: (layers, pairs)
    log_scale: Array  # Separate, because squares of a deep sigmoid net's gradients underflow: (layers,)
    # Twice the distance at this width by which ln |delta|^2 of a median seed lies below that of the mean: (layers, pairs).
    spread: Array


def backward(net: WideNet, pairs: SamplePairs, s: Signals, delta_out: Array) -> Gradients:
    """Follow dL/dz from the output to the first layer.

    |dL/dh|^2 of a layer is n Var W |delta|^2 of the next, plus that of the layer its shortcut reaches; delta = f' dL/dh, over
    the normalization's std.
    """
    layers = net.depth + 1
    delta, spread = np.zeros((2, layers, len(delta_out)))
    log_scale = np.zeros(layers)
    delta[-1], scale = _rescaled(delta_out)
    log_scale[-1] = scale
    # dL/dh and its spread, of those layers that have received a gradient so far.
    waiting = {net.depth: _through_weights(net, net.depth + 1, pairs, delta[-1], spread[-1])}
    for layer in range(net.depth, 0, -1):
        gradient, known = waiting.pop(layer)
        gradient, factor = _rescaled(gradient)
        waiting = {other: (values * math.exp(-factor), kept) for other, (values, kept) in waiting.items()}
        scale += factor
        log_scale[layer - 1] = scale
        delta[layer - 1] = gradient * s.slopes[layer] * s.inverse_variance[layer]
        spread[layer - 1] = known + _slope_spread(net, layer, pairs, s, gradient)
        source = net.shortcut(layer)
        if source is not None:
            waiting[source] = gradient, known
        if layer > 1:
            branch = _through_weights(net, layer, pairs, delta[layer - 1], spread[layer - 1])
            earlier = waiting.get(layer - 1)
            waiting[layer - 1] = branch if earlier is None else _joined(net, pairs, branch, earlier)
    return Gradients(delta, log_scale, spread)


def _rescaled(values: Array) -> tuple[Array, float]:
    largest = float(np.abs(values).max())
    return (values / largest, math.log(largest)) if 0 < largest < math.inf else (values, 0.0)


def _log_drop(relative_variance: Array) -> Array:
    # Twice ln E X - E ln X for a gamma distribution, which a sum of squares roughly has.
    drop: Array = relative_variance + relative_variance**2 / 6
    return drop


def _slope_spread(net: WideNet, layer: int, pairs: SamplePairs, s: Signals, gradient: Array) -> Array:
    # sum_i f'_i^2 g_i^2 over n units: slopes differ between units, and few units carry much of g.
    units = net.sizes[layer]
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa = np.nan_to_num(s.slope_squares[layer] / pairs.outer(s.moments[layer].slope_second), nan=1.0)
    even = 1.0 if net.weight_kurtosis[layer] == 1 else 0.0
    return _log_drop((kappa - 1) * (1 + 2 * pairs.correlation(gradient) ** 2) / (units + 2 * even))


def _through_weights(net: WideNet, layer: int, pairs: SamplePairs, delta: Array, spread: Array) -> tuple[Array, Array]:
    """Return dL/dh of layer - 1 and its spread, from delta of `layer`."""
    units, unevenness = net.sizes[layer - 1], net.weight_kurtosis[layer - 1] - 1
    gradient = units * net.weight_variance[layer - 1] * delta
    square = pairs.correlation(delta) ** 2
    # Even independent directions have some correlation in a space of few dimensions.
    square = square + (1 - square) / net.sizes[layer]
    return gradient, spread + _log_drop(unevenness * square / units)


def _joined(
    net: WideNet, pairs: SamplePairs, branch: tuple[Array, Array], shortcut: tuple[Array, Array]
) -> tuple[Array, Array]:
    # |g + B|^2 with B = W^T(...) of mean 0: its cross term 2 g.B varies by 4 (g g)(B B) / n.
    (b, b_spread), (g, g_spread) = branch, shortcut
    own_b, own_sum = b[: pairs.count], (b + g)[: pairs.count]
    variance = pairs.outer(own_b) * np.expm1(b_spread - g_spread) + 4 * g * b / net.sizes[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.nan_to_num(variance / pairs.outer(own_sum))
    return b + g, g_spread + _log_drop(relative)


def along_signal(net: WideNet, pairs: SamplePairs, s: Signals, delta_times_z: Array) -> Array:
    """Return the part of |delta|^2 of each layer along the layer's own signal, beyond the wide-net limit.

    A net of rectifiers is homogeneous: dL/dh . h = z dL/dz of the output in every layer (exact for ReLU without biases,
    nearly so for GELU and similar functions). With shortcuts h grows faster going forward than dL/dh going backward, by
    the cross term 2 x . f(z), so that in deep nets this one direction of n dominates. Nets without shortcuts, and
    saturating ones, get zeros. `delta_times_z`, (samples,), is E (z dL/dz)^2 of the output.
    """
    along = np.zeros((net.depth + 1, pairs.count))
    nothing, once, twice = net.activation.f(np.array([0.0, 1e6, 2e6]), np.empty(3))
    if net.skip == 0 or net.layer_norm or nothing != 0 or not math.isclose(2 * once, twice, rel_tol=1e-3):
        return along
    for layer in range(1, net.depth + 1):
        h, source = s.h[layer][: pairs.count], net.shortcut(layer)
        before = 0.0 if source is None else s.h[source][: pairs.count]
        through_slope = h - (1 - s.moments[layer].slope_second) * before
        along[layer - 1] = np.divide(delta_times_z * through_slope, h * h, out=np.zeros_like(h), where=h > 0)
    return along
