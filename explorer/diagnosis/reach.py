"""Reach: how much of a change of the state is left many steps later, and what truncation takes from the gradient.

Both look at nets as they are and change nothing in their training. A large net takes seconds, so only the first few of
many seeds are measured.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.sequences import Sequences
from explorer.choices.settings import USUAL
from explorer.diagnosis.seeds import band, logarithm
from explorer.theory.gates import gate_product, step_bound
from explorer.training.cost import estimate
from explorer.training.measures import root_sum_square
from explorer.training.recurrent_network import (
    Layer,
    RecurrentArchitecture,
    RecurrentNetwork,
    draw_recurrent_parameters,
    recurrent_architecture,
)
from explorer.training.run import Training, group_size
from explorer.training.time_measures import TIME_DIAGNOSTICS

# The seconds that a measurement may take, and the share of them for one that a rule of thumb asks for. Nanoseconds of a step of
# one seed: fixed, per element of z, and per multiply-add. Each block's way back is one product of hidden x hidden matrices; the
# singular values cost about three.
LIMIT_SECONDS, OF_A_RULE = 1.0, 0.2
PER_STEP, PER_ELEMENT, PER_MULTIPLY_ADD = 16_000, 6.0, 0.15


def state_jacobians(
    shape: RecurrentArchitecture, theta: Array, x: Array, h_0: Array | None = None, first: int = 0
) -> Array:
    """Return ds_T/ds_t of every run for t = `first` to T, where s is the state that is carried on: c of an LSTM, else h.

    All paths count: an LSTM's h_t changes with its c_t (not at t = 0, where both are given). `theta` is (1, runs, 1,
    parameters), `x` one sequence, (length, inputs), `h_0`, (hidden,), the first state, by default 0. Entry [t - first, run, i,
    j] of the result is the derivative of unit j of the last s with respect to unit i of s_t, in the top layer; NaN for a run whose
    states are not all finite.
    """
    network = RecurrentNetwork(replace(shape, truncation=0), theta, 1)
    network.x[:] = x[:, None, :, None]
    top = network.layers[-1]
    if h_0 is not None:
        top.h[0] = h_0[:, None]
    # A change of the top layer's state stays in that layer. A layer of one step visits step after step, with one copy of
    # the sequence for each unit whose derivative is wanted.
    step = Layer(replace(network.shape, length=1), top.index, top.weights, np.zeros_like(top.weights), shape.hidden)
    jacobians = np.empty((shape.length + 1 - first, len(top.weights), shape.hidden, shape.hidden))
    state = step.grad_c if shape.cell.has_c else step.grad_h
    state[1] = np.eye(shape.hidden)
    with np.errstate(all="ignore"):
        network.forward()
        for t in range(shape.length - 1, max(first, 1) - 2, -1):
            _copy_step(step, top, t)
            step.backward(first_given=1, measuring=False)
            jacobians[t + 1 - first] = state[1]  # complete only now: h's share of dL/dc comes with the step
            step.grad_h[1] = step.grad_h[0]
            step.grad_c[-1] = step.grad_c[0]
    if first == 0:
        jacobians[0] = state[0]
    # ReLU has slope 0 at NaN: finite derivatives of states that are not finite mean nothing.
    jacobians[:, ~np.isfinite(top.s).all(axis=(0, 2, 3))] = np.nan
    return jacobians


def _copy_step(step: Layer, top: Layer, t: int) -> None:
    """Copy into a layer of a single step what `top` had at step t, from 0."""
    step.s[:] = top.s[t : t + 2]
    step.z[0], step.a[0] = top.z[t], top.a[t]
    if top.shape.cell.has_c:
        step.c[:], step.squashed[0] = top.c[t : t + 2], top.squashed[t]


def reach_norms(shape: RecurrentArchitecture, theta: Array, x: Array) -> Array:
    """Return the largest singular value of `state_jacobians`, (runs, length + 1); NaN where the matrix is not finite."""
    return _norms(state_jacobians(shape, theta, x)).T


def _norms(jacobians: Array) -> Array:
    finite: NDArray[np.bool_] = np.asarray(np.isfinite(jacobians).all(axis=(-2, -1)))
    jacobians[~finite] = 0.0
    return np.where(finite, np.linalg.norm(jacobians, 2, axis=(-2, -1)), np.nan)


def seeds_measured(experiment: RecurrentExperiment, share: float = 1.0) -> int:
    """Return the number of seeds whose reach is measured: all of them, unless that would take over a second, or a `share` of it."""
    return min(max(int(share * LIMIT_SECONDS / _seconds(experiment)), 1), experiment.runs)


def _seconds(experiment: RecurrentExperiment) -> float:
    """Estimate what measuring the reach of one seed takes."""
    hidden, blocks = experiment.hidden, len(experiment.unit.blocks)
    step = PER_STEP + PER_ELEMENT * blocks * hidden**2 + PER_MULTIPLY_ADD * (blocks + 3) * hidden**3
    return 1e-9 * experiment.length * step


def state_reach(training: Training, sample: int = 0, index: int = 0) -> Array:
    """Return the norm of ds_T/ds_t for t = 0 to T at the present parameters of a recurrent training.

    It is the largest singular value: the most of a change of s_t that the last state can show; 1 at T. The shape is
    (seeds, length + 1), of the first `seeds_measured` seeds of experiment `index` and sequence `sample`; NaN where a run is
    no longer finite.
    """
    experiment = training.experiments[index]
    seeds = seeds_measured(experiment)
    theta = np.ascontiguousarray(_parameters(training, index)[:, :seeds])
    ended = np.array([ending is not None for ending in training.history(index).endings[:seeds]])
    norms = reach_norms(recurrent_architecture(experiment), theta, training.points.x[sample])
    return np.where(ended[:, None], np.nan, norms)


def _parameters(training: Training, index: int) -> Array:
    """Return the parameters of every run of one of the experiments, (1, runs, 1, parameters)."""
    rows = training.places[index]
    parts = [
        group.theta[:, max(rows.start - group.runs.start, 0) : rows.stop - group.runs.start]
        for group in training.groups_of(index)
    ]
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


@dataclass(frozen=True, eq=False)
class Cut:
    """The truncated gradient of the whole data set against the full one."""

    # RMS dL/dh_t, full and truncated, (seeds, length).
    whole: Array
    cut: Array
    share: Array  # Norm of the truncated gradient of all parameters over that of the full one, (seeds,)
    cosine: Array  # Of the angle between the two, (seeds,): 1 for the same direction
    truncation: int  # Steps of a piece
    runs: int  # Seeds of the experiment, of which the first were measured


def cut_off(training: Training, index: int = 0) -> Cut:
    """Measure what truncation takes from the gradient at the present parameters of a recurrent training.

    It measures as many of the first seeds as take about a second, and at least one.
    """
    experiment = training.experiments[index]
    seconds = estimate(experiment.but(epochs=1, batch="full", runs=1)).seconds
    seeds = min(max(int(LIMIT_SECONDS / seconds), 1), experiment.runs)
    theta, size = _parameters(training, index), group_size(experiment)
    # As many at a time as train together: more would need more memory than training did.
    parts = [
        _cut(experiment, np.ascontiguousarray(theta[:, first : min(first + size, seeds)]), training.points)
        for first in range(0, seeds, size)
    ]
    whole, cut, share, cosine = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Cut(whole, cut, share, cosine, experiment.truncation, experiment.runs)


def _cut(experiment: RecurrentExperiment, theta: Array, points: Sequences) -> tuple[Array, Array, Array, Array]:
    """Make both backward passes of some runs; return `whole`, `cut`, `share` and `cosine` of a `Cut`."""
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


BOUND, GATE = "Pascanu's bound", "gate at rest"


@dataclass(frozen=True, eq=False)
class ReachCurve:
    """How much of a change of the state is left, by distance T - t from 0 to T, for the first sequence of the data."""

    name: str
    start: Array  # Norm of ds_T/ds_t before the first update, (seeds, length + 1)
    now: Array | None  # The same at present; None before training
    theory: Array  # log10 of what theory says of the start, (length + 1,), which a float could not always hold
    # `BOUND`: no plain net can have more. `GATE`: what the gate that keeps the state leaves at rest on the direct path;
    # other paths add to it.
    theory_name: str
    runs: int  # Seeds of the experiment, of which the first were measured


def reach_curve(experiment: RecurrentExperiment, now: Array | None = None, name: str = "") -> ReachCurve:
    """Measure an experiment's reach at the start; add theory, and the present reach if `state_reach` measured it."""
    reach, log_step = _at_start(_start(experiment))
    distances = np.arange(experiment.length + 1)
    # Nothing to the power of 0 is 1.
    theory = np.where(distances == 0, 0.0, np.maximum(distances, 1) * log_step)
    kind = GATE if experiment.unit.memory_gate else BOUND
    by_distance = None if now is None else now[:, ::-1]
    return ReachCurve(name or experiment.cell, reach[:, ::-1], by_distance, theory, kind, experiment.runs)


def log_kept(experiment: RecurrentExperiment) -> float:
    """Return log10 of what is left at the end of a change of the state in the middle, before any update: median over seeds.

    What a memory task asks for comes in the first half.
    """
    return _log_kept(_start(experiment))


def _start(experiment: RecurrentExperiment) -> RecurrentExperiment:
    """Return it with defaults where the first states do not depend on it: equal starts are measured once."""
    return experiment.at_start().but(loss=USUAL, truncation=0)


@lru_cache(maxsize=64)
def _log_kept(experiment: RecurrentExperiment) -> float:
    shape, theta = _first_parameters(experiment, seeds_measured(experiment, OF_A_RULE))
    jacobians = state_jacobians(shape, theta, experiment.points().x[0], first=experiment.length // 2)
    return float(band(logarithm(_norms(jacobians[0]))).middle)


def _first_parameters(experiment: RecurrentExperiment, seeds: int) -> tuple[RecurrentArchitecture, Array]:
    """Return the net and theta before the first update, of the first seeds."""
    shape = recurrent_architecture(experiment)
    rngs = [np.random.default_rng(experiment.seed + run) for run in range(seeds)]
    return shape, draw_recurrent_parameters(shape, [experiment] * len(rngs), rngs)


@lru_cache(maxsize=64)
def _at_start(experiment: RecurrentExperiment) -> tuple[Array, float]:
    """Return the reach before the first update, and log10 of what one step leaves: of a gate at rest, or median bound."""
    shape, theta = _first_parameters(experiment, seeds_measured(experiment))
    reach = reach_norms(shape, theta, experiment.points().x[0])
    reach.flags.writeable = False
    if experiment.unit.memory_gate:
        step = gate_product(experiment.forget_bias, 1)
    else:
        step = np.median([step_bound(w, experiment.activation) for w in shape.recurrent_weights(theta)[:, -1]])
    with np.errstate(divide="ignore"):
        return reach, float(np.log10(step))
