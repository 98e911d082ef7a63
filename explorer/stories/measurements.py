"""What scenes of the tour measure: one number from what is on screen, and a clause that says it with its numbers.

Every function takes the diagnoses of the scene's experiments by the names of their panels.
"""

import math

import numpy as np

from explorer.diagnosis.diagnose import Diagnosis
from explorer.diagnosis.effects import rank
from explorer.diagnosis.facts import Facts
from explorer.diagnosis.seeds import band
from explorer.diagnosis.sentences import told_diverged
from explorer.diagnosis.wording import against_last, decades, number
from explorer.stories.scene import Shown
from explorer.stories.scene_figures import DEPTHS, lenses


def first(shown: Shown) -> Diagnosis:
    """Return the diagnosis of the first experiment that is shown."""
    return next(iter(shown.values()))


def last(shown: Shown) -> Diagnosis:
    """Return the diagnosis of the last experiment that is shown."""
    return list(shown.values())[-1]


def power(log10: float) -> float:
    """Return 10 to a power that may be too large or too small."""
    return math.inf if log10 > 300 else 10.0**log10


def share(facts: Facts) -> float:
    """Return the gradient at the first layer or step over that at the last, at the start."""
    return power(facts.log_ratio)


def factor(facts: Facts) -> float:
    """Return what each layer multiplies RMS dL/dz by on its way back, at the start."""
    return power(facts.log_factor)


def mean_part(diagnosis: Diagnosis, part: str) -> float:
    """Return the factor that a part of the way back contributes at the start.

    The geometric mean over the steps from hidden layer to hidden layer, as in `factor`.
    """
    return power(float(diagnosis.why().parts[part][:-1].mean()))


def solved(shown: Shown) -> float:
    """Return how many seeds of the last experiment learn."""
    return float(last(shown).facts.solved)


def saturated(shown: Shown) -> float:
    """Return the share of the last experiment's units that are saturated in its middle layer at the start."""
    return lenses(shown)[1].saturated[1]


def most_level(shown: Shown) -> float:
    """Return which of the panels, counted from 1, has the most level gradient over the hidden layers at the start."""
    return 1 + float(np.argmin([abs(diagnosis.facts.log_inside) for diagnosis in shown.values()]))


def best(shown: Shown) -> float:
    """Return which of the panels, counted from 1, ranks first: most seeds that learn, then soonest."""
    return 1.0 + rank([diagnosis.facts for diagnosis in shown.values()])[0]


def deepest(shown: Shown) -> float:
    """Return the depth up to which at least half of the seeds learn; 0 if they do not at the first."""
    facts = (diagnosis.facts for diagnosis in shown.values())
    failing = [depth for depth, f in zip(DEPTHS, facts, strict=True) if f.solved * 2 < f.runs]
    return failing[0] - 1.0 if failing else float(DEPTHS[-1])


def learning(shown: Shown) -> float:
    """Return of which panels at least seven of eight seeds learn: 1 for the first, plus 2 for the second, plus 4, ..."""
    facts = (diagnosis.facts for diagnosis in shown.values())
    return float(sum(2**place for place, f in enumerate(facts) if f.solved * 8 >= 7 * f.runs))


def ending(shown: Shown) -> float:
    """Return the epoch at which half of the seeds of the first panel are no longer finite; inf if they stay so."""
    ends = [math.inf if end is None else float(end.epoch) for end in first(shown).history.endings]
    return float(band(np.array(ends)).middle)


def tell_saturated(shown: Shown) -> str:
    """Say how many units are saturated in the middle layer, and what slope is left there, now and before."""
    before, now = lenses(shown)
    told = [
        f"{words}{lens.saturated[1]:.1%} of z saturated, slope {number(lens.rms_slope[1])} RMS"
        for words, lens in (("", now), ("before, ", before))
        if lens is not None
    ]
    return f"at layer {now.position}: {'; '.join(told)}"


def tell_parts(shown: Shown) -> str:
    """Say what each part contributes."""
    parts = [f"{part} × {number(mean_part(last(shown), part))}" for part in last(shown).why().parts]
    return f"on average a layer's {', its '.join(parts)}"


LAST = "the last layer's gradient"


def tell_share(shown: Shown) -> str:
    """Say the first layer's share, and what it was."""
    before = "" if len(shown) == 1 else f"; before, it got {decades(first(shown).facts.log_ratio)}"
    return f"at the start layer 1 gets {against_last(last(shown).facts.log_ratio, LAST)}{before}"


def tell_factor(shown: Shown) -> str:
    """Say what each layer multiplies the gradient by, and the whole."""
    facts = last(shown).facts
    return f"each hidden layer multiplies dL/dz by {decades(facts.log_factor)}: layer 1 gets {against_last(facts.log_ratio, LAST)}"


def tell_solved(shown: Shown) -> str:
    """Say how many seeds have learnt it, and how many had before a change."""
    counts = [diagnosis.facts.learnt for diagnosis in shown.values()]
    before = f"; before the change {counts[0]} had" if len(counts) > 1 else ""
    epoch = last(shown).facts.epoch
    return f"{counts[-1]} seeds have learnt it by epoch {epoch:,}{before}" if epoch else "training begins"


def tell_panels(shown: Shown) -> str:
    """Say each panel's share of the gradient at the start."""
    shares = [f"{name} {decades(diagnosis.facts.log_inside)}" for name, diagnosis in shown.items()]
    return f"layer 1 over the last hidden layer, at the start: {', '.join(shares)}"


def tell_learnt(shown: Shown) -> str:
    """Say of each panel how many seeds learn it."""
    return f"seeds that learn it: {', '.join(f'{name} {diagnosis.facts.learnt}' for name, diagnosis in shown.items())}"


def tell_best(shown: Shown) -> str:
    """Say which panel ranks first, and how many seeds have learnt it there."""
    name, diagnosis = list(shown.items())[round(best(shown)) - 1]
    epoch = diagnosis.facts.epoch
    if not diagnosis.facts.solved:
        return f"no seed of any panel has learnt it at epoch {epoch:,}"
    return f"{name} comes first: {diagnosis.facts.learnt} seeds have learnt it at epoch {epoch:,}"


def tell_deepest(shown: Shown) -> str:
    """Say up to which depth half of the seeds learn."""
    depth, epoch = deepest(shown), min(diagnosis.facts.epoch for diagnosis in shown.values())
    where = f"up to {depth:.0f} hidden layers" if depth else "at no depth"
    return f"by epoch {epoch:,} at least half of the seeds learn {where}"


def tell_dead(shown: Shown) -> str:
    """Say how many hidden units are dead, and how many seeds have learnt it."""
    dead = last(shown).facts.dead_share
    share_off = 0.0 if math.isnan(dead) else dead
    return (
        f"{share_off:.0%} of the hidden units are off for every sample; {last(shown).facts.learnt} seeds have learnt it"
    )


def tell_through_time(shown: Shown) -> str:
    """Say of each panel what reaches the first step at the start, and how many seeds learn it."""
    shares = [f"{name}: {decades(diagnosis.facts.log_ratio)}" for name, diagnosis in shown.items()]
    learnt = [f"{name}: {diagnosis.facts.learnt}" for name, diagnosis in shown.items()]
    return (
        f"RMS dL/dh, step 1 over step {first(shown).history.experiment.length}, at the start: {'; '.join(shares)}. "
        f"Seeds that learn it: {'; '.join(learnt)}"
    )


def tell_clipping(shown: Shown) -> str:
    """Say the first gradient's norm, and of each panel how many seeds have learnt it or are not finite."""
    learnt = [f"{name}: {known.facts.learnt}{told_diverged(known.facts)}" for name, known in shown.items()]
    return (
        f"the first gradient, of all parameters, has norm {number(first(shown).facts.first_norm)}. "
        f"Seeds that have learnt it: {'; '.join(learnt)}"
    )
