"""Figures of what gets back through time: how far a state reaches, and what truncation cuts off."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from explorer.choices.arrays import Array
from explorer.diagnosis.reach import BOUND, GATE, Cut, ReachCurve
from explorer.diagnosis.seeds import band, log_band
from explorer.diagnosis.wording import decades
from explorer.figures import axes, marks, panels, theme
from explorer.figures.axes import Limits
from explorer.figures.marks import Panel, Traces
from explorer.figures.plain import Figure
from explorer.figures.theme import LineStyle

# In decades.
REACH_SPAN, GRADIENT_SPAN = (-10.0, 4.0), (-10.0, 2.0)
# With d, the distance, said below the axis; longer words would leave the legend fewer columns.
THEORY_KEYS = {BOUND: "Pascanu's bound (γσ₁)ᵈ", GATE: "gate at rest σ(b)ᵈ, direct path"}
THEORY_DASH = {BOUND: "dash", GATE: "dashdot"}
# More borders than these would hide the curves.
MOST_BORDERS = 60


def reach_figure(
    curves: Sequence[ReachCurve], styles: Sequence[LineStyle], caption: str = "", span: Limits = REACH_SPAN
) -> Figure:
    """Draw by distance how much of a change of the state is left: trained so far, at the start, and theory.

    What lies beyond the span, in decades, is marked at the edge.
    """
    panel = Panel(span, "distance")
    traces: Traces = []
    for curve, style in zip(curves, styles, strict=True):
        traces += _reach_lines(curve, style, panel)
    longest = max((len(curve.theory) for curve in curves), default=2) - 1
    x = {"range": [0, longest], "title": axes.title("distance d = T − t, first sequence")}
    traces = [*_reach_legend(curves, styles), *marks.stacked(traces)]
    return _figure(traces, x, "‖ds_T/ds_t‖₂: what is left", span, caption)


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
