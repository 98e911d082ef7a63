"""First visit: what this is and three things to try, in one line that goes away; and the legend of a page's figure."""

from collections.abc import Sequence

import streamlit as st

from explorer.stories.scenarios import SCENARIOS
from explorer.ui.link import GO_KEY, NOT_SETTINGS
from explorer.ui.sidebar import set_experiment

WELCOME_KEY = "_welcome"
SKIPS, DYING = "The same with skips: learns", "Dying ReLU"


def welcome() -> None:
    """Draw the line for who opens the app without settings in the link, until it is closed."""
    if not st.session_state.setdefault(WELCOME_KEY, not set(st.query_params) - NOT_SETTINGS):
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="welcome"):
        st.markdown("See why gradients vanish or explode, in real training. **Try:**", width="content")
        st.button("Skip connections", on_click=lambda: _open(SKIPS), key="try_skips")
        st.button("Dying ReLU", on_click=lambda: _open(DYING, metric="dead"), key="try_dying")
        st.button("All remedies", on_click=_compare, key="try_remedies")
        st.button("Close", icon=":material/close:", type="tertiary", on_click=_close, key="close_welcome")


def _open(name: str, metric: str = "dL/dz") -> None:
    scenario = SCENARIOS[name]
    set_experiment(scenario.experiment, scenario.baseline)
    st.session_state["metric"] = metric


def _compare() -> None:
    st.session_state[GO_KEY] = "Remedies"


def _close() -> None:
    st.session_state[WELCOME_KEY] = False


def what_do_i_see(lines: Sequence[str]) -> None:
    """Offer the legend of the page's figure, a line for each of its parts."""
    with st.popover("What do I see?", icon=":material/help:", type="tertiary"):
        st.markdown("\n".join(f"- {line}" for line in lines))


EXPLORE = (
    "**Colours**: rows are layers, 1 nearest the input, the output on top; columns are epochs of training. Dark is a small "
    "gradient, light a large one; the colour bar is in powers of ten.",
    "**Right of it**, the same numbers at one epoch. Upright: every layer learns at one pace. Leaning to the left, "
    "downwards: the gradient vanishes on its way back.",
    "**Dotted** at the start, **dashed** what theory predicts, **band** the middle half of the seeds.",
    "**Above**, the loss of every seed, thick the median; in the corner, what the nets answer.",
    "**Grey** is exactly 0, **red** infinite or NaN: neither is a colour of the scale.",
    "With a **baseline** pinned, it stands above on the same scales.",
)
REMEDIES = (
    "**Each panel** is the same experiment with one thing changed: rows are layers, columns epochs, colours the gradient.",
    "A teal square: it **helped**; a red one: it **harmed**. Beside it, how many seeds learn the task.",
    "All panels share the colour bar below them.",
    "Below: the **ranking** with its numbers, why each helped or could not, and every loss.",
)
DEPTH = (
    "**Triangles**: every row is a net of another depth, every column a layer, the output at the end of its row. Colours "
    "are the gradient: dark is small.",
    "Beside each other: at the start and after training, as it is and with the remedy.",
    "Below: how many **seeds learn** at each depth, and what **each layer multiplies** the gradient by; dashed is theory.",
)
SWEEP = (
    "**Every cell** is an experiment of its own: the sidebar's settings but for the two on the axes.",
    "Of ratios, the neutral middle of the colours is 1: the gradient neither shrinks nor grows. Purple is vanishing, "
    "orange exploding.",
    "**Grey** is exactly 0, **red** infinite or NaN; a **cross** is no possible experiment.",
    "**Dashed**: where theory says that very deep nets stay level. Below, one row as a line.",
)
TIME = (
    "**Each panel** is a recurrent net: rows are time steps, the beginning of the sequence at the bottom, its end, where the "
    "answer is, on top; "
    "columns are epochs of training. Dark is a small gradient.",
    "**Right of them**, the same numbers at one epoch, all nets in one panel. Upright: every step gets as much gradient. Leaning to the left, "
    "downwards: what came early is forgotten.",
    "**Dotted** at the start, **band** the middle half of the seeds.",
    "**Above**, the loss, and the share of seeds that have learnt it: whose mean squared error, on the sequences they train on, is "
    "below the task’s bound.",
    "**Grey** is exactly 0, **red** infinite or NaN: neither is a colour of the scale.",
    "Below: a **closer look** at what carries the gradient back through time.",
)
CLIFF = (
    "**The map** is the loss of a net with one unit, for every recurrent weight w and bias b. Dark is a small loss; the "
    "colour bar is in powers of ten.",
    "**Two descents** from the star, a mark an update: orange squares without clipping, teal circles with it. A "
    "**triangle** at the edge: there a path leaves the map, and the words say where to.",
    "**White dashes**: where theory has the wall, on which the loss jumps. With **gradient** shown, squares have the colour of "
    "the longest within 0.0125 of it: the wall is thinner than the map's grid.",
    "**On the right**, by update: the gradient's norm before clipping, with the threshold dashed, and the loss.",
    "**Below**, a section through the wall: with few steps T there is none.",
)
