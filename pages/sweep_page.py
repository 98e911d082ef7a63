"""Sweep: any two settings across and up, an outcome as colour."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import streamlit as st

from explorer.choices.arrays import thin
from explorer.choices.controls import Control, Several, Span, choice, controls_of, numeric
from explorer.choices.experiment import CONTROLS, Experiment
from explorer.diagnosis.wording import sentence, summary
from explorer.figures.sweep import describe_row, describe_sweep, row_figure, sweep_figure, value_text
from explorer.sharing.code import sweep_table
from explorer.sharing.notebook import sweep_lines
from explorer.sharing.saved import filename, sweep_csv
from explorer.sweeps.chunks import refuse_sweep
from explorer.sweeps.critical import critical_points
from explorer.sweeps.outcomes import OUTCOMES
from explorer.sweeps.sweep import AXES, Place, Sweep, Value, is_numeric
from explorer.sweeps.workers import VARIABLE
from explorer.training.kinds import LAYERS
from explorer.ui.live_chart import Drawn, live_chart
from explorer.ui.page import VIEW, Page, what_do_i_see
from explorer.ui.sidebar import chosen, open_experiment
from explorer.ui.sweep_jobs import Sweeps, SweepState
from explorer.ui.take_away import Parcel, show_code, take_away
from explorer.ui.training_loop import work_on
from explorer.ui.widgets import ask, ask_row

LEGEND = (
    "**Every cell** is an experiment of its own: the sidebar's settings except for the two on the axes.",
    "Of ratios, the neutral middle of the colours is 1: the gradient neither shrinks nor grows. Purple is vanishing, "
    "orange exploding.",
    "**Grey** is exactly 0, **red** infinite or NaN; a **cross** marks settings that cannot be combined.",
    "**Dashed**: where theory says that very deep, very wide nets keep the gradient level. Below, one row as a line.",
)
# Seconds of a slice of the sweep, and between two repaints.
SLICE, REPAINT = 0.1, 0.8

# Settings as a person knows them.
AXIS_NAMES = {CONTROLS[name].label.lower(): name for name in AXES}
# The key of what an axis shows of a setting: its ends, or which of its options.
SPANS = {name: f"span_{name}" for name in AXES}


def _span(name: str) -> Control:
    """Make the control that selects the values of an axis."""
    label = CONTROLS[name].label
    values: Any = AXES[name]
    if is_numeric(name):
        ends = f"The ends of the axis of {label.lower()}."
        return Span(group=VIEW, label=f"{label}, from and to", help=ends, marks=values, default=(values[0], values[-1]))
    shown = f"The options on the axis of {label.lower()}."
    return Several(group=VIEW, label=label, help=shown, options=values, default=values)


SPAN_CONTROLS = {SPANS[name]: _span(name) for name in AXES}


@dataclass(frozen=True, kw_only=True)
class SweepView:
    """The settings of the page on sweeps."""

    x: str = choice(
        VIEW, "Across", "The setting on the horizontal axis.", AXIS_NAMES, default=CONTROLS["gain"].label.lower()
    )
    y: str = choice(VIEW, "Up", "The setting on the vertical axis.", AXIS_NAMES, default="depth")
    outcome: str = choice(
        VIEW,
        "Colour",
        "What the colour of a cell shows. Outcomes at the start need no training.",
        OUTCOMES,
        default=next(iter(OUTCOMES)),
    )
    cells: int = numeric(
        VIEW,
        "Values per axis",
        "How many values of a numeric setting lie on its axis, spread over its span.",
        low=2,
        high=32,
        marks=(4, 6, 8, 10, 12, 16, 20, 24, 32),
        default=12,
    )
    section: int = numeric(
        VIEW,
        "Section through row",
        "The row that is drawn as a line below the map, counted from the bottom.",
        low=1,
        high=50,
        default=1,
    )


SWEEP_CONTROLS = controls_of(SweepView)


def axis_values(name: str, chosen: tuple[Value, ...], count: int) -> tuple[Value, ...]:
    """Return the values that lie on an axis: of a number `count` between the chosen ends, else the chosen options."""
    if not is_numeric(name):
        return tuple(chosen)
    low, high = chosen
    return thin([value for value in AXES[name] if low <= value <= high], count)  # type: ignore[operator]


def show() -> None:
    """Draw the page, and go on measuring until every cell is there."""
    experiment, baseline = chosen()
    head = st.container(gap="xsmall", key="head")
    view = _ask()
    progress, picture = st.container(), st.container()
    sweep = _sweep(experiment, view)
    if sweep is None:
        return
    with progress:
        sweeps = Sweeps([sweep])
    (state,) = sweeps.states
    with head:
        st.header(_headline(state), anchor=False)
        st.caption(f"{OUTCOMES[view.outcome].caption} Click a cell to open it in Explore.")
    _draw(state, view, baseline, picture)
    work_on(sweeps, SLICE, REPAINT)


def _ask() -> SweepView:
    """Draw the controls: what lies on the axes, the colour, and how many values."""
    row, legend = st.columns([5, 1], vertical_alignment="bottom")
    with row:
        shown = {name: SWEEP_CONTROLS[name] for name in ("x", "y", "outcome", "cells")}
        values = ask_row(shown, key="sweep_view")
    with legend:
        what_do_i_see(LEGEND)
    return SweepView(**values)


# A sweep makes and checks the experiments of all its cells, once.
_sweep_of = lru_cache(maxsize=32)(Sweep)


def _sweep(experiment: Experiment, view: SweepView) -> Sweep | None:
    """Return what is to be swept; None, with the reason on screen, where that cannot be."""
    x, y = AXIS_NAMES[view.x], AXIS_NAMES[view.y]
    chosen = {}
    # Many names need the whole width; two spans fit beside each other.
    beside = is_numeric(x) and is_numeric(y)
    with st.container(horizontal=beside, gap="medium" if beside else "xsmall", vertical_alignment="bottom"):
        for name in dict.fromkeys((x, y)):
            chosen[name] = axis_values(name, ask(SPANS[name], SPAN_CONTROLS[SPANS[name]]), view.cells)
    try:
        sweep = _sweep_of(experiment, x, chosen[x], y, chosen[y], OUTCOMES[view.outcome].trained)
    except ValueError as problem:
        st.warning(sentence(str(problem)), icon=":material/grid_off:")
        return None
    if all(isinstance(cell, str) for cell in sweep.cells.values()):
        st.warning(str(sweep.cells[0, 0]), icon=":material/grid_off:")
        return sweep
    if refusal := refuse_sweep(sweep):
        st.warning(refusal, icon=":material/hourglass_disabled:")
        return None
    return sweep


def _headline(state: SweepState) -> str:
    """Say how many cells got which verdict, so far or in all, and how many have none: no possible experiment, or it failed."""
    total, missing = len(state.sweep.cells), len(state.problems)
    if missing == total:
        return f"None of the {total:,} nets has a result"
    counts = Counter(finding.verdict for finding in state.findings.values()).most_common()
    told = ", ".join(f"{count:,} {word}" for word, count in counts)
    more = f"; {missing:,} {'has' if missing == 1 else 'have'} no result" if missing else ""
    so_far = "" if len(state.findings) + missing == total else "So far, of "
    return f"{so_far}{total:,} nets: {told or 'none is measured yet'}{more}"


def _draw(state: SweepState, view: SweepView, baseline: Experiment | None, picture: Any) -> None:
    """Draw the map in `picture`, and below it what can be taken away, and one of its rows."""
    sweep, outcome, experiment = state.sweep, OUTCOMES[view.outcome], state.sweep.base
    row = min(view.section, len(sweep.ys)) - 1
    critical = critical_points(sweep) if outcome.critical else ()
    names = (CONTROLS[sweep.x].label.lower(), CONTROLS[sweep.y].label.lower())
    told = describe_sweep(sweep, state.findings, outcome, names)
    across = f"along {names[0]}, at {names[1]} {value_text(sweep.ys[row])}"
    section = Drawn(
        "sweep_section",
        f"One row, {across}"[:60],
        lambda: row_figure(state, outcome, row),
        f"{outcome.name} {across}: {describe_row(sweep, state.findings, outcome, row)}",
    )
    main = Drawn(
        "sweep_map",
        f"{outcome.name} over {names[0]} and {names[1]}",
        lambda: sweep_figure(state, outcome, critical=critical, row=row),
        f"{outcome.name} over {names[0]} and {names[1]}. {_headline(state)}. {told} {summary(experiment)}.",
    )
    with picture:
        live_chart(
            main,
            keep=f"{sweep.x} {sweep.y} {len(sweep.xs)} {len(sweep.ys)}",
            on_click=lambda click: _open_cell(state, (round(click.x), round(click.y))),
        )
    take_away(
        Parcel(
            title=_headline(state),
            sentences=lambda: [outcome.caption, told],
            settings=[f"{main.name}, varied from: {summary(experiment)}"],
            filename=f"sweep_{sweep.x}_{sweep.y}_{filename(experiment)}",
            figures=[main, section],
            tables={"Results": lambda: sweep_csv(sweep, state.findings, state.problems)},
            experiment=experiment,
            baseline=baseline,
            lines=sweep_lines(sweep, outcome),
        ),
        more=lambda: _choose_cell(state),
    )
    show_code(sweep_table(outcome))
    if len(sweep.ys) > 1:
        ask("section", replace(SWEEP_CONTROLS["section"], high=len(sweep.ys)))  # type: ignore[call-arg]
    live_chart(section, keep=f"{sweep.x} {len(sweep.xs)} {outcome.name}")
    with st.expander("How to read this, and where it runs"):
        _explain(sweep, bool(critical))


def _explain(sweep: Sweep, critical: bool) -> None:
    along = " and ".join(CONTROLS[name].label.lower() for name in (sweep.x, sweep.y) if is_numeric(name))
    st.markdown(
        "- Every cell is an experiment of its own, with its own seeds and with the sidebar's settings except for the two on the "
        "axes.\n"
        "- Grey means exactly 0, orange-red infinite or NaN (for epochs to solve: at least half of the seeds never solve it); a "
        "cross marks settings that cannot be combined; hover over it to see why.\n"
        f"- {'The dashed line is where' if critical else 'A dashed line would be drawn where'} theory says that a very deep and "
        "very wide net neither shrinks nor amplifies its gradient (χ₁ = 1; Poole et al. 2016, Schoenholz et al. 2017)"
        f"{'' if along else '; it needs a number on an axis'}.\n"
        f"- Cells are measured on the server; to use several processes or a Dask cluster, set {VARIABLE} (see the README)."
    )


def _choose_cell(state: SweepState) -> None:
    """Open a cell in Explore without a mouse."""
    sweep = state.sweep
    with st.popover("Open a cell in Explore"):
        columns, rows = range(len(sweep.xs)), range(len(sweep.ys))
        column = st.selectbox(
            CONTROLS[sweep.x].label, columns, format_func=lambda i: value_text(sweep.xs[i]), key="_open_column"
        )
        row = st.selectbox(
            CONTROLS[sweep.y].label, rows, format_func=lambda i: value_text(sweep.ys[i]), key="_open_row"
        )
        cell = (column, row)
        st.button(
            "Open it", key="_open_cell", disabled=cell not in state.findings, on_click=_open_cell, args=(state, cell)
        )


def _open_cell(state: SweepState, cell: Place) -> None:
    """Open a cell in Explore, held against the present setting."""
    if cell in state.findings:
        sweep, (x, y) = state.sweep, state.sweep.values(cell)
        open_experiment(sweep.base.but(**{sweep.x: x, sweep.y: y}), sweep.base)


def _with_axes(asked: Mapping[str, str]) -> dict[str, str]:
    """Return what an address asks for; a link of the first version does not say the axes that were the default then."""
    return ({"x": "initialization", "y": "activation"} if asked.get("v") == "1" else {}) | dict(asked)


PAGE = Page(
    title="Sweep",
    path="sweep",
    show=show,
    kind=LAYERS,
    controls={**SWEEP_CONTROLS, **SPAN_CONTROLS},
    read=_with_axes,
)
