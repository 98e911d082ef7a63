"""Settings: what every kind of experiment can do, whatever net it trains.

A kind of experiment is a frozen dataclass whose fields were made by
`controls.setting`. From here it has the check of its values, its way to and
from texts, and the entries that the names of its training stand for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from explorer.choices.activations import ACTIVATIONS, Activation
from explorer.choices.clipping import CLIPPERS
from explorer.choices.controls import Choice, Control, controls_of
from explorer.choices.datasets import Data, Task
from explorer.choices.losses import LOSSES, Loss, output_unit
from explorer.choices.optimizers import OPTIMIZERS
from explorer.choices.registry import EntryOf

# The names of options that stand for "the task's own" and "all samples at once".
USUAL, FULL = "usual", "full"


class Settings:
    """Base of the kinds of experiments: frozen dataclasses of settings, checked when one is made."""

    # A person's own data, where there are any.
    data: Data | None = None

    # Fields that every kind of experiment declares.
    task: str
    optimizer: str
    loss: str
    clip: str
    batch: str
    epochs: int
    runs: int
    seed: int

    def __post_init__(self) -> None:
        for name, control in self.controls().items():
            object.__setattr__(self, name, control.check(name, getattr(self, name)))
        if self.dataset.regression and not self.loss_function.regression:
            raise ValueError(
                f"loss = {self.loss!r} needs classes, but task = {self.task!r} is a regression; "
                f"choose: {', '.join([USUAL, *(name for name, loss in LOSSES.items() if loss.regression)])}"
            )

    @classmethod
    def controls(cls) -> Mapping[str, Control]:
        """Return the controls of all settings by name."""
        return controls_of(cls)  # type: ignore[arg-type]  # a class is hashable

    @classmethod
    def from_strings(cls, settings: Mapping[str, str], **others: Any) -> Self:
        """Build an experiment from the texts of a link; a setting that is not named has its default.

        Raises ValueError naming an unknown setting, or a value and what is allowed.
        """
        controls = cls.controls()
        unknown = [name for name in settings if name not in controls]
        if unknown:
            raise ValueError(f"there is no setting called {unknown[0]!r}; the settings are: {', '.join(controls)}")
        values = {name: controls[name].parse(name, text) for name, text in settings.items()}
        return cls(**values, **others)

    def settings(self, *, changed_only: bool = False) -> dict[str, Any]:
        """Return name and value of every setting, or only of those that differ from the default."""
        controls = self.controls()
        pairs = {name: getattr(self, name) for name in controls}
        if changed_only:
            return {name: value for name, value in pairs.items() if value != controls[name].default}
        return pairs

    def but(self, **changes: Any) -> Self:
        """Return this experiment with some settings changed."""
        return replace(self, **changes)  # type: ignore[type-var]

    def _with_defaults(self, forgotten: Callable[[Control], bool]) -> Self:
        return self.but(**{name: control.default for name, control in self.controls().items() if forgotten(control)})

    def shape_key(self) -> Self:
        """Return the experiment with what may differ per run at its defaults: equal keys can train together.

        >>> Experiment(gain=2.0).shape_key() == Experiment(initializer="He normal", clip="norm").shape_key()
        True
        """
        return self._with_defaults(lambda control: control.per_run)

    def at_start(self) -> Self:
        """Return the experiment with what does not matter before the first update at its defaults."""
        return self._with_defaults(lambda control: not control.matters_at_start)

    def without_effect(self) -> set[str]:
        """Return the names of settings that change nothing as the others stand."""
        idle = {"threshold": not self.clipper.limits, "order": self.batch == FULL}
        return {name for name, is_idle in idle.items() if is_idle}

    @classmethod
    def unchecked(cls, settings: Mapping[str, Any]) -> Self:
        """Return an experiment whose settings may not fit together: to ask what has an effect, not to train."""
        experiment = object.__new__(cls)
        for name, value in settings.items():
            object.__setattr__(experiment, name, value)
        return experiment

    @classmethod
    def unfit(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the defaults of choices that do not fit the others, and then are not on screen."""
        experiment = cls.unchecked(settings)
        return {
            name: control.default
            for name, control in cls.controls().items()
            if isinstance(control, Choice) and control.only_with_effect and not control.fits(experiment, settings[name])
        }

    # --- the entries that the names stand for -------------------------------------------------

    dataset: EntryOf[Task]  # Of the setting `task`
    activation_function = EntryOf("activation", ACTIVATIONS)
    clipper = EntryOf("clip", CLIPPERS)
    update_rule = EntryOf("optimizer", OPTIMIZERS)

    @property
    def loss_function(self) -> Loss:
        """The loss's entry, the task's own where no other is named."""
        return LOSSES.get(self.loss, LOSSES[self.dataset.loss])

    @property
    def output(self) -> Activation:
        """What turns an output unit's z into the answer."""
        return output_unit(self.dataset.regression)

    # --- what training and its records need to know -------------------------------------------

    @property
    def positions(self) -> int:
        """At how many places along the net something is measured: layers, or time steps."""
        raise NotImplementedError

    @property
    def inner_positions(self) -> int:
        """How many of these, counted from the first, lie inside the net: all but the output layer; all time steps."""
        return self.positions

    @property
    def functions(self) -> Mapping[str, Activation]:
        """The functions that z goes through at a position inside the net, by name; where there is one only it needs none."""
        return {"": self.activation_function}

    @property
    def looked_at(self) -> Sequence[int]:
        """The positions, from 1, at which the lens can look: where z is counted by bin."""
        return range(1, self.inner_positions + 1)

    @property
    def every_position_counts(self) -> bool:
        """Whether the loss counts at every position; else at the last ones only."""
        return False

    @property
    def sample_count(self) -> int:
        """How many samples the data set has."""
        raise NotImplementedError

    def points(self) -> Any:
        """Return the data, `x` and `y` with samples first: the same for every seed."""
        raise NotImplementedError

    def batch_sizes(self) -> list[int]:
        """Return the number of samples of each update of an epoch."""
        count = self.sample_count
        size = count if self.batch == FULL else min(int(self.batch), count)
        whole, rest = divmod(count, size)
        return [size] * whole + [rest] * (rest > 0)
