"""What a scene of the tour is: a question to the room, answers to predict, and the experiments that decide."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np

from explorer.choices.comparisons import COMPARISONS
from explorer.choices.controls import Choice, Control, Number
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.registry import Entry
from explorer.choices.settings import Settings
from explorer.diagnosis.comparison import BASELINE, Compared
from explorer.diagnosis.diagnose import Diagnosis
from explorer.diagnosis.wording import begun, decades, summary
from explorer.figures.plain import Figure
from explorer.figures.tour import Proof, pointed
from explorer.figures.view import View
from explorer.theory.products import LN10, MOST, Products, followed
from explorer.training.answers import AnswerMap

# What is known of the experiments on screen, by the names of their panels.
Shown = Mapping[str, Diagnosis]


@dataclass(frozen=True)
class Answer:
    """One of the answers to predict; right where the scene's number lies from `low` up to, but not at, `high`."""

    text: str
    low: float
    high: float


@dataclass(frozen=True)
class Play:
    """A setting that the room can play with after the answer."""

    setting: str  # A field of the scene's kind of experiment, or of its products
    values: tuple[Any, ...] = ()  # On offer; all that its control offers where it is empty

    def control(self, experiment: Settings | Products) -> Control:
        """Return the setting's control with these values and the experiment's own as the default."""
        control, default = experiment.controls()[self.setting], getattr(experiment, self.setting)
        if not self.values:
            return replace(control, default=default)
        if isinstance(control, Choice):
            return replace(control, options=tuple(str(value) for value in self.values), default=default)
        assert isinstance(control, Number)
        return replace(control, marks=self.values, default=default)


@dataclass(frozen=True, kw_only=True)
class SceneFigure:
    """How a scene's experiments are drawn, each with its first record at least; an entry of `scene_figures`."""

    # Of a scene; of a challenge too where only its `view` is asked for. Of answers there are those of the experiment that it
    # is about, where the figure has room for them.
    draw: Callable[[Any, Compared, AnswerMap | None], Figure]
    describe: Callable[[Any, Compared], str]  # In words, with its numbers, for those who do not see it
    trains: bool = True  # Whether it shows training, and not the start alone
    has_answers: bool = False  # Whether it has room for what the nets answer
    # At which the experiment that the scene is about is trained, in place of what the scene shows
    depths: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scene(Entry):
    """One scene: `name` is its title, `caption` sets it up, `source` is where the lesson comes from."""

    address: str  # What a link and the row of scenes call it: a few words that never change
    question: str  # To the room, before anything is shown
    answers: tuple[Answer, ...]  # Two to four whose spans do not meet
    right: int  # Index of the right one
    take_home: str  # One sentence; a test recomputes its numbers
    # What is drawn, with the names of the panels; the first is what the others are held against. Of recurrent nets:
    # what `compare` sets beside the experiment that the scene is about.
    shown: tuple[tuple[str, Settings], ...]
    # From what is known of `experiments` to the number that decides between the answers, and to a clause that says it.
    measure: Callable[[Shown], float]
    tell: Callable[[Shown], str]
    about: int = -1  # Index of the experiment in `shown` that the scene is about
    figure: SceneFigure
    view: View = field(default_factory=View)
    compare: str = ""  # Of recurrent nets, the name of an entry of `COMPARISONS`
    # The random factors that the scene multiplies, where it is about these; then what is shown is a net of which they tell.
    products: Products | None = None
    plays: tuple[Play, ...] = ()
    proof: Proof | None = None  # What of the figure proves the sentence, as long as nothing is played with

    def draw(self, compared: Compared, answers: AnswerMap | None) -> Figure:
        """Draw the figure, with what proves the sentence framed."""
        figure = self.figure.draw(self, compared, answers)
        return figure if self.proof is None else pointed(figure, self.proof)

    @property
    def before(self) -> "Scene | None":
        """What the room may see with the question: the baseline alone, of which the set-up tells; None where there is none."""
        (name, baseline), *others = self.shown
        if name != BASELINE or not others:
            return None
        return replace(
            self,
            shown=((BASELINE, baseline),),
            about=0,
            plays=(),
            proof=None,
            tell=lambda shown: "the net as it was before",
        )

    @property
    def experiment(self) -> Settings:
        """The experiment that the scene is about, as the scene opens."""
        return self.shown[self.about][1]

    @property
    def caption_of_figure(self) -> str:
        """The settings of what the scene is about, in one line."""
        return summary(self.experiment) if self.products is None else self.products.caption

    @property
    def controls(self) -> Mapping[str, Control]:
        """The controls to play with, by setting."""
        about = self.products or self.experiment
        return {play.setting: play.control(about) for play in self.plays}

    def as_played(self, played: Mapping[str, Any]) -> "Scene":
        """Return the scene with the settings that the viewer has changed."""
        if self.products is not None:
            products = replace(self.products, **played)
            proof = self.proof if products == self.products else None
            return replace(self, products=products, proof=proof, **of_products(products))
        shown = self._changed(played)
        return replace(self, shown=shown, proof=self.proof if shown == self.shown else None)

    def _changed(self, played: Mapping[str, Any]) -> tuple[tuple[str, Settings], ...]:
        """Change the experiment that the scene is about, and each other one that has the same value of a changed setting.

        So two experiments that differ in one setting still differ in that setting only. A comparison of recurrent nets is
        made anew, because a suitable bias depends on the length.
        """
        if self.compare:
            about = cast(RecurrentExperiment, self.experiment)
            return tuple(COMPARISONS[self.compare].of(about.but(**played), None).items())
        return tuple((name, self._change(shown, played)) for name, shown in self.shown)

    def _change(self, shown: Settings, played: Mapping[str, Any]) -> Settings:
        alike = {name: v for name, v in played.items() if getattr(shown, name) == getattr(self.experiment, name)}
        return shown.but(**alike)

    @property
    def experiments(self) -> dict[str, Any]:
        """What has to be trained, by the names under which `measure` and `tell` take what is known of it."""
        return {f"depth {depth}": self.experiment.but(depth=depth) for depth in self.figure.depths} or dict(self.shown)

    def describe(self, compared: Compared) -> str:
        """Say what decides, and the figure with its numbers."""
        told = self.tell(compared.measured)
        return f"{begun(told)}. {self.figure.describe(self, compared)}"


def of_products(about: Products) -> dict[str, Any]:
    """Return how a scene measures and tells what becomes of random factors."""
    return {
        "measure": lambda shown: 10.0 ** float(followed(about).quartiles[1, MOST]),
        "tell": lambda shown: _told(about),
    }


def _told(about: Products) -> str:
    paths = followed(about)
    return (
        f"of {MOST} factors the median product is {decades(float(paths.quartiles[1, MOST]))}, by theory "
        f"{decades(MOST * about.rate / LN10)}; {paths.vanished[MOST]:.0%} of the products are below 0.001 and "
        f"{paths.exploded[MOST]:.0%} above 1,000; with skips, 1 + f, the median is {decades(float(np.median(paths.skip[:, MOST])))}"
    )
