"""The lens: a function and its slope over z, the histogram of z at one layer or time step, and a small one for every other.

z beyond ±8, where no activation bends any more, stands on a logarithmic axis, as do its bins.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.choices.activations import Activation
from explorer.choices.arrays import Array, thin
from explorer.diagnosis.comparison import BASELINE, NOW
from explorer.diagnosis.lens import Lens, bin_slopes, off_axis, on_axis
from explorer.diagnosis.wording import begun, number
from explorer.figures import axes, marks, panels, plain, theme
from explorer.figures.marks import Traces
from explorer.figures.plain import Figure, Trace
from explorer.training.kinds import LAYERS, TIME_STEPS
from explorer.training.recording import BIN_EDGES, FINE, STEPS_OUT, ZERO_BIN

# How wide a bin beyond ±FINE is drawn, on an axis on which z is its own place nearer to 0.
OUT = 0.35
END = FINE + OUT * STEPS_OUT
# The axis of shares ends at the first of these that holds the highest bar.
SHARE_TOPS = (0.1, 0.2, 0.5, 1.0)
# Pixels: over the panels for a title, of the axis of z with its title, and of a row of the legend.
OVER, AXIS, LEGEND_ROW = 22, 54, 32
RIDGE = 0.92  # height of a row's highest bar
MOST_SAID = 20  # positions whose slope stands at the right of their row


@dataclass(frozen=True)
class _Words:
    """How the lens speaks of one kind of nets."""

    row: str  # What a row of the ridge is
    z: str  # What z is
    over: str  # What its shares are taken over
    factor: str  # The name of `Lens.factor`
    meaning: str  # What it is
    no_factor: str  # Why there is none

    def meaning_of(self, lens: Lens, *, factor: bool) -> str:
        """Say what is drawn of a lens; `factor`: whether `Lens.factor` is."""
        place = lens.history.kind.position
        diamond = f"Diamond: {self.meaning}, the RMS of f′ weighted by the square of the gradient dL/dh that arrives. "
        return (
            f"Bars: shares of z, {self.z}, over {self.over}, in bins 1/4 wide. Beyond ±8, dotted, the axis is "
            "logarithmic: each bin reaches 16 times as far as the one before, the last without end. Dashed: the root mean "
            f"square (RMS) of f′ over these bars. {diamond * factor}Over several seeds "
            f"{'both are geometric means' if factor else 'it is a geometric mean'}. Shaded: saturated, f′ at most 6% "
            f"of its largest value (ELU and SELU: 3%). {begun(_rows_text(lens))}: each histogram to its own height; a click "
            f"chooses the {place}."
        )


WORDS = {
    LAYERS: _Words(
        "hidden layer",
        "the activation's input (with a normalization, what Walk calls n)",
        "units, samples, seeds and, of a convolution, places",
        "slope in Why",
        "what Why calls the slope",
        "no slope in Why: no seed has a gradient that is finite and not 0 in every layer",
    ),
    TIME_STEPS: _Words(
        "time step",
        "what the function receives",
        "units, samples and seeds",
        "dL/dz over dL/dh",
        "the RMS of dL/dz over that of dL/dh",
        "dL/dz over dL/dh is not defined: no seed has a gradient here that is finite and not 0",
    ),
}
SLOPE, ZERO = theme.PARTS["slope"], marks.ZERO_WORDS
Z_WORDS = "z; beyond ±8 logarithmic"
NO_SEED = "Every seed has become infinite or NaN: there is no z left."
F, DF, ROWS = "y2", "y", "y4"
SHARES, RIDGES = "y3", "x2"


@dataclass(frozen=True)
class _Drawn:
    """How one of the two, now and baseline, is drawn."""

    lens: Lens
    name: str
    colour: str
    slope_colour: str
    dash: str


def lens_figure(
    now: Lens, baseline: Lens | None, caption: str, larger: float = 1.0, names: tuple[str, str] = (BASELINE, NOW)
) -> Figure:
    """Draw f and f' over z, with the histogram of z at a layer or time step, and beside it a small one for every other.

    Where a browser makes text and margins `larger`, the panels keep their height. `names` are those of the two nets.
    """
    # A baseline that stands alone looks as it does beside another net.
    shown = _Drawn(now, names[1], theme.BASELINE if names[1] == BASELINE else theme.NOW, SLOPE, "solid")
    other = None if baseline is None else _Drawn(baseline, names[0], theme.BASELINE, theme.BASELINE, "dash")
    both = [shown] if other is None else [other, shown]
    traces: Traces = []
    if other is not None:
        traces += _outline(other)
    traces += _bars(shown)
    curved = both if other is None or other.lens.activation is not now.activation else [shown]
    for each in curved:
        traces += _curves(each)
    for each in both:
        traces += _levels(each)
    traces += _ridge(now)
    return marks.compose(traces, lambda narrow: _layout(both, curved, caption, narrow, larger), fixed=True)


# --- places -----------------------------------------------------------------------------------


def _squeezed(places: Array) -> Array:
    """Return where places of `on_axis` are drawn."""
    return np.where(np.abs(places) <= FINE, places, np.copysign(FINE + OUT * (np.abs(places) - FINE), places))


def _edges() -> Array:
    return _squeezed(on_axis(BIN_EDGES))


def _grid(step: float = 0.02) -> tuple[Array, Array]:
    """Return places on the axis and the z that stand there; 0 is between two of them."""
    inside = np.arange(-FINE + step / 2, FINE, step)
    out = np.linspace(FINE, FINE + STEPS_OUT, 60)
    places = np.concatenate([-out[::-1], inside, out])
    return _squeezed(places), off_axis(places)


def _slopes(activation: Activation, z: Array) -> tuple[Array, Array]:
    with np.errstate(over="ignore"):
        return activation.f(z, np.empty_like(z)), activation.df(z, np.empty_like(z))


def flat_ends(activation: Activation) -> list[tuple[float, float]]:
    """Return from where to where on the axis a unit is saturated."""
    if activation.saturation is None:
        return []
    places, z = _grid(0.005)
    low, high = activation.saturation
    a, _ = _slopes(activation, z)
    return [(float(places[piece][0]), float(places[piece][-1])) for piece in marks.stretches((a <= low) | (a >= high))]


# --- traces -----------------------------------------------------------------------------------


def _bars(shown: _Drawn) -> Traces:
    """The histogram, and an exact 0 as a bar of its own."""
    lens, edges = shown.lens, _edges()
    slopes = bin_slopes(lens.activation)
    said = np.stack([BIN_EDGES[:-1], BIN_EDGES[1:], slopes.rms[:ZERO_BIN]], axis=-1)
    hover = "z from %{customdata[0]:.4~g} to %{customdata[1]:.4~g}: %{y:.2%}<br>size of f′ there: %{customdata[2]:.3~g}"
    bar = {
        "x": (edges[1:] + edges[:-1]) / 2,
        "width": np.diff(edges),
        "y": lens.shares,
        "marker": {"color": theme.see_through(shown.colour, 0.55), "line": {"width": 1, "color": shown.colour}},
        "customdata": np.nan_to_num(said, posinf=1e99, neginf=-1e99),
        "hovertemplate": f"{hover}<extra></extra>",
    }
    traces: Traces = [plain.trace("bar", **bar, xaxis="x", yaxis=SHARES, name="histogram of z")]
    if lens.zero:
        look = {"color": theme.EXACT_ZERO, "line": {"width": 1, "color": theme.CURSOR}}
        words = f"z is exactly 0: %{{y:.2%}}<br>f′ there: {slopes.rms[ZERO_BIN]:.3g}<extra></extra>"
        zero = {"x": [0.0], "width": [0.1], "y": [lens.zero], "marker": look, "hovertemplate": words}
        traces.append(plain.trace("bar", **zero, xaxis="x", yaxis=SHARES, name=ZERO))
    if lens.lost:
        mark = {"symbol": "square", "size": 16, "color": theme.NOT_FINITE}
        words = f"{marks.NOT_FINITE_WORDS}: {lens.lost:.2%} of z<extra></extra>"
        lost = {"x": [END - 0.2], "y": [0.0], "mode": "markers", "marker": mark, "hovertemplate": words}
        traces.append(plain.trace("scatter", **lost, xaxis="x", yaxis=SHARES, name=marks.NOT_FINITE_WORDS))
    return traces


def _steps(edges: Array, shares: Array) -> tuple[Array, Array]:
    """Return the outline of bars."""
    return np.repeat(edges, 2)[1:-1], np.repeat(shares, 2)


def _outline(shown: _Drawn) -> Traces:
    """The histogram as an outline, faintly filled; an exact 0 is a part of the middle."""
    x, y = _steps(_edges(), shown.lens.shares)
    line = {"color": shown.colour, "width": 2}
    look = {"fill": "tozeroy", "fillcolor": theme.see_through(shown.colour, 0.22), "line": line, "mode": "lines"}
    name = f"{shown.name}’s histogram of z"
    traces = [plain.trace("scatter", x=x, y=y, **look, hoverinfo="skip", xaxis="x", yaxis=SHARES, name=name)]
    if shown.lens.zero:
        bar = {"x": [0, 0], "y": [0, shown.lens.zero], "mode": "lines", "line": {"color": shown.colour, "width": 6}}
        words = f"{shown.name}: z is exactly 0: {shown.lens.zero:.2%}<extra></extra>"
        zero = plain.trace("scatter", **bar, hovertemplate=words, xaxis="x", yaxis=SHARES, name=f"{shown.name}, {ZERO}")
        traces.append(zero)
    return traces


def _curves(shown: _Drawn) -> Traces:
    """f and f'; of randomized ReLU the mean slope, and the range of its slopes as a band."""
    places, z = _grid()
    activation = shown.lens.activation
    f, df = _slopes(activation, z)
    inside = f[np.abs(z) < FINE]
    # Where the axis is logarithmic a straight line would run up the border.
    pad = 0.05 * (inside.max() - inside.min())
    drawn = np.where((np.abs(z) < FINE) | ((f > inside.min() - pad) & (f < inside.max() + pad)), f, np.nan)
    of, more = f"{shown.name}: " * (shown.dash != "solid"), {"dash": shown.dash, "width": 3.5}
    said = np.stack([z, f, df], axis=-1).astype(np.float32)
    hover = f"{of}{activation.name}<br>z = %{{customdata[0]:.4~g}}<br>f(z) = %{{customdata[1]:.4~g}}"
    place = {"x": marks.float32(places), "customdata": said, "mode": "lines", "xaxis": "x"}
    place |= {"hovertemplate": f"{hover}<br>f′(z) = %{{customdata[2]:.4~g}}<extra></extra>"}
    traces = _random_band(activation, places, z, shown)
    for y, axis, name, colour in ((drawn, F, "f", shown.colour), (df, DF, "f′", shown.slope_colour)):
        traces.append(
            plain.trace(
                "scatter",
                y=marks.float32(y),
                yaxis=axis,
                line={"color": colour, **more},
                name=f"{name}, {activation.name}" if of == "" else f"{of}f and f′, {activation.name}",
                **place,
            )
        )
    return traces


def _random_band(activation: Activation, places: Array, z: Array, shown: _Drawn) -> Traces:
    if activation.random_slope is None:
        return []
    below = z < 0
    low, high = activation.random_slope
    x = np.concatenate([places[below], places[below][::-1]])
    flat = np.concatenate([np.full(below.sum(), low), np.full(below.sum(), high)])
    line = np.concatenate([low * z[below], high * z[below][::-1]])
    look = {"fill": "toself", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "xaxis": "x"}
    words = f"slopes drawn from {low:.3g} to {high:.3g}"
    return [
        plain.trace("scatter", x=x, y=y, yaxis=axis, fillcolor=theme.see_through(colour, 0.25), name=words, **look)
        for y, axis, colour in ((line, F, shown.colour), (flat, DF, shown.slope_colour))
    ]


def _levels(shown: _Drawn) -> Traces:
    """The RMS of f' over the histogram as a height on the axis of f', and the factor of Why as a mark at the right."""
    (_, rms, _), factor, whose = shown.lens.rms_slope, shown.lens.factor, f", {shown.name}" * (shown.dash != "solid")
    traces: Traces = []
    if np.isfinite(rms):
        line = {"mode": "lines", "line": {"color": shown.slope_colour, "width": 3, "dash": "dash"}}
        traces.append(_at_height(rms, [-END, END], f"RMS of f′{whose}", **line, showlegend=not whose))
    if np.isfinite(factor):
        mark = {"symbol": "diamond", "size": 15, "color": shown.slope_colour, "line": {"width": 1, "color": "white"}}
        look = {"mode": "markers", "marker": mark, "showlegend": not whose}
        name = f"{WORDS[shown.lens.history.kind].factor}{whose}"
        traces.append(_at_height(factor, [END - 0.6], name, **look))
    return traces


def _at_height(height: float, x: list[float], name: str, **look: Any) -> Trace:
    hover = f"{name}: {_digits(height)}<extra></extra>"
    place = {"x": x, "y": [height] * len(x), "xaxis": "x", "yaxis": DF}
    return plain.trace("scatter", **place, hovertemplate=hover, name=name, **look)


def _ridge(lens: Lens) -> Traces:
    """A small histogram for every position, the first one at the bottom; the chosen one stands out."""
    rows, chosen = lens.by_position, lens.row
    highest = rows[:, : ZERO_BIN + 1].max(axis=1, initial=0.0)
    heights = RIDGE * np.divide(rows, highest[:, None], out=np.zeros_like(rows), where=highest[:, None] > 0)
    others = [row for row in range(len(rows)) if row != chosen]
    traces: Traces = []
    for drawn, colour in ((others, theme.BASELINE), ([chosen], theme.NOW)):
        x, y = _ridges(heights, drawn)
        look = {"fill": "toself", "fillcolor": theme.see_through(colour, 0.5), "line": {"color": colour, "width": 1.5}}
        traces.append(_on_ridge(x=x, y=y, mode="lines", **look))
    zeros = heights[:, ZERO_BIN]
    x, y = (np.array([[0.0, 0.0, np.nan]] * len(rows)), np.arange(len(rows))[:, None] + [[0.55, 0.55, np.nan]])
    y[:, 1] += zeros
    kept = zeros > 0
    line = {"color": theme.EXACT_ZERO, "width": 5}
    traces.append(_on_ridge(x=x[kept].ravel(), y=y[kept].ravel(), mode="lines", line=line))
    return [*traces, _said_slopes(lens), _rows_to_click(lens)]


def _on_ridge(**look: Any) -> Trace:
    return plain.trace("scatter", hoverinfo="skip", showlegend=False, xaxis=RIDGES, yaxis=ROWS, **look)


def _ridges(heights: Array, rows: Sequence[int]) -> tuple[Array, Array]:
    """The outlines of some rows, one after another."""
    edges = _edges()
    xs, ys = [np.empty(0)], [np.empty(0)]
    for row in rows:
        x, y = _steps(edges, heights[row, :ZERO_BIN])
        foot = row + 0.55
        xs += [np.array([edges[0]]), x, np.array([edges[-1], edges[0], np.nan])]
        ys += [np.array([foot]), foot + y, np.array([foot, foot, np.nan])]
    return np.concatenate(xs), np.concatenate(ys)


def _told(rows: int) -> NDArray[np.int64]:
    """The rows beside which their slope stands."""
    return np.array(range(rows) if rows <= MOST_SAID else thin(range(rows), axes.TOLD), dtype=np.int64)


def _said_slopes(lens: Lens) -> Trace:
    told = _told(len(lens.looked_at))
    texts = [_digits(value) if np.isfinite(value) else "–" for value in lens.rms_slopes[told, 1]]
    look = {"mode": "text", "text": texts, "textposition": "middle right", "cliponaxis": False}
    return _on_ridge(x=np.full(len(told), END + 0.6), y=told + 1, **look)


def _rows_to_click(lens: Lens) -> Trace:
    """Bars that nobody sees, and that a click or the pointer finds."""
    place, rows = lens.history.kind.position, len(lens.looked_at)
    said = [
        f"{place} {position}: RMS of f′ {_digits(slope)}" if np.isfinite(slope) else ""
        for position, slope in zip(lens.looked_at, lens.rms_slopes[:, 1], strict=True)
    ]
    return plain.trace(
        "bar",
        orientation="h",
        y=np.arange(1, rows + 1),
        x=np.full(rows, 2 * END + 5),
        base=-END,
        width=np.ones(rows),
        marker={"color": theme.CURSOR, "opacity": 0},
        hovertext=said,
        hoverinfo="text",
        textposition="none",
        showlegend=False,
        xaxis=RIDGES,
        yaxis=ROWS,
    )


# --- layout -----------------------------------------------------------------------------------


def _layout(
    both: Sequence[_Drawn], curved: Sequence[_Drawn], caption: str, narrow: bool, larger: float
) -> dict[str, Any]:
    lens, more = both[-1].lens, 1.0 if narrow else larger  # a phone enlarges nothing
    notes, below = axes.foot(_meaning(both), caption, narrow)
    # Between the axis and the notes there is room for a row of the legend; the browser makes more, see fold.js.
    notes, below = [note | {"yshift": note["yshift"] - LEGEND_ROW} for note in notes], below + LEGEND_ROW
    above, top = axes.head(_lines(both, narrow), 0, OVER, narrow)
    inner, left, right = (900, [0.0, 1.0], [0.0, 1.0]) if narrow else (440, [0.0, 0.62], [0.74, 1.0])
    upper, lower, row = ([0.8, 1.0], [0.42, 0.76], [0.0, 0.33]) if narrow else ([0.68, 1.0], [0.0, 0.63], [0.0, 1.0])
    named_axes = _value_axes(curved, both, upper, lower)
    named_axes["xaxis"] = _z_axis(Z_WORDS, few=narrow) | {"domain": left, "anchor": DF} | SPIKES
    ridge_axis = _z_axis("z", few=True) | {"range": [-END, END + 5]}
    named_axes["xaxis2"] = ridge_axis | {"domain": right, "anchor": ROWS}
    named_axes["yaxis4"] = _row_axis(lens) | {"domain": row, "anchor": "x2"}
    notes += [_ridge_title(lens, right, row), *_flat_notes(lens, narrow)]
    notes += [axes.label(NO_SEED, 0.02, lower[1] - 0.1, size=18)] if lens.empty else []
    return {
        "height": round(inner + more * (below + top)),
        "barmode": "overlay",
        "bargap": 0,
        "hovermode": "closest",
        **axes.legend_below(AXIS * more, inner),
        **axes.sized(named_axes),
        "annotations": [*notes, above],
        "shapes": [*_flat_shapes(lens, lower[0], upper[1]), *_borders(lower[0], upper[1])],
        "margin": {"l": 70, "r": 60 if narrow else 16, "t": top, "b": below},
    }


def _meaning(both: Sequence[_Drawn]) -> str:
    lens = both[-1].lens
    return WORDS[lens.history.kind].meaning_of(lens, factor=any(shown.lens.measured for shown in both))


def _row_axis(lens: Lens) -> dict[str, Any]:
    """The axis of the ridge: a row for each position that is looked at."""
    rows = len(lens.looked_at)
    ends = axes.end_ticks(rows)
    ticks = axes.ticks(ends, (f"{lens.looked_at[round(end) - 1]}" for end in ends))
    return {"range": [0.45, rows + 0.65], "showgrid": False, **ticks, "title": axes.title(WORDS[lens.history.kind].row)}


def _rows_text(lens: Lens) -> str:
    """Say which positions the ridge has."""
    rows, all_ = len(lens.looked_at), lens.history.experiment.inner_positions
    places = f"{lens.history.kind.position}s"
    return f"all {places}" if rows == all_ else f"{rows} of {all_} {places}"


SPIKES = {"showspikes": True, "spikemode": "across", "spikesnap": "cursor", "spikethickness": 1, "spikedash": "solid"}
SPIKES |= {"spikecolor": theme.CURSOR}


def _z_axis(words: str, *, few: bool = False) -> dict[str, Any]:
    inside = (-8, -4, 0, 4, 8) if few else range(-8, 9, 2)
    powers = () if few else (6,)
    values = [*(float(z) for z in inside), *(sign * 10.0**power for power in powers for sign in (-1, 1))]
    texts = [*(f"{z:g}".replace("-", "−") for z in inside)]
    texts += [f"{sign}{axes.power_text(power)}" for power in powers for sign in ("−", "")]
    places = _squeezed(on_axis(np.array(values)))
    title = {"title": axes.title(words, 2)}
    return {"range": [-END, END], "showgrid": True, "zeroline": False, **axes.ticks(places, texts), **title}


def _value_axes(
    curved: Sequence[_Drawn], both: Sequence[_Drawn], upper: Sequence[float], lower: Sequence[float]
) -> dict[str, Any]:
    """Axes of f, of f', and of shares, whose 0 is at the height of that of f'."""
    z = np.arange(-FINE, FINE, 0.05) + 0.01
    values = [_slopes(shown.lens.activation, z) for shown in curved]
    (f_low, f_high), (df_low, df_high) = (
        (min(v[i].min() for v in values), max(v[i].max() for v in values)) for i in (0, 1)
    )
    pad, bottom, high = 0.06 * (f_high - f_low), min(float(df_low), 0.0) * 1.15, float(df_high) * 1.12
    tallest = max(float(shown.lens.by_position[shown.lens.row, : ZERO_BIN + 1].max(initial=0.0)) for shown in both)
    top = next(top for top in SHARE_TOPS if tallest <= top * 1.0001 or top == SHARE_TOPS[-1])
    shares = {"range": [bottom / high * top * 1.12, top * 1.12], "overlaying": DF, "side": "right", "anchor": "x"}
    shares |= axes.ticks((0, top / 2, top), (f"{share:.0%}" for share in (0, top / 2, top)))
    return {
        "yaxis": {"range": [bottom, high], "domain": lower, "anchor": "x", "title": axes.title("slope f′(z)")},
        "yaxis2": {"range": [f_low - pad, f_high + pad], "domain": upper, "anchor": "x", "title": axes.title("f(z)")},
        "yaxis3": shares | {"title": axes.title("share of z"), "showgrid": False},
    }


def _ridge_title(lens: Lens, right: Sequence[float], row: Sequence[float]) -> dict[str, Any]:
    words = f"z and RMS of f′, {_rows_text(lens)}"
    return axes.label(words, right[0], row[1], size=theme.TICK_SIZE) | {"yshift": 3}


def _flat_shapes(lens: Lens, bottom: float, top: float) -> list[dict[str, Any]]:
    look = {"type": "rect", "yref": "paper", "y0": bottom, "y1": top, "line": {"width": 0}, "layer": "below"}
    look |= {"fillcolor": theme.see_through(theme.NOT_FINITE, 0.1), "xref": "x"}
    return [look | {"x0": low, "x1": high} for low, high in flat_ends(lens.activation)]


def _flat_notes(lens: Lens, narrow: bool) -> list[dict[str, Any]]:
    """How much is saturated, written where the shade is."""
    ends = flat_ends(lens.activation)
    if not ends or np.isnan(lens.saturated[1]):
        return []
    at = (min(ends[0][1], 0.0) + max(ends[0][0], -FINE)) / 2  # Between the lines that stand there
    words = f"saturated{',<br>both ends' * (len(ends) > 1)}:<br>{lens.saturated[1]:.1%}"
    place = {"xref": "x", "x": at, "yref": "y domain", "y": 0.98, "xanchor": "center", "yanchor": "top"}
    if narrow:  # the shade is narrower than its words
        place |= {"xref": "x domain", "x": 0.01, "xanchor": "left", "align": "left"}
    return [{"text": words, "showarrow": False, "font": {"size": theme.TICK_SIZE}, **place}]


def _borders(bottom: float, top: float) -> list[dict[str, Any]]:
    line = axes.CURSOR_LINE | {"xref": "x", "yref": "paper", "y0": bottom, "y1": top}
    return [line | {"x0": place, "x1": place} for place in (-float(FINE), float(FINE))]


# --- words ------------------------------------------------------------------------------------


def brief_lines(figure: Figure) -> str:
    """Return the lines above a lens without what its bins leave open."""
    text = next(note["text"] for note in figure["layout"]["annotations"] if note.get("name") == "lines")
    return BOUNDS.sub("", text)


def _lines(both: Sequence[_Drawn], narrow: bool) -> list[str]:
    """What the histograms say, a line above the figure for each, below one that says where they are."""
    letters = axes.NARROW_LETTERS if narrow else axes.LETTERS
    where = _where(both[-1].lens)
    told = [begun(where)]
    for shown in both:
        other = "" if _where(shown.lens) == where else f" ({_where(shown.lens)})"
        name = axes.coloured_name(shown.colour, f"{shown.name}{other}")
        text = ", ".join(_facts(shown.lens, "<b>", "</b>"))
        told.append(f"{name}<br>{axes.folded(text, letters)}" if narrow else f"{name}: {text}")
    return told


def _where(lens: Lens) -> str:
    first, runs = lens.history.experiment.seed, len(lens.history.loss)
    whose = panels.seeds_text(runs) if lens.seed is None else f"seed {first + lens.seed}"
    experiment, place = lens.history.experiment, lens.history.kind.position
    of = f"{lens.function}, " * bool(lens.function)
    return f"{of}{place} {lens.position} of {experiment.inner_positions}, epoch {lens.epoch:,}, {whose}"


def _digits(value: float) -> str:
    """Say a slope in three digits: in a pair of numbers the third one counts."""
    return f"{value:.3f}" if 1e-2 <= value < 100 else number(value)


def _facts(lens: Lens, strong: str = "", end: str = "") -> list[str]:
    if lens.empty:
        return [NO_SEED]
    least, likely, most = lens.rms_slope
    told = []
    if np.isfinite(likely):
        bounds = "" if most - least <= 1e-9 else f" ({_digits(least)} to {_digits(most)}, {IN_BIN})"
        told.append(f"RMS of f′ {strong}{_digits(likely)}{end}{bounds}")
    factor, words = lens.factor, WORDS[lens.history.kind]
    if lens.measured:
        told.append(f"{words.factor} {strong}{_digits(factor)}{end}" if np.isfinite(factor) else words.no_factor)
    least, likely, most = lens.saturated
    if np.isfinite(likely):
        told.append(f"saturated {likely:.1%}{f' ({least:.1%} to {most:.1%})' * (most > least)}")
    told += [f"z exactly 0: {lens.zero:.1%}"] * (lens.zero > 0)
    return told + [f"z not finite: {lens.lost:.1%}"] * (lens.lost > 0)


IN_BIN = "depending on where in its bin each z lies"
BOUNDS = re.compile(rf" \([^()]*, {IN_BIN}\)")


def describe_lens(now: Lens, baseline: Lens | None, names: tuple[str, str] = (BASELINE, NOW)) -> str:
    """Say where z lies at the layer or time step, what slope that gives, and the same of some others."""
    told = []
    for name, lens in ((names[1], now), (names[0], baseline)):
        if lens is not None:
            facts = ", ".join(_facts(lens))
            told.append(f"{begun(name)}, {lens.activation.name}, {_where(lens)}: {facts}. {_spread(lens)}".rstrip())
    place, slopes = now.history.kind.position, now.rms_slopes[:, 1]
    said = [
        f"{place} {now.looked_at[row]} {_digits(slopes[row])}"
        for row in thin(range(len(slopes)), axes.TOLD)
        if np.isfinite(slopes[row])
    ]
    return " ".join([*told, f"RMS of f′ by {place}: {', '.join(said)}." if said else ""]).strip()


def _spread(lens: Lens) -> str:
    """Say how much of z lies in some ranges."""
    if lens.empty:
        return ""
    shares = lens.shares
    ranges = ((-np.inf, -FINE), (-FINE, -2), (-2, -0.25), (-0.25, 0.25), (0.25, 2), (2, FINE), (FINE, np.inf))
    said = []
    for low, high in ranges:
        share = shares[(BIN_EDGES[:-1] >= low) & (BIN_EDGES[1:] <= high)].sum()
        words = (
            f"below {high:g}" if low == -np.inf else f"above {low:g}" if high == np.inf else f"from {low:g} to {high:g}"
        )
        said += [f"{share:.1%} {words}"] * int(share > 0)
    return f"Shares of z: {', '.join(said)}." if said else ""
