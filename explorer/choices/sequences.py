"""Memory tasks: sequences whose answer needs what was seen many steps ago, one entry each.

Every task can have any length from 2 steps on. What has to be remembered comes
in the first half, so that it must be kept for at least the second half. Sequences are drawn once, from a fixed generator: seeds differ in
the weights, as everywhere here.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.choices.datasets import Task
from explorer.choices.registry import registry

SHORTEST, LONGEST = 2, 500
TASK_SEED = 20_260_102


@dataclass(frozen=True, eq=False)
class Sequences:
    """Inputs and targets."""

    x: Array  # (samples, length, inputs)
    y: Array  # (samples, counted steps, outputs): 0 or 1 for classes, any number for a regression
    first_counted: int  # The loss counts at this step, from 0, and at all steps after it


@dataclass(frozen=True, kw_only=True)
class MemoryTask(Task):
    """A task over time; as classes there is one output for each yes or no."""

    make: Callable[[np.random.Generator, int, int], Sequences]  # `make(rng, samples, length)` returns Sequences
    # Whether the answer is made of products of inputs: of two bits, or of numbers and their marks. No input alone tells of it.
    multiplies: bool = False


def _two_moments(rng: np.random.Generator, samples: int, length: int) -> NDArray[np.int64]:
    """Draw two steps per sequence, (samples, 2): one in the first tenth, one from there to the middle."""
    tenth = max(length // 10, 1)
    middle = max(length // 2, tenth + 1)
    return np.stack([rng.integers(0, tenth, samples), rng.integers(tenth, middle, samples)], axis=1)


def _put(x: Array, steps: NDArray[np.int64], feature: int, values: NDArray[Any] | float) -> None:
    """Write one input of every sequence at its own step or steps."""
    x[np.arange(len(x))[:, None], steps, feature] = values


def _two_bits(samples: int) -> NDArray[np.int64]:
    """All four pairs of bits in turn: (samples, 2)."""
    pair = np.arange(samples) % 4
    return np.stack([pair // 2, pair % 2], axis=1)


def _at_the_end(x: Array, y: NDArray[Any]) -> Sequences:
    return Sequences(x, y[:, None, :].astype(np.float64), x.shape[1] - 1)


def _parity(rng: np.random.Generator, samples: int, length: int) -> Sequences:
    x, steps, bits = np.zeros((samples, length, 2)), _two_moments(rng, samples, length), _two_bits(samples)
    # Nothing to tell sequences apart by comes late: else a net could learn the answers by heart, without a memory.
    x[:, : length // 2, 0] = rng.choice([-1.0, 1.0], (samples, length // 2))
    _put(x, steps, 0, 2.0 * bits - 1)
    _put(x, steps, 1, 1.0)
    return _at_the_end(x, bits.sum(axis=1, keepdims=True) % 2)


def _adding(rng: np.random.Generator, samples: int, length: int) -> Sequences:
    x, steps = np.zeros((samples, length, 2)), _two_moments(rng, samples, length)
    x[:, :, 0] = rng.uniform(size=(samples, length))
    _put(x, steps, 1, 1.0)
    return _at_the_end(x, np.take_along_axis(x[:, :, 0], steps, 1).sum(axis=1, keepdims=True))


def _copy(rng: np.random.Generator, samples: int, length: int) -> Sequences:
    x, bits = np.zeros((samples, length, 3)), _two_bits(samples)
    steps = _two_moments(rng, samples, length)[:, :1]
    for feature in range(2):
        _put(x, steps, feature, 2.0 * bits[:, feature : feature + 1] - 1)
    x[:, -1, 2] = 1.0
    return _at_the_end(x, bits)


def _which_first(rng: np.random.Generator, samples: int, length: int) -> Sequences:
    x, steps = np.zeros((samples, length, 2)), _two_moments(rng, samples, length)
    a_first = np.arange(samples) % 2 == 0
    for feature in range(2):
        mine = np.where(a_first == (feature == 0), steps[:, 0], steps[:, 1])
        _put(x, mine[:, None], feature, 1.0)
    return _at_the_end(x, a_first[:, None])


PERIODS = (10.0, 40.0)
SINE_NOISE = 0.1


def _sine(rng: np.random.Generator, samples: int, length: int) -> Sequences:
    period, start = rng.uniform(*PERIODS, (samples, 1)), rng.uniform(size=(samples, 1))
    wave = np.sin(2 * math.pi * (np.arange(length + 1) / period + start))
    noisy = wave[:, :-1] + SINE_NOISE * rng.normal(size=(samples, length))
    return Sequences(noisy[:, :, None], wave[:, 1:, None], 0)


TASKS = registry(
    [
        MemoryTask(
            name="parity",
            caption="Two bits are marked in the first half of a random sequence; at the end: do they differ? XOR with a delay.",
            formula="y = 1 where the two marked bits differ; no bits in the second half",
            source="after Hochreiter & Schmidhuber 1997, section 5.4, with XOR for the sum",
            make=_parity,
            multiplies=True,
        ),
        MemoryTask(
            name="adding",
            caption="Two of many random numbers are marked, both in the first half; at the end: what is their sum?",
            formula="y = x₁ + x₂, x from U(0, 1); always answering 1 errs by 1/6 in the mean square",
            source="Hochreiter & Schmidhuber 1997, section 5.4; the plain sum as in Le et al. 2015",
            make=_adding,
            multiplies=True,
            loss="mean squared error",
            regression=True,
            solved_below=0.02,
        ),
        MemoryTask(
            name="copy",
            caption="One of four symbols is shown in the first tenth; after a long silence a signal asks for it.",
            formula="y = the symbol's two bits",
            source="after Bengio et al. 1994; Hochreiter & Schmidhuber 1997, section 5.2",
            make=_copy,
        ),
        MemoryTask(
            name="which first",
            caption="Two symbols are shown in the first half, a long silence follows; at the end: which came first?",
            formula="y = 1 where A came before B",
            source="after Hochreiter & Schmidhuber 1997, section 5.6: temporal order",
            make=_which_first,
        ),
        MemoryTask(
            name="sine",
            caption="A regression at every step: continue a noisy sine whose period and start differ from sequence to sequence.",
            formula="y_t = sin(2π (t + 1)/p + φ), p from 10 to 40 steps; the input has noise of 0.1",
            make=_sine,
            loss="mean squared error",
            regression=True,
        ),
    ]
)


@lru_cache(maxsize=8)
def sequences(task: str, samples: int, length: int) -> Sequences:
    """Return a task's sequences, read-only: the same at every call."""
    made = TASKS[task].make(np.random.default_rng(TASK_SEED), samples, length)
    made.x.setflags(write=False)
    made.y.setflags(write=False)
    return made
