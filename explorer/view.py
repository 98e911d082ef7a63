"""View: what of a history is shown and how. Changing it never retrains."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from explorer.controls import Choice, Number, controls_of, setting
from explorer.diagnostics import DIAGNOSTICS, Diagnostic

METRICS = {
    "dL/dz": "delta",
    "dL/dW": "weight_gradient",
    "dL/db": "bias_gradient",
    "update : data": "update_ratio",
    "activation spread": "activation_std",
    "saturated": "saturated",
    "dead": "dead",
}

VALUE, RATIO = "value", "ratio to last layer"
RANGES = {"usual": 0, "wide": 26, "widest": 298}
LATEST = -1


def _view(label: str, help: str) -> dict[str, Any]:
    return {"label": label, "help": help, "group": "View"}


@dataclass(frozen=True, kw_only=True)
class View:
    """How a history is shown.

    Attributes
    ----------
    diagnostics : mapping of name to Diagnostic
        What can be shown.
    metrics : mapping of the name on screen to that of a diagnostic
    position : str
        What a position along the net is called.

    Raises
    ------
    ValueError
        Naming the field, the value and what is allowed.
    """

    diagnostics: ClassVar[Mapping[str, Diagnostic]] = DIAGNOSTICS
    metrics: ClassVar[Mapping[str, str]] = METRICS
    position: ClassVar[str] = "layer"

    metric: str = setting(
        Choice(
            **_view("Show", "What the colours and the profile show of every layer."), options=METRICS, default="dL/dz"
        )
    )
    colour: str = setting(
        Choice(
            **_view(
                "Colour",
                "value: its size, in decades; ratio to last layer: how many times that of the last layer.",
            ),
            options=(VALUE, RATIO),
            default=VALUE,
        )
    )
    axis: str = setting(
        Choice(
            **_view("Epochs", "Whether the epoch axis is linear or logarithmic."),
            options=("linear", "log"),
            default="linear",
        )
    )
    range: str = setting(
        Choice(
            **_view(
                "Range",
                "The span of the colours. It stays fixed while settings change, so that pictures can be compared. "
                "For gradients: usual 10⁻¹⁰ to 10², wide 10⁻³⁶ to 10²⁸, widest 10⁻³⁰⁸ to 10³⁰⁰.",
            ),
            options=RANGES,
            default="usual",
        )
    )
    at: int = setting(
        Number(
            **_view("Profile at epoch", "The epoch of the profile and of the answers; a line marks it."),
            low=LATEST,
            high=1_000_000,
            whole=True,
            default=LATEST,
        )
    )

    def __post_init__(self) -> None:
        for name, control in controls_of(type(self)).items():  # type: ignore[arg-type]  # a class is hashable
            object.__setattr__(self, name, control.check(name, getattr(self, name)))

    @property
    def diagnostic(self) -> Diagnostic:
        """The entry of what is shown."""
        return self.diagnostics[self.metrics[self.metric]]

    @property
    def in_decades(self) -> bool:
        """Whether values are shown as powers of ten."""
        return self.diagnostic.unit == "decades"

    @property
    def is_ratio(self) -> bool:
        """Whether each position is shown relative to the last."""
        return self.colour != VALUE and self.in_decades

    @property
    def span(self) -> tuple[float, float]:
        """The fixed range of the colours and of the profile's axis, in decades where `in_decades`."""
        low, high = self.diagnostic.span
        if not self.in_decades:
            return low, high
        more = RANGES[self.range]
        return (-8.0 - more, 8.0 + more) if self.is_ratio else (low - more, high + more)


VIEW_CONTROLS = controls_of(View)
