"""The sidebar of either kind of nets: in sight what matters most, folded away what is seldom changed.

Which settings stand where, which are disabled and what can be chosen just now, all of it follows from their controls.
"""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import streamlit as st

from explorer.choices.comparisons import COMPARISONS
from explorer.choices.controls import NETWORK, REMEDY, TASK, TRAINING, Choice, Control
from explorer.choices.datasets import OWN, Data
from explorer.choices.own_data import read_csv
from explorer.choices.settings import Settings
from explorer.sharing.saved import read_experiment_json
from explorer.stories.scenarios import SCENARIOS, matching, scenarios_of
from explorer.training.kinds import Kind, kind_of
from explorer.ui.between_pages import go_to, set_values
from explorer.ui.compare_with import PIN, PIN_HELP, pin
from explorer.ui.keys import keys_of
from explorer.ui.link import DATA_KEY, encode, forget_notice, open_saved, pinned
from explorer.ui.look import hidden
from explorer.ui.plain_text import verbatim
from explorer.ui.widgets import FEW, ask, present_value

FILE_KEY, FILE_PROBLEM_KEY = "_experiment_file", "_experiment_file_problem"
# What the sidebar has set, for the page.
CHOSEN_KEY, PINNED_KEY = "_experiment", "_pinned"
OWN_SETTINGS = "Your own settings"
# What is in sight, by the words above it; the rest is folded away, and stays as a person left it.
IN_SIGHT = {"Cures": (REMEDY,), "Task and network": (TASK, NETWORK)}
FOLD, FOLD_KEY, UNFOLDED_KEY = "Training, data, seeds, files", "_fold", "_unfolded"


def sidebar(kind: Kind, controls: Mapping[str, Control], *, pins: bool) -> None:
    """Draw the controls of a kind of nets and keep the experiment and the pinned baseline for the page.

    `pins` has it offer to pin a baseline, which Explore does beside its figure.

    There is no experiment while a person's own data are missing, or where settings do not fit together. `controls` are all
    controls by key: what stands side by side is set by a control of the page, and decides which settings have an effect.
    """
    keys = keys_of(kind)
    settings = {
        name: present_value(f"{keys.prefix}{name}", control) for name, control in kind.experiment.controls().items()
    }
    settings |= kind.experiment.unfit(settings)
    compare_key = f"{keys.prefix}compare"
    compare = present_value(compare_key, controls[compare_key]) if compare_key in controls else ""
    with st.sidebar, st.container(gap="xsmall"):
        scenario_place = st.container()
        for words, groups in IN_SIGHT.items():
            _ask(kind, words, groups, settings, compare)
        data = _own_data(settings["task"])
        pin_place = st.container()
        with _fold():
            _ask(kind, TRAINING, (TRAINING,), settings, compare)
            _load_experiment(kind)
        with hidden("baseline"):
            text = _baseline_text(keys.baseline, keys.empty_baseline)
    # Once more: a control that was drawn may hold something else than before, as after Back or Forward.
    settings |= kind.experiment.unfit(settings)
    experiment = _experiment(kind, settings, data)
    baseline, problem = pinned(text, settings["task"], st.session_state.get(DATA_KEY), kind)
    if problem:
        st.warning(problem, icon=":material/link_off:")
    with scenario_place:
        _scenarios(kind, experiment, baseline, compare)
    if pins:
        with pin_place:
            _pin_buttons(experiment, baseline, keys.baseline)
    st.session_state[CHOSEN_KEY], st.session_state[PINNED_KEY] = experiment, baseline


def chosen() -> tuple[Any, Any]:
    """Return the experiment and the baseline, None if none is pinned; end the page where there is no experiment."""
    experiment, baseline = st.session_state[CHOSEN_KEY], st.session_state[PINNED_KEY]
    if experiment is None:
        if st.session_state.get("task") == OWN:
            st.info("Load a CSV in the sidebar to train on your own data, or choose another task.")
        st.stop()
    return experiment, baseline


# --- settings ----------------------------------------------------------------------------------


def _disabled(experiment: Any, compare: str) -> set[str]:
    """Return the settings that have no effect on any of the nets that stand side by side."""
    comparison = COMPARISONS.get(compare)
    if comparison is None:
        return experiment.without_effect()
    try:
        compared = comparison.of(experiment, None).values()
    except ValueError:  # the settings do not fit together, which is said where the experiment is made
        return experiment.without_effect()
    return set.intersection(*(experiment.without_effect() for experiment in compared)) | {comparison.changes}


def _fold() -> Any:
    """Return the place for what is folded away; it is drawn all the same, for a setting that is not would leave the link."""
    state = st.session_state
    if FOLD_KEY not in state:
        state[FOLD_KEY] = state.get(UNFOLDED_KEY, False)
    fold = st.expander(FOLD, key=FOLD_KEY, on_change="rerun")
    state[UNFOLDED_KEY] = fold.open
    return fold


def _ask(kind: Kind, words: str, groups: tuple[str, ...], settings: dict[str, Any], compare: str) -> None:
    """Draw the settings of some groups in their rows, below the words for them; `settings` are what all controls hold."""
    controls = sorted(
        ((name, control) for name, control in kind.experiment.controls().items() if control.group in groups),
        key=lambda pair: (groups.index(pair[1].group), pair[1].row),
    )
    st.markdown(f"**{words}**", help=_help(dict(controls), settings))
    experiment = kind.experiment.unchecked(settings)
    disabled = _disabled(experiment, compare)
    for _, row in groupby(controls, key=lambda pair: (pair[1].group, pair[1].row)):
        shown = {name: control for name, control in row if not (control.only_with_effect and name in disabled)}
        held = _ask_row(kind, shown, experiment, disabled)
        # After a step back in the browser's history a widget knows of it first.
        if any(value != settings[name] for name, value in held.items()):
            settings |= held
            experiment = kind.experiment.unchecked(settings)
            disabled = _disabled(experiment, compare)


def _ask_row(kind: Kind, controls: Mapping[str, Control], experiment: Settings, disabled: set[str]) -> dict[str, Any]:
    """Draw settings beside one another, below them what is chosen in plain words; return what they hold."""
    alone, prefix = len(controls) == 1, keys_of(kind).prefix
    with st.container(horizontal=not alone, gap="small", vertical_alignment="top" if alone else "bottom"):
        held = {
            name: ask(
                f"{prefix}{name}",
                control,
                on_change=forget_notice,
                disabled=name in disabled,
                help=None,
                **_shape(control, experiment, alone),
            )
            for name, control in controls.items()
        }
    for name, control in controls.items():
        if isinstance(control, Choice) and name not in disabled and (said := control.explain(held[name])):
            st.caption(verbatim(said))
    return held


def _help(controls: Mapping[str, Control], settings: Mapping[str, Any]) -> str:
    """Say what each of some settings does, with formula and source of what is chosen."""
    told = []
    for name, control in controls.items():
        entry = control.entry(settings[name]) if isinstance(control, Choice) else None
        source = f" ({verbatim(entry.source)})" if entry and entry.source else ""
        formula = f" {entry.name}: {verbatim(entry.formula)}{source}." if entry and entry.formula else ""
        told.append(f"**{control.label}**: {control.help}{formula}")
    return "\n\n".join(told)


def _shape(control: Control, experiment: Settings, alone: bool) -> dict[str, Any]:
    """Return the options that a choice offers now; a choice of few options that is alone in its row fills the row."""
    if not isinstance(control, Choice):
        return {}
    fitting = [name for name in control.options if control.fits(experiment, name)]
    return {"options": fitting} | ({"width": "stretch"} if alone and len(control.options) <= FEW else {})


def _experiment(kind: Kind, values: dict[str, Any], data: Data | None) -> Settings | None:
    own = {} if values["task"] != OWN else {"data": data}
    if own and data is None:
        return None
    try:
        return kind.experiment(**values, **own)
    except ValueError as error:
        st.error(verbatim(error))
        return None


def _own_data(task: str) -> Data | None:
    """Offer the upload for a person's own data; keep the last valid file when a later one is invalid."""
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
            st.error(f"{verbatim(upload.name)}: {verbatim(error)}")
    return st.session_state.get(DATA_KEY)


# --- scenarios and the baseline ----------------------------------------------------------------


def _scenarios(kind: Kind, experiment: Settings | None, baseline: Settings | None, compare: str) -> None:
    """Draw the menu of scenarios; it shows the scenario whose settings the controls have, if there is one."""
    here = None if experiment is None else matching(experiment, baseline, compare)
    shown = here or OWN_SETTINGS
    key = keys_of(kind).scenario
    turn, before = st.session_state.get(key, (0, shown))
    turn += shown != before
    st.session_state[key] = (turn, shown)
    options = [*([] if here else [OWN_SETTINGS]), *scenarios_of(kind.experiment)]
    with_it = "what stands side by side" if compare else "the baseline it is compared with"
    # A menu that shows something else is another menu. While a person holds a key on a slider, the browser still reports
    # the scenario that was shown before: that would be taken for a choice and undo what the person has set.
    with st.container(key=key):
        st.selectbox(
            "Scenario",
            options,
            index=options.index(shown),
            key=f"{key}_{turn}",
            on_change=_open_scenario,
            args=(key, turn),
            help=f"A finished example: sets every control, and {with_it}.",
        )


def _open_scenario(key: str, turn: int) -> None:
    """Open the chosen scenario, unless another menu has replaced this one in the meantime."""
    present, _ = st.session_state[key]
    name = st.session_state[f"{key}_{turn}"]
    if turn == present and name in SCENARIOS:
        # The menu shows it already: it stays the same menu, and keeps the focus of the keyboard.
        st.session_state[key] = (turn, name)
        scenario = SCENARIOS[name]
        set_experiment(scenario.experiment, scenario.baseline, scenario.compare)


def set_experiment(experiment: Settings, baseline: Settings | None, compare: str = "") -> None:
    """Set every control to an experiment, pin a baseline or none, and set what stands side by side; for callbacks."""
    forget_notice()
    keys = keys_of(kind_of(experiment))
    settings = experiment.settings() | ({"compare": compare} if compare else {})
    set_values({f"{keys.prefix}{name}": value for name, value in settings.items()} | {keys.baseline: encode(baseline)})


def open_experiment(experiment: Settings, baseline: Settings | None, compare: str = "") -> None:
    """Set every control, and go to the first page that shows experiments of this kind; for callbacks."""
    set_experiment(experiment, baseline, compare)
    go_to(keys_of(kind_of(experiment)).home)


def _pin_buttons(experiment: Settings | None, baseline: Settings | None, key: str) -> None:
    """Offer to pin the experiment, and to unpin the baseline, whose text lies under `key`."""
    with st.container(horizontal=True, gap="small"):
        st.button(
            PIN,
            key=f"{key}_pin",
            icon=":material/keep:",
            disabled=experiment is None or experiment == baseline,
            on_click=pin,
            args=(key, experiment),
            help=PIN_HELP,
        )
        st.button(
            "Unpin",
            key=f"{key}_unpin",
            disabled=baseline is None,
            on_click=pin,
            args=(key, None),
            help="Show the present setting alone.",
        )


def _baseline_text(key: str, empty: str) -> str:
    """Draw the text of the baseline; it is bound to the link, so that reload and Back restore it like any control."""
    return st.text_input(
        "Settings of the baseline",
        key=key,
        bind="query-params",
        on_change=forget_notice,
        max_chars=600,
        help=f"What differs from the opening example, as name:value; {empty}.",
    )


# --- an experiment from a file -----------------------------------------------------------------


def _load_experiment(kind: Kind) -> None:
    """Offer to open an experiment that was saved as JSON."""
    st.file_uploader("Saved experiment (JSON)", type=["json"], key=FILE_KEY, on_change=_open_file, args=(kind,))
    problem = st.session_state.get(FILE_PROBLEM_KEY)
    if problem:
        st.error(problem)


def _open_file(kind: Kind) -> None:
    upload = st.session_state[FILE_KEY]
    st.session_state[FILE_PROBLEM_KEY] = None
    if upload is None:
        return
    try:
        saved = read_experiment_json(upload.getvalue(), st.session_state.get(DATA_KEY))
    except ValueError as error:
        st.session_state[FILE_PROBLEM_KEY] = f"{verbatim(upload.name)}: {verbatim(error)}"
        return
    open_saved(saved, kind)
