"""What a recurrent experiment would take, before it is started: `cost` for time steps.

Per update of a group of runs there is the interpreter's work, for every step
and layer; then the arithmetic: multiply-adds, element-wise work and adding up
the steps' gradients. A record costs the measuring and, with batches, a pass
over the whole data set; without, the update makes that pass anyhow. The
coefficients were fitted to 65 random experiments (2 to 50 steps, 2 to 128
units, 8 to 256 sequences, 1 to 12 seeds, 1 or 2 layers) on the processor of
`cost`: nine in ten updates came out within a factor of 1.5.
"""

import math
from collections.abc import Iterator, Sequence

from explorer.choices.recurrent_experiment import RECURRENT_CONTROLS, RecurrentExperiment
from explorer.training.cost import NS, Cost, refuse_together, too_much
from explorer.training.history import record_epochs
from explorer.training.run import recurrent_runs_that_fit
from explorer.training.time_measures import TIME_DIAGNOSTICS

# Nanoseconds; of a cell: per step and layer of a group, per element of z.
PER_CELL = {"RNN": (4_800, 4.2), "LSTM": (10_500, 8.0), "GRU": (10_100, 5.5)}
PER_UPDATE, PER_MULTIPLY_ADD, PER_PARAMETER = 20_000, 0.03, 1.0
PER_RECORD, PER_MATRIX, PER_MATRIX_CUBED, PER_ELEMENT_RECORDED, PER_PARAMETER_RECORDED = 340_000, 4_400, 2.1, 3.5, 1.2

# What may be lowered, in the order in which it is offered, and what it is called.
LOWER = {"epochs": "epochs", "runs": "seeds", "length": "length", "samples": "samples", "hidden": "hidden units"}


def estimate(experiment: RecurrentExperiment) -> Cost:
    """Estimate a recurrent experiment's cost; nothing is allocated or trained.

    Examples
    --------
    >>> estimate(RecurrentExperiment(epochs=200)).updates
    200
    """
    sizes = experiment.batch_sizes()
    records = len(record_epochs(experiment.epochs))
    groups = math.ceil(experiment.runs / recurrent_runs_that_fit(experiment))
    epoch = len(sizes) * _update(experiment, experiment.samples / len(sizes), groups)
    return Cost(
        seconds=(experiment.epochs * epoch + records * _record(experiment, groups)) * NS,
        bytes=8 * experiment.runs * (_kept(experiment, records) + _buffers(experiment, set(sizes))),
        updates=experiment.epochs * len(sizes),
    )


def _weights(experiment: RecurrentExperiment) -> int:
    """Parameters of all recurrent layers; what few inputs there are hardly counts."""
    hidden = experiment.hidden
    rows = [3 + hidden + 1] + [2 * hidden + 1] * (experiment.stack - 1)
    return sum(rows) * hidden * len(experiment.unit.blocks)


def _elements(experiment: RecurrentExperiment) -> int:
    """Numbers of z of one sequence over all steps and layers."""
    return experiment.length * experiment.stack * experiment.hidden * len(experiment.unit.blocks)


def _update(experiment: RecurrentExperiment, batch: float, groups: int) -> float:
    """Nanoseconds of one update of all runs."""
    per_step, per_element = PER_CELL[experiment.cell]
    overhead = PER_UPDATE + per_step * experiment.stack * experiment.length
    arithmetic = PER_MULTIPLY_ADD * 3 * batch + PER_PARAMETER
    arithmetic *= experiment.length * _weights(experiment)
    return groups * overhead + experiment.runs * (arithmetic + per_element * batch * _elements(experiment))


def _matrices(experiment: RecurrentExperiment) -> int:
    return experiment.stack * len(experiment.unit.recurrent)


def _record(experiment: RecurrentExperiment, groups: int) -> float:
    """Nanoseconds of one record of all runs."""
    measuring = _matrices(experiment) * (PER_MATRIX + PER_MATRIX_CUBED * experiment.hidden**3)
    measuring += PER_ELEMENT_RECORDED * experiment.samples * _elements(experiment)
    measuring += PER_PARAMETER_RECORDED * experiment.length * _weights(experiment)
    passes = _update(experiment, experiment.samples, groups) if len(experiment.batch_sizes()) > 1 else 0.0
    return groups * PER_RECORD + experiment.runs * measuring + passes


def _kept(experiment: RecurrentExperiment, records: int) -> int:
    """Numbers of the history, a run; an eigenvalue is two."""
    return records * (7 + len(TIME_DIAGNOSTICS) * experiment.length + 3 * _matrices(experiment) * experiment.hidden)


def _buffers(experiment: RecurrentExperiment, sizes: set[int]) -> int:
    """Numbers in the arrays of parameters, of the nets that train and of one that sees all samples, a run."""
    blocks = len(experiment.unit.blocks)
    # h and its row of ones, dL/dh, x; z and gates; c, dL/dc and tanh c.
    per_step = 3 + (2 * blocks if blocks > 1 else 1) + 3 * experiment.unit.has_c
    states = experiment.length * experiment.stack * experiment.hidden * per_step
    return states * sum(sizes | {experiment.samples}) + _weights(experiment) * (4 + experiment.update_rule.slots)


def refuse(experiment: RecurrentExperiment) -> str | None:
    """Return None if a recurrent experiment is within the limits, else how large it is and what alone would be enough."""
    cost = estimate(experiment)
    if cost.bearable:
        return None
    ways = list(_ways(experiment))
    advice = f"set {', or '.join(ways[:3])}" if ways else f"lower several of {', '.join(LOWER.values())}"
    return f"This training would {too_much(cost.seconds, cost.bytes)} and is not started: {advice}."


def refuse_all(experiments: Sequence[RecurrentExperiment]) -> str | None:
    """Return None if each of several experiments is within the limits, and all together are; else what to lower."""
    alone = next(filter(None, map(refuse, experiments)), None)
    return alone or refuse_together([estimate(experiment) for experiment in dict.fromkeys(experiments)], "length")


def _ways(experiment: RecurrentExperiment) -> Iterator[str]:
    """Every change of a single setting that is enough, each to the largest value on offer."""
    for name, words in LOWER.items():
        for value in reversed(RECURRENT_CONTROLS[name].marks):  # type: ignore[attr-defined]
            if value < getattr(experiment, name) and estimate(experiment.but(**{name: value})).bearable:
                yield f"{words} to {value:,}"
                break
    if experiment.batch != "full" and estimate(experiment.but(batch="full")).bearable:
        yield "the batch to full"
