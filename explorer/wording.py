"""How numbers and settings are said: short, in plain text that every screen can show."""

import math

from explorer.experiment import CONTROLS, USUAL, Experiment

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(exponent: float) -> str:
    """Say 10 to a whole exponent: `power_of_ten(-3)` is 10⁻³."""
    return f"10{str(round(exponent)).translate(SUPERSCRIPTS)}"


def number(value: float, digits: int = 2) -> str:
    """Say a number to a few digits, large and small ones with a power of ten.

    Exact zeros and non-finite numbers are named as such.

    Examples
    --------
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
    """Say the number whose decimal logarithm is given, however small or large it is.

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
    """Say a layer's share of the last layer's gradient, given as its decimal logarithm.

    >>> against_last(-7.6), against_last(2.0)
    ('2.5 × 10⁻⁸ of the last\'s', '100 times the last\'s')
    """
    if not math.isfinite(log_ratio):
        return decades(log_ratio)
    return f"{decades(log_ratio)} {'times' if log_ratio >= 0 else 'of'} the last's"


def setting_text(name: str, value: object) -> str:
    """Say one setting: `learning rate 0.1`, `no skip`, `skip over one layer`."""
    phrases = {
        "normalization": {"none": "no normalization", "batch": "batch norm", "layer": "layer norm"},
        "skip": {"none": "no skip", "one layer": "skip over one layer", "two layers": "skip over two layers"},
        "clip": {"none": "no clipping", "value": "clipping by value", "norm": "clipping by norm"},
        "batch": {"full": "full batch", "1": "one sample per update"},
    }
    if name in phrases:
        return phrases[name].get(str(value), f"{CONTROLS[name].label.lower()} {value}")
    if name in ("task", "activation", "optimizer"):
        return str(value)
    label = CONTROLS[name].label.lower()
    if isinstance(value, float | int):
        return f"{label} {value:g}" if isinstance(value, float) else f"{label} {value:,}"
    return f"{label} {value}"


def summary(experiment: Experiment, *, depth: str | None = None) -> str:
    """Say an experiment in one line: what a picture must carry to explain itself.

    `depth` says the hidden layers in other words, where a picture shows many depths.
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
    parts += [setting_text(name, getattr(e, name)) for name in ("normalization", "skip") if getattr(e, name) != "none"]
    if e.clip != "none":
        parts.append(f"{setting_text('clip', e.clip)} at {e.threshold:g}")
    parts.append(f"{e.optimizer} {e.learning_rate:g}")
    parts.append("full batch" if e.batch == "full" else f"batch {e.batch}, {e.order}")
    parts.append(e.loss_function.name)
    parts.append(f"{e.epochs:,} epochs")
    parts.append(f"seeds {e.seed} to {e.seed + e.runs - 1}" if e.runs > 1 else f"seed {e.seed}")
    return " · ".join(parts)


def difference(before: Experiment, after: Experiment) -> list[str]:
    """Say what changed from one experiment to another, a phrase per setting."""
    old, new = before.settings(), after.settings()
    ignored = set() if after.clip != "none" else {"threshold"}
    return [setting_text(name, new[name]) for name in new if new[name] != old[name] and name not in ignored]
