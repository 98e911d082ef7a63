"""The strip: the verdict in one sentence, and the few big figures."""

import math

import streamlit as st

from explorer.experiment import Experiment
from explorer.facts import facts
from explorer.history import History
from explorer.scenarios import SCENARIOS, matching
from explorer.theory import log_factor, predict
from explorer.ui.scene import Scene
from explorer.ui.welcome import EXPLORE, what_do_i_see
from explorer.verdict import VERDICTS, Verdict, advice, compare, judge, sentence, start_sentence
from explorer.wording import decades, number

FIGURE_WIDTH = 160  # pixels: five fit a laptop, two a phone


def strip(scene: Scene) -> None:
    """Draw the strip; with a baseline, its headline is the difference."""
    experiment, now = scene.history.experiment, facts(scene.history)
    verdict = judge(now)
    named = matching(experiment, scene.pinned)
    if named:
        st.caption(SCENARIOS[named].caption)
    word = sentence(now)
    more = f"{start_sentence(now, _theory_factor(experiment))} {advice(verdict, experiment)}"
    if scene.baseline is None:
        st.header(word, anchor=False, help=_rules(verdict))
        st.markdown(more)
    else:
        st.header(compare(scene.baseline, scene.history), anchor=False, help=_rules(verdict))
        st.markdown(f"**{word}** {more}")
    _draw_figures(scene)


def _draw_figures(scene: Scene) -> None:
    """The big figures in a row, which wraps on a phone; clipping only where one of the two clips."""
    before = None if scene.baseline is None else _figures(scene.baseline)
    clips = any(experiment.clip != "none" for experiment in (scene.history.experiment, scene.pinned))
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        for number_of, (label, value, meaning) in enumerate(_figures(scene.history)[: 5 if clips else 4]):
            old = f"from {before[number_of][1]}" if before else None
            st.metric(label, value, delta_description=old, help=meaning, width=FIGURE_WIDTH)
        what_do_i_see(EXPLORE)


def _theory_factor(experiment: Experiment) -> float | None:
    """What theory says each layer multiplies RMS dL/dz by, over the same layers as the measured factor."""
    log = log_factor(experiment)
    return None if math.isnan(log) else 10.0**log


def _rules(verdict: Verdict) -> str:
    lines = [f"- **{rule.name}**: {rule.caption}" for rule in VERDICTS.values()]
    return (
        f"The rule behind “{verdict.name}”: {verdict.caption}\n\nThe first of these that holds is the verdict:\n\n"
        + "\n".join(lines)
    )


def _clipped(experiment: Experiment, share: float) -> str:
    if experiment.clip == "none":
        return "none"
    return "none yet" if math.isnan(share) else f"{share:.0%}"


def _figures(history: History) -> list[tuple[str, str, str]]:
    """The few big figures of a history: label, value, meaning."""
    experiment, found = history.experiment, facts(history)
    factor = _theory_factor(experiment)
    expected = "no theory here" if factor is None else f"theory {number(factor)}"
    no_theory = predict(experiment).typical_reason
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
