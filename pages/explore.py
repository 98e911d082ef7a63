"""Explore: train one network, see its gradients by layer and epoch, flip a remedy."""

import streamlit as st

from explorer.cost import refuse
from explorer.ui.explore import live

experiment, baseline = st.session_state["_experiment"], st.session_state["_pinned"]
if experiment is None:
    st.info("Load a CSV in the sidebar to train on your own data, or choose another task.")
    st.stop()
refusal = refuse(experiment)
if refusal:
    st.warning(refusal, icon=":material/hourglass_disabled:")
    st.stop()
if baseline is not None and refuse(baseline):
    st.warning(f"The baseline is not trained. {refuse(baseline)}", icon=":material/hourglass_disabled:")
    baseline = None
live(experiment, baseline)
