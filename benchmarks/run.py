"""`python -m benchmarks.run [--quick]`: speed as ratios, each beside its target.

Everything that is compared runs interleaved, round by round, in one process on
one thread, and is timed in CPU seconds; what is printed is the median over the
rounds of each pair's ratio. "NumPy" is the engine without compiled kernels.
Before anything is timed, the contenders' gradients must agree. The exit code is
always 0: machines differ, readers judge.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from statistics import median
from typing import Any

import numpy as np

from benchmarks import textbook
from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.settings import Settings
from explorer.diagnosis.trials import trials
from explorer.stories.scenarios import SCENARIOS
from explorer.sweeps.by_depth import with_remedy
from explorer.training import cores
from explorer.training.compiled import KERNELS, OFF, VARIABLE, CompiledGroup
from explorer.training.group import Group
from explorer.training.recording import Records
from explorer.training.run import Training

WITH_PYTORCH, WITH_JAX = (find_spec(name) is not None for name in ("torch", "jax"))
CHECKED_EPOCHS, AGREEMENT = 20, 1e-11

Advance = Callable[[int], Any]


@dataclass(frozen=True)
class Case:
    """A training to be timed.

    Attributes
    ----------
    words : str
    experiment : Experiment
    epochs : int
        How many make a round.
    textbook, pytorch : pair of float
        The ratios aimed at, by NumPy alone and by the kernels.
    jax : float
        That by the kernels.
    """

    words: str
    experiment: Experiment
    epochs: int
    textbook: tuple[float, float]
    pytorch: tuple[float, float]
    jax: float


CLIPPED: dict[str, Any] = {"clip": "norm", "runs": 1, "epochs": 1_000_000}
CASES = {
    "a": Case("XOR, 10 layers of 4, sigmoid", Experiment(depth=10, **CLIPPED), 400, (5, 60), (20, 200), 3),
    "b": Case("XOR, 50 layers of 4, sigmoid", Experiment(depth=50, **CLIPPED), 80, (6, 60), (20, 150), 3),
    "c": Case(
        "256 samples, 20 layers of 16, tanh",
        Experiment(
            task="moons", samples=256, depth=20, width=16, activation="tanh", initializer="Glorot uniform",
            learning_rate=0.01, **CLIPPED,
        ),
        40, (2, 2.5), (4, 5), 0.8,
    ),
    "d": Case(
        "256 samples, 50 layers of 64, ReLU, batch norm, skips",
        Experiment(
            task="moons", samples=256, depth=50, width=64, activation="ReLU", initializer="He normal",
            normalization="batch", skip="one layer", learning_rate=0.01, **CLIPPED,
        ),
        2, (1.6, 1.4), (1.3, 1.5), 1.2,
    ),
}  # fmt: skip


TUTORIAL = next(each.experiment for name, each in SCENARIOS.items() if name.startswith("Tutorial recipe"))
DEPTHS = [Experiment(depth=depth) for depth in range(1, 21)]
# What people wait for: whole trainings with all their records, and how much sooner the kernels should end.
WHOLE: dict[str, tuple[Sequence[Settings], float]] = {
    "opening example": ([Experiment()], 10),
    "the same with batch norm": ([Experiment(normalization="batch")], 10),
    "the same with layer norm": ([Experiment(normalization="layer")], 10),
    "tutorial recipe, 3,000 epochs": ([TUTORIAL.but(epochs=3_000)], 10),
    "what Remedies tries": ([trial.experiment for trial in trials(Experiment(), ())], 8),
    "Depth's forty": (DEPTHS + [with_remedy(experiment, "skip over one layer") for experiment in DEPTHS], 10),
    "sigmoid rescued by batch norm": ([SCENARIOS["Sigmoid rescued by batch norm"].experiment], 4),
    "He against Glorot": ([SCENARIOS["He against Glorot, 30 ReLU layers"].experiment], 1.5),
    "LSTM over 100 steps": ([RecurrentExperiment(cell="LSTM")], 3),
    "GRU over 100 steps": ([RecurrentExperiment(cell="GRU")], 3),
}

# --- contenders: each a function that trains on for so many epochs ------------------------------


def _of(steps: Iterator[Any]) -> Advance:
    def advance(epochs: int) -> Any:
        return list(islice(steps, epochs))

    advance(1)
    return advance


def _with_norms(group: Group) -> Iterator[Any]:
    """The epochs of a group, the squared norm of every layer's dL/dW taken at each, as the other contenders do."""
    (network,) = group.networks.values()
    weights = network.gradient[:, :, : group.shape.width].reshape(group.shape.layers, len(group.rngs), -1)
    squares = np.empty(weights.shape[:2])
    for _ in group.train():
        yield np.vecdot(weights, weights, squares)


def engine(experiment: Experiment, *, every_epoch: bool = True) -> Advance:
    """All runs of an experiment in this project's engine; only the first and the last epoch are recorded."""
    training = Training(experiment, record_at=[0, experiment.epochs])
    groups = [_of(_with_norms(group) if every_epoch else group.train()) for group in training.groups]

    def advance(epochs: int) -> None:
        for group in groups:
            group(epochs)

    return advance


@contextmanager
def numpy_alone() -> Iterator[None]:
    """What is made meanwhile trains in NumPy."""
    os.environ[VARIABLE] = OFF
    try:
        yield
    finally:
        del os.environ[VARIABLE]


def in_kernels(experiment: Experiment) -> Advance:
    """One run in the compiled kernels, whether or not it would take them, the norm of every layer's dL/dW taken at each epoch."""
    group = CompiledGroup(experiment, slice(0, 1), Records([experiment], [0, experiment.epochs]))

    def advance(epochs: int) -> None:
        group._advance(epochs * len(group.sizes), norms=np.empty((1, epochs, experiment.layers)))

    advance(1)
    return advance


def one_by_one(experiment: Experiment, make: Callable[[Experiment], Advance], runs: int) -> Advance:
    """The first `runs` of an experiment's runs, one after the other."""
    singles = [make(experiment.but(runs=1, seed=experiment.seed + run)) for run in range(runs)]

    def advance(epochs: int) -> None:
        for single in singles:
            single(epochs)

    return advance


def by_the_book(experiment: Experiment) -> Advance:
    """One run in the textbook's trainer."""
    return _of(textbook.train(experiment, textbook.build(experiment)))


def in_pytorch(experiment: Experiment) -> Advance:
    """One run in eager PyTorch."""
    from benchmarks import eager

    return _of(eager.train(experiment, eager.build(experiment)))


def in_jax(experiment: Experiment) -> Advance:
    """One run in JAX."""
    from benchmarks import scanned

    return scanned.build(experiment)


# --- measuring --------------------------------------------------------------------------------


def seconds(advance: Advance, epochs: int) -> float:
    """CPU seconds per epoch."""
    start = time.process_time()
    advance(epochs)
    return (time.process_time() - start) / epochs


def paired(contenders: Mapping[str, Advance], epochs: int, rounds: int) -> dict[str, list[float]]:
    """Time every contender once a round, in turn."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, advance in contenders.items():
            times[name].append(seconds(advance, epochs))
    return times


def ratio(others: list[float], ours: list[float]) -> float:
    """The median over the rounds of how many times as long the others took."""
    return median(other / our for other, our in zip(others, ours, strict=True))


def norms_agree(experiment: Experiment) -> float:
    """Largest difference of any layer's gradient norm in the first epochs, engine against textbook, as a share."""
    short = experiment.but(epochs=CHECKED_EPOCHS)
    training = Training(short, record_at=range(short.epochs + 1))
    training.advance(float("inf"))
    ours = training.history().measures["weight_gradient"][0, :-1]
    book = np.array(list(islice(textbook.train(short, textbook.build(short)), CHECKED_EPOCHS)))
    return float(np.abs(ours / book - 1).max())


# --- the table --------------------------------------------------------------------------------


def line(words: str, ours: float, other: float, value: str, target: str, passed: bool) -> None:
    """Print a row; times are in microseconds per epoch."""
    times = f"{ours * 1e6:9,.1f} | {other * 1e6:9,.1f}"
    print(f"| {words:<64} | {times} | {value:>7} | {target:>7} | {'PASS' if passed else 'FAIL'} |", flush=True)


def at_least(words: str, others: list[float], ours: list[float], target: float) -> None:
    """Print how many times faster the engine is."""
    value = ratio(others, ours)
    line(words, median(ours), median(others), f"{value:.2f}x", f">= {target:g}x", value >= target)


def at_most(words: str, longer: list[float], shorter: list[float], target: float) -> None:
    """Print by how much something makes training longer."""
    value = ratio(longer, shorter) - 1
    line(words, median(longer), median(shorter), f"{value:+.1%}", f"< {target:.0%}", value < target)


def compare_single_runs(rounds: int) -> None:
    """One run, against the textbook, PyTorch and JAX."""
    for name, case in CASES.items():
        with numpy_alone():
            contenders = {"NumPy": engine(case.experiment), "textbook": by_the_book(case.experiment)}
        if KERNELS.now():
            contenders["kernels"] = in_kernels(case.experiment)
        if WITH_PYTORCH:
            contenders["PyTorch"] = in_pytorch(case.experiment)
        if WITH_JAX:
            contenders["JAX"] = in_jax(case.experiment)
            contenders["JAX"](case.epochs)  # compiled for so many
        times = paired(contenders, case.epochs, rounds)
        print(f"| {name}: {case.words:<61} |{' ' * 11}|{' ' * 11}|{' ' * 9}|{' ' * 9}|      |")
        for way, ours in enumerate(["NumPy", "kernels"]):
            if ours in times:
                at_least(f"{name} in {ours}, against textbook", times["textbook"], times[ours], case.textbook[way])
            if ours in times and WITH_PYTORCH:
                at_least(f"{name} in {ours}, against PyTorch", times["PyTorch"], times[ours], case.pytorch[way])
        if "kernels" in times and WITH_JAX:
            at_least(f"{name} in kernels, against JAX", times["JAX"], times["kernels"], case.jax)


def compare_many_seeds(rounds: int) -> None:
    """Many runs in one array, against the same runs one by one."""
    a = CASES["a"].experiment
    ten = {"ours": engine(a.but(runs=10)), "singly": one_by_one(a, engine, 10)}
    times = paired(ten, 100, rounds)
    at_least("ten seeds of a together, against one by one", times["singly"], times["ours"], 2.5)
    # 240 textbook trainings in a row are 240 times as long as one: a few stand for all.
    stand_in = 4
    many = {"ours": engine(a.but(runs=240)), "textbook": one_by_one(a, by_the_book, stand_in)}
    times = paired(many, 50, rounds)
    per_run = {"ours": [t / 240 for t in times["ours"]], "textbook": [t / stand_in for t in times["textbook"]]}
    at_least("240 seeds of a together, a run, against textbook", per_run["textbook"], per_run["ours"], 40)


def whole_training(*experiments: Settings, record_at: list[int] | None = None) -> Advance:
    """Complete trainings from scratch, one after the other, whatever the number of epochs asked for."""

    def advance(epochs: int) -> None:
        for experiment in experiments:
            Training(experiment, record_at=record_at).advance(float("inf"))

    return advance


def compare_whole_trainings(rounds: int) -> None:
    """Whole trainings with all records, in kernels against NumPy."""
    if not KERNELS.now():
        return
    for words, (experiments, target) in WHOLE.items():
        train = whole_training(*experiments)

        def slowly(epochs: int, train: Advance = train) -> None:
            with numpy_alone():
                train(epochs)

        times = paired({"NumPy": slowly, "kernels": train}, sum(e.epochs for e in experiments), max(rounds // 10, 1))
        at_least(f"{words}, kernels against NumPy", times["NumPy"], times["kernels"], target)


def compare_recording(rounds: int) -> None:
    """What measuring adds to training."""
    a = CASES["a"].experiment
    times = paired({"with": engine(a), "without": engine(a, every_epoch=False)}, 400, 2 * rounds)
    at_most("norms of all layers at every epoch of a add", times["with"], times["without"], 0.05)
    kinds = {"the app's default": Experiment(), "a, 5000 epochs": a.but(epochs=5000)}
    for words, experiment in kinds.items():
        every, ends = whole_training(experiment), whole_training(experiment, record_at=[0, experiment.epochs])
        times = paired({"with": every, "without": ends}, experiment.epochs, max(rounds // 4, 2))
        at_most(f"everything on the schedule adds to {words}", times["with"], times["without"], 0.15)


def compare_adam(rounds: int) -> None:
    """What Adam adds to gradient descent."""
    a = CASES["a"].experiment
    times = paired({"Adam": engine(a.but(optimizer="Adam", learning_rate=0.001)), "SGD": engine(a)}, 400, rounds)
    at_most("Adam adds to a", times["Adam"], times["SGD"], 0.20)


def main() -> None:
    """Check, measure, print."""
    parser = argparse.ArgumentParser(description="Speed of the engine as ratios, each beside its target.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, under a minute")
    rounds = 9 if parser.parse_args().quick else 41
    cores.CORES = 1
    KERNELS.load()
    for name, case in CASES.items():
        share = norms_agree(case.experiment)
        word = "agree" if share < AGREEMENT else "DISAGREE"
        print(f"{name}: gradient norms of engine and textbook {word} to {share:.0e}")
    print(
        f"\n| {'CPU microseconds per epoch':<64} | {'this':>9} | {'other':>9} | {'ratio':>7} | {'target':>7} |      |"
    )
    print(f"|{'-' * 66}|{'-' * 10}:|{'-' * 10}:|{'-' * 8}:|{'-' * 8}:|------|")
    with np.errstate(all="ignore"):
        compare_single_runs(rounds)
        compare_whole_trainings(rounds)
        with numpy_alone():
            for part in (compare_many_seeds, compare_recording, compare_adam):
                part(rounds)


if __name__ == "__main__":
    main()
