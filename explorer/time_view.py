"""Time view: what of a recurrent history is shown and how, as `view` for layers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from explorer.controls import Choice, controls_of, setting
from explorer.diagnostics import Diagnostic
from explorer.recurrent_comparisons import COMPARISONS
from explorer.time_diagnostics import TIME_DIAGNOSTICS
from explorer.view import VALUE, VIEW_CONTROLS, View

TIME_METRICS = {
    "dL/dh": "state_gradient",
    "dL/dc": "cell_gradient",
    "dL/dz": "delta",
    "part of dL/dW_hh": "step_gradient",
    "spread of h": "activation_std",
    "saturated": "saturated",
    "kept by the gate": "kept",
    "forget gate": "forget_gate",
    "input gate": "input_gate",
    "output gate": "output_gate",
    "update gate": "update_gate",
    "reset gate": "reset_gate",
}

TIME_RATIO = "ratio to last step"


def _like(name: str, **changes: Any) -> Any:
    """The field of a `View`'s setting, some of its words changed."""
    return setting(replace(VIEW_CONTROLS[name], **changes))


@dataclass(frozen=True, kw_only=True)
class TimeView(View):
    """How histories over time steps are shown, and which stand side by side.

    Raises
    ------
    ValueError
        Naming the field, the value and what is allowed.
    """

    diagnostics: ClassVar[Mapping[str, Diagnostic]] = TIME_DIAGNOSTICS
    metrics: ClassVar[Mapping[str, str]] = TIME_METRICS
    position: ClassVar[str] = "step"

    compare: str = setting(
        Choice(
            label="Side by side",
            help="What stands side by side, on one scale: the net of the sidebar with one setting changed.",
            group="View",
            options=COMPARISONS,
            default="the three cells",
        )
    )
    metric: str = _like(
        "metric",
        help="What the colours and the profile show of every time step.",
        options=tuple(TIME_METRICS),
        default="dL/dh",
    )
    colour: str = _like(
        "colour",
        help="value: its size, in decades; ratio to last step: how many times that of the last step.",
        options=(VALUE, TIME_RATIO),
    )


TIME_VIEW_CONTROLS = controls_of(TimeView)
