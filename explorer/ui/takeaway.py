"""Take away: the one row, alike on every page, that gives away what is shown: pictures, link, page, data, lines of Python."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.page_export import Sheet, page_html
from explorer.settings import Settings
from explorer.takeaway import experiment_json
from explorer.ui.joint import CHART
from explorer.ui.link import SCHEMA, present_link
from explorer.ui.share import Picture, share_buttons


@dataclass(frozen=True)
class Drawn:
    """A figure on the page.

    Attributes
    ----------
    key : str
        Of its place on the page.
    name : str
    make : callable
        Draws it anew, for the offline page.
    alt : str
        What it shows, in words with its numbers.
    """

    key: str
    name: str
    make: Callable[[], Any]
    alt: str


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """What a page gives away.

    Attributes
    ----------
    title : str
        The headline.
    sentences, settings : sequences of str
    filename : str
        Without its ending.
    figures : sequence of Drawn
        The main one first.
    tables : mapping of label to callable
        Each writes a CSV; the label names it on its button, and its first word in the file's name.
    experiment, baseline : Experiment or RecurrentExperiment
        What is saved as JSON; None where a page shows no experiment.
    lines : str
        Of Python.
    table : sequence of mappings
        The page's table, for the offline page.
    """

    title: str
    sentences: Sequence[str] = ()
    settings: Sequence[str]
    filename: str
    figures: Sequence[Drawn]
    tables: Mapping[str, Callable[[], str]]
    experiment: Settings | None = None
    baseline: Settings | None = None
    lines: str
    table: Sequence[Mapping[str, object]] = ()


def take_away(parcel: Parcel, more: Callable[[], None] = lambda: None) -> None:
    """Draw the row; `more` draws what else belongs into it."""
    pictures = [Picture(each.key, each.name, f"{each.key}_{parcel.filename}") for each in parcel.figures]
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="take_away"):
        share_buttons(parcel.title, list(parcel.settings), parcel.filename, SCHEMA, pictures)
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
    return page_html(sheet, {each.name: (each.make(), each.alt) for each in parcel.figures}, CHART)


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
        "The JSON opens again under “Open a saved experiment” in the sidebar, or from an address that ends in "
        "?experiment= and the file's text, percent-encoded."
    )
