"""What the present setting is compared with: a baseline, which buttons pin and take away; on request every remedy, tried."""

import streamlit as st

from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.settings import Settings
from explorer.diagnosis.diagnose import Diagnosis
from explorer.diagnosis.trials import Tried, try_remedies
from explorer.diagnosis.wording import difference
from explorer.stories.scenarios import OPENING, SCENARIOS
from explorer.training.kinds import Kind
from explorer.ui.between_pages import set_values
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


def offer_trials(now: Diagnosis) -> None:
    """Offer to try every remedy, where something is wrong and nobody has asked yet."""
    if now.good or not now.facts.complete or _asked(now):
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


def told_by_trials(now: Diagnosis) -> str:
    """Say what was tried and what it did; empty where nobody asked for it."""
    if now.good or not now.facts.complete or not _asked(now):
        return ""
    return _tried(now, now.history.experiment).sentence


def _ask(now: Diagnosis) -> None:
    st.session_state[_key(now)] = now.history.experiment


def _asked(now: Diagnosis) -> bool:
    """Whether somebody asked to try the remedies on what is shown."""
    return bool(st.session_state.get(_key(now)) == now.history.experiment)


def _key(now: Diagnosis) -> str:
    """Return where the experiment of this kind lies on which remedies were tried last."""
    return f"_{keys_of(now.history.kind).prefix}tried"


@st.cache_resource(
    max_entries=256,
    show_spinner="Trying every remedy on a few seeds",
    hash_funcs={Experiment: hash, RecurrentExperiment: hash},
)
def _tried(_now: Diagnosis, experiment: Settings) -> Tried:
    """Try the remedies, once for an experiment."""
    return try_remedies(_now, TRYING_SECONDS)
