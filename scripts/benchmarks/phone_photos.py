"""A hundred files as phones and browsers leave them: all converted, upright, in right colours?

    python scripts/benchmarks/phone_photos.py

They are made from one scene of known colours, by `tests/convert/phone_corpus.py`: JPEG, MPO of two
views, Ultra HDR with its gain map, Display P3, HEIC of 8 and 10 bits, AVIF, WebP and PNG, in all
eight EXIF orientations. The model gives the negative of its image, `--profile srgb` the colours.
Writes results/phone_photos.json. A few seconds.
"""

import argparse
import collections
import sys
import tempfile
from pathlib import Path

import numpy as np
from record import ROOT, write_result

sys.path.insert(0, str(ROOT))
from keras_dtl.convert import convert_folder, load_artifact
from keras_dtl.images import read_image

FAR = 6
"""Levels of 255 from which on a colour is another one; lossy formats are off by 2 to 5."""


def kind_of(name):
    """Return what a file is, by the letters of its name."""
    path = Path(name)
    return "".join(filter(str.isalpha, path.stem)) + path.suffix


def differences(folder, scene, names):
    """Return by file how far its fields are from the scene's, at most; None where it is missing."""
    places = [(row, column) for row in (12, 36) for column in (16, 48)]
    found = {}
    for name in names:
        path = folder / f"{Path(name).stem}.png"
        if not path.is_file():
            found[name] = None
            continue
        image = 255 - read_image(path).astype(int)
        found[name] = 255
        if image.shape == scene.shape:
            fields = (np.abs(image[place] - scene[place].astype(int)) for place in places)
            found[name] = max(int(field.max()) for field in fields)
    return found


def main():
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    from tests.convert.conftest import write_negative
    from tests.convert.phone_corpus import SCENE, phone_files

    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        (place / "in").mkdir()
        files = dict(phone_files())
        for name, data in files.items():
            (place / "in" / name).write_bytes(data)
        model = load_artifact(write_negative(place / "negative"), device="cpu")
        report = convert_folder(model, place / "in", place / "out", profile="srgb")
        far = differences(place / "out", SCENE, files)
    right = [name for name, value in far.items() if value is not None and value <= FAR]
    write_result(
        "phone_photos",
        {
            "files": len(files),
            "converted": report.converted,
            "upright_in_right_colours": len(right),
            "exit_status": report.exit_status,
            "largest_difference": max(value for value in far.values() if value is not None),
            "kinds": collections.Counter(map(kind_of, files)),
            "wrong": sorted(set(far) - set(right)),
        },
    )


if __name__ == "__main__":
    main()
