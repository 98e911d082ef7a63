"""The guided tour: its chapters, and their scenes in order, one entry each in the module of its part."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from explorer.choices.controls import choice, controls_of
from explorer.choices.registry import Entry, registry
from explorer.stories.cures import CURES
from explorer.stories.problems import CAUSES, PROBLEMS
from explorer.stories.scene import Scene
from explorer.stories.through_time import OVER_TIME


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
            scenes=OVER_TIME,
        ),
    ]
)
TOUR = registry([scene for chapter in CHAPTERS.values() for scene in chapter.scenes])
SCENES: tuple[Scene, ...] = tuple(TOUR.values())
# As a link calls them.
BY_ADDRESS: Mapping[str, Scene] = {scene.address: scene for scene in SCENES}


def chapter_of(scene: Scene) -> Chapter:
    """Return the chapter that a scene is part of."""
    return next(
        chapter for chapter in CHAPTERS.values() if any(each.address == scene.address for each in chapter.scenes)
    )


def play_key(scene: Scene, setting: str) -> str:
    """Return the link's key of a setting that is played with in a scene."""
    return _key(scene.address, setting)


def _key(address: str, setting: str) -> str:
    return f"{address.replace(' ', '-')}_{setting}"


QUESTION, ANSWER = "question", "answer"
PAGE, PRESENTER = "page", "presenter"
# What stands in the place of a scene at the end.
RECAP = "recap"
PLACES = (*BY_ADDRESS, RECAP)


@dataclass(frozen=True, kw_only=True)
class TourView:
    """Where in the tour a viewer is, and how it is shown."""

    scene: str = choice(
        "View", "Scene", "The scenes in order, and at the end what to remember of them.", PLACES, default=PLACES[0]
    )
    revealed: str = choice(
        "View",
        "Shown",
        "question: it alone, to predict; answer: the figure and what it says.",
        (QUESTION, ANSWER),
        default=QUESTION,
    )
    present: str = choice(
        "View",
        "Mode",
        "presenter: the scene alone, in large type, for a lecture room.",
        (PAGE, PRESENTER),
        default=PAGE,
    )


TOUR_CONTROLS = controls_of(TourView)
# What each scene lets the room play with, by its key in the link.
PLAY_CONTROLS = {play_key(scene, name): control for scene in SCENES for name, control in scene.controls.items()}


# --- links that count scenes ----------------------------------------------------------------------


# The addresses of the scenes that had numbers, in the order of these.
COUNTED = (
    "what multiplies",
    "one quarter",
    "never learns",
    "how deep",
    "saturation",
    "all zero",
    "how large",
    "units that die",
    "batch norm",
    "a way around",
    "residual",
    "clipped",
    "what clipping cannot do",
    "layer norm",
    "all together",
    "a hundred steps",
    "gates",
    "exploding through time",
)
COUNTED_KEY = re.compile(r"scene(\d+)_(\w+)")


def named(asked: Mapping[str, str]) -> dict[str, str]:
    """Return an address' settings with scenes by name, where they are counted as they once were, from 1.

    >>> named({"scene": "3", "scene3_depth": "8"})
    {'scene': 'never learns', 'never-learns_depth': '8'}
    """
    by_number = {str(number): address for number, address in enumerate(COUNTED, start=1)}
    first = {"scene": "1"} if asked.get("v") == "1" else {}  # which went without saying
    found = {}
    for name, text in (first | dict(asked)).items():
        counted = COUNTED_KEY.fullmatch(name)
        if name == "scene":
            found[name] = by_number.get(text, text)
        elif counted and counted[1] in by_number:
            found[_key(by_number[counted[1]], counted[2])] = text
        else:
            found[name] = text
    return found
