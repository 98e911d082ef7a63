"""Spectra: eigenvalues and singular values of the recurrent matrices W_hh of a history, and what they say."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.choices.activations import ACTIVATIONS
from explorer.choices.arrays import Array
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis.seeds import band
from explorer.diagnosis.wording import number
from explorer.training.history import History

Eigenvalues = NDArray[np.complex128]

# The matrix of the plain net, and of the candidate for the new state in gated ones.
NEW_STATE = "new state"


def matrix_names(experiment: RecurrentExperiment) -> list[str]:
    """Name every recurrent matrix W_hh, in the order of a history's eigenvalues: layer by layer, and gate by gate.

    >>> matrix_names(RecurrentExperiment(cell="GRU"))
    ['reset gate', 'update gate', 'new state']
    """
    cell = experiment.unit
    blocks = [NEW_STATE if block == cell.new_state else f"{block} gate" for block in cell.recurrent]
    layers = range(1, experiment.stack + 1)
    return [block + f", layer {layer}" * (layer > 1) for layer in layers for block in blocks]


def matrix_choices(experiments: Iterable[RecurrentExperiment]) -> list[str]:
    """Return the names of all matrices of compared nets, that of the new state, which all have, first."""
    names = dict.fromkeys(name for experiment in experiments for name in matrix_names(experiment))
    return sorted(names, key=lambda name: name != NEW_STATE)


def spectrum(history: History, matrix: str) -> tuple[Eigenvalues, Array] | None:
    """Return eigenvalues and singular values of one W_hh, (runs, records, hidden); None if the net has no such matrix."""
    names = matrix_names(history.experiment)
    if matrix not in names:
        return None
    matrices, index = history.recurrent_matrix, names.index(matrix)
    return matrices["eigenvalues"][:, :, index], matrices["singular_values"][:, :, index]


def largest_text(history: History, eigenvalues: Eigenvalues | None, epoch: int) -> list[str]:
    """Say in a few lines the median of the largest |λ| at an epoch and at the start, and how many seeds are not finite."""
    if eigenvalues is None:
        return [f"{history.experiment.cell} has no such matrix"]
    record = history.at(epoch)
    start, now = (float(band(np.abs(eigenvalues[:, at, 0])).middle) for at in (0, record))
    told = [f"largest |λ|: {number(now, 3)}", f"at the start: {number(start, 3)}"]
    return told + not_finite_text(history, epoch)


def not_finite_text(history: History, epoch: int) -> list[str]:
    """Say how many seeds are no longer finite at an epoch, and since when; nothing if all are."""
    chosen = int(history.epochs[history.at(epoch)])
    ended = [ending.epoch for ending in history.endings if ending is not None and ending.epoch <= chosen]
    if not ended:
        return []
    return [f"not finite: {len(ended)} of {len(history.endings)} seeds", f"from epoch {min(ended):,} on"]


def meaning(experiments: Sequence[RecurrentExperiment]) -> str:
    """Say what the eigenvalues and the singular values mean for the nets compared, in a sentence each."""
    told = [
        "Eigenvalues inside the circle: without activation, what is remembered shrinks in the long run; outside, it grows."
    ]
    plain = dict.fromkeys(e.activation for e in experiments if not e.unit.memory_gate)
    for activation in plain:
        bound = f"{1 / ACTIVATIONS[activation].steepest:g}"
        told.append(
            f"In the plain net the gradient must vanish where σ₁ < 1/γ = {bound}, γ being the steepest slope of {activation} "
            "(Pascanu et al. 2013); above, it may explode, but need not."
        )
    if not plain or any(e.unit.memory_gate for e in experiments):
        told.append("Gates carry the state past this matrix: neither holds for LSTM and GRU.")
    return " ".join(told)
