"""The cliff's figures: the loss over (w, b) with two descents on it, what each update met, and a section through the wall."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer import theme
from explorer.arrangement import label, sized
from explorer.cliff import BESIDE, TARGET, Ground, Section, wall
from explorer.cliff_panels import (
    CASING,
    LOSS_AXIS,
    NORM_AXIS,
    Walk,
    colour_bar,
    colours,
    curve,
    map_traces,
    relief_traces,
)
from explorer.cliff_view import B_SPAN, GRADIENT, RELIEF, W_SPAN, CliffView, exits
from explorer.depth_layout import below, captioned, legend_above
from explorer.panels import Traces, legend_once, small
from explorer.wording import number, power_of_ten

Array = NDArray[np.float64]
Span = tuple[float, float]

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
