"""Compiled kernels: the sums of `Network`, the clippings and the optimizers again, in plain loops over one run or a few.

NumPy is the reference, and does whatever has no form here. On small nets most of its time is the price of its calls;
here a run's net stays in the processor's first cache from one record to the next. Samples are innermost, in loops
without a branch, which the compiler turns into vector instructions. Where a batch has few samples, eight runs go abreast:
then a vector holds one number of each, and columns are samples by runs. Every number is that of the run alone, to the bit.

u counts units, k units of the layer before (or inputs), s samples. `block` is a layer's part of theta, of shape
(rows, width); z, h, slopes and delta of a layer are (width, samples), of which the first `count` samples are in use.

To import this module takes numba, and the first time on a machine about a minute.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from llvmlite import binding, ir
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
from explorer.training.measures import LARGE_SQUARE, ROUNDING, SMALL_SQUARE
from explorer.training.network import Architecture
from explorer.training.recording import FINE, LOST_BIN, OCTAVES, PER_ONE, STEPS_OUT, ZERO_BIN
from explorer.training.recurrent_network import RecurrentArchitecture

BETA_1, BETA_2 = ADAM_BETAS

# Sums may be reordered, so that several are taken side by side. Infinity and NaN stay what they are: both are looked for.
SUMS = {"reassoc", "contract", "nsz"}
# In the exponential (x + MAGIC) - MAGIC must not be simplified.
EXACT = {"contract", "nsz"}

_loops: Any = {"nogil": True, "error_model": "numpy", "cache": True}
# Whoever takes a part of an array is counted among its holders, and counted off again: of small nets a third of the time. What
# makes no arrays need not count.
_borrowing: Any = {**_loops, "_nrt": False}
compiled: Callable = njit(**_borrowing, fastmath=EXACT)
inlined: Callable = njit(**_borrowing, fastmath=EXACT, forceinline=True)
owning: Callable = njit(**_loops, fastmath=EXACT)
# What calls the most: compiled on its own as well, all that it calls would be optimized once more.
pasted: Callable = njit(**_borrowing, fastmath=EXACT, inline="always")
summed: Callable = njit(**_borrowing, fastmath=SUMS)
# NumPy's generators multiply and add in two steps; and where the compiler may take these in one, whether it does, and
# which of two products it takes, hangs on what stands around: then a run abreast would have other last digits than alone.
as_written: Callable = njit(**_borrowing, fastmath=False)  # named: what calls it would pass on its own
# What passes call for each layer: to hand a call the fields of its arrays takes as long as a small layer.
inlined_as_written: Callable = njit(**_borrowing, fastmath=False, forceinline=True)


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


@intrinsic
def in_shape(typing_context: Any, array: Any, shape: Any) -> Any:
    """An array without gaps in another shape, of as many numbers; `reshape` asks whether there are any, each time."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        struct = context.make_array(array)(context, builder, arguments[0])
        other = context.make_array(signature.return_type)(context, builder)
        lengths, strides = cgutils.unpack_tuple(builder, arguments[1]), [struct.itemsize]
        for length in lengths[:0:-1]:
            strides.insert(0, builder.mul(strides[0], length))
        for name in ("data", "meminfo", "parent", "nitems", "itemsize"):
            setattr(other, name, getattr(struct, name))
        other.shape, other.strides = cgutils.pack_array(builder, lengths), cgutils.pack_array(builder, strides)
        return other._getvalue()

    return types.Array(array.dtype, len(shape), "C")(array, shape), build


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


@inlined_as_written
def activate(code, below, scale, z, random, slope, count):
    """Replace z, (width, samples), by f(z), and write f'(z); of `count` samples.

    `below` is leaky ReLU's slope below 0, and what ELU tends to; `scale` multiplies ELU.
    """
    if count == z.shape[1] and count == slope.shape[1] and code != RANDOMIZED:  # in one loop, which fills more vectors
        z, slope, count = in_shape(z, (1, z.size)), in_shape(slope, (1, slope.size)), z.size
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

    def choose(self, one: Any, other: Any, lanes: Sequence[int]) -> Any:
        """A vector of lanes of two, those of the other counted on."""
        index = ir.IntType(32)
        return self.builder.shuffle_vector(
            one, other, ir.VectorType(index, self.lanes)([index(lane) for lane in lanes])
        )

    def variable(self, start: Any) -> Any:
        place = cgutils.alloca_once(self.builder, start.type)
        self.builder.store(start, place)
        return place

    def add_product(self, place: Any, one: Any, other: Any) -> None:
        product = self.builder.fmul(one, other, flags=FUSED)
        self.builder.store(self.builder.fadd(self.builder.load(place), product, flags=FUSED), place)

    def root(self, vector: Any) -> Any:
        """The square roots of its numbers."""
        kind, name = ir.FunctionType(self.vector, [self.vector]), f"llvm.sqrt.v{self.lanes}f64"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), [vector])

    def lanes_of(self, vector: Any) -> list[Any]:
        """The numbers in a vector."""
        return [self.builder.extract_element(vector, ir.IntType(32)(lane)) for lane in range(self.lanes)]

    def tree(self, values: list[Any]) -> Any:
        """The sum of two, four or eight numbers or vectors, neighbours first."""
        while len(values) > 1:
            values = [self.builder.fadd(one, other) for one, other in zip(values[::2], values[1::2], strict=True)]
        return values[0]


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


# From so many samples on sums over these run in the lanes of several units: their vectors need not be added up.
MANY_SAMPLES = 16


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
                make.store(builder.fadd(make.load(2, *at), make.tree(make.lanes_of(builder.load(place)))), 2, *at)
            return context.get_dummy_value()

        return types.void(h, delta, gradient, types.int64, types.int64, types.int64), build

    return block


@intrinsic
def turn_eight(typing_context: Any, source: Any, target: Any, row: Any, column: Any) -> Any:
    """Make target[column:column+8, row:row+8] = source[row:row+8, column:column+8] transposed."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *arrays, first_row, first_column = arguments
        make = _Build(context, builder, signature.args[:2], arrays, EIGHT)
        eight = range(EIGHT)
        lines = [make.load(0, builder.add(first_row, INDEX(k)), first_column, vector=True) for k in eight]
        for far in (1, 2, 4):  # exchanges numbers that lie so far from the diagonal
            stay, come = (
                [k if not k & far else EIGHT + k - far for k in eight],
                [k + far if not k & far else EIGHT + k for k in eight],
            )
            for k in eight:
                if not k & far:
                    pair = lines[k], lines[k + far]
                    lines[k], lines[k + far] = make.choose(*pair, stay), make.choose(*pair, come)
        for k, line in enumerate(lines):
            make.store(line, 1, builder.add(first_column, INDEX(k)), first_row)
        return context.get_dummy_value()

    return types.void(source, target, types.int64, types.int64), build


# Where vectors are longer so are the blocks: four units by two vectors keep both of the processor's adders busy, and fit its
# registers. The sums are the same.
EIGHT, WIDE = 8, 16 if binding.get_host_cpu_features().get("avx512f") else 8
four_by_wide, one_by_wide = _product_block(4, WIDE), _product_block(1, WIDE)
four_by_eight, one_by_eight = _product_block(4, EIGHT), _product_block(1, EIGHT)
four_by_four, one_by_four = _product_block(4, 4), _product_block(1, 4)
four_by_one, one_by_itself = _product_block(4, 1), _product_block(1, 1)
rows_by_units, rows_by_one, one_by_one = _gradient_block(4, 2, 4), _gradient_block(4, 1, 4), _gradient_block(1, 1, 4)
one_by_one_singly = _gradient_block(1, 1, 1)


# Of runs abreast a batch has few samples: here a vector holds one number of each run, and each has its own weights.
LANES = 8
# Of more samples these fill the vectors; of more parameters those of several runs leave the second cache.
FEW_SAMPLES, FEW_PARAMETERS = 8, 4096
# To take them all at once takes three times as long as one.
FEWEST_ABREAST = 3


def _product_abreast(units: int, samples: int) -> Any:
    """Make target[u:u+units, s:s+samples] = bias + weights' source, of every run."""

    @intrinsic
    def block(typing_context: Any, weights: Any, bias: Any, source: Any, target: Any, u: Any, s: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            *arrays, first_unit, first_sample = arguments
            make = _Build(context, builder, signature.args[:4], arrays, LANES)
            columns = [builder.add(first_unit, INDEX(unit)) for unit in range(units)]
            places = [builder.mul(builder.add(first_sample, INDEX(k)), INDEX(LANES)) for k in range(samples)]
            none = INDEX(0)
            sums = [[make.variable(make.load(1, column, none, vector=True)) for _ in places] for column in columns]
            with cgutils.for_range(builder, make.length(0)) as loop:
                values = [make.load(2, loop.index, place, vector=True) for place in places]
                for column, line in zip(columns, sums, strict=True):
                    weight = make.load(0, loop.index, column, none, vector=True)
                    for value, total in zip(values, line, strict=True):
                        make.add_product(total, weight, value)
            for column, line in zip(columns, sums, strict=True):
                for place, total in zip(places, line, strict=True):
                    make.store(builder.load(total), 3, column, place)
            return context.get_dummy_value()

        return types.void(weights, bias, source, target, types.int64, types.int64), build

    return block


@intrinsic
def entry_abreast(typing_context: Any, h: Any, delta: Any, gradient: Any, k: Any, u: Any, count: Any) -> Any:
    """Make gradient[k, u] += h delta' of every run, of a sum over so many samples, in the order in which one run's is taken."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *arrays, row, unit, samples = arguments
        make = _Build(context, builder, signature.args[:3], arrays, LANES)

        def add(total: Any, sample: Any) -> None:
            place = builder.mul(sample, INDEX(LANES))
            make.add_product(total, make.load(0, row, place, vector=True), make.load(1, unit, place, vector=True))

        rest, *sums = [make.variable(make.vector([0.0] * LANES)) for _ in range(5)]
        fours = builder.udiv(samples, INDEX(4))
        with cgutils.for_range(builder, fours) as loop:
            for k, total in enumerate(sums):
                add(total, builder.add(builder.mul(loop.index, INDEX(4)), INDEX(k)))
        whole = builder.mul(fours, INDEX(4))
        with cgutils.for_range(builder, builder.sub(samples, whole)) as loop:
            add(rest, builder.add(whole, loop.index))
        place = row, unit, INDEX(0)
        start = builder.fadd(make.load(2, *place, vector=True), builder.load(rest))
        make.store(builder.fadd(start, make.tree([builder.load(total) for total in sums])), 2, *place)
        return context.get_dummy_value()

    return types.void(h, delta, gradient, types.int64, types.int64, types.int64), build


four_by_one_abreast, two_by_two_abreast = _product_abreast(4, 1), _product_abreast(2, 2)
one_by_two_abreast, one_by_one_abreast = _product_abreast(1, 2), _product_abreast(1, 1)


@intrinsic
def squares_abreast(typing_context: Any, values: Any, totals: Any) -> Any:
    """Write the sum of the squares of each run's numbers, values (numbers, lanes), in the order of `sum_of_squares`."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        make = _Build(context, builder, signature.args, arguments, LANES)
        sums = [make.variable(make.vector([0.0] * LANES)) for _ in range(8)]

        def add(total: Any, number: Any) -> None:
            value = make.load(0, number, INDEX(0), vector=True)
            make.add_product(total, value, value)

        eights = builder.udiv(make.length(0), INDEX(8))
        with cgutils.for_range(builder, eights) as loop:
            for k, total in enumerate(sums):
                add(total, builder.add(builder.mul(loop.index, INDEX(8)), INDEX(k)))
        whole = builder.mul(eights, INDEX(8))
        with cgutils.for_range(builder, builder.sub(make.length(0), whole)) as loop:
            add(sums[0], builder.add(whole, loop.index))
        make.store(make.tree([builder.load(total) for total in sums]), 1, INDEX(0))
        return context.get_dummy_value()

    return types.void(values, totals), build


@intrinsic
def sum_of_squares(typing_context: Any, values: Any) -> Any:
    """Of all numbers of a flat array without gaps."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        make = _Build(context, builder, signature.args, arguments, 8)
        total, eights = make.variable(make.vector([0.0] * 8)), builder.udiv(make.length(0), INDEX(8))
        with cgutils.for_range(builder, eights) as loop:
            value = make.load(0, builder.mul(loop.index, INDEX(8)), vector=True)
            make.add_product(total, value, value)
        lanes = make.lanes_of(builder.load(total))
        first, whole = make.variable(lanes[0]), builder.mul(eights, INDEX(8))
        with cgutils.for_range(builder, builder.sub(make.length(0), whole)) as loop:
            value = make.load(0, builder.add(whole, loop.index))
            make.add_product(first, value, value)
        return make.tree([builder.load(first), *lanes[1:]])

    return types.float64(values), build


@intrinsic
def scale_abreast(typing_context: Any, values: Any, factors: Any) -> Any:
    """Multiply all numbers of each run by its factor, values (numbers, lanes)."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        make = _Build(context, builder, signature.args, arguments, LANES)
        factor = make.load(1, INDEX(0), vector=True)
        with cgutils.for_range(builder, make.length(0)) as loop:
            value = make.load(0, loop.index, INDEX(0), vector=True)
            make.store(builder.fmul(value, factor), 0, loop.index, INDEX(0))
        return context.get_dummy_value()

    return types.void(values, factors), build


@as_written
def product_abreast(weights, bias, source, target, count):
    """target = weights' source + bias, of `count` samples of every run; weights (sources, targets, lanes)."""
    targets = weights.shape[1]
    if count == 1:
        for u in range(0, targets - 3, 4):
            four_by_one_abreast(weights, bias, source, target, u, 0)
        for u in range(targets - targets % 4, targets):
            one_by_one_abreast(weights, bias, source, target, u, 0)
        return
    for pair in range((count + 1) // 2):
        s = min(2 * pair, count - 2)
        for u in range(0, targets - 1, 2):
            two_by_two_abreast(weights, bias, source, target, u, s)
        if targets % 2:
            one_by_two_abreast(weights, bias, source, target, targets - 1, s)


@as_written
def add_weight_gradient_abreast(h, delta, gradient, count):
    """gradient += h delta', of `count` samples of every run; gradient (rows of h, rows of delta, lanes)."""
    for k in range(gradient.shape[0]):
        for u in range(gradient.shape[1]):
            entry_abreast(h, delta, gradient, k, u, count)


@inlined_as_written
def product_of_few(weights, bias, source, target, count):
    """The same of so few samples that they fill no vector."""
    targets = weights.shape[1]
    for s in range(count):
        for u in range(0, targets - 3, 4):
            four_by_one(weights, bias, source, target, u, s)
        for u in range(targets - targets % 4, targets):
            one_by_itself(weights, bias, source, target, u, s)


@inlined_as_written
def product(weights, bias, source, target, count):
    """target = weights' source + bias, of `count` samples; weights (sources, targets)."""
    targets = weights.shape[1]
    if count < 4:
        product_of_few(weights, bias, source, target, count)
        return
    done = 0
    while done < count:
        left = count - done
        size = WIDE if left > EIGHT and count >= WIDE else EIGHT if count >= EIGHT else 4
        s = min(done, count - size)
        if targets >= 4:
            for four in range((targets + 3) // 4):
                u = min(4 * four, targets - 4)
                if size == WIDE:
                    four_by_wide(weights, bias, source, target, u, s)
                elif size == EIGHT:
                    four_by_eight(weights, bias, source, target, u, s)
                else:
                    four_by_four(weights, bias, source, target, u, s)
        else:
            for u in range(targets):
                if size == WIDE:
                    one_by_wide(weights, bias, source, target, u, s)
                elif size == EIGHT:
                    one_by_eight(weights, bias, source, target, u, s)
                else:
                    one_by_four(weights, bias, source, target, u, s)
        done = s + size


@inlined_as_written
def add_gradient_of_few(h, delta, gradient, count):
    """gradient += h delta', of so few samples that they fill no vector."""
    for k in range(gradient.shape[0]):
        for u in range(gradient.shape[1]):
            one_by_one_singly(h, delta, gradient, k, u, count)


@as_written
def turn(source, target):
    """target = source transposed; neither dimension is below 8."""
    rows, columns = source.shape
    for i in range((rows + EIGHT - 1) // EIGHT):
        for k in range((columns + EIGHT - 1) // EIGHT):
            turn_eight(source, target, min(i * EIGHT, rows - EIGHT), min(k * EIGHT, columns - EIGHT))


@inlined_as_written
def add_weight_gradient(h, delta, gradient, nothing, across, count):
    """gradient = h delta', of `count` samples; gradient, (rows of h, rows of delta), is 0 before.

    `nothing` is as many zeros as there are rows, `across` has room for delta', (samples, units).
    """
    rows, units = gradient.shape
    if count >= MANY_SAMPLES and units >= EIGHT:
        turn(delta[:, :count], across)
        product(h[:, :count].T, nothing, across, gradient, units)
        return
    vectors, rest = count // 4, count % 4
    if rest:
        add_gradient_of_few(h[:, count - rest :], delta[:, count - rest :], gradient, rest)
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


# --- normalization ------------------------------------------------------------------------------

NOT_NORMALIZED, OVER_SAMPLES, OVER_UNITS, BY_RUNNING = range(4)  # The last: for answers, by the running statistics
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


@as_written
def follow(running, statistic, share):
    """Let a running statistic follow that of a batch, which counts with a share."""
    for i in range(running.size):
        running[i] = running[i] * (1 - FOLLOW) + statistic[i] * (share * FOLLOW)


@compiled
def normalize_by(z, block, mean, variance, count):
    """By each unit's mean and variance that are given."""
    width = z.shape[0]
    for u in range(width):
        std = math.sqrt(variance[u] + EPSILON)
        for s in range(count):
            z[u, s] = (z[u, s] - mean[u]) / std * block[width + 1, u] + block[width + 2, u]


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


# The same of few samples, of a run alone or of those abreast, each in this order. What has a mean and a variance of its
# own is a line: a unit, whose members are samples, or a sample, whose members are units.


class _Line:
    """Of which numbers statistics are taken, for `_Build`: those of z at a unit or a sample, `line`."""

    def __init__(self, make: _Build, axis: int, arguments: Any) -> None:
        self.make, self.over_samples = make, axis == -1
        self.line, self.members, self.scales = arguments

    def places(self, member: Any) -> tuple[Any, Any]:
        """The unit of a member, and where its sample stands."""
        unit, sample = (self.line, member) if self.over_samples else (member, self.line)
        return unit, self.make.builder.mul(sample, INDEX(self.make.lanes))

    def load(self, array: int, member: Any) -> Any:
        return self.make.load(array, *self.places(member), vector=True)

    def store(self, value: Any, array: int, member: Any) -> None:
        self.make.store(value, array, *self.places(member))

    def affine(self, block: int, member: Any, row: int) -> Any:
        """The scale of a member's unit, or, one row on, its shift."""
        at = self.make.builder.add(self.scales, INDEX(row)), self.places(member)[0]
        return self.make.load(block, *at, *[INDEX(0)] * (self.make.lanes > 1), vector=True)

    def statistic(self) -> Any:
        """Where a statistic of the line stands."""
        return self.make.builder.mul(self.line, INDEX(self.make.lanes))

    def sums(self, of: Callable[[Any], Sequence[Any]], count: int) -> list[Any]:
        """The sums over members of so many numbers that are given `of` each."""
        totals = [self.make.variable(self.make.vector([0.0] * self.make.lanes)) for _ in range(count)]
        with cgutils.for_range(self.make.builder, self.members) as loop:
            for total, value in zip(totals, of(loop.index), strict=True):
                self.make.builder.store(self.make.builder.fadd(self.make.builder.load(total), value), total)
        return [self.make.builder.load(total) for total in totals]

    def shared(self, total: Any) -> Any:
        """A sum, divided by the number of members."""
        builder = self.make.builder
        return builder.fdiv(total, self.make.spread(builder.sitofp(self.members, DOUBLE)))


def _normalization_of_few(axis: int, lanes: int) -> Any:
    """Make what normalizes the members of a line, with scale and shift; `scales` is the block's row of scales."""

    @intrinsic
    def normalize(
        typing_context: Any, z: Any, block: Any, normalized: Any, inverse_std: Any, mean: Any, variance: Any,
        line: Any, members: Any, scales: Any,
    ) -> Any:  # fmt: skip
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            make = _Build(context, builder, signature.args[:6], arguments[:6], lanes)
            of, subtract, multiply = _Line(make, axis, arguments[6:]), builder.fsub, builder.fmul
            centre = of.shared(of.sums(lambda member: [of.load(0, member)], 1)[0])

            def square(member: Any) -> list[Any]:
                distance = subtract(of.load(0, member), centre)
                return [multiply(distance, distance)]

            square_mean = of.shared(of.sums(square, 1)[0])
            std = make.root(builder.fadd(square_mean, make.spread(DOUBLE(EPSILON))))
            inverse = builder.fdiv(make.spread(DOUBLE(1.0)), std)
            for value, array in ((inverse, 3), (centre, 4), (square_mean, 5)):
                make.store(value, array, of.statistic())
            with cgutils.for_range(builder, of.members) as loop:
                value = multiply(subtract(of.load(0, loop.index), centre), inverse)
                of.store(value, 2, loop.index)
                scaled = multiply(of.affine(1, loop.index, 0), value)
                of.store(builder.fadd(scaled, of.affine(1, loop.index, 1)), 0, loop.index)
            return context.get_dummy_value()

        arrays = (z, block, normalized, inverse_std, mean, variance)
        return types.void(*arrays, types.int64, types.int64, types.int64), build

    return normalize


def _way_back_of_few(axis: int, lanes: int) -> Any:
    """Make what turns dL/dn of a line's members into dL/dz, in place."""

    @intrinsic
    def through(
        typing_context: Any, delta: Any, block: Any, normalized: Any, inverse_std: Any,
        line: Any, members: Any, scales: Any,
    ) -> Any:  # fmt: skip
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            make = _Build(context, builder, signature.args[:4], arguments[:4], lanes)
            of, subtract, multiply = _Line(make, axis, arguments[4:]), builder.fsub, builder.fmul

            def scaled(member: Any) -> Any:
                return multiply(of.load(0, member), of.affine(1, member, 0))

            def both(member: Any) -> list[Any]:
                return [scaled(member), multiply(scaled(member), of.load(2, member))]

            mean, along = map(of.shared, of.sums(both, 2))
            inverse = make.load(3, of.statistic(), vector=True)
            with cgutils.for_range(builder, of.members) as loop:
                centred = subtract(scaled(loop.index), mean)
                rest = subtract(centred, multiply(of.load(2, loop.index), along))
                of.store(multiply(rest, inverse), 0, loop.index)
            return context.get_dummy_value()

        return types.void(delta, block, normalized, inverse_std, types.int64, types.int64, types.int64), build

    return through


def _affine_gradient_of_few(lanes: int) -> Any:
    """Make what writes the gradient of a unit's scale and shift."""

    @intrinsic
    def write(
        typing_context: Any, delta: Any, normalized: Any, gradient: Any, line: Any, members: Any, scales: Any
    ) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            make = _Build(context, builder, signature.args[:3], arguments[:3], lanes)
            of = _Line(make, -1, arguments[3:])

            def both(member: Any) -> list[Any]:
                value = of.load(0, member)
                return [builder.fmul(value, of.load(1, member)), value]

            for row, total in enumerate(of.sums(both, 2)):
                at = builder.add(of.scales, INDEX(row)), of.line, *[INDEX(0)] * (lanes > 1)
                make.store(total, 2, *at)
            return context.get_dummy_value()

        return types.void(delta, normalized, gradient, types.int64, types.int64, types.int64), build

    return write


unit_of_few, unit_abreast = _normalization_of_few(-1, 1), _normalization_of_few(-1, LANES)
sample_of_few, sample_abreast = _normalization_of_few(-2, 1), _normalization_of_few(-2, LANES)
back_to_unit, back_to_unit_abreast = _way_back_of_few(-1, 1), _way_back_of_few(-1, LANES)
back_to_sample, back_to_sample_abreast = _way_back_of_few(-2, 1), _way_back_of_few(-2, LANES)
affine_gradient, affine_gradient_abreast = _affine_gradient_of_few(1), _affine_gradient_of_few(LANES)


@as_written
def normalize_few(form, z, block, values, inverse_std, mean, variance, count):
    """Normalize over samples or units, as `form` says, with scale and shift."""
    width = z.shape[0]
    for line in range(width if form == OVER_SAMPLES else count):
        if block.ndim == 2:
            if form == OVER_SAMPLES:
                unit_of_few(z, block, values, inverse_std, mean, variance, line, count, width + 1)
            else:
                sample_of_few(z, block, values, inverse_std, mean, variance, line, width, width + 1)
        elif form == OVER_SAMPLES:
            unit_abreast(z, block, values, inverse_std, mean, variance, line, count, width + 1)
        else:
            sample_abreast(z, block, values, inverse_std, mean, variance, line, width, width + 1)


@as_written
def through_few(form, delta, block, gradient, values, inverse_std, count):
    """From dL/dn to dL/dz in place, and the gradient of scale and shift."""
    width = delta.shape[0]
    for unit in range(width):
        if block.ndim == 2:
            affine_gradient(delta, values, gradient, unit, count, width + 1)
        else:
            affine_gradient_abreast(delta, values, gradient, unit, count, width + 1)
    for line in range(width if form == OVER_SAMPLES else count):
        if block.ndim == 2:
            if form == OVER_SAMPLES:
                back_to_unit(delta, block, values, inverse_std, line, count, width + 1)
            else:
                back_to_sample(delta, block, values, inverse_std, line, width, width + 1)
        elif form == OVER_SAMPLES:
            back_to_unit_abreast(delta, block, values, inverse_std, line, count, width + 1)
        else:
            back_to_sample_abreast(delta, block, values, inverse_std, line, width, width + 1)


# --- loss ---------------------------------------------------------------------------------------

HALF_SQUARED, MEAN_SQUARED, CROSS_ENTROPY = range(3)
LOSS_FORMS = {"half squared error": HALF_SQUARED, "mean squared error": MEAN_SQUARED, "cross-entropy": CROSS_ENTROPY}


@as_written
def loss_delta(code, linear, z, y, delta, count, lanes):
    """Write dL/dz of the output unit, of `count` samples of each run."""
    if code == CROSS_ENTROPY:
        for s in range(count * lanes):
            delta[s] = (sigmoid(z[s])[0] - y[s]) * (1.0 / count)
        return
    factor = 2.0 / count if code == MEAN_SQUARED else 1.0
    if linear:
        for s in range(count * lanes):
            delta[s] = (z[s] - y[s]) * factor
    else:
        for s in range(count * lanes):
            a, slope = sigmoid(z[s])
            delta[s] = (a - y[s]) * slope * factor


@as_written
def add_losses(code, linear, z, y, count, runs, epoch, lanes, losses):
    """Add the loss of a batch of `count` samples to that of its epoch, `losses` (runs, epochs), of each run."""
    share = 0.5 if code == HALF_SQUARED else 1.0 / count
    for lane in range(runs.size):
        total = 0.0
        for s in range(lane, count * lanes, lanes):
            if code == CROSS_ENTROPY:
                total += max(z[s], 0.0) + math.log1p(exp_below(-abs(z[s]))) - y[s] * z[s]
            else:
                total += ((z[s] if linear else sigmoid(z[s])[0]) - y[s]) ** 2
        losses[runs[lane], epoch] += total * share


# --- clipping and the step ----------------------------------------------------------------------

# What clipping limits: nothing, the norm of all numbers, or each of them.
CLIPPING_FORMS = {"none": (False, False), "norm": (True, False), "value": (False, True)}


@inlined_as_written
def squares(values, totals):
    """Write the sum of the squares of each run's numbers, values (numbers, lanes)."""
    if totals.size == 1:
        totals[0] = sum_of_squares(in_shape(values, (values.size,)))
    else:
        squares_abreast(values, totals)


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


@as_written
def safe_norm(values):
    """The L2 norm of a flat array, right even where squares would underflow or overflow."""
    total: float = sum_of_squares(values)
    return math.sqrt(total) if SMALL_SQUARE < total < LARGE_SQUARE else scaled_norm(values)


@compiled
def clip(gradient, norms, limits, bounds, factors, totals):
    """Limit gradients, (numbers, lanes), in place; write each run's global norm afterwards over that before.

    `limits` are those of the norms and `bounds` those of the values; infinite where there is none. `totals` is room.
    """
    least = 1.0
    for r in range(norms.size):
        factors[r] = min(limits[r] / (norms[r] + 1e-6), 1.0)
        least = min(factors[r], least)
    if least < 1.0:
        if norms.size == LANES:
            scale_abreast(gradient, factors)
        else:
            flat = in_shape(gradient, (gradient.size,))
            for i in range(flat.size):
                flat[i] *= factors[0]
    tightest = math.inf
    for r in range(norms.size):
        tightest = min(bounds[r], tightest)
        for i in range(len(gradient) if bounds[r] < math.inf else 0):
            g = gradient[i, r]
            g = bounds[r] if g > bounds[r] else g
            gradient[i, r] = -bounds[r] if g < -bounds[r] else g
    if tightest < math.inf:
        squares(gradient, totals)
        for r in range(norms.size):
            # The two norms are rounded in different orders: a norm no larger than the bound was not clipped.
            if norms[r] > bounds[r]:
                factors[r] = min(math.sqrt(totals[r]) / norms[r], 1.0)


SGD, MOMENTUM, NESTEROV, RMSPROP, ADAM = range(5)
OPTIMIZER_FORMS = {"SGD": SGD, "momentum": MOMENTUM, "Nesterov": NESTEROV, "RMSprop": RMSPROP, "Adam": ADAM}


@as_written
def step(code, theta, gradient, moments, update, rates, t):
    """Write the update of flat parameters, each at its rate, and subtract it; `t` counts updates from 1."""
    if code == SGD:
        for i in range(theta.size):
            update[i] = gradient[i] * rates[i]
    elif code == MOMENTUM:
        first = moments[0]
        for i in range(theta.size):
            first[i] = first[i] * DECAY + gradient[i]
            update[i] = first[i] * rates[i]
    elif code == NESTEROV:
        first = moments[0]
        for i in range(theta.size):
            first[i] = first[i] * DECAY + gradient[i]
            update[i] = (first[i] * DECAY + gradient[i]) * rates[i]
    elif code == RMSPROP:
        first = moments[0]
        for i in range(theta.size):
            first[i] = first[i] * RMSPROP_DECAY + gradient[i] * gradient[i] * (1 - RMSPROP_DECAY)
            update[i] = gradient[i] / (math.sqrt(first[i]) + RMSPROP_EPSILON) * rates[i]
    else:
        first, second = moments[0], moments[1]
        root = math.sqrt(1.0 - BETA_2**t)
        epsilon, correction = ADAM_EPSILON * root, root / (1.0 - BETA_1**t)
        for i in range(theta.size):
            first[i] = first[i] * BETA_1 + gradient[i] * (1 - BETA_1)
            second[i] = second[i] * BETA_2 + gradient[i] * gradient[i] * (1 - BETA_2)
            update[i] = first[i] / (math.sqrt(second[i]) + epsilon) * (rates[i] * correction)
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

    lanes: int  # How many runs are abreast: 1, or LANES
    few: bool  # Whether other runs may be
    inputs: int
    width: int
    depth: int
    activation: int
    below: float  # As for `activate`
    scale: float
    low: float  # The range of randomized ReLU's slopes
    high: float
    flat_below: float  # From where on activations are at a flat end; NaN: there is none
    flat_above: float
    normalization: int
    skip: int
    hidden_bias: bool
    output_bias: bool


class Rule(NamedTuple):
    """How runs of equal shape learn."""

    loss: int
    linear: bool  # Whether the output unit is
    shuffled: bool  # Whether there is an order of the samples for every epoch
    optimizer: int


def has_forms(experiment: Experiment) -> bool:
    """Whether everything that an experiment chooses has a compiled form."""
    return (
        experiment.activation_function.name in ACTIVATION_FORMS
        and experiment.normalizer.axis in NORMALIZATION_FORMS
        and experiment.loss_function.name in LOSS_FORMS
        and experiment.clipper.name in CLIPPING_FORMS
        and experiment.update_rule.name in OPTIMIZER_FORMS
    )


def lanes_for(shape: Architecture, samples: int) -> int:
    """Return how many runs go abreast, with batches of up to so many samples."""
    few = samples <= FEW_SAMPLES and shape.layers * shape.rows * shape.width <= FEW_PARAMETERS
    return LANES if few and shape.activation.random_slope is None else 1


def net_of(shape: Architecture, lanes: int, few: bool = False) -> Net:
    """Return an architecture as the kernels take it, for so many runs abreast; `few`: of other runs some may be."""
    scale, at_zero = _slopes(shape.activation)
    low, high = shape.activation.random_slope or (0.0, 0.0)
    flat_below, flat_above = shape.activation.saturation or (math.nan, math.nan)
    return Net(
        lanes=lanes,
        few=few,
        inputs=shape.inputs,
        width=shape.width,
        depth=shape.depth,
        activation=ACTIVATION_FORMS[shape.activation.name],
        below=at_zero / scale,
        scale=scale,
        low=low,
        high=high,
        flat_below=flat_below,
        flat_above=flat_above,
        normalization=NORMALIZATION_FORMS[shape.normalization.axis],
        skip=shape.skip,
        hidden_bias=shape.has_bias(0),
        output_bias=shape.has_bias(shape.depth),
    )


def answering(net: Net) -> Net:
    """Return the net as it answers: normalized by the running statistics, with the mean random slope."""
    normalization = BY_RUNNING if net.normalization == OVER_SAMPLES else net.normalization
    return net._replace(
        normalization=normalization, activation=LEAKY if net.activation == RANDOMIZED else net.activation
    )


def _slopes(activation: Activation) -> tuple[float, float]:
    """An activation's slopes far above 0 and just below it."""
    z = np.array([1.0, -1e-300])
    above, below = activation.df(z, np.empty_like(z))
    return float(above), float(below)


def rule_of(experiment: Experiment) -> Rule:
    """Return how the runs of an experiment learn, as the kernels take it."""
    return Rule(
        loss=LOSS_FORMS[experiment.loss_function.name],
        linear=experiment.dataset.regression,
        shuffled=experiment.order == SHUFFLED and len(experiment.batch_sizes()) > 1,
        optimizer=OPTIMIZER_FORMS[experiment.update_rule.name],
    )


def limits_of(experiment: Experiment) -> tuple[float, float]:
    """Return the largest norm and the largest value that clipping lets through, infinite where it does not look at them."""
    by_norm, by_value = CLIPPING_FORMS[experiment.clipper.name]
    threshold = float(experiment.threshold)
    return threshold if by_norm else math.inf, threshold if by_value else math.inf


@compiled
def fetch(shared, run, own, lane):
    """Copy a run's part of an array of several, (layers, runs, rows, width), into a lane of (numbers, lanes)."""
    i = 0
    for layer in range(shared.shape[0]):
        for k in range(shared.shape[2]):
            for u in range(shared.shape[3]):
                own[i, lane] = shared[layer, run, k, u]
                i += 1


@compiled
def bring_back(shared, run, own, lane):
    """The reverse of `fetch`."""
    i = 0
    for layer in range(shared.shape[0]):
        for k in range(shared.shape[2]):
            for u in range(shared.shape[3]):
                shared[layer, run, k, u] = own[i, lane]
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
    """Where the two passes leave what they compute; `most` columns: the samples of a batch, of each run abreast."""

    h: Any  # (depth + 1, width, most): the inputs, then what each layer hands on
    slope: Any  # (depth, width, most)
    delta: Any  # (2, width, most): of a layer and the one after it
    through: Any  # (3, width, most): dL/dh of a layer and of the two after it
    normalized: Any  # (depth, width, most), if any is
    inverse_std: Any  # (depth, width or most)
    mean: Any
    variance: Any
    z_out: Any  # (1, most)
    nothing: Any  # (width, lanes): a bias of 0
    ones: Any  # (1, most): by which delta makes dL/db
    across: Any  # (most, width), of runs that go alone: delta transposed


@inlined
def apart(count):
    """How far apart to put rows of so many numbers: those a multiple of 512 bytes apart push each other out of the first cache."""
    return count + 8 if count % 64 == 0 else count


@owning
def room_for(net, samples):
    """Make room for batches of so many samples."""
    most, depth, width = samples * net.lanes, net.depth, net.width
    across = (0, 0) if net.lanes > 1 else (most, apart(width))
    most = most if net.lanes > 1 else apart(most)
    statistic = max(width * net.lanes, most)
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
        np.zeros((width, net.lanes)),
        np.ones((1, most)),
        np.empty(across),
    )


# From here on theta is (layers, rows, width) of one run, and (layers, rows, width, lanes) of runs abreast: what the compiler
# makes of `ndim` is decided while it compiles.


@inlined
def towards(weights, bias, source, target, n):
    """target = weights' source + bias, of `n` samples of one run or of those abreast."""
    if weights.ndim == 2:
        product(weights, bias, source, target, n)
    else:
        product_abreast(weights, bias, source, target, n)


@intrinsic
def turned(typing_context: Any, weights: Any) -> Any:
    """Weights, of one run or of those abreast, with what they come from and what they go to exchanged."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        struct = context.make_array(weights)(context, builder, arguments[0])
        other = context.make_array(signature.return_type)(context, builder)
        for name in ("data", "meminfo", "parent", "nitems", "itemsize"):
            setattr(other, name, getattr(struct, name))
        for name in ("shape", "strides"):
            first, second, *lane = cgutils.unpack_tuple(builder, getattr(struct, name))
            setattr(other, name, cgutils.pack_array(builder, (second, first, *lane)))
        return other._getvalue()

    return types.Array(weights.dtype, weights.ndim, "A")(weights), build


@inlined
def add_gradient(h, delta, gradient, nothing, room, n):
    """gradient += h delta', of `n` samples of one run or of those abreast."""
    if gradient.ndim == 2:
        add_weight_gradient(h, delta, gradient, nothing, room.across, n)
    else:
        add_weight_gradient_abreast(h, delta, gradient, n)


@inlined
def add_bias_gradient(delta, gradient, nothing, room, n):
    """gradient, (1, units), += the sum of delta over `n` samples of one run or of those abreast."""
    if gradient.ndim == 2 and n >= MANY_SAMPLES:
        for u in range(gradient.shape[1]):
            gradient[0, u] += sum_of(delta[u : u + 1], n)
    else:
        add_gradient(room.ones, delta, gradient, nothing, room, n)


@inlined
def normalized(net, layer, z, block, room, running_mean, running_variance, n):
    """Normalize z of a layer in place, with its scale and shift."""
    values, inverse_std, mean, variance = room.normalized[layer], room.inverse_std[layer], room.mean, room.variance
    if block.ndim == 3:
        normalize_few(net.normalization, z, block, values, inverse_std, mean, variance, n)
    elif net.normalization == BY_RUNNING:
        normalize_by(z, block, running_mean[layer], running_variance[layer], n)
    elif net.few and n <= FEW_SAMPLES:
        normalize_few(net.normalization, z, block, values, inverse_std, mean, variance, n)
    elif net.normalization == OVER_SAMPLES:
        normalize_batch(z, block, values, inverse_std, mean, variance, n)
    else:
        normalize_layer(z, block, values, inverse_std, mean, n)
    if net.normalization == OVER_SAMPLES:
        follow(running_mean[layer], mean, 1.0)
        follow(running_variance[layer], variance, n / max(n - 1, 1))


@inlined
def through_normalization(net, layer, delta, block, gradient, room, n):
    """From dL/dn of a layer to dL/dz in place, and the gradient of scale and shift."""
    values, inverse_std = room.normalized[layer], room.inverse_std[layer]
    if block.ndim == 3:  # noqa: SIM114, as this is decided while it compiles
        through_few(net.normalization, delta, block, gradient, values, inverse_std, n)
    elif net.few and n <= FEW_SAMPLES:
        through_few(net.normalization, delta, block, gradient, values, inverse_std, n)
    elif net.normalization == OVER_SAMPLES:
        through_batch(delta, block, gradient, values, inverse_std, n)
    else:
        through_layer(delta, block, gradient, values, inverse_std, room.mean, room.variance, n)


# What is measured of every layer, by the names of the diagnostics; on the samples of one run.
MEASURES = (
    "delta", "weight_gradient", "bias_gradient", "activation_std", "activation_mean", "saturated", "dead", "unit_spread",
    "through_weights", "through_skip", "through_slope",
)  # fmt: skip
UPDATE_MEASURE = "update_ratio"
DELTA, OF_WEIGHTS, OF_BIASES, STD, MEAN, SATURATED, DEAD, UNIT_SPREAD, THROUGH_WEIGHTS, THROUGH_SKIP, THROUGH_SLOPE = (
    range(11)
)


@summed
def sum_of(values, count):
    """Of the first numbers of every row."""
    total = 0.0
    for u in range(values.shape[0]):
        for s in range(count):
            total += values[u, s]
    return total


@summed
def squares_from(values, centre, count):
    """The sum of the squares of differences from a number."""
    total = 0.0
    for u in range(values.shape[0]):
        for s in range(count):
            total += (values[u, s] - centre) * (values[u, s] - centre)
    return total


@compiled
def length(values, centre, count):
    """The L2 norm of differences from a number, right even where squares would underflow or overflow."""
    total = squares_from(values, centre, count)
    if SMALL_SQUARE < total < LARGE_SQUARE:
        return math.sqrt(total)
    largest = 0.0
    for u in range(values.shape[0]):
        for s in range(count):
            size = abs(values[u, s] - centre)
            if size > largest:
                largest = size
            elif size != size:
                return size
    if largest == 0 or largest == math.inf:
        return largest
    total = 0.0
    for u in range(values.shape[0]):
        for s in range(count):
            total += ((values[u, s] - centre) / largest) ** 2
    return largest * math.sqrt(total)


@compiled
def rms(values, count):
    return length(values, 0.0, count) / math.sqrt(values.shape[0] * count)


@compiled
def unit_spread(net, n, high, low, count):
    """The largest difference between two units on a sample, as a share of the largest value; `high` and `low` are room."""
    missing = 0
    for s in range(count):
        high[s] = low[s] = n[0, s]
    for u in range(n.shape[0]):
        for s in range(count):
            missing += n[u, s] != n[u, s]
            high[s] = n[u, s] if n[u, s] > high[s] else high[s]
            low[s] = n[u, s] if n[u, s] < low[s] else low[s]
    spread = largest = 0.0
    for s in range(count):
        spread = max(spread, high[s] - low[s])
        largest = max(largest, high[s], -low[s])
    if missing or largest == math.inf:
        return math.nan
    # Of units that are alike layer norm leaves rounding alone.
    if largest <= (ROUNDING if net.normalization == OVER_UNITS else 0.0):
        return 0.0
    return spread / largest


@compiled
def share_at_flat_ends(net, a, count):
    if net.flat_below != net.flat_below:
        return math.nan
    beyond = 0
    for u in range(a.shape[0]):
        for s in range(count):
            beyond += (a[u, s] <= net.flat_below) | (a[u, s] >= net.flat_above)
    return beyond / (a.shape[0] * count)


@compiled
def share_dead(a, slope, count):
    """Of units whose slope is 0 for every sample; NaN where an activation is, as its unit is neither alive nor dead."""
    dead = 0
    for u in range(a.shape[0]):
        living = missing = 0
        for s in range(count):
            living += slope[u, s] != 0
            missing += a[u, s] != a[u, s]
        if missing:
            return math.nan
        dead += living == 0
    return dead / a.shape[0]


MIDDLE = STEPS_OUT + FINE * PER_ONE  # the first bin above 0
FIRST_EXPONENT = 1023 + FINE.bit_length() - 1  # of FINE, as its bits have it


@compiled
def bin_out(z):
    """The bin of a number beyond the linear ones, as `recording.bins_of` has it."""
    if not abs(z) < math.inf:
        return LOST_BIN
    out = min((((bits(z) >> 52) & 2047) - FIRST_EXPONENT) // OCTAVES, STEPS_OUT - 1)
    return MIDDLE - FINE * PER_ONE - 1 - out if z < 0 else MIDDLE + FINE * PER_ONE + out


@as_written
def count_bins(z, counts, count):
    """Count numbers by bin."""
    counts[:] = 0
    for u in range(z.shape[0]):
        for s in range(count):
            v = z[u, s]
            if not abs(v) < FINE:
                counts[bin_out(v)] += 1
            elif v == 0:
                counts[ZERO_BIN] += 1
            else:
                counts[math.floor(v * PER_ONE) + MIDDLE] += 1


@compiled
def forward(net, theta, room, running_mean, running_variance, random, measured, counts, n):
    """From the inputs of `n` samples, in room.h[0], to z of the output.

    On the way numbers are `measured` and z is counted by bin in `counts`, (depth, BINS), where these have room.
    """
    depth, width, h, columns = net.depth, net.width, room.h, n * net.lanes
    for layer in range(depth):
        block, z = theta[layer], h[layer + 1]
        towards(block[: width if layer else net.inputs], block[width], h[layer], z, n)
        if net.normalization:
            normalized(net, layer, z, block, room, running_mean, running_variance, n)
        if measured.size:
            measured[UNIT_SPREAD, layer] = unit_spread(net, z, room.mean, room.variance, n)
        if counts.size:
            count_bins(z, counts[layer], n)
        drawn = random[layer] if net.activation == RANDOMIZED else room.slope[layer]
        activate(net.activation, net.below, net.scale, z, drawn, room.slope[layer], columns)
        if measured.size:
            measured[SATURATED, layer] = share_at_flat_ends(net, z, n)
            measured[DEAD, layer] = share_dead(z, room.slope[layer], n)
        source = source_of(net.skip, layer)
        if source >= 0:
            for u in range(width):
                for s in range(columns):
                    z[u, s] += h[source, u, s]
        if measured.size:
            mean = sum_of(z, n) / (width * n)
            measured[MEAN, layer] = mean
            measured[STD, layer] = length(z, mean, n) / math.sqrt(width * n)
    towards(theta[depth, :width, :1], theta[depth, width], h[depth], room.z_out, n)


@compiled
def backward(net, theta, gradient, room, nothing, measured, n):
    """From dL/dz of the output, in room.delta, to the whole gradient; `nothing` is a bias of 0."""
    depth, width, h, columns = net.depth, net.width, room.h, n * net.lanes
    gradient[...] = 0.0
    if measured.size:
        measured[DELTA, depth] = rms(room.delta[depth % 2, :1], n)
    add_gradient(h[depth], room.delta[depth % 2], gradient[depth, :width, :1], nothing, room, n)
    if net.output_bias:
        add_bias_gradient(room.delta[depth % 2], gradient[depth, width : width + 1, :1], nothing, room, n)
    for layer in range(depth - 1, -1, -1):
        grad_h, d, after = room.through[layer % 3], room.delta[layer % 2], room.delta[(layer + 1) % 2]
        fan_out = 1 if layer + 1 == depth else width
        towards(turned(theta[layer + 1, :width, :fan_out]), nothing, after, grad_h, n)
        if measured.size:
            measured[THROUGH_WEIGHTS, layer] = rms(grad_h, n)
        # This h also skips to the output of a later layer, whose dL/dh comes back unchanged.
        later = layer + 1 if net.skip == 1 else layer + 2
        if net.skip and later < depth and source_of(net.skip, later) == layer + 1:
            back = room.through[later % 3]
            for u in range(width):
                for s in range(columns):
                    grad_h[u, s] += back[u, s]
        for u in range(width):
            for s in range(columns):
                d[u, s] = grad_h[u, s] * room.slope[layer, u, s]
        if measured.size:
            measured[THROUGH_SKIP, layer] = rms(grad_h, n) if net.skip else measured[THROUGH_WEIGHTS, layer]
            measured[THROUGH_SLOPE, layer] = rms(d, n)
        if net.normalization:
            through_normalization(net, layer, d, theta[layer], gradient[layer], room, n)
        if measured.size:
            measured[DELTA, layer] = rms(d, n) if net.normalization else measured[THROUGH_SLOPE, layer]
        add_gradient(h[layer], d, gradient[layer, : width if layer else net.inputs], nothing, room, n)
        if net.hidden_bias:
            add_bias_gradient(d, gradient[layer, width : width + 1], nothing, room, n)


def _fields(kind: type) -> Any:
    """The type of a named tuple of numbers."""
    by_type = {int: types.int64, float: types.float64, bool: types.boolean}
    return types.NamedTuple([by_type[field] for field in kind.__annotations__.values()], kind)


def _signature():
    """The types of `train_runs`: named, so that it is compiled once, and not again for arrays that lie otherwise."""

    def array(kind, dimensions, layout="A"):
        return types.Array(kind, dimensions, layout)

    numbers, counts = types.float64, types.int64
    return types.void(
        _fields(Net), _fields(Rule), array(counts, 2, "C"), array(numbers, 2, "C"),
        array(numbers, 4), array(numbers, 5), array(numbers, 4), array(numbers, 4),
        array(numbers, 2, "C"), array(numbers, 1, "C"), array(counts, 1, "C"), array(counts, 4, "C"),
        array(numbers, 4, "C"), typeof(np.random.default_rng(0)), counts, counts, counts,
        array(numbers, 3, "C"), array(numbers, 2), array(numbers, 5, "C"), array(counts, 3, "C"), array(numbers, 2, "C"),
    )  # fmt: skip


@compiled
def take_samples(net, order, x, y, inputs, targets):
    """Write the inputs and targets of a batch, of each run in its order; order (lanes, samples), or one for all."""
    for lane in range(net.lanes):
        own = order[lane if lane < len(order) else 0]
        for s in range(own.size):
            targets[s * net.lanes + lane] = y[own[s]]
            for k in range(net.inputs):
                inputs[k, s * net.lanes + lane] = x[k, own[s]]


@pasted
def passes(
    net, rule, theta, gradient, room, nothing, targets, running_mean, running_variance, random, measured, counts, n
):
    """From parameters by layer to their gradient on a batch of `n` samples."""
    forward(net, theta, room, running_mean, running_variance, random, measured, counts, n)
    delta = room.delta[net.depth % 2, 0]
    loss_delta(rule.loss, rule.linear, room.z_out[0], targets, delta, n, net.lanes)
    backward(net, theta, gradient, room, nothing, measured, n)


@pasted
def both_passes(net, rule, theta, gradient, room, targets, running, random, none, uncounted, n):
    """The same of parameters as (numbers, lanes): by layer they have an axis of lanes only where runs go abreast.

    So are the `running` mean and variance, (2, numbers, lanes).
    """
    numbers, layers = theta.shape[0], net.depth + 1
    shape, by_layer = (layers, numbers // (layers * net.width), net.width), (net.depth, running[0].size // net.depth)
    mean, variance = in_shape(running[0], by_layer), in_shape(running[1], by_layer)
    if net.lanes == 1:
        one, its = in_shape(theta, shape), in_shape(gradient, shape)
        nothing = room.nothing[:, 0]
        passes(net, rule, one, its, room, nothing, targets, mean, variance, random, none, uncounted, n)
    else:
        all_, theirs = in_shape(theta, (*shape, net.lanes)), in_shape(gradient, (*shape, net.lanes))
        passes(net, rule, all_, theirs, room, room.nothing, targets, mean, variance, random, none, uncounted, n)


@compiled
def note_norms(net, gradient, runs, norms, totals):
    """Write the squared L2 norm of every layer's dL/dW into `norms`, (runs, layers)."""
    rows = gradient.shape[0] // (net.depth + 1)
    for layer in range(net.depth + 1):
        squares(gradient[layer * rows : layer * rows + net.width**2], totals)
        for lane in range(runs.size):
            norms[runs[lane], layer] = totals[lane]


class Desk(NamedTuple):
    """What the runs of a part train in, numbers by lanes."""

    theta: Any  # (numbers, lanes), as are the next three
    gradient: Any
    update: Any
    rates: Any
    moments: Any  # (slots, numbers, lanes)
    running: Any  # (2, numbers, lanes): mean and variance
    limits: Any  # (lanes,), as are the next five: what clipping lets through, of norm and of value
    bounds: Any
    lengths: Any
    clipping: Any
    totals: Any
    alive: Any
    targets: Any  # (samples by lanes,)
    none: Any  # Without length: where nothing is measured, and nothing counted
    uncounted: Any


@owning
def desk_for(net, slots, numbers, followed, samples):
    """Make room for runs of so many numbers, that follow so many statistics, and for batches of so many samples."""
    lanes = net.lanes
    return Desk(
        np.empty((numbers, lanes)),
        np.empty((numbers, lanes)),
        np.empty((numbers, lanes)),
        np.empty((numbers, lanes)),
        np.empty((slots, numbers, lanes)),
        np.empty((2, followed, lanes)),
        np.empty(lanes),
        np.empty(lanes),
        np.empty(lanes),
        np.empty(lanes),
        np.empty(lanes),
        np.empty(lanes, np.bool_),
        np.empty(samples * lanes),
        np.empty((0, 0)),
        np.empty((0, 0), np.int64),
    )


@compiled
def train_part(
    net, rule, runs, desk, room, chosen, shared, shared_moments, shared_mean, shared_variance,
    x, y, sizes, orders, random, rng, first, count, updates, norms, losses, noted, counts, factors,
):  # fmt: skip
    """Train one run, or a few abreast, as `train_runs` says."""
    lanes, slots = net.lanes, shared_moments.shape[0]
    theta, gradient, update, moments, running = desk.theta, desk.gradient, desk.update, desk.moments, desk.running
    limits, bounds, lengths, clipping = desk.limits, desk.bounds, desk.lengths, desk.clipping
    totals, alive, targets = desk.totals, desk.alive, desk.targets
    theta[...] = gradient[...] = update[...] = moments[...] = running[...] = 0.0
    for lane in range(lanes):  # those without a run take the first one's; they have no parameters
        run = runs[lane if lane < runs.size else 0]
        limits[lane], bounds[lane], clipping[lane], alive[lane] = chosen[1, run], chosen[2, run], 1.0, lane < runs.size
        for i in range(len(theta)):
            desk.rates[i, lane] = chosen[0, run]
    for lane in range(runs.size):
        fetch(shared, runs[lane], theta, lane)
        fetch(shared_mean, runs[lane], running[0], lane)
        fetch(shared_variance, runs[lane], running[1], lane)
        for slot in range(slots):
            fetch(shared_moments[slot], runs[lane], moments[slot], lane)
    counts[...] = 0
    made, epoch, batch, start = 0, 0, first, 0
    for i in range(first):
        start += sizes[i]
    while made < count:
        n = sizes[batch]
        if sizes.size > 1 or rule.shuffled or not made:
            take_samples(net, orders[:, epoch if rule.shuffled else 0, start : start + n], x, y, room.h[0], targets)
        if net.activation == RANDOMIZED:
            draw_slopes(rng, net.low, net.high, random[:, :, :n])
        both_passes(net, rule, theta, gradient, room, targets, running, random, desk.none, desk.uncounted, n)
        squares(gradient, totals)
        for lane in range(lanes):
            lengths[lane] = math.sqrt(totals[lane])
            if not totals[lane] < LARGE_SQUARE:
                lengths[lane] = scaled_norm(gradient[:, lane])
            if not lengths[lane] < math.inf:  # The run ends; set to 0 it costs nothing special
                if alive[lane]:  # In a spare lane, or that of a run which has ended, a net goes on that is nobody's
                    bring_back(shared, runs[lane], theta, lane)
                theta[:, lane] = gradient[:, lane] = moments[:, :, lane] = lengths[lane] = 0.0
                alive[lane] = False
        left = 0
        for lane in range(lanes):
            left += alive[lane]
        if not left:
            break
        if losses.size:
            add_losses(rule.loss, rule.linear, room.z_out[0], targets, n, runs, epoch, lanes, losses)
        if norms.size and batch + 1 == sizes.size:
            note_norms(net, gradient, runs, norms[:, epoch], totals)
        if noted.size and not made:
            for lane in range(runs.size):
                bring_back(noted[0], runs[lane], gradient, lane)
        clip(gradient, lengths, limits, bounds, clipping, totals)
        step(
            rule.optimizer,
            in_shape(theta, (theta.size,)),
            in_shape(gradient, (gradient.size,)),
            in_shape(moments, (slots, theta.size)),
            in_shape(update, (update.size,)),
            in_shape(desk.rates, (desk.rates.size,)),
            updates + made + 1,
        )
        for lane in range(lanes):
            factors[lane] = factors[lane] if made else clipping[lane]
            counts[0, lane] += alive[lane]
            counts[1, lane] += alive[lane] and clipping[lane] < 1.0
        if noted.size and not made:
            for lane in range(runs.size):
                bring_back(noted[1], runs[lane], update, lane)
        made, batch, start = made + 1, batch + 1, start + n
        if batch == sizes.size:
            epoch, batch, start = epoch + 1, 0, 0
    for lane in range(runs.size):
        if not alive[lane]:
            continue
        bring_back(shared, runs[lane], theta, lane)
        bring_back(shared_mean, runs[lane], running[0], lane)
        bring_back(shared_variance, runs[lane], running[1], lane)
        for slot in range(slots):
            bring_back(shared_moments[slot], runs[lane], moments[slot], lane)


@njit(_signature(), **_loops, fastmath=EXACT)
def train_runs(
    net, rule, parts, chosen, shared, shared_moments, running_mean, running_variance,
    x, y, sizes, orders, random, rng, first, count, updates, norms, losses, noted, counts, factors,
):  # fmt: skip
    """Train runs, each alone or a few abreast, for `count` updates, from batch `first` of an epoch on.

    Parameters
    ----------
    net, rule
    parts : array of int (parts, up to net.lanes of them)
        Which of the runs in the arrays below; those of a part go abreast.
    chosen : array (3, runs)
        Learning rate, and largest norm and value that clipping lets through, of each run.
    shared : array (layers, runs, rows, width)
        Theta, updated in place.
    shared_moments : array (slots, layers, runs, rows, width)
        The optimizer's memory, updated in place.
    running_mean, running_variance : arrays (depth, runs, width, 1)
        Under batch normalization, updated in place.
    x, y : arrays (inputs, samples) and (samples,)
    sizes : array of int
        Of the batches of an epoch.
    orders : array of int, (parts, lanes, epochs, samples)
        The samples in the order of each epoch, the first of which is that of `first`; one part and one lane where all are alike.
    random : array (parts, depth, width, samples of a batch)
        Room for randomized ReLU's slopes.
    rng : Generator
        Draws them, of one part.
    first, count, updates : int
        `updates` were made before.
    norms : array (runs, epochs, layers) or of length 0
        Where there is room, the squared L2 norm of every layer's dL/dW at the last update of each epoch, before clipping.
    losses : array (runs, epochs), or of length 0
        Where there is room, the loss of every batch before its update is added to that of its epoch.
    noted : array (2, layers, runs, rows, width), or of length 0
        Where there is room, the gradient before clipping, and the update made of it, of the first one.
    counts : array of int, (parts, 2, lanes)
        Written: how many updates were made, and how many of them were clipped. A run that made fewer than `count` has a
        gradient that is not finite; that update is not made, and `random` is what it saw.
    factors : array (parts, lanes)
        Written: by which factor the first update was clipped.
    """
    numbers, followed = (net.depth + 1) * shared.shape[2] * net.width, running_mean.shape[0] * running_mean.shape[2]
    desk, room = desk_for(net, len(shared_moments), numbers, followed, sizes[0]), room_for(net, sizes[0])
    for part in range(len(parts)):
        train_part(
            net, rule, parts[part], desk, room, chosen, shared, shared_moments, running_mean, running_variance, x, y, sizes,
            orders[part if part < len(orders) else 0], random[part], rng, first, count, updates, norms, losses, noted,
            counts[part], factors[part],
        )  # fmt: skip


# --- what is measured at a record ---------------------------------------------------------------


def _measuring_signature():
    def array(dimensions, layout="A"):
        return types.Array(types.float64, dimensions, layout)

    return types.void(
        _fields(Net), _fields(Net), _fields(Rule), types.Array(types.int64, 1, "C"), array(4), array(4), array(4),
        array(2, "C"), array(1, "C"), array(4), array(3, "C"), types.Array(types.int64, 3, "C"), array(2), array(2),
    )  # fmt: skip


@pasted
def layers_of(net, desk):
    """Theta, its gradient, running mean and variance on the desk of a run that goes alone, by layer."""
    shape, by_layer = (
        (net.depth + 1, desk.theta.size // ((net.depth + 1) * net.width), net.width),
        (net.depth, net.width),
    )
    mean, variance = in_shape(desk.running[0], by_layer), in_shape(desk.running[1], by_layer)
    return in_shape(desk.theta, shape), in_shape(desk.gradient, shape), mean, variance


@compiled
def measure_run(net, rule, desk, room, drawn, measured, counts, n):
    """Make both passes, and measure."""
    depth, width = net.depth, net.width
    theta, gradient, mean, variance = layers_of(net, desk)
    measured[...] = math.nan
    # The statistics of this batch are not those that are followed.
    passes(
        net, rule, theta, gradient, room, room.nothing[:, 0], desk.targets, mean, variance, drawn, measured, counts, n
    )
    for layer in range(depth + 1):
        measured[OF_WEIGHTS, layer] = length(gradient[layer, :width], 0.0, width)
        if net.output_bias if layer == depth else net.hidden_bias:
            measured[OF_BIASES, layer] = length(gradient[layer, width : width + 1], 0.0, width)


@compiled
def answer(net, desk, room, drawn, n):
    """Make the forward pass of the net as it answers."""
    theta, _, mean, variance = layers_of(net, desk)
    forward(net, theta, room, mean, variance, drawn, desk.none, desk.uncounted, n)


@njit(_measuring_signature(), **_loops, fastmath=EXACT)
def measure_runs(
    net,
    answering,
    rule,
    runs,
    shared,
    running_mean,
    running_variance,
    x,
    y,
    random,
    measured,
    counts,
    z_out,
    z_answered,
):
    """Measure the whole data set at the present parameters of some runs, which stay as they are.

    Parameters
    ----------
    net, answering : Net
        As it trains, alone, and as it answers.
    rule, runs, shared, running_mean, running_variance, x, y
        As for `train_runs`.
    random : array (depth, runs, width, samples)
        Randomized ReLU's slopes, of other activations of length 0.
    measured : array (runs, measures, layers)
        Written; NaN where a measure is not defined.
    counts : array (runs, depth, BINS)
        Written: how many z of a hidden layer are in each bin.
    z_out, z_answered : arrays (runs, samples)
        Written: z of the output of the two; the latter, if they differ.
    """
    layers, n = net.depth + 1, y.size
    numbers, followed = layers * shared.shape[2] * net.width, net.depth * net.width
    desk, room, order = desk_for(net, 0, numbers, followed, n), room_for(net, n), np.arange(n).reshape(1, n)
    drawn = np.empty((net.depth, net.width, n if random.size else 0))
    take_samples(net, order, x, y, room.h[0], desk.targets)
    for run in runs:
        fetch(shared, run, desk.theta, 0)
        if random.size:
            drawn[...] = random[:, run]
        measure_run(net, rule, desk, room, drawn, measured[run], counts[run], n)
        z_out[run] = room.z_out[0, :n]
        if z_answered.size:
            fetch(running_mean, run, desk.running[0], 0)
            fetch(running_variance, run, desk.running[1], 0)
            answer(answering, desk, room, drawn, n)
            z_answered[run] = room.z_out[0, :n]


@compiled
def weight_std(block, fan_in, fan_out):
    """Standard deviation of a layer's weights."""
    weights = block[:fan_in]
    mean = sum_of(weights, fan_out) / (fan_in * fan_out)
    return length(weights, mean, fan_out) / math.sqrt(fan_in * fan_out)


@njit(
    types.void(_fields(Net), types.Array(types.float64, 4, "C"), types.Array(types.float64, 5, "C"),
    types.Array(types.float64, 1, "C"), types.Array(types.float64, 2, "C")), **_borrowing, fastmath=EXACT,
)  # fmt: skip
def measure_updates(net, shared, noted, norms, ratios):
    """Measure an update of all runs.

    Parameters
    ----------
    net : Net
    shared : array (layers, runs, rows, width)
        Theta before.
    noted : array (2, layers, runs, rows, width)
        The gradient before clipping, and the update.
    norms : array (runs,)
        Written: the L2 norm of the gradient.
    ratios : array (runs, layers)
        Written: the standard deviation of the update of the layer's weights over that of the weights.
    """
    layers, depth, width = shared.shape[0], net.depth, net.width
    for run in range(len(norms)):
        for layer in range(layers):
            ratios[run, layer] = length(noted[0, layer, run], 0.0, width)
        norms[run] = length(ratios[run : run + 1], 0.0, layers)
        for layer in range(layers):
            fan_in, fan_out = width if layer else net.inputs, width if layer < depth else 1
            std = weight_std(noted[1, layer, run], fan_in, fan_out)
            ratios[run, layer] = std / weight_std(shared[layer, run], fan_in, fan_out)


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


# Here products and activations are large: pasted into a step they would only keep the compiler from its loops.
@as_written
def product_called(weights, bias, source, target, count):
    """As `product`."""
    product(weights, bias, source, target, count)


@as_written
def activate_called(code, below, scale, z, random, slope, count):
    """As `activate`."""
    activate(code, below, scale, z, random, slope, count)


@as_written
def add_weight_gradient_called(h, delta, gradient, nothing, across, count):
    """As `add_weight_gradient`."""
    add_weight_gradient(h, delta, gradient, nothing, across, count)


@pasted
def flat(values):
    """Units by samples, which have no gaps, as one row: what a loop asks before it begins it asks once, not for every unit.

    The compiler takes what `reshape` gives for an array of its own; of `in_shape` it knows that all blocks are parts of one, and
    makes no vectors.
    """
    return values.reshape(values.size)


@pasted
def blocks_of(values, hidden):
    """The four blocks of a gated cell, each flat."""
    one, two, three = hidden, 2 * hidden, 3 * hidden
    return flat(values[:one]), flat(values[one:two]), flat(values[two:three]), flat(values[three:])


_arrays = [types.Array(types.float64, dimensions, "C") for dimensions in range(5)]
_strided = types.Array(types.float64, 2, "A")


@njit(
    types.void(
        _fields(Recurrence), _strided, *[_arrays[4]] * 5, types.Array(types.int64, 1, "C"), types.Array(types.int64, 4, "C"),
        types.int64,
    ), **_borrowing, fastmath=EXACT,
)  # fmt: skip
def recur(layer, weights, s, z, a, c, squashed, counted, counts, run):
    """Compute h (and c) of every step of one run of a recurrent layer.

    Parameters
    ----------
    layer : Recurrence
    weights : array (rows, columns)
        The run's.
    s, z, a, c, squashed : arrays (steps, runs, units, samples)
        Those of `Layer`. z gets the slopes of the activations, the gates' and the candidate's or the plain cell's.
    counted : array of int, (steps,)
        For every step, at which place of `counts` z is counted by bin there; -1: it is not.
    counts : array of int, (runs, functions, counted steps, BINS)
        Written where z is counted.
    run : int
    """
    hidden, count, size = layer.hidden, s.shape[3], layer.hidden * s.shape[3]
    into, bias = weights[:-1], weights[-1]
    first, last = layer.fan_in, layer.fan_in + hidden
    for t in range(z.shape[0]):
        before, after, slope, place = s[t, run, first:last], s[t + 1, run, first:last], z[t, run], counted[t]
        if layer.cell == RNN:
            product_called(into, bias, s[t, run], after, count)
            if place >= 0:
                count_bins(after, counts[run, 0, place], count)
            activate_called(layer.activation, layer.below, layer.scale, after, slope, slope, count)
            continue
        gates = a[t, run]
        product_called(into, bias, s[t, run], gates, count)
        if place >= 0:
            for block in range(4 if layer.cell == LSTM else 2):
                count_bins(gates[block * hidden : (block + 1) * hidden], counts[run, block, place], count)
        if layer.cell == LSTM:
            activate_called(SIGMOID, 0.0, 1.0, gates[: 3 * hidden], slope, slope[: 3 * hidden], count)
            activate_called(TANH, 0.0, 1.0, gates[3 * hidden :], slope, slope[3 * hidden :], count)
            let_in, forget, show, candidate = blocks_of(gates, hidden)
            old, new, seen, h = flat(c[t, run]), flat(c[t + 1, run]), flat(squashed[t, run]), flat(after)
            for i in range(size):
                new[i] = forget[i] * old[i] + let_in[i] * candidate[i]
            for i in range(size):
                seen[i] = tanh(new[i])[0]
            for i in range(size):
                h[i] = show[i] * seen[i]
        else:
            activate_called(SIGMOID, 0.0, 1.0, gates[: 2 * hidden], slope, slope[: 2 * hidden], count)
            reset, update, candidate, of_h = blocks_of(gates, hidden)
            old, h = flat(before), flat(after)
            for i in range(size):
                candidate[i] += reset[i] * of_h[i]
            if place >= 0:
                count_bins(gates[2 * hidden : 3 * hidden], counts[run, 2, place], count)
            activate_called(
                TANH, 0.0, 1.0, gates[2 * hidden : 3 * hidden], slope, slope[2 * hidden : 3 * hidden], count
            )
            for i in range(size):
                h[i] = (old[i] - candidate[i]) * update[i] + candidate[i]


@njit(
    types.void(
        _fields(Recurrence), _strided, _strided, *[_arrays[4]] * 6, _arrays[2], *[_arrays[2]] * 3, _arrays[1], types.int64,
        types.boolean,
    ), **_borrowing, fastmath=EXACT,
)  # fmt: skip
def recur_back(
    layer, weights, gradient, s, z, a, c, grad_c, grad_h, contribution, own, through, across, nothing, run, measuring,
):  # fmt: skip
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
    own, through, across, nothing : arrays (rows, columns), (hidden, samples), (samples, `apart(columns)`), (rows,)
        Room, and zeros.
    measuring : bool
    """
    hidden, count, size = layer.hidden, s.shape[3], layer.hidden * s.shape[3]
    first, last = layer.fan_in, layer.fan_in + hidden
    (rows, columns), back = gradient.shape, weights[first:last].T
    gradient[...] = 0.0
    for t in range(z.shape[0] - 1, -1, -1):
        delta, grad, gates = z[t, run], flat(grad_h[t + 1, run]), a[t if layer.cell != RNN else 0, run]
        before = s[t, run, first:last]
        if layer.cell == RNN:
            whole = flat(delta)
            for i in range(size):
                whole[i] *= grad[i]
        elif layer.cell == LSTM:
            let_in, forget, show, candidate = blocks_of(gates, hidden)
            d_let_in, d_forget, d_show, d_candidate = blocks_of(delta, hidden)
            state, old, here, earlier = (
                flat(c[t + 1, run]),
                flat(c[t, run]),
                flat(grad_c[t + 1, run]),
                flat(grad_c[t, run]),
            )
            for i in range(size):
                seen, slope = tanh(state[i])
                here[i] += slope * show[i] * grad[i]
                d_show[i] *= grad[i] * seen
            for i in range(size):
                earlier[i] = here[i] * forget[i]
            for i in range(size):
                d_let_in[i] *= here[i] * candidate[i]
            for i in range(size):
                d_forget[i] *= here[i] * old[i]
            for i in range(size):
                d_candidate[i] *= here[i] * let_in[i]
        else:
            reset, update, candidate, of_h = blocks_of(gates, hidden)
            d_reset, d_update, d_candidate, d_of_h = blocks_of(delta, hidden)
            old = flat(before)
            for i in range(size):
                d_update[i] *= (old[i] - candidate[i]) * grad[i]
            for i in range(size):
                d_candidate[i] *= grad[i] - grad[i] * update[i]
            for i in range(size):
                d_reset[i] *= d_candidate[i] * of_h[i]
            for i in range(size):
                d_of_h[i] = d_candidate[i] * reset[i]
        own[...] = 0.0
        add_weight_gradient_called(s[t, run], delta, own, nothing, across, count)
        if layer.cell == GRU:  # blocks that have no weights from h, or from x
            own[first:last, 2 * hidden : 3 * hidden] = 0.0
            own[:first, 3 * hidden :] = 0.0
        for row in range(rows):
            for column in range(columns):
                gradient[row, column] += own[row, column]
        if measuring:
            contribution[t, run] = safe_norm(in_shape(own[first:last], (own[first:last].size,)))
        if layer.truncation and t and t % layer.truncation == 0:
            grad_c[t if layer.cell == LSTM else 0, run] = 0.0
            continue
        product_called(back, nothing, delta, through, count)
        earlier_h, along = flat(grad_h[t, run]), flat(through)
        if layer.cell == GRU:
            update = blocks_of(gates, hidden)[1]
            for i in range(size):
                along[i] += grad[i] * update[i]
        for i in range(size):
            earlier_h[i] += along[i]
