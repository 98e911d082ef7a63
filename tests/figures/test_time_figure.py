"""The figure of compared recurrent nets: laws of what the browser would be sent."""

from dataclasses import replace

import numpy as np
import pytest

from explorer.choices.comparisons import COMPARISONS
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.sequences import TASKS
from explorer.diagnosis.comparison import Compared
from explorer.diagnosis.diagnose import Diagnosis
from explorer.diagnosis.wording import decades, number
from explorer.figures import theme
from explorer.figures.axes import end_ticks
from explorer.figures.panels import DrawnNet
from explorer.figures.theme import BASELINE_STYLE, NOW_STYLE, line_styles
from explorer.figures.time import (
    COLOUR_BAR,
    LOSS,
    PROFILE,
    SHARE,
    answers_at_the_end,
    describe_compared,
    learnt,
    not_defined,
    places,
    styles_of,
    time_figure,
)
from explorer.figures.view import RANGES, TIME_RATIO, VALUE, TimeView
from explorer.training.history import SOLVED
from explorer.training.kinds import TIME_STEPS
from explorer.training.measures import offered
from explorer.training.recording import Ending
from tests.pictures import checked
from tests.work import each_once, every_two

time_figure = checked(time_figure)

SMALL = RecurrentExperiment(length=8, samples=8, hidden=4, epochs=5, runs=3)
CELLS = COMPARISONS["the three cells"].of(SMALL, None)
LONG = SMALL.but(length=80, epochs=2, runs=2)


@pytest.fixture
def cells(history):
    return {name: DrawnNet(history(experiment), name) for name, experiment in CELLS.items()}


def beside(shown):
    """The nets beside one another; None where nothing is measured yet."""
    experiments = {name: SMALL if net is None else net.history.experiment for name, net in shown.items()}
    return Compared(experiments, [net and Diagnosis(net.history, None, None) for net in shown.values()])


def draw(shown, view=None, at=-1):
    return time_figure(beside(shown), replace(view or TimeView(colour=VALUE), at=at))


def heatmaps(figure):
    """Those of the nets, in colour."""
    return [t for t in figure.data if t.type == "heatmap" and t.zmin is not None and t.xaxis != f"x{PROFILE}"]


def on(figure, axis, **attributes):
    found = [t for t in figure.data if t.xaxis == f"x{axis}" and t.type == "scatter"]
    return [t for t in found if all(getattr(t, name) == value for name, value in attributes.items())]


def words(figure):
    return " | ".join(a.text for a in figure.layout.annotations)


def changed(shown, name, change):
    """The net with a measure changed in place by `change(values)`."""
    values = shown.history.measures[name].copy()
    change(values)
    return DrawnNet(replace(shown.history, measures=shown.history.measures | {name: values}), shown.name)


# --- heatmaps ---------------------------------------------------------------------------------


def test_every_net_has_a_heatmap_of_the_median_over_its_seeds(cells):
    figure = draw(cells)
    assert [t.xaxis for t in heatmaps(figure)] == ["x", "x2", "x3"]
    for trace, each in zip(heatmaps(figure), cells.values(), strict=True):
        expected = np.median(np.log10(each.history.measures["state_gradient"]), axis=0).T
        np.testing.assert_allclose(np.array(trace.z), expected, rtol=1e-6)
        assert trace.z.dtype == np.float32


def test_time_runs_upwards_from_step_1_to_the_last(cells):
    figure = draw(cells)
    for trace in heatmaps(figure):
        np.testing.assert_array_equal(trace.y, np.arange(1, SMALL.length + 1))
    low, high = figure.layout.yaxis.range
    assert low < 1 < SMALL.length < high


@each_once(metric=offered(TIME_STEPS.measures), span=RANGES)
def test_there_is_one_colour_range_for_all_and_it_is_the_value_axis(metric, span, cells):
    view = TimeView(metric=metric, range=span)
    figure = draw(cells, view)
    bar = next(t for t in figure.data if t.type == "heatmap" and t.yaxis == f"y{COLOUR_BAR}")
    ranges = {(t.zmin, t.zmax) for t in [*heatmaps(figure), bar]}
    assert ranges == {view.span}
    assert tuple(figure.layout[f"xaxis{PROFILE}"].range) == (bar.x[0], bar.x[-1]) == view.span
    assert all(t.colorscale == bar.colorscale for t in heatmaps(figure))


def test_a_ratio_is_1_at_the_last_step_of_every_net(cells):
    figure = draw(cells, TimeView(colour=TIME_RATIO))
    for trace in heatmaps(figure):
        assert not np.array(trace.z)[-1].any()


def test_a_click_on_any_heatmap_tells_the_epoch(cells):
    figure = draw(cells, TimeView(axis="log"))
    for trace, each in zip(heatmaps(figure), cells.values(), strict=True):
        for row in np.array(trace.customdata):
            np.testing.assert_array_equal(row[:, 0], each.history.epochs)
    for number_ in (LOSS, SHARE):
        for trace in on(figure, number_):
            np.testing.assert_array_equal(trace.customdata, np.arange(SMALL.epochs + 1))


def test_who_zooms_into_one_panel_zooms_into_all(cells):
    layout = draw(cells).layout
    assert {layout[f"xaxis{number_}"].matches for number_ in (2, 3, LOSS, SHARE)} == {"x"}
    assert {layout[f"yaxis{number_}"].matches for number_ in (2, 3, PROFILE)} == {"y"}


# --- what is no size ----------------------------------------------------------------------------


@pytest.mark.parametrize("experiment", [SMALL, LONG], ids=["few steps", "many steps"])
@pytest.mark.parametrize(
    ("value", "mark", "said"),
    [(0.0, theme.EXACT_ZERO, "exactly 0"), (np.inf, theme.NOT_FINITE, "not"), (np.nan, theme.NOT_FINITE, "not")],
    ids=["zero", "infinite", "NaN"],
)
def test_zeros_and_what_is_not_finite_are_marks_and_no_colours(value, mark, said, experiment, history):
    def break_steps(values):
        values[:, 1:, :3] = value

    shown = changed(DrawnNet(history(experiment), "RNN"), "state_gradient", break_steps)
    figure = draw({"RNN": shown})
    colours, flat = [t for t in figure.data if t.type == "heatmap" and t.xaxis == "x"]
    expected = np.zeros(np.shape(colours.z), bool)
    expected[:3, 1:] = True
    np.testing.assert_array_equal(np.isnan(np.array(colours.z)), expected)
    np.testing.assert_array_equal(np.isfinite(np.array(flat.z)), expected)
    assert flat.colorscale[0][1] == mark
    assert len([t for t in figure.data if t.name and t.name.startswith(said) and t.showlegend is not False]) == 1
    at_edge = next(t for t in on(figure, PROFILE, mode="markers") if t.marker.symbol == "square")
    np.testing.assert_array_equal(at_edge.y, [1, 2, 3])
    assert at_edge.marker.color == mark


def test_where_rows_are_too_low_for_gaps_marks_are_stripes_of_two_tones(history):
    def nothing(values):
        values[:] = 0

    shown = changed(DrawnNet(history(LONG), "RNN"), "state_gradient", nothing)
    flat = next(t for t in draw({"RNN": shown}).data if t.type == "heatmap" and t.colorscale[0][1] == theme.EXACT_ZERO)
    tones = np.array(flat.z)
    assert set(np.unique(tones)) == {0, 1}
    assert (tones == tones[:, :1]).all()
    assert flat.colorscale[1][1] == theme.see_through(theme.EXACT_ZERO, 0.5)
    assert not flat.ygap


def test_a_cut_way_back_is_seen_as_exact_zeros(history):
    figure = draw({"cut": DrawnNet(history(SMALL.but(truncation=3)), "cut")})
    flat = [t for t in figure.data if t.type == "heatmap" and t.colorscale[0][1] == theme.EXACT_ZERO]
    # From the loss at the last step the gradient reaches the piece it lies in, and no step before.
    assert np.isfinite(np.array(flat[0].z)[0]).all()
    assert not np.isfinite(np.array(flat[0].z)[-1]).any()


def test_nets_that_are_not_finite_from_the_start_are_marked_not_left_out(history):
    def break_all(values):
        values[:] = np.nan

    shown = changed(DrawnNet(history(SMALL), "RNN"), "state_gradient", break_all)
    ended = replace(shown.history, endings=(Ending(0, 1, "z"),) * SMALL.runs)
    flat = [t for t in draw({"RNN": DrawnNet(ended, "RNN")}).data if t.type == "heatmap" and t.xaxis == "x"][1:]
    assert [t.colorscale[0][1] for t in flat] == [theme.NOT_FINITE]
    assert np.isfinite(np.array(flat[0].z)).all()


@every_two(cell=CELLS, activation=["tanh", "ReLU"], metric=offered(TIME_STEPS.measures))
def test_not_defined_is_said_where_a_cell_has_no_such_thing_and_nowhere_else(cell, activation, metric, history):
    shown, view = history(SMALL.but(cell=cell, activation=activation)), TimeView(metric=metric)
    why = not_defined(shown.experiment, view)
    assert bool(why) == np.isnan(shown.measures[view.diagnostic.name]).all()
    figure = draw({"one": DrawnNet(shown, "one")}, view)
    assert bool(why) == ("not defined" in words(figure))
    assert bool(why) == (not heatmaps(figure))
    assert bool(why) == (not on(figure, PROFILE, mode="lines"))
    assert (why in describe_compared(beside({"one": DrawnNet(shown, "one")}), view)) or not why


def test_a_plain_net_is_said_to_have_no_forget_gate(cells):
    figure = draw(cells, TimeView(metric="forget gate"))
    assert words(figure).count("not defined:<br>RNN has no forget gate") == 1
    assert [t.xaxis for t in heatmaps(figure)] == ["x2"]
    # What it learns is shown all the same.
    assert len(on(figure, LOSS)) == len(on(figure, SHARE)) == 3


# --- styles and those that are missing ------------------------------------------------------------


def colour_of(figure):
    return {t.name: t.line.color for t in on(figure, SHARE)}


def test_names_keep_their_colours_and_panels_while_others_are_missing(cells):
    whole = draw(cells)
    for name in cells:
        part = draw({other: shown if other == name else None for other, shown in cells.items()})
        assert colour_of(part) == {name: colour_of(whole)[name]}
        assert [t.xaxis for t in heatmaps(part)] == [("x", "x2", "x3")[list(cells).index(name)]]
        assert words(part).count("is being measured") == len(cells) - 1
        assert [a.text.split("<br>")[0] for a in part.layout.annotations if "■" in a.text] == [
            a.text.split("<br>")[0] for a in whole.layout.annotations if "■" in a.text
        ]


def test_a_figure_can_be_drawn_before_anything_is_measured():
    figure = draw(dict.fromkeys(CELLS))
    assert words(figure).count("is being measured") == 3
    assert not heatmaps(figure)


def test_a_title_carries_the_colour_of_its_lines(cells):
    figure = draw(cells)
    for name, colour in colour_of(figure).items():
        assert f'<span style="color:{colour}">■</span> <b>{name}</b>' in words(figure)
        assert any(t.line.color == colour for t in on(figure, PROFILE))


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_there_is_a_colour_for_each_of_every_comparison(comparison):
    entry = COMPARISONS[comparison]
    experiments = entry.of(SMALL, SMALL.but(cell="GRU"))
    found = styles_of(Compared(experiments, [None] * len(experiments), entry))
    assert list(found) == list(experiments)
    assert len({style.colour for style in found.values()}) == len(experiments)


def test_the_present_setting_and_its_baseline_keep_the_styles_of_explore():
    entry = COMPARISONS["baseline"]
    both, alone = (entry.of(SMALL, baseline) for baseline in (SMALL.but(cell="GRU"), None))
    assert styles_of(Compared(both, [None, None], entry)) == {"baseline": BASELINE_STYLE, "now": NOW_STYLE}
    assert styles_of(Compared(alone, [None], entry)) == {"now": NOW_STYLE}
    with pytest.raises(ValueError, match="7 names"):
        line_styles(list("abcdefg"))


# --- loss, share, profile -----------------------------------------------------------------------


def test_the_share_of_seeds_ends_where_the_outcome_says(history):
    for experiment in (SMALL.but(cell="GRU", epochs=60, learning_rate=0.05), SMALL):
        shown = history(experiment)
        assert learnt(shown)[-1] == np.mean([outcome == SOLVED for outcome in shown.outcome])
        curve = on(draw({"one": DrawnNet(shown, "one")}), SHARE)[0]
        np.testing.assert_allclose(curve.y, learnt(shown), rtol=1e-6)
    assert learnt(history(SMALL.but(cell="GRU", epochs=60, learning_rate=0.05)))[-1] > 0  # so that it says something


def test_a_seed_that_has_become_non_finite_has_not_learnt_it(history):
    measured = history(SMALL)
    solved = replace(measured, error=np.zeros_like(measured.error))
    assert (learnt(solved) == 1).all()
    ended = replace(solved, endings=(Ending(3, 1, "z"), *solved.endings[1:]))
    assert [SOLVED, SOLVED] == ended.outcome[1:] != ended.outcome
    np.testing.assert_allclose(learnt(ended), np.where(measured.epochs < 3, 1, 2 / 3))


def test_a_net_whose_median_loss_is_no_longer_finite_is_marked_there_and_counted(cells):
    history = cells["RNN"].history
    loss = history.loss.copy()
    loss[:, 3:] = np.nan
    ended = replace(history, loss=loss, error=loss, endings=(Ending(3, 1, "z"),) * SMALL.runs)
    figure = draw({"RNN": DrawnNet(ended, "RNN"), "LSTM": cells["LSTM"]})
    (mark,) = [t for t in figure.data if t.type == "scatter" and t.mode == "markers" and t.xaxis == f"x{LOSS}"]
    assert mark.x[0] == history.epochs[3]
    assert mark.marker.color == theme.NOT_FINITE
    assert np.log10(mark.y[0]) < figure.layout[f"yaxis{LOSS}"].range[1]
    assert any(f"{SMALL.runs} not finite" in a.text for a in figure.layout.annotations)


def test_the_loss_is_the_median_and_each_seeds_only_where_there_is_one_net(cells):
    figure = draw(cells)
    for trace, each in zip(on(figure, LOSS), cells.values(), strict=True):
        np.testing.assert_allclose(trace.y, np.median(each.history.loss, axis=0))
    alone = draw({"LSTM": cells["LSTM"]})
    assert [t.name for t in on(alone, LOSS)] == ["each seed", "LSTM"]


@pytest.mark.parametrize("at", [0, 2, -1])
def test_the_profile_is_the_median_at_the_chosen_epoch(at, cells):
    lines = [t for t in on(draw(cells, at=at), PROFILE) if t.name == "at the chosen epoch"]
    for line, each in zip(lines, cells.values(), strict=True):
        history = each.history
        expected = np.median(np.log10(history.measures["state_gradient"][:, history.at(at)]), axis=0)
        np.testing.assert_allclose(line.x, expected, rtol=1e-6)
        assert f"{each.name}, step 3: {decades(expected[2])}" in line.hovertext


@pytest.mark.parametrize("axis", ["linear", "log"])
@pytest.mark.parametrize("at", [0, 3, -1])
def test_the_cursor_stands_at_the_chosen_epoch_in_every_panel_over_epochs(at, axis, cells):
    figure = draw(cells, TimeView(axis=axis), at)
    expected = SMALL.epochs if at == -1 else 0.5 if (at, axis) == (0, "log") else at
    lines = [shape for shape in figure.layout.shapes if shape.type == "line"]
    assert {(line.x0, line.x1) for line in lines} == {(expected, expected)}
    assert {line.xref for line in lines} == {"x", "x2", "x3", f"x{LOSS}", f"x{SHARE}"}
    assert f"epoch {SMALL.epochs if at == -1 else at:,}" in words(figure)


def test_the_legend_names_every_kind_of_line_once_in_no_nets_colour(cells):
    entries = [t for t in draw(cells).data if t.name and t.showlegend is not False]
    assert [t.name for t in entries] == [
        "profile at the chosen epoch",
        "profile at the start",
        "middle half of the seeds",
    ]
    assert not {t.line.color for t in entries} & set(theme.COMPARED)


# --- words and places ---------------------------------------------------------------------------


def test_the_picture_says_who_learns_it_and_carries_its_settings(cells, history):
    figure = draw(cells)
    assert beside(cells).caption in words(figure).replace("<br>", " ")
    for each in cells.values():
        assert f"{each.history.outcome.count(SOLVED)} of {SMALL.runs} learn it<" in words(figure)
    unfinished = replace(cells["RNN"].history, experiment=SMALL.but(epochs=50))
    assert f"of {SMALL.runs} learn it so far<" in words(draw({"RNN": DrawnNet(unfinished, "RNN")}))


def test_ticks_of_time_steps_are_few_and_have_the_first_and_the_last():
    for last in range(2, 501):
        ticks = end_ticks(last)
        assert ticks[0] == 1
        assert ticks[-1] == last
        assert len(ticks) <= 8
        assert min(np.diff(ticks)) >= min(1, last / 12)


@pytest.mark.parametrize("task", TASKS)
def test_where_the_answer_is_read_is_said_if_it_is_at_the_end_only(task, history):
    experiment = SMALL.but(task=task, epochs=1)
    title = draw({"one": DrawnNet(history(experiment), "one")}).layout.yaxis.title.text
    assert ("answer" in title) == answers_at_the_end(experiment) == (len(experiment.points().y[0]) == 1)


def overlap(one, other):
    return all(max(a[0], b[0]) < min(a[1], b[1]) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("count", range(1, 7))
@pytest.mark.parametrize("narrow", [False, True])
def test_no_panel_lies_upon_another_and_all_are_inside(narrow, count):
    found = places(count, narrow)
    everything = [*found.maps, found.loss, found.share, found.profile, found.colour_bar]
    assert len(found.maps) == count
    for index, one in enumerate(everything):
        assert all(0 <= low < high <= 1 + 1e-9 for low, high in one)
        assert not any(overlap(one, other) for other in everything[:index])


def test_on_a_phone_the_same_axes_lie_below_each_other(cells):
    layout = draw(cells).layout
    phone = layout.meta["narrow"]
    assert {name for name in phone if "axis" in name} == {name for name in layout.to_plotly_json() if "axis" in name}
    domains = [phone[f"xaxis{number_}"]["domain"] for number_ in ("", 2, 3, LOSS, SHARE, PROFILE)]
    assert all(list(domain) == [0.0, 1.0] for domain in domains)


def test_the_text_for_those_who_hear_it_has_the_numbers(cells):
    shown = {**cells, "GRU": None}
    told = describe_compared(beside(shown), TimeView(at=2, colour=VALUE))
    history = cells["LSTM"].history
    for record in (0, history.at(2)):
        middle = np.median(np.log10(history.measures["state_gradient"][:, record]), axis=0)
        for step in (1, SMALL.length):
            assert f"step {step} {decades(middle[step - 1])}" in told
    assert f"{number(np.median(history.loss[:, 0]))} at the start" in told
    assert f"{history.outcome.count(SOLVED)} of {SMALL.runs} seeds have learnt it" in told
    assert "GRU is being measured." in told


def test_a_figure_is_pure(cells):
    kept = cells["RNN"].history.measures["state_gradient"].copy()
    assert draw(cells).to_json() == draw(cells).to_json()
    np.testing.assert_array_equal(cells["RNN"].history.measures["state_gradient"], kept)
