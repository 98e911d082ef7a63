"""Walk: its numbers are those of a plain trainer, its factors multiply to the ratio, its sums and products are right."""

import itertools
import math
import re

import numpy as np
import pytest

from explorer.choices.experiment import SKIPS, Experiment
from explorer.choices.normalizations import NORMALIZATIONS
from explorer.diagnosis.decomposition import decompose
from explorer.diagnosis.walk import of_parameters, parameters_at, walk, walk_epochs
from explorer.diagnosis.walk_graph import FORWARD, MOST_LAYERS, graph
from explorer.sharing.code import walk_code
from explorer.training.network import architecture
from explorer.training.run import train
from tests.textbook import parameters, random_theta, run_pass

NETS = [
    Experiment(task=task, skip=skip, normalization=normalization, depth=5, samples=24, activation="tanh", runs=1)
    for task, skip, normalization in itertools.product(("XOR", "moons"), SKIPS, NORMALIZATIONS)
]
each_net = pytest.mark.parametrize("net", NETS, ids=lambda net: f"{net.task} {net.skip} {net.normalization}")


def size(values):
    return float(np.linalg.norm(values))


def walked(net, sample=3):
    """A walk with parameters away from the start's, and the plain trainer's pass with the same."""
    shape = architecture(net)
    theta = random_theta(shape, 1, np.random.default_rng(1))
    points = net.points()
    return (
        of_parameters(net, theta, seed=0, sample=sample, epoch=0),
        run_pass(net, parameters(shape, theta, 0), points.x, points.y),
    )


@each_net
def test_the_product_of_the_factors_is_the_ratio_of_the_gradients_of_a_plain_trainer(net):
    found, plain = walked(net)
    ratio = size(plain.delta[0][2]) / size(plain.delta[-1][2])
    assert found.ratio == pytest.approx(ratio, rel=1e-12)
    assert found.product == pytest.approx(ratio, rel=1e-12)
    for factor in found.factors:
        assert math.prod(factor.parts.values()) == pytest.approx(factor.total, rel=1e-12)


@each_net
def test_every_number_is_that_of_a_plain_trainer(net):
    found, plain = walked(net)
    for place, layer in enumerate(found.layers[:-1]):
        theirs = {
            "z": plain.z,
            "n": plain.n,
            "a": plain.a,
            "h": plain.h,
            "slope": plain.slope,
            "dh": plain.through_skip,
        }
        theirs |= {"by_weights": plain.through_weights, "dn": plain.through_slope, "dz": plain.delta}
        for name, values in theirs.items():
            np.testing.assert_allclose(
                getattr(layer, name), values[place][2], rtol=1e-9, atol=1e-13, err_msg=f"{name} of layer {place + 1}"
            )
        if layer.by_skip is not None:
            np.testing.assert_allclose(layer.by_weights + layer.by_skip, layer.dh, rtol=1e-12)


def test_a_bias_is_the_weight_of_an_input_that_is_always_1():
    found = walk(Experiment(task="moons", samples=8, depth=3, width=4, bias="usual", skip="one layer"), sample=3)
    inputs = [found.x, *(layer.h for layer in found.layers[:-1])]
    for layer, h in zip(found.layers, inputs, strict=True):
        np.testing.assert_allclose(layer.z, np.append(h, 1.0) @ layer.with_bias, rtol=1e-13)
        # Its gradient is that of a weight: what goes in, here 1, times dL/dz.
        gradient = np.outer(np.append(h, 1.0), layer.dz)
        np.testing.assert_array_equal(gradient[-1], layer.dz)
    box = next(box for box in graph(found).boxes if box.key == "W1")
    assert [len(cells) for _, cells in box.columns] == [3] * 4


def test_there_is_no_walk_through_a_convolution():
    with pytest.raises(ValueError, match="convolution"):
        walk(Experiment(task="signal XOR", layer="convolution"))


@each_net
def test_every_line_of_arithmetic_gives_what_it_says(net):
    """A product of the two numbers before "=", and a sum of the lines above it."""
    number = r"\(?(-?[\d.]+(?:e[-+]\d+)?)\)?"
    checked = 0
    for box in graph(walked(net)[0]).boxes:
        terms = []
        for line in box.arithmetic:
            if product := re.search(rf"= {number} · {number} = {number}$", line):
                one, other, result = map(float, product.groups())
                assert one * other == pytest.approx(result, rel=3e-4), line
                checked += 1
            value = float(re.search(rf"{number}$", line).group(1))
            if "their sum" in line:
                largest = max(map(abs, terms))
                assert sum(terms) == pytest.approx(value, abs=1e-4 * max(largest, 1e-300)), line
                terms = []
            elif line.startswith("  "):
                terms.append(value)
    assert checked > 60


@each_net
def test_every_box_gets_its_numbers_in_one_step_and_every_arrow_has_two_ends(net):
    drawn = graph(walked(net)[0])
    keys = [box.key for box in drawn.boxes]
    assert sorted(keys) == sorted(key for step in drawn.steps for key in step.boxes)
    assert {end for *ends, _ in drawn.edges for end in ends} <= set(keys)
    assert ("skip" in {kind for *_, kind in drawn.edges}) == (net.skip != "none")
    assert {box.code for box in drawn.boxes} - {""} <= set(walk_code(net))


def test_a_deep_net_is_shortened_and_all_its_factors_are_multiplied():
    found = walk(Experiment())
    drawn = graph(found)
    assert [box.layer for box in drawn.boxes if box.column == "z" and box.lane == FORWARD] == [1, 2, 11, 12]
    assert len(found.factors) == 11 and len(drawn.multiplied) == 12
    for more, most in zip(({}, {"skip": "one layer"}, {"skip": "one layer", "normalization": "layer"}), MOST_LAYERS.values(), strict=True):  # fmt: skip
        assert graph(walk(Experiment(depth=most - 1, **more))).factors.keys() == set(range(1, most))
        assert len(graph(walk(Experiment(depth=most, **more))).factors) == most - 2


def test_one_sample_alone_has_the_factors_that_why_has():
    net = Experiment(task="XOR", samples=8, depth=4, runs=1, epochs=1, normalization="layer", skip="one layer")
    history = train(net)
    shares = [walk(net, sample=sample) for sample in range(1, 5)]
    squares = sum(np.array([size(layer.dz) ** 2 / len(layer.dz) for layer in each.layers]) for each in shares)
    np.testing.assert_allclose(history.measures["delta"][0, 0], np.sqrt(squares / 4), rtol=1e-12)
    assert set(shares[0].factors[0].parts) == set(decompose(history, 0).parts)


def test_the_end_of_training_is_that_of_the_same_seed_among_others():
    net = Experiment(depth=2, width=4, runs=3, epochs=200, seed=5)
    history = train(net)
    for epoch in (0, 200):
        answers = [walk(net, seed=6, sample=sample, epoch=epoch).answer for sample in (1, 2, 3, 4)]
        np.testing.assert_allclose(answers, history.answers[1, history.at(epoch)], rtol=1e-9)


def test_an_exact_zero_and_an_overflow_are_said_and_no_product_is_made_up():
    net = Experiment(activation="ReLU", depth=3, width=4, runs=1)
    theta, _ = parameters_at(net, 0, 0)
    theta[1, 0, :4] = -1.0  # layer 2: dead for this sample
    theta[1, 0, 4] = -1.0
    found = of_parameters(net, theta, seed=0, sample=4, epoch=0)
    assert found.ratio == 0.0 == found.product
    assert [factor.nothing for factor in found.factors] == [False, False, True]
    assert "exactly 0" in graph(found).result and graph(found).factors[1] == ("nothing arrives", [])
    passed_by = of_parameters(net.but(skip="one layer"), theta, seed=0, sample=4, epoch=0)
    assert passed_by.ratio > 0 and math.isnan(passed_by.product)
    assert "There is no product" in graph(passed_by).result
    theta[0, 0, :2] = 1e308  # layer 1 overflows
    theta[1, 0, :4] = 1e308
    assert {"∞", "NaN"} & {cell for box in graph(of_parameters(net, theta, seed=0, sample=4, epoch=0)).boxes for _, cells in box.columns for cell in cells}  # fmt: skip


def test_epochs_are_bounded_by_time():
    assert walk_epochs(Experiment(epochs=3)) == [0, 1, 2, 3]
    assert walk_epochs(Experiment(task="moons", batch="1", samples=2048, width=64, epochs=1_000_000))[-1] < 100
    with pytest.raises(ValueError, match="sample must be a whole number from 1 to 4"):
        walk(Experiment(), sample=5)
    wild = Experiment(task="curve", activation="linear", depth=4, learning_rate=100, epochs=9)
    assert walk(wild, epoch=1).lost is walk(wild, epoch=1).ending is None
    lost = walk(wild, epoch=9)
    assert lost.ending == train(wild.but(runs=1)).endings[0] and lost.epoch == lost.ending.epoch
    assert lost.lost == (lost.ending.quantity, lost.ending.layer)


@pytest.mark.parametrize("width", [6, 7])
def test_up_to_six_units_the_entries_are_written_out_beyond_them_the_norm(width):
    drawn = graph(walk(Experiment(depth=2, width=width)))
    (z,) = [box for box in drawn.boxes if box.key == "z1"]
    assert len(z.columns[0][1]) == (6 if width == 6 else 1)
    assert bool(z.arithmetic) == (width == 6)
