"""The share row, the same on every page: pictures, link, offline page, data and lines of Python of what is shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from explorer.choices.settings import Settings
from explorer.sharing.code import Table, listings
from explorer.sharing.offline_page import Sheet, page_html
from explorer.sharing.saved import experiment_json
from explorer.ui.link import SCHEMA, present_link
from explorer.ui.live_chart import CHART, Drawn


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """Everything that can be downloaded from a page."""

    title: str  # The headline
    sentences: Sequence[str] = ()
    settings: Sequence[str]
    filename: str  # Without its ending
    figures: Sequence[Drawn]  # The main one first
    # By label, of which the first word is in the file's name; each writes a CSV.
    tables: Mapping[str, Callable[[], str]]
    experiment: Settings | None = None  # What is saved as JSON; None where a page shows no experiment
    baseline: Settings | None = None
    lines: str  # Of Python
    table: Sequence[Mapping[str, object]] = ()  # For the offline page


def take_away(parcel: Parcel, more: Callable[[], None] = lambda: None) -> None:
    """Draw the row of buttons; `more` draws further ones at its end."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="take_away"):
        _pictures_and_link(parcel)
        link = present_link()
        st.download_button(
            "Page",
            lambda: _page(parcel, link),
            f"{parcel.filename}.html",
            "text/html",
            on_click="ignore",
            help="One HTML file with everything that is shown. Its figures can be moved and zoomed, without a network.",
        )
        with st.popover("Data"):
            _data(parcel)
        with st.popover("Notebook"):
            st.markdown("The same in Python, in a notebook in the project's folder:")
            st.code(parcel.lines, language="python")
        more()


def _page(parcel: Parcel, link: str) -> str:
    sheet = Sheet(
        title=parcel.title,
        sentences=parcel.sentences,
        settings=parcel.settings,
        link=link,
        lines=parcel.lines,
        table=parcel.table,
    )
    return page_html(sheet, {figure.name: (figure.make(), figure.alt) for figure in parcel.figures}, CHART)


def _data(parcel: Parcel) -> None:
    for label, make in parcel.tables.items():
        file = f"{label.split()[0].lower()}_{parcel.filename}.csv"
        st.download_button(f"{label} (CSV)", make, file, "text/csv", on_click="ignore")
    experiment = parcel.experiment
    if experiment is None:
        return
    st.download_button(
        "Experiment (JSON)",
        lambda: experiment_json(experiment, parcel.baseline),
        f"experiment_{parcel.filename}.json",
        "application/json",
        on_click="ignore",
    )
    st.caption(
        "The JSON opens again under “Saved experiment” in the sidebar, or from an address that ends in "
        "?experiment= and the file's text, percent-encoded."
    )


# --- Share: buttons that turn figures into pictures in the viewer's own browser, and copy the link ---


_component = st.components.v2.component(
    "explorer_share",
    html=(
        '<div class="row"><button data-do="slide">Slide</button><button data-do="link">Copy link</button>'
        '<select aria-label="Figure to save as PNG or SVG"></select>'
        '<button data-do="png">PNG</button><button data-do="svg">SVG</button><span role="status"></span></div>'
    ),
    css="""
.row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; font-family: var(--st-font); font-size: .875rem;
       color: var(--st-text-color); }
button, select { font: inherit; color: inherit; background: var(--st-background-color); cursor: pointer;
         border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); padding: .3rem .75rem;
         min-height: 2.5rem; box-sizing: border-box; }
select { max-width: 13rem; padding: .3rem .4rem; }
button:hover, button:focus-visible, select:hover, select:focus-visible { border-color: var(--st-primary-color);
         color: var(--st-primary-color); }
button:focus-visible, select:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
""",
    js=Path(__file__).with_name("share.js").read_text(encoding="utf-8"),
)


def _pictures_and_link(parcel: Parcel) -> None:
    """Offer the slide, the link, and each figure as PNG and SVG, all pictures of 1920 x 1080.

    The slide shows the first figure below the title in large type, with at most two lines of settings. The schema version is
    added to the link.
    """
    figures = [{"key": one.key, "name": one.name, "filename": f"{one.key}_{parcel.filename}"} for one in parcel.figures]
    data = {"title": parcel.title, "settings": list(parcel.settings), "filename": parcel.filename}
    _component(key="share", data=data | {"version": SCHEMA, "figures": figures}, width="content")


# --- Show the code: the functions that made what is shown, from the installed modules ---


KEY = "_show_code"


def show_code(table: Table) -> None:
    """Offer the code of what is shown; it is read and sent only while it is open."""
    with st.expander("Show the code", icon=":material/code:", key=KEY, on_change="rerun") as place:
        if not place.open:
            return
        st.caption("The engine's own lines, as they ran for what is on screen.")
        shown = st.pills("Of what", list(table), default=next(iter(table)), required=True, key=f"{KEY}_of")
        for listing in listings(table.get(shown or "", next(iter(table.values())))):
            st.markdown(f"**{listing.name}** in `{listing.module}`, line {listing.line}")
            st.code(listing.text, language="python")
