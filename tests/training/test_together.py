"""Experiments of equal shape train together, and each has the numbers that it has alone, to the last digit."""

from itertools import groupby

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.choices.activations import ACTIVATIONS
from explorer.choices.clipping import CLIPPERS
from explorer.choices.datasets import Data
from explorer.choices.experiment import CONTROLS, SKIPS
from explorer.choices.initializers import INITIALIZERS
from explorer.choices.normalizations import NORMALIZATIONS
from explorer.choices.optimizers import OPTIMIZERS
from explorer.training.group import Group
from explorer.training.recording import Records
from explorer.training.run import Training, group_size
from tests.work import each_once, every_two, few

SCALARS = ("loss", "accuracy", "error", "gradient_norm", "clip_factor", "clipped_share")
MOONS = Experiment(
    task="moons", samples=21, depth=4, width=5, activation="tanh", initializer="LeCun", epochs=12, runs=3
)

# One of everything that may differ, in no order; the last diverges wherever z is not bounded.
MIX = (
    {},
    {"initializer": "orthogonal", "clip": "norm", "threshold": 0.1, "runs": 4},
    {"initializer": "He normal", "gain": 1.5, "runs": 2, "seed": 7},
    {"clip": "value", "threshold": 0.01, "runs": 1},
    {"initializer": "uniform", "bias": "zeros", "learning_rate": 0.5, "runs": 1, "seed": 3},
    {"clip": "norm", "threshold": 0.03, "learning_rate": 0.01, "seed": 2},
    {"clip": "value", "threshold": 0.001, "learning_rate": 1.0, "runs": 2},
    {"initializer": "normal", "gain": 100.0, "learning_rate": 1000.0, "runs": 2},
)


def mixed(base):
    return [base.but(**change) for change in MIX]


def together(*experiments, **options):
    training = Training(*experiments, **options)
    training.advance(float("inf"))
    return training


def assert_same(one, other):
    """Two histories, number by number: not one bit differs."""
    assert one.experiment == other.experiment
    assert one.endings == other.endings
    assert one.target_variance == other.target_variance
    found = [(name, getattr(one, name), getattr(other, name)) for name in ("epochs", *SCALARS)]
    found += [(name, values, other.measures[name]) for name, values in one.measures.items()]
    if one.answers is not None or other.answers is not None:
        found.append(("answers", one.answers, other.answers))
    for name, values, expected in found:
        assert values.shape == expected.shape, name
        assert np.array_equal(values, expected, equal_nan=True), name


def assert_each_as_alone(training):
    for index, experiment in enumerate(training.experiments):
        assert_same(training.history(index), train(experiment))


# --- the law ------------------------------------------------------------------------------------
# It holds bit for bit, also where a run is alone in its group on one side and not on the other
# (np.dot on 2-D views against np.matmul on a stack: the same products by the same kernels).


@each_once(optimizer=OPTIMIZERS, batch=["full", "8", "1"])
def test_each_experiment_has_the_numbers_it_has_alone(optimizer, batch):
    assert_each_as_alone(together(*mixed(MOONS.but(optimizer=optimizer, batch=batch))))


EVERY_KIND = [
    pytest.param({name: option}, id=f"{name}: {option}")
    for name, options in {
        "activation": ACTIVATIONS,
        "skip": SKIPS,
        "task": ("XOR", "curve"),
        "depth": (1, 30),
        "width": (2, 8, 16),
        "samples": (8, 64),
    }.items()
    for option in options
]


@pytest.mark.parametrize("batch", few(["full", "8", "1"], ["8"]))
@pytest.mark.parametrize("change", EVERY_KIND)
def test_so_it_has_with_every_kind_of_network_and_task(change, batch):
    assert_each_as_alone(together(*mixed(MOONS.but(batch=batch, **change))))


@every_two(normalization=NORMALIZATIONS, activation=["ReLU", "randomized ReLU"], batch=["full", "8"])
def test_so_it_has_with_every_normalization(normalization, activation, batch):
    base = MOONS.but(normalization=normalization, activation=activation, batch=batch, skip="two layers")
    assert_each_as_alone(together(*mixed(base)))


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_so_it_has_with_every_initializer(initializer):
    others = [
        MOONS.but(initializer=initializer, gain=gain, bias=bias) for gain in (1, 2) for bias in ("usual", "zeros")
    ]
    assert_each_as_alone(together(MOONS, *others))


def test_so_it_has_without_biases():
    assert_each_as_alone(together(*[e.but(bias="none") for e in mixed(MOONS.but(bias="none")) if e.bias == "none"]))


@pytest.mark.parametrize("base", [MOONS, MOONS.but(activation="randomized ReLU", batch="8")], ids=["plain", "random"])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_so_it_has_however_groups_are_cut(size, base, monkeypatch):
    alone = [train(e) for e in mixed(base)]
    monkeypatch.setattr("explorer.training.run.group_size", lambda experiment: size)
    training = together(*mixed(base))
    assert len(training.groups) == -(-sum(e.runs for e in training.experiments) // size)
    for index, expected in enumerate(alone):
        assert_same(training.history(index), expected)


def test_so_it_has_in_nets_so_wide_that_every_run_is_a_group():
    base = Experiment(task="moons", width=48, depth=12, activation="ReLU", initializer="He normal", epochs=4, runs=2)
    assert group_size(base) == 1
    assert_each_as_alone(together(base, base.but(clip="norm", threshold=0.1, seed=9), base.but(learning_rate=0.01)))


def test_so_it_has_where_squares_underflow():
    # The whole gradient is shorter than 1e-140: its length is found another way, which must not see the company either.
    base = Experiment(
        task="curve", samples=9, depth=50, width=3, activation="linear", initializer="small normal", gain=0.05,
        bias="none", epochs=3,
    )  # fmt: skip
    training = together(*(base.but(runs=runs, seed=seed) for runs, seed in ((1, 0), (2, 5), (6, 9))))
    for index in range(3):
        assert (training.history(index).gradient_norm > 0).all()
        assert (training.history(index).gradient_norm < 1e-140).all()
    assert_each_as_alone(training)


def test_so_it_has_when_it_is_trained_in_tiny_slices():
    sliced = Training(*mixed(MOONS))
    while not sliced.advance(0.0):
        for index in range(len(MIX)):
            sliced.history(index)
    assert_each_as_alone(sliced)


def test_the_order_of_the_experiments_does_not_matter():
    forward, backward = together(*mixed(MOONS)), together(*reversed(mixed(MOONS)))
    for index in range(len(MIX)):
        assert_same(forward.history(index), backward.history(len(MIX) - 1 - index))


def test_the_same_experiment_may_come_twice():
    training = together(MOONS, MOONS.but(learning_rate=1.0), MOONS)
    assert_same(training.history(0), training.history(2))


def test_one_experiment_alone_is_what_it_was():
    assert_same(together(MOONS).history(), train(MOONS))


# --- one that diverges --------------------------------------------------------------------------

SOUND = MOONS.but(activation="ReLU", initializer="He normal", learning_rate=0.01)
DIVERGING = SOUND.but(initializer="normal", gain=100.0, learning_rate=1000.0, seed=1)


@pytest.mark.parametrize("clip", CLIPPERS)
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_an_experiment_that_diverges_ends_alone(optimizer, clip):
    first, last = (SOUND.but(optimizer=optimizer, clip=clip, threshold=threshold) for threshold in (0.1, 2.0))
    training = Training(first, DIVERGING.but(optimizer=optimizer), last)
    broken = training.records.places[1].start + 1
    training.groups[0].theta[1, broken, 0, 0] = np.inf
    training.advance(float("inf"))
    ends = training.history(1).endings
    assert ends[1] is not None and ends[1].epoch == 0
    assert np.isnan(training.history(1).loss[1, 1:]).all()
    for index, experiment in ((0, first), (2, last)):
        assert training.history(index).endings == (None,) * 3
        assert_same(training.history(index), train(experiment))


def test_an_ending_is_noted_with_the_run_and_the_epoch_it_has_alone():
    wild = Experiment(
        task="curve", samples=20, depth=3, width=8, activation="linear", initializer="LeCun", epochs=300, runs=6,
        learning_rate=0.9,
    )  # fmt: skip
    training = together(wild.but(learning_rate=0.01), wild, wild.but(clip="norm", threshold=0.5))
    ended = [ending for ending in training.history(1).endings if ending is not None]
    assert ended
    assert len({ending.epoch for ending in ended}) > 1
    assert training.history(0).endings == training.history(2).endings == (None,) * 6
    assert_each_as_alone(training)


def test_training_goes_on_when_one_experiment_has_diverged_in_all_its_runs():
    training = Training(SOUND, DIVERGING)
    training.groups[0].theta[:, training.records.places[1]] = np.nan
    training.advance(float("inf"))
    assert training.history(1).outcome == ["diverged"] * 3
    assert training.complete
    assert training.history(0).complete and training.history(1).complete
    assert_same(training.history(0), train(SOUND))


# --- what is asked of a training ----------------------------------------------------------------


def test_experiments_are_kept_in_the_order_in_which_they_came():
    training = Training(*mixed(MOONS))
    assert training.experiments == tuple(mixed(MOONS))
    assert training.experiment == MOONS
    assert [training.history(index).experiment for index in range(len(MIX))] == mixed(MOONS)


def test_every_run_of_every_experiment_has_a_row_of_its_own():
    training = Training(*mixed(MOONS))
    rows = training.records.rows
    assert sorted(row for place in training.records.places for row in range(place.start, place.stop)) == [*range(18)]
    for experiment, place in zip(training.experiments, training.records.places, strict=True):
        expected = [(experiment, experiment.seed + run) for run in range(experiment.runs)]
        assert rows[place] == expected
    covered = [row for group in training.groups for row in range(group.runs.start, group.runs.stop)]
    assert covered == [*range(18)]


def test_runs_that_are_clipped_alike_lie_side_by_side():
    clippers = [row.experiment.clip for row in Training(*mixed(MOONS)).records.rows]
    assert len([*groupby(clippers)]) == len(set(clippers)) == 3


def test_answers_are_those_of_the_experiment_that_is_asked():
    training, x = together(*mixed(MOONS)), np.random.default_rng(0).normal(size=(7, 2))
    for index, experiment in enumerate(training.experiments):
        alone = together(experiment)
        for run in range(experiment.runs):
            assert np.array_equal(training.answers(x, run, index), alone.answers(x, run), equal_nan=True)


def test_a_learning_rate_that_all_share_stays_a_number():
    same, different = Training(MOONS, MOONS.but(gain=2.0)), Training(MOONS, MOONS.but(learning_rate=1.0))
    assert same.groups[0].rate == MOONS.learning_rate
    assert np.shape(different.groups[0].rate) == (6, 1, 1)


def test_a_history_in_between_is_a_beginning_of_the_whole():
    training = Training(*mixed(MOONS))
    training.advance(0.0)
    early = [training.history(index) for index in range(len(MIX))]
    kept = [history.loss.copy() for history in early]
    training.advance(float("inf"))
    for index, (history, loss) in enumerate(zip(early, kept, strict=True)):
        assert np.isfinite(loss[:, 0]).all() or index == len(MIX) - 1
        assert np.array_equal(history.loss, loss, equal_nan=True)
        assert np.array_equal(training.history(index).loss[:, : loss.shape[1]], loss, equal_nan=True)


# --- a part of a training -----------------------------------------------------------------------

WIDE = Experiment(task="moons", width=48, depth=12, activation="ReLU", initializer="He normal", epochs=6, runs=2)


def test_a_part_knows_only_its_own_experiments():
    training = together(*mixed(MOONS))
    part = training.of(3, 1)
    assert part.experiments == (MOONS.but(**MIX[3]), MOONS.but(**MIX[1]))
    assert part.experiment == MOONS.but(**MIX[3])
    assert_same(part.history(), training.history(3))
    assert_same(part.history(1), training.history(1))
    x = np.zeros((1, 2))
    assert np.array_equal(part.answers(x, 2, 1), training.answers(x, 2, 1))


def test_a_part_is_the_same_training_and_advances_only_what_it_holds():
    training = Training(WIDE, WIDE.but(seed=10), WIDE.but(seed=20))
    part = training.of(1)
    assert len(part.groups) == 2 < len(training.groups)
    part.advance(float("inf"))
    assert part.complete and part.progress == 1.0
    assert not training.complete and training.progress == 0.0
    assert_same(training.history(1), train(WIDE.but(seed=10)))
    training.advance(float("inf"))
    assert_each_as_alone(training)


def test_parts_of_one_group_share_what_is_done_for_it():
    training = Training(MOONS, MOONS.but(seed=10))
    training.of(0).advance(float("inf"))
    assert training.of(1).complete
    assert_each_as_alone(training)


def test_groups_that_are_at_their_end_let_go_while_others_go_on():
    training = Training(WIDE, WIDE.but(seed=10))
    held = training.nbytes
    training.of(0).advance(float("inf"))
    training.release()
    assert not training.complete
    assert training.nbytes < 0.7 * held
    training.advance(float("inf"))
    assert_each_as_alone(training)


# --- what fits together -------------------------------------------------------------------------

OTHER = {
    "task": "circles", "samples": 30, "noise": 0.3, "depth": 5, "width": 6, "activation": "ReLU", "bias": "none",
    "normalization": "layer", "skip": "one layer", "optimizer": "Adam", "loss": "mean squared error", "batch": "8",
    "order": "fixed", "epochs": 13,
}  # fmt: skip


def test_every_setting_either_may_differ_or_is_tried_here():
    tried = {*OTHER} - {"bias"} | {"layer"}  # the last one below, as it needs a signal
    assert tried == {name for name, control in CONTROLS.items() if not control.per_run}


def test_convolutions_and_dense_layers_are_refused_together():
    dense = MOONS.but(task="signal XOR")
    with pytest.raises(ValueError, match=r"^layer = .* and layer = .* cannot train together"):
        Training(dense, dense.but(layer="convolution"))


@pytest.mark.parametrize("name", OTHER)
def test_experiments_that_do_not_fit_together_are_refused_by_name(name):
    other = MOONS.but(**{name: OTHER[name]})
    assert other.shape_key() != MOONS.shape_key()
    with pytest.raises(ValueError, match=rf"^{name} = .* and {name} = .* cannot train together"):
        Training(MOONS, MOONS.but(seed=1), other)


def test_own_data_that_differ_are_refused():
    rng = np.random.default_rng(0)
    one, two = (MOONS.but(task="own data", data=Data(rng.normal(size=(9, 2)), np.arange(9.0) % 2)) for _ in range(2))
    with pytest.raises(ValueError, match=r"^data = "):
        Training(one, two)
    assert_each_as_alone(together(one, one.but(gain=2.0)))


@pytest.mark.parametrize("change", MIX, ids=str)
def test_what_may_differ_is_not_in_the_key(change):
    assert MOONS.but(**change).shape_key() == MOONS.shape_key()


def test_a_key_is_its_own_key():
    for e in (MOONS, MOONS.but(bias="none"), *mixed(MOONS)):
        assert e.shape_key().shape_key() == e.shape_key()


# --- ending early -------------------------------------------------------------------------------

SHORT = pytest.mark.parametrize(
    "e",
    [
        MOONS,
        MOONS.but(batch="8", optimizer="Adam"),
        MOONS.but(normalization="batch", batch="8"),
        MOONS.but(activation="randomized ReLU"),
        MOONS.but(clip="norm", threshold=0.05, optimizer="momentum"),
        Experiment(epochs=50, runs=2),
    ],
    ids=["full batch", "mini-batches", "batch norm", "randomized ReLU", "clipped", "XOR"],
)


@SHORT
def test_the_start_alone_is_the_first_record_of_the_whole(e):
    training, whole = together(e, record_at=[0]), train(e)
    start = training.history()
    assert training.complete and training.progress == 1.0
    assert not start.complete
    assert start.epochs.tolist() == [0]
    for name in SCALARS:
        assert np.array_equal(getattr(start, name), getattr(whole, name)[:, :1], equal_nan=True), name
    for name, values in start.measures.items():
        assert np.array_equal(values, whole.measures[name][:, :1], equal_nan=True), name
    if start.answers is not None:
        assert np.array_equal(start.answers, whole.answers[:, :1])


@SHORT
def test_measuring_the_start_makes_no_update(e):
    training = Training(e, record_at=[0])
    before = training.groups[0].theta.copy()
    training.advance(float("inf"))
    assert np.array_equal(training.groups[0].theta, before)
    rows = slice(0, e.runs)
    assert np.array_equal(before, Group(e, rows, Records([e])).theta)


@SHORT
def test_a_training_that_ends_early_is_the_beginning_of_the_whole(e):
    # As many records on the way as the whole has: randomized ReLU draws new slopes for each of them.
    training = together(e, record_at=list(range(8)))
    history, expected = training.history(), together(e).history()
    assert expected.epochs[:8].tolist() == history.epochs.tolist() == list(range(8))
    assert training.complete and not history.complete
    for name in SCALARS:
        assert np.array_equal(getattr(history, name), getattr(expected, name)[:, :8], equal_nan=True), name
    for name, values in history.measures.items():
        assert np.array_equal(values, expected.measures[name][:, :8], equal_nan=True), name


def test_starts_of_many_experiments_are_measured_together():
    training = together(*mixed(MOONS), record_at=[0])
    for index, e in enumerate(training.experiments):
        whole = train(e)
        for name, values in training.history(index).measures.items():
            assert np.array_equal(values, whole.measures[name][:, :1], equal_nan=True), name


@pytest.mark.parametrize("epochs", [[], [1, 5], [0, 5, 5], [0, 7, 3], [0, 13]])
def test_a_schedule_that_cannot_be_kept_is_refused(epochs):
    with pytest.raises(ValueError, match="record_at"):
        Training(MOONS, record_at=epochs)
