"""Recurrent initializers: how W_hh of shape (hidden, hidden) starts, one entry each.

The number that is set, `strength`, is what the entry's name says: the radius
of the circle of eigenvalues, the largest singular value, ... Every gate's W_hh
is drawn by itself.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explorer.choices.activations import ACTIVATIONS
from explorer.choices.arrays import Array
from explorer.choices.initializers import INITIALIZERS
from explorer.choices.registry import Entry, registry


@dataclass(frozen=True, kw_only=True)
class RecurrentInitializer(Entry):
    """A rule for the first W_hh."""

    # `draw(rng, hidden, strength)` returns W_hh of shape (hidden, hidden).
    draw: Callable[[np.random.Generator, int, float], Array]
    scales: bool = True  # Whether the strength changes anything
    decomposes: bool = False  # Whether drawing takes a decomposition of the matrix


def _scaled_to(size: Callable[[Array], float]) -> Callable[[np.random.Generator, int, float], Array]:
    """Make a rule: a Gaussian matrix, scaled so that its `size` is the strength."""

    def draw(rng: np.random.Generator, hidden: int, strength: float) -> Array:
        weights = rng.normal(size=(hidden, hidden))
        return weights * (strength / size(weights))

    return draw


def spectral_radius(weights: Array) -> float:
    """Return the size of the largest eigenvalue of a square matrix."""
    return float(np.abs(np.linalg.eigvals(weights)).max())


def largest_singular_value(weights: Array) -> float:
    """Return the largest singular value of a matrix: how much longer it can make a vector."""
    return float(np.linalg.norm(weights, 2))


def _orthogonal(rng: np.random.Generator, hidden: int, strength: float) -> Array:
    return strength * INITIALIZERS["orthogonal"].draw(rng, hidden, hidden, ACTIVATIONS["linear"])


RECURRENT_INITIALIZERS = registry(
    [
        RecurrentInitializer(
            name="scaled normal",
            caption="Independent weights; the eigenvalues fill a disc of about this radius, the largest singular value is about twice it.",
            formula="W_hh ~ N(0, s²/hidden)",
            source="Ginibre 1965; Sompolinsky et al. 1988",
            draw=lambda rng, hidden, strength: rng.normal(0.0, strength / math.sqrt(hidden), (hidden, hidden)),
        ),
        RecurrentInitializer(
            name="spectral radius",
            caption="Independent weights, scaled so that the largest eigenvalue has exactly this size.",
            formula="max |λ(W_hh)| = s",
            source="Jaeger 2001",
            draw=_scaled_to(spectral_radius),
            decomposes=True,
        ),
        RecurrentInitializer(
            name="largest singular value",
            caption="Independent weights, scaled so that no vector is made longer than this: at 1, tanh can only shrink the gradient.",
            formula="σ₁(W_hh) = s",
            source="Pascanu et al. 2013, section 2.1",
            draw=_scaled_to(largest_singular_value),
            decomposes=True,
        ),
        RecurrentInitializer(
            name="orthogonal",
            caption="All singular values alike: at 1 it turns the state without changing its length.",
            formula="W_hh = s·Q, QᵀQ = I",
            source="Saxe et al. 2014",
            draw=_orthogonal,
            decomposes=True,
        ),
        RecurrentInitializer(
            name="identity",
            caption="Every unit keeps its own state; with ReLU this is the IRNN.",
            formula="W_hh = s·I",
            source="Le et al. 2015",
            draw=lambda rng, hidden, strength: strength * np.eye(hidden),
        ),
        RecurrentInitializer(
            name="zeros",
            caption="No memory through W_hh at the start: only gates can carry anything from step to step.",
            formula="W_hh = 0",
            draw=lambda rng, hidden, strength: np.zeros((hidden, hidden)),
            scales=False,
        ),
    ]
)
