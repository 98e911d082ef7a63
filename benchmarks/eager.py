"""The same training in PyTorch, eagerly, as its own tutorials write it; float64, one thread."""

from collections.abc import Iterator

import torch
from torch import nn

from benchmarks import textbook
from explorer.choices.experiment import Experiment
from explorer.choices.normalizations import EPSILON

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


class Skip(nn.Module):
    """y = x + block(x)."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return x plus what the block makes of it."""
        return x + self.block(x)


ACTIVATIONS: dict[type[textbook.Layer], type[nn.Module]] = {
    textbook.Sigmoid: nn.Sigmoid,
    textbook.Tanh: nn.Tanh,
    textbook.ReLU: nn.ReLU,
}


def _module(layer: textbook.Layer) -> nn.Module:
    """Translate one layer of the textbook's net, weights included."""
    if isinstance(layer, textbook.Dense):
        fan_in, fan_out = layer.weights.shape
        linear = nn.Linear(fan_in, fan_out, bias=layer.bias is not None)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(layer.weights.T))
            if layer.bias is not None:
                linear.bias.copy_(torch.from_numpy(layer.bias))
        return linear
    if isinstance(layer, textbook.BatchNorm):
        return nn.BatchNorm1d(len(layer.scale), eps=EPSILON)
    if isinstance(layer, textbook.Skip):
        return Skip(nn.Sequential(*map(_module, layer.block)))
    return ACTIVATIONS[type(layer)]()


def build(experiment: Experiment, run: int = 0) -> nn.Module:
    """Build the net of one of an experiment's runs, with the very weights the engine starts from."""
    return nn.Sequential(*map(_module, textbook.build(experiment, run).layers))


def _half_squared_error(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return 0.5 * (torch.sigmoid(z) - y).square().sum()


def train(experiment: Experiment, net: nn.Module) -> Iterator[torch.Tensor]:
    """Train as `textbook.train` does; yields the L2 norm of every layer's dL/dW, before clipping."""
    points = experiment.points()
    x, y = torch.from_numpy(points.x), torch.from_numpy(points.y[:, None])
    halved = experiment.loss_function.name == "half squared error"
    loss = _half_squared_error if halved else nn.functional.binary_cross_entropy_with_logits
    optimizer = torch.optim.SGD(net.parameters(), lr=experiment.learning_rate)
    weights = [module.weight for module in net.modules() if isinstance(module, nn.Linear)]
    while True:
        optimizer.zero_grad()
        loss(net(x), y).backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            norms = torch.stack([torch.linalg.vector_norm(weight.grad) for weight in weights])
        nn.utils.clip_grad_norm_(net.parameters(), experiment.threshold)
        optimizer.step()
        yield norms
