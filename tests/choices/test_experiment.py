import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import Experiment, train
from explorer.choices.controls import Choice, Number
from explorer.choices.datasets import DATASETS, OWN, Data
from explorer.choices.experiment import CONTROLS
from explorer.choices.losses import LOSSES
from explorer.choices.settings import USUAL

OWN_DATA = Data(np.arange(24.0).reshape(12, 2) / 12 - 1, np.arange(12) % 2 * 1.0)
# A net in which nearly everything matters; what a control needs beside it stands below.
BASE = {"task": "moons", "samples": 24, "depth": 3, "width": 4, "activation": "tanh", "initializer": "normal"}
BASE |= {"epochs": 3, "runs": 2}
NEEDS = {
    "threshold": {"clip": "norm"},
    "clip": {"threshold": 0.01},
    "order": {"batch": "1"},
    "batch": {"samples": 1024, "epochs": 1, "depth": 1, "runs": 1},
    "skip": {"depth": 4},
    "layer": {"task": "signal XOR"},
}
OTHER = {
    "samples": 30, "noise": 0.2, "depth": 4, "width": 5, "gain": 1.5, "threshold": 0.02, "learning_rate": 0.2,
    "epochs": 4, "runs": 3, "seed": 7,
}  # fmt: skip
each_control = pytest.mark.parametrize("name", CONTROLS)


def base(name):
    return Experiment(**{**BASE, **NEEDS.get(name, {})})


def numbers(history):
    """Everything that was recorded, as one string of bytes that any change would change."""
    arrays = [history.epochs, history.loss, history.accuracy, history.error, history.gradient_norm]
    arrays += [history.clip_factor, history.clipped_share, *history.measures.values()]
    return b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)


def with_choice(name, option):
    extra = {"data": OWN_DATA} if (name, option) == ("task", OWN) else {}
    return base(name).but(**{name: option}, **extra)


def test_every_number_has_another_value_to_flip_to():
    assert {name for name, control in CONTROLS.items() if isinstance(control, Number)} == set(OTHER)


@each_control
def test_flipping_a_control_alone_changes_the_history(name):
    before = base(name)
    if isinstance(CONTROLS[name], Number):
        after = before.but(**{name: OTHER[name]})
    else:
        now = getattr(before, name)
        same = {now, LOSSES[before.dataset.loss].name} if name == "loss" else {now}
        after = with_choice(name, next(option for option in CONTROLS[name].options if option not in same))
    assert after != before
    assert numbers(train(after)) != numbers(train(before))


CHOICES = [name for name, control in CONTROLS.items() if isinstance(control, Choice)]


@pytest.mark.parametrize("name", CHOICES)
def test_every_option_gives_a_history_of_its_own(name):
    options = [option for option in CONTROLS[name].options if (name, option) != ("loss", USUAL)]
    histories = {option: numbers(train(with_choice(name, option))) for option in options}
    for one, other in itertools.combinations(options, 2):
        assert histories[one] != histories[other], f"{one} and {other} are the same"


@pytest.mark.parametrize("task", [name for name in DATASETS if name != OWN])
def test_the_usual_loss_is_the_tasks_own(task):
    e = Experiment(**{**BASE, "task": task})
    assert numbers(train(e)) == numbers(train(e.but(loss=e.dataset.loss)))


def test_usual_biases_start_at_zero_where_the_initializer_says_so():
    e = Experiment(**{**BASE, "initializer": "He normal"})
    assert numbers(train(e)) == numbers(train(e.but(bias="zeros")))


@pytest.mark.parametrize("skip", ["one layer", "two layers"])
def test_a_net_too_shallow_for_a_shortcut_has_none(skip):
    e = Experiment(**{**BASE, "depth": 1})
    np.testing.assert_array_equal(train(e).loss, train(e.but(skip=skip)).loss)


def test_a_batch_of_all_samples_is_the_full_batch():
    e = Experiment(**{**BASE, "samples": 16})
    for batch in ("16", "32", "512"):
        assert numbers(train(e.but(batch=batch))) == numbers(train(e))


# --- what an experiment is --------------------------------------------------------------------


@each_control
def test_a_bad_value_is_refused_when_the_experiment_is_made(name):
    with pytest.raises(ValueError, match=name) as problem:
        Experiment(**{name: "nonsense"})
    assert "nonsense" in str(problem.value)


def test_an_unknown_setting_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="colour") as problem:
        Experiment.from_strings({"colour": "red"})
    assert all(name in str(problem.value) for name in CONTROLS)
    with pytest.raises(TypeError):
        Experiment(colour="red")


@each_control
def test_an_experiment_cannot_be_changed(name):
    with pytest.raises(AttributeError):
        setattr(Experiment(), name, CONTROLS[name].default)


def any_value(name, control):
    if isinstance(control, Choice):
        return st.sampled_from([option for option in control.options if option != OWN])
    if control.whole:
        return st.integers(control.low, control.high)
    return st.floats(control.low, control.high)


any_settings = st.fixed_dictionaries({}, optional={name: any_value(name, c) for name, c in CONTROLS.items()})


def made(values):
    if values.get("task") == "curve":
        values = {**values, "loss": USUAL}
    if values.get("layer") == "convolution":
        values = {**values, "task": "signal XOR"}
    return Experiment(**values)


@given(any_settings)
@settings(max_examples=100, deadline=None)
def test_settings_and_link_texts_make_the_same_experiment_again(values):
    e = made(values)
    assert Experiment(**e.settings()) == e
    assert Experiment(**e.settings(changed_only=True)) == e
    texts = {name: str(value) for name, value in e.settings(changed_only=True).items()}
    again = Experiment.from_strings(texts)
    assert again == e
    assert hash(again) == hash(e)


@given(any_settings)
@settings(max_examples=100, deadline=None)
def test_settings_that_changed_are_those_that_differ_from_the_default(values):
    e = made(values)
    assert set(e.settings(changed_only=True)) == {n for n, v in e.settings().items() if v != CONTROLS[n].default}


def test_equal_settings_in_another_spelling_are_one_experiment():
    a = Experiment(activation="RELU", depth=10.0, gain=1, initializer="HE normal")
    b = Experiment(activation="relu", depth=10, gain=1.0, initializer="he NORMAL")
    assert a == b
    assert hash(a) == hash(b)
    assert isinstance(a.depth, int)
    assert isinstance(a.gain, float)
    assert a.activation == "ReLU"


@each_control
def test_but_changes_one_setting_and_leaves_the_rest(name):
    before = Experiment(task="signal XOR") if name == "layer" else Experiment()
    if isinstance(CONTROLS[name], Number):
        changed = before.but(**{name: CONTROLS[name].high})
    else:
        option = next(o for o in reversed(CONTROLS[name].options) if o != OWN)
        changed = before.but(**{name: option})
    assert set(changed.settings(changed_only=True)) - set(before.settings(changed_only=True)) == {name}


def test_but_checks_too():
    with pytest.raises(ValueError, match="depth"):
        Experiment().but(depth=0)


def test_own_data_come_exactly_with_their_task():
    assert Experiment(task=OWN, data=OWN_DATA).points() is OWN_DATA
    with pytest.raises(ValueError, match="data"):
        Experiment(task=OWN)
    with pytest.raises(ValueError, match="data"):
        Experiment(data=OWN_DATA)


def test_other_data_make_another_experiment():
    other = Data(OWN_DATA.x + 1e-9, OWN_DATA.y)
    assert Experiment(task=OWN, data=OWN_DATA) != Experiment(task=OWN, data=other)


def test_a_loss_for_classes_is_refused_for_a_regression():
    with pytest.raises(ValueError, match="loss"):
        Experiment(task="curve", loss="cross-entropy")


@given(samples=st.integers(8, 600), batch=st.sampled_from(CONTROLS["batch"].options))
@settings(max_examples=60, deadline=None)
def test_batches_cover_every_sample_once(samples, batch):
    sizes = Experiment(task="blobs", samples=samples, batch=batch).batch_sizes()
    assert sum(sizes) == samples
    assert len(set(sizes[:-1])) <= 1
    limit = samples if batch == "full" else int(batch)
    assert len(sizes) == math.ceil(samples / limit)
    assert max(sizes) == min(limit, samples)


def test_every_seed_trains_on_the_same_points():
    a, b = Experiment(task="moons", seed=1), Experiment(task="moons", seed=2)
    assert a.points() == b.points()


def test_the_defaults_are_the_opening_example():
    e = Experiment()
    assert (e.task, e.depth, e.width, e.activation, e.initializer) == ("XOR", 11, 4, "sigmoid", "uniform")
    assert (e.learning_rate, e.optimizer, e.batch, e.skip) == (0.1, "SGD", "full", "none")


@pytest.mark.parametrize("target", [0.0, 1.0, 0.5])
def test_own_data_of_a_single_class_are_refused(target):
    """Its mean answer has no error of which something could be left."""
    with pytest.raises(ValueError, match="data: every target is"):
        Experiment(task=OWN, data=Data(OWN_DATA.x, np.full(12, target)))
    assert Experiment(task=OWN, data=OWN_DATA).points().y.var() > 0
