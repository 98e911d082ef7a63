"""Widgets made from controls: label, options, default, help and link key come from the control alone; the row of a view."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from explorer.choices.controls import Choice, Control, Number, Several, Span, Text, controls_of
from explorer.choices.settings import Settings
from explorer.figures.view import View
from explorer.training.recording import record_epochs
from explorer.ui.between_pages import set_values
from explorer.ui.private import read_address_again

Bound = dict[str, Any]
# So many names are shown beside one another, more in a menu.
FEW = 3
# The width in pixels of a menu that stands in a row.
MENU = 190


def ask(
    key: str,
    control: Control,
    *,
    options: Sequence[Any] | None = None,
    in_a_row: bool = False,
    disabled: bool = False,
    on_change: Callable[[], None] | None = None,
    **layout: Any,
) -> Any:
    """Draw the widget of one control, bound to the link under `key`, and return its value.

    `options` narrows what a choice or a number offers just now; `in_a_row` shows a choice's names beside one another,
    however many there are.
    """
    common: Bound = {
        "key": key,
        "help": control.help,
        "disabled": disabled,
        "bind": "query-params",
        "on_change": on_change,
        **layout,
    }
    if isinstance(control, Choice):
        names = list(options or control.options)
        return _ask_choice(control, names, common, in_a_row or len(names) <= FEW)
    if isinstance(control, Several):
        names = list(options or control.options)
        chosen = st.pills(control.label, names, default=list(control.default), selection_mode="multi", **common)
        return control.check(key, chosen)
    if isinstance(control, Span):
        return control.check(key, st.select_slider(control.label, control.marks, value=control.default, **common))
    if isinstance(control, Text):
        return st.text_input(control.label, control.default, max_chars=control.longest, **common)
    assert isinstance(control, Number)
    return _ask_number(control, list(options or _marks(key, control)), common)


def present_value(key: str, control: Control) -> Any:
    """Return the value of a control before its widget is drawn: from the session, or the link, or its default."""
    try:
        return control.check(key, st.session_state.get(key, st.query_params.get(key, control.default)))
    except ValueError:
        return control.default


def ask_offered(key: str, control: Control, offered: Sequence[Any], *, every: bool = True, **layout: Any) -> Any:
    """Ask for one of what there is just now; for a value that there is not stands the nearest number, else the default.

    Without `every` a slider has all numbers up to the last.
    """
    if len(offered) == 1:  # a slider needs two ends
        return offered[0]
    asked = present_value(key, control)
    if asked not in offered:
        number = isinstance(control, Number)
        nearest = min(offered, key=lambda option: abs(option - asked)) if number else control.default
        if key not in st.session_state:  # it comes from the address
            st.query_params[key] = str(nearest)
            read_address_again()
        set_values({key: nearest})
    if isinstance(control, Number) and not every:
        return ask(key, replace(control, high=offered[-1]), **layout)
    return ask(key, control, options=offered, **layout)


def ask_row(controls: Mapping[str, Control], *, key: str) -> dict[str, Any]:
    """Draw controls beside one another, with one question mark for all of them, and return their values by name."""
    told = "\n\n".join(f"**{control.label}**: {control.help}" for control in controls.values())
    values = {}
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key=key):
        for place, (name, control) in enumerate(controls.items()):
            layout: Bound = {"width": MENU} if isinstance(control, Choice) and len(control.options) > FEW else {}
            values[name] = ask(name, control, help=None if place else told, **layout)
    return values


def _ask_choice(control: Choice, options: list[str], common: Bound, in_a_row: bool) -> str:
    default = control.default
    if in_a_row:
        # An empty value in a link deselects all: then the default holds.
        return st.segmented_control(control.label, options, default=default, required=True, **common) or default
    return st.selectbox(control.label, options, index=options.index(default), **common)


def _marks(key: str, control: Number) -> list[float | int]:
    """The values that a slider offers: the control's marks, and a value between them that a link or a file asked for.

    What was asked for once stays on offer for the visit, so that the slider stays the same slider.
    """
    if not control.marks:
        return []
    kept = st.session_state.setdefault(f"_marks_of_{key}", [])
    asked = st.session_state.get(key, st.query_params.get(key))
    try:
        value = control.check(key, asked)
    except ValueError:
        value = control.default
    if value not in control.marks and value not in kept:
        kept.append(value)
    return sorted(int(mark) if control.whole else mark for mark in (*control.marks, *kept))


def _ask_number(control: Number, marks: list[float | int], common: Bound) -> float | int:
    if marks:
        return st.select_slider(control.label, marks, value=control.default, **common)
    if control.whole and control.high - control.low <= 100:
        return st.slider(control.label, int(control.low), int(control.high), control.default, **common)
    kind = int if control.whole else float
    return st.number_input(
        control.label, kind(control.low), kind(control.high), kind(control.default), kind(control.step), **common
    )


# --- the row of a view's controls, with the epoch, which a click on a figure moves too ----------------


V = TypeVar("V", bound=View)
# The button behind which the rest of a view's controls are.
MORE_KEY = "view_more"


def ask_view(
    kind: type[V],
    names: Sequence[str],
    more: Sequence[str],
    experiment: Settings,
    prefix: str = "",
) -> V:
    """Draw the controls of the view's fields `names` and the experiment's epochs in one row; return the view.

    The fields `more` are behind a button of that row. In the link `prefix` stands before each name.
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
