"""Compiled kernels: the sums of `Network`, the clippings and the optimizers again, in plain loops over one run.

NumPy is the reference, and does whatever has no form here. On small nets most of its time is the price of its calls;
here a run's net stays in the processor's first cache from one record to the next. Samples are innermost, in loops
without a branch, which the compiler turns into vector instructions.

u counts units, k units of the layer before (or inputs), s samples. `block` is a layer's part of theta, of shape
(rows, width); z, h, slopes and delta of a layer are (width, samples), of which the first `count` samples are in use.

To import this module takes numba, and the first time on a machine about half a minute.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, typeof, types
from numba.core import cgutils
from numba.extending import intrinsic

from explorer.choices.activations import Activation
from explorer.choices.experiment import SHUFFLED, Experiment
from explorer.choices.normalizations import EPSILON
from explorer.choices.normalizations import MOMENTUM as FOLLOW
from explorer.choices.optimizers import ADAM_BETAS, ADAM_EPSILON, RMSPROP_DECAY, RMSPROP_EPSILON
from explorer.choices.optimizers import MOMENTUM as DECAY
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.training.measures import LARGE_SQUARE, SMALL_SQUARE
from explorer.training.network import Architecture
from explorer.training.recurrent_network import RecurrentArchitecture

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

# Blocks of a product whose sums stay in registers while they grow: the compiler, which cannot know that arrays do not
# overlap, would write every sum back at each step. Where a block does not fit the last one is taken at the edge, over
# numbers that are there already: every sum of a product runs in the same order, so that units that are alike stay so to
# the last digit.
INDEX, DOUBLE = ir.IntType(64), ir.DoubleType()
FUSED = ("contract",)


class _Build:
    """What the blocks are written with: LLVM's instructions on vectors of `lanes` samples."""

    def __init__(self, context: Any, builder: Any, types_of_arrays: Any, arrays: Any, lanes: int) -> None:
        self.builder, self.lanes, self.vector = builder, lanes, ir.VectorType(DOUBLE, lanes)
        pairs = zip(types_of_arrays, arrays, strict=True)
        self.arrays = [context.make_array(kind)(context, builder, array) for kind, array in pairs]

    def place(self, array: int, indexes: Any, kind: Any) -> Any:
        """Where a number of an array stands."""
        builder, (data, strides) = self.builder, self._layout(array)
        for index, stride in zip(indexes, strides, strict=True):
            data = builder.add(data, builder.mul(index, stride))
        return builder.inttoptr(data, kind.as_pointer())

    def _layout(self, array: int) -> tuple[Any, Any]:
        struct = self.arrays[array]
        return self.builder.ptrtoint(struct.data, INDEX), cgutils.unpack_tuple(self.builder, struct.strides)

    def length(self, array: int) -> Any:
        """An array's first dimension."""
        return cgutils.unpack_tuple(self.builder, self.arrays[array].shape)[0]

    def load(self, array: int, *indexes: Any, vector: bool = False) -> Any:
        """One number, or that and what follows it: as many as there are lanes."""
        return self._aligned(self.builder.load(self.place(array, indexes, self.vector if vector else DOUBLE)))

    def store(self, value: Any, array: int, *indexes: Any) -> None:
        self._aligned(self.builder.store(value, self.place(array, indexes, value.type)))

    @staticmethod
    def _aligned(instruction: Any) -> Any:
        instruction.align = 8  # rows start where they start
        return instruction

    def spread(self, number: Any) -> Any:
        """One number in all lanes."""
        first, none = ir.IntType(32), ir.Constant(self.vector, ir.Undefined)
        vector = self.builder.insert_element(none, number, first(0))
        return self.builder.shuffle_vector(vector, none, ir.VectorType(first, self.lanes)([0] * self.lanes))

    def variable(self, start: Any) -> Any:
        place = cgutils.alloca_once(self.builder, start.type)
        self.builder.store(start, place)
        return place

    def add_product(self, place: Any, one: Any, other: Any) -> None:
        product = self.builder.fmul(one, other, flags=FUSED)
        self.builder.store(self.builder.fadd(self.builder.load(place), product, flags=FUSED), place)

    def total(self, vector: Any) -> Any:
        """The sum of the lanes."""
        lanes = [self.builder.extract_element(vector, ir.IntType(32)(lane)) for lane in range(self.lanes)]
        while len(lanes) > 1:
            lanes = [self.builder.fadd(one, other) for one, other in zip(lanes[::2], lanes[1::2], strict=True)]
        return lanes[0]


def _product_block(units: int, lanes: int) -> Any:
    """Make target[u:u+units, s:s+lanes] = bias + weights' source, of a sum over all rows of the weights."""

    @intrinsic
    def block(typing_context: Any, weights: Any, bias: Any, source: Any, target: Any, u: Any, s: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            *arrays, first, sample = arguments
            make = _Build(context, builder, signature.args[:4], arrays, lanes)
            columns = [builder.add(first, INDEX(unit)) for unit in range(units)]
            sums = [make.variable(make.spread(make.load(1, column))) for column in columns]
            with cgutils.for_range(builder, make.length(0)) as loop:
                samples = make.load(2, loop.index, sample, vector=True)
                for column, place in zip(columns, sums, strict=True):
                    make.add_product(place, make.spread(make.load(0, loop.index, column)), samples)
            for column, place in zip(columns, sums, strict=True):
                make.store(builder.load(place), 3, column, sample)
            return context.get_dummy_value()

        return types.void(weights, bias, source, target, types.int64, types.int64), build

    return block


def _gradient_block(rows: int, units: int, lanes: int) -> Any:
    """Make gradient[k:k+rows, u:u+units] += h delta', of a sum over so many whole vectors of samples."""

    @intrinsic
    def block(typing_context: Any, h: Any, delta: Any, gradient: Any, k: Any, u: Any, vectors: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            *arrays, first_row, first_unit, count = arguments
            make = _Build(context, builder, signature.args[:3], arrays, lanes)
            lines = [builder.add(first_row, INDEX(row)) for row in range(rows)]
            columns = [builder.add(first_unit, INDEX(unit)) for unit in range(units)]
            sums = {(k, u): make.variable(make.vector([0.0] * lanes)) for k in range(rows) for u in range(units)}
            with cgutils.for_range(builder, count) as loop:
                sample = builder.mul(loop.index, INDEX(lanes))
                right = [make.load(1, column, sample, vector=True) for column in columns]
                for k, line in enumerate(lines):
                    left = make.load(0, line, sample, vector=True)
                    for u, values in enumerate(right):
                        make.add_product(sums[k, u], left, values)
            for (k, u), place in sums.items():
                at = lines[k], columns[u]
                make.store(builder.fadd(make.load(2, *at), make.total(builder.load(place))), 2, *at)
            return context.get_dummy_value()

        return types.void(h, delta, gradient, types.int64, types.int64, types.int64), build

    return block


four_by_eight, one_by_eight = _product_block(4, 8), _product_block(1, 8)
four_by_four, one_by_four = _product_block(4, 4), _product_block(1, 4)
rows_by_units, rows_by_one, one_by_one = _gradient_block(4, 2, 4), _gradient_block(4, 1, 4), _gradient_block(1, 1, 4)


@compiled
def product(weights, bias, source, target, count):
    """target = weights' source + bias, of `count` samples; weights (sources, targets)."""
    sources, targets = weights.shape
    if count < 4:
        for u in range(targets):
            for s in range(count):
                total = bias[u]
                for k in range(sources):
                    total += weights[k, u] * source[k, s]
                target[u, s] = total
        return
    size = 8 if count >= 8 else 4
    for block in range((count + size - 1) // size):
        s = min(block * size, count - size)
        if targets >= 4:
            for four in range((targets + 3) // 4):
                u = min(4 * four, targets - 4)
                if size == 8:
                    four_by_eight(weights, bias, source, target, u, s)
                else:
                    four_by_four(weights, bias, source, target, u, s)
        else:
            for u in range(targets):
                if size == 8:
                    one_by_eight(weights, bias, source, target, u, s)
                else:
                    one_by_four(weights, bias, source, target, u, s)


@compiled
def add_weight_gradient(h, delta, gradient, count):
    """gradient += h delta', of `count` samples; gradient (rows of h, rows of delta)."""
    rows, units = gradient.shape
    vectors = count // 4
    for k in range(rows):
        for u in range(units):
            total = 0.0
            for s in range(4 * vectors, count):
                total += h[k, s] * delta[u, s]
            gradient[k, u] += total
    if vectors == 0:
        return
    whole_rows = rows - rows % 4
    for k in range(0, whole_rows, 4):
        for u in range(0, units - 1, 2):
            rows_by_units(h, delta, gradient, k, u, vectors)
        if units % 2:
            rows_by_one(h, delta, gradient, k, units - 1, vectors)
    for k in range(whole_rows, rows):
        for u in range(units):
            one_by_one(h, delta, gradient, k, u, vectors)


@summed
def add_bias_gradient(delta, gradient, count):
    """gradient += the sum of delta over `count` samples."""
    for u in range(gradient.size):
        total = 0.0
        for s in range(count):
            total += delta[u, s]
        gradient[u] += total


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
def safe_norm(values):
    """The L2 norm of a flat array, right even where squares would underflow or overflow."""
    total = sum_of_squares(values)
    return math.sqrt(total) if SMALL_SQUARE < total < LARGE_SQUARE else scaled_norm(values)


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


class Room(NamedTuple):
    """Where the two passes leave what they compute; `most` samples in a batch."""

    h: Any  # (depth + 1, width, most): the inputs, then what each layer hands on
    slope: Any  # (depth, width, most)
    delta: Any  # (2, width, most): of a layer and the one after it
    through: Any  # (3, width, most): dL/dh of a layer and of the two after it
    normalized: Any  # (depth, width, most), if any is
    inverse_std: Any  # (depth, width or most)
    mean: Any
    variance: Any
    z_out: Any  # (1, most)
    nothing: Any  # A bias of 0


@compiled
def room_for(net, most):
    """Make room for batches of so many samples."""
    depth, width, statistic = net.depth, net.width, max(net.width, most)
    return Room(
        np.zeros((depth + 1, width, most)),
        np.empty((depth, width, most)),
        np.zeros((2, width, most)),
        np.empty((3, width, most)),
        np.empty((depth if net.normalization else 0, width, most)),
        np.empty((depth, statistic)),
        np.empty(statistic),
        np.empty(statistic),
        np.empty((1, most)),
        np.zeros(width),
    )


@compiled
def forward(net, theta, room, running_mean, running_variance, random, n):
    """From the inputs of `n` samples, in room.h[0], to z of the output."""
    depth, width, h = net.depth, net.width, room.h
    none = np.empty((width, 0))
    for layer in range(depth):
        block, z = theta[layer], h[layer + 1]
        product(block[: width if layer else net.inputs], block[width], h[layer], z, n)
        if net.normalization == OVER_SAMPLES:
            mean, variance = room.mean, room.variance
            normalize_batch(z, block, room.normalized[layer], room.inverse_std[layer], mean, variance, n)
            unbiased = n / max(n - 1, 1)
            for u in range(width):
                running_mean[layer, u] = running_mean[layer, u] * (1 - FOLLOW) + mean[u] * FOLLOW
                running_variance[layer, u] *= 1 - FOLLOW
                running_variance[layer, u] += variance[u] * (FOLLOW * unbiased)
        elif net.normalization == OVER_UNITS:
            normalize_layer(z, block, room.normalized[layer], room.inverse_std[layer], room.mean, n)
        drawn = random[layer] if net.activation == RANDOMIZED else none
        activate(net.activation, net.below, net.scale, z, drawn, room.slope[layer], n)
        source = source_of(net.skip, layer)
        if source >= 0:
            for u in range(width):
                for s in range(n):
                    z[u, s] += h[source, u, s]
    product(theta[depth, :width, :1], theta[depth, width], h[depth], room.z_out, n)


@compiled
def backward(net, theta, gradient, room, n):
    """From dL/dz of the output, in room.delta, to the whole gradient."""
    depth, width, h = net.depth, net.width, room.h
    gradient[...] = 0.0
    add_weight_gradient(h[depth], room.delta[depth % 2], gradient[depth, :width, :1], n)
    if net.output_bias:
        add_bias_gradient(room.delta[depth % 2], gradient[depth, width, :1], n)
    for layer in range(depth - 1, -1, -1):
        grad_h, d, after = room.through[layer % 3], room.delta[layer % 2], room.delta[(layer + 1) % 2]
        fan_out = 1 if layer + 1 == depth else width
        product(theta[layer + 1, :width, :fan_out].T, room.nothing, after, grad_h, n)
        # This h also skips to the output of a later layer, whose dL/dh comes back unchanged.
        later = layer + 1 if net.skip == 1 else layer + 2
        if net.skip and later < depth and source_of(net.skip, later) == layer + 1:
            back = room.through[later % 3]
            for u in range(width):
                for s in range(n):
                    grad_h[u, s] += back[u, s]
        for u in range(width):
            for s in range(n):
                d[u, s] = grad_h[u, s] * room.slope[layer, u, s]
        block, grad = theta[layer], gradient[layer]
        if net.normalization == OVER_SAMPLES:
            through_batch(d, block, grad, room.normalized[layer], room.inverse_std[layer], n)
        elif net.normalization == OVER_UNITS:
            through_layer(d, block, grad, room.normalized[layer], room.inverse_std[layer], room.mean, room.variance, n)
        add_weight_gradient(h[layer], d, grad[: width if layer else net.inputs], n)
        if net.hidden_bias:
            add_bias_gradient(d, grad[width], n)


def _fields(kind: type) -> Any:
    """The type of a named tuple of numbers."""
    by_type = {int: types.int64, float: types.float64, bool: types.boolean}
    return types.NamedTuple([by_type[field] for field in kind.__annotations__.values()], kind)


def _signature():
    """The types of `train_run`: named, so that it is compiled once, and not again for arrays that lie otherwise."""

    def array(kind, dimensions, layout="A"):
        return types.Array(kind, dimensions, layout)

    numbers, counts = types.float64, types.int64
    result = types.Tuple([types.int64, types.int64, types.boolean, types.float64])
    return result(
        _fields(Net), _fields(Rule), array(numbers, 3), array(numbers, 4), array(numbers, 2), array(numbers, 2),
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
    room = room_for(net, most)
    targets = np.empty(most)
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
                    room.h[0, k, s] = x[k, sample]
        if net.activation == RANDOMIZED:
            draw_slopes(rng, net.low, net.high, random[:, :, :n])
        forward(net, theta, room, running_mean, running_variance, random, n)
        loss_delta(rule.loss, rule.linear, room.z_out[0], targets, room.delta[depth % 2, 0], n)
        backward(net, theta, gradient, room, n)
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


# --- nets over time -----------------------------------------------------------------------------

# Here s is the array of what a layer reads at each step, and k counts samples.
# A loop for each line of the formulas: beyond a few arrays the compiler gives up looking whether they overlap.

RNN, LSTM, GRU = range(3)
CELL_FORMS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}


class Recurrence(NamedTuple):
    """What the two passes of one recurrent layer depend on."""

    cell: int
    activation: int  # Of a plain cell, and what it takes, as for `activate`
    below: float
    scale: float
    fan_in: int
    hidden: int
    truncation: int


def has_cell_forms(experiment: RecurrentExperiment) -> bool:
    """Whether everything in which a recurrent net's passes differ has a compiled form."""
    return experiment.unit.name in CELL_FORMS and experiment.activation_function.name in ACTIVATION_FORMS


def recurrence_of(shape: RecurrentArchitecture, layer: int) -> Recurrence:
    """Return a recurrent layer as the kernels take it."""
    scale, at_zero = _slopes(shape.activation)
    return Recurrence(
        cell=CELL_FORMS[shape.cell.name],
        activation=ACTIVATION_FORMS[shape.activation.name],
        below=at_zero / scale,
        scale=scale,
        fan_in=shape.fan_in(layer),
        hidden=shape.hidden,
        truncation=shape.truncation,
    )


_arrays = [types.Array(types.float64, dimensions, "C") for dimensions in range(5)]
_strided = types.Array(types.float64, 2, "A")


@njit(
    types.void(_fields(Recurrence), _strided, *[_arrays[4]] * 5, types.int64), **_loops, fastmath=EXACT
)  # fmt: skip
def recur(layer, weights, s, z, a, c, squashed, run):
    """Compute h (and c) of every step of one run of a recurrent layer.

    Parameters
    ----------
    layer : Recurrence
    weights : array (rows, columns)
        The run's.
    s, z, a, c, squashed : arrays (steps, runs, units, samples)
        Those of `Layer`. z gets the slopes of the activations, the gates' and the candidate's or the plain cell's.
    run : int
    """
    hidden, count = layer.hidden, s.shape[3]
    none = np.empty((hidden, 0))
    into, bias = weights[:-1], weights[-1].copy()
    first, last = layer.fan_in, layer.fan_in + hidden
    for t in range(z.shape[0]):
        before, after, slope = s[t, run, first:last], s[t + 1, run, first:last], z[t, run]
        if layer.cell == RNN:
            product(into, bias, s[t, run], after, count)
            activate(layer.activation, layer.below, layer.scale, after, none, slope, count)
            continue
        gates = a[t, run]
        product(into, bias, s[t, run], gates, count)
        if layer.cell == LSTM:
            activate(SIGMOID, 0.0, 1.0, gates[: 3 * hidden], none, slope[: 3 * hidden], count)
            activate(TANH, 0.0, 1.0, gates[3 * hidden :], none, slope[3 * hidden :], count)
            old, new, seen = c[t, run], c[t + 1, run], squashed[t, run]
            for u in range(hidden):
                for k in range(count):
                    new[u, k] = gates[hidden + u, k] * old[u, k] + gates[u, k] * gates[3 * hidden + u, k]
                for k in range(count):
                    seen[u, k] = tanh(new[u, k])[0]
                for k in range(count):
                    after[u, k] = gates[2 * hidden + u, k] * seen[u, k]
        else:
            activate(SIGMOID, 0.0, 1.0, gates[: 2 * hidden], none, slope[: 2 * hidden], count)
            candidate = gates[2 * hidden : 3 * hidden]
            for u in range(hidden):
                for k in range(count):
                    candidate[u, k] += gates[u, k] * gates[3 * hidden + u, k]
            activate(TANH, 0.0, 1.0, candidate, none, slope[2 * hidden : 3 * hidden], count)
            for u in range(hidden):
                for k in range(count):
                    kept = (before[u, k] - candidate[u, k]) * gates[hidden + u, k]
                    after[u, k] = kept + candidate[u, k]


@njit(
    types.void(
        _fields(Recurrence), _strided, _strided, *[_arrays[4]] * 6, _arrays[2], types.int64, types.boolean
    ), **_loops, fastmath=EXACT,
)  # fmt: skip
def recur_back(layer, weights, gradient, s, z, a, c, grad_c, grad_h, contribution, run, measuring):
    """Compute dL/dz, in the place of the slopes, dL/dh, dL/dc and the gradient of one run, from what `recur` left.

    Parameters
    ----------
    layer, weights, s, z, a, c, run
        As for `recur`.
    gradient : array (rows, columns)
        The run's, written.
    grad_c, grad_h : arrays (steps + 1, runs, hidden, samples)
        Of the latter what comes from the answers or the layer above, 0 where nothing does; of the last grad_c as well.
    contribution : array (steps, runs)
        While `measuring`, the L2 norm of what each step adds to dL/dW_hh.
    measuring : bool
    """
    hidden, count = layer.hidden, s.shape[3]
    first, last = layer.fan_in, layer.fan_in + hidden
    own, through, nothing = np.empty(gradient.shape), np.empty((hidden, count)), np.zeros(hidden)
    back = weights[first:last].T
    gradient[...] = 0.0
    for t in range(z.shape[0] - 1, -1, -1):
        delta, grad, gates = z[t, run], grad_h[t + 1, run], a[t if layer.cell != RNN else 0, run]
        before = s[t, run, first:last]
        if layer.cell == RNN:
            for u in range(hidden):
                for k in range(count):
                    delta[u, k] *= grad[u, k]
        elif layer.cell == LSTM:
            state, old, here, earlier = c[t + 1, run], c[t, run], grad_c[t + 1, run], grad_c[t, run]
            for u in range(hidden):
                for k in range(count):
                    seen, slope = tanh(state[u, k])
                    here[u, k] += slope * gates[2 * hidden + u, k] * grad[u, k]
                    delta[2 * hidden + u, k] *= grad[u, k] * seen
                for k in range(count):
                    earlier[u, k] = here[u, k] * gates[hidden + u, k]
                for k in range(count):
                    delta[u, k] *= here[u, k] * gates[3 * hidden + u, k]
                for k in range(count):
                    delta[hidden + u, k] *= here[u, k] * old[u, k]
                for k in range(count):
                    delta[3 * hidden + u, k] *= here[u, k] * gates[u, k]
        else:
            for u in range(hidden):
                for k in range(count):
                    delta[hidden + u, k] *= (before[u, k] - gates[2 * hidden + u, k]) * grad[u, k]
                for k in range(count):
                    delta[2 * hidden + u, k] *= grad[u, k] - grad[u, k] * gates[hidden + u, k]
                for k in range(count):
                    delta[u, k] *= delta[2 * hidden + u, k] * gates[3 * hidden + u, k]
                for k in range(count):
                    delta[3 * hidden + u, k] = delta[2 * hidden + u, k] * gates[u, k]
        own[...] = 0.0
        add_weight_gradient(s[t, run], delta, own, count)
        if layer.cell == GRU:  # blocks that have no weights from h, or from x
            own[first:last, 2 * hidden : 3 * hidden] = 0.0
            own[:first, 3 * hidden :] = 0.0
        for row in range(gradient.shape[0]):
            for column in range(gradient.shape[1]):
                gradient[row, column] += own[row, column]
        if measuring:
            contribution[t, run] = safe_norm(own[first:last].reshape(-1))
        if layer.truncation and t and t % layer.truncation == 0:
            grad_c[t if layer.cell == LSTM else 0, run] = 0.0
            continue
        product(back, nothing, delta, through, count)
        earlier_h = grad_h[t, run]
        for u in range(hidden):
            if layer.cell == GRU:
                for k in range(count):
                    through[u, k] += grad[u, k] * gates[hidden + u, k]
            for k in range(count):
                earlier_h[u, k] += through[u, k]
