"""The sidebar of recurrent nets: their settings, scenarios and baseline, as `sidebar` for layers."""

from typing import Any

import streamlit as st

from explorer.choices.comparisons import COMPARISONS
from explorer.choices.losses import LOSSES
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.sequences import TASKS
from explorer.choices.settings import USUAL
from explorer.figures.view import TIME_VIEW_CONTROLS
from explorer.stories.scenarios import SCENARIOS, matching, scenarios_of
from explorer.ui.link import TIME, TIME_BASELINE_KEY, forget_notice, pinned
from explorer.ui.page_controls import TIME_CONTROLS, TIME_PAGE
from explorer.ui.sidebar import OWN_SETTINGS, baseline_text, load_experiment, open_recurrent, pin_buttons
from explorer.ui.widgets import ask

SCENARIO_KEY = "_time_scenario"


def time_sidebar() -> tuple[RecurrentExperiment | None, RecurrentExperiment | None]:
    """Draw all controls of recurrent nets and return the experiment and the pinned baseline.

    The experiment is None where its settings do not fit together; the baseline is None where nothing is pinned.
    """
    compare = _compare()
    with st.sidebar, st.container(gap="xsmall"):
        scenario_slot = st.container()
        values = _task() | _network(compare) | _remedies()
        pin_slot = st.container()
        values |= _training(values["task"])
        text = baseline_text(
            TIME_BASELINE_KEY, "What differs from the opening example, as name:value; empty is no baseline."
        )
        load_experiment(TIME)
    experiment = _experiment(values)
    baseline, problem = pinned(text, None, RecurrentExperiment)
    if problem:
        st.warning(problem, icon=":material/link_off:")
    with scenario_slot:
        _scenarios(experiment, baseline, compare)
    with pin_slot:
        pin_buttons(experiment, baseline, TIME_BASELINE_KEY)
    return experiment, baseline


def chosen_in_time() -> tuple[RecurrentExperiment, RecurrentExperiment | None]:
    """Return the experiment and the baseline that the sidebar has set; end the page where they do not fit together."""
    experiment, baseline = st.session_state["_experiment"], st.session_state["_pinned"]
    if experiment is None:
        st.stop()
    return experiment, baseline


def _compare() -> str:
    """What the page, whose control is drawn later, will set side by side."""
    asked = st.session_state.get(f"{TIME_PAGE}compare", st.query_params.get(f"{TIME_PAGE}compare"))
    return str(asked) if asked in COMPARISONS else str(TIME_VIEW_CONTROLS["compare"].default)


def ask_time(name: str, **options: Any) -> dict[str, Any]:
    """Draw the widget of one control of recurrent nets."""
    key = f"{TIME_PAGE}{name}"
    return {name: ask(key, TIME_CONTROLS[key], on_change=forget_notice, **options)}


def _pair() -> Any:
    return st.container(horizontal=True, gap="small", vertical_alignment="bottom")


def _task() -> dict[str, Any]:
    with _pair():
        return ask_time("task") | ask_time("length")


def _network(compare: str) -> dict[str, Any]:
    values = ask_time("cell", width="stretch", disabled=compare == "the three cells")
    plain = compare == "the three cells" or values["cell"] == "RNN"
    with _pair():
        values |= ask_time("hidden") | ask_time("stack")
    values |= ask_time("activation", width="stretch", disabled=not plain)
    values |= ask_time("initializer", disabled=compare == "start of W_hh")
    with _pair():
        gates = compare in ("the three cells", "forget bias") or values["cell"] != "RNN"
        return values | ask_time("strength") | ask_time("forget_bias", disabled=not gates or compare == "forget bias")


def _remedies() -> dict[str, Any]:
    values = ask_time("clip", width="stretch")
    with _pair():
        values |= ask_time("threshold") | ask_time("learning_rate")
    return values | ask_time("truncation")


def _training(task: str) -> dict[str, Any]:
    with _pair():
        values = ask_time("epochs") | ask_time("runs")
    with _pair():
        values |= ask_time("optimizer") | ask_time("batch")
    with _pair():
        values |= ask_time("samples") | ask_time("seed")
    fitting = [name for name, loss in LOSSES.items() if loss.regression or not TASKS[task].regression]
    values |= ask_time("loss", options=[USUAL, *fitting])
    return values | ask_time("order", width="stretch", disabled=values["batch"] == "full")


def _experiment(values: dict[str, Any]) -> RecurrentExperiment | None:
    try:
        return RecurrentExperiment(**values)
    except ValueError as error:
        st.error(str(error))
        return None


def _scenarios(experiment: RecurrentExperiment | None, baseline: RecurrentExperiment | None, compare: str) -> None:
    """The menu of scenarios; it shows the one that the controls stand at, if any."""
    here = matching(experiment, baseline, compare) if experiment is not None else None
    st.session_state[SCENARIO_KEY] = here or OWN_SETTINGS
    st.selectbox(
        "Scenario",
        [*([] if here else [OWN_SETTINGS]), *scenarios_of(RecurrentExperiment)],
        key=SCENARIO_KEY,
        on_change=_open_scenario,
        help="A finished example: sets every control, and what stands side by side.",
    )


def _open_scenario() -> None:
    scenario = SCENARIOS.get(st.session_state[SCENARIO_KEY])
    if scenario is not None:
        open_recurrent(scenario.experiment, scenario.compare)
