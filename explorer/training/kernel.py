"""Compiled kernels: the sums of `Network`, the clippings and the optimizers again, in plain loops over one run.

NumPy is the reference, and does whatever has no form here. On small nets most of its time is the price of its calls;
here a run's net stays in the processor's first cache from one record to the next. Samples are innermost, in loops
without a branch, which the compiler turns into vector instructions.

u counts units, k units of the layer before (or inputs), s samples. `block` is a layer's part of theta, of shape
(rows, width); z, h, slopes and delta of a layer are (width, samples), of which the first `count` samples are in use.

To import this module takes numba, and the first time on a machine about twenty seconds.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit, typeof, types
from numba.extending import intrinsic

from explorer.choices.activations import Activation
from explorer.choices.experiment import SHUFFLED, Experiment
from explorer.choices.normalizations import EPSILON
from explorer.choices.normalizations import MOMENTUM as FOLLOW
from explorer.choices.optimizers import ADAM_BETAS, ADAM_EPSILON, RMSPROP_DECAY, RMSPROP_EPSILON
from explorer.choices.optimizers import MOMENTUM as DECAY
from explorer.training.measures import LARGE_SQUARE
from explorer.training.network import Architecture

BETA_1, BETA_2 = ADAM_BETAS

# Sums may be reordered, so that several are taken side by side. Infinity and NaN stay what they are: both are looked for.
SUMS = {"reassoc", "contract", "nsz"}
# In the exponential (x + MAGIC) - MAGIC must not be simplified.
EXACT = {"contract", "nsz"}

_loops: Any = {"nogil": True, "error_model": "numpy", "cache": True}
compiled: Callable = njit(**_loops, fastmath=EXACT)
inlined: Callable = njit(**_loops, fastmath=EXACT, forceinline=True)
summed: Callable = njit(**_loops, fastmath=SUMS)
as_written: Callable = njit(**_loops)  # NumPy's generators multiply and add in two steps


@intrinsic
def bits(typing_context: Any, number: Any) -> Any:
    """The 64 bits of a double as an integer."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.int64))

    return types.int64(types.float64), build


@intrinsic
def double(typing_context: Any, integer: Any) -> Any:
    """The double that has these 64 bits."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.int64), build


# --- the exponential and what is made of it -----------------------------------------------------

# Adding this rounds a double to a whole number, which then stands in the last bits.
MAGIC = 6755399441055744.0
MAGIC_BITS = 0x4338000000000000
LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
LOWEST = -746.0  # exp is 0 from here down


@inlined
def exp_parts(x):
    """Return (p, s, t) with exp(x) = (1 + p) * s * t for x <= 0: s and t are powers of two, p = exp(r) - 1, |r| < 0.35.

    Two powers, as one would not reach the subnormal numbers. NaN comes through.
    """
    x = LOWEST if x < LOWEST else x
    shifted = x * LOG2_E + MAGIC
    k = shifted - MAGIC
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    half = k * 0.5 + MAGIC
    first = bits(half) - MAGIC_BITS
    second = bits(shifted) - MAGIC_BITS - first
    # Taylor's series up to r^13: the next term is below 2e-17 of r.
    p = 1 / 6227020800.0
    p = p * r + 1 / 479001600.0
    p = p * r + 1 / 39916800.0
    p = p * r + 1 / 3628800.0
    p = p * r + 1 / 362880.0
    p = p * r + 1 / 40320.0
    p = p * r + 1 / 5040.0
    p = p * r + 1 / 720.0
    p = p * r + 1 / 120.0
    p = p * r + 1 / 24.0
    p = p * r + 1 / 6.0
    p = p * r + 0.5
    p = p * r * r + r
    return p, double((first + 1023) << 52), double((second + 1023) << 52)


@inlined
def exp_below(x):
    """Return exp(x), x <= 0."""
    p, s, t = exp_parts(x)
    return (s + s * p) * t


@inlined
def expm1_below(x):
    """Return exp(x) - 1 and exp(x), x <= 0, both precise in relative terms."""
    p, s, t = exp_parts(x)
    power = s * t
    return power * p + (power - 1.0), (s + s * p) * t


@inlined
def sigmoid(z):
    """Return the sigmoid and its slope."""
    e = exp_below(-abs(z))
    d = 1.0 / (1.0 + e)
    return (d if z >= 0 else e * d), e * d * d


@inlined
def tanh(z):
    """Return tanh and its slope."""
    m, e = expm1_below(-2.0 * abs(z))
    d = 1.0 / (2.0 + m)
    a = -m * d
    return (a if z >= 0 else -a), 4.0 * e * d * d


# --- one layer's units: a = f(z) and its slope, over z in place -----------------------------------

SIGMOID, TANH, RELU, LEAKY, RANDOMIZED, ELU, GELU, SILU, SOFTPLUS, LINEAR = range(10)
ACTIVATION_FORMS = {
    "sigmoid": SIGMOID,
    "tanh": TANH,
    "ReLU": RELU,
    "leaky ReLU": LEAKY,
    "randomized ReLU": RANDOMIZED,
    "ELU": ELU,
    "SELU": ELU,
    "GELU": GELU,
    "SiLU": SILU,
    "softplus": SOFTPLUS,
    "linear": LINEAR,
}


@compiled
def activate(code, below, scale, z, random, slope, count):
    """Replace z, (width, samples), by f(z), and write f'(z); of `count` samples.

    `below` is leaky ReLU's slope below 0, and what ELU tends to; `scale` multiplies ELU.
    """
    for u in range(z.shape[0]):
        if code == SIGMOID:
            for s in range(count):
                z[u, s], slope[u, s] = sigmoid(z[u, s])
        elif code == TANH:
            for s in range(count):
                z[u, s], slope[u, s] = tanh(z[u, s])
        elif code == RELU:
            for s in range(count):
                slope[u, s] = 1.0 if z[u, s] > 0 else 0.0
                z[u, s] = 0.0 if z[u, s] <= 0 else z[u, s]
        elif code == LEAKY:
            for s in range(count):
                slope[u, s] = 1.0 if z[u, s] > 0 else below
                z[u, s] = z[u, s] * slope[u, s]
        elif code == RANDOMIZED:
            for s in range(count):
                slope[u, s] = 1.0 if z[u, s] > 0 else random[u, s]
                z[u, s] = z[u, s] * slope[u, s]
        elif code == ELU:
            for s in range(count):
                v = z[u, s]
                m, e = expm1_below(0.0 if v > 0 else v)
                slope[u, s] = scale if v > 0 else scale * below * e
                z[u, s] = scale * v if v > 0 else scale * below * m
        elif code == SILU:
            for s in range(count):
                a, d = sigmoid(z[u, s])
                slope[u, s] = a + z[u, s] * d
                z[u, s] = z[u, s] * a
        elif code == SOFTPLUS:
            for s in range(count):
                v = z[u, s]
                slope[u, s] = sigmoid(v)[0]
                z[u, s] = (v if v > 0 else 0.0) + math.log1p(exp_below(-abs(v)))
        elif code == GELU:
            for s in range(count):
                v = z[u, s]
                tail = 0.5 * math.erfc(abs(v) * math.sqrt(0.5))
                cdf = 1.0 - tail if v > 0 else tail
                slope[u, s] = cdf + v * math.exp(-0.5 * v * v) / math.sqrt(2 * math.pi)
                z[u, s] = v * cdf
        else:
            for s in range(count):
                slope[u, s] = 1.0


# --- products -----------------------------------------------------------------------------------


@summed
def forward_product(block, h, z, fan_in, fan_out, bias_row, count):
    """z = W' h + b, of one layer; four units of the layer before at a time, or plainly of a single sample."""
    if count == 1:
        for u in range(fan_out):
            total = block[bias_row, u]
            for k in range(fan_in):
                total += block[k, u] * h[k, 0]
            z[u, 0] = total
        return
    for u in range(fan_out):
        b = block[bias_row, u]
        k = 0
        if fan_in >= 4:
            w0, w1, w2, w3 = block[0, u], block[1, u], block[2, u], block[3, u]
            for s in range(count):
                z[u, s] = b + w0 * h[0, s] + w1 * h[1, s] + w2 * h[2, s] + w3 * h[3, s]
            k = 4
        else:
            for s in range(count):
                z[u, s] = b
        while k + 4 <= fan_in:
            w0, w1, w2, w3 = block[k, u], block[k + 1, u], block[k + 2, u], block[k + 3, u]
            for s in range(count):
                z[u, s] += w0 * h[k, s] + w1 * h[k + 1, s] + w2 * h[k + 2, s] + w3 * h[k + 3, s]
            k += 4
        while k < fan_in:
            w0 = block[k, u]
            for s in range(count):
                z[u, s] += w0 * h[k, s]
            k += 1


@summed
def backward_product(block, delta, through, width, fan_out, count):
    """dL/dh = W delta, of one layer."""
    if count == 1:
        for k in range(width):
            total = 0.0
            for u in range(fan_out):
                total += block[k, u] * delta[u, 0]
            through[k, 0] = total
        return
    for k in range(width):
        u = 0
        if fan_out >= 4:
            w0, w1, w2, w3 = block[k, 0], block[k, 1], block[k, 2], block[k, 3]
            for s in range(count):
                through[k, s] = w0 * delta[0, s] + w1 * delta[1, s] + w2 * delta[2, s] + w3 * delta[3, s]
            u = 4
        else:
            for s in range(count):
                through[k, s] = 0.0
        while u + 4 <= fan_out:
            w0, w1, w2, w3 = block[k, u], block[k, u + 1], block[k, u + 2], block[k, u + 3]
            for s in range(count):
                through[k, s] += w0 * delta[u, s] + w1 * delta[u + 1, s] + w2 * delta[u + 2, s] + w3 * delta[u + 3, s]
            u += 4
        while u < fan_out:
            w0 = block[k, u]
            for s in range(count):
                through[k, s] += w0 * delta[u, s]
            u += 1


@njit(**_loops, fastmath=SUMS, forceinline=True)
def four_rows(h, delta, gradient, k, u, count):
    """dL/dW of four neighbouring units of the layer before and one unit."""
    g0 = g1 = g2 = g3 = 0.0
    for s in range(count):
        d = delta[u, s]
        g0 += h[k, s] * d
        g1 += h[k + 1, s] * d
        g2 += h[k + 2, s] * d
        g3 += h[k + 3, s] * d
    gradient[k, u], gradient[k + 1, u], gradient[k + 2, u], gradient[k + 3, u] = g0, g1, g2, g3


@summed
def weight_gradient(h, delta, gradient, fan_in, fan_out, bias_row, has_bias, count):
    """dL/dW = h delta' and dL/db, of one layer.

    Units that are alike stay so to the last digit: all sums of a layer run in the same order. That is why the last four
    rows may be taken a second time.
    """
    if count == 1:
        for k in range(fan_in):
            for u in range(fan_out):
                gradient[k, u] = h[k, 0] * delta[u, 0]
        if has_bias:
            for u in range(fan_out):
                gradient[bias_row, u] = delta[u, 0]
        return
    for u in range(fan_out):
        for first in range(0, fan_in - 3, 4):
            four_rows(h, delta, gradient, first, u, count)
        if fan_in % 4 and fan_in > 4:
            four_rows(h, delta, gradient, fan_in - 4, u, count)
        if fan_in < 4:
            for k in range(fan_in):
                total = 0.0
                for s in range(count):
                    total += h[k, s] * delta[u, s]
                gradient[k, u] = total
        if has_bias:
            total = 0.0
            for s in range(count):
                total += delta[u, s]
            gradient[bias_row, u] = total


# --- normalization ------------------------------------------------------------------------------

NOT_NORMALIZED, OVER_SAMPLES, OVER_UNITS = range(3)
NORMALIZATION_FORMS = {None: NOT_NORMALIZED, -1: OVER_SAMPLES, -2: OVER_UNITS}  # By its axis


@summed
def normalize_batch(z, block, normalized, inverse_std, mean, variance, count):
    """Over samples; leaves each unit's mean and variance."""
    width = z.shape[0]
    for u in range(z.shape[0]):
        total = 0.0
        for s in range(count):
            total += z[u, s]
        total /= count
        square = 0.0
        for s in range(count):
            square += (z[u, s] - total) * (z[u, s] - total)
        square /= count
        mean[u], variance[u] = total, square
        inverse = 1.0 / math.sqrt(square + EPSILON)
        inverse_std[u] = inverse
        for s in range(count):
            normalized[u, s] = (z[u, s] - total) * inverse
            z[u, s] = block[width + 1, u] * normalized[u, s] + block[width + 2, u]


@summed
def normalize_layer(z, block, normalized, inverse_std, mean, count):
    """Over units."""
    width = z.shape[0]
    for s in range(count):
        mean[s] = inverse_std[s] = 0.0
    for u in range(width):
        for s in range(count):
            mean[s] += z[u, s]
    for s in range(count):
        mean[s] /= width
    for u in range(width):
        for s in range(count):
            inverse_std[s] += (z[u, s] - mean[s]) * (z[u, s] - mean[s])
    for s in range(count):
        inverse_std[s] = 1.0 / math.sqrt(inverse_std[s] / width + EPSILON)
    for u in range(width):
        for s in range(count):
            normalized[u, s] = (z[u, s] - mean[s]) * inverse_std[s]
            z[u, s] = block[width + 1, u] * normalized[u, s] + block[width + 2, u]


@summed
def through_batch(delta, block, gradient, normalized, inverse_std, count):
    """From dL/dn to dL/dz in place, and the gradient of scale and shift."""
    width = delta.shape[0]
    for u in range(delta.shape[0]):
        total = along = 0.0
        for s in range(count):
            total += delta[u, s]
            along += delta[u, s] * normalized[u, s]
        gradient[width + 2, u], gradient[width + 1, u] = total, along
        total /= count
        along /= count
        factor = block[width + 1, u] * inverse_std[u]
        for s in range(count):
            delta[u, s] = (delta[u, s] - total - normalized[u, s] * along) * factor


@summed
def through_layer(delta, block, gradient, normalized, inverse_std, mean, along, count):
    """From dL/dn to dL/dz in place, and the gradient of scale and shift."""
    width = delta.shape[0]
    for s in range(count):
        mean[s] = along[s] = 0.0
    for u in range(width):
        shift = product = 0.0
        for s in range(count):
            d = delta[u, s]
            shift += d
            product += d * normalized[u, s]
            mean[s] += d * block[width + 1, u]
            along[s] += d * block[width + 1, u] * normalized[u, s]
        gradient[width + 2, u], gradient[width + 1, u] = shift, product
    for s in range(count):
        mean[s] /= width
        along[s] /= width
    for u in range(width):
        for s in range(count):
            delta[u, s] = (delta[u, s] * block[width + 1, u] - mean[s] - normalized[u, s] * along[s]) * inverse_std[s]


# --- loss ---------------------------------------------------------------------------------------

HALF_SQUARED, MEAN_SQUARED, CROSS_ENTROPY = range(3)
LOSS_FORMS = {"half squared error": HALF_SQUARED, "mean squared error": MEAN_SQUARED, "cross-entropy": CROSS_ENTROPY}


@compiled
def loss_delta(code, linear, z, y, delta, count):
    """Write dL/dz of the output unit."""
    if code == CROSS_ENTROPY:
        for s in range(count):
            delta[s] = (sigmoid(z[s])[0] - y[s]) * (1.0 / count)
        return
    factor = 2.0 / count if code == MEAN_SQUARED else 1.0
    if linear:
        for s in range(count):
            delta[s] = (z[s] - y[s]) * factor
    else:
        for s in range(count):
            a, slope = sigmoid(z[s])
            delta[s] = (a - y[s]) * slope * factor


# --- clipping and the step ----------------------------------------------------------------------

UNCLIPPED, BY_VALUE, BY_NORM = range(3)
CLIPPING_FORMS = {"none": UNCLIPPED, "value": BY_VALUE, "norm": BY_NORM}


@summed
def sum_of_squares(values):
    """Of all numbers of a flat array."""
    total = 0.0
    for i in range(values.size):
        total += values[i] * values[i]
    return total


@compiled
def scaled_norm(values):
    """The L2 norm, right even where squares overflow; not finite where a number is not."""
    largest = 0.0
    for i in range(values.size):
        size = abs(values[i])
        if size > largest:
            largest = size
        elif size != size:
            return size
    if largest == 0 or largest == math.inf:
        return largest
    total = 0.0
    for i in range(values.size):
        total += (values[i] / largest) ** 2
    return largest * math.sqrt(total)


@compiled
def clip(code, gradient, norm, threshold):
    """Limit a flat gradient in place; return the global norm afterwards over that before."""
    if code == BY_NORM:
        factor = min(threshold / (norm + 1e-6), 1.0)
        if factor < 1.0:
            for i in range(gradient.size):
                gradient[i] *= factor
        return factor
    if code == BY_VALUE:
        for i in range(gradient.size):
            g = gradient[i]
            g = threshold if g > threshold else g
            gradient[i] = -threshold if g < -threshold else g
        # The two norms are rounded in different orders: a norm no larger than the threshold was not clipped.
        return min(math.sqrt(sum_of_squares(gradient)) / norm, 1.0) if norm > threshold else 1.0
    return 1.0


SGD, MOMENTUM, NESTEROV, RMSPROP, ADAM = range(5)
OPTIMIZER_FORMS = {"SGD": SGD, "momentum": MOMENTUM, "Nesterov": NESTEROV, "RMSprop": RMSPROP, "Adam": ADAM}


@compiled
def step(code, theta, gradient, moments, update, rate, t):
    """Write the update of flat parameters and subtract it; `t` counts updates from 1."""
    if code == SGD:
        for i in range(theta.size):
            update[i] = gradient[i] * rate
    elif code == MOMENTUM:
        first = moments[0]
        for i in range(theta.size):
            first[i] = first[i] * DECAY + gradient[i]
            update[i] = first[i] * rate
    elif code == NESTEROV:
        first = moments[0]
        for i in range(theta.size):
            first[i] = first[i] * DECAY + gradient[i]
            update[i] = (first[i] * DECAY + gradient[i]) * rate
    elif code == RMSPROP:
        first = moments[0]
        for i in range(theta.size):
            first[i] = first[i] * RMSPROP_DECAY + gradient[i] * gradient[i] * (1 - RMSPROP_DECAY)
            update[i] = gradient[i] / (math.sqrt(first[i]) + RMSPROP_EPSILON) * rate
    else:
        first, second = moments[0], moments[1]
        root = math.sqrt(1.0 - BETA_2**t)
        epsilon, pace = ADAM_EPSILON * root, rate * (root / (1.0 - BETA_1**t))
        for i in range(theta.size):
            first[i] = first[i] * BETA_1 + gradient[i] * (1 - BETA_1)
            second[i] = second[i] * BETA_2 + gradient[i] * gradient[i] * (1 - BETA_2)
            update[i] = first[i] / (math.sqrt(second[i]) + epsilon) * pace
    for i in range(theta.size):
        theta[i] -= update[i]


# --- training -----------------------------------------------------------------------------------


@as_written
def draw_slopes(rng, low, high, random):
    """Randomized ReLU's slopes, as `rng.uniform` draws them."""
    for layer in range(random.shape[0]):
        for u in range(random.shape[1]):
            for s in range(random.shape[2]):
                random[layer, u, s] = low + (high - low) * rng.random()


class Net(NamedTuple):
    """What the two passes depend on."""

    inputs: int
    width: int
    depth: int
    activation: int
    below: float  # As for `activate`
    scale: float
    low: float  # The range of randomized ReLU's slopes
    high: float
    normalization: int
    skip: int
    hidden_bias: bool
    output_bias: bool


class Rule(NamedTuple):
    """How a run learns."""

    loss: int
    linear: bool  # Whether the output unit is
    shuffled: bool  # Whether there is an order of the samples for every epoch
    clipping: int
    threshold: float
    optimizer: int
    rate: float


def has_forms(experiment: Experiment) -> bool:
    """Whether everything that an experiment chooses has a compiled form."""
    return (
        experiment.activation_function.name in ACTIVATION_FORMS
        and experiment.normalizer.axis in NORMALIZATION_FORMS
        and experiment.loss_function.name in LOSS_FORMS
        and experiment.clipper.name in CLIPPING_FORMS
        and experiment.update_rule.name in OPTIMIZER_FORMS
    )


def net_of(shape: Architecture) -> Net:
    """Return an architecture as the kernels take it."""
    scale, at_zero = _slopes(shape.activation)
    low, high = shape.activation.random_slope or (0.0, 0.0)
    return Net(
        inputs=shape.inputs,
        width=shape.width,
        depth=shape.depth,
        activation=ACTIVATION_FORMS[shape.activation.name],
        below=at_zero / scale,
        scale=scale,
        low=low,
        high=high,
        normalization=NORMALIZATION_FORMS[shape.normalization.axis],
        skip=shape.skip,
        hidden_bias=shape.has_bias(0),
        output_bias=shape.has_bias(shape.depth),
    )


def _slopes(activation: Activation) -> tuple[float, float]:
    """An activation's slopes far above 0 and just below it."""
    z = np.array([1.0, -1e-300])
    above, below = activation.df(z, np.empty_like(z))
    return float(above), float(below)


def rule_of(experiment: Experiment) -> Rule:
    """Return how a run of an experiment learns, as the kernels take it."""
    return Rule(
        loss=LOSS_FORMS[experiment.loss_function.name],
        linear=experiment.dataset.regression,
        shuffled=experiment.order == SHUFFLED and len(experiment.batch_sizes()) > 1,
        clipping=CLIPPING_FORMS[experiment.clipper.name],
        threshold=float(experiment.threshold),
        optimizer=OPTIMIZER_FORMS[experiment.update_rule.name],
        rate=float(experiment.learning_rate),
    )


@compiled
def copy(shared, own, back):
    """Copy a run's part of an array of several runs into a flat one of its own, or back."""
    i = 0
    for layer in range(shared.shape[0]):
        for k in range(shared.shape[1]):
            for u in range(shared.shape[2]):
                if back:
                    shared[layer, k, u] = own[i]
                else:
                    own[i] = shared[layer, k, u]
                i += 1


@compiled
def source_of(skip, layer):
    """`Architecture.shortcut_source`; -1: none."""
    if skip == 1 and layer >= 1:
        return layer
    if skip == 2 and layer >= 2 and layer % 2 == 0:
        return layer - 1
    return -1


def _signature():
    """The types of `train_run`: named, so that it is compiled once, and not again for arrays that lie otherwise."""

    def array(kind, dimensions, layout="A"):
        return types.Array(kind, dimensions, layout)

    def fields(kind):
        by_type = {int: types.int64, float: types.float64, bool: types.boolean}
        return types.NamedTuple([by_type[field] for field in kind.__annotations__.values()], kind)

    numbers, counts = types.float64, types.int64
    result = types.Tuple([types.int64, types.int64, types.boolean, types.float64])
    return result(
        fields(Net), fields(Rule), array(numbers, 3), array(numbers, 4), array(numbers, 2), array(numbers, 2),
        array(numbers, 2, "C"), array(numbers, 1, "C"), array(counts, 1, "C"), array(counts, 2, "C"),
        array(numbers, 3, "C"), typeof(np.random.default_rng(0)), counts, counts, counts,
        array(numbers, 2, "C"), array(numbers, 4, "C"),
    )  # fmt: skip


@njit(_signature(), **_loops, fastmath=EXACT)
def train_run(
    net, rule, shared, shared_moments, running_mean, running_variance,
    x, y, sizes, orders, random, rng, first, count, updates, norms, noted,
):  # fmt: skip
    """Train one run for `count` updates, from batch `first` of an epoch on.

    Parameters
    ----------
    net, rule
    shared : array (layers, rows, width)
        Theta, updated in place.
    shared_moments : array (slots, layers, rows, width)
        The optimizer's memory, updated in place.
    running_mean, running_variance : arrays (depth, width)
        Under batch normalization, updated in place.
    x, y : arrays (inputs, samples) and (samples,)
    sizes : array of int
        Of the batches of an epoch.
    orders : array of int, (epochs, samples)
        The samples in the order of each epoch, the first of which is that of `first`; one row where all are alike.
    random : array (depth, width, samples of a batch)
        Room for randomized ReLU's slopes.
    rng : Generator
        Draws them.
    first, count, updates : int
        `updates` were made before.
    norms : array (epochs, layers) or (0, 0)
        Where there is room, the squared L2 norm of every layer's dL/dW at the last update of each epoch, before clipping.
    noted : array (2, layers, rows, width), or of length 0
        Where there is room, the gradient before clipping, and the update made of it, of the last one.

    Returns
    -------
    tuple of int, int, bool and float
        How many updates were made, how many of them were clipped, whether the next one's gradient is not finite (it is
        not made, and `random` is what it saw), and by which factor the last one was clipped.
    """
    width, depth = net.width, net.depth
    rows, most = shared.shape[1], sizes[0]
    theta = np.empty((depth + 1, rows, width))
    copy(shared, theta.reshape(-1), False)
    gradient = np.zeros((depth + 1, rows, width))
    flat_theta, flat_gradient = theta.reshape(-1), gradient.reshape(-1)
    slots = shared_moments.shape[0]
    moments, update = np.empty((slots, theta.size)), np.empty(theta.size)
    for slot in range(slots):
        copy(shared_moments[slot], moments[slot], False)
    h = np.zeros((depth + 1, width, most))
    slope = np.empty((depth, width, most))
    delta = np.zeros((depth + 1, width, most))
    through = np.empty((3, width, most))
    normalized = np.empty((depth if net.normalization else 0, width, most))
    statistic = max(width, most)
    inverse_std = np.empty((depth, statistic))
    mean, variance = np.empty(statistic), np.empty(statistic)
    z_out = np.empty((1, most))
    targets = np.empty(most)
    none = np.empty((width, 0))
    whole = sizes.size == 1 and not rule.shuffled
    factor, made, clipped, failed = 1.0, 0, 0, False
    epoch, batch, start = 0, first, 0
    for earlier in range(first):
        start += sizes[earlier]
    while made < count:
        order, n = orders[epoch if rule.shuffled else 0], sizes[batch]
        if not whole or not made:
            for s in range(n):
                sample = order[start + s]
                targets[s] = y[sample]
                for k in range(net.inputs):
                    h[0, k, s] = x[k, sample]
        if net.activation == RANDOMIZED:
            draw_slopes(rng, net.low, net.high, random[:, :, :n])
        # forward
        for layer in range(depth):
            fan_in = width if layer else net.inputs
            z = h[layer + 1]
            forward_product(theta[layer], h[layer], z, fan_in, width, width, n)
            if net.normalization == OVER_SAMPLES:
                normalize_batch(z, theta[layer], normalized[layer], inverse_std[layer], mean, variance, n)
                unbiased = n / max(n - 1, 1)
                for u in range(width):
                    running_mean[layer, u] = running_mean[layer, u] * (1 - FOLLOW) + mean[u] * FOLLOW
                    running_variance[layer, u] *= 1 - FOLLOW
                    running_variance[layer, u] += variance[u] * (FOLLOW * unbiased)
            elif net.normalization == OVER_UNITS:
                normalize_layer(z, theta[layer], normalized[layer], inverse_std[layer], mean, n)
            drawn = random[layer] if net.activation == RANDOMIZED else none
            activate(net.activation, net.below, net.scale, z, drawn, slope[layer], n)
            source = source_of(net.skip, layer)
            if source >= 0:
                for u in range(width):
                    for s in range(n):
                        z[u, s] += h[source, u, s]
        forward_product(theta[depth], h[depth], z_out, width, 1, width, n)
        loss_delta(rule.loss, rule.linear, z_out[0], targets, delta[depth, 0], n)
        # backward
        weight_gradient(h[depth], delta[depth], gradient[depth], width, 1, width, net.output_bias, n)
        for layer in range(depth - 1, -1, -1):
            grad_h, d = through[layer % 3], delta[layer]
            backward_product(theta[layer + 1], delta[layer + 1], grad_h, width, 1 if layer + 1 == depth else width, n)
            # This h also skips to the output of a later layer, whose dL/dh comes back unchanged.
            later = layer + 1 if net.skip == 1 else layer + 2
            if net.skip and later < depth and source_of(net.skip, later) == layer + 1:
                back = through[later % 3]
                for u in range(width):
                    for s in range(n):
                        grad_h[u, s] += back[u, s]
            for u in range(width):
                for s in range(n):
                    d[u, s] = grad_h[u, s] * slope[layer, u, s]
            if net.normalization == OVER_SAMPLES:
                through_batch(d, theta[layer], gradient[layer], normalized[layer], inverse_std[layer], n)
            elif net.normalization == OVER_UNITS:
                along = variance
                through_layer(d, theta[layer], gradient[layer], normalized[layer], inverse_std[layer], mean, along, n)
            fan_in = width if layer else net.inputs
            weight_gradient(h[layer], d, gradient[layer], fan_in, width, width, net.hidden_bias, n)
        # update
        total = sum_of_squares(flat_gradient)
        norm = math.sqrt(total)
        if not total < LARGE_SQUARE:
            norm = scaled_norm(flat_gradient)
            if not norm < math.inf:
                failed = True
                break
        last_of_epoch = batch + 1 == sizes.size
        if norms.size and last_of_epoch:
            for layer in range(depth + 1):
                norms[epoch, layer] = sum_of_squares(gradient[layer, :width].reshape(-1))
        noting = noted.size and made + 1 == count
        if noting:
            copy(noted[0], flat_gradient, True)
        factor = clip(rule.clipping, flat_gradient, norm, rule.threshold)
        clipped += factor < 1.0
        made += 1
        step(rule.optimizer, flat_theta, flat_gradient, moments, update, rule.rate, updates + made)
        if noting:
            copy(noted[1], update, True)
        if last_of_epoch:
            epoch, batch, start = epoch + 1, 0, 0
        else:
            batch, start = batch + 1, start + n
    copy(shared, flat_theta, True)
    for slot in range(slots):
        copy(shared_moments[slot], moments[slot], True)
    return made, clipped, failed, factor
