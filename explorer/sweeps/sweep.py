"""Sweep: an experiment for every pair of values of two settings, as the cells of a map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from explorer.choices.controls import Choice, Control, Number
from explorer.choices.datasets import OWN
from explorer.choices.experiment import CONTROLS, Experiment
from explorer.training.cost import refuse_in_short
from explorer.training.network import architecture

MAX_CELLS = 32 * 32

Value = str | float
Place = tuple[int, int]  # column and row of a cell


def _offered(control: Control) -> tuple[Value, ...]:
    """All values that a control offers; a person's own data are no task to be reached along an axis."""
    if isinstance(control, Choice):
        return tuple(option for option in control.options if option != OWN)
    assert isinstance(control, Number)
    return tuple(control.offered)


# Which settings can lie on an axis, and the values offered there.
AXES: Mapping[str, tuple[Value, ...]] = MappingProxyType(
    {name: _offered(control) for name, control in CONTROLS.items() if not control.chooses_seeds}
)


def is_numeric(name: str) -> bool:
    """Whether an axis' values are numbers, with an order of their own."""
    return isinstance(CONTROLS[name], Number)


@dataclass(frozen=True)
class Sweep:
    """Two settings varied together, everything else as in `base`.

    A ValueError names what is wrong and what is allowed.

    >>> sweep = Sweep(Experiment(epochs=200), "depth", (2, 5), "gain", (1.0, 2.0), trained=True)
    >>> sweep.cells[1, 0].depth, sweep.cells[1, 0].gain
    (5, 1.0)
    """

    base: Experiment
    # x and y are names of two settings of `AXES`, xs and ys their values; numbers are put in ascending order.
    x: str
    xs: tuple[Value, ...]
    y: str
    ys: tuple[Value, ...]
    trained: bool  # Whether every cell is trained; else only its start is measured

    def __post_init__(self) -> None:
        for name in (self.x, self.y):
            if name not in AXES:
                raise ValueError(f"{name!r} cannot lie on an axis; choose one of: {', '.join(AXES)}")
        if self.x == self.y:
            raise ValueError(f"x and y are both {self.x!r}; choose two different settings")
        for axis, name in (("xs", self.x), ("ys", self.y)):
            object.__setattr__(self, axis, _checked(name, getattr(self, axis)))
        if len(self.xs) * len(self.ys) > MAX_CELLS:
            size = f"{len(self.xs)} × {len(self.ys)}"
            raise ValueError(f"{size} cells are too many; at most {MAX_CELLS:,} are allowed")

    @cached_property
    def cells(self) -> Mapping[Place, Experiment | str]:
        """The experiment of every (column, row), or the reason why there is none.

        Where nothing is trained, settings that the start does not depend on are at their default: equal starts are
        measured once.
        """
        return MappingProxyType(
            {
                (column, row): self._cell({self.x: x, self.y: y})
                for column, x in enumerate(self.xs)
                for row, y in enumerate(self.ys)
            }
        )

    def _cell(self, changes: dict[str, Any]) -> Experiment | str:
        try:
            experiment = self.base.but(**changes)
            if not self.trained:
                experiment = experiment.at_start()
            architecture(experiment)
        except ValueError as problem:
            return str(problem)
        # The start alone takes a record: as long as the shortest training, at most.
        return refuse_in_short(experiment if self.trained else experiment.but(epochs=1)) or experiment

    def values(self, cell: Place) -> tuple[Value, Value]:
        """Return what the two settings are in a cell."""
        return self.xs[cell[0]], self.ys[cell[1]]


def _checked(name: str, values: Sequence[Value]) -> tuple[Value, ...]:
    if not values:
        raise ValueError(f"{name} has no values; give at least one")
    checked = tuple(CONTROLS[name].check(name, value) for value in values)
    if OWN in checked:
        raise ValueError(f"{name} = {OWN!r} cannot lie on an axis; choose one of: {', '.join(map(str, AXES[name]))}")
    if len(set(checked)) < len(checked):
        twice = next(value for value in checked if checked.count(value) > 1)
        raise ValueError(f"{name} has the value {twice!r} twice; each is allowed once")
    return tuple(sorted(checked)) if is_numeric(name) else checked
