"""Glossary: definitions that can be found, and the places where texts use them."""

import pytest

from explorer.stories.glossary import GLOSSARY, pieces, terms_in
from explorer.stories.tour import SCENES

WORDS = {
    "every gradient vanishes": ["Gradient", "Vanishing gradient"],
    "it explodes; an explosion": ["Exploding gradient"],
    "saturated units, saturation": ["Saturation"],
    "dL/dz over dL/dW": ["Gradient", "dL/dz"],
    "the residual net has skips": ["Skip connection"],
    "Batch norm, then layer norm": ["Batch norm", "Layer norm"],
    "clipped by norm after 100 updates": ["Clipping", "Epoch, update"],
    "ReLU units die, and dead they stay": ["Dead unit"],
    "fan_in and fan_out": ["fan_in, fan_out"],
    "backpropagation through time, truncated": ["Backpropagation through time"],
    "the edge of chaos, or critical line": ["Edge of chaos"],
    "an ecliptic, a regained diet, unseeded investigates": [],
}


@pytest.mark.parametrize(("text", "expected"), WORDS.items(), ids=str)
def test_terms_are_found_where_they_are_meant(text, expected):
    assert [term.name for term in terms_in(text)] == expected


@pytest.mark.parametrize("text", [*WORDS, *(scene.take_home for scene in SCENES), ""])
def test_pieces_are_the_whole_text_and_each_term_is_marked_once(text):
    split = list(pieces(text))
    assert "".join(words for words, _ in split) == text
    marked = [term.name for _, term in split if term is not None]
    assert len(marked) == len(set(marked))


def test_every_term_is_found_by_its_own_name_and_its_scene_is_one_of_the_tour():
    for name, term in GLOSSARY.items():
        assert term in terms_in(name), name
        assert term.scene in {"", *(scene.address for scene in SCENES)}
        assert len(term.caption) < 330
