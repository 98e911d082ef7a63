"""The keys under which the link and the session hold the controls of each kind of nets."""

from collections.abc import Mapping
from dataclasses import dataclass

from explorer.choices.controls import Control
from explorer.training.kinds import KINDS, LAYERS, TIME_STEPS, Kind


@dataclass(frozen=True)
class Keys:
    """The keys under which the link and the session hold the controls of one kind of nets."""

    prefix: str  # Before the name of every setting: old links name them so, never change it
    home: str  # Title of the first page that shows this kind
    empty_baseline: str  # What the empty text of the baseline stands for

    @property
    def baseline(self) -> str:
        """The key of the text that describes the baseline."""
        return f"{self.prefix}baseline"

    @property
    def scenario(self) -> str:
        """The key of the menu of scenarios, which is not part of the link."""
        return f"_{self.prefix}scenario"


_KEYS = {
    LAYERS: Keys("", "Explore", "empty is the opening example itself, none is no baseline"),
    TIME_STEPS: Keys("time_", "Time", "empty is no baseline"),
}
BASELINES = tuple(keys.baseline for keys in _KEYS.values())


def keys_of(kind: Kind) -> Keys:
    """Return the keys of a kind of nets."""
    return _KEYS[kind]


def settings_by_key() -> Mapping[str, Control]:
    """Return the controls of all settings of all kinds, by key in the link."""
    return {
        f"{keys_of(kind).prefix}{name}": control
        for kind in KINDS.values()
        for name, control in kind.experiment.controls().items()
    }
