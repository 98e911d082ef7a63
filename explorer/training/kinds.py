"""The two kinds of nets, of layers and of time steps, and what differs between them.

Whoever needs to know asks `kind_of` and reads a field.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.settings import Settings
from explorer.training.cost_models import Cost, layered_cost, recurrent_cost
from explorer.training.group import Group
from explorer.training.measures import DIAGNOSTICS, Diagnostic
from explorer.training.recurrent_group import RecurrentGroup
from explorer.training.time_measures import TIME_DIAGNOSTICS


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of net."""

    name: str  # In saved files; never change it
    experiment: type[Settings]  # The class of its experiments
    position: str  # What a place along the net is called where something is measured
    length: str  # The setting that says how many positions there are
    measures: Mapping[str, Diagnostic]  # What is measured at every position
    main: str  # The measure that facts, verdicts and opening views are about
    group: type[Group]  # How its runs are trained
    cost: Callable[[Any], Cost]  # `cost(experiment)` estimates what training takes
    prefix: str  # The beginning of the names of downloaded files
    opens_pinned: bool  # Whether a link that names no baseline has the opening example pinned
    takes_own_data: bool  # Whether a person's own data can be its task
    predicted: bool  # Whether theory follows its gradient from position to position before any training
    inner: str  # What a position inside the net is called in a sentence
    # The measures of the gradient before and behind the activation's slope, on its way back
    around_slope: tuple[str, str]


LAYERS = Kind(
    name="layers",
    experiment=Experiment,
    position="layer",
    length="depth",
    measures=DIAGNOSTICS,
    main="delta",
    group=Group,
    cost=layered_cost,
    prefix="gradients",
    opens_pinned=True,
    takes_own_data=True,
    predicted=True,
    inner="hidden layer",
    around_slope=("through_skip", "through_slope"),
)
TIME_STEPS = Kind(
    name="recurrent",
    experiment=RecurrentExperiment,
    position="step",
    length="length",
    measures=TIME_DIAGNOSTICS,
    main="state_gradient",
    group=RecurrentGroup,
    cost=recurrent_cost,
    prefix="through-time",
    opens_pinned=False,
    takes_own_data=False,
    predicted=False,
    inner="step",
    around_slope=("state_gradient", "delta"),
)
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in (LAYERS, TIME_STEPS)})
_BY_CLASS = {kind.experiment: kind for kind in KINDS.values()}


def kind_of(experiment: Settings) -> Kind:
    """Return the kind of net that an experiment trains."""
    return _BY_CLASS[type(experiment)]
