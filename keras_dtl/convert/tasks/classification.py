"""Classifiers: one table of predictions."""

import contextlib
import hashlib
import typing
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import numpy as np

from keras_dtl.convert.artifact import Artifact
from keras_dtl.convert.disk import DiskFull, no_room_is_fatal
from keras_dtl.convert.items import Item, ItemError, Loaded
from keras_dtl.convert.journal import Journal
from keras_dtl.convert.options import ConversionError, Options
from keras_dtl.convert.tasks.image_task import ImageTask
from keras_dtl.convert.tasks.table import FORMATS, InOrder, json_line, json_row
from keras_dtl.files import readable_name
from keras_dtl.images import resize_image

_TABLE = ""  # its name in the journal, which no image has
_NOT_FINITE = "the model's answer holds numbers that are not finite"


class Classification(ImageTask):
    """Writes `predictions.csv` or `predictions.jsonl`, one line an image, in the images' order.

    The columns are `file`, `class` and `probability` of the likeliest class, the same numbered
    from 2 for the next ones, and by choice one column `probability:NAME` for every class. File
    names are UTF-8; bytes in them that are none, and signs that command a terminal, are escaped
    with a backslash. Frames of an animation are named `FILE#0`, `FILE#1` and so on. In the CSV an
    apostrophe comes before names that a spreadsheet would take for formulas: `=1+1.png`.
    """

    own_options = ("top", "all_probabilities")
    writers = 1  # a table is written by one at a time
    kind = "A classifier"
    numbers = "probabilities"
    """What the model gives of each image, in the plural."""
    takes_small_files = True

    def __init__(self, artifact: Artifact, destination: Path, options: Options):
        super().__init__(artifact, destination, options)
        self.format = options.format_among(tuple(FORMATS))
        if destination.suffix in (".csv", ".jsonl") and not destination.is_dir():
            raise ConversionError(
                f"The output is a folder, in which predictions{destination.suffix} will be; "
                f"received {readable_name(destination)}, which is named as a file."
            )
        self.output = destination / f"predictions.{self.format}"
        self.classes = artifact.classes
        self.size = artifact.image_size
        self.overwrite = options.overwrite
        self.all_probabilities = options.all_probabilities
        self.top = min(options.top, len(artifact.classes or ()))
        self.probabilities = artifact.manifest.outputs[0].name
        if self.top == 0 or artifact.manifest.outputs[0].shape != (None, len(self.classes)):
            raise ConversionError(
                f"{self.kind} must name its classes and have one output, their {self.numbers}; "
                f"this one has {artifact.manifest.outputs}. Export the model again."
            )
        self.rows = InOrder(self.words)
        self.source = None

    def plan(self, items: list[Item]) -> None:
        self.source = _source_of(items)
        if self.options.gallery:  # for which a few are remembered
            self.rows.remember = {item.index for item in items[:: max(1, len(items) // 1000)]}

    @contextlib.contextmanager
    def writing(self, journal: Journal) -> Iterator[None]:
        """Open the table, which takes its place when all is done."""
        if self.output.exists() and not self.overwrite and not journal.wrote(_TABLE, self.output):
            raise ConversionError(
                f"{readable_name(self.output)} exists and is not what a conversion wrote. Choose "
                "another folder, or overwrite it."
            )
        self._require_same_source(journal)
        self.journal = journal
        temporary = journal.partial / "table"
        with open(temporary, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            listed = self.classes if self.all_probabilities else ()
            self.rows.write = self.row_writer(file, listed)
            yield
        digest = hashlib.sha256(temporary.read_bytes()).hexdigest()
        journal.add(_TABLE, "", output=digest, source=self.source)
        journal.move(temporary, self.output)

    def row_writer(self, file: typing.TextIO, listed: Collection[str]) -> Callable[..., None]:
        """Write the head of the table, and return a function that writes one line.

        Args:
            file: The table.
            listed: Names of the classes that have a column each.
        """
        return FORMATS[self.format](file, self.top, listed)

    def words(self, row: tuple) -> str:
        """Return a line of the table in words, for the gallery."""
        label, probability = row[1][0]
        return f"{label} ({probability:.3f})"

    def _require_same_source(self, journal):
        """Refuse to replace the table of another folder."""
        before = journal.known.get(_TABLE, {}).get(0, {}).get("source")
        if self.overwrite or not self.output.exists() or None in (before, self.source):
            return
        if before != self.source:
            raise ConversionError(
                f"{readable_name(self.output)} is the table of {readable_name(before)}, not of "
                f"{readable_name(self.source)}, which would replace it. Choose another output "
                "folder, or overwrite it."
            )

    def is_done(self, item: Item, records: list[dict]) -> bool:
        rows = [record.get("row") for record in records]
        if not all(map(self._is_row, rows)):
            return False
        if self.rows.write is not None:
            for frame, row in enumerate(rows):
                self._put(item, row, frame if len(rows) > 1 else None, len(rows))
        return True

    def _is_row(self, row):
        """Whether a line of the journal holds what a line of the table needs."""
        if not isinstance(row, list) or len(row) != 2 or not all(isinstance(x, list) for x in row):
            return False
        top, every = row
        return (
            len(top) == self.top
            and all(isinstance(pair, list) and len(pair) == 2 for pair in top)
            and all(label in self.classes and _is_number(value) for label, value in top)
            and len(every) == (len(self.classes) if self.all_probabilities else 0)
            and all(map(_is_number, every))
        )

    def prepare(self, image: np.ndarray) -> np.ndarray:
        return image if self.size is None else resize_image(image, self.size)

    def make(self, loaded: Loaded, outputs: dict[str, np.ndarray]) -> tuple[list, list]:
        """Return the likeliest classes with their probabilities, and by choice all of them."""
        numbers = outputs[self.probabilities]
        if not np.isfinite(numbers).all():
            raise ItemError(_NOT_FINITE)
        return self.rows_of(numbers[None])[0]

    def make_each(self, batch: list[Loaded], outputs: dict[str, np.ndarray]) -> list:
        numbers = outputs[self.probabilities]
        try:
            rows, fit = self.rows_of(numbers), np.isfinite(numbers).all(axis=1)
        except MemoryError:
            return super().make_each(batch, outputs)
        return [row if ok else ItemError(_NOT_FINITE) for row, ok in zip(rows, fit, strict=True)]

    def rows_of(self, probabilities: np.ndarray) -> list[tuple[list, list]]:
        """Return what `make` does of each row of a batch.

        Args:
            probabilities: An array of shape `(batch, classes)`.
        """
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, : self.top]
        likeliest = np.take_along_axis(probabilities, order, axis=1)
        tops = [
            [(self.classes[place], round(value, 6)) for place, value in zip(*row, strict=True)]
            for row in zip(order.tolist(), likeliest.tolist(), strict=True)
        ]
        if not self.all_probabilities:
            return [(top, []) for top in tops]
        every = [[round(value, 6) for value in row] for row in probabilities.tolist()]
        return list(zip(tops, every, strict=True))

    def keep(self, loaded: Loaded, made: tuple[list, list]) -> None:
        with no_room_is_fatal():
            self._keep([loaded], [made])

    def keep_each(self, batch: list[Loaded], made: list) -> list[Exception | None]:
        try:
            with no_room_is_fatal():
                self._keep(batch, made)
        except (DiskFull, MemoryError) as error:
            return [error] * len(batch)
        return [None] * len(batch)

    def _keep(self, batch, made):
        # The note of each before its line, as for files, though the table is vouched for as one.
        self.journal.add_each(
            [
                (one.item.name, one.content, one.frame or 0, one.frames, {"row": row})
                for one, row in zip(batch, made, strict=True)
            ],
            flush=False,
        )
        for one, row in zip(batch, made, strict=True):
            self._put(one.item, row, one.frame, one.frames)

    def _put(self, item, row, frame, frames):
        name = item.name if frame is None else f"{item.name}#{frame}"
        self.rows.put(item.index, (name, *row), frame or 0, frames)

    def check_single(self) -> None:
        raise ConversionError(f"{self.kind} writes a table; name a folder as output.")

    def encode(self, loaded: Loaded, outputs: dict[str, np.ndarray], suffix: str) -> bytes:
        """Return the prediction as one line of JSON."""
        row = self.json_row(loaded.item.name, *self.make(loaded, outputs))
        return json_line(row).encode(errors="backslashreplace") + b"\n"

    def json_row(self, name: str, top: list, every: list) -> dict:
        """Return a line as an object for JSON."""
        return json_row(name, top, every, self.classes if every else ())

    def leave_out(self, item: Item) -> None:
        self.rows.put(item.index, None)

    def result(self, item: Item) -> str | None:
        """Return the likeliest class in words."""
        return self.rows.remembered.get(item.index)


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _source_of(items):
    """Return the folder that all files lie in, as text, or None where there is no one folder."""
    roots = {_root(item) for item in (*items[:1], *items[-1:])}
    return roots.pop() if len(roots) == 1 else None


def _root(item):
    path, name = str(item.path.absolute()), item.name
    return path[: -len(name) - 1] if path.endswith("/" + name) else str(item.path.parent.absolute())
