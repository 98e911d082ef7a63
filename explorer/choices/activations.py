"""Activations: a = f(z) and its slope f'(z), one entry each.

`f(z, out)` and `df(z, out)` write into `out` and allow any shape; `df` is a
function of z, never of a, and stays exact where f saturates: sigmoid's slope
is 1e-300 where `a * (1 - a)` has long been 0. Where both come from one
exponential, `both(z, a, slope)` writes the two, as exactly.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.polynomial import Chebyshev

from explorer.choices.arrays import Array, filled
from explorer.choices.registry import Entry, registry

Function = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Written:
    """How a textbook writes f and its slope, in NumPy, and PyTorch f: expressions in z."""

    f: str
    slope: str  # May call f(z)
    torch: str  # `F` is torch.nn.functional
    first: str = ""  # Lines of NumPy that come before them


@dataclass(frozen=True, kw_only=True)
class Activation(Entry):
    """An activation function."""

    # `f(z, out)` writes a = f(z) into `out` and returns it; `df` the slope.
    f: Function
    df: Function
    # Where one transcendental function is enough for the two: `both(z, a, slope)` writes them. Worth its calls on big arrays.
    both: Callable[[Array, Array, Array], Array] | None = None
    # The gain that keeps signals and E|delta|^2 level in a deep net (He et al. 2015, eqs. 10, 14 and 15), defined for
    # the rectifier family, of which linear is one end; sqrt(2) elsewhere.
    he_gain: float = math.sqrt(2)
    # A unit is saturated when a lies at or beyond these bounds; None where the function does not saturate.
    saturation: tuple[float, float] | None = None
    random_slope: tuple[float, float] | None = None  # For randomized ReLU, the range of the slope below 0 in training
    steepest: float = 1.0  # The largest slope
    bends: bool = True  # Whether it is anything but a straight line
    # The initializer whose variance keeps signals and gradients nearest to level.
    fitting_initializer: str = "He normal"
    in_plain_nets: bool = False  # Whether plain recurrent nets offer it
    written: Written | None = None  # As code for a reader; without it "Show the code" has the app's own alone
    # Nanoseconds that f and its slope take: of each number in NumPy and in a compiled kernel, and in NumPy of a layer
    # however small.
    element_cost: float = 1.0
    compiled_cost: float = 0.3
    call_cost: int = 2_000

    @property
    def cuts(self) -> bool:
        """Whether a unit that is below 0 is off: its slope is exactly 0 there."""
        return float(self.df(MINUS_ONE, np.empty(()))) == 0.0

    @property
    def is_zero_at_zero(self) -> bool:
        """Whether f(0) = 0: then what is 0 stays 0 from layer to layer, but for biases."""
        return not self.f(np.zeros(1), np.empty(1)).any()


# Constants as arrays: a ufunc converts a Python number at every call, which costs more than the work on a small net.
ZERO, HALF, ONE, TWO, MINUS_ONE = np.array(0.0), np.array(0.5), np.array(1.0), np.array(2.0), np.array(-1.0)


def _in_vectors(name: str) -> bool:
    """Whether NumPy computes a function of several doubles at a time here; most processors without AVX-512 do not."""
    introspect = getattr(np.lib, "introspect", None)
    ways = introspect.opt_func_info(func_name=f"^{name}$", signature="float64").get(name, {}) if introspect else {}
    return any(not way["current"].startswith("baseline") for way in ways.values())


# Then two functions of this kind take less than one and the arithmetic that makes the other of it.
EXPONENTIALS_ARE_CHEAP = _in_vectors("expm1")


# --- the S-shaped ones ------------------------------------------------------------------------


def _sigmoid(z: Array, out: Array) -> Array:
    # np.negative of NumPy 2.4 is wrong where the entries of z lie 64 bytes apart, as outputs of nets of width 8 do.
    np.multiply(z, MINUS_ONE, out)
    np.exp(out, out)
    np.add(out, ONE, out)
    return np.reciprocal(out, out)


def _sigmoid_slope(z: Array, out: Array) -> Array:
    # (1 / (2 cosh(z/2)))^2: exact for every z, where a * (1 - a) is 0 from z = 37 on.
    np.multiply(z, HALF, out)
    np.cosh(out, out)
    np.divide(HALF, out, out)
    return np.multiply(out, out, out)


def _sigmoid_and_slope(z: Array, a: Array, slope: Array) -> Array:
    # With e = exp(-|z|), which cannot overflow: a = 1 / (1 + e) above 0 and e / (1 + e) below; slope = e / (1 + e)^2.
    e, share = slope, np.abs(z)
    np.multiply(share, MINUS_ONE, share)
    np.exp(share, e)
    np.add(e, ONE, share)
    np.reciprocal(share, share)
    np.greater(z, ZERO, a)
    np.maximum(a, e, out=a)
    np.multiply(a, share, a)
    np.multiply(share, share, share)
    return np.multiply(e, share, slope)


def _tanh_slope(z: Array, out: Array) -> Array:
    # (1 / cosh z)^2: exact for every z, where 1 - a^2 is 0 from z = 19 on.
    np.cosh(z, out)
    np.divide(ONE, out, out)
    return np.multiply(out, out, out)


def _tanh_and_slope(z: Array, a: Array, slope: Array) -> Array:
    # With h = exp(|z|) - 1 and r = exp(-|z|): 2 sinh |z| = h + h r, 2 cosh z = 1 + h + r.
    h = np.abs(z)
    np.minimum(h, filled(h.shape, MOST_HALVED), out=h)
    np.expm1(h, h)
    np.add(h, ONE, slope)
    r = np.reciprocal(slope)
    np.add(slope, r, slope)
    np.multiply(h, r, r)
    np.add(h, r, h)
    np.divide(h, slope, a)
    np.copysign(a, z, a)
    np.divide(TWO, slope, slope)
    return np.multiply(slope, slope, slope)


# --- the rectifiers ---------------------------------------------------------------------------


def _relu(z: Array, out: Array) -> Array:
    # np.maximum against an array of zeros runs four times as fast as against the scalar 0.
    return np.maximum(z, filled(z.shape, 0.0), out=out)


def _relu_slope(z: Array, out: Array) -> Array:
    return np.greater(z, ZERO, out)


def leaky(z: Array, slope: Array | float, out: Array) -> Array:
    """Write z where z > 0 and slope * z elsewhere; `slope` lies between 0 and 1."""
    below = np.multiply(z, slope)
    return np.maximum(z, below, out=out)


def leaky_slope(z: Array, slope: Array | float, out: Array) -> Array:
    """Write 1 where z > 0 and `slope` elsewhere."""
    _relu_slope(z, out)
    return np.maximum(out, slope, out=out)


LOW_SLOPE, HIGH_SLOPE = 1 / 8, 1 / 3


def _leaky_entry(slope: float, square: float, **more: Any) -> Activation:
    """Make an entry of the (mean) slope below 0 and its (mean) square."""
    return Activation(
        f=lambda z, out: leaky(z, slope, out),
        df=lambda z, out: leaky_slope(z, slope, out),
        he_gain=math.sqrt(2 / (1 + square)),
        **more,
    )


# --- the smooth ones --------------------------------------------------------------------------


def _elu(z: Array, out: Array) -> Array:
    below = np.minimum(z, 0.0)
    np.expm1(below, below)
    np.maximum(z, 0.0, out=out)
    return np.add(out, below, out)


def _elu_slope(z: Array, out: Array) -> Array:
    np.minimum(z, 0.0, out=out)
    return np.exp(out, out)


# exp(-700) squared is 0.
MOST_HALVED = 700.0


def _below_zero(z: Array, e: Array) -> Array:
    """Write e = exp(min(z, 0)) and return 1 - e, both precise however small they are.

    With r = exp(z / 2) and h = 1 / r - 1, which expm1 gives: e = r^2 and 1 - e = (1 - r) (1 + r) = h r (1 + r).
    """
    h, r = np.multiply(z, -0.5), e
    np.maximum(h, filled(h.shape, 0.0), out=h)
    np.minimum(h, filled(h.shape, MOST_HALVED), out=h)
    np.expm1(h, h)
    np.reciprocal(np.add(h, ONE, r), r)
    np.multiply(h, r, h)
    fall = np.add(r, ONE)
    np.multiply(fall, h, fall)
    np.multiply(r, r, e)
    return fall


def _elu_and_slope(z: Array, a: Array, slope: Array) -> Array:
    below = _below_zero(z, slope)
    np.subtract(_relu(z, a), below, a)
    return slope


SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def _selu(z: Array, out: Array) -> Array:
    below = np.minimum(z, 0.0)
    np.expm1(below, below)
    below *= SELU_ALPHA
    np.maximum(z, 0.0, out=out)
    out += below
    return np.multiply(out, SELU_SCALE, out)


def _selu_slope(z: Array, out: Array) -> Array:
    above = z > 0
    np.minimum(z, 0.0, out=out)
    np.exp(out, out)
    out *= SELU_ALPHA * SELU_SCALE
    np.copyto(out, SELU_SCALE, where=above)
    return out


def _selu_and_slope(z: Array, a: Array, slope: Array) -> Array:
    below = _below_zero(z, slope)
    below *= SELU_ALPHA
    np.subtract(_relu(z, a), below, a)
    a *= SELU_SCALE
    slope *= SELU_ALPHA * SELU_SCALE
    np.copyto(slope, SELU_SCALE, where=z > 0)
    return slope


@lru_cache(maxsize=1)
def _tail_fit() -> Chebyshev:
    # log(erfc(x) e^(x^2) / t) is smooth in t = 2 / (2 + x); fitted once to the C library's erfc.
    def log_tail(t: Array) -> Array:
        return np.array([math.log(math.erfc(2 / v - 2) / v) + (2 / v - 2) ** 2 for v in t])

    return Chebyshev.interpolate(log_tail, 28, domain=(2 / (2 + 26), 1))


def normal_cdf(z: Array) -> Array:
    """Return the standard normal distribution function, precise in relative terms in both tails."""
    x = np.abs(z) / math.sqrt(2)
    t = 2 / (2 + np.minimum(x, 26.0))
    tail = 0.5 * t * np.exp(_tail_fit()(t) - x * x)
    return np.where(z > 0, 1 - tail, tail)


def normal_density(z: Array) -> Array:
    """Return the standard normal density."""
    return np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


def _gelu(z: Array, out: Array) -> Array:
    return np.multiply(z, normal_cdf(z), out)


def _gelu_slope(z: Array, out: Array) -> Array:
    return np.add(normal_cdf(z), z * normal_density(z), out)


def _gelu_and_slope(z: Array, a: Array, slope: Array) -> Array:
    cdf = normal_cdf(z)
    np.multiply(z, cdf, a)
    return np.add(cdf, z * normal_density(z), slope)


def _silu(z: Array, out: Array) -> Array:
    a = _sigmoid(z, np.empty_like(z))
    return np.multiply(z, a, out)


def _silu_slope(z: Array, out: Array) -> Array:
    a = _sigmoid(z, np.empty_like(z))
    slope = _sigmoid_slope(z, np.empty_like(z))
    slope *= z
    return np.add(a, slope, out)


def _silu_and_slope(z: Array, a: Array, slope: Array) -> Array:
    _sigmoid_and_slope(z, a, slope)
    np.multiply(slope, z, slope)
    np.add(slope, a, slope)
    np.multiply(a, z, a)
    return slope


def _softplus(z: Array, out: Array) -> Array:
    return np.logaddexp(0.0, z, out)


def _softplus_and_slope(z: Array, a: Array, slope: Array) -> Array:
    # ln(1 + e^z) = max(0, z) + ln(1 + e), with e = exp(-|z|); its slope is the sigmoid.
    e = np.abs(z)
    np.multiply(e, MINUS_ONE, e)
    np.exp(e, e)
    np.greater(z, ZERO, slope)
    np.maximum(slope, e, out=slope)
    np.divide(slope, np.add(e, ONE, a), slope)
    np.log1p(e, e)
    np.add(_relu(z, a), e, a)
    return slope


def _linear(z: Array, out: Array) -> Array:
    np.copyto(out, z)
    return out


def _linear_slope(z: Array, out: Array) -> Array:
    out.fill(1.0)
    return out


ACTIVATIONS = registry(
    [
        Activation(
            name="sigmoid",
            written=Written("1 / (1 + np.exp(-z))", "f(z) * (1 - f(z))", "torch.sigmoid(z)"),
            caption="Squeezes z into (0, 1). Slope at most 1/4: every layer shrinks the gradient unless its weights are large.",
            formula="1 / (1 + e⁻ᶻ)",
            in_plain_nets=True,
            f=_sigmoid,
            df=_sigmoid_slope,
            both=_sigmoid_and_slope,
            saturation=(0.015, 0.985),
            steepest=0.25,
            fitting_initializer="Glorot normal",
            element_cost=3.3,
            compiled_cost=1.3,
        ),
        Activation(
            name="tanh",
            written=Written("np.tanh(z)", "1 - np.tanh(z) ** 2", "torch.tanh(z)"),
            caption="Squeezes z into (-1, 1). Slope 1 at 0, close to 0 once |z| passes 3.",
            formula="tanh z",
            source="LeCun et al. 1998, section 4.4",
            in_plain_nets=True,
            f=np.tanh,
            df=_tanh_slope,
            both=None if EXPONENTIALS_ARE_CHEAP else _tanh_and_slope,
            saturation=(-0.97, 0.97),
            fitting_initializer="Glorot normal",
            element_cost=3.1,
            compiled_cost=1.4,
        ),
        Activation(
            name="ReLU",
            written=Written("np.maximum(0, z)", "np.where(z > 0, 1.0, 0.0)", "torch.relu(z)"),
            caption="Slope 1 above 0 and 0 below: no shrinking, but a unit that is below 0 for all data is dead.",
            formula="max(0, z)",
            source="Nair & Hinton 2010",
            in_plain_nets=True,
            f=_relu,
            df=_relu_slope,
        ),
        _leaky_entry(
            slope=0.01,
            square=0.01**2,
            name="leaky ReLU",
            written=Written("np.where(z > 0, z, 0.01 * z)", "np.where(z > 0, 1.0, 0.01)", "F.leaky_relu(z, 0.01)"),
            caption="A small slope below 0 lets a unit come back: it cannot die.",
            formula="z > 0: z;  else 0.01·z",
            source="Maas et al. 2013",
            element_cost=1.6,
        ),
        _leaky_entry(
            slope=(LOW_SLOPE + HIGH_SLOPE) / 2,
            square=(LOW_SLOPE**2 + LOW_SLOPE * HIGH_SLOPE + HIGH_SLOPE**2) / 3,
            name="randomized ReLU",
            caption="Leaky ReLU whose slope below 0 is drawn afresh for every unit, sample and update; "
            "answers are given with the mean slope.",
            formula="z > 0: z;  else u·z, u ~ U(1/8, 1/3)",
            source="Xu et al. 2015, section 2.4; the range as in PyTorch",
            random_slope=(LOW_SLOPE, HIGH_SLOPE),
            element_cost=4.6,
            compiled_cost=3.7,
        ),
        Activation(
            name="ELU",
            written=Written(
                "np.where(z > 0, z, np.expm1(np.minimum(z, 0)))",
                "np.where(z > 0, 1.0, np.exp(np.minimum(z, 0)))",
                "F.elu(z)",
            ),
            caption="Smooth below 0 and with outputs centred nearer to 0.",
            formula="z > 0: z;  else eᶻ - 1",
            source="Clevert et al. 2016",
            f=_elu,
            df=_elu_slope,
            both=None if EXPONENTIALS_ARE_CHEAP else _elu_and_slope,
            saturation=(-0.97, math.inf),
            element_cost=3.9,
            compiled_cost=1.1,
        ),
        Activation(
            name="SELU",
            written=Written(
                "scale * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))",
                "scale * np.where(z > 0, 1.0, alpha * np.exp(np.minimum(z, 0)))",
                "F.selu(z)",
                first=f"scale, alpha = {SELU_SCALE}, {SELU_ALPHA}",
            ),
            caption="ELU scaled so that, with LeCun initialization, mean 0 and variance 1 reproduce themselves.",
            formula="1.0507·(z > 0: z;  else 1.6733·(eᶻ - 1))",
            source="Klambauer et al. 2017, eq. 2",
            f=_selu,
            df=_selu_slope,
            both=None if EXPONENTIALS_ARE_CHEAP else _selu_and_slope,
            saturation=(-0.97 * SELU_SCALE * SELU_ALPHA, math.inf),
            steepest=SELU_SCALE * SELU_ALPHA,
            fitting_initializer="LeCun",
            element_cost=6.2,
            compiled_cost=1.1,
            call_cost=5_400,
        ),
        Activation(
            name="GELU",
            written=Written(
                "z * Phi(z)",
                "Phi(z) + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)",
                "F.gelu(z)",
                first="from math import erfc, sqrt\n\n"
                "Phi = np.vectorize(lambda z: erfc(-z / sqrt(2)) / 2)  # standard normal distribution function",
            ),
            caption="Weighs z by the chance that a normal variable lies below it; a common choice in transformers.",
            formula="z·Φ(z)",
            source="Hendrycks & Gimpel 2016",
            f=_gelu,
            df=_gelu_slope,
            both=_gelu_and_slope,
            steepest=1.1289,
            element_cost=31.0,
            compiled_cost=12.0,
            call_cost=116_000,
        ),
        Activation(
            name="SiLU",
            written=Written(
                "z * sigmoid(z)",
                "sigmoid(z) * (1 + z * (1 - sigmoid(z)))",
                "F.silu(z)",
                first="def sigmoid(z):\n    return 1 / (1 + np.exp(-z))",
            ),
            caption="z weighed by its own sigmoid; also called swish.",
            formula="z / (1 + e⁻ᶻ)",
            source="Elfwing et al. 2018",
            f=_silu,
            df=_silu_slope,
            both=_silu_and_slope,
            steepest=1.0998,
            element_cost=4.0,
            compiled_cost=1.3,
            call_cost=5_000,
        ),
        Activation(
            name="softplus",
            written=Written("np.logaddexp(0, z)", "1 / (1 + np.exp(-z))", "torch.logaddexp(z, torch.zeros_like(z))"),
            caption="A smooth ReLU: its slope is the sigmoid, so it is never exactly 0.",
            formula="ln(1 + eᶻ)",
            source="Dugas et al. 2001",
            f=_softplus,
            df=_sigmoid,
            both=_softplus_and_slope,
            element_cost=4.1,
            compiled_cost=17.0,
        ),
        Activation(
            name="linear",
            written=Written("z", "np.ones_like(z)", "z"),
            caption="No squeezing at all: only the weights act on the gradient. A deep linear net is still linear.",
            formula="z",
            bends=False,
            f=_linear,
            df=_linear_slope,
            he_gain=1.0,
            fitting_initializer="Glorot normal",
        ),
    ]
)
