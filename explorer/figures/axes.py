"""Axes: every range, tick, title and legend, and the words above and below the panels. Lengths are in pixels."""

import math
from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.diagnosis.wording import power_of_ten
from explorer.figures import theme
from explorer.figures.view import View
from explorer.training.history import GREW

Limits = tuple[float, float]
# A panel's (left, right) and (bottom, top), as shares of the figure's inside.
Box = tuple[Sequence[float], Sequence[float]]

MARGIN = {"l": 70, "r": 16, "t": 84, "b": 80}
# Letters of a line of text across the whole figure, on a wide screen and on a phone.
LETTERS, NARROW_LETTERS = 122, 38
SETTINGS_SIZE, SETTINGS_LETTERS, NARROW_SETTINGS_LETTERS, SETTINGS_LINE = 16, 118, 36, 22
CLOSE = 4
LOSS_DECADES = (-6.0, 1.3)
# Where an axis of losses that adapts begins and ends: at the first that holds them. The last is the largest double.
LOSS_BOTTOMS, LOSS_TOPS = (-3.0, -6.0, -12.0, -33.0), (1.3, 6.0, 20.0, 60.0, 120.0, 200.0, 309.0)
# Of layers, depths or columns, so many at most are named in an alternative text, evenly spread.
TOLD = 8
# A line around a panel.
FRAME: dict[str, Any] = {"showline": True, "mirror": True, "linecolor": theme.GRID, "linewidth": 1}
LEVEL_LINE: dict[str, Any] = {"type": "line", "line": {"color": theme.CURSOR, "width": 2}}
LIMIT_LINE: dict[str, Any] = {"type": "line", "line": {"color": theme.CURSOR, "width": 2.5, "dash": "dash"}}
CURSOR_LINE: dict[str, Any] = {"type": "line", "line": {"color": theme.CURSOR, "width": 2, "dash": "dot"}}


# --- ticks ------------------------------------------------------------------------------------


def ticks(values: Iterable[float], texts: Iterable[str]) -> dict[str, Any]:
    """Return an axis' ticks."""
    return {"tickvals": list(values), "ticktext": list(texts)}


def power_text(exponent: int) -> str:
    """Say a power of ten, 1 as 1."""
    return "1" if exponent == 0 else power_of_ten(exponent)


def decade_ticks(span: Limits, count: int = 6) -> dict[str, Any]:
    """Return about `count` whole powers of ten, 1 among them, for an axis of logarithms."""
    step = max(round((span[1] - span[0]) / count), 1)
    powers = [power for power in range(math.ceil(span[0]), math.floor(span[1]) + 1) if power % step == 0]
    return ticks(powers, map(power_text, powers))


def factor_ticks(span: Limits) -> dict[str, Any]:
    """Return ticks for logarithms of factors: 0.1, 0.2, 0.5, 1, 2, ... on a short axis, powers of ten on a long one."""
    if span[1] - span[0] > 4:
        return decade_ticks(span)
    powers = range(math.floor(span[0]), math.ceil(span[1]) + 1)
    factors = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    inside = [factor for factor in factors if span[0] - 1e-9 <= np.log10(factor) <= span[1] + 1e-9]
    return ticks((float(np.log10(factor)) for factor in inside), (f"{factor:g}" for factor in inside))


def times_ticks(span: Limits) -> dict[str, Any]:
    """Return range and ticks of an axis of logarithms of factors: ×0.1, ×0.5, ×1, ×2, ..."""
    found = factor_ticks(span)
    return {"range": list(span)} | found | {"ticktext": [f"×{text}" for text in found["ticktext"]]}


def share_ticks(count: int = 5) -> dict[str, Any]:
    """Return evenly spread ticks from 0% to 100%."""
    values = np.linspace(0, 1, count).tolist()
    return ticks(values, (f"{value:.0%}" for value in values))


def value_ticks(view: View) -> dict[str, Any]:
    """Return ticks for what a view shows."""
    if view.diagnostic.unit == "share":
        return share_ticks()
    return decade_ticks(view.span, 5) if view.in_decades else {}


def few_value_ticks(view: View, span: Limits) -> dict[str, Any]:
    """Return about three ticks for a low panel of what a view shows."""
    return (
        share_ticks(2)
        if view.diagnostic.unit == "share"
        else decade_ticks(span, 3)
        if view.in_decades
        else {"nticks": 3}
    )


def whole_ticks(last: int) -> dict[str, Any]:
    """Return 1 and round whole numbers up to the last."""
    step = 1 if last <= 12 else 2 if last <= 20 else 5 if last <= 30 else 10
    values = sorted({1, *(value for value in range(step, last + 1, step) if value == 1 or value - 1 > 0.6 * step)})
    return ticks(values, map(str, values))


def end_ticks(last: int, most: int = 6) -> list[int]:
    """Return the first position, about `most` round ones and the last."""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100) if last / step <= most)
    room = 0.6 * step
    return sorted({1, *(value for value in range(step, last, step) if 1 + room < value < last - room), last})


# --- axes -------------------------------------------------------------------------------------


AS_X, AS_Y = {"matches": "x"}, {"matches": "y"}


def pair(number: int, box: Box, x: dict[str, Any], y: dict[str, Any], *, follow: bool = False) -> dict[str, Any]:
    """Return the two axes of a panel; where they `follow`, they move with the first ones when a viewer zooms."""
    # Plotly gives the first ones no number.
    n = "" if number == 1 else str(number)
    more_x, more_y = (AS_X, AS_Y) if follow and n else ({}, {})
    return {
        f"xaxis{n}": x | more_x | {"domain": list(box[0]), "anchor": f"y{n}"},
        f"yaxis{n}": y | more_y | {"domain": list(box[1]), "anchor": f"x{n}"},
    }


def piece(index: int, count: int, gap: float, length: float = 1.0) -> list[float]:
    """Return start and end of one of `count` equal pieces of a length, with gaps between them."""
    width = (length + gap) / count
    return [index * width, min(index * width + width - gap, 1.0)]


def layer_axis(layers: int, most: int = 6) -> dict[str, Any]:
    """Return range and about `most` ticks of layers, the last one marked as the output."""
    values = end_ticks(layers, most)
    texts = [*map(str, values[:-1]), f"{layers} out"]
    return {"range": [0.5, layers + 0.5], "showgrid": False, **ticks(values, texts)}


def step_axis(last: int, words: str = "") -> dict[str, Any]:
    """Return range, ticks and title of time steps."""
    named = {"title": title(words, 2)} if words else {}
    return {"range": [0.5, last + 0.5], "showgrid": False, "tickvals": end_ticks(last), **named}


def epoch_axis(last: int, view: View, *, short: bool = False) -> dict[str, Any]:
    """Return range and ticks of an axis of epochs that ends at epoch `last`; a short one has fewer ticks."""
    if view.axis != "log":
        return {"range": [0, last]}
    decades = int(np.log10(last))
    few = short and decades > 2
    powers = range(decades % 2 if few else 0, decades + 1, 2 if few else 1)
    texts = [power_of_ten(power) if short and power > 3 else f"{10**power:,}" for power in powers]
    values = [0.5, *(10**power for power in powers)]
    return {"type": "log", "range": [np.log10(0.4), np.log10(last)], **ticks(values, ["0", *texts])}


def log_axis(span: Limits, most: float = 6) -> dict[str, Any]:
    """Return range and ticks, every second power of ten or fewer, of a logarithmic axis; its span is in decades."""
    step = next(step for step in (2, 3, 5, 10, 20, 50, 100, 200) if (span[1] - span[0]) / step <= most)
    powers = [power for power in range(math.ceil(span[0]), math.floor(span[1]) + 1) if power % step == 0]
    return {"type": "log", "range": list(span), **ticks((10.0**power for power in powers), map(power_text, powers))}


def loss_axis(losses: Iterable[Array]) -> dict[str, Any]:
    """Return an axis of losses, each (runs, records), whose ends are of a few fixed ones.

    Seeds that leave it, see `escaping`, do not stretch it.
    """
    counted = [values[~escaping(values)] for values in losses]
    numbers = np.concatenate([values[np.isfinite(values) & (values > 0)] for values in counted])
    lowest, highest = np.log10(np.min(numbers, initial=1.0)), np.log10(np.max(numbers, initial=1.0))
    bottom = next((bottom for bottom in LOSS_BOTTOMS if bottom <= lowest), LOSS_BOTTOMS[-1])
    return log_axis((bottom, next(top for top in LOSS_TOPS if highest <= top)), most=2)


def escaping(losses: Array) -> NDArray[np.bool_]:
    """Return which seeds diverge among others that do not: half of them or more are the picture itself."""
    with np.errstate(invalid="ignore", over="ignore"):
        grown = losses[:, -1] > GREW * losses[:, 0]
    diverged = np.asarray(grown | ~np.isfinite(losses[:, -1]), dtype=bool)
    return diverged & (2 * diverged.sum() < len(diverged))


def title(text: str, standoff: float = CLOSE) -> dict[str, Any]:
    """Return an axis' title that stands close to it."""
    return {"text": text, "standoff": standoff}


def sized(axes: Mapping[str, Any]) -> dict[str, Any]:
    """Set the sizes of axes' text, which a page's theme would otherwise make too small for the last row of a lecture room."""
    tick, large = {"size": theme.TICK_SIZE}, {"size": theme.LABEL_SIZE}
    found = {}
    for name, axis in axes.items():
        text = axis.get("title", {})
        text = {"text": text} if isinstance(text, str) else text
        found[name] = axis | {"tickfont": tick, "title": text | {"font": large}}
    return found


def colour_bar(text: str, **more: Any) -> dict[str, Any]:
    """Return a colour bar with its title, at the right of the panels or, if it is horizontal, below them."""
    side = "top" if "orientation" in more else "right"
    return {
        "title": {"text": text, "side": side, "font": {"size": theme.LABEL_SIZE}},
        "tickfont": {"size": theme.TICK_SIZE},
        "outlinewidth": 0,
        **more,
    }


# --- words ------------------------------------------------------------------------------------


def legend(y: float) -> dict[str, Any]:
    """Return a horizontal legend at height y, a share of the figure's inside."""
    place = {"orientation": "h", "x": 0, "y": y, "yanchor": "bottom"}
    # Plotly would leave out a legend of one entry, such as that of exact zeros.
    return {"legend": place | {"font": {"size": theme.TICK_SIZE}}, "showlegend": True}


def legend_below(below: float, inner: float) -> dict[str, Any]:
    """Return a legend `below` pixels under panels that are `inner` pixels high."""
    legend_at = legend(-below / inner)
    return legend_at | {"legend": legend_at["legend"] | {"yanchor": "top"}}


def legend_above(inner: float, above: float = 6) -> dict[str, Any]:
    """Return a legend `above` pixels over panels that are `inner` pixels high."""
    return legend(1 + above / inner)


def one_panel(
    x: dict[str, Any], y: dict[str, Any], height: int, narrow: bool, below: int = MARGIN["b"]
) -> dict[str, Any]:
    """Return the layout of one panel of curves with a legend above it."""
    return {
        "height": height,
        **sized({"xaxis": x, "yaxis": {"showgrid": True, **y}}),
        **legend_above(height - MARGIN["t"] - below),
        "margin": MARGIN | {"b": below},
    }


def label(text: str, x: float, y: float, **font: Any) -> dict[str, Any]:
    """Return a text whose lower left corner is at (x, y) on the paper."""
    place = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "showarrow": False}
    return {"text": text, "x": x, "y": y, "font": font, **place}


def panel_title(number: int, text: str, size: float) -> dict[str, Any]:
    """Return a text over the upper left corner of a panel."""
    n = "" if number == 1 else str(number)
    return label(text, 0, 1, size=size) | {"xref": f"x{n} domain", "yref": f"y{n} domain", "yshift": 3, "align": "left"}


def coloured_name(colour: str, name: str) -> str:
    """Return a name after a square of its colour: as small text the colour itself would be hard to read."""
    return f'<span style="color:{colour}">■</span> <b>{name}</b>'


def folded(text: str, letters: int) -> str:
    """Break a text into lines of at most so many letters; Plotly does not."""
    return "<br>".join(wrap(text, letters, break_on_hyphens=False))


def folded_settings(text: str, letters: int) -> str:
    """Break settings into lines of at most so many letters, between two of them."""
    lines = [""]
    for part in text.split(" · "):
        longer = f"{lines[-1]} · {part}" if lines[-1] else part
        if lines[-1] and len(longer) > letters:
            lines.append(part)
        else:
            lines[-1] = longer
    return " · <br>".join(lines)


def settings(text: str, below: float = 52) -> dict[str, Any]:
    """Return the settings, `below` the panels: what a picture must carry to explain itself."""
    place = {"yanchor": "top", "yshift": -below, "align": "left", "opacity": 0.85, "name": "settings"}
    return label(text, 0, 0, size=SETTINGS_SIZE) | place


def more_settings(caption: str, narrow: bool) -> int:
    """Return the height in pixels of all lines of the settings but the first."""
    letters = NARROW_SETTINGS_LETTERS if narrow else SETTINGS_LETTERS
    return SETTINGS_LINE * folded(caption, letters).count("<br>")


def with_settings(layout: dict[str, Any], caption: str, narrow: bool) -> dict[str, Any]:
    """Write the settings below everything, in as many lines as they need, which make the figure higher."""
    more, margin = more_settings(caption, narrow), layout.get("margin", MARGIN)
    folds = folded(caption, NARROW_SETTINGS_LETTERS if narrow else SETTINGS_LETTERS)
    texts = [*layout.get("annotations", []), *([settings(folds)] if folds else [])]
    return layout | {
        "height": layout["height"] + more,
        "margin": margin | {"b": margin["b"] + more},
        "annotations": texts,
    }


def foot(words: str, caption: str, narrow: bool) -> tuple[list[dict[str, Any]], int]:
    """Write what a figure means, and the settings, below its panels; return the notes and their height, ticks included."""
    letters = NARROW_LETTERS if narrow else LETTERS
    notes, below = [], 56
    for name, text in (("words", words), ("settings", caption)):
        if text:
            folds = "<br>".join(wrap(text, letters))
            notes.append(settings(folds, below) | {"name": name})
            notes[-1]["opacity"] = 0.85 if name == "settings" else 1
            below += round((folds.count("<br>") + 1) * SETTINGS_SIZE * 1.35) + 6
    return notes, below + 6


def head(lines: Sequence[str], rows: int, above: int, narrow: bool) -> tuple[dict[str, Any], int]:
    """Write some lines above the panels; return them and the upper margin.

    Below them there is room for a legend of some rows, on a phone one for each entry, which ends `above` the panels.
    """
    size, text = 16, "<br>".join(lines)
    height = round(8 + (text.count("<br>") + 1) * 1.3 * size + 12 + rows * 23 + above)
    place = {"yanchor": "top", "yshift": height - 6, "align": "left", "name": "lines"}
    return label(text, 0, 1, size=size) | place, height
