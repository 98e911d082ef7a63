"""Plan: which scenes of the tour a lecture shows, in which order, for how long, with a note for the speaker."""

from collections.abc import Callable

import streamlit as st

from explorer.sharing.saved import plan_json, read_plan_json
from explorer.stories.plan import (
    MINUTES,
    MOST_LETTERS,
    PRESETS,
    WHOLE,
    Plan,
    Stop,
    read_plan,
)
from explorer.stories.tour import PRESENTER, QUESTION, SCENES, chapter_of
from explorer.ui.between_pages import go_to, set_values
from explorer.ui.lecture import NOTES_KEY, notes, present_plan
from explorer.ui.page import Page
from explorer.ui.plain_text import verbatim
from explorer.ui.training_loop import TrainingsInOrder, work_on

SLICE, REPAINT = 0.15, 0.8
REFUSED_KEY, FILE_KEY = "_plan_refused", "_plan_file"
MINUTES_KEY, NOTE_KEY = "_plan_minutes_", "_plan_note_"


def show() -> None:
    """Draw the plan, to change, to start and to keep; meanwhile train what it shows."""
    page = st.container(width=1300)
    plan = present_plan()
    with page:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.title(f"{len(plan.stops)} scenes in {plan.minutes} minutes", anchor=False, width="stretch")
            st.button("Start the lecture", type="primary", key="plan_start", on_click=_start, args=(plan,))
        _presets()
        problem = st.empty()
        if refused := st.session_state.pop(REFUSED_KEY, ""):
            problem.warning(f"The file cannot be opened: {refused}.", icon=":material/error:")
        prepared = st.container()
        with st.container(key="plan_stops", gap="xsmall"):
            # A place for each, taken or not: what a run leaves out stays on screen until it ends, and this one trains.
            for place, row in enumerate([st.empty() for _ in SCENES]):
                if place < len(plan.stops):
                    with row:
                        _stop(plan, place)
        with st.empty():
            _add(plan)
        _keep(plan)
    parts = [(list(scene.experiments.values()), scene.figure.trains) for scene in plan.scenes]
    with prepared:
        nets = TrainingsInOrder(parts, st.empty(), "Training what the plan shows")
        if nets.over:
            st.caption(":material/check: Everything in this plan is trained: each figure appears at once.")
        else:
            nets.show_progress()
    work_on(nets, SLICE, REPAINT)


def _set(plan: Plan) -> None:
    set_values({"plan": "" if plan == WHOLE else str(plan)})


def _change(address: str, change: Callable[[Plan, int], Plan]) -> None:
    """Change the plan at a scene as it is now: a quick click may come from a row that was drawn before the last change."""
    now = read_plan(st.session_state.get("plan", ""))
    places = [scene.address for scene in now.scenes]
    if address in places:
        _set(change(now, places.index(address)))


def _start(plan: Plan) -> None:
    set_values({"scene": plan.scenes[0].address, "revealed": QUESTION, "present": PRESENTER})
    go_to("Tour")


def _presets() -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for number, preset in enumerate(PRESETS.values()):
            st.button(preset.name, key=f"plan_preset_{number}", help=preset.caption, on_click=_set, args=(preset.plan,))
        st.caption(
            "The plan is in the link. In the tour, *Lecture* opens the speaker's view, and a room in which phones vote.",
            width="content",
        )


# --- the scenes -----------------------------------------------------------------------------------


def _stop(plan: Plan, place: int) -> None:
    """Draw a scene's row: when it begins, its title, its minutes, its note, and buttons that move it."""
    stop = plan.stops[place]
    address, name = stop.scene.address, stop.scene.name
    # With the value in its key: a browser that does not know of another value yet cannot report the old one for it.
    minutes, note = f"{MINUTES_KEY}{address}_{stop.minutes}", f"{NOTE_KEY}{address}"
    said = notes().get(address, "")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(f"{plan.starts[place]} min", width=70)
        st.markdown(
            f"**{place + 1}. {name}**  \n:small[{chapter_of(stop.scene).name}: {stop.scene.question}]", width="stretch"
        )
        st.number_input(
            f"Minutes for {name}",
            int(MINUTES.low),
            int(MINUTES.high),
            stop.minutes,
            key=minutes,
            width=130,
            label_visibility="collapsed",
            on_change=_change,
            args=(address, lambda now, at: now.taking(at, st.session_state[minutes])),
        )
        with st.popover(
            "Note", icon=":material/edit_note:" if not said else ":material/sticky_note_2:", key=f"plan_note_{address}"
        ):
            st.text_area(
                f"Note for {name}",
                said,
                key=note,
                max_chars=MOST_LETTERS,
                height=180,
                width=460,
                help="Only the speaker's view shows it. It is not in the link: save the plan to keep it.",
                on_change=lambda: notes().update({address: st.session_state[note]}),
            )
        moves = {"Earlier": (place > 0, -1), "Later": (place + 1 < len(plan.stops), 1)}
        for label, (possible, by) in moves.items():
            st.button(
                label,
                key=f"plan_{label.lower()}_{address}",
                type="tertiary",
                disabled=not possible,
                on_click=_change,
                args=(address, lambda now, at, by=by: now.moved(at, by)),
            )
        st.button(
            "Leave out",
            key=f"plan_leave_out_{address}",
            type="tertiary",
            disabled=len(plan.stops) == 1,
            on_click=_change,
            args=(address, lambda now, at: now.without(at) if len(now.stops) > 1 else now),
        )


def _add(plan: Plan) -> None:
    """Offer the scenes that are not in the plan."""
    left = [scene for scene in SCENES if scene not in plan.scenes]
    if not left:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        scene = st.selectbox(
            "Add a scene",
            left,
            format_func=lambda each: f"{chapter_of(each).name}: {each.name}",
            key="_plan_add",
            width=460,
        )
        st.button(
            "Add",
            key="plan_add",
            on_click=lambda: _set(Plan((*plan.stops, Stop(scene)))),
            disabled=scene is None,
        )


# --- to keep --------------------------------------------------------------------------------------


def _keep(plan: Plan) -> None:
    """Offer the plan with its notes as a file, to save and to open."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="plan_keep"):
        st.download_button(
            "Plan with notes (JSON)",
            plan_json(plan, notes()),
            "plan.json",
            "application/json",
            key="plan_save",
            on_click="ignore",
        )
        with st.popover("Open a plan", key="plan_open"):
            st.file_uploader("A plan that was saved here", type="json", key=FILE_KEY, on_change=_open)


def _open() -> None:
    file = st.session_state[FILE_KEY]
    if file is None:
        return
    try:
        plan, said = read_plan_json(file.getvalue())
    except ValueError as error:
        st.session_state[REFUSED_KEY] = verbatim(error)
        return
    _set(plan)
    st.session_state[NOTES_KEY] = said
    for scene in plan.scenes:
        st.session_state[f"{NOTE_KEY}{scene.address}"] = said.get(scene.address, "")


PAGE = Page(title="Plan", path="plan", show=show, presents=False)
