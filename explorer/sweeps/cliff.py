"""The cliff: the loss of a recurrent net with a single unit over its only two parameters.

h_t = σ(w h_{t-1} + b), and the loss is (h_T - 0.7)². Where h_0 is a repelling fixed point, the loss has a wall. There the
gradient, multiplied at every step, is enormous, and an unclipped update is thrown off the wall. Net and backpropagation are
the same as everywhere else; each point is one run.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from explorer.choices.activations import ACTIVATIONS
from explorer.choices.arrays import Array
from explorer.choices.cells import CELLS
from explorer.training.recurrent_network import RecurrentArchitecture, RecurrentNetwork

STEPS, TARGET = 50, 0.7
START_FIELD = 0.5  # Pascanu's x_0
START_STATE = 1 / (1 + math.exp(-START_FIELD))  # h_0 = σ(x_0)
# Above it h_0, where it is a fixed point, repels: w h_0 (1 - h_0) > 1.
REPELS = 1 / (START_STATE * (1 - START_STATE))
# The map, always all of it: pictures of different settings can be compared; and its points.
W_SPAN, B_SPAN = (3.0, 7.0), (-4.0, -1.0)
ACROSS, UP = 161, 121
# How far from the wall, along b, its longest gradient is searched for: half the distance between the map's rows.
BESIDE = 0.0125


@dataclass(frozen=True, eq=False)
class Surface:
    """The loss surface: L, dL/dw and dL/db at some points (w, b), in arrays of the points' shape."""

    loss: Array
    by_w: Array
    by_b: Array

    @property
    def norm(self) -> Array:
        """L2 norm of the gradient."""
        return np.hypot(self.by_w, self.by_b)


class Unit:
    """Nets of one unit, side by side: one for each of a fixed number of points (w, b)."""

    def __init__(self, points: int, steps: int) -> None:
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
        theta = np.zeros((1, points, 1, shape.parameters))
        self.network = RecurrentNetwork(shape, theta, 1)
        self.matrix, self.gradient = shape.views(theta).layers[0], shape.views(self.network.gradient).layers[0]
        self.network.layers[0].h[0] = START_STATE

    def surface(self, w: Array, b: Array) -> Surface:
        """Return loss and gradient at every point; w and b have the same shape."""
        (layer,) = self.network.layers
        self.matrix[:, 0, 0], self.matrix[:, 1, 0] = w.ravel(), b.ravel()
        with np.errstate(all="ignore"):
            self.network.forward()
            error = layer.h[-1] - TARGET
            layer.grad_h[-1] = 2 * error
            self.network.backward_from(self.network.shape.length)
        loss, by_w, by_b = np.square(error), self.gradient[:, 0, 0].copy(), self.gradient[:, 1, 0].copy()
        return Surface(loss.reshape(w.shape), by_w.reshape(w.shape), by_b.reshape(w.shape))


def surface(w: Array, b: Array, steps: int = STEPS) -> Surface:
    """Return loss and gradient of the net of one unit at every point (Pascanu et al. 2013, section 2.3 and figure 6)."""
    return Unit(w.size, steps).surface(w, b)


def wall(w: Array) -> Array:
    """Return the b at which h_0 is a repelling fixed point: the wall; NaN where it does not repel.

    σ(w h_0 + b) = h_0 means w h_0 + b = x_0; an error there grows by a factor w h_0 (1 - h_0) per step.
    """
    return np.where(w > REPELS, START_FIELD - START_STATE * w, np.nan)


def _towards(far: float, points: int) -> Array:
    """Return distances to both sides, ever smaller: with many steps the wall is thinner than any grid."""
    away = np.geomspace(1e-15, far, points)
    return np.concatenate([-away[::-1], [0.0], away])


def beside_wall(w: Array, steps: int) -> Array:
    """Return the norm of the longest gradient measured within `BESIDE` of the wall in b; NaN where there is no wall.

    On the wall itself h_0 does not move, and its error is small: close beside it the gradient is longer.
    """
    longest = np.full_like(w, np.nan)
    repels = w > REPELS
    b = wall(w[repels]) + _towards(BESIDE, 60)[:, None]
    longest[repels] = surface(np.broadcast_to(w[repels], b.shape), b, steps).norm.max(axis=0)
    return longest


@dataclass(frozen=True, eq=False)
class LossMap:
    """The map: w of its columns, b of its rows, and what `surface` and `beside_wall` return there."""

    w: Array
    b: Array
    surface: Surface
    on_wall: Array


@lru_cache(maxsize=8)
def survey(steps: int) -> LossMap:
    """Measure the map."""
    w, b = np.linspace(*W_SPAN, ACROSS), np.linspace(*B_SPAN, UP)
    return LossMap(w, b, surface(*np.meshgrid(w, b), steps), beside_wall(w, steps))


@dataclass(frozen=True, eq=False)
class Section:
    """The loss along b at one w, and the norm of its longest gradient, by the number of steps."""

    w: float
    b: Array
    loss: dict[int, Array]
    longest: dict[int, float]


@lru_cache(maxsize=32)
def section(w: float, all_steps: tuple[int, ...]) -> Section:
    """Measure a section through the map, on a grid that becomes finer towards the wall."""
    b = np.linspace(*B_SPAN, 601)
    near = float(wall(np.array(w)))
    if np.isfinite(near):
        b = np.sort(np.concatenate([b, near + _towards(0.1, 120)]))
    surfaces = {steps: surface(np.full_like(b, w), b, steps) for steps in all_steps}
    loss = {steps: at.loss for steps, at in surfaces.items()}
    return Section(w, b, loss, {steps: float(at.norm.max()) for steps, at in surfaces.items()})
