"""A room: an audience votes by phone on the scene that a lecturer shows.

Rooms live in the server's memory alone. They are bounded in number and size, and forgotten after some hours; voters are
anonymous, one vote each. Whoever holds a `Room` leads it: what a phone may do is `join`, `vote` and `now`.
"""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from explorer.diagnosis.wording import sentence
from explorer.stories.scene import Scene

# Without letters that look like digits or like each other.
LETTERS, CODE_LENGTH = "ABCDEFGHJKMNPQRSTUVWXYZ", 5
MOST_ROOMS, MOST_VOTERS, MOST_ROUNDS = 100, 1000, 3
# After so long a room is forgotten; one whose lecturer has not been here for a while makes room for a new one before.
HOURS, IDLE_MINUTES = 6, 20
# A phone that has not asked for so long is not counted among those that are here; phones ask every two seconds.
HERE_SECONDS = 12
_BYTES = 16  # of a voter's name and of a secret: nobody guesses 128 bits

Clock = Callable[[], float]


class Refused(ValueError):
    """What a voter or a lecturer asked for cannot be done; the message says why and what can."""

    @property
    def sentence(self) -> str:
        """The message as a sentence."""
        return sentence(str(self))


@dataclass
class _Poll:
    """The votes on one scene: for each time that the room was asked, the answer of each voter."""

    scene: Scene
    rounds: list[dict[str, int]] = field(default_factory=lambda: [{}])
    closed: bool = False


@dataclass(frozen=True)
class Tally:
    """How a room has voted on a scene."""

    # For each time that the room was asked, the votes for each answer.
    votes: tuple[tuple[int, ...], ...]

    def share(self, asked: int, answer: int) -> float:
        """Return the share of an answer in the votes of one time; 0 where nobody voted."""
        return self.votes[asked][answer] / max(sum(self.votes[asked]), 1)


class Room:
    """One lecture's room. Its methods may be called from several threads.

    Parameters
    ----------
    code : str
        Under which phones find it.
    clock : callable
        Returns the present time in seconds.
    """

    def __init__(self, code: str, clock: Clock = time.monotonic) -> None:
        self.code = code
        # With it a lecturer's browser finds the room again after a reload. It is in no link and on no picture.
        self.secret = secrets.token_urlsafe(_BYTES)
        self._clock, self._lock = clock, RLock()
        self.opened = self.led = clock()
        self._seen: dict[str, float] = {}  # by voter
        self._polls: dict[str, _Poll] = {}  # by the address of a scene
        self._present: _Poll | None = None
        self.closed = False

    # --- what the lecturer does -------------------------------------------------------------------

    def present(self, scene: Scene | None, *, revealed: bool = False) -> None:
        """Show the phones a scene, or none; with its answer, voting on it ends for good, where somebody has voted."""
        with self._lock:
            self.led = self._clock()
            self._present = None if scene is None else self._polls.setdefault(scene.address, _Poll(scene))
            if self._present is not None:
                # Where nobody has voted yet, as in a rehearsal, going back to the question opens it again.
                self._present.closed = revealed or (self._present.closed and any(self._present.rounds))

    def vote_again(self) -> None:
        """Ask the present question once more; earlier votes are kept apart.

        Raises
        ------
        Refused
            Where there is no question, its answer is known, nobody has voted, or it was asked often enough.
        """
        with self._lock:
            poll = self._present
            if poll is None or poll.closed:
                raise Refused("there is no open question to vote on again")
            if not poll.rounds[-1]:
                raise Refused("nobody has voted on this question yet")
            if len(poll.rounds) >= MOST_ROUNDS:
                raise Refused(f"this question has been asked {MOST_ROUNDS} times, which is the most")
            poll.rounds.append({})

    def tally(self, scene: Scene) -> Tally | None:
        """Return the votes on a scene; None where nobody has voted on it."""
        with self._lock:
            poll = self._polls.get(scene.address)
            if poll is None or not any(poll.rounds):
                return None
            counts = [Counter(votes.values()) for votes in poll.rounds]
            return Tally(tuple(tuple(count[i] for i in range(len(scene.answers))) for count in counts))

    def rows(self) -> list[Mapping[str, object]]:
        """Return one row for each answer of each scene that was voted on, and each time that it was asked; for a CSV."""
        rows: list[Mapping[str, object]] = []
        with self._lock:
            for poll in self._polls.values():
                tally = self.tally(poll.scene)
                for asked, votes in enumerate(tally.votes if tally else ()):
                    rows += [
                        {
                            "scene": poll.scene.name,
                            "question": poll.scene.question,
                            "vote": asked + 1,
                            "answer": answer.text,
                            "right": index == poll.scene.right,
                            "votes": votes[index],
                            "of": sum(votes),
                        }
                        for index, answer in enumerate(poll.scene.answers)
                    ]
        return rows

    @property
    def here(self) -> int:
        """The number of phones that have asked lately."""
        with self._lock:
            now = self._clock()
            return sum(now - seen <= HERE_SECONDS for seen in self._seen.values())

    # --- what phones do ---------------------------------------------------------------------------

    def join(self, voter: str = "") -> str:
        """Let a phone in, again or anew, and return the voter's name.

        Raises
        ------
        Refused
            Where the room is full.
        """
        with self._lock:
            if voter not in self._seen:
                if len(self._seen) >= MOST_VOTERS:
                    self._forget_passers_by()
                if len(self._seen) >= MOST_VOTERS:
                    raise Refused(f"this room is full: {MOST_VOTERS:,} phones are in it")
                voter = secrets.token_urlsafe(_BYTES)
            self._seen[voter] = self._clock()
            return voter

    def _forget_passers_by(self) -> None:
        """Forget who has gone without a vote: what opens a link to look at it, and browsers without cookies."""
        now, voted = self._clock(), {voter for poll in self._polls.values() for votes in poll.rounds for voter in votes}
        self._seen = {v: seen for v, seen in self._seen.items() if v in voted or now - seen <= HERE_SECONDS}

    def vote(self, voter: str, scene: str, answer: object) -> None:
        """Give a voter's answer to the present question, in place of an earlier one.

        Raises
        ------
        Refused
            Where the voter has not joined, another scene is shown, the answer is known or is none.
        """
        with self._lock:
            poll = self._present
            if self.closed:
                raise Refused("this room is closed")
            if voter not in self._seen:
                raise Refused(
                    "this browser has not joined the room, or keeps no cookies: allow them, and load the room's page again"
                )
            if poll is None or poll.scene.address != scene:
                raise Refused("the room is at another question now")
            if poll.closed:
                raise Refused("the answer is known, and voting on this question is over")
            many = len(poll.scene.answers)
            if type(answer) is not int or not 0 <= answer < many:
                raise Refused(f"an answer is a whole number from 0 to {many - 1}")
            poll.rounds[-1][voter] = answer
            self._seen[voter] = self._clock()

    def now(self, voter: str = "") -> dict[str, Any]:
        """Return what a phone shows: the present question, the voter's own answer and, once it is shown, the right one."""
        with self._lock:
            poll = self._present
            if voter in self._seen:
                self._seen[voter] = self._clock()
            told: dict[str, Any] = {"closed": self.closed, "here": self.here, "scene": None}
            if poll is None or self.closed:
                return told
            told |= {
                "scene": poll.scene.address,
                "title": poll.scene.name,
                "caption": poll.scene.caption,
                "question": poll.scene.question,
                "answers": [answer.text for answer in poll.scene.answers],
                "asked": len(poll.rounds),
                "voted": len(poll.rounds[-1]),
                "yours": poll.rounds[-1].get(voter),
            }
            return told | ({"right": poll.scene.right, "take_home": poll.scene.take_home} if poll.closed else {})


class Rooms:
    """All rooms of a server."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock, self._lock = clock, RLock()
        self._rooms: dict[str, Room] = {}

    def open(self) -> Room:
        """Open a room with a code of its own, in the place of one that is closed or that nobody uses, if need be.

        Raises
        ------
        Refused
            Where there are too many rooms in use already.
        """
        with self._lock:
            self._forget()
            if len(self._rooms) >= MOST_ROOMS:
                self._make_room()
            if len(self._rooms) >= MOST_ROOMS:
                raise Refused(
                    f"this server has its {MOST_ROOMS} rooms already: close one, or try again in some minutes"
                )
            while (code := "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))) in self._rooms:
                pass
            self._rooms[code] = Room(code, self._clock)
            return self._rooms[code]

    def find(self, code: str) -> Room | None:
        """Return the room with a code, upper and lower case alike; None where there is none."""
        with self._lock:
            self._forget()
            return self._rooms.get(code.upper())

    def led_with(self, secret: str) -> Room | None:
        """Return the room that a lecturer leads with this secret; None where there is none."""
        with self._lock:
            self._forget()
            mine = (
                room
                for room in self._rooms.values()
                if secrets.compare_digest(room.secret.encode(), secret.encode("utf-8", "replace"))
            )
            return next(mine, None)

    def close(self, room: Room) -> None:
        """Close a room; its phones are told so, as long as it is not forgotten."""
        room.present(None)
        room.closed = True

    def _forget(self) -> None:
        """Forget what is old."""
        now = self._clock()
        self._rooms = {code: room for code, room in self._rooms.items() if now - room.opened <= HOURS * 3600}

    def _make_room(self) -> None:
        """Forget one room that is closed, else the one that has been without its lecturer and without phones for longest."""
        now = self._clock()
        left = [room for room in self._rooms.values() if room.closed]
        left += sorted(
            (room for room in self._rooms.values() if now - room.led > IDLE_MINUTES * 60 and not room.here),
            key=lambda room: room.led,
        )
        if left:
            del self._rooms[left[0].code]


ROOMS = Rooms()
