"""What figures over depth have in common: margins, ticks, legend and caption."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.diagnosis.wording import power_of_ten
from explorer.figures import theme
from explorer.figures.explore import label, sized
from explorer.figures.marks import NOT_FINITE_WORDS, ZERO_WORDS, Traces, legend_once, small

Span = tuple[float, float]

NARROW_SCALE = 0.85
# In pixels.
MARGIN = {"l": 70, "r": 16, "t": 84, "b": 80}


def whole_ticks(last: int) -> dict[str, Any]:
    """Return ticks for whole numbers from 1."""
    step = 1 if last <= 12 else 2 if last <= 20 else 5 if last <= 30 else 10
    values = sorted({1, *range(step, last + 1, step)})
    return {"tickvals": values, "ticktext": [str(value) for value in values]}


def decade_ticks(span: Span) -> list[int]:
    """About six whole powers of ten, 1 among them."""
    step = max(round((span[1] - span[0]) / 6), 1)
    return [power for power in range(math.ceil(span[0]), math.floor(span[1]) + 1) if power % step == 0]


def below(title: str) -> dict[str, Any]:
    """Return an axis' title that stands close to it."""
    return {"text": title, "standoff": 4}


def legend_above(inner: float, scale: float, above: int = 6) -> dict[str, Any]:
    """Return a legend `above` pixels over panels that are `inner` pixels high."""
    place = {"orientation": "h", "x": 0, "y": 1 + above / inner, "yanchor": "bottom", "itemwidth": 30}
    font = {"size": theme.TICK_SIZE * scale}
    # Plotly would leave out a legend of one entry, such as that of exact zeros.
    return {"legend": place | {"font": font}, "showlegend": True, "hovermode": "closest"}


def captioned(layout: dict[str, Any], caption: str) -> dict[str, Any]:
    """Write the settings below everything, so that a picture explains itself."""
    if not caption:
        return layout
    settings = label(caption, 0, 0, size=13) | {"yanchor": "top", "yshift": -52, "opacity": 0.85, "name": "settings"}
    return layout | {"annotations": [*layout.get("annotations", []), settings]}


def power(exponent: int) -> str:
    """Say a power of ten, 1 as 1."""
    return "1" if exponent == 0 else power_of_ten(exponent)


# --- Triangles: the gradient of every layer, across, of nets of every depth, up ---


# In pixels: on a narrow screen the colour bar lies below the panels.
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
    layout = {"template": theme.TEMPLATE, **captioned(wide, caption)}
    layout["meta"] = {"narrow": captioned(narrow, caption)}
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
            flat = {"colorscale": [[0, colour], [1, colour]], "showscale": False, "ygap": 3}
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
        x |= {"range": [0.5, deepest + 1.5], "title": below("layer; the last of each row is its output" * lowest)}
        y = {"domain": [bottom, top], "anchor": f"x{number}", "showticklabels": leftmost}
        y |= {"range": [0.5, deepest + 0.5], "title": "hidden layers" * leftmost}
        for name, axis, last in (("x", x, deepest + 1), ("y", y, deepest)):
            shared = {"matches": name} if number > 1 else {}
            ticks = {"showgrid": False, **whole_ticks(last)}
            layout[f"{name}axis{number if number > 1 else ''}"] = sized(axis | ticks | shared, scale)
        layout["annotations"].append(label(f"<b>{triangle.name}</b>", left, top, size=18 * scale))
    margin = MARGIN | {"b": MARGIN["b"] + NARROW_BAR} if narrow else MARGIN
    return layout | legend_above(inner, scale, above=30) | {"margin": margin}


def _share_of(index: int, count: int, gap: float) -> tuple[float, float]:
    """From where to where the piece of this index reaches, of a length of 1 in `count` pieces with gaps between."""
    piece = (1 - gap * (count - 1)) / count
    start = index * (piece + gap)
    return start, min(start + piece, 1.0)


def _colour_axis(title: str, span: Span, scale: float, place: dict[str, Any]) -> dict[str, Any]:
    """The one colour scale of all panels, its bar at the side or, at a `place` of its own, below."""
    low, high = span
    values = decade_ticks(span)
    bar = {
        "title": {
            "text": title,
            "side": "top" if "orientation" in place else "right",
            "font": {"size": theme.LABEL_SIZE * scale},
        },
        "tickvals": values,
        "ticktext": [power(value) for value in values],
        "tickfont": {"size": theme.TICK_SIZE * scale},
        "thickness": 20,
        "outlinewidth": 0,
    }
    return {"cmin": low, "cmax": high, "colorscale": theme.SIZE_SCALE, "colorbar": bar | place}
