"""The corner of the joint figure: what the nets answer, as a truth table, a curve or the plane with the data."""

import numpy as np
import plotly.graph_objects as go

from explorer.diagnosis.answers import AnswerMap
from explorer.figures import theme
from explorer.figures.marks import Traces, small
from explorer.training.history import History


def answers_panel(
    history: History, baseline: History | None, record: int, answer_map: AnswerMap | None, x: str, y: str
) -> Traces:
    """What the nets answer: XOR's truth table for every seed, a curve, or the plane with the data."""
    if history.experiment.dataset.truth_table:
        return _truth_table(history, baseline, record, x, y)
    if answer_map is None:
        return []
    return _curve(answer_map, x, y) if answer_map.x2 is None else _plane(answer_map, x, y)


def _truth_table(history: History, baseline: History | None, record: int, x: str, y: str) -> Traces:
    traces: Traces = [
        go.Scatter(
            x=np.arange(4),
            y=history.experiment.points().y,
            xaxis=x,
            yaxis=y,
            mode="markers",
            marker={"symbol": "circle-open", "size": 24, "color": theme.CURSOR, "line": {"width": 2}},
            hoverinfo="skip",
            name="right answer",
            showlegend=False,
        )
    ]
    pairs = [(history, record, 0.0 if baseline is None else 0.2, theme.NOW)]
    if baseline is not None and baseline.experiment.dataset.truth_table:
        same = baseline.at(float(history.epochs[record]))
        pairs.append((baseline, same, -0.2, theme.BASELINE))
    for shown, row, shift, colour in pairs:
        assert shown.answers is not None
        answers = shown.answers[:, row]
        jitter = np.linspace(-0.1, 0.1, len(answers)) if len(answers) > 1 else np.zeros(1)
        traces.append(
            go.Scatter(
                x=(np.arange(4) + shift + jitter[:, None]).ravel(),
                y=answers.ravel(),
                xaxis=x,
                yaxis=y,
                mode="markers",
                marker={"symbol": "line-ew", "size": 11, "line": {"width": 4, "color": colour}},
                hovertemplate="answer %{y:.4f}<extra></extra>",
                showlegend=False,
            )
        )
    return traces


def _curve(answer_map: AnswerMap, x: str, y: str) -> Traces:
    place = {"xaxis": x, "yaxis": y, "showlegend": False, "hoverinfo": "skip"}
    return [
        go.Scatter(
            x=answer_map.data.x[:, 0],
            y=answer_map.data.y,
            mode="markers",
            marker={"size": 5, "color": theme.BASELINE},
            **place,
        ),
        go.Scatter(
            x=answer_map.x1, y=answer_map.answers, mode="lines", line={"width": 3.5, "color": theme.NOW}, **place
        ),
    ]


def _plane(answer_map: AnswerMap, x: str, y: str) -> Traces:
    data = answer_map.data
    assert answer_map.x2 is not None
    traces: Traces = [
        go.Heatmap(
            x=small(answer_map.x1),
            y=small(answer_map.x2),
            z=small(answer_map.answers),
            zmin=0,
            zmax=1,
            colorscale=theme.ANSWER_SCALE,
            showscale=False,
            hovertemplate="answer %{z:.2f}<extra></extra>",
            xaxis=x,
            yaxis=y,
        )
    ]
    for label, (colour, symbol) in enumerate(zip(theme.CLASSES, ("circle", "diamond"), strict=True)):
        of_class = data.y == label
        traces.append(
            go.Scatter(
                x=small(data.x[of_class, 0]),
                y=small(data.x[of_class, 1]),
                xaxis=x,
                yaxis=y,
                mode="markers",
                marker={"size": 6, "color": colour, "symbol": symbol, "line": {"width": 0.5, "color": "white"}},
                hoverinfo="skip",
                name=f"class {data.class_names[label]}",
                showlegend=False,
            )
        )
    return traces
