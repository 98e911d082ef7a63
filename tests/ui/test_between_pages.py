"""No older value is written over a newer one: what the app set, what the browser reports, and which of them is newer."""

import pytest
from streamlit.testing.v1 import AppTest

NAMES = ("a", "b", "c")


def controls():
    """Three controls on two pages; a button sets all of them, another also goes to the second page."""
    import streamlit as st

    from explorer.ui.between_pages import go_to, keep, set_values

    page = st.session_state.get("shown", "first")
    keep(page, ("a", "b", "c"))
    for name in ("a", "b", "c"):
        st.slider(name, 0, 9, 0, key=name)
    st.button("set", key="set", on_click=lambda: set_values({"a": 5, "b": 6, "c": 7}))
    st.button("go", key="go", on_click=lambda: (set_values({"a": 5, "b": 6, "c": 7}), go_to("second")))


def values(app):
    return [app.slider(key=name).value for name in NAMES]


def report(app, **values):
    """Have the browser report these values, and those that it was told of the other controls."""
    for name, value in values.items():
        app.slider(key=name).set_value(value)
    app.run()


@pytest.fixture
def app():
    return AppTest.from_function(controls).run()


def test_what_a_person_sets_holds(app):
    report(app, a=3)
    assert values(app) == [3, 0, 0]
    report(app, b=4)
    assert values(app) == [3, 4, 0]


def test_a_report_from_before_the_app_set_values_does_not_undo_them(app):
    app.button(key="set").click().run()
    report(app, a=0, b=0, c=0)
    report(app, a=1, b=0, c=0)
    assert values(app) == [5, 6, 7]


@pytest.mark.parametrize("late", NAMES)
def test_a_report_that_has_not_caught_up_in_one_control_does_not_undo_it(app, late):
    app.button(key="set").click().run()
    report(app, **{late: 0})
    assert values(app) == [5, 6, 7]
    app.run()  # now the browser knows all of them, and what it reports is what a person did
    report(app, **{late: 0})
    assert app.slider(key=late).value == 0


def test_once_the_browser_knows_them_a_person_may_change_them(app):
    app.button(key="set").click().run()
    report(app, b=2)
    assert values(app) == [5, 2, 7]
    report(app, a=1, b=0, c=0)
    assert values(app) == [1, 0, 0]


def test_what_the_app_takes_along_counts_on_the_other_page_whatever_is_reported_on_the_way(app):
    app.button(key="go").click().run()
    app.run()  # the browser knows it here
    report(app, a=0, b=6, c=0)  # and reports a part of it from before, while it goes
    app.session_state["shown"] = "second"
    report(app, a=0, b=0, c=0)
    assert values(app) == [5, 6, 7]
    report(app, a=8)
    assert values(app) == [8, 6, 7]


def test_a_person_may_undo_at_once_what_came_along_to_a_page(app):
    app.button(key="go").click().run()
    app.session_state["shown"] = "second"
    app.run()
    report(app, b=0)
    assert values(app) == [5, 0, 7]


def test_going_to_the_page_that_is_shown_holds_nothing_back(app):
    app.session_state["shown"] = "second"
    app.run()
    app.button(key="go").click().run()
    report(app, c=1)
    assert values(app) == [5, 6, 1]
