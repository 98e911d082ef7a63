"""Time curves: medians over seeds along steps, epochs or ranks, and what figures of them have in common.

Logarithms, and what else reaches to infinity, arrive with -inf for what is
exactly at the lower end (a 0) and +inf for what is not finite; both have marks
of their own at the edge of the axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.arrangement import label
from explorer.curves import DecadePanel
from explorer.depth_layout import NARROW_SCALE, Span
from explorer.inks import Ink
from explorer.panels import Shown, Traces, small
from explorer.seeds import Band

Array = NDArray[np.float64]
# The compared experiments that are there, each in its ink.
Drawn = Sequence[tuple[Shown, Ink]]

LETTERS, NARROW_LETTERS = 130, 46  # of a line across the whole figure


@dataclass(frozen=True, eq=False)
class Curve:
    """A quantity over seeds along an axis.

    Attributes
    ----------
    name : str
        In the legend.
    ink : Ink
    across : (points,) array
    sides : Band of (points,) arrays
        As they lie on the axis.
    hover : str
        Plotly's template of what a point says.
    said : (points,) array, optional
        The plain values for `hover`'s %{customdata}.
    dash : str
        "solid", "dash" or "dot"; what is dotted, the start, has no band and is thinner.
    """

    name: str
    ink: Ink
    across: Array
    sides: Band
    hover: str
    said: Array | None = None
    dash: str = "solid"


def curve_traces(curve: Curve, panel: DecadePanel, *, legend: bool = False) -> Traces:
    """Draw the median, the middle half of the seeds as an area, and marks for what has no place on the axis."""
    middle, dotted = curve.sides.middle, curve.dash == "dot"
    line = go.Scatter(
        x=small(curve.across),
        y=small(np.where(np.isfinite(middle), middle, np.nan)),
        xaxis=panel.x,
        yaxis=panel.y,
        mode="lines" if len(middle) > 1 else "markers",
        line={"width": 2.5 if dotted else 3.5, "dash": curve.dash, "color": curve.ink.line},
        marker={"size": 9, "color": curve.ink.line},
        customdata=curve.said,
        hovertemplate=f"{curve.hover}<extra></extra>",
        name=curve.name,
        showlegend=legend,
    )
    area = [] if dotted else [panel.band(curve.across, curve.sides, curve.ink, "middle half of the seeds")]
    return [*area, line, *panel.edge_marks(curve.across, middle, curve.name, curve.ink.line)]


def factor_axis(span: Span) -> dict[str, Any]:
    """Return range and ticks of log10 values not far from 1: 0.1, 0.2, 0.5, 1, 2, ..."""
    factors = [digit * 10.0**power for power in range(-4, 4) for digit in (1, 2, 5)]
    inside = [factor for factor in factors if span[0] <= np.log10(factor) <= span[1]]
    ticks = {"tickvals": [float(np.log10(f)) for f in inside], "ticktext": [f"{f:g}" for f in inside]}
    return {"range": list(span), "showgrid": True, **ticks}


def titled(shown: Shown, ink: Ink) -> str:
    """Return a net's name after a square of its ink: as small text the ink itself would be hard to read."""
    return f'<span style="color:{ink.line}">■</span> <b>{shown.name}</b>'


def folded(text: str, letters: int) -> str:
    """Break a text into lines of at most so many letters; Plotly does not."""
    return "<br>".join(wrap(text, letters))


def foot(words: str, caption: str, narrow: bool) -> tuple[list[dict[str, Any]], int]:
    """Write what the figure means and the settings below everything.

    Returns
    -------
    annotations : list of dict
    height : int
        What they need below the panels, in pixels, the axis' ticks and title included.
    """
    scale, letters = (NARROW_SCALE, NARROW_LETTERS) if narrow else (1.0, LETTERS)
    found, below = [], 56
    for name, text, size in (("words", words, 15), ("settings", caption, 13)):
        if text:
            folds = folded(text, round(letters * 15 / size))
            place = {"yanchor": "top", "yshift": -below, "align": "left", "opacity": 0.85 if name == "settings" else 1}
            found.append(label(folds, 0, 0, size=size * scale) | place | {"name": name})
            below += round((folds.count("<br>") + 1) * size * scale * 1.35) + 6
    return found, below + 6


def head(lines: Sequence[str], rows: int, above: int, narrow: bool) -> tuple[dict[str, Any], int]:
    """Write some lines on top, below them the legend, which ends `above` pixels over the panels.

    Parameters
    ----------
    lines : sequence of str
    rows : int
        Of the legend; on a phone every entry has one.
    above : int
    narrow : bool

    Returns
    -------
    annotation : dict
    height : int
        What all of it needs, in pixels: the upper margin.
    """
    scale = NARROW_SCALE if narrow else 1.0
    size, text = 16 * scale, "<br>".join(lines)
    height = round(8 + (text.count("<br>") + 1) * 1.3 * size + 12 + rows * 23 * scale + above)
    place = {"yanchor": "top", "yshift": height - 6, "align": "left", "name": "lines"}
    return label(text, 0, 1, size=size) | place, height


def told(shown: Shown, ink: Ink, words: str, narrow: bool) -> str:
    """Return a net's line of `head`; on a phone the words stand below the name."""
    if not narrow:
        return f"{titled(shown, ink)}: {words}"
    return f"{titled(shown, ink)}<br>{folded(words, NARROW_LETTERS)}"
