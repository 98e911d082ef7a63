"""The house: modules import downward only, the engine knows no screen, every name explains itself."""

import ast
import inspect
import pkgutil
import sys
from importlib import import_module
from pathlib import Path

import pytest

import explorer
from explorer.registry import Entry

ROOT = Path(explorer.__file__).parent

# A module imports only from lines above its own. A new module takes its place here.
ORDER = [
    "registry",
    "controls",
    "activations",
    "initializers",
    "normalizations",
    "datasets",
    "own_data",
    "memory_tasks",
    "cells",
    "recurrent_initializers",
    "losses",
    "optimizers",
    "clipping",
    "settings",
    "experiment",
    "recurrent_experiment",
    "wording",
    "scenarios",
    "architecture",
    "network",
    "history",
    "diagnostics",
    "recurrent_architecture",
    "recurrent",
    "time_diagnostics",
    "records",
    "group",
    "recurrent_group",
    "training",
    "recurrent_theory",
    "cliff",
    "layers",
    "answers",
    "depths",
    "pace",
    "cost",
    "recurrent_cost",
    "reach",
    "reach_curves",
    "recurrent_comparisons",
    "recurrent_scenarios",
    "moments",
    "pairs",
    "meanfield",
    "layerwise",
    "typical",
    "theory",
    "seeds",
    "time_shares",
    "matrices",
    "facts",
    "time_facts",
    "remedies",
    "effects",
    "why",
    "verdict",
    "outcomes",
    "sweep",
    "critical",
    "portions",
    "view",
    "time_view",
    "cliff_view",
    "tour_scene",
    "tour_measures",
    "tour_problems",
    "tour_cures",
    "tour_through_time",
    "tour",
    "page_views",
    "theme",
    "inks",
    "panels",
    "profiles",
    "answer_panels",
    "arrangement",
    "figures",
    "time_arrangement",
    "time_figure",
    "remedies_figure",
    "depth_layout",
    "triangles",
    "depth_curves",
    "curves",
    "time_curves",
    "matrix_layout",
    "matrix_figure",
    "gates_figure",
    "steps_figure",
    "reach_figure",
    "clipping_figure",
    "cliff_panels",
    "cliff_figure",
    "sweep_figure",
    "describe",
    "describe_time",
    "describe_cliff",
    "describe_reach",
    "describe_recurrence",
    "excerpts",
    "show_code",
    "takeaway",
    "notebook",
    "page_export",
    "in_turn",
    "processes",
    "cluster",
    "executors",
    "sweep_runs",
    "ui",
]

FIRST_OF_THE_MACHINE, FIRST_OF_THE_SCREEN = "in_turn", "ui"
DRAWING = {
    "theme",
    "panels",
    "profiles",
    "answer_panels",
    "figures",
    "time_figure",
    "remedies_figure",
    "triangles",
    "depth_curves",
    "curves",
    "time_curves",
    "matrix_figure",
    "gates_figure",
    "steps_figure",
    "reach_figure",
    "clipping_figure",
    "cliff_panels",
    "cliff_figure",
    "sweep_figure",
}
CONCURRENCY = {"threading", "multiprocessing", "concurrent", "asyncio", "subprocess", "_thread"}
NEEDED_TO_RUN = {"streamlit", "numpy", "plotly"}


def room(path):
    """The line of ORDER that a file belongs to: its own name, or its package's."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


FILES = sorted(path for path in ROOT.rglob("*.py") if path.name != "__init__.py" or path.parent != ROOT)
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))


def imports(path):
    """All modules that a file imports, wherever in it, by their full names."""
    package = ["explorer", *path.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield stem
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def rooms_imported(path):
    names = [name.split(".")[1] for name in imports(path) if name.startswith("explorer.")]
    return {name for name in names if (ROOT / name).is_dir() or (ROOT / f"{name}.py").exists()}


@each_file
def test_a_module_has_its_place_in_the_order(path):
    assert room(path) in ORDER, f"give {room(path)} a line in ORDER"


@each_file
def test_a_module_imports_only_from_above(path):
    mine = room(path)
    below = {name for name in rooms_imported(path) - {mine} if ORDER.index(name) > ORDER.index(mine)}
    assert not below


@each_file
def test_no_module_imports_the_package_it_is_in(path):
    # `from explorer import Experiment` inside would hide what depends on what.
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    taken = [a.name for n in tree if isinstance(n, ast.ImportFrom) and n.module == "explorer" for a in n.names]
    assert all((ROOT / name).is_dir() or (ROOT / f"{name}.py").exists() for name in taken)


def test_the_order_has_no_line_twice():
    assert len(set(ORDER)) == len(ORDER)


@each_file
def test_below_the_screen_nothing_knows_streamlit(path):
    if ORDER.index(room(path)) < ORDER.index(FIRST_OF_THE_SCREEN):
        assert "streamlit" not in {name.split(".")[0] for name in imports(path)}


@each_file
def test_below_the_machine_nothing_knows_threads_or_processes(path):
    if ORDER.index(room(path)) < ORDER.index(FIRST_OF_THE_MACHINE):
        assert not {name.split(".")[0] for name in imports(path)} & CONCURRENCY


@each_file
def test_plotly_stays_with_the_figures(path):
    if room(path) not in DRAWING and ORDER.index(room(path)) < ORDER.index(FIRST_OF_THE_SCREEN):
        assert "plotly" not in {name.split(".")[0] for name in imports(path)}


@each_file
def test_nothing_is_imported_that_the_app_does_not_install(path):
    outside = {name.split(".")[0] for name in imports(path)} - set(sys.stdlib_module_names) - {"explorer"}
    assert outside <= NEEDED_TO_RUN


def public():
    for info in pkgutil.walk_packages([str(ROOT)], "explorer."):
        yield info.name


@pytest.mark.parametrize("name", list(public()))
def test_everything_public_has_a_docstring(name):
    module = import_module(name)
    assert module.__doc__
    missing = []
    for key, value in vars(module).items():
        if key.startswith("_") or getattr(value, "__module__", None) != name:
            continue
        if inspect.isclass(value) or inspect.isfunction(value):
            missing += [key] * (not (value.__doc__ or "").strip())
        if inspect.isclass(value):
            missing += [
                f"{key}.{attribute}"
                for attribute, member in vars(value).items()
                if not attribute.startswith("_")
                and (inspect.isfunction(member) or isinstance(member, (property, classmethod, staticmethod)))
                and not (inspect.getdoc(getattr(value, attribute)) or "").strip()
            ]
    assert not missing


def registries():
    """Every mapping of a module from names to entries."""
    for name in public():
        for key, value in vars(import_module(name)).items():
            if (
                key.isupper()
                and hasattr(value, "items")
                and value
                and all(isinstance(v, Entry) for v in value.values())
            ):
                yield f"{name}.{key}", value


REGISTRIES = dict(registries())
each_registry = pytest.mark.parametrize("table", REGISTRIES.values(), ids=REGISTRIES)


def test_the_promised_registries_are_there():
    promised = "activations.ACTIVATIONS initializers.INITIALIZERS normalizations.NORMALIZATIONS datasets.DATASETS"
    promised += " optimizers.OPTIMIZERS losses.LOSSES clipping.CLIPPERS diagnostics.DIAGNOSTICS"
    promised += " scenarios.SCENARIOS remedies.REMEDIES"
    assert {f"explorer.{name}" for name in promised.split()} <= set(REGISTRIES)


@each_registry
def test_registries_are_read_only(table):
    with pytest.raises(TypeError):
        table["new"] = next(iter(table.values()))
    with pytest.raises((TypeError, AttributeError)):
        table.clear()


@each_registry
def test_names_are_unique_whatever_the_case_and_lead_to_their_entry(table):
    assert len({name.casefold() for name in table}) == len(table)
    assert all(entry.name == name for name, entry in table.items())


@each_registry
def test_every_entry_says_what_it_is(table):
    for name, entry in table.items():
        assert entry.caption.strip(), name


def test_the_package_offers_the_two_names_a_notebook_needs():
    assert set(explorer.__all__) == {"Experiment", "train"}
    assert all(getattr(explorer, name).__doc__ for name in explorer.__all__)
