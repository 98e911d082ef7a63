"""Tour: the whole story in scenes, each a question to the room, an answer and a live figure."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import streamlit as st

from explorer.choices.comparisons import COMPARISONS
from explorer.choices.settings import Settings
from explorer.diagnosis.comparison import Compared
from explorer.sharing.notebook import scene_lines
from explorer.sharing.saved import filename, histories_csv, table_csv
from explorer.stories.plan import PLAN_CONTROLS, Plan
from explorer.stories.references import cited
from explorer.stories.scene import Scene
from explorer.stories.scene_figures import LENS, looked_at
from explorer.stories.tour import (
    ANSWER,
    BY_ADDRESS,
    CHAPTERS,
    PLAY_CONTROLS,
    QUESTION,
    RECAP,
    SCENES,
    TOUR_CONTROLS,
    TourView,
    chapter_of,
    named,
    play_key,
)
from explorer.theory.products import product_rows
from explorer.training.answers import answer_map
from explorer.training.cost import refuse_all
from explorer.training.kinds import kind_of
from explorer.ui.ahead import trained
from explorer.ui.between_pages import set_values
from explorer.ui.keys import keys_of
from explorer.ui.lecture import (
    BARS,
    ask_again,
    draw_room,
    keep_room,
    lecture_menu,
    present_plan,
    present_room,
    presenting,
    tell_speaker,
    votes_bars,
)
from explorer.ui.live_chart import Drawn, live_chart
from explorer.ui.look import UNSEEN_KEY, apply_style
from explorer.ui.page import Page
from explorer.ui.sidebar import open_experiment
from explorer.ui.take_away import Parcel, hand_out, take_away
from explorer.ui.training_loop import Trainings, work_on
from explorer.ui.widgets import ask
from pages.explore_page import open_lens

FIRST_SLICE, SLICE = 0.05, 0.15
# Seconds between two repaints of a running training.
REPAINT = 0.8
GUESS_KEY = "_tour_guess"
# Pixels of the window that a figure leaves for what is above and below it; of 1080 in a lecture room for the row below it, and
# for progress.
ABOVE, FOOT, PROGRESS = 244, 92, 60


def show() -> None:
    """Draw the scene that the link names, its question, or question, answer and figure; or what to remember of all."""
    body, foot = st.container(horizontal_alignment="center"), st.container(key="tour_foot")
    below, unseen = st.container(key="tour_below"), st.container(key=UNSEEN_KEY)
    with unseen:
        keep_room()
        plan = present_plan()
    with foot:
        view = _ask(plan)
    scene = BY_ADDRESS.get(view.scene)
    if (room := present_room()) is not None:
        room.present(scene, revealed=view.revealed == ANSWER)
    with unseen:
        tell_speaker(plan, scene, revealed=view.revealed == ANSWER)
        apply_style()
    # Each has a place of its own: otherwise the rest of the one would stay on screen while the other trains.
    with body:
        if scene is None:
            _recap(plan)
            return
        st.empty()
        if view.revealed == ANSWER:
            st.empty()
            _revealed(scene, view, plan, below)
        else:
            asked = st.container(horizontal_alignment="center")
            st.empty()
            with asked:
                _question(scene, view, plan)


# --- from scene to scene ------------------------------------------------------------------------


def _ask(plan: Plan) -> TourView:
    """Draw the row at the bottom: back, a dot for each scene, next, what is shown, and the lecturer's menu."""
    places = _places(plan)
    control = replace(TOUR_CONTROLS["scene"], default=places[0])
    with st.container(horizontal=True, gap="small", vertical_alignment="center", horizontal_alignment="center"):
        back, numbers, onward = (st.container(width="content") for _ in range(3))
        with numbers:
            st.html(_gaps(plan))
            scene = ask("scene", control, options=places, in_a_row=True, on_change=_hide, label_visibility="collapsed")
        shown = ask("revealed", TOUR_CONTROLS["revealed"], label_visibility="collapsed", disabled=scene == RECAP)
        lecture_menu()
        at = places.index(scene)
        _step(back, "Back", "Left", places[at - 1] if at else None)
        _step(onward, "Next", "Right", places[at + 1] if at + 1 < len(places) else None)
    return TourView(scene=scene, revealed=shown)


def _places(plan: Plan) -> list[str]:
    """Return the plan's scenes, one beside it that the link asks for, and at the end what to remember."""
    places = [scene.address for scene in plan.scenes]
    asked = st.session_state.get("scene", st.query_params.get("scene"))
    beside = [asked] if asked not in places and str(asked) in BY_ADDRESS else []
    return [*places, *beside, RECAP]


def _gaps(plan: Plan) -> str:
    """Return the style of the row: a gap before each chapter, and before what to remember."""
    chapters = [chapter_of(scene).name for scene in plan.scenes]
    starts = [place + 1 for place, (one, next_) in enumerate(pairwise(chapters), start=1) if one != next_]
    rules = (
        f".st-key-scene [role=radio]:nth-child({start}) {{ margin-left: clamp(.5rem, .9vw, 1.1rem); }}"
        for start in (*starts, len(chapters) + 1)
    )
    return f"<style>{' '.join(rules)}</style>"


def _step(place: Any, label: str, key: str, to: str | None) -> None:
    place.button(
        label,
        key=f"tour_{label.lower()}",
        shortcut=key,
        disabled=to is None,
        on_click=_go,
        args=(to,),
    )


def _go(to: str) -> None:
    set_values({"scene": to, "revealed": QUESTION})


def _hide() -> None:
    set_values({"revealed": QUESTION})


def _reveal() -> None:
    set_values({"revealed": ANSWER})


def _where(scene: Scene, plan: Plan) -> str:
    place = f" · scene {plan.scenes.index(scene) + 1} of {len(plan.scenes)}" if scene in plan.scenes else ""
    return f"{chapter_of(scene).name}{place}"


# --- the question -------------------------------------------------------------------------------


def _guesses() -> dict[str, int]:
    """Return the answers that the viewer predicted in this visit, by scene."""
    return st.session_state.setdefault(GUESS_KEY, {})


def _question(scene: Scene, view: TourView, plan: Plan) -> None:
    """Draw the question in large type, with the answers to choose from.

    Beside it stands the room, where there is one, else the net as it was before, where the scene changes one.
    """
    room = present_room()
    known = scene.before if room is None else None
    if room is not None:
        words, beside = st.columns([3.4, 1], gap="medium", vertical_alignment="center")
        with beside:
            draw_room(room, key="room_beside")
            ask_again(room)
    elif known is not None:
        with st.container(key="tour_beside"):
            words, beside = st.columns([1, 1.7], gap="medium", vertical_alignment="top" if presenting() else "center")
    else:
        words = st.container(horizontal_alignment="center")
    with words:
        _ask_the_room(scene, plan)
    if known is not None:
        trainings = Trainings(list(known.experiments.values()))
        _, figure = _measure(known, trainings, FIRST_SLICE if known.figure.trains else 0.0, "tour_before")
        with beside:
            _chart(known, view, figure, trainings, keep=f"{scene.address} before")
        if known.figure.trains:
            work_on(trainings, SLICE, REPAINT)
    _prepare(scene)


def _ask_the_room(scene: Scene, plan: Plan) -> None:
    guess = _guesses().get(scene.name)
    with st.container(key="tour_question", width=1200, gap="medium"):
        st.caption(_where(scene, plan))
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
    """Measure the start before the answer is asked for, so that its figure then appears at once."""
    _figure(scene, 0.0).make()


def _figure(scene: Scene, seconds: float) -> Drawn:
    """Return a scene's figure after some seconds of training, at most."""
    return _measure(scene, Trainings(list(scene.experiments.values())), seconds)[1]


def _guess(name: str, index: int) -> None:
    _guesses()[name] = index


# --- the answer ---------------------------------------------------------------------------------


def _revealed(scene: Scene, view: TourView, plan: Plan, below: Any) -> None:
    """Words on the left, the figure on the right, what can be taken away below; it trains on until it is complete."""
    left, picture = st.columns([1, 2.1], gap="medium")
    words = left.container(key="tour_words", gap="small")
    with words:
        _answer(scene, plan)
        played = _play(scene)
    scene = scene.as_played(played)
    experiments = list(scene.experiments.values())
    problem = refuse_all(experiments)
    if problem:
        picture.warning(problem, icon=":material/hourglass_disabled:")
        return
    # Before the words that it gives are drawn: an empty place would make what stands below jump at every repaint.
    trainings = Trainings(experiments)
    compared, figure = _measure(scene, trainings, FIRST_SLICE if scene.figure.trains else 0.0)
    with words:
        st.markdown(_unbroken(f"On screen: {scene.tell(compared.measured)}."))
        _open(scene)
    with picture:
        _chart(scene, view, figure, trainings, keep=f"{scene.address} {sorted(played.items())}")
    if not presenting():
        with below:
            take_away(_parcel(scene, compared, figure))
    if scene.figure.trains:
        work_on(trainings, SLICE, REPAINT)


def _chart(scene: Scene, view: TourView, figure: Drawn, trainings: Trainings, *, keep: str) -> None:
    """Draw a scene's figure, and how far its training has come."""
    foot = FOOT + PROGRESS * scene.figure.trains
    live_chart(figure, keep=keep, on_click=lambda click: None, above=ABOVE, foot=foot, settings=True)
    if scene.figure.trains:
        trainings.place = st.empty()
        trainings.show_progress()


def _measure(scene: Scene, trainings: Trainings, seconds: float, key: str = "tour_figure") -> tuple[Compared, Drawn]:
    """Train a scene's experiments for some seconds; return what is known of them and its figure."""
    compared = Compared.of(scene.experiments, trainings.train(seconds), COMPARISONS.get(scene.compare))
    with_answers = scene.figure.has_answers and not scene.experiment.dataset.truth_table
    answers = trainings.jobs[-1].ask(answer_map) if with_answers else None
    figure = partial(scene.draw, compared, answers)
    return compared, Drawn(key, scene.name, figure, scene.describe(compared))


def _answer(scene: Scene, plan: Plan) -> None:
    """Draw all answers, the right one and the prediction marked, and the sentence to remember."""
    st.caption(f"{_where(scene, plan)}: {scene.name}")
    with st.container(key="tour_setup"):
        st.caption(_unbroken(scene.caption))
    st.markdown(f"**{_unbroken(scene.question)}**")
    guess, room = _guesses().get(scene.name), present_room()
    tally = room and room.tally(scene)
    if tally:
        st.html(BARS)
    with st.container(key="tour_options", gap=None):
        for index, answer in enumerate(scene.answers):
            yours = " *(your prediction)*" if index == guess else ""
            if index == scene.right:
                st.header(f":material/check_circle: {answer.text}{yours}", anchor=False)
            else:
                st.markdown(f":material/radio_button_unchecked: {answer.text}{yours}")
            if tally:
                st.html(votes_bars(tally, index))
    with st.container(key="tour_take_home", border=True):
        st.markdown(_unbroken(scene.take_home))
        sources = "\n\n".join(reference.text for reference in cited(scene.source))
        st.caption(f"{scene.source}{f' · Framed: {scene.proof.words}' if scene.proof else ''}", help=sources)


def _unbroken(text: str) -> str:
    """Keep a number with a power of ten on one line."""
    return text.replace(" × ", "\u00a0×\u00a0")


def _play(scene: Scene) -> dict[str, Any]:
    """Draw the controls below one another; where there are more than two, two in a row."""
    controls = list(scene.controls.items())
    # Of an odd number the first has a row of its own.
    alone = len(controls) % 2 if len(controls) > 2 else len(controls)
    rows = [[each] for each in controls[:alone]] + [controls[at : at + 2] for at in range(alone, len(controls), 2)]
    played: dict[str, Any] = {}
    with st.container(key="tour_play", gap="xsmall"):
        for row in rows:
            with st.container(horizontal=len(row) > 1, gap="small"):
                played |= {name: ask(play_key(scene, name), control) for name, control in row}
    return played


def _open(scene: Scene) -> None:
    """Offer what the scene is about on the page for its kind: held against its first experiment, or beside the same."""
    experiment, first = scene.experiment, scene.shown[0][1]
    baseline = None if scene.compare or first == experiment else first

    def open_it() -> None:
        open_experiment(experiment, baseline, scene.compare)
        if scene.figure is LENS:
            open_lens(looked_at(experiment), 0)

    st.button(f"Open in {keys_of(kind_of(experiment)).home}", key="tour_open", on_click=open_it)


def _parcel(scene: Scene, compared: Compared, figure: Drawn) -> Parcel:
    """Collect what can be downloaded from a scene."""
    about: Any = scene.experiment
    baseline: Settings | None
    if scene.compare:
        settings, baseline = compared.caption, None
    else:
        settings, baseline = scene.caption_of_figure, scene.shown[0][1]
    return Parcel(
        title=scene.take_home,
        sentences=lambda: [scene.caption, scene.question, f"{scene.answers[scene.right].text}. ({scene.source})"],
        settings=[settings],
        filename=f"tour-{scene.address.replace(' ', '-')}_{filename(about)}",
        figures=[figure],
        tables=_tables(scene, compared),
        experiment=about,
        baseline=baseline,
        lines=scene_lines(scene),
    )


def _tables(scene: Scene, compared: Compared) -> dict[str, Callable[[], str]]:
    """Return what writes the numbers of a scene."""
    if (products := scene.products) is not None:
        return {"Products": lambda: table_csv(product_rows(products))}
    return {"History": lambda: histories_csv(compared.histories)}


# --- what to remember ---------------------------------------------------------------------------


def _recap(plan: Plan) -> None:
    """Draw what to remember of each chapter of the plan, with its scenes, to go back to."""
    with st.container(key="tour_recap", width=1500, gap="medium"):
        st.title("What to remember", anchor=False)
        chapters = [chapter for chapter in CHAPTERS.values() if set(chapter.scenes) & set(plan.scenes)]
        for column, chapter in zip(st.columns(len(chapters), gap="medium"), chapters, strict=True):
            with column, st.container(gap="small"):
                st.header(chapter.name, anchor=False)
                st.markdown(chapter.caption)
                with st.container(gap=None):
                    for number, scene in enumerate(plan.scenes, start=1):
                        if scene in chapter.scenes:
                            st.button(
                                f"{number}. {scene.name}",
                                key=f"tour_to_{number}",
                                type="tertiary",
                                on_click=_go,
                                args=(scene.address,),
                            )
    with st.container(width=1500):
        hand_out("Vanishing and exploding gradients", plan.scenes, lambda scene: _figure(scene, 60.0))


PAGE = Page(
    title="Tour",
    path="tour",
    show=show,
    controls={**TOUR_CONTROLS, **PLAY_CONTROLS, **PLAN_CONTROLS},
    read=named,
    ahead=lambda: (trained([*scene.experiments.values()]) for scene in SCENES if scene.figure.trains),
)
