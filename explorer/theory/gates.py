"""Gates: what is known of gradients through time without training, the gates' direct path and the plain net's bound."""

import numpy as np

from explorer.choices.activations import ACTIVATIONS
from explorer.choices.arrays import Array
from explorer.choices.recurrent_initializers import largest_singular_value


def gate_product(bias: float, steps: int | Array) -> float | Array:
    """Return what a gate with bias b, at rest, leaves of the state and of its gradient after some steps: σ(b)^steps.

    This is the direct path dc_T/dc_t of an LSTM or dh_T/dh_t of a GRU, exact where weights or inputs are 0. Hochreiter &
    Schmidhuber 1997; Gers et al. 2000.

    >>> f"{gate_product(1.0, 100):.1e}"
    '2.5e-14'
    """
    product = np.exp(-np.asarray(steps) * np.logaddexp(0.0, -bias))
    return product if isinstance(steps, np.ndarray) else float(product)


def step_bound(weights: Array, activation: str) -> float:
    """Return γ σ₁(W_hh), where γ is the activation's steepest slope: no step of a plain net lengthens dL/dh by more.

    Pascanu et al. 2013, section 2.1: below 1 the gradient must vanish; above 1 it may explode, but need not, because
    smaller slopes and rotations can still shrink it.
    """
    return ACTIVATIONS[activation].steepest * largest_singular_value(weights)
