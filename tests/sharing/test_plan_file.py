"""A plan with its notes as a file: it comes back whole, and what is wrong in one is said."""

import json

import pytest

from explorer.sharing.saved import MAX_PLAN, plan_json, read_plan_json
from explorer.stories.plan import MOST_LETTERS, PRESETS, WHOLE

FIRST = WHOLE.scenes[0].address


@pytest.mark.parametrize("name", PRESETS)
def test_a_file_holds_a_plan_and_its_notes_whole(name):
    plan = PRESETS[name].plan
    said = {stop.scene.address: f"note on {stop.scene.name} “é”\n" for stop in plan.stops[::2]}
    assert read_plan_json(plan_json(plan, said).encode()) == (plan, said)


def with_scenes(scenes):
    return json.dumps(json.loads(plan_json(WHOLE, {})) | {"scenes": scenes}).encode()


FILES = {
    b"": "not JSON",
    b"\xff\xfe": "not JSON",
    b"[" * 100_000: "not JSON",
    b"[]": "not a plan",
    b'{"format": "other"}': "not a plan",
    b'{"format": "gradient-explorer plan", "version": 99}': "version",
    b" " * (MAX_PLAN + 1): "bytes",
    with_scenes([]): "at least one",
    with_scenes({}): "list",
    with_scenes([{"scene": 3}]): "list",
    with_scenes([{"scene": "nowhere"}]): "nowhere",
    with_scenes([{"scene": FIRST, "minutes": True}]): "from 1 to",
    with_scenes([{"scene": FIRST, "minutes": 1e400}]): "from 1 to",
    with_scenes([{"scene": FIRST, "note": 7}]): "note",
    with_scenes([{"scene": FIRST, "note": "\ud800"}]): "note",
    with_scenes([{"scene": FIRST, "note": "x" * (MOST_LETTERS + 1)}]): "note",
}


@pytest.mark.parametrize(("content", "said"), FILES.items(), ids=lambda part: str(part)[:24])
def test_what_is_wrong_in_a_file_is_said(content, said):
    with pytest.raises(ValueError, match=said):
        read_plan_json(content)
