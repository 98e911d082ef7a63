"""Explore's figures: the net, its gradient by layer and epoch, profile, loss and answers; and what multiplies it at each layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.choices.arrays import Array, thin
from explorer.diagnosis.comparison import BASELINE, NOW, Compared
from explorer.diagnosis.decomposition import Why
from explorer.diagnosis.diagnose import Diagnosis
from explorer.diagnosis.seeds import logarithm
from explorer.diagnosis.wording import decades, difference, summary
from explorer.figures import axes, marks, panels, plain, theme
from explorer.figures.axes import Box
from explorer.figures.marks import Traces
from explorer.figures.panels import DrawnNet, Nets
from explorer.figures.plain import Figure, verbatim_in_figure
from explorer.figures.theme import BASELINE_STYLE, NOW_STYLE, LineStyle
from explorer.figures.view import View
from explorer.training.answers import AnswerMap
from explorer.training.history import History


@dataclass(frozen=True)
class _Column:
    """Where one net's loss and, below it on the same epochs, its map lie; and their axes."""

    loss: Box
    map: Box
    x: str
    loss_y: str
    map_y: str


@dataclass(frozen=True)
class _Places:
    """Where everything lies."""

    height: int  # In pixels
    # Of the net as a row of layers
    bars: Box
    boxes: Box
    columns: Sequence[_Column]  # Of the baseline, if there is one, and of the present setting
    answers: Box
    profile: Box
    colour_bar: Box
    narrow: bool
    roomy: bool = False  # For large words


# Axes of the columns, from the left: epochs, loss, layers.
AXES = (("x", "y", "y2"), ("x4", "y6", "y3"))
EPOCH_AXES = tuple(x for x, *_ in AXES)
MAP_AXES = tuple(layers for *_, layers in AXES)
# The height on a wide screen, and on a narrow one those of what stands below one another, in pixels.
HEIGHT = 780
NARROW_BARS, NARROW_BOXES, NARROW_LOSS, NARROW_MAP = 70, 24, 80, 170
NARROW_PROFILE, NARROW_COLOUR_BAR, NARROW_ANSWERS = 200, 12, 100
# Letters of a name above a column, and of a line of settings below all.
LETTERS, SETTINGS_LETTERS = 32, 108
RIGHT = "(○\N{NO-BREAK SPACE}right)"
# Margins: below there is the legend, and then the settings.
MARGIN = {"l": 74, "r": 34, "t": 30, "b": 114}
NARROW_MARGIN = {"l": 64, "r": 16, "t": 40, "b": 118}
LEGEND, SETTINGS = 14, 44  # below the inside
NARROW_LEGEND, NARROW_SETTINGS = 40, 70


# From below, as shares of the inside, in a lecture room too, where text needs half as much room again: the colour bar,
# the maps, the losses, the bars and the boxes of the layers; the answers.
HEIGHTS = ([0.075, 0.1], [0.11, 0.597], [0.625, 0.72], [0.82, 0.95], [0.96, 1.0]), [0.67, 0.94]
ROOM_HEIGHTS = ([0.07, 0.1], [0.12, 0.575], [0.605, 0.69], [0.785, 0.925], [0.94, 1.0]), [0.68, 0.93]


def _places(count: int, narrow: bool, larger: float) -> _Places:
    return _narrow(count) if narrow else _wide(count, *(ROOM_HEIGHTS if larger > 1 else HEIGHTS))


def _wide(count: int, heights: Sequence[Sequence[float]], of_answers: Sequence[float]) -> _Places:
    across = [axes.piece(place, count, 0.035, 0.70) for place in range(count)]
    of_colour_bar, middle, top, of_bars, of_boxes = heights
    right, whole = [0.765, 1.0], [0.0, 0.70]
    columns = [_Column((x, top), (x, middle), *names) for x, names in zip(across, AXES, strict=False)]
    bars, boxes, answers, colour_bar = of_bars, of_boxes, (right, of_answers), (right, of_colour_bar)
    places = (whole, bars), (whole, boxes), columns, answers, (right, middle), colour_bar
    return _Places(HEIGHT, *places, narrow=False, roomy=heights is ROOM_HEIGHTS[0])


def _narrow(count: int) -> _Places:
    heights = [NARROW_BOXES, NARROW_BARS, *[NARROW_LOSS, NARROW_MAP] * count]
    heights += [NARROW_PROFILE, NARROW_COLOUR_BAR, NARROW_ANSWERS]
    gaps = [0, 4, 56, 20, *[84, 20] * (count - 1), 84, 10, 84]
    inside = sum(heights) + sum(gaps) + 24
    tops = 1 - (np.cumsum(gaps) + np.cumsum([0, *heights[:-1]])) / inside
    boxes, bars, *nets, profile, colour_bar, answers = [
        ([0.0, 1.0], [float(top - height / inside), float(top)]) for top, height in zip(tops, heights, strict=True)
    ]
    pairs = zip(nets[::2], nets[1::2], AXES, strict=False)
    columns = [_Column(loss, layers, *names) for loss, layers, names in pairs]
    height = inside + NARROW_MARGIN["t"] + NARROW_MARGIN["b"]
    return _Places(height, bars, boxes, columns, answers, profile, colour_bar, narrow=True)


def explore_figure(
    now: DrawnNet,
    baseline: DrawnNet | None,
    view: View,
    epoch: int,
    answer_map: AnswerMap | None = None,
    larger: float = 1.0,
) -> Figure:
    """Draw one experiment, or two beside each other on the same scales; the profile and the answers at an epoch.

    `answer_map` is for the corner, where the task has no truth table. Where a browser makes text `larger`, the panels leave
    it room.
    """
    rows = [now] if baseline is None else [baseline, now]
    traces: Traces = []
    losses = axes.loss_axis(shown.history.loss for shown in rows)["range"]
    for net, (shown, (x, loss_y, map_y)) in enumerate(zip(rows, AXES, strict=False)):
        last = shown is now
        traces += panels.position_by_epoch(shown.history, view, x, map_y, net)
        traces += panels.profile(shown, view, shown.history.at(epoch), ("x2", "y12"), legend=last, net=net)
        traces += panels.loss_lines(shown, view, (x, loss_y), each_seed=True)
        traces += panels.loss_escapes(shown, view, (x, loss_y), losses)
    traces += panels.view_colour_bar(view, "x2", "y4")
    traces += panels.net_row(rows, view, epoch)
    traces += _answers(rows, now.history.at(epoch), answer_map, {"xaxis": "x3", "yaxis": "y5"})
    return marks.compose(
        traces, lambda narrow: _layout(rows, view, epoch, answer_map, _places(len(rows), narrow, larger))
    )


def compared_figure(
    compared: Compared, view: View, answers: AnswerMap | None = None, *, one_line: bool = False, larger: float = 1.0
) -> Figure:
    """Draw the figure of a present setting and its baseline, if there is one.

    With `one_line` several changes are named only where one line above a map holds them.
    """
    baseline, now = compared.baseline, compared.now
    if baseline is None:
        *_, name = compared.measured
        style = BASELINE_STYLE if name == BASELINE else NOW_STYLE
        return explore_figure(_shown(name, style, now, view), None, view, view.at, answers, larger)
    most = 1 if larger > 1 else 2 if one_line else 0
    before = _shown(_changed(BASELINE, now, baseline, most), BASELINE_STYLE, baseline, view)
    after = _shown(_changed(NOW, baseline, now, most), NOW_STYLE, now, view)
    return explore_figure(after, before, view, view.at, answers, larger)


def _changed(name: str, other: Diagnosis, diagnosis: Diagnosis, from_count: int) -> str:
    """Name one of two by what it has where the other has something else; from so many changes on in one line, or not at all."""
    words = difference(other.history.experiment, diagnosis.history.experiment)
    named = f"{name}: {', '.join(words[:3])}{' …' * (len(words) > 3)}"
    return name if 0 < from_count <= len(words) and len(named) > LETTERS else named


def _shown(name: str, style: LineStyle, diagnosis: Diagnosis, view: View) -> DrawnNet:
    return DrawnNet(diagnosis.history, name, style, theory_line(diagnosis, view))


def theory_line(diagnosis: Diagnosis, view: View) -> Array | None:
    """Return log10 of the prediction for what the view shows, by layer; None where there is none."""
    values = diagnosis.theory.of(view.diagnostic.name)
    if values is None:
        return None
    logs = logarithm(values)
    return logs - logs[-1] if view.is_ratio else logs


def _layout(rows: Nets, view: View, epoch: int, answer_map: AnswerMap | None, place: _Places) -> dict[str, Any]:
    now, narrow = rows[-1].history, place.narrow
    chosen = int(now.epochs[now.at(epoch)])
    across = float(panels.epoch_positions(np.array([chosen]), view)[0])
    letters = axes.NARROW_SETTINGS_LETTERS if narrow else SETTINGS_LETTERS
    words = axes.folded_settings(summary(now.experiment), letters)
    margin = NARROW_MARGIN if narrow else MARGIN
    inside = place.height - margin["t"] - margin["b"]
    return {
        "height": place.height,
        "margin": margin,
        "barmode": "overlay",
        **axes.legend_below(NARROW_LEGEND if narrow else LEGEND, inside),
        **axes.sized(_axes(rows, view, place)),
        "annotations": [
            *_labels(rows, view, chosen, answer_map, place),
            axes.settings(words, NARROW_SETTINGS if narrow else SETTINGS),
        ],
        "shapes": [
            axes.CURSOR_LINE
            | {"xref": column.x, "x0": across, "x1": across}
            | {"yref": "paper", "y0": column.map[1][0], "y1": column.loss[1][1]}
            for column in place.columns
        ],
    }


def _axes(rows: Nets, view: View, place: _Places) -> dict[str, Any]:
    experiments, narrow = [shown.history.experiment for shown in rows], place.narrow
    epochs = axes.epoch_axis(max(each.epochs for each in experiments), view, short=len(rows) > 1) | {"tickangle": 0}
    losses = axes.loss_axis(shown.history.loss for shown in rows)
    deepest = max(each.layers for each in experiments)
    layers = [axes.layer_axis(each.layers, max(round(6 * each.layers / deepest), 1)) for each in experiments]
    # A shallower net ends lower: a layer is at the same height in all panels.
    highest = max(layers, key=lambda axis: axis["range"][1])["range"]
    alike = len({each.layers for each in experiments}) == 1
    named_axes: dict[str, Any] = {}
    for number, (column, own) in enumerate(zip(place.columns, layers, strict=True)):
        # Beside another of the same layers, it needs no numbers of its own.
        first, told = number == 0, narrow or number == 0
        x = epochs | {"title": axes.title("epoch", 2), "domain": column.map[0], "anchor": column.map_y}
        loss = losses | {"title": axes.title("loss" if told else ""), "showticklabels": told, "domain": column.loss[1]}
        loss |= {"ticklabelshift": 5}  # the map is close below
        y = own | {
            "title": axes.title("layer" if told else ""),
            "showticklabels": told or not alike,
            "domain": column.map[1],
        }
        y |= {"range": highest, "anchor": column.x}
        x, y = x | axes.FRAME, y | axes.FRAME  # white cells on a white page
        named_axes[_layout_name(column.x)] = x if first else x | axes.AS_X
        named_axes[_layout_name(column.loss_y)] = loss | {"anchor": column.x} | ({} if first else axes.AS_Y)
        named_axes[_layout_name(column.map_y)] = y if first else y | {"matches": place.columns[0].map_y}
    (right, profile), beside = place.profile, {"matches": "y2", "showticklabels": narrow, "title": ""}
    values = {"range": list(view.span), "showgrid": True, "title": axes.title(_what(view), 2), **axes.value_ticks(view)}
    bare = {"showticklabels": False, "showgrid": False}
    across, up = _answer_axes(experiments[-1]) or (bare, bare)
    row = panels.net_axes(deepest, view, place.bars, place.boxes, narrow)
    return (
        named_axes
        | row
        | {
            # Among large words there is room for it once, above the row of layers.
            "xaxis2": values | {"domain": right, "anchor": "y4"} | ({"title": ""} if place.roomy else {}),
            "yaxis12": max(layers, key=lambda axis: axis["range"][1]) | beside | {"domain": profile, "anchor": "x2"},
            "yaxis4": {"domain": place.colour_bar[1], "anchor": "x2", "visible": False, "fixedrange": True},
            "xaxis3": across | {"domain": place.answers[0], "anchor": "y5"},
            "yaxis5": up | {"domain": place.answers[1], "anchor": "x3"},
        }
    )


def _layout_name(axis: str) -> str:
    """Return what a layout calls an axis: x2 is xaxis2."""
    return f"{axis[0]}axis{axis[1:]}"


def _labels(rows: Nets, view: View, chosen: int, answer_map: AnswerMap | None, place: _Places) -> list[dict[str, Any]]:
    now = rows[-1].history
    what = _what(view)
    fit = panels.names_fit(max(shown.history.experiment.layers for shown in rows), place.narrow)
    corners = (
        (f"{what}, at epoch {chosen:,}", place.boxes, marks.EPOCH_TEXT, 2 if fit else 6),
        (_whose_answers(now, answer_map), place.answers, "answers", 2),
    )
    return [
        *(
            _named(shown.name, shown.style.colour) | {"x": column.loss[0][0], "y": column.loss[1][1]}
            for shown, column in zip(rows, place.columns, strict=True)
        ),
        *(
            axes.label(text, box[0][0], box[1][1], size=theme.LABEL_SIZE)
            | {"align": "left", "name": name, "yshift": up}
            for text, box, name, up in corners
        ),
    ]


def _what(view: View) -> str:
    return f"{view.metric} over the last layer's" if view.is_ratio else view.diagnostic.title


def _named(name: str, colour: str) -> dict[str, Any]:
    """Return a net's name above its column, a long one smaller and in two lines."""
    size = 18 if len(name) <= LETTERS else theme.TICK_SIZE
    return axes.label(axes.coloured_name(colour, axes.folded(name, LETTERS)), 0, 0, size=size) | {"align": "left"}


CASES_AXIS = {"range": [-0.5, 3.5], **axes.ticks((0, 1, 2, 3), ("0,0", "0,1", "1,0", "1,1"))}
TRUTH_AXIS = {"range": [-0.45, 1.45], "tickvals": [0, 1]}


def _answer_axes(experiment: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the axes of answers that are drawn one by one, case by case or class by class; None where they are a map."""
    if experiment.dataset.truth_table:
        return CASES_AXIS, TRUTH_AXIS
    if experiment.dataset.inputs > 2:
        return {"range": [-0.5, 1.5], **axes.ticks((0, 1), experiment.points().class_names)}, TRUTH_AXIS
    return None


def _whose_answers(history: History, answer_map: AnswerMap | None) -> str:
    """Say whose answers are drawn."""
    if answer_map is None:
        nets = len(history.loss)
        return f"Answers of {nets} nets {RIGHT}" if nets > 1 else f"Answers {RIGHT}"
    seed = history.experiment.seed + answer_map.run
    finite = np.isfinite(answer_map.answers).all()
    right = f" {RIGHT}" if answer_map.x1 is None else ""
    return f"Answers of seed {seed}{right}" if finite else f"Seed {seed} diverged"


def _answers(rows: Nets, record: int, answer_map: AnswerMap | None, named_axes: dict[str, str]) -> Traces:
    """Draw every seed's answers to a truth table at a record; of other tasks those of `answer_map`, if there is one."""
    place = {**named_axes, "showlegend": False}
    if rows[-1].history.experiment.dataset.truth_table:
        return _truth_table(rows, record, place)
    if answer_map is None:
        return []
    if answer_map.x1 is None:
        return _answers_by_class(answer_map, place)
    return _answer_curve(answer_map, place) if answer_map.x2 is None else _answer_plane(answer_map, place)


def _truth_table(rows: Nets, record: int, place: dict[str, Any]) -> Traces:
    now = rows[-1].history
    ring = {"symbol": "circle-open", "size": 24, "color": theme.CURSOR, "line": {"width": 2}}
    right = {"y": now.experiment.points().y, "marker": ring, "hoverinfo": "skip", "name": "right answer"}
    traces: Traces = [plain.trace("scatter", x=np.arange(4), mode="markers", **right, **place)]
    # The present setting first, at the right of its baseline.
    for shown in reversed(rows):
        history, shift = shown.history, 0.0 if len(rows) == 1 else 0.2 if shown is rows[-1] else -0.2
        if not history.experiment.dataset.truth_table or history.answers is None:
            continue
        answers = history.answers[:, record if history is now else history.at(float(now.epochs[record]))]
        jitter = np.linspace(-0.1, 0.1, len(answers)) if len(answers) > 1 else np.zeros(1)
        traces.append(
            marks.still(
                "scatter",
                x=(np.arange(4) + shift + jitter[:, None]).ravel(),
                y=answers.ravel(),
                mode="markers",
                marker={"symbol": "line-ew", "size": 11, "line": {"width": 4, "color": shown.style.colour}},
                hovertemplate="answer %{y:.4f}<extra></extra>",
                **place,
            )
        )
    return traces


def _answers_by_class(answer_map: AnswerMap, place: dict[str, Any]) -> Traces:
    """Draw the answer to every sample above its class, the right one as a ring."""
    right = answer_map.data.y
    aside = 0.35 * np.sin(np.arange(len(right)))  # so that equal answers do not hide each other
    ring = {"symbol": "circle-open", "size": 24, "color": theme.CURSOR, "line": {"width": 2}}
    dots = {"size": 6, "color": theme.NOW, "opacity": 0.6}
    return [
        plain.trace("scatter", x=[0, 1], y=[0, 1], mode="markers", marker=ring, hoverinfo="skip", **place),
        marks.still(
            "scatter",
            x=marks.float32(right + aside),
            y=marks.float32(answer_map.answers),
            mode="markers",
            marker=dots,
            hovertemplate="answer %{y:.2f}<extra></extra>",
            **place,
        ),
    ]


def _answer_curve(answer_map: AnswerMap, place: dict[str, Any]) -> Traces:
    data, quiet = answer_map.data, place | {"hoverinfo": "skip"}
    points, line = {"size": 5, "color": theme.BASELINE}, {"width": 3.5, "color": theme.NOW}
    return [
        plain.trace("scatter", x=data.x[:, 0], y=data.y, mode="markers", marker=points, **quiet),
        marks.still("scatter", x=answer_map.x1, y=answer_map.answers, mode="lines", line=line, **quiet),
    ]


def _answer_plane(answer_map: AnswerMap, place: dict[str, Any]) -> Traces:
    data, named_axes = answer_map.data, {name: place[name] for name in ("xaxis", "yaxis")}
    assert answer_map.x1 is not None and answer_map.x2 is not None
    traces: Traces = [
        marks.still(
            "heatmap",
            x=marks.float32(answer_map.x1),
            y=marks.float32(answer_map.x2),
            z=marks.float32(answer_map.answers),
            zmin=0,
            zmax=1,
            colorscale=theme.ANSWER_SCALE,
            showscale=False,
            hovertemplate="answer %{z:.2f}<extra></extra>",
            **named_axes,
        )
    ]
    for class_number, (colour, symbol) in enumerate(zip(theme.CLASSES, ("circle", "diamond"), strict=True)):
        x = marks.float32(data.x[data.y == class_number])
        marker = {"size": 6, "color": colour, "symbol": symbol, "line": {"width": 0.5, "color": "white"}}
        name = f"class {verbatim_in_figure(data.class_names[class_number])}"
        traces.append(
            plain.trace(
                "scatter", x=x[:, 0], y=x[:, 1], mode="markers", marker=marker, hoverinfo="skip", name=name, **place
            )
        )
    return traces


def describe_history(history: History, view: View, epoch: int, theory: Array | None = None) -> str:
    """Say the profile at an epoch and at the start, theory's, and the loss."""
    record = history.at(epoch)
    not_measured = np.isnan(history.measures[view.diagnostic.name][:, 0]).all(axis=0)
    middle = np.where(not_measured, np.nan, panels.shown_band(history, view).middle)
    relative = " over the last layer's" if view.is_ratio else ""
    told = [
        f"{view.diagnostic.title}{relative}, median over {panels.seeds_text(len(history.loss))}, at epoch "
        f"{int(history.epochs[record]):,}: {_say_layers(middle[record], view)}."
    ]
    if record:
        told.append(f"At the start: {_say_layers(middle[0], view)}.")
    if theory is not None:
        told.append(f"Theory, at the start: {_say_layers(theory, view)}.")
    return " ".join([*told, panels.learning_text(history)])


def _say_layers(values: Array, view: View) -> str:
    said = ["not defined" if np.isnan(value) else panels.say_value(value, view) for value in values]
    return ", ".join(
        f"layer {layer}{' (output)' * (layer == len(values))} {said[layer - 1]}"
        for layer in thin(range(1, len(values) + 1), axes.TOLD)
    )


PANELS = "The net as a row of layers with bars, the losses, layers by epochs as colours, and a profile over layers."


def describe_compared_figure(compared: Compared, view: View) -> str:
    """Say what the figure shows, with its numbers."""
    now, baseline = compared.now, compared.baseline
    described = describe_history(now.history, view, view.at, theory_line(now, view))
    told = [now.sentence, PANELS, described, f"{summary(now.history.experiment)}."]
    if baseline is not None:
        told.append(f"Baseline: {describe_history(baseline.history, view, view.at)}")
    return " ".join(told)


def why_figure(why: Why) -> Figure:
    """Draw what multiplies the gradient at each layer, in decades: a bar for each part, a mark for all together."""
    layers = np.arange(1, len(why.total) + 1)
    traces: Traces = [
        plain.trace(
            "bar",
            y=layers,
            x=marks.drawable(values),
            orientation="h",
            name=part,
            marker={"color": theme.PARTS[part]},
            customdata=marks.factors(values),
            hovertemplate=f"layer %{{y}}<br>{part}: × %{{customdata:.3~g}}<extra></extra>",
        )
        for part, values in why.parts.items()
    ]
    mark = {"symbol": "line-ns", "size": 22, "line": {"width": 4, "color": theme.CURSOR}}
    said: dict[str, Any] = {"hovertemplate": "layer %{y}<br>all together: × %{customdata:.3~g}<extra></extra>"}
    said |= {"customdata": marks.factors(why.total), "name": "all together"}
    traces.append(plain.trace("scatter", y=layers, x=marks.drawable(why.total), mode="markers", marker=mark, **said))
    words = "dL/dz, from the layer above to this one, is multiplied by"
    named_axes = {
        "xaxis": {"title": words, "zeroline": True, "zerolinecolor": theme.GRID, "showgrid": True, "automargin": True}
        | axes.times_ticks(_reach(why)),
        "yaxis": {
            "title": "hidden layer",
            "dtick": 1 if len(layers) <= 15 else 5,
            "range": [0.4, len(layers) + 0.6],
            "showgrid": False,
            "automargin": True,
        },
    }
    height = max(260, min(30 * len(layers) + 110, 700))
    layout = {"template": theme.TEMPLATE, "barmode": "relative", "height": height, "margin": {"b": 56}}
    return plain.figure(traces, layout | axes.legend(1.02) | axes.sized(named_axes))


def _reach(why: Why) -> tuple[float, float]:
    """Return how far bars of all parts, and the marks, go to either side."""
    parts = np.nan_to_num(np.array([*why.parts.values()]), nan=0.0, posinf=0.0, neginf=0.0)
    total = np.nan_to_num(why.total, nan=0.0, posinf=0.0, neginf=0.0)
    sums = [np.minimum(parts, 0).sum(axis=0), np.maximum(parts, 0).sum(axis=0), total]
    low, high = (float(edge(np.array(sums), initial=0.0)) for edge in (np.min, np.max))
    return (low * 1.05 - 0.05, high * 1.05 + 0.05)


def _factor(log10: float) -> str:
    """Say a factor; of what was 0 already, or not finite, there is none."""
    return "not defined" if np.isnan(log10) else decades(log10)


def describe_why(why: Why) -> str:
    """Say each layer's parts as factors."""
    told = []
    for layer in thin(range(len(why.total)), axes.TOLD):
        parts = ", ".join(f"{part} {_factor(values[layer])}" for part, values in why.parts.items())
        told.append(f"layer {layer + 1} × {_factor(why.total[layer])} ({parts})")
    return f"What multiplies dL/dz on its way back, at each hidden layer: {'; '.join(told)}."
