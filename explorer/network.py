"""The network: forward and backward pass of many runs and layers at once, nothing else.

Shapes
------
All layers are padded to one width and stacked, layers first, then runs, so
that slopes, weight gradients, norms and updates are one call each; only the
matrix products go layer by layer. Samples lie on the last axis:

    theta     (layers, runs, rows, width)    rows: W (width of them), b, and with
                                             normalization scale and shift
    h         (layers, runs, width + 1, samples)  input of each layer; the last row
                                                  is 1 where the layer has a bias
    z, delta  (layers, runs, width, samples)      z = W'h + b,  delta = dL/dz

In the field's notation, with samples in rows, z = a @ W + b with W of shape
(fan_in, fan_out). Padding costs nothing: rows of W beyond fan_in meet inputs
that are 0, columns beyond fan_out meet deltas that are 0, so their gradients
are exactly 0 and they stay 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.activations import Activation, leaky, leaky_slope
from explorer.initializers import Initializer
from explorer.normalizations import (
    EPSILON,
    MOMENTUM,
    Normalization,
    mean_along,
    mean_product,
    normalize,
    normalize_backward,
)

Array = NDArray[np.float64]

# Up to this many numbers, element-wise work on the whole stack beats going layer by layer.
STACKED_LIMIT = 32_768


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What the arrays' shapes and the two passes depend on.

    Attributes
    ----------
    inputs, width, depth : int
        Features of a sample, units of a hidden layer, hidden layers.
    activation : Activation
    normalization : Normalization
    skip : int
        How many layers a shortcut skips: 0 (none), 1 or 2.
    biases : bool
        Whether layers have a bias b at all. Under batch normalization hidden
        layers have none in any case: the batch mean would cancel it.
    """

    inputs: int
    width: int
    depth: int
    activation: Activation
    normalization: Normalization
    skip: int = 0
    biases: bool = True

    def __post_init__(self) -> None:
        if self.inputs > self.width:
            raise ValueError(f"width = {self.width} must be at least the number of inputs, {self.inputs}")

    @property
    def layers(self) -> int:
        """Weight layers: depth hidden ones and the output."""
        return self.depth + 1

    @property
    def normalized(self) -> bool:
        """Whether hidden layers have a scale and a shift."""
        return self.normalization.axis is not None

    @property
    def rows(self) -> int:
        """Rows of a layer's block of parameters."""
        return self.width + 1 + 2 * self.normalized

    def fan(self, layer: int) -> tuple[int, int]:
        """Return fan_in and fan_out of layer 0 (nearest the input) to `depth` (the output)."""
        return self.inputs if layer == 0 else self.width, 1 if layer == self.depth else self.width

    def has_bias(self, layer: int) -> bool:
        """Whether this layer has a b."""
        return self.biases and (layer == self.depth or not self.normalization.uses_batch)

    def shortcut_source(self, layer: int) -> int | None:
        """Return which layer's input is added to the output of hidden layer `layer` (from 0), or None.

        The first hidden layer has none: its input is of another width. Over
        two layers the pairs are (1, 2), (3, 4), ...; the shortcut ends at the second of a pair.
        """
        if self.skip == 1 and layer >= 1:
            return layer
        if self.skip == 2 and layer >= 2 and layer % 2 == 0:
            return layer - 1
        return None

    def parameters(self, layer: int) -> int:
        """Count the parameters of one layer."""
        fan_in, fan_out = self.fan(layer)
        norm = 2 * fan_out if self.normalized and layer < self.depth else 0
        return fan_in * fan_out + fan_out * self.has_bias(layer) + norm


def start(
    shape: Architecture, initializer: Initializer, gain: float, draws_bias: bool, rngs: list[np.random.Generator]
) -> Array:
    """Draw the first parameters, one generator a run, layer by layer, W before b.

    Returns
    -------
    theta : (layers, runs, rows, width) array
    """
    theta = np.zeros((shape.layers, len(rngs), shape.rows, shape.width))
    for run, rng in enumerate(rngs):
        for layer in range(shape.layers):
            fan_in, fan_out = shape.fan(layer)
            block = theta[layer, run]
            block[:fan_in, :fan_out] = gain * initializer.draw(rng, fan_in, fan_out, shape.activation)
            if draws_bias and shape.has_bias(layer):
                block[shape.width, :fan_out] = initializer.draw(rng, fan_in, fan_out, shape.activation)[0]
    if shape.normalized:
        theta[:-1, :, shape.width + 1, :] = 1.0
    return theta


class Running:
    """Running mean and variance of z of every hidden unit, for answers under batch normalization."""

    def __init__(self, shape: Architecture, runs: int) -> None:
        self.mean = np.zeros((shape.depth, runs, shape.width, 1))
        self.variance = np.ones((shape.depth, runs, shape.width, 1))

    def follow(self, mean: Array, variance: Array, samples: int) -> None:
        """Move a tenth of the way to a batch's statistics (the variance unbiased, as is usual)."""
        unbiased = samples / max(samples - 1, 1)
        for running, batch, factor in ((self.mean, mean, MOMENTUM), (self.variance, variance, MOMENTUM * unbiased)):
            running *= 1 - MOMENTUM
            running += batch * factor


class Network:
    """Buffers and the two passes for a batch of fixed size.

    Parameters
    ----------
    shape : Architecture
    theta : (layers, runs, rows, width) array
        Shared, not copied: an update in place is seen by the next pass.
    samples : int
        Samples in a batch.
    running : Running, optional
        Statistics that training updates and that answers use.
    answering : bool
        Use running statistics and the mean random slope, as for predictions.
    keep : bool
        Keep every layer's share of the gradient's way back, for measuring.

    Attributes
    ----------
    x : (runs, inputs, samples) view, to be filled with the inputs
    z_out, delta_out : (runs, 1, samples) views of the output unit
    gradient : array of theta's shape, dL/dtheta after `backward`
    random : (depth, runs, width, samples) array or None
        Slopes below 0 of randomized ReLU, to be drawn before `forward`.
    """

    def __init__(
        self,
        shape: Architecture,
        theta: Array,
        samples: int,
        *,
        running: Running | None = None,
        answering: bool = False,
        keep: bool = False,
    ) -> None:
        layers, runs, width, depth = shape.layers, theta.shape[1], shape.width, shape.depth
        self.shape, self.theta, self.samples, self.runs = shape, theta, samples, runs
        self.running, self.answering, self.keep = running, answering, keep
        self.h = np.zeros((layers, runs, width + 1, samples))
        for layer in range(layers):
            self.h[layer, :, width, :] = shape.has_bias(layer)
        self.z = np.zeros((layers, runs, width, samples))
        self.delta = np.zeros((layers, runs, width, samples))
        self.gradient = np.zeros_like(theta)
        self.x = self.h[0, :, : shape.inputs, :]
        self.z_out, self.delta_out = self.z[-1, :, :1, :], self.delta[-1, :, :1, :]
        hidden = (depth, runs, width, samples)
        self.random = np.empty(hidden) if shape.activation.random_slope and not answering else None
        # What goes into the activation, and what comes out of it before a shortcut is added.
        self.n = np.zeros(hidden) if shape.normalized else self.z[:-1]
        self.a = np.zeros(hidden if keep else (1, *hidden[1:])) if keep or shape.skip else None
        self.room = np.empty((1, *hidden[1:]))  # one layer's scratch
        self.mean, self.variance, self.inverse_std = np.ones((3, depth, runs, *self._statistic()))
        self._make_gradient_buffers(hidden)
        # One run: 2-D views and np.dot, half the overhead of np.matmul on a stack of one.
        self._product: Callable[[Array, Array, Array], Any] = np.dot if runs == 1 else np.matmul
        last = self._view(theta, -1)[..., : width + 1, :1].swapaxes(-1, -2)
        self._last_product = last, self._view(self.h, -1), self._view(self.z, -1)[..., :1, :]
        self._forward_steps = [self._forward_step(layer) for layer in range(depth)]
        self._backward_steps = [self._backward_step(layer) for layer in reversed(range(depth))]

    def _statistic(self) -> tuple[int, int]:
        """The shape of a normalization's mean: of units, of samples, or none at all."""
        axis = self.shape.normalization.axis
        return (1 if axis != -1 else self.shape.width), (1 if axis != -2 else self.samples)

    def _make_gradient_buffers(self, hidden: tuple[int, ...]) -> None:
        """Make room for dL/dh: every layer's when they are kept, else three that take turns."""
        depth = hidden[0]
        self._at_once = int(np.prod(hidden)) <= STACKED_LIMIT
        self._slopes_at_once = self.keep or self._at_once
        self.slope = np.empty(hidden if self._slopes_at_once else (1, *hidden[1:]))
        self.through_weights = np.zeros(hidden if self.keep else (min(3, depth), *hidden[1:]))
        has_shortcuts = self.keep and self.shape.skip
        self.through_skip = np.zeros(hidden) if has_shortcuts else self.through_weights
        self.through_slope = np.zeros(hidden) if self.keep and self.shape.normalized else self.delta[:-1]

    def _view(self, stack: Array, layer: int) -> Array:
        """One layer of a stack; of a single run without the axis of runs."""
        block = stack[layer % len(stack)]
        return block[0] if self.runs == 1 else block

    def _column(self, stack: Array, layer: int, row: int) -> Array:
        """One row of a layer's parameters as a column, to broadcast over samples."""
        return self._view(stack, layer)[..., row, :, None]

    # --- forward ------------------------------------------------------------------------------

    def _forward_step(self, layer: int) -> tuple[Any, ...]:
        shape, width = self.shape, self.shape.width
        transposed = self._view(self.theta, layer)[..., : width + 1, :].swapaxes(-1, -2)
        source = shape.shortcut_source(layer)
        shortcut = None if source is None else self._view(self.h, source)[..., :width, :]
        handed_on = self._view(self.h, layer + 1)[..., :width, :]
        a = self._view(self.a, layer) if self.a is not None else handed_on
        f = shape.activation.f
        if self.random is not None:
            slope = self._view(self.random, layer)
            f = lambda z, out: leaky(z, slope, out)  # noqa: E731
        z, n = self._view(self.z, layer), self._view(self.n, layer)
        return layer, transposed, self._view(self.h, layer), z, n, f, a, shortcut, handed_on

    def forward(self) -> None:
        """Compute z and h of every layer from `x`."""
        product, normalized, separate = self._product, self.shape.normalized, self.a is not None
        for layer, transposed, h, z, n, f, a, shortcut, handed_on in self._forward_steps:
            product(transposed, h, z)
            if normalized:
                self._normalize(layer, z, n)
            f(n, a)
            if shortcut is not None:
                np.add(a, shortcut, handed_on)
            elif separate:
                np.copyto(handed_on, a)
        product(*self._last_product)
        if self.running is not None and not self.answering:
            self.running.follow(self.mean, self.variance, self.samples)

    def _normalize(self, layer: int, z: Array, n: Array) -> None:
        """Replace z by its normalized value and write scale * z + shift to n."""
        width, axis = self.shape.width, self.shape.normalization.axis
        mean, variance = self._view(self.mean, layer), self._view(self.variance, layer)
        if self.answering and self.running is not None:
            np.subtract(z, self._view(self.running.mean, layer), z)
            np.divide(z, np.sqrt(self._view(self.running.variance, layer) + EPSILON), z)
        else:
            assert axis is not None
            normalize(z, mean, variance, self._view(self.inverse_std, layer), axis)
        np.multiply(z, self._column(self.theta, layer, width + 1), n)
        np.add(n, self._column(self.theta, layer, width + 2), n)

    # --- backward -----------------------------------------------------------------------------

    def _backward_step(self, layer: int) -> tuple[Any, ...]:
        """The views for dL/dz of hidden layer `layer`, whose output h feeds layer + 1."""
        shape, width = self.shape, self.shape.width
        columns = slice(0, 1) if layer + 1 == shape.depth else slice(None)
        weights = self._view(self.theta, layer + 1)[..., :width, columns]
        above = self._view(self.delta, layer + 1)[..., columns, :]
        # This h also skips to the output of a later layer, whose dL/dh comes back unchanged.
        later = next((k for k in range(layer + 1, shape.depth) if shape.shortcut_source(k) == layer + 1), None)
        skipped = None if later is None else self._view(self.through_skip, later)
        return (
            layer,
            weights,
            above,
            self._view(self.through_weights, layer),
            skipped,
            self._view(self.through_skip, layer),
            self._view(self.slope, layer),
            self._view(self.delta, layer),
        )

    def backward(self) -> None:
        """Compute delta of every layer and `gradient` from `delta_out`.

        dL/dh_l = delta_{l+1} W_{l+1}' (+ dL/dh of the layer that a shortcut
        reaches); dL/dn = dL/dh * f'(n); delta = dL/dz through the normalization;
        dL/dW = h' delta, dL/db = sum of delta over samples.
        """
        product, normalized, apart = self._product, self.shape.normalized, self.through_skip is not self.through_weights
        if self._slopes_at_once:
            self._write_slope(slice(None), self.slope)
        for layer, weights, above, through, skipped, grad_h, slope, delta in self._backward_steps:
            product(weights, above, through)
            if skipped is not None:
                np.add(through, skipped, grad_h)
            elif apart:
                np.copyto(grad_h, through)
            if not self._slopes_at_once:
                self._write_slope(slice(layer, layer + 1), self.slope)
            np.multiply(grad_h, slope, delta)
            if normalized:
                self._normalize_backward(layer, delta)
            if not self._at_once:
                self._weight_gradient(layer)
        self._weight_gradient(slice(None) if self._at_once else -1)

    def _write_slope(self, layers: slice, out: Array) -> None:
        if self.random is not None:
            leaky_slope(self.n[layers], self.random[layers], out)
        else:
            self.shape.activation.df(self.n[layers], out)

    def _normalize_backward(self, layer: int, delta: Array) -> None:
        """Turn dL/dn into dL/dz in place, and leave the gradient of scale and shift."""
        width, axis = self.shape.width, self.shape.normalization.axis
        assert axis is not None
        z = self._view(self.z, layer)
        if self.keep:
            np.copyto(self._view(self.through_slope, layer), delta)
        gradient, room = self._view(self.gradient, layer), self._view(self.room, layer)
        scale, inverse_std = self._column(self.theta, layer, width + 1), self._view(self.inverse_std, layer)
        mean, along = mean_along(delta, -1), mean_product(delta, z, -1)
        np.multiply(along[..., 0], self.samples, gradient[..., width + 1, :])
        np.multiply(mean[..., 0], self.samples, gradient[..., width + 2, :])
        if axis == -1:  # the same means, and the learnt scale is one number a unit as well
            normalize_backward(delta, z, mean, along, scale * inverse_std, room)
        else:
            np.multiply(delta, scale, delta)
            normalize_backward(delta, z, mean_along(delta, axis), mean_product(delta, z, axis), inverse_std, room)

    def _weight_gradient(self, layers: slice | int) -> None:
        """dL/dW and dL/db of one layer or all at once: inputs, with their row of ones, times deltas."""
        gradient = self.gradient[layers, :, : self.shape.width + 1, :]
        np.matmul(self.h[layers], self.delta[layers].swapaxes(-1, -2), out=gradient)
