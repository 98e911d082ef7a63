"""Streamlit's private parts: what ui/private.py takes of them does what it needs, in the version that is installed."""

import re
from pathlib import Path

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.scriptrunner_utils.exceptions import StopException
from streamlit.runtime.state import SafeSessionState, SessionState
from streamlit.runtime.state.common import WidgetMetadata
from streamlit.testing.v1 import AppTest

from explorer.ui.private import let_callbacks_finish, uninterrupted

ROOT = Path(__file__).resolve().parents[2]


def asked():
    import streamlit as st

    from explorer.ui.private import SILENT, read_address_again, reported

    if st.query_params.get("speed") == "12345":
        st.query_params["speed"] = "7"
        read_address_again()
    elif "colour" in st.query_params:
        read_address_again(without=["colour"])
        st.session_state["left"] = [*st.query_params]
    st.session_state["reported"] = None if reported("speed") is SILENT else reported("speed")
    st.number_input("Speed", 0, 10, 5, key="speed", bind="query-params")


def test_a_control_starts_from_what_the_script_wrote_into_the_address():
    app = AppTest.from_function(asked)
    app.query_params["speed"] = "12345"
    app.run()
    assert app.number_input(key="speed").value == 7


def test_a_parameter_is_taken_out_of_the_address():
    app = AppTest.from_function(asked)
    app.query_params["colour"] = "blue"
    app.run()
    assert app.session_state["left"] == []


def test_what_the_browser_reports_is_told_apart_from_what_it_does_not():
    app = AppTest.from_function(asked).run()
    assert app.session_state["reported"] is None
    app.number_input(key="speed").set_value(8).run()
    assert app.session_state["reported"] == 8


def interrupted():
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx
    from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

    from explorer.ui.private import let_callbacks_finish, uninterrupted

    state = st.session_state

    def another_request_comes():
        get_script_run_ctx().script_requests.request_rerun(RerunData())

    def click():
        another_request_comes()
        state["first"] = True
        state["second"] = True

    let_callbacks_finish()
    state["runs"] = state.get("runs", 0) + 1
    st.button("Click", on_click=click)
    if "first" in state and "third" not in state:
        with uninterrupted():
            another_request_comes()
            state["third"] = state["runs"]
            state["fourth"] = state["runs"]
    state["ended"] = state["runs"]


def test_a_callback_and_a_block_come_to_their_end_also_when_another_request_comes_meanwhile():
    app = AppTest.from_function(interrupted).run()
    app.button[0].click().run()
    assert app.session_state["first"] and app.session_state["second"]
    # The run with the block gives way behind it, and the next one comes to its end.
    assert app.session_state["third"] == app.session_state["fourth"] < app.session_state["ended"]


SLIDER, BUTTON = "$$ID-one-slider", "$$ID-two-button"


@pytest.fixture
def session():
    """A session with a slider and a button: its state, and how a run's access to it is made."""
    let_callbacks_finish()
    state = SessionState()
    for widget, kind in ((SLIDER, "int_value"), (BUTTON, "trigger_value")):
        made = WidgetMetadata(widget, deserializer=lambda value: value or 0, serializer=int, value_type=kind)
        SafeSessionState(state, lambda: None).register_widget(made, widget.rpartition("-")[2])
    return state, lambda: SafeSessionState(state, lambda: None)


def sent(value, click=False):
    states = WidgetStates()
    states.widgets.add(id=SLIDER, int_value=value)
    if click:
        states.widgets.add(id=BUTTON, trigger_value=True)
    return states


@pytest.mark.parametrize("click", [False, True])
def test_a_request_that_is_carried_out_after_a_later_one_brings_its_click_and_no_older_value(session, click):
    state, access = session
    earlier, later = access(), access()
    later.on_script_will_rerun(sent(35))
    earlier.on_script_will_rerun(sent(34, click))
    assert state["slider"] == 35 and state["button"] == click


def test_requests_in_their_order_each_bring_their_value(session):
    state, access = session
    for value in (3, 4, 5):
        access().on_script_will_rerun(sent(value))
        assert state["slider"] == value


def test_a_run_that_was_overtaken_ends_before_it_changes_the_state(session, monkeypatch):
    state, access = session

    def ends():
        raise StopException

    overtaken = SafeSessionState(state, ends)
    access().on_script_will_rerun(sent(35))
    monkeypatch.setattr("explorer.ui.private.get_session_state", lambda: overtaken)
    with pytest.raises(StopException), uninterrupted():
        state["slider"] = 34
    assert state["slider"] == 35


def test_no_other_file_takes_private_parts():
    files = [ROOT / "app.py", *(ROOT / "explorer").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    inside = re.compile(r"streamlit\.(runtime|elements|proto|web|delta_generator)|get_script_run_ctx")
    assert [f.name for f in files if inside.search(f.read_text(encoding="utf-8"))] == ["private.py"]
