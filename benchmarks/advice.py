"""`python -m benchmarks.advice [--over-time] [--rules] [--settings N] [--seed S] [--keep FOLDER]`: how often the app's advice is right.

Settings are drawn at random from the whole option space, each is trained with 8 seeds as it is and with every remedy
alone, and the advice is compared with what the remedies did. The score of a history is the mean over its seeds of the
final error, as a share of the error of always answering the mean target, at most 1; a seed that diverged counts 1. A
setting is ill if its score is at least `ILL`; a remedy helps where it lowers the score by at least `HELPS`.

Three advisers are compared: `diagnose`, which follows rules; `try_remedies`, on four of eight other seeds than those by which
advice is judged, so that what helped by luck on the seeds tried counts as wrong; and the app, which says what was tried where
it tries unasked, elsewhere the rule. `--rules` asks the first alone. With `--keep`, scores are kept in a folder from one call to
the next: rules can be changed without training again.
"""

import argparse
import hashlib
import os
import pickle
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from explorer.choices.activations import ACTIVATIONS
from explorer.choices.cells import CELLS
from explorer.choices.clipping import CLIPPERS
from explorer.choices.datasets import DATASETS, OWN
from explorer.choices.experiment import BATCHES, BIASES, SHUFFLED, SKIPS, Experiment
from explorer.choices.initializers import INITIALIZERS
from explorer.choices.losses import LOSSES
from explorer.choices.normalizations import NORMALIZATIONS
from explorer.choices.optimizers import OPTIMIZERS
from explorer.choices.recurrent_experiment import PLAIN_ACTIVATIONS, RecurrentExperiment
from explorer.choices.recurrent_initializers import RECURRENT_INITIALIZERS
from explorer.choices.sequences import TASKS
from explorer.choices.settings import FULL, USUAL
from explorer.diagnosis.diagnose import Diagnosis, diagnose
from explorer.diagnosis.effects import HELPS
from explorer.diagnosis.facts import final_shares
from explorer.diagnosis.remedies import REMEDIES_OF
from explorer.diagnosis.trials import CHEAP_SECONDS, TRIED_SEEDS, Tried, try_remedies, trying_seconds
from explorer.diagnosis.verdict import ILL
from explorer.training.compiled import KERNELS, OFF, VARIABLE
from explorer.training.cost import estimate
from explorer.training.history import History
from explorer.training.kinds import kind_of
from explorer.training.run import Training, train

PRECISION, RECALL, CALLED_FINE = 0.75, 0.9, 0.03
RUNS = 8
# The first of the seeds of which `try_remedies` tries some; advice is judged by seeds 0 to 7.
TRIED_FROM = 1000
# A setting is drawn again if it would train longer in NumPy, whatever trains it here: a seed draws the same settings everywhere.
SECONDS, SECONDS_OVER_TIME = 1.3, 2.2


# --- settings -----------------------------------------------------------------------------------


def draw(rng: np.random.Generator) -> Experiment:
    """Draw a setting: names evenly from their registries, numbers evenly on a logarithmic scale; half have no cure."""
    while True:
        task = _one(rng, (name for name in DATASETS if name != OWN))
        losses = [name for name, loss in LOSSES.items() if loss.regression or not DATASETS[task].regression]
        experiment = Experiment(
            task=task,
            samples=int(rng.choice([16, 32, 64, 128])),
            noise=float(rng.choice([0.0, 0.05, 0.1, 0.2, 0.3, 0.5])),
            depth=int(_number(rng, 1, 20)),
            width=int(_number(rng, 2, 16)),
            activation=_one(rng, ACTIVATIONS),
            initializer=_one(rng, INITIALIZERS),
            gain=_number(rng, 0.3, 3) if rng.uniform() < 0.3 else 1.0,
            bias=_one(rng, BIASES, USUAL),
            normalization=_one(rng, NORMALIZATIONS, "none"),
            skip=_one(rng, SKIPS, "none"),
            clip=_one(rng, CLIPPERS, "none"),
            threshold=_number(rng, 0.01, 10),
            learning_rate=_number(rng, 1e-4, 10),
            optimizer=_one(rng, OPTIMIZERS),
            batch=_one(rng, BATCHES, FULL),
            order=_one(rng, (SHUFFLED, "fixed"), SHUFFLED),
            loss=_one(rng, losses, USUAL),
            epochs=int(_number(rng, 30, 2000)),
            runs=RUNS,
        )
        if numpy_seconds(experiment) <= SECONDS:
            return experiment


def draw_over_time(rng: np.random.Generator) -> RecurrentExperiment:
    """Draw a setting over time in the same way; half are not cut."""
    while True:
        task = _one(rng, TASKS)
        losses = [name for name, loss in LOSSES.items() if loss.regression or not TASKS[task].regression]
        experiment = RecurrentExperiment(
            task=task,
            length=int(_number(rng, 3, 60)),
            samples=int(rng.choice([16, 32, 64])),
            cell=_one(rng, CELLS),
            activation=_one(rng, PLAIN_ACTIVATIONS),
            hidden=int(_number(rng, 1, 16)),
            stack=int(rng.choice([1, 1, 2])),
            initializer=_one(rng, RECURRENT_INITIALIZERS),
            strength=_number(rng, 0.2, 3),
            forget_bias=float(rng.choice([-2.0, 0.0, 1.0, 3.0, 4.6])),
            clip=_one(rng, CLIPPERS),
            threshold=_number(rng, 0.01, 10),
            truncation=int(_one(rng, ("1", "2", "5", "10"), "0")),
            learning_rate=_number(rng, 1e-4, 3),
            optimizer=_one(rng, OPTIMIZERS),
            batch=_one(rng, BATCHES, FULL),
            order=_one(rng, (SHUFFLED, "fixed"), SHUFFLED),
            loss=_one(rng, losses, USUAL),
            epochs=int(_number(rng, 20, 300)),
            runs=RUNS,
        )
        if numpy_seconds(experiment) <= SECONDS_OVER_TIME:
            return experiment


def numpy_seconds(experiment: Any) -> float:
    """Estimate how long an experiment would train in NumPy."""
    with patch.dict(os.environ, {VARIABLE: OFF}):
        return estimate(experiment).seconds


def _one(rng: np.random.Generator, names: Iterable[str], usual: str = "") -> str:
    return usual if usual and rng.uniform() < 0.5 else str(rng.choice(list(names)))


def _number(rng: np.random.Generator, low: float, high: float) -> float:
    return float(f"{np.exp(rng.uniform(np.log(low), np.log(high))):.1g}")


# --- scores -------------------------------------------------------------------------------------


def score(history: History) -> float:
    """Return the mean over seeds of the error against that of the mean answer: 0 is perfect, 1 nothing learnt."""
    return float(final_shares(history).mean())


@dataclass(frozen=True, eq=False)
class Case:
    """A setting, what the app says of it, its score, and the score with each remedy that changes something."""

    diagnosis: Diagnosis
    score: float
    with_remedy: dict[str, float]
    by_trial: tuple[str, ...] = ()  # What `try_remedies` advises
    cheap: bool = False  # Whether the app tries unasked

    @property
    def experiment(self) -> Any:
        """The setting."""
        return self.diagnosis.history.experiment

    @property
    def ill(self) -> bool:
        """Whether it needs mending."""
        return self.score >= ILL

    def helps(self, name: str) -> bool:
        """Whether a remedy helps."""
        return self.with_remedy.get(name, self.score) <= self.score - HELPS

    @property
    def helpers(self) -> list[str]:
        """The remedies that help, best first."""
        return sorted(filter(self.helps, self.with_remedy), key=lambda name: self.with_remedy[name])

    @property
    def by_rule(self) -> tuple[str, ...]:
        """What `diagnose` advises."""
        return self.diagnosis.advice

    @property
    def said(self) -> tuple[str, ...]:
        """What the app advises, which tries nothing where it says that all is fine."""
        return self.by_trial if self.cheap and not self.diagnosis.good else self.by_rule


class Shelf:
    """What was measured before, in a folder, by experiment."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def get(self, what: str, experiment: Any, make: Any) -> Any:
        """Return what was kept of an experiment, or make it."""
        if self.folder is None:
            return make(experiment)
        name = hashlib.sha256(repr(experiment).encode()).hexdigest()[:24]
        path = self.folder / f"{what}_{name}.pickle"
        if path.exists():
            return pickle.loads(path.read_bytes())
        made = make(experiment)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(made))
        return made


def final_score(experiment: Any) -> float:
    """Train an experiment, recording its two ends alone, and return its score."""
    training = Training(experiment, record_at=[0, experiment.epochs])
    training.advance(float("inf"))
    return score(training.history())


def measure(experiment: Any, shelf: Shelf, tries: bool) -> Case:
    """Train a setting as it is and, if it is ill, with every remedy alone."""
    history = shelf.get("history", experiment, train)
    diagnosis, found = diagnose(history), score(history)
    if found < ILL:
        return Case(diagnosis, found, {})
    changed = {name: remedy.change(experiment) for name, remedy in REMEDIES_OF[kind_of(experiment).name].items()}
    scores = {name: shelf.get("score", other, final_score) for name, other in changed.items() if other != experiment}
    if not tries:
        return Case(diagnosis, found, scores)
    by_trial = shelf.get("tried", experiment, tried_elsewhere).advice
    return Case(diagnosis, found, scores, by_trial, trying_seconds(diagnosis) <= CHEAP_SECONDS)


def tried_elsewhere(experiment: Any) -> Tried:
    """Try the remedies on seeds by which advice is not judged, without a limit of time."""
    others = train(experiment.but(seed=TRIED_FROM))
    return try_remedies(diagnose(others), seconds=float("inf"))


# --- the report ---------------------------------------------------------------------------------


def report(cases: Sequence[Case], advised: Callable[[Case], Sequence[str]]) -> str:
    """Say how good the advice is, and the ten worst misses."""
    ill = [case for case in cases if case.ill]
    curable = [case for case in ill if case.helpers]
    given = [(case, name) for case in ill for name in advised(case)]
    right = sum(case.helps(name) for case, name in given)
    missed = [case for case in curable if not any(map(case.helps, advised(case)))]
    fine = [case for case in ill if case.diagnosis.good]
    lines = [
        f"{len(cases)} settings, {len(ill)} ill, {len(curable)} of which some remedy helps",
        f"precision   {_share(right, len(given))}, aimed at {PRECISION:.0%}",
        f"recall      {_share(len(curable) - len(missed), len(curable))}, aimed at {RECALL:.0%}",
        f"called fine {_share(len(fine), len(ill))}, aimed at less than {CALLED_FINE:.0%}",
        "the ten worst misses:",
    ]
    missed.sort(key=lambda case: min(case.with_remedy.values()) - case.score)
    return "\n".join([*lines, *(_miss(case, advised(case)) for case in missed[:10])])


def _share(part: int, of: int) -> str:
    return f"{part / max(of, 1):.2f} ({part} of {of})"


def _miss(case: Case, advised: Sequence[str]) -> str:
    def told(names: Sequence[str]) -> str:
        return ", ".join(f"{name} {case.with_remedy.get(name, case.score):.2f}" for name in names) or "nothing"

    return (
        f"- {case.experiment.settings(changed_only=True)}\n  score {case.score:.2f}; advised: {told(advised)}; "
        f"what helps: {told(case.helpers[:4])}\n  {case.diagnosis.sentence}"
    )


def main() -> None:
    """Draw, train, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--over-time", action="store_true", help="recurrent nets instead of nets of layers")
    parser.add_argument("--settings", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rules", action="store_true", help="the rules alone: nothing is tried")
    parser.add_argument("--keep", type=Path, default=None)
    asked = parser.parse_args()
    KERNELS.load()
    rng, shelf = np.random.default_rng(asked.seed), Shelf(asked.keep)
    drawn = draw_over_time if asked.over_time else draw
    cases = [measure(drawn(rng), shelf, tries=not asked.rules) for _ in range(asked.settings)]
    print(f"By rule: {report(cases, lambda case: case.by_rule)}")
    if not asked.rules:
        seeds = f"on {TRIED_SEEDS} of seeds {TRIED_FROM} to {TRIED_FROM + RUNS - 1}, judged by seeds 0 to {RUNS - 1}"
        print(f"By trial, {seeds}: {report(cases, lambda case: case.by_trial)}")
        ill = [case for case in cases if case.ill]
        print(f"The app tries unasked {_share(sum(case.cheap for case in ill), len(ill))} of the ill settings")
        print(f"What the app says: {report(cases, lambda case: case.said)}")


if __name__ == "__main__":
    main()
