"""Reach: how much of a change of the state is left many steps later, and what cutting the way back takes away.

Both ask a training as it is now: nothing of it is changed.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from explorer.diagnostics import root_sum_square
from explorer.recurrent import RecurrentNetwork
from explorer.recurrent_architecture import RecurrentArchitecture, recurrent_architecture
from explorer.time_diagnostics import TIME_DIAGNOSTICS
from explorer.training import Training

Array = NDArray[np.float64]


def state_jacobians(shape: RecurrentArchitecture, theta: Array, x: Array, h_0: Array | None = None) -> Array:
    """Return ds_T/ds_t of every run for t = 0 to T, s being the state that is carried on: c of an LSTM, else h.

    All ways count: with an LSTM's c_t its h_t changes too (not at t = 0, where both are given).

    Parameters
    ----------
    shape : RecurrentArchitecture
    theta : (1, runs, 1, parameters) array
    x : (length, inputs) array
        One sequence.
    h_0 : (hidden,) array, optional
        Where the state starts; 0 if it is not given.

    Returns
    -------
    jacobians : (length + 1, runs, hidden, hidden) array
        Entry [t, run, i, j] is the derivative of the last s's unit j by unit i of s_t, of the top layer.
    """
    # One copy of the sequence for every unit of the last state, whose derivative is asked for.
    network = RecurrentNetwork(replace(shape, truncation=0), theta, shape.hidden)
    network.x[:] = x[:, None, :, None]
    top = network.layers[-1]
    if h_0 is not None:
        top.h[0] = h_0[:, None]
    with np.errstate(all="ignore"):
        network.forward()
        state = top.grad_c if shape.cell.has_c else top.grad_h
        state[-1] = np.eye(shape.hidden)
        network.backward_from(shape.length)
    return state


def state_reach(training: Training, sample: int = 0, index: int = 0) -> Array:
    """Return the norm of ds_T/ds_t by time, of every run of a recurrent training, at its present parameters.

    Parameters
    ----------
    training : Training
        Of a `RecurrentExperiment`.
    sample : int
        Which sequence of its data.
    index : int
        Which of its experiments.

    Returns
    -------
    reach : (runs, length + 1) array
        The largest singular value of ds_T/ds_t, for t = 0 to T: how much of a change of s_t the last state can
        show at most. At T it is 1. NaN where a run has become non-finite.
    """
    experiment = training.experiments[index]
    jacobians = state_jacobians(
        recurrent_architecture(experiment), _parameters(training, index), training.points.x[sample]
    )
    sound: NDArray[np.bool_] = np.asarray(np.isfinite(jacobians).all(axis=(-2, -1)))
    norms = np.linalg.norm(np.where(sound[..., None, None], jacobians, 0.0), 2, axis=(-2, -1))
    ended = np.array([ending is not None for ending in training.history(index).endings])
    return np.where(sound & ~ended, norms, np.nan).T


def _parameters(training: Training, index: int) -> Array:
    """Every run's parameters of one of the experiments, side by side: (1, runs, 1, parameters)."""
    rows = training.places[index]
    found = [
        group.theta[:, max(rows.start - group.runs.start, 0) : rows.stop - group.runs.start]
        for group in training.groups_of(index)
    ]
    return np.ascontiguousarray(np.concatenate(found, axis=1))


@dataclass(frozen=True, eq=False)
class Cut:
    """The gradient with the way back cut, against the whole one, of the whole data set.

    Attributes
    ----------
    whole, cut : (runs, length) arrays
        RMS dL/dh_t, not cut and cut.
    share : (runs,) array
        Norm of the cut gradient of all parameters over that of the whole one.
    cosine : (runs,) array
        Of the angle between the two: 1, the same direction.
    """

    whole: Array
    cut: Array
    share: Array
    cosine: Array


def cut_off(training: Training, index: int = 0) -> Cut:
    """Measure what truncation takes from the gradient of a recurrent training at its present parameters."""
    experiment, theta = training.experiments[index], _parameters(training, index)
    gradients, states = [], []
    for truncation in (0, experiment.truncation):
        shape = replace(recurrent_architecture(experiment), truncation=truncation)
        network = RecurrentNetwork(shape, theta, len(training.points.y))
        network.x[:] = training.points.x.transpose(1, 2, 0)[:, None]
        target = training.points.y.transpose(1, 2, 0).reshape(1, -1, network.samples)
        with np.errstate(all="ignore"):
            network.forward()
            experiment.loss_function.delta(network.z_out, target, experiment.output, network.delta_out)
            network.backward()
            states.append(TIME_DIAGNOSTICS["state_gradient"].measure(network).T)
        gradients.append(network.gradient[0, :, 0])
    norms = [root_sum_square(gradient, -1) for gradient in gradients]
    with np.errstate(all="ignore"):
        unit = [gradient / norm[:, None] for gradient, norm in zip(gradients, norms, strict=True)]
        return Cut(states[0], states[1], norms[1] / norms[0], np.vecdot(unit[0], unit[1]))
