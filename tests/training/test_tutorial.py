"""The tutorial's two XOR programs and the classroom pair, with the recipe's own numbers."""

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.training.network import architecture
from explorer.training.run import Training
from tests.work import few

# Two inputs, eleven hidden layers of four sigmoid units, weights and biases from U(0, 1); Adam, one update a sample.
RECIPE = Experiment(
    task="XOR",
    depth=11,
    width=4,
    activation="sigmoid",
    initializer="positive uniform",
    optimizer="Adam",
    learning_rate=1e-3,
    batch="1",
    order="fixed",
    epochs=100_000,
    runs=20,
    seed=0,
)


def test_the_net_has_217_parameters():
    shape = architecture(RECIPE)
    counts = [shape.parameters(layer) for layer in range(shape.layers)]
    assert counts == [12] + [20] * 10 + [5]
    assert sum(counts) == 217


def test_samples_come_in_the_tutorials_order():
    group = Training(RECIPE.but(runs=1)).groups[0]
    seen = [network.x[0, :, 0].tolist() for network, _ in group._batches()]
    assert seen == [[0, 0], [0, 1], [1, 0], [1, 1]]


# Eight seeds train at once; the tutorial's twenty take more than twice as long.
EIGHT_OR_ALL = pytest.mark.parametrize("runs", few([8, RECIPE.runs], [8]))


@EIGHT_OR_ALL
def test_the_plain_net_stays_at_one_half_in_every_seed(runs):
    h = train(RECIPE.but(runs=runs))
    # From U(0, 1) the answers start near 1. Within 1,000 epochs they fall to 1/2, and there they stay: every
    # recorded loss from then on, in every seed, lies between .5 (all answers 1/2) and .5003.
    settled = h.loss[:, h.at(1000) :]
    assert settled.min() >= 0.5 - 1e-12
    assert settled.max() <= 0.5003
    np.testing.assert_allclose(h.answers[:, -1], 0.5, atol=1e-3)
    assert set(h.outcome) == {"stuck"}


@EIGHT_OR_ALL
def test_the_residual_net_solves_at_least_seventy_percent(runs):
    h = train(RECIPE.but(skip="one layer", runs=runs))
    assert (h.loss[:, 0] > 0.9999).all()  # outputs saturated at 1: half of two squared errors
    assert (h.loss[:, -1] < 0.01).mean() >= 0.7


# Share of 100 seeds that solve it (loss < .01 after 100,000 epochs), by the tutorial's NL: layers between the first
# hidden one and the output, so that depth is NL + 1.
PUBLISHED = {
    "none": {0: 0.98, 2: 0.68, 4: 0.70, 6: 0.74, 7: 0.44, 8: 0.06, 9: 0.01, 10: 0.00},
    "one layer": {2: 0.98, 8: 0.99, 10: 0.87},
}
CURVE = [(skip, layers) for skip, shares in PUBLISHED.items() for layers in shares]


def assert_within_two_standard_errors(skip, layers, runs):
    h = Training(RECIPE.but(depth=layers + 1, skip=skip, runs=runs), record_at=[0, RECIPE.epochs])
    h.advance(float("inf"))
    solved, known = int((h.history().loss[:, -1] < 0.01).sum()), PUBLISHED[skip][layers]
    together = (solved + 100 * known) / (runs + 100)
    error = np.sqrt(together * (1 - together) * (1 / runs + 1 / 100))
    assert abs(solved / runs - known) <= 2 * error, f"{solved} of {runs} solve it, published: {known:.0%} of 100"


@pytest.mark.long
@pytest.mark.parametrize(("skip", "layers"), CURVE)
def test_the_whole_depth_curve_is_as_published(skip, layers):
    assert_within_two_standard_errors(skip, layers, 100)


def test_the_loss_the_tutorial_prints_is_a_little_above_one_half(in_numpy):
    # It adds up each sample's loss before its own update; published: .500135.
    e = RECIPE.but(epochs=6000, runs=4)
    group, y = Training(e).groups[0], [0.0, 1.0, 1.0, 0.0]
    network, printed = group.networks[1], np.zeros((e.epochs, 4))
    for update, _ in enumerate(group.train()):
        answer = e.output.f(network.z_out, np.empty_like(network.z_out))[:, 0, 0]
        printed[update // 4] += (answer - y[update % 4]) ** 2 / 2
    assert ((printed[-1000:] > 0.5) & (printed[-1000:] < 0.5003)).all()


def test_the_classroom_pair():
    e = Experiment(runs=24, epochs=20_000)
    assert (e.activation, e.initializer, e.learning_rate, e.depth) == ("sigmoid", "uniform", 0.1, 11)
    plain, residual = train(e), train(e.but(skip="one layer"))
    assert plain.outcome.count("solved") == 0
    assert residual.outcome.count("solved") >= 22
    # And the gradient is why: what reaches the first layer, against the last.
    ratio = [np.median(h.measures["delta"][:, 0, 0] / h.measures["delta"][:, 0, -1]) for h in (plain, residual)]
    assert ratio[0] < 1e-6
    assert ratio[1] > 1e-3
