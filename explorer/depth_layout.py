"""What figures over depth have in common: margins, ticks, legend and caption."""

import math
from typing import Any

from explorer import theme
from explorer.arrangement import label
from explorer.wording import power_of_ten

Span = tuple[float, float]

NARROW_SCALE = 0.85
# In pixels.
MARGIN = {"l": 70, "r": 16, "t": 84, "b": 80}


def whole_ticks(last: int) -> dict[str, Any]:
    """Return ticks for whole numbers from 1."""
    step = 1 if last <= 12 else 2 if last <= 20 else 5 if last <= 30 else 10
    values = sorted({1, *range(step, last + 1, step)})
    return {"tickvals": values, "ticktext": [str(value) for value in values]}


def decade_ticks(span: Span) -> list[int]:
    """About six whole powers of ten, 1 among them."""
    step = max(round((span[1] - span[0]) / 6), 1)
    return [power for power in range(math.ceil(span[0]), math.floor(span[1]) + 1) if power % step == 0]


def below(title: str) -> dict[str, Any]:
    """Return an axis' title that stands close to it."""
    return {"text": title, "standoff": 4}


def legend_above(inner: float, scale: float, above: int = 6) -> dict[str, Any]:
    """Return a legend `above` pixels over panels that are `inner` pixels high."""
    place = {"orientation": "h", "x": 0, "y": 1 + above / inner, "yanchor": "bottom", "itemwidth": 30}
    font = {"size": theme.TICK_SIZE * scale}
    # Plotly would leave out a legend of one entry, such as that of exact zeros.
    return {"legend": place | {"font": font}, "showlegend": True, "hovermode": "closest"}


def captioned(layout: dict[str, Any], caption: str) -> dict[str, Any]:
    """Write the settings below everything, so that a picture explains itself."""
    if not caption:
        return layout
    settings = label(caption, 0, 0, size=13) | {"yanchor": "top", "yshift": -52, "opacity": 0.85, "name": "settings"}
    return layout | {"annotations": [*layout.get("annotations", []), settings]}


def power(exponent: int) -> str:
    """Say a power of ten, 1 as 1."""
    return "1" if exponent == 0 else power_of_ten(exponent)
