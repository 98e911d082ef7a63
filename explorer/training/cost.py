"""Cost: how long an experiment would take and how much memory, before it is started.

The model is a sum of a few terms with one coefficient each. Per update of a
group of runs that share arrays there is the interpreter's work, the same
however small the net: a fixed part and a part per layer. Then comes the
arithmetic, in proportion to multiply-adds, to element-wise work and to
parameters. A record costs the same terms over the whole data set, and more.

The coefficients were fitted to 90 random experiments (all activations,
normalizations and optimizers, depth 2 to 50, width 4 to 128, 1 to 64 seeds,
batches of 1 to 1024), timed on one core of a 2020s server processor, about as
fast as a laptop's, with one BLAS thread: all updates came out within a factor
of 2, nine in ten within 1.5.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from explorer.choices.experiment import BATCHES, CONTROLS, Experiment
from explorer.training.history import record_epochs
from explorer.training.measures import DIAGNOSTICS
from explorer.training.recording import ANSWERS_FOR
from explorer.training.run import runs_that_fit

LIMIT_SECONDS = 600.0
LIMIT_BYTES = 2**30
# The start of many depths is measured in one go (`depths`), of which nobody sees a part. Measured, it takes .08 to
# .23 of what the depths take apart.
DEPTHS_SECONDS, DEPTHS_TOGETHER = 10.0, 0.2

NS = 1e-9
# Nanoseconds. First the interpreter's, for a group of runs, then the arithmetic's, for a run:
PER_UPDATE, PER_UPDATE_IN_BATCHES = 10_400, 4_800
PER_LAYER, PER_LAYER_NORMALIZED = 3_500, 19_000
PER_LAYER_AND_RUN, PER_PARAMETER, PER_MULTIPLY_ADD = 230, 1.25, 0.037
PER_ELEMENT, PER_ELEMENT_NORMALIZED = 2.0, 5.1
# A record also measures; its arrays are all kept, and no longer in the cache.
PER_RECORD, PER_LAYER_RECORDED, PER_RUN_RECORDED, PER_ELEMENT_RECORDED = 104_000, 9_000, 790, 7.0
# Activations that are much slower than the others: how many times the work on an element, and calls per layer.
SLOW = {"GELU": (12.0, 58_000), "randomized ReLU": (4.0, 0), "softplus": (4.0, 0), "SiLU": (2.0, 0), "SELU": (2.0, 0)}


@dataclass(frozen=True)
class Cost:
    """What an experiment would take.

    Attributes
    ----------
    seconds : float
        On one core of a laptop, with one BLAS thread.
    bytes : int
        Memory of records, parameters and buffers of all runs.
    updates : int
        Of each run's parameters.
    """

    seconds: float
    bytes: int
    updates: int

    @property
    def bearable(self) -> bool:
        """Whether it is within the limits."""
        return self.seconds <= LIMIT_SECONDS and self.bytes <= LIMIT_BYTES


def estimate(experiment: Experiment) -> Cost:
    """Estimate an experiment's cost; nothing is allocated or trained.

    Examples
    --------
    >>> estimate(Experiment(epochs=2000)).updates
    2000
    """
    samples = _samples(experiment)
    batch = samples if experiment.batch == "full" else min(int(experiment.batch), samples)
    batches = math.ceil(samples / batch)
    groups = math.ceil(experiment.runs / runs_that_fit(experiment.layers, experiment.width, batch))
    records = _records(experiment.epochs)
    updates = experiment.epochs * batches
    an_update = _update(experiment, samples / batches, groups, in_batches=batches > 1)
    return Cost(
        seconds=(updates * an_update + records * _record(experiment, samples, groups)) * NS,
        bytes=8 * experiment.runs * (_kept(experiment, samples, records) + _buffers(experiment, samples, batch)),
        updates=updates,
    )


def _samples(experiment: Experiment) -> int:
    """Count the points without drawing them where their number can be chosen."""
    if experiment.data is None and experiment.dataset.sized:
        return experiment.samples
    return len(experiment.points().y)


def _records(epochs: int) -> int:
    """How many records the usual schedule has."""
    return len(record_epochs(epochs))


def _update(experiment: Experiment, batch: float, groups: int, *, in_batches: bool) -> float:
    """Nanoseconds of one update of all runs."""
    layers, width, runs = experiment.layers, experiment.width, experiment.runs
    normalized = experiment.normalizer.axis is not None
    weight, calls = SLOW.get(experiment.activation, (1.0, 0))
    overhead = PER_UPDATE + in_batches * PER_UPDATE_IN_BATCHES
    overhead += layers * (PER_LAYER + normalized * PER_LAYER_NORMALIZED + calls)
    elements, parameters = width * batch, width**2 * (1 + experiment.update_rule.slots)
    arithmetic = PER_LAYER_AND_RUN + PER_MULTIPLY_ADD * 3 * width * (width + 1) * batch
    arithmetic += (PER_ELEMENT * weight + PER_ELEMENT_NORMALIZED * normalized) * elements + PER_PARAMETER * parameters
    return groups * overhead + runs * layers * arithmetic


def _record(experiment: Experiment, samples: int, groups: int) -> float:
    """Nanoseconds of one record of all runs."""
    elements = experiment.runs * experiment.layers * experiment.width * samples
    measuring = groups * (PER_RECORD + experiment.layers * PER_LAYER_RECORDED) + PER_ELEMENT_RECORDED * elements
    measuring += PER_RUN_RECORDED * experiment.runs * experiment.layers
    return measuring + _update(experiment, samples, groups, in_batches=False)


def _kept(experiment: Experiment, samples: int, records: int) -> int:
    """Numbers of the history, a run."""
    answers = samples if samples <= ANSWERS_FOR else 0
    return records * (6 + answers + len(DIAGNOSTICS) * experiment.layers)


def _buffers(experiment: Experiment, samples: int, batch: int) -> int:
    """Numbers in the arrays of parameters, of the net that trains and of those that measure, a run."""
    normalizer, random = experiment.normalizer, experiment.activation_function.random_slope is not None
    normalized, skips = normalizer.axis is not None, experiment.skip != "none"
    sizes = 1 + (samples % batch > 0)  # the last batch of an epoch may be smaller, with buffers of its own
    # h, z, dL/dz, and where they exist n and random slopes; to measure also the slopes and all ways back.
    training = 3 + normalized + random
    measuring = training + 3 + skips + normalized
    answering = 3 + normalized if normalizer.uses_batch or random else 0
    copies = 3 + experiment.update_rule.slots + sizes + bool(answering)
    elements = training * batch * sizes + (measuring + answering) * samples
    return experiment.layers * experiment.width * (elements + copies * (experiment.width + 3))


# --- beyond the limits --------------------------------------------------------------------------

CHANGES = {"epochs": "epochs", "runs": "seeds", "samples": "samples", "width": "width", "depth": "depth"}
NETWORK = ("width", "depth")
# Where no single change is enough: what to settle first, from the most to the least harmless.
MODERATE = {"batch": "full", "epochs": 20_000, "runs": 8, "samples": 256, "width": 32, "depth": 20}


def refuse(experiment: Experiment) -> str | None:
    """Return None if an experiment is within the limits, else one sentence: how large it is and what to lower.

    What is named is enough, each way alone: first the settings that only
    shorten or thin out the training, the smallest change of them leading,
    then those that make it another network.
    """
    cost = estimate(experiment)
    if cost.bearable:
        return None
    settled: dict[str, object] = {}
    for name, value in [("", None), *MODERATE.items()]:
        if name:
            settled |= _milder(experiment, name, value)
        rest = experiment.but(**settled)
        if estimate(rest).bearable:
            return _sentence(cost, [_words(settled)])
        ways = [_words({**settled, name: value}) for name, value in _single_changes(rest, settled)]
        if ways:
            return _sentence(cost, ways[:3])
    return _sentence(cost, ["lower several settings"])


def refuse_all(experiments: Sequence[Experiment]) -> str | None:
    """Return None if several experiments, each within the limits, are so together; else a sentence that says what to lower."""
    return refuse_together([estimate(experiment) for experiment in dict.fromkeys(experiments)], "depth")


def refuse_together(costs: Sequence[Cost], last: str) -> str | None:
    """Return None if costs are within the limits together; else a sentence that says to lower epochs, seeds or `last`."""
    seconds, size = sum(cost.seconds for cost in costs), sum(cost.bytes for cost in costs)
    if seconds <= LIMIT_SECONDS and size <= LIMIT_BYTES:
        return None
    would = too_much(seconds, size)
    return f"These {len(costs)} trainings together would {would} and are not started: lower epochs, seeds or {last}."


def too_much(seconds: float, size: float) -> str:
    """Say which limit so many seconds, or else so many bytes, would be beyond."""
    if seconds > LIMIT_SECONDS:
        return f"take about {_time(seconds)} (the limit is {_time(LIMIT_SECONDS)})"
    return f"need about {_memory(size)} of memory (the limit is {_memory(LIMIT_BYTES)})"


def refuse_depths(experiment: Experiment, deepest: int) -> str | None:
    """Return None if the start of all depths up to `deepest` can be measured while a viewer waits, else what to lower."""
    apart = sum(estimate(experiment.but(depth=depth, epochs=1)).seconds for depth in range(1, deepest + 1))
    seconds = DEPTHS_TOGETHER * apart
    if seconds <= DEPTHS_SECONDS:
        return None
    return (
        f"Measuring the start of {deepest} depths would take about {_time(seconds)} (the limit is "
        f"{_time(DEPTHS_SECONDS)}) and is not started: lower the greatest depth, width, samples or seeds."
    )


def _milder(experiment: Experiment, name: str, value: object) -> dict[str, object]:
    """The change of one setting to a moderate value, if that makes it cheaper."""
    changed = experiment.but(**{name: value})
    now, then = estimate(experiment), estimate(changed)
    return {name: value} if then.seconds < now.seconds or then.bytes < now.bytes else {}


def _single_changes(experiment: Experiment, settled: dict[str, object]) -> list[tuple[str, object]]:
    """Every change of a single setting that is enough; another network last, else the smallest change first."""
    found: list[tuple[bool, float, str, object]] = []
    for name in CHANGES:
        if name in settled or (name == "samples" and not experiment.dataset.sized):
            continue
        value = next((v for v in _lower(experiment, name) if _fits(experiment, name, v)), None)
        sensible = name not in NETWORK or (value is not None and value >= int(str(MODERATE[name])))
        if value is not None and sensible:
            found.append((name in NETWORK, getattr(experiment, name) / value, name, value))
    batch = next((size for size in _larger_batches(experiment) if _fits(experiment, "batch", size)), None)
    if batch is not None:
        found.append((False, math.inf, "batch", batch))
    return [(name, value) for _, _, name, value in sorted(found, key=lambda change: change[:2])]


def _fits(experiment: Experiment, name: str, value: object) -> bool:
    return estimate(experiment.but(**{name: value})).bearable


def _lower(experiment: Experiment, name: str) -> Iterator[int]:
    """The values that the widget offers below the present one, the largest first."""
    control = CONTROLS[name]
    offered = getattr(control, "marks", ()) or range(int(control.low), int(control.high) + 1)  # type: ignore[attr-defined]
    return (int(value) for value in reversed(offered) if value < getattr(experiment, name))


def _larger_batches(experiment: Experiment) -> list[str]:
    """The batch sizes above the present one, and at last the full batch."""
    if experiment.batch == "full":
        return []
    return [*(size for size in BATCHES[1:] if int(size) > int(experiment.batch)), "full"]


def _words(changes: dict[str, object]) -> str:
    """Say some changes: "epochs to 20,000 and seeds to 4"."""
    said = []
    for name, value in changes.items():
        if name == "batch":
            said.append("the batch to full" if value == "full" else f"the batch to {value} samples")
        else:
            said.append(f"{CHANGES[name]} to {value:,}")
    return " and ".join(said)


def _sentence(cost: Cost, ways: list[str]) -> str:
    return f"This training would {too_much(cost.seconds, cost.bytes)} and is not started: set {', or '.join(ways)}."


def _time(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _memory(size: float) -> str:
    return f"{size / 2**30:,.1f} GB" if size >= 2**30 else f"{size / 2**20:,.0f} MB"
