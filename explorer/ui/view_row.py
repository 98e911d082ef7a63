"""The row of a view's controls, with the epoch below it, which a click on a figure moves too."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from explorer.choices.controls import controls_of
from explorer.choices.settings import Settings
from explorer.figures.view import View
from explorer.training.recording import record_epochs
from explorer.ui.between_pages import set_values
from explorer.ui.widgets import ask

V = TypeVar("V", bound=View)


def ask_view(kind: type[V], names: Sequence[str], experiment: Settings, prefix: str = "") -> V:
    """Draw the controls of the view's fields `names` in one row and the experiment's epochs below it; return the view.

    In the link `prefix` stands before each name.
    """
    controls: Any = controls_of(kind)  # type: ignore[arg-type]  # a class is hashable
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        values: dict[str, Any] = {name: ask(f"{prefix}{name}", controls[name]) for name in names}
        epochs = _epochs(experiment.epochs)
        latest = replace(controls["at"], default=epochs[-1])
        values["at"] = ask(f"{prefix}at", latest, options=epochs, width="stretch")
    return kind(**values)


@lru_cache(maxsize=256)
def _epochs(last: int) -> list[int]:
    """Return the recorded epochs of a training that ends with the last."""
    return [int(epoch) for epoch in record_epochs(last)]


def choose_epoch(experiment: Settings, epoch: float, prefix: str = "") -> None:
    """Move the slider to the recorded epoch nearest to this one; for callbacks."""
    epochs = record_epochs(experiment.epochs)
    set_values({f"{prefix}at": int(epochs[np.abs(epochs - epoch).argmin()])})
