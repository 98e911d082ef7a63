"""The guided tour: its scenes in order, one entry each in the module of its part."""

from explorer.choices.registry import registry
from explorer.stories.cures import CURES
from explorer.stories.problems import PROBLEMS
from explorer.stories.scene import Scene
from explorer.stories.through_time import LAST_STEPS

TOUR = registry([*PROBLEMS, *CURES, *LAST_STEPS])
SCENES: tuple[Scene, ...] = tuple(TOUR.values())


def play_key(number: int, setting: str) -> str:
    """Return the link's key of a setting that is played with in the scene of this number, counted from 1."""
    return f"scene{number}_{setting}"
