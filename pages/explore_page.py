"""Explore: train one network, see its gradients by layer and epoch, flip a remedy."""

from typing import Any

import numpy as np
import streamlit as st

from explorer.choices.experiment import Experiment
from explorer.diagnosis.comparison import compare
from explorer.diagnosis.diagnose import Diagnosis
from explorer.diagnosis.verdict import VERDICTS, Verdict
from explorer.diagnosis.why import Why, layer_table
from explorer.diagnosis.wording import decades, number, summary
from explorer.figures.describe import describe_why
from explorer.figures.explore import why_figure
from explorer.figures.view import VIEW_CONTROLS, View
from explorer.sharing.code import explore_table
from explorer.sharing.notebook import explore_lines
from explorer.sharing.saved import filename, history_csv
from explorer.stories.scenarios import SCENARIOS, matching
from explorer.training.cost import refuse
from explorer.training.history import record_epochs
from explorer.ui.compared import Scene
from explorer.ui.joint import CHART, alt_text, figure, joint_figure
from explorer.ui.sidebar import chosen
from explorer.ui.take_away import Drawn, Parcel, show_code, take_away
from explorer.ui.training_loop import Trainings, work_on
from explorer.ui.welcome import EXPLORE, welcome, what_do_i_see
from explorer.ui.widgets import ask

FIGURE_WIDTH = 160  # pixels: five fit a laptop, two a phone


def strip(scene: Scene) -> None:
    """Draw the strip; with a baseline, its headline is the difference."""
    now, before = scene.now, scene.before
    named = matching(scene.history.experiment, scene.pinned)
    if named:
        st.caption(SCENARIOS[named].caption)
    more = f"{now.start_sentence} {now.advice_sentence}"
    if before is None:
        st.header(now.sentence, anchor=False, help=_rules(now.rule))
        st.markdown(more)
    else:
        st.header(compare(before.facts, now.facts), anchor=False, help=_rules(now.rule))
        st.markdown(f"**{now.sentence}** {more}")
    _draw_figures(scene)


def _draw_figures(scene: Scene) -> None:
    """The big figures in a row, which wraps on a phone; clipping only where one of the two clips."""
    before = None if scene.before is None else _figures(scene.before)
    clips = any(experiment.clip != "none" for experiment in (scene.history.experiment, scene.pinned))
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        for number_of, (label, value, meaning) in enumerate(_figures(scene.now)[: 5 if clips else 4]):
            old = f"from {before[number_of][1]}" if before else None
            st.metric(label, value, delta_description=old, help=meaning, width=FIGURE_WIDTH)
        what_do_i_see(EXPLORE)


def _rules(verdict: Verdict) -> str:
    lines = [f"- **{rule.name}**: {rule.caption}" for rule in VERDICTS.values()]
    return (
        f"The rule behind “{verdict.name}”: {verdict.caption}\n\nThe first of these that holds is the verdict:\n\n"
        + "\n".join(lines)
    )


def _clipped(experiment: Experiment, share: float) -> str:
    if experiment.clip == "none":
        return "none"
    return "none yet" if np.isnan(share) else f"{share:.0%}"


def _figures(diagnosis: Diagnosis) -> list[tuple[str, str, str]]:
    """The few big figures of a history: label, value, meaning."""
    experiment, found = diagnosis.history.experiment, diagnosis.facts
    factor, no_theory = diagnosis.theory_factor, diagnosis.theory.typical_reason
    expected = "no theory here" if factor is None else f"theory {number(factor)}"
    loss = experiment.loss_function
    return [
        (
            "First layer against last",
            decades(found.log_ratio),
            "At the start, median over seeds: RMS dL/dz of the first layer over that of the output layer.",
        ),
        (
            f"Per layer ({expected})",
            decades(found.log_factor),
            "The ratio's root: the factor by which dL/dz changes per layer on its way back, the output's step included. "
            + (no_theory or "Theory: mean field for a typical seed, corrected for the layers' finite width."),
        ),
        (
            "Seeds that learn it",
            f"{found.solved} of {found.runs}",
            f"Seeds whose mean squared error is below the data set's bound, {experiment.dataset.solved_below:g}.",
        ),
        (
            "Loss, median",
            number(found.loss_end),
            f"At epoch {found.epoch:,}; a seed that is not finite counts as the largest. {loss.name.capitalize()}: {loss.formula}",
        ),
        (
            "Clipped updates",
            _clipped(experiment, found.clipped_share),
            "Share of all updates so far whose gradient clipping made smaller.",
        ),
    ]


# --- Behind the figure: why there is no theory, what can be taken away, its code, and the tabs ---


def behind(scene: Scene, view: View) -> None:
    """What stands below the figure: why there is no theory, what can be taken away, its code, and the tabs."""
    experiment = scene.history.experiment
    if np.isnan(scene.history.measures[view.diagnostic.name][:, 0]).all():
        st.caption(f"Nothing to show: {view.metric} is not defined for {experiment.activation} in this net.")
    elif note := scene.now.theory.note(view.diagnostic):
        st.caption(note)
    why = scene.now.why(view.at)
    take_away(_parcel(scene, view, why))
    show_code(explore_table(experiment, view, scene.now.rule))
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
    word = scene.now.sentence
    tables = {"History": lambda: history_csv(history)}
    if baseline is not None:
        tables["Baseline, its history"] = lambda: history_csv(baseline)
    return Parcel(
        title=word if scene.before is None else compare(scene.before.facts, scene.now.facts),
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


# --- Explore: the view's controls, and the loop that trains in slices and shows what is there ---


# The first picture comes before anything else has been trained.
FIRST_SLICE, SLICE = 0.04, 0.1
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
    """Show everything, then train on in slices and show it again, until both trainings are complete."""
    welcome()
    strip_place = st.container(gap="xsmall")
    view = ask_view(experiment)
    progress_place = st.empty()
    compared = [experiment] if baseline is None or baseline == experiment else [experiment, baseline]
    trainings = Trainings(compared, progress_place, f"Training {experiment.epochs:,} epochs")
    histories = trainings.train(FIRST_SLICE)
    if len(compared) == 1:
        scene = Scene(trainings.jobs[0], None, histories[0], None)
    else:
        scene = Scene(trainings.jobs[0], trainings.jobs[1], histories[0], histories[1])
    with strip_place:
        strip(scene)
    joint_figure(scene, view)
    behind(scene, view)
    work_on(trainings, SLICE, REPAINT)


def page() -> None:
    """Draw Explore, or say what is in the way."""
    experiment, baseline = chosen()
    refusal = refuse(experiment)
    if refusal:
        st.warning(refusal, icon=":material/hourglass_disabled:")
        st.stop()
    if baseline is not None and refuse(baseline):
        st.warning(f"The baseline is not trained. {refuse(baseline)}", icon=":material/hourglass_disabled:")
        baseline = None
    live(experiment, baseline)


if __name__ == "__main__":
    page()
