"""All uses of private parts of Streamlit 1.67; a test fails if Streamlit changes one of them."""

from collections.abc import Iterable
from typing import Any

from streamlit.runtime.state import get_session_state

# What `reported` returns for a control whose value the browser did not send.
SILENT = object()


def read_address_again(without: Iterable[str] = ()) -> None:
    """Have widgets start from what the script wrote into the address, not from what the browser came with.

    Those named in `without` are removed first, which `st.query_params` refuses while a widget is bound to them.
    """
    with get_session_state().query_params() as parameters:
        for name in without:
            parameters.discard_param_no_forward_msg(name)
        parameters.set_initial_query_params_from_current()


def reported(key: str) -> Any:
    """Return the value of a control that the browser sent with the request of this run, or SILENT if it sent none."""
    # Looked up, not listed: a run that this one has overtaken may still write to the same state.
    state = get_session_state()._state
    return state._new_widget_state.get(state.get_widget_id_from_key(key) or "", SILENT)
