"""The figures of scenes, one entry each: those that other pages show too."""

from collections.abc import Sequence
from typing import Any

from explorer.diagnosis.comparison import Compared
from explorer.diagnosis.decomposition import Why
from explorer.diagnosis.lens import Lens, look
from explorer.diagnosis.wording import against_last, decades, summary
from explorer.figures.depth import Shares, share_figure
from explorer.figures.explore import compared_figure, describe_compared_figure
from explorer.figures.lens import describe_lens
from explorer.figures.plain import Figure
from explorer.figures.remedies import TrialPanel, remedies_figure
from explorer.figures.time import describe_compared, time_figure
from explorer.figures.tour import (
    beside_words,
    describe_products,
    lens_beside_words,
    panels_beside_words,
    product_figure,
    time_beside_words,
    why_beside_words,
    with_height,
)
from explorer.stories.scene import Scene, SceneFigure, Shown
from explorer.theory.products import Products
from explorer.training.answers import AnswerMap

DEPTHS = tuple(range(1, 11))
SHOWN_DEPTHS = f"depth {DEPTHS[0]} to {DEPTHS[-1]}"


# Layer by epoch with loss and profile, of one experiment or two.
GRADIENTS = SceneFigure(
    draw=lambda scene, compared, answers: beside_words(compared_figure(compared, scene.view, answers, one_line=True)),
    describe=lambda scene, compared: describe_compared_figure(compared, scene.view),
    has_answers=True,
)


def _why(scene: Scene, compared: Compared) -> Why:
    return list(compared.measured.values())[scene.about].why()


def _draw_why(scene: Scene, compared: Compared, answers: AnswerMap | None) -> Figure:
    return why_beside_words(_why(scene, compared), summary(scene.experiment))


def _describe_why(scene: Scene, compared: Compared) -> str:
    steps = [f"layer {layer} {decades(log10)}" for layer, log10 in enumerate(_why(scene, compared).total, start=1)]
    return f"dL/dz over that of the layer above: {', '.join(steps)}. {summary(scene.experiment)}"


# What multiplies the gradient of one experiment at its start.
WHY = SceneFigure(draw=_draw_why, describe=_describe_why, trains=False)


def looked_at(experiment: Any) -> int:
    """Return the hidden layer in the middle."""
    return int(experiment.depth + 1) // 2


def lenses(shown: Shown) -> tuple[Lens | None, Lens]:
    """Look at the middle hidden layer at the start: of the first experiment, if it is another one than the last, and of the last."""
    histories = [diagnosis.history for diagnosis in shown.values()]
    first, last = (look(history, 0, looked_at(history.experiment)) for history in (histories[0], histories[-1]))
    return None if first.history.experiment == last.history.experiment else first, last


def _ends(names: Sequence[str]) -> tuple[str, str]:
    return names[0], names[-1]


def _draw_lens(scene: Scene, compared: Compared, answers: AnswerMap | None) -> Figure:
    before, now = lenses(compared.measured)
    return lens_beside_words(now, before, summary(scene.experiment), _ends(compared.names))


def _describe_lens(scene: Scene, compared: Compared) -> str:
    before, now = lenses(compared.measured)
    return f"{describe_lens(now, before, _ends(compared.names))} {summary(scene.experiment)}"


# Where z lies in the middle of one experiment or two, at the start, and the slope there.
LENS = SceneFigure(draw=_draw_lens, describe=_describe_lens, trains=False)


def _draw_shares(scene: Scene, compared: Compared, answers: AnswerMap | None) -> Figure:
    facts = [diagnosis.facts for diagnosis in compared.measured.values()]
    learnt = {depth: (f.solved, f.runs) for depth, f in zip(DEPTHS, facts, strict=True)}
    about: Any = scene.experiment
    curve = Shares.of(f"skip over {about.skip}" if about.skipped else "plain", learnt)
    return with_height(share_figure([curve], DEPTHS[-1], summary(about, depth=SHOWN_DEPTHS)))


def _describe_shares(scene: Scene, compared: Compared) -> str:
    learnt = [diagnosis.facts.learnt for diagnosis in compared.measured.values()]
    shares = [f"{depth}: {of_seeds}" for depth, of_seeds in zip(DEPTHS, learnt, strict=True)]
    return f"Seeds that learn, by depth: {', '.join(shares)}. {summary(scene.experiment, depth=SHOWN_DEPTHS)}"


# The share of seeds that learn, by depth.
BY_DEPTH = SceneFigure(draw=_draw_shares, describe=_describe_shares, depths=DEPTHS)


def _draw_panels(scene: Scene, compared: Compared, answers: AnswerMap | None) -> Figure:
    tried = [TrialPanel(name, "", known.facts.learnt, known.history) for name, known in compared.measured.items()]
    return panels_beside_words(remedies_figure(tried, scene.view, ranked=False))


def _describe_panels(scene: Scene, compared: Compared) -> str:
    said = [
        f"{name}: {known.facts.learnt} seeds learn, dL/dz at layer 1 is {against_last(known.facts.log_ratio)}."
        for name, known in compared.measured.items()
    ]
    return " ".join([*said, summary(scene.experiment)])


# One small panel for each experiment.
PANELS = SceneFigure(draw=_draw_panels, describe=_describe_panels)


def _draw_through_time(scene: Scene, compared: Compared, answers: AnswerMap | None) -> Figure:
    return time_beside_words(time_figure(compared, scene.view), compared.caption)


# Recurrent nets side by side, time step by epoch.
THROUGH_TIME = SceneFigure(
    draw=_draw_through_time,
    describe=lambda scene, compared: describe_compared(compared, scene.view),
)


def _products(scene: Scene) -> Products:
    assert scene.products is not None
    return scene.products


# Random factors multiplied, along many paths.
PRODUCTS = SceneFigure(
    draw=lambda scene, compared, answers: product_figure(_products(scene)),
    describe=lambda scene, compared: describe_products(_products(scene)),
    trains=False,
)
