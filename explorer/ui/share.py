"""Share: buttons that turn the figure into a picture in the viewer's own browser, and copy the link."""

from pathlib import Path

import streamlit as st

_component = st.components.v2.component(
    "explorer_share",
    html=(
        '<div class="row"><button data-do="png">PNG 1920 × 1080</button><button data-do="svg">SVG</button>'
        '<button data-do="link">Copy link</button><span role="status"></span></div>'
    ),
    css="""
.row { display: flex; gap: .5rem; align-items: center; font-family: var(--st-font); font-size: .95rem;
       color: var(--st-text-color); }
button { font: inherit; color: inherit; background: var(--st-background-color); cursor: pointer;
         border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); padding: .3rem .75rem; }
button:hover, button:focus-visible { border-color: var(--st-primary-color); color: var(--st-primary-color); }
""",
    js=Path(__file__).with_name("share.js").read_text(encoding="utf-8"),
)


def share_buttons(title: str, settings: list[str], filename: str, version: str) -> None:
    """Offer the visible figure as PNG and SVG of 1920 x 1080, titled, with settings and link in the picture.

    Parameters
    ----------
    title : str
        Written above the figure in large type.
    settings : list of str
        At most two lines below it.
    filename : str
        Without its ending.
    version : str
        The link's schema version, added to the link.
    """
    _component(key="share", data={"title": title, "settings": settings, "filename": filename, "version": version})
