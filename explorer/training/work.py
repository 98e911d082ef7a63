"""Work: how much there is to do in setting an experiment up, in an epoch and at a record, by the terms that have a price.

A term is a name and how often it is paid for. What the interpreter does is the same however small a net is: of each group
of runs that share arrays, or of each run, and of every layer or time step. The arithmetic grows with what it is done on:
samples, units, weights. The terms of the compiled kernels are those of their loops. What an activation or a cell takes
stands in its entry.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from explorer.choices.experiment import SHUFFLED, Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.training.compiled import group_for, runs_abreast
from explorer.training.group import Group
from explorer.training.recurrent_group import RecurrentGroup

Terms = Mapping[str, float]


class Work(NamedTuple):
    """What is to be done, of all runs together."""

    compiled: bool  # Whether kernels do it
    set_up: Terms  # Once
    epoch: Terms
    record: Terms  # Without the update that is made at one
    again: Terms  # Passes that a record makes for itself, at the prices of an epoch


def _ordered(experiment: Experiment | RecurrentExperiment, updates: int) -> Terms:
    """What it takes to draw the order of the samples in an epoch of so many updates."""
    drawn = experiment.runs * (updates > 1 and experiment.order == SHUFFLED)
    return {"order": drawn, "sample in order": drawn * experiment.sample_count}


# --- layers -------------------------------------------------------------------------------------


def layered_work(experiment: Experiment) -> Work:
    """Return what there is to do for a net of layers."""
    compiled = group_for(Group, [experiment]) is not Group
    alone, abreast = _calls(experiment) if compiled else (0, 0)
    epoch = _looped(experiment, alone, abreast) if compiled else _passes(experiment)
    # The runs of a group that go alone share a call.
    calls = abreast + min(alone, _groups(experiment))
    record = {**_measured(experiment, compiled), "call of a kernel": calls}
    epoch = {**epoch, **_ordered(experiment, len(experiment.batch_sizes()))}
    return Work(compiled, _set_up(experiment), epoch, record, {})


def _groups(experiment: Experiment) -> int:
    return math.ceil(experiment.runs / Group.size(experiment))


def _calls(experiment: Experiment) -> tuple[int, int]:
    """Return how many runs have a call of a kernel alone, and how many calls take several abreast."""
    groups, rest = divmod(experiment.runs, Group.size(experiment))
    abreast = runs_abreast(experiment)
    whole, last = abreast.shared_out(Group.size(experiment)), abreast.shared_out(rest)
    return groups * whole[0] + last[0], groups * whole[1] + last[1]


def weight_rows(experiment: Experiment) -> int:
    """Rows for W of every layer, as `Architecture.weight_rows` counts them; no data are drawn."""
    return max(experiment.hidden_fan, experiment.dataset.inputs if experiment.places == 1 else 0)


def _parameters(experiment: Experiment) -> int:
    """Numbers of theta, padding included, of a run."""
    return experiment.layers * experiment.width * (weight_rows(experiment) + 1)


def _numbers(experiment: Experiment) -> int:
    """Numbers of z of all layers and runs, of all samples at all places."""
    return experiment.runs * experiment.layers * experiment.width * experiment.places * experiment.sample_count


def _passes(experiment: Experiment) -> Terms:
    """An epoch in NumPy."""
    sizes, groups = experiment.batch_sizes(), _groups(experiment)
    updates, activation = len(sizes), experiment.activation_function
    layers = updates * groups * experiment.layers
    numbers = _numbers(experiment)
    parameters = updates * experiment.runs * _parameters(experiment)
    normalized = experiment.normalizer.axis is not None
    return {
        "update": updates * groups,
        "batch": updates * groups * (updates > 1),
        "layer": layers,
        "normalized layer": layers * normalized,
        "function's call": layers * activation.call_cost,
        "layer of a run": updates * experiment.runs * experiment.layers,
        "number": numbers,
        "normalized number": numbers * normalized,
        "skipped number": numbers * bool(experiment.skipped),
        "number seen from beside": numbers * (len(experiment.layer_kind.taps) - 1),
        "function": numbers * activation.element_cost,
        "product": 3 * numbers * (weight_rows(experiment) + 1),
        "parameter": parameters,
        "moment": parameters * experiment.update_rule.slots,
    }


def _looped(experiment: Experiment, alone: int, abreast: int) -> Terms:
    """An epoch in compiled loops."""
    updates, activation = len(experiment.batch_sizes()), experiment.activation_function
    layers, width = updates * experiment.layers, experiment.width
    numbers = experiment.layers * width * experiment.sample_count
    # Kernels leave the padding of the first and the last layer out of their products.
    weights = (experiment.depth - 1) * width * (width + 1) + 4 * width
    moments = updates * _parameters(experiment) * experiment.update_rule.slots
    normalized = experiment.normalizer.axis is not None
    return {
        "update": alone * updates,
        "layer": alone * layers,
        "unit": alone * layers * width,
        "weight": alone * updates * weights,
        "parameter": alone * updates * _parameters(experiment),
        "moment": alone * moments,
        "number": alone * numbers,
        "normalized layer": alone * layers * normalized,
        "normalized number": alone * numbers * normalized,
        "function": alone * numbers * activation.compiled_cost,
        "product": alone * 3 * weights * experiment.sample_count,
        "update abreast": abreast * updates,
        "layer abreast": abreast * layers,
        "parameter abreast": abreast * updates * _parameters(experiment),
        "moment abreast": abreast * moments,
        "number abreast": abreast * numbers,
        "normalized layer abreast": abreast * layers * normalized,
        "function abreast": abreast * numbers * activation.compiled_cost,
        "product abreast": abreast * 3 * weights * experiment.sample_count,
    }


def _measured(experiment: Experiment, compiled: bool) -> Terms:
    """A record."""
    activation, normalizer = experiment.activation_function, experiment.normalizer
    layers = _groups(experiment) * experiment.layers
    numbers = _numbers(experiment)
    normalized = normalizer.axis is not None
    answered_apart = normalizer.uses_batch or activation.random_slope is not None
    return {
        "record": _groups(experiment),
        "layer": layers,
        "normalized layer": layers * normalized,
        "function's call": layers * activation.call_cost,
        "run": experiment.runs,
        "layer of a run": experiment.runs * experiment.layers,
        "number": numbers,
        "normalized number": numbers * normalized,
        "answered number": numbers * answered_apart,
        "function": numbers * (activation.compiled_cost if compiled else activation.element_cost),
        "product": 3 * numbers * (weight_rows(experiment) + 1),
        "parameter": experiment.runs * _parameters(experiment),
    }


def _set_up(experiment: Experiment) -> Terms:
    """First parameters, networks and their arrays."""
    sizes, runs, width = experiment.batch_sizes(), experiment.runs, experiment.width
    networks = len(set(sizes)) + 1
    samples = experiment.places * (max(sizes) * len(set(sizes)) + 2 * experiment.sample_count)
    return {
        "group": _groups(experiment),
        "layer": _groups(experiment) * experiment.layers * networks,
        "run": runs,
        "layer of a run": runs * experiment.layers,
        "parameter": runs * _parameters(experiment),
        "number": runs * experiment.layers * width * samples,
        "matrix at right angles": runs * experiment.layers * experiment.initialization.orthogonal,
        "cubed": runs * experiment.layers * width**3 * experiment.initialization.orthogonal,
    }


# --- time steps ---------------------------------------------------------------------------------


def recurrent_work(experiment: RecurrentExperiment) -> Work:
    """Return what there is to do for a net of time steps."""
    compiled = group_for(RecurrentGroup, [experiment]) is not RecurrentGroup
    updates = len(experiment.batch_sizes())
    passes = _through_time(experiment, updates, compiled)
    parameters = updates * experiment.runs * recurrent_weights(experiment)
    groups = math.ceil(experiment.runs / RecurrentGroup.size(experiment))
    epoch = {
        **passes,
        **_ordered(experiment, updates),
        "update": updates * groups,
        "parameter": parameters,
        "moment": parameters * experiment.update_rule.slots,
        # Copied for every batch.
        "input": experiment.runs * experiment.samples * experiment.length * (updates > 1),
    }
    # With a full batch the update passes over all samples in any case.
    again = _through_time(experiment, 1, compiled) if updates > 1 else {}
    return Work(compiled, _set_up_steps(experiment, groups), epoch, _measured_steps(experiment, groups), again)


def recurrent_weights(experiment: RecurrentExperiment) -> int:
    """Parameters of all recurrent layers; the few inputs hardly count."""
    hidden = experiment.hidden
    rows = [3 + hidden + 1] + [2 * hidden + 1] * (experiment.stack - 1)
    return sum(rows) * hidden * len(experiment.unit.blocks)


def _elements(experiment: RecurrentExperiment) -> int:
    """Numbers of z of one sequence over all steps and layers."""
    return experiment.length * experiment.stack * experiment.hidden * len(experiment.unit.blocks)


def _matrices(experiment: RecurrentExperiment) -> int:
    """How many W_hh there are."""
    return experiment.stack * len(experiment.unit.recurrent)


def _through_time(experiment: RecurrentExperiment, updates: int, compiled: bool) -> dict[str, float]:
    """The two passes over all sequences, in so many batches."""
    cell, runs = experiment.unit, experiment.runs
    groups = math.ceil(runs / RecurrentGroup.size(experiment))
    steps = updates * experiment.length * experiment.stack
    weights = runs * experiment.length * recurrent_weights(experiment)
    numbers = runs * experiment.samples * _elements(experiment)
    # A plain cell's one activation; gates and candidates are the cell's own.
    plain = not cell.memory_gate
    function = experiment.activation_function
    return {
        "run in passes": updates * runs,
        "step of a run": steps * runs * (cell.compiled_call_cost if compiled else len(cell.blocks)),
        "step": 0 if compiled else steps * groups * (cell.call_cost + plain * function.call_cost),
        "weight in a step": updates * weights,
        "product": 3 * experiment.samples * weights,
        "cell's number": numbers * (cell.compiled_element_cost if compiled else cell.element_cost),
        "function": plain * numbers * (function.compiled_cost if compiled else function.element_cost),
    }


def _measured_steps(experiment: RecurrentExperiment, groups: int) -> Terms:
    """A record beyond its passes."""
    steps, runs, hidden = experiment.length * experiment.stack, experiment.runs, experiment.hidden
    return {
        "record": groups,
        "layer": groups * experiment.stack,
        "measured step": groups * steps,
        "measured step of a run": runs * steps,
        "state": runs * steps * hidden * experiment.samples,
        "measured number": runs * experiment.samples * _elements(experiment),
        "measured weight": runs * experiment.length * recurrent_weights(experiment),
        "counted number": runs * math.prod(RecurrentGroup.z_counted(experiment)),
        "matrix": runs * _matrices(experiment),
        "squared": runs * _matrices(experiment) * hidden**2,
        "cubed": runs * _matrices(experiment) * hidden**3,
    }


def _set_up_steps(experiment: RecurrentExperiment, groups: int) -> Terms:
    """First parameters, networks and their arrays."""
    sizes, runs = {*experiment.batch_sizes(), experiment.samples}, experiment.runs
    matrices = runs * experiment.stack * len(experiment.unit.blocks)
    return {
        "group": groups,
        "step": groups * experiment.length * experiment.stack * len(sizes),
        "run": runs,
        "matrix": matrices,
        "parameter": runs * recurrent_weights(experiment),
        "number": runs * _elements(experiment) * sum(sizes),
        "cubed": matrices * experiment.hidden**3 * experiment.initialization.decomposes,
    }
