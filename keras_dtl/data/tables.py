"""Tables of comma-separated values that lie beside a user's files and say what these are."""

import csv
from collections.abc import Collection
from pathlib import Path

from keras_dtl.files import readable_name


def read_table(path: Path, columns: Collection[str]) -> list[dict[str, str]]:
    """Return the rows of a table, texts by name of the column.

    Args:
        path: The file: commas between columns whose names are in the first row, in UTF-8 with or
            without the mark that spreadsheets put before it.
        columns: Names of those that it must have.

    Raises:
        ValueError: If it lacks one of them, a row is too short, or it is no UTF-8.
    """
    name = readable_name(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name} is no text in UTF-8 ({error.reason}). Save it as such."
        ) from error
    rows = csv.DictReader(text.splitlines())
    if missing := sorted(set(columns) - set(rows.fieldnames or ())):
        first = readable_name(text.partition("\n")[0].strip())
        raise ValueError(
            f"{name} lacks the columns {', '.join(missing)}. Its first row is {first!r}; expected "
            f"{','.join(columns)} with commas between them."
        )
    table = list(rows)
    for row in table:
        if any(row[column] is None for column in columns):
            raise ValueError(
                f"{name}: the row of {readable_name(str(row[rows.fieldnames[0]]))} is too short. "
                f"Give each row {','.join(columns)}."
            )
    return table
