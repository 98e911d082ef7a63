"""Remedies: named changes to an experiment, one entry each."""

from collections.abc import Callable
from dataclasses import dataclass

from explorer.experiment import LOWEST_RATE, Experiment
from explorer.registry import Entry, registry


@dataclass(frozen=True, kw_only=True)
class Remedy(Entry):
    """A change that may bring a gradient back, or tame it.

    Attributes
    ----------
    change : callable
        From an Experiment to the same with the remedy applied; the very same where it can do nothing.
    """

    change: Callable[[Experiment], Experiment]


def _proper_initialization(experiment: Experiment) -> Experiment:
    rectifier = experiment.activation not in ("sigmoid", "tanh", "linear", "SELU")
    name = "He normal" if rectifier else "LeCun" if experiment.activation == "SELU" else "Glorot normal"
    return experiment.but(initializer=name, gain=1.0)


REMEDIES = registry(
    [
        Remedy(
            name="ReLU",
            caption="Its slope is 1 wherever a unit is on: nothing is shrunk there.",
            formula="f(z) = max(0, z)",
            source="Nair & Hinton 2010",
            change=lambda experiment: experiment.but(activation="ReLU"),
        ),
        Remedy(
            name="batch norm",
            caption="Starts every unit's z in the steep part of the activation, whatever the weights.",
            formula="z ← γ·(z - mean) / std + β",
            source="Ioffe & Szegedy 2015",
            change=lambda experiment: experiment.but(normalization="batch"),
        ),
        Remedy(
            name="a tenth of the learning rate",
            caption="Smaller steps stay where the slope that was measured still holds.",
            formula="η ← η / 10",
            source="LeCun et al. 1998",
            change=lambda experiment: experiment.but(learning_rate=max(experiment.learning_rate / 10, LOWEST_RATE)),
        ),
        Remedy(
            name="skip over one layer",
            caption="The identity beside every layer carries the gradient past it.",
            formula="y = x + f(W x + b)",
            source="He et al. 2016",
            change=lambda experiment: experiment.but(skip="one layer") if experiment.depth >= 2 else experiment,
        ),
        Remedy(
            name="skip over two layers",
            caption="The identity beside every pair of layers carries the gradient past it.",
            formula="y = x + f(W₂ f(W₁ x + b₁) + b₂)",
            source="He et al. 2016",
            change=lambda experiment: experiment.but(skip="two layers") if experiment.depth >= 3 else experiment,
        ),
        Remedy(
            name="fitting initialization",
            caption="He for rectifiers and their smooth relatives, LeCun for SELU, Glorot for the others: a variance that "
            "keeps signals about level. It does not rescue a deep sigmoid net.",
            formula="Var W = g² / fan_in  or  2 / (fan_in + fan_out)",
            source="Glorot & Bengio 2010; He et al. 2015",
            change=_proper_initialization,
        ),
        Remedy(
            name="clip by norm",
            caption="Bounds the gradient that makes an update. It cannot bring back one that vanished.",
            formula="g ← g·min(1, c / ‖g‖)",
            source="Pascanu et al. 2013",
            change=lambda experiment: experiment.but(clip="norm"),
        ),
        Remedy(
            name="clip by value",
            caption="Bounds every entry of the gradient, and so bends its direction.",
            formula="g ← min(max(g, -c), c)",
            source="Mikolov 2012",
            change=lambda experiment: experiment.but(clip="value"),
        ),
    ]
)
