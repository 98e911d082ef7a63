"""Reach: how much of a change of the state is left many steps later, and what cutting the way back takes away.

Both ask nets as they are: nothing of a training is changed. A large net takes
seconds, so that of many seeds only the first few are asked.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.sequences import Sequences
from explorer.choices.settings import USUAL
from explorer.theory.gates import gate_product, step_bound
from explorer.training.cost import estimate
from explorer.training.measures import root_sum_square
from explorer.training.recurrent_network import (
    Layer,
    RecurrentArchitecture,
    RecurrentNetwork,
    recurrent_architecture,
    start,
)
from explorer.training.run import Training, group_size
from explorer.training.time_measures import TIME_DIAGNOSTICS

# Seconds that a net may be asked for, and for its reach nanoseconds of a step of a seed: always, per element of z, and per multiply-add,
# a block on the way back being one product of hidden x hidden matrices and the singular values about three.
LIMIT_SECONDS = 1.0
PER_STEP, PER_ELEMENT, PER_MULTIPLY_ADD = 16_000, 6.0, 0.15


# --- the derivative of the last state by an earlier one -----------------------------------------


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
        Entry [t, run, i, j] is the derivative of the last s's unit j by unit i of s_t, of the top layer. NaN for a run
        whose states are not all finite.
    """
    network = RecurrentNetwork(replace(shape, truncation=0), theta, 1)
    network.x[:] = x[:, None, :, None]
    top = network.layers[-1]
    if h_0 is not None:
        top.h[0] = h_0[:, None]
    # A change of the top layer's state goes on in that layer alone. One step of it is enough, which sees step after step,
    # with as many copies of the sequence as there are units whose derivative is asked for.
    step = Layer(replace(network.shape, length=1), top.index, top.weights, np.zeros_like(top.weights), shape.hidden)
    jacobians = np.empty((shape.length + 1, len(top.weights), shape.hidden, shape.hidden))
    state = step.grad_c if shape.cell.has_c else step.grad_h
    state[1] = np.eye(shape.hidden)
    with np.errstate(all="ignore"):
        network.forward()
        for t in range(shape.length - 1, -1, -1):
            _look_at(step, top, t)
            step.backward(first_given=1, measuring=False)
            jacobians[t + 1] = state[1]  # complete only now: h's share of dL/dc comes with the step
            step.grad_h[1] = step.grad_h[0]
            step.grad_c[-1] = step.grad_c[0]
    jacobians[0] = state[0]
    # Where ReLU meets NaN its slope is 0: finite derivatives of states that are not are none.
    jacobians[:, ~np.isfinite(top.s).all(axis=(0, 2, 3))] = np.nan
    return jacobians


def _look_at(step: Layer, top: Layer, t: int) -> None:
    """Fill a layer of a single step with what `top` had at step t, from 0."""
    step.s[:] = top.s[t : t + 2]
    step.z[0], step.a[0] = top.z[t], top.a[t]
    if top.shape.cell.has_c:
        step.c[:], step.squashed[0] = top.c[t : t + 2], top.squashed[t]


def reach_norms(shape: RecurrentArchitecture, theta: Array, x: Array) -> Array:
    """Return the largest singular value of ds_T/ds_t: (runs, length + 1); NaN where the matrix is not finite.

    Parameters as of `state_jacobians`.
    """
    jacobians = state_jacobians(shape, theta, x)
    sound: NDArray[np.bool_] = np.asarray(np.isfinite(jacobians).all(axis=(-2, -1)))
    jacobians[~sound] = 0.0
    return np.where(sound, np.linalg.norm(jacobians, 2, axis=(-2, -1)), np.nan).T


def seeds_asked(experiment: RecurrentExperiment) -> int:
    """Return of how many seeds, the first ones, the reach is measured: of all, unless that would take over a second.

    Examples
    --------
    >>> seeds_asked(RecurrentExperiment(runs=64))
    64
    """
    return min(max(int(LIMIT_SECONDS / _seconds(experiment)), 1), experiment.runs)


def _seconds(experiment: RecurrentExperiment) -> float:
    """What the reach of one seed takes, roughly."""
    hidden, blocks = experiment.hidden, len(experiment.unit.blocks)
    step = PER_STEP + PER_ELEMENT * blocks * hidden**2 + PER_MULTIPLY_ADD * (blocks + 3) * hidden**3
    return 1e-9 * experiment.length * step


def state_reach(training: Training, sample: int = 0, index: int = 0) -> Array:
    """Return the norm of ds_T/ds_t by time, of a recurrent training's first `seeds_asked` runs, at their present parameters.

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
    reach : (seeds, length + 1) array
        The largest singular value of ds_T/ds_t, for t = 0 to T: how much of a change of s_t the last state can
        show at most. At T it is 1. NaN where a run has become non-finite.
    """
    experiment = training.experiments[index]
    seeds = seeds_asked(experiment)
    theta = np.ascontiguousarray(_parameters(training, index)[:, :seeds])
    ended = np.array([ending is not None for ending in training.history(index).endings[:seeds]])
    norms = reach_norms(recurrent_architecture(experiment), theta, training.points.x[sample])
    return np.where(ended[:, None], np.nan, norms)


def _parameters(training: Training, index: int) -> Array:
    """Every run's parameters of one of the experiments, side by side: (1, runs, 1, parameters)."""
    rows = training.places[index]
    found = [
        group.theta[:, max(rows.start - group.runs.start, 0) : rows.stop - group.runs.start]
        for group in training.groups_of(index)
    ]
    return np.ascontiguousarray(np.concatenate(found, axis=1))


# --- what a cut takes away ----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Cut:
    """The gradient with the way back cut, against the whole one, of the whole data set.

    Attributes
    ----------
    whole, cut : (seeds, length) arrays
        RMS dL/dh_t, not cut and cut.
    share : (seeds,) array
        Norm of the cut gradient of all parameters over that of the whole one.
    cosine : (seeds,) array
        Of the angle between the two: 1, the same direction.
    truncation : int
        Steps of a piece.
    runs : int
        Seeds of the experiment, of which the first were asked.
    """

    whole: Array
    cut: Array
    share: Array
    cosine: Array
    truncation: int
    runs: int


def cut_off(training: Training, index: int = 0) -> Cut:
    """Measure what truncation takes from the gradient of a recurrent training at its present parameters.

    Of as many seeds, the first ones, as can be asked in about a second, and of one at least.
    """
    experiment = training.experiments[index]
    seconds = estimate(experiment.but(epochs=1, batch="full", runs=1)).seconds
    seeds = min(max(int(LIMIT_SECONDS / seconds), 1), experiment.runs)
    theta, size = _parameters(training, index), group_size(experiment)
    # As many at a time as train together: more would need more memory than the training.
    parts = [
        _cut(experiment, np.ascontiguousarray(theta[:, first : min(first + size, seeds)]), training.points)
        for first in range(0, seeds, size)
    ]
    whole, cut, share, cosine = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Cut(whole, cut, share, cosine, experiment.truncation, experiment.runs)


def _cut(experiment: RecurrentExperiment, theta: Array, points: Sequences) -> tuple[Array, Array, Array, Array]:
    """Both backward passes of some runs: `whole`, `cut`, `share` and `cosine` of a `Cut`."""
    gradients, states = [], []
    for truncation in (0, experiment.truncation):
        shape = replace(recurrent_architecture(experiment), truncation=truncation)
        network = RecurrentNetwork(shape, theta, len(points.y))
        network.x[:] = points.x.transpose(1, 2, 0)[:, None]
        target = points.y.transpose(1, 2, 0).reshape(1, -1, network.samples)
        with np.errstate(all="ignore"):
            network.forward()
            experiment.loss_function.delta(network.z_out, target, experiment.output, network.delta_out)
            network.backward()
            states.append(TIME_DIAGNOSTICS["state_gradient"].measure(network).T)
        gradients.append(network.gradient[0, :, 0])
    norms = [root_sum_square(gradient, -1) for gradient in gradients]
    with np.errstate(all="ignore"):
        unit = [gradient / norm[:, None] for gradient, norm in zip(gradients, norms, strict=True)]
        return states[0], states[1], norms[1] / norms[0], np.vecdot(unit[0], unit[1])


# --- Reach curves: the reach of a net by distance, before the first update and as far as it is trained, beside theory's ---


# What decides how a net starts and what it reads; the other settings say how it is trained.
BOUND, GATE = "Pascanu's bound", "gate at rest"


@dataclass(frozen=True, eq=False)
class ReachCurve:
    """How much of a change of the state is left, by distance T - t from 0 to T, of the first sequence of the data.

    Attributes
    ----------
    name : str
    start : (seeds, length + 1) array
        Norm of ds_T/ds_t before the first update.
    now : (seeds, length + 1) array or None
        The same as far as it is trained; None as long as nothing is.
    theory : (length + 1,) array
        log10 of what theory says of the start: it may be smaller or larger than a number can be.
    theory_name : str
        `BOUND`: no net of the plain kind can have more. `GATE`: what the gate that keeps the state leaves at
        rest, on the direct path alone; other ways add to it.
    runs : int
        Seeds of the experiment, of which the first were asked.
    """

    name: str
    start: Array
    now: Array | None
    theory: Array
    theory_name: str
    runs: int


def reach_curve(experiment: RecurrentExperiment, now: Array | None = None, name: str = "") -> ReachCurve:
    """Measure an experiment's reach at the start, and set beside it theory and what it is now.

    Parameters
    ----------
    experiment : RecurrentExperiment
    now : (seeds, length + 1) array, optional
        By time, as `state_reach` returns it.
    name : str
        What the curve is called; else as the cell.
    """
    reach, log_step = _at_start(_start_of(experiment))
    distances = np.arange(experiment.length + 1)
    # Nothing to the power of 0 is 1.
    theory = np.where(distances == 0, 0.0, np.maximum(distances, 1) * log_step)
    kind = GATE if experiment.unit.memory_gate else BOUND
    by_distance = None if now is None else now[:, ::-1]
    return ReachCurve(name or experiment.cell, reach[:, ::-1], by_distance, theory, kind, experiment.runs)


def reach_at_start(experiment: RecurrentExperiment) -> Array:
    """Return the norm of ds_T/ds_t by time before the first update, as `state_reach` does of a training; read-only."""
    return _at_start(_start_of(experiment))[0]


def _start_of(experiment: RecurrentExperiment) -> RecurrentExperiment:
    """The experiment with defaults where the first states do not depend on it: what starts alike is measured once."""
    return experiment.at_start().but(loss=USUAL, truncation=0)


@lru_cache(maxsize=64)
def _at_start(experiment: RecurrentExperiment) -> tuple[Array, float]:
    """The reach before the first update, and log10 of what theory says of one step."""
    shape = recurrent_architecture(experiment)
    rngs = [np.random.default_rng(experiment.seed + run) for run in range(seeds_asked(experiment))]
    theta = start(shape, experiment.initialization, experiment.strength, experiment.forget_bias, rngs)
    reach = reach_norms(shape, theta, experiment.points().x[0])
    reach.flags.writeable = False
    with np.errstate(divide="ignore"):
        return reach, float(np.log10(_one_step(experiment, shape, theta)))


def _one_step(experiment: RecurrentExperiment, shape: RecurrentArchitecture, theta: Array) -> float | Array:
    """What theory says that one step leaves: the gate at rest, or the median over seeds of the bound."""
    if experiment.unit.memory_gate:
        return gate_product(experiment.forget_bias, 1)
    top = shape.recurrent_weights(theta)[:, -1]
    return np.median([step_bound(weights, experiment.activation) for weights in top])
