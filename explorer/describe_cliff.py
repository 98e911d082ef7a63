"""Describe the cliff: what became of both descents, in a headline and, with all numbers, for those who hear it."""

import math

import numpy as np

from explorer.cliff import REPELS, START, TARGET, Ground, Path, Section
from explorer.cliff_view import CliffView, exits
from explorer.sweep import thin
from explorer.wording import number

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
    """Say what clipping changed, with its numbers."""
    limit = f"clipped by {view.clip} to {view.threshold:g}"
    if np.array_equal(free.points, clipped.points, equal_nan=True):
        return (
            f"No gradient is longer than {number(_norm(free), 3)} in {view.updates} updates: clipping changes nothing"
        )
    gone, kept = _leaves(free), _leaves(clipped)
    if gone and kept:
        return f"Without clipping {gone}; {limit}, {kept}"
    if gone:
        return f"Without clipping {gone}; {limit}, the loss comes down to {_lowest(clipped)}"
    told = f"{limit[0].upper()}{limit[1:]}, {kept}" if kept else "Both descents stay on the map"
    return (
        f"{told}; the longest gradient has norm {number(_norm(free), 3)}, and the loss comes down to {_lowest(free)} "
        f"without clipping, to {_lowest(clipped)} with"
    )


def _norm(path: Path) -> float:
    """Of the longest gradient that an update followed."""
    return float(path.norm[path.longest])


def _lowest(path: Path) -> str:
    return number(float(np.nanmin(path.loss)))


def _leaves(path: Path) -> str:
    """Say how a path leaves the map, or ends; empty where it does neither."""
    left = exits(path)
    if left:
        lengths = path.lengths
        update = max((each[0] for each in left), key=lambda each: lengths[each])
        (w, _), (to_w, _) = path.points[update], path.points[update + 1]
        verb = "throws" if lengths[update] >= THROWN else "leads off the map"
        way = f"w from {number(w, 3)} to {number(to_w, 3)}" if verb == "throws" else f"at w = {number(w, 3)}"
        return f"a gradient of norm {number(path.norm[update], 3)} {verb} {way}"
    lost = ~np.isfinite(path.points).all(axis=1)
    return f"w and b are not finite from update {int(np.argmax(lost))} on" if lost.any() else ""


def growth(view: CliffView, free: Path) -> str:
    """Say what theory has to say of where the longest gradient was met, with its numbers."""
    w = float(free.points[free.longest, 0])
    factor = w * START * (1 - START)
    if not math.isfinite(factor):
        return ""
    if w <= REPELS:
        return f"At w = {number(w, 3)} h₀ is nowhere a fixed point that repels (that takes w > {number(REPELS, 3)})."
    grown = factor**view.steps
    return (
        f"At w = {number(w, 3)}, where the longest gradient was met, an error at h₀ grows {number(factor, 3)} times a step: "
        f"{number(grown)} times in {view.steps}."
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
