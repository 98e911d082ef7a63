"""Describe recurrence: what the figures of the recurrent matrix, of the gates and of the steps show, as text with numbers."""

import numpy as np
from numpy.typing import NDArray

from explorer.gates_figure import AT_REST, JOBS, NO_GATES, gates_of, kept_text, openness, rest
from explorer.history import History
from explorer.matrices import NEW_STATE, meaning, not_finite_text, spectrum
from explorer.panels import Shown
from explorer.seeds import band, log_band
from explorer.steps_figure import half_text, parts
from explorer.sweep import thin
from explorer.time_curves import Drawn
from explorer.wording import decades, number

Array = NDArray[np.float64]
# So many steps are told of each net.
TOLD = 5


def describe_matrix(drawn: Drawn, epoch: int, matrix: str = NEW_STATE) -> str:
    """Say the largest |λ| and the largest and smallest singular value of each net, at the start and at an epoch."""
    told = [f"W_hh of the {matrix}, medians over seeds."]
    for shown, _ in drawn:
        history, found = shown.history, spectrum(shown.history, matrix)
        if found is None:
            told.append(f"{shown.name}: {history.experiment.cell} has no such matrix.")
            continue
        sizes = np.abs(found[0][:, :, 0]), found[1][:, :, 0], found[1][:, :, -1]
        names = "largest |λ|", "largest singular value", "smallest"
        said = (f"{name} {_from_to(history, values, epoch)}" for name, values in zip(names, sizes, strict=True))
        told.append(f"{shown.name}: {', '.join([*said, *not_finite_text(history, epoch)])}.")
    return " ".join([*told, meaning([shown.history.experiment for shown, _ in drawn])])


def _from_to(history: History, values: Array, epoch: int) -> str:
    record = history.at(epoch)
    start, now = (number(float(band(values[:, at]).middle), 3) for at in (0, record))
    return (
        f"{start} at the start, {now} at epoch {int(history.epochs[record]):,}" if record else f"{start} at the start"
    )


def describe_gates(drawn: Drawn, epoch: int) -> str:
    """Say how far each gate of each net is open at some steps, at the start and at an epoch."""
    gated = [shown for shown, _ in drawn if gates_of(shown.history)]
    if not gated:
        return NO_GATES
    told = ["How far gates are open, mean over units and samples, median over seeds."]
    for shown in gated:
        gates = gates_of(shown.history)
        said = [f"{gates[job]} gate ({job}) {_gate(shown.history, gates[job], epoch)}" for job in JOBS if job in gates]
        told.append(f"{shown.name}: {'; '.join([*said, kept_text(shown.history, epoch)])}.")
    return " ".join(told)


def _gate(history: History, gate: str, epoch: int) -> str:
    def say(record: int) -> str:
        middle = band(openness(history, gate)[:, record]).middle
        return _steps([f"{value:.1%}" if np.isfinite(value) else number(value) for value in middle])

    record = history.at(epoch)
    level = rest(history, gate)
    at_rest = f"{AT_REST} = {1 / (1 + np.exp(-level)):.1%}"
    now = f"at epoch {int(history.epochs[record]):,}: {say(record)}; " * bool(record)
    return f"{now}at the start: {say(0)}; {at_rest}"


def describe_steps(drawn: Drawn, epoch: int) -> str:
    """Say the norm of some steps' parts of dL/dW_hh and of the whole, of each net, at the start and at an epoch."""
    told = ["L2 norm of each step's part of dL/dW_hh, before any clipping, median over seeds."]
    told += [f"{shown.name}: {_parts(shown, epoch)}." for shown, _ in drawn]
    return " ".join(told)


def _parts(shown: Shown, epoch: int) -> str:
    history = shown.history
    said = []
    for record in dict.fromkeys((history.at(epoch), 0)):
        norms, whole = parts(history, record)
        steps = _steps([decades(value) for value in log_band(norms).middle])
        said.append(
            f"at epoch {int(history.epochs[record]):,}: {steps}, the whole {decades(float(log_band(whole).middle))}"
        )
    return "; ".join([*said, half_text(history, epoch)])


def _steps(said: list[str]) -> str:
    """Name some of the time steps, the first and the last among them."""
    return ", ".join(f"step {step} {said[step - 1]}" for step in thin(range(1, len(said) + 1), TOLD))
