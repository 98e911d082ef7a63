"""The recurrent matrix over training: its eigenvalues on the complex plane, its largest ones by epoch, its singular values.

Heights are in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.choices.activations import ACTIVATIONS
from explorer.choices.arrays import Array
from explorer.choices.recurrent_experiment import NEW_STATE, RecurrentExperiment, matrix_names
from explorer.diagnosis.seeds import band, log_band
from explorer.diagnosis.wording import number
from explorer.figures import axes, marks, panels, plain, theme
from explorer.figures.axes import Box
from explorer.figures.marks import Curve, Panel, Traces
from explorer.figures.panels import Nets
from explorer.figures.plain import Figure, Trace
from explorer.figures.theme import LineStyle
from explorer.figures.view import View
from explorer.training.history import History

Eigenvalues = NDArray[np.complex128]

# Of the curves, as log10: 0.06 to 18.
SIZE_SPAN = (-1.25, 1.25)
# The plane reaches as far as the first of these that holds what the strength sets; its ticks.
REACHES = {2.0: [-1, 0, 1], 5.0: [-4, -2, 0, 2, 4], 15.0: [-10, -5, 0, 5, 10]}
TITLE, LINE, TICKS, UNDER_CURVES = 34, 21, 26, 54
# What the planes have of a wide figure's width, and where the curves begin.
PLANES, CURVES, GAP = 0.69, 0.755, 0.02
RADIUS, STRETCH = "largest |λ|", "largest singular value σ₁"
CHOSEN, FIRST, CIRCLE = "λ at the chosen epoch", "λ at the start", "|λ| = 1"


def spectrum(history: History, matrix: str) -> tuple[Eigenvalues, Array] | None:
    """Return eigenvalues and singular values of one W_hh, (runs, records, hidden); None if the net has no such matrix."""
    names = matrix_names(history.experiment)
    if matrix not in names:
        return None
    matrices, index = history.recurrent_matrix, names.index(matrix)
    return matrices["eigenvalues"][:, :, index], matrices["singular_values"][:, :, index]


def matrix_figure(nets: Nets, view: View, epoch: int, caption: str, matrix: str = NEW_STATE) -> Figure:
    """Draw the recurrent matrices of one to six compared nets; `matrix` says which W_hh, one of `matrix_choices`.

    Left, a complex plane for each net: the eigenvalues of all seeds at an epoch. Right, by epoch, the largest |λ| and the
    largest singular value; and all singular values by rank.
    """
    by_epoch, by_rank = (
        Panel(SIZE_SPAN, across, f"x{place}", f"y{place}")
        for place, across in enumerate(("epoch", "rank"), start=len(nets) + 1)
    )
    traces: Traces = []
    for place, shown in enumerate(nets, start=1):
        history, curve, record = shown.history, Curve(shown.name, shown.style), shown.history.at(epoch)
        traces.append(_circle(place))
        measured = spectrum(history, matrix)
        if measured is not None:
            eigenvalues, singular = measured
            traces += _eigenvalues(eigenvalues, record, shown.style, plane_reach(nets), place)
            across = panels.epoch_positions(history.epochs, view)
            traces += _over_epochs(curve, RADIUS, history, across, np.abs(eigenvalues[:, :, 0]), by_epoch)
            traces += _over_epochs(curve, STRETCH, history, across, singular[:, :, 0], by_epoch)
            traces += _over_ranks(curve, record, singular, by_rank)
    traces += [marks.legend_line(RADIUS, dash="solid"), marks.legend_line(STRETCH, dash="dash")]
    traces += [marks.legend_line("σ at the start", dash="dot")]
    return marks.compose(
        marks.stacked(traces), lambda narrow: _layout(nets, view, epoch, caption, matrix, narrow), fixed=True
    )


def plane_reach(nets: Nets) -> float:
    """Return how far the planes reach from 0. It follows from the strength that is set, not from what was measured."""
    strongest = max(shown.history.experiment.strength for shown in nets)
    return next((reach for reach in REACHES if 1.25 * strongest <= reach), max(REACHES))


def _circle(place: int) -> Trace:
    turn = np.linspace(0, 2 * np.pi, 121)
    return plain.trace(
        "scatter",
        x=marks.float32(np.cos(turn)),
        y=marks.float32(np.sin(turn)),
        xaxis=f"x{place}",
        yaxis=f"y{place}",
        mode="lines",
        line={"width": 2, "color": theme.CURSOR},
        hoverinfo="skip",
        name=CIRCLE,
    )


def _eigenvalues(eigenvalues: Eigenvalues, record: int, style: LineStyle, reach: float, place: int) -> Traces:
    """Draw eigenvalues at the start as open circles, at a record as filled ones, and those out of range at the edge."""
    now = eigenvalues[:, record].ravel()
    now = now[np.isfinite(now)]
    outside = np.maximum(np.abs(now.real), np.abs(now.imag)) > reach
    beyond = now[outside]
    # To the edge along the line from 0.
    edge = 0.94 * reach * beyond / np.maximum(np.abs(beyond.real), np.abs(beyond.imag))
    arrows = {"symbol": "triangle-up", "size": 10, "angle": 90 - np.degrees(np.angle(beyond)), "color": style.colour}
    open_circle = {"size": 7, "symbol": "circle-open", "color": style.colour, "line": {"width": 1}}
    size = "<br>|λ| = %{customdata:.3f}"
    inside, outer = f"λ = %{{x:.3f}} %{{y:+.3f}} i{size}", f"beyond the picture{size}"
    groups: list[tuple[NDArray[np.complex128], Array, str, dict[str, Any]]] = [
        (eigenvalues[:, 0].ravel(), np.abs(eigenvalues[:, 0].ravel()), inside, {"marker": open_circle, "name": FIRST}),
        (now[~outside], np.abs(now[~outside]), inside, {"marker": {"size": 6, "color": style.colour}, "name": CHOSEN}),
        (edge, np.abs(beyond), outer, {"marker": arrows, "name": marks.ABOVE, "showlegend": False}),
    ]
    return [
        plain.trace(
            "scatter",
            x=marks.float32(values.real),
            y=marks.float32(values.imag),
            xaxis=f"x{place}",
            yaxis=f"y{place}",
            mode="markers",
            customdata=marks.float32(sizes),
            hovertemplate=f"{hover}<extra>{look['name']}</extra>",
            **look,
        )
        for values, sizes, hover, look in groups
        if len(values)
    ]


def _over_epochs(curve: Curve, words: str, history: History, across: Array, values: Array, panel: Panel) -> Traces:
    said = np.stack([band(values).middle, history.epochs], axis=1)
    hover = f"epoch %{{customdata[1]:,d}}<br>{curve.name}: {words} %{{customdata[0]:.3g}}"
    return panel.curve(curve, across, log_band(values), hover, said, "solid" if words == RADIUS else "dash")


def _over_ranks(curve: Curve, record: int, singular: Array, panel: Panel) -> Traces:
    ranks = np.arange(1.0, singular.shape[-1] + 1)
    traces: Traces = []
    for when, dash in ((0, "dot"), (record, "solid")):
        values = singular[:, when]
        hover = f"σ, rank %{{x}}<br>{curve.name}{', at the start' * (dash == 'dot')}: %{{customdata:.3g}}"
        traces += panel.curve(curve, ranks, log_band(values), hover, band(values).middle, dash)
    return traces


@dataclass(frozen=True)
class _Room:
    """How much room there is."""

    # Of planes
    columns: int
    rows: int
    plane: int  # Height of a plane
    under: float  # Height of what is said under it
    curves: int  # Height of a panel of curves where they lie below the planes, else 0

    @property
    def planes(self) -> float:
        """The height of all rows of planes, with what stands below them."""
        return self.rows * (self.plane + self.under) + (self.rows - 1) * TITLE

    @property
    def inner(self) -> float:
        """The height of all panels together."""
        return self.planes + 2 * (TITLE + self.curves) + UNDER_CURVES if self.curves else self.planes

    def box(self, across: list[float], top: float, height: float) -> Box:
        """Return a panel that lies `top` below the upper edge."""
        return across, [max(1 - (top + height) / self.inner, 0.0), 1 - top / self.inner]

    def curve_boxes(self) -> tuple[Box, Box]:
        """Return the panels of curves: at the right one above the other, on a phone below the planes."""
        if self.curves:
            first = self.planes + TITLE
            second = first + self.curves + UNDER_CURVES + TITLE
            return self.box([0.0, 1.0], first, self.curves), self.box([0.0, 1.0], second, self.curves)
        height = (self.inner - UNDER_CURVES - TITLE) / 2
        across = [CURVES, 1.0]
        return self.box(across, 0, height), self.box(across, self.inner - height, height)


def _room(count: int, lines: int, narrow: bool) -> _Room:
    columns = min(count, 3) if not narrow else 1 if count <= 3 else 2
    rows = -(-count // columns)
    plane = (270 if columns == 1 else 130) if narrow else (310 if rows == 1 else 270)
    return _Room(columns, rows, plane, TICKS + LINE * lines, 220 if narrow else 0)


def _layout(nets: Nets, view: View, epoch: int, caption: str, matrix: str, narrow: bool) -> dict[str, Any]:
    texts = [_plane_text(shown.history, epoch, matrix) for shown in nets]
    room = _room(len(nets), max(text.count("<br>") + 1 for text in texts), narrow)
    notes, below = axes.foot(meaning([shown.history.experiment for shown in nets]), caption, narrow)
    named_axes: dict[str, Any] = {}
    size = theme.TICK_SIZE if narrow and room.columns > 1 else theme.LABEL_SIZE
    for index, shown in enumerate(nets):
        row, column = divmod(index, room.columns)
        across = axes.piece(column, room.columns, GAP, 1.0 if narrow else PLANES)
        box = room.box(across, row * (room.plane + room.under + TITLE), room.plane)
        named_axes |= _plane_axes(index + 1, box, plane_reach(nets), texts[index], leftmost=column == 0)
        notes.append(axes.panel_title(index + 1, axes.coloured_name(shown.style.colour, shown.name), size))
    words = ("<b>Largest |λ| and σ₁, medians</b>", "<b>Singular values, medians</b>")
    notes += [axes.panel_title(len(nets) + place, text, theme.TICK_SIZE) for place, text in enumerate(words, start=1)]
    named_axes |= _curve_axes(nets, view, room.curve_boxes())
    above, top = axes.head([f"W_hh of the {matrix}"], 7 if narrow else 1, TITLE, narrow)
    return {
        "height": round(room.inner + below + top),
        **axes.legend_above(room.inner, above=TITLE),
        **axes.sized(named_axes),
        "annotations": [*notes, above],
        "shapes": _lines(nets, view, epoch),
        "margin": {"l": 64, "r": 16, "t": top, "b": below},
    }


def _plane_text(history: History, epoch: int, matrix: str) -> str:
    measured = spectrum(history, matrix)
    return "<br>".join(["Re λ", *largest_text(history, None if measured is None else measured[0], epoch)])


def _plane_axes(place: int, box: Box, reach: float, text: str, *, leftmost: bool) -> dict[str, Any]:
    """Return both axes of a plane, on one scale: a circle is a circle."""
    line = {"range": [-reach, reach], "showgrid": True, "constrain": "domain", "tickvals": REACHES[reach]}
    x = line | {"constraintoward": "left", "title": axes.title(text)}
    y = line | {"constraintoward": "top", "title": axes.title("Im λ" * leftmost, 0), "showticklabels": leftmost}
    y |= {"scaleanchor": "x" if place == 1 else f"x{place}", "scaleratio": 1}
    return axes.pair(place, box, x, y)


def _curve_axes(nets: Nets, view: View, boxes: tuple[Box, Box]) -> dict[str, Any]:
    experiments = [shown.history.experiment for shown in nets]
    epochs = axes.epoch_axis(max(experiment.epochs for experiment in experiments), view)
    ranks = axes.step_axis(max(experiment.hidden for experiment in experiments))
    sizes = {"range": list(SIZE_SPAN), "showgrid": True, **axes.factor_ticks(SIZE_SPAN)}
    named_axes: dict[str, Any] = {}
    across = (("epoch", epochs), ("rank of the singular value", ranks))
    for place, (box, (words, x)) in enumerate(zip(boxes, across, strict=True), start=len(nets) + 1):
        named_axes |= axes.pair(place, box, x | {"title": axes.title(words, 2), "showgrid": False}, sizes)
    return named_axes


def _lines(nets: Nets, view: View, epoch: int) -> list[dict[str, Any]]:
    histories = [shown.history for shown in nets]
    # While trainings stream in, some have fewer records than others.
    chosen = max(history.epochs[history.at(epoch)] for history in histories)
    at = float(panels.epoch_positions(np.array([chosen]), view)[0])
    first, second = len(nets) + 1, len(nets) + 2
    level = axes.LEVEL_LINE | {"x0": 0, "x1": 1, "y0": 0, "y1": 0}
    cursor = axes.CURSOR_LINE | {"x0": at, "x1": at, "y0": 0, "y1": 1, "xref": f"x{first}", "yref": f"y{first} domain"}
    return [*(level | {"xref": f"x{place} domain", "yref": f"y{place}"} for place in (first, second)), cursor]


# --- in words ----------------------------------------------------------------------------------


def largest_text(history: History, eigenvalues: Eigenvalues | None, epoch: int) -> list[str]:
    """Say in a few lines the median of the largest |λ| at an epoch and at the start, and how many seeds are not finite."""
    if eigenvalues is None:
        return [f"{history.experiment.cell} has no such matrix"]
    record = history.at(epoch)
    start, now = (float(band(np.abs(eigenvalues[:, at, 0])).middle) for at in (0, record))
    told = [f"largest |λ|: {number(now, 3)}", f"at the start: {number(start, 3)}"]
    return told + not_finite_text(history, epoch)


def not_finite_text(history: History, epoch: int) -> list[str]:
    """Say how many seeds are no longer finite at an epoch, and since when; nothing if all are."""
    chosen = int(history.epochs[history.at(epoch)])
    ended = [ending.epoch for ending in history.endings if ending is not None and ending.epoch <= chosen]
    if not ended:
        return []
    return [f"not finite: {len(ended)} of {len(history.endings)} seeds", f"from epoch {min(ended):,} on"]


def meaning(experiments: Sequence[RecurrentExperiment]) -> str:
    """Say what the eigenvalues and the singular values mean for the nets compared, in a sentence each."""
    told = [
        "Eigenvalues inside the circle: without activation, what is remembered shrinks in the long run; outside, it grows."
    ]
    plain = dict.fromkeys(e.activation for e in experiments if not e.unit.memory_gate)
    for activation in plain:
        bound = f"{1 / ACTIVATIONS[activation].steepest:g}"
        told.append(
            f"In the plain net the gradient must vanish where σ₁ < 1/γ = {bound}, γ being the steepest slope of {activation} "
            "(Pascanu et al. 2013); above, it may explode, but need not."
        )
    if not plain or any(e.unit.memory_gate for e in experiments):
        told.append("Gates carry the state past this matrix: neither holds for LSTM and GRU.")
    return " ".join(told)


def describe_matrix(nets: Nets, epoch: int, matrix: str = NEW_STATE) -> str:
    """Say the largest |λ| and the largest and smallest singular value of each net, at the start and at an epoch."""
    told = [f"W_hh of the {matrix}, medians over seeds."]
    for shown in nets:
        history, measured = shown.history, spectrum(shown.history, matrix)
        if measured is None:
            told.append(f"{shown.name}: {history.experiment.cell} has no such matrix.")
            continue
        eigenvalues, singular = measured
        sizes = {RADIUS: np.abs(eigenvalues[:, :, 0]), "largest singular value": singular[:, :, 0]}
        sizes["smallest"] = singular[:, :, -1]
        said = [f"{name} {_from_to(history, values, epoch)}" for name, values in sizes.items()]
        told.append(f"{shown.name}: {', '.join([*said, *not_finite_text(history, epoch)])}.")
    return " ".join([*told, meaning([shown.history.experiment for shown in nets])])


def _from_to(history: History, values: Array, epoch: int) -> str:
    record = history.at(epoch)
    start, now = (number(float(band(values[:, at]).middle), 3) for at in (0, record))
    return f"{start} at the start" + f", {now} at epoch {int(history.epochs[record]):,}" * (record > 0)
