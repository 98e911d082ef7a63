"""What the present setting is compared with: a baseline, which buttons pin and take away; and every remedy, tried.

Where that is cheap the remedies are tried while somebody reads, elsewhere on request.
"""

import os
import threading
import time
import uuid
from collections.abc import Callable

import streamlit as st

from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.settings import Settings
from explorer.diagnosis.diagnose import Diagnosis, diagnose
from explorer.diagnosis.trials import CHEAP_SECONDS, Attempt, Tried, attempts, comes_first, trying_seconds
from explorer.diagnosis.wording import difference
from explorer.stories.scenarios import OPENING, SCENARIOS
from explorer.training.compiled import KERNELS
from explorer.training.kinds import Kind
from explorer.ui.ahead import OFF, QUIET, SLICE, VARIABLE, Ahead
from explorer.ui.between_pages import begins, set_values
from explorer.ui.jobs import jobs
from explorer.ui.keys import keys_of
from explorer.ui.link import encode
from explorer.ui.plain_text import verbatim

OPENING_WORDS = "opening example"
# Of settings that differ, so many name a baseline.
NAMED = 2
PIN = "Pin this as the baseline"
PIN_HELP = "From then on baseline and present setting stand beside each other, on the same scales."
TRYING_SECONDS = 10.0


def compare_with(kind: Kind, experiment: Settings, baseline: Settings | None) -> None:
    """Draw what the experiment is compared with, and what it could be compared with."""
    key = keys_of(kind).baseline
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"{key}_compare", width="content"):
        st.markdown("Compare with:", width="content")
        if baseline is not None:
            st.button(
                verbatim(baseline_name(experiment, baseline)),
                key=f"{key}_unpin",
                icon=":material/close:",
                icon_position="right",
                on_click=pin,
                args=(key, None),
                help="Unpin: show the present setting alone.",
            )
        elif kind.opens_pinned:
            st.button(OPENING_WORDS, key=f"{key}_opening", on_click=pin, args=(key, OPENING), help=PIN_HELP)
        st.button(
            "Pin this",
            key=f"{key}_pin",
            icon=":material/keep:",
            disabled=experiment == baseline,
            on_click=pin,
            args=(key, experiment),
            help=PIN_HELP,
        )


def pin(key: str, pinned: Settings | None) -> None:
    """Pin a setting, or none, as the baseline whose text lies under `key`; for callbacks."""
    set_values({key: encode(pinned)})


def baseline_name(experiment: Settings, baseline: Settings) -> str:
    """Return a short name of a baseline: the opening example, a scenario, or what differs from the present setting."""
    if baseline == OPENING:
        return OPENING_WORDS
    named = [name for name, scenario in SCENARIOS.items() if scenario.experiment == baseline]
    words = difference(experiment, baseline)
    return (named or [", ".join(words[:NAMED]) + " …" * (len(words) > NAMED)])[0] or "this setting"


# --- with every remedy ---------------------------------------------------------------------------

# Milliseconds for which a page stands still before remedies are tried: who is moving a slider has not come to read.
PAUSE = 400


class Trying:
    """The remedies as they are tried on an experiment, a slice at a time."""

    def __init__(self, now: Diagnosis) -> None:
        self.seconds = trying_seconds(now)
        self.tried: Tried | None = None  # Once all of it is over
        self._first, self._made = comes_first(now), list[Attempt]()
        self._attempts = attempts(now, TRYING_SECONDS, SLICE)
        self._lock = threading.Lock()

    def advance(self) -> None:
        """Try for one slice."""
        with self._lock:
            for attempt in self._attempts:
                self._made += [attempt] if attempt else []
                return
            self.tried = Tried(tuple(self._made), self._first)


def tried_ahead(experiment: Settings) -> Ahead:
    """Try the remedies on an experiment in which something is wrong, by one slice at each step, unless it takes too long."""
    now = diagnose(jobs().together([experiment])[0].advance(0.0))
    trying = _trying(now)
    while _ill(now) and trying.seconds <= TRYING_SECONDS and trying.tried is None:
        trying.advance()
        yield


def offer_trials(now: Diagnosis, unasked: bool = True) -> None:
    """Offer to try every remedy, where something is wrong, nothing is told of it yet, and nothing will be `unasked`."""
    if not _ill(now) or told_by_trials(now, unasked) or (unasked and _is_cheap(now)):
        return
    st.button(
        "What helps here?",
        key="try_remedies_here",
        icon=":material/healing:",
        type="tertiary",
        on_click=_ask,
        args=(now,),
        help="What is advised is a rule of thumb. This trains a few seeds with every remedy alone, for at most about "
        f"{TRYING_SECONDS:.0f} seconds, and says what helped.",
    )


def told_by_trials(now: Diagnosis, unasked: bool = True) -> str:
    """Say what was tried and what it did; empty where nothing was, or, unless `unasked`, nobody has asked for it."""
    if not _ill(now) or not (unasked or _asked(now)):
        return ""
    trying = _trying(now)
    if _asked(now) and trying.tried is None:
        with st.spinner("Trying every remedy on a few seeds"):
            while trying.tried is None:
                trying.advance()
    return "" if trying.tried is None else trying.tried.sentence


def tell_of_trials(now: Diagnosis, tell: Callable[[str], None], unasked: bool = True) -> None:
    """Draw with `tell` what was tried, as `told_by_trials` says it; where it is cheap the remedies are tried meanwhile.

    The page stands as it is and can be used: only what `tell` draws is drawn again.
    """
    _tell_and_try(now, tell, unasked, uuid.uuid4().hex)


@st.fragment
def _tell_and_try(now: Diagnosis, tell: Callable[[str], None], unasked: bool, run: str) -> None:
    with st.container(gap=None):  # what tries has no height
        told = told_by_trials(now, unasked)
        tell(told)
        seen = unasked and not st.context.is_embedded
        if told or not seen or not _is_cheap(now) or not begins(run, PAUSE):
            return
        trying, place = _trying(now), st.empty()
        while trying.tried is None:
            QUIET.disturb()
            if not jobs().spare(trying.advance):
                time.sleep(SLICE)
            place.empty()  # the script stops here if a control has moved
        st.rerun(scope="fragment")


def _ill(now: Diagnosis) -> bool:
    """Whether training is over and something is wrong."""
    return now.facts.complete and not now.good


def _is_cheap(now: Diagnosis) -> bool:
    """Whether something is wrong, and the remedies are tried without being asked for."""
    return _ill(now) and os.environ.get(VARIABLE) != OFF and _trying(now).seconds <= CHEAP_SECONDS


def _ask(now: Diagnosis) -> None:
    st.session_state[_key(now)] = now.history.experiment


def _asked(now: Diagnosis) -> bool:
    """Whether somebody asked to try the remedies on what is shown."""
    return bool(st.session_state.get(_key(now)) == now.history.experiment)


def _key(now: Diagnosis) -> str:
    """Return where the experiment of this kind lies on which remedies were tried last."""
    return f"_{keys_of(now.history.kind).prefix}tried"


def _trying(now: Diagnosis) -> Trying:
    """Return what is tried on an experiment, the same for all visitors; another, at other costs, once there are kernels."""
    return _made(now, now.history.experiment, KERNELS.now() is not None)


@st.cache_resource(
    max_entries=256,
    show_spinner=False,
    hash_funcs={Experiment: hash, RecurrentExperiment: hash},
)
def _made(_now: Diagnosis, experiment: Settings, compiled: bool) -> Trying:
    return Trying(_now)
