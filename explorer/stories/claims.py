"""What is often said of gradients, and what nets do: one entry each, with the experiment that decides."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.choices.comparisons import COMPARISONS
from explorer.choices.registry import Entry, registry
from explorer.diagnosis.diagnose import Diagnosis, diagnose
from explorer.diagnosis.wording import number
from explorer.stories.cures import FIFTY, NORMED
from explorer.stories.measurements import factor, first, last, mean_part, share
from explorer.stories.problems import WIDE
from explorer.stories.scenarios import DELAY, MOONS, OPENING, RELU
from explorer.stories.scene import Shown
from explorer.training.history import History
from explorer.training.run import Training

CONTRADICTED, HOLDS, NOT_YET = "not so", "holds", "not measured yet"


@dataclass(frozen=True, kw_only=True)
class Claim(Entry):
    """What is often said: `name` says it, `caption` says what nets do, `formula` is theory's.

    The experiment measures one number, `what`. If what is said were true, it would lie from `low` to `high`.
    """

    what: str
    low: float
    high: float
    shown: tuple[tuple[str, Any], ...]  # Experiments by name; the last one is what is said something of
    measure: Callable[[Shown], float]
    trains: bool = False  # Whether training decides, and not the start alone
    compare: str = ""  # Of recurrent nets, what sets them side by side on their page

    @property
    def experiment(self) -> Any:
        """The experiment that it is about."""
        return self.shown[-1][1]

    @property
    def baseline(self) -> Any:
        """What the experiment is held against in Explore, or None."""
        return None if self.compare or len(self.shown) == 1 else self.shown[0][1]

    def verdict(self, value: float) -> str:
        """Return whether the measured number is what is said."""
        if math.isnan(value):
            return NOT_YET
        return HOLDS if self.low <= value <= self.high else CONTRADICTED

    def told(self, value: float) -> str:
        """Say what was measured, and what it would be if it were true."""
        if math.isnan(value):
            return NOT_YET
        if self.high == math.inf:
            return f"{self.what}: {number(value)}; if it were true, at least {number(self.low)}"
        if self.low == 0:
            return f"{self.what}: {number(value)}; if it were true, at most {number(self.high)}"
        return f"{self.what}: {number(value)}; if it were true, {number(self.low)} to {number(self.high)}"


def _sixteen_seeds(experiment: Any, **changes: Any) -> Any:
    """Return the experiment with some settings changed and many seeds: its start alone costs little."""
    return experiment.but(runs=16, **changes)


def _learnt(diagnosis: Diagnosis) -> float:
    return diagnosis.facts.solved / diagnosis.facts.runs


def _without_gradient(history: History) -> float:
    return float((history.measures["delta"][:, 0, 0] == 0).mean())


ONE, FITTING = list(COMPARISONS["forget bias"].of(DELAY.but(cell="LSTM"), None).items())[1:]

CLAIMS = registry(
    [
        Claim(
            name="Small weights sit where the slope of the sigmoid is small",
            caption="There it is at its largest, 1/4. It is the small weights themselves that shrink the gradient.",
            formula="σ'(0) = 1/4",
            what="slope of the sigmoid, weights from N(0, 0.01²)",
            low=0.0,
            high=0.05,
            shown=(("small weights", _sixteen_seeds(OPENING, initializer="small normal")),),
            measure=lambda shown: mean_part(last(shown), "slope"),
        ),
        Claim(
            name="Saturation makes gradients explode",
            caption="Saturated units have slopes near 0: they hold back a gradient that the weights make explode.",
            source="Pascanu et al. 2013",
            what="factor per layer of RMS dL/dz, tanh over linear, weights from N(0, 1)",
            low=1.0,
            high=math.inf,
            shown=(("linear", _sixteen_seeds(WIDE, activation="linear")), ("tanh", _sixteen_seeds(WIDE))),
            measure=lambda shown: factor(last(shown).facts) / factor(first(shown).facts),
        ),
        Claim(
            name="Clipping prevents vanishing gradients",
            caption="One factor for all layers can only shorten a gradient: the net that never learns still does not.",
            formula="g ← g·min(1, c / ‖g‖)",
            source="Pascanu et al. 2013",
            what="share of seeds that learn, clipped by norm",
            low=0.5,
            high=1.0,
            shown=(("unclipped", OPENING), ("clipped", OPENING.but(clip="norm", threshold=0.01))),
            measure=lambda shown: _learnt(last(shown)),
            trains=True,
        ),
        Claim(
            name="With all weights zero a net is a linear model",
            caption="With tanh every dL/dW is exactly 0 and stays so: only the bias of the output can learn.",
            source="Goodfellow et al. 2016, section 8.4",
            what="largest norm of dL/dW of any layer",
            low=1e-6,
            high=math.inf,
            shown=(("zeros", _sixteen_seeds(MOONS, activation="tanh", initializer="zeros", epochs=200)),),
            measure=lambda shown: float(last(shown).history.measures["weight_gradient"][:, 0].max()),
        ),
        Claim(
            name="With ReLU gradients keep their size whatever the weights",
            caption="Each layer multiplies signals and gradients by about √(n/2): they explode with depth.",
            formula="√(width/2) per layer",
            source="He et al. 2015, section 2.2",
            what="factor per layer of RMS dL/dz, width 64",
            low=0.5,
            high=2.0,
            shown=(("N(0, 1)", _sixteen_seeds(MOONS, activation="ReLU", initializer="normal", width=64, epochs=100)),),
            measure=lambda shown: factor(last(shown).facts),
        ),
        Claim(
            name="With ReLU and He’s start gradients cannot vanish",
            caption="In narrow deep nets all units of some layer are often off: from there down the gradient is exactly 0.",
            formula="1 - (1 - 2⁻⁴)³⁰ = 0.86 for one sample",
            source="Hanin 2018; Lu et al. 2020",
            what="share of seeds whose dL/dz is exactly 0 at layer 1, width 4, 30 layers",
            low=0.0,
            high=0.05,
            shown=(("He", MOONS.but(activation="ReLU", initializer="He normal", width=4, depth=30, runs=64)),),
            measure=lambda shown: _without_gradient(last(shown).history),
        ),
        Claim(
            name="Batch norm cures vanishing and exploding gradients",
            caption="It keeps signals level. Without skips the gradient of ReLU nets explodes with depth before any update.",
            formula="√(π/(π - 1)) per layer",
            source="Yang et al. 2019",
            what="RMS dL/dz of layer 1 over the last layer's, 50 ReLU layers",
            low=0.1,
            high=10.0,
            shown=(("no norm", _sixteen_seeds(FIFTY)), ("batch norm", _sixteen_seeds(FIFTY, normalization="batch"))),
            measure=lambda shown: share(last(shown).facts),
        ),
        Claim(
            name="Layer norm does what batch norm does",
            caption="Layer norm leaves in place what all samples have in common: sigmoid layers still shrink the gradient.",
            source="Ba et al. 2016; of batch norm, Yang et al. 2019",
            what="factor per sigmoid layer of RMS dL/dz, layer norm over batch norm",
            low=0.8,
            high=1.2,
            shown=(
                ("batch norm", _sixteen_seeds(NORMED, normalization="batch")),
                ("layer norm", _sixteen_seeds(NORMED, normalization="layer")),
            ),
            measure=lambda shown: factor(last(shown).facts) / factor(first(shown).facts),
        ),
        Claim(
            name="In a residual net the gradient keeps its size",
            caption="Each block x + ReLU(W x + b) adds to it: with He's start it grows with every block.",
            formula="√2 per block, where the two gradients that add up are uncorrelated",
            source="Yang & Schoenholz 2017; De & Smith 2020",
            what="RMS dL/dz of layer 1 over the last hidden layer's, 20 hidden layers",
            low=0.1,
            high=10.0,
            shown=(("residual", _sixteen_seeds(RELU, initializer="He normal", depth=20, skip="one layer")),),
            measure=lambda shown: 10.0 ** last(shown).facts.log_inside,
        ),
        Claim(
            name="Xavier’s start fixes sigmoid nets",
            caption="Glorot's variance is right for slopes of 1. A sigmoid's is 1/4 at best: the gradient still vanishes.",
            formula="√0.0557 per layer, wide nets",
            source="Glorot & Bengio 2010",
            what="factor per sigmoid layer of RMS dL/dz, Glorot's start",
            low=0.8,
            high=1.2,
            shown=(("Glorot", _sixteen_seeds(MOONS)),),
            measure=lambda shown: factor(last(shown).facts),
        ),
        Claim(
            name="A forget bias of 1 gives an LSTM long memory",
            caption="It keeps 73% of the state per step, next to nothing over a hundred steps. The bias has to be about ln T.",
            formula="σ(1)¹⁰⁰ = 2.5 × 10⁻¹⁴ on the direct way",
            source="Jozefowicz et al. 2015; Tallec & Ollivier 2018",
            what="RMS dL/dh of step 1 over step 100",
            low=0.01,
            high=math.inf,
            shown=(FITTING, ONE),
            measure=lambda shown: share(last(shown).facts),
            compare="forget bias",
        ),
    ]
)


def measured(claim: Claim) -> float:
    """Return the number that decides, from its experiments, trained here."""
    shown = {}
    for name, experiment in claim.shown:
        training = Training(experiment) if claim.trains else Training(experiment, record_at=[0])
        training.advance(math.inf)
        shown[name] = diagnose(training.history())
    return claim.measure(shown)


def claim_headline(values: Mapping[str, float]) -> str:
    """Say how many of the claims the measured numbers contradict."""
    verdicts = [CLAIMS[name].verdict(value) for name, value in values.items()]
    waiting = verdicts.count(NOT_YET)
    still = f"; {waiting} {'is' if waiting == 1 else 'are'} being measured" if waiting else ""
    return f"Nets contradict {verdicts.count(CONTRADICTED)} of {len(verdicts)} common claims{still}"


def claim_rows(values: Mapping[str, float]) -> list[dict[str, object]]:
    """Return one row for every claim."""
    return [
        {
            "said": name,
            "measured": CLAIMS[name].what,
            "value": value,
            "if true, from": CLAIMS[name].low,
            "if true, to": CLAIMS[name].high,
            "verdict": CLAIMS[name].verdict(value),
            "nets": CLAIMS[name].caption,
            "theory": CLAIMS[name].formula,
            "source": CLAIMS[name].source,
        }
        for name, value in values.items()
    ]
