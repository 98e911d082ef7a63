"""Cost models: what training takes, in seconds and in memory, of each kind of net.

Time is a sum of terms: how much there is to do (`work`) times what that takes, in nanoseconds. Each price was fitted, all of
a table at once, to a hundred or more random experiments of all activations, cells, sizes, batches and optimizers: the time
of setting them up, of an epoch and of a record, each measured apart by either path, on one core of a 2020s server processor
with one BLAS thread. What hardly ever mattered was left out. `python -m benchmarks.estimates` says how near they come.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.training.group import Group
from explorer.training.measures import DIAGNOSTICS
from explorer.training.recording import BINS, count_type, record_epochs
from explorer.training.recurrent_group import RecurrentGroup
from explorer.training.time_measures import TIME_DIAGNOSTICS
from explorer.training.work import Terms, Work, layered_work, recurrent_weights, recurrent_work, weight_rows

LIMIT_SECONDS = 600.0
LIMIT_BYTES = 2**30
NS = 1e-9
# What `benchmarks.estimates.reference` takes where the prices were measured.
REFERENCE_SECONDS = 720e-6


@dataclass(frozen=True)
class Cost:
    """What an experiment would take."""

    seconds: float  # On one core of a laptop, with one BLAS thread, by the path that trains it now
    bytes: int  # Memory of records, parameters and buffers of all runs
    updates: int  # Of each run's parameters

    @property
    def bearable(self) -> bool:
        """Whether it is within the limits."""
        return self.seconds <= LIMIT_SECONDS and self.bytes <= LIMIT_BYTES


# --- prices -------------------------------------------------------------------------------------


class Path(NamedTuple):
    """What one way of training takes, in nanoseconds by term."""

    epoch: Terms
    record: Terms


class Prices(NamedTuple):
    """What training one kind of net takes."""

    set_up: Terms
    numpy: Path
    compiled: Path


LAYERS = Prices(
    set_up={
        "group": 510_000,
        "run": 27_000,
        "matrix at right angles": 25_000,
        "layer": 18_000,
        "layer of a run": 3_400,
        "parameter": 5.5,
        "number": 2.1,
        "cubed": 0.44,
    },
    numpy=Path(
        epoch={
            "normalized layer": 23_000,
            "update": 14_000,
            "layer": 3_100,
            "layer of a run": 390,
            "normalized number": 6.6,
            "parameter": 1.8,
            "function": 1.1,
            "moment": 1.1,
            "number seen from beside": 2.0,
            "skipped number": 0.9,
            "function's call": 0.74,
            "product": 0.047,
        },
        record={
            "record": 230_000,
            "normalized layer": 37_000,
            "layer": 11_000,
            "layer of a run": 1_200,
            "number": 20.0,
            "parameter": 11.0,
            "normalized number": 6.9,
            "answered number": 4.6,
            "function": 1.2,
            "function's call": 0.82,
        },
    ),
    compiled=Path(
        epoch={
            "order": 2_000,
            "update": 770,
            "update abreast": 640,
            "normalized layer": 420,
            "layer abreast": 300,
            "normalized layer abreast": 280,
            "layer": 110,
            "unit": 38.0,
            "sample in order": 35.0,
            "parameter abreast": 9.4,
            "function abreast": 6.6,
            "moment abreast": 2.1,
            "weight": 2.1,
            "normalized number": 1.4,
            "number": 1.0,
            "function": 0.73,
            "product abreast": 0.68,
            "parameter": 0.32,
            "product": 0.098,
        },
        record={
            "record": 110_000,
            "call of a kernel": 45_000,
            "layer": 1_000,
            "layer of a run": 580,
            "parameter": 5.6,
            "answered number": 3.5,
            "number": 7.0,
            "normalized number": 1.4,
            "function": 0.75,
        },
    ),
)
TIME_STEPS = Prices(
    set_up={
        "group": 280_000,
        "matrix": 20_000,
        "run": 17_000,
        "step": 6_800,
        "parameter": 6.3,
        "number": 2.4,
        "cubed": 1.6,
    },
    numpy=Path(
        epoch={
            "sample in order": 490,
            "step of a run": 430,
            "parameter": 6.7,
            "function": 2.2,
            "step": 1.0,
            "cell's number": 0.99,
            "weight in a step": 0.82,
            "product": 0.034,
        },
        record={
            "record": 500_000,
            "measured step": 35_000,
            "matrix": 14_000,
            "squared": 91.0,
            "counted number": 4.4,
            "measured number": 4.0,
            "cubed": 1.6,
        },
    ),
    compiled=Path(
        epoch={
            "order": 47_000,
            "update": 42_000,
            "run in passes": 7_100,
            "input": 46.0,
            "weight in a step": 2.3,
            "cell's number": 1.0,
            "step of a run": 0.98,
            "product": 0.047,
        },
        record={
            "record": 300_000,
            "layer": 110_000,
            "matrix": 4_100,
            "measured step": 4_100,
            "measured step of a run": 210,
            "squared": 170,
            "measured number": 3.2,
            "counted number": 1.1,
            "state": 0.78,
            "measured weight": 0.48,
        },
    ),
)


def _seconds(work: Work, prices: Prices, epochs: int, records: int) -> float:
    """Return what the path that does the work takes."""
    epoch, record = prices.compiled if work.compiled else prices.numpy
    at_a_record = _price(work.record, record) + _price(work.again, epoch)
    return NS * (_price(work.set_up, prices.set_up) + epochs * _price(work.epoch, epoch) + records * at_a_record)


def _price(terms: Terms, prices: Terms) -> float:
    """Return the nanoseconds that so much of each term takes; a term without a price costs nothing."""
    nanoseconds = 0.0
    for name, amount in terms.items():
        if name in prices:
            nanoseconds += prices[name] * amount
    return nanoseconds


# --- layers -------------------------------------------------------------------------------------


def layered_cost(experiment: Experiment) -> Cost:
    """Estimate the cost of training a net of layers; nothing is allocated or trained."""
    sizes, records = experiment.batch_sizes(), len(record_epochs(experiment.epochs))
    numbers_recorded = 6 + Group.answers_kept(experiment) + len(DIAGNOSTICS) * experiment.layers
    numbers = records * numbers_recorded + _buffer_size(experiment, set(sizes))
    return Cost(
        seconds=_seconds(layered_work(experiment), LAYERS, experiment.epochs, records),
        bytes=experiment.runs * (8 * numbers + records * _histograms(Group.z_counted(experiment))),
        updates=experiment.epochs * len(sizes),
    )


def _histograms(counted: tuple[int, int]) -> int:
    """Bytes of the histograms of a record, so many, each of so many numbers."""
    histograms, numbers = counted
    return histograms * BINS * np.dtype(count_type(numbers)).itemsize


def _buffer_size(experiment: Experiment, sizes: set[int]) -> int:
    """Numbers in the arrays of parameters, of the nets that train and of those that measure, of a run.

    The last batch of an epoch may be smaller, with a net of its own.
    """
    normalizer, random = experiment.normalizer, experiment.activation_function.random_slope is not None
    normalized, skips = normalizer.axis is not None, experiment.skipped > 0
    # h, z, dL/dz, and where they exist n, random slopes and slopes made with the values; to measure also the slopes and all ways back.
    training = 3 + normalized + random + (experiment.activation_function.both is not None)
    measuring = training + 3 + skips + normalized
    answering = 3 + normalized if normalizer.uses_batch or random else 0
    copies = 3 + experiment.update_rule.slots + len(sizes) + bool(answering)
    # Of h also what units see beside their own place.
    training, measuring, answering = (
        nets + bool(nets) * (len(experiment.layer_kind.taps) - 1) for nets in (training, measuring, answering)
    )
    elements = training * max(sizes) * len(sizes) + (measuring + answering) * experiment.sample_count
    return (
        experiment.layers * experiment.width * (experiment.places * elements + copies * (weight_rows(experiment) + 3))
    )


# --- time steps ---------------------------------------------------------------------------------


def recurrent_cost(experiment: RecurrentExperiment) -> Cost:
    """Estimate the cost of training a recurrent net; nothing is allocated or trained."""
    sizes, records = experiment.batch_sizes(), len(record_epochs(experiment.epochs))
    # An eigenvalue is two numbers.
    spectra = 3 * experiment.stack * len(experiment.unit.recurrent) * experiment.hidden
    numbers_recorded = 7 + len(TIME_DIAGNOSTICS) * experiment.length + spectra
    numbers = records * numbers_recorded + _recurrent_buffer_size(experiment, set(sizes))
    return Cost(
        seconds=_seconds(recurrent_work(experiment), TIME_STEPS, experiment.epochs, records),
        bytes=experiment.runs * (8 * numbers + records * _histograms(RecurrentGroup.z_counted(experiment))),
        updates=experiment.epochs * len(sizes),
    )


def _recurrent_buffer_size(experiment: RecurrentExperiment, sizes: set[int]) -> int:
    """Numbers in the arrays of parameters, of the nets that train and of one that sees all samples, of a run."""
    blocks = len(experiment.unit.blocks)
    # h and its row of ones, dL/dh, x; z and gates; c, dL/dc and tanh c.
    per_step = 3 + (2 * blocks if blocks > 1 else 1) + 3 * experiment.unit.has_c
    states = experiment.length * experiment.stack * experiment.hidden * per_step
    return states * sum(sizes | {experiment.samples}) + recurrent_weights(experiment) * (
        4 + experiment.update_rule.slots
    )
