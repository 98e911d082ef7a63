"""What a lecturer has beside the scenes: the plan, the room in which phones vote, and the speaker's view."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import segno
import streamlit as st

from explorer.sharing.saved import table_csv
from explorer.stories.plan import PLAN_CONTROLS, WHOLE, Plan, Stop, read_plan
from explorer.stories.room import ROOMS, Refused, Room, Tally
from explorer.stories.scene import Scene
from explorer.stories.tour import PAGE, PRESENTER, TOUR_CONTROLS
from explorer.ui.between_pages import go_to, set_values
from explorer.ui.link import present_root
from explorer.ui.look import LARGER, enlarge, hidden
from explorer.ui.widgets import ask, present_value

# Whether a page is shown in a lecture room, and the button that says so.
MODE_KEY, MODE_BUTTON = "present", "mode"
# Of the plan's notes, by the scenes' addresses: for the visit, and in a file to save; in no link.
NOTES_KEY = "_plan_notes"
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
  try {
    const kept = sessionStorage.getItem(PLACE);
    if (data.secret) sessionStorage.setItem(PLACE, data.secret);
    else if (data.forget) sessionStorage.removeItem(PLACE);
    else if (kept) setTriggerValue("secret", kept);
  } catch {
    // Inside another page a browser may forbid it.
  }
}
""",
)


def offer_mode() -> None:
    """Draw the button that makes a page, any page, fit for a lecture room, or takes that back; before the page is drawn."""
    with hidden("mode"):
        ask(MODE_KEY, TOUR_CONTROLS[MODE_KEY])
    on = presenting()
    enlarge(on)
    st.button(
        "Leave" if on else "Present",
        key=MODE_BUTTON,
        icon=":material/close:" if on else ":material/present_to_all:",
        on_click=set_values,
        args=({MODE_KEY: PAGE if on else PRESENTER},),
        help="Back to the page. Esc does it too."
        if on
        else "Words, figures and controls as large as a lecture room needs them.",
    )


def presenting() -> bool:
    """Return whether the page is shown in a lecture room."""
    return bool(present_value(MODE_KEY, TOUR_CONTROLS[MODE_KEY]) == PRESENTER)


def text_factor() -> float:
    """Return the factor of a figure's text: that of a lecture room where one is chosen."""
    return LARGER if presenting() else 1.0


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
    if present_room() is not None:  # by a click that came twice
        return
    try:
        st.session_state[ROOM_KEY] = _Led(ROOMS.open())
    except Refused as refusal:
        st.session_state[REFUSAL_KEY] = str(refusal)


def _close(room: Room) -> None:
    ROOMS.close(room)
    st.session_state[ROOM_KEY] = _Led(forget=True)


# --- the plan -----------------------------------------------------------------------------------


def present_plan() -> Plan:
    """Return the plan that the link holds; once on a page."""
    with hidden("plan"):
        text = ask("plan", PLAN_CONTROLS["plan"])
    try:
        return read_plan(text)
    except ValueError:  # a link's text has been checked; what else a browser sends has not
        return WHOLE


def notes() -> dict[str, str]:
    """Return the speaker's notes of this visit, by the scenes' addresses."""
    return st.session_state.setdefault(NOTES_KEY, {})


# --- the menu and the speaker's view --------------------------------------------------------------


_speaker = st.components.v2.component(
    "explorer_speaker", html="<i hidden></i>", js=Path(__file__).with_name("speaker.js").read_text(encoding="utf-8")
)
_opener = st.components.v2.component(
    "explorer_speaker_opener",
    html='<button type="button">Speaker\'s view</button><span role="status"></span>',
    css="""
button { font: 1rem var(--st-font); color: var(--st-text-color); background: var(--st-background-color); cursor: pointer;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); padding: .3rem .75rem; min-height: 2.5rem; }
button:hover, button:focus-visible { border-color: var(--st-primary-color); color: var(--st-primary-color); }
span { font: .9rem var(--st-font); color: var(--st-text-color); margin-left: .6rem; }
""",
    js="""
export default function ({ parentElement }) {
  parentElement.querySelector("button").onclick = () => {
    const said = window.explorerSpeaker?.open() === false ? "The browser blocked the window. Allow pop-ups for this page." : "";
    parentElement.querySelector("span").textContent = said;
  };
}
""",
)


def lecture_menu() -> None:
    """Draw the menu of what a lecturer needs: the speaker's view, the plan, and the room, to open or to close."""
    room = present_room()
    # Of another name with a room: so it closes as the room opens, whose code then stands beside the question.
    name, key = ("Lecture", "lecture_menu") if room is None else (f"Room {room.code}", "room_menu")
    with st.popover(name, icon=":material/groups:", key=key):
        with st.container(horizontal=True, gap="small"):
            if room is None:
                st.button("Open a room", key="room_open", type="primary", on_click=_open)
            _opener(key="speaker_opener", width="content")
            st.button("Plan", key="lecture_plan", on_click=go_to, args=("Plan",))
        if room is None:
            st.caption(
                "Room: the audience votes by phone. Speaker's view: a second window for your own screen, with notes, clock and the "
                "next scene. Plan: which scenes, and how long."
            )
        else:
            _room_menu(room)
    if refusal := st.session_state.pop(REFUSAL_KEY, ""):
        st.warning(f"No room was opened: {refusal}.")


def _room_menu(room: Room) -> None:
    with st.container(width=560):
        draw_room(room, key="room_large")
    with st.container(horizontal=True, gap="small"):
        # Made at the click: nothing runs while phones vote.
        st.download_button(
            "Votes (CSV)",
            lambda: table_csv(room.rows()),
            f"votes_{room.code}.csv",
            "text/csv",
            key="room_votes",
            on_click="ignore",
        )
        st.button("Close the room", key="room_close", on_click=_close, args=(room,))


def tell_speaker(plan: Plan, scene: Scene | None, *, revealed: bool) -> None:
    """Fill the speaker's window, where it is open; `scene` is None at the end, and may be one beside the plan."""
    room, said = present_room(), notes()
    beside = () if scene is None or scene in plan.scenes else (Stop(scene, 0),)
    shown = Plan((*plan.stops, *beside))
    stops = [
        {
            "title": stop.scene.name,
            "caption": stop.scene.caption,
            "question": stop.scene.question,
            "answers": [answer.text for answer in stop.scene.answers],
            "right": stop.scene.right,
            "take": stop.scene.take_home,
            "note": said.get(stop.scene.address, ""),
            "minutes": stop.minutes,
            "starts": starts,
        }
        for stop, starts in zip(shown.stops, shown.starts, strict=True)
    ]
    place = len(stops) if scene is None else shown.scenes.index(scene)
    _speaker(
        key="speaker",
        data={"stops": stops, "place": place, "revealed": revealed, "room": room.code if room else None},
    )


# --- the room -----------------------------------------------------------------------------------


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
    """Offer a second vote on a question, after a discussion with a neighbour."""
    st.button(
        "Vote again",
        key="room_again",
        icon=":material/how_to_vote:",
        on_click=_vote_again,
        args=(room,),
        help="Asks the question once more, after a discussion with a neighbour; the answer shows both votes.",
    )


def _vote_again(room: Room) -> None:
    try:
        room.vote_again()
    except Refused as refusal:
        st.toast(refusal.sentence)


# Bars are thin and stand close below an answer, their share at the end of its line: an answer with bars is hardly higher.
BARS = """<style>
.votes { position: relative; margin: 0 0 .35rem 1.7rem; font-size: clamp(.95rem, 1vw, 1.5rem); line-height: 1; }
.votes i { display: block; height: .36em; margin-top: .12em; border-radius: .2em; min-width: 2px;
  background: var(--st-primary-color, #0b6e69); }
.votes i.before { opacity: .45; }
.votes span { position: absolute; right: 0; bottom: calc(100% + .15em); }
.st-key-tour_setup { display: none; }
</style>"""


def votes_bars(tally: Tally, answer: int) -> str:
    """Return the votes for an answer as bars, one for each time that the room was asked, as HTML."""
    bars, shares = [], []
    for asked, votes in enumerate(tally.votes):
        share, last = tally.share(asked, answer), asked == len(tally.votes) - 1
        said = f"{f'Vote {asked + 1}: ' * (len(tally.votes) > 1)}{votes[answer]} of {sum(votes)} votes"
        bars.append(f'<i class="{"" if last else "before"}" style="width: {share:.1%}" title="{said}"></i>')
        shares.append(f"{share:.0%}")
    told = f"{shares[0]} ({tally.votes[0][answer]})" if len(shares) == 1 else " → ".join(shares)
    return f'<div class="votes"><span>{told}</span>{"".join(bars)}</div>'
