"""Experiment: every choice that makes a training run, frozen, hashable and checked.

A setting is one field here. Its widget, its key in the link, the check of its
value and the cache key all follow from the control in the field's metadata.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from explorer.choices.activations import ACTIVATIONS, Activation
from explorer.choices.clipping import CLIPPERS
from explorer.choices.controls import Choice, Number, controls_of, one_two_five, setting
from explorer.choices.datasets import DATASETS, OWN, Data, Dataset
from explorer.choices.initializers import INITIALIZERS, Initializer
from explorer.choices.losses import LOSSES
from explorer.choices.normalizations import NORMALIZATIONS, Normalization
from explorer.choices.optimizers import OPTIMIZERS
from explorer.choices.settings import Settings

USUAL = "usual"
SKIPS: Mapping[str, int] = MappingProxyType({"none": 0, "one layer": 1, "two layers": 2})
BATCHES = ("full", *(str(2**power) for power in range(10)))
DATA_SEED = 20_260_101
LOWEST_RATE = 1e-8


def _task(label: str, help: str, **options: Any) -> dict[str, Any]:
    return {"label": label, "help": help, "group": "Task", **options}


def _network(label: str, help: str, **options: Any) -> dict[str, Any]:
    return {"label": label, "help": help, "group": "Network", **options}


def _remedy(label: str, help: str, **options: Any) -> dict[str, Any]:
    return {"label": label, "help": help, "group": "Remedies", **options}


def _training(label: str, help: str, **options: Any) -> dict[str, Any]:
    return {"label": label, "help": help, "group": "Training", **options}


@dataclass(frozen=True, kw_only=True)
class Experiment(Settings):
    """One network, one task, one way to train it, `runs` seeds.

    Every field can be given by keyword; names of choices are those of the
    registries, upper and lower case alike. The defaults are the app's opening
    example: eleven layers of four sigmoid units on XOR, which never learn.

    Raises
    ------
    ValueError
        Naming the field, the value and what is allowed.

    Examples
    --------
    >>> Experiment(depth=10, activation="relu").activation
    'ReLU'
    """

    task: str = setting(Choice(**_task("Task", "What the network is to learn."), options=DATASETS, default="XOR"))
    samples: int = setting(
        Number(
            **_task("Samples", "How many points the data set has. XOR always has its four."),
            low=8,
            high=2048,
            marks=(32, 64, 128, 256, 512, 1024),
            whole=True,
            default=128,
        )
    )
    noise: float = setting(
        Number(
            **_task("Noise", "How far the points are scattered around the task's own shape; 0 is the least."),
            low=0.0,
            high=1.0,
            marks=(0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5),
            default=0.1,
        )
    )
    depth: int = setting(
        Number(
            **_network("Depth", "Hidden layers. The output layer comes on top of them."),
            low=1,
            high=50,
            whole=True,
            default=11,
        )
    )
    width: int = setting(
        Number(
            **_network("Width", "Units in each hidden layer."),
            low=2,
            high=128,
            marks=(2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128),
            whole=True,
            default=4,
        )
    )
    activation: str = setting(
        Choice(
            **_network("Activation", "The function f in a = f(z) of every hidden unit."),
            options=ACTIVATIONS,
            default="sigmoid",
        )
    )
    initializer: str = setting(
        Choice(
            **_network("Initialization", "How the weights start."),
            options=INITIALIZERS,
            default="uniform",
        )
    )
    gain: float = setting(
        Number(
            **_network("Gain", "The starting weights, but not the biases, are multiplied by this."),
            low=0.01,
            high=100.0,
            marks=(0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4142, 1.6667, 2.0, 3.0, 4.0, 5.0, 10.0),
            default=1.0,
        )
    )
    bias: str = setting(
        Choice(
            **_network(
                "Biases",
                "usual: drawn like the weights for constant, uniform, positive uniform and normal "
                "initialization, 0 for all others; zeros: start at 0; none: no biases (a normalization keeps its shift).",
            ),
            options=(USUAL, "zeros", "none"),
            default=USUAL,
        )
    )
    normalization: str = setting(
        Choice(
            **_remedy("Normalization", "Centres and scales z of every hidden layer before the activation."),
            options=NORMALIZATIONS,
            default="none",
        )
    )
    skip: str = setting(
        Choice(
            **_remedy(
                "Skip over",
                "Residual connections. One layer: y = x + f(W x + b). Two layers: y = x + f(W₂ f(W₁ x + b₁) + b₂). "
                "The first hidden layer and the output have none: their input is of another width. Over two layers, a last "
                "hidden layer without a partner has none either.",
            ),
            options=SKIPS,
            default="none",
        )
    )
    clip: str = setting(
        Choice(**_remedy("Clip by", "Limits the gradient before each update."), options=CLIPPERS, default="none")
    )
    threshold: float = setting(
        Number(
            **_remedy("Threshold", "The limit c: of each entry, or of the norm of the whole gradient."),
            low=1e-6,
            high=1e6,
            marks=one_two_five(1e-3, 100),
            default=1.0,
        )
    )
    learning_rate: float = setting(
        Number(
            **_remedy("Learning rate", "How far one update goes."),
            low=LOWEST_RATE,
            high=1e3,
            marks=one_two_five(1e-5, 10),
            default=0.1,
        )
    )
    optimizer: str = setting(
        Choice(
            **_training("Optimizer", "How the gradient becomes an update."),
            options=OPTIMIZERS,
            default="SGD",
        )
    )
    loss: str = setting(
        Choice(
            **_training(
                "Loss",
                "usual: half squared error for XOR, as in a well-known tutorial; cross-entropy for other classes; "
                "mean squared error for a curve.",
            ),
            options=(USUAL, *LOSSES),
            default=USUAL,
        )
    )
    batch: str = setting(
        Choice(
            **_training("Batch", "Samples per update; full: all of them, one update an epoch."),
            options=BATCHES,
            default="full",
        )
    )
    order: str = setting(
        Choice(
            **_training("Order", "Whether batches take the samples shuffled in every epoch, or always in order."),
            options=("shuffled", "fixed"),
            default="shuffled",
        )
    )
    epochs: int = setting(
        Number(
            **_training("Epochs", "How often training goes through the data."),
            low=1,
            high=1_000_000,
            marks=(10, 20, 50, 100, 200, 500, 1000, 2000, 3000, 6000, 10_000, 20_000, 50_000, 100_000),
            whole=True,
            default=6000,
        )
    )
    runs: int = setting(
        Number(
            **_training("Seeds", "Networks trained at once, alike but for their random numbers. One alone misleads."),
            low=1,
            high=512,
            marks=(1, 2, 4, 8, 12, 16, 20, 24, 32, 48, 64),
            whole=True,
            default=8,
        )
    )
    seed: int = setting(
        Number(
            **_training("First seed", "The seeds are this number and the ones after it."),
            low=0,
            high=1_000_000,
            whole=True,
            default=0,
        )
    )
    data: Data | None = field(default=None)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.task == OWN) != (self.data is not None):
            raise ValueError(
                f"task = {self.task!r} with data = {self.data!r}: data must be given exactly when task is {OWN!r}"
            )

    # --- the entries that the names stand for -------------------------------------------------

    @property
    def dataset(self) -> Dataset:
        """The task's entry."""
        return DATASETS[self.task]

    @property
    def activation_function(self) -> Activation:
        """The activation's entry."""
        return ACTIVATIONS[self.activation]

    @property
    def initialization(self) -> Initializer:
        """The initializer's entry."""
        return INITIALIZERS[self.initializer]

    @property
    def normalizer(self) -> Normalization:
        """The normalization's entry."""
        return NORMALIZATIONS[self.normalization]

    @property
    def layers(self) -> int:
        """Weight layers: the hidden ones and the output."""
        return self.depth + 1

    @property
    def positions(self) -> int:
        """Where along the net something is measured: its layers."""
        return self.layers

    @property
    def draws_bias(self) -> bool:
        """Whether biases start random rather than 0."""
        return self.bias == USUAL and self.initialization.draws_bias

    def points(self) -> Data:
        """Return the data: the same for every seed."""
        if self.data is not None:
            return self.data
        make = self.dataset.make
        assert make is not None  # __post_init__: own data comes with `data`
        return make(np.random.default_rng(DATA_SEED), self.samples, self.noise)


CONTROLS = controls_of(Experiment)
