"""The joint figure of a scene, live: theory's line for what is shown, names, export names, clicks."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from explorer.choices.experiment import Experiment
from explorer.diagnosis.seeds import logarithm
from explorer.diagnosis.wording import difference, summary
from explorer.figures.describe import describe_history
from explorer.figures.explore import explore_figure
from explorer.figures.marks import Shown
from explorer.figures.view import View
from explorer.sharing.saved import filename
from explorer.theory.prediction import Prediction
from explorer.training.history import record_epochs
from explorer.ui.compared import Scene
from explorer.ui.live_chart import Click, live_chart

CHART = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"],
}

# The strip and the view's controls, in pixels.
ABOVE = 375


def _theory_line(prediction: Prediction, view: View) -> NDArray[np.float64] | None:
    """log10 of the prediction for what the view shows, or None."""
    values = prediction.of(view.diagnostic.name)
    if values is None:
        return None
    logs = logarithm(values)
    return logs - logs[-1] if view.is_ratio else logs


def _names(scene: Scene) -> tuple[str, str]:
    if scene.baseline is None:
        return "now", ""
    after, before = scene.history.experiment, scene.baseline.experiment
    return f"now: {_shortened(difference(before, after))}", f"baseline: {_shortened(difference(after, before))}"


def _shortened(words: list[str]) -> str:
    return ", ".join(words[:3]) + (" …" if len(words) > 3 else "")


def figure(scene: Scene, view: View) -> go.Figure:
    """The joint figure of a scene."""
    name, baseline_name = _names(scene)
    now = Shown(scene.history, name, _theory_line(scene.now.theory, view))
    before = None
    if scene.before is not None:
        before = Shown(scene.before.history, baseline_name, _theory_line(scene.before.theory, view))
    asked = None if scene.history.experiment.task == "XOR" else scene.job.answer_map()
    return explore_figure(now, before, view, view.at, asked)


def joint_figure(scene: Scene, view: View) -> None:
    """Draw it; a click on its epochs moves the epoch's slider."""
    live_chart(
        figure(scene, view),
        key="joint_figure",
        alt=alt_text(scene, view),
        keep=f"{view.axis} {view.metric} {scene.history.experiment.epochs}",
        config=CHART | {"toImageButtonOptions": _image(scene)},
        on_click=lambda click: _choose_epoch(scene.history.experiment, click),
        above=ABOVE,
    )


def alt_text(scene: Scene, view: View) -> str:
    """Say what the joint figure shows, with its numbers."""
    now = scene.history
    theory = _theory_line(scene.now.theory, view)
    told = [scene.now.sentence, describe_history(now, view, view.at, theory), f"{summary(now.experiment)}."]
    if scene.baseline is not None:
        told.append(f"Baseline: {describe_history(scene.baseline, view, view.at)}")
    return " ".join(told)


def _choose_epoch(experiment: Experiment, click: Click) -> None:
    """Move the epoch's slider to the recorded epoch nearest a click on heatmap or loss."""
    if click.panel == "x":
        epochs = record_epochs(experiment.epochs)
        st.session_state["at"] = int(epochs[np.abs(epochs - click.x).argmin()])


def _image(scene: Scene) -> dict[str, Any]:
    return {"format": "png", "filename": filename(scene.history.experiment), "width": 1920, "height": 1080, "scale": 1}
