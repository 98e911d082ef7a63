"""The tour's second part: what brings a gradient back, what tames it, and what only seems to. One entry a scene."""

import math

from explorer.diagnosis.comparison import BASELINE, NOW
from explorer.diagnosis.remedies import REMEDIES
from explorer.figures.tour import FIRST, LOSS, MAP, Proof
from explorer.stories import measurements
from explorer.stories.problems import WIDE
from explorer.stories.scenarios import CONVOLUTIONS, EXPLODING, LARGE_STEPS, MOONS, OPENING
from explorer.stories.scene import Answer, Play, Scene
from explorer.stories.scene_figures import GRADIENTS, LENS, PANELS, WHY

FIFTY = MOONS.but(activation="ReLU", initializer="He normal", depth=50, width=32, learning_rate=0.02, epochs=20, runs=4)
NORMS = ("none", "batch", "layer")
NORMED = MOONS.but(samples=64, learning_rate=0.5, epochs=300)
TRIED = ("ReLU", "batch norm", "fitting initialization", "skip over one layer", "skip over two layers", "clip by norm")
ALONE = ("nothing changed", *TRIED)
RESIDUAL = OPENING.but(skip="one layer")

CURES = [
    Scene(
        name="Where z lies, and the slope there",
        address="where z lies",
        proof=Proof("where z lies with batch norm", "histogram of z"),
        caption="The saturated net again: tanh layers of 64 units, weights from N(0, 1). z, which a unit's tanh receives, is a sum of "
        "64 terms and spreads far: at layer 5, nearly four units in five are saturated. Now batch norm comes before each tanh.",
        question="How many units of layer 5 are saturated now, before any update?",
        answers=(
            Answer("Hardly any", 0.0, 0.05),
            Answer("About a third", 0.2, 0.5),
            Answer("As many: the weights are the same", 0.6, 1.01),
        ),
        right=0,
        take_home="Where z lies decides how large slopes are. With N(0, 1) weights it spreads to the flat ends: at layer 5 the RMS of "
        "tanh's slope is about 0.27. Batch norm gives z a standard deviation of 1, and the slope is about 0.62.",
        source="Glorot & Bengio 2010; Ioffe & Szegedy 2015",
        shown=((BASELINE, WIDE), (NOW, WIDE.but(normalization="batch"))),
        figure=LENS,
        measure=measurements.saturated,
        tell=measurements.tell_saturated,
        plays=(
            Play("normalization"),
            Play("initializer", ("normal", "Glorot normal", "small normal")),
            Play("activation", ("tanh", "sigmoid")),
        ),
    ),
    Scene(
        name="Batch norm, and where it explodes",
        address="batch norm",
        proof=Proof("the gradient of layer 1", FIRST),
        caption="Batch norm gives every unit's z a standard deviation of 1. Here it is added to fifty ReLU layers with "
        "He initialization and no skips.",
        question="Before any update, how large is the first layer's gradient compared with the last layer's?",
        answers=(
            Answer("About a thousandth: it vanishes", 0.0, 0.01),
            Answer("About as large: that is what batch norm is for", 0.1, 10.0),
            Answer("Ten thousand times as large: it explodes", 1e3, 1e6),
        ),
        right=2,
        take_home="Batch norm keeps signals level, not gradients: with ReLU each layer multiplies them by about 1.2, "
        "and fifty layers by about 2 × 10⁴. A skip over each layer brings that down to about 10.",
        source="Ioffe & Szegedy 2015; Yang et al. 2019",
        shown=((BASELINE, FIFTY), (NOW, FIFTY.but(normalization="batch"))),
        figure=GRADIENTS,
        measure=lambda shown: measurements.share(measurements.last(shown).facts),
        tell=measurements.tell_share,
        plays=(Play("skip"), Play("activation", ("ReLU", "tanh", "linear"))),
    ),
    Scene(
        name="Batch norm allows larger steps",
        address="ten times the rate",
        proof=Proof("the losses", LOSS),
        caption="Fifteen tanh layers, two moons. At a learning rate of 0.1 nearly all seeds learn; at 1 most plain nets fail.",
        question="With batch norm, how many of the eight seeds learn at a learning rate of 1?",
        answers=(
            Answer("None or one: the steps are still too large", 0.0, 1.5),
            Answer("About half", 2.5, 5.5),
            Answer("All or nearly all", 6.5, 8.5),
        ),
        right=2,
        take_home="Nearly all learn, at ten times the rate. Batch norm divides out the size of the weights: larger weights get "
        "a smaller gradient, so steps that are too large slow themselves down.",
        source="Ioffe & Szegedy 2015, section 3.3",
        shown=((BASELINE, LARGE_STEPS), (NOW, LARGE_STEPS.but(normalization="batch"))),
        figure=GRADIENTS,
        measure=measurements.solved,
        tell=measurements.tell_solved,
        plays=(
            Play("learning_rate", (0.1, 0.3, 1.0, 3.0)),
            Play("normalization"),
            Play("initializer", ("Glorot uniform", "normal")),
        ),
    ),
    Scene(
        name="A way around each layer",
        address="a way around",
        proof=Proof("the part of the skip", "skip"),
        caption="The opening net again, with one change: each layer's input is added to its output, y = x + f(W x + b). The "
        "gradient can go around the layer.",
        question="At the start, how much of the last layer's gradient reaches layer 1? Without the skips it was about 3 × 10⁻⁸.",
        answers=(
            Answer("Hardly more", 0.0, 1e-6),
            Answer("About a thousandth", 3e-4, 3e-3),
            Answer("About a tenth", 0.05, 0.3),
            Answer("All of it, exactly", 0.99, 1.01),
        ),
        right=2,
        take_home="The skip adds back what the slopes take: about 0.12 reaches layer 1, about 4 million times more. "
        "With skips over two layers it is about as much, though every second layer has no way around of its own.",
        source="He et al. 2016",
        shown=((NOW, RESIDUAL),),
        figure=WHY,
        measure=lambda shown: measurements.share(measurements.last(shown).facts),
        tell=measurements.tell_factor,
        plays=(Play("skip"), Play("depth", (5, 11, 20, 40)), Play("activation", ("sigmoid", "tanh", "ReLU"))),
    ),
    Scene(
        name="The same net, residual, learns",
        address="residual",
        proof=Proof("the losses", LOSS),
        caption="A gradient that arrives is not yet a net that learns. The eight seeds, the task and the steps are "
        "those of the plain net, which never learns.",
        question="With a skip over every layer, how many of the eight seeds learn XOR within 6,000 epochs?",
        answers=(
            Answer("None", 0.0, 0.5),
            Answer("About half", 2.5, 5.5),
            Answer("All or nearly all", 6.5, 8.5),
        ),
        right=2,
        take_home="One change, and nearly all seeds learn where none did. With skips over two layers nearly all do as "
        "well, but later.",
        source="He et al. 2016",
        shown=((BASELINE, OPENING), (NOW, RESIDUAL)),
        figure=GRADIENTS,
        measure=measurements.solved,
        tell=measurements.tell_solved,
        plays=(Play("skip"), Play("depth", (5, 8, 11, 15, 20))),
    ),
    Scene(
        name="Convolutions need the way around, too",
        address="convolutions",
        proof=Proof("the losses", LOSS),
        caption="Twenty convolutions of six channels look for two spikes in a noisy signal: do their signs differ? Every layer sees "
        "three neighbouring places. The plain net never learns it.",
        question="With a skip over every layer, how many of the eight seeds learn it within 120 epochs?",
        answers=(
            Answer("None: skips are for dense layers", 0.0, 0.5),
            Answer("About half", 2.5, 5.5),
            Answer("All or nearly all", 6.5, 8.5),
        ),
        right=2,
        take_home="A convolution is a layer like any other: from this start each one multiplies the gradient by about 0.5, plain; "
        "with skips by about 1.1, and nearly all seeds learn where none did.",
        source="He et al. 2016",
        shown=((BASELINE, CONVOLUTIONS), (NOW, CONVOLUTIONS.but(skip="one layer"))),
        figure=GRADIENTS,
        measure=measurements.solved,
        tell=measurements.tell_solved,
        plays=(Play("skip"), Play("depth", (5, 10, 20, 40)), Play("layer")),
    ),
    Scene(
        name="Exploding gradients, clipped",
        address="clipped",
        proof=Proof("the losses", LOSS),
        caption="14 tanh layers with N(0, 1) weights: layer 1 gets hundreds of times the last layer's gradient, and hardly any "
        "seed learns. Now each update's whole gradient is limited to a norm of 0.01.",
        question="How many of the eight seeds learn XOR now?",
        answers=(
            Answer("None: the gradient still explodes", 0.0, 0.5),
            Answer("One or two", 0.5, 2.5),
            Answer("Most of them", 4.5, 8.5),
        ),
        right=2,
        take_home="Clipping bounds the step, not the gradient's shape: most seeds learn where hardly one did, though layer 1 still gets "
        "hundreds of times the last layer's gradient.",
        source="Pascanu et al. 2013",
        shown=((BASELINE, EXPLODING), (NOW, EXPLODING.but(clip="norm", threshold=0.01))),
        figure=GRADIENTS,
        measure=measurements.solved,
        tell=measurements.tell_solved,
        plays=(Play("clip"), Play("threshold", (0.01, 0.1, 1.0, 10.0)), Play("learning_rate", (0.002, 0.02, 0.2))),
    ),
    Scene(
        name="What clipping cannot do",
        address="what clipping cannot do",
        proof=Proof("the gradient of layer 1", FIRST),
        caption="Back to the sigmoid net whose gradient vanishes; now its gradients are clipped by norm, at 0.01.",
        question="What does clipping do to the share of the gradient that reaches layer 1?",
        answers=(
            Answer("It grows: the layers become more alike", 2.0, math.inf),
            Answer("Nothing at all", 0.99, 1.01),
            Answer("It shrinks", 0.0, 0.5),
        ),
        right=1,
        take_home="Clipping can only make gradients smaller, all layers alike: about 3 × 10⁻⁸ before and after, and still "
        "no seed learns.",
        source="Pascanu et al. 2013",
        shown=((BASELINE, OPENING), (NOW, OPENING.but(clip="norm", threshold=0.01))),
        figure=GRADIENTS,
        measure=lambda shown: (
            measurements.share(measurements.last(shown).facts) / measurements.share(measurements.first(shown).facts)
        ),
        tell=measurements.tell_share,
        plays=(Play("clip"), Play("threshold", (0.001, 0.01, 0.1, 1.0))),
    ),
    Scene(
        name="Layer norm is not batch norm",
        address="layer norm",
        proof=Proof("layer norm", MAP, panel=2),
        caption="Ten sigmoid layers, two moons. Batch norm centres each unit over the samples; layer norm centres each sample over "
        "its units.",
        question="With batch norm nearly all of eight seeds learn. How many with layer norm?",
        answers=(
            Answer("All or nearly all", 6.5, 8.5),
            Answer("About half", 2.5, 5.5),
            Answer("None or one", 0.0, 1.5),
        ),
        right=2,
        take_home="Nearly all with batch norm, hardly one with layer norm: there each layer still multiplies the "
        "gradient by about 0.4, with batch norm by about 1.3. Layer norm leaves in place what all samples have in "
        "common.",
        source="Ba et al. 2016; of batch norm, Yang et al. 2019",
        shown=tuple(
            (name, NORMED.but(normalization=norm))
            for name, norm in zip(("no norm", "batch norm", "layer norm"), NORMS, strict=True)
        ),
        figure=PANELS,
        measure=measurements.solved,
        tell=measurements.tell_learnt,
        plays=(Play("activation", ("sigmoid", "tanh")), Play("depth", (5, 10, 15))),
    ),
    Scene(
        name="All together",
        address="all together",
        proof=Proof("a skip over every layer", MAP, panel=4),
        caption="The opening net once more: eleven sigmoid layers, four units wide, XOR. Each remedy is tried alone, on the same "
        "seeds.",
        question="Which of these lets nearly all of the eight seeds learn?",
        answers=(
            Answer("ReLU in place of the sigmoid", 1.5, 2.5),
            Answer("Batch norm", 2.5, 3.5),
            Answer("A fitting initialization (Glorot)", 3.5, 4.5),
            Answer("A skip over every layer", 4.5, 5.5),
        ),
        right=3,
        take_home="Here only skips do, over one layer or two. ReLU layers of 4 units die, and most seeds do not learn. No remedy is "
        "best everywhere: find out what multiplies the gradient, then choose.",
        source="He et al. 2016; Lu et al. 2020",
        shown=tuple((name, REMEDIES[name].change(OPENING) if name in REMEDIES else OPENING) for name in ALONE),
        about=4,
        figure=PANELS,
        measure=measurements.best,
        tell=measurements.tell_best,
        plays=(Play("depth", (3, 5, 8, 11)), Play("width", (4, 8, 16))),
    ),
]
