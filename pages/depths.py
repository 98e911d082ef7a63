"""Depth: the gradient of every layer for every depth, and up to which depth nets still learn."""

import streamlit as st

from explorer.ui.depth import show

experiment, baseline = st.session_state["_experiment"], st.session_state["_pinned"]
if experiment is None:
    st.info("Load a CSV in the sidebar to train on your own data, or choose another task.")
    st.stop()
show(experiment, baseline)
