import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.choices.clipping import CLIPPERS, clipping_of, one_or_each

ACTIVE = [pytest.param(entry, id=name) for name, entry in CLIPPERS.items() if entry.clip is not None]
many = settings(max_examples=60, deadline=None)


def draw(seed=0, runs=3):
    """(layers, runs, rows, columns), layers and runs of very different size."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(4, runs, 3, 2)) * 10.0 ** rng.uniform(-4, 1, (4, runs, 1, 1))


def norms(gradient):
    return np.sqrt((gradient**2).sum(axis=(0, 2, 3)))


def clipped(entry, gradient, threshold):
    after = gradient.copy()
    factor = entry.clip(after, norms(gradient), threshold)
    return after, factor


def test_none_clips_nothing():
    assert CLIPPERS["none"].clip is None


@pytest.mark.parametrize("entry", ACTIVE)
@given(seed=st.integers(0, 10**6), threshold=st.floats(1e-6, 1e6))
@many
def test_the_factor_is_the_norm_after_over_the_norm_before(entry, seed, threshold):
    before = draw(seed)
    after, factor = clipped(entry, before, threshold)
    assert factor.shape == (3,)
    np.testing.assert_allclose(factor, norms(after) / norms(before), rtol=1e-12)
    assert (factor <= 1).all()


@pytest.mark.parametrize("entry", ACTIVE)
@given(seed=st.integers(0, 10**6))
@many
def test_a_gradient_below_the_threshold_is_left_as_it_is(entry, seed):
    before = draw(seed)
    after, factor = clipped(entry, before, float(norms(before).max()) * 1.001 + 1e-6)
    assert np.array_equal(after, before)
    assert (factor == 1).all()


@pytest.mark.parametrize("entry", ACTIVE)
@given(seed=st.integers(0, 10**6), threshold=st.floats(1e-6, 1e6))
@many
def test_runs_do_not_mix(entry, seed, threshold):
    before = draw(seed)
    together, factors = clipped(entry, before, threshold)
    for run in range(3):
        alone = before[:, run : run + 1].copy()
        factor = entry.clip(alone, norms(before)[run : run + 1], threshold)
        assert np.array_equal(alone[:, 0], together[:, run])
        assert factor[0] == pytest.approx(factors[run], rel=1e-14)


@pytest.mark.parametrize("entry", ACTIVE)
@given(seed=st.integers(0, 10**6), threshold=st.floats(1e-6, 1e6))
@many
def test_no_sign_turns(entry, seed, threshold):
    before = draw(seed)
    after, _ = clipped(entry, before, threshold)
    assert (np.sign(after) == np.sign(before)).all()


@given(seed=st.integers(0, 10**6), threshold=st.floats(1e-6, 1e6))
@many
def test_value_clipping_clamps_every_entry(seed, threshold):
    before = draw(seed)
    after, _ = clipped(CLIPPERS["value"], before, threshold)
    assert np.array_equal(after, np.clip(before, -threshold, threshold))


@given(seed=st.integers(0, 10**6), threshold=st.floats(1e-6, 1e6))
@many
def test_norm_clipping_shortens_to_the_threshold(seed, threshold):
    before = draw(seed)
    after, _ = clipped(CLIPPERS["norm"], before, threshold)
    length = norms(before)
    np.testing.assert_allclose(norms(after), length * np.minimum(1, threshold / (length + 1e-6)), rtol=1e-12)


@given(seed=st.integers(0, 10**6), threshold=st.floats(1e-6, 1e-2))
@many
def test_norm_clipping_keeps_the_direction_and_every_layers_share(seed, threshold):
    before = draw(seed)
    after, factor = clipped(CLIPPERS["norm"], before, threshold)
    assert (factor < 1).any()
    cosine = (before * after).sum(axis=(0, 2, 3)) / norms(before) / norms(after)
    np.testing.assert_allclose(cosine, 1, rtol=1e-14)
    layer = lambda g: np.sqrt((g**2).sum(axis=(2, 3)))  # noqa: E731
    np.testing.assert_allclose(layer(after) / norms(after), layer(before) / norms(before), rtol=1e-13)


def test_value_clipping_turns_the_direction():
    before = np.zeros((2, 1, 1, 2))
    before[0, 0, 0], before[1, 0, 0] = (100, 50), (0.01, 0.02)
    after, _ = clipped(CLIPPERS["value"], before, 0.1)
    cosine = (before * after).sum() / norms(before)[0] / norms(after)[0]
    assert cosine < 0.96
    assert after[0, 0, 0, 0] / after[1, 0, 0, 0] == pytest.approx(10)


# --- runs that train together ---------------------------------------------------------------------


@pytest.mark.parametrize("entry", ACTIVE)
@given(seed=st.integers(0, 10**6), thresholds=st.lists(st.floats(1e-6, 1e6), min_size=3, max_size=3))
@many
def test_every_run_may_have_a_threshold_of_its_own(entry, seed, thresholds):
    before = draw(seed)
    together, factors = clipped(entry, before, np.array(thresholds))
    for run in range(3):
        alone = before[:, run : run + 1].copy()
        factor = entry.clip(alone, norms(before)[run : run + 1], thresholds[run])
        assert np.array_equal(alone[:, 0], together[:, run])
        assert np.array_equal(factor, factors[run : run + 1])


@given(
    seed=st.integers(0, 10**6),
    runs=st.lists(st.tuples(st.sampled_from([*CLIPPERS]), st.sampled_from([1e-3, 0.1, 1.0, 100.0])), min_size=1),
)
@many
def test_runs_of_any_clippers_are_clipped_each_by_its_own(seed, runs):
    before = draw(seed, len(runs))
    after, norm = before.copy(), norms(before)
    clip = clipping_of([CLIPPERS[name] for name, _ in runs], [threshold for _, threshold in runs])
    factors = np.ones(len(runs)) if clip is None else clip(after, norm)
    for run, (name, threshold) in enumerate(runs):
        alone, factor = before[:, run : run + 1].copy(), np.ones(1)
        if name != "none":
            factor = CLIPPERS[name].clip(alone, norm[run : run + 1], threshold)
        assert np.array_equal(alone[:, 0], after[:, run])
        assert np.array_equal(factor, factors[run : run + 1])


def test_where_no_run_is_clipped_there_is_nothing_to_call():
    assert clipping_of([CLIPPERS["none"]] * 4, [1.0, 2.0, 3.0, 4.0]) is None


def test_a_number_that_all_share_stays_a_number():
    assert one_or_each([0.1, 0.1]) == 0.1
    assert np.array_equal(one_or_each([0.1, 0.2]), [0.1, 0.2])
