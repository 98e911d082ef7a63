"""Cost: how long experiments would take and how much memory, before they are started, and what to lower if it is too much."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from explorer.choices.controls import NETWORK, TASK, TRAINING, Control, Number
from explorer.choices.experiment import Experiment
from explorer.choices.settings import Settings
from explorer.training.cost_models import LIMIT_BYTES, LIMIT_SECONDS, Cost
from explorer.training.kinds import kind_of
from explorer.training.run import Training

# The start of many depths is measured in one go (`all_depths`), of which nobody sees a part. Measured, it takes .05 to
# .25 of what the depths take apart, mostly .09.
DEPTHS_SECONDS, DEPTHS_TOGETHER = 10.0, 0.12
# So many ways to make an experiment cheaper are named.
MOST_WAYS = 3
# The label of the control that says how deep the deepest of many depths is.
UP_TO_DEPTH = "Up to depth"

Changes = Mapping[str, Any]


def estimate(experiment: Settings) -> Cost:
    """Estimate an experiment's cost; nothing is allocated or trained.

    >>> estimate(Experiment(epochs=2000)).updates
    2000
    """
    return kind_of(experiment).cost(experiment)


def refuse(experiment: Settings) -> str | None:
    """Return None if an experiment is within the limits, else one sentence: how large it is and what to lower.

    Each way that is named is enough on its own: first the settings that only
    shorten or thin out the training, the smallest change of them leading,
    then those that make it another network.
    """
    refusal = refuse_in_short(experiment)
    if refusal is None:
        return None
    ways = ", or ".join(_ways(experiment)) or "several settings lower"
    return f"{refusal.removesuffix('.')}: set {ways}."


def refuse_in_short(experiment: Settings) -> str | None:
    """Return what `refuse` does, without what to lower: to find that takes a hundred times as long, for one of many too long."""
    cost = estimate(experiment)
    return None if cost.bearable else f"This training would {_too_much(cost.seconds, cost.bytes)} and is not started."


def refuse_all(experiments: Sequence[Settings]) -> str | None:
    """Return None if each of several experiments is within the limits, and all together are; else what to lower."""
    alone = next(filter(None, map(refuse, experiments)), None)
    if alone:
        return alone
    costs = [estimate(experiment) for experiment in dict.fromkeys(experiments)]
    seconds, size = sum(cost.seconds for cost in costs), sum(cost.bytes for cost in costs)
    if seconds <= LIMIT_SECONDS and size <= LIMIT_BYTES:
        return None
    length = experiments[0].controls()[kind_of(experiments[0]).length]
    return (
        f"These {len(costs)} trainings together would {_too_much(seconds, size)} and are not started: "
        f"lower epochs, seeds or {length.label.lower()}."
    )


def refuse_depths(experiment: Experiment, deepest: int) -> str | None:
    """Return None if the start of all depths up to `deepest` can be measured while a viewer waits, else what to lower."""
    apart = sum(estimate(experiment.but(depth=depth, epochs=1)).seconds for depth in range(1, deepest + 1))
    seconds = DEPTHS_TOGETHER * apart
    if seconds <= DEPTHS_SECONDS:
        return None
    return (
        f"Measuring the start of {deepest} depths would take about {_time(seconds)} (the limit is "
        f"{_time(DEPTHS_SECONDS)}) and is not started: lower “{UP_TO_DEPTH}”, width, samples or seeds."
    )


# --- what to lower ------------------------------------------------------------------------------


def _ways(experiment: Settings) -> list[str]:
    """Return what to set so that an experiment is within the limits; each way is enough on its own.

    Where no single setting is enough, settings take their moderate values, one more at a time and from the most to the
    least harmless, until one more change is.
    """
    settled: dict[str, Any] = {}
    for name in ("", *_lowered(experiment)):
        if name:
            settled |= _moderated(experiment.but(**settled), name)
        rest = experiment.but(**settled)
        if estimate(rest).bearable:
            return [_words(experiment, settled)]
        ways = [_words(experiment, {**settled, **change}) for change in _single_changes(rest, settled)]
        if ways:
            return ways[:MOST_WAYS]
    return []


def _lowered(experiment: Settings) -> Mapping[str, Control]:
    """The settings that change the cost, from the most to the least harmless."""
    controls = {name: control for name, control in experiment.controls().items() if control.moderate is not None}
    order = (TRAINING, TASK, NETWORK)
    return dict(sorted(controls.items(), key=lambda item: order.index(item[1].group)))


def _moderated(experiment: Settings, name: str) -> Changes:
    """The change of one setting to its moderate value, if that makes training cheaper."""
    change = {name: experiment.controls()[name].moderate}
    now, then = estimate(experiment), estimate(experiment.but(**change))
    return change if then.seconds < now.seconds or then.bytes < now.bytes else {}


def _single_changes(experiment: Settings, settled: Changes) -> list[Changes]:
    """Every change of one more setting that is enough; another network last, else the smallest change first."""
    enough: list[tuple[bool, float, Changes]] = []
    for name, control in _lowered(experiment).items():
        present, network = getattr(experiment, name), control.group == NETWORK
        fitting = (v for v in control.cheaper(present) if estimate(experiment.but(**{name: v})).bearable)
        value = None if name in settled else next(fitting, None)
        # A tiny network is another experiment.
        if value is not None and not (network and value < control.moderate):
            enough.append((network, present / value if isinstance(control, Number) else math.inf, {name: value}))
    return [change for _, _, change in sorted(enough, key=lambda way: way[:2])]


def _words(experiment: Settings, changes: Changes) -> str:
    """Return some changes in words: "epochs to 20,000 and seeds to 4"."""
    return " and ".join(_change(experiment.controls()[name], value) for name, value in changes.items())


def _change(control: Control, value: Any) -> str:
    words = control.label.lower()
    return f"{words} to {value:,}" if isinstance(control, Number) else f"the {words} to {value}"


def _too_much(seconds: float, size: float) -> str:
    """Return in words which limit is exceeded, of time or else of memory."""
    if seconds > LIMIT_SECONDS:
        return f"take about {_time(seconds)} (the limit is {_time(LIMIT_SECONDS)})"
    return f"need about {_memory(size)} of memory (the limit is {_memory(LIMIT_BYTES)})"


def _time(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _memory(size: float) -> str:
    return f"{size / 2**30:,.1f} GB" if size >= 2**30 else f"{size / 2**20:,.0f} MB"


# --- how long an epoch takes, measured on this machine ------------------------------------------


ROUNDS, STRETCH = 5, 0.01


def epoch_seconds(experiments: Sequence[Settings]) -> list[float]:
    """Return the seconds that an epoch of each experiment takes, all its seeds together.

    Short stretches of all experiments are timed in turn, so that a busy moment of the machine meets every one of
    them. The fastest stretch counts, in this thread's own time: a disturbance can only add to a time.
    """
    trainings = [_unrecorded(experiment) for experiment in experiments]
    fastest = [math.inf] * len(trainings)
    for _ in range(ROUNDS):
        for number, training in enumerate(trainings):
            if training.complete:
                training = trainings[number] = _unrecorded(experiments[number])
            fastest[number] = min(fastest[number], _update_seconds(training))
    return [
        seconds * len(experiment.batch_sizes()) * len(training.groups)
        for seconds, experiment, training in zip(fastest, experiments, trainings, strict=True)
    ]


def _unrecorded(experiment: Settings) -> Training:
    """A training past its first record, and without another before its end: records take time of their own."""
    training = Training(experiment, record_at=(0, experiment.epochs))
    training.advance(0.0)
    return training


def _update_seconds(training: Training) -> float:
    """Train for one stretch and return the seconds of an update of one group of seeds."""
    before, start = sum(group.updates for group in training.groups), time.thread_time()
    training.advance(STRETCH)
    took, made = time.thread_time() - start, sum(group.updates for group in training.groups) - before
    return took / made if made else math.inf
