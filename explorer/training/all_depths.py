"""All depths: the gradient before the first update, of nets of many depths at once.

Parameters are drawn layer by layer, and a layer does not look ahead. So, of one
seed, a net of depth k is the first k hidden layers of a deeper one and an
output of its own: one forward pass serves all depths, and on the way back the
nets that have a layer pass it together. What differs between two depths is
then depth alone, not luck.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from explorer.choices.activations import leaky_slope
from explorer.choices.arrays import Array
from explorer.choices.experiment import Experiment
from explorer.choices.normalizations import affine_backward
from explorer.training.group import CACHE_BYTES, runs_that_fit
from explorer.training.measures import rms, root_sum_square
from explorer.training.network import Network, architecture, draw_layer, mean_over_places, spread_over_places


@dataclass(frozen=True, eq=False)
class DepthGradients:
    """What is measured at the start of nets that differ in depth alone; runs are seeds, as of the experiment."""

    depths: NDArray[np.int64]  # (depths,): hidden layers of each net, in the order that was asked for
    # (runs, depths, layers): RMS over samples and units of dL/dz; `[r, i, l]` is of layer l + 1 of the net of depth
    # `depths[i]`, whose output is l = `depths[i]`. NaN beyond it.
    delta: Array
    weight_gradient: Array  # (runs, depths, layers): L2 norm of dL/dW, in the same way
    loss: Array  # (runs, depths): over the whole data set


def gradients_by_depth(experiment: Experiment, depths: Sequence[int]) -> DepthGradients:
    """Measure dL/dz and dL/dW of every layer at the start, for every depth and seed.

    Each number is what training the experiment at that depth records at epoch 0: of the whole data set, before
    clipping, and under batch normalization with the data set as the batch.

    The experiment's own depth does not matter; `depths` may come in any order. Raises ValueError if there are none, or
    one is out of range.

    >>> gradients_by_depth(Experiment(runs=3), [1, 5]).delta.shape
    (3, 2, 6)
    """
    if not len(depths):
        raise ValueError("depths is empty: give at least one number of hidden layers")
    asked = np.array([experiment.but(depth=depth).depth for depth in depths])
    distinct, place = np.unique(asked, return_inverse=True)
    deepest_first = distinct[::-1]
    experiment = experiment.but(depth=int(distinct[-1]))
    sizes = np.full((2, experiment.layers, len(distinct), experiment.runs), np.nan)
    loss = np.empty((len(distinct), experiment.runs))
    at_once = runs_that_fit(experiment.layers, experiment.width, experiment.places * len(experiment.points().y))
    # Overflow and NaN are findings here, not errors.
    with np.errstate(all="ignore"):
        for first in range(0, experiment.runs, at_once):
            runs = slice(first, min(first + at_once, experiment.runs))
            _NestedNets(experiment, deepest_first, runs).measure(sizes[..., runs], loss[:, runs])
    order = len(distinct) - 1 - place
    delta, weight_gradient = sizes[:, :, order].transpose(0, 3, 2, 1)
    return DepthGradients(asked, delta, weight_gradient, loss[order].T)


class _NestedNets:
    """Nets of several depths and a few seeds that have their hidden layers in common.

    Nets are sorted from the deepest to the shallowest, so that those that have a given layer are the first few.
    """

    def __init__(self, experiment: Experiment, depths: NDArray[np.int64], runs: slice) -> None:
        self.experiment, self.depths = experiment, depths
        self.shape, points = architecture(experiment), experiment.points()
        self.y = points.y[None, :]
        rngs = [np.random.default_rng(experiment.seed + run) for run in range(runs.start, runs.stop)]
        slope_rngs = [rng.spawn(1)[0] for rng in rngs]  # as training does for what it measures
        theta = self._draw(rngs)
        self.network = Network(self.shape, theta, len(points.y))
        self.network.x[:] = points.x.T
        self.network.draw_slopes(slope_rngs)

    # --- drawing ------------------------------------------------------------------------------

    def _draw(self, rngs: list[np.random.Generator]) -> Array:
        """Return theta of the deepest net, and fill `heads`, of theta's layout: the output layer of every net."""
        shape = self.shape
        theta = np.zeros((shape.layers, len(rngs), shape.rows, shape.width))
        self.heads = np.zeros((len(self.depths), *theta.shape[1:]))
        number = {int(depth): index for index, depth in enumerate(self.depths)}
        for run, rng in enumerate(rngs):
            for layer in range(shape.layers):
                if layer in number:
                    # A net that ends here draws its output from this very state; a deeper one, its next layer.
                    state = rng.bit_generator.state
                    draw_layer(replace(shape, depth=layer), layer, self.experiment, rng, self.heads[number[layer], run])
                    rng.bit_generator.state = state
                if layer < shape.depth:
                    draw_layer(shape, layer, self.experiment, rng, theta[layer, run])
        if shape.normalized:
            theta[:-1, :, shape.weight_rows + 1, :] = 1.0
        return theta

    # --- measuring ----------------------------------------------------------------------------

    def measure(self, sizes: Array, loss: Array) -> None:
        """Write dL/dz and dL/dW, (2, layers, nets, runs), and the loss, (nets, runs)."""
        self.network.forward()
        _, runs, width, columns = self.network.z.shape
        per_net = 8 * runs * (4 * width * columns + width * (width + 1))
        at_once = max(CACHE_BYTES // per_net, 1)
        for first in range(0, len(self.depths), at_once):
            nets = slice(first, first + at_once)
            _BackwardPass(self, nets).measure(sizes[:, :, nets], loss[nets])


class _BackwardPass:
    """The backward pass of some nets together: of all those that have a layer at once.

    Every net's numbers come from the same operations on arrays of the same
    shape as when it is trained alone, and so do not depend on the others.
    """

    def __init__(self, nested: _NestedNets, nets: slice) -> None:
        self.experiment, self.shape, self.network = nested.experiment, nested.shape, nested.network
        self.y, self.depths, self.heads = nested.y, nested.depths[nets], nested.heads[nets]
        one = self.network.z.shape[1:]
        self.slope = np.empty(one)
        # dL/dz of the layer that was passed last; of a net whose last hidden layer is yet to come, of its output unit,
        # which is the first, all others being 0.
        self.delta = np.zeros((len(self.depths), *one))
        self.gradient = np.empty((*self.delta.shape[:2], self.shape.weight_rows + 1, self.shape.width))
        # A shortcut brings dL/dh back over one layer or two: so many stay at hand.
        self.grad_h = [np.empty_like(self.delta) for _ in range(1 + self.shape.skip)]
        self.scratch = np.empty_like(self.delta)

    def measure(self, sizes: Array, loss: Array) -> None:
        """Write dL/dz and dL/dW, (2, layers, nets, runs), and the loss, (nets, runs)."""
        sizes[:, self.depths, np.arange(len(self.depths))] = self._output(loss)
        for layer in reversed(range(int(self.depths[0]))):
            self._to_dh(layer)
            delta = self._to_dz(layer)
            gradient = self.gradient[: len(delta)]
            np.matmul(self.network.h[layer], delta.swapaxes(-1, -2), gradient)
            sizes[:, layer, : len(delta)] = self._sizes(delta, gradient)

    def _having(self, layer: int) -> int:
        """How many nets, the first ones, have this hidden layer."""
        return int(np.count_nonzero(self.depths > layer))

    def _sizes(self, delta: Array, gradient: Array) -> Array:
        """RMS of dL/dz and L2 norm of dL/dW of one layer: (2, nets, runs)."""
        return np.stack([rms(delta), root_sum_square(gradient[..., : self.shape.weight_rows, :], (-2, -1))])

    def _output(self, loss: Array) -> Array:
        """Compute dL/dz of each net's output from what its last hidden layer hands on; return the sizes there."""
        h = self.network.h[self.depths]
        # It sees each place alone, and has a b even where batch normalization leaves hidden layers none.
        h[..., self.shape.width :, :] = 0.0
        h[..., self.shape.weight_rows, :] = self.shape.biases
        weights = self.heads[..., : self.shape.weight_rows + 1, :1]
        at_places, rule = np.matmul(weights.swapaxes(-1, -2), h), self.experiment.loss_function
        z = np.empty((*at_places.shape[:-1], self.network.samples))
        mean_over_places(at_places, z)
        loss[...] = rule.value(z, self.y, self.experiment.output)
        delta_out = np.empty_like(z)
        rule.delta(z, self.y, self.experiment.output, delta_out)
        spread_over_places(delta_out, self.delta[..., :1, :])
        np.matmul(h, self.delta.swapaxes(-1, -2), self.gradient)
        return self._sizes(self.delta[..., :1, :], self.gradient)

    def _to_dh(self, layer: int) -> None:
        """From dL/dz of the layer above, which of one net may be its output, to dL/dh of hidden layer `layer`."""
        width, deeper = self.shape.width, self._having(layer + 1)
        grad_h = self.grad_h[layer % len(self.grad_h)]
        if deeper:
            self._through_weights(layer + 1, self.delta[:deeper], grad_h[:deeper])
        for last in range(deeper, self._having(layer)):
            np.matmul(self.heads[last, :, :width, :1], self.delta[last, :, :1], grad_h[last])
        # This h also skips to the output of a later layer, whose dL/dh comes back unchanged.
        later = next((k for k in range(layer + 1, self.depths[0]) if self.shape.shortcut_source(k) == layer + 1), None)
        if later is not None:
            reached = slice(self._having(later))
            grad_h[reached] += self.grad_h[later % len(self.grad_h)][reached]

    def _through_weights(self, layer: int, delta: Array, through: Array) -> None:
        """From dL/dz of a hidden layer to the gradient of what it sees, back where it came from."""
        width, rows = self.shape.width, self.shape.fan(layer)[0]
        if rows == width:
            np.matmul(self.network.theta[layer, :, :width], delta, through)
            return
        seen = np.matmul(self.network.theta[layer, :, :rows], delta)
        np.copyto(through, seen[..., :width, :])
        for neighbour, there in self.network.neighbours(seen, width):
            through[..., there] += neighbour

    def _slope(self, layer: int) -> Array:
        """Return f' of a hidden layer, which all nets have in common."""
        network = self.network
        if network.has_slopes:
            return network.slope[layer]
        if network.random is None:
            return self.shape.activation.df(network.n[layer], self.slope)
        leaky_slope(network.n[layer], network.random[layer], self.slope)
        return self.slope

    def _to_dz(self, layer: int) -> Array:
        """From dL/dh to dL/dz of hidden layer `layer`, through slope and normalization."""
        network, rows = self.network, self.shape.weight_rows
        delta = self.delta[: self._having(layer)]
        np.multiply(self.grad_h[layer % len(self.grad_h)][: len(delta)], self._slope(layer), delta)
        axis = self.shape.normalization.axis
        if axis is not None:
            scale = network.theta[layer, :, rows + 1, :, None]
            unused = np.empty((2, *delta.shape[:-1]))  # the gradients of scale and shift
            views = network.z[layer], network.inverse_std[layer], self.scratch[: len(delta)]
            affine_backward(delta, *views, (scale, *unused), axis)
        return delta
