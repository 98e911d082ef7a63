"""An experiment in the terms of theory: its net, and the samples that are followed through all layers."""

from itertools import pairwise

import numpy as np

from explorer.choices.datasets import Data
from explorer.choices.experiment import Experiment
from explorer.theory.mean_field import WideNet

# Theory follows every pair of samples.
PAIRED_SAMPLES = 16


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
    """Return sigma_w^2 = fan_in Var W and sigma_b^2 between hidden layers; None where weights have no variance that says all.

    Convolutions have the same limit as dense layers, but for the ends of their signals (Xiao et al. 2018).
    """
    variance, fan = experiment.initialization.variance, experiment.hidden_fan
    if variance is None:
        return None
    one = variance(fan, fan, experiment.activation_function)
    return fan * one * experiment.gain**2, one if experiment.draws_bias else 0.0


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
