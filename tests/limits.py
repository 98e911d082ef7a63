"""The limit of great depth and width, against which theory, sweeps and scenarios are tested."""

import math

from explorer.choices.experiment import Experiment
from explorer.theory.layer_by_layer import hidden_variances
from explorer.theory.moments import expectations, fixed_point


def limit_factor(experiment: Experiment) -> float | None:
    """Return what a layer far from both ends of a very deep, very wide net multiplies |dL/dz| by.

    It is sqrt(chi_1) without normalization; at variance 1, sqrt(E f'^2 / Var f) under batch normalization (Yang et al. 2019)
    and sqrt(E f'^2 / E f^2) under layer normalization, derived here: in a wide layer it divides z by its standard deviation,
    which |h|^2 = n E f^2 of the layer before sets, and dL/dz by the same number. None with shortcuts, which have no such limit, and where weights have no variance.
    """
    variances = hidden_variances(experiment)
    if variances is None or experiment.skipped:
        return None
    f = experiment.activation_function
    if experiment.normalizer.axis is not None:
        m = expectations(f, 1.0)
        below = m.variance if experiment.normalizer.uses_batch else m.second
        return math.sqrt(float(m.slope_second / below))
    return math.sqrt(fixed_point(f, *variances).chi)
