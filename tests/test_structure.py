"""The house: modules import downward only, the engine knows no screen, every name explains itself."""

import ast
import inspect
import pkgutil
import sys
from importlib import import_module
from pathlib import Path

import pytest

import explorer
from explorer.choices.registry import Entry

ROOT = Path(explorer.__file__).parent

# A room imports only from rooms to its left.
ROOMS = ("choices", "training", "theory", "diagnosis", "sweeps", "figures", "stories", "sharing", "ui")
SCREEN, DRAWING, MACHINE = "ui", "figures", "sweeps"
LARGEST = 18  # files of a room
THREADS = "cores.py"  # where trainings go side by side
CONCURRENCY = {"threading", "multiprocessing", "concurrent", "asyncio", "subprocess", "_thread"}
NEEDED_TO_RUN = {"streamlit", "starlette", "numpy", "plotly", "segno"}  # Streamlit brings Starlette

FILES = sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT)
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))


def room(path):
    return path.relative_to(ROOT).parts[0]


def imports(path):
    """All modules that a file imports, wherever in it, by their full names."""
    package = ["explorer", *path.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            yield ".".join([*base, *([node.module] if node.module else [])])


def distributions(path):
    return {name.split(".")[0] for name in imports(path)}


DOORS = ("__init__.py", "__main__.py")  # from a program, and from the command line
LARGEST_DOOR = 60  # lines: what is done there is done in a room


def test_the_house_is_nine_rooms_and_nothing_lies_beside_them():
    assert {path.name for path in ROOT.iterdir() if path.name != "__pycache__"} == {*DOORS, *ROOMS}
    assert all((ROOT / door).read_text(encoding="utf-8").count("\n") <= LARGEST_DOOR for door in DOORS)


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_can_be_read_as_a_table_of_contents(name):
    assert len(list((ROOT / name).rglob("*.py"))) - 1 <= LARGEST


@each_file
def test_a_room_imports_downward_only(path):
    mine = ROOMS.index(room(path))
    inside = [name.split(".") for name in imports(path) if name.split(".")[0] == "explorer"]
    assert all(len(parts) > 1 for parts in inside), "import from a room, so that the way of the data is seen"
    assert not [parts for parts in inside if ROOMS.index(parts[1]) > mine]
    assert "pages" not in distributions(path)


@each_file
def test_streamlit_starts_with_the_screen(path):
    assert room(path) == SCREEN or "streamlit" not in distributions(path)


KERNEL = "kernel.py"


@each_file
def test_below_the_sweeps_nothing_knows_threads_or_processes(path):
    if ROOMS.index(room(path)) < ROOMS.index(MACHINE) and path.name != THREADS:
        assert not distributions(path) & CONCURRENCY


@each_file
def test_plotly_stays_with_the_figures(path):
    assert room(path) in (DRAWING, SCREEN) or "plotly" not in distributions(path)


@each_file
def test_nothing_is_imported_that_the_app_does_not_install(path):
    outside = distributions(path) - set(sys.stdlib_module_names) - {"explorer"}
    assert outside <= NEEDED_TO_RUN | ({"numba", "llvmlite"} if path.name == KERNEL else set())  # numba brings llvmlite


def test_numba_is_known_to_the_kernels_alone_which_nobody_imports_by_name():
    """Where it cannot be installed, all else works without."""
    assert [path.name for path in FILES if "numba" in distributions(path)] == [KERNEL]
    module = "explorer.training." + KERNEL.removesuffix(".py")
    assert not [path for path in FILES if module in imports(path)]


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
                and attribute not in getattr(value, "__dataclass_fields__", ())  # said beside the field
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
    promised = "choices.ACTIVATIONS choices.INITIALIZERS choices.NORMALIZATIONS choices.DATASETS"
    promised += " choices.OPTIMIZERS choices.LOSSES choices.CLIPPERS training.DIAGNOSTICS"
    promised += " stories.SCENARIOS diagnosis.REMEDIES diagnosis.VERDICTS"
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


def test_the_package_offers_the_names_a_notebook_needs():
    assert set(explorer.__all__) == {"Experiment", "RecurrentExperiment", "diagnose", "train"}
    assert all(getattr(explorer, name).__doc__ for name in explorer.__all__)


KINDS_OF_EXPERIMENTS = {"Experiment", "RecurrentExperiment"}
WHERE_KINDS_ARE_DEFINED = {ROOT / "training" / "kinds.py", *(ROOT / "choices").glob("*.py")}


@pytest.mark.parametrize("path", [*FILES, *sorted((ROOT.parent / "pages").glob("*.py"))], ids=lambda path: path.stem)
def test_what_differs_between_kinds_of_nets_is_looked_up_and_not_asked_of_the_class(path):
    asked = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("isinstance", "issubclass", "type")
        and KINDS_OF_EXPERIMENTS & {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
    ]
    assert path in WHERE_KINDS_ARE_DEFINED or not asked
