"""What each page lets a person choose beside the experiment, and every control of the app by its key in the link."""

from dataclasses import dataclass
from typing import Any

from explorer.choices.controls import Choice, Control, Number, Several, Span, controls_of, setting
from explorer.choices.experiment import CONTROLS
from explorer.choices.recurrent_experiment import RECURRENT_CONTROLS
from explorer.diagnosis.remedies import REMEDIES
from explorer.figures.view import CLIFF_CONTROLS, SECOND_FIGURE_CONTROLS, TIME_VIEW_CONTROLS, VIEW_CONTROLS
from explorer.stories.tour import PLAY_CONTROLS, TOUR_CONTROLS
from explorer.sweeps.outcomes import OUTCOMES
from explorer.sweeps.sweep import AXES, Value, is_numeric, thin

# --- remedies -----------------------------------------------------------------------------------

PRESENT, BASELINE = "present setting", "baseline"
# What the page shows of a history is chosen as on Explore.
SHARED_VIEW = ("metric", "colour", "axis", "range")
REMEDIES_PAGE = "remedies_"


def _view(label: str, help: str) -> dict[str, Any]:
    return {"label": label, "help": help, "group": "View"}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What the remedies page compares."""

    start: str = setting(
        Choice(
            **_view("Apply remedies to", "The setting in the sidebar, or the baseline that is pinned."),
            options=(PRESENT, BASELINE),
            default=PRESENT,
        )
    )
    combine: tuple[str, ...] = setting(
        Several(
            **_view(
                "All of these together",
                "Tick two or more: they are applied together, as one more panel. Where two set the same thing, the "
                "later one counts.",
            ),
            options=REMEDIES,
            default=(),
        )
    )


COMPARISON_CONTROLS = controls_of(Comparison)

# --- depth --------------------------------------------------------------------------------------

NO_REMEDY = "none"
GRADIENTS = {"dL/dz": "delta", "dL/dW": "weight_gradient"}


@dataclass(frozen=True, kw_only=True)
class DepthView:
    """What the depth page shows."""

    remedy: str = setting(
        Choice(
            **_view("Compare with", "The same nets with this remedy."),
            options=(NO_REMEDY, *REMEDIES),
            default="skip over one layer",
        )
    )
    deepest: int = setting(
        Number(
            **_view("Up to depth", "Every depth from 1 to this is shown, and trained."),
            low=2,
            high=50,
            whole=True,
            default=20,
        )
    )
    gradient: str = setting(
        Choice(
            **_view("Gradient", "dL/dz: RMS over samples and units; dL/dW: L2 norm of a layer's weights."),
            options=GRADIENTS,
            default="dL/dz",
        )
    )
    train: str = setting(
        Choice(
            **_view("Training", "Whether every depth is also trained, or only its start is measured."),
            options=("on", "off"),
            default="on",
        )
    )


DEPTH_CONTROLS = controls_of(DepthView)

# --- sweep --------------------------------------------------------------------------------------

# Settings as a person knows them.
AXIS_NAMES = {CONTROLS[name].label.lower(): name for name in AXES}
# The key of what an axis shows of a setting: its ends, or which of its options.
SPANS = {name: f"span_{name}" for name in AXES}


def _span(name: str) -> Control:
    """The control of an axis' values."""
    label, values = CONTROLS[name].label, AXES[name]
    if is_numeric(name):
        numbers = tuple(float(value) if isinstance(value, float) else int(value) for value in values)
        words = _view(f"{label}, from and to", f"The ends of the axis of {label.lower()}.")
        return Span(**words, marks=numbers, default=(numbers[0], numbers[-1]))
    names = tuple(str(value) for value in values)
    return Several(**_view(label, f"What stands on the axis of {label.lower()}."), options=names, default=names)


SPAN_CONTROLS = {SPANS[name]: _span(name) for name in AXES}


@dataclass(frozen=True, kw_only=True)
class SweepView:
    """What the sweep page shows."""

    x: str = setting(
        Choice(**_view("Across", "The setting on the horizontal axis."), options=AXIS_NAMES, default="initialization")
    )
    y: str = setting(
        Choice(**_view("Up", "The setting on the vertical axis."), options=AXIS_NAMES, default="activation")
    )
    outcome: str = setting(
        Choice(
            **_view("Colour", "What the colour of a cell says. At the start nothing has to be trained."),
            options=OUTCOMES,
            default=next(iter(OUTCOMES)),
        )
    )
    cells: int = setting(
        Number(
            **_view("Values an axis", "How many values of a number lie on its axis, spread over its span."),
            low=2,
            high=32,
            marks=(4, 6, 8, 10, 12, 16, 20, 24, 32),
            whole=True,
            default=12,
        )
    )
    section: int = setting(
        Number(
            **_view("Section through row", "The row that is drawn as a line below the map, counted from the bottom."),
            low=1,
            high=50,
            whole=True,
            default=1,
        )
    )


SWEEP_CONTROLS = controls_of(SweepView)


def axis_values(name: str, chosen: tuple[Value, ...], count: int) -> tuple[Value, ...]:
    """Return the values that lie on an axis: of a number `count` between the chosen ends, else the chosen options."""
    if not is_numeric(name):
        return tuple(chosen)
    low, high = chosen
    return thin([value for value in AXES[name] if low <= value <= high], count)  # type: ignore[operator]


# --- time ---------------------------------------------------------------------------------------

# Its settings mean what those of layers mean, for other nets: in the link they have keys of their own.
TIME_PAGE = "time_"
TIME_CONTROLS: dict[str, Control] = {
    f"{TIME_PAGE}{name}": control
    for declared in (RECURRENT_CONTROLS, TIME_VIEW_CONTROLS, SECOND_FIGURE_CONTROLS)
    for name, control in declared.items()
}

# --- all ----------------------------------------------------------------------------------------

PAGE_CONTROLS: dict[str, Control] = {
    **VIEW_CONTROLS,
    **{f"{REMEDIES_PAGE}{name}": VIEW_CONTROLS[name] for name in SHARED_VIEW},
    **COMPARISON_CONTROLS,
    **DEPTH_CONTROLS,
    **SWEEP_CONTROLS,
    **SPAN_CONTROLS,
    **TIME_CONTROLS,
    **CLIFF_CONTROLS,
    **TOUR_CONTROLS,
    **PLAY_CONTROLS,
}
# Of the experiment and of all pages, by key in the link.
ALL_CONTROLS: dict[str, Control] = {**CONTROLS, **PAGE_CONTROLS}
