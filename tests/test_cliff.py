"""The cliff: the loss of one unit over its two parameters, its wall, and what clipping does there."""

import numpy as np
import pytest

from explorer.cliff import START, TARGET, descend, slope


def by_hand(w, b, steps=50):
    h = START
    for _ in range(steps):
        h = 1 / (1 + np.exp(-(w * h + b)))
    return (h - TARGET) ** 2


W, B = (grid.ravel() for grid in np.meshgrid(np.linspace(-6, 9, 31), np.linspace(-5, 3, 33)))


def test_the_loss_is_that_of_the_recurrence():
    found = slope(W, B)
    np.testing.assert_allclose(found.loss, [by_hand(w, b) for w, b in zip(W, B, strict=True)], rtol=1e-10, atol=1e-15)
    assert slope(W.reshape(33, 31), B.reshape(33, 31)).norm.shape == (33, 31)


def test_the_gradient_is_its_slope():
    found, step = slope(W, B, steps=6), 1e-6
    for values, dw, db in ((found.by_w, step, 0), (found.by_b, 0, step)):
        higher, lower = slope(W + dw, B + db, steps=6).loss, slope(W - dw, B - db, steps=6).loss
        np.testing.assert_allclose(values, (higher - lower) / (2 * step), rtol=1e-5, atol=1e-8)


def wall():
    """A point at which the gradient is long: where h_0 is the fixed point that repels, w h_0 + b = σ⁻¹(h_0) = 1/2."""
    b = np.concatenate([np.linspace(-5, -1, 4001), 0.5 - START * 5.5 + np.linspace(-1e-3, 1e-3, 4001)])
    w = np.full_like(b, 5.5)
    found = slope(w, b)
    at = int(np.argmax(found.norm))
    return w[at], b[at], found.norm[at], np.median(found.norm[:4001])


def test_there_is_a_wall_at_which_the_gradient_is_thousands_of_times_longer():
    _, _, highest, usual = wall()
    assert highest > 1e3 * usual


def test_a_step_from_the_wall_is_thrown_far_away_and_a_clipped_one_is_not():
    w, b, highest, _ = wall()
    rate, limit = 1.0, 0.05
    free, clipped = (descend((w, b), rate, 5, clip=clip, threshold=limit) for clip in ("none", "norm"))
    jumps = [np.linalg.norm(np.diff(path, axis=0), axis=1) for path in (free, clipped)]
    assert jumps[0][0] == pytest.approx(rate * highest, rel=1e-9)
    assert (jumps[1] <= rate * limit).all()
    assert jumps[0].max() > 50 * jumps[1].max()


def test_no_clipping_and_a_limit_out_of_reach_are_the_same():
    np.testing.assert_array_equal(
        descend((2.0, -1.0), 0.1, 20), descend((2.0, -1.0), 0.1, 20, clip="norm", threshold=1e6)
    )
