"""The notebook of every page: valid, it runs from top to bottom, and its figures are those on screen."""

import builtins
import json
from base64 import b64decode
from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pytest

from explorer.figures import plain
from explorer.sharing.notebook import (
    OWN_CSV,
    compared_lines,
    explore_lines,
    notebook_json,
    product_lines,
    scene_lines,
    tutorial_lines,
)
from explorer.stories.tour import SCENES, TOUR
from explorer.stories.tutorial import CURVE, SAID, TutorialView
from tests.sharing.test_takeaway import OTHER, OWN_DATA, QUERY, RECURRENT, SMALL
from tests.ui.test_app import opened, sent

ROOT = Path(__file__).resolve().parents[2]
MOONS = {"task": "moons", "samples": "32", "activation": "tanh"}
TIME = {f"time_{name}": str(value) for name, value in RECURRENT.settings(changed_only=True).items()}
# A link of every page that offers a notebook, and how many of the figures on it, the first ones, are in the notebook.
PAGES = {
    "explore": (QUERY | {"metric": "dL/dW", "axis": "log"}, 2),
    "explore, with answers and a baseline": (QUERY | MOONS | {"baseline": "depth:2;runs:2;epochs:20"}, 2),
    "depth": (QUERY | {"gradient": "dL/dW"}, 3),
    "depth, without training": (QUERY | {"train": "off", "remedy": "none"}, 2),
    "sweep": (QUERY, 1),
    "remedies": (QUERY | {"combine": ["ReLU", "batch norm"], "remedies_colour": "value"}, 2),
    "time": (TIME | {"time_compare": "forget bias"}, 1),
    "time, lens": (TIME | {"time_figure": "lens", "time_lens_function": "update gate", "time_lens_step": "3"}, 2),
    "cliff": ({"cliff_steps": "9", "cliff_updates": "20"}, 1),
    "tour, a net": ({"scene": "never learns", "revealed": "answer", "never-learns_depth": "2"}, 1),
    "tour, products": ({"scene": "a product", "revealed": "answer"}, 1),
    "tutorial": ({"tutorial_inner": "1", "tutorial_seed": "3"}, 1),
    "walk": (QUERY, 0),
}


def cells(text):
    return json.loads(text)["cells"]


def run_cells(text, monkeypatch):
    """Execute a notebook's cells in this process; return its names and what it displays."""
    displayed, names = [], {}
    monkeypatch.setattr(builtins, "display", displayed.append, raising=False)
    monkeypatch.chdir(ROOT)
    for cell in cells(text):
        if cell["cell_type"] == "code":
            exec(compile(cell["source"], cell["id"], "exec"), names)
    return names, displayed


@pytest.mark.parametrize("name", PAGES)
def test_every_pages_notebook_runs_from_top_to_bottom_and_shows_the_pages_figures(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    query, count = PAGES[name]
    app = opened(name.split(",")[0], query).run()
    assert not app.exception, app.exception[0].value
    (lines,) = sent(app, "lines")
    _, displayed = run_cells(notebook_json("Title", lines), monkeypatch)
    shown = [json.loads(figure.to_json()) for figure in displayed if hasattr(figure, "to_json")]
    on_screen = [json.loads(text) for text in sent(app, "figure") if text.startswith("{")]
    assert all(any(alike(each, figure) for each in shown) for figure in on_screen[:count])
    assert len(displayed) == max(count, 1)


def alike(one, other):
    """Whether two figures have the same traces, up to rounding: kernels or NumPy may have trained them."""
    if [(each["type"], each.get("name")) for each in one["data"]] != [
        (each["type"], each.get("name")) for each in other["data"]
    ]:
        return False
    return all(close(a.get(of), b.get(of)) for a, b in zip(one["data"], other["data"], strict=True) for of in "xyz")


def close(one, other):
    a, b = numbers(one), numbers(other)
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-4, equal_nan=True)


def numbers(sent):
    """Numbers as Plotly gets them: a list, in which null is NaN, or binary."""
    if isinstance(sent, dict):
        kind = next(name for name, short in plain.BINARY.items() if short == sent["dtype"])
        return np.frombuffer(b64decode(sent["bdata"]), kind).astype(float)
    flat = np.array(sent or [], dtype=object).ravel()
    return np.array([np.nan if each is None else each for each in flat], dtype=float)


@pytest.mark.long
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.address)
def test_every_scenes_notebook_shows_a_figure(scene, monkeypatch):
    _, displayed = run_cells(notebook_json("", scene_lines(scene)), monkeypatch)
    assert len(displayed) == 1


def test_a_scene_that_is_played_with_is_in_its_lines_as_it_is_played():
    assert ".as_played({'depth': 2})" in scene_lines(TOUR["The net that never learns"].as_played({"depth": 2}))
    assert ".as_played" not in scene_lines(TOUR["The net that never learns"])


def test_a_notebook_says_what_it_is_about_what_it_needs_and_what_each_cell_does():
    text = notebook_json("Vanishing", explore_lines(SMALL, OTHER), ["A sentence.", "Settings."])
    first, *rest = cells(text)
    assert first["source"].startswith("# Vanishing\n\nA sentence.\n\nSettings.\n\n")
    assert "requirements.txt" in first["source"]
    assert rest[0]["source"].startswith("import sys")
    kinds = [cell["cell_type"] for cell in rest[1:]]
    assert kinds == ["markdown", "code"] * (len(kinds) // 2)
    assert all(cell["source"].strip() for cell in rest)


def test_a_notebook_on_own_data_says_where_they_have_to_lie():
    own = explore_lines(SMALL.but(task="own data", data=OWN_DATA))
    assert OWN_CSV in cells(notebook_json("Mine", own))[0]["source"]
    assert OWN_CSV not in cells(notebook_json("Ours", explore_lines(SMALL)))[0]["source"]


@pytest.mark.parametrize("shown", [CURVE, SAID])
def test_the_tutorials_long_notebooks_are_python(shown):
    compile(tutorial_lines(TutorialView(shown=shown)), "lines", "exec")


@pytest.mark.long
@pytest.mark.parametrize("shown", [CURVE, SAID])
def test_the_tutorials_long_notebooks_run(shown, monkeypatch):
    _, displayed = run_cells(
        notebook_json("", tutorial_lines(TutorialView(shown=shown, seeds=4, epochs=100))), monkeypatch
    )
    assert len(displayed) == 1


def test_without_a_notebook_a_figure_is_told_in_words(capsys):
    plain.show(plain.figure([], {}), "It shows nothing.")
    assert capsys.readouterr().out == "It shows nothing.\n"


# --- a real kernel ------------------------------------------------------------------------------


KERNELS = {
    "explore": explore_lines(SMALL, OTHER),
    "time": compared_lines({"RNN": RECURRENT, "LSTM": RECURRENT.but(cell="LSTM")}, SCENES[-1].view),
    "products": product_lines(next(scene.products for scene in SCENES if scene.products)),
}


@pytest.mark.parametrize(
    "name", ["explore", *(pytest.param(name, marks=pytest.mark.long) for name in ("time", "products"))]
)
def test_a_notebook_runs_in_a_real_kernel(name, monkeypatch):
    monkeypatch.setenv("GRADIENT_EXPLORER_COMPILED", "off")  # to load kernels takes longer than to train this
    notebook = nbformat.reads(notebook_json("Title", KERNELS[name]), as_version=4)
    nbformat.validate(notebook)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(ROOT)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    drawn = [
        output.data["application/vnd.plotly.v1+json"]
        for output in outputs
        if "application/vnd.plotly.v1+json" in output.get("data", {})
    ]
    assert len(drawn) == plain_count(KERNELS[name])
    assert all(figure["data"] for figure in drawn)
    nbformat.validate(notebook)


def plain_count(lines):
    return sum(line.startswith("show(") for line in lines.splitlines())
