"""RecurrentExperiment: checked when made, hashable, to texts and back; what is shared with Experiment is the same."""

from dataclasses import replace

import pytest

from explorer.choices.experiment import CONTROLS
from explorer.choices.recurrent_experiment import RecurrentExperiment

each_control = pytest.mark.parametrize("name", RecurrentExperiment.controls())


@each_control
def test_a_bad_value_is_refused_when_it_is_made(name):
    with pytest.raises(ValueError, match=name) as problem:
        RecurrentExperiment(**{name: "nonsense"})
    assert "nonsense" in str(problem.value)


@each_control
def test_it_cannot_be_changed(name):
    with pytest.raises(AttributeError):
        setattr(RecurrentExperiment(), name, RecurrentExperiment.controls()[name].default)


def test_it_is_made_of_texts_and_gives_them_back():
    e = RecurrentExperiment(cell="lstm", length=30, forget_bias=3.4, task="COPY", truncation=20)
    assert (e.cell, e.task) == ("LSTM", "copy")
    texts = {name: str(value) for name, value in e.settings(changed_only=True).items()}
    assert texts == {"task": "copy", "length": "30", "cell": "LSTM", "forget_bias": "3.4", "truncation": "20"}
    assert RecurrentExperiment.from_strings(texts) == e
    assert hash(RecurrentExperiment.from_strings(texts)) == hash(e)
    assert RecurrentExperiment.from_strings({name: str(value) for name, value in e.settings().items()}) == e
    with pytest.raises(ValueError, match="colour") as problem:
        RecurrentExperiment.from_strings({"colour": "red"})
    assert "forget_bias" in str(problem.value)


def test_a_change_is_checked_too():
    e = RecurrentExperiment()
    assert e.but(hidden=8).but(hidden=e.hidden) == e
    with pytest.raises(ValueError, match="length"):
        e.but(length=1)


def test_a_regression_cannot_have_the_loss_of_classes():
    with pytest.raises(ValueError, match="loss"):
        RecurrentExperiment(task="adding", loss="cross-entropy")


SHARED = ("clip", "threshold", "learning_rate", "optimizer", "batch", "order", "runs", "seed")


@pytest.mark.parametrize("name", SHARED)
def test_what_means_the_same_is_the_same_control_but_for_its_default(name):
    assert replace(RecurrentExperiment.controls()[name], default=CONTROLS[name].default) == CONTROLS[name]


@each_control
def test_every_control_has_words(name):
    control = RecurrentExperiment.controls()[name]
    assert control.label
    assert control.help.endswith((".", ")"))
    assert control.group in {each.group for each in CONTROLS.values()}


def test_batches_are_counted_in_sequences():
    assert RecurrentExperiment(samples=20, batch="8").batch_sizes() == [8, 8, 4]
    assert RecurrentExperiment(samples=20).batch_sizes() == [20]
