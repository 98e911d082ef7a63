"""Curves over depth: the factor per layer, and in what share of the seeds nets learn.

Logarithms arrive with -inf for an exact 0 and +inf for what is not finite, and
get marks of their own; NaN is what is not there, or not yet, and is left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.diagnosis.seeds import Band
from explorer.diagnosis.wording import decades
from explorer.figures import theme
from explorer.figures.explore import sized
from explorer.figures.marks import NOT_FINITE_WORDS, ZERO_WORDS, Traces, legend_once, small
from explorer.figures.theme import BASELINE_INK, NOW_INK, Ink
from explorer.figures.triangles import (
    MARGIN,
    NARROW_SCALE,
    Span,
    below,
    captioned,
    decade_ticks,
    legend_above,
    power,
    whole_ticks,
)

# The factor's axis, in decades: what an everyday net multiplies a gradient by lies between 0.01 and 10.
FACTOR_SPAN = (-2.0, 1.0)


@dataclass(frozen=True, eq=False)
class Factors:
    """What a layer multiplies dL/dz by on its way back, for nets of many depths; all values are log10.

    Attributes
    ----------
    name : str
    depths : (depths,) int array
    start : Band of (depths,) arrays
        Quartiles over seeds before the first update; NaN where a net is too shallow to have a factor.
    theory : (depths,) array, optional
        Of the start; NaN where theory says nothing.
    trained : (depths,) array, optional
        Median after training; NaN where it has not been trained yet.
    """

    name: str
    depths: NDArray[np.int64]
    start: Band
    theory: Array | None = None
    trained: Array | None = None


@dataclass(frozen=True, eq=False)
class Shares:
    """In what share of the seeds nets of some depths learn.

    Attributes
    ----------
    name : str
    depths : (depths,) int array
        Of those that have been trained.
    share, low, high : (depths,) arrays
        From 0 to 1, with the ends of an interval.
    solved, runs : (depths,) int arrays
        Seeds that learnt, of how many; `runs` may be one number.
    """

    name: str
    depths: NDArray[np.int64]
    share: Array
    low: Array
    high: Array
    solved: NDArray[np.int64]
    runs: NDArray[np.int64] | int


# --- the factor per layer ---------------------------------------------------------------------


def factor_figure(
    curves: Sequence[Factors], deepest: int = 50, span: Span = FACTOR_SPAN, caption: str = ""
) -> go.Figure:
    """Draw by depth what each layer multiplies dL/dz by: measured, with its band over seeds, and as theory says.

    Parameters
    ----------
    curves : sequence of Factors
        One, or two of which the first is what the second is compared with.
    deepest : int
        Where the axis of depth ends.
    span : (float, float)
        Of the factor, in decades; what lies beyond is marked at the edge.
    caption : str
        The settings, below the axes.
    """
    traces: Traces = []
    for curve, ink in zip(curves, _inks(curves), strict=True):
        traces += _band(curve.depths, curve.start, span, ink, "middle half of the seeds, at the start")
        traces += _at_start(curve, ink, span)
        if curve.trained is not None:
            # Depths not trained yet are left out, so that the line goes on; what is 0 or not finite breaks it.
            known = ~np.isnan(curve.trained)
            solid = {"line": {"width": 3.5, "color": ink.line}, "marker": {"size": 8}}
            name = f"{curve.name}: after training"
            traces += _factor_line(name, curve.depths[known], curve.trained[known], span, solid)
    values, texts = _factor_ticks(span)
    y = {"range": list(span), "tickvals": values, "ticktext": texts, "title": "a layer multiplies dL/dz by"}
    level = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    layout = _line_layout(y, deepest, caption)
    layout["shapes"] = [level | {"line": {"color": theme.CURSOR, "width": 2}}]
    return go.Figure(data=legend_once(traces), layout=layout)


def _at_start(curve: Factors, ink: Ink, span: Span) -> Traces:
    """Measured, dotted as on Explore, and theory, dashed."""
    dotted = {"line": {"width": 2.5, "dash": "dot", "color": ink.line}, "marker": {"size": 7, "symbol": "circle-open"}}
    traces = _factor_line(f"{curve.name}: at the start", curve.depths, curve.start.middle, span, dotted)
    if curve.theory is not None:
        words = "theory, at the start"
        dashed = {"line": {"width": 3, "dash": "dash", "color": theme.THEORY}, "mode": "lines", "name": words}
        # Marks are for what was measured.
        traces += _factor_line(f"{curve.name}: {words}", curve.depths, curve.theory, span, dashed)[:1]
    return traces


def _factor_line(name: str, depths: NDArray[np.int64], values: Array, span: Span, style: dict[str, Any]) -> Traces:
    """One line with what it says on hovering, and marks for what has no place on its axis."""
    texts = [f"depth {depth}<br>{name}: × {decades(v)}" for depth, v in zip(depths, values, strict=True)]
    line = go.Scatter(
        x=depths,
        y=small(np.where(np.isfinite(values), values, np.nan)),
        hovertext=texts,
        hoverinfo="text",
        **{"name": name, "mode": "lines+markers", **style},
    )
    return [line, *_edge_marks(depths, values, np.array(texts, dtype=object), span, style["line"]["color"])]


def _edge_marks(depths: NDArray[np.int64], values: Array, said: NDArray[np.object_], span: Span, colour: str) -> Traces:
    """Marks at the edge of the axis for what lies beyond it, is exactly 0 or is not finite."""
    low, high = span
    margin = 0.02 * (high - low)
    marks = [
        (np.isfinite(values) & (values < low), low + margin, "triangle-down", colour, "below the scale"),
        (np.isfinite(values) & (values > high), high - margin, "triangle-up", colour, "above the scale"),
        (values == -np.inf, low + margin, "square", theme.EXACT_ZERO, ZERO_WORDS),
        (values == np.inf, high - margin, "square", theme.NOT_FINITE, NOT_FINITE_WORDS),
    ]
    return [
        go.Scatter(
            x=depths[mask],
            y=small(np.full(int(mask.sum()), place)),
            mode="markers",
            marker={"symbol": symbol, "size": 11, "color": ink},
            hovertext=said[mask],
            hoverinfo="text",
            name=words,
        )
        for mask, place, symbol, ink, words in marks
        if mask.any()
    ]


def _factor_ticks(span: Span) -> tuple[list[float], list[str]]:
    """Plain factors 1, 2, 5 a decade on a short axis, powers of ten on a long one."""
    powers = range(int(np.floor(span[0])), int(np.ceil(span[1])) + 1)
    if span[1] - span[0] > 4:
        whole = decade_ticks(span)
        return [float(exponent) for exponent in whole], [power(exponent) for exponent in whole]
    factors = [digit * 10.0**exponent for exponent in powers for digit in (1, 2, 5)]
    inside = [factor for factor in factors if span[0] - 1e-9 <= np.log10(factor) <= span[1] + 1e-9]
    return [float(np.log10(factor)) for factor in inside], [f"{factor:g}" for factor in inside]


# --- who learns -------------------------------------------------------------------------------


def share_figure(curves: Sequence[Shares], deepest: int = 50, caption: str = "") -> go.Figure:
    """Draw by depth in what share of the seeds nets learn, with an interval.

    Parameters
    ----------
    curves : sequence of Shares
        One, or two of which the first is what the second is compared with.
    deepest : int
        Where the axis of depth ends.
    caption : str
        The settings, below the axes.
    """
    traces: Traces = []
    for curve, ink in zip(curves, _inks(curves), strict=True):
        interval = Band(curve.low, curve.share, curve.high)
        traces += _band(curve.depths, interval, (0.0, 1.0), ink, "95% interval")
        # Where two curves meet, as they do at 0% and 100%, the one below still shows at the other's sides.
        width, symbol = (3.5, "circle") if ink is NOW_INK else (6.5, "square")
        runs = np.broadcast_to(curve.runs, curve.depths.shape)
        numbers = zip(curve.depths, curve.solved, runs, curve.low, curve.high, strict=True)
        traces.append(
            go.Scatter(
                x=curve.depths,
                y=small(curve.share),
                mode="lines+markers",
                line={"width": width, "color": ink.line},
                marker={"size": width + 5, "symbol": symbol},
                hovertext=[
                    f"{curve.name}<br>depth {depth}: {solved} of {seeds} {'seed' if seeds == 1 else 'seeds'} "
                    f"({low:.0%} to {high:.0%})"
                    for depth, solved, seeds, low, high in numbers
                ],
                hoverinfo="text",
                name=curve.name,
            )
        )
    shares = [0, 0.25, 0.5, 0.75, 1]
    y = {"range": [-0.04, 1.04], "tickvals": shares, "ticktext": [f"{share:.0%}" for share in shares]}
    layout = _line_layout(y | {"title": "seeds that learn"}, deepest, caption)
    return go.Figure(data=legend_once(traces), layout=layout)


# --- what they have in common -----------------------------------------------------------------


def _inks(curves: Sequence[object]) -> list[Ink]:
    """As on Explore: what is compared with is grey, the present setting has the colour."""
    if not 1 <= len(curves) <= 2:
        raise ValueError(f"{len(curves)} curves: give one, or two to compare")
    return [BASELINE_INK, NOW_INK][-len(curves) :]


def _band(depths: NDArray[np.int64], sides: Band, span: Span, ink: Ink, name: str) -> Traces:
    """The area between two curves, with a gap where a value is not known."""
    beyond = span[1] - span[0]
    low, high = (np.clip(side, span[0] - beyond, span[1] + beyond) for side in (sides.low, sides.high))
    pieces = list(_unbroken(~(np.isnan(low) | np.isnan(high))))
    if not pieces:
        return []
    across = [np.concatenate([depths[piece], depths[piece][::-1], [np.nan]]) for piece in pieces]
    along = [np.concatenate([low[piece], high[piece][::-1], [np.nan]]) for piece in pieces]
    return [
        go.Scatter(
            x=small(np.concatenate(across)[:-1]),
            y=small(np.concatenate(along)[:-1]),
            fill="toself",
            fillcolor=ink.band,
            mode="lines",
            # A depth alone has no area: its line is the interval.
            line={"width": 2, "color": ink.band},
            hoverinfo="skip",
            name=name,
        )
    ]


def _unbroken(known: NDArray[np.bool_]) -> Iterator[slice]:
    """Yield the stretches without a gap."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]])))
    yield from (slice(int(first), int(end)) for first, end in edges.reshape(-1, 2))


def _line_layout(y: dict[str, Any], deepest: int, caption: str) -> dict[str, Any]:
    """The layout of a figure of lines over depth."""

    def layout(height: int, scale: float) -> dict[str, Any]:
        x = {"range": [0.5, deepest + 0.5], "title": below("hidden layers"), **whole_ticks(deepest)}
        axes = {"xaxis": sized(x, scale), "yaxis": sized({"showgrid": True, **y}, scale)}
        inner = height - MARGIN["t"] - MARGIN["b"]
        return captioned({"height": height, **axes, **legend_above(inner, scale), "margin": MARGIN}, caption)

    return {"template": theme.TEMPLATE, **layout(480, 1.0), "meta": {"narrow": layout(520, NARROW_SCALE)}}
