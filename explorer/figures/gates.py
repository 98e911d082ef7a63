"""How far each gate is open, step by step: a panel for each job, all nets in it.

A gate that keeps the state is asked for 100 steps on end, so 99% and 95% are far
apart: the axis is that of the gate's own z, ln(openness / (1 - openness)), on
which a bias is a height.
"""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.choices.arrays import Array
from explorer.diagnosis.seeds import Band, band
from explorer.diagnosis.wording import number
from explorer.figures import theme
from explorer.figures.curves import DecadePanel, key, stacked
from explorer.figures.explore import label, sized
from explorer.figures.marks import Shown, Traces, legend_once
from explorer.figures.theme import Ink
from explorer.figures.time import (
    Curve,
    Drawn,
    curve_traces,
    folded,
    foot,
    head,
    told,
)
from explorer.figures.time_layout import step_axis
from explorer.figures.triangles import NARROW_SCALE, legend_above
from explorer.training.history import History

# Of the axis, in units of z: 0.1% to 99.9%.
SPAN = (-7.0, 7.0)
TICKS = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)
# By the job, the gates that do it. Of these the first two are a cell's memory gate.
JOBS = {
    "keeps the state": ("forget", "update"),
    "lets the new in": ("input",),
    "shows the state": ("output",),
    "lets the new see the old": ("reset",),
}
NO_GATES = "A plain net has no gates: each step writes the whole state anew."
MEANING = (
    "Mean over units and samples, median over seeds. A state that is kept to 99% at every step is kept to 37% over 100 steps, "
    "one that is kept to 90% to 0.003%. Percentages stand at the height of ln(p / (1 - p)), where a bias is what it is."
)
AT_REST = "theory, at rest: σ(bias)"


def gates_of(history: History) -> dict[str, str]:
    """Return the gates that a history's cell has, by what they do."""
    blocks = history.experiment.unit.blocks
    return {job: gate for job, gates in JOBS.items() for gate in gates if gate in blocks}


def openness(history: History, gate: str) -> Array:
    """Return how far a gate is open: (runs, records, length), from 0 to 1."""
    return history.measures[f"{gate}_gate"]


def rest(history: History, gate: str) -> float:
    """Return the z of a gate at rest, its first bias: at W = 0 it is open by σ of this."""
    experiment = history.experiment
    return float(experiment.forget_bias) if gate == experiment.unit.memory_gate else 0.0


def gates_figure(drawn: Drawn, epoch: int, caption: str) -> go.Figure:
    """Draw how far every gate is open by time step: at an epoch, at the start, and as theory has it at rest.

    Parameters
    ----------
    drawn : sequence of (Shown, Ink)
        1 to 6 nets; those without gates take no part.
    epoch : int
    caption : str
        The settings, below everything.

    Notes
    -----
    `layout.meta` holds the layout for a narrow screen; who shows the figure there merges it.
    """
    jobs = [job for job in JOBS if any(job in gates_of(shown.history) for shown, _ in drawn)]
    traces: Traces = []
    for place, job in enumerate(jobs, start=1):
        panel = DecadePanel(
            SPAN, "step", f"x{place}", f"y{place}", low="exactly 0: shut", high="exactly 1, or not finite"
        )
        named = [(each, gates_of(each[0].history)[job]) for each in drawn if job in gates_of(each[0].history)]
        for (shown, ink), gate in named:
            traces += _gate(shown, ink, (gate, epoch), panel)
        # Dashes upon a line leave both to be seen.
        traces += _theory([(shown.history, gate) for (shown, _), gate in named], panel)
    if jobs:
        traces += [key("at the chosen epoch", dash="solid"), key("at the start", dash="dot")]
    layout = {"template": theme.TEMPLATE, **_layout(drawn, jobs, (epoch, caption), narrow=False)}
    layout["meta"] = {"narrow": _layout(drawn, jobs, (epoch, caption), narrow=True), "fixed": True}
    return go.Figure(data=legend_once(stacked(traces)), layout=layout)


def heights(shares: Array) -> Array:
    """Return ln(p / (1 - p)): where a share p stands on the axis; -inf of 0, +inf of 1."""
    with np.errstate(divide="ignore"):
        found: Array = np.log(shares) - np.log1p(-shares)
    return found


def _theory(gates: list[tuple[History, str]], panel: DecadePanel) -> Traces:
    """One dashed line for every bias, and a mark at the edge for one beyond the axis."""
    length = max(history.experiment.length for history, _ in gates)
    traces: Traces = []
    for level in sorted({rest(history, gate) for history, gate in gates}):
        ends, height = np.array([0.5, length + 0.5]), np.array([level])
        words = f"at rest: σ({level:g}) = {1 / (1 + np.exp(-level)):.3%}"
        ink = Ink(theme.THEORY, theme.THEORY, theme.THEORY)
        line = Curve(AT_REST, ink, ends, Band(*[np.repeat(height, 2)] * 3), words, dash="dash")
        middle = Curve(AT_REST, ink, ends.mean(keepdims=True), Band(height, height, height), words)
        # Theory has no spread.
        traces += [
            *curve_traces(line, panel, legend=True)[1:2],
            *panel.edge_marks(middle.across, middle.sides.middle, middle.name, middle.ink.line),
        ]
    return traces


def _gate(shown: Shown, ink: Ink, what: tuple[str, int], panel: DecadePanel) -> Traces:
    """One gate of one net; `what` is its name and the epoch."""
    (gate, epoch), history = what, shown.history
    steps = np.arange(1.0, history.experiment.length + 1)
    traces: Traces = []
    for record, dash in ((0, "dot"), (history.at(epoch), "solid")):
        sides = band(openness(history, gate)[:, record])
        on_axis = Band(*(_on_axis(side) for side in (sides.low, sides.middle, sides.high)))
        hover = f"step %{{x}}<br>{shown.name}, {gate} gate{', at the start' * (dash == 'dot')}: %{{customdata:.2%}}"
        traces += curve_traces(Curve(shown.name, ink, steps, on_axis, hover, sides.middle, dash), panel)
    return traces


def _on_axis(shares: Array) -> Array:
    return np.where(np.isfinite(shares), heights(np.clip(shares, 0.0, 1.0)), np.inf)


def kept_text(history: History, epoch: int) -> str:
    """Say what the gate that keeps the state leaves of it over all steps, median over seeds; nothing without one."""
    gate = history.experiment.unit.memory_gate
    if not gate:
        return ""
    share = float(band(history.measures["kept"][:, history.at(epoch), 0]).middle)
    return f"the {gate} gate keeps {number(share)} of a unit’s state over {history.experiment.length} steps, on average"


def _layout(drawn: Drawn, jobs: list[str], what: tuple[int, str], *, narrow: bool) -> dict[str, Any]:
    """Place a panel for each job; `what` is the epoch and the caption."""
    epoch, caption = what
    scale = NARROW_SCALE if narrow else 1.0
    annotations, below = foot(MEANING * bool(jobs), caption, narrow)
    height, gap = (190 if narrow else 300) if jobs else 40, 92
    inner = len(jobs) * (height + gap) - gap if narrow and jobs else height
    axes: dict[str, Any] = {"xaxis": {"visible": False}, "yaxis": {"visible": False}} if not jobs else {}
    annotations += [] if jobs else [label(folded(NO_GATES, 40 if narrow else 130), 0, 0.5, size=18 * scale)]
    for index, job in enumerate(jobs):
        piece = 1.03 / len(jobs)
        across = [0.0, 1.0] if narrow else [index * piece, index * piece + piece - 0.03]
        upper = 1 - index * (height + gap) / inner if narrow else 1.0
        x = {"domain": across, **step_axis(max(shown.history.experiment.length for shown, _ in drawn))}
        y = {"domain": [max(upper - height / inner, 0.0), upper], "showticklabels": narrow or index == 0}
        place = "" if index == 0 else str(index + 1)
        axes[f"xaxis{place}"] = x | {
            "anchor": f"y{place}",
            "title": {"text": "time step", "standoff": 2},
            "showgrid": False,
        }
        axes[f"yaxis{place}"] = y | {"anchor": f"x{place}", "range": list(SPAN), "showgrid": True, **_share_ticks()}
        corner = {"xref": f"x{place} domain", "yref": f"y{place} domain", "yshift": 3, "align": "left"}
        annotations.append(label(f"<b>{job}</b><br>{_who(drawn, job)}", 0, 1, size=15 * scale) | corner)
    lines = [told(*each, kept_text(each[0].history, epoch), narrow) for each in drawn if gates_of(each[0].history)]
    top_lines, top = head(lines, (5 if narrow else 1) * bool(jobs), 52 * bool(jobs), narrow)
    return {
        "height": inner + below + top,
        **legend_above(inner, scale, above=52),
        **{name: sized(axis, scale) for name, axis in axes.items()},
        "annotations": [*annotations, top_lines],
        "margin": {"l": 64, "r": 16, "t": top, "b": below},
    }


def _share_ticks() -> dict[str, Any]:
    return {
        "tickvals": [float(heights(np.array(share))) for share in TICKS],
        "ticktext": [f"{100 * t:g}%" for t in TICKS],
    }


def _who(drawn: Drawn, job: str) -> str:
    """Say which gates do a job."""
    found = dict.fromkeys(gates_of(shown.history).get(job, "") for shown, _ in drawn)
    return ", ".join(f"{gate} gate" for gate in found if gate)
