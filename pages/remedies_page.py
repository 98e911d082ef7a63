"""Remedies: the experiment with each remedy alone, and with any that are combined, side by side and ranked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from explorer.choices.experiment import Experiment
from explorer.diagnosis.effects import Effect, combined, effect, headline, rank
from explorer.diagnosis.facts import Facts, facts
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.wording import decades, number, summary
from explorer.figures.describe import describe_losses, describe_tried
from explorer.figures.remedies import Tried, loss_figure, remedies_figure
from explorer.figures.view import VIEW_CONTROLS, View
from explorer.sharing.code import remedies_table
from explorer.sharing.notebook import remedies_lines
from explorer.sharing.saved import filename, remedies_csv
from explorer.training.cost import refuse, refuse_all
from explorer.training.history import History
from explorer.training.pace import epoch_seconds
from explorer.ui.joint import CHART
from explorer.ui.live_chart import Click, live_chart
from explorer.ui.page_controls import BASELINE, COMPARISON_CONTROLS, REMEDIES_PAGE, SHARED_VIEW, Comparison
from explorer.ui.sidebar import chosen, open_in_explore
from explorer.ui.take_away import Drawn, Parcel, show_code, take_away
from explorer.ui.training_loop import Trainings, work_on
from explorer.ui.welcome import REMEDIES as LEGEND
from explorer.ui.welcome import what_do_i_see
from explorer.ui.widgets import ask

UNCHANGED = "nothing changed"
FIRST_SLICE, SLICE = 0.15, 0.3
# Seconds between two repaints while trainings run: a dozen panels take a browser longer than one figure.
REPAINT = 1.0


@dataclass(frozen=True, eq=False)
class Attempt:
    """One thing that is tried: its name, the remedies it consists of, the experiment."""

    name: str
    remedies: tuple[str, ...]
    experiment: Experiment


def attempts(start: Experiment, combine: Sequence[str]) -> list[Attempt]:
    """Return the experiment as it is, with each remedy alone, and with those combined that are ticked."""
    found = [Attempt(UNCHANGED, (), start)]
    found += [Attempt(name, (name,), remedy.change(start)) for name, remedy in REMEDIES.items()]
    if len(combine) > 1:
        found.append(Attempt(" + ".join(combine), tuple(combine), combined(start, combine)))
    return found


def show(experiment: Experiment, baseline: Experiment | None) -> None:
    """Draw the whole page, and train on until everything that is shown is complete."""
    head = st.container(gap="xsmall")
    comparison, view = _ask()
    progress = st.empty()
    body = st.container()
    start = baseline if comparison.start == BASELINE and baseline is not None else experiment
    tried = attempts(start, comparison.combine)
    tried, refused = [each for each in tried if not refuse(each.experiment)], [e for e in tried if refuse(e.experiment)]
    problem = refuse_all([each.experiment for each in tried])
    if problem or not tried or tried[0].remedies:
        st.warning(problem or refuse(start), icon=":material/hourglass_disabled:")
        return
    trainings = Trainings([each.experiment for each in tried], progress, f"Training {len(tried)} experiments")
    page = Judged.of(tried, trainings.train(FIRST_SLICE))
    with head:
        _headline(page)
    with body:
        _draw(page, view, comparison.combine, baseline)
    for each in refused:
        st.caption(f"Not tried: {each.name}. {refuse(each.experiment)}")
    work_on(trainings, SLICE, REPAINT)


def _ask() -> tuple[Comparison, View]:
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        view = View(**{name: ask(f"{REMEDIES_PAGE}{name}", VIEW_CONTROLS[name]) for name in SHARED_VIEW})
        start = ask("start", COMPARISON_CONTROLS["start"])
    return Comparison(start=start, combine=ask("combine", COMPARISON_CONTROLS["combine"])), view


# --- drawing --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Judged:
    """What was tried, and what became of it; all in one order."""

    tried: list[Attempt]
    histories: list[History]
    found: list[Facts]
    effects: list[Effect | None]

    @classmethod
    def of(cls, tried: list[Attempt], histories: list[History]) -> "Judged":
        """Judge each against the first, the experiment as it is."""
        found = [facts(history) for history in histories]
        effects = [
            effect(each.remedies, found[0], f) if each.remedies else None for each, f in zip(tried, found, strict=True)
        ]
        return cls(tried, histories, found, effects)

    @property
    def complete(self) -> bool:
        """Whether everything is trained to its end."""
        return all(history.complete for history in self.histories)

    @property
    def names(self) -> list[str]:
        """What was tried."""
        return [each.name for each in self.tried]

    @property
    def words(self) -> list[str]:
        """What each did, in a word."""
        return [did.word if did else "" for did in self.effects]

    @property
    def said(self) -> str:
        """The headline."""
        changed = [
            (n, f, did) for n, f, did in zip(self.names, self.found, self.effects, strict=True) if did is not None
        ]
        return headline([n for n, _, _ in changed], [f for _, f, _ in changed], [did for _, _, did in changed])

    @property
    def panels(self) -> list[Tried]:
        """Each as a panel."""
        solved = [f"{f.solved} of {f.runs}" for f in self.found]
        return [Tried(*each) for each in zip(self.names, self.words, solved, self.histories, strict=True)]


def _headline(page: Judged) -> None:
    said = page.said
    st.header(said if page.complete else f"So far: {said[0].lower()}{said[1:]}", anchor=False)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(
            "Each remedy alone, with the same seeds. It helped if more seeds solve the task than chance would explain (Fisher's "
            "exact test, 5%), or as many sooner. Click a panel to open it in Explore.",
            width="stretch",
        )
        what_do_i_see(LEGEND)


def _draw(page: Judged, view: View, combine: Sequence[str], baseline: Experiment | None) -> None:
    """Draw everything below the view's controls."""
    drawn, rows = _figures(page, view), _rows(page)
    figure, losses = drawn
    live_chart(
        figure.make(),
        key=figure.key,
        alt=figure.alt,
        keep=f"{view.axis} {view.metric} {page.tried[0].experiment.epochs} {len(page.tried)}",
        config=CHART,
        on_click=lambda click: _go(page.tried, click),
    )
    take_away(_parcel(page, drawn, rows, combine, baseline))
    show_code(remedies_table([name for name in REMEDIES if any(name in each.remedies for each in page.tried)]))
    _table(rows)
    _why(page)
    st.subheader("Loss", anchor=False)
    st.plotly_chart(losses.make(), key=losses.key, config=CHART, alt=losses.alt)


def _figures(page: Judged, view: View) -> tuple[Drawn, Drawn]:
    panels, said = page.panels, f"{page.said} {describe_tried(page.names, page.words, page.found)}"
    told = describe_losses(page.names, page.found)
    return (
        Drawn("remedies_figure", "Remedies side by side", lambda: remedies_figure(panels, view), said),
        Drawn("remedies_loss", "Loss with each remedy", lambda: loss_figure(panels, view), told),
    )


def _parcel(
    page: Judged,
    drawn: Sequence[Drawn],
    rows: list[dict[str, object]],
    combine: Sequence[str],
    baseline: Experiment | None,
) -> Parcel:
    """What the page gives away."""
    start, order = page.tried[0].experiment, rank(page.found)
    ranked = [[values[index] for index in order] for values in (page.names, page.words, page.found)]
    return Parcel(
        title=page.said,
        sentences=[did.sentence for did in page.effects if did is not None],
        settings=[summary(start)],
        filename=f"remedies_{filename(start)}",
        figures=drawn,
        tables={"Ranking": lambda: remedies_csv(*ranked)},  # type: ignore[arg-type]
        experiment=start,
        baseline=baseline,
        lines=remedies_lines(start, combine),
        table=rows,
    )


def _rows(page: Judged) -> list[dict[str, object]]:
    """The ranked table; what an epoch costs is measured once everything is trained."""
    costs = _costs(tuple(each.experiment for each in page.tried)) if page.complete else []
    rows: list[dict[str, object]] = []
    for place, index in enumerate(rank(page.found), start=1):
        f = page.found[index]
        rows.append(
            {
                "Place": place,
                "Remedy": page.names[index],
                "Effect": page.words[index],
                "Seeds that learn": f"{f.solved} of {f.runs}",
                "Epochs to solve": _epochs(f),
                "Final loss": number(f.loss_end),
                "First / last layer, start": decades(f.log_ratio),
                "First / last layer, end": decades(f.log_ratio_end),
                "Time of an epoch": f"{costs[index]:.1f} ×" if costs else "",
            }
        )
    return rows


@lru_cache(maxsize=32)
def _costs(experiments: tuple[Experiment, ...]) -> list[float]:
    """The seconds of an epoch of each over those of the first, measured on this machine; equal experiments cost the same."""
    different = list(dict.fromkeys(experiments))
    seconds = dict(zip(different, epoch_seconds(different), strict=True))
    return [seconds[experiment] / seconds[experiments[0]] for experiment in experiments]


def _table(rows: list[dict[str, object]]) -> None:
    st.table([row | {"Remedy": f"**{row['Remedy']}**"} for row in rows], hide_index=True)
    st.caption(
        "Ranked by seeds that learn, then by epochs to solve (median over all seeds, and the middle half), then by final "
        "loss. First / last layer: RMS dL/dz, median over seeds. Time: against the unchanged experiment, measured just now on "
        "this machine."
    )


def _epochs(f: Facts) -> str:
    if not math.isfinite(f.solve_epoch):
        return "never in half of them" if f.solved else "never"
    late = f"{f.solve_late:,.0f}" if math.isfinite(f.solve_late) else "never"
    return f"{f.solve_epoch:,.0f} ({f.solve_early:,.0f} to {late})"


def _why(page: Judged) -> None:
    """One sentence for each remedy, with its formula and source, and a link that opens it in Explore."""
    st.subheader("What each did here, and why", anchor=False)
    for index in rank(page.found):
        each, did = page.tried[index], page.effects[index]
        if did is None:
            continue
        words, button = st.columns([6, 1.1], vertical_alignment="center")
        words.markdown(f"**{each.name[0].upper()}{each.name[1:]}.** {did.sentence}", help=_about(each))
        button.button(
            "Open in Explore",
            key=f"open_{each.name}",
            on_click=lambda each=each: open_in_explore(each.experiment, page.tried[0].experiment),
        )


def _about(each: Attempt) -> str:
    return "\n\n".join(
        f"{name}: {REMEDIES[name].caption} {REMEDIES[name].formula} ({REMEDIES[name].source})" for name in each.remedies
    )


def _go(tried: list[Attempt], click: Click) -> None:
    """Note which panel was clicked: the app opens it in Explore."""
    number = int(click.panel[1:] or 1)
    if number <= len(tried):
        open_in_explore(tried[number - 1].experiment, tried[0].experiment)


if __name__ == "__main__":
    show(*chosen())
