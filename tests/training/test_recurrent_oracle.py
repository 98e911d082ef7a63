"""Whole trainings over time against PyTorch's RNN, LSTM and GRU, its optimizers and clipping, to 1e-10.

As in test_oracle: PyTorch gets the engine's first parameters, both take the
same batches, and after every update the parameters are compared. A truncated
training runs PyTorch's modules piece by piece, the state detached in between.
"""

import pytest

torch = pytest.importorskip("torch")

import numpy as np

from explorer.choices.cells import CELLS
from explorer.choices.clipping import CLIPPERS
from explorer.choices.losses import LOSSES
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.sequences import TASKS
from explorer.training.run import Training

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

torch.set_num_threads(1)
F = torch.nn.functional
TOLERANCE = 1e-10

# PyTorch's order of a cell's blocks, by our names; GRU's z is the update gate.
BLOCKS = {
    "RNN": ["state"],
    "LSTM": ["input", "forget", "candidate", "output"],
    "GRU": ["reset", "update", "candidate"],
}
OPTIMIZER = {
    "SGD": lambda p, rate: torch.optim.SGD(p, rate),
    "momentum": lambda p, rate: torch.optim.SGD(p, rate, momentum=0.9),
    "Adam": lambda p, rate: torch.optim.Adam(p, rate, betas=(0.9, 0.999), eps=1e-7),
}
KINDS = [("RNN", "tanh"), ("RNN", "ReLU"), ("LSTM", "tanh"), ("GRU", "tanh")]
each_kind = pytest.mark.parametrize(("cell", "activation"), KINDS)


class Net(torch.nn.Module):
    """One run of an experiment: PyTorch's own recurrent module and a linear layer on top."""

    def __init__(self, e, shape):
        super().__init__()
        self.e, self.shape = e, shape
        options = {"nonlinearity": e.activation.lower()} if e.cell == "RNN" else {}
        self.body = getattr(torch.nn, e.cell)(shape.inputs, e.hidden, e.stack, batch_first=True, **options)
        self.head = torch.nn.Linear(e.hidden, shape.outputs)
        self.double()

    def pairs(self, stack, run):
        """Every parameter of PyTorch that learns, with the same numbers out of an array of theta's shape."""
        cell, hidden, weights = self.shape.cell, self.e.hidden, self.shape.views(stack)
        for layer in range(self.e.stack):
            matrix, fan_in = weights.layers[layer][run], self.shape.fan_in(layer)
            from_x, from_h, bias = [], [], []
            for name in BLOCKS[self.e.cell]:
                columns = matrix[:, cell.block(name, hidden)]
                x_columns = columns
                if name in cell.unseen_by_x:  # GRU's candidate: what comes from x lies in a block of its own
                    x_columns = matrix[:, cell.block(f"{name}, from x", hidden)]
                from_x.append(x_columns[:fan_in].T)
                from_h.append(columns[self.shape.from_h(layer)].T)
                bias.append((x_columns[-1], columns[-1] if x_columns is not columns else None))
            yield getattr(self.body, f"weight_ih_l{layer}"), np.concatenate(from_x)
            yield getattr(self.body, f"weight_hh_l{layer}"), np.concatenate(from_h)
            # PyTorch adds two biases where one would do; only that within the reset gate's product is needed.
            yield getattr(self.body, f"bias_ih_l{layer}"), np.concatenate([first for first, _ in bias])
            second = [np.zeros(hidden) if other is None else other for _, other in bias]
            yield getattr(self.body, f"bias_hh_l{layer}"), np.concatenate(second)
        yield self.head.weight, weights.output[run, :-1].T
        yield self.head.bias, weights.output[run, -1]

    def load(self, theta, run):
        with torch.no_grad():
            for parameter, values in self.pairs(theta, run):
                parameter.copy_(torch.tensor(values))

    def second_bias(self):
        """Mask of the entries of bias_hh that must not learn, one a layer: all but GRU's candidate."""
        mask = torch.zeros(len(BLOCKS[self.e.cell]) * self.e.hidden, dtype=torch.float64)
        if self.e.cell == "GRU":
            mask[-self.e.hidden :] = 1.0
        return [(getattr(self.body, f"bias_hh_l{layer}"), mask) for layer in range(self.e.stack)]

    def forward(self, x):
        size, state, found = self.e.truncation or self.e.length, None, []
        for piece in torch.split(x, size, dim=1):
            h, state = self.body(piece, state)
            state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
            found.append(h)
        return self.head(torch.cat(found, dim=1)[:, self.shape.first_counted :])

    def loss(self, x, y):
        z, name = self(x), next(key for key, entry in LOSSES.items() if entry is self.e.loss_function)
        if name == "cross-entropy":
            return F.binary_cross_entropy_with_logits(z, y)
        a = z if self.e.dataset.regression else torch.sigmoid(z)
        return F.mse_loss(a, y) if name == "mean squared error" else 0.5 * F.mse_loss(a, y, reduction="sum")

    def difference(self, stack, run, of=lambda parameter: parameter.detach()):
        worst = 0.0
        for parameter, values in self.pairs(stack, run):
            mine = of(parameter).numpy()
            worst = max(worst, np.abs(mine - values).max() / max(np.abs(mine).max(), 1e-3))
        return worst


def compare(e):
    """Train both, run by run, and return the largest difference seen in gradients, parameters and answers."""
    training = Training(e)
    (group,), points = training.groups, training.points
    nets = [Net(e, group.shape) for _ in range(e.runs)]
    for run, net in enumerate(nets):
        net.load(group.theta, run)
    optimizers = [OPTIMIZER[e.optimizer](net.parameters(), e.learning_rate) for net in nets]
    x, y = torch.tensor(points.x), torch.tensor(points.y)
    size = max(e.batch_sizes())
    batches = [(x[k : k + size], y[k : k + size]) for k in range(0, len(x), size)]
    worst, lives = [], group.train()
    for _ in range(e.epochs):
        for inputs, targets in batches:
            next(lives)
            for run, net in enumerate(nets):
                optimizers[run].zero_grad()
                net.loss(inputs, targets).backward()
                for bias, mask in net.second_bias():
                    bias.grad.mul_(mask)
                if e.clip == "none":
                    gradient = group.networks[len(inputs)].gradient
                    worst.append(net.difference(gradient, run, lambda parameter: parameter.grad))
                elif e.clip == "norm":
                    torch.nn.utils.clip_grad_norm_(net.parameters(), e.threshold)
                else:
                    torch.nn.utils.clip_grad_value_(net.parameters(), e.threshold)
                optimizers[run].step()
                worst.append(net.difference(group.theta, run))
    for run, net in enumerate(nets):
        with torch.no_grad():
            z = net(x)
            expected = (z if e.dataset.regression else torch.sigmoid(z)).numpy()
        worst.append(np.abs(training.groups[0].answers(points.x, run) - expected).max())
    return max(worst)


def small(**changes):
    settings = {"length": 9, "hidden": 5, "samples": 12, "runs": 2, "epochs": 12, "order": "fixed", "seed": 3}
    return RecurrentExperiment(**{**settings, "learning_rate": 0.01, "forget_bias": 0.7, **changes})


def test_every_cell_has_its_counterpart():
    assert set(BLOCKS) == set(CELLS)


@pytest.mark.parametrize("truncation", [0, 4])
@pytest.mark.parametrize("stack", [1, 2, 3])
@pytest.mark.parametrize("task", TASKS)
@each_kind
def test_every_cell_task_stack_and_cut_trains_as_in_pytorch(cell, activation, task, stack, truncation):
    e = small(cell=cell, activation=activation, task=task, stack=stack, truncation=truncation)
    assert compare(e) < TOLERANCE


@pytest.mark.parametrize("batch", ["full", "4"])
@pytest.mark.parametrize("clip", CLIPPERS)
@pytest.mark.parametrize("optimizer", OPTIMIZER)
@each_kind
def test_every_clipping_and_optimizer_trains_as_in_pytorch(cell, activation, optimizer, clip, batch):
    e = small(
        cell=cell, activation=activation, task="sine", optimizer=optimizer, clip=clip, threshold=0.05, batch=batch
    )
    assert compare(e.but(learning_rate=0.005)) < TOLERANCE


@pytest.mark.parametrize("loss", LOSSES)
@each_kind
def test_every_loss_trains_as_in_pytorch(cell, activation, loss):
    assert compare(small(cell=cell, activation=activation, task="copy", loss=loss)) < TOLERANCE


@each_kind
def test_a_hundred_steps_are_as_in_pytorch(cell, activation):
    e = small(cell=cell, activation=activation, task="adding", length=100, hidden=16, epochs=4, optimizer="Adam")
    assert compare(e.but(clip="norm", learning_rate=0.001)) < TOLERANCE
