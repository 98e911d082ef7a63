"""The figures of the page on remedies: one small heatmap for each thing that was tried, and the losses of all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import Any

import numpy as np

from explorer.diagnosis.effects import A_LITTLE, HARMED, HELPED
from explorer.diagnosis.facts import Facts
from explorer.diagnosis.seeds import band
from explorer.diagnosis.trials import Results
from explorer.diagnosis.wording import decades, number, summary
from explorer.figures import axes, marks, panels, plain, theme
from explorer.figures.axes import Box
from explorer.figures.marks import Traces
from explorer.figures.plain import Figure
from explorer.figures.view import View
from explorer.training.history import History

# Heights in pixels: of a line of text, of the ticks, of the space below a row and of what is below all panels.
LINE, TICKS, SPACE, FOOT = 21, 30, 14, 100
GAP = 0.022
NARROW_LETTERS = 34  # across a phone
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
# The colour of what the remedy did, before the words that say it.
COLOURS = {HELPED: theme.NOW, A_LITTLE: theme.NOW, HARMED: theme.NOT_FINITE}


@dataclass(frozen=True)
class Tier:
    """A size of panels: what leads the ranking is large, what trails it small."""

    places: int  # Of the ranking; the last tier holds all that are left
    columns: int  # Panels beside each other on a wide screen, and on a phone
    narrow_columns: int
    height: int  # Of a map, in pixels
    letters: int  # Of a line of a panel's title, on a laptop
    size: int  # Of its text
    ticks: bool


# The experiment itself beside the best; the next four; the rest.
RANKED = (Tier(2, 2, 1, 210, 44, 18, True), Tier(4, 4, 2, 100, 25, 16, True), Tier(99, 6, 2, 56, 17, 16, False))


# Panels of the first two sizes.
LARGER = RANKED[0].places + RANKED[1].places
# The same for a lecture room.
ROOM_RANKED = (Tier(2, 2, 1, 126, 44, 26, True), Tier(4, 4, 2, 66, 28, 24, False), Tier(99, 6, 2, 36, 18, 24, False))
ROOM_MARGIN = {"l": 92, "r": 16}
EVEN = Tier(99, 5, 2, 142, 20, 16, True)


@dataclass(frozen=True, eq=False)
class TrialPanel:
    """One experiment as a panel."""

    name: str
    word: str  # What it did, one of the words of `effects`; empty for the experiment itself
    number: str  # How many seeds solve it, "8 of 8"; or what the word rests on, "error 66% → 17%"
    history: History


def ranked_panels(results: Results) -> list[TrialPanel]:
    """Return a panel for each trial, in the order in which they are drawn."""
    of_all = list(zip(results.names, results.words, results.briefs, results.histories, strict=True))
    return [TrialPanel(*of_all[place]) for place in results.drawn]


def remedies_figure(tried: Sequence[TrialPanel], view: View, *, ranked: bool = True) -> Figure:
    """Draw layer by epoch for each, in the order given: the experiment itself, then the remedies, the best first and,
    where they are `ranked`, large.

    The panels' axes are x1, x2, ... in the order given, so that a click can be told which it met; the places and the height
    depend on the number of panels alone, so that nothing jumps while the ranking is not final.
    """
    traces: Traces = []
    for place, one in enumerate(tried, start=1):
        panel = panels.position_by_epoch(one.history, view, f"x{place}", f"y{place}")
        # Rows of a small panel are hardly higher than a wide gap.
        traces += [trace | {"ygap": 1} if "ygap" in trace and place > LARGER else trace for trace in panel]
    traces += panels.view_colour_bar(view, f"x{len(tried) + 1}", f"y{len(tried) + 1}")
    tiers = RANKED if ranked else (replace(EVEN, columns=_even(len(tried))),)
    room = {"room": _layout(tried, view, ROOM_RANKED, narrow=False)} if ranked else {}
    return marks.compose(traces, lambda narrow: _layout(tried, view, tiers, narrow), fixed=True, **room)


def _even(count: int) -> int:
    """Return how many panels stand beside each other, so that rows are about equally long."""
    return -(-count // -(-count // EVEN.columns))


@dataclass(frozen=True)
class Slot:
    """Where a panel lies."""

    tier: Tier
    box: Box
    leftmost: bool


def _slots(tried: Sequence[TrialPanel], tiers: Sequence[Tier], narrow: bool) -> tuple[list[Slot], int]:
    """Return the place of every panel and the height of the figure, in pixels."""
    rows: list[tuple[Tier, int, int, int]] = []  # Tier, columns, pixels above the row's maps, panels in it
    left = len(tried)
    # What a remedy did may need a second line: it has its place before that is known, as nothing may move.
    said = 2 if any(one.word for one in tried) else 1
    for tier in tiers:
        columns = tier.narrow_columns if narrow else tier.columns
        longest = max(len(wrap(one.name, _letters(tier, narrow))) for one in tried)
        lines = longest + (1 if tier.places == RANKED[0].places else said)
        here = min(tier.places, left)
        left -= here
        for first in range(0, here, columns):
            rows.append((tier, columns, round(lines * LINE * tier.size / 16) + 8, min(columns, here - first)))
    height = sum(above + tier.height + TICKS * tier.ticks + SPACE for tier, _, above, _ in rows) + FOOT
    slots, top = [], 0
    for tier, columns, above, count in rows:
        down = [1 - (top + above + tier.height) / height, 1 - (top + above) / height]
        slots += [Slot(tier, (axes.piece(column, columns, GAP), down), column == 0) for column in range(count)]
        top += above + tier.height + TICKS * tier.ticks + SPACE
    return slots, height


def _layout(tried: Sequence[TrialPanel], view: View, tiers: Sequence[Tier], narrow: bool) -> dict[str, Any]:
    slots, height = _slots(tried, tiers, narrow)
    named_axes: dict[str, Any] = {}
    labels = []
    for place, (one, slot) in enumerate(zip(tried, slots, strict=True), start=1):
        named_axes |= _panel_axes(place, one.history, view, slot)
        if one.history.experiment.epochs != tried[0].history.experiment.epochs:  # an axis of its own
            del named_axes[f"xaxis{place}"]["matches"]
        across, up = slot.box
        labels.append(axes.label(_title(one, slot.tier, narrow), across[0], up[1], size=slot.tier.size))
        labels[-1]["align"] = "left"
    size = tiers[-1].size
    foot = FOOT / height
    values = {"range": list(view.span), "showgrid": False, "fixedrange": True, **axes.value_ticks(view)}
    # On a phone the colours are as wide as the panels, below their name.
    colour_bar = ([0.0, 1.0], [foot * 0.5, foot * 0.64]) if narrow else ([0.3, 1.0], [foot * 0.5, foot * 0.7])
    named_axes |= axes.pair(len(tried) + 1, colour_bar, values, {"visible": False, "fixedrange": True})
    what = f"{view.diagnostic.title}{', over the last layer’s' if view.is_ratio else ''}"
    labels.append(axes.label(what, 0, foot * (0.68 if narrow else 0.5), size=size))
    caption = axes.settings(summary(tried[0].history.experiment), 30)
    layout = {
        "height": height,
        "annotations": [*labels, caption | {"yanchor": "bottom"}],
        **axes.legend_above(height, above=size // 2 if size <= theme.TICK_SIZE else size),
        **axes.sized(named_axes),
    }
    if size > theme.TICK_SIZE:
        layout["margin"] = axes.MARGIN | ROOM_MARGIN
        layout["legend"] |= {"font": {"size": size}}
        for name in named_axes:
            layout[name] |= {"tickfont": {"size": size}, "title": layout[name]["title"] | {"font": {"size": size}}}
    return layout


def _letters(tier: Tier, narrow: bool) -> int:
    return min(tier.letters, NARROW_LETTERS // tier.narrow_columns) if narrow else tier.letters


def _title(tried: TrialPanel, tier: Tier, narrow: bool) -> str:
    letters = _letters(tier, narrow)
    joint = " · " if len(tried.word + tried.number) + 3 <= letters else "<br>"
    said = f"{tried.word}{joint}{tried.number}" if tried.word in COLOURS else f"{tried.number} learn it"
    mark = f'<span style="color:{COLOURS[tried.word]}">■</span> ' if tried.word in COLOURS else ""
    return f"<b>{axes.folded(tried.name, letters)}</b><br>{mark}{said}"


def _panel_axes(place: int, history: History, view: View, slot: Slot) -> dict[str, Any]:
    """Return the two axes of a panel; they move with the first panel's when a viewer zooms."""
    epochs, ticks = history.experiment.epochs, slot.tier.ticks
    x = {"showgrid": False, **axes.epoch_axis(epochs, view), "showticklabels": ticks}
    if view.axis == "linear":
        # Both end at their place: a number in the middle would be read as the last epoch.
        x |= {"tickvals": [0, epochs], "ticktext": ["0", f"epoch {epochs:,}"], "ticklabelposition": "outside left"}
    named = slot.leftmost and ticks
    y = axes.layer_axis(history.experiment.layers, max(1, min(6, 16 * slot.tier.height // (25 * slot.tier.size)))) | {
        "showticklabels": named,
        "title": "layer" if named else "",
    }
    return axes.pair(place, slot.box, x, y, follow=True)


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
    losses = axes.loss_axis(one.history.loss for one in tried)
    named_axes = {
        "xaxis": {"title": "epoch", "showgrid": False, "automargin": True, **epochs},
        "yaxis": {"title": "loss, median over seeds", "automargin": True, **losses},
    }
    font = {"font": {"size": theme.TICK_SIZE}}
    layout = {"template": theme.TEMPLATE, "height": 540, "legend": font, "margin": {"b": 56}}
    return plain.figure(traces, layout | axes.sized(named_axes))


def describe_losses(names: Sequence[str], facts: Sequence[Facts]) -> str:
    """Say where each loss begins and ends."""
    told = (f"{name}: {number(f.loss_start)} to {number(f.loss_end)}" for name, f in zip(names, facts, strict=True))
    return f"Median loss from the start to epoch {max(f.epoch for f in facts):,}. {'; '.join(told)}."
