"""The layers of a net as a table: their shapes and parameters."""

from explorer.choices.experiment import Experiment
from explorer.training.network import Architecture, architecture


def layer_table(experiment: Experiment) -> list[dict[str, str]]:
    """Return one row a layer, first to last, and a row with the total, as tutorials print it."""
    shape = architecture(experiment)
    rows = []
    for layer in range(shape.layers):
        fan_in, fan_out = shape.fan(layer)
        weights, output = f"({fan_in}, {fan_out})", f"(samples, {fan_out})"
        rows.append(
            _row(str(layer + 1), _layer_words(experiment, shape, layer), weights, output, shape.parameters(layer))
        )
    return [*rows, _row("total", "", "", "", sum(shape.parameters(layer) for layer in range(shape.layers)))]


def _row(layer: str, words: str, weights: str, output: str, parameters: int) -> dict[str, str]:
    names = ("Layer", "What it is", "W (fan_in, fan_out)", "Output shape", "Parameters")
    return dict(zip(names, (layer, words, weights, output, f"{parameters:,}"), strict=True))


def _layer_words(experiment: Experiment, shape: Architecture, layer: int) -> str:
    if layer == shape.depth:
        return f"output, {experiment.output.name}"
    words = f"{experiment.normalization} norm, " * shape.normalized + experiment.activation
    source = shape.shortcut_source(layer)
    return words if source is None else f"{words}, plus the output of layer {source}"
