"""The engine against the trainer of a textbook: same weights, same data, same trajectory."""

from itertools import islice

import numpy as np
import pytest

from benchmarks import textbook
from benchmarks.run import CASES
from explorer.choices.experiment import Experiment
from explorer.training.run import Training

EPOCHS = {"a": 300, "b": 60, "c": 30, "d": 3}
VARIANTS = [
    Experiment(activation=activation, normalization=normalization, skip=skip, clip="norm", threshold=0.3, **shape)
    for activation in textbook.ACTIVATIONS
    for normalization in ("none", "batch")
    for skip in ("none", "one layer")
    for shape in (
        {"depth": 1, "width": 3, "runs": 1, "epochs": 40, "initializer": "Glorot normal", "bias": "none"},
        {"task": "moons", "samples": 24, "depth": 4, "width": 6, "runs": 3, "epochs": 40, "initializer": "LeCun"},
    )
]


def engine(experiment):
    training = Training(experiment, record_at=range(experiment.epochs + 1))
    training.advance(float("inf"))
    return training


def norms_of(training, run):
    return training.history().measures["weight_gradient"][run, :-1]


def by_the_book(experiment, run):
    net = textbook.build(experiment, run)
    norms = np.array(list(islice(textbook.train(experiment, net), experiment.epochs)))
    return net, norms


def parameters(training, run):
    """The engine's parameters of one run, layer by layer in the textbook's order, padding left out."""
    group, found = training.groups[0], []
    for layer in range(group.shape.layers):
        fan_in, fan_out = group.shape.fan(layer)
        rows = group.theta[layer, run, :, :fan_out]
        found.append(rows[:fan_in])
        if group.shape.has_bias(layer):
            found.append(rows[group.shape.width])
        if group.shape.normalized and layer < group.shape.depth:
            found += [rows[-2], rows[-1]]
    return found


def assert_same(experiment):
    training = engine(experiment)
    for run in range(experiment.runs):
        net, norms = by_the_book(experiment, run)
        np.testing.assert_allclose(norms_of(training, run), norms, rtol=1e-9, atol=1e-12)
        expected = [parameter for layer in net.learning for parameter in layer.parameters]
        for ours, theirs in zip(parameters(training, run), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", CASES)
def test_the_benchmarked_trajectories_are_the_textbooks(name):
    assert_same(CASES[name].experiment.but(epochs=EPOCHS[name]))


@pytest.mark.parametrize("experiment", VARIANTS, ids=lambda e: f"{e.task}-{e.activation}-{e.normalization}-{e.skip}")
def test_trajectories_are_the_textbooks(experiment):
    assert_same(experiment)


def test_running_statistics_are_the_textbooks():
    experiment = Experiment(
        task="moons", samples=20, depth=3, width=5, normalization="batch", activation="tanh", runs=1, epochs=10,
        clip="norm",
    )  # fmt: skip
    group = Training(experiment).groups[0]
    for _ in islice(group.train(), experiment.epochs):
        pass
    running = group.running
    net, _ = by_the_book(experiment, 0)
    norms = [layer for layer in net.learning if isinstance(layer, textbook.BatchNorm)]
    for layer, norm in enumerate(norms):
        np.testing.assert_allclose(running.mean[layer, 0, :, 0], norm.running_mean, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(running.variance[layer, 0, :, 0], norm.running_variance, rtol=1e-10)


def test_pytorch_trains_alike():
    pytest.importorskip("torch")
    from benchmarks import eager

    for case in CASES.values():
        experiment = case.experiment.but(epochs=5)
        torch_norms = list(islice(eager.train(experiment, eager.build(experiment)), 5))
        ours = norms_of(engine(experiment), 0)
        np.testing.assert_allclose(ours, np.array([norms.numpy() for norms in torch_norms]), rtol=1e-8)
