"""Architecture: what the shapes of a network's arrays depend on, and the first parameters drawn into them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.activations import Activation
from explorer.experiment import SKIPS, Experiment
from explorer.initializers import Initializer
from explorer.normalizations import Normalization

Array = NDArray[np.float64]


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


def architecture(experiment: Experiment) -> Architecture:
    """Return the network's shape that an experiment asks for."""
    return Architecture(
        inputs=experiment.points().x.shape[1],
        width=experiment.width,
        depth=experiment.depth,
        activation=experiment.activation_function,
        normalization=experiment.normalizer,
        skip=SKIPS[experiment.skip],
        biases=experiment.bias != "none",
    )
