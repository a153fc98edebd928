"""How exported files are compared with Keras."""

import numpy as np
import pytest

from keras_dtl.export import ExportError
from keras_dtl.export.checks.parity import Probe, compare, make_probes
from keras_dtl.export.deployable import Deployable
from keras_dtl.manifest import Preprocessing, Tensor
from tests.export.conftest import make_generator

PROBABILITIES = Tensor("y", "float32", (None, 2), (0.0, 1.0))
FLOATS = Tensor("y", "float32", (None, 2))
IMAGES = Tensor("y", "uint8", (None, None, None, 3), (0.0, 255.0))
LABELS = Tensor("y", "uint8", (None, None, None), (0.0, 255.0))


def difference(output, expected, received):
    """Compare two arrays as the output `y` of some file."""
    probe = Probe({"x": np.zeros((1, 2))}, {"y": expected})
    [record] = compare("file", lambda inputs: {"y": received}, [probe], [output])
    return record["difference"]


def floats(*values):
    return np.array([values], np.float32)


def images(level):
    return np.full((1, 4, 4, 3), level, np.uint8)


def test_compare_allows_what_rounding_does():
    assert difference(PROBABILITIES, floats(0.5, 0.5), floats(0.500005, 0.5)) < 1e-5
    assert difference(FLOATS, floats(1000, 1), floats(1000.005, 1)) < 1e-2
    assert difference(IMAGES, images(254), images(255)) == 1
    labels = np.zeros((1, 100, 100), np.uint8)
    tied = labels.copy()
    tied[0, 0, :5] = 9
    assert difference(LABELS, labels, tied) == 5 / 10_000


@pytest.mark.parametrize(
    ("output", "expected", "received"),
    [
        (PROBABILITIES, floats(0.5, 0.5), floats(0.50002, 0.5)),
        (PROBABILITIES, floats(0.5, 0.5), floats(np.nan, 0.5)),
        (FLOATS, floats(0.001, 1), floats(0.0011, 1)),
        (IMAGES, images(253), images(255)),
        (IMAGES, images(0), images(255)),
        (LABELS, images(0)[..., 0], images(1)[..., 0]),
    ],
)
def test_compare_refuses_more(output, expected, received):
    with pytest.raises(ExportError, match=r"file: output 'y' differs from Keras by .* at most "):
        difference(output, expected, received)


def test_compare_refuses_other_shapes_dtypes_and_names():
    for received in (floats(0.5), floats(0.5, 0.5).astype(np.float64)):
        with pytest.raises(ExportError, match="Keras gives float32 of shape"):
            difference(PROBABILITIES, floats(0.5, 0.5), received)
    probe = Probe({}, {"y": floats(1)})
    with pytest.raises(ExportError, match="there is no output 'y'"):
        compare("file", lambda inputs: {"z": floats(1)}, [probe], [FLOATS])


def test_probes_try_two_batch_sizes_two_image_sizes_and_a_large_image():
    probes = make_probes(Deployable(make_generator()), Preprocessing(size_multiple=4))
    shapes = [probe.inputs["image"].shape for probe in probes]
    assert len({shape[0] for shape in shapes}) == 2
    assert len({shape[1:] for shape in shapes}) == 3
    assert max(height * width for _, height, width, _ in shapes) > 256 * 256
    for _, height, width, _ in shapes:
        assert height % 4 == width % 4 == 0
        assert height != width
    assert probes[0].outputs["image_out"].shape == shapes[0]


def test_sizes_of_probes_are_those_that_the_model_takes():
    sizes = Preprocessing(size_multiple=12, least_size=48)
    first, _, second = make_probes(Deployable(make_generator()), sizes)[:3]
    assert first.inputs["image"].shape[1:3] == (48, 60)
    assert second.inputs["image"].shape[1:3] == (60, 84)
