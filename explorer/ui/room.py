"""The room as its lecturer sees it: open and close it, the QR code that phones scan, how many have voted, and what they said."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import segno
import streamlit as st

from explorer.sharing.saved import table_csv
from explorer.stories.room import ROOMS, Refused, Room, Tally
from explorer.ui.link import present_root

ROOM_KEY, REFUSAL_KEY, KEEPER_KEY = "_room", "_room_refused", "_room_keeper"
ALONE = (
    "Phones cannot open this address, which is this computer's own. Start the app with `--server.address 0.0.0.0`, and open a "
    "room then; behind a proxy, set `GRADIENT_EXPLORER_ADDRESS`."
)

_panel = st.components.v2.component(
    "explorer_room_panel",
    html="""<div class="code"></div><p class="where"></p><p class="letters"></p><p class="count" role="status"></p>""",
    css="""
:host, div, p { font-family: var(--st-font); color: var(--st-text-color); text-align: center; }
.code { background: #fff; border-radius: .5rem; padding: .5rem; margin: 0 auto; max-width: 36rem; }
.code svg { display: block; width: 100%; height: auto; }
p { margin: .35rem 0 0; line-height: 1.25; overflow-wrap: anywhere; }
.where { font-size: clamp(.95rem, 1vw, 1.5rem); }
.letters { font-size: clamp(1.7rem, 2.2vw, 3.2rem); font-weight: 700; letter-spacing: .12em; }
.count { font-size: clamp(1.15rem, 1.4vw, 2.1rem); }
""",
    js=Path(__file__).with_name("room.js").read_text(encoding="utf-8"),
)
# In the browser's tab, so that a lecturer who loads the page anew still has the room; in no link.
_keeper = st.components.v2.component(
    "explorer_room_keeper",
    html="<i hidden></i>",
    js="""
const PLACE = "explorer_room";
export default function ({ data, setTriggerValue }) {
  const kept = sessionStorage.getItem(PLACE);
  if (data.secret) sessionStorage.setItem(PLACE, data.secret);
  else if (data.forget) sessionStorage.removeItem(PLACE);
  else if (kept) setTriggerValue("secret", kept);
}
""",
)


@dataclass
class _Led:
    """What a session knows of its room."""

    room: Room | None = None
    forget: bool = False  # What the browser keeps of a room that is no more


def _led() -> _Led:
    led: _Led = st.session_state.setdefault(ROOM_KEY, _Led())
    if led.room is not None and ROOMS.find(led.room.code) is not led.room:
        led.room, led.forget = None, True
    return led


def present_room() -> Room | None:
    """Return the room that this session leads, if it does."""
    return _led().room


def keep_room() -> None:
    """Have the browser keep the room of this session, and lead again one that it has kept; once on a page."""
    led = _led()
    secret = "" if led.room is None else led.room.secret
    _keeper(key=KEEPER_KEY, data={"secret": secret, "forget": led.forget}, on_secret_change=_lead_again)


def _lead_again() -> None:
    secret = st.session_state[KEEPER_KEY].secret
    led = _led()
    if led.room is None and isinstance(secret, str):
        led.room = ROOMS.led_with(secret)
        led.forget = led.room is None


def _open() -> None:
    try:
        st.session_state[ROOM_KEY] = _Led(ROOMS.open())
    except Refused as refusal:
        st.session_state[REFUSAL_KEY] = str(refusal)


def _close(room: Room) -> None:
    ROOMS.close(room)
    st.session_state[ROOM_KEY] = _Led(forget=True)


def room_menu() -> None:
    """Draw the button that opens a room or, where there is one, the menu of what can be done with it."""
    room = present_room()
    if room is None:
        st.button(
            "Open a room",
            key="room_open",
            icon=":material/groups:",
            on_click=_open,
            help="The audience votes by phone.",
        )
        if refusal := st.session_state.pop(REFUSAL_KEY, ""):
            st.warning(f"No room was opened: {refusal}.")
        return
    with st.popover(f"Room {room.code}", icon=":material/groups:", key="room_menu"):
        with st.container(width=560):
            draw_room(room, key="room_large")
        with st.container(horizontal=True, gap="small"):
            rows = room.rows()
            st.download_button(
                "Votes (CSV)",
                table_csv(rows) if rows else "",
                f"votes_{room.code}.csv",
                "text/csv",
                key="room_votes",
                disabled=not rows,
                on_click="ignore",
            )
            st.button("Close the room", key="room_close", on_click=_close, args=(room,))


def draw_room(room: Room, *, key: str) -> None:
    """Draw what phones need, the QR code, the address and the room's letters, and how many of them are here and have voted."""
    root = present_root()
    door = f"{root.address}/room"
    _panel(
        key=key,
        data={
            "code": room.code,
            "picture": _picture(f"{door}/{room.code}"),
            "where": door.partition("://")[2] if root.for_others else "on this computer only",
        },
    )
    if not root.for_others:
        st.caption(ALONE)


@lru_cache(maxsize=64)
def _picture(link: str) -> str:
    """Return a QR code as SVG: black on white in either look, as not every phone reads it the other way."""
    return str(segno.make(link, error="m", micro=False).svg_inline(border=2, omitsize=True))


def ask_again(room: Room) -> None:
    """Offer a second vote on a question, after a talk with one's neighbour."""
    st.button(
        "Vote again",
        key="room_again",
        icon=":material/how_to_vote:",
        on_click=_vote_again,
        args=(room,),
        help="Asks the question once more, after a talk with one's neighbour; the answer shows both votes.",
    )


def _vote_again(room: Room) -> None:
    try:
        room.vote_again()
    except Refused as refusal:
        st.toast(f"{str(refusal)[0].upper()}{str(refusal)[1:]}.")


BARS = """<style>
.votes { display: grid; grid-template-columns: 1fr 7.5em; gap: .1rem .6rem; align-items: center; margin: -.2rem 0 .3rem 1.7rem;
  font-size: clamp(.95rem, 1vw, 1.5rem); }
.votes i { height: .75em; border-radius: .2em; background: var(--st-primary-color, #0b6e69); min-width: 2px; }
.votes i.before { opacity: .45; }
</style>"""


def votes_bars(tally: Tally, answer: int) -> str:
    """Return the votes for an answer as bars, one for each time that the room was asked, as HTML."""
    rows: Sequence[Any] = range(len(tally.votes))
    bars = []
    for asked in rows:
        votes, total = tally.votes[asked][answer], sum(tally.votes[asked])
        share = votes / total if total else 0.0
        kind = "" if asked == rows[-1] else "before"
        when = f"{('First', 'Second', 'Third')[asked]} vote: " if len(rows) > 1 else ""
        said = escape(f"{when}{votes} of {total} votes")
        bars.append(
            f'<i class="{kind}" style="width: {share:.1%}" title="{said}"></i><span>{share:.0%} ({votes})</span>'
        )
    return f'<div class="votes">{"".join(bars)}</div>'
