"""The net as a row of layers: the bars are the maps' columns, what has no height has a mark, and a replay finds all that moves."""

from dataclasses import replace

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.figures import axes, theme
from explorer.figures.explore import explore_figure
from explorer.figures.marks import BARS, EPOCH_TEXT, LOST, LOST_MARKS, MAP, PROFILE, ZERO, ZERO_MARKS
from explorer.figures.panels import ESCAPED_WORDS, DrawnNet, height_span
from explorer.figures.theme import BASELINE_STYLE
from explorer.figures.view import RATIO, VALUE, View
from tests.pictures import checked

explore_figure = checked(explore_figure)

SMALL = Experiment(depth=3, runs=3, epochs=20)
DEEPER = SMALL.but(depth=5)
NOW, BEFORE = train(SMALL), train(DEEPER)
PAIR = (DrawnNet(NOW, "now"), DrawnNet(BEFORE, "baseline", BASELINE_STYLE))


def of(figure, role, net):
    return next(t for t in figure.data if t.meta and (t.meta["role"], t.meta["net"]) == (role, net))


def changed(history, layer, value):
    delta = history.measures["delta"].copy()
    delta[:, 4:, layer] = value  # at the start it is defined
    return replace(history, measures=history.measures | {"delta": delta})


@pytest.mark.parametrize("colour", [VALUE, RATIO])
@pytest.mark.parametrize("epoch", [0, 7, 20])
def test_bars_and_profile_are_the_maps_column_at_the_epoch(colour, epoch):
    view = View(colour=colour)
    figure = explore_figure(*PAIR, view, epoch)
    low, high = height_span(view)
    for net, shown in enumerate(reversed(PAIR)):
        record = shown.history.at(epoch)
        column = np.array(of(figure, MAP, net).z, dtype=float)[:, record]
        bars = of(figure, BARS, net)
        np.testing.assert_allclose(np.array(bars.y) + bars.base, np.clip(column, low, high), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(np.array(bars.x) - bars.meta["shift"], np.arange(1, len(column) + 1))
        np.testing.assert_allclose(np.array(of(figure, PROFILE, net).x, dtype=float), column, rtol=1e-6)
        assert of(figure, MAP, net).customdata[0][record][0] == shown.history.epochs[record]
    assert f"epoch {NOW.epochs[NOW.at(epoch)]}" in next(
        t.text for t in figure.layout.annotations if t.name == EPOCH_TEXT
    )


@pytest.mark.parametrize(
    ("value", "role", "cells"), [(0.0, ZERO_MARKS, ZERO), (np.inf, LOST_MARKS, LOST), (np.nan, LOST_MARKS, LOST)]
)
def test_what_has_no_height_has_a_mark_and_no_bar(value, role, cells):
    figure = explore_figure(DrawnNet(changed(NOW, 1, value), "now"), None, View(colour=VALUE), 20)
    assert np.isnan(of(figure, BARS, 0).y[1])
    marks = of(figure, role, 0)
    assert list(marks.x) == [2.0]
    assert marks.marker.color == (theme.EXACT_ZERO if value == 0 else theme.NOT_FINITE)
    assert not len(of(figure, LOST_MARKS if role == ZERO_MARKS else ZERO_MARKS, 0).x)
    assert np.isfinite(np.array(of(figure, cells, 0).z)[1, 4:]).all()  # where a replay finds them


def test_the_baseline_is_plain_and_the_present_setting_has_the_maps_colours():
    figure = explore_figure(*PAIR, View(), 20)
    before, now = (of(figure, BARS, net) for net in (0, 1))
    assert before.marker.color == theme.BASELINE
    assert (now.marker.cmin, now.marker.cmax) == View().span
    assert now.marker.colorscale == of(figure, MAP, 1).colorscale
    assert before.x[0] < now.x[0]


def test_a_seed_that_diverges_among_others_leaves_the_axis_with_a_mark():
    loss = NOW.loss.copy()
    loss[1, 10:] = np.geomspace(1e10, 1e300, loss.shape[1] - 10)
    figure = explore_figure(DrawnNet(replace(NOW, loss=loss), "now"), None, View(), 20)
    assert figure.layout.yaxis.range == explore_figure(DrawnNet(NOW, "now"), None, View(), 20).layout.yaxis.range
    (mark,) = [t for t in figure.data if t.name == ESCAPED_WORDS]
    assert list(mark.x) == [NOW.epochs[10]]
    assert "seed 1" in mark.hovertext[0]
    half = replace(NOW, loss=np.stack([loss[1], loss[1], loss[0]]))
    assert explore_figure(DrawnNet(half, "now"), None, View(), 20).layout.yaxis.range[1] == axes.LOSS_TOPS[-1]
