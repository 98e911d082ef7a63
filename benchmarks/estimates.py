"""How near the cost that the app estimates comes to what is measured here: `python -m benchmarks.estimates`.

Machines differ in speed: the ratios are divided by their median, and 1 is right.
"""

import time
from itertools import islice
from statistics import median

import numpy as np

from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.settings import Settings
from explorer.training.cost import estimate
from explorer.training.run import Training

EPOCHS = 100_000
GENTLE = {"epochs": EPOCHS, "learning_rate": 1e-4}  # what overflows ends early
MOONS = Experiment(task="moons", samples=256, activation="tanh", initializer="Glorot uniform")
EXPERIMENTS: list[Settings] = [
    Experiment(),
    Experiment(optimizer="Adam", batch="1", runs=20),
    Experiment(depth=50, runs=24, normalization="layer", initializer="Glorot uniform"),
    MOONS.but(samples=32, depth=3, width=8, batch="8", runs=4),
    MOONS.but(depth=20, width=16, runs=2, clip="norm"),
    MOONS.but(depth=50, width=64, activation="ReLU", normalization="batch", runs=1),
    MOONS.but(samples=1024, depth=2, width=128, activation="ELU", runs=1, skip="two layers"),
    RecurrentExperiment(),
    RecurrentExperiment(cell="LSTM", length=30, hidden=16),
    RecurrentExperiment(cell="RNN", length=10, hidden=64, samples=256, runs=2, stack=2),
    RecurrentExperiment(cell="GRU", length=10, hidden=8, samples=64, batch="8", runs=12),
]


def estimated(experiment: Settings) -> float:
    """Return the seconds of an update that the app expects."""
    cost = estimate(experiment)
    return cost.seconds / cost.updates


def measured(experiment: Settings) -> float:
    """Return the processor's seconds of an update of all runs, records left out."""
    training = Training(experiment, record_at=[0, EPOCHS])
    times = []
    with np.errstate(all="ignore"):
        lives = [group.train() for group in training.groups]
        for count in (3, 20, 20, 20):
            start = time.process_time()
            for live in lives:
                list(islice(live, count))
            times.append((time.process_time() - start) / count)
    return median(times[1:])


def main() -> None:
    """Print the ratio of every experiment."""
    gentle = [experiment.but(**GENTLE) for experiment in EXPERIMENTS]
    ratios = [estimated(experiment) / measured(experiment) for experiment in gentle]
    for experiment, ratio in zip(gentle, ratios, strict=True):
        print(f"{ratio / median(ratios):5.2f}  {experiment.settings(changed_only=True)}")


if __name__ == "__main__":
    main()
