"""What is often said: what nets do contradicts every claim, over many seeds and with a margin."""

import math

import numpy as np
import pytest

from explorer.diagnosis.diagnose import diagnose
from explorer.figures.plain import checked
from explorer.figures.tour import Said, said_figure
from explorer.sharing.notebook import tutorial_lines
from explorer.stories.claims import CLAIMS, CONTRADICTED, HOLDS, NOT_YET, claim_headline, claim_rows, measured
from explorer.stories.tutorial import SAID, TutorialView
from explorer.theory.gates import gate_product
from explorer.training.cost import refuse
from explorer.training.run import Training

# A number that is not as said lies at least so many times beyond the end of what it would be.
MARGIN = 1.5
each_claim = pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)


def beyond(claim, value):
    return value * MARGIN < claim.low or value > MARGIN * claim.high


@each_claim
def test_nets_do_not_do_what_is_said(claim):
    value = measured(claim)
    assert claim.verdict(value) == CONTRADICTED
    assert beyond(claim, value), claim.told(value)


# Deep or wide nets, for which even the start takes its time, are left to the long run.
DEAR = {"Batch norm cures vanishing and exploding gradients", "Saturation makes gradients explode"}
AT_START = [
    pytest.param(claim, marks=pytest.mark.long if name in DEAR else (), id=name)
    for name, claim in CLAIMS.items()
    if not claim.trains
]


@pytest.mark.parametrize("claim", AT_START)
def test_other_seeds_say_the_same(claim):
    shown = {}
    for name, experiment in claim.shown:
        training = Training(experiment.but(seed=1000), record_at=[0])
        training.advance(math.inf)
        shown[name] = diagnose(training.history())
    assert beyond(claim, claim.measure(shown))


@each_claim
def test_what_is_shown_of_a_claim_is_bounded_and_says_where_it_comes_from(claim):
    assert all(refuse(experiment) is None for _, experiment in claim.shown)
    assert claim.source or claim.formula
    assert claim.low < claim.high


def test_a_number_that_is_as_said_is_told_so():
    claim = next(iter(CLAIMS.values()))
    assert claim.verdict(claim.high) == HOLDS
    assert claim.verdict(math.nan) == claim.told(math.nan) == NOT_YET
    values = dict.fromkeys(CLAIMS, math.nan)
    assert claim_headline(values).endswith(f"{len(CLAIMS)} are being measured")
    assert [row["said"] for row in claim_rows(values)] == list(CLAIMS)


def test_the_formula_of_the_forget_gate_is_theorys():
    assert gate_product(1.0, 100) == pytest.approx(2.5e-14, rel=0.02)
    assert gate_product(1.0, 1) == pytest.approx(0.73, abs=0.005)


@pytest.mark.parametrize("value", [math.nan, 0.0, 1e-300, 0.3, 1e9])
def test_the_figure_marks_every_number_wherever_it_lies(value):
    figure = said_figure([Said(claim.name, value, claim.low, claim.high) for claim in CLAIMS.values()])
    points = [trace for trace in checked(figure).data if trace.mode == "markers" and trace.x is not None]
    shown = sum(int(np.isfinite(np.asarray(trace.x, dtype=float)).sum()) for trace in points)
    # A number beyond the axis is marked at its edge; what is not known yet is not drawn.
    inside = [trace for trace in points if trace.name == "measured"]
    assert len(inside) == 1
    assert shown >= (0 if math.isnan(value) else len(CLAIMS))


@pytest.mark.long
def test_the_lines_run(capsys):
    exec(compile(tutorial_lines(TutorialView(shown=SAID)), "lines", "exec"), {})
    lines, words = capsys.readouterr().out.splitlines()[: len(CLAIMS)], f": {CONTRADICTED}. "
    assert [line.partition(words)[0] for line in lines] == list(CLAIMS)
    assert all(words in line for line in lines)
