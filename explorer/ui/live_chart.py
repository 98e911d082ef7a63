"""A figure that is updated in place while a training streams in; a click on it comes back.

`st.plotly_chart` mounts a new chart whenever its data change, which blanks the
figure at every repaint. This small component hands a figure to
`Plotly.react`, of the Plotly that Streamlit itself loads with its first
ordinary chart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from explorer.figures import plain
from explorer.figures.plain import Figure
from explorer.ui.lecture import text_factor
from explorer.ui.link import lead_out
from explorer.ui.look import EMBEDDED_FOOT, EMBEDDED_LOWEST, framed

CHART = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"],
}

_component = st.components.v2.component(
    "explorer_live_chart",
    html='<div class="figure"></div>',
    js=plain.FOLD + Path(__file__).with_name("live_chart.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


# In a lecture room, of 1080 pixels: for a row of controls below a figure.
ROW_FOOT = 108
_BARE = {"visible": False}
_EMPTY = plain.checked(
    plain.figure([], {"template": {}, "height": 10, "margin": dict.fromkeys("lrtb", 0), "xaxis": _BARE, "yaxis": _BARE})
)
_UNSEEN = """<style>
:has(> .st-key-load_plotly) { position: absolute; left: 0; width: 1px; height: 1px; overflow: hidden; visibility: hidden; }
</style>"""


@dataclass(frozen=True)
class Drawn:
    """A figure on the page."""

    key: str  # Of its place on the page
    name: str
    make: Callable[[], Figure]  # Draws it anew, for the offline page; an empty one where Plotly does not draw it
    alt: str  # What it shows, in words with its numbers


@dataclass(frozen=True)
class Click:
    """The place on a figure that a viewer clicked."""

    panel: str  # The x axis, as traces name it: "x", "x2", ...
    x: float  # The point's custom data where it has any
    y: float
    up: str = "y"  # The y axis, as traces name it


def live_chart(
    drawn: Drawn,
    *,
    keep: str,
    filename: str = "",
    on_click: Callable[[Click], None] | None = None,
    above: int = 240,
    lowest: int = 590,
    narrow: int = 700,
    foot: int = 16,
    settings: bool = False,
) -> None:
    """Draw a figure, updating the one that its key has put on screen before.

    The viewer's zoom is kept as long as the text `keep` is the same. `filename` is that of a picture that Plotly saves.
    `on_click`, if there is one, receives a click before the script runs again. On a low screen the figure is made lower to
    leave `above` pixels for the rest of the page, but not below `lowest`; where it has less than `narrow` pixels, its panels
    stand below each other. In a lecture room text is larger, and a figure that begins on the screen ends `foot` pixels, of
    1080, above its lower edge; it says its settings there only with `settings`, as they stand in the sidebar too.
    """
    image = {"filename": filename, "width": 1920, "height": 1080}

    def clicked() -> None:
        place = st.session_state[drawn.key].clicked
        if place is not None and on_click is not None:
            on_click(Click(str(place["panel"]), float(place["x"]), float(place["y"]), str(place["up"])))

    with framed() as fills:
        _component(
            key=drawn.key,
            data={
                "figure": plain.text(drawn.make()),
                "alt": drawn.alt,
                "keep": keep,
                "config": CHART | ({"toImageButtonOptions": image} if filename else {}),
                "above": EMBEDDED_FOOT if fills else above,
                "lowest": EMBEDDED_LOWEST if fills else lowest,
                "narrow": narrow,
                "larger": text_factor(),
                "foot": EMBEDDED_FOOT if fills else foot,
                "settings": settings,
                "clicks": on_click is not None,
            },
            on_clicked_change=clicked,
        )
        if fills:
            lead_out()


def load_plotly() -> None:
    """Draw an empty chart that nobody sees: Streamlit loads Plotly with the first chart of its own."""
    st.html(_UNSEEN)
    with st.container(key="load_plotly"):
        st.plotly_chart(_EMPTY, key="load_plotly_empty", config={"staticPlot": True}, alt="An empty chart")


# --- the button that replays a training in a figure, in the browser ----------------------------------


_button = st.components.v2.component(
    "explorer_replay",
    html='<button type="button"><svg viewBox="0 0 12 12" aria-hidden="true"><path></path></svg><span></span></button>',
    css="""
button { display: inline-flex; align-items: center; gap: .55em; height: 2.5rem; min-width: 7rem; padding: 0 1.1em; cursor: pointer; white-space: nowrap;
  font: 600 1rem var(--st-font); color: var(--st-background-color); background: var(--st-primary-color);
  border: 0; border-radius: var(--st-base-radius, 4px); }
button:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 2px; }
button:disabled { opacity: .5; cursor: default; }
svg { width: .9em; fill: currentColor; }
""",
    js=Path(__file__).with_name("replay.js").read_text(encoding="utf-8"),
)


def replay_button(figure: str, *, ready: bool, by_itself: bool) -> None:
    """Draw the button for the figure with this key; `ready` once its training is complete.

    `by_itself` presses it once in a tab, unless its viewer wants few movements.
    """
    _button(key=f"{figure}_replay", data={"figure": figure, "ready": ready, "by_itself": by_itself}, width="content")
