"""Look closer: the second figure of the page of recurrent nets, one of several."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from explorer.clipping_figure import clipping_figure
from explorer.describe_reach import describe_clipping, describe_reach, describe_truncation
from explorer.describe_recurrence import describe_gates, describe_matrix, describe_steps
from explorer.gates_figure import gates_figure
from explorer.inks import Ink
from explorer.matrices import NEW_STATE, matrix_choices
from explorer.matrix_figure import matrix_figure
from explorer.page_views import CLIPPING, GATES, MATRIX, REACH, STEPS, TIME_CONTROLS, TIME_PAGE, TRUNCATION
from explorer.reach import cut_off, state_reach
from explorer.reach_curves import reach_curve
from explorer.reach_figure import reach_figure, truncation_figure
from explorer.steps_figure import steps_figure
from explorer.time_view import TimeView
from explorer.ui.joint import CHART
from explorer.ui.live_chart import live_chart
from explorer.ui.side_by_side import SideBySide
from explorer.ui.takeaway import Drawn
from explorer.ui.widgets import ask

KEY = "time_closer"


@dataclass(frozen=True)
class Closer:
    """One of the second figures.

    Attributes
    ----------
    title, meaning : str
        What it is called, and what it says, in a sentence or two.
    draw : callable
        From what stands side by side and the view to the figure; None where there is nothing to draw.
    """

    title: str
    meaning: str
    draw: Callable[[SideBySide, TimeView], Drawn | None]


def closer(compared: SideBySide, view: TimeView) -> tuple[str, Drawn | None]:
    """Ask which, draw it, and return its name and the figure."""
    control = TIME_CONTROLS[f"{TIME_PAGE}figure"]
    chosen = st.segmented_control(
        control.label,
        list(CLOSERS),
        default=control.default,
        required=True,
        key=f"{TIME_PAGE}figure",
        bind="query-params",
        help=control.help,
    )
    name = chosen or control.default
    entry = CLOSERS[name]
    st.caption(entry.meaning)
    drawn = entry.draw(compared, view)
    if drawn is not None:
        keep = f"{name} {view.compare} {view.axis}"
        live_chart(drawn.make(), key=drawn.key, alt=drawn.alt, keep=keep, config=CHART, on_click=lambda click: None)
    return name, drawn


def _inks(compared: SideBySide) -> list[Ink]:
    """Of the nets that are there, in their order."""
    return [ink for _, ink in compared.drawn]


def _reach(compared: SideBySide, view: TimeView) -> Drawn:
    """Each net is asked as it is now."""
    curves = [
        reach_curve(job.experiment, job.ask(state_reach) if history.epochs[-1] else None, name)
        for name, job, history in compared.measured
    ]
    return Drawn(
        KEY,
        CLOSERS[REACH].title,
        partial(reach_figure, curves, _inks(compared), compared.caption),
        describe_reach(curves),
    )


def _truncation(compared: SideBySide, view: TimeView) -> Drawn | None:
    cut = {name: job for name, job, _ in compared.measured if job.experiment.truncation}
    if not cut:
        st.info("None of these is cut. Set “Truncation” in the sidebar, or choose “truncation” side by side.")
        return None
    found = {name: job.ask(cut_off) for name, job in cut.items()}
    make = partial(
        truncation_figure, found, [ink for shown, ink in compared.drawn if shown.name in cut], compared.caption
    )
    return Drawn(KEY, CLOSERS[TRUNCATION].title, make, describe_truncation(found))


def _matrix(compared: SideBySide, view: TimeView) -> Drawn:
    key, choices = f"{TIME_PAGE}matrix", matrix_choices(compared.experiments.values())
    chosen = ask(key, TIME_CONTROLS[key], options=choices) if len(choices) > 1 else NEW_STATE
    drawn = compared.drawn
    make = partial(matrix_figure, drawn, view, view.at, compared.caption, chosen)
    return Drawn(KEY, CLOSERS[MATRIX].title, make, describe_matrix(drawn, view.at, chosen))


def _gates(compared: SideBySide, view: TimeView) -> Drawn:
    drawn = compared.drawn
    make = partial(gates_figure, drawn, view.at, compared.caption)
    return Drawn(KEY, CLOSERS[GATES].title, make, describe_gates(drawn, view.at))


def _steps(compared: SideBySide, view: TimeView) -> Drawn:
    drawn = compared.drawn
    make = partial(steps_figure, drawn, view.at, compared.caption)
    return Drawn(KEY, CLOSERS[STEPS].title, make, describe_steps(drawn, view.at))


def _clipping(compared: SideBySide, view: TimeView) -> Drawn:
    shown = list(compared.known.items())
    make = partial(clipping_figure, shown, _inks(compared), compared.caption, view)
    return Drawn(KEY, CLOSERS[CLIPPING].title, make, describe_clipping(shown))


CLOSERS = {
    REACH: Closer(
        "Reach: what is left of a change of the state, by distance",
        "If the state changes at step t, how much of it can the last state show at most? The norm of ds_T/ds_t, s being what is "
        "carried on: c of an LSTM, else h. One line a net as it is now, dotted at the start, dashed what theory says of the start.",
        _reach,
    ),
    MATRIX: Closer(
        "The recurrent matrix: eigenvalues and singular values",
        "In a plain net every step back multiplies by W_hh. Eigenvalues inside the unit circle shrink in the long run, those outside "
        "grow; the largest singular value is the most that one step can do. Gates carry the state past it.",
        _matrix,
    ),
    GATES: Closer(
        "Gates: how far they are open, by time step",
        "The forget gate of an LSTM and the update gate of a GRU keep the state: what they let through in every step is "
        "multiplied. Dashed: where a gate stands while its weights are silent, σ(bias); only the gate that keeps the state has a bias that is not 0.",
        _gates,
    ),
    STEPS: Closer(
        "Parts of dL/dW_hh, by time step",
        "The gradient of the recurrent weights is a sum over time steps. Where only the last steps add to it, the net learns "
        "from the recent past alone.",
        _steps,
    ),
    TRUNCATION: Closer(
        "Truncation: what cutting the way back takes away",
        "The gradient of the whole data set, not cut and cut: beyond a border nothing flows back.",
        _truncation,
    ),
    CLIPPING: Closer(
        "Clipping: the gradient's norm before and after, and the loss",
        "The L2 norm of the gradient over all parameters, of the first update of each recorded epoch, before and after clipping; "
        "beside it the loss, on the same seeds.",
        _clipping,
    ),
}
