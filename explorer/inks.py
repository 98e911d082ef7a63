"""Inks: how each of several compared experiments is drawn, here and on every figure that shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from explorer import theme


@dataclass(frozen=True)
class Ink:
    """How one of several compared experiments is drawn.

    Attributes
    ----------
    line, band, faint : str
        Colours of its median, of the area over seeds, and of each seed's own line.
    dash : str
        Of lines that may lie upon those of others.
    """

    line: str
    band: str
    faint: str
    dash: str = "solid"


NOW_INK = Ink(theme.NOW, theme.NOW_BAND, theme.NOW_FAINT)
BASELINE_INK = Ink(theme.BASELINE, theme.BASELINE_BAND, theme.BASELINE_BAND)


def inks(names: Sequence[str]) -> dict[str, Ink]:
    """Give each of the compared its ink, by its place; a present setting and its baseline keep the inks of Explore.

    Parameters
    ----------
    names : sequence of str
        Of all that are compared, whether they have been measured yet or not; six at the most.

    Examples
    --------
    >>> inks(["baseline", "now"])["now"] is NOW_INK
    True
    """
    if set(names) <= {"baseline", "now"}:
        return {name: NOW_INK if name == "now" else BASELINE_INK for name in names}
    if len(names) > len(theme.COMPARED):
        raise ValueError(f"{len(names)} names: there are inks for {len(theme.COMPARED)}")
    return {
        name: Ink(colour, theme.see_through(colour, 0.2), theme.see_through(colour, 0.45), dash)
        for name, colour, dash in zip(names, theme.COMPARED, theme.DASHES, strict=False)
    }
