"""Typical gradients: the logarithms of gradients' lengths, followed from the output to the first layer."""

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from explorer.choices.arrays import Array
from explorer.theory.log_sums import log_gamma
from explorer.theory.mean_field import Gradients, along_signal, backward
from explorer.theory.typical_signals import LogSize, TypicalSignals, concentration, mean_slopes, over_nodes

NODES = 8


@dataclass(frozen=True)
class TypicalGradients:
    """Gradients of a typical seed, of a net whose dL/dz at the output is 1 for every sample; of each weight layer."""

    delta: list[LogSize]  # ln |dL/dz|^2
    # |dL/dz|^2 that comes from the part along the signal, as a multiple of (z dL/dz)^2 of the output: (layers, samples)
    along: Array
    cosines: list[Array]  # Of dL/dz between samples


def typical_gradients(followed: TypicalSignals) -> TypicalGradients:
    """Follow the logarithms of gradients' lengths backward."""
    net, pairs = followed.net, followed.pairs
    wide = backward(net, pairs, followed.wide, np.ones(len(pairs.first)))
    way = _Way(followed, wide)
    # Squares of the cosines between samples' gradients. Narrow layers turn gradients into each other's line.
    square = np.ones((pairs.count, pairs.count))
    way.delta[net.depth + 1] = LogSize.known(np.zeros(pairs.count))
    for layer in range(net.depth, 0, -1):
        units, later = net.sizes[layer], net.reached_from(layer)
        if net.weight_kurtosis[layer] > 1:
            square = square + (1 - square) / units
        branch = way.through_weights(layer + 1, square)
        if later is None:
            way.at_h[layer] = branch
        else:
            way.at_h[layer] = way.joined(layer, later, branch)
            square = np.maximum(followed.cosines(wide.at_h[layer - 1]) ** 2, 1 / units)
        way.delta[layer] = way.through_slopes(layer, square)
        square = square * followed.cosines(followed.wide.slopes[layer]) ** 2
        square = square + (1 - square) * np.clip(concentration(followed, layer) / units, 0, 0.5)
    layers = range(1, net.depth + 2)
    cosines = [followed.cosines(wide.delta[layer - 1]) for layer in layers]
    return TypicalGradients([way.delta[layer] for layer in layers], way.from_signal(), cosines)


@dataclass(frozen=True)
class _Way:
    """The way back, as far as it has been followed: ln |dL/dz|^2 and ln |dL/dh|^2 by layer."""

    signals: TypicalSignals
    wide: Gradients  # Of a wide net with the typical signals
    delta: dict[int, LogSize] = field(default_factory=dict)
    at_h: dict[int, LogSize] = field(default_factory=dict)

    def weights(self, layer: int) -> tuple[float, float]:
        """Return mean and variance of ln |W^T delta|^2 - ln |delta|^2: a sum of n squares, of weights whose kurtosis is known."""
        net = self.signals.net
        units, unevenness = net.sizes[layer - 1], net.weight_kurtosis[layer - 1] - 1
        below = log_gamma(units / unevenness) if unevenness > 0 else 0.0
        return math.log(units * net.weight_variance[layer - 1]) + below, -2 * below

    def through_weights(self, layer: int, square: Array) -> LogSize:
        """From dL/dz of a layer to the dL/dh before it that comes through the weights."""
        mean, variance = self.weights(layer)
        delta = self.delta[layer]
        return delta.changed(delta.mean + mean, np.full(len(square), variance), square)

    def through_slopes(self, layer: int, square: Array) -> LogSize:
        """From dL/dh of a layer to its dL/dz; at a kink the slope is the one that training uses."""
        followed, s, at_h = self.signals, self.signals.wide, self.at_h[layer]
        sums, log_q, still = followed.sums(layer), followed.log_q[layer], followed.still(layer)
        mean, variance = over_nodes(sums.slope.at(log_q), 2 * sums.slope_drop.at(log_q))
        mean = np.where(still, np.log(s.moments[layer].slope_second), mean)
        mean = mean + np.log(s.inverse_variance[layer][: len(mean)])
        # How f'^2 varies over units, in common to two samples.
        common = concentration(followed, layer)
        std = np.sqrt(np.maximum(np.diagonal(common), 0.0))
        scale = np.outer(std, std)
        common = np.clip(np.divide(common, scale, out=np.zeros_like(common), where=scale > 0), -1, 1)
        return at_h.changed(at_h.mean + mean, np.where(still, 0.0, variance), common * (1 + 2 * square) / 3)

    def joined(self, layer: int, later: int, branch: LogSize) -> LogSize:
        """Add the two ways by which dL/dh comes back: g by the shortcut and b, of a random direction, through weights.

        |g + b|^2 = |g|^2 (1 + r + 2 sqrt(r) cos), where r = |b|^2 / |g|^2 is roughly a gamma variable (derived here).
        """
        units, shortcut = self.signals.net.sizes[layer], self.at_h[later]
        ratio, relative = self._branch(range(layer + 1, later + 1))
        size, share = _gamma_nodes(1 / np.maximum(relative, 1e-4))
        cosine, likely = _cosine_nodes(units)
        square = (ratio * size)[:, None, :]
        log_sum = np.log(np.maximum(1 + square + 2 * np.sqrt(square) * cosine[:, None], 1e-12))
        weight = share[:, None, :] * likely[:, None]
        mean = np.sum(weight * log_sum, axis=(0, 1))
        variance = np.sum(weight * (log_sum - mean) ** 2, axis=(0, 1))
        # In common to two samples: b's own spread, and the angle between g and b.
        through, at_h = self.wide.branch[layer - 1], self.wide.at_h[layer - 1]
        alike = self.signals.cosines(at_h - through) * self.signals.cosines(through)
        part = ratio / (1 + ratio)
        mixed = np.sqrt(part * (1 - part))
        common = np.outer(part, part) * (branch.covariance - shortcut.covariance)
        common = common + 4 * np.outer(mixed, mixed) * alike / units
        std = np.sqrt(np.maximum(np.diagonal(common), np.finfo(float).tiny))
        return shortcut.changed(shortcut.mean + mean, variance, common / np.outer(std, std))

    def _branch(self, layers: range) -> tuple[Array, Array]:
        """Return the mean of |b|^2 / |g|^2 and its relative variance, of a gradient g that comes back through `layers`."""
        net, count = self.signals.net, self.signals.pairs.count
        mean, second = np.ones((2, count))
        for layer in layers:
            slope, slope_second = mean_slopes(self.signals, layer)
            units, unevenness = net.sizes[layer - 1], net.weight_kurtosis[layer - 1] - 1
            mean *= slope * self.signals.wide.inverse_variance[layer][:count] * units * net.weight_variance[layer - 1]
            second *= slope_second * (1 + unevenness / units)
        return mean, second - 1

    def from_signal(self) -> Array:
        """Return |dL/dz|^2 of each layer as far as it comes from the part along the signal, which every layer scatters.

        It is a multiple of (z dL/dz)^2 of the output. One of n directions is random like the others and is counted there; what
        the signal's has beyond that counts here (derived here).
        """
        net, count = self.signals.net, self.signals.pairs.count
        along = along_signal(net, self.signals.pairs, self.signals.wide)
        if net.skip == 0 or net.layer_norm:
            return along.delta
        typical = np.array([self.at_h[layer].mean for layer in range(1, net.depth + 1)])
        one = np.exp(typical + self.at_h[net.depth].variance / 2) / net.sizes[1]
        there = along.at_h[:-1] * self.signals.wide.z[-1][:count]
        more = 1 - np.minimum(np.divide(one, there, out=np.ones_like(there), where=there > 0), 1.0)
        total, scattered = along.delta.copy(), np.zeros((net.depth + 1, count))
        total[:-1] *= more
        for layer in range(net.depth - 1, 0, -1):
            later, (passed, _) = net.reached_from(layer), self.weights(layer + 1)
            scattered[layer] = math.exp(passed) * total[layer]
            if later is not None:
                scattered[layer] += scattered[later] + along.scattered[layer - 1] * more[later - 1]
                usual = np.logaddexp(self.at_h[later].mean, passed + self.delta[layer + 1].mean)
                scattered[layer] *= np.nan_to_num(np.exp(self.at_h[layer].mean - usual))
            total[layer - 1] += scattered[layer] * np.nan_to_num(np.exp(self.delta[layer].mean - self.at_h[layer].mean))
        return total


def _gamma_nodes(shape: Array) -> tuple[Array, Array]:
    """Return nodes and weights, (nodes, samples), over gamma variables of mean 1: generalized Gauss-Laguerre."""
    k = np.arange(NODES)
    matrix = np.zeros((len(shape), NODES, NODES))
    matrix[:, k, k] = 2 * k + shape[:, None]
    matrix[:, k[1:], k[:-1]] = np.sqrt(k[1:] * (k[1:] + shape[:, None] - 1))
    values, vectors = np.linalg.eigh(matrix)
    return (values / shape[:, None]).T, (vectors[:, 0, :] ** 2).T


@lru_cache(maxsize=64)
def _cosine_nodes(units: int) -> tuple[Array, Array]:
    """Return nodes and weights over the cosine between a random direction of n and a fixed one: Gauss-Gegenbauer."""
    k = np.arange(2, NODES)
    square = k * (k + units - 3) / ((2 * k + units - 2) * (2 * k + units - 4))
    values, vectors = np.linalg.eigh(np.diag(np.sqrt(np.append(1 / units, square)), -1))
    return values, vectors[0] ** 2
