"""A lecturer's plan: which scenes of the tour, in which order, with how many minutes, and a note for the speaker."""

from collections.abc import Iterable
from dataclasses import dataclass

from explorer.choices.controls import Number, Text
from explorer.choices.registry import Entry, registry
from explorer.stories.scene import Scene
from explorer.stories.tour import BY_ADDRESS, SCENES

USUAL = 4  # minutes of a scene
MINUTES = Number(
    label="Minutes", group="View", help="How long the scene takes.", default=USUAL, low=1, high=60, whole=True
)
MOST_LETTERS = 2000  # of a note


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
        """Return the plan with the scene at a place so many places later, at most first or last."""
        stops = list(self.stops)
        stops.insert(max(place + by, 0), stops.pop(place))
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
    return plan_of((address.strip(), minutes or USUAL) for address, _, minutes in pairs)


def plan_of(stops: Iterable[tuple[str, object]]) -> Plan:
    """Return the plan of scenes by address, each with its minutes; raises ValueError as `read_plan` does."""
    found: dict[str, Stop] = {}
    for address, minutes in stops:
        if address not in BY_ADDRESS:
            raise ValueError(f"there is no scene called {address!r}; choose from: {', '.join(BY_ADDRESS)}")
        if address in found:
            raise ValueError(f"the scene {address!r} is in the plan twice")
        found[address] = Stop(BY_ADDRESS[address], int(MINUTES.check(f"minutes of {address!r}", minutes)))
    if not found:
        raise ValueError("a plan has at least one scene")
    return Plan(tuple(found.values()))


# --- plans to begin with --------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Preset(Entry):
    """A plan to begin with; `caption` says what it tells."""

    plan: Plan


# Of scenes that take more or less time than most: those in which the room thinks longer, and those that go by quickly.
_OTHER = {"never learns": 5, "a hundred steps": 5, "gates": 5, "exploding through time": 5, "all together": 6}
_OTHER |= dict.fromkeys(("all zero", "where z lies", "clipped", "what clipping cannot do"), 3)
WHOLE = Plan(tuple(Stop(scene, _OTHER.get(scene.address, USUAL)) for scene in SCENES))
PRESETS = registry(
    [
        Preset(
            name="20 minutes",
            caption="The problem, its cause, and the two cures that everybody should know.",
            plan=read_plan("never learns:4,one quarter:3,how deep:3,how large:3,residual:4,batch norm:3"),
        ),
        Preset(
            name="45 minutes",
            caption="Problem, causes and cures, each with its best scenes; time for a second vote.",
            plan=read_plan(
                "never learns:4,what multiplies:4,one quarter:4,how deep:4,all zero:3,how large:4,units that die:4,"
                "batch norm:4,a way around:4,residual:4,clipped:3,a hundred steps:3"
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
