"""The link: what an address asks for, checked; and the baseline, which travels in it as text."""

from pathlib import Path

import streamlit as st
from streamlit.runtime.state import get_session_state

from explorer.datasets import OWN, Data
from explorer.experiment import CONTROLS, Experiment
from explorer.page_views import PAGE_CONTROLS
from explorer.scenarios import OPENING

SCHEMA = "1"
BASELINE_KEY = "baseline"
UNPINNED = "none"
# Streamlit's own parameters, and ours that are not settings.
NOT_SETTINGS = {"v", "embed", "embed_options", BASELINE_KEY}
MAX_SHOWN = 60
NOTICE_KEY = "_link_notice"

_keeper = st.components.v2.component(
    "explorer_link_keeper", html="<i hidden></i>", js=Path(__file__).with_name("link.js").read_text(encoding="utf-8")
)


def announce() -> None:
    """Take what is no good out of the address before widgets read it, and say so until a person changes something.

    Streamlit would drop most of it without a word, and stumbles over some: a whole number of 400 digits.
    """
    found = complaints()
    if found:
        st.session_state[NOTICE_KEY] = list(found.values())
        with get_session_state().query_params() as parameters:
            for name in found:
                parameters.discard_param_no_forward_msg(name)
            parameters.set_initial_query_params_from_current()
        st.query_params["v"] = SCHEMA
    for sentence in st.session_state.get(NOTICE_KEY, []):
        st.warning(sentence, icon=":material/link_off:")


def forget_notice() -> None:
    """Take the message about the link away; for callbacks."""
    st.session_state[NOTICE_KEY] = []


def keep_link(page: str, go: str | None = None) -> None:
    """Keep the schema version in the address and one step of the browser's history for one act of a person.

    Parameters
    ----------
    page : str
        Title of the present page.
    go : str, optional
        Title of a page to go to: `st.switch_page` refuses to while settings are bound to the link.
    """
    state = f"{page} {sorted(st.query_params.items())}"
    _keeper(key="_link_keeper", data={"version": SCHEMA, "when": state, "go": go})


def complaints() -> dict[str, str]:
    """Say, by name, what is wrong with the settings in the present address, a sentence each."""
    said = {
        name: [problem for text in st.query_params.get_all(name) if (problem := _complaint(name, text))]
        for name in st.query_params
    }
    return {name: problems[0] for name, problems in said.items() if problems}


def _complaint(name: str, text: str) -> str | None:
    if name == "v" and text != SCHEMA:
        return (
            f"The link says it is of version {_short(text)}; this app writes version {SCHEMA} and reads what it knows."
        )
    if name in NOT_SETTINGS:
        return None
    control = CONTROLS.get(name) or PAGE_CONTROLS.get(name)
    if control is None:
        return f"The link has a setting called {_short(name)}, which does not exist; it is ignored."
    try:
        control.parse(name, text)
    except ValueError as error:
        return f"{_short(str(error), 300)}. The default, {control.default}, is used."
    return None


def _short(text: str, limit: int = MAX_SHOWN) -> str:
    """A stranger's text, cut and made harmless: it is shown as plain words."""
    cut = text if len(text) <= limit else text[:limit] + "…"
    return "".join(character if character.isprintable() else "?" for character in cut).replace("`", "'")


# --- the baseline ------------------------------------------------------------------------------


def encode(experiment: Experiment) -> str:
    """Write an experiment as the text of the link: only what differs from the opening example, which is empty."""
    return ";".join(f"{name}:{value}" for name, value in experiment.settings(changed_only=True).items())


def decode(text: str, data: Data | None) -> Experiment | None:
    """Read what `encode` wrote; None where nothing is pinned.

    Raises
    ------
    ValueError
        Naming what is wrong and what is allowed.
    """
    if text == UNPINNED:
        return None
    if not text:
        return OPENING
    pairs = [part.partition(":") for part in text.split(";")]
    settings = {name: value for name, _, value in pairs}
    own = settings.get("task", "").casefold() == OWN
    if own and data is None:
        raise ValueError("the baseline is on somebody's own data, which a link does not carry: load the CSV first")
    return Experiment.from_strings(settings, data=data if own else None)


def pinned(text: str, data: Data | None) -> tuple[Experiment | None, str | None]:
    """Return the pinned baseline and, if the link's text is no good, a sentence that says why."""
    try:
        return decode(text, data), None
    except ValueError as error:
        return None, f"The baseline in the link cannot be used: {_short(str(error), 300)}."
