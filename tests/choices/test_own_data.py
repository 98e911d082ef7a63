import csv
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from explorer.choices.datasets import Data
from explorer.choices.experiment import Experiment
from explorer.choices.own_data import (
    DELIMITERS,
    LABEL_NAMES,
    MAX_BYTES,
    MAX_CELL,
    MAX_ROWS,
    MIN_ROWS,
    read_csv,
)
from explorer.training.run import train

ROWS = [("1.5", "10", "a"), ("2.5", "30", "b"), ("-1", "20", "a"), ("4e0", "50", "b"), ("0", "0", "a")]
X = np.array([[float(a), float(b)] for a, b, _ in ROWS])
Y = np.array([0, 1, 0, 1, 0])


def table(rows=ROWS, delimiter=",", end="\n", header=None):
    lines = [delimiter.join(row) for row in ([header] if header else []) + list(rows)]
    return end.join(lines).encode()


def standardized(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


def check_usual(data):
    np.testing.assert_allclose(data.x, standardized(X), atol=1e-12)
    np.testing.assert_array_equal(data.y, Y)
    assert data.class_names == ("a", "b")


def problem(content):
    with pytest.raises(ValueError, match=r"\w") as caught:
        read_csv(content)
    return str(caught.value)


# --- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("header", [None, ("width", "height", "kind")])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_usual_files_are_read(delimiter, end, header, mark):
    check_usual(read_csv(mark + table(ROWS, delimiter, end, header)))


def test_blank_lines_and_blanks_around_cells_do_not_matter():
    check_usual(read_csv(b"\n\n" + table([tuple(f"  {cell} " for cell in row) for row in ROWS]) + b"\n  \n"))


def test_quoted_cells_are_read():
    check_usual(read_csv(table([tuple(f'"{cell}"' for cell in row) for row in ROWS])))


def test_a_quoted_label_may_hold_separators():
    rows = [(a, b, '"odd; very"' if label == "a" else '"even, too"') for a, b, label in ROWS]
    assert read_csv(table(rows)).class_names == ("even, too", "odd; very")


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_decimal_comma_is_understood_where_the_comma_does_not_separate(delimiter):
    check_usual(read_csv(table([(a.replace(".", ","), b, label) for a, b, label in ROWS], delimiter)))


@pytest.mark.parametrize("name", [*LABEL_NAMES, "Label", "CLASS"])
def test_the_header_may_put_the_label_anywhere(name):
    rows = [(a, label, b) for a, b, label in ROWS]
    check_usual(read_csv(table(rows, header=("u", name, "v"))))


def test_x_and_y_are_coordinates():
    check_usual(read_csv(table(header=("x", "y", "group"))))


def test_a_label_called_y_is_no_header():
    rows = [(a, b, "y" if label == "a" else "n") for a, b, label in ROWS]
    assert len(read_csv(table(rows)).y) == len(ROWS)


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [("0", "1", ("0", "1")), ("1.0", "0.0", ("0", "1")), ("-1", "1", ("-1", "1")), ("10", "9", ("9", "10"))],
)
def test_numeric_labels_are_ordered_by_value(first, second, names):
    rows = [(a, b, first if label == "a" else second) for a, b, label in ROWS]
    data = read_csv(table(rows))
    assert data.class_names == names
    np.testing.assert_array_equal(data.y, Y if float(first) < float(second) else 1 - Y)


def test_one_and_one_point_zero_are_one_class():
    labels = ["1", "0", "1.0", "0.0", "1e0"]
    assert read_csv(table([(*row[:2], label) for row, label in zip(ROWS, labels, strict=True)])).class_names == (
        "0",
        "1",
    )


@pytest.mark.parametrize("factor", [1e-300, 1e-12, 1e12, 1e98])
def test_numbers_of_any_size_are_standardized(factor):
    rows = [(repr(float(a) * factor), b, label) for a, b, label in ROWS]
    np.testing.assert_allclose(read_csv(table(rows)).x, standardized(X), atol=1e-9)


def test_a_network_can_be_trained_on_it():
    experiment = Experiment(task="own data", data=read_csv(table()), depth=1, activation="tanh", epochs=5, runs=2)
    assert np.isfinite(train(experiment).loss).all()


# --- what is refused, and in what words -------------------------------------------------------


def replaced(row, column, cell):
    rows = [list(cells) for cells in ROWS]
    rows[row][column] = cell
    return table(rows)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["empty"]),
        (b" \n \n", ["empty"]),
        (b"1,2,a\n" * (MAX_BYTES // 6 + 1), ["bytes", f"{MAX_BYTES:,}"]),
        (b"1,2,a\n3,4,b\n" * MAX_ROWS, [f"more than {MAX_ROWS:,} rows"]),
        (table(ROWS[: MIN_ROWS - 1]), [f"{MIN_ROWS - 1} rows", f"at least {MIN_ROWS}"]),
        (b"x,y,label\n", ["0 rows"]),
        (table([row[:2] for row in ROWS]), ["line 1", "2 columns", "must have 3"]),
        (table([(*row, "1") for row in ROWS]), ["4 columns"]),
        (b"hello\n" * 9, ["1 column", "must have 3"]),
        (table() + b"\n1,2", ["line 6", "2 columns"]),
        (replaced(2, 1, "abc"), ["line 3, column 2", "'abc' is not a number"]),
        (replaced(2, 1, "1_000"), ["line 3, column 2", "not a number"]),
        (replaced(3, 0, ""), ["line 4, column 1", "empty"]),
        (replaced(3, 0, "nan"), ["line 4, column 1", "not a finite number"]),
        (replaced(3, 1, "-inf"), ["line 4, column 2", "not a finite number"]),
        (replaced(3, 1, "1e999"), ["line 4, column 2", "not a finite number"]),
        (replaced(3, 1, "1e200"), ["line 4, column 2", "too large", "1e+100"]),
        (replaced(3, 2, ""), ["line 4, column 3", "label is empty"]),
        (replaced(3, 2, "NaN"), ["line 4, column 3", "label is 'NaN'"]),
        (replaced(3, 2, "c"), ["3 different labels (a, b, c)", "exactly 2"]),
        (table([(*row[:2], "a") for row in ROWS]), ["1 different labels (a)", "exactly 2"]),
        (table([(*row[:2], str(n)) for n, row in enumerate(ROWS)]), ["5 different labels (0, 1, 2, 3, ...)"]),
        (table([("7", *row[1:]) for row in ROWS]), ["column 1 is the same"]),
        (table([(row[0], "0", row[2]) for row in ROWS]), ["column 2 is the same"]),
        (table().replace(b"a", b"a\0"), ["NUL"]),
        (table().decode().encode("utf-16"), ["UTF-8"]),
        (b"\x89PNG\r\n\x1a\n\xff\xfe" * 20, ["UTF-8"]),
        (b"PK\x03\x04\0\0" * 20, ["NUL"]),
        (replaced(1, 2, '"b'), ["line 2", "quotes"]),
        (replaced(1, 2, '"b"b'), ["line 2", "quotes"]),
        (replaced(1, 2, "b" * (MAX_CELL + 1)), ["line 2, column 3", f"{MAX_CELL + 1} characters", f"{MAX_CELL}"]),
        (replaced(1, 2, "b" * 200_000), ["line 2", "too long"]),
        (replaced(1, 2, "b\x07"), ["line 2, column 3", "cannot be shown"]),
    ],
)
def test_problems_are_named_in_plain_words(content, words):
    message = problem(content)
    for word in words:
        assert word in message
    assert len(message) < 300


def test_every_row_up_to_the_limit_is_used():
    rows = [(str(n), str(n * n % 17), "ab"[n % 2]) for n in range(MAX_ROWS)]
    assert len(read_csv(table(rows)).y) == MAX_ROWS
    assert len(read_csv(table(rows, header=("u", "v", "label"))).y) == MAX_ROWS
    assert "more than" in problem(table([*rows, rows[0]]))
    assert "more than" in problem(table([*rows, rows[0]], header=("u", "v", "label")))


def test_the_text_is_never_executed():
    bad = "__import__('os').abort()"
    assert "not a number" in problem(replaced(1, 0, bad))
    rows = [(a, b, "=cmd|' /C calc'!A0" if label == "a" else label) for a, b, label in ROWS]
    assert read_csv(table(rows)).class_names == ("=cmd|' /C calc'!A0", "b")


# --- anything at all --------------------------------------------------------------------------

CELLS = st.one_of(
    st.sampled_from(
        ["", "1", "2.5", "-3", "1e400", "nan", "a", "b", "label", '"', '"x"', "1,5", " ", "\0", "١", "1_0"]
    ),
    st.text(max_size=5),
    st.floats().map(repr),
    st.integers().map(str),
)
TABLES = st.tuples(
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r", "\x0b"]),
    st.lists(st.lists(CELLS, max_size=4), max_size=9),
).map(lambda drawn: drawn[1].join(drawn[0].join(row) for row in drawn[2]).encode("utf-8", "surrogatepass"))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False).map(repr)
NEARLY_RIGHT = st.lists(st.tuples(NUMBERS, NUMBERS, st.sampled_from("ab")), min_size=3, max_size=12).map(table)


ANY_BYTES = st.one_of(st.binary(max_size=400), TABLES, NEARLY_RIGHT)


@given(content=ANY_BYTES)
@example(content=b'"')
@example(content=b"\xef\xbb\xbf")
@example(content=b"5e-324,1,a\n0,2,b\n0,3,a\n0,4,b")
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_data_or_a_value_error(content):
    check_bytes(content)


@pytest.mark.long
@given(content=ANY_BYTES)
@settings(max_examples=1500, deadline=None)
def test_so_do_many_more_bytes(content):
    check_bytes(content)


def check_bytes(content):
    """They are read or refused."""
    try:
        data = read_csv(content)
    except UnicodeError as error:  # a ValueError too, but not in plain words
        raise AssertionError from error
    except ValueError:
        return
    assert isinstance(data, Data)
    assert data.x.shape == (len(data.y), 2)
    assert MIN_ROWS <= len(data.y) <= MAX_ROWS
    np.testing.assert_allclose(data.x.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(data.x.std(axis=0), 1, atol=1e-3)
    assert set(data.y) == {0.0, 1.0}
    assert len(data.class_names) == 2


def test_reading_leaves_the_csv_module_as_it_was():
    before = csv.field_size_limit()
    read_csv(table())
    assert csv.field_size_limit() == before
    assert math.isfinite(before)
