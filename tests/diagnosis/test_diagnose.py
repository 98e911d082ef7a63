"""A diagnosis: one reading of a history, of either kind of net, whose parts are computed when they are asked for."""

import pytest

from explorer import Experiment, RecurrentExperiment, diagnose, train
from explorer.diagnosis.decomposition import decompose
from explorer.diagnosis.facts import facts
from explorer.diagnosis.remedies import REMEDIES_OF
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
    assert found.advice_sentence == (f"Try: {', '.join(found.advice)}." if found.advice else "")


def test_theory_and_why_are_those_of_the_experiment_and_the_epoch():
    history = train(SMALL["layers"])
    found = diagnose(history)
    assert "theory" not in vars(found)
    assert found.theory is found.theory is predict(history.experiment)
    assert found.why(3).total.tolist() == decompose(history, history.at(3)).total.tolist()
