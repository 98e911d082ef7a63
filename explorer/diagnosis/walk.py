"""Walk: the numbers of one sample on its way through one net and back, layer by layer.

They are those of the engine: `Network` does both passes over the whole batch, and one sample's share of every array is taken
from it. L is the loss of the whole data set, so that dL/dz of a sample is what the sample adds to the gradient that training uses.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.experiment import Experiment
from explorer.training.cost import estimate
from explorer.training.measures import root_sum_square
from explorer.training.network import Architecture, Network, architecture, draw_parameters
from explorer.training.recording import Ending, record_epochs
from explorer.training.run import Training

# Seconds that one seed may train to get to an epoch, by the estimate of `cost`.
MOST_SECONDS = 3.0


@dataclass(frozen=True, eq=False)
class LayerNumbers:
    """What one layer computes from one sample, and what comes back; vectors have an entry for each of its units.

    Where there is no normalization n is z, and where no skip ends h is a. The output layer has only W, b, z and dz.
    """

    W: Array  # (fan_in, fan_out)
    b: Array | None  # (fan_out,); None where the layer has none
    z: Array  # Before the normalization
    dz: Array  # dL/dz: what leaves
    n: Array = field(default_factory=lambda: np.empty(0))  # What goes into f
    slope: Array = field(default_factory=lambda: np.empty(0))  # f'(n)
    a: Array = field(default_factory=lambda: np.empty(0))
    h: Array = field(default_factory=lambda: np.empty(0))
    source: int | None = None  # The layer whose h a skip adds, counted from 1; None where no skip ends
    # dL/dh by the weights of the layer above, by the skip that begins here (None where none does), and their sum: what arrives.
    by_weights: Array = field(default_factory=lambda: np.empty(0))
    by_skip: Array | None = None
    joins_from: int | None = None  # The layer, from 1, at whose h that skip ends
    dh: Array = field(default_factory=lambda: np.empty(0))
    dn: Array = field(default_factory=lambda: np.empty(0))
    normalized: "Normalized | None" = None

    @property
    def with_bias(self) -> Array:
        """W and, where there is one, b as one more row: the weights of an input that is always 1."""
        return self.W if self.b is None else np.vstack([self.W, self.b])


@dataclass(frozen=True, eq=False)
class Normalized:
    """How z became n = scale * hat + shift, with hat = (z - mean) / std, and the two means that its way back subtracts."""

    hat: Array
    mean: Array
    std: Array
    scale: Array
    shift: Array
    mean_back: Array  # mean of dL/dhat
    mean_along: Array  # mean of hat * dL/dhat


@dataclass(frozen=True)
class Factor:
    """What one step back, from dL/dz of the layer above to that of layer `layer`, multiplies the gradient's norm by."""

    layer: int  # From 1
    # Norm of what leaves over norm of what arrives, of each part of the way; NaN where nothing arrives.
    parts: dict[str, float]
    total: float
    nothing: bool = False  # Whether nothing arrives and nothing leaves: both norms are exactly 0


@dataclass(frozen=True, eq=False)
class Walk:
    """One sample's way through the net of one seed at one epoch, and back."""

    experiment: Experiment
    seed: int
    epoch: int
    sample: int  # From 1
    x: Array
    target: float
    answer: float
    layers: tuple[LayerNumbers, ...]  # First to last, the output layer included
    ending: Ending | None = None  # Where the seed became infinite or NaN, if these are its numbers then

    @cached_property
    def lost(self) -> tuple[str, int] | None:
        """The first quantity, forward and then back, that is infinite or NaN, and its layer; None where all are finite."""
        forward = (
            (name, place, getattr(layer, name))
            for place, layer in enumerate(self.layers, 1)
            for name in ("z", "n", "a", "h")
        )
        back = (
            (f"dL/d{name}", place, getattr(layer, f"d{name}"))
            for place, layer in reversed([*enumerate(self.layers, 1)])
            for name in ("h", "n", "z")
        )
        found = ((name, place) for name, place, values in (*forward, *back) if not np.isfinite(values).all())
        return next(found, None)

    @property
    def normalized(self) -> bool:
        """Whether hidden layers are normalized."""
        return self.layers[0].normalized is not None

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """The factor of every hidden layer, in the order of the way back: the last one first."""
        return tuple(_factor(self.layers, place) for place in reversed(range(len(self.layers) - 1)))

    @cached_property
    def ratio(self) -> float:
        """Measured: ‖dL/dz‖ of the first layer over that of the last."""
        return _over(norm(self.layers[0].dz), norm(self.layers[-1].dz))

    @cached_property
    def product(self) -> float:
        """All factors multiplied, up to where nothing arrives any more.

        NaN where a skip brings something to a layer although dL/dz of the one above is exactly 0, or where a norm is not finite.
        """
        return multiplied(self.factors)

    def rows(self) -> list[dict[str, object]]:
        """Return a row for every layer, first to last: the norms, and the factor of the step back to it."""
        names, factors = list(self.factors[0].parts), {factor.layer: factor for factor in self.factors}
        rows: list[dict[str, object]] = []
        for place, layer in enumerate(self.layers, start=1):
            row: dict[str, object] = {"layer": place, "norm of z": norm(layer.z), "norm of dL/dz": norm(layer.dz)}
            factor = factors.get(place, Factor(place, dict.fromkeys(names, math.nan), math.nan))  # the last has none
            row |= {f"factor of {name}": value for name, value in factor.parts.items()}
            rows.append(row | {"factor": factor.total})
        return rows


def norm(values: Array) -> float:
    """Return the L2 norm, right also where squares would underflow."""
    with np.errstate(all="ignore"):  # an overflow is a finding
        return float(root_sum_square(np.ascontiguousarray(values)[None], -1)[0])


def multiplied(factors: Iterable[Factor]) -> float:
    """Multiply factors, but for those of layers at which nothing arrives and nothing leaves."""
    return math.prod(factor.total for factor in factors if not factor.nothing)


def _over(leaves: float, arrives: float) -> float:
    return leaves / arrives if arrives else math.nan


def _factor(layers: tuple[LayerNumbers, ...], place: int) -> Factor:
    """Split the step back to hidden layer `place`, from 0, as `decompose` splits it for all samples together."""
    layer, above = layers[place], layers[place + 1]
    sizes = {"weights": norm(layer.by_weights)}
    if any(each.by_skip is not None for each in layers):
        sizes["skip"] = norm(layer.dh)
    sizes["slope"] = norm(layer.dn)
    if layer.normalized is not None:
        sizes["normalization"] = norm(layer.dz)
    arriving = [norm(above.dz), *list(sizes.values())[:-1]]
    parts = {name: _over(leaves, arrives) for (name, leaves), arrives in zip(sizes.items(), arriving, strict=True)}
    leaves, arrives = norm(layer.dz), norm(above.dz)
    return Factor(place + 1, parts, _over(leaves, arrives), nothing=leaves == arrives == 0)


# --- from an experiment to a walk -----------------------------------------------------------------


def no_walk(experiment: Experiment) -> str:
    """Say why there is no walk through a net; empty where there is one."""
    if experiment.layer_kind.slides:
        return (
            "Walk follows single units, and a convolution has each of its units at every place: there is no walk through it. "
            "Choose dense layers."
        )
    return ""


def walk_epochs(experiment: Experiment) -> list[int]:
    """Return the recorded epochs that one seed reaches within MOST_SECONDS of training; at least the start.

    >>> walk_epochs(Experiment(epochs=3))
    [0, 1, 2, 3]
    """
    seconds = estimate(experiment.but(runs=1)).seconds / experiment.epochs
    return [int(epoch) for epoch in record_epochs(experiment.epochs) if epoch * seconds <= MOST_SECONDS]


def parameters_at(experiment: Experiment, seed: int, epoch: int) -> tuple[Array, Ending | None]:
    """Return theta of one seed's net before the updates of an epoch, (layers, 1, rows, width): trained anew up to there.

    Of a seed that has become infinite or NaN by then it is theta with which it did, and where that was.
    """
    alone = experiment.but(runs=1, seed=seed)
    if epoch == 0:
        return draw_parameters(architecture(alone), [alone], [np.random.default_rng(seed)]), None
    training = Training(alone, record_at=[0, epoch])
    training.advance(seconds=math.inf)
    group, ending = training.groups[0], training.records.endings[0]
    return (group.theta.copy() if group.broken is None else group.broken), ending


def walk(experiment: Experiment, *, seed: int | None = None, sample: int = 1, epoch: int = 0) -> Walk:
    """Follow one sample through the net of one seed, and its gradient back.

    `seed` is that of the experiment's first run if it is None; `sample` counts from 1; `epoch` is one of `walk_epochs`. Of a
    seed that is infinite or NaN by then the walk is that of the epoch in which it became so: see `Walk.ending`.

    >>> found = walk(Experiment(depth=3))
    >>> math.isclose(found.product, found.ratio, rel_tol=1e-12)
    True
    """
    if reason := no_walk(experiment):
        raise ValueError(f"layer = {experiment.layer!r}: {reason}")
    seed = experiment.seed if seed is None else seed
    count = len(experiment.points().y)
    if not 1 <= sample <= count:
        raise ValueError(f"sample = {sample!r}: sample must be a whole number from 1 to {count}")
    theta, ending = parameters_at(experiment, seed, epoch)
    return of_parameters(experiment, theta, seed=seed, sample=sample, epoch=epoch, ending=ending)


def of_parameters(
    experiment: Experiment, theta: Array, *, seed: int, sample: int, epoch: int, ending: Ending | None = None
) -> Walk:
    """Do both passes of the net with these parameters, theta (layers, 1, rows, width), and take one sample's numbers."""
    points = experiment.points()
    network = Network(architecture(experiment), theta, len(points.y), keep=True)
    network.x[0] = points.x.T
    # Randomized ReLU: the slopes that the measures of the start are taken with.
    network.draw_slopes([np.random.default_rng(seed).spawn(1)[0]])
    with np.errstate(all="ignore"):
        network.forward()
        experiment.loss_function.delta(network.z_out, points.y[None, None, :], experiment.output, network.delta_out)
        network.backward()
        answers = experiment.output.f(network.z_out, np.empty_like(network.z_out))
        layers = tuple(_numbers(network, place, sample - 1) for place in range(network.shape.layers))
    return Walk(
        experiment,
        seed,
        epoch if ending is None else ending.epoch,
        sample,
        points.x[sample - 1],
        float(points.y[sample - 1]),
        float(answers[0, 0, sample - 1]),
        layers,
        ending,
    )


def _numbers(network: Network, place: int, at: int) -> LayerNumbers:
    """Take one sample's numbers of a layer, from 0, out of a network that has done both passes."""
    shape = network.shape
    fan_in, fan_out = shape.fan(place)
    W = network.theta[place, 0, :fan_in, :fan_out].copy()
    b = network.theta[place, 0, shape.weight_rows, :fan_out].copy() if shape.has_bias(place) else None
    dz = network.delta[place, 0, :fan_out, at].copy()
    z = network.z[place, 0, :fan_out, at].copy()
    if place == shape.depth:
        return LayerNumbers(W, b, z, dz)
    if shape.normalized:  # which has overwritten z by (z - mean) / std
        z = network.h[place, 0, :fan_in, at] @ W + (0.0 if b is None else b)
    source, later = shape.shortcut_source(place), _joining(shape, place)
    assert network.a is not None  # `keep` keeps it
    return LayerNumbers(
        W,
        b,
        z,
        dz,
        n=network.n[place, 0, :, at].copy(),
        slope=network.slope[place, 0, :, at].copy(),
        a=network.a[place, 0, :, at].copy(),
        h=network.h[place + 1, 0, : shape.width, at].copy(),
        source=source,
        by_weights=network.through_weights[place, 0, :, at].copy(),
        by_skip=None if later is None else network.through_skip[later, 0, :, at].copy(),
        joins_from=None if later is None else later + 1,
        dh=network.through_skip[place, 0, :, at].copy(),
        dn=network.through_slope[place, 0, :, at].copy(),
        normalized=_normalized(network, place, at) if shape.normalized else None,
    )


def _joining(shape: Architecture, place: int) -> int | None:
    """Return at which later layer the skip from this layer's h ends, both counted from 0."""
    return next((k for k in range(place + 1, shape.depth) if shape.shortcut_source(k) == place + 1), None)


def _normalized(network: Network, place: int, at: int) -> Normalized:
    hat, rows = network.z[place, 0], network.shape.weight_rows
    axis = network.shape.normalization.axis
    scale, shift = network.theta[place, 0, rows + 1], network.theta[place, 0, rows + 2]
    back = network.through_slope[place, 0] * scale[:, None]
    means = back.mean(axis=axis, keepdims=True), (back * hat).mean(axis=axis, keepdims=True)
    spread = (network.mean[place, 0], 1 / network.inverse_std[place, 0], *means)
    mean, std, mean_back, mean_along = (np.broadcast_to(each, hat.shape)[:, at].copy() for each in spread)
    return Normalized(hat[:, at].copy(), mean, std, scale.copy(), shift.copy(), mean_back, mean_along)
