"""A room: one vote a voter, none after the answer; what is bounded stays bounded."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from explorer.stories.room import (
    CODE_LENGTH,
    HOURS,
    IDLE_MINUTES,
    LETTERS,
    MOST_ROOMS,
    MOST_ROUNDS,
    MOST_VOTERS,
    Refused,
    Rooms,
)
from explorer.stories.tour import SCENES

FIRST, SECOND = SCENES[:2]


class Clock:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def rooms(clock):
    return Rooms(clock)


@pytest.fixture
def room(rooms):
    opened = rooms.open()
    opened.present(FIRST)
    return opened


def test_a_voter_has_one_vote_and_may_change_it_until_the_answer(room):
    first, second = room.join(), room.join()
    for answer in (0, 1, 0, 2):
        room.vote(first, FIRST.address, answer)
    room.vote(second, FIRST.address, 2)
    assert room.tally(FIRST).votes == ((0, 0, 2),) and room.now(first)["yours"] == 2
    room.present(FIRST, revealed=True)
    with pytest.raises(Refused, match="over"):
        room.vote(second, FIRST.address, 0)
    room.present(FIRST)  # back at the question, whose answer is known
    with pytest.raises(Refused, match="over"):
        room.vote(second, FIRST.address, 0)
    assert room.tally(FIRST).votes == ((0, 0, 2),)


def test_the_right_answer_is_told_with_the_answer_only(room):
    voter = room.join()
    room.vote(voter, FIRST.address, 0)
    told = str(room.now(voter))
    assert FIRST.take_home not in told and "right" not in room.now(voter)
    room.present(FIRST, revealed=True)
    assert room.now(voter)["right"] == FIRST.right and room.now(voter)["take_home"] == FIRST.take_home


def test_each_vote_on_a_question_is_counted_apart(room):
    voters = [room.join() for _ in range(4)]
    with pytest.raises(Refused, match="nobody has voted"):
        room.vote_again()
    for voter in voters:
        room.vote(voter, FIRST.address, 0)
    room.vote_again()
    assert room.now(voters[0])["yours"] is None
    for voter in voters[:3]:
        room.vote(voter, FIRST.address, 2)
    tally = room.tally(FIRST)
    assert tally.votes == ((4, 0, 0), (0, 0, 3)) and tally.share(1, 2) == 1
    for _ in range(MOST_ROUNDS - 2):
        room.vote_again()
        room.vote(voters[0], FIRST.address, 1)
    with pytest.raises(Refused, match=str(MOST_ROUNDS)):
        room.vote_again()
    assert [row["votes"] for row in room.rows() if row["vote"] == 2] == [0, 0, 3]
    assert {row["of"] for row in room.rows() if row["vote"] == 2} == {3}


def test_votes_by_many_threads_are_neither_lost_nor_counted_twice(room):
    voters = [room.join() for _ in range(200)]
    last = {}

    def vote(number):
        luck = random.Random(number)
        for _ in range(20):
            last[number] = luck.randrange(len(FIRST.answers))
            room.vote(voters[number], FIRST.address, last[number])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(vote, range(200)))
    votes = list(last.values())
    assert room.tally(FIRST).votes == (tuple(votes.count(answer) for answer in range(len(FIRST.answers))),)


@pytest.mark.parametrize(
    "answer",
    [-1, len(FIRST.answers), True, 1.0, float("nan"), "1", None, [0], {"a": 1}, 10**400],
    ids=lambda a: str(a)[:9],
)
def test_an_answer_that_does_not_exist_is_refused_and_what_is_allowed_is_said(room, answer):
    with pytest.raises(Refused, match=f"from 0 to {len(FIRST.answers) - 1}"):
        room.vote(room.join(), FIRST.address, answer)
    assert room.tally(FIRST) is None


@pytest.mark.parametrize("scene", [SECOND.address, "", "no such scene", None, 7])
def test_another_question_is_refused(room, scene):
    with pytest.raises(Refused, match="another question"):
        room.vote(room.join(), scene, 0)


def test_who_has_not_joined_cannot_vote_and_is_not_counted(room):
    with pytest.raises(Refused, match="not joined"):
        room.vote("somebody", FIRST.address, 0)
    assert room.now("somebody")["here"] == 0
    assert room.join("somebody") != "somebody", "a name that the server did not give is no name"


def test_a_voter_who_comes_back_is_the_same(room):
    voter = room.join()
    assert room.join(voter) == voter and room.now()["here"] == 1


def test_a_room_takes_so_many_phones_and_those_in_it_stay_in(room, clock):
    voters = [room.join() for _ in range(MOST_VOTERS)]
    room.vote(voters[0], FIRST.address, 1)
    with pytest.raises(Refused, match="full"):
        room.join()
    assert room.join(voters[0]) == voters[0]
    clock.seconds += 60  # who only looked in, and is gone, leaves room for others
    assert room.join() and room.here == 1
    assert room.now(voters[0])["yours"] == 1 and room.tally(FIRST).votes == ((0, 1, 0),)


def test_an_answer_that_was_shown_to_nobody_who_voted_may_be_asked_for_again(room):
    room.present(FIRST, revealed=True)  # in a rehearsal
    room.present(FIRST)
    room.vote(room.join(), FIRST.address, 0)
    assert room.now()["voted"] == 1


def test_phones_that_have_gone_are_not_here_but_their_votes_count(room, clock):
    voter = room.join()
    room.vote(voter, FIRST.address, 1)
    clock.seconds += 60
    assert room.now()["here"] == 0 and room.now()["voted"] == 1


def test_a_server_has_so_many_rooms_and_forgets_those_that_nobody_uses(rooms, clock):
    opened = [rooms.open() for _ in range(MOST_ROOMS)]
    assert len({room.code for room in opened}) == MOST_ROOMS
    assert all(len(room.code) == CODE_LENGTH and set(room.code) <= set(LETTERS) for room in opened)
    for _ in range(1000):
        with pytest.raises(Refused, match=str(MOST_ROOMS)):
            rooms.open()
    rooms.close(opened[5])
    assert rooms.open() and rooms.find(opened[5].code) is None
    clock.seconds += (IDLE_MINUTES + 1) * 60
    opened[0].present(FIRST)
    opened[1].join()  # its lecturer has long been at one scene, but phones are here
    assert all(rooms.find(room.code) for room in opened if room is not opened[5]), "nobody needs the place"
    assert rooms.open()
    assert rooms.find(opened[0].code) and rooms.find(opened[1].code) and rooms.find(opened[2].code) is None


def test_a_room_is_forgotten_after_some_hours(rooms, room, clock):
    assert rooms.find(room.code.lower()) is room
    clock.seconds += HOURS * 3600 + 1
    assert rooms.find(room.code) is None and rooms.led_with(room.secret) is None


def test_only_its_secret_leads_a_room(rooms, room):
    assert rooms.led_with(room.secret) is room
    assert all(rooms.led_with(guess) is None for guess in ("", room.code, room.join(), room.secret[:-1], "é", "\ud800"))


def test_a_closed_room_says_so_and_takes_no_votes(rooms, room):
    voter = room.join()
    rooms.close(room)
    assert room.now(voter)["closed"] and room.now(voter)["scene"] is None
    with pytest.raises(Refused, match="closed"):
        room.vote(voter, FIRST.address, 0)
