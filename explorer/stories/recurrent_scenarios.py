"""Recurrent scenarios: named experiments over time that tell a story, each with what it stands beside, one entry each."""

from dataclasses import dataclass

from explorer.choices.comparisons import COMPARISONS, Compared
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.registry import Entry, registry


@dataclass(frozen=True, kw_only=True)
class RecurrentScenario(Entry):
    """An experiment and what it is set beside, to open with one choice.

    Attributes
    ----------
    experiment : RecurrentExperiment
    compare : str
        Name of the entry of `recurrent_comparisons.COMPARISONS` that tells it best.
    """

    experiment: RecurrentExperiment
    compare: str

    @property
    def compared(self) -> Compared:
        """What then stands side by side, by name; a scenario pins no baseline."""
        return COMPARISONS[self.compare].of(self.experiment, None)


# 50 steps of silence at the least between the second symbol and the answer. W_hh of about the size that frameworks
# start with, U(-1/sqrt(n), 1/sqrt(n)), whose eigenvalues fill a disc of radius 0.58.
DELAY = RecurrentExperiment()

# ReLU units that add up what they see: with weights from the input of this size the states, and the gradient, are large.
EXPLODING = RecurrentExperiment(
    task="sine",
    length=50,
    samples=64,
    activation="ReLU",
    initializer="identity",
    strength=1.0,
    optimizer="SGD",
    learning_rate=0.05,
    epochs=300,
)

# The symbols come in the first half, and the last piece begins four fifths of the way.
CUT = RecurrentExperiment(length=30, initializer="orthogonal", strength=1.0, learning_rate=0.01, epochs=150)

RECURRENT_SCENARIOS = registry(
    [
        RecurrentScenario(
            name="Three cells, 100 steps",
            caption="Which of two symbols came first? They come in the first half of 100 steps, then there is silence. Of the plain "
            "net's gradient less than 10⁻²⁰ gets back to the first step, and no net learns; with gates that start "
            "nearly open, at a bias of 4.6, about ln 100, nearly all LSTMs and GRUs do.",
            source="Bengio et al. 1994; Hochreiter & Schmidhuber 1997, section 5.6; Cho et al. 2014",
            experiment=DELAY,
            compare="the three cells",
        ),
        RecurrentScenario(
            name="Forget bias: ln T",
            caption="Gates alone are no memory: half open, the forget gate lets half of the gradient through at each step. Over "
            "100 steps less than 10⁻²⁰ of it gets back, and no net learns. The bias that opens it is about ln 100.",
            source="Gers et al. 2000; Jozefowicz et al. 2015; Tallec & Ollivier 2018",
            experiment=DELAY.but(cell="LSTM"),
            compare="forget bias",
        ),
        RecurrentScenario(
            name="Exploding, clipped or not",
            caption="ReLU units that start as the identity, on a noisy sine: the first gradients are about a thousand long, and within "
            "five epochs nearly every net has become non-finite. Clipped, the same gradients teach nearly all of them.",
            source="Pascanu et al. 2013; Le et al. 2015",
            experiment=EXPLODING,
            compare="clipping",
        ),
        RecurrentScenario(
            name="Starts of W_hh",
            caption="The plain net again, with twice the epochs: only the first W_hh differs. Scaled to σ₁ = 1, less than 10⁻²⁰ of "
            "the gradient gets back; from 0, exactly none. Orthogonal, all singular values are 1, and most nets learn "
            "their sequences.",
            source="Pascanu et al. 2013; Saxe et al. 2014; Le et al. 2015",
            experiment=DELAY.but(strength=1.0, epochs=200),
            compare="start of W_hh",
        ),
        RecurrentScenario(
            name="Truncated",
            caption="Which of two symbols came first, in the first half of 30 steps? Not cut, nearly all nets learn it. With "
            "the way back cut after 6 steps exactly nothing of the gradient reaches the symbols, and hardly a net does.",
            source="Williams & Peng 1990; Tallec & Ollivier 2017",
            experiment=CUT,
            compare="truncation",
        ),
    ]
)


def matching_recurrent(
    experiment: RecurrentExperiment, baseline: RecurrentExperiment | None, compare: str
) -> str | None:
    """Return the name of the scenario that is exactly what is shown, or None; no scenario has a baseline."""
    for name, scenario in RECURRENT_SCENARIOS.items():
        if baseline is None and (scenario.experiment, scenario.compare) == (experiment, compare):
            return name
    return None
