"""Memory tasks: their answers follow from their inputs, early ones only, at every length."""

import numpy as np
import pytest

from explorer.choices.sequences import LONGEST, SHORTEST, TASKS, sequences

LENGTHS = (SHORTEST, 3, 5, 10, 37, 100, LONGEST)
each_task = pytest.mark.parametrize("task", TASKS)
each_length = pytest.mark.parametrize("length", LENGTHS)


@each_length
@each_task
def test_sequences_have_the_shape_that_was_asked_for(task, length):
    made = sequences(task, 32, length)
    assert made.x.shape[:2] == (32, length)
    assert made.y.shape[:2] == (32, length - made.first_counted)
    assert 0 <= made.first_counted < length
    assert np.isfinite(made.x).all()


@each_task
def test_they_are_the_same_at_every_call_and_cannot_be_changed(task):
    made = sequences(task, 16, 20)
    again = TASKS[task].make(np.random.default_rng(20_260_102), 16, 20)
    np.testing.assert_array_equal(made.x, again.x)
    np.testing.assert_array_equal(made.y, again.y)
    for values in (made.x, made.y):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1.0


def marked(made):
    """The first input at the marked steps: (samples, 2)."""
    mark = made.x[:, :, 1]
    assert (mark.sum(axis=1) == 2).all()
    return made.x[:, :, 0][mark == 1].reshape(-1, 2)


@each_length
def test_parity_is_whether_the_marked_bits_differ(length):
    made = sequences("parity", 40, length)
    bits = marked(made)
    assert set(bits.ravel()) == {-1.0, 1.0}
    np.testing.assert_array_equal(made.y[:, 0, 0], bits[:, 0] != bits[:, 1])


@each_length
def test_adding_is_the_sum_of_the_marked_numbers(length):
    made = sequences("adding", 40, length)
    assert ((made.x >= 0) & (made.x <= 1)).all()
    np.testing.assert_allclose(made.y[:, 0, 0], marked(made).sum(axis=1), rtol=1e-15)


@each_length
def test_copy_asks_for_the_two_bits_that_were_shown(length):
    made = sequences("copy", 40, length)
    shown = made.x[:, :, :2]
    assert (np.abs(shown).sum(axis=(1, 2)) == 2).all()
    np.testing.assert_array_equal(made.y[:, 0], shown.sum(axis=1) > 0)
    np.testing.assert_array_equal(made.x[:, -1, 2], 1)
    assert not made.x[:, :-1, 2].any()


@each_length
def test_which_first_is_whether_a_came_before_b(length):
    made = sequences("which first", 40, length)
    assert (made.x.sum(axis=1) == 1).all()
    first, second = made.x.argmax(axis=1).T
    assert (first != second).all()
    np.testing.assert_array_equal(made.y[:, 0, 0], first < second)


def test_the_sine_goes_on_after_every_step():
    made = sequences("sine", 64, 200)
    inputs, targets = made.x[:, 1:, 0], made.y[:, :-1, 0]
    assert made.first_counted == 0
    assert np.std(inputs - targets) == pytest.approx(0.1, rel=0.05)  # the noise, which the targets have not
    # A sine of any period p: y_{t+1} + y_{t-1} = 2 cos(2π/p) y_t.
    y = made.y[:, :, 0]
    slope = (y[:, 2:] + y[:, :-2])[:, 50] / y[:, 51]
    np.testing.assert_allclose(y[:, 2:] + y[:, :-2], slope[:, None] * y[:, 1:-1], atol=1e-6)
    periods = 2 * np.pi / np.arccos(slope / 2)
    assert ((periods > 10) & (periods < 40)).all()


@pytest.mark.parametrize("length", [10, 50, 100, 500])
@pytest.mark.parametrize("task", ["parity", "copy", "which first"])
def test_what_must_be_remembered_comes_in_the_first_half_and_nothing_else_after_it(task, length):
    made = sequences(task, 64, length)
    later = made.x[:, length // 2 :].copy()
    if task == "copy":
        later[:, -1, 2] = 0.0
    assert not later.any()


@pytest.mark.parametrize("length", [10, 50, 100, 500])
def test_so_do_the_numbers_to_add(length):
    mark = sequences("adding", 64, length).x[:, :, 1]
    first, last = mark.argmax(axis=1), length - 1 - mark[:, ::-1].argmax(axis=1)
    assert (first < max(length // 10, 1)).all()
    assert (last < length // 2).all()


@each_task
def test_the_baseline_is_the_error_of_the_best_constant(task):
    made = sequences(task, 64, 50)
    errors = [((made.y - constant) ** 2).mean() for constant in np.linspace(-1, 2, 3001)]
    assert made.y.var() == pytest.approx(min(errors), rel=1e-4)
    assert TASKS[task].solved_below < made.y.var() / 4


def test_always_answering_one_errs_by_a_sixth_when_adding():
    assert sequences("adding", 2048, 100).y.var() == pytest.approx(1 / 6, rel=0.05)


@pytest.mark.parametrize("task", [name for name, entry in TASKS.items() if not entry.regression])
def test_classes_are_balanced(task):
    assert sequences(task, 64, 50).y.var() == pytest.approx(0.25)
