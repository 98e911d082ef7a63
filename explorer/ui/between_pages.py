"""Between pages and runs: no control loses what it holds, and no older value is written over a newer one.

Streamlit forgets a widget that a run has left out. A browser puts a control up with its default, and reports that
default as a person's choice, unless it is told a value. So the browser is told all values when the page changes, and
later those of controls that it does not report. It is told once: `st.rerun`, with which a page shows how training goes
on, would tell it again and again, and undo what a person has set meanwhile. And what the app has set, as a scenario
does, holds until the browser knows it: until then it still reports what was there before.
"""

from collections.abc import Collection

import streamlit as st

from explorer.ui.private import SILENT, is_written, note_told, reported

# Title of the page that was come to last, and whether its controls are still to be drawn.
PAGE_KEY, ARRIVING_KEY = "_page", "_arriving"
# Set by every run: still to be read at the start of one that `st.rerun` has started, and not the browser.
RUN_KEY = "_run"
# The controls that were drawn since the browser last reported, and what the app has set against its report.
DRAWN_KEY, HELD_KEY = "_drawn", "_held"


def keep(page: str, keys: Collection[str]) -> None:
    """Keep what all controls hold, those of other pages too; to be called before any is drawn.

    Parameters
    ----------
    page : str
        Title of the present page.
    keys : collection of str
        Of all controls that are in the link.
    """
    other = st.session_state.get(PAGE_KEY) != page
    # Until its controls are drawn, which a further change of the page or of a control may prevent.
    arriving = st.session_state[ARRIVING_KEY] = other or st.session_state[ARRIVING_KEY]
    if is_written(RUN_KEY):
        for key in st.session_state[DRAWN_KEY]:
            note_told(key)
    else:
        _hold(arriving)
    for key in keys:
        if key in st.session_state and (other or reported(key) is SILENT):
            st.session_state[key] = st.session_state[key]
    st.session_state[PAGE_KEY], st.session_state[RUN_KEY], st.session_state[DRAWN_KEY] = page, True, set()


def _hold(arriving: bool) -> None:
    """Hold what the app has set while the browser reports none of it; of a single value a person may think again."""
    held = {key: value for key, value in st.session_state.get(HELD_KEY, {}).items() if not is_written(key)}
    known = len(held) < 2 or any(reported(key) == value for key, value in held.items())
    if known and not arriving:
        held = {}
    for key, value in held.items():
        st.session_state[key] = value
    st.session_state[HELD_KEY] = held


def note_drawn(key: str) -> None:
    """Note that a control is drawn, so that the browser is told what it holds."""
    st.session_state.setdefault(DRAWN_KEY, set()).add(key)


def note_all_drawn(keys: Collection[str]) -> None:
    """Note that all controls that pages share are drawn, and which of them the app has set against the browser's report."""
    for key in keys:
        if is_written(key) and reported(key) not in (SILENT, st.session_state[key]):
            st.session_state[HELD_KEY][key] = st.session_state[key]
    st.session_state[ARRIVING_KEY] = False
