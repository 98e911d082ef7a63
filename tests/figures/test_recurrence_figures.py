"""The recurrent matrix, the gates and the steps' parts: histories in, pictures out. Judged by what the browser would be sent."""

from dataclasses import replace

import numpy as np
import pytest

from explorer import train
from explorer.choices.cells import CELLS
from explorer.choices.recurrent_experiment import NEW_STATE, RecurrentExperiment, matrix_choices, matrix_names
from explorer.diagnosis.decomposition import cancelled, last_steps, log_sum
from explorer.diagnosis.seeds import band, log_band
from explorer.diagnosis.wording import number
from explorer.figures import theme
from explorer.figures.gates import JOBS, NO_GATES, SPAN, describe_gates, gates_figure, gates_of, heights, openness
from explorer.figures.marks import ABOVE, BELOW, NOT_FINITE_WORDS, ZERO_WORDS
from explorer.figures.panels import DrawnNet
from explorer.figures.reach import SUM, WHOLE, describe_steps, parts, steps_figure
from explorer.figures.spectra import CHOSEN, CIRCLE, FIRST, SIZE_SPAN, describe_matrix, matrix_figure, spectrum
from explorer.figures.theme import LineStyle
from explorer.figures.view import TimeView
from explorer.training.recording import Ending
from explorer.training.recurrent_group import spectra
from explorer.training.recurrent_network import recurrent_architecture
from explorer.training.run import Training
from tests.pictures import checked

gates_figure, matrix_figure, steps_figure = map(checked, (gates_figure, matrix_figure, steps_figure))

STYLES = [LineStyle(colour, "rgba(9, 9, 9, 0.3)", colour) for colour in theme.COMPARED]
each_cell = pytest.mark.parametrize("cell", CELLS)


def small(**changes):
    return RecurrentExperiment(**{"length": 8, "hidden": 4, "samples": 12, "runs": 3, "epochs": 5, **changes})


def at_start(**changes):
    return train(small(**changes, epochs=1))


def drawn(*histories):
    return [DrawnNet(h, h.experiment.cell, style) for h, style in zip(histories, STYLES, strict=False)]


@pytest.fixture(scope="module")
def three():
    return drawn(*(train(small(cell=cell)) for cell in CELLS))


@pytest.fixture(scope="module")
def exploded():
    """A net of which the middle seed is not finite from epoch 2 on."""
    history = train(small())
    broken = {name: values.copy() for name, values in history.recurrent_matrix.items()}
    for values in broken.values():
        values[1:, 2:] = np.nan
    measures = {name: values.copy() for name, values in history.measures.items()}
    measures["step_gradient"][1:, 2:] = np.nan
    end = Ending(2, 3, "z")
    return replace(history, recurrent_matrix=broken, measures=measures, endings=(None, end, end))


def matrix(nets, epoch=-1, which=NEW_STATE, **view):
    return matrix_figure(nets, TimeView(**view), epoch, "the settings", which)


def of(figure, name, axis=None):
    return [t for t in figure.data if t.name == name and (axis is None or t.xaxis == axis) and t.x is not None]


def real(figure, name, axis):
    return [t for t in of(figure, name, axis) if t.x[0] is not None]


def points(trace):
    return np.array(trace.x) + 1j * np.array(trace.y)


def by_size(values):
    """An order that rounding cannot change but where it does not matter."""
    return np.sort_complex(np.round(np.asarray(values, dtype=complex), 5))


def lines(figure, x, dash):
    return [t for t in figure.data if t.xaxis == x and t.mode == "lines" and t.line.dash == dash]


def plain(values):
    return np.array(values, dtype=float)


# --- the recurrent matrix ---------------------------------------------------------------------


def test_matrices_are_named_layer_by_layer_and_gate_by_gate():
    assert matrix_names(small()) == [NEW_STATE]
    assert matrix_names(small(cell="LSTM"))[1] == "forget gate"
    assert matrix_names(small(cell="GRU", stack=2))[3:] == [f"{n}, layer 2" for n in matrix_names(small(cell="GRU"))]
    for cell in CELLS:
        assert NEW_STATE in matrix_names(small(cell=cell))


@each_cell
@pytest.mark.parametrize("stack", [1, 2])
def test_a_name_means_the_matrix_of_that_block(cell, stack):
    training = Training(small(cell=cell, stack=stack), record_at=[0])
    shape = recurrent_architecture(training.experiments[0])
    (group,) = training.groups_of(0)
    theta = group.theta.copy()
    training.advance(0)
    history = training.history()
    for name in matrix_names(history.experiment):
        gate, _, layer = name.removesuffix(" gate").partition(", layer ")
        gate = gate.removesuffix(" gate")
        block = gate if gate in shape.cell.blocks else "state" if cell == "RNN" else "candidate"
        index = int(layer or 1) - 1
        rows = shape.views(theta).layers[index][:, shape.from_h(index)]
        expected = spectra(rows[:, :, shape.cell.block(block, shape.hidden)])
        for found, values in zip(spectrum(history, name), expected, strict=True):
            np.testing.assert_array_equal(found[:, 0], values)


def test_choices_are_all_names_with_that_of_the_new_state_first():
    found = matrix_choices([small(cell="GRU"), small(cell="LSTM"), small()])
    assert found[0] == NEW_STATE
    assert sorted(found) == sorted(
        {NEW_STATE} | {f"{g} gate" for g in ("reset", "update", "input", "forget", "output")}
    )


@pytest.mark.parametrize("epoch", [0, 2, -1])
def test_the_eigenvalues_drawn_are_those_of_every_seed(three, epoch):
    figure = matrix(three, epoch)
    for place, shown in enumerate(three, start=1):
        x = "x" if place == 1 else f"x{place}"
        values = spectrum(shown.history, NEW_STATE)[0]
        for name, record in ((FIRST, 0), (CHOSEN, shown.history.at(epoch))):
            expected = values[:, record].ravel()
            inside = expected[np.maximum(abs(expected.real), abs(expected.imag)) <= 2]
            (trace,) = of(figure, name, x)
            assert len(trace.x) == (len(inside) if name == CHOSEN else len(expected))
            np.testing.assert_allclose(
                by_size(points(trace)), by_size(inside if name == CHOSEN else expected), atol=2e-5
            )
            assert trace.marker.color == shown.style.colour


def test_eigenvalues_beyond_the_plane_are_marked_at_its_edge_in_their_direction():
    history = at_start(hidden=6, strength=1.0)
    values = history.recurrent_matrix["eigenvalues"]
    values[:] = np.array([3 + 4j, 3 - 4j, -5, 0.5, 0.1, 0])
    figure = matrix(drawn(history))
    (edge,) = of(figure, ABOVE, "x")
    np.testing.assert_allclose(np.sort(edge.customdata), [5] * 9)
    places = points(edge)
    assert (np.maximum(abs(places.real), abs(places.imag)) <= 2).all()
    np.testing.assert_allclose(
        by_size(places / abs(places)), by_size(np.repeat([0.6 + 0.8j, 0.6 - 0.8j, -1], 3)), atol=1e-4
    )
    # An upward triangle turned clockwise by its angle points away from 0.
    np.testing.assert_allclose(np.exp(1j * np.radians(90 - plain(edge.marker.angle))), places / abs(places), atol=1e-6)
    assert len(of(figure, CHOSEN, "x")[0].x) == 9


@each_cell
@pytest.mark.parametrize("strength", [0.5, 1.0, 1.5])
def test_an_orthogonal_start_lies_on_a_circle_and_stretches_alike_in_all_directions(cell, strength):
    figure = matrix(drawn(at_start(cell=cell, initializer="orthogonal", strength=strength)), 0)
    np.testing.assert_allclose(abs(points(of(figure, FIRST, "x")[0])), strength, rtol=1e-6)
    for dash in ("dot", "solid"):
        (sizes,) = lines(figure, "x3", dash)
        np.testing.assert_allclose(10 ** plain(sizes.y), strength, rtol=1e-6)


def test_the_identity_has_one_eigenvalue():
    figure = matrix(drawn(at_start(initializer="identity", strength=1.2)), 0)
    np.testing.assert_allclose(points(of(figure, FIRST, "x")[0]), 1.2, atol=1e-6)


def test_a_matrix_of_zeros_lies_at_the_origin_and_has_marks_on_the_axes_of_sizes():
    figure = matrix(drawn(at_start(initializer="zeros")), 0)
    assert not points(of(figure, FIRST, "x")[0]).any()
    for axis in ("x2", "x3"):
        marks = [t for t in of(figure, ZERO_WORDS, axis) if t.mode == "markers"]
        assert marks
        assert all(mark.marker.color == theme.EXACT_ZERO for mark in marks)
        assert all(SIZE_SPAN[0] < y < SIZE_SPAN[0] + 0.1 for mark in marks for y in mark.y)
    assert "largest |λ|: exactly 0" in figure.layout.xaxis.title.text


def test_the_unit_circle_is_a_circle():
    figure = matrix(drawn(at_start(), at_start(cell="GRU")))
    for place, x in (("", "x"), ("2", "x2")):
        (circle,) = of(figure, CIRCLE, x)
        np.testing.assert_allclose(abs(points(circle)), 1, rtol=1e-6)
        for layout in (figure.layout.to_plotly_json(), figure.layout.meta["narrow"]):
            across, up = layout[f"xaxis{place}"], layout[f"yaxis{place}"]
            assert up["scaleanchor"] == x
            assert up["scaleratio"] == 1
            assert list(across["range"]) == list(up["range"])
            assert across["constrain"] == up["constrain"] == "domain"


@pytest.mark.parametrize("axis", ["linear", "log"])
def test_the_curves_are_medians_over_seeds_of_the_largest(three, axis):
    figure = matrix(three, axis=axis)
    for dash, index in (("solid", 0), ("dash", 1)):
        found = lines(figure, "x4", dash)
        for trace, shown in zip(found, three, strict=True):
            values = abs(spectrum(shown.history, NEW_STATE)[index][:, :, 0])
            np.testing.assert_allclose(10 ** plain(trace.y), np.median(values, axis=0), rtol=1e-5)
            assert trace.x[0] == (0.5 if axis == "log" else 0)
    assert figure.layout.xaxis4.type == ("log" if axis == "log" else None)


def test_the_scale_depends_on_the_strength_alone():
    def ranges(**changes):
        layout = matrix(drawn(at_start(**changes))).layout
        return [tuple(axis.range) for axis in (layout.xaxis, layout.yaxis, layout.yaxis2, layout.yaxis3)]

    assert ranges() == ranges(initializer="zeros") == ranges(cell="LSTM", seed=7)
    assert ranges(strength=3.0)[0] == (-5, 5)
    assert ranges(strength=10.0)[0] == (-15, 15)


def test_a_net_without_this_gate_says_so(three):
    figure = matrix(three, which="forget gate")
    assert "RNN has no such matrix" in figure.layout.xaxis.title.text
    assert "largest |λ|" in figure.layout.xaxis2.title.text
    assert not of(figure, CHOSEN, "x")
    assert "RNN has no such matrix" in describe_matrix(three, -1, "forget gate")


def test_what_is_not_finite_is_marked_and_named(exploded):
    figure = matrix(drawn(exploded), 4)
    assert "not finite: 2 of 3 seeds<br>from epoch 2 on" in figure.layout.xaxis.title.text
    assert len(of(figure, CHOSEN, "x")[0].x) == exploded.experiment.hidden
    (mark, *_) = of(figure, NOT_FINITE_WORDS, "x2")
    assert mark.marker.color == theme.NOT_FINITE
    np.testing.assert_array_equal(mark.x, exploded.epochs[2:])
    assert "not finite: 2 of 3 seeds" in describe_matrix(drawn(exploded), 4)
    assert "not finite" not in matrix(drawn(exploded), 1).layout.xaxis.title.text


def test_six_nets_have_a_plane_each_within_the_figure(three):
    figure = matrix([*three, *three])
    for layout in (figure.layout.to_plotly_json(), figure.layout.meta["narrow"]):
        axes = [axis for name, axis in layout.items() if name.startswith(("xaxis", "yaxis"))]
        assert len(axes) == 16
        assert all(0 <= axis["domain"][0] < axis["domain"][1] <= 1 for axis in axes)


def test_the_bound_of_the_plain_net_is_that_of_its_activation():
    def said(activation):
        (words,) = [
            a.text for a in matrix(drawn(at_start(activation=activation))).layout.annotations if a.name == "words"
        ]
        return words.replace("<br>", " ")

    assert "1/γ = 4" in said("sigmoid")
    assert "1/γ = 1" in said("tanh")
    assert "1/γ = 1" in said("ReLU")


# --- gates ------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [-2.0, 0.0, 4.6])
@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_gates_without_weights_are_open_by_sigma_of_their_bias_exactly(cell, bias):
    training = Training(small(cell=cell, forget_bias=bias), record_at=[0])
    (group,) = training.groups_of(0)
    # All weights zero, biases as they start.
    for weights in recurrent_architecture(training.experiments[0]).views(group.theta).layers:
        weights[:, :-1] = 0.0
    training.advance(0)
    resting = training.history()
    figure = gates_figure(drawn(resting), 0, "")
    for place, (job, gate) in enumerate(gates_of(resting).items(), start=1):
        axis = "x" if place == 1 else f"x{place}"
        level = bias if job == "keeps the state" else 0.0
        np.testing.assert_allclose(openness(resting, gate)[:, 0], 1 / (1 + np.exp(-level)), rtol=1e-14)
        (theory,) = [t for t in of(figure, "theory, at rest: σ(bias)", axis) if t.mode == "lines"]
        np.testing.assert_allclose(plain(theory.y), level, atol=1e-6)
        (line,) = lines(figure, axis, "solid")
        np.testing.assert_allclose(plain(line.y), level, atol=1e-5)


def test_every_gate_of_every_net_is_drawn_where_its_median_lies(three):
    figure = gates_figure(three, -1, "")
    jobs = [job for job in JOBS if any(job in gates_of(shown.history) for shown in three)]
    assert len(jobs) == len(JOBS)
    for place, job in enumerate(jobs, start=1):
        with_it = [(shown.history, shown.style) for shown in three if job in gates_of(shown.history)]
        for dash, record in (("solid", -1), ("dot", 0)):
            found = lines(figure, "x" if place == 1 else f"x{place}", dash)
            for trace, (history, style) in zip(found, with_it, strict=True):
                middle = np.median(openness(history, gates_of(history)[job])[:, record], axis=0)
                np.testing.assert_allclose(1 / (1 + np.exp(-plain(trace.y))), middle, rtol=1e-5)
                np.testing.assert_array_equal(trace.customdata, middle)
                assert trace.line.color == style.colour


def test_the_gates_that_keep_the_state_share_a_panel():
    for cell in ("LSTM", "GRU"):
        experiment = small(cell=cell)
        assert gates_of(at_start(cell=cell))["keeps the state"] == experiment.unit.memory_gate


def test_every_gate_has_a_job():
    for cell in CELLS.values():
        gates = {block for block in cell.blocks if "candidate" not in block and block != "state"}
        assert gates == set(gates_of(at_start(cell=cell.name)).values())


def test_a_height_is_a_bias():
    biases = np.linspace(*SPAN, 9)
    np.testing.assert_allclose(heights(1 / (1 + np.exp(-biases))), biases, atol=1e-9)
    assert list(heights(np.array([0.0, 1.0]))) == [-np.inf, np.inf]


def test_gates_that_are_shut_or_beyond_the_scale_have_marks():
    history = at_start(cell="GRU")
    gate = openness(history, "update")
    gate[:, :, 2], gate[:, :, 4], gate[:, :, 6] = 0.0, 1.0, 1e-5
    figure = gates_figure(drawn(history), 0, "")
    for name, step, colour in (
        ("exactly 0: shut", 3, theme.EXACT_ZERO),
        ("exactly 1, or not finite", 5, theme.NOT_FINITE),
        (BELOW, 7, STYLES[0].colour),
    ):
        marks = of(figure, name, "x")
        assert marks
        assert all(list(mark.x) == [step] and mark.marker.color == colour for mark in marks)
    far = gates_figure(drawn(at_start(cell="LSTM", forget_bias=9.0)), 0, "")
    assert theme.THEORY in [mark.marker.color for mark in of(far, ABOVE, "x")]


def test_a_plain_net_has_no_gates():
    figure = gates_figure(drawn(at_start()), -1, "the settings")
    assert not [trace for trace in figure.data if trace.x is not None]
    assert any(NO_GATES in a.text for a in figure.layout.annotations)
    assert describe_gates(drawn(at_start()), -1) == NO_GATES


def test_what_a_gate_keeps_is_told_as_it_was_measured(three):
    figure = gates_figure(three, -1, "")
    (head,) = [a.text for a in figure.layout.annotations if a.name == "lines"]
    for shown in three[1:]:
        assert f"keeps {number(np.median(shown.history.measures['kept'][:, -1, 0]))} of a unit" in head


# --- the steps' parts -------------------------------------------------------------------------


@each_cell
@pytest.mark.parametrize("changes", [{}, {"truncation": 3}, {"stack": 2}, {"task": "sine"}, {"length": 30}], ids=str)
def test_the_whole_is_never_longer_than_the_sum_of_its_parts(cell, changes):
    history = train(small(cell=cell, **changes))
    for record in range(len(history.epochs)):
        norms, whole = parts(history, record)
        assert (whole <= norms.sum(axis=1) * (1 + 1e-12)).all()
        share = cancelled(norms, whole)
        np.testing.assert_allclose(share, whole / norms.sum(axis=1))


def test_the_last_steps_have_half_of_the_sum_and_one_step_fewer_has_not(three):
    for shown in three:
        norms, _ = parts(shown.history, -1)
        for steps, run in zip(last_steps(norms).astype(int), norms, strict=True):
            assert run[-steps:].sum() >= 0.5 * run.sum() * (1 - 1e-9)
            assert steps == 1 or run[1 - steps :].sum() < 0.5 * run.sum()


def test_half_of_equal_steps_is_half_of_them_and_of_a_fading_memory_it_is_the_last_few():
    assert list(last_steps(np.ones((1, 10)))) == [5]
    distances = np.arange(99, -1, -1)
    for factor in (0.5, 0.9, 0.99):
        # The sum of a geometric series: the last k have 1 - factor^k of an endless one.
        expected = np.ceil(np.log(1 - 0.5 * (1 - factor**100)) / np.log(factor) - 1e-9)
        assert last_steps(factor ** distances[None].astype(float)) == expected


@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e307])
def test_shares_do_not_depend_on_size_however_small_or_large(size):
    norms = np.full((1, 40), size)
    assert last_steps(norms) == 20
    np.testing.assert_allclose(cancelled(norms, np.array([size])), 1 / 40)
    np.testing.assert_allclose(log_sum(norms), np.log10(size) + np.log10(40), rtol=1e-4)


def test_of_nothing_and_of_what_is_not_finite_there_is_no_half():
    found = last_steps(np.array([[0.0, 0.0], [1.0, np.nan], [np.inf, 1.0], [1.0, 1.0]]))
    np.testing.assert_array_equal(found, [np.nan, np.nan, np.nan, 1])
    np.testing.assert_array_equal(log_sum(np.array([[0.0, 0.0], [1.0, np.nan]])), [-np.inf, np.inf])


def test_the_curves_are_the_steps_parts_and_the_marks_the_whole(three):
    figure = steps_figure(three, -1, "")
    for dash, record in (("solid", -1), ("dot", 0)):
        for trace, shown in zip(lines(figure, "x", dash), three, strict=True):
            middle = log_band(parts(shown.history, record)[0]).middle
            np.testing.assert_allclose(plain(trace.y)[1:], middle[1:], rtol=1e-6)
    for name, value in ((WHOLE, lambda n, w: np.log10(w)), (SUM, lambda n, w: np.log10(n.sum(axis=1)))):
        marks = of(figure, name, "x2")
        assert [mark.x[0] for mark in marks] == [1, 2, 3]
        for mark, shown in zip(marks, three, strict=True):
            np.testing.assert_allclose(mark.y[0], band(value(*parts(shown.history, -1))).middle, rtol=1e-12)
            assert mark.marker.color == shown.style.colour


def test_the_first_step_contributes_exactly_nothing_and_is_marked(three):
    for shown in three:
        assert not parts(shown.history, -1)[0][:, 0].any()
    marks = of(steps_figure(three, -1, ""), ZERO_WORDS, "x")
    assert marks
    assert all(list(mark.x) == [1] and mark.marker.color == theme.EXACT_ZERO for mark in marks)


def test_a_gradient_that_is_not_finite_is_marked_and_named(exploded):
    figure = steps_figure(drawn(exploded), -1, "")
    (head,) = [a.text for a in figure.layout.annotations if a.name == "lines"]
    assert "not finite" in head
    for axis in ("x", "x2"):
        assert all(mark.marker.color == theme.NOT_FINITE for mark in of(figure, NOT_FINITE_WORDS, axis))
        assert of(figure, NOT_FINITE_WORDS, axis)
    assert "not finite" in describe_steps(drawn(exploded), -1)


def test_a_net_whose_parts_are_all_zero_says_so():
    history = at_start()
    history.measures["step_gradient"][:] = 0.0
    history.recurrent_matrix["recurrent_gradient"][:] = 0.0
    assert "every part is exactly 0" in describe_steps(drawn(history), -1)
    assert of(steps_figure(drawn(history), -1, ""), ZERO_WORDS, "x2")


# --- all three --------------------------------------------------------------------------------

FIGURES = {
    "matrix": lambda nets, epoch: matrix(nets, epoch),
    "gates": lambda nets, epoch: gates_figure(nets, epoch, "the settings"),
    "steps": lambda nets, epoch: steps_figure(nets, epoch, "the settings"),
}
each_figure = pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)


@each_figure
def test_settings_names_and_colours_are_on_the_picture(figure, three):
    for layout in (figure(three, -1).layout.to_plotly_json(), figure(three, -1).layout.meta["narrow"]):
        texts = [annotation["text"] for annotation in layout["annotations"]]
        assert "the settings" in texts
        for shown in three[1:]:
            assert any(f"<b>{shown.name}</b>" in text and shown.style.colour in text for text in texts)


@each_figure
def test_a_training_that_has_just_begun_is_drawn(figure):
    training = Training(small(cell="GRU"), record_at=[0])
    training.advance(0)
    assert figure(drawn(training.history()), -1).data


@each_figure
def test_nets_of_different_length_size_and_number_of_records_stand_side_by_side(figure):
    nets = drawn(at_start(), train(small(cell="GRU", hidden=7, length=12)), at_start(cell="LSTM", runs=1, strength=2.0))
    assert figure(nets, 3).data


@pytest.mark.parametrize("describe", [describe_matrix, describe_gates, describe_steps])
def test_what_is_heard_has_the_numbers_of_both_times(describe, three):
    told = describe(three, -1)
    assert "at the start" in told or "at epoch 0" in told
    assert "epoch 5" in told
    assert all(f"{shown.name}:" in told for shown in three[1:])


def test_the_median_that_is_said_is_that_of_the_history(three):
    values = abs(spectrum(three[0].history, NEW_STATE)[0][:, :, 0])
    told = describe_matrix(three, -1)
    assert (
        f"{number(np.median(values[:, 0]), 3)} at the start, {number(np.median(values[:, -1]), 3)} at epoch 5" in told
    )


def test_the_chosen_epoch_is_a_line_through_the_curves_by_epoch(three):
    for epoch, axis, at in ((2, "linear", 2), (-1, "linear", 5), (0, "log", 0.5)):
        (cursor,) = [shape for shape in matrix(three, epoch, axis=axis).layout.shapes if shape.line.dash == "dot"]
        assert (cursor.x0, cursor.x1, cursor.xref) == (at, at, "x4")


def test_half_is_said_in_whole_steps():
    history = at_start(runs=2)
    history.measures["step_gradient"][:] = [[[0, 0, 0, 0, 0, 0, 1, 1]], [[0, 0, 0, 0, 0, 0, 1, 0.5]]]
    assert "half of the sum comes from the last 2 steps" in describe_steps(drawn(history), 0)
