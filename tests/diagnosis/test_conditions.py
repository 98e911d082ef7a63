"""Conditions of advice: what each looks at, on facts of a real training of which one thing is changed."""

from dataclasses import replace

import pytest

from explorer import Experiment, diagnose, train
from explorer.diagnosis import conditions
from explorer.diagnosis.facts import facts
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.verdict import VERDICTS, advice

PLAIN = Experiment(
    task="moons", samples=32, depth=4, width=6, activation="tanh", initializer="Glorot normal", epochs=40, runs=2
)


# Units that died in training: alive before, and weights that moved by half of their size or more.
KILLED = {"dead_start": 0.1, "dead": 0.6, "reach": -1.0, "reach_end": -1.0, "way_first": 0.0}


@pytest.fixture(scope="module")
def plain():
    return facts(train(PLAIN))


def seen(plain, **changes):
    """The facts with other settings or signs."""
    settings = {name: value for name, value in changes.items() if name in PLAIN.settings()}
    signs = {name: value for name, value in changes.items() if name not in settings}
    return replace(plain, experiment=PLAIN.but(**settings), signs=replace(plain.signs, **signs))


@pytest.mark.parametrize(
    ("optimizer", "far"), [("SGD", 0.1), ("momentum", 1.0), ("Nesterov", 1.0), ("RMSprop", 1.0), ("Adam", 1.0)]
)
def test_travel_is_the_sum_of_all_steps_along_a_usual_gradient(plain, optimizer, far):
    assert conditions.travel(seen(plain, optimizer=optimizer, learning_rate=0.025)) == pytest.approx(far)
    assert conditions.travel(seen(plain, optimizer=optimizer, learning_rate=0.025, batch="8")) == pytest.approx(4 * far)


@pytest.mark.parametrize(
    ("changes", "of"),
    [
        ({}, 1.0),
        ({"loss": "mean squared error"}, 0.5),
        ({"loss": "half squared error"}, 32 / 4),  # a sum over samples
        ({"loss": "half squared error", "batch": "8"}, 8 / 4),
        ({"task": "curve"}, 2.0),
        ({"clip": "norm", "threshold": 0.25}, 0.25),
        ({"clip": "norm", "threshold": 9.0}, 1.0),
        ({"clip": "value", "threshold": 0.05}, 0.5),
        ({"optimizer": "Adam", "loss": "half squared error", "clip": "norm", "threshold": 0.01}, 1.0),
    ],
)
def test_a_rate_is_that_of_steps_as_long_whatever_the_losss_unit_and_the_clipping(plain, changes, of):
    assert conditions.rate(seen(plain, learning_rate=0.3, **changes)) == pytest.approx(0.3 * of)


def test_three_remedies_are_advised_at_most_and_of_these_the_first(plain):
    for verdict in VERDICTS.values():
        everything = replace(verdict, remedies=dict.fromkeys(verdict.remedies, conditions.always))
        changing = [name for name in verdict.remedies if REMEDIES[name].change(PLAIN) != PLAIN]
        assert advice(everything, plain) == tuple(changing[:3])


@pytest.mark.parametrize(
    ("holds", "yes", "no"),
    [
        ("steps_took_it_away", {"reach": -1.0, "reach_end": -9.0, "way_first": 0.5}, {"reach": -1.0, "reach_end": -9.0, "way_first": -2.0}),
        ("steps_took_it_away", {"reach": -1.0, "reach_end": -9.0, "way_first": 0.5}, {"reach": -9.0, "reach_end": -9.0, "way_first": 0.5}),
        ("skips_pay", {"reach": -5.0, "reach_end": -5.0, "learning_rate": 0.1}, {"reach": -5.0, "reach_end": -5.0, "learning_rate": 30.0}),
        ("norms_instead", {"reach_end": -5.0, "apart": 0.0, "learning_rate": 0.1}, {"reach_end": -5.0, "apart": 0.0, "learning_rate": 1e-3}),
        ("ten_times_is_fair", {"optimizer": "momentum", "learning_rate": 0.01}, {"optimizer": "momentum", "learning_rate": 0.02}),
        ("ten_times_is_fair", {"optimizer": "Adam", "learning_rate": 0.03}, {"optimizer": "Adam", "learning_rate": 0.05}),
        ("falls_fast", {"falling": 0.1, "loss_best": 0.2, "loss_end": 0.2}, {"falling": 0.1, "loss_best": 0.1, "loss_end": 0.2}),
        ("norm_gets_further", {"activation": "sigmoid", "reach_end": -1.0, "apart": 0.0, "learning_rate": 0.1}, {"reach_end": -1.0, "apart": 0.0, "learning_rate": 0.1}),
        ("bounds_norms_of_zeros", {"task": "XOR", "normalization": "layer", "epochs": 60}, {"task": "moons", "normalization": "layer", "epochs": 60}),
        ("bounds_norms_of_zeros", {"task": "XOR", "normalization": "layer", "epochs": 60}, {"task": "XOR", "normalization": "layer", "epochs": 30}),
        ("does_not_leap", {"learning_rate": 19.0}, {"learning_rate": 21.0}),
        ("adam_is_new", {"optimizer": "Adam", "learning_rate": 0.1}, {"optimizer": "Adam", "learning_rate": 0.01}),
        ("adam_is_new", {"optimizer": "SGD", "learning_rate": 0.01}, {"optimizer": "RMSprop", "learning_rate": 0.01}),
        ("a_tenth_suffices", {"optimizer": "SGD", "learning_rate": 9.0}, {"optimizer": "Adam", "learning_rate": 9.0}),
        ("a_tenth_suffices", {"optimizer": "Adam", "learning_rate": 0.5, "depth": 8}, {"optimizer": "Adam", "learning_rate": 0.5, "depth": 9}),
        ("a_tenth_is_called_for", {"optimizer": "Adam", "learning_rate": 0.1}, {"optimizer": "Adam", "learning_rate": 0.05}),
        ("steps_are_usual", {"learning_rate": 0.5}, {"learning_rate": 0.5, "optimizer": "momentum"}),
        ("died", KILLED | {"reach_end": -9.0, "way_first": -0.7}, KILLED | {"reach_end": -9.0, "way_first": -9.0}),
        ("died", KILLED, KILLED | {"dead_start": 0.5}),
        ("died_by_chance", KILLED | {"dead_start": 0.5}, KILLED),
        ("norm_could_help", {"depth": 3}, {"depth": 2}),
        ("norm_could_help", {"depth": 3}, {"depth": 3, "normalization": "layer"}),
        ("got_not_far", {"stride": -2.5, "way": 0.0}, {"stride": -2.5, "way": 0.5}),
        ("has_few_units", {"width": 3}, {"width": 4}),
        ("differences_add_up", {"depth": 10}, {"depth": 10, "skip": "one layer"}),
        ("steps_are_missing", {"learning_rate": 1e-4, "epochs": 100}, {"learning_rate": 1e-4, "epochs": 99}),
        ("nearly_reaches", {"reach": -4.0, "reach_end": -4.0, "learning_rate": 1e-3, "epochs": 300}, {"reach": -4.0, "reach_end": -4.0, "learning_rate": 1e-3, "epochs": 299}),
        ("nearly_reaches", {"reach": -5.0, "reach_end": -5.0, "epochs": 300}, {"reach": -7.0, "reach_end": -7.0, "epochs": 300}),
        ("bends_in_time", {"task": "noisy XOR", "learning_rate": 0.1}, {"task": "blobs", "learning_rate": 0.1}),
        ("came_back", {"reach": -5.0, "reach_end": 0.0}, {"reach": -5.0, "reach_end": -5.0}),
        ("overshoots", {"loss_best": 0.1, "loss_end": 0.2, "stride": 0.0}, {"loss_best": 0.1, "loss_end": 0.2, "stride": -2.0}),
        ("lacks_shifts", {"bias": "none"}, {"bias": "zeros"}),
        ("lacks_shifts", {"bias": "none"}, {"bias": "none", "batch": "4"}),
        ("norms_enough", {"batch": "8"}, {"batch": "4"}),
        ("norms_batches_without_skips", {"normalization": "batch"}, {"normalization": "batch", "skip": "one layer"}),
        ("bends", {"activation": "linear", "normalization": "layer"}, {"activation": "linear", "normalization": "batch"}),
        ("random_weights_could_learn", {"learning_rate": 0.1}, {"learning_rate": 9.0}),
        ("random_weights_could_learn", {"task": "noisy XOR", "learning_rate": 0.1}, {"task": "noisy XOR", "learning_rate": 1e-5}),
        ("gradient_could_arrive", {"activation": "sigmoid", "depth": 6}, {"activation": "sigmoid", "depth": 7}),
        ("starts_with_a_mean", {"initializer": "positive uniform"}, {"initializer": "Glorot normal"}),
        ("starts_with_a_mean", {"initializer": "positive uniform"}, {"initializer": "positive uniform", "normalization": "layer"}),
        ("norms_instead", {"normalization": "layer", "reach_end": -30.0}, {"normalization": "none", "reach_end": -30.0}),
        ("layers_die_by_chance", {"activation": "ReLU", "width": 3, "depth": 6}, {"activation": "ReLU", "width": 3, "depth": 5}),
        ("layers_die_by_chance", {"activation": "ReLU", "width": 2}, {"activation": "leaky ReLU", "width": 2}),
        ("width_is_missing", {"normalization": "layer", "width": 3, "learning_rate": 0.1}, {"normalization": "layer", "width": 4, "learning_rate": 0.1}),
        ("width_is_missing", {"normalization": "layer", "width": 3, "learning_rate": 0.1}, {"normalization": "layer", "width": 3, "learning_rate": 0.1, "activation": "sigmoid"}),
        ("leaps", {"learning_rate": 30.0, "stride": 0.0}, {"learning_rate": 0.3, "stride": 0.0}),
        ("rose_or_leaps", {"loss_best": 0.1, "loss_end": 0.2}, {"loss_best": 0.2, "loss_end": 0.2}),
        ("grew", {"loss_start": 0.1, "loss_end": 0.21}, {"loss_start": 0.1, "loss_end": 0.19}),
        ("wandered_or_was_pulled", {"way_first": 0.0}, {"way_first": -1.0}),
        ("started_without_bound", {"way_first": -1.0, "activation": "ELU"}, {"way_first": -1.0, "activation": "sigmoid"}),
        ("started_without_bound", {"way_first": -1.0, "activation": "ReLU"}, {"way_first": 0.0, "activation": "ReLU"}),
        ("layers_die_and_there_is_time", {"activation": "ReLU", "width": 2, "epochs": 100, "learning_rate": 0.1}, {"activation": "ReLU", "width": 2, "epochs": 1, "learning_rate": 0.1}),
        ("is_narrow", {"width": 8}, {"width": 9}),
        ("is_deep", {"depth": 3}, {"depth": 2}),
    ],
)  # fmt: skip
def test_a_condition_tells_the_two_apart(plain, holds, yes, no):
    condition = getattr(conditions, holds)
    assert condition(seen(plain, **yes)) and not condition(seen(plain, **no))


@pytest.mark.parametrize(("normalization", "is_linear"), [("none", True), ("batch", True), ("layer", False)])
def test_layer_norm_bends_a_net_whose_activation_does_not(normalization, is_linear):
    asked = PLAIN.but(task="noisy XOR", activation="linear", normalization=normalization, learning_rate=0.3, epochs=30)
    assert (diagnose(train(asked)).verdict == "linear") == is_linear
