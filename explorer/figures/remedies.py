"""The figure of the remedies page: one small heatmap for each thing that was tried, all on one colour scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.diagnosis.seeds import band
from explorer.diagnosis.wording import summary
from explorer.figures import theme
from explorer.figures.explore import epoch_axis, label, layer_ticks, sized, value_ticks
from explorer.figures.marks import colour_strip, epoch_positions, heatmap, legend_once
from explorer.figures.view import View
from explorer.training.history import History

# Panels beside each other on a wide screen and on a phone, and the height of a row and of what is below, in pixels.
WIDE, NARROW = 5, 2
ROW, LINE, TICKS, FOOT = 216, 20, 30, 100
LETTERS = 20  # of a line of a panel's title, on a laptop
GAP = 0.022
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
# The colour of what the remedy did, before the words that say it.
COLOURS = {"helped": theme.NOW, "helped a little": theme.NOW, "harmed": theme.NOT_FINITE}


@dataclass(frozen=True, eq=False)
class Tried:
    """One experiment as a panel.

    Attributes
    ----------
    name : str
    word : str
        What it did, one of the words of `effects`; empty for the experiment itself.
    solved : str
        "8 of 8".
    history : History
    """

    name: str
    word: str
    solved: str
    history: History


def remedies_figure(tried: Sequence[Tried], view: View) -> go.Figure:
    """Draw layer by epoch for each, in the order given.

    Notes
    -----
    `layout.meta` holds the layout for a narrow screen; who shows the figure there merges it, and keeps the height as it is. The panels' axes are
    x1, x2, ... in the order given, so that a click can be told which it met.
    """
    traces: list[Any] = []
    for number, each in enumerate(tried, start=1):
        traces += heatmap(each.history, view, f"x{number}", f"y{number}")
    traces += colour_strip(view, f"x{len(tried) + 1}", f"y{len(tried) + 1}")
    layout = {"template": theme.TEMPLATE, **_arrange(tried, view, WIDE)}
    layout["meta"] = {"narrow": _arrange(tried, view, NARROW), "fixed": True}
    return go.Figure(data=legend_once(traces), layout=layout)


def _arrange(tried: Sequence[Tried], view: View, columns: int) -> dict[str, Any]:
    """Place the panels row by row, and the colour bar below them."""
    columns = min(columns, -(-len(tried) // -(-len(tried) // columns)))
    rows = -(-len(tried) // columns)
    title = LINE * (1 + max(len(wrap(each.name, LETTERS)) for each in tried)) + 16
    row_height = ROW - 44 + title
    height = rows * row_height + FOOT
    width, tall = (1 + GAP) / columns, row_height / height
    scale = 1.0 if columns > NARROW else 0.85
    axes: dict[str, Any] = {}
    labels = []
    for index, each in enumerate(tried):
        row, column = divmod(index, columns)
        left, top = column * width, 1 - row * tall
        place = ([left, left + width - GAP], [top - (row_height - TICKS) / height, top - title / height])
        axes |= _panel_axes(index, each.history, view, place, column == 0)
        labels.append(_title(each, left, place[1][1], scale))
    foot = FOOT / height
    axes |= _colour_axes(len(tried) + 1, view, foot)
    what = f"{view.diagnostic.title}{', over the last layer’s' if view.is_ratio else ''}"
    labels.append(label(what, 0, foot * 0.5, size=16 * scale))
    labels.append(
        label(summary(tried[0].history.experiment), 0, 0, size=13 * scale) | {"yshift": -30, "name": "settings"}
    )
    return {
        "height": height,
        "annotations": labels,
        "hovermode": "closest",
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1 + 8 / height,
            "yanchor": "bottom",
            "font": {"size": theme.TICK_SIZE},
        },
        **{name: sized(axis, scale) for name, axis in axes.items()},
    }


def _title(each: Tried, left: float, bottom: float, scale: float) -> dict[str, Any]:
    """Name a panel, and below the name say what the remedy did."""
    said = f"{each.word} · {each.solved}" if each.word in COLOURS else f"{each.solved} learn it"
    mark = f'<span style="color:{COLOURS[each.word]}">■</span> ' if each.word in COLOURS else ""
    text = f"<b>{'<br>'.join(wrap(each.name, LETTERS))}</b><br>{mark}{said}"
    return label(text, left, bottom, size=15 * scale) | {"align": "left"}


def _panel_axes(
    index: int, history: History, view: View, place: tuple[list[float], list[float]], leftmost: bool
) -> dict[str, Any]:
    """Return the two axes of a panel; they move with the first panel's when a viewer zooms."""
    number = str(index + 1)
    layers, epochs = history.experiment.layers, history.experiment.epochs
    x = {"domain": place[0], "anchor": f"y{number}", "showgrid": False, **epoch_axis(epochs, view)}
    if view.axis == "linear":
        x |= {"tickvals": [0, epochs / 2], "ticktext": ["0", f"epoch {epochs / 2:,.0f}"]}
    y = {"domain": place[1], "anchor": f"x{number}", "range": [0.5, layers + 0.5], "showgrid": False}
    y |= layer_ticks(layers) | {"showticklabels": leftmost, "title": "layer" if leftmost else ""}
    if index:
        x["matches"], y["matches"] = "x", "y"
    suffix = "" if index == 0 else number
    return {f"xaxis{suffix}": x, f"yaxis{suffix}": y}


def _colour_axes(number: int, view: View, foot: float) -> dict[str, Any]:
    low = foot * 0.5
    x = {"domain": [0.3, 1.0], "anchor": f"y{number}", "range": list(view.span), "showgrid": False, **value_ticks(view)}
    y = {"domain": [low, low + foot * 0.2], "anchor": f"x{number}", "visible": False, "fixedrange": True}
    return {f"xaxis{number}": x | {"fixedrange": True}, f"yaxis{number}": y}


def loss_figure(tried: Sequence[Tried], view: View) -> go.Figure:
    """Draw the median loss of each over epochs; the experiment itself thick, what helped or harmed in its colour."""
    figure = go.Figure()
    last = tried[0].history.experiment.epochs
    for index, each in enumerate(tried):
        middle = band(each.history.loss).middle
        colour = COLOURS.get(each.word, theme.BASELINE)
        figure.add_scatter(
            x=epoch_positions(each.history.epochs, view),
            y=np.where(np.isfinite(middle), middle, np.nan),
            mode="lines",
            line={"color": colour, "width": 4 if index == 0 else 2, "dash": DASHES[index % len(DASHES)]},
            name=each.name,
            hovertemplate=f"{each.name}<br>epoch %{{x:,.0f}}: median loss %{{y:.3g}}<extra></extra>",
        )
    figure.update_layout(
        template=theme.TEMPLATE,
        height=380,
        hovermode="closest",
        xaxis=sized({"title": "epoch", "showgrid": False, **epoch_axis(last, view)}),
        yaxis=sized({"title": "loss, median over seeds", "type": "log", "exponentformat": "power"}),
        legend={"font": {"size": theme.TICK_SIZE}},
        margin={"b": 56},
    )
    return figure
