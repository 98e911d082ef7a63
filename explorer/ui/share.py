"""Share: buttons that turn figures into pictures in the viewer's own browser, and copy the link."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

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


@dataclass(frozen=True)
class Picture:
    """A figure that can be saved.

    Attributes
    ----------
    key : str
        Of its place on the page.
    name : str
        For a menu, and above the figure in its picture.
    filename : str
        Without its ending.
    """

    key: str
    name: str
    filename: str


def share_buttons(title: str, settings: list[str], filename: str, version: str, figures: Sequence[Picture]) -> None:
    """Offer the slide, the link, and each figure as PNG and SVG, all pictures of 1920 x 1080.

    Parameters
    ----------
    title : str
        Written above the slide's figure, the first one, in large type.
    settings : list of str
        At most two lines below it.
    filename : str
        Of the slide, without its ending.
    version : str
        The link's schema version, added to the link.
    figures : sequence of Picture
        The main one first.
    """
    data = {"title": title, "settings": settings, "filename": filename, "version": version}
    _component(key="share", data=data | {"figures": [asdict(figure) for figure in figures]}, width="content")
