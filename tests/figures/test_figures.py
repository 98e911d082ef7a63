"""Figures: results in, a picture out. Judged by what the browser would be sent."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from explorer import Experiment
from explorer.diagnosis.decomposition import decompose
from explorer.diagnosis.wording import summary
from explorer.figures import axes, theme
from explorer.figures.explore import explore_figure, why_figure
from explorer.figures.panels import DrawnNet
from explorer.figures.theme import BASELINE_STYLE
from explorer.figures.view import RANGES, RATIO, VALUE, View
from explorer.stories.scenarios import DYING, MOONS
from explorer.training.answers import answer_map
from explorer.training.kinds import LAYERS
from explorer.training.measures import offered
from explorer.training.run import Training
from tests.pictures import checked
from tests.work import each_once, first_of_each

explore_figure, why_figure = map(checked, (explore_figure, why_figure))

SMALL = Experiment(epochs=100)
KINDS = {
    "healthy": SMALL.but(skip="one layer"),
    "vanishing": SMALL,
    "zeros": MOONS.but(activation="tanh", initializer="zeros", epochs=30, samples=32),
    "dying": DYING.but(epochs=60, samples=32),
    "diverged": MOONS.but(activation="ReLU", initializer="normal", width=64, epochs=20, samples=32),
    "curve": Experiment(task="curve", samples=32, depth=3, width=8, activation="tanh", epochs=30),
    "one seed": SMALL.but(runs=1),
    "one epoch": SMALL.but(epochs=1),
    "deep and narrow": SMALL.but(depth=50, width=2, epochs=5),
    "shallow": SMALL.but(depth=1),
    "batch norm": MOONS.but(normalization="batch", epochs=20, samples=32),
    "convolutions": Experiment(task="signal XOR", layer="convolution", samples=16, depth=3, epochs=10, runs=2),
}


@pytest.fixture(scope="module")
def trained():
    @cache
    def get(experiment, seconds=float("inf")):
        training = Training(experiment)
        training.advance(seconds)
        return training.history(), None if experiment.task == "XOR" else answer_map(training)

    return get


def draw(trained, experiment, view=View(colour=VALUE), baseline=None, at=None, seconds=float("inf")):
    history, asked = trained(experiment, seconds)
    before = None if baseline is None else DrawnNet(trained(baseline)[0], "baseline: plain", BASELINE_STYLE)
    theory = np.linspace(-8, -1, experiment.layers)
    epoch = history.epochs[-1] if at is None else at
    return explore_figure(DrawnNet(history, "now", theory=theory), before, view, int(epoch), asked)


def sent(figure):
    return json.loads(figure.to_json())


def layer_heatmaps(figure):
    return [t for t in figure.data if t.type == "heatmap" and t.xaxis in ("x", "x4")]


def scale(figure):
    return [(t.zmin, t.zmax) for t in layer_heatmaps(figure) if t.zmin is not None]


@each_once(kind=KINDS, metric=offered(LAYERS.measures), colour=[VALUE, RATIO])
def test_every_metric_and_colour_draws_for_every_kind_of_history(kind, metric, colour, trained):
    for axis in ("linear", "log"):
        figure = draw(trained, KINDS[kind], View(metric=metric, colour=colour, axis=axis))
        assert sent(figure)["data"]
        assert len(layer_heatmaps(figure)) >= 1


@each_once(kind=KINDS, span=RANGES, at=[0, 3, 10**6])
def test_every_range_and_epoch_draws(kind, span, at, trained):
    figure = draw(trained, KINDS[kind], View(range=span), at=at)
    assert scale(figure) == [View(range=span).span]
    assert sent(figure)


@pytest.mark.parametrize("kind", KINDS)
def test_two_beside_each_other_draw_for_every_kind(kind, trained):
    figure = draw(trained, KINDS[kind], baseline=SMALL)
    assert len(scale(figure)) == 2
    assert len(set(scale(figure))) == 1
    assert {t.yaxis for t in layer_heatmaps(figure)} == {"y2", "y3"}
    layout = figure.layout
    assert layout.yaxis2.domain == layout.yaxis3.domain == layout.yaxis12.domain
    assert layout.yaxis2.range == layout.yaxis3.range == layout.yaxis12.range
    assert layout.xaxis.domain[1] < layout.xaxis4.domain[0] < layout.xaxis4.domain[1] < layout.xaxis2.domain[0]


@pytest.mark.parametrize("kind", ["healthy", "zeros", "diverged", "curve"])
def test_a_figure_can_be_drawn_of_a_run_that_has_only_begun(kind, trained):
    figure = draw(trained, KINDS[kind], seconds=0.0, at=0)
    assert sent(figure)


def numbers(node):
    """The length of every list of numbers in what is sent."""
    if isinstance(node, dict):
        for child in node.values():
            yield from numbers(child)
    elif isinstance(node, list):
        if node and all(isinstance(child, int | float) or child is None for child in node):
            yield len(node)
        for child in node:
            if isinstance(child, list | dict):
                yield from numbers(child)


@pytest.mark.parametrize(
    "experiment", [SMALL.but(runs=32, epochs=3000), MOONS.but(epochs=50, samples=1024)], ids=["XOR", "moons"]
)
def test_arrays_travel_as_binary_not_as_lists(experiment, trained):
    picture = sent(draw(trained, experiment, baseline=SMALL))
    assert max(numbers(picture), default=0) <= 1000
    nested = [t for t in picture["data"] if isinstance(t.get("z"), list) and len(t["z"]) > 1]
    assert not nested
    assert all(
        isinstance(t["z"], dict) for t in picture["data"] if t["type"] == "heatmap" and t.get("xaxis") in ("x", "x4")
    )


def test_a_picture_is_small_enough_to_stream(trained):
    big = draw(trained, SMALL.but(epochs=3000, runs=16), baseline=SMALL)
    assert len(big.to_json()) < 600_000


@pytest.mark.parametrize("metric", first_of_each(offered(LAYERS.measures)))
def test_colours_do_not_move_when_a_remedy_is_flipped(metric, trained):
    view = View(metric=metric)
    scales = {tuple(scale(draw(trained, KINDS[kind], view))) for kind in ("healthy", "vanishing", "diverged", "zeros")}
    assert scales == {(view.span,)}


def test_nor_does_the_axis_of_values(trained):
    assert len({tuple(draw(trained, experiment).layout.xaxis2.range) for experiment in KINDS.values()}) == 1


def test_the_axis_of_losses_is_one_of_a_few_and_holds_every_seed_that_does_not_leave_it(trained):
    for experiment in KINDS.values():
        low, high = draw(trained, experiment).layout.yaxis.range
        assert low in axes.LOSS_BOTTOMS
        assert high in axes.LOSS_TOPS
        losses = trained(experiment)[0].loss
        kept = losses[~axes.escaping(losses)]
        kept = np.log10(kept[np.isfinite(kept) & (kept > 0)])
        assert low <= kept.min()
        assert kept.max() <= high


def test_the_colour_bar_is_the_profiles_axis(trained):
    figure = draw(trained, SMALL)
    bar = next(t for t in figure.data if t.type == "heatmap" and t.xaxis == "x2")
    assert (bar.zmin, bar.zmax) == (bar.x[0], bar.x[-1]) == tuple(figure.layout.xaxis2.range)
    np.testing.assert_allclose(bar.z[0], bar.x)
    assert bar.colorscale == layer_heatmaps(figure)[0].colorscale


def marks(figure, words):
    """Traces whose legend entry starts with the words."""
    return [t for t in figure.data if t.name and t.name.startswith(words) and t.showlegend is not False]


def test_exact_zeros_have_a_mark_of_their_own_in_map_legend_and_profile(trained):
    figure = draw(trained, KINDS["zeros"])
    history = trained(KINDS["zeros"])[0]
    zero = (np.median(history.measures["delta"], axis=0) == 0).T
    assert zero.any()
    flat = [t for t in layer_heatmaps(figure) if t.zmin is None]
    assert len(flat) == 1
    np.testing.assert_array_equal(np.isfinite(np.array(flat[0].z)), zero)
    assert flat[0].colorscale[0][1] == theme.EXACT_ZERO
    assert len(marks(figure, "exactly 0")) == 1
    assert any(t.xaxis == "x2" and t.name == "exactly 0" for t in figure.data)
    assert not np.isfinite(np.array(layer_heatmaps(figure)[0].z)[zero]).any()


def test_infinite_and_nan_have_another(trained):
    figure = draw(trained, KINDS["diverged"])
    flat = [t for t in layer_heatmaps(figure) if t.zmin is None]
    assert theme.NOT_FINITE in {t.colorscale[0][1] for t in flat}
    assert len(marks(figure, "not finite")) == 1


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 0.0])
def test_any_value_that_is_no_size_is_kept_from_the_colours(value, trained):
    history = trained(SMALL)[0]
    delta = history.measures["delta"].copy()
    delta[:, 4:, 2] = value
    broken = replace(history, measures=history.measures | {"delta": delta})
    figure = explore_figure(DrawnNet(broken, "now"), None, View(colour=VALUE), 100, None)
    colours = np.array(layer_heatmaps(figure)[0].z)
    assert np.isnan(colours[2, 4:]).all()
    assert np.isfinite(np.delete(colours, 2, axis=0)).all()
    assert marks(figure, "exactly 0" if value == 0 else "not finite")


def test_what_a_diagnostic_says_nothing_of_is_not_called_infinite(trained):
    # The output layer has no activation spread: a gap, not a mark.
    for metric in ("activation spread", "saturated", "dead"):
        figure = draw(trained, KINDS["healthy"], View(metric=metric))
        assert not marks(figure, "not finite")


def test_sizes_off_the_scale_are_marked_at_its_edge(trained):
    history = trained(SMALL)[0]
    delta = history.measures["delta"].copy()
    delta[..., 0], delta[..., 1] = 1e-30, 1e30
    figure = explore_figure(
        DrawnNet(replace(history, measures=history.measures | {"delta": delta}), "now"), None, View(colour=VALUE), 100
    )
    assert {t.name for t in figure.data} >= {"below the scale", "above the scale"}


def test_the_picture_carries_its_settings_epoch_and_rows(trained):
    figure = draw(trained, KINDS["healthy"], baseline=SMALL, at=50)
    words = " | ".join(a.text for a in figure.layout.annotations).replace(" · <br>", " · ")
    assert summary(KINDS["healthy"]) in words
    assert "<b>now</b>" in words
    assert "<b>baseline: plain</b>" in words
    shown = trained(KINDS["healthy"])[0]
    assert f"epoch {shown.epochs[shown.at(50)]:,}" in words


def test_every_mark_is_in_the_legend_once(trained):
    names = [
        t.name for t in draw(trained, KINDS["healthy"], baseline=SMALL).data if t.name and t.showlegend is not False
    ]
    assert {
        "at the start",
        "at the chosen epoch",
        "middle half of the seeds",
        "theory, at the start",
        "each seed",
    } <= set(names)
    assert len(set(names)) == len(names)


def test_a_single_seed_is_drawn_without_a_bundle_of_seeds(trained):
    assert not [t for t in draw(trained, KINDS["one seed"]).data if t.name == "each seed"]


def test_the_profile_is_the_median_over_seeds(trained):
    history = trained(SMALL)[0]
    figure = draw(trained, SMALL)
    line = next(t for t in figure.data if t.name == "at the chosen epoch")
    np.testing.assert_allclose(
        np.array(line.x, dtype=float), np.median(np.log10(history.measures["delta"][:, -1]), axis=0), rtol=1e-6
    )


def test_the_truth_table_shows_every_seeds_answers(trained):
    history = trained(SMALL)[0]
    ticks = [t for t in draw(trained, SMALL).data if t.xaxis == "x3" and t.marker.symbol == "line-ew"]
    assert len(ticks) == 1
    np.testing.assert_allclose(
        np.sort(np.array(ticks[0].y, dtype=float)), np.sort(history.answers[:, -1].ravel()), rtol=1e-6
    )


def test_answers_to_signals_stand_above_their_class(trained):
    e = Experiment(task="signal XOR", layer="convolution", samples=16, depth=2, width=3, epochs=5, runs=3)
    _, asked = trained(e)
    figure = draw(trained, e)
    (dots,) = [t for t in figure.data if t.xaxis == "x3" and t.hovertemplate]
    np.testing.assert_allclose(np.array(dots.y, dtype=float), asked.answers, rtol=1e-6)
    np.testing.assert_array_equal(np.round(np.array(dots.x, dtype=float)), e.points().y)
    assert figure.layout.xaxis3.ticktext == e.points().class_names


@pytest.mark.parametrize("at", [0, 100])
def test_the_chosen_epoch_is_a_line_through_heatmap_and_loss(at, trained):
    for line in draw(trained, SMALL, baseline=SMALL, at=at).layout.shapes:
        assert line.x0 == line.x1 == at


BLOWN_UP = SMALL.but(task="curve", depth=2, activation="tanh", initializer="Glorot normal", learning_rate=3, epochs=30)


def test_the_loss_axis_holds_losses_that_grew(trained):
    usual = draw(trained, SMALL).layout.yaxis.range
    losses = trained(BLOWN_UP)[0].loss
    highest = np.log10(losses[np.isfinite(losses)].max())
    low, high = draw(trained, BLOWN_UP).layout.yaxis.range
    assert (low, usual[0]) == (usual[0], low) and high >= highest > usual[1]
    assert 2 <= len(draw(trained, BLOWN_UP).layout.yaxis.tickvals) <= 10


def test_a_figure_is_pure(trained):
    history = trained(KINDS["healthy"])[0]
    kept = {name: values.copy() for name, values in history.measures.items()}
    first, second = (draw(trained, KINDS["healthy"]).to_json() for _ in range(2))
    assert first == second
    assert all(np.array_equal(history.measures[name], kept[name], equal_nan=True) for name in kept)


@pytest.mark.parametrize("kind", KINDS)
def test_why_draws_its_parts_and_their_sum(kind, trained):
    why = decompose(trained(KINDS[kind])[0], 0)
    figure = why_figure(why)
    assert [t.name for t in figure.data] == [*why.parts, "all together"]
    assert sent(figure)
    for trace in figure.data:
        assert len(trace.y) == KINDS[kind].depth
