import numpy as np
import pytest

from explorer.choices.datasets import DATASETS, OWN, XOR_INPUTS, XOR_TARGETS, Data, standardize
from explorer.choices.experiment import Experiment
from explorer.choices.losses import LOSSES

MADE = {name: entry for name, entry in DATASETS.items() if entry.make is not None}
each = pytest.mark.parametrize("dataset", MADE.values(), ids=str)


def make(dataset, samples=200, noise=0.1, seed=0):
    return dataset.make(np.random.default_rng(seed), samples, noise)


def nearest_neighbour_accuracy(data):
    distance = ((data.x[:, None] - data.x[None]) ** 2).sum(-1)
    np.fill_diagonal(distance, np.inf)
    return (data.y[distance.argmin(1)] == data.y).mean()


@each
def test_shapes_names_and_kinds_of_numbers_fit(dataset):
    data = make(dataset)
    samples = 200 if dataset.sized else len(XOR_INPUTS)
    assert data.x.shape == (samples, dataset.inputs)
    assert data.y.shape == (samples,)
    assert data.x.dtype == data.y.dtype == np.float64
    assert np.isfinite(data.x).all()
    assert np.isfinite(data.y).all()


@each
def test_classes_are_two_and_balanced(dataset):
    data = make(dataset)
    if dataset.regression:
        assert data.class_names == ()
        assert len(np.unique(data.y)) > 10
    else:
        assert len(data.class_names) == 2
        assert set(data.y) == {0.0, 1.0}
        assert data.y.mean() == 0.5


@each
def test_one_generator_gives_one_data_set(dataset):
    assert make(dataset) == make(dataset)
    assert hash(make(dataset)) == hash(make(dataset))


@each
def test_noise_and_size_count_exactly_where_it_says_so(dataset):
    assert (make(dataset, noise=0.1) != make(dataset, noise=0.2)) == dataset.noisy
    assert (len(make(dataset, samples=50).y) == 50) == dataset.sized


@each
def test_inputs_are_standardized_where_they_are_drawn(dataset):
    if not dataset.sized:
        pytest.skip("four given points")
    data = make(dataset)
    each = None if dataset.signal else 0  # a signal has one scale for all places
    np.testing.assert_allclose(data.x.mean(each), 0, atol=1e-13)
    np.testing.assert_allclose(data.x.std(each), 1, rtol=1e-13)


@pytest.mark.parametrize("samples", [8, 32, 44, 100, 128])
def test_spikes_stand_everywhere_in_a_signal_and_tell_their_place_nothing_of_the_answer(samples):
    dataset = DATASETS["signal XOR"]
    data = dataset.make(np.random.default_rng(0), samples, 0.0)
    first = np.abs(data.x).argsort(axis=1)[:, -2:].min(axis=1)
    ends = {int(first.min()), int(first.max())}
    assert ends == {0, dataset.inputs - 2}
    for place in set(first):
        answers = data.y[first == place]
        assert len(answers) % 4 or answers.mean() == 0.5


@each
def test_a_quiet_data_set_can_be_learnt(dataset):
    if dataset.regression or not dataset.sized:
        pytest.skip("no clouds")
    assert nearest_neighbour_accuracy(make(dataset, noise=0.02)) > 0.95


@each
def test_more_noise_makes_it_harder(dataset):
    if dataset.regression or not dataset.noisy:
        pytest.skip("no classes to mix")
    quiet, loud = (
        np.mean([nearest_neighbour_accuracy(make(dataset, noise=n, seed=s)) for s in range(5)]) for n in (0.02, 1)
    )
    assert loud < quiet - 0.05


@each
@pytest.mark.parametrize("samples", [8, 9])
def test_few_samples_or_an_odd_number_work(dataset, samples):
    data = make(dataset, samples=samples)
    assert np.isfinite(data.x).all()
    assert len(np.unique(data.y)) >= 2


def test_xor_is_xor():
    assert {tuple(x): y for x, y in zip(XOR_INPUTS, XOR_TARGETS, strict=True)} == {
        (a, b): a + b - 2 * a * b for a in (0.0, 1.0) for b in (0.0, 1.0)
    }
    data = make(DATASETS["XOR"])
    assert np.array_equal(data.x, XOR_INPUTS)
    assert np.array_equal(data.y, XOR_TARGETS)


def test_xor_comes_in_the_tutorials_order():
    assert XOR_INPUTS.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_a_caller_cannot_spoil_xor_for_the_next():
    make(DATASETS["XOR"]).x[:] = 7
    assert np.array_equal(make(DATASETS["XOR"]).x, XOR_INPUTS)


def test_the_curve_is_a_sine_where_there_is_no_noise():
    data = make(DATASETS["curve"], noise=0.0)
    x = data.x[:, 0] / data.x[:, 0].max()
    np.testing.assert_allclose(data.y, np.sin(1.5 * np.pi * x), atol=1e-12)


@pytest.mark.parametrize("name", ["circles", "moons", "spirals", "noisy XOR"])
def test_a_straight_line_cannot_part_it(name):
    data = make(DATASETS[name], noise=0.02)
    design = np.c_[data.x, np.ones(len(data.y))]
    weights = np.linalg.lstsq(design, 2 * data.y - 1, rcond=None)[0]
    assert ((design @ weights > 0) == (data.y > 0.5)).mean() < 0.92


def test_a_straight_line_parts_blobs():
    data = make(DATASETS["blobs"], noise=0.02)
    assert ((data.x.sum(1) > 0) == (data.y > 0.5)).all()


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=str)
def test_the_usual_loss_exists_and_fits(dataset):
    assert LOSSES[dataset.loss].regression or not dataset.regression


def test_own_data_are_used_as_given():
    data = Data(np.arange(12.0).reshape(6, 2), np.array([0.0, 1, 0, 1, 1, 0]))
    assert Experiment(task=OWN, data=data).points() is data


def test_data_are_equal_when_their_numbers_are():
    x, y = np.arange(12.0).reshape(6, 2), np.array([0.0, 1, 0, 1, 1, 0])
    assert Data(x, y) == Data(x.copy(), y.copy())
    assert hash(Data(x, y)) == hash(Data(x.copy(), y.copy()))
    assert Data(x, y) != Data(x, 1 - y)
    assert Data(x, y) != Data(np.nextafter(x, 99), y)
    assert Data(x, y) != "data"


def test_standardize_gives_mean_zero_and_deviation_one():
    x = standardize(np.random.default_rng(0).normal(5, 3, (40, 2)))
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-14)
    np.testing.assert_allclose(x.std(0), 1, rtol=1e-14)
