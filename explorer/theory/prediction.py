"""Prediction: what theory says of an experiment before its first update.

It follows the median seed through the experiment's own layers, with its sizes, weights, data and loss: mean-field theory,
corrected for finite width. The median is what the app draws; the mean over seeds is larger, in a narrow deep net by orders of
magnitude, because a product of many random factors is skewed (Hanin 2018). Where a prediction would mislead, there is a
reason instead.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.experiment import Experiment
from explorer.theory.layer_by_layer import PAIRED_SAMPLES, subsample, wide_net
from explorer.theory.median_seed import median_seed
from explorer.training.measures import Diagnostic

# Measured: narrower layer-normalized nets depart from the large-width formula by factors of 2 to 5 within ten layers.
LAYER_NORM_WIDTH = 16


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What theory says of every layer of a median seed at initialization; None, with a reason, where it says nothing."""

    median_delta: Array | None = None  # RMS over samples and units of dL/dz; 0 where most seeds are dead
    median_weight_gradient: Array | None = None  # L2 norm of dL/dW
    reasons: Mapping[str, str] = field(default_factory=dict)  # Why nothing is drawn beside a measure

    def __post_init__(self) -> None:
        for array in (self.median_delta, self.median_weight_gradient):
            if array is not None:
                array.setflags(write=False)

    def of(self, measure: str) -> Array | None:
        """Return what is drawn beside a measure."""
        return {"delta": self.median_delta, "weight_gradient": self.median_weight_gradient}.get(measure)

    def note(self, measure: Diagnostic) -> str:
        """Say why there is no theory beside a measure; empty where there is."""
        if self.of(measure.name) is not None:
            return ""
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
    """Predict dL/dz and dL/dW of every layer of a median seed, first to last, at initialization, of all data at once.

    Poole et al. 2016; Schoenholz et al. 2017; Yang & Schoenholz 2017 for shortcuts; Hanin 2018 and Hanin & Nica 2020 for
    finite width. What is not theirs says "derived here" where it stands.
    """
    return _predict(experiment.at_start().but(runs=1, seed=0))


@lru_cache(maxsize=512)
def _predict(experiment: Experiment) -> Prediction:
    reason = _no_theory(experiment)
    if reason:
        return _nothing(reason)
    few = subsample(experiment.points())
    with np.errstate(all="ignore"):
        found = median_seed(experiment, wide_net(experiment), few, _no_weight_gradient(experiment))
    if found.delta is not None and not np.all(np.isfinite(found.delta)):
        return _nothing("Signals or gradients leave the range of floating-point numbers.")
    reasons = {"delta": found.reason, "weight_gradient": found.weight_reason}
    return Prediction(
        median_delta=found.delta,
        median_weight_gradient=found.weight_gradient,
        reasons={measure: reason for measure, reason in reasons.items() if reason},
    )


def _nothing(reason: str) -> Prediction:
    return Prediction(reasons={"delta": reason, "weight_gradient": reason})


def _no_theory(experiment: Experiment) -> str:
    if experiment.layer_kind.slides:
        return "Theory's lines here follow dense layers. Very wide convolutions have the same critical line (Xiao et al. 2018)."
    if not experiment.initialization.passes_gradient:
        return "Theory is about random weights; these are all 0, and no gradient passes."
    if experiment.initialization.variance is None:
        return f"Theory is about independent weights of mean 0; “{experiment.initializer}” draws others."
    if experiment.normalizer.uses_batch:
        return (
            "Under batch normalization the gradient depends on how the batch spreads over all directions; "
            "the known formula is for inputs of many dimensions and a large batch, not for points in a plane."
        )
    if experiment.normalizer.axis == -2 and experiment.width < LAYER_NORM_WIDTH:
        return f"The formula for layer normalization is for wide layers, {LAYER_NORM_WIDTH} units or more."
    return ""


def _no_weight_gradient(experiment: Experiment) -> str:
    if experiment.sample_count > PAIRED_SAMPLES:
        return f"dL/dW sums over all pairs of samples; it is predicted for {PAIRED_SAMPLES} samples or fewer."
    if experiment.normalizer.axis is not None:
        return "Normalization ties the units of a layer together; dL/dW is predicted without it only."
    return ""
