"""Finite width: the median seed of a narrow deep net shows far less than the mean over seeds.

A gradient is a product of one random factor per layer. A few lucky seeds dominate the mean of such a product; the median
lies below it by a factor that is exponential in depth over width (Hanin 2018; Hanin & Nica 2020).
"""

import math
from statistics import NormalDist

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.experiment import Experiment
from explorer.theory.layer_by_layer import Recursion
from explorer.theory.mean_field import delta_at

# If the median is below this share of the root mean square at the output itself, a few seeds make the whole mean.
SATURATED = 0.05
DRAWS = 2000
# Random nets among which dead ones are counted, unless the chance is below RARE.
DEAD_NETS = 400
RARE = 0.01


def median_delta(experiment: Experiment, paired: Recursion, delta: Array, samples: int) -> tuple[Array | None, str]:
    """Return delta of a median seed, or why there is none."""
    dead = dead_shares(paired)
    at_output = _median_share(experiment, paired)
    if at_output < SATURATED:
        return None, "The output saturates: from seed to seed its gradient varies over orders of magnitude."
    spread = np.array([_common_spread(paired, layer, samples) for layer in range(len(delta))])
    # Dead seeds lie below all others: the median of all is a lower quantile of those alive, which make the whole mean square.
    quantile = np.array([NormalDist().inv_cdf((0.5 - p) / (1 - p)) if p < 0.5 else -math.inf for p in dead])
    alive = np.log1p(-np.minimum(dead, 0.5))
    log_square = -spread / 2 + np.where(dead > 0, np.sqrt(spread) * quantile - alive, 0.0)
    log_square[dead >= 0.5] = -math.inf
    return delta * at_output * np.exp(log_square / 2), ""


def _median_share(experiment: Experiment, paired: Recursion) -> float:
    """Return median over root mean square, over seeds, of the output's own dL/dz."""
    values, vectors = np.linalg.eigh(paired.pairs.matrix(paired.signals.z[-1]))
    normal = np.random.default_rng(0).standard_normal((DRAWS, len(values)))
    z = normal @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
    square = np.mean(delta_at(experiment.loss_function, experiment.output, z, paired.y) ** 2, axis=1)
    mean = float(np.mean(square))
    return math.sqrt(float(np.median(square)) / mean) if mean > 0 else 0.0


def _common_spread(paired: Recursion, layer: int, samples: int) -> float:
    """Return the spread of ln |delta|^2 of all samples together, from the spread of every pair.

    Where samples differ, as in chaotic nets, their luck averages out, so that pairs count and not only samples. A sample
    with itself is one of `samples` pairs, and outliers beyond ln(samples) are too rare to occur.
    """
    pairs, gradients = paired.pairs, paired.gradients
    share = gradients.delta[layer, : pairs.count] / gradients.delta[layer, : pairs.count].sum()
    weight, spread = np.outer(share, share), pairs.matrix(gradients.spread[layer])
    if samples > pairs.count:
        own = np.diag_indices(pairs.count)
        weight[own] *= pairs.count / samples
        others = weight.copy()
        others[own] = 0.0
        usual = float(np.sum(others * spread) / np.sum(others))
        spread[own] = np.minimum(spread[own], usual + math.log(samples))
    largest = float(spread.max())
    return largest + math.log(float(np.sum(weight * np.exp(spread - largest)) / np.sum(weight)))


def dead_shares(paired: Recursion) -> Array:
    """Return, for each weight layer, the share of nets in which delta is exactly 0 for all samples.

    One sample dies in a layer of n rectifiers with probability 2^-n (Lu et al. 2020). How many die together has no simple
    formula and is counted over random nets of the same sizes.
    """
    net = paired.net
    never = np.zeros(net.depth + 1)
    slope = net.activation.df(np.array([-1.0]), np.empty(1))[0]
    if slope != 0 or net.layer_norm or net.depth * 2.0 ** -net.sizes[1] < RARE:
        return never
    rng = np.random.default_rng(0)
    dead, h = [], _coordinates(paired)
    sources: list[Array] = [h]
    for layer in range(1, net.depth + 1):
        fan_in, fan_out = (h.shape[-1], net.sizes[layer])
        z = h @ rng.normal(0, math.sqrt(net.weight_variance[layer - 1]), (DEAD_NETS, fan_in, fan_out))
        z += rng.normal(0, math.sqrt(net.bias_variance[layer - 1]), (DEAD_NETS, 1, fan_out))
        dead.append(np.all(z <= 0, axis=-1))
        source = net.shortcut(layer)
        h = np.maximum(z, 0) if source is None else np.maximum(z, 0) + sources[source]
        sources.append(h)
    if net.skip == 0:
        # A dead layer stops the gradient for all layers before it.
        dead = list(np.logical_or.accumulate(dead[::-1])[::-1])
    never[:-1] = [np.mean(np.all(layer, axis=-1)) for layer in dead]
    return never


def _coordinates(paired: Recursion) -> Array:
    """Return points with the inner products of the inputs, which for random weights can replace them."""
    values, vectors = np.linalg.eigh(paired.pairs.matrix(paired.signals.h[0]))
    some = values > 1e-12 * values[-1]
    points: Array = vectors[:, some] * np.sqrt(values[some])
    return points
