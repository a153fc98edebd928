"""`usps`: handwritten digits from envelopes of the United States Postal Service."""

import bz2
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

FILES = {"train": "usps.bz2", "test": "usps.t.bz2"}
SIDE = 16  # pixels


class Usps(tfds.core.GeneratorBasedBuilder):
    """USPS digits, 16x16 grey, 7291 for training and 2007 for testing.

    Made from the two files in LIBSVM's text form. There a pixel is a number from -1 to 1, and a
    label is the digit plus one.

    Reference: Hull, A Database for Handwritten Text Recognition Research, IEEE PAMI 16(5), 1994.
    """

    name = "usps"
    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "usps is made from the files usps.bz2 and usps.t.bz2 of "
        "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html#usps in that "
        "folder."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=type(self).__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(SIDE, SIDE, 1)),
                    "label": tfds.features.ClassLabel(names=list("0123456789")),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/",
            disable_shuffling=True,
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
        folder = Path(dl_manager.manual_dir)
        for file in FILES.values():
            if not (folder / file).is_file():
                raise FileNotFoundError(f"{folder / file} is missing.")
        return {split: self._generate_examples(folder / file) for split, file in FILES.items()}

    def _generate_examples(self, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        with bz2.open(path, "rt", encoding="ascii") as lines:
            for index, line in enumerate(lines):
                try:
                    image, label = parse_line(line)
                except ValueError as error:
                    raise ValueError(f"{path}, line {index + 1}: {error}") from error
                yield index, {"image": image, "label": label}


def parse_line(line: str) -> tuple[np.ndarray, int]:
    """Read one example in LIBSVM's form, `label 1:value 2:value ... 256:value`.

    Pixels that are left out count as 0, the middle of the range, as everywhere in this form.

    Args:
        line: One line of the file.

    Returns:
        `(image, digit)`: uint8 `(16, 16, 1)` and an integer 0..9.

    Raises:
        ValueError: If a label, a position or a value is out of its range.
    """
    label, *entries = line.split()
    digit = int(float(label)) - 1
    values = np.zeros(SIDE * SIDE)
    for entry in entries:
        position, value = entry.split(":")
        if not 1 <= int(position) <= values.size:
            raise ValueError(f"pixel {position} received, expected 1..{values.size}.")
        values[int(position) - 1] = float(value)
    if not 0 <= digit <= 9 or not np.abs(values).max() <= 1:
        raise ValueError(
            f"label {label} with values {values.min()}..{values.max()} received, "
            "expected labels 1..10 and values -1..1."
        )
    pixels = np.round((values + 1) * 127.5).astype("uint8")  # -1..1 -> 0..255
    return pixels.reshape(SIDE, SIDE, 1), digit
