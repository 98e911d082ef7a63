"""The cliff's panels: traces of its map, its relief and what each update met, placed on named axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.choices.arrays import Array
from explorer.diagnosis.cliff import BESIDE, REPELS, START, TARGET, Ground, Path, Section, wall
from explorer.diagnosis.wording import decades, number, power_of_ten
from explorer.figures import theme
from explorer.figures.explore import label, sized
from explorer.figures.marks import Traces, legend_once, small
from explorer.figures.triangles import below, captioned, legend_above
from explorer.figures.view import B_SPAN, GRADIENT, RELIEF, W_SPAN, CliffView, exits, inside
from explorer.sweeps.sweep import thin

Span = tuple[float, float]

# In decades, always the same: pictures of different settings can be compared.
LOSS_COLOURS, NORM_COLOURS = (-4.0, 0.0), (-3.0, 3.0)
NORM_AXIS, LOSS_AXIS = (-4.0, 4.0), (-8.0, 0.3)
CASING = "rgba(20, 20, 20, 0.9)"
UNCLIPPED, CLIPPED = theme.THEORY, theme.NOW


@dataclass(frozen=True, eq=False)
class Walk:
    """A descent as it is drawn."""

    name: str
    path: Path
    ink: str
    symbol: str


def walks(free: Path, clipped: Path, view: CliffView) -> tuple[Walk, Walk]:
    """Return both descents with name and ink."""
    return (
        Walk("without clipping", free, UNCLIPPED, "square"),
        Walk(f"clipped by {view.clip} to {view.threshold:g}", clipped, CLIPPED, "circle"),
    )


# --- the map ------------------------------------------------------------------------------------


def colours(view: CliffView) -> Span:
    """Return the ends of the colours, in decades."""
    return NORM_COLOURS if view.shown == GRADIENT else LOSS_COLOURS


def _log10(values: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.log10(values)


def map_traces(ground: Ground, pair: Sequence[Walk], view: CliffView) -> Traces:
    """Return the map: colours, contour lines, the wall, both paths and their start."""
    shown = ground.slope.norm if view.shown == GRADIENT else ground.slope.loss
    z = small(_log10(shown))
    low, high = colours(view)
    words = "gradient norm" if view.shown == GRADIENT else "loss"
    # An exact 0 is below the scale, as is the smallest size: both are the darkest colour.
    heat = {"z": np.nan_to_num(z, neginf=low, posinf=high), "x": small(ground.w), "y": small(ground.b)}
    traces: Traces = [
        go.Heatmap(
            **heat,
            zmin=low,
            zmax=high,
            colorscale=theme.SIZE_SCALE,
            showscale=False,
            hovertemplate=f"w %{{x:.2f}}, b %{{y:.2f}}<br>{words} 10^%{{z:.2f}}<extra></extra>",
        )
    ]
    if view.shown != GRADIENT:
        # Every second point is enough for lines, and draws them in a quarter of the time.
        lines = {"z": heat["z"][::2, ::2], "x": heat["x"][::2], "y": heat["y"][::2]}
        traces.append(
            go.Contour(
                **lines,
                contours={"start": -4, "end": -0.5, "size": 0.5, "coloring": "none"},
                line={"width": 1, "color": "rgba(255, 255, 255, 0.45)"},
                showscale=False,
                showlegend=False,
                hoverinfo="skip",
            )
        )
    traces += _wall_line(ground, view)
    for walk in pair:
        traces += _walk(walk)
    return [*traces, _start(view)]


def _wall_line(ground: Ground, view: CliffView) -> Traces:
    """Where theory has the wall; of the gradient how long it gets close beside it, for the grid may miss it."""
    line = {"x": small(ground.w), "y": small(wall(ground.w)), "mode": "lines", "hoverinfo": "skip"}
    dashed = {"width": 2.5, "dash": "dash", "color": "#ffffff"}
    if view.shown == GRADIENT:
        low, high = NORM_COLOURS
        logs = np.nan_to_num(small(_log10(ground.on_wall)), neginf=low, posinf=high)
        size = {"size": 7, "symbol": "square", "color": logs, "cmin": low, "cmax": high}
        line |= {"mode": "markers", "marker": size | {"colorscale": theme.SIZE_SCALE, "showscale": False}}
        said = zip(ground.w, ground.on_wall, strict=True)
        line |= {
            "hoverinfo": "text",
            "hovertext": [
                f"w {w:.2f}, within {BESIDE:g} of the wall in b<br>gradient norm up to {number(n)}" for w, n in said
            ],
        }
        return [go.Scatter(**line, name="measured at the wall", showlegend=False)]
    return [go.Scatter(**line, line=dashed, name="theory: the wall, where h₀ repels", showlegend=False)]


def _walk(walk: Walk) -> Traces:
    """A path, dark around its ink: on a scale of many colours no single one would always show."""
    points = walk.path.points
    line = {"x": small(points[:, 0]), "y": small(points[:, 1])}
    texts = [_told(walk, update) for update in range(len(points))]
    return [
        go.Scatter(**line, mode="lines", line={"width": 6, "color": CASING}, hoverinfo="skip", showlegend=False),
        go.Scatter(
            **line,
            mode="lines+markers",
            line={"width": 3, "color": walk.ink},
            marker={
                "size": 9,
                "symbol": walk.symbol,
                "color": walk.ink,
                "line": {"width": 1.5, "color": "#ffffff"},
            },
            hovertext=texts,
            hoverinfo="text",
            name=walk.name,
        ),
        *_exits(walk),
    ]


def _told(walk: Walk, update: int) -> str:
    w, b = walk.path.points[update]
    return (
        f"{walk.name}, after {update} {'update' if update == 1 else 'updates'}<br>w {number(w, 3)}, b {number(b, 3)}"
        f"<br>loss {number(walk.path.loss[update])}, gradient norm {number(walk.path.norm[update])}"
    )


def _exits(walk: Walk) -> Traces:
    """Marks at the edge for what goes on beyond it, and where a path is no longer finite."""
    points, left = walk.path.points, exits(walk.path)
    traces: Traces = []
    if left:
        way = points[[update + 1 for update, _, _ in left]] - points[[update for update, _, _ in left]]
        traces.append(
            go.Scatter(
                x=[w for _, w, _ in left],
                y=[b for _, _, b in left],
                mode="markers",
                marker={
                    "symbol": "triangle-up",
                    "angle": np.degrees(np.arctan2(way[:, 0], way[:, 1])),
                    "size": 18,
                    "color": walk.ink,
                    "line": {"width": 1.5, "color": "#ffffff"},
                },
                hovertext=[_told(walk, update + 1) for update, _, _ in left],
                hoverinfo="text",
                cliponaxis=False,
                name=f"{walk.name}: off the map",
                showlegend=False,
            )
        )
    lost = ~np.isfinite(points).all(axis=1)
    if lost.any():
        last = int(np.argmax(lost)) - 1
        traces.append(
            go.Scatter(
                x=[float(np.clip(points[last, 0], *W_SPAN))],
                y=[float(np.clip(points[last, 1], *B_SPAN))],
                mode="markers",
                marker={"symbol": "square", "size": 14, "color": theme.NOT_FINITE},
                hovertext=[f"{walk.name}: not finite from update {last + 1} on"],
                hoverinfo="text",
                cliponaxis=False,
                name="not finite: infinite or NaN",
            )
        )
    return traces


def _start(view: CliffView) -> go.Scatter:
    return go.Scatter(
        x=[view.w],
        y=[view.b],
        mode="markers",
        marker={"symbol": "star", "size": 20, "color": "#ffffff", "line": {"width": 2, "color": CASING}},
        name="start",
        hovertext=[f"start: w {view.w:g}, b {view.b:g}"],
        hoverinfo="text",
        showlegend=False,
    )


def colour_bar(view: CliffView) -> Traces:
    """The colour bar, on an axis of its own."""
    values = np.linspace(*colours(view), 257)
    return [
        go.Heatmap(
            x=small(values),
            y=[0],
            z=small(values)[None, :],
            zmin=values[0],
            zmax=values[-1],
            colorscale=theme.SIZE_SCALE,
            showscale=False,
            hoverinfo="skip",
            xaxis="x4",
            yaxis="y4",
        )
    ]


# --- relief -------------------------------------------------------------------------------------


def relief_traces(ground: Ground, pair: Sequence[Walk]) -> Traces:
    """The loss as height, with both paths on it."""
    loss = ground.slope.loss
    low, high = LOSS_COLOURS
    surface = go.Surface(
        x=small(ground.w),
        y=small(ground.b),
        z=small(loss),
        surfacecolor=np.nan_to_num(small(_log10(loss)), neginf=low),
        cmin=low,
        cmax=high,
        colorscale=theme.SIZE_SCALE,
        showscale=False,
        lighting={"ambient": 0.75, "diffuse": 0.5, "specular": 0.05},
        hovertemplate="w %{x:.2f}, b %{y:.2f}<br>loss %{z:.3f}<extra></extra>",
    )
    return [surface, *(_on_relief(walk) for walk in pair)]


def _on_relief(walk: Walk) -> go.Scatter3d:
    """A path, lifted a little above the ground; at the map's edge it ends."""
    points, loss = walk.path.points, walk.path.loss
    here = inside(points)
    places = [(*point, height) for point, height, kept in zip(points, loss, here, strict=True) if kept]
    leaving = exits(walk.path)
    if leaving and not here[-1]:
        update, w, b = leaving[-1]
        places.append((w, b, loss[update + 1]))
    w, b, z = np.array(places).T
    return go.Scatter3d(
        x=small(w),
        y=small(b),
        z=small(z + 0.008),
        mode="lines+markers",
        line={"width": 7, "color": walk.ink},
        marker={"size": 4.5, "symbol": walk.symbol, "color": walk.ink},
        hoverinfo="skip",
        name=walk.name,
    )


# --- by update ----------------------------------------------------------------------------------


def curve(walk: Walk, values: Array, span: Span, y: str, words: str) -> Traces:
    """One line over updates, with marks for what has no place on its axis."""
    logs = _log10(values)
    updates = np.arange(len(values))
    texts = np.array([f"{walk.name}, after {update} updates<br>{words} {number(v)}" for update, v in enumerate(values)])
    place = {"xaxis": "x2", "yaxis": y, "hoverinfo": "text"}
    known = np.isfinite(logs)
    traces: Traces = [
        go.Scatter(
            x=updates,
            y=np.where(known, values, np.nan),
            mode="lines+markers",
            line={"width": 3, "color": walk.ink},
            marker={"size": 6, "symbol": walk.symbol},
            hovertext=texts,
            name=walk.name,
            showlegend=False,
            **place,
        )
    ]
    low, high = span
    margin = 0.03 * (high - low)
    marks = [
        (known & (logs < low), low + margin, "triangle-down", walk.ink, "below the scale"),
        (known & (logs > high), high - margin, "triangle-up", walk.ink, "above the scale"),
        (values == 0, low + margin, "square", theme.EXACT_ZERO, "exactly 0"),
        (~np.isfinite(values), high - margin, "square", theme.NOT_FINITE, "not finite: infinite or NaN"),
    ]
    for mask, level, symbol, colour, name in marks:
        if mask.any():
            traces.append(
                go.Scatter(
                    x=updates[mask],
                    y=np.full(int(mask.sum()), 10.0**level),
                    mode="markers",
                    marker={"symbol": symbol, "size": 9, "color": colour},
                    hovertext=texts[mask],
                    name=name,
                    showlegend=symbol == "square",
                    **place,
                )
            )
    return traces


# --- The cliff's figures: the loss over (w, b) with two descents on it, what each update met, and a section through the wall ---


NARROW_SCALE = 0.85


def cliff_figure(ground: Ground, pair: Sequence[Walk], view: CliffView, caption: str) -> go.Figure:
    """Draw the map on the left, and on the right gradient norm and loss by update.

    Parameters
    ----------
    ground : Ground
    pair : sequence of Walk
        Without clipping, and with.
    view : CliffView
    caption : str
        The settings, below everything.
    """
    relief = view.shown == RELIEF
    traces: Traces = relief_traces(ground, pair) if relief else map_traces(ground, pair, view)
    traces += colour_bar(view)
    for walk in pair:
        traces += curve(walk, walk.path.norm, NORM_AXIS, "y2", "gradient norm")
        traces += curve(walk, walk.path.loss, LOSS_AXIS, "y3", "loss")
    layout = {"template": theme.TEMPLATE, **_layout(pair, view, caption, narrow=False)}
    layout["meta"] = {"narrow": _layout(pair, view, caption, narrow=True)}
    return go.Figure(data=legend_once(traces), layout=layout)


# --- where all this lies ------------------------------------------------------------------------


def _layout(pair: Sequence[Walk], view: CliffView, caption: str, *, narrow: bool) -> dict[str, Any]:
    scale = NARROW_SCALE if narrow else 1.0
    height = 1250 if narrow else 740
    left, right = ([0.0, 1.0], [0.0, 1.0]) if narrow else ([0.0, 0.56], [0.66, 1.0])
    ground, strip = ([0.62, 0.97], [0.535, 0.548]) if narrow else ([0.135, 0.96], [0.0, 0.025])
    norm, loss = ([0.285, 0.475], [0.0, 0.21]) if narrow else ([0.54, 0.96], [0.0, 0.44])
    last = {
        "uirevision": view.updates,
        "range": [0, view.updates],
        "anchor": "y3",
        "domain": right,
        "title": below("update"),
    }
    axes: dict[str, Any] = {
        "xaxis2": last,
        "yaxis2": {"domain": norm, "anchor": "x2", "type": "log", "range": list(NORM_AXIS), **_decades(NORM_AXIS)},
        "yaxis3": {"domain": loss, "anchor": "x2", "type": "log", "range": list(LOSS_AXIS), **_decades(LOSS_AXIS)},
        "xaxis4": {"domain": left, "anchor": "y4", "range": list(colours(view)), **_powers(colours(view))},
        "yaxis4": {"domain": strip, "anchor": "x4", "visible": False, "fixedrange": True},
    }
    if view.shown != RELIEF:
        bare = {"showgrid": False, "constrain": "domain"}
        axes["xaxis"] = {"domain": left, "anchor": "y", "range": list(W_SPAN), "title": below("w"), **bare}
        axes["yaxis"] = {"domain": ground, "anchor": "x", "range": list(B_SPAN), "title": "b", **bare}
    layout = {
        "height": height,
        **{name: sized(axis, scale) for name, axis in axes.items()},
        **legend_above(height - (190 if narrow else 140), scale, 0),
        "annotations": _labels(pair, view, (left, right, ground, norm, loss), scale),
        "shapes": [_threshold(view)],
        "margin": {"l": 56, "r": 16, "t": 60, "b": 80},
    }
    if narrow:
        layout["margin"] |= {"b": 130}
    if view.shown == RELIEF:
        layout["scene"] = _scene(left, [strip[1] + 0.02, ground[1]], 1.45 if narrow else 1.0)
    return captioned(layout, _broken(caption) if narrow else caption)


def _broken(caption: str) -> str:
    """Write the settings in lines of two, for a narrow screen."""
    parts = caption.split(" · ")
    return " ·<br>".join(" · ".join(parts[first : first + 2]) for first in range(0, len(parts), 2))


def _scene(across: Sequence[float], up: Sequence[float], away: float) -> dict[str, Any]:
    def axis(title: str, span: Span, **more: Any) -> dict[str, Any]:
        plain = {"showbackground": False, "gridcolor": theme.GRID, "tickfont": {"size": 13}}
        return {"title": {"text": title, "font": {"size": theme.LABEL_SIZE}}, "range": list(span), **plain, **more}

    def between(span: Span) -> dict[str, Any]:
        # Not at the ends: however it is turned, in a corner two axes' numbers would lie on each other.
        return {"tickvals": list(np.arange(span[0] + 0.5, span[1], 0.5))}

    return {
        "domain": {"x": list(across), "y": list(up)},
        "xaxis": axis("w", W_SPAN, **between(W_SPAN)),
        "yaxis": axis("b", B_SPAN, **between(B_SPAN)),
        "zaxis": axis("loss", (0.0, 0.47)),
        "aspectratio": {"x": 1.35, "y": 1.35, "z": 0.8},
        "camera": {"eye": {"x": 1.15 * away, "y": 1.7 * away, "z": 1.2 * away}, "center": {"x": 0, "y": 0, "z": -0.2}},
    }


def _threshold(view: CliffView) -> dict[str, Any]:
    line = {"type": "line", "xref": "x2", "x0": 0, "x1": view.updates, "yref": "y2"}
    ends = {"y0": view.threshold, "y1": view.threshold}
    return line | ends | {"line": {"color": theme.CURSOR, "width": 2.5, "dash": "dash"}}


def _labels(pair: Sequence[Walk], view: CliffView, places: Sequence[Any], scale: float) -> list[dict[str, Any]]:
    left, right, ground, norm, loss = places
    title = "Gradient norm ‖dL/d(w, b)‖" if view.shown == GRADIENT else f"Loss (h<sub>T</sub> - {TARGET:g})²"
    size = 16 * scale
    limit = "entries' limit" if view.clip == "value" else "threshold"
    texts = [
        label(f"<b>{title}</b> over w and b, T = {view.steps}", left[0], ground[1], size=size),
        label(f"<b>Gradient norm</b>, {limit} dashed", right[0], norm[1], size=size),
        label("<b>Loss</b>", right[0], loss[1], size=size),
    ]
    if view.shown != RELIEF:
        squares = f"squares: longest gradient<br>within {BESIDE:g} of the wall"
        told = squares if view.shown == GRADIENT else "theory: the wall,<br>where h₀ repels"
        texts += [_noted(told, 6.1, float(wall(np.array(6.1))), "right", "top")]
        texts += [note for row, walk in enumerate(pair) for note in _where_to(walk, row)]
    return texts


def _noted(text: str, w: float, b: float, xanchor: str, yanchor: str) -> dict[str, Any]:
    """A note on the map, beside a place: light on dark, whatever colour lies below."""
    return {
        "text": text,
        "x": w,
        "y": b,
        "xanchor": xanchor,
        "yanchor": yanchor,
        "xshift": -14 if xanchor == "right" else 14,
        "yshift": -8 if yanchor == "top" else 8,
        "showarrow": False,
        "bgcolor": CASING,
        "font": {"size": 15, "color": "#ffffff"},
        "borderpad": 4,
    }


def _where_to(walk: Walk, row: int) -> list[dict[str, Any]]:
    """Write at the edge where a path went that leaves the map: of several times by the longest update, as in the headline."""
    left = exits(walk.path)
    if not left:
        return []
    lengths = walk.path.lengths
    update, w, b = max(left, key=lambda each: lengths[each[0]])
    to_w, to_b = walk.path.points[update + 1]
    xanchor = "right" if w > sum(W_SPAN) / 2 else "left"
    yanchor = "top" if b > sum(B_SPAN) / 2 else "bottom"
    note = _noted(f"to w = {number(to_w, 3)}, b = {number(to_b, 3)}", w, b, xanchor, yanchor)
    # Two may leave at nearly the same place: the second note stands in a row of its own.
    note["yshift"] += (-34 if yanchor == "top" else 34) * row
    return [note | {"bordercolor": walk.ink, "borderwidth": 2}]


def _powers(span: Span, step: int = 1) -> dict[str, Any]:
    values = [exponent for exponent in range(int(np.ceil(span[0])), int(np.floor(span[1])) + 1) if exponent % step == 0]
    return {"tickvals": values, "ticktext": ["1" if value == 0 else power_of_ten(value) for value in values]}


def _decades(span: Span) -> dict[str, Any]:
    ticks = _powers(span, 2)
    return {"showgrid": True, "tickvals": [10.0**value for value in ticks["tickvals"]], "ticktext": ticks["ticktext"]}


# --- a section through the wall -----------------------------------------------------------------


def section_figure(section: Section, caption: str) -> go.Figure:
    """Draw the loss along b: the wall rises with the number of steps; the last one is the present."""
    styles = ["dot", "dashdot", "dash"]
    traces: Traces = []
    for place, (steps, loss) in enumerate(section.loss.items()):
        now = place == len(section.loss) - 1
        ink = theme.NOW if now else theme.BASELINE
        traces.append(
            go.Scatter(
                x=small(section.b),
                y=small(loss),
                mode="lines",
                line={
                    "width": 4 if now else 3,
                    "color": ink,
                    "dash": "solid" if now else styles[place % len(styles)],
                },
                name=f"T = {steps}: gradient norm up to {number(section.longest[steps])}",
                hovertemplate=f"T = {steps}, b %{{x:.3f}}<br>loss %{{y:.3g}}<extra></extra>",
            )
        )

    def layout(height: int, scale: float) -> dict[str, Any]:
        """For a wide screen, or smaller for a phone."""
        x = sized({"range": list(B_SPAN), "title": below(f"b, at w = {number(section.w, 3)}")}, scale)
        y = sized({"range": [-0.01, 0.5], "title": "loss", "showgrid": True}, scale)
        margin = {"l": 70, "r": 16, "t": 84, "b": 80 if scale == 1 else 130}
        placed = {
            "height": height,
            "xaxis": x,
            "yaxis": y,
            "margin": margin,
            **legend_above(height - 84 - margin["b"], scale),
        }
        return captioned(placed, _broken(caption) if scale < 1 else caption)

    return go.Figure(
        data=traces,
        layout={"template": theme.TEMPLATE, **layout(420, 1.0), "meta": {"narrow": layout(530, NARROW_SCALE)}},
    )


# --- Describe the cliff: what became of both descents, in a headline and, with all numbers, for those who hear it ---


# An update of this length or more throws: half of the map's width.
THROWN = 2.0
TOLD = 6


def cliff_summary(view: CliffView) -> str:
    """Say all settings in one line: what a picture must carry to explain itself."""
    return " · ".join(
        [
            f"h_t = σ(w h_(t-1) + b), {view.steps} steps",
            f"loss (h_{view.steps} - {TARGET:g})²",
            f"from w {view.w:g}, b {view.b:g}",
            f"gradient descent, learning rate {view.learning_rate:g}",
            f"clipping by {view.clip} at {view.threshold:g}",
            f"{view.updates} updates",
        ]
    )


def headline(free: Path, clipped: Path, view: CliffView) -> str:
    """Say what clipping changed and where both paths end, with their numbers."""
    limit = f"clipped by {view.clip} to {view.threshold:g}"
    if np.array_equal(free.points, clipped.points, equal_nan=True):
        return (
            f"No gradient is longer than {number(_norm(free), 3)} in {view.updates} updates: clipping changes nothing, the "
            f"loss ends {_end(free)} ({_last(free)})"
        )
    gone, kept = _leaves(free), _leaves(clipped)
    if gone and kept:
        return f"Without clipping {gone}; {limit}, {kept}; {_ending(free, clipped, 'clipped')}"
    if gone:
        return f"Without clipping {gone}; {_ending(free, clipped, limit)}"
    longest = f"without clipping the longest gradient has norm {number(_norm(free), 3)}"
    if kept:
        return f"{limit[0].upper()}{limit[1:]}, {kept}; {longest}; {_ending(free, clipped, 'clipped')}"
    return f"Both descents stay on the map; {longest}; {_ending(free, clipped, limit)}"


def _norm(path: Path) -> float:
    """Of the longest gradient that an update followed."""
    return float(path.norm[path.longest])


def _ending(free: Path, clipped: Path, limit: str) -> str:
    """Say where both end; where clipping ends worse, that it does."""
    without, limited = _end(free), _end(clipped)
    if without == limited:
        return f"both losses end {limited} ({_last(free)})"
    # A loss that is not finite is the worst of all.
    if np.nan_to_num(clipped.settled, nan=math.inf) > np.nan_to_num(free.settled, nan=math.inf):
        return f"{limit}, the loss ends worse, {limited}, without clipping {without} ({_last(free)})"
    return f"{limit}, the loss ends {limited} instead of {without} ({_last(free)})"


def _end(path: Path) -> str:
    """Say where a loss ends: while it still hops, only the power of ten below which it stays, for its median is chance."""
    low, high = float(path.last.min()), float(path.last.max())
    if 0 < 2 * low < high < math.inf:
        return f"below {number(10.0 ** math.ceil(math.log10(high)))}"
    return f"at {number(path.settled)}"


def _last(path: Path) -> str:
    count = len(path.last)
    return f"{'all' if count == len(path.loss) - 1 else 'the last'} {count} updates"


def _leaves(path: Path) -> str:
    """Say how a path leaves the map, or ends; empty where it does neither."""
    left = exits(path)
    if left:
        lengths = path.lengths
        update = max((each[0] for each in left), key=lambda each: lengths[each])
        way = _way_off(path, update)
        told = f"throws {way}" if lengths[update] >= THROWN else f"leads {way}, off the map"
        return f"a gradient of norm {number(path.norm[update], 3)} {told}"
    lost = ~np.isfinite(path.points).all(axis=1)
    return f"w and b are not finite from update {int(np.argmax(lost))} on" if lost.any() else ""


def _way_off(path: Path, update: int) -> str:
    """Say where that update leads what leaves the map by it: w, b or both."""
    ways = zip("wb", (W_SPAN, B_SPAN), path.points[update], path.points[update + 1], strict=True)
    return " and ".join(
        f"{name} from {number(start, 3)} to {number(end, 3)}"
        for name, (low, high), start, end in ways
        if not low <= end <= high
    )


def growth(view: CliffView, free: Path) -> str:
    """Say what theory has to say of the wall at that w where the longest gradient was met, and how far that was from it."""
    w, b = map(float, free.points[free.longest])
    factor = w * START * (1 - START)
    if not math.isfinite(factor):
        return ""
    if w <= REPELS:
        return f"At w = {number(w, 3)} h₀ is nowhere a fixed point that repels (that takes w > {number(REPELS, 3)})."
    away = abs(b - float(wall(np.array(w))))
    return (
        f"On the wall's line, w h₀ + b = 0.5, at w = {number(w, 3)} an error at h₀ grows {number(factor, 3)} times a step: "
        f"{decades(view.steps * math.log10(factor))} times in {view.steps}. "
        f"The longest gradient without clipping was met at this w, {number(away)} from the line in b."
    )


def describe_cliff(ground: Ground, free: Path, clipped: Path, view: CliffView) -> str:
    """Say the map's and both paths' numbers."""
    loss, norm = ground.slope.loss, ground.slope.norm
    told = [
        f"{headline(free, clipped, view)}.",
        f"On the map, w from {ground.w[0]:g} to {ground.w[-1]:g} and b from {ground.b[0]:g} to {ground.b[-1]:g}, the loss "
        f"goes from {number(loss.min())} to {number(loss.max())}, the gradient's norm from {number(norm.min())} to "
        f"{number(norm.max())} at the grid's points.",
        _way("Without clipping", free),
        _way(f"Clipped by {view.clip} to {view.threshold:g}", clipped),
        f"{cliff_summary(view)}.",
    ]
    return " ".join(told)


def _way(name: str, path: Path) -> str:
    told = []
    for update in thin(range(len(path.loss)), TOLD):
        w, b = path.points[update]
        told.append(
            f"after {update} updates w {number(w, 3)}, b {number(b, 3)}, loss {number(path.loss[update])}, gradient norm "
            f"{number(path.norm[update])}"
        )
    return f"{name}: {'; '.join(told)}."


def describe_section(section: Section) -> str:
    """Say how high and how steep the loss is along b, by number of steps."""
    told = (
        f"with {steps} steps the loss lies between {number(loss.min())} and {number(loss.max())}, its longest gradient has "
        f"norm {number(section.longest[steps])}"
        for steps, loss in section.loss.items()
    )
    return f"Along b at w = {number(section.w, 3)}: {'; '.join(told)}."
