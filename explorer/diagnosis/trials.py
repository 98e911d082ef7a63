"""Trials: an experiment with each remedy alone and with several combined, judged against it as it is, and ranked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from explorer.choices.experiment import Experiment
from explorer.diagnosis.diagnose import diagnose
from explorer.diagnosis.effects import Effect, combined, effect, rank, remedies_headline
from explorer.diagnosis.facts import Facts
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.wording import decades, number
from explorer.training.history import History

NOTHING_CHANGED = "nothing changed"


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

    @cached_property
    def order(self) -> list[int]:
        """The ranking, as indices."""
        return rank(self.facts)

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
