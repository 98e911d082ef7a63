"""How far each gate is open, step by step: a panel for each job, all nets in it.

A gate that keeps the state is asked for 100 steps on end, so 99% and 95% are far
apart: the axis is that of the gate's own z, ln(openness / (1 - openness)), on
which a bias is a height.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.cells import CELLS
from explorer.diagnosis.seeds import Band, band
from explorer.diagnosis.wording import number
from explorer.figures import axes, marks, panels, theme
from explorer.figures.marks import Curve, FlatMark, Panel, Traces
from explorer.figures.panels import Nets
from explorer.figures.plain import Figure
from explorer.figures.theme import LineStyle
from explorer.figures.time import steps_text
from explorer.training.history import History

# Of the axis, in units of z: 0.1% to 99.9%.
SPAN = (-7.0, 7.0)
SHARES = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)
SHUT = FlatMark(-np.inf, "exactly 0: shut", theme.EXACT_ZERO)
OPEN = FlatMark(np.inf, "exactly 1, or not finite", theme.NOT_FINITE)
JOBS = tuple(dict.fromkeys(job for cell in CELLS.values() for job in cell.gates))
NO_GATES = "A plain recurrent net has no gates: every step overwrites the whole state."
MEANING = (
    "Mean over units and samples, median over seeds. A state that is kept to 99% at every step is kept to 37% over 100 steps, "
    "one that is kept to 90% to 0.003%. The axis is ln(p / (1 - p)), on which a bias can be read off directly."
)
AT_REST = "theory, at rest: σ(bias)"
THEORY_STYLE = LineStyle(theme.THEORY, theme.THEORY, theme.THEORY)
# In pixels.
HEIGHT, NARROW_HEIGHT, BETWEEN, OVER = 300, 190, 92, 52


def gates_of(history: History) -> Mapping[str, str]:
    """Return the gates that a history's cell has, by what they do."""
    return history.experiment.unit.gates


def openness(history: History, gate: str) -> Array:
    """Return how far a gate is open: (runs, records, length), from 0 to 1."""
    return history.measures[f"{gate}_gate"]


def rest(history: History, gate: str) -> float:
    """Return the z of a gate at rest, its first bias: at W = 0 it is open by σ of this."""
    experiment = history.experiment
    return float(experiment.forget_bias) if gate == experiment.unit.memory_gate else 0.0


def open_at_rest(level: float) -> float:
    """Return σ of a bias."""
    return float(1 / (1 + np.exp(-level)))


def heights(shares: Array) -> Array:
    """Return ln(p / (1 - p)): where a share p stands on the axis; -inf of 0, +inf of 1 and of what is not finite."""
    p = np.clip(shares, 0.0, 1.0)
    with np.errstate(divide="ignore"):
        return np.where(np.isfinite(shares), np.log(p) - np.log1p(-p), np.inf)


def gates_figure(nets: Nets, epoch: int, caption: str) -> Figure:
    """Draw how far every gate is open by time step: at an epoch, at the start, and as theory has it at rest.

    Of one to six nets; those without gates take no part.
    """
    jobs = [job for job in JOBS if any(job in gates_of(shown.history) for shown in nets)]
    traces: Traces = []
    for place, job in enumerate(jobs, start=1):
        panel = Panel(SPAN, "step", f"x{place}", f"y{place}", low=SHUT, high=OPEN)
        gated = [(shown, gates_of(shown.history).get(job)) for shown in nets]
        for shown, gate in gated:
            if gate:
                traces += _gate(shown.history, gate, epoch, Curve(shown.name, shown.style), panel)
        # Dashes over a line leave both visible.
        traces += _theory([(shown.history, gate) for shown, gate in gated if gate], panel)
    if jobs:
        traces += marks.legend_times()
    return marks.compose(marks.stacked(traces), lambda narrow: _layout(nets, jobs, epoch, caption, narrow), fixed=True)


def _gate(history: History, gate: str, epoch: int, curve: Curve, panel: Panel) -> Traces:
    steps = np.arange(1.0, history.experiment.length + 1)
    traces: Traces = []
    for record, dash in ((0, "dot"), (history.at(epoch), "solid")):
        sides = band(openness(history, gate)[:, record])
        on_axis = Band(heights(sides.low), heights(sides.middle), heights(sides.high))
        hover = f"step %{{x}}<br>{curve.name}, {gate} gate{', at the start' * (dash == 'dot')}: %{{customdata:.2%}}"
        traces += panel.curve(curve, steps, on_axis, hover, said=sides.middle, dash=dash)
    return traces


def _theory(gates: list[tuple[History, str]], panel: Panel) -> Traces:
    """One dashed line for every bias, and a mark at the edge for one beyond the axis."""
    length = max(history.experiment.length for history, _ in gates)
    traces: Traces = []
    for level in sorted({rest(history, gate) for history, gate in gates}):
        ends = np.array([0.5, length + 0.5])
        words = f"at rest: σ({level:g}) = {open_at_rest(level):.3%}"
        line = panel.median(Curve(AT_REST, THEORY_STYLE), ends, np.full(2, level), words, dash="dash", showlegend=True)
        traces += [line, *panel.ends(ends.mean(keepdims=True), np.array([level]), AT_REST, theme.THEORY)]
    return traces


def kept_text(history: History, epoch: int) -> str:
    """Say how much of the state the memory gate keeps over all steps, median over seeds; "" without such a gate."""
    gate = history.experiment.unit.memory_gate
    if not gate:
        return ""
    share = float(band(history.measures["kept"][:, history.at(epoch), 0]).middle)
    return f"the {gate} gate keeps {number(share)} of a unit’s state over {history.experiment.length} steps, on average"


def _layout(nets: Nets, jobs: list[str], epoch: int, caption: str, narrow: bool) -> dict[str, Any]:
    notes, below = axes.foot(MEANING * bool(jobs), caption, narrow)
    height = (NARROW_HEIGHT if narrow else HEIGHT) if jobs else 40
    inner = len(jobs) * (height + BETWEEN) - BETWEEN if narrow and jobs else height
    named_axes = {} if jobs else {"xaxis": {"visible": False}, "yaxis": {"visible": False}}
    notes += [] if jobs else [axes.label(axes.folded(NO_GATES, 40 if narrow else 130), 0, 0.5, size=18)]
    steps = axes.step_axis(max(shown.history.experiment.length for shown in nets), "time step")
    levels = axes.ticks(heights(np.array(SHARES)), (f"{100 * p:g}%" for p in SHARES))
    share = {"range": list(SPAN), "showgrid": True, **levels}
    for index, job in enumerate(jobs):
        across = [0.0, 1.0] if narrow else axes.piece(index, len(jobs), 0.03)
        upper = 1 - index * (height + BETWEEN) / inner if narrow else 1.0
        box = across, [max(upper - height / inner, 0.0), upper]
        named_axes |= axes.pair(index + 1, box, steps, share | {"showticklabels": narrow or index == 0})
        gates = dict.fromkeys(gates_of(shown.history).get(job, "") for shown in nets)
        names = ", ".join(f"{gate} gate" for gate in gates if gate)
        notes.append(axes.panel_title(index + 1, f"<b>{job}</b><br>{names}", theme.TICK_SIZE))
    gated = [shown for shown in nets if gates_of(shown.history)]
    lines = [panels.net_line(shown, kept_text(shown.history, epoch), narrow) for shown in gated]
    above, top = axes.head(lines, (5 if narrow else 1) * bool(jobs), OVER * bool(jobs), narrow)
    return {
        "height": inner + below + top,
        **axes.legend_above(inner, above=OVER),
        **axes.sized(named_axes),
        "annotations": [*notes, above],
        "margin": {"l": 64, "r": 16, "t": top, "b": below},
    }


def describe_gates(nets: Nets, epoch: int) -> str:
    """Say how far each gate of each net is open at some steps, at the start and at an epoch."""
    gated = [shown for shown in nets if gates_of(shown.history)]
    if not gated:
        return NO_GATES
    told = ["How far gates are open, mean over units and samples, median over seeds."]
    for shown in gated:
        gates = gates_of(shown.history)
        said = [f"{gate} gate ({job}) {_say_gate(shown.history, gate, epoch)}" for job, gate in gates.items()]
        told.append(f"{shown.name}: {'; '.join([*said, kept_text(shown.history, epoch)])}.")
    return " ".join(told)


def _say_gate(history: History, gate: str, epoch: int) -> str:
    def say(record: int) -> str:
        middle = band(openness(history, gate)[:, record]).middle
        return steps_text([f"{value:.1%}" if np.isfinite(value) else number(value) for value in middle])

    record = history.at(epoch)
    now = f"at epoch {int(history.epochs[record]):,}: {say(record)}; " * bool(record)
    return f"{now}at the start: {say(0)}; {AT_REST} = {open_at_rest(rest(history, gate)):.1%}"
