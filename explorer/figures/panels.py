"""Panels that several figures share: position by epoch as colours, profile and loss of a history as a view shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.diagnosis.seeds import Band, band, log_band, logarithm
from explorer.diagnosis.wording import decades, number
from explorer.figures import axes, marks, plain, theme
from explorer.figures.axes import Box, Limits
from explorer.figures.marks import Mask, Panel, Traces
from explorer.figures.plain import Trace
from explorer.figures.theme import LineStyle
from explorer.figures.view import View
from explorer.training.history import SOLVED, History


@dataclass(frozen=True, eq=False)
class DrawnNet:
    """One experiment as it is drawn."""

    history: History
    name: str  # What its row is called, e.g. "now: skip over one layer"
    style: LineStyle = theme.NOW_STYLE
    theory: Array | None = None  # (positions,): log10 of the prediction for what the view shows, at the start


Nets = Sequence[DrawnNet]
# So many decades to both sides of 1 are numbers in single precision.
SINGLE_DECADES = 37
ESCAPED_WORDS = "a seed that diverges"


def net_line(shown: DrawnNet, words: str, narrow: bool) -> str:
    """Return a net's line above a figure; on a phone the words stand below the name."""
    name = axes.coloured_name(shown.style.colour, shown.name)
    return f"{name}<br>{axes.folded(words, axes.NARROW_LETTERS)}" if narrow else f"{name}: {words}"


def epoch_positions(epochs: NDArray[np.int64], view: View) -> Array:
    """Return where epochs lie on the axis; on a logarithmic one epoch 0 stands at 0.5."""
    return np.maximum(epochs, 0.5) if view.axis == "log" else epochs.astype(float)


def epoch_edges(epochs: NDArray[np.int64], view: View) -> Array:
    """Return the borders of a heatmap's columns, one more than there are records; half-way between two records.

    Plotly could guess them, but not from a single record on a logarithmic axis.
    """
    places = epoch_positions(epochs, view)
    if view.axis == "log":
        places = np.log10(places)
    middles = (places[1:] + places[:-1]) / 2
    first = np.log10(0.4) if view.axis == "log" else 0.0
    last = places[-1] if len(places) > 1 else places[-1] + 0.2
    edges = np.concatenate([[first], middles, [last]])
    return 10.0**edges if view.axis == "log" else edges


def shown_band(history: History, view: View, records: Sequence[int] | slice = slice(None)) -> Band:
    """Return quartiles over seeds of what is shown, (records, positions), in decades where the view is.

    `records` picks some, the first of which must be the start.
    """
    values = history.measures[view.diagnostic.name][:, records]
    if not view.in_decades:
        return band(values)
    return band(_log_ratio(values)) if view.is_ratio else log_band(values)


def _log_ratio(values: Array) -> Array:
    """log10 of every position's value over the last one's; the values themselves may be too far apart to be divided."""
    logs, last = logarithm(values), -1
    if np.isfinite(values[:, 0]).any():
        # The last position at which the measure is defined.
        last = int(np.flatnonzero(~np.isnan(values[:, 0]).all(axis=0))[-1])
    with np.errstate(invalid="ignore"):
        ratio = logs - logs[..., last : last + 1 or None]
    # Nothing left of nothing is still nothing.
    return np.where(logs == -np.inf, -np.inf, ratio)


def undefined(history: History, view: View) -> Mask:
    """Return at which positions the measure is not defined, such as dead units of the output."""
    values = history.measures[view.diagnostic.name][:, 0]
    # A run in which nothing is finite at the very start has diverged there: its NaN say something.
    at_once = np.array([ending is not None and ending.epoch == 0 for ending in history.endings])
    telling = values[~(at_once & ~np.isfinite(values).any(axis=-1))]
    return np.asarray(np.isnan(telling).all(axis=0) & (len(telling) > 0), dtype=bool)


def say_value(value: float, view: View) -> str:
    """Say a value of what is shown."""
    return decades(value) if view.in_decades else number(value)


def seeds_text(count: int) -> str:
    """Say a number of seeds."""
    return f"{count} {'seed' if count == 1 else 'seeds'}"


def learning_text(history: History) -> str:
    """Say the median loss at the start and at the end, and how many seeds have learnt the task."""
    loss, seeds = band(history.loss).middle, len(history.loss)
    ends = f"{number(loss[0])} at the start, {number(loss[-1])} at epoch {int(history.epochs[-1]):,}"
    have = "has" if seeds == 1 else "have"
    return f"Median loss {ends}. {history.outcome.count(SOLVED)} of {seeds_text(seeds)} {have} learnt it."


def colour_scale(view: View) -> object:
    """Return the colours of a view: ratios diverge from neutral, shares and sizes run from dark to light."""
    if view.is_ratio:
        return theme.RATIO_SCALE
    return theme.SIZE_SCALE if view.in_decades else theme.SHARE_SCALE


def position_by_epoch(history: History, view: View, x: str, y: str, net: int = 0) -> Traces:
    """Draw layer, or time step, by epoch; `net` is its number in a replay."""
    middle = shown_band(history, view).middle.T
    where = f"epoch %{{customdata[0]:,d}}, {view.kind.position} %{{y}}<br>"
    size = f"{view.diagnostic.title}: %{{customdata[1]:.3~g}}"
    low, high = view.span
    not_told = (middle == np.inf) & undefined(history, view)[:, None]
    drawn = marks.heatmap(
        np.where(not_told, np.nan, middle),
        {"zmin": low, "zmax": high, "colorscale": colour_scale(view)},
        lambda words: {"hovertemplate": f"{where}{words or size}<extra></extra>"},
        x=epoch_edges(history.epochs, view),
        y=np.arange(1, middle.shape[0] + 1),
        customdata=_epochs_and_sizes(history.epochs, middle, view),
        xaxis=x,
        yaxis=y,
        showscale=False,
    )
    roles = {theme.EXACT_ZERO: marks.ZERO, theme.NOT_FINITE: marks.LOST}
    return [
        trace
        if trace["type"] != "heatmap"
        else marks.moved(trace, roles.get(trace["colorscale"][0][1], marks.MAP), net)
        for trace in drawn
    ]


def _epochs_and_sizes(epochs: NDArray[np.int64], shown: Array, view: View) -> NDArray[Any]:
    """Return what a cell tells, (positions, records, 2): its epoch, and the number whose logarithm may be what is shown."""
    with np.errstate(over="ignore", invalid="ignore"):
        sizes = 10.0**shown if view.in_decades else shown
    told = np.stack(np.broadcast_arrays(epochs.astype(float), sizes), axis=-1)
    finite = np.abs(shown[np.isfinite(shown)])
    return told if view.in_decades and np.max(finite, initial=0.0) > SINGLE_DECADES else marks.float32(told)


def profile(
    shown: DrawnNet,
    view: View,
    record: int,
    named_axes: tuple[str, str],
    *,
    legend: bool,
    name: str = "",
    net: int = 0,
) -> Traces:
    """Draw position against size at one record: median, band over seeds, the start dotted, theory dashed.

    A `name` is said on hovering, where several share the panel; `net` is its number in a replay.
    """
    sides, style = shown_band(shown.history, view, [0, record]), shown.style
    start, values = sides.middle
    places = np.arange(1, len(values) + 1)
    where = [f"{name}, {view.kind.position} {place}" if name else f"{view.kind.position} {place}" for place in places]
    said = [f"{at}: {say_value(value, view)}" for at, value in zip(where, values, strict=True)]
    panel = Panel(view.span, x=named_axes[0], y=named_axes[1], sideways=True, margin=0.015)
    chosen = Band(sides.low[-1], values, sides.high[-1])
    known = ~(np.isnan(chosen.low) | np.isnan(chosen.high))

    def line(numbers: Array, texts: list[str] | None, words: str, mode: str, **look: Any) -> Trace:
        place = panel.placed(places, marks.drawable(numbers))
        return marks.points(place, texts, name=words, mode=mode, line=look, showlegend=legend)

    traces: Traces = [
        panel.band(places, chosen, known, style.band, showlegend=legend and shown.history.experiment.runs > 1),
        line(start, None, marks.START_WORDS, "lines", width=2, dash="dot", color=style.colour),
    ]
    if shown.theory is not None:
        texts = [f"{at}, theory: {decades(value)}" for at, value in zip(where, shown.theory, strict=True)]
        traces.append(line(shown.theory, texts, marks.THEORY_WORDS, "lines", width=3, dash="dash", color=theme.THEORY))
    mode = "lines+markers" if len(values) <= marks.ROOM_FOR_MARKERS else "lines"
    traces.append(line(values, said, marks.CHOSEN_WORDS, mode, width=3.5, color=style.colour))
    traces[-1] = marks.moved(traces[-1], marks.PROFILE, net)
    traces[0] = marks.moved(traces[0], marks.STILL)
    defined = np.where(undefined(shown.history, view), np.nan, values)
    edges = panel.edge_marks(places, defined, style.colour, said, legend=False)
    return [*traces, *(marks.moved(edge, marks.STILL) for edge in edges)]


def loss_lines(shown: DrawnNet, view: View, named_axes: tuple[str, str], *, each_seed: bool) -> Traces:
    """Draw the loss over epochs: the median strong and, faintly, every seed."""
    history, style, name = shown.history, shown.style, shown.name
    across, middle = epoch_positions(history.epochs, view), band(history.loss).middle
    place: dict[str, Any] = {"xaxis": named_axes[0], "yaxis": named_axes[1], "mode": "lines"}
    traces: Traces = []
    if each_seed and len(history.loss) > 1:
        gap = np.full((len(history.loss), 1), np.nan)
        x = np.concatenate([np.broadcast_to(across, history.loss.shape), gap], axis=1).ravel()
        y = np.concatenate([history.loss, gap], axis=1).ravel()
        look = {"line": {"width": 1, "color": style.faint}, "name": "each seed", "connectgaps": False}
        traces.append(marks.points({"x": x, "y": y, **place}, None, **look))
    median = plain.trace(
        "scatter",
        x=across,
        y=np.where(np.isfinite(middle), middle, np.nan),
        line={"width": 3.5, "color": style.colour, "dash": style.dash},
        name=name,
        showlegend=False,
        customdata=history.epochs,
        hovertemplate=f"{name}<br>epoch %{{customdata:,d}}: median loss %{{y:.3g}}<extra></extra>",
        **place,
    )
    return [*traces, median]


def loss_escapes(shown: DrawnNet, view: View, named_axes: tuple[str, str], span: Limits) -> Traces:
    """Mark where single seeds that diverge leave a panel whose axis has this span, in decades."""
    history, across = shown.history, epoch_positions(shown.history.epochs, view)
    leaving = np.flatnonzero(axes.escaping(history.loss))
    if not leaving.size:
        return []
    with np.errstate(invalid="ignore"):
        beyond = ~(history.loss[leaving] <= 10.0 ** span[1])
    first = beyond.argmax(axis=1)[beyond.any(axis=1)]
    seeds = history.experiment.seed + leaving[beyond.any(axis=1)]
    said = [
        f"seed {seed} leaves the panel at epoch {history.epochs[at]:,}" for seed, at in zip(seeds, first, strict=True)
    ]
    marker = {"symbol": "triangle-up", "size": 12, "color": theme.NOT_FINITE}
    place = {
        "x": across[first],
        "y": np.full(len(first), 10.0 ** (0.93 * span[1] + 0.07 * span[0])),
        "mode": "markers",
        "marker": marker,
    }
    place |= {"xaxis": named_axes[0], "yaxis": named_axes[1]}
    return [marks.points(place, said, name=ESCAPED_WORDS, cliponaxis=False)]


def view_colour_bar(view: View, x: str, y: str) -> Traces:
    """Draw the colour bar of a view on the profile's own axis."""
    return marks.colour_bar(view.span, colour_scale(view), x, y)


# --- the net as a row of layers ----------------------------------------------------------------

# Axes: layers across; bars; boxes of layers.
ACROSS, UP, BOXES = "x5", "y7", "y8"
# Of a layer's place, 1 wide: all bars; the space between two. So many layers leave room for arrows between boxes, and for
# the names of all.
WIDTH, GAP = 0.64, 0.05
ROOM_FOR_ARROWS, NARROW_ROOM_FOR_NAMES = 20, 9
FLAT = 0.3  # the height of boxes whose names stand above them
NO_COLOUR = "rgba(0, 0, 0, 0)"


def height_span(view: View) -> Limits:
    """Return the span of the bars; of ratios the half below 1, where gradients vanish, gets two thirds of the height."""
    low, high = view.span
    return (low, high / 2) if view.is_ratio else (low, high)


def net_row(nets: Nets, view: View, epoch: int) -> Traces:
    """Draw a box for each layer and above it a bar for each net: the baseline's left in grey, the present's in the map's colours."""
    traces = _boxes(max(shown.history.experiment.layers for shown in nets))
    width = WIDTH / len(nets)
    for net, shown in enumerate(nets):
        shift = (net - (len(nets) - 1) / 2) * (width + GAP)
        bars = _Bars(shown, net, view, shift, width)
        traces += bars.draw(shown.history.at(epoch), coloured=shown is nets[-1])
    return traces


def names_fit(layers: int, narrow: bool) -> bool:
    """Return whether the boxes of so many layers have room for all their names."""
    return layers <= (NARROW_ROOM_FOR_NAMES if narrow else ROOM_FOR_ARROWS)


def net_axes(layers: int, view: View, bars: Box, boxes: Box, narrow: bool) -> dict[str, Any]:
    """Return the three axes of a row of so many layers, whose names stand in their boxes, or above flat ones if they are wider."""
    inside = names_fit(layers, narrow)
    told = [*range(1, layers + 1)] if inside else axes.end_ticks(layers)
    low, high = boxes[1]
    up = [low, high if inside else low + FLAT * (high - low)]
    place = {"side": "top", "ticklabelposition": "inside" if inside else "outside", "tickangle": 0}
    names = axes.ticks(told, [*map(str, told[:-1]), "out"]) | place
    bare = {"showgrid": False, "showticklabels": False, "fixedrange": True}
    span = height_span(view)
    return {
        "xaxis5": bare
        | names
        | {"showticklabels": True, "range": [0.4, layers + 0.6], "domain": list(bars[0]), "anchor": BOXES},
        "yaxis7": {"range": list(span), "showgrid": True, "fixedrange": True, **axes.few_value_ticks(view, span)}
        | {"domain": list(bars[1]), "anchor": ACROSS},
        "yaxis8": bare | {"range": [-1.1, 1.1], "domain": up, "anchor": ACROSS},
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
        values = shown_band(self.shown.history, view, [0, record]).middle[-1]
        values = np.where(undefined(self.shown.history, view), np.nan, values)
        places = np.arange(1, len(values) + 1)
        said = [
            f"{self.shown.name}, layer {at}: {say_value(value, view)}" for at, value in zip(places, values, strict=True)
        ]
        style = self.shown.style
        finite = marks.drawable(values)
        look: dict[str, Any] = {"color": style.colour}
        if coloured:
            limits = {"cmin": view.span[0], "cmax": view.span[1], "colorscale": colour_scale(view)}
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
            (marks.ZERO_MARKS, values == -np.inf, marks.FLAT_MARKS[0]),
            (marks.LOST_MARKS, values == np.inf, marks.FLAT_MARKS[1]),
        )
        return [
            marks.moved(bars, marks.BARS, self.net, shift=self.shift, base=low, top=high),
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
        return marks.moved(trace, role, self.net, shift=self.shift, height=at + inside)

    def _beyond(self, places: NDArray[Any], values: Array, said: list[str]) -> Traces:
        """Mark what is off the scale, though not off the map's in every case: a triangle at the bar's end."""
        panel = Panel(height_span(self.view), x=ACROSS, y=UP, margin=0.07, size=12)
        finite = np.where(np.isfinite(values), values, np.nan)
        edges = panel.edge_marks(places + self.shift, finite, theme.CURSOR, said, legend=False)
        return [marks.moved(trace, marks.STILL) for trace in edges]
