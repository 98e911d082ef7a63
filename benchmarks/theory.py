"""`python -m benchmarks.theory [--settings 600] [--seed 0]`: how often theory's lines of the start depart from real nets.

Settings are drawn at random: every activation and initialization, with and without shortcuts. A line is
wrong in a setting if in any layer it is more than half a decade from the median over the seeds and outside their middle
half as well, or if it is exactly 0 or infinite where the median is finite. A setting without a line is never wrong, and
counted beside. With `--wrong` each wrong line is named. The exit code is always 0: readers judge.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from explorer.choices.activations import ACTIVATIONS
from explorer.choices.arrays import Array
from explorer.choices.experiment import SKIPS, Experiment
from explorer.choices.initializers import INITIALIZERS
from explorer.theory.prediction import predict
from explorer.training.all_depths import gradients_by_depth

SEEDS = 64
FAR = 0.5  # Decades
GAINS = (1.0, 1.0, 1.0, 0.8, 1.2, 0.5, 2.0)
MEASURES = ("delta", "weight_gradient")


def settings(count: int, seed: int = 0) -> Iterator[Experiment]:
    """Yield random settings; skips take turns."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        yield Experiment(
            task=str(rng.choice(["XOR", "moons"])),
            depth=int(rng.integers(2, 41)),
            width=round(4 * 16 ** rng.random()),
            activation=str(rng.choice(list(ACTIVATIONS))),
            initializer=str(rng.choice(list(INITIALIZERS))),
            gain=float(rng.choice(GAINS)),
            skip=list(SKIPS)[number % len(SKIPS)],
            runs=SEEDS,
        )


def measured(experiment: Experiment) -> dict[str, Array]:
    """Return each measure of every seed and layer before the first update."""
    start = gradients_by_depth(experiment, [experiment.depth])
    return {"delta": start.delta[:, 0], "weight_gradient": start.weight_gradient[:, 0]}


def is_wrong(line: Array, seeds: Array) -> bool:
    """Whether a line is far from the seeds in any layer."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        low, middle, high, line = np.log10([*np.percentile(seeds, [25, 50, 75], axis=0), line])
        known = np.isfinite(middle) | (middle == -np.inf)
        off = ~(np.abs(line - middle) <= FAR) & ~((low <= line) & (line <= high))
    impossible = np.isfinite(middle) & ~np.isfinite(line)
    return bool(np.any((off & known) | impossible))


def main() -> None:
    """Print, for each kind of skip and measure, how many settings have a line and how many lines are wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--wrong", action="store_true", help="name each wrong line")
    asked = parser.parse_args()
    counts: dict[tuple[str, str], list[bool | None]] = defaultdict(list)
    for experiment in settings(asked.settings, asked.seed):
        start, prediction = measured(experiment), predict(experiment)
        for measure in MEASURES:
            line = prediction.of(measure)
            wrong = None if line is None else is_wrong(line, start[measure])
            counts[experiment.skip, measure].append(wrong)
            if wrong and asked.wrong:
                print(measure, experiment.settings(changed_only=True), flush=True)
    for (skip, measure), verdicts in sorted(counts.items()):
        drawn = [verdict for verdict in verdicts if verdict is not None]
        print(
            f"skip {skip:10} {measure:16} {len(drawn):4} lines in {len(verdicts):4} settings, "
            f"{sum(drawn):4} wrong: {sum(drawn) / max(len(drawn), 1):.1%}"
        )


if __name__ == "__main__":
    main()
