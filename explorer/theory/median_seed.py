"""The median seed: theory's lines, by a bounded numerical integration over what is random in them.

That is z of the output, normal over seeds, and the logarithms that `typical_gradients` follows; both are drawn a fixed number of
times. No net is drawn.
"""

import math
from dataclasses import dataclass

import numpy as np

from explorer.choices.activations import Activation
from explorer.choices.arrays import Array
from explorer.choices.datasets import Data
from explorer.choices.experiment import Experiment
from explorer.theory.correlations import SamplePairs
from explorer.theory.mean_field import WideNet, delta_at
from explorer.theory.typical_gradients import TypicalGradients, typical_gradients
from explorer.theory.typical_signals import LogSize, TypicalSignals, concentration, share_lost, typical_signals
from explorer.training.measures import root_sum_square

DRAWS = 500
# Between these shares of seeds at 0, whether the median seed is one of them is left open.
FEW_DEAD, MOST_DEAD = 0.35, 0.65
# A sum over samples that is smaller than this share of its parts is beyond what theory resolves.
CANCELLED = 1e-6
_SATURATED = (
    "The output saturates: in about half of the seeds its gradient is smaller than the smallest floating-point number."
)
_CANCEL = "The samples' parts of dL/dW cancel almost exactly; theory does not resolve what is left."


@dataclass(frozen=True)
class MedianSeed:
    """What the median seed has of every layer; None, with a reason, where that is not known."""

    delta: Array | None
    weight_gradient: Array | None
    reason: str = ""
    weight_reason: str = ""


@dataclass(frozen=True)
class _Drawn:
    """Seeds by the few numbers that theory knows the distribution of."""

    z: Array  # Of the output, (draws, samples)
    out: Array  # dL/dz there, over `scale`
    scale: Array  # Of each draw: the largest dL/dz, because squares of small ones would underflow
    normal: Array  # What the logarithms of gradients are drawn from
    each: float  # How many samples one that is followed stands for

    def sizes(self, gradients: TypicalGradients, layer: int) -> tuple[Array, Array]:
        """Return |dL/dz| of a layer over `scale`: the random part, and what comes from the part along the signal."""
        size = _of_all(gradients.delta[layer - 1], self.each)
        own = np.exp((size.mean + self.normal @ _root(size.covariance).T) / 2) * self.out
        along = gradients.along[layer - 1]
        return own, np.sqrt(along) * self.z * self.out if along.any() else np.zeros_like(own)


def median_seed(experiment: Experiment, net: WideNet, data: Data, no_weights: str = "") -> MedianSeed:
    """Integrate over seeds; `data` are the experiment's samples, or some of them; `no_weights` says why dL/dW is not asked."""
    pairs = SamplePairs.all(len(data.y))
    product = np.einsum("pf,pf->p", data.x[pairs.first], data.x[pairs.second])
    signals = typical_signals(net, pairs, product)
    rng = np.random.default_rng(0)
    dead = _dead_shares(signals, rng.standard_normal((DRAWS, pairs.count)))
    reason = _undecided(net.activation, dead)
    if reason:
        return MedianSeed(None, None, reason, reason)
    gradients, seeds = typical_gradients(signals), _draw(experiment, signals, data, rng)
    delta, weight, resolved = [], [], True
    for layer in range(1, net.depth + 2):
        own, along = seeds.sizes(gradients, layer)
        each = root_sum_square(np.hypot(own, along), -1) / math.sqrt(own.shape[1] * net.sizes[layer])
        delta.append(_middle(each * seeds.scale, dead[layer - 1]))
        if not no_weights:
            total, share = _weight_gradient(signals, gradients.cosines[layer - 1], layer, own, along)
            weight.append(_middle(total * seeds.scale, dead[min(layer, net.depth) - 1]))
            resolved = resolved and float(np.median(share)) > CANCELLED
    if not resolved:
        no_weights = _CANCEL
    elif np.isnan(weight).any():
        no_weights = _SATURATED
    reason = _SATURATED if np.isnan(delta).any() else ""
    found, weights = np.array(delta), np.array(weight)
    return MedianSeed(None if reason else found, None if no_weights else weights, reason, no_weights)


def _draw(experiment: Experiment, signals: TypicalSignals, data: Data, rng: np.random.Generator) -> _Drawn:
    net, count, last = signals.net, signals.pairs.count, signals.h[-1]
    normal = rng.standard_normal((3, DRAWS, count))
    length = np.sqrt(signals.wide.h[-1][:count]) * np.exp(normal[0] @ _root(last.covariance).T / 2)
    z = math.sqrt(net.weight_variance[-1]) * length * (normal[1] @ _root(signals.cosines(signals.wide.h[-1])).T)
    z += math.sqrt(net.bias_variance[-1]) * rng.standard_normal((DRAWS, 1))
    out = delta_at(experiment.loss_function, experiment.output, z, data.y) * _unit(experiment, count)
    scale = np.abs(out).max(axis=1)
    scale[scale == 0] = 1.0
    return _Drawn(z, out / scale[:, None], scale, normal[2], len(experiment.points().y) / count)


def _of_all(size: LogSize, each: float) -> LogSize:
    """Return the logarithm of a mean over `each` samples like the one that is followed.

    They have as much in common as it has with the sample most like it; means of log-normal variables are roughly log-normal
    (Fenton 1960).
    """
    if each == 1 or len(size.mean) == 1:
        return size
    others = size.covariance - np.diag(np.full(len(size.mean), np.inf))
    own = np.maximum(size.variance - others.max(axis=1), 0.0)
    averaged = own - np.log1p(np.expm1(np.minimum(own, 500.0)) / each)
    return LogSize(size.mean + averaged / 2, size.covariance - np.diag(averaged))


def _unit(experiment: Experiment, count: int) -> float:
    """Return dL/dz of one sample among all over that among `count`: some losses are means over samples."""
    among_all, among_few = (
        delta_at(experiment.loss_function, experiment.output, np.ones((1, size)), np.zeros(size))[0, 0]
        for size in (len(experiment.points().y), count)
    )
    return float(among_all / among_few)


def _middle(values: Array, dead: float) -> float:
    """Return the median over all seeds, a share of which is dead and at 0; NaN where it may be 0 as well as not."""
    zero = dead + (1 - dead) * float(np.mean(values == 0))
    if zero > FEW_DEAD:
        return math.nan if zero < MOST_DEAD else 0.0
    return float(np.quantile(values, (0.5 - dead) / (1 - dead)) if dead else np.median(values))


def _weight_gradient(
    signals: TypicalSignals, cosines: Array, layer: int, own: Array, along: Array
) -> tuple[Array, Array]:
    """Return |dL/dW| of a layer, and what share of its longest part the sum is.

    |dW|^2 is the sum over s, t of (delta_s . delta_t) (h_s . h_t); `cosines` are those of the deltas' random parts `own`.
    """
    before = signals.wide.h[layer - 1]
    length, cosines_before = np.sqrt(before[: signals.pairs.count]), signals.cosines(before)
    total, share = _length(own * length, cosines * cosines_before)
    if along.any():
        total = np.hypot(total, _length(along * length, signals.cosines(signals.wide.h[layer]) * cosines_before)[0])
    return total, share


def _length(parts: Array, cosines: Array) -> tuple[Array, Array]:
    """Return the length of sums of vectors of given lengths, (draws, vectors), and cosines; and it over the longest part."""
    longest = np.maximum(np.abs(parts).max(axis=1, keepdims=True), np.finfo(float).tiny)
    relative = parts / longest
    share = np.sqrt(np.maximum(np.sum((relative @ cosines) * relative, axis=1), 0.0))
    return share * longest[:, 0], np.where(longest[:, 0] > np.finfo(float).tiny, share, 1.0)


def _root(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    root: Array = vectors * np.sqrt(np.maximum(values, 0.0))
    return root


def _undecided(activation: Activation, dead: Array) -> str:
    if np.any((dead > FEW_DEAD) & (dead < MOST_DEAD)):
        off = "off" if activation.cuts else "far below 0"
        return (
            f"In about half of the seeds some layer is {off} for all samples at once: whether the median seed is one of "
            "them, theory does not tell."
        )
    if np.any(dead >= MOST_DEAD) and not activation.cuts:
        return (
            "In most seeds all units of some layer are far below 0 for all samples at once, where the slope is tiny: how "
            "tiny varies over many orders of magnitude."
        )
    return ""


def _dead_shares(signals: TypicalSignals, normal: Array) -> Array:
    """Return, for each weight layer, the share of seeds whose gradient stops at a layer that is off for all samples.

    A sample is off in a layer of n rectifiers with probability 2^-n (Lu et al. 2020); all are with p^n, where p is the share
    of normal z, correlated as in that layer, that are negative for all samples (derived here).
    """
    net, off = signals.net, np.zeros(signals.net.depth + 1)
    if net.skip or net.layer_norm:
        return off
    apart = np.ones(
        (signals.pairs.count, signals.pairs.count)
    )  # What is left of the squared sines of a wide net's samples
    for layer in range(1, net.depth + 1):
        one, moving = share_lost(signals, layer), ~signals.still(layer)
        cosines = signals.cosines(signals.wide.z[layer])
        cosines = np.copysign(np.sqrt(1 - (1 - cosines**2) * apart), cosines)
        apart = apart * (1 - np.clip((1 + concentration(signals, layer)) / net.sizes[layer], 0, 0.5))
        if one > 0:
            together = normal @ _root(cosines).T
            below = float(np.mean(np.all(together[:, moving] <= 0, axis=1)))
            off[layer - 1] = one ** -math.log2(below) if below > 0 else 0.0
    alive = np.cumprod((1 - off)[::-1])[::-1].astype(np.float64)
    # Without biases a rectifier's layer that is off leaves all later ones at 0, where the slope is 0 too.
    silent = net.activation.df(np.zeros(1), np.empty(1))[0] == 0 and not net.bias_variance.any()
    if silent:
        alive = np.full(len(alive), alive[0])
    alive[-1] = 1.0
    return 1 - alive
