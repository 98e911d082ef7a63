"""Between pages and runs: no control loses what it holds, and no older value is written over a newer one.

Streamlit forgets a widget that a run has left out, and a browser puts a new one up with its default, which it later
reports as a person's choice, unless it is told a value. A message that tells it may be lost where one run follows
another quickly, as while training goes on; told late, it would undo what a person has set meanwhile. So the browser is
told what a control holds until it has reported that control. After a change of a value by the app it is asked to report at
once; after a change of page a little later, as a person may already have left again. What it reported before it knew of
such a change is older, and does not count.
"""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

import streamlit as st

from explorer.ui.private import SILENT, reported, uninterrupted

# Title of the page that was come to last, and the controls that the browser has reported on it.
PAGE_KEY, REPORTED_KEY = "_page", "_reported"
# What the app has set and the browser may not know yet, and what each of these controls held before; the latest change,
# by a name of its own.
PENDING_KEY, BEFORE_KEY, CHANGE_KEY = "_pending", "_before", "_change"
REPORTER_KEY, PLACE_KEY = "_reporter", "_place_of_report"
# Title of the page to which the app itself is going, and what all controls hold on the way.
GO_KEY, TAKEN_KEY = "_go_to", "_taken"

_LEAVING = """
const wait = milliseconds => new Promise(done => setTimeout(done, milliseconds));
// A message from a page that a person is leaving would call the browser back to it; ten seconds are for slow connections.
const leaving = from => {
  const left = window.explorerHistory?.left;
  return left?.page === from && performance.now() - left.at < 10000;
};
"""
_reporter = st.components.v2.component(
    "explorer_reporter",
    html="<i hidden></i>",
    js=_LEAVING
    + """
let known = null, latest = null, page = null;
export default async function ({ data, parentElement, setStateValue }) {
  latest = data.change;
  // Who has just come may have gone on already, by a click that nobody here has seen: then the next page comes meanwhile.
  if (page !== data.page) await wait(1500);
  const here = (parentElement.host ?? parentElement).isConnected && latest === data.change;
  if (!here || known === data.change || leaving(data.page)) return;
  page = data.page;
  setStateValue("known", (known = data.change));
}
""",
)
_beginner = st.components.v2.component(
    "explorer_beginner",
    html="<i hidden></i>",
    js=_LEAVING
    + """
let latest = null;
export default async function ({ data, parentElement, setTriggerValue }) {
  if (latest === data.run) return;
  latest = data.run;
  await wait(data.milliseconds);
  const here = (parentElement.host ?? parentElement).isConnected && latest === data.run;
  if (here && !leaving(data.page)) setTriggerValue("began", data.run);
}
""",
)


def set_values(values: Mapping[str, Any]) -> None:
    """Set controls to values, by key; before they are drawn, or in a callback."""
    changed = {key: value for key, value in values.items() if st.session_state.get(key) != value}
    before = st.session_state.setdefault(BEFORE_KEY, {})
    for key in changed:
        before[key] = [*before.get(key, []), st.session_state.get(key), reported(key)]
    st.session_state.update(values)
    st.session_state[PENDING_KEY] = st.session_state.get(PENDING_KEY, {}) | changed
    st.session_state[CHANGE_KEY] = uuid.uuid4().hex


def go_to(page: str) -> None:
    """Have the app go to the page of this title, with what all controls hold now; before they are drawn, or in a callback."""
    st.session_state[GO_KEY] = page
    st.session_state.pop(TAKEN_KEY, None)


def keep(page: str, keys: Collection[str]) -> None:
    """Keep what all controls hold, those of other pages too; to be called before any is drawn.

    `page` is the title of the present page; `keys` are those of all controls that are in the link.
    """
    with uninterrupted():
        state = st.session_state
        if state.get(PAGE_KEY) != page:
            _arrive(page)
        elif reports := {key for key in keys if reported(key) is not SILENT}:
            state[REPORTED_KEY] = reports
            _forget_what_is_known()
        if state.get(GO_KEY) == page:
            del state[GO_KEY]
        if GO_KEY in state:
            state.setdefault(TAKEN_KEY, {key: state[key] for key in keys if key in state})
        pending, known, held = state.get(TAKEN_KEY, state[PENDING_KEY]), state[REPORTED_KEY], set(state)
        for key in keys:
            if key in pending:
                state[key] = pending[key]
            elif key in held and key not in known:
                state[key] = state[key]


def _arrive(page: str) -> None:
    """Begin with a page: what the app took along to it counts until the browser knows it."""
    state = st.session_state
    taken = state.pop(TAKEN_KEY, {})
    state[PENDING_KEY] = state.get(PENDING_KEY, {}) | (taken if state.pop(GO_KEY, None) == page else {})
    # A person who undoes at once what has just come along with the page means it.
    state[BEFORE_KEY] = {}
    state[PAGE_KEY], state[REPORTED_KEY], state[CHANGE_KEY] = page, set(), uuid.uuid4().hex


def answered() -> Any:
    """Return the latest change that the browser has answered for; None before its first answer."""
    return getattr(st.session_state.get(REPORTER_KEY), "known", None)


def _forget_what_is_known() -> None:
    """Hold no longer what the browser knows: it has answered, or reports all as set but for one that a person has set.

    One that it reports as it was before has not reached it yet.
    """
    pending, before = st.session_state[PENDING_KEY], st.session_state.get(BEFORE_KEY, {})
    as_set = {key: reported(key) == value for key, value in pending.items() if reported(key) is not SILENT}
    other = [key for key, known in as_set.items() if not known]
    late = any(reported(key) in before.get(key, []) for key in other)
    if answered() == st.session_state[CHANGE_KEY] or (any(as_set.values()) and len(other) <= 1 and not late):
        pending.clear()
        before.clear()


def place_of_report() -> Any:
    """Reserve a place without height for what asks for a report; what else has no height may stand there too."""
    st.session_state[PLACE_KEY] = st.container(gap=None)
    return st.session_state[PLACE_KEY]


def give_way() -> None:
    """End the run here if a person has asked for another: `st.rerun` would call them back from the page they went to."""
    with st.session_state[PLACE_KEY]:
        st.empty()


def ask_for_report() -> None:
    """Have the browser report once what all controls hold, when it has drawn what was told so far."""
    if GO_KEY in st.session_state:  # a report would call the browser back
        return
    with st.session_state[PLACE_KEY]:
        _reporter(
            key=REPORTER_KEY,
            data={"change": st.session_state[CHANGE_KEY], "page": st.session_state[PAGE_KEY]},
            on_known_change=lambda: None,
        )


def begins(run: str, milliseconds: int) -> bool:
    """Return whether the browser, so long after it has drawn the page, has called the fragment in which this stands.

    It does so once for each `run` of the page, without a second run of the page, and not if a person has moved on. What takes
    long can then be done in the fragment while the page stands as it is.
    """
    if GO_KEY in st.session_state:
        return False
    data = {"run": run, "page": st.session_state[PAGE_KEY], "milliseconds": milliseconds}
    return bool(
        _beginner(key=f"_begins_{st.session_state[PAGE_KEY]}", data=data, on_began_change=lambda: None).began == run
    )
