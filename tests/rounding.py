"""Other arithmetic on one machine: what hangs on the last digit, or on eight seeds, is found here.

Another processor, BLAS or NumPy sums in another order. A training that starts one unit in the last place beside
itself is as far off as that, and where training is chaotic it ends as far off too.
"""

from dataclasses import replace

import numpy as np

from explorer.training.run import Training

# First seeds of the sets of eight for which what is said must be true: the one on screen, and others.
EIGHTS = (0, 8, 16)
UP, AS_IT_IS, DOWN = np.inf, None, -np.inf


def nudge(values, towards):
    """Move every number by one unit in the last place; exact zeros stay, and equal numbers stay equal."""
    values[:] = np.where(values == 0, 0.0, np.nextafter(values, towards))


def stir(values, rng):
    """Move every number by one unit in the last place, up or down as drawn; exact zeros and what is not finite stay."""
    up = np.where(rng.random(values.shape) < 0.5, np.inf, -np.inf)
    with np.errstate(all="ignore"):
        moved = np.nextafter(values, up)
    values[...] = np.where((values == 0) | ~np.isfinite(values), values, moved)


def stirred(training, rng):
    """Have NumPy round otherwise, as drawn: on the way through a net and back every result is stirred before it is used.

    This is what another order of sums or another exponential does at every update. Numbers moved at the start alone are
    forgotten where units saturate, and those of one direction keep the sums that cancel.
    """
    for group in training.groups:
        for network in {group.probe, group.answerer, *group.networks.values()}:
            (_stir_over_time if hasattr(network, "layers") else _stir_calls)(network, rng)
    return training


def _stir_calls(network, rng):
    def stirring(function):
        def call(*views):
            function(*views)
            stir(views[-1] if isinstance(views[-1], np.ndarray) else views[0], rng)  # normalizations work in place

        return call

    for calls in (network._forward_calls, network._backward_calls):
        calls[:] = [(stirring(function), views) for function, views in calls]


def _stir_over_time(network, rng):
    cell, forward, backward = network.shape.cell, network.forward, network.backward

    def step_forward(step):
        stir(step.z, rng)
        cell.forward(step)
        stir(step.h, rng)

    def step_backward(step, back):
        stir(step.a, rng)
        cell.backward(step, back)
        stir(step.z, rng)

    def stirred_forward():
        forward()
        stir(network.z_out, rng)

    def stirred_backward():
        stir(network.delta_out, rng)
        backward()

    for layer in network.layers:
        layer.shape = replace(layer.shape, cell=replace(cell, forward=step_forward, backward=step_backward))
    network.forward, network.backward = stirred_forward, stirred_backward


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
