"""The table of a conversion: its lines in the order of the files, as CSV or as JSON."""

import csv
import functools
import json
import re
import threading
from collections.abc import Callable, Collection

_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # but not the ends of lines and tabs


class InOrder:
    """Writes rows in the order of their images, whatever order they come in.

    Args:
        words: Function from a row to the words that are remembered of it.
    """

    def __init__(self, words: Callable[[tuple], str]):
        self.words = words
        self.lock = threading.Lock()
        self.waiting = {}  # rows by frame, by image
        self.next = 0
        self.remember, self.remembered = frozenset(), {}
        self.write: Callable[..., None] | None = None  # while nothing is written

    def put(self, index: int, row: tuple | None, frame: int = 0, frames: int = 1) -> None:
        """Take a row, and write those whose turn it is.

        Args:
            index: Of the image, from 0 on.
            row: What `write` takes, or `None` where the image has none.
            frame: Place among the frames of the image.
            frames: Their number, each of which has a row.
        """
        with self.lock:
            if index == self.next and frames == 1 and index not in self.waiting:
                self._write([row])  # as most of them come
            else:
                rows, _ = self.waiting.get(index, ({}, 1))
                rows[frame] = row
                self.waiting[index] = (rows, frames if row else len(rows))
            while self.waiting and self._is_whole(self.next):
                rows, _ = self.waiting.pop(self.next)
                self._write([row for _, row in sorted(rows.items())])

    def _is_whole(self, index):
        rows, frames = self.waiting.get(index, ((), 1))
        return len(rows) >= frames

    def _write(self, rows):
        """Write the rows of the next image."""
        for row in rows:
            if row is not None:
                self.write(*row)
                if self.next in self.remember:
                    self.remembered[self.next] = self.words(row)
        self.next += 1


def _csv_rows(file, top, classes):
    """Write the header and return a function that writes a row."""
    writer = csv.writer(file, lineterminator="\n")
    classes = [csv_cell(name) for name in classes]
    header = ["class", "probability"]
    header += [f"{word}_{place}" for place in range(2, top + 1) for word in header]
    writer.writerow(["file", *header, *(f"probability:{name}" for name in classes)])

    label_cell = functools.lru_cache(1024)(csv_cell)

    def add(name, likeliest, every):
        row = [csv_cell(name)]
        for label, value in likeliest:
            row += (label_cell(label), value)
        writer.writerow(row + every)

    return add


def csv_cell(text: str) -> str:
    """Return a text as no terminal obeys it and no spreadsheet computes it.

    Args:
        text: Of a file or of a class, the whole cell.
    """
    text = _COMMANDS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def json_line(row: dict) -> str:
    """Return a line of JSON that commands no terminal, without its end.

    Args:
        row: What `json_row` returns.
    """
    # JSON escapes the other signs by itself.
    text = json.dumps(row, ensure_ascii=False)
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _json_rows(file, top, classes):
    def add(name, likeliest, every):
        row = json_row(name, likeliest, every, classes)
        file.write(json_line(row) + "\n")

    return add


def json_row(name: str, likeliest: list, every: list, classes: Collection[str]) -> dict:
    """Return a line of the table as an object for JSON.

    Args:
        name: Of the image.
        likeliest: Pairs of a class and its probability, the likeliest first.
        every: The probability of each class, where `classes` are listed.
        classes: Names of the classes that are listed, or none.
    """
    row = {"file": name, "class": likeliest[0][0], "probability": likeliest[0][1]}
    row["top"] = [{"class": label, "probability": value} for label, value in likeliest]
    if classes:
        row["probabilities"] = dict(zip(classes, every, strict=True))
    return row


FORMATS = {"csv": _csv_rows, "jsonl": _json_rows}
"""By name, functions of a file, the number of likeliest classes and the names of those that are
listed: they write the head of a table and return a function that writes a row."""
