"""Typical signals: the logarithms of signals' lengths, which over seeds are roughly normal, followed layer by layer.

A signal or gradient in a narrow deep net is a product of one random factor per layer. A few lucky seeds dominate the mean
of such a product; the median lies below it by a factor that is exponential in depth over width (Hanin 2018; Hanin & Nica
2020). So what is followed here and in `typical_gradients` are means and covariances of logarithms (derived here).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.choices.normalizations import EPSILON
from explorer.theory.correlations import SamplePairs
from explorer.theory.log_sums import LayerSums, layer_sums, log_gamma
from explorer.theory.mean_field import Signals, WideNet, begin, step

_ONE, _SHARE = np.polynomial.hermite_e.hermegauss(5)
_SHARE = _SHARE / _SHARE.sum()
# Two independent normal variables: what a layer's signal shares with the one its shortcut starts from, and what is its own.
_SHARED, _OWN = (grid.ravel() for grid in np.meshgrid(_ONE, _ONE, indexing="ij"))
_WEIGHT = np.outer(_SHARE, _SHARE).ravel()
STEP = 0.05  # In ln q, for a slope


@dataclass(frozen=True)
class LogSize:
    """The logarithm of a squared length, of every sample: mean, (samples,), and covariance over seeds."""

    mean: Array
    covariance: Array

    @classmethod
    def known(cls, mean: Array) -> "LogSize":
        """Return what is the same in every seed."""
        return cls(mean, np.zeros((len(mean), len(mean))))

    @property
    def variance(self) -> Array:
        """Of each sample alone."""
        return np.diagonal(self.covariance)

    def nodes(self, shared: Array) -> Array:
        """Return values of each sample at which to integrate over seeds, (nodes, samples); `shared` is the variance shared."""
        shared = np.minimum(shared, self.variance)
        own: Array = _OWN[:, None] * np.sqrt(self.variance - shared)
        return self.mean + _SHARED[:, None] * np.sqrt(shared) + own

    def changed(self, mean: Array, variance: Array, correlation: Array) -> "LogSize":
        """Return a size of this mean; an independent change adds `variance` to each sample's, correlated between them."""
        std = np.sqrt(np.maximum(variance, 0.0))
        return LogSize(mean, self.covariance + correlation * np.outer(std, std))


@dataclass(frozen=True)
class TypicalSignals:
    """Signals of a typical seed."""

    net: WideNet
    pairs: SamplePairs
    wide: Signals  # Inner products at typical lengths
    h: list[LogSize]  # ln |h|^2; entry 0 is the input's
    log_q: list[Array]  # ln of the variance that f sees, (nodes, samples); entry 0 is unused

    def sums(self, layer: int) -> LayerSums:
        """Return what is known of sums over a layer's units."""
        return layer_sums(self.net.activation, self.net.sizes[layer])

    def still(self, layer: int) -> NDArray[np.bool_]:
        """Whether z of a layer is exactly 0 in every seed, as XOR's (0, 0) is in nets without biases, for each sample."""
        return self.wide.z[layer][: self.pairs.count] == 0

    def cosines(self, product: Array) -> Array:
        """Return cosines between samples, as a matrix, from inner products."""
        return self.pairs.matrix(self.pairs.correlation(product))


def over_nodes(mean: Array, variance: Array) -> tuple[Array, Array]:
    """Return mean and variance over seeds: of what varies between nodes, and at each of them."""
    average = _WEIGHT @ mean
    return average, _WEIGHT @ (mean - average) ** 2 + _WEIGHT @ variance


def typical_signals(net: WideNet, pairs: SamplePairs, product: Array) -> TypicalSignals:
    """Follow signals from `product`, the inner products of the inputs; correlations are a wide net's at typical lengths."""
    s = begin(net, pairs, product)
    known = LogSize.known(np.log(product[: pairs.count]))
    followed = TypicalSignals(net, pairs, s, [known], [np.zeros((1, pairs.count))])
    for layer in range(1, net.depth + 1):
        step(net, pairs, s, layer)
        followed.log_q.append(_log_q(followed, layer))
        size = _after_layer(followed, layer)
        followed.h.append(size)
        # From the lengths of a wide net's next layer to those of a typical seed's.
        change = np.exp((size.mean - np.log(s.h[-1][: pairs.count])) / 2)
        change[~np.isfinite(change)] = 1.0
        s.h[-1] = s.h[-1] * pairs.outer(change)
        s.totals[-1] = s.totals[-1] * change
    s.z.append(net.weight_variance[-1] * s.h[-1] + net.bias_variance[-1])
    return followed


def _log_q(followed: TypicalSignals, layer: int) -> Array:
    net, before, source = followed.net, followed.h[-1], followed.net.shortcut(layer)
    h = before.nodes(before.variance if source is None else followed.h[source].variance)
    q = np.logaddexp(math.log(net.weight_variance[layer - 1]) + h, np.log(net.bias_variance[layer - 1]))
    return q - np.logaddexp(q, math.log(EPSILON)) if net.layer_norm else q


def _after_layer(followed: TypicalSignals, layer: int) -> LogSize:
    """Return ln |h|^2 of a layer."""
    log_q, s, count = followed.log_q[-1], followed.wide, followed.pairs.count
    sums, source, units = followed.sums(layer), followed.net.shortcut(layer), followed.net.sizes[layer]
    if source is None:
        x = LogSize.known(np.zeros(count))
        at_nodes = sums.value.at(log_q), 2 * sums.value_drop.at(log_q)
        if followed.net.weight_kurtosis[layer - 1] == 1 and not followed.net.layer_norm:
            at_nodes = _at_fixed_length(sums, units, log_q, *at_nodes)
        mean, variance = over_nodes(*at_nodes)
    else:
        x = followed.h[source]
        lean = s.totals[source] / np.sqrt(units * s.h[source][:count])
        mean, variance = over_nodes(*_with_shortcut(sums, units, log_q, x.nodes(x.variance), lean))
    still = followed.still(layer)
    mean = np.where(still, np.log(s.h[layer][:count]), mean)
    change = np.where(still, 0.0, variance - x.variance)
    return x.changed(mean, change, followed.cosines(s.z[layer]) ** 2)


def _at_fixed_length(sums: LayerSums, units: int, log_q: Array, mean: Array, variance: Array) -> tuple[Array, Array]:
    """Return mean and variance of ln |f(z)|^2 where weights are orthogonal: |z| is that of h, the same in every seed.

    Of independent weights ln |z|^2 varies by itself, and takes ln |f(z)|^2 along by its slope in ln q: that part goes (derived
    here; exact for linear units and rectifiers, whose sizes and directions are independent).
    """
    slope = (sums.value.at(log_q + STEP) - sums.value.at(log_q - STEP)) / (2 * STEP)
    below = log_gamma(units / 2)
    return mean - slope * below, np.maximum(variance + 2 * slope**2 * below, 0.0)


def _with_shortcut(sums: LayerSums, units: int, log_q: Array, log_x: Array, x_lean: Array) -> tuple[Array, Array]:
    """Return mean and variance of ln |x + a|^2 at given |x|^2 and q; `x_lean` is sum x / (sqrt n |x|).

    |x + a|^2 = |x|^2 + sum (2 x_i a_i + a_i^2), whose mean and variance follow from the moments of a = f(z). A sum of squares
    is roughly a gamma variable, of which ln E X - E ln X follows from Var X / (E X)^2 (derived here).
    """
    lean, skew, kurtosis = (table.at(log_q) for table in (sums.lean, sums.skew, sums.kurtosis))
    # Of a unit: E a^2 over |x|^2, and its root.
    square = np.exp(sums.log_square.at(log_q) - log_x)
    root = np.sqrt(square)
    ratio = 1 + units * square + 2 * math.sqrt(units) * x_lean * lean * root
    variance = 4 * square * (1 - lean**2) + units * square**2 * (kurtosis - 1)
    variance += 4 * math.sqrt(units) * x_lean * root * square * (skew - lean)
    relative = np.minimum(variance / ratio**2, 1.0)
    return log_x + np.log(ratio) - relative / 2 - relative**2 / 12, relative + relative**2 / 2


def share_lost(followed: TypicalSignals, layer: int) -> float:
    """Return the share of seeds in which all units of a layer are so far off for one sample that its gradient is lost."""
    moving = ~followed.still(layer)
    if not moving.any():
        return 0.0
    lost = followed.sums(layer).slope_lost.at(followed.log_q[layer][:, moving])
    return float(np.mean(_WEIGHT @ np.clip(lost, 0.0, 1.0)))


def mean_slopes(followed: TypicalSignals, layer: int) -> tuple[Array, Array]:
    """Return E sum f'^2 u^2 for a random direction u, and E of its square over the square of that, of each sample."""
    sums, log_q, units = followed.sums(layer), followed.log_q[layer], followed.net.sizes[layer]
    slope, uneven = np.exp(sums.log_slope.at(log_q)), sums.slope_kurtosis.at(log_q) - 1
    mean = _WEIGHT @ slope
    second = _WEIGHT @ ((slope / mean) ** 2 * (1 + 3 * uneven / (units + 2)))
    still = followed.still(layer)
    return np.where(still, followed.wide.moments[layer].slope_second, mean), np.where(still, 1.0, second)


def concentration(followed: TypicalSignals, layer: int) -> Array:
    """Return E f'^2 f'^2 / (E f'^2 E f'^2) - 1 of each pair of samples: 0 where the same units take part as in any pair."""
    s, pairs = followed.wide, followed.pairs
    usual = pairs.outer(s.moments[layer].slope_second)
    uneven: Array = pairs.matrix(np.divide(s.slope_squares[layer], usual, out=np.ones_like(usual), where=usual > 0) - 1)
    return uneven
