"""The layer table, against a count by hand."""

import pytest

from explorer import Experiment
from explorer.training.run import Training
from pages.explore_page import layer_table


def by_hand(inputs, width, depth, *, bias=True, normalized=False):
    """Weights and biases, and gamma and beta in place of what normalization makes useless."""
    count, fan_in = 0, inputs
    for _ in range(depth):
        count += fan_in * width + (width if bias else 0) + (2 * width if normalized else 0)
        fan_in = width
    return count + fan_in + (1 if bias else 0)


def total(experiment):
    return int(layer_table(experiment)[-1]["Parameters"].replace(",", ""))


def test_the_tutorials_net_has_217_parameters():
    rows = layer_table(Experiment(depth=11, width=4))
    assert [row["Parameters"] for row in rows] == ["12", *["20"] * 10, "5", "217"]
    assert total(Experiment()) == by_hand(2, 4, 11) == 217


@pytest.mark.parametrize(
    ("depth", "width", "task", "inputs"),
    [(1, 2, "XOR", 2), (3, 16, "moons", 2), (5, 8, "curve", 1), (3, 4, "signal XOR", 12)],
)
def test_totals_agree_with_a_count_by_hand(depth, width, task, inputs):
    e = Experiment(depth=depth, width=width, task=task)
    assert total(e) == by_hand(inputs, width, depth)
    assert total(e.but(bias="none")) == by_hand(inputs, width, depth, bias=False)


def test_a_convolution_has_three_weights_for_every_pair_of_channels():
    rows = layer_table(Experiment(task="signal XOR", layer="convolution", depth=3, width=4))
    assert [row["Parameters"] for row in rows] == ["16", "52", "52", "5", "125"]
    assert [row["Output shape"] for row in rows[:-1]] == ["(samples, 12, 4)"] * 3 + ["(samples, 1)"]


def test_normalization_brings_a_scale_and_a_shift_for_every_unit():
    e = Experiment(depth=3, width=4, task="moons", normalization="batch")
    without = total(e.but(normalization="none"))
    # The shift takes the bias's place or comes on top of it; the scale always comes on top.
    assert total(e) - without in (3 * 4, 3 * 2 * 4)


def test_rows_say_size_kind_and_where_a_shortcut_comes_from():
    rows = layer_table(Experiment(depth=4, width=4, skip="two layers", normalization="layer"))
    assert len(rows) == 4 + 1 + 1
    assert rows[0]["W (fan_in, fan_out)"] == "(2, 4)"
    assert rows[4]["W (fan_in, fan_out)"] == "(4, 1)"
    assert rows[4]["What it is"].startswith("output")
    assert [("plus the output of layer" in row["What it is"]) for row in rows[:4]] == [False, False, True, False]
    assert all("layer norm" in row["What it is"] for row in rows[:4])


def test_one_row_a_layer_whatever_the_settings():
    for e in (
        Experiment(),
        Experiment(depth=1, width=2, bias="none"),
        Experiment(depth=50, width=128, skip="one layer"),
    ):
        rows = layer_table(e)
        assert len(rows) == e.layers + 1
        assert len({tuple(row) for row in rows}) == 1


def test_the_table_counts_what_is_really_trained():
    e = Experiment(depth=3, width=4, initializer="normal", bias="none", epochs=1)
    theta = Training(e.but(runs=1)).groups[0].theta
    assert (theta != 0).sum() == total(e)
