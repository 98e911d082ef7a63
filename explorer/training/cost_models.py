"""Cost models: what an update, a record and the arrays of each kind of net cost, as a sum of a few terms.

Per update of a group of runs that share arrays there is the interpreter's work, the same however small the net, with a
part for every layer or time step. Then comes the arithmetic, in proportion to multiply-adds, to element-wise work and to
parameters. A record measures the whole data set: the same terms, and more.

The coefficients are nanoseconds on one core of a 2020s server processor, about as fast as a laptop's, with one BLAS
thread. Those for layers were fitted to 90 random experiments (all activations, normalizations and optimizers, depth 2
to 50, width 4 to 128, 1 to 64 seeds, batches of 1 to 1024): all updates came out within a factor of 2, nine in ten
within 1.5. Those for time steps were fitted to 65 (2 to 50 steps, 2 to 128 units, 8 to 256 sequences, 1 to 12 seeds,
1 or 2 layers): nine in ten came out within a factor of 1.5. What an activation or a cell costs stands in its entry.
"""

import math
from dataclasses import dataclass

from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.training.group import Group
from explorer.training.measures import DIAGNOSTICS
from explorer.training.recording import record_epochs
from explorer.training.recurrent_group import RecurrentGroup
from explorer.training.time_measures import TIME_DIAGNOSTICS

LIMIT_SECONDS = 600.0
LIMIT_BYTES = 2**30
NS = 1e-9


@dataclass(frozen=True)
class Cost:
    """What an experiment would take."""

    seconds: float  # On one core of a laptop, with one BLAS thread
    bytes: int  # Memory of records, parameters and buffers of all runs
    updates: int  # Of each run's parameters

    @property
    def bearable(self) -> bool:
        """Whether it is within the limits."""
        return self.seconds <= LIMIT_SECONDS and self.bytes <= LIMIT_BYTES


# --- layers -------------------------------------------------------------------------------------

# The interpreter's work, for a group of runs; then the arithmetic's, for a run.
PER_UPDATE, PER_UPDATE_IN_BATCHES = 10_400, 4_800
PER_LAYER, PER_LAYER_NORMALIZED = 3_500, 19_000
PER_LAYER_AND_RUN, PER_PARAMETER, PER_MULTIPLY_ADD = 230, 1.25, 0.037
PER_ELEMENT, PER_ELEMENT_NORMALIZED = 2.0, 5.1
# A record also measures; its arrays are all kept, and no longer in the cache.
PER_RECORD, PER_LAYER_RECORDED, PER_RUN_RECORDED, PER_ELEMENT_RECORDED = 104_000, 9_000, 790, 7.0


def layered_cost(experiment: Experiment) -> Cost:
    """Estimate the cost of training a net of layers; nothing is allocated or trained."""
    sizes, samples = experiment.batch_sizes(), experiment.sample_count
    groups = math.ceil(experiment.runs / Group.size(experiment))
    records, updates = len(record_epochs(experiment.epochs)), experiment.epochs * len(sizes)
    update = _update(experiment, samples / len(sizes), groups, in_batches=len(sizes) > 1)
    numbers_recorded = 6 + Group.answers_kept(experiment) + len(DIAGNOSTICS) * experiment.layers
    return Cost(
        seconds=(updates * update + records * _record(experiment, groups)) * NS,
        bytes=8 * experiment.runs * (records * numbers_recorded + _buffer_size(experiment, set(sizes))),
        updates=updates,
    )


def _update(experiment: Experiment, batch: float, groups: int, *, in_batches: bool) -> float:
    """Nanoseconds of one update of all runs."""
    layers, width, runs = experiment.layers, experiment.width, experiment.runs
    normalized, activation = experiment.normalizer.axis is not None, experiment.activation_function
    overhead = PER_UPDATE + in_batches * PER_UPDATE_IN_BATCHES
    overhead += layers * (PER_LAYER + normalized * PER_LAYER_NORMALIZED + activation.call_cost)
    elements, parameters = width * batch, width**2 * (1 + experiment.update_rule.slots)
    arithmetic = PER_LAYER_AND_RUN + PER_MULTIPLY_ADD * 3 * width * (width + 1) * batch
    per_element = PER_ELEMENT * activation.element_cost + PER_ELEMENT_NORMALIZED * normalized
    arithmetic += per_element * elements + PER_PARAMETER * parameters
    return groups * overhead + runs * layers * arithmetic


def _record(experiment: Experiment, groups: int) -> float:
    """Nanoseconds of one record of all runs."""
    samples = experiment.sample_count
    elements = experiment.runs * experiment.layers * experiment.width * samples
    measuring = groups * (PER_RECORD + experiment.layers * PER_LAYER_RECORDED) + PER_ELEMENT_RECORDED * elements
    measuring += PER_RUN_RECORDED * experiment.runs * experiment.layers
    return measuring + _update(experiment, samples, groups, in_batches=False)


def _buffer_size(experiment: Experiment, sizes: set[int]) -> int:
    """Numbers in the arrays of parameters, of the nets that train and of those that measure, of a run.

    The last batch of an epoch may be smaller, with a net of its own.
    """
    normalizer, random = experiment.normalizer, experiment.activation_function.random_slope is not None
    normalized, skips = normalizer.axis is not None, experiment.skipped > 0
    # h, z, dL/dz, and where they exist n and random slopes; to measure also the slopes and all ways back.
    training = 3 + normalized + random
    measuring = training + 3 + skips + normalized
    answering = 3 + normalized if normalizer.uses_batch or random else 0
    copies = 3 + experiment.update_rule.slots + len(sizes) + bool(answering)
    elements = training * max(sizes) * len(sizes) + (measuring + answering) * experiment.sample_count
    return experiment.layers * experiment.width * (elements + copies * (experiment.width + 3))


# --- time steps ---------------------------------------------------------------------------------

# What the interpreter's work per step costs stands in the cell's entry.
PER_RECURRENT_UPDATE, PER_RECURRENT_MULTIPLY_ADD, PER_RECURRENT_PARAMETER = 20_000, 0.03, 1.0
PER_RECURRENT_RECORD, PER_MATRIX, PER_MATRIX_CUBED = 340_000, 4_400, 2.1
PER_STATE_RECORDED, PER_PARAMETER_RECORDED = 3.5, 1.2


def recurrent_cost(experiment: RecurrentExperiment) -> Cost:
    """Estimate the cost of training a recurrent net; nothing is allocated or trained."""
    sizes = experiment.batch_sizes()
    records = len(record_epochs(experiment.epochs))
    groups = math.ceil(experiment.runs / RecurrentGroup.size(experiment))
    epoch = len(sizes) * _recurrent_update(experiment, experiment.samples / len(sizes), groups)
    # An eigenvalue is two numbers.
    spectra = 3 * _matrices(experiment) * experiment.hidden
    numbers_recorded = 7 + len(TIME_DIAGNOSTICS) * experiment.length + spectra
    return Cost(
        seconds=(experiment.epochs * epoch + records * _recurrent_record(experiment, groups)) * NS,
        bytes=8 * experiment.runs * (records * numbers_recorded + _recurrent_buffer_size(experiment, set(sizes))),
        updates=experiment.epochs * len(sizes),
    )


def _weights(experiment: RecurrentExperiment) -> int:
    """Parameters of all recurrent layers; the few inputs hardly count."""
    hidden = experiment.hidden
    rows = [3 + hidden + 1] + [2 * hidden + 1] * (experiment.stack - 1)
    return sum(rows) * hidden * len(experiment.unit.blocks)


def _elements(experiment: RecurrentExperiment) -> int:
    """Numbers of z of one sequence over all steps and layers."""
    return experiment.length * experiment.stack * experiment.hidden * len(experiment.unit.blocks)


def _recurrent_update(experiment: RecurrentExperiment, batch: float, groups: int) -> float:
    """Nanoseconds of one update of all runs."""
    cell = experiment.unit
    overhead = PER_RECURRENT_UPDATE + cell.call_cost * experiment.stack * experiment.length
    arithmetic = PER_RECURRENT_MULTIPLY_ADD * 3 * batch + PER_RECURRENT_PARAMETER
    arithmetic *= experiment.length * _weights(experiment)
    return groups * overhead + experiment.runs * (arithmetic + cell.element_cost * batch * _elements(experiment))


def _matrices(experiment: RecurrentExperiment) -> int:
    """How many W_hh there are."""
    return experiment.stack * len(experiment.unit.recurrent)


def _recurrent_record(experiment: RecurrentExperiment, groups: int) -> float:
    """Nanoseconds of one record of all runs; with a full batch the update passes over all samples in any case."""
    measuring = _matrices(experiment) * (PER_MATRIX + PER_MATRIX_CUBED * experiment.hidden**3)
    measuring += PER_STATE_RECORDED * experiment.samples * _elements(experiment)
    measuring += PER_PARAMETER_RECORDED * experiment.length * _weights(experiment)
    in_batches = len(experiment.batch_sizes()) > 1
    passes = _recurrent_update(experiment, experiment.samples, groups) if in_batches else 0.0
    return groups * PER_RECURRENT_RECORD + experiment.runs * measuring + passes


def _recurrent_buffer_size(experiment: RecurrentExperiment, sizes: set[int]) -> int:
    """Numbers in the arrays of parameters, of the nets that train and of one that sees all samples, of a run."""
    blocks = len(experiment.unit.blocks)
    # h and its row of ones, dL/dh, x; z and gates; c, dL/dc and tanh c.
    per_step = 3 + (2 * blocks if blocks > 1 else 1) + 3 * experiment.unit.has_c
    states = experiment.length * experiment.stack * experiment.hidden * per_step
    return states * sum(sizes | {experiment.samples}) + _weights(experiment) * (4 + experiment.update_rule.slots)
