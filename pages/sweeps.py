"""Sweep: any two settings across and up, an outcome as colour."""

import streamlit as st

from explorer.ui.sweep import show

experiment, baseline = st.session_state["_experiment"], st.session_state["_pinned"]
if experiment is None:
    st.info("Load a CSV in the sidebar to train on your own data, or choose another task.")
    st.stop()
show(experiment, baseline)
