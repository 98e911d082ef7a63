"""Reasons: why a remedy helped, or could not, in a clause from the facts before and after."""

import math
from collections.abc import Callable

from explorer.choices.experiment import Experiment
from explorer.diagnosis.facts import DEAD_SHARE, HEALTHY_DECADES, Facts
from explorer.diagnosis.sentences import own_size
from explorer.diagnosis.wording import against_last, decades, number, seeds_text

# An activation whose slope nowhere exceeds this shrinks the gradient in every layer.
LOW_SLOPE = 0.25
# Over two units layer norm leaves z = ±1, over three one number.
FEW_UNITS = 3


def is_too_flat(experiment: Experiment) -> bool:
    """Whether no usual variance keeps a deep net's gradient level: the slope is far from 1 everywhere."""
    return experiment.activation_function.steepest <= LOW_SLOPE


def gradient_change(old: Facts, new: Facts) -> str:
    """Say how the share of the gradient that reaches the first layer differs between two experiments at their start."""
    if new.log_ratio == -math.inf:
        again = ", as before" if old.log_ratio == -math.inf else ""
        return f"at the start none of the gradient reaches the first layer{again}"
    if old.log_ratio == -math.inf:
        return f"at the start the first layer's gradient is {against_last(new.log_ratio)} instead of exactly 0"
    if not math.isfinite(old.log_ratio) or not math.isfinite(new.log_ratio):
        both = math.isfinite(old.log_ratio) == math.isfinite(new.log_ratio)
        return f"at the start the gradient is not finite in {'both' if both else 'one of the two'}"
    change = new.log_ratio - old.log_ratio
    if abs(change) < 0.1:
        return "at the start as much of the gradient reaches the first layer as before"
    if max(old.log_ratio, new.log_ratio) > HEALTHY_DECADES:
        # More of an exploding gradient is no cure, and less of it no harm.
        went = f"from {decades(old.log_ratio)} to {decades(new.log_ratio)}"
        return f"at the start dL/dz at the first layer goes {went} times the last's"
    times = f"{decades(abs(change))} times {'more' if change > 0 else 'less'}"
    return f"at the start {times} of the gradient reaches the first layer"


def gradient_told(before: Facts, after: Facts) -> str:
    """Say what became of the gradient."""
    return _still(after) or gradient_change(before, after)


def explodes(f: Facts) -> bool:
    """Whether the gradient explodes at the start, by the verdict's threshold."""
    return math.isfinite(f.log_ratio) and f.log_ratio > HEALTHY_DECADES


def vanishes(f: Facts) -> bool:
    """Whether the gradient vanishes at the start, by the verdict's threshold."""
    return f.log_ratio < -HEALTHY_DECADES


def _still(after: Facts) -> str:
    """Say that it vanishes or explodes all the same; empty if not."""
    if vanishes(after):
        return f"at the start dL/dz at the first layer is still {against_last(after.log_ratio)}"
    return (
        f"at the start dL/dz at the first layer is {against_last(after.log_ratio)}: too much" if explodes(after) else ""
    )


def by_gradient(clause: str) -> Callable[[Facts, Facts], str]:
    """Say `clause`, and what became of the gradient, or that it vanishes or explodes all the same."""
    return lambda before, after: (
        f"{clause}, yet {_still(after)}" if _still(after) else f"{clause}: {gradient_change(before, after)}"
    )


def relu(before: Facts, after: Facts) -> str:
    """Why ReLU."""
    if after.dead_share >= DEAD_SHARE or (after.signs.off and after.zero_share >= 0.5):
        zero = round(after.zero_share * after.runs)
        nothing = f", and the first layer's dL/dW is exactly 0 in {seeds_text(zero, after.runs)}" * (zero > 0)
        return f"units die: {after.dead_share:.0%} of them are off for every sample{nothing}"
    return by_gradient("its slope is 1 wherever a unit is on")(before, after)


def batch_norm(before: Facts, after: Facts) -> str:
    """Why batch norm."""
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
    activation = after.experiment.activation_function
    keeps = "on for some samples" if activation.cuts else "where the activation is steep"
    return by_gradient(f"it keeps every unit {keeps}" if activation.bends else "it keeps z at one size")(before, after)


def layer_norm(before: Facts, after: Facts) -> str:
    """Why layer norm."""
    if after.signs.alike_start * 2 >= after.signs.seeds:
        return "the units of a layer start alike, and it takes away what they have in common"
    if vanishes(after):
        told = f"each layer still multiplies dL/dz by {decades(after.log_factor)}"
        if not after.experiment.activation_function.is_zero_at_zero:
            return f"{told}: unlike batch norm, it does not remove what a unit answers to every sample alike"
        few = after.experiment.width <= FEW_UNITS
        return f"{told}: over {_units(after)} it leaves little of z but its signs" if few else told
    return by_gradient("it keeps every sample's z at one size")(before, after)


def smaller_steps(before: Facts, after: Facts) -> str:
    """Why smaller steps."""
    if before.diverged > after.diverged:
        these = f"{after.diverged} with these" if before.runs > 1 else "not with these"
        return f"{seeds_text(before.diverged, before.runs)} diverged with the larger steps, {these}"
    if after.diverged:
        return f"with these steps {_diverge(after)} as well"
    if vanishes(before) and not _better(before, after):
        return f"a smaller step cannot enlarge a gradient that is {against_last(before.log_ratio)} at the first layer"
    if before.solve_epoch < after.solve_epoch:
        return "the gradient at the start is the same, and smaller steps only take longer"
    return "the gradient at the start is the same, and smaller steps follow it more closely"


def _diverge(f: Facts) -> str:
    return f"{seeds_text(f.diverged, f.runs)} diverge{'s' * (f.diverged == 1)}"


def skip(before: Facts, after: Facts) -> str:
    """Why a skip."""
    if after.diverged > before.diverged:
        return (
            f"every layer's output is added to its input: signals grow, and with steps of this size {_diverge(after)}"
        )
    if explodes(before):
        return f"the gradient was too large, not too small: {gradient_change(before, after)}"
    return by_gradient("the identity carries the gradient past the layers")(before, after)


def initialization(before: Facts, after: Facts) -> str:
    """Why a fitting initialization."""
    if vanishes(after) and is_too_flat(after.experiment):
        return (
            f"the {after.experiment.activation}'s slope is at most 1/4, which no usual variance makes up for: each layer multiplies dL/dz by "
            f"{decades(after.log_factor)}, before by {decades(before.log_factor)}"
        )
    return by_gradient("the variance fits the activation")(before, after)


def _better(before: Facts, after: Facts) -> bool:
    """Whether more seeds solve it, or less of the error is left: what cannot help did not."""
    return after.solved > before.solved or round(after.score, 2) < round(before.score, 2)


def clipping(before: Facts, after: Facts) -> str:
    """Why clipping."""
    if vanishes(before) and not _better(before, after):
        return (
            "clipping only makes a gradient smaller: at the first layer it stays "
            f"{against_last(after.log_ratio)} at the start"
        )
    if math.isnan(after.clipped_share):
        return "numbers ended before the first update"
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


def weights_move(before: Facts, after: Facts) -> str:
    """Say how far all updates together could move the weights."""
    old, new = before.signs.way, after.signs.way
    # Of weights that started equal their spread is no size.
    if math.isnan(old) or math.isnan(new) or before.signs.alike_start or before.signs.alike:
        return gradient_change(before, after)
    return f"all updates together could move the weights by {own_size(new)}, before by {own_size(old)}"


def larger_steps(before: Facts, after: Facts) -> str:
    """Why larger steps."""
    if after.diverged > before.diverged:
        return f"with steps of this size {_diverge(after)}"
    return weights_move(before, after)


def epochs(before: Facts, after: Facts) -> str:
    """Why more epochs."""
    if not math.isfinite(after.loss_end):
        return f"by epoch {after.epoch:,} half of the seeds have a loss that is not finite"
    loss, end = f"the {'median ' * (after.runs > 1)}loss", number(after.loss_end)
    if number(before.loss_end) == end:
        return f"{loss} is {end} at epoch {before.epoch:,}, and still at epoch {after.epoch:,}"
    return f"{loss} goes on from {number(before.loss_end)} at epoch {before.epoch:,} to {end} at epoch {after.epoch:,}"


def width(before: Facts, after: Facts) -> str:
    """Why a wider net."""
    changed = f"{_units(after)} per layer instead of {before.experiment.width}"
    return f"{changed}: {gradient_told(before, after)}"


def _units(f: Facts) -> str:
    return f"{f.experiment.width} {'channels' if f.experiment.layer_kind.slides else 'units'}"


def leaky(before: Facts, after: Facts) -> str:
    """Why leaky ReLU."""
    if before.dead_share > after.dead_share:
        return f"none of its units can die; before, {before.dead_share:.0%} had slope 0 for every sample"
    return by_gradient("its slope is 1 above 0 and 0.01 below")(before, after)


def batches(before: Facts, after: Facts) -> str:
    """Why larger batches."""
    old, new = (max(f.experiment.batch_sizes()) for f in (before, after))
    told = f"an update sees {new} samples instead of {old}"
    if after.experiment.normalizer.uses_batch:
        return f"{told}, and batch norm has as many to take mean and variance from"
    return f"{told}, and there are fewer updates"


def cross_entropy(before: Facts, after: Facts) -> str:
    """Why cross-entropy."""
    slope = before.signs.output_slope
    if slope < math.log10(0.5):
        return f"its gradient at z is the error itself; before, the output's slope made it {decades(slope)} of what it could be"
    return "its gradient at z is the error itself, whatever the output's slope"
