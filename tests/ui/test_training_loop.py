"""What a person asks for while a page works is done, even at the moment in which the page runs itself again."""

import pytest
from streamlit.testing.v1 import AppTest


def page_that_works(draws_progress):
    """A page whose only slice of work lasts until a person has asked for another page."""
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx
    from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

    from explorer.ui.between_pages import keep, place_of_report
    from explorer.ui.training_loop import work_on

    class Work:
        results, lacks_first, over = 0, True, False

        def advance(self, seconds):
            get_script_run_ctx().script_requests.request_rerun(RerunData(page_script_hash="another page"))
            Work.results, Work.over = 1, True

        def show_progress(self):
            if draws_progress:
                st.progress(1.0)

    pages = st.session_state.setdefault("pages", [])
    pages.append(get_script_run_ctx().page_script_hash)
    keep("a page", ())
    with place_of_report():
        pass
    if len(pages) == 1:
        work_on(Work(), 0.0, 0.0)


@pytest.mark.parametrize("draws_progress", [True, False])
def test_a_person_who_leaves_in_the_last_slice_is_not_called_back(draws_progress):
    app = AppTest.from_function(page_that_works, kwargs={"draws_progress": draws_progress}).run()
    assert not app.exception
    assert app.session_state["pages"][1:] == ["another page"]
