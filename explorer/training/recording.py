"""Records: the arrays of the histories of experiments that train together, while they are being filled."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.choices.settings import Settings
from explorer.training.history import Ending, record_epochs
from explorer.training.measures import DIAGNOSTICS

# With at most this many samples, the answer to each is kept at every record.
ANSWERS_FOR = 16


class Row(NamedTuple):
    """Whose numbers a row of the records holds: one run of an experiment."""

    experiment: Any  # an Experiment, or another kind of settings
    seed: int


class Records:
    """The arrays of a `History` while they are being filled: NaN until known.

    Parameters
    ----------
    experiment : Experiment or RecurrentExperiment
    samples : int
        How many points its data set has, with one answer each; 0 if no answers are to be kept.
    epochs : sequence of int, optional
        When to record, ascending from 0; the last is where training ends. By default the usual
        schedule up to the experiment's last epoch.
    others : sequence of Experiment
        Those that train together with it: of as many layers, samples and epochs.
    measured : iterable of str
        The diagnostics.
    beside : dict of name to (shape, type)
        What else there is of every run and record.

    Attributes
    ----------
    rows : list of Row
        All runs of all experiments; those that are clipped alike lie side by side.
    places : list of slice
        Which rows are the experiment's own, then those of each of the others.

    Raises
    ------
    ValueError
        If `epochs` do not ascend from 0, or go on after the experiment's last.
    """

    def __init__(
        self,
        experiment: Settings,
        samples: int,
        epochs: Sequence[int] | None = None,
        others: Sequence[Settings] = (),
        *,
        measured: Iterable[str] = DIAGNOSTICS,
        beside: Mapping[str, tuple[tuple[int, ...], type]] | None = None,
    ) -> None:
        self.epochs = record_epochs(experiment.epochs) if epochs is None else _checked(epochs, experiment.epochs)
        self.rows, self.places = _arranged([experiment, *others])
        per_record = (len(self.rows), len(self.epochs))
        names = ("loss", "accuracy", "error", "gradient_norm", "clip_factor", "clipped_share")
        self.scalars = {name: np.full(per_record, np.nan) for name in names}
        self.measures = {name: np.full((*per_record, experiment.positions), np.nan) for name in measured}
        kinds = (beside or {}).items()
        self.beside: dict[str, NDArray[Any]] = {
            name: np.full((*per_record, *shape), np.nan, kind) for name, (shape, kind) in kinds
        }
        self.answers = np.full((*per_record, samples), np.nan) if 0 < samples <= ANSWERS_FOR else None
        self.endings: list[Ending | None] = [None] * len(self.rows)

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        arrays = [*self.scalars.values(), *self.measures.values(), *self.beside.values()]
        return sum(array.nbytes for array in arrays) + (0 if self.answers is None else self.answers.nbytes)


def _checked(epochs: Sequence[int], last: int) -> NDArray[np.int64]:
    found = np.array(epochs)
    if not found.size or found[0] != 0 or (np.diff(found) <= 0).any() or found[-1] > last:
        raise ValueError(f"record_at = {list(epochs)} must ascend from 0 and end by the last epoch, {last}")
    return found


def _arranged(experiments: Sequence[Any]) -> tuple[list[Row], list[slice]]:
    """Return a row for every run of every experiment, and which rows are whose."""
    rows: list[Row] = []
    places = [slice(0)] * len(experiments)
    # One clipper then takes one stretch of rows, and neighbours more often share a number.
    limits = [(one.clip, one.threshold, one.learning_rate) for one in experiments]
    for index in sorted(range(len(experiments)), key=limits.__getitem__):
        one = experiments[index]
        places[index] = slice(len(rows), len(rows) + one.runs)
        rows += [Row(one, one.seed + run) for run in range(one.runs)]
    return rows, places
