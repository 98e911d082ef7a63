"""The map of a sweep and its section: judged by what the browser would be sent."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest

from explorer import Experiment
from explorer.choices.arrays import thin
from explorer.choices.experiment import CONTROLS
from explorer.diagnosis.seeds import share_interval
from explorer.diagnosis.wording import decades, summary
from explorer.figures import theme
from explorer.figures.sweep import CRITICAL, NO_RESULT, NO_VALUE, outcome_text, row_figure, sweep_figure, value_text
from explorer.sweeps.chunks import Measurement
from explorer.sweeps.critical import critical_points
from explorer.sweeps.outcomes import OUTCOMES, Finding
from explorer.sweeps.sweep import AXES, Place, Sweep
from explorer.sweeps.workers import complete
from tests.pictures import checked

row_figure, sweep_figure = map(checked, (row_figure, sweep_figure))

BASE = Experiment(depth=3, epochs=30, runs=4)
RATIO, SHARE, SOLVED = OUTCOMES["first / last layer, start"], OUTCOMES["share solved"], OUTCOMES["epochs to solve"]
each_outcome = pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)


@dataclass
class Results:
    """What a figure is drawn of."""

    sweep: Sweep
    findings: Mapping[Place, Finding]
    problems: Mapping[Place, str]


def results(sweep, keep=lambda cell: True):
    cells = {cell: each for cell, each in sweep.cells.items() if isinstance(each, Experiment) and keep(cell)}
    found = dict(zip(cells, complete(Measurement, list(cells.values()), sweep.trained), strict=True))
    return Results(sweep, found, {cell: each for cell, each in sweep.cells.items() if isinstance(each, str)})


@pytest.fixture(scope="module")
def swept():
    sweep = Sweep(BASE, "depth", (1, 2, 5, 9), "learning_rate", (0.01, 0.1, 10.0), trained=True)
    return results(sweep, keep=lambda cell: cell != (3, 2))


def changed(swept, cell, **values):
    """The same with one finding changed."""
    return replace(swept, findings={**swept.findings, cell: replace(swept.findings[cell], **values)})


def heatmaps(figure):
    return [trace for trace in figure.data if trace.type == "heatmap"]


def named(figure, words):
    """Traces that the legend shows under a name."""
    return [trace for trace in figure.data if trace.name == words and trace.showlegend is not False]


def sent(figure):
    return json.loads(figure.to_json())


# --- the map ----------------------------------------------------------------------------------


@each_outcome
def test_every_cell_has_its_outcome_as_its_colour(outcome, swept):
    z = np.array(heatmaps(sweep_figure(swept, outcome))[0].z)
    assert z.shape == (3, 4)
    for (column, row), found in swept.findings.items():
        value = outcome.of(found)
        expected = value if math.isfinite(value) else math.nan
        np.testing.assert_allclose(z[row, column], expected, rtol=1e-6)
    assert np.isnan(z[2, 3])


@each_outcome
def test_the_colours_are_fixed_by_the_outcome(outcome, swept):
    for each in (swept, Results(swept.sweep, {}, {}), changed(swept, (0, 0), loss=1e9, log_ratio=-300.0, solved=4)):
        colours = sweep_figure(each, outcome).layout.coloraxis
        assert (colours.cmin, colours.cmax) == outcome.span
        middle = [colour for place, colour in colours.colorscale if place == 0.5]
        assert (middle == ["#f7f7f7"]) == outcome.diverging


@each_outcome
def test_the_colour_bar_says_the_scale_in_its_own_units(outcome, swept):
    bar = sweep_figure(swept, outcome).layout.coloraxis.colorbar
    low, high = outcome.span
    assert all(low <= value <= high for value in bar.tickvals)
    assert 3 <= len(bar.tickvals) <= 9
    for value, text in zip(bar.tickvals, bar.ticktext, strict=True):
        if outcome.unit == "share":
            assert text == f"{value:.0%}"
        else:
            assert (text == "1") == (abs(value) < 1e-9)
    assert bar.title.text == outcome.name


@pytest.mark.parametrize(
    ("value", "words", "colour"),
    [(-math.inf, "exactly 0", "EXACT_ZERO"), (math.inf, "not finite: infinite or NaN", "NOT_FINITE")],
)
def test_what_is_no_size_is_marked_apart_and_in_the_legend(value, words, colour, swept):
    figure = sweep_figure(changed(swept, (1, 2), log_ratio=value), RATIO)
    colours, flat = heatmaps(figure)
    assert np.isnan(np.array(colours.z)[2, 1])
    marked = np.isfinite(np.array(flat.z))
    assert [tuple(place) for place in np.argwhere(marked)] == [(2, 1)]
    assert {shade for _, shade in flat.colorscale} == {getattr(theme, colour)}
    assert named(figure, words)[0].marker.color == getattr(theme, colour)
    assert words in flat.hovertext[2, 1]


def test_where_half_of_the_seeds_never_solve_it_the_mark_says_so(swept):
    figure = sweep_figure(swept, SOLVED)
    words = "at least half of the seeds never solve it"
    assert named(figure, words)
    assert not any("finite" in (trace.name or "") for trace in figure.data)
    assert words in outcome_text(SOLVED, SOLVED.of(swept.findings[3, 0]))


def test_no_mark_without_something_to_mark(swept):
    figure = sweep_figure(swept, SHARE)
    assert len(heatmaps(figure)) == 1
    assert len(figure.data) == 1


def test_cells_that_cannot_be_are_crossed_and_say_why():
    swept = results(Sweep(BASE, "task", ("moons", "curve"), "loss", ("usual", "cross-entropy"), trained=False))
    (cross,) = named(sweep_figure(swept, RATIO), NO_RESULT)
    assert (cross.x[0], cross.y[0]) == (1, 1)
    assert len(cross.x) == 1
    assert "regression" in cross.hovertext[0]


def test_a_result_that_says_nothing_of_the_outcome_is_not_taken_for_a_missing_one():
    swept = results(Sweep(BASE, "initializer", ("zeros", "uniform"), "depth", (3,), trained=False))
    (ring,) = named(sweep_figure(swept, OUTCOMES["factor against theory, start"]), NO_VALUE)
    assert [tuple(place) for place in zip(ring.x, ring.y, strict=True)] == [(0, 0)]
    # Of networks that were not trained, no share is known: not 0.
    assert len(named(sweep_figure(swept, SHARE), NO_VALUE)[0].x) == 2


def test_a_map_before_its_first_cell_draws(swept):
    empty = Results(swept.sweep, {}, {})
    for outcome in OUTCOMES.values():
        assert sent(sweep_figure(empty, outcome))
        assert sent(row_figure(empty, outcome, 0))


def test_a_cell_says_both_settings_its_number_its_seeds_and_its_verdict(swept):
    text = heatmaps(sweep_figure(swept, RATIO))[0].hovertext[1, 2]
    found = swept.findings[2, 1]
    for words in (
        "depth 5",
        "learning rate 0.1",
        decades(found.log_ratio),
        f"{found.solved} of 4 seeds",
        found.verdict,
    ):
        assert words in text


def test_ticks_say_the_values_and_stand_at_their_cells(swept):
    layout = sweep_figure(swept, RATIO).layout
    assert list(layout.xaxis.ticktext) == ["1", "2", "5", "9"]
    assert list(layout.yaxis.ticktext) == ["0.01", "0.1", "10"]
    assert list(layout.xaxis.tickvals) == [0, 1, 2, 3]
    assert (layout.xaxis.title.text, layout.yaxis.title.text) == ("Depth", "Learning rate")
    assert layout.xaxis.tickfont.size == theme.TICK_SIZE


@pytest.mark.parametrize("name", AXES)
def test_every_axis_has_few_enough_ticks_and_its_ends(name):
    other = "depth" if name != "depth" else "gain"
    values = AXES[name]
    axis = sweep_figure(Results(Sweep(BASE, name, values, other, AXES[other][:1], False), {}, {}), RATIO).layout.xaxis
    assert len(axis.ticktext) <= 20
    assert (axis.ticktext[0], axis.ticktext[-1]) == (value_text(values[0]), value_text(values[-1]))
    assert axis.title.text == CONTROLS[name].label


def test_the_picture_carries_its_settings(swept):
    notes = sweep_figure(swept, RATIO).layout.annotations
    assert any(summary(BASE) in note.text.replace("<br>", " ") for note in notes)


def test_the_row_of_the_section_is_outlined(swept):
    (shape,) = sweep_figure(swept, RATIO, row=1).layout.shapes
    assert (shape.y0, shape.y1, shape.x0, shape.x1) == (0.5, 1.5, -0.5, 3.5)


def test_arrays_travel_as_binary(swept):
    for trace in sent(sweep_figure(swept, RATIO))["data"]:
        assert isinstance(trace.get("z", {}), dict)


def test_a_figure_is_pure(swept):
    assert sweep_figure(swept, RATIO).to_json() == sweep_figure(swept, RATIO).to_json()


# --- the critical line ------------------------------------------------------------------------

WIDE = Experiment(activation="tanh", initializer="LeCun", width=16, runs=1)


def line(sweep):
    figure = sweep_figure(Results(sweep, {}, {}), RATIO, critical=critical_points(sweep))
    (trace,) = named(figure, CRITICAL)
    assert trace.line.color == theme.THEORY
    return np.array(trace.x, dtype=float), np.array(trace.y, dtype=float), trace


def test_the_critical_line_passes_between_the_cells_by_their_values():
    # tanh is critical at gain 1, half-way between 0.5 and 2 by ratio.
    depths = thin(AXES["depth"], 5)
    x, y, trace = line(Sweep(WIDE, "depth", depths, "gain", (0.25, 0.5, 2.0), False))
    known = ~np.isnan(x)
    np.testing.assert_allclose(x[known], np.arange(5))
    np.testing.assert_allclose(y[known], 1.5, atol=1e-3)
    assert trace.line.dash == "dash"


def test_on_the_other_axis_it_is_the_same_line_turned():
    x, y, _ = line(Sweep(WIDE, "gain", (0.25, 0.5, 2.0), "depth", (1, 2, 3), False))
    known = ~np.isnan(x)
    np.testing.assert_allclose(y[known], np.arange(3))
    np.testing.assert_allclose(x[known], 1.5, atol=1e-3)


def test_beside_choices_each_has_a_dash_of_its_own():
    sweep = Sweep(WIDE, "activation", ("tanh", "sigmoid", "ReLU"), "gain", (0.25, 0.5, 2.0), False)
    x, y, _ = line(sweep)
    # Sigmoid's would be at gain 10: none here. He's for ReLU: sqrt 2.
    np.testing.assert_allclose(x[~np.isnan(x)], [-0.4, 0.4, 1.6, 2.4])
    np.testing.assert_allclose(
        y[~np.isnan(y)][[0, 2]], [1.5, 1 + math.log(math.sqrt(2) / 0.5) / math.log(4)], atol=1e-3
    )


def test_it_can_be_told_from_the_map_under_it():
    sweep = Sweep(WIDE, "depth", (2, 5, 9), "gain", (0.25, 0.5, 2.0), False)
    lines = [
        t
        for t in sweep_figure(Results(sweep, {}, {}), RATIO, critical=critical_points(sweep)).data
        if t.type == "scatter"
    ]
    casing, dashes = lines
    assert casing.line.width > dashes.line.width
    assert casing.showlegend is False


# --- the section ------------------------------------------------------------------------------


@each_outcome
def test_the_section_is_the_row_of_the_map_on_the_same_scale(outcome, swept):
    for row in range(3):
        figure = row_figure(swept, outcome, row)
        np.testing.assert_array_equal(
            np.array(figure.data[0].y), np.array(heatmaps(sweep_figure(swept, outcome))[0].z)[row]
        )
        low, high = figure.layout.yaxis.range
        assert low <= outcome.span[0] < outcome.span[1] <= high


def test_a_share_has_its_interval(swept):
    trace = row_figure(swept, SHARE, 2).data[0]
    for column in range(3):
        found = swept.findings[column, 2]
        low, high = share_interval(found.solved, found.runs)
        share = found.solved / found.runs
        assert share - trace.error_y.arrayminus[column] == pytest.approx(low, abs=1e-6)
        assert share + trace.error_y.array[column] == pytest.approx(high, abs=1e-6)


@pytest.mark.parametrize(
    ("value", "words", "edge"),
    [
        (-math.inf, "exactly 0", 0),
        (math.inf, "not finite: infinite or NaN", 1),
        (-20.0, "below the scale", 0),
        (20.0, "above the scale", 1),
    ],
)
def test_what_has_no_place_on_the_scale_is_marked_at_its_edge(value, words, edge, swept):
    figure = row_figure(changed(swept, (2, 1), log_ratio=value), RATIO, 1)
    (mark,) = named(figure, words)
    assert list(mark.x) == [2]
    assert abs(mark.y[0] - RATIO.span[edge]) < 1


def test_points_of_a_choice_are_not_joined():
    swept = results(Sweep(BASE, "activation", ("tanh", "ReLU"), "depth", (2,), trained=False))
    assert row_figure(swept, RATIO, 0).data[0].mode == "markers"


def test_the_columns_of_map_and_section_stand_above_each_other(swept):
    map_, section = sweep_figure(swept, RATIO).layout, row_figure(swept, RATIO, 0).layout
    assert (map_.margin.l, map_.margin.r) == (section.margin.l, section.margin.r)
    assert map_.xaxis.range == section.xaxis.range


@pytest.mark.parametrize(
    ("value", "text"), [(5e-05, "5 × 10⁻⁵"), (0.001, "0.001"), (1.4142, "1.41"), (1000, "1,000"), ("tanh", "tanh")]
)
def test_a_value_is_said_as_people_write_it(value, text):
    assert value_text(value) == text
