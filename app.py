"""Gradient Explorer: the menu and what all pages share, then the page."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: these matrices are small, two threads only wait

import gc
import logging
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import streamlit as st

from explorer.ui.ahead import QUIET, prepare
from explorer.ui.between_pages import ask_for_report, keep, place_of_report
from explorer.ui.keys import BASELINES
from explorer.ui.lecture import offer_mode
from explorer.ui.link import check_link, keep_link
from explorer.ui.live_chart import load_plotly
from explorer.ui.look import FAVICON, LOGO, apply_embedding
from explorer.ui.page import Page, controls_by_key
from explorer.ui.phones import routes
from explorer.ui.private import let_callbacks_finish
from explorer.ui.sidebar import sidebar
from pages import PAGES


def menu(pages: Sequence[Page]) -> list[Any]:
    """Return the pages as Streamlit takes them."""
    first, *others = pages
    return [
        # The default page answers at "/" alone, whatever its path is; the hidden one answers at its name in a link.
        st.Page(first.show, title=first.title, url_path="default", default=True),
        st.Page(first.show, title=first.title, url_path=first.path, visibility="hidden"),
        *(st.Page(page.show, title=page.title, url_path=page.path) for page in others),
    ]


@st.cache_resource(show_spinner=False)
def settle() -> None:
    """Do what is done once in a server.

    Everything imported by now stays for good, and is excluded from garbage collection: scanning it takes time.
    """
    let_callbacks_finish()
    gc.collect()
    gc.freeze()


def main() -> None:
    """Draw what all pages share, then the page."""
    QUIET.disturb()
    st.set_page_config(page_title="Gradient Explorer", page_icon=FAVICON, layout="wide", initial_sidebar_state=330)
    apply_embedding()
    st.logo(LOGO, size="large")
    chosen = st.navigation(menu(PAGES), position="top")
    page = next(page for page in PAGES if page.title == chosen.title)
    controls = controls_by_key(PAGES)
    keys = (*controls, *BASELINES)
    settle()
    load_plotly()
    check_link(page.kind, controls, page.read)
    keep(page.title, keys)
    if page.kind is not None:
        sidebar(page.kind, controls, pins=page.pins)
    with place_of_report():
        keep_link(page.title)
        if page.presents:
            offer_mode()
    chosen.run()
    ask_for_report()


if __name__ == "__main__":
    main()
else:
    # `streamlit run` imports this file once before it listens. Naming the pages now keeps the first deep link
    # from meeting the legacy meaning of the pages folder ("Page not found"). Streamlit itself imports pandas with
    # the first table: two first visitors at the same moment would each meet half of it.
    import_module("pandas")
    logging.disable(logging.WARNING)  # Streamlit warns that no page is being run
    st.navigation(menu(PAGES))
    logging.disable(logging.NOTSET)
    prepare(work for page in PAGES for work in page.ahead())  # after it, as it may have something to say
    app = st.App(__file__, routes=routes(st.get_option("server.baseUrlPath")))
