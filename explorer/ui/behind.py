"""Behind the figure: why there is no theory, export, and the tabs."""

import numpy as np
import streamlit as st

from explorer.facts import facts
from explorer.figures import why_figure
from explorer.layers import layer_table
from explorer.takeaway import experiment_json, filename, history_csv, python_lines
from explorer.theory import predict
from explorer.ui.joint import CHART, figure, why_no_theory
from explorer.ui.link import SCHEMA
from explorer.ui.scene import Scene
from explorer.ui.share import share_buttons
from explorer.verdict import compare, sentence
from explorer.view import View
from explorer.why import decompose
from explorer.wording import summary


def behind(scene: Scene, view: View) -> None:
    """What stands below the figure: why there is no theory, export, and the tabs."""
    experiment = scene.history.experiment
    reason = why_no_theory(experiment, view)
    if np.isnan(scene.history.measures[view.diagnostic.name][:, 0]).all():
        st.caption(f"Nothing to show: {view.metric} is not defined for {experiment.activation} in this net.")
    elif reason:
        st.caption(f"No theory line: {reason.rstrip('.')}.")
    elif view.diagnostic.name == "delta" and predict(experiment).typical_delta is None:
        why = (predict(experiment).typical_reason or "").rstrip(".")
        st.caption(f"The theory line is the root mean square over seeds, not that of a typical seed: {why}.")
    title = sentence(facts(scene.history))
    settings = [summary(experiment)]
    if scene.baseline is not None:
        title = compare(scene.baseline, scene.history)
        settings = [f"Now: {summary(experiment)}", f"Baseline: {summary(scene.baseline.experiment)}"]
    share_buttons(title, settings, filename(experiment), SCHEMA)
    why_tab, layers_tab, reading_tab, data_tab = st.tabs(["Why", "Layers", "How to read this", "Take away"])
    with why_tab:
        _why(scene, view)
    with layers_tab:
        st.table(layer_table(experiment))
    with reading_tab:
        _reading(view)
    with data_tab:
        _take_away(scene, view)


def _why(scene: Scene, view: View) -> None:
    record = scene.history.at(view.at)
    why = decompose(scene.history, record)
    st.markdown(
        "On its way back, dL/dz passes the **weights** of the layer above, picks up what a **skip** brings, is multiplied "
        "by the activation's **slope** and goes through the **normalization**. In decades these add up: one decade to the "
        f"left is a gradient ten times smaller. Epoch {int(scene.history.epochs[record]):,}, {_over(why.seeds)}."
    )
    st.plotly_chart(
        why_figure(why), key="why", config=CHART, alt="What multiplies the gradient at each layer, in decades"
    )


def _over(seeds: int) -> str:
    if not seeds:
        return "where no seed has a gradient that is finite and not 0 in every layer"
    return f"mean over the {seeds} seeds whose gradient is finite and not 0 in every layer" if seeds > 1 else "one seed"


def _reading(view: View) -> None:
    diagnostic = view.diagnostic
    source = f" ({diagnostic.source})" if diagnostic.source else ""
    st.markdown(f"**{diagnostic.title}**: {diagnostic.caption}{source}")
    st.markdown(
        "- **Heatmap**: rows are layers, 1 nearest the input; columns are epochs. The colour is the median over seeds.\n"
        "- **Profile**, right: the same numbers at the chosen epoch, on the same layers; its axis is the colour bar. "
        "The band holds the middle half of the seeds. Dotted: before any update. Dashed: mean-field theory of the start, "
        "for dL/dz that of a typical seed, for dL/dW the root mean square over seeds, which is larger in narrow deep nets.\n"
        "- **Loss**, above: thick the median, thin every seed.\n"
        "- Grey means exactly 0, orange-red infinite or NaN: neither is a colour of the scale. Triangles mark values beyond it.\n"
        "- Colours and axes stay where they are when a setting changes, so two pictures can be compared."
    )


def _take_away(scene: Scene, view: View) -> None:
    experiment, name = scene.history.experiment, filename(scene.history.experiment)
    with st.container(horizontal=True, gap="small"):
        for label, make, ending, kind in (
            ("History (CSV)", lambda: history_csv(scene.history), "csv", "text/csv"),
            ("Experiment (JSON)", lambda: experiment_json(experiment), "json", "application/json"),
            (
                "Page (HTML, works offline)",
                lambda: figure(scene, view).to_html(include_plotlyjs=True, config=CHART),
                "html",
                "text/html",
            ),
        ):
            st.download_button(label, make, f"{name}.{ending}", kind, on_click="ignore")
    st.markdown("The same in a notebook:")
    st.code(python_lines(experiment), language="python")
