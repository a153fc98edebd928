"""Models that give several numbers of each image: labels that may hold together, and values."""

import abc
import csv
import typing
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from keras_dtl.convert.artifact import Artifact
from keras_dtl.convert.options import Options
from keras_dtl.convert.tasks.classification import Classification
from keras_dtl.convert.tasks.table import csv_cell, json_line

_HOLDS = 0.5  # from this probability on a label is named


class NamedNumbers(Classification, abc.ABC):
    """Writes a table like that of `Classification`, with a column for every number."""

    own_options = ("all_probabilities",)  # all numbers are written, with it and without

    def __init__(self, artifact: Artifact, destination: Path, options: Options):
        super().__init__(artifact, destination, options)
        self.all_probabilities = True
        self.top = 0

    def rows_of(self, probabilities: np.ndarray) -> list[tuple[list, list]]:
        """Return, of each row, no likeliest classes and all numbers to seven digits."""
        return [([], [float(f"{value:.7g}") for value in row]) for row in probabilities.tolist()]

    def row_writer(self, file: typing.TextIO, listed: Collection[str]) -> Callable[..., None]:
        if self.format == "jsonl":
            return lambda *row: file.write(json_line(self.json_row(*row)) + "\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(map(csv_cell, self.header()))
        return lambda name, top, every: writer.writerow([csv_cell(name), *self.cells(every)])

    @abc.abstractmethod
    def header(self) -> list[str]:
        """Return the names of the columns."""

    @abc.abstractmethod
    def cells(self, every: list[float]) -> list:
        """Return what stands in the columns after the file's name."""

    def words(self, row: tuple) -> str:
        return ", ".join(
            f"{name} {value:.3g}" for name, value in zip(self.classes, row[2], strict=True)
        )


class MultiLabel(NamedNumbers):
    """Writes `file`, the `labels` of a probability of 0.5 or more, and `probability:NAME` of all.

    Labels are separated by semicolons in CSV.
    """

    kind = "A classifier of several labels"

    def labels(self, every: list[float]) -> list[str]:
        """Return the names of the labels that hold."""
        return [
            name
            for name, probability in zip(self.classes, every, strict=True)
            if probability >= _HOLDS
        ]

    def header(self) -> list[str]:
        return ["file", "labels", *(f"probability:{name}" for name in self.classes)]

    def cells(self, every: list[float]) -> list:
        return [csv_cell(";".join(self.labels(every))), *every]

    def json_row(self, name: str, top: list, every: list) -> dict:
        probabilities = dict(zip(self.classes, every, strict=True))
        return {"file": name, "labels": self.labels(every), "probabilities": probabilities}


class Regression(NamedNumbers):
    """Writes `file` and `value:NAME` for every number that the model gives."""

    kind = "A regression"
    numbers = "values"

    def header(self) -> list[str]:
        return ["file", *(f"value:{name}" for name in self.classes)]

    def cells(self, every: list[float]) -> list:
        return every

    def json_row(self, name: str, top: list, every: list) -> dict:
        return {"file": name, "values": dict(zip(self.classes, every, strict=True))}
