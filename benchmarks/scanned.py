"""The same training in JAX, as its users write it: one jitted function that scans over the epochs; float64, one thread."""

import os
from collections.abc import Callable
from typing import Any

# Read when JAX is imported.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax
from jax import numpy as jnp

from benchmarks import textbook
from explorer.choices.experiment import Experiment
from explorer.choices.normalizations import EPSILON

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call, unused-ignore]

ACTIVATIONS: dict[type[textbook.Layer], Callable[[Any], Any]] = {
    textbook.Sigmoid: jax.nn.sigmoid,
    textbook.Tanh: jnp.tanh,
    textbook.ReLU: jax.nn.relu,
}


def _apply(layer: textbook.Layer, parameters: Any, x: Any) -> Any:
    """Return a layer's output for a batch, one sample a row."""
    if isinstance(layer, textbook.Dense):
        return sum(parameters[1:], x @ parameters[0])
    if isinstance(layer, textbook.BatchNorm):
        normalized = (x - x.mean(axis=0)) / jnp.sqrt(x.var(axis=0) + EPSILON)
        return parameters[0] * normalized + parameters[1]
    if isinstance(layer, textbook.Skip):
        return x + _forward(layer.block, parameters, x)
    return ACTIVATIONS[type(layer)](x)


def _forward(layers: list[textbook.Layer], parameters: Any, x: Any) -> Any:
    for layer, own in zip(layers, parameters, strict=True):
        x = _apply(layer, own, x)
    return x


def _parameters(layers: list[textbook.Layer]) -> list[Any]:
    """Every layer's parameters; of a skip those of its layers."""
    return [
        _parameters(layer.block) if isinstance(layer, textbook.Skip) else list(map(jnp.asarray, layer.parameters))
        for layer in layers
    ]


def build(experiment: Experiment, run: int = 0) -> Callable[[int], Any]:
    """Return what trains one of an experiment's runs for so many more epochs, from the very weights the engine starts from.

    As in `textbook.train`: the whole batch, clipping by global norm, gradient descent. It returns the L2 norm of every
    layer's dL/dW, before clipping, (epochs, layers).
    """
    points, net = experiment.points(), textbook.build(experiment, run)
    x, y = jnp.asarray(points.x), jnp.asarray(points.y[:, None])
    halved = experiment.loss_function.name == "half squared error"

    def loss(parameters: Any) -> Any:
        z = _forward(net.layers, parameters, x)
        if halved:
            return 0.5 * jnp.square(jax.nn.sigmoid(z) - y).sum()
        return (jnp.logaddexp(0.0, z) - y * z).mean()

    def update(parameters: Any, _: Any) -> Any:
        gradient = jax.grad(loss)(parameters)
        leaves = jax.tree.leaves(gradient)
        total = jnp.sqrt(sum(jnp.square(leaf).sum() for leaf in leaves))
        rate = experiment.learning_rate * jnp.minimum(1.0, experiment.threshold / (total + 1e-6))
        norms = jnp.stack([jnp.linalg.norm(leaf) for leaf in leaves if leaf.ndim == 2])
        return jax.tree.map(lambda parameter, slope: parameter - rate * slope, parameters, gradient), norms

    scan = jax.jit(lambda parameters, epochs: jax.lax.scan(update, parameters, length=epochs), static_argnums=1)
    state = [_parameters(net.layers)]

    def advance(epochs: int) -> Any:
        state[0], norms = scan(state[0], epochs)
        return norms.block_until_ready()

    return advance
