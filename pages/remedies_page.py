"""Remedies: the experiment with each remedy alone, and with any that are combined, side by side and ranked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from explorer.choices.controls import Several, choice, controls_of, setting
from explorer.choices.experiment import Experiment
from explorer.diagnosis.effects import HELPS, Effect
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.trials import Results, trials, within_limits
from explorer.diagnosis.wording import begun, summary
from explorer.figures.remedies import describe_losses, describe_tried, loss_figure, ranked_panels, remedies_figure
from explorer.figures.view import VIEW_CONTROLS, View
from explorer.sharing.code import remedies_table
from explorer.sharing.notebook import remedies_lines
from explorer.sharing.saved import filename, table_csv
from explorer.training.cost import epoch_seconds, refuse, refuse_all
from explorer.training.kinds import LAYERS
from explorer.ui.ahead import trained
from explorer.ui.live_chart import ROW_FOOT, Click, Drawn, live_chart
from explorer.ui.look import place_of_progress
from explorer.ui.page import VIEW, Page, what_do_i_see
from explorer.ui.sidebar import chosen, open_experiment
from explorer.ui.take_away import Parcel, show_code, take_away
from explorer.ui.training_loop import Trainings, work_on
from explorer.ui.widgets import ask, ask_row

LEGEND = (
    "**Each panel** is the same experiment with one thing changed: rows are layers, columns epochs, colours the gradient. The "
    "experiment as it is stands first, then the remedies by rank: the best is large, those that trail are small.",
    "A teal square: it **helped**; a red one: it **harmed**. Beside it stands why: how many seeds learn the task; if no more do, "
    "the epoch by which the median seed has learnt it, or what is left of the error of always answering the mean, before → with.",
    "A remedy **helped** if more seeds solve the task than chance would explain (Fisher's exact test, 5%), if as many solve it "
    f"clearly sooner, or, where none does, if at least {HELPS:.0%} of the error of always answering the mean is gone.",
    "All panels share the colour bar below them.",
    "Below: the **ranking** with its numbers, why each remedy helped or could not, and every loss.",
)
PRESENT, BASELINE = "present setting", "baseline"
# What the page shows of a history is chosen as on Explore, under keys of its own.
SHARED_VIEW = ("metric", "colour", "axis", "range")
PREFIX = "remedies_"
FIRST_SLICE, SLICE = 0.15, 0.3
# Seconds between two repaints while trainings run: a dozen panels take a browser longer than one figure.
REPAINT = 1.0


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The settings of the page on remedies."""

    start: str = choice(
        VIEW,
        "Apply remedies to",
        "The setting in the sidebar, or the baseline that is pinned.",
        (PRESENT, BASELINE),
        default=PRESENT,
    )
    combine: tuple[str, ...] = setting(
        Several(
            group=VIEW,
            label="All of these together",
            help="Tick two or more to try them together, in one more panel. Where two of them change the same setting, the "
            "later one counts.",
            options=REMEDIES,
            default=(),
        )
    )


COMPARISON_CONTROLS = controls_of(Comparison)


def show() -> None:
    """Draw the whole page, and train on until everything that is shown is complete."""
    experiment, baseline = chosen()
    head, progress, picture = st.container(gap="xsmall", key="head"), place_of_progress(), st.container()
    comparison, view = _ask()
    body = st.container()
    start = baseline if comparison.start == BASELINE and baseline is not None else experiment
    tried, left_out = within_limits(trials(start, comparison.combine))
    problem = refuse_all([trial.experiment for trial in tried])
    if problem or not tried or tried[0].remedies:
        st.warning(problem or refuse(start), icon=":material/hourglass_disabled:")
        return
    trainings = Trainings([trial.experiment for trial in tried], progress, f"Training {len(tried)} experiments")
    results = Results.of(tried, trainings.train(FIRST_SLICE))
    with head:
        _headline(results)
    figures = _figures(results, view)
    with picture:
        live_chart(
            figures[0],
            keep=f"{view.axis} {view.metric} {results.start.epochs} {len(results.tried)}",
            on_click=lambda click: _open_panel(results, click),
            foot=ROW_FOOT,
        )
    with body:
        _draw(results, figures, view, comparison.combine, baseline)
    for trial in left_out:
        st.caption(f"Not tried: {trial.name}. {refuse(trial.experiment) or 'With it, the page would take too long.'}")
    work_on(trainings, SLICE, REPAINT)


def _ask() -> tuple[Comparison, View]:
    shared = {f"{PREFIX}{name}": VIEW_CONTROLS[name] for name in SHARED_VIEW}
    values = ask_row(shared | {"start": COMPARISON_CONTROLS["start"]}, key="remedies_view")
    view = View(**{name: values[f"{PREFIX}{name}"] for name in SHARED_VIEW})
    return Comparison(start=values["start"], combine=ask("combine", COMPARISON_CONTROLS["combine"])), view


# --- drawing --------------------------------------------------------------------------------------


def _headline(results: Results) -> None:
    said = results.headline
    st.header(said if results.complete else f"So far: {said[0].lower()}{said[1:]}", anchor=False)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(
            "Each remedy is tried alone, on the same seeds. Click a panel to open it in Explore.",
            width="stretch",
        )
        what_do_i_see(LEGEND)


def _draw(
    results: Results, figures: tuple[Drawn, Drawn], view: View, combine: Sequence[str], baseline: Experiment | None
) -> None:
    """Draw everything below the view's controls."""
    rows = results.table(_costs(tuple(trial.experiment for trial in results.tried)) if results.complete else ())
    take_away(_parcel(results, figures, rows, remedies_lines(results.start, combine, view), baseline))
    show_code(remedies_table([name for name in REMEDIES if any(name in trial.remedies for trial in results.tried)]))
    _table(rows)
    _why(results)
    st.subheader("Loss", anchor=False)
    live_chart(figures[1], keep=f"{view.axis} {results.start.epochs}")


def _figures(results: Results, view: View) -> tuple[Drawn, Drawn]:
    panels = ranked_panels(results)
    said = f"{results.headline} {describe_tried(results.names, results.words, results.facts)}"
    told = describe_losses(results.names, results.facts)
    return (
        Drawn("remedies_figure", "Remedies side by side", lambda: remedies_figure(panels, view), said),
        Drawn("remedies_loss", "Loss with each remedy", lambda: loss_figure(panels, view), told),
    )


def _parcel(
    results: Results,
    drawn: Sequence[Drawn],
    rows: list[dict[str, object]],
    lines: str,
    baseline: Experiment | None,
) -> Parcel:
    """Collect what can be downloaded from the page."""
    start = results.start
    return Parcel(
        title=results.headline,
        sentences=lambda: [f"{begun(results.tried[at].name)}. {effect.sentence}" for at, effect in _told(results)],
        settings=[summary(start)],
        filename=f"remedies_{filename(start)}",
        figures=drawn,
        tables={"Ranking": lambda: table_csv(results.rows())},
        experiment=start,
        baseline=baseline,
        lines=lines,
        table=rows,
    )


@lru_cache(maxsize=32)
def _costs(experiments: tuple[Experiment, ...]) -> list[float]:
    """Return the time of an epoch of each trial over that of the first, measured on this machine."""
    different = list(dict.fromkeys(experiments))
    seconds = dict(zip(different, epoch_seconds(different), strict=True))
    return [seconds[experiment] / seconds[experiments[0]] for experiment in experiments]


def _table(rows: list[dict[str, object]]) -> None:
    st.table([row | {"Remedy": f"**{row['Remedy']}**"} for row in rows], hide_index=True)
    st.caption(
        "Ranked by seeds that learn, then by epochs to solve (median over all seeds, and the middle half), then by final "
        "loss. First / last layer: RMS dL/dz, median over seeds. Time of an epoch: relative to the unchanged experiment, measured "
        "just now on this machine."
    )


def _told(results: Results) -> Iterator[tuple[int, Effect]]:
    """Yield what each remedy did, by its place among the trials, the best first."""
    for index in results.order:
        if (effect := results.effects[index]) is not None:
            yield index, effect


def _why(results: Results) -> None:
    """Write one sentence for each remedy, with its formula and source, and a button that opens it in Explore."""
    st.subheader("What each did here, and why", anchor=False)
    for index, effect in _told(results):
        trial = results.tried[index]
        words, button = st.columns([6, 1.1], vertical_alignment="center")
        words.markdown(f"**{begun(trial.name)}.** {effect.sentence}", help=trial.about)
        button.button(
            "Open in Explore",
            key=f"open_{trial.name}",
            on_click=lambda trial=trial: open_experiment(trial.experiment, results.start),
        )


def _open_panel(results: Results, click: Click) -> None:
    """Open the experiment of the clicked panel in Explore."""
    number, ranked = int(click.panel[1:] or 1), results.drawn
    if number <= len(ranked):
        open_experiment(results.tried[ranked[number - 1]].experiment, results.start)


PAGE = Page(
    title="Remedies",
    path="remedies",
    show=show,
    kind=LAYERS,
    controls={f"{PREFIX}{name}": VIEW_CONTROLS[name] for name in SHARED_VIEW} | dict(COMPARISON_CONTROLS),
    ahead=lambda: [trained([trial.experiment for trial in trials(Experiment(), ())])],
)
