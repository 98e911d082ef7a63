"""The cliff: the loss over (w, b) with two descents on it, what each update met, and a section through the wall."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import numpy as np

from explorer.choices.arrays import Array, thin
from explorer.choices.clipping import CLIPPERS
from explorer.diagnosis.seeds import logarithm
from explorer.diagnosis.walk_graph import SUBSCRIPTS
from explorer.diagnosis.wording import number
from explorer.figures import axes, marks, plain, theme
from explorer.figures.axes import Limits, title
from explorer.figures.marks import Panel, Traces
from explorer.figures.plain import Figure, Trace
from explorer.figures.view import GRADIENT, RELIEF, CliffView
from explorer.sweeps import cliff
from explorer.sweeps.cliff import B_SPAN, TARGET, W_SPAN, LossMap, Section, wall
from explorer.sweeps.descent import Path, cliff_headline, cliff_summary, exits, inside

# In decades, always the same: pictures of different settings can be compared.
LOSS_COLOURS, NORM_COLOURS = (-4.0, 0.0), (-3.0, 3.0)
NORM_AXIS, LOSS_AXIS = (-4.0, 4.0), (-8.0, 0.3)
UNCLIPPED, CLIPPED = theme.THEORY, theme.NOW
WHITE = "#ffffff"
WHITE_RIM = {"width": 1.5, "color": WHITE}
TOLD = 6  # points of each path in the alternative text


@dataclass(frozen=True, eq=False)
class Walk:
    """A descent as it is drawn."""

    name: str
    path: Path
    colour: str
    symbol: str


def walks(free: Path, clipped: Path, view: CliffView) -> tuple[Walk, Walk]:
    """Return both descents with name and colour."""
    return (
        Walk("without clipping", free, UNCLIPPED, "square"),
        Walk(f"clipped by {view.clip} to {view.threshold:g}", clipped, CLIPPED, "circle"),
    )


def cliff_figure(ground: LossMap, both: Sequence[Walk], view: CliffView, caption: str) -> Figure:
    """Draw the map on the left, and on the right gradient norm and loss by update, of both walks."""
    traces: Traces = (_relief if view.shown == RELIEF else _map)(ground, both, view)
    traces += marks.colour_bar(colours(view), theme.SIZE_SCALE, "x4", "y4")
    for walk in both:
        traces += _by_update(walk, walk.path.norm, Panel(NORM_AXIS, "", "x2", "y2", powers=True, size=9, margin=0.03))
        traces += _by_update(walk, walk.path.loss, Panel(LOSS_AXIS, "", "x2", "y3", powers=True, size=9, margin=0.03))
    return marks.compose(traces, lambda narrow: _layout(both, view, caption, narrow))


def colours(view: CliffView) -> Limits:
    """Return the ends of the colours, in decades."""
    return NORM_COLOURS if view.shown == GRADIENT else LOSS_COLOURS


def _map(ground: LossMap, both: Sequence[Walk], view: CliffView) -> Traces:
    of_gradient, (low, high) = view.shown == GRADIENT, colours(view)
    logs = logarithm(ground.surface.norm if of_gradient else ground.surface.loss)
    w, b, what = marks.float32(ground.w), marks.float32(ground.b), "gradient norm" if of_gradient else "loss"
    look = {"zmin": low, "zmax": high, "colorscale": theme.SIZE_SCALE, "showscale": False}

    # Not in plain numbers: what `customdata` holds is where a click on a figure counts.
    def hover(words: str) -> dict[str, Any]:
        return {"hovertemplate": f"w %{{x:.2f}}, b %{{y:.2f}}<br>{what} {words or '10^%{z:.2f}'}<extra></extra>"}

    traces = marks.heatmap(logs, look, hover, flat=marks.flat_colour, x=w, y=b)
    if not of_gradient:
        # Every second point is enough for lines, and draws them in a quarter of the time.
        traces.append(
            plain.trace(
                "contour",
                x=w[::2],
                y=b[::2],
                z=marks.drawable(logs)[::2, ::2],
                contours={"start": -4, "end": -0.5, "size": 0.5, "coloring": "none"},
                line={"width": 1, "color": "rgba(255, 255, 255, 0.45)"},
                showscale=False,
                showlegend=False,
                hoverinfo="skip",
            )
        )
    traces.append(_wall(ground, of_gradient))
    for walk in both:
        traces += _walk(walk)
    marker = {"symbol": "star", "size": 20, "color": WHITE, "line": {"width": 2, "color": theme.CASING}}
    look = {"name": "start", "mode": "markers", "marker": marker, "showlegend": False}
    return [*traces, marks.points({"x": [view.w], "y": [view.b]}, [f"start: w {view.w:g}, b {view.b:g}"], **look)]


def _wall(ground: LossMap, of_gradient: bool) -> Trace:
    """Where theory has the wall, or the longest gradient measured close to it, which the map's grid may miss."""
    there = ground.w > cliff.REPELS
    w, longest = ground.w[there], ground.on_wall[there]
    place = {"x": marks.float32(w), "y": marks.float32(wall(w)), "showlegend": False}
    if not of_gradient:
        line = {"width": 2.5, "dash": "dash", "color": WHITE}
        return marks.points(place, None, mode="lines", line=line, name="theory: the wall, where h₀ repels")
    low, high = NORM_COLOURS
    sizes = marks.drawable(logarithm(longest))
    marker = {"size": 7, "symbol": "square", "color": sizes, "cmin": low, "cmax": high}
    marker |= {"colorscale": theme.SIZE_SCALE, "showscale": False}
    texts = [
        f"w {across:.2f}, within {cliff.BESIDE:g} of the wall in b<br>gradient norm up to {number(norm)}"
        for across, norm in zip(w, longest, strict=True)
    ]
    return marks.points(place, texts, name="measured at the wall", mode="markers", marker=marker)


def _walk(walk: Walk) -> Traces:
    """A path with a dark outline: no single colour stands out from every colour of the map."""
    points = walk.path.points
    place = {"x": marks.float32(points[:, 0]), "y": marks.float32(points[:, 1])}
    texts = [_told(walk, update) for update in range(len(points))]
    marker = {"size": 9, "symbol": walk.symbol, "color": walk.colour, "line": WHITE_RIM}
    line, casing = {"width": 3, "color": walk.colour}, {"width": 6, "color": theme.CASING}
    return [
        marks.points(place, None, mode="lines", line=casing, showlegend=False),
        marks.points(place, texts, mode="lines+markers", line=line, marker=marker, name=walk.name),
        *_exits(walk),
        *_loss_of_path(walk),
    ]


def _told(walk: Walk, update: int) -> str:
    w, b = walk.path.points[update]
    return (
        f"{walk.name}, after {update} {'update' if update == 1 else 'updates'}<br>w {number(w, 3)}, b {number(b, 3)}"
        f"<br>loss {number(walk.path.loss[update])}, gradient norm {number(walk.path.norm[update])}"
    )


def _exits(walk: Walk) -> Traces:
    left = exits(walk.path)
    if not left:
        return []
    updates = np.array([update for update, _, _ in left])
    way = walk.path.points[updates + 1] - walk.path.points[updates]
    angle = np.degrees(np.arctan2(way[:, 0], way[:, 1]))
    place = {"x": [w for _, w, _ in left], "y": [b for _, _, b in left], "cliponaxis": False}
    texts = [_told(walk, update + 1) for update in updates]
    marker = {"symbol": "triangle-up", "angle": angle, "size": 18, "color": walk.colour, "line": WHITE_RIM}
    look = {"name": f"{walk.name}: off the map", "showlegend": False}
    return [marks.points(place, texts, mode="markers", marker=marker, **look)]


def _loss_of_path(walk: Walk) -> Traces:
    points = walk.path.points
    lost = ~np.isfinite(points).all(axis=1)
    if not lost.any():
        return []
    last = int(np.argmax(lost)) - 1
    w, b = (float(np.clip(place, *span)) for place, span in zip(points[last], (W_SPAN, B_SPAN), strict=True))
    texts = [f"{walk.name}: not finite from update {last + 1} on"]
    look = {"mode": "markers", "marker": {"symbol": "square", "size": 14, "color": theme.NOT_FINITE}}
    return [marks.points({"x": [w], "y": [b], "cliponaxis": False}, texts, name=marks.NOT_FINITE_WORDS, **look)]


def _relief(ground: LossMap, both: Sequence[Walk], view: CliffView) -> Traces:
    loss, (low, high) = ground.surface.loss, colours(view)
    surface = plain.trace(
        "surface",
        x=marks.float32(ground.w),
        y=marks.float32(ground.b),
        z=marks.float32(loss),
        surfacecolor=marks.drawable(logarithm(loss)),
        cmin=low,
        cmax=high,
        colorscale=theme.SIZE_SCALE,
        showscale=False,
        lighting={"ambient": 0.75, "diffuse": 0.5, "specular": 0.05},
        hovertemplate="w %{x:.2f}, b %{y:.2f}<br>loss %{z:.3f}<extra></extra>",
    )
    return [surface, *(_on_relief(walk) for walk in both)]


def _on_relief(walk: Walk) -> Trace:
    """A path, lifted a little above the surface; it ends at the edge of the map."""
    points, loss = walk.path.points, walk.path.loss
    here = inside(points)
    places = [(*point, height) for point, height, kept in zip(points, loss, here, strict=True) if kept]
    leaving = exits(walk.path)
    if leaving and not here[-1]:
        update, w, b = leaving[-1]
        places.append((w, b, loss[update + 1]))
    w, b, z = np.array(places).T
    return plain.trace(
        "scatter3d",
        x=marks.float32(w),
        y=marks.float32(b),
        z=marks.float32(z + 0.008),
        mode="lines+markers",
        line={"width": 7, "color": walk.colour},
        marker={"size": 4.5, "symbol": walk.symbol, "color": walk.colour},
        hoverinfo="skip",
        name=walk.name,
    )


def _by_update(walk: Walk, values: Array, panel: Panel) -> Traces:
    words = "gradient norm" if panel.y == "y2" else "loss"
    updates = np.arange(len(values))
    texts = [f"{walk.name}, after {update} updates<br>{words} {number(value)}" for update, value in enumerate(values)]
    logs = logarithm(values)
    place = panel.placed(updates, np.where(np.isfinite(logs), values, np.nan))
    look = {"line": {"width": 3, "color": walk.colour}, "marker": {"size": 6, "symbol": walk.symbol}}
    line = marks.points(place, texts, mode="lines+markers", name=walk.name, showlegend=False, **look)
    return [line, *panel.edge_marks(updates, logs, walk.colour, texts, legend=None)]


@dataclass(frozen=True)
class _Places:
    """Where everything lies: height in pixels, else (left, right) and (bottom, top) as shares of the figure's inside."""

    height: int
    below: int
    left: list[float]
    right: list[float]
    ground: list[float]
    colour_bar: list[float]
    norm: list[float]
    loss: list[float]


WHOLE = [0.0, 1.0]
WIDE = _Places(740, 80, [0.0, 0.56], [0.66, 1.0], [0.135, 0.96], [0.0, 0.025], [0.54, 0.96], [0.0, 0.44])
NARROW = _Places(1250, 130, WHOLE, WHOLE, [0.62, 0.97], [0.535, 0.548], [0.285, 0.475], [0.0, 0.21])


def _layout(both: Sequence[Walk], view: CliffView, caption: str, narrow: bool) -> dict[str, Any]:
    place = NARROW if narrow else WIDE
    updates = {"uirevision": view.updates, "range": [0, view.updates], "title": title("update")}
    values = {"range": list(colours(view)), **axes.decade_ticks(colours(view))}
    named_axes: dict[str, Any] = {
        "xaxis2": updates | {"anchor": "y3", "domain": place.right},
        "yaxis2": {"domain": place.norm, "anchor": "x2", "showgrid": True, **axes.log_axis(NORM_AXIS)},
        "yaxis3": {"domain": place.loss, "anchor": "x2", "showgrid": True, **axes.log_axis(LOSS_AXIS)},
        **axes.pair(4, (place.left, place.colour_bar), values, {"visible": False, "fixedrange": True}),
    }
    if view.shown != RELIEF:
        bare = {"showgrid": False, "constrain": "domain"}
        w, b = {"range": list(W_SPAN), "title": title("w"), **bare}, {"range": list(B_SPAN), "title": "b", **bare}
        named_axes |= axes.pair(1, (place.left, place.ground), w, b)
    threshold = axes.LIMIT_LINE | {"xref": "x2", "x0": 0, "x1": view.updates, "yref": "y2"}
    threshold |= {"y0": view.threshold, "y1": view.threshold}
    inner = place.height - (190 if narrow else 140)
    notes = _labels(view, place, 16)
    if view.shown != RELIEF:
        squares = f"squares: longest gradient<br>within {cliff.BESIDE:g} of the wall"
        text = squares if view.shown == GRADIENT else "theory: the wall,<br>where h₀ repels"
        notes.append(_noted(text, 6.1, float(wall(np.array(6.1))), "right", "top"))
        notes += [note for row, walk in enumerate(both) for note in _where_to(walk, row)]
    layout = {
        "height": place.height,
        **axes.sized(named_axes),
        **axes.legend_above(inner, 0),
        "annotations": [*notes, _settings(caption, narrow)],
        "shapes": [threshold],
        "margin": {"l": 56, "r": 16, "t": 60, "b": place.below},
    }
    if view.shown == RELIEF:
        layout["scene"] = _scene(place.left, [place.colour_bar[1] + 0.02, place.ground[1]], 1.9 if narrow else 1.25)
    return layout


def _settings(caption: str, narrow: bool) -> dict[str, Any]:
    """The settings below everything; on a phone in lines of two."""
    parts = caption.split(" · ")
    lines = [" · ".join(parts[first : first + 2]) for first in range(0, len(parts), 2)]
    return axes.settings(" ·<br>".join(lines) if narrow else caption)


def _scene(across: Sequence[float], up: Sequence[float], away: float) -> dict[str, Any]:
    def axis(title: str, span: Limits, **more: Any) -> dict[str, Any]:
        # WebGL draws numbers larger than their size says.
        plain = {"showbackground": False, "gridcolor": theme.GRID, "tickfont": {"size": 14}}
        return {"title": {"text": title, "font": {"size": theme.TICK_SIZE}}, "range": list(span), **plain, **more}

    def between(span: Limits) -> dict[str, Any]:
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


def _labels(view: CliffView, place: _Places, size: float) -> list[dict[str, Any]]:
    final = f"h{str(view.steps).translate(SUBSCRIPTS)}"
    what = "Gradient norm ‖dL/d(w, b)‖" if view.shown == GRADIENT else f"Loss ({final} − {TARGET:g})²"
    limit = "entries' limit" if CLIPPERS[view.clip].by_entry else "threshold"
    return [
        axes.label(f"<b>{what}</b> over w and b, T = {view.steps}", place.left[0], place.ground[1], size=size),
        axes.label(f"<b>Gradient norm</b>, {limit} dashed", place.right[0], place.norm[1], size=size),
        axes.label("<b>Loss</b>", place.right[0], place.loss[1], size=size),
    ]


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
        "bgcolor": theme.CASING,
        "font": {"size": theme.TICK_SIZE, "color": WHITE},
        "borderpad": 4,
    }


def _where_to(walk: Walk, row: int) -> list[dict[str, Any]]:
    """Write at the edge where a path went when it left the map; if it left more than once, by its longest update, as in the headline."""
    left = exits(walk.path)
    if not left:
        return []
    lengths = walk.path.lengths
    update, w, b = max(left, key=lambda exit_: lengths[exit_[0]])
    to_w, to_b = walk.path.points[update + 1]
    xanchor = "right" if w > sum(W_SPAN) / 2 else "left"
    yanchor = "top" if b > sum(B_SPAN) / 2 else "bottom"
    note = _noted(f"to w = {number(to_w, 3)}, b = {number(to_b, 3)}", w, b, xanchor, yanchor)
    # Two may leave at nearly the same place: the second note stands in a row of its own.
    note["yshift"] += (-34 if yanchor == "top" else 34) * row
    return [note | {"bordercolor": walk.colour, "borderwidth": 2}]


def section_figure(section: Section, caption: str) -> Figure:
    """Draw the loss along b: the wall rises with the number of steps; the last one is the present."""
    earlier = [{"width": 3, "color": theme.BASELINE, "dash": dash} for dash in ("dot", "dashdot", "dash")]
    lines = [*islice(cycle(earlier), len(section.loss) - 1), {"width": 4, "color": theme.NOW, "dash": "solid"}]
    traces: Traces = [
        plain.trace(
            "scatter",
            x=marks.float32(section.b),
            y=marks.float32(loss),
            mode="lines",
            line=line,
            name=f"T = {steps}: gradient norm up to {number(section.longest[steps])}",
            hovertemplate=f"T = {steps}, b %{{x:.3f}}<br>loss %{{y:.3g}}<extra></extra>",
        )
        for (steps, loss), line in zip(section.loss.items(), lines, strict=True)
    ]

    x = {"range": list(B_SPAN), "title": title(f"b, at w = {number(section.w, 3)}")}
    y = {"range": [-0.01, 0.5], "title": "loss"}

    def layout(narrow: bool) -> dict[str, Any]:
        height, below = (530, 130) if narrow else (420, 80)
        return axes.one_panel(x, y, height, narrow, below) | {"annotations": [_settings(caption, narrow)]}

    return marks.compose(traces, layout)


# --- in words ----------------------------------------------------------------------------------


def describe_cliff(ground: LossMap, free: Path, clipped: Path, view: CliffView) -> str:
    """Say the map's and both paths' numbers."""
    loss, norm, descent = ground.surface.loss, ground.surface.norm, view.descent(clipped=True)
    told = [
        f"{cliff_headline(free, clipped, descent)}.",
        f"On the map, w from {ground.w[0]:g} to {ground.w[-1]:g} and b from {ground.b[0]:g} to {ground.b[-1]:g}, the loss "
        f"goes from {number(loss.min())} to {number(loss.max())}, the gradient's norm from {number(norm.min())} to "
        f"{number(norm.max())} at the grid's points.",
        _way("Without clipping", free),
        _way(f"Clipped by {view.clip} to {view.threshold:g}", clipped),
        f"{cliff_summary(descent)}.",
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
