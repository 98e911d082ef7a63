"""A plan: a link holds it whole, what is wrong in one is named, and presets last as long as they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from explorer.stories.plan import (
    MINUTES,
    PLAN_CONTROLS,
    PRESETS,
    WHOLE,
    Plan,
    Stop,
    read_plan,
)
from explorer.stories.tour import SCENES

plans = some.lists(
    some.builds(Stop, some.sampled_from(SCENES), some.integers(1, int(MINUTES.high))),
    min_size=1,
    unique_by=lambda stop: stop.scene.address,
).map(lambda stops: Plan(tuple(stops)))


@given(plans)
def test_a_link_holds_a_plan_whole(plan):
    assert read_plan(str(plan)) == plan
    assert len(str(plan)) <= PLAN_CONTROLS["plan"].longest


@given(plans, some.data())
def test_moving_and_leaving_out_lose_nothing_else(plan, data):
    place = data.draw(some.integers(0, len(plan.stops) - 1))
    last, by = len(plan.stops) - 1, data.draw(some.integers(-20, 20))
    moved = plan.moved(place, by)
    assert set(moved.stops) == set(plan.stops) and moved.stops[min(max(place + by, 0), last)] == plan.stops[place]
    assert [stop for stop in moved.stops if stop != plan.stops[place]] == list(plan.without(place).stops)
    assert plan.taking(place, 7).minutes == plan.minutes - plan.stops[place].minutes + 7
    assert plan.starts[-1] + plan.stops[-1].minutes == plan.minutes


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_lasts_as_long_as_it_says(name):
    assert PRESETS[name].plan.minutes == int(name.split()[0])


def test_no_plan_is_the_whole_tour():
    assert read_plan("") == WHOLE and WHOLE.scenes == SCENES


FIRST = SCENES[0].address
WRONG = {
    "nowhere:3": "no scene called 'nowhere'",
    f"{FIRST}:0": "from 1 to",
    f"{FIRST}:61": "from 1 to",
    f"{FIRST}:-3": "from 1 to",
    f"{FIRST}:3.5": "from 1 to",
    f"{FIRST}:nan": "from 1 to",
    f"{FIRST}:{'9' * 400}": "from 1 to",
    f"{FIRST}:2,{FIRST}:2": "twice",
    ",": "no scene called ''",
}


@pytest.mark.parametrize(("text", "said"), WRONG.items(), ids=lambda text: text[:20])
def test_what_is_wrong_in_a_link_is_named(text, said):
    with pytest.raises(ValueError, match=said):
        read_plan(text)
    with pytest.raises(ValueError, match=said):
        PLAN_CONTROLS["plan"].check("plan", text)
