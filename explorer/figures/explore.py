"""Arrangement: where the panels of the joint figure lie, on a wide screen and on a phone; axes, ticks and labels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.choices.arrays import Array
from explorer.diagnosis.answers import AnswerMap
from explorer.diagnosis.comparison import Compared
from explorer.diagnosis.diagnose import Diagnosis
from explorer.diagnosis.seeds import logarithm
from explorer.diagnosis.why import Why
from explorer.diagnosis.wording import difference, power_of_ten, summary
from explorer.figures import theme
from explorer.figures.answers import answers_panel
from explorer.figures.describe import describe_history
from explorer.figures.marks import Shown, colour_strip, epoch_positions, heatmap, legend_once, loss_lines, profile
from explorer.figures.theme import BASELINE_INK, NOW_INK
from explorer.figures.view import View
from explorer.training.history import History

Span = list[float]

LOSS_DECADES = [-6.0, 1.3]


@dataclass(frozen=True)
class Places:
    """Where everything lies, as shares of the figure's width (left, right) and height (all others).

    Attributes
    ----------
    height : int
        In pixels.
    left, right : span
        Columns of heatmaps and loss, and of profiles and answers.
    loss, answers, strip : span
    rows, profiles : tuple of spans
        Of the baseline, if there is one, and of the present setting.
    scale : float
        Of all text.
    """

    height: int
    left: Span
    right: Span
    loss: Span
    answers: Span
    strip: Span
    rows: tuple[Span, ...]
    profiles: tuple[Span, ...]
    scale: float = 1.0


def places(two_rows: bool, narrow: bool) -> Places:
    """Return the arrangement for one or two experiments, beside each other or, on a phone, below each other."""
    if narrow:
        rows = ([0.70, 0.83], [0.53, 0.66]) if two_rows else ([0.53, 0.83],)
        profiles = ([0.355, 0.455], [0.225, 0.325]) if two_rows else ([0.225, 0.455],)
        column = [0.0, 1.0]
        return Places(1300, column, column, [0.88, 0.97], [0.03, 0.12], [0.19, 0.2], rows, profiles, 0.85)
    rows = ([0.465, 0.735], [0.095, 0.365]) if two_rows else ([0.095, 0.735],)
    top = [0.84, 1.0]
    return Places(740, [0.0, 0.70], [0.755, 1.0], top, top, [0.02, 0.05], rows, rows)


def arrange(
    shown: list[tuple[Shown, str]], view: View, epoch: int, answer_map: AnswerMap | None, narrow: bool
) -> dict[str, Any]:
    """Return the layout of the joint figure.

    Parameters
    ----------
    shown : list of (Shown, colour)
        From top to bottom, the present setting last.
    """
    place = places(len(shown) == 2, narrow)
    axes = _axes([each for each, _ in shown], view, place)
    return {
        "height": place.height,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1 + 30 / place.height,
            "yanchor": "bottom",
            "itemwidth": 30,
            "font": {"size": theme.TICK_SIZE * place.scale},
        },
        "hovermode": "closest",
        **{name: sized(axis, place.scale) for name, axis in axes.items()},
        **_marks(shown, view, epoch, answer_map, place),
    }


def _axes(shown: list[Shown], view: View, place: Places) -> dict[str, Any]:
    last_epoch = max(each.history.experiment.epochs for each in shown)
    epochs = epoch_axis(last_epoch, view)
    lowest = f"y{len(shown) + 1}"
    axes: dict[str, Any] = {
        "xaxis": {"domain": place.left, "anchor": lowest, "title": {"text": "epoch", "standoff": 2}, **epochs},
        "xaxis2": {
            "domain": place.right,
            "anchor": "y4",
            "range": list(view.span),
            "showgrid": True,
            **value_ticks(view),
        },
        "yaxis": {"domain": place.loss, "type": "log", "range": LOSS_DECADES, "title": "loss", **_loss_ticks()},
        "yaxis4": {"domain": place.strip, "anchor": "x2", "visible": False, "fixedrange": True},
    }
    for number, (each, row, side) in enumerate(zip(shown, place.rows, place.profiles, strict=True), start=2):
        layers = each.history.experiment.layers
        axis = {"range": [0.5, layers + 0.5], "title": "layer", "showgrid": False, **layer_ticks(layers)}
        axes[f"yaxis{number}"] = axis | {"domain": row, "anchor": "x"}
        own_ticks = {"showticklabels": place.left == place.right, "title": ""}
        axes[f"yaxis1{number}"] = axis | {"domain": side, "anchor": "x2", "matches": f"y{number}"} | own_ticks
    return axes | _answer_axes(shown[-1].history, place)


def _answer_axes(history: History, place: Places) -> dict[str, Any]:
    x: dict[str, Any] = {"domain": place.right, "anchor": "y5"}
    y: dict[str, Any] = {"domain": place.answers, "anchor": "x3"}
    if history.experiment.dataset.truth_table:
        x |= {"range": [-0.5, 3.5], "tickvals": [0, 1, 2, 3], "ticktext": ["0,0", "0,1", "1,0", "1,1"]}
        y |= {"range": [-0.3, 1.3], "tickvals": [0, 0.5, 1]}
    else:
        x |= {"showticklabels": False, "showgrid": False}
        y |= {"showticklabels": False, "showgrid": False}
    return {"xaxis3": x, "yaxis5": y}


def _marks(
    shown: list[tuple[Shown, str]], view: View, epoch: int, answer_map: AnswerMap | None, place: Places
) -> dict[str, Any]:
    """Names of the rows and panels, the chosen epoch, and the settings, so that a picture explains itself."""
    now = shown[-1][0].history
    chosen = int(now.epochs[now.at(epoch)])
    relative = ", over the last layer's" if view.is_ratio else ""
    who = (
        f"Answers of {len(now.loss)} nets (○ right)"
        if answer_map is None
        else f"Answers of seed {now.experiment.seed + answer_map.run} (median)"
        if np.isfinite(answer_map.answers).all()
        else f"Seed {now.experiment.seed + answer_map.run} diverged: no answers"
    )
    size = 16 * place.scale
    labels = [
        # The colour is a square's: as small text it would be hard to read.
        label(f'<span style="color:{colour}">■</span> <b>{each.name}</b>', 0, row[1], size=18 * place.scale)
        for (each, colour), row in zip(shown, place.rows, strict=True)
    ]
    labels += [
        label(f"{view.diagnostic.title}{relative}, epoch {chosen:,}", place.right[0], place.profiles[0][1], size=size),
        label(who, place.right[0], place.answers[1], size=size),
        label(summary(now.experiment), 0, 0, size=13 * place.scale)
        | {"yshift": -30, "opacity": 0.85, "name": "settings"},
    ]
    position = float(epoch_positions(np.array([chosen]), view)[0])
    cursor = {
        "type": "line",
        "x0": position,
        "x1": position,
        "y0": place.rows[-1][0],
        "y1": place.loss[1],
        "xref": "x",
        "yref": "paper",
        "line": {"color": theme.CURSOR, "width": 2, "dash": "dot"},
    }
    return {"annotations": labels, "shapes": [cursor]}


def label(text: str, x: float, y: float, **font: Any) -> dict[str, Any]:
    """A text that stands on the paper, its lower left corner at (x, y)."""
    place = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "showarrow": False}
    return {"text": text, "x": x, "y": y, "font": font, **place}


def sized(axis: dict[str, Any], scale: float = 1.0) -> dict[str, Any]:
    """Set an axis' sizes, which a page's theme would otherwise make too small for the last row of a lecture room."""
    title = axis.get("title", {})
    title = {"text": title} if isinstance(title, str) else title
    tick, label = theme.TICK_SIZE * scale, theme.LABEL_SIZE * scale
    return axis | {"tickfont": {"size": tick}, "title": title | {"font": {"size": label}}}


# --- ticks ------------------------------------------------------------------------------------


def layer_ticks(layers: int) -> dict[str, Any]:
    """Return ticks for layers, the last one marked as the output."""
    step = 1 if layers <= 6 else 2 if layers <= 13 else 5 if layers <= 26 else 10
    between = [value for value in range(step, layers, step) if 1 + 0.6 * step < value < layers - 0.6 * step]
    values = sorted({1, *between, layers})
    return {"tickvals": values, "ticktext": [*(str(value) for value in values[:-1]), f"{layers} out"]}


def value_ticks(view: View) -> dict[str, Any]:
    """Return ticks for what the view shows, decades as powers of ten."""
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


def epoch_axis(last: int, view: View) -> dict[str, Any]:
    """Return range and ticks of an epoch axis that ends at epoch `last`."""
    if view.axis == "log":
        return {"type": "log", "range": [np.log10(0.4), np.log10(last)], **_log_epoch_ticks(last)}
    return {"range": [0, last]}


def _log_epoch_ticks(last: int) -> dict[str, Any]:
    values = [10**power for power in range(int(np.log10(last)) + 1)]
    return {"tickvals": [0.5, *values], "ticktext": ["0", *(f"{value:,}" for value in values)]}


# --- Figures: results in, `go.Figure` out. No Streamlit, and no arithmetic beyond layout ---


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

    Notes
    -----
    `layout.meta` holds the layout for a narrow screen; who shows the figure there merges it.
    """
    rows = [(baseline, BASELINE_INK), (now, NOW_INK)] if baseline is not None else [(now, NOW_INK)]
    traces: list[Any] = []
    for number, (shown, ink) in enumerate(rows, start=2):
        record = shown.history.at(epoch)
        last = number == len(rows) + 1
        traces += heatmap(shown.history, view, "x", f"y{number}")
        traces += profile(shown.history, view, record, ink, "x2", f"y1{number}", legend=last, theory=shown.theory)
        traces += loss_lines(shown.history, view, ink, shown.name, "x", "y", each_seed=last)
    traces += colour_strip(view, "x2", "y4")
    traces += answers_panel(
        now.history, None if baseline is None else baseline.history, now.history.at(epoch), answer_map, "x3", "y5"
    )
    named = [(shown, ink.line) for shown, ink in rows]
    # One layout made at once: every later change of a figure would be checked anew, and cost as much again.
    layout = {"template": theme.TEMPLATE, **arrange(named, view, epoch, answer_map, narrow=False)}
    layout["meta"] = {"narrow": arrange(named, view, epoch, answer_map, narrow=True)}
    return go.Figure(data=legend_once(traces), layout=layout)


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
        xaxis=sized(
            {
                "title": "decades by which dL/dz changes from the layer above to this one",
                "zeroline": True,
                "showgrid": True,
            }
        ),
        yaxis=sized({"title": "hidden layer", "dtick": 1 if len(layers) <= 15 else 5, "showgrid": False}),
        margin={"b": 56},
    )
    return figure


# --- a present setting and its baseline -------------------------------------------------------------


def compared_figure(compared: Compared, view: View, answers: AnswerMap | None = None) -> go.Figure:
    """Draw the joint figure of a present setting and its baseline, if there is one."""
    now, baseline = compared.now, compared.baseline
    if baseline is None:
        return explore_figure(_shown(now, "now", view), None, view, view.at, answers)
    before, after = baseline.history.experiment, now.history.experiment
    return explore_figure(
        _shown(now, f"now: {_shortened(difference(before, after))}", view),
        _shown(baseline, f"baseline: {_shortened(difference(after, before))}", view),
        view,
        view.at,
        answers,
    )


def _shown(diagnosis: Diagnosis, name: str, view: View) -> Shown:
    return Shown(diagnosis.history, name, theory_line(diagnosis, view))


def _shortened(words: list[str]) -> str:
    return ", ".join(words[:3]) + (" …" if len(words) > 3 else "")


def theory_line(diagnosis: Diagnosis, view: View) -> Array | None:
    """Return log10 of the prediction for what the view shows, by layer; None where there is none."""
    values = diagnosis.theory.of(view.diagnostic.name)
    if values is None:
        return None
    logs = logarithm(values)
    return logs - logs[-1] if view.is_ratio else logs


def describe_compared_figure(compared: Compared, view: View) -> str:
    """Say what the joint figure shows, with its numbers."""
    now, baseline = compared.now, compared.baseline
    described = describe_history(now.history, view, view.at, theory_line(now, view))
    told = [now.sentence, described, f"{summary(now.history.experiment)}."]
    if baseline is not None:
        told.append(f"Baseline: {describe_history(baseline.history, view, view.at)}")
    return " ".join(told)
