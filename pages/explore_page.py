"""Explore: train one network, see its gradients by layer and epoch, flip a remedy."""

from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import streamlit as st

from explorer.choices.comparisons import with_baseline
from explorer.choices.experiment import Experiment
from explorer.diagnosis.comparison import Compared, compare, compare_gradients
from explorer.diagnosis.decomposition import Why
from explorer.diagnosis.diagnose import Diagnosis
from explorer.diagnosis.lens import Lens, look
from explorer.diagnosis.verdict import VERDICTS, Verdict
from explorer.diagnosis.wording import decades, number, summary
from explorer.figures.explore import (
    EPOCH_AXES,
    MAP_AXES,
    compared_figure,
    describe_compared_figure,
    describe_why,
    why_figure,
)
from explorer.figures.lens import RIDGES, describe_lens, lens_figure
from explorer.figures.view import LENS, LENS_CONTROLS, VIEW_CONTROLS, LensView, View, of_seed
from explorer.sharing.code import explore_table, lens_code
from explorer.sharing.notebook import explore_lines
from explorer.sharing.saved import filename, history_csv, lens_csv
from explorer.sharing.textbook import written
from explorer.stories.scenarios import SCENARIOS, matching, scenarios_of
from explorer.training.answers import AnswerMap, answer_map
from explorer.training.cost import refuse
from explorer.training.history import History
from explorer.training.kinds import LAYERS
from explorer.training.network import Architecture, architecture
from explorer.ui.ahead import trained
from explorer.ui.between_pages import go_to, set_values
from explorer.ui.compare_with import compare_with, offer_trials, tell_of_trials, tried_ahead
from explorer.ui.lecture import presenting, text_factor
from explorer.ui.link import NOT_SETTINGS
from explorer.ui.live_chart import Click, Drawn, live_chart, replay_button
from explorer.ui.look import FIRST_LINE_KEY, VERDICT_KEY, place_of_progress, place_of_why, reserve, tell_why
from explorer.ui.page import Page, what_do_i_see
from explorer.ui.sidebar import chosen, set_experiment
from explorer.ui.take_away import Parcel, show_code, take_away
from explorer.ui.training_loop import Trainings, work_on
from explorer.ui.widgets import ask_offered, ask_view, choose_epoch, present_value
from pages import remedies_page
from pages.walk_page import PAGE as WALK_PAGE

LEGEND = (
    "**On top**, the net: a box for each layer, input at the left. The height of its bar is the gradient there, in powers of "
    "ten; backpropagation goes from right to left. Grey bars are the baseline's. Replay runs through the training.",
    "**Colours**: rows are layers, 1 nearest the input, the output on top; columns are epochs of training. White: as much "
    "gradient as at the last layer; violet: it has vanished on its way back; orange: it has exploded. The colour bar is in "
    "powers of ten.",
    "**Right of it**, the same numbers at one epoch. Upright: every layer learns at one pace. Leaning to the left, "
    "downwards: the gradient vanishes on its way back.",
    "**Dotted** at the start, **dashed** what theory predicts, **band** the middle half of the seeds.",
    "**Above the colours**, the loss of every seed, thick the median; in the corner, what the nets answer, where there is room for "
    "one only that of median loss.",
    "**Grey** is exactly 0, **red** infinite or NaN: neither is a colour of the scale.",
    "With a **baseline** pinned, it stands at the left on the same scales.",
)
NUMBER_WIDTH, BUTTONS_WIDTH = 130, 150  # pixels: five numbers and the buttons fit a laptop, two numbers a phone
NOTHING = "\N{NO-BREAK SPACE}"
# Pixels that all but the figure needs, and that it keeps: on a laptop both maps end above the fold, and their axis too.
ABOVE, LOWEST = 366, 560
# In a lecture room, of 1080: for the row and the progress below the figure.
FOOT = 128
FIGURE_KEY = "joint_figure"
IN_THE_ROW, BEHIND_A_BUTTON = ("metric",), ("colour", "axis", "range")
# Seconds: of the first slice, for the first picture comes before anything else is trained; of the others; and between
# two repaints, for one of which a browser needs about a third of a second.
FIRST_SLICE, SLICE, REPAINT = 0.04, 0.1, 0.7

# The tabs below the figure. Which of them is open is not in the link, but a link that says what the lens looks at opens it:
# were the tabs bound to the address, their report would at times call back a browser that is on its way to another page.
DETAILS_KEY, ASKED_KEY, LENS_TAB = "details", "_lens_asked", "Lens"
DETAILS = ("Why", LENS_TAB, "Layers", "How to read this")
LENS_SETTINGS = {f"{LENS}{name}": each for name, each in LENS_CONTROLS.items()}
CONTROLS = {**VIEW_CONTROLS, **LENS_SETTINGS}

# --- first visit ---------------------------------------------------------------------------------

WELCOME_KEY = "_welcome"
SKIPS, DYING = "The same with skips: learns", "Dying ReLU"


def _first_visit() -> bool:
    """Whether somebody came without settings in the link, and has not closed the welcome."""
    return bool(st.session_state.setdefault(WELCOME_KEY, not set(st.query_params) - NOT_SETTINGS))


def _welcome() -> None:
    """Say in one line what this is and what to try, until it is closed."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="welcome"):
        st.markdown("See why gradients vanish or explode, in real training. **Try:**", width="content")
        st.button("Skip connections", on_click=lambda: _open_scenario(SKIPS), key="try_skips")
        st.button("Dying ReLU", on_click=lambda: _open_scenario(DYING, metric="dead"), key="try_dying")
        st.button("All remedies", on_click=lambda: go_to(remedies_page.PAGE.title), key="try_remedies")
        st.button(
            "Close",
            icon=":material/close:",
            type="tertiary",
            on_click=lambda: _set(WELCOME_KEY, False),
            key="close_welcome",
        )


def _set(key: str, value: object) -> None:
    st.session_state[key] = value


def _open_scenario(name: str, metric: str = "dL/dz") -> None:
    scenario = SCENARIOS[name]
    set_experiment(scenario.experiment, scenario.baseline)
    set_values({"metric": metric})


# --- the verdict and the key numbers -------------------------------------------------------------


def _headline(compared: Compared) -> None:
    """Draw the verdict, why, and the key numbers; with a baseline, the headline is what the change did."""
    now, before = compared.now, compared.baseline
    told = now.sentence if before is None else compare(before.facts, now.facts)
    # Beside a baseline the key numbers say what the start was like.
    why = now.start_sentence if before is None else f"{compare_gradients(before.facts, now.facts)} **{now.sentence}**"
    reserve(told)
    with st.container(gap="xxsmall", key=VERDICT_KEY):
        with st.container(key=FIRST_LINE_KEY):
            _welcome() if _first_visit() else _scenario_line(compared)
        st.header(told, anchor=False, help=_rules(now.rule))
        with st.container(horizontal=True, gap="small"):
            with place_of_why():
                tell_of_trials(now, partial(_tell_why, why, now), unasked=not presenting())
            with st.container(horizontal=True, gap="small", vertical_alignment="bottom", width="content"):
                _draw_numbers(compared)


def _tell_why(why: str, now: Diagnosis, tried: str) -> None:
    # A lecturer may want to ask first what helps. What is tried takes more words than the rule.
    ill = now.facts.complete and not now.good
    tell_why(f"{why} {tried or ('' if presenting() else now.advice_sentence)}", small=ill)


def _scenario_line(compared: Compared) -> None:
    named = matching(compared.now.history.experiment, (compared.baseline or compared.now).history.experiment)
    st.caption(SCENARIOS[named].caption if named else "Your own settings.")


def _numbers(compared: Compared, shown: Diagnosis) -> list[tuple[str, str, str]]:
    """Return the key numbers of one of the two; clipping is among them only if an experiment clips."""
    clips = any(experiment.clipper.limits for experiment in compared.experiments.values())
    return _key_numbers(shown)[: 5 if clips else 4]


def _draw_numbers(compared: Compared) -> None:
    """Draw the key numbers in a row, which wraps on a phone; with or without a baseline they take the same room."""
    before = None if compared.baseline is None else _numbers(compared, compared.baseline)
    numbers = _numbers(compared, compared.now)
    for index, (label, value, _) in enumerate(numbers):
        old = f"from {before[index][1]}" if before else NOTHING
        st.metric(label, value, delta_description=old, width="content" if presenting() else NUMBER_WIDTH)
    with st.container(width=BUTTONS_WIDTH, gap=None):
        offer_trials(compared.now, unasked=not presenting())
        what_do_i_see([*LEGEND, *(f"**{label}**: {meaning}" for label, _, meaning in numbers)])


def _rules(verdict: Verdict) -> str:
    lines = [f"- **{rule.name}**: {rule.caption}" for rule in VERDICTS.values()]
    return (
        f"The rule behind “{verdict.name}”: {verdict.caption}\n\nThe first of these that holds is the verdict:\n\n"
        + "\n".join(lines)
    )


def _clipped(experiment: Experiment, share: float) -> str:
    if not experiment.clipper.limits:
        return "none"
    return "none yet" if np.isnan(share) else f"{share:.0%}"


def _key_numbers(diagnosis: Diagnosis) -> list[tuple[str, str, str]]:
    """Return the label, value and meaning of each key number of a history."""
    experiment, facts = diagnosis.history.experiment, diagnosis.facts
    factor, no_theory = diagnosis.theory_factor, diagnosis.theory.reasons.get("delta")
    expected = "no theory" if factor is None else f"theory\N{NO-BREAK SPACE}{number(factor)}"
    loss = experiment.loss_function
    return [
        (
            "First layer against last",
            decades(facts.log_ratio),
            "At the start, median over seeds: RMS dL/dz of the first layer over that of the output layer.",
        ),
        (
            f"Per layer ({expected})",
            "none" if np.isnan(facts.log_factor) else decades(facts.log_factor),
            "The factor by which dL/dz changes per layer on its way back from the last hidden layer to the first. "
            + (no_theory or "Theory: mean field for a median seed, corrected for the layers' finite width."),
        ),
        (
            "Seeds that learn it",
            f"{facts.solved} of {facts.runs}",
            f"Seeds whose mean squared error is below the data set's bound, {experiment.dataset.solved_below:g}.",
        ),
        (
            "Loss, median",
            number(facts.loss_end),
            f"At epoch {facts.epoch:,}; a seed that is not finite counts as the largest. {loss.name.capitalize()}: {loss.formula}",
        ),
        (
            "Clipped updates",
            _clipped(experiment, facts.clipped_share),
            "Share of all updates so far whose gradient clipping made smaller.",
        ),
    ]


# --- the figure and what stands below it ---------------------------------------------------------


def _figures(compared: Compared, view: View, answers: AnswerMap | None, why: Why) -> tuple[Drawn, Drawn]:
    """Make the main figure, and that of what multiplies the gradient at each layer."""
    larger = text_factor()
    return (
        Drawn(
            FIGURE_KEY,
            "Gradient by layer and epoch",
            lambda: compared_figure(compared, view, answers, larger=larger),
            describe_compared_figure(compared, view),
        ),
        Drawn("why", "Why: what multiplies the gradient", lambda: why_figure(why), describe_why(why)),
    )


def _draw(compared: Compared, place: Any, view: View, answers: AnswerMap | None) -> None:
    """Draw the main figure in its place, and further below a note, what can be taken away, its code, and the tabs."""
    now, why = compared.now, compared.now.why(view.at)
    experiment = now.history.experiment
    main, parts = _figures(compared, view, answers, why)
    with place:
        live_chart(
            main,
            keep=f"{view.axis} {view.metric} {experiment.epochs}",
            filename=filename(experiment),
            on_click=lambda click: _choose(experiment, click),
            above=ABOVE,
            lowest=LOWEST,
            foot=FOOT,
        )
    if np.isnan(now.history.measures[view.diagnostic.name][:, 0]).all():
        st.caption(f"Nothing to show: {view.metric} is not defined for {experiment.activation} in this net.")
    elif note := now.theory.note(view.diagnostic):
        st.caption(note)
    row = st.container()
    # As the link had it when it was opened: tabs with another default would be other tabs.
    first = LENS_TAB if st.session_state[ASKED_KEY] else None
    why_tab, lens_tab, layers_tab, reading_tab = st.tabs(DETAILS, default=first, key=DETAILS_KEY, on_change="rerun")
    lens = None
    if lens_tab.open:
        with lens_tab:
            lens = _lens(compared, view)
    with row:
        take_away(_parcel(compared, view, [main, parts], lens), more=_offer_walk)
        code = explore_table(experiment, view, now.rule) | ({"Lens": lens_code()} if lens else {})
        show_code(code, written(experiment))
    with why_tab:  # also while it is closed: its figure can be saved
        _why(now.history, view, why, parts)
    if layers_tab.open:
        layers_tab.table(layer_table(experiment))
    if reading_tab.open:
        with reading_tab:
            _reading(view)


def _choose(experiment: Experiment, click: Click) -> None:
    """Move the slider to the epoch that was clicked; on a map, while the lens is open, to the layer as well."""
    if click.panel in EPOCH_AXES:
        choose_epoch(experiment, click.x)
        if click.up in MAP_AXES and st.session_state.get(DETAILS_KEY) == LENS_TAB:
            _choose_layer(experiment, click.y)


def _choose_layer(experiment: Experiment, layer: float) -> None:
    set_values({f"{LENS}layer": min(max(round(layer), 1), experiment.depth)})


def _parcel(compared: Compared, view: View, figures: list[Drawn], looked: tuple[Lens, Drawn] | None) -> Parcel:
    """Collect what can be downloaded from Explore; what the lens shows while it is open."""
    now, before = compared.now, compared.baseline
    experiment = now.history.experiment
    given: dict[str, Any] = {
        "title": now.sentence,
        "settings": [summary(experiment)],
        "tables": {"History": lambda: history_csv(now.history)},
    }
    if before is not None:
        baseline = before.history.experiment
        given["title"] = compare(before.facts, now.facts)
        given["sentences"] = lambda: [compare_gradients(before.facts, now.facts), now.sentence]
        given["settings"] = [f"Now: {summary(experiment)}", f"Baseline: {summary(baseline)}"]
        given["tables"]["Baseline, its history"] = lambda: history_csv(before.history)
    lens = None
    if looked is not None:
        lens, drawn = looked
        figures = [*figures, drawn]
        given["tables"]["Lens, histograms"] = lambda: lens_csv(looked[0])
    return Parcel(
        filename=filename(experiment),
        figures=figures,
        lines=explore_lines(experiment, None if before is None else before.history.experiment, lens, view),
        experiment=experiment,
        baseline=(before or now).history.experiment,
        table=layer_table(experiment),
        **given,
    )


def _why(history: History, view: View, why: Why, parts: Drawn) -> None:
    epoch = int(history.epochs[history.at(view.at)])
    st.markdown(
        "On its way back, dL/dz passes the **weights** of the layer above, picks up what a **skip** brings, is multiplied "
        "by the activation's **slope** and goes through the **normalization**. In decades these add up: one decade to the "
        f"left is a gradient ten times smaller. Epoch {epoch:,}, {_over(why.seeds)}."
    )
    live_chart(parts, keep=str(len(why.total)))


def _over(seeds: int) -> str:
    if not seeds:
        return "where no seed has a gradient that is finite and not 0 in every layer"
    return f"mean over the {seeds} seeds whose gradient is finite and not 0 in every layer" if seeds > 1 else "one seed"


def _lens(compared: Compared, view: View) -> tuple[Lens, Drawn]:
    """Ask for the layer and the seeds, and draw what the activation receives there."""
    now, before = compared.now.history, compared.baseline
    chosen = _ask_lens(now.experiment)
    lens = look(now, view.at, chosen.layer, of_seed(chosen.seed))
    # The baseline at the same epoch.
    other = None if before is None else look(before.history, lens.epoch, chosen.layer, of_seed(chosen.seed))
    larger = text_factor()
    drawn = Drawn(
        "lens",
        "Lens: z at a layer, and the slope there",
        lambda: lens_figure(lens, other, summary(now.experiment), larger),
        describe_lens(lens, other),
    )
    live_chart(
        drawn,
        keep=f"{now.experiment.activation} {now.experiment.depth}",
        filename=f"lens_{filename(now.experiment)}",
        on_click=lambda click: _choose_layer(now.experiment, click.y) if click.panel == RIDGES else None,
    )
    return lens, drawn


def open_lens(layer: int, epoch: int) -> None:
    """Have Explore open with the lens at a layer and an epoch; for callbacks."""
    set_values({f"{LENS}layer": layer, "at": epoch})
    st.session_state.update({ASKED_KEY: True, DETAILS_KEY: LENS_TAB})


def _keep_what_is_asked_of_the_lens() -> None:
    """Keep what a link says of the lens: a run that ends before its tab is drawn would lose it from the address."""
    if ASKED_KEY not in st.session_state:
        asked = {name: present_value(name, each) for name, each in LENS_SETTINGS.items() if name in st.query_params}
        st.session_state.update(asked)
        st.session_state[ASKED_KEY] = bool(asked)


def _ask_lens(experiment: Experiment) -> LensView:
    ranges = {"layer": range(1, experiment.depth + 1), "seed": range(experiment.runs + 1)}
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="lens_row"):
        return LensView(
            **{name: ask_offered(f"{LENS}{name}", LENS_CONTROLS[name], offered) for name, offered in ranges.items()}
        )


def _reading(view: View) -> None:
    diagnostic = view.diagnostic
    source = f" ({diagnostic.source})" if diagnostic.source else ""
    st.markdown(f"**{diagnostic.title}**: {diagnostic.caption}{source}")
    st.markdown(
        "- **Row of layers**, on top: the same numbers at the chosen epoch as the heights of bars.\n"
        "- **Heatmap**: rows are layers, 1 nearest the input; columns are epochs. The colour is the median over seeds.\n"
        "- **Profile**, right: the same numbers at the chosen epoch, on the same layers; its axis is the colour bar. "
        "The band holds the middle half of the seeds. Dotted: before any update. Dashed: theory of the start, for a median "
        "seed.\n"
        "- **Loss**, above: thick the median, thin every seed.\n"
        "- Grey means exactly 0, orange-red infinite or NaN: neither is a colour of the scale. Triangles mark values beyond it.\n"
        "- Colours and axes stay where they are when a setting changes, so two pictures can be compared."
    )


# --- the layers as a table -----------------------------------------------------------------------


def layer_table(experiment: Experiment) -> list[dict[str, str]]:
    """Return shapes and parameters as a table: one row per layer, first to last, and a row with the total."""
    shape = architecture(experiment)
    # The fan_out of a convolution counts places too, and W has a column for each channel.
    columns = f"W (fan_in, {'channels' if experiment.layer_kind.slides else 'fan_out'})"
    rows = []
    for layer in range(shape.layers):
        fan_in, fan_out = shape.fan(layer)
        places = f"{shape.places}, " if shape.places > 1 and layer < shape.depth else ""
        weights, output = f"({fan_in}, {fan_out})", f"(samples, {places}{fan_out})"
        words = _layer_words(experiment, shape, layer)
        rows.append((str(layer + 1), words, weights, output, f"{shape.parameters(layer):,}"))
    total = sum(shape.parameters(layer) for layer in range(shape.layers))
    names = ("Layer", "What it is", columns, "Output shape", "Parameters")
    return [dict(zip(names, row, strict=True)) for row in (*rows, ("total", "", "", "", f"{total:,}"))]


def _layer_words(experiment: Experiment, shape: Architecture, layer: int) -> str:
    if layer == shape.depth:
        return f"{'mean over places, ' * (shape.places > 1)}output, {experiment.output.name}"
    words = "convolution, " * (shape.places > 1)
    words += f"{experiment.normalization} norm, " * shape.normalized + experiment.activation
    source = shape.shortcut_source(layer)
    return words if source is None else f"{words}, plus the output of layer {source}"


def _offer_walk() -> None:
    """Lead to the page that walks one sample through this net and back."""
    st.button(
        "Walk through it",
        key="open_walk",
        icon=":material/footprint:",
        on_click=lambda: go_to(WALK_PAGE.title),
        help="One sample forward and its gradient back, box by box, with every multiplication.",
    )


# --- the page ------------------------------------------------------------------------------------


def show() -> None:
    """Draw Explore, or say what is in the way; train on until both are complete."""
    _keep_what_is_asked_of_the_lens()
    experiment, baseline = chosen()
    if refusal := refuse(experiment):
        st.warning(refusal, icon=":material/hourglass_disabled:")
        st.stop()
    if baseline is not None and (refusal := refuse(baseline)):
        st.warning(f"The baseline is not trained. {refusal}", icon=":material/hourglass_disabled:")
        baseline = None
    experiments = with_baseline(experiment, baseline)
    head, figure = st.container(gap="xsmall", key="head"), st.container()
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="row"):
        replay_place = st.container(width="content")
        compare_with(LAYERS, experiment, baseline)
        view = ask_view(View, IN_THE_ROW, BEHIND_A_BUTTON, experiment)
    trainings = Trainings(list(experiments.values()), place_of_progress(), f"Training {experiment.epochs:,} epochs")
    compared = Compared.of(experiments, trainings.train(FIRST_SLICE))
    with head:
        _headline(compared)
    with replay_place:
        replay_button(FIGURE_KEY, ready=trainings.over, by_itself=_first_visit())
    _draw(compared, figure, view, trainings.jobs[-1].ask(answer_map) if not experiment.dataset.truth_table else None)
    work_on(trainings, SLICE, REPAINT)


PAGE = Page(
    title="Explore",
    path="explore",
    show=show,
    kind=LAYERS,
    pins=False,
    controls=CONTROLS,
    ahead=lambda: chain(
        (
            trained([entry.experiment, entry.baseline or entry.experiment])
            for entry in scenarios_of(Experiment).values()
        ),
        (tried_ahead(entry.experiment) for entry in scenarios_of(Experiment).values()),
    ),
)
