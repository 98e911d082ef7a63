"""Verdicts: one word and one sentence about a training, by rules with stated thresholds.

Each kind of net has a registry of rules; the first rule that holds gives the word. Each caption, which the app shows, states
the thresholds. Diverged seeds are counted; what is wrong with the others is read from the seeds that did not solve it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from explorer.choices.registry import Entry, registry
from explorer.diagnosis.facts import DEAD_SHARE, HEALTHY_DECADES, Facts
from explorer.diagnosis.remedies import REMEDIES_OF, starts_far_below
from explorer.diagnosis.signs import mean_answer_loss
from explorer.diagnosis.wording import against_last, decades, number, seeds_text
from explorer.training.kinds import LAYERS, TIME_STEPS, kind_of

# Solved is what so many of the seeds solve.
MOST = 0.75
# A net is ill whose seeds leave more than this of the error of always answering the mean target.
ILL = 0.3
# If the first gradient of all parameters is longer than this many times the loss of the mean answer, updates at any usual
# learning rate overshoot.
LARGE_PULL = 100.0
# log10: the output's slope over its best; a step, and all steps together, over the size of the weights that they move.
SATURATED, LEAP, HARDLY_MOVED, HALF = -2.0, -0.5, -0.5, 0.3
# Of the error of the mean answer, what nobody gets below by more than this.
NEAR = 0.1


Rule = Callable[[Facts], bool]


def learn(f: Facts) -> str:
    """Say how many seeds learn it: `0 of 8 seeds learn it (8 diverged)`."""
    of = f"{f.solved} of {f.runs} seeds learn it" if f.runs > 1 else f"{f.solved} of 1 seed learns it"
    return f"{of}{told_diverged(f)}"


def told_diverged(f: Facts) -> str:
    """Say in brackets how many seeds diverged; empty if none did."""
    return f" ({f.diverged} diverged)" if f.diverged else ""


def tell_learn(f: Facts) -> str:
    """Say how many seeds learn it, as a sentence."""
    return f"{learn(f)}."


@dataclass(frozen=True, kw_only=True)
class Verdict(Entry):
    """A word for how a network does."""

    holds: Rule  # Whether this is the word
    tell: Callable[[Facts], str] = tell_learn  # The sentence after the word
    # Names of remedies, those first that help most often, each with the condition under which it is advised.
    remedies: Mapping[str, Rule] = field(default_factory=dict)
    good: bool = False  # Whether nothing needs mending


def _most(count: int, f: Facts) -> bool:
    """Whether it is at least half of the seeds that failed."""
    return count * 2 >= f.signs.seeds


def _of_all(f: Facts, sentence: str) -> str:
    """Add to what is told of the seeds that failed how many of the others solve it or diverged."""
    others = [f"{f.solved} of {f.runs} seeds solve it"] * (f.solved > 0) + [f"{f.diverged} diverged"] * (f.diverged > 0)
    return f"{sentence}; {' and '.join(others)}." if others and f.runs > 1 else f"{sentence}."


def _left(f: Facts) -> str:
    """Say what of the error is left, and how many answers are right."""
    share = f"{min(f.signs.error, 9.99):.0%} of the error of always answering the mean target is left"
    return share if f.experiment.dataset.regression else f"{share} ({f.accuracy:.0%} of the answers are right)"


def _went(f: Facts) -> str:
    return f"the loss went from {number(f.signs.loss_start)} to {number(f.signs.loss_end)}"


def _tell_diverged(f: Facts) -> str:
    ended, grown = f.ended, f.diverged - f.ended
    told = [f"{seeds_text(ended, f.runs)} became infinite or NaN, first {f.first_end}"] * (ended > 0)
    told += [f"the loss grew more than a thousandfold in {seeds_text(grown, f.runs)}"] * (grown > 0)
    if grown and math.isfinite(f.loss_end):
        told[-1] += f": in the median of all it went from {number(f.loss_start)} to {number(f.loss_end)}"
    return f"{'; '.join(told)}{f'; {f.solved} solve it' * (f.solved > 0)}."


def _tell_solved(f: Facts) -> str:
    told = f"{seeds_text(f.solved, f.runs)} by epoch {f.epoch:,}, with a {'median ' * (f.solved > 1)}loss of {number(f.loss_solved)}"
    rest = f.runs - f.solved - f.diverged
    others = [f"{f.diverged} diverged"] * (f.diverged > 0)
    others += [
        f"{rest} still {'have' if rest > 1 else 'has'} {min(f.signs.error, 9.99):.0%} of the mean answer's error"
    ] * (rest > 0)
    return f"{told}; {' and '.join(others)}." if others else f"{told}."


def _tell_dead(f: Facts) -> str:
    told = f"{f.signs.dead:.0%} of the hidden units are off for every sample and pass no gradient"
    if f.signs.off:
        told += f", among them all of layer {f.signs.off}"
    if f.signs.zero:
        told += f"; the first layer's dL/dW is exactly 0 in {seeds_text(f.signs.zero, f.runs)}"
    return _of_all(f, told)


def _tell_reach(f: Facts) -> str:
    start, end, last = f.signs.reach, f.signs.reach_end, "the last hidden layer's"
    if abs(start) > HEALTHY_DECADES:
        return _of_all(f, f"dL/dz at the first hidden layer is {against_last(start, last)} at the start")
    verb = "fell" if end < start else "rose"
    return _of_all(
        f,
        f"dL/dz at the first hidden layer {verb} to {against_last(end, last)} in training, from {decades(start)} at the start",
    )


def _tell_small_batches(f: Facts) -> str:
    size = max(f.experiment.batch_sizes())
    cause = "makes every z 0" if size == 1 else "leaves nothing of z but which of the two samples has more"
    return _of_all(
        f, f"batch norm over {size} {'sample' if size == 1 else 'samples'} {cause}, and hardly any gradient passes it"
    )


# --- when a remedy is advised: rules of thumb, as `benchmarks/advice.py` found them -----------------


def _always(f: Facts) -> bool:
    return True


def _adam_gets_further(f: Facts) -> bool:
    """Whether no update changed the weights by a hundredth of their size, and there are enough for Adam to do better."""
    updates = f.experiment.epochs * len(f.experiment.batch_sizes())
    return f.signs.stride < -2 and f.first_pull < LARGE_PULL and updates >= 50


def _falls(f: Facts) -> bool:
    """Whether the loss still fell by 2 % over the second half, and not all of these seeds are stuck."""
    return f.signs.falling > 0.01 and f.signs.stuck < f.signs.seeds


def _falls_fast(f: Facts) -> bool:
    """Whether the loss still fell by a tenth over the second half."""
    return f.signs.falling > 0.04


def _wandered(f: Facts) -> bool:
    """Whether updates moved the first layer far: what is wrong was not there at the start."""
    return f.signs.way_first > -0.3


def _wandered_far(f: Facts) -> bool:
    """Whether updates moved the first layer by several times its size, or some of these seeds are not stuck."""
    return f.signs.way_first > 0.6 or f.signs.stuck < f.signs.seeds


def _starts_far_below(f: Facts) -> bool:
    return starts_far_below(f.experiment)


def _starts_far_below_in_time(f: Facts) -> bool:
    """Whether there are updates enough as well for a deep net to learn from such a start."""
    return starts_far_below(f.experiment) and f.experiment.epochs * len(f.experiment.batch_sizes()) >= 500


def _came_and_went(f: Facts) -> bool:
    """Whether the loss was lower before than it is."""
    return f.signs.loss_end > 1.1 * f.signs.loss_best


def _nearly_reaches(f: Facts) -> bool:
    """Whether the gradient vanishes, but is not so small that Adam's steps would be lost in rounding or its 1e-7."""
    return f.signs.reach > -6


def _moves_little(f: Facts) -> bool:
    """Whether no update changed the weights by more than a hundredth of their size."""
    return f.signs.stride < -2


def _starts_well(f: Facts) -> bool:
    """Whether the loss is of a usual size before training, so that it is the steps that make it diverge."""
    return f.loss_start < 10 * mean_answer_loss(f.experiment)


def _starts_badly(f: Facts) -> bool:
    return not _starts_well(f)


def _has_batches_to_norm(f: Facts) -> bool:
    """Whether something is left to norm: of a gradient that is not lost altogether, over eight samples, in a net that bends."""
    enough = max(f.experiment.batch_sizes()) >= 8 and f.experiment.activation_function.bends
    return enough and f.signs.reach_end > -24 and f.signs.apart < 0.1


def _skips_pay(f: Facts) -> bool:
    """Whether straight lines answer much of it, the gradient nearly reaches the first layer, or there is time to learn it."""
    updates = f.experiment.epochs * len(f.experiment.batch_sizes())
    return f.experiment.points().linear_share <= 0.4 or f.signs.reach > -6 or updates >= 1000


def _needs_bends(f: Facts) -> bool:
    """Whether straight lines answer next to nothing of it."""
    return f.experiment.points().linear_share > 0.8


def _even(f: Facts) -> bool:
    """Whether none of these seeds is stuck and much of the error is left to all: the net is too small for it."""
    return f.signs.stuck <= 1 and f.signs.apart < 0.34


def _own_size(log10: float) -> str:
    return f"{decades(log10)} {'times' if log10 >= 0 else 'of'} their own size"


def _of_best(log10: float) -> str:
    return decades(log10) if log10 == -math.inf else f"{decades(log10)} of its best"


def _is_linear(f: Facts) -> bool:
    return not f.experiment.activation_function.bends and f.experiment.points().linear_share >= ILL


def _is_limited(f: Facts) -> bool:
    # Of few points, far apart, even neighbours say nothing.
    return f.score <= f.experiment.points().neighbours_share + NEAR <= 1


VERDICTS = registry(
    [
        Verdict(
            name="diverged",
            caption="At least half of the seeds became infinite or NaN, or ended at a loss a thousand times that of their start.",
            holds=lambda f: f.diverged * 2 >= f.runs,
            tell=_tell_diverged,
            remedies={
                "a tenth of the learning rate": _starts_well,
                "Adam": _starts_well,
                "fitting initialization": _starts_badly,
                "layer norm": _starts_badly,
            },
        ),
        Verdict(
            name="solved",
            caption="At least three quarters of the seeds answer with a mean squared error below the data set's bound.",
            holds=lambda f: f.solved >= MOST * f.runs,
            tell=_tell_solved,
            good=True,
        ),
        Verdict(
            name="all zero",
            caption="Every weight started at 0, and the first layer's dL/dW is exactly 0 in at least half of the seeds that failed.",
            holds=lambda f: not f.experiment.initialization.passes_gradient and _most(f.signs.zero, f),
            tell=lambda f: (
                "every weight started at 0, and a weight of 0 passes no gradient: the first layer's dL/dW is exactly 0 in "
                f"{seeds_text(f.signs.zero, f.runs)}, and stays so."
            ),
            remedies={
                "fitting initialization": _always,
            },
        ),
        Verdict(
            name="batches too small",
            caption="Batch norm over one or two samples, and fewer than three quarters of the seeds solve it.",
            holds=lambda f: f.epoch > 0 and f.experiment.normalizer.uses_batch and max(f.experiment.batch_sizes()) <= 2,
            tell=_tell_small_batches,
            remedies={
                "larger batches": _always,
            },
        ),
        Verdict(
            name="symmetric",
            caption="In at least half of the seeds that failed, the units of every hidden layer are alike to one part in 10⁹.",
            holds=lambda f: _most(f.signs.alike, f),
            tell=lambda f: (
                "all units of a layer compute the same and get the same gradient, so they stay alike: the width is 1 in effect."
            ),
            remedies={
                "fitting initialization": _always,
            },
        ),
        Verdict(
            name="dead",
            caption="In the seeds that failed, at least 40% of the hidden units have slope 0 for every sample, or all units of a "
            "layer have and the first layer's dL/dW is exactly 0 in at least half of these seeds.",
            holds=lambda f: f.signs.dead >= DEAD_SHARE or (f.signs.off > 0 and _most(f.signs.zero, f)),
            tell=_tell_dead,
            remedies={
                "a tenth of the learning rate": _wandered,
                "Adam": _wandered,
                "skip over one layer": _always,
            },
        ),
        Verdict(
            name="saturated output",
            caption="The output's slope is under a hundredth of its best, and at least half of the seeds that failed are stuck.",
            holds=lambda f: f.epoch > 0 and f.signs.output_slope < SATURATED and _most(f.signs.stuck, f),
            tell=lambda f: _of_all(
                f,
                f"the output is so far out on the sigmoid that its slope is {_of_best(f.signs.output_slope)}: hardly anything of the "
                "error becomes gradient",
            ),
            remedies={
                "Adam": _wandered,
                "a tenth of the learning rate": _wandered,
                "cross-entropy": _wandered_far,
            },
        ),
        Verdict(
            name="exploding",
            caption="At the start, RMS dL/dz at the first hidden layer is over 10³ times the last hidden layer's.",
            holds=lambda f: f.signs.reach > HEALTHY_DECADES,
            tell=_tell_reach,
            remedies={
                "fitting initialization": _always,
                "four times the width": _always,
            },
        ),
        Verdict(
            name="steps too large",
            caption="In the median of the seeds that failed the loss has doubled; or it is higher than it was, and an update changed "
            "the weights by a third of their size or more.",
            holds=lambda f: (
                f.signs.loss_end > 2 * f.signs.loss_start
                or (f.signs.loss_end > f.signs.loss_start and f.signs.stride > LEAP)
            ),
            tell=lambda f: _of_all(
                f,
                f"{_went(f)}, and the largest update changed the weights by {_own_size(f.signs.stride)}",
            ),
            remedies={
                "a tenth of the learning rate": _always,
                "Adam": _always,
            },
        ),
        Verdict(
            name="vanishing",
            caption="At the start, or at the latest record, RMS dL/dz at the first hidden layer is under 10⁻³ of the last hidden "
            "layer's.",
            holds=lambda f: min(f.signs.reach, f.signs.reach_end) < -HEALTHY_DECADES,
            tell=_tell_reach,
            remedies={
                "fitting initialization": _starts_far_below_in_time,
                "skip over one layer": _skips_pay,
                "batch norm": _has_batches_to_norm,
                "skip over two layers": _skips_pay,
                "Adam": _nearly_reaches,
            },
        ),
        Verdict(
            name="answers unsettled",
            caption="The loss that training sees, with each batch's own statistics, is under half of the mean answer's, but with the "
            "running statistics by which answers are given at least half of the seeds that failed are stuck.",
            holds=lambda f: f.experiment.normalizer.uses_batch and f.signs.apart > HALF and _most(f.signs.stuck, f),
            tell=lambda f: _of_all(
                f,
                f"with the batch's own statistics the loss is {number(f.signs.loss_end)}, but answers are given with running "
                "statistics, and these differ",
            ),
            remedies={
                "four times the width": _always,
                "layer norm": _always,
            },
        ),
        Verdict(
            name="linear",
            caption="The activation is a straight line, and the best linear answers leave 30% or more of the mean answer's error.",
            holds=_is_linear,
            tell=lambda f: _of_all(
                f,
                f"without a bend in the activation the net is linear, and the best linear answers leave "
                f"{f.experiment.points().linear_share:.0%} of the error of always answering the mean target",
            ),
            remedies={
                "leaky ReLU": _needs_bends,
                "tanh": _needs_bends,
            },
        ),
        Verdict(
            name="hardly moved",
            caption="All updates together could have changed the weights by less than a third of their size, and at least half of "
            "the seeds that failed are stuck.",
            holds=lambda f: f.complete and f.epoch > 0 and f.signs.way < HARDLY_MOVED and f.score >= ILL,
            tell=lambda f: _of_all(
                f,
                f"{_went(f)}; all updates together moved the weights by at most {_own_size(f.signs.way)}",
            ),
            remedies={
                "fitting initialization": _starts_far_below,
                "Adam": _adam_gets_further,
                "ten times the learning rate": _falls,
                "four times the epochs": _falls_fast,
            },
        ),
        Verdict(
            name="stuck",
            caption="None of the above, but at least half of the seeds that failed are hardly better than always answering the mean "
            "target (0.95 of its error or more).",
            holds=lambda f: f.complete and f.epoch > 0 and _most(f.signs.stuck, f) and f.score >= ILL,
            tell=lambda f: _of_all(
                f,
                f"the gradient arrives, yet {_went(f)}, and {seeds_text(f.signs.stuck, f.runs)} "
                f"answer{'s' * (f.signs.stuck == 1)} hardly better than a constant",
            ),
            remedies={
                "a tenth of the learning rate": _came_and_went,
                "Adam": _always,
                "skip over one layer": _always,
            },
        ),
        Verdict(
            name="overlapping",
            caption="The seeds leave 30% or more of the mean answer's error, but hardly more than answers by each point's neighbours: "
            "the targets themselves disagree there.",
            holds=lambda f: f.score >= ILL and _is_limited(f),
            tell=lambda f: _of_all(
                f,
                f"{_left(f)}; to answer each point as its neighbours do would leave {f.experiment.points().neighbours_share:.0%}",
            ),
            remedies={
                "four times the width": _always,
            },
        ),
        Verdict(
            name="unfinished",
            caption="None of the above, but the seeds leave 30% or more of the error of always answering the mean target.",
            holds=lambda f: f.complete and f.epoch > 0 and f.score >= ILL,
            tell=lambda f: _of_all(f, f"the gradient arrives, and {_went(f)}; {_left(f)}"),
            remedies={
                "four times the epochs": _falls_fast,
                "four times the width": _even,
                "Adam": _moves_little,
                "skip over two layers": _always,
            },
        ),
        Verdict(
            name="healthy",
            caption="None of the above: the gradient arrives, and of the error of always answering the mean target less than 30% is left; "
            "or training has not begun.",
            holds=lambda f: True,
            tell=lambda f: _of_all(
                f, f"the gradient arrives everywhere; the loss is {number(f.signs.loss_end)} at epoch {f.epoch:,}"
            ),
            good=True,
        ),
    ]
)


def _not_cut(f: Facts) -> bool:
    """Whether backpropagation goes through all steps; where it is cut, nothing else brings back what was cut off."""
    return not f.experiment.truncation


def _is_over(f: Facts) -> bool:
    return f.complete and f.epoch > 0


def _is_over_and_falls(f: Facts) -> bool:
    return _is_over(f) and f.signs.falling > 0.01


TIME_VERDICTS = registry(
    [
        Verdict(
            name="diverged",
            caption="At least half of the seeds became infinite or NaN, or ended at a loss a thousand times that of their start.",
            holds=lambda f: f.diverged * 2 >= f.runs,
            remedies={
                "clip by norm": _always,
                "a tenth of the learning rate": _always,
            },
        ),
        Verdict(
            name="learns",
            caption="At least three quarters of the seeds answer with a mean squared error below the task's bound.",
            holds=lambda f: f.solved >= MOST * f.runs,
            good=True,
        ),
        Verdict(
            name="exploding",
            caption=f"Before any update the gradient of all parameters is longer than {LARGE_PULL:g} times the loss of always "
            "answering the mean target; or, of a task whose loss counts at the end only, dL/dh of the first step is over 10³ times "
            "that of the last.",
            holds=lambda f: (
                not f.first_pull <= LARGE_PULL or (not f.every_position_counts and f.log_ratio > HEALTHY_DECADES)
            ),
            remedies={
                "clip by norm": _always,
                "a tenth of the learning rate": _always,
            },
        ),
        Verdict(
            name="vanishing",
            caption="Of a task whose loss counts at the end only, dL/dh of the first step is under 10⁻³ of "
            "that of the last, before any update.",
            holds=lambda f: not f.every_position_counts and f.log_ratio < -HEALTHY_DECADES,
            remedies={
                "no truncation": _always,
                "gates that start open": _not_cut,
                "orthogonal start": _not_cut,
            },
        ),
        Verdict(
            name="the gradient arrives",
            caption="None of the above holds.",
            holds=lambda f: True,
            remedies={
                "ten times the learning rate": _is_over,
                "four times the epochs": _is_over_and_falls,
            },
        ),
    ]
)

RULES: Mapping[str, Mapping[str, Verdict]] = {LAYERS.name: VERDICTS, TIME_STEPS.name: TIME_VERDICTS}


def judge(f: Facts) -> Verdict:
    """Return the first verdict of this kind of net whose rule holds."""
    return next(verdict for verdict in RULES[kind_of(f.experiment).name].values() if verdict.holds(f))


def advice(verdict: Verdict, f: Facts) -> tuple[str, ...]:
    """Return the names of the remedies to try: those of the verdict that change something and whose condition holds."""
    table = REMEDIES_OF[kind_of(f.experiment).name]
    return tuple(
        name for name, when in verdict.remedies.items() if table[name].change(f.experiment) != f.experiment and when(f)
    )
