"""The memory that an artifact states is what a run takes, whatever the size of an image."""

import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_dtl.backbones import resnet_generator
from keras_dtl.convert import load_artifact
from keras_dtl.convert.options import Options
from keras_dtl.convert.runtimes.arena import REGION
from keras_dtl.convert.tiles import tiling
from keras_dtl.export import export_model
from keras_dtl.layers import ToPixels
from tests.export.conftest import without_saved_model

TAKEN = """
import sys
import numpy as np
from keras_dtl.convert import load_artifact
from keras_dtl.convert.runtimes.footprint import most_taken
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


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A generator of the published width."""
    return exported(tmp_path_factory.mktemp("exported") / "wide", filters=64, blocks=9)


def largest_whole(artifact):
    """Return the side of the largest square image that is not cut, a multiple of 4."""
    pixels = tiling._WHOLE / artifact.manifest.tiling["bytes_per_pixel"]
    return int(pixels**0.5) // 4 * 4


@pytest.mark.slow
def test_memory_of_a_generator_of_the_published_width(wide):
    """It states an eighth more: the graph is measured before that for large images is chosen."""
    stated = wide.manifest.tiling["bytes_per_pixel"]
    assert stated == pytest.approx(bytes_taken(wide, 640, 1000), rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small", "wide"])
def test_the_largest_image_that_runs_whole_takes_what_is_stated(name, request):
    """Images of twice as much ran whole, and took up to half more: 202 bytes where 136 stood."""
    artifact = request.getfixturevalue(name)
    taken = bytes_taken(artifact, largest_whole(artifact))
    assert artifact.manifest.tiling["bytes_per_pixel"] == pytest.approx(taken, rel=0.2)


@pytest.mark.parametrize("memory", [2**30, 2**33, 2**40])
def test_nothing_runs_whole_that_one_region_does_not_hold(memory, monkeypatch):
    """Beyond it the runtime takes more than is stated."""
    monkeypatch.setattr(tiling, "total_memory", lambda: memory)
    manifest = SimpleNamespace(tiling={"overlap": 4, "multiple": 4, "bytes_per_pixel": 100})
    artifact = SimpleNamespace(manifest=manifest, settings=None)
    budget = min(REGION, memory / 4)
    tiler, row = tiling.Tiler(artifact, Options()), np.zeros((1, 1, 1, 3), np.uint8)
    assert tiler._fits(np.broadcast_to(row, (1, 1, int(0.9 * budget / 100), 3)))
    assert not tiler._fits(np.broadcast_to(row, (1, 1, int(budget / 100) + 1, 3)))
