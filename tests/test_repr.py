"""What stands in a notebook for a data set, an artifact and a manifest: one line, no arrays."""

import numpy as np

from keras_dtl.data import LabelledImages, load, load_motion
from keras_dtl.data.pairs import ImagePairs
from keras_dtl.data.segmentation import SegmentedImages
from keras_dtl.manifest import Manifest, Preprocessing, Tensor

IMAGES = np.zeros((2, 4, 6, 3), "uint8")


def test_images():
    digits = load("digits", "test")
    assert repr(digits) == f"<LabelledImages: {len(digits)} of 28x28x3, 10 classes>"
    assert repr(LabelledImages(IMAGES)) == "<LabelledImages: 2 of 4x6x3, unlabelled>"
    assert repr(ImagePairs(IMAGES, IMAGES[..., :1])) == "<ImagePairs: 2 of a 4x6x3, b 4x6x1>"
    maps = np.zeros((2, 4, 6), "uint8")
    assert repr(SegmentedImages(IMAGES, maps, ("a",))) == "<SegmentedImages: 2 of 4x6x3, 1 classes>"


def test_clips():
    clips = load_motion("walker", clips_per_cell=1)
    assert repr(clips).startswith(f"<Clips: {len(clips)} of ")
    assert repr(clips).endswith(" 30 frames a second>")


def test_manifest():
    tensors = (Tensor("image", "uint8", (None, 4, 6, 3)),), (Tensor("p", "float32", (None, 2)),)
    manifest = Manifest(
        *("two", "classification", 3, *tensors, ("no", "yes"), Preprocessing()),
        files={"a" * 99: "b" * 64},
        versions={},
        settings={"long": list(range(999))},
        parity=(),
        metrics={},
        created="now",
    )
    expected = "uint8 (None, 4, 6, 3) to float32 (None, 2)"
    assert repr(manifest) == f"<Manifest of two, version 3: classification, {expected}>"
