"""A diagnosis: one reading of a history, of either kind of net, whose parts are computed when they are asked for."""

import pytest

from explorer import Experiment, RecurrentExperiment, diagnose, train
from explorer.diagnosis.decomposition import decompose
from explorer.diagnosis.facts import facts
from explorer.diagnosis.remedies import REMEDIES_OF
from explorer.diagnosis.sentences import solve_it
from explorer.diagnosis.verdict import RULES
from explorer.theory import predict
from explorer.training.kinds import KINDS, kind_of

SMALL = {
    "layers": Experiment(depth=5, epochs=5, runs=3),
    "time steps": RecurrentExperiment(length=8, hidden=4, samples=8, epochs=5, runs=3),
}


def test_every_kind_of_net_has_rules_and_a_last_one_that_always_holds():
    assert set(RULES) == set(KINDS)
    assert all(list(rules.values())[-1].holds(None) for rules in RULES.values())


@pytest.mark.parametrize("kind", SMALL)
def test_a_history_of_either_kind_is_read_alike(kind):
    history = train(SMALL[kind])
    found = diagnose(history)
    rule = RULES[kind_of(SMALL[kind]).name][found.verdict]
    assert found.history is history and found.facts == facts(history)
    assert found.good == rule.good and rule.holds(found.facts)
    assert found.sentence == f"{found.verdict.capitalize()}: {rule.tell(found.facts)}" and found.sentence.endswith(".")
    assert set(found.advice) <= set(REMEDIES_OF[kind_of(SMALL[kind]).name])
    assert found.advice_sentence == (
        f"By rule of thumb, try: {', '.join(found.advice)}." if found.advice else rule.helpless
    )


def test_theory_and_why_are_those_of_the_experiment_and_the_epoch():
    history = train(SMALL["layers"])
    found = diagnose(history)
    assert "theory" not in vars(found)
    assert found.theory is found.theory is predict(history.experiment)
    assert found.why(3).total.tolist() == decompose(history, history.at(3)).total.tolist()


def test_how_the_gradient_stood_at_the_start_is_said_of_either_kind():
    layers, time = (diagnose(train(SMALL[kind])).start_sentence for kind in SMALL)
    assert (
        layers.startswith("At the start dL/dz at the first layer is ")
        and "from each hidden layer to the one before" in layers
    )
    assert time.startswith("At the start dL/dh at the first step is ") and "from each step to the one before" in time
    assert "theory" not in time


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"truncation": 4},
            "backpropagation is cut after 4 steps, and no gradient reaches the first step; 0 of 2 seeds learn it",
        ),
        ({"forget_bias": -8, "cell": "LSTM"}, "dL/dh at the first step is "),
        ({"cell": "RNN", "initializer": "spectral radius", "strength": 0.1}, "of the last step's before any update"),
    ],
)
def test_a_gradient_that_vanishes_in_time_is_told_with_its_number(changes, said):
    found = diagnose(train(RecurrentExperiment(length=30, hidden=4, samples=8, epochs=3, runs=2).but(**changes)))
    assert found.verdict == "vanishing" and said in found.sentence


def test_a_loss_that_did_not_move_stayed_and_one_seed_solves_it():
    still = diagnose(train(Experiment(task="moons", depth=2, learning_rate=1e-8, epochs=3))).sentence
    assert "the loss stayed at " in still and "went" not in still
    assert solve_it(1, 8) == "1 of 8 seeds solves it" and solve_it(2, 8) == "2 of 8 seeds solve it"
    assert solve_it(1, 1) == "this seed solves it" and solve_it(0, 1) == "this seed does not solve it"
