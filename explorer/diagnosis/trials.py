"""Trials: an experiment with each remedy alone and with several combined, judged against it as it is, and ranked.

`try_remedies` does so with a few seeds and in bounded time: advice that is a result, where `Diagnosis.advice` is a rule.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from explorer.choices.experiment import Experiment
from explorer.choices.settings import Settings
from explorer.diagnosis.diagnose import Diagnosis, diagnose
from explorer.diagnosis.effects import (
    A_LITTLE,
    HARMED,
    HELPED,
    HELPS,
    Effect,
    combined,
    effect,
    rank,
    remedies_headline,
)
from explorer.diagnosis.facts import Facts, final_shares
from explorer.diagnosis.remedies import REMEDIES, REMEDIES_OF
from explorer.diagnosis.verdict import MOST_ADVISED, NOTHING_KNOWN
from explorer.diagnosis.wording import decades, number
from explorer.training.cost import estimate, refuse, refuse_all
from explorer.training.history import History
from explorer.training.kinds import kind_of
from explorer.training.run import Training

NOTHING_CHANGED = "nothing changed"
# With so many seeds a remedy is tried.
TRIED_SEEDS = 4
# What takes less, by the estimate, is tried unasked: of 363 ill settings of `benchmarks.advice` 95 in a hundred,
# half of them in about half a second.
CHEAP_SECONDS = 5.0
# As they are drawn, what helped stands first, and what harmed last.
UNDECIDED = 2
DRAWN = {HELPED: 0, A_LITTLE: 1, HARMED: 3}


@dataclass(frozen=True, eq=False)
class Trial:
    """One thing that is tried: its name, the remedies it consists of, the experiment."""

    name: str
    remedies: tuple[str, ...]
    experiment: Experiment

    @property
    def about(self) -> str:
        """A description of its remedies, with formula and source."""
        entries = [REMEDIES[name] for name in self.remedies]
        return "\n\n".join(f"{entry.name}: {entry.caption} {entry.formula} ({entry.source})" for entry in entries)


def trials(start: Experiment, combine: Sequence[str]) -> list[Trial]:
    """Return the experiment as it is, with each remedy alone, and with those combined that are named."""
    tried = [Trial(NOTHING_CHANGED, (), start)]
    tried += [Trial(name, (name,), remedy.change(start)) for name, remedy in REMEDIES.items()]
    if len(combine) > 1:
        tried.append(Trial(" + ".join(combine), tuple(combine), combined(start, combine)))
    return tried


def within_limits(tried: Sequence[Trial]) -> tuple[list[Trial], list[Trial]]:
    """Return the trials that can be trained, and those left out: too large alone, or the costliest where all are too much.

    The experiment as it is, and what is combined, stay if they can.
    """
    kept = [trial for trial in tried if not refuse(trial.experiment)]
    # The last of these goes first: the costliest remedy, and a combination only after all of them.
    costliest = sorted(
        (trial for trial in kept if trial.remedies),
        key=lambda trial: (len(trial.remedies) == 1, estimate(trial.experiment).seconds),
    )
    while costliest and refuse_all([trial.experiment for trial in kept]):
        kept.remove(costliest.pop())
    return kept, [trial for trial in tried if trial not in kept]


@dataclass(frozen=True, eq=False)
class Results:
    """What became of the trials; all in one order, the unchanged experiment first."""

    tried: Sequence[Trial]
    histories: Sequence[History]
    facts: Sequence[Facts]
    effects: Sequence[Effect | None]

    @classmethod
    def of(cls, tried: Sequence[Trial], histories: Sequence[History]) -> "Results":
        """Judge each against the first, the experiment as it is."""
        facts = [diagnose(history).facts for history in histories]
        effects = [
            effect(trial.remedies, facts[0], f) if trial.remedies else None
            for trial, f in zip(tried, facts, strict=True)
        ]
        return cls(tried, histories, facts, effects)

    @property
    def start(self) -> Experiment:
        """The experiment that remedies are applied to."""
        return self.tried[0].experiment

    @property
    def complete(self) -> bool:
        """Whether everything is trained to its end."""
        return all(history.complete for history in self.histories)

    @property
    def names(self) -> list[str]:
        """The names of the trials."""
        return [trial.name for trial in self.tried]

    @property
    def words(self) -> list[str]:
        """The effect of each trial in a word; empty for the unchanged experiment."""
        return [change.word if change else "" for change in self.effects]

    @property
    def briefs(self) -> list[str]:
        """The number beside the word: how many seeds solve it, unless the word rests on something else."""
        return [change.brief if change else f.learnt for change, f in zip(self.effects, self.facts, strict=True)]

    @cached_property
    def order(self) -> list[int]:
        """The ranking, as indices."""
        return rank(self.facts)

    @cached_property
    def drawn(self) -> list[int]:
        """The order in which they are drawn: the experiment as it is, then what helped, a little, not, or harmed."""
        ranked = [place for place in self.order if place]
        return [0, *sorted(ranked, key=lambda place: DRAWN.get(self.words[place], UNDECIDED))]

    @cached_property
    def headline(self) -> str:
        """One sentence that says which of the remedies helped."""
        changed = [index for index, change in enumerate(self.effects) if change is not None]
        return remedies_headline(
            [self.names[index] for index in changed],
            [self.facts[index] for index in changed],
            [change for change in self.effects if change is not None],
        )

    def table(self, costs: Sequence[float] = ()) -> list[dict[str, object]]:
        """Return the ranking as it is shown; `costs`, if known, are the time of an epoch against the unchanged experiment's."""
        return [
            {
                "Place": place,
                "Remedy": self.names[index],
                "Effect": self.words[index],
                **_columns(self.facts[index]),
                "Time of an epoch": f"{costs[index]:.1f} ×" if costs else "",
            }
            for place, index in enumerate(self.order, start=1)
        ]

    def rows(self) -> list[dict[str, object]]:
        """Return the ranking with full numbers: ratios as decimal logarithms, -inf an exact 0, inf not finite or never."""
        return [
            {"experiment": self.names[index], "effect": self.words[index], **_numbers(self.facts[index])}
            for index in self.order
        ]


def _numbers(f: Facts) -> dict[str, object]:
    return {
        "seeds": f.runs,
        "solved": f.solved,
        "diverged": f.diverged,
        "epochs to solve, median": f.solve_epoch,
        "epochs to solve, first quartile": f.solve_early,
        "epochs to solve, third quartile": f.solve_late,
        "loss at the end, median": f.loss_end,
        "log10 first / last layer, start": f.log_ratio,
        "log10 first / last layer, end": f.log_ratio_end,
        **{f"setting: {setting}": value for setting, value in f.experiment.settings().items()},
    }


def _columns(f: Facts) -> dict[str, str]:
    return {
        "Seeds that learn": f.learnt,
        "Epochs to solve": _epochs(f),
        "Final loss": number(f.loss_end),
        "First / last layer, start": decades(f.log_ratio),
        "First / last layer, end": decades(f.log_ratio_end),
    }


def _epochs(f: Facts) -> str:
    if not math.isfinite(f.solve_epoch):
        return "never in half of them" if f.solved else "never"
    late = f"{f.solve_late:,.0f}" if math.isfinite(f.solve_late) else "never"
    return f"{f.solve_epoch:,.0f} ({f.solve_early:,.0f} to {late})"


# --- advice as a result ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Attempt:
    """What one remedy did to a few seeds: the mean share of the mean answer's error that is left with it and without it."""

    name: str
    seeds: int
    left: float
    left_before: float

    @property
    def helped(self) -> bool:
        """Whether it helped by a difference that counts: to ask for more misses what helps, and spares little else."""
        return self.left <= self.left_before - HELPS


def attempts(diagnosis: Diagnosis, seconds: float, slice_: float = math.inf) -> Iterator[Attempt | None]:
    """Try every remedy alone on a few seeds, those first that the rules advise; a caller may stop after any.

    Training goes on in slices of so many seconds: None comes after one that does not end an attempt. What would, by the
    estimate, take longer than is left of the `seconds` is not tried; a caller's pauses do not count. The history is not held.
    """
    before = _mean(diagnosis.facts.shares, *_tried_seeds(diagnosis.facts))
    return _one_by_one(_tried_experiments(diagnosis), before, seconds, slice_)


def _one_by_one(
    tried: Mapping[str, Settings], before: float, seconds: float, slice_: float
) -> Iterator[Attempt | None]:
    for name, experiment in tried.items():
        if estimate(experiment).seconds > seconds:
            continue
        start = time.perf_counter()
        training = Training(experiment, record_at=[0, experiment.epochs], histograms=False)
        while not training.advance(slice_):
            seconds -= time.perf_counter() - start
            yield None
            start = time.perf_counter()
        seconds -= time.perf_counter() - start
        yield Attempt(name, experiment.runs, float(final_shares(training.history()).mean()), before)


def trying_seconds(diagnosis: Diagnosis) -> float:
    """Estimate how long it takes to try every remedy."""
    return sum(estimate(few).seconds for few in _tried_experiments(diagnosis).values())


def _tried_seeds(f: Facts) -> tuple[int, int]:
    """Return the first of the seeds that are tried, and how many: of all in a row those whose mean error is nearest to that of all.

    Where half of the seeds fail, the first few may all have solved it, and show nothing of what would help the others.
    """
    count = min(TRIED_SEEDS, f.runs)
    highest = f.experiment.controls()["seed"].high - f.experiment.seed
    firsts = range(min(f.runs - count, int(highest)) + 1)
    mean = _mean(f.shares, 0, f.runs)
    return min(firsts, key=lambda first: abs(_mean(f.shares, first, count) - mean)), count


def _mean(shares: Sequence[float], first: int, count: int) -> float:
    return sum(shares[first : first + count]) / count


def _tried_experiments(diagnosis: Diagnosis) -> dict[str, Settings]:
    """Return, by name, what is trained to try each remedy that changes something, those first that the rules advise."""
    experiment, (first, count) = diagnosis.facts.experiment, _tried_seeds(diagnosis.facts)
    table = REMEDIES_OF[kind_of(experiment).name]
    changed = {name: table[name].change(experiment) for name in dict.fromkeys([*diagnosis.advice, *table])}
    few = {"seed": experiment.seed + first, "runs": count}
    return {name: other.but(**few) for name, other in changed.items() if other != experiment}


def comes_first(diagnosis: Diagnosis) -> str:
    """Say what has to come first where nothing helps alone; empty where that is not known."""
    helpless = diagnosis.rule.helpless
    return "" if helpless == NOTHING_KNOWN else helpless


@dataclass(frozen=True)
class Tried:
    """What was tried on an experiment."""

    attempts: tuple[Attempt, ...]
    first: str = ""  # What `comes_first`, said where nothing helps alone

    @property
    def advice(self) -> tuple[str, ...]:
        """Names of the remedies that clearly helped, best first; of those alike in percent the one that was tried first."""
        helped = sorted(
            (attempt for attempt in self.attempts if attempt.helped), key=lambda attempt: round(attempt.left, 2)
        )
        return tuple(attempt.name for attempt in helped[:MOST_ADVISED])

    @property
    def sentence(self) -> str:
        """How many were tried, and what those did that helped most."""
        if not self.attempts:
            return "Nothing was tried: it would take too long."
        count, first = len(self.attempts), self.attempts[0]
        tried = f"Tried {'one remedy' if count == 1 else f'{count} remedies'} with {_count(first.seeds)}"
        left = {attempt.name: attempt.left for attempt in self.attempts}
        told = ", ".join(f"{left[name]:.0%} with {name}" for name in self.advice)
        if not told:
            return f"{tried}: none clearly helps alone. {self.first}".rstrip()
        return f"{tried}: {first.left_before:.0%} of the mean answer's error was left without them, {told}."


def _count(seeds: int) -> str:
    return "one seed" if seeds == 1 else f"{seeds} seeds each"


def try_remedies(diagnosis: Diagnosis, seconds: float = 10.0) -> Tried:
    """Try remedies on a few seeds of what was diagnosed, in about as many seconds.

    >>> tried = try_remedies(diagnose(train(Experiment(depth=3, epochs=500))))
    >>> tried.advice[0] in REMEDIES
    True
    """
    return Tried(tuple(filter(None, attempts(diagnosis, seconds))), comes_first(diagnosis))
