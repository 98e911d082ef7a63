"""Wording: numbers and settings in words, short, in plain text that every screen can show."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

from explorer.choices.settings import Settings

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(exponent: float) -> str:
    """Write 10 to a whole exponent: `power_of_ten(-3)` is 10⁻³."""
    return f"10{str(round(exponent)).translate(SUPERSCRIPTS)}"


def begun(words: str) -> str:
    """Begin a sentence with words; a symbol keeps its small letter.

    >>> begun("the gradient vanishes"), begun("dL/dz vanishes")
    ('The gradient vanishes', 'dL/dz vanishes')
    """
    return words if words.startswith("dL/") else words[:1].upper() + words[1:]


def sentence(words: str) -> str:
    """Make a sentence of words."""
    return f"{begun(words)}."


def number(value: float, digits: int = 2) -> str:
    """Write a number to a few digits, large and small ones with a power of ten; name exact zeros and non-finite numbers.

    >>> number(0.2), number(2.68e-08), number(0.0), number(float("nan"))
    ('0.20', '2.7 × 10⁻⁸', 'exactly 0', 'not finite')
    >>> number(0.0996), number(9.96), number(9996.0)  # rounding comes first
    ('0.10', '10', '1.0 × 10⁴')
    """
    if value == 0:
        return "exactly 0"
    if not math.isfinite(value):
        return "not finite"
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    exponent = int(power)
    if -3 <= exponent <= 3:
        return f"{value:,.{max(digits - 1 - exponent, 0)}f}"
    return f"{mantissa} × {power_of_ten(exponent)}"


def decades(log10: float) -> str:
    """Write the number whose decimal logarithm is given, however small or large it is.

    >>> decades(-1000.3), decades(float("-inf"))
    ('5.0 × 10⁻¹⁰⁰¹', 'exactly 0')
    """
    if log10 == -math.inf:
        return "exactly 0"
    if not math.isfinite(log10):
        return "not finite"
    if abs(log10) < 300:
        return number(10.0**log10)
    exponent = math.floor(log10)
    mantissa, _, carried = f"{10 ** (log10 - exponent):.1e}".partition("e")
    return f"{mantissa} × {power_of_ten(exponent + int(carried))}"


def against_last(log_ratio: float, last: str = "the last's") -> str:
    """Write a layer's share of the last layer's gradient, given its decimal logarithm.

    >>> against_last(-7.6), against_last(2.0)
    ("2.5 × 10⁻⁸ of the last's", "100 times the last's")
    """
    if not math.isfinite(log_ratio):
        return decades(log_ratio)
    return f"{decades(log_ratio)} {'times' if log_ratio >= 0 else 'of'} {last}"


def seeds_text(count: int, runs: int) -> str:
    """Say how many of the seeds; of a single one, that it is this one.

    >>> seeds_text(3, 8), seeds_text(1, 1)
    ('3 of 8 seeds', 'this seed')
    """
    return f"{count} of {runs} seeds" if runs > 1 else "this seed"


def summary(experiment: Settings, *, depth: str | None = None) -> str:
    """Describe an experiment in one line: what a picture must carry to explain itself.

    `depth` replaces the number of hidden layers where a picture shows many depths.
    """
    return compared_summary([experiment], depth=depth)


def compared_summary(experiments: Sequence[Settings], *, depth: str | None = None) -> str:
    """Describe experiments that are compared in one line; where they differ, name each phrase once: `a / b`."""
    of_each = [_caption_parts(experiment, depth) for experiment in experiments]
    told = []
    for name, control in experiments[0].controls().items():
        phrases = list(dict.fromkeys(parts[name] for parts in of_each if name in parts))
        # What is not done is mentioned only if another of them does it.
        nothing = control.default if control.unsaid is None else control.unsaid
        if control.caption is None and phrases == [control.tell(nothing)]:
            continue
        if len(phrases) > MOST_SAID:
            told.append(f"{len(phrases)} kinds of {control.label[0].lower()}{control.label[1:]}")
        elif phrases:
            told.append(" / ".join(phrases))
    return " · ".join(told)


# If there are more, the names beside the pictures tell them.
MOST_SAID = 3


@lru_cache(maxsize=1024)
def _caption_parts(experiment: Settings, depth: str | None) -> Mapping[str, str]:
    """Return the parts of a caption, each by the setting that it begins with."""
    idle, latest = experiment.without_effect(), ""
    parts: dict[str, str] = {}
    for name, control in experiment.controls().items():
        if name in idle:
            continue
        words = control.tell(getattr(experiment, name)) if control.caption is None else control.caption(experiment)
        if words.startswith((" ", ",")):
            parts[latest] += words
        elif words:
            latest = name
            parts[name] = depth if depth and name == "depth" else words
    return parts


def difference(before: Settings, after: Settings) -> list[str]:
    """Describe what changed from one experiment to another of its kind, one phrase per setting."""
    old, new, idle = before.settings(), after.settings(), after.without_effect()
    changed = [name for name in new if new[name] != old[name] and name not in idle]
    return [after.controls()[name].tell(new[name]) for name in changed]


def as_before(now: int, old: int, of: str = "", single: bool = False) -> str:
    """Say of how many seeds something was true before a change, behind of how many it is; `of` how many, if of others.

    >>> as_before(8, 0), as_before(0, 1, single=True)
    ('where none did before', 'where it did before')
    """
    if now == old and not of:
        return "as before"
    if single:
        return f"where it did {'' if old else 'not '}before"
    return f"where {old or 'none'}{of} did before"
