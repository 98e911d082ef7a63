"""Tutorial: the well-known tutorial's two programs, run as printed, and beside their log the gradient that it does not show."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.choices.settings import Settings
from explorer.diagnosis.comparison import Compared
from explorer.diagnosis.diagnose import diagnose
from explorer.diagnosis.seeds import share_interval
from explorer.diagnosis.wording import against_last, summary
from explorer.figures.depth import Shares, describe_shares, share_figure
from explorer.figures.explore import compared_figure, describe_compared_figure
from explorer.figures.tour import Said, beside_words, said_figure, with_height
from explorer.figures.view import View
from explorer.sharing.code import BLOCK, CLIPPING, Piece, listings, tutorial_table
from explorer.sharing.notebook import tutorial_lines
from explorer.sharing.saved import history_csv, table_csv
from explorer.stories.claims import CLAIMS, NOT_YET, Claim, claim_headline, claim_rows
from explorer.stories.tutorial import (
    CURVE,
    INNER,
    LIKE_PUBLISHED,
    LOG_EVERY,
    NETS,
    PLAIN,
    RESIDUAL,
    RUN,
    SAID,
    TUTORIAL_CONTROLS,
    TUTORIAL_PAGE,
    Program,
    TutorialView,
    clip_gradient_norm,
    curve_headline,
    layer_rows,
    log_lines,
    log_rows,
    losses_of,
    program,
    residual_block,
    run_headline,
    truth_rows,
)
from explorer.sweeps.chunks import refuse_cells
from explorer.training.cost import refuse
from explorer.training.kinds import kind_of
from explorer.training.run import Training
from explorer.ui.jobs import jobs
from explorer.ui.keys import keys_of
from explorer.ui.lecture import presenting, text_factor
from explorer.ui.live_chart import Click, Drawn, live_chart
from explorer.ui.page import Page, what_do_i_see
from explorer.ui.sidebar import open_experiment
from explorer.ui.sweep_jobs import Sweeps
from explorer.ui.take_away import Parcel, show_code, take_away
from explorer.ui.training_loop import Trainings, work_on
from explorer.ui.widgets import ask

SLICE, REPAINT = 0.1, 0.8
# Lines of the log that are on screen: the first ones, and the latest.
FIRST_LINES, LAST_LINES, ROOM_LAST_LINES = 3, 7, 3
VIEW = View(axis="log")
# A line of the log fills its column, and can be read from the last row.
LARGE = """<style>
.st-key-tutorial_log code { font-size: clamp(.8rem, 1vw, 1.4rem) !important; }
.st-key-tutorial_log td, .st-key-tutorial_log th, [class*=st-key-tutorial_claim] p { font-size: clamp(.9rem, 1vw, 1.4rem); }
</style>"""
RUN_LEGEND = (
    f"**The log**: a line for every {LOG_EVERY:,} epochs, as the programs print it. Its loss is the sum over the four updates of the "
    "epoch of (answer - target)² / 2, each taken before its update: not the loss after the epoch. At a loss below "
    "10⁻⁷ the program ends.",
    "**As published**, with NL = 10: the plain program prints 0.500135 to the end; the residual one 1.000000 for 3,000 epochs, then less "
    f"than 10⁻⁶ by 13,000. The random numbers here are different ones: seed {LIKE_PUBLISHED} takes just that course. Of the residual "
    "programs of seeds 0 to 47, 42 end, half of all within 10,600 epochs; of the plain ones none.",
    "**The truth table**: what the net answers at the last epoch so far.",
    "**The figure** is what the log does not show: the gradient dL/dz of every layer, row by row, over epochs. White: as much as at "
    "the last layer; violet: it has vanished on its way back. On top its bars at the last epoch; above the colours "
    "the loss over all four samples at once; at the right the same gradient by layer, and the answers.",
    "**NL** counts the inner layers, after a first hidden layer: a net has NL + 1 hidden layers. Everything else is the tutorial's "
    "recipe: four sigmoid units per layer, weights and biases from U(0, 1), Adam with a rate of 0.001, one update per sample in fixed "
    "order, at most 100,000 epochs.",
)
CURVE_LEGEND = (
    "**A point** is the share of seeds that learn XOR by the last epoch: their mean squared error is then below the task's bound. "
    "Bands are 95% intervals (Wilson 1927). Grey squares: plain; teal circles: residual.",
    "**NL** counts the inner layers, after a first hidden layer. Click on one to open it in Explore.",
    "All else is the tutorial's recipe, without its early end; with fewer than its 100,000 epochs, fewer seeds have learnt by then.",
)
SAID_LEGEND = (
    "**Orange** is where the number would lie if what is said were true; the **diamond** is what is measured here, over the seeds of "
    "the experiment. The axis is in powers of ten; a square at its edge is exactly 0.",
    "**not so**: the number lies outside. *Open* leads to the experiment, where everything can be changed.",
    "Formulas are theory's; all other numbers are measured.",
)


def show() -> None:
    """Draw a program's run, or for every NL how many seeds learn."""
    look: Any = {"horizontal": True, "gap": "medium", "vertical_alignment": "bottom"}
    with st.container(horizontal_alignment="distribute", key=f"{TUTORIAL_PAGE}row", **look):
        key = f"{TUTORIAL_PAGE}shown"
        shown = ask(key, TUTORIAL_CONTROLS[key], in_a_row=True, label_visibility="collapsed")
        # What is seen from the last row has the sidebar's room too.
        place = st.container(**look) if presenting() else st.sidebar
    if not presenting():
        st.html(LARGE)
    SHOWN[shown](shown, place)


def _ask(shown: str, place: Any, *names: str) -> TutorialView:
    """Draw the controls that matter for what is shown."""
    keys = {name: f"{TUTORIAL_PAGE}{name}" for name in names}
    with place:
        return TutorialView(shown=shown, **{name: ask(key, TUTORIAL_CONTROLS[key]) for name, key in keys.items()})


# --- one run --------------------------------------------------------------------------------------


def _run(shown: str, place: Any) -> None:
    """Draw the log, the answers and the gradient of one seed, and train on until the program ends."""
    view = _ask(shown, place, "net", "inner", "seed")
    if refusal := refuse(view.experiment):
        st.warning(refusal, icon=":material/hourglass_disabled:")
        return
    head, progress, body = st.container(gap="xsmall", key="head"), st.empty(), st.container()
    running = Trainings([view.experiment], progress, "Running the program", make=Program)
    compared = Compared.of({view.net: view.experiment}, running.train(SLICE))
    losses = running.jobs[0].ask(losses_of)
    with head:
        st.header(run_headline(view, losses, compared.now.history), anchor=False)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.caption(
                f"NL = {view.inner} inner layers after a first hidden layer: {view.inner + 1} hidden layers. At the start layer 1 gets "
                f"{against_last(compared.now.facts.log_ratio, 'the last layer’s')} gradient (RMS dL/dz).",
                width="stretch",
            )
            what_do_i_see(RUN_LEGEND)
    figure = _gradient(compared)
    with body:
        _log_and_gradient(view, losses, compared, figure)
    take_away(_run_parcel(view, losses, compared, figure), more=lambda: _open(view.inner, view.seed, runs=1))
    show_code(tutorial_table())
    _layers(view)
    _functions()
    work_on(running, SLICE, REPAINT)


def _gradient(compared: Compared) -> Drawn:
    larger = text_factor()
    return Drawn(
        "tutorial_figure",
        "Gradient by layer and epoch",
        lambda: beside_words(compared_figure(compared, VIEW, larger=larger)),
        describe_compared_figure(compared, VIEW),
    )


def _log_and_gradient(view: TutorialView, losses: Any, compared: Compared, figure: Drawn) -> None:
    words, picture = st.columns([1, 2.1 if presenting() else 1.6], gap="medium")
    with words, st.container(key="tutorial_log"):
        st.subheader("What the program prints", anchor=False)
        st.code(_shortened(log_lines(losses, view.experiment.epochs)), language=None)
        st.table(truth_rows(compared.now.history))
    with picture:
        st.subheader("What it does not show: the gradient of every layer", anchor=False)
        live_chart(figure, keep=f"{view.net} {view.inner}", above=300)


def _shortened(lines: list[str]) -> str:
    """Return the first lines of the log and the latest; all of it is in the CSV."""
    last = ROOM_LAST_LINES if presenting() else LAST_LINES
    if len(lines) > FIRST_LINES + last:
        lines = [*lines[:FIRST_LINES], "...", *lines[-last:]]
    return "\n".join(lines) or "(the first line comes after 1,000 epochs)"


def _run_parcel(view: TutorialView, losses: Any, compared: Compared, figure: Drawn) -> Parcel:
    tables: dict[str, Callable[[], str]] = {}
    if rows := log_rows(losses):
        tables["Log"] = lambda: table_csv({"epoch": epoch, "loss": loss} for epoch, loss in rows)
    tables["History"] = lambda: history_csv(compared.now.history)
    return Parcel(
        title=run_headline(view, losses, compared.now.history),
        sentences=lambda: log_lines(losses, view.experiment.epochs)[-1:],
        settings=[summary(view.experiment)],
        filename=f"tutorial_{view.net}_NL-{view.inner}_seed-{view.seed}",
        figures=[figure],
        tables=tables,
        experiment=view.experiment,
        lines=tutorial_lines(view),
        table=layer_rows(view.experiment),
    )


def _layers(view: TutorialView) -> None:
    """Draw the net as a summary of its layers prints it."""
    st.subheader("The layers", anchor=False)
    rows = layer_rows(view.experiment)
    st.caption(
        f"Every layer has a weight for each of its inputs and a bias for each unit: {rows[-1]['Param #']} parameters in all."
    )
    st.table(rows)


def _functions() -> None:
    """Draw the programs' two functions, written out, beside what stands for them in the engine."""
    table = tutorial_table()
    st.subheader("The programs' two functions", anchor=False)
    st.caption(
        "Left: each written out, as a program has it. Right: what does the same here, for many seeds at once. Tests hold them equal."
    )
    for own, title in ((clip_gradient_norm, CLIPPING), (residual_block, BLOCK)):
        left, right = st.columns([1, 1.4], gap="medium")
        with left:
            _code(title, [own])
        with right:
            _code("In the engine", table[title][1:])


def _code(title: str, pieces: Sequence[Piece]) -> None:
    st.markdown(f"**{title}**")
    for listing in listings(pieces):
        st.code(listing.text, language="python", wrap_lines=True)


# --- how deep fails -------------------------------------------------------------------------------


def _curve(shown: str, place: Any) -> None:
    """Draw for every NL how many seeds learn, and train on until all are known."""
    view = _ask(shown, place, "seeds", "epochs")
    sweeps = {net: view.sweep(net) for net in NETS}
    for net, sweep in sweeps.items():
        if refusal := refuse_cells(sweep, f"Training {net} nets with every NL", ()):
            st.warning(refusal, icon=":material/hourglass_disabled:")
            return
    head, progress = st.container(gap="xsmall", key="head"), st.container()
    with progress:
        running = Sweeps(sweeps.values())
    states = {state.sweep: state for state in running.states}
    solved = {
        net: {
            INNER[column]: (found.solved, found.runs) for (column, _), found in sorted(states[sweep].findings.items())
        }
        for net, sweep in sweeps.items()
    }
    title = curve_headline(solved, running.complete)
    caption = summary(sweeps[PLAIN].base, depth=f"NL 1 to {INNER[-1]}, {INNER[0] + 1} to {INNER[-1] + 1} hidden layers")
    high = with_height if presenting() else dict
    figure = Drawn(
        "tutorial_curve",
        "Seeds that learn, by NL",
        lambda: high(
            share_figure(
                [Shares.of(net, by_inner) for net, by_inner in solved.items()],
                INNER[-1],
                caption,
                across="NL: inner layers after the first hidden one",
                noun="NL",
            )
        ),
        " ".join(describe_shares(net, by_inner, "NL") for net, by_inner in solved.items()),
    )
    with head:
        st.header(title, anchor=False)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.caption(
                f"“Nets with five or more hidden layers fail”: {view.seeds} seeds for every NL, {view.epochs:,} epochs each, "
                "the tutorial's recipe.",
                width="stretch",
            )
            what_do_i_see(CURVE_LEGEND)
    live_chart(figure, keep="", on_click=lambda click: _open_clicked(view, click))
    take_away(_curve_parcel(view, title, caption, solved, figure), more=lambda: _open(INNER[-1], 0, view.seeds))
    show_code(tutorial_table())
    work_on(running, SLICE, 1.0)


def _curve_parcel(
    view: TutorialView, title: str, caption: str, solved: Mapping[str, Mapping[int, tuple[int, int]]], figure: Drawn
) -> Parcel:
    rows = [
        {"program": net, "NL": inner, "hidden layers": inner + 1, "seeds that learn": count, "seeds": runs}
        | dict(zip(("low", "high"), share_interval(count, runs), strict=True))
        for net, by_inner in solved.items()
        for inner, (count, runs) in by_inner.items()
    ]
    return Parcel(
        title=title,
        settings=[caption],
        filename=f"tutorial_by-NL_{view.seeds}-seeds_{view.epochs}-epochs",
        figures=[figure],
        tables={"Shares": lambda: table_csv(rows)} if rows else {},
        experiment=view.sweep(PLAIN).base,
        lines=tutorial_lines(view),
    )


def _open_clicked(view: TutorialView, click: Click) -> None:
    if round(click.x) in INNER:
        _explore(round(click.x), 0, view.seeds)


def _open(inner: int, seed: int, runs: int) -> None:
    """Offer both programs in Explore, the residual one held against the plain one."""
    st.button(f"Open both in Explore, NL = {inner}", key="tutorial_open", on_click=lambda: _explore(inner, seed, runs))


def _explore(inner: int, seed: int, runs: int) -> None:
    residual, plain = (program(net, inner).but(seed=seed, runs=runs) for net in (RESIDUAL, PLAIN))
    open_experiment(residual, plain)


# --- what is often said -----------------------------------------------------------------------------


def start_of(experiment: Settings) -> Training:
    """Return a training that ends with the first record, before any update."""
    return Training(experiment, record_at=[0])


class Measuring(Trainings):
    """The experiments of all claims, as `Work`: of most the start is enough."""

    def __init__(self, place: Any) -> None:
        super().__init__([], place)
        needed = [(claim.trains, experiment) for claim in CLAIMS.values() for _, experiment in claim.shown]
        make = {True: Training, False: start_of}
        self.jobs = [jobs().made_by(make[trains], experiment) for trains, experiment in needed]
        self.histories = [None] * len(self.jobs)

    def advance(self, seconds: float) -> None:
        """Take first records, then train on what training decides; a start is complete with its first record."""
        if None in self.histories:
            self.begin(seconds)
        else:
            self.histories = [*jobs().advance(self.jobs, seconds)]
        self.show_progress()

    def show_progress(self) -> None:
        """Draw how many of the experiments are done."""
        done = sum(job.complete for job in self.jobs) / len(self.jobs) if self.jobs else 1.0
        if done < 1 and self.place is not None:
            self.place.progress(done, text=f"Measuring: {done:.0%}")

    @property
    def results(self) -> int:
        """The number of experiments that are done."""
        return sum(job.complete for job in self.jobs)

    @property
    def lacks_first(self) -> bool:
        """No first result is drawn at once: several come within a repaint."""
        return False

    @property
    def over(self) -> bool:
        """Whether every number is known."""
        return None not in self.histories and all(job.complete for job in self.jobs)

    def values(self) -> dict[str, float]:
        """Return the number of every claim by its name; NaN where it is not measured yet."""
        known, found = iter(zip(self.jobs, self.histories, strict=True)), dict[str, float]()
        for name, claim in CLAIMS.items():
            mine = {which: next(known) for which, _ in claim.shown}
            shown = {
                which: diagnose(history)
                for which, (job, history) in mine.items()
                if job.complete and history is not None
            }
            found[name] = claim.measure(shown) if len(shown) == len(mine) else math.nan
        return found


def _said(shown: str, place: Any) -> None:
    """Draw what is often said, what was measured, and what nets do."""
    view = TutorialView(shown=shown)
    head, progress, body = st.container(gap="xsmall", key="head"), st.empty(), st.container()
    measuring = Measuring(progress)
    measuring.advance(SLICE)
    values = measuring.values()
    with head:
        st.header(claim_headline(values), anchor=False)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.caption("Each is put to the test here: one or two experiments, many seeds, one number.", width="stretch")
            what_do_i_see(SAID_LEGEND)
    figure = Drawn(
        "tutorial_said",
        "What is often said, and what is measured",
        lambda: said_figure([Said(name, value, CLAIMS[name].low, CLAIMS[name].high) for name, value in values.items()]),
        " ".join(
            f"{name}: {CLAIMS[name].verdict(value)}." + ("" if math.isnan(value) else f" {CLAIMS[name].told(value)}.")
            for name, value in values.items()
        ),
    )
    with body:
        live_chart(figure, keep="", lowest=500)
    take_away(
        Parcel(
            title=claim_headline(values),
            settings=["Every number from the experiment beside it, measured here"],
            filename="tutorial_what-is-said",
            figures=[figure],
            tables={"Claims": lambda: table_csv(claim_rows(values))},
            lines=tutorial_lines(view),
            table=claim_rows(values),
        )
    )
    for name, value in values.items():
        _claim(CLAIMS[name], value)
    work_on(measuring, SLICE, REPAINT)


def _claim(claim: Claim, value: float) -> None:
    """Draw one claim: what was measured, the verdict, what nets do, and the way to its experiment."""
    with st.container(border=True, key=f"tutorial_claim_{list(CLAIMS).index(claim.name)}"):
        said, found, opens = st.columns([1.2, 2, 0.6], vertical_alignment="center")
        said.markdown(f"“{claim.name}”: **{claim.verdict(value)}**")
        theory = f" Theory: {claim.formula}." if claim.formula else ""
        found.markdown(f"{claim.caption}{theory}")
        told = NOT_YET.capitalize() if math.isnan(value) else f"Measured, {claim.told(value)}"
        found.caption(f"{told}.{f' {claim.source}.' if claim.source else ''}")
        opens.button(
            f"Open in {keys_of(kind_of(claim.experiment)).home}",
            key=f"tutorial_open_{list(CLAIMS).index(claim.name)}",
            on_click=lambda: open_experiment(claim.experiment, claim.baseline, claim.compare),
        )


SHOWN: Mapping[str, Callable[[str, Any], None]] = {RUN: _run, CURVE: _curve, SAID: _said}

PAGE = Page(
    title="Tutorial",
    path="tutorial",
    show=show,
    controls=TUTORIAL_CONTROLS,
)
