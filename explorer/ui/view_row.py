"""The row of a view's controls, with the epoch, which a click on a figure moves too."""

from collections.abc import Callable, Sequence
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
# The button behind which the rest of a view's controls are, and the width of a menu in pixels.
MORE_KEY, MENU = "view_more", 190


def ask_view(
    kind: type[V],
    names: Sequence[str],
    more: Sequence[str],
    experiment: Settings,
    prefix: str = "",
    last: Callable[[], None] = lambda: None,
) -> V:
    """Draw the controls of the view's fields `names` and the experiment's epochs in one row; return the view.

    The fields `more` are behind a button of that row, and after them what `last` draws. In the link `prefix` stands before
    each name.
    """
    controls: Any = controls_of(kind)  # type: ignore[arg-type]  # a class is hashable
    at = f"{prefix}at"
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key=f"{prefix}view"):
        shown = {name: controls[name] for name in (*names, "at")}
        told = {names[0]: "\n\n".join(f"**{control.label}**: {control.help}" for control in shown.values())}
        values: dict[str, Any] = {
            name: ask(f"{prefix}{name}", controls[name], help=told.get(name), width=MENU) for name in names
        }
        epochs = _epochs(experiment.epochs)
        _follow(at, epochs[-1])
        values["at"] = ask(at, replace(controls["at"], default=epochs[-1]), options=epochs, width="stretch", help=None)
        with st.popover("Colours and axes", icon=":material/tune:", key=f"{prefix}{MORE_KEY}"):
            values |= {name: ask(f"{prefix}{name}", controls[name]) for name in more}
            last()
    return kind(**values)


def _follow(key: str, last: int) -> None:
    """Keep an epoch that stands at the end there, when the end moves."""
    before = st.session_state.setdefault(f"_end_of_{key}", last)
    if before != last and st.session_state.get(key) == before:
        set_values({key: last})
    st.session_state[f"_end_of_{key}"] = last


@lru_cache(maxsize=256)
def _epochs(last: int) -> list[int]:
    """Return the recorded epochs of a training that ends with the last."""
    return [int(epoch) for epoch in record_epochs(last)]


def choose_epoch(experiment: Settings, epoch: float, prefix: str = "") -> None:
    """Move the slider to the recorded epoch nearest to this one; for callbacks."""
    epochs = record_epochs(experiment.epochs)
    set_values({f"{prefix}at": int(epochs[np.abs(epochs - epoch).argmin()])})
