"""Sentences: what is said after the word of a verdict, from the facts."""

import math

from explorer.diagnosis.facts import HEALTHY_DECADES, LARGE_PULL, NORMED_DECADES, Facts
from explorer.diagnosis.signs import answer_at_zero, zeros_stay
from explorer.diagnosis.wording import against_last, decades, number, seeds_text

LAST_STEP = "the last step's"


def learn(f: Facts) -> str:
    """Say how many seeds learn it: `0 of 8 seeds learn it (8 diverged)`, or `this seed does not learn it`."""
    if f.runs == 1:
        return f"this seed {'learns' if f.solved else 'diverged' if f.diverged else 'does not learn'}{' it' * (not f.diverged)}"
    return f"{f.solved} of {f.runs} seeds learn{'s' * (f.solved == 1)} it{told_diverged(f)}"


def told_diverged(f: Facts) -> str:
    """Say in brackets how many seeds diverged; empty if none did."""
    return f" ({f.diverged} diverged)" if f.diverged else ""


def tell_learn(f: Facts) -> str:
    """Say how many seeds learn it, as a sentence."""
    return f"{learn(f)}."


def solve_it(count: int, runs: int) -> str:
    """Say how many seeds solve it; of a single one, whether it does.

    >>> solve_it(1, 8), solve_it(0, 1)
    ('1 of 8 seeds solves it', 'this seed does not solve it')
    """
    if runs == 1:
        return f"this seed {'solves' if count else 'does not solve'} it"
    return f"{count} of {runs} seeds {'solves' if count == 1 else 'solve'} it"


def tell_learnt(f: Facts) -> str:
    """Say how many seeds learn it and by when, after a word that says so already."""
    return f"{_which_solve(f)}by epoch {f.epoch:,}{told_diverged(f)}."


def _which_solve(f: Facts) -> str:
    """How many seeds solve it, after a word that says what they do; of a single one nothing."""
    return f"{seeds_text(f.solved, f.runs)} " if f.runs > 1 else ""


def tell_reach_in_time(f: Facts) -> str:
    """Say how much of the gradient gets back to the first step."""
    if f.experiment.truncation and f.log_ratio == -math.inf:
        cut = f.experiment.controls()["truncation"].tell(f.experiment.truncation)
        return f"backpropagation is {cut}, and no gradient reaches the first step; {learn(f)}."
    if abs(f.log_ratio) <= HEALTHY_DECADES and f.log_ratio_end < -HEALTHY_DECADES:
        now = against_last(f.log_ratio_end, LAST_STEP)
        return (
            f"dL/dh at the first step fell to {now} in training, from {decades(f.log_ratio)} at the start; {learn(f)}."
        )
    return f"dL/dh at the first step is {against_last(f.log_ratio, LAST_STEP)} before any update; {learn(f)}."


def tell_pull(f: Facts) -> str:
    """Say how long the first gradient is, where it is too long at once; otherwise, how it grows on its way back."""
    if f.first_pull <= LARGE_PULL:
        return tell_reach_in_time(f)
    pull = number(f.first_pull)
    return f"the first gradient of all parameters is {pull} times the loss of always answering the mean target; {learn(f)}."


def with_others(f: Facts, sentence: str) -> str:
    """Add to what is so of every seed how many solve it or diverged."""
    others = _solve_or_diverged(f)
    return f"{sentence}; {others}." if others else f"{sentence}."


def of_failed(f: Facts, sentence: str) -> str:
    """Say how many solve it or diverged before what is told of the others, the seeds that failed."""
    others = _solve_or_diverged(f)
    return f"{others}; in the others, {sentence}." if others and f.solved + f.diverged < f.runs else f"{sentence}."


def _solve_or_diverged(f: Facts) -> str:
    """How many of several seeds solve it or diverged; empty if none does."""
    told = [solve_it(f.solved, f.runs)] * (f.solved > 0) + [f"{f.diverged} diverged"] * (f.diverged > 0)
    return " and ".join(told) if f.runs > 1 else ""


# An error of so many times another would be 1.0 times it: up to here it is said in percent.
AS_MUCH = 1.05


def error_left(f: Facts) -> str:
    """Say what of the error is left, or how many times larger it is, and how many answers are right."""
    mean, error = "always answering the mean target", f.signs.error
    told = (
        f"{error:.0%} of the error of {mean} is left"
        if error < AS_MUCH
        else f"the error is {number(error)} times that of {mean}"
    )
    return told if f.experiment.dataset.regression else f"{told} ({f.signs.accuracy:.0%} of the answers are right)"


def mean_answers_error(error: float) -> str:
    """Say an error, given as a share of the mean answer's: `27% of the mean answer's error`, `2.0 times ...`."""
    return f"{f'{error:.0%} of' if error < AS_MUCH else f'{number(error)} times'} the mean answer's error"


def loss_went(f: Facts) -> str:
    """Say from where to where the loss went, or that it stayed."""
    start, end = number(f.signs.loss_start), number(f.signs.loss_end)
    return f"the loss stayed at {end}" if start == end else f"the loss went from {start} to {end}"


def arrives_and(f: Facts, claim: str) -> str:
    """Say that the gradient arrives, unless the first layer gets far less than the output layer: small last weights pass little."""
    return claim if f.log_ratio_end >= -HEALTHY_DECADES else ""


def own_size(log10: float, of: str = "their own") -> str:
    """Say a size as a multiple or a share of the weights' own."""
    if log10 == -math.inf:
        return decades(log10)
    return f"{decades(log10)} {'times' if log10 >= 0 else 'of'} {of} size"


def tell_hardly_moved(f: Facts) -> str:
    """Say how far all updates together moved the weights, then what became of the loss: biases alone may lower it."""
    moved = f"all updates together moved a typical layer's weights by at most {own_size(f.signs.way)}"
    if f.signs.way == -math.inf:
        moved = "no update moved a typical layer's weights"
    return of_failed(f, f"{moved}; {loss_went(f)}")


def tell_hardly_moved_over_time(f: Facts) -> str:
    """Say how far all updates together moved a usual weight, 1/√fan_in."""
    return f"all updates together moved a usual weight, 1/√fan_in, by at most {own_size(f.signs.way, of='its')}; {learn(f)}."


def of_largest(log10: float) -> str:
    """Say a slope as a share of its largest."""
    return decades(log10) if log10 == -math.inf else f"{decades(log10)} of its largest"


def tell_diverged(f: Facts) -> str:
    """Say how many seeds diverged, and how."""
    ended, grown = f.ended, f.diverged - f.ended
    told = [f"{seeds_text(ended, f.runs)} became infinite or NaN, first in {f.first_end}"] * (ended > 0)
    told += [f"the loss grew more than a thousandfold in {seeds_text(grown, f.runs)}"] * (grown > 0)
    if grown and math.isfinite(f.loss_end):
        told[-1] += f", {'its median ' * (f.runs > 1)}from {number(f.loss_start)} to {number(f.loss_end)}"
    return f"{'; '.join(told)}{f'; {solve_it(f.solved, f.runs)}' * (f.solved > 0)}."


def tell_solved(f: Facts) -> str:
    """Say how many seeds solve it, by when, and what became of the others."""
    told = f"{_which_solve(f)}by epoch {f.epoch:,}, with a {'median ' * (f.solved > 1)}loss of {number(f.loss_solved)}"
    rest = f.runs - f.solved - f.diverged
    others = [f"{f.diverged} diverged"] * (f.diverged > 0)
    others += [f"{rest} still {'have' if rest > 1 else 'has'} {mean_answers_error(f.signs.error)}"] * (rest > 0)
    return f"{told}; {' and '.join(others)}." if others else f"{told}."


def tell_healthy(f: Facts) -> str:
    """Say the loss, and what of the error is left, of those seeds that do not solve it."""
    arrives = arrives_and(f, "the gradient arrives everywhere; ")
    if not f.epoch:
        return f"{arrives}the loss is {number(f.signs.loss_start)} before training."
    loss, left = number(f.signs.loss_end), mean_answers_error(f.signs.error)
    told = f"the loss is {loss}, and {left} is left"
    if f.solved:
        told = f"{solve_it(f.solved, f.runs)}, and the others have a loss of {loss} and {left}"
    lost = f"; {f.diverged} diverged" * (f.diverged > 0)
    return f"{arrives}at epoch {f.epoch:,}, {told}{lost}."


def tell_alike(f: Facts) -> str:
    """Say what keeps units alike, or, where these are no longer, what took away all that they had."""
    if f.signs.alike * 2 >= f.signs.seeds:
        return "all units of a layer compute the same and get the same gradient, so they stay alike: the width is 1 in effect."
    return "all units of a layer started alike, and layer norm takes away what they have in common: hardly any gradient was left."


def tell_dead(f: Facts) -> str:
    """Say how many hidden units are dead."""
    rectifies = f.experiment.activation_function.cuts
    how = "are off" if rectifies else "have a slope of exactly 0"
    dead, before = f"{f.signs.dead:.0%}", f"{f.signs.dead_start:.0%}"
    then = "as many" if dead == before else before if f.signs.dead_start else "none"
    told = f"{dead} of the hidden units ({then} at the start) {how} for every sample and pass no gradient"
    if f.signs.off:
        told += f", among them all of layer {f.signs.off}"
    if f.signs.zero:
        told += f"; the first layer's dL/dW is exactly 0 in {seeds_text(f.signs.zero, f.runs)}"
    return of_failed(f, told)


def tell_reach(f: Facts) -> str:
    """Say how much of the gradient reaches the first hidden layer."""
    start, end, last = f.signs.reach, f.signs.reach_end, "the last hidden layer's"
    if start > NORMED_DECADES and f.experiment.normalizer.uses_batch and not f.experiment.skipped:
        grows = f"batch norm without skips multiplies dL/dz by {decades(f.log_factor)} from each hidden layer to the one before"
        return of_failed(f, f"{grows}: at the first it is {against_last(start, last)} at the start")
    if start > HEALTHY_DECADES and norms_zeros(f):
        grows = (
            "an input of zeros has z = 0, which layer norm divides by √(0 + 10⁻⁵): in every layer its gradient grows"
        )
        return of_failed(f, f"{grows}; at the first hidden layer dL/dz is {against_last(start, last)} at the start")
    if abs(start) > HEALTHY_DECADES:
        now = f", and {against_last(end)} at epoch {f.epoch:,}" if -start > HEALTHY_DECADES and end > -1 else ""
        told = f"dL/dz at the first hidden layer is {against_last(start, last)} at the start{now}"
    else:
        went = f"{'fell' if end < start else 'rose'} to {against_last(end, last)}"
        told = f"dL/dz at the first hidden layer {went} in training, from {decades(start)} at the start"
    nothing = "; for every sample some layer's slopes are 0, or their product is below the smallest number"
    return of_failed(f, told + nothing * (-math.inf in (start, end)))


def norms_zeros(f: Facts) -> bool:
    """Whether layer norm divides zeros by √ε, 316 times smaller than 1, and so multiplies their gradient in every layer."""
    return f.experiment.normalizer.axis == -2 and zeros_stay(f.experiment)


def tell_no_biases(f: Facts) -> str:
    """Say what is answered to an input of zeros, and what of the error is left."""
    answer = f"an input of zeros gives z = 0 in every layer, and the answer {answer_at_zero(f.experiment):g}"
    return with_others(f, f"{answer}, whatever the weights; {error_left(f)}")


def tell_stuck(f: Facts) -> str:
    """Say what the loss did, and how many seeds answer hardly better than a constant all the same."""
    seeds = f"{seeds_text(f.signs.stuck, f.runs)} answer{'s' * (f.signs.stuck == 1)} hardly better than a constant"
    loss = loss_went(f)
    if "went" in loss and f.signs.loss_end < f.signs.loss_start:
        return of_failed(f, f"{arrives_and(f, 'the gradient arrives, and ')}{loss}, yet {seeds}")
    return of_failed(f, f"{arrives_and(f, 'the gradient arrives, yet ')}{loss}, and {seeds}")


def tell_small_batches(f: Facts) -> str:
    """Say what batch norm does to batches of one or two samples."""
    size = max(f.experiment.batch_sizes())
    cause = "makes every z 0" if size == 1 else "leaves nothing of z but which of the two samples has more"
    return with_others(
        f, f"batch norm over {size} {'sample' if size == 1 else 'samples'} {cause}, and hardly any gradient passes it"
    )
