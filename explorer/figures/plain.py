"""Plain: figures as plain dictionaries, as Plotly's own format has them.

Plotly's objects check every property as they are made and copy all of it whenever they are sent, which costs ten times
what drawing does. Tests check every figure; here it is only written down.
"""

import base64
import builtins
import json
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

Trace = dict[str, Any]
Figure = dict[str, Any]  # data: list of Trace; layout: dict

# Plotly's names of the numbers that travel as binary; 64-bit integers are made as small as they are.
BINARY = {"int8": "i1", "uint8": "u1", "int16": "i2", "int32": "i4", "float32": "f4", "float64": "f8"}
# What a browser does before it draws a figure: `refolded(layout, width, family)`.
FOLD = Path(__file__).with_name("fold.js").read_text(encoding="utf-8")
# What draws a walk, see `diagnosis.walk_graph`, as SVG: `walkDrawing(graph, how)`.
WALK = Path(__file__).with_name("walk.js").read_text(encoding="utf-8")
FIRST = {"xaxis": "x1", "yaxis": "y1"}
SMALLER = (np.int8, np.int16, np.int32)


def trace(kind: str, **look: Any) -> Trace:
    """Return a trace of Plotly's kind, such as scatter; a property that is None is left out.

    A first axis may be called x1 or y1; Plotly gives it no number.
    """
    made: Trace = {"type": kind}
    for name, value in look.items():
        if value is not None:
            made[name] = value[0] if name in FIRST and value == FIRST[name] else value
    return made


def figure(traces: list[Trace], layout: dict[str, Any]) -> Figure:
    """Return a figure."""
    return {"data": traces, "layout": layout}


def text(drawn: Figure) -> str:
    """Write a figure as JSON, as a browser's Plotly reads it."""
    try:
        return json.dumps(drawn, default=_plain, allow_nan=False)
    except ValueError:  # NaN outside an array, which JSON does not have
        return str(checked(drawn).to_json())


def checked(drawn: Figure) -> go.Figure:
    """Return Plotly's own figure, for a notebook or a file; ValueError where a property is none of Plotly's."""
    return go.Figure(drawn)


def lean(drawn: Figure) -> Figure:
    """Return a figure for a file: numbers with half the digits, which a screen does not show."""
    return {name: _lean(value) for name, value in drawn.items()}


def _lean(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lean(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_lean(each) for each in value]
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        with np.errstate(over="ignore", under="ignore"):
            single = value.astype(np.float32)
        lost = np.isfinite(value) & (~np.isfinite(single) | ((single == 0) & (value != 0)))
        return value if lost.any() else single
    return value


def library() -> str:
    """Return Plotly's own script, for a page that needs no network."""
    return str(get_plotlyjs())


def show(drawn: Figure, words: str) -> None:
    """Show a figure in a notebook; elsewhere, or where Plotly cannot show it, print what it shows in words."""
    shown(checked(drawn), words)


def shown(value: object, words: str) -> None:
    """Have a notebook display a value that it can draw; elsewhere print the words for it."""
    display = getattr(builtins, "display", None)  # which IPython puts there
    try:
        if display is not None:
            display(value)
            return
    except ValueError:  # of Plotly, where nbformat is missing
        pass
    print(words)


def verbatim_in_figure(words: str) -> str:
    """Write words as Plotly's markup that shows these very words.

    >>> verbatim_in_figure("<b>$x$")
    '&lt;b&gt;&#36;x&#36;'
    """
    return escape(words, quote=False).replace("$", "&#36;")


def _plain(value: Any) -> Any:
    """Write arrays in binary where Plotly can read them so, others as lists, and NumPy's numbers as Python's."""
    if not isinstance(value, np.ndarray):
        return value.item()
    if value.dtype == np.int64 and value.size:
        low, high = value.min(), value.max()
        fitting = (kind for kind in SMALLER if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
        value = value.astype(next(fitting, np.int64))
    kind = BINARY.get(value.dtype.name)
    if kind is None or not value.size:
        return value.tolist()
    sent = {"dtype": kind, "bdata": base64.b64encode(value.tobytes()).decode()}
    return sent | ({"shape": str(value.shape)[1:-1]} if value.ndim > 1 else {})
