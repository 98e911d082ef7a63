"""Time curves: medians over seeds along steps, epochs or ranks, and what figures of them have in common.

Logarithms, and what else reaches to infinity, arrive with -inf for what is
exactly at the lower end (a 0) and +inf for what is not finite; both have marks
of their own at the edge of the axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis.comparison import Compared
from explorer.diagnosis.seeds import Band, band
from explorer.diagnosis.wording import decades, number
from explorer.figures import theme
from explorer.figures.curves import DecadePanel
from explorer.figures.explore import label
from explorer.figures.marks import (
    BAND_WORDS,
    CHOSEN_WORDS,
    NOT_FINITE_WORDS,
    START_WORDS,
    Shown,
    Traces,
    colour_strip,
    epoch_positions,
    heatmap,
    layer_band,
    legend_once,
    loss_lines,
    profile,
    small,
)
from explorer.figures.theme import Ink, inks
from explorer.figures.time_layout import LOSS, LOSS_TOP, PROFILE, SHARE, STRIP, Panel, arrange, narrow, wide
from explorer.figures.triangles import NARROW_SCALE, Span
from explorer.figures.view import TimeView
from explorer.sweeps.sweep import thin
from explorer.training.history import History

# The compared experiments that are there, each in its ink.
Drawn = Sequence[tuple[Shown, Ink]]

LETTERS, NARROW_LETTERS = 130, 46  # of a line across the whole figure


@dataclass(frozen=True, eq=False)
class Curve:
    """A quantity over seeds along an axis.

    Attributes
    ----------
    name : str
        In the legend.
    ink : Ink
    across : (points,) array
    sides : Band of (points,) arrays
        As they lie on the axis.
    hover : str
        Plotly's template of what a point says.
    said : (points,) array, optional
        The plain values for `hover`'s %{customdata}.
    dash : str
        "solid", "dash" or "dot"; what is dotted, the start, has no band and is thinner.
    """

    name: str
    ink: Ink
    across: Array
    sides: Band
    hover: str
    said: Array | None = None
    dash: str = "solid"


def curve_traces(curve: Curve, panel: DecadePanel, *, legend: bool = False) -> Traces:
    """Draw the median, the middle half of the seeds as an area, and marks for what has no place on the axis."""
    middle, dotted = curve.sides.middle, curve.dash == "dot"
    line = go.Scatter(
        x=small(curve.across),
        y=small(np.where(np.isfinite(middle), middle, np.nan)),
        xaxis=panel.x,
        yaxis=panel.y,
        mode="lines" if len(middle) > 1 else "markers",
        line={"width": 2.5 if dotted else 3.5, "dash": curve.dash, "color": curve.ink.line},
        marker={"size": 9, "color": curve.ink.line},
        customdata=curve.said,
        hovertemplate=f"{curve.hover}<extra></extra>",
        name=curve.name,
        showlegend=legend,
    )
    area = [] if dotted else [panel.band(curve.across, curve.sides, curve.ink, "middle half of the seeds")]
    return [*area, line, *panel.edge_marks(curve.across, middle, curve.name, curve.ink.line)]


def factor_axis(span: Span) -> dict[str, Any]:
    """Return range and ticks of log10 values not far from 1: 0.1, 0.2, 0.5, 1, 2, ..."""
    factors = [digit * 10.0**power for power in range(-4, 4) for digit in (1, 2, 5)]
    inside = [factor for factor in factors if span[0] <= np.log10(factor) <= span[1]]
    ticks = {"tickvals": [float(np.log10(f)) for f in inside], "ticktext": [f"{f:g}" for f in inside]}
    return {"range": list(span), "showgrid": True, **ticks}


def titled(shown: Shown, ink: Ink) -> str:
    """Return a net's name after a square of its ink: as small text the ink itself would be hard to read."""
    return f'<span style="color:{ink.line}">■</span> <b>{shown.name}</b>'


def folded(text: str, letters: int) -> str:
    """Break a text into lines of at most so many letters; Plotly does not."""
    return "<br>".join(wrap(text, letters))


def foot(words: str, caption: str, narrow: bool) -> tuple[list[dict[str, Any]], int]:
    """Write what the figure means and the settings below everything.

    Returns
    -------
    annotations : list of dict
    height : int
        What they need below the panels, in pixels, the axis' ticks and title included.
    """
    scale, letters = (NARROW_SCALE, NARROW_LETTERS) if narrow else (1.0, LETTERS)
    found, below = [], 56
    for name, text, size in (("words", words, 15), ("settings", caption, 13)):
        if text:
            folds = folded(text, round(letters * 15 / size))
            place = {"yanchor": "top", "yshift": -below, "align": "left", "opacity": 0.85 if name == "settings" else 1}
            found.append(label(folds, 0, 0, size=size * scale) | place | {"name": name})
            below += round((folds.count("<br>") + 1) * size * scale * 1.35) + 6
    return found, below + 6


def head(lines: Sequence[str], rows: int, above: int, narrow: bool) -> tuple[dict[str, Any], int]:
    """Write some lines on top, below them the legend, which ends `above` pixels over the panels.

    Parameters
    ----------
    lines : sequence of str
    rows : int
        Of the legend; on a phone every entry has one.
    above : int
    narrow : bool

    Returns
    -------
    annotation : dict
    height : int
        What all of it needs, in pixels: the upper margin.
    """
    scale = NARROW_SCALE if narrow else 1.0
    size, text = 16 * scale, "<br>".join(lines)
    height = round(8 + (text.count("<br>") + 1) * 1.3 * size + 12 + rows * 23 * scale + above)
    place = {"yanchor": "top", "yshift": height - 6, "align": "left", "name": "lines"}
    return label(text, 0, 1, size=size) | place, height


def told(shown: Shown, ink: Ink, words: str, narrow: bool) -> str:
    """Return a net's line of `head`; on a phone the words stand below the name."""
    if not narrow:
        return f"{titled(shown, ink)}: {words}"
    return f"{titled(shown, ink)}<br>{folded(words, NARROW_LETTERS)}"


# --- The figure of the page on time: compared recurrent nets side by side, all on one scale ---


MISSING = "is being measured"


def shown_of(compared: Compared) -> list[Shown | None]:
    """Return what is compared as it is drawn; None where nothing is measured yet."""
    return [
        None if diagnosis is None else Shown(diagnosis.history, name)
        for name, diagnosis in zip(compared.names, compared.diagnoses, strict=True)
    ]


def drawn_of(compared: Compared) -> list[tuple[Shown, Ink]]:
    """Return those of which something is measured, each in the ink that it keeps."""
    every = inks(compared.names)
    return [(Shown(history, name), every[name]) for name, history in compared.histories.items()]


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
    for panel_number, panel in enumerate(panels, start=1):
        traces += _map(panel, view, f"x{panel_number}", f"y{panel_number}")
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
    reason = view.diagnostic.missing(experiment)
    return f"not defined: {reason}" if reason else ""


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


# --- Describe time: what the figure of compared recurrent nets shows, as one text with its numbers ---


# So many steps are told of each net.
TOLD = 5


def describe_compared(shown: Sequence[Shown | None], names: Sequence[str], view: TimeView, epoch: int) -> str:
    """Say of every net the profile at an epoch and at the start, its loss and who learns it.

    Parameters
    ----------
    shown : sequence of Shown or None
        None where nothing is measured yet.
    names : sequence of str
        Of all of them.
    view : TimeView
    epoch : int
        The latest one if it is negative.
    """
    relative = " over the last step's" if view.is_ratio else ""
    told = [f"{view.diagnostic.title}{relative}, median over seeds."]
    for each, name in zip(shown, names, strict=True):
        told.append(f"{name} {MISSING}." if each is None else f"{name}: {_of_one(each.history, view, epoch)}")
    return " ".join(told)


def _of_one(history: History, view: TimeView, epoch: int) -> str:
    record = history.at(epoch)
    why = not_defined(history.experiment, view)
    if why:
        told = [f"{why}."]
    else:
        start, middle = layer_band(history, view, [0, record]).middle
        told = [f"at epoch {int(history.epochs[record]):,} {_steps(middle, view)}."]
        told += [f"At the start {_steps(start, view)}."] * (record > 0)
    loss = band(history.loss).middle
    last = int(history.epochs[-1])
    told.append(f"Median loss {number(loss[0])} at the start, {number(loss[-1])} at epoch {last:,}.")
    seeds, learnt = len(history.loss), history.outcome.count("solved")
    told.append(f"{learnt} of {seeds} {'seed has' if seeds == 1 else 'seeds have'} learnt it.")
    return " ".join(told)


def _steps(values: Array, view: TimeView) -> str:
    """Say some steps' values, the first and the last among them."""
    say = decades if view.in_decades else number
    return ", ".join(f"step {step} {say(values[step - 1])}" for step in thin(range(1, len(values) + 1), TOLD))
