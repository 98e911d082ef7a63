"""Describe: what a figure shows as one text with its numbers, for those who hear it instead."""

from collections.abc import Mapping, Sequence

import numpy as np

from explorer.choices.arrays import Array
from explorer.diagnosis.facts import Facts
from explorer.diagnosis.seeds import band
from explorer.diagnosis.why import Why
from explorer.diagnosis.wording import decades, number
from explorer.figures.marks import layer_band
from explorer.figures.view import View
from explorer.sweeps.outcomes import Finding, Outcome
from explorer.sweeps.sweep import Cell, Sweep, thin
from explorer.training.history import History

# So many layers, depths or columns are told; of more, so many evenly spread.
TOLD = 8


def describe_history(history: History, view: View, epoch: int, theory: Array | None = None) -> str:
    """Say the profile at an epoch and at the start, theory's, and the loss."""
    record = history.at(epoch)
    undefined = np.isnan(history.measures[view.diagnostic.name][:, 0]).all(axis=0)
    middle = np.where(undefined, np.nan, layer_band(history, view).middle)
    relative = " over the last layer's" if view.is_ratio else ""
    told = [
        f"{view.diagnostic.title}{relative}, median over {_seeds(history)}, at epoch {int(history.epochs[record]):,}: "
        f"{_layers(middle[record], view)}."
    ]
    if record:
        told.append(f"At the start: {_layers(middle[0], view)}.")
    if theory is not None:
        told.append(f"Theory, at the start: {_layers(theory, view)}.")
    loss = band(history.loss).middle
    solved = history.outcome.count("solved")
    told.append(f"Median loss {number(loss[0])} at the start, {number(loss[-1])} at epoch {int(history.epochs[-1]):,}.")
    told.append(f"{solved} of {_seeds(history)} {'has' if len(history.loss) == 1 else 'have'} learnt it.")
    return " ".join(told)


def _seeds(history: History) -> str:
    return f"{len(history.loss)} {'seed' if len(history.loss) == 1 else 'seeds'}"


def _layers(values: Array, view: View) -> str:
    def say(value: float) -> str:
        if np.isnan(value):
            return "not defined"
        return decades(value) if view.in_decades else number(value)

    layers = thin(range(1, len(values) + 1), TOLD)
    return ", ".join(
        f"layer {layer}{' (output)' * (layer == len(values))} {say(values[layer - 1])}" for layer in layers
    )


def describe_why(why: Why) -> str:
    """Say each layer's parts as factors."""
    layers = thin(range(1, len(why.total) + 1), TOLD)
    told = [
        f"layer {layer} × {decades(why.total[layer - 1])} ("
        + ", ".join(f"{part} {decades(values[layer - 1])}" for part, values in why.parts.items())
        + ")"
        for layer in layers
    ]
    return f"What multiplies dL/dz on its way back, at each hidden layer: {'; '.join(told)}."


def describe_tried(names: Sequence[str], words: Sequence[str], found: Sequence[Facts]) -> str:
    """Say what became of each experiment that was tried."""
    return " ".join(
        f"{name}: {f.solved} of {f.runs} learn it{f', {word}' if word else ''}; first layer against last "
        f"{decades(f.log_ratio)} at the start, {decades(f.log_ratio_end)} at the end."
        for name, word, f in zip(names, words, found, strict=True)
    )


def describe_losses(names: Sequence[str], found: Sequence[Facts]) -> str:
    """Say where each loss begins and ends."""
    told = (f"{name}: {number(f.loss_start)} to {number(f.loss_end)}" for name, f in zip(names, found, strict=True))
    return f"Median loss from the start to epoch {max(f.epoch for f in found):,}. {'; '.join(told)}."


def describe_triangle(name: str, depths: Sequence[int], values: Array) -> str:
    """Say the first and the last layer's gradient of nets of several depths; values are log10, (depths, layers)."""
    told = []
    for row in thin(range(len(depths)), TOLD):
        depth = depths[row]
        first, last = values[row, 0], values[row, depth]
        if not np.isnan(first):
            told.append(f"depth {depth}: first layer {decades(first)}, output {decades(last)}")
    return f"{name}: {'; '.join(told) or 'not known yet'}."


def describe_shares(name: str, solved: Mapping[int, tuple[int, int]]) -> str:
    """Say how many seeds learn, by depth."""
    told = (f"depth {depth} {learnt} of {runs}" for depth, (learnt, runs) in solved.items())
    return f"Seeds that learn, {name}: {', '.join(told) or 'none is trained yet'}."


def describe_factors(name: str, depths: Sequence[int], measured: Array, theory: Array | None) -> str:
    """Say what each layer multiplies dL/dz by, by depth; all values are log10."""
    told = []
    for row in thin(range(len(depths)), TOLD):
        if not np.isnan(measured[row]):
            said = theory is not None and not np.isnan(theory[row])
            told.append(
                f"depth {depths[row]} {decades(measured[row])}"
                + (f" (theory {decades(theory[row])})" if said and theory is not None else "")
            )
    return f"What each layer multiplies dL/dz by, {name}: {', '.join(told)}."


def describe_sweep(sweep: Sweep, findings: Mapping[Cell, Finding], outcome: Outcome, names: tuple[str, str]) -> str:
    """Say the smallest and the largest value of a map, and where; `names` are those of x and y as shown."""
    known = [(outcome.of(found), cell) for cell, found in findings.items() if not np.isnan(outcome.of(found))]
    if not known:
        return "Nothing is measured yet."
    told = []
    for word, (value, cell) in (("smallest", min(known)), ("largest", max(known))):
        x, y = sweep.values(cell)
        told.append(f"{word} {say_outcome(outcome, value)}, at {names[0]} {x} and {names[1]} {y}")
    return f"{len(known)} of {len(sweep.cells)} cells have a value: {'; '.join(told)}."


def describe_section(sweep: Sweep, findings: Mapping[Cell, Finding], outcome: Outcome, row: int) -> str:
    """Say every value of one row of a map."""
    columns = [column for column in range(len(sweep.xs)) if (column, row) in findings]
    told = (f"{sweep.xs[column]} {say_outcome(outcome, outcome.of(findings[column, row]))}" for column in columns)
    return f"{', '.join(told) or 'nothing is measured yet'}."


def say_outcome(outcome: Outcome, value: float) -> str:
    """Say an outcome's number; an infinite one of epochs is never."""
    if np.isnan(value):
        return "not defined"
    if np.isposinf(value) and outcome.name == "epochs to solve":
        return "never"
    return decades(value) if outcome.unit == "decades" else f"{value:.0%}"
