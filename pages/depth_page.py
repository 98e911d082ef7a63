"""Depth: the gradient of every layer for every depth, and up to which depth nets still learn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.choices.controls import choice, controls_of, numeric
from explorer.choices.experiment import Experiment
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.wording import summary
from explorer.figures.depth import (
    Factors,
    Shares,
    describe_factors,
    describe_shares,
    describe_triangle,
    factor_figure,
    share_figure,
    triangle_figure,
    triangles_of,
)
from explorer.sharing.code import depth_table
from explorer.sharing.notebook import depth_lines
from explorer.sharing.saved import filename, table_csv
from explorer.sweeps.by_depth import (
    UNCHANGED,
    DepthSeries,
    depth_headline,
    depth_sweep,
    refuse_depth_sweep,
    with_remedy,
)
from explorer.sweeps.sweep import Sweep
from explorer.training.cost import UP_TO_DEPTH, refuse_depths
from explorer.training.kinds import LAYERS
from explorer.training.measures import DIAGNOSTICS
from explorer.ui.ahead import swept
from explorer.ui.live_chart import ROW_FOOT, Click, Drawn, live_chart
from explorer.ui.page import VIEW, Page, what_do_i_see
from explorer.ui.sidebar import chosen, open_experiment
from explorer.ui.sweep_jobs import Sweeps, SweepState
from explorer.ui.take_away import Parcel, show_code, take_away
from explorer.ui.training_loop import work_on
from explorer.ui.widgets import ask_row

LEGEND = (
    "**Left**: how many seeds learn at each depth, as it is in grey and with the remedy in teal; bands are 95% intervals.",
    "**Right**: what each layer multiplies the gradient by on its way back. Below 1 it vanishes with depth, above 1 it "
    "explodes; dashed is theory.",
    "**Triangles**, below: every row is a net of another depth, every column a layer, the output at the end of its row. "
    "Colours are the gradient: dark is small. At the start and after training, as it is and with the remedy.",
)
# Seconds of a slice of the sweeps, and between two repaints.
SLICE, REPAINT = 0.1, 1.0
HALF = 370  # pixels: on a laptop two figures stand side by side as they are, on a phone each is narrow
NO_REMEDY, ON = "none", "on"
GRADIENTS = {"dL/dz": "delta", "dL/dW": "weight_gradient"}


@dataclass(frozen=True, kw_only=True)
class DepthView:
    """The settings of the page on depth."""

    remedy: str = choice(
        VIEW,
        "Compare with",
        "The same nets with this remedy.",
        (NO_REMEDY, *REMEDIES),
        default="skip over one layer",
    )
    deepest: int = numeric(
        VIEW, UP_TO_DEPTH, "Every depth from 1 to this is shown, and trained.", low=2, high=50, default=20
    )
    gradient: str = choice(
        VIEW,
        "Gradient",
        "dL/dz: RMS over samples and units, of a convolution also places; dL/dW: L2 norm of a layer's weights.",
        GRADIENTS,
        default="dL/dz",
    )
    train: str = choice(
        VIEW,
        "Training",
        "Whether every depth is also trained, or only its start is measured.",
        (ON, "off"),
        default=ON,
    )


DEPTH_CONTROLS = controls_of(DepthView)


def show() -> None:
    """Draw the page, and train on until every depth is there."""
    experiment, baseline = chosen()
    head, progress, picture = st.container(gap="xsmall", key="head"), st.container(), st.container()
    view = DepthView(**ask_row(DEPTH_CONTROLS, key="depth_view"))
    names, experiments = [UNCHANGED], [experiment]
    if view.remedy != NO_REMEDY:
        names, experiments = [*names, view.remedy], [*experiments, with_remedy(experiment, view.remedy)]
    if too_much := next(filter(None, (refuse_depths(each, view.deepest) for each in experiments)), None):
        st.warning(too_much, icon=":material/hourglass_disabled:")
        return
    sweeps = [depth_sweep(experiment, view.deepest) for experiment in experiments]
    refusal = next(filter(None, map(refuse_depth_sweep, sweeps)), None) if view.train == ON else None
    if refusal:
        st.warning(refusal, icon=":material/hourglass_disabled:")
    with progress:
        running = Sweeps(sweeps) if view.train == ON and not refusal else None
    states = {state.sweep: state for state in running.states} if running else {}
    series = [_series(name, sweep, states.get(sweep)) for name, sweep in zip(names, sweeps, strict=True)]
    with head:
        st.header(depth_headline(series), anchor=False)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.caption(
                "Nets of every depth from the same seeds: a shallower one is the first layers of the deeper ones, with an "
                "output of its own. Click on a depth to open it in Explore.",
                width="stretch",
            )
            what_do_i_see(LEGEND)
    _draw(series, view, experiment, baseline, picture)
    if running:
        work_on(running, SLICE, REPAINT)


def _series(name: str, sweep: Sweep, state: SweepState | None) -> DepthSeries:
    deepest = len(sweep.xs)
    if state is None:
        return DepthSeries(name, sweep.base, deepest)
    findings = {column + 1: finding for (column, _), finding in sorted(state.findings.items())}
    return DepthSeries(name, sweep.base, deepest, findings, state.complete)


# --- what is drawn ------------------------------------------------------------------------------


def _figures(series: Sequence[DepthSeries], view: DepthView, caption: str) -> dict[str, Drawn]:
    """Return the figures by key, the main one first: who learns, where nets are trained."""
    diagnostic, triangles = DIAGNOSTICS[GRADIENTS[view.gradient]], triangles_of(series, GRADIENTS[view.gradient])
    factors = [Factors.of(nets) for nets in series]
    told = " ".join(
        describe_triangle(triangle.name, triangle.depths.tolist(), triangle.values) for triangle in triangles
    )
    figures = [
        Drawn(
            "depth_factors",
            "Factor per layer, by depth",
            lambda: factor_figure(factors, view.deepest),
            " ".join(describe_factors(f.name, f.depths.tolist(), f.start.middle, f.theory) for f in factors),
        ),
        Drawn(
            "depth_triangles",
            "Gradient by layer and depth",
            lambda: triangle_figure(triangles, diagnostic.title, diagnostic.span, caption),
            f"{diagnostic.title} by layer and depth. {depth_headline(series)}. {told} {caption}.",
        ),
    ]
    # All or none: a curve's style depends on what it is compared with, and must not change while depths arrive.
    if all(nets.findings is not None for nets in series):
        learnt = {nets.name: nets.learnt for nets in series}
        shares = [Shares.of(name, by_depth) for name, by_depth in learnt.items()]
        alt = " ".join(describe_shares(name, solved) for name, solved in learnt.items())
        drawn = Drawn("depth_shares", "Seeds that learn, by depth", lambda: share_figure(shares, view.deepest), alt)
        figures.insert(0, drawn)
    return {figure.key: figure for figure in figures}


def _draw(
    series: Sequence[DepthSeries], view: DepthView, experiment: Experiment, baseline: Experiment | None, picture: Any
) -> None:
    """Draw who learns and why in `picture`, and below it what can be taken away, and every layer of every net."""
    caption = summary(experiment, depth=f"depth 1 to {view.deepest}")
    measure = GRADIENTS[view.gradient]
    title = DIAGNOSTICS[measure].title
    figures = _figures(series, view, caption)
    with picture:
        _answer(series, figures)
    take_away(
        Parcel(
            title=depth_headline(series),
            settings=[caption],
            filename=f"depth_{filename(experiment)}",
            figures=list(figures.values()),
            tables={"Depths": lambda: table_csv(row for nets in series for row in nets.rows(measure, title))},
            experiment=experiment,
            baseline=baseline,
            lines=depth_lines(
                {nets.name: depth_sweep(nets.experiment, view.deepest) for nets in series},
                measure,
                trained=view.train == ON,
            ),
        ),
        more=lambda: _choose_depth(series),
    )
    show_code(depth_table())
    st.subheader("The gradient of every layer, by depth", anchor=False)
    live_chart(
        figures["depth_triangles"],
        keep=f"{view.deepest} {view.gradient} {len(series)}",
        on_click=lambda click: _open_row(series, click),
    )


def _answer(series: Sequence[DepthSeries], figures: Mapping[str, Drawn]) -> None:
    """Draw who learns, and beside it what each layer does to the gradient."""
    left, right = st.columns(2)
    with left:
        st.subheader("Seeds that learn, by depth", anchor=False, help="With the 95% interval of Wilson (1927).")
        if "depth_shares" in figures:
            _chart(figures["depth_shares"], series)
        else:
            st.caption("Nothing is trained.")
    with right:
        st.subheader(
            "What each layer multiplies dL/dz by",
            anchor=False,
            help="The root of first over last layer, RMS dL/dz: the geometric mean over all steps back from the output. "
            "Theory: mean field for a median seed, corrected for the layers' finite width.",
        )
        _chart(figures["depth_factors"], series)


def _chart(drawn: Drawn, series: Sequence[DepthSeries]) -> None:
    """Draw a figure by depth; a click opens the last series' net of a depth."""
    live_chart(
        drawn,
        keep=str(series[0].deepest),
        narrow=HALF,
        foot=ROW_FOOT,
        on_click=lambda click: _open(series[-1], round(click.x), series[0]),
    )


def _open(nets: DepthSeries, depth: int, plain: DepthSeries) -> None:
    """Open the net of a depth in Explore, held against the experiment as it is."""
    if depth in nets.depths:
        open_experiment(nets.experiment.but(depth=depth), plain.experiment.but(depth=depth))


def _choose_depth(series: Sequence[DepthSeries]) -> None:
    """Open a depth in Explore without a mouse."""
    with st.popover("Open a depth in Explore"):
        depth = st.selectbox("Depth", series[0].depths.tolist(), key="_open_depth")
        for nets in series:
            st.button(
                f"Open it {nets.name}" if nets.name == UNCHANGED else f"Open it with {nets.name}",
                key=f"_open_depth_{nets.name}",
                on_click=_open,
                args=(nets, depth, series[0]),
            )


def _open_row(series: Sequence[DepthSeries], click: Click) -> None:
    """Open the net whose row in one of the triangles was clicked."""
    panels = [nets for nets in series for _ in range(1 if nets.findings is None else 2)]
    number = int(click.panel[1:] or 1)
    if number <= len(panels):
        _open(panels[number - 1], round(click.y), series[0])


PAGE = Page(
    title="Depth",
    path="depth",
    show=show,
    kind=LAYERS,
    controls=DEPTH_CONTROLS,
    ahead=lambda: [
        swept(depth_sweep(experiment, DepthView().deepest))
        for experiment in (Experiment(), with_remedy(Experiment(), DepthView().remedy))
    ],
)
