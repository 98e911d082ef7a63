"""The map of a sweep and a section through it: results in, `go.Figure` out.

Cells lie side by side whatever their values: a position is an index, its tick
says the value. Logarithms arrive with -inf for an exact 0 and +inf for what is
not finite; both are marks of their own, never a colour of the scale.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.choices.experiment import CONTROLS
from explorer.diagnosis.seeds import share_interval
from explorer.diagnosis.wording import decades, number, power_of_ten, summary
from explorer.figures import theme
from explorer.figures.explore import sized
from explorer.figures.marks import NOT_FINITE_WORDS, ZERO_WORDS
from explorer.sweeps.outcomes import Finding, Outcome
from explorer.sweeps.sweep import Cell, Sweep, Value, is_numeric, thin

Point = tuple[Value, Value]

CRITICAL = "critical line: χ₁ = 1"
NO_RESULT, NO_VALUE = "no such experiment", "nothing to show here"
CASING = "rgba(20, 20, 20, 0.85)"
MOST_TICKS = 20
BAR_ROOM = 132  # pixels


class Swept(Protocol):
    """What is drawn: a sweep, the findings so far, and why other cells have none."""

    @property
    def sweep(self) -> Sweep:
        """What is swept."""
        ...

    @property
    def findings(self) -> Mapping[Cell, Finding]:
        """By (column, row)."""
        ...

    @property
    def problems(self) -> Mapping[Cell, str]:
        """By (column, row)."""
        ...


def value_text(value: Value) -> str:
    """Say a value on an axis.

    >>> value_text(5e-05), value_text(0.001), value_text(1000), value_text("tanh")
    ('5 × 10⁻⁵', '0.001', '1,000', 'tanh')
    """
    if isinstance(value, str):
        return value
    if 0 < abs(value) < 1e-3:
        return number(value, digits=1)
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def outcome_text(outcome: Outcome, found: Finding) -> str:
    """Say an outcome's number in words."""
    value = outcome.of(found)
    if np.isnan(value):
        return NO_VALUE
    if np.isinf(value):
        return marks(outcome)[value < 0][0]
    if outcome.unit == "share":
        return f"{value:.0%}"
    if outcome.name == "epochs to solve":
        return f"{10**value:,.0f}"
    return decades(value)


def marks(outcome: Outcome) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return words and colour of +inf and of -inf."""
    if outcome.name == "epochs to solve":
        return ("half of the seeds or more never solve it", theme.NOT_FINITE), ("solved at the start", theme.EXACT_ZERO)
    return (NOT_FINITE_WORDS, theme.NOT_FINITE), (ZERO_WORDS, theme.EXACT_ZERO)


# --- the map ----------------------------------------------------------------------------------


def sweep_figure(
    swept: Swept, outcome: Outcome, *, critical: Sequence[Point] = (), row: int | None = None
) -> go.Figure:
    """Draw one outcome over the two settings; cells still to come are empty.

    Parameters
    ----------
    swept : Swept
    outcome : Outcome
    critical : sequence of (value of x, value of y)
        The line on which theory's factor is 1.
    row : int, optional
        The row of the section, to be outlined.
    """
    sweep = swept.sweep
    values = np.full((len(sweep.ys), len(sweep.xs)), np.nan)
    for (column, line), found in swept.findings.items():
        values[line, column] = outcome.of(found)
    texts = np.full(values.shape, "", dtype=object)
    for cell, found in swept.findings.items():
        texts[cell[::-1]] = f"{_place_text(sweep, cell)}<br>{_found_text(outcome, found)}"
    traces = _cells(values, texts, outcome)
    traces += _crosses(swept, values, texts)
    traces += _critical_line(sweep, critical)
    figure = go.Figure(data=traces, layout=_layout(sweep))
    if row is not None:
        ends = {"x0": -0.5, "x1": len(sweep.xs) - 0.5, "y0": row - 0.5, "y1": row + 0.5}
        figure.add_shape(type="rect", line={"color": theme.CURSOR, "width": 2, "dash": "dot"}, **ends)
    return figure


def _place_text(sweep: Sweep, cell: Cell) -> str:
    names = (CONTROLS[name].label.lower() for name in (sweep.x, sweep.y))
    return ", ".join(f"{name} {value_text(value)}" for name, value in zip(names, sweep.values(cell), strict=True))


def _found_text(outcome: Outcome, found: Finding) -> str:
    said = f"{outcome.name}: {outcome_text(outcome, found)}"
    return f"{said}<br>{found.solved} of {found.runs} seeds solve it<br>{found.verdict}" if found.trained else said


def _cells(values: Array, texts: NDArray[np.object_], outcome: Outcome) -> list[Any]:
    """The colours, and over them flat marks for what is no size."""
    common: dict[str, Any] = {"hovertext": texts, "hoverinfo": "text", "xgap": 1, "ygap": 1}
    low, high = outcome.span
    traces: list[Any] = [
        go.Heatmap(
            z=_small(np.where(np.isfinite(values), values, np.nan)),
            zmin=low,
            zmax=high,
            colorscale=_colours(outcome),
            colorbar=_colour_bar(outcome),
            name=outcome.name,
            **common,
        )
    ]
    for value, (words, colour) in zip((np.inf, -np.inf), marks(outcome), strict=True):
        if (mask := values == value).any():
            flat = [[0, colour], [1, colour]]
            z = _small(np.where(mask, 1.0, np.nan))
            traces.append(go.Heatmap(z=z, colorscale=flat, showscale=False, name=words, showlegend=False, **common))
            traces.append(_legend_mark(words, {"symbol": "square", "size": 14, "color": colour}))
    return traces


def _colours(outcome: Outcome) -> object:
    if outcome.diverging:
        return theme.RATIO_SCALE
    return theme.SHARE_SCALE if outcome.unit == "share" else theme.SIZE_SCALE


def _small(values: Array) -> NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32)


def _legend_mark(words: str, marker: dict[str, Any]) -> go.Scatter:
    return go.Scatter(x=[None], y=[None], mode="markers", name=words, marker=marker)


def _crosses(swept: Swept, values: Array, texts: NDArray[np.object_]) -> list[Any]:
    """Crosses where there will be no result, rings where a result says nothing of this outcome."""
    problems = {cell: f"{_place_text(swept.sweep, cell)}<br>{why}" for cell, why in swept.problems.items()}
    silent = {cell: str(texts[cell[::-1]]) for cell in swept.findings if np.isnan(values[cell[::-1]])}
    traces = []
    for cells, words, symbol in ((problems, NO_RESULT, "x-thin"), (silent, NO_VALUE, "circle-open")):
        if cells:
            places = np.array(list(cells), dtype=np.float32)
            marker = {
                "symbol": symbol,
                "size": 9,
                "color": theme.BASELINE,
                "line": {"width": 2, "color": theme.BASELINE},
            }
            traces.append(
                go.Scatter(
                    x=places[:, 0],
                    y=places[:, 1],
                    mode="markers",
                    marker=marker,
                    hovertext=list(cells.values()),
                    hoverinfo="text",
                    name=words,
                )
            )
    return traces


def _critical_line(sweep: Sweep, points: Sequence[Point]) -> list[Any]:
    """The critical line, one branch for every crossing; beside a choice, which has no order, a dash for each."""
    if not points:
        return []
    # Points come in the order of the axis whose values they have; along the other they lie between.
    by_x = all(x in sweep.xs for x, _ in points)
    crossings: dict[Value, list[Value]] = defaultdict(list)
    for x, y in points:
        crossings[x if by_x else y].append(y if by_x else x)
    fixed, along = (sweep.xs, sweep.ys) if by_x else (sweep.ys, sweep.xs)
    name = sweep.x if by_x else sweep.y
    dashes = not is_numeric(name) or len(crossings) == 1
    places: list[tuple[float, float]] = []
    for branch in range(max(map(len, crossings.values()))):
        for value, crossed in crossings.items():
            if branch < len(crossed):
                here, there = float(fixed.index(value)), _position(along, crossed[branch])
                places += [(here - 0.4, there), (here + 0.4, there), (np.nan, np.nan)] if dashes else [(here, there)]
        places.append((np.nan, np.nan))
    line = np.array(places, dtype=np.float32)[:, :: 1 if by_x else -1]
    common: dict[str, Any] = {
        "x": line[:, 0],
        "y": line[:, 1],
        "mode": "lines",
        "hoverinfo": "skip",
        "connectgaps": False,
    }
    ink = {"width": 3.5, "dash": "solid" if dashes else "dash", "color": theme.THEORY}
    # The map itself may be of the line's colour: a dark casing parts the two.
    casing = go.Scatter(line={"width": 7, "color": CASING}, showlegend=False, **common)
    return [casing, go.Scatter(line=ink, name=CRITICAL, **common)]


def _position(values: tuple[Value, ...], value: Value) -> float:
    """Where a number lies between the cells of an axis: by its logarithm where all are positive."""
    numbers = np.array(values, dtype=float)
    scale: Callable[[Any], Any] = np.log if numbers[0] > 0 else np.asarray
    return float(np.interp(scale(float(value)), scale(numbers), np.arange(len(numbers))))


# --- layout -----------------------------------------------------------------------------------


def _layout(sweep: Sweep) -> dict[str, Any]:
    return {
        "template": theme.TEMPLATE,
        "height": 516 + _below(sweep),
        "hovermode": "closest",
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom", "font": {"size": theme.TICK_SIZE}},
        "xaxis": sized(_axis(sweep.x, sweep.xs)),
        "yaxis": sized(_axis(sweep.y, sweep.ys)),
        "margin": {"l": _left(sweep), "r": BAR_ROOM, "t": 48, "b": _below(sweep)},
        "annotations": [_settings(sweep)],
    }


def _left(sweep: Sweep) -> float:
    """Room for the names of the rows, in pixels: the same beside map and section, so that columns stand above each other."""
    return max(84.0, 50 + 8.5 * max(len(value_text(value)) for value in sweep.ys))


def _below(sweep: Sweep) -> int:
    """Room below the map, in pixels: names stand slanted."""
    return 104 if is_numeric(sweep.x) else 150


def _settings(sweep: Sweep) -> dict[str, Any]:
    """What a picture must carry to explain itself; the swept settings stand on the axes."""
    return {
        "text": f"varied from: {summary(sweep.base)}",
        "name": "settings",
        "font": {"size": 13},
        "opacity": 0.85,
        "showarrow": False,
        "align": "left",
        **{
            "xref": "paper",
            "yref": "paper",
            "xanchor": "left",
            "yanchor": "bottom",
            "x": 0,
            "y": 0,
            "yshift": -_below(sweep),
        },
    }


def _axis(name: str, values: tuple[Value, ...]) -> dict[str, Any]:
    # A choice without its name cannot be told; numbers can be read between two ticks.
    count = MOST_TICKS if is_numeric(name) else len(values)
    ticks = thin(range(len(values)), count)
    return {
        "title": {"text": CONTROLS[name].label, "standoff": 4},
        "range": [-0.5, len(values) - 0.5],
        "tickvals": list(ticks),
        "ticktext": [value_text(values[index]) for index in ticks],
        "showgrid": False,
    }


def _colour_bar(outcome: Outcome) -> dict[str, Any]:
    title = {"text": outcome.name, "side": "right", "font": {"size": theme.LABEL_SIZE}}
    return {
        "title": title,
        "tickfont": {"size": theme.TICK_SIZE},
        "thickness": 18,
        "outlinewidth": 0,
        **_ticks(outcome),
    }


def _ticks(outcome: Outcome) -> dict[str, Any]:
    """Ticks of the outcome's own scale: per cent, powers of ten, or factors where the span is short."""
    low, high = outcome.span
    if outcome.unit == "share":
        return {"tickvals": [0, 0.25, 0.5, 0.75, 1], "ticktext": ["0%", "25%", "50%", "75%", "100%"]}
    if high - low > 3:
        step = max(round((high - low) / 6), 1)
        values = [float(value) for value in range(int(np.ceil(low)), int(high) + 1, step)]
        return {"tickvals": values, "ticktext": ["1" if value == 0 else power_of_ten(value) for value in values]}
    values = [low + (high - low) * share for share in (0, 0.25, 0.5, 0.75, 1)]
    return {"tickvals": values, "ticktext": ["1" if abs(value) < 1e-12 else number(10**value) for value in values]}


# --- the section ------------------------------------------------------------------------------


def section_figure(swept: Swept, outcome: Outcome, row: int) -> go.Figure:
    """Draw one row of the map as a line, on the same scale; a share with its 95 % interval (Wilson 1927)."""
    sweep = swept.sweep
    found = [swept.findings.get((column, row)) for column in range(len(sweep.xs))]
    values = np.array([np.nan if each is None else outcome.of(each) for each in found])
    texts = [
        "" if e is None else f"{_place_text(sweep, (c, row))}<br>{_found_text(outcome, e)}" for c, e in enumerate(found)
    ]
    line: dict[str, Any] = {
        "x": np.arange(len(values)),
        "y": _small(np.where(np.isfinite(values), values, np.nan)),
        "mode": "lines+markers" if is_numeric(sweep.x) else "markers",
        "line": {"width": 3.5, "color": theme.NOW},
        "marker": {"size": 9, "color": theme.NOW},
        "hovertext": texts,
        "hoverinfo": "text",
        "name": f"{CONTROLS[sweep.y].label.lower()} {value_text(sweep.ys[row])}",
        "showlegend": True,
    }
    if outcome.unit == "share":
        line["error_y"] = _interval(found, values)
    traces = [go.Scatter(**line), *_edge_marks(values, texts, outcome)]
    return go.Figure(data=traces, layout=_section_layout(sweep, outcome))


def _interval(found: Sequence[Finding | None], values: Array) -> dict[str, Any]:
    ends = [(np.nan, np.nan) if each is None else share_interval(each.solved, each.runs) for each in found]
    low, high = np.array(ends).T
    above, below = _small(np.maximum(high - values, 0)), _small(np.maximum(values - low, 0))
    look = {"color": theme.NOW_FAINT, "thickness": 2.5, "width": 6}
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below, **look}


def _edge_marks(values: Array, texts: list[str], outcome: Outcome) -> list[Any]:
    """Marks at the edge of the scale for what has no place on it."""
    low, high = outcome.span
    margin = 0.03 * (high - low)
    (infinite, infinite_colour), (zero, zero_colour) = marks(outcome)
    finite = np.isfinite(values)
    kinds = [
        (finite & (values < low), low + margin, "triangle-down", theme.NOW, "below the scale"),
        (finite & (values > high), high - margin, "triangle-up", theme.NOW, "above the scale"),
        (values == -np.inf, low + margin, "square", zero_colour, zero),
        (values == np.inf, high - margin, "square", infinite_colour, infinite),
    ]
    traces = []
    for mask, height, symbol, colour, words in kinds:
        if mask.any():
            columns = np.flatnonzero(mask)
            traces.append(
                go.Scatter(
                    x=columns,
                    y=np.full(len(columns), height),
                    mode="markers",
                    marker={"symbol": symbol, "size": 13, "color": colour},
                    hovertext=[texts[column] for column in columns],
                    hoverinfo="text",
                    name=words,
                )
            )
    return traces


def _section_layout(sweep: Sweep, outcome: Outcome) -> dict[str, Any]:
    low, high = outcome.span
    room = 0.05 * (high - low)
    return {
        "template": theme.TEMPLATE,
        "height": 300,
        "hovermode": "closest",
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom", "font": {"size": theme.TICK_SIZE}},
        "xaxis": sized(_axis(sweep.x, sweep.xs)),
        "yaxis": sized(
            {"title": outcome.name, "range": [low - room, high + room], "showgrid": True, **_ticks(outcome)}
        ),
        "margin": {"l": _left(sweep), "r": BAR_ROOM, "t": 44, "b": 64},
    }
