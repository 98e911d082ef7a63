"""What an audience's phones get: a page of a few kilobytes for each room, its present question as JSON, and a place for votes.

Not a page of Streamlit: two hundred phones at once would each load two megabytes of it and run the script every other second.
A browser is known by a cookie with a random name, which other sites cannot send along. Nothing here leads a room: that is done
by the session that opened it, see `stories.room`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from explorer.sharing.offline_page import in_script
from explorer.stories.room import CODE_LENGTH, HOURS, ROOMS, Refused, Room

# In bytes, and far more than a vote has.
LARGEST_VOTE = 500
_PAGE = Path(__file__).with_name("phone.html").read_text(encoding="utf-8")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
NO_ROOM = f"There is no room with this code. A code is {CODE_LENGTH} letters; rooms close after {HOURS} hours."


def routes(base: str = "") -> list[Route]:
    """Return what the server answers to phones; `base` is the path under which the whole app lives, if any."""
    at = f"/{base.strip('/')}/room".replace("//", "/")
    return [
        Route(at, _door),
        Route(f"{at}/{{code}}", _room),
        Route(f"{at}/{{code}}/now", _now),
        Route(f"{at}/{{code}}/vote", _vote, methods=["POST"]),
    ]


async def _door(request: Request) -> Response:
    """Ask for a code."""
    return _page({"code": None, "said": ""})


async def _room(request: Request) -> Response:
    room = _found(request)
    if room is None:
        return _page({"code": None, "said": NO_ROOM}, status=404)
    try:
        voter = room.join(_voter(request, room))
    except Refused as refusal:
        return _page({"code": None, "said": refusal.sentence}, status=503)
    answer = _page({"code": room.code, "said": ""})
    # Lax: whoever comes by a link of another site is the same voter; what another site posts comes without it.
    answer.set_cookie(cookie_of(room), voter, max_age=HOURS * 3600, path=None, httponly=True, samesite="lax")
    return answer


async def _now(request: Request) -> Response:
    room = _found(request)
    if room is None:
        return _problem(NO_ROOM, 404)
    return JSONResponse(room.now(_voter(request, room)), headers=_HEADERS)


async def _vote(request: Request) -> Response:
    room = _found(request)
    if room is None:
        return _problem(NO_ROOM, 404)
    # A form of another site can send neither this type nor the cookie.
    if request.headers.get("content-type", "").split(";")[0] != "application/json":
        return _problem("A vote is sent as application/json.", 415)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_VOTE:
            return _problem(f"A vote has at most {LARGEST_VOTE} bytes.", 413)
    try:
        vote = json.loads(body)
        scene, answer = vote["scene"], vote["answer"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return _problem('A vote is {"scene": its name in the address, "answer": its number from 0}.', 400)
    voter = _voter(request, room)
    try:
        room.vote(voter, scene, answer)
    except Refused as refusal:
        return _problem(refusal.sentence, 409)
    return JSONResponse(room.now(voter), headers=_HEADERS)


def cookie_of(room: Room) -> str:
    """Return the name of the cookie by which a room knows a voter: each room has its own."""
    return f"explorer_voter_{room.code}"


def _voter(request: Request, room: Room) -> str:
    return request.cookies.get(cookie_of(room), "")


def _found(request: Request) -> Room | None:
    return ROOMS.find(request.path_params["code"])


def _problem(said: str, status: int) -> Response:
    return JSONResponse({"said": said}, status_code=status, headers=_HEADERS)


def _page(told: Mapping[str, Any], status: int = 200) -> Response:
    """Return the phone's page with what it is told."""
    return HTMLResponse(_PAGE.replace("TOLD", in_script(json.dumps(told)), 1), status_code=status, headers=_HEADERS)
