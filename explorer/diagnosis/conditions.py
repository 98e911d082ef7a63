"""When a remedy is advised: conditions on the facts, rules of thumb as `benchmarks/advice.py` found them."""

from collections.abc import Callable

from explorer.diagnosis.facts import Facts
from explorer.diagnosis.remedies import starts_small
from explorer.diagnosis.signs import mean_answer_loss

Condition = Callable[[Facts], bool]

# If the first gradient of all parameters is longer than this many times the loss of the mean answer, updates at any usual
# learning rate overshoot.
LARGE_PULL = 100.0


def always(f: Facts) -> bool:
    """Whatever the facts are."""
    return True


def adam_gets_further(f: Facts) -> bool:
    """Whether no update changed the weights by a hundredth of their size, and there are enough for Adam to do better."""
    updates = f.experiment.epochs * len(f.experiment.batch_sizes())
    return f.signs.stride < -2 and f.first_pull < LARGE_PULL and updates >= 50


def falls(f: Facts) -> bool:
    """Whether the loss still fell by 2 % over the second half, and not all of these seeds are stuck."""
    return f.signs.falling > 0.01 and f.signs.stuck < f.signs.seeds


def falls_fast(f: Facts) -> bool:
    """Whether the loss still fell by a tenth over the second half."""
    return f.signs.falling > 0.04


def wandered(f: Facts) -> bool:
    """Whether updates moved the first layer far: what is wrong was not there at the start."""
    return f.signs.way_first > -0.3


def wandered_far(f: Facts) -> bool:
    """Whether updates moved the first layer by several times its size, or some of these seeds are not stuck."""
    return f.signs.way_first > 0.6 or f.signs.stuck < f.signs.seeds


def starts_far_below(f: Facts) -> bool:
    """Whether the first weights have less than a tenth of the variance that would help."""
    return starts_small(f.experiment)


def starts_far_below_in_time(f: Facts) -> bool:
    """Whether there are updates enough as well for a deep net to learn from such a start."""
    return starts_small(f.experiment) and f.experiment.epochs * len(f.experiment.batch_sizes()) >= 500


def came_and_went(f: Facts) -> bool:
    """Whether the loss was lower before than it is."""
    return f.signs.loss_end > 1.1 * f.signs.loss_best


def nearly_reaches(f: Facts) -> bool:
    """Whether the gradient vanishes, but is not so small that Adam's steps would be lost in rounding or its 1e-7."""
    return f.signs.reach > -6


def moves_little(f: Facts) -> bool:
    """Whether no update changed the weights by more than a hundredth of their size."""
    return f.signs.stride < -2


def starts_well(f: Facts) -> bool:
    """Whether the loss is of a usual size before training, so that it is the steps that make it diverge."""
    return f.loss_start < 10 * mean_answer_loss(f.experiment)


def starts_badly(f: Facts) -> bool:
    """Whether the loss is far too large before training."""
    return not starts_well(f)


def has_batches_to_norm(f: Facts) -> bool:
    """Whether something is left to norm: of a gradient that is not lost altogether, over eight samples, in a net that bends."""
    enough = max(f.experiment.batch_sizes()) >= 8 and f.experiment.activation_function.bends
    return enough and f.signs.reach_end > -24 and f.signs.apart < 0.1


def skips_pay(f: Facts) -> bool:
    """Whether straight lines answer much of it, the gradient nearly reaches the first layer, or there is time to learn it."""
    updates = f.experiment.epochs * len(f.experiment.batch_sizes())
    return f.experiment.points().linear_share <= 0.4 or f.signs.reach > -6 or updates >= 1000


def needs_bends(f: Facts) -> bool:
    """Whether straight lines answer next to nothing of it."""
    return f.experiment.points().linear_share > 0.8


def net_is_too_small(f: Facts) -> bool:
    """Whether none of these seeds is stuck and much of the error is left to all: the net is too small for it."""
    return f.signs.stuck <= 1 and f.signs.apart < 0.34


def not_cut(f: Facts) -> bool:
    """Whether backpropagation goes through all steps; where it is cut, nothing else brings back what was cut off."""
    return not f.experiment.truncation


def is_over(f: Facts) -> bool:
    """Whether training is over."""
    return f.complete and f.epoch > 0


def is_over_and_falls(f: Facts) -> bool:
    """Whether training is over, and the loss still fell by 2 % over its second half."""
    return is_over(f) and f.signs.falling > 0.01
