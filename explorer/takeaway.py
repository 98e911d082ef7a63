"""Take away: an experiment and its history as files and as lines of Python that repeat them."""

import csv
import io
import json
from typing import Any

from explorer.experiment import CONTROLS, Experiment
from explorer.history import History

FORMAT = "gradient-explorer experiment"
VERSION = 1
MAX_CHARACTERS = 20_000


def filename(experiment: Experiment) -> str:
    """A telling name for a downloaded file, without its ending."""
    changed = experiment.settings(changed_only=True)
    words = [f"{name}-{value}" for name, value in changed.items()] or ["opening-example"]
    return "gradients_" + "_".join(words).replace(" ", "-").replace(".", "p")[:120]


def experiment_json(experiment: Experiment) -> str:
    """Write every setting of an experiment; a person's own data are not in it."""
    content = {"format": FORMAT, "version": VERSION, "settings": experiment.settings()}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read_experiment_json(content: bytes) -> dict[str, Any]:
    """Read what `experiment_json` wrote and return its settings, checked one by one.

    Raises
    ------
    ValueError
        Saying what is wrong and what is allowed.
    """
    if len(content) > MAX_CHARACTERS:
        raise ValueError(f"the file has {len(content):,} bytes; an experiment has at most {MAX_CHARACTERS:,}")
    try:
        document = json.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise ValueError("the file is not JSON; choose one that was saved here as “Experiment”") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"the file is not an experiment: its “format” must be “{FORMAT}”")
    if document.get("version") != VERSION:
        raise ValueError(f"the file is of version {document.get('version')!r}; this app reads version {VERSION}")
    settings = document.get("settings")
    if not isinstance(settings, dict):
        raise ValueError("the file has no “settings”")
    unknown = [name for name in settings if name not in CONTROLS]
    if unknown:
        raise ValueError(f"there is no setting called {unknown[0]!r}; the settings are: {', '.join(CONTROLS)}")
    return {name: CONTROLS[name].check(name, value) for name, value in settings.items()}


def python_lines(experiment: Experiment) -> str:
    """Return the few lines that repeat the experiment in a notebook."""
    changed = experiment.settings(changed_only=True)
    arguments = ", ".join(f"{name}={value!r}" for name, value in changed.items())
    if experiment.data is not None:
        arguments += ", data=read_csv(open('my.csv', 'rb').read())"
    imports = "from explorer import Experiment, train\n"
    if experiment.data is not None:
        imports += "from explorer.own_data import read_csv\n"
    return (
        f"{imports}\n"
        f"history = train(Experiment({arguments}))\n"
        'history.measures["delta"]   # (runs, records, layers): RMS of dL/dz, first layer to last\n'
        "history.outcome             # per run: solved, learning, stuck or diverged\n"
    )


def history_csv(history: History) -> str:
    """Write one line for every seed, recorded epoch and layer; numbers in full precision, NaN where none is defined."""
    text = io.StringIO()
    rows = history.rows()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
