"""Layer by layer: an experiment in the terms of theory, its net, data and loss followed through all layers."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.datasets import Data
from explorer.choices.experiment import Experiment
from explorer.theory.correlations import SamplePairs
from explorer.theory.mean_field import (
    Gradients,
    Signals,
    WideNet,
    along_signal,
    backward,
    delta_at,
    forward,
    output_delta,
)
from explorer.theory.moments import normal_nodes

# dL/dW and the median seed need every pair of samples.
PAIRED_SAMPLES = 16
# Samples of nearly equal length share a group: the recursions depend on a sample's length alone.
GROUPS = 24


def wide_net(experiment: Experiment) -> WideNet:
    """Return sizes, variances and shortcuts of an experiment's net."""
    f, start = experiment.activation_function, experiment.initialization
    assert start.variance is not None
    sizes = (experiment.points().x.shape[1], *[experiment.width] * experiment.depth, 1)
    fans = list(pairwise(sizes))
    one = np.array([start.variance(fan_in, fan_out, f) for fan_in, fan_out in fans])
    return WideNet(
        sizes=sizes,
        weight_variance=one * experiment.gain**2,
        bias_variance=one * experiment.draws_bias,
        activation=f,
        layer_norm=experiment.normalizer.axis == -2,
        skip=experiment.skipped,
        weight_kurtosis=np.array([_weight_kurtosis(experiment, fan_out) for _, fan_out in fans]),
    )


def hidden_variances(experiment: Experiment) -> tuple[float, float] | None:
    """Return sigma_w^2 = fan_in Var W and sigma_b^2 between hidden layers; None where weights have no variance that says all."""
    variance, width = experiment.initialization.variance, experiment.width
    if variance is None:
        return None
    one = variance(width, width, experiment.activation_function)
    return width * one * experiment.gain**2, one if experiment.draws_bias else 0.0


def _weight_kurtosis(experiment: Experiment, terms: int) -> float:
    # Of a sum of `terms` weights with random coefficients u, E u^4 = 3 / (terms (terms + 2)) for |u| = 1.
    start = experiment.initialization
    return 1.0 if start.orthogonal else 3 + start.excess_kurtosis * 3 / (terms + 2)


def subsample(data: Data) -> Data:
    """Return at most PAIRED_SAMPLES samples, half of them of low and half of high y."""
    count = len(data.y)
    if count <= PAIRED_SAMPLES:
        return data
    order = np.argsort(data.y, kind="stable")
    half = PAIRED_SAMPLES // 2
    middle = int(np.searchsorted(data.y[order], np.unique(data.y)[len(np.unique(data.y)) // 2]))
    middle = min(max(middle, half), count - half)
    low = np.linspace(0, middle - 1, half).astype(int)
    high = np.linspace(middle, count - 1, half).astype(int)
    chosen = order[np.concatenate([low, high])]
    return Data(data.x[chosen], data.y[chosen])


@dataclass(frozen=True)
class Recursion:
    """Signals and gradients of some samples, with what `along_signal` returns."""

    net: WideNet
    pairs: SamplePairs
    y: Array
    signals: Signals
    gradients: Gradients
    along_signal: Array

    @classmethod
    def of_pairs(cls, experiment: Experiment, net: WideNet, data: Data) -> "Recursion":
        """Follow every pair of a small data set."""
        pairs = SamplePairs.all(len(data.y))
        product = np.einsum("pf,pf->p", data.x[pairs.first], data.x[pairs.second])
        signals = forward(net, pairs, product)
        delta_out = output_delta(experiment.loss_function, experiment.output, pairs, signals.z[-1], data.y)
        z = signals.z[-1][: pairs.count]
        along = along_signal(net, pairs, signals, delta_times_z_square(experiment, z, data.y))
        return cls(net, pairs, data.y, signals, backward(net, pairs, signals, delta_out), along)

    def delta(self, share: Array) -> Array:
        """Return the RMS of dL/dz of each layer; `share` are the samples' weights."""
        squares = self.gradients.delta[:, : self.pairs.count] @ share
        units = np.array(self.net.sizes[1:])
        plain = np.sqrt(squares / units) * np.exp(self.gradients.log_scale / 2)
        total: Array = np.hypot(plain, np.sqrt(self.along_signal @ share / units))
        return total


def of_groups(experiment: Experiment, net: WideNet, data: Data) -> Array:
    """Return delta of a large data set, its samples grouped by their length."""
    square = np.sum(data.x**2, axis=1)
    groups = np.array_split(np.argsort(square), min(GROUPS, len(square)))
    pairs = SamplePairs.diagonal(len(groups))
    signals = forward(net, pairs, np.array([square[group].mean() for group in groups]))
    z, of_sample = np.empty(len(square)), SamplePairs.diagonal(len(square))
    for variance, group in zip(signals.z[-1], groups, strict=True):
        z[group] = variance
    delta_out = output_delta(experiment.loss_function, experiment.output, of_sample, z, data.y)
    averaged = np.array([delta_out[group].mean() for group in groups])
    gradients = backward(net, pairs, signals, averaged)
    product = delta_times_z_square(experiment, z, data.y)
    along = along_signal(net, pairs, signals, np.array([product[group].mean() for group in groups]))
    share = np.array([len(group) for group in groups]) / len(square)
    return Recursion(net, pairs, data.y, signals, gradients, along).delta(share)


def delta_times_z_square(experiment: Experiment, z: Array, y: Array) -> Array:
    """Return E (z dL/dz)^2 of each sample's output, z its variance."""
    node, weight = normal_nodes()
    at = np.sqrt(z) * node[:, None]
    square: Array = weight @ np.square(delta_at(experiment.loss_function, experiment.output, at, y) * at)
    return square
