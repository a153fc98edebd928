"""Classifiers: one table of predictions."""

import contextlib
import csv
import json

from keras_dtl.convert.options import ConversionError
from keras_dtl.files import atomic_path
from keras_dtl.images import readable_name, resize_image


class Classification:
    """Writes `predictions.csv` or `predictions.jsonl`, one line an image, in the images' order.

    The columns are `file`, `class` and `probability` of the likeliest class, the same numbered
    from 2 for the next ones, and by choice one column `probability:NAME` for every class. File
    names are UTF-8; bytes in them that are none are escaped with a backslash.
    """

    writers = 1  # a table is written by one at a time

    def __init__(self, artifact, source, destination, options):
        self.output = destination / f"predictions.{options.format}"
        self.classes = artifact.classes
        self.size = artifact.image_size
        self.overwrite = options.overwrite
        self.all_probabilities = options.all_probabilities
        self.top = min(options.top, len(artifact.classes or ()))
        self.write_rows = _FORMATS[options.format]
        self.probabilities = artifact.manifest.outputs[0].name
        if self.top == 0 or artifact.manifest.outputs[0].shape != (None, len(self.classes)):
            raise ConversionError(
                "A classifier must name its classes and have one output, their probabilities; "
                f"this one has {artifact.manifest.outputs}. Export the model again."
            )

    def select(self, items):
        if self.output.exists() and not self.overwrite:
            raise ConversionError(
                f"{readable_name(self.output)} exists. Choose another folder, or overwrite it."
            )
        return items

    def __enter__(self):
        self.waiting = {}  # rows that came before an earlier image's
        self.next = 0
        with contextlib.ExitStack() as stack:
            temporary = stack.enter_context(atomic_path(self.output))
            file = stack.enter_context(
                open(temporary, "w", encoding="utf-8", errors="backslashreplace", newline="")
            )
            listed = self.classes if self.all_probabilities else ()
            self.add_row = self.write_rows(file, self.top, listed)
            self.open_files = stack.pop_all()

    def __exit__(self, *error):
        self.open_files.__exit__(*error)

    def prepare(self, image):
        return image if self.size is None else resize_image(image, self.size)

    def write(self, loaded, outputs):
        probabilities = outputs[self.probabilities]
        likeliest = (-probabilities).argsort(kind="stable")[: self.top]
        top = [(self.classes[index], round(float(probabilities[index]), 6)) for index in likeliest]
        every = probabilities if self.all_probabilities else ()
        every = [round(float(value), 6) for value in every]
        self._put(loaded.item, (loaded.item.name, top, every))

    def leave_out(self, item):
        self._put(item, None)

    def _put(self, item, row):
        self.waiting[item.index] = row
        while self.next in self.waiting:
            row = self.waiting.pop(self.next)
            self.next += 1
            if row is not None:
                self.add_row(*row)


def _csv_rows(file, top, classes):
    """Write the header and return a function that writes a row."""
    writer = csv.writer(file, lineterminator="\n")
    header = ["class", "probability"]
    header += [f"{word}_{place}" for place in range(2, top + 1) for word in header]
    writer.writerow(["file", *header, *(f"probability:{name}" for name in classes)])

    def add(name, likeliest, every):
        writer.writerow([name, *(cell for pair in likeliest for cell in pair), *every])

    return add


def _json_rows(file, top, classes):
    def add(name, likeliest, every):
        row = {"file": name, "class": likeliest[0][0], "probability": likeliest[0][1]}
        row["top"] = [{"class": label, "probability": value} for label, value in likeliest]
        if classes:
            row["probabilities"] = dict(zip(classes, every, strict=True))
        file.write(json.dumps(row, ensure_ascii=False) + "\n")

    return add


_FORMATS = {"csv": _csv_rows, "jsonl": _json_rows}
