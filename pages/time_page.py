"""Time: recurrent nets side by side, the gradient of every time step, and what carries it back."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explorer.choices.comparisons import COMPARISONS
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis.reach import cut_off, reach_curve, state_reach
from explorer.diagnosis.spectra import NEW_STATE, matrix_choices
from explorer.figures.clipping import clipping_figure
from explorer.figures.gates import gates_figure
from explorer.figures.reach import (
    describe_clipping,
    describe_reach,
    describe_truncation,
    reach_figure,
    truncation_figure,
)
from explorer.figures.spectra import matrix_figure
from explorer.figures.steps import describe_gates, describe_matrix, describe_steps, steps_figure
from explorer.figures.theme import Ink
from explorer.figures.time import describe_compared, time_figure
from explorer.figures.time_layout import PROFILE
from explorer.figures.view import CLIPPING, GATES, MATRIX, REACH, STEPS, TIME_VIEW_CONTROLS, TRUNCATION, TimeView
from explorer.sharing.code import time_table
from explorer.sharing.notebook import time_lines
from explorer.sharing.saved import filename, histories_csv
from explorer.stories.recurrent_scenarios import RECURRENT_SCENARIOS, matching_recurrent
from explorer.training.history import record_epochs
from explorer.training.recurrent_cost import refuse_all
from explorer.ui.compared import SideBySide
from explorer.ui.joint import CHART
from explorer.ui.live_chart import Click, live_chart, load_plotly
from explorer.ui.page_controls import TIME_CONTROLS, TIME_PAGE
from explorer.ui.take_away import Drawn, Parcel, show_code, take_away
from explorer.ui.time_sidebar import chosen_in_time
from explorer.ui.training_loop import Trainings, work_on
from explorer.ui.welcome import TIME as LEGEND
from explorer.ui.welcome import what_do_i_see
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


# --- The page of recurrent nets: some of them side by side, trained on while it is drawn ---


# First pictures come before anything else is trained; those that take longer follow one by one.
FIRST_SLICE, SLICE = 0.1, 0.15
# Seconds between two repaints of a running training: at least these, and so many times what drawing takes.
REPAINT, DRAWN_TIMES = 1.0, 4
# Pixels: on a laptop the heatmaps end above the fold, and their axis too.
LOWEST = 520
AT = f"{TIME_PAGE}at"
MAIN_KEY = "side_by_side"


def show(experiment: RecurrentExperiment, baseline: RecurrentExperiment | None) -> None:
    """Draw the page, and train on until everything that is shown is complete."""
    begun = time.perf_counter()
    head = st.container(gap="xsmall")
    view = _ask(experiment)
    progress = st.empty()
    experiments = COMPARISONS[view.compare].of(experiment, baseline)
    problem = refuse_all(list(experiments.values()))
    if problem:
        st.warning(problem, icon=":material/hourglass_disabled:")
        return
    trainings = Trainings(list(experiments.values()), progress, f"Training {len(experiments)} nets")
    compared = SideBySide(list(experiments), trainings.jobs, trainings.begin(FIRST_SLICE))
    with head:
        _headline(compared, matching_recurrent(experiment, baseline, view.compare))
    _draw(compared, view, experiment, baseline)
    load_plotly()
    work_on(trainings, SLICE, max(REPAINT, DRAWN_TIMES * (time.perf_counter() - begun)))


def _ask(experiment: RecurrentExperiment) -> TimeView:
    """Draw the view's controls in one row, and the epoch below it."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        names = ("compare", "metric", "colour", "axis", "range")
        values: dict[str, Any] = {name: ask(f"{TIME_PAGE}{name}", TIME_VIEW_CONTROLS[name]) for name in names}
        epochs = [int(epoch) for epoch in record_epochs(experiment.epochs)]
        control = TIME_CONTROLS[AT]
        values["at"] = st.select_slider(
            control.label, epochs, value=epochs[-1], key=AT, help=control.help, bind="query-params", width="stretch"
        )
    return TimeView(**values)


def _headline(compared: SideBySide, scenario: str | None) -> None:
    """Draw what the scenario is about, who learns it, and what became of the gradient."""
    headline, detail = compared.told
    if scenario:
        st.caption(RECURRENT_SCENARIOS[scenario].caption)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.header(headline, anchor=False, width="stretch")
        what_do_i_see(LEGEND)
    st.markdown(detail)


# --- what is drawn ------------------------------------------------------------------------------


def _draw(
    compared: SideBySide, view: TimeView, experiment: RecurrentExperiment, baseline: RecurrentExperiment | None
) -> None:
    main = _main(compared, view)
    live_chart(
        main.make(),
        key=main.key,
        alt=main.alt,
        keep=f"{view.axis} {view.metric} {view.compare} {experiment.epochs} {experiment.length}",
        config=CHART | {"toImageButtonOptions": {"filename": filename(experiment), "width": 1920, "height": 1080}},
        on_click=lambda click: _choose_epoch(experiment, click),
        above=300,
        lowest=LOWEST,
    )
    row = st.container()
    chosen, second = closer(compared, view)
    with row:
        take_away(_parcel(compared, view, [main, *([second] if second else [])], experiment, baseline))
        show_code(time_table(experiment, view, chosen))


def _main(compared: SideBySide, view: TimeView) -> Drawn:
    return Drawn(
        MAIN_KEY,
        "Gradient by time step and epoch",
        lambda: time_figure(compared.shown, view, view.at, compared.names, compared.caption),
        f"{describe_compared(compared.shown, compared.names, view, view.at)} {compared.caption}.",
    )


def _parcel(
    compared: SideBySide,
    view: TimeView,
    figures: list[Drawn],
    experiment: RecurrentExperiment,
    baseline: RecurrentExperiment | None,
) -> Parcel:
    """All that is shown; saved is what the sidebar says, so that the file sets every control back."""
    headline, detail = compared.told
    return Parcel(
        title=headline,
        sentences=[detail],
        settings=[compared.caption],
        filename=filename(experiment),
        figures=figures,
        tables={"History": lambda: histories_csv(compared.known)},
        experiment=experiment,
        baseline=baseline,
        lines=time_lines(compared.experiments, view),
    )


def _choose_epoch(experiment: RecurrentExperiment, click: Click) -> None:
    """Move the epoch's slider to the recorded epoch nearest a click, on whatever has an epoch axis."""
    if click.panel == f"x{PROFILE}":
        return
    epochs = record_epochs(experiment.epochs)
    st.session_state[AT] = int(epochs[np.abs(epochs - click.x).argmin()])


if __name__ == "__main__":
    show(*chosen_in_time())
