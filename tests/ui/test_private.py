"""Streamlit's private parts: what ui/private.py takes of them does what it needs, in the version that is installed."""

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

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


def test_no_other_file_takes_private_parts():
    files = [ROOT / "app.py", *(ROOT / "explorer").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    inside = re.compile(r"streamlit\.(runtime|elements|proto|web|delta_generator)|get_script_run_ctx")
    assert [f.name for f in files if inside.search(f.read_text(encoding="utf-8"))] == ["private.py"]
