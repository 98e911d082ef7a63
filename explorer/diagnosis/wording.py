"""Wording: numbers and settings in words, short, in plain text that every screen can show; a stranger's words too."""

import math
import re
import string
from collections.abc import Sequence
from html import escape

from explorer.choices.experiment import CONTROLS, Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.settings import USUAL, Settings

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(exponent: float) -> str:
    """Write 10 to a whole exponent: `power_of_ten(-3)` is 10⁻³."""
    return f"10{str(round(exponent)).translate(SUPERSCRIPTS)}"


def number(value: float, digits: int = 2) -> str:
    """Write a number to a few digits, large and small ones with a power of ten; name exact zeros and non-finite numbers.

    >>> number(0.2), number(2.68e-08), number(0.0), number(float("nan"))
    ('0.20', '2.7 × 10⁻⁸', 'exactly 0', 'not finite')
    >>> number(0.0996), number(9.96), number(9996.0)  # rounding comes first
    ('0.10', '10', '1.0 × 10⁴')
    """
    if value == 0:
        return "exactly 0"
    if not math.isfinite(value):
        return "not finite"
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    exponent = int(power)
    if -3 <= exponent <= 3:
        return f"{value:,.{max(digits - 1 - exponent, 0)}f}"
    return f"{mantissa} × {power_of_ten(exponent)}"


def decades(log10: float) -> str:
    """Write the number whose decimal logarithm is given, however small or large it is.

    >>> decades(-1000.3), decades(float("-inf"))
    ('5.0 × 10⁻¹⁰⁰¹', 'exactly 0')
    """
    if log10 == -math.inf:
        return "exactly 0"
    if not math.isfinite(log10):
        return "not finite"
    if abs(log10) < 300:
        return number(10.0**log10)
    exponent = math.floor(log10)
    mantissa, _, carried = f"{10 ** (log10 - exponent):.1e}".partition("e")
    return f"{mantissa} × {power_of_ten(exponent + int(carried))}"


def against_last(log_ratio: float) -> str:
    """Write a layer's share of the last layer's gradient, given its decimal logarithm.

    >>> against_last(-7.6), against_last(2.0)
    ("2.5 × 10⁻⁸ of the last's", "100 times the last's")
    """
    if not math.isfinite(log_ratio):
        return decades(log_ratio)
    return f"{decades(log_ratio)} {'times' if log_ratio >= 0 else 'of'} the last's"


def summary(experiment: Experiment, *, depth: str | None = None) -> str:
    """Describe an experiment in one line: what a picture must carry to explain itself.

    `depth` replaces the number of hidden layers where a picture shows many depths.
    """
    e = experiment
    layers = depth or f"{e.depth} hidden {'layer' if e.depth == 1 else 'layers'}"
    gain = f" × {e.gain:g}" if e.gain != 1 else ""
    bias = {USUAL: "", "zeros": ", biases 0", "none": ", no biases"}[e.bias]
    data = [f"{e.samples} samples"] * e.dataset.sized + [f"noise {e.noise:g}"] * e.dataset.noisy
    parts = [
        ", ".join([e.task, *data]),
        f"{layers} of {e.width} {e.activation}",
        (e.initialization.formula.replace("W ~ ", "") if len(e.initialization.formula) < 16 else e.initializer)
        + gain
        + bias,
    ]
    parts += [CONTROLS[name].tell(getattr(e, name)) for name in ("normalization", "skip") if getattr(e, name) != "none"]
    if e.clipper.clip is not None:
        parts.append(_clipping(e))
    return " · ".join([*parts, *_training(e)])


def _clipping(e: Experiment | RecurrentExperiment) -> str:
    return f"{CONTROLS['clip'].tell(e.clip)} at {e.threshold:g}"


def _training(e: Experiment | RecurrentExperiment) -> list[str]:
    """Describe the training, for both kinds of experiments."""
    return [
        f"{e.optimizer} {e.learning_rate:g}",
        "full batch" if e.batch == "full" else f"batch {e.batch}, {e.order}",
        e.loss_function.name,
        f"{e.epochs:,} epochs",
        f"seeds {e.seed} to {e.seed + e.runs - 1}" if e.runs > 1 else f"seed {e.seed}",
    ]


def compared_summary(experiments: Sequence[RecurrentExperiment]) -> str:
    """Describe recurrent experiments that are compared in one line; where they differ, name each phrase once: `a / b`."""
    of_each = [_recurrent_parts(experiment) for experiment in experiments]
    told = []
    for about in of_each[0]:
        phrases = list(dict.fromkeys(parts[about] for parts in of_each if parts[about]))
        if len(phrases) > MOST_SAID:
            told.append(f"{len(phrases)} kinds of {about}")
        elif phrases and phrases not in UNSAID:
            told.append(" / ".join(phrases))
    return " · ".join(told)


# If there are more, the names beside the pictures tell them.
MOST_SAID = 3
# What is not done is mentioned only if another of them does it.
UNSAID = (["no clipping"], ["not cut"])


def _recurrent_parts(e: RecurrentExperiment) -> dict[str, str]:
    """Return the parts of a summary by their subject; a part is empty where the experiment has no such thing."""
    idle, units = e.without_effect(), "unit" if e.hidden == 1 else "units"
    rate, batch, loss, epochs, seeds = _training(e)
    return {
        "data": f"{e.task}, {e.length} steps, {e.samples} sequences",
        "cell": f"{e.cell} of {e.hidden} {units if 'activation' in idle else e.activation}",
        "stack": f"{e.stack} layers" if e.stack > 1 else "",
        "start of W_hh": e.initialization.formula,
        "strength": "" if "strength" in idle else f"s = {e.strength:g}",
        "forget bias": "" if "forget_bias" in idle else f"forget bias {e.forget_bias:g}",
        "clipping": CONTROLS["clip"].tell(e.clip) if e.clipper.clip is None else _clipping(e),
        "truncation": e.controls()["truncation"].tell(e.truncation),
        **{"rate": rate, "batch": batch, "loss": loss, "epochs": epochs, "seeds": seeds},
    }


def difference(before: Settings, after: Settings) -> list[str]:
    """Describe what changed from one experiment to another of its kind, one phrase per setting."""
    old, new, idle = before.settings(), after.settings(), after.without_effect()
    changed = [name for name in new if new[name] != old[name] and name not in idle]
    return [after.controls()[name].tell(new[name]) for name in changed]


# --- a stranger's words: from a link, a file, another machine -------------------------------------

ESCAPES = {ord(mark): f"\\{mark}" for mark in string.punctuation}
# Streamlit makes links, icons and arrows of these after escapes are resolved; an invisible character takes them apart.
MADE_AFTER_ESCAPES = re.compile(r":(?=\S)|@|[<>~-](?=[-=>])|www(?=\.)", re.IGNORECASE)
WORD_JOINER = "\u2060"


def verbatim(words: object, limit: int = 300) -> str:
    r"""Write words as Markdown that shows these very words, cut to `limit`: no link, picture, formula or icon.

    >>> print(verbatim("![x](a)"))
    \!\[x\]\(a\)
    """
    text = str(words)
    cut = text if len(text) <= limit else text[:limit] + "…"
    printable = "".join(character if character.isprintable() else "?" for character in cut)
    return MADE_AFTER_ESCAPES.sub(rf"\g<0>{WORD_JOINER}", printable).translate(ESCAPES)


def verbatim_in_figure(words: str) -> str:
    """Write words as Plotly's markup that shows these very words.

    >>> verbatim_in_figure("<b>$x$")
    '&lt;b&gt;&#36;x&#36;'
    """
    return escape(words, quote=False).replace("$", "&#36;")
