"""Hand-outs: an offline page that holds every scene once, sheets that keep their answers, glossary and sources that are linked."""

import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest

from explorer.figures import plain
from explorer.sharing.handout import glossary_html, sheet_html, tour_html
from explorer.stories.glossary import GLOSSARY
from explorer.stories.references import REFERENCES, cited
from explorer.stories.tour import SCENES

FIGURE = plain.figure([plain.trace("scatter", x=np.arange(3.0), y=np.arange(3.0))], {"height": 900})
FIGURES = {scene.name: (FIGURE, f"What {scene.name} shows") for scene in SCENES}
SOME = SCENES[4:1:-1]  # As a plan may have them: some, in another order


class Text(HTMLParser):
    """What a page says, without scripts and styles; its links and the places they lead to."""

    def __init__(self, page):
        super().__init__()
        self.words, self.links, self.places, self._silent = [], [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        held = dict(attributes)
        self._silent = tag in ("script", "style")
        self.links += [held["href"]] if tag == "a" else []
        self.places += [held["id"]] if "id" in held else []

    def handle_endtag(self, tag):
        self._silent = False

    def handle_data(self, data):
        self.words += [] if self._silent else [data]

    @property
    def text(self):
        return " ".join("".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())


@pytest.fixture(scope="module")
def page():
    return tour_html("The tour", SCENES, FIGURES, {"displaylogo": False}, link="http://x/?a=1&b=2")


def test_the_page_holds_every_scene_once(page):
    said = Text(page).text
    for scene in SCENES:
        for words in (scene.caption, scene.question, scene.take_home):
            assert said.count(" ".join(words.split())) == 1, words
    assert page.count('class="scene') == page.count("<h2>1. ") - 1  # scenes are sections
    assert (
        page.count("data-right=") == page.count('class="plot"') == page.count('type="application/json"') == len(SCENES)
    )
    assert page.count('<button type="button" aria-pressed') == sum(len(scene.answers) for scene in SCENES)
    assert all(f'aria-label="{alt}"' in unescape(page) for _, alt in FIGURES.values())


def test_the_page_has_plotly_once_and_asks_no_network_for_anything(page):
    assert page.count("plotly.js v") == 1
    outside = page.replace(plain.library(), "")
    assert len(outside) < 200_000
    assert not re.search(r"\ssrc=|<link|@import|url\(|fetch\(|import\(", outside)


@pytest.mark.parametrize(
    "make", [lambda: tour_html("", SCENES, FIGURES, {}), lambda: sheet_html("", SCENES, answers=True), glossary_html]
)
def test_every_link_within_a_page_leads_somewhere_and_no_place_is_there_twice(make):
    found = Text(make())
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.places)
    assert len(found.places) == len(set(found.places))


def test_scenes_of_a_plan_come_in_its_order_with_their_sources_alone():
    text = Text(tour_html("A plan", SOME, FIGURES, {})).text
    at = [text.index(f"{number}. {scene.name}") for number, scene in enumerate(SOME, start=1)]
    assert at == sorted(at)
    assert f"scene 1 of {len(SOME)}" in text
    assert all(reference.caption in text for scene in SOME for reference in cited(scene.source))
    assert REFERENCES["Jozefowicz et al. 2015"].caption not in text


def test_the_sheet_without_answers_gives_none_away():
    text, other = (sheet_html("Questions", SCENES, answers=answers) for answers in (False, True))
    blank, told = Text(text).text, Text(other).text
    for scene in SCENES:
        assert " ".join(scene.question.split()) in blank
        assert " ".join(scene.take_home.split()) not in blank
        assert " ".join(scene.take_home.split()) in told
    # Every box is like any other: without their words, all questions of as many answers look the same.
    assert len(set(re.findall(r'<div class="answer.*?</span>', text))) == 1
    assert len(re.findall(r'class="answer right"', other)) == len(SCENES)
    right = re.findall(r'class="answer right"><span class="box">✕</span><span>(.*?)</span>', other)
    assert [unescape(each).replace("\xa0", " ") for each in right] == [s.answers[s.right].text for s in SCENES]
    assert "Name" in blank
    assert not any(scene.source in blank for scene in SCENES)


def test_texts_are_shown_as_texts():
    from dataclasses import replace

    evil = "<script>alert(1)</script>"
    scene = replace(SCENES[0], caption=evil, question=evil, take_home=evil)
    figures = {scene.name: (plain.figure([], {"title": {"text": evil}}), evil)}
    assert evil not in tour_html(evil, [scene], figures, {}, evil)
    assert evil not in sheet_html(evil, [scene], answers=True)


def test_the_glossary_has_every_term_and_every_source():
    text = Text(glossary_html()).text
    assert all(" ".join(term.caption.split()) in text for term in GLOSSARY.values())
    assert all(reference.before_link in text for reference in REFERENCES.values())


def test_a_lean_figure_keeps_what_half_the_digits_cannot_hold():
    made = plain.lean(
        plain.figure([{"x": np.array([1.0, np.nan, np.inf]), "y": np.array([1e-60, 1.0]), "z": [np.arange(2)]}], {})
    )
    (trace,) = made["data"]
    assert trace["x"].dtype == np.float32
    assert trace["y"].dtype == np.float64
    np.testing.assert_array_equal(trace["x"], [1.0, np.nan, np.inf])
    assert trace["z"][0].dtype.kind == "i"


@pytest.mark.parametrize("for_others", [False, True])
def test_a_link_that_opens_here_only_says_so(for_others):
    page = tour_html("A plan", SOME, FIGURES, {}, "http://localhost:8501/tour?v=2", for_others)
    assert ("on this computer only" in page) is not for_others
    assert '<a href="http://localhost:8501/tour?v=2">' in page
