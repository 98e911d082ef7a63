"""The arrays that everything computes with, and a selection of evenly spaced values."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
T = TypeVar("T")


@lru_cache(maxsize=128)
def filled(shape: int | tuple[int, ...], value: float) -> Array:
    """Return a read-only array that holds one number throughout, made once."""
    array = np.full(shape, value)
    array.setflags(write=False)
    return array


def thin(values: Sequence[T], count: int) -> tuple[T, ...]:
    """Pick `count` of the values, evenly spread, the first and the last included; all if there are fewer.

    >>> thin(range(1, 51), 6)
    (1, 11, 21, 30, 40, 50)
    """
    if count >= len(values):
        return tuple(values)
    if count < 2:
        return tuple(values[:count])
    step = (len(values) - 1) / (count - 1)
    return tuple(values[round(number * step)] for number in range(count))
