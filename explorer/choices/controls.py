"""How a setting is declared: default, range, step, words and link key in one place.

A control is written once, beside the field of `Experiment` that it sets. The
widget, the check of a value, the key in the link and the text of the error
message all follow from it.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from types import MappingProxyType
from typing import Any

from explorer.choices.registry import Entry

# The parts of the sidebar in which the settings of an experiment stand.
TASK, NETWORK, REMEDY, TRAINING = "Task", "Network", "Cures", "Training"


@dataclass(frozen=True, kw_only=True)
class Control:
    """A setting that a person can choose."""

    label: str  # The words beside the widget
    group: str  # The part of the sidebar in which it stands
    help: str  # What the setting does, in plain words
    default: Any  # Its value when nobody chose
    row: int = 0  # The row of that part, from 1; settings of one row stand beside each other
    # Whether runs that share arrays may differ in it: it changes no shape and no order of operations.
    per_run: bool = False
    matters_at_start: bool = True  # Whether the network or its gradient before the first update depends on it
    chooses_seeds: bool = False  # Whether it only says which random numbers are drawn: results are averaged over it
    # A value at which training takes a bearable time; None where the setting hardly changes the cost.
    moderate: Any = None
    phrase: str = ""  # How a value is told, `{}` standing for it; empty: after the label
    phrases: Mapping[str, str] = field(default_factory=dict)  # Of values that are told in other words
    # `caption(experiment)`: its words below a picture, in which settings follow each other in their order. Words that
    # begin with a space or a comma go on with those before. None: as `tell` says it, but only where it is not `unsaid`.
    caption: Callable[[Any], str] | None = None
    unsaid: Any = None  # The value that means that nothing is done; None: the default
    only_with_effect: bool = False  # Whether it is on screen only while the other settings give it an effect

    def tell(self, value: Any) -> str:
        """Describe a value: `learning rate 0.1`, `no skip`, `skip over one layer`."""
        if str(value) in self.phrases:
            return self.phrases[str(value)]
        text = f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
        return (self.phrase or f"{self.label[0].lower()}{self.label[1:]} {{}}").format(text)

    def cheaper(self, value: Any) -> Iterable[Any]:
        """Return the values on offer that make training cheaper than `value` does, the smallest change first."""
        return ()

    def check(self, name: str, value: Any) -> Any:
        """Return `value` in its canonical form, or raise ValueError naming what is allowed."""
        raise NotImplementedError

    def parse(self, name: str, text: str) -> Any:
        """Read the text of a link; raise ValueError as `check` does."""
        return self.check(name, text)

    def parse_all(self, name: str, texts: Sequence[str]) -> Any:
        """Read what a link says under one name, perhaps several times; raise ValueError as `check` does."""
        return [self.parse(name, text) for text in texts][-1]


@dataclass(frozen=True, kw_only=True)
class Choice(Control):
    """One of several names, usually the keys of a registry; upper and lower case are alike."""

    options: Sequence[str] | Mapping[str, Any]
    # `fits(experiment, option)`: whether an option can be chosen as the other settings of an experiment stand.
    fits: Callable[[Any, str], bool] = lambda experiment, option: True
    # What an option is, in one sentence, where options are not entries of a registry
    explanations: Mapping[str, str] = field(default_factory=dict)

    def entry(self, name: str) -> Entry | None:
        """Return the entry of the registry that an option stands for, if there is one."""
        found = self.options.get(name) if isinstance(self.options, Mapping) else None
        return found if isinstance(found, Entry) else None

    def explain(self, name: str) -> str:
        """Say what an option is; empty where its name says it."""
        entry = self.entry(name)
        return entry.caption if entry else self.explanations.get(name, "")

    def cheaper(self, value: Any) -> Iterable[str]:
        """Return the options behind `value`, and at last the moderate one; none where the cost does not depend on it."""
        if self.moderate is None or value == self.moderate:
            return ()
        names = list(self.options)
        return [*names[names.index(value) + 1 :], self.moderate]

    def check(self, name: str, value: Any) -> str:
        """Return the option that `value` names."""
        wanted = str(value).casefold()
        for option in self.options:
            if option.casefold() == wanted:
                return option
        raise ValueError(f"{name} = {value!r} is not known; choose one of: {', '.join(self.options)}")


@dataclass(frozen=True, kw_only=True)
class Number(Control):
    """A number between two bounds, both allowed."""

    # The range that `check` accepts.
    low: float
    high: float
    marks: tuple[float, ...] = ()  # The values that the widget offers; empty means every step from low to high
    step: float = 1  # Of the slider, where there are no marks
    whole: bool = False  # Whether only whole numbers make sense

    @property
    def offered(self) -> Sequence[float]:
        """The values to choose from: the marks, else every whole number from low to high."""
        return self.marks or range(int(self.low), int(self.high) + 1)

    def cheaper(self, value: Any) -> Iterable[float]:
        """Return the smaller values on offer, the largest first; none where the cost does not depend on them."""
        return () if self.moderate is None else (mark for mark in reversed(self.offered) if mark < value)

    def check(self, name: str, value: Any) -> float | int:
        """Return `value` as a number in range."""
        kind = "a whole number" if self.whole else "a number"
        refusal = ValueError(f"{name} = {value!r}: {name} must be {kind} from {self.low:g} to {self.high:g}")
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            raise refusal from None
        # NaN lies between no bounds.
        if isinstance(value, bool) or not self.low <= number <= self.high or (self.whole and number % 1):
            raise refusal
        return int(number) if self.whole else number


@dataclass(frozen=True, kw_only=True)
class Several(Control):
    """Any number of several names, none included; kept in the order of `options`."""

    options: Sequence[str] | Mapping[str, Any]

    def check(self, name: str, value: Any) -> tuple[str, ...]:
        """Return the options that `value`, a sequence of names, holds."""
        one = Choice(label=self.label, group=self.group, help=self.help, default="", options=self.options)
        wanted = {one.check(name, option) for option in value}
        return tuple(option for option in self.options if option in wanted)

    def parse(self, name: str, text: str) -> tuple[str, ...]:
        """Read one of the texts of a link; an empty one is none."""
        return self.parse_all(name, [text])

    def parse_all(self, name: str, texts: Sequence[str]) -> tuple[str, ...]:
        """Read the texts of a link, which names each option on its own; an empty one is none."""
        return self.check(name, [text for text in texts if text])


@dataclass(frozen=True, kw_only=True)
class Span(Control):
    """Two of several numbers: the ends of a range, the lower one first."""

    marks: tuple[float, ...]

    def check(self, name: str, value: Any) -> tuple[float, float]:
        """Return both ends, in order."""
        ends = sorted(self._mark(name, end) for end in value)
        if len(ends) != 2:
            raise ValueError(f"{name} has {len(ends)} values; it takes two, the ends of a range")
        return ends[0], ends[1]

    def parse(self, name: str, text: str) -> float:
        """Read one of the two texts of a link."""
        return self._mark(name, text)

    def parse_all(self, name: str, texts: Sequence[str]) -> tuple[float, float]:
        """Read the two texts of a link."""
        return self.check(name, texts)

    def _mark(self, name: str, value: Any) -> float:
        for mark in self.marks:
            if str(value) == str(mark):
                return mark
        raise ValueError(f"{name} = {value!r} is not on offer; choose two of: {', '.join(map(str, self.marks))}")


@dataclass(frozen=True, kw_only=True)
class Text(Control):
    """A text that something reads, which no widget offers and a link holds."""

    read: Callable[[str], Any]  # Raises ValueError naming what is wrong and what is allowed
    longest: int = 2000  # letters

    def check(self, name: str, value: Any) -> str:
        """Return the text that can be read."""
        text = str(value)
        if len(text) > self.longest:
            raise ValueError(f"{name} has {len(text):,} letters; it has at most {self.longest:,}")
        try:
            self.read(text)
        except ValueError as error:
            raise ValueError(f"{name} cannot be used: {error}") from None
        return text


def told_elsewhere(experiment: Any) -> str:
    """Leave a setting to the caption of another one."""
    return ""


def setting(control: Control) -> Any:
    """Make a dataclass field of a control: its default, with the control as metadata."""
    return field(default=control.default, metadata={"control": control})


def choice(group: str, label: str, help: str, options: Sequence[str] | Mapping[str, Any], **more: Any) -> Any:
    """Make a dataclass field that holds one of several names."""
    return setting(Choice(group=group, label=label, help=help, options=options, **more))


def numeric(group: str, label: str, help: str, **more: Any) -> Any:
    """Make a dataclass field that holds a number; a whole one if its default is."""
    return setting(Number(group=group, label=label, help=help, whole=isinstance(more["default"], int), **more))


@cache
def controls_of(settings: type) -> Mapping[str, Control]:
    """Return the controls of a dataclass whose fields were made by `setting`, by field name, read-only."""
    declared = {one.name: one.metadata["control"] for one in fields(settings) if "control" in one.metadata}
    return MappingProxyType(declared)


def one_two_five(low: float, high: float) -> tuple[float, ...]:
    """Return the 1-2-5 series from `low` to `high`, both included: .1, .2, .5, 1, 2, ..."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    marks = (float(f"{digit}e{power}") for power in range(first, last + 1) for digit in (1, 2, 5))
    return tuple(mark for mark in marks if low <= mark <= high)
