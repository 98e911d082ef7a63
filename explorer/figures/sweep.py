"""The map of a sweep and a section through it.

Cells lie side by side whatever their values: a position is an index, its tick
says the value. Logarithms arrive with -inf for an exact 0 and +inf for what is
not finite; both are marks of their own, never a colour of the scale.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array, thin
from explorer.choices.experiment import CONTROLS
from explorer.diagnosis.seeds import share_interval
from explorer.diagnosis.wording import decades, number, summary
from explorer.figures import axes, marks, theme
from explorer.figures.marks import FlatMark, Panel, Traces
from explorer.figures.plain import Figure
from explorer.sweeps.outcomes import Finding, Outcome
from explorer.sweeps.sweep import Place, Sweep, Value, is_numeric

Point = tuple[Value, Value]

CRITICAL = "critical line: χ₁ = 1"
NO_RESULT, NO_VALUE = "no such experiment", "not defined here"
MOST_TICKS, NARROW_TICKS = 20, 7
MAP, NARROW_MAP, BAR_ROOM, NARROW_BAR = 468, 400, 132, 84  # pixels


@dataclass(frozen=True, eq=False)
class Swept:
    """What is drawn: a sweep, the findings so far, and why other cells have none, by (column, row)."""

    sweep: Sweep
    findings: Mapping[Place, Finding]
    problems: Mapping[Place, str]


def value_text(value: Value) -> str:
    """Say a value on an axis.

    >>> value_text(5e-05), value_text(1.4142), value_text(1000), value_text("tanh")
    ('5 × 10⁻⁵', '1.41', '1,000', 'tanh')
    """
    if isinstance(value, str):
        return value
    if 0 < abs(value) < 1e-3:
        return number(value, digits=1)
    return f"{value:,}" if isinstance(value, int) else f"{float(f'{value:.3g}'):g}"


def outcome_text(outcome: Outcome, value: float) -> str:
    """Say an outcome's number in words."""
    if np.isnan(value):
        return NO_VALUE
    if np.isinf(value):
        return flat_marks(outcome)[value < 0].words
    if outcome.unit == "share":
        return f"{value:.0%}"
    return f"{10**value:,.0f}" if outcome.counts else decades(value)


def flat_marks(outcome: Outcome) -> tuple[FlatMark, FlatMark]:
    """Return what +inf and -inf mean."""
    high, low = outcome.infinite or marks.NOT_FINITE_WORDS, outcome.zero or marks.ZERO_WORDS
    return FlatMark(np.inf, high, theme.NOT_FINITE), FlatMark(-np.inf, low, theme.EXACT_ZERO)


def sweep_figure(swept: Swept, outcome: Outcome, *, critical: Sequence[Point] = (), row: int | None = None) -> Figure:
    """Draw one outcome over the two settings; cells still to come are empty.

    `critical` are points (value of x, value of y) of the line on which theory's factor is 1; the row of the section is
    outlined.
    """
    sweep = swept.sweep
    values = np.full((len(sweep.ys), len(sweep.xs)), np.nan)
    texts = np.full(values.shape, "", dtype=object)
    for cell, finding in swept.findings.items():
        values[cell[::-1]], texts[cell[::-1]] = outcome.of(finding), _cell_text(sweep, cell, outcome, finding)
    traces = marks.heatmap(
        values,
        {"coloraxis": "coloraxis"},
        lambda words: {"name": words or outcome.name, "showlegend": False if words else None},
        flat_marks(outcome),
        marks.flat_colour,
        hovertext=texts,
        hoverinfo="text",
        xgap=1,
        ygap=1,
    )
    traces += _crosses(swept, values, texts)
    traces += _critical_line(sweep, critical)
    figure = marks.compose(traces, lambda narrow: _layout(sweep, outcome, narrow))
    if row is not None:
        ends = {"x0": -0.5, "x1": len(sweep.xs) - 0.5, "y0": row - 0.5, "y1": row + 0.5}
        figure["layout"]["shapes"] = [
            {"type": "rect", "line": {"color": theme.CURSOR, "width": 2, "dash": "dot"}, **ends}
        ]
    return figure


def _cell_text(sweep: Sweep, cell: Place, outcome: Outcome, finding: Finding) -> str:
    said = [_place_text(sweep, cell), f"{outcome.name}: {outcome_text(outcome, outcome.of(finding))}"]
    if finding.trained:
        said += [f"{finding.solved} of {finding.runs} seeds solve it", finding.verdict]
    return "<br>".join(said)


def _place_text(sweep: Sweep, cell: Place) -> str:
    names = (CONTROLS[name].label.lower() for name in (sweep.x, sweep.y))
    return ", ".join(f"{name} {value_text(value)}" for name, value in zip(names, sweep.values(cell), strict=True))


def _colours(outcome: Outcome, narrow: bool, below: float) -> dict[str, Any]:
    """Return the colour axis; on a phone its bar lies across, `below` the map as a share of it."""
    low, high = outcome.span
    shares = theme.SHARE_SCALE if outcome.unit == "share" else theme.SIZE_SCALE
    scale = theme.RATIO_SCALE if outcome.diverging else shares
    across = {"orientation": "h", "y": -below, "yanchor": "top"} if narrow else {}
    bar = axes.colour_bar(outcome.name, thickness=18, **_ticks(outcome), **across)
    return {"cmin": low, "cmax": high, "colorscale": scale, "colorbar": bar}


def _crosses(swept: Swept, values: Array, texts: NDArray[np.object_]) -> Traces:
    """Crosses where there will be no result, rings where a result says nothing of this outcome."""
    problems = {cell: f"{_place_text(swept.sweep, cell)}<br>{why}" for cell, why in swept.problems.items()}
    silent = {cell: str(texts[cell[::-1]]) for cell in swept.findings if np.isnan(values[cell[::-1]])}
    look = {"size": 9, "color": theme.BASELINE, "line": {"width": 2, "color": theme.BASELINE}}
    traces: Traces = []
    for cells, words, symbol in ((problems, NO_RESULT, "x-thin"), (silent, NO_VALUE, "circle-open")):
        if cells:
            places = np.array(list(cells), dtype=np.float32)
            place, marker = {"x": places[:, 0], "y": places[:, 1]}, {"symbol": symbol, **look}
            traces.append(marks.points(place, list(cells.values()), mode="markers", marker=marker, name=words))
    return traces


def _critical_line(sweep: Sweep, points: Sequence[Point]) -> Traces:
    """The critical line, one branch for each crossing; along a choice, whose options have no order, a dash for each."""
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
    place = {"x": line[:, 0], "y": line[:, 1], "mode": "lines", "connectgaps": False}
    look = {"width": 3.5, "dash": "solid" if dashes else "dash", "color": theme.THEORY}
    # The map itself may be of the line's colour: a dark casing parts the two.
    casing = marks.points(place, None, line={"width": 7, "color": theme.CASING}, showlegend=False)
    return [casing, marks.points(place, None, line=look, name=CRITICAL)]


def _position(values: tuple[Value, ...], value: Value) -> float:
    """Where a number lies between the cells of an axis: by its logarithm where all are positive."""
    numbers = np.array(values, dtype=float)
    scale: Callable[[Any], Any] = np.log if numbers[0] > 0 else np.asarray
    return float(np.interp(scale(float(value)), scale(numbers), np.arange(len(numbers))))


def _layout(sweep: Sweep, outcome: Outcome, narrow: bool) -> dict[str, Any]:
    names = 70 if is_numeric(sweep.x) else 116  # stand slanted
    letters = axes.NARROW_SETTINGS_LETTERS if narrow else axes.SETTINGS_LETTERS
    lines = wrap(f"varied from: {summary(sweep.base)}", letters, break_on_hyphens=False)
    below = names + (NARROW_BAR if narrow else 0) + 16 + axes.SETTINGS_LINE * len(lines)
    inside = NARROW_MAP if narrow else MAP
    caption = axes.settings("<br>".join(lines), below) | {"yanchor": "bottom"}
    layout = _over_columns(sweep, _axis(sweep.y, sweep.ys, narrow), inside + 48 + below, 48, below, narrow)
    if narrow:
        caption["xshift"] = 8 - layout["margin"]["l"]
    return layout | {"annotations": [caption], "coloraxis": _colours(outcome, narrow, names / inside)}


def _over_columns(
    sweep: Sweep, y: dict[str, Any], height: int, top: int, below: int, narrow: bool = False
) -> dict[str, Any]:
    # Room for the names of the rows: the same beside map and section, so that columns stand above each other.
    longest = max(len(value_text(value)) for value in sweep.ys)
    left = 40 + 7.5 * longest if narrow else max(84.0, 50 + 8.5 * longest)
    return {
        "template": theme.TEMPLATE,
        "height": height,
        **axes.legend(1.01),
        **axes.sized({"xaxis": _axis(sweep.x, sweep.xs, narrow), "yaxis": y}),
        "margin": {"l": left, "r": 12 if narrow else BAR_ROOM, "t": top, "b": below},
    }


def _axis(name: str, values: tuple[Value, ...], narrow: bool) -> dict[str, Any]:
    # A choice without its name would say nothing; numbers can be read between two ticks.
    most = NARROW_TICKS if narrow else MOST_TICKS
    places = thin(range(len(values)), most if is_numeric(name) else len(values))
    texts = (value_text(values[place]) for place in places)
    span = [-0.5, len(values) - 0.5]
    return {"title": axes.title(CONTROLS[name].label), "range": span, "showgrid": False, **axes.ticks(places, texts)}


def _ticks(outcome: Outcome) -> dict[str, Any]:
    """Ticks of the outcome's own scale: per cent, powers of ten, or factors where the span is short."""
    low, high = outcome.span
    if outcome.unit == "share":
        return axes.share_ticks()
    if high - low > 3:
        return axes.decade_ticks(outcome.span)
    values = np.linspace(low, high, 5).tolist()
    return axes.ticks(values, ("1" if abs(value) < 1e-12 else number(10**value) for value in values))


def describe_sweep(sweep: Sweep, findings: Mapping[Place, Finding], outcome: Outcome, names: tuple[str, str]) -> str:
    """Say the smallest and the largest value of a map, and where; `names` are those of x and y as shown."""
    values = {cell: outcome.of(finding) for cell, finding in findings.items()}
    known = [(value, cell) for cell, value in values.items() if not np.isnan(value)]
    if not known:
        return "Nothing is measured yet."
    told = []
    for word, (value, cell) in (("smallest", min(known)), ("largest", max(known))):
        x, y = sweep.values(cell)
        told.append(f"{word} {outcome_text(outcome, value)}, at {names[0]} {x} and {names[1]} {y}")
    return f"{len(known)} of {len(sweep.cells)} cells have a value: {'; '.join(told)}."


def row_figure(swept: Swept, outcome: Outcome, row: int) -> Figure:
    """Draw one row of the map as a line, on the same scale; a share with its 95 % interval (Wilson 1927)."""
    sweep = swept.sweep
    findings = [swept.findings.get((column, row)) for column in range(len(sweep.xs))]
    values = np.array([np.nan if finding is None else outcome.of(finding) for finding in findings])
    texts = [
        "" if finding is None else _cell_text(sweep, (column, row), outcome, finding)
        for column, finding in enumerate(findings)
    ]
    high, low = flat_marks(outcome)
    panel = Panel(outcome.span, low=low, high=high, size=13, margin=0.03)
    columns = np.arange(len(values))
    line = marks.points(
        panel.placed(columns, marks.drawable(values)),
        texts,
        mode="lines+markers" if is_numeric(sweep.x) else "markers",
        line={"width": 3.5, "color": theme.NOW},
        marker={"size": 9, "color": theme.NOW},
        name=f"{CONTROLS[sweep.y].label.lower()} {value_text(sweep.ys[row])}",
        error_y=_interval(findings, values) if outcome.unit == "share" else None,
    )
    traces = [line, *panel.edge_marks(columns, values, theme.NOW, texts)]
    bottom, top = outcome.span
    room = 0.05 * (top - bottom)
    y = {"title": outcome.name, "range": [bottom - room, top + room], "showgrid": True, **_ticks(outcome)}

    def layout(narrow: bool) -> dict[str, Any]:
        made = _over_columns(sweep, y, 300, 44, 64, narrow)
        made["xaxis"]["automargin"] = True  # names stand slanted
        return made

    return marks.compose(traces, layout)


def _interval(findings: Sequence[Finding | None], values: Array) -> dict[str, Any]:
    nothing = (np.nan, np.nan)
    low, high = np.array([share_interval(one.solved, one.runs) if one else nothing for one in findings]).T
    above, below = marks.float32(np.maximum(high - values, 0)), marks.float32(np.maximum(values - low, 0))
    look = {"color": theme.NOW_FAINT, "thickness": 2.5, "width": 6}
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below, **look}


def describe_row(sweep: Sweep, findings: Mapping[Place, Finding], outcome: Outcome, row: int) -> str:
    """Say every value of one row of a map."""
    columns = [column for column in range(len(sweep.xs)) if (column, row) in findings]
    told = (f"{sweep.xs[column]}: {outcome_text(outcome, outcome.of(findings[column, row]))}" for column in columns)
    return f"{'; '.join(told) or 'nothing is measured yet'}."
