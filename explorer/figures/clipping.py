"""The figure of clipping: how long gradients are before and after it, and what becomes of the loss on the same seeds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.choices.arrays import Array
from explorer.diagnosis.seeds import log_band
from explorer.figures import theme
from explorer.figures.curves import NOW, START, DecadePanel, area_key, key, stacked, with_caption
from explorer.figures.explore import LOSS_DECADES, epoch_axis, label, sized
from explorer.figures.marks import Traces, epoch_positions, legend_once
from explorer.figures.theme import Ink
from explorer.figures.triangles import MARGIN, NARROW_SCALE, below, legend_above
from explorer.figures.view import View
from explorer.training.history import DIVERGED, SOLVED, History

# In decades.
NORM_SPAN = (-4.0, 6.0)
NORMS = DecadePanel(NORM_SPAN, "epoch")
LOSSES = DecadePanel((LOSS_DECADES[0], LOSS_DECADES[1]), "epoch", "x2", "y2")
NORM_TITLE = "‖dL/dθ‖ of the first update after each recorded epoch"
LIMITS = {"norm": "threshold of ‖dL/dθ‖", "value": "bound of each entry of dL/dθ"}
Sides = tuple[list[float], list[float]]


def norm_after_clipping(history: History) -> Array:
    """Return the global norm of the recorded updates' gradients after clipping: (runs, records)."""
    return history.gradient_norm * history.clip_factor


def clipped_share(history: History) -> Array:
    """Return, per run, the share of all its updates that clipping touched, as far as it is known; NaN before any."""
    known = np.isfinite(history.clipped_share)
    last = history.clipped_share.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    return np.where(known.any(axis=1), history.clipped_share[np.arange(len(last)), last], np.nan)


def clipping_figure(
    shown: Sequence[tuple[str, History]], inks: Sequence[Ink], caption: str = "", view: View | None = None
) -> go.Figure:
    """Draw by epoch the gradient's norm before and after clipping, and the loss.

    Parameters
    ----------
    shown : sequence of (name, History)
        Of any kind of net.
    inks : sequence of Ink
        One a history.
    caption : str
        The settings, below the axes.
    view : View, optional
        Whether epochs are on a linear or on a logarithmic axis; else linear.
    """
    view = view or View()
    traces: Traces = []
    for (name, history), ink in zip(shown, inks, strict=True):
        traces += _norm_lines(name, history, ink, view) + _loss_lines(name, history, ink, view)
    keys = [
        key(f"{name}: {clipping_words(h)}", color=ink.line, width=5) for (name, h), ink in zip(shown, inks, strict=True)
    ]
    keys += [key("after clipping; loss", **NOW), key("before clipping", **START), area_key("middle half of the seeds")]
    limits = _limits(shown)
    keys += [key(f"{LIMITS[clip]}, {threshold:g}", dash="dash") for clip, threshold in limits]
    last = max((history.experiment.epochs for _, history in shown), default=1)
    layout = _layout(epoch_axis(last, view), caption, limits)
    return go.Figure(data=legend_once([*keys, *stacked(traces)]), layout=layout)


def _norm_lines(name: str, history: History, ink: Ink, view: View) -> Traces:
    epochs, raw = epoch_positions(history.epochs, view), log_band(history.gradient_norm)
    after = log_band(norm_after_clipping(history)).middle
    return [
        NORMS.band(epochs, raw, ink, name),
        *NORMS.line(epochs, raw.middle, f"{name}, before clipping", **START, color=ink.line),
        *NORMS.line(epochs, after, f"{name}, after clipping", **NOW, color=ink.line),
    ]


def _loss_lines(name: str, history: History, ink: Ink, view: View) -> Traces:
    epochs, loss = epoch_positions(history.epochs, view), log_band(history.loss)
    return [
        LOSSES.band(epochs, loss, ink, name),
        *LOSSES.line(epochs, loss.middle, f"{name}, median loss", **NOW, color=ink.line),
    ]


def clipping_words(history: History) -> str:
    """Say what became of the seeds, and how many updates were clipped: its mean over seeds."""
    outcome = history.outcome
    parts = [f"{outcome.count(SOLVED)} of {len(outcome)} learn"]
    parts += [f"{outcome.count(DIVERGED)} not finite"] * (DIVERGED in outcome)
    share = clipped_share(history)
    if history.experiment.clip != "none" and np.isfinite(share).any():
        parts.append(_share_words(float(np.nanmean(share))))
    return ", ".join(parts)


def _share_words(share: float) -> str:
    if share == 0:
        return "no update clipped"
    return f"{'under 1%' if share < 0.01 else f'{share:.0%}'} of updates clipped"


def _limits(shown: Sequence[tuple[str, History]]) -> list[tuple[str, float]]:
    """Every kind of clipping that is shown with its threshold, once."""
    experiments = [history.experiment for _, history in shown]
    return sorted({(one.clip, one.threshold) for one in experiments if one.clip in LIMITS})


# --- where it lies ----------------------------------------------------------------------------


def _layout(epochs: dict[str, Any], caption: str, limits: list[tuple[str, float]]) -> dict[str, Any]:
    """Norms on the left and losses on the right; on a phone above each other."""
    line = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y"}
    lines = [
        line | {"y0": at, "y1": at, "line": {"color": theme.CURSOR, "width": 2.5, "dash": "dash"}}
        for at in sorted({float(np.log10(threshold)) for _, threshold in limits})
    ]
    wide = ([0.0, 0.475], [0.0, 1.0]), ([0.545, 1.0], [0.0, 1.0])
    narrow = ([0.0, 1.0], [0.57, 1.0]), ([0.0, 1.0], [0.0, 0.43])

    def layout(height: int, scale: float, panels: tuple[Sides, Sides]) -> dict[str, Any]:
        """Beside each other, or, smaller, above each other."""
        found = {"height": height, "shapes": lines, "annotations": _titles(panels, scale)}
        for number, panel, (x, y) in zip(("", "2"), (NORMS, LOSSES), panels, strict=True):
            axis = {"domain": x, "anchor": f"y{number}", "title": below("epoch"), "showgrid": False, **epochs}
            found[f"xaxis{number}"] = sized(axis, scale)
            found[f"yaxis{number}"] = sized(
                {"domain": y, "anchor": f"x{number}", "showgrid": True, **panel.ticks}, scale
            )
        inner = height - MARGIN["t"] - MARGIN["b"]
        return with_caption(found | legend_above(inner, scale, above=34), caption, scale)

    return {
        "template": theme.TEMPLATE,
        **layout(500, 1.0, wide),
        "meta": {"narrow": layout(860, NARROW_SCALE, narrow)},
    }


def _titles(panels: tuple[Sides, Sides], scale: float) -> list[dict[str, Any]]:
    titles = (NORM_TITLE, "loss")
    return [
        label(title, x[0], y[1], size=theme.LABEL_SIZE * scale) | {"yshift": 4}
        for title, (x, y) in zip(titles, panels, strict=True)
    ]
