"""The recurrent net: forward and backward pass through time of many runs at once, nothing else.

Shapes
------
Time steps first, then runs, samples last; of every recurrent layer:

    s         (length + 1, runs, inputs + hidden + 1, samples)   x_{t+1}, h_t and 1: what step t + 1 reads
    z         (length, runs, blocks * hidden, samples)           z = W's; after `backward` delta = dL/dz
    grad_h    (length + 1, runs, hidden, samples)                dL/dh_t, from h_0 to h_T

Only the loop over time is Python's; a step is one matrix product and the
cell's few element-wise calls, on views that were made beforehand.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from explorer.cells import Back, Step
from explorer.diagnostics import root_sum_square
from explorer.recurrent_architecture import RecurrentArchitecture

Array = NDArray[np.float64]


class Layer:
    """The arrays of one recurrent layer over time, and its two passes.

    Parameters
    ----------
    shape : RecurrentArchitecture
    index : int
        Of this layer, from 0.
    weights, gradient : (runs, rows, columns) arrays
        Views of the net's; the gradient is added to.
    samples : int

    Attributes
    ----------
    contribution : (length, runs) array
        L2 norm of every step's own contribution to dL/dW_hh, where it is measured.
    """

    def __init__(self, shape: RecurrentArchitecture, index: int, weights: Array, gradient: Array, samples: int) -> None:
        self.shape, self.index, self.weights, self.gradient = shape, index, weights, gradient
        cell, steps, runs, hidden = shape.cell, shape.length, len(weights), shape.hidden
        self.s = np.zeros((steps + 1, runs, shape.rows(index), samples))
        self.s[:, :, -1] = 1.0
        self.x, self.h = self.s[:-1, :, : shape.fan_in(index)], self.s[:, :, shape.from_h(index)]
        self.z = np.zeros((steps, runs, shape.columns, samples))
        gated = len(cell.blocks) > 1
        self.a = np.zeros_like(self.z) if gated else self.z
        # dL/dc_{t-1} is handed back from step to step; of other cells there is nothing to hand.
        self.c, self.grad_c = np.zeros((2, steps + 1 if cell.has_c else 1, runs, hidden, samples))
        self.squashed = np.zeros((steps if cell.has_c else 1, runs, hidden, samples))
        self.grad_h = np.zeros((steps + 1, runs, hidden, samples))
        self.past_product, self.room = np.zeros((2, runs, hidden, samples))
        self.own = np.zeros_like(weights)  # one step's contribution to the gradient
        self.contribution = np.full((steps, runs), np.nan)
        self._steps = [self._step(t) for t in range(steps)]
        self._backs = [self._back(t) for t in range(steps)]

    def _block(self, stack: Array, t: int) -> tuple[Array, ...]:
        hidden = self.shape.hidden
        return tuple(stack[t, :, k * hidden : (k + 1) * hidden] for k in range(len(self.shape.cell.blocks)))

    def _step(self, t: int) -> Step:
        """The views of step t, from 0, which makes h_{t+1} of h_t."""
        c_before, c = (t, t + 1) if self.shape.cell.has_c else (0, 0)
        return Step(
            z=self.z[t],
            a=self.a[t],
            blocks=self._block(self.z, t),
            gates=self._block(self.a, t),
            h_before=self.h[t],
            h=self.h[t + 1],
            c_before=self.c[c_before],
            c=self.c[c],
            squashed=self.squashed[t % len(self.squashed)],
            activation=self.shape.activation,
        )

    def _back(self, t: int) -> Back:
        c_before, c = (t, t + 1) if self.shape.cell.has_c else (0, 0)
        return Back(self.grad_h[t + 1], self.grad_c[c], self.grad_c[c_before], self.past_product, self.room)

    def forward(self) -> None:
        """Compute h (and c) of every step from `x`, h_0 and c_0."""
        product, transposed, forward = np.matmul, self.weights.swapaxes(-1, -2), self.shape.cell.forward
        for s, step in zip(self.s, self._steps, strict=False):
            product(transposed, s, step.z)
            forward(step)

    def backward(self, first_given: int, measuring: bool) -> None:
        """Compute delta of every step, dL/dh, dL/dc and the gradient.

        dL/dh_{t-1} = delta_t W_hh' + what reaches it otherwise; dL/dW = sum over
        t of s_t' delta_t. `grad_c` holds what comes to c_T from elsewhere: usually nothing.

        Parameters
        ----------
        first_given : int
            From h of this index on, `grad_h` holds what comes from the answers or the layer above.
        measuring : bool
            Also measure every step's own contribution.
        """
        shape, cell, product = self.shape, self.shape.cell, np.matmul
        to_h, through, own = self.weights[:, shape.from_h(self.index)], self.room, self.own
        self.gradient[...] = 0.0
        self.grad_h[:first_given] = 0.0
        for t in range(shape.length - 1, -1, -1):
            step, back, grad_before = self._steps[t], self._backs[t], self.grad_h[t]
            cell.backward(step, back)
            product(self.s[t], step.z.swapaxes(-1, -2), own)
            np.add(self.gradient, own, self.gradient)
            if measuring:
                self.contribution[t] = self._contribution()
            if shape.is_cut(t):
                if cell.has_c:
                    back.c_before[...] = 0.0
                continue
            if t < first_given:
                product(to_h, step.z, grad_before)
            else:
                product(to_h, step.z, through)
                np.add(grad_before, through, grad_before)
            if cell.hands_on:
                np.add(grad_before, self.past_product, grad_before)

    def _contribution(self) -> Array:
        """L2 norm of a step's own contribution to dL/dW_hh: (runs,)."""
        rows = self.own[:, self.shape.from_h(self.index)]
        seen = [rows[:, :, self.shape.cell.block(name, self.shape.hidden)] for name in self.shape.cell.recurrent]
        norms = np.stack([root_sum_square(np.ascontiguousarray(block), (-2, -1)) for block in seen])
        return root_sum_square(norms, 0)

    def grad_x(self, out: Array) -> None:
        """Write dL/dx of every step, after `backward`, to `out` of shape (length, runs, inputs, samples)."""
        np.matmul(self.weights[:, : self.shape.fan_in(self.index)], self.z, out)

    def arrays(self) -> Iterator[Array]:
        """Yield every array that it holds."""
        yield from (self.s, self.z, self.c, self.grad_c, self.squashed, self.grad_h, self.own)
        if self.a is not self.z:
            yield self.a


class RecurrentNetwork:
    """Buffers and the two passes for a batch of fixed size.

    Parameters
    ----------
    shape : RecurrentArchitecture
    theta : (1, runs, 1, parameters) array
        Shared, not copied: an update in place is seen by the next pass.
    samples : int
        Sequences in a batch.

    Attributes
    ----------
    x : (length, runs, inputs, samples) view, to be filled with the inputs
    z_out, delta_out : (runs, counted steps * outputs, samples) arrays
        Of the output units, at all steps that count.
    gradient : array of theta's shape, dL/dtheta after `backward`
    layers : list of Layer
    measuring : bool
        Whether backward also measures every step's contribution to the gradient.
    """

    random = None  # nothing is drawn while it runs

    def __init__(self, shape: RecurrentArchitecture, theta: Array, samples: int) -> None:
        self.shape, self.theta, self.samples, self.runs = shape, theta, samples, theta.shape[1]
        self.measuring, self.gradient = False, np.zeros_like(theta)
        self.weights, self._gradients = shape.views(theta), shape.views(self.gradient)
        pairs = zip(self.weights.layers, self._gradients.layers, strict=True)
        self.layers = [Layer(shape, index, *pair, samples) for index, pair in enumerate(pairs)]
        self.x = self.layers[0].x
        counted = shape.length - shape.first_counted
        answers = np.zeros((2, self.runs, counted, shape.outputs, samples))
        # One array for the losses, seen by the products step by step.
        self.z_out, self.delta_out = answers.reshape(2, self.runs, counted * shape.outputs, samples)
        self._z_steps, self._delta_steps = answers.swapaxes(1, 2)

    def forward(self) -> None:
        """Compute every h and the answers' z from `x`."""
        for below, layer in zip([None, *self.layers], self.layers, strict=False):
            if below is not None:
                layer.x[...] = below.h[1:]
            layer.forward()
        np.matmul(self.weights.output.swapaxes(-1, -2), self._read, self._z_steps)

    @property
    def _read(self) -> Array:
        """The top layer's h, with its row of ones, at the steps that count."""
        shape = self.shape
        return self.layers[-1].s[shape.first_counted + 1 :, :, shape.fan_in(shape.stack - 1) :]

    def backward(self) -> None:
        """Compute every dL/dh and `gradient` from `delta_out`."""
        delta, first = self._delta_steps, self.shape.first_counted + 1
        np.add.reduce(np.matmul(self._read, delta.swapaxes(-1, -2)), axis=0, out=self._gradients.output)
        np.matmul(self.weights.output[:, :-1], delta, self.layers[-1].grad_h[first:])
        for layer in self.layers:
            layer.grad_c[-1] = 0.0
        self.backward_from(first)

    def backward_from(self, first_given: int) -> None:
        """Go on from dL/dh of the top layer, given from h of index `first_given` on, and dL/dc of every layer's last c."""
        for layer, below in zip(self.layers[::-1], [*self.layers[-2::-1], None], strict=True):
            layer.backward(first_given, self.measuring)
            first_given = 1
            if below is not None:
                layer.grad_x(below.grad_h[1:])
        self.shape.forget(self.gradient)

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return self.gradient.nbytes + sum(array.nbytes for layer in self.layers for array in layer.arrays())
