"""The page Homework: it shows what may be changed and nothing else, judges what was trained, and keeps what was solved."""

import pytest

from explorer.sharing.answers import read_answer
from explorer.stories.challenges import CHALLENGE_KEY, CHALLENGES, change_key
from explorer.ui.lecture import MODE_KEY
from pages import homework_page
from tests.stories.test_challenges import BY_ADDRESS, RIGHT, WRONG
from tests.ui.test_app import run, sent

ADDRESS = "kill the relus"  # the quickest
CHALLENGE = BY_ADDRESS[ADDRESS]


def link(changes, address=ADDRESS):
    challenge = BY_ADDRESS[address]
    return {CHALLENGE_KEY: address} | {change_key(challenge, name): value for name, value in changes.items()}


def judgment(app):
    (said,) = [each.value for each in (*app.success, *app.info)]
    return said


def asked(app):
    """The keys of the controls on the page, but for those that choose the challenge and whether it is for a lecture room."""
    keys = [each.key for kind in (app.selectbox, app.select_slider, app.slider, app.button_group) for each in kind]
    return {key for key in keys if key and key not in (CHALLENGE_KEY, MODE_KEY)}


def parcel(app):
    return next(sent(app, "files"))


def test_it_opens_on_the_first_challenge_which_is_open():
    app = run(page="Homework")
    challenge = next(iter(CHALLENGES.values()))
    assert app.header[0].value == challenge.name
    assert judgment(app) == "**The start.** 0 of 8 seeds learn it; all 8 are needed."
    assert asked(app) == {change_key(challenge, name) for name in challenge.controls}
    assert not app.text_input
    assert "Answer (JSON)" not in parcel(app)
    assert any(each.value == challenge.hint for each in app.markdown)


def test_a_solved_link_opens_solved_and_the_answer_carries_the_name(monkeypatch):
    kept = []
    monkeypatch.setattr(homework_page, "take_away", lambda parcel, more: kept.append(parcel))
    app = run(link(RIGHT[ADDRESS]), page="Homework")
    assert app.header[0].value == CHALLENGE.name
    assert judgment(app).startswith("**Solved.** 73% of the hidden units are off")
    assert any(each.value == CHALLENGE.lesson for each in app.markdown)
    assert any(each.value == "Solved in this visit: 1 of 10" for each in app.caption)
    app.text_input(key=homework_page.NAME_KEY).input("<b>Ada</b> " + "x" * 90).run()
    assert not app.exception
    assert kept[-1].title == "Kill the ReLUs: solved"
    # As in the callback of a click, where the session holds what was typed last.
    monkeypatch.setattr(homework_page.st, "session_state", {homework_page.NAME_KEY: "<b>Ada</b>"})
    answer = read_answer(kept[-1].answer().encode())
    assert (answer.challenge, answer.student) == (CHALLENGE, "<b>Ada</b>")
    assert answer.experiment == CHALLENGE.start.but(**RIGHT[ADDRESS])


def test_a_wrong_answer_is_told_so_and_what_was_solved_stays_so_in_the_visit():
    app = run(link(RIGHT[ADDRESS]), page="Homework")
    app.select_slider(key=change_key(CHALLENGE, "learning_rate")).set_value(WRONG[ADDRESS]["learning_rate"]).run()
    assert judgment(app).startswith("**Not solved.** 20% of the hidden units are off")
    assert any(each.value == "Solved in this visit: 1 of 10" for each in app.caption)
    app.button(key="homework_to_5").click().run()
    assert not app.exception
    assert app.header[0].value == "Make batch norm explode"
    assert any(each.value == "Solved in this visit: 1 of 10" for each in app.caption)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({CHALLENGE_KEY: "cheat"}, "cheat"),
        (link({"learning_rate": "1000"}), "learning"),
        (link({"activation": "SELU"}, "one change"), "SELU"),
    ],
)
def test_a_bad_link_is_reported_and_the_page_opens(query, said):
    app = run(query, page="Homework")
    assert said in app.warning[0].value
    assert app.header


def test_two_changes_are_refused_without_training_where_one_is_allowed():
    app = run(link({"activation": "ELU", "optimizer": "Adam"}, "one change"), page="Homework")
    assert judgment(app).startswith("**Not solved.** Changed: activation, optimizer; only 1")
