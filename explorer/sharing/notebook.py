"""Notebook: the Python that repeats what a page shows, its numbers and its figures, as lines and as a notebook.

Lines are paragraphs with an empty line between them, and each begins with a comment that says what it does. In the
notebook a paragraph is a cell, and its comment the text above that.
"""

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from explorer.choices.experiment import Experiment
from explorer.choices.settings import Settings
from explorer.diagnosis.lens import Lens
from explorer.diagnosis.walk import Walk
from explorer.figures.view import CliffView, View
from explorer.stories.challenges import Challenge
from explorer.stories.scene import Scene
from explorer.stories.tour import TOUR
from explorer.stories.tutorial import RUN, SAID, TutorialView
from explorer.sweeps.outcomes import Outcome
from explorer.sweeps.sweep import Sweep
from explorer.theory.products import Products
from explorer.training.kinds import LAYERS, TIME_STEPS, kind_of

OWN_DATA = "data=read_csv(open('my.csv', 'rb').read())"
# What draws histories, and says what is drawn, of each kind of nets.
DRAWN = {LAYERS: ("compared_figure", "describe_compared_figure"), TIME_STEPS: ("time_figure", "describe_compared")}
# Where lines find the names that they use.
SOURCES = {
    "explorer": "Experiment RecurrentExperiment train",
    "explorer.choices.comparisons": "COMPARISONS with_baseline",
    "explorer.choices.own_data": "read_csv",
    "explorer.diagnosis.comparison": "Compared",
    "explorer.diagnosis.effects": "combined effect rank",
    "explorer.diagnosis.facts": "facts",
    "explorer.diagnosis.lens": "look",
    "explorer.diagnosis.remedies": "REMEDIES",
    "explorer.diagnosis.seeds": "log_band share_interval",
    "explorer.diagnosis.trials": "Results trials",
    "explorer.diagnosis.walk": "walk",
    "explorer.diagnosis.wording": "summary",
    "explorer.figures.cliff": "cliff_figure describe_cliff walks",
    "explorer.figures.depth": "Factors Shares describe_factors describe_shares describe_triangle "
    "factor_figure share_figure triangle_figure triangles_of",
    "explorer.figures.explore": "compared_figure describe_compared_figure describe_why why_figure",
    "explorer.figures.lens": "describe_lens lens_figure",
    "explorer.figures.plain": "show",
    "explorer.figures.remedies": "describe_losses describe_tried loss_figure ranked_panels remedies_figure",
    "explorer.figures.sweep": "Swept describe_sweep sweep_figure",
    "explorer.figures.time": "describe_compared time_figure",
    "explorer.figures.tour": "Said describe_products product_figure said_figure",
    "explorer.figures.view": "CliffView TimeView View",
    "explorer.sharing.offline_page": "show_walk",
    "explorer.sharing.saved": "sweep_csv",
    "explorer.stories.challenges": "CHALLENGES",
    "explorer.stories.claims": "CLAIMS measured",
    "explorer.stories.tour": "TOUR",
    "explorer.stories.tutorial": "INNER NETS Program TutorialView log_lines",
    "explorer.sweeps.by_depth": "DepthSeries",
    "explorer.sweeps.cliff": "survey",
    "explorer.sweeps.critical": "critical_points",
    "explorer.sweeps.descent": "cliff_summary side_by_side",
    "explorer.sweeps.outcomes": "OUTCOMES",
    "explorer.sweeps.sweep": "Sweep",
    "explorer.sweeps.sweep_run": "run_sweep",
    "explorer.theory.products": "Products followed product_rows",
    "explorer.training.all_depths": "gradients_by_depth",
    "explorer.training.answers": "answer_map",
    "explorer.training.measures": "DIAGNOSTICS",
    "explorer.training.run": "Training",
}


def _script(*steps: str) -> str:
    """Put the steps that there are together, after the imports of the names that they use."""
    code = "\n".join(filter(None, steps))
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    found = {module: [name for name in names.split() if name in used] for module, names in SOURCES.items()}
    imports = [f"from {module} import {', '.join(names)}" for module, names in found.items() if names]
    return _step("What is needed of the project", *imports) + "\n" + code


def _step(words: str, *lines: str) -> str:
    return "".join(f"{line}\n" for line in (f"# {words}", *lines))


def constructor(experiment: Settings) -> str:
    """Write an experiment as it is made: only what differs from the opening example."""
    changed = experiment.settings(changed_only=True)
    arguments = [f"{name}={value!r}" for name, value in changed.items()]
    own = experiment.data is not None
    return f"{type(experiment).__name__}({', '.join([*arguments, *([OWN_DATA] * own)])})"


def _made(value: Any) -> str:
    """Write a view as it is made: only what differs from its defaults."""
    held = {field.name: (getattr(value, field.name), field.default) for field in fields(value)}
    changed = [f"{name}={now!r}" for name, (now, default) in held.items() if now != default]
    return f"{type(value).__name__}({', '.join(changed)})"


def _with_answers(experiment: Settings) -> bool:
    """Whether the figure of a trained net has room for its answers, which its history does not hold."""
    return kind_of(experiment) is LAYERS and not experiment.dataset.truth_table


# --- pages ----------------------------------------------------------------------------------------


def explore_lines(
    experiment: Experiment, baseline: Experiment | None = None, lens: Lens | None = None, view: View | None = None
) -> str:
    """Repeat what Explore shows, and where somebody looks through the lens what that shows."""
    view, with_answers = view or View(), _with_answers(experiment)
    names = {"baseline": "baseline", "now": "history"} if baseline is not None else {"now": "history"}
    named = ", ".join(f"{name!r}: {history}.experiment" for name, history in names.items())
    training = ["training.advance(float('inf'))", "history = training.history()"]
    return _script(
        _step(
            "Train all seeds together",
            *(
                [f"training = Training({constructor(experiment)})", *training]
                if with_answers
                else [f"history = train({constructor(experiment)})"]
            ),
            *([] if baseline is None else [f"baseline = train({constructor(baseline)})"]),
        ),
        _step(
            "The numbers: one for every seed, record and layer. What became of each seed: solved, learning, stuck or diverged",
            'history.measures["delta"]  # (runs, records, layers): RMS of dL/dz, first layer to last',
            "print(history.outcome)",
        ),
        _step(
            "What they say, and their picture",
            f"compared = Compared.of({{{named}}}, [{', '.join(names.values())}])",
            "print(compared.now.sentence)",
            f"view = {_made(view)}",
            f"answers = {'answer_map(training)' if with_answers else 'None'}",
            "show(compared_figure(compared, view, answers), describe_compared_figure(compared, view))",
        ),
        _step(
            "Why: what multiplies the gradient on its way back, layer by layer",
            "why = compared.now.why(view.at)",
            "show(why_figure(why), describe_why(why))",
        ),
        "" if lens is None else _lens_step(lens, "history", None if baseline is None else "baseline"),
    )


def _lens_step(lens: Lens, history: str, other: str | None, names: tuple[str, ...] = ()) -> str:
    """Look through the lens at a history, and at another one behind it; both are expressions."""
    place, of = lens.history.kind.position, f", function={lens.function!r}" * bool(lens.function)
    where = f"epoch={lens.epoch}, position={lens.position}, seed={lens.seed}{of}"
    named = f", names={names!r}" * bool(names)
    factor = "lens.factor     # of the gradient dL/dh that arrives what is left as dL/dz: the RMS of f' weighted by its square"
    return _step(
        f"One {place} close up: the histogram of z under the function and its slope",
        f"lens = look({history}, {where})",
        f"other = {f'look({other}, {where})' if other else 'None'}",
        f"lens.shares     # of all z of the {place}, in each bin between lens.edges; lens.zero: exactly 0",
        "lens.rms_slope  # RMS of f' over this histogram: the least, likely and most that its bins allow",
        *([factor] if lens.measured else []),
        f"show(lens_figure(lens, other, summary({history}.experiment){named}), describe_lens(lens, other{named}))",
    )


def walk_lines(walk: Walk, epoch: int, step: int) -> str:
    """Repeat what Walk shows; `epoch` is that which was asked for, where the seed had diverged before it."""
    experiment, where = walk.experiment, f"seed={walk.seed}, sample={walk.sample}, epoch={epoch}"
    return _script(
        _step(
            "One sample of one seed, forward and back",
            f"found = walk({constructor(experiment)}, {where})",
        ),
        _step(
            "The numbers: of the first layer an entry for each unit, then every factor on the way back",
            "found.layers[0].z, found.layers[0].slope, found.layers[0].dz",
            "for factor in found.factors:",
            "    print(factor.layer, factor.parts, factor.total)",
        ),
        _step(
            "The product of all factors, and what was measured: the norm of dL/dz, first layer over last",
            "print(found.product, found.ratio)",
        ),
        _step("The walk, box by box", f"show_walk(found, step={step})"),
    )


def compared_lines(
    named: Mapping[str, Settings],
    view: View,
    scene: Scene | None = None,
    lenses: Mapping[str, Lens] = MappingProxyType({}),
) -> str:
    """Repeat what stands side by side, by name, and what is shown of every layer or step; of a scene with its figure.

    Where somebody looks through the lens, `lenses` are by the names of the nets: at last the one, before it that behind it.
    """
    first = next(iter(named.values()))
    made = [f"    {name!r}: {constructor(experiment)}," for name, experiment in named.items()]
    kind, name = kind_of(first), getattr(view, "compare", "") if scene is None else scene.compare
    with_answers = scene is not None and scene.figure.has_answers and _with_answers(scene.experiment)
    draw, tell = DRAWN[kind]
    comparison = f", COMPARISONS[{name!r}]" if name else ""
    return _script(
        _step("The experiments, by name", "experiments = {", *made, "}"),
        _step(
            "Train them, all seeds together",
            *(
                [
                    "trainings = {name: Training(experiment) for name, experiment in experiments.items()}",
                    "for training in trainings.values():",
                    "    training.advance(float('inf'))",
                    "histories = {name: training.history() for name, training in trainings.items()}",
                ]
                if with_answers
                else ["histories = {name: train(experiment) for name, experiment in experiments.items()}"]
            ),
            "for name, history in histories.items():",
            "    print(f\"{name}: {history.outcome.count('solved')} of {len(history.outcome)} seeds learn it\")",
        ),
        _step(
            f"The numbers, by name: (runs, records, {kind.position}s), {view.diagnostic.title}; first {kind.position} to last",
            f"shown = {{name: history.measures[{view.diagnostic.name!r}] for name, history in histories.items()}}",
        ),
        _step(
            "Their picture",
            f"compared = Compared.of(experiments, list(histories.values()){comparison})",
            *_picture(view, scene, draw, tell, with_answers),
        ),
        _compared_lens(lenses) if lenses else "",
    )


def _compared_lens(lenses: Mapping[str, Lens]) -> str:
    (*behind, name), lens = lenses, list(lenses.values())[-1]
    other = f"histories[{behind[0]!r}]" if behind else None
    return _lens_step(lens, f"histories[{name!r}]", other, (behind[0] if behind else "", name))


def _picture(view: View, scene: Scene | None, draw: str, tell: str, with_answers: bool) -> list[str]:
    """The last lines of what stands side by side."""
    if scene is None:
        return [f"view = {_made(view)}", f"show({draw}(compared, view), {tell}(compared, view))"]
    answers = "answer_map(list(trainings.values())[-1])" if with_answers else "None"
    return [
        _scene(scene),
        "print(scene.tell(compared.measured))",
        f"show(scene.draw(compared, {answers}), scene.describe(compared))",
    ]


def _scene(scene: Scene) -> str:
    """Write a scene as it is played: only what differs from how it opens."""
    opens = TOUR[scene.name]
    now, before = (each.products or each.experiment for each in (scene, opens))
    played = {name: getattr(now, name) for name in opens.controls if getattr(now, name) != getattr(before, name)}
    return f"scene = TOUR[{scene.name!r}]{f'.as_played({played!r})' if played else ''}"


def scene_lines(scene: Scene) -> str:
    """Repeat what a scene of the tour shows, as it is played."""
    return (
        compared_lines(scene.experiments, scene.view, scene)
        if scene.products is None
        else product_lines(scene.products)
    )


def challenge_lines(challenge: Challenge, experiment: Settings) -> str:
    """Judge what Homework shows, and draw it."""
    return _script(
        _step(
            "The challenge, and an answer to it",
            f"challenge = CHALLENGES[{challenge.name!r}]",
            f"experiment = {constructor(experiment)}",
        ),
        _step(
            "Train it beside the start, all seeds together, and judge it",
            "experiments = with_baseline(experiment, challenge.start)",
            "compared = Compared.of(experiments, [train(each) for each in experiments.values()])",
            "print(challenge.judge(compared.now).sentence)",
        ),
        _step(
            "The picture",
            "show(challenge.figure.draw(challenge, compared, None), challenge.figure.describe(challenge, compared))",
        ),
    )


def product_lines(about: Products) -> str:
    """Repeat what the tour shows of random factors."""
    arguments = ", ".join(f"{name}={getattr(about, name)!r}" for name in about.controls())
    return _script(
        _step("The factors", f"about = Products({arguments})"),
        _step(
            "The numbers: of each path log10 of its products of 0 to 50 factors; the Lyapunov exponent",
            "followed(about).product  # (paths, 51)",
            "print('mean of ln f:', about.rate)",
            "print(*product_rows(about), sep='\\n')",
        ),
        _step("Their picture", "show(product_figure(about), describe_products(about))"),
    )


def remedies_lines(start: Experiment, combine: Sequence[str], view: View | None = None) -> str:
    """Repeat what Remedies shows: every remedy alone, and those that are combined."""
    more = f"tried[{' + '.join(combine)!r}] = combined(start, {tuple(combine)!r})"
    return _script(
        _step(
            "The experiment, and the same with each remedy",
            f"start = {constructor(start)}",
            "tried = {name: remedy.change(start) for name, remedy in REMEDIES.items()}",
            *([more] if len(combine) > 1 else []),
        ),
        _step(
            "Train them all",
            "histories = [train(experiment) for experiment in (start, *tried.values())]",
        ),
        _step(
            "What each did, the best first",
            "before, *others = map(facts, histories)",
            "after = dict(zip(tried, others))",
            "ranking = [list(after)[place] for place in rank(list(after.values()))]",
            "effects = {name: effect(name.split(' + '), before, after[name]) for name in ranking}",
            "for name in ranking:",
            '    print(f"{name}: {effects[name].sentence}")',
        ),
        _step(
            "Side by side",
            f"results = Results.of(trials(start, {tuple(combine)!r}), histories)",
            "panels = ranked_panels(results)",
            f"show(remedies_figure(panels, {_made(view or View())}), describe_tried(results.names, results.words, results.facts))",
        ),
        _step("Their losses", "show(loss_figure(panels, View()), describe_losses(results.names, results.facts))"),
    )


def depth_lines(sweeps: dict[str, Sweep], gradient: str, *, trained: bool) -> str:
    """Repeat what Depth shows, of one or two experiments by name.

    `gradient` is "delta" or "weight_gradient".
    """
    base = next(iter(sweeps.values()))
    made = [f"    {name!r}: {constructor(sweep.base)}," for name, sweep in sweeps.items()]
    return _script(
        _step(
            "The experiments, by name, and the depths",
            "experiments = {",
            *made,
            "}",
            f"depths = {_values(base.xs)}",
        ),
        _step(
            "Before training, by name: (depths, layers), log10 of the median over seeds",
            "start = {",
            f"    name: log_band(gradients_by_depth(experiment, depths).{gradient}).middle",
            "    for name, experiment in experiments.items()",
            "}",
            *(
                []
                if trained
                else [
                    "series = [DepthSeries(name, experiment, max(depths)) for name, experiment in experiments.items()]"
                ]
            ),
        ),
        *(_trained_depths() if trained else ()),
        _step(
            "What each layer multiplies dL/dz by",
            "factors = [Factors.of(nets) for nets in series]",
            "words = (describe_factors(f.name, f.depths.tolist(), f.start.middle, f.theory) for f in factors)",
            "show(factor_figure(factors, max(depths)), ' '.join(words))",
        ),
        _step(
            "The gradient of every layer, by depth",
            f"triangles, entry = triangles_of(series, {gradient!r}), DIAGNOSTICS[{gradient!r}]",
            "words = (describe_triangle(each.name, each.depths.tolist(), each.values) for each in triangles)",
            "show(triangle_figure(triangles, entry.title, entry.span), ' '.join(words))",
        ),
    )


def _trained_depths() -> tuple[str, str]:
    """The steps of Depth that train nets of every depth, and draw how many of them learn."""
    found = "{depth: found[depth - 1, 0] for depth in depths}"
    return (
        _step(
            "Train nets of every depth: by name, of each depth the seeds that learn",
            "findings = {",
            '    name: run_sweep(Sweep(experiment, "depth", depths, "width", (experiment.width,), trained=True))',
            "    for name, experiment in experiments.items()",
            "}",
            "learn = {name: [found[column, 0].solved for column in range(len(depths))] for name, found in findings.items()}",
            "print(learn)",
        ),
        _step(
            "Their picture",
            "series = [",
            f"    DepthSeries(name, experiments[name], max(depths), {found}, complete=True)",
            "    for name, found in findings.items()",
            "]",
            "shares = [Shares.of(nets.name, nets.learnt) for nets in series]",
            "show(share_figure(shares, max(depths)), ' '.join(describe_shares(nets.name, nets.learnt) for nets in series))",
        ),
    )


def tutorial_lines(view: TutorialView) -> str:
    """Repeat what Tutorial shows: a program's run with its log, or the share of seeds that learn for every NL."""
    if view.shown == SAID:
        return _claim_lines()
    return _run_lines(view) if view.shown == RUN else _curve_lines(view)


def _claim_lines() -> str:
    return _script(
        _step(
            "Measure the number that decides each claim",
            "values = {name: measured(claim) for name, claim in CLAIMS.items()}",
            "told = [",
            "    f'{claim.name}: {claim.verdict(values[name])}. {claim.told(values[name])}' for name, claim in CLAIMS.items()",
            "]",
            "print(*told, sep='\\n')",
        ),
        _step(
            "Where each lies, and where it would if what is said were true",
            "said = [Said(name, values[name], claim.low, claim.high) for name, claim in CLAIMS.items()]",
            "show(said_figure(said), '. '.join(told))",
        ),
    )


def _run_lines(view: TutorialView) -> str:
    return _script(
        _step(
            "Run the program to its end",
            f"view = TutorialView(net={view.net!r}, inner={view.inner}, seed={view.seed})",
            "program = Program(view.experiment)",
            "program.advance(float('inf'))",
        ),
        _step(
            "Its log",
            "print(*log_lines(program.losses, view.experiment.epochs), sep='\\n')",
        ),
        _step(
            "Its answers to 00, 01, 10 and 11",
            "history = program.history()",
            "print(history.answers[0, -1])",
        ),
        _step(
            "What the log does not show: the gradient of every layer",
            'history.measures["delta"][0]  # (records, layers): RMS of dL/dz, first layer to last',
            "compared = Compared.of({view.net: view.experiment}, [history])",
            "drawn = View(axis='log')",
            "show(compared_figure(compared, drawn), describe_compared_figure(compared, drawn))",
        ),
    )


def _curve_lines(view: TutorialView) -> str:
    return _script(
        _step(
            "Train many seeds with every NL, the number of inner layers",
            f"view = TutorialView(seeds={view.seeds}, epochs={view.epochs})",
            "found = {net: run_sweep(view.sweep(net)) for net in NETS}",
        ),
        _step(
            "Seeds that learn, of how many, and the 95% interval of their share",
            "learnt = {",
            "    net: {inner: (cells[column, 0].solved, cells[column, 0].runs) for column, inner in enumerate(INNER)}",
            "    for net, cells in found.items()",
            "}",
            "for net, by_inner in learnt.items():",
            "    for inner, counts in by_inner.items():",
            "        print(net, inner, *counts, share_interval(*counts))",
        ),
        _step(
            "Their picture",
            "shares = [Shares.of(net, by_inner) for net, by_inner in learnt.items()]",
            "words = (describe_shares(net, by_inner, 'NL') for net, by_inner in learnt.items())",
            "show(share_figure(shares, INNER[-1], across='NL', noun='NL'), ' '.join(words))",
        ),
    )


def sweep_lines(sweep: Sweep, outcome: Outcome) -> str:
    """Repeat what Sweep shows."""
    names = sweep.x.replace("_", " "), sweep.y.replace("_", " ")
    return _script(
        _step(
            "An experiment for every cell",
            "sweep = Sweep(",
            f"    {constructor(sweep.base)},",
            f"    {sweep.x!r}, {_values(sweep.xs)},",
            f"    {sweep.y!r}, {_values(sweep.ys)},",
            f"    trained={sweep.trained},",
            ")",
        ),
        _step(
            f"Measure them: by (column, row), {'log10' if outcome.unit == 'decades' else 'from 0 to 1'}",
            "findings = run_sweep(sweep)",
            f"outcome = OUTCOMES[{outcome.name!r}]",
            "values = {cell: outcome.of(finding) for cell, finding in findings.items()}",
            "print(sweep_csv(sweep, findings))",
        ),
        _step(
            "The map",
            "problems = {cell: reason for cell, reason in sweep.cells.items() if isinstance(reason, str)}",
            f"critical = {'critical_points(sweep)' if outcome.critical else '()'}",
            "figure = sweep_figure(Swept(sweep, findings, problems), outcome, critical=critical)",
            f"show(figure, describe_sweep(sweep, findings, outcome, {names!r}))",
        ),
    )


def cliff_lines(view: CliffView) -> str:
    """Repeat what Cliff shows: both descents, and the map below them."""
    return _script(
        _step(
            "Two descents from one start, without clipping and with it",
            f"view = {_made(view)}",
            "free, clipped = side_by_side(view.descent(clipped=False), view.descent(clipped=True))",
            "clipped.points  # (updates + 1, 2): w and b, the start first",
            "clipped.norm    # (updates + 1,): of the gradient there, before clipping",
            'print(f"loss at the end: {free.loss[-1]:.2g} without clipping, {clipped.loss[-1]:.2g} with")',
        ),
        _step(
            "The loss over both parameters, and the descents on it",
            "ground = survey(view.steps)",
            "ground.surface.loss  # (values of b, values of w)",
            "figure = cliff_figure(ground, walks(free, clipped, view), view, cliff_summary(view.descent(clipped=True)))",
            "show(figure, describe_cliff(ground, free, clipped, view))",
        ),
    )


def _values(values: Sequence[object]) -> str:
    """Write the values of an axis; whole numbers in a row as a range."""
    whole = [value for value in values if isinstance(value, int)]
    if len(whole) == len(values) > 3 and whole == list(range(whole[0], whole[-1] + 1)):
        return f"tuple(range({whole[0]}, {whole[-1] + 1}))"
    return repr(tuple(values))


# --- the notebook ---------------------------------------------------------------------------------


BEGIN = """It runs from top to bottom in an environment with the packages of the project's `requirements.txt`, `ipykernel` and `nbformat`. \
If the notebook does not lie in the folder of Gradient Explorer, write that folder's path below."""
SET_UP = """import sys

sys.path.insert(0, ".")  # the folder of Gradient Explorer: the one in which README.md is
from explorer.training.compiled import KERNELS

KERNELS.load()  # trains several times faster; the first time on a machine it takes a minute; without numba NumPy trains"""
OWN_CSV = "It reads your data from `my.csv`: put the file beside the notebook."


def notebook_json(title: str, lines: str, about: Sequence[str] = ()) -> str:
    """Write lines as a notebook in Jupyter's format 4.5, after a title, what it is `about` and what sets it up."""
    words = [*about, BEGIN, *([OWN_CSV] if OWN_DATA in lines else [])]
    cells = [
        _markdown("title", "\n\n".join([f"# {title}", *words])),
        _code("set-up", SET_UP),
        *(cell for number, paragraph in enumerate(lines.split("\n\n")) for cell in _cells(number, paragraph)),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps(
        {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}, indent=1
    )


def _cells(number: int, paragraph: str) -> Iterator[dict[str, Any]]:
    """Return the text that a paragraph's first comment is, and its code."""
    words, _, code = paragraph.strip("\n").partition("\n")
    yield _markdown(f"step-{number}", f"{words.removeprefix('# ')}.")
    yield _code(f"code-{number}", code)


def _markdown(id: str, source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": source}


def _code(id: str, source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": id,
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
