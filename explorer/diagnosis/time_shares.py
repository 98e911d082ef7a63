"""Time shares: what the curves over time steps come to in one number a run.

Shapes: one row a run, one column a time step, the first step first.
"""

import numpy as np

from explorer.choices.arrays import Array


def recent_share(norms: Array) -> Array:
    """Return what share of the sum of all steps' norms the last k steps have, for k = 1 to length.

    Parameters
    ----------
    norms : (runs, length) array
        Of every step's own part of dL/dW_hh.

    Returns
    -------
    share : (runs, length) array
        Entry [run, k - 1] is that of the last k steps; the last one is 1. NaN where all parts are 0 or one is not finite.
    """
    with np.errstate(all="ignore"):
        # Against the largest: the sum of finite norms may overflow, or all of them be too small to be divided.
        sizes = norms / norms.max(axis=1, keepdims=True)
        sums = np.cumsum(sizes[:, ::-1], axis=1)
        return sums / sums[:, -1:]


def last_steps(norms: Array, share: float = 0.5) -> Array:
    """Return how many of the last steps have this share of the sum of all steps' norms.

    Returns
    -------
    steps : (runs,) array
        NaN where `recent_share` is.

    Examples
    --------
    >>> last_steps(np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 1.0, 9.0]]))
    array([2., 1.])
    """
    shares = recent_share(norms)
    # Sums are rounded: half a step more or less is not meant.
    steps = (shares >= share - 1e-12).argmax(axis=1) + 1.0
    return np.where(np.isfinite(shares).all(axis=1), steps, np.nan)


def cancelled(norms: Array, whole: Array) -> Array:
    """Return the norm of the whole gradient over the sum of its parts' norms: 1, all parts point the same way.

    Parameters
    ----------
    norms : (runs, length) array
        Of every step's own part of dL/dW_hh.
    whole : (runs,) array
        Norm of dL/dW_hh.

    Returns
    -------
    share : (runs,) array
        From 0 to 1; NaN where all parts are 0 or one is not finite.
    """
    with np.errstate(all="ignore"):
        largest = norms.max(axis=1)
        return whole / largest / (norms / largest[:, None]).sum(axis=1)
