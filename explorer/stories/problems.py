"""The tour's first half: what happens to a gradient, then why. One entry a scene."""

import math

from explorer.diagnosis.comparison import NOW
from explorer.figures.tour import DEPTH, END, FIRST, MAP, Proof
from explorer.figures.view import RATIO, View
from explorer.stories import measurements
from explorer.stories.scenarios import DYING, MOONS, OPENING
from explorer.stories.scene import Answer, Play, Scene, of_products
from explorer.stories.scene_figures import BY_DEPTH, GRADIENTS, PANELS, PRODUCTS, WHY
from explorer.theory.products import Products

STARTS = ("small normal", "normal", "Glorot normal", "He normal")
DEEP_RELU = MOONS.but(activation="ReLU", depth=20, width=32, learning_rate=0.02, epochs=100)
# What plain sigmoid nets of this size learn XOR best with: larger weights, larger steps.
BEST_PLAIN = OPENING.but(initializer="normal", learning_rate=1.0, epochs=3000)
WIDE = MOONS.but(activation="tanh", initializer="normal", width=64, learning_rate=0.01, epochs=100)

PROBLEMS = [
    Scene(
        name="The net that never learns",
        address="never learns",
        proof=Proof("the gradient of layer 1", FIRST),
        caption="A well-known tutorial stacks eleven hidden layers of four sigmoid units to learn XOR. We train such nets for "
        "6,000 epochs, from eight seeds at once.",
        question="How many of the eight learn it?",
        answers=(
            Answer("All or nearly all", 6.5, 8.5),
            Answer("About half", 2.5, 5.5),
            Answer("None", 0.0, 0.5),
        ),
        right=2,
        take_home="None. Layer 1 gets about 3 × 10⁻⁸ of the last layer's gradient, and every net ends up answering 0.5. "
        "The tutorial's own recipe, with Adam, still does so after 100,000 epochs.",
        source="Hochreiter 1991; Bengio et al. 1994",
        shown=((NOW, OPENING),),
        figure=GRADIENTS,
        measure=measurements.solved,
        tell=measurements.tell_solved,
        plays=(Play("depth", (1, 2, 3, 5, 8, 11, 15, 20)), Play("learning_rate", (0.01, 0.1, 1.0, 10.0))),
    ),
    Scene(
        name="What backpropagation multiplies",
        address="what multiplies",
        proof=Proof("the part of the slope", "slope"),
        caption="Why does so little arrive? The gradient starts at the output and travels back. Each layer multiplies it twice: "
        "by the weights that it passes through, and by the slope of the activation.",
        question="In the net that never learns, weights lie between -1 and 1. Which of the two makes its gradient small?",
        answers=(
            Answer("The weights", -math.inf, 0.3),
            Answer("Both, about equally", 0.3, 0.7),
            Answer("The slope", 0.7, math.inf),
        ),
        right=2,
        take_home="A gradient is a product. Per layer the weights keep nearly all of it and the slope about 0.21: after "
        "eleven layers about 3 × 10⁻⁸ is left.",
        source="Rumelhart, Hinton & Williams 1986",
        shown=((NOW, OPENING),),
        figure=WHY,
        measure=lambda shown: (
            math.log10(measurements.mean_part(measurements.first(shown), "slope"))
            / sum(math.log10(measurements.mean_part(measurements.first(shown), part)) for part in ("weights", "slope"))
        ),
        tell=measurements.tell_parts,
        plays=(Play("activation", ("sigmoid", "tanh", "ReLU", "linear")), Play("gain", (0.5, 1.0, 2.0, 4.0))),
    ),
    Scene(
        name="The product of fifty numbers",
        address="a product",
        proof=Proof("the products of fifty", DEPTH, depth=50),
        caption="No net this time: fifty random numbers are multiplied. Each is 1 on average (lognormal, the standard deviation of ln f "
        "is 1).",
        question="How large is the product of fifty of them, typically?",
        answers=(
            Answer("About 1, like each of them", 0.01, 100.0),
            Answer("About 10⁻¹¹: it vanishes", 1e-12, 1e-10),
            Answer("About 10¹¹: it explodes", 1e10, 1e12),
        ),
        right=1,
        take_home="Logarithms add up. Here ln f is -1/2 on average, so the median product is about 1.4 × 10⁻¹¹, though the mean of "
        "f is 1. With skips a factor is 1 + f: where no f is negative, the product of these cannot vanish. Here it explodes.",
        source="Furstenberg & Kesten 1960; of matrices, Newman 1986",
        shown=((NOW, OPENING),),
        figure=PRODUCTS,
        products=Products(),
        **of_products(Products()),
        plays=(Play("factor"), Play("mean"), Play("spread"), Play("width")),
    ),
    Scene(
        name="A slope of one quarter at best",
        address="one quarter",
        proof=Proof("the part of the slope, 1/4 at each layer", "slope"),
        caption="Tiny weights, about 0.01 in size, keep every z near 0, in the middle of the sigmoid.",
        question="How large is the slope of the sigmoid there?",
        answers=(
            Answer("Nearly 0: that is why gradients vanish", 0.0, 0.05),
            Answer("1/4, the largest it can be", 0.24, 0.26),
            Answer("1/2", 0.45, 0.55),
            Answer("1", 0.9, 1.1),
        ),
        right=1,
        take_home="Small weights do not flatten a sigmoid: its slope there is 1/4, the most that it can be. Even so, "
        "ten layers leave only 9.5 × 10⁻⁷ of a gradient, before the tiny weights shrink it further.",
        source="Hochreiter 1991",
        shown=((NOW, OPENING.but(initializer="small normal")),),
        figure=WHY,
        measure=lambda shown: measurements.mean_part(measurements.first(shown), "slope"),
        tell=measurements.tell_parts,
        plays=(
            Play("initializer", ("small normal", "uniform", "normal")),
            Play("activation", ("sigmoid", "tanh", "ReLU")),
        ),
    ),
    Scene(
        name="How deep is too deep?",
        address="how deep",
        proof=Proof("depth 5", DEPTH, depth=5),
        caption="XOR again, with larger initial weights, N(0, 1), and ten times larger steps, which suit plain "
        "sigmoid nets better. The nets have one to ten hidden layers, with eight seeds each.",
        question="Up to which depth do at least half of the seeds learn XOR?",
        answers=(
            Answer("2 hidden layers", 1.5, 2.5),
            Answer("About 5", 3.5, 6.5),
            Answer("About 8", 7.0, 9.0),
            Answer("All ten depths", 9.5, 10.5),
        ),
        right=1,
        take_home="A plain sigmoid net of this kind learns up to about 5 hidden layers, and from 8 on hardly any seed "
        "does. Each further layer costs another factor of about 0.3: the price of depth is exponential.",
        source="Hochreiter 1991; Schoenholz et al. 2017",
        shown=(("plain", BEST_PLAIN),),
        figure=BY_DEPTH,
        measure=measurements.deepest,
        tell=measurements.tell_deepest,
        plays=(Play("skip"), Play("activation", ("sigmoid", "tanh"))),
    ),
]

CAUSES = [
    Scene(
        name="Saturation does not explode",
        address="saturation",
        proof=Proof("the part of the slope", "slope"),
        caption="Weights from N(0, 1), 64 units wide. In a linear net each layer then multiplies the gradient by about 7.8. With tanh, "
        "more than two units in three are saturated: their slope is nearly 0.",
        question="What does each of these tanh layers multiply the gradient by?",
        answers=(
            Answer("More than 10: saturation makes it explode", 10.0, math.inf),
            Answer("About 6, as without tanh", 5.0, 8.0),
            Answer("About 2", 1.5, 2.5),
            Answer("About 0.1: it vanishes", 0.0, 0.3),
        ),
        right=2,
        take_home="The weights make gradients explode; saturation holds them back. The weights multiply them by about "
        "7.9; flat slopes bring this down to about 2.3.",
        source="Pascanu et al. 2013; Poole et al. 2016",
        shown=((NOW, WIDE),),
        figure=WHY,
        measure=lambda shown: measurements.factor(measurements.last(shown).facts),
        tell=measurements.tell_factor,
        plays=(Play("activation", ("tanh", "linear", "sigmoid")), Play("gain", (0.1, 0.2, 0.5, 1.0, 2.0))),
    ),
    Scene(
        name="All weights zero, or all the same",
        address="all zero",
        proof=Proof("the gradient of layer 1", FIRST),
        caption="Ten tanh layers. Every weight starts at 0.",
        question="What is the gradient in the first layer?",
        answers=(
            Answer("The same as in the last: the net is linear", 0.5, 2.0),
            Answer("Small, but it grows in training", 1e-300, 0.1),
            Answer("Exactly 0, and it stays so", 0.0, 1e-300),
        ),
        right=2,
        take_home="A gradient passes through weights, and zeros pass on exactly 0: every dL/dW stays 0. If all weights "
        "start at one other number, the 16 units of a layer remain copies of one another.",
        source="Goodfellow et al. 2016, section 8.4",
        shown=((NOW, MOONS.but(activation="tanh", initializer="zeros", epochs=200)),),
        figure=GRADIENTS,
        measure=lambda shown: max(
            measurements.share(measurements.last(shown).facts), 10.0 ** measurements.last(shown).facts.log_ratio_end
        ),
        tell=measurements.tell_share,
        plays=(Play("initializer", ("zeros", "constant", "Glorot normal")), Play("activation", ("tanh", "ReLU"))),
    ),
    Scene(
        name="How large should weights start?",
        address="how large",
        proof=Proof("He’s start", MAP, panel=3),
        caption="Twenty ReLU layers of 32 units, and four ways to start. The gradient should arrive at layer 1 about as large "
        "as it left.",
        question="Which start keeps the gradient level?",
        answers=(
            Answer("Small: N(0, 0.01²)", 0.5, 1.5),
            Answer("Large: N(0, 1)", 1.5, 2.5),
            Answer("Glorot: variance 2 / (fan_in + fan_out)", 2.5, 3.5),
            Answer("He: variance 2 / fan_in", 3.5, 4.5),
        ),
        right=3,
        take_home="ReLU cuts away half of every signal, so weights need twice the variance. From the last "
        "hidden layer to the first, He's start keeps about 0.6 of the gradient, Glorot's about 9 × 10⁻⁴, N(0, 0.01²) about 10⁻²⁷; "
        "N(0, 1) makes it about 1.5 × 10¹¹ times larger.",
        source="Glorot & Bengio 2010; He et al. 2015",
        shown=tuple((name, DEEP_RELU.but(initializer=name)) for name in STARTS),
        figure=PANELS,
        view=View(colour=RATIO),
        measure=measurements.most_level,
        tell=measurements.tell_panels,
        plays=(Play("activation", ("ReLU", "tanh", "sigmoid")), Play("depth", (5, 10, 20, 30))),
    ),
    Scene(
        name="Units that die",
        address="units that die",
        proof=Proof("the last epochs", END),
        caption="Six ReLU layers of 8 units, He initialization, and a learning rate of 2: far too large.",
        question="After 500 epochs, how many hidden units are off for every sample?",
        answers=(
            Answer("Hardly any", 0.0, 0.1),
            Answer("About a quarter", 0.15, 0.35),
            Answer("Half of them or more", 0.4, 1.01),
        ),
        right=2,
        take_home="About half of the units are off for every sample: below 0 the slope is 0, so their weights get no gradient. Leaky "
        "ReLU cannot die; with a learning rate of 0.2, or batch norm, nearly all seeds learn, where hardly one did.",
        source="Maas et al. 2013; Lu et al. 2020",
        shown=((NOW, DYING),),
        figure=GRADIENTS,
        view=View(metric="dead"),
        measure=lambda shown: measurements.last(shown).facts.dead_share,
        tell=measurements.tell_dead,
        plays=(
            Play("activation", ("ReLU", "leaky ReLU")),
            Play("learning_rate", (0.1, 0.2, 0.5, 1.0, 2.0)),
            Play("normalization", ("none", "batch")),
        ),
    ),
]
