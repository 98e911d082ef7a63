"""The verdict: a real case of each word, thresholds said in words, sentences whose numbers are the measured ones."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.diagnosis import diagnose
from explorer.diagnosis.comparison import compare, compare_gradients
from explorer.diagnosis.facts import DEAD_SHARE, HEALTHY_DECADES, facts
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.signs import ALIKE
from explorer.diagnosis.verdict import HALF, HARDLY_MOVED, ILL, LEAP, MOST, SATURATED, VERDICTS, advice, judge
from explorer.diagnosis.wording import decades, number
from explorer.stories.scenarios import DYING, MOONS
from explorer.training.history import GREW, STUCK_SHARE

OPENING = Experiment(epochs=200)
SMALL = Experiment(
    task="moons", samples=32, noise=0, depth=3, width=8, activation="tanh", initializer="Glorot normal",
    epochs=50, learning_rate=0.05,
)  # fmt: skip
LARGE = SMALL.but(depth=8, activation="leaky ReLU", initializer="normal", gain=3, learning_rate=1e-8, epochs=5)
CASES = {
    "diverged": LARGE.but(learning_rate=0.05),
    "solved": SMALL.but(task="blobs", noise=0.1, depth=1, learning_rate=0.5, epochs=100),
    "all zero": SMALL.but(initializer="zeros", epochs=20),
    "batches too small": SMALL.but(normalization="batch", batch="1", epochs=20),
    "symmetric": SMALL.but(initializer="constant", epochs=20),
    "dead": DYING.but(epochs=100),
    "saturated output": Experiment(activation="linear", gain=2, epochs=20),
    "exploding": LARGE,
    "steps too large": SMALL.but(task="circles", learning_rate=10, epochs=100),
    "vanishing": OPENING,
    "answers unsettled": Experiment(
        depth=10, activation="softplus", initializer="Glorot uniform", normalization="batch", optimizer="RMSprop",
        learning_rate=0.0005, loss="cross-entropy", epochs=1000,
    ),
    "linear": Experiment(activation="linear", depth=2, initializer="Glorot normal", epochs=300),
    "no biases": Experiment(depth=2, width=8, activation="tanh", initializer="Glorot normal", bias="none", learning_rate=0.3, epochs=300),
    "hardly moved": SMALL.but(learning_rate=1e-4, epochs=100),
    "stuck": Experiment(depth=2, width=3, initializer="uniform", learning_rate=1, epochs=700),
    "overlapping": SMALL.but(samples=128, noise=0.5, depth=2, learning_rate=0.3, epochs=300),
    "unfinished": SMALL.but(task="spirals", depth=1, learning_rate=0.5, epochs=60),
    "healthy": SMALL.but(noise=0.1, depth=1, learning_rate=0.2, epochs=10),
}  # fmt: skip


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
    assert bool(diagnosis.advice) == diagnosis.advice_sentence.startswith("By rule of thumb, try: ")
    assert not (diagnosis.advice and verdict.good)
    assert set(diagnosis.advice) <= set(REMEDIES)


@pytest.mark.parametrize("word", [word for word in CASES if not VERDICTS[word].good])
def test_advice_never_names_what_is_done_already(word, history):
    found = facts(history(CASES[word]))
    for name in VERDICTS[word].remedies:
        done = REMEDIES[name].change(CASES[word])
        if REMEDIES[name].change(done) == done:  # a tenth of the learning rate can be taken again
            assert name not in advice(VERDICTS[word], replace(found, experiment=done))


def test_thresholds_are_said_in_the_captions():
    said = {name: verdict.caption for name, verdict in VERDICTS.items()}
    assert (HEALTHY_DECADES, MOST, ILL, GREW) == (3, 0.75, 0.3, 1000)
    assert "10³" in said["exploding"] and "10⁻³" in said["vanishing"]
    assert f"{DEAD_SHARE:.0%}" in said["dead"]
    assert ALIKE == 1e-9 and "10⁹" in said["symmetric"]
    assert f"{STUCK_SHARE:g}" in said["stuck"]
    assert "three quarters" in said["solved"] and "a thousand times" in said["diverged"]
    assert all("half" in said[word] for word in ("diverged", "symmetric", "dead", "stuck", "all zero", "no biases"))
    assert all(
        f"{ILL:.0%}" in said[word] for word in ("unfinished", "overlapping", "linear", "healthy", "hardly moved")
    )
    assert SATURATED == -2 and "a hundredth" in said["saturated output"]
    assert pytest.approx(1 / 3, abs=0.02) == 10**LEAP and "a third" in said["steps too large"]
    assert HARDLY_MOVED == LEAP and "a third" in said["hardly moved"]
    assert pytest.approx(2, abs=0.01) == 10**HALF and "half" in said["answers unsettled"]


def test_the_last_rule_always_holds_so_there_is_always_a_word():
    assert list(VERDICTS)[-1] == "healthy"
    assert VERDICTS["healthy"].holds(None)


USUAL = {
    "reach": 0.0,
    "reach_end": 0.0,
    "loss_start": 1.0,
    "loss_end": 0.5,
    "stuck": 0,
    "zero": 0,
    "alike": 0,
}
USUAL |= {
    "dead": 0.0,
    "error": 0.2,
    "off": 0,
    "output_slope": 0.0,
    "stride": -1.0,
    "way": 0.0,
    "apart": 0.0,
    "seeds": 8,
    "falling": 0.0,
}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"reach": 3.01}, "exploding"),
        ({"reach": 2.99}, "healthy"),
        ({"reach": -3.01, "reach_end": -3.0}, "vanishing"),
        ({"reach": -2.99}, "healthy"),
        ({"reach_end": -3.01}, "vanishing"),
        ({"reach": -9.0, "reach_end": -0.9, "stuck": 4}, "vanishing"),
        ({"reach": -9.0, "reach_end": -0.9, "stuck": 3}, "healthy"),  # it came back, and most of them learn
        ({"reach": -9.0, "reach_end": -1.1, "stuck": 3}, "vanishing"),
        ({"diverged": 4}, "diverged"),
        ({"diverged": 3}, "healthy"),
        ({"solved": 6}, "solved"),
        ({"solved": 5}, "healthy"),
        ({"dead": 0.4}, "dead"),
        ({"dead": 0.39}, "healthy"),
        ({"zero": 4, "off": 1}, "dead"),
        ({"zero": 4}, "healthy"),  # exact zeros have causes of their own
        ({"alike": 4}, "symmetric"),
        ({"alike": 3}, "healthy"),
        ({"loss_end": 1.021, "stride": 0.0}, "steps too large"),
        ({"loss_end": 1.019, "stride": 0.0}, "healthy"),
        ({"loss_end": 1.1, "stride": -1.0}, "healthy"),
        ({"stuck": 4, "output_slope": -2.1}, "saturated output"),
        ({"stuck": 4, "output_slope": -2.1, "task": "curve"}, "healthy"),  # the output of numbers is no sigmoid
        ({"shares": (0.3,) * 8, "way": -0.6}, "hardly moved"),
        ({"shares": (0.3,) * 8, "stuck": 4}, "stuck"),
        ({"shares": (0.3,) * 8, "stuck": 3}, "unfinished"),
        ({"shares": (0.29,) * 8, "stuck": 3}, "healthy"),
        ({"shares": (0.3,) * 8, "complete": False}, "healthy"),  # it is too early to say
        ({"shares": (0.6,) * 8, "error": 0.6, "task": "circles"}, "overlapping"),
        (
            {"shares": (0.6,) * 8, "error": 0.6, "task": "circles", "solved": 1},
            "unfinished",
        ),  # what one solves can be solved
    ],
)
def test_words_change_exactly_at_the_stated_thresholds(changes, word, history):
    plain = facts(history(CASES["healthy"]))
    signs = replace(plain.signs, **USUAL | {name: value for name, value in changes.items() if name in USUAL})
    usual = {"solved": 0, "stuck": 0, "diverged": 0, "shares": (0.2,) * 8}
    rest = {name: value for name, value in changes.items() if name not in USUAL | {"task": ""}}
    settings = {"task": changes["task"], "noise": 0.5} if "task" in changes else {}
    experiment = plain.experiment.but(**settings)
    assert judge(replace(plain, experiment=experiment, signs=signs, **usual | rest)).name == word


def test_facts_are_recomputed_from_the_raw_numbers(history):
    h = history(OPENING)
    found = facts(h)
    delta = h.measures["delta"]
    assert found.log_ratio == pytest.approx(np.median(np.log10(delta[:, 0, 0] / delta[:, 0, -1])), rel=1e-12)
    assert found.log_ratio_end == pytest.approx(np.median(np.log10(delta[:, -1, 0] / delta[:, -1, -1])), rel=1e-12)
    inside = np.median(np.log10(delta[:, 0, 0] / delta[:, 0, -2]))
    assert found.log_factor == pytest.approx(inside / 10) and found.signs.reach == pytest.approx(inside)
    assert found.loss_end == pytest.approx(np.median(h.loss[:, -1]))
    assert (found.solved, found.stuck, found.diverged) == tuple(
        h.outcome.count(w) for w in ("solved", "stuck", "diverged")
    )


def test_the_start_sentence_has_the_measured_numbers(history):
    found = diagnose(history(OPENING))
    assert decades(found.facts.log_ratio) in found.start_sentence
    assert decades(found.facts.log_factor) in found.start_sentence
    assert f"theory: {number(found.theory_factor)}" in found.start_sentence
    batch = diagnose(history(OPENING.but(normalization="batch", epochs=1)))
    assert batch.theory.reasons["delta"] and "theory" not in batch.start_sentence


def heard(text):
    """The first number in a sentence."""
    digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    found = re.search(r"([\d.,]+)(?: × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?", text)
    return float(found[1].replace(",", "")) * 10 ** int((found[2] or "⁰").translate(digits))


def compared(before, after):
    """Headline and, behind it, what became of the gradient."""
    both = facts(before), facts(after)
    return f"{compare(*both)} {compare_gradients(*both)}".strip()


def test_a_comparison_says_how_many_times_more_gradient_arrives(history):
    before, after = history(OPENING), history(OPENING.but(skip="one layer"))
    sentence = compared(before, after)
    ratio = [np.median(np.log10(h.measures["delta"][:, 0, 0] / h.measures["delta"][:, 0, -1])) for h in (before, after)]
    assert sentence.startswith("Skip over one layer: ")
    assert heard(sentence.partition(". ")[2]) == pytest.approx(10 ** (ratio[1] - ratio[0]), rel=0.06)
    assert "times more of the gradient reaches the first layer" in sentence
    assert "0 of 8 seeds solve it, as before" in sentence
    assert "times less of the gradient" in compared(after, before)
    assert "No skip: " in compared(after, before)


def test_a_comparison_of_what_begins_alike_says_nothing_of_the_start(history):
    h = history(OPENING)
    assert compared(h, h) == "The same settings as the baseline."
    # What begins alike is not said to have as much gradient at the start.
    clipped = history(OPENING.but(clip="norm", threshold=0.01))
    assert compared(h, clipped).endswith("0 of 8 seeds solve it, as before.")
    assert compared(h, history(OPENING.but(optimizer="Adam", epochs=100))).endswith("as before.")


def test_zeros_and_infinities_in_a_comparison_are_said_as_such(history):
    zeros = history(MOONS.but(activation="tanh", initializer="zeros", epochs=5))
    good = history(MOONS.but(activation="tanh", initializer="Glorot normal", epochs=5))
    assert "At the start none of the gradient reaches" in compared(good, zeros)
    assert "instead of exactly 0" in compared(zeros, good)


def test_single_seeds_and_partial_histories_have_a_verdict(history):
    from explorer.training.run import Training

    for e in CASES.values():
        training = Training(e.but(runs=1))
        training.advance(0.0)
        found = facts(training.history())
        assert judge(found).tell(found)
        assert math.isfinite(found.log_factor) or e.depth == 1 or found.log_ratio in (-math.inf, math.inf)


def test_advice_leaves_out_what_would_not_help(history):
    opening = diagnose(history(OPENING.but(epochs=1000))).advice
    assert opening[0] == "skip over one layer"
    assert not {"ReLU", "fitting initialization"} & set(opening)  # four rectifiers die, and no usual variance helps


def test_a_ratio_above_one_is_times_the_last(history):
    assert " times the output layer's; from each hidden layer" in diagnose(history(CASES["exploding"])).start_sentence
    assert " of the output layer's; from each hidden layer" in diagnose(history(OPENING)).start_sentence
    assert "goes from" in compared(history(CASES["exploding"]), history(CASES["healthy"].but(epochs=20)))


@pytest.mark.parametrize("word", CASES)
def test_sentences_of_a_single_seed_speak_of_one(word):
    found = facts(train(CASES[word].but(runs=1)))
    for verdict in VERDICTS.values():
        said = verdict.tell(found)
        assert "of 1 seeds" not in said
        assert "not this seed" not in said


def test_a_straight_line_whose_gradient_explodes_needs_a_bend_all_the_same():
    asked = Experiment(
        task="noisy XOR",
        samples=32,
        depth=10,
        width=10,
        activation="linear",
        initializer="normal",
        epochs=2,
        learning_rate=1e-8,
    )
    found = diagnose(train(asked))
    assert found.facts.signs.reach > 3 and found.verdict == "linear"
    assert diagnose(train(asked.but(task="blobs"))).verdict == "exploding"
