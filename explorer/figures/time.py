"""The main figure of the page on time: compared recurrent nets side by side, all on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np

from explorer.choices.arrays import Array, thin
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis.comparison import Compared
from explorer.diagnosis.seeds import band
from explorer.figures import axes, marks, panels, plain, theme
from explorer.figures.axes import Box
from explorer.figures.marks import Traces
from explorer.figures.panels import DrawnNet, profile
from explorer.figures.plain import Figure
from explorer.figures.theme import LineStyle, line_styles, pinned_styles
from explorer.figures.view import View
from explorer.training.history import DIVERGED, SOLVED, History

# Numbers of the axes: the heatmaps' are 1 to 6, and the colour bar lies on the profile's x axis.
LOSS, SHARE, PROFILE, COLOUR_BAR = 7, 8, 9, 10
HEIGHT = 790
MARGIN = {"l": 72, "r": 26, "t": 54, "b": 48}  # pixels
GAP = 0.028
LETTERS = 20  # of a large name, on a laptop
NARROW_LOSS, NARROW_SHARE, NARROW_MAP, NARROW_PROFILE, NARROW_COLOUR_BAR, NARROW_FOOT = 170, 130, 150, 300, 14, 30
# Fixed, as all ranges, so that pictures can be compared.
LOSS_AXIS = {**axes.log_axis((-4.0, 1.0)), "title": "loss"}
SHARE_AXIS = {"range": [-0.06, 1.06], **axes.share_ticks(3)}
# Where a mark of the loss stands that has no place on its axis.
LOSS_TOP = 5.0
MISSING = "is being measured"
TOLD = 5  # so many steps of each net are named in the alternative text


@dataclass(frozen=True, eq=False)
class NetPanel:
    """One compared net, or the room for it."""

    name: str
    style: LineStyle
    shown: DrawnNet | None  # None while nothing is measured yet
    empty: str  # Why there is nothing to draw; "" where there is


def time_figure(compared: Compared, view: View) -> Figure:
    """Draw one to six compared nets; the x axes are epochs, but for "x9", the values of the profile."""
    net_panels, epoch = _panels(compared, view), view.at
    traces: Traces = []
    for place, panel in enumerate(net_panels, start=1):
        if panel.shown is None or panel.empty:
            # Without a trace the panel would lose its axes.
            traces.append(
                plain.trace("scatter", x=[None], y=[None], xaxis=f"x{place}", yaxis=f"y{place}", showlegend=False)
            )
        else:
            traces += panels.position_by_epoch(panel.shown.history, view, f"x{place}", f"y{place}")
        if panel.shown is not None:
            traces += _over_epochs(panel.shown, view, each_seed=len(net_panels) == 1)
    traces += _profiles(net_panels, view, epoch)
    traces += panels.view_colour_bar(view, f"x{PROFILE}", f"y{COLOUR_BAR}") + (_legend() if len(net_panels) > 1 else [])
    return marks.compose(
        traces, lambda narrow: _layout(net_panels, view, compared.caption, places(len(net_panels), narrow))
    )


def not_defined(experiment: RecurrentExperiment, view: View) -> str:
    """Say why a net does not have what the view shows; "" where it has."""
    reason = view.diagnostic.missing(experiment)
    return f"not defined: {reason}" if reason else ""


def styles_of(compared: Compared) -> dict[str, LineStyle]:
    """Return the line style of every compared net, by name; a present setting and its baseline keep those of Explore."""
    if compared.comparison is not None and compared.comparison.pinned:
        return dict(zip(compared.names, pinned_styles(len(compared.names)), strict=True))
    return line_styles(compared.names)


def nets_of(compared: Compared) -> list[DrawnNet]:
    """Return the nets of which something is measured, as they are drawn."""
    styles = styles_of(compared)
    return [DrawnNet(history, name, styles[name]) for name, history in compared.histories.items()]


def _panels(compared: Compared, view: View) -> list[NetPanel]:
    measured = {net.name: net for net in nets_of(compared)}
    net_panels: list[NetPanel] = []
    for name, style in styles_of(compared).items():
        net = measured.get(name)
        empty = MISSING if net is None else not_defined(net.history.experiment, view).replace(": ", ":<br>")
        net_panels.append(NetPanel(name, style, net, empty))
    return net_panels


def _profiles(net_panels: Sequence[NetPanel], view: View, epoch: int) -> Traces:
    """All nets' profiles in one panel, the bands behind the lines."""
    alone, named_axes = len(net_panels) == 1, (f"x{PROFILE}", f"y{PROFILE}")
    traces: Traces = []
    for panel in net_panels:
        if panel.shown is not None and not panel.empty:
            record, name = panel.shown.history.at(epoch), "" if alone else panel.name
            traces += profile(panel.shown, view, record, named_axes, legend=alone, name=name)
    return sorted(traces, key=lambda trace: trace.get("name") != marks.BAND_WORDS)


def learnt(history: History) -> Array:
    """Return the share of seeds that have learnt the task, by record: (records,)."""
    below = history.error < history.experiment.dataset.solved_below
    ended = [np.inf if ending is None else ending.epoch for ending in history.endings]
    share: Array = (below & (history.epochs < np.array(ended)[:, None])).mean(axis=0)
    return share


def _over_epochs(shown: DrawnNet, view: View, *, each_seed: bool) -> Traces:
    history, style, loss, epochs = shown.history, shown.style, (f"x{LOSS}", f"y{LOSS}"), shown.history.epochs
    share = plain.trace(
        "scatter",
        x=panels.epoch_positions(epochs, view),
        y=marks.float32(learnt(history)),
        xaxis=f"x{SHARE}",
        yaxis=f"y{SHARE}",
        mode="lines",
        line={"width": 3.5, "color": style.colour, "dash": style.dash, "shape": "hv"},
        customdata=epochs,
        hovertemplate=f"{shown.name}<br>epoch %{{customdata:,d}}: %{{y:.0%}} of the seeds<extra></extra>",
        name=shown.name,
        showlegend=False,
    )
    traces = panels.loss_lines(shown, view, loss, each_seed=each_seed)
    beyond = np.flatnonzero(~np.isfinite(band(history.loss).middle))[:1]
    if beyond.size:
        place = {"x": panels.epoch_positions(epochs[beyond], view), "y": [LOSS_TOP], "xaxis": loss[0], "yaxis": loss[1]}
        rim = {"color": style.colour, "width": 3}
        marker = {"symbol": "square", "size": 12, "color": theme.NOT_FINITE, "line": rim}
        hover = f"{shown.name}<br>epoch %{{customdata:,d}}: median loss not finite<extra></extra>"
        look = {"mode": "markers", "marker": marker, "name": marks.NOT_FINITE_WORDS}
        traces.append(plain.trace("scatter", customdata=epochs[beyond], hovertemplate=hover, **place, **look))
    return [*traces, share]


def _legend() -> Traces:
    now = marks.legend_line(f"profile {marks.CHOSEN_WORDS}", color=theme.BASELINE, width=3.5)
    start = marks.legend_line(f"profile {marks.START_WORDS}", color=theme.BASELINE, width=2, dash="dot")
    return [now, start, marks.legend_band()]


@dataclass(frozen=True)
class Places:
    """Where everything lies."""

    height: int  # Of the whole figure, in pixels
    maps: Sequence[Box]  # Of the heatmaps, in the order of the nets
    columns: int  # Heatmaps in a row
    loss: Box
    share: Box
    profile: Box
    colour_bar: Box
    narrow: bool = False
    letters: int = axes.SETTINGS_LETTERS  # Of a line of the caption


def places(count: int, narrow: bool) -> Places:
    """Arrange the panels of so many nets."""
    return _narrow(count) if narrow else _wide(count)


def _wide(count: int) -> Places:
    rows = [[0.09, 0.62]] if count <= 3 else [[0.405, 0.62], [0.09, 0.295]]
    columns = -(-count // len(rows))
    cells = (divmod(index, columns) for index in range(count))
    maps = [(axes.piece(column, columns, GAP, 0.70), rows[row]) for row, column in cells]
    right, top = [0.755, 1.0], [0.805, 1.0]
    loss, share = ([0.0, 0.46], top), ([0.54, 1.0], top)
    return Places(HEIGHT, maps, columns, loss, share, (right, [0.09, 0.62]), (right, [0.02, 0.05]))


def _narrow(count: int) -> Places:
    heights = [NARROW_LOSS, NARROW_SHARE, *[NARROW_MAP] * count, NARROW_PROFILE, NARROW_COLOUR_BAR]
    gaps = [0, 56, 80, *[54] * (count - 1), 100, 10]
    inside = sum(heights) + sum(gaps) + NARROW_FOOT
    tops = 1 - (np.cumsum(gaps) + np.cumsum([0, *heights[:-1]])) / inside
    spans = [[float(top - height / inside), float(top)] for top, height in zip(tops, heights, strict=True)]
    loss, share, *maps, profile, colour_bar = [([0.0, 1.0], span) for span in spans]
    height = inside + MARGIN["t"] + MARGIN["b"] + 40
    return Places(height, maps, 1, loss, share, profile, colour_bar, True, axes.NARROW_SETTINGS_LETTERS)


def _layout(net_panels: Sequence[NetPanel], view: View, caption: str, place: Places) -> dict[str, Any]:
    chosen = _chosen_epoch(net_panels, view.at)
    return {
        "height": place.height,
        "margin": MARGIN | {"b": MARGIN["b"] + 40 * place.narrow},
        **axes.legend(1 + 30 / place.height),
        **axes.sized(_axes(net_panels, view, place)),
        "annotations": [*_titles(net_panels, place), *_words(view, chosen, caption, place)],
        "shapes": _lines(net_panels, float(panels.epoch_positions(np.array([chosen]), view)[0])),
    }


def _chosen_epoch(net_panels: Sequence[NetPanel], epoch: int) -> int:
    """The recorded epoch that is meant; the latest one, while some nets have fewer records than others."""
    known = [panel.shown.history for panel in net_panels if panel.shown is not None]
    return max((int(history.epochs[history.at(epoch)]) for history in known), default=0)


def _axes(net_panels: Sequence[NetPanel], view: View, place: Places) -> dict[str, Any]:
    known = [panel.shown.history.experiment for panel in net_panels if panel.shown is not None]
    last = max((experiment.epochs for experiment in known), default=1)
    epochs = axes.epoch_axis(last, view, short=True) | {"tickangle": 0, "showgrid": False}
    longest = max(known, key=lambda experiment: experiment.length, default=None)
    steps = axes.step_axis(1 if longest is None else longest.length)
    along = "time step → answer" if longest is not None and answers_at_the_end(longest) else "time step"
    named_axes: dict[str, Any] = {}
    for panel_number, box in enumerate(place.maps, start=1):
        lowest, leftmost = panel_number > len(net_panels) - place.columns, (panel_number - 1) % place.columns == 0
        x = epochs | {"title": axes.title("epoch", 2) if lowest else "", "showticklabels": lowest}
        y = steps | {"title": along if leftmost else "", "showticklabels": leftmost}
        # Where a viewer zooms into one heatmap, all others follow.
        named_axes |= axes.pair(panel_number, box, x | axes.FRAME, y | axes.FRAME, follow=True)
    named_axes |= axes.pair(LOSS, place.loss, epochs | axes.AS_X, LOSS_AXIS)
    named_axes |= axes.pair(SHARE, place.share, epochs | axes.AS_X, SHARE_AXIS)
    values = {"range": list(view.span), "showgrid": True, **axes.value_ticks(view)}
    own = axes.AS_Y | {"showticklabels": place.columns == 1 and place.narrow}
    named_axes |= axes.pair(PROFILE, place.profile, values, steps | own)
    named_axes |= axes.pair(COLOUR_BAR, place.colour_bar, {}, {"visible": False, "fixedrange": True})
    del named_axes[f"xaxis{COLOUR_BAR}"]
    named_axes[f"xaxis{PROFILE}"]["anchor"], named_axes[f"yaxis{COLOUR_BAR}"]["anchor"] = (
        f"y{COLOUR_BAR}",
        f"x{PROFILE}",
    )
    return named_axes


def answers_at_the_end(experiment: RecurrentExperiment) -> bool:
    """Return whether the loss counts at the last time step only."""
    return experiment.points().first_counted == experiment.length - 1


def _titles(net_panels: Sequence[NetPanel], place: Places) -> list[dict[str, Any]]:
    titles = []
    size = 18 if max(len(panel.name) for panel in net_panels) <= LETTERS else 16
    for panel, (x, y) in zip(net_panels, place.maps, strict=True):
        who = "\N{NO-BREAK SPACE}" if panel.shown is None else learners(panel.shown.history)
        text = axes.coloured_name(panel.style.colour, panel.name)
        text += f'<br><span style="font-size:16px">{who}</span>'
        titles.append(axes.label(text, x[0], y[1], size=size) | {"align": "left"})
        if panel.empty:
            middle = {"xanchor": "center", "yanchor": "middle", "align": "center"}
            titles.append(axes.label(panel.empty, sum(x) / 2, sum(y) / 2, size=16) | middle)
    return titles


def learners(history: History) -> str:
    """Say how many seeds learn it, "so far" while training goes on, and how many have become non-finite."""
    outcome = history.outcome
    told = f"{outcome.count(SOLVED)} of {len(outcome)} learn it{' so far' * (not history.complete)}"
    return f"{told}, {outcome.count(DIVERGED)} not finite" if DIVERGED in outcome else told


def _words(view: View, chosen: int, caption: str, place: Places) -> list[dict[str, Any]]:
    what = f"{view.metric} over the last step's" if view.is_ratio else view.diagnostic.title
    what += f",<br>at epoch {chosen:,}"
    size = 16
    return [
        axes.label(what, place.profile[0][0], place.profile[1][1], size=size) | {"align": "left"},
        axes.label("Loss, median over seeds", place.loss[0][0], place.loss[1][1], size=size),
        axes.label("Seeds that have learnt it", place.share[0][0], place.share[1][1], size=size),
        axes.settings("<br>".join(wrap(caption, place.letters)), 12),
    ]


def _lines(net_panels: Sequence[NetPanel], position: float) -> list[dict[str, Any]]:
    """The chosen epoch, a line through loss, share and heatmaps; a frame where there is no heatmap."""
    cursor = axes.CURSOR_LINE | {"x0": position, "x1": position, "y0": 0, "y1": 1}
    frame = {"type": "rect", "x0": 0, "x1": 1, "y0": 0, "y1": 1, "line": {"color": theme.GRID, "width": 2}}
    lines = [cursor | {"xref": f"x{panel_number}", "yref": f"y{panel_number} domain"} for panel_number in (LOSS, SHARE)]
    for panel_number, panel in enumerate(net_panels, start=1):
        n = "" if panel_number == 1 else panel_number
        y = {"yref": f"y{n} domain"}
        lines.append((frame | {"xref": f"x{n} domain"} if panel.empty else cursor | {"xref": f"x{n}"}) | y)
    return lines


def describe_compared(compared: Compared, view: View) -> str:
    """Say of every net the profile at an epoch and at the start, its loss and who learns it; and the settings."""
    relative = " over the last step's" if view.is_ratio else ""
    told = [f"{view.diagnostic.title}{relative}, median over seeds."]
    for name in compared.names:
        history = compared.histories.get(name)
        told.append(f"{name} {MISSING}." if history is None else f"{name}: {_describe_net(history, view)}")
    return " ".join([*told, f"{compared.caption}."])


def _describe_net(history: History, view: View) -> str:
    record = history.at(view.at)
    why = not_defined(history.experiment, view)
    if why:
        told = [f"{why}."]
    else:
        start, middle = panels.shown_band(history, view, [0, record]).middle
        told = [f"at epoch {int(history.epochs[record]):,} {_say_steps(middle, view)}."]
        told += [f"At the start {_say_steps(start, view)}."] * (record > 0)
    return " ".join([*told, panels.learning_text(history)])


def _say_steps(values: Array, view: View) -> str:
    return steps_text([panels.say_value(value, view) for value in values])


def steps_text(said: Sequence[str]) -> str:
    """Name some of the time steps, the first and the last among them, each with what is said of it."""
    return ", ".join(f"step {step} {said[step - 1]}" for step in thin(range(1, len(said) + 1), TOLD))
