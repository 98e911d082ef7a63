"""Records: the arrays of a history while they are being filled."""

from collections.abc import Sequence

import numpy as np

from explorer.diagnostics import DIAGNOSTICS
from explorer.experiment import Experiment
from explorer.history import Ending, record_epochs

# With at most this many samples, the answer to each is kept at every record.
ANSWERS_FOR = 16


class Records:
    """The arrays of a `History` while they are being filled: NaN until known.

    `epochs` says when to record, from 0 to the experiment's last; by default on the usual schedule.
    """

    def __init__(self, experiment: Experiment, samples: int, epochs: Sequence[int] | None = None) -> None:
        self.epochs = record_epochs(experiment.epochs) if epochs is None else np.array(epochs)
        per_record = (experiment.runs, len(self.epochs))
        names = ("loss", "accuracy", "error", "gradient_norm", "clip_factor", "clipped_share")
        self.scalars = {name: np.full(per_record, np.nan) for name in names}
        self.measures = {name: np.full((*per_record, experiment.layers), np.nan) for name in DIAGNOSTICS}
        self.answers = np.full((*per_record, samples), np.nan) if samples <= ANSWERS_FOR else None
        self.endings: list[Ending | None] = [None] * experiment.runs

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        arrays = [*self.scalars.values(), *self.measures.values()]
        return sum(array.nbytes for array in arrays) + (0 if self.answers is None else self.answers.nbytes)
