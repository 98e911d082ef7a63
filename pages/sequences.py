"""Time: recurrent nets side by side, the gradient of every time step, and what carries it back."""

import streamlit as st

from explorer.ui.through_time import show

experiment, baseline = st.session_state["_experiment"], st.session_state["_pinned"]
if experiment is not None:
    show(experiment, baseline)
