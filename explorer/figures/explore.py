"""Explore's figures: the gradient by layer and epoch with profile, loss and answers; and what multiplies it at each layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.choices.arrays import Array, thin
from explorer.diagnosis.comparison import Compared
from explorer.diagnosis.decomposition import Why
from explorer.diagnosis.diagnose import Diagnosis
from explorer.diagnosis.seeds import logarithm
from explorer.diagnosis.wording import decades, difference, summary
from explorer.figures import axes, marks, panels, plain, theme
from explorer.figures.axes import Box
from explorer.figures.marks import Traces
from explorer.figures.panels import DrawnNet, Nets
from explorer.figures.plain import Figure, verbatim_in_figure
from explorer.figures.theme import BASELINE_STYLE, NOW_STYLE, LineStyle
from explorer.figures.view import View
from explorer.training.answers import AnswerMap
from explorer.training.history import History


@dataclass(frozen=True)
class _Places:
    """Where everything lies."""

    height: int  # In pixels
    loss: Box
    answers: Box
    strip: Box
    # Of the baseline, if there is one, and of the present setting
    rows: Sequence[Box]
    profiles: Sequence[Box]
    scale: float


def _places(count: int, narrow: bool) -> _Places:
    if narrow:
        rows = ([0.70, 0.83], [0.53, 0.66]) if count == 2 else ([0.53, 0.83],)
        profiles = ([0.355, 0.455], [0.225, 0.325]) if count == 2 else ([0.225, 0.455],)
        left = right = [0.0, 1.0]
        loss, answers, strip, height = [0.88, 0.97], [0.03, 0.12], [0.19, 0.2], 1300
    else:
        rows = profiles = ([0.465, 0.735], [0.095, 0.365]) if count == 2 else ([0.095, 0.735],)
        left, right = [0.0, 0.70], [0.755, 1.0]
        loss, answers, strip, height = [0.84, 1.0], [0.84, 1.0], [0.02, 0.05], 740
    maps, beside = [(left, row) for row in rows], [(right, row) for row in profiles]
    return _Places(height, (left, loss), (right, answers), (right, strip), maps, beside, axes.text_scale(narrow))


def explore_figure(
    now: DrawnNet, baseline: DrawnNet | None, view: View, epoch: int, answer_map: AnswerMap | None = None
) -> Figure:
    """Draw one experiment, or two above each other on the same scales; the profile and the answers at an epoch.

    `answer_map` is for the corner, where the task has no truth table.
    """
    rows = [now] if baseline is None else [baseline, now]
    traces: Traces = []
    for panel_number, shown in enumerate(rows, start=2):
        last = shown is now
        traces += panels.position_by_epoch(shown.history, view, "x", f"y{panel_number}")
        traces += panels.profile(shown, view, shown.history.at(epoch), ("x2", f"y1{panel_number}"), legend=last)
        traces += panels.loss_lines(shown, view, ("x", "y"), each_seed=last)
    traces += panels.view_colour_bar(view, "x2", "y4")
    traces += _answers(rows, now.history.at(epoch), answer_map, {"xaxis": "x3", "yaxis": "y5"})
    return marks.compose(traces, lambda narrow: _layout(rows, view, epoch, answer_map, _places(len(rows), narrow)))


def compared_figure(compared: Compared, view: View, answers: AnswerMap | None = None) -> Figure:
    """Draw the figure of a present setting and its baseline, if there is one."""
    now = _shown("now", NOW_STYLE, compared.now, compared.baseline, view)
    if compared.baseline is None:
        return explore_figure(now, None, view, view.at, answers)
    baseline = _shown("baseline", BASELINE_STYLE, compared.baseline, compared.now, view)
    return explore_figure(now, baseline, view, view.at, answers)


def _shown(name: str, style: LineStyle, diagnosis: Diagnosis, other: Diagnosis | None, view: View) -> DrawnNet:
    if other is not None:
        words = difference(other.history.experiment, diagnosis.history.experiment)
        name = f"{name}: {', '.join(words[:3])}{' …' * (len(words) > 3)}"
    return DrawnNet(diagnosis.history, name, style, theory_line(diagnosis, view))


def theory_line(diagnosis: Diagnosis, view: View) -> Array | None:
    """Return log10 of the prediction for what the view shows, by layer; None where there is none."""
    values = diagnosis.theory.of(view.diagnostic.name)
    if values is None:
        return None
    logs = logarithm(values)
    return logs - logs[-1] if view.is_ratio else logs


def _layout(rows: Nets, view: View, epoch: int, answer_map: AnswerMap | None, place: _Places) -> dict[str, Any]:
    now = rows[-1].history
    chosen = int(now.epochs[now.at(epoch)])
    across = float(panels.epoch_positions(np.array([chosen]), view)[0])
    ends = {"x0": across, "x1": across, "y0": place.rows[-1][1][0], "y1": place.loss[1][1]}
    return {
        "height": place.height,
        **axes.legend(1 + 30 / place.height, place.scale),
        **axes.sized(_axes(rows, view, place), place.scale),
        "annotations": _labels(rows, view, chosen, answer_map, place),
        "shapes": [axes.CURSOR_LINE | ends | {"xref": "x", "yref": "paper"}],
    }


def _axes(rows: Nets, view: View, place: _Places) -> dict[str, Any]:
    last_epoch = max(shown.history.experiment.epochs for shown in rows)
    (left, loss), (right, strip) = place.loss, place.strip
    lowest, values = f"y{len(rows) + 1}", {"range": list(view.span), "showgrid": True, **axes.value_ticks(view)}
    epochs = {"title": axes.title("epoch", 2), **axes.epoch_axis(last_epoch, view)}
    named_axes = {
        "xaxis": epochs | {"domain": left, "anchor": lowest},
        "xaxis2": values | {"domain": right, "anchor": "y4"},
        "yaxis": {"domain": loss, "title": "loss", **axes.loss_axis(shown.history.loss for shown in rows)},
        "yaxis4": {"domain": strip, "anchor": "x2", "visible": False, "fixedrange": True},
    }
    for panel_number, (shown, row, side) in enumerate(zip(rows, place.rows, place.profiles, strict=True), start=2):
        layers = axes.layer_axis(shown.history.experiment.layers) | {"title": "layer"}
        named_axes[f"yaxis{panel_number}"] = layers | {"domain": row[1], "anchor": "x"}
        own = {"matches": f"y{panel_number}", "showticklabels": place.scale < 1, "title": ""}
        named_axes[f"yaxis1{panel_number}"] = layers | {"domain": side[1], "anchor": "x2"} | own
    bare = {"showticklabels": False, "showgrid": False}
    x, y = (CASES_AXIS, TRUTH_AXIS) if rows[-1].history.experiment.dataset.truth_table else (bare, bare)
    named_axes["xaxis3"] = x | {"domain": right, "anchor": "y5"}
    named_axes["yaxis5"] = y | {"domain": place.answers[1], "anchor": "x3"}
    return named_axes


def _labels(rows: Nets, view: View, chosen: int, answer_map: AnswerMap | None, place: _Places) -> list[dict[str, Any]]:
    now = rows[-1].history
    relative = ", over the last layer's" if view.is_ratio else ""
    corners = (
        (f"{view.diagnostic.title}{relative}, epoch {chosen:,}", place.profiles[0]),
        (_whose_answers(now, answer_map), place.answers),
    )
    return [
        *(
            axes.label(axes.coloured_name(shown.style.colour, shown.name), 0, row[1][1], size=18 * place.scale)
            for shown, row in zip(rows, place.rows, strict=True)
        ),
        *(axes.label(text, box[0][0], box[1][1], size=16 * place.scale) for text, box in corners),
        axes.settings(summary(now.experiment), 30, place.scale) | {"yanchor": "bottom"},
    ]


def _whose_answers(history: History, answer_map: AnswerMap | None) -> str:
    if answer_map is None:
        return f"Answers of {len(history.loss)} nets (○ right)"
    seed = history.experiment.seed + answer_map.run
    finite = np.isfinite(answer_map.answers).all()
    return f"Answers of seed {seed} (median)" if finite else f"Seed {seed} diverged: no answers"


CASES_AXIS = {"range": [-0.5, 3.5], **axes.ticks((0, 1, 2, 3), ("0,0", "0,1", "1,0", "1,1"))}
TRUTH_AXIS = {"range": [-0.3, 1.3], "tickvals": [0, 0.5, 1]}


def _answers(rows: Nets, record: int, answer_map: AnswerMap | None, named_axes: dict[str, str]) -> Traces:
    place = {**named_axes, "showlegend": False}
    if rows[-1].history.experiment.dataset.truth_table:
        return _truth_table(rows, record, place)
    if answer_map is None:
        return []
    return _answer_curve(answer_map, place) if answer_map.x2 is None else _answer_plane(answer_map, place)


def _truth_table(rows: Nets, record: int, place: dict[str, Any]) -> Traces:
    now = rows[-1].history
    ring = {"symbol": "circle-open", "size": 24, "color": theme.CURSOR, "line": {"width": 2}}
    right = {"y": now.experiment.points().y, "marker": ring, "hoverinfo": "skip", "name": "right answer"}
    traces: Traces = [plain.trace("scatter", x=np.arange(4), mode="markers", **right, **place)]
    # The present setting first, at the right of its baseline.
    for shown in reversed(rows):
        history, shift = shown.history, 0.0 if len(rows) == 1 else 0.2 if shown is rows[-1] else -0.2
        if not history.experiment.dataset.truth_table or history.answers is None:
            continue
        answers = history.answers[:, record if history is now else history.at(float(now.epochs[record]))]
        jitter = np.linspace(-0.1, 0.1, len(answers)) if len(answers) > 1 else np.zeros(1)
        traces.append(
            plain.trace(
                "scatter",
                x=(np.arange(4) + shift + jitter[:, None]).ravel(),
                y=answers.ravel(),
                mode="markers",
                marker={"symbol": "line-ew", "size": 11, "line": {"width": 4, "color": shown.style.colour}},
                hovertemplate="answer %{y:.4f}<extra></extra>",
                **place,
            )
        )
    return traces


def _answer_curve(answer_map: AnswerMap, place: dict[str, Any]) -> Traces:
    data, quiet = answer_map.data, place | {"hoverinfo": "skip"}
    points, line = {"size": 5, "color": theme.BASELINE}, {"width": 3.5, "color": theme.NOW}
    return [
        plain.trace("scatter", x=data.x[:, 0], y=data.y, mode="markers", marker=points, **quiet),
        plain.trace("scatter", x=answer_map.x1, y=answer_map.answers, mode="lines", line=line, **quiet),
    ]


def _answer_plane(answer_map: AnswerMap, place: dict[str, Any]) -> Traces:
    data, named_axes = answer_map.data, {name: place[name] for name in ("xaxis", "yaxis")}
    assert answer_map.x2 is not None
    traces: Traces = [
        plain.trace(
            "heatmap",
            x=marks.float32(answer_map.x1),
            y=marks.float32(answer_map.x2),
            z=marks.float32(answer_map.answers),
            zmin=0,
            zmax=1,
            colorscale=theme.ANSWER_SCALE,
            showscale=False,
            hovertemplate="answer %{z:.2f}<extra></extra>",
            **named_axes,
        )
    ]
    for class_number, (colour, symbol) in enumerate(zip(theme.CLASSES, ("circle", "diamond"), strict=True)):
        x = marks.float32(data.x[data.y == class_number])
        marker = {"size": 6, "color": colour, "symbol": symbol, "line": {"width": 0.5, "color": "white"}}
        name = f"class {verbatim_in_figure(data.class_names[class_number])}"
        traces.append(
            plain.trace(
                "scatter", x=x[:, 0], y=x[:, 1], mode="markers", marker=marker, hoverinfo="skip", name=name, **place
            )
        )
    return traces


def describe_history(history: History, view: View, epoch: int, theory: Array | None = None) -> str:
    """Say the profile at an epoch and at the start, theory's, and the loss."""
    record = history.at(epoch)
    not_measured = np.isnan(history.measures[view.diagnostic.name][:, 0]).all(axis=0)
    middle = np.where(not_measured, np.nan, panels.shown_band(history, view).middle)
    relative = " over the last layer's" if view.is_ratio else ""
    told = [
        f"{view.diagnostic.title}{relative}, median over {panels.seeds_text(len(history.loss))}, at epoch "
        f"{int(history.epochs[record]):,}: {_say_layers(middle[record], view)}."
    ]
    if record:
        told.append(f"At the start: {_say_layers(middle[0], view)}.")
    if theory is not None:
        told.append(f"Theory, at the start: {_say_layers(theory, view)}.")
    return " ".join([*told, panels.learning_text(history)])


def _say_layers(values: Array, view: View) -> str:
    said = ["not defined" if np.isnan(value) else panels.say_value(value, view) for value in values]
    return ", ".join(
        f"layer {layer}{' (output)' * (layer == len(values))} {said[layer - 1]}"
        for layer in thin(range(1, len(values) + 1), axes.TOLD)
    )


def describe_compared_figure(compared: Compared, view: View) -> str:
    """Say what the figure shows, with its numbers."""
    now, baseline = compared.now, compared.baseline
    described = describe_history(now.history, view, view.at, theory_line(now, view))
    told = [now.sentence, described, f"{summary(now.history.experiment)}."]
    if baseline is not None:
        told.append(f"Baseline: {describe_history(baseline.history, view, view.at)}")
    return " ".join(told)


def why_figure(why: Why) -> Figure:
    """Draw what multiplies the gradient at each layer, in decades: a bar for each part, a mark for all together."""
    layers = np.arange(1, len(why.total) + 1)
    traces: Traces = [
        plain.trace(
            "bar",
            y=layers,
            x=marks.drawable(values),
            orientation="h",
            name=part,
            marker={"color": theme.PARTS[part]},
            hovertemplate=f"layer %{{y}}<br>{part}: × 10^%{{x:.2f}}<extra></extra>",
        )
        for part, values in why.parts.items()
    ]
    mark = {"symbol": "line-ns", "size": 22, "line": {"width": 4, "color": theme.CURSOR}}
    hover = "layer %{y}<br>all together: × 10^%{x:.2f}<extra></extra>"
    total = marks.drawable(why.total)
    traces.append(
        plain.trace("scatter", y=layers, x=total, mode="markers", marker=mark, name="all together", hovertemplate=hover)
    )
    words = "decades by which dL/dz changes from the layer above to this one"
    named_axes = {
        "xaxis": {"title": words, "zeroline": True, "zerolinecolor": theme.GRID, "showgrid": True, "automargin": True},
        "yaxis": {
            "title": "hidden layer",
            "dtick": 1 if len(layers) <= 15 else 5,
            "showgrid": False,
            "automargin": True,
        },
    }
    height = max(260, min(30 * len(layers) + 110, 700))
    layout = {"template": theme.TEMPLATE, "barmode": "relative", "height": height, "margin": {"b": 56}}
    return plain.figure(traces, layout | axes.legend(1.02) | axes.sized(named_axes))


def describe_why(why: Why) -> str:
    """Say each layer's parts as factors."""
    told = []
    for layer in thin(range(len(why.total)), axes.TOLD):
        parts = ", ".join(f"{part} {decades(values[layer])}" for part, values in why.parts.items())
        told.append(f"layer {layer + 1} × {decades(why.total[layer])} ({parts})")
    return f"What multiplies dL/dz on its way back, at each hidden layer: {'; '.join(told)}."
