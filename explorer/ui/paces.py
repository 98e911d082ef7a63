"""Measured paces, kept for the server's life: what an epoch of one experiment costs against another's."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

import streamlit as st

from explorer.experiment import Experiment
from explorer.pace import Pace

ROUNDS, STRETCH = 5, 0.01
MAX_PACES = 256


class Paces:
    """Seconds of an epoch, by experiment; measured in turn, one viewer at a time."""

    def __init__(self) -> None:
        self._seconds: OrderedDict[Experiment, float] = OrderedDict()
        self._lock = threading.Lock()

    def ratios(self, experiments: Sequence[Experiment]) -> list[float]:
        """Return the seconds of an epoch of each over those of the first, all measured together if any is new."""
        with self._lock:
            if any(experiment not in self._seconds for experiment in experiments):
                self._measure(list(dict.fromkeys(experiments)))
            first = self._seconds[experiments[0]]
            return [self._seconds[experiment] / first for experiment in experiments]

    def _measure(self, experiments: list[Experiment]) -> None:
        paces = [Pace(experiment) for experiment in experiments]
        for _ in range(ROUNDS):
            for pace in paces:
                pace.stretch(STRETCH)
        for pace in paces:
            self._seconds.pop(pace.experiment, None)
            self._seconds[pace.experiment] = pace.epoch_seconds
        while len(self._seconds) > max(MAX_PACES, len(experiments)):
            self._seconds.popitem(last=False)


@st.cache_resource(show_spinner=False)
def paces() -> Paces:
    """Return this server's paces."""
    return Paces()
