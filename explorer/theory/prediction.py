"""Prediction: what mean-field theory says of an experiment before its first update.

It follows the recursions of a wide net, layer by layer, with the experiment's own sizes, weights, data and loss. Theory
gives the root mean square over seeds. The median seed shows less, in a narrow deep net by orders of magnitude, because a
product of many random factors is skewed (Hanin 2018). Where a prediction would mislead, there is a reason instead.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.experiment import Experiment
from explorer.theory.finite_width import median_delta
from explorer.theory.layer_by_layer import PAIRED_SAMPLES, Recursion, of_groups, subsample, wide_net
from explorer.training.measures import Diagnostic

# Measured: narrower layer-normalized nets depart from the large-width formula by factors of 2 to 5 within ten layers.
LAYER_NORM_WIDTH = 16


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What theory says of every layer at initialization; None, with a reason, where it says nothing."""

    delta: Array | None = None  # RMS over samples and units of dL/dz, root mean square over seeds
    median_delta: Array | None = None  # The same of a median seed; exactly 0 where more than half of the seeds are dead
    weight_gradient: Array | None = None  # L2 norm of dL/dW, root mean square over seeds
    median_reason: str = ""  # Why there is no `median_delta`; empty where there is
    reasons: Mapping[str, str] = field(default_factory=dict)  # Why nothing is drawn beside a measure
    caveats: Mapping[str, str] = field(default_factory=dict)  # Why something else than a median seed is drawn beside it

    def __post_init__(self) -> None:
        for array in (self.delta, self.median_delta, self.weight_gradient):
            if array is not None:
                array.setflags(write=False)

    def of(self, measure: str) -> Array | None:
        """Return what is drawn beside a measure: of dL/dz a median seed, or else the root mean square over seeds."""
        return {
            "delta": self.delta if self.median_delta is None else self.median_delta,
            "weight_gradient": self.weight_gradient,
        }.get(measure)

    def note(self, measure: Diagnostic) -> str:
        """Say why there is no theory beside a measure, or not that of a median seed; empty where there is."""
        if self.of(measure.name) is not None:
            return self.caveats.get(measure.name, "")
        reason = self.reasons.get(measure.name, f"there is no theory here for {measure.title}").rstrip(".")
        return f"No theory line: {reason}."


def log_factor(experiment: Experiment) -> float:
    """Return log10 of what, by theory, each layer multiplies RMS dL/dz by in a median seed.

    It covers the same steps as `Facts.log_factor`, from the last hidden layer to the first; -inf where more than half of the
    seeds are dead, NaN where there is no prediction or but one hidden layer.
    """
    delta = predict(experiment).median_delta
    if delta is None or experiment.depth == 1 or not delta[-2] > 0:
        return math.nan
    if delta[0] == 0:
        return -math.inf
    return (math.log10(delta[0]) - math.log10(delta[-2])) / (experiment.depth - 1)


def predict(experiment: Experiment) -> Prediction:
    """Predict dL/dz and dL/dW of every layer, first to last, at initialization, of all data at once.

    Poole et al. 2016; Schoenholz et al. 2017; Yang & Schoenholz 2017 for shortcuts; Yang et al. 2019 for normalization;
    Hanin 2018 and Hanin & Nica 2020 for finite width.
    """
    return _predict(experiment.at_start().but(runs=1, seed=0))


@lru_cache(maxsize=512)
def _predict(experiment: Experiment) -> Prediction:
    reason = _no_theory(experiment)
    if reason:
        return _nothing(reason)
    with np.errstate(all="ignore"):
        return _by_layer(experiment)


def _nothing(reason: str) -> Prediction:
    return Prediction(median_reason=reason, reasons={"delta": reason, "weight_gradient": reason})


def _no_theory(experiment: Experiment) -> str:
    if experiment.initialization.variance is None:
        return (
            "Mean-field theory is about independent weights of mean 0; "
            f"those of {experiment.initializer} initialization are not."
        )
    if experiment.normalizer.uses_batch:
        return (
            "Under batch normalization the gradient depends on how the batch spreads over all directions; "
            "the known formula is for inputs of many dimensions and a large batch, not for points in a plane."
        )
    if experiment.normalizer.axis == -2 and experiment.width < LAYER_NORM_WIDTH:
        return f"The formula for layer normalization is for wide layers, {LAYER_NORM_WIDTH} units or more."
    return ""


def _by_layer(experiment: Experiment) -> Prediction:
    net, data = wide_net(experiment), experiment.points()
    if len(data.y) <= PAIRED_SAMPLES:
        paired = Recursion.of_pairs(experiment, net, data)
        delta = paired.delta(np.full(len(data.y), 1 / len(data.y)))
    else:
        delta = of_groups(experiment, net, data)
        paired = None
    if not np.all(np.isfinite(delta)) or np.any(delta <= 0):
        reason = "Signals or gradients leave the range of floating-point numbers."
        if delta[-1] == 0:
            reason = "The output saturates so far that its gradient is 0 in practically every seed."
        return _nothing(reason)
    weight_gradient, weight_reason = _weight_gradient(experiment, paired)
    if paired is None:
        paired = Recursion.of_pairs(experiment, net, subsample(data))
    median, median_reason = median_delta(experiment, paired, delta, len(data.y))
    instead = f"The theory line is the root mean square over seeds, not that of a median seed: {median_reason}"
    return Prediction(
        delta=delta,
        median_delta=median,
        weight_gradient=weight_gradient,
        median_reason=median_reason,
        reasons={"weight_gradient": weight_reason},
        caveats={"delta": instead} if median is None else {},
    )


def _weight_gradient(experiment: Experiment, paired: Recursion | None) -> tuple[Array | None, str]:
    """Return the norm of dL/dW: |dW|^2 is the sum over s, t of (delta_s . delta_t) (h_s . h_t)."""
    if paired is None:
        return None, f"dL/dW sums over all pairs of samples; it is predicted for {PAIRED_SAMPLES} samples or fewer."
    if experiment.normalizer.axis is not None:
        return None, "Normalization ties the units of a layer together; dL/dW is predicted without it only."
    if np.any(paired.along_signal > 0):
        return None, "With shortcuts, a rectifier's gradient aligns with the signal; dL/dW is not predicted."
    twice = np.where(paired.pairs.first == paired.pairs.second, 1.0, 2.0)
    signal = np.array(paired.signals.h)
    square = np.sum(twice * paired.gradients.delta * signal, axis=1)
    return np.sqrt(np.maximum(square, 0.0)) * np.exp(paired.gradients.log_scale / 2), ""
