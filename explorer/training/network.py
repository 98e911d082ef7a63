"""Architecture: what the shapes of a network's arrays depend on, and the first parameters drawn into them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.choices.activations import Activation, leaky, leaky_slope
from explorer.choices.arrays import Array
from explorer.choices.experiment import Experiment
from explorer.choices.normalizations import MOMENTUM, Normalization, affine_backward, normalize, normalize_by


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What the arrays' shapes and the two passes depend on.

    A dense net is a convolution over one place: everything here is said of convolutions.
    """

    # Features of a sample at one place, units of a hidden layer (of a convolution its channels), hidden layers.
    inputs: int
    width: int
    depth: int
    activation: Activation
    normalization: Normalization
    skip: int = 0  # How many layers a shortcut skips: 0 (none), 1 or 2
    # Whether layers have a bias b at all. Under batch normalization hidden layers have none in any case: the batch mean
    # would cancel it.
    biases: bool = True
    # The places that a hidden unit sees, counted from its own, which comes first; beyond the ends of a signal they hold 0.
    taps: tuple[int, ...] = (0,)
    places: int = 1  # Of a signal; what the last hidden layer makes of them is averaged before it goes to the output

    @property
    def layers(self) -> int:
        """Weight layers: depth hidden ones and the output."""
        return self.depth + 1

    @property
    def normalized(self) -> bool:
        """Whether hidden layers have a scale and a shift."""
        return self.normalization.axis is not None

    @property
    def weight_rows(self) -> int:
        """Rows for W of a layer's block of parameters, of which the layer uses the first; b, scale and shift follow them."""
        return len(self.taps) * max(self.inputs, self.width)

    @property
    def rows(self) -> int:
        """Rows of a layer's block of parameters."""
        return self.weight_rows + 1 + 2 * self.normalized

    def channels(self, layer: int) -> int:
        """Return how many numbers the input of a layer has at one place."""
        return self.inputs if layer == 0 else self.width

    def fan(self, layer: int) -> tuple[int, int]:
        """Return the rows and columns of W of layer 0 (nearest the input) to `depth` (the output).

        Rows are the fan_in: what a unit sees at its own place, then at each of its neighbours.
        """
        if layer == self.depth:
            return self.channels(layer), 1
        return len(self.taps) * self.channels(layer), self.width

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


def draw_layer(shape: Architecture, layer: int, experiment: Experiment, rng: np.random.Generator, block: Array) -> None:
    """Draw one layer's W, then its b, into its block of theta of one run.

    In a convolution each number goes to units at as many places as it comes from, and its fan_out is that times the
    channels (Glorot & Bengio 2010 as usual for convolutions). Right angles are those of W itself.
    """
    fan_in, units = shape.fan(layer)
    start = experiment.initialization
    fan_out = units if layer == shape.depth or start.orthogonal else len(shape.taps) * units

    def draw() -> Array:
        return start.draw(rng, fan_in, fan_out, shape.activation)[:, :units]

    block[:fan_in, :units] = experiment.gain * draw()
    if experiment.draws_bias and shape.has_bias(layer):
        block[shape.weight_rows, :units] = draw()[0]


def draw_parameters(
    shape: Architecture, experiments: Sequence[Experiment], rngs: Sequence[np.random.Generator]
) -> Array:
    """Draw the first parameters, of each run by its own experiment and generator: theta, (layers, runs, rows, width)."""
    theta = np.zeros((shape.layers, len(rngs), shape.rows, shape.width))
    for run, (experiment, rng) in enumerate(zip(experiments, rngs, strict=True)):
        for layer in range(shape.layers):
            draw_layer(shape, layer, experiment, rng, theta[layer, run])
    if shape.normalized:
        theta[:-1, :, shape.weight_rows + 1, :] = 1.0
    return theta


def architecture(experiment: Experiment) -> Architecture:
    """Return the network's shape that an experiment asks for."""
    return Architecture(
        inputs=experiment.points().x.shape[1] // experiment.places,
        width=experiment.width,
        depth=experiment.depth,
        activation=experiment.activation_function,
        normalization=experiment.normalizer,
        skip=experiment.skipped,
        biases=experiment.has_biases,
        taps=experiment.layer_kind.taps,
        places=experiment.places,
    )


# --- The network: forward and backward pass of many runs and layers at once, nothing else ---


Call = tuple[Callable[..., Any], tuple[Any, ...]]

# Up to this many numbers, element-wise work on the whole stack beats going layer by layer.
STACKED_LIMIT = 32_768
# From so many numbers of a layer and run on, f and its slope take less together than apart. How many runs there are does
# not matter: their numbers may not hang on it.
BOTH_FROM = 2048


def mean_over_places(z: Array, mean: Array) -> None:
    """Average z of the output over the places of a signal, whose columns follow each other place by place."""
    np.mean(z.reshape(*mean.shape[:-1], -1, mean.shape[-1]), axis=-2, out=mean)


def spread_over_places(delta: Array, out: Array) -> None:
    """Give every place its equal share of the gradient at their mean."""
    places = out.reshape(*delta.shape[:-1], -1, delta.shape[-1])
    np.divide(delta[..., None, :], places.shape[-2], places)


class Running:
    """Running mean and variance of z of every hidden unit, for answers under batch normalization."""

    def __init__(self, shape: Architecture, runs: int) -> None:
        self.mean = np.zeros((shape.depth, runs, shape.width, 1))
        self.variance = np.ones((shape.depth, runs, shape.width, 1))
        self.frozen = False

    def follow(self, mean: Array, variance: Array, samples: int) -> None:
        """Move a tenth of the way to a batch's statistics (the variance unbiased, as is usual)."""
        if self.frozen:
            return
        unbiased = samples / max(samples - 1, 1)
        for running, batch, factor in ((self.mean, mean, MOMENTUM), (self.variance, variance, MOMENTUM * unbiased)):
            running *= 1 - MOMENTUM
            running += batch * factor


class Network:
    """Buffers and the two passes for a batch of `samples`.

    A hidden layer has a column for every sample at every place, those of the first place first: one place on is `samples`
    columns on. So the product z = W' h + b is the same with and without places, and all that follows it; only what a
    unit sees of its neighbours is copied into rows of their own before, and added back after.

    `theta`, (layers, runs, rows, width), is shared, not copied: an update in place is seen by the next pass. Training
    updates the `running` statistics. A net that is `answering` uses them, and the mean random slope. To `keep` every
    layer's share of the gradient's way back is for measuring.
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
        columns = samples * shape.places
        self.h = np.zeros((layers, runs, shape.weight_rows + 1, columns))
        for layer in range(layers):
            self.h[layer, :, shape.weight_rows, :] = shape.has_bias(layer)
        self.z = np.zeros((layers, runs, width, columns))
        self.delta = np.zeros((layers, runs, width, columns))
        self.gradient = np.zeros_like(theta)  # dL/dtheta after `backward`
        # (runs, inputs at all places, samples), a view to be filled with the inputs
        self.x = self.h[0, :, : shape.inputs, :].reshape(runs, -1, samples)
        self.z_out, self.delta_out = self.z[-1, :, :1, :], self.delta[-1, :, :1, :]
        if shape.places > 1:
            self.z_out, self.delta_out = np.zeros((2, runs, 1, samples))
        hidden = (depth, runs, width, columns)
        # Slopes below 0 of randomized ReLU, to be drawn by `draw_slopes` before `forward`.
        self.random = np.empty(hidden) if shape.activation.random_slope and not answering else None
        # What goes into the activation, and what comes out of it before a shortcut is added.
        self.n = np.zeros(hidden) if shape.normalized else self.z[:-1]
        # Of several runs h lies apart, a row of ones between: a place without gaps and one copy are faster.
        self.a = np.zeros(hidden if keep else (1, *hidden[1:])) if keep or shape.skip or runs > 1 else None
        self.scratch = np.empty((1, *hidden[1:]))  # of one layer
        axis = shape.normalization.axis
        statistic = (1 if axis != -1 else width), (1 if axis != -2 else columns)
        self.mean, self.variance, self.inverse_std = np.ones((3, depth, runs, *statistic))
        self._make_gradient_buffers(hidden)
        # One run: 2-D views and np.dot, half the overhead of np.matmul on a stack of one.
        self._product: Callable[[Array, Array, Array], Any] = np.dot if runs == 1 else np.matmul
        self._forward_calls = list(self._forward_pass())
        self._backward_calls = list(self._backward_pass())

    def _make_gradient_buffers(self, hidden: tuple[int, ...]) -> None:
        """Make room for dL/dh: every layer's when they are kept, else three that take turns."""
        depth = hidden[0]
        self._at_once = int(np.prod(hidden)) <= STACKED_LIMIT
        wide = hidden[2] * hidden[3] >= BOTH_FROM and not self.answering
        self._both = self.shape.activation.both if wide else None
        self._slopes_at_once = self.keep or self._at_once
        every = self._slopes_at_once or self._both is not None
        self.slope = np.empty(hidden if every else (1, *hidden[1:]))
        self.through_weights = np.zeros(hidden if self.keep else (min(3, depth), *hidden[1:]))
        has_shortcuts = self.keep and self.shape.skip
        self.through_skip = np.zeros(hidden) if has_shortcuts else self.through_weights
        seen = len(self.shape.taps)
        self.through_taps = np.zeros((int(seen > 1), hidden[1], seen * hidden[2], hidden[3]))  # of one layer
        self.through_slope = np.zeros(hidden) if self.keep and self.shape.normalized else self.delta[:-1]

    def _view(self, stack: Array, layer: int) -> Array:
        """One layer of a stack; of a single run without the axis of runs."""
        block = stack[layer % len(stack)]
        return block[0] if self.runs == 1 else block

    def _rows(self, stack: Array, layer: int) -> Array:
        """The part of a layer's input, parameters or gradient that a matrix product works on: W and b."""
        return self._view(stack, layer)[..., : self.shape.weight_rows + 1, :]

    def _column(self, layer: int, row: int) -> Array:
        """One row of a layer's parameters as a column, to broadcast over samples."""
        return self._view(self.theta, layer)[..., row, :, None]

    def draw_slopes(self, rngs: Sequence[np.random.Generator]) -> None:
        """Draw randomized ReLU's slopes, where there are any, each run's from its own generator.

        They come layer by layer: a shallow net's are the first of a deep one's.
        """
        if self.random is not None:
            low, high = self.shape.activation.random_slope or (0.0, 0.0)
            for run, rng in enumerate(rngs):
                self.random[:, run] = rng.uniform(low, high, self.random[:, run].shape)

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes, roughly."""
        return self.h.nbytes + 5 * self.z.nbytes

    # --- forward ------------------------------------------------------------------------------

    def forward(self) -> None:
        """Compute z and h of every layer from `x`."""
        for call, views in self._forward_calls:
            call(*views)

    def _forward_pass(self) -> Iterator[Call]:
        """Yield every call of the forward pass with its views: made once, they leave nothing to decide in the loop."""
        shape, width = self.shape, self.shape.width
        for layer in range(shape.depth):
            yield from self._see_neighbours(layer)
            z, n = self._view(self.z, layer), self._view(self.n, layer)
            handed_on = self._view(self.h, layer + 1)[..., :width, :]
            a = handed_on if self.a is None else self._view(self.a, layer)
            yield self._product, (self._rows(self.theta, layer).swapaxes(-1, -2), self._view(self.h, layer), z)
            if shape.normalized:
                yield from self._normalize(layer, z, n)
            if self._both is not None:
                yield self._both, (n, a, self._view(self.slope, layer))
            elif self.random is None:
                yield shape.activation.f, (n, a)
            else:
                yield leaky, (n, self._view(self.random, layer), a)
            source = shape.shortcut_source(layer)
            if source is not None:
                yield np.add, (a, self._view(self.h, source)[..., :width, :], handed_on)
            elif self.a is not None:
                yield np.copyto, (handed_on, a)
        last = self._rows(self.theta, -1)[..., :1].swapaxes(-1, -2)
        yield self._product, (last, self._view(self.h, -1), self._view(self.z, -1)[..., :1, :])
        if shape.places > 1:
            yield mean_over_places, (self._view(self.z, -1)[..., :1, :], self._view(self.z_out[None], 0))
        if self.running is not None and not self.answering:
            yield self.running.follow, (self.mean, self.variance, self.samples * shape.places)

    def neighbours(self, block: Array, channels: int) -> Iterator[tuple[Array, slice]]:
        """Yield the rows of each neighbour in what a layer sees, where it has one, and the columns at which that one stands."""
        for number, tap in enumerate(self.shape.taps[1:], start=1):
            step = tap * self.samples
            here, there = (slice(-step), slice(step, None)) if step > 0 else (slice(-step, None), slice(step))
            yield block[..., number * channels : (number + 1) * channels, here], there

    def _see_neighbours(self, layer: int) -> Iterator[Call]:
        """Copy what a hidden layer's input is at neighbouring places; beyond the ends 0 stays."""
        channels, h = self.shape.channels(layer), self._view(self.h, layer)
        for neighbour, there in self.neighbours(h, channels):
            yield np.copyto, (neighbour, h[..., :channels, there])

    def _normalize(self, layer: int, z: Array, n: Array) -> Iterator[Call]:
        """Replace z by its normalized value and write scale * z + shift to n."""
        if self.answering and self.running is not None:
            yield normalize_by, (z, self._view(self.running.mean, layer), self._view(self.running.variance, layer))
        else:
            statistics = (self._view(stack, layer) for stack in (self.mean, self.variance, self.inverse_std))
            yield normalize, (z, *statistics, self.shape.normalization.axis)
        yield np.multiply, (z, self._column(layer, self.shape.weight_rows + 1), n)
        yield np.add, (n, self._column(layer, self.shape.weight_rows + 2), n)

    # --- backward -----------------------------------------------------------------------------

    @property
    def has_slopes(self) -> bool:
        """Whether the forward pass left every layer's f' in `slope`."""
        return self._both is not None

    def backward(self) -> None:
        """Compute delta of every layer and `gradient` from `delta_out`.

        dL/dh_l = delta_{l+1} W_{l+1}' (+ dL/dh of the layer that a shortcut
        reaches); dL/dn = dL/dh * f'(n); delta = dL/dz through the normalization;
        dL/dW = h' delta, dL/db = sum of delta over samples.
        """
        for call, views in self._backward_calls:
            call(*views)

    def _backward_pass(self) -> Iterator[Call]:
        """Yield every call of the backward pass with its views.

        Small nets get all slopes and all weight gradients in one call each;
        big ones layer by layer, while the numbers are still in the cache.
        """
        if self.shape.places > 1:
            yield spread_over_places, (self._view(self.delta_out[None], 0), self._view(self.delta, -1)[..., :1, :])
        if self._slopes_at_once and self._both is None:
            yield self._slope(self.n, self.random, self.slope)
        if not self._at_once:
            yield self._weight_gradient(-1)
        for layer in reversed(range(self.shape.depth)):
            yield from self._to_dh(layer)
            slope, delta = self._view(self.slope, layer), self._view(self.delta, layer)
            if not self._slopes_at_once and self._both is None:
                random = None if self.random is None else self._view(self.random, layer)
                yield self._slope(self._view(self.n, layer), random, slope)
            yield np.multiply, (self._view(self.through_skip, layer), slope, delta)
            if self.shape.normalized:
                yield from self._through_normalization(layer, delta)
            if not self._at_once:
                yield self._weight_gradient(layer)
        if self._at_once:
            inputs, gradient = self.h, self.gradient[:, :, : self.shape.weight_rows + 1, :]
            yield np.matmul, (inputs, self.delta.swapaxes(-1, -2), gradient)

    def _to_dh(self, layer: int) -> Iterator[Call]:
        """From dL/dz of the layer above to dL/dh of hidden layer `layer`."""
        shape = self.shape
        fan_in, units = shape.fan(layer + 1)
        weights, above = self._view(self.theta, layer + 1)[..., :fan_in, :units], self._view(self.delta, layer + 1)
        through, grad_h = self._view(self.through_weights, layer), self._view(self.through_skip, layer)
        seen = through if fan_in == shape.width else self._view(self.through_taps, 0)
        yield self._product, (weights, above[..., :units, :], seen)
        if seen is not through:
            yield from self._give_back_to_neighbours(seen, through)
        # This h also skips to the output of a later layer, whose dL/dh comes back unchanged.
        later = next((k for k in range(layer + 1, shape.depth) if shape.shortcut_source(k) == layer + 1), None)
        if later is not None:
            yield np.add, (through, self._view(self.through_skip, later), grad_h)
        elif self.through_skip is not self.through_weights:
            yield np.copyto, (grad_h, through)

    def _give_back_to_neighbours(self, seen: Array, through: Array) -> Iterator[Call]:
        """Add up the gradients of what the units above saw of each place: from the place itself and from its neighbours."""
        yield np.copyto, (through, seen[..., : self.shape.width, :])
        for neighbour, there in self.neighbours(seen, self.shape.width):
            yield np.add, (through[..., there], neighbour, through[..., there])

    def _slope(self, n: Array, random: Array | None, out: Array) -> Call:
        """Write f'(n), of one layer or all."""
        return (self.shape.activation.df, (n, out)) if random is None else (leaky_slope, (n, random, out))

    def _through_normalization(self, layer: int, delta: Array) -> Iterator[Call]:
        """Turn dL/dn into dL/dz in place, and leave the gradient of scale and shift."""
        rows, axis = self.shape.weight_rows, self.shape.normalization.axis
        if self.keep:
            yield np.copyto, (self._view(self.through_slope, layer), delta)
        gradient = self._view(self.gradient, layer)
        affine = self._column(layer, rows + 1), gradient[..., rows + 1, :], gradient[..., rows + 2, :]
        views = (self._view(stack, layer) for stack in (self.z, self.inverse_std, self.scratch))
        yield affine_backward, (delta, *views, affine, axis)

    def _weight_gradient(self, layer: int) -> Call:
        """dL/dW and dL/db of a layer: its input, with a row of ones, times its delta."""
        delta = self._view(self.delta, layer).swapaxes(-1, -2)
        return self._product, (self._view(self.h, layer), delta, self._rows(self.gradient, layer))
