"""Take away: what is on screen as files, and a saved experiment that is opened again."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from explorer.choices.datasets import OWN, Data
from explorer.choices.experiment import Experiment
from explorer.choices.settings import Settings
from explorer.diagnosis.lens import Lens
from explorer.diagnosis.seeds import share_interval
from explorer.stories.plan import MOST_LETTERS, USUAL, Plan, plan_of
from explorer.sweeps.outcomes import OUTCOMES, Finding, Outcome
from explorer.sweeps.sweep import Place, Sweep
from explorer.training.history import History
from explorer.training.kinds import KINDS, LAYERS, kind_of

FORMAT = "gradient-explorer experiment"
VERSION = 1
MAX_CHARACTERS = 20_000


def filename(experiment: Settings) -> str:
    """A telling name for a downloaded file, without its ending."""
    changed = experiment.settings(changed_only=True)
    words = [f"{name}-{value}" for name, value in changed.items()] or ["opening-example"]
    return f"{kind_of(experiment).prefix}_" + "_".join(words).replace(" ", "-").replace(".", "p")[:120]


@dataclass(frozen=True)
class Saved:
    """A saved experiment."""

    experiment: Settings
    baseline: Settings | None  # What was pinned with it; None where nothing was
    pins: bool  # Whether it says anything of a baseline


def experiment_json(
    experiment: Settings, baseline: Settings | None = None, about: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Write every setting of an experiment, and of what it is held against; a person's own data are not in it.

    What else is said `about` it stands in the file too, and does not matter where it is opened.
    """
    content = {
        "format": FORMAT,
        "version": VERSION,
        "kind": kind_of(experiment).name,
        "settings": experiment.settings(),
        "baseline": None if baseline is None else baseline.settings(),
        **about,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read_experiment_json(content: bytes, data: Data | None = None) -> Saved:
    """Read what `experiment_json` wrote; a setting that is not there has its default, `data` replaces a person's own data.

    Every setting is checked: a ValueError says what is wrong and what is allowed.
    """
    return saved_in(read_document(content), data)


def saved_in(document: Mapping[str, Any], data: Data | None = None) -> Saved:
    """Return the experiment that a file holds; raises ValueError as `read_experiment_json` does."""
    if "settings" not in document:
        raise ValueError("it has no “settings”")
    # A file that does not say its kind is older than the second one.
    name, held = document.get("kind", LAYERS.name), document.get("baseline")
    if name not in list(KINDS):
        raise ValueError(f"its “kind” is {name!r}; choose one of: {', '.join(KINDS)}")
    kind = KINDS[name].experiment
    baseline = None if held is None else _experiment(kind, held, data, "“baseline”")
    return Saved(_experiment(kind, document["settings"], data, "“settings”"), baseline, "baseline" in document)


def read_document(content: bytes) -> dict[str, Any]:
    """Return all that the file of an experiment says; raises ValueError where it is none."""
    return _document(content, FORMAT, "an experiment", "Experiment", MAX_CHARACTERS)


def _document(content: bytes, format: str, what: str, button: str, most: int) -> dict[str, Any]:
    """Return what a file of a format says; a ValueError says that it is too long or none, and which `button` saves one."""
    if len(content) > most:
        raise ValueError(f"it has {len(content):,} bytes; {what} has at most {most:,}")
    try:
        document = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):  # no UTF-8, no JSON, or a number of thousands of digits
        raise ValueError(f"it is not JSON; choose a file that was saved here as “{button}”") from None
    if not isinstance(document, dict) or document.get("format") != format:
        raise ValueError(f"it is not {what}: its “format” must be “{format}”")
    if document.get("version") != VERSION:
        raise ValueError(f"it is of version {document.get('version')!r}; this app reads version {VERSION}")
    return document


def _experiment(kind: type[Settings], settings: object, data: Data | None, where: str) -> Settings:
    if not isinstance(settings, dict):
        raise ValueError(f"its {where} must be names with values")
    controls = kind.controls()
    unknown = [name for name in settings if name not in controls]
    if unknown:
        raise ValueError(f"there is no setting called {unknown[0]!r}; the settings are: {', '.join(controls)}")
    checked = {name: controls[name].check(name, value) for name, value in settings.items()}
    if checked.get("task") != OWN:
        return kind(**checked)
    if data is None:
        raise ValueError(f"task = {OWN!r}: it is on somebody's own data, which are not in it; load the CSV first")
    return Experiment(**checked, data=data)


def table_csv(rows: Iterable[Mapping[str, object]]) -> str:
    """Write rows of equal keys, the keys first; nothing where there are none."""
    rows = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def history_csv(history: History) -> str:
    """Write one line for every seed, recorded epoch and layer; numbers in full precision, NaN where none is defined."""
    return table_csv(history.rows())


def lens_csv(lens: Lens) -> str:
    """Write the histograms of z of every seed, hidden layer or time step, and function, at an epoch: a line for each bin that is not empty.

    An exact 0 is from 0 to 0, what is not finite from NaN to NaN.
    """
    place = lens.history.kind.position
    return table_csv(lens.rows() or [dict.fromkeys(("seed", "epoch", place, "z from", "z to", "count"), "")])


def histories_csv(named: Mapping[str, History]) -> str:
    """Write the histories of several experiments as `history_csv` does one, with the experiment's name in front."""
    return table_csv({"experiment": name, **row} for name, history in named.items() for row in history.rows())


def sweep_csv(
    sweep: Sweep, findings: Mapping[Place, Finding], problems: Mapping[Place, str] = MappingProxyType({})
) -> str:
    """Write one line for every cell, also for those without a result, and why.

    Ratios, which may leave the range of floating-point numbers, are written as their decimal logarithm and named so: -inf
    is an exact 0, inf not finite. All else is in plain units; inf epochs: at least half of the seeds never solve it. NaN is
    what is not defined.
    """
    rows = []
    for cell, experiment in sweep.cells.items():
        row: dict[str, object] = dict(zip((sweep.x, sweep.y), sweep.values(cell), strict=True))
        known = problems.get(cell) or (experiment if isinstance(experiment, str) else "not computed")
        result = _result(findings[cell]) if cell in findings else {"without result": known}
        rows.append(row | dict.fromkeys(RESULTS, "") | result)
    return table_csv(rows)


def _result(finding: Finding) -> dict[str, object]:
    row: dict[str, object] = {_heading(outcome): _plain(outcome, outcome.of(finding)) for outcome in OUTCOMES.values()}
    low, high = share_interval(finding.solved, finding.runs) if finding.trained else (math.nan, math.nan)
    row |= {"share solved, low": low, "share solved, high": high, "verdict": finding.verdict}
    return row | {name: getattr(finding, name) for name in ("runs", "solved", "diverged")}


def _heading(outcome: Outcome) -> str:
    return f"log10 {outcome.name}" if outcome.diverging else outcome.name


def _plain(outcome: Outcome, value: float) -> float:
    return 10.0**value if outcome.unit == "decades" and not outcome.diverging else value


# The columns of a cell's result.
RESULTS = (
    *map(_heading, OUTCOMES.values()),
    *("runs", "solved", "diverged", "share solved, low", "share solved, high", "verdict", "without result"),
)


# --- a lecture's plan with its notes ----------------------------------------------------------------


PLAN_FORMAT, MAX_PLAN = "gradient-explorer plan", 200_000  # bytes


def plan_json(plan: Plan, notes: Mapping[str, str]) -> str:
    """Write a plan with its notes, which are by the scenes' addresses."""
    stops = [
        {"scene": stop.scene.address, "minutes": stop.minutes, "note": notes.get(stop.scene.address, "")}
        for stop in plan.stops
    ]
    return json.dumps({"format": PLAN_FORMAT, "version": VERSION, "scenes": stops}, indent=1, ensure_ascii=False)


def read_plan_json(content: bytes) -> tuple[Plan, dict[str, str]]:
    """Read what `plan_json` wrote: the plan, and the notes by the scenes' addresses.

    A ValueError says what is wrong with the file, and what is allowed.
    """
    stops = _document(content, PLAN_FORMAT, "a plan", "Plan with notes", MAX_PLAN).get("scenes")
    if not isinstance(stops, list) or not all(
        isinstance(stop, dict) and isinstance(stop.get("scene"), str) for stop in stops
    ):
        raise ValueError("its “scenes” must be a list, each with a “scene” and its “minutes”")
    plan = plan_of((stop["scene"], stop.get("minutes", USUAL)) for stop in stops)
    return plan, {stop["scene"]: _note(stop) for stop in stops if stop.get("note")}


def _note(stop: Mapping[str, Any]) -> str:
    note = stop["note"]
    # Half of a pair of letters, as JSON can say it, can be written nowhere.
    whole = isinstance(note, str) and note == note.encode("utf-8", "ignore").decode()
    if not whole or len(note) > MOST_LETTERS:
        raise ValueError(f"the note of the scene {stop['scene']!r} must be a text of at most {MOST_LETTERS:,} letters")
    return note
