"""The tour's figures: those of other pages, fitted to the two thirds of the page that the words leave them."""

from textwrap import wrap
from typing import Any

from explorer.diagnosis.decomposition import Why
from explorer.figures import axes
from explorer.figures.explore import why_figure
from explorer.figures.plain import Figure
from explorer.figures.remedies import FOOT
from explorer.figures.time import PROFILE

# In pixels; the live chart lowers it on a low screen.
HEIGHT = 940
# The height of each further line of settings.
LINE = 18
# Where the line ends before the colour bar's numbers.
LETTERS_THROUGH_TIME = 98
NO_BREAK = "\N{NO-BREAK SPACE}"


def with_height(figure: Figure, **changes: Any) -> Figure:
    """Give a figure the tour's height, and change its layout; that for a narrow screen, in its `meta`, stays."""
    layout = figure["layout"]
    for name, change in changes.items():
        layout[name] = layout.get(name, {}) | change if isinstance(change, dict) else change
    layout["height"] = HEIGHT
    return figure


def _settings(figure: Figure) -> list[dict[str, Any]]:
    """Return the lines of settings among the texts of a figure."""
    return [text for text in figure["layout"]["annotations"] if text.get("name") == "settings"]


def beside_words(figure: Figure) -> Figure:
    """Fit Explore's figure."""
    return with_height(figure, xaxis2=_fewer_ticks(figure["layout"]["xaxis2"]))


def _fewer_ticks(axis: dict[str, Any]) -> dict[str, Any]:
    """Every second tick of the profile's axis: beside words it has half of the width of a page of its own."""
    if len(axis.get("tickvals", ())) < 6:
        return {"tickangle": 0}
    return {"tickvals": axis["tickvals"][1::2], "ticktext": axis["ticktext"][1::2], "tickangle": 0}


def why_beside_words(why: Why, caption: str) -> Figure:
    """Draw what multiplies the gradient, with the settings below it."""
    return with_height(why_figure(why), annotations=[axes.settings(caption, 66)], margin={"b": 96})


def panels_beside_words(figure: Figure) -> Figure:
    """Fit the figure of Remedies: the panels get all the height there is, the colour bar below them keeps its own."""
    layout = figure["layout"]
    old, new = FOOT / layout["height"], FOOT / HEIGHT

    def moved(y: float) -> float:
        return y * new / old if y <= old else new + (y - old) * (1 - new) / (1 - old)

    for name, axis in layout.items():
        if name.startswith("yaxis"):
            axis["domain"] = [moved(y) for y in axis["domain"]]
    for text in layout["annotations"]:
        text["y"] = moved(text["y"])
    return with_height(figure, meta={"fixed": False})


def time_beside_words(figure: Figure, caption: str) -> Figure:
    """Fit the figure of Time: the settings on several lines, broken between two of them."""
    unbroken = caption.replace(" ·", f"{NO_BREAK}·").replace(" ~ ", f"{NO_BREAK}~{NO_BREAK}")
    lines = wrap(unbroken, LETTERS_THROUGH_TIME)
    for text in _settings(figure):
        text["text"] = "<br>".join(lines)
    layout, axis = figure["layout"], f"xaxis{PROFILE}"
    margin = {"b": layout["margin"]["b"] + LINE * (len(lines) - 1)}
    return with_height(figure, margin=margin, **{axis: _fewer_ticks(layout[axis])})
