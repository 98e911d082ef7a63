"""The cliff's panels: traces of its map, its relief and what each update met, placed on named axes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer import theme
from explorer.cliff import BESIDE, Ground, Path, wall
from explorer.cliff_view import B_SPAN, GRADIENT, W_SPAN, CliffView, exits, inside
from explorer.panels import Traces, small
from explorer.wording import number

Array = NDArray[np.float64]
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
