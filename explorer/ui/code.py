"""Show the code: the functions that made what is shown, from the installed modules."""

import streamlit as st

from explorer.excerpts import excerpts
from explorer.show_code import Table

KEY = "_show_code"


def show_code(table: Table) -> None:
    """Offer the code of what is shown; it is read and sent only while it is open."""
    with st.expander("Show the code", icon=":material/code:", key=KEY, on_change="rerun") as place:
        if not place.open:
            return
        st.caption("The engine's own lines, as they ran for what is on screen.")
        shown = st.pills("Of what", list(table), default=next(iter(table)), required=True, key=f"{KEY}_of")
        for excerpt in excerpts(table.get(shown or "", next(iter(table.values())))):
            st.markdown(f"**{excerpt.name}** in `{excerpt.module}`, line {excerpt.line}")
            st.code(excerpt.text, language="python")
