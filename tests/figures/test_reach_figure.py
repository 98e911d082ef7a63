"""Reach and truncation: what is measured against its definition and theory, and what of it is drawn."""

import json
from dataclasses import replace

import numpy as np
import pytest

from explorer.choices.recurrent_experiment import PLAIN_ACTIVATIONS, RecurrentExperiment
from explorer.diagnosis.reach import (
    BOUND,
    GATE,
    LIMIT_SECONDS,
    _seconds,
    cut_off,
    log_kept,
    reach_curve,
    seeds_measured,
    state_jacobians,
    state_reach,
)
from explorer.diagnosis.seeds import log_band
from explorer.figures import theme
from explorer.figures.marks import ABOVE, BELOW, NOT_FINITE_WORDS, ZERO_WORDS
from explorer.figures.reach import (
    GRADIENT_SPAN,
    REACH_SPAN,
    cut_words,
    describe_reach,
    describe_truncation,
    reach_figure,
    truncation_figure,
)
from explorer.figures.theme import BASELINE_STYLE, NOW_STYLE
from explorer.theory.gates import gate_product
from explorer.training.recurrent_network import recurrent_architecture
from explorer.training.run import Training
from tests.pictures import checked
from tests.work import every_two

reach_figure, truncation_figure = map(checked, (reach_figure, truncation_figure))

CELLS = ("RNN", "LSTM", "GRU")
STYLES = [NOW_STYLE, BASELINE_STYLE, NOW_STYLE]
each_cell = pytest.mark.parametrize("cell", CELLS)


def small(cell="RNN", **more):
    return RecurrentExperiment(**{"cell": cell, "length": 10, "hidden": 5, "samples": 8, "runs": 3, "epochs": 5} | more)


def trained(e):
    training = Training(e)
    training.advance(float("inf"))
    return training


def named(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def line(figure, name):
    (found,) = (trace for trace in named(figure, name) if trace.mode == "lines")
    return np.asarray(found.y, dtype=float)


def marked(figure, words):
    return [trace for trace in named(figure, words) if trace.x[0] is not None]


# --- what is measured -------------------------------------------------------------------------


@each_cell
@pytest.mark.parametrize("stack", [1, 2])
def test_the_start_is_that_of_the_training_to_the_last_digit(cell, stack):
    e = small(cell, stack=stack, initializer="orthogonal", seed=3)
    training = Training(e, record_at=[0])
    assert np.array_equal(reach_curve(e).start[:, ::-1], state_reach(training))
    curve = reach_curve(e, state_reach(training))
    assert np.array_equal(curve.start, curve.now)


@each_cell
def test_a_curve_is_the_norm_of_the_jacobians_by_distance(cell):
    e = small(cell)
    training = trained(e)
    theta = np.concatenate([group.theta for group in training.groups], axis=1)
    jacobians = state_jacobians(recurrent_architecture(e), theta, training.points.x[0])
    curve = reach_curve(e, state_reach(training), "trained")
    for distance in range(e.length + 1):
        for run in range(e.runs):
            expected = np.linalg.svd(jacobians[e.length - distance, run])[1][0]
            assert curve.now[run, distance] == pytest.approx(expected, rel=1e-12)


@each_cell
@pytest.mark.parametrize("length", [2, 9, 10])
def test_what_a_rule_asks_for_is_the_curves_number_in_the_middle(cell, length):
    e = small(cell, length=length, stack=2)
    curve = np.log10(reach_curve(e).start[:, length - length // 2])
    assert log_kept(e) == pytest.approx(np.median(curve), rel=1e-12)


@each_cell
def test_at_distance_0_everything_is_left(cell):
    curve = reach_curve(small(cell), state_reach(trained(small(cell))))
    assert (curve.start[:, 0] == 1).all()
    assert (curve.now[:, 0] == 1).all()
    assert curve.theory[0] == 0


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
@pytest.mark.parametrize("bias", [-10.0, 0.0, 1.0, 4.6])
def test_the_line_of_the_gate_is_the_power_of_its_sigmoid(cell, bias):
    e = small(cell, forget_bias=bias, length=500, hidden=1, runs=1)
    curve, distances = reach_curve(e), np.arange(501)
    assert curve.theory_name == GATE
    np.testing.assert_allclose(curve.theory, distances * -np.log10(1 + np.exp(-bias)), rtol=1e-13)
    near = slice(0, 60)  # as a number as well, where it is one
    np.testing.assert_allclose(10 ** curve.theory[near], gate_product(bias, distances[near]), rtol=1e-11)


@pytest.mark.parametrize("bias", [0.0, 4.6])
def test_without_weights_and_input_an_lstm_lies_on_the_gates_line(bias):
    e = small("LSTM", initializer="zeros", forget_bias=bias, length=40)
    shape = recurrent_architecture(e)
    theta = Training(e, record_at=[0]).groups[0].theta
    jacobians = state_jacobians(shape, theta, np.zeros((e.length, shape.inputs)))
    reach = np.linalg.norm(jacobians, 2, axis=(-2, -1))[::-1]
    np.testing.assert_allclose(
        np.log10(reach), np.broadcast_to(reach_curve(e).theory[:, None], reach.shape), atol=1e-12
    )


@every_two(activation=PLAIN_ACTIVATIONS, strength=[0.5, 1.0, 3.0], stack=[1, 2])
def test_the_start_of_a_plain_net_never_exceeds_pascanus_bound(activation, strength, stack):
    curve = reach_curve(small(activation=activation, strength=strength, stack=stack, length=20, runs=6))
    assert curve.theory_name == BOUND
    assert (log_band(curve.start).middle <= curve.theory + 1e-9).all()
    # A bound that all keep is not yet one that tells: an orthogonal linear net reaches it.
    level = reach_curve(small(initializer="orthogonal", strength=strength))
    assert level.theory[-1] == pytest.approx(10 * np.log10(strength), abs=1e-9)


def test_a_net_without_recurrent_weights_has_a_bound_of_exactly_0():
    curve = reach_curve(small(initializer="zeros"))
    assert curve.theory.tolist() == [0.0] + [-np.inf] * 10
    assert not curve.start[:, 1:].any()


def test_a_bound_that_no_number_can_hold_is_still_finite():
    curve = reach_curve(small(strength=10.0, length=500, hidden=8, runs=1))
    assert np.isfinite(curve.theory).all()
    assert curve.theory[-1] > 308


def test_what_only_training_depends_on_is_not_measured_again():
    e = small()
    first = reach_curve(e).start
    other = reach_curve(e.but(learning_rate=0.1, clip="none", epochs=7, truncation=3, optimizer="SGD")).start
    assert np.shares_memory(first, other)
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 2.0


@pytest.mark.parametrize(
    "change",
    [{"seed": 9}, {"strength": 1.5}, {"initializer": "identity"}, {"cell": "GRU"}, {"task": "adding"}, {"stack": 2}],
)
def test_what_the_start_depends_on_is(change):
    assert not np.array_equal(reach_curve(small()).start, reach_curve(small().but(**change)).start)


# --- how long it may take ---------------------------------------------------------------------


@each_cell
def test_work_and_memory_are_bounded_for_every_experiment(cell):
    lengths, hidden = (RecurrentExperiment.controls()[name].marks for name in ("length", "hidden"))
    for length in lengths:
        for units in hidden:
            e = RecurrentExperiment(cell=cell, length=length, hidden=units, runs=64)
            asked = seeds_measured(e)
            assert asked == 1 or asked * _seconds(e) <= LIMIT_SECONDS
            assert _seconds(e) < 2 * LIMIT_SECONDS
            assert 8 * asked * (length + 1) * units**2 < 2**28


def test_where_not_all_seeds_are_asked_it_is_said():
    e = RecurrentExperiment(cell="GRU", length=200, hidden=48, runs=64)
    assert 1 < seeds_measured(e) < 64
    curve = replace(reach_curve(small()), runs=64)
    said = f"RNN (the first {small().runs} of 64 seeds)"
    assert named(reach_figure([curve], STYLES[:1]), said)
    assert said in describe_reach([curve])


def test_the_first_seeds_are_those_that_are_asked(monkeypatch):
    e = small(runs=5)
    every = state_reach(trained(e))
    monkeypatch.setattr("explorer.diagnosis.reach.LIMIT_SECONDS", 2.5 * _seconds(e))
    few = state_reach(trained(e))
    assert few.shape == (2, 11)
    assert np.array_equal(few, every[:2])


# --- what is drawn ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def curves():
    found = {cell: small(cell) for cell in CELLS}
    return [reach_curve(e, state_reach(trained(e)), name) for name, e in found.items()]


def test_lines_are_the_medians_over_seeds_and_theory(curves):
    figure = reach_figure(curves, STYLES)
    for curve in curves:
        for name, logs in (
            ("at the start", log_band(curve.start).middle),
            ("trained so far", log_band(curve.now).middle),
            (curve.theory_name, curve.theory),
        ):
            np.testing.assert_allclose(line(figure, f"{curve.name}, {name}"), logs, rtol=1e-6, atol=1e-6)


def test_before_training_there_is_the_start_alone(curves):
    figure = reach_figure([replace(curve, now=None) for curve in curves], STYLES)
    assert not [trace for trace in figure.data if "trained" in (trace.name or "")]
    assert len([trace for trace in figure.data if "at the start" in trace.name]) == 4  # and its entry in the legend


def test_the_axis_does_not_move_with_the_data(curves):
    tiny = replace(curves[0], start=curves[0].start * 1e-30, now=curves[0].now * 1e30)
    for shown in (curves[:1], [tiny]):
        assert reach_figure(shown, STYLES[:1]).layout.yaxis.range == REACH_SPAN


def test_what_lies_beyond_the_axis_is_zero_or_not_finite_has_marks_of_its_own(curves):
    start = np.tile([1.0, 1e-20, 1e20, 0.0, np.nan, np.inf, 1.0, 1.0, 1.0, 1.0, 1.0], (3, 1))
    figure = reach_figure([replace(curves[0], start=start, now=None, theory=np.zeros(11))], STYLES[:1])
    assert [list(trace.x) for trace in marked(figure, BELOW)] == [[1]]
    assert [list(trace.x) for trace in marked(figure, ABOVE)] == [[2]]
    (zero,), (broken,) = marked(figure, ZERO_WORDS), marked(figure, NOT_FINITE_WORDS)
    assert (list(zero.x), zero.marker.color) == ([3], theme.EXACT_ZERO)
    assert (list(broken.x), broken.marker.color) == ([4, 5], theme.NOT_FINITE)
    assert REACH_SPAN[0] < zero.y[0] < broken.y[0] < REACH_SPAN[1]


def test_a_line_that_leaves_the_picture_is_marked_where_it_does(curves):
    theory = np.linspace(0, -30, 11)
    figure = reach_figure([replace(curves[0], theory=theory, now=None)], STYLES[:1])
    (mark,) = marked(figure, BELOW)
    assert list(mark.x) == [int(np.flatnonzero(theory < REACH_SPAN[0])[0])]


def test_every_net_has_its_colour_and_every_kind_of_line_one_entry(curves):
    figure = reach_figure(curves, STYLES)
    entries = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert entries[:3] == list(CELLS)
    assert len(set(entries)) == len(entries)
    for curve, style in zip(curves, STYLES, strict=True):
        lines = [t for t in figure.data if t.mode == "lines" and t.name.startswith(f"{curve.name}, ")]
        assert {trace.line.color for trace in lines} == {style.colour}
        assert {trace.line.dash for trace in lines} >= {None, "dot"}


def test_the_narrow_layout_and_the_settings_are_there(curves):
    settings = "which first, 10 steps · and many other settings, more than there is room for in one line of a phone"
    layout = json.loads(reach_figure(curves, STYLES, settings).to_json())["layout"]
    for one in (layout, layout["meta"]["narrow"]):
        (said,) = (a["text"] for a in one["annotations"])
        assert said.replace("<br>", " ") == settings
    assert layout["meta"]["narrow"]["height"] > layout["height"]


def test_the_text_has_the_numbers_of_the_figure():
    e = small("LSTM", length=40, forget_bias=1.0, initializer="zeros")
    said = describe_reach([reach_curve(e)])
    for distance in (1, 10, 20, 40):
        assert f"at distance {distance} " in said
    assert "gate at rest at distance 1 0.73" in said  # σ(1)
    assert "trained" not in said


# --- truncation -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cuts():
    found = {cell: small(cell, length=20, truncation=5, epochs=2) for cell in CELLS}
    return {name: cut_off(trained(e)) for name, e in found.items()}


def test_in_the_last_piece_the_cut_gradient_is_the_whole_one_exactly(cuts):
    figure = truncation_figure(cuts, STYLES)
    for name in cuts:
        cut, whole = line(figure, f"{name}, cut"), line(figure, f"{name}, whole")
        assert np.array_equal(cut[15:], whole[15:])
        assert np.isnan(cut[:15]).all()
        assert np.isfinite(whole).all()


def test_what_is_cut_off_is_marked_as_exactly_0(cuts):
    figure = truncation_figure(cuts, STYLES)
    for trace in marked(figure, ZERO_WORDS):
        assert list(trace.x) == list(range(1, 16))


def test_no_band_is_drawn_where_all_seeds_are_exactly_0(cuts):
    bands = [trace for trace in truncation_figure(cuts, STYLES).data if trace.fill == "toself"]
    assert len(bands) == len(cuts)
    for trace in bands:
        assert np.nanmin(np.asarray(trace.x, dtype=float)) == 16


def test_borders_stand_between_the_pieces(cuts):
    assert [shape.x0 for shape in truncation_figure(cuts, STYLES).layout.shapes] == [5.5, 10.5, 15.5]
    whole = {"not cut": replace(cuts["RNN"], truncation=0)}
    assert not truncation_figure(whole, STYLES[:1]).layout.shapes
    fine = {"RNN": cut_off(trained(small(length=100, truncation=1, epochs=1)))}
    assert not truncation_figure(fine, STYLES[:1]).layout.shapes  # they would hide the curves


def test_the_axis_of_truncation_is_that_of_the_gradient(cuts):
    assert truncation_figure(cuts, STYLES).layout.yaxis.range == GRADIENT_SPAN


def test_length_and_direction_are_said_as_medians(cuts):
    cut = replace(cuts["RNN"], share=np.array([0.1, 0.43, 0.9]), cosine=np.array([0.0, 0.5, 1.0]))
    assert cut_words(cut) == "the cut gradient is 43% as long and points 60° away"
    nothing = replace(cut, share=np.full(3, np.nan), cosine=np.full(3, np.nan))
    assert cut_words(nothing) == "the gradient is 0 or not finite"
    said = describe_truncation({"RNN": cut})
    assert "43% as long" in said
    assert "step 15 cut exactly 0" in said


def test_a_cut_is_the_same_whatever_is_asked_at_a_time(monkeypatch):
    training = trained(small(length=20, truncation=5, epochs=2))
    at_once = cut_off(training)
    monkeypatch.setattr("explorer.diagnosis.reach.group_size", lambda experiment: 2)
    pieces = cut_off(training)
    for name in ("whole", "cut", "share", "cosine"):
        assert np.array_equal(getattr(at_once, name), getattr(pieces, name)), name
    monkeypatch.setattr("explorer.diagnosis.reach.LIMIT_SECONDS", 0.0)
    one = cut_off(training)
    assert (one.runs, one.cut.shape) == (3, (1, 20))
    assert np.array_equal(one.cut, at_once.cut[:1])
    assert named(truncation_figure({"RNN": one}, STYLES[:1]), f"RNN (the first 1 of 3 seeds): {cut_words(one)}")
