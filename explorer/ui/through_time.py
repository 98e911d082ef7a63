"""The page of recurrent nets: some of them side by side, trained on while it is drawn."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from explorer.describe_time import describe_compared
from explorer.history import record_epochs
from explorer.notebook import time_lines
from explorer.page_views import TIME_CONTROLS, TIME_PAGE
from explorer.recurrent_comparisons import COMPARISONS
from explorer.recurrent_cost import refuse_all
from explorer.recurrent_experiment import RecurrentExperiment
from explorer.recurrent_scenarios import RECURRENT_SCENARIOS, matching_recurrent
from explorer.show_code import time_table
from explorer.takeaway import filename, histories_csv
from explorer.time_arrangement import PROFILE
from explorer.time_figure import time_figure
from explorer.time_view import TIME_VIEW_CONTROLS, TimeView
from explorer.ui.closer import closer
from explorer.ui.code import show_code
from explorer.ui.jobs import Job, jobs
from explorer.ui.joint import CHART
from explorer.ui.live_chart import Click, live_chart, load_plotly
from explorer.ui.side_by_side import SideBySide
from explorer.ui.takeaway import Drawn, Parcel, take_away
from explorer.ui.welcome import TIME as LEGEND
from explorer.ui.welcome import what_do_i_see
from explorer.ui.widgets import ask

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
    held = jobs().together(list(experiments.values()))
    # Here a script that a newer one has overtaken ends, before it measures what nobody waits for.
    histories = jobs().begin(held, FIRST_SLICE, lambda: _show_progress(held, progress))
    compared = SideBySide(list(experiments), held, histories)
    _show_progress(held, progress)
    with head:
        _headline(compared, matching_recurrent(experiment, baseline, view.compare))
    _draw(compared, view, experiment, baseline)
    load_plotly()
    _train_on(compared, progress, max(REPAINT, DRAWN_TIMES * (time.perf_counter() - begun)))


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


# --- training -----------------------------------------------------------------------------------


def _show_progress(held: Sequence[Job], progress: Any) -> None:
    share = sum(job.progress for job in held) / len(held)
    if share < 1:
        progress.progress(share, text=f"Training {len(held)} nets: {share:.0%}")


def _train_on(compared: SideBySide, progress: Any, repaint: float) -> None:
    """Train in slices and repaint now and then; every slice ends in a Streamlit call, where a moved control stops it."""
    if len(compared.known) < len(compared.held):
        st.rerun()
    painted, complete = time.perf_counter(), compared.complete
    while not complete:
        complete = all(history.complete for history in jobs().advance(compared.held, SLICE))
        _show_progress(compared.held, progress)
        if complete or time.perf_counter() - painted > repaint:
            st.rerun()
