"""Recurrent architecture: where a recurrent net's weights lie in the array of parameters, and how they start.

All parameters of a run are one row of numbers, so that norms, clipping and
optimizers take the same calls as for layers:

    theta   (1, runs, 1, parameters)

`Weights` are views of it. Every recurrent layer has one matrix whose rows are
the inputs x_t (of the first layer) or the h_t of the layer below, then
h_{t-1}, then the bias, and whose columns are the cell's blocks.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.activations import ACTIVATIONS, Activation
from explorer.cells import Cell
from explorer.initializers import INITIALIZERS
from explorer.recurrent_experiment import RecurrentExperiment
from explorer.recurrent_initializers import RecurrentInitializer

Array = NDArray[np.float64]


class Weights(NamedTuple):
    """Views of an array of theta's shape.

    Attributes
    ----------
    layers : list of (runs, inputs + hidden + 1, blocks * hidden) arrays
        Of each recurrent layer, the first one first.
    output : (runs, hidden + 1, outputs) array
    """

    layers: list[Array]
    output: Array


@dataclass(frozen=True, kw_only=True)
class RecurrentArchitecture:
    """What the arrays' shapes and the two passes depend on.

    Attributes
    ----------
    cell : Cell
    activation : Activation
        Of a plain cell.
    inputs, hidden, stack, outputs : int
        Inputs of a step, units of h_t, recurrent layers, numbers of an answer.
    length, first_counted : int
        Time steps, and the first step, from 0, at which there is an answer.
    truncation : int
        Steps of a piece from which no gradient flows to the piece before; 0: one piece.
    """

    cell: Cell
    activation: Activation
    inputs: int
    hidden: int
    stack: int
    outputs: int
    length: int
    first_counted: int
    truncation: int = 0

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
        found = []
        for layer, weights in enumerate(self.views(theta).layers):
            rows = weights[:, self.from_h(layer)]
            found += [rows[:, :, self.cell.block(name, self.hidden)] for name in self.cell.recurrent]
        return np.stack(found, axis=1)

    def forget(self, stack: Array) -> None:
        """Set to 0, in an array of theta's shape, what the cell has no weights for."""
        for layer, weights in enumerate(self.views(stack).layers):
            for name in self.cell.unseen_by_h:
                weights[:, self.from_h(layer), self.cell.block(name, self.hidden)] = 0.0
            for name in self.cell.unseen_by_x:
                weights[:, : self.fan_in(layer), self.cell.block(name, self.hidden)] = 0.0


def start(
    shape: RecurrentArchitecture,
    initializer: RecurrentInitializer,
    strength: float,
    forget_bias: float,
    rngs: list[np.random.Generator],
) -> Array:
    """Draw the first parameters, one generator a run, layer by layer and block by block, W_xh before W_hh.

    Biases are 0, but for the gate that keeps the state.

    Returns
    -------
    theta : (1, runs, 1, parameters) array
    """
    theta = np.zeros((1, len(rngs), 1, shape.parameters))
    lecun, linear, weights = INITIALIZERS["LeCun"], ACTIVATIONS["linear"], shape.views(theta)
    for run, rng in enumerate(rngs):
        for layer, matrix in enumerate(weights.layers):
            for name in shape.cell.blocks:
                columns, fan_in = matrix[run, :, shape.cell.block(name, shape.hidden)], shape.fan_in(layer)
                columns[:fan_in] = lecun.draw(rng, fan_in, shape.hidden, linear)
                columns[shape.from_h(layer)] = initializer.draw(rng, shape.hidden, strength)
                columns[-1] = forget_bias * (name == shape.cell.memory_gate)
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
