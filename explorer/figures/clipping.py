"""The figure of clipping: how long gradients are before and after it, and what becomes of the loss on the same seeds."""

from typing import Any

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.clipping import CLIPPERS
from explorer.diagnosis.seeds import band, log_band
from explorer.diagnosis.wording import decades, number
from explorer.figures import axes, marks, panels, theme
from explorer.figures.marks import Panel, Traces
from explorer.figures.panels import DrawnNet, Nets
from explorer.figures.plain import Figure
from explorer.figures.view import View
from explorer.training.history import DIVERGED, SOLVED, History

# In decades.
NORM_SPAN = (-4.0, 6.0)
NORMS, LOSSES = Panel(NORM_SPAN, "epoch"), Panel(axes.LOSS_DECADES, "epoch", "x2", "y2")
TITLES = ("‖dL/dθ‖ of the first update after each recorded epoch", "loss")


def clipped_share(history: History) -> Array:
    """Return, per run, the share of all its updates that clipping touched, as far as it is known; NaN before any."""
    known = np.isfinite(history.clipped_share)
    last = history.clipped_share.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    return np.where(known.any(axis=1), history.clipped_share[np.arange(len(last)), last], np.nan)


def clipping_figure(nets: Nets, caption: str = "", view: View | None = None) -> Figure:
    """Draw by epoch the gradient's norm before and after clipping, and the loss, of either kind of net.

    The view says whether epochs are on a linear or on a logarithmic axis; without one they are on a linear one.
    """
    view = view or View()
    traces: Traces = []
    entries: Traces = []
    for shown in nets:
        traces += _curves(shown, view)
        words = f"{shown.name}: {clipping_words(shown.history)}"
        entries.append(marks.legend_line(words, color=shown.style.colour, width=5))
    entries += marks.legend_medians("after clipping; loss", "before clipping")
    experiments = [shown.history.experiment for shown in nets]
    limits = sorted({(one.clip, one.threshold) for one in experiments if one.clipper.limits})
    entries += [
        marks.legend_line(f"{CLIPPERS[clip].threshold_name}, {threshold:g}", dash="dash") for clip, threshold in limits
    ]
    epochs = axes.epoch_axis(max((one.epochs for one in experiments), default=1), view)
    return marks.compose([*entries, *marks.stacked(traces)], lambda narrow: _layout(epochs, caption, limits, narrow))


def _curves(shown: DrawnNet, view: View) -> Traces:
    history, name, style = shown.history, shown.name, shown.style
    epochs, colour = panels.epoch_positions(history.epochs, view), style.colour
    raw, loss = log_band(history.gradient_norm), log_band(history.loss)
    after = log_band(history.gradient_norm * history.clip_factor).middle
    return [
        NORMS.filled(epochs, raw, style, name),
        *NORMS.line(epochs, raw.middle, f"{name}, before clipping", **marks.DOTTED, color=colour),
        *NORMS.line(epochs, after, f"{name}, after clipping", **marks.SOLID, color=colour),
        LOSSES.filled(epochs, loss, style, name),
        *LOSSES.line(epochs, loss.middle, f"{name}, median loss", **marks.SOLID, color=colour),
    ]


def clipping_words(history: History) -> str:
    """Say what became of the seeds, and how many updates were clipped: its mean over seeds."""
    outcome = history.outcome
    parts = [f"{outcome.count(SOLVED)} of {len(outcome)} learn"]
    parts += [f"{outcome.count(DIVERGED)} not finite"] * (DIVERGED in outcome)
    share = clipped_share(history)
    if history.experiment.clipper.limits and np.isfinite(share).any():
        mean = np.nanmean(share)
        size = "no update" if mean == 0 else f"{'under 1%' if mean < 0.01 else f'{mean:.0%}'} of updates"
        parts.append(f"{size} clipped")
    return ", ".join(parts)


def _layout(epochs: dict[str, Any], caption: str, limits: list[tuple[str, float]], narrow: bool) -> dict[str, Any]:
    whole, height = [0.0, 1.0], 860 if narrow else 500
    boxes = [(whole, [0.57, 1.0]), (whole, [0.0, 0.43])] if narrow else [([0.0, 0.475], whole), ([0.545, 1.0], whole)]
    limit = axes.LIMIT_LINE | {"xref": "x domain", "x0": 0, "x1": 1, "yref": "y"}
    levels = sorted({float(np.log10(threshold)) for _, threshold in limits})
    x = {"title": axes.title("epoch"), "showgrid": False, **epochs}
    named_axes: dict[str, Any] = {}
    titles = []
    for place, (box, panel, words) in enumerate(zip(boxes, (NORMS, LOSSES), TITLES, strict=True), start=1):
        y = {"showgrid": True, "range": list(panel.span), **axes.decade_ticks(panel.span)}
        named_axes |= axes.pair(place, box, x, y)
        titles.append(axes.label(words, box[0][0], box[1][1], size=theme.LABEL_SIZE) | {"yshift": 4})
    layout = {
        "height": height,
        "shapes": [limit | {"y0": level, "y1": level} for level in levels],
        "annotations": titles,
        **axes.sized(named_axes),
        **axes.legend_above(height - axes.MARGIN["t"] - axes.MARGIN["b"], above=34),
    }
    return axes.with_settings(layout, caption, narrow)


def describe_clipping(nets: Nets) -> str:
    """Say of each how long its gradient is before and after clipping, what became of the seeds, and the loss."""
    told = []
    for shown in nets:
        history = shown.history
        raw = log_band(history.gradient_norm).middle
        after = log_band(history.gradient_norm * history.clip_factor).middle
        loss, last = band(history.loss).middle, f"{int(history.epochs[-1]):,}"
        experiment = history.experiment
        clips = experiment.clipper.limits
        limit = f", clipped by {experiment.clip} at {experiment.threshold:g}" if clips else ""
        told.append(
            f"{shown.name}{limit}: {clipping_words(history)}; ‖dL/dθ‖ {decades(raw[0])} before and {decades(after[0])} after "
            f"clipping at the start, at most {decades(float(raw.max()))} and {decades(float(after.max()))}, "
            f"{decades(raw[-1])} and {decades(after[-1])} at epoch {last}; "
            f"loss {number(loss[0])} at the start, {number(loss[-1])} at epoch {last}."
        )
    return " ".join(["Global norm of the first update's gradient after each record, median over seeds.", *told])
