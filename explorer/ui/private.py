"""The parts of Streamlit 1.67 that are not public, all of them; a test fails where Streamlit changes one."""

from collections.abc import Iterable
from typing import Any

from streamlit.runtime.state import get_session_state

# What `reported` returns of a control that the browser has not said anything of.
SILENT = object()


def read_address_again(without: Iterable[str] = ()) -> None:
    """Have widgets start from what the script wrote into the address, not from what the browser came with.

    Parameters
    ----------
    without : iterable of str
        Parameters that are taken out of the address first. `st.query_params` refuses to while a widget is bound to them.
    """
    with get_session_state().query_params() as parameters:
        for name in without:
            parameters.discard_param_no_forward_msg(name)
        parameters.set_initial_query_params_from_current()


def reported(key: str) -> Any:
    """Return what the browser has said, with what this run answers, that a control holds; SILENT where nothing."""
    # Looked up, not listed: a run that this one has overtaken may still write to the same state.
    state = get_session_state()._state
    return state._new_widget_state.get(state.get_widget_id_from_key(key) or "", SILENT)
