"""The card of an artifact."""

import dataclasses

from keras_dtl.card import card_of
from keras_dtl.manifest import read_manifest
from tests.convert.conftest import write_negative


def test_card_says_what_the_manifest_does(tmp_path):
    folder = write_negative(tmp_path / "negative")
    manifest = dataclasses.replace(
        read_manifest(folder),
        parity=({"file": "1/model.onnx", "output": "negative", "difference": 0.25},),
        metrics={"target": {"accuracy": 0.9375, "classes": [1, 2]}},
        settings={"source": "a|b<script>\n# c", "long": "x" * 999},
        versions={"keras_dtl": "9.8"},
    )
    card = card_of(manifest, folder, "hf://a/b", about="Of photos.", licence="mit")
    head, _, body = card.removeprefix("---\n").partition("\n---\n")
    assert head.splitlines() == [
        *("library_name: keras_dtl", "tags: [keras_dtl, onnx]", "license: mit"),
        "pipeline_tag: image-to-image",
    ]
    assert "# negative\n\nImage to image, exported by keras_dtl 9.8 on 2030-01-01.\n" in body
    assert "keras-dtl convert hf://a/b INPUT out/\n```\n\nOf photos.\n" in body
    assert "| in | image | uint8 | any x any x any x 3 |" in body
    assert "| 1/model.onnx | negative | 0.25 | null |" in body
    assert "| target.accuracy | 0.938 |" in body
    assert "| source | a&#124;b&#60;script&#62;\\n# c |" in body
    assert max(map(len, body.splitlines())) < 200
    size, checksum = (folder / "1/model.onnx").stat().st_size, manifest.files["1/model.onnx"]
    assert f"| 1/model.onnx | {size} | `{checksum}` |" in body


def test_card_leaves_out_what_is_not_there(tmp_path):
    folder = write_negative(tmp_path / "negative")
    manifest = dataclasses.replace(read_manifest(folder), task="something_new")
    card = card_of(manifest, folder, "negative")
    assert "license" not in card and "pipeline_tag" not in card
    assert "## Measured" not in card and "## Beside Keras" not in card
