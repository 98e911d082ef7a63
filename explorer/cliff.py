"""The cliff: the loss of a recurrent net with a single unit over its only two parameters.

h_t = σ(w h_{t-1} + b), and the loss is (h_50 - 0.7)². Where the state's fixed
point jumps, the loss has a wall that the gradient, multiplied fifty times,
meets with enormous length: an unclipped step is thrown off it. It is the same
net and the same backpropagation as everywhere here, one run for each point.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.activations import ACTIVATIONS
from explorer.cells import CELLS
from explorer.clipping import CLIPPERS
from explorer.recurrent import RecurrentNetwork
from explorer.recurrent_architecture import RecurrentArchitecture

Array = NDArray[np.float64]

STEPS, TARGET = 50, 0.7
START = 1 / (1 + math.exp(-0.5))  # h_0, Pascanu's σ(x_0) with x_0 = 0.5


@dataclass(frozen=True, eq=False)
class Slope:
    """The loss at some points (w, b), and its gradient.

    Attributes
    ----------
    loss, by_w, by_b : arrays of the points' shape
        L, dL/dw and dL/db.
    """

    loss: Array
    by_w: Array
    by_b: Array

    @property
    def norm(self) -> Array:
        """L2 norm of the gradient."""
        return np.hypot(self.by_w, self.by_b)


def slope(w: Array, b: Array, steps: int = STEPS) -> Slope:
    """Return loss and gradient of the net of one unit at every point.

    Parameters
    ----------
    w, b : arrays of equal shape
    steps : int

    Notes
    -----
    Pascanu et al. 2013, section 2.3 and figure 6.
    """
    shape = RecurrentArchitecture(
        cell=CELLS["RNN"],
        activation=ACTIVATIONS["sigmoid"],
        inputs=0,
        hidden=1,
        stack=1,
        outputs=1,
        length=steps,
        first_counted=steps - 1,
    )
    theta = np.zeros((1, w.size, 1, shape.parameters))
    matrix = shape.views(theta).layers[0]
    matrix[:, 0, 0], matrix[:, 1, 0] = w.ravel(), b.ravel()
    network = RecurrentNetwork(shape, theta, 1)
    (layer,) = network.layers
    layer.h[0] = START
    with np.errstate(all="ignore"):
        network.forward()
        error = layer.h[-1] - TARGET
        layer.grad_h[-1] = 2 * error
        network.backward_from(steps)
    gradient = shape.views(network.gradient).layers[0]
    return Slope(
        np.square(error).reshape(w.shape), gradient[:, 0, 0].reshape(w.shape), gradient[:, 1, 0].reshape(w.shape)
    )


def descend(
    start: tuple[float, float], rate: float, updates: int, *, clip: str = "none", threshold: float = 1.0
) -> Array:
    """Follow gradient descent from a point (w, b), with or without clipping.

    Returns
    -------
    path : (updates + 1, 2) array
        The points, the start included; NaN from where one is not finite.
    """
    path, limit = np.full((updates + 1, 2), np.nan), CLIPPERS[clip].clip
    path[0] = start
    for update in range(updates):
        here = slope(path[update, :1], path[update, 1:])
        gradient = np.array([here.by_w, here.by_b]).reshape(1, 1, 1, 2)
        if not np.isfinite(gradient).all():
            break
        if limit is not None:
            limit(gradient, here.norm, threshold)
        path[update + 1] = path[update] - rate * gradient[0, 0, 0]
    return path
