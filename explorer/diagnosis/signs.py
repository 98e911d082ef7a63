"""Signs: what the seeds that failed have in common, in the numbers that their updates used."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.settings import Settings
from explorer.diagnosis.seeds import band, logarithm
from explorer.training.history import STUCK_SHARE, History
from explorer.training.recurrent_network import recurrent_architecture

# Units whose z differ by less than this share of the largest compute the same.
ALIKE = 1e-9


@dataclass(frozen=True, kw_only=True)
class Signs:
    """Medians over the seeds that neither solved it nor diverged; over all seeds where there are none.

    Logarithms are to base 10: -inf is an exact 0, inf what is not finite. What is measured of layers alone is NaN for nets
    over time; of these `stride` and `way` are in usual weights, 1/√fan_in, and RMS over all parameters.
    """

    seeds: int  # How many seeds these are
    stuck: int  # Of these: hardly better than the mean answer
    # The gradient at the first hidden layer, or step, over that at the last, before any update and at the latest record.
    reach: float
    reach_end: float
    loss_start: float
    loss_end: float
    loss_best: float  # The lowest loss of all records
    error: float  # Of the answers, as a share of the error of always answering the mean target
    accuracy: float = math.nan  # Of the answers; for a regression R²
    falling: float = math.nan  # log10 of the loss at half of the epochs over the last
    zero: int = 0  # Seeds whose first layer's dL/dW is exactly 0 at the latest record
    # Seeds in which the units of every hidden layer are alike, at the latest record and before any update.
    alike: int = 0
    alike_start: int = 0
    dead: float = math.nan  # Share of hidden units with slope 0 for every sample, and the same before any update
    dead_start: float = math.nan
    off: int = 0  # The first layer, from 1, of which in most seeds all units are dead; 0 if there is none
    output_slope: float = math.nan  # log10 of the output's mean slope over its slope at 0: what saturation leaves
    # log10 of update : data, of the median hidden layer: the longest of all records, and, summed over all updates, how
    # far weights could have gone, in their own size; of the first layer alone too.
    stride: float = math.nan
    way: float = math.nan
    way_first: float = math.nan
    apart: float = math.nan  # log10 of the loss of always answering the mean target over the loss that training sees


def signs(history: History, failed: NDArray[np.bool_], latest: int) -> Signs:
    """Gather the signs of some seeds, at least one."""
    gradient = history.measures[history.kind.main][failed][:, :, : history.experiment.inner_positions]
    loss, error = history.loss[failed], history.error[failed, latest] / history.target_variance
    known = np.where(np.isfinite(loss), loss, np.inf)
    half = history.at(history.epochs[latest] / 2)
    with np.errstate(invalid="ignore"):
        falling = logarithm(loss[:, half]) - logarithm(loss[:, latest])
    return Signs(
        seeds=int(failed.sum()),
        stuck=int((~(error < STUCK_SHARE)).sum()),
        reach=first_over_last(gradient[:, 0]),
        reach_end=first_over_last(gradient[:, latest]),
        loss_start=_median(loss[:, 0]),
        loss_end=_median(loss[:, latest]),
        loss_best=_median(known[:, : latest + 1].min(axis=1)),
        error=_median(error),
        accuracy=-_median(-history.accuracy[failed, latest]),
        falling=_median(falling),
        **(_of_layers if "dead" in history.measures else _over_time)(history, failed, latest),
    )


def _over_time(history: History, failed: NDArray[np.bool_], latest: int) -> dict[str, Any]:
    """How far updates moved, or could have moved, the weights of a net over time: what is recorded is the gradient's norm."""
    experiment, records = history.experiment, slice(0, latest + 1)
    if experiment.update_rule.rescales:
        moved = np.full((int(failed.sum()), latest + 1), float(experiment.learning_rate))
    else:
        clipped = history.gradient_norm[failed, records] * history.clip_factor[failed, records]
        lengthened = experiment.learning_rate * experiment.update_rule.lengthens
        moved = lengthened * clipped / math.sqrt(recurrent_architecture(experiment).parameters)
    moved = np.nan_to_num(moved / usual_weight(experiment), nan=0.0, posinf=0.0)
    return {"stride": _median(logarithm(moved.max(axis=1))), "way": _way(history, moved)}


def _of_layers(history: History, failed: NDArray[np.bool_], latest: int) -> dict[str, Any]:
    """What is told of layers of units."""
    measures = {name: values[failed][:, : latest + 1] for name, values in history.measures.items()}
    dead, hidden = measures["dead"][:, latest, :-1], measures["update_ratio"][:, :, :-1]
    spread = measures["unit_spread"][:, :, :-1].max(axis=2)
    off = np.flatnonzero((dead == 1).mean(axis=0) > 0.5)
    middle = logarithm(np.nanmedian(np.where(np.isnan(hidden).all(axis=2, keepdims=True), 0.0, hidden), axis=2))
    return {
        "zero": int((measures["weight_gradient"][:, latest, 0] == 0).sum()),
        "alike": int((spread[:, latest] < ALIKE).sum()),
        "alike_start": int((spread[:, 0] < ALIKE).sum()),
        "dead": mean_known(dead),
        "dead_start": mean_known(measures["dead"][:, 0, :-1]),
        "off": int(off[0]) + 1 if off.size else 0,
        "output_slope": _output_slope(history, failed, latest),
        # Weights that are all equal have no spread, against which an update would be measured.
        "stride": _median(np.where(np.isfinite(middle), middle, -np.inf).max(axis=1)),
        "way": _way(history, np.where(np.isfinite(middle), 10.0**middle, 0.0)),
        "way_first": _way(history, np.nan_to_num(hidden[:, :, 0], nan=0.0, posinf=0.0)),
        "apart": _median(
            logarithm(np.array(mean_answer_loss(history.experiment))) - logarithm(history.loss[failed, latest])
        ),
    }


def _median(values: Array) -> float:
    return float(band(values).middle)


def mean_known(values: Array) -> float:
    """Return the mean of what is not NaN; NaN if nothing is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan


def first_over_last(gradient: Array) -> float:
    """Return the median over seeds of log10(first / last), of (runs, positions)."""
    logs = logarithm(gradient)
    with np.errstate(invalid="ignore"):
        ratio = logs[:, 0] - logs[:, -1]
    # Nothing left anywhere is nothing left at the first position.
    return float(band(np.where(logs[:, 0] == -np.inf, -np.inf, ratio)).middle)


def _way(history: History, ratios: Array) -> float:
    """log10 of update : data, (seeds, records), summed over all updates so far; each record stands for those up to the next."""
    epochs = np.diff(history.epochs[: ratios.shape[1]]) * len(history.experiment.batch_sizes())
    return _median(logarithm((ratios[:, :-1] * epochs).sum(axis=1)))


def _output_slope(history: History, failed: NDArray[np.bool_], latest: int) -> float:
    """log10 of the size of dL/dz of the output over what the answers' error would make it if the output were not saturated."""
    size = np.sqrt(history.error[failed, latest])
    whole = history.measures["delta"][failed, latest, -1] * history.experiment.places  # each place has its part
    with np.errstate(divide="ignore", invalid="ignore"):
        return _median(logarithm(whole / (size * _delta_of_one(history.experiment, history.experiment.sample_count))))


def pull_of_one(experiment: Experiment) -> float:
    """|dL/dz| of the output at z = 0, summed over a batch whose answers are all wrong by 1: the loss's unit.

    Cross-entropy has 1; the mean squared error of classes 1/2; half squared error, a sum over samples, as many times more.
    """
    size = max(experiment.batch_sizes())
    return size * _delta_of_one(experiment, size)


def _delta_of_one(experiment: Experiment, samples: int) -> float:
    """|dL/dz| of the output at z = 0 for an answer that is wrong by 1, among so many samples in one batch."""
    z, y = np.zeros((1, samples)), np.ones((1, samples))
    answer = experiment.output.f(z, np.empty_like(z))
    delta = experiment.loss_function.delta(z, y, experiment.output, np.empty_like(z))
    return float(abs(delta[0, 0] / (answer[0, 0] - 1)))


def usual_weight(experiment: RecurrentExperiment) -> float:
    """Return the usual size of a weight in the first recurrent layer, 1/√fan_in."""
    return 1 / math.sqrt(experiment.points().x.shape[-1] + experiment.hidden)


@lru_cache(maxsize=64)
def mean_answer_loss(experiment: Settings) -> float:
    """Return the loss of always answering the mean target, whose error is the targets' variance."""
    y = np.asarray(experiment.points().y, dtype=float).reshape(1, -1)
    mean = y.mean()
    # A sigmoid output answers the mean from its logit.
    z = mean if experiment.dataset.regression else math.log(mean / (1 - mean)) if 0 < mean < 1 else 0.0
    return float(experiment.loss_function.value(np.full_like(y, z), y, experiment.output))


@lru_cache(maxsize=64)
def zeros_stay(experiment: Experiment) -> bool:
    """Whether some input of a net of layers is all zeros, and gives z = 0 in every layer as long as no layer has shifts."""
    if experiment.draws_bias or experiment.points().x.any(axis=1).all():
        return False
    return experiment.activation_function.is_zero_at_zero


@lru_cache(maxsize=64)
def kept_by_zeros(experiment: Experiment) -> float:
    """Return the share of the mean answer's error that inputs of zeros keep, whatever the weights, where no layer has shifts.

    Shifts are biases, or those of a normalization.
    """
    if experiment.has_biases or experiment.normalizer.axis is not None or not zeros_stay(experiment):
        return 0.0
    data = experiment.points()
    wrong = answer_at_zero(experiment) - data.y[~data.x.any(axis=1)]
    return float((wrong**2).sum() / (len(data.y) * np.var(data.y)))


def answer_at_zero(experiment: Experiment) -> float:
    """Return the output's value at z = 0."""
    zero = np.zeros(1)
    return float(experiment.output.f(zero, np.empty_like(zero))[0])
