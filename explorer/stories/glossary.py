"""Glossary: the terms of the lecture, one entry each, and where a text uses them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from explorer.choices.registry import Entry, registry


@dataclass(frozen=True, kw_only=True)
class Term(Entry):
    """A term: `caption` defines it, `formula` says it in symbols, `source` cites where it comes from."""

    forms: str  # A pattern of the words by which texts mean it
    scene: str = ""  # Address of a scene of the tour that shows it


GLOSSARY = registry(
    [
        Term(
            name="Gradient",
            caption="The derivatives of the loss L with respect to all parameters: the direction in which L grows fastest, so an "
            "update goes the other way. Of one layer’s weights it is dL/dW, whose size is shown as an L2 norm, before clipping.",
            formula="‖dL/dW‖ = √ Σ (∂L/∂w)²",
            source="Rumelhart, Hinton & Williams 1986",
            forms=r"dL/dW|gradients?",
            scene="what multiplies",
        ),
        Term(
            name="dL/dz",
            caption="The derivative of the loss with respect to z = h W + b, which goes into a layer’s activation, or first through a "
            "normalization; textbooks also call it delta. Backpropagation hands it from layer to layer. Its size is shown as an RMS over "
            "samples and units, of a convolution also over places.",
            formula="plain net: dL/dz of layer l = f'(z) · (W of layer l + 1) dL/dz of layer l + 1",
            source="Rumelhart, Hinton & Williams 1986",
            forms=r"dL/d[zh]",
            scene="what multiplies",
        ),
        Term(
            name="Slope",
            caption="The derivative f'(z) of an activation at the unit’s z. On its way back the gradient is multiplied by it at "
            "every unit.",
            formula="σ' = σ (1 - σ) ≤ 1/4,  tanh' = 1 - tanh² ≤ 1,  ReLU' = 0 or 1",
            forms=r"slopes?",
            scene="one quarter",
        ),
        Term(
            name="Saturation",
            caption="A unit is saturated where its activation is nearly flat, so that its slope is close to 0. Here tanh counts "
            "as saturated beyond ±0.97, a sigmoid below 0.015 and above 0.985.",
            formula="|z| large:  f'(z) ≈ 0",
            source="Glorot & Bengio 2010, section 3; the bound 0.97: Karpathy 2022",
            forms=r"saturat\w+",
            scene="saturation",
        ),
        Term(
            name="Vanishing gradient",
            caption="On its way back dL/dz shrinks by a factor per layer, or per time step: exponentially in depth. The first "
            "layers then hardly learn.",
            formula="factor per layer < 1:  factorⁿ → 0",
            source="Hochreiter 1991; Bengio et al. 1994",
            forms=r"vanish\w*",
            scene="never learns",
        ),
        Term(
            name="Exploding gradient",
            caption="On its way back dL/dz grows by a factor per layer, or per time step. One update can then throw the weights "
            "far away, or make them infinite.",
            formula="factor per layer > 1:  factorⁿ → ∞",
            source="Bengio et al. 1994; Pascanu et al. 2013",
            forms=r"explo[ds]\w*",
            scene="exploding through time",
        ),
        Term(
            name="fan_in, fan_out",
            caption="The numbers of inputs and of outputs of a layer. A sum over fan_in terms grows with √fan_in, so "
            "initializations divide by it.",
            formula="dense: W is fan_in × fan_out;  a convolution over 3 places: fan_in = 3 × channels in, fan_out = 3 × channels out",
            source="LeCun et al. 1998",
            forms=r"fan_(?:in|out)",
        ),
        Term(
            name="Initialization",
            caption="The distribution of the first weights. Glorot’s and He’s choose its variance so that signals and gradients keep "
            "their size from layer to layer: for slopes near 1, and for ReLU.",
            formula="Glorot: Var W = 2/(fan_in + fan_out);  He: Var W = 2/fan_in",
            source="Glorot & Bengio 2010; He et al. 2015",
            forms=r"initiali[sz]ation|(?:Glorot|He|Xavier)['’]s start|He initialization",
            scene="how large",
        ),
        Term(
            name="Gain",
            caption="A number by which all first weights are multiplied, to correct for what an activation takes away. The biases "
            "are left as they are.",
            formula="W ← gain · W",
            forms=r"gain",
            scene="a product",
        ),
        Term(
            name="Edge of chaos",
            caption="The variances of the first weights and biases at which very deep, very wide nets keep the size of dL/dz. "
            "On one side gradients vanish with depth, on the other they explode. Also: the critical line.",
            formula="χ₁ = σ_w² E f'(√q* ξ)² = 1,  ξ ~ N(0, 1), q* the variance of z that layers settle on",
            source="Poole et al. 2016; Schoenholz et al. 2017",
            forms=r"edge of chaos|critical line",
        ),
        Term(
            name="Skip connection",
            caption="Adds what an earlier layer handed on to what a later one does. The gradient comes back along it unchanged, and "
            "adds to what comes through the layers. A block with a skip is called residual.",
            formula="h of layer l = h of layer l - 1 + f(z)",
            source="He et al. 2016",
            forms=r"skips?|residual",
            scene="a way around",
        ),
        Term(
            name="Batch norm",
            caption="Gives every unit’s z the mean 0 and the variance 1 over the samples of a batch, then a scale and a shift that "
            "are learnt. The samples of a batch thereby depend on each other.",
            formula="γ (z - mean) / √(variance + ε) + β, over the batch",
            source="Ioffe & Szegedy 2015",
            forms=r"batch norm",
            scene="batch norm",
        ),
        Term(
            name="Layer norm",
            caption="Gives every sample’s z the mean 0 and the variance 1 over the units of a layer, then a scale and a shift that "
            "are learnt. Samples do not depend on each other.",
            formula="γ (z - mean) / √(variance + ε) + β, over the layer",
            source="Ba et al. 2016",
            forms=r"layer norm",
            scene="layer norm",
        ),
        Term(
            name="Clipping",
            caption="Shortens a gradient that is too long before the update. By norm, all parameters’ gradients are scaled by one "
            "factor: the direction stays. By value, each entry is cut to [-c, c]: the direction changes.",
            formula="by norm: g ← g · min(1, c/‖g‖);  by value: g ← min(max(g, -c), c)",
            source="Pascanu et al. 2013; by value, Mikolov 2012",
            forms=r"clip(?:s|ped|ping)?",
            scene="clipped",
        ),
        Term(
            name="Dead unit",
            caption="A unit whose slope is exactly 0 for every sample, as of a ReLU with z ≤ 0 on all of them: its weights get no "
            "gradient, and unless its input changes it stays off for good. Hence: dying ReLU.",
            formula="z ≤ 0 for all samples:  dL/dW = 0",
            source="Maas et al. 2013; Lu et al. 2020",
            forms=r"dead|dying|dies?\b|units that are off",
            scene="units that die",
        ),
        Term(
            name="Seed",
            caption="The number from which a training draws its first weights and the order of its batches: one seed, one run. "
            "Single runs mislead, so many seeds are trained, and their median and the middle half are shown.",
            forms=r"seeds?",
            scene="never learns",
        ),
        Term(
            name="Epoch, update",
            caption="An update changes all parameters once. An epoch is one pass over the data set: one update if all samples are "
            "one batch, else one for each batch.",
            formula="plain gradient descent: W ← W - learning rate · dL/dW",
            forms=r"epochs?|updates?",
        ),
        Term(
            name="Backpropagation through time",
            caption="Backpropagation in a recurrent net, whose layers are its time steps and all have the same W_hh. Truncated, it is "
            "cut after some steps: what lies further back adds nothing to the gradient.",
            formula="plain net: dL/dh of step t = W_hh (f'(z) · dL/dh), both of step t + 1, and step t’s own part of the loss",
            source="Williams & Peng 1990; Pascanu et al. 2013",
            forms=r"through time|truncat\w+",
            scene="a hundred steps",
        ),
        Term(
            name="Gate",
            caption="Numbers from 0 to 1, one for each unit, by which an LSTM or GRU multiplies what it keeps, adds or hands on. On "
            "its way back the gradient is multiplied by how much was kept.",
            formula="LSTM: c ← f · c + i · g;  kept over T steps while a gate’s weights are silent: σ(bias) to the power T",
            source="Hochreiter & Schmidhuber 1997; the forget gate: Gers et al. 2000",
            forms=r"gates?",
            scene="gates",
        ),
    ]
)
_FORMS = re.compile(
    "|".join(rf"(?P<t{index}>(?<!\w)(?:{term.forms})(?!\w))" for index, term in enumerate(GLOSSARY.values())),
    re.IGNORECASE,
)
_TERMS = tuple(GLOSSARY.values())


def pieces(text: str) -> Iterator[tuple[str, Term | None]]:
    """Split a text where it first uses each term: what stands there, and the term, or None between them.

    >>> [(words, term and term.name) for words, term in pieces("Its gradient vanishes.")]
    [('Its ', None), ('gradient', 'Gradient'), (' ', None), ('vanishes', 'Vanishing gradient'), ('.', None)]
    """
    at, seen = 0, set[Term]()
    for found in _FORMS.finditer(text):
        assert found.lastgroup is not None
        term = _TERMS[int(found.lastgroup[1:])]
        if term not in seen:
            seen.add(term)
            yield from ((words, None) for words in [text[at : found.start()]] if words)
            yield found[0], term
            at = found.end()
    if at < len(text):
        yield text[at:], None


def terms_in(*texts: str) -> list[Term]:
    """Return the terms that texts use, in the order of the glossary."""
    used = {term for text in texts for _, term in pieces(text) if term is not None}
    return [term for term in _TERMS if term in used]
