"""A scene's figure and its alternative text: one of the figures that other pages show too."""

from collections.abc import Sequence

import numpy as np

from explorer.diagnosis.comparison import Compared
from explorer.diagnosis.diagnose import Diagnosis
from explorer.diagnosis.seeds import share_interval
from explorer.diagnosis.wording import against_last, decades, summary
from explorer.figures.depth import Shares, share_figure
from explorer.figures.explore import compared_figure, describe_compared_figure
from explorer.figures.plain import Figure
from explorer.figures.remedies import TrialPanel, remedies_figure
from explorer.figures.time import describe_compared, shown_of, time_figure
from explorer.figures.tour import (
    beside_words,
    panels_beside_words,
    time_beside_words,
    why_beside_words,
    with_height,
)
from explorer.stories.scene import BY_DEPTH, DEPTHS, GRADIENTS, PANELS, THROUGH_TIME, WHY, Scene
from explorer.training.answers import AnswerMap

SHOWN_DEPTHS = f"depth {DEPTHS[0]} to {DEPTHS[-1]}"


def scene_figure(scene: Scene, compared: Compared, answers: AnswerMap | None = None) -> Figure:
    """Draw a scene as it is played with, each of its experiments with its first record at least.

    `answers` are those of the experiment that the scene is about, where the figure has room for them.
    """
    diagnoses = list(compared.measured.values())
    if scene.figure == WHY:
        about = diagnoses[scene.about]
        return why_beside_words(about.why(), summary(about.history.experiment))
    if scene.figure == BY_DEPTH:
        return _shares(diagnoses)
    if scene.figure == PANELS:
        tried = [TrialPanel(name, "", known.facts.learnt, known.history) for name, known in compared.measured.items()]
        return panels_beside_words(remedies_figure(tried, scene.view))
    if scene.figure == THROUGH_TIME:
        figure = time_figure(shown_of(compared), scene.view, scene.view.at, compared.names, compared.caption)
        return time_beside_words(figure, compared.caption)
    return beside_words(compared_figure(compared, scene.view, answers))


def _shares(diagnoses: Sequence[Diagnosis]) -> Figure:
    facts = [diagnosis.facts for diagnosis in diagnoses]
    solved, runs = np.array([(f.solved, f.runs) for f in facts]).T
    ends = np.array([share_interval(f.solved, f.runs) for f in facts])
    about = diagnoses[0].history.experiment
    name = f"skip over {about.skip}" if about.skipped else "plain"
    curve = Shares(name, np.array(DEPTHS), solved / runs, ends[:, 0], ends[:, 1], solved, runs)
    return with_height(share_figure([curve], DEPTHS[-1], summary(about, depth=SHOWN_DEPTHS)))


def describe_scene(scene: Scene, compared: Compared) -> str:
    """Say a scene's figure with its numbers, for those who do not see it."""
    diagnoses, told = list(compared.measured.values()), scene.tell(compared.measured)
    said = [f"{told[0].upper()}{told[1:]}."]
    if scene.figure == THROUGH_TIME:
        described = describe_compared(shown_of(compared), compared.names, scene.view, scene.view.at)
        return f"{said[0]} {described} {compared.caption}."
    if scene.figure == GRADIENTS:
        return f"{said[0]} {describe_compared_figure(compared, scene.view)}"
    if scene.figure == WHY:
        total = diagnoses[scene.about].why().total
        steps = [f"layer {layer} {decades(log10)}" for layer, log10 in enumerate(total, start=1)]
        said.append(f"dL/dz over that of the layer above: {', '.join(steps)}.")
    if scene.figure == PANELS:
        said += [
            f"{name}: {diagnosis.facts.learnt} seeds learn, dL/dz at layer 1 is {against_last(diagnosis.facts.log_ratio)}."
            for name, diagnosis in compared.measured.items()
        ]
    if scene.figure == BY_DEPTH:
        shares = [f"{depth}: {diagnosis.facts.learnt}" for depth, diagnosis in zip(DEPTHS, diagnoses, strict=True)]
        said.append(f"Seeds that learn, by depth: {', '.join(shares)}.")
    about = diagnoses[scene.about].history.experiment
    return " ".join([*said, summary(about, depth=SHOWN_DEPTHS if scene.figure == BY_DEPTH else None)])
