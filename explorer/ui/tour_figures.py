"""The tour's figures: histories of a scene to one of the figures that other pages show too."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.diagnosis.facts import facts
from explorer.diagnosis.seeds import share_interval
from explorer.diagnosis.why import decompose
from explorer.diagnosis.wording import against_last, decades, summary
from explorer.figures.depth import Shares, share_figure
from explorer.figures.explore import label, why_figure
from explorer.figures.remedies import FOOT, Tried, remedies_figure
from explorer.figures.time import describe_compared, time_figure
from explorer.figures.time_layout import PROFILE
from explorer.figures.view import TimeView
from explorer.stories.scene import BY_DEPTH, DEPTHS, GRADIENTS, PANELS, WHY, Scene
from explorer.training.history import SOLVED, History
from explorer.ui.compared import Scene as Moment
from explorer.ui.compared import SideBySide
from explorer.ui.jobs import Job
from explorer.ui.joint import alt_text
from explorer.ui.joint import figure as joint

# In pixels; the live chart lowers it on a low screen.
HEIGHT = 940
# Of the settings' line beside the words, and the height of one more line.
LETTERS, LINE = 118, 18
# Where the line ends before the colour bar's numbers.
LETTERS_THROUGH_TIME = 98
SHOWN_DEPTHS = f"depth {DEPTHS[0]} to {DEPTHS[-1]}"


def draw(scene: Scene, held: Sequence[Job], histories: Sequence[History]) -> go.Figure:
    """Draw a scene.

    Parameters
    ----------
    scene : Scene
        As it is played with.
    held : sequence of Job
        Of the scene's experiments.
    histories : sequence of History
        Theirs, as far as they are trained.
    """
    if scene.figure == WHY:
        return _why(histories[scene.about])
    if scene.figure == BY_DEPTH:
        return _shares(scene, histories)
    if scene.figure == PANELS:
        return _panels(scene, histories)
    if isinstance(scene.view, TimeView):
        return _through_time(_side_by_side(scene, held, histories), scene.view)
    figure = joint(_moment(held, histories), scene.view)
    return _with(_broken(figure), height=HEIGHT, xaxis2=_fewer_ticks(figure.layout.xaxis2))


def _moment(held: Sequence[Job], histories: Sequence[History]) -> Moment:
    """The scene as Explore would show it; one experiment where both became the same."""
    if held[0].experiment == held[-1].experiment:
        return Moment(held[-1], None, histories[-1], None)
    return Moment(held[-1], held[0], histories[-1], histories[0])


def _broken(figure: go.Figure) -> go.Figure:
    """Break the line of the settings in two where it is too long for the figure's part of the page."""
    for text in figure.select_annotations({"name": "settings"}):
        parts = text.text.split(" · ")
        if len(text.text) > LETTERS:
            half = next(n for n in range(1, len(parts) + 1) if len(" · ".join(parts[:n])) * 2 >= len(text.text))
            text.update(text=f"{' · '.join(parts[:half])} ·<br>{' · '.join(parts[half:])}", yshift=text.yshift - LINE)
            text.align = "left"
            figure.layout.margin.b = figure.layout.template.layout.margin.b + LINE
    return figure


def _with(figure: go.Figure, **changes: Any) -> go.Figure:
    """Change a figure's layout, but not that for a narrow screen, which lies in its `meta`."""
    figure.update_layout(**changes)
    return figure


def _fewer_ticks(ticks: Any) -> dict[str, Any]:
    """Every second tick of the profile's axis, beside words that leave it half of the room it has on a page of its own."""
    if ticks.tickvals is None or len(ticks.tickvals) < 6:
        return {"tickangle": 0}
    return {"tickvals": ticks.tickvals[1::2], "ticktext": ticks.ticktext[1::2], "tickangle": 0}


def _why(history: History) -> go.Figure:
    settings = label(summary(history.experiment), 0, 0, size=13) | {"yanchor": "top", "yshift": -66, "name": "settings"}
    return _with(why_figure(decompose(history, 0)), height=HEIGHT, annotations=[settings], margin={"b": 96})


def _shares(scene: Scene, histories: Sequence[History]) -> go.Figure:
    solved = np.array([history.outcome.count(SOLVED) for history in histories])
    runs = np.array([len(history.loss) for history in histories])
    ends = np.array([share_interval(int(s), int(r)) for s, r in zip(solved, runs, strict=True)])
    about = histories[0].experiment
    name = "plain" if about.skip == "none" else f"skip over {about.skip}"
    curve = Shares(name, np.array(DEPTHS), solved / runs, ends[:, 0], ends[:, 1], solved, runs)
    return _with(share_figure([curve], DEPTHS[-1], summary(about, depth=SHOWN_DEPTHS)), height=HEIGHT)


def _panels(scene: Scene, histories: Sequence[History]) -> go.Figure:
    found = [facts(history) for history in histories]
    tried = [
        Tried(name, "", f"{f.solved} of {f.runs}", history)
        for (name, _), f, history in zip(scene.shown, found, histories, strict=True)
    ]
    figure = remedies_figure(tried, scene.view)
    return _stretched(figure)


def _stretched(figure: go.Figure) -> go.Figure:
    """Give the panels all the height there is: the colour bar below them keeps its own."""
    old, new = FOOT / figure.layout.height, FOOT / HEIGHT

    def moved(y: float) -> float:
        return y * new / old if y <= old else new + (y - old) * (1 - new) / (1 - old)

    for axis in figure.select_yaxes():
        axis.domain = [moved(y) for y in axis.domain]
    for text in figure.layout.annotations:
        text.y = moved(text.y)
    return _with(figure, height=HEIGHT, meta={"narrow": figure.layout.meta["narrow"], "fixed": False})


def _side_by_side(scene: Scene, held: Sequence[Job], histories: Sequence[History]) -> SideBySide:
    return SideBySide([name for name, _ in scene.shown], held, histories)


def _through_time(compared: SideBySide, view: TimeView) -> go.Figure:
    figure = time_figure(compared.shown, view, view.at, compared.names, compared.caption)
    together = compared.caption.replace(" ·", "\N{NO-BREAK SPACE}·").replace(
        " ~ ", "\N{NO-BREAK SPACE}~\N{NO-BREAK SPACE}"
    )
    lines = wrap(together, LETTERS_THROUGH_TIME)
    figure.update_annotations({"text": "<br>".join(lines)}, {"name": "settings"})
    margin = {"b": figure.layout.margin.b + LINE * (len(lines) - 1)}
    axis = f"xaxis{PROFILE}"
    return _with(figure, height=HEIGHT, margin=margin, **{axis: _fewer_ticks(figure.layout[axis])})


def says(scene: Scene, held: Sequence[Job], histories: Sequence[History]) -> str:
    """Say a scene's figure with its numbers, for those who do not see it."""
    told = scene.tell(histories)
    said = [f"{told[0].upper()}{told[1:]}."]
    if isinstance(scene.view, TimeView):
        compared = _side_by_side(scene, held, histories)
        described = describe_compared(compared.shown, compared.names, scene.view, scene.view.at)
        return f"{said[0]} {described} {compared.caption}."
    about = histories[scene.about].experiment
    if scene.figure == GRADIENTS:
        return f"{said[0]} {alt_text(_moment(held, histories), scene.view)}"
    if scene.figure == WHY:
        total = decompose(histories[scene.about], 0).total
        steps = [f"layer {layer} {decades(log10)}" for layer, log10 in enumerate(total, start=1)]
        said.append(f"dL/dz over that of the layer above: {', '.join(steps)}.")
    if scene.figure == PANELS:
        said += [_panel_says(name, each) for (name, _), each in zip(scene.shown, histories, strict=True)]
    if scene.figure == BY_DEPTH:
        shares = [f"{depth}: {_learnt(each)}" for depth, each in zip(DEPTHS, histories, strict=True)]
        said.append(f"Seeds that learn, by depth: {', '.join(shares)}.")
    return " ".join([*said, summary(about, depth=SHOWN_DEPTHS if scene.figure == BY_DEPTH else None)])


def _learnt(history: History) -> str:
    return f"{history.outcome.count(SOLVED)} of {len(history.loss)}"


def _panel_says(name: str, history: History) -> str:
    return f"{name}: {_learnt(history)} seeds learn, dL/dz at layer 1 is {against_last(facts(history).log_ratio)}."
