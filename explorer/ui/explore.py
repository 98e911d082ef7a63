"""Explore: the view's controls, and the loop that trains in slices and shows what is there."""

import time
from typing import Any

import streamlit as st

from explorer.experiment import Experiment
from explorer.history import record_epochs
from explorer.ui.behind import behind
from explorer.ui.joint import joint_figure
from explorer.ui.scene import advance
from explorer.ui.strip import strip
from explorer.ui.welcome import welcome
from explorer.ui.widgets import ask
from explorer.view import VIEW_CONTROLS, View

# The first picture comes before anything else has been trained.
FIRST_SLICE = 0.04
# Seconds between two repaints of a running training: a browser needs about a third of a second for one.
REPAINT = 0.7


def ask_view(experiment: Experiment) -> View:
    """Draw the view's controls in one row, and the epoch below it."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        values: dict[str, Any] = {
            name: ask(name, VIEW_CONTROLS[name]) for name in ("metric", "colour", "axis", "range")
        }
        epochs = [int(epoch) for epoch in record_epochs(experiment.epochs)]
        control = VIEW_CONTROLS["at"]
        values["at"] = st.select_slider(
            control.label, epochs, value=epochs[-1], key="at", help=control.help, bind="query-params", width="stretch"
        )
    return View(**values)


def live(experiment: Experiment, baseline: Experiment | None) -> None:
    """Show everything, then train on in slices and show it again, until both trainings are complete.

    Every slice ends in a Streamlit call: there the script stops when a control
    has moved, while the jobs stay whole.
    """
    welcome()
    strip_place = st.container(gap="xsmall")
    view = ask_view(experiment)
    progress_place = st.empty()
    scene = advance(experiment, baseline, FIRST_SLICE)
    with strip_place:
        strip(scene)
    joint_figure(scene, view)
    behind(scene, view)
    painted = time.perf_counter()
    while not scene.complete:
        share = scene.progress
        progress_place.progress(share, text=f"Training: {share:.0%} of {experiment.epochs:,} epochs")
        scene = advance(experiment, baseline)
        if scene.complete or time.perf_counter() - painted > REPAINT:
            st.rerun()
