"""Side by side: the recurrent nets that a page compares, with their jobs and what is measured of them so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from explorer.history import History
from explorer.inks import Ink, inks
from explorer.panels import Shown
from explorer.recurrent_experiment import RecurrentExperiment
from explorer.time_facts import time_detail, time_facts, time_headline
from explorer.ui.jobs import Job
from explorer.wording import compared_summary


@dataclass(frozen=True, eq=False)
class SideBySide:
    """What stands side by side; all in one order.

    Attributes
    ----------
    names : sequence of str
    held : sequence of Job
    histories : sequence of History or None
        None where nothing is measured yet.
    """

    names: Sequence[str]
    held: Sequence[Job]
    histories: Sequence[History | None]

    @property
    def experiments(self) -> dict[str, RecurrentExperiment]:
        """The experiments by name."""
        return {name: job.experiment for name, job in zip(self.names, self.held, strict=True)}

    @property
    def measured(self) -> list[tuple[str, Job, History]]:
        """Those of which something is measured."""
        every = zip(self.names, self.held, self.histories, strict=True)
        return [(name, job, history) for name, job, history in every if history is not None]

    @property
    def known(self) -> dict[str, History]:
        """Their histories by name."""
        return {name: history for name, _, history in self.measured}

    @property
    def shown(self) -> list[Shown | None]:
        """All as they are drawn."""
        every = zip(self.names, self.histories, strict=True)
        return [None if history is None else Shown(history, name) for name, history in every]

    @property
    def drawn(self) -> list[tuple[Shown, Ink]]:
        """Those of which something is measured, each with its ink."""
        every = inks(self.names)
        return [(Shown(history, name), every[name]) for name, _, history in self.measured]

    @cached_property
    def told(self) -> tuple[str, str]:
        """Who learns it, in one sentence, and what became of the gradient."""
        names, found = list(self.known), [time_facts(history) for history in self.known.values()]
        return time_headline(names, found), time_detail(names, found)

    @property
    def caption(self) -> str:
        """The settings in one line."""
        return compared_summary(list(self.experiments.values()))

    @property
    def complete(self) -> bool:
        """Whether all are trained to their end."""
        return all(history is not None and history.complete for history in self.histories)
