"""What a graph of lower precision loses, in the measure of its task."""

import logging
import math
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from keras_dtl.confusion import confusion_counts, mean_iou
from keras_dtl.export.errors import ExportError
from keras_dtl.files import FilePath, readable_name
from keras_dtl.images import (
    ImageError,
    find_images,
    find_unread_files,
    read_image,
    resize_image,
)
from keras_dtl.manifest import Manifest, Preprocessing

_MOST = 64  # images
_LARGEST = 512  # pixels a side; larger ones are cut

logger = logging.getLogger("keras_dtl")


class Sample(typing.NamedTuple):
    """An image to calibrate or to measure on.

    Args:
        image: A uint8 array of shape `(height, width, channels)`, as the model takes it.
        label: Index of its class, or `None` where that is not known.
    """

    image: np.ndarray
    label: int | None = None


class Quality(typing.NamedTuple):
    """How a task measures quality: by the figure `name`, which is at least `least`."""

    name: str
    least: float


QUALITIES = {
    "classification": Quality("agreement", 0.99),
    "image_to_image": Quality("psnr", 32.0),
    "segmentation": Quality("mean_iou", 0.95),
}


def read_samples(folder: FilePath, manifest: Manifest) -> list[Sample]:
    """Read images to calibrate on, evenly chosen from a folder.

    Images in a sub-folder that is named after a class are of that class. Damaged ones are left
    out and logged, as are files that are no images.

    Args:
        folder: The folder, whose sub-folders are read, too.
        manifest: The `Manifest` that says how large images go into the model.

    Returns:
        Two samples or more, at most 64.

    Raises:
        ExportError: The model takes something else than images.
        ValueError: There are fewer than two.
    """
    if manifest.preprocessing.channels is None:
        raise ExportError(
            "Lower precision is for models whose one input is images in uint8, on which its loss "
            "is measured. Export the model in float32, or with such `examples`."
        )
    paths = find_images(folder)
    if len(paths) > _MOST:
        paths = [paths[index * len(paths) // _MOST] for index in range(_MOST)]
    samples, left_out = [], list(find_unread_files(folder))
    for path in paths:
        try:
            image = read_image(path, manifest.preprocessing.channels)
        except ImageError as error:
            left_out.append((readable_name(path), str(error)))
            continue
        samples.append(Sample(_fit(image, manifest.preprocessing), _label(path, manifest)))
    if left_out:
        logger.warning(
            "Calibration leaves out %d file(s), such as %s: %s", len(left_out), *left_out[-1]
        )
    if len(samples) < 2:
        raise ValueError(
            f"{folder} holds {len(samples)} readable images; calibration takes two or more, better "
            f"{_MOST}, like those that the model will meet."
        )
    return samples


def _fit(image: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    if preprocessing.resize is not None:
        return resize_image(image, preprocessing.resize)
    multiple, least = preprocessing.size_multiple, preprocessing.least_size
    least = max(multiple, least)
    if min(image.shape[:2]) < least:
        return resize_image(image, (least, least))
    height, width = (
        max(least, min(size, _LARGEST) // multiple * multiple) for size in image.shape[:2]
    )
    return np.ascontiguousarray(image[:height, :width])


def _label(path: Path, manifest: Manifest) -> int | None:
    name = Path(path).parent.name
    return manifest.classes.index(name) if name in (manifest.classes or ()) else None


def measure_quality(
    manifest: Manifest,
    samples: Sequence[Sample],
    expected: Sequence[np.ndarray],
    received: Sequence[np.ndarray],
) -> dict[str, float]:
    """Measure what a graph loses beside the float32 one.

    Args:
        manifest: The `Manifest`.
        samples: The `Sample`s that were run.
        expected: What the float32 graph made of each.
        received: What the other one made: uint8 images `(height, width, channels)`, maps of class
            numbers `(height, width)`, or probabilities `(classes,)`.

    Returns:
        The figures of the task by name: `psnr` and `psnr_least` in decibels, up to 88, and `ssim`
        for images; `mean_iou` and `agreement`, in 0..1, for maps; for classes `agreement` and
        `largest_difference`, and where labels are known `accuracy` and `accuracy_float32`.
    """
    if manifest.task == "image_to_image":
        return _image_quality(expected, received)
    if manifest.task == "segmentation":
        return _map_quality(expected, received)
    return _class_quality(samples, np.stack(expected), np.stack(received))


def _image_quality(
    expected: Sequence[np.ndarray], received: Sequence[np.ndarray]
) -> dict[str, float]:
    from skimage.metrics import structural_similarity

    errors = [np.mean((a.astype(float) - b) ** 2) for a, b in zip(expected, received, strict=True)]
    similar = [
        structural_similarity(a, b, channel_axis=-1, win_size=min(7, *_odd_sizes(a.shape[:2])))
        for a, b in zip(expected, received, strict=True)
    ]
    # Images without any error would be infinitely good, which JSON cannot say.
    psnr = [10 * math.log10(255**2 / max(error, 1e-4)) for error in errors]
    return {
        "psnr": float(np.mean(psnr)),
        "psnr_least": float(min(psnr)),
        "ssim": float(np.mean(similar)),
    }


def _odd_sizes(sizes: Iterable[int]) -> list[int]:
    return [size - 1 + size % 2 for size in sizes]


def _map_quality(
    expected: Sequence[np.ndarray], received: Sequence[np.ndarray]
) -> dict[str, float]:
    """Compare maps of class numbers: intersection over union, and the share of equal pixels."""
    ours, theirs = (
        np.concatenate([item.ravel() for item in found]) for found in (expected, received)
    )
    count = int(max(ours.max(), theirs.max())) + 1
    return {
        "mean_iou": mean_iou(confusion_counts(ours, theirs, count)),
        "agreement": float(np.mean(ours == theirs)),
    }


def _class_quality(
    samples: Sequence[Sample], expected: np.ndarray, received: np.ndarray
) -> dict[str, float]:
    quality = {
        "agreement": float(np.mean(expected.argmax(-1) == received.argmax(-1))),
        "largest_difference": float(np.abs(expected - received).max()),
    }
    known = [index for index, sample in enumerate(samples) if sample.label is not None]
    if known:
        labels = np.array([samples[index].label for index in known])
        quality["accuracy_float32"] = float(np.mean(expected[known].argmax(-1) == labels))
        quality["accuracy"] = float(np.mean(received[known].argmax(-1) == labels))
    return quality
