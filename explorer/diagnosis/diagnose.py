"""Diagnosis: all that a history says, read once.

Headline, figure, alternative text, table, tabs and exports receive a `Diagnosis`; none of them computes it again.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

from explorer.diagnosis.decomposition import Why, decompose
from explorer.diagnosis.facts import Facts, facts
from explorer.diagnosis.verdict import MOST, Verdict, advice, judge
from explorer.diagnosis.wording import against_last, decades, number
from explorer.theory.prediction import Prediction, log_factor, predict
from explorer.training.history import History

# Before advice that nobody has tried: `try_remedies` does.
BY_RULE = "By rule of thumb, try:"


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """All that is concluded from a history."""

    history: History
    facts: Facts
    rule: Verdict  # The entry whose rule holds

    @property
    def verdict(self) -> str:
        """The word: a name of `VERDICTS`, or of `TIME_VERDICTS`."""
        return self.rule.name

    @property
    def good(self) -> bool:
        """Whether nothing needs mending."""
        return self.rule.good

    @cached_property
    def sentence(self) -> str:
        """The headline: the word and what it rests on."""
        return f"{self.verdict.capitalize()}: {self.rule.tell(self.facts)}"

    @cached_property
    def advice(self) -> tuple[str, ...]:
        """Names of `REMEDIES` to try, best first; empty where nothing needs mending or nothing is known to help."""
        return advice(self.rule, self.facts)

    @property
    def advice_sentence(self) -> str:
        """The advice in words, called a rule of thumb; where there is none at the end, that nothing is known to help, or is wrong."""
        if self.advice:
            return f"{BY_RULE} {', '.join(self.advice)}."
        if not self.facts.complete:
            return ""
        if not self.good:
            return self.rule.helpless
        # The word "healthy" is about the gradient; most seeds need not have solved it.
        return (
            "Nothing needs mending."
            if self.facts.solved >= MOST * self.facts.runs
            else "Nothing is wrong with the gradient."
        )

    @cached_property
    def theory(self) -> Prediction:
        """What mean-field theory predicts of the experiment."""
        return predict(self.history.experiment)

    @cached_property
    def theory_factor(self) -> float | None:
        """What theory says each layer multiplies RMS dL/dz by, over the same layers as `facts.log_factor`."""
        log10 = log_factor(self.history.experiment) if self.history.kind.predicted else math.nan
        return None if math.isnan(log10) else 10.0**log10

    @cached_property
    def start_sentence(self) -> str:
        """How the gradient stood before any update, and what theory says of it."""
        f, kind = self.facts, self.history.kind
        symbol = kind.measures[kind.main].label
        if f.log_ratio == -math.inf:
            return f"At the start {symbol} at the first {kind.position} is exactly 0."
        if not math.isfinite(f.log_ratio):
            return f"At the start {symbol} is not finite."
        last = "the output layer's" if kind.predicted else f"the last {kind.position}'s"
        told = f"At the start {symbol} at the first {kind.position} is {against_last(f.log_ratio, last)}"
        if math.isnan(f.log_factor):
            return f"{told}."
        theory = "" if self.theory_factor is None else f" (theory: {number(self.theory_factor)})"
        return f"{told}; from each {kind.inner} to the one before, it is multiplied by {decades(f.log_factor)}{theory}."

    def why(self, epoch: float = 0) -> Why:
        """Split the change of RMS dL/dz from layer to layer into its factors, at an epoch."""
        return decompose(self.history, self.history.at(epoch))


def diagnose(history: History) -> Diagnosis:
    """Say what a history says: facts over all seeds, the verdict, its sentence and advice.

    >>> from explorer import Experiment, train
    >>> found = diagnose(train(Experiment(depth=10, epochs=300)))
    >>> found.verdict, found.good, found.advice[0]
    ('vanishing', False, 'skip over one layer')
    """
    known = _FACTS.get(history)
    if known is None:
        known = _FACTS[history] = facts(history)
    return Diagnosis(history, known, judge(known))


# Facts are gathered once a history, and forgotten with it.
_FACTS: WeakKeyDictionary[History, Facts] = WeakKeyDictionary()
