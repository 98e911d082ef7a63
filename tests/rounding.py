"""Other arithmetic on one machine: what hangs on the last digit, or on eight seeds, is found here.

Another processor, BLAS or NumPy sums in another order. A training that starts one unit in the last place beside
itself is as far off as that, and where training is chaotic it ends as far off too.
"""

import numpy as np

from explorer.training.run import Training

# First seeds of the sets of eight for which what is said must be true: the one on screen, and others.
EIGHTS = (0, 8, 16)
UP, AS_IT_IS, DOWN = np.inf, None, -np.inf


def nudge(values, towards):
    """Move every number by one unit in the last place; exact zeros stay, and equal numbers stay equal."""
    values[:] = np.where(values == 0, 0.0, np.nextafter(values, towards))


def history_of(experiment, *, start=False, towards=AS_IT_IS):
    """Train an experiment, or measure its start alone, with samples and first parameters moved or as they are."""
    training = Training(experiment)
    if towards is not AS_IT_IS:
        for group in training.groups:
            nudge(group.theta, towards)
            for network in {group.probe, *group.networks.values()}:
                nudge(network.x, towards)
    training.advance(0.0 if start else float("inf"))
    return training.history()
