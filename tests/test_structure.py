"""The house: modules import downward only, the engine knows no screen, every name explains itself."""

import ast
import inspect
import pkgutil
import sys
from functools import cache
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


def room(path):
    return path.relative_to(ROOT).parts[0]


@cache
def nodes(path):
    """Everything that stands in a file."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def imports(path):
    """All modules that a file imports, wherever in it, by their full names."""
    package, found = ["explorer", *path.relative_to(ROOT).parts[:-1]], []
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            found.append(".".join([*base, *([node.module] if node.module else [])]))
    return found


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


def where(wrong):
    """The files of which something is true."""
    return [str(path.relative_to(ROOT)) for path in FILES if wrong(path)]


def inside(path):
    """What a file imports of the house, each by the parts of its name."""
    return [name.split(".") for name in imports(path) if name.split(".")[0] == "explorer"]


def test_what_is_imported_is_imported_from_a_room_so_that_the_way_of_the_data_is_seen():
    assert not where(lambda path: any(len(parts) == 1 for parts in inside(path)))


def test_a_room_imports_downward_only():
    assert not where(lambda path: any(ROOMS.index(parts[1]) > ROOMS.index(room(path)) for parts in inside(path)))
    assert not where(lambda path: "pages" in distributions(path))


def test_streamlit_starts_with_the_screen():
    assert not where(lambda path: room(path) != SCREEN and "streamlit" in distributions(path))


KERNEL = "kernel.py"


def test_below_the_sweeps_nothing_knows_threads_or_processes():
    below = ROOMS[: ROOMS.index(MACHINE)]
    assert where(lambda path: distributions(path) & CONCURRENCY)
    assert not where(lambda path: room(path) in below and path.name != THREADS and distributions(path) & CONCURRENCY)


def test_plotly_stays_with_the_figures():
    assert not where(lambda path: room(path) not in (DRAWING, SCREEN) and "plotly" in distributions(path))


def test_nothing_is_imported_that_the_app_does_not_install():
    known = {*sys.stdlib_module_names, "explorer", *NEEDED_TO_RUN}
    more = {KERNEL: {"numba", "llvmlite"}}  # numba brings llvmlite
    assert not where(lambda path: distributions(path) - known - more.get(path.name, set()))


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
                and key != "BY_ADDRESS"  # the entries of a registry again, as links call them
                and hasattr(value, "items")
                and value
                and all(isinstance(v, Entry) for v in value.values())
            ):
                yield f"{name}.{key}", value


REGISTRIES = dict(registries())
ONCE = {id(table): name for name, table in REGISTRIES.items()}  # a registry has a name in every module that imports it
each_registry = pytest.mark.parametrize("table", [REGISTRIES[name] for name in ONCE.values()], ids=ONCE.values())


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


def test_what_differs_between_kinds_of_nets_is_looked_up_and_not_asked_of_the_class():
    asked = [
        f"{path.name}: {ast.unparse(node)}"
        for path in [*FILES, *sorted((ROOT.parent / "pages").glob("*.py"))]
        if path not in WHERE_KINDS_ARE_DEFINED
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("isinstance", "issubclass", "type")
        and KINDS_OF_EXPERIMENTS & {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
    ]
    assert not asked
