"""Remedies: named changes to an experiment, with the reason why each helped or could not; the most useful ones first."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from explorer.choices.comparisons import gated
from explorer.choices.controls import Number
from explorer.choices.experiment import LOWEST_RATE, Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.registry import Entry, registry
from explorer.choices.settings import FULL
from explorer.diagnosis import reasons
from explorer.diagnosis.facts import Facts
from explorer.training.kinds import LAYERS, TIME_STEPS

# Up to this depth a fitting start helps a net of a flat activation all the same: 27 of 35 sigmoid nets of up to three layers
# whose weights started at a hundredth, 25 of 69 of four to seven.
SHALLOW = 3
# How many times the epochs or the width. Of 30 ill settings of `benchmarks/advice.py` four times the epochs helped 5 and twice
# 4, four times the width 8 and twice 5; more takes longer than a reader waits.
TIMES = 4
# How many times the samples of a batch: of one sample eight are enough for batch norm (`conditions.norms_enough`).
MORE_SAMPLES = 8
# Of these 30 settings Adam helped 11 at this rate and at ten times as much, and 4 at Kingma & Ba's 0.001: training is short here.
ADAM_RATE = 0.01


@dataclass(frozen=True, kw_only=True)
class Remedy(Entry):
    """A change that may restore a gradient, or tame it, or make better use of it."""

    change: Callable[[Any], Any]  # Of an experiment; returns the very same one where it can do nothing
    # From the facts before and after to a clause: why it helped here, or why it could not.
    why: Callable[[Facts, Facts], str] = reasons.gradient_told
    idle: str = "it is there already"  # Why `change` can return the very same experiment


def _top(name: str) -> Any:
    control = Experiment.controls()[name]
    assert isinstance(control, Number)
    return control.high


HIGHEST_RATE, MOST_EPOCHS, WIDEST = _top("learning_rate"), _top("epochs"), _top("width")


def _fit_initialization(experiment: Experiment) -> Experiment:
    """Change the first weights, unless they are of that variance already."""
    fitted = experiment.but(initializer=experiment.activation_function.fitting_initializer, gain=1.0)
    return experiment if _hidden_variance(experiment) == _hidden_variance(fitted) else fitted


def starts_small(experiment: Experiment) -> bool:
    """Whether the first weights have less than a tenth of the fitting variance, in a net that such a variance can help."""
    fitted = experiment.but(initializer=experiment.activation_function.fitting_initializer, gain=1.0, bias="zeros")
    small = _hidden_variance(experiment.but(bias="zeros")) < 0.1 * _hidden_variance(fitted)
    return small and (experiment.depth <= SHALLOW or not reasons.is_too_flat(experiment))


def _hidden_variance(experiment: Experiment) -> float:
    """The variance of the first weights between hidden layers to twelve digits; NaN where they have none, or random biases."""
    variance, fan = experiment.initialization.variance, experiment.hidden_fan
    if variance is None or experiment.draws_bias:
        return math.nan
    return float(f"{experiment.gain**2 * variance(fan, fan, experiment.activation_function):.12g}")


def _lose_by_cross_entropy(experiment: Experiment) -> Experiment:
    """Change the loss, unless it is that one already, whatever it is called, or the task is a regression."""
    changed = experiment if experiment.dataset.regression else experiment.but(loss="cross-entropy")
    return experiment if changed.loss_function is experiment.loss_function else changed


def _enlarge_batches(experiment: Experiment) -> Experiment:
    if len(experiment.batch_sizes()) == 1:
        return experiment
    samples = MORE_SAMPLES * int(experiment.batch)
    return experiment.but(batch=FULL if samples >= experiment.sample_count else str(samples))


REMEDIES = registry(
    [
        Remedy(
            name="ReLU",
            caption="Its slope is 1 wherever a unit is on: nothing shrinks there.",
            formula="f(z) = max(0, z)",
            source="Nair & Hinton 2010",
            change=lambda experiment: experiment.but(activation="ReLU"),
            why=reasons.relu,
        ),
        Remedy(
            name="batch norm",
            caption="Starts every unit's z in the steep part of the activation, whatever the weights.",
            formula="z ← γ·(z - mean) / std + β",
            source="Ioffe & Szegedy 2015",
            change=lambda experiment: experiment.but(normalization="batch"),
            why=reasons.batch_norm,
        ),
        Remedy(
            name="a tenth of the learning rate",
            caption="Smaller steps stay where the measured slope still holds.",
            formula="η ← η / 10",
            source="LeCun et al. 1998",
            change=lambda experiment: experiment.but(learning_rate=max(experiment.learning_rate / 10, LOWEST_RATE)),
            why=reasons.smaller_steps,
            idle=f"the learning rate is {LOWEST_RATE:g} already, the smallest",
        ),
        Remedy(
            name="skip over one layer",
            caption="The identity beside every layer carries the gradient past it.",
            formula="y = x + f(W x + b)",
            source="He et al. 2016",
            change=lambda experiment: experiment.but(skip="one layer") if experiment.depth >= 2 else experiment,
            why=reasons.skip,
            idle="it is there already, or the net is too shallow for it",
        ),
        Remedy(
            name="skip over two layers",
            caption="The identity beside every pair of layers carries the gradient past it.",
            formula="y = x + f(W₂ f(W₁ x + b₁) + b₂)",
            source="He et al. 2016",
            change=lambda experiment: experiment.but(skip="two layers") if experiment.depth >= 3 else experiment,
            why=reasons.skip,
            idle="it is there already, or the net is too shallow for it",
        ),
        Remedy(
            name="fitting initialization",
            caption="He for rectifiers and their smooth relatives, LeCun for SELU, Glorot for the others: a variance that "
            "keeps signals about level. It does not rescue a deep sigmoid net.",
            formula="Var W = g² / fan_in  or  2 / (fan_in + fan_out)",
            source="Glorot & Bengio 2010; He et al. 2015",
            change=_fit_initialization,
            why=reasons.initialization,
            idle="the first weights have that variance already",
        ),
        Remedy(
            name="clip by norm",
            caption="Bounds the gradient that makes an update. It cannot bring back one that vanished.",
            formula="g ← g·min(1, c / ‖g‖)",
            source="Pascanu et al. 2013",
            change=lambda experiment: experiment.but(clip="norm"),
            why=reasons.clipping,
        ),
        Remedy(
            name="clip by value",
            caption="Bounds every entry of the gradient, and so changes its direction.",
            formula="g ← min(max(g, -c), c)",
            source="Mikolov 2012",
            change=lambda experiment: experiment.but(clip="value"),
            why=reasons.clipping,
        ),
        Remedy(
            name="layer norm",
            caption="Gives every sample's z one size in each layer. It does for tanh what batch norm does, and not for sigmoid.",
            formula="z ← γ·(z - mean) / std + β",
            source="Ba et al. 2016",
            change=lambda experiment: experiment.but(normalization="layer"),
            why=reasons.layer_norm,
        ),
        Remedy(
            name="ten times the learning rate",
            caption="Larger steps get further in as many updates.",
            formula="η ← 10·η",
            source="Bengio 2012, section 3.1.1",
            change=lambda experiment: experiment.but(learning_rate=min(10 * experiment.learning_rate, HIGHEST_RATE)),
            why=reasons.larger_steps,
            idle=f"the learning rate is {HIGHEST_RATE:g} already, the largest",
        ),
        Remedy(
            name="Adam",
            caption="Divides each entry of the gradient by its own recent size, so that small gradients make steps as well; with a "
            "learning rate of 0.01.",
            formula="θ ← θ - 0.01·m̂ / (√v̂ + 1e-7)",
            source="Kingma & Ba 2015",
            change=lambda experiment: experiment.but(optimizer="Adam", learning_rate=ADAM_RATE),
            why=reasons.weights_move,
        ),
        Remedy(
            name="four times the epochs",
            caption="As many more updates, each as before.",
            formula="epochs ← 4·epochs",
            source="Bengio 2012, section 3.1.1",
            change=lambda experiment: experiment.but(epochs=min(TIMES * experiment.epochs, MOST_EPOCHS)),
            why=reasons.epochs,
            idle=f"there are {MOST_EPOCHS:,} epochs already, the most",
        ),
        Remedy(
            name="four times the width",
            caption="More units per layer: more ways to an answer, and fewer poor local minima.",
            formula="width ← 4·width",
            source="Choromanska et al. 2015",
            change=lambda experiment: experiment.but(width=min(TIMES * experiment.width, WIDEST)),
            why=reasons.width,
            idle=f"the layers are {WIDEST} wide already, the most",
        ),
        Remedy(
            name="leaky ReLU",
            caption="Slope 1 above 0 and 0.01 below: its units cannot die.",
            formula="f(z) = z above 0, else 0.01·z",
            source="Maas et al. 2013",
            change=lambda experiment: experiment.but(activation="leaky ReLU"),
            why=reasons.leaky,
        ),
        Remedy(
            name="tanh",
            caption="Slope 1 at 0, and outputs between -1 and 1: it bends, and bounds what it hands on.",
            formula="f(z) = tanh z",
            source="LeCun et al. 1998, section 4.4",
            change=lambda experiment: experiment.but(activation="tanh"),
            why=reasons.by_gradient("its slope is 1 at 0"),
        ),
        Remedy(
            name="larger batches",
            caption="Eight times as many samples per update: batch norm's statistics, and the gradient, scatter less.",
            formula="batch ← 8·batch, at most all samples",
            source="Wu & He 2018",
            change=_enlarge_batches,
            why=reasons.batches,
            idle="every update sees all samples already",
        ),
        Remedy(
            name="cross-entropy",
            caption="A loss whose gradient stays as large as the error where the output saturates at a wrong answer.",
            formula="L = mean( ln(1 + eᶻ) - y·z )",
            source="Solla et al. 1988; Glorot & Bengio 2010, section 4.1",
            change=_lose_by_cross_entropy,
            why=reasons.cross_entropy,
            idle="it is there already, or the task is a regression",
        ),
    ]
)


def _of_both(name: str, **more: Any) -> Remedy:
    """A remedy of nets of layers that changes the same setting of nets over time."""
    return replace(REMEDIES[name], **more)


def _epochs_over_time(experiment: RecurrentExperiment) -> RecurrentExperiment:
    control = experiment.controls()["epochs"]
    assert isinstance(control, Number)
    return experiment.but(epochs=min(TIMES * experiment.epochs, int(control.high)))


TIME_REMEDIES = registry(
    [
        Remedy(
            name="gates that start open",
            caption="A cell with a gate for its memory, an LSTM where there is none, whose bias starts at ln T: it keeps the state "
            "over about T steps.",
            formula="bias = ln T",
            source="Gers et al. 2000; Tallec & Ollivier 2018",
            change=lambda experiment: gated(experiment).but(forget_bias=round(math.log(experiment.length), 1)),
        ),
        Remedy(
            name="orthogonal start",
            caption="All singular values of W_hh start at 1: it turns the state without changing its length.",
            formula="W_hh = Q, QᵀQ = I",
            source="Saxe et al. 2014",
            change=lambda experiment: experiment.but(initializer="orthogonal", strength=1.0),
        ),
        Remedy(
            name="no truncation",
            caption="Backpropagation through all steps: what is cut off gets no gradient.",
            source="Tallec & Ollivier 2017",
            change=lambda experiment: experiment.but(truncation=0),
            idle="nothing is cut",
        ),
        _of_both("clip by norm"),
        _of_both("a tenth of the learning rate"),
        _of_both("ten times the learning rate"),
        _of_both("Adam"),
        _of_both("four times the epochs", change=_epochs_over_time),
    ]
)


REMEDIES_OF: Mapping[str, Mapping[str, Remedy]] = {LAYERS.name: REMEDIES, TIME_STEPS.name: TIME_REMEDIES}
