"""The one loop in which pages go on training while they are shown, and the trainings that a page shows."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import streamlit as st

from explorer.choices.settings import Settings
from explorer.training.history import History
from explorer.training.run import Training
from explorer.ui.between_pages import ask_for_report, give_way
from explorer.ui.jobs import Job, jobs


class Work(Protocol):
    """Work that a page does in slices while it is shown."""

    @property
    def results(self) -> int:
        """The number of results that can be drawn."""

    @property
    def lacks_first(self) -> bool:
        """Whether something on the page has nothing to draw yet: its first result is drawn at once."""

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do now."""

    def advance(self, seconds: float) -> None:
        """Work for about `seconds`."""

    def show_progress(self) -> None:
        """Draw how much of the work is done."""


def work_on(work: Work, seconds: float, repaint: float) -> None:
    """Advance in slices and run the page again when there is something new to draw; the last thing that a page does.

    A slice takes `seconds`, and `repaint` seconds pass between two repaints. Every slice ends in a Streamlit call: there
    the script stops when a control has moved or another page was asked for.
    """
    if not work.over:
        ask_for_report()
    painted, results, at_once = time.perf_counter(), work.results, work.lacks_first
    while not work.over:
        work.advance(seconds)
        work.show_progress()
        late = time.perf_counter() - painted > repaint
        if work.over or (work.results > results and (at_once or late)):
            give_way()
            st.rerun()


class TrainingsInOrder:
    """Several trainings one after the other, as `Work`: each to its end, or to its first record where that is all that shows.

    `place` is where the progress bar is drawn; it says `words` before the number that are done.
    """

    def __init__(self, parts: Sequence[tuple[Sequence[Settings], bool]], place: Any, words: str) -> None:
        self._parts = [(jobs().together(experiments), trains) for experiments, trains in parts]
        self._place, self._words = place, words

    @staticmethod
    def _done(part: tuple[list[Job], bool]) -> bool:
        mine, trains = part
        return all(job.complete if trains else job.begun for job in mine)

    @property
    def results(self) -> int:
        """The number of parts that are done."""
        return sum(map(self._done, self._parts))

    @property
    def lacks_first(self) -> bool:
        """Nothing is drawn of what is trained."""
        return False

    @property
    def over(self) -> bool:
        """Whether all parts are done."""
        return self.results == len(self._parts)

    def advance(self, seconds: float) -> None:
        """Work on the first part that is not done."""
        for part in self._parts:
            if not self._done(part):
                jobs().advance(part[0], seconds if part[1] else 0.0)
                return

    def show_progress(self) -> None:
        """Draw how much of the epochs of all parts is done."""
        shares = [
            1.0 if self._done(part) else sum(job.progress for job in part[0]) / len(part[0]) for part in self._parts
        ]
        if not self.over:
            words = f"{self._words}: {self.results} of {len(self._parts)} are ready"
            self._place.progress(sum(shares) / len(shares), text=words)


class Trainings:
    """The trainings that a page shows, as `Work`, in the order of the experiments.

    `place` is where the progress bar is drawn, if anywhere yet; it says `words` before the share that is done. `make` makes
    a training that is more than the usual one.
    """

    def __init__(
        self,
        experiments: Sequence[Settings],
        place: Any = None,
        words: str = "Training",
        make: Callable[..., Training] | None = None,
    ) -> None:
        made = [] if make is None else [jobs().made_by(make, experiment) for experiment in experiments]
        self.jobs: list[Job] = made or jobs().together(experiments)
        # None where nothing is measured yet.
        self.histories: list[History | None] = [None] * len(self.jobs)
        self.place, self._words = place, words

    def train(self, seconds: float) -> list[History]:
        """Train for about `seconds`, each at least up to its first record, and return all histories."""
        histories = jobs().advance(self.jobs, seconds)
        self.histories = [*histories]
        self.show_progress()
        return histories

    def begin(self, seconds: float) -> list[History | None]:
        """Take first records until the time is over, at least one more; a script that is overtaken ends before it measures."""
        self.histories = jobs().begin(self.jobs, seconds, self.show_progress)
        self.show_progress()
        return self.histories

    def advance(self, seconds: float) -> None:
        """Train for about `seconds`; nets without a first record come first."""
        if self.lacks_first:
            self.begin(seconds)
        else:
            self.train(seconds)

    def show_progress(self) -> None:
        """Draw the progress bar while there is something left to do."""
        share = sum(job.progress for job in self.jobs) / len(self.jobs)
        if share < 1 and self.place is not None:
            self.place.progress(share, text=f"{self._words}: {share:.0%}")

    @property
    def results(self) -> int:
        """The number of records of all nets together."""
        return sum(len(history.epochs) for history in self.histories if history is not None)

    @property
    def lacks_first(self) -> bool:
        """Whether some net has no record yet."""
        return None in self.histories

    @property
    def over(self) -> bool:
        """Whether every net is trained to its last epoch."""
        return all(history is not None and history.complete for history in self.histories)
