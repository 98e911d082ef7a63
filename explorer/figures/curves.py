"""Curves: medians over seeds along distances, steps or epochs, on an axis of decades, with a mark for whatever has no place on it.

Logarithms arrive with -inf for an exact 0 and +inf for what is not finite.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.diagnosis.seeds import Band
from explorer.figures import theme
from explorer.figures.explore import sized
from explorer.figures.marks import NOT_FINITE_WORDS, ZERO_WORDS, Traces, small
from explorer.figures.theme import Ink
from explorer.figures.triangles import MARGIN, NARROW_SCALE, Span, captioned, decade_ticks, legend_above, power

NOW, START = {"width": 3.5}, {"width": 2.5, "dash": "dot"}
# Letters of a line of the settings, on a wide screen and on a phone, and its height in pixels.
LETTERS, NARROW_LETTERS, LINE = 150, 48, 18
BELOW, ABOVE = "below the scale", "above the scale"


@dataclass(frozen=True)
class DecadePanel:
    """Two axes on which curves of logarithms are drawn.

    Attributes
    ----------
    span : (float, float)
        Of the vertical axis, in decades; it stays fixed.
    across : str
        What a position on the horizontal axis is: "distance", "step", "epoch".
    x, y : str
        Names of the axes.
    low, high : str
        What -inf and +inf are.
    """

    span: Span
    across: str
    x: str = "x"
    y: str = "y"
    low: str = ZERO_WORDS
    high: str = NOT_FINITE_WORDS

    @property
    def ticks(self) -> dict[str, Any]:
        """Range and ticks of the vertical axis."""
        whole = decade_ticks(self.span)
        return {"range": list(self.span), "tickvals": whole, "ticktext": [power(exponent) for exponent in whole]}

    def band(self, places: Array, sides: Band, ink: Ink, name: str) -> go.Scatter:
        """Fill the area between the quartiles, with a gap where both are exactly 0 or both not finite."""
        beyond = self.span[1] - self.span[0]
        low, high = (np.clip(side, self.span[0] - beyond, self.span[1] + beyond) for side in (sides.low, sides.high))
        x, y = [places[:0]], [places[:0]]
        for piece in _stretches((sides.high > -np.inf) & (sides.low < np.inf)):
            x += [places[piece], places[piece][::-1], np.array([np.nan])]
            y += [low[piece], high[piece][::-1], np.array([np.nan])]
        return go.Scatter(
            x=small(np.concatenate(x)),
            y=small(np.concatenate(y)),
            fill="toself",
            fillcolor=ink.band,
            mode="lines",
            line={"width": 0},
            hoverinfo="skip",
            name=name,
            **self._place,
        )

    def line(self, places: Array, logs: Array, name: str, **line: Any) -> Traces:
        """Draw a curve, and marks at the edges for what lies beyond them, is exactly 0 or is not finite."""
        drawn = go.Scatter(
            x=small(places),
            y=small(np.where(np.isfinite(logs), logs, np.nan)),
            mode="lines",
            line=line,
            name=name,
            hovertemplate=f"{self.across} %{{x:,.0f}}<br>{name}: 10^%{{y:.2f}}<extra></extra>",
            **self._place,
        )
        return [drawn, *self.edge_marks(places, logs, name, line["color"])]

    @property
    def _place(self) -> dict[str, Any]:
        return {"xaxis": self.x, "yaxis": self.y, "showlegend": False}

    def edge_marks(self, places: Array, logs: Array, name: str, colour: str) -> Traces:
        """Return marks at the edges for what lies beyond them, and for both infinite ends themselves."""
        low, high = self.span
        margin = 0.02 * (high - low)
        finite = np.isfinite(logs)
        marks = [
            # Where a line leaves the picture one mark is enough; zeros and what is not finite have no line at all.
            (_beginnings(finite & (logs < low)), low + margin, "triangle-down", colour, BELOW),
            (_beginnings(finite & (logs > high)), high - margin, "triangle-up", colour, ABOVE),
            (logs == -np.inf, low + margin, "square", theme.EXACT_ZERO, self.low),
            (logs == np.inf, high - margin, "square", theme.NOT_FINITE, self.high),
        ]
        return [
            go.Scatter(
                x=small(places[mask]),
                y=small(np.full(int(mask.sum()), place)),
                mode="markers",
                marker={"symbol": symbol, "size": 11, "color": ink},
                name=words,
                hovertemplate=f"{self.across} %{{x:,.0f}}<br>{name}: {words}<extra></extra>",
                **self._place | {"showlegend": symbol == "square"},
            )
            for mask, place, symbol, ink, words in marks
            if mask.any()
        ]


def _stretches(mask: NDArray[np.bool_]) -> Iterator[slice]:
    """Yield every stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    yield from (slice(int(first), int(end)) for first, end in edges.reshape(-1, 2))


def _beginnings(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of every stretch of True only its first."""
    return mask & ~np.concatenate([[False], mask[:-1]])


def key(name: str, **line: Any) -> go.Scatter:
    """Return an entry of the legend that stands for a kind of line, or of net, wherever it is drawn."""
    return go.Scatter(x=[None], y=[None], mode="lines", line={"color": theme.CURSOR, "width": 3, **line}, name=name)


def area_key(name: str) -> go.Scatter:
    """Return the entry of the legend for the bands."""
    marker = {"symbol": "square", "size": 14, "color": theme.BASELINE_BAND}
    return go.Scatter(x=[None], y=[None], mode="markers", marker=marker, name=name)


def stacked(traces: Traces) -> Traces:
    """Put bands below lines and marks above both, whichever net they are of; a line's own marks on top."""
    return sorted(traces, key=_level)


def _level(trace: go.Scatter) -> int:
    if trace.mode == "markers":
        return 2 if trace.marker.symbol == "square" else 3
    return 0 if trace.fill == "toself" else 1


def curve_layout(x: dict[str, Any], y: dict[str, Any], caption: str) -> dict[str, Any]:
    """Return the layout of a figure with one panel of curves, and in `meta` that for a narrow screen."""

    def layout(height: int, scale: float) -> dict[str, Any]:
        axes = {"xaxis": sized({"showgrid": False, **x}, scale), "yaxis": sized({"showgrid": True, **y}, scale)}
        inner = height - MARGIN["t"] - MARGIN["b"]
        return with_caption({"height": height, **axes, **legend_above(inner, scale)}, caption, scale)

    return {"template": theme.TEMPLATE, **layout(480, 1.0), "meta": {"narrow": layout(560, NARROW_SCALE)}}


def with_caption(layout: dict[str, Any], caption: str, scale: float) -> dict[str, Any]:
    """Write the settings below everything, in as many lines as they need, which make the figure higher."""
    lines = wrap(caption, LETTERS if scale == 1.0 else NARROW_LETTERS, break_on_hyphens=False)
    more = LINE * max(len(lines) - 1, 0)
    taller = {"height": layout["height"] + more, "margin": MARGIN | {"b": MARGIN["b"] + more}}
    found = captioned(layout | taller, "<br>".join(lines))
    for annotation in found.get("annotations", []):
        annotation["align"] = "left"
    return found
