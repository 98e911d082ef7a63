"""Whole trainings against PyTorch's autograd, layers, optimizers and clipping, to 1e-10.

The module is built from scratch and gets the engine's first parameters; both
then take the same batches, and after every update the parameters are compared.
Rates are small enough that no rounding error is blown up: a net that bounces
multiplies a difference of 1e-16 tenfold at every update, in either program.
"""

import pytest

torch = pytest.importorskip("torch")

import numpy as np

from explorer import Experiment
from explorer.choices.activations import ACTIVATIONS
from explorer.choices.clipping import CLIPPERS
from explorer.choices.experiment import SKIPS
from explorer.choices.initializers import INITIALIZERS
from explorer.choices.losses import LOSSES
from explorer.choices.normalizations import NORMALIZATIONS
from explorer.choices.optimizers import OPTIMIZERS
from explorer.training.run import Training

# Inside `advance` overflow is a finding, not an error; tests that go around it must not be noisy either. Kernels make many
# updates in a call; NumPy, against which other tests hold them, can be stopped after each.
pytestmark = [pytest.mark.filterwarnings("ignore::RuntimeWarning"), pytest.mark.usefixtures("in_numpy")]

torch.set_num_threads(1)
F = torch.nn.functional
TOLERANCE = 1e-10


def exact_sigmoid(z):
    """The sigmoid with a slope that stays exact; torch.sigmoid's own, a (1 - a), loses its digits where a is near 1."""
    return torch.exp(F.logsigmoid(z))


FUNCTIONS = {
    "sigmoid": exact_sigmoid,
    "tanh": torch.tanh,
    "ReLU": F.relu,
    "leaky ReLU": lambda z: F.leaky_relu(z, 0.01),
    "ELU": F.elu,
    "SELU": F.selu,
    "GELU": F.gelu,
    "SiLU": F.silu,
    "softplus": lambda z: F.softplus(z, threshold=1e3),
    "linear": lambda z: z,
}
MEAN_SLOPE = (1 / 8 + 1 / 3) / 2
OPTIMIZER = {
    "SGD": lambda p, rate: torch.optim.SGD(p, rate),
    "momentum": lambda p, rate: torch.optim.SGD(p, rate, momentum=0.9),
    "Nesterov": lambda p, rate: torch.optim.SGD(p, rate, momentum=0.9, nesterov=True),
    "RMSprop": lambda p, rate: torch.optim.RMSprop(p, rate, alpha=0.9, eps=1e-8),
    "Adam": lambda p, rate: torch.optim.Adam(p, rate, betas=(0.9, 0.999), eps=1e-7),
}
CRITERIA = {
    "half squared error": lambda z, y, squash: 0.5 * F.mse_loss(squash(z), y, reduction="sum"),
    "mean squared error": lambda z, y, squash: F.mse_loss(squash(z), y),
    "cross-entropy": lambda z, y, squash: F.binary_cross_entropy_with_logits(z, y),
}


class Net(torch.nn.Module):
    """One run of an experiment, with the parameters of a stacked array."""

    def __init__(self, e, inputs):
        super().__init__()
        self.e = e
        sizes = [inputs // e.places] + [e.width] * e.depth + [1]
        layers = range(e.layers)
        no_bias = [e.bias == "none" or (e.normalization == "batch" and k < e.depth) for k in layers]
        self.linear = torch.nn.ModuleList(self.layer(k, sizes[k], sizes[k + 1], not no_bias[k]) for k in layers)
        norm = {"none": None, "batch": torch.nn.BatchNorm1d, "layer": torch.nn.LayerNorm}[e.normalization]
        self.norm = torch.nn.ModuleList(norm(e.width) for _ in range(e.depth)) if norm else None
        self.double()

    def layer(self, k, fan_in, fan_out, bias):
        if self.e.layer == "dense" or k == self.e.depth:
            return torch.nn.Linear(fan_in, fan_out, bias=bias)
        return torch.nn.Conv1d(fan_in, fan_out, 3, padding=1, bias=bias)

    def stacked(self):
        """Every parameter with its place in a run's stacked array."""
        # Behind W, of which a convolution has three times the rows
        row = max(self.e.width * (1 if self.e.layer == "dense" else 3), self.linear[0].weight[0].numel())
        for k, linear in enumerate(self.linear):
            units, fan_in = len(linear.weight), linear.weight[0].numel()
            yield (k, slice(0, fan_in), slice(0, units)), linear.weight
            if linear.bias is not None:
                yield (k, row, slice(0, units)), linear.bias
            if self.norm is not None and k < len(self.norm):
                yield (k, row + 1), self.norm[k].weight
                yield (k, row + 2), self.norm[k].bias

    @staticmethod
    def as_stacked(parameter):
        """W transposed; of a convolution, (units, channels, taps), the middle tap first, then the left and the right one."""
        if parameter.ndim == 3:
            parameter = torch.cat([parameter[:, :, tap] for tap in (1, 0, 2)], dim=1)
        return parameter.T if parameter.ndim == 2 else parameter

    def load(self, theta):
        with torch.no_grad():
            for index, parameter in self.stacked():
                block = torch.tensor(theta[index])
                if parameter.ndim == 3:
                    middle, left, right = block.T.chunk(3, dim=1)
                    parameter.copy_(torch.stack([left, middle, right], dim=2))
                else:
                    parameter.copy_(block.T if block.ndim == 2 else block)

    def difference(self, theta):
        """Largest difference of any parameter to the engine's, relative to the largest in its block."""
        worst = 0.0
        for index, parameter in self.stacked():
            mine = self.as_stacked(parameter.detach()).numpy()
            worst = max(worst, np.abs(mine - theta[index]).max() / max(np.abs(mine).max(), 1e-3))
        return worst

    def forward(self, x, slopes=None):
        slides = self.e.layer != "dense"
        skip, h = SKIPS[self.e.skip], [x[:, None] if slides else x]
        for k in range(self.e.depth):
            n = self.linear[k](h[-1])
            if self.norm is not None:
                over_channels = slides and self.e.normalization == "layer"
                n = self.norm[k](n.transpose(1, 2)).transpose(1, 2) if over_channels else self.norm[k](n)
            if self.e.activation == "randomized ReLU":
                below = MEAN_SLOPE if slopes is None else torch.tensor(slopes[k].T)
                if slides and slopes is not None:  # columns are places, and at each of them samples
                    below = below.reshape(-1, len(x), n.shape[1]).permute(1, 2, 0)
                a = torch.where(n > 0, n, below * n)
            else:
                a = FUNCTIONS[self.e.activation](n)
            ends = (skip == 1 and k >= 1) or (skip == 2 and k >= 2 and k % 2 == 0)
            h.append(a + h[k + 1 - skip] if ends else a)
        return self.linear[-1](h[-1].mean(dim=2) if slides else h[-1])[:, 0]


def compare(e):
    """Train both, run by run, and return the largest difference seen in parameters and answers."""
    training = Training(e)
    (group,), points = training.groups, training.points
    nets = [Net(e, points.x.shape[1]) for _ in range(e.runs)]
    for run, net in enumerate(nets):
        net.load(group.theta[:, run])
    optimizers = [OPTIMIZER[e.optimizer](net.parameters(), e.learning_rate) for net in nets]
    squash = (lambda z: z) if e.dataset.regression else exact_sigmoid
    name = next(key for key, entry in LOSSES.items() if entry is e.loss_function)
    x, y = torch.tensor(points.x), torch.tensor(points.y)
    size = max(e.batch_sizes())
    batches = [(x[k : k + size], y[k : k + size]) for k in range(0, len(x), size)]
    worst, lives, updates = [max(net.difference(group.theta[:, run]) for run, net in enumerate(nets))], group.train(), 0
    for epoch in range(e.epochs):
        for inputs, targets in batches:
            next(lives)
            random = group.networks[len(inputs)].random
            for run, net in enumerate(nets):
                optimizers[run].zero_grad()
                z = net(inputs, None if random is None else random[:, run])
                CRITERIA[name](z, targets, squash).backward()
                if e.clip == "norm":
                    torch.nn.utils.clip_grad_norm_(net.parameters(), e.threshold)
                elif e.clip == "value":
                    torch.nn.utils.clip_grad_value_(net.parameters(), e.threshold)
                optimizers[run].step()
                worst.append(net.difference(group.theta[:, run]))
            updates += 1
        assert group.epoch == epoch
    assert updates == e.epochs * len(e.batch_sizes())
    grid = np.random.default_rng(0).normal(size=(30, points.x.shape[1]))
    for run, net in enumerate(nets):
        net.eval()
        with torch.no_grad():
            expected = squash(net(torch.tensor(grid))).numpy()
        worst.append(np.abs(training.answers(grid, run) - expected).max())
    return max(worst)


def moons(**changes):
    usual = {"task": "moons", "samples": 20, "depth": 5, "width": 4, "activation": "tanh", "initializer": "LeCun"}
    usual |= {"epochs": 15, "runs": 2, "seed": 3, "order": "fixed", "learning_rate": 0.01}
    return Experiment(**{**usual, **changes})


def known(names, table):
    return [
        pytest.param(n, marks=() if n in table else pytest.mark.skip("PyTorch's is not written here")) for n in names
    ]


each_activation = pytest.mark.parametrize("activation", known(ACTIVATIONS, {*FUNCTIONS, "randomized ReLU"}))
each_optimizer = pytest.mark.parametrize("optimizer", known(OPTIMIZERS, OPTIMIZER))
each_normalization = pytest.mark.parametrize("normalization", NORMALIZATIONS)


@pytest.mark.parametrize("skip", SKIPS)
@each_normalization
@each_activation
def test_every_activation_normalization_and_skip_trains_as_in_pytorch(activation, normalization, skip):
    assert compare(moons(activation=activation, normalization=normalization, skip=skip)) < TOLERANCE


@pytest.mark.parametrize("skip", SKIPS)
@each_normalization
@each_activation
def test_convolutions_train_as_in_pytorch(activation, normalization, skip):
    e = moons(task="signal XOR", layer="convolution", activation=activation, normalization=normalization, skip=skip)
    assert compare(e.but(batch="8", epochs=5)) < TOLERANCE


@pytest.mark.parametrize(("batch", "optimizer"), [("full", "Adam"), ("1", "SGD"), ("8", "momentum")])
@pytest.mark.parametrize("initializer", ["uniform", "Glorot uniform", "orthogonal"])
def test_convolutions_start_and_answer_as_in_pytorch(initializer, batch, optimizer):
    e = moons(task="signal XOR", layer="convolution", width=5, initializer=initializer, batch=batch)
    assert compare(e.but(optimizer=optimizer, learning_rate=0.003)) < TOLERANCE


@pytest.mark.parametrize("batch", ["full", "8", "2", "1"])
@pytest.mark.parametrize("clip", CLIPPERS)
@each_optimizer
def test_every_optimizer_clipper_and_batch_size_trains_as_in_pytorch(optimizer, clip, batch):
    e = moons(optimizer=optimizer, clip=clip, threshold=0.05, batch=batch, learning_rate=0.005, epochs=15)
    assert compare(e) < TOLERANCE


# Two samples normalize to -1 and 1: their gradient is 0 but for rounding, which Adam would make a full step of.
@pytest.mark.parametrize(
    ("optimizer", "batch"), [(o, b) for o in ("SGD", "Adam") for b in ("full", "8", "4")] + [("SGD", "2")]
)
def test_batch_norm_trains_and_answers_as_in_pytorch(optimizer, batch):
    e = moons(normalization="batch", optimizer=optimizer, batch=batch, learning_rate=0.005, samples=18)
    assert compare(e) < TOLERANCE


@pytest.mark.parametrize("bias", ["usual", "zeros", "none"])
@each_normalization
def test_every_kind_of_bias_trains_as_in_pytorch(normalization, bias):
    assert compare(moons(bias=bias, normalization=normalization, initializer="uniform")) < TOLERANCE


@pytest.mark.parametrize(
    ("task", "loss"),
    [(t, n) for t in ("moons", "curve", "XOR") for n, entry in LOSSES.items() if entry.regression or t != "curve"],
)
def test_every_loss_trains_as_in_pytorch(task, loss):
    assert loss in CRITERIA
    assert compare(moons(task=task, loss=loss, learning_rate=0.005)) < TOLERANCE


@pytest.mark.parametrize("initializer", [n for n in INITIALIZERS if n not in ("zeros",)])
def test_every_start_trains_as_in_pytorch(initializer):
    assert compare(moons(initializer=initializer, activation="sigmoid")) < TOLERANCE


@pytest.mark.parametrize("skip", ["none", "one layer"])
def test_the_tutorials_recipe_trains_as_in_pytorch(skip):
    e = Experiment(
        initializer="positive uniform", optimizer="Adam", learning_rate=1e-3, batch="1", order="fixed", epochs=60,
        runs=2, skip=skip,
    )  # fmt: skip
    assert compare(e) < TOLERANCE


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "ELU", "SELU", "GELU", "SiLU", "softplus", "leaky ReLU"])
def test_a_functions_value_and_slope_are_pytorchs(name):
    z = torch.linspace(-12, 12, 481, dtype=torch.float64, requires_grad=True)
    a = FUNCTIONS[name](z)
    a.sum().backward()
    values = z.detach().numpy()
    entry = ACTIVATIONS[name]
    np.testing.assert_allclose(entry.f(values, np.empty_like(values)), a.detach().numpy(), rtol=1e-9, atol=1e-13)
    away = values != 0
    slope = entry.df(values, np.empty_like(values))
    np.testing.assert_allclose(slope[away], z.grad.numpy()[away], rtol=1e-9, atol=1e-13)
