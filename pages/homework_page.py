"""Homework: challenges that the engine checks, and the answer to hand in."""

from functools import partial
from typing import Any

import streamlit as st

from explorer.choices.comparisons import with_baseline
from explorer.choices.settings import Settings
from explorer.diagnosis.comparison import Compared
from explorer.diagnosis.wording import sentence, summary
from explorer.sharing.answers import LONGEST_NAME, answer_json
from explorer.sharing.notebook import challenge_lines
from explorer.sharing.saved import filename, histories_csv
from explorer.stories.challenges import (
    ADDRESSES,
    BY_ADDRESS,
    CHALLENGE_CONTROLS,
    CHALLENGE_KEY,
    CHALLENGES,
    Challenge,
    Judgment,
    change_key,
)
from explorer.training.answers import answer_map
from explorer.training.cost import refuse_all
from explorer.training.kinds import kind_of
from explorer.ui.ahead import trained
from explorer.ui.between_pages import set_values
from explorer.ui.keys import keys_of
from explorer.ui.live_chart import Drawn, live_chart
from explorer.ui.look import THUMBS, hidden
from explorer.ui.page import Page
from explorer.ui.sidebar import open_experiment
from explorer.ui.take_away import Parcel, take_away
from explorer.ui.training_loop import Trainings, work_on
from explorer.ui.widgets import ask

FIRST_SLICE, SLICE, REPAINT = 0.05, 0.15, 0.8
# The addresses of the challenges that were solved in this visit, and what a student calls themselves.
SOLVED_KEY, NAME_KEY = "_homework_solved", "_homework_name"
SOLVED, OPEN = ":material/check_circle:", ":material/radio_button_unchecked:"
LARGE = (
    f"<style>{THUMBS}"
    + """
.st-key-homework_words :is(p, input) { font-size: clamp(1rem, 1vw, 1.4rem); line-height: 1.42; }
.st-key-homework_words h2 { font-size: clamp(1.4rem, 1.7vw, 2.4rem); padding: 0; }
.st-key-homework_words [data-testid=stCaptionContainer] p { font-size: clamp(.9rem, .9vw, 1.2rem); }
.st-key-homework_list button { min-height: 2rem; padding: .1rem .3rem; }
.st-key-homework_list [class*=st-key-homework_here] button { color: var(--st-primary-color); }
.st-key-homework_list [class*=st-key-homework_here] p { font-weight: 700; }
</style>"""
)


def show() -> None:
    """Draw the list of challenges, and the chosen one: its task, what may be changed, its nets, and whether it is solved."""
    st.html(LARGE)
    with hidden("challenge"):
        challenge = BY_ADDRESS[ask(CHALLENGE_KEY, CHALLENGE_CONTROLS[CHALLENGE_KEY])]
    place = st.container(key="homework_list", horizontal=True, gap="xsmall", vertical_alignment="center")
    left, picture = st.columns([1, 2.1], gap="medium")
    words = left.container(key="homework_words", gap="small")
    with words:
        _task(challenge)
        experiment = challenge.start.but(**_changes(challenge))
    experiments = with_baseline(experiment, challenge.start)
    problem = challenge.objection(experiment) or refuse_all(list(experiments.values()))
    if problem:
        with words:
            _judgment(challenge, experiment, Judgment(False, problem))
        _list(place, challenge)
        return
    trainings = Trainings(list(experiments.values()))
    compared = Compared.of(experiments, trainings.train(FIRST_SLICE))
    judgment, figure = challenge.judge(compared.now), _figure(challenge, trainings, compared)
    if judgment.solved:
        _solved().add(challenge.address)
    with words:
        _judgment(challenge, experiment, judgment)
    _list(place, challenge)
    with picture:
        live_chart(figure, keep=f"{challenge.address} {experiment}", above=290)
        if len(experiments) > 1:
            st.caption("Baseline: the start. Now: your net.")
        trainings.place = st.empty()
        trainings.show_progress()
    take_away(_parcel(challenge, judgment, compared, figure), more=partial(_open, challenge, experiment))
    work_on(trainings, SLICE, REPAINT)


def _solved() -> set[str]:
    return st.session_state.setdefault(SOLVED_KEY, set())


def _list(place: Any, chosen: Challenge) -> None:
    """Draw all challenges with what became of them in this visit."""
    with place:
        st.caption(f"Solved in this visit: {len(_solved())} of {len(CHALLENGES)}", width="content")
        for number, challenge in enumerate(CHALLENGES.values(), start=1):
            here = "here" if challenge is chosen else "to"
            st.button(
                f"{number}. {challenge.name}",
                key=f"homework_{here}_{number}",
                icon=SOLVED if challenge.address in _solved() else OPEN,
                type="tertiary",
                on_click=set_values,
                args=({CHALLENGE_KEY: challenge.address},),
            )


def _task(challenge: Challenge) -> None:
    """Draw the title, the task and the rule."""
    st.caption(f"Challenge {ADDRESSES.index(challenge.address) + 1} of {len(CHALLENGES)}")
    st.header(challenge.name, anchor=False)
    st.markdown(challenge.caption)
    st.markdown(f"**Solved when** {challenge.rule.words}.")


def _changes(challenge: Challenge) -> dict[str, Any]:
    """Draw the controls of what may be changed, two in a row, and return what they hold."""
    held: dict[str, Any] = {}
    controls = list(challenge.controls.items())
    beside = 2 if len(controls) > 1 else 1
    with st.container(key="homework_changes", gap="xsmall"):
        for first in range(0, len(controls), beside):
            with st.container(horizontal=beside > 1, gap="small"):
                for name, control in controls[first : first + beside]:
                    idle = name in challenge.start.but(**held).without_effect()
                    held[name] = ask(change_key(challenge, name), control, disabled=idle)
    return held


def _judgment(challenge: Challenge, experiment: Settings, judgment: Judgment) -> None:
    """Say whether it is solved, and why; then what it teaches, or a hint."""
    told = sentence(judgment.sentence)
    with st.container(key="homework_judgment", gap="small"):
        if not judgment.solved:
            word = "Not solved" if challenge.changed(experiment) else "The start"
            st.info(f"**{word}.** {told}", icon=OPEN)
            with st.expander("A hint", key=f"homework_hint_{challenge.address}"):
                st.markdown(challenge.hint)
            return
        st.success(f"**Solved.** {told}", icon=SOLVED)
        st.markdown(challenge.lesson)
        st.caption(challenge.source)
        # Streamlit forgets a widget while it is not drawn.
        st.session_state[NAME_KEY] = st.session_state.get(NAME_KEY, "")
        st.text_input(
            "Your name (optional; saved in the answer's file)",
            key=NAME_KEY,
            max_chars=LONGEST_NAME,
            help="It stands in the answer’s file, and nowhere else.",
        )
        st.markdown("To hand in: **Share**, then **Answer (JSON)**, or the link.")


def _figure(challenge: Challenge, trainings: Trainings, compared: Compared) -> Drawn:
    with_answers = challenge.figure.has_answers and not challenge.start.dataset.truth_table
    answers = trainings.jobs[-1].ask(answer_map) if with_answers else None
    return Drawn(
        "homework_figure",
        challenge.name,
        lambda: challenge.figure.draw(challenge, compared, answers),
        challenge.figure.describe(challenge, compared),
    )


def _open(challenge: Challenge, experiment: Settings) -> None:
    """Offer the present setting on the page of its kind, held against the start."""
    baseline = None if experiment == challenge.start else challenge.start
    st.button(
        f"Open in {keys_of(kind_of(experiment)).home}",
        key="homework_open",
        on_click=lambda: open_experiment(experiment, baseline, challenge.compare),
    )


def _parcel(challenge: Challenge, judgment: Judgment, compared: Compared, figure: Drawn) -> Parcel:
    """Collect what can be downloaded: once it is solved, the answer in place of the experiment."""
    experiment = compared.now.history.experiment
    number = ADDRESSES.index(challenge.address) + 1

    def answer() -> str:
        # A click that asks for it ends the typing of a name: that is read then, not before.
        return answer_json(challenge, experiment, st.session_state.get(NAME_KEY, ""))

    return Parcel(
        title=f"{challenge.name}: {'' if judgment.solved else 'not '}solved",
        sentences=lambda: [challenge.caption, f"Solved when {challenge.rule.words}.", f"{judgment.sentence}."],
        settings=[summary(experiment)],
        filename=f"homework-{number}_{filename(experiment)}",
        figures=[figure],
        tables={"History": lambda: histories_csv(compared.histories)},
        experiment=experiment,
        baseline=challenge.start,
        answer=answer if judgment.solved else None,
        lines=challenge_lines(challenge, experiment),
    )


PAGE = Page(
    title="Homework",
    path="homework",
    show=show,
    controls=CHALLENGE_CONTROLS,
    ahead=lambda: (trained([challenge.start]) for challenge in CHALLENGES.values()),
)
