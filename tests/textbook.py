"""A plain trainer's forward and backward pass, to compare the engine with.

One run, one layer after the other, samples in rows, z = a @ W + b with W of
shape (fan_in, fan_out), written without a glance at speed. Only the
activations' f and f' come from the registry; they have tests of their own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.choices.activations import Activation
from explorer.choices.experiment import SKIPS, Experiment
from explorer.training.network import Architecture

Array = NDArray[np.float64]


def apply(activation: Activation, z: Array) -> Array:
    """f(z) in a new array."""
    return activation.f(z, np.empty_like(z))


def slope(activation: Activation, z: Array) -> Array:
    """f'(z) in a new array."""
    return activation.df(z, np.empty_like(z))


@dataclass
class Parameters:
    """Of one layer; scale and shift only where it is normalized."""

    W: Array
    b: Array
    scale: Array | None = None
    shift: Array | None = None


def parameters(shape: Architecture, theta: Array, run: int) -> list[Parameters]:
    """Cut the stacked parameters of one run into layers."""
    layers = []
    for layer in range(shape.layers):
        fan_in, fan_out = shape.fan(layer)
        block = theta[layer, run]
        made = Parameters(block[:fan_in, :fan_out].copy(), block[shape.weight_rows, :fan_out].copy())
        if shape.normalized and layer < shape.depth:
            made.scale, made.shift = block[shape.weight_rows + 1].copy(), block[shape.weight_rows + 2].copy()
        layers.append(made)
    return layers


@dataclass
class Pass:
    """Everything of one forward and backward pass; lists run over layers from the input."""

    z: list[Array]
    n: list[Array]
    a: list[Array]
    h: list[Array]
    slope: list[Array]
    through_weights: list[Array]
    through_skip: list[Array]
    through_slope: list[Array]
    delta: list[Array]
    dW: list[Array]
    db: list[Array]
    dscale: list[Array]
    dshift: list[Array]

    @property
    def squared_norm(self) -> float:
        """Of all gradients together."""
        return sum(float((g**2).sum()) for g in (*self.dW, *self.db, *self.dscale, *self.dshift))


def _normalize(z: Array, kind: str) -> Array:
    axis = {"batch": 0, "layer": 1}[kind]
    return (z - z.mean(axis, keepdims=True)) / np.sqrt(z.var(axis, keepdims=True) + 1e-5)


def _normalize_backward(dn: Array, z: Array, kind: str) -> Array:
    # By the whole Jacobian of one unit (or one sample) at a time.
    if kind == "layer":
        return _normalize_backward(dn.T, z.T, "batch").T
    count = len(z)
    dz = np.empty_like(dn)
    for unit in range(z.shape[1]):
        std = np.sqrt(z[:, unit].var() + 1e-5)
        hat = (z[:, unit] - z[:, unit].mean()) / std
        jacobian = (np.eye(count) - np.ones((count, count)) / count - np.outer(hat, hat) / count) / std
        dz[:, unit] = jacobian.T @ dn[:, unit]
    return dz


def loss_delta(name: str, answer: Array, y: Array, output: str) -> Array:
    """dL/dz of the output unit, by the chain rule from the answer."""
    count = len(y)
    if name == "cross-entropy":
        return (answer - y) / count
    error = answer - y if name == "half squared error" else 2 * (answer - y) / count
    return error * answer * (1 - answer) if output == "sigmoid" else error


def run_pass(
    experiment: Experiment, layers: list[Parameters], x: Array, y: Array, slopes: list[Array] | None = None
) -> Pass:
    """Go forward and backward once.

    `slopes`: per hidden layer the (samples, units) slopes below 0 of a randomized ReLU.
    """
    activation, kind = experiment.activation_function, experiment.normalization
    depth, skip = experiment.depth, SKIPS[experiment.skip]
    source = {layer: layer - skip for layer in range(skip, depth) if skip and (layer - skip) % skip == 0}
    z, n, a, h = [], [], [], []
    handed = x
    for layer in range(depth):
        p = layers[layer]
        z.append(handed @ p.W + p.b)
        n.append(z[-1] if kind == "none" else _normalize(z[-1], kind) * p.scale + p.shift)
        a.append(apply(activation, n[-1]) if slopes is None else np.where(n[-1] > 0, n[-1], slopes[layer] * n[-1]))
        h.append(a[-1] + h[source[layer]] if layer in source else a[-1])
        handed = h[-1]
    z.append(handed @ layers[-1].W + layers[-1].b)
    answer = apply(experiment.output, z[-1])
    name = next(key for key, entry in _losses().items() if entry is experiment.loss_function)
    delta: list[Array] = [np.empty(0)] * depth + [loss_delta(name, answer, y[:, None], experiment.output.name)]
    f_slope = [slope(activation, n[k]) if slopes is None else np.where(n[k] > 0, 1.0, slopes[k]) for k in range(depth)]
    through_weights, dh, through_slope = ([np.empty(0)] * depth for _ in range(3))
    brought = {k: 0.0 for k in range(depth)}
    dscale, dshift = [], []
    for k in reversed(range(depth)):
        through_weights[k] = delta[k + 1] @ layers[k + 1].W.T
        dh[k] = through_weights[k] + brought[k]
        if k in source:
            brought[source[k]] = dh[k]
        dn = through_slope[k] = dh[k] * f_slope[k]
        if kind == "none":
            delta[k] = dn
        else:
            dscale.append((dn * _normalize(z[k], kind)).sum(0))
            dshift.append(dn.sum(0))
            delta[k] = _normalize_backward(dn * layers[k].scale, z[k], kind)
    inputs = [x, *h]
    has_b = [experiment.bias != "none" and (k == depth or kind != "batch") for k in range(depth + 1)]
    return Pass(
        z, n, a, h, f_slope, through_weights, dh, through_slope, delta,
        dW=[inputs[k].T @ delta[k] for k in range(depth + 1)],
        db=[delta[k].sum(0) * has_b[k] for k in range(depth + 1)],
        dscale=dscale[::-1], dshift=dshift[::-1],
    )  # fmt: skip


def _losses() -> dict[str, object]:
    from explorer.choices.losses import LOSSES

    return dict(LOSSES)


# --- material for tests -----------------------------------------------------------------------


def real(shape: Architecture) -> NDArray[np.bool_]:
    """Which entries of theta are parameters rather than padding: (layers, 1, rows, width)."""
    mask = np.zeros((shape.layers, 1, shape.rows, shape.width), dtype=bool)
    for layer in range(shape.layers):
        fan_in, fan_out = shape.fan(layer)
        mask[layer, 0, :fan_in, :fan_out] = True
        mask[layer, 0, shape.weight_rows, :fan_out] = shape.has_bias(layer)
        if shape.normalized and layer < shape.depth:
            mask[layer, 0, shape.weight_rows + 1 :] = True
    return mask


def random_theta(shape: Architecture, runs: int, rng: np.random.Generator, size: float = 1.5) -> Array:
    """Parameters under which signals neither die nor explode, scale and shift away from 1 and 0."""
    theta = np.zeros((shape.layers, runs, shape.rows, shape.width))
    for layer in range(shape.layers):
        fan_in, fan_out = shape.fan(layer)
        theta[layer, :, :fan_in, :fan_out] = rng.normal(0, size / np.sqrt(fan_in), (runs, fan_in, fan_out))
        theta[layer, :, shape.weight_rows, :fan_out] = rng.normal(0, 0.5, (runs, fan_out)) * shape.has_bias(layer)
    if shape.normalized:
        theta[:-1, :, shape.weight_rows + 1] = rng.uniform(0.7, 1.4, (shape.depth, runs, shape.width))
        theta[:-1, :, shape.weight_rows + 2] = rng.normal(0, 0.3, (shape.depth, runs, shape.width))
    return theta
