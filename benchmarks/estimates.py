"""`python -m benchmarks.estimates [--count 500] [--seed 0]`: how near the cost that the app estimates comes to the time taken.

Random experiments of both kinds train from beginning to end, setting up and recording included, half of them in compiled
kernels and half in NumPy; processor time is what counts. Machines differ, and others load them: before and after each training
a fixed piece of work is timed, and the estimate is taken in its unit. The exit code is always 0.
"""

import argparse
import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import median
from typing import Any

import numpy as np

from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.settings import Settings
from explorer.training import cores
from explorer.training.compiled import KERNELS, OFF, VARIABLE
from explorer.training.cost import estimate
from explorer.training.cost_models import REFERENCE_SECONDS
from explorer.training.kinds import kind_of
from explorer.training.run import Training

PATHS = {"compiled": "", "NumPy": OFF}
FACTOR, AIMED_AT = 3.0, 0.95
# Of an experiment that takes longer fewer epochs are trained; one of which a single epoch takes much longer is left out.
SECONDS, MOST_SECONDS = 0.3, 1.5
# Shorter ones are trained so often, and the shortest time counts.
SHORT, ROUNDS = 0.05, 2
WORST = 10


def reference() -> float:
    """Return the shortest time of a fixed piece of work: NumPy's calls on small arrays, products and exponentials."""
    small, row, matrix = np.ones((3, 4, 4)), np.linspace(-3, 3, 2000), np.full((2, 48, 48), 1 / 48)
    fastest = math.inf
    for _ in range(4):
        start = time.thread_time()
        for _ in range(300):
            np.add(small[0], small[1], small[2])
            np.multiply(small[0], small[1], small[2])
            np.dot(small[0], small[1], small[2])
        for _ in range(20):
            np.dot(matrix[0], matrix[0], matrix[1])
        for _ in range(5):
            np.tanh(row)
        fastest = min(fastest, time.thread_time() - start)
    return fastest


# --- random experiments -------------------------------------------------------------------------


def _between(rng: np.random.Generator, low: float, high: float) -> int:
    """A whole number, as likely to be between 1 and 10 as between 10 and 100."""
    return round(math.exp(rng.uniform(math.log(low), math.log(high))))


def _sizes(rng: np.random.Generator, kind: type[Settings]) -> dict[str, Any]:
    if kind is Experiment:
        sizes = {"depth": _between(rng, 1, 50), "width": _between(rng, 2, 128), "runs": _between(rng, 1, 64)}
    else:
        sizes = {"length": _between(rng, 2, 300), "hidden": _between(rng, 1, 128), "runs": _between(rng, 1, 24)}
        sizes["stack"] = int(rng.integers(1, 4))
    return sizes | {"samples": _between(rng, 8, 1024), "epochs": _between(rng, 1, 5000)}


def drawn(rng: np.random.Generator, kind: type[Settings]) -> Settings | None:
    """Return a random experiment that is short enough; None where the settings do not fit together."""
    controls = kind.controls()
    settings = {
        name: rng.choice(list(control.options)) for name, control in controls.items() if hasattr(control, "options")
    }
    # Own data come with a file; and there are more sizes of a batch than usual settings have.
    settings["task"] = rng.choice([name for name in controls["task"].options if name != "own data"])  # type: ignore[attr-defined]
    settings |= {"batch": "full"} if rng.random() < 0.5 else {}
    settings |= {"normalization": "none"} if kind is Experiment and rng.random() < 0.5 else {}
    settings |= _sizes(rng, kind) | {"learning_rate": float(rng.choice([1e-4, 1e-3, 1e-2, 0.1]))}
    try:
        experiment = kind(
            **{name: value if isinstance(value, int | float) else str(value) for name, value in settings.items()}
        )
    except ValueError:
        return None
    while estimate(experiment).seconds > SECONDS and experiment.epochs > 1:
        experiment = experiment.but(epochs=experiment.epochs // 2)
    return experiment if estimate(experiment).seconds < MOST_SECONDS else None


def experiments(seed: int) -> Iterator[tuple[str, Settings]]:
    """Draw experiments without an end, each with the path that trains it, which is chosen by the environment."""
    rng = np.random.default_rng(seed)
    for path, kind in cycle((path, kind) for kind in (Experiment, RecurrentExperiment) for path in PATHS):
        os.environ[VARIABLE] = PATHS[path]
        experiment = None
        while experiment is None:
            experiment = drawn(rng, kind)
        yield path, experiment


# --- the comparison -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Compared:
    """An experiment, the path that trained it, the estimate as a multiple of the time taken, and that time."""

    path: str
    experiment: Settings
    ratio: float
    seconds: float
    ended: int  # How many runs became non-finite before their time

    @property
    def within(self) -> bool:
        """Whether the estimate is good enough."""
        return abs(math.log(self.ratio)) < math.log(FACTOR)


def _trained(experiment: Settings) -> tuple[float, int]:
    start = time.thread_time()
    training = Training(experiment)
    training.advance(math.inf)
    return time.thread_time() - start, sum(ending is not None for ending in training.records.endings)


def compared(path: str, experiment: Settings) -> Compared:
    """Train an experiment and compare."""
    unit = reference()
    seconds, ended = _trained(experiment)
    for _ in range(ROUNDS - 1 if seconds < SHORT else 0):
        seconds = min(seconds, _trained(experiment)[0])
    unit = min(unit, reference())
    return Compared(path, experiment, estimate(experiment).seconds / REFERENCE_SECONDS * unit / seconds, seconds, ended)


def _line(words: str, found: list[Compared]) -> str:
    twice = sum(abs(math.log(one.ratio)) < math.log(2) for one in found) / len(found)
    share = sum(one.within for one in found) / len(found)
    middle = median(one.ratio for one in found)
    return f"{words:26} {len(found):4}   within 2: {twice:6.1%}   within {FACTOR:g}: {share:6.1%}   median {middle:.2f}"


def main() -> None:
    """Print the shares, the worst and a verdict."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    KERNELS.load()
    cores.CORES = 1  # an estimate is of one core
    found = []
    for path, experiment in islice(experiments(asked.seed), asked.count):
        found.append(compared(path, experiment))
    for kind in dict.fromkeys(kind_of(one.experiment).name for one in found):
        for path in PATHS:
            print(_line(f"{kind}, {path}", [o for o in found if (kind_of(o.experiment).name, o.path) == (kind, path)]))
    print(_line("all", found))
    print(_line("of these finite to the end", [one for one in found if not one.ended]))
    print("\nworst: estimated over taken, seconds, runs that ended")
    for one in sorted(found, key=lambda one: -abs(math.log(one.ratio)))[:WORST]:
        print(
            f"{one.ratio:6.2f} {one.seconds:7.3f} {one.ended:3}  {one.path} {one.experiment.settings(changed_only=True)}"
        )
    share = sum(one.within for one in found) / len(found)
    verdict = "reached" if share >= AIMED_AT else "MISSED"
    print(f"\nwithin a factor {FACTOR:g}: {share:.1%} of {len(found)}; target {AIMED_AT:.0%} {verdict}")


if __name__ == "__main__":
    main()
