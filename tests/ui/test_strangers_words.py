"""A stranger's words are shown as these very words, through whichever door they come."""

import json
import os
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from explorer.choices.datasets import OWN
from explorer.figures import plain
from explorer.figures.plain import verbatim_in_figure
from explorer.sharing.offline_page import Sheet, page_html
from explorer.sharing.saved import FORMAT, VERSION
from explorer.ui.plain_text import WORD_JOINER, verbatim

WORDS = (
    "![x](http://evil.example/x.png)",
    "<img src=http://evil.example/x.png>",
    "[a](http://evil.example)<http://evil.example>",
    "http://evil.example https://evil.example",
    "WWW.evil.example me@evil.example mailto:me@evil.example",
    "$x^2$ $$y$$ `code` **bold** ~~gone~~ a_b_c",
    ":red[r] :material/home: :material_home: :smile: :streamlit:",
    "&lt;b&gt; a -> b <-> c -- d >= e",
    "# 1. | > + - :::note",
)
SMALL = {"epochs": "10", "depth": "3", "width": "4", "runs": "2"}
ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
# What Streamlit's page still makes of a text whose escapes are resolved: addresses, mail, icons, arrows.
STILL_MADE = re.compile(
    r"https?://|www\.|[-.\w+]@[-\w]|:[\w+-]+:|:material_|(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)", re.IGNORECASE
)
FORMATTING = set("\\`*_{}[]<>#!|~$&")


@pytest.fixture(autouse=True)
def at_home(monkeypatch):
    monkeypatch.chdir(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def assert_plain(markdown):
    assert not set(ESCAPE.sub("", markdown)) & FORMATTING, markdown
    assert not STILL_MADE.search(ESCAPE.sub(r"\1", markdown)), markdown


@pytest.mark.parametrize("words", WORDS)
def test_no_words_are_formatting(words):
    assert_plain(verbatim(words))
    assert not set(verbatim_in_figure(words)) & set("<>$")


@settings(max_examples=200, deadline=None)
@given(some.text(max_size=80).filter(str.isprintable))
def test_words_are_shown_as_they_are(words):
    assert_plain(verbatim(words))
    assert ESCAPE.sub(r"\1", verbatim(words)).replace(WORD_JOINER, "") == words


def test_words_are_cut_and_stay_in_their_line():
    assert verbatim("abc" * 9, 4) == "abca…"
    assert verbatim("a\n# b\u202e") == r"a\?\# b\?"


# --- the doors -----------------------------------------------------------------------------------


def run(query):
    app = AppTest.from_file("../../app.py", default_timeout=120)
    for name, value in (SMALL | query).items():
        app.query_params[name] = value
    return app.run()


def messages(app):
    """All messages, after a look that nowhere on the page anything of a stranger's is formatting."""
    assert not app.exception
    for kind in ("markdown", "caption", "info", "title", "header", "subheader", "warning", "error"):
        for element in app.get(kind):
            assert "evil.example" not in element.value, kind
    return "\n".join(element.value for element in (*app.warning, *app.error))


@pytest.mark.parametrize("door", ["name", "activation", "v", "baseline"])
def test_a_link(door):
    value = {"baseline": f"activation:{WORDS[0]}"}.get(door, WORDS[0])
    said = messages(run(dict.fromkeys(WORDS, "1") if door == "name" else {door: value}))
    for words in WORDS if door == "name" else WORDS[:1]:
        assert verbatim(words) in said
    assert_plain(said)


def experiments():
    """Saved experiments that cannot be opened, each with a stranger's words in another place."""
    good = {"format": FORMAT, "version": VERSION, "settings": {}}
    for words in WORDS[:2]:
        yield good | {"version": words}
        yield good | {"kind": words}
        yield good | {"settings": {words: 1}}
        yield good | {"settings": {"activation": words}}
        yield good | {"settings": {"learning_rate": [words]}}
        yield good | {"baseline": {"task": words}}


def test_a_saved_experiment_in_a_link_or_a_file():
    app = run({"baseline": "none"})
    for saved in experiments():
        content = json.dumps(saved)
        app.file_uploader(key="_experiment_file").set_value((f"{WORDS[4]}.json", content.encode(), "application/json"))
        said = messages(app.run())
        assert verbatim(f"{WORDS[4]}.json") in said
        assert r"evil\.example\/x\.png" in said
    said = messages(run({"experiment": content}))
    assert r"evil\.example\/x\.png" in said
    assert_plain(said.replace("“", "").replace("”", ""))


def table(*labels):
    return "a,b,label\n" + "".join(f'{row},{row * 7 % 5},"{labels[row % len(labels)]}"\n' for row in range(12))


def test_a_csv():
    app = run({"task": OWN})
    app.file_uploader[0].set_value((f"{WORDS[4]}.csv", table(*WORDS[:3]).encode(), "text/csv"))
    said = messages(app.run())
    assert verbatim(f"{WORDS[4]}.csv") in said
    assert_plain(said)
    app.file_uploader[0].set_value(("pets.csv", table(*WORDS[1:3]).encode(), "text/csv"))
    assert not messages(app.run())
    figure = next(json.loads(json.loads(each.proto.json)["figure"]) for each in charts(app))
    names = {trace.get("name") for trace in figure["data"]}
    assert {f"class {verbatim_in_figure(words)}" for words in WORDS[1:3]} <= names


def charts(app):
    return [each for each in app.get("bidi_component") if '"figure"' in each.proto.json]


class Tags(HTMLParser):
    """The tags of a page."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, *(name for name, _ in attributes)))


def tags(words, name):
    sheet = Sheet(title=words, sentences=[words], settings=[words], link="", lines=words, table=[{words: words}])
    figure = plain.figure([plain.trace("scatter", x=[1], y=[1], name=name, showlegend=True)], {})
    reader = Tags()
    reader.feed(page_html(sheet, {words: (figure, words)}, {}))
    return reader.seen


@pytest.mark.parametrize("words", ["</script></title></pre>'\"" + words for words in WORDS])
def test_an_exported_page(words):
    assert tags(words, words) == tags("plain", "plain")
