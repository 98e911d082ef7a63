"""Challenges: homework that the engine checks. One entry each: a start, what may be changed, and the rule that must hold."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from explorer.choices.controls import Choice, Control, Number
from explorer.choices.registry import Entry, registry
from explorer.choices.settings import Settings
from explorer.diagnosis.diagnose import Diagnosis
from explorer.diagnosis.facts import Facts
from explorer.diagnosis.wording import against_last
from explorer.figures.view import TimeView, View
from explorer.stories.scenarios import DELAY, DYING, EXPLODING_IN_TIME, MOONS, OPENING, RELU
from explorer.stories.scene import Play, SceneFigure
from explorer.stories.scene_figures import GRADIENTS, THROUGH_TIME
from explorer.training.kinds import LAYERS, TIME_STEPS, kind_of

FIGURES: Mapping[str, SceneFigure] = {LAYERS.name: GRADIENTS, TIME_STEPS.name: THROUGH_TIME}


@dataclass(frozen=True)
class Rule:
    """What must be true of the trained net."""

    words: str  # Behind "Solved when"
    holds: Callable[[Facts], bool]
    tell: Callable[[Facts], str]  # What was found, with its numbers and those that are asked for


@dataclass(frozen=True)
class Judgment:
    """Whether a challenge is solved, and why or why not, in one sentence with its numbers."""

    solved: bool
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Challenge(Entry):
    """A task for students: `name` is its title, `caption` the task, `source` that of the lesson."""

    address: str  # What a link and an answer call it: a few words that never change
    start: Any
    plays: tuple[Play, ...]  # What may be changed; all else, the seeds too, must be as at the start
    most_changes: int | None = None  # So many of these at the same time
    rule: Rule
    hint: str
    lesson: str  # Said once it is solved
    # Of nets over time, the name of an entry of `COMPARISONS`: how their page sets it beside the start
    compare: str = ""
    view: Any = field(default_factory=View)  # A `TimeView` of nets over time

    @property
    def controls(self) -> Mapping[str, Control]:
        """The controls of what may be changed, by setting, with the range that is allowed."""
        return {play.setting: _bounded(play.control(self.start)) for play in self.plays}

    @property
    def figure(self) -> SceneFigure:
        """How its nets are drawn."""
        return FIGURES[kind_of(self.start).name]

    def changed(self, experiment: Settings) -> list[str]:
        """Return the names of the settings in which an experiment of the same kind differs from the start."""
        before = self.start.settings()
        return [name for name, value in experiment.settings().items() if value != before[name]]

    def objection(self, experiment: Settings) -> str:
        """Say what was changed that must not be, or is out of its range; empty where all is allowed."""
        if kind_of(experiment) is not kind_of(self.start):
            return f"a net of {kind_of(experiment).position}s, where the challenge is a net of {kind_of(self.start).position}s"
        changed, controls = self.changed(experiment), self.controls
        others = [f"{name}, which must stay {getattr(self.start, name)}" for name in changed if name not in controls]
        if others:
            return f"changed: {'; '.join(others)}"
        try:
            for name in changed:
                controls[name].check(name, getattr(experiment, name))
        except ValueError as error:
            return str(error)
        if self.most_changes is not None and len(changed) > self.most_changes:
            return f"changed: {', '.join(changed)}; only {self.most_changes} of these may be changed"
        return ""

    def judge(self, found: Diagnosis) -> Judgment:
        """Judge what was trained, by its numbers alone.

        >>> from explorer import diagnose, train
        >>> CHALLENGES["One change is enough"].judge(diagnose(train(OPENING.but(skip="one layer", epochs=3000)))).sentence
        'changed: skip, which must stay none'
        """
        experiment: Settings = found.history.experiment
        if objection := self.objection(experiment):
            return Judgment(False, objection)
        told = self.rule.tell(found.facts)
        if not found.facts.complete:
            return Judgment(False, f"so far, {told}")
        return Judgment(self.rule.holds(found.facts), told)


def _bounded(control: Control) -> Control:
    """Allow what lies between the values on offer, and no more."""
    return (
        replace(control, low=min(control.offered), high=max(control.offered))
        if isinstance(control, Number)
        else control
    )


# --- rules ----------------------------------------------------------------------------------------


def learnt(needed: int) -> Rule:
    """So many of the eight seeds must learn the task."""
    asked, of_all = ("all 8", "") if needed == 8 else (f"at least {needed}", " of the 8")
    return Rule(
        f"{asked}{of_all} seeds learn the task",
        lambda f: f.solved >= needed,
        lambda f: f"{f.learnt} seeds learn it; {asked} are needed",
    )


_BEFORE = "before any update, RMS dL/dz at layer 1 is"
_LAST = "that at the last hidden layer"


def _tell_inside(f: Facts, asked: str) -> str:
    return f"{_BEFORE} {against_last(f.log_inside, _LAST)}, in the median seed; {asked}"


def level(factor: int) -> Rule:
    """The gradient must be level over the hidden layers, up to a factor."""
    span = f"1/{factor} to {factor} times"
    return Rule(
        f"{_BEFORE} {span} {_LAST}, in the median seed",
        lambda f: abs(f.log_inside) <= math.log10(factor),
        lambda f: _tell_inside(f, f"{span} is needed"),
    )


def exploded(times: int) -> Rule:
    """The gradient must grow from the last hidden layer to the first by at least a factor."""
    return Rule(
        f"{_BEFORE} at least {times:,} times {_LAST}, in the median seed",
        lambda f: math.log10(times) <= f.log_inside < math.inf,
        lambda f: _tell_inside(f, f"at least {times:,} times is needed"),
    )


def dead(share: float) -> Rule:
    """So many hidden units must have died by the end."""
    return Rule(
        f"after the last epoch at least {share:.0%} of the hidden units are off for every sample, in the mean over seeds",
        lambda f: f.dead_share >= share,
        lambda f: f"{f.dead_share:.0%} of the hidden units are off for every sample; at least {share:.0%} are needed",
    )


# --- the challenges -------------------------------------------------------------------------------


AT_START = View(at=0)
BESIDE_START = "baseline"
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
SMALL = MOONS.but(samples=64, learning_rate=0.02)
TWENTY = OPENING.but(depth=20, width=8, epochs=2000)
RESIDUAL = SMALL.but(
    activation="ReLU", initializer="He normal", skip="one layer", depth=40, learning_rate=0.05, epochs=100
)

CHALLENGES = registry(
    [
        Challenge(
            name="One change is enough",
            address="one change",
            caption="Eleven sigmoid layers of four units never learn XOR. Change one setting, and only one, so that they do. Skips are "
            "not on offer.",
            start=OPENING.but(epochs=3000),
            # SELU is left out: it solves it in six to eight seeds, which hangs on the last digit.
            plays=(
                Play(
                    "activation", ("sigmoid", "softplus", "tanh", "GELU", "SiLU", "ReLU", "leaky ReLU", "ELU", "linear")
                ),
                Play("initializer"),
                Play("normalization"),
                Play("optimizer"),
                Play("learning_rate", RATES),
            ),
            most_changes=1,
            rule=learnt(8),
            hint="What does each sigmoid layer multiply the gradient by, at best? In layers this narrow, one unit that is off loses much of the signal.",
            lesson="The sigmoid's slope is at most 1/4. ELU's is 1 for every z above 0, and unlike ReLU's it is not 0 below: with four "
            "units per layer, ReLU layers are often off altogether.",
            source="Clevert et al. 2016",
        ),
        Challenge(
            name="What ReLU cuts off",
            address="what relu cuts off",
            caption="Thirty ReLU layers start from LeCun's N(0, 1/fan_in), which is made for nearly linear layers. The gradient "
            "vanishes. Find the gain that keeps it level.",
            start=RELU.but(initializer="LeCun", samples=64, epochs=50),
            plays=(Play("gain", (0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4142, 1.5, 1.6667, 2.0)),),
            rule=level(3),
            view=AT_START,
            hint="ReLU sets half of every signal to 0. By which factor does that lower the mean square, and which factor of the "
            "weights makes up for it?",
            lesson="The gain is √2: ReLU halves the mean square of what passes, so weights need twice the variance. LeCun's start "
            "times √2 is He's.",
            source="He et al. 2015, section 2.2",
        ),
        Challenge(
            name="The edge of chaos",
            address="edge of chaos",
            caption="In forty tanh layers with LeCun's start and a gain of 1, theory's critical value for endless depth, the gradient "
            "still shrinks. Find the gain at which it stays level at this depth.",
            start=SMALL.but(activation="tanh", initializer="LeCun", depth=40, width=32, samples=32, epochs=20),
            plays=(Play("gain", (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.4142, 1.5, 2.0)),),
            rule=level(2),
            view=AT_START,
            hint="A larger gain makes the weights pass on more and the slopes less, because units saturate. Depth and Sweep show the "
            "gradient for many gains at once.",
            lesson="A little above 1. At a gain of exactly 1 signals die out, but only slowly, and until they have, tanh's slopes "
            "are below 1 and cost gradient. Below a gain of 1 the gradient vanishes exponentially; above 1 it grows exponentially in the "
            "end, at this depth 3 times at 1.3 and 300 times at 2.",
            source="Poole et al. 2016; Schoenholz et al. 2017",
        ),
        Challenge(
            name="Kill the ReLUs",
            address="kill the relus",
            caption="Six ReLU layers with He's start: all is well, and all seeds learn. Now break them: train so that at least half of "
            "their units are off for good.",
            start=DYING.but(learning_rate=0.1, samples=64),
            plays=(Play("learning_rate", (0.01, *RATES[4:])), Play("optimizer")),
            rule=dead(0.5),
            view=View(metric="dead"),
            hint="A unit is as good as off for good once one update has pushed its z below 0 for every sample. What makes updates longer?",
            lesson="With steps far too long, a unit's z falls below 0 for every sample. Its slope there is 0, so its own "
            "weights get no gradient that could bring it back. A leaky ReLU cannot die in this way.",
            source="Maas et al. 2013; Lu et al. 2020",
        ),
        Challenge(
            name="Make batch norm explode",
            address="batch norm explodes",
            caption="Batch norm is said to keep gradients in check. Find a net with batch norm, and without skips, in which the gradient "
            "grows at least 10,000 times from the last hidden layer to the first, before any update.",
            start=SMALL.but(activation="tanh", normalization="batch", epochs=20),
            plays=(Play("depth", (5, 10, 15, 20, 25, 30, 35, 40, 45, 50)), Play("activation")),
            rule=exploded(10_000),
            view=AT_START,
            hint="Batch norm divides by the spread of what is left of a signal. Which activations leave little of it? And how often does "
            "the gradient pass one?",
            lesson="Batch norm keeps signals level, not gradients: it divides by a spread that the activation has made smaller, and the "
            "gradient is divided by it too. With ReLU theory says √(π/(π − 1)) ≈ 1.21 for each wide layer; narrow ones like these have more. It is exponential "
            "in depth.",
            source="Yang et al. 2019",
        ),
        Challenge(
            name="Skips that explode",
            address="skips that explode",
            caption="Forty ReLU layers, with a skip over each: the gradient cannot vanish, but it grows at every layer, and no "
            "seed learns. Make the net learn without taking the skips away.",
            start=RESIDUAL,
            plays=(
                Play("gain", (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)),
                Play("normalization"),
                Play("learning_rate", RATES[:7]),
                Play("clip"),
                Play("threshold", (0.01, 0.1, 1.0, 10.0)),
            ),
            rule=learnt(7),
            hint="y = x + f(W x + b) is larger than x. Shorter updates treat only the symptom: what keeps f's part from growing with x?",
            lesson="Signals and gradients are multiplied by more than 1 at each layer, y = x + f(x). A normalization in each branch keeps "
            "what it adds at one size, whatever x has become, so that the sum grows slowly. Shorter steps do not change that. Small first weights in the "
            "branches do much the same at the start.",
            source="Zhang et al. 2019; De & Smith 2020",
        ),
        Challenge(
            name="Learning from almost nothing",
            address="almost nothing",
            caption="Twenty tanh layers with weights that are too small: layer 1 gets less than 10⁻⁵ of the output's gradient. Leave "
            "the net as it is, and make it learn.",
            start=SMALL.but(activation="tanh", initializer="LeCun", gain=0.6, depth=20, learning_rate=0.1, epochs=300),
            plays=(Play("optimizer"), Play("learning_rate", RATES)),
            rule=learnt(7),
            hint="A larger rate makes every layer's step longer, those of the last layers too. Which optimizer makes the step of each "
            "weight about as long, however small its gradient is? It needs a rate of its own.",
            lesson="RMSprop and Adam divide each entry of the gradient by its own size: a layer with 10⁻⁵ of the gradient takes "
            "steps as long as all others. The direction was there all along. But the rate is now the step itself: 0.1 is far too long.",
            source="Tieleman & Hinton 2012; Kingma & Ba 2015",
        ),
        Challenge(
            name="The first step too far",
            address="first step too far",
            caption="A recurrent net of ReLU units is to continue a noisy sine. Its first gradient has a norm of about a thousand, and "
            "within a few epochs nearly every seed is no longer finite. Limit the gradient so that the seeds learn in 200 epochs.",
            start=EXPLODING_IN_TIME.but(clip="none", samples=32, epochs=200),
            plays=(Play("clip"), Play("threshold", (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0))),
            rule=learnt(7),
            hint="Clip by norm. A threshold that is too high lets steps pass that are too long; with one that is too low 200 epochs "
            "do not lead far enough.",
            lesson="Clipping by norm keeps the direction of the gradient and limits the step: at most the threshold times the rate. "
            "It changes nothing about how far gradients reach.",
            source="Pascanu et al. 2013",
            compare=BESIDE_START,
            view=TimeView(),
        ),
        Challenge(
            name="A hundred steps of memory",
            address="hundred steps of memory",
            caption="Which of two symbols came first, at least fifty steps ago? An LSTM whose forget bias starts at 0 never finds out. Make "
            "it remember.",
            start=DELAY.but(cell="LSTM", forget_bias=0.0, epochs=50),
            plays=(
                Play("forget_bias", (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 4.6, 5.0, 6.0)),
                Play("learning_rate", RATES[:7]),
            ),
            rule=learnt(7),
            hint="At rest the gate keeps σ(bias) of the state at each step. How much of it is left after 100 steps, with a bias of 0, of 1, "
            "of ln 100?",
            lesson="A bias of 0 keeps half of the state at each step, 10⁻³⁰ of it over a hundred. The usual 1 keeps 73%, 10⁻¹⁴ in all; "
            "ln 100 ≈ 4.6 keeps 99%, and 37% in all. The bias should grow with the time to bridge, as ln T.",
            source="Jozefowicz et al. 2015; Tallec & Ollivier 2018",
            compare=BESIDE_START,
            view=TimeView(),
        ),
        Challenge(
            name="Twenty sigmoid layers, no skips",
            address="twenty sigmoid layers",
            caption="Twenty sigmoid layers of eight units: layer 1 gets about 10⁻¹¹ of the output's gradient. Make them learn XOR without skips, and "
            "with the sigmoid.",
            start=TWENTY,
            plays=(
                Play("initializer"),
                Play("gain", (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)),
                Play("normalization"),
                Play("optimizer"),
                Play("learning_rate", RATES),
            ),
            rule=learnt(7),
            hint="The slope is at most 1/4, so weights must make up for a factor of 4 or more. Then the gradient is "
            "small, but no longer lost, and an optimizer that divides it by its own size can use it.",
            lesson="Weights several times larger bring back most of what the slopes take, orthogonal ones "
            "treat all directions alike, before the slopes do not; RMSprop or Adam do the rest, since they divide each gradient by its own size. Neither is "
            "enough alone.",
            source="Saxe et al. 2014; Pennington et al. 2017; Kingma & Ba 2015",
        ),
    ]
)
# As a link and an answer call them.
BY_ADDRESS: Mapping[str, Challenge] = {challenge.address: challenge for challenge in CHALLENGES.values()}
ADDRESSES = tuple(BY_ADDRESS)


# --- the page's controls, by key in the link ------------------------------------------------------


CHALLENGE_KEY = "challenge"


def change_key(challenge: Challenge, setting: str) -> str:
    """Return the link's key of a setting that may be changed in a challenge."""
    return f"homework-{challenge.address.replace(' ', '-')}_{setting}"


CHALLENGE_CONTROLS: Mapping[str, Control] = {
    CHALLENGE_KEY: Choice(
        label="Challenge",
        help="The challenges, from easy to hard.",
        group="View",
        options=ADDRESSES,
        default=ADDRESSES[0],
    )
} | {
    change_key(challenge, name): control
    for challenge in CHALLENGES.values()
    for name, control in challenge.controls.items()
}
