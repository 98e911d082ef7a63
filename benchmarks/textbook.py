"""The trainer of a good textbook: one object per layer, samples in rows, z = a @ W + b.

Written to be read, and as fast as that style gets: whole-batch matrix
products, nothing computed twice. The engine must follow its trajectories and
beat its speed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.choices.experiment import Experiment
from explorer.choices.normalizations import EPSILON
from explorer.training.group import Group
from explorer.training.recording import Records

Array = NDArray[np.float64]


class Layer:
    """Something with a forward pass, a backward pass and, perhaps, parameters."""

    def __init__(self) -> None:
        self.parameters: list[Array] = []
        self.gradients: list[Array] = []

    def forward(self, x: Array) -> Array:
        """Return the layer's output for a batch, one sample a row."""
        raise NotImplementedError

    def backward(self, grad: Array) -> Array:
        """From dL/d(output) keep the gradients of the parameters and return dL/d(input)."""
        raise NotImplementedError


class Dense(Layer):
    """z = x @ W + b; without b where a batch normalization follows."""

    def __init__(self, weights: Array, bias: Array | None) -> None:
        super().__init__()
        self.weights, self.bias = weights, bias
        self.parameters = [weights] if bias is None else [weights, bias]

    def forward(self, x: Array) -> Array:
        """Return x @ W + b."""
        self.x = x
        z = x @ self.weights
        return z if self.bias is None else z + self.bias

    def backward(self, grad: Array) -> Array:
        """dL/dW = x' grad, dL/db = column sums of grad, dL/dx = grad W'."""
        self.gradients = [self.x.T @ grad]
        if self.bias is not None:
            self.gradients.append(grad.sum(axis=0))
        return grad @ self.weights.T


class Sigmoid(Layer):
    """a = 1 / (1 + e^-z)."""

    def forward(self, x: Array) -> Array:
        """Return the sigmoid of x."""
        self.a = 1 / (1 + np.exp(-x))
        return self.a

    def backward(self, grad: Array) -> Array:
        """The slope is a (1 - a)."""
        return grad * self.a * (1 - self.a)


class Tanh(Layer):
    """a = tanh z."""

    def forward(self, x: Array) -> Array:
        """Return tanh of x."""
        self.a = np.tanh(x)
        return self.a

    def backward(self, grad: Array) -> Array:
        """The slope is 1 - a^2."""
        return grad * (1 - self.a**2)


class ReLU(Layer):
    """a = max(0, z)."""

    def forward(self, x: Array) -> Array:
        """Return x where it is positive, else 0."""
        self.x = x
        return np.maximum(x, 0)

    def backward(self, grad: Array) -> Array:
        """The slope is 1 where z was positive, else 0."""
        return grad * (self.x > 0)


class BatchNorm(Layer):
    """Each unit gets mean 0 and variance 1 over the batch, then a learnt scale and shift."""

    def __init__(self, scale: Array, shift: Array) -> None:
        super().__init__()
        self.scale, self.shift = scale, shift
        self.parameters = [scale, shift]
        self.running_mean, self.running_variance = np.zeros_like(shift), np.ones_like(scale)

    def forward(self, x: Array) -> Array:
        """Normalize with the batch's statistics and let the running ones follow."""
        mean, variance = x.mean(axis=0), x.var(axis=0)
        self.running_mean = 0.9 * self.running_mean + 0.1 * mean
        self.running_variance = 0.9 * self.running_variance + 0.1 * variance * len(x) / max(len(x) - 1, 1)
        self.std = np.sqrt(variance + EPSILON)
        self.normalized = (x - mean) / self.std
        return self.scale * self.normalized + self.shift

    def backward(self, grad: Array) -> Array:
        """Ioffe & Szegedy 2015, section 3, with the two means written out."""
        count = len(grad)
        self.gradients = [(grad * self.normalized).sum(axis=0), grad.sum(axis=0)]
        along, mean = (self.scale * gradient / count for gradient in self.gradients)
        return (grad * self.scale - mean - self.normalized * along) / self.std


class Skip(Layer):
    """y = x + block(x)."""

    def __init__(self, block: list[Layer]) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Array) -> Array:
        """Return x plus what the block makes of it."""
        y = x
        for layer in self.block:
            y = layer.forward(y)
        return x + y

    def backward(self, grad: Array) -> Array:
        """The gradient comes back through the block and past it."""
        through = grad
        for layer in reversed(self.block):
            through = layer.backward(through)
        return grad + through


ACTIVATIONS = {"sigmoid": Sigmoid, "tanh": Tanh, "ReLU": ReLU}


@dataclass
class Net:
    """Layers from input to output; `learning` are those among them, inside skips too, that have parameters."""

    layers: list[Layer]
    learning: list[Layer]

    def forward(self, x: Array) -> Array:
        """Return z of the output unit."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad: Array) -> None:
        """Leave the gradient of every parameter in its layer."""
        for layer in reversed(self.layers):
            grad = layer.backward(grad)


def build(experiment: Experiment, run: int = 0) -> Net:
    """Build the net of one of an experiment's runs, with the very weights the engine starts from."""
    group = Group(experiment, slice(run, run + 1), Records([experiment]))
    shape, theta = group.shape, group.theta[:, 0]
    layers: list[Layer] = []
    learning: list[Layer] = []
    for number in range(shape.layers):
        fan_in, fan_out = shape.fan(number)
        bias = theta[number, shape.width, :fan_out].copy() if shape.has_bias(number) else None
        block: list[Layer] = [Dense(theta[number, :fan_in, :fan_out].copy(), bias)]
        if number < shape.depth:
            if shape.normalization.uses_batch:
                block.append(BatchNorm(np.ones(fan_out), np.zeros(fan_out)))
            block.append(ACTIVATIONS[experiment.activation]())
        learning += [layer for layer in block if layer.parameters]
        skips = number < shape.depth and shape.shortcut_source(number) is not None
        layers += [Skip(block)] if skips else block
    return Net(layers, learning)


def output_delta(experiment: Experiment, z: Array, y: Array) -> Array:
    """dL/dz of the output unit, a sigmoid: of half the squared error, or of the mean cross-entropy."""
    a = 1 / (1 + np.exp(-z))
    if experiment.loss_function.name == "half squared error":
        return (a - y) * a * (1 - a)
    return (a - y) / len(y)


def train(experiment: Experiment, net: Net) -> Iterator[Array]:
    """Train with the whole batch, clipping by global norm and gradient descent; yields at every epoch.

    Yields
    ------
    norms : (layers,) array
        L2 norm of every layer's dL/dW, before clipping.
    """
    points = experiment.points()
    x, y = points.x, points.y[:, None]
    while True:
        net.backward(output_delta(experiment, net.forward(x), y))
        norms = np.array([np.linalg.norm(layer.gradients[0]) for layer in net.learning if isinstance(layer, Dense)])
        total = np.sqrt(sum(np.sum(gradient**2) for layer in net.learning for gradient in layer.gradients))
        rate = experiment.learning_rate * min(1.0, experiment.threshold / (total + 1e-6))
        for layer in net.learning:
            for parameter, gradient in zip(layer.parameters, layer.gradients, strict=True):
                parameter -= rate * gradient
        yield norms
