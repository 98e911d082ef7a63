"""What the present setting is compared with: the baseline's name with a button that takes it away, and one that pins."""

import streamlit as st

from explorer.choices.settings import Settings
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
