"""Marks: heatmap, line, band, marks at the edge, entries of the legend, and how they become a figure.

Every function returns traces; the figure decides where its axes lie. Logarithms arrive with -inf for an exact 0 and
+inf for what is not finite; both are drawn as marks of their own, never as a colour of the scale or a place on it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.diagnosis.seeds import Band
from explorer.figures import plain, theme
from explorer.figures.axes import Limits
from explorer.figures.plain import Figure, Trace
from explorer.figures.theme import LineStyle

Traces = list[Trace]
Mask = NDArray[np.bool_]

ZERO_WORDS, NOT_FINITE_WORDS = "exactly 0", "not finite: infinite or NaN"
BELOW, ABOVE = "below the scale", "above the scale"
START_WORDS, CHOSEN_WORDS, BAND_WORDS = "at the start", "at the chosen epoch", "middle half of the seeds"
THEORY_WORDS = "theory, at the start"

# How medians are drawn that were measured now and at the start.
SOLID, DOTTED = {"width": 3.5}, {"width": 2.5, "dash": "dot"}
# So many rows of a heatmap leave room for a wide gap between them, and so many for a narrow one.
ROOM_FOR_WIDE_GAPS, ROOM_FOR_GAPS = 20, 60
ROOM_FOR_MARKERS = 40  # points of a line


def compose(traces: Traces, layout: Callable[[bool], dict[str, Any]], **meta: Any) -> Figure:
    """Make a figure of traces and of its layout, `layout(narrow)`.

    `layout.meta` holds the layout for a narrow screen, and for some figures as `room` that for a lecture room and for slides,
    with text of 24 pixels on a screen of 1920; whoever shows the figure there merges it.
    """
    whole = {"template": theme.TEMPLATE, **layout(False), "meta": {"narrow": layout(True), **meta}}
    return plain.figure(legend_once(traces), whole)


def float32(values: Array) -> NDArray[np.float32]:
    """Return single precision: it travels as binary, and has enough digits for a screen."""
    return np.asarray(values, dtype=np.float32)


def drawable(values: Array) -> NDArray[np.float32]:
    """Return what a line shows: zeros and non-finite values leave a gap."""
    return float32(np.where(np.isfinite(values), values, np.nan))


def factors(logs: Array) -> Array:
    """Return the numbers whose logarithms are given, for a hover text; NaN where there is none."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(np.isfinite(logs), 10.0**logs, np.nan)


# --- replay ---------------------------------------------------------------------------------

# Replay: how a figure tells the browser what moves when training is replayed, so that no frame needs the server.
#
# Everything that moves is in the picture already: the maps hold every layer at every epoch. A trace that takes part has in
# its `meta` the number of its net and its role, and the live chart moves it by the column of its net's map:
#
# - MAP, ZERO, LOST: the map, and the cells over it that are exactly 0 and that are not finite;
# - PROFILE: a line that has one column of the map as x;
# - BARS: bars with a column as height and colour; ZERO_MARKS, LOST_MARKS: marks where a column has such cells. They stand
#   `shift` beside their layer, and the bars on `base`;
# - STILL: what is known at the chosen epoch alone, and disappears while a replay is under way.
#
# In texts with the name EPOCH_TEXT the words "epoch 1,000" follow; lines in the layout's shapes do too.

MAP, ZERO, LOST = "map", "zero", "lost"
PROFILE, BARS, ZERO_MARKS, LOST_MARKS = "profile", "bars", "zero marks", "lost marks"
STILL = "still"
EPOCH_TEXT = "epoch"


def moved(trace: Trace, role: str, net: int = 0, **more: Any) -> Trace:
    """Give a trace its role in a replay."""
    return trace | {"meta": {"role": role, "net": net, **more}}


def still(kind: str, **look: Any) -> Trace:
    """Return a trace that disappears while a replay is under way."""
    return moved(plain.trace(kind, **look), STILL)


# --- legend -----------------------------------------------------------------------------------


def legend_once(traces: Traces) -> Traces:
    """Keep one legend entry for every name."""
    seen: set[str] = set()
    for trace in traces:
        name = trace.get("name")
        if name in seen:
            trace["showlegend"] = False
        elif name and trace.get("showlegend") is not False:
            seen.add(name)
    return traces


def legend_line(name: str, **line: Any) -> Trace:
    """Return an entry of the legend that stands for a kind of line, or for a net, wherever it is drawn."""
    return plain.trace(
        "scatter", x=[None], y=[None], mode="lines", line={"color": theme.CURSOR, "width": 3, **line}, name=name
    )


def legend_mark(name: str, colour: str, **marker: Any) -> Trace:
    """Return an entry of the legend that stands for a kind of mark; a square unless said otherwise."""
    look = {"symbol": "square", "size": 14, "color": colour, **marker}
    return plain.trace("scatter", x=[None], y=[None], mode="markers", name=name, marker=look)


def legend_band() -> Trace:
    """Return the entry of the legend for the bands."""
    return legend_mark(BAND_WORDS, theme.BASELINE_BAND)


def legend_medians(now: str, start: str) -> Traces:
    """Return the entries of the legend for a full and a dotted median and for the bands."""
    return [legend_line(now, **SOLID), legend_line(start, **DOTTED), legend_band()]


def legend_times() -> Traces:
    """Return the entries of the legend for lines of two times."""
    return [legend_line(CHOSEN_WORDS, dash="solid"), legend_line(START_WORDS, dash="dot")]


def stacked(traces: Traces) -> Traces:
    """Put bands below lines and marks above both, whichever net they are of; a line's own marks on top."""

    def level(trace: Trace) -> int:
        if trace["mode"] == "markers":
            return 2 if trace["marker"].get("symbol") == "square" else 3
        return 0 if trace.get("fill") == "toself" else 1

    return sorted(traces, key=level)


# --- heatmap ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class FlatMark:
    """Cells of a heatmap that have no colour of its scale: the value that they have, its name and their colour."""

    value: float
    words: str
    colour: str


FLAT_MARKS = (FlatMark(-np.inf, ZERO_WORDS, theme.EXACT_ZERO), FlatMark(np.inf, NOT_FINITE_WORDS, theme.NOT_FINITE))


def flat_colour(mask: Mask, colour: str) -> dict[str, Any]:
    """Return the look of cells in one colour."""
    return {"z": float32(np.where(mask, 1.0, np.nan)), "colorscale": [[0, colour], [1, colour]]}


def bars(mask: Mask, colour: str) -> dict[str, Any]:
    """Return the look of cells as separate bars: some colour-blind viewers cannot tell their colour from the scale's."""
    if len(mask) <= ROOM_FOR_GAPS:
        return flat_colour(mask, colour) | {"ygap": 3 if len(mask) <= ROOM_FOR_WIDE_GAPS else 1}
    # Rows hardly higher than a gap: every other bar, of some rows, is pale instead.
    pale = np.arange(len(mask))[:, None] // max(len(mask) // 40, 1) % 2
    scale = [[0, colour], [1, theme.see_through(colour, 0.5)]]
    return {"z": float32(np.where(mask, pale, np.nan)), "zmin": 0, "zmax": 1, "colorscale": scale}


def heatmap(
    values: Array,
    look: dict[str, Any],
    hover: Callable[[str], dict[str, Any]],
    marks: Sequence[FlatMark] = FLAT_MARKS,
    flat: Callable[[Mask, str], dict[str, Any]] = bars,
    **place: Any,
) -> Traces:
    """Draw numbers as colours, and over them flat marks for zeros and for what is not finite.

    `look` is of the colours: name, scale and range; `flat(mask, colour)` is that of marked cells. `hover` says what a
    cell tells, given the words of its flat mark, or "" for a size; `place` is common to all.
    """
    traces: Traces = [plain.trace("heatmap", z=drawable(values), **look, **hover(""), **place)]
    for mark in marks:
        mask = values == mark.value
        if mask.any():
            cells = {"showscale": False, **flat(mask, mark.colour), **hover(mark.words), **place}
            traces += [plain.trace("heatmap", **cells), legend_mark(mark.words, mark.colour)]
    return traces


def colour_bar(span: Limits, scale: object, x: str, y: str) -> Traces:
    """Draw the colour bar, on an axis of its values."""
    values = float32(np.linspace(*span, 257))
    look = {"zmin": span[0], "zmax": span[1], "colorscale": scale, "showscale": False, "hoverinfo": "skip"}
    return [plain.trace("heatmap", x=values, y=[0], z=values[None, :], xaxis=x, yaxis=y, **look)]


def points(place: dict[str, Any], texts: Sequence[str] | None, **look: Any) -> Trace:
    """Draw points of which each has a hover text of its own, or none."""
    return plain.trace("scatter", **place, hovertext=texts, hoverinfo="skip" if texts is None else "text", **look)


# --- bands, lines and marks at the edge -------------------------------------------------------


def stretches(mask: Mask) -> Iterator[slice]:
    """Yield every stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    yield from (slice(int(first), int(end)) for first, end in edges.reshape(-1, 2))


def first_of_stretch(mask: Mask) -> Mask:
    """Return only the first element of every stretch of True."""
    return mask & ~np.concatenate([[False], mask[:-1]])


@dataclass(frozen=True)
class Curve:
    """What a curve is of, and how it is drawn."""

    name: str
    style: LineStyle


@dataclass(frozen=True)
class Panel:
    """Two axes, of places and of values, on which curves are drawn."""

    span: Limits  # Of the axis of values; it stays fixed
    across: str = ""  # What a place is: "distance", "step", "epoch"
    # Names of the axes
    x: str = "x"
    y: str = "y"
    # What -inf and +inf are
    low: FlatMark = FLAT_MARKS[0]
    high: FlatMark = FLAT_MARKS[1]
    sideways: bool = False  # Whether values run to the right and places upwards
    # Whether the axis itself is logarithmic, so that values, which are logarithms, are drawn as powers of ten
    powers: bool = False
    # A mark at the edge: its size in pixels, and its distance from the edge as a share of the span
    size: float = 11
    margin: float = 0.02

    def placed(self, places: Any, values: Any) -> dict[str, Any]:
        """Return places and values on their axes."""
        x, y = (values, places) if self.sideways else (places, values)
        return {"x": x, "y": y, "xaxis": self.x, "yaxis": self.y}

    def band(self, places: NDArray[Any], sides: Band, known: Mask, colour: str, **look: Any) -> Trace:
        """Fill the area between the quartiles, with a gap where it is not known."""
        beyond = self.span[1] - self.span[0]
        low, high = (np.clip(side, self.span[0] - beyond, self.span[1] + beyond) for side in (sides.low, sides.high))
        across, along = [places[:0]], [low[:0]]
        for piece in stretches(known):
            gap = [np.array([np.nan])] if len(across) > 1 else []
            across += [*gap, places[piece], places[piece][::-1]]
            along += [*gap, low[piece], high[piece][::-1]]
        return plain.trace(
            "scatter",
            **self.placed(float32(np.concatenate(across)), float32(np.concatenate(along))),
            fill="toself",
            fillcolor=colour,
            mode="lines",
            hoverinfo="skip",
            **{"line": {"width": 0}, "name": BAND_WORDS, **look},
        )

    def filled(self, places: Array, sides: Band, style: LineStyle, name: str = BAND_WORDS) -> Trace:
        """Fill the area between the quartiles, with a gap where both are exactly 0 or both not finite."""
        known = (sides.high > -np.inf) & (sides.low < np.inf)
        return self.band(places, sides, known, style.band, name=name, showlegend=False)

    def line(self, places: Array, logs: Array, name: str, **line: Any) -> Traces:
        """Draw a median of logarithms, and marks at the edges for what has no place between them."""
        hover = f"{self.across} %{{x:,.0f}}<br>{name}: %{{customdata:.3~g}}<extra></extra>"
        drawn = self.placed(float32(places), drawable(logs)) | {"customdata": factors(logs)}
        curve = plain.trace(
            "scatter", **drawn, mode="lines", line=line, name=name, hovertemplate=hover, showlegend=False
        )
        return [curve, *self.ends(places, logs, name, line["color"])]

    def curve(
        self, curve: Curve, places: Array, sides: Band, hover: str, said: Array | None = None, dash: str = "solid"
    ) -> Traces:
        """Draw the median over seeds, their middle half as an area, and marks for what has no place on the axis.

        `hover` is Plotly's template of what a point says, `said` the plain values for its %{customdata}. What is
        dotted, the start, has no band and is thinner.
        """
        area = [] if dash == "dot" else [self.filled(places, sides, curve.style)]
        line = self.median(curve, places, sides.middle, hover, said, dash)
        return [*area, line, *self.ends(places, sides.middle, curve.name, curve.style.colour)]

    def median(
        self,
        curve: Curve,
        places: Array,
        values: Array,
        hover: str,
        said: Array | None = None,
        dash: str = "solid",
        **look: Any,
    ) -> Trace:
        """Draw the line of `curve` alone."""
        return plain.trace(
            "scatter",
            **self.placed(float32(places), drawable(values)),
            mode="lines" if len(values) > 1 else "markers",
            line={**(DOTTED if dash == "dot" else SOLID), "dash": dash, "color": curve.style.colour},
            marker={"size": 9, "color": curve.style.colour},
            customdata=said,
            hovertemplate=f"{hover}<extra></extra>",
            name=curve.name,
            **{"showlegend": False, **look},
        )

    def ends(self, places: Array, values: Array, name: str, colour: str) -> Traces:
        """Mark at the edges where a line leaves the panel, once each time, and every zero and non-finite value."""
        hover = f"{self.across} %{{x:,.0f}}<br>{name}: {{words}}<extra></extra>"
        return self.edge_marks(float32(places), values, colour, hover, legend=None, once=True)

    def edge_marks(
        self,
        places: NDArray[Any],
        values: Array,
        colour: str,
        hover: str | Sequence[str],
        *,
        legend: bool | None = True,
        once: bool = False,
    ) -> Traces:
        """Mark at the edges what lies beyond them, in a colour, and zeros and non-finite values.

        `hover` is Plotly's template, with {words}, or one text for each point. Where `legend` is None, the legend
        names only zeros and non-finite values; `once` leaves one mark for neighbours beyond the same edge.
        """
        low, high = self.span
        finite, arrows = np.isfinite(values), ("left", "right") if self.sideways else ("down", "up")
        lower, upper = low + self.margin * (high - low), high - self.margin * (high - low)
        first = first_of_stretch if once else np.asarray
        kinds = [
            (first(finite & (values < low)), lower, f"triangle-{arrows[0]}", FlatMark(low, BELOW, colour)),
            (first(finite & (values > high)), upper, f"triangle-{arrows[1]}", FlatMark(high, ABOVE, colour)),
            (values == -np.inf, lower, "square", self.low),
            (values == np.inf, upper, "square", self.high),
        ]
        return [
            plain.trace(
                "scatter",
                **self.placed(places[mask], np.full(int(mask.sum()), 10.0**place if self.powers else place)),
                mode="markers",
                marker={"symbol": symbol, "size": self.size, "color": mark.colour},
                name=mark.words,
                showlegend=symbol == "square" if legend is None else legend,
                **_said(hover, mask, mark.words),
            )
            for mask, place, symbol, mark in kinds
            if mask.any()
        ]


def _said(hover: str | Sequence[str], mask: Mask, words: str) -> dict[str, Any]:
    if isinstance(hover, str):
        return {"hovertemplate": hover.replace("{words}", words)}
    return {"hovertext": [text for text, marked in zip(hover, mask, strict=True) if marked], "hoverinfo": "text"}
