"""Optimizers: from a gradient to the step that is subtracted, one entry each.

All parameters of all runs lie in one array, so an optimizer is a handful of
whole-array operations, written into arrays that were made beforehand.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.registry import Entry, registry


@dataclass(frozen=True, kw_only=True)
class Optimizer(Entry):
    """An update rule."""

    slots: int  # How many arrays of the parameters' shape it remembers (moments)
    # How many times as far as plain gradient descent it goes along a gradient that stays as it is.
    lengthens: float = 1.0
    torch: str = ""  # The same in PyTorch, with {rate}; `net` is the net
    rescales: bool = False  # Whether a step's size is the learning rate, however large the gradient is
    # `step(gradient, moments, rate, t, out)` writes the step to subtract into `out`. `rate` is the learning rate, a
    # number or an array that broadcasts; `t` counts updates from 1. The gradient may not be changed.
    step: Callable[[Array, Array, float | Array, int, Array], None]


MOMENTUM = 0.9
ADAM_BETAS, ADAM_EPSILON = (0.9, 0.999), 1e-7
RMSPROP_DECAY, RMSPROP_EPSILON = 0.9, 1e-8


def _sgd(gradient: Array, moments: Array, rate: float | Array, t: int, out: Array) -> None:
    np.multiply(gradient, rate, out)


def _momentum(gradient: Array, moments: Array, rate: float | Array, t: int, out: Array) -> None:
    (velocity,) = moments
    np.multiply(velocity, MOMENTUM, velocity)
    np.add(velocity, gradient, velocity)
    np.multiply(velocity, rate, out)


def _nesterov(gradient: Array, moments: Array, rate: float | Array, t: int, out: Array) -> None:
    (velocity,) = moments
    np.multiply(velocity, MOMENTUM, velocity)
    np.add(velocity, gradient, velocity)
    np.multiply(velocity, MOMENTUM, out)
    np.add(out, gradient, out)
    np.multiply(out, rate, out)


def _rmsprop(gradient: Array, moments: Array, rate: float | Array, t: int, out: Array) -> None:
    (square,) = moments
    np.multiply(gradient, gradient, out)
    np.multiply(out, 1 - RMSPROP_DECAY, out)
    np.multiply(square, RMSPROP_DECAY, square)
    np.add(square, out, square)
    np.sqrt(square, out)
    np.add(out, RMSPROP_EPSILON, out)
    np.divide(gradient, out, out)
    np.multiply(out, rate, out)


def _adam(gradient: Array, moments: Array, rate: float | Array, t: int, out: Array) -> None:
    # m_hat / (sqrt(v_hat) + eps) with both bias corrections moved into two scalars.
    mean, square = moments
    beta1, beta2 = ADAM_BETAS
    root = (1 - beta2**t) ** 0.5
    np.multiply(gradient, 1 - beta1, out)
    np.multiply(mean, beta1, mean)
    np.add(mean, out, mean)
    np.multiply(gradient, gradient, out)
    np.multiply(out, 1 - beta2, out)
    np.multiply(square, beta2, square)
    np.add(square, out, square)
    np.sqrt(square, out)
    np.add(out, ADAM_EPSILON * root, out)
    np.divide(mean, out, out)
    np.multiply(out, rate * (root / (1 - beta1**t)), out)


OPTIMIZERS = registry(
    [
        Optimizer(
            name="SGD",
            torch="torch.optim.SGD(net.parameters(), lr={rate})",
            caption="Plain gradient descent: a step is the learning rate times the gradient.",
            formula="θ ← θ - η·g",
            slots=0,
            step=_sgd,
        ),
        Optimizer(
            name="momentum",
            torch="torch.optim.SGD(net.parameters(), lr={rate}, momentum=0.9)",
            caption="Keeps 0.9 of the last step, so steps in one direction add up.",
            formula="v ← 0.9·v + g;  θ ← θ - η·v",
            source="Polyak 1964; Sutskever et al. 2013",
            slots=1,
            lengthens=1 / (1 - MOMENTUM),
            step=_momentum,
        ),
        Optimizer(
            name="Nesterov",
            torch="torch.optim.SGD(net.parameters(), lr={rate}, momentum=0.9, nesterov=True)",
            caption="Momentum that looks one step ahead.",
            formula="v ← 0.9·v + g;  θ ← θ - η·(g + 0.9·v)",
            source="Nesterov 1983; in the form of Bengio et al. 2013",
            slots=1,
            lengthens=1 / (1 - MOMENTUM),
            step=_nesterov,
        ),
        Optimizer(
            name="RMSprop",
            torch="torch.optim.RMSprop(net.parameters(), lr={rate}, alpha=0.9, eps=1e-8)",
            caption="Divides each entry of the gradient by its own recent size.",
            formula="s ← 0.9·s + 0.1·g²;  θ ← θ - η·g / (√s + 1e-8)",
            source="Tieleman & Hinton 2012",
            slots=1,
            rescales=True,
            step=_rmsprop,
        ),
        Optimizer(
            name="Adam",
            torch="torch.optim.Adam(net.parameters(), lr={rate}, eps=1e-7)",
            caption="RMSprop with momentum: small gradients are scaled up, as long as they are well above its 1e-7.",
            formula="θ ← θ - η·m̂ / (√v̂ + 1e-7);  β = 0.9, 0.999",
            source="Kingma & Ba 2015, algorithm 1; 1e-7 as in Keras",
            slots=2,
            rescales=True,
            step=_adam,
        ),
    ]
)
