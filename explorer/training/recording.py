"""Recording: when to record, into which bins z is counted, and the arrays of histories while they are being filled."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.choices.settings import Settings
from explorer.training.measures import DIAGNOSTICS

# With at most this many samples, the answer to each is kept at every record.
ANSWERS_FOR = 16
PER_DECADE = 60  # Records

Counts = NDArray[np.unsignedinteger[Any]]
# Of arrays by name: shape after runs and records, and type.
ArraySpecs = Mapping[str, tuple[tuple[int, ...], type]]


# z is counted in bins that are the same at all layers and epochs, so that any two histograms can be compared. Where the slopes
# of activations bend, |z| < FINE, they are a quarter wide; further out each reaches 16 times as far as the one before, and
# the outermost holds all the rest, as ReLU nets that explode get to 1e8 and beyond. An exact 0, which ReLU hands on,
# and what is not finite have places of their own, after all others.
FINE, PER_ONE, STEPS_OUT, OCTAVES = 8, 4, 8, 4
_OUT = [FINE * 2.0 ** (OCTAVES * step) for step in range(STEPS_OUT)]
_INSIDE = np.arange(-FINE * PER_ONE, FINE * PER_ONE + 1) / PER_ONE
# Ends of the bins along z, one more than there are of these. Of its two ends a bin holds the lower one, and further out
# than `FINE` the one that is nearer to 0.
BIN_EDGES: Array = np.concatenate([[-np.inf], -np.array(_OUT[:0:-1]), _INSIDE, _OUT[1:], [np.inf]])
ZERO_BIN, LOST_BIN = len(BIN_EDGES) - 1, len(BIN_EDGES)
BINS = len(BIN_EDGES) + 1


def bins_of(z: Array) -> NDArray[np.int64]:
    """Return the bin of each number: along z, `ZERO_BIN` of an exact 0, or `LOST_BIN` of what is not finite."""
    found = np.empty(z.shape, dtype=np.int64)
    size = np.abs(z)
    inside = size < FINE
    if not inside.all():
        finite = np.isfinite(z)
        # frexp's exponent of 8 is 4.
        out = (np.frexp(np.where(finite, size, FINE))[1] - FINE.bit_length()) // OCTAVES
        out = np.minimum(out, STEPS_OUT - 1)
        middle = STEPS_OUT + FINE * PER_ONE
        beyond = np.where(z < 0, middle - FINE * PER_ONE - 1 - out, middle + FINE * PER_ONE + out)
        found[...] = np.where(finite, beyond, LOST_BIN)
        z = np.where(inside, z, 0.5)
    # Rounded down before the shift: a tiny number below 0 must not end above.
    within = np.floor(z * PER_ONE).astype(np.int64) + (STEPS_OUT + FINE * PER_ONE)
    within[z == 0] = ZERO_BIN
    np.copyto(found, within, where=inside)
    return found


def count_bins(z: Array) -> NDArray[np.int64]:
    """Count the numbers of the last two axes by bin: (..., BINS)."""
    rows = z.reshape(-1, z.shape[-2] * z.shape[-1])
    places = bins_of(rows) + BINS * np.arange(len(rows))[:, None]
    counts = np.bincount(places.ravel(), minlength=BINS * len(rows))
    return counts.reshape(*z.shape[:-2], BINS)


def count_type(numbers: int) -> type[np.unsignedinteger[Any]]:
    """Return the smallest type of counts of so many numbers."""
    return np.uint16 if numbers <= np.iinfo(np.uint16).max else np.uint32


@dataclass(frozen=True)
class Ending:
    """Where a run became non-finite."""

    epoch: int
    layer: int  # From 1 (nearest the input) to depth + 1 (the output); of a recurrent net the time step, from 1
    quantity: str  # What overflowed there first: "z", "dL/dz" or "dL/dW"


class Row(NamedTuple):
    """The run of an experiment whose numbers a row of the records holds."""

    experiment: Any  # an Experiment, or another kind of settings
    seed: int


class Records:
    """The arrays of a `History` while they are being filled: NaN until known.

    The experiments have equal positions, samples and last epoch. They are recorded by the usual schedule, or at `epochs`,
    ascending from 0; training ends with the last of these. `measured` names the diagnostics, `recurrent_matrix` further
    arrays. At every record so many `answers` are kept, and so many histograms of z as `counted` says, each of so many
    numbers. `rows` are the runs of all experiments, those that are clipped alike side by side; `places` says which rows
    are each experiment's. With `each_epoch` the losses of every epoch are kept as well. Raises ValueError if `epochs` do
    not ascend from 0, or go on after the experiments' last.
    """

    def __init__(
        self,
        experiments: Sequence[Settings],
        epochs: Sequence[int] | None = None,
        *,
        measured: Iterable[str] = DIAGNOSTICS,
        recurrent_matrix: ArraySpecs | None = None,
        answers: int = 0,
        each_epoch: bool = False,
        counted: tuple[int, int] = (0, 0),
    ) -> None:
        first = experiments[0]
        self.epochs = record_epochs(first.epochs) if epochs is None else _checked(epochs, first.epochs)
        self.rows, self.places = _arranged(experiments)
        per_record = (len(self.rows), len(self.epochs))
        names = ("loss", "accuracy", "error", "gradient_norm", "clip_factor", "clipped_share")
        self.scalars = {name: np.full(per_record, np.nan) for name in names}
        self.measures = {name: np.full((*per_record, first.positions), np.nan) for name in measured}
        self.recurrent_matrix: dict[str, NDArray[Any]] = {
            name: np.full((*per_record, *shape), np.nan, kind)
            for name, (shape, kind) in (recurrent_matrix or {}).items()
        }
        self.answers = np.full((*per_record, answers), np.nan) if answers else None
        # (runs, epochs): the losses of an epoch's batches, each before its update, added up
        self.epoch_losses = np.zeros((len(self.rows), int(self.epochs[-1]))) if each_epoch else None
        histograms, numbers = counted
        shape = (*per_record, histograms, BINS)
        self.z_counts: Counts | None = np.zeros(shape, count_type(numbers)) if histograms else None
        self.endings: list[Ending | None] = [None] * len(self.rows)

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        arrays = [*self.scalars.values(), *self.measures.values(), *self.recurrent_matrix.values()]
        some = [self.answers, self.epoch_losses, self.z_counts]
        return sum(array.nbytes for array in [*arrays, *some] if array is not None)


def _checked(epochs: Sequence[int], last: int) -> NDArray[np.int64]:
    checked = np.array(epochs)
    if not checked.size or checked[0] != 0 or (np.diff(checked) <= 0).any() or checked[-1] > last:
        raise ValueError(f"record_at = {list(epochs)} must ascend from 0 and end by the last epoch, {last}")
    return checked


def _arranged(experiments: Sequence[Any]) -> tuple[list[Row], list[slice]]:
    """Return a row for every run of every experiment, and which rows are whose."""
    rows: list[Row] = []
    places = [slice(0)] * len(experiments)
    # One clipper then takes one stretch of rows, and neighbours more often share a number.
    limits = [(experiment.clip, experiment.threshold, experiment.learning_rate) for experiment in experiments]
    for index in sorted(range(len(experiments)), key=limits.__getitem__):
        experiment = experiments[index]
        places[index] = slice(len(rows), len(rows) + experiment.runs)
        rows += [Row(experiment, experiment.seed + run) for run in range(experiment.runs)]
    return rows, places


def record_epochs(epochs: int) -> NDArray[np.int64]:
    """Return the epochs at which to record: every one at first, then `PER_DECADE` a decade, and the last.

    100,000 epochs give 242 records.
    """
    if epochs < 1:
        return np.array([0])
    steps = np.arange(0, np.log10(epochs) + 1 / PER_DECADE, 1 / PER_DECADE)
    marks = np.unique(np.round(10**steps).astype(np.int64))
    return np.unique(np.concatenate([[0], marks[marks < epochs], [epochs]]))
