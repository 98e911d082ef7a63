"""What a person asks for while a page works is done, even at the moment in which the page runs itself again."""

from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

from explorer import Experiment
from explorer.ui.jobs import jobs
from explorer.ui.training_loop import TrainingsInOrder


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


def test_parts_are_done_in_turn_each_to_its_end_or_to_its_first_record():
    small = Experiment(depth=2, runs=2, epochs=30, seed=77)
    other = small.but(depth=3, epochs=100_000)
    bar = Mock()
    work = TrainingsInOrder([([small], True), ([other], False)], bar, "Working")
    assert (work.results, work.over) == (0, False)
    done = []
    while not work.over:
        work.advance(0.5)
        work.show_progress()
        done.append(work.results)
    assert done == sorted(done)
    assert jobs().together([other])[0].progress < 0.001  # hardly further than its first record
    assert jobs().together([small])[0].complete
    assert bar.progress.call_args.kwargs["text"] == "Working: 1 of 2 are ready"
