"""The table of layers that tutorials print: layer, output shape, parameters."""

from explorer.architecture import architecture
from explorer.experiment import Experiment


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
