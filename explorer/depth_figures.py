"""Figures of depth: the gradient of every layer of every depth, the factor per layer, and who still learns.

Depth is the axis of all three. Logarithms arrive with -inf for an exact 0 and
+inf for what is not finite, and get marks of their own; NaN is what is not
there, or not yet, and is left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer import theme
from explorer.arrangement import label, sized
from explorer.panels import BASELINE_INK, NOW_INK, Ink, Traces, legend_once, small
from explorer.seeds import Band
from explorer.wording import decades, power_of_ten

Array = NDArray[np.float64]
Span = tuple[float, float]

ZERO_WORDS, NOT_FINITE_WORDS = "exactly 0", "not finite: infinite or NaN"
# The factor's axis, in decades: what an everyday net multiplies a gradient by lies between 0.01 and 10.
FACTOR_SPAN = (-2.0, 1.0)
NARROW_SCALE = 0.85
# In pixels; on a narrow screen the colour bar lies below the panels.
MARGIN = {"l": 70, "r": 16, "t": 84, "b": 80}
NARROW_BAR = 84


@dataclass(frozen=True, eq=False)
class Triangle:
    """The gradient of each layer of nets of many depths.

    Attributes
    ----------
    name : str
        What stands above the panel, e.g. "at the start".
    depths : (depths,) int array
        Ascending; a depth that is missing leaves its row empty.
    values : (depths, layers) array
        log10, median over seeds; -inf an exact 0, +inf not finite, NaN not known. What stands beyond a net's
        output, layer depth + 1, is not looked at.
    """

    name: str
    depths: NDArray[np.int64]
    values: Array


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


# --- triangles --------------------------------------------------------------------------------


def triangle_figure(triangles: Sequence[Triangle], title: str, span: Span, caption: str = "") -> go.Figure:
    """Draw one heatmap per triangle, layer by depth, all on the same axes and one colour scale.

    Parameters
    ----------
    triangles : sequence of Triangle
        One to four: up to three in a row, four in two rows.
    title : str
        Of the colours: what is shown, of what, e.g. "dL/dz, RMS".
    span : (float, float)
        Of the colours, in decades. It does not depend on the values, so that pictures can be compared.
    caption : str
        The settings, below the panels.

    Notes
    -----
    `layout.meta` holds the layout for a narrow screen, as that of Explore's figure.
    """
    deepest = max(int(triangle.depths.max()) for triangle in triangles)
    traces: Traces = []
    for number, triangle in enumerate(triangles, start=1):
        traces += _triangle(triangle, title, deepest, f"x{number}", f"y{number}")
    wide, narrow = (_triangle_layout(triangles, deepest, title, span, columns) for columns in (_columns(triangles), 1))
    layout = {"template": theme.TEMPLATE, **_captioned(wide, caption)}
    layout["meta"] = {"narrow": _captioned(narrow, caption)}
    return go.Figure(data=legend_once(traces), layout=layout)


def _columns(triangles: Sequence[Triangle]) -> int:
    return len(triangles) if len(triangles) < 4 else 2


def _triangle(triangle: Triangle, title: str, deepest: int, x: str, y: str) -> Traces:
    """The sizes as colours, and over them flat marks for exact zeros and what is not finite."""
    rows = np.full((deepest, deepest + 1), np.nan)
    for depth, values in zip(triangle.depths, triangle.values, strict=True):
        rows[depth - 1, : depth + 1] = values[: depth + 1]
    place = {"x": np.arange(1, deepest + 2), "y": np.arange(1, deepest + 1), "xaxis": x, "yaxis": y}
    hover = "depth %{y}, layer %{x}<br>"
    traces: Traces = [
        go.Heatmap(
            z=small(np.where(np.isfinite(rows), rows, np.nan)),
            coloraxis="coloraxis",
            hovertemplate=f"{hover}{title}: 10^%{{z:.2f}}<extra></extra>",
            **place,
        )
    ]
    for mask, colour, words in (
        (rows == -np.inf, theme.EXACT_ZERO, ZERO_WORDS),
        (rows == np.inf, theme.NOT_FINITE, NOT_FINITE_WORDS),
    ):
        if mask.any():
            flat = {"colorscale": [[0, colour], [1, colour]], "showscale": False}
            over = small(np.where(mask, 1.0, np.nan))
            traces.append(go.Heatmap(z=over, hovertemplate=f"{hover}{words}<extra></extra>", **flat, **place))
            square = {"symbol": "square", "size": 14, "color": colour}
            traces.append(go.Scatter(x=[None], y=[None], mode="markers", name=words, marker=square))
    return traces


def _triangle_layout(
    triangles: Sequence[Triangle], deepest: int, title: str, span: Span, columns: int
) -> dict[str, Any]:
    rows = -(-len(triangles) // columns)
    narrow = columns < _columns(triangles)
    scale = NARROW_SCALE if narrow else 1.0
    height = 200 + 300 * rows if narrow else 540 if rows == 1 else 740
    inner = height - MARGIN["t"] - MARGIN["b"] - (NARROW_BAR if narrow else 0)
    bar = {"orientation": "h", "y": -84 / inner, "yanchor": "top"} if narrow else {"ypad": 0}
    layout: dict[str, Any] = {"height": height, "coloraxis": _colour_axis(title, span, scale, bar), "annotations": []}
    for number, triangle in enumerate(triangles, start=1):
        row, column = divmod(number - 1, columns)
        left, right = _share_of(column, columns, gap=0.035)
        bottom, top = _share_of(rows - 1 - row, rows, gap=46 / inner)
        lowest, leftmost = row == rows - 1, column == 0
        x = {"domain": [left, right], "anchor": f"y{number}", "showticklabels": lowest}
        x |= {"range": [0.5, deepest + 1.5], "title": _below("layer; the last of each row is its output" * lowest)}
        y = {"domain": [bottom, top], "anchor": f"x{number}", "showticklabels": leftmost}
        y |= {"range": [0.5, deepest + 0.5], "title": "hidden layers" * leftmost}
        for name, axis, last in (("x", x, deepest + 1), ("y", y, deepest)):
            shared = {"matches": name} if number > 1 else {}
            ticks = {"showgrid": False, **_whole_ticks(last)}
            layout[f"{name}axis{number if number > 1 else ''}"] = sized(axis | ticks | shared, scale)
        layout["annotations"].append(label(f"<b>{triangle.name}</b>", left, top, size=18 * scale))
    margin = MARGIN | {"b": MARGIN["b"] + NARROW_BAR} if narrow else MARGIN
    return layout | _legend_above(inner, scale, above=30) | {"margin": margin}


def _share_of(index: int, count: int, gap: float) -> tuple[float, float]:
    """From where to where the piece of this index reaches, of a length of 1 in `count` pieces with gaps between."""
    piece = (1 - gap * (count - 1)) / count
    start = index * (piece + gap)
    return start, min(start + piece, 1.0)


def _colour_axis(title: str, span: Span, scale: float, place: dict[str, Any]) -> dict[str, Any]:
    """The one colour scale of all panels, its bar at the side or, at a `place` of its own, below."""
    low, high = span
    values = _decade_ticks(span)
    bar = {
        "title": {
            "text": title,
            "side": "top" if "orientation" in place else "right",
            "font": {"size": theme.LABEL_SIZE * scale},
        },
        "tickvals": values,
        "ticktext": [_power(value) for value in values],
        "tickfont": {"size": theme.TICK_SIZE * scale},
        "thickness": 20,
        "outlinewidth": 0,
    }
    return {"cmin": low, "cmax": high, "colorscale": theme.SIZE_SCALE, "colorbar": bar | place}


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
        whole = _decade_ticks(span)
        return [float(power) for power in whole], [_power(power) for power in whole]
    factors = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
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
        x = {"range": [0.5, deepest + 0.5], "title": _below("hidden layers"), **_whole_ticks(deepest)}
        axes = {"xaxis": sized(x, scale), "yaxis": sized({"showgrid": True, **y}, scale)}
        inner = height - MARGIN["t"] - MARGIN["b"]
        return _captioned({"height": height, **axes, **_legend_above(inner, scale), "margin": MARGIN}, caption)

    return {"template": theme.TEMPLATE, **layout(480, 1.0), "meta": {"narrow": layout(520, NARROW_SCALE)}}


def _whole_ticks(last: int) -> dict[str, Any]:
    step = 1 if last <= 12 else 2 if last <= 20 else 5 if last <= 30 else 10
    values = sorted({1, *range(step, last + 1, step)})
    return {"tickvals": values, "ticktext": [str(value) for value in values]}


def _decade_ticks(span: Span) -> list[int]:
    """About six whole powers of ten, 1 among them."""
    step = max(round((span[1] - span[0]) / 6), 1)
    return [power for power in range(int(np.ceil(span[0])), int(np.floor(span[1])) + 1) if power % step == 0]


def _below(title: str) -> dict[str, Any]:
    return {"text": title, "standoff": 4}


def _legend_above(inner: float, scale: float, above: int = 6) -> dict[str, Any]:
    place = {"orientation": "h", "x": 0, "y": 1 + above / inner, "yanchor": "bottom", "itemwidth": 30}
    font = {"size": theme.TICK_SIZE * scale}
    # Plotly would leave out a legend of one entry, such as that of exact zeros.
    return {"legend": place | {"font": font}, "showlegend": True, "hovermode": "closest"}


def _captioned(layout: dict[str, Any], caption: str) -> dict[str, Any]:
    """Write the settings below everything, so that a picture explains itself."""
    if not caption:
        return layout
    settings = label(caption, 0, 0, size=13) | {"yanchor": "top", "yshift": -52, "opacity": 0.85, "name": "settings"}
    return layout | {"annotations": [*layout.get("annotations", []), settings]}


def _power(exponent: int) -> str:
    return "1" if exponent == 0 else power_of_ten(exponent)
