"""By depth: one experiment at every depth, what is known of it at the start and after training, and in words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.choices.experiment import CONTROLS, Experiment
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.seeds import Band, band, log_band, logarithm
from explorer.sweeps.chunks import refuse_cells
from explorer.sweeps.outcomes import Finding
from explorer.sweeps.sweep import Sweep
from explorer.theory.prediction import log_factor
from explorer.training.all_depths import gradients_by_depth
from explorer.training.cost import UP_TO_DEPTH

UNCHANGED = "as it is"


def depth_sweep(experiment: Experiment, deepest: int) -> Sweep:
    """Return the sweep over depths 1 to `deepest`: one row, whose width is the experiment's."""
    return Sweep(experiment, "depth", tuple(range(1, deepest + 1)), "width", (experiment.width,), trained=True)


def refuse_depth_sweep(sweep: Sweep) -> str | None:
    """Return None if every depth can be trained in a bearable time, else one sentence: how long it takes, what to lower."""
    deepest = len(sweep.xs)
    smaller = ((depth_sweep(sweep.base, to), f"set “{UP_TO_DEPTH}” to {to}") for to in range(deepest - 1, 1, -1))
    return refuse_cells(sweep, f"Training nets of depth 1 to {deepest}", smaller)


def with_remedy(experiment: Experiment, name: str) -> Experiment:
    """Apply a remedy as to a deep net: a shortcut needs a few layers, and where the net has too few, deeper ones have it."""
    deep = experiment.but(depth=int(CONTROLS["depth"].high))  # type: ignore[attr-defined]
    return REMEDIES[name].change(deep).but(depth=experiment.depth)


@dataclass(frozen=True, eq=False)
class DepthStart:
    """What is known of every depth before training; all values are log10."""

    # (depths, layers): median over seeds of the gradient of every layer; NaN beyond the net's last.
    medians: dict[str, Array]
    factor: Band  # (depths,): what each hidden layer multiplies dL/dz by; NaN of a single one
    theory: Array  # (depths,): the same by theory; NaN where it says nothing


@lru_cache(maxsize=16)
def depth_start(experiment: Experiment, deepest: int) -> DepthStart:
    """Measure nets of depth 1 to `deepest` at the start."""
    measured = gradients_by_depth(experiment, range(1, deepest + 1))
    rows = np.arange(deepest)
    medians = {name: log_band(getattr(measured, name)).middle for name in ("delta", "weight_gradient")}
    logs = logarithm(measured.delta)
    steps = measured.depths - 1  # From the last hidden layer to the first
    with np.errstate(invalid="ignore"):
        ratio = logs[:, rows, 0] - logs[:, rows, steps]
    factor = band(np.where(logs[:, rows, 0] == -np.inf, -np.inf, ratio) / np.maximum(steps, 1))
    factor = Band(*(np.where(steps > 0, part, np.nan) for part in (factor.low, factor.middle, factor.high)))
    theory = np.array([log_factor(experiment.but(depth=depth)) for depth in measured.depths.tolist()])
    return DepthStart(medians, factor, theory)


@dataclass(frozen=True, eq=False)
class DepthSeries:
    """One experiment at depths 1 to `deepest`."""

    name: str
    experiment: Experiment  # Its own depth plays no part
    deepest: int
    findings: Mapping[int, Finding] | None = None  # What training found so far; None where nothing is to be trained
    complete: bool = False  # Whether every depth is trained to its end

    @property
    def depths(self) -> NDArray[np.int64]:
        """Every depth."""
        return np.arange(1, self.deepest + 1)

    @property
    def known(self) -> Mapping[int, Finding]:
        """What training found so far; empty where nothing is to be trained."""
        return self.findings or {}

    @property
    def learnt(self) -> dict[int, tuple[int, int]]:
        """By depth how many seeds learn, and of how many."""
        return {depth: (finding.solved, finding.runs) for depth, finding in self.known.items()}

    @property
    def start(self) -> DepthStart:
        """What is known before training; measured once."""
        return depth_start(self.experiment, self.deepest)

    def end(self, measure: str) -> Array:
        """Return the median gradient of every layer after training, log10, (depths, layers); NaN where it is not known."""
        values = np.full((self.deepest, self.deepest + 1), math.nan)
        for depth, finding in self.known.items():
            values[depth - 1, : depth + 1] = finding.end[measure]
        return values

    @property
    def factor_end(self) -> Array | None:
        """What each layer multiplies dL/dz by after training, log10, by depth; None where nothing is to be trained."""
        if self.findings is None:
            return None
        values = np.full(self.deepest, math.nan)
        for depth, finding in self.findings.items():
            values[depth - 1] = finding.log_factor_end
        return values

    def rows(self, measure: str, title: str) -> list[dict[str, Any]]:
        """Return one row for every depth and layer, medians as decimal logarithms: -inf is an exact 0."""
        start, end = self.start.medians[measure], self.end(measure)
        counts = self.learnt
        return [
            {
                "series": self.name,
                "depth": depth,
                "layer": layer,
                f"log10 {title}, start": float(start[depth - 1, layer - 1]),
                f"log10 {title}, after training": float(end[depth - 1, layer - 1]),
                "seeds that learn": counts.get(depth, ("", ""))[0],
                "seeds": counts.get(depth, ("", ""))[1],
            }
            for depth in self.depths.tolist()
            for layer in range(1, depth + 2)
        ]


def depth_headline(series: Sequence[DepthSeries]) -> str:
    """Say up to which depth at least half of the seeds learn."""
    trained = [one for one in series if one.known]
    if not trained:
        return "How the gradient of each layer depends on the depth of the net"
    names = {one: (_suffix(one.name) if len(series) > 1 else "") for one in series}
    found = [_learnable(one) for one in trained]
    # The remedy first, on which "without it" then looks back.
    told = ", and ".join(depths + names[one] for depths, one in reversed(list(zip(found, trained, strict=True))))
    told += " it" * (len(trained) > 1)
    if len(trained) > len(set(found)):  # what is so of both is said once
        told = f"{found[0]},{' or'.join(names[one] for one in trained)}"
    waiting = "".join(f"; no depth is trained yet{names[one]}" for one in series if not one.known)
    complete = all(one.complete for one in series)
    return f"{'At' if complete else 'So far at'} least half of the seeds learn {told}{waiting}"


def _suffix(name: str) -> str:
    return " without" if name == UNCHANGED else f" with {name}"


def _learnable(series: DepthSeries) -> str:
    """Say the depths at which half of the seeds or more learn; nothing is said of a depth that is not known."""
    known = sorted(series.known)
    learnt = [depth for depth in known if series.known[depth].solved * 2 >= series.known[depth].runs]
    if not learnt:
        return "at no depth" if len(known) == series.deepest else "at no depth that is trained"
    # The first depths that learn, with no failure between them.
    stretch = list(takewhile(learnt.__contains__, known[known.index(learnt[0]) :]))
    beyond = ", and at some beyond" if len(stretch) < len(learnt) else ""
    return _stretch(stretch, known, series.deepest) + beyond


def _stretch(depths: Sequence[int], known: Sequence[int], deepest: int) -> str:
    """Say that some depths learn, which are neighbours among the known ones; others between them are not known."""
    first, last, every = depths[0], depths[-1], depths == known
    trained = "" if list(depths) == list(range(1 if every else first, last + 1)) else "trained "
    if every:
        return f"at every {trained}depth up to {last}"
    if not trained and first == 1:
        return f"up to depth {last}"
    if first == last:
        return f"at depth {first}"
    return f"from depth {first}" if not trained and last == deepest else f"at {trained}depths {first} to {last}"
