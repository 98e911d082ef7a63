"""Group: a few runs of one experiment, or of several of equal shape, trained together in one set of arrays."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.choices.clipping import clipping_of, global_norm, one_or_each
from explorer.choices.experiment import SHUFFLED, Experiment
from explorer.training.measures import DIAGNOSTICS, LARGE_SQUARE, SMALL_SQUARE, Diagnostic, root_sum_square
from explorer.training.network import Network, Running, architecture, draw_parameters
from explorer.training.recording import ANSWERS_FOR, ArraySpecs, Counts, Ending, Records, Row, count_bins

SMALL_NORM, LARGE_NORM = SMALL_SQUARE**0.5, LARGE_SQUARE**0.5
CACHE_BYTES = 2**20
MOST_RUNS = 256


def runs_that_fit(layers: int, width: int, columns: int) -> int:
    """Return how many runs' arrays fit the processor's cache together, for batches of so many columns: samples times places."""
    per_run = 8 * layers * (3 * width * columns + 3 * width * (width + 1))
    return min(max(CACHE_BYTES // per_run, 1), MOST_RUNS)


class Group:
    """A few runs, trained together in one set of arrays.

    This class trains nets of layers. Other kinds of nets override the methods
    under "the net"; everything else is shared.

    `experiment` is what all runs share: the network, the data, the loss, the optimizer, the batches. `runs` are its rows
    of the `records`, which say which experiment each run belongs to: how that run starts, how fast it learns, how it
    is clipped.
    """

    diagnostics: ClassVar[Mapping[str, Diagnostic]] = DIAGNOSTICS
    abreast: ClassVar[int] = 1  # How many groups advance side by side

    def __init__(self, experiment: Any, runs: slice, records: Records) -> None:
        self.experiment, self.runs, self.records = experiment, runs, records
        rows = records.rows[runs]
        self.rngs = [np.random.default_rng(row.seed) for row in rows]
        self.probe_rngs = [rng.spawn(1)[0] for rng in self.rngs]
        self.running: Running | None = None
        self.theta = self._begin(rows)
        self.update = np.zeros_like(self.theta)
        self.moments = np.zeros((experiment.update_rule.slots, *self.theta.shape))
        rate = one_or_each([row.experiment.learning_rate for row in rows])
        # Where the runs differ in it, it must broadcast against a stack.
        self.rate = rate[:, None, None] if isinstance(rate, np.ndarray) else rate
        self.clip = clipping_of([row.experiment.clipper for row in rows], [row.experiment.threshold for row in rows])
        self.step = experiment.update_rule.step
        self.loss_delta, self.output = experiment.loss_function.delta, experiment.output
        self.broken: Array | None = None  # theta with which a run that is alone became non-finite
        self.untouched = np.ones(len(rows))
        self.alive = np.ones(len(rows), dtype=bool)
        self.ended = np.flatnonzero(~self.alive)
        self.clipped = np.zeros(len(rows), dtype=np.int64)
        self.updates = self.epoch = self.record = 0
        self.released = False
        self.sizes = experiment.batch_sizes()
        self._make_networks()
        self._whole_batch = len(self.sizes) == 1
        if self._whole_batch:
            self.networks[self.sizes[0]].x[:] = self.x

    # --- the net ------------------------------------------------------------------------------

    @staticmethod
    def size(experiment: Any) -> int:
        """Return how many runs to train as one array: as many as fit the cache."""
        return runs_that_fit(experiment.layers, experiment.width, experiment.places * max(experiment.batch_sizes()))

    @staticmethod
    def recurrent_matrix(experiment: Any) -> ArraySpecs:
        """Return what a history keeps of the recurrent matrices: the shape of a record, and its type."""
        return {}

    @staticmethod
    def answers_kept(experiment: Any) -> int:
        """Return how many answers are kept at every record: one of each sample, where there are few."""
        count: int = experiment.sample_count
        return count if count <= ANSWERS_FOR else 0

    @staticmethod
    def z_counted(experiment: Any) -> tuple[int, int]:
        """Return how many histograms of z there are at every record, and how many numbers each counts."""
        return experiment.depth, experiment.width * experiment.places * experiment.sample_count

    def _begin(self, rows: Sequence[Row]) -> Array:
        """Set `x` and `y`, samples last, as networks take them, and draw theta."""
        experiment: Experiment = self.experiment
        self.shape, points = architecture(experiment), experiment.points()
        self.x, self.y = np.ascontiguousarray(points.x.T)[None], points.y[None, None, :]
        return draw_parameters(self.shape, [row.experiment for row in rows], self.rngs)

    def _make_networks(self) -> None:
        """One network per batch size, one that measures and one that answers; all share theta."""
        uses_batch = self.shape.normalization.uses_batch
        self.running = Running(self.shape, len(self.rngs)) if uses_batch else None
        self.networks = {size: Network(self.shape, self.theta, size, running=self.running) for size in set(self.sizes)}
        count = self.x.shape[-1]
        self.probe = Network(self.shape, self.theta, count, keep=True)
        self.probe.x[:] = self.x
        answers_alike = not uses_batch and self.probe.random is None
        self.answerer = (
            self.probe
            if answers_alike
            else Network(self.shape, self.theta, count, running=self.running, answering=True)
        )
        self.answerer.x[:] = self.x

    def _find_ending(self, network: Network, run: int) -> Ending:
        """Find the first non-finite layer: going forward in z, else going backward in dL/dz, else in dL/dW."""
        for quantity, stack, backward in (("z", network.z, False), ("dL/dz", network.delta, True)):
            broken = np.flatnonzero(~np.isfinite(stack[:, run]).all(axis=(-2, -1)))
            if broken.size:
                return Ending(self.epoch, int(broken[-1 if backward else 0]) + 1, quantity)
        # At worst every entry is finite and only their length is not: then it is the layer with the longest.
        norms = root_sum_square(network.gradient[:, run], (-2, -1))
        broken = np.flatnonzero(~np.isfinite(norms))
        return Ending(self.epoch, int(broken[-1] if broken.size else norms.argmax()) + 1, "dL/dW")

    def answers(self, x: Array, run: int) -> Array:
        """Return what one run's net answers to x of shape (samples, features), as it is now."""
        if not self.alive[run]:
            return np.full(len(x), np.nan)
        theta = np.ascontiguousarray(self.theta[:, run : run + 1])
        running = None
        if self.running is not None:
            running = Running(self.shape, 1)
            running.mean[:] = self.running.mean[:, run : run + 1]
            running.variance[:] = self.running.variance[:, run : run + 1]
        network = Network(self.shape, theta, len(x), running=running, answering=True)
        network.x[:] = x.T
        with np.errstate(all="ignore"):
            network.forward()
            return self.experiment.output.f(network.z_out, np.empty_like(network.z_out))[0, 0]

    # --- one epoch ----------------------------------------------------------------------------

    def _batches(self) -> Iterator[tuple[Network, Array]]:
        """Yield, for every update of an epoch, a network with its inputs filled in, and the targets."""
        if self._whole_batch:
            yield self.networks[self.sizes[0]], self.y
            return
        x, y = self.x, self.y
        if self.experiment.order == SHUFFLED:
            order = np.stack([rng.permutation(x.shape[-1]) for rng in self.rngs])[:, None, :]
            x, y = _in_order(x, order), _in_order(y, order)
        first = 0
        for size in self.sizes:
            network = self.networks[size]
            network.x[:] = x[..., first : first + size]
            yield network, y[..., first : first + size]
            first += size

    def _gradient(self, network: Network, y: Array) -> Array:
        network.draw_slopes(self.rngs)
        network.forward()
        self.loss_delta(network.z_out, y, self.output, network.delta_out)
        network.backward()
        return network.gradient

    def _prepare_update(self, network: Network, y: Array, note: bool = False) -> None:
        """From a batch to `self.update`: gradient, check, clipping, optimizer; `note` records the clipping."""
        gradient = self._gradient(network, y)
        norm, factor = self._finite_norm(network), self.untouched
        self._add_losses(network, y)
        noted = safe_norm(gradient, norm) if note else None
        if self.clip is not None:
            factor = self.clip(gradient, norm)
            self.clipped += factor < self.untouched
        if noted is not None:
            self._put(noted, self.records.scalars["gradient_norm"])
            self._put(factor, self.records.scalars["clip_factor"])
        self.updates += 1
        self.step(gradient, self.moments, self.rate, self.updates, self.update)

    def _add_losses(self, network: Network, y: Array) -> None:
        """Add the loss of a batch before its update to that of the epoch, where these are kept."""
        losses = self.records.epoch_losses
        if losses is not None and self.epoch < losses.shape[1]:  # beyond the last epoch no update is made
            losses[self.runs, self.epoch] += self.experiment.loss_function.value(network.z_out, y, self.output)

    def _finite_norm(self, network: Network) -> Array:
        """Return the global norm of each run's gradient, after ending the runs where it is not finite."""
        norm = global_norm(network.gradient)
        # A sum is enough to see that all are finite; NaN compares false too.
        if np.add.reduce(norm) < LARGE_NORM:
            return norm
        self._end_non_finite(network)
        return safe_norm(network.gradient, norm)

    def _end_non_finite(self, network: Network) -> None:
        """End the runs whose gradient is not finite.

        Set to 0 they cost nothing special; what is recorded of an ended run is NaN.
        """
        for run in np.flatnonzero(~np.isfinite(_robust_norm(network.gradient)) & self.alive):
            self._end_run(int(run), self._find_ending(network, int(run)))
        network.gradient[:, self.ended] = 0.0

    def _end_run(self, run: int, ending: Ending) -> None:
        """Record where a run became non-finite, and set it to 0."""
        if self.alive.size == 1:
            self.broken = self.theta.copy()
        self.records.endings[self.runs.start + run] = ending
        self.alive[run] = False
        self.ended = np.flatnonzero(~self.alive)
        self.theta[:, run] = 0.0
        self.moments[:, :, run] = 0.0

    def train(self) -> Iterator[bool]:
        """Train to the last record, pausing after every update; yields whether a record was made since."""
        last = int(self.records.epochs[-1])
        for self.epoch in range(last + 1):
            due = self.epoch == self.records.epochs[self.record]
            if due:
                self._record_state()
            for number, (network, y) in enumerate(self._batches()):
                if self.epoch == last and self.running is not None:
                    self.running.frozen = True  # the last update is measured, not made: answers stay as recorded
                recorded = due and number == 0
                if recorded:
                    self._record_update(network, y)
                    self.record += 1
                else:
                    self._prepare_update(network, y)
                if self.epoch == last:
                    break
                self.theta -= self.update
                yield recorded
            if self.ended.size == self.alive.size:
                break
        self.record = len(self.records.epochs)

    @property
    def complete(self) -> bool:
        """Whether the last record is made, or every run has ended."""
        return self.record >= len(self.records.epochs)

    @property
    def nbytes(self) -> int:
        """Memory of parameters, moments and buffers, in bytes, roughly."""
        if self.released:
            return self.theta.nbytes
        networks = {self.probe, *self.networks.values()}
        return self.theta.nbytes * (2 + len(self.moments)) + sum(network.nbytes for network in networks)

    def release(self) -> None:
        """Free everything but the parameters, which are enough to answer."""
        if not self.released:
            self.released = True
            del self.networks, self.probe, self.answerer, self.moments, self.update

    # --- recording ----------------------------------------------------------------------------

    def _put(self, values: Array, into: Array) -> None:
        """Write a row of the records; of ended runs NaN."""
        row = into[self.runs, self.record]
        row[...] = values
        if self.ended.size:
            row[self.ended] = np.nan

    def _put_counts(self, counts: NDArray[Any], into: Counts) -> None:
        """Write a row of counts, (runs, histograms, BINS); of ended runs 0."""
        row = into[self.runs, self.record]
        row[...] = counts
        if self.ended.size:
            row[self.ended] = 0

    def _record_state(self) -> None:
        """Measure the whole data set at the present parameters."""
        self.probe.draw_slopes(self.probe_rngs)
        self._measure_state()
        loss = self.experiment.loss_function.value(self.probe.z_out, self.y, self.output)
        self._put(loss, self.records.scalars["loss"])
        self._record_answers()

    def _measure_state(self) -> None:
        """Record what the two passes say of every layer, and leave z of the output of the nets that measure and answer."""
        probe = self.probe
        probe.forward()
        self.loss_delta(probe.z_out, self.y, self.output, probe.delta_out)
        probe.backward()
        for name, diagnostic in self.diagnostics.items():
            if not diagnostic.of_update:
                self._put(diagnostic.measure(probe).T, self.records.measures[name])
        if self.records.z_counts is not None:
            self._put_counts(self._counted(), self.records.z_counts)
        if self.answerer is not probe:
            self.answerer.forward()

    def _counted(self) -> NDArray[np.int64]:
        """Return how many z lie in each bin, over units and samples: (runs, layers, BINS)."""
        return count_bins(self.probe.n).swapaxes(0, 1)

    def _record_answers(self) -> None:
        """Record the answers of the net as it would be used: with running statistics and mean slopes."""
        z = self.answerer.z_out
        answers = self.experiment.output.f(z, np.empty_like(z))
        error = np.square(answers - self.y).mean(axis=(1, 2))
        if self.experiment.dataset.regression:
            accuracy = 1 - error / self.y.var()
        else:
            accuracy = ((answers > 0.5) == (self.y > 0.5)).mean(axis=(1, 2))
        self._put(error, self.records.scalars["error"])
        self._put(accuracy, self.records.scalars["accuracy"])
        if self.records.answers is not None:
            self._put(answers[:, 0], self.records.answers)

    def _record_update(self, network: Network, y: Array) -> None:
        """Prepare the first update from a recorded state, and measure it on the way."""
        if self.updates:
            self._put(self.clipped / self.updates, self.records.scalars["clipped_share"])
        self._prepare_update(network, y, note=True)
        self._measure_update(network)

    def _measure_update(self, network: Network) -> None:
        for name, diagnostic in self.diagnostics.items():
            if diagnostic.of_update:
                self._put(diagnostic.measure(network, self.update).T, self.records.measures[name])


def _in_order(values: Array, order: NDArray[np.int64]) -> Array:
    """Take the samples, on the last axis, in each run's own order, (runs, 1, samples); runs are the last axis but two."""
    return np.take_along_axis(values, order.reshape((1,) * (values.ndim - 3) + order.shape), -1)


def _robust_norm(gradient: Array) -> Array:
    """The global norm of each run, right even where squares over- or underflow.

    As everywhere here, a run's number may not depend, even in its last digit, on how many runs share the array.
    """
    largest = np.abs(gradient).max(axis=(0, 2, 3))
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    return global_norm(gradient / scale[:, None, None]) * scale


def safe_norm(gradient: Array, norm: Array) -> Array:
    """Return `norm`, but for runs so small or large that squares have lost digits."""
    usual = (norm >= SMALL_NORM) & (norm < LARGE_NORM)
    return norm if usual.all() else np.where(usual, norm, _robust_norm(gradient))
