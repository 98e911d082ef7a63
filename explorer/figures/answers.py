"""Answers: what nets answer at an epoch: in a truth table, along a curve, or on a plane with its data."""

from typing import Any

import numpy as np

from explorer.figures import axes, marks, plain, theme
from explorer.figures.marks import Traces
from explorer.figures.panels import Nets
from explorer.figures.plain import verbatim_in_figure
from explorer.figures.replay import still
from explorer.training.answers import AnswerMap
from explorer.training.history import History

CASES_AXIS = {"range": [-0.5, 3.5], **axes.ticks((0, 1, 2, 3), ("0,0", "0,1", "1,0", "1,1"))}
TRUTH_AXIS = {"range": [-0.45, 1.45], "tickvals": [0, 1]}


def whose_answers(history: History, answer_map: AnswerMap | None) -> str:
    """Say whose answers are drawn."""
    if answer_map is None:
        return f"Answers of {len(history.loss)} nets (○ right)"
    seed = history.experiment.seed + answer_map.run
    finite = np.isfinite(answer_map.answers).all()
    return f"Answers of seed {seed} (median)" if finite else f"Seed {seed} diverged: no answers"


def answer_traces(rows: Nets, record: int, answer_map: AnswerMap | None, named_axes: dict[str, str]) -> Traces:
    """Draw every seed's answers to a truth table at a record; of other tasks those of `answer_map`, if there is one."""
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
            still(
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
        still("scatter", x=answer_map.x1, y=answer_map.answers, mode="lines", line=line, **quiet),
    ]


def _answer_plane(answer_map: AnswerMap, place: dict[str, Any]) -> Traces:
    data, named_axes = answer_map.data, {name: place[name] for name in ("xaxis", "yaxis")}
    assert answer_map.x2 is not None
    traces: Traces = [
        still(
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
