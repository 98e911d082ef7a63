"""The tour's last part: the chain is time steps instead of layers, and gates are the remedy. One entry a scene."""

import math
from typing import Any

from explorer.figures.tour import FIRST, MAP, Proof
from explorer.figures.view import TimeView
from explorer.stories.measurements import ending, first, learning, share, tell_clipping, tell_through_time
from explorer.stories.scenarios import SCENARIOS
from explorer.stories.scene import Answer, Play, Scene
from explorer.stories.scene_figures import THROUGH_TIME


def _shown(scenario: str) -> dict[str, Any]:
    """What a scene shows: a scenario of recurrent nets, as the page on time would."""
    entry = SCENARIOS[scenario]
    return {
        "shown": tuple(entry.compared.items()),
        "about": list(entry.compared.values()).index(entry.experiment),
        "figure": THROUGH_TIME,
        "view": TimeView(),
        "compare": entry.compare,
        "source": entry.source,
    }


OVER_TIME = [
    Scene(
        name="A hundred steps back",
        address="a hundred steps",
        proof=Proof("the first step of the plain net", FIRST, panel=0),
        caption="A plain recurrent net sees two symbols in the first half of 100 steps, then silence; at the end it has to say "
        "which came first. Before any update, its gradient is sent back through the same W_hh, step by step.",
        question="How much of dL/dh at step 100 gets to step 1?",
        answers=(
            Answer("About a hundredth: each step takes its part", 1e-3, 0.1),
            Answer("About 10⁻⁸, as through eleven sigmoid layers", 1e-10, 1e-6),
            Answer("Less than 10⁻²⁰", 0.0, 1e-20),
        ),
        right=2,
        take_home="The plain net forgets: less than 10⁻²⁰ gets there, because each step multiplies dL/dh by about 0.5, "
        "and no seed learns. With LSTM and GRU, whose gates start nearly open, nearly all seeds do.",
        measure=lambda shown: share(first(shown).facts),
        tell=tell_through_time,
        plays=(Play("length", (20, 30, 50, 100)), Play("strength", (0.5, 1.0, 1.5))),
        **_shown("Three cells, 100 steps"),
    ),
    Scene(
        name="A gate is not enough",
        address="gates",
        proof=Proof("the bias ln 100", MAP, panel=2),
        caption="The same task. An LSTM's forget gate keeps σ(bias) of its state at each step while its weights are silent. "
        "The usual advice is to start that bias at 1. Here it starts at 0, at 1 and at ln 100 = 4.6.",
        question="With which of these do nearly all seeds learn to look back 100 steps?",
        answers=(
            Answer("With all three: training opens the gate", 6.5, 7.5),
            Answer("With 1 and with 4.6", 5.5, 6.5),
            Answer("With 4.6 alone", 3.5, 4.5),
        ),
        right=2,
        take_home="A bias of 1 keeps 73% of the state per step, 2.5 × 10⁻¹⁴ of it over 100: nearly all seeds learn over 50 "
        "steps, only some over 100. A bias of ln 100 keeps 37% all the way, and nearly all learn. The rule is ln T, not 1.",
        measure=learning,
        tell=tell_through_time,
        plays=(Play("length", (20, 30, 50, 100)), Play("cell", ("LSTM", "GRU"))),
        **_shown("Forget bias: ln T"),
    ),
    Scene(
        name="Exploding through time",
        address="exploding through time",
        proof=Proof("the net that is not clipped", MAP, panel=0),
        caption="ReLU units whose W_hh starts as the identity learn to continue a noisy sine. The first gradient has a "
        "norm of about a thousand. The same eight seeds are trained as they are, clipped by value, and clipped by "
        "norm to 1.",
        question="Without clipping, how soon are at least half of the nets no longer finite?",
        answers=(
            Answer("Never: they stay finite, but do not learn", 300.5, math.inf),
            Answer("After about 100 epochs", 50.0, 200.0),
            Answer("Within 5 epochs", 0.0, 5.5),
        ),
        right=2,
        take_home="One step that is too long is enough: without clipping nearly all nets become non-finite within 5 "
        "epochs. With the same gradients shortened to a norm of 1, nearly all learn.",
        measure=ending,
        tell=tell_clipping,
        plays=(
            Play("threshold", (0.1, 1.0, 10.0, 100.0)),
            Play("learning_rate", (0.0005, 0.005, 0.05)),
        ),
        **_shown("Exploding, clipped or not"),
    ),
]
