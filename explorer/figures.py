"""Figures: results in, `go.Figure` out. No Streamlit, and no arithmetic beyond layout.

The joint figure of Explore. Rows are layers, columns epochs: above, the loss
on the same epoch axis; on the right, the profile on the same layer axis. The
colour bar is the profile's own axis, so that a colour and a position say the
same number.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer import theme
from explorer.answers import AnswerMap
from explorer.history import History
from explorer.panels import (
    BASELINE_INK,
    NOW_INK,
    Ink,
    answers_panel,
    colour_strip,
    epoch_positions,
    heatmap,
    loss_lines,
    profile,
)
from explorer.view import View
from explorer.why import Why
from explorer.wording import power_of_ten, summary

Array = NDArray[np.float64]

LEFT, RIGHT = [0.0, 0.70], [0.755, 1.0]
LOSS_DECADES = [-6.0, 1.3]
HEIGHT = 740


@dataclass(frozen=True, eq=False)
class Shown:
    """One experiment as it is drawn.

    Attributes
    ----------
    history : History
    name : str
        What its row is called, e.g. "now: skip over one layer".
    theory : (layers,) array or None
        log10 of the prediction for what the view shows, at the start.
    """

    history: History
    name: str
    theory: Array | None = None


def explore_figure(
    now: Shown, baseline: Shown | None, view: View, epoch: int, answer_map: AnswerMap | None = None
) -> go.Figure:
    """Draw the joint figure of one experiment, or of two above each other on the same scales.

    Parameters
    ----------
    now, baseline : Shown
        The baseline is drawn above; None leaves all the room to `now`.
    view : View
    epoch : int
        The epoch of profile and answers.
    answer_map : AnswerMap, optional
        For the corner, where the task is not XOR.
    """
    rows = [(baseline, BASELINE_INK), (now, NOW_INK)] if baseline is not None else [(now, NOW_INK)]
    floors = [[0.47, 0.745], [0.095, 0.37]] if baseline is not None else [[0.095, 0.745]]
    traces: list[Any] = []
    for number, (shown, ink) in enumerate(rows, start=2):
        record = shown.history.at(epoch)
        last = number == len(rows) + 1
        traces += heatmap(shown.history, view, "x", f"y{number}")
        traces += profile(shown.history, view, record, ink, "x2", f"y{number}", legend=last, theory=shown.theory)
        traces += loss_lines(shown.history, view, ink, shown.name, "x", "y", each_seed=last)
    traces += colour_strip(view, "x2", "y4")
    traces += answers_panel(
        now.history, None if baseline is None else baseline.history, now.history.at(epoch), answer_map, "x3", "y5"
    )
    # One layout made at once: every later change of a figure would be checked anew, and cost as much again.
    layout = {
        "template": theme.TEMPLATE,
        "height": HEIGHT,
        **_axes(now, baseline, view, floors),
        **_marks(rows, floors, view, epoch, answer_map),
    }
    return go.Figure(data=_legend_once(traces), layout=layout)


def _legend_once(traces: list[Any]) -> list[Any]:
    """Keep one legend entry for every name."""
    seen: set[str] = set()
    for trace in traces:
        if trace.name in seen:
            trace.showlegend = False
        elif trace.name and trace.showlegend is not False:
            seen.add(trace.name)
    return traces


def _axes(now: Shown, baseline: Shown | None, view: View, floors: list[list[float]]) -> dict[str, Any]:
    experiments = [shown.history.experiment for shown in (baseline, now) if shown is not None]
    last_epoch = max(experiment.epochs for experiment in experiments)
    epochs: dict[str, Any] = {"range": [0, last_epoch]}
    if view.axis == "log":
        epochs = {"type": "log", "range": [np.log10(0.4), np.log10(last_epoch)], **_log_epoch_ticks(last_epoch)}
    axes: dict[str, Any] = {
        "xaxis": {"domain": LEFT, "anchor": f"y{len(floors) + 1}", "title": {"text": "epoch", "standoff": 2}, **epochs},
        "xaxis2": {"domain": RIGHT, "anchor": "y4", "range": list(view.span), "showgrid": True, **_value_ticks(view)},
        "yaxis": {
            "domain": [0.825, 1.0],
            "type": "log",
            "range": LOSS_DECADES,
            "title": "loss",
            **_loss_ticks(),
        },
        "yaxis4": {"domain": [0.02, 0.05], "anchor": "x2", "visible": False, "fixedrange": True},
        "legend": {"orientation": "h", "x": 0, "y": 1.04, "yanchor": "bottom", "itemwidth": 30, "font": {"size": theme.TICK_SIZE}},
        "hovermode": "closest",
    }
    for number, (floor, experiment) in enumerate(zip(floors, experiments, strict=True), start=2):
        axes[f"yaxis{number}"] = {
            "domain": floor,
            "anchor": "x",
            "range": [0.5, experiment.layers + 0.5],
            "title": "layer",
            "showgrid": False,
            **_layer_ticks(experiment.layers),
        }
    axes |= _answer_axes(now.history)
    return {name: _sized(axis) if "axis" in name else axis for name, axis in axes.items()}


def _answer_axes(history: History) -> dict[str, Any]:
    place: dict[str, Any] = {"xaxis3": {"domain": RIGHT, "anchor": "y5"}, "yaxis5": {"domain": [0.825, 1.0], "anchor": "x3"}}
    if history.experiment.task == "XOR":
        place["xaxis3"] |= {"range": [-0.5, 3.5], "tickvals": [0, 1, 2, 3], "ticktext": ["0,0", "0,1", "1,0", "1,1"]}
        place["yaxis5"] |= {"range": [-0.15, 1.15], "tickvals": [0, 0.5, 1]}
    else:
        place["xaxis3"] |= {"showticklabels": False, "showgrid": False}
        place["yaxis5"] |= {"showticklabels": False, "showgrid": False}
    return place


def _marks(
    rows: list[tuple[Shown, Ink]],
    floors: list[list[float]],
    view: View,
    epoch: int,
    answer_map: AnswerMap | None,
) -> dict[str, Any]:
    """Names of the rows and panels, the chosen epoch, and the settings, so that a picture explains itself."""
    now = rows[-1][0].history
    chosen = int(now.epochs[now.at(epoch)])
    relative = ", over the last layer's" if view.is_ratio else ""
    who = (
        f"What the {len(now.loss)} nets answer; circles: right"
        if answer_map is None
        else f"Answers of seed {now.experiment.seed + answer_map.run}, the median one"
    )
    names = [
        _label(f"<b>{shown.name}</b>", 0, floor[1], size=18, color=ink.line)
        for (shown, ink), floor in zip(rows, floors, strict=True)
    ]
    others = [
        _label(f"{view.diagnostic.title}{relative}, epoch {chosen:,}", RIGHT[0], floors[0][1], size=16),
        _label(who, RIGHT[0], 1.0, size=16),
        _label(summary(now.experiment), 0, 0, size=13) | {"yshift": -24, "opacity": 0.85},
    ]
    position = float(epoch_positions(np.array([chosen]), view)[0])
    cursor = {
        "type": "line",
        "x0": position,
        "x1": position,
        "y0": floors[-1][0],
        "y1": 1.0,
        "xref": "x",
        "yref": "paper",
        "line": {"color": theme.CURSOR, "width": 2, "dash": "dot"},
    }
    return {"annotations": names + others, "shapes": [cursor]}


def _label(text: str, x: float, y: float, **font: Any) -> dict[str, Any]:
    """A text that stands on the paper, its lower left corner at (x, y)."""
    place = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "showarrow": False}
    return {"text": text, "x": x, "y": y, "font": font, **place}


def _sized(axis: dict[str, Any]) -> dict[str, Any]:
    """Set the sizes that a page's theme would otherwise make too small for the last row of a lecture room."""
    title = axis.get("title", {})
    title = {"text": title} if isinstance(title, str) else title
    return axis | {"tickfont": {"size": theme.TICK_SIZE}, "title": title | {"font": {"size": theme.LABEL_SIZE}}}


# --- ticks ------------------------------------------------------------------------------------


def _layer_ticks(layers: int) -> dict[str, Any]:
    step = 1 if layers <= 6 else 2 if layers <= 13 else 5 if layers <= 26 else 10
    values = sorted({1, *range(step, layers + 1, step), layers} - ({layers - 1} if step > 1 else set()))
    return {"tickvals": values, "ticktext": [*(str(value) for value in values[:-1]), f"{layers} out"]}


def _value_ticks(view: View) -> dict[str, Any]:
    low, high = view.span
    if view.diagnostic.unit == "share":
        return {"tickvals": [0, 0.25, 0.5, 0.75, 1], "ticktext": ["0", "25%", "50%", "75%", "100%"]}
    if not view.in_decades:
        return {}
    step = max(round((high - low) / 5), 1)
    start = -(-int(low) // step) * step
    values = list(range(start, int(high) + 1, step))
    return {"tickvals": values, "ticktext": ["1" if value == 0 else power_of_ten(value) for value in values]}


def _loss_ticks() -> dict[str, Any]:
    powers = range(int(LOSS_DECADES[0]), int(LOSS_DECADES[1]) + 1, 2)
    return {
        "tickvals": [10.0**power for power in powers],
        "ticktext": ["1" if power == 0 else power_of_ten(power) for power in powers],
    }


def _log_epoch_ticks(last: int) -> dict[str, Any]:
    values = [10**power for power in range(int(np.log10(last)) + 1)]
    return {"tickvals": [0.5, *values], "ticktext": ["0", *(f"{value:,}" for value in values)]}


# --- why --------------------------------------------------------------------------------------


def why_figure(why: Why) -> go.Figure:
    """What multiplies the gradient at each layer, in decades, one bar a part; the line is their sum from the output."""
    figure = go.Figure()
    layers = np.arange(1, len(why.total) + 1)
    for part, values in why.parts.items():
        figure.add_bar(
            y=layers,
            x=np.where(np.isfinite(values), values, np.nan),
            orientation="h",
            name=part,
            marker={"color": theme.PARTS[part]},
            hovertemplate=f"layer %{{y}}<br>{part}: × 10^%{{x:.2f}}<extra></extra>",
        )
    figure.add_scatter(
        y=layers,
        x=np.where(np.isfinite(why.total), why.total, np.nan),
        mode="markers",
        marker={"symbol": "line-ns", "size": 22, "line": {"width": 4, "color": theme.CURSOR}},
        name="all together",
        hovertemplate="layer %{y}<br>all together: × 10^%{x:.2f}<extra></extra>",
    )
    figure.update_layout(
        template=theme.TEMPLATE,
        barmode="relative",
        height=max(260, min(30 * len(layers) + 110, 700)),
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": theme.TICK_SIZE}},
        xaxis=_sized(
            {"title": "decades by which dL/dz changes from the layer above to this one", "zeroline": True, "showgrid": True}
        ),
        yaxis=_sized({"title": "hidden layer", "dtick": 1 if len(layers) <= 15 else 5, "showgrid": False}),
        margin={"b": 56},
    )
    return figure
