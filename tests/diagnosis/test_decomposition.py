"""Why: the parts multiply to the whole, and the whole is what was measured."""

import numpy as np

from explorer import Experiment, train
from explorer.choices.activations import ACTIVATIONS
from explorer.diagnosis.decomposition import decompose
from tests.work import every_two

SMALL = Experiment(task="moons", samples=32, depth=5, width=8, epochs=20, runs=4, initializer="Glorot normal")


@every_two(activation=ACTIVATIONS, normalization=["none", "batch", "layer"], skip=["none", "one layer", "two layers"])
def test_parts_add_up_to_the_measured_ratio(activation, normalization, skip):
    history = train(SMALL.but(activation=activation, normalization=normalization, skip=skip))
    for record in (0, len(history.epochs) - 1):
        why = decompose(history, record)
        delta = history.measures["delta"][:, record]
        usable = ((delta > 0) & np.isfinite(delta)).all(axis=1)
        assert why.seeds == usable.sum()
        if not usable.any():
            continue
        np.testing.assert_allclose(sum(why.parts.values()), why.total, rtol=1e-11, atol=1e-11)
        measured = np.log10(delta[usable, :-1] / delta[usable, 1:]).mean(axis=0)
        np.testing.assert_allclose(why.total, measured, rtol=1e-11, atol=1e-11)


def test_only_parts_that_the_network_has_are_named():
    assert set(decompose(train(SMALL), 0).parts) == {"weights", "slope"}
    assert set(decompose(train(SMALL.but(skip="one layer")), 0).parts) == {"weights", "skip", "slope"}
    assert set(decompose(train(SMALL.but(normalization="layer")), 0).parts) == {"weights", "slope", "normalization"}


def test_a_linear_net_loses_nothing_to_its_slope():
    why = decompose(train(SMALL.but(activation="linear")), 0)
    np.testing.assert_allclose(why.parts["slope"], 0, atol=1e-12)


def test_sigmoids_slope_takes_at_least_a_factor_of_four():
    why = decompose(train(SMALL.but(activation="sigmoid")), 0)
    assert (why.parts["slope"] <= np.log10(0.25) + 1e-12).all()


def test_without_a_single_usable_seed_there_are_numbers_of_no_seed():
    why = decompose(train(SMALL.but(initializer="zeros", activation="tanh")), 0)
    assert why.seeds == 0
    assert why.total.shape == (SMALL.depth,)


def test_diverged_seeds_do_not_count():
    wild = SMALL.but(activation="ReLU", initializer="normal", width=64, learning_rate=5.0, epochs=50)
    history = train(wild)
    assert "diverged" in history.outcome
    assert decompose(history, len(history.epochs) - 1).seeds == sum(ending is None for ending in history.endings)
