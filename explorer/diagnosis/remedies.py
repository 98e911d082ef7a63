"""Remedies: named changes to an experiment, with the reason why each helped or could not; the most useful ones first."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from explorer.choices.comparisons import gated
from explorer.choices.controls import Number
from explorer.choices.experiment import LOWEST_RATE, Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.registry import Entry, registry
from explorer.choices.settings import FULL
from explorer.diagnosis.facts import DEAD_SHARE, HEALTHY_DECADES, Facts, gradient_change
from explorer.diagnosis.wording import against_last, decades, number
from explorer.training.kinds import LAYERS, TIME_STEPS

# An activation whose slope nowhere exceeds this shrinks the gradient in every layer.
LOW_SLOPE = 0.25
# Up to this depth a fitting start helps a net of such an activation all the same.
SHALLOW = 3
# How many times the epochs or the width, and the samples of a batch, and the rate that Adam then takes.
TIMES, MORE_SAMPLES, ADAM_RATE = 4, 8, 0.01


def gradient_told(before: Facts, after: Facts) -> str:
    """Say what became of the gradient."""
    return _still(after) or gradient_change(before, after)


@dataclass(frozen=True, kw_only=True)
class Remedy(Entry):
    """A change that may restore a gradient, or tame it, or make better use of it."""

    change: Callable[[Any], Any]  # Of an experiment; returns the very same one where it can do nothing
    # From the facts before and after to a clause: why it helped here, or why it could not.
    why: Callable[[Facts, Facts], str] = gradient_told
    idle: str = "it is there already"  # Why `change` can return the very same experiment


def _is_too_flat(experiment: Experiment) -> bool:
    """Whether no usual variance keeps a deep net's gradient level: the slope is far from 1 everywhere."""
    return experiment.activation_function.steepest <= LOW_SLOPE


def explodes(f: Facts) -> bool:
    """Whether the gradient explodes at the start, by the verdict's threshold."""
    return math.isfinite(f.log_ratio) and f.log_ratio > HEALTHY_DECADES


def vanishes(f: Facts) -> bool:
    """Whether the gradient vanishes at the start, by the verdict's threshold."""
    return f.log_ratio < -HEALTHY_DECADES


def _still(after: Facts) -> str:
    """Say that it still vanishes or explodes; empty if not."""
    if vanishes(after):
        return f"dL/dz at the first layer is still {against_last(after.log_ratio)}"
    return f"dL/dz at the first layer is {against_last(after.log_ratio)}: too much" if explodes(after) else ""


def _by_gradient(clause: str) -> Callable[[Facts, Facts], str]:
    """Say `clause`, and what became of the gradient."""
    return lambda before, after: f"{clause}: {_still(after) or gradient_change(before, after)}"


def _why_relu(before: Facts, after: Facts) -> str:
    if after.dead_share >= DEAD_SHARE or after.zero_share >= 0.5:
        return (
            f"units die: {after.dead_share:.0%} of them are off for every sample, and the first layer's dL/dW is exactly 0 "
            f"in {round(after.zero_share * after.runs)} of {after.runs} seeds"
        )
    return _by_gradient("its slope is 1 wherever a unit is on")(before, after)


def _why_batch_norm(before: Facts, after: Facts) -> str:
    if explodes(after):
        return (
            f"it divides by the spread of z in every layer, and without skips each layer then multiplies dL/dz by "
            f"{decades(after.log_factor)}: {against_last(after.log_ratio)} at the first"
        )
    if after.solved < after.runs and after.loss_end < before.loss_end / 10:
        return (
            f"with batch statistics the loss falls to {number(after.loss_end)}, but answers are made with running "
            "statistics, and these differ"
        )
    return _by_gradient("it keeps every unit where the activation is steep")(before, after)


def _why_layer_norm(before: Facts, after: Facts) -> str:
    if vanishes(after):
        return (
            f"each layer still multiplies dL/dz by {decades(after.log_factor)}: unlike batch norm, it does not "
            "remove what a unit answers to every sample alike"
        )
    return _by_gradient("it keeps every sample's z at one size")(before, after)


def _why_smaller_steps(before: Facts, after: Facts) -> str:
    if before.diverged > after.diverged:
        return f"{before.diverged} of {before.runs} seeds diverged with the larger steps, {after.diverged} with these"
    if after.diverged:
        return f"dL/dz at the first layer is {against_last(after.log_ratio)}, too much for these steps as well"
    if vanishes(before):
        return f"a smaller step cannot enlarge a gradient that is {against_last(before.log_ratio)} at the first layer"
    if before.solve_epoch < after.solve_epoch:
        return "the gradient at the start is the same, and smaller steps only take longer"
    return "the gradient at the start is the same, and smaller steps follow it more closely"


def _why_skip(before: Facts, after: Facts) -> str:
    if after.diverged > before.diverged:
        return (
            "every layer's output is added to its input: signals grow, and steps of this size make "
            f"{after.diverged} of {after.runs} seeds diverge"
        )
    if explodes(before):
        return f"the gradient was too large, not too small: {gradient_change(before, after)}"
    return _by_gradient("the identity carries the gradient past the layers")(before, after)


def _why_initialization(before: Facts, after: Facts) -> str:
    if vanishes(after) and _is_too_flat(after.experiment):
        return (
            f"the {after.experiment.activation}'s slope is at most 1/4, which no usual variance makes up for: each layer multiplies dL/dz by "
            f"{decades(after.log_factor)}, before by {decades(before.log_factor)}"
        )
    return _by_gradient("the variance fits the activation")(before, after)


def _why_clipping(before: Facts, after: Facts) -> str:
    if vanishes(before):
        return (
            "clipping only makes a gradient smaller: at the first layer it stays "
            f"{against_last(after.log_ratio)} at the start"
        )
    if after.clipped_share == 0:
        return f"no update was above the threshold of {after.experiment.threshold:g}"
    shortened = f"{_percent(after.clipped_share)} of the updates were limited to {after.experiment.threshold:g}"
    if before.diverged > after.diverged:
        return f"{shortened}, which kept seeds finite"
    if explodes(before):
        return f"{shortened}, though dL/dz at the first layer is {against_last(after.log_ratio)} as before"
    return shortened


def _percent(share: float) -> str:
    return "under 1%" if 0 < share < 0.01 else f"{share:.0%}"


def _weights_move(before: Facts, after: Facts) -> str:
    old, new = before.signs.way, after.signs.way
    if math.isnan(old) or math.isnan(new):
        return gradient_change(before, after)
    return f"all updates together could move the weights by {decades(new)} of their own size, before by {decades(old)}"


def _why_larger_steps(before: Facts, after: Facts) -> str:
    if after.diverged > before.diverged:
        return f"steps of this size make {after.diverged} of {after.runs} seeds diverge"
    return _weights_move(before, after)


def _why_epochs(before: Facts, after: Facts) -> str:
    return (
        f"the median loss goes on from {number(before.loss_end)} at epoch {before.epoch:,} to {number(after.loss_end)} at "
        f"epoch {after.epoch:,}"
    )


def _why_width(before: Facts, after: Facts) -> str:
    return (
        f"{after.experiment.width} units per layer instead of {before.experiment.width}: {gradient_told(before, after)}"
    )


def _why_leaky(before: Facts, after: Facts) -> str:
    if before.dead_share > after.dead_share:
        return f"none of its units can die; before, {before.dead_share:.0%} were off for every sample"
    return _by_gradient("its slope is 1 above 0 and 0.01 below")(before, after)


def _why_batches(before: Facts, after: Facts) -> str:
    old, new = (max(f.experiment.batch_sizes()) for f in (before, after))
    told = f"an update sees {new} samples instead of {old}"
    if after.experiment.normalizer.uses_batch:
        return f"{told}, and batch norm has as many to take mean and variance from"
    return f"{told}, and there are fewer updates"


def _why_cross_entropy(before: Facts, after: Facts) -> str:
    slope = before.signs.output_slope
    if slope < math.log10(0.5):
        return f"its gradient at z is the error itself; before, the output's slope made it {decades(slope)} of what it could be"
    return "its gradient at z is the error itself, whatever the output's slope"


def _top(name: str) -> Any:
    control = Experiment.controls()[name]
    assert isinstance(control, Number)
    return control.high


HIGHEST_RATE, MOST_EPOCHS, WIDEST = _top("learning_rate"), _top("epochs"), _top("width")


def _fit_initialization(experiment: Experiment) -> Experiment:
    """Change the first weights, unless they are of that variance already."""
    fitted = experiment.but(initializer=experiment.activation_function.fitting_initializer, gain=1.0)
    return experiment if _hidden_variance(experiment) == _hidden_variance(fitted) else fitted


def starts_far_below(experiment: Experiment) -> bool:
    """Whether the first weights have less than a tenth of the fitting variance, in a net that such a variance can help."""
    fitted = experiment.but(initializer=experiment.activation_function.fitting_initializer, gain=1.0, bias="zeros")
    small = _hidden_variance(experiment.but(bias="zeros")) < 0.1 * _hidden_variance(fitted)
    return small and (experiment.depth <= SHALLOW or not _is_too_flat(experiment))


def _hidden_variance(experiment: Experiment) -> float:
    """The variance of the first weights between hidden layers to twelve digits; NaN where they have none, or random biases."""
    variance, width = experiment.initialization.variance, experiment.width
    if variance is None or experiment.draws_bias:
        return math.nan
    return float(f"{experiment.gain**2 * variance(width, width, experiment.activation_function):.12g}")


def _lose_by_cross_entropy(experiment: Experiment) -> Experiment:
    """Change the loss, unless it is that one already, whatever it is called, or the task is a regression."""
    changed = experiment if experiment.dataset.regression else experiment.but(loss="cross-entropy")
    return experiment if changed.loss_function is experiment.loss_function else changed


def _enlarge_batches(experiment: Experiment) -> Experiment:
    if len(experiment.batch_sizes()) == 1:
        return experiment
    samples = MORE_SAMPLES * int(experiment.batch)
    return experiment.but(batch=FULL if samples >= experiment.sample_count else str(samples))


REMEDIES = registry(
    [
        Remedy(
            name="ReLU",
            caption="Its slope is 1 wherever a unit is on: nothing shrinks there.",
            formula="f(z) = max(0, z)",
            source="Nair & Hinton 2010",
            change=lambda experiment: experiment.but(activation="ReLU"),
            why=_why_relu,
        ),
        Remedy(
            name="batch norm",
            caption="Starts every unit's z in the steep part of the activation, whatever the weights.",
            formula="z ← γ·(z - mean) / std + β",
            source="Ioffe & Szegedy 2015",
            change=lambda experiment: experiment.but(normalization="batch"),
            why=_why_batch_norm,
        ),
        Remedy(
            name="a tenth of the learning rate",
            caption="Smaller steps stay where the measured slope still holds.",
            formula="η ← η / 10",
            source="LeCun et al. 1998",
            change=lambda experiment: experiment.but(learning_rate=max(experiment.learning_rate / 10, LOWEST_RATE)),
            why=_why_smaller_steps,
            idle=f"the learning rate is {LOWEST_RATE:g} already, the smallest",
        ),
        Remedy(
            name="skip over one layer",
            caption="The identity beside every layer carries the gradient past it.",
            formula="y = x + f(W x + b)",
            source="He et al. 2016",
            change=lambda experiment: experiment.but(skip="one layer") if experiment.depth >= 2 else experiment,
            why=_why_skip,
            idle="it is there already, or the net is too shallow for it",
        ),
        Remedy(
            name="skip over two layers",
            caption="The identity beside every pair of layers carries the gradient past it.",
            formula="y = x + f(W₂ f(W₁ x + b₁) + b₂)",
            source="He et al. 2016",
            change=lambda experiment: experiment.but(skip="two layers") if experiment.depth >= 3 else experiment,
            why=_why_skip,
            idle="it is there already, or the net is too shallow for it",
        ),
        Remedy(
            name="fitting initialization",
            caption="He for rectifiers and their smooth relatives, LeCun for SELU, Glorot for the others: a variance that "
            "keeps signals about level. It does not rescue a deep sigmoid net.",
            formula="Var W = g² / fan_in  or  2 / (fan_in + fan_out)",
            source="Glorot & Bengio 2010; He et al. 2015",
            change=_fit_initialization,
            why=_why_initialization,
            idle="the first weights have that variance already",
        ),
        Remedy(
            name="clip by norm",
            caption="Bounds the gradient that makes an update. It cannot bring back one that vanished.",
            formula="g ← g·min(1, c / ‖g‖)",
            source="Pascanu et al. 2013",
            change=lambda experiment: experiment.but(clip="norm"),
            why=_why_clipping,
        ),
        Remedy(
            name="clip by value",
            caption="Bounds every entry of the gradient, and so changes its direction.",
            formula="g ← min(max(g, -c), c)",
            source="Mikolov 2012",
            change=lambda experiment: experiment.but(clip="value"),
            why=_why_clipping,
        ),
        Remedy(
            name="layer norm",
            caption="Gives every sample's z one size in each layer. It does for tanh what batch norm does, and not for sigmoid.",
            formula="z ← γ·(z - mean) / std + β",
            source="Ba et al. 2016",
            change=lambda experiment: experiment.but(normalization="layer"),
            why=_why_layer_norm,
        ),
        Remedy(
            name="ten times the learning rate",
            caption="Larger steps get further in as many updates.",
            formula="η ← 10·η",
            source="Bengio 2012, section 3.1.1",
            change=lambda experiment: experiment.but(learning_rate=min(10 * experiment.learning_rate, HIGHEST_RATE)),
            why=_why_larger_steps,
            idle=f"the learning rate is {HIGHEST_RATE:g} already, the largest",
        ),
        Remedy(
            name="Adam",
            caption="Divides each entry of the gradient by its own recent size, so that small gradients make steps as well; with a "
            "learning rate of 0.01.",
            formula="θ ← θ - 0.01·m̂ / (√v̂ + 1e-7)",
            source="Kingma & Ba 2015",
            change=lambda experiment: experiment.but(optimizer="Adam", learning_rate=ADAM_RATE),
            why=_weights_move,
        ),
        Remedy(
            name="four times the epochs",
            caption="As many more updates, each as before.",
            formula="epochs ← 4·epochs",
            source="Bengio 2012, section 3.1.1",
            change=lambda experiment: experiment.but(epochs=min(TIMES * experiment.epochs, MOST_EPOCHS)),
            why=_why_epochs,
            idle=f"there are {MOST_EPOCHS:,} epochs already, the most",
        ),
        Remedy(
            name="four times the width",
            caption="More units per layer: more ways to an answer, and fewer poor local minima.",
            formula="width ← 4·width",
            source="Choromanska et al. 2015",
            change=lambda experiment: experiment.but(width=min(TIMES * experiment.width, WIDEST)),
            why=_why_width,
            idle=f"the layers have {WIDEST} units already, the most",
        ),
        Remedy(
            name="leaky ReLU",
            caption="Slope 1 above 0 and 0.01 below: its units cannot die.",
            formula="f(z) = z above 0, else 0.01·z",
            source="Maas et al. 2013",
            change=lambda experiment: experiment.but(activation="leaky ReLU"),
            why=_why_leaky,
        ),
        Remedy(
            name="tanh",
            caption="Slope 1 at 0, and outputs between -1 and 1: it bends, and bounds what it hands on.",
            formula="f(z) = tanh z",
            source="LeCun et al. 1998, section 4.4",
            change=lambda experiment: experiment.but(activation="tanh"),
            why=_by_gradient("its slope is 1 at 0"),
        ),
        Remedy(
            name="larger batches",
            caption="Eight times as many samples per update: batch norm's statistics, and the gradient, scatter less.",
            formula="batch ← 8·batch, at most all samples",
            source="Wu & He 2018",
            change=_enlarge_batches,
            why=_why_batches,
            idle="every update sees all samples already",
        ),
        Remedy(
            name="cross-entropy",
            caption="A loss whose gradient stays as large as the error where the output saturates at a wrong answer.",
            formula="L = mean( ln(1 + eᶻ) - y·z )",
            source="Solla et al. 1988; Glorot & Bengio 2010, section 4.1",
            change=_lose_by_cross_entropy,
            why=_why_cross_entropy,
            idle="it is there already, or the task is a regression",
        ),
    ]
)


# --- over time ----------------------------------------------------------------------------------


def _of_both(name: str, **more: Any) -> Remedy:
    """A remedy of nets of layers that changes the same setting of nets over time."""
    return replace(REMEDIES[name], **more)


def _epochs_over_time(experiment: RecurrentExperiment) -> RecurrentExperiment:
    control = experiment.controls()["epochs"]
    assert isinstance(control, Number)
    return experiment.but(epochs=min(TIMES * experiment.epochs, int(control.high)))


TIME_REMEDIES = registry(
    [
        Remedy(
            name="gates that start open",
            caption="A cell with a gate for its memory, an LSTM where there is none, whose bias starts at ln T: it keeps the state "
            "over about T steps.",
            formula="bias = ln T",
            source="Gers et al. 2000; Tallec & Ollivier 2018",
            change=lambda experiment: gated(experiment).but(forget_bias=round(math.log(experiment.length), 1)),
        ),
        Remedy(
            name="orthogonal start",
            caption="All singular values of W_hh start at 1: it turns the state without changing its length.",
            formula="W_hh = Q, QᵀQ = I",
            source="Saxe et al. 2014",
            change=lambda experiment: experiment.but(initializer="orthogonal", strength=1.0),
        ),
        Remedy(
            name="no truncation",
            caption="Backpropagation through all steps: what is cut off gets no gradient.",
            source="Tallec & Ollivier 2017",
            change=lambda experiment: experiment.but(truncation=0),
            idle="nothing is cut",
        ),
        _of_both("clip by norm"),
        _of_both("a tenth of the learning rate"),
        _of_both("ten times the learning rate"),
        _of_both("four times the epochs", change=_epochs_over_time),
    ]
)

REMEDIES_OF: Mapping[str, Mapping[str, Remedy]] = {LAYERS.name: REMEDIES, TIME_STEPS.name: TIME_REMEDIES}
