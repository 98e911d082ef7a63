"""Walk: one sample through one net and its gradient back, box by box, with the numbers and the code behind each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.choices.controls import controls_of, numeric
from explorer.choices.experiment import Experiment
from explorer.diagnosis.walk import MOST_SECONDS, Factor, Walk, no_walk, of_parameters, parameters_at, walk_epochs
from explorer.diagnosis.walk_graph import MOST_ENTRIES, NOTHING, Graph, graph
from explorer.diagnosis.wording import number, summary
from explorer.figures import plain, theme
from explorer.sharing.code import walk_code, walk_table
from explorer.sharing.notebook import walk_lines
from explorer.sharing.offline_page import walk_part
from explorer.sharing.saved import filename, table_csv
from explorer.training.cost import refuse
from explorer.training.kinds import LAYERS
from explorer.training.recording import Ending
from explorer.ui import live_chart
from explorer.ui.lecture import text_factor
from explorer.ui.link import lead_out
from explorer.ui.live_chart import Drawn
from explorer.ui.look import framed
from explorer.ui.page import VIEW, Page, what_do_i_see
from explorer.ui.sidebar import chosen
from explorer.ui.take_away import Parcel, show_code, take_away
from explorer.ui.widgets import ask_offered, present_value

LEGEND = (
    "**Upper row**: the forward pass of one sample, from left to right. z = a W + b, then a = f(z). b is the "
    "weights of one more input, which is always 1: it stands below W as its last row.",
    "**Lower row**: the backward pass, from right to left. dL/da arrives at a layer, dL/dz leaves it. L is the loss over the "
    "whole data set, so these are the sample's own share of the full-batch gradient.",
    "**Between them**: what both passes use. The weights W multiply forward and, transposed, back; the slope f' multiplies back.",
    "**The colour on a lower box** is the norm of its gradient over ‖dL/dz‖ of the last layer: white as large, violet vanished, orange "
    "exploded, over eight powers of ten to both sides; grey is exactly 0. Whatever is infinite or NaN is red, in both rows.",
    "**Pink arrows** are skips: forward they add what an earlier layer handed on, back they bring the gradient along unchanged. "
    "In the lower row, the box where one arrives has both summands and their sum.",
    "**Below**, × is what the step back multiplies ‖dL/dz‖ by: the norm that leaves over the norm that arrives. Its parts have "
    "the names that they have in *Why* on Explore, which takes the RMS over units, samples and seeds in place of the norm: the step from "
    "the one output unit, and with it the whole ratio, is smaller there by √width. At the end, the product of all factors stands "
    "beside the measured ratio.",
    f"Up to {MOST_ENTRIES} units a layer's entries are written out, of wider layers the norm. Of a deep net only the first layers and "
    "the last two are drawn; the factors of the others are still multiplied.",
)
PREFIX, FIGURE_KEY, STEP_KEY = "walk_", "walk_graph", "walk_step"


@dataclass(frozen=True, kw_only=True)
class WalkView:
    """Which sample walks through which net, and when."""

    sample: int = numeric(
        VIEW, "Sample", "Which sample of the data set goes through the net.", low=1, high=1_000_000, default=1
    )
    run: int = numeric(
        VIEW, "Seed number", "Which of the seeds in the sidebar: 1 is the first seed.", low=1, high=512, default=1
    )
    epoch: int = numeric(
        VIEW,
        "Epoch",
        "When: 0 is before any update. For a later epoch this one seed is trained anew up to it, at most about "
        f"{MOST_SECONDS:.0f} seconds.",
        low=0,
        high=1_000_000,
        default=0,
    )
    step: int = numeric(
        VIEW,
        "Step",
        "How far both passes have come. The graph itself writes it into the link, at every step.",
        low=1,
        high=1000,
        default=1,
    )


CONTROLS = {f"{PREFIX}{name}": control for name, control in controls_of(WalkView).items()}

_HTML = """
<div class="walk drawing" role="group">
  <div class="top"><div class="bar">
    <button class="first" type="button">Start</button><button class="back" type="button">Back</button><button
      class="next main" type="button">Next step</button><button class="last" type="button">End</button>
    <button class="turn" type="button">Backward pass</button><button class="play" type="button">Play</button>
  </div>
  <p class="says" aria-live="polite"></p></div>
  <div class="graph"><svg role="group" aria-label="The computational graph; each box is a button that opens its arithmetic"></svg></div>
  <div class="told"><p class="about"></p><pre class="arithmetic" tabindex="0" aria-label="Arithmetic"></pre>
    <p class="where"></p><pre class="engine" tabindex="0" aria-label="Code"></pre></div>
  <span class="said" aria-live="polite"></span>
</div>
"""
_CSS = """
.walk { color: var(--st-text-color); font-family: var(--st-font); }
[data-testid=stMainBlockContainer]:has(.walk) { padding: 4.2rem max(1rem, 2vw) 2rem; }
.walk .top { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem 1.5rem; margin-bottom: .3rem; }
.walk .bar { display: flex; flex-wrap: wrap; gap: .5rem; }
.walk button { font: inherit; font-size: 1rem; color: inherit; background: var(--st-background-color); cursor: pointer;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); padding: .3rem 1rem; min-height: 2.5rem; }
.walk button.main { color: var(--st-background-color); background: var(--st-primary-color); font-weight: 600; min-width: 8rem; }
.walk button:hover:enabled { border-color: var(--st-primary-color); }
.walk button:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 2px; }
.walk button:disabled { opacity: .5; cursor: default; }
.walk .says { font-size: clamp(1.05rem, 1.25vw, 2rem); line-height: 1.3; min-height: 2.6em; margin: 0;
  flex: 1 1 24rem; display: flex; align-items: center; }
.walk .graph { overflow-x: auto; scrollbar-width: thin; }
.walk .graph svg { display: block; color: var(--st-text-color); }
.walk .graph g[data-key]:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 3px; }
.walk .told { font-size: calc(1.05rem * var(--larger, 1)); min-height: 12rem; }
.walk .told p { margin: .5rem 0 .2rem; }
.walk .told .about { font-weight: 600; font-size: 1.1em; }
.walk pre { font-size: calc(1rem * var(--larger, 1)); line-height: 1.4; margin: 0; padding: .5rem .8rem; overflow: auto; max-height: 17rem;
  background: var(--st-secondary-background-color); color: inherit; border-radius: 6px; }
.walk .said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
"""
_component = st.components.v2.component(
    "explorer_walk",
    html=_HTML,
    css=_CSS,
    js=plain.FOLD + plain.WALK + Path(live_chart.__file__).with_name("walk.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


# --- the walk that is shown -----------------------------------------------------------------------


@st.cache_resource(max_entries=16, show_spinner="Training one seed up to this epoch", hash_funcs={Experiment: hash})
def _parameters(experiment: Experiment, seed: int, epoch: int) -> Any:
    """Train one seed, once for all of its samples."""
    return parameters_at(experiment, seed, epoch)


def _ask(experiment: Experiment, epochs: list[int]) -> WalkView:
    """Ask which sample, seed and epoch, of those that there are."""
    offered = {"sample": range(1, experiment.sample_count + 1), "run": range(1, experiment.runs + 1), "epoch": epochs}
    values: dict[str, int] = {}
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom", key=f"{PREFIX}view"):
        for name, options in offered.items():
            key = f"{PREFIX}{name}"
            values[name] = ask_offered(key, CONTROLS[key], options, every=name == "epoch", width="stretch")
    # No widget: the graph itself writes it into the link.
    step = present_value(STEP_KEY, CONTROLS[STEP_KEY])
    return WalkView(**values, step=step)


def _follow(experiment: Experiment, view: WalkView) -> Walk:
    seed = experiment.seed + view.run - 1
    theta, ending = _parameters(experiment.but(runs=1, seed=seed), seed, view.epoch)
    return of_parameters(experiment, theta, seed=seed, sample=view.sample, epoch=view.epoch, ending=ending)


def _headline(walk: Walk) -> str:
    hidden = len(walk.layers) - 1
    if walk.lost:
        name, layer = walk.lost
        why = "this seed has diverged" if walk.ending else "the net overflows before any update"
        return f"{name} of layer {layer} is infinite or NaN: {why}"
    if walk.ratio != walk.ratio:
        return "dL/dz of the output is exactly 0: nothing goes back"
    through = f"{hidden} hidden layer{'s' * (hidden > 1)}"
    return f"On its way back through {through}, this sample's ‖dL/dz‖ is multiplied by {number(walk.ratio)}"


def _diverged(ending: Ending, seed: int) -> str:
    return (
        f"Seed {seed} has diverged: in epoch {ending.epoch:,} {ending.quantity} of layer {ending.layer} became infinite or NaN, and "
        "training ended. These are its numbers then; what is not finite is red. Earlier epochs are finite, and other seeds may be."
    )


def describe(walk: Walk, drawn: Graph) -> str:
    """Say in words what the graph shows."""
    told = ". ".join(map(_say_factor, walk.factors))
    return f"Computational graph of {len(walk.layers)} layers, in {len(drawn.steps)} steps. On the way back: {told}. {drawn.result}"


def _say_factor(factor: Factor) -> str:
    if factor.nothing:
        return f"Layer {factor.layer}: {NOTHING}"
    parts = (f"{name} {number(value)}" for name, value in factor.parts.items())
    return f"Layer {factor.layer}: × {number(factor.total)}, {', '.join(parts)}"


def _note_step() -> None:
    """Keep the step, of which the browser tells when something is to be taken away, where the link is known."""
    step = st.session_state[FIGURE_KEY].step
    if step and step > 1:
        st.query_params[STEP_KEY] = str(step)
    elif STEP_KEY in st.query_params:
        del st.query_params[STEP_KEY]


def _draw(walk: Walk, drawn: Graph, step: int) -> Drawn:
    """Send the whole walk; its steps need the server no more."""
    figure = Drawn(FIGURE_KEY, "The walk back", dict, describe(walk, drawn))
    with framed() as fills:
        _component(
            key=FIGURE_KEY,
            data={
                "graph": plain.text(drawn.plain()),
                "alt": figure.alt,
                "look": theme.WALK,
                "code": {
                    name: {"where": f"{line.name} in {line.module}, line {line.line}", "text": line.text}
                    for name, line in walk_code(walk.experiment).items()
                },
                "inLink": STEP_KEY,
                "step": step,
                "wide": max(walk.experiment.width, len(walk.x)) > MOST_ENTRIES,
                "larger": text_factor(),
            },
            on_step_change=_note_step,
        )
        if fills:
            lead_out()
    return figure


def show() -> None:
    """Draw the page, or say what is in the way."""
    experiment, baseline = chosen()
    if refusal := refuse(experiment):
        st.warning(refusal, icon=":material/hourglass_disabled:")
        st.stop()
    if reason := no_walk(experiment):
        st.info(reason, icon=":material/footprint:")
        st.stop()
    epochs = walk_epochs(experiment)
    head, picture = st.container(gap="xxsmall", key="head"), st.container()
    view = _ask(experiment, epochs)
    if epochs[-1] < experiment.epochs:
        st.caption(
            f"Epochs up to {epochs[-1]:,} of {experiment.epochs:,}: one seed is trained anew for about {MOST_SECONDS:.0f} seconds at most."
        )
    walk = _follow(experiment, view)
    drawn = graph(walk)
    title, settings = _headline(walk), f"Seed {walk.seed}, sample {walk.sample}, epoch {walk.epoch:,}"
    with head:
        st.header(title, anchor=False)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.caption(
                f"{settings}. Keys: → and ← for one step, Home and End for the first and the last. A click on a box opens its arithmetic.",
                width="stretch",
            )
            what_do_i_see(LEGEND)
    with picture:
        if walk.ending is not None:
            st.warning(_diverged(walk.ending, walk.seed), icon=":material/error:")
        figure = _draw(walk, drawn, view.step)
    take_away(
        Parcel(
            title=title,
            settings=[summary(experiment), settings],
            filename=f"walk_{filename(experiment)}",
            figures=[figure],
            tables={"Factors": lambda: table_csv(walk.rows())},
            experiment=experiment,
            baseline=baseline,
            part=lambda: walk_part(drawn.plain(), theme.WALK, figure.alt, view.step),
            lines=walk_lines(walk, view.epoch, view.step),
            table=[
                {name: number(value) if isinstance(value, float) else value for name, value in row.items()}
                for row in walk.rows()
            ],
        )
    )
    show_code(walk_table(experiment))


PAGE = Page(title="Walk", path="walk", show=show, kind=LAYERS, controls={**CONTROLS})
