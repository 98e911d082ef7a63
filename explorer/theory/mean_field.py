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
from explorer.theory.moments import Moments, expectations, normal_nodes, through_slopes


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

    def reached_from(self, layer: int) -> int | None:
        """Return the layer to whose h that of `layer` is added, or None."""
        later = layer + self.skip
        return later if self.skip and later <= self.depth and self.shortcut(later) == layer else None


@dataclass(frozen=True)
class Signals:
    """What goes forward: of each layer an array over pairs, `moments` over samples; entry 0 is the input's, some unused."""

    h: list[Array]  # Inner products of what the layer hands on
    z: list[Array]  # Covariance of a unit's z between samples, the output layer included
    moments: list[Moments]
    slopes: list[Array]  # E f' f' of a unit between samples
    slope_squares: list[Array]  # E f'^2 f'^2
    inverse_variance: list[Array]  # Of layer normalization: 1 / (std std); 1 without it
    totals: list[
        Array
    ]  # Sums of h over units, (samples,): with shortcuts the mean matters. No shortcut reaches the input.


def begin(net: WideNet, pairs: SamplePairs, product: Array) -> Signals:
    """Return the signals of the inputs alone, from their inner products."""
    nothing = expectations(net.activation, np.zeros(pairs.count))
    return Signals([product], [product], [nothing], [product], [product], [product], [np.zeros(pairs.count)])


def step(net: WideNet, pairs: SamplePairs, s: Signals, layer: int) -> None:
    """Add the signals of one hidden layer.

    Layer normalization divides z by its standard deviation over units, which in a wide layer is sqrt q for every seed; its mean
    over units is 0 there (derived here).
    """
    z = net.weight_variance[layer - 1] * s.h[-1] + net.bias_variance[layer - 1]
    q = z[: pairs.count]
    squeeze = 1 / (q + EPSILON) if net.layer_norm else np.ones(pairs.count)
    moments, a, slopes, slope_squares = _through_activation(net.activation, pairs, q * squeeze, pairs.correlation(z))
    units = net.sizes[layer]
    h, total = units * a, units * moments.mean
    source = net.shortcut(layer)
    if source is not None:
        # W is independent of x and of mean 0, so f(z) does not depend on the direction of x: E x . f = (sum x) E f.
        across = moments.mean[pairs.first] * s.totals[source][pairs.second]
        across = across + moments.mean[pairs.second] * s.totals[source][pairs.first]
        h, total = h + s.h[source] + across, total + s.totals[source]
    s.h.append(h)
    s.z.append(z)
    s.moments.append(moments)
    s.slopes.append(slopes)
    s.slope_squares.append(slope_squares)
    s.inverse_variance.append(np.sqrt(pairs.outer(squeeze)))
    s.totals.append(total)


def _through_activation(
    activation: Activation, pairs: SamplePairs, q: Array, correlation: Array
) -> tuple[Moments, Array, Array, Array]:
    # E f f, E f' f' and E f'^2 f'^2; a sample with itself directly, two samples by Mehler's formula.
    moments = expectations(activation, q)
    z = np.sqrt(q)[:, None] * normal_nodes()[0]
    # A random slope is drawn for each sample: between two samples only its mean counts, which f and f' have.
    a, slope = activation.f(z, np.empty_like(z)), activation.df(z, np.empty_like(z))
    expected = joint_expectation(np.array([a, slope, slope * slope]), pairs, correlation)
    expected[:, : pairs.count] = moments.second, moments.slope_second, moments.slope_fourth
    return moments, expected[0], expected[1], expected[2]


def delta_at(loss: Loss, output: Activation, z: Array, y: Array) -> Array:
    """Return dL/dz of the output for rows of z, one sample a column."""
    rows = np.ascontiguousarray(z[:, None, :])
    return loss.delta(rows, y, output, np.empty_like(rows))[:, 0, :]


@dataclass(frozen=True)
class Gradients:
    """What comes back, for each weight layer from first to last: inner products between samples, (layers, pairs)."""

    delta: Array  # Of dL/dz, divided by e^log_scale of the layer
    log_scale: Array  # Separate, because squares of a deep sigmoid net's gradients underflow: (layers,)
    at_h: Array  # Of dL/dh of the hidden layers, on the same scale
    branch: Array  # The part of `at_h` that comes through the next layer's weights; the rest comes by a shortcut


def backward(net: WideNet, pairs: SamplePairs, s: Signals, delta_out: Array) -> Gradients:
    """Follow dL/dz from the output to the first layer.

    |dL/dh|^2 of a layer is n Var W |delta|^2 of the next, plus that of the layer its shortcut reaches; delta = f' dL/dh, over
    the normalization's std.
    """
    delta = np.zeros((net.depth + 1, len(delta_out)))
    at_h, branch = np.zeros((2, net.depth, len(delta_out)))
    log_scale = np.zeros(net.depth + 1)
    delta[-1], log_scale[-1] = _rescaled(delta_out)
    for layer in range(net.depth, 0, -1):
        here = layer - 1
        branch[here] = net.sizes[layer] * net.weight_variance[layer] * delta[layer]
        later = net.reached_from(layer)
        skipped = 0.0 if later is None else at_h[later - 1] * math.exp(log_scale[later - 1] - log_scale[layer])
        at_h[here], factor = _rescaled(branch[here] + skipped)
        branch[here] *= math.exp(-factor)
        log_scale[here] = log_scale[layer] + factor
        delta[here] = at_h[here] * s.slopes[layer] * s.inverse_variance[layer]
    return Gradients(delta, log_scale, at_h, branch)


def _rescaled(values: Array) -> tuple[Array, float]:
    largest = float(np.abs(values).max())
    return (values / largest, math.log(largest)) if 0 < largest < math.inf else (values, 0.0)


@dataclass(frozen=True)
class AlongSignal:
    """The part of each layer's gradient that lies along the layer's own signal, as a multiple of (z dL/dz)^2 of the output.

    Arrays are (layers, samples).
    """

    at_h: Array  # Of |dL/dh|^2 of the hidden layers
    delta: Array  # Of |dL/dz|^2
    scattered: Array  # Of |dL/dh|^2 where a shortcut starts: what is no longer along the signal there


def along_signal(net: WideNet, pairs: SamplePairs, s: Signals) -> AlongSignal:
    """Follow the part of the gradient along the signal, from the output to the first layer.

    W^T delta of a layer with z = W x is random but for its part along x, where x . W^T delta = z . delta. So each layer's
    dL/dh . h is that of the next, times a ratio that for rectifiers is 1: dL/dh . h = z dL/dz of the output everywhere, but for
    layers that a shortcut goes around. Without shortcuts this is one of n directions. With them h grows faster going forward
    than dL/dh going backward, by the cross term 2 x . f(z), so that it dominates in deep nets (derived here).
    """
    found = AlongSignal(*np.zeros((3, net.depth + 1, pairs.count)))
    if net.skip == 0 or net.layer_norm:
        return found
    # dL/dh . h of each hidden layer, over z dL/dz of the output.
    at_h = np.zeros((net.depth + 1, pairs.count))
    at_h[net.depth] = 1.0
    for layer in range(net.depth, 0, -1):
        source, units, nothing = net.shortcut(layer), net.sizes[layer], np.zeros(pairs.count)
        x = nothing if source is None else s.h[source][: pairs.count]
        total = nothing if source is None else s.totals[source]
        moments, m = s.moments[layer], through_slopes(net.activation, s.z[layer][: pairs.count])
        square = x + units * moments.second + 2 * moments.mean * total
        share = np.divide(at_h[layer], square, out=np.zeros_like(square), where=square > 0)
        through = m.slope_square * x + units * m.slope_square_square + 2 * m.slope_square_value * total
        # A typical seed's signal is shorter than the mean square, its share of the gradient as much longer.
        share_square = share**2 * np.divide(square, s.h[layer][: pairs.count], out=np.zeros_like(x), where=square > 0)
        found.at_h[layer - 1] = share_square * square
        found.delta[layer - 1] = share_square * through
        at_h[layer - 1] += share * (m.z_slope * total + units * m.z_slope_value)
        if source is not None:
            across = moments.mean * total
            at_h[source] += share * (x + across)
            turned = units * moments.second - np.divide(across**2, x, out=np.zeros_like(x), where=x > 0)
            found.scattered[source - 1] = share_square * turned
    return found
