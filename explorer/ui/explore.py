"""Explore's parts: view controls, the strip of words and numbers, the live figure, and what lies behind it."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from explorer.experiment import Experiment
from explorer.figures import explore_figure, why_figure
from explorer.history import History, record_epochs
from explorer.layers import layer_table
from explorer.panels import Shown
from explorer.scenarios import SCENARIOS, matching
from explorer.seeds import logarithm
from explorer.takeaway import experiment_json, history_csv, python_lines
from explorer.theory import Prediction, predict
from explorer.ui.jobs import SLICE, Job, jobs
from explorer.ui.link import SCHEMA
from explorer.ui.live_chart import live_chart
from explorer.ui.share import share_buttons
from explorer.ui.widgets import ask
from explorer.verdict import VERDICTS, Facts, Verdict, advice, compare, facts, judge, start_sentence
from explorer.view import VIEW_CONTROLS, View
from explorer.why import decompose
from explorer.wording import decades, difference, number, summary

# The first picture comes before anything else has been trained.
FIRST_SLICE = 0.04
# Seconds between two repaints of a running training: a browser needs about a third of a second for one.
REPAINT = 0.7
CHART = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"],
}


@dataclass(frozen=True, eq=False)
class Scene:
    """What Explore shows at a moment.

    Attributes
    ----------
    job, baseline_job : Job
        The baseline's is None where nothing else is pinned.
    history, baseline : History
    """

    job: Job
    baseline_job: Job | None
    history: History
    baseline: History | None

    @property
    def complete(self) -> bool:
        """Whether both are trained to their end."""
        return self.history.complete and (self.baseline is None or self.baseline.complete)

    @property
    def progress(self) -> float:
        """Share of the work done, of the one that is further behind."""
        return min(job.progress for job in (self.job, self.baseline_job) if job is not None)


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


def advance(experiment: Experiment, baseline: Experiment | None, seconds: float = SLICE) -> Scene:
    """Give both trainings a slice of time."""
    store = jobs()
    job = store.get(experiment)
    held = None if baseline is None or baseline == experiment else store.get(baseline)
    share = seconds if held is None else seconds / 2
    return Scene(job, held, job.advance(share), None if held is None else held.advance(share))


# --- the strip ---------------------------------------------------------------------------------


def strip(scene: Scene) -> None:
    """The verdict in one sentence, and the few big figures."""
    now = facts(scene.history)
    verdict = judge(now)
    before = None if scene.baseline is None else facts(scene.baseline)
    named = matching(scene.job.experiment, scene.job.experiment if scene.baseline is None else scene.baseline.experiment)
    if named:
        st.caption(SCENARIOS[named].caption)
    word = verdict.name.capitalize()
    more = f"{start_sentence(now, _theory_factor(scene.history.experiment))} {advice(verdict, scene.history.experiment)}"
    if scene.baseline is None:
        st.header(f"{word}: {verdict.tell(now)}", anchor=False, help=_rules(verdict))
        st.markdown(more)
    else:
        st.header(compare(scene.baseline, scene.history), anchor=False, help=_rules(verdict))
        st.markdown(f"**{word}**: {verdict.tell(now)} {more}")
    _figures(scene, now, before)


def _theory_factor(experiment: Experiment) -> float | None:
    """What theory says each layer multiplies RMS dL/dz by, over the same layers as the measured factor."""
    delta = predict(experiment).typical_delta
    return None if delta is None else float((delta[0] / delta[-1]) ** (1 / experiment.depth))


def _rules(verdict: Verdict) -> str:
    lines = [f"- **{rule.name}**: {rule.caption}" for rule in VERDICTS.values()]
    return f"The rule behind “{verdict.name}”: {verdict.caption}\n\nThe first of these that holds is the verdict:\n\n" + "\n".join(lines)


def _figures(scene: Scene, now: Facts, before: Facts | None) -> None:
    theory = predict(scene.history.experiment)
    factor = _theory_factor(scene.history.experiment)
    expected = "no theory here" if factor is None else f"theory {number(factor)}"
    columns = st.columns(5, gap="small")
    cells = [
        (
            "First layer against last",
            decades(now.log_ratio),
            before and decades(before.log_ratio),
            "At the start, median over seeds: RMS dL/dz of the first layer over that of the output layer.",
        ),
        (
            f"Per layer ({expected})",
            decades(now.log_factor),
            before and decades(before.log_factor),
            "The ratio's root: the factor by which dL/dz changes per layer on its way back. "
            + (theory.typical_reason or "Theory: mean field, corrected for the layers' finite width."),
        ),
        (
            "Seeds that learn it",
            f"{now.solved} of {now.runs}",
            before and f"{before.solved} of {before.runs}",
            "Seeds whose mean squared error is below the data set's bound, "
            f"{scene.history.experiment.dataset.solved_below:g}.",
        ),
        (
            "Loss, median",
            number(now.loss_end),
            before and number(before.loss_end),
            f"At epoch {now.epoch:,}. {scene.history.experiment.loss_function.name}: {scene.history.experiment.loss_function.formula}",
        ),
        (
            "Clipped updates",
            "none" if scene.history.experiment.clip == "none" else f"{now.clipped_share:.0%}",
            before and ("none" if scene.baseline.experiment.clip == "none" else f"{before.clipped_share:.0%}"),
            "Share of all updates so far whose gradient clipping made smaller.",
        ),
    ]
    for column, (label, value, old, help_text) in zip(columns, cells, strict=True):
        column.metric(label, value, delta_description=f"from {old}" if old else None, help=help_text)


# --- the figure --------------------------------------------------------------------------------


def _theory_line(experiment: Experiment, view: View) -> np.ndarray | None:
    """log10 of the prediction for what the view shows, or None."""
    prediction: Prediction = predict(experiment)
    values = {"delta": prediction.typical_delta, "weight_gradient": prediction.weight_gradient}.get(view.diagnostic.name)
    if values is None and view.diagnostic.name == "delta":
        values = prediction.delta
    if values is None:
        return None
    logs = logarithm(values)
    return logs - logs[-1] if view.is_ratio else logs


def why_no_theory(experiment: Experiment, view: View) -> str | None:
    """Say in words why there is no theory line for what is shown; None where there is one."""
    prediction = predict(experiment)
    if view.diagnostic.name == "delta":
        return prediction.reason if prediction.delta is None else None
    if view.diagnostic.name == "weight_gradient":
        return prediction.weight_reason
    return f"there is no theory here for {view.diagnostic.title}"


def _names(scene: Scene) -> tuple[str, str]:
    if scene.baseline is None:
        return "now", ""
    after, before = scene.history.experiment, scene.baseline.experiment
    changes, originals = difference(before, after), difference(after, before)
    shorten = lambda words: ", ".join(words[:3]) + (" …" if len(words) > 3 else "")  # noqa: E731
    return f"now: {shorten(changes)}", f"baseline: {shorten(originals)}"


def figure(scene: Scene, view: View) -> Any:
    """The joint figure of a scene."""
    name, baseline_name = _names(scene)
    now = Shown(scene.history, name, _theory_line(scene.history.experiment, view))
    before = None
    if scene.baseline is not None:
        before = Shown(scene.baseline, baseline_name, _theory_line(scene.baseline.experiment, view))
    asked = None if scene.history.experiment.task == "XOR" else scene.job.answer_map()
    return explore_figure(now, before, view, view.at, asked)


def live(experiment: Experiment, baseline: Experiment | None) -> None:
    """Show everything, then train on in slices and show it again, until both trainings are complete.

    Every slice ends in a Streamlit call: there the script stops when a control
    has moved, while the jobs stay whole.
    """
    strip_place = st.container(gap="xsmall")
    view = ask_view(experiment)
    progress_place = st.empty()
    scene = advance(experiment, baseline, FIRST_SLICE)
    with strip_place:
        strip(scene)
    _joint_figure(scene, view)
    _behind(scene, view)
    painted = time.perf_counter()
    while not scene.complete:
        share = scene.progress
        progress_place.progress(share, text=f"Training: {share:.0%} of {experiment.epochs:,} epochs")
        scene = advance(experiment, baseline)
        if scene.complete or time.perf_counter() - painted > REPAINT:
            st.rerun()


def _joint_figure(scene: Scene, view: View) -> None:
    now = facts(scene.history)
    verdict = judge(now)
    live_chart(
        figure(scene, view),
        key="joint_figure",
        alt=f"{verdict.name.capitalize()}: {verdict.tell(now)} {summary(scene.history.experiment)}",
        keep=f"{view.axis} {view.metric} {scene.history.experiment.epochs}",
        config=CHART | {"toImageButtonOptions": _image(scene)},
        on_epoch=lambda epoch: _choose_epoch(scene.history.experiment, epoch),
    )


def _choose_epoch(experiment: Experiment, epoch: float) -> None:
    """Move the epoch's slider to the recorded epoch nearest a click."""
    epochs = record_epochs(experiment.epochs)
    st.session_state["at"] = int(epochs[np.abs(epochs - epoch).argmin()])


def _image(scene: Scene) -> dict[str, Any]:
    return {"format": "png", "filename": filename(scene.history.experiment), "width": 1920, "height": 1080, "scale": 1}


def filename(experiment: Experiment) -> str:
    """A telling name for a downloaded file, without its ending."""
    changed = experiment.settings(changed_only=True)
    words = [f"{name}-{value}" for name, value in changed.items()] or ["opening-example"]
    return "gradients_" + "_".join(words).replace(" ", "-").replace(".", "p")[:120]


# --- behind the figure -------------------------------------------------------------------------


def _behind(scene: Scene, view: View) -> None:
    """What stands below the figure: why there is no theory, export, and the tabs."""
    experiment, now = scene.history.experiment, facts(scene.history)
    reason = why_no_theory(experiment, view)
    if reason:
        st.caption(f"No theory line: {reason.rstrip('.')}.")
    title = f"{judge(now).name.capitalize()}: {judge(now).tell(now)}"
    if scene.baseline is not None:
        title = compare(scene.baseline, scene.history)
    share_buttons(title, summary(experiment), filename(experiment), SCHEMA)
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
        f"left is a gradient ten times smaller. Epoch {int(scene.history.epochs[record]):,}, mean over {why.seeds} seeds."
    )
    st.plotly_chart(why_figure(why), key="why", config=CHART, alt="What multiplies the gradient at each layer, in decades")


def _reading(view: View) -> None:
    diagnostic = view.diagnostic
    source = f" ({diagnostic.source})" if diagnostic.source else ""
    st.markdown(f"**{diagnostic.title}**: {diagnostic.caption}{source}")
    st.markdown(
        "- **Heatmap**: rows are layers, 1 nearest the input; columns are epochs. The colour is the median over seeds.\n"
        "- **Profile**, right: the same numbers at the chosen epoch, on the same layers; its axis is the colour bar. "
        "The band holds the middle half of the seeds. Dotted: before any update. Dashed: mean-field theory.\n"
        "- **Loss**, above: thick the median, thin every seed.\n"
        "- Grey means exactly 0, vermilion infinite or NaN: neither is a colour of the scale. Triangles lie beyond it.\n"
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
