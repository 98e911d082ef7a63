"""The verdict: a real case of each word, thresholds said in words, sentences whose numbers are the measured ones."""

import math
import re

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.diagnosis import diagnose
from explorer.diagnosis.comparison import compare
from explorer.diagnosis.facts import ALIKE, DEAD_SHARE, HEALTHY_DECADES, facts
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.verdict import VERDICTS, advice, judge
from explorer.diagnosis.wording import decades, number
from explorer.stories.scenarios import DYING, MOONS

OPENING = Experiment(epochs=200)
DEEP_TANH = Experiment(
    task="moons", depth=20, width=16, activation="tanh", initializer="Glorot normal", epochs=30, learning_rate=0.02
)
CASES = {
    "vanishing": OPENING,
    "exploding": DEEP_TANH.but(initializer="normal", width=64, depth=12, learning_rate=1e-5, epochs=5),
    "healthy": DEEP_TANH.but(depth=4),
    "dead": DYING,
    "symmetric": MOONS.but(initializer="constant", depth=3, activation="tanh", epochs=20),
    "diverged": MOONS.but(activation="ReLU", initializer="normal", width=64, epochs=20),
    "stuck": Experiment(
        activation="tanh", depth=2, initializer="small normal", gain=10.0, learning_rate=1e-5, epochs=20
    ),
    "solved": Experiment(skip="one layer", activation="tanh", depth=3, initializer="Glorot normal", epochs=3000),
}


@pytest.fixture(scope="module")
def history():
    made = {}

    def get(experiment):
        if experiment not in made:
            made[experiment] = train(experiment)
        return made[experiment]

    return get


def test_there_is_a_case_for_every_word():
    assert set(CASES) == set(VERDICTS)


@pytest.mark.parametrize("word", CASES)
def test_a_real_case_gets_its_word(word, history):
    found = facts(history(CASES[word]))
    assert judge(found).name == word, found


@pytest.mark.parametrize("word", CASES)
def test_the_sentence_is_finished_and_its_advice_can_be_followed(word, history):
    found = facts(history(CASES[word]))
    verdict = judge(found)
    sentence = verdict.tell(found)
    assert sentence.endswith(".")
    assert "nan" not in sentence  # a number that is not known
    assert sentence.count("None") == 0
    assert all(name in REMEDIES for name in verdict.remedies)
    assert bool(verdict.remedies) != verdict.good
    diagnosis = diagnose(history(CASES[word]))
    assert (diagnosis.verdict, diagnosis.good) == (word, verdict.good)
    assert diagnosis.sentence == f"{word.capitalize()}: {sentence}"
    assert bool(diagnosis.advice) == bool(verdict.remedies) == diagnosis.advice_sentence.startswith("Try: ")
    assert set(diagnosis.advice) <= set(REMEDIES)


@pytest.mark.parametrize("word", [word for word in CASES if not VERDICTS[word].good])
def test_advice_never_names_what_is_done_already(word):
    e = CASES[word]
    for name in VERDICTS[word].remedies:
        done = REMEDIES[name].change(e)
        if REMEDIES[name].change(done) == done:  # a tenth of the learning rate can be taken again
            assert name not in advice(VERDICTS[word], done)


def test_thresholds_are_said_in_the_captions():
    said = {name: verdict.caption for name, verdict in VERDICTS.items()}
    assert HEALTHY_DECADES == 3
    assert "10³" in said["exploding"]
    assert "10⁻³" in said["vanishing"]
    assert "10⁻³" in said["healthy"]
    assert "10³" in said["healthy"]
    assert f"{DEAD_SHARE:.0%}" in said["dead"]
    assert ALIKE == 1e-9
    assert "10⁹" in said["symmetric"]
    assert "0.95" in said["stuck"]
    assert all("half" in said[word] for word in ("diverged", "solved", "symmetric", "dead", "stuck"))


def test_the_last_rule_always_holds_so_there_is_always_a_word():
    assert list(VERDICTS)[-1] == "healthy"
    assert VERDICTS["healthy"].holds(None)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"log_ratio": 3.01}, "exploding"),
        ({"log_ratio": 2.99}, "healthy"),
        ({"log_ratio": -3.01}, "vanishing"),
        ({"log_ratio": -2.99}, "healthy"),
        ({"log_ratio_end": -3.01}, "vanishing"),
        ({"diverged": 4}, "diverged"),
        ({"diverged": 3}, "healthy"),
        ({"solved": 4}, "solved"),
        ({"solved": 3}, "healthy"),
        ({"dead_share": 0.4}, "dead"),
        ({"dead_share": 0.39}, "healthy"),
        ({"zero_share": 0.5}, "dead"),
        ({"alike_share": 0.5}, "symmetric"),
        ({"stuck": 4}, "stuck"),
        ({"stuck": 3}, "healthy"),
    ],
)
def test_words_change_exactly_at_the_stated_thresholds(changes, word, history):
    from dataclasses import replace

    plain = facts(history(CASES["healthy"].but(runs=8)))
    plain = replace(
        plain,
        log_ratio=0.0,
        log_ratio_end=0.0,
        dead_share=0.0,
        zero_share=0.0,
        alike_share=0.0,
        solved=0,
        stuck=0,
        diverged=0,
    )
    assert judge(plain).name == "healthy"
    assert judge(replace(plain, **changes)).name == word


def test_facts_are_recomputed_from_the_raw_numbers(history):
    h = history(OPENING)
    found = facts(h)
    delta = h.measures["delta"]
    assert found.log_ratio == pytest.approx(np.median(np.log10(delta[:, 0, 0] / delta[:, 0, -1])), rel=1e-12)
    assert found.log_ratio_end == pytest.approx(np.median(np.log10(delta[:, -1, 0] / delta[:, -1, -1])), rel=1e-12)
    assert found.log_factor == pytest.approx(found.log_ratio / 11)
    assert found.loss_end == pytest.approx(np.median(h.loss[:, -1]))
    assert (found.solved, found.stuck, found.diverged) == tuple(
        h.outcome.count(w) for w in ("solved", "stuck", "diverged")
    )


def test_the_start_sentence_has_the_measured_numbers(history):
    found = diagnose(history(OPENING))
    assert decades(found.facts.log_ratio) in found.start_sentence
    assert decades(found.facts.log_factor) in found.start_sentence
    assert f"theory says {number(found.theory_factor)}" in found.start_sentence
    batch = diagnose(history(OPENING.but(normalization="batch", epochs=1)))
    assert batch.theory.reasons["delta"] and "theory" not in batch.start_sentence


def heard(text):
    """The first number in a sentence."""
    digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    found = re.search(r"([\d.,]+)(?: × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?", text)
    return float(found[1].replace(",", "")) * 10 ** int((found[2] or "⁰").translate(digits))


def compared(before, after):
    return compare(facts(before), facts(after))


def test_a_comparison_says_how_many_times_more_gradient_arrives(history):
    before, after = history(OPENING), history(OPENING.but(skip="one layer"))
    sentence = compared(before, after)
    ratio = [np.median(np.log10(h.measures["delta"][:, 0, 0] / h.measures["delta"][:, 0, -1])) for h in (before, after)]
    assert sentence.startswith("Skip over one layer: ")
    assert heard(sentence.partition(": ")[2]) == pytest.approx(10 ** (ratio[1] - ratio[0]), rel=0.06)
    assert "times more of the gradient reaches the first layer" in sentence
    assert "0 of 8 seeds solve it, before 0" in sentence
    assert "times less of the gradient" in compared(after, before)
    assert "No skip: " in compared(after, before)


def test_a_comparison_of_the_same_or_of_clipping_alone_says_so(history):
    h = history(OPENING)
    assert compared(h, h) == "The same settings as the baseline."
    clipped = history(OPENING.but(clip="norm", threshold=0.01))
    assert "stays the same" in compared(h, clipped)


def test_zeros_and_infinities_in_a_comparison_are_said_as_such(history):
    zeros = history(MOONS.but(activation="tanh", initializer="zeros", epochs=5))
    good = history(MOONS.but(activation="tanh", initializer="Glorot normal", epochs=5))
    assert "none of the gradient reaches" in compared(good, zeros)
    assert "instead of exactly 0" in compared(zeros, good)


def test_single_seeds_and_partial_histories_have_a_verdict(history):
    from explorer.training.run import Training

    for e in CASES.values():
        training = Training(e.but(runs=1))
        training.advance(0.0)
        found = facts(training.history())
        assert judge(found).tell(found)
        assert math.isfinite(found.log_factor) or found.log_ratio in (-math.inf, math.inf)


def said(*about):
    return ", ".join(advice(*about))


def test_advice_leaves_out_what_would_not_help():
    opening = said(VERDICTS["vanishing"], OPENING)
    assert "skip over one layer" in opening
    assert "ReLU" not in opening  # layers of 4 rectifiers die
    assert "initialization" not in opening  # no usual variance helps a deep sigmoid net
    assert "ReLU" in said(VERDICTS["vanishing"], OPENING.but(width=32))
    assert "skip" not in said(VERDICTS["stuck"], OPENING.but(depth=1))
    assert "learning rate" not in said(VERDICTS["exploding"], OPENING.but(learning_rate=1e-8))


def test_what_the_advice_leaves_out_does_not_help_the_opening_example(history):
    start = facts(history(OPENING)).log_ratio
    assert facts(history(OPENING.but(initializer="Glorot normal"))).log_ratio < start
    assert facts(history(OPENING.but(activation="ReLU"))).log_ratio == -math.inf


def test_a_ratio_above_one_is_times_the_last(history):
    assert " times the last's: each layer" in diagnose(history(CASES["exploding"])).start_sentence
    assert " of the last's: each layer" in diagnose(history(OPENING)).start_sentence
    assert "goes from" in compared(history(CASES["exploding"]), history(CASES["healthy"]))


@pytest.mark.parametrize("word", CASES)
def test_sentences_of_a_single_seed_speak_of_one(word):
    found = facts(train(CASES[word].but(runs=1)))
    for verdict in VERDICTS.values():
        said = verdict.tell(found)
        assert "of 1 seeds" not in said
        assert "not this seed" not in said
