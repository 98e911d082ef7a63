"""The figure of the page on time: compared recurrent nets side by side, all on one scale.

Rows are time steps, columns epochs, one heatmap a net. Above, on the same
epochs, the loss and who has learnt it; on the right, on the same steps, the
profiles of all nets in one panel, whose axis is the colour bar.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer import theme
from explorer.history import History
from explorer.inks import inks
from explorer.panels import (
    NOT_FINITE_WORDS,
    Shown,
    Traces,
    colour_strip,
    epoch_positions,
    heatmap,
    legend_once,
    loss_lines,
    small,
)
from explorer.profiles import BAND_WORDS, CHOSEN_WORDS, START_WORDS, profile
from explorer.recurrent_experiment import RecurrentExperiment
from explorer.seeds import band
from explorer.time_arrangement import LOSS, LOSS_TOP, PROFILE, SHARE, STRIP, Panel, arrange, narrow, wide
from explorer.time_view import TimeView

MISSING = "is being measured"


def time_figure(
    shown: Sequence[Shown | None], view: TimeView, epoch: int, names: Sequence[str], caption: str
) -> go.Figure:
    """Draw one to six compared nets.

    Parameters
    ----------
    shown : sequence of Shown or None
        None where nothing is measured yet.
    view : TimeView
    epoch : int
        The epoch of the profile; the latest one if it is negative.
    names : sequence of str
        Of all of them, by which each keeps its ink and its place.
    caption : str
        The settings, below everything.

    Raises
    ------
    ValueError
        For more names than there are inks.

    Notes
    -----
    The x axes are epochs, but for "x9", the values of the profile. `layout.meta`
    holds the layout for a narrow screen; who shows the figure there merges it.
    """
    panels = _panels(shown, names, view)
    traces: list[Any] = []
    for number, panel in enumerate(panels, start=1):
        traces += _map(panel, view, f"x{number}", f"y{number}")
        if panel.history is not None:
            traces += _over_epochs(panel.history, panel, view, each_seed=len(panels) == 1)
    traces += _profiles(list(zip(shown, panels, strict=True)), view, epoch)
    traces += colour_strip(view, f"x{PROFILE}", f"y{STRIP}") + (_key() if len(panels) > 1 else [])
    # One layout made at once: every later change of a figure would be checked anew, and cost as much again.
    layout = {"template": theme.TEMPLATE, **arrange(panels, view, epoch, caption, wide(len(panels)))}
    layout["meta"] = {"narrow": arrange(panels, view, epoch, caption, narrow(len(panels)))}
    return go.Figure(data=legend_once(traces), layout=layout)


def not_defined(experiment: RecurrentExperiment, view: TimeView) -> str:
    """Say why a net has nothing of what the view shows; "" where it has."""
    cell, name = experiment.unit, view.diagnostic.name
    gate = name.removesuffix("_gate")
    if gate != name and gate not in cell.blocks:
        return f"not defined: {cell.name} has no {gate} gate"
    if name == "kept" and not cell.memory_gate:
        return f"not defined: {cell.name} has no such gate"
    if name == "cell_gradient" and not cell.has_c:
        return f"not defined: {cell.name} has no cell state c"
    if name == "saturated" and not cell.squashed and experiment.activation_function.saturation is None:
        return f"not defined: {experiment.activation} has no flat ends"
    return ""


def _panels(shown: Sequence[Shown | None], names: Sequence[str], view: TimeView) -> list[Panel]:
    ink = inks(names)
    return [
        Panel(name, ink[name], None, MISSING)
        if each is None
        else Panel(name, ink[name], each.history, not_defined(each.history.experiment, view).replace(": ", ":<br>"))
        for name, each in zip(names, shown, strict=True)
    ]


def _map(panel: Panel, view: TimeView, x: str, y: str) -> Traces:
    if panel.history is None or panel.empty:
        # Without a trace the panel would lose its axes.
        return [go.Scatter(x=[None], y=[None], xaxis=x, yaxis=y, showlegend=False)]
    return heatmap(panel.history, view, x, y)


def _profiles(drawn: Sequence[tuple[Shown | None, Panel]], view: TimeView, epoch: int) -> Traces:
    """All nets' profiles in one panel, the bands behind the lines."""
    alone = len(drawn) == 1
    found: Traces = []
    for shown, panel in drawn:
        if shown is not None and not panel.empty:
            history, name = shown.history, "" if alone else panel.name
            place = (panel.ink, f"x{PROFILE}", f"y{PROFILE}")
            found += profile(history, view, history.at(epoch), *place, legend=alone, theory=shown.theory, name=name)
    return sorted(found, key=lambda trace: trace.name != BAND_WORDS)


def learnt(history: History) -> NDArray[np.float64]:
    """Return the share of seeds that have learnt the task, by record: (records,)."""
    below = history.error < history.experiment.dataset.solved_below
    ended = [np.inf if ending is None else ending.epoch for ending in history.endings]
    share: NDArray[np.float64] = (below & (history.epochs < np.array(ended)[:, None])).mean(axis=0)
    return share


def _over_epochs(history: History, panel: Panel, view: TimeView, *, each_seed: bool) -> Traces:
    """A net's loss, and in what share of the seeds it has learnt the task."""
    ink = panel.ink
    share = go.Scatter(
        x=epoch_positions(history.epochs, view),
        y=small(learnt(history)),
        xaxis=f"x{SHARE}",
        yaxis=f"y{SHARE}",
        mode="lines",
        line={"width": 3.5, "color": ink.line, "dash": ink.dash, "shape": "hv"},
        customdata=history.epochs,
        hovertemplate=f"{panel.name}<br>epoch %{{customdata:,d}}: %{{y:.0%}} of the seeds<extra></extra>",
        name=panel.name,
        showlegend=False,
    )
    lines = loss_lines(history, view, ink, panel.name, f"x{LOSS}", f"y{LOSS}", each_seed=each_seed)
    return [*lines, *_ended(history, panel, view), share]


def _ended(history: History, panel: Panel, view: TimeView) -> Traces:
    """Mark on top of the loss where its median is no longer finite."""
    beyond = np.flatnonzero(~np.isfinite(band(history.loss).middle))
    if not beyond.size:
        return []
    epoch = history.epochs[beyond[:1]]
    return [
        go.Scatter(
            x=epoch_positions(epoch, view),
            y=[LOSS_TOP],
            xaxis=f"x{LOSS}",
            yaxis=f"y{LOSS}",
            mode="markers",
            marker={
                "symbol": "square",
                "size": 12,
                "color": theme.NOT_FINITE,
                "line": {"color": panel.ink.line, "width": 3},
            },
            customdata=epoch,
            hovertemplate=f"{panel.name}<br>epoch %{{customdata:,d}}: median loss not finite<extra></extra>",
            name=NOT_FINITE_WORDS,
        )
    ]


def _key() -> Traces:
    """What the lines of the profile mean, whatever their colour."""
    grey = theme.BASELINE
    lines = {
        f"profile {CHOSEN_WORDS}": {"width": 3.5, "color": grey},
        f"profile {START_WORDS}": {"width": 2, "dash": "dot", "color": grey},
    }
    found: Traces = [go.Scatter(x=[None], y=[None], mode="lines", line=line, name=name) for name, line in lines.items()]
    area = {"symbol": "square", "size": 14, "color": theme.BASELINE_BAND}
    return [*found, go.Scatter(x=[None], y=[None], mode="markers", marker=area, name=BAND_WORDS)]
