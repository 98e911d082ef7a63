"""The sidebar: every setting of the experiment, the scenarios, the baseline and a person's own data."""

from typing import Any

import streamlit as st

from explorer.choices.datasets import DATASETS, OWN, Data
from explorer.choices.experiment import CONTROLS, Experiment
from explorer.choices.losses import LOSSES
from explorer.choices.own_data import read_csv
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.settings import USUAL, Settings
from explorer.sharing.saved import read_experiment_json
from explorer.stories.scenarios import SCENARIOS, matching, scenarios_of
from explorer.ui.link import (
    BASELINE_KEY,
    DATA_KEY,
    EXPLORE,
    GO_KEY,
    TIME,
    TIME_BASELINE_KEY,
    UNPINNED,
    encode,
    forget_notice,
    pinned,
    set_controls,
)
from explorer.ui.page_controls import TIME_PAGE
from explorer.ui.widgets import ask

SCENARIO_KEY = "_scenario"
FILE_KEY, FILE_PROBLEM_KEY = "_experiment_file", "_experiment_file_problem"
OWN_SETTINGS = "Your own settings"


def sidebar() -> tuple[Experiment | None, Experiment | None]:
    """Draw all shared controls and return the experiment and the pinned baseline.

    The experiment is None while a person's own data is asked for but not
    there; the baseline is None where nothing is pinned.
    """
    with st.sidebar, st.container(gap="xsmall"):
        scenario_slot = st.container()
        values = _task() | _network() | _remedies()
        pin_slot = st.container()
        values |= _training()
        data = _own_data(values["task"])
        text = baseline_text(
            BASELINE_KEY,
            "What differs from the opening example, as name:value; empty is the opening example itself, none is no baseline.",
        )
        load_experiment()
    experiment = _experiment(values, data)
    baseline, problem = pinned(text, st.session_state.get(DATA_KEY))
    if problem:
        st.warning(problem, icon=":material/link_off:")
    with scenario_slot:
        _scenarios(experiment, baseline)
    with pin_slot:
        pin_buttons(experiment, baseline, BASELINE_KEY)
    return experiment, baseline


def chosen() -> tuple[Experiment, Experiment | None]:
    """Return the experiment and the baseline that the sidebar has set; end the page where there is no experiment."""
    experiment, baseline = st.session_state["_experiment"], st.session_state["_pinned"]
    if experiment is None:
        st.info("Load a CSV in the sidebar to train on your own data, or choose another task.")
        st.stop()
    return experiment, baseline


def _ask(name: str, **options: Any) -> dict[str, Any]:
    return {name: ask(name, CONTROLS[name], on_change=forget_notice, **options)}


def _pair() -> Any:
    return st.container(horizontal=True, gap="small", vertical_alignment="bottom")


def _task() -> dict[str, Any]:
    return _ask("task")


def _network() -> dict[str, Any]:
    with _pair():
        values = _ask("depth") | _ask("width")
    with _pair():
        values |= _ask("activation") | _ask("initializer")
    return values


def _remedies() -> dict[str, Any]:
    values = _ask("normalization", width="stretch") | _ask("skip", width="stretch")
    values |= _ask("clip", width="stretch")
    with _pair():
        return values | _ask("threshold", disabled=values["clip"] == "none") | _ask("learning_rate")


def _training() -> dict[str, Any]:
    with _pair():
        values = _ask("epochs") | _ask("runs")
    with _pair():
        values |= _ask("optimizer") | _ask("batch")
    with _pair():
        values |= _ask("gain") | _ask("seed")
    dataset = DATASETS[st.session_state["task"]]
    with _pair():
        values |= _ask("samples", disabled=not dataset.sized) | _ask("noise", disabled=not dataset.noisy)
    fitting = [name for name, loss in LOSSES.items() if loss.regression or not dataset.regression]
    values |= _ask("loss", options=[USUAL, *fitting])
    values |= _ask("bias", width="stretch")
    return values | _ask("order", width="stretch", disabled=values["batch"] == "full")


def _experiment(values: dict[str, Any], data: Data | None) -> Experiment | None:
    if values["task"] == OWN and data is None:
        return None
    try:
        return Experiment(**values, data=data if values["task"] == OWN else None)
    except ValueError as error:
        st.error(str(error))
        return None


# --- a person's own data -----------------------------------------------------------------------


def _own_data(task: str) -> Data | None:
    """Offer the upload while it is wanted; keep what was loaded, also when a later file is no good."""
    if task != OWN:
        return None
    upload = st.file_uploader(
        "CSV: two number columns, then a label column with two classes",
        type=["csv", "txt", "tsv"],
        help="Read as text and never executed; kept in memory for this visit only. Features are standardized.",
    )
    if upload is not None:
        try:
            st.session_state[DATA_KEY] = read_csv(upload.getvalue())
        except ValueError as error:
            st.error(f"{upload.name}: {error}")
    return st.session_state.get(DATA_KEY)


# --- scenarios and the baseline ----------------------------------------------------------------


def _scenarios(experiment: Experiment | None, baseline: Experiment | None) -> None:
    """The menu of scenarios; it shows the one that the controls stand at, if any."""
    here = matching(experiment, baseline) if experiment is not None else None
    options = [*([] if here else [OWN_SETTINGS]), *scenarios_of(Experiment)]
    st.session_state[SCENARIO_KEY] = here or OWN_SETTINGS
    st.selectbox(
        "Scenario",
        options,
        key=SCENARIO_KEY,
        on_change=_open_scenario,
        help="A finished example: sets every control, and the baseline it is compared with.",
    )


def _open_scenario() -> None:
    scenario = SCENARIOS.get(st.session_state[SCENARIO_KEY])
    if scenario is not None:
        open_experiment(scenario.experiment, scenario.baseline)


def open_experiment(experiment: Experiment, baseline: Experiment | None) -> None:
    """Set every control to an experiment and pin a baseline; for callbacks, before widgets are made."""
    forget_notice()
    st.session_state.update(experiment.settings())
    st.session_state[BASELINE_KEY] = UNPINNED if baseline is None else encode(baseline)


def open_in_time(experiment: RecurrentExperiment, compare: str, baseline: RecurrentExperiment | None = None) -> None:
    """Set every control of recurrent nets, and have the app go to Time; for callbacks."""
    open_recurrent(experiment, compare, baseline)
    st.session_state[GO_KEY] = TIME


def open_recurrent(experiment: RecurrentExperiment, compare: str, baseline: RecurrentExperiment | None = None) -> None:
    """Set every control of recurrent nets, what stands side by side and the baseline; for callbacks."""
    forget_notice()
    settings = {**experiment.settings(), "compare": compare}
    st.session_state.update({f"{TIME_PAGE}{name}": value for name, value in settings.items()})
    st.session_state[TIME_BASELINE_KEY] = UNPINNED if baseline is None else encode(baseline)


def open_in_explore(experiment: Experiment, baseline: Experiment | None) -> None:
    """Set every control, and have the app go to Explore; for callbacks of other pages."""
    open_experiment(experiment, baseline)
    st.session_state[GO_KEY] = EXPLORE


def pin_buttons(experiment: Settings | None, baseline: Settings | None, key: str) -> None:
    """Offer to pin the experiment, and to unpin the baseline, whose text lies under `key`."""

    def pin(pinned: Settings | None) -> None:
        st.session_state[key] = UNPINNED if pinned is None else encode(pinned)

    with st.container(horizontal=True, gap="small"):
        st.button(
            "Pin this as the baseline",
            icon=":material/keep:",
            disabled=experiment is None or experiment == baseline,
            on_click=lambda: pin(experiment),
            help="From then on baseline and present setting stand beside each other, on the same scales.",
        )
        st.button(
            "Unpin",
            disabled=baseline is None,
            on_click=lambda: pin(None),
            help="Show the present setting alone.",
        )


def baseline_text(key: str, help: str) -> str:
    """The baseline as the link holds it: a bound text, so that reload and Back restore it like any control."""
    with st.expander("Baseline in the link"):
        return st.text_input(
            "Settings of the baseline",
            key=key,
            bind="query-params",
            on_change=forget_notice,
            max_chars=600,
            help=help,
        )


# --- an experiment from a file -----------------------------------------------------------------


def load_experiment(page: str = EXPLORE) -> None:
    """Offer to open an experiment that was saved as JSON; `page` is the title of one that shows what this sidebar sets."""
    with st.expander("Open a saved experiment"):
        st.file_uploader("Experiment (JSON)", type=["json"], key=FILE_KEY, on_change=_open_file, args=(page,))
        problem = st.session_state.get(FILE_PROBLEM_KEY)
        if problem:
            st.error(problem)


def _open_file(page: str) -> None:
    upload = st.session_state[FILE_KEY]
    st.session_state[FILE_PROBLEM_KEY] = None
    if upload is None:
        return
    try:
        saved = read_experiment_json(upload.getvalue(), st.session_state.get(DATA_KEY))
    except ValueError as error:
        st.session_state[FILE_PROBLEM_KEY] = f"{upload.name}: {error}"
        return
    set_controls(saved, page)
