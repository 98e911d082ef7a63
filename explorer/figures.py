"""Figures: results in, `go.Figure` out. No Streamlit, and no arithmetic beyond layout.

The joint figure of Explore. Rows are layers, columns epochs: above, the loss
on the same epoch axis; on the right, the profile on the same layer axis. The
colour bar is the profile's own axis, so that a colour and a position say the
same number.
"""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer import theme
from explorer.answer_panels import answers_panel
from explorer.answers import AnswerMap
from explorer.arrangement import arrange, sized
from explorer.inks import BASELINE_INK, NOW_INK
from explorer.panels import Shown, colour_strip, heatmap, legend_once, loss_lines
from explorer.profiles import profile
from explorer.view import View
from explorer.why import Why


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
