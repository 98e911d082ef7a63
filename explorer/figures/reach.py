"""Figures of what gets back through time: how far a state reaches, and what truncation cuts off."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.choices.arrays import Array
from explorer.diagnosis.reach import BOUND, GATE, Cut, ReachCurve
from explorer.diagnosis.seeds import band, log_band
from explorer.diagnosis.wording import decades, number
from explorer.figures import theme
from explorer.figures.clipping import clipping_words, norm_after_clipping
from explorer.figures.curves import NOW, START, DecadePanel, area_key, curve_layout, key, stacked
from explorer.figures.marks import Traces, legend_once
from explorer.figures.theme import Ink
from explorer.figures.triangles import Span, below
from explorer.training.history import History

# In decades.
REACH_SPAN, GRADIENT_SPAN = (-10.0, 4.0), (-10.0, 2.0)
# With d, the distance, said below the axis; longer words would leave the legend fewer columns.
THEORY_KEYS = {BOUND: "Pascanu's bound (γσ₁)ᵈ", GATE: "gate at rest σ(b)ᵈ, direct path"}
THEORY_DASH = {BOUND: "dash", GATE: "dashdot"}
# More borders than these would hide the curves.
MOST_BORDERS = 60


def reach_figure(
    curves: Sequence[ReachCurve], inks: Sequence[Ink], caption: str = "", span: Span = REACH_SPAN
) -> go.Figure:
    """Draw by distance how much of a change of the state is left: trained so far, at the start, and theory.

    Parameters
    ----------
    curves : sequence of ReachCurve
        One a compared net.
    inks : sequence of Ink
        One a curve.
    caption : str
        The settings, below the axes.
    span : (float, float)
        Of what is left, in decades; what lies beyond is marked at the edge.
    """
    panel = DecadePanel(span, "distance")
    traces: Traces = []
    for curve, ink in zip(curves, inks, strict=True):
        traces += _reach_lines(curve, ink, panel)
    longest = max((len(curve.theory) for curve in curves), default=2) - 1
    x = {"range": [0, longest], "title": below("distance d = T − t, first sequence")}
    layout = curve_layout(x, panel.ticks | {"title": "‖ds_T/ds_t‖₂: what is left"}, caption)
    return go.Figure(data=legend_once([*_reach_keys(curves, inks), *stacked(traces)]), layout=layout)


def _reach_lines(curve: ReachCurve, ink: Ink, panel: DecadePanel) -> Traces:
    """Theory dashed, the start dotted and, where something is trained, what it is now."""
    distances = np.arange(len(curve.theory), dtype=float)
    start = log_band(curve.start)
    now = None if curve.now is None else log_band(curve.now)
    theory = {"width": 2.5, "dash": THEORY_DASH[curve.theory_name], "color": ink.line}
    traces = [panel.band(distances, now or start, ink, curve.name)]
    traces += panel.line(distances, curve.theory, f"{curve.name}, {curve.theory_name}", **theory)
    traces += panel.line(distances, start.middle, f"{curve.name}, at the start", **START, color=ink.line)
    if now is not None:
        traces += panel.line(distances, now.middle, f"{curve.name}, trained so far", **NOW, color=ink.line)
    return traces


def _reach_keys(curves: Sequence[ReachCurve], inks: Sequence[Ink]) -> Traces:
    """The legend: a colour for each net, then each kind of line once."""
    keys = [
        key(named(curve.name, len(curve.start), curve.runs), color=ink.line, width=5)
        for curve, ink in zip(curves, inks, strict=True)
    ]
    if any(curve.now is not None for curve in curves):
        keys.append(key("trained so far, median", **NOW))
    keys += [key("at the start", **START), area_key("middle half of the seeds")]
    kinds = dict.fromkeys(curve.theory_name for curve in curves)
    return keys + [key(THEORY_KEYS[kind], width=2.5, dash=THEORY_DASH[kind]) for kind in kinds]


def truncation_figure(cuts: Mapping[str, Cut], inks: Sequence[Ink], caption: str = "") -> go.Figure:
    """Draw RMS dL/dh_t by time step, with the way back cut and whole, and where it is cut.

    Parameters
    ----------
    cuts : mapping of a net's name to Cut
    inks : sequence of Ink
        One a net.
    caption : str
        The settings, below the axes.
    """
    panel = DecadePanel(GRADIENT_SPAN, "step")
    traces: Traces = []
    keys: Traces = []
    for (name, cut), ink in zip(cuts.items(), inks, strict=True):
        steps = np.arange(1, cut.cut.shape[1] + 1, dtype=float)
        found = log_band(cut.cut)
        traces.append(panel.band(steps, found, ink, name))
        traces += panel.line(steps, log_band(cut.whole).middle, f"{name}, whole", **START, color=ink.line)
        traces += panel.line(steps, found.middle, f"{name}, cut", **NOW, color=ink.line)
        keys.append(key(f"{named(name, len(cut.cut), cut.runs)}: {cut_words(cut)}", color=ink.line, width=5))
    keys += [key("cut, median", **NOW), key("whole", **START), area_key("middle half of the seeds")]
    length = max((cut.cut.shape[1] for cut in cuts.values()), default=1)
    borders = _borders(cuts.values(), length)
    if borders:
        keys.append(key("here it is cut", width=1.5))
    x = {"range": [0.5, length + 0.5], "title": below("time step")}
    layout = curve_layout(x, panel.ticks | {"title": "dL/dh_t, RMS"}, caption) | {"shapes": borders}
    return go.Figure(data=legend_once([*keys, *stacked(traces)]), layout=layout)


def named(name: str, asked: int, runs: int) -> str:
    """Name a net, and say so where not all of its seeds were asked."""
    return name if asked == runs else f"{name} (the first {asked} of {runs} seeds)"


def cut_words(cut: Cut) -> str:
    """Say how long the cut gradient is and where it points: medians over seeds."""
    share, cosine = (float(band(values).middle) for values in (cut.share, cut.cosine))
    if not np.isfinite(share) or not np.isfinite(cosine):
        return "the gradient is 0 or not finite"
    angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return f"the cut gradient is {share:.0%} as long and points {angle:.0f}° away"


def _borders(cuts: Iterable[Cut], length: int) -> list[dict[str, Any]]:
    """A thin line between every two pieces."""
    places = {step + 0.5 for cut in cuts if cut.truncation for step in range(cut.truncation, length, cut.truncation)}
    line = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "line": {"color": theme.CURSOR, "width": 1.5}}
    return [line | {"x0": place, "x1": place} for place in sorted(places)] if len(places) <= MOST_BORDERS else []


# --- Describe: the figures of reach, truncation and clipping as texts with their numbers ---


def describe_reach(curves: Sequence[ReachCurve]) -> str:
    """Say what is left at a few distances: at the start, by theory and as far as it is trained."""
    told = [_reach(curve) for curve in curves]
    return " ".join(["What is left of a change of the state, ‖ds_T/ds_t‖₂ of the first sequence, median.", *told])


def _reach(curve: ReachCurve) -> str:
    longest = len(curve.theory) - 1
    distances = sorted({distance for distance in (1, 10, longest // 2, longest) if 0 < distance <= longest})

    def at(logs: Array) -> str:
        return ", ".join(f"at distance {distance} {decades(logs[distance])}" for distance in distances)

    asked = len(curve.start)
    parts = [
        f"{named(curve.name, asked, curve.runs)}, {_seeds(asked)}: at the start {at(log_band(curve.start).middle)}"
    ]
    if curve.now is not None:
        parts.append(f"trained so far {at(log_band(curve.now).middle)}")
    parts.append(f"{curve.theory_name} {at(curve.theory)}")
    return f"{'; '.join(parts)}."


def _seeds(count: int) -> str:
    return f"{count} {'seed' if count == 1 else 'seeds'}"


def describe_truncation(cuts: Mapping[str, Cut]) -> str:
    """Say what is left of the gradient at the first step, at the last piece's first and at the last, cut and whole."""
    told = []
    for name, cut in cuts.items():
        whole, found = (log_band(values).middle for values in (cut.whole, cut.cut))
        length = len(whole)
        # The last piece begins at the last multiple of its length before the end.
        last_piece = (length - 1) // cut.truncation * cut.truncation + 1 if cut.truncation else 1
        steps = sorted({1, max(last_piece - 1, 1), last_piece, length})
        said = (f"step {step} cut {decades(found[step - 1])}, whole {decades(whole[step - 1])}" for step in steps)
        who = named(name, len(cut.cut), cut.runs)
        told.append(f"{who}, pieces of {cut.truncation} steps: {cut_words(cut)}; {'; '.join(said)}.")
    return " ".join(["RMS dL/dh_t by time step, median over seeds.", *told])


def describe_clipping(shown: Sequence[tuple[str, History]]) -> str:
    """Say of each how long its gradient is before and after clipping, what became of the seeds, and the loss."""
    told = []
    for name, history in shown:
        raw, after = log_band(history.gradient_norm).middle, log_band(norm_after_clipping(history)).middle
        loss, last = band(history.loss).middle, f"{int(history.epochs[-1]):,}"
        experiment = history.experiment
        limit = "" if experiment.clip == "none" else f", clipped by {experiment.clip} at {experiment.threshold:g}"
        told.append(
            f"{name}{limit}: {clipping_words(history)}; ‖dL/dθ‖ {decades(raw[0])} before and {decades(after[0])} after "
            f"clipping at the start, at most {decades(float(raw.max()))} and {decades(float(after.max()))}, "
            f"{decades(raw[-1])} and {decades(after[-1])} at epoch {last}; "
            f"loss {number(loss[0])} at the start, {number(loss[-1])} at epoch {last}."
        )
    return " ".join(["Global norm of the first update's gradient after each record, median over seeds.", *told])
