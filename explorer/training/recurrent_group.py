"""RecurrentGroup: a few runs of a recurrent experiment, trained together in one set of arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.training.group import CACHE_BYTES, MOST_RUNS, Group
from explorer.training.measures import Diagnostic, root_sum_square
from explorer.training.recording import BINS, ArraySpecs, Ending, Row
from explorer.training.recurrent_network import (
    RecurrentArchitecture,
    RecurrentNetwork,
    draw_recurrent_parameters,
    recurrent_architecture,
)
from explorer.training.time_measures import TIME_DIAGNOSTICS


class RecurrentGroup(Group):
    """A few runs of a recurrent experiment; what is common to all nets is `Group`'s."""

    diagnostics: ClassVar[Mapping[str, Diagnostic]] = TIME_DIAGNOSTICS
    network: ClassVar[type[RecurrentNetwork]] = RecurrentNetwork  # Which makes the passes
    shape: RecurrentArchitecture  # type: ignore[assignment]
    networks: dict[int, RecurrentNetwork]  # type: ignore[assignment]
    probe: RecurrentNetwork  # type: ignore[assignment]
    answerer: RecurrentNetwork  # type: ignore[assignment]

    @staticmethod
    def size(experiment: RecurrentExperiment) -> int:
        """Return how many runs' arrays of a single step fit the cache together: the steps pass through it one by one."""
        blocks, hidden = len(experiment.unit.blocks), experiment.hidden
        samples = max(experiment.batch_sizes())
        per_run = 8 * hidden * ((2 * blocks + 4) * samples + 3 * blocks * (hidden + 1))
        return min(max(CACHE_BYTES // per_run, 1), MOST_RUNS)

    @staticmethod
    def recurrent_matrix(experiment: RecurrentExperiment) -> ArraySpecs:
        """Return what a history keeps of the recurrent matrices: the shape of a record, and its type.

        `recurrent_gradient` is the L2 norm of the whole dL/dW_hh, before clipping.
        `eigenvalues` (complex) and `singular_values` are those of every W_hh, layer
        by layer and in each gate by gate, the largest first.
        """
        spectrum = (experiment.stack * len(experiment.unit.recurrent), experiment.hidden)
        return {
            "recurrent_gradient": ((), float),
            "eigenvalues": (spectrum, complex),
            "singular_values": (spectrum, float),
        }

    @staticmethod
    def answers_kept(experiment: RecurrentExperiment) -> int:
        """None: they are given at many steps."""
        return 0

    @staticmethod
    def z_counted(experiment: RecurrentExperiment) -> tuple[int, int]:
        """Return how many histograms of z there are at every record, and how many numbers each counts."""
        return len(experiment.functions) * len(experiment.looked_at), experiment.hidden * experiment.samples

    def _begin(self, rows: Sequence[Row]) -> Array:
        """Set `x`, (length, 1, inputs, samples), and `y`, (1, counted steps * outputs, samples), and draw theta."""
        self.shape, points = recurrent_architecture(self.experiment), self.experiment.points()
        if self.records.z_counts is not None:
            self.shape = replace(self.shape, counted=tuple(step - 1 for step in self.experiment.looked_at))
        self.x = np.ascontiguousarray(points.x.transpose(1, 2, 0))[:, None]
        self.y = points.y.transpose(1, 2, 0).reshape(1, -1, len(points.y))
        return draw_recurrent_parameters(self.shape, [row.experiment for row in rows], self.rngs)

    def _make_networks(self) -> None:
        """One network per batch size, and one that measures; all share theta."""
        self.networks = {size: self.network(self.shape, self.theta, size) for size in set(self.sizes)}
        count = self.x.shape[-1]
        # Over time the arrays are large: where one network sees all samples it measures too.
        self.probe = self.networks.get(count) or self.network(self.shape, self.theta, count)
        self.answerer, self._just_passed = self.probe, False
        self.probe.x[:] = self.x

    def _gradient(self, network: RecurrentNetwork, y: Array) -> Array:  # type: ignore[override]
        """Return dL/dtheta of a batch; the pass that a record has just made over the very same is not made again."""
        if network is self.probe and self._just_passed:
            self._just_passed = False
            return network.gradient
        return super()._gradient(network, y)  # type: ignore[arg-type]

    def _find_ending(self, network: RecurrentNetwork, run: int) -> Ending:  # type: ignore[override]
        """Find the first non-finite step: going forward in z, else going backward in dL/dz, else in dL/dW."""
        network.forward()  # backward has put dL/dz in the place of z
        for quantity, last in (("z", 0), ("dL/dz", -1)):
            finite = [np.isfinite(layer.z[:, run]).all(axis=(-2, -1)) for layer in network.layers]
            broken = np.flatnonzero(~np.all(finite, axis=0))
            if broken.size:
                return Ending(self.epoch, int(broken[last]) + 1, quantity)
            if quantity == "z":
                network.backward()
        # At worst every delta is finite and only a sum over steps is not: then it is the step with the longest.
        norms = np.max([root_sum_square(layer.z[:, run], (-2, -1)) for layer in network.layers], axis=0)
        return Ending(self.epoch, int(np.argmax(norms)) + 1, "dL/dW")

    def answers(self, x: Array, run: int) -> Array:
        """Return what one run's net answers to x of shape (samples, length, inputs): (samples, counted steps, outputs)."""
        counted = self.shape.length - self.shape.first_counted
        if not self.alive[run]:
            return np.full((len(x), counted, self.shape.outputs), np.nan)
        network = RecurrentNetwork(self.shape, np.ascontiguousarray(self.theta[:, run : run + 1]), len(x))
        network.x[:] = x.transpose(1, 2, 0)[:, None]
        with np.errstate(all="ignore"):
            network.forward()
            answers = self.experiment.output.f(network.z_out, np.empty_like(network.z_out))[0]
        return answers.reshape(counted, self.shape.outputs, len(x)).transpose(2, 0, 1)

    def _counted(self) -> NDArray[np.int64]:
        """Return how many z lie in each bin: layer by layer, function by function and step by step, (runs, histograms, BINS)."""
        return np.concatenate([layer.z_counts.reshape(len(self.rngs), -1, BINS) for layer in self.probe.layers], axis=1)

    def _record_state(self) -> None:
        """Measure the whole data set at the present parameters, then the recurrent matrices themselves."""
        self.probe.measuring = True
        super()._record_state()
        self.probe.measuring, self._just_passed = False, True
        matrices = self.records.recurrent_matrix
        gradients = self.shape.recurrent_weights(self.probe.gradient)
        self._put(root_sum_square(root_sum_square(gradients, (-2, -1)), -1), matrices["recurrent_gradient"])
        eigenvalues, singular_values = spectra(self.shape.recurrent_weights(self.theta))
        self._put(eigenvalues, matrices["eigenvalues"])  # type: ignore[arg-type]
        self._put(singular_values, matrices["singular_values"])


def spectra(matrices: Array) -> tuple[NDArray[np.complex128], Array]:
    """Return the eigenvalues and the singular values of (..., n, n) matrices, both (..., n), the largest first.

    They are NaN where a matrix is not finite.
    """
    finite: NDArray[np.bool_] = np.asarray(np.isfinite(matrices).all(axis=(-2, -1)))
    safe = np.where(finite[..., None, None], matrices, 0.0)
    eigenvalues = np.linalg.eigvals(safe).astype(np.complex128)
    eigenvalues = np.take_along_axis(eigenvalues, np.argsort(-np.abs(eigenvalues), axis=-1), -1)
    missing = np.logical_not(finite)[..., None]
    return np.where(missing, complex(np.nan, np.nan), eigenvalues), np.where(missing, np.nan, np.linalg.svdvals(safe))
