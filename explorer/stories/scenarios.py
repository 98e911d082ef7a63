"""Scenarios: named experiments that tell a story, one entry each."""

from dataclasses import dataclass

from explorer.choices.experiment import Experiment
from explorer.choices.registry import Entry, registry


@dataclass(frozen=True, kw_only=True)
class Scenario(Entry):
    """An experiment to open with one choice.

    Attributes
    ----------
    experiment : Experiment
    baseline : Experiment
        What it is held against; the same as `experiment` where nothing is.
    """

    experiment: Experiment
    baseline: Experiment


def _scenario(
    name: str, caption: str, experiment: Experiment, baseline: Experiment | None = None, source: str = ""
) -> Scenario:
    return Scenario(name=name, caption=caption, source=source, experiment=experiment, baseline=baseline or experiment)


OPENING = Experiment()

TUTORIAL = Experiment(
    initializer="positive uniform",
    optimizer="Adam",
    learning_rate=0.001,
    batch="1",
    order="fixed",
    epochs=100_000,
)

MOONS = Experiment(task="moons", depth=10, width=16, initializer="Glorot uniform", epochs=2000)
RELU = MOONS.but(activation="ReLU", depth=30, width=32, learning_rate=0.02, epochs=1000)
EXPLODING = Experiment(activation="tanh", initializer="normal", depth=14, width=48, learning_rate=0.2, epochs=1000)
DYING = MOONS.but(activation="ReLU", initializer="He normal", depth=6, width=8, learning_rate=2.0, epochs=500)

SCENARIOS = registry(
    [
        _scenario(
            "Sigmoid, 11 layers: never learns",
            "The opening example. Each sigmoid layer shrinks the gradient, so the first layers get almost none "
            "and every net ends up answering 0.5.",
            OPENING,
        ),
        _scenario(
            "The same with skips: learns",
            "One change, a skip over every layer: the gradient reaches the first layer and the nets solve XOR.",
            OPENING.but(skip="one layer"),
            OPENING,
            source="He et al. 2016",
        ),
        _scenario(
            "Tutorial recipe, plain",
            "A well-known tutorial's program: weights and biases U(0, 1), Adam, one sample per update in fixed order, "
            "100,000 epochs. It stays at a loss of 0.5.",
            TUTORIAL,
        ),
        _scenario(
            "Tutorial recipe, residual",
            "The same program with a skip over every layer: its outputs start saturated, at a loss of 1. The published run "
            "sat there for 3,000 epochs, most seeds wait at 0.5; then nearly all solve XOR.",
            TUTORIAL.but(skip="one layer"),
            TUTORIAL,
        ),
        _scenario(
            "Sigmoid rescued by batch norm",
            "Batch norm keeps every unit where its slope is large, and undoes what the small slopes shrink. "
            "Try layer norm: it hardly helps.",
            MOONS.but(normalization="batch"),
            MOONS,
            source="Ioffe & Szegedy 2015; Yang et al. 2019",
        ),
        _scenario(
            "He against Glorot, 30 ReLU layers",
            "Glorot halves the squared gradient at every ReLU layer; He's variance, twice as large, keeps it level.",
            RELU.but(initializer="He normal"),
            RELU.but(initializer="Glorot normal"),
            source="He et al. 2015, section 2.2",
        ),
        _scenario(
            "Exploding tanh, clipped",
            "Weights too large: the gradient grows hundreds of times on its way back, and updates throw the net about. "
            "Clipping by norm tames the updates; the ratio of first to last layer stays as it was.",
            EXPLODING.but(clip="norm", threshold=0.01),
            EXPLODING,
            source="Pascanu et al. 2013",
        ),
        _scenario(
            "Dying ReLU",
            "A learning rate far too large pushes units below 0 for all data: they pass no gradient and rarely come "
            "back. Leaky ReLU, beside it as the present setting, cannot die.",
            DYING.but(activation="leaky ReLU"),
            DYING,
            source="Maas et al. 2013",
        ),
        _scenario(
            "All weights zero",
            "Below the output layer every gradient is exactly 0: not small, zero. Only the output's bias can learn.",
            MOONS.but(activation="tanh", initializer="zeros", epochs=200),
        ),
        _scenario(
            "ReLU with N(0, 1): diverges at once",
            "64 units wide: from each hidden layer to the one below, the gradient grows about 5.7 times, √(64/2). The first "
            "updates are already far too large.",
            MOONS.but(activation="ReLU", initializer="normal", width=64, epochs=100),
        ),
    ]
)


def matching(experiment: Experiment, baseline: Experiment | None) -> str | None:
    """Return the name of the scenario that is exactly this pair, or None."""
    for name, scenario in SCENARIOS.items():
        if (scenario.experiment, scenario.baseline) == (experiment, baseline):
            return name
    return None
