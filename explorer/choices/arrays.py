"""The arrays that everything computes with."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@lru_cache(maxsize=128)
def filled(shape: int | tuple[int, ...], value: float) -> Array:
    """Return a read-only array that holds one number throughout, made once."""
    array = np.full(shape, value)
    array.setflags(write=False)
    return array
