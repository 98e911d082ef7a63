"""Products of random factors, numbers or matrices: what a gradient is on its way back, with nothing else around it.

The logarithm of a product is a sum, so it grows in proportion to n, by the mean of ln f per factor: the Lyapunov exponent.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.controls import Control, choice, controls_of, numeric
from explorer.choices.registry import Entry, registry

EULER = 0.5772156649015329
LN10 = math.log(10)
MOST, SMALL, LARGE = 50, 1e-3, 1e3
PATHS, MATRIX_PATHS = 2000, 400
# Of what is drawn at random; the paths are the same for everybody.
SEED = 7
# A weight of 4 makes up for a slope of 1/4; z spreads over four times the chosen spread.
WEIGHT, Z_SPREAD = 4.0, 4.0


def digamma(x: float) -> float:
    """Return psi(x), the derivative of ln Gamma, of a whole or half number x > 0, by psi(x + 1) = psi(x) + 1/x.

    >>> round(digamma(1.0), 6), round(digamma(0.5), 6)
    (-0.577216, -1.96351)
    """
    start = 1.0 if x % 1 == 0 else 0.5
    first = -EULER if start == 1.0 else -EULER - 2 * math.log(2)
    return first + sum(1 / (start + step) for step in range(round(x - start)))


def matrix_rate(width: int, variance: float) -> float:
    """Return the Lyapunov exponent of products of real Gaussian matrices, entries N(0, variance): ½ (ln 2 variance + psi(width/2)).

    Whatever the unit vector u, the entries of G u are `width` independent N(0, variance), so |G u|² is variance times a
    chi-squared number with `width` degrees of freedom, independent of what came before, and E ln chi² = ln 2 + psi(width/2)
    (Newman 1986).
    """
    return 0.5 * (math.log(2 * variance) + digamma(width / 2))


@dataclass(frozen=True, kw_only=True)
class Factor(Entry):
    """A kind of random factor."""

    rate: Callable[["Products"], float]  # The mean of ln f, or of ln |G u|, exactly or by quadrature
    draw: Callable[[np.random.Generator, "Products", tuple[int, ...]], Array] | None  # None of matrices


def _lognormal(rng: np.random.Generator, about: "Products", shape: tuple[int, ...]) -> Array:
    return about.mean * np.exp(about.spread * rng.standard_normal(shape) - about.spread**2 / 2)


def _ends(about: "Products") -> tuple[float, float]:
    part = min(about.spread, 1.0)
    return about.mean * (1 - part), about.mean * (1 + part)


def _uniform_rate(about: "Products") -> float:
    low, high = _ends(about)
    if low == high:
        return math.log(low)
    return (high * math.log(high) - (low * math.log(low) if low else 0.0)) / (high - low) - 1


def _slope(about: "Products", normal: Array) -> Array:
    """4 mean sigma'(z), z = 4 spread times a standard normal number."""
    e = np.exp(-np.abs(Z_SPREAD * about.spread * normal))
    return WEIGHT * about.mean * e / (1 + e) ** 2


def _slope_rate(about: "Products") -> float:
    z = np.linspace(-9, 9, 20_001)
    density = np.exp(-z * z / 2)
    return float((np.log(_slope(about, z)) * density).sum() / density.sum())


FACTORS = registry(
    [
        Factor(
            name="lognormal",
            caption="m e^(s g - s²/2), g from N(0, 1): the mean is m, the standard deviation of ln f is s.",
            formula="E ln f = ln m - s²/2",
            rate=lambda about: math.log(about.mean) - about.spread**2 / 2,
            draw=_lognormal,
        ),
        Factor(
            name="uniform",
            caption="Evenly between a = m (1 - s) and b = m (1 + s); a spread above 1 counts as 1.",
            formula="E ln f = (b ln b - a ln a) / (b - a) - 1",
            rate=_uniform_rate,
            draw=lambda rng, about, shape: rng.uniform(*_ends(about), shape),
        ),
        Factor(
            name="sigmoid slope",
            caption="4 m σ'(z), z from N(0, (4 s)²): a slope of the sigmoid at a random z, and a weight of 4 m, which at m = 1 "
            "makes up for the 1/4 that the slope is at best.",
            formula="E ln f, by quadrature",
            rate=_slope_rate,
            draw=lambda rng, about, shape: _slope(about, rng.standard_normal(shape)),
        ),
        Factor(
            name="Gaussian matrix",
            caption="A square matrix with entries from N(0, m²/width), as the weights of a linear layer; what is followed is the "
            "norm of a vector that it multiplies. The spread plays no part: the width does.",
            formula="E ln |G u| = ½ (ln(2 m²/width) + ψ(width/2))",
            source="Newman 1986",
            rate=lambda about: matrix_rate(about.width, about.mean**2 / about.width),
            draw=None,
        ),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Products:
    """Which factors are multiplied; a ValueError names the field, the value and what is allowed."""

    factor: str = choice("View", "Factors", "What is multiplied, n times.", FACTORS, default="lognormal")
    mean: float = numeric(
        "View",
        "Size m",
        "What a factor is on average; of a sigmoid slope the most that it can be; of matrices the root of the mean of |G u|², u being a "
        "unit vector.",
        low=0.25,
        high=4.0,
        marks=(0.25, 0.5, 0.8, 1.0, 1.25, 1.5, 2.0, 4.0),
        default=1.0,
    )
    spread: float = numeric(
        "View",
        "Spread s",
        "How much factors differ; of matrices the width decides.",
        low=0.0,
        high=2.0,
        marks=(0.0, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0),
        default=1.0,
    )
    width: int = numeric(
        "View", "Width", "Of the matrices: numbers have none.", low=1, high=32, marks=(1, 2, 4, 8, 16, 32), default=4
    )

    def __post_init__(self) -> None:
        for name, control in self.controls().items():
            object.__setattr__(self, name, control.check(name, getattr(self, name)))

    @classmethod
    def controls(cls) -> Mapping[str, Control]:
        """Return the controls of all settings by name."""
        return controls_of(cls)  # type: ignore[arg-type]  # a class is hashable

    @property
    def entry(self) -> Factor:
        """The kind of factor."""
        return FACTORS[self.factor]

    @property
    def rate(self) -> float:
        """The mean of ln f: what the logarithm of the product grows by per factor."""
        return self.entry.rate(self)

    @property
    def caption(self) -> str:
        """The settings in one line."""
        about = f"width {self.width}" if self.entry.draw is None else f"spread s = {self.spread:g}"
        return f"{self.factor} · m = {self.mean:g} · {about} · {len(followed(self).product):,} paths"


@dataclass(frozen=True, eq=False)
class Paths:
    """What was followed, in decades, of every path after 0 to 50 factors, (paths, 51)."""

    product: Array
    skip: Array  # Of 1 + f, or I + G: what comes in is added at every step
    sum: Array  # Of 1 + f_1 + ... + f_n: of matrices the norm of u + G_1 u + ... + G_n u

    @property
    def quartiles(self) -> Array:
        """First quartile, median and third quartile of the products, (3, 51)."""
        return np.asarray(np.quantile(self.product, (0.25, 0.5, 0.75), axis=0))

    @property
    def vanished(self) -> Array:
        """Share of the products below 1e-3, (51,)."""
        return (self.product < math.log10(SMALL)).mean(axis=0)

    @property
    def exploded(self) -> Array:
        """Share of the products above 1e3, (51,)."""
        return (self.product > math.log10(LARGE)).mean(axis=0)


@lru_cache(maxsize=64)
def followed(about: Products) -> Paths:
    """Multiply and add random factors, along many paths."""
    rng = np.random.default_rng(SEED)
    return _matrices(about, rng) if about.entry.draw is None else _numbers(about, rng)


def _numbers(about: Products, rng: np.random.Generator) -> Paths:
    assert about.entry.draw is not None
    f = about.entry.draw(rng, about, (PATHS, MOST))
    logs = [np.log10(f).cumsum(axis=1), np.log10(1 + f).cumsum(axis=1), np.log10(1 + f.cumsum(axis=1))]
    return Paths(*(np.pad(values, ((0, 0), (1, 0))) for values in logs))


def _matrices(about: Products, rng: np.random.Generator) -> Paths:
    """Follow a unit vector; after every step it has length 1 again, so that nothing over- or underflows."""
    start = np.zeros((MATRIX_PATHS, about.width))
    start[:, 0] = 1.0
    u, v, added = start.copy(), start.copy(), start.copy()
    kept = np.zeros((3, MATRIX_PATHS, MOST + 1))
    for step in range(1, MOST + 1):
        g = rng.normal(0.0, about.mean / math.sqrt(about.width), (MATRIX_PATHS, about.width, about.width))
        u, v, added = _times(g, u), v + _times(g, v), added + _times(g, start)
        for kind, vector in enumerate((u, v)):
            length = np.linalg.norm(vector, axis=1)
            kept[kind, :, step] = kept[kind, :, step - 1] + np.log10(length)
            vector /= length[:, None]
        kept[2, :, step] = np.log10(np.linalg.norm(added, axis=1))
    return Paths(*kept)


def _times(g: Array, u: Array) -> Array:
    product: Array = (g @ u[..., None])[..., 0]
    return product


def product_rows(about: Products) -> list[dict[str, float]]:
    """Return one row for every number of factors, products as decimal logarithms."""
    paths = followed(about)
    low, middle, high = paths.quartiles
    return [
        {
            "n": n,
            "log10 product, first quartile": float(low[n]),
            "log10 product, median": float(middle[n]),
            "log10 product, third quartile": float(high[n]),
            "log10 product, theory": n * about.rate / LN10,
            "share below 1e-3": float(paths.vanished[n]),
            "share above 1e3": float(paths.exploded[n]),
            "log10 with skips, median": float(np.median(paths.skip[:, n])),
            "log10 sum, median": float(np.median(paths.sum[:, n])),
        }
        for n in range(MOST + 1)
    ]
