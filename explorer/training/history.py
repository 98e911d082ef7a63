"""History: what was recorded of a training run. Arrays only; it knows no network."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.training.kinds import Kind, kind_of
from explorer.training.recording import Counts, Ending

SOLVED, LEARNING, STUCK, DIVERGED = "solved", "learning", "stuck", "diverged"
# A run is stuck while it is hardly better than always answering the mean target.
STUCK_SHARE = 0.95
# A loss that grew by this factor diverged, whether or not it is finite still.
GREW = 1e3


@dataclass(frozen=True, eq=False)
class History:
    """What was recorded, at epochs that are dense early and sparse late.

    A record describes the state at its epoch, before the updates of that
    epoch, and the first update made from it; epoch 0 is before any update.
    Gradients are those of the whole data set, before clipping. At the epoch at
    which a run became non-finite stands what was measured; after it, NaN.
    """

    experiment: Any
    epochs: NDArray[np.int64]  # (records,)
    loss: Array  # (runs, records): over the whole data set, as it is minimized (batch statistics)
    accuracy: Array  # (runs, records): share of right answers; for a regression the coefficient of determination R^2
    error: Array  # (runs, records): mean squared error of the answers
    # (runs, records, positions): one entry per diagnostic. A position is a layer; of a recurrent net a time step.
    measures: dict[str, Array]
    # (runs, records): global L2 norm over all parameters of the update's gradient, before clipping.
    gradient_norm: Array
    clip_factor: Array  # (runs, records): global norm after clipping over that before; 1: untouched
    clipped_share: Array  # (runs, records): share of all updates so far that clipping touched
    answers: Array | None  # (runs, records, samples): the nets' answers to each sample, where there are few samples
    endings: tuple[Ending | None, ...]  # Per run, where it became non-finite
    target_variance: float  # Mean squared error of always answering the mean target
    # (runs, records, ...): of the recurrent matrices, see `RecurrentGroup`; empty for layers.
    recurrent_matrix: dict[str, NDArray[Any]] = field(default_factory=dict)
    # (runs, records, functions * positions, BINS): how many z, over units and samples, lie in each bin, see `BIN_EDGES`: of every
    # entry of the experiment's `functions`, at each position that is `looked_at`, such as each hidden layer. z is what
    # the function receives, behind a normalization. All 0 once a run has ended. None where it is not counted.
    z_counts: Counts | None = None

    @property
    def kind(self) -> Kind:
        """What kind of net it is the history of."""
        return kind_of(self.experiment)

    @property
    def complete(self) -> bool:
        """Whether training is over."""
        return bool(self.epochs[-1] == self.experiment.epochs)

    @property
    def outcome(self) -> list[str]:
        """Per run: "solved", "learning", "stuck" or "diverged", as of the last record.

        Solved: the mean squared error of the answers is below the data set's
        `solved_below`. Stuck: it is at least 0.95 of what always answering the
        mean target gives. Diverged: the run became non-finite, or ended at a
        loss more than a thousand times that of its start.
        """
        return [self._outcome(run) for run in range(len(self.loss))]

    def _outcome(self, run: int) -> str:
        error = self.error[run, -1]
        if self.endings[run] is not None or not np.isfinite(error):
            return DIVERGED
        if error < self.experiment.dataset.solved_below:
            return SOLVED
        if self.loss[run, -1] > GREW * self.loss[run, 0]:
            return DIVERGED
        return STUCK if error >= STUCK_SHARE * self.target_variance else LEARNING

    def solved_epoch(self) -> Array:
        """Return, per run, the first recorded epoch from which the error stayed below the bound; NaN if none."""
        below = self.error < self.experiment.dataset.solved_below
        stays = np.logical_and.accumulate(below[:, ::-1], axis=1)[:, ::-1]
        first = stays.argmax(axis=1)
        return np.where(stays.any(axis=1), self.epochs[first], np.nan)

    def at(self, epoch: float) -> int:
        """Return the index of the last record at or before `epoch`; of the latest one if it is negative."""
        if epoch < 0:
            return len(self.epochs) - 1
        return max(int(np.searchsorted(self.epochs, epoch, side="right")) - 1, 0)

    def rows(self) -> "list[dict[str, Any]]":
        """Return the history as flat rows, one for every run, record and layer, or of a recurrent net time step."""
        first, place = self.experiment.seed, self.kind.position
        return [
            {
                "seed": first + run,
                "epoch": int(epoch),
                place: position + 1,
                "loss": float(self.loss[run, record]),
                "accuracy": float(self.accuracy[run, record]),
                "gradient_norm": float(self.gradient_norm[run, record]),
                "clip_factor": float(self.clip_factor[run, record]),
                **{name: float(values[run, record, position]) for name, values in self.measures.items()},
            }
            for run in range(len(self.loss))
            for record, epoch in enumerate(self.epochs)
            for position in range(self.experiment.positions)
        ]
