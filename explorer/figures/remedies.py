"""The figures of the page on remedies: one small heatmap for each thing that was tried, and the losses of all."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np

from explorer.diagnosis.effects import A_LITTLE, HARMED, HELPED
from explorer.diagnosis.facts import Facts
from explorer.diagnosis.seeds import band
from explorer.diagnosis.wording import decades, number, summary
from explorer.figures import axes, marks, panels, plain, theme
from explorer.figures.axes import Box
from explorer.figures.marks import Traces
from explorer.figures.plain import Figure
from explorer.figures.view import View
from explorer.training.history import History

# Panels beside each other on a wide screen and on a phone, and the height of a row and of what is below, in pixels.
WIDE, NARROW = 5, 2
ROW, LINE, TICKS, FOOT = 216, 20, 30, 100
LETTERS = 20  # of a line of a panel's title, on a laptop
GAP = 0.022
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
# The colour of what the remedy did, before the words that say it.
COLOURS = {HELPED: theme.NOW, A_LITTLE: theme.NOW, HARMED: theme.NOT_FINITE}


@dataclass(frozen=True, eq=False)
class TrialPanel:
    """One experiment as a panel."""

    name: str
    word: str  # What it did, one of the words of `effects`; empty for the experiment itself
    number: str  # How many seeds solve it, "8 of 8"; or what the word rests on, "error 66% → 17%"
    history: History


def remedies_figure(tried: Sequence[TrialPanel], view: View) -> Figure:
    """Draw layer by epoch for each, in the order given.

    The panels' axes are x1, x2, ... in the order given, so that a click can be told which it met; the height stays as it is.
    """
    traces: Traces = []
    for place, one in enumerate(tried, start=1):
        traces += panels.position_by_epoch(one.history, view, f"x{place}", f"y{place}")
    traces += panels.view_colour_bar(view, f"x{len(tried) + 1}", f"y{len(tried) + 1}")
    return marks.compose(traces, lambda narrow: _layout(tried, view, narrow), fixed=True)


def _layout(tried: Sequence[TrialPanel], view: View, narrow: bool) -> dict[str, Any]:
    most = NARROW if narrow else WIDE
    columns = min(most, -(-len(tried) // -(-len(tried) // most)))
    scale = 1.0 if columns > NARROW else axes.NARROW_SCALE
    # What a remedy did may need a second line: it has its place before that is known, as nothing may move.
    below_name = 2 if any(one.word for one in tried) else 1
    above = LINE * (below_name + max(len(wrap(one.name, LETTERS)) for one in tried)) + 16
    row_height = ROW - 44 + above
    height = -(-len(tried) // columns) * row_height + FOOT
    named_axes: dict[str, Any] = {}
    labels = []
    for index, one in enumerate(tried):
        row, column = divmod(index, columns)
        across, top = axes.piece(column, columns, GAP), 1 - row * row_height / height
        box = across, [top - (row_height - TICKS) / height, top - above / height]
        named_axes |= _panel_axes(index + 1, one.history, view, box, leftmost=column == 0)
        if one.history.experiment.epochs != tried[0].history.experiment.epochs:  # an axis of its own
            del named_axes[f"xaxis{index + 1}"]["matches"]
        labels.append(axes.label(_title(one), across[0], box[1][1], size=15 * scale) | {"align": "left"})
    foot = FOOT / height
    values = {"range": list(view.span), "showgrid": False, "fixedrange": True, **axes.value_ticks(view)}
    strip = [0.3, 1.0], [foot * 0.5, foot * 0.7]
    named_axes |= axes.pair(len(tried) + 1, strip, values, {"visible": False, "fixedrange": True})
    what = f"{view.diagnostic.title}{', over the last layer’s' if view.is_ratio else ''}"
    labels.append(axes.label(what, 0, foot * 0.5, size=16 * scale))
    caption = axes.settings(summary(tried[0].history.experiment), 30, scale)
    return {
        "height": height,
        "annotations": [*labels, caption | {"yanchor": "bottom"}],
        **axes.legend_above(height, above=8),
        **axes.sized(named_axes, scale),
    }


def _title(tried: TrialPanel) -> str:
    joint = " · " if len(tried.word + tried.number) + 3 <= LETTERS else "<br>"
    said = f"{tried.word}{joint}{tried.number}" if tried.word in COLOURS else f"{tried.number} learn it"
    mark = f'<span style="color:{COLOURS[tried.word]}">■</span> ' if tried.word in COLOURS else ""
    return f"<b>{axes.folded(tried.name, LETTERS)}</b><br>{mark}{said}"


def _panel_axes(place: int, history: History, view: View, box: Box, *, leftmost: bool) -> dict[str, Any]:
    """Return the two axes of a panel; they move with the first panel's when a viewer zooms."""
    epochs = history.experiment.epochs
    x = {"showgrid": False, **axes.epoch_axis(epochs, view)}
    if view.axis == "linear":
        x |= {"tickvals": [0, epochs / 2], "ticktext": ["0", f"epoch {epochs / 2:,.0f}"]}
    beside = {"showticklabels": leftmost, "title": "layer" if leftmost else ""}
    y = axes.layer_axis(history.experiment.layers) | beside
    return axes.pair(place, box, x, y, follow=True)


def describe_tried(names: Sequence[str], words: Sequence[str], facts: Sequence[Facts]) -> str:
    """Say what became of each experiment that was tried."""
    return " ".join(
        f"{name}: {f.solved} of {f.runs} learn it{f', {word}' if word else ''}; first layer against last "
        f"{decades(f.log_ratio)} at the start, {decades(f.log_ratio_end)} at the end."
        for name, word, f in zip(names, words, facts, strict=True)
    )


def loss_figure(tried: Sequence[TrialPanel], view: View) -> Figure:
    """Draw the median loss of each over epochs; the experiment itself thick, what helped or harmed in its colour."""
    traces: Traces = []
    for index, one in enumerate(tried):
        middle = band(one.history.loss).middle
        colour, width = COLOURS.get(one.word, theme.BASELINE), 4 if index == 0 else 2
        traces.append(
            plain.trace(
                "scatter",
                x=panels.epoch_positions(one.history.epochs, view),
                y=np.where(np.isfinite(middle), middle, np.nan),
                mode="lines",
                line={"color": colour, "width": width, "dash": DASHES[index % len(DASHES)]},
                name=one.name,
                hovertemplate=f"{one.name}<br>epoch %{{x:,.0f}}: median loss %{{y:.3g}}<extra></extra>",
            )
        )
    epochs = axes.epoch_axis(max(one.history.experiment.epochs for one in tried), view)
    named_axes = {
        "xaxis": {"title": "epoch", "showgrid": False, "automargin": True, **epochs},
        "yaxis": {"title": "loss, median over seeds", "type": "log", "exponentformat": "power", "automargin": True},
    }
    font = {"font": {"size": theme.TICK_SIZE}}
    layout = {"template": theme.TEMPLATE, "height": 380, "legend": font, "margin": {"b": 56}}
    return plain.figure(traces, layout | axes.sized(named_axes))


def describe_losses(names: Sequence[str], facts: Sequence[Facts]) -> str:
    """Say where each loss begins and ends."""
    told = (f"{name}: {number(f.loss_start)} to {number(f.loss_end)}" for name, f in zip(names, facts, strict=True))
    return f"Median loss from the start to epoch {max(f.epoch for f in facts):,}. {'; '.join(told)}."
