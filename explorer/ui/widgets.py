"""Widgets made from controls: label, options, default, help and link key come from the control alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.choices.controls import Choice, Control, Number, Several, Span

Bound = dict[str, Any]
# So many names are shown beside one another, more in a menu.
FEW = 3


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
    assert isinstance(control, Number)
    return _ask_number(control, list(options or _marks(key, control)), common)


def ask_row(controls: Mapping[str, Control], *, key: str, prefix: str = "", width: int | None = None) -> dict[str, Any]:
    """Draw controls beside one another, with one question mark for all of them, and return their values by name.

    In the link `prefix` stands before each name; `width` is that of a menu in pixels.
    """
    told = "\n\n".join(f"**{control.label}**: {control.help}" for control in controls.values())
    values = {}
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key=key):
        for place, (name, control) in enumerate(controls.items()):
            wide = isinstance(control, Choice) and len(control.options) > FEW and width is not None
            layout: Bound = {"width": width} if wide else {}
            values[name] = ask(f"{prefix}{name}", control, help=None if place else told, **layout)
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
