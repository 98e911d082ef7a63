"""Decomposition: what the gradient is made of, factors from layer to layer and parts of time steps.

On its way back dL/dz passes the weights of the layer above, is joined by the gradient that a skip carries, is multiplied by
the activation's slope and passes the normalization. The effect of each step on its RMS is a factor. In decades the four add
up to the whole exactly, because logarithms are averaged.

dL/dW_hh of a recurrent net is a sum over time steps; what each of them adds is told in one number per run.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.diagnosis.seeds import logarithm
from explorer.training.history import History

ALL = slice(None)


@dataclass(frozen=True, eq=False)
class Why:
    """Factors in decades, mean over seeds, per hidden layer; not finite where the gradient is 0 or not finite."""

    parts: dict[str, Array]  # "weights", "skip", "slope" and "normalization", those that the net has
    total: Array  # log10 of RMS dL/dz of the layer over that of the layer above: their sum
    seeds: int  # Over how many seeds: those whose gradient is finite and not 0 in every layer


def usable_seeds(history: History, record: int, seeds: slice = ALL) -> tuple[NDArray[np.int64], int]:
    """Return which of some seeds count, those whose gradient is finite and not 0 in every layer, and how many these are.

    If there is none, all count.
    """
    finite = np.asarray(np.isfinite(logarithm(history.measures["delta"][seeds, record])).all(axis=1))
    return np.flatnonzero(finite) if finite.any() else np.arange(len(finite)), int(finite.sum())


def decompose(history: History, record: int, seeds: slice = ALL) -> Why:
    """Split the change of RMS dL/dz at each hidden layer into its parts, at one record, over all seeds or some."""
    norms = {
        name: logarithm(history.measures[name][seeds, record])
        for name in ("delta", "through_weights", "through_skip", "through_slope")
    }
    usable, count = usable_seeds(history, record, seeds)
    above = norms["delta"][usable, 1:]
    weights, skip, slope = (norms[name][usable, :-1] for name in ("through_weights", "through_skip", "through_slope"))
    delta = norms["delta"][usable, :-1]
    with np.errstate(invalid="ignore"):
        steps = {
            "weights": weights - above,
            "skip": skip - weights,
            "slope": slope - skip,
            "normalization": delta - slope,
        }
        parts = {name: values.mean(axis=0) for name, values in steps.items()}
        total = (delta - above).mean(axis=0)
    experiment = history.experiment
    if not experiment.skipped:
        del parts["skip"]
    if experiment.normalizer.axis is None:
        del parts["normalization"]
    return Why(parts, total, count)


# --- time steps: arrays have one row per run and one column per time step, first to last ----------


def last_steps(norms: Array, share: float = 0.5) -> Array:
    """Return how many of the last steps have this share of the sum of all steps' norms.

    `norms`, (runs, length), are those of every step's part of dL/dW_hh. NaN where all are 0 or one is not finite.

    >>> last_steps(np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 1.0, 9.0]]))
    array([2., 1.])
    """
    with np.errstate(all="ignore"):
        # Divided by the largest first: a sum of finite norms may overflow, and tiny norms cannot be divided.
        sizes = norms / norms.max(axis=1, keepdims=True)
        sums = np.cumsum(sizes[:, ::-1], axis=1)
        shares = sums / sums[:, -1:]
    # Sums are rounded: the smallest shortfall does not count.
    steps = (shares >= share - 1e-12).argmax(axis=1) + 1.0
    return np.where(np.isfinite(shares).all(axis=1), steps, np.nan)


def cancelled(norms: Array, whole: Array) -> Array:
    """Return the norm of dL/dW_hh, `whole`, over the sum of its parts' norms: 1 if all parts point the same way.

    NaN where all parts are 0 or one is not finite.
    """
    with np.errstate(all="ignore"):
        largest = norms.max(axis=1)
        return whole / largest / (norms / largest[:, None]).sum(axis=1)


def log_sum(norms: Array) -> Array:
    """Return log10 of the sum of all steps' norms, even where the sum itself would overflow: (runs,)."""
    logs = logarithm(norms)
    largest = logs.max(axis=1)
    with np.errstate(invalid="ignore"):
        logs_of_sums: Array = largest + np.log10(np.sum(10.0 ** (logs - largest[:, None]), axis=1))
    return np.where(np.isfinite(largest), logs_of_sums, largest)
