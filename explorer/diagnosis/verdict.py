"""Verdicts: one word and one sentence about a training, by rules with stated thresholds.

Each kind of net has a registry of rules; the first rule that holds gives the word. Each caption, which the app shows, states
the thresholds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.choices.registry import Entry, registry
from explorer.diagnosis.facts import DEAD_SHARE, HEALTHY_DECADES, Facts
from explorer.diagnosis.remedies import REMEDIES, Remedy
from explorer.diagnosis.wording import against_last, decades, number
from explorer.training.kinds import LAYERS, TIME_STEPS, kind_of

# If the first gradient of all parameters is longer than this, updates at any usual learning rate overshoot.
LARGE_NORM = 100.0


def learn(f: Facts) -> str:
    """Say how many seeds learn it: `0 of 8 seeds learn it (8 not finite)`."""
    of = f"{f.solved} of {f.runs} seeds learn it" if f.runs > 1 else f"{f.solved} of 1 seed learns it"
    return f"{of}{not_finite(f)}"


def not_finite(f: Facts) -> str:
    """Say in brackets how many seeds are not finite; empty if all are."""
    return f" ({f.diverged} not finite)" if f.diverged else ""


def tell_learn(f: Facts) -> str:
    """Say how many seeds learn it, as a sentence."""
    return f"{learn(f)}."


@dataclass(frozen=True, kw_only=True)
class Verdict(Entry):
    """A word for how a network does."""

    holds: Callable[[Facts], bool]  # Whether this is the word
    tell: Callable[[Facts], str] = tell_learn  # The sentence after the word
    remedies: tuple[str, ...] = ()  # Names of `REMEDIES` to try
    good: bool = False  # Whether nothing needs mending
    vanishing: bool = False  # Whether what needs mending is a gradient that is too small


def _seeds(count: int, f: Facts) -> str:
    return f"{count} of {f.runs} seeds" if f.runs > 1 else "this seed"


def _tell_dead(f: Facts) -> str:
    off = f"{f.dead_share:.0%} of the hidden units are off for every sample and pass no gradient"
    without = round(f.zero_share * f.runs)
    if not without:
        return f"{off}."
    none = f"the first layer's dL/dW is exactly 0 in {_seeds(without, f)}"
    return f"{off}; {none}." if f.dead_share >= DEAD_SHARE else f"{none}; {off}."


def _tell_stuck(f: Facts) -> str:
    answer = "answers" if f.stuck == 1 else "answer"
    return (
        f"the gradient arrives, yet the loss went from {number(f.loss_start)} to {number(f.loss_end)}, and "
        f"{_seeds(f.stuck, f)} {answer} hardly better than a constant."
    )


VERDICTS = registry(
    [
        Verdict(
            name="diverged",
            caption="At least half of the seeds became infinite or NaN.",
            holds=lambda f: f.diverged * 2 >= f.runs,
            tell=lambda f: (
                f"{_seeds(f.diverged, f)} became infinite or NaN{', first ' if f.first_end else ''}{f.first_end}."
            ),
            remedies=("a tenth of the learning rate", "fitting initialization", "clip by norm"),
        ),
        Verdict(
            name="solved",
            caption="At least half of the seeds answer with a mean squared error below the data set's bound.",
            holds=lambda f: f.solved * 2 >= f.runs,
            tell=lambda f: (
                f"{_seeds(f.solved, f)} by epoch {f.epoch:,}, with a {'median ' if f.runs > 1 else ''}loss of "
                f"{number(f.loss_end)}."
            ),
            good=True,
        ),
        Verdict(
            name="dead",
            caption="At least 40% of the hidden units have slope 0 for every sample, or the first layer's dL/dW is "
            "exactly 0 in at least half of the seeds.",
            holds=lambda f: f.dead_share >= DEAD_SHARE or f.zero_share >= 0.5,
            tell=_tell_dead,
            remedies=("a tenth of the learning rate", "batch norm", "fitting initialization"),
        ),
        Verdict(
            name="symmetric",
            caption="In at least half of the seeds, the units of every hidden layer are alike to one part in 10⁹.",
            holds=lambda f: f.alike_share >= 0.5,
            tell=lambda f: (
                "all units of a layer compute the same and get the same gradient, so they stay alike for "
                "ever: the width is 1 in effect."
            ),
            remedies=("fitting initialization",),
        ),
        Verdict(
            name="exploding",
            caption="At the start, RMS dL/dz at the first layer is over 10³ times the last layer's.",
            holds=lambda f: f.log_ratio > HEALTHY_DECADES,
            tell=lambda f: f"dL/dz at the first layer is {against_last(f.log_ratio)}.",
            remedies=("fitting initialization", "clip by norm", "a tenth of the learning rate"),
        ),
        Verdict(
            name="vanishing",
            caption="At the start, or at the latest record, RMS dL/dz at the first layer is under 10⁻³ of the last's.",
            holds=lambda f: min(f.log_ratio, f.log_ratio_end) < -HEALTHY_DECADES,
            tell=lambda f: (
                f"dL/dz at the first layer is {against_last(f.log_ratio)}."
                if f.log_ratio < -HEALTHY_DECADES
                else f"dL/dz at the first layer fell to {against_last(f.log_ratio_end)} in training, "
                f"from {decades(f.log_ratio)} at the start."
            ),
            remedies=("skip over one layer", "batch norm", "ReLU", "fitting initialization"),
            vanishing=True,
        ),
        Verdict(
            name="stuck",
            caption="The gradient is within 10⁻³ and 10³, but at least half of the seeds are hardly better than always "
            "answering the mean target (0.95 of its error or more).",
            holds=lambda f: f.epoch > 0 and f.stuck * 2 >= f.runs,
            tell=_tell_stuck,
            remedies=("skip over one layer", "batch norm", "fitting initialization"),
        ),
        Verdict(
            name="healthy",
            caption="RMS dL/dz at the first layer is within 10⁻³ and 10³ of the last's, and none of the above holds.",
            holds=lambda f: True,
            tell=lambda f: f"the gradient arrives everywhere; the loss is {number(f.loss_end)} at epoch {f.epoch:,}.",
            good=True,
        ),
    ]
)


TIME_VERDICTS = registry(
    [
        Verdict(
            name="not finite",
            caption="At least half of the seeds became infinite or NaN.",
            holds=lambda f: f.diverged * 2 >= f.runs,
        ),
        Verdict(
            name="learns",
            caption="At least half of the seeds answer with a mean squared error below the task's bound.",
            holds=lambda f: f.solved * 2 >= f.runs,
            good=True,
        ),
        Verdict(
            name="exploding",
            caption=f"Before any update the gradient of all parameters is longer than {LARGE_NORM:g}; or, of a task whose loss "
            "counts at the end only, dL/dh of the first step is over 10³ times that of the last.",
            holds=lambda f: (
                not f.first_norm <= LARGE_NORM or (not f.every_position_counts and f.log_ratio > HEALTHY_DECADES)
            ),
        ),
        Verdict(
            name="vanishing",
            caption="Of a task whose loss counts at the end only, dL/dh of the first step is under 10⁻³ of "
            "that of the last, before any update.",
            holds=lambda f: not f.every_position_counts and f.log_ratio < -HEALTHY_DECADES,
        ),
        Verdict(
            name="the gradient arrives",
            caption="None of the above holds.",
            holds=lambda f: True,
            good=True,
        ),
    ]
)

RULES: Mapping[str, Mapping[str, Verdict]] = {LAYERS.name: VERDICTS, TIME_STEPS.name: TIME_VERDICTS}


def judge(f: Facts) -> Verdict:
    """Return the first verdict of this kind of net whose rule holds."""
    return next(verdict for verdict in RULES[kind_of(f.experiment).name].values() if verdict.holds(f))


def advice(verdict: Verdict, experiment: Any) -> tuple[str, ...]:
    """Return the names of the remedies to try that the experiment does not have already and that can help."""

    def can_help(remedy: Remedy) -> bool:
        useless = remedy.useless is not None and remedy.useless(experiment, verdict.vanishing)
        return remedy.change(experiment) != experiment and not useless

    return tuple(name for name in verdict.remedies if can_help(REMEDIES[name]))
