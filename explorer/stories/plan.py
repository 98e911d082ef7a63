"""A lecturer's plan: which scenes of the tour, in which order, with how many minutes, and a note for the speaker."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.choices.controls import Text
from explorer.choices.registry import Entry, registry
from explorer.stories.scene import Scene
from explorer.stories.tour import SCENES

LONGEST, USUAL = 60, 4  # minutes of a scene
MOST_LETTERS = 2000  # of a note
FORMAT, VERSION = "gradient-explorer plan", 1
MOST_BYTES = 200_000


@dataclass(frozen=True)
class Stop:
    """A scene of a plan."""

    scene: Scene
    minutes: int = USUAL

    def __str__(self) -> str:
        return f"{self.scene.address}:{self.minutes}"


@dataclass(frozen=True)
class Plan:
    """Scenes in the order in which they are shown; its text is what a link holds."""

    stops: tuple[Stop, ...]

    def __str__(self) -> str:
        return ",".join(map(str, self.stops))

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """The scenes, in order."""
        return tuple(stop.scene for stop in self.stops)

    @property
    def minutes(self) -> int:
        """How long it takes."""
        return sum(stop.minutes for stop in self.stops)

    @property
    def starts(self) -> tuple[int, ...]:
        """The minute at which each scene begins."""
        return tuple(sum(stop.minutes for stop in self.stops[:place]) for place in range(len(self.stops)))

    def moved(self, place: int, by: int) -> "Plan":
        """Return the plan with the scene at a place so many places later."""
        stops = list(self.stops)
        stops.insert(place + by, stops.pop(place))
        return Plan(tuple(stops))

    def without(self, place: int) -> "Plan":
        """Return the plan without the scene at a place."""
        return Plan(self.stops[:place] + self.stops[place + 1 :])

    def taking(self, place: int, minutes: int) -> "Plan":
        """Return the plan with so many minutes for the scene at a place."""
        changed = Stop(self.stops[place].scene, minutes)
        return Plan((*self.stops[:place], changed, *self.stops[place + 1 :]))


def read_plan(text: str) -> Plan:
    """Read a plan as a link holds it, `never learns:4,how deep:3`; the empty text is the whole tour.

    Raises
    ------
    ValueError
        Naming the first scene or number that is wrong, and what is allowed.
    """
    if not text:
        return WHOLE
    pairs = [part.partition(":") for part in text.split(",")]
    return _checked((address.strip(), minutes or USUAL) for address, _, minutes in pairs)


def _checked(stops: Any) -> Plan:
    scenes = {scene.address: scene for scene in SCENES}
    found: dict[str, Stop] = {}
    for address, minutes in stops:
        if address not in scenes:
            raise ValueError(f"there is no scene called {address!r}; choose from: {', '.join(scenes)}")
        if address in found:
            raise ValueError(f"the scene {address!r} is in the plan twice")
        found[address] = Stop(scenes[address], _minutes(address, minutes))
    if not found:
        raise ValueError("a plan has at least one scene")
    return Plan(tuple(found.values()))


def _minutes(address: str, said: object) -> int:
    whole = (
        said if type(said) is int else int(said) if isinstance(said, str) and said.isdecimal() and len(said) < 4 else 0
    )
    if not 1 <= whole <= LONGEST:
        raise ValueError(
            f"the scene {address!r} takes {str(said)[:20]!r} minutes; a scene takes a whole number from 1 to {LONGEST}"
        )
    return whole


# --- with notes, as a file ------------------------------------------------------------------------


def plan_json(plan: Plan, notes: Mapping[str, str]) -> str:
    """Write a plan with its notes, which are by the scenes' addresses."""
    stops = [
        {"scene": stop.scene.address, "minutes": stop.minutes, "note": notes.get(stop.scene.address, "")}
        for stop in plan.stops
    ]
    return json.dumps({"format": FORMAT, "version": VERSION, "scenes": stops}, indent=1, ensure_ascii=False)


def read_plan_json(content: bytes) -> tuple[Plan, dict[str, str]]:
    """Read what `plan_json` wrote: the plan, and the notes by the scenes' addresses.

    Raises
    ------
    ValueError
        Saying what is wrong with the file, and what is allowed.
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"it has {len(content):,} bytes; a plan has at most {MOST_BYTES:,}")
    try:
        document = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON; choose a file that was saved here as “Plan with notes”") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"it is not a plan: its “format” must be “{FORMAT}”")
    if document.get("version") != VERSION:
        raise ValueError(f"it is of version {str(document.get('version'))[:20]!r}; this app reads version {VERSION}")
    stops = document.get("scenes")
    if not isinstance(stops, list) or not all(
        isinstance(stop, dict) and isinstance(stop.get("scene"), str) for stop in stops
    ):
        raise ValueError("its “scenes” must be a list, each with a “scene” and its “minutes”")
    plan = _checked((stop["scene"], stop.get("minutes", USUAL)) for stop in stops)
    return plan, {stop["scene"]: _note(stop) for stop in stops if stop.get("note")}


def _note(stop: Mapping[str, Any]) -> str:
    note = stop["note"]
    # Half of a pair of letters, as JSON can say it, can be written nowhere.
    whole = isinstance(note, str) and note == note.encode("utf-8", "ignore").decode()
    if not whole or len(note) > MOST_LETTERS:
        raise ValueError(f"the note of the scene {stop['scene']!r} must be a text of at most {MOST_LETTERS:,} letters")
    return note


# --- plans to begin with --------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Preset(Entry):
    """A plan to begin with; `caption` says what it tells."""

    plan: Plan


def _of(minutes: Mapping[str, int] | Sequence[str]) -> Plan:
    return _checked(minutes.items() if isinstance(minutes, Mapping) else ((address, USUAL) for address in minutes))


_MORE = {"never learns": 5, "a hundred steps": 5, "gates": 5, "exploding through time": 5, "all together": 6}
WHOLE = Plan(tuple(Stop(scene, _MORE.get(scene.address, USUAL)) for scene in SCENES))
PRESETS = registry(
    [
        Preset(
            name="20 minutes",
            caption="The problem, its cause, and the two cures that everybody should know.",
            plan=_of(
                {"never learns": 4, "one quarter": 3, "how deep": 3, "how large": 3, "residual": 4, "batch norm": 3}
            ),
        ),
        Preset(
            name="45 minutes",
            caption="Problem, causes and cures, each with its best scenes; time for a second vote.",
            plan=_of(
                {
                    "never learns": 4,
                    "what multiplies": 4,
                    "one quarter": 4,
                    "how deep": 4,
                    "all zero": 3,
                    "how large": 4,
                    "units that die": 4,
                    "batch norm": 4,
                    "a way around": 4,
                    "residual": 4,
                    "clipped": 3,
                    "a hundred steps": 3,
                }
            ),
        ),
        Preset(name="90 minutes", caption="The whole tour.", plan=WHOLE),
    ]
)

PLAN_CONTROLS = {
    "plan": Text(
        label="Plan",
        help="The scenes of a lecture in order, each with its minutes: never learns:4,how deep:3. Empty is the whole tour.",
        group="View",
        default="",
        read=read_plan,
    )
}
