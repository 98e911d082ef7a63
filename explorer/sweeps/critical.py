"""The critical line: where, over the map of a sweep, a very deep, very wide net neither shrinks nor grows its gradient.

On it chi_1 = sigma_w^2 E f'^2 is 1: on one side gradients vanish with depth, on the other they explode (Poole et al. 2016;
Schoenholz et al. 2017). This holds in the limit of great depth and width; the gradient of a narrow net is somewhat smaller.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from explorer.choices.activations import Activation
from explorer.choices.arrays import Array
from explorer.choices.experiment import CONTROLS, Experiment
from explorer.sweeps.sweep import Sweep, Value, is_numeric
from explorer.theory.layer_by_layer import hidden_variances
from explorer.theory.moments import fixed_point

Point = tuple[Value, Value]

SCANNED = tuple(np.geomspace(0.1, 50.0, 14).tolist())  # sigma_w
HALVINGS = 13
FINE = 33


def critical_points(sweep: Sweep) -> list[Point]:
    """Return the points (value of x, value of y) at which theory's limit factor crosses 1.

    They are looked for along a numeric axis, for each value of the other one, in its order; of two such axes the one that
    meets the line more often is taken. Empty where there is no theory or no crossing.
    """
    along_y = _points(sweep.base, sweep.x, sweep.xs, sweep.y, sweep.ys)
    along_x = _points(sweep.base, sweep.y, sweep.ys, sweep.x, sweep.xs)
    return along_y if len(along_y) >= len(along_x) else [(x, y) for y, x in along_x]


def _points(base: Experiment, fixed: str, at: tuple[Value, ...], along: str, values: tuple[Value, ...]) -> list[Point]:
    if not is_numeric(along) or len(values) < 2:
        return []
    places = _fine_values(along, float(values[0]), float(values[-1]))
    points: list[Point] = []
    for value in at:
        try:
            experiments = [base.but(**{fixed: value, along: place}) for place in places]
        except ValueError:
            continue
        points += [(value, crossing) for crossing in _crossings(experiments, places)]
    return points


def _fine_values(name: str, low: float, high: float) -> Array:
    """Values of a setting from end to end, closer than its marks; ratios equal where all are positive."""
    values = np.geomspace(low, high, FINE) if low > 0 else np.linspace(low, high, FINE)
    values[0], values[-1] = low, high
    return np.unique(np.round(values)) if getattr(CONTROLS[name], "whole", False) else values


def _crossings(experiments: list[Experiment], places: Array) -> list[float]:
    """Where along `places` sigma_w passes a value at which chi_1 is 1."""
    first = experiments[0]
    variances = [known for experiment in experiments if (known := hidden_variances(experiment)) is not None]
    biases = {bias for _, bias in variances}
    # Normalization takes the weights' size out, and shortcuts have no such limit.
    if first.normalizer.axis is not None or len(variances) < len(experiments) or len(biases) > 1 or first.skipped:
        return []
    strengths = np.log([weight for weight, _ in variances]) / 2
    crossings = []
    for critical in critical_strengths(first.activation_function, biases.pop()):
        excess = strengths - math.log(critical)
        for here in np.flatnonzero(np.diff(excess > 0)):
            share = excess[here] / (excess[here] - excess[here + 1])
            crossings.append(_between(places[here], places[here + 1], share))
    return sorted(crossings)


def _between(low: float, high: float, share: float) -> float:
    # sigma_w goes with a power of gain and width, so that this is exact.
    return float(low * (high / low) ** share if low > 0 else low + share * (high - low))


@lru_cache(maxsize=128)
def critical_strengths(activation: Activation, bias_variance: float) -> tuple[float, ...]:
    """Return every sigma_w at which chi_1 is 1 and changes sides, to a relative 3e-5.

    >>> from explorer.choices.activations import ACTIVATIONS
    >>> [round(value, 3) for value in critical_strengths(ACTIVATIONS["ReLU"], 0.0)]  # He: sqrt 2
    [1.414]
    """

    def explodes(sigma: float) -> bool:
        return fixed_point(activation, sigma**2, bias_variance).chi > 1

    sides = [explodes(sigma) for sigma in SCANNED]
    return tuple(_boundary(explodes, SCANNED[here], SCANNED[here + 1]) for here in np.flatnonzero(np.diff(sides)))


def _boundary(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where a statement that holds at one of two numbers, and not at the other, changes; by geometric halving."""
    at_low = holds(low)
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if holds(middle) == at_low else (low, middle)
    return math.sqrt(low * high)
