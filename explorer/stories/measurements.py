"""What scenes of the tour measure: one number from the histories on screen, and a clause that says it."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from explorer.diagnosis.comparison import share as of_the_last
from explorer.diagnosis.effects import rank
from explorer.diagnosis.facts import Facts, facts
from explorer.diagnosis.seeds import band
from explorer.diagnosis.why import decompose
from explorer.diagnosis.wording import against_last, decades, number
from explorer.stories.scene import DEPTHS, Histories
from explorer.training.history import History


def last(histories: Histories) -> Facts:
    """Return the facts of the last experiment that is shown."""
    return facts(histories[-1])


def power(log10: float) -> float:
    """Return 10 to a power that may be too large or too small."""
    return math.inf if log10 > 300 else 10.0**log10


def share(found: Facts) -> float:
    """Return the first layer's RMS dL/dz over the last layer's, at the start."""
    return power(found.log_ratio)


def factor(found: Facts) -> float:
    """Return what each layer multiplies RMS dL/dz by on its way back, at the start."""
    return power(found.log_factor)


def mean_part(history: History, part: str) -> float:
    """Return the factor that a part of the way back contributes at the start: geometric mean over hidden layers."""
    return power(float(decompose(history, 0).parts[part].mean()))


def tell_parts(histories: Histories) -> str:
    """Say what each part contributes."""
    parts = decompose(histories[-1], 0).parts
    said = [f"{name} × {number(mean_part(histories[-1], name))}" for name in parts]
    return f"on average a layer's {', its '.join(said)}"


def tell_share(histories: Histories) -> str:
    """Say the first layer's share, and what it was."""
    now, before = last(histories), facts(histories[0])
    was = "" if len(histories) == 1 else f", before {decades(before.log_ratio)}"
    return f"at the start layer 1 gets {against_last(now.log_ratio)}{was}"


def tell_factor(histories: Histories) -> str:
    """Say what each layer multiplies the gradient by, and the whole."""
    now = last(histories)
    return f"each layer multiplies dL/dz by {decades(now.log_factor)}: layer 1 gets {against_last(now.log_ratio)}"


def tell_solved(histories: Histories) -> str:
    """Say how many seeds learnt it, of two experiments that stand one above the other both."""
    said = [f"{found.solved} of {found.runs} seeds" for found in map(facts, histories)]
    who = f"{said[0]} above and {said[-1]} below have" if len(said) > 1 else f"{said[0]} have"
    return f"{who} learnt it at epoch {last(histories).epoch:,}"


def tell_panels(names: Sequence[str]) -> Callable[[Histories], str]:
    """Say each panel's share of the gradient at the start."""

    def tell(histories: Histories) -> str:
        said = [f"{name} {decades(facts(each).log_ratio)}" for name, each in zip(names, histories, strict=True)]
        return f"layer 1 over the last layer, at the start: {', '.join(said)}"

    return tell


def tell_learnt(names: Sequence[str]) -> Callable[[Histories], str]:
    """Say of each panel how many seeds learnt it."""

    def tell(histories: Histories) -> str:
        found = [facts(each) for each in histories]
        said = [f"{name} {f.solved} of {f.runs}" for name, f in zip(names, found, strict=True)]
        return f"seeds that learn it: {', '.join(said)}"

    return tell


def most_level(histories: Histories) -> float:
    """Return which of the panels, counted from 1, has the most level gradient at the start."""
    return 1 + float(np.argmin([abs(facts(each).log_ratio) for each in histories]))


def best(histories: Histories) -> float:
    """Return which of the panels, counted from 1, ranks first: most seeds that learn, then soonest."""
    return 1.0 + rank([facts(each) for each in histories])[0]


def tell_best(names: Sequence[str]) -> Callable[[Histories], str]:
    """Say which panel ranks first, and how many seeds learnt it there."""

    def tell(histories: Histories) -> str:
        first = round(best(histories)) - 1
        found = facts(histories[first])
        if not found.solved:
            return f"no seed of any panel has learnt it at epoch {found.epoch:,}"
        return (
            f"{names[first]} comes first: {found.solved} of {found.runs} seeds have learnt it at epoch {found.epoch:,}"
        )

    return tell


def deepest(histories: Histories) -> float:
    """Return the depth up to which at least half of the seeds learn; 0 if they do not at the first."""
    failing = [depth for depth, each in zip(DEPTHS, map(facts, histories), strict=True) if each.solved * 2 < each.runs]
    return failing[0] - 1.0 if failing else float(DEPTHS[-1])


def tell_deepest(histories: Histories) -> str:
    """Say up to which depth half of the seeds learn."""
    reach, epoch = deepest(histories), min(int(each.epochs[-1]) for each in histories)
    where = f"up to {reach:.0f} hidden layers" if reach else "at no depth"
    return f"by epoch {epoch:,} half of the seeds or more learn {where}"


def tell_dead(histories: Histories) -> str:
    """Say how many hidden units are dead, and how many seeds learnt it."""
    found = last(histories)
    dead = 0.0 if math.isnan(found.dead_share) else found.dead_share
    return (
        f"{dead:.0%} of the hidden units are off for every sample; {found.solved} of {found.runs} seeds have learnt it"
    )


# --- through time -------------------------------------------------------------------------------


def arriving(history: History) -> float:
    """Return RMS dL/dh at the first step over that at the last, at the start."""
    return power(facts(history).log_ratio)


def learning(histories: Histories) -> float:
    """Return of which panels more than half of the seeds learn: 1 for the first, plus 2 for the second, plus 4, ..."""
    found = map(facts, histories)
    return float(sum(2**place for place, f in enumerate(found) if f.solved * 2 > f.runs))


def ending(histories: Histories) -> float:
    """Return the epoch at which half of the seeds of the first panel are no longer finite; inf if they stay so."""
    ends = [math.inf if end is None else float(end.epoch) for end in histories[0].endings]
    return float(band(np.array(ends)).middle)


def tell_through_time(name: str) -> Callable[[Histories], str]:
    """Say of each panel what reaches the first step at the start, and how many seeds learnt it; `name` is what differs."""

    def tell(histories: Histories) -> str:
        """The sentence, with `name` in it."""
        found = [facts(each) for each in histories]
        called = [_called(f.experiment.settings()[name], name) for f in found]
        shares = [f"{each}: {of_the_last(f.log_ratio)}" for each, f in zip(called, found, strict=True)]
        learnt = [f"{each}: {f.solved} of {f.runs}" for each, f in zip(called, found, strict=True)]
        return (
            f"RMS dL/dh, step 1 over step {found[0].experiment.length}, at the start: {'; '.join(shares)}. "
            f"Seeds that learn it: {', '.join(learnt)}"
        )

    return tell


def _called(value: object, name: str) -> str:
    return f"bias {value:g}" if name == "forget_bias" else str(value)


def tell_clipping(histories: Histories) -> str:
    """Say how long the first gradient is, and of each panel how many seeds learnt it or are not finite."""
    found = [facts(each) for each in histories]
    learnt = [
        f"{'no clipping' if f.experiment.clip == 'none' else f'by {f.experiment.clip}'}: {f.solved} of {f.runs}"
        + (f" ({f.diverged} not finite)" if f.diverged else "")
        for f in found
    ]
    return (
        f"the first gradient, of all parameters, is {number(found[0].first_norm)} long. "
        f"Seeds that have learnt it: {', '.join(learnt)}"
    )
