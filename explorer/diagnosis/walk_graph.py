"""Walk graph: a walk as the boxes, arrows and steps of a computational graph, pure data that any screen can draw.

Three lanes: the forward pass goes from left to right, the backward pass below it from right to left; between them stands what
both passes use: the weights, and the slopes f'. A deep net is shortened to its first layers and its last two, so that all of it
is seen at once.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

from explorer.choices.arrays import Array
from explorer.diagnosis.walk import Factor, LayerNumbers, Walk, multiplied, norm
from explorer.diagnosis.wording import number

# Weight layers that are all drawn, by how many quantities each has in its row: of more, the last two, and as many of the first
# as then make one less. Vectors of so many entries are written out.
MOST_LAYERS, MOST_ENTRIES = {2: 5, 3: 5, 4: 4}, 6
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
FORWARD, SHARED, BACKWARD = "forward", "shared", "backward"


@dataclass(frozen=True)
class Box:
    """One quantity of the graph, with its numbers and how they come about."""

    key: str
    lane: str
    column: str  # Where in its layer it stands: x, z, n, a, h, W or gap
    layer: int  # From 1; 0 is the input; of a gap the layer before it
    title: str
    columns: list[tuple[str, list[str]]]  # Numbers in columns, each with a heading, which may be empty
    words: str  # What it is
    arithmetic: list[str] = field(default_factory=list)
    code: str = ""  # By what the engine computes it: a name that `sharing.code` knows
    part: str = ""  # Which part of a factor it is
    decades: float | None = None  # Of a gradient, log10 of its norm over that of the last layer's dL/dz


@dataclass(frozen=True)
class Step:
    """One step: these boxes get their numbers."""

    boxes: list[str]
    says: str
    factor: int = 0  # The layer whose factor is known from here on; 0: none


@dataclass(frozen=True)
class Graph:
    """A walk as boxes, arrows and steps."""

    boxes: list[Box]
    edges: list[tuple[str, str, str]]  # Keys of two boxes, and the kind of arrow: forward, backward, shared or skip
    steps: list[Step]
    factors: dict[int, tuple[str, list[tuple[str, str]]]]  # By layer: what it multiplies by, and its parts
    result: str  # The product of all factors beside the measured ratio
    multiplied: list[str]  # That product, a factor a line

    def plain(self) -> dict[str, Any]:
        """Return it as dictionaries and lists, for JSON."""
        return asdict(self)


def sub(index: int) -> str:
    """Write an index as a subscript."""
    return str(index).translate(SUBSCRIPTS)


def short(value: Any) -> str:
    """Write a number to three digits, and to two with a power of ten.

    >>> short(0.25), short(-1.234e-12), short(0.0), short(math.inf)
    ('0.25', '-1.2e-12', '0', '∞')
    """
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
    if 0.01 <= abs(value) < 999.5:
        return f"{value:.3g}"
    mantissa, power = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(power)}"


def two_places(value: Any) -> str:
    """Write a weight to two places, where these say something of it."""
    return f"{value:.2f}" if 0.005 <= abs(value) < 99.995 else short(value)


def long(value: Any) -> str:
    """Write a number to five digits, as a factor in a line of arithmetic: a negative one in brackets."""
    return f"({value:.5g})" if value < 0 else f"{value:.5g}"


def graph(walk: Walk) -> Graph:
    """Lay out a walk."""
    return _Drawing(walk).graph()


class _Drawing:
    """Collects the boxes, arrows and steps of a walk."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.count = walk, len(walk.layers)
        self.skips = any(layer.source is not None for layer in walk.layers)
        self.entries = max(walk.experiment.width, len(walk.x)) <= MOST_ENTRIES
        places, most = list(range(1, self.count + 1)), MOST_LAYERS[2 + self.skips + walk.normalized]
        self.shown = places if self.count <= most else [*places[: most - 3], *places[-2:]]
        self.boxes: dict[str, Box] = {}
        self.edges: list[tuple[str, str, str]] = []
        self.steps: list[Step] = []
        self.last = norm(walk.layers[-1].dz)
        self.out = "h" if self.skips else "a"  # What a hidden layer hands on is called

    def graph(self) -> Graph:
        """Add the boxes, arrows and steps of both passes, and put them together."""
        self._input()
        for layer, above in self._with_gaps(self.shown):
            self._forward(layer)
            if above is not None and above > layer + 1:
                self._gap_forward(layer, above)
        self._loss()
        for layer, above in reversed(list(self._with_gaps(self.shown[:-1], self.shown[1:]))):
            if above is not None and above > layer + 1:
                self._gap_backward(layer, above)
            self._backward(layer)
        self._arrows()
        result = self._result()
        self.steps.append(Step([], result))
        return Graph(list(self.boxes.values()), self.edges, self.steps, self._factors(), result, self._multiplied())

    @staticmethod
    def _with_gaps(layers: Sequence[int], above: Sequence[int] = ()) -> Iterator[tuple[int, int | None]]:
        """Yield every layer that is shown, with the next one that is."""
        following: list[int | None] = [*(above or layers[1:])]
        yield from zip(layers, [*following, None], strict=False)

    # --- numbers ------------------------------------------------------------------------------

    def _column(self, values: Array, heading: str = "") -> tuple[str, list[str]]:
        if self.entries or len(values) == 1:
            return heading, [short(value) for value in values]
        return heading or "norm", [short(norm(values))]

    def _add(self, name: str, layer: int, title: str, values: Array, words: str, **more: Any) -> None:
        """Add the box of a quantity; it stands in the forward lane and its own column unless `more` says otherwise."""
        box = {"lane": FORWARD, "column": name, "columns": [self._column(values)]} | more
        if box["lane"] == BACKWARD:
            box["decades"] = _decades(norm(values), self.last)
        box["arithmetic"] = [line.replace("nan", "NaN").replace("inf", "∞") for line in box.get("arithmetic", [])]
        key = f"{name}{layer}" if layer else name
        self.boxes[key] = Box(key=key, layer=layer, title=title, words=words, **box)

    def _lines(self, name: str, values: Array, line: Any) -> list[str]:
        """Return the arithmetic of every entry; of wide layers none."""
        if not self.entries:
            return []
        return [text for unit in range(len(values)) for text in line(f"{name}[{unit + 1}]", unit)]

    # --- forward ------------------------------------------------------------------------------

    def _input(self) -> None:
        walk = self.walk
        self._add("x", 0, "x", walk.x, f"Sample {walk.sample} of the data")
        self.steps.append(Step(["x"], f"Sample {walk.sample} enters the net; its target is {short(walk.target)}."))

    def _before(self, layer: int) -> tuple[str, Array]:
        """Return what goes into a layer, its name and its numbers."""
        return (f"{self.out}{sub(layer - 1)}", self.walk.layers[layer - 2].h) if layer > 1 else ("x", self.walk.x)

    def _forward(self, layer: int) -> None:
        numbers = self.walk.layers[layer - 1]
        self._weights(layer, numbers)
        self._weighted_sum(layer, numbers)
        if layer == self.count:
            return
        if numbers.normalized is not None:
            self._normalize(layer, numbers)
        self._activate(layer, numbers)
        if self.skips:
            self._junction(layer, numbers)

    def _weighted_sum(self, layer: int, numbers: LayerNumbers) -> None:
        (inside, h), i = self._before(layer), sub(layer)
        words = f"z{i} = {inside} W{i}{f' + b{i}' if numbers.b is not None else ''}"
        lines = self._lines(f"z{i}", numbers.z, partial(_sum, numbers, h, inside, i))
        code = "z of the output" if layer == self.count else "z"
        self._add("z", layer, f"z{i}", numbers.z, words, arithmetic=lines, code=code)
        self.steps.append(Step([f"W{layer}", f"z{layer}"], f"Forward, layer {layer}: {words}."))

    def _normalize(self, layer: int, numbers: LayerNumbers) -> None:
        i, kind = sub(layer), self.walk.experiment.normalization
        words = f"n{i}: z{i} with mean 0 and variance 1 {self._over()}, times γ plus β"
        lines = self._lines(f"n{i}", numbers.n, partial(_normalized, numbers, i))
        self._add("n", layer, f"n{i}", numbers.n, words, arithmetic=lines, code="n")
        self.steps.append(Step([f"n{layer}"], f"Forward, layer {layer}: {kind} norm gives n{i}."))

    def _activate(self, layer: int, numbers: LayerNumbers) -> None:
        i, before = sub(layer), _into_f(layer, numbers)

        def line(name: str, unit: int) -> list[str]:
            return [f"{name} = f({before}[{unit + 1}]) = f({numbers.n[unit]:.5g}) = {numbers.a[unit]:.5g}"]

        lines = self._lines(f"a{i}", numbers.a, line)
        self._add("a", layer, f"a{i}", numbers.a, f"a{i} = f({before})", arithmetic=lines, code="a")
        self.steps.append(Step([f"a{layer}"], f"Forward, layer {layer}: a{i} = f({before})."))

    def _over(self) -> str:
        return "over the samples" if self.walk.experiment.normalizer.uses_batch else "over the units"

    def _junction(self, layer: int, numbers: LayerNumbers) -> None:
        i, source = sub(layer), numbers.source
        words, lines, code = f"h{i} = a{i}: no skip ends here", list[str](), ""
        if source is not None:
            carried, j = self.walk.layers[source - 1].h, sub(source)
            words, code = f"h{i} = a{i} + h{j}: the skip adds what layer {source} handed on", "h"

            def line(name: str, unit: int) -> list[str]:
                a, h = long(numbers.a[unit]), long(carried[unit])
                return [f"{name} = a{i}[{unit + 1}] + h{j}[{unit + 1}] = {a} + {h} = {numbers.h[unit]:.5g}"]

            lines = self._lines(f"h{i}", numbers.h, line)
        self._add("h", layer, f"h{i}", numbers.h, words, arithmetic=lines, code=code)
        self.steps.append(Step([f"h{layer}"], f"Forward, layer {layer}: {words}."))

    def _weights(self, layer: int, numbers: LayerNumbers) -> None:
        i, W = sub(layer), numbers.W
        columns, below = [("norm", [short(norm(W.ravel()))])], ""
        if max(W.shape) <= MOST_ENTRIES:
            columns = [("", [two_places(entry) for entry in column]) for column in numbers.with_bias.T]
            if numbers.b is not None:
                below = f". Below it b{i}, the weights of one more input, always 1: the forward pass alone uses it"
        words = f"W{i}, {W.shape[0]} × {W.shape[1]}: a row for every input, a column for every unit. Both passes use it{below}"
        self._add("W", layer, f"W{i}", W.ravel(), words, lane=SHARED, columns=columns, part="weights")

    def _gap_forward(self, layer: int, above: int) -> None:
        key, passed = f"gap{layer}", _layers_between(layer, above)
        self.boxes[key] = Box(key, FORWARD, "gap", layer, passed, [("", ["…"])], f"Not drawn: {passed}")
        self.steps.append(Step([key], f"Forward, {passed}: the same again, not drawn."))

    # --- backward -----------------------------------------------------------------------------

    def _loss(self) -> None:
        walk, i, dz = self.walk, sub(self.count), self.walk.layers[-1].dz
        loss, output = walk.experiment.loss_function, walk.experiment.output
        words = f"a = {output.formula}, the {output.name} of z{i}" if output.bends else f"a = z{i}"
        answer, target = short(walk.answer), short(walk.target)
        key, columns = f"answer{self.count}", [("a", [answer]), ("y", [target])]
        self._add("answer", self.count, "answer", dz, f"{words}; the target is y", column="a", columns=columns)
        self.steps.append(Step([key], f"The net answers {answer}; the target is {target}. Loss: {loss.formula}."))
        title = f"dL/dz{i}"
        lines = [f"answer a = {walk.answer:.6g}, target y = {walk.target:.6g}", f"{title} = {dz[0]:.6g}"]
        more = {"lane": BACKWARD, "column": "z", "arithmetic": lines, "code": "loss"}
        self._add("dz", self.count, title, dz, f"{title}: the slope of the loss, {loss.formula}", **more)
        self.steps.append(Step([f"dz{self.count}"], f"Backward: it begins at the loss, {title} = {short(dz[0])}."))
        self.edges.append((key, f"dz{self.count}", BACKWARD))

    def _gap_backward(self, layer: int, above: int) -> None:
        """Go past layers that are not drawn, in one step."""
        passed = [factor for factor in self.walk.factors if layer < factor.layer < above]
        product, size = multiplied(passed), norm(self.walk.layers[layer].dz)
        key, many = f"dgap{layer}", _layers_between(layer, above)
        told = NOTHING if all(factor.nothing for factor in passed) else f"× {short(product)}"
        self.boxes[key] = Box(
            key,
            BACKWARD,
            "gap",
            layer,
            many,
            [("", [told])],
            f"Not drawn: {many}. Together they do this to ‖dL/dz‖: {told}",
            arithmetic=[f"layer {factor.layer}: {_times(factor, 5)}" for factor in passed],
            decades=_decades(size, self.last),
        )
        self.steps.append(Step([key], f"Backward, {many}: not drawn; together {told}."))

    def _backward(self, layer: int) -> None:
        numbers = self.walk.layers[layer - 1]
        self._arrives(layer, numbers, self.walk.layers[layer])
        self._through_slope(layer, numbers)
        if numbers.normalized is not None:
            self._through_normalization(layer, numbers)

    def _arrives(self, layer: int, numbers: LayerNumbers, above: LayerNumbers) -> None:
        """dL/dh: by the weights of the layer above, and at a junction by the skip too."""
        i, j, skip = sub(layer), sub(layer + 1), numbers.by_skip
        title = f"dL/d{self.out}{i}"
        words, code, both = f"{title} = dL/dz{j} W{j}ᵀ", "dh", ""
        columns = [self._column(numbers.dh)]
        if skip is not None:
            columns = [
                self._column(numbers.by_weights, "W"),
                self._column(skip, "skip"),
                self._column(numbers.dh, "sum"),
            ]
            k = sub(numbers.joins_from or 0)
            words, code = f"{words} + dL/dh{k}: the skip brings dL/dh{k} back unchanged", "dh with a skip"
            both = f": {number(norm(numbers.by_weights))} by the weights, {number(norm(skip))} by the skip"
        lines = self._lines(title, numbers.dh, partial(_sum_back, numbers, above, j))
        more = {"lane": BACKWARD, "column": self.out, "columns": columns, "arithmetic": lines, "code": code}
        self._add("dh", layer, title, numbers.dh, words, **more)
        says = f"Backward, layer {layer}: {words}; in norm {number(norm(numbers.dh))}{both}."
        self.steps.append(Step([f"dh{layer}"], says))

    def _through_slope(self, layer: int, numbers: LayerNumbers) -> None:
        before, name = _into_f(layer, numbers), f"dL/d{self.out}{sub(layer)}"
        column, title, plain = before[0], f"dL/d{before}", numbers.normalized is None

        def slope_line(_: str, unit: int) -> list[str]:
            return [f"f'({before}[{unit + 1}]) = f'({numbers.n[unit]:.5g}) = {numbers.slope[unit]:.5g}"]

        def line(entry: str, unit: int) -> list[str]:
            values = f"{long(numbers.dh[unit])} · {long(numbers.slope[unit])} = {numbers.dn[unit]:.5g}"
            return [f"{entry} = {name}[{unit + 1}] · f'({before}[{unit + 1}]) = {values}"]

        slope = {"lane": SHARED, "column": column, "code": "slope", "part": "slope"}
        lines = self._lines("", numbers.slope, slope_line)
        words = f"f'({before}): the slope of f at {before}"
        self._add("slope", layer, f"f'({before})", numbers.slope, words, arithmetic=lines, **slope)
        words, lines = f"{title} = {name} · f'({before})", self._lines(title, numbers.dn, line)
        more = {"lane": BACKWARD, "column": column, "arithmetic": lines, "code": "dn"}
        self._add(f"d{column}", layer, title, numbers.dn, f"{words}, entry by entry", **more)
        says = f"Backward, layer {layer}: {words}; in norm {_passed(numbers.dh, numbers.dn)}."
        self.steps.append(Step([f"slope{layer}", f"d{column}{layer}"], says, layer * plain))

    def _through_normalization(self, layer: int, numbers: LayerNumbers) -> None:
        i, normalized = sub(layer), numbers.normalized
        assert normalized is not None

        def std_line(_: str, unit: int) -> list[str]:
            scale, std = long(normalized.scale[unit]), long(normalized.std[unit])
            return [f"γ[{unit + 1}] / std[{unit + 1}] = {scale} / {std}"]

        values, words = normalized.scale / normalized.std, f"γ over the standard deviation of z{i} {self._over()}"
        more = {"lane": SHARED, "column": "z", "part": "normalization"}
        self._add("std", layer, f"γ / std{i}", values, words, arithmetic=self._lines("", values, std_line), **more)
        title = f"dL/dz{i}"
        words = f"{title}: γ dL/dn{i} without its mean and its part along z, {self._over()}, divided by std"
        lines = self._lines(title, numbers.dz, partial(_normalized_back, numbers, i))
        more = {"lane": BACKWARD, "column": "z", "code": "dz through a normalization"}
        self._add("dz", layer, title, numbers.dz, words, arithmetic=lines, **more)
        passed = _passed(numbers.dn, numbers.dz)
        says = f"Backward, layer {layer}: through the normalization to {title}; in norm {passed}."
        self.steps.append(Step([f"std{layer}", f"dz{layer}"], says, layer))

    # --- arrows and factors -------------------------------------------------------------------

    def _arrows(self) -> None:
        lanes = {lane: [box for box in self.boxes.values() if box.lane == lane] for lane in (FORWARD, BACKWARD)}
        order = "xznahg"
        for lane, boxes in lanes.items():
            row = sorted(boxes, key=lambda box: (box.layer, order.index(box.column[0])))
            pairs = pairwise(row) if lane == FORWARD else ((right, left) for left, right in pairwise(row))
            self.edges += [(one.key, other.key, lane) for one, other in pairs]
        for layer, numbers in enumerate(self.walk.layers, start=1):
            if numbers.source is not None:
                ends = [self._drawn("h", numbers.source), self._drawn("h", layer)]
                if ends[0] != ends[1] or ends[0][0] == "h":
                    self.edges.append((ends[0], ends[1], "skip"))
                    self.edges.append((f"d{ends[1]}", f"d{ends[0]}", "skip"))

    def _drawn(self, column: str, layer: int) -> str:
        """Return the box of a layer, or of the gap in which the layer is."""
        if layer in self.shown:
            return f"{column}{layer}"
        return f"gap{max(place for place in self.shown if place < layer)}"

    def _factors(self) -> dict[int, tuple[str, list[tuple[str, str]]]]:
        return {
            factor.layer: (
                _times(factor),
                [] if factor.nothing else [(name, short(value)) for name, value in factor.parts.items()],
            )
            for factor in self.walk.factors
            if factor.layer in self.shown
        }

    def _multiplied(self) -> list[str]:
        lines = [f"  {_times(factor, 5):<20} back to layer {factor.layer}" for factor in self.walk.factors]
        return [*lines, f"= {self.walk.product:.5g}"]

    def _result(self) -> str:
        walk, last = self.walk, sub(self.count)
        measured = f"‖dL/dz₁‖ / ‖dL/dz{last}‖"
        if not self.last:
            return f"dL/dz{last} is exactly 0: nothing goes back."
        if math.isnan(walk.product):
            return f"{measured} = {number(walk.ratio, 4)}. There is no product: dL/dz of a layer between is not finite, or it is exactly 0 and a skip bypasses that layer."
        return f"Product of all factors ({self.count - 1}): {number(walk.product, 4)}. Measured {measured}: {number(walk.ratio, 4)}."


# What stands for a factor where dL/dz is exactly 0 on both sides.
NOTHING = "nothing arrives"


def _times(factor: Factor, digits: int = 3) -> str:
    return NOTHING if factor.nothing else f"× {number(factor.total, digits)}"


def _layers_between(layer: int, above: int) -> str:
    return f"layers {layer + 1} to {above - 1}" if above > layer + 2 else f"layer {layer + 1}"


def _into_f(layer: int, numbers: LayerNumbers) -> str:
    """Name what goes into f."""
    return f"{'z' if numbers.normalized is None else 'n'}{sub(layer)}"


def _passed(arrives: Array, leaves: Array) -> str:
    return f"{number(norm(arrives))} arrives, {number(norm(leaves))} leaves"


def _decades(size: float, last: float) -> float | None:
    return math.log10(size / last) if last and 0 < size / last < math.inf else None


# --- arithmetic: one multiplication a line --------------------------------------------------------


def _sum(numbers: LayerNumbers, h: Array, inside: str, i: str, name: str, unit: int) -> list[str]:
    """z of a unit: a product for every input, and for one that is always 1, whose weight is b."""
    lines = []
    for k in range(len(h)):
        value, weight = h[k], numbers.W[k, unit]
        values = f"{long(value)} · {long(weight)} = {value * weight:.5g}"
        lines.append(f"  {inside}[{k + 1}] · W{i}[{k + 1},{unit + 1}] = {values}")
    if numbers.b is not None:
        b = numbers.b[unit]
        lines.append(f"  1 · b{i}[{unit + 1}] = 1 · {long(b)} = {b:.5g}")
    return [*lines, f"{name} = their sum = {numbers.z[unit]:.5g}"]


def _sum_back(numbers: LayerNumbers, above: LayerNumbers, j: str, name: str, unit: int) -> list[str]:
    """dL/dh of a unit: a product for every unit of the layer above, and what a skip brings."""
    lines = []
    for k in range(len(above.dz)):
        value, weight = above.dz[k], above.W[unit, k]
        values = f"{long(value)} · {long(weight)} = {value * weight:.5g}"
        lines.append(f"  dL/dz{j}[{k + 1}] · W{j}[{unit + 1},{k + 1}] = {values}")
    if numbers.by_skip is not None:
        later = sub(numbers.joins_from or 0)
        lines.append(f"  by the skip: dL/dh{later}[{unit + 1}] = {numbers.by_skip[unit]:.5g}")
    return [*lines, f"{name} = their sum = {numbers.dh[unit]:.5g}"]


def _normalized(numbers: LayerNumbers, i: str, name: str, unit: int) -> list[str]:
    normalized = numbers.normalized
    assert normalized is not None
    z, mean, std, scale, shift = (
        long(values[unit])
        for values in (numbers.z, normalized.mean, normalized.std, normalized.scale, normalized.shift)
    )
    return [
        f"  ẑ{i}[{unit + 1}] = (z{i}[{unit + 1}] - mean) / std = ({z} - {mean}) / {std} = {normalized.hat[unit]:.5g}",
        f"{name} = γ · ẑ + β = {scale} · {long(normalized.hat[unit])} + {shift} = {numbers.n[unit]:.5g}",
    ]


def _normalized_back(numbers: LayerNumbers, i: str, name: str, unit: int) -> list[str]:
    normalized = numbers.normalized
    assert normalized is not None
    back = normalized.scale[unit] * numbers.dn[unit]
    mean, hat, along, std = (
        long(values[unit]) for values in (normalized.mean_back, normalized.hat, normalized.mean_along, normalized.std)
    )
    return [
        f"  g[{unit + 1}] = γ · dL/dn{i}[{unit + 1}] = {long(normalized.scale[unit])} · {long(numbers.dn[unit])} = {back:.5g}",
        f"{name} = (g - mean g - ẑ · mean(g ẑ)) / std = ({long(back)} - {mean} - {hat} · {along}) / {std} = {numbers.dz[unit]:.5g}",
    ]
