"""Measures over time: what is measured of every time step at a recorded epoch, one entry each.

As in `measures` for layers: an entry looks at a `RecurrentNetwork` after a forward and a backward pass over the whole data
set, made while `measuring`, and returns one number for every step and run, (length, runs). With several recurrent layers it
is over all of them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.registry import registry
from explorer.training.measures import Diagnostic, Stage, rms, root_sum_square, std
from explorer.training.recurrent_network import Layer, RecurrentNetwork


def _over_layers(of_layer: Callable[[Layer], Array]) -> Callable[[RecurrentNetwork], Array]:
    """Make a measure: the root mean square over the recurrent layers of what is given of each, (length, runs)."""

    def measure(network: RecurrentNetwork) -> Array:
        values = np.stack([of_layer(layer) for layer in network.layers])
        return values[0] if len(values) == 1 else root_sum_square(values, 0) / np.sqrt(len(values))

    return measure


def _contribution(network: RecurrentNetwork) -> Array:
    return root_sum_square(np.stack([layer.contribution for layer in network.layers]), 0)


def _cell_gradient(network: RecurrentNetwork) -> Array:
    if not network.shape.cell.has_c:
        return _undefined(network)
    return _over_layers(lambda layer: rms(layer.grad_c[1:]))(network)


def _undefined(network: RecurrentNetwork) -> Array:
    """NaN for all steps: the cell has no such thing."""
    return np.full((network.shape.length, network.runs), np.nan)


def _mean_over_layers(network: RecurrentNetwork, of_layer: Callable[[Layer], NDArray[Any]]) -> Array:
    """The mean over layers, units and samples of arrays (length, runs, units, samples)."""
    return np.mean([of_layer(layer).mean(axis=(-2, -1)) for layer in network.layers], axis=0)


def _openness(gate: str) -> Callable[[RecurrentNetwork], Array]:
    """Make a measure: how far a gate is open, its mean over units and samples."""

    def measure(network: RecurrentNetwork) -> Array:
        cell = network.shape.cell
        if gate not in cell.blocks:
            return _undefined(network)
        rows = cell.block(gate, network.shape.hidden)
        return _mean_over_layers(network, lambda layer: layer.a[:, :, rows])

    return measure


def _kept(network: RecurrentNetwork) -> Array:
    """What the gate that keeps the state leaves, from each step on to the last: its product, unit by unit, then the mean."""
    cell = network.shape.cell
    kept = np.zeros((network.shape.length, network.runs))
    if not cell.memory_gate:
        return _undefined(network)
    rows = cell.block(cell.memory_gate, network.shape.hidden)
    for layer in network.layers:
        left = np.ones_like(layer.a[0, :, rows])
        for step in range(network.shape.length - 1, -1, -1):
            np.multiply(left, layer.a[step, :, rows], left)
            kept[step] += left.mean(axis=(-2, -1)) / len(network.layers)
    return kept


def _saturated(network: RecurrentNetwork) -> Array:
    cell = network.shape.cell
    bounds = (-0.97, 0.97) if cell.squashed else network.shape.activation.saturation
    if bounds is None:
        return _undefined(network)
    low, high = bounds
    rows = cell.block(cell.squashed, network.shape.hidden) if cell.squashed else slice(0)

    def beyond(layer: Layer) -> NDArray[np.bool_]:
        state = layer.a[:, :, rows] if cell.squashed else layer.h[1:]
        return (state <= low) | (state >= high)

    return _mean_over_layers(network, beyond)


def _no_flat_ends(experiment: RecurrentExperiment) -> str:
    flat = experiment.unit.squashed or experiment.activation_function.saturation is not None
    return "" if flat else f"{experiment.activation} has no flat ends"


def _gate(name: str, does: str) -> Diagnostic:
    return Diagnostic(
        name=f"{name}_gate",
        title=f"{name} gate, mean",
        caption=f"How far the {name} gate is open, mean over units and samples: 1 {does}.",
        measure=_openness(name),
        label=f"{name} gate",
        stage=Stage.FORWARD,
        missing=lambda e: "" if name in e.unit.blocks else f"{e.cell} has no {name} gate",
        unit="share",
        span=(0, 1),
    )


TIME_DIAGNOSTICS = registry(
    [
        Diagnostic(
            name="state_gradient",
            label="dL/dh",
            title="dL/dh_t, RMS",
            caption="Size of the gradient that arrives at the state of a step from all later steps: root mean square over "
            "units and samples.",
            formula="√ mean (dL/dh_t)²",
            source="Pascanu et al. 2013, eq. 4 and 5",
            measure=_over_layers(lambda layer: rms(layer.grad_h[1:])),
        ),
        Diagnostic(
            name="cell_gradient",
            label="dL/dc",
            title="dL/dc_t, RMS",
            caption="The same at an LSTM's cell state, along which only the forget gate multiplies it.",
            formula="√ mean (dL/dc_t)²",
            source="Hochreiter & Schmidhuber 1997, section 3.2: the constant error carousel",
            measure=_cell_gradient,
            missing=lambda e: "" if e.unit.has_c else f"{e.cell} has no cell state c",
        ),
        Diagnostic(
            name="delta",
            label="dL/dz",
            title="dL/dz_t, RMS",
            caption="Size of the gradient at what goes into the activations of a step, all gates together.",
            formula="√ mean (dL/dz_t)²",
            measure=_over_layers(lambda layer: rms(layer.z)),
        ),
        Diagnostic(
            name="step_gradient",
            label="part of dL/dW_hh",
            title="step's part of dL/dW_hh, L2 norm",
            caption="What one step contributes to the gradient of the recurrent weights, before any clipping: summed over "
            "all steps, the contributions are the gradient.",
            formula="√ Σ (h_{t-1} dL/dz_t')²",
            source="Pascanu et al. 2013, eq. 4",
            measure=_contribution,
            stage=Stage.GRADIENT,
        ),
        Diagnostic(
            name="activation_std",
            label="spread of h",
            title="h_t, spread",
            caption="Standard deviation, over units and samples, of the state.",
            formula="std(h_t)",
            measure=_over_layers(lambda layer: std(layer.h[1:])),
            stage=Stage.FORWARD,
            span=(-6, 6),
        ),
        Diagnostic(
            name="saturated",
            label="saturated",
            title="saturated, share",
            caption="Share of states at the flat ends of the activation (tanh beyond ±0.97, sigmoid below 0.015 or above "
            "0.985); of an LSTM and a GRU, of the candidates for the state.",
            measure=_saturated,
            stage=Stage.FORWARD,
            missing=_no_flat_ends,
            unit="share",
            span=(0, 1),
        ),
        Diagnostic(
            name="kept",
            label="kept by the gate",
            title="kept by the gate from here on, mean",
            caption="What the forget gate of an LSTM, or the update gate of a GRU, leaves at the end of the state before this step: "
            "the product of the gate over this and all later steps, mean over units and samples. The direct path, along which "
            "nothing else acts.",
            formula="mean Π_{k≥t} f_k",
            source="Hochreiter & Schmidhuber 1997; Gers et al. 2000",
            measure=_kept,
            stage=Stage.FORWARD,
            missing=lambda e: "" if e.unit.memory_gate else f"{e.cell} has no such gate",
        ),
        _gate("forget", "keeps the whole cell state"),
        _gate("input", "lets the whole candidate in"),
        _gate("output", "shows the whole cell state"),
        _gate("update", "keeps the whole state, 0 takes the candidate"),
        _gate("reset", "lets the candidate see the whole state"),
    ]
)
