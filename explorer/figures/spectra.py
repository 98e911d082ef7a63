"""Where the planes and the curves of the recurrent matrix lie, on a wide screen and on a phone. Heights are in pixels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.diagnosis.seeds import band, log_band
from explorer.diagnosis.spectra import NEW_STATE, Eigenvalues, largest_text, meaning, spectrum
from explorer.figures import theme
from explorer.figures.curves import ABOVE, DecadePanel, key, stacked
from explorer.figures.explore import epoch_axis, label, sized
from explorer.figures.marks import Shown, Traces, epoch_positions, legend_once, small
from explorer.figures.theme import Ink
from explorer.figures.time import Curve, Drawn, curve_traces, factor_axis, foot, head, titled
from explorer.figures.time_layout import step_axis
from explorer.figures.triangles import NARROW_SCALE, legend_above
from explorer.figures.view import TimeView

Box = tuple[list[float], list[float]]

# Of the curves, as log10: 0.06 to 18.
SIZE_SPAN = (-1.25, 1.25)
# The plane reaches as far as the first of these that holds what the strength sets.
REACHES = (2.0, 5.0, 15.0)
TITLE, LINE, TICKS, UNDER_CURVES = 34, 21, 26, 54
# What the planes have of a wide figure's width, and where the curves begin.
PLANES, CURVES, GAP = 0.69, 0.755, 0.02


@dataclass(frozen=True)
class Matrices:
    """What is drawn, apart from the nets.

    Attributes
    ----------
    view : TimeView
    epoch : int
    matrix : str
        Which W_hh.
    caption : str
    """

    view: TimeView
    epoch: int
    matrix: str
    caption: str


@dataclass(frozen=True)
class _Room:
    """How much room there is: the planes' columns and rows, the height of a plane, of what is under it, and of curves."""

    columns: int
    rows: int
    plane: int
    under: float
    curves: int
    scale: float

    @property
    def planes(self) -> float:
        """All rows of planes, with what is under them."""
        return self.rows * (self.plane + self.under) + (self.rows - 1) * TITLE

    @property
    def inner(self) -> float:
        """All panels."""
        return self.planes + 2 * (TITLE + self.curves) + UNDER_CURVES if self.curves else self.planes

    def box(self, across: list[float], top: float, height: float) -> Box:
        """Return the domains of a panel that lies `top` below the upper edge."""
        return across, [max(1 - (top + height) / self.inner, 0.0), 1 - top / self.inner]


def plane_reach(drawn: Drawn) -> float:
    """Return how far the planes reach from 0: by the strength that is set, not by what was measured."""
    strongest = max(shown.history.experiment.strength for shown, _ in drawn)
    return next((reach for reach in REACHES if 1.25 * strongest <= reach), REACHES[-1])


def matrix_layout(drawn: Drawn, said: Matrices, *, narrow: bool) -> dict[str, Any]:
    """Return the layout of the figure of recurrent matrices."""
    texts = [_plane_text(shown.history, said) for shown, _ in drawn]
    room = _room(len(drawn), max(text.count("<br>") + 1 for text in texts), narrow)
    annotations, below = foot(meaning([shown.history.experiment for shown, _ in drawn]), said.caption, narrow)
    axes: dict[str, Any] = {}
    for index, (shown, ink) in enumerate(drawn):
        row, column = divmod(index, room.columns)
        piece = ((1.0 if narrow else PLANES) + GAP) / room.columns
        across = [column * piece, column * piece + piece - GAP]
        box = room.box(across, row * (room.plane + room.under + TITLE), room.plane)
        axes |= _plane_axes(index + 1, box, plane_reach(drawn), texts[index], leftmost=column == 0)
        annotations.append(
            _over(index + 1, titled(shown, ink), (14 if narrow and room.columns > 1 else 17) * room.scale)
        )
    words = ("<b>Largest |λ| and σ₁, medians</b>", "<b>Singular values, medians</b>")
    annotations += [_over(len(drawn) + place, text, 16 * room.scale) for place, text in enumerate(words, start=1)]
    axes |= _curve_axes(drawn, said.view, _curve_boxes(room))
    lines, top = head([f"W_hh of the {said.matrix}"], 7 if narrow else 1, TITLE, narrow)
    return {
        "height": round(room.inner + below + top),
        **legend_above(room.inner, room.scale, above=TITLE),
        **{name: sized(axis, room.scale) for name, axis in axes.items()},
        "annotations": [*annotations, lines],
        "shapes": _lines(drawn, said),
        "margin": {"l": 64, "r": 16, "t": top, "b": below},
    }


def _room(count: int, lines: int, narrow: bool) -> _Room:
    columns = min(count, 3) if not narrow else 1 if count <= 3 else 2
    rows = -(-count // columns)
    scale = NARROW_SCALE if narrow else 1.0
    plane = (270 if columns == 1 else 130) if narrow else (310 if rows == 1 else 270)
    return _Room(columns, rows, plane, TICKS + LINE * lines * scale, 220 if narrow else 0, scale)


def _curve_boxes(room: _Room) -> tuple[Box, Box]:
    """Return the panels of curves: at the right one above the other, on a phone below the planes."""
    if room.curves:
        first = room.planes + TITLE
        second = first + room.curves + UNDER_CURVES + TITLE
        return room.box([0.0, 1.0], first, room.curves), room.box([0.0, 1.0], second, room.curves)
    height = (room.inner - UNDER_CURVES - TITLE) / 2
    across = [CURVES, 1.0]
    return room.box(across, 0, height), room.box(across, room.inner - height, height)


def _plane_text(history: Any, said: Matrices) -> str:
    found = spectrum(history, said.matrix)
    return "<br>".join(["Re λ", *largest_text(history, None if found is None else found[0], said.epoch)])


def _plane_axes(place: int, box: Box, reach: float, text: str, *, leftmost: bool) -> dict[str, Any]:
    """Return both axes of a plane, on one scale: a circle is a circle."""
    ticks = {"tickvals": {2.0: [-1, 0, 1], 5.0: [-4, -2, 0, 2, 4], 15.0: [-10, -5, 0, 5, 10]}[reach]}
    line = {"range": [-reach, reach], "showgrid": True, "constrain": "domain", **ticks}
    x = line | {"domain": box[0], "anchor": _axis("y", place), "constraintoward": "left"}
    y = line | {"domain": box[1], "anchor": _axis("x", place), "constraintoward": "top"}
    x["title"] = {"text": text, "standoff": 4}
    y |= {"title": {"text": "Im λ" * leftmost, "standoff": 0}, "showticklabels": leftmost}
    y |= {"scaleanchor": _axis("x", place), "scaleratio": 1}
    number = "" if place == 1 else str(place)
    return {f"xaxis{number}": x, f"yaxis{number}": y}


def _curve_axes(drawn: Drawn, view: TimeView, boxes: tuple[Box, Box]) -> dict[str, Any]:
    experiments = [shown.history.experiment for shown, _ in drawn]
    epochs = epoch_axis(max(experiment.epochs for experiment in experiments), view)
    ranks = step_axis(max(experiment.hidden for experiment in experiments))
    axes: dict[str, Any] = {}
    for place, box, title, x in (
        (len(drawn) + 1, boxes[0], "epoch", epochs),
        (len(drawn) + 2, boxes[1], "rank of the singular value", ranks),
    ):
        words = {"title": {"text": title, "standoff": 2}, "showgrid": False}
        axes[f"xaxis{place}"] = x | words | {"domain": box[0], "anchor": f"y{place}"}
        axes[f"yaxis{place}"] = factor_axis(SIZE_SPAN) | {"domain": box[1], "anchor": f"x{place}"}
    return axes


def _axis(letter: str, place: int) -> str:
    """Name an axis as Plotly does: the first one has no number."""
    return letter if place == 1 else f"{letter}{place}"


def _over(place: int, text: str, size: float) -> dict[str, Any]:
    """Return the title of a panel, over its left corner."""
    corner = {"xref": f"{_axis('x', place)} domain", "yref": f"{_axis('y', place)} domain", "yshift": 3}
    return label(text, 0, 1, size=size) | corner


def _lines(drawn: Drawn, said: Matrices) -> list[dict[str, Any]]:
    """A level at 1 in both panels of curves, and the chosen epoch."""
    histories = [shown.history for shown, _ in drawn]
    # While trainings stream in, some have fewer records than others.
    chosen = max(history.epochs[history.at(said.epoch)] for history in histories)
    at = float(epoch_positions(np.array([chosen]), said.view)[0])
    first, second = len(drawn) + 1, len(drawn) + 2
    ink = {"color": theme.CURSOR, "width": 2}
    level = {"type": "line", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "line": ink}
    cursor = {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "line": ink | {"dash": "dot"}}
    return [
        *(level | {"xref": f"x{place} domain", "yref": f"y{place}"} for place in (first, second)),
        cursor | {"xref": f"x{first}", "yref": f"y{first} domain"},
    ]


# --- The recurrent matrix over training: its eigenvalues on the complex plane, its largest ones by epoch, its singular values ---


RADIUS, STRETCH = "largest |λ|", "largest singular value σ₁"
NOW, START, CIRCLE = "λ at the chosen epoch", "λ at the start", "|λ| = 1"


def matrix_figure(drawn: Drawn, view: TimeView, epoch: int, caption: str, matrix: str = NEW_STATE) -> go.Figure:
    """Draw the recurrent matrices of compared nets.

    Left, a complex plane a net: the eigenvalues of all seeds. Right, by epoch, the largest |λ| and the largest
    singular value; and all singular values by rank.

    Parameters
    ----------
    drawn : sequence of (Shown, Ink)
        1 to 6 nets.
    view : TimeView
        Says whether the epoch axis is linear or logarithmic.
    epoch : int
        The epoch of planes and singular values.
    caption : str
        The settings, below everything.
    matrix : str
        Which W_hh, one of `matrix_choices`.

    Notes
    -----
    `layout.meta` holds the layout for a narrow screen; who shows the figure there merges it.
    """
    said, reach = Matrices(view, epoch, matrix, caption), plane_reach(drawn)
    places = {"epoch": len(drawn) + 1, "rank": len(drawn) + 2}
    curves = {across: DecadePanel(SIZE_SPAN, across, f"x{place}", f"y{place}") for across, place in places.items()}
    traces: Traces = []
    for place, (shown, ink) in enumerate(drawn, start=1):
        history, found = shown.history, spectrum(shown.history, matrix)
        traces.append(_circle(place))
        if found is not None:
            traces += _eigenvalues(found[0], history.at(epoch), ink, reach, place)
            traces += _over_epochs(shown, ink, view, found, curves["epoch"])
            traces += _by_rank(shown, ink, history.at(epoch), found[1], curves["rank"])
    traces += [key(RADIUS, dash="solid"), key(STRETCH, dash="dash"), key("σ at the start", dash="dot")]
    layout = {"template": theme.TEMPLATE, **matrix_layout(drawn, said, narrow=False)}
    layout["meta"] = {"narrow": matrix_layout(drawn, said, narrow=True), "fixed": True}
    return go.Figure(data=legend_once(stacked(traces)), layout=layout)


# --- the planes -------------------------------------------------------------------------------


def _circle(place: int) -> go.Scatter:
    turn = np.linspace(0, 2 * np.pi, 121)
    return go.Scatter(
        x=small(np.cos(turn)),
        y=small(np.sin(turn)),
        xaxis=f"x{place}",
        yaxis=f"y{place}",
        mode="lines",
        line={"width": 2, "color": theme.CURSOR},
        hoverinfo="skip",
        name=CIRCLE,
    )


def _eigenvalues(found: Eigenvalues, record: int, ink: Ink, reach: float, place: int) -> Traces:
    """Those at the start as open circles, those at a record as filled ones, and what lies beyond at the edge."""
    now = found[:, record].ravel()
    now = now[np.isfinite(now)]
    outside = np.maximum(np.abs(now.real), np.abs(now.imag)) > reach
    common_ = {"xaxis": f"x{place}", "yaxis": f"y{place}", "mode": "markers"}
    beyond = now[outside]
    # To the edge along the line from 0.
    edge = 0.94 * reach * beyond / np.maximum(np.abs(beyond.real), np.abs(beyond.imag))
    arrows = {"symbol": "triangle-up", "size": 10, "angle": 90 - np.degrees(np.angle(beyond)), "color": ink.line}
    hover = "λ = %{x:.3f} %{y:+.3f} i<br>|λ| = %{customdata:.3f}"
    open_circle = {"size": 7, "symbol": "circle-open", "color": ink.line, "line": {"width": 1}}
    groups: list[tuple[NDArray[np.complex128], Array | None, dict[str, Any]]] = [
        (found[:, 0].ravel(), None, {"marker": open_circle, "name": START}),
        (now[~outside], None, {"marker": {"size": 6, "color": ink.line}, "name": NOW}),
        (edge, np.abs(beyond), {"marker": arrows, "name": ABOVE, "showlegend": False}),
    ]
    return [
        go.Scatter(
            x=small(values.real),
            y=small(values.imag),
            customdata=small(np.abs(values) if size is None else size),
            hovertemplate=(hover if size is None else "beyond the picture<br>|λ| = %{customdata:.3f}")
            + f"<extra>{style['name']}</extra>",
            **common_,
            **style,
        )
        for values, size, style in groups
        if len(values)
    ]


# --- the curves -------------------------------------------------------------------------------


def _over_epochs(
    shown: Shown, ink: Ink, view: TimeView, found: tuple[Eigenvalues, Array], panel: DecadePanel
) -> Traces:
    """Median over seeds of the largest |λ| and of the largest singular value."""
    across = epoch_positions(shown.history.epochs, view)
    traces: Traces = []
    for words, values, dash in (
        (RADIUS, np.abs(found[0][:, :, 0]), "solid"),
        (STRETCH, found[1][:, :, 0], "dash"),
    ):
        said = np.stack([band(values).middle, shown.history.epochs], axis=1)
        hover = f"epoch %{{customdata[1]:,d}}<br>{shown.name}: {words} %{{customdata[0]:.3g}}"
        traces += curve_traces(Curve(shown.name, ink, across, log_band(values), hover, said, dash), panel)
    return traces


def _by_rank(shown: Shown, ink: Ink, record: int, found: Array, panel: DecadePanel) -> Traces:
    """Singular values, the largest first, at the start and at a record."""
    ranks = np.arange(1.0, found.shape[-1] + 1)
    traces: Traces = []
    for when, dash in ((0, "dot"), (record, "solid")):
        values = found[:, when]
        hover = f"σ, rank %{{x}}<br>{shown.name}{', at the start' * (dash == 'dot')}: %{{customdata:.3g}}"
        curve = Curve(shown.name, ink, ranks, log_band(values), hover, band(values).middle, dash)
        traces += curve_traces(curve, panel)
    return traces
