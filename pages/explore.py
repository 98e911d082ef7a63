"""Explore: train one network, see its gradients by layer and epoch, flip a remedy."""

import streamlit as st

from explorer.cost import refuse
from explorer.ui.explore import ask_view, behind, live

experiment, baseline = st.session_state["_experiment"], st.session_state["_pinned"]
if experiment is None:
    st.info("Load a CSV in the sidebar to train on your own data, or choose another task.")
    st.stop()
refusal = refuse(experiment)
if refusal:
    st.warning(refusal, icon=":material/hourglass_disabled:")
    st.stop()
strip_slot = st.container()
view = ask_view(experiment)
scene = live(experiment, baseline, view, strip_slot)
behind(scene, view)
