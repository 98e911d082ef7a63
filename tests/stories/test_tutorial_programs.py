"""The tutorial's programs as printed: their recipe, log, end and two functions."""

import numpy as np
import pytest

from explorer.choices.clipping import CLIPPERS, global_norm
from explorer.choices.experiment import Experiment
from explorer.sharing.notebook import tutorial_lines
from explorer.stories.scenarios import TUTORIAL
from explorer.stories.tutorial import (
    CURVE,
    INNER,
    LIKE_PUBLISHED,
    NETS,
    Program,
    TutorialView,
    clip_gradient_norm,
    curve_headline,
    layer_rows,
    log_lines,
    losses_of,
    program,
    residual_block,
    run_headline,
    truth_rows,
)
from explorer.training.compiled import VARIABLE
from explorer.training.network import Network, architecture, draw_parameters
from explorer.training.run import Training

RNG = np.random.default_rng(0)


def summed(e):
    """The loss of each update before it, added up by epoch: the sums written out, with NumPy's networks."""
    group = Training(e).groups[0]
    printed = np.zeros((e.runs, e.epochs))
    networks = group.networks
    batches = len(group.sizes)
    for update, _ in enumerate(group.train()):
        network = networks[group.sizes[update % batches]]
        first = sum(group.sizes[: update % batches])
        y = group.y[..., first : first + network.samples]
        printed[:, update // batches] += e.loss_function.value(network.z_out, y, e.output)
    return printed


def kept(e):
    training = Training(e, each_epoch=True)
    training.advance(float("inf"))
    return training.records.epoch_losses


CASES = {
    "one run": program("residual", 4).but(runs=1, epochs=30),
    "runs abreast": program("plain", 10).but(runs=9, epochs=30),
    "uneven batches, cross-entropy": Experiment(
        task="moons", samples=20, batch="8", order="fixed", width=8, depth=2, runs=2, epochs=20
    ),
    "a curve": Experiment(
        task="curve", samples=16, batch="4", order="fixed", width=8, depth=2, runs=2, epochs=20, learning_rate=0.01
    ),
}


@pytest.mark.parametrize("e", CASES.values(), ids=CASES)
def test_the_loss_of_an_epoch_is_that_of_each_batch_before_its_update_added_up(e, monkeypatch):
    compiled = kept(e)
    monkeypatch.setenv(VARIABLE, "off")
    np.testing.assert_allclose(kept(e), summed(e), rtol=1e-12)
    np.testing.assert_allclose(compiled, kept(e), rtol=1e-9)


def test_the_recipe_is_that_of_the_scenarios():
    for net, skip in NETS.items():
        assert program(net, 10) == TUTORIAL.but(skip=skip)
    assert [program("plain", inner).depth for inner in INNER] == [inner + 1 for inner in INNER]
    rows = layer_rows(program("residual", 10))
    assert rows[-1]["Param #"] == "217"
    assert sum("its input" in row["Layer (type)"] for row in rows) == 10


def run(**choice):
    view = TutorialView(**choice)
    made = Program(view.experiment)
    while not made.advance(0.2):
        assert 0 <= made.progress <= 1
    return view, made


def test_the_plain_program_prints_one_half_to_the_end():
    view, made = run()
    losses = losses_of(made)
    assert len(losses) == 100_000
    assert np.abs(losses[999:] - 0.5).max() < 0.0005
    lines = log_lines(losses, view.experiment.epochs)
    assert len(lines) == 100
    assert lines[0].startswith("epoch: 1000 / 100000 Loss = 0.50")
    assert lines[-1].startswith("epoch: 100000 / 100000 Loss = 0.50")
    assert "about 0.5" in run_headline(view, losses, made.history())
    assert made.history().epochs[-1] == 100_000


def test_one_seed_takes_the_course_that_was_published():
    losses = losses_of(run(net="residual", seed=LIKE_PUBLISHED)[1])
    assert {line[-8:] for line in log_lines(losses[:3000], 100_000)} == {"1.000000"}
    assert losses[11_999] < 1e-6 and len(losses) < 14_000


def test_the_residual_program_ends_at_the_epoch_at_which_its_loss_is_small_enough():
    view, made = run(net="residual")
    losses = losses_of(made)
    assert losses[-1] < 1e-7 <= losses[:-1].min()
    assert np.flatnonzero(losses < 1e-6)[0] < 13_000
    lines = log_lines(losses, view.experiment.epochs)
    assert lines[-1] == f"epoch: {len(losses)} / 100000 Loss = 0.000000"
    h = made.history()
    assert h.epochs[-1] == len(losses)
    assert h.complete
    # The answers on screen are those after that very epoch: as those of a training that had no more.
    alone = Training(view.experiment.but(epochs=len(losses)))
    alone.advance(float("inf"))
    np.testing.assert_array_equal(h.answers, alone.history().answers)
    assert [row["Answer"][0] for row in truth_rows(h)] == ["0", "0", "0", "0"]
    assert "the program ends" in run_headline(view, losses, h)


def test_the_clipping_written_out_is_the_engines():
    gradient = RNG.normal(size=(3, 1, 5, 4))
    clipped = clip_gradient_norm([gradient[layer, 0] for layer in range(3)], 0.5)
    CLIPPERS["norm"].clip(gradient, global_norm(gradient), 0.5)
    np.testing.assert_allclose(np.stack(clipped), gradient[:, 0], rtol=1e-13)


def test_the_residual_block_written_out_is_the_engines():
    e = program("residual", 2).but(runs=1)
    shape = architecture(e)
    theta = draw_parameters(shape, [e], [np.random.default_rng(1)])
    network = Network(shape, theta, 4)
    network.x[:] = e.points().x.T
    network.forward()
    for layer in range(1, shape.depth):
        x, w, b = network.h[layer, 0, :4].T, theta[layer, 0, :4], theta[layer, 0, 4]
        np.testing.assert_allclose(residual_block(x, w, b), network.h[layer + 1, 0, :4].T, rtol=1e-12)


def test_the_headline_of_the_curve_says_where_half_of_the_seeds_learn():
    solved = {"plain": {1: (8, 8), 2: (4, 8), 3: (4, 8), 4: (3, 8)}, "residual": {1: (8, 8)}}
    assert curve_headline(solved, True) == "At least half of the seeds learn: plain, NL = 1 to 3; residual, NL = 1"
    assert curve_headline({"plain": {}, "residual": {}}, False) == "No NL is trained yet"
    assert curve_headline({"plain": {1: (0, 8)}}, False).endswith("plain, at no NL")


def test_what_a_link_asks_for_is_checked():
    with pytest.raises(ValueError, match="tutorial_inner"):
        TutorialView(inner=11)
    with pytest.raises(ValueError, match="tutorial_epochs"):
        TutorialView(epochs=10**9)


@pytest.mark.parametrize(
    "view", [TutorialView(net="residual", inner=1), TutorialView(shown=CURVE, seeds=4, epochs=100)]
)
def test_the_lines_run(view, capsys, monkeypatch):
    if view.shown == CURVE:
        monkeypatch.setattr("explorer.stories.tutorial.INNER", (1, 2))
    exec(compile(tutorial_lines(view), "lines", "exec"), {})
    said = capsys.readouterr().out
    assert "epoch: " in said if view.shown != CURVE else "plain 1" in said
