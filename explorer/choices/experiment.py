"""Experiment: every choice that makes a training run, frozen, hashable and checked.

A setting is one field here. Its widget, its key in the link, the check of its
value and the cache key all follow from the control in the field's metadata.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from explorer.choices.activations import ACTIVATIONS
from explorer.choices.clipping import CLIPPERS
from explorer.choices.controls import (
    NETWORK,
    REMEDY,
    TASK,
    TRAINING,
    choice,
    controls_of,
    numeric,
    one_two_five,
    told_elsewhere,
)
from explorer.choices.datasets import DATASETS, OWN, Data
from explorer.choices.initializers import INITIALIZERS
from explorer.choices.losses import LOSSES
from explorer.choices.normalizations import NORMALIZATIONS
from explorer.choices.optimizers import OPTIMIZERS
from explorer.choices.registry import Entry, EntryOf, registry
from explorer.choices.settings import FULL, USUAL, Settings


@dataclass(frozen=True, kw_only=True)
class LayerKind(Entry):
    """A kind of hidden layer: what its units see of the layer before."""

    # The places of a signal that a unit sees, counted from its own, which comes first; of a layer that slides along a signal
    # every place has the same units with the same weights.
    taps: tuple[int, ...] = (0,)
    called: str = "hidden layer"  # One of them, in a caption

    @property
    def slides(self) -> bool:
        """Whether it is for signals alone."""
        return len(self.taps) > 1


LAYER_KINDS = registry(
    [
        LayerKind(
            name="dense",
            caption="Every unit sees all inputs.",
            formula="a_j = f(Σ_i w_ij x_i + b_j)",
        ),
        LayerKind(
            name="convolution",
            caption="Every unit slides along the signal: at each place it sees that place and its two neighbours, with the same "
            "weights everywhere. The width counts channels.",
            formula="a_j(p) = f(Σ_i Σ_k w_ij(k) x_i(p + k) + b_j), k = -1, 0, 1, zeros beyond the ends; the output sees the mean over places",
            source="LeCun et al. 1989",
            taps=(0, -1, 1),
            called="convolution",
        ),
    ]
)
SKIPS: Mapping[str, int] = MappingProxyType({"none": 0, "one layer": 1, "two layers": 2})
BATCHES = (FULL, *(str(2**power) for power in range(10)))
SHUFFLED, NO_BIASES = "shuffled", "none"
# How biases start, and the words for it in a caption.
BIASES: Mapping[str, str] = MappingProxyType({USUAL: "", "zeros": ", biases 0", NO_BIASES: ", no biases"})
DATA_SEED = 20_260_101
LOWEST_RATE = 1e-8
THRESHOLDS = tuple(sorted({*one_two_five(1e-3, 100), 0.25}))
# What an option of the skips is.
WAYS: Mapping[str, str] = MappingProxyType(
    {
        "none": "y = f(W x + b): no way past a layer.",
        "one layer": "y = x + f(W x + b): a way past every layer.",
        "two layers": "y = x + f(W₂ f(W₁ x + b₁) + b₂): a way past every two layers.",
    }
)
*_FIRST, _LAST = (name for name, entry in INITIALIZERS.items() if entry.draws_bias)
WITH_RANDOM_BIASES = f"{', '.join(_FIRST)} and {_LAST}"


def _start(experiment: "Experiment") -> str:
    """Say how weights start, by a formula if it is short."""
    formula = experiment.initialization.formula
    return formula.replace("W ~ ", "") if len(formula) < 16 else experiment.initializer


def _layer_fits(experiment: Any, name: str) -> bool:
    """Whether there is a signal for what slides along one."""
    return not LAYER_KINDS[name].slides or bool(experiment.dataset.signal)


def _loss_fits(experiment: Settings, name: str) -> bool:
    """Whether a loss is for numbers too, where the answers are numbers."""
    return not experiment.dataset.regression or name == USUAL or LOSSES[name].regression


@dataclass(frozen=True, kw_only=True)
class Experiment(Settings):
    """One network, one task, one way to train it, `runs` seeds.

    Names of choices are those of the registries, upper and lower case alike. The defaults are the app's opening
    example: eleven layers of four sigmoid units on XOR, which never learn.
    Raises ValueError naming the field, the value and what is allowed.

    >>> Experiment(depth=10, activation="relu").activation
    'ReLU'
    """

    # fmt: off
    task: str = choice(
        TASK, "Task", "What the network is to learn.", DATASETS, default="XOR", phrase="{}",
        caption=lambda e: e.task,
    )
    samples: int = numeric(
        TRAINING, "Samples", "How many points the data set has. XOR always has its four.",
        low=8, high=2048, marks=(32, 64, 128, 256, 512, 1024), default=128, row=6, moderate=256,
        caption=lambda e: f", {e.samples} samples",
    )
    noise: float = numeric(
        TRAINING, "Noise", "How far the points are scattered around the task's own shape; 0 is the least.",
        low=0.0, high=1.0, marks=(0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5), default=0.1, row=6,
        caption=lambda e: f", noise {e.noise:g}",
    )
    depth: int = numeric(
        NETWORK, "Depth", "Hidden layers. The output layer comes on top of them.",
        low=1, high=50, default=11, row=1, moderate=20,
        caption=lambda e: f"{e.depth} {e.layer_kind.called}{'s' * (e.depth > 1)}",
    )
    width: int = numeric(
        NETWORK, "Width", "Units in each hidden layer; of a convolution its channels.",
        low=2, high=128, marks=(2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128), default=4, row=1, moderate=32,
        caption=lambda e: f" of {e.width}",
    )
    layer: str = choice(
        NETWORK, "Layers", "What the units of a hidden layer see. Only a signal has places along which a layer can slide.",
        LAYER_KINDS, default="dense", row=2, fits=_layer_fits, only_with_effect=True,
        phrase="{} layers", phrases={"convolution": "convolutions"},
        caption=told_elsewhere,
    )
    activation: str = choice(
        REMEDY, "Activation", "The function f in a = f(z) of every hidden unit.",
        ACTIVATIONS, default="sigmoid", row=3, phrase="{}", caption=lambda e: f" {e.activation}",
    )
    initializer: str = choice(
        REMEDY, "Initialization", "How the weights start.", INITIALIZERS, default="uniform", row=4, per_run=True,
        caption=_start,
    )
    gain: float = numeric(
        TRAINING, "Gain", "The starting weights, but not the biases, are multiplied by this.",
        low=0.01, high=100.0, default=1.0, row=7, per_run=True,
        caption=lambda e: f" × {e.gain:g}" if e.gain != 1 else "",
        marks=(0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4142, 1.6667, 2.0, 3.0, 4.0, 5.0, 10.0),
    )
    bias: str = choice(
        TRAINING, "Biases",
        f"usual: drawn like the weights for {WITH_RANDOM_BIASES} initialization, 0 for all others; "
        "zeros: start at 0; none: no biases (a normalization keeps its shift).",
        BIASES, default=USUAL, row=8, per_run=True, phrases={"zeros": "biases 0", NO_BIASES: "no biases"},
        caption=lambda e: BIASES[e.bias],
    )
    normalization: str = choice(
        REMEDY, "Normalization", "Centres and scales z of every hidden layer before the activation.",
        NORMALIZATIONS, default="none", row=2, phrase="{} norm", phrases={"none": "no normalization"},
    )
    skip: str = choice(
        REMEDY, "Skip over",
        "Residual connections. One layer: y = x + f(W x + b). Two layers: y = x + f(W₂ f(W₁ x + b₁) + b₂). "
        "The first hidden layer and the output have none: their input is of another width. Over two layers, a last "
        "hidden layer without a partner has none either.",
        SKIPS, default="none", row=1, explanations=WAYS, phrase="skip over {}", phrases={"none": "no skip"},
    )
    learning_rate: float = numeric(
        REMEDY, "Learning rate", "How far one update goes.",
        low=LOWEST_RATE, high=1e3, marks=one_two_five(1e-5, 10), default=0.1, row=6, per_run=True, matters_at_start=False,
        caption=told_elsewhere,
    )
    clip: str = choice(
        REMEDY, "Clip by", "Limits the gradient before each update.",
        CLIPPERS, default="none", row=5, per_run=True, matters_at_start=False,
        phrase="clipping by {}", phrases={"none": "no clipping"}, unsaid="none",
    )
    threshold: float = numeric(
        REMEDY, "Threshold", "The limit c: of each entry, or of the norm of the whole gradient.",
        low=1e-6, high=1e6, marks=THRESHOLDS, default=1.0, row=6, per_run=True, matters_at_start=False,
        only_with_effect=True, caption=lambda e: f" at {e.threshold:g}",
    )
    optimizer: str = choice(
        TRAINING, "Optimizer", "How the gradient becomes an update.",
        OPTIMIZERS, default="SGD", row=2, matters_at_start=False, phrase="{}",
        caption=lambda e: f"{e.optimizer} {e.learning_rate:g}",
    )
    batch: str = choice(
        TRAINING, "Batch", "Samples per update; full: all of them, one update per epoch.",
        BATCHES, default=FULL, row=4, moderate=FULL, matters_at_start=False,
        phrases={FULL: "full batch", "1": "one sample per update"},
        caption=lambda e: "full batch" if e.batch == FULL else f"batch {e.batch}",
    )
    order: str = choice(
        TRAINING, "Order", "Whether batches take the samples shuffled in every epoch, or always in order.",
        (SHUFFLED, "fixed"), default=SHUFFLED, row=5, matters_at_start=False, caption=lambda e: f", {e.order}",
    )
    loss: str = choice(
        TRAINING, "Loss",
        "usual: half squared error for XOR, as in a well-known tutorial; cross-entropy for other classes; "
        "mean squared error for a curve.",
        {USUAL: None, **LOSSES}, default=USUAL, row=3, fits=_loss_fits,
        explanations={USUAL: "The loss that suits the task."}, caption=lambda e: e.loss_function.name,
    )
    epochs: int = numeric(
        TRAINING, "Epochs", "How often training goes through the data.",
        low=1, high=1_000_000, default=6000, row=1, moderate=20_000, matters_at_start=False,
        marks=(10, 20, 50, 100, 200, 500, 1000, 2000, 3000, 6000, 10_000, 20_000, 50_000, 100_000),
        caption=lambda e: f"{e.epochs:,} epoch{'s' * (e.epochs > 1)}",
    )
    runs: int = numeric(
        TRAINING, "Seeds", "Networks trained at once, alike but for their random numbers. One alone misleads.",
        low=1, high=512, marks=(1, 2, 4, 8, 12, 16, 20, 24, 32, 48, 64), default=8, row=1, moderate=8,
        per_run=True, chooses_seeds=True, caption=told_elsewhere,
    )
    seed: int = numeric(
        TRAINING, "First seed", "The seeds are this number and the ones after it.",
        low=0, high=1_000_000, default=0, row=4, per_run=True, chooses_seeds=True,
        caption=lambda e: f"seeds {e.seed} to {e.seed + e.runs - 1}" if e.runs > 1 else f"seed {e.seed}",
    )
    # fmt: on
    data: Data | None = field(default=None)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.task == OWN) != (self.data is not None):
            raise ValueError(
                f"task = {self.task!r} with data = {self.data!r}: data must be given exactly when task is {OWN!r}"
            )
        if not _layer_fits(self, self.layer):
            signals = " or ".join(repr(name) for name, entry in DATASETS.items() if entry.signal)
            raise ValueError(
                f"layer = {self.layer!r} slides along a signal, and the inputs of task = {self.task!r} are none; choose "
                f"layer = 'dense', or task = {signals}"
            )
        # What is left of the error is told as a share of the mean answer's, which would be 0.
        if self.data is not None and not np.ptp(self.data.y) > 0:
            raise ValueError(f"data: every target is {self.data.y[0]:g}; at least two different targets are needed")

    def without_effect(self) -> set[str]:
        """Return the names of settings that change nothing as the others stand."""
        dataset = self.dataset
        idle = {"samples": not dataset.sized, "noise": not dataset.noisy, "layer": not dataset.signal}
        return super().without_effect() | {name for name, is_idle in idle.items() if is_idle}

    def but(self, **changes: Any) -> Self:
        """Return this experiment with some settings changed; a person's own data stay behind with their task."""
        if changes.get("task", OWN) != OWN:
            changes.setdefault("data", None)
        return super().but(**changes)

    # --- the entries that the names stand for -------------------------------------------------

    dataset = EntryOf("task", DATASETS)
    initialization = EntryOf("initializer", INITIALIZERS)
    normalizer = EntryOf("normalization", NORMALIZATIONS)
    layer_kind = EntryOf("layer", LAYER_KINDS)

    @property
    def layers(self) -> int:
        """Weight layers: the hidden ones and the output."""
        return self.depth + 1

    @property
    def positions(self) -> int:
        """Where along the net something is measured: its layers."""
        return self.layers

    @property
    def inner_positions(self) -> int:
        """Where the gradient is measured inside the net: its hidden layers."""
        return self.depth

    @property
    def skipped(self) -> int:
        """How many layers a shortcut skips: 0 (no shortcuts), 1 or 2."""
        return SKIPS[self.skip]

    @property
    def places(self) -> int:
        """At how many places of a signal the units of a hidden layer are; 1 of dense layers."""
        return self.dataset.inputs if self.layer_kind.slides else 1

    @property
    def hidden_fan(self) -> int:
        """What a hidden layer has for fan_in, and for fan_out, where a hidden layer comes before and after it."""
        return self.width * len(self.layer_kind.taps)

    @property
    def has_biases(self) -> bool:
        """Whether layers have biases at all."""
        return self.bias != NO_BIASES

    @property
    def draws_bias(self) -> bool:
        """Whether biases start random rather than 0."""
        return self.bias == USUAL and self.initialization.draws_bias

    @property
    def sample_count(self) -> int:
        """How many points the data set has; not drawn where their number can be chosen."""
        return self.samples if self.dataset.sized else len(self.points().y)

    def points(self) -> Data:
        """Return the data: the same for every seed."""
        if self.data is not None:
            return self.data
        make = self.dataset.make
        assert make is not None  # __post_init__: own data comes with `data`
        return make(np.random.default_rng(DATA_SEED), self.samples, self.noise)

    def shape_key(self) -> Self:
        """Return what can train together: a network without biases is of another shape than one whose biases start at 0."""
        return super().shape_key().but(bias=self.bias if not self.has_biases else USUAL)


CONTROLS = controls_of(Experiment)
