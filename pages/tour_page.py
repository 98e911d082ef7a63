"""Tour: the whole story in scenes, each a question to the room, an answer and a live figure."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.choices.controls import Choice
from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.settings import Settings
from explorer.diagnosis.wording import compared_summary, summary
from explorer.figures.view import TimeView, View
from explorer.sharing.notebook import experiments_lines, time_lines
from explorer.sharing.saved import filename, histories_csv
from explorer.stories.scene import BY_DEPTH, Scene
from explorer.stories.tour import ANSWER, PRESENTER, QUESTION, SCENES, TOUR_CONTROLS, TourView, play_key
from explorer.training import cost, recurrent_cost
from explorer.training.history import History
from explorer.ui.jobs import Job, jobs
from explorer.ui.joint import CHART
from explorer.ui.live_chart import live_chart, load_plotly
from explorer.ui.look import dress
from explorer.ui.sidebar import open_in_explore, open_in_time
from explorer.ui.take_away import Drawn, Parcel, take_away
from explorer.ui.tour_figures import draw, says
from explorer.ui.training_loop import Trainings, work_on
from explorer.ui.widgets import ask

FIRST_SLICE, SLICE = 0.05, 0.15
# Seconds between two repaints of a running training.
REPAINT = 0.8
GUESS_KEY = "_tour_guess"


def show() -> None:
    """Draw the scene that the link names: its question, or question, answer and figure."""
    body, foot = st.container(horizontal_alignment="center"), st.container(key="tour_foot")
    below = st.container(key="tour_below")
    with foot:
        view = _ask()
        load_plotly()  # while the room still thinks
    dress(present=view.present == PRESENTER)
    scene = SCENES[view.number - 1]
    # Each has a place of its own: what is left of the other would stand there as long as this one trains.
    with body:
        if view.revealed == ANSWER:
            st.empty()
            _revealed(scene, view, below)
        else:
            _question(scene, view)
            st.empty()
            _prepare(scene)


# --- from scene to scene ------------------------------------------------------------------------


def _ask() -> TourView:
    """Draw the row at the bottom: back, the scenes by number, next, and what is shown."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", horizontal_alignment="center"):
        back, numbers, onward = (st.container(width="content") for _ in range(3))
        control = TOUR_CONTROLS["scene"]
        assert isinstance(control, Choice)
        with numbers:
            scene = st.segmented_control(
                control.label,
                list(control.options),
                default=str(control.default),
                required=True,
                key="scene",
                bind="query-params",
                on_change=_hide,
                label_visibility="collapsed",
                help=control.help,
            )
        rest = {name: ask(name, TOUR_CONTROLS[name], label_visibility="collapsed") for name in ("revealed", "present")}
        view = TourView(scene=scene or control.default, **rest)
        _step(back, "Back", "Left", view.number - 1)
        _step(onward, "Next", "Right", view.number + 1)
    return view


def _step(place: Any, label: str, key: str, to: int) -> None:
    place.button(
        label,
        key=f"tour_{label.lower()}",
        shortcut=key,
        disabled=not 1 <= to <= len(SCENES),
        on_click=_go,
        args=(to,),
    )


def _go(to: int) -> None:
    st.session_state["scene"] = str(to)
    _hide()


def _hide() -> None:
    st.session_state["revealed"] = QUESTION


def _reveal() -> None:
    st.session_state["revealed"] = ANSWER


# --- the question -------------------------------------------------------------------------------


def _guesses() -> dict[str, int]:
    """What was predicted in this visit, by scene."""
    return st.session_state.setdefault(GUESS_KEY, {})


def _question(scene: Scene, view: TourView) -> None:
    """The question alone, large, with the answers to choose from."""
    guess = _guesses().get(scene.name)
    with st.container(key="tour_question", width=1200, gap="medium"):
        st.caption(f"Scene {view.number} of {len(SCENES)}")
        st.title(scene.name, anchor=False)
        st.markdown(_unbroken(scene.caption))
        st.header(_unbroken(scene.question), anchor=False)
        with st.container(gap="small"):
            for index, answer in enumerate(scene.answers):
                st.button(
                    answer.text,
                    key=f"tour_answer_{index}",
                    icon=":material/radio_button_checked:" if index == guess else ":material/radio_button_unchecked:",
                    shortcut=str(index + 1),
                    width="stretch",
                    on_click=_guess,
                    args=(scene.name, index),
                )
        st.button("Show the answer", key="tour_reveal", type="primary", shortcut="Space", on_click=_reveal)


def _prepare(scene: Scene) -> None:
    """Measure the start while the room still thinks, and throw the figure away: the reveal then shows it at once."""
    held = jobs().together(scene.experiments())
    draw(scene, held, jobs().advance(held, 0.0))


def _guess(name: str, index: int) -> None:
    _guesses()[name] = index


# --- the answer ---------------------------------------------------------------------------------


def _revealed(scene: Scene, view: TourView, below: Any) -> None:
    """Words on the left, the figure on the right, what can be taken away below; it trains on until it is complete."""
    words, picture = st.columns([1, 2.1], gap="medium")
    with words, st.container(key="tour_words", gap="small"):
        _answer(scene, view)
        played = _play(scene, view.number)
        measured, progress = st.empty(), st.empty()
        scene = scene.as_played(played)
        _open(scene)
    experiments = scene.experiments()
    problem = _refuse(experiments)
    if problem:
        picture.warning(problem, icon=":material/hourglass_disabled:")
        return
    trainings = Trainings(experiments, progress if scene.trains else None)
    held, histories = trainings.jobs, trainings.train(FIRST_SLICE if scene.trains else 0.0)
    measured.markdown(_unbroken(f"On screen: {scene.tell(histories)}."))
    with picture:
        keep = f"{view.number} {sorted(played.items())}"
        _figure(scene, view, keep, held, histories)
    if view.present != PRESENTER:
        with below:
            take_away(_parcel(scene, view, held, histories))
    if scene.trains:
        work_on(trainings, SLICE, REPAINT)


def _answer(scene: Scene, view: TourView) -> None:
    """Which answer was right, what was predicted, and the sentence to take home."""
    st.caption(f"Scene {view.number} of {len(SCENES)}: {scene.name}")
    st.markdown(_unbroken(scene.question))
    st.header(scene.answers[scene.right].text, anchor=False)
    guess = _guesses().get(scene.name)
    if guess is not None:
        st.markdown(
            "As you predicted." if guess == scene.right else f"You predicted: {_lowered(scene.answers[guess].text)}."
        )
    with st.container(key="tour_take_home", border=True):
        st.markdown(_unbroken(scene.take_home))
        st.caption(scene.source)


def _unbroken(text: str) -> str:
    """Keep a number with a power of ten on one line."""
    return text.replace(" × ", "\u00a0×\u00a0")


def _lowered(text: str) -> str:
    return text if text[:2].isupper() else f"{text[0].lower()}{text[1:]}"


def _play(scene: Scene, number: int) -> dict[str, Any]:
    with st.container(key="tour_play", gap="xsmall"):
        return {name: ask(play_key(number, name), control) for name, control in scene.controls.items()}


def _refuse(experiments: Sequence[Settings]) -> str | None:
    """Say why these are not trained; None if they are."""
    layers = [each for each in experiments if isinstance(each, Experiment)]
    through_time = [each for each in experiments if isinstance(each, RecurrentExperiment)]
    return cost.refuse_all(layers) or recurrent_cost.refuse_all(through_time)


def _open(scene: Scene) -> None:
    """Offer what the scene is about on the page for its kind: held against its first experiment, or beside the same."""
    experiment, baseline, view = scene.experiment, scene.shown[0][1], scene.view

    def go() -> None:
        if isinstance(experiment, RecurrentExperiment) and isinstance(view, TimeView):
            open_in_time(experiment, view.compare)
        elif isinstance(experiment, Experiment) and isinstance(baseline, Experiment):
            open_in_explore(experiment, None if baseline == experiment else baseline)

    st.button(f"Open in {'Time' if isinstance(view, TimeView) else 'Explore'}", key="tour_open", on_click=go)


def _figure(scene: Scene, view: TourView, keep: str, held: Sequence[Job], histories: Sequence[History]) -> None:
    live_chart(
        draw(scene, held, histories),
        key="tour_figure",
        alt=says(scene, held, histories),
        keep=keep,
        config=CHART,
        on_click=lambda click: None,
        above=140 if view.present == PRESENTER else 240,
    )


def _parcel(scene: Scene, view: TourView, held: Sequence[Job], histories: Sequence[History]) -> Parcel:
    """What a scene gives away."""
    if scene.figure == BY_DEPTH:
        named = {f"depth {job.experiment.depth}": job.experiment for job in held}
    else:
        named = dict(scene.shown)
    about = scene.experiment
    kept = dict(zip(named, histories, strict=True))
    return Parcel(
        title=scene.take_home,
        sentences=[scene.caption, scene.question, f"{scene.answers[scene.right].text}. ({scene.source})"],
        settings=[_settings(scene)],
        filename=f"tour-{view.number}_{filename(about)}",
        figures=[
            Drawn("tour_figure", scene.name, lambda: draw(scene, held, histories), says(scene, held, histories)),
        ],
        tables={"History": lambda: histories_csv(kept)},
        experiment=about,
        baseline=None if isinstance(scene.view, TimeView) else scene.shown[0][1],
        lines=_lines(named, scene.view),
    )


def _settings(scene: Scene) -> str:
    about = scene.experiment
    if isinstance(about, Experiment):
        return summary(about)
    return compared_summary([each for _, each in scene.shown if isinstance(each, RecurrentExperiment)])


def _lines(named: Mapping[str, Settings], view: View) -> str:
    if isinstance(view, TimeView):
        return time_lines({name: each for name, each in named.items() if isinstance(each, RecurrentExperiment)}, view)
    return experiments_lines({name: each for name, each in named.items() if isinstance(each, Experiment)})


if __name__ == "__main__":
    show()
