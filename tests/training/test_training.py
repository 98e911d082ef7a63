"""Training runs: resumable, repeatable, each seed on its own, and honest about overflow."""

import itertools

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.choices.activations import ACTIVATIONS
from explorer.choices.cells import CELLS
from explorer.choices.clipping import CLIPPERS
from explorer.choices.experiment import SKIPS
from explorer.choices.normalizations import NORMALIZATIONS
from explorer.choices.optimizers import OPTIMIZERS
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.training.network import architecture
from explorer.training.recording import Ending
from explorer.training.run import Training, group_size
from tests.work import each_once

# Inside `advance` overflow is a finding, not an error; tests that go around it must not be noisy either.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

SCALARS = ("loss", "accuracy", "error", "gradient_norm", "clip_factor", "clipped_share")


def everything(history, runs=slice(None), records=slice(None)):
    """All recorded numbers by name, of some runs and records."""
    recorded = {name: getattr(history, name) for name in SCALARS} | history.measures | (history.recurrent_matrix or {})
    if history.answers is not None:
        recorded |= {"answers": history.answers}
    return {name: values[runs, records] for name, values in recorded.items()}


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def assert_close(one, other, tolerance):
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=tolerance, atol=tolerance, err_msg=name)


def moons(**changes):
    usual = {"task": "moons", "samples": 20, "depth": 4, "width": 5, "initializer": "LeCun", "epochs": 12, "runs": 3}
    return Experiment(**{**usual, "activation": "tanh", **changes})


def over_time(**changes):
    usual = {"length": 8, "hidden": 5, "samples": 20, "runs": 3, "epochs": 12, "learning_rate": 0.05}
    return RecurrentExperiment(**{**usual, **changes})


KINDS = {
    "full batch": moons(),
    "mini-batch": moons(batch="8"),
    "one sample, fixed order": moons(batch="1", order="fixed"),
    "randomized ReLU": moons(activation="randomized ReLU"),
    "randomized ReLU, mini-batch": moons(activation="randomized ReLU", batch="8"),
    "batch norm, mini-batch": moons(normalization="batch", batch="8", skip="two layers"),
    "Adam, clipped": moons(optimizer="Adam", clip="norm", threshold=0.1),
    "XOR": Experiment(epochs=60, runs=3),
}
KINDS_OVER_TIME = {
    **{cell: over_time(cell=cell) for cell in CELLS},
    "batches, shuffled": over_time(batch="8"),
    "one at a time, in order": over_time(batch="1", order="fixed", epochs=3),
    "Adam, clipped, cut": over_time(cell="GRU", optimizer="Adam", clip="norm", threshold=0.1, truncation=3),
    "every step counts": over_time(cell="LSTM", task="sine", stack=2),
    "two outputs": over_time(task="copy"),
}
BOTH = KINDS | KINDS_OVER_TIME
each_kind = pytest.mark.parametrize("e", KINDS.values(), ids=KINDS)
each_kind_over_time = pytest.mark.parametrize("e", KINDS_OVER_TIME.values(), ids=KINDS_OVER_TIME)
each_of_both = pytest.mark.parametrize("e", BOTH.values(), ids=BOTH)


# --- the same numbers however it is run -------------------------------------------------------


@each_of_both
def test_the_same_experiment_gives_the_same_numbers(e):
    assert_equal(everything(train(e)), everything(train(e)))


@each_of_both
def test_tiny_slices_give_what_one_go_gives(e):
    sliced, slices = Training(e), 1
    while not sliced.advance(0.0):
        slices += 1
    assert slices >= min(e.epochs, 10)
    assert_equal(everything(sliced.history()), everything(train(e)))


@each_kind
def test_a_training_can_wait_while_others_run(e):
    interrupted = Training(e)
    while not interrupted.advance(0.0):
        Training(e.but(seed=99)).advance(0.0)
    assert_equal(everything(interrupted.history()), everything(train(e)))


def last_parameters(e, epochs=None):
    training = Training(e, record_at=epochs)
    training.advance(float("inf"))
    return training.groups[0].theta


@each_of_both
def test_the_schedule_of_records_does_not_influence_training(e):
    dense = last_parameters(e)
    assert np.array_equal(last_parameters(e, [0, e.epochs // 2, e.epochs]), dense)
    assert np.array_equal(last_parameters(e, [0, e.epochs]), dense)


@each_once(clip=CLIPPERS, optimizer=OPTIMIZERS)
def test_nor_does_it_with_any_clipping_and_optimizer(clip, optimizer):
    e = moons(clip=clip, threshold=0.05, optimizer=optimizer, epochs=30)
    dense = last_parameters(e)
    assert np.array_equal(last_parameters(e, [0, 30]), dense)


@each_kind
def test_a_longer_training_begins_like_a_shorter_one(e):
    long = train(e.but(epochs=e.epochs + 7))
    short = train(e)
    common = [r for r, epoch in enumerate(short.epochs) if epoch in long.epochs]
    at = [long.at(short.epochs[r]) for r in common]
    assert len(common) > 10
    assert_equal(everything(short, records=common), everything(long, records=at))


@each_kind
def test_groups_of_runs_give_what_one_array_gives(e, monkeypatch):
    whole = train(e)
    monkeypatch.setattr("explorer.training.run.group_size", lambda experiment: 2)
    parts = Training(e)
    assert len(parts.groups) == 2
    parts.advance(float("inf"))
    assert_close(everything(parts.history()), everything(whole), 1e-12)


def test_reading_a_history_midway_leaves_it_as_it_was():
    training = Training(moons(epochs=40))
    training.advance(0.0)
    early = training.history()
    kept = {name: values.copy() for name, values in everything(early).items()}
    training.advance(float("inf"))
    assert_equal(everything(early), kept)
    assert_equal(kept, everything(training.history(), records=slice(len(early.epochs))))


# --- each seed on its own ---------------------------------------------------------------------


def singles_of(e):
    return [train(e.but(runs=1, seed=e.seed + run)) for run in range(e.runs)]


XOR_CASES = [
    pytest.param(Experiment(seed=5, runs=4, epochs=200, **case), id=str(case))
    for case in (
        {},
        {"depth": 50},
        {"clip": "norm", "threshold": 0.05},
        {"clip": "value", "threshold": 0.01},
        {"skip": "one layer"},
        {"optimizer": "Adam", "learning_rate": 0.01},
        {"batch": "1", "order": "fixed"},
        {"batch": "1"},
    )
]


@pytest.mark.parametrize("e", XOR_CASES)
def test_a_batch_of_seeds_on_xor_equals_its_single_runs_bit_for_bit(e):
    together = train(e)
    for run, single in enumerate(singles_of(e)):
        assert_equal(everything(single), everything(together, slice(run, run + 1)))


EVERY_KIND = [
    pytest.param({name: option}, id=f"{name}: {option}")
    for name, options in {
        "activation": ACTIVATIONS,
        "normalization": NORMALIZATIONS,
        "skip": SKIPS,
        "optimizer": OPTIMIZERS,
        "clip": CLIPPERS,
        "batch": ("full", "8", "1"),
        "order": ("fixed", "shuffled"),
        "bias": ("usual", "zeros", "none"),
        "task": ("moons", "curve", "XOR"),
    }.items()
    for option in options
]


@pytest.mark.parametrize("change", EVERY_KIND)
def test_a_batch_of_seeds_equals_its_single_runs(change):
    needs = {"threshold": 0.1, "batch": "8" if "order" in change else "full"}
    e = moons(**{**needs, **change, "seed": 11})
    together = train(e)
    for run, single in enumerate(singles_of(e)):
        assert_close(everything(single), everything(together, slice(run, run + 1)), 1e-13)


def test_seeds_differ():
    losses = train(moons(runs=20)).loss[:, 0]
    assert len(set(losses)) == 20


# --- symmetry and zeros -----------------------------------------------------------------------


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_zero_weights_send_nothing_back_at_the_start(activation):
    h = train(Experiment(activation=activation, initializer="zeros", epochs=5, depth=4))
    assert not h.measures["delta"][:, 0, :-1].any()
    assert (h.measures["delta"][:, 0, -1] > 0).all()


@pytest.mark.parametrize("activation", ["tanh", "ReLU", "linear", "GELU", "ELU"])
def test_zero_weights_never_move_where_the_activation_of_zero_is_zero(activation):
    h = train(Experiment(activation=activation, initializer="zeros", epochs=200, learning_rate=1.0, depth=4))
    assert not h.measures["weight_gradient"].any()
    assert not h.measures["update_ratio"][:, :, :-1][np.isfinite(h.measures["update_ratio"][:, :, :-1])].any()


@each_once(activation=["sigmoid", "tanh", "leaky ReLU"], optimizer=OPTIMIZERS)
def test_units_that_start_alike_stay_alike_for_ever(activation, optimizer):
    e = moons(activation=activation, initializer="constant", optimizer=optimizer, learning_rate=0.01, epochs=300)
    training = Training(e)
    start = training.groups[0].theta.copy()
    training.advance(float("inf"))
    theta, width = training.groups[0].theta, e.width
    assert np.abs(theta - start).max() > 1e-3
    for layer in range(e.depth):
        columns = theta[layer, :, : width + 1, :]
        np.testing.assert_allclose(columns, columns[..., :1] * np.ones(width), rtol=1e-11, atol=1e-14)
    rows = theta[1:, :, :width, :1]
    np.testing.assert_allclose(rows, rows[:, :, :1] * np.ones((width, 1)), rtol=1e-11, atol=1e-14)


def test_random_slopes_part_units_that_start_alike():
    training = Training(moons(activation="randomized ReLU", initializer="constant", bias="zeros"))
    training.advance(float("inf"))
    first = training.groups[0].theta[0, :, :2]
    assert np.ptp(first, axis=-1).min() > 1e-6


# --- clipping ---------------------------------------------------------------------------------


def exploding(**changes):
    settings = {"task": "moons", "samples": 32, "depth": 10, "width": 64, "activation": "tanh", "epochs": 1, "runs": 3}
    return Training(Experiment(**{**settings, "initializer": "normal", "bias": "zeros", **changes}))


def first_gradients(clip, threshold=0.1):
    """The first update's gradient before and after clipping: SGD's step over the rate."""
    found = []
    for kind in ("none", clip):
        training = exploding(clip=kind, threshold=threshold, learning_rate=1e-8)
        group = training.groups[0]
        group.records.epochs = np.array([0, 1])
        next(group.train())
        found.append(group.update / 1e-8)
    return found


def layer_norms(stack):
    width = stack.shape[-1]
    return np.sqrt((stack[:, :, :width] ** 2).sum(axis=(2, 3)))


def cosine(a, b):
    return (a * b).sum(axis=(0, 2, 3)) / np.sqrt((a**2).sum(axis=(0, 2, 3)) * (b**2).sum(axis=(0, 2, 3)))


def test_norm_clipping_cannot_cure_a_ratio_between_layers():
    before, after = first_gradients("norm")
    ratio = layer_norms(before)[0] / layer_norms(before)[-1]
    assert (ratio > 30).all()  # exploding: the first layers' gradient is far larger than the last's
    np.testing.assert_allclose(layer_norms(after)[0] / layer_norms(after)[-1], ratio, rtol=1e-12)
    np.testing.assert_allclose(cosine(before, after), 1, rtol=1e-13)
    np.testing.assert_allclose(np.sqrt((after**2).sum(axis=(0, 2, 3))), 0.1, rtol=1e-5)


def test_value_clipping_evens_layers_out_and_turns_the_direction():
    before, after = first_gradients("value", threshold=0.001)
    ratio_before, ratio_after = (layer_norms(g)[0] / layer_norms(g)[-1] for g in (before, after))
    assert (ratio_after < ratio_before / 10).all()
    assert (cosine(before, after) < 0.7).all()
    np.testing.assert_allclose(after, np.clip(before, -0.001, 0.001), rtol=1e-12, atol=1e-300)


def test_the_measured_gradient_is_the_one_before_clipping():
    free, clipped = (exploding(clip=clip, threshold=0.01).history for clip in ("none", "norm"))
    trainings = [exploding(clip=clip, threshold=0.01) for clip in ("none", "norm")]
    for training in trainings:
        training.advance(float("inf"))
    free, clipped = (training.history() for training in trainings)
    for name in ("weight_gradient", "delta", "bias_gradient"):
        np.testing.assert_array_equal(free.measures[name][:, 0], clipped.measures[name][:, 0])
    np.testing.assert_allclose(free.gradient_norm[:, 0], clipped.gradient_norm[:, 0], rtol=1e-14)
    expected = 0.01 / (clipped.gradient_norm[:, 0] + 1e-6)
    np.testing.assert_allclose(clipped.clip_factor[:, 0], expected, rtol=1e-12)
    assert (free.clip_factor == 1).all()


@pytest.mark.parametrize("batch", ["full", "8"])
def test_clipped_share_counts_the_updates_that_were_clipped(batch, in_numpy):
    e = moons(clip="norm", threshold=0.25, batch=batch, learning_rate=0.5)
    training = Training(e)
    group, counts, epochs = training.groups[0], np.zeros(3), {0: np.full(3, np.nan)}
    per_epoch = len(e.batch_sizes())
    for update, _ in enumerate(group.train(), 1):
        length = np.sqrt((group.update**2).sum(axis=(0, 2, 3))) / e.learning_rate
        counts += length > 0.25 * (1 - 1e-5)
        if update % per_epoch == 0:
            epochs[update // per_epoch] = counts / update
    share = training.history().clipped_share
    assert 0 < share[:, -1].mean() < 1
    for record, epoch in enumerate(training.records.epochs):
        np.testing.assert_allclose(share[:, record], epochs[epoch])


# --- overflow ---------------------------------------------------------------------------------


def test_relu_with_standard_normal_weights_overflows_and_says_where():
    e = Experiment(
        task="curve", depth=30, width=64, activation="ReLU", initializer="normal", bias="zeros", epochs=20, runs=3
    )
    h = train(e)
    assert h.outcome == ["diverged"] * 3
    for ending in h.endings:
        assert isinstance(ending, Ending)
        assert 0 <= ending.epoch <= 2  # at once
        assert 1 <= ending.layer <= e.layers
        assert ending.quantity in ("z", "dL/dz", "dL/dW")


def overflowing(run=1, layer=2, value=np.inf, **changes):
    """A training in which one weight of one run is replaced before it starts."""
    training = Training(moons(**changes))
    training.groups[0].theta[layer - 1, run, 0, 0] = value
    return training


@pytest.mark.parametrize("layer", [1, 2, 4, 5])
def test_an_ending_names_the_first_layer_that_is_not_finite(layer):
    training = overflowing(layer=layer, activation="ReLU", value=np.nan)
    training.advance(float("inf"))
    assert training.history().endings == (None, Ending(0, layer, "z"), None)


def test_an_ending_on_the_way_back_is_named_from_the_output_down():
    # Forward all is fine (the product with h = 0 aside), backward a product overflows.
    e = Experiment(task="curve", samples=8, depth=3, width=2, activation="linear", bias="none", epochs=2, runs=1)
    training = Training(e)
    theta = training.groups[0].theta
    theta[:] = 0.0
    theta[0, 0, 0, 0] = 1e-300
    theta[1, 0, 0, 0] = 1e200
    theta[2, 0, 0, 0] = 1e200
    theta[3, 0, 0, 0] = 1.0
    training.advance(float("inf"))
    (ending,) = training.history().endings
    assert ending is not None
    assert (ending.layer, ending.quantity) == (1, "dL/dz")


@each_once(clip=CLIPPERS, optimizer=OPTIMIZERS, value=[np.inf, np.nan])
def test_a_run_that_overflows_leaves_the_others_bit_for_bit(clip, optimizer, value):
    changes = {"clip": clip, "threshold": 0.05, "optimizer": optimizer, "activation": "ReLU", "learning_rate": 0.01}
    training = overflowing(value=value, **changes)
    training.advance(float("inf"))
    broken, sound = training.history(), train(moons(**changes))
    assert broken.endings[1] is not None
    assert broken.endings[0] is broken.endings[2] is None
    for run in (0, 2):
        assert_equal(everything(broken, run), everything(sound, run))
    after = everything(broken, 1, slice(1, None))
    assert all(np.isnan(values).all() for values in after.values())


def test_an_overflow_midway_ends_that_run_at_its_epoch():
    # A rate at which the curve's loss explodes within some epochs, not for all seeds at once.
    e = Experiment(
        task="curve", samples=20, depth=3, width=8, activation="linear", initializer="LeCun", epochs=400, runs=6,
        learning_rate=0.9,
    )  # fmt: skip
    h = train(e)
    ended = [run for run in range(6) if h.endings[run] is not None]
    assert ended
    assert len({h.endings[run].epoch for run in ended}) > 1
    for run in ended:
        record = h.at(h.endings[run].epoch)
        assert np.isfinite(h.measures["weight_gradient"][run, :record]).all()
        assert np.isnan(h.loss[run, record + 1 :]).all()
        assert h.outcome[run] == "diverged"
    for run in set(range(6)) - set(ended):
        assert np.isfinite(h.loss[run]).all()


@pytest.mark.parametrize("clip", CLIPPERS)
def test_a_gradient_whose_length_alone_overflows_ends_the_run_without_an_error(clip):
    # Two entries of dL/dW of the output are 4 p^2 each: finite, while the root of their squares is not.
    e = Experiment(
        task="curve", samples=8, depth=1, width=2, activation="linear", bias="none", epochs=3, runs=1, clip=clip
    )
    training = Training(e)
    theta = training.groups[0].theta
    theta[0, 0, 0, :], theta[1, 0, :2, 0] = (1.5e308 / 4) ** 0.5, 1.0
    training.advance(float("inf"))
    assert training.history().endings == (Ending(0, 2, "dL/dW"),)


@pytest.mark.parametrize("clip", CLIPPERS)
def test_so_does_one_whose_length_overflows_only_over_all_layers(clip):
    # Both layers hold two entries 4 p^3: 1.6e308 long each, 2.2e308 together.
    e = Experiment(
        task="curve", samples=8, depth=1, width=2, activation="linear", bias="none", epochs=3, runs=1, clip=clip
    )
    training = Training(e)
    theta = training.groups[0].theta
    theta[0, 0, 0, :] = theta[1, 0, :2, 0] = 2.8e307 ** (1 / 3)
    training.advance(float("inf"))
    (ending,) = training.history().endings
    assert ending in (Ending(0, 1, "dL/dW"), Ending(0, 2, "dL/dW"))


@pytest.mark.parametrize("size", [1e10, 1e70, 1e80, 1e120, 1e150])
def test_clipping_by_norm_works_for_gradients_whose_squares_overflow(size, in_numpy):
    e = Experiment(
        task="curve", samples=8, depth=1, width=2, activation="linear", bias="none", epochs=3, runs=1, clip="norm",
        learning_rate=1e-3,
    )  # fmt: skip
    steps = []
    for schedule in ([0, 1, 2, 3], [0, 3]):
        training = Training(e)
        training.records.epochs = np.array(schedule)
        group = training.groups[0]
        group.theta[:] = 0.0
        group.theta[0, 0, 0, 0] = 1.0
        group.theta[1, 0, 0, 0] = size
        lengths = [np.sqrt((group.update**2).sum()) for _ in group.train()]
        steps.append(lengths)
    np.testing.assert_allclose(steps[0], 1e-3, rtol=1e-6)
    np.testing.assert_array_equal(steps[0], steps[1])


def test_everything_ends_when_every_run_has():
    training = Training(moons(runs=2, epochs=1_000_000, activation="ReLU"))
    training.groups[0].theta[:] = np.nan
    assert training.advance(5.0)
    assert training.complete
    assert training.progress == 1.0
    assert training.history().outcome == ["diverged", "diverged"]


def test_dying_relu_is_seen():
    e = Experiment(
        task="moons", samples=64, depth=5, width=8, activation="ReLU", initializer="He normal", learning_rate=3.0,
        epochs=300, runs=6,
    )  # fmt: skip
    h = train(e)
    dead = h.measures["dead"][:, :, :-1].max(axis=-1)
    assert (dead[:, -1] == 1).any()
    for run in np.flatnonzero(dead[:, -1] == 1):
        layer = int((h.measures["dead"][run, -1, :-1] == 1).argmax())
        # Behind a layer without a living unit the gradient is exactly 0.
        assert not h.measures["delta"][run, -1, : layer + 1].any()


# --- progress, answers, memory ----------------------------------------------------------------


def test_progress_climbs_from_nothing_to_all():
    training, seen = Training(moons(epochs=30)), []
    while not training.complete:
        seen.append(training.progress)
        training.advance(0.0)
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert training.progress == 1
    assert training.advance(0.0)


def test_a_group_that_ended_early_does_not_hold_progress_back(monkeypatch):
    monkeypatch.setattr("explorer.training.run.group_size", lambda experiment: 1)
    training = Training(moons(runs=2, activation="ReLU", epochs=1000))
    training.groups[0].theta[:] = np.nan
    while not training.groups[1].record > 50:
        training.advance(0.0)
    assert training.groups[0].complete
    assert 0.01 < training.progress < 1


def test_the_first_slice_holds_a_record_of_every_run():
    training = Training(Experiment(runs=300, epochs=50))
    assert len(training.groups) > 1
    training.advance(0.0)
    assert np.isfinite(training.history().loss).all()
    assert training.history().epochs[0] == 0


def test_groups_share_the_runs_and_fit_the_cache():
    for e in (Experiment(runs=500), moons(samples=512, width=64, depth=20, runs=12)):
        training = Training(e)
        covered = [run for group in training.groups for run in range(group.runs.start, group.runs.stop)]
        assert covered == list(range(e.runs))
        assert max(len(group.alive) for group in training.groups) <= group_size(e)
    assert group_size(moons(samples=2048, width=128, depth=50)) == 1


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("activation", ["tanh", "randomized ReLU"])
def test_answers_at_the_data_are_the_recorded_answers(normalization, activation):
    e = moons(samples=16, normalization=normalization, activation=activation)
    training = Training(e)
    training.advance(float("inf"))
    for run in range(e.runs):
        answers = training.answers(training.points.x, run)
        np.testing.assert_allclose(answers, training.history().answers[run, -1], rtol=1e-12)


def test_answers_do_not_disturb_the_training():
    asked = Training(KINDS["batch norm, mini-batch"])
    while not asked.advance(0.0):
        asked.answers(np.zeros((5, 2)), 1)
    assert_equal(everything(asked.history()), everything(train(KINDS["batch norm, mini-batch"])))


def test_a_run_that_ended_answers_nothing():
    training = overflowing(activation="ReLU", value=np.nan)
    training.advance(float("inf"))
    assert np.isnan(training.answers(np.zeros((5, 2)), 1)).all()
    assert np.isfinite(training.answers(np.zeros((5, 2)), 0)).all()


def test_memory_is_told_to_within_a_factor_of_two():
    training = Training(moons(samples=256, width=32, depth=10))
    arrays = {id(training.groups[0].theta): training.groups[0].theta}
    for group in training.groups:
        for owner in (group, group.probe, group.answerer, *group.networks.values()):
            for value in vars(owner).values():
                if isinstance(value, np.ndarray) and value.base is None:
                    arrays[id(value)] = value
    held = sum(array.nbytes for array in arrays.values()) + training.records.nbytes
    assert held / 2 < training.nbytes < held * 2


# --- order and batches ------------------------------------------------------------------------


def test_fixed_order_takes_the_samples_as_they_stand():
    assert inputs_seen(moons(batch="8", order="fixed"))[0] == inputs_seen(moons(batch="8", order="fixed"))[1]
    x = moons().points().x
    np.testing.assert_array_equal(np.concatenate(inputs_seen(moons(batch="8", order="fixed"))[0]), x)


def test_shuffled_order_differs_from_epoch_to_epoch_and_seed_to_seed_and_covers_all():
    e = moons(batch="8")
    for run in range(3):
        first, second = inputs_seen(e, run)
        assert first != second
        for epoch in (first, second):
            taken = np.concatenate(epoch)
            np.testing.assert_array_equal(np.sort(taken, axis=0), np.sort(e.points().x, axis=0))
    assert inputs_seen(e, 0)[0] != inputs_seen(e, 1)[0]


def inputs_seen(e, run=0):
    """What one run's updates saw in the first two epochs, a list of batches each."""
    group, epochs = Training(e).groups[0], []
    for _ in range(2):
        epochs.append([network.x[run].T.tolist() for network, _ in group._batches()])
    return epochs


def test_the_network_is_the_one_that_was_asked_for():
    for skip, normalization in itertools.product(SKIPS, NORMALIZATIONS):
        shape = architecture(moons(skip=skip, normalization=normalization, bias="none"))
        assert (shape.depth, shape.width, shape.inputs, shape.layers) == (4, 5, 2, 5)
        assert shape.skip == SKIPS[skip]
        assert shape.normalization is NORMALIZATIONS[normalization]
        assert not shape.has_bias(4)
