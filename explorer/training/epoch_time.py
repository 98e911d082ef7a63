"""How long an epoch of an experiment takes, measured on this machine."""

import math
import time
from collections.abc import Sequence

from explorer.choices.settings import Settings
from explorer.training.run import Training

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
