"""Textbook: the present net as a textbook writes it, in NumPy and in PyTorch; only what the setting uses is in it.

The lines are put together from the setting and give the engine's gradients, as tests make sure. They are for reading and
retyping: samples in rows, one net, no thought of speed. A convolution is a product with the same W at every place, of what
a unit sees there.
"""

from explorer.choices.activations import ACTIVATIONS, Written
from explorer.choices.experiment import Experiment
from explorer.choices.settings import FULL

Lines = list[str]


def written(experiment: Experiment) -> dict[str, tuple[str, str]]:
    """Return the textbook's versions by name: what to say of each, and its lines; of a setting that has none no lines."""
    if missing := uncovered(experiment):
        return {"Textbook": (missing, "")}
    return {
        "Textbook": (
            f"This net, to retype: it gives the same gradients. {remarks(experiment)}",
            numpy_lines(experiment),
        ),
        "PyTorch": (
            f"The same net in PyTorch, which {_KEEPS[experiment.layer_kind.slides]} and initializes it in its own way.",
            torch_lines(experiment),
        ),
    }


# How PyTorch keeps W, by whether layers slide.
_KEEPS = {False: "keeps W transposed", True: "keeps W of a convolution as (channels out, channels in, places seen)"}


def uncovered(experiment: Experiment) -> str:
    """Say what of a setting has no textbook version, or return the empty text.

    >>> uncovered(Experiment())
    ''
    """
    if experiment.activation_function.written is None:
        return f"There is no textbook version of {experiment.activation}: read the functions that ran."
    if not experiment.update_rule.torch:
        return f"There is no textbook version of {experiment.optimizer}: read the functions that ran."
    return ""


def remarks(experiment: Experiment) -> str:
    """Say what of a setting the textbook's lines in NumPy leave out."""
    told = [f"It leaves out how the weights start ({experiment.initializer})"]
    if experiment.update_rule.slots:
        told.append(f"it leaves out {experiment.optimizer} too, which turns these gradients into an update")
    if experiment.batch != FULL:
        told.append("X and y are one batch")
    return f"{'; '.join(told)}."


def numpy_lines(experiment: Experiment) -> str:
    """Write forward and backward pass, and clipping and update where there are any; there must be nothing `uncovered`.

    The functions are f, slope, forward, backward and, as the setting has them, clip and update.
    """
    net = _Parts(experiment)
    blocks = [
        ["import numpy as np", *net.imports, "", *net.shapes],
        net.before,
        _sees(experiment),
        ["def f(z):", f"    return {net.f}"],
        ["def slope(z):  # f'(z)", f"    return {net.slope}"],
        net.forward(),
        net.backward(),
        _clip(experiment),
        _update(experiment),
    ]
    return "\n\n\n".join("\n".join(block) for block in blocks if block) + "\n"


# By how many layers a skip goes over: behind which layers one ends, and what it adds.
_SKIPS = {1: ("k >= 1", "h[k]"), 2: ("k >= 2 and k % 2 == 0", "h[k - 1]")}


class _Parts:
    """The parts of the lines in NumPy that a setting decides."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment, self.normalizes = experiment, experiment.normalizer.axis is not None
        written = _written(experiment)
        self.f, self.slope, first = written.f, written.slope, written.first.splitlines()
        self.imports = [line for line in first if line.startswith("from ")]
        self.before = [line for line in first if line and line not in self.imports]
        self.slides = experiment.layer_kind.slides
        # Samples are in rows, where layers slide places after them: what the engine takes over its last axis is here taken
        # over `every`, and what it takes over units over the last axis.
        self.every = "(0, 1)" if self.slides else "0"
        self.axis = self.every if experiment.normalizer.uses_batch else "2" if self.slides else "1"
        self.bias = experiment.has_biases
        self.hidden_bias = self.bias and not experiment.normalizer.uses_batch
        self.names = ["W", *["b"] * self.bias, *["gamma", "beta"] * self.normalizes]
        self.inside = "n" if self.normalizes else "z"

    @property
    def shapes(self) -> Lines:
        """Say what the arguments are."""
        e = self.experiment
        inputs, W, b = "inputs", "(fan_in, fan_out)", "(fan_out,)"
        if self.slides:
            inputs, W, b = "places", f"({len(e.layer_kind.taps)} * channels in, channels out)", "(channels out,)"
        lines = [f"# X: (samples, {inputs}), y: (samples, 1). Of every layer k, counted from 0:"]
        lines.append(f"# W[k]: {W}{f', b[k]: {b}' * self.bias}; the last layer is the output, one unit.")
        if self.slides:
            lines.append("# It sees the mean over places: W[-1] is (channels, 1).")
        if self.bias and not self.hidden_bias:
            lines.append("# Batch norm takes the mean away and with it every b: only the output has one, b[-1].")
        if self.normalizes:
            lines.append(f"# gamma[k] and beta[k]: {b}, of hidden layers.")
        if e.skipped:
            begins, which = {1: ("h[k]", "k >= 1."), 2: ("h[k - 1]", "k = 2, 4, 6 and so on.")}[e.skipped]
            lines.append(f"# Skips over {e.skip}: h[k + 1] = {begins} + f(...) of hidden layers {which}")
        return lines

    def forward(self) -> Lines:
        """Return the function of the forward pass."""
        kept = ["u, std", "n"] if self.normalizes else []
        lines = [f"def forward({', '.join(['X', *self.names])}):"]
        sees, last = "h[k]", "h[-1]"
        if self.slides:
            lines += [
                "    h, s, z = [X[:, :, None]], [], []  # h[k]: (samples, places, channels), s[k]: what layer k sees"
            ]
            sees, last = "s[k]", "s[-1]"
        else:
            lines += ["    h, z = [X], []  # h[k]: what goes into layer k"]
        if self.normalizes:
            lines += ["    u, std, n = [], [], []  # u: z with mean 0 and variance 1"]
        lines += ["    for k in range(len(W) - 1):", *["        s.append(see(h[k]))"] * self.slides]
        lines += [f"        z.append({sees} @ W[k]{' + b[k]' * self.hidden_bias})"]
        if self.normalizes:
            axis = self.axis
            lines += [
                f"        std.append(np.sqrt(z[k].var(axis={axis}, keepdims=True) + 1e-5))",
                f"        u.append((z[k] - z[k].mean(axis={axis}, keepdims=True)) / std[k])",
                "        n.append(gamma[k] * u[k] + beta[k])",
            ]
        lines += [f"        h.append(f({self.inside}[k]))"]
        if self.experiment.skipped:
            where, what = _SKIPS[self.experiment.skipped]
            lines += [f"        if {where}:", f"            h[k + 1] = h[k + 1] + {what}  # the skip"]
        lines += ["    s.append(h[-1].mean(axis=1))  # the mean over places"] * self.slides
        lines += [f"    z.append({last} @ W[-1]{' + b[-1]' * self.bias})"]
        return [*lines, f"    return {', '.join([last[0], 'z', *kept])}"]

    def backward(self) -> Lines:
        """Return the function of the backward pass."""
        norm = ["u", "std", "n"] if self.normalizes else []
        scales = ["gamma"] if self.normalizes else []
        made = [f"d{name}" for name in self.names]
        inputs = "s" if self.slides else "h"
        lines = [f"def backward({', '.join(['y', 'W', *scales, inputs, 'z', *norm])}):"]
        lines += [f"    {', '.join(made)} = {', '.join(['[None] * len(W)'] * len(made))}", *self._loss()]
        if self.bias and not self.hidden_bias:
            lines += ["    db[-1] = delta.sum(axis=0)"]
        if self.experiment.skipped == 1:
            lines += ["    dh = 0"]
        if self.experiment.skipped == 2:
            lines += ["    dh = [None] * len(W)"]
        dW, db = "h[k].T @ delta", "delta.sum(axis=0)"
        if self.slides:
            dW, db = "rows(s[k]).T @ rows(delta)", "rows(delta).sum(axis=0)"
        lines += ["    for k in reversed(range(len(W))):", f"        dW[k] = {dW}"]
        if self.hidden_bias:
            lines += [f"        db[k] = {db}"]
        return [*lines, "        if k > 0:", *self._to_dz(), f"    return {', '.join(made)}"]

    def _loss(self) -> Lines:
        """dL/dz of the output unit."""
        loss, output = self.experiment.loss_function.written, self.experiment.output
        answer = ACTIVATIONS[output.name].written
        assert answer is not None  # sigmoid and linear have one
        lines = [f"    a = {answer.f.replace('z', 'z[-1]')}  # the answers"]
        own = "" if loss.of_z or not output.bends else " * a * (1 - a)"
        slope = f"({loss.slope})" if own and loss.slope.startswith("a") else loss.slope
        return [*lines, f"    delta = {slope}{own}  # dL/dz of the output, L = {loss.value}"]

    def _by_weights(self, name: str, how: str = "") -> Lines:
        """dL/dh[k] as far as it comes by the weights of the layer above."""
        if not self.slides:
            return [f"{name} = delta @ W[k].T  # dL/dh[k]{how}"]
        share = "ds[:, None] / s[0].shape[1]  # of a mean, each place has its share"
        ways = ["if k < len(W) - 1:", f"    {name} = give_back(ds)  # dL/dh[k]{how}", "else:", f"    {name} = {share}"]
        return ["ds = delta @ W[k].T  # dL/ds[k]", *ways]

    def _to_dz(self) -> Lines:
        """From delta, dL/dz of layer k, to that of layer k - 1."""
        d = "            "
        if self.experiment.skipped == 1:
            made = self._by_weights("by_weights") if self.slides else Lines()
            back, dh = "by_weights" if self.slides else "delta @ W[k].T", "dh"
            lines = [*made, f"dh = {back} + dh  # dL/dh[k]: by the weights, and by the skip as it is"]
        elif self.experiment.skipped == 2:
            lines, dh = self._by_weights("dh[k]", ", by the weights"), "dh[k]"
            lines += ["if k % 2 == 1 and k + 2 < len(W):", "    dh[k] = dh[k] + dh[k + 2]  # by the skip"]
        else:
            lines, dh = self._by_weights("dh"), "dh"
        lines = [f"{d}{line}" for line in lines]
        if not self.normalizes:
            return [*lines, f"{d}delta = {dh} * slope(z[k - 1])  # dL/dz[k - 1]"]
        mean = f"mean(axis={self.axis}, keepdims=True)"
        return [
            *lines,
            f"{d}dn = {dh} * slope(n[k - 1])",
            f"{d}dgamma[k - 1] = (dn * u[k - 1]).sum(axis={self.every})",
            f"{d}dbeta[k - 1] = dn.sum(axis={self.every})",
            f"{d}du = dn * gamma[k - 1]",
            f"{d}along = u[k - 1] * (du * u[k - 1]).{mean}",
            f"{d}delta = (du - du.{mean} - along) / std[k - 1]  # dL/dz[k - 1]",
        ]


def _sees(experiment: Experiment) -> Lines:
    """What a unit of a convolution sees, and the way back of it."""
    if not experiment.layer_kind.slides:
        return []
    taps = experiment.layer_kind.taps
    reach, many = max(map(abs, taps)), len(taps)
    padded = f"{reach} + t : {reach} + t + h.shape[1]"
    return [
        f"seen = {taps}  # the places that a unit sees, counted from its own; beyond the ends they hold 0",
        "",
        "",
        "def see(h):  # (samples, places, channels): beside the channels of each place those of its neighbours",
        f"    padded = np.pad(h, ((0, 0), ({reach}, {reach}), (0, 0)))",
        f"    return np.concatenate([padded[:, {padded}] for t in seen], axis=2)",
        "",
        "",
        "def give_back(ds):  # the way back: each place adds up the gradients of all who saw it",
        f"    parts = np.split(ds, {many}, axis=2)",
        f"    dh = np.pad(np.zeros_like(parts[0]), ((0, 0), ({reach}, {reach}), (0, 0)))",
        "    for t, part in zip(seen, parts):",
        f"        dh[:, {padded.replace('h.shape', 'ds.shape')}] += part",
        f"    return dh[:, {reach}:-{reach}]",
        "",
        "",
        "def rows(a):  # of all samples and places",
        "    return a.reshape(-1, a.shape[-1])",
    ]


def _written(experiment: Experiment) -> Written:
    written = experiment.activation_function.written
    if written is None:
        raise ValueError(uncovered(experiment))
    return written


# How each way of clipping is written: NumPy and PyTorch, by whether the threshold is that of each entry.
_BY_ENTRY = ["def clip(gradients, c={c}):  # every entry", "    return [np.clip(g, -c, c) for g in gradients]"]
_BY_NORM = [
    "def clip(gradients, c={c}):  # the norm over all gradients together",
    "    norm = np.sqrt(sum((g**2).sum() for g in gradients))",
    "    return [g * min(1, c / (norm + 1e-6)) for g in gradients]",
]


def _clip(experiment: Experiment) -> Lines:
    if not experiment.clipper.limits:
        return []
    lines = _BY_ENTRY if experiment.clipper.by_entry else _BY_NORM
    return [line.replace("{c}", repr(experiment.threshold)) for line in lines]


def _update(experiment: Experiment) -> Lines:
    """Gradient descent; other rules are the optimizers' own."""
    if experiment.update_rule.slots:
        return []
    clipped = "clip(gradients)" if experiment.clipper.limits else "gradients"
    return [
        "def update(parameters, gradients):  # lists of arrays",
        f"    for p, g in zip(parameters, {clipped}):",
        f"        p -= {experiment.learning_rate!r} * g",
    ]


# --- PyTorch -------------------------------------------------------------------------------------


def torch_lines(experiment: Experiment) -> str:
    """Write the net, the loss and one update in PyTorch; there must be nothing `uncovered`."""
    loss = experiment.loss_function.written
    step = [f"optimizer = {experiment.update_rule.torch.format(rate=experiment.learning_rate)}", "", ""]
    inputs = "places" if experiment.layer_kind.slides else "inputs"
    step += [f"def update(x, y):  # x: (samples, {inputs}), y: (samples, 1)", "    z = net(x)"]
    if not loss.of_z:
        step += [f"    a = {'torch.sigmoid(z)' if experiment.output.bends else 'z'}"]
    step += [f"    loss = {loss.torch}", "    optimizer.zero_grad()", "    loss.backward()"]
    if experiment.clipper.limits:
        name = "clip_grad_value_" if experiment.clipper.by_entry else "clip_grad_norm_"
        step += [f"    torch.nn.utils.{name}(net.parameters(), {experiment.threshold!r})"]
    step += ["    optimizer.step()", "    return loss.item()"]
    blocks = [
        ["import torch", "import torch.nn.functional as F", "", "torch.set_default_dtype(torch.float64)"],
        _module(experiment),
        ["net = Net()", *step],
    ]
    return "\n\n\n".join("\n".join(block) for block in blocks) + "\n"


def _module(experiment: Experiment) -> Lines:
    """The net as a module. PyTorch keeps W as `_KEEPS` says, and starts it in its own way."""
    e, width = experiment, experiment.width
    slides, taps = e.layer_kind.slides, e.layer_kind.taps
    inputs = e.points().x.shape[1] // e.places
    norm = {-1: f"torch.nn.BatchNorm1d({width})", -2: f"torch.nn.LayerNorm({width})"}.get(e.normalizer.axis or 0)
    bias = "" if e.has_biases else ", bias=False"
    layer = f"Conv1d(fan_in, fan_out, {len(taps)}, padding={max(taps)}" if slides else "Linear(fan_in, fan_out"
    layer += ", bias=False)" if not e.has_biases or e.normalizer.uses_batch else ")"
    lines = [
        "class Net(torch.nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        f"        sizes = [{inputs}] + {e.depth} * [{width}]",
        f"        hidden = [torch.nn.{layer} for fan_in, fan_out in zip(sizes, sizes[1:])]",
        f"        self.layers = torch.nn.ModuleList(hidden + [torch.nn.Linear({width}, 1{bias})])",
    ]
    if norm:
        lines += [f"        self.norms = torch.nn.ModuleList({norm} for _ in hidden)"]
    value = "self.layers[k](h[k])"
    if norm:  # layer norm is over the last axis, where a convolution has its places
        turned = slides and not e.normalizer.uses_batch
        value = f"self.norms[k]({value}.mT).mT  # over channels" if turned else f"self.norms[k]({value})"
    first = "[x[:, None]]  # (samples, channels, places)" if slides else "[x]"
    lines += ["", "    def forward(self, x):", f"        h = {first}", "        for k in range(len(self.layers) - 1):"]
    lines += [f"            z = {value}", f"            h.append({_written(e).torch})"]
    if e.skipped:
        where, what = _SKIPS[e.skipped]
        lines += [f"            if {where}:", f"                h[k + 1] = h[k + 1] + {what}"]
    last = "h[-1].mean(dim=2)" if slides else "h[-1]"
    return [*lines, f"        return self.layers[-1]({last})"]
