"""What a page of the app is: one entry, made in the page's own file and listed in the table of pages."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from explorer.choices.controls import Control
from explorer.stories.glossary import terms_in
from explorer.training.kinds import Kind
from explorer.ui.ahead import Ahead
from explorer.ui.between_pages import go_to, set_values
from explorer.ui.keys import settings_by_key

# The group of controls that choose what is shown, not what is trained.
VIEW = "View"


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the app: its title and address, its controls, and the function that draws it."""

    title: str  # In the menu
    path: str  # The page's name in an address: old links name it so, never change it
    show: Callable[[], None]
    kind: Kind | None = None  # Whose settings the sidebar asks for; None where the page has settings of its own
    pins: bool = True  # Whether the sidebar offers to pin a baseline; False where the page does so itself
    presents: bool = True  # Whether it may be shown in a lecture room
    controls: Mapping[str, Control] = field(default_factory=dict)  # What the page asks besides, by key in the link
    # Says what an address asks for as links do now, where earlier ones said it otherwise.
    read: Callable[[Mapping[str, str]], dict[str, str]] = dict
    ahead: Callable[[], Iterable[Ahead]] = tuple  # What is trained before somebody opens the page, most wanted first


def controls_by_key(pages: Iterable[Page]) -> dict[str, Control]:
    """Return every control of the app, those of the experiments and those of some pages, by key in the link."""
    return {**settings_by_key(), **{key: control for page in pages for key, control in page.controls.items()}}


def what_do_i_see(lines: Sequence[str]) -> None:
    """Offer the legend of a page's figure, a line for each of its parts."""
    with st.popover("What do I see?", icon=":material/help:", type="tertiary", key="legend"):
        st.markdown("\n".join(f"- {line}" for line in lines))
        if terms := terms_in(*lines):
            st.pills("In the glossary", [term.name for term in terms], key=WORDS_KEY, on_change=_look_up)


# Title of the page that has all terms, and the key of the one that it shows.
GLOSSARY_PAGE, TERM_KEY, WORDS_KEY = "Glossary", "term", "_words"


def _look_up() -> None:
    """Go to the term that was chosen."""
    if term := st.session_state[WORDS_KEY]:
        set_values({TERM_KEY: term})
        go_to(GLOSSARY_PAGE)
