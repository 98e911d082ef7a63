"""Gradient Explorer: the page table and the controls that all pages share."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: these matrices are small, two threads only wait

import gc
from importlib import import_module
from typing import Any

import streamlit as st

from explorer.training.kinds import LAYERS, TIME_STEPS, Kind
from explorer.ui.between_pages import keep, note_all_drawn
from explorer.ui.link import GO_KEY, announce, keep_link
from explorer.ui.look import FAVICON, LOGO
from explorer.ui.sidebar import sidebar

TOUR, CLIFF = "Tour", "Cliff"
# What a page shows the experiments of, where that is not nets of layers; None where it has settings of its own.
SHOWS: dict[str, Kind | None] = {"Time": TIME_STEPS, TOUR: None, CLIFF: None}


def pages() -> list[Any]:
    """Return the page table. An entry's url_path must differ from its file's stem."""
    explore = "pages/explore_page.py"
    return [
        st.Page(explore, title="Explore", url_path="gradients", default=True),
        st.Page("pages/tour_page.py", title=TOUR, url_path="tour"),
        st.Page("pages/remedies_page.py", title="Remedies", url_path="remedies"),
        st.Page("pages/depth_page.py", title="Depth", url_path="depth"),
        st.Page("pages/sweep_page.py", title="Sweep", url_path="sweep"),
        st.Page("pages/time_page.py", title="Time", url_path="time"),
        st.Page("pages/cliff_page.py", title=CLIFF, url_path="cliff"),
        # The default page answers at "/" alone; this is its name in a link.
        st.Page(explore, title="Explore", url_path="explore", visibility="hidden"),
    ]


@st.cache_resource(show_spinner=False)
def settle() -> None:
    """Leave everything imported by now out of garbage collection: it never goes away, and looking is slow."""
    gc.collect()
    gc.freeze()


def main() -> None:
    """Draw what all pages share, then the page."""
    st.set_page_config(page_title="Gradient Explorer", page_icon=FAVICON, layout="wide", initial_sidebar_state=330)
    st.logo(LOGO, size="large")
    page = st.navigation(pages(), position="top")
    settle()
    kind = SHOWS.get(page.title, LAYERS)
    announce(kind)
    keep(page.title)
    if kind is not None:
        sidebar(kind)
    keep_link(page.title, st.session_state.pop(GO_KEY, None))
    note_all_drawn()
    page.run()


if __name__ == "__main__":
    main()
else:
    # `streamlit run` imports this file once before it listens. Naming the pages now keeps the first deep link
    # from meeting the legacy meaning of the pages folder ("Page not found"). Streamlit itself imports pandas with
    # the first table: two first visitors at the same moment would each meet half of it.
    import_module("pandas")
    st.navigation(pages())
    app = st.App(__file__)
