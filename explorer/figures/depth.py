"""The figures of the page on depth: every layer's gradient in nets of every depth, the factor per layer, and who learns.

Logarithms arrive with -inf for an exact 0 and +inf for what is not finite, and
get marks of their own; NaN is what is not there, or not yet, and is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array, thin
from explorer.diagnosis.seeds import Band, share_interval
from explorer.diagnosis.wording import decades
from explorer.figures import axes, marks, panels, theme
from explorer.figures.axes import Limits
from explorer.figures.marks import Panel, Traces
from explorer.figures.plain import Figure
from explorer.figures.theme import NOW_STYLE, LineStyle, pinned_styles
from explorer.sweeps.by_depth import DepthSeries

Depths = NDArray[np.int64]

# The factor's axis, in decades: what an everyday net multiplies a gradient by lies between 0.01 and 10.
FACTOR_SPAN = (-2.0, 1.0)
# In pixels: on a narrow screen the colour bar lies below the panels.
NARROW_BAR = 84


# --- triangles: the gradient of each layer, across, in nets of each depth, up --------------------


HIDDEN = "hidden layers"


@dataclass(frozen=True, eq=False)
class Triangle:
    """The gradient of each layer of nets of many depths."""

    name: str  # What stands above the panel, e.g. "at the start"
    depths: Depths  # (depths,): ascending; a depth that is missing leaves its row empty
    # (depths, layers): log10, median over seeds; -inf an exact 0, +inf not finite, NaN not known. What stands
    # beyond a net's output, layer depth + 1, is ignored
    values: Array


def triangles_of(series: Sequence[DepthSeries], measure: str) -> list[Triangle]:
    """Return each experiment's triangle at the start and, where it is trained, after training."""
    drawn = []
    for nets in series:
        named = f"{nets.name}, " if len(series) > 1 else ""
        drawn.append(Triangle(f"{named}at the start", nets.depths, nets.start.medians[measure]))
        if nets.findings is not None:
            drawn.append(Triangle(f"{named}after training", nets.depths, nets.end(measure)))
    return drawn


def triangle_figure(triangles: Sequence[Triangle], what: str, span: Limits, caption: str = "") -> Figure:
    """Draw one heatmap for each of one to four triangles, layer by depth, all on the same axes and one colour scale.

    `what` names the colours: what is shown, of what, e.g. "dL/dz, RMS". Their span, in decades, does not depend on
    the values, so that pictures can be compared.
    """
    deepest = max(int(triangle.depths.max()) for triangle in triangles)
    traces: Traces = []
    for place, triangle in enumerate(triangles, start=1):
        traces += _triangle(triangle, what, deepest, f"x{place}", f"y{place}")
    return marks.compose(
        traces,
        lambda narrow: axes.with_settings(
            _triangle_layout(triangles, deepest, what, span, narrow, axes.more_settings(caption, narrow)),
            caption,
            narrow,
        ),
    )


def _triangle(triangle: Triangle, what: str, deepest: int, x: str, y: str) -> Traces:
    rows = np.full((deepest, deepest + 1), np.nan)
    for depth, values in zip(triangle.depths, triangle.values, strict=True):
        rows[depth - 1, : depth + 1] = values[: depth + 1]
    with np.errstate(over="ignore"):
        sizes = 10.0**rows
    size = f"{what}: %{{customdata:.3~g}}"
    return marks.heatmap(
        rows,
        {"coloraxis": "coloraxis"},
        lambda words: {"hovertemplate": f"depth %{{y}}, layer %{{x}}<br>{words or size}<extra></extra>"},
        flat=lambda mask, colour: marks.flat_colour(mask, colour) | {"ygap": 3},
        x=np.arange(1, deepest + 2),
        y=np.arange(1, deepest + 1),
        customdata=sizes,
        xaxis=x,
        yaxis=y,
    )


def _triangle_layout(
    triangles: Sequence[Triangle], deepest: int, what: str, span: Limits, narrow: bool, below: int
) -> dict[str, Any]:
    """Return the layout; on a phone the colour bar lies `below` more pixels under the panels, for the settings."""
    columns = 1 if narrow else 2 if len(triangles) == 4 else len(triangles)
    # One panel alone lies on a phone as it does elsewhere.
    narrow = narrow and len(triangles) > 1
    rows = -(-len(triangles) // columns)
    height = 200 + 300 * rows if narrow else 540 if rows == 1 else 740
    inner = height - axes.MARGIN["t"] - axes.MARGIN["b"] - (NARROW_BAR if narrow else 0)
    named_axes: dict[str, Any] = {}
    labels = []
    for place, triangle in enumerate(triangles, start=1):
        row, column = divmod(place - 1, columns)
        box = axes.piece(column, columns, 0.035), axes.piece(rows - 1 - row, rows, 46 / inner)
        lowest, leftmost = row == rows - 1, column == 0
        x = {"title": axes.title("layer; the last of each row is its output" * lowest), "showticklabels": lowest}
        y = {"title": "hidden layers" * leftmost, "showticklabels": leftmost}
        x, y = x | _whole_axis(deepest + 1), y | _whole_axis(deepest)
        named_axes |= axes.pair(place, box, x, y, follow=True)
        labels.append(axes.label(f"<b>{triangle.name}</b>", box[0][0], box[1][1], size=18))
    bar = {"orientation": "h", "y": -(84 + below) / inner, "yanchor": "top"} if narrow else {"ypad": 0}
    bar = axes.colour_bar(what, thickness=20, **axes.decade_ticks(span), **bar)
    return {
        "height": height,
        "coloraxis": {"cmin": span[0], "cmax": span[1], "colorscale": theme.SIZE_SCALE, "colorbar": bar},
        "annotations": labels,
        "margin": axes.MARGIN | {"b": axes.MARGIN["b"] + NARROW_BAR * narrow},
        **axes.legend_above(inner, above=30),
        **axes.sized(named_axes),
    }


def _whole_axis(last: int) -> dict[str, Any]:
    return {"range": [0.5, last + 0.5], "showgrid": False, **axes.whole_ticks(last)}


def describe_triangle(name: str, depths: Sequence[int], values: Array) -> str:
    """Say the first and the last layer's gradient of nets of several depths; values are log10, (depths, layers)."""
    told = [
        f"depth {depths[row]}: first layer {decades(values[row, 0])}, output {decades(values[row, depths[row]])}"
        for row in thin(range(len(depths)), axes.TOLD)
        if not np.isnan(values[row, 0])
    ]
    return f"{name}: {'; '.join(told) or 'not known yet'}."


# --- the factor per layer ---------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Factors:
    """What a layer multiplies dL/dz by on its way back, for nets of many depths; all values are log10."""

    name: str
    depths: Depths  # (depths,)
    # (depths,): quartiles over seeds before the first update; NaN where a net is too shallow to have a
    # factor
    start: Band
    theory: Array | None = None  # (depths,): of the start; NaN where theory says nothing
    trained: Array | None = None  # (depths,): median after training; NaN where it has not been trained yet

    @classmethod
    def of(cls, nets: DepthSeries) -> Self:
        """Return those of one experiment at every depth."""
        return cls(nets.name, nets.depths, nets.start.factor, nets.start.theory, nets.factor_end)


def factor_figure(curves: Sequence[Factors], deepest: int) -> Figure:
    """Draw by depth what each layer multiplies dL/dz by: measured, with its band over seeds, and as theory says.

    Of two curves the first is what the second is compared with. What lies beyond `FACTOR_SPAN` is marked at the edge.
    """
    panel = Panel(FACTOR_SPAN)
    traces: Traces = []
    for curve, style in zip(curves, _styles(curves), strict=True):
        traces += _band(curve.depths, curve.start, panel, style, marks.BAND_WORDS)
        traces += _at_start(curve, style, panel)
        if curve.trained is not None:
            # Depths not trained yet are left out, so that the line goes on; what is 0 or not finite breaks it.
            known = ~np.isnan(curve.trained)
            solid = {"line": {"width": 3.5, "color": style.colour}, "marker": {"size": 8}}
            # In the legend, which has few lines, a name alone: dots are the start.
            solid |= {"name": curve.name}
            name = f"{curve.name}: after training"
            traces += _factor_line(name, curve.depths[known], curve.trained[known], panel, solid)
    y = {"title": "a layer multiplies dL/dz by", **axes.times_ticks(FACTOR_SPAN)}
    level = axes.LEVEL_LINE | {"xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    return marks.compose(traces, lambda narrow: _line_layout(y, deepest, narrow) | {"shapes": [level]})


def _at_start(curve: Factors, style: LineStyle, panel: Panel) -> Traces:
    line = {"width": 2.5, "dash": "dot", "color": style.colour}
    name = f"{curve.name}: {marks.START_WORDS}"
    dotted = {"line": line, "marker": {"size": 7, "symbol": "circle-open"}, "name": name}
    if curve.trained is not None:
        dotted |= {"name": marks.START_WORDS}
    traces = _factor_line(name, curve.depths, curve.start.middle, panel, dotted)
    if curve.theory is not None:
        line = {"width": 3, "dash": "dash", "color": theme.THEORY}
        dashed = {"line": line, "mode": "lines", "name": marks.THEORY_WORDS}
        # Marks are for what was measured.
        traces += _factor_line(f"{curve.name}: {marks.THEORY_WORDS}", curve.depths, curve.theory, panel, dashed)[:1]
    return traces


def _factor_line(name: str, depths: Depths, values: Array, panel: Panel, style: dict[str, Any]) -> Traces:
    texts = [f"depth {depth}<br>{name}: × {decades(value)}" for depth, value in zip(depths, values, strict=True)]
    look = {"name": name, "mode": "lines+markers", **style}
    line = marks.points(panel.placed(depths, marks.drawable(values)), texts, **look)
    return [line, *panel.edge_marks(depths, values, style["line"]["color"], texts)]


def describe_factors(name: str, depths: Sequence[int], measured: Array, theory: Array | None) -> str:
    """Say what each layer multiplies dL/dz by, by depth; all values are log10."""
    told = []
    for row in thin(range(len(depths)), axes.TOLD):
        if not np.isnan(measured[row]):
            predicted = np.nan if theory is None else theory[row]
            said = "" if np.isnan(predicted) else f" (theory {decades(predicted)})"
            told.append(f"depth {depths[row]} {decades(measured[row])}{said}")
    return f"What each layer multiplies dL/dz by, {name}: {', '.join(told)}."


# --- who learns -------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Shares:
    """In what share of the seeds nets of some depths learn."""

    name: str
    depths: Depths  # (depths,): of those that have been trained
    # (depths,): from 0 to 1, and the ends of its interval
    share: Array
    low: Array
    high: Array
    # (depths,): seeds that learnt, and of how many
    solved: NDArray[np.int64]
    runs: NDArray[np.int64]

    @classmethod
    def of(cls, name: str, learnt: Mapping[int, tuple[int, int]]) -> Self:
        """Return what was counted: by depth the seeds that learnt, and of how many."""
        solved, runs = np.array(list(learnt.values()), dtype=int).reshape(-1, 2).T
        low, high = np.array([share_interval(*counts) for counts in learnt.values()]).reshape(-1, 2).T
        return cls(name, np.array(list(learnt), dtype=int), solved / np.maximum(runs, 1), low, high, solved, runs)


def share_figure(
    curves: Sequence[Shares], deepest: int, caption: str = "", across: str = HIDDEN, noun: str = "depth"
) -> Figure:
    """Draw by depth in what share of the seeds nets learn, with an interval; of two curves the first is the baseline.

    `across` names the axis, where depths are counted otherwise, and `noun` one of them.
    """
    panel = Panel((0.0, 1.0))
    traces: Traces = []
    for curve, style in zip(curves, _styles(curves), strict=True):
        traces += _band(curve.depths, Band(curve.low, curve.share, curve.high), panel, style, "95% interval")
        # Where two curves meet, as they do at 0% and 100%, the one below still shows at the other's sides.
        width, symbol = (3.5, "circle") if style is NOW_STYLE else (6.5, "square")
        points = zip(curve.depths, curve.solved, curve.runs, curve.low, curve.high, strict=True)
        texts = [
            f"{curve.name}<br>{noun} {depth}: {solved} of {panels.seeds_text(seeds)} ({low:.0%} to {high:.0%})"
            for depth, solved, seeds, low, high in points
        ]
        look = {"line": {"width": width, "color": style.colour}, "marker": {"size": width + 5, "symbol": symbol}}
        place = panel.placed(curve.depths, marks.float32(curve.share))
        traces.append(marks.points(place, texts, mode="lines+markers", name=curve.name, **look))
    y = {"range": [-0.04, 1.04], "title": "seeds that learn", **axes.share_ticks()}
    return marks.compose(traces, lambda narrow: _line_layout(y, deepest, narrow, caption, across))


def describe_shares(name: str, solved: Mapping[int, tuple[int, int]], noun: str = "depth") -> str:
    """Say how many seeds learn, by depth."""
    told = (f"{noun} {depth} {learnt} of {runs}" for depth, (learnt, runs) in solved.items())
    return f"Seeds that learn, {name}: {', '.join(told) or 'none is trained yet'}."


# --- what both kinds of curves have in common ---------------------------------------------------


def _styles(curves: Sequence[object]) -> list[LineStyle]:
    """As on Explore: the baseline is grey, the present setting has the accent colour."""
    if not 1 <= len(curves) <= 2:
        raise ValueError(f"{len(curves)} curves: give one, or two to compare")
    return pinned_styles(len(curves))


def _band(depths: Depths, sides: Band, panel: Panel, style: LineStyle, name: str) -> Traces:
    """The area between two curves, with a gap where a value is not known."""
    known = ~(np.isnan(sides.low) | np.isnan(sides.high))
    # A depth alone has no area: its line is the interval.
    line = {"width": 2, "color": style.band}
    return [panel.band(depths, sides, known, style.band, line=line, name=name)] if known.any() else []


def _line_layout(
    y: dict[str, Any], deepest: int, narrow: bool, caption: str = "", across: str = HIDDEN
) -> dict[str, Any]:
    x = {"range": [0.5, deepest + 0.5], "title": axes.title(across), **axes.whole_ticks(deepest)}
    return axes.with_settings(axes.one_panel(x, y, 520 if narrow else 480, narrow), caption, narrow)
