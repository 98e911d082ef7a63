"""Compiled training: which runs take the compiled kernels, once these are loaded."""

import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.choices.clipping import global_norm
from explorer.choices.experiment import Experiment
from explorer.training.cores import CORES, of_each
from explorer.training.group import Group, safe_norm
from explorer.training.network import Network
from explorer.training.recording import Ending, Records
from explorer.training.recurrent_group import RecurrentGroup
from explorer.training.recurrent_network import Layer, RecurrentArchitecture, RecurrentNetwork

# The variable of the environment that, set to "off", leaves all training to NumPy.
VARIABLE, OFF = "GRADIENT_EXPLORER_COMPILED", "off"
KERNEL = "explorer.training.kernel"
# Wider nets spend their time in matrix products, which are BLAS's own ground.
WIDEST = 64
# A call of a kernel cannot be interrupted: a control that moves waits for it.
CALL_SECONDS = 0.01

_log = logging.getLogger(__name__)


class Kernels:
    """The module of the kernels, once it is loaded; until then, and where it cannot be, NumPy trains."""

    def __init__(self) -> None:
        self._module: Any = None
        self._failed = False

    def now(self) -> Any:
        """Return the module, or None if it is not loaded."""
        return None if os.environ.get(VARIABLE) == OFF else self._module

    def load(self) -> bool:
        """Load the kernels, which takes about a second, and return whether there are any.

        Where nobody has done so since they changed, they are compiled first, which takes half a minute. The result stays on
        disk, beside the module or, if that is not writable, in the user's cache.
        """
        if self._module is None and not self._failed and os.environ.get(VARIABLE) != OFF:
            try:
                import_module("numba")  # first, so that what is said where it is missing names it
                self._module = import_module(KERNEL)
            except Exception as error:  # whatever keeps a compiler from working, all works without
                self._failed = True
                _log.warning("Nets train in NumPy alone, several times slower: %s.", error)
        return self._module is not None


KERNELS = Kernels()


# --- who takes them -----------------------------------------------------------------------------


def group_for(group: type[Group], experiments: Sequence[Any]) -> type[Group]:
    """Return what trains the runs of these experiments, of equal shape: `group`, or the same in compiled kernels.

    Kernels take nets that are not too wide, and of which everything has a compiled form.
    """
    kernel, first = KERNELS.now(), experiments[0]
    if kernel is None:
        return group
    if group is Group and first.width <= WIDEST and all(map(kernel.has_forms, experiments)):
        return CompiledGroup
    if group is RecurrentGroup and first.hidden <= WIDEST and all(map(kernel.has_cell_forms, experiments)):
        return CompiledRecurrentGroup
    return group


# --- nets of layers -----------------------------------------------------------------------------


NO_NORMS, NOT_NOTED = np.empty((0, 0)), np.empty((0, 0, 0, 0))


class CompiledGroup(Group):
    """A group of nets of layers that trains in a compiled kernel, run by run; between its calls NumPy measures."""

    abreast = CORES

    def __init__(self, experiment: Experiment, runs: slice, records: Records) -> None:
        super().__init__(experiment, runs, records)
        self.kernel = KERNELS.now()
        self.net = self.kernel.net_of(self.shape)
        self.rules = [self.kernel.rule_of(row.experiment) for row in records.rows[runs]]
        self._sizes = np.array(self.sizes)
        self._x, self._y = np.ascontiguousarray(self.x[0]), np.ascontiguousarray(self.y[0, 0])
        self._in_order = np.arange(self._y.size)[None]
        self._order: dict[int, NDArray[np.int64]] = {}  # By run, that of the present epoch
        random = self.shape.activation.random_slope is not None
        self._random_shape = (self.shape.depth, self.shape.width, self.sizes[0]) if random else (0, 0, 0)
        self._batch, self._epoch_seconds = 0, CALL_SECONDS
        # Orders are drawn before a call, slopes in it: of both an epoch at a time, as NumPy's way draws them.
        self._most = 1 if self.rules[0].shuffled and random else 2**40

    def train(self) -> Iterator[bool]:
        """Train to the last record, pausing after every call of a kernel; yields whether a record was made since."""
        last = int(self.records.epochs[-1])
        for following in [*map(int, self.records.epochs[1:]), last]:
            ends = self.epoch == last
            self._record_state()
            self._record_first_update(applied=not ends)
            self.record += 1
            if ends:
                break
            yield True
            while self.epoch < following:
                self._train_towards(following)
                yield False
            if self.ended.size == self.alive.size:
                break
        self.record = len(self.records.epochs)

    def _record_first_update(self, *, applied: bool) -> None:
        """Make the first update of an epoch and measure it; after the last record it is not applied."""
        scalars = self.records.scalars
        if self.updates:
            self._put(self.clipped / self.updates, scalars["clipped_share"])
        running = [] if self.running is None else [self.running.mean, self.running.variance]
        before = [stack.copy() for stack in (self.theta, *running)]
        noted = np.zeros((len(self.rngs), 2, *self.theta[:, 0].shape))
        factor = self._advance(1, noted=noted)
        gradient, self.update[...] = noted.transpose(1, 2, 0, 3, 4)
        after = self.theta.copy()
        self.theta[:, self.alive] = before[0][:, self.alive]
        self._put(safe_norm(gradient, global_norm(gradient)), scalars["gradient_norm"])
        self._put(factor, scalars["clip_factor"])
        self._measure_update(self.probe)
        if applied:
            self.theta[...] = after
        else:  # answers stay as recorded
            for stack, kept in zip(running, before[1:], strict=True):
                stack[...] = kept

    def _train_towards(self, epoch: int) -> None:
        """Train on to an epoch, as far as a call may take, and at least to the end of the present one."""
        epochs = min(max(int(CALL_SECONDS / self._epoch_seconds), 1), self._most, epoch - self.epoch)
        start = time.perf_counter()
        self._advance(epochs * len(self.sizes) - self._batch)
        self._epoch_seconds = max((time.perf_counter() - start) / epochs, self._epoch_seconds / 4)

    def _advance(self, count: int, *, norms: Array | None = None, noted: Array | None = None) -> Array:
        """Train all runs that go on for `count` updates; return by which factor the last one of each was clipped.

        `norms`, of shape (runs, epochs, layers), and `noted`, (runs, 2, layers, rows, width), are filled as `train_run` says.
        """
        runs, factor = [*map(int, np.flatnonzero(self.alive))], self.untouched.copy()
        seconds = self._epoch_seconds * count / len(self.sizes)

        def train(run: int) -> Any:
            room = NO_NORMS if norms is None else norms[run], NOT_NOTED if noted is None else noted[run]
            return self._train_run(run, count, *room)

        for run, (made, clipped, failed, last, orders, random) in zip(runs, of_each(train, runs, seconds), strict=True):
            self.clipped[run] += clipped
            factor[run] = last
            if failed:
                epoch, batch = divmod(self._batch + made, len(self.sizes))
                start = sum(self.sizes[:batch])
                samples = orders[epoch % len(orders), start : start + self.sizes[batch]]
                self._end(run, self.epoch + epoch, samples, random)
        self.updates += count
        epochs, self._batch = divmod(self._batch + count, len(self.sizes))
        self.epoch += epochs
        return factor

    def _train_run(self, run: int, count: int, norms: Array, noted: Array) -> Any:
        """Train a run; return what the kernel does, the orders of the samples and the random slopes."""
        orders, random = self._orders(run, count), np.empty(self._random_shape)
        running, unused = self.running, np.empty((0, 0))
        result = self.kernel.train_run(
            self.net,
            self.rules[run],
            self.theta[:, run],
            self.moments[:, :, run],
            unused if running is None else running.mean[:, run, :, 0],
            unused if running is None else running.variance[:, run, :, 0],
            self._x,
            self._y,
            self._sizes,
            orders,
            random,
            self.rngs[run],
            self._batch,
            count,
            self.updates,
            norms,
            noted,
        )
        return *result, orders, random

    def _orders(self, run: int, count: int) -> NDArray[np.int64]:
        """The samples in the order of each epoch, drawn as NumPy's way draws them; that of an epoch which has begun is known."""
        if not self.rules[run].shuffled:
            return self._in_order
        epochs = math.ceil((self._batch + count) / len(self.sizes))
        known = [self._order[run]] if self._batch else []
        drawn = [self.rngs[run].permutation(self._y.size) for _ in range(epochs - len(known))]
        self._order[run] = [*known, *drawn][-1]
        return np.array([*known, *drawn])

    def _end(self, run: int, epoch: int, samples: NDArray[np.int64], random: Array) -> None:
        """End a run before an update that is not finite: NumPy makes its two passes again and finds where that began."""
        network = Network(self.shape, np.ascontiguousarray(self.theta[:, run : run + 1]), len(samples))
        network.x[:] = self.x[..., samples]
        if network.random is not None:
            network.random[:, 0] = random[..., : len(samples)]
        network.forward()
        self.loss_delta(network.z_out, self.y[..., samples], self.output, network.delta_out)
        network.backward()
        now, self.epoch = self.epoch, epoch
        self._end_run(run, self._find_ending(network, 0))
        self.epoch = now


# --- nets over time -----------------------------------------------------------------------------


class CompiledLayer(Layer):
    """A recurrent layer whose passes are a kernel's, run by run. Between the two `z` holds the activations' slopes."""

    def __init__(self, shape: RecurrentArchitecture, index: int, weights: Array, gradient: Array, samples: int) -> None:
        super().__init__(shape, index, weights, gradient, samples)
        self.kernel = KERNELS.now()
        self.recurrence = self.kernel.recurrence_of(shape, index)
        self._seconds = 0.0  # Of the last pass

    def forward(self) -> None:
        """Compute h (and c) of every step from `x`, h_0 and c_0."""
        states = self.s, self.z, self.a, self.c, self.squashed
        self._pass(lambda run: self.kernel.recur(self.recurrence, self.weights[run], *states, run))

    def backward(self, first_given: int, measuring: bool) -> None:
        """Compute delta of every step, dL/dh, dL/dc and the gradient, as `Layer.backward` says."""
        self.grad_h[:first_given] = 0.0
        states = self.s, self.z, self.a, self.c, self.grad_c, self.grad_h, self.contribution

        def back(run: int) -> None:
            self.kernel.recur_back(self.recurrence, self.weights[run], self.gradient[run], *states, run, measuring)

        self._pass(back)

    def _pass(self, work: Callable[[int], None]) -> None:
        start = time.perf_counter()
        of_each(work, range(len(self.weights)), self._seconds)
        self._seconds = time.perf_counter() - start


class CompiledRecurrentNetwork(RecurrentNetwork):
    """A recurrent net of compiled layers."""

    layer: ClassVar[type[Layer]] = CompiledLayer


class CompiledRecurrentGroup(RecurrentGroup):
    """A group of recurrent nets whose passes are compiled; all else is NumPy's, once for all steps."""

    abreast = CORES
    network: ClassVar[type[RecurrentNetwork]] = CompiledRecurrentNetwork

    def _find_ending(self, network: RecurrentNetwork, run: int) -> Ending:  # type: ignore[override]
        """Find the first non-finite step; NumPy makes the passes again, as the kernels leave slopes in the place of z."""
        alone = RecurrentNetwork(self.shape, np.ascontiguousarray(self.theta[:, run : run + 1]), network.samples)
        alone.x[:] = network.x[:, min(run, network.x.shape[1] - 1)][:, None]
        alone.delta_out[:] = network.delta_out[run]
        alone.forward()
        alone.backward()
        return super()._find_ending(alone, 0)
