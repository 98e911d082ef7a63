"""Comparison: what several histories say beside one another."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from explorer.choices.comparisons import RecurrentComparison
from explorer.diagnosis.diagnose import BY_RULE, Diagnosis, diagnose
from explorer.diagnosis.facts import Facts
from explorer.diagnosis.reasons import gradient_change
from explorer.diagnosis.sentences import learn, loss_went, mean_answers_error, solve_it, told_diverged
from explorer.diagnosis.wording import (
    as_before,
    begun,
    compared_summary,
    decades,
    difference,
    number,
    seeds_text,
    sentence,
)
from explorer.training.history import History

# What two nets beside one another are called, the present one last.
BASELINE, NOW = "baseline", "now"
# Of so many recurrent nets at most it is said what to try.
MOST_ADVISED_OF = 2


@dataclass(frozen=True, eq=False)
class Compared:
    """Experiments of one kind that are shown beside one another, as far as they are measured."""

    experiments: Mapping[str, Any]  # In the order in which they are drawn; the present one comes last
    diagnoses: Sequence[Diagnosis | None]  # None where nothing is measured yet
    comparison: RecurrentComparison | None = None  # What set recurrent nets beside one another

    @classmethod
    def of(
        cls,
        experiments: Mapping[str, Any],
        histories: Sequence[History | None],
        comparison: RecurrentComparison | None = None,
    ) -> Self:
        """Diagnose each history, once."""
        return cls(experiments, [None if history is None else diagnose(history) for history in histories], comparison)

    @property
    def names(self) -> list[str]:
        """The names of all experiments, also of those that have no record yet."""
        return list(self.experiments)

    @cached_property
    def measured(self) -> dict[str, Diagnosis]:
        """The diagnoses of the experiments that have at least one record, by name."""
        pairs = zip(self.experiments, self.diagnoses, strict=True)
        return {name: diagnosis for name, diagnosis in pairs if diagnosis is not None}

    @property
    def histories(self) -> dict[str, History]:
        """The histories of the experiments that have at least one record, by name."""
        return {name: diagnosis.history for name, diagnosis in self.measured.items()}

    @property
    def now(self) -> Diagnosis:
        """The diagnosis of the present setting, which comes after that of its baseline."""
        return list(self.measured.values())[-1]

    @property
    def baseline(self) -> Diagnosis | None:
        """The diagnosis of the baseline; None where it is the same experiment as the present one."""
        first = next(iter(self.measured.values()))
        return None if first.history.experiment == self.now.history.experiment else first

    @cached_property
    def headline(self) -> str:
        """One sentence that says which recurrent nets learn the task."""
        return time_headline(self.measured, self.comparison.phrase if self.comparison else "")

    @cached_property
    def detail(self) -> str:
        """Sentences on how much of the gradient of recurrent nets arrives at the first step, and on what to try."""
        return time_detail(self.measured)

    @property
    def advises(self) -> bool:
        """Whether these are so few recurrent nets that it is said what to try."""
        return len(self.experiments) <= MOST_ADVISED_OF

    def detail_of_trials(self, tried: str) -> str:
        """What `detail` says; of the last net what was tried on it, in the place of advice."""
        return time_detail(self.measured, tried)

    @property
    def caption(self) -> str:
        """The settings of recurrent nets in one line."""
        return compared_summary(list(self.experiments.values()))


def compare(old: Facts, new: Facts) -> str:
    """Say in one sentence what the change from a baseline did to the seeds."""
    changes = difference(old.experiment, new.experiment)
    if not changes:
        return "The same settings as the baseline."
    what = changes[0] if len(changes) == 1 else " and ".join([", ".join(changes[:-1]), changes[-1]])
    return sentence(f"{what}: {_seed_change(old, new)}")


def compare_gradients(old: Facts, new: Facts) -> str:
    """Say in one sentence what the change from a baseline did to the gradient at the start; empty where that is no news.

    So it is of seeds that diverged, of another task, and where nothing was changed that matters before the first update.
    """
    if new.diverged * 2 >= new.runs or new.experiment.task != old.experiment.task:
        return ""
    begins = difference(old.experiment.at_start(), new.experiment.at_start())
    return sentence(gradient_change(old, new)) if begins else ""


def _seed_change(old: Facts, new: Facts) -> str:
    solve = solve_it(new.solved, new.runs)
    of = "" if new.runs == old.runs else f" of {old.runs}"
    if not new.diverged and not old.diverged:
        return f"{solve}, {as_before(new.solved, old.solved, of, single=new.runs == 1)}"
    if not new.solved and not old.solved:
        if new.runs == old.runs == 1:
            return f"this seed {'diverged' if new.diverged else 'did not diverge'}, {as_before(new.diverged, old.diverged, single=True)}"
        return f"{seeds_text(new.diverged, new.runs)} diverged, {as_before(new.diverged, old.diverged, of)}"
    if not old.solved and not old.diverged:
        return f"{solve} and {new.diverged} diverged, where none{of} did either before"
    return (
        f"{solve} and {new.diverged or 'none'} diverged, where {old.solved or 'none'}{of} solved it and "
        f"{old.diverged or 'none'} diverged before"
    )


def time_headline(diagnoses: Mapping[str, Diagnosis], phrase: str = "") -> str:
    """Say in one sentence how many seeds learn it, by the names of what is compared, in a phrase or before a colon."""
    if not diagnoses:
        return "Nothing is measured yet."
    facts = _facts(diagnoses)
    (first_name, first), *others = facts.items()
    if not others:
        return _alone(diagnoses[first_name])
    if phrase:
        counts = {first_name: learn(first), **{name: _count(f, first) for name, f in others}}
        told = ", ".join(f"{count} {phrase.format(name)}" for name, count in counts.items())
    else:
        told = "; ".join([f"{first_name}: {learn(first)}", *(f"{name}: {_count(f, first)}" for name, f in others)])
    so_far = "" if all(f.complete for f in facts.values()) else "so far, "
    return sentence(f"{so_far}{told}")


def _alone(diagnosis: Diagnosis) -> str:
    """Say the verdict of a net that nothing stands beside, how many seeds learn it, and what became of the loss."""
    f = diagnosis.facts
    if diagnosis.good or (f.experiment.truncation and f.log_ratio == -math.inf):
        return diagnosis.sentence
    told = [f"{learn(f)}{'' if f.complete else ' so far'}"]
    told += [_loss_and_error(f)] * (f.epoch > 0 and math.isfinite(f.signs.loss_end))
    # The word has said already that a single seed diverged.
    return sentence(f"{diagnosis.verdict}: {'; '.join(told[-1:] if f.runs == f.diverged == 1 else told)}")


def _loss_and_error(f: Facts) -> str:
    """Say where the loss went, and what of the error is left: a loss far below its start may be that of always answering the mean."""
    left = f", and {mean_answers_error(f.signs.error)} is left" * (f.diverged < f.runs)
    return f"{loss_went(f)}{left}"


def _count(f: Facts, first: Facts) -> str:
    """Say how many seeds of a further one learn it; of how many only if that differs from the first."""
    return f"{f.solved}{'' if f.runs == first.runs else f' of {f.runs}'}{told_diverged(f)}"


def _facts(diagnoses: Mapping[str, Diagnosis]) -> dict[str, Facts]:
    return {name: diagnosis.facts for name, diagnosis in diagnoses.items()}


def time_detail(diagnoses: Mapping[str, Diagnosis], tried: str = "") -> str:
    """Say what became of the gradient on its way back, at the start and now; where every step counts, how large it is.

    Then what to try; of the last net, if remedies were tried on it, what they did: `tried`.
    """
    facts, alone = _facts(diagnoses), len(diagnoses) == 1
    reaching = {name: f for name, f in facts.items() if not f.every_position_counts}
    others = {name: f for name, f in facts.items() if f.every_position_counts}
    told = [*_reach(reaching, alone), *_sizes(others, alone)]
    ends = [f"{'' if alone else f'{name}, '}{f.first_end}" for name, f in facts.items() if f.first_end]
    told += [f"Not finite first: {'; '.join(ends)}."] if ends else []
    by_rule = dict(list(diagnoses.items())[:-1]) if tried else diagnoses
    results = [tried if alone else f"{begun(list(diagnoses)[-1])}: {tried}"] if tried else []
    return " ".join([*told, *(_advised(by_rule, alone) if len(diagnoses) <= MOST_ADVISED_OF else []), *results])


def _advised(diagnoses: Mapping[str, Diagnosis], alone: bool) -> list[str]:
    """Say what to try; of a net that stands alone also that nothing is known to help."""
    if alone:
        return [diagnosis.advice_sentence for diagnosis in diagnoses.values() if diagnosis.advice_sentence]
    advised = {name: ", ".join(diagnosis.advice) for name, diagnosis in diagnoses.items()}
    listed = _listed({name: names for name, names in advised.items() if names}, alone=False)
    return [f"{BY_RULE} {listed}."] if listed else []


def _listed(told: Mapping[str, str], alone: bool) -> str:
    """List what is told of each by name; of one alone without its name."""
    return "; ".join(text if alone else f"{name}: {text}" for name, text in told.items())


def _reach(facts: Mapping[str, Facts], alone: bool) -> list[str]:
    """Say what share of the last step's gradient reaches the first step, at the start and now."""
    if not facts:
        return []
    lengths, epochs = ({f.experiment.length for f in facts.values()}, {f.epoch for f in facts.values()})
    last = f"step {lengths.pop()}" if len(lengths) == 1 else "the last step"
    then = f" → at epoch {max(epochs):,}" if len(epochs) == 1 else " → at the latest epoch"
    trained = any(f.epoch for f in facts.values())
    shares = _listed({name: _shares(f) for name, f in facts.items()}, alone)
    return [f"RMS dL/dh at step 1 over that at {last}, at the start{then if trained else ''}: {shares}."]


def _shares(f: Facts) -> str:
    return " → ".join(decades(log_ratio) for log_ratio in (f.log_ratio, f.log_ratio_end)[: 1 + (f.epoch > 0)])


def _sizes(facts: Mapping[str, Facts], alone: bool) -> list[str]:
    """Say how long the first gradient is, and how often clipping made one shorter."""
    if not facts:
        return []
    norms = _listed({name: number(f.first_norm) for name, f in facts.items()}, alone)
    clips = {name: f for name, f in facts.items() if f.experiment.clipper.limits and not math.isnan(f.clipped_share)}
    clipped = _listed({name: f"{f.clipped_share:.0%}" for name, f in clips.items()}, alone)
    told = [f"L2 norm of the first update's gradient, over all parameters, before clipping: {norms}."]
    return told + ([f"Updates that clipping made smaller: {clipped}."] if clipped else [])
