"""Share, the same on every page: link, pictures, offline page, data and lines of Python of what is shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import streamlit as st

from explorer.choices.settings import Settings
from explorer.figures import plain
from explorer.figures.plain import Figure
from explorer.sharing.code import Table, listings
from explorer.sharing.handout import glossary_html, sheet_html, tour_html
from explorer.sharing.notebook import notebook_json
from explorer.sharing.offline_page import Sheet, live, page_html
from explorer.sharing.saved import experiment_json
from explorer.stories.scene import Scene
from explorer.ui.link import SCHEMA, present_link, present_root
from explorer.ui.live_chart import CHART, Drawn
from explorer.ui.training_loop import TrainingsInOrder, work_on


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """Everything that can be downloaded from a page."""

    title: str  # The headline
    sentences: Callable[[], Sequence[str]] = tuple  # Below it, as they are when a file is made
    settings: Sequence[str]
    filename: str  # Without its ending
    figures: Sequence[Drawn]  # The main one first
    # By label, of which the first word is in the file's name; each writes a CSV.
    tables: Mapping[str, Callable[[], str]]
    experiment: Settings | None = None  # What is saved as JSON; None where a page shows no experiment
    baseline: Settings | None = None
    # Writes the answer to a challenge, which holds the experiment, in its place
    answer: Callable[[], str] | None = None
    lines: str  # Of Python
    table: Sequence[Mapping[str, object]] = ()  # For the offline page
    part: Callable[[], str] = str  # Writes a figure of its own kind for it, as HTML


@dataclass(frozen=True)
class File:
    """A file that is made when somebody asks for it."""

    group: str  # The line of the menu in which its button stands: page, data or notebook
    name: str
    type: str
    make: Callable[[], str]


def take_away(parcel: Parcel, more: Callable[[], None] = lambda: None) -> None:
    """Draw the button that opens the menu, at the top right; `more` draws further buttons here."""
    st.html(_HEADER)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="take_away"):
        more()
        _share(parcel)


def _files(parcel: Parcel) -> dict[str, File]:
    """Return the files of a page by the label of their buttons."""
    name, experiment = parcel.filename, parcel.experiment
    link, for_others = present_link(), present_root().for_others
    files = {"Page": File("page", f"{name}.html", "text/html", lambda: _page(parcel, link, for_others))}
    for label, make in parcel.tables.items():
        files[f"{label} (CSV)"] = File("data", f"{label.split()[0].lower()}_{name}.csv", "text/csv", make)
    if parcel.answer is not None:
        files["Answer (JSON)"] = File("data", f"answer_{name}.json", "application/json", parcel.answer)
    elif experiment is not None:
        write = partial(experiment_json, experiment, parcel.baseline)
        files["Experiment (JSON)"] = File("data", f"experiment_{name}.json", "application/json", write)
    return files | {
        "Notebook": File(
            "notebook", f"{name}.ipynb", "application/x-ipynb+json", lambda: _notebook(parcel, link, for_others)
        )
    }


def _notebook(parcel: Parcel, link: str, for_others: bool) -> str:
    about = [*parcel.sentences(), *parcel.settings, *filter(None, [live(link, for_others)])]
    return notebook_json(parcel.title, parcel.lines, about)


def _page(parcel: Parcel, link: str, for_others: bool) -> str:
    sheet = Sheet(
        title=parcel.title,
        sentences=parcel.sentences(),
        settings=parcel.settings,
        link=link,
        for_others=for_others,
        lines=parcel.lines,
        table=parcel.table,
        part=parcel.part(),
    )
    figures = {figure.name: (made, figure.alt) for figure in parcel.figures if (made := figure.make())}
    return page_html(sheet, figures, CHART)


# --- the menu, in the viewer's browser; it asks for files, and says when one has come -----------------


_MENU = """
<button class="open" popovertarget="menu" type="button">Share</button>
<div id="menu" popover role="group" aria-label="Share">
  <div class="line"><span><button class="link" type="button">Copy link</button></span>
    <span class="about">Whoever opens it sees what you see.</span></div>
  <div class="line"><span><button class="embed" type="button">Copy lines for a web page</button></span>
    <span class="about">HTML that shows the main figure alone, live, inside a page of yours.</span></div>
  <div class="line"><span><button class="slide" type="button">Slide</button></span>
    <span class="about">Headline, settings, main figure and link as a picture of 1920 × 1080.</span></div>
  <div class="line"><span><select aria-label="Figure to save as PNG or SVG"></select><button class="png" type="button">PNG</button><button
    class="svg" type="button">SVG</button></span><span class="about">One figure with its name, settings and link.</span></div>
  <div class="line"><span class="pages"></span>
    <span class="about">All of this as one HTML file. Its figures can be moved and zoomed without a network.</span></div>
  <div class="line"><span class="files"></span>
    <span class="about">The numbers. JSON opens again under “Saved experiment” in the sidebar, or from an address that ends in
    ?experiment= and the file’s text, percent-encoded.</span></div>
  <div class="line"><span><button class="lines" type="button">Copy lines</button><span class="notebooks"></span></span>
    <span class="about">The same in Python, in the project’s folder.</span></div>
  <details><summary>The lines</summary><pre tabindex="0"></pre></details>
  <span role="status"></span>
</div>
"""
_LOOK = """
button, select { font: inherit; color: inherit; background: var(--st-background-color); cursor: pointer;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); padding: .3rem .75rem;
  min-height: 2.5rem; box-sizing: border-box; white-space: nowrap; }
select { max-width: 11rem; padding: .3rem .4rem; text-overflow: ellipsis; }
button:hover, button:focus-visible, select:hover, select:focus-visible { border-color: var(--st-primary-color);
  color: var(--st-primary-color); }
button:focus-visible, select:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
.open, [popover] { font: .9375rem/1.4 var(--st-font); color: var(--st-text-color); }
.open { padding: .3rem 1.2rem; font-weight: 600; }
/* In sight wherever the page is scrolled, right of the menu of pages. */
.open { position: fixed; top: var(--bar-top, .45rem); right: 1rem; z-index: 1000000; min-height: var(--bar-height, 2.5rem); }
[popover] { position: fixed; margin: 0; width: min(46rem, calc(100vw - 16px)); box-sizing: border-box; overflow: auto;
  padding: .4rem 1rem; background: var(--st-background-color); border: 1px solid var(--st-border-color);
  border-radius: .6rem; box-shadow: 0 6px 30px rgba(0, 0, 0, .18); }
.line { display: grid; grid-template-columns: 21.5rem 1fr; gap: .2rem 1rem; align-items: center; padding: .3rem 0; }
.line > span:first-child, .notebooks { display: flex; flex-wrap: wrap; gap: .4rem; }
.about { opacity: .8; }
.about.said { opacity: 1; font-weight: 600; color: var(--st-primary-color); overflow-wrap: anywhere; }
pre { font-size: .8125rem; overflow: auto; background: var(--st-secondary-background-color); padding: .6rem; }
summary { cursor: pointer; padding: .3rem 0; }
[role=status] { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media (max-width: 640px) { .line { grid-template-columns: 1fr; } }
"""
# The menu of pages ends before the buttons.
_HEADER = """<style>
[data-testid=stToolbar] { padding-right: 6.5rem; }
@media (min-width: 700px) { [data-testid=stToolbar] { padding-right: 14.5rem; } }
</style>"""
_component = st.components.v2.component(
    "explorer_share",
    html=_MENU,
    css=_LOOK,
    js=plain.FOLD + Path(__file__).with_name("share.js").read_text(encoding="utf-8"),
)
SHARE, FILE = "share", "_share_file"


def _share(parcel: Parcel) -> None:
    """Offer what the browser makes, the link and pictures of 1920 x 1080, and what it must ask for.

    A file is made in the run that the request starts, and goes along until the browser has it: a run that is broken off, as
    while a training goes on, loses none. The schema version is added to the link.
    """
    files = _files(parcel)

    def make() -> None:
        asked = st.session_state[SHARE].asked
        if (
            asked is not None
            and asked["name"] in files
            and st.session_state.get(FILE, {}).get("number") != asked["number"]
        ):
            file = files[asked["name"]]
            st.session_state[FILE] = {
                "number": asked["number"],
                "name": file.name,
                "type": file.type,
                "text": file.make(),
            }

    figures = [{"key": one.key, "name": one.name, "filename": f"{one.key}_{parcel.filename}"} for one in parcel.figures]
    data: dict[str, Any] = {
        "title": parcel.title,
        "settings": list(parcel.settings),
        "filename": parcel.filename,
        "lines": parcel.lines,
        "root": asdict(present_root()),
        "version": SCHEMA,
        "figures": figures,
        "files": {name: file.group for name, file in files.items()},
        "file": st.session_state.get(FILE),
    }
    _component(
        key=SHARE,
        data=data,
        width="content",
        on_asked_change=make,
        on_taken_change=_let_go,
    )


def _let_go() -> None:
    """Forget the file that the browser has."""
    taken = st.session_state[SHARE].taken
    if taken is not None and st.session_state.get(FILE, {}).get("number") == taken:
        del st.session_state[FILE]


# --- hand-outs of a lecture ---


ASKED_KEY, HAND_OUT_KEY = "_hand_out_asked", "hand_out"
HAND_OUT_SLICE, HAND_OUT_REPAINT = 0.3, 3.0


def hand_out(title: str, scenes: Sequence[Scene], draw: Callable[[Scene], Drawn]) -> None:
    """Offer scenes as an offline page, as sheets of questions, and the glossary; the last thing that a page draws.

    The page needs every net of the scenes, which are trained once somebody asks for it. `draw` returns a scene's figure.
    """
    link, for_others, place = present_link(), present_root().for_others, st.container()
    parts = [(list(scene.experiments.values()), scene.figure.trains) for scene in scenes]
    nets = TrainingsInOrder(parts, st.empty(), "Training the nets of all scenes for the page")
    wanted = not nets.over and st.session_state.get(ASKED_KEY) == [scene.name for scene in scenes]
    with place, st.container(horizontal=True, gap="small", vertical_alignment="center", key=HAND_OUT_KEY):
        st.markdown("**To hand out**", width="content")
        if nets.over:
            _html(
                "Page",
                "tour.html",
                lambda: tour_html(title, scenes, _figures(scenes, draw), CHART, link, for_others),
                PAGE_HELP,
            )
        else:
            st.button(
                "Page", key="hand_out_page", help=PAGE_HELP, disabled=wanted, on_click=_ask_for_page, args=(scenes,)
            )
        _html("Questions", "questions.html", lambda: sheet_html(title, scenes, answers=False), SHEET_HELP)
        _html("Questions with answers", "answers.html", lambda: sheet_html(title, scenes, answers=True), SHEET_HELP)
        _html("Glossary and sources", "glossary.html", glossary_html, "All terms and full references.")
    if wanted:
        nets.show_progress()
        work_on(nets, HAND_OUT_SLICE, HAND_OUT_REPAINT)


PAGE_HELP = (
    "All scenes as one HTML file that works offline: questions, answers on a click, figures to zoom. It needs every net of the scenes "
    "to be trained. The first time, this takes a minute or more; then press the button again."
)
SHEET_HELP = "A page to print from the browser, on A4 or Letter."


def _ask_for_page(scenes: Sequence[Scene]) -> None:
    st.session_state[ASKED_KEY] = [scene.name for scene in scenes]


def _figures(scenes: Sequence[Scene], draw: Callable[[Scene], Drawn]) -> dict[str, tuple[Figure, str]]:
    return {scene.name: (drawn.make(), drawn.alt) for scene in scenes for drawn in [draw(scene)]}


def _html(label: str, name: str, make: Callable[[], str], about: str) -> None:
    """Draw a button that downloads a page, which is made once it is pressed."""
    st.download_button(label, make, name, "text/html", key=f"hand_out_{name}", help=about, on_click="ignore")


# --- Show the code: the functions that made what is shown, from the installed modules ---


KEY = "_show_code"


def show_code(table: Table, written: Mapping[str, tuple[str, str]] = MappingProxyType({})) -> None:
    """Offer the code of what is shown; it is read and sent only while it is open.

    It opens on what is `written` for a reader, if anything is: by name what to say of it, and its lines.
    """
    with st.expander("Show the code", icon=":material/code:", key=KEY, on_change="rerun") as place:
        if not place.open:
            return
        parts = [*written, *table]
        shown = st.pills("Part", parts, default=parts[0], required=True, key=f"{KEY}_of") or parts[0]
        if shown in written:
            said, lines = written[shown]
            st.caption(said)
            if lines:
                st.code(lines, language="python")
            return
        st.caption("The functions that computed what is on screen, as they ran.")
        for listing in listings(table.get(shown, next(iter(table.values())))):
            st.markdown(f"**{listing.name}** in `{listing.module}`, line {listing.line}")
            st.code(listing.text, language="python")
