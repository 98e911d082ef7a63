"""What the server answers to phones, hostile ones too; without a network, by the interface that servers use."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette

from explorer.stories.room import ROOMS
from explorer.stories.tour import SCENES
from explorer.ui.phones import LARGEST_VOTE, cookie_of, routes

SCENE = SCENES[0]
APP = Starlette(routes=routes("class"))


def ask(path, *, method="GET", body=b"", voter="", kind="application/json"):
    """Send a request; returns status, headers and body."""
    heads = {"content-type": kind} | ({"cookie": voter} if voter else {})
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), text.encode("latin-1")) for name, text in heads.items()],
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    # In a thread of its own: this one may be in the loop that drives a browser.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, APP(scope, receive, send)).result()
    told = {name.decode(): text.decode() for name, text in sent[0]["headers"]}
    return sent[0]["status"], told, b"".join(message.get("body", b"") for message in sent[1:]).decode()


@pytest.fixture
def room():
    opened = ROOMS.open()
    opened.present(SCENE)
    yield opened
    ROOMS.close(opened)


def joined(room):
    status, heads, page = ask(f"/class/room/{room.code}")
    assert status == 200 and room.code in page
    return heads["set-cookie"].partition(";")[0]  # name=value


def vote(room, voter, body, **more):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, _, text = ask(f"/class/room/{room.code}/vote", method="POST", body=body, voter=voter, **more)
    return status, json.loads(text)


def test_a_phone_joins_votes_and_is_told_the_answer(room):
    voter = joined(room)
    status, now = vote(room, voter, {"scene": SCENE.address, "answer": 1})
    assert status == 200 and now["yours"] == 1 and now["voted"] == 1 and "right" not in now
    room.present(SCENE, revealed=True)
    now = json.loads(ask(f"/class/room/{room.code}/now", voter=voter)[2])
    assert now["right"] == SCENE.right and now["yours"] == 1


def test_the_cookie_is_of_no_use_to_other_sites_or_scripts(room):
    cookie = ask(f"/class/room/{room.code}")[1]["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie


def test_ten_thousand_votes_of_one_voter_are_one(room):
    voter = joined(room)
    for number in range(10_000):
        room.vote(voter.partition("=")[2], SCENE.address, number % 2)
    assert vote(room, voter, {"scene": SCENE.address, "answer": 1})[1]["voted"] == 1
    assert sum(room.tally(SCENE).votes[0]) == 1


@pytest.mark.parametrize("code", ["AAAAA", "aaaa", "x" * 5000, "<script>", "..", "ÄÖÜßé", "%00"])
@pytest.mark.parametrize("path", ["", "/now"])
def test_a_guessed_code_leads_nowhere_and_says_what_a_code_is(code, path):
    status, heads, text = ask(f"/class/room/{code}{path}")
    assert status == 404 and "no room with this code" in text and "<script>alert" not in text
    assert "set-cookie" not in heads


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"7", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 400, 400),
        (b'{"scene": "never learns"}', 400),
        (b'{"scene": "' + b"x" * LARGEST_VOTE + b'", "answer": 1}', 413),
        ({"scene": "no such scene", "answer": 0}, 409),
        ({"scene": {"a": 1}, "answer": 0}, 409),
        ({"scene": SCENE.address, "answer": 99}, 409),
        ({"scene": SCENE.address, "answer": "0"}, 409),
        ({"scene": SCENE.address, "answer": True}, 409),
    ],
    ids=lambda value: str(value)[:32],
)
def test_a_vote_that_is_none_is_refused_with_a_sentence(room, body, status):
    found, told = vote(room, joined(room), body)
    assert found == status and told["said"].endswith((".", "}."))
    assert room.tally(SCENE) is None


def test_votes_come_from_the_rooms_own_page(room):
    good = {"scene": SCENE.address, "answer": 0}
    assert vote(room, "", good)[0] == 409 and vote(room, f"{cookie_of(room)}=somebody", good)[0] == 409
    assert vote(room, joined(room), good, kind="text/plain")[0] == 415  # what a form of another site can send
    assert room.tally(SCENE) is None


@pytest.mark.parametrize("move", ["present", "close", "reveal", "vote_again", "secret", "rows"])
def test_no_address_leads_a_room(room, move):
    voter = joined(room)
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert ask(f"/class/room/{room.code}/{move}", method=method, voter=voter)[0] == 404
        assert ask(f"/class/room/{room.code}", method="POST", voter=voter)[0] == 405
    everything = ask(f"/class/room/{room.code}")[2] + ask(f"/class/room/{room.code}/now", voter=voter)[2]
    assert room.secret not in everything


def test_the_door_asks_for_a_code():
    status, _, page = ask("/class/room")
    assert status == 200 and "<form" in page


def test_each_room_knows_a_voter_by_a_cookie_of_its_own(room):
    other = ROOMS.open()
    other.present(SCENE)
    both = f"{joined(room)}; {joined(other)}"
    assert vote(room, both, {"scene": SCENE.address, "answer": 0})[0] == 200
    assert vote(other, both, {"scene": SCENE.address, "answer": 1})[0] == 200
    ask(f"/class/room/{room.code}", voter=both)  # once more, and still the same voter
    assert room.now()["voted"] == other.now()["voted"] == 1 and room.here == 1
    ROOMS.close(other)
