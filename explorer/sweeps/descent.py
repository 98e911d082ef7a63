"""Descents on the cliff, clipped or not, and what became of them, in words."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.choices.clipping import CLIPPERS
from explorer.diagnosis.wording import begun, decades, number
from explorer.sweeps.cliff import B_SPAN, REPELS, START_STATE, STEPS, TARGET, W_SPAN, Unit, wall

# A descent hops about its valley: its end is the median over so many updates.
LAST = 20
# An update of this length or more throws: half of the map's width.
THROWN = 2.0


@dataclass(frozen=True, kw_only=True)
class Descent:
    """Gradient descent on that loss, from (w, b); `steps` are those of the net, `clip` names an entry of `CLIPPERS`."""

    w: float
    b: float
    learning_rate: float
    updates: int
    steps: int = STEPS
    clip: str = "none"
    threshold: float = 1.0


@dataclass(frozen=True, eq=False)
class Path:
    """The way of a descent, its start included; NaN from where something is not finite."""

    points: Array  # w and b, (updates + 1, 2)
    loss: Array  # At each point, (updates + 1,)
    norm: Array  # L2 norm of the gradient there, before clipping

    @property
    def lengths(self) -> Array:
        """Length of each update, (updates,)."""
        return np.linalg.norm(np.diff(self.points, axis=0), axis=1)

    @property
    def longest(self) -> int:
        """The update, from 0, that met the longest gradient."""
        return int(np.nanargmax(self.norm[:-1]))  # infinity is the longest of all; the first is finite

    @property
    def last(self) -> Array:
        """Loss after each of the last updates, `LAST` or all."""
        return self.loss[1:][-LAST:]

    @property
    def settled(self) -> float:
        """The median of the last losses; infinity, the worst of all, where one of them is not finite."""
        return float(np.median(self.last)) if np.isfinite(self.last).all() else math.inf

    def rows(self) -> Iterator[dict[str, float]]:
        """Yield one row for every point."""
        for update, ((w, b), loss, norm) in enumerate(zip(self.points, self.loss, self.norm, strict=True)):
            yield {"update": update, "w": w, "b": b, "loss": loss, "gradient norm": norm}


@lru_cache(maxsize=64)
def side_by_side(*descents: Descent) -> tuple[Path, ...]:
    """Follow several descents of equally many updates and steps at once; their arrays are shared and read-only."""
    lengths = {(descent.updates, descent.steps) for descent in descents}
    if len(lengths) != 1:
        raise ValueError(f"descents side by side must have equally many updates and steps, not {sorted(lengths)}")
    ((updates, steps),) = lengths
    points = np.full((len(descents), updates + 1, 2), np.nan)
    loss, norm = np.full((2, len(descents), updates + 1), np.nan)
    points[:, 0] = [(descent.w, descent.b) for descent in descents]
    unit, limits = Unit(len(descents), steps), [CLIPPERS[descent.clip].clip for descent in descents]
    rates = np.array([[descent.learning_rate] for descent in descents])
    for update in range(updates + 1):
        here = unit.surface(points[:, update, 0], points[:, update, 1])
        loss[:, update], norm[:, update] = here.loss, here.norm
        if update == updates:
            break
        gradient = np.stack([here.by_w, here.by_b], axis=1)
        gradient[~np.isfinite(gradient).all(axis=1)] = np.nan
        for place, (descent, limit) in enumerate(zip(descents, limits, strict=True)):
            if limit is not None:
                one = slice(place, place + 1)
                limit(gradient[None, one, None], here.norm[one], descent.threshold)
        with np.errstate(over="ignore"):
            points[:, update + 1] = points[:, update] - rates * gradient
    for array in (points, loss, norm):
        array.flags.writeable = False
    return tuple(Path(*arrays) for arrays in zip(points, loss, norm, strict=True))


def inside(points: Array) -> NDArray[np.bool_]:
    """Return which points (w, b) lie on the map."""
    w, b = points[..., 0], points[..., 1]
    return (w >= W_SPAN[0]) & (w <= W_SPAN[1]) & (b >= B_SPAN[0]) & (b <= B_SPAN[1])


def exits(path: Path) -> list[tuple[int, float, float]]:
    """Return the updates, from 0, that leave the map, and where they cross its edge."""
    points, here = path.points, inside(path.points)
    left = []
    for update in np.flatnonzero(here[:-1] & ~here[1:] & np.isfinite(points[1:]).all(axis=1)):
        start, way = points[update], points[update + 1] - points[update]
        edges = np.array([W_SPAN, B_SPAN])
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.where(way > 0, edges[:, 1] - start, edges[:, 0] - start) / way
        share = float(np.nanmin(np.where(way == 0, np.inf, shares)))
        w, b = start + share * way
        left.append((int(update), float(w), float(b)))
    return left


# --- in words ----------------------------------------------------------------------------------


def cliff_summary(descent: Descent) -> str:
    """Say all settings in one line: what a picture must carry to explain itself."""
    return (
        f"h_t = σ(w h_(t-1) + b), {descent.steps} steps · loss (h_{descent.steps} - {TARGET:g})² · from w {descent.w:g}, b {descent.b:g} "
        f"· gradient descent, learning rate {descent.learning_rate:g} · clipping by {descent.clip} at {descent.threshold:g} "
        f"· {descent.updates} updates"
    )


def cliff_answer(free: Path, clipped: Path, descent: Descent) -> str:
    """Say in one line what clipping changed."""
    if np.array_equal(free.points, clipped.points, equal_nan=True):
        return "Clipping changes nothing here: no gradient is longer than the threshold"
    gone, kept, limit = _fate(free), _fate(clipped), f"clipped by {descent.clip}"
    if gone and kept:
        return f"Without clipping the descent {gone}; {limit}, it {kept} too"
    if gone:
        return f"Without clipping the descent {gone}; {limit}, its loss ends {_end(clipped)}"
    if kept:
        return f"{begun(limit)}, the descent {kept}; without clipping it stays on the map"
    return f"Both descents stay on the map; {_told_apart(_end(free), _end(clipped), limit)}"


def _told_apart(without: str, limited: str, limit: str) -> str:
    return (
        f"both losses end {limited}" if without == limited else f"{limit}, the loss ends {limited}, without {without}"
    )


def _fate(path: Path) -> str:
    """Say that a path leaves the map or stops being finite; empty where it does neither."""
    left, lengths = exits(path), path.lengths
    if left:
        return "is thrown off the map" if max(lengths[update] for update, _, _ in left) >= THROWN else "leaves the map"
    return "" if np.isfinite(path.points).all() else "becomes infinite or NaN"


def cliff_headline(free: Path, clipped: Path, descent: Descent) -> str:
    """Say what clipping changed and where both paths end, with their numbers."""
    limit, norm = f"clipped by {descent.clip} to {descent.threshold:g}", number(float(free.norm[free.longest]), 3)
    if np.array_equal(free.points, clipped.points, equal_nan=True):
        return (
            f"No gradient is longer than {norm} in {descent.updates} updates: clipping changes nothing, the "
            f"loss ends {_end(free)} ({_last(free)})"
        )
    gone, kept = _leaves(free), _leaves(clipped)
    if gone and kept:
        return f"Without clipping {gone}; {limit}, {kept}; {_ending(free, clipped, 'clipped')}"
    if gone:
        return f"Without clipping {gone}; {_ending(free, clipped, limit)}"
    longest = f"without clipping the longest gradient has norm {norm}"
    if kept:
        return f"{begun(limit)}, {kept}; {longest}; {_ending(free, clipped, 'clipped')}"
    return f"Both descents stay on the map; {longest}; {_ending(free, clipped, limit)}"


def _ending(free: Path, clipped: Path, limit: str) -> str:
    without, limited = _end(free), _end(clipped)
    if without == limited:
        return f"both losses end {limited} ({_last(free)})"
    if clipped.settled > free.settled:
        return f"{limit}, the loss ends worse, {limited}, without clipping {without} ({_last(free)})"
    return f"{limit}, the loss ends {limited} instead of {without} ({_last(free)})"


def _end(path: Path) -> str:
    """Say where a loss ends: while it still hops, only the power of ten below which it stays, for its median is chance."""
    low, high = float(path.last.min()), float(path.last.max())
    if 0 < 2 * low < high < math.inf:
        return f"below {number(10.0 ** math.ceil(math.log10(high)))}"
    return f"at {number(path.settled)}" if math.isfinite(path.settled) else "not finite"


def _last(path: Path) -> str:
    count = len(path.last)
    return f"{'all' if count == len(path.loss) - 1 else 'the last'} {count} updates"


def _leaves(path: Path) -> str:
    """Say how a path leaves the map or stops being finite; empty where it does neither."""
    left = exits(path)
    if left:
        lengths = path.lengths
        update = max((update for update, _, _ in left), key=lambda update: lengths[update])
        way = _way_off(path, update)
        told = f"throws {way}" if lengths[update] >= THROWN else f"leads {way}, off the map"
        return f"a gradient of norm {number(path.norm[update], 3)} {told}"
    lost = ~np.isfinite(path.points).all(axis=1)
    return f"w and b are not finite from update {int(np.argmax(lost))} on" if lost.any() else ""


def _way_off(path: Path, update: int) -> str:
    """Say from where to where this update takes w, b or both, whichever leaves the map."""
    ways = zip("wb", (W_SPAN, B_SPAN), path.points[update], path.points[update + 1], strict=True)
    return " and ".join(
        f"{name} from {number(start, 3)} to {number(end, 3)}"
        for name, (low, high), start, end in ways
        if not low <= end <= high
    )


def growth(descent: Descent, free: Path) -> str:
    """Say what theory predicts at the w of the longest gradient, and how far from the wall that gradient was."""
    w, b = map(float, free.points[free.longest])
    factor = w * START_STATE * (1 - START_STATE)
    if not math.isfinite(factor):
        return ""
    if w <= REPELS:
        return f"At w = {number(w, 3)} h₀ is nowhere a fixed point that repels (that takes w > {number(REPELS, 3)})."
    away = abs(b - float(wall(np.array(w))))
    return (
        f"On the wall's line, w h₀ + b = 0.5, at w = {number(w, 3)} an error at h₀ grows {number(factor, 3)} times a step: "
        f"{decades(descent.steps * math.log10(factor))} times in {descent.steps}. "
        f"The longest gradient without clipping was met at this w, {number(away)} from the line in b."
    )
