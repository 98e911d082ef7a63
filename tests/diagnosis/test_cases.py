"""Cases that people asked about, and others of their kinds: the word, what the sentence says, what is advised."""

import numpy as np
import pytest

from explorer import Experiment, diagnose, train
from explorer.diagnosis.comparison import compare, compare_gradients
from explorer.diagnosis.facts import facts
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.verdict import VERDICTS
from explorer.stories.scenarios import TUTORIAL
from tests.work import first_of_each

CURVE = Experiment(
    task="curve", depth=2, width=16, activation="tanh", initializer="Glorot normal", learning_rate=0.6, epochs=100
)
MOONS = Experiment(task="moons", depth=3, width=8, activation="tanh", initializer="Glorot normal")
TINY = Experiment(depth=1, width=2, initializer="Glorot uniform", loss="cross-entropy")
ALIKE = MOONS.but(initializer="constant", normalization="layer", depth=4, width=7, samples=32, runs=1, epochs=1)
NORMED = MOONS.but(
    samples=64, depth=25, width=32, activation="ReLU", initializer="He normal", normalization="batch", learning_rate=0.02,
    epochs=60, runs=4,
)  # fmt: skip
ZEROS = Experiment(depth=4, width=8, activation="tanh", initializer="Glorot normal", learning_rate=0.3, epochs=300)
KILLED = Experiment(task="moons", width=8, activation="ReLU", initializer="He normal", learning_rate=1, epochs=300)
CASES = [
    # Batch norm makes it explode: not "healthy" though the loss falls, and skips are what helps
    (NORMED, "exploding", "batch norm", "skip over one layer"),
    (NORMED.but(depth=40, activation="leaky ReLU", width=12, learning_rate=0.1), "exploding", "batch norm", "skip over two layers"),
    (NORMED.but(depth=40, activation="tanh", width=12), "exploding", "batch norm", "skip over one layer"),
    # Units that training killed, and units that were dead before it
    (KILLED, "dead", "off for every sample", "a tenth of the learning rate"),
    (KILLED.but(depth=6, samples=64, learning_rate=3), "dead", "off for every sample", "Adam"),
    (KILLED.but(depth=8, width=16, samples=64, optimizer="momentum"), "dead", "off for every sample", "a tenth of the learning rate"),
    (Experiment(activation="ReLU", learning_rate=1, epochs=500), "dead", "off for every sample", "skip over two layers"),
    (Experiment(activation="ReLU", initializer="He normal", epochs=500, learning_rate=0.1), "dead", "off for every sample", "skip over two layers"),
    (KILLED.but(depth=20, width=4, learning_rate=0.01, optimizer="momentum"), "dead", "off for every sample", "skip over two layers"),
    (KILLED.but(depth=20, width=4, learning_rate=0.01, optimizer="momentum"), "dead", "off for every sample", "four times the width"),
    # Without biases batch norm's shifts are what is missing
    (
        MOONS.but(task="curve", depth=1, activation="SiLU", initializer="normal", bias="none", gain=0.4, learning_rate=2.0, epochs=500),
        "stuck", "hardly better than a constant", "batch norm",
    ),
    (MOONS.but(activation="leaky ReLU", bias="none", samples=64, learning_rate=0.05, epochs=20), "hardly moved", "their own size", "batch norm"),
    # A blow-up that stays finite
    (CURVE.but(runs=16, seed=100), "diverged", "thousandfold", "a tenth of the learning rate"),
    (CURVE.but(activation="ReLU", initializer="He normal", learning_rate=1, epochs=4), "diverged", "thousandfold", "Adam"),
    (CURVE.but(activation="leaky ReLU", initializer="He normal", learning_rate=1, epochs=5), "diverged", "thousandfold", "Adam"),
    (CURVE.but(activation="ELU", initializer="He normal", learning_rate=1, epochs=5), "diverged", "thousandfold", "Adam"),
    (CURVE.but(depth=3, width=12, activation="SELU", initializer="LeCun", learning_rate=0.5, epochs=20), "diverged", "thousandfold", "Adam"),
    (CURVE.but(depth=1, width=20, activation="GELU", initializer="He normal", optimizer="momentum", learning_rate=0.5, epochs=12), "diverged", "infinite or NaN", "Adam"),
    # What updates see is nothing of what the whole data set shows
    (MOONS.but(normalization="batch", batch="1", epochs=30), "batches too small", "every z 0", "larger batches"),
    (TUTORIAL.but(normalization="batch", epochs=200), "batches too small", "every z 0", "larger batches"),
    (MOONS.but(normalization="batch", batch="2", epochs=30), "batches too small", "two samples", "larger batches"),
    (
        MOONS.but(task="circles", activation="ReLU", optimizer="momentum", normalization="batch", batch="1", epochs=20),
        "batches too small", "every z 0", "larger batches",
    ),
    (MOONS.but(task="blobs", normalization="batch", batch="2", epochs=100, activation="ELU"), "batches too small", "two samples", "larger batches"),
    # Saturated by huge steps
    (MOONS.but(width=16, learning_rate=50, epochs=200), "steps too large", "their own size", "a tenth of the learning rate"),
    (
        MOONS.but(task="circles", samples=64, learning_rate=10, epochs=200),
        "steps too large", "their own size", "a tenth of the learning rate",
    ),
    (
        MOONS.but(task="circles", samples=64, depth=2, optimizer="momentum", learning_rate=5, epochs=200),
        "steps too large", "their own size", "a tenth of the learning rate",
    ),
    (
        MOONS.but(task="circles", samples=64, activation="sigmoid", depth=1, learning_rate=100, epochs=200),
        "steps too large", "their own size", "a tenth of the learning rate",
    ),
    (
        MOONS.but(task="spirals", samples=64, depth=2, width=12, activation="sigmoid", initializer="normal", learning_rate=80, epochs=300),
        "steps too large", "their own size", "a tenth of the learning rate",
    ),
    # A gradient that steps took away: no skip, but smaller ones
    (
        MOONS.but(task="noisy XOR", noise=0.2, depth=8, width=4, activation="leaky ReLU", initializer="He uniform", optimizer="Adam", learning_rate=0.09, batch="1", epochs=30),
        "vanishing", "in training", "a tenth of the learning rate",
    ),
    # Small steps, and a straight line
    (TINY.but(learning_rate=0.01, epochs=500), "hardly moved", "their own size", "Adam"),
    (MOONS.but(samples=32, learning_rate=1e-4, epochs=200), "hardly moved", "their own size", "Adam"),
    (MOONS.but(samples=32, activation="ReLU", optimizer="momentum", learning_rate=1e-5, epochs=200), "hardly moved", "moved", "Adam"),
    (Experiment(activation="linear", depth=2, initializer="Glorot normal", epochs=500), "linear", "100%", "leaky ReLU"),
    (MOONS.but(task="circles", activation="linear", optimizer="Adam", learning_rate=0.01, epochs=50), "linear", "best linear", "tanh"),
    (MOONS.but(task="noisy XOR", activation="linear", learning_rate=0.1, epochs=50), "linear", "best linear", "leaky ReLU"),
    (MOONS.but(depth=2, width=3, learning_rate=0.001, epochs=300), "hardly moved", "their own size", "ten times the learning rate"),
    (MOONS.but(task="spirals", samples=64, activation="linear", optimizer="Adam", learning_rate=0.01, epochs=200), "linear", "best linear", "tanh"),
    # Exact zeros, each with its own cause
    (MOONS.but(initializer="zeros", epochs=20), "all zero", "every weight started at 0", "fitting initialization"),
    (MOONS.but(initializer="zeros", activation="ReLU", skip="one layer", epochs=20), "all zero", "started at 0", "fitting initialization"),
    (MOONS.but(initializer="zeros", activation="GELU", depth=1, epochs=20), "all zero", "started at 0", "fitting initialization"),
    (Experiment(activation="linear", gain=2, epochs=50), "saturated output", "the sigmoid", None),
    (Experiment(activation="linear", gain=3, depth=8, epochs=50), "saturated output", "the sigmoid", None),
    # Weights of one sign add up until the output saturates
    (
        Experiment(depth=4, width=10, activation="SiLU", initializer="positive uniform", skip="two layers", loss="mean squared error", epochs=100),
        "saturated output", "the sigmoid", "fitting initialization",
    ),
    (MOONS.but(width=10, activation="softplus", initializer="positive uniform", optimizer="RMSprop", learning_rate=0.08, loss="mean squared error", epochs=80), "saturated output", "the sigmoid", "fitting initialization"),
    (MOONS.but(task="circles", samples=32, initializer="zeros", activation="sigmoid", depth=2, epochs=100), "all zero", "started at 0", "fitting initialization"),
    (ALIKE, "symmetric", "compute the same", "fitting initialization"),
    (
        MOONS.but(task="signal XOR", samples=32, layer="convolution", initializer="constant", width=4, activation="ELU", epochs=30),
        "symmetric", "compute the same", "fitting initialization",
    ),
    (ALIKE.but(activation="sigmoid", width=5, runs=3), "symmetric", "compute the same", "fitting initialization"),
    (ALIKE.but(activation="randomized ReLU", epochs=20, runs=4), "symmetric", "layer norm takes away", "fitting initialization"),
    # Inputs of zeros: one answer where nothing shifts them, and a gradient that layer norm's √ε multiplies in every layer
    (ZEROS.but(bias="none"), "no biases", "the answer 0.5, whatever the weights", "batch norm"),
    (ZEROS.but(bias="none", activation="ReLU", depth=2), "no biases", "whatever the weights", "batch norm"),
    (ZEROS.but(bias="none", activation="GELU", skip="one layer", runs=1), "no biases", "whatever the weights", "batch norm"),
    (ZEROS.but(normalization="layer", activation="GELU", width=4), "exploding", "layer norm divides by", "Adam"),
    (ZEROS.but(normalization="layer", bias="none", activation="SELU", depth=3), "exploding", "layer norm divides by", "batch norm"),
    (ZEROS.but(normalization="layer", activation="ELU", bias="zeros", initializer="uniform"), "exploding", "layer norm divides by", "Adam"),
    (ALIKE.but(activation="ELU", width=11, depth=7, seed=5), "symmetric", "compute the same", "fitting initialization"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("experiment", "word", "says", "advised"), first_of_each(CASES, lambda case: (case[1], case[3]))
)
def test_a_case_gets_its_word_and_the_advice_that_helps(experiment, word, says, advised):
    found = diagnose(train(experiment))
    assert (found.verdict, found.good) == (word, False), found.sentence
    assert says in found.sentence
    assert advised is None or advised in found.advice


@pytest.mark.parametrize("runs", [1, 8])
def test_random_weights_are_all_that_zero_or_equal_ones_need(runs):
    for initializer in ("zeros", "constant"):
        assert diagnose(train(MOONS.but(initializer=initializer, epochs=10, runs=runs))).advice == (
            "fitting initialization",
        )


def test_no_word_advises_a_rectifier_that_dies():
    assert not [name for name, verdict in VERDICTS.items() if "ReLU" in verdict.remedies]


def test_words_speak_of_the_seeds_that_failed():
    third = Experiment(
        task="curve", samples=64, noise=0, depth=10, width=4, activation="ReLU", initializer="He normal", optimizer="Adam",
        learning_rate=0.001, epochs=300, runs=24,
    )  # fmt: skip
    found = diagnose(train(third))
    assert not found.good
    assert f"exactly 0 in {found.facts.signs.zero} of 24 seeds" in found.sentence
    assert f"{found.facts.solved} of 24 seeds solve it" in found.sentence
    some = diagnose(train(Experiment(depth=1, width=2, initializer="uniform", learning_rate=3, epochs=300, runs=16)))
    assert 0 < some.facts.solved < 12
    assert f"{some.facts.solved} of 16 seeds solve it, and the others have a loss of" in some.sentence
    solved = some.history.loss[[word == "solved" for word in some.history.outcome], -1]
    assert some.facts.loss_solved == np.median(solved)


@pytest.mark.parametrize(
    ("initializer", "activation"),
    [("Glorot uniform", "tanh"), ("LeCun", "tanh"), ("orthogonal", "tanh"), ("He uniform", "ReLU"), ("LeCun", "SELU")],
)
def test_a_start_of_the_fitting_variance_is_left_as_it_is(initializer, activation):
    fitting = MOONS.but(initializer=initializer, activation=activation)
    assert REMEDIES["fitting initialization"].change(fitting) == fitting
    assert REMEDIES["fitting initialization"].change(fitting.but(gain=2)) != fitting.but(gain=2)


# --- what changed since the baseline ------------------------------------------------------------

WILD = MOONS.but(activation="ReLU", initializer="normal", width=32, depth=10, gain=3, epochs=10)


@pytest.mark.parametrize("baseline", [Experiment(epochs=10), MOONS.but(epochs=10)])
def test_seeds_that_diverged_are_not_praised_for_their_gradient(baseline):
    both = facts(train(baseline)), facts(train(WILD))
    assert compare(*both).endswith("8 of 8 seeds diverged, where none did before.")
    assert not compare_gradients(*both)


def test_the_gradient_of_another_task_is_no_news():
    both = facts(train(Experiment(epochs=5))), facts(train(MOONS.but(epochs=5)))
    assert not compare_gradients(*both)
    assert "seeds solve it" in compare(*both)


@pytest.mark.parametrize(("batch", "when"), [("16", "in epoch 1"), ("full", "after")])
def test_where_numbers_end_the_update_is_named(batch, when):
    found = facts(train(WILD.but(batch=batch, learning_rate=10)))
    assert found.ended == 8
    assert when in found.first_end


# --- from hidden layer to hidden layer ----------------------------------------------------------


@pytest.mark.parametrize(("width", "depth"), [(16, 6), (5, 9), (32, 3)])
def test_what_a_layer_multiplies_the_gradient_by_leaves_out_the_output(width, depth):
    """Orthogonal weights between hidden layers of equal width turn the gradient; only the output's width costs."""
    level = MOONS.but(activation="linear", initializer="orthogonal", width=width, depth=depth, epochs=1)
    found = diagnose(train(level))
    assert found.facts.log_factor == pytest.approx(0, abs=1e-12)
    assert found.facts.log_ratio < -0.1
    assert "it is multiplied by 1.0" in found.start_sentence


def test_a_single_hidden_layer_has_no_factor():
    assert "multiplied" not in diagnose(train(TINY.but(epochs=1))).start_sentence
