"""Describe time: what the figure of compared recurrent nets shows, as one text with its numbers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.history import History
from explorer.panels import Shown, layer_band
from explorer.seeds import band
from explorer.sweep import thin
from explorer.time_figure import MISSING, not_defined
from explorer.time_view import TimeView
from explorer.wording import decades, number

Array = NDArray[np.float64]
# So many steps are told of each net.
TOLD = 5


def describe_compared(shown: Sequence[Shown | None], names: Sequence[str], view: TimeView, epoch: int) -> str:
    """Say of every net the profile at an epoch and at the start, its loss and who learns it.

    Parameters
    ----------
    shown : sequence of Shown or None
        None where nothing is measured yet.
    names : sequence of str
        Of all of them.
    view : TimeView
    epoch : int
        The latest one if it is negative.
    """
    relative = " over the last step's" if view.is_ratio else ""
    told = [f"{view.diagnostic.title}{relative}, median over seeds."]
    for each, name in zip(shown, names, strict=True):
        told.append(f"{name} {MISSING}." if each is None else f"{name}: {_of_one(each.history, view, epoch)}")
    return " ".join(told)


def _of_one(history: History, view: TimeView, epoch: int) -> str:
    record = history.at(epoch)
    why = not_defined(history.experiment, view)
    if why:
        told = [f"{why}."]
    else:
        start, middle = layer_band(history, view, [0, record]).middle
        told = [f"at epoch {int(history.epochs[record]):,} {_steps(middle, view)}."]
        told += [f"At the start {_steps(start, view)}."] * (record > 0)
    loss = band(history.loss).middle
    last = int(history.epochs[-1])
    told.append(f"Median loss {number(loss[0])} at the start, {number(loss[-1])} at epoch {last:,}.")
    seeds, learnt = len(history.loss), history.outcome.count("solved")
    told.append(f"{learnt} of {seeds} {'seed has' if seeds == 1 else 'seeds have'} learnt it.")
    return " ".join(told)


def _steps(values: Array, view: TimeView) -> str:
    """Say some steps' values, the first and the last among them."""
    say = decades if view.in_decades else number
    return ", ".join(f"step {step} {say(values[step - 1])}" for step in thin(range(1, len(values) + 1), TOLD))
