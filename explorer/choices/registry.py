"""How a choice is declared: entries with a name, collected in read-only mappings.

Every choosable thing (activation, initializer, data set, ...) is one entry
that carries its mathematics and its words. The name of an entry is what the
menus show, what the link holds and what `Experiment` accepts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What every registry entry says of itself."""

    name: str  # Shown on screen and held by the link; never change it once published
    caption: str  # One plain sentence for the reader
    formula: str = ""  # The defining formula, in plain text that any screen can show
    source: str = ""  # Paper and equation, or empty where it is common knowledge

    def __str__(self) -> str:
        return self.name


E = TypeVar("E", bound=Entry)
Named = TypeVar("Named", bound=Entry, covariant=True)


class EntryOf(Generic[Named]):
    """An attribute of an experiment: the entry that the name in one of its settings stands for."""

    def __init__(self, setting: str, table: Mapping[str, Named]) -> None:
        self.setting, self.table = setting, table

    def __get__(self, experiment: Any, owner: type) -> Named:
        return self.table[experiment.__dict__[self.setting]]


def registry(entries: Iterable[E]) -> Mapping[str, E]:
    """Collect entries in a read-only mapping from name to entry, in their order.

    Raises ValueError if two names are equal apart from upper and lower case.
    """
    table: dict[str, E] = {}
    seen: set[str] = set()
    for entry in entries:
        if entry.name.casefold() in seen:
            raise ValueError(f"two entries are called {entry.name!r}")
        seen.add(entry.name.casefold())
        table[entry.name] = entry
    return MappingProxyType(table)
