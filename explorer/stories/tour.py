"""The guided tour: its scenes in order, one entry each in the module of its part."""

from dataclasses import dataclass

from explorer.choices.controls import Choice, controls_of, setting
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


QUESTION, ANSWER = "question", "answer"
PAGE, PRESENTER = "page", "presenter"


@dataclass(frozen=True, kw_only=True)
class TourView:
    """Where in the tour a viewer is, and how it is shown."""

    scene: str = setting(
        Choice(
            label="Scene",
            help="The scenes in order.",
            group="View",
            options=tuple(str(number) for number in range(1, len(SCENES) + 1)),
            default="1",
        )
    )
    revealed: str = setting(
        Choice(
            label="Shown",
            help="question: it alone, to predict; answer: the figure and what it says.",
            group="View",
            options=(QUESTION, ANSWER),
            default=QUESTION,
        )
    )
    present: str = setting(
        Choice(
            label="Mode",
            help="presenter: the scene alone, in large type, for a lecture room.",
            group="View",
            options=(PAGE, PRESENTER),
            default=PAGE,
        )
    )

    @property
    def number(self) -> int:
        """The scene, counted from 1."""
        return int(self.scene)


TOUR_CONTROLS = controls_of(TourView)
# What each scene lets the room play with, by its key in the link.
PLAY_CONTROLS = {
    play_key(number, name): control
    for number, scene in enumerate(SCENES, start=1)
    for name, control in scene.controls.items()
}
