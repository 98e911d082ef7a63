"""The textbook's lines give the engine's gradients, in NumPy and in PyTorch, for whatever the setting uses."""

import dataclasses

import numpy as np
import pytest

from explorer.choices.activations import ACTIVATIONS
from explorer.choices.clipping import CLIPPERS, global_norm
from explorer.choices.experiment import LAYER_KINDS, SKIPS, Experiment
from explorer.choices.losses import LOSSES
from explorer.choices.normalizations import NORMALIZATIONS
from explorer.choices.optimizers import OPTIMIZERS
from explorer.sharing.textbook import numpy_lines, torch_lines, uncovered, written
from explorer.training.network import Network, architecture
from tests.textbook import parameters, random_theta

BASE = Experiment(task="moons", samples=12, depth=5, width=4, activation="tanh", runs=1, learning_rate=0.5)
COVERED = [name for name, entry in ACTIVATIONS.items() if entry.written]
SLIDING = BASE.but(task="signal XOR", depth=4)
SETTINGS = {
    **{f"{name}": BASE.but(activation=name) for name in COVERED},
    **{f"{norm} norm, {skip}": BASE.but(normalization=norm, skip=skip) for norm in NORMALIZATIONS for skip in SKIPS},
    **{f"{norm} norm, no bias": BASE.but(normalization=norm, bias="none") for norm in NORMALIZATIONS},
    **{f"{loss}": BASE.but(loss=loss) for loss in LOSSES},
    **{f"curve, {loss}": BASE.but(task="curve", loss=loss) for loss, entry in LOSSES.items() if entry.regression},
    **{f"clip {clip}": BASE.but(clip=clip, threshold=0.01, normalization="layer") for clip in CLIPPERS},
    **{f"{name}": BASE.but(optimizer=name) for name in OPTIMIZERS},
    "one layer": BASE.but(depth=1, skip="two layers"),
    **{
        f"{kind}, {norm} norm, {skip}": SLIDING.but(layer=kind, normalization=norm, skip=skip)
        for kind, entry in LAYER_KINDS.items()
        if entry.slides
        for norm in NORMALIZATIONS
        for skip in SKIPS
    },
    "convolution, one layer, no bias": SLIDING.but(
        layer="convolution", depth=1, bias="none", clip="norm", threshold=0.01
    ),
    "all at once": BASE.but(normalization="batch", skip="two layers", clip="norm", threshold=0.01, activation="GELU"),
}
each_setting = pytest.mark.parametrize("net", SETTINGS.values(), ids=SETTINGS)


def engine(net):
    """Parameters layer by layer, the gradient before and after clipping, and theta after one update."""
    shape, points = architecture(net), net.points()
    theta = random_theta(shape, 1, np.random.default_rng(3))
    network = Network(shape, theta, len(points.y))
    network.x[0] = points.x.T
    network.forward()
    net.loss_function.delta(network.z_out, points.y[None, None], net.output, network.delta_out)
    network.backward()
    raw, clipped = network.gradient.copy(), network.gradient.copy()
    if net.clipper.clip is not None:
        net.clipper.clip(clipped, global_norm(clipped), net.threshold)
    step = np.zeros_like(theta)
    net.update_rule.step(clipped, np.zeros((net.update_rule.slots, *theta.shape)), net.learning_rate, 1, step)
    after = theta - step
    return [parameters(shape, stack, 0) for stack in (theta, raw, clipped, after)]


def lists(net, layers):
    """W, b, gamma, beta as the lines take them, those that the net has."""
    shape = architecture(net)
    made = [[layer.W for layer in layers]]
    if net.has_biases:
        made.append([layer.b for layer in layers])
    if shape.normalized:
        made += [[layer.scale for layer in layers[:-1]], [layer.shift for layer in layers[:-1]]]
    return made


def flat(net, made):
    """The arrays of all layers, but for b where a layer has none."""
    shape = architecture(net)
    return [
        array
        for number, arrays in enumerate(made)
        for place, array in enumerate(arrays)
        if array is not None and not (number == 1 and net.has_biases and not shape.has_bias(place))
    ]


def turned(net, layer, W):
    """W as PyTorch keeps it: (fan_out, fan_in), of a convolution (channels out, channels in, places from left to right)."""
    if not net.layer_kind.slides or layer == net.depth:
        return W.T
    order = np.argsort(net.layer_kind.taps)
    return W.reshape(len(order), -1, net.width)[order].transpose(2, 1, 0)


def check(ours, theirs, rtol):
    assert len(ours) == len(theirs)
    largest = max(np.abs(array).max() for array in theirs)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol * largest)


@each_setting
def test_the_lines_in_numpy_give_the_engines_gradients(net):
    start, raw, clipped, after = (lists(net, layers) for layers in engine(net))
    lines = {}
    exec(numpy_lines(net), lines)
    points = net.points()
    passed = lines["forward"](points.x, *start)
    scales = start[-2:-1] if net.normalizer.axis is not None else []
    made = lines["backward"](points.y[:, None], start[0], *scales, *passed)
    made = made if len(raw) > 1 else [made]
    gradients = flat(net, [list(arrays)[: len(part)] for arrays, part in zip(made, raw, strict=True)])
    check(gradients, flat(net, raw), 1e-12)
    if net.clipper.limits:
        check(lines["clip"](gradients), flat(net, clipped), 1e-12)
    assert ("update" in lines) == (net.optimizer == "SGD")
    if net.optimizer == "SGD":
        theirs = flat(net, start)
        lines["update"](theirs, gradients)
        check(theirs, flat(net, after), 1e-12)
    assert 10 <= len([line for line in numpy_lines(net).splitlines() if line and not line.startswith("#")]) <= 60


@each_setting
def test_the_lines_in_pytorch_make_the_engines_update(net):
    torch = pytest.importorskip("torch")
    start, raw, _, after = (lists(net, layers) for layers in engine(net))
    lines = {}
    try:
        exec(torch_lines(net), lines)
        module = lines["net"]
        theirs = [[layer.weight for layer in module.layers]]
        theirs += [[layer.bias for layer in module.layers]] * net.has_biases
        if net.normalizer.axis is not None:
            theirs += [[norm.weight for norm in module.norms], [norm.bias for norm in module.norms]]
        with torch.no_grad():
            for number, (tensors, arrays) in enumerate(zip(theirs, start, strict=True)):
                for layer, (tensor, array) in enumerate(zip(tensors, arrays, strict=True)):
                    if tensor is not None:
                        tensor.copy_(torch.tensor(turned(net, layer, array) if number == 0 else array))
        points = net.points()
        lines["update"](torch.tensor(points.x), torch.tensor(points.y[:, None]))

        def wanted(arrays):
            return flat(net, [[turned(net, layer, W) for layer, W in enumerate(arrays[0])], *arrays[1:]])

        read = [[None if t is None else t.detach().numpy() for t in tensors] for tensors in theirs]
        check(flat(net, read), wanted(after), 1e-10 if net.optimizer != "Adam" else 1e-7)
        if not net.clipper.limits:
            grads = [[None if t is None else t.grad.numpy() for t in tensors] for tensors in theirs]
            check(flat(net, grads), wanted(raw), 1e-10)
    finally:
        torch.set_default_dtype(torch.float32)


def test_what_has_no_textbook_version_says_so():
    assert [name for name in ACTIVATIONS if uncovered(BASE.but(activation=name))] == ["randomized ReLU"]
    ((said, lines),) = written(BASE.but(activation="randomized ReLU")).values()
    assert "randomized ReLU" in said and not lines
    assert "Adam" in written(BASE.but(optimizer="Adam"))["Textbook"][0]
    new = dataclasses.replace(ACTIVATIONS["tanh"], written=None)
    assert new.written is None  # an entry needs none


def test_only_what_the_setting_uses_is_in_the_lines():
    plain = numpy_lines(BASE)
    assert not [word for word in ("gamma", "skip", "clip", "std") if word in plain]
    assert "gamma" in numpy_lines(BASE.but(normalization="layer")) and "b[k]" not in numpy_lines(BASE.but(bias="none"))
