"""Figures of depth: arrays in, a picture out. Judged by what the browser would be sent."""

import json
from dataclasses import replace

import numpy as np
import pytest

from explorer import Experiment
from explorer.diagnosis.seeds import Band, log_band
from explorer.figures import axes, theme
from explorer.figures.depth import FACTOR_SPAN, Factors, Shares, Triangle, factor_figure, share_figure, triangle_figure
from explorer.figures.marks import NOT_FINITE_WORDS, ZERO_WORDS
from explorer.training.all_depths import gradients_by_depth
from tests.pictures import checked

factor_figure, share_figure, triangle_figure = map(checked, (factor_figure, share_figure, triangle_figure))

SPAN = (-10.0, 2.0)
DEPTHS = np.arange(1, 21)


@pytest.fixture(scope="module")
def plain():
    found = gradients_by_depth(Experiment(runs=4), DEPTHS)
    return Triangle("plain", found.depths, log_band(found.delta).middle)


def few(name="after training", depths=(2, 5, 11)):
    values = np.full((len(depths), max(depths) + 1), -3.0)
    return Triangle(name, np.array(depths), values)


def draw(*triangles):
    return triangle_figure(triangles, "dL/dz, RMS", SPAN, "width 4")


def sizes(figure):
    return [trace for trace in figure.data if trace.type == "heatmap" and trace.coloraxis]


def flat(figure, colour):
    return [t for t in figure.data if t.type == "heatmap" and not t.coloraxis and t.colorscale[0][1] == colour]


def named(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def sent(figure):
    return json.loads(figure.to_json())


# --- triangles --------------------------------------------------------------------------------


def test_a_rows_cells_are_the_layers_of_its_depth(plain):
    z = np.array(sizes(draw(plain))[0].z)
    assert z.shape == (20, 21)
    for depth in DEPTHS:
        np.testing.assert_allclose(z[depth - 1, : depth + 1], plain.values[depth - 1, : depth + 1], rtol=1e-6)
        assert np.isnan(z[depth - 1, depth + 1 :]).all()


def test_what_stands_beyond_the_output_is_no_mark(plain):
    # Medians over seeds make NaN, no such layer, look like what is not finite.
    assert (plain.values[0, 2:] == np.inf).all()
    assert not flat(draw(plain), theme.NOT_FINITE)


def test_a_depth_that_was_not_trained_leaves_its_row_empty(plain):
    z = np.array(sizes(draw(plain, few()))[1].z)
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(z).any(axis=1)) + 1, [2, 5, 11])


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_panels_share_their_axes_and_one_fixed_colour_scale(count, plain):
    figure = draw(*[plain, few(), few("a remedy"), few("trained")][:count])
    assert len(sizes(figure)) == count
    assert {trace.coloraxis for trace in sizes(figure)} == {"coloraxis"}
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == SPAN
    for layout in (sent(figure)["layout"], sent(figure)["layout"]["meta"]["narrow"]):
        for name in ("x", "y"):
            axes = [layout[f"{name}axis{number if number > 1 else ''}"] for number in range(1, count + 1)]
            assert len({tuple(axis["range"]) for axis in axes}) == 1
            assert all(axis["matches"] == name for axis in axes[1:])


def test_neither_axes_nor_colours_move_while_training_goes_on(plain):
    before, after = (sent(draw(plain, few(depths=depths)))["layout"] for depths in ((2,), (2, 5, 11, 20)))
    assert before == after


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("narrow", [False, True])
def test_panels_do_not_overlap_and_stay_inside(count, narrow, plain):
    layout = sent(draw(*[plain] * count))["layout"]
    layout = layout["meta"]["narrow"] if narrow else layout
    numbers = ["" if number == 1 else str(number) for number in range(1, count + 1)]
    places = [(layout[f"xaxis{n}"]["domain"], layout[f"yaxis{n}"]["domain"]) for n in numbers]
    for x, y in places:
        assert 0 <= x[0] < x[1] <= 1 and 0 <= y[0] < y[1] <= 1
    for index, (x, y) in enumerate(places):
        for other_x, other_y in places[index + 1 :]:
            beside = x[1] <= other_x[0] or other_x[1] <= x[0]
            assert beside or y[1] <= other_y[0] or other_y[1] <= y[0]


def test_four_panels_read_row_by_row(plain):
    layout = draw(plain, few(), plain, few()).layout
    assert layout.xaxis.domain[0] == layout.xaxis3.domain[0] < layout.xaxis2.domain[0]
    assert layout.yaxis.domain == layout.yaxis2.domain
    assert layout.yaxis.domain[0] > layout.yaxis3.domain[1]


@pytest.mark.parametrize(
    ("value", "colour", "words"),
    [(-np.inf, theme.EXACT_ZERO, ZERO_WORDS), (np.inf, theme.NOT_FINITE, NOT_FINITE_WORDS)],
)
def test_exact_zeros_and_what_is_not_finite_are_marks_of_their_own(value, colour, words, plain):
    values = plain.values.copy()
    values[6, :3] = value
    figure = draw(replace(plain, values=values), replace(plain, values=values))
    for trace in flat(figure, colour):
        np.testing.assert_array_equal(np.argwhere(np.isfinite(np.array(trace.z))), [[6, 0], [6, 1], [6, 2]])
    assert len(flat(figure, colour)) == 2
    assert all(np.isnan(np.array(trace.z)[6, :3]).all() for trace in sizes(figure))
    assert [trace.showlegend is not False for trace in named(figure, words)] == [True, False]
    assert figure.layout.showlegend


def test_a_picture_without_zeros_has_no_mark_for_them(plain):
    figure = draw(plain)
    assert [trace.type for trace in figure.data] == ["heatmap"]


def test_names_and_settings_stand_in_the_picture(plain):
    texts = [annotation.text for annotation in draw(plain, few()).layout.annotations]
    assert texts == ["<b>plain</b>", "<b>after training</b>", "width 4"]


# --- the factor -------------------------------------------------------------------------------


def factors(name="plain", middle=-0.7, **more):
    values = np.full(20, middle)
    values[0] = np.nan
    return Factors(name, DEPTHS, Band(values - 0.1, values, values + 0.1), **more)


def test_measured_theory_and_after_training_are_lines_over_depth():
    trained = np.full(20, np.nan)
    trained[[2, 7, 11]] = -0.2, -0.3, -0.4
    figure = factor_figure([factors(theory=np.full(20, -0.65), trained=trained)], 20)
    start, theory, after = (named(figure, name)[0] for name in ("at the start", "theory, at the start", "plain"))
    np.testing.assert_array_equal(start.x, DEPTHS)
    np.testing.assert_allclose(np.array(start.y)[1:], -0.7, rtol=1e-6)
    assert theory.line.color == theme.THEORY
    assert theory.line.dash == "dash"
    np.testing.assert_array_equal(after.x, [3, 8, 12])
    np.testing.assert_allclose(after.y, [-0.2, -0.3, -0.4], rtol=1e-6)
    assert after.hovertext[0] == "depth 3<br>plain: after training: × 0.63"


def test_the_band_is_what_lies_between_the_quartiles():
    figure = factor_figure([factors()], 20)
    area = named(figure, "middle half of the seeds")[0]
    assert area.fill == "toself"
    assert sorted(set(np.round(np.array(area.y, dtype=float), 5))) == [-0.8, -0.6]
    assert min(area.x) == 2


def test_a_band_breaks_where_nothing_is_known():
    curve = factors()
    middle = curve.start.middle.copy()
    middle[9] = np.nan
    figure = factor_figure([replace(curve, start=Band(middle - 0.1, middle, middle + 0.1))], 20)
    area = named(figure, "middle half of the seeds")[0]
    gap = np.flatnonzero(np.isnan(np.array(area.x, dtype=float)))
    assert len(gap) == 1
    assert 10 not in area.x
    assert max(area.x[: gap[0]]) == 9 and min(area.x[gap[0] + 1 :]) == 11


def test_the_factors_axis_does_not_move_and_has_a_line_at_1():
    layouts = [factor_figure([factors(middle=middle)], 20).layout for middle in (-1.5, 0.3)]
    assert {tuple(layout.yaxis.range) for layout in layouts} == {FACTOR_SPAN}
    assert {tuple(layout.xaxis.range) for layout in layouts} == {(0.5, 20.5)}
    assert layouts[0].shapes[0].y0 == layouts[0].shapes[0].y1 == 0.0
    ticks = dict(zip(layouts[0].yaxis.ticktext, layouts[0].yaxis.tickvals, strict=True))
    assert ticks["×1"] == 0.0
    for text, place in ticks.items():
        assert float(text.removeprefix("×")) == pytest.approx(10**place)


def test_a_long_axis_is_in_powers_of_ten():
    ticks = axes.times_ticks((-36.0, 28.0))
    assert "×1" in ticks["ticktext"]
    assert all(place == round(place) for place in ticks["tickvals"])
    assert len(ticks["tickvals"]) <= 8


@pytest.mark.parametrize(
    ("value", "words"),
    [(-np.inf, ZERO_WORDS), (np.inf, NOT_FINITE_WORDS), (-3.0, "below the scale"), (4.0, "above the scale")],
)
def test_what_has_no_place_on_the_axis_is_marked_at_its_edge(value, words):
    trained = np.full(20, -0.5)
    trained[4] = value
    figure = factor_figure([factors(trained=trained)], 20)
    mark = named(figure, words)
    assert len(mark) == 1
    assert mark[0].showlegend is not False
    assert list(mark[0].x) == [5]
    assert FACTOR_SPAN[0] < mark[0].y[0] < FACTOR_SPAN[1]
    assert "depth 5" in mark[0].hovertext[0]


def test_where_theory_says_nothing_or_zero_it_draws_nothing():
    theory = np.full(20, -0.5)
    theory[3], theory[4] = np.nan, -np.inf
    figure = factor_figure([factors(theory=theory)], 20)
    assert np.isnan(np.array(named(figure, "theory, at the start")[0].y)[[3, 4]]).all()
    assert not named(figure, ZERO_WORDS)


# --- who learns -------------------------------------------------------------------------------


def shares(name="plain", depths=(1, 2, 5), solved=(8, 8, 3)):
    return Shares.of(name, {depth: (count, 8) for depth, count in zip(depths, solved, strict=True)})


def test_a_share_is_a_point_over_its_depth_and_says_its_seeds():
    line = named(share_figure([shares()], 10), "plain")[0]
    assert list(line.x) == [1, 2, 5]
    np.testing.assert_allclose(line.y, [1.0, 1.0, 0.375])
    assert line.hovertext[2] == "plain<br>depth 5: 3 of 8 seeds (14% to 69%)"


def test_the_interval_is_an_area_of_its_own():
    curve = shares()
    area = named(share_figure([curve], 10), "95% interval")[0]
    np.testing.assert_allclose(area.y, np.concatenate([curve.low, curve.high[::-1]]), rtol=1e-6)
    np.testing.assert_array_equal(area.x, [1, 2, 5, 5, 2, 1])


def test_the_axes_of_the_share_do_not_move_while_depths_arrive():
    layouts = [
        sent(share_figure([shares(depths=d, solved=s)], 10))["layout"] for d, s in (((4,), (0,)), ((1, 9), (8, 1)))
    ]
    assert layouts[0] == layouts[1]
    assert layouts[0]["yaxis"]["ticktext"] == ["0%", "25%", "50%", "75%", "100%"]


def test_curves_that_coincide_are_both_seen():
    wide, slim = (named(share_figure([shares("plain"), shares("skip")], 10), name)[0] for name in ("plain", "skip"))
    assert wide.line.width > slim.line.width + 2
    assert wide.marker.size > slim.marker.size
    assert wide.marker.symbol != slim.marker.symbol


def test_a_figure_with_nothing_trained_yet_still_has_its_axes():
    layout = share_figure([Shares.of("plain", {})], 10).layout
    assert layout == share_figure([shares()], 10).layout


# --- all of them ------------------------------------------------------------------------------


def test_what_is_compared_with_is_grey_and_the_present_has_the_colour():
    for draws, curve, suffix in ((factor_figure, factors, ": at the start"), (share_figure, shares, "")):
        alone, both = draws([curve("now")], 20), draws([curve("plain"), curve("now")], 20)
        assert named(alone, f"now{suffix}")[0].line.color == theme.NOW
        assert named(both, f"now{suffix}")[0].line.color == theme.NOW
        assert named(both, f"plain{suffix}")[0].line.color == theme.BASELINE


@pytest.mark.parametrize("draws", [factor_figure, share_figure])
@pytest.mark.parametrize("count", [0, 3])
def test_one_curve_or_two_can_be_drawn_and_no_other_number(draws, count):
    with pytest.raises(ValueError, match="one, or two"):
        draws([(factors if draws is factor_figure else shares)()] * count, 20)


def every_figure(plain):
    trained = np.full(20, -0.3)
    yield draw(plain, few(), plain, few())
    yield factor_figure([factors("a", trained=trained), factors("b", theory=trained)], 20)
    yield share_figure([shares("a"), shares("b")], 20, "width 4")


def test_every_name_is_in_the_legend_once(plain):
    for figure in every_figure(plain):
        names = [trace.name for trace in figure.data if trace.name and trace.showlegend is not False]
        assert len(names) == len(set(names))
        assert {trace.name for trace in figure.data if trace.name} == set(names)


def test_values_travel_as_single_precision_not_as_lists(plain):
    for figure in every_figure(plain):
        for trace in sent(figure)["data"]:
            for key in {"y", "z"} & set(trace):
                if trace[key] != [None] and not (trace["type"] == "heatmap" and key == "y"):
                    assert trace[key]["dtype"] == "f4"


def test_looks_are_the_houses_own_whatever_theme_is_about(plain):
    for figure in every_figure(plain):
        assert figure.layout.template.to_plotly_json() == theme.TEMPLATE
        for axis in (figure.layout.xaxis, figure.layout.yaxis):
            assert axis.tickfont.size == theme.TICK_SIZE
            assert axis.title.font.size == theme.LABEL_SIZE
        assert figure.layout.meta["narrow"]["height"] > 0


def test_settings_stand_below_the_figures_that_are_given_some(plain):
    below = [figure.layout.annotations[-1].text for figure in every_figure(plain) if figure.layout.annotations]
    assert below == ["width 4", "width 4"]


def test_a_figure_is_pure(plain):
    kept = plain.values.copy()
    first, second = (draw(plain, few()).to_json() for _ in range(2))
    assert first == second
    np.testing.assert_array_equal(plain.values, kept)
