"""Describe the cliff: what became of both descents, in a headline and, with all numbers, for those who hear it."""

import math

import numpy as np

from explorer.cliff import REPELS, START, TARGET, Ground, Path, Section, wall
from explorer.cliff_view import B_SPAN, W_SPAN, CliffView, exits
from explorer.sweep import thin
from explorer.wording import decades, number

# An update of this length or more throws: half of the map's width.
THROWN = 2.0
TOLD = 6


def cliff_summary(view: CliffView) -> str:
    """Say all settings in one line: what a picture must carry to explain itself."""
    return " · ".join(
        [
            f"h_t = σ(w h_(t-1) + b), {view.steps} steps",
            f"loss (h_{view.steps} - {TARGET:g})²",
            f"from w {view.w:g}, b {view.b:g}",
            f"gradient descent, learning rate {view.learning_rate:g}",
            f"clipping by {view.clip} at {view.threshold:g}",
            f"{view.updates} updates",
        ]
    )


def headline(free: Path, clipped: Path, view: CliffView) -> str:
    """Say what clipping changed and where both paths end, with their numbers."""
    limit = f"clipped by {view.clip} to {view.threshold:g}"
    if np.array_equal(free.points, clipped.points, equal_nan=True):
        return (
            f"No gradient is longer than {number(_norm(free), 3)} in {view.updates} updates: clipping changes nothing, the "
            f"loss ends at {number(free.settled)} ({_median(free)})"
        )
    gone, kept = _leaves(free), _leaves(clipped)
    if gone and kept:
        return f"Without clipping {gone}; {limit}, {kept}; {_ending(free, clipped, 'clipped')}"
    if gone:
        return f"Without clipping {gone}; {_ending(free, clipped, limit)}"
    longest = f"without clipping the longest gradient has norm {number(_norm(free), 3)}"
    if kept:
        return f"{limit[0].upper()}{limit[1:]}, {kept}; {longest}; {_ending(free, clipped, 'clipped')}"
    return f"Both descents stay on the map; {longest}; {_ending(free, clipped, limit)}"


def _norm(path: Path) -> float:
    """Of the longest gradient that an update followed."""
    return float(path.norm[path.longest])


def _ending(free: Path, clipped: Path, limit: str) -> str:
    """Say where both end; where clipping ends worse, that it does."""
    without, limited = number(free.settled), number(clipped.settled)
    if without == limited:
        return f"both end at a loss of {limited} ({_median(free)})"
    # A loss that is not finite is the worst of all.
    if np.nan_to_num(clipped.settled, nan=math.inf) > np.nan_to_num(free.settled, nan=math.inf):
        return f"{limit}, it ends worse: at a loss of {limited}, without clipping at {without} ({_median(free)})"
    return f"{limit}, the loss ends at {limited} instead of {without} ({_median(free)})"


def _median(path: Path) -> str:
    count = len(path.last)
    return f"median of {'all' if count == len(path.loss) - 1 else 'the last'} {count} updates"


def _leaves(path: Path) -> str:
    """Say how a path leaves the map, or ends; empty where it does neither."""
    left = exits(path)
    if left:
        lengths = path.lengths
        update = max((each[0] for each in left), key=lambda each: lengths[each])
        way = _way_off(path, update)
        told = f"throws {way}" if lengths[update] >= THROWN else f"leads {way}, off the map"
        return f"a gradient of norm {number(path.norm[update], 3)} {told}"
    lost = ~np.isfinite(path.points).all(axis=1)
    return f"w and b are not finite from update {int(np.argmax(lost))} on" if lost.any() else ""


def _way_off(path: Path, update: int) -> str:
    """Say where that update leads what leaves the map by it: w, b or both."""
    ways = zip("wb", (W_SPAN, B_SPAN), path.points[update], path.points[update + 1], strict=True)
    return " and ".join(
        f"{name} from {number(start, 3)} to {number(end, 3)}"
        for name, (low, high), start, end in ways
        if not low <= end <= high
    )


def growth(view: CliffView, free: Path) -> str:
    """Say what theory has to say of the wall at that w where the longest gradient was met, and how far that was from it."""
    w, b = map(float, free.points[free.longest])
    factor = w * START * (1 - START)
    if not math.isfinite(factor):
        return ""
    if w <= REPELS:
        return f"At w = {number(w, 3)} h₀ is nowhere a fixed point that repels (that takes w > {number(REPELS, 3)})."
    away = abs(b - float(wall(np.array(w))))
    return (
        f"On the wall's line, w h₀ + b = 0.5, at w = {number(w, 3)} an error at h₀ grows {number(factor, 3)} times a step: "
        f"{decades(view.steps * math.log10(factor))} times in {view.steps}. "
        f"The longest gradient without clipping was met at this w, {number(away)} from the line in b."
    )


def describe_cliff(ground: Ground, free: Path, clipped: Path, view: CliffView) -> str:
    """Say the map's and both paths' numbers."""
    loss, norm = ground.slope.loss, ground.slope.norm
    told = [
        f"{headline(free, clipped, view)}.",
        f"On the map, w from {ground.w[0]:g} to {ground.w[-1]:g} and b from {ground.b[0]:g} to {ground.b[-1]:g}, the loss "
        f"goes from {number(loss.min())} to {number(loss.max())}, the gradient's norm from {number(norm.min())} to "
        f"{number(norm.max())} at the grid's points.",
        _way("Without clipping", free),
        _way(f"Clipped by {view.clip} to {view.threshold:g}", clipped),
        f"{cliff_summary(view)}.",
    ]
    return " ".join(told)


def _way(name: str, path: Path) -> str:
    told = []
    for update in thin(range(len(path.loss)), TOLD):
        w, b = path.points[update]
        told.append(
            f"after {update} updates w {number(w, 3)}, b {number(b, 3)}, loss {number(path.loss[update])}, gradient norm "
            f"{number(path.norm[update])}"
        )
    return f"{name}: {'; '.join(told)}."


def describe_section(section: Section) -> str:
    """Say how high and how steep the loss is along b, by number of steps."""
    told = (
        f"with {steps} steps the loss lies between {number(loss.min())} and {number(loss.max())}, its longest gradient has "
        f"norm {number(section.longest[steps])}"
        for steps, loss in section.loss.items()
    )
    return f"Along b at w = {number(section.w, 3)}: {'; '.join(told)}."
