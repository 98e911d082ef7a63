"""The tour's figures: those of other pages, fitted to the two thirds of the page that the words leave them; products, and claims."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np

from explorer.choices.arrays import thin
from explorer.diagnosis.decomposition import Why
from explorer.diagnosis.lens import Lens
from explorer.diagnosis.seeds import Band
from explorer.diagnosis.wording import decades
from explorer.figures import axes, marks, plain, theme
from explorer.figures.explore import why_figure
from explorer.figures.lens import brief_lines, lens_figure
from explorer.figures.plain import Figure, Trace
from explorer.figures.remedies import FOOT
from explorer.figures.time import PROFILE
from explorer.theory.products import LN10, MOST, Products, followed, product_rows

# In pixels; the live chart lowers it on a low screen.
HEIGHT = 940
# The height of each further line of settings.
LINE = 18
# Pixels below a lens: to its legend, to its settings, and in all.
LENS_LEGEND, LENS_FOOT, LENS_BELOW = 88, 132, 162
# Where the line ends before the colour bar's numbers.
LETTERS_THROUGH_TIME = 98
NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Proof:
    """What of a figure proves a scene's sentence: what is framed, and its name."""

    words: str
    # FIRST: the first layer's or step's row of a map; END: a map's last epochs; MAP: all of it; LOSS: the losses; else the
    # name of a part of the way back, whose bars are meant.
    place: str
    panel: int = -1  # Index of the map
    depth: int | None = None  # Of a figure by depth


FIRST, END, MAP, LOSS, DEPTH = "first", "end", "map", "loss", "depth"
POINTER = theme.COMPARED[0]  # Neither a colour of the maps nor one that says what became of a net
LEAST_ROW = 0.035  # A frame around a row of many is as high as this share of the map


def pointed(figure: Figure, proof: Proof) -> Figure:
    """Frame what proves the sentence."""
    shape = _frame(figure, proof)
    if shape is None:
        for trace in figure["data"]:
            if trace["type"] == "bar" and trace.get("name") == proof.place:
                trace["marker"] = trace["marker"] | {"line": {"color": POINTER, "width": 3}}
        return figure
    line = {"type": "rect", "line": {"color": POINTER, "width": 4}}
    for layout in (figure["layout"], figure["layout"].get("meta", {}).get("narrow", {})):
        if layout:
            layout["shapes"] = [*layout.get("shapes", []), line | shape]
    return figure


def _frame(figure: Figure, proof: Proof) -> dict[str, Any] | None:
    """Return where the frame lies; None where bars that stand apart are meant, each of which has one."""
    if proof.place == LOSS:
        x, y = next(
            _axes(trace) for trace in reversed(figure["data"]) if "median loss" in trace.get("hovertemplate", "")
        )
        return {"xref": f"{x} domain", "yref": f"{y} domain", "x0": 0, "x1": 1, "y0": 0, "y1": 1}
    if proof.depth is not None:
        return {"xref": "x", "yref": "y domain", "x0": proof.depth - 0.4, "x1": proof.depth + 0.4, "y0": 0, "y1": 1}
    bars = next(
        (trace for trace in figure["data"] if trace["type"] == "bar" and trace.get("name") == proof.place), None
    )
    if bars is not None:
        return _around(bars) if "width" in bars else None
    spans = {FIRST: (0.0, 1.0, 0.0, 1.0), END: (0.97, 1.0, 0.0, 1.0), MAP: (0.0, 1.0, 0.0, 1.0)}
    # Of what is drawn as a heatmap only maps over epochs know these.
    maps = {_axes(trace): trace for trace in figure["data"] if trace["type"] == "heatmap" and "customdata" in trace}
    x, y = list(maps)[proof.panel]
    left, right, bottom, top = spans[proof.place]
    if proof.place == FIRST:
        top = max(1 / len(maps[x, y]["z"]), LEAST_ROW)
    return {"xref": f"{x} domain", "yref": f"{y} domain", "x0": left, "x1": right, "y0": bottom, "y1": top}


def _around(histogram: Trace) -> dict[str, Any]:
    """Return where the frame around a histogram lies: around all bars that can be seen."""
    x, width, y = (np.asarray(histogram[name], float) for name in ("x", "width", "y"))
    seen = y > 0.01 * y.max()
    ends = {"x0": (x - width / 2)[seen].min(), "x1": (x + width / 2)[seen].max(), "y0": 0.0, "y1": 1.05 * y.max()}
    return dict(zip(("xref", "yref"), _axes(histogram), strict=True)) | {name: float(end) for name, end in ends.items()}


def _axes(trace: Trace) -> tuple[str, str]:
    return trace.get("xaxis", "x"), trace.get("yaxis", "y")


def with_height(figure: Figure, **changes: Any) -> Figure:
    """Give a figure the tour's height, and change its layout; that for a narrow screen, in its `meta`, stays."""
    layout = figure["layout"]
    for name, change in changes.items():
        layout[name] = layout.get(name, {}) | change if isinstance(change, dict) else change
    layout["height"] = HEIGHT
    return figure


def _settings(figure: Figure) -> list[dict[str, Any]]:
    """Return the lines of settings among the texts of a figure."""
    return [text for text in figure["layout"]["annotations"] if text.get("name") == "settings"]


def beside_words(figure: Figure) -> Figure:
    """Fit Explore's figure."""
    return with_height(figure, xaxis2=_fewer_ticks(figure["layout"]["xaxis2"]))


def _fewer_ticks(axis: dict[str, Any]) -> dict[str, Any]:
    """Every second tick of the profile's axis: beside words it has half of the width of a page of its own."""
    if len(axis.get("tickvals", ())) < 6:
        return {"tickangle": 0}
    return {"tickvals": axis["tickvals"][1::2], "ticktext": axis["ticktext"][1::2], "tickangle": 0}


def why_beside_words(why: Why, caption: str) -> Figure:
    """Draw what multiplies the gradient, with the settings below it."""
    return with_height(why_figure(why), annotations=[axes.settings(caption, 66)], margin={"b": 96, "r": 40})


def lens_beside_words(now: Lens, baseline: Lens | None, caption: str, names: tuple[str, str]) -> Figure:
    """Draw the lens with all the height there is, and say no more than fits; `names` are those of both."""
    figure = lens_figure(now, baseline, caption, names=names)
    lines, settings = (
        next(text for text in figure["layout"]["annotations"] if text.get("name") == name)
        for name in ("lines", "settings")
    )
    kept = [text for text in figure["layout"]["annotations"] if text.get("name") not in ("lines", "words", "settings")]
    notes = [lines | {"text": brief_lines(figure)}, settings | {"yshift": -LENS_FOOT}]
    inner = HEIGHT - figure["layout"]["margin"]["t"] - LENS_BELOW
    margin = {"b": LENS_BELOW, "r": 56}
    # There is no room for the title of the rows, which stands above them as well.
    changes = {"margin": margin, "meta": {"fixed": False}, "yaxis4": {"title": {"text": ""}}}
    return with_height(figure, annotations=[*kept, *notes], **changes, **axes.legend_below(LENS_LEGEND, inner))


def panels_beside_words(figure: Figure) -> Figure:
    """Fit the figure of Remedies: the panels get all the height there is, the colour bar below them keeps its own."""
    layout = figure["layout"]
    old, new = FOOT / layout["height"], FOOT / HEIGHT

    def moved(y: float) -> float:
        return y * new / old if y <= old else new + (y - old) * (1 - new) / (1 - old)

    for name, axis in layout.items():
        if name.startswith("yaxis"):
            axis["domain"] = [moved(y) for y in axis["domain"]]
    for text in layout["annotations"]:
        text["y"] = moved(text["y"])
    return with_height(figure, meta={"fixed": False})


def time_beside_words(figure: Figure, caption: str) -> Figure:
    """Fit the figure of Time: the settings on several lines, broken between two of them."""
    unbroken = caption.replace(" ·", f"{NO_BREAK}·").replace(" ~ ", f"{NO_BREAK}~{NO_BREAK}")
    lines = wrap(unbroken, LETTERS_THROUGH_TIME)
    for text in _settings(figure):
        text["text"] = "<br>".join(lines)
    layout, axis = figure["layout"], f"xaxis{PROFILE}"
    margin = {"b": layout["margin"]["b"] + LINE * (len(lines) - 1)}
    return with_height(figure, margin=margin, **{axis: _fewer_ticks(layout[axis])})


# --- products of random factors -------------------------------------------------------------------

# In decades; it stays fixed, so that pictures can be compared. Of so many paths a line each is drawn.
PRODUCT_SPAN, DRAWN_PATHS = (-16.0, 16.0), 60
BELOW, ABOVE = "below 0.001", "above 1,000"
VANISHED, EXPLODED = theme.COMPARED[3], theme.THEORY
SKIPS, SUM = "with skips: product of 1 + f", "sum: 1 + f₁ + ... + fₙ"
N = np.arange(MOST + 1.0)


def product_figure(about: Products) -> Figure:
    """Draw products of random factors by their number: paths, how many have vanished or exploded, and skips and sums."""
    paths = followed(about)
    low, middle, high = paths.quartiles
    main, other = marks.Panel(PRODUCT_SPAN, "n ="), marks.Panel(PRODUCT_SPAN, "n =", x="x3", y="y3")
    some = np.pad(paths.product[:DRAWN_PATHS], ((0, 0), (0, 1)), constant_values=np.nan)
    each = main.placed(np.tile(marks.float32(np.append(N, np.nan)), len(some)), marks.float32(some.ravel()))
    faint = {"color": theme.see_through(theme.NOW, 0.35), "width": 1}
    traces: marks.Traces = [
        plain.trace("scatter", **each, mode="lines", line=faint, name="some paths", hoverinfo="skip"),
        main.filled(N, Band(low, middle, high), theme.NOW_STYLE, "middle half of the paths") | {"showlegend": True},
        *_line(main, middle, "median product", theme.NOW, width=4),
        *_line(main, N * about.rate / LN10, "theory: n times the mean of ln f", theme.THEORY, width=3, dash="dash"),
        *_shares(paths.vanished, BELOW, VANISHED, "solid"),
        *_shares(paths.exploded, ABOVE, EXPLODED, "dash"),
        *_line(other, middle, "median product", theme.NOW, width=4),
        *_line(other, np.median(paths.skip, axis=0), SKIPS, theme.PARTS["skip"], width=4, dash="dashdot"),
        *_line(other, np.median(paths.sum, axis=0), SUM, theme.BASELINE, width=4, dash="dot"),
    ]
    return marks.compose(traces, lambda narrow: _product_layout(about, narrow))


def _line(panel: marks.Panel, logs: Any, name: str, colour: str, **line: Any) -> marks.Traces:
    curve, *edges = panel.line(N, logs, name, color=colour, **line)
    return [curve | {"showlegend": True}, *edges]


def _shares(values: Any, name: str, colour: str, dash: str) -> marks.Traces:
    place = {"x": marks.float32(N), "y": marks.float32(values), "xaxis": "x2", "yaxis": "y2"}
    hover = f"n = %{{x}}<br>{name}: %{{y:.0%}}<extra></extra>"
    line = {"color": colour, "width": 4, "dash": dash}
    return [plain.trace("scatter", **place, mode="lines", line=line, name=name, hovertemplate=hover)]


def _product_layout(about: Products, narrow: bool) -> dict[str, Any]:
    # A legend of one column stands higher.
    height, above, below, foot = (1160, 60, 180, 118) if narrow else (HEIGHT, 110, 160, 118)
    inner = height - above - below
    whole = [0.0, 1.0]
    boxes: list[axes.Box] = (
        [(whole, [0.62, 1.0]), (whole, [0.36, 0.52]), (whole, [0.0, 0.26])]
        if narrow
        else [([0.0, 0.56], whole), ([0.68, 1.0], [0.62, 1.0]), ([0.68, 1.0], [0.0, 0.42])]
    )
    x = {"range": [0, MOST + 1], "title": axes.title("n: number of factors"), "showgrid": True}
    product = {"range": list(PRODUCT_SPAN), **axes.decade_ticks(PRODUCT_SPAN), "showgrid": True}
    shares = {"range": [-0.04, 1.04], **axes.share_ticks(3), "showgrid": True}
    titles = ("The product of n factors", "Share of the products", "Medians: product, skips, sum")
    named: dict[str, Any] = {}
    for number, (box, y) in enumerate(zip(boxes, (product, shares, product), strict=True), start=1):
        # On a wide screen the panel above the last has its numbers, and the one below it their title.
        named |= axes.pair(number, box, x | ({} if narrow or number != 2 else {"title": ""}), y)
    return {
        "height": height,
        "margin": {"l": 70, "r": 24, "t": above, "b": below},
        "annotations": [
            *(
                axes.label(f"<b>{text}</b>", box[0][0], box[1][1], size=18)
                for text, box in zip(titles, boxes, strict=True)
            ),
            axes.settings(axes.folded(about.caption, 40 if narrow else 90), foot),
        ],
        **axes.legend_below(88, inner),
        **axes.sized(named),
    }


def describe_products(about: Products) -> str:
    """Say the products' medians and shares by the number of factors."""
    told = [
        f"n = {row['n']}: median product {decades(row['log10 product, median'])}, theory {decades(row['log10 product, theory'])}, "
        f"{row['share below 1e-3']:.0%} below 0.001, {row['share above 1e3']:.0%} above 1,000, with skips "
        f"{decades(row['log10 with skips, median'])}, sum {decades(row['log10 sum, median'])}"
        for row in thin(product_rows(about)[1:], axes.TOLD)
    ]
    return f"Products of n random factors. {about.caption}. {about.entry.caption} {'; '.join(told)}."


# --- what is often said ---------------------------------------------------------------------------

SAID_SPAN, SAID_ROW = (-12.0, 6.0), 46


@dataclass(frozen=True)
class Said:
    """A number that was measured, NaN if not yet, and between what ends it would lie if what is said were true."""

    name: str
    value: float
    low: float
    high: float


def said_figure(rows: Sequence[Said]) -> Figure:
    """Draw for every claim where its number lies, and where it would if the claim were true, on one axis of powers of ten."""
    places = np.arange(len(rows), 0, -1.0)
    logs = np.array([-np.inf if row.value == 0 else np.log10(row.value) for row in rows])
    panel = marks.Panel(SAID_SPAN, sideways=True, size=16)
    texts = [f"{row.name}<br>measured: {decades(log)}" for row, log in zip(rows, logs, strict=True)]
    known = ~np.isnan(logs)
    dot = {"symbol": "diamond", "size": 18, "color": theme.NOW}
    traces: marks.Traces = [
        plain.trace(
            "scatter",
            x=xs,
            y=ys,
            mode="lines",
            line={"color": theme.THEORY, "width": 12},
            name="where it would be if that were true",
            hoverinfo="skip",
        )
        for xs, ys in _if_true(rows, places)
    ]
    points = marks.points(
        panel.placed(places, marks.drawable(logs)), texts, mode="markers", marker=dot, name="measured"
    )
    edges = panel.edge_marks(places[known], logs[known], theme.NOW, [t for t, k in zip(texts, known, strict=True) if k])
    return marks.compose([*traces, points, *edges], lambda narrow: _said_layout(rows, places, narrow))


def _if_true(rows: Sequence[Said], places: Any) -> Iterator[tuple[list[float], list[float]]]:
    for row, place in zip(rows, places, strict=True):
        low = np.log10(row.low) if row.low else SAID_SPAN[0]
        yield [float(low), float(min(np.log10(row.high), SAID_SPAN[1]))], [float(place)] * 2


def _said_layout(rows: Sequence[Said], places: Any, narrow: bool) -> dict[str, Any]:
    letters = 22 if narrow else 60
    names = ["<br>".join(wrap(row.name, letters)) for row in rows]
    row = 84 if narrow else SAID_ROW
    x = {
        "range": list(SAID_SPAN),
        **axes.decade_ticks(SAID_SPAN, 3 if narrow else 6),
        "title": axes.title("the number that decides, named with each claim"),
        "showgrid": True,
    }
    y = {"range": [0.4, len(rows) + 0.6], **axes.ticks(places, names), "showgrid": True, "automargin": True}
    height = row * len(rows) + 150
    return {
        "height": height,
        "margin": {"l": 64, "r": 24, "t": 60, "b": 90},
        **axes.legend_above(height - 150),
        **axes.sized({"xaxis": x, "yaxis": y}),
    }
