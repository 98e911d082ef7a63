"""Theme: the colours, line styles and text sizes of all figures, and their common template.

Every colour has a contrast of at least 3 : 1 both on white and on near-black, and
colours that meet in a picture can be told apart by colour-blind viewers as well (a
test simulates them): viridis for sizes, purple-orange for ratios, marks in grey
and vermilion. No colour reaches the 4.5 : 1 of small text on both, so text, grid
and background are left to the page's theme, which can change without a rerun.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.colors


def see_through(colour: str, share: float) -> str:
    """Return the colour #rrggbb with an opacity from 0 to 1."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {share})"


def _scale(name: str) -> list[list[Any]]:
    """Return the colours of one of Plotly's scales: by its name a browser would take others of the same scale."""
    return [list(stop) for stop in plotly.colors.get_colorscale(name)]


NOW = "#0f827c"
NOW_FAINT, NOW_BAND = see_through(NOW, 0.45), see_through(NOW, 0.33)
BASELINE = "#8d93ad"
BASELINE_BAND = see_through(BASELINE, 0.38)
THEORY = "#d97b0e"
EXACT_ZERO = "#949494"
NOT_FINITE = "#c43c1f"
CLASSES = (THEORY, "#4477aa")
# Of compared nets, in their order; where lines lie upon each other, their dashes show both.
COMPARED = ("#c1237e", "#345be0", "#049b41", "#8e7de5", "#5f6f4a", "#b27ec0")
DASHES = ("solid", "dash", "dashdot", "longdash", "longdashdot", "dot")  # dotted last: elsewhere that is the start
CASING = "rgba(20, 20, 20, 0.9)"  # around a line on a map of many colours
CURSOR = "rgba(128, 128, 128, 0.9)"
GRID = "rgba(128, 128, 128, 0.22)"

SIZE_SCALE = _scale("Viridis")
RATIO_SCALE = [
    [0.0, "#3b0f70"],
    [0.25, "#8073ac"],
    [0.45, "#d8daeb"],
    [0.5, "#f7f7f7"],
    [0.55, "#fee0b6"],
    [0.75, "#e08214"],
    [1.0, "#7f3b08"],
]
SHARE_SCALE = _scale("Cividis")
ANSWER_SCALE = [[0.0, "#fdd9a6"], [0.5, "#f7f7f7"], [1.0, "#a8c6e6"]]

PARTS = {"slope": "#0072b2", "weights": "#b87f00", "normalization": "#009e73", "skip": "#cc79a7"}

# Of a walk: its marks, and the colours of its gradients, which span so many decades to both sides of 1.
WALK: dict[str, Any] = {
    "now": NOW,
    "parts": PARTS,
    "scale": RATIO_SCALE,
    "decades": 8,
    "zero": EXACT_ZERO,
    "lost": NOT_FINITE,
}

TICK_SIZE, LABEL_SIZE = 16, 17

TEMPLATE: dict[str, Any] = {
    "layout": {
        "font": {"size": 16},
        "hovermode": "closest",
        "hoverlabel": {"font": {"size": 16}},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": {"gridcolor": GRID, "zeroline": False, "ticks": ""},
        "yaxis": {"gridcolor": GRID, "zeroline": False, "ticks": ""},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": BASELINE, "activecolor": NOW},
        "colorway": [NOW, BASELINE, THEORY],
        "margin": {"l": 64, "r": 16, "t": 54, "b": 38},
    }
}


@dataclass(frozen=True)
class LineStyle:
    """How one of several compared experiments is drawn."""

    # Colours of its median, of the area over seeds, and of each seed's own line
    colour: str
    band: str
    faint: str
    dash: str = "solid"  # Of lines that may lie upon those of others


NOW_STYLE = LineStyle(NOW, NOW_BAND, NOW_FAINT)
BASELINE_STYLE = LineStyle(BASELINE, BASELINE_BAND, BASELINE_BAND)


def pinned_styles(count: int) -> list[LineStyle]:
    """Return the styles of a baseline, if there is one, and of the present setting after it."""
    return [BASELINE_STYLE, NOW_STYLE][-count:]


def line_styles(names: Sequence[str]) -> dict[str, LineStyle]:
    """Give each of the compared, six at the most, its style by its place."""
    if len(names) > len(COMPARED):
        raise ValueError(f"{len(names)} names: there are styles for {len(COMPARED)}")
    return {
        name: LineStyle(colour, see_through(colour, 0.2), see_through(colour, 0.45), dash)
        for name, colour, dash in zip(names, COMPARED, DASHES, strict=False)
    }
