"""Why: what multiplies the gradient from one layer to the one below it.

On its way back dL/dz passes the weights of the layer above, meets what a skip
brings along, is multiplied by the activation's slope and goes through the
normalization. Each step's effect on its RMS is a factor; in decades the four
add up to the whole, exactly, because means of logarithms are taken.
"""

from dataclasses import dataclass

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.experiment import Experiment
from explorer.diagnosis.seeds import logarithm
from explorer.training.history import History
from explorer.training.network import architecture


@dataclass(frozen=True, eq=False)
class Why:
    """Factors in decades, mean over seeds.

    Attributes
    ----------
    parts : dict of str to (depth,) array
        For "weights", "skip", "slope" and "normalization", per hidden layer,
        first to last; not finite where the gradient is 0 or not finite.
    total : (depth,) array
        log10 of RMS dL/dz of the layer over that of the layer above: their sum.
    seeds : int
        How many seeds had finite, non-zero gradients in every layer and count.
    """

    parts: dict[str, Array]
    total: Array
    seeds: int


def decompose(history: History, record: int) -> Why:
    """Split the change of RMS dL/dz at each hidden layer into its parts, at one record."""
    stations = {
        name: logarithm(history.measures[name][:, record])
        for name in ("delta", "through_weights", "through_skip", "through_slope")
    }
    finite = np.atleast_1d(np.isfinite(stations["delta"]).all(axis=1))
    usable = np.flatnonzero(finite) if finite.any() else np.arange(len(finite))
    above = stations["delta"][usable, 1:]
    weights, skip, slope = (
        stations[name][usable, :-1] for name in ("through_weights", "through_skip", "through_slope")
    )
    delta = stations["delta"][usable, :-1]
    with np.errstate(invalid="ignore"):
        steps = {
            "weights": weights - above,
            "skip": skip - weights,
            "slope": slope - skip,
            "normalization": delta - slope,
        }
        parts = {name: values.mean(axis=0) for name, values in steps.items()}
        total = (delta - above).mean(axis=0)
    experiment = history.experiment
    if experiment.skip == "none":
        del parts["skip"]
    if experiment.normalization == "none":
        del parts["normalization"]
    return Why(parts, total, int(finite.sum()))


# --- The table of layers that tutorials print: layer, output shape, parameters ---


def layer_table(experiment: Experiment) -> list[dict[str, str]]:
    """Return one row a layer, first to last, and a row with the total."""
    shape = architecture(experiment)
    rows = []
    for layer in range(shape.layers):
        fan_in, fan_out = shape.fan(layer)
        source = shape.shortcut_source(layer) if layer < shape.depth else None
        hidden = layer < shape.depth
        kind = experiment.activation if hidden else f"output, {experiment.output.name}"
        if hidden and shape.normalized:
            kind = f"{experiment.normalization} norm, {kind}"
        if source is not None:
            kind += f", plus the output of layer {source}"
        rows.append(
            {
                "Layer": str(layer + 1),
                "What it is": kind,
                "W (fan_in, fan_out)": f"({fan_in}, {fan_out})",
                "Output shape": f"(samples, {fan_out})",
                "Parameters": f"{shape.parameters(layer):,}",
            }
        )
    total = sum(shape.parameters(layer) for layer in range(shape.layers))
    rows.append(
        {"Layer": "total", "What it is": "", "W (fan_in, fan_out)": "", "Output shape": "", "Parameters": f"{total:,}"}
    )
    return rows
