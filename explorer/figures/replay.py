"""Replay: how a figure tells the browser what moves when training is replayed, so that no frame needs the server.

Everything that moves is in the picture already: the maps hold every layer at every epoch. A trace that takes part has in
its `meta` the number of its net and its role, and the live chart moves it by the column of its net's map:

- MAP, ZERO, LOST: the map, and the cells over it that are exactly 0 and that are not finite;
- PROFILE: a line that has one column of the map as x;
- BARS: bars with a column as height and colour; ZERO_MARKS, LOST_MARKS: marks where a column has such cells. They stand
  `shift` beside their layer, and the bars on `base`;
- STILL: what is known at the chosen epoch alone, and disappears while a replay is under way.

In texts with the name EPOCH_TEXT the words "epoch 1,000" follow; lines in the layout's shapes do too.
"""

from typing import Any

from explorer.figures import plain
from explorer.figures.plain import Trace

MAP, ZERO, LOST = "map", "zero", "lost"
PROFILE, BARS, ZERO_MARKS, LOST_MARKS = "profile", "bars", "zero marks", "lost marks"
STILL = "still"
EPOCH_TEXT = "epoch"


def moved(trace: Trace, role: str, net: int = 0, **more: Any) -> Trace:
    """Give a trace its role in a replay."""
    return trace | {"meta": {"role": role, "net": net, **more}}


def still(kind: str, **look: Any) -> Trace:
    """Return a trace that disappears while a replay is under way."""
    return moved(plain.trace(kind, **look), STILL)
