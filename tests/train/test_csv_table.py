"""Tables as spreadsheets write them: read as they stand, or refused with file and row, never another number."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxscore.errors import TrainingError
from fxscore.train.csv_table import read_table
from fxscore.train.results import _accuracy

COLUMNS = ("model", "accuracy")
PLAIN = "model,accuracy,note\nnets.py:a,60.7,première\nnets.py:b,61,\n"
READ = [(2, {"model": "nets.py:a", "accuracy": "60.7"}), (3, {"model": "nets.py:b", "accuracy": "61"})]


def read(folder: Path, data: bytes | str) -> list[tuple[int, dict[str, str]]]:
    path = folder / "own.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(read_table(path, COLUMNS))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_say_what_they_are(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, PLAIN.encode(encoding)) == READ


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(tmp_path: Path, separator: str, end: str) -> None:
    assert read(tmp_path, PLAIN.replace(",", separator).replace("\n", end)) == READ


def test_space_and_empty_rows_do_not_count(tmp_path: Path) -> None:
    text = " model , accuracy,\n\n nets.py:a ,\t60.7 ,\n,,\nnets.py:b,61,"
    assert read(tmp_path, text) == [(3, READ[0][1]), (5, READ[1][1])]


def test_a_quoted_cell_may_hold_anything(tmp_path: Path) -> None:
    rows = read(tmp_path, 'model,accuracy\n"n.py{""a"": 1, ""b"": 2}",60\n"two\nlines;",61\n')
    assert [row["model"] for _, row in rows] == ['n.py{"a": 1, "b": 2}', "two\nlines;"]
    assert [number for number, _ in rows] == [2, 4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model,accuracy\na,60,7\n", "own.csv, row 2: 3 cells where the header has 2.*60.7"),
        ("accuracy,model\n61.2,a\n60,7,b\n", "own.csv, row 3: 3 cells"),
        ("model;accuracy\na;60.7;3\n", "own.csv, row 2: 3 cells .* parted by semicolons"),
        ("model,accuracy,note\na,60.7\n", "own.csv, row 2: 2 cells where the header has 3"),
        ("model,accuracy\na;60.7\n", "own.csv, row 2: 1 cells"),
        ('model,accuracy\nn.py{"a": 1, "b": 2},60\n', "own.csv, row 2: "),
        ("model,accuracy,accuracy\na,60,99\n", "own.csv: 2 columns are called 'accuracy'"),
        ("model;accuracy; model\na;60;b\n", "own.csv: 2 columns are called 'model'"),
        ("model,acc\na,60\n", "own.csv: no column 'accuracy'"),
        ("a,60\nb,61\n", "own.csv: no column 'model'"),
        ("", "own.csv: no column 'model'"),
        ('model,accuracy\na,60\n"b,61\nc,62\n', "own.csv, row 4: no row of a CSV table"),
        ('model,accuracy\n"a"b,60\n', "own.csv, row 2: no row of a CSV table"),
    ],
)
def test_what_does_not_read_is_refused_by_row(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (PLAIN.encode("latin-1"), "own.csv, row 2: byte 40 is not UTF-8; save"),
        (PLAIN.encode("utf-16")[:-1], "own.csv, row .* is not UTF-16"),
        (PLAIN.encode("utf-16-le"), "own.csv.* UTF-8"),
        (PLAIN.encode("utf-32"), "own.csv.* UTF-8"),
        (b"PK\x03\x04" + bytes(range(256)), "own.csv, row .* UTF-8"),
    ],
)
def test_other_encodings_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        read(tmp_path, data)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(TrainingError, match="there is no file"):
            list(read_table(path, COLUMNS))


@pytest.mark.parametrize("text", ["60.7", "+60.7", "6.07e1", "607E-1", "60.70"])
def test_numbers(text: str) -> None:
    assert _accuracy(Path("own.csv"), 2, text) == 60.7


@pytest.mark.parametrize(
    "text",
    [
        "",
        "60,7",
        "60.7%",
        "6_0.7",
        "\uff16\uff10",
        "0x3c",
        "nan",
        "inf",
        "1e999",
        "1.234,5",
        "60 7",
        "-",
        ".",
    ],
)
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(TrainingError, match=r"own.csv, row 7: the accuracy .* is not a number"):
        _accuracy(Path("own.csv"), 7, text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "model,accuracy,epochs\na,60.5,9\nb,60,7\nc,61,8\n",
            "row 3: accuracy is 60, and epochs is 7; where 60,7 was",
        ),
        ("accuracy,note,model\n60,7,a\n", "row 2: accuracy is 60, and note is 7"),
        ("model,accuracy,epochs\na,60.5,9\nb,60.0,7\nc,61,\n", ""),
        ("model,accuracy,epochs\na,60,1e2\nb,60,seven\n", ""),
        ("accuracy,model\n60,7\n", ""),
        ("model;accuracy;epochs\na;60;7\n", ""),
    ],
)
def test_what_may_be_a_decimal_comma_in_a_row_that_lacks_a_cell_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, says: str
) -> None:
    read(tmp_path, text)
    assert [says in message for message in caplog.messages] == [True] * bool(says)
