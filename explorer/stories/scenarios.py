"""Scenarios: named experiments that tell a story, of nets of layers and of nets of time steps, one entry each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explorer.choices.comparisons import COMPARISONS, NamedExperiments
from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.registry import Entry, registry
from explorer.choices.settings import Settings
from explorer.training.kinds import kind_of


@dataclass(frozen=True, kw_only=True)
class Scenario(Entry):
    """An experiment of either kind that opens with one choice."""

    experiment: Any
    # What is pinned with it; None of recurrent nets, which `compare` sets beside others instead.
    baseline: Experiment | None = None
    compare: str = ""  # Name of an entry of `COMPARISONS`; empty of nets of layers

    @property
    def compared(self) -> NamedExperiments:
        """The recurrent nets that stand side by side, by name."""
        return COMPARISONS[self.compare].of(self.experiment, None)


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
RELU = MOONS.but(activation="ReLU", depth=30, width=32, learning_rate=0.02, epochs=400)
EXPLODING = Experiment(activation="tanh", initializer="normal", depth=14, width=48, learning_rate=0.2, epochs=1000)
LARGE_STEPS = MOONS.but(activation="tanh", depth=15, learning_rate=1.0, epochs=500)
BAD_START = MOONS.but(activation="ReLU", initializer="normal", depth=6, epochs=300)
DYING = MOONS.but(activation="ReLU", initializer="He normal", depth=6, width=8, learning_rate=2.0, epochs=500)

# Weights as PyTorch starts those of its convolutions.
CONVOLUTIONS = Experiment(
    task="signal XOR",
    samples=32,
    layer="convolution",
    depth=20,
    width=6,
    activation="tanh",
    initializer="fan-in uniform",
    learning_rate=0.2,
    epochs=120,
)

# 50 steps of silence at the least between the second symbol and the answer. W_hh of about the size that frameworks
# start with, U(-1/sqrt(n), 1/sqrt(n)), whose eigenvalues fill a disc of radius 0.58.
DELAY = RecurrentExperiment()

# ReLU units that add up what they see: with weights from the input of this size the states, and the gradient, are large.
EXPLODING_IN_TIME = RecurrentExperiment(
    task="sine",
    length=50,
    samples=64,
    activation="ReLU",
    initializer="identity",
    strength=1.0,
    optimizer="SGD",
    learning_rate=0.05,
    epochs=300,
)

# The symbols come in the first half, and the last piece begins four fifths of the way.
CUT = RecurrentExperiment(length=30, initializer="orthogonal", strength=1.0, learning_rate=0.01, epochs=150)

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
            "The same program with a skip over every layer: its outputs start saturated, at a loss of 1. The published "
            "run stayed there for 3,000 epochs; most seeds here wait at 0.5, and then nearly all solve XOR.",
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
            "Batch norm at ten times the rate",
            "At a learning rate of 0.1 nearly all seeds of the plain net learn. At 1 most fail; with batch norm all or nearly all "
            "learn. With batch norm larger weights get a smaller gradient, so steps that are too large slow themselves down.",
            LARGE_STEPS.but(normalization="batch"),
            LARGE_STEPS,
            source="Ioffe & Szegedy 2015, section 3.3",
        ),
        _scenario(
            "Batch norm from a bad start",
            "ReLU layers with N(0, 1) weights, far too large: without normalization no seed learns. Batch norm divides the "
            "weights' size out again, and all or nearly all do.",
            BAD_START.but(normalization="batch"),
            BAD_START,
            source="Ioffe & Szegedy 2015, section 3.3",
        ),
        _scenario(
            "He against Glorot, 30 ReLU layers",
            "Glorot halves the squared gradient at every ReLU layer; He's variance, twice as large, keeps it level.",
            RELU.but(initializer="He normal"),
            RELU.but(initializer="Glorot normal"),
            source="He et al. 2015, section 2.2",
        ),
        _scenario(
            "Convolutions, 20 layers deep: never learn",
            "Layers that slide along a signal are no way out: from the last of 20 back to the first the gradient shrinks more than "
            "a hundred thousand times, and no seed learns.",
            CONVOLUTIONS,
            source="He et al. 2016",
        ),
        _scenario(
            "Convolutions, 20 layers deep, with skips",
            "One change, a skip over every layer: the gradient arrives at the first layer as large as at the last, or larger, and "
            "nearly all seeds learn.",
            CONVOLUTIONS.but(skip="one layer"),
            CONVOLUTIONS,
            source="He et al. 2016",
        ),
        _scenario(
            "Exploding tanh, clipped",
            "Weights too large: the gradient grows hundreds of times on its way back, and the updates are far too "
            "large. Clipping by norm tames the updates; the ratio of first to last layer stays as it was.",
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
        Scenario(
            name="Three cells, 100 steps",
            caption="Which of two symbols came first? They come in the first half of 100 steps, then there is silence. Of the plain "
            "net's gradient less than 10⁻²⁰ gets back to the first step, and no net learns; with gates that start "
            "nearly open, at a bias of 4.6, about ln 100, nearly all LSTMs and GRUs do.",
            source="Bengio et al. 1994; Hochreiter & Schmidhuber 1997, section 5.6; Cho et al. 2014",
            experiment=DELAY,
            compare="the three cells",
        ),
        Scenario(
            name="Forget bias: ln T",
            caption="Gates alone are no memory: half open, the forget gate lets half of the gradient through at each step. Over "
            "100 steps less than 10⁻²⁰ of it gets back, and no net learns. The bias that opens it is about ln 100.",
            source="Gers et al. 2000; Jozefowicz et al. 2015; Tallec & Ollivier 2018",
            experiment=DELAY.but(cell="LSTM"),
            compare="forget bias",
        ),
        Scenario(
            name="Exploding, clipped or not",
            caption="ReLU units that start as the identity, on a noisy sine: the first gradients are about a thousand "
            "long, and within five epochs nearly every net has become non-finite. With the same gradients clipped, "
            "nearly all of them learn.",
            source="Pascanu et al. 2013; Le et al. 2015",
            experiment=EXPLODING_IN_TIME,
            compare="clipping",
        ),
        Scenario(
            name="Starts of W_hh",
            caption="The plain net again, with twice the epochs: only the first W_hh differs. Scaled to σ₁ = 1, less than 10⁻²⁰ of "
            "the gradient gets back; from 0, exactly none. Orthogonal, all singular values are 1, and most nets learn "
            "their sequences.",
            source="Pascanu et al. 2013; Saxe et al. 2014; Le et al. 2015",
            experiment=DELAY.but(strength=1.0, epochs=200),
            compare="start of W_hh",
        ),
        Scenario(
            name="Truncated",
            caption="Which of two symbols came first, in the first half of 30 steps? Without truncation nearly all nets "
            "learn it. With backpropagation cut after 6 steps, exactly nothing of the gradient reaches the symbols, and "
            "hardly any net learns.",
            source="Williams & Peng 1990; Tallec & Ollivier 2017",
            experiment=CUT,
            compare="truncation",
        ),
    ]
)


def scenarios_of(kind: type[Settings]) -> Mapping[str, Scenario]:
    """Return the scenarios of one kind of experiment, by name."""
    return {name: scenario for name, scenario in SCENARIOS.items() if kind_of(scenario.experiment).experiment is kind}


def matching(experiment: Settings, baseline: Settings | None, compare: str = "") -> str | None:
    """Return the name of the scenario that is what is shown, or None; a setting without effect says nothing."""
    shown = _effective(experiment, compare), baseline, compare
    return next(
        (
            name
            for name, s in SCENARIOS.items()
            if (_effective(s.experiment, s.compare), s.baseline, s.compare) == shown
        ),
        None,
    )


def _effective(experiment: Settings, compare: str) -> Settings:
    """Return an experiment with the default where a setting has no effect; where nets stand side by side, any may have."""
    idle = set() if compare else experiment.without_effect()
    return experiment.but(**{name: experiment.controls()[name].default for name in idle})
