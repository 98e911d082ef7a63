"""All uses of private parts of Streamlit 1.67; a test fails if Streamlit changes one of them."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from itertools import count
from typing import Any

from streamlit.runtime.scriptrunner_utils.script_requests import _coalesce_replay_trigger_states as clicks_of
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


# Of a run's access to the state of its session: its number, in the order of the requests.
NUMBER = "_explorer_number"
TURNS_KEY = "_turns"


class _Turns:
    """The lock of whoever changes a session's state as a whole, and the number of the latest request that was carried out."""

    _making = threading.Lock()

    def __init__(self) -> None:
        self.lock, self.latest = threading.RLock(), -1

    @classmethod
    def of(cls, state: SafeSessionState) -> "_Turns":
        """Return those of a session."""
        with cls._making:
            inner: Any = state._state
            if TURNS_KEY not in inner:
                inner[TURNS_KEY] = cls()
            turns: _Turns = inner[TURNS_KEY]
            return turns


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Do not end the run for a person's next act inside this block, as Streamlit may at every access to its state.

    A run that was overtaken before ends here: it goes on beside the one that follows it, and would write its older values
    over newer ones.
    """
    state = get_session_state()
    with _Turns.of(state).lock:
        state._yield_callback()
        with _closed_to_others(state):
            yield


@contextmanager
def _closed_to_others(state: Any) -> Iterator[None]:
    gives_way = state._yield_callback
    object.__setattr__(state, "_yield_callback", lambda: None)
    try:
        yield
    finally:
        object.__setattr__(state, "_yield_callback", gives_way)


def let_callbacks_finish() -> None:
    """Have Streamlit carry out what a person asked for before it turns to their next act, and each act in its order.

    It starts a callback once, and would end it at its first access to the state if another request has come by then:
    a click was lost, or half of what it should have set. Each request has a thread of its own: of one that is carried
    out after a later one only the clicks count, as its values are older.
    """
    begin, call, numbers = SafeSessionState.__init__, SafeSessionState.on_script_will_rerun, count()
    if hasattr(call, "__wrapped__"):
        return

    @wraps(begin)
    def begin_in_order(self: SafeSessionState, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        object.__setattr__(self, NUMBER, next(numbers))

    @wraps(call)
    def call_to_the_end(self: SafeSessionState, states: Any, **options: Any) -> None:
        turns = _Turns.of(self)
        with turns.lock, _closed_to_others(self):
            # One that was there before this was called has no number yet.
            number = vars(self).get(NUMBER, -1)
            late, turns.latest = number < turns.latest, max(number, turns.latest)
            if not late:
                call(self, states, **options)
            elif clicks := clicks_of(states, None):
                call(self, clicks, **options)

    SafeSessionState.__init__ = begin_in_order  # type: ignore[method-assign]
    SafeSessionState.on_script_will_rerun = call_to_the_end  # type: ignore[method-assign,assignment]
