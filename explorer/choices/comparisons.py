"""Recurrent comparisons: which experiments over time stand side by side, one entry each.

Each takes the present experiment and changes one setting of it, so that what
differs between the panels is that setting alone.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from explorer.choices.cells import CELLS
from explorer.choices.clipping import CLIPPERS
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.recurrent_initializers import RECURRENT_INITIALIZERS
from explorer.choices.registry import Entry, registry

# By the name of the panel.
NamedExperiments = dict[str, RecurrentExperiment]


@dataclass(frozen=True, kw_only=True)
class RecurrentComparison(Entry):
    """A way to set an experiment beside others."""

    # The setting in which they differ, whatever it is in the experiment; empty where what it is there counts too.
    changes: str = ""
    # How one of them is told of where seeds are counted, its name in the place of {}; if empty, its name and a colon.
    phrase: str = ""
    pinned: bool = False  # Whether they are the present setting, which comes last, and its baseline
    # `of(experiment, baseline)` returns experiments by name, 1 to 6 of them; the baseline may be None.
    of: Callable[[RecurrentExperiment, RecurrentExperiment | None], NamedExperiments]


def gated(experiment: RecurrentExperiment) -> RecurrentExperiment:
    """Return the experiment with a cell that has a gate for its memory: its own, else an LSTM."""
    return experiment if experiment.unit.memory_gate else experiment.but(cell="LSTM")


def _biases(experiment: RecurrentExperiment) -> NamedExperiments:
    fitting = round(math.log(experiment.length), 1)
    changed = gated(experiment)
    named = {"bias 0": 0.0, "bias 1": 1.0, f"bias ln {experiment.length} = {fitting:g}": fitting}
    return {f"{changed.cell}, {name}": changed.but(forget_bias=bias) for name, bias in named.items()}


def _truncations(experiment: RecurrentExperiment) -> NamedExperiments:
    # To cut after as many steps as there are, or more, would cut nothing.
    asked = experiment.truncation if experiment.truncation < experiment.length else 0
    steps = asked or max(experiment.length // 5, 1)
    return {
        "not cut": experiment.but(truncation=0),
        f"cut after {steps} {'step' if steps == 1 else 'steps'}": experiment.but(truncation=steps),
    }


def _clippings(experiment: RecurrentExperiment) -> NamedExperiments:
    return {
        f"clip by {name}" if clipper.limits else "no clipping": experiment.but(clip=name)
        for name, clipper in CLIPPERS.items()
    }


def with_baseline(experiment: Any, baseline: Any) -> dict[str, Any]:
    """Return a present setting and its baseline by name; the setting alone where there is none, or both are the same."""
    now = {"now": experiment}
    return now if baseline is None or baseline == experiment else {"baseline": baseline, **now}


COMPARISONS = registry(
    [
        RecurrentComparison(
            name="the three cells",
            caption="Plain RNN, LSTM and GRU, all else alike.",
            changes="cell",
            phrase="with the {}",
            of=lambda experiment, baseline: {cell: experiment.but(cell=cell) for cell in CELLS},
        ),
        RecurrentComparison(
            name="clipping",
            caption="Without clipping, clipped by value and by norm, at the threshold of the sidebar.",
            changes="clip",
            of=lambda experiment, baseline: _clippings(experiment),
        ),
        RecurrentComparison(
            name="forget bias",
            caption="The gate that keeps the state starts with a bias of 0, of 1 and of ln T; an LSTM where the cell has no gate.",
            changes="forget_bias",
            of=lambda experiment, baseline: _biases(experiment),
        ),
        RecurrentComparison(
            name="start of W_hh",
            caption="Every rule for the first recurrent weights, at the strength of the sidebar.",
            changes="initializer",
            of=lambda experiment, baseline: {name: experiment.but(initializer=name) for name in RECURRENT_INITIALIZERS},
        ),
        RecurrentComparison(
            name="truncation",
            caption="Backpropagation through all steps, and cut after some: as many as the sidebar says if that cuts anything, else a fifth of the length.",
            of=lambda experiment, baseline: _truncations(experiment),
        ),
        RecurrentComparison(
            name="baseline",
            caption="The pinned baseline and the present setting; alone where they are the same.",
            of=with_baseline,
            pinned=True,
        ),
    ]
)
