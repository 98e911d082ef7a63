"""The tour's figures: those of other pages, fitted to the two thirds of the page that the words leave them."""

from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from explorer.diagnosis.decomposition import Why
from explorer.figures import axes, theme
from explorer.figures.explore import why_figure
from explorer.figures.plain import Figure, Trace
from explorer.figures.remedies import FOOT
from explorer.figures.time import PROFILE

# In pixels; the live chart lowers it on a low screen.
HEIGHT = 940
# The height of each further line of settings.
LINE = 18
# Where the line ends before the colour bar's numbers.
LETTERS_THROUGH_TIME = 98
NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Proof:
    """What of a figure proves a scene's sentence: what is framed, and its name."""

    words: str
    # FIRST: the first layer's or step's row of a map; END: a map's last epochs; MAP: all of it; LOSS: the losses; else the
    # name of a part of the way back, whose bars are meant.
    place: str
    panel: int = -1  # Index of the map
    depth: int | None = None  # Of a figure by depth


FIRST, END, MAP, LOSS, DEPTH = "first", "end", "map", "loss", "depth"
POINTER = theme.COMPARED[0]  # Neither a colour of the maps nor one that says what became of a net
LEAST_ROW = 0.035  # A frame around a row of many is as high as this share of the map


def pointed(figure: Figure, proof: Proof) -> Figure:
    """Frame what proves the sentence."""
    shape = _frame(figure, proof)
    if shape is None:
        for trace in figure["data"]:
            if trace["type"] == "bar" and trace.get("name") == proof.place:
                trace["marker"] = trace["marker"] | {"line": {"color": POINTER, "width": 3}}
        return figure
    line = {"type": "rect", "line": {"color": POINTER, "width": 4}}
    for layout in (figure["layout"], figure["layout"].get("meta", {}).get("narrow", {})):
        if layout:
            layout["shapes"] = [*layout.get("shapes", []), line | shape]
    return figure


def _frame(figure: Figure, proof: Proof) -> dict[str, Any] | None:
    """Return where the frame lies; None where bars are meant."""
    if proof.place == LOSS:
        x, y = next(
            _axes(trace) for trace in reversed(figure["data"]) if "median loss" in trace.get("hovertemplate", "")
        )
        return {"xref": f"{x} domain", "yref": f"{y} domain", "x0": 0, "x1": 1, "y0": 0, "y1": 1}
    if proof.depth is not None:
        return {"xref": "x", "yref": "y domain", "x0": proof.depth - 0.4, "x1": proof.depth + 0.4, "y0": 0, "y1": 1}
    spans = {FIRST: (0.0, 1.0, 0.0, 1.0), END: (0.97, 1.0, 0.0, 1.0), MAP: (0.0, 1.0, 0.0, 1.0)}
    if proof.place not in spans:
        return None
    # Of what is drawn as a heatmap only maps over epochs know these.
    maps = {_axes(trace): trace for trace in figure["data"] if trace["type"] == "heatmap" and "customdata" in trace}
    x, y = list(maps)[proof.panel]
    left, right, bottom, top = spans[proof.place]
    if proof.place == FIRST:
        top = max(1 / len(maps[x, y]["z"]), LEAST_ROW)
    return {"xref": f"{x} domain", "yref": f"{y} domain", "x0": left, "x1": right, "y0": bottom, "y1": top}


def _axes(trace: Trace) -> tuple[str, str]:
    return trace.get("xaxis", "x"), trace.get("yaxis", "y")


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
