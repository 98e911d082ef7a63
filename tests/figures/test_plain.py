"""Figures as plain dictionaries: what is sent is what Plotly's own objects would send, and they find nothing wrong with it."""

import json
import re
from functools import partial

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer import Experiment, train
from explorer.diagnosis.comparison import Compared
from explorer.diagnosis.remedies import REMEDIES
from explorer.figures import plain, remedies
from explorer.figures.remedies import TrialPanel
from explorer.figures.view import View
from explorer.stories.tour import SCENES
from explorer.training.run import Training
from tests.pictures import checked
from tests.work import first_of_each

ENDS = [1, 127, 128, 32_767, 32_768, 2**31 - 1, 2**31]
ARRAYS = [
    *(np.array([0, end]) for end in ENDS),
    *(np.array([-end - 1, 0]) for end in ENDS),
    *(np.arange(6).reshape(2, 3).astype(kind) for kind in ("int8", "float32", "float64")),
    np.broadcast_to(np.arange(3.0), (2, 3)),
    np.arange(6.0)[::2],
    np.array([np.nan, np.inf, -np.inf]),
    np.array(["a", "b"], dtype=object),
    np.array([]),
]


@pytest.mark.parametrize("array", ARRAYS, ids=str)
def test_an_array_is_sent_as_plotly_sends_it(array):
    figure = plain.figure([plain.trace("scatter", x=[1], y=[1], customdata=array)], {})
    assert json.loads(plain.text(figure))["data"] == json.loads(go.Figure(figure).to_json())["data"]


def test_a_number_that_json_does_not_have_is_left_out():
    figure = plain.figure([plain.trace("scatter", x=[1.0, float("nan")], y=[np.float32(0.5), np.int64(2)])], {})
    (trace,) = json.loads(plain.text(figure))["data"]
    assert (trace["x"], trace["y"]) == ([1.0, None], [0.5, 2])


def test_what_is_no_property_of_plotly_is_found():
    with pytest.raises(ValueError, match="colour"):
        plain.checked(plain.figure([plain.trace("scatter", colour="red")], {}))


@pytest.mark.parametrize("draw", [remedies.remedies_figure, remedies.loss_figure])
def test_the_figures_of_remedies_are_plotlys(draw):
    history = train(Experiment(depth=3, runs=2, epochs=5))
    tried = [TrialPanel("as it is", "", "0 of 2", history), TrialPanel("batch norm", "helped", "1 of 2", history)]
    assert checked(draw)(tried, View()).data


def other(control):
    """A value that a control does not open with."""
    return next(value for value in getattr(control, "marks", ()) or control.options if value != control.default)


ONCE = first_of_each(SCENES, lambda scene: (scene.figure, scene.proof.place))


@pytest.mark.parametrize("scene", ONCE, ids=lambda scene: scene.name)
def test_a_scenes_figure_is_plotlys_and_frames_what_proves_its_sentence(scene):
    trainings = [Training(experiment) for experiment in scene.experiments.values()]
    for training in trainings:
        training.advance(0.0)
    histories = [training.history() for training in trainings]
    compared = Compared.of(scene.experiments, histories)
    bare, framed = (checked(draw)(compared, None) for draw in (partial(scene.figure.draw, scene), scene.draw))
    outlined = [
        with_it.marker.line != without.marker.line
        for with_it, without in zip(framed.data, bare.data, strict=True)
        if with_it.type == "bar"
    ]
    assert len(framed.layout.shapes) - len(bare.layout.shapes) + sum(outlined) == 1
    played = scene.as_played({name: control.check(name, other(control)) for name, control in scene.controls.items()})
    assert played.proof is None


@pytest.mark.parametrize("number", ["1 of 2", "epoch 1,200 → 1,100", "error 100% → 75%"])
@pytest.mark.parametrize("word", ["helped", "helped a little", "harmed"])
def test_no_line_above_a_remedys_panel_is_wider_than_the_panel(word, number):
    history = train(Experiment(depth=2, width=2, runs=2, epochs=2))
    tried = [
        TrialPanel("as it is", "", "0 of 2", history),
        TrialPanel("ten times the learning rate", word, number, history),
    ]
    for place, *tiers in zip((1, 3, 8), remedies.RANKED, remedies.ROOM_RANKED, strict=True):
        wide = remedies.remedies_figure([*[tried[0]] * place, tried[1]], View())["layout"]
        for layout, tier in zip((wide, wide["meta"]["room"]), tiers, strict=True):
            title = next(label["text"] for label in layout["annotations"] if word in label["text"])
            lines = re.sub(r"<(?!br)[^>]*>", "", title).split("<br>")
            assert word in title and number in title
            assert max(len(line) for line in lines) <= tier.letters + 2


def test_in_a_lecture_room_every_text_about_the_remedies_has_24_pixels_and_a_slide_holds_them():
    history = train(Experiment(depth=2, width=2, runs=2, epochs=2))
    tried = [TrialPanel(name, "helped a little", "error 100% → 75%", history) for name in REMEDIES]
    room = remedies.remedies_figure(tried, View())["layout"]["meta"]["room"]
    texts = [label["font"]["size"] for label in room["annotations"] if label.get("name") != "settings"]
    axes = [axis for name, axis in room.items() if re.match(r"[xy]axis", name)]
    texts += [axis["tickfont"]["size"] for axis in axes] + [room["legend"]["font"]["size"]]
    assert min(texts) >= 24
    assert room["height"] <= 900
