"""Verdicts: one word and one sentence about a training, by rules with stated thresholds.

Each kind of net has a registry of rules; the first rule that holds gives the word. Each caption, which the app shows, states
the thresholds. Diverged seeds are counted; what is wrong with the others is read from the seeds that did not solve it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from explorer.choices.registry import Entry, registry
from explorer.diagnosis import conditions as when
from explorer.diagnosis.conditions import Condition
from explorer.diagnosis.facts import DEAD_SHARE, HEALTHY_DECADES, LARGE_PULL, NORMED_DECADES, Facts
from explorer.diagnosis.remedies import REMEDIES_OF
from explorer.diagnosis.sentences import (
    arrives_and,
    error_left,
    learn,
    loss_went,
    of_failed,
    of_largest,
    own_size,
    tell_alike,
    tell_dead,
    tell_diverged,
    tell_hardly_moved,
    tell_hardly_moved_over_time,
    tell_healthy,
    tell_learn,
    tell_learnt,
    tell_no_biases,
    tell_pull,
    tell_reach,
    tell_reach_in_time,
    tell_small_batches,
    tell_solved,
    tell_stuck,
    with_others,
)
from explorer.diagnosis.signs import kept_by_zeros
from explorer.diagnosis.wording import number, power_of_ten, seeds_text
from explorer.training.kinds import LAYERS, TIME_STEPS, kind_of

# So many remedies are advised at most: a reader tries the first ones.
MOST_ADVISED = 3
# Solved is what so many of the seeds solve: one of a few may fail by chance.
MOST = 0.75
# A net is ill whose seeds leave more than this of the error of always answering the mean target: so the benchmark counts.
ILL = 0.3
# log10: the output's slope over its best; a step, and all steps together, over the size of the weights that they move. A slope
# of a hundredth is that of a sigmoid at z = 6, whose answer is right or wrong by 0.998: seeds that are still wrong there stay so.
# A third: weights that differ by less are those of the start, and a step by more goes where the gradient was not measured.
SATURATED, LEAP, HARDLY_MOVED = -2.0, -0.5, -0.5
# log10, of the mean answer's loss over the loss with batch statistics: a factor of 2 is past what one batch makes by chance.
HALF = 0.3
# Of the error of the mean answer: a net that comes so near to what neighbours tell has learnt what there is.
NEAR = 0.1
# A loss that is higher by less stayed where it was.
ROSE = 1.02
# In words.
FAR_MORE, FAR_LESS = power_of_ten(HEALTHY_DECADES), power_of_ten(-HEALTHY_DECADES)
NOTHING_KNOWN = "No single change is known to help here."
RANDOM_FIRST = "Random weights come first, but alone they are not known to be enough here."
BEND_FIRST = "A bend in the activation comes first, but alone it is not known to be enough here."
SMALLER_FIRST = "Smaller steps come first, but alone they are not known to be enough here."


@dataclass(frozen=True, kw_only=True)
class Verdict(Entry):
    """A word for how a network does."""

    holds: Condition  # Whether this is the word
    tell: Callable[[Facts], str] = tell_learn  # The sentence after the word
    # Names of remedies, those first that help most often, each with the condition under which it is advised.
    remedies: Mapping[str, Condition] = field(default_factory=dict)
    helpless: str = NOTHING_KNOWN  # What is said where no remedy is advised
    good: bool = False  # Whether nothing needs mending


def _most(count: int, f: Facts) -> bool:
    """Whether it is at least half of the seeds that failed."""
    return count * 2 >= f.signs.seeds


def _explodes(f: Facts) -> bool:
    # A straight line that cannot answer needs a bend, however large its gradient is.
    return f.signs.reach > (
        NORMED_DECADES if when.norms_batches_without_skips(f) else HEALTHY_DECADES
    ) and when.can_answer(f)


def _vanishes(f: Facts) -> bool:
    back = when.came_back(f) and not _most(f.signs.stuck, f)
    return min(f.signs.reach, f.signs.reach_end) < -HEALTHY_DECADES and when.can_answer(f) and not back


def _lost_in_layer_norm(f: Facts) -> bool:
    return f.experiment.normalizer.axis == -2 and f.score >= ILL and _most(f.signs.alike_start, f)


def _is_saturated(f: Facts) -> bool:
    # What answers with running statistics get wrong, batch statistics may have right: then it is no slope that is missing.
    bends = f.experiment.output.bends and not _is_unsettled(f)
    return f.epoch > 0 and bends and f.signs.output_slope < SATURATED and _most(f.signs.stuck, f)


def _is_unsettled(f: Facts) -> bool:
    twice = math.log10(f.signs.error) > HALF - f.signs.apart if f.signs.error > 0 else False
    return f.experiment.normalizer.uses_batch and f.signs.apart > HALF and f.score >= ILL and twice


def _is_linear(f: Facts) -> bool:
    return not when.bends(f) and f.experiment.points().linear_share >= ILL


def _is_limited(f: Facts) -> bool:
    # Of few points, far apart, even neighbours say nothing; and what one seed solves can be solved.
    return f.solved == 0 and f.score <= f.experiment.points().neighbours_share + NEAR <= 1


VERDICTS = registry(
    [
        Verdict(
            name="diverged",
            caption="At least half of the seeds became infinite or NaN, or ended at a loss a thousand times that of their start.",
            holds=lambda f: f.diverged * 2 >= f.runs,
            tell=tell_diverged,
            remedies={
                "a tenth of the learning rate": when.every(when.steps_were_too_large, when.a_tenth_suffices),
                "Adam": when.other_steps_could_do,
                "fitting initialization": when.a_better_start_suffices,
                "layer norm": when.every(when.starts_badly, when.steps_are_usual),
            },
        ),
        Verdict(
            name="solved",
            caption="At least three quarters of the seeds answer with a mean squared error below the data set's bound.",
            holds=lambda f: f.solved >= MOST * f.runs,
            tell=tell_solved,
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
                "fitting initialization": when.every(when.random_weights_could_learn, when.gradient_could_arrive),
            },
            helpless=RANDOM_FIRST,
        ),
        Verdict(
            name="batches too small",
            caption="Batch norm over one or two samples, and fewer than three quarters of the seeds solve it.",
            holds=lambda f: f.epoch > 0 and f.experiment.normalizer.uses_batch and when.most_normalized(f) <= 2,
            tell=tell_small_batches,
            remedies={
                "larger batches": when.always,
            },
        ),
        Verdict(
            name="symmetric",
            caption="In at least half of the seeds that failed, the units of every hidden layer are alike to one part in 10⁹, now or, "
            "under layer norm, before any update.",
            holds=lambda f: _most(f.signs.alike, f) or _lost_in_layer_norm(f),
            tell=tell_alike,
            remedies={
                "fitting initialization": when.every(
                    when.random_weights_could_learn, when.gradient_could_arrive, when.did_not_grow
                ),
                "a tenth of the learning rate": when.grew,
                "Adam": when.steps_are_missing,
            },
            helpless=RANDOM_FIRST,
        ),
        Verdict(
            name="dead",
            caption="In the seeds that failed, at least 40% of the hidden units have slope 0 for every sample, or all units of a "
            "layer have and the first layer's dL/dW is exactly 0 in at least half of these seeds.",
            holds=lambda f: f.signs.dead >= DEAD_SHARE or (f.signs.off > 0 and _most(f.signs.zero, f)),
            tell=tell_dead,
            remedies={
                "a tenth of the learning rate": when.every(when.died, when.a_tenth_is_called_for),
                "Adam": when.died_or_norms_zeros,
                "batch norm": when.replaces_norms_of_zeros,
                "skip over two layers": when.every(when.no_skips_and_no_leaps, when.is_deep),
                "skip over one layer": when.no_skips_and_no_leaps,
                "four times the width": when.died_by_chance,
            },
        ),
        Verdict(
            name="saturated output",
            caption="The slope of a sigmoid output is under a hundredth of its largest, and at least half of the seeds that failed are "
            "stuck.",
            holds=_is_saturated,
            tell=lambda f: of_failed(
                f,
                f"the output is so far out on the sigmoid that its slope is {of_largest(f.signs.output_slope)}, and "
                f"{'nothing' if f.signs.output_slope == -math.inf else 'hardly anything'} of the error becomes gradient",
            ),
            remedies={
                "fitting initialization": when.starts_with_a_mean,
                "Adam": when.every(when.wandered_or_was_pulled, when.can_answer),
                "a tenth of the learning rate": when.every(when.wandered, when.can_answer, when.a_tenth_suffices),
                "cross-entropy": when.every(when.wandered_far, when.can_answer, when.does_not_leap),
                "tanh": when.started_without_bound,
            },
        ),
        Verdict(
            name="exploding",
            caption=f"At the start, RMS dL/dz at the first hidden layer is over {FAR_MORE} times the last hidden layer's; with batch "
            f"norm and no skips over {power_of_ten(NORMED_DECADES)}.",
            holds=_explodes,
            tell=tell_reach,
            remedies={
                "skip over one layer": when.norms_batches_without_skips,
                "skip over two layers": when.norms_batches_without_skips,
                "fitting initialization": when.is_not_normalized,
                "Adam": when.bounds_norms_of_zeros,
                "batch norm": when.replaces_norms_of_zeros,
                "four times the width": when.is_narrow_and_norms_no_zeros,
            },
        ),
        Verdict(
            name="steps too large",
            caption="In the median of the seeds that failed the loss has doubled; or it is higher than it was by 2%, and an update "
            "changed the weights by a third of their size or more.",
            holds=lambda f: (
                f.signs.loss_end > 2 * f.signs.loss_start
                or (f.signs.loss_end > ROSE * f.signs.loss_start and f.signs.stride > LEAP)
            ),
            tell=lambda f: of_failed(
                f,
                f"{loss_went(f)}, and the largest update changed a typical layer's weights by {own_size(f.signs.stride)}",
            ),
            remedies={
                "a tenth of the learning rate": when.every(when.a_tenth_suffices, when.can_answer),
                "Adam": when.can_answer,
            },
            helpless=SMALLER_FIRST,
        ),
        Verdict(
            name="vanishing",
            caption=f"At the start, or at the latest record, RMS dL/dz at the first hidden layer is under {FAR_LESS} of the last "
            "hidden layer's; unless it has come back to a tenth, and fewer than half of the seeds that failed are stuck.",
            holds=_vanishes,
            tell=tell_reach,
            remedies={
                "fitting initialization": when.starts_wrong,
                "skip over one layer": when.skips_pay,
                "Adam": when.nearly_reaches,
                "a tenth of the learning rate": when.smaller_steps_bring_it_back,
                "batch norm": when.norms_instead,
                "skip over two layers": when.skips_pay,
                "four times the epochs": when.came_back_and_falls,
                "four times the width": when.width_is_missing,
            },
        ),
        Verdict(
            name="answers unsettled",
            caption="The loss that training sees, with each batch's own statistics, is under half of the mean answer's, but with the "
            "running statistics by which answers are given 30% or more of its error is left, and over twice as much as of that loss.",
            holds=_is_unsettled,
            tell=lambda f: of_failed(
                f,
                f"with the batch's own statistics the loss is {number(f.signs.loss_end)}, but answers are given with running "
                "statistics, and these differ",
            ),
            remedies={
                "four times the width": when.has_few_units,
                "skip over two layers": when.differences_add_up,
            },
        ),
        Verdict(
            name="linear",
            caption="The activation is a straight line, and the best linear answers leave 30% or more of the mean answer's error.",
            holds=_is_linear,
            tell=lambda f: with_others(
                f,
                f"without a bend in the activation the net is linear, and the best linear answers leave "
                f"{f.experiment.points().linear_share:.0%} of the error of always answering the mean target",
            ),
            remedies={
                "tanh": when.bends_in_time,
                "leaky ReLU": when.bends_in_time,
                "Adam": when.adam_answers_linearly,
            },
            helpless=BEND_FIRST,
        ),
        Verdict(
            name="no biases",
            caption="No layer has biases or a normalization's shifts, and the activation is 0 at 0: at least half of the error that is "
            "left is that of inputs of zeros, which get one answer whatever the weights.",
            holds=lambda f: f.epoch > 0 and f.signs.error <= 2 * kept_by_zeros(f.experiment),
            tell=tell_no_biases,
            remedies={
                "batch norm": when.norms_several,
            },
            helpless="It needs biases.",
        ),
        Verdict(
            name="hardly moved",
            caption="All updates together could have changed the weights by less than a third of their size, and the seeds leave 30% "
            "or more of the error of always answering the mean target.",
            holds=lambda f: f.complete and f.epoch > 0 and f.signs.way < HARDLY_MOVED and f.score >= ILL,
            tell=tell_hardly_moved,
            remedies={
                "fitting initialization": when.starts_with_a_mean_that_adds_up,
                "Adam": when.adam_gets_further,
                "ten times the learning rate": when.falls,
                "four times the epochs": when.falls_fast,
                "batch norm": when.norm_gets_further,
                "four times the width": when.layers_die_and_there_is_time,
            },
        ),
        Verdict(
            name="stuck",
            caption="None of the above, but at least half of the seeds that failed are hardly better than always answering the mean "
            "target (0.95 of its error or more).",
            holds=lambda f: f.complete and f.epoch > 0 and _most(f.signs.stuck, f) and f.score >= ILL,
            tell=tell_stuck,
            remedies={
                "fitting initialization": when.starts_wrong,
                "a tenth of the learning rate": when.rose_or_leaps,
                "Adam": when.adam_in_time,
                "batch norm": when.lacks_shifts,
                "four times the epochs": when.falls_fast,
            },
        ),
        Verdict(
            name="overlapping",
            caption="No seed solves it, and they leave 30% or more of the mean answer's error, but hardly more than answers by each "
            "point's neighbours: the targets themselves disagree there.",
            holds=lambda f: f.score >= ILL and _is_limited(f),
            tell=lambda f: of_failed(
                f,
                f"{error_left(f)}; to answer each point as its neighbours do would leave {f.experiment.points().neighbours_share:.0%}",
            ),
            remedies={
                "fitting initialization": when.starts_with_a_mean_that_adds_up,
                "a tenth of the learning rate": when.overshoots_or_leaps,
                "ten times the learning rate": when.moves_little_and_can_more,
                "Adam": when.overshoots,
                "four times the epochs": when.falls_fast,
                "four times the width": when.is_narrow,
            },
        ),
        Verdict(
            name="unfinished",
            caption="None of the above, but the seeds leave 30% or more of the error of always answering the mean target.",
            holds=lambda f: f.complete and f.epoch > 0 and f.score >= ILL,
            tell=lambda f: of_failed(
                f, f"{arrives_and(f, 'the gradient arrives, and ')}{loss_went(f)}; {error_left(f)}"
            ),
            remedies={
                "four times the epochs": when.still_falls,
                "four times the width": when.net_is_too_small,
                "ten times the learning rate": when.got_not_far_and_can_more,
                "Adam": when.adam_in_time,
                "a tenth of the learning rate": when.overshoots_or_leaps,
                "batch norm": when.norm_could_help,
            },
        ),
        Verdict(
            name="healthy",
            caption="None of the above: the gradient arrives, and of the error of always answering the mean target less than 30% is left; "
            "or training has not begun.",
            holds=lambda f: True,
            tell=tell_healthy,
            good=True,
        ),
    ]
)


# Where the gradient of nets over time arrives.
ARRIVING = {
    "Adam": when.adam_goes_far,
    "ten times the learning rate": when.every(when.ten_times_goes_far, when.is_over_and_did_not_rise),
    "four times the epochs": when.is_on_its_way,
    "a tenth of the learning rate": when.went_too_far,
    "gates that start open": when.needs_a_gate,
}


TIME_VERDICTS = registry(
    [
        Verdict(
            name="diverged",
            caption="At least half of the seeds became infinite or NaN, or ended at a loss a thousand times that of their start.",
            holds=lambda f: f.diverged * 2 >= f.runs,
            remedies={
                "Adam": when.adam_goes_far,
                "clip by norm": when.clipping_suffices,
                "a tenth of the learning rate": when.a_tenth_is_usual,
            },
            helpless=SMALLER_FIRST,
        ),
        Verdict(
            name="learns",
            caption="At least three quarters of the seeds answer with a mean squared error below the task's bound.",
            holds=lambda f: f.solved >= MOST * f.runs,
            tell=tell_learnt,
            good=True,
        ),
        Verdict(
            name="exploding",
            caption=f"Before any update the gradient of all parameters is longer than {LARGE_PULL:g} times the loss of always "
            f"answering the mean target; or, of a task whose loss counts at the end only, dL/dh of the first step is over {FAR_MORE} "
            "times that of the last.",
            holds=lambda f: (
                not f.first_pull <= LARGE_PULL or (not f.every_position_counts and f.log_ratio > HEALTHY_DECADES)
            ),
            tell=tell_pull,
            remedies={
                "orthogonal start": when.turning_tames,
                "clip by norm": when.clipping_suffices,
                "Adam": when.adam_goes_far,
            },
        ),
        Verdict(
            name="steps too large",
            caption="In the median of the seeds that failed the loss has doubled.",
            holds=lambda f: f.epoch > 0 and f.signs.loss_end > 2 * f.signs.loss_start,
            tell=lambda f: f"{loss_went(f)}; {learn(f)}.",
            remedies={
                "Adam": when.every(when.other_steps_could_do_over_time, when.adam_is_new),
                "a tenth of the learning rate": when.other_steps_could_do_over_time,
            },
            helpless=SMALLER_FIRST,
        ),
        Verdict(
            name="vanishing",
            caption=f"Of a task whose loss counts at the end only, dL/dh of the first step is under {FAR_LESS} of "
            "that of the last, before any update or at the latest record.",
            holds=lambda f: not f.every_position_counts and min(f.log_ratio, f.log_ratio_end) < -HEALTHY_DECADES,
            tell=tell_reach_in_time,
            remedies={
                "Adam": when.adam_finds_it,
                "gates that start open": when.needs_a_gate,
                "a tenth of the learning rate": when.smaller_steps_bring_it_back_in_time,
                "no truncation": when.cut_is_all,
                "ten times the learning rate": when.ten_times_helps,
                "four times the epochs": when.is_on_its_way_though_cut,
            },
        ),
        Verdict(
            name="hardly moved",
            caption="All updates together could have changed a usual weight, 1/√fan_in, by less than a third of its size, and the seeds "
            "leave 30% or more of the error of always answering the mean target.",
            holds=lambda f: when.is_over(f) and f.signs.way < HARDLY_MOVED and f.score >= ILL,
            tell=tell_hardly_moved_over_time,
            remedies=ARRIVING,
        ),
        Verdict(
            name="the gradient arrives",
            caption="None of the above holds.",
            holds=lambda f: True,
            remedies=ARRIVING,
        ),
    ]
)


RULES: Mapping[str, Mapping[str, Verdict]] = {LAYERS.name: VERDICTS, TIME_STEPS.name: TIME_VERDICTS}


def judge(f: Facts) -> Verdict:
    """Return the first verdict of this kind of net whose rule holds."""
    return next(verdict for verdict in RULES[kind_of(f.experiment).name].values() if verdict.holds(f))


def advice(verdict: Verdict, f: Facts) -> tuple[str, ...]:
    """Return the names of the remedies to try: the first of the verdict that change something and whose condition holds."""
    table = REMEDIES_OF[kind_of(f.experiment).name]
    holding = (name for name, when in verdict.remedies.items() if when(f))
    return tuple(islice((name for name in holding if table[name].change(f.experiment) != f.experiment), MOST_ADVISED))
