"""Remedies: named changes to an experiment, with the reason why each helped or could not; the most useful ones first."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from explorer.choices.experiment import LOWEST_RATE, Experiment
from explorer.choices.registry import Entry, registry
from explorer.diagnosis.facts import DEAD_SHARE, HEALTHY_DECADES, Facts, gradient_change
from explorer.diagnosis.wording import against_last, decades, number

# ReLU is not advised where a sample is likelier than this to die on its way through the net.
DYING_CHANCE = 0.1
# An activation whose slope nowhere exceeds this shrinks the gradient in every layer.
LOW_SLOPE = 0.25


@dataclass(frozen=True, kw_only=True)
class Remedy(Entry):
    """A change that may restore a gradient, or tame it."""

    change: Callable[[Experiment], Experiment]  # Returns the very same experiment where it can do nothing
    # From the facts before and after to a clause: why it helped here, or why it could not.
    why: Callable[[Facts, Facts], str]
    idle: str = "it is there already"  # Why `change` can return the very same experiment
    # `useless(experiment, vanishing)`: whether it would not help here, where the gradient vanishes or where it does not.
    useless: Callable[[Experiment, bool], bool] | None = None


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


REMEDIES = registry(
    [
        Remedy(
            name="ReLU",
            caption="Its slope is 1 wherever a unit is on: nothing shrinks there.",
            formula="f(z) = max(0, z)",
            source="Nair & Hinton 2010",
            change=lambda experiment: experiment.but(activation="ReLU"),
            why=_why_relu,
            # A sample dies in a layer of n rectifiers with probability 2^-n (Lu et al. 2020).
            useless=lambda experiment, vanishing: experiment.depth * 2.0**-experiment.width > DYING_CHANCE,
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
            change=lambda experiment: experiment.but(
                initializer=experiment.activation_function.fitting_initializer, gain=1.0
            ),
            why=_why_initialization,
            useless=lambda experiment, vanishing: vanishing and _is_too_flat(experiment),
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
    ]
)
