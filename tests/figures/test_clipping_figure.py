"""The figure of clipping: norms before and after, the threshold, the loss, and what became of the seeds."""

import json
from dataclasses import replace

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis.seeds import log_band
from explorer.figures import theme
from explorer.figures.axes import LOSS_DECADES
from explorer.figures.clipping import NORM_SPAN, clipped_share, clipping_figure, clipping_words, describe_clipping
from explorer.figures.marks import NOT_FINITE_WORDS
from explorer.figures.panels import DrawnNet
from explorer.figures.theme import BASELINE_STYLE, NOW_STYLE
from explorer.figures.view import View
from tests.pictures import checked

clipping_figure = checked(clipping_figure)

STYLES = [BASELINE_STYLE, NOW_STYLE, BASELINE_STYLE, NOW_STYLE, BASELINE_STYLE, NOW_STYLE]
THRESHOLD = 0.05
# Gradients that clipping meets from the first update on: an IRNN that follows a sine.
OVER_TIME = RecurrentExperiment(
    task="sine",
    length=10,
    hidden=5,
    samples=8,
    runs=3,
    epochs=12,
    activation="ReLU",
    initializer="identity",
    strength=1.0,
    optimizer="SGD",
    learning_rate=0.05,
    threshold=THRESHOLD,
)
OVER_LAYERS = Experiment(depth=4, runs=3, epochs=12, initializer="normal", threshold=THRESHOLD)
each_kind = pytest.mark.parametrize("e", [OVER_TIME, OVER_LAYERS], ids=["time", "layers"])


def drawn(shown):
    return [DrawnNet(history, name, style) for (name, history), style in zip(shown, STYLES, strict=False)]


def draw(shown, **more):
    return clipping_figure(drawn(shown), **more)


def line(figure, name):
    (found,) = (trace for trace in figure.data if trace.name == name and trace.mode == "lines")
    return np.asarray(found.y, dtype=float)


def after_clipping(history):
    return history.gradient_norm * history.clip_factor


def entries(figure):
    return [trace.name for trace in figure.data if trace.showlegend is not False]


@each_kind
def test_after_clipping_by_norm_no_gradient_is_longer_than_the_threshold(e):
    history = train(e.but(clip="norm"))
    after = after_clipping(history)
    assert (history.gradient_norm > THRESHOLD).any()
    assert (after <= THRESHOLD * (1 + 1e-9)).all()
    shorter = history.gradient_norm <= THRESHOLD - 1e-6
    assert np.array_equal(after[shorter], history.gradient_norm[shorter])


@each_kind
def test_by_value_no_gradient_gets_longer_and_without_clipping_none_changes(e):
    by_value, free = train(e.but(clip="value")), train(e.but(clip="none"))
    assert (after_clipping(by_value) <= by_value.gradient_norm).all()
    assert np.array_equal(after_clipping(free), free.gradient_norm)


@each_kind
def test_lines_are_the_medians_of_norms_and_loss(e):
    history = train(e.but(clip="norm"))
    figure = draw([("clipped", history)])
    for name, values in (
        ("before clipping", history.gradient_norm),
        ("after clipping", after_clipping(history)),
        ("median loss", history.loss),
    ):
        np.testing.assert_allclose(line(figure, f"clipped, {name}"), log_band(values).middle, rtol=1e-6, atol=1e-6)


@each_kind
def test_the_threshold_is_a_line_where_there_is_one(e):
    shown = [(clip, train(e.but(clip=clip, epochs=1))) for clip in ("none", "value", "norm")]
    assert not draw(shown[:1]).layout.shapes
    for only, words in ((shown[1], "bound of each entry of dL/dθ"), (shown[2], "threshold of ‖dL/dθ‖")):
        figure = draw([only])
        (drawn,) = figure.layout.shapes
        assert (drawn.y0, drawn.y1) == pytest.approx((np.log10(THRESHOLD),) * 2)
        assert f"{words}, 0.05" in entries(figure)
    # One line where both are the same number, an entry for each, as they say different things.
    assert len(draw(shown).layout.shapes) == 1
    assert len([name for name in entries(draw(shown)) if "0.05" in name]) == 2
    other = ("looser", train(e.but(clip="norm", threshold=1.0, epochs=1)))
    assert [drawn.y0 for drawn in draw([*shown, other]).layout.shapes] == pytest.approx([np.log10(THRESHOLD), 0])


def diverging():
    """ReLU units that make the state ten times as large a step: after two updates no number is finite."""
    return train(OVER_TIME.but(strength=10.0, clip="none", epochs=4))


def test_what_is_not_finite_is_marked_in_both_panels_and_said():
    history = diverging()
    assert history.outcome == ["diverged"] * 3
    figure = draw([("free", history)])
    marks = [trace for trace in figure.data if trace.name == NOT_FINITE_WORDS]
    assert {trace.yaxis for trace in marks} == {"y", "y2"}
    assert all(trace.marker.color == theme.NOT_FINITE for trace in marks)
    broken = np.flatnonzero(log_band(history.loss).middle == np.inf)
    assert [list(t.x) for t in marks if t.yaxis == "y2"] == [list(history.epochs[broken])]
    assert clipping_words(history) == "0 of 3 learn, 3 not finite"
    assert "not finite at epoch 4" in describe_clipping(drawn([("free", history)]))


def test_the_share_of_clipped_updates_is_the_last_that_is_known():
    history = train(OVER_TIME.but(clip="norm"))
    known = np.array([[np.nan, 0.5, 0.25], [np.nan, 0.75, np.nan], [np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(clipped_share(replace(history, clipped_share=known)), [0.25, 0.75, np.nan])
    assert clipping_words(replace(history, clipped_share=known)).endswith("50% of updates clipped")
    none, few = np.zeros((3, 3)), np.full((3, 3), 0.001)
    assert clipping_words(replace(history, clipped_share=none)).endswith("no update clipped")
    assert clipping_words(replace(history, clipped_share=few)).endswith("under 1% of updates clipped")
    assert "clipped" not in clipping_words(train(OVER_TIME.but(clip="none", epochs=2)))


def test_seeds_that_learn_are_counted_by_their_outcome():
    history = train(OVER_TIME.but(clip="norm", threshold=1.0, epochs=60))
    words = clipping_words(history)
    assert words.startswith(f"{history.outcome.count('solved')} of 3 learn")


@pytest.mark.parametrize("count", range(1, 7))
def test_one_to_six_nets_of_either_kind_are_drawn(count):
    pool = [train(e.but(clip=clip, epochs=2)) for e in (OVER_TIME, OVER_LAYERS) for clip in ("none", "value", "norm")]
    shown = [(f"net {number}", history) for number, history in enumerate(pool[:count])]
    figure = draw(shown)
    assert [name.partition(":")[0] for name in entries(figure)][:count] == [name for name, _ in shown]
    assert len(set(entries(figure))) == len(entries(figure))
    for (name, _), style in zip(shown, STYLES, strict=False):
        assert {t.line.color for t in figure.data if t.mode == "lines" and t.name.startswith(f"{name}, ")} == {
            style.colour
        }
        assert name in describe_clipping(drawn(shown))


def test_axes_are_fixed_and_end_with_the_last_epoch_of_the_longest():
    short, long = (train(OVER_TIME.but(epochs=epochs)) for epochs in (3, 12))
    layout = draw([("short", short), ("long", long)]).layout
    assert layout.yaxis.range == NORM_SPAN
    assert layout.yaxis2.range == LOSS_DECADES
    assert layout.xaxis.range == layout.xaxis2.range == (0, 12)


def test_epochs_may_be_logarithmic():
    history = train(OVER_TIME)
    figure = draw([("net", history)], view=View(axis="log"))
    assert figure.layout.xaxis.type == figure.layout.xaxis2.type == "log"
    (loss,) = (trace for trace in figure.data if trace.name == "net, median loss")
    assert loss.x[0] == 0.5  # where epoch 0 stands


@pytest.mark.parametrize("narrow", [False, True])
def test_the_two_panels_do_not_overlap(narrow):
    layout = json.loads(draw([("net", train(OVER_TIME.but(epochs=2)))], caption="settings").to_json())["layout"]
    layout = layout["meta"]["narrow"] if narrow else layout
    (x, y), (other_x, other_y) = ((layout[f"xaxis{n}"]["domain"], layout[f"yaxis{n}"]["domain"]) for n in ("", "2"))
    assert x[1] < other_x[0] or other_y[1] < y[0]
    assert [a["text"] for a in layout["annotations"]][-1] == "settings"


def test_the_text_says_the_norm_before_and_after():
    history = train(OVER_TIME.but(clip="norm"))
    said = describe_clipping(drawn([("clipped", history)]))
    assert "clipped by norm at 0.05" in said
    assert "0.050 after clipping at the start" in said
