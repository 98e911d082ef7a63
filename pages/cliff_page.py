"""Cliff: the loss of a recurrent net of one unit over its two parameters, and what clipping does at its wall."""

from dataclasses import dataclass

import streamlit as st

from explorer.figures.cliff import cliff_figure, describe_cliff, describe_section, section_figure, walks
from explorer.figures.view import (
    CLIFF_PAGE,
    CLIFF_VIEW_CONTROLS,
    CliffView,
)
from explorer.sharing.code import cliff_table
from explorer.sharing.notebook import cliff_lines
from explorer.sharing.saved import table_csv
from explorer.sweeps.cliff import BESIDE, W_SPAN, LossMap, Section, section, survey
from explorer.sweeps.descent import (
    LAST,
    THROWN,
    Descent,
    Path,
    cliff_answer,
    cliff_headline,
    cliff_summary,
    growth,
    side_by_side,
)
from explorer.ui.between_pages import set_values
from explorer.ui.live_chart import Click, Drawn, live_chart
from explorer.ui.page import Page, what_do_i_see
from explorer.ui.take_away import Parcel, show_code, take_away
from explorer.ui.widgets import ask

LEGEND = (
    "**The map** is the loss of a net with one unit, for every recurrent weight w and bias b. Dark is a small loss; the "
    "colour bar is in powers of ten.",
    "**Two descents** from the star, a mark an update: orange squares without clipping, teal circles with it. A "
    "**triangle** at the edge: there a path leaves the map, and the words say where to.",
    "**White dashes**: where theory has the wall, on which the loss jumps. With **gradient** shown, squares have the colour of "
    "the longest gradient within 0.0125 of it, because the wall is thinner than the map's grid.",
    "**On the right**, by update: the gradient's norm before clipping, with the threshold dashed, and the loss.",
    "**Below**, a section through the wall: with few steps T there is none.",
)
CLIFF_CONTROLS = {f"{CLIFF_PAGE}{name}": control for name, control in CLIFF_VIEW_CONTROLS.items()}
# Beside the present number of steps, in the section through the wall.
FEWER = (2, 10)
# Pixels that all but the figure needs.
ABOVE = 240


@dataclass(frozen=True, eq=False)
class Seen:
    """Everything that the page shows, measured."""

    view: CliffView
    ground: LossMap
    free: Path
    clipped: Path
    section: Section

    @property
    def descent(self) -> Descent:
        """The descent with clipping."""
        return self.view.descent(clipped=True)


def show() -> None:
    """Draw the page."""
    head = st.container(gap="xsmall", key="head")
    seen = _measure(_ask())
    with head:
        st.header(cliff_answer(seen.free, seen.clipped, seen.descent), anchor=False)
        st.markdown(f"{cliff_headline(seen.free, seen.clipped, seen.descent)}.")
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.caption(
                "A recurrent net of one unit has two parameters, so its whole loss fits on a map (Pascanu et al. 2013, "
                "figure 6). Click on the map to start there.",
                width="stretch",
            )
            what_do_i_see([*LEGEND, *filter(None, [growth(seen.descent, seen.free)])])
    main, below = _drawn(seen)
    live_chart(
        main,
        keep=seen.view.shown,
        on_click=_start_at,
        above=ABOVE,
    )
    take_away(_parcel(seen, [main, below]))
    show_code(cliff_table(seen.view.clip))
    live_chart(below, keep=below.key)
    with st.expander("How to read this"):
        _explain()


def _ask() -> CliffView:
    """Draw the controls where other pages have those of their nets, so that the whole figure is seen at once."""
    with st.sidebar, st.container(gap="small"):
        return CliffView(**{name: ask(f"{CLIFF_PAGE}{name}", control) for name, control in CLIFF_VIEW_CONTROLS.items()})


def _measure(view: CliffView) -> Seen:
    free, clipped = side_by_side(view.descent(clipped=False), view.descent(clipped=True))
    ground = survey(view.steps)
    through = min(max(float(free.points[free.longest, 0]), W_SPAN[0]), W_SPAN[1])
    steps = tuple(fewer for fewer in FEWER if fewer < view.steps)
    return Seen(view, ground, free, clipped, section(through, (*steps, view.steps)))


def _start_at(click: Click) -> None:
    """Start where the map was clicked: at the nearest w and b on offer."""
    if click.panel == "x":
        clicked = {"w": click.x, "b": click.y}.items()
        marks = {name: CLIFF_VIEW_CONTROLS[name].marks for name, _ in clicked}  # type: ignore[attr-defined]
        set_values({f"{CLIFF_PAGE}{name}": nearest(marks[name], value) for name, value in clicked})


def nearest(marks: tuple[float, ...], value: float) -> float:
    """Return the mark nearest a value."""
    return min(marks, key=lambda mark: abs(mark - value))


def _drawn(seen: Seen) -> tuple[Drawn, Drawn]:
    view, caption = seen.view, cliff_summary(seen.descent)
    pair = walks(seen.free, seen.clipped, view)
    main = Drawn(
        "cliff_map",
        "The cliff: loss over w and b, with two descents",
        lambda: cliff_figure(seen.ground, pair, view, caption),
        describe_cliff(seen.ground, seen.free, seen.clipped, view),
    )
    below = Drawn(
        "cliff_section",
        f"The wall rises with the steps: loss along b at w = {seen.section.w:.3g}",
        lambda: section_figure(seen.section, caption),
        describe_section(seen.section),
    )
    return main, below


def _parcel(seen: Seen, figures: list[Drawn]) -> Parcel:
    view = seen.view
    named = {"without clipping": seen.free, f"clipped by {view.clip}": seen.clipped}
    detail = f"{cliff_headline(seen.free, seen.clipped, seen.descent)}."
    told = (detail, growth(seen.descent, seen.free), describe_section(seen.section))
    return Parcel(
        title=cliff_answer(seen.free, seen.clipped, seen.descent),
        sentences=lambda: [sentence for sentence in told if sentence],
        settings=[cliff_summary(seen.descent)],
        filename=f"cliff_T-{view.steps}_{view.clip}-{view.threshold:g}_rate-{view.learning_rate:g}".replace(".", "p"),
        figures=figures,
        tables={
            "Paths": lambda: table_csv({"path": name, **row} for name, each in named.items() for row in each.rows())
        },
        lines=cliff_lines(view),
    )


def _explain() -> None:
    st.markdown(
        "- The net is h_t = σ(w h_(t-1) + b) without inputs, h₀ = σ(0.5), and its loss (h_T - 0.7)². Both descents follow the "
        "gradient of backpropagation through time from the same start; only one is clipped.\n"
        "- **Why there is a wall.** On the white dashed line w h₀ + b = 0.5, h₀ is a fixed point. For w > 4.26 it repels: an "
        "error grows by w h₀(1 - h₀) at every step, so that h_T ends high on one side of the line and low on the other. "
        "With more steps the wall is steeper and thinner: it may then be jumped over without being met.\n"
        "- **What clipping does.** It takes nothing from the gradient's direction (by norm), only from its length: one "
        "update is never longer than learning rate × threshold. Far from the wall the loss is flat: what was thrown there has "
        "next to no gradient to come back with.\n"
        f"- The headline says “throws” where an update leaves the map and is {THROWN:g} or more long. Where a path "
        f"ends is the median loss of its last {LAST} updates, or of all if there are fewer: single updates hop about the valley, and a "
        "minimum among them is luck.\n"
        f"- With **gradient** shown, squares tell the longest gradient measured within {BESIDE:g} of the wall in b; where the wall "
        "is thinner than the numbers of a computer, the true one is longer still. The map's colours and "
        "axes stay fixed while settings change; triangles mark what lies beyond them.\n"
        "- Sources: Pascanu, Mikolov and Bengio 2013, section 2.3, figure 6 and algorithm 1; clipping by value: Mikolov 2012."
    )


PAGE = Page(title="Cliff", path="cliff", show=show, controls=CLIFF_CONTROLS)
