"""Pace: what an epoch of an experiment costs, measured on this machine."""

import time

from explorer.experiment import Experiment
from explorer.training import Training

# Long enough to count a few updates of a big net, short enough to wait for.
STRETCH = 0.03


class Pace:
    """Measures an experiment's training speed in short stretches, without disturbing its own training.

    Stretches of several experiments are to be taken in turn, so that a busy
    moment of the machine meets them all.

    Parameters
    ----------
    experiment : Experiment
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        # Records take time of their own: only the first and, never reached, the last.
        self._training = Training(experiment, record_at=(0, experiment.epochs))
        self._training.advance(0.0)
        self._best = float("inf")

    def stretch(self, seconds: float = STRETCH) -> None:
        """Train for a moment, and keep the pace if it is the fastest so far: whatever disturbs only adds to a time."""
        if self._training.complete:
            self._training = Training(self.experiment, record_at=(0, self.experiment.epochs))
            self._training.advance(0.0)
        # This thread's own time: what others do on a busy machine is not the experiment's cost.
        before, start = self._updates(), time.thread_time()
        self._training.advance(seconds)
        took, made = time.thread_time() - start, self._updates() - before
        if made:
            self._best = min(self._best, took / made)

    def _updates(self) -> int:
        return sum(group.updates for group in self._training.groups)

    @property
    def epoch_seconds(self) -> float:
        """Seconds of an epoch of all seeds; inf before the first stretch."""
        return self._best * len(self.experiment.batch_sizes()) * len(self._training.groups)
