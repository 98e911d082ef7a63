"""Depth: the gradient of every layer for every depth, and up to which depth nets still learn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import streamlit as st

from explorer.choices.experiment import CONTROLS, Experiment
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.seeds import Band, band, log_band, logarithm, share_interval
from explorer.diagnosis.wording import summary
from explorer.figures.depth import Factors, Shares, factor_figure, share_figure
from explorer.figures.describe import describe_factors, describe_shares, describe_triangle
from explorer.figures.triangles import Triangle, triangle_figure
from explorer.sharing.code import depth_table
from explorer.sharing.notebook import depth_lines
from explorer.sharing.saved import DepthRow, depths_csv, filename
from explorer.sweeps.outcomes import Finding
from explorer.sweeps.portions import refuse_sweep
from explorer.sweeps.sweep import Sweep
from explorer.theory.prediction import log_factor
from explorer.training.all_depths import gradients_by_depth
from explorer.training.cost import refuse_depths
from explorer.training.measures import DIAGNOSTICS
from explorer.ui.joint import CHART
from explorer.ui.live_chart import Click, live_chart
from explorer.ui.page_controls import DEPTH_CONTROLS, GRADIENTS, NO_REMEDY, DepthView
from explorer.ui.sidebar import chosen, open_in_explore
from explorer.ui.sweep_jobs import Sweeps, SweepState
from explorer.ui.take_away import Drawn, Parcel, show_code, take_away
from explorer.ui.training_loop import work_on
from explorer.ui.welcome import DEPTH as LEGEND
from explorer.ui.welcome import what_do_i_see
from explorer.ui.widgets import ask

SLICE, REPAINT = 0.1, 1.0
UNCHANGED = "as it is"


@dataclass(frozen=True, eq=False)
class Series:
    """One experiment at all depths.

    Attributes
    ----------
    name : str
    sweep : Sweep
        One row: across the depths, up the width as it is.
    state : SweepState or None
        What training found so far; None where nothing is trained.
    """

    name: str
    sweep: Sweep
    state: SweepState | None

    @property
    def findings(self) -> dict[int, Finding]:
        """What was found, by depth."""
        if self.state is None:
            return {}
        return {int(self.sweep.xs[column]): found for (column, _), found in sorted(self.state.findings.items())}


def show(experiment: Experiment, baseline: Experiment | None) -> None:
    """Draw the page, and train on until every depth is there."""
    head = st.container(gap="xsmall")
    view = _ask()
    names, experiments = [UNCHANGED], [experiment]
    if view.remedy != NO_REMEDY:
        # A shortcut needs a few layers: where the net is too shallow for it now, deeper ones still have it.
        changed = REMEDIES[view.remedy].change(experiment.but(depth=int(CONTROLS["depth"].high)))  # type: ignore[attr-defined]
        names, experiments = [*names, view.remedy], [*experiments, changed.but(depth=experiment.depth)]
    too_much = next((problem for each in experiments if (problem := refuse_depths(each, view.deepest))), None)
    if too_much:
        st.warning(too_much, icon=":material/hourglass_disabled:")
        return
    sweeps = [_by_depth(each, view) for each in experiments]
    refusal = next((problem for sweep in sweeps if view.train == "on" and (problem := refuse_sweep(sweep))), None)
    if refusal:
        st.warning(refusal, icon=":material/hourglass_disabled:")
    running = Sweeps(sweeps, tuple(sweeps)) if view.train == "on" and not refusal else None
    states = {state.sweep: state for state in running.states} if running else {}
    series = [Series(name, sweep, states.get(sweep)) for name, sweep in zip(names, sweeps, strict=True)]
    with head:
        st.header(_headline(series), anchor=False)
        st.caption(
            "Nets of every depth from the same seeds: a shallower one is the first layers of the deeper ones, with an output "
            "of its own. Click on a depth to open it in Explore."
        )
    _draw(series, view, experiment, baseline)
    if running:
        work_on(running, SLICE, REPAINT)


def _ask() -> DepthView:
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        view = DepthView(**{name: ask(name, control) for name, control in DEPTH_CONTROLS.items()})
        what_do_i_see(LEGEND)
    return view


def _by_depth(experiment: Experiment, view: DepthView) -> Sweep:
    return Sweep(experiment, "depth", tuple(range(1, view.deepest + 1)), "width", (experiment.width,), trained=True)


def _headline(series: Sequence[Series]) -> str:
    """Say up to which depth at least half of the seeds learn."""
    said = [_reach(each) + _named(each, series) for each in series]
    if all(not each.findings for each in series):
        return "How the gradient of each layer depends on the depth of the net"
    complete = all(each.state is not None and each.state.complete for each in series)
    return f"{'Half' if complete else 'So far half'} of the seeds or more learn {' and '.join(said)}"


def _named(each: Series, series: Sequence[Series]) -> str:
    if len(series) == 1:
        return ""
    return " without" if each.name == UNCHANGED else f" with {each.name}"


def _reach(series: Series) -> str:
    """Say the depths at which half of the seeds or more learn, as far as is known."""
    found = series.findings
    learnt = [depth for depth, each in found.items() if each.solved * 2 >= each.runs]
    if not found:
        return "not trained yet"
    if not learnt:
        return "at no depth"
    first_failure = next((depth for depth in sorted(found) if depth not in learnt), None)
    if first_failure is None:
        return f"at every depth up to {max(found)}"
    before = [depth for depth in learnt if depth < first_failure]
    told = f"up to depth {max(before)}" if before else f"from depth {min(learnt)}"
    return told if max(learnt) < first_failure or not before else f"{told}, and at some beyond"


# --- what is drawn ------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _at_start(experiment: Experiment, depths: tuple[int, ...]) -> tuple[dict[str, np.ndarray], Band, np.ndarray]:
    """Medians of every layer's gradient, the factor per layer with its band, and theory's; log10, by depth."""
    found = gradients_by_depth(experiment, depths)
    rows = np.arange(len(depths))
    medians = {name: log_band(getattr(found, name)).middle for name in GRADIENTS.values()}
    logs = logarithm(found.delta)
    with np.errstate(invalid="ignore"):
        ratio = logs[:, rows, 0] - logs[:, rows, found.depths]
    factors = band(np.where(logs[:, rows, 0] == -np.inf, -np.inf, ratio) / found.depths)
    return medians, factors, np.array([log_factor(experiment.but(depth=depth)) for depth in depths])


def _at_end(series: Series, name: str) -> np.ndarray:
    """Median of every layer's gradient after training, (depths, layers); NaN where it is not known."""
    depths = series.sweep.xs
    values = np.full((len(depths), int(max(depths)) + 1), math.nan)
    for row, depth in enumerate(depths):
        found = series.findings.get(int(depth))
        if found is not None:
            layers = found.delta_end if name == "delta" else found.weight_end
            values[row, : len(layers)] = layers
    return values


def _triangles(series: Sequence[Series], view: DepthView) -> list[Triangle]:
    gradient = GRADIENTS[view.gradient]
    drawn = []
    for each in series:
        depths = tuple(int(depth) for depth in each.sweep.xs)
        named = f"{each.name}, " if len(series) > 1 else ""
        start = _at_start(each.sweep.base, depths)[0][gradient]
        drawn.append(Triangle(f"{named}at the start", np.array(depths), start))
        if each.state is not None:
            drawn.append(Triangle(f"{named}after training", np.array(depths), _at_end(each, gradient)))
    return drawn


def _factors(series: Series) -> Factors:
    depths = tuple(int(depth) for depth in series.sweep.xs)
    _, start, theory = _at_start(series.sweep.base, depths)
    trained = np.array([math.nan if (f := series.findings.get(d)) is None else f.log_ratio_end / d for d in depths])
    return Factors(series.name, np.array(depths), start, theory, trained if series.state is not None else None)


def _shares(series: Series) -> Shares:
    found = series.findings
    solved, runs = (
        np.array([getattr(each, name) for each in found.values()], dtype=int) for name in ("solved", "runs")
    )
    ends = np.array([share_interval(each.solved, each.runs) for each in found.values()]).reshape(-1, 2)
    depths = np.array(list(found), dtype=int)
    return Shares(series.name, depths, solved / np.maximum(runs, 1), ends[:, 0], ends[:, 1], solved, runs)


def _figures(series: Sequence[Series], view: DepthView, caption: str) -> dict[str, Drawn]:
    """The page's figures, by the key of their place, the main one first; seeds that learn only once a net is trained."""
    diagnostic, triangles = DIAGNOSTICS[GRADIENTS[view.gradient]], _triangles(series, view)
    factors = [_factors(each) for each in series]
    # All or none: a curve's ink depends on what it is compared with, and must not change while depths arrive.
    shares = [_shares(each) for each in series] if any(each.findings for each in series) else []
    told = " ".join(describe_triangle(each.name, each.depths.tolist(), each.values) for each in triangles)
    found = [
        Drawn(
            "depth_triangles",
            "Gradient by layer and depth",
            lambda: triangle_figure(triangles, diagnostic.title, diagnostic.span, caption),
            f"{diagnostic.title} by layer and depth. {_headline(series)}. {told} {caption}.",
        ),
        Drawn(
            "depth_factors",
            "Factor per layer by depth",
            lambda: factor_figure(factors, view.deepest),
            " ".join(describe_factors(f.name, f.depths.tolist(), f.start.middle, f.theory) for f in factors),
        ),
    ]
    if shares:
        learnt = {each.name: {d: (f.solved, f.runs) for d, f in each.findings.items()} for each in series}
        alt = " ".join(describe_shares(name, solved) for name, solved in learnt.items())
        found.append(
            Drawn("depth_shares", "Seeds that learn, by depth", lambda: share_figure(shares, view.deepest), alt)
        )
    return {each.key: each for each in found}


def _draw(series: Sequence[Series], view: DepthView, experiment: Experiment, baseline: Experiment | None) -> None:
    caption = summary(experiment, depth="depth 1 to " + str(view.deepest))
    figures = _figures(series, view, caption)
    main = figures["depth_triangles"]
    live_chart(
        main.make(),
        key=main.key,
        alt=main.alt,
        keep=f"{view.deepest} {view.gradient} {len(series)}",
        config=CHART,
        on_click=lambda click: _go(series, click),
    )
    take_away(
        Parcel(
            title=_headline(series),
            settings=[caption],
            filename=f"depth_{filename(experiment)}",
            figures=list(figures.values()),
            tables={"Depths": lambda: depths_csv(_by_row(series, view), DIAGNOSTICS[GRADIENTS[view.gradient]].title)},
            experiment=experiment,
            baseline=baseline,
            lines=depth_lines(
                {each.name: each.sweep for each in series}, GRADIENTS[view.gradient], trained=view.train == "on"
            ),
        ),
        more=lambda: _choose_depth(series),
    )
    show_code(depth_table(GRADIENTS[view.gradient]))
    left, right = st.columns(2)
    with left:
        st.subheader("Seeds that learn, by depth", anchor=False, help="With the 95% interval of Wilson (1927).")
        if "depth_shares" in figures:
            _chart(figures["depth_shares"])
        else:
            st.caption("Nothing is trained yet.")
    with right:
        st.subheader(
            "What each layer multiplies dL/dz by",
            anchor=False,
            help="The root of first over last layer, RMS dL/dz: the geometric mean over all steps back from the output. "
            "Theory: mean field for a typical seed, corrected for the layers' finite width.",
        )
        _chart(figures["depth_factors"])


def _chart(drawn: Drawn) -> None:
    st.plotly_chart(drawn.make(), key=drawn.key, config=CHART, alt=drawn.alt)


def _by_row(series: Sequence[Series], view: DepthView) -> list[DepthRow]:
    """What is known of every depth, for the CSV."""
    gradient, rows = GRADIENTS[view.gradient], []
    for each in series:
        depths = tuple(int(depth) for depth in each.sweep.xs)
        start, end = _at_start(each.sweep.base, depths)[0][gradient], _at_end(each, gradient)
        for row, depth in enumerate(depths):
            found, layers = each.findings.get(depth), slice(depth + 1)
            counts = (None, None) if found is None else (found.solved, found.runs)
            rows.append(DepthRow(each.name, depth, start[row, layers].tolist(), end[row, layers].tolist(), *counts))
    return rows


def _choose_depth(series: Sequence[Series]) -> None:
    """Open a depth in Explore without a mouse."""
    with st.popover("Open a depth in Explore"):
        depth = st.selectbox("Depth", [int(depth) for depth in series[0].sweep.xs], key="_open_depth")
        for each in series:
            chosen, plain = each.sweep.base.but(depth=depth), series[0].sweep.base.but(depth=depth)
            st.button(
                f"Open it {each.name}" if each.name == UNCHANGED else f"Open it with {each.name}",
                key=f"_open_depth_{each.name}",
                on_click=lambda chosen=chosen, plain=plain: open_in_explore(chosen, plain),
            )


def _go(series: Sequence[Series], click: Click) -> None:
    """Open the clicked depth in Explore; of the remedy's panels held against the experiment as it is."""
    panels = [each for each in series for _ in range(1 if each.state is None else 2)]
    number, depth = int(click.panel[1:] or 1), round(click.y)
    if number <= len(panels) and depth in panels[number - 1].sweep.xs:
        chosen, plain = panels[number - 1].sweep.base.but(depth=depth), series[0].sweep.base.but(depth=depth)
        open_in_explore(chosen, plain)


if __name__ == "__main__":
    show(*chosen())
