"""Between pages and runs: no control loses what it holds, and no older value is written over a newer one.

Streamlit forgets a widget that a run has left out, and a browser puts a new one up with its default, which it later
reports as a person's choice, unless it is told a value. A message that tells it may be lost where one run follows
another quickly, as while training goes on; told late, it would undo what a person has set meanwhile. So the browser is
told what a control holds until it has reported that control, and after every change of page, or of a value by the app,
it is asked for a report at once. What it reported before it knew of such a change is older, and does not count.
"""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

import streamlit as st

from explorer.ui.private import SILENT, reported

# Title of the page that was come to last, and the controls that the browser has reported on it.
PAGE_KEY, REPORTED_KEY = "_page", "_reported"
# What the app has set and the browser may not know yet; the latest change, by a name of its own.
PENDING_KEY, CHANGE_KEY = "_pending", "_change"
REPORTER_KEY = "_reporter"

_reporter = st.components.v2.component(
    "explorer_reporter",
    html="<i hidden></i>",
    js="""
let known = null;
export default function ({ data, setStateValue }) {
  if (known !== data.change) setStateValue("known", (known = data.change));
}
""",
)


def set_values(values: Mapping[str, Any]) -> None:
    """Set controls to values, by key; before they are drawn, or in a callback."""
    changed = {key: value for key, value in values.items() if st.session_state.get(key) != value}
    st.session_state.update(values)
    st.session_state[PENDING_KEY] = st.session_state.get(PENDING_KEY, {}) | changed
    st.session_state[CHANGE_KEY] = uuid.uuid4().hex


def keep(page: str, keys: Collection[str]) -> None:
    """Keep the values of all controls in the link, also of other pages; `page` is the title of the present one.

    To be called before any control is drawn.
    """
    state = st.session_state
    reports = {key for key in keys if reported(key) is not SILENT}
    if state.get(PAGE_KEY) != page:
        state[PAGE_KEY], state[REPORTED_KEY], state[CHANGE_KEY] = page, set(), uuid.uuid4().hex
    elif reports:
        state[REPORTED_KEY] = reports
    pending = state.setdefault(PENDING_KEY, {})
    known = getattr(state.get(REPORTER_KEY), "known", None) == state[CHANGE_KEY]
    if known or any(reported(key) == value for key, value in pending.items()):
        pending.clear()
    for key in keys:
        if key in pending:
            state[key] = pending[key]
        elif key in state and key not in state[REPORTED_KEY]:
            state[key] = state[key]


def ask_for_report() -> None:
    """Have the browser report once what all controls hold, when it has drawn what was told so far."""
    _reporter(key=REPORTER_KEY, data={"change": st.session_state[CHANGE_KEY]}, on_known_change=lambda: None)
