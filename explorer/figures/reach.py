"""Figures of what gets back through time: how far a state reaches, what truncation cuts off, what each step adds to dL/dW_hh."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from explorer.choices.arrays import Array
from explorer.diagnosis.decomposition import cancelled, last_steps, log_sum
from explorer.diagnosis.reach import BOUND, GATE, Cut, ReachCurve
from explorer.diagnosis.seeds import Band, band, log_band
from explorer.diagnosis.wording import decades, number
from explorer.figures import axes, marks, panels, plain, theme
from explorer.figures.axes import Limits
from explorer.figures.marks import Curve, Panel, Traces
from explorer.figures.panels import Nets
from explorer.figures.plain import Figure
from explorer.figures.theme import LineStyle
from explorer.figures.time import steps_text
from explorer.training.history import History
from explorer.training.time_measures import TIME_DIAGNOSTICS

# In decades.
REACH_SPAN, GRADIENT_SPAN = (-10.0, 4.0), (-10.0, 2.0)
# With d, the distance, said below the axis; longer words would leave the legend fewer columns.
THEORY_KEYS = {BOUND: "Pascanu's bound (γσ₁)ᵈ", GATE: "gate at rest σ(b)ᵈ, direct path"}
THEORY_DASH = {BOUND: "dash", GATE: "dashdot"}
# More borders than these would hide the curves.
MOST_BORDERS = 60


def reach_figure(curves: Sequence[ReachCurve], styles: Sequence[LineStyle], caption: str = "") -> Figure:
    """Draw by distance how much of a change of the state is left: trained so far, at the start, and theory.

    What lies beyond the span is marked at the edge.
    """
    panel = Panel(REACH_SPAN, "distance")
    traces: Traces = []
    for curve, style in zip(curves, styles, strict=True):
        traces += _reach_lines(curve, style, panel)
    longest = max((len(curve.theory) for curve in curves), default=2) - 1
    x = {"range": [0, longest], "title": axes.title("distance d = T − t, first sequence")}
    traces = [*_reach_legend(curves, styles), *marks.stacked(traces)]
    return _figure(traces, x, "‖ds_T/ds_t‖₂: what is left", REACH_SPAN, caption)


def _reach_lines(curve: ReachCurve, style: LineStyle, panel: Panel) -> Traces:
    distances = np.arange(len(curve.theory), dtype=float)
    start = log_band(curve.start)
    now = None if curve.now is None else log_band(curve.now)
    theory = {"width": 2.5, "dash": THEORY_DASH[curve.theory_name], "color": style.colour}
    traces = [panel.filled(distances, now or start, style, curve.name)]
    traces += panel.line(distances, curve.theory, f"{curve.name}, {curve.theory_name}", **theory)
    traces += panel.line(distances, start.middle, f"{curve.name}, at the start", **marks.DOTTED, color=style.colour)
    if now is not None:
        traces += panel.line(distances, now.middle, f"{curve.name}, trained so far", **marks.SOLID, color=style.colour)
    return traces


def _reach_legend(curves: Sequence[ReachCurve], styles: Sequence[LineStyle]) -> Traces:
    entries = [
        marks.legend_line(named(curve.name, len(curve.start), curve.runs), color=style.colour, width=5)
        for curve, style in zip(curves, styles, strict=True)
    ]
    if any(curve.now is not None for curve in curves):
        entries.append(marks.legend_line("trained so far, median", **marks.SOLID))
    entries += [marks.legend_line(marks.START_WORDS, **marks.DOTTED), marks.legend_band()]
    kinds = dict.fromkeys(curve.theory_name for curve in curves)
    return entries + [marks.legend_line(THEORY_KEYS[kind], width=2.5, dash=THEORY_DASH[kind]) for kind in kinds]


def named(name: str, asked: int, runs: int) -> str:
    """Name a net, and say where only some of its seeds were measured."""
    return name if asked == runs else f"{name} (the first {asked} of {runs} seeds)"


def describe_reach(curves: Sequence[ReachCurve]) -> str:
    """Say what is left at a few distances: at the start, by theory and as far as it is trained."""
    what = "What is left of a change of the state, ‖ds_T/ds_t‖₂ of the first sequence, median."
    return " ".join([what, *map(_say_reach, curves)])


def _say_reach(curve: ReachCurve) -> str:
    longest = len(curve.theory) - 1
    distances = sorted({distance for distance in (1, 10, longest // 2, longest) if 0 < distance <= longest})

    def at(logs: Array) -> str:
        return ", ".join(f"at distance {distance} {decades(logs[distance])}" for distance in distances)

    asked = len(curve.start)
    who = f"{named(curve.name, asked, curve.runs)}, {panels.seeds_text(asked)}"
    said = [f"{who}: at the start {at(log_band(curve.start).middle)}"]
    if curve.now is not None:
        said.append(f"trained so far {at(log_band(curve.now).middle)}")
    said.append(f"{curve.theory_name} {at(curve.theory)}")
    return f"{'; '.join(said)}."


# --- truncation -------------------------------------------------------------------------------


def truncation_figure(cuts: Mapping[str, Cut], styles: Sequence[LineStyle], caption: str = "") -> Figure:
    """Draw RMS dL/dh_t by time step, with the way back cut and whole, and where it is cut; cuts are by the net's name."""
    panel = Panel(GRADIENT_SPAN, "step")
    traces: Traces = []
    entries: Traces = []
    for (name, cut), style in zip(cuts.items(), styles, strict=True):
        steps = np.arange(1, cut.cut.shape[1] + 1, dtype=float)
        sides = log_band(cut.cut)
        traces.append(panel.filled(steps, sides, style, name))
        traces += panel.line(steps, log_band(cut.whole).middle, f"{name}, whole", **marks.DOTTED, color=style.colour)
        traces += panel.line(steps, sides.middle, f"{name}, cut", **marks.SOLID, color=style.colour)
        words = f"{named(name, len(cut.cut), cut.runs)}: {cut_words(cut)}"
        entries.append(marks.legend_line(words, color=style.colour, width=5))
    entries += marks.legend_medians("cut, median", "whole")
    length = max((cut.cut.shape[1] for cut in cuts.values()), default=1)
    borders = _borders(cuts.values(), length)
    if borders:
        entries.append(marks.legend_line("here it is cut", width=1.5))
    x = {"range": [0.5, length + 0.5], "title": axes.title("time step")}
    return _figure([*entries, *marks.stacked(traces)], x, "dL/dh_t, RMS", GRADIENT_SPAN, caption, shapes=borders)


def cut_words(cut: Cut) -> str:
    """Say how long the truncated gradient is, and the angle between it and the whole one: medians over seeds."""
    share, cosine = (float(band(values).middle) for values in (cut.share, cut.cosine))
    if not np.isfinite(share) or not np.isfinite(cosine):
        return "the gradient is 0 or not finite"
    angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return f"the cut gradient is {share:.0%} as long and points {angle:.0f}° away"


def _borders(cuts: Iterable[Cut], length: int) -> list[dict[str, Any]]:
    places = {step + 0.5 for cut in cuts if cut.truncation for step in range(cut.truncation, length, cut.truncation)}
    line = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "line": {"color": theme.CURSOR, "width": 1.5}}
    return [line | {"x0": place, "x1": place} for place in sorted(places)] if len(places) <= MOST_BORDERS else []


def describe_truncation(cuts: Mapping[str, Cut]) -> str:
    """Say what is left of the gradient at the first step, at the last piece's first and at the last, cut and whole."""
    told = []
    for name, cut in cuts.items():
        whole, left = (log_band(values).middle for values in (cut.whole, cut.cut))
        length = len(whole)
        # The last piece begins at the last multiple of its length before the end.
        last_piece = (length - 1) // cut.truncation * cut.truncation + 1 if cut.truncation else 1
        steps = sorted({1, max(last_piece - 1, 1), last_piece, length})
        said = (f"step {step} cut {decades(left[step - 1])}, whole {decades(whole[step - 1])}" for step in steps)
        who = named(name, len(cut.cut), cut.runs)
        told.append(f"{who}, pieces of {cut.truncation} steps: {cut_words(cut)}; {'; '.join(said)}.")
    return " ".join(["RMS dL/dh_t by time step, median over seeds.", *told])


def _figure(traces: Traces, x: dict[str, Any], words: str, span: Limits, caption: str, **more: Any) -> Figure:
    x, y = {"showgrid": False, **x}, {"range": list(span), "title": words, **axes.decade_ticks(span)}

    def layout(narrow: bool) -> dict[str, Any]:
        return axes.with_settings(axes.one_panel(x, y, 560 if narrow else 480, narrow), caption, narrow) | more

    return marks.compose(traces, layout)


# --- parts of dL/dW_hh, which is their sum --------------------------------------------------------

STEP_SPAN = TIME_DIAGNOSTICS["step_gradient"].span
STEPS_MEANING = (
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
    panel = Panel(STEP_SPAN, "step")
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
    return marks.compose(marks.stacked(traces), lambda narrow: _steps_layout(nets, epoch, caption, narrow), fixed=True)


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
    panel, at = Panel(STEP_SPAN, "net", "x2"), np.array([float(place)])
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


def _steps_layout(nets: Nets, epoch: int, caption: str, narrow: bool) -> dict[str, Any]:
    notes, below = axes.foot(STEPS_MEANING, caption, narrow)
    inner, edge = (300, 0.78) if narrow else (360, 0.86)
    steps = axes.step_axis(max(shown.history.experiment.length for shown in nets), "time step")
    whole = {"title": axes.title("all steps", 22), "range": [0.3, len(nets) + 0.7], "tickvals": []}
    words = {"title": {"text": "L2 norm, part of dL/dW_hh" * (not narrow)}}
    named_axes = {
        "xaxis": steps | {"domain": [0, edge - 0.02]},
        "xaxis2": whole | {"domain": [edge, 1], "anchor": "y", "showgrid": False},
        "yaxis": axes.decade_ticks(STEP_SPAN) | {"range": list(STEP_SPAN), **words},
    }
    lines = [panels.net_line(shown, half_text(shown.history, epoch), narrow) for shown in nets]
    above, top = axes.head(lines, 6 if narrow else 1, 12, narrow)
    return {
        "height": inner + below + top,
        **axes.legend_above(inner, above=12),
        **axes.sized(named_axes),
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
