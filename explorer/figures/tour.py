"""The tour's figures: those of other pages, fitted to the two thirds of the page that the words leave them."""

from textwrap import wrap
from typing import Any

import plotly.graph_objects as go

from explorer.diagnosis.why import Why
from explorer.figures import axes
from explorer.figures.explore import why_figure
from explorer.figures.remedies import FOOT
from explorer.figures.time import PROFILE

# In pixels; the live chart lowers it on a low screen.
HEIGHT = 940
# Letters of a line of settings, and the height of each further line.
LETTERS, LINE = 118, 18
# Where the line ends before the colour bar's numbers.
LETTERS_THROUGH_TIME = 98
NO_BREAK = "\N{NO-BREAK SPACE}"


def with_height(figure: go.Figure, **changes: Any) -> go.Figure:
    """Give a figure the tour's height, and change its layout; that for a narrow screen, in its `meta`, stays."""
    figure.update_layout(height=HEIGHT, **changes)
    return figure


def beside_words(figure: go.Figure) -> go.Figure:
    """Fit Explore's figure: the line of settings is broken in two where it is too long."""
    for text in figure.select_annotations({"name": "settings"}):
        parts = text.text.split(" · ")
        if len(text.text) > LETTERS:
            half = next(n for n in range(1, len(parts) + 1) if len(" · ".join(parts[:n])) * 2 >= len(text.text))
            text.update(text=f"{' · '.join(parts[:half])} ·<br>{' · '.join(parts[half:])}", yshift=text.yshift - LINE)
            text.align = "left"
            figure.layout.margin.b = figure.layout.template.layout.margin.b + LINE
    return with_height(figure, xaxis2=_fewer_ticks(figure.layout.xaxis2))


def _fewer_ticks(axis: Any) -> dict[str, Any]:
    """Every second tick of the profile's axis: beside words it has half of the width of a page of its own."""
    if axis.tickvals is None or len(axis.tickvals) < 6:
        return {"tickangle": 0}
    return {"tickvals": axis.tickvals[1::2], "ticktext": axis.ticktext[1::2], "tickangle": 0}


def why_beside_words(why: Why, caption: str) -> go.Figure:
    """Draw what multiplies the gradient, with the settings below it."""
    return with_height(why_figure(why), annotations=[axes.settings(caption, 66)], margin={"b": 96})


def panels_beside_words(figure: go.Figure) -> go.Figure:
    """Fit the figure of Remedies: the panels get all the height there is, the colour bar below them keeps its own."""
    old, new = FOOT / figure.layout.height, FOOT / HEIGHT

    def moved(y: float) -> float:
        return y * new / old if y <= old else new + (y - old) * (1 - new) / (1 - old)

    for axis in figure.select_yaxes():
        axis.domain = [moved(y) for y in axis.domain]
    for text in figure.layout.annotations:
        text.y = moved(text.y)
    return with_height(figure, meta={"narrow": figure.layout.meta["narrow"], "fixed": False})


def time_beside_words(figure: go.Figure, caption: str) -> go.Figure:
    """Fit the figure of Time: the settings on several lines, broken between two of them."""
    unbroken = caption.replace(" ·", f"{NO_BREAK}·").replace(" ~ ", f"{NO_BREAK}~{NO_BREAK}")
    lines = wrap(unbroken, LETTERS_THROUGH_TIME)
    figure.update_annotations({"text": "<br>".join(lines)}, {"name": "settings"})
    margin = {"b": figure.layout.margin.b + LINE * (len(lines) - 1)}
    axis = f"xaxis{PROFILE}"
    return with_height(figure, margin=margin, **{axis: _fewer_ticks(figure.layout[axis])})
