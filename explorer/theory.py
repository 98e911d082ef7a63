"""What mean-field theory predicts of an experiment before its first update.

The layer-by-layer recursions of a wide net with the experiment's own sizes,
weights, data and loss. The root mean square over seeds is what the theory
gives; what one seed typically shows is less, and in a narrow deep net by
orders of magnitude, because a product of many random factors is skewed
(Hanin 2018). Where a prediction would mislead there is none, but a reason.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from explorer.datasets import Data
from explorer.experiment import CONTROLS, SKIPS, Experiment
from explorer.meanfield import (
    Gradients,
    Pairs,
    Signals,
    WideNet,
    along_signal,
    backward,
    delta_at,
    forward,
    output_delta,
)
from explorer.moments import expectations, fixed_point, normal_nodes

Array = NDArray[np.float64]

# dL/dW needs every pair of samples; so does what a seed typically shows.
PAIRED_SAMPLES = 16
# Samples of nearly the same length share a group: the recursions depend on a sample's length alone.
GROUPS = 32
# Below this width, measured layer-normalized nets leave the large-width formula by more than a factor 1.5.
LAYER_NORM_WIDTH = 16
# A median below this share of the root mean square at the output itself means that seeds agree on nothing.
SATURATED = 0.05
DRAWS = 2000
DEAD_NETS = 500
RARE = 0.01
_MATTER = (
    "task", "samples", "noise", "depth", "width", "activation", "initializer", "gain", "bias", "normalization",
    "skip", "loss",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What theory says of an experiment at initialization; None, with a reason, where it says nothing.

    Attributes
    ----------
    delta : (layers,) array or None
        RMS over samples and units of dL/dz, root mean square over seeds.
    typical_delta : (layers,) array or None
        The same of a median seed; exactly 0 where more than half of the seeds are dead.
    weight_gradient : (layers,) array or None
        L2 norm of dL/dW, root mean square over seeds.
    factor, typical_factor : float or None
        What each hidden layer multiplies |dL/dz| by: geometric mean over the hidden layers.
    limit_factor : float or None
        The same deep inside a very deep, very wide net, whatever the data.
    probability_all_dead : float
        Share of nets whose dL/dz at the first layer is exactly 0 for all samples.
    reason, typical_reason, weight_reason : str
        Why there is no `delta`, `typical_delta`, `weight_gradient`; empty where there is.
    """

    delta: Array | None = None
    typical_delta: Array | None = None
    weight_gradient: Array | None = None
    limit_factor: float | None = None
    probability_all_dead: float = 0.0
    reason: str = ""
    typical_reason: str = ""
    weight_reason: str = ""

    @property
    def factor(self) -> float | None:
        """Geometric mean of the ratios of adjacent hidden layers' delta, going backward."""
        return _factor(self.delta)

    @property
    def typical_factor(self) -> float | None:
        """The same for a median seed."""
        return _factor(self.typical_delta)


def _factor(delta: Array | None) -> float | None:
    if delta is None or len(delta) < 3 or not (delta[0] > 0 and delta[-2] > 0):
        return None
    return float(math.exp((math.log(delta[0]) - math.log(delta[-2])) / (len(delta) - 2)))


def predict(experiment: Experiment) -> Prediction:
    """Predict dL/dz and dL/dW of every layer, first to last, in the units of the experiment's loss.

    The gradient is that of all data at once, at initialization. See
    `Prediction` for what is left out and why.

    Notes
    -----
    Poole et al. 2016; Schoenholz et al. 2017, eqs. 7 and 13; Yang & Schoenholz
    2017 for shortcuts; Yang et al. 2019 for normalization; Hanin 2018 and
    Hanin & Nica 2020 for finite width.
    """
    irrelevant = {name: control.default for name, control in CONTROLS.items() if name not in _MATTER}
    return _predict(experiment.but(**irrelevant))


@lru_cache(maxsize=512)
def _predict(experiment: Experiment) -> Prediction:
    limit = limit_factor(experiment)
    reason = _no_theory(experiment)
    if reason:
        return Prediction(reason=reason, typical_reason=reason, weight_reason=reason, limit_factor=limit)
    with np.errstate(all="ignore"):
        return _by_layer(experiment, limit)


def _no_theory(experiment: Experiment) -> str:
    if experiment.initialization.variance is None:
        return (
            f"Mean-field theory needs independent weights of mean 0; {experiment.initializer} initialization has others."
        )
    if experiment.normalizer.uses_batch:
        return (
            "Under batch normalization the gradient depends on how the batch spreads over all directions; "
            "the known formula is for inputs of many dimensions and a large batch, not for points in a plane."
        )
    if experiment.normalizer.axis == -2 and experiment.width < LAYER_NORM_WIDTH:
        return f"The formula for layer normalization is for wide layers, {LAYER_NORM_WIDTH} units or more."
    return ""


def limit_factor(experiment: Experiment) -> float | None:
    """Return what a layer far from both ends of a very deep, very wide net multiplies |dL/dz| by.

    sqrt(chi_1) without normalization; sqrt(E f'^2 / Var f) under batch and
    sqrt(E f'^2 / E f^2) under layer normalization, at variance 1 (Yang et al.
    2019); None with shortcuts, which have no such limit, and where weights have no variance.
    """
    variance, width = experiment.initialization.variance, experiment.width
    if variance is None or experiment.skip != "none":
        return None
    f = experiment.activation_function
    if experiment.normalizer.axis is not None:
        m = expectations(f, 1.0)
        below = m.variance if experiment.normalizer.uses_batch else m.second
        return math.sqrt(float(m.slope_second / below))
    one = variance(width, width, f)
    bias = one if experiment.draws_bias else 0.0
    return math.sqrt(fixed_point(f, width * one * experiment.gain**2, bias).chi)


# --- the experiment in the theory's terms -----------------------------------------------------


def wide_net(experiment: Experiment) -> WideNet:
    """Return sizes, variances and shortcuts of an experiment's net."""
    f, start = experiment.activation_function, experiment.initialization
    assert start.variance is not None
    sizes = (experiment.points().x.shape[1], *[experiment.width] * experiment.depth, 1)
    fans = list(zip(sizes[:-1], sizes[1:], strict=True))
    one = np.array([start.variance(fan_in, fan_out, f) for fan_in, fan_out in fans])
    return WideNet(
        sizes=sizes,
        weight_variance=one * experiment.gain**2,
        bias_variance=one * experiment.draws_bias,
        activation=f,
        layer_norm=experiment.normalizer.axis == -2,
        skip=SKIPS[experiment.skip],
        weight_kurtosis=np.array([_weight_kurtosis(experiment, fan_out) for _, fan_out in fans]),
    )


def _weight_kurtosis(experiment: Experiment, terms: int) -> float:
    # Of a sum of `terms` weights with random coefficients u, E u^4 = 3 / (terms (terms + 2)) for |u| = 1.
    if experiment.initializer == "orthogonal":
        return 1.0
    if "uniform" in experiment.initializer:
        return 3 - 1.2 * 3 / (terms + 2)
    return 3.0


def _few(data: Data) -> Data:
    """Return at most PAIRED_SAMPLES samples, as many of low as of high y."""
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


# --- the prediction ---------------------------------------------------------------------------


def _by_layer(experiment: Experiment, limit: float | None) -> Prediction:
    net, data = wide_net(experiment), experiment.points()
    if len(data.y) <= PAIRED_SAMPLES:
        paired = _Recursion.of_pairs(experiment, net, data)
        delta = paired.delta(np.full(len(data.y), 1 / len(data.y)))
    else:
        delta = _of_groups(experiment, net, data)
        paired = None
    if not np.all(np.isfinite(delta)) or np.any(delta <= 0):
        reason = "Signals or gradients leave the range of floating-point numbers."
        return Prediction(reason=reason, typical_reason=reason, weight_reason=reason, limit_factor=limit)
    weight_gradient, weight_reason = _weight_gradient(experiment, paired)
    if paired is None:
        paired = _Recursion.of_pairs(experiment, net, _few(data))
    typical, typical_reason, dead = _typical(experiment, paired, delta, len(data.y))
    return Prediction(
        delta=delta,
        typical_delta=typical,
        weight_gradient=weight_gradient,
        limit_factor=limit,
        probability_all_dead=dead,
        typical_reason=typical_reason,
        weight_reason=weight_reason,
    )


@dataclass(frozen=True)
class _Recursion:
    """Signals and gradients of some samples."""

    net: WideNet
    pairs: Pairs
    y: Array
    signals: Signals
    gradients: Gradients
    leaning: Array

    @classmethod
    def of_pairs(cls, experiment: Experiment, net: WideNet, data: Data) -> "_Recursion":
        """Follow every pair of a few samples."""
        pairs = Pairs.every(len(data.y))
        product = np.einsum("pf,pf->p", data.x[pairs.first], data.x[pairs.second])
        signals = forward(net, pairs, product)
        delta_out = output_delta(experiment.loss_function, experiment.output, pairs, signals.z[-1], data.y)
        z = signals.z[-1][: pairs.count]
        leaning = along_signal(net, pairs, signals, _delta_times_z(experiment, z, data.y))
        return cls(net, pairs, data.y, signals, backward(net, pairs, signals, delta_out), leaning)

    def delta(self, share: Array) -> Array:
        """Return the RMS of dL/dz of each layer; `share` weighs the samples."""
        squares = self.gradients.delta[:, : self.pairs.count] @ share
        units = np.array(self.net.sizes[1:])
        plain = np.sqrt(squares / units) * np.exp(self.gradients.log_scale / 2)
        total: Array = np.hypot(plain, np.sqrt(self.leaning @ share / units))
        return total


def _of_groups(experiment: Experiment, net: WideNet, data: Data) -> Array:
    """Return delta of a large data set, its samples grouped by their length."""
    square = np.sum(data.x**2, axis=1)
    groups = np.array_split(np.argsort(square), min(GROUPS, len(square)))
    pairs = Pairs.alone(len(groups))
    signals = forward(net, pairs, np.array([square[group].mean() for group in groups]))
    z, of_sample = np.empty(len(square)), Pairs.alone(len(square))
    for variance, group in zip(signals.z[-1], groups, strict=True):
        z[group] = variance
    delta_out = output_delta(experiment.loss_function, experiment.output, of_sample, z, data.y)
    averaged = np.array([delta_out[group].mean() for group in groups])
    gradients = backward(net, pairs, signals, averaged)
    product = _delta_times_z(experiment, z, data.y)
    leaning = along_signal(net, pairs, signals, np.array([product[group].mean() for group in groups]))
    share = np.array([len(group) for group in groups]) / len(square)
    return _Recursion(net, pairs, data.y, signals, gradients, leaning).delta(share)


def _delta_times_z(experiment: Experiment, z: Array, y: Array) -> Array:
    """Return E (z dL/dz)^2 of each sample's output, z its variance."""
    node, weight = normal_nodes()
    at = np.sqrt(z) * node[:, None]
    square: Array = weight @ np.square(delta_at(experiment.loss_function, experiment.output, at, y) * at)
    return square


def _weight_gradient(experiment: Experiment, paired: _Recursion | None) -> tuple[Array | None, str]:
    """Return the norm of dL/dW: |dW|^2 is the sum over s, t of (delta_s . delta_t) (h_s . h_t)."""
    if paired is None:
        return None, f"dL/dW sums over all pairs of samples; it is predicted for {PAIRED_SAMPLES} samples or fewer."
    if experiment.normalizer.axis is not None:
        return None, "Normalization ties the units of a layer together; dL/dW is predicted without it only."
    if np.any(paired.leaning > 0):
        return None, "Behind shortcuts, a rectifier's gradient leans along the signal; dL/dW is not predicted."
    twice = np.where(paired.pairs.first == paired.pairs.second, 1.0, 2.0)
    signal = np.array(paired.signals.h)
    square = np.sum(twice * paired.gradients.delta * signal, axis=1)
    return np.sqrt(np.maximum(square, 0.0)) * np.exp(paired.gradients.log_scale / 2), ""


# --- what one seed shows ----------------------------------------------------------------------


def _typical(
    experiment: Experiment, paired: _Recursion, delta: Array, samples: int
) -> tuple[Array | None, str, float]:
    """Return delta of a median seed or why there is none, and the share of dead nets."""
    dead = _dead_shares(paired)
    at_output = _median_share(experiment, paired)
    if at_output < SATURATED:
        reason = "The output saturates: from seed to seed its gradient varies over orders of magnitude."
        return None, reason, float(dead[0])
    spread = np.array([_common_spread(paired, layer, samples) for layer in range(len(delta))])
    # Dead seeds lie below all others: the median of all is a lower quantile of those alive,
    # which carry the whole mean square between them.
    quantile = np.array([NormalDist().inv_cdf((0.5 - p) / (1 - p)) if p < 0.5 else -math.inf for p in dead])
    log_square = -spread / 2 + np.where(dead > 0, np.sqrt(spread) * quantile - np.log1p(-dead), 0.0)
    return delta * at_output * np.exp(log_square / 2), "", float(dead[0])


def _median_share(experiment: Experiment, paired: _Recursion) -> float:
    """Return median over root mean square, over seeds, of the output's own dL/dz."""
    values, vectors = np.linalg.eigh(paired.pairs.matrix(paired.signals.z[-1]))
    normal = np.random.default_rng(0).standard_normal((DRAWS, len(values)))
    z = normal @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
    square = np.mean(delta_at(experiment.loss_function, experiment.output, z, paired.y) ** 2, axis=1)
    return math.sqrt(float(np.median(square) / np.mean(square)))


def _common_spread(paired: _Recursion, layer: int, samples: int) -> float:
    """Return by how much ln |delta|^2 of all samples together varies, from the spread of every pair.

    Where samples differ (in chaotic nets) their luck averages out, so that
    pairs count, not samples alone. A sample with itself is one of `samples`
    pairs, and outliers beyond ln(samples) are too rare to meet.
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


def _dead_shares(paired: _Recursion) -> Array:
    """Return, for each weight layer, in what share of nets delta is exactly 0 for all samples.

    One sample dies in a layer of n rectifiers with probability 2^-n (Hanin
    2018); how many samples die together has no simple formula, so that it is
    counted over random nets of the same sizes.
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
        # What is dead in a layer stops the gradient for all layers before it.
        dead = list(np.logical_or.accumulate(dead[::-1])[::-1])
    never[:-1] = [np.mean(np.all(layer, axis=-1)) for layer in dead]
    return never


def _coordinates(paired: _Recursion) -> Array:
    """Return points with the inner products of the inputs: as good as the inputs, for random weights."""
    values, vectors = np.linalg.eigh(paired.pairs.matrix(paired.signals.h[0]))
    some = values > 1e-12 * values[-1]
    points: Array = vectors[:, some] * np.sqrt(values[some])
    return points
