"""Glossary: the terms of the lecture, one large and all below it, and every source as a full reference."""

from collections.abc import Sequence

import streamlit as st

from explorer.choices.controls import Choice
from explorer.sharing.handout import glossary_html
from explorer.stories.glossary import GLOSSARY, Term
from explorer.stories.references import REFERENCES, Reference, cited
from explorer.stories.tour import ANSWER
from explorer.ui.between_pages import go_to, set_values
from explorer.ui.page import GLOSSARY_PAGE, TERM_KEY, VIEW, Page
from explorer.ui.widgets import ask
from pages.tour_page import PAGE as TOUR_PAGE

CONTROLS = {
    TERM_KEY: Choice(
        group=VIEW,
        label="Term",
        help="The term that is shown large; all of them stand below.",
        options=tuple(GLOSSARY),
        default=next(iter(GLOSSARY)),
    )
}
# Legible in a lecture room.
LARGE = """<style>
.st-key-glossary_term p { font-size: clamp(1.15rem, 1.3vw, 1.9rem); line-height: 1.42; }
.st-key-glossary_term h1 { font-size: clamp(1.8rem, 2.4vw, 3.2rem); padding: 0; }
.st-key-glossary_term code { font-size: clamp(.95rem, 1.1vw, 1.6rem) !important; }
</style>"""


def show() -> None:
    """Draw one term, all others, and the sources."""
    term = GLOSSARY[ask(TERM_KEY, CONTROLS[TERM_KEY], in_a_row=True, label_visibility="collapsed")]
    st.html(LARGE)
    with st.container(border=True, key="glossary_term", gap="small"):
        st.title(term.name, anchor=False)
        st.markdown(term.caption)
        if term.formula:
            st.code(term.formula, language=None, wrap_lines=True)
        for reference in cited(term.source):
            st.markdown(f":small[{_markdown(reference)}]")
        if term.scene:
            st.button("See it in the tour", key="glossary_scene", on_click=_open, args=(term.scene,))
    st.header("All terms", anchor=False)
    _all([each for each in GLOSSARY.values() if each is not term])
    st.header("Sources", anchor=False)
    st.caption("Every work that the app cites. Elsewhere they have these short names.")
    st.markdown("\n".join(f"- **{name}**: {_markdown(reference)}" for name, reference in REFERENCES.items()))
    st.download_button(
        "Glossary and sources as a page",
        glossary_html,
        "glossary.html",
        "text/html",
        key="glossary_page",
        on_click="ignore",
    )


def _all(terms: Sequence[Term]) -> None:
    """Draw terms in two columns."""
    half = -(-len(terms) // 2)
    for column, mine in zip(st.columns(2, gap="large"), (terms[:half], terms[half:]), strict=True):
        column.markdown("\n\n".join(f"**{each.name}.** {each.caption}" for each in mine))


def _markdown(reference: Reference) -> str:
    return f"{reference.before_link} {f'<{reference.link}>' if reference.link else ''}"


def _open(scene: str) -> None:
    set_values({"scene": scene, "revealed": ANSWER})
    go_to(TOUR_PAGE.title)


PAGE = Page(title=GLOSSARY_PAGE, path="glossary", show=show, controls=CONTROLS)
