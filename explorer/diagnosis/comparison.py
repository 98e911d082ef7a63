"""Comparison: what several histories say beside one another, in sentences."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from explorer.choices.cells import CELLS
from explorer.diagnosis.diagnose import Diagnosis, diagnose
from explorer.diagnosis.facts import HEALTHY_DECADES, Facts, gradient_change
from explorer.diagnosis.verdict import judge, learn, not_finite
from explorer.diagnosis.wording import compared_summary, decades, difference, number
from explorer.training.history import History


@dataclass(frozen=True, eq=False)
class Compared:
    """Experiments of one kind that are shown beside one another, as far as they are measured.

    Attributes
    ----------
    experiments : mapping of name to experiment
        In the order in which they are drawn: what is compared with the others comes last.
    diagnoses : sequence of Diagnosis or None
        Theirs; None where nothing is measured yet.
    """

    experiments: Mapping[str, Any]
    diagnoses: Sequence[Diagnosis | None]

    @classmethod
    def of(cls, experiments: Mapping[str, Any], histories: Sequence[History | None]) -> Self:
        """Diagnose each history, once."""
        return cls(experiments, [None if history is None else diagnose(history) for history in histories])

    @property
    def names(self) -> list[str]:
        """The names of all."""
        return list(self.experiments)

    @cached_property
    def measured(self) -> dict[str, Diagnosis]:
        """Those of which something is measured, by name."""
        pairs = zip(self.experiments, self.diagnoses, strict=True)
        return {name: diagnosis for name, diagnosis in pairs if diagnosis is not None}

    @property
    def histories(self) -> dict[str, History]:
        """Their histories by name."""
        return {name: diagnosis.history for name, diagnosis in self.measured.items()}

    @property
    def now(self) -> Diagnosis:
        """Of a present setting and its baseline, the present setting."""
        return list(self.measured.values())[-1]

    @property
    def baseline(self) -> Diagnosis | None:
        """Of a present setting and its baseline, the baseline; None where they are the same."""
        first = next(iter(self.measured.values()))
        return None if first.history.experiment == self.now.history.experiment else first

    @cached_property
    def headline(self) -> str:
        """Of recurrent nets: who learns it, in one sentence."""
        return time_headline(list(self.measured), [each.facts for each in self.measured.values()])

    @cached_property
    def detail(self) -> str:
        """Of recurrent nets: what became of the gradient on its way back."""
        return time_detail(list(self.measured), [each.facts for each in self.measured.values()])

    @property
    def caption(self) -> str:
        """The settings of recurrent nets in one line."""
        return compared_summary(list(self.experiments.values()))


def compare(old: Facts, new: Facts) -> str:
    """Say in one sentence what the change from a baseline did, with its numbers."""
    changes = difference(old.experiment, new.experiment)
    if not changes:
        return "The same settings as the baseline."
    what = changes[0] if len(changes) == 1 else " and ".join([", ".join(changes[:-1]), changes[-1]])
    return f"{what[0].upper()}{what[1:]}: {gradient_change(old, new)}; {_seed_change(old, new)}."


def _seed_change(old: Facts, new: Facts) -> str:
    solve = f"{new.solved} of {new.runs} seeds solve it" if new.runs > 1 else f"{new.solved} of 1 seed solves it"
    return f"{solve}, before {old.solved}{'' if new.runs == old.runs else f' of {old.runs}'}"


# --- recurrent nets side by side ------------------------------------------------------------------


def time_headline(names: Sequence[str], found: Sequence[Facts]) -> str:
    """Say in one sentence how many seeds learn it, by the names of what stands side by side."""
    if not found:
        return "Nothing is measured yet."
    so_far = not all(each.complete for each in found)
    if len(found) == 1:
        (only,) = found
        told = f"{judge(only).name}: {learn(only)}"
    elif all(name in CELLS for name in names):
        first, *others = (f"with the {name}" for name in names)
        more = [f"{_count(each, found[0])} {name}" for name, each in zip(others, found[1:], strict=True)]
        told = ", ".join([f"{learn(found[0])} {first}", *more])
    else:
        more = [f"{name}: {_count(each, found[0])}" for name, each in zip(names[1:], found[1:], strict=True)]
        told = "; ".join([f"{names[0]}: {learn(found[0])}", *more])
    return _sentence(f"so far, {told}" if so_far else told)


def _count(f: Facts, first: Facts) -> str:
    """Say the same of a further one; of how many only where there are not as many as of the first."""
    return f"{f.solved}{'' if f.runs == first.runs else f' of {f.runs}'}{not_finite(f)}"


def time_detail(names: Sequence[str], found: Sequence[Facts]) -> str:
    """Say what became of the gradient on its way back, at the start and now; where it has no way, how large it is."""
    each = [(f"{name}: " if len(found) > 1 else "", f) for name, f in zip(names, found, strict=True)]
    told = _reach([(name, f) for name, f in each if not f.every_position_counts])
    told += _sizes([(name, f) for name, f in each if f.every_position_counts])
    ends = [f"{name[:-2]}, {f.first_end}" if name else f.first_end for name, f in each if f.first_end]
    told += [f"Not finite first: {'; '.join(ends)}."] if ends else []
    return " ".join(told)


def _reach(each: list[tuple[str, Facts]]) -> list[str]:
    """Say what share of the last step's gradient the first step gets: at the start, and now."""
    if not each:
        return []
    lengths, epochs = {f.experiment.length for _, f in each}, {f.epoch for _, f in each}
    last = f"step {lengths.pop()}" if len(lengths) == 1 else "the last step"
    now = f"at epoch {epochs.pop():,}" if len(epochs) == 1 else "at the latest epoch"
    then = f" → {now}" if any(f.epoch for _, f in each) else ""
    shares = "; ".join(f"{name}{_shares(f)}" for name, f in each)
    return [f"RMS dL/dh at step 1 over that at {last}, at the start{then}: {shares}."]


def _shares(f: Facts) -> str:
    return " → ".join(share(log_ratio) for log_ratio in (f.log_ratio, f.log_ratio_end)[: 1 + (f.epoch > 0)])


def _sizes(each: list[tuple[str, Facts]]) -> list[str]:
    """Say how long the first gradient is, and how often clipping made one shorter."""
    if not each:
        return []
    norms = "; ".join(f"{name}{number(f.first_norm)}" for name, f in each)
    told = [f"L2 norm of the first update's gradient, over all parameters, before clipping: {norms}."]
    clipping = [(name, f) for name, f in each if f.experiment.clip != "none" and not math.isnan(f.clipped_share)]
    clipped = "; ".join(f"{name}{f.clipped_share:.0%}" for name, f in clipping)
    return told + ([f"Updates that clipping made smaller: {clipped}."] if clipped else [])


def share(log_ratio: float) -> str:
    """Say a ratio, given as its decimal logarithm: a share in percent, a multiple as a number of times.

    >>> share(-1.585), share(-12.4), share(2.0), share(float("-inf"))
    ('2.6%', '4.0 × 10⁻¹³', '100 times', 'exactly 0')
    """
    if not math.isfinite(log_ratio):
        return decades(log_ratio)
    if log_ratio >= 0:
        return f"{decades(log_ratio)} times"
    return f"{number(100 * 10.0**log_ratio)}%" if log_ratio > -HEALTHY_DECADES else decades(log_ratio)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
