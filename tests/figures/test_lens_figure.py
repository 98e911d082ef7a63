"""The lens as it is drawn: the bars are the histogram, under the curve by which they are multiplied."""

import numpy as np
import pytest

from explorer import Experiment, RecurrentExperiment, train
from explorer.choices.activations import ACTIVATIONS
from explorer.choices.cells import CELLS
from explorer.diagnosis.lens import look
from explorer.figures.lens import END, NO_SEED, ZERO, describe_lens, flat_ends, lens_figure
from explorer.figures.marks import NOT_FINITE_WORDS
from tests.pictures import checked
from tests.work import few

lens_figure = checked(lens_figure)

SMALL = Experiment(task="moons", samples=32, depth=4, width=6, epochs=15, runs=3)


@pytest.fixture(scope="module")
def histories():
    kinds = {name: SMALL.but(activation=name, initializer="He normal") for name in ACTIVATIONS}
    kinds["zeros"] = SMALL.but(activation="ReLU", initializer="zeros")
    kinds["diverged"] = SMALL.but(activation="ReLU", width=32, initializer="normal", learning_rate=1e3)
    kinds["batch"] = SMALL.but(activation="sigmoid", normalization="batch", depth=1)
    kinds["tanh, fewer"] = SMALL.but(activation="tanh", depth=2, runs=1)
    return {name: train(experiment) for name, experiment in kinds.items()}


def named(figure, words):
    return [trace for trace in figure.data if trace.name == words]


KINDS = ["zeros", "diverged", "batch"]


@pytest.mark.parametrize("kind", few([*ACTIVATIONS, *KINDS], ["sigmoid", "ReLU", "randomized ReLU", *KINDS]))
def test_it_draws_for_every_activation_and_kind_of_history(kind, histories):
    for baseline in (None, "tanh, fewer"):
        other = None if baseline is None else look(histories[baseline], 15, 2)
        for epoch, layer, seed in ((0, 1, None), (15, 4, 1)):
            lens = look(histories[kind], epoch, layer, seed)
            figure = lens_figure(lens, other, "the settings")
            (bars,) = named(figure, "histogram of z")
            assert sum(bars.y) + lens.zero + lens.lost == pytest.approx(0 if lens.empty else 1)
            assert describe_lens(lens, other)


def test_the_dashed_line_is_at_the_height_of_the_rms_and_the_diamond_at_that_of_whys_slope(histories):
    lens = look(histories["tanh"], 15, 2)
    figure = lens_figure(lens, None, "")
    assert set(named(figure, "RMS of f′")[0].y) == {lens.rms_slope[1]}
    assert named(figure, "slope in Why")[0].y == (lens.factor,)
    low, high = figure.layout.yaxis.range
    assert low <= lens.factor <= high


def test_a_viewers_hand_reads_z_f_and_the_slope_off_both_curves(histories):
    figure = lens_figure(look(histories["tanh"], 0, 1), None, "")
    for trace in (*named(figure, "f, tanh"), *named(figure, "f′, tanh")):
        z, f, slope = np.array(trace.customdata, dtype=float).T
        np.testing.assert_allclose(f, np.tanh(z), atol=1e-6)
        np.testing.assert_allclose(slope, 1 - np.tanh(z) ** 2, atol=1e-6)
        assert all(f"%{{customdata[{place}]" in trace.hovertemplate for place in range(3))
    assert figure.layout.xaxis.showspikes


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_shaded_is_where_the_function_is_saturated(activation):
    entry = ACTIVATIONS[activation]
    ends = flat_ends(entry)
    assert bool(ends) == (entry.saturation is not None)
    for low, high in ends:
        assert (low == -END) != (high == END), "from the end of the axis to where it bends"
        border = np.array([high if low == -END else low])
        a, bounds = entry.f(border, np.empty(1))[0], entry.saturation
        assert min(abs(a - bound) for bound in bounds) < 0.01


def test_an_exact_0_is_a_bar_of_its_own_and_what_is_not_finite_a_mark(histories):
    figure = lens_figure(look(histories["zeros"], 0, 2), None, "")
    assert named(figure, ZERO)[0].y == (1.0,)
    history = histories["tanh"]
    counts = history.z_counts.copy()
    counts[:, :, :, -1] = counts[:, :, :, :-1].max()
    broken = look(type(history)(**{**vars(history), "z_counts": counts}), 0, 1)
    assert named(lens_figure(broken, None, ""), NOT_FINITE_WORDS)
    assert f"z not finite: {broken.lost:.1%}" in describe_lens(broken, None)


def test_where_every_seed_has_ended_it_says_so(histories):
    lens = look(histories["diverged"], 15, 1)
    assert NO_SEED in [note.text for note in lens_figure(lens, None, "").layout.annotations]
    assert NO_SEED in describe_lens(lens, None)


def test_the_baselines_curve_is_drawn_only_where_its_activation_is_another(histories):
    tanh, relu = (look(histories[name], 15, 2) for name in ("tanh", "ReLU"))
    fewer = look(histories["tanh, fewer"], 15, 3)
    assert not named(lens_figure(tanh, fewer, ""), "baseline: f and f′, tanh")
    curves = named(lens_figure(relu, fewer, ""), "baseline: f and f′, tanh")
    assert {curve.line.dash for curve in curves} == {"dash"}
    lines = next(note.text for note in lens_figure(relu, fewer, "").layout.annotations if note.name == "lines")
    assert "Layer 2 of 4" in lines
    assert "baseline (layer 2 of 2, epoch 15, 1 seed)" in lines


def test_of_randomized_relu_the_range_of_slopes_is_a_band(histories):
    figure = lens_figure(look(histories["randomized ReLU"], 0, 1), None, "")
    f, slope = named(figure, "slopes drawn from 0.125 to 0.333")
    assert set(np.round(slope.y, 3)) == {0.125, 0.333}
    assert (f.fill, slope.fill) == ("toself", "toself")


def test_every_layer_has_a_row_that_can_be_clicked(histories):
    figure = lens_figure(look(histories["tanh"], 0, 3), None, "")
    (rows,) = [trace for trace in figure.data if trace.type == "bar" and trace.orientation == "h"]
    assert list(rows.y) == [1, 2, 3, 4]
    assert all("RMS of f′" in text for text in rows.hovertext)


# --- over time ------------------------------------------------------------------------------------

OVER_TIME = RecurrentExperiment(length=40, hidden=4, samples=8, epochs=3, runs=2)
EACH_FUNCTION = [(cell, name) for cell in CELLS for name in OVER_TIME.but(cell=cell, stack=2).functions]


@pytest.fixture(scope="module")
def recurrent():
    return {cell: train(OVER_TIME.but(cell=cell, stack=2)) for cell in CELLS} | {"RNN, one": train(OVER_TIME)}


@pytest.mark.parametrize(("cell", "function"), EACH_FUNCTION)
def test_over_time_it_draws_every_gate_and_new_state_with_its_own_function(cell, function, recurrent):
    lens, other = look(recurrent[cell], 3, 40, function=function), look(recurrent["RNN, one"], 3, 40)
    figure = lens_figure(lens, other, "", names=("RNN", cell))
    assert named(figure, f"f, {'sigmoid' if 'gate' in function else 'tanh'}")
    assert sum(named(figure, "histogram of z")[0].y) + lens.zero == pytest.approx(1)
    assert not named(figure, "dL/dz over dL/dh")
    assert named(figure, "dL/dz over dL/dh, RNN"), "the engine measures the slope of a net with one function only"
    told = describe_lens(lens, other, ("RNN", cell))
    assert f"{function}, step 40 of 40, epoch 3, 2 seeds" in told
    assert "RNN, tanh, new state, step 40" in told


def test_a_row_of_the_ridge_is_a_step_of_the_selection(recurrent):
    lens = look(recurrent["LSTM"], 0, 19, function="forget gate")
    figure = lens_figure(lens, None, "")
    (rows,) = [trace for trace in figure.data if trace.type == "bar" and trace.orientation == "h"]
    assert len(rows.y) == 34
    assert [int(text.split()[1].rstrip(":")) for text in rows.hovertext] == list(lens.looked_at)
    ticks = dict(zip(figure.layout.yaxis4.tickvals, figure.layout.yaxis4.ticktext, strict=True))
    assert (ticks[1], ticks[34]) == ("1", "40")
    assert "34 of 40 steps" in " ".join(note.text for note in figure.layout.annotations)
