"""Show the code: every entry of the table resolves, and what is shown is the source file's very text."""

from importlib import import_module
from pathlib import Path

import pytest

from explorer import Experiment
from explorer.choices.activations import ACTIVATIONS
from explorer.choices.cells import CELLS
from explorer.choices.clipping import CLIPPERS
from explorer.choices.comparisons import COMPARISONS
from explorer.choices.losses import LOSSES
from explorer.choices.normalizations import NORMALIZATIONS
from explorer.choices.optimizers import OPTIMIZERS
from explorer.choices.recurrent_experiment import PLAIN_ACTIVATIONS, RecurrentExperiment
from explorer.choices.recurrent_initializers import RECURRENT_INITIALIZERS
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.verdict import VERDICTS
from explorer.figures.view import TimeView, View
from explorer.sharing.code import depth_table, explore_table, listings, remedies_table, sweep_table, time_table
from explorer.sweeps.outcomes import OUTCOMES
from explorer.training.kinds import LAYERS, TIME_STEPS
from explorer.training.measures import offered
from pages.time_page import SECOND_FIGURES

RICH = Experiment(normalization="batch", clip="norm", optimizer="Adam")
VERDICT = VERDICTS["vanishing"]
RECURRENT = RecurrentExperiment()
FIRST, MATRIX = ((name, SECOND_FIGURES[name].code) for name in ("reach", "recurrent matrix"))
ALONE = TimeView(compare="baseline")


def tables():
    for metric in offered(LAYERS.measures):
        yield f"explore {metric}", explore_table(RICH, View(metric=metric), VERDICT)
    for name in ACTIVATIONS:
        yield f"activation {name}", explore_table(Experiment(activation=name), View(), VERDICT)
    for name in CLIPPERS:
        yield f"clip {name}", explore_table(Experiment(clip=name), View(), VERDICT)
    for name in OPTIMIZERS:
        yield f"optimizer {name}", explore_table(Experiment(optimizer=name), View(), VERDICT)
    for name in LOSSES:
        yield f"loss {name}", explore_table(Experiment(loss=name), View(), VERDICT)
    for name, verdict in VERDICTS.items():
        yield f"verdict {name}", explore_table(RICH, View(), verdict)
    yield "remedies", remedies_table(list(REMEDIES))
    yield "depth", depth_table()
    for name, outcome in OUTCOMES.items():
        yield f"sweep {name}", sweep_table(outcome)
    for metric in offered(TIME_STEPS.measures):
        yield f"time {metric}", time_table(RECURRENT, TimeView(metric=metric), *FIRST)
    for figure, entry in SECOND_FIGURES.items():
        yield f"time {figure}", time_table(RECURRENT, TimeView(), figure, entry.code)
    for compare in COMPARISONS:
        yield f"time {compare}", time_table(RECURRENT, TimeView(compare=compare), *FIRST)
    for name in PLAIN_ACTIVATIONS:
        yield f"time {name}", time_table(RECURRENT.but(activation=name), TimeView(), *FIRST)
    for name in RECURRENT_INITIALIZERS:
        yield (
            f"time {name}",
            time_table(RECURRENT.but(initializer=name), ALONE, *MATRIX),
        )


TABLES = dict(tables())
each_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


@each_table
def test_every_entry_resolves_to_the_very_text_of_an_installed_file(table):
    assert table
    for shown, pieces in table.items():
        found = listings(pieces)
        assert found, shown
        for each in found:
            file = Path(import_module(each.module).__file__).read_text(encoding="utf-8").splitlines(keepends=True)
            count = len(each.text.splitlines())
            assert each.text == "".join(file[each.line - 1 : each.line - 1 + count])
            assert each.module.startswith("explorer.")


def names(table):
    return {each.name for pieces in table.values() for each in listings(pieces)}


def test_dl_dz_comes_with_the_backward_pass_and_the_slope_in_use():
    found = names(explore_table(Experiment(), View(), VERDICT))
    assert {"_delta", "Network._backward_pass", "_sigmoid_slope", "sigmoid", "backward", "_half_squared_delta"} <= found
    assert "affine_backward" not in found


@pytest.mark.parametrize("name", ["batch", "layer"])
def test_normalizations_backward_pass_is_there_when_it_is_on(name):
    assert "affine_backward" in names(explore_table(Experiment(normalization=name), View(), VERDICT))
    assert name in NORMALIZATIONS


def test_dl_dw_comes_with_its_own_product():
    assert "Network._weight_gradient" in names(explore_table(Experiment(), View(metric="dL/dW"), VERDICT))


@pytest.mark.parametrize(("name", "function"), [("value", "_by_value"), ("norm", "_by_norm")])
def test_the_clipper_in_use_is_shown(name, function):
    found = names(explore_table(Experiment(clip=name), View(), VERDICT))
    assert function in found
    assert not {"_by_value", "_by_norm"} - {function} & found


def test_leaky_relu_whose_functions_stand_in_its_entry_shows_what_they_call():
    assert {"leaky ReLU", "leaky", "leaky_slope"} <= names(
        explore_table(Experiment(activation="leaky ReLU"), View(), VERDICT)
    )


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_shown_as_it_is_declared(name):
    assert name in names(explore_table(Experiment(activation=name), View(), VERDICT))


def test_the_word_comes_with_its_judges():
    found = names(remedies_table(["ReLU"]))
    assert {"_judge", "chance_of_more", "ReLU"} <= found


def test_depth_shows_the_widening_pass_and_sweep_its_outcome():
    assert {"_BackwardPass.measure", "_BackwardPass._to_dh"} <= names(depth_table())
    for name, outcome in OUTCOMES.items():
        assert name in names(sweep_table(outcome))


@pytest.mark.parametrize("cell", CELLS)
def test_the_cells_that_stand_side_by_side_are_shown_with_both_their_steps(cell):
    both = {f"_{cell.lower()}_forward".replace("_rnn", "_plain"), f"_{cell.lower()}_backward".replace("_rnn", "_plain")}
    alone = names(time_table(RECURRENT.but(cell=cell), ALONE, *FIRST))
    assert {cell, *both} <= alone & names(time_table(RECURRENT, TimeView(), *FIRST))
    assert not set(CELLS) - {cell} & alone
    assert {"Layer.forward", "Layer.backward", "RecurrentNetwork.backward"} <= alone
    assert "gate_product" in alone or "step_bound" in alone
    assert ("gate_product" in alone) == bool(CELLS[cell].memory_gate)


def test_a_measure_over_steps_is_not_taken_for_that_of_layers():
    for metric, where in (("dL/dz", "explorer.training.time_measures"), ("dL/dh", "explorer.training.time_measures")):
        found = listings([TimeView(metric=metric).diagnostic])
        assert [each.module for each in found] == [where]
    assert listings([View(metric="dL/dz").diagnostic])[0].module == "explorer.training.measures"


def test_each_second_figure_of_time_shows_what_made_it():
    made = {
        "reach": "state_jacobians",
        "recurrent matrix": "spectra",
        "gates": "_openness",
        "lens": "Layer._count",
        "parts of dL/dW": "Layer._contribution",
        "truncation": "cut_off",
        "clipping": "_by_value",
    }
    assert set(made) == set(SECOND_FIGURES)
    for figure, function in made.items():
        assert function in names(time_table(RECURRENT, TimeView(), figure, SECOND_FIGURES[figure].code))
