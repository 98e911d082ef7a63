"""A person's own data: a small CSV of two number columns and a label column with two classes.

The file is text to be read, never executed. Whatever bytes arrive, either
`Data` comes out or a ValueError that says in plain words where the problem is
and what is allowed.
"""

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from explorer.choices.datasets import Data, standardize

MAX_BYTES = 1_000_000
MIN_ROWS, MAX_ROWS = 4, 2048
MAX_CELL = 100  # characters
MAX_SIZE = 1e100  # of a number; its square is still finite
COLUMNS, CLASSES = 3, 2
DELIMITERS = {"\t": "tab", ";": "semicolon", ",": "comma"}
LABEL_NAMES = ("label", "class", "target", "y")
SNIFFED_LINES = 20
# A column whose numbers differ by less, as a share of their size, is constant up to rounding.
LEAST_SPREAD = 1e-12

EXPECTED = "two columns of numbers and one label column"


@dataclass(frozen=True)
class Row:
    """The cells of a line, without the blanks around them."""

    line: int  # Its number in the file, from 1 (the last one, if quotes span several)
    cells: list[str]


def read_csv(content: bytes) -> Data:
    """Read a person's CSV.

    Columns may be separated by commas, semicolons or tabs (with the latter two
    also 1,5 for 1.5). A first line without numbers is a header. The label
    column is the last one, or the one that the header calls label, class,
    target or y (y only where no other column is called x). Features come out
    with mean 0 and standard deviation 1; of the two classes, the smaller
    number, or the first in the alphabet, is class 0.

    Raises ValueError naming the line and column, what is wrong and what is allowed.

    >>> read_csv(b"height,weight,label\\n1.7,70,a\\n1.8,90,b\\n1.6,60,a\\n1.9,80,b\\n").class_names
    ('a', 'b')
    """
    text = _text(content)
    delimiter = _delimiter(text)
    # One more than are allowed, and a header: enough to know.
    rows = list(islice(_rows(text, delimiter), MAX_ROWS + 2))
    header = rows.pop(0) if rows and all(_float(cell, delimiter) is None for cell in rows[0].cells) else None
    if len(rows) > MAX_ROWS:
        raise ValueError(f"the file has more than {MAX_ROWS:,} rows of data; take a sample of at most {MAX_ROWS:,}")
    if len(rows) < MIN_ROWS:
        raise ValueError(f"the file has {len(rows)} rows of data; at least {MIN_ROWS} are needed")
    label = COLUMNS - 1 if header is None else _label_column(header.cells)
    features = [column for column in range(COLUMNS) if column != label]
    x = np.array([[_number(row, column, delimiter) for column in features] for row in rows])
    y, class_names = _classes(rows, label, delimiter)
    return Data(_standardized(x, features), y, class_names)


# --- from bytes to cells ------------------------------------------------------------------------


def _text(content: bytes) -> str:
    """Decode, after a look at the size."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"the file has {len(content):,} bytes; at most {MAX_BYTES:,} are allowed")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError('this is not a text file in UTF-8; save it as "CSV UTF-8"') from None
    if "\0" in text:
        raise ValueError('this is not a plain text file: it holds NUL characters; save it as "CSV UTF-8"')
    if not text.strip():
        raise ValueError(f"the file is empty; it must have {EXPECTED}")
    return text


def _delimiter(text: str) -> str:
    """Return the separator that gives most of the first lines three columns; between equals, tab, then semicolon."""
    lines = [line for line in text.splitlines()[:SNIFFED_LINES] if line.strip()]

    def fitting(delimiter: str) -> tuple[int, int]:
        counts = [len(cells) for cells in csv.reader(lines, delimiter=delimiter)]
        return counts.count(COLUMNS), sum(count > 1 for count in counts)

    try:
        return max(DELIMITERS, key=fitting)
    except csv.Error:
        return ","


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    """Yield the rows that are not blank, each checked to have three columns of bearable length."""
    reader, last = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 0
    try:
        for cells in reader:
            row = Row(reader.line_num, [cell.strip() for cell in cells])
            if any(row.cells):
                _check_shape(row, delimiter)
                last = row.line
                yield row
    except csv.Error as error:
        wrong = 'the quotes are not balanced; every " needs a closing " before the next column'
        if "limit" in str(error):
            wrong = f"a cell is far too long; at most {MAX_CELL} characters are allowed"
        raise ValueError(f"line {last + 1}: {wrong}") from None


def _check_shape(row: Row, delimiter: str) -> None:
    if len(row.cells) != COLUMNS:
        columns = f"{len(row.cells)} columns, separated by {DELIMITERS[delimiter]}s"
        if len(row.cells) == 1:
            columns = "1 column: no comma, semicolon or tab separates it"
        raise ValueError(f"line {row.line} has {columns}; every line must have {COLUMNS}: {EXPECTED}")
    for column, cell in enumerate(row.cells, start=1):
        where = f"line {row.line}, column {column}"
        if len(cell) > MAX_CELL:
            raise ValueError(f"{where}: {len(cell):,} characters; at most {MAX_CELL} are allowed in a cell")
        if not cell.isprintable():
            raise ValueError(f"{where}: {cell!r} holds characters that cannot be shown; use plain text")


# --- from cells to numbers and classes ------------------------------------------------------------


def _float(cell: str, delimiter: str) -> float | None:
    """Read a number, or None; where the comma does not separate, it may be the decimal mark."""
    if delimiter != "," and cell.count(",") == 1 and "." not in cell:
        cell = cell.replace(",", ".")
    try:
        return None if "_" in cell else float(cell)  # Python would read 1_000; a table means something else
    except ValueError:
        return None


def _number(row: Row, column: int, delimiter: str) -> float:
    """Read a feature."""
    cell, where = row.cells[column], f"line {row.line}, column {column + 1}"
    if not cell:
        raise ValueError(f"{where} is empty; a number is needed")
    value = _float(cell, delimiter)
    if value is None:
        raise ValueError(f"{where}: {cell!r} is not a number")
    if not math.isfinite(value):
        raise ValueError(f"{where}: {cell!r} is not a finite number")
    if abs(value) > MAX_SIZE:
        raise ValueError(f"{where}: {cell} is too large; numbers may go up to {MAX_SIZE:g}")
    return value


def _label_column(names: list[str]) -> int:
    """Return the column that the header calls a label; without one, the last."""
    lower = [name.casefold() for name in names]
    for name in LABEL_NAMES:
        if name in lower and not (name == "y" and "x" in lower):  # x and y together are coordinates
            return lower.index(name)
    return COLUMNS - 1


def _classes(rows: list[Row], column: int, delimiter: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return 0 or 1 for every row, and what the two are called."""
    labels = [row.cells[column] for row in rows]
    for row, label in zip(rows, labels, strict=True):
        if not label or label.casefold() == "nan":
            shown = repr(label) if label else "empty"
            raise ValueError(f"line {row.line}, column {column + 1}: the label is {shown}; every row needs one")
    numbers = [_float(label, delimiter) for label in labels]
    if None not in numbers:  # 1 and 1.0 are one class
        labels = [f"{number:.12g}" for number in numbers]
        names = sorted(set(labels), key=float)
    else:
        names = sorted(set(labels))
    if len(names) != CLASSES:
        some = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
        raise ValueError(
            f"column {column + 1} has {len(names)} different labels ({some}); exactly {CLASSES} are needed"
        )
    return np.array([float(label == names[1]) for label in labels]), tuple(names)


def _standardized(x: NDArray[np.float64], columns: list[int]) -> NDArray[np.float64]:
    """Give every feature mean 0 and standard deviation 1; numbers of any size, but not all the same."""
    largest = np.abs(x).max(axis=0)
    scaled = x / np.where(largest > 0, largest, 1.0)
    for feature, column in enumerate(columns):
        if np.ptp(scaled[:, feature]) < LEAST_SPREAD:
            raise ValueError(f"column {column + 1} is the same in every row: nothing can be learnt from it")
    return standardize(scaled)
