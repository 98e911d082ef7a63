"""The scene: what Explore shows at a moment, the present experiment and the baseline, as far as they are trained."""

from dataclasses import dataclass

from explorer.experiment import Experiment
from explorer.history import History
from explorer.ui.jobs import SLICE, Job, jobs


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

    @property
    def pinned(self) -> Experiment:
        """The experiment to compare with; the present one itself where nothing else is pinned."""
        return self.job.experiment if self.baseline_job is None else self.baseline_job.experiment

    @property
    def complete(self) -> bool:
        """Whether both are trained to their end."""
        return self.history.complete and (self.baseline is None or self.baseline.complete)

    @property
    def progress(self) -> float:
        """Share of the work done, of the one that is further behind."""
        return min(job.progress for job in (self.job, self.baseline_job) if job is not None)


def advance(experiment: Experiment, baseline: Experiment | None, seconds: float = SLICE) -> Scene:
    """Give both trainings a slice of time."""
    store = jobs()
    job = store.get(experiment)
    held = None if baseline is None or baseline == experiment else store.get(baseline)
    share = seconds if held is None else seconds / 2
    return Scene(job, held, job.advance(share), None if held is None else held.advance(share))
