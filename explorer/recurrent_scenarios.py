"""Recurrent scenarios: named experiments over time that tell a story, one entry each."""

from dataclasses import dataclass

from explorer.recurrent_experiment import RecurrentExperiment
from explorer.registry import Entry, registry


@dataclass(frozen=True, kw_only=True)
class RecurrentScenario(Entry):
    """An experiment to open with one choice.

    Attributes
    ----------
    experiment : RecurrentExperiment
    baseline : RecurrentExperiment
        What it is held against; the same as `experiment` where nothing is.
    """

    experiment: RecurrentExperiment
    baseline: RecurrentExperiment


# The opening example: 50 steps of silence at the least between the second symbol and the answer.
DELAY = RecurrentExperiment()

# ReLU units that add up what they see: with weights from the input of this size the states, and the gradient, are large.
EXPLODING = RecurrentExperiment(
    task="sine",
    length=50,
    samples=64,
    activation="ReLU",
    initializer="identity",
    clip="none",
    optimizer="SGD",
    learning_rate=0.05,
    epochs=600,
)

RECURRENT_SCENARIOS = registry(
    [
        RecurrentScenario(
            name="Plain RNN, 100 steps: forgets",
            caption="Which of two symbols came first? They come in the first half of 100 steps, then there is silence. W_hh starts "
            "with a radius of about 1; even so only a few hundredths of the gradient get back to the first step, and hardly a net learns.",
            source="Bengio et al. 1994; Hochreiter & Schmidhuber 1997, section 5.6",
            experiment=DELAY,
            baseline=DELAY,
        ),
        RecurrentScenario(
            name="LSTM with a bias of ln 100: remembers",
            caption="One change of cell. Its forget gate starts with the bias 4.6, about ln 100: the gate lets a third "
            "of the gradient through 100 steps, and nearly all nets learn.",
            source="Gers et al. 2000; Tallec & Ollivier 2018",
            experiment=DELAY.but(cell="LSTM"),
            baseline=DELAY,
        ),
        RecurrentScenario(
            name="GRU with a bias of ln 100: remembers",
            caption="The same with one state and one gate less: the update gate keeps the state as the forget gate does.",
            source="Cho et al. 2014",
            experiment=DELAY.but(cell="GRU"),
            baseline=DELAY,
        ),
        RecurrentScenario(
            name="LSTM without a bias: forgets too",
            caption="Gates alone are no memory: half open, the forget gate lets half of the gradient through at each step. Less than "
            "10⁻¹² of it gets back to the first step, and no net learns.",
            source="Jozefowicz et al. 2015",
            experiment=DELAY.but(cell="LSTM", forget_bias=0.0),
            baseline=DELAY.but(cell="LSTM"),
        ),
        RecurrentScenario(
            name="Exploding, clipped",
            caption="ReLU units that start as the identity, on a noisy sine: the first gradients are hundreds long, and within "
            "five epochs every net has become non-finite. Cut to a length of 1, the same gradients teach all of them.",
            source="Pascanu et al. 2013; Le et al. 2015",
            experiment=EXPLODING.but(clip="norm", threshold=1.0),
            baseline=EXPLODING,
        ),
    ]
)
