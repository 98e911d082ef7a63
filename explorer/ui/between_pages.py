"""Between pages: what the controls of all pages hold goes along, however quickly pages are changed."""

import streamlit as st
from streamlit.runtime.state import get_session_state

from explorer.ui.keys import BASELINES
from explorer.ui.page_controls import ALL_CONTROLS

KEYS = (*ALL_CONTROLS, *BASELINES)
# Title of the page whose controls were drawn last, and what they held when the app itself went to another.
PAGE_KEY, TAKEN_KEY = "_page", "_taken"


def keep(page: str) -> None:
    """Keep what all controls hold, those of other pages too; to be called before any is drawn.

    Streamlit forgets a widget that a run has left out. A browser puts a control up with its default, and reports that
    default as a person's choice, unless it is told a value; Streamlit tells it one only where the value is new to the
    server. When pages are changed faster than they are drawn, the two do not agree on what the browser knows. So it is
    told all on the way to another page, and else whatever it does not report.

    Parameters
    ----------
    page : str
        Title of the present page.
    """
    arriving = st.session_state.get(PAGE_KEY) != page
    taken = st.session_state.get(TAKEN_KEY, {}) if arriving else {}
    if arriving:
        # Until its controls are drawn, which a further change of the page may prevent.
        st.session_state[PAGE_KEY] = None
    for key in KEYS:
        if key in taken:
            st.session_state[key] = taken[key]
        elif key in st.session_state and (arriving or not _reported(key)):
            st.session_state[key] = st.session_state[key]


def _reported(key: str) -> bool:
    """Whether the browser has said, with what this run answers, what a control holds."""
    # Looked up, not listed: a run that this one has overtaken may still write to the same state.
    state = get_session_state()._state
    return state.get_widget_id_from_key(key) in state._new_widget_state


def note_drawn(page: str, *, leaving: bool) -> None:
    """Note that all controls of a page are drawn, for `keep`.

    Parameters
    ----------
    page : str
        Its title.
    leaving : bool
        Whether the app itself goes to another page now: what was just set counts there, and not what the browser, which
        may not have drawn that yet, reports on the way.
    """
    st.session_state[PAGE_KEY] = page
    held = KEYS if leaving else ()
    st.session_state[TAKEN_KEY] = {key: st.session_state[key] for key in held if key in st.session_state}
