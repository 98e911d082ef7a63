"""Time shares: what each time step adds to dL/dW_hh, in one number a run.

Arrays have one row a run and one column a time step, first to last.
"""

import numpy as np

from explorer.choices.arrays import Array
from explorer.diagnosis.seeds import logarithm


def last_steps(norms: Array, share: float = 0.5) -> Array:
    """Return how many of the last steps have this share of the sum of all steps' norms.

    `norms`, (runs, length), are those of every step's part of dL/dW_hh. NaN where all are 0 or one is not finite.

    >>> last_steps(np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 1.0, 9.0]]))
    array([2., 1.])
    """
    with np.errstate(all="ignore"):
        # Divided by the largest first: a sum of finite norms may overflow, and tiny norms cannot be divided.
        sizes = norms / norms.max(axis=1, keepdims=True)
        sums = np.cumsum(sizes[:, ::-1], axis=1)
        shares = sums / sums[:, -1:]
    # Sums are rounded: the smallest shortfall does not count.
    steps = (shares >= share - 1e-12).argmax(axis=1) + 1.0
    return np.where(np.isfinite(shares).all(axis=1), steps, np.nan)


def cancelled(norms: Array, whole: Array) -> Array:
    """Return the norm of dL/dW_hh, `whole`, over the sum of its parts' norms: 1 if all parts point the same way.

    NaN where all parts are 0 or one is not finite.
    """
    with np.errstate(all="ignore"):
        largest = norms.max(axis=1)
        return whole / largest / (norms / largest[:, None]).sum(axis=1)


def log_sum(norms: Array) -> Array:
    """Return log10 of the sum of all steps' norms, even where the sum itself would overflow: (runs,)."""
    logs = logarithm(norms)
    largest = logs.max(axis=1)
    with np.errstate(invalid="ignore"):
        logs_of_sums: Array = largest + np.log10(np.sum(10.0 ** (logs - largest[:, None]), axis=1))
    return np.where(np.isfinite(largest), logs_of_sums, largest)
