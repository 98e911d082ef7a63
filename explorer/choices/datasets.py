"""Data sets: what the network is to learn, one entry each.

A data set is drawn once, from a fixed generator, so that every seed trains on
the same points and pictures can be compared; seeds differ in the weights.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.registry import Entry, registry

OWN = "own data"


@dataclass(frozen=True, eq=False)
class Data:
    """Inputs and targets."""

    x: Array  # (samples, features)
    y: Array  # (samples,): 0 or 1 for classes, any number for a regression
    class_names: tuple[str, ...] = ("0", "1")  # Empty for a regression

    @cached_property
    def digest(self) -> str:
        """A short name for exactly these numbers."""
        return hashlib.sha256(self.x.tobytes() + self.y.tobytes()).hexdigest()[:16]

    @cached_property
    def linear_share(self) -> float:
        """The mean squared error of the best linear answers, as a share of that of always answering the mean target."""
        inputs = np.column_stack([self.x, np.ones(len(self.x))])
        return float(np.square(inputs @ np.linalg.lstsq(inputs, self.y)[0] - self.y).mean() / self.y.var())

    @cached_property
    def neighbours_share(self) -> float:
        """The same of answering each point as the points around it do: what is left where classes overlap.

        Of a few points, as in XOR, neighbours say nothing, nor of many inputs, where all points are far apart: 0.
        """
        count = round(len(self.y) ** 0.5 / 2)
        if count < 2 or self.x.shape[1] > 2:
            return 0.0
        error = 0.0
        for here, right in zip(self.x, self.y, strict=True):
            nearest = np.argpartition(np.square(self.x - here).sum(axis=1), count)[: count + 1]
            error += ((self.y[nearest].sum() - right) / count - right) ** 2
        # The mean of some neighbours is off by its own chance as well.
        return float(error / len(self.y) / self.y.var() / (1 + 1 / count))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Data) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@dataclass(frozen=True, kw_only=True)
class Task(Entry):
    """What a net of either kind is to learn."""

    loss: str = "cross-entropy"  # The loss that is used when nothing else is asked
    regression: bool = False  # Whether y is a number to fit (else a class, 0 or 1)
    truth_table: bool = False  # Whether its points are so few that the answers are shown as a table of them all
    solved_below: float = 0.05  # A run has solved the task when its mean squared error is below this


@dataclass(frozen=True, kw_only=True)
class Dataset(Task):
    """A task for nets of layers."""

    # `make(rng, samples, noise)` returns Data; None for the user's own.
    make: Callable[[np.random.Generator, int, float], Data] | None
    sized: bool = True  # Whether the number of samples can be chosen
    noisy: bool = True  # Whether the noise can be chosen
    inputs: int = 2
    # Whether the inputs are what a signal is at one place after the other, so that a convolution can slide along them.
    signal: bool = False


XOR_INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR_TARGETS = np.array([0.0, 1.0, 1.0, 0.0])


def standardize(x: Array) -> Array:
    """Give every column mean 0 and standard deviation 1."""
    return (x - x.mean(axis=0)) / x.std(axis=0)


def _classes(samples: int) -> Array:
    return (np.arange(samples) % 2).astype(np.float64)


def _shape(rng: np.random.Generator, x: Array, y: Array, noise: float) -> Data:
    return Data(standardize(x + noise * rng.normal(size=x.shape)), y)


def _xor(rng: np.random.Generator, samples: int, noise: float) -> Data:
    return Data(XOR_INPUTS.copy(), XOR_TARGETS.copy())


def _noisy_xor(rng: np.random.Generator, samples: int, noise: float) -> Data:
    corner = np.arange(samples) % 4
    return _shape(rng, 2 * XOR_INPUTS[corner] - 1, XOR_TARGETS[corner], 2 * noise)


def _moons(rng: np.random.Generator, samples: int, noise: float) -> Data:
    y = _classes(samples)
    angle = math.pi * rng.uniform(size=samples)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    return _shape(rng, np.where(y[:, None] == 0, upper, lower), y, noise)


def _circles(rng: np.random.Generator, samples: int, noise: float) -> Data:
    y = _classes(samples)
    angle = 2 * math.pi * rng.uniform(size=samples)
    radius = np.where(y == 0, 1.0, 0.5)
    return _shape(rng, np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), y, noise)


def _spirals(rng: np.random.Generator, samples: int, noise: float) -> Data:
    y = _classes(samples)
    turn = np.sqrt(rng.uniform(0.02, 1.0, size=samples))
    angle = 3 * math.pi * turn + math.pi * y
    x = np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1)
    return _shape(rng, x, y, noise / 2)


def _blobs(rng: np.random.Generator, samples: int, noise: float) -> Data:
    y = _classes(samples)
    centre = np.where(y[:, None] == 0, [-1.0, -1.0], [1.0, 1.0])
    return _shape(rng, centre, y, 0.2 + 2 * noise)


def _curve(rng: np.random.Generator, samples: int, noise: float) -> Data:
    x = np.linspace(-1, 1, samples)[:, None]
    y = np.sin(1.5 * math.pi * x[:, 0]) + noise * rng.normal(size=samples)
    return Data(standardize(x), y, class_names=())


PLACES = 12


def _signal_xor(rng: np.random.Generator, samples: int, noise: float) -> Data:
    # In turn: both answers, both signs of the first spike, and places spread over the signal, so that none of these tells of
    # another.
    y, number, row = _classes(samples), np.arange(samples), np.arange(samples)
    kinds, choices = -(-samples // 4), PLACES - 1
    first, turn = 1.0 - 2 * (number // 2 % 2), number // 4
    place = turn % choices if kinds >= choices else turn * (choices - 1) // max(kinds - 1, 1)
    x = (0.1 + noise) * rng.normal(size=(samples, PLACES))
    x[row, place] += first
    x[row, place + 1] += first * (1 - 2 * y)
    # One scale for all places: a signal may be moved along itself.
    x = (x - x.mean()) / x.std()
    return Data(x, y, class_names=("same", "differ"))


DATASETS = registry(
    [
        Dataset(
            name="XOR",
            caption="Four points: 1 where exactly one input is 1.",
            formula="(0,0)→0  (0,1)→1  (1,0)→1  (1,1)→0",
            make=_xor,
            loss="half squared error",
            truth_table=True,
            sized=False,
            noisy=False,
            solved_below=0.005,
        ),
        Dataset(name="noisy XOR", caption="The four corners of XOR as clouds of points.", make=_noisy_xor),
        Dataset(name="moons", caption="Two interleaving half-moons.", make=_moons),
        Dataset(name="circles", caption="A circle inside a circle.", make=_circles),
        Dataset(
            name="spirals",
            caption="Two spirals wound into each other, a little over one turn each: hard for a shallow net.",
            make=_spirals,
        ),
        Dataset(name="blobs", caption="Two clouds that a straight line can separate.", make=_blobs),
        Dataset(
            name="curve",
            caption="A regression: fit one and a half periods of a sine.",
            formula="y = sin(1.5 π x), x from -1 to 1, then standardized",
            make=_curve,
            loss="mean squared error",
            regression=True,
            inputs=1,
        ),
        Dataset(
            name="signal XOR",
            caption=f"Two spikes stand side by side somewhere in a noisy signal of {PLACES} places: do their signs differ?",
            formula="y = 1 where the two spikes have different signs",
            make=_signal_xor,
            inputs=PLACES,
            signal=True,
        ),
        Dataset(
            name=OWN,
            caption="Your own CSV: two columns of numbers and a label column with two classes.",
            make=None,
            sized=False,
            noisy=False,
        ),
    ]
)
