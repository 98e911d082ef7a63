"""How the app looks: its logo and icon, places that keep their height, style sheets and keys of the tour."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent

LOGO = _HERE / "logo.svg"
# A named icon would be fetched from the network; a file would be served anew, and sometimes missed, at every rerun.
FAVICON = "data:image/png;base64," + b64encode((_HERE / "favicon.png").read_bytes()).decode()


# --- Places that stay as high as they are, so that what stands below them does not move ---

VERDICT_KEY, WHY_KEY, ROW_KEY = "verdict", "verdict_why", "view"
FIRST_LINE_KEY = "first_line"  # what to try, on a first visit, or what the scenario is
SHORT_KEY, LONG_KEY = f"{WHY_KEY}_short", f"{WHY_KEY}_long"
PROGRESS_HEIGHT = 48
# Headlines of so many letters are one line of a laptop and of a wide screen; a longer one is smaller, and has two.
ONE_LINE, WIDE_LINE = 84, 98
# Why, in usual and in small letters: of more letters than these there are three lines of a laptop, four of a wide screen.
WHY_LETTERS = 240
# In hundredths of the window's width: 1.6 are 31 pixels on a screen of 1920.
LARGE, SMALL = 1.6, 1.3
# A phone scrolls: there nothing is kept.
_RESERVED = """<style>
.st-key-{verdict} h2 {{ font-size: 1.35rem; line-height: 1.22; padding: 0 0 1rem; }}
@media (min-width: 900px) {{
  .st-key-{first} {{ min-height: 1.4rem; }}
  .st-key-{first} .st-key-welcome {{ height: 1.4rem; flex: none; position: relative; top: -.25rem; }}
  .st-key-welcome button {{ min-height: 1.8rem; padding: 0 .7rem; }}
  .st-key-{verdict} h2 {{ font-size: {size}vw; padding: 0; }}
  .st-key-{verdict} [data-testid=stHeading] {{ height: calc(3.2vw + .2rem); }}
  .st-key-{why} {{ min-height: 3.4rem; }}
  .st-key-{short} p {{ font-size: max(1rem, .88vw); }}
  .st-key-{long} p {{ font-size: max(.9rem, .74vw); line-height: 1.25; }}
  .st-key-{why}:has(.st-key-{short} p) .st-key-{long} {{ display: none; }}
  :has(> .st-key-{why}) {{ min-width: 36rem; }}
  :has(> .st-key-{row}) {{ min-width: 40rem; }}
}}
@media (min-width: 1700px) {{
  .st-key-{first} .st-key-welcome {{ height: 25.6px; }}
  .st-key-{first} {{ min-height: 25.6px; }}
  .st-key-{verdict} h2 {{ font-size: {wide_size}vw; }}
  .st-key-{why} {{ min-height: 5.9rem; }}
}}
</style>"""

DETAIL_KEY = "detail"
# Two lines of a laptop, where what was tried is told.
_DETAIL = """<style>
@media (min-width: 900px) {{ .st-key-{key} {{ min-height: 2.6rem; }} .st-key-{key} p {{ line-height: 1.3; }} }}
</style>"""


def reserve(headline: str) -> None:
    """Keep the room of the verdict, whatever it says, and fit the size of its headline."""
    size, wide_size = (LARGE if len(headline) <= letters else SMALL for letters in (ONE_LINE, WIDE_LINE))
    keys = {"verdict": VERDICT_KEY, "why": WHY_KEY, "short": SHORT_KEY, "long": LONG_KEY, "row": ROW_KEY}
    keys |= {"first": FIRST_LINE_KEY}
    st.html(_RESERVED.format(**keys, size=size, wide_size=wide_size))


def place_of_why() -> Any:
    """Return the place of a verdict's why."""
    return st.container(key=WHY_KEY, gap=None)


def place_of_detail() -> Any:
    """Return the place of what is said below a headline, over the whole width of a page."""
    st.html(_DETAIL.format(key=DETAIL_KEY))
    return st.container(key=DETAIL_KEY, gap=None)


def tell_why(why: str, small: bool = False) -> None:
    """Draw a verdict's why, in usual letters or, where it is long or to become so, in small ones.

    Either has a place of its own: were one place given another size, a text would for a moment have that of the next.
    """
    short, long = (st.container(key=key).empty() for key in (SHORT_KEY, LONG_KEY))
    (long if small or len(why) > WHY_LETTERS else short).markdown(why)


HIDDEN_KEY = "hidden_"
_HIDDEN = f"<style>[class*=st-key-{HIDDEN_KEY}] {{ display: none; }}</style>"


def hidden(name: str) -> Any:
    """Return a place of this name that nobody sees, for what a link holds and no person sets by hand."""
    st.html(_HIDDEN)
    return st.container(key=f"{HIDDEN_KEY}{name}")


def place_of_progress() -> Any:
    """Return a place for a progress bar, as high without one."""
    return st.container(height=PROGRESS_HEIGHT, border=False, key="progress").empty()


# --- Inside another page: the main figure alone, see `embed` in the link ---


EMBEDDED_KEY = "embedded"
# In pixels: below the figure stands the line that leads to the whole app.
EMBEDDED_FOOT, EMBEDDED_LOWEST = 44, 300
# What is hidden this way is not read aloud or reached by keys either.
_EMBEDDED = f"""<style>
[data-testid=stApp] :not(.st-key-{EMBEDDED_KEY}, .st-key-{EMBEDDED_KEY} *) {{ visibility: hidden !important; }}
[data-testid=stSidebar], [data-testid=stHeader], [data-testid=stExpandSidebarButton] {{ display: none !important; }}
.st-key-{EMBEDDED_KEY} {{ visibility: visible; position: fixed; inset: 0; z-index: 1000; padding: .2rem .5rem; gap: .2rem;
  background: var(--st-background-color, Canvas); overflow: auto; }}
</style>"""


def apply_embedding() -> None:
    """Show a page that stands inside another one as its main figure alone; at the beginning of each run."""
    if st.context.is_embedded:
        st.session_state[EMBEDDED_KEY] = False
        st.html(_EMBEDDED)


@contextmanager
def framed() -> Iterator[bool]:
    """Give a figure its place, and say whether it fills the frame: the first one of an embedded page does."""
    fills = bool(st.context.is_embedded) and not st.session_state[EMBEDDED_KEY]
    if fills:
        st.session_state[EMBEDDED_KEY] = True
    with st.container(key=EMBEDDED_KEY) if fills else nullcontext():
        yield fills


# --- A lecture room: all that is said and shown can be read from the last row ---


# The factor of figures' text for a lecture room, see fold.js: 24 pixels at least.
LARGER = 1.5
_LEAVE = """
const OPEN = "[data-testid=stPopoverBody], [role=dialog], [role=listbox]";
const shared = () => [...document.querySelectorAll(".st-key-take_away *")].some(each => each.shadowRoot?.querySelector(":popover-open"));
function leave(event) {
  if (event.key !== "Escape" || event.target.matches?.("input:not([type=range]), textarea") || document.querySelector(OPEN) || shared()) return;
  document.querySelector(".st-key-mode button")?.click();
}
export default function () {
  window.addEventListener("keydown", leave, true);
  return () => window.removeEventListener("keydown", leave, true);
}
"""
_room = st.components.v2.component(
    "explorer_room",
    html="<i hidden></i>",
    css=(_HERE / "presenting.css").read_text(encoding="utf-8"),
    js=_LEAVE,
    isolate_styles=False,
)
# Left of Share; a phone is no lecture room's screen.
_MODE = """<style>
.st-key-mode { position: fixed; top: .45rem; right: 7.4rem; width: auto; z-index: 1000000; }
@media (max-width: 700px) { .st-key-mode { display: none; } }
.stSelectbox input { text-overflow: ellipsis; }
[data-testid=stMain] h2 { text-wrap: balance; }
</style>"""
# A wide screen is looked at from further away: what is set has there the size of what a laptop reads, and what is said beside a
# figure that of the figure's text.
_WIDE = """<style>
@media (min-width: 1700px) {
  :is([data-testid=stSidebar], [data-testid=stMain], [data-testid=stHeader]) :is([data-testid=stWidgetLabel] p, [role=radio] p, button p, input,
    [data-testid=stSliderThumbValue] p, summary p, a span) { font-size: 1rem; }
  [data-testid=stSidebar] [data-testid=stCaptionContainer] p { font-size: .93rem; }
  [data-testid=stMain] [data-testid=stCaptionContainer] p, [data-testid=stMetricLabel] p, [data-testid=stMetricDelta] * { font-size: 16px; }
  [data-testid=stMain] .st-key-head [data-testid=stMarkdown] p { font-size: 16px; }
  [data-testid=stMetricLabel] { height: 2.8rem; align-items: end; }
  [data-testid=stMetricLabel] p { white-space: normal; line-height: 1.2; }
}
</style>"""


def enlarge(on: bool) -> None:
    """Give the page the look of a lecture room, if it is `on`, and the button that says so its place."""
    st.html(_MODE if on else _MODE + _WIDE)
    if on:
        _room(key="_room_look")


# --- How the tour looks: larger words ---


# Holds what nobody sees: it takes no room.
UNSEEN_KEY = "tour_unseen"
# The value of a slider whose text is larger than Streamlit's stands on its handle, not on the line.
THUMBS = "[data-testid=stSliderThumbValue] { top: auto !important; bottom: 100%; } [data-testid=stSliderThumbValue] p { line-height: 1.2; }"
WORDS = (
    """
.st-key-scene [role=radiogroup] { display: flex; flex-wrap: wrap; align-items: center; gap: 0; border: none; background: none; }
.st-key-scene [role=radio] { display: flex; align-items: center; justify-content: center; gap: .45rem; position: relative;
  min-width: 1.6rem; min-height: 2.2rem; padding: 0; margin: 0; border: none; background: none; overflow: visible; }
.st-key-scene [role=radio]::before { content: ""; width: .65rem; height: .65rem; border-radius: 50%; flex: none;
  background: currentColor; opacity: .4; }
.st-key-scene [role=radio]:hover::before { opacity: 1; }
.st-key-scene [role=radio][aria-checked=true] { padding: 0 .6rem; margin-right: .5rem; border-radius: .5rem; }
.st-key-scene [role=radio][aria-checked=true]::before { opacity: 1; width: .85rem; height: .85rem; }
.st-key-scene [role=radio] p { font-size: 1rem; white-space: nowrap; }
.st-key-scene [role=radio][aria-checked=false] p { position: absolute; bottom: 100%; left: 50%; transform: translateX(-50%);
  padding: .1rem .6rem; border-radius: .4rem; opacity: 0; pointer-events: none; z-index: 9; background: #24383c; color: #fff; }
.st-key-scene [role=radio][aria-checked=false]:is(:hover, :focus-visible) p { opacity: 1; }
@media (max-width: 640px) { .st-key-scene [role=radio][aria-checked=false] p { width: 1px; overflow: hidden; } }
@media (min-width: 641px) and (max-width: 1500px) { .st-key-scene [role=radio][aria-checked=false] { min-width: 1.25rem; } }
.st-key-tour_question { margin: 0 auto; min-height: max(590px, 100vh - 240px); justify-content: center; }
.st-key-tour_question p, .st-key-tour_words p { font-size: clamp(1.15rem, 1.22vw, 1.7rem); line-height: 1.42; }
.st-key-tour_question [data-testid=stCaptionContainer] p, .st-key-tour_words [data-testid=stCaptionContainer] p {
  font-size: clamp(1rem, 1vw, 1.4rem); }
.st-key-tour_question h1 { font-size: clamp(1.9rem, 2.6vw, 3.6rem); padding: 0; }
.st-key-tour_question h2 { font-size: clamp(1.5rem, 1.9vw, 2.6rem); line-height: 1.3; padding: 0; }
.st-key-tour_beside .st-key-tour_question p { font-size: clamp(1.05rem, 1.15vw, 1.6rem); }
.st-key-tour_beside .st-key-tour_question h1 { font-size: clamp(1.6rem, 1.9vw, 2.8rem); }
.st-key-tour_beside .st-key-tour_question h2 { font-size: clamp(1.3rem, 1.5vw, 2.2rem); }
.st-key-tour_question button { justify-content: flex-start; padding: .7rem 1.2rem; }
.st-key-tour_question button > div, .st-key-tour_question button > span { justify-content: flex-start; text-align: left; }
.st-key-tour_words h2 { font-size: clamp(1.25rem, 1.45vw, 2rem); line-height: 1.25; padding: .15rem 0; }
.st-key-tour_options { padding-bottom: .5rem; }
.st-key-tour_options [data-testid=stMarkdownContainer], .st-key-tour_options p { margin-bottom: 0; }
@media (max-height: 850px) {
  .st-key-tour_setup { display: none; }
  .st-key-tour_foot { margin-top: -.3rem; }
  .st-key-tour_words p { font-size: 1.05rem; line-height: 1.35; }
  .st-key-tour_words .st-key-tour_options p { font-size: 1rem; }
}
.st-key-tour_options p { opacity: .72; }
.st-key-tour_recap { margin: 0 auto; min-height: max(590px, 100vh - 240px); justify-content: center; }
.st-key-tour_recap h1 { font-size: clamp(1.9rem, 2.6vw, 3.6rem); padding: 0; }
.st-key-tour_recap h2 { font-size: clamp(1.3rem, 1.5vw, 2.2rem); padding: 0 0 .4rem; }
.st-key-tour_recap p { font-size: clamp(1.05rem, 1.1vw, 1.6rem); line-height: 1.42; }
.st-key-tour_recap button { justify-content: flex-start; text-align: left; min-height: 0; padding: .15rem 0; }
.st-key-tour_recap button p { font-size: clamp(.95rem, .95vw, 1.35rem); }
.st-key-tour_words .st-key-tour_play p { font-size: clamp(1rem, 1vw, 1.4rem); }
"""
    + THUMBS
    + f":has(> .st-key-{UNSEEN_KEY}) {{ position: absolute; width: 1px; height: 1px; overflow: hidden; }}"
)

# Streamlit gives a button one key, and clickers send PageUp and PageDown: so keys are read here, before Streamlit does. What
# has the focus and uses a key itself keeps it. One press is one step, also where it comes while the step before it is still
# being drawn: it waits until that one can be seen, and a click that led nowhere is made again.
KEYS = """
const at = selector => document.querySelector(selector);
const scenes = () => [...document.querySelectorAll(".st-key-scene [role=radio]")];
const chosen = () => scenes().findIndex(each => each.getAttribute("aria-checked") === "true");
const answered = () => at(".st-key-revealed [role=radio][aria-checked=true]")?.textContent.trim() === "answer";
const last = () => chosen() === scenes().length - 1;
const place = () => `${chosen()} ${answered()}`;
const drawn = () => last() ? !!at(".st-key-tour_recap") : answered() ? !!at(".st-key-tour_words") && !at(".st-key-tour_reveal") : !!at(".st-key-tour_reveal button");
const reveal = ".st-key-tour_reveal button", next = ".st-key-tour_next button", back = ".st-key-tour_back button";
const onward = () => at(answered() || last() ? next : reveal);
const MOVES = {
  PageDown: onward,
  Enter: onward,
  " ": onward,
  ArrowRight: () => at(next),
  PageUp: () => at(back),
  ArrowLeft: () => at(back),
  Home: () => scenes()[0],
  End: () => scenes().at(-1),
};
const USES = {
  "input[type=range]": ["PageDown", "PageUp", "Home", "End", "ArrowLeft", "ArrowRight"],
  "input:not([type=range]), textarea, select, [role=combobox], [role=listbox], [role=dialog] *": Object.keys(MOVES),
  "[role=radio]": ["ArrowLeft", "ArrowRight"],
  "button, a, summary, [role=radio], [role=button]": ["Enter", " "],
};
const AGAIN = 5000, GIVEN_UP = 60000, LOOK = 40; // milliseconds: a busy server may take seconds to begin
const pressed = [];
// The step that cannot be seen yet: from where, whether to an answer, when it was begun, and since when nothing has been going on.
// Of a scene that is new the page may for a moment still show the answer of the one before.
let under = null;

function work() {
  const now = performance.now(), rests = at("[data-testid=stApp]")?.dataset.testScriptState === "notRunning";
  if (under && place() !== under.from && drawn() && (last() || answered() === under.reveals)) under = null;
  if (under && now - under.begun > GIVEN_UP) under = null;
  if (under && !rests) under.still = now;
  if (under && place() === under.from && now - under.still > AGAIN) {
    under.still = now;
    under.move()?.click();
  }
  if (under || !pressed.length || !drawn()) return;
  const move = MOVES[pressed.shift()], button = move();
  if (!button || button.disabled || button.getAttribute("aria-checked") === "true") return;
  under = { from: place(), reveals: button === at(reveal), begun: now, still: now, move };
  button.click();
}

function onKey(event) {
  if (!MOVES[event.key] || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || !scenes().length) return;
  if (Object.entries(USES).some(([who, keys]) => keys.includes(event.key) && event.target.closest?.(who))) return;
  event.preventDefault();
  event.stopPropagation();
  if (!event.repeat) press(event.key);
}

function press(key) {
  pressed.push(key);
  work();
}
window.explorerTour = { press }; // for the speaker's view

// In a lecture room words whose font is wider than Streamlit's, or that a room adds votes to, become smaller until they fit.
const WORDS = ".st-key-tour_words, .st-key-tour_question, .st-key-tour_recap", SMALLEST = 0.6;
const sheet = document.head.appendChild(document.createElement("style"));
function fit() {
  const words = document.querySelector(WORDS), foot = document.querySelector(".st-key-tour_foot");
  sheet.textContent = "";
  if (!words || !foot || !getComputedStyle(document.documentElement).getPropertyValue("--room")) return;
  const lowest = window.innerHeight - foot.getBoundingClientRect().height - 24;
  const ends = () => words.getBoundingClientRect().bottom + words.closest("[data-testid=stMain]").scrollTop;
  for (let zoom = 0.98; ends() > lowest && zoom > SMALLEST; zoom -= 0.02) sheet.textContent = `${WORDS} { zoom: ${zoom}; }`;
}
const sizes = new ResizeObserver(fit);

const letGo = event => event.target.closest?.(".st-key-tour_foot") && setTimeout(() => document.activeElement?.blur(), 60);

export default function () {
  window.addEventListener("pointerup", letGo, true);
  window.addEventListener("keydown", onKey, true);
  const working = setInterval(work, LOOK);
  const look = setInterval(() => {
    for (const each of document.querySelectorAll(`${WORDS}, .st-key-tour_foot`)) sizes.observe(each);
  }, 250);
  return () => {
    clearInterval(working);
    clearInterval(look);
    sizes.disconnect();
    window.removeEventListener("pointerup", letGo, true);
    window.removeEventListener("keydown", onKey, true);
  };
}
"""

_words = st.components.v2.component(
    "explorer_tour_words", html="<i hidden></i>", css=WORDS, js=KEYS, isolate_styles=False
)


def apply_style() -> None:
    """Give the page the tour's look."""
    _words(key="_tour_words")
