"""The net as a row of layers, first to output, with the size of each at one epoch as a bar: it shrinks or grows on its way back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.figures import axes, marks, panels, plain, theme
from explorer.figures.axes import Box, Limits
from explorer.figures.marks import Mask, Panel, Traces
from explorer.figures.panels import DrawnNet, Nets
from explorer.figures.plain import Trace
from explorer.figures.replay import BARS, LOST_MARKS, STILL, ZERO_MARKS, moved
from explorer.figures.view import View

# Axes: layers across; bars; boxes of layers.
ACROSS, UP, BOXES = "x5", "y7", "y8"
# Of a layer's place, 1 wide: all bars; the space between two. So many layers leave room for arrows between boxes, and for
# the names of all.
WIDTH, GAP = 0.64, 0.05
ROOM_FOR_ARROWS, NARROW_ROOM_FOR_NAMES = 20, 9
NO_COLOUR = "rgba(0, 0, 0, 0)"


def height_span(view: View) -> Limits:
    """Return the span of the bars; of ratios the half below 1, where gradients vanish, gets two thirds of the height."""
    low, high = view.span
    return (low, high / 2) if view.is_ratio else (low, high)


def net_row(nets: Nets, view: View, epoch: int) -> Traces:
    """Draw a box for each layer and above it a bar for each net: the baseline's left in grey, the present's in the map's colours."""
    traces = _boxes(max(shown.history.experiment.layers for shown in nets))
    width = WIDTH / len(nets)
    for number, shown in enumerate(nets):
        shift = (number - (len(nets) - 1) / 2) * (width + GAP)
        bars = _Bars(shown, number, view, shift, width)
        traces += bars.draw(shown.history.at(epoch), coloured=shown is nets[-1])
    return traces


def net_axes(layers: int, view: View, bars: Box, boxes: Box, narrow: bool) -> dict[str, Any]:
    """Return the three axes of a row of so many layers, whose names stand in their boxes."""
    room = NARROW_ROOM_FOR_NAMES if narrow else ROOM_FOR_ARROWS
    told = [*range(1, layers + 1)] if layers <= room else axes.end_ticks(layers)
    names = axes.ticks(told, [*map(str, told[:-1]), "out"]) | {
        "side": "top",
        "ticklabelposition": "inside",
        "tickangle": 0,
    }
    bare = {"showgrid": False, "showticklabels": False, "fixedrange": True}
    span = height_span(view)
    return {
        "xaxis5": bare
        | names
        | {"showticklabels": True, "range": [0.4, layers + 0.6], "domain": list(bars[0]), "anchor": BOXES},
        "yaxis7": {"range": list(span), "showgrid": True, "fixedrange": True, **axes.few_value_ticks(view, span)}
        | {"domain": list(bars[1]), "anchor": ACROSS},
        "yaxis8": bare | {"range": [-1.1, 1.1], "domain": list(boxes[1]), "anchor": ACROSS},
    }


def _boxes(layers: int) -> Traces:
    places = np.arange(1, layers + 1)
    across: dict[str, Any] = {"xaxis": ACROSS, "yaxis": BOXES, "hoverinfo": "skip", "showlegend": False}
    box = {"color": NO_COLOUR, "line": {"width": 1.5, "color": theme.CURSOR}}
    size = {"x": places, "y": np.full(layers, 2), "base": -1, "width": WIDTH}
    traces: Traces = [plain.trace("bar", **size, marker=box, **across)]
    if layers <= ROOM_FOR_ARROWS:
        arrow = {"symbol": "triangle-left", "size": 9, "color": theme.CURSOR}
        between = places[:-1] + 0.5
        traces.append(plain.trace("scatter", x=between, y=0 * between, mode="markers", marker=arrow, **across))
    return traces


@dataclass(frozen=True)
class _Bars:
    """The bars of one net, and where they stand."""

    shown: DrawnNet
    net: int
    view: View
    shift: float
    width: float

    def draw(self, record: int, *, coloured: bool) -> Traces:
        """Draw each layer's size at a record; exact zeros, what is not finite and what is off the scale have marks."""
        view, (low, high) = self.view, height_span(self.view)
        values = panels.shown_band(self.shown.history, view, [0, record]).middle[-1]
        values = np.where(panels.undefined(self.shown.history, view), np.nan, values)
        places = np.arange(1, len(values) + 1)
        said = [
            f"{self.shown.name}, layer {at}: {panels.say_value(value, view)}"
            for at, value in zip(places, values, strict=True)
        ]
        style = self.shown.style
        finite = marks.drawable(values)
        look: dict[str, Any] = {"color": style.colour}
        if coloured:
            limits = {"cmin": view.span[0], "cmax": view.span[1], "colorscale": panels.colour_scale(view)}
            look = {"color": finite, **limits, "line": {"width": 2, "color": style.colour}}
        bars = plain.trace(
            "bar",
            x=places + self.shift,
            y=np.clip(finite, low, high) - marks.float32(np.array(low)),
            base=low,
            width=self.width,
            marker=look,
            hovertext=said,
            hoverinfo="text",
            showlegend=False,
            xaxis=ACROSS,
            yaxis=UP,
        )
        kinds = (
            (ZERO_MARKS, values == -np.inf, marks.FLAT_MARKS[0]),
            (LOST_MARKS, values == np.inf, marks.FLAT_MARKS[1]),
        )
        return [
            moved(bars, BARS, self.net, shift=self.shift, base=low, top=high),
            *(self._marks(role, places, mask, mark) for role, mask, mark in kinds),
            *self._beyond(places, values, said),
        ]

    def _marks(self, role: str, places: NDArray[Any], mask: Mask, mark: marks.FlatMark) -> Trace:
        """Mark the layers whose value has no height; a trace that is empty now may not be so in a replay."""
        low, high = height_span(self.view)
        at = low if mark.value < 0 else high
        inside = 0.07 * (high - low) * (1 if mark.value < 0 else -1)
        trace = plain.trace(
            "scatter",
            x=places[mask] + self.shift,
            y=np.full(int(mask.sum()), at + inside),
            mode="markers",
            marker={"symbol": "square", "size": 12, "color": mark.colour},
            name=mark.words,
            showlegend=bool(mask.any()),
            hovertemplate=f"{self.shown.name}: {mark.words}<extra></extra>",
            xaxis=ACROSS,
            yaxis=UP,
        )
        return moved(trace, role, self.net, shift=self.shift, height=at + inside)

    def _beyond(self, places: NDArray[Any], values: Array, said: list[str]) -> Traces:
        """Mark what is off the scale, though not off the map's in every case: a triangle at the bar's end."""
        panel = Panel(height_span(self.view), x=ACROSS, y=UP, margin=0.07, size=12)
        finite = np.where(np.isfinite(values), values, np.nan)
        edges = panel.edge_marks(places + self.shift, finite, theme.CURSOR, said, legend=False)
        return [moved(trace, STILL) for trace in edges]
