"""When a remedy is advised: conditions on the facts, rules of thumb as `benchmarks/advice.py` found them.

Behind a threshold stands how often the remedy helped in that benchmark's ill settings of seeds 0 and 1, 0 to 4, or 17, 23, 31
and 8201 to 8203, of one verdict or a few; over time of seeds 501 to 503, 8101 and 8102: "49 of 51, else 8 of 57" is where the
condition held, and where it did not.
"""

import math
from collections.abc import Callable

from explorer.diagnosis.facts import HEALTHY_DECADES, LARGE_PULL, Facts
from explorer.diagnosis.reach import log_kept
from explorer.diagnosis.reasons import FEW_UNITS, is_too_flat
from explorer.diagnosis.remedies import ADAM_RATE, SHALLOW, starts_small
from explorer.diagnosis.sentences import norms_zeros
from explorer.diagnosis.signs import mean_answer_loss, pull_of_one, usual_weight

Condition = Callable[[Facts], bool]

# Weights are about 1/√width in size: where all updates together could not move them by 0.2, no net learns. Of gradients that
# had vanished there, a skip brought 1 of 8 back to use, elsewhere 31 of 39.
USUAL_GRADIENT, FAR_ENOUGH = 0.1, 0.2
# A step by twice a usual weight leads anywhere.
LEAPING = 2.0


def always(f: Facts) -> bool:
    """Whatever the facts are."""
    return True


def every(*conditions: Condition) -> Condition:
    """Whether all of these hold."""
    return lambda f: all(condition(f) for condition in conditions)


def updates(f: Facts) -> int:
    """How many updates training makes."""
    return f.experiment.epochs * len(f.experiment.batch_sizes())


def travel(f: Facts) -> float:
    """How far all updates together could move a weight whose gradient is 0.1, as it often is, and always points one way."""
    return step(f) * updates(f)


def step(f: Facts) -> float:
    """How far one update could move a weight whose gradient is 0.1, as it often is."""
    return rate(f) * (1.0 if f.experiment.update_rule.rescales else USUAL_GRADIENT)


def rate(f: Facts) -> float:
    """The learning rate of SGD on cross-entropy, without clipping, by which steps would be as long; of Adam and RMSprop their own.

    Momentum makes steps longer, a loss that sums over samples gradients larger, and clipping cuts them.
    """
    experiment = f.experiment
    if experiment.update_rule.rescales:
        return float(experiment.learning_rate)
    unit, clipper = pull_of_one(experiment), experiment.clipper
    if clipper.limits:
        # Of a gradient of norm c, one of a hundred entries is about 0.1 c.
        unit = min(unit, experiment.threshold / (USUAL_GRADIENT if clipper.by_entry else 1.0))
    return float(experiment.learning_rate * experiment.update_rule.lengthens * unit)


def random_weights_could_learn(f: Facts) -> bool:
    """Whether nothing else would be wrong: the net can answer, and neither too small nor too large steps keep it from that.

    Of fewer than thirty updates no more is asked: what was wrong at the start is what there is to say. Adam and RMSprop move all
    weights by their steps, others only those whose gradient is that large. It helped 82 of 115 nets of zero or equal weights,
    else 11 of 65, in settings of seeds 0 to 3 and 100 to 103.
    """
    enough = FAR_ENOUGH / (2 if f.experiment.points().linear_share > 0.4 else 20)
    far = step(f) * max(updates(f), 30) >= enough
    robust = f.experiment.normalizer.uses_batch or f.experiment.depth <= SHALLOW
    can_bend = f.experiment.activation_function.bends or not needs_bends(f)
    most = (1.0 if robust else 0.1) * (1.0 if f.experiment.update_rule.rescales else 3.0)
    return far and step(f) <= most and can_bend


def steps_are_missing(f: Facts) -> bool:
    """Whether updates cannot have moved weights far, and Adam's could: a net whose units are alike answers what one unit can.

    It helped 3 of 4 such nets, else 5 of 32.
    """
    return travel(f) < FAR_ENOUGH and updates(f) >= 100 and adam_is_new(f)


def gradient_could_arrive(f: Facts) -> bool:
    """Whether random weights of a usual variance hand the gradient on: through more than six flat layers none do."""
    return f.experiment.depth <= 2 * SHALLOW or not is_too_flat(f.experiment)


def starts_with_a_mean(f: Facts) -> bool:
    """Whether first weights of one sign, which make the units of a layer nearly alike, are all that keeps the net from learning.

    Layer norm takes away what units have in common. Random ones helped 3 of 3 such nets that were stuck, unfinished or vanished.
    """
    start, layer_norm = f.experiment.initialization, f.experiment.normalizer.axis == -2
    of_one_sign = start.variance is None and start.passes_gradient and not layer_norm
    return of_one_sign and random_weights_could_learn(f) and gradient_could_arrive(f)


def starts_with_a_mean_that_adds_up(f: Facts) -> bool:
    """Whether, besides, such weights make the loss far too large before training: it is to start elsewhere, not to move from there."""
    return starts_with_a_mean(f) and starts_badly(f)


def starts_wrong(f: Facts) -> bool:
    """Whether the first weights are far too small, with time to learn from better ones, or of one sign; and steps do not leap."""
    return (starts_far_below_in_time(f) or starts_with_a_mean(f)) and step(f) < LEAPING


def adam_is_new(f: Facts) -> bool:
    """Whether Adam's steps would be others: those of Adam and RMSprop are as long as the rate, and alike within a factor of three."""
    rate = f.experiment.learning_rate / ADAM_RATE
    return not f.experiment.update_rule.rescales or not 1 / 3 < rate < 3


def adam_gets_further(f: Facts) -> bool:
    """Whether no update changed the weights by a hundredth of their size, and there are enough for Adam to do better.

    Thirty of its updates by 0.01 move a weight by 0.3; a sigmoid net without normalization that is deep, or must bend, takes
    longer. It helped 80 of 95 nets that hardly moved, else 2 of 13.
    """
    slow = f.experiment.depth > SHALLOW or needs_bends(f)
    flat = is_too_flat(f.experiment) and is_not_normalized(f) and slow
    return moves_little(f) and f.first_pull < LARGE_PULL and updates(f) >= (500 if flat else 30) and adam_is_new(f)


def falls(f: Facts) -> bool:
    """Whether the loss fell by 2 % over the second half, not all of these seeds are stuck, and larger steps are still small.

    Ten times the learning rate helped 49 of 51 nets that hardly moved, else 8 of 57.
    """
    return f.signs.falling > 0.01 and f.signs.stuck < f.signs.seeds and ten_times_is_fair(f)


def ten_times_is_fair(f: Facts) -> bool:
    """Whether ten times the rate is one at which nets learn: about 1 at the most, of Adam and RMSprop 0.3."""
    return rate(f) <= (0.03 if f.experiment.update_rule.rescales else 0.15)


def moves_little_and_can_more(f: Facts) -> bool:
    """Whether no update changed the weights by a hundredth of their size, and larger ones would still be fair."""
    return moves_little(f) and ten_times_is_fair(f)


def falls_fast(f: Facts) -> bool:
    """Whether the loss fell by a tenth over the second half: more epochs helped 61 of 106, else 28 of 371.

    A loss that was lower by a tenth before goes up and down: more epochs then helped 2 of 6.
    """
    return f.signs.falling > 0.04 and not came_and_went(f)


def still_falls(f: Facts) -> bool:
    """Whether the loss fell by 2 % over the second half, and was not lower before: more epochs helped 26 of 33 unfinished nets."""
    return f.signs.falling > 0.01 and not came_and_went(f)


def wandered(f: Facts) -> bool:
    """Whether updates could move the first layer by half its size: what is wrong was not there at the start.

    Smaller steps or Adam helped 54 of 72 dead or saturated nets, else 4 of 36.
    """
    return f.signs.way_first > -0.3


def died(f: Facts) -> bool:
    """Whether it was training that killed units: weights moved far, or somewhat and the gradient no longer arrives.

    Smaller steps or Adam helped 22 of 26, else 0 of 6. Most of the units must have been alive before.
    """
    moved = wandered(f) or (f.signs.way_first > -1 and f.signs.reach > -HEALTHY_DECADES > f.signs.reach_end)
    return moved and f.signs.dead_start < f.signs.dead / 2


def bounds_norms_of_zeros(f: Facts) -> bool:
    """Whether layer norm multiplies a gradient by 316 in every layer, and there is time for Adam, whose steps stay bounded.

    It solved XOR in 12 of 12 such nets that SGD left at chance.
    """
    return norms_zeros(f) and adam_in_time(f)


def replaces_norms_of_zeros(f: Facts) -> bool:
    """Whether layer norm does so, and batch norm has steps enough: 10 of 12 on XOR."""
    return norms_zeros(f) and travel(f) >= FAR_ENOUGH


def died_or_norms_zeros(f: Facts) -> bool:
    """Whether training killed units, or did so because layer norm multiplied a gradient."""
    return died(f) or bounds_norms_of_zeros(f)


def layers_die_by_chance(f: Facts) -> bool:
    """Whether some dense layer of rectifiers is off for a sample, with probability 1 - (1 - 2⁻ⁿ)ᵈ for d layers of n, in most nets.

    Lu et al. 2020. A convolution is off only if it is at every place. Four times the width helped 4 of 5 such nets that were
    dead, vanished or hardly moved.
    """
    width, depth = f.experiment.width, f.experiment.depth
    dense = not f.experiment.layer_kind.slides
    return dense and f.experiment.activation_function.cuts and 1 - (1 - 2.0**-width) ** depth > 0.5


def layers_die_and_there_is_time(f: Facts) -> bool:
    """Whether layers die by chance in a net whose updates could move weights somewhat."""
    return layers_die_by_chance(f) and travel(f) >= FAR_ENOUGH / 2


def died_by_chance(f: Facts) -> bool:
    """Whether units were dead before training in narrow layers, by chance: weights far too small are another matter."""
    return layers_die_by_chance(f) or (not died(f) and is_narrow(f) and not starts_far_below(f))


def width_is_missing(f: Facts) -> bool:
    """Whether a wider net is what the gradient lacks: rectifiers die by chance, or layer norm has few units to norm over.

    And whether there are steps enough, and no slope that is flat in every width.
    """
    few = f.experiment.normalizer.axis == -2 and f.experiment.width <= FEW_UNITS and not is_too_flat(f.experiment)
    return (layers_die_by_chance(f) or few) and travel(f) >= FAR_ENOUGH


def wandered_far(f: Facts) -> bool:
    """Whether updates could move the first layer by four times its size, or some of these seeds are not stuck.

    Cross-entropy helped 12 of 20 nets with a saturated output, else 2 of 17.
    """
    return f.signs.way_first > 0.6 or f.signs.stuck < f.signs.seeds


def starts_far_below(f: Facts) -> bool:
    """Whether the first weights have less than a tenth of the fitting variance: that variance helped 10 of 22, else 13 of 101."""
    return starts_small(f.experiment)


def starts_far_below_in_time(f: Facts) -> bool:
    """Whether there are updates enough as well for a deep net to learn from such a start: 4 of 4 that vanished, else 8 of 34."""
    return starts_small(f.experiment) and updates(f) >= 500


def came_and_went(f: Facts) -> bool:
    """Whether the loss was lower by a tenth before: smaller steps helped 12 of 16 nets that were stuck, else 1 of 13."""
    return f.signs.loss_end > 1.1 * f.signs.loss_best


def overshoots(f: Facts) -> bool:
    """Whether the loss was lower before, and an update changed the weights by a tenth of their size or more.

    Smaller steps helped 7 of 11, else 1 of 62; Adam 8 of 11, else 17 of 61.
    """
    return came_and_went(f) and f.signs.stride > -1


def came_back(f: Facts) -> bool:
    """Whether a gradient that vanished at the start arrives at the end, so that these seeds are on their way."""
    return f.signs.reach < -HEALTHY_DECADES and f.signs.reach_end > -1


def came_back_and_falls(f: Facts) -> bool:
    """Whether, besides, the loss still falls."""
    return came_back(f) and falls_fast(f)


def nearly_reaches(f: Facts) -> bool:
    """Whether the gradient vanishes, but not below Adam's 1e-7, and steps, or Adam's in their place, lead far enough.

    Adam helped 16 of 22, else 1 of 15.
    """
    far = travel(f) >= 3 or ADAM_RATE * updates(f) >= 3
    return f.signs.reach > -6 and far and not came_back(f) and adam_in_time(f) and can_answer(f)


def moves_little(f: Facts) -> bool:
    """Whether no update changed the weights by a hundredth of their size: 1 in 1,000 is usual (Karpathy; CS231n).

    Ten times the learning rate helped 12 of 17 nets that were not done, else 10 of 56.
    """
    return f.signs.stride < -2


def got_not_far(f: Facts) -> bool:
    """Whether updates are small, and all together moved weights by at most twice their size."""
    return moves_little(f) and f.signs.way < 0.3


def got_not_far_and_can_more(f: Facts) -> bool:
    """Whether, besides, larger steps would still be fair."""
    return got_not_far(f) and ten_times_is_fair(f)


def starts_well(f: Facts) -> bool:
    """Whether the loss is below ten times the mean answer's before training: it is the steps that make it diverge.

    A fitting start or layer norm helped 1 of 25 such nets, else 5 of 11.
    """
    return f.loss_start < 10 * mean_answer_loss(f.experiment)


def steps_were_too_large(f: Facts) -> bool:
    """Whether it is the steps alone that keep it from learning: it starts well, from random weights, and can bend if it must."""
    return starts_well(f) and other_steps_could_do(f)


def other_steps_could_do(f: Facts) -> bool:
    """Whether Adam's steps, which do not grow with the gradient, could be all it takes.

    So they could where the loss starts below a hundred times the mean answer's, or the steps were absurd and it starts below ten
    thousand times: steps of 0.01 do not lead back from everywhere.
    """
    far = f.loss_start / mean_answer_loss(f.experiment)
    fair = far < 100 or (rate(f) >= 4 and far < 1e4)
    # Where the gradient vanishes as well, steps that stay finite get nowhere.
    arrives = f.signs.reach > -2 * HEALTHY_DECADES
    return fair and arrives and f.experiment.initialization.passes_gradient and can_answer(f)


def a_tenth_suffices(f: Facts) -> bool:
    """Whether a tenth of the learning rate is small enough.

    All layers move at once: the deeper a net, the smaller its steps must be. A step of Adam and RMSprop is as long as the rate:
    where that times the depth was at most 4, a tenth helped 13 of 23 nets, else 5 of 14; of the others, up to 100, 19 of 26, else 3 of 9.
    """
    return rate(f) * f.experiment.depth <= (4 if f.experiment.update_rule.rescales else 200)


def a_tenth_is_called_for(f: Facts) -> bool:
    """Whether, besides, steps of Adam and RMSprop are longer than 0.05: usual ones are not known to take a gradient away."""
    return a_tenth_suffices(f) and (rate(f) > 0.05 or not f.experiment.update_rule.rescales)


def steps_are_usual(f: Facts) -> bool:
    """Whether a net that starts well could take these steps: with smaller than 1, 5 of 7 were helped by a better start, else 1 of 29."""
    return rate(f) < 1


def starts_badly_alike(f: Facts) -> bool:
    """Whether the loss is far too large before training because weights add up: all equal, or of one sign."""
    return starts_badly(f) and f.experiment.initialization.variance is None and random_weights_could_learn(f)


def a_better_start_suffices(f: Facts) -> bool:
    """Whether the first weights are what makes it diverge, rather than the steps."""
    return (starts_badly(f) and steps_are_usual(f)) or starts_badly_alike(f)


def no_skips_and_no_leaps(f: Facts) -> bool:
    """Whether there are no shortcuts yet, and steps are no longer than weights: from longer ones nothing but shorter ones helps."""
    return no_skips(f) and step(f) < LEAPING


def leaps(f: Facts) -> bool:
    """Whether steps move weights by twice a usual weight and more, and did: a tenth of the rate helped 4 of 4 stuck or unfinished."""
    return step(f) >= LEAPING and f.signs.stride > -0.5


def does_not_leap(f: Facts) -> bool:
    """Whether steps are no longer than weights."""
    return step(f) < LEAPING


def overshoots_or_leaps(f: Facts) -> bool:
    """Whether updates are too large: the loss was lower before, or weights leap about."""
    return leaps(f) or (overshoots(f) and a_tenth_suffices(f))


def rose_or_leaps(f: Facts) -> bool:
    """Whether the loss was lower before, and a tenth of the rate is small enough; or weights leap about."""
    return leaps(f) or (came_and_went(f) and a_tenth_suffices(f))


def grew(f: Facts) -> bool:
    """Whether the loss has doubled."""
    return f.signs.loss_end > 2 * f.signs.loss_start


def did_not_grow(f: Facts) -> bool:
    """Whether the loss has not doubled."""
    return not grew(f)


def wandered_or_was_pulled(f: Facts) -> bool:
    """Whether weights moved far, or the first gradient alone is too long for any usual step."""
    return wandered(f) or f.first_pull > LARGE_PULL


def started_without_bound(f: Facts) -> bool:
    """Whether it is not the steps that took the output so far out, or they cannot do better, and no activation bounds it.

    Units between -1 and 1 then helped 9 of 15 nets with a saturated output, of seeds 17, 23, 31, 8201 to 8203 and 8301.
    """
    _, highest = f.experiment.activation_function.saturation or (0, math.inf)
    return highest == math.inf and not (wandered_or_was_pulled(f) and can_answer(f))


def adam_answers_linearly(f: Facts) -> bool:
    """Whether straight lines answer some of it, and it is the steps, too large or too small, that keep it from that."""
    return not bends_in_time(f) and (overshoots(f) or (adam_gets_further(f) and not needs_bends(f)))


def starts_badly(f: Facts) -> bool:
    """Whether the loss is far too large before training."""
    return not starts_well(f)


def norms_enough(f: Facts) -> bool:
    """Whether batches have eight samples or more, so that mean and variance are not mostly chance: 113 of 328, else 12 of 92."""
    return most_normalized(f) >= 8


def norms_several(f: Facts) -> bool:
    """Whether there is more to norm than one or two values: on XOR without biases batch norm's shifts then helped 20 of 20."""
    return most_normalized(f) > 2


def most_normalized(f: Facts) -> int:
    """Of how many values batch norm takes mean and variance: the samples of the largest batch, of a convolution at all places."""
    return max(f.experiment.batch_sizes()) * f.experiment.places


def has_batches_to_norm(f: Facts) -> bool:
    """Whether eight samples or more, of a net that bends, still hold a gradient above 1e-24, and next to nothing is learnt.

    Batch norm helped 25 of 28 such nets whose gradient vanished, else 4 of 17.
    """
    return (
        norms_enough(f) and f.experiment.activation_function.bends and f.signs.reach_end > -24 and f.signs.apart < 0.1
    )


def norms_instead(f: Facts) -> bool:
    """Whether batch norm would bring the gradient back: it has batches, and what is left to work on or layer norm to replace.

    Over a few units layer norm leaves little of z but its sign; batch norm in its place helped 6 of 6 nets that vanished. There
    must be steps enough, and none that leap.
    """
    replaces = f.experiment.normalizer.axis == -2 and norms_enough(f) and f.experiment.activation_function.bends
    return travel(f) >= FAR_ENOUGH and step(f) < LEAPING and (replaces or has_batches_to_norm(f))


def lacks_shifts(f: Facts) -> bool:
    """Whether no layer has biases, or a normalization's shift β instead: batch norm then brings them.

    So it helped 15 of 22 nets that were stuck, unfinished or hardly moved, else 43 of 140.
    """
    return not f.experiment.has_biases and is_not_normalized(f) and bends(f) and norms_enough(f)


def norm_could_help(f: Facts) -> bool:
    """Whether batch norm has batches to work on, and several layers that nothing normalizes, wider than two units.

    Of unfinished nets it helped 4 of 5, else 6 of 25: with less depth, or without biases alone, it is not what is missing.
    """
    deep = f.experiment.depth > 2 and f.experiment.width > 2
    return deep and is_not_normalized(f) and norms_enough(f)


def norm_gets_further(f: Facts) -> bool:
    """Whether batch norm brings shifts, or several layers have steps enough and hand on much that is the same for all samples.

    It takes that away: 16 of 24, else 14 of 73. So it is of activations that are not 0 at 0.
    """
    offset = not f.experiment.activation_function.is_zero_at_zero or f.experiment.normalizer.axis == -2
    deep = f.experiment.depth > 1 and offset and travel(f) >= FAR_ENOUGH and has_batches_to_norm(f)
    return deep or (lacks_shifts(f) and travel(f) >= FAR_ENOUGH / 2)


def skips_pay(f: Facts) -> bool:
    """Whether a gradient that vanishes can be put to use: straight lines answer most of it, or not too much of it is missing.

    Behind 6 decades that takes 1,000 updates or more, behind 12 it is not seen. Skips helped 42 of 51, else 6 of 38.
    """
    in_time = f.experiment.points().linear_share <= 0.4 or f.signs.reach > (-12 if updates(f) >= 1000 else -6)
    steps = travel(f) >= FAR_ENOUGH and step(f) < LEAPING and not steps_took_it_away(f)
    return in_time and steps and not came_back(f) and can_answer(f)


def steps_took_it_away(f: Facts) -> bool:
    """Whether the gradient arrived before training, and steps that moved weights far took it away: a skip hardly changes these.

    Skips then helped 2 of 8, smaller steps or Adam 5 of 8.
    """
    return f.signs.reach >= -HEALTHY_DECADES > f.signs.reach_end and wandered(f)


def smaller_steps_bring_it_back(f: Facts) -> bool:
    """Whether steps took the gradient away, and a tenth of them is small enough."""
    return steps_took_it_away(f) and a_tenth_is_called_for(f)


def is_deep(f: Facts) -> bool:
    """Whether there are three hidden layers or more: of two, a skip goes around one alone."""
    return f.experiment.depth >= 3 and can_answer(f)


def no_skips(f: Facts) -> bool:
    """Whether there are no shortcuts yet: they helped 7 of 9 dead nets, in the place of others 1 of 5."""
    return not f.experiment.skipped


def norms_batches_without_skips(f: Facts) -> bool:
    """Whether it is batch norm that makes the gradient grow from layer to layer, for want of shortcuts (Yang et al. 2019)."""
    return f.experiment.normalizer.uses_batch and not f.experiment.skipped


def is_not_normalized(f: Facts) -> bool:
    """Whether the weights' size matters: behind a normalization it does not."""
    return f.experiment.normalizer.axis is None


def bends_in_time(f: Facts) -> bool:
    """Whether straight lines leave more than half of the error, and there are steps enough to learn more: 27 of 42, else 1 of 20."""
    return f.experiment.points().linear_share > 0.5 and travel(f) >= FAR_ENOUGH


def adam_in_time(f: Facts) -> bool:
    """Whether there are updates enough for Adam: 60 by 0.01 move weights by 0.6.

    It helped 18 of 24 nets that were stuck, else 2 of 5, and 34 of 55 unfinished ones of seeds 17, 23, 31 and 8201 to 8203.
    """
    return updates(f) >= 60 and adam_is_new(f)


def needs_bends(f: Facts) -> bool:
    """Whether straight lines leave over 80 % of the error: a bend helped 28 of 56 linear nets, else 0 of 6."""
    return f.experiment.points().linear_share > 0.8


def bends(f: Facts) -> bool:
    """Whether the net is more than a straight line: by its activation, or by layer norm, which divides by a size of z."""
    return f.experiment.activation_function.bends or f.experiment.normalizer.axis == -2


def can_answer(f: Facts) -> bool:
    """Whether the net bends, or straight lines answer some of it: otherwise nothing but a bend helps."""
    return bends(f) or not needs_bends(f)


def net_is_too_small(f: Facts) -> bool:
    """Whether at most one of these seeds is stuck, and the loss fell, but not to half of the mean answer's: the net is too small.

    More width helped 23 of 32, else 2 of 18. Nets of three units are too small in any case: 7 of 9.
    """
    return has_few_units(f) or (f.signs.stuck <= 1 and f.signs.apart < 0.34 and not came_and_went(f))


def has_few_units(f: Facts) -> bool:
    """Whether layers have three units at most."""
    return f.experiment.width <= FEW_UNITS


def differences_add_up(f: Facts) -> bool:
    """Whether ten layers or more, without shortcuts, hand on and enlarge what differs between two kinds of statistics."""
    return no_skips(f) and f.experiment.depth >= 10


def is_narrow(f: Facts) -> bool:
    """Whether layers have at most eight units: where classes overlap, more helped 11 of 16, else 1 of 7."""
    return f.experiment.width <= 8


def is_narrow_and_norms_no_zeros(f: Facts) -> bool:
    """Whether it is not zeros under layer norm that make the gradient grow: these do in every width."""
    return is_narrow(f) and not norms_zeros(f)


def vanished_in_training(f: Facts) -> bool:
    """Whether the gradient reached the first step before any update, and does no longer: it is the steps that took it away."""
    return f.log_ratio >= -HEALTHY_DECADES > f.log_ratio_end


def state_is_kept(f: Facts) -> bool:
    """Whether a tenth of a change of the state in the middle is left at the end, before any update; or every step has its answer.

    Then answers have something to go by, even where backpropagation is cut: Adam helped 23 of 47 such nets, else 5 of 65.
    """
    return f.every_position_counts or log_kept(f.experiment) >= -1


def state_is_nearly_kept(f: Facts) -> bool:
    """Whether a hundredth of it is left."""
    return f.every_position_counts or log_kept(f.experiment) >= -2


def adams_way(f: Facts) -> float:
    """log10 of how far Adam's updates could move a weight, in usual weights, at the rate that the remedy sets."""
    return math.log10(ADAM_RATE * updates(f) / usual_weight(f.experiment))


def enough(f: Facts) -> float:
    """log10 of how far, in usual weights, weights have to go: about as far as they are large, twice as far to learn products.

    Where every step has its answer the gradient comes from all of them, and less is enough.
    """
    return 0.3 if f.experiment.dataset.multiplies else -0.2 if f.every_position_counts else 0.0


def adam_goes_far(f: Facts) -> bool:
    """Whether training is over, Adam could move weights far enough, and its steps would be others: even shorter, if these leapt.

    It helped 88 of 95 nets whose gradient arrives, else 24 of 57.
    """
    other = f.signs.way < 0 or f.signs.way > 2 or adams_way(f) >= f.signs.way + 0.5
    return is_over(f) and adam_is_new(f) and adams_way(f) >= enough(f) and other


def adam_finds_it(f: Facts) -> bool:
    """Whether, besides, the state is kept; or the gradient of the first step is small rather than lost, and there is time.

    Of what is below 1e-12 nothing is seen beside the last steps' gradient, and no optimizer brings back what is cut. A state
    that is nearly kept takes four times the way; a single unit has no second one to remember by, and where weights moved by their
    size, but not by far more, it is not steps that lack. It helped 65 of 82 nets whose gradient vanished, else 5 of 21 of those above.
    """
    if f.experiment.hidden == 1 or 0 <= f.signs.way <= 2:
        return False
    comes = max(f.log_ratio, f.log_ratio_end) > -12 and not f.experiment.truncation
    small = comes and adams_way(f) >= enough(f) + 0.3
    nearly = state_is_nearly_kept(f) and adams_way(f) >= enough(f) + 0.6
    return adam_goes_far(f) and (state_is_kept(f) or small or nearly)


def ten_times_goes_far(f: Facts) -> bool:
    """Whether weights moved by a tenth of their usual size or more, but not by all of it; products must be learnt in part already."""
    near = (-2 if f.every_position_counts else -1) <= f.signs.way < 0
    return near and ten_times_is_fair(f) and (not f.experiment.dataset.multiplies or is_over_and_falls(f))


def ten_times_helps(f: Facts) -> bool:
    """Whether, besides, the state is kept, and the loss did not rise."""
    return ten_times_goes_far(f) and state_is_kept(f) and is_over_and_did_not_rise(f)


def is_on_its_way(f: Facts) -> bool:
    """Whether weights moved by a tenth of their usual size or more, but not by far more than it, and four times as far would do.

    Products, and answers of every step, must be on their way already: the loss still falls by a twentieth. Where it falls by a tenth
    weights may have moved by ten times their size.
    """
    falls = f.signs.falling > 0.02 or not (f.experiment.dataset.multiplies or f.every_position_counts)
    near = -1 <= f.signs.way < (1 if falls_fast(f) else 0.5)
    return is_over(f) and near and falls and not came_and_went(f)


def is_on_its_way_though_cut(f: Facts) -> bool:
    """Whether what backpropagation is cut from is kept by the state all the same, and the loss falls."""
    return is_on_its_way(f) and state_is_kept(f) and is_over_and_falls(f)


def went_too_far(f: Facts) -> bool:
    """Whether an update moved weights by a third of their usual size, all together by ten times it, and nothing else is wrong."""
    return f.signs.stride > -0.5 and f.signs.way > 1 and state_is_kept(f) and not f.experiment.truncation


def other_steps_could_do_over_time(f: Facts) -> bool:
    """Whether Adam could move weights twice as far as it takes, and the state is nearly kept: what is wrong are the steps alone.

    Of nets whose loss doubled Adam helped so 9 of 11, and a tenth of the rate 9 of 12; else neither more than 3 of 8.
    """
    return is_over(f) and adams_way(f) >= enough(f) + 0.3 and state_is_nearly_kept(f)


def smaller_steps_bring_it_back_in_time(f: Facts) -> bool:
    """Whether it is the steps that took the gradient away from the first step, and they led somewhere; or they went too far."""
    return went_too_far(f) or (vanished_in_training(f) and f.signs.way > 0)


def cut_is_all(f: Facts) -> bool:
    """Whether it is the cut alone that keeps it from learning: the state is kept, and weights moved by their usual size.

    And whether there were updates enough for Adam to do so. It helped 23 of 38, else 18 of 150.
    """
    return state_is_kept(f) and f.signs.way > 0 and adams_way(f) >= 0


def needs_a_gate(f: Facts) -> bool:
    """Whether a net loses its state on the way, and steps are enough to use a gate that keeps it, and none of them leaps.

    Of plain nets it helped 21 of 31 where the answer is no product; of products 7 of 12 where steps are of a usual size, else 9 of 60.
    To open a gate that is there helped 7 of 11 where the answer is no product and nothing is cut, else 24 of 269.
    """
    lost, multiplies = not state_is_kept(f), f.experiment.dataset.multiplies
    if f.experiment.unit.memory_gate:
        return lost and not multiplies and not f.experiment.truncation and travel(f) >= FAR_ENOUGH / 2
    plain = lost and not vanished_in_training(f)
    if multiplies:
        return plain and FAR_ENOUGH <= travel(f) <= 5 * FAR_ENOUGH and updates(f) >= 50
    return plain and FAR_ENOUGH <= travel(f) <= 50 * FAR_ENOUGH


def turning_tames(f: Facts) -> bool:
    """Whether a plain net's W_hh makes the gradient too long, and there are steps enough for one that keeps lengths."""
    return not f.experiment.unit.memory_gate and travel(f) >= FAR_ENOUGH


def clipping_suffices(f: Facts) -> bool:
    """Whether it starts well, so that steps of a bounded length are all it takes, and there are enough of them."""
    return starts_well(f) and adams_way(f) >= enough(f) and not f.experiment.dataset.multiplies


def a_tenth_is_usual(f: Facts) -> bool:
    """Whether it starts well, and a tenth of its steps is one at which nets learn."""
    return starts_well(f) and rate(f) <= 1


def is_over(f: Facts) -> bool:
    """Whether training is over."""
    return f.complete and f.epoch > 0


def is_over_and_rose(f: Facts) -> bool:
    """Whether training is over, and the loss was lower by 2 % before: the steps are too large rather than too small."""
    return is_over(f) and f.signs.loss_end > 1.02 * f.signs.loss_best


def is_over_and_did_not_rise(f: Facts) -> bool:
    """Whether training is over, and the loss is about as low as it ever was."""
    return is_over(f) and not is_over_and_rose(f)


def is_over_and_falls(f: Facts) -> bool:
    """Whether training is over, and the loss still fell by 2 % over its second half."""
    return is_over(f) and f.signs.falling > 0.01
