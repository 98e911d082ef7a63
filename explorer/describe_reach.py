"""Describe: the figures of reach, truncation and clipping as texts with their numbers."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.clipping_figure import clipping_words, norm_after_clipping
from explorer.history import History
from explorer.reach import Cut
from explorer.reach_curves import ReachCurve
from explorer.reach_figure import cut_words, named
from explorer.seeds import band, log_band
from explorer.wording import decades, number

Array = NDArray[np.float64]


def describe_reach(curves: Sequence[ReachCurve]) -> str:
    """Say what is left at a few distances: at the start, by theory and as far as it is trained."""
    told = [_reach(curve) for curve in curves]
    return " ".join(["What is left of a change of the state, ‖ds_T/ds_t‖₂ of the first sequence, median.", *told])


def _reach(curve: ReachCurve) -> str:
    longest = len(curve.theory) - 1
    distances = sorted({distance for distance in (1, 10, longest // 2, longest) if 0 < distance <= longest})

    def at(logs: Array) -> str:
        return ", ".join(f"at distance {distance} {decades(logs[distance])}" for distance in distances)

    asked = len(curve.start)
    parts = [
        f"{named(curve.name, asked, curve.runs)}, {_seeds(asked)}: at the start {at(log_band(curve.start).middle)}"
    ]
    if curve.now is not None:
        parts.append(f"trained so far {at(log_band(curve.now).middle)}")
    parts.append(f"{curve.theory_name} {at(curve.theory)}")
    return f"{'; '.join(parts)}."


def _seeds(count: int) -> str:
    return f"{count} {'seed' if count == 1 else 'seeds'}"


def describe_truncation(cuts: Mapping[str, Cut]) -> str:
    """Say what is left of the gradient at the first step, at the last piece's first and at the last, cut and whole."""
    told = []
    for name, cut in cuts.items():
        whole, found = (log_band(values).middle for values in (cut.whole, cut.cut))
        length = len(whole)
        # The last piece begins at the last multiple of its length before the end.
        last_piece = (length - 1) // cut.truncation * cut.truncation + 1 if cut.truncation else 1
        steps = sorted({1, max(last_piece - 1, 1), last_piece, length})
        said = (f"step {step} cut {decades(found[step - 1])}, whole {decades(whole[step - 1])}" for step in steps)
        who = named(name, len(cut.cut), cut.runs)
        told.append(f"{who}, pieces of {cut.truncation} steps: {cut_words(cut)}; {'; '.join(said)}.")
    return " ".join(["RMS dL/dh_t by time step, median over seeds.", *told])


def describe_clipping(shown: Sequence[tuple[str, History]]) -> str:
    """Say of each how long its gradient is before and after clipping, what became of the seeds, and the loss."""
    told = []
    for name, history in shown:
        raw, after = log_band(history.gradient_norm).middle, log_band(norm_after_clipping(history)).middle
        loss, last = band(history.loss).middle, f"{int(history.epochs[-1]):,}"
        experiment = history.experiment
        limit = "" if experiment.clip == "none" else f", clipped by {experiment.clip} at {experiment.threshold:g}"
        told.append(
            f"{name}{limit}: {clipping_words(history)}; ‖dL/dθ‖ {decades(raw[0])} before and {decades(after[0])} after "
            f"clipping at the start, at most {decades(float(raw.max()))} and {decades(float(after.max()))}, "
            f"{decades(raw[-1])} and {decades(after[-1])} at epoch {last}; "
            f"loss {number(loss[0])} at the start, {number(loss[-1])} at epoch {last}."
        )
    return " ".join(["Global norm of the first update's gradient after each record, median over seeds.", *told])
