import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.choices.normalizations import (
    EPSILON,
    MOMENTUM,
    NORMALIZATIONS,
    mean_along,
    mean_product,
    normalize,
    normalize_backward,
)

AXES = [pytest.param(entry.axis, id=name) for name, entry in NORMALIZATIONS.items() if entry.axis is not None]


def normalized(z, axis):
    out = z.copy()
    mean, variance, inverse_std = (np.empty_like(z.mean(axis=axis, keepdims=True)) for _ in range(3))
    normalize(out, mean, variance, inverse_std, axis)
    return out, inverse_std, mean, variance


def backward(delta, n, inverse_std, axis):
    along = mean_product(delta, n, axis)
    normalize_backward(delta, n, mean_along(delta, axis), along, inverse_std, np.empty_like(delta))


def draw(seed=0, shape=(2, 5, 7)):
    rng = np.random.default_rng(seed)
    return rng.normal(3.0, 2.0, shape)


@pytest.mark.parametrize("axis", AXES)
def test_values_come_out_centred_with_variance_one(axis):
    n, _, _, variance = normalized(draw(), axis)
    np.testing.assert_allclose(n.mean(axis=axis), 0, atol=1e-14)
    np.testing.assert_allclose(n.var(axis=axis, keepdims=True), variance / (variance + EPSILON), rtol=1e-13)


@pytest.mark.parametrize("axis", AXES)
def test_means_are_means(axis):
    a, b = draw(0), draw(1)
    np.testing.assert_allclose(mean_along(a, axis), a.mean(axis, keepdims=True), rtol=1e-14)
    np.testing.assert_allclose(mean_product(a, b, axis), (a * b).mean(axis, keepdims=True), rtol=1e-13)


@pytest.mark.parametrize("axis", AXES)
def test_mean_and_variance_are_those_of_z(axis):
    z = draw()
    _, inverse_std, mean, variance = normalized(z, axis)
    np.testing.assert_allclose(mean, z.mean(axis=axis, keepdims=True), rtol=1e-14)
    np.testing.assert_allclose(variance, z.var(axis=axis, keepdims=True), rtol=1e-13)
    np.testing.assert_allclose(inverse_std, 1 / np.sqrt(variance + 1e-5), rtol=1e-14)


def test_batch_looks_along_samples_and_layer_along_units():
    z = np.zeros((3, 4))
    z[0] = 1.0  # one unit that says the same for every sample
    assert not normalized(z, NORMALIZATIONS["batch"].axis)[0].any()
    assert normalized(z, NORMALIZATIONS["layer"].axis)[0].any()
    assert NORMALIZATIONS["batch"].uses_batch
    assert not NORMALIZATIONS["layer"].uses_batch
    assert not NORMALIZATIONS["none"].uses_batch


@pytest.mark.parametrize("axis", AXES)
@given(seed=st.integers(0, 10**6), shift=st.floats(-10, 10), scale=st.floats(10, 1000))
@settings(max_examples=25, deadline=None)
def test_shift_and_scale_of_z_change_nothing(axis, seed, shift, scale):
    z = draw(seed)
    # Up to epsilon, which counts for less the larger the scale.
    np.testing.assert_allclose(normalized(z * scale + shift, axis)[0], normalized(z * scale, axis)[0], atol=1e-9)
    np.testing.assert_allclose(normalized(z * scale, axis)[0], normalized(z, axis)[0], rtol=1e-3)


@pytest.mark.parametrize("axis", AXES)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_the_way_back_is_the_transposed_jacobian(axis, seed):
    rng = np.random.default_rng(seed)
    z, direction, upstream = draw(seed), rng.normal(size=(2, 5, 7)), rng.normal(size=(2, 5, 7))
    n, inverse_std, _, _ = normalized(z, axis)
    delta, h = upstream.copy(), 1e-3
    backward(delta, n, inverse_std, axis)
    value = lambda t: float((normalized(z + t * direction, axis)[0] * upstream).sum())  # noqa: E731
    numeric = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h)
    assert float((delta * direction).sum()) == pytest.approx(numeric, rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("axis", AXES)
def test_the_way_back_leaves_no_mean(axis):
    z = draw()
    n, inverse_std, _, _ = normalized(z, axis)
    delta = np.random.default_rng(1).normal(size=z.shape)
    backward(delta, n, inverse_std, axis)
    np.testing.assert_allclose(delta.mean(axis=axis), 0, atol=1e-15)
    assert np.abs(delta).max() > 0.01


def test_one_sample_alone_becomes_zero_and_passes_no_gradient():
    z = draw(shape=(2, 5, 1))
    n, inverse_std, _, _ = normalized(z, -1)
    delta = np.ones_like(z)
    backward(delta, n, inverse_std, -1)
    assert not n.any()
    assert not delta.any()


def test_constants_are_the_papers_usual_ones():
    assert (EPSILON, MOMENTUM) == (1e-5, 0.1)
