"""Time: recurrent nets side by side, the gradient of every time step, and what carries it back."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from explorer.choices.cells import CELLS
from explorer.choices.comparisons import COMPARISONS
from explorer.choices.controls import choice, controls_of
from explorer.choices.recurrent_experiment import NEW_STATE, RecurrentExperiment, matrix_choices
from explorer.diagnosis.comparison import Compared
from explorer.diagnosis.reach import cut_off, reach_curve, state_reach
from explorer.figures.clipping import clipping_figure, describe_clipping
from explorer.figures.gates import describe_gates, gates_figure
from explorer.figures.panels import DrawnNet
from explorer.figures.reach import (
    describe_reach,
    describe_steps,
    describe_truncation,
    reach_figure,
    steps_figure,
    truncation_figure,
)
from explorer.figures.spectra import describe_matrix, matrix_figure
from explorer.figures.theme import LineStyle
from explorer.figures.time import PROFILE, describe_compared, nets_of, time_figure
from explorer.figures.view import TIME_VIEW_CONTROLS, TimeView
from explorer.sharing import code
from explorer.sharing.code import Piece, time_table
from explorer.sharing.notebook import compared_lines
from explorer.sharing.saved import filename, histories_csv
from explorer.stories.scenarios import SCENARIOS, matching, scenarios_of
from explorer.training.cost import refuse_all
from explorer.training.kinds import TIME_STEPS
from explorer.ui.ahead import trained
from explorer.ui.jobs import Job
from explorer.ui.keys import keys_of
from explorer.ui.live_chart import Drawn, live_chart
from explorer.ui.look import place_of_progress
from explorer.ui.page import Page, what_do_i_see
from explorer.ui.sidebar import chosen
from explorer.ui.take_away import Parcel, show_code, take_away
from explorer.ui.training_loop import Trainings, work_on
from explorer.ui.widgets import ask, ask_view, choose_epoch

# First pictures come before anything else is trained; those that take longer follow one by one.
FIRST_SLICE, SLICE = 0.1, 0.15
# Seconds between two repaints of a running training: at least these, and so many times what drawing takes.
REPAINT, DRAWN_TIMES = 1.0, 4
# Pixels that all but the main figure needs, and that it keeps: on a laptop the heatmaps end above the fold, and their axis too.
ABOVE, LOWEST = 300, 520
LEGEND = (
    "**Each panel** is a recurrent net: rows are time steps, the beginning of the sequence at the bottom, its end, where the "
    "answer is, on top; "
    "columns are epochs of training. White: as much gradient as at the last step; violet: it has vanished on its way back; "
    "orange: it has exploded.",
    "**To the right of them**, the same numbers at one epoch, all nets in one panel. A vertical line: every step gets the same "
    "gradient. A line that leans to the left further down: early steps are forgotten.",
    "**Dotted** at the start, **band** the middle half of the seeds.",
    "**Above**, the loss, and the share of seeds that have learnt it: whose mean squared error, on the sequences they train on, is "
    "below the task’s bound.",
    "**Grey** is exactly 0, **red** infinite or NaN: neither is a colour of the scale.",
    "Below: a **closer look** at what carries the gradient back through time.",
)
# Before each key in the link.
PREFIX = keys_of(TIME_STEPS).prefix
IN_THE_ROW, BEHIND = ("compare", "metric"), ("colour", "axis", "range")


# --- the second figure --------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Nets:
    """The nets that stand side by side, and how they are shown."""

    compared: Compared
    jobs: Mapping[str, Job]
    view: TimeView

    @property
    def drawn(self) -> list[DrawnNet]:
        """The nets that have at least one record, as they are drawn."""
        return nets_of(self.compared)

    @property
    def styles(self) -> list[LineStyle]:
        """The line styles of these nets, in the same order."""
        return [shown.style for shown in self.drawn]


# What draws a figure, and what it shows in words.
Picture = tuple[Callable[[], Any], str]


@dataclass(frozen=True)
class OfferedFigure:
    """A figure that the menu below the main figure offers."""

    title: str
    meaning: str  # What it says, in a sentence or two
    draw: Callable[[Nets], Picture | None]  # None where there is nothing to draw
    code: Callable[[Sequence[RecurrentExperiment]], list[Piece]]  # What made it


def _second(nets: Nets) -> tuple[str, Drawn | None]:
    """Ask which figure, draw it, and return its name and the figure."""
    key = f"{PREFIX}figure"
    name = ask(key, CONTROLS[key], options=list(SECOND_FIGURES), in_a_row=True)
    entry = SECOND_FIGURES[name]
    st.caption(entry.meaning)
    picture = entry.draw(nets)
    if picture is None:
        return name, None
    drawn = Drawn("time_second", entry.title, *picture)
    keep = f"{name} {nets.view.compare} {nets.view.axis}"
    live_chart(drawn, keep=keep)
    return name, drawn


def _reach(nets: Nets) -> Picture:
    """Draw how much of a change of the state is left, for each net as it is trained now."""
    curves = [
        reach_curve(history.experiment, nets.jobs[name].ask(state_reach) if history.epochs[-1] else None, name)
        for name, history in nets.compared.histories.items()
    ]
    return partial(reach_figure, curves, nets.styles, nets.compared.caption), describe_reach(curves)


def _truncation(nets: Nets) -> Picture | None:
    cut = {
        name: nets.jobs[name].ask(cut_off)
        for name, each in nets.compared.histories.items()
        if each.experiment.truncation
    }
    if not cut:
        st.info(
            "None of these nets is truncated. Set “Truncation” in the sidebar, or choose “truncation” under “Side by side”."
        )
        return None
    styles = [shown.style for shown in nets.drawn if shown.name in cut]
    return partial(truncation_figure, cut, styles, nets.compared.caption), describe_truncation(cut)


def _matrix(nets: Nets) -> Picture:
    key, choices = f"{PREFIX}matrix", matrix_choices(nets.compared.experiments.values())
    chosen = ask(key, CONTROLS[key], options=choices) if len(choices) > 1 else NEW_STATE
    drawn, view = nets.drawn, nets.view
    return partial(matrix_figure, drawn, view, view.at, nets.compared.caption, chosen), describe_matrix(
        drawn, view.at, chosen
    )


def _gates(nets: Nets) -> Picture:
    drawn, epoch = nets.drawn, nets.view.at
    return partial(gates_figure, drawn, epoch, nets.compared.caption), describe_gates(drawn, epoch)


def _steps(nets: Nets) -> Picture:
    drawn, epoch = nets.drawn, nets.view.at
    return partial(steps_figure, drawn, epoch, nets.compared.caption), describe_steps(drawn, epoch)


def _clipping(nets: Nets) -> Picture:
    drawn = nets.drawn
    return partial(clipping_figure, drawn, nets.compared.caption, nets.view), describe_clipping(drawn)


SECOND_FIGURES = {
    "reach": OfferedFigure(
        "Reach: what is left of a change of the state, by distance",
        "If the state changes at step t, how much of the change can reach the last state at most? The norm of ds_T/ds_t, where s "
        "is what is carried on: c in an LSTM, h in the others. Full lines: the nets as they are now; dotted: at the start; dashed: "
        "theory for the start.",
        _reach,
        code.reach_code,
    ),
    "recurrent matrix": OfferedFigure(
        "The recurrent matrix: eigenvalues and singular values",
        "In a plain net every step back multiplies by W_hh. Eigenvalues inside the unit circle shrink in the long run, those outside "
        "grow; the largest singular value is the most that one step can do. Gates carry the state past it.",
        _matrix,
        code.matrix_code,
    ),
    "gates": OfferedFigure(
        "Gates: how far they are open, by time step",
        "The forget gate of an LSTM and the update gate of a GRU keep the state: what they let through in every step is "
        "multiplied. Dashed: where a gate stands while its weights are silent, σ(bias); only the gate that keeps the state has a bias that is not 0.",
        _gates,
        code.gates_code,
    ),
    "parts of dL/dW": OfferedFigure(
        "Parts of dL/dW_hh, by time step",
        "The gradient of the recurrent weights is a sum over time steps. Where only the last steps add to it, the net learns "
        "from the recent past alone.",
        _steps,
        code.steps_code,
    ),
    "truncation": OfferedFigure(
        "Truncation: what cutting the way back takes away",
        "The gradient over the whole data set, without truncation and with it: beyond a border nothing flows back.",
        _truncation,
        code.truncation_code,
    ),
    "clipping": OfferedFigure(
        "Clipping: the gradient's norm before and after, and the loss",
        "The L2 norm of the gradient of all parameters at the first update of each recorded epoch, before and after clipping; "
        "beside it the loss of the same seeds.",
        _clipping,
        code.clipping_code,
    ),
}


@dataclass(frozen=True, kw_only=True)
class SecondFigure:
    """Which second figure of recurrent nets is shown, and of which matrix."""

    figure: str = choice("View", "Look closer", "A second figure of the same nets.", SECOND_FIGURES, default="reach")
    matrix: str = choice(
        "View",
        "Which W_hh",
        "Every gate has a recurrent matrix of its own; all cells have that of the new state.",
        matrix_choices(RecurrentExperiment(cell=cell, stack=3) for cell in CELLS),
        default=NEW_STATE,
    )


CONTROLS = {
    f"{PREFIX}{name}": control
    for declared in (TIME_VIEW_CONTROLS, controls_of(SecondFigure))
    for name, control in declared.items()
}


# --- the page -----------------------------------------------------------------------------------


def show() -> None:
    """Draw the page, and train on until everything that is shown is complete."""
    experiment, baseline = chosen()
    begun = time.perf_counter()
    head, progress, picture = st.container(gap="xsmall"), place_of_progress(), st.container()
    view = ask_view(TimeView, IN_THE_ROW, BEHIND, experiment, PREFIX)
    comparison = COMPARISONS[view.compare]
    experiments = comparison.of(experiment, baseline)
    if problem := refuse_all(list(experiments.values())):
        st.warning(problem, icon=":material/hourglass_disabled:")
        return
    trainings = Trainings(list(experiments.values()), progress, f"Training {len(experiments)} nets")
    compared = Compared.of(experiments, trainings.begin(FIRST_SLICE), comparison)
    with head:
        _headline(compared, matching(experiment, baseline, view.compare))
    nets = Nets(compared, dict(zip(experiments, trainings.jobs, strict=True)), view)
    with picture:
        main = _main(compared, view, experiment)
    row = st.container()
    name, second = _second(nets)
    with row:
        take_away(_parcel(nets, [main, *([second] if second else [])], experiment, baseline))
        show_code(time_table(experiment, view, name, SECOND_FIGURES[name].code))
    work_on(trainings, SLICE, max(REPAINT, DRAWN_TIMES * (time.perf_counter() - begun)))


def _headline(compared: Compared, scenario: str | None) -> None:
    """Draw what the scenario is about, who learns it, and what became of the gradient."""
    if scenario:
        st.caption(SCENARIOS[scenario].caption)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.header(compared.headline, anchor=False, width="stretch")
        what_do_i_see(LEGEND)
    st.markdown(compared.detail)


def _main(compared: Compared, view: TimeView, experiment: RecurrentExperiment) -> Drawn:
    """Draw the main figure; a click on whatever has an epoch axis moves the epoch's slider."""
    main = Drawn(
        "side_by_side",
        "Gradient by time step and epoch",
        lambda: time_figure(compared, view),
        describe_compared(compared, view),
    )
    live_chart(
        main,
        keep=f"{view.axis} {view.metric} {view.compare} {experiment.epochs} {experiment.length}",
        filename=filename(experiment),
        on_click=lambda click: choose_epoch(experiment, click.x, PREFIX) if click.panel != f"x{PROFILE}" else None,
        above=ABOVE,
        lowest=LOWEST,
    )
    return main


def _parcel(
    nets: Nets, figures: list[Drawn], experiment: RecurrentExperiment, baseline: RecurrentExperiment | None
) -> Parcel:
    """Collect all that is shown. The saved file holds the settings of the sidebar, so that opening it restores every control."""
    compared = nets.compared
    return Parcel(
        title=compared.headline,
        sentences=[compared.detail],
        settings=[compared.caption],
        filename=filename(experiment),
        figures=figures,
        tables={"History": lambda: histories_csv(compared.histories)},
        experiment=experiment,
        baseline=baseline,
        lines=compared_lines(dict(compared.experiments), nets.view),
    )


PAGE = Page(
    title="Time",
    path="time",
    show=show,
    kind=TIME_STEPS,
    controls=CONTROLS,
    ahead=lambda: (trained([*entry.compared.values()]) for entry in scenarios_of(RecurrentExperiment).values()),
)
