"""Excerpts: the text of functions and of registries' entries, as it is installed."""

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from explorer.registry import Entry

# A function or method, or a registry's entry.
Piece = Callable[..., Any] | Entry


@dataclass(frozen=True)
class Excerpt:
    """A piece of a source file.

    Attributes
    ----------
    name : str
        As it is called in its module.
    module : str
    line : int
        Its first line, from 1.
    text : str
        The very lines of the file.
    """

    name: str
    module: str
    line: int
    text: str

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.module}, line {self.line}"


def excerpts(pieces: Sequence[Piece]) -> list[Excerpt]:
    """Return the text of each, as it is installed; of an entry the lines in which it is declared. Each once."""
    found = dict.fromkeys(_of_entry(each) if isinstance(each, Entry) else _of_function(each) for each in pieces)
    return [each for each in found if each is not None]


def _of_function(function: Callable[..., Any]) -> Excerpt | None:
    """None for a function that Python did not write, such as NumPy's, and one that stands in its entry."""
    function = inspect.unwrap(function)
    if not inspect.isfunction(function) or "<lambda>" in function.__qualname__:
        return None
    lines, first = inspect.getsourcelines(function)
    return Excerpt(function.__qualname__, function.__module__, first, "".join(lines))


@lru_cache(maxsize=32)
def _declared(module: str) -> Mapping[str, tuple[int, int]]:
    """First and last line of every entry that is declared in a module with its name."""
    path = import_module(module).__file__
    assert path is not None
    found: dict[str, tuple[int, int]] = {}
    for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            named = [key.value for key in node.keywords if key.arg == "name"] + node.args[:1]
            for name in named:
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    found.setdefault(name.value, (node.lineno, node.end_lineno or node.lineno))
    return found


def _of_entry(entry: Entry) -> Excerpt | None:
    """None for an entry whose name is put together, and so stands nowhere."""
    for module in _modules(entry):
        place = _declared(module).get(entry.name)
        if place is not None:
            path = import_module(module).__file__
            assert path is not None
            lines = Path(path).read_text(encoding="utf-8").splitlines(keepends=True)
            return Excerpt(entry.name, module, place[0], "".join(lines[place[0] - 1 : place[1]]))
    return None


def _modules(entry: Entry) -> list[str]:
    """Where an entry may be declared: beside its functions, else beside its kind."""
    beside = [getattr(value, "__module__", None) or "" for value in vars(entry).values() if inspect.isfunction(value)]
    return [*dict.fromkeys(name for name in beside if name.startswith("explorer.")), type(entry).__module__]
