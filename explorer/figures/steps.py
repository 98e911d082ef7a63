"""What every time step contributes to dL/dW_hh, against the whole, which is their sum."""

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.choices.arrays import Array
from explorer.diagnosis.seeds import Band, band, log_band, logarithm
from explorer.diagnosis.spectra import NEW_STATE, meaning, not_finite_text, spectrum
from explorer.diagnosis.time_shares import cancelled, last_steps
from explorer.diagnosis.wording import decades, number
from explorer.figures import theme
from explorer.figures.curves import DecadePanel, key, stacked
from explorer.figures.explore import sized
from explorer.figures.gates import AT_REST, JOBS, NO_GATES, gates_of, kept_text, openness, rest
from explorer.figures.marks import Shown, Traces, legend_once
from explorer.figures.theme import Ink
from explorer.figures.time import (
    Curve,
    Drawn,
    curve_traces,
    foot,
    head,
    told,
)
from explorer.figures.time_layout import step_axis
from explorer.figures.triangles import NARROW_SCALE, decade_ticks, legend_above, power
from explorer.sweeps.sweep import thin
from explorer.training.history import History
from explorer.training.time_measures import TIME_DIAGNOSTICS

PART = TIME_DIAGNOSTICS["step_gradient"]
MEANING = (
    "L2 norm of each step's part of dL/dW_hh, before any clipping; median and middle half of the seeds. The whole is the sum of "
    "all steps' parts, so its norm is at most the sum of theirs: where it is far smaller, the steps cancel. "
    "The first step's part is exactly 0: h₀ is 0."
)
WHOLE, SUM = "norm of the whole dL/dW_hh", "sum of the steps' norms"


def parts(history: History, record: int) -> tuple[Array, Array]:
    """Return the norm of each step's part of dL/dW_hh, (runs, length), and that of the whole, (runs,)."""
    return history.measures["step_gradient"][:, record], history.beside["recurrent_gradient"][:, record]


def steps_figure(drawn: Drawn, epoch: int, caption: str) -> go.Figure:
    """Draw by time step the norm of the step's part of dL/dW_hh: at an epoch, at the start; at the right the whole.

    Parameters
    ----------
    drawn : sequence of (Shown, Ink)
        1 to 6 nets.
    epoch : int
    caption : str
        The settings, below everything.

    Notes
    -----
    `layout.meta` holds the layout for a narrow screen; who shows the figure there merges it.
    """
    traces: Traces = []
    for place, (shown, ink) in enumerate(drawn, start=1):
        history = shown.history
        steps = np.arange(1.0, history.experiment.length + 1)
        for record, dash in ((0, "dot"), (history.at(epoch), "solid")):
            norms, whole = parts(history, record)
            hover = f"step %{{x}}<br>{shown.name}{', at the start' * (dash == 'dot')}: 10^%{{y:.2f}}"
            curve = Curve(shown.name, ink, steps, log_band(norms), hover, dash=dash)
            traces += curve_traces(curve, DecadePanel(PART.span, "step"))
        traces += _whole(shown.name, ink, place, norms, whole)
    traces += [key("at the chosen epoch", dash="solid"), key("at the start", dash="dot"), *_legend_marks()]
    layout = {"template": theme.TEMPLATE, **_layout(drawn, epoch, caption, narrow=False)}
    layout["meta"] = {"narrow": _layout(drawn, epoch, caption, narrow=True), "fixed": True}
    return go.Figure(data=legend_once(stacked(traces)), layout=layout)


def half_text(history: History, epoch: int) -> str:
    """Say in how many of the last steps half of the sum of all steps' norms lies, median over seeds."""
    norms, whole = parts(history, history.at(epoch))
    if not norms.any():
        return "every part is exactly 0"
    steps, share = (float(band(values).middle) for values in (last_steps(norms), cancelled(norms, whole)))
    if not np.isfinite(steps):
        return "not finite"
    return f"half of the sum comes from {_last(math.ceil(steps))}; the whole is {number(share)} of the sum"


def _last(steps: int) -> str:
    return "the last step" if steps == 1 else f"the last {steps} steps"


def log_sum(norms: Array) -> Array:
    """Return log10 of the sum over steps, even where the sum itself would overflow: (runs,)."""
    logs = logarithm(norms)
    largest = logs.max(axis=1)
    with np.errstate(invalid="ignore"):
        found: Array = largest + np.log10(np.sum(10.0 ** (logs - largest[:, None]), axis=1))
    return np.where(np.isfinite(largest), found, largest)


def _whole(name: str, ink: Ink, place: int, norms: Array, whole: Array) -> Traces:
    """At the right edge: the norm of the whole as a diamond with its middle half, and the sum of the norms as a bar."""
    traces: Traces = []
    for words, sides, marker in (
        (SUM, band(log_sum(norms)), {"symbol": "line-ew", "size": 20, "line": {"width": 4, "color": ink.line}}),
        (WHOLE, log_band(whole), {"symbol": "diamond", "size": 13}),
    ):
        curve = Curve(f"{name}, {words}", ink, np.array([float(place)]), Band(*map(np.atleast_1d, _sides(sides))), "")
        traces += [
            go.Scatter(
                x=[place],
                y=[sides.middle if np.isfinite(sides.middle) else None],
                xaxis="x2",
                yaxis="y",
                mode="markers",
                marker={"color": ink.line, **marker},
                error_y=_spread(sides, ink) if words == WHOLE else None,
                hovertemplate=f"{name}<br>{words}: 10^%{{y:.2f}}<extra></extra>",
                name=words,
                showlegend=False,
            ),
            *DecadePanel(PART.span, "net", "x2").edge_marks(
                curve.across, curve.sides.middle, curve.name, curve.ink.line
            ),
        ]
    return traces


def _spread(sides: Band, ink: Ink) -> dict[str, Any] | None:
    """A line from quartile to quartile, where all are numbers."""
    if not np.isfinite(_sides(sides)).all():
        return None
    reach = {"array": [sides.high - sides.middle], "arrayminus": [sides.middle - sides.low]}
    return reach | {"color": ink.line, "thickness": 2, "width": 0}


def _sides(sides: Band) -> tuple[Array, Array, Array]:
    return sides.low, sides.middle, sides.high


def _legend_marks() -> Traces:
    """What the marks at the right edge are, whatever their ink."""
    line = {"width": 4, "color": theme.CURSOR}
    return [
        go.Scatter(x=[None], y=[None], mode="markers", marker={"color": theme.CURSOR, **marker}, name=name)
        for name, marker in (
            (WHOLE, {"symbol": "diamond", "size": 13}),
            (SUM, {"symbol": "line-ew", "size": 18, "line": line}),
        )
    ]


def _layout(drawn: Drawn, epoch: int, caption: str, *, narrow: bool) -> dict[str, Any]:
    scale = NARROW_SCALE if narrow else 1.0
    annotations, below = foot(MEANING, caption, narrow)
    inner, above, edge = (300, 12, 0.78) if narrow else (360, 12, 0.86)
    length = max(shown.history.experiment.length for shown, _ in drawn)
    values = decade_ticks(PART.span)
    ticks = {"tickvals": values, "ticktext": [power(value) for value in values]}
    steps = {"title": {"text": "time step", "standoff": 2}, **step_axis(length)}
    whole = {"title": {"text": "all steps", "standoff": 22 * scale}, "range": [0.3, len(drawn) + 0.7], "tickvals": []}
    axes = {
        "xaxis": steps | {"domain": [0, edge - 0.02], "showgrid": False},
        "xaxis2": whole | {"domain": [edge, 1], "anchor": "y", "showgrid": False},
        "yaxis": ticks | {"range": list(PART.span), "title": {"text": "L2 norm, part of dL/dW_hh" * (not narrow)}},
    }
    lines = [told(shown, ink, half_text(shown.history, epoch), narrow) for shown, ink in drawn]
    top_lines, top = head(lines, 6 if narrow else 1, above, narrow)
    return {
        "height": inner + below + top,
        **legend_above(inner, scale, above=above),
        **{name: sized(axis, scale) for name, axis in axes.items()},
        "annotations": [*annotations, top_lines],
        "margin": {"l": 76, "r": 16, "t": top, "b": below},
    }


# --- Describe recurrence: what the figures of the recurrent matrix, of the gates and of the steps show, as text with numbers ---


# So many steps are told of each net.
TOLD = 5


def describe_matrix(drawn: Drawn, epoch: int, matrix: str = NEW_STATE) -> str:
    """Say the largest |λ| and the largest and smallest singular value of each net, at the start and at an epoch."""
    told = [f"W_hh of the {matrix}, medians over seeds."]
    for shown, _ in drawn:
        history, found = shown.history, spectrum(shown.history, matrix)
        if found is None:
            told.append(f"{shown.name}: {history.experiment.cell} has no such matrix.")
            continue
        sizes = np.abs(found[0][:, :, 0]), found[1][:, :, 0], found[1][:, :, -1]
        names = "largest |λ|", "largest singular value", "smallest"
        said = (f"{name} {_from_to(history, values, epoch)}" for name, values in zip(names, sizes, strict=True))
        told.append(f"{shown.name}: {', '.join([*said, *not_finite_text(history, epoch)])}.")
    return " ".join([*told, meaning([shown.history.experiment for shown, _ in drawn])])


def _from_to(history: History, values: Array, epoch: int) -> str:
    record = history.at(epoch)
    start, now = (number(float(band(values[:, at]).middle), 3) for at in (0, record))
    return (
        f"{start} at the start, {now} at epoch {int(history.epochs[record]):,}" if record else f"{start} at the start"
    )


def describe_gates(drawn: Drawn, epoch: int) -> str:
    """Say how far each gate of each net is open at some steps, at the start and at an epoch."""
    gated = [shown for shown, _ in drawn if gates_of(shown.history)]
    if not gated:
        return NO_GATES
    told = ["How far gates are open, mean over units and samples, median over seeds."]
    for shown in gated:
        gates = gates_of(shown.history)
        said = [f"{gates[job]} gate ({job}) {_gate(shown.history, gates[job], epoch)}" for job in JOBS if job in gates]
        told.append(f"{shown.name}: {'; '.join([*said, kept_text(shown.history, epoch)])}.")
    return " ".join(told)


def _gate(history: History, gate: str, epoch: int) -> str:
    def say(record: int) -> str:
        middle = band(openness(history, gate)[:, record]).middle
        return _steps([f"{value:.1%}" if np.isfinite(value) else number(value) for value in middle])

    record = history.at(epoch)
    level = rest(history, gate)
    at_rest = f"{AT_REST} = {1 / (1 + np.exp(-level)):.1%}"
    now = f"at epoch {int(history.epochs[record]):,}: {say(record)}; " * bool(record)
    return f"{now}at the start: {say(0)}; {at_rest}"


def describe_steps(drawn: Drawn, epoch: int) -> str:
    """Say the norm of some steps' parts of dL/dW_hh and of the whole, of each net, at the start and at an epoch."""
    told = ["L2 norm of each step's part of dL/dW_hh, before any clipping, median over seeds."]
    told += [f"{shown.name}: {_parts(shown, epoch)}." for shown, _ in drawn]
    return " ".join(told)


def _parts(shown: Shown, epoch: int) -> str:
    history = shown.history
    said = []
    for record in dict.fromkeys((history.at(epoch), 0)):
        norms, whole = parts(history, record)
        steps = _steps([decades(value) for value in log_band(norms).middle])
        said.append(
            f"at epoch {int(history.epochs[record]):,}: {steps}, the whole {decades(float(log_band(whole).middle))}"
        )
    return "; ".join([*said, half_text(history, epoch)])


def _steps(said: list[str]) -> str:
    """Name some of the time steps, the first and the last among them."""
    return ", ".join(f"step {step} {said[step - 1]}" for step in thin(range(1, len(said) + 1), TOLD))
