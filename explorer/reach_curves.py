"""Reach curves: the reach of a net by distance, before the first update and as far as it is trained, beside theory's."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from explorer.reach import reach_norms, seeds_asked
from explorer.recurrent_architecture import RecurrentArchitecture, recurrent_architecture, start
from explorer.recurrent_experiment import RecurrentExperiment
from explorer.recurrent_theory import gate_product, step_bound

Array = NDArray[np.float64]

# What decides how a net starts and what it reads; the other settings say how it is trained.
OF_THE_START = (
    *("task", "length", "samples", "cell", "activation", "hidden", "stack"),
    *("initializer", "strength", "forget_bias", "runs", "seed"),
)
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
    """The experiment, its way of training left at the defaults: what starts alike is measured once."""
    return RecurrentExperiment(**{name: getattr(experiment, name) for name in OF_THE_START})


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
