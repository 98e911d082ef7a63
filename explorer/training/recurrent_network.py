"""Recurrent architecture: where a recurrent net's weights lie in the array of parameters, and how they start.

All parameters of a run are one row of numbers, so that norms, clipping and
optimizers take the same calls as for layers:

    theta   (1, runs, 1, parameters)

`Weights` are views of it. Every recurrent layer has one matrix whose rows are
the inputs x_t (of the first layer) or the h_t of the layer below, then
h_{t-1}, then the bias, and whose columns are the cell's blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from explorer.choices.activations import ACTIVATIONS, Activation
from explorer.choices.arrays import Array
from explorer.choices.cells import Cell, Step, StepGradients
from explorer.choices.initializers import INITIALIZERS
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.training.measures import root_sum_square
from explorer.training.recording import BINS, count_bins


class Weights(NamedTuple):
    """Views of an array of theta's shape."""

    layers: list[Array]  # (runs, inputs + hidden + 1, blocks * hidden): of each recurrent layer, the first one first
    output: Array  # (runs, hidden + 1, outputs)


@dataclass(frozen=True, kw_only=True)
class RecurrentArchitecture:
    """What the arrays' shapes and the two passes depend on."""

    cell: Cell
    activation: Activation  # Of a plain cell
    # Inputs of a step, units of h_t, recurrent layers, numbers of an answer.
    inputs: int
    hidden: int
    stack: int
    outputs: int
    # Time steps, and the first step, from 0, at which there is an answer.
    length: int
    first_counted: int
    truncation: int = 0  # Steps of a piece from which no gradient flows to the piece before; 0: one piece
    counted: tuple[int, ...] = ()  # The steps, from 0, at which z is counted by bin while measuring

    def fan_in(self, layer: int) -> int:
        """Return how many numbers a recurrent layer reads at a step, its own h_{t-1} left out."""
        return self.inputs if layer == 0 else self.hidden

    def rows(self, layer: int) -> int:
        """Return the rows of a layer's matrix: x_t, h_{t-1} and the bias."""
        return self.fan_in(layer) + self.hidden + 1

    @property
    def columns(self) -> int:
        """Columns of a layer's matrix: all blocks."""
        return len(self.cell.blocks) * self.hidden

    @property
    def parameters(self) -> int:
        """Numbers of a run, those that stay 0 included."""
        return sum(self.rows(layer) for layer in range(self.stack)) * self.columns + (self.hidden + 1) * self.outputs

    def is_cut(self, step: int) -> bool:
        """Whether no gradient flows from step `step`, from 0, to the one before it."""
        return self.truncation > 0 and step > 0 and step % self.truncation == 0

    def views(self, theta: Array) -> Weights:
        """Return a (1, runs, 1, parameters) array as matrices; nothing is copied."""
        flat, first, layers = theta[0, :, 0, :], 0, []
        for layer in range(self.stack):
            size = self.rows(layer) * self.columns
            layers.append(flat[:, first : first + size].reshape(len(flat), self.rows(layer), self.columns))
            first += size
        return Weights(layers, flat[:, first:].reshape(len(flat), self.hidden + 1, self.outputs))

    def from_h(self, layer: int) -> slice:
        """Return the rows of a layer's matrix that meet h_{t-1}."""
        return slice(self.fan_in(layer), self.fan_in(layer) + self.hidden)

    def recurrent_weights(self, theta: Array) -> Array:
        """Return every W_hh, layer by layer and gate by gate: (runs, stack * gates, hidden, hidden), a copy."""
        matrices = []
        for layer, weights in enumerate(self.views(theta).layers):
            rows = weights[:, self.from_h(layer)]
            matrices += [rows[:, :, self.cell.block(name, self.hidden)] for name in self.cell.recurrent]
        return np.stack(matrices, axis=1)

    def forget(self, stack: Array) -> None:
        """Set to 0, in an array of theta's shape, what the cell has no weights for."""
        for layer, weights in enumerate(self.views(stack).layers):
            for name in self.cell.unseen_by_h:
                weights[:, self.from_h(layer), self.cell.block(name, self.hidden)] = 0.0
            for name in self.cell.unseen_by_x:
                weights[:, : self.fan_in(layer), self.cell.block(name, self.hidden)] = 0.0


def draw_recurrent_parameters(
    shape: RecurrentArchitecture, experiments: Sequence[RecurrentExperiment], rngs: Sequence[np.random.Generator]
) -> Array:
    """Draw the first parameters, of each run by its own experiment and generator: theta, (1, runs, 1, parameters).

    They come layer by layer and block by block, W_xh before W_hh. Biases are 0, but for the gate that keeps the state.
    """
    theta = np.zeros((1, len(rngs), 1, shape.parameters))
    lecun, linear, weights = INITIALIZERS["LeCun"], ACTIVATIONS["linear"], shape.views(theta)
    for run, (experiment, rng) in enumerate(zip(experiments, rngs, strict=True)):
        for layer, matrix in enumerate(weights.layers):
            for name in shape.cell.blocks:
                columns, fan_in = matrix[run, :, shape.cell.block(name, shape.hidden)], shape.fan_in(layer)
                columns[:fan_in] = lecun.draw(rng, fan_in, shape.hidden, linear)
                columns[shape.from_h(layer)] = experiment.initialization.draw(rng, shape.hidden, experiment.strength)
                columns[-1] = experiment.forget_bias * (name == shape.cell.memory_gate)
        weights.output[run, :-1] = lecun.draw(rng, shape.hidden, shape.outputs, linear)
    shape.forget(theta)
    return theta


def recurrent_architecture(experiment: RecurrentExperiment) -> RecurrentArchitecture:
    """Return the net's shape that an experiment asks for."""
    points = experiment.points()
    return RecurrentArchitecture(
        cell=experiment.unit,
        activation=experiment.activation_function,
        inputs=points.x.shape[-1],
        hidden=experiment.hidden,
        stack=experiment.stack,
        outputs=points.y.shape[-1],
        length=experiment.length,
        first_counted=points.first_counted,
        truncation=experiment.truncation,
    )


# --- The recurrent net: forward and backward pass through time of many runs at once, nothing else ---


class Layer:
    """The arrays of one recurrent layer over time, and its two passes.

    `index` counts the layers from 0; `weights` and `gradient`, (runs, rows, columns), are views of the net's.
    """

    def __init__(self, shape: RecurrentArchitecture, index: int, weights: Array, gradient: Array, samples: int) -> None:
        self.shape, self.index, self.weights, self.gradient = shape, index, weights, gradient
        cell, steps, runs, hidden = shape.cell, shape.length, len(weights), shape.hidden
        self.s = np.zeros((steps + 1, runs, shape.rows(index), samples))
        self.s[:, :, -1] = 1.0
        self.x, self.h = self.s[:-1, :, : shape.fan_in(index)], self.s[:, :, shape.from_h(index)]
        self.z = np.zeros((steps, runs, shape.columns, samples))
        gated = len(cell.blocks) > 1
        self.a = np.zeros_like(self.z) if gated else self.z
        # dL/dc_{t-1} is handed back from step to step; of other cells there is nothing to hand.
        self.c, self.grad_c = np.zeros((2, steps + 1 if cell.has_c else 1, runs, hidden, samples))
        self.squashed = np.zeros((steps if cell.has_c else 1, runs, hidden, samples))
        self.grad_h = np.zeros((steps + 1, runs, hidden, samples))
        self.past_product, self.scratch = np.zeros((2, runs, hidden, samples))
        self.own = np.zeros_like(weights)  # one step's contribution to the gradient
        self.contribution = np.full((steps, runs), np.nan)  # L2 norm of every step's own, where it is measured
        # How many z of each function lie in each bin at the steps that are counted, where they are measured
        self.functions = tuple(cell.functions(shape.activation))
        self.z_counts = np.zeros((runs, len(self.functions), len(shape.counted), BINS), dtype=np.int64)
        self._steps = [self._step(t) for t in range(steps)]

    def _block(self, stack: Array, t: int) -> tuple[Array, ...]:
        hidden = self.shape.hidden
        return tuple(stack[t, :, k * hidden : (k + 1) * hidden] for k in range(len(self.shape.cell.blocks)))

    def _step(self, t: int) -> tuple[Step, StepGradients]:
        """The views of step t, from 0, which makes h_{t+1} of h_t."""
        before, after = (t, t + 1) if self.shape.cell.has_c else (0, 0)
        step = Step(
            z=self.z[t],
            a=self.a[t],
            blocks=self._block(self.z, t),
            gates=self._block(self.a, t),
            h_before=self.h[t],
            h=self.h[t + 1],
            c_before=self.c[before],
            c=self.c[after],
            squashed=self.squashed[t % len(self.squashed)],
            activation=self.shape.activation,
        )
        grad_c, grad_c_before = self.grad_c[after], self.grad_c[before]
        return step, StepGradients(self.grad_h[t + 1], grad_c, grad_c_before, self.past_product, self.scratch)

    def forward(self, measuring: bool) -> None:
        """Compute h (and c) of every step from `x`, h_0 and c_0."""
        product, transposed, forward = np.matmul, self.weights.swapaxes(-1, -2), self.shape.cell.forward
        for s, (step, _) in zip(self.s, self._steps, strict=False):
            product(transposed, s, step.z)
            forward(step)
        if measuring:
            self._count()

    def _count(self) -> None:
        """Count z by bin: of every run, function and counted step, over units and samples."""
        steps = list(self.shape.counted)
        for index, name in enumerate(self.functions):
            z = self.z[steps, :, self.shape.cell.block(name, self.shape.hidden)]
            self.z_counts[:, index] = count_bins(z).swapaxes(0, 1)

    def backward(self, first_given: int, measuring: bool) -> None:
        """Compute delta of every step, dL/dh, dL/dc and the gradient.

        dL/dh_{t-1} = delta_t W_hh' + what reaches it otherwise; dL/dW = sum over
        t of s_t' delta_t. `grad_c` holds what comes to c_T from elsewhere: usually nothing. From h of index
        `first_given` on, `grad_h` holds what comes from the answers or the layer above.
        """
        shape, cell, product = self.shape, self.shape.cell, np.matmul
        to_h, through, own = self.weights[:, shape.from_h(self.index)], self.scratch, self.own
        self.gradient[...] = 0.0
        self.grad_h[:first_given] = 0.0
        for t in range(shape.length - 1, -1, -1):
            (step, back), grad_before = self._steps[t], self.grad_h[t]
            cell.backward(step, back)
            product(self.s[t], step.z.swapaxes(-1, -2), own)
            np.add(self.gradient, own, self.gradient)
            if measuring:
                self.contribution[t] = self._contribution()
            if shape.is_cut(t):
                if cell.has_c:
                    back.c_before[...] = 0.0
                continue
            if t < first_given:
                product(to_h, step.z, grad_before)
            else:
                product(to_h, step.z, through)
                np.add(grad_before, through, grad_before)
            if cell.direct_path:
                np.add(grad_before, self.past_product, grad_before)

    def _contribution(self) -> Array:
        """L2 norm of a step's own contribution to dL/dW_hh: (runs,)."""
        rows = self.own[:, self.shape.from_h(self.index)]
        seen = [rows[:, :, self.shape.cell.block(name, self.shape.hidden)] for name in self.shape.cell.recurrent]
        norms = np.stack([root_sum_square(np.ascontiguousarray(block), (-2, -1)) for block in seen])
        return root_sum_square(norms, 0)

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        held = (self.s, self.z, self.c, self.grad_c, self.squashed, self.grad_h, self.own)
        return sum(array.nbytes for array in held) + (self.a is not self.z) * self.a.nbytes


class RecurrentNetwork:
    """Buffers and the two passes for a batch of so many sequences.

    `theta`, (1, runs, 1, parameters), is shared, not copied: an update in place is seen by the next pass.
    """

    layer: ClassVar[type[Layer]] = Layer

    def __init__(self, shape: RecurrentArchitecture, theta: Array, samples: int) -> None:
        self.shape, self.theta, self.samples, self.runs = shape, theta, samples, theta.shape[1]
        # Whether forward also counts z by bin, and backward measures every step's contribution to the gradient
        self.measuring = False
        self.gradient = np.zeros_like(theta)  # dL/dtheta after `backward`
        self.weights, self._gradients = shape.views(theta), shape.views(self.gradient)
        pairs = zip(self.weights.layers, self._gradients.layers, strict=True)
        self.layers = [self.layer(shape, index, *pair, samples) for index, pair in enumerate(pairs)]
        self.x = self.layers[0].x  # (length, runs, inputs, samples), to be filled with the inputs
        counted = shape.length - shape.first_counted
        answers = np.zeros((2, self.runs, counted, shape.outputs, samples))
        # One array for the losses, (runs, counted steps * outputs, samples), seen by the products step by step.
        self.z_out, self.delta_out = answers.reshape(2, self.runs, counted * shape.outputs, samples)
        self._z_steps, self._delta_steps = answers.swapaxes(1, 2)

    def draw_slopes(self, rngs: Sequence[np.random.Generator]) -> None:
        """Do nothing: no cell has random slopes."""

    def forward(self) -> None:
        """Compute every h and the answers' z from `x`."""
        for below, layer in zip([None, *self.layers], self.layers, strict=False):
            if below is not None:
                layer.x[...] = below.h[1:]
            layer.forward(self.measuring)
        np.matmul(self.weights.output.swapaxes(-1, -2), self._read, self._z_steps)

    @property
    def _read(self) -> Array:
        """The top layer's h, with its row of ones, at the steps that count."""
        shape = self.shape
        return self.layers[-1].s[shape.first_counted + 1 :, :, shape.fan_in(shape.stack - 1) :]

    def backward(self) -> None:
        """Compute every dL/dh and `gradient` from `delta_out`."""
        delta, first = self._delta_steps, self.shape.first_counted + 1
        np.add.reduce(np.matmul(self._read, delta.swapaxes(-1, -2)), axis=0, out=self._gradients.output)
        np.matmul(self.weights.output[:, :-1], delta, self.layers[-1].grad_h[first:])
        for layer in self.layers:
            layer.grad_c[-1] = 0.0
        self.backward_from(first)

    def backward_from(self, first_given: int) -> None:
        """Go on from dL/dh of the top layer, given from h of index `first_given` on, and dL/dc of every layer's last c."""
        for layer, below in zip(self.layers[::-1], [*self.layers[-2::-1], None], strict=True):
            layer.backward(first_given, self.measuring)
            first_given = 1
            if below is not None:
                np.matmul(layer.weights[:, : self.shape.hidden], layer.z, below.grad_h[1:])
        self.shape.forget(self.gradient)

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return self.gradient.nbytes + sum(layer.nbytes for layer in self.layers)
