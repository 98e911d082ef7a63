"""Cells: one step of a recurrent net forward, and one step back through time, one entry each.

A step reads x_t and h_{t-1} in one matrix product, z_t = [x_t; h_{t-1}; 1] W,
with a block of columns for each gate; what follows, in both directions, is
element-wise, over all runs, units and samples at once, and is written here.

Shapes: z and a (runs, blocks * hidden, samples), states (runs, hidden, samples).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from explorer.choices.activations import ACTIVATIONS, Activation
from explorer.choices.arrays import Array
from explorer.choices.registry import Entry, registry

KEEPS = "keeps the state"
SIGMOID, TANH = ACTIVATIONS["sigmoid"], ACTIVATIONS["tanh"]


class Step(NamedTuple):
    """One layer's arrays at one step, all of them views made beforehand."""

    z: Array  # All blocks: z_t on the way forward; backward turns it into delta = dL/dz_t, in place
    a: Array
    # z, and what the activations make of it, block by block.
    blocks: tuple[Array, ...]
    gates: tuple[Array, ...]
    # h_{t-1}, h_t and, for an LSTM, c_{t-1} and c_t.
    h_before: Array
    h: Array
    c_before: Array
    c: Array
    squashed: Array  # An LSTM's tanh c_t
    activation: Activation  # Of a plain cell


class StepGradients(NamedTuple):
    """One layer's gradients at one step."""

    h: Array  # dL/dh_t, complete
    # dL/dc_t, to which h's share is added, and dL/dc_{t-1}, which is written.
    c: Array
    c_before: Array
    past_product: Array  # Written by cells that hand h on: what reaches dL/dh_{t-1} without passing through W_hh
    scratch: Array  # Of one block, to be overwritten


@dataclass(frozen=True, kw_only=True)
class Cell(Entry):
    """A kind of recurrent unit."""

    blocks: tuple[str, ...]  # The blocks of columns of the matrix product, in order
    # Nanoseconds of a step there and back: in NumPy of a group of runs, in a compiled kernel of a run, however small; and
    # of each number of z, in both.
    call_cost: int
    compiled_call_cost: int
    element_cost: float
    compiled_element_cost: float
    # Blocks in which h_{t-1}, or x_t, has no weights: these stay exactly 0.
    unseen_by_h: tuple[str, ...] = ()
    unseen_by_x: tuple[str, ...] = ()
    gates: Mapping[str, str] = field(default_factory=dict, hash=False)  # By what each does, its block
    new_state: str = "candidate"  # The block of the new state; every other block with a W_hh is a gate
    # The block in whose place the candidate state, tanh of something, lies; empty where the state itself is squashed.
    squashed: str = ""
    has_c: bool = False  # Whether there is a cell state c beside h
    direct_path: bool = False  # Whether h_{t-1} also reaches h_t without passing through W_hh
    forward: Callable[[Step], None]  # `forward(step)`: from z to h (and c)
    backward: Callable[[Step, StepGradients], None]  # `backward(step, back)`: from dL/dh_t to dL/dz_t, left in `step.z`

    @property
    def memory_gate(self) -> str:
        """The block whose bias is `forget_bias`: the gate that keeps the state; empty where there is none."""
        return self.gates.get(KEEPS, "")

    @property
    def recurrent(self) -> tuple[str, ...]:
        """The blocks that have a W_hh."""
        return tuple(block for block in self.blocks if block not in self.unseen_by_h)

    def functions(self, plain: Activation) -> dict[str, Activation]:
        """Return, by the block in whose place its z lies, every function that a step has; that of a plain cell is `plain`."""
        new, gates = self.squashed or self.new_state, self.gates.values()
        function = TANH if self.squashed else plain
        return {name: SIGMOID if name in gates else function for name in self.blocks if name == new or name in gates}

    def block(self, name: str, hidden: int) -> slice:
        """Return a block's columns of W, which are its rows of z."""
        first = self.blocks.index(name) * hidden
        return slice(first, first + hidden)


# --- plain --------------------------------------------------------------------------------------


def _plain_forward(step: Step) -> None:
    step.activation.f(step.z, step.h)


def _plain_backward(step: Step, back: StepGradients) -> None:
    z = step.z
    step.activation.df(z, z)
    np.multiply(z, back.h, z)


# --- LSTM: blocks input, forget, output, candidate ----------------------------------------------


def _lstm_forward(step: Step) -> None:
    c, squashed, sigmoids = step.c, step.squashed, 3 * step.h.shape[-2]
    i, f, o, g = step.gates
    SIGMOID.f(step.z[..., :sigmoids, :], step.a[..., :sigmoids, :])
    TANH.f(step.blocks[3], g)
    np.multiply(f, step.c_before, c)
    np.multiply(i, g, squashed)
    np.add(c, squashed, c)
    TANH.f(c, squashed)
    np.multiply(o, squashed, step.h)


def _lstm_backward(step: Step, back: StepGradients) -> None:
    grad_c, scratch, sigmoids = back.c, back.scratch, 3 * step.h.shape[-2]
    i, f, o, g = step.gates
    delta_i, delta_f, delta_o, delta_g = step.blocks
    TANH.df(step.c, scratch)
    np.multiply(scratch, o, scratch)
    np.multiply(scratch, back.h, scratch)
    np.add(grad_c, scratch, grad_c)
    SIGMOID.df(step.z[..., :sigmoids, :], step.z[..., :sigmoids, :])
    TANH.df(delta_g, delta_g)
    for delta, upstream, other in (
        (delta_i, grad_c, g),
        (delta_f, grad_c, step.c_before),
        (delta_o, back.h, step.squashed),
        (delta_g, grad_c, i),
    ):
        np.multiply(delta, upstream, delta)
        np.multiply(delta, other, delta)
    np.multiply(grad_c, f, back.c_before)


# --- GRU: blocks reset, update, candidate's share of x, candidate's share of h ------------------


def _gru_forward(step: Step) -> None:
    h, hidden = step.h, step.h.shape[-2]
    r, u, n, _ = step.gates
    _, _, z_n, from_h = step.blocks
    SIGMOID.f(step.z[..., : 2 * hidden, :], step.a[..., : 2 * hidden, :])
    np.multiply(r, from_h, n)
    np.add(z_n, n, z_n)
    TANH.f(z_n, n)
    np.subtract(step.h_before, n, h)
    np.multiply(h, u, h)
    np.add(h, n, h)


def _gru_backward(step: Step, back: StepGradients) -> None:
    grad, scratch, hidden = back.h, back.scratch, step.h.shape[-2]
    r, u, n, _ = step.gates
    delta_r, delta_u, delta_n, from_h = step.blocks
    SIGMOID.df(step.z[..., : 2 * hidden, :], step.z[..., : 2 * hidden, :])
    np.subtract(step.h_before, n, scratch)
    np.multiply(scratch, grad, scratch)
    np.multiply(delta_u, scratch, delta_u)
    np.multiply(grad, u, back.past_product)
    TANH.df(delta_n, delta_n)
    np.subtract(grad, back.past_product, scratch)
    np.multiply(delta_n, scratch, delta_n)
    np.multiply(delta_n, from_h, scratch)
    np.multiply(delta_r, scratch, delta_r)
    np.multiply(delta_n, r, from_h)


CELLS = registry(
    [
        Cell(
            name="RNN",
            caption="The plain recurrent net: the chain is W_hh and the activation's slope, once per step.",
            formula="h_t = f(W_xh x_t + W_hh h_{t-1} + b)",
            source="Elman 1990",
            blocks=("state",),
            new_state="state",
            call_cost=7_000,
            compiled_call_cost=225,
            element_cost=3.6,
            compiled_element_cost=5.0,
            forward=_plain_forward,
            backward=_plain_backward,
        ),
        Cell(
            name="LSTM",
            caption="A cell state that gates add to and take from: back along it the gradient is multiplied by the forget gate only.",
            formula="c_t = f c_{t-1} + i g;  h_t = o tanh c_t;  i, f, o = σ(…), g = tanh(…) of W_xh x_t + W_hh h_{t-1} + b",
            source="Hochreiter & Schmidhuber 1997; the forget gate: Gers et al. 2000",
            blocks=("input", "forget", "output", "candidate"),
            call_cost=38_000,
            compiled_call_cost=470,
            element_cost=13.6,
            compiled_element_cost=7.0,
            gates={KEEPS: "forget", "lets the new in": "input", "shows the state": "output"},
            squashed="candidate",
            has_c=True,
            forward=_lstm_forward,
            backward=_lstm_backward,
        ),
        Cell(
            name="GRU",
            caption="One gate mixes the old state with a new one: back along it the gradient is multiplied by the gate. "
            "The reset gate acts after the product with W_hh, as in PyTorch and Keras; Cho's acts before it.",
            formula="h_t = u h_{t-1} + (1 - u) n;  n = tanh(W_xn x_t + b_n + r (W_hn h_{t-1} + b_hn));  r, u = σ(…)",
            source="Cho et al. 2014; reset after the product: as in cuDNN",
            blocks=("reset", "update", "candidate, from x", "candidate"),
            call_cost=37_000,
            compiled_call_cost=320,
            element_cost=6.6,
            compiled_element_cost=5.0,
            unseen_by_h=("candidate, from x",),
            unseen_by_x=("candidate",),
            gates={KEEPS: "update", "lets the new see the old": "reset"},
            squashed="candidate, from x",
            direct_path=True,
            forward=_gru_forward,
            backward=_gru_backward,
        ),
    ]
)
