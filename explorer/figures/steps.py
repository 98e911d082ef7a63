"""What every time step contributes to dL/dW_hh, against the whole, which is their sum."""

import math
from typing import Any

import numpy as np

from explorer.choices.arrays import Array
from explorer.diagnosis.decomposition import cancelled, last_steps, log_sum
from explorer.diagnosis.seeds import Band, band, log_band
from explorer.diagnosis.wording import decades, number
from explorer.figures import axes, marks, panels, plain, theme
from explorer.figures.marks import Curve, Panel, Traces
from explorer.figures.panels import Nets
from explorer.figures.plain import Figure
from explorer.figures.theme import LineStyle
from explorer.figures.time import steps_text
from explorer.training.history import History
from explorer.training.time_measures import TIME_DIAGNOSTICS

SPAN = TIME_DIAGNOSTICS["step_gradient"].span
MEANING = (
    "L2 norm of each step's part of dL/dW_hh, before any clipping; median and middle half of the seeds. The whole is the sum of "
    "all steps' parts, so its norm is at most the sum of theirs: where it is far smaller, the steps cancel. "
    "The first step's part is exactly 0: h₀ is 0."
)
WHOLE, SUM = "norm of the whole dL/dW_hh", "sum of the steps' norms"


def parts(history: History, record: int) -> tuple[Array, Array]:
    """Return the norm of each step's part of dL/dW_hh, (runs, length), and that of the whole, (runs,)."""
    return history.measures["step_gradient"][:, record], history.recurrent_matrix["recurrent_gradient"][:, record]


def steps_figure(nets: Nets, epoch: int, caption: str) -> Figure:
    """Draw by time step the norm of the step's part of dL/dW_hh: at an epoch, at the start; at the right the whole."""
    panel = Panel(SPAN, "step")
    traces: Traces = []
    for place, shown in enumerate(nets, start=1):
        history = shown.history
        steps = np.arange(1.0, history.experiment.length + 1)
        for record, dash in ((0, "dot"), (history.at(epoch), "solid")):
            norms, whole = parts(history, record)
            hover = f"step %{{x}}<br>{shown.name}{', at the start' * (dash == 'dot')}: %{{customdata:.3~g}}"
            sides = log_band(norms)
            said = marks.factors(sides.middle)
            traces += panel.curve(Curve(shown.name, shown.style), steps, sides, hover, said, dash)
        traces += _whole(shown.name, shown.style, place, norms, whole)
    grey, bar = theme.CURSOR, {"width": 4, "color": theme.CURSOR}
    traces += [*marks.legend_times(), marks.legend_mark(WHOLE, grey, symbol="diamond", size=13)]
    traces += [marks.legend_mark(SUM, grey, symbol="line-ew", size=18, line=bar)]
    return marks.compose(marks.stacked(traces), lambda narrow: _layout(nets, epoch, caption, narrow), fixed=True)


def half_text(history: History, epoch: int) -> str:
    """Say how many of the last steps make up half of the sum of all steps' norms, median over seeds."""
    norms, whole = parts(history, history.at(epoch))
    if not norms.any():
        return "every part is exactly 0"
    steps, share = (float(band(values).middle) for values in (last_steps(norms), cancelled(norms, whole)))
    if not np.isfinite(steps):
        return "not finite"
    count = math.ceil(steps)
    last = "the last step" if count == 1 else f"the last {count} steps"
    return f"half of the sum comes from {last}; the whole is {number(share)} of the sum"


def _whole(name: str, style: LineStyle, place: int, norms: Array, whole: Array) -> Traces:
    """At the right edge: the norm of the whole as a diamond with its middle half, and the sum of the norms as a bar."""
    panel, at = Panel(SPAN, "net", "x2"), np.array([float(place)])
    bar = {"symbol": "line-ew", "size": 20, "line": {"width": 4, "color": style.colour}}
    diamond = {"symbol": "diamond", "size": 13}
    traces: Traces = []
    for words, sides, marker in ((SUM, band(log_sum(norms)), bar), (WHOLE, log_band(whole), diamond)):
        height = float(sides.middle) if np.isfinite(sides.middle) else None
        traces += [
            plain.trace(
                "scatter",
                **panel.placed([place], [height]),
                mode="markers",
                marker={"color": style.colour, **marker},
                error_y=_spread(sides, style) if words == WHOLE else None,
                customdata=marks.factors(np.atleast_1d(sides.middle)),
                hovertemplate=f"{name}<br>{words}: %{{customdata:.3~g}}<extra></extra>",
                name=words,
                showlegend=False,
            ),
            *panel.ends(at, np.atleast_1d(sides.middle), f"{name}, {words}", style.colour),
        ]
    return traces


def _spread(sides: Band, style: LineStyle) -> dict[str, Any] | None:
    """A line from quartile to quartile, where all are numbers."""
    if not np.isfinite([sides.low, sides.middle, sides.high]).all():
        return None
    reach = {"array": [sides.high - sides.middle], "arrayminus": [sides.middle - sides.low]}
    return reach | {"color": style.colour, "thickness": 2, "width": 0}


def _layout(nets: Nets, epoch: int, caption: str, narrow: bool) -> dict[str, Any]:
    scale = axes.text_scale(narrow)
    notes, below = axes.foot(MEANING, caption, narrow)
    inner, edge = (300, 0.78) if narrow else (360, 0.86)
    steps = axes.step_axis(max(shown.history.experiment.length for shown in nets), "time step")
    whole = {"title": axes.title("all steps", 22 * scale), "range": [0.3, len(nets) + 0.7], "tickvals": []}
    words = {"title": {"text": "L2 norm, part of dL/dW_hh" * (not narrow)}}
    named_axes = {
        "xaxis": steps | {"domain": [0, edge - 0.02]},
        "xaxis2": whole | {"domain": [edge, 1], "anchor": "y", "showgrid": False},
        "yaxis": axes.decade_ticks(SPAN) | {"range": list(SPAN), **words},
    }
    lines = [panels.net_line(shown, half_text(shown.history, epoch), narrow) for shown in nets]
    above, top = axes.head(lines, 6 if narrow else 1, 12, narrow)
    return {
        "height": inner + below + top,
        **axes.legend_above(inner, scale, above=12),
        **axes.sized(named_axes, scale),
        "annotations": [*notes, above],
        "margin": {"l": 76, "r": 16, "t": top, "b": below},
    }


def describe_steps(nets: Nets, epoch: int) -> str:
    """Say the norm of some steps' parts of dL/dW_hh and of the whole, of each net, at the start and at an epoch."""
    told = (f"{shown.name}: {_say_parts(shown.history, epoch)}." for shown in nets)
    return " ".join(["L2 norm of each step's part of dL/dW_hh, before any clipping, median over seeds.", *told])


def _say_parts(history: History, epoch: int) -> str:
    said = []
    for record in dict.fromkeys((history.at(epoch), 0)):
        norms, whole = parts(history, record)
        steps = steps_text([decades(value) for value in log_band(norms).middle])
        all_steps = decades(float(log_band(whole).middle))
        said.append(f"at epoch {int(history.epochs[record]):,}: {steps}, the whole {all_steps}")
    return "; ".join([*said, half_text(history, epoch)])
