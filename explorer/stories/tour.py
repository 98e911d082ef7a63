"""The guided tour: its chapters, and their scenes in order, one entry each in the module of its part."""

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.choices.controls import Choice, controls_of, setting
from explorer.choices.registry import Entry, registry
from explorer.stories.cures import CURES
from explorer.stories.problems import CAUSES, PROBLEMS
from explorer.stories.scene import Scene
from explorer.stories.through_time import LAST_STEPS


@dataclass(frozen=True, kw_only=True)
class Chapter(Entry):
    """A part of the tour; `caption` is what to remember of it."""

    scenes: Sequence[Scene]


CHAPTERS = registry(
    [
        Chapter(
            name="The problem",
            caption="A gradient is a product with one factor for each layer. Factors below 1 make it vanish, factors above 1 "
            "make it explode: exponentially in depth.",
            scenes=PROBLEMS,
        ),
        Chapter(
            name="The causes",
            caption="Weights too small, too large or all alike; slopes far below 1, such as the sigmoid's, 1/4 at best; "
            "units that are off for every sample.",
            scenes=CAUSES,
        ),
        Chapter(
            name="The cures",
            caption="A start that fits the activation; skips, which lead the gradient around layers; normalization; clipping, "
            "which only shortens steps. None is best everywhere.",
            scenes=CURES,
        ),
        Chapter(
            name="Through time",
            caption="A recurrent net is as deep as its sequence is long, and every step has the same W. Gates that start open "
            "carry the gradient; clipping by norm keeps it finite.",
            scenes=LAST_STEPS,
        ),
    ]
)
TOUR = registry([scene for chapter in CHAPTERS.values() for scene in chapter.scenes])
SCENES: tuple[Scene, ...] = tuple(TOUR.values())


def chapter_of(scene: Scene) -> Chapter:
    """Return the chapter that a scene is part of."""
    return next(chapter for chapter in CHAPTERS.values() if scene in chapter.scenes)


def play_key(number: int, setting: str) -> str:
    """Return the link's key of a setting that is played with in the scene of this number, counted from 1."""
    return f"scene{number}_{setting}"


QUESTION, ANSWER = "question", "answer"
PAGE, PRESENTER = "page", "presenter"
# What stands in the place of a scene at the end.
RECAP = "recap"
PLACES = (*(str(number) for number in range(1, len(SCENES) + 1)), RECAP)


@dataclass(frozen=True, kw_only=True)
class TourView:
    """Where in the tour a viewer is, and how it is shown."""

    scene: str = setting(
        Choice(
            label="Scene",
            help="The scenes in order, and at the end what to remember of them.",
            group="View",
            options=PLACES,
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
        """The scene, counted from 1; behind the last one is the recap."""
        return PLACES.index(self.scene) + 1


TOUR_CONTROLS = controls_of(TourView)
# What each scene lets the room play with, by its key in the link.
PLAY_CONTROLS = {
    play_key(number, name): control
    for number, scene in enumerate(SCENES, start=1)
    for name, control in scene.controls.items()
}
