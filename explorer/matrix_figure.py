"""The recurrent matrix over training: its eigenvalues on the complex plane, its largest ones by epoch, its singular values.

All scales are fixed: the plane's depends on no value that was measured, only on
the strength that the compared experiments set; what lies beyond has a mark at the edge.
"""

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer import theme
from explorer.curves import ABOVE, DecadePanel, key, stacked
from explorer.inks import Ink
from explorer.matrices import NEW_STATE, Eigenvalues, spectrum
from explorer.matrix_layout import SIZE_SPAN, Matrices, matrix_layout, plane_reach
from explorer.panels import Shown, Traces, epoch_positions, legend_once, small
from explorer.seeds import band, log_band
from explorer.time_curves import Curve, Drawn, curve_traces
from explorer.time_view import TimeView

Array = NDArray[np.float64]

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
