"""All uses of private parts of Streamlit 1.67; a test fails if Streamlit changes one of them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from streamlit.runtime.state import SafeSessionState, get_session_state

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


@contextmanager
def uninterrupted(state: Any = None) -> Iterator[None]:
    """Do not end the run for a person's next act inside this block, as Streamlit may at every access to its state."""
    state = state or get_session_state()
    gives_way = state._yield_callback
    object.__setattr__(state, "_yield_callback", lambda: None)
    try:
        yield
    finally:
        object.__setattr__(state, "_yield_callback", gives_way)


def let_callbacks_finish() -> None:
    """Have Streamlit carry out what a person asked for before it turns to their next act.

    It starts a callback once, and would end it at its first access to the state if another request has come by then:
    a click was lost, or half of what it should have set.
    """
    call = SafeSessionState.on_script_will_rerun
    if hasattr(call, "__wrapped__"):
        return

    @wraps(call)
    def call_to_the_end(self: SafeSessionState, *args: Any, **options: Any) -> None:
        with uninterrupted(self):
            call(self, *args, **options)

    SafeSessionState.on_script_will_rerun = call_to_the_end  # type: ignore[method-assign]
