"""Profiles: layer, or time step, against size at one epoch; the joint figure's right-hand panel.

Logarithms arrive with -inf for an exact 0 and +inf for what is not finite.
"""

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer import theme
from explorer.history import History
from explorer.inks import Ink
from explorer.panels import NOT_FINITE_WORDS, ZERO_WORDS, Traces, layer_band, small, undefined
from explorer.seeds import Band
from explorer.view import View
from explorer.wording import decades, number

Array = NDArray[np.float64]

ROOM_FOR_MARKERS = 40  # points of a line
START_WORDS, CHOSEN_WORDS, BAND_WORDS = "at the start", "at the chosen epoch", "middle half of the seeds"


def profile(
    history: History,
    view: View,
    record: int,
    ink: Ink,
    x: str,
    y: str,
    *,
    legend: bool,
    theory: Array | None = None,
    name: str = "",
) -> Traces:
    """Position against size at one record: median, band over seeds, the start dotted, theory dashed.

    A `name` is said on hovering, where several share the panel.
    """
    sides = layer_band(history, view, [0, record])
    start, values = sides.middle
    places = np.arange(1, len(values) + 1)
    where = [f"{name}, {view.position} {place}" if name else f"{view.position} {place}" for place in places]
    panel = {"y": places, "xaxis": x, "yaxis": y, "showlegend": legend}
    traces: Traces = [
        _band_area(sides, places, view, ink, panel),
        go.Scatter(
            x=_drawable(start),
            mode="lines",
            line={"width": 2, "dash": "dot", "color": ink.line},
            hoverinfo="skip",
            name=START_WORDS,
            **panel,
        ),
    ]
    if theory is not None:
        traces.append(
            go.Scatter(
                x=_drawable(theory),
                mode="lines",
                line={"width": 3, "dash": "dash", "color": theme.THEORY},
                hovertext=[f"{at}, theory: {decades(v)}" for at, v in zip(where, theory, strict=True)],
                hoverinfo="text",
                name="theory, at the start",
                **panel,
            )
        )
    said = np.array([f"{at}: {_say(v, view)}" for at, v in zip(where, values, strict=True)], dtype=object)
    traces.append(
        go.Scatter(
            x=_drawable(values),
            mode="lines+markers" if len(values) <= ROOM_FOR_MARKERS else "lines",
            line={"width": 3.5, "color": ink.line},
            marker={"size": 6},
            hovertext=said,
            hoverinfo="text",
            name=CHOSEN_WORDS,
            **panel,
        )
    )
    return traces + _edge_marks(values, ~undefined(history, view), said, view, ink, x, y)


def _say(value: float, view: View) -> str:
    return decades(value) if view.in_decades else number(value)


def _drawable(values: Array) -> NDArray[np.float32]:
    """Zeros and non-finite values leave a gap in a line; they have marks of their own."""
    return small(np.where(np.isfinite(values), values, np.nan))


def _band_area(sides: Band, places: NDArray[np.int64], view: View, ink: Ink, panel: dict[str, Any]) -> go.Scatter:
    """The area between the quartiles of the last record that is given."""
    low, high = view.span
    beyond = high - low
    edges = [np.clip(np.nan_to_num(side[-1], nan=0.0), low - beyond, high + beyond) for side in (sides.low, sides.high)]
    return go.Scatter(
        x=small(np.concatenate([edges[0], edges[1][::-1]])),
        fill="toself",
        fillcolor=ink.band,
        mode="lines",
        line={"width": 0},
        hoverinfo="skip",
        name=BAND_WORDS,
        **panel | {"y": np.concatenate([places, places[::-1]])},
    )


def _edge_marks(
    values: Array, defined: NDArray[np.bool_], said: NDArray[np.object_], view: View, ink: Ink, x: str, y: str
) -> Traces:
    """Marks at the edge of the profile for what has no place on its axis."""
    low, high = view.span
    margin = 0.015 * (high - low)
    marks = [
        (np.isfinite(values) & (values < low), low + margin, "triangle-left", ink.line, "below the scale"),
        (np.isfinite(values) & (values > high), high - margin, "triangle-right", ink.line, "above the scale"),
        (values == -np.inf, low + margin, "square", theme.EXACT_ZERO, ZERO_WORDS),
        ((values == np.inf) & defined, high - margin, "square", theme.NOT_FINITE, NOT_FINITE_WORDS),
    ]
    return [
        go.Scatter(
            x=np.full(int(mask.sum()), place),
            y=np.flatnonzero(mask) + 1,
            xaxis=x,
            yaxis=y,
            mode="markers",
            marker={"symbol": symbol, "size": 11, "color": colour},
            hovertext=said[mask],
            hoverinfo="text",
            name=words,
            showlegend=False,
        )
        for mask, place, symbol, colour, words in marks
        if mask.any() and (view.in_decades or words != ZERO_WORDS)
    ]
