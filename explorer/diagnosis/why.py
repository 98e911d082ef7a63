"""Why: what multiplies the gradient from one layer to the one below it.

On its way back dL/dz passes the weights of the layer above, is joined by the gradient that a skip carries, is multiplied by
the activation's slope and passes the normalization. The effect of each step on its RMS is a factor. In decades the four add
up to the whole exactly, because logarithms are averaged.
"""

from dataclasses import dataclass

import numpy as np

from explorer.choices.arrays import Array
from explorer.diagnosis.seeds import logarithm
from explorer.training.history import History


@dataclass(frozen=True, eq=False)
class Why:
    """Factors in decades, mean over seeds, per hidden layer; not finite where the gradient is 0 or not finite."""

    parts: dict[str, Array]  # "weights", "skip", "slope" and "normalization", those that the net has
    total: Array  # log10 of RMS dL/dz of the layer over that of the layer above: their sum
    seeds: int  # Over how many seeds: those whose gradient is finite and not 0 in every layer


def decompose(history: History, record: int) -> Why:
    """Split the change of RMS dL/dz at each hidden layer into its parts, at one record."""
    norms = {
        name: logarithm(history.measures[name][:, record])
        for name in ("delta", "through_weights", "through_skip", "through_slope")
    }
    finite = np.atleast_1d(np.isfinite(norms["delta"]).all(axis=1))
    usable = np.flatnonzero(finite) if finite.any() else np.arange(len(finite))
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
    return Why(parts, total, int(finite.sum()))
