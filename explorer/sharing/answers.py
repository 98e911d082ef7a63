"""Answers to challenges: the file that a student hands in, and the check that trains it again."""

import glob
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.choices.settings import Settings
from explorer.diagnosis.diagnose import diagnose
from explorer.sharing.saved import MAX_CHARACTERS, experiment_json, read_document, saved_in
from explorer.stories.challenges import BY_ADDRESS, CHALLENGES, Challenge, Judgment
from explorer.training.cost import refuse
from explorer.training.run import Training

LONGEST_NAME = 60


@dataclass(frozen=True)
class Answer:
    """What a student hands in."""

    challenge: Challenge
    experiment: Settings
    student: str  # Empty where no name was given


@dataclass(frozen=True)
class Checked:
    """What is said of a file."""

    file: str
    student: str
    challenge: str  # Its title; empty where the file cannot be read
    judgment: Judgment

    def row(self) -> tuple[str, ...]:
        """Return what stands in the columns of the table."""
        cells = (
            self.file,
            self.student,
            self.challenge,
            "yes" if self.judgment.solved else "no",
            self.judgment.sentence,
        )
        return tuple(map(printable, cells))


HEADINGS = ("file", "name", "challenge", "solved", "why")


def printable(words: str) -> str:
    """Return words without what would move the cursor of a terminal, or turn the way it writes.

    >>> printable("Ada\\x1b[2J")
    'Ada?[2J'
    """
    return "".join(sign if sign.isprintable() else "?" for sign in words)


def answer_json(challenge: Challenge, experiment: Settings, student: str = "") -> str:
    """Write an answer: the experiment as it is saved elsewhere, with the challenge's address and perhaps a name.

    Nothing in it says that it is solved: whoever wants to know trains it again.
    """
    name = printable(student).strip()[:LONGEST_NAME]
    return experiment_json(experiment, about={"challenge": challenge.address} | ({"name": name} if name else {}))


def read_answer(content: bytes) -> Answer:
    """Read what `answer_json` wrote; a ValueError says what is wrong and what is allowed."""
    document = read_document(content)
    address, student = document.get("challenge"), document.get("name", "")
    if not isinstance(address, str) or address not in BY_ADDRESS:
        said = "names no “challenge”" if address is None else f"has the “challenge” {_short(address)}"
        raise ValueError(f"it {said}; choose one of: {', '.join(BY_ADDRESS)}")
    if not isinstance(student, str) or len(student) > LONGEST_NAME:
        raise ValueError(f"its “name” must be text of at most {LONGEST_NAME} characters")
    return Answer(BY_ADDRESS[address], saved_in(document).experiment, student)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}…"


def judge_answer(answer: Answer) -> Judgment:
    """Train an answer and judge it; what the challenge does not allow, or takes too long, is not trained."""
    why_not = answer.challenge.objection(answer.experiment) or refuse(answer.experiment)
    if why_not:
        return Judgment(False, why_not)
    training = Training(answer.experiment, histograms=False)
    training.advance(seconds=float("inf"))
    return answer.challenge.judge(diagnose(training.history()))


# --- files ----------------------------------------------------------------------------------------


def check_files(names: Iterable[str]) -> Iterator[Checked]:
    """Check one file after the other; equal answers are trained once, and a file that cannot be read stops no other."""
    known: dict[tuple[str, Settings], Judgment] = {}
    for name in names:
        try:
            answer = read_answer(_content(Path(name)))
        except (OSError, ValueError) as error:
            told = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
            yield Checked(name, "", "", Judgment(False, f"cannot be read: {told}"))
            continue
        key = answer.challenge.address, answer.experiment
        if key not in known:
            known[key] = judge_answer(answer)
        yield Checked(name, answer.student, answer.challenge.name, known[key])


def _content(path: Path) -> bytes:
    """Read no more of a file than an experiment can have; a pipe or a device, which may never end, is no file."""
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    with path.open("rb") as file:
        return file.read(MAX_CHARACTERS + 1)


def named_files(patterns: Iterable[str]) -> list[str]:
    """Return the files that some names and patterns mean, for a shell that leaves `*` to the program."""
    return [
        name
        for pattern in patterns
        for name in ([pattern] if Path(pattern).exists() else sorted(glob.glob(pattern)) or [pattern])
    ]


def table_widths(files: Iterable[str]) -> tuple[int, ...]:
    """Return how wide each column is, but for the last one, before anything is checked."""
    return max(len(printable(name)) for name in (*files, HEADINGS[0])), 24, max(map(len, CHALLENGES)), len(HEADINGS[3])


def table_line(row: Sequence[str], widths: Sequence[int]) -> str:
    """Write a line of the table."""
    return "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
