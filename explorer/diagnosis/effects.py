"""Effects: what a remedy did to an experiment, judged from both histories, and the ranking of many."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from explorer.choices.experiment import Experiment
from explorer.diagnosis.facts import Facts
from explorer.diagnosis.reasons import gradient_change
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.sentences import solve_it
from explorer.diagnosis.wording import as_before, begun, number, seeds_text

HELPED, A_LITTLE, UNCLEAR, HARMED, NOTHING = "helped", "helped a little", "no clear difference", "harmed", "no change"
# A difference in solved seeds counts if chance alone would make it more rarely than this.
CHANCE = 0.05
# Where none solves it, so much of the mean answer's error must go, or else the loss must halve.
HELPS, LOSS_FACTOR = 0.15, 2.0
# Where as many solve it: outside the middle half of the seeds, and by a tenth, sooner or later.
SOONER = 1.1


@dataclass(frozen=True)
class Effect:
    """The effect of one or more remedies."""

    word: str  # "helped", "helped a little", "no clear difference", "harmed" or "no change"
    sentence: str  # The word, the numbers, and why
    # The number beside the word where there is room for one: what the word rests on, "error 66% → 17%"; the seeds that solve
    # it, "8 of 8", where the word rests on these or there is no difference.
    brief: str


class Judged(NamedTuple):
    """A word, the numbers it rests on, and the one of them that says it at a glance."""

    word: str
    numbers: str
    brief: str


def combined(experiment: Experiment, names: Sequence[str]) -> Experiment:
    """Apply several remedies, in the registry's order; where two set the same thing the later one counts."""
    for name, remedy in REMEDIES.items():
        if name in names:
            experiment = remedy.change(experiment)
    return experiment


def effect(names: Sequence[str], before: Facts, after: Facts) -> Effect:
    """Say what these remedies, at least one, did: facts without and with them, of the same seeds."""
    if before.experiment == after.experiment:
        idle = "; ".join(dict.fromkeys(REMEDIES[name].idle for name in names))
        return Effect(NOTHING, f"No change: {idle}.", after.learnt)
    word, numbers, brief = _judge_by_divergence(before, after) or _judge(before, after)
    return Effect(
        word,
        f"{word.capitalize()}: {numbers}; {_why(names, before, after)}.",
        after.learnt if word == UNCLEAR else brief,
    )


def _why(names: Sequence[str], before: Facts, after: Facts) -> str:
    if after.log_ratio == -math.inf and not after.experiment.initialization.passes_gradient:
        return "every weight that the gradient would have to pass is 0"
    return REMEDIES[names[0]].why(before, after) if len(names) == 1 else gradient_change(before, after)


def _judge_by_divergence(before: Facts, after: Facts) -> Judged | None:
    """Return the word where half of the seeds or more diverge on either side and no more seeds solve it; else None."""
    was, is_ = (f.diverged * 2 >= f.runs for f in (before, after))
    diverge = f"{seeds_text(after.diverged, after.runs)} diverge{'s' * (after.diverged == 1)}"
    if after.runs == 1 and not after.diverged:
        diverge = "this seed does not diverge"
    numbers = f"{diverge}, {as_before(after.diverged, before.diverged, single=after.runs == 1)}"
    brief = f"{after.diverged} of {after.runs} diverge"
    if is_:
        return Judged(UNCLEAR if was else HARMED, numbers, brief)
    if was and chance_of_more(before, after) >= CHANCE:
        return Judged(A_LITTLE, f"{numbers}; {_solve(before, after)}", brief)
    return None


def _judge(before: Facts, after: Facts) -> Judged:
    """Return the word and the numbers it rests on: seeds that solve it, then how soon, then the loss."""
    solved, median = solve_it(after.solved, after.runs), "the median seed " * (after.runs > 1)
    if chance_of_more(before, after) < CHANCE:
        soon = f", {median}by epoch {after.solve_epoch:,.0f}" if math.isfinite(after.solve_epoch) else ""
        return Judged(HELPED, f"{solved} instead of {before.solved}{soon}", after.learnt)
    if chance_of_more(after, before) < CHANCE:
        return Judged(HARMED, f"{solved} instead of {before.solved}", after.learnt)
    if math.isfinite(before.solve_epoch) and math.isfinite(after.solve_epoch):
        old, new = f"{before.solve_epoch:,.0f}", f"{after.solve_epoch:,.0f}"
        brief = f"epoch {old} → {new}"
        if new == old:
            return Judged(UNCLEAR, f"{solved}, {median}by epoch {new} as before", brief)
        epochs = f"{solved}, {median}by epoch {new} instead of {old}"
        # Of so few seeds all may be sooner, or later, by chance.
        if 0.5**after.runs >= CHANCE:
            return Judged(UNCLEAR, epochs, brief)
        if after.solve_epoch * SOONER < before.solve_epoch and after.solve_epoch < before.solve_early:
            return Judged(HELPED, epochs, brief)
        later = after.solve_epoch > before.solve_epoch * SOONER and after.solve_epoch > before.solve_late
        return Judged(HARMED if later else UNCLEAR, epochs, brief)
    solved = _solve(before, after)
    return _judge_by_error(before, after, solved) or _judge_by_loss(before, after, solved)


def _solve(before: Facts, after: Facts) -> str:
    return f"{solve_it(after.solved, after.runs)}, {as_before(after.solved, before.solved, single=after.runs == 1)}"


def _judge_by_error(before: Facts, after: Facts, solved: str) -> Judged | None:
    """Judge by what is left of the mean answer's error; None where that hardly changes.

    Where classes overlap no net gets below the data set's bound, but some get nearer to it.
    """
    less = before.score - after.score
    if abs(less) < HELPS:
        return None
    numbers = (
        f"{solved}, and {'on average ' * (after.runs > 1)}{after.score:.0%} of the error of always answering the mean target is left instead of "
        f"{before.score:.0%}"
    )
    brief = f"error {before.score:.0%} → {after.score:.0%}"
    if chance_of_better(*((before, after) if less > 0 else (after, before))) < CHANCE:
        return Judged(HELPED if less > 0 else HARMED, numbers, brief)
    return Judged(A_LITTLE if less > 0 else UNCLEAR, numbers, brief)


def _judge_by_loss(before: Facts, after: Facts, solved: str) -> Judged:
    if before.experiment.loss_function is not after.experiment.loss_function:
        return Judged(
            UNCLEAR,
            f"{solved}, and {after.score:.0%} of the mean answer's error is left instead of {before.score:.0%}",
            "",
        )
    old, new = number(before.loss_end), number(after.loss_end)
    numbers = f"{solved}, and the {'median ' * (after.runs > 1)}loss ends at {new}{', as before' if new == old else f' instead of {old}'}"
    brief = f"loss {old} → {new}"
    known = [f.loss_end if math.isfinite(f.loss_end) else math.inf for f in (before, after)]
    # A median loss does not outweigh seeds that solve it.
    if known[1] * LOSS_FACTOR < known[0] and after.solved >= before.solved:
        return Judged(A_LITTLE, numbers, brief)
    harmed = known[1] > known[0] * LOSS_FACTOR and after.solved <= before.solved
    return Judged(HARMED if harmed else UNCLEAR, numbers, brief)


def chance_of_more(before: Facts, after: Facts) -> float:
    """Return the probability that chance alone gives `after` at least so many more solved seeds than `before`.

    Fisher's exact test (Fisher 1935), one-sided: of all seeds that solved it, how many would fall to `after` if the remedy
    made no difference.
    """
    solved, total = before.solved + after.solved, before.runs + after.runs
    ways = sum(
        math.comb(after.runs, k) * math.comb(before.runs, solved - k)
        for k in range(after.solved, min(solved, after.runs) + 1)
    )
    return ways / math.comb(total, solved)


def chance_of_better(before: Facts, after: Facts) -> float:
    """Return the probability that chance alone makes the error smaller in as many seeds or more.

    The sign test, one-sided: seed by seed, of those whose error differs.
    """
    signs = [new < old for old, new in zip(before.shares, after.shares, strict=False) if new != old]
    return sum(math.comb(len(signs), k) for k in range(sum(signs), len(signs) + 1)) / 2 ** len(signs)


def rank(facts: Sequence[Facts]) -> list[int]:
    """Return the ranking of several experiments: most seeds solved, then soonest, then the least error and loss, to two digits."""

    def key(index: int) -> tuple[float, float, float, float]:
        f = facts[index]
        loss = float(f"{f.loss_end:.1e}") if math.isfinite(f.loss_end) else math.inf
        return -f.solved / f.runs, f.solve_epoch, round(f.score, 2), loss

    return sorted(range(len(facts)), key=key)


def remedies_headline(names: Sequence[str], facts: Sequence[Facts], effects: Sequence[Effect]) -> str:
    """Say in one sentence which of the remedies that were tried, alone or combined, helped."""
    helped = [index for index in rank(facts) if effects[index].word == HELPED]
    if not helped:
        return f"None of these {len(names)} clearly helps here."
    best = facts[helped[0]]
    told = f"{names[helped[0]]} ({best.learnt} seeds)"
    others = [names[index] for index in helped[1:]]
    also = f"; also {', '.join(others)}" if others else ""
    return f"{begun(told)} helps most{also}."
