"""Panels: the traces of each part of the joint figure, placed on named axes.

Every function returns traces; the figure decides where its axes lie.
Logarithms arrive with -inf for an exact 0 and +inf for non-finite values;
both are drawn as marks of their own, never as a colour of the scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.diagnosis.seeds import Band, band, log_band, logarithm
from explorer.diagnosis.wording import decades, number
from explorer.figures import theme
from explorer.figures.theme import Ink
from explorer.figures.view import View
from explorer.training.history import History

Traces = list[go.Scatter | go.Heatmap | go.Contour]


@dataclass(frozen=True, eq=False)
class Shown:
    """One experiment as it is drawn.

    Attributes
    ----------
    history : History
    name : str
        What its row is called, e.g. "now: skip over one layer".
    theory : (positions,) array or None
        log10 of the prediction for what the view shows, at the start.
    """

    history: History
    name: str
    theory: Array | None = None


# So many rows of a heatmap leave room for a wide gap between them, and so many for a narrow one.
ROOM_FOR_WIDE_GAPS, ROOM_FOR_GAPS = 20, 60

ZERO_WORDS, NOT_FINITE_WORDS = "exactly 0", "not finite: infinite or NaN"


def small(values: Array) -> NDArray[np.float32]:
    """Single precision for the picture: it travels as binary, and has digits enough for a screen."""
    return np.asarray(values, dtype=np.float32)


def epoch_positions(epochs: NDArray[np.int64], view: View) -> Array:
    """Where epochs lie on the axis; on a logarithmic one epoch 0 stands at 0.5."""
    return np.maximum(epochs, 0.5) if view.axis == "log" else epochs.astype(float)


def epoch_edges(epochs: NDArray[np.int64], view: View) -> Array:
    """The borders of the heatmap's columns, one more than there are records; half-way between two records.

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


def layer_band(history: History, view: View, records: Sequence[int] | slice = slice(None)) -> Band:
    """Median and quartiles over seeds of what is shown: arrays (records, positions), in decades where the view is.

    `records` picks some, the first of which must be the start.
    """
    values = history.measures[view.diagnostic.name][:, records]
    if not view.in_decades:
        return band(values)
    return band(_log_ratio(values)) if view.is_ratio else log_band(values)


def _log_ratio(values: Array) -> Array:
    """log10 of every position's value over the last one's, which may lie too far apart to be divided."""
    logs = logarithm(values)
    last = _last_known(values)
    with np.errstate(invalid="ignore"):
        ratio = logs - logs[..., last : last + 1 or None]
    # Nothing left of nothing is still nothing.
    return np.where(logs == -np.inf, -np.inf, ratio)


def undefined(history: History, view: View) -> NDArray[np.bool_]:
    """Return whether the diagnostic says nothing of a position, as of the output's dead units."""
    values = history.measures[view.diagnostic.name][:, 0]
    # A run in which nothing is finite at the very start has diverged there: its NaN are a finding.
    at_once = np.array([ending is not None and ending.epoch == 0 for ending in history.endings])
    telling = values[~(at_once & ~np.isfinite(values).any(axis=-1))]
    found: NDArray[np.bool_] = np.asarray(np.isnan(telling).all(axis=0) & (len(telling) > 0))
    return found


def _last_known(values: Array) -> int:
    """The last position of which the diagnostic says anything."""
    return int(np.flatnonzero(~np.isnan(values[:, 0]).all(axis=0))[-1]) if np.isfinite(values[:, 0]).any() else -1


def colour_scale(view: View) -> object:
    """The colours of a view: ratios diverge from neutral, shares and sizes run from dark to light."""
    if view.is_ratio:
        return theme.RATIO_SCALE
    return theme.SIZE_SCALE if view.in_decades else theme.SHARE_SCALE


def heatmap(history: History, view: View, x: str, y: str) -> Traces:
    """Layer, or time step, by epoch, with exact zeros and non-finite values as flat marks over it."""
    middle = layer_band(history, view).middle.T
    common = {
        "x": epoch_edges(history.epochs, view),
        "y": np.arange(1, middle.shape[0] + 1),
        "customdata": small(np.broadcast_to(history.epochs, middle.shape)),
        "xaxis": x,
        "yaxis": y,
        "showscale": False,
    }
    low, high = view.span
    where = f"epoch %{{customdata:,d}}, {view.position} %{{y}}"
    shown = "10^%{z:.2f}" if view.in_decades else "%{z:.3g}"
    traces: Traces = [
        go.Heatmap(
            z=small(np.where(np.isfinite(middle), middle, np.nan)),
            zmin=low,
            zmax=high,
            colorscale=colour_scale(view),
            hovertemplate=f"{where}<br>{view.diagnostic.title}: {shown}<extra></extra>",
            **common,
        )
    ]
    nothing = undefined(history, view)
    for mask, colour, words in (
        (middle == -np.inf, theme.EXACT_ZERO, ZERO_WORDS),
        ((middle == np.inf) & ~nothing[:, None], theme.NOT_FINITE, NOT_FINITE_WORDS),
    ):
        if mask.any():
            traces.append(
                go.Heatmap(
                    **_bars(mask, colour),
                    hovertemplate=f"{where}<br>{words}<extra></extra>",
                    **common,
                )
            )
            traces.append(_legend_square(words, colour))
    return traces


def _bars(mask: NDArray[np.bool_], colour: str) -> dict[str, Any]:
    """Flat marks as bars apart from each other: to some colour-blind viewers the scale has their colour as well."""
    if len(mask) <= ROOM_FOR_GAPS:
        gap = 3 if len(mask) <= ROOM_FOR_WIDE_GAPS else 1
        return {"z": small(np.where(mask, 1.0, np.nan)), "colorscale": [[0, colour], [1, colour]], "ygap": gap}
    # Rows hardly higher than a gap: every other bar, of some rows, is pale instead.
    pale = np.arange(len(mask))[:, None] // max(len(mask) // 40, 1) % 2
    scale = [[0, colour], [1, theme.see_through(colour, 0.5)]]
    return {"z": small(np.where(mask, pale, np.nan)), "zmin": 0, "zmax": 1, "colorscale": scale}


def _legend_square(words: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        name=words,
        marker={"symbol": "square", "size": 14, "color": colour},
    )


def loss_lines(history: History, view: View, ink: Ink, name: str, x: str, y: str, *, each_seed: bool) -> Traces:
    """The loss over epochs: the median strong, and faintly every seed."""
    across = epoch_positions(history.epochs, view)
    traces: Traces = []
    if each_seed and len(history.loss) > 1:
        gap = np.full((len(history.loss), 1), np.nan)
        lines = np.concatenate([history.loss, gap], axis=1).ravel()
        places = np.concatenate([np.broadcast_to(across, history.loss.shape), gap], axis=1).ravel()
        traces.append(
            go.Scatter(
                x=places,
                y=lines,
                xaxis=x,
                yaxis=y,
                mode="lines",
                line={"width": 1, "color": ink.faint},
                hoverinfo="skip",
                name="each seed",
                connectgaps=False,
            )
        )
    middle = np.where(np.isfinite(band(history.loss).middle), band(history.loss).middle, np.nan)
    traces.append(
        go.Scatter(
            x=across,
            y=middle,
            xaxis=x,
            yaxis=y,
            mode="lines",
            line={"width": 3.5, "color": ink.line, "dash": ink.dash},
            name=name,
            showlegend=False,
            customdata=history.epochs,
            hovertemplate=f"{name}<br>epoch %{{customdata:,d}}: median loss %{{y:.3g}}<extra></extra>",
        )
    )
    return traces


def colour_strip(view: View, x: str, y: str) -> Traces:
    """The colour bar, on the profile's own axis."""
    low, high = view.span
    values = np.linspace(low, high, 257)
    return [
        go.Heatmap(
            x=small(values),
            y=[0],
            z=small(values)[None, :],
            zmin=low,
            zmax=high,
            colorscale=colour_scale(view),
            showscale=False,
            hoverinfo="skip",
            xaxis=x,
            yaxis=y,
        )
    ]


def legend_once(traces: Traces) -> Traces:
    """Keep one legend entry for every name."""
    seen: set[str] = set()
    for trace in traces:
        if trace.name in seen:
            trace.showlegend = False
        elif trace.name and trace.showlegend is not False:
            seen.add(trace.name)
    return traces


# --- Profiles: layer, or time step, against size at one epoch; the joint figure's right-hand panel ---


ROOM_FOR_MARKERS = 40  # points of a line
START_WORDS, CHOSEN_WORDS, BAND_WORDS = "at the start", "at the chosen epoch", "middle half of the seeds"


def profile(
    history: History,
    view: View,
    record: int,
    ink: Ink,
    x: str,
    y: str,
    *,
    legend: bool,
    theory: Array | None = None,
    name: str = "",
) -> Traces:
    """Position against size at one record: median, band over seeds, the start dotted, theory dashed.

    A `name` is said on hovering, where several share the panel.
    """
    sides = layer_band(history, view, [0, record])
    start, values = sides.middle
    places = np.arange(1, len(values) + 1)
    where = [f"{name}, {view.position} {place}" if name else f"{view.position} {place}" for place in places]
    panel = {"y": places, "xaxis": x, "yaxis": y, "showlegend": legend}
    traces: Traces = [
        _band_area(sides, places, view, ink, panel),
        go.Scatter(
            x=_drawable(start),
            mode="lines",
            line={"width": 2, "dash": "dot", "color": ink.line},
            hoverinfo="skip",
            name=START_WORDS,
            **panel,
        ),
    ]
    if theory is not None:
        traces.append(
            go.Scatter(
                x=_drawable(theory),
                mode="lines",
                line={"width": 3, "dash": "dash", "color": theme.THEORY},
                hovertext=[f"{at}, theory: {decades(v)}" for at, v in zip(where, theory, strict=True)],
                hoverinfo="text",
                name="theory, at the start",
                **panel,
            )
        )
    said = np.array([f"{at}: {_say(v, view)}" for at, v in zip(where, values, strict=True)], dtype=object)
    traces.append(
        go.Scatter(
            x=_drawable(values),
            mode="lines+markers" if len(values) <= ROOM_FOR_MARKERS else "lines",
            line={"width": 3.5, "color": ink.line},
            marker={"size": 6},
            hovertext=said,
            hoverinfo="text",
            name=CHOSEN_WORDS,
            **panel,
        )
    )
    return traces + _edge_marks(values, ~undefined(history, view), said, view, ink, x, y)


def _say(value: float, view: View) -> str:
    return decades(value) if view.in_decades else number(value)


def _drawable(values: Array) -> NDArray[np.float32]:
    """Zeros and non-finite values leave a gap in a line; they have marks of their own."""
    return small(np.where(np.isfinite(values), values, np.nan))


def _band_area(sides: Band, places: NDArray[np.int64], view: View, ink: Ink, panel: dict[str, Any]) -> go.Scatter:
    """The area between the quartiles of the last record that is given."""
    low, high = view.span
    beyond = high - low
    edges = [np.clip(np.nan_to_num(side[-1], nan=0.0), low - beyond, high + beyond) for side in (sides.low, sides.high)]
    return go.Scatter(
        x=small(np.concatenate([edges[0], edges[1][::-1]])),
        fill="toself",
        fillcolor=ink.band,
        mode="lines",
        line={"width": 0},
        hoverinfo="skip",
        name=BAND_WORDS,
        **panel | {"y": np.concatenate([places, places[::-1]])},
    )


def _edge_marks(
    values: Array, defined: NDArray[np.bool_], said: NDArray[np.object_], view: View, ink: Ink, x: str, y: str
) -> Traces:
    """Marks at the edge of the profile for what has no place on its axis."""
    low, high = view.span
    margin = 0.015 * (high - low)
    marks = [
        (np.isfinite(values) & (values < low), low + margin, "triangle-left", ink.line, "below the scale"),
        (np.isfinite(values) & (values > high), high - margin, "triangle-right", ink.line, "above the scale"),
        (values == -np.inf, low + margin, "square", theme.EXACT_ZERO, ZERO_WORDS),
        ((values == np.inf) & defined, high - margin, "square", theme.NOT_FINITE, NOT_FINITE_WORDS),
    ]
    return [
        go.Scatter(
            x=np.full(int(mask.sum()), place),
            y=np.flatnonzero(mask) + 1,
            xaxis=x,
            yaxis=y,
            mode="markers",
            marker={"symbol": symbol, "size": 11, "color": colour},
            hovertext=said[mask],
            hoverinfo="text",
            name=words,
            showlegend=False,
        )
        for mask, place, symbol, colour, words in marks
        if mask.any() and (view.in_decades or words != ZERO_WORDS)
    ]
