"""The memory that an artifact states is what a run takes, whatever the size of an image."""

import subprocess
import sys

import keras
import pytest

from keras_dtl.backbones import resnet_generator
from keras_dtl.convert import load_artifact
from keras_dtl.export import export_model
from keras_dtl.layers import ToPixels
from tests.export.conftest import without_saved_model

TAKEN = """
import sys
import numpy as np
from keras_dtl.convert import load_artifact
from keras_dtl.convert.footprint import most_taken
artifact, taken = load_artifact(sys.argv[1], device="cpu", threads=1), []
sides = [64, *map(int, sys.argv[2:])]
for side in sides:
    artifact(np.random.default_rng(0).integers(0, 256, (1, side, side, 3), np.uint8))
    taken.append(most_taken())
print((taken[-1] - taken[0]) / (sides[-1] ** 2 - sides[0] ** 2))
"""


def exported(folder, filters, blocks):
    """Export a generator, and open it."""
    network = resnet_generator((None, None, 3), filters=filters, blocks=blocks)
    image = keras.Input((None, None, 3), dtype="uint8", name="image")
    signed = keras.layers.Rescaling(1 / 127.5, -1.0)(image)
    model = keras.Model(image, ToPixels(name="translated")(network(signed)))
    with without_saved_model():
        export_model(model, folder, task="image_to_image", size_multiple=4)
    return load_artifact(folder, device="cpu")


def bytes_taken(artifact, *sides):
    """Return the bytes that a process took for each pixel of the last of some images."""
    words = [sys.executable, "-c", TAKEN, str(artifact.path), *map(str, sides)]
    return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return exported(tmp_path_factory.mktemp("exported") / "small", filters=4, blocks=2)


@pytest.mark.slow
@pytest.mark.parametrize("sides", [(900,), (1500,), (2200,), (300, 640, 900, 1500)])
def test_memory_of_a_run_is_as_stated(small, sides):
    """It was counted from the graph, and 4.3 GB where 9.7 were taken.

    The runtime took memory in powers of two: 113 to 202 bytes a pixel, as a size fitted.
    """
    stated = small.manifest.tiling["bytes_per_pixel"]
    assert stated == pytest.approx(bytes_taken(small, *sides), rel=0.1)


@pytest.mark.slow
def test_memory_of_a_generator_of_the_published_width(tmp_path):
    """It states an eighth more: the graph is measured before that for large images is chosen."""
    wide = exported(tmp_path / "wide", filters=64, blocks=9)
    stated = wide.manifest.tiling["bytes_per_pixel"]
    assert stated == pytest.approx(bytes_taken(wide, 640, 1000), rel=0.2)
