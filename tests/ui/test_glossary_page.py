"""The glossary on screen: a term by its link, all sources, and the ways from a page's legend to it and on to the tour."""

import pytest

from explorer.stories.glossary import GLOSSARY
from explorer.stories.references import REFERENCES, cited
from explorer.ui.between_pages import GO_KEY
from tests.ui.test_app import SMALL_PAGE, run


def said(app):
    return " ".join(each.value for each in app.main.markdown)


@pytest.fixture(autouse=True)
def here(monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)


def test_a_link_shows_its_term_with_full_references_and_all_others_below():
    app = run({"term": "Dead unit"}, page="Glossary")
    assert app.main.title[0].value == "Dead unit"
    text = said(app)
    assert all(term.caption in text for term in GLOSSARY.values())
    assert all(reference.before_link in text for reference in REFERENCES.values())
    first = text[: text.index(GLOSSARY["Gradient"].caption)]
    assert all(reference.before_link in first for reference in cited(GLOSSARY["Dead unit"].source))


def test_a_term_that_does_not_exist_is_named_and_the_first_is_shown():
    app = run({"term": "Cake"}, page="Glossary")
    assert "Cake" in app.warning[0].value
    assert app.main.title[0].value == next(iter(GLOSSARY))


def test_a_term_leads_to_its_scene():
    app = run({"term": "Gate"}, page="Glossary")
    app.button(key="glossary_scene").click().run()
    assert (app.session_state["scene"], app.session_state["revealed"]) == ("gates", "answer")
    assert app.session_state[GO_KEY] == "Tour"


def test_a_pages_legend_leads_to_the_terms_that_it_uses():
    app = run(SMALL_PAGE, page="Explore")
    (words,) = [group for group in app.get("button_group") if group.key == "_words"]
    assert "Vanishing gradient" in words.options
    words.set_value("Vanishing gradient").run()
    assert app.session_state["term"] == "Vanishing gradient"
    assert app.session_state[GO_KEY] == "Glossary"


def test_the_recap_offers_hand_outs_and_trains_once_the_page_is_asked_for(monkeypatch):
    works = []
    monkeypatch.setattr("explorer.ui.take_away.work_on", lambda work, *seconds: works.append(work))
    app = run({"scene": "recap"}, page="Tour")
    labels = {button.label for button in app.get("download_button")}
    assert {"Questions", "Questions with answers", "Glossary and sources"} <= labels
    assert not works
    app.button(key="hand_out_page").click().run()
    (work,) = works
    assert not work.over
    assert app.button(key="hand_out_page").disabled
