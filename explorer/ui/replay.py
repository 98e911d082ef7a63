"""The button that replays a training in a figure, in the browser; on a first visit it presses itself once."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__)

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
    js=HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


def replay_button(figure: str, *, ready: bool, by_itself: bool) -> None:
    """Draw the button for the figure with this key; `ready` once its training is complete.

    `by_itself` presses it once in a tab, unless its viewer wants few movements.
    """
    _button(key=f"{figure}_replay", data={"figure": figure, "ready": ready, "by_itself": by_itself}, width="content")
