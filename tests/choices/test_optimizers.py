import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.choices.optimizers import ADAM_BETAS, ADAM_EPSILON, MOMENTUM, OPTIMIZERS, RMSPROP_DECAY, RMSPROP_EPSILON

each = pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=str)


def walk(optimizer, gradients, rate=0.1):
    """All steps that an optimizer takes on a list of gradients."""
    shape = gradients[0].shape
    moments, steps = [np.zeros(shape) for _ in range(optimizer.slots)], []
    for t, gradient in enumerate(gradients, 1):
        out = np.full(shape, np.nan)
        optimizer.step(gradient, moments, rate, t, out)
        steps.append(out)
    return steps


def draw(seed=0, count=6, shape=(2, 3)):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for _ in range(count)]


# The formulas once more, in the plainest form: from all gradients so far to the step.
def plain(name, gs, rate):
    t = len(gs)
    if name == "SGD":
        return rate * gs[-1]
    if name in ("momentum", "Nesterov"):
        v = sum(0.9 ** (t - 1 - k) * g for k, g in enumerate(gs))
        return rate * (v if name == "momentum" else gs[-1] + 0.9 * v)
    if name == "RMSprop":
        return rate * gs[-1] / (np.sqrt(sum(0.1 * 0.9 ** (t - 1 - k) * g * g for k, g in enumerate(gs))) + 1e-8)
    if name == "Adam":
        m = sum(0.1 * 0.9 ** (t - 1 - k) * g for k, g in enumerate(gs)) / (1 - 0.9**t)
        v = sum(0.001 * 0.999 ** (t - 1 - k) * g * g for k, g in enumerate(gs)) / (1 - 0.999**t)
        return rate * m / (np.sqrt(v) + 1e-7)
    return None


@each
def test_a_step_is_the_formula_over_all_gradients_so_far(optimizer):
    gradients = draw()
    if plain(optimizer.name, gradients, 0.1) is None:
        pytest.skip("no formula written here yet")
    for t, step in enumerate(walk(optimizer, gradients), 1):
        np.testing.assert_allclose(step, plain(optimizer.name, gradients[:t], 0.1), rtol=1e-11)


@each
def test_the_gradient_is_left_alone(optimizer):
    gradients = draw()
    before = [g.copy() for g in gradients]
    walk(optimizer, gradients)
    assert all(np.array_equal(g, b) for g, b in zip(gradients, before, strict=True))


@each
@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_the_first_step_goes_downhill_in_every_coordinate(optimizer, seed):
    (gradient,) = draw(seed, 1)
    assert (np.sign(walk(optimizer, [gradient])[0]) == np.sign(gradient)).all()


@each
@given(factor=st.floats(1e-3, 1e3))
@settings(max_examples=20, deadline=None)
def test_a_step_is_proportional_to_the_rate(optimizer, factor):
    for a, b in zip(walk(optimizer, draw(), 0.1), walk(optimizer, draw(), 0.1 * factor), strict=True):
        np.testing.assert_allclose(b, factor * a, rtol=1e-12)


@each
def test_a_rate_may_differ_from_entry_to_entry(optimizer):
    rates = np.array([0.1, 0.2, 0.4])
    together = walk(optimizer, draw(), rates)
    for column, rate in enumerate(rates):
        alone = walk(optimizer, draw(), rate)
        for a, b in zip(together, alone, strict=True):
            np.testing.assert_allclose(a[:, column], b[:, column], rtol=1e-13)


@each
def test_no_gradient_means_no_step(optimizer):
    assert not any(step.any() for step in walk(optimizer, [np.zeros((2, 2))] * 3))


@each
def test_entries_do_not_mix(optimizer):
    gradients = draw()
    steps = walk(optimizer, gradients)
    for index in np.ndindex(gradients[0].shape):
        alone = walk(optimizer, [g[index][None] for g in gradients])
        for a, b in zip(steps, alone, strict=True):
            assert a[index] == pytest.approx(b[0], rel=1e-14)


def test_adams_first_step_is_the_rate_whatever_the_size_of_the_gradient():
    for size in (1e-3, 1.0, 1e6):
        assert walk(OPTIMIZERS["Adam"], [np.array([size])])[0][0] == pytest.approx(0.1, rel=2e-4)


def test_adam_hardly_moves_where_gradients_drown_in_its_epsilon():
    assert walk(OPTIMIZERS["Adam"], [np.array([1e-12])])[0][0] < 1e-5


def test_momentum_grows_to_ten_times_the_step_on_a_steady_slope():
    assert walk(OPTIMIZERS["momentum"], [np.ones(1)] * 200)[-1][0] == pytest.approx(10 * 0.1, rel=1e-6)


def test_constants_are_the_declared_ones():
    assert MOMENTUM == 0.9
    assert ADAM_BETAS == (0.9, 0.999)
    assert ADAM_EPSILON == 1e-7
    assert (RMSPROP_DECAY, RMSPROP_EPSILON) == (0.9, 1e-8)
