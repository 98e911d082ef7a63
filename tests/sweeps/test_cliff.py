"""The cliff: the loss of one unit over its two parameters, its wall, and what clipping does there."""

from dataclasses import replace

import numpy as np
import pytest

from explorer.figures.view import CliffView
from explorer.sweeps.cliff import (
    B_SPAN,
    BESIDE,
    REPELS,
    START_STATE,
    TARGET,
    W_SPAN,
    beside_wall,
    section,
    surface,
    survey,
    wall,
)
from explorer.sweeps.descent import LAST, Descent, Path, cliff_headline, exits, inside, side_by_side
from tests.work import descend

OPENING = CliffView()


def by_hand(w, b, steps=50):
    h = START_STATE
    for _ in range(steps):
        h = 1 / (1 + np.exp(-(w * h + b)))
    return (h - TARGET) ** 2


W, B = (grid.ravel() for grid in np.meshgrid(np.linspace(-6, 9, 31), np.linspace(-5, 3, 33)))


# --- loss and gradient ---------------------------------------------------------------------------


def test_the_loss_is_that_of_the_recurrence():
    found = surface(W, B)
    np.testing.assert_allclose(found.loss, [by_hand(w, b) for w, b in zip(W, B, strict=True)], rtol=1e-10, atol=1e-15)
    assert surface(W.reshape(33, 31), B.reshape(33, 31)).norm.shape == (33, 31)


def test_the_gradient_is_its_slope():
    found, step = surface(W, B, steps=6), 1e-6
    for values, dw, db in ((found.by_w, step, 0), (found.by_b, 0, step)):
        higher, lower = surface(W + dw, B + db, steps=6).loss, surface(W - dw, B - db, steps=6).loss
        np.testing.assert_allclose(values, (higher - lower) / (2 * step), rtol=1e-5, atol=1e-8)


def test_the_map_is_the_loss_at_its_points():
    ground = survey(7)
    for row, column in ((0, 0), (60, 40), (-1, -1)):
        assert ground.surface.loss[row, column] == pytest.approx(by_hand(ground.w[column], ground.b[row], 7), rel=1e-12)
    assert (ground.w[0], ground.w[-1]) == W_SPAN
    assert (ground.b[0], ground.b[-1]) == B_SPAN


# --- the wall ------------------------------------------------------------------------------------


def test_on_the_wall_the_state_never_moves():
    w = np.linspace(4.3, 7, 12)
    # Rounding grows there as any error does: a few steps show it.
    np.testing.assert_allclose(surface(w, wall(w), steps=5).loss, (START_STATE - TARGET) ** 2, rtol=1e-9)
    assert np.isnan(wall(np.array([REPELS - 1e-9, 3.0]))).all()


@pytest.mark.parametrize("steps", [3, 10, 25])
def test_on_the_wall_the_gradient_is_the_geometric_sum_that_theory_says(steps):
    w = np.linspace(4.5, 7, 6)
    factor = w * START_STATE * (1 - START_STATE)
    by_b = 2 * (START_STATE - TARGET) * START_STATE * (1 - START_STATE) * (factor**steps - 1) / (factor - 1)
    np.testing.assert_allclose(surface(w, wall(w), steps).by_b, by_b, rtol=1e-6)


def test_the_cliff_appears_with_the_number_of_steps():
    few, many = (survey(steps) for steps in (3, 50))
    assert np.nanmax(many.on_wall) > 1e6 * np.nanmax(few.on_wall)
    cut = section(5.0, (3, 50))
    assert cut.longest[3] < 2
    assert cut.longest[50] > 100 * cut.longest[3]
    # It is hardly higher, but much steeper: how far b goes while the loss falls from 0.3 to 0.1.
    width = {steps: np.ptp(cut.b[(loss < 0.3) & (loss > 0.1)]) for steps, loss in cut.loss.items()}
    assert width[3] > 100 * width[50] > 0


@pytest.mark.parametrize("steps", [5, 25, 50])
def test_at_the_wall_the_gradient_is_the_longest_within_a_small_distance(steps):
    w = np.array([3.0, 4.3, 4.854, 5.5, 7.0])
    found = beside_wall(w, steps)
    assert np.isnan(found[0])
    # Looked for in another way: all the stretch evenly, then three times ever closer around the longest.
    for longest, at in zip(found[1:], w[1:], strict=True):
        middle, far = float(wall(np.array(at))), BESIDE
        low, high = middle - far, middle + far
        for _ in range(6):
            b = np.linspace(max(low, middle - far), min(high, middle + far), 2001)
            norm = surface(np.full_like(b, at), b, steps).norm
            middle, far = float(b[norm.argmax()]), far / 30
        assert 0.75 * norm.max() < longest < 1.01 * norm.max()
    on = surface(w[1:], wall(w[1:]), steps).norm
    assert (found[1:] > on).all()


def test_the_map_tells_the_wall_as_it_is_beside_it_and_half_a_row_away():
    ground = survey(10)
    np.testing.assert_array_equal(ground.on_wall, beside_wall(ground.w, 10))
    assert pytest.approx(np.diff(ground.b).mean() / 2) == BESIDE


@pytest.mark.parametrize("steps", [2, 50, 200])
def test_on_the_whole_map_loss_and_gradient_are_finite_and_not_0(steps):
    """A unit answers between 0 and 1, and a step multiplies its gradient by at most 7/4."""
    ground = survey(steps)
    for values in (ground.surface.loss, ground.surface.norm, ground.on_wall[ground.w > REPELS]):
        assert np.isfinite(values).all() and (values > 0).all()


def test_beside_the_wall_the_loss_jumps_and_far_from_it_not():
    cut = section(5.0, (50,))
    at = int(np.abs(np.diff(cut.loss[50])).argmax())
    assert cut.b[at] == pytest.approx(float(wall(np.array(5.0))), abs=1e-3)


# --- descents ------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [2, 20])
def test_without_clipping_it_is_plain_gradient_descent(steps):
    path = descend(Descent(w=4.0, b=-1.5, learning_rate=0.3, updates=12, steps=steps))
    point, step = np.array([4.0, -1.5]), 1e-6
    for update in range(12):
        np.testing.assert_allclose(path.points[update], point, rtol=1e-6)
        assert path.loss[update] == pytest.approx(by_hand(*point, steps), rel=1e-5)
        gradient = [
            (by_hand(*(point + side), steps) - by_hand(*(point - side), steps)) / (2 * step)
            for side in (np.array([step, 0]), np.array([0, step]))
        ]
        assert path.norm[update] == pytest.approx(np.hypot(*gradient), rel=1e-4)
        point = point - 0.3 * np.array(gradient)


STARTS = [(5.5, -2.0), (4.5, -2.3), (6.5, -3.5), (3.0, -4.0)]
each_start = pytest.mark.parametrize("start", STARTS)


@each_start
@pytest.mark.parametrize("threshold", [0.02, 0.5])
def test_an_update_clipped_by_norm_is_never_longer_than_rate_times_threshold(start, threshold):
    way = {"w": start[0], "b": start[1], "learning_rate": 2.0, "updates": 40}
    path = descend(Descent(**way, clip="norm", threshold=threshold))
    assert (path.lengths <= 2.0 * threshold * (1 + 1e-9)).all()
    short = path.norm[:-1] < 0.99 * threshold
    np.testing.assert_allclose(path.lengths[short], 2.0 * path.norm[:-1][short], rtol=1e-9)


@each_start
def test_clipped_by_value_neither_parameter_moves_farther_than_that(start):
    path = descend(Descent(w=start[0], b=start[1], learning_rate=2.0, updates=40, clip="value", threshold=0.05))
    assert np.abs(np.diff(path.points, axis=0)).max() <= 0.1 * (1 + 1e-9)


def test_no_clipping_and_a_limit_out_of_reach_are_the_same():
    way = {"w": 2.0, "b": -1.0, "learning_rate": 0.1, "updates": 20}
    np.testing.assert_array_equal(
        descend(Descent(**way)).points, descend(Descent(**way, clip="norm", threshold=1e6)).points
    )


def test_side_by_side_each_goes_as_alone():
    way = {"w": 5.5, "b": -2.0, "learning_rate": 0.5, "updates": 40}
    pair = Descent(**way), Descent(**way | {"w": 4.0}, clip="norm", threshold=0.1)
    for alone, beside in zip(map(descend, pair), side_by_side(*pair), strict=True):
        np.testing.assert_array_equal(alone.points, beside.points)
        np.testing.assert_array_equal(alone.norm, beside.norm)
    with pytest.raises(ValueError, match="equally many updates"):
        side_by_side(pair[0], Descent(**way | {"updates": 3}))


def test_a_longer_descent_begins_as_the_shorter_one():
    way = {"w": 5.0, "b": -2.0, "learning_rate": 0.5}
    short, long = (descend(Descent(**way, updates=updates)) for updates in (5, 12))
    np.testing.assert_array_equal(short.points, long.points[:6])
    assert len(list(long.rows())) == 13


def test_a_path_ends_where_it_is_not_finite():
    path = descend(Descent(w=1e308, b=0.1, learning_rate=1e308, updates=4, steps=3))
    assert np.isfinite(path.points[0]).all()
    far = descend(Descent(w=float("inf"), b=float("-inf"), learning_rate=0.1, updates=4, steps=3))
    assert np.isnan(far.points[1:]).all()
    assert not np.isfinite(far.norm).any()


@pytest.mark.parametrize("updates", [1, 5, LAST, LAST + 1, 60])
def test_where_a_path_settles_is_the_median_of_its_last_updates_or_of_all(updates):
    path = descend(Descent(w=5.5, b=-2.0, learning_rate=0.5, updates=updates, clip="norm", threshold=0.5))
    after = sorted(by_hand(w, b) for w, b in path.points[max(1, updates + 1 - LAST) :])
    middle = (after[(len(after) - 1) // 2] + after[len(after) // 2]) / 2
    assert path.settled == pytest.approx(middle, rel=1e-6)
    assert len(path.last) == min(LAST, updates)


def test_a_lucky_minimum_moves_it_little_and_what_is_not_finite_is_not_hidden():
    loss = np.full(61, 0.3)
    loss[55] = 1e-9
    assert Path(np.zeros((61, 2)), loss, loss).settled == 0.3
    loss[-1] = np.nan
    assert Path(np.zeros((61, 2)), loss, loss).settled == np.inf


# --- the opening picture -------------------------------------------------------------------------


def test_the_opening_descent_is_thrown_off_the_map_and_the_clipped_one_stays_and_learns():
    free, clipped = (descend(OPENING.descent(clipped=limited)) for limited in (False, True))
    met = free.longest
    assert inside(free.points[: met + 1]).all()
    assert free.lengths[met] > 100
    assert [update for update, _, _ in exits(free)] == [met]
    # Both came the same way, to the same point of the wall.
    np.testing.assert_array_equal(clipped.points[: met + 1], free.points[: met + 1])
    assert clipped.lengths.max() <= OPENING.learning_rate * OPENING.threshold
    assert inside(clipped.points).all()
    # What was thrown cannot come back; what was not gets further down than it had been.
    assert free.norm[met + 1 :].max() < 1e-50
    assert free.loss[-1] > 0.08
    # It is no chance: each of the last is lower than all that the other one comes to.
    assert clipped.last.max() < np.nanmin(free.loss)
    assert free.settled > 0.08


def test_what_the_opening_picture_says_is_the_same_however_the_last_digits_fall():
    rng = np.random.default_rng(0)
    away = [1 + rng.integers(-8, 9, 2) * np.finfo(float).eps for _ in range(24)]

    def moved(opening):
        return side_by_side(opening, *(replace(opening, w=opening.w * w, b=opening.b * b) for w, b in away))

    pairs = list(zip(*(moved(OPENING.descent(clipped=limited)) for limited in (False, True)), strict=True))
    (told,) = {cliff_headline(free, clipped, OPENING) for free, clipped in pairs}
    assert told.endswith("the loss ends below 0.010 instead of at 0.090 (the last 20 updates)")
    highest = max(clipped.last.max() for _, clipped in pairs)
    assert highest < 0.008, "too near the power of ten that the headline says"


def test_with_few_steps_nothing_is_thrown():
    for steps in (2, 5):
        assert not exits(descend(CliffView(steps=steps).descent(clipped=False)))
