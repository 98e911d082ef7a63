"""Answers: what a trained net answers over the whole range of inputs."""

from dataclasses import dataclass

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.datasets import Data
from explorer.training.run import Training

GRID = 41
MARGIN = 0.3


@dataclass(frozen=True, eq=False)
class AnswerMap:
    """The answers of one net on a grid of inputs; where these are more than two, to the data alone."""

    x1: Array | None  # None where there are more than two inputs
    x2: Array | None  # None where there is one input, or are more than two
    answers: Array  # (GRID, GRID), rows along x2; (4 GRID,) where there is one input; (samples,) of more than two
    data: Data  # The points that it was trained on
    run: int  # The run with the median error


def median_run(error: Array) -> int:
    """Return the run with the median error (the lower of two); runs that ended count as worst."""
    order = np.argsort(np.where(np.isnan(error), np.inf, error), kind="stable")
    return int(order[(len(order) - 1) // 2])


def answer_map(training: Training) -> AnswerMap:
    """Evaluate the median net of a training at present, on a grid a little larger than the data if that can be drawn."""
    data, run = training.points, median_run(training.history().error[:, -1])
    if data.x.shape[1] > 2:
        return AnswerMap(None, None, training.answers(data.x, run), data, run)
    axes = [
        np.linspace(column.min() - MARGIN, column.max() + MARGIN, GRID if data.x.shape[1] == 2 else 4 * GRID)
        for column in data.x.T
    ]
    if len(axes) == 1:
        return AnswerMap(axes[0], None, training.answers(axes[0][:, None], run), data, run)
    x1, x2 = np.meshgrid(*axes)
    answers = training.answers(np.stack([x1.ravel(), x2.ravel()], axis=1), run)
    return AnswerMap(axes[0], axes[1], answers.reshape(x1.shape), data, run)
