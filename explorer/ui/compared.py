"""The scene: what Explore shows at a moment, the present experiment and the baseline, as far as they are trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis.comparison import time_detail, time_headline
from explorer.diagnosis.diagnose import Diagnosis, diagnose
from explorer.diagnosis.wording import compared_summary
from explorer.figures.marks import Shown
from explorer.figures.theme import Ink, inks
from explorer.training.history import History
from explorer.ui.jobs import Job


@dataclass(frozen=True, eq=False)
class Scene:
    """What Explore shows at a moment.

    Attributes
    ----------
    job, baseline_job : Job
        The baseline's is None where nothing else is pinned.
    history, baseline : History
    """

    job: Job
    baseline_job: Job | None
    history: History
    baseline: History | None

    @cached_property
    def now(self) -> Diagnosis:
        """What the present history says: read once for each picture."""
        return diagnose(self.history)

    @cached_property
    def before(self) -> Diagnosis | None:
        """The same of the baseline's."""
        return None if self.baseline is None else diagnose(self.baseline)

    @property
    def pinned(self) -> Experiment:
        """The experiment to compare with; the present one itself where nothing else is pinned."""
        return self.job.experiment if self.baseline_job is None else self.baseline_job.experiment


# --- Side by side: the recurrent nets that a page compares, with their jobs and what is measured of them so far ---


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
        names, found = list(self.known), [diagnose(history).facts for history in self.known.values()]
        return time_headline(names, found), time_detail(names, found)

    @property
    def caption(self) -> str:
        """The settings in one line."""
        return compared_summary(list(self.experiments.values()))
