"""Time: recurrent nets side by side, the gradient of every time step, and what carries it back."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import streamlit as st

from explorer.choices.cells import CELLS
from explorer.choices.comparisons import COMPARISONS
from explorer.choices.controls import choice, controls_of
from explorer.choices.recurrent_experiment import NEW_STATE, RecurrentExperiment, matrix_choices
from explorer.diagnosis.comparison import Compared
from explorer.diagnosis.lens import Lens, look
from explorer.diagnosis.reach import cut_off, reach_curve, state_reach
from explorer.diagnosis.wording import summary
from explorer.figures.clipping import clipping_figure, describe_clipping
from explorer.figures.gates import describe_gates, gates_figure
from explorer.figures.lens import RIDGES, describe_lens, lens_figure
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
from explorer.figures.time import MISSING, PROFILE, describe_compared, nets_of, time_figure
from explorer.figures.view import LENS, TIME_LENS_CONTROLS, TIME_VIEW_CONTROLS, TimeLensView, TimeView, of_seed
from explorer.sharing import code
from explorer.sharing.code import Piece, time_table
from explorer.sharing.notebook import compared_lines
from explorer.sharing.saved import filename, histories_csv, lens_csv
from explorer.stories.scenarios import SCENARIOS, matching, scenarios_of
from explorer.training.cost import refuse_all
from explorer.training.kinds import TIME_STEPS
from explorer.ui.ahead import trained
from explorer.ui.between_pages import set_values
from explorer.ui.compare_with import offer_trials, tell_of_trials, told_by_trials
from explorer.ui.jobs import Job
from explorer.ui.keys import keys_of
from explorer.ui.live_chart import ROW_FOOT, Click, Drawn, live_chart
from explorer.ui.look import place_of_detail, place_of_progress, tell_why
from explorer.ui.page import Page, what_do_i_see
from explorer.ui.sidebar import chosen
from explorer.ui.take_away import Parcel, show_code, take_away
from explorer.ui.training_loop import Trainings, work_on
from explorer.ui.widgets import ask, ask_offered, ask_view, choose_epoch

# First pictures come before anything else is trained; those that take longer follow one by one.
FIRST_SLICE, SLICE = 0.1, 0.15
# Seconds between two repaints of a running training: at least these, and so many times what drawing takes.
REPAINT, DRAWN_TIMES = 1.0, 4
# Pixels that all but the main figure needs, and that it keeps: on a laptop the heatmaps end above the fold, and their axis too.
ABOVE, LOWEST = 366, 520
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
IN_THE_ROW, BEHIND_A_BUTTON = ("compare", "metric"), ("colour", "axis", "range")


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


@dataclass(frozen=True)
class Picture:
    """A second figure as the page shows it."""

    draw: Callable[[], Any]
    alt: str  # What it shows, in words
    on_click: Callable[[Click], None] | None = None
    # What a lens sees, by the net's name: last the chosen one, before it that behind it
    lenses: Mapping[str, Lens] = field(default_factory=dict)


@dataclass(frozen=True)
class OfferedFigure:
    """A figure that the menu below the main figure offers."""

    title: str
    meaning: str  # What it says, in a sentence or two
    draw: Callable[[Nets], Picture | None]  # None where there is nothing to draw
    code: Callable[[Sequence[RecurrentExperiment]], list[Piece]]  # What made it


def _second(nets: Nets) -> tuple[str, Drawn | None, Mapping[str, Lens]]:
    """Ask which figure, draw it, and return its name, the figure, and what a lens sees."""
    key = f"{PREFIX}figure"
    name = ask(key, CONTROLS[key], options=list(SECOND_FIGURES), in_a_row=True)
    entry = SECOND_FIGURES[name]
    st.caption(entry.meaning)
    picture = entry.draw(nets)
    if picture is None:
        return name, None, {}
    drawn = Drawn("time_second", entry.title, picture.draw, picture.alt)
    keep = f"{name} {nets.view.compare} {nets.view.axis}"
    live_chart(drawn, keep=keep, on_click=picture.on_click)
    return name, drawn, picture.lenses


def _reach(nets: Nets) -> Picture:
    """Draw how much of a change of the state is left, for each net as it is trained now."""
    curves = [
        reach_curve(history.experiment, nets.jobs[name].ask(state_reach) if history.epochs[-1] else None, name)
        for name, history in nets.compared.histories.items()
    ]
    return Picture(partial(reach_figure, curves, nets.styles, nets.compared.caption), describe_reach(curves))


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
    return Picture(partial(truncation_figure, cut, styles, nets.compared.caption), describe_truncation(cut))


def _matrix(nets: Nets) -> Picture:
    key, choices = f"{PREFIX}matrix", matrix_choices(nets.compared.experiments.values())
    chosen = ask(key, CONTROLS[key], options=choices) if len(choices) > 1 else NEW_STATE
    drawn, view = nets.drawn, nets.view
    figure = partial(matrix_figure, drawn, view, view.at, nets.compared.caption, chosen)
    return Picture(figure, describe_matrix(drawn, view.at, chosen))


def _gates(nets: Nets) -> Picture:
    drawn, epoch = nets.drawn, nets.view.at
    return Picture(partial(gates_figure, drawn, epoch, nets.compared.caption), describe_gates(drawn, epoch))


def _steps(nets: Nets) -> Picture:
    drawn, epoch = nets.drawn, nets.view.at
    return Picture(partial(steps_figure, drawn, epoch, nets.compared.caption), describe_steps(drawn, epoch))


def _lens(nets: Nets) -> Picture | None:
    """Ask for net, function, time step and seed, and draw what the function receives there, behind it that of the first net."""
    compared = nets.compared
    chosen, histories = _ask_lens(list(compared.experiments.values())), compared.histories
    first, name = compared.names[0], compared.names[chosen.net - 1]
    if name not in histories:
        st.info(f"{name} {MISSING}.")
        return None
    experiment = histories[name].experiment
    lenses = {
        each: look(histories[each], nets.view.at, chosen.step, of_seed(chosen.seed), chosen.function)
        for each in dict.fromkeys((first, name))
        if each in histories and chosen.function in histories[each].experiment.functions
    }
    lens, behind = lenses[name], lenses[first] if len(lenses) > 1 else None
    return Picture(
        partial(lens_figure, lens, behind, summary(experiment), names=(first, name)),
        describe_lens(lens, behind, (first, name)),
        lambda click: _choose_step(experiment.looked_at[round(click.y) - 1]) if click.panel == RIDGES else None,
        lenses,
    )


def _ask_lens(experiments: Sequence[RecurrentExperiment]) -> TimeLensView:
    def asked(name: str, offered: Sequence[Any], **changes: Any) -> Any:
        key = f"{PREFIX}{LENS}{name}"
        return ask_offered(key, replace(CONTROLS[key], **changes), offered)

    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="time_lens_row"):
        net = asked("net", range(1, len(experiments) + 1), default=len(experiments))
        experiment = experiments[net - 1]
        return TimeLensView(
            net=net,
            function=asked("function", list(experiment.functions)),
            step=asked("step", experiment.looked_at),
            seed=asked("seed", range(experiment.runs + 1)),
        )


def _choose_step(step: int) -> None:
    set_values({f"{PREFIX}{LENS}step": step})


def _clipping(nets: Nets) -> Picture:
    drawn = nets.drawn
    return Picture(partial(clipping_figure, drawn, nets.compared.caption, nets.view), describe_clipping(drawn))


LENS_FIGURE = "lens"
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
    LENS_FIGURE: OfferedFigure(
        "Lens: z at a time step, and the slope there",
        "Every gate, and the new state, is a function f of a z of its own; what goes back through it is multiplied by its slope f′(z). "
        "The histogram says where z lies, so how large the slope is. A gate that stays open is flat: hardly anything goes back "
        "through it, but the gradient of the state past it. A click on a map above, or on a row, chooses the step.",
        _lens,
        code.time_lens_code,
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
    for declared in (
        TIME_VIEW_CONTROLS,
        controls_of(SecondFigure),
        {f"{LENS}{name}": control for name, control in TIME_LENS_CONTROLS.items()},
    )
    for name, control in declared.items()
}


# --- the page -----------------------------------------------------------------------------------


def show() -> None:
    """Draw the page, and train on until everything that is shown is complete."""
    experiment, baseline = chosen()
    begun = time.perf_counter()
    head, progress, picture = st.container(gap="xsmall", key="head"), place_of_progress(), st.container()
    view = ask_view(TimeView, IN_THE_ROW, BEHIND_A_BUTTON, experiment, PREFIX)
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
    name, second, lenses = _second(nets)
    with row:
        take_away(_parcel(nets, [main, *([second] if second else [])], lenses, experiment, baseline))
        show_code(time_table(experiment, view, name, SECOND_FIGURES[name].code))
    work_on(trainings, SLICE, max(REPAINT, DRAWN_TIMES * (time.perf_counter() - begun)))


def _headline(compared: Compared, scenario: str | None) -> None:
    """Draw what the scenario is about, who learns it, and what became of the gradient."""
    if scenario:
        st.caption(SCENARIOS[scenario].caption)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.header(compared.headline, anchor=False, width="stretch")
        if compared.advises:
            offer_trials(compared.now)
        what_do_i_see(LEGEND)
    with place_of_detail():
        if compared.advises:
            tell_of_trials(compared.now, lambda tried: tell_why(compared.detail_of_trials(tried)))
        else:
            tell_why(compared.detail)


def _detail(compared: Compared) -> str:
    """Return what is said below the headline now."""
    return compared.detail_of_trials(told_by_trials(compared.now) if compared.advises else "")


def _main(compared: Compared, view: TimeView, experiment: RecurrentExperiment) -> Drawn:
    """Draw the main figure; a click on whatever has an epoch axis moves the epoch's slider, on a map the open lens too."""
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
        on_click=lambda click: _choose(compared, experiment, click),
        above=ABOVE,
        lowest=LOWEST,
        foot=ROW_FOOT,
    )
    return main


def _choose(compared: Compared, experiment: RecurrentExperiment, click: Click) -> None:
    """Move the slider to the epoch that was clicked; while the lens is open, and on a map, also the lens to net and step."""
    if click.panel == f"x{PROFILE}":
        return
    choose_epoch(experiment, click.x, PREFIX)
    panel = int(click.panel[1:] or 1)
    if panel <= len(compared.names) and st.session_state.get(f"{PREFIX}figure") == LENS_FIGURE:
        steps = compared.experiments[compared.names[panel - 1]].looked_at
        set_values({f"{PREFIX}{LENS}net": panel})
        _choose_step(min(steps, key=lambda step: abs(step - click.y)))


def _parcel(
    nets: Nets,
    figures: list[Drawn],
    lenses: Mapping[str, Lens],
    experiment: RecurrentExperiment,
    baseline: RecurrentExperiment | None,
) -> Parcel:
    """Collect all that is shown. The saved file holds the settings of the sidebar, so that opening it restores every control."""
    compared = nets.compared
    tables = {"History": lambda: histories_csv(compared.histories)}
    if lenses:
        tables["Lens, histograms"] = lambda: lens_csv(list(lenses.values())[-1])
    return Parcel(
        title=compared.headline,
        sentences=lambda: [_detail(nets.compared)],
        settings=[compared.caption],
        filename=filename(experiment),
        figures=figures,
        tables=tables,
        experiment=experiment,
        baseline=baseline,
        lines=compared_lines(dict(compared.experiments), nets.view, lenses=lenses),
    )


PAGE = Page(
    title="Time",
    path="time",
    show=show,
    kind=TIME_STEPS,
    controls=CONTROLS,
    ahead=lambda: (trained([*entry.compared.values()]) for entry in scenarios_of(RecurrentExperiment).values()),
)
