"""Behind the figure: why there is no theory, what can be taken away, its code, and the tabs."""

import numpy as np
import streamlit as st

from explorer.describe import describe_why
from explorer.facts import facts
from explorer.figures import why_figure
from explorer.layers import layer_table
from explorer.notebook import explore_lines
from explorer.show_code import explore_table
from explorer.takeaway import filename, history_csv
from explorer.theory import predict
from explorer.ui.code import show_code
from explorer.ui.joint import CHART, alt_text, figure, why_no_theory
from explorer.ui.scene import Scene
from explorer.ui.takeaway import Drawn, Parcel, take_away
from explorer.verdict import compare, judge, sentence
from explorer.view import View
from explorer.why import Why, decompose
from explorer.wording import summary


def behind(scene: Scene, view: View) -> None:
    """What stands below the figure: why there is no theory, what can be taken away, its code, and the tabs."""
    experiment = scene.history.experiment
    reason = why_no_theory(experiment, view)
    if np.isnan(scene.history.measures[view.diagnostic.name][:, 0]).all():
        st.caption(f"Nothing to show: {view.metric} is not defined for {experiment.activation} in this net.")
    elif reason:
        st.caption(f"No theory line: {reason.rstrip('.')}.")
    elif view.diagnostic.name == "delta" and predict(experiment).typical_delta is None:
        reason = (predict(experiment).typical_reason or "").rstrip(".")
        st.caption(f"The theory line is the root mean square over seeds, not that of a typical seed: {reason}.")
    why = decompose(scene.history, scene.history.at(view.at))
    take_away(_parcel(scene, view, why))
    show_code(explore_table(experiment, view, judge(facts(scene.history))))
    why_tab, layers_tab, reading_tab = st.tabs(["Why", "Layers", "How to read this"])
    with why_tab:
        _why(scene, view, why)
    with layers_tab:
        st.table(layer_table(experiment))
    with reading_tab:
        _reading(view)


def _parcel(scene: Scene, view: View, why: Why) -> Parcel:
    """What Explore gives away."""
    history, baseline = scene.history, scene.baseline
    experiment = history.experiment
    before = None if baseline is None else baseline.experiment
    word = sentence(facts(history))
    tables = {"History": lambda: history_csv(history)}
    if baseline is not None:
        tables["Baseline, its history"] = lambda: history_csv(baseline)
    return Parcel(
        title=word if baseline is None else compare(baseline, history),
        sentences=[] if baseline is None else [word],
        settings=[summary(experiment)]
        if before is None
        else [f"Now: {summary(experiment)}", f"Baseline: {summary(before)}"],
        filename=filename(experiment),
        figures=[
            Drawn("joint_figure", "Gradient by layer and epoch", lambda: figure(scene, view), alt_text(scene, view)),
            Drawn("why", "Why: what multiplies the gradient", lambda: why_figure(why), describe_why(why)),
        ],
        tables=tables,
        experiment=experiment,
        baseline=scene.pinned,
        lines=explore_lines(experiment, before),
        table=layer_table(experiment),
    )


def _why(scene: Scene, view: View, why: Why) -> None:
    record = scene.history.at(view.at)
    st.markdown(
        "On its way back, dL/dz passes the **weights** of the layer above, picks up what a **skip** brings, is multiplied "
        "by the activation's **slope** and goes through the **normalization**. In decades these add up: one decade to the "
        f"left is a gradient ten times smaller. Epoch {int(scene.history.epochs[record]):,}, {_over(why.seeds)}."
    )
    st.plotly_chart(why_figure(why), key="why", config=CHART, alt=describe_why(why))


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
