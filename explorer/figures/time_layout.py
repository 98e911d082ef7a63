"""Time arrangement: where the panels of compared recurrent nets lie, on a wide screen and on a phone; axes and words."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np

from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis.wording import power_of_ten
from explorer.figures import theme
from explorer.figures.explore import epoch_axis, label, sized, value_ticks
from explorer.figures.marks import epoch_positions
from explorer.figures.theme import Ink
from explorer.figures.view import TimeView
from explorer.training.history import DIVERGED, SOLVED, History

Span = list[float]
Place = tuple[Span, Span]

# Numbers of the axes: the heatmaps' are 1 to 6, and the colour bar lies on the profile's x axis.
LOSS, SHARE, PROFILE, STRIP = 7, 8, 9, 10
HEIGHT = 740
# In pixels.
MARGIN = {"l": 72, "r": 26, "t": 54, "b": 48}
GAP = 0.028
LETTERS = 20  # of a large name, on a laptop
NARROW_SCALE = 0.85
NARROW_LOSS, NARROW_SHARE, NARROW_MAP, NARROW_PROFILE, NARROW_STRIP, NARROW_FOOT = 130, 110, 150, 300, 14, 30


@dataclass(frozen=True, eq=False)
class Panel:
    """One compared net, or the room for it.

    Attributes
    ----------
    name : str
    ink : Ink
    history : History or None
        None while nothing is measured yet.
    empty : str
        Why there is nothing to draw; "" where there is.
    """

    name: str
    ink: Ink
    history: History | None
    empty: str


@dataclass(frozen=True)
class Places:
    """Where everything lies: (left, right) and (bottom, top) as shares of the figure's inside.

    Attributes
    ----------
    height : int
        Of the whole figure, in pixels.
    maps : tuple of places
        Of the heatmaps, in the order of the nets.
    columns : int
        Heatmaps in a row.
    loss, share, profile, strip : places
    scale : float
        Of all text.
    letters : int
        Of a line of the caption.
    """

    height: int
    maps: tuple[Place, ...]
    columns: int
    loss: Place
    share: Place
    profile: Place
    strip: Place
    scale: float = 1.0
    letters: int = 155


def wide(count: int) -> Places:
    """Heatmaps beside each other, up to three in a row; the profile at their right, loss and share above."""
    rows: list[Span] = [[0.095, 0.715]] if count <= 3 else [[0.465, 0.715], [0.095, 0.345]]
    columns = -(-count // len(rows))
    width = (0.70 + GAP) / columns
    maps = []
    for index in range(count):
        row, column = divmod(index, columns)
        maps.append(([column * width, (column + 1) * width - GAP], rows[row]))
    right, top = [0.755, 1.0], [0.88, 1.0]
    across = ([0.0, 0.46], top), ([0.54, 1.0], top)
    return Places(HEIGHT, tuple(maps), columns, *across, (right, [0.095, 0.715]), (right, [0.02, 0.05]))


def narrow(count: int) -> Places:
    """All below each other: loss, share, the heatmaps, the profile."""
    heights = [NARROW_LOSS, NARROW_SHARE, *[NARROW_MAP] * count, NARROW_PROFILE, NARROW_STRIP]
    gaps = [0, 56, 80, *[54] * (count - 1), 84, 10]
    inside = sum(heights) + sum(gaps) + NARROW_FOOT
    tops = 1 - (np.cumsum(gaps) + np.cumsum([0, *heights[:-1]])) / inside
    spans = [[float(top - height / inside), float(top)] for top, height in zip(tops, heights, strict=True)]
    loss, share, *maps, profile, strip = [([0.0, 1.0], span) for span in spans]
    height = inside + MARGIN["t"] + MARGIN["b"] + 40
    return Places(height, tuple(maps), 1, loss, share, profile, strip, NARROW_SCALE, 62)


def arrange(panels: Sequence[Panel], view: TimeView, epoch: int, caption: str, places: Places) -> dict[str, Any]:
    """Return the layout: axes, names, the chosen epoch and the settings, so that a picture explains itself."""
    chosen = chosen_epoch(panels, epoch)
    return {
        "height": places.height,
        "margin": MARGIN | ({"b": MARGIN["b"] + 40} if places.scale < 1 else {}),
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1 + 30 / places.height,
            "yanchor": "bottom",
            "itemwidth": 30,
            "font": {"size": theme.TICK_SIZE * places.scale},
        },
        # Plotly would leave out a legend of one entry, such as that of exact zeros.
        "showlegend": True,
        "hovermode": "closest",
        **{name: sized(axis, places.scale) for name, axis in _axes(panels, view, places).items()},
        "annotations": [*_titles(panels, places), *_words(view, chosen, caption, places)],
        "shapes": _lines(panels, float(epoch_positions(np.array([chosen]), view)[0])),
    }


def chosen_epoch(panels: Sequence[Panel], epoch: int) -> int:
    """The recorded epoch that is meant; while some have fewer records than others, the furthest."""
    known = [each.history for each in panels if each.history is not None]
    return max((int(history.epochs[history.at(epoch)]) for history in known), default=0)


# --- axes -------------------------------------------------------------------------------------


def _axes(panels: Sequence[Panel], view: TimeView, places: Places) -> dict[str, Any]:
    known = [each.history.experiment for each in panels if each.history is not None]
    last = max((each.epochs for each in known), default=1)
    epochs = epoch_axis(last, view) | {"tickangle": 0, "showgrid": False}
    epochs |= _few_ticks(last) if view.axis == "log" else {}
    longest = max(known, key=lambda each: each.length, default=None)
    steps = step_axis(1 if longest is None else longest.length)
    along = "time step → answer" if longest is not None and answers_at_the_end(longest) else "time step"
    axes: dict[str, Any] = {}
    for number, place in enumerate(places.maps, start=1):
        lowest = number > len(panels) - places.columns
        below = {"title": {"text": "epoch", "standoff": 2} if lowest else "", "showticklabels": lowest}
        leftmost = (number - 1) % places.columns == 0
        beside = {"title": along if leftmost else "", "showticklabels": leftmost}
        axes |= _pair(
            number, place, epochs | below | _like_first(number, "x"), steps | beside | _like_first(number, "y")
        )
    axes |= _pair(LOSS, places.loss, epochs | {"matches": "x"}, LOSS_AXIS)
    axes |= _pair(SHARE, places.share, epochs | {"matches": "x"}, SHARE_AXIS)
    values = {"range": list(view.span), "showgrid": True, **value_ticks(view)}
    own = {"matches": "y", "showticklabels": places.columns == 1 and places.scale < 1}
    axes |= _pair(PROFILE, places.profile, values, steps | own)
    axes |= _pair(STRIP, places.strip, {}, {"visible": False, "fixedrange": True})
    del axes[f"xaxis{STRIP}"]
    axes[f"xaxis{PROFILE}"]["anchor"], axes[f"yaxis{STRIP}"]["anchor"] = f"y{STRIP}", f"x{PROFILE}"
    return axes


# Fixed, as all ranges, so that pictures can be compared.
LOSS_AXIS = {
    "type": "log",
    "range": [-4.0, 1.0],
    "tickvals": [1e-4, 1e-2, 1.0],
    "ticktext": [power_of_ten(-4), power_of_ten(-2), "1"],
    "title": "loss",
}
# Where a mark stands that has no place on it.
LOSS_TOP = 5.0
SHARE_AXIS = {"range": [-0.06, 1.06], "tickvals": [0, 0.5, 1], "ticktext": ["0%", "50%", "100%"]}


def _few_ticks(last: int) -> dict[str, Any]:
    """Ticks of a logarithmic axis of epochs that is not wide: 0 and about three powers of ten."""
    decades = int(np.log10(last))
    powers = range(decades % 2 if decades > 2 else 0, decades + 1, 2 if decades > 2 else 1)
    texts = [f"{10**power:,}" if power < 4 else power_of_ten(power) for power in powers]
    return {"tickvals": [0.5, *(10**power for power in powers)], "ticktext": ["0", *texts]}


def _pair(number: int, place: Place, x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    """The two axes of a panel."""
    suffix = "" if number == 1 else str(number)
    return {
        f"xaxis{suffix}": x | {"domain": place[0], "anchor": f"y{suffix}"},
        f"yaxis{suffix}": y | {"domain": place[1], "anchor": f"x{suffix}"},
    }


def _like_first(number: int, axis: str) -> dict[str, str]:
    """Where a viewer zooms into one heatmap, all others follow."""
    return {} if number == 1 else {"matches": axis}


def answers_at_the_end(experiment: RecurrentExperiment) -> bool:
    """Whether the loss counts at the last time step only."""
    return experiment.points().first_counted == experiment.length - 1


def step_axis(last: int) -> dict[str, Any]:
    """Return range and ticks of time steps: the first, round ones and the last."""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100) if last / step <= 6)
    between = [value for value in range(step, last, step) if 1 + 0.6 * step < value < last - 0.6 * step]
    return {"range": [0.5, last + 0.5], "showgrid": False, "tickvals": sorted({1, *between, last})}


# --- words and lines --------------------------------------------------------------------------


def _titles(panels: Sequence[Panel], places: Places) -> list[dict[str, Any]]:
    """Over each heatmap its name and who learns it; in an empty one, why it is."""
    found = []
    size = (18 if max(len(each.name) for each in panels) <= LETTERS else 15) * places.scale
    for each, (x, y) in zip(panels, places.maps, strict=True):
        # The colour is a square's: as small text it would be hard to read.
        text = f'<span style="color:{each.ink.line}">■</span> <b>{each.name}</b>'
        who = "\N{NO-BREAK SPACE}" if each.history is None else learners(each.history)
        text += f'<br><span style="font-size:{15 * places.scale:g}px">{who}</span>'
        found.append(label(text, x[0], y[1], size=size) | {"align": "left"})
        if each.empty:
            middle = {"xanchor": "center", "yanchor": "middle", "align": "center"}
            found.append(label(each.empty, sum(x) / 2, sum(y) / 2, size=16 * places.scale) | middle)
    return found


def learners(history: History) -> str:
    """Say how many seeds learn it, "so far" while training goes on, and how many have become non-finite."""
    outcome = history.outcome
    told = f"{outcome.count(SOLVED)} of {len(outcome)} learn it{' so far' * (not history.complete)}"
    return f"{told}, {outcome.count(DIVERGED)} not finite" if DIVERGED in outcome else told


def _words(view: TimeView, chosen: int, caption: str, places: Places) -> list[dict[str, Any]]:
    relative = ", over the last step's" if view.is_ratio else ""
    title = "<br>".join(wrap(f"{view.diagnostic.title}{relative}, epoch {chosen:,}", 30))
    size = 16 * places.scale
    settings = "<br>".join(wrap(caption, places.letters))
    return [
        label(title, places.profile[0][0], places.profile[1][1], size=size) | {"align": "left"},
        label("Loss, median over seeds", places.loss[0][0], places.loss[1][1], size=size),
        label("Seeds that have learnt it", places.share[0][0], places.share[1][1], size=size),
        label(settings, 0, 0, size=13 * places.scale)
        | {"yanchor": "top", "yshift": -12, "align": "left", "opacity": 0.85, "name": "settings"},
    ]


def _lines(panels: Sequence[Panel], position: float) -> list[dict[str, Any]]:
    """The chosen epoch, a line through loss, share and heatmaps; a frame where there is no heatmap."""
    cursor = {"type": "line", "x0": position, "x1": position, "y0": 0, "y1": 1}
    cursor["line"] = {"color": theme.CURSOR, "width": 2, "dash": "dot"}
    frame = {"type": "rect", "x0": 0, "x1": 1, "y0": 0, "y1": 1, "line": {"color": theme.GRID, "width": 2}}
    found = [cursor | {"xref": f"x{number}", "yref": f"y{number} domain"} for number in (LOSS, SHARE)]
    for number, each in enumerate(panels, start=1):
        suffix = "" if number == 1 else number
        x, y = f"x{suffix}", f"y{suffix} domain"
        found.append(frame | {"xref": f"{x} domain", "yref": y} if each.empty else cursor | {"xref": x, "yref": y})
    return found
