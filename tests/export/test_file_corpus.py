"""One answer for one file: many valid files, through TensorFlow Serving's signature and convert.

python -m tests.export.test_file_corpus writes what is measured into exported/README.md and
tests/export/file_corpus.json.
"""

import io
import json
from collections import defaultdict

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_dtl.convert import convert_folder, load_artifact
from keras_dtl.export.pixels.decoding import decode_upright
from keras_dtl.images import read_image
from tests.export.records import is_in_page, rows, write_record

SIZES = ((1, 1), (2, 2), (3, 1), (17, 40), (97, 140), (256, 256), (1400, 2000))
WHOLE_SIZES = ((2, 3), (97, 140), (1400, 2000))


def picture(height, width):
    """A smooth picture with edges, in RGB with alpha that goes from clear to full."""
    rows, columns = np.mgrid[:height, :width] * 1.0
    waves = [np.sin(rows / 9 + k) * np.cos(columns / (7 + k)) for k in range(3)]
    color = np.stack(waves, -1) * 110 + 128 + 17 * ((rows // 8 + columns // 8) % 2)[..., None]
    alpha = np.broadcast_to(np.linspace(0, 255, width), (height, width))
    return Image.fromarray(np.dstack([color, alpha]).clip(0, 255).astype("uint8"), "RGBA")


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return {"exif": exif}


def kinds_of(size):
    """Return `{kind: (bytes, ...)}` of one size: every sort of file that is read alike."""
    clear = picture(*size)
    image, grey = clear.convert("RGB"), clear.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype("uint16") * 257 + 100)
    colors = image.quantize(64)
    return {
        "JPEG baseline, 4:2:0": [encoded(image, "JPEG")],
        "JPEG 4:4:4": [encoded(image, "JPEG", quality=95, subsampling=0)],
        "JPEG progressive": [encoded(image, "JPEG", progressive=True)],
        "JPEG grey": [encoded(grey, "JPEG")],
        "JPEG CMYK": [encoded(image.convert("CMYK"), "JPEG")],
        "JPEG, EXIF orientation 1 to 8": [
            encoded(image, "JPEG", **turned(each)) for each in range(1, 9)
        ],
        "PNG": [encoded(image, "PNG")],
        "PNG with alpha": [encoded(clear, "PNG"), encoded(clear.convert("LA"), "PNG")],
        "PNG grey, 1, 8 and 16 bits": [
            *(encoded(grey.convert("1"), "PNG"), encoded(grey, "PNG"), encoded(deep, "PNG"))
        ],
        "PNG palette, 1 to 8 bits": [
            *(encoded(image.quantize(2**bits), "PNG", bits=bits) for bits in (1, 2, 4)),
            *(encoded(colors, "PNG"), encoded(colors, "PNG", transparency=1)),
        ],
        "PNG, EXIF orientation": [encoded(image, "PNG", **turned(6))],
        "GIF": [encoded(colors, "GIF")],
        "BMP, 1, 8, 24 and 32 bits": [
            *(encoded(image.convert("1"), "BMP"), encoded(colors, "BMP")),
            *(encoded(grey, "BMP"), encoded(image, "BMP"), encoded(clear, "BMP")),
        ],
        "WebP": [encoded(image, "WEBP"), encoded(image, "WEBP", lossless=True)],
        "WebP with alpha": [encoded(clear, "WEBP"), encoded(clear, "WEBP", lossless=True)],
    }


def reader(channels):
    signature = [tf.TensorSpec([], tf.string)]
    return tf.function(lambda data: decode_upright(data, channels), input_signature=signature)


def measure(sizes=SIZES):
    """Return a row for each kind: how many files, and the largest difference in levels."""
    readers = {channels: reader(channels) for channels in (1, 3, 4)}
    files, worst = defaultdict(int), defaultdict(int)
    for size in sizes:
        for kind, contents in kinds_of(size).items():
            files[kind] += len(contents)
            for data in contents:
                for channels, read in readers.items():
                    expected = read_image(data, channels).astype(int)
                    received = read(tf.constant(data)).numpy()
                    assert received.shape == expected.shape, (kind, size, channels)
                    worst[kind] = max(worst[kind], int(np.abs(received - expected).max()))
    return [{"kind": kind, "files": files[kind], "levels": worst[kind]} for kind in files]


@pytest.mark.slow
def test_files_are_read_alike_in_the_graph_and_by_convert():
    measured = measure()
    assert sum(row["files"] for row in measured) >= 80
    assert {row["kind"]: row["levels"] for row in measured if row["levels"] > 1} == {}


def corpus(sizes):
    """Return the bytes of all files of some sizes."""
    kinds = [kinds_of(size).values() for size in sizes]
    return [data for found in kinds for contents in found for data in contents]


def served(folder, files):
    """Return what the signature for files answers to each of them."""
    signature = tf.saved_model.load(folder / "1").signatures["image_bytes"]
    answers = (signature(image_bytes=tf.constant([data])) for data in files)
    return [next(iter(answer.values())).numpy()[0] for answer in answers]


@pytest.mark.slow
def test_classifiers_answer_files_alike_served_and_converted(classifier_artifact, tmp_path):
    files = corpus(WHOLE_SIZES)
    assert len(files) >= 80
    (tmp_path / "photos").mkdir()
    for index, data in enumerate(files):
        suffix = Image.open(io.BytesIO(data)).format.lower()
        (tmp_path / "photos" / f"{index:03}.{suffix}").write_bytes(data)
    artifact = load_artifact(classifier_artifact, "cpu")
    options = {"format": "jsonl", "all_probabilities": True}
    report = convert_folder(artifact, tmp_path / "photos", tmp_path / "out", **options)
    rows = [json.loads(line) for line in report.output.read_text("utf-8").splitlines()]
    converted = [[*row["probabilities"].values()] for row in rows]
    received = np.stack(served(classifier_artifact, files))
    np.testing.assert_allclose(received, converted, rtol=0, atol=1e-3)
    np.testing.assert_array_equal(received.argmax(-1), np.argmax(converted, -1))


@pytest.mark.slow
def test_generators_answer_files_alike_served_and_in_python(generator_artifact):
    """By each of its ways: files, arrays and the bare graph."""
    files = corpus(((1, 1), (2, 3), (17, 40), (97, 140), (1400, 2000)))
    assert len(files) >= 80
    artifact = load_artifact(generator_artifact, "cpu")
    array = tf.saved_model.load(generator_artifact / "1").signatures["serving_default"]
    for data, received in zip(files, served(generator_artifact, files), strict=True):
        image = read_image(data, 3)[None]
        expected = artifact(image)[0].astype(int)
        bare = artifact.session.run(None, {"image": image})[0][0]
        [given] = array(image=tf.constant(image)).values()
        for answer in (received, bare, given.numpy()[0]):
            assert answer.shape == expected.shape
            assert np.abs(answer - expected).max() <= 1


def test_a_few_files_are_read_alike_in_the_graph_and_by_convert():
    read = reader(3)
    clear = picture(9, 14)
    for data in (
        encoded(clear.convert("RGB"), "JPEG", **turned(6)),
        encoded(clear, "PNG"),
        encoded(clear.convert("RGB").quantize(9), "BMP"),
    ):
        np.testing.assert_array_equal(read(tf.constant(data)), read_image(data, 3))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (encoded(picture(8, 8).convert("RGB"), "TIFF"), "none of them, or damaged"),
        (encoded(picture(8, 8).quantize(8), "GIF", transparency=1), "GIF files with transparency"),
    ],
)
def test_other_files_are_refused_by_name(data, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        reader(3)(tf.constant(data))


def table(record):
    header = ("files", "number", "largest difference, of 255")
    return rows(header, [(row["kind"], row["files"], row["levels"]) for row in record["rows"]])


def test_the_table_is_what_was_measured():
    assert is_in_page("file_corpus", table)


if __name__ == "__main__":
    write_record("file_corpus", {"sizes": SIZES, "rows": measure()}, table)
