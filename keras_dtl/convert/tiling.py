"""Images beyond memory, in tiles that overlap by as much as the model looks around."""

import contextlib
import functools
import itertools
import logging
import math
import os
from pathlib import Path

import numpy as np
from PIL import Image

from keras_dtl.convert.artifact import Artifact, ArtifactError
from keras_dtl.convert.cuts import cuts, spread
from keras_dtl.convert.options import ConversionError, Options

# What runtimes say when memory is exhausted; they have no error of their own for it.
_EXHAUSTED = ("allocate", "bad_alloc", "out of memory", "memory limit")
# Bytes that a run may take, whatever is free at the moment: the same images are cut in every run.
_WHOLE = 2**32
_SHARE = 0.25  # of all the memory that there is, where that is less
_LARGEST_TILE = 2048
# Bytes of one tile, or of what statistics are taken of, at most. With the image itself and its
# output, 100 megapixels stay under 4 GB.
_MOST_MEMORY = 5 * 2**28
# Groups of parts of an image from which its statistics are corrected: fewer and larger parts stand
# less well for the image, smaller ones are mostly border.
_GROUPS, _PARTS = 16, 6
_FEWEST_TILES = 4  # on a side, of what fits at once
_MUCH_WORK = 4.0  # pixels computed for each that is kept, from which on larger tiles are advised

logger = logging.getLogger("keras_dtl")


class Tiler:
    """Runs a model over a batch of images, in tiles where they are too large.

    A generator that normalises over the whole image gets these statistics from outside, the same
    for every tile: they are taken once of the image or, where it does not fit, of a small copy.
    What making an image smaller does to its statistics is then measured on parts of it, in both
    sizes, and undone.

    Reference: Chen et al., "Towards Ultra-Resolution Neural Style Transfer via Thumbnail Instance
    Normalization", AAAI 2022, for the small copy; the correction is ours.

    Args:
        artifact: An `Artifact`.
        options: The `Options`. Its `tile` is the side of a tile in pixels, 0 for never, or `None`
            for where the image does not fit in memory.
    """

    def __init__(self, artifact: Artifact, options: Options):
        self.artifact = artifact
        self.tiling = artifact.manifest.tiling
        self.side = options.tile and _whole_multiple(options.tile, self.tiling)
        self.graph = None
        if self.side and self.tiling is None:
            raise ConversionError(
                "This model looks at the whole image, or was exported before tiles were known: "
                "it cannot run in tiles. Leave the option tile out, or export the model again."
            )
        if self.side and self.side <= 2 * self.tiling["overlap"]:
            raise ConversionError(
                f"Tiles overlap by {self.tiling['overlap']} pixels on each side; tile must be "
                f"{_least_side(self.tiling)} or more, better twice as much. Received "
                f"{options.tile}."
            )

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Return the outputs by name, as `Artifact.run` does.

        Args:
            images: uint8 `(batch, height, width, channels)`.

        Raises:
            ArtifactError: The runtime failed, also in tiles.
        """
        if self.side == 0 or self.tiling is None:
            return self.artifact.run(images)
        if self.side or not self._fits(images[:1]):
            return self._each(images, self.side or self._largest())
        if not self._fits(images):  # what is beside an image changes nothing about it
            parts = [self(images[index : index + 1]) for index in range(len(images))]
            return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        try:
            return self.artifact.run(images)
        except (ArtifactError, MemoryError) as error:
            if len(images) > 1 or not _is_exhausted(error):
                raise
        return self._each(images, self._least())

    def _fits(self, images):
        pixels = images.shape[0] * images.shape[1] * images.shape[2]
        return pixels * self.tiling["bytes_per_pixel"] <= self._budget()

    def _budget(self):
        limit = self.artifact.settings and self.artifact.settings.gpu_memory
        return limit or min(_WHOLE, _SHARE * total_memory())

    def _largest(self):
        """Return the side of a tile of which one fits easily."""
        most = min(self._budget() / _FEWEST_TILES, _MOST_MEMORY)
        pixels = most / self.tiling["bytes_per_pixel"]
        return max(self._least(), min(_LARGEST_TILE, int(pixels**0.5)))

    def _least(self):
        return max(256, 4 * self.tiling["overlap"])

    def _each(self, images, side):
        name = self.artifact.manifest.outputs[0].name
        return {name: np.stack([self._in_tiles(image, side) for image in images])}

    def _in_tiles(self, image, side):
        overlap, multiple = self.tiling["overlap"], self.tiling["multiple"]
        side = max(1, side // multiple) * multiple
        if max(image.shape[:2]) <= side:
            side = max(image.shape[:2])
        run = self._runner(image, side)
        whole = None
        rows, columns = (list(cuts(size, side, overlap, multiple)) for size in image.shape[:2])
        for row, column in itertools.product(rows, columns):
            tile = np.ascontiguousarray(image[row.taken, column.taken])
            output = run(tile[None])[0]
            if output.shape[:2] != tile.shape[:2]:
                raise ArtifactError("The model must keep the size of its images to run in tiles.")
            if whole is None:
                whole = np.empty((*image.shape[:2], output.shape[2]), output.dtype)
            whole[row.kept, column.kept] = output[row.inner, column.inner]
        return whole

    def _runner(self, image, side):
        """Return a function from one tile to its output."""
        name = self.artifact.manifest.outputs[0].name
        if self.tiling["file"] is None:
            return lambda tile: self.artifact.run(tile)[name]
        if self.graph is None:
            self.graph = self.artifact.open_graph(self.tiling["file"])
        statistics = self._statistics(image)
        return lambda tile: self._run(name, tile, statistics, True)

    def _statistics(self, image):
        """Return the vector of statistics of the image, exact where it fits at once."""
        height, width = image.shape[:2]
        pixels = min(self._budget(), _MOST_MEMORY) / self.tiling["bytes_per_pixel"]
        shrunk = min(1.0, (pixels / (height * width)) ** 0.5)
        if shrunk == 1:
            return self._measured([image])
        found = self._measured([self._smaller(image, shrunk)])
        groups = list(self._groups(image, pixels))
        true = np.mean([self._measured(group) for group in groups], axis=0)
        small = np.mean(
            [self._measured([self._smaller(part, shrunk) for part in group]) for group in groups],
            axis=0,
        )
        half = len(found) // 2  # of means, then as many variances
        means = found[:half] + true[:half] - small[:half]
        variances = found[half:] * true[half:] / np.maximum(small[half:], 1e-12)
        return np.concatenate([means, variances]).astype(np.float32)

    def _groups(self, image, pixels):
        """Yield groups of parts from all over the image, each as large as what fits at once."""
        multiple = self.tiling["multiple"]
        side = max(8, round((pixels / _PARTS) ** 0.5 / multiple)) * multiple
        side = min(side, *(size // multiple * multiple for size in image.shape[:2]))
        each = max(1, int(pixels / side**2))
        height, width = image.shape[:2]
        rows = max(1, round((_GROUPS * each * height / width) ** 0.5))
        columns = math.ceil(_GROUPS * each / rows)
        parts = [
            image[top : top + side, left : left + side]
            for top in spread(height, side, rows)
            for left in spread(width, side, columns)
        ]
        for first in range(_GROUPS):
            yield parts[first::_GROUPS]

    def _smaller(self, image, shrunk):
        multiple = self.tiling["multiple"]
        sizes = [max(8, round(size * shrunk / multiple)) * multiple for size in image.shape[:2]]
        return _thumbnail(image, [min(pair) for pair in zip(image.shape[:2], sizes, strict=True)])

    def _measured(self, images):
        """Return the vector of statistics that images of one size have together."""
        nothing = np.zeros(self.graph.get_inputs()[1].shape[0], np.float32)
        return self._run("measured", np.stack(images), nothing, False)

    def _run(self, output, images, statistics, given):
        name = self.artifact.manifest.inputs[0].name
        inputs = {name: images, "statistics": statistics, "given": np.array(given)}
        try:
            return self.graph.run([output], inputs)[0]
        # The errors of onnxruntime have no base class but Exception.
        except Exception as error:
            raise ArtifactError(f"The model could not be run in tiles: {error}") from error


def _whole_multiple(side: int, tiling: dict | None) -> int:
    """Return the side that tiles of a wanted side have."""
    multiple = tiling["multiple"] if tiling else 1
    return max(1, side // multiple) * multiple


def _least_side(tiling: dict) -> int:
    """Return the smallest side of a tile of which anything is kept."""
    return (2 * tiling["overlap"] // tiling["multiple"] + 1) * tiling["multiple"]


def warn_of_small_tiles(artifact: Artifact, options: Options) -> None:
    """Say how much longer tiles take of which little is kept.

    Args:
        artifact: An `Artifact`.
        options: The `Options`, with the side that was asked for.
    """
    tiling = artifact.manifest.tiling
    if not options.tile or tiling is None:
        return
    side = _whole_multiple(options.tile, tiling)
    kept = side - 2 * tiling["overlap"]
    if kept > 0 and (work := (side / kept) ** 2) > _MUCH_WORK:
        logger.warning(
            "Of tiles of %d x %d pixels only %d x %d are kept: large images take about %.0f times "
            "as long as at once. From --tile %d on it is %.0f times at most.",
            *(side, side, kept, kept, work, 4 * tiling["overlap"], _MUCH_WORK),
        )


def _thumbnail(image, size):
    """Return a smaller image whose fine structures keep their strength, unlike by bilinear."""
    height, width = size
    if image.shape[:2] == (height, width):
        return image
    picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    small = np.array(picture.resize((width, height), Image.Resampling.LANCZOS))
    return small.reshape(height, width, image.shape[2])


@functools.cache
def total_memory() -> int:
    """Return the bytes of memory that this machine, or this container, has, as far as known."""
    found = []
    if hasattr(os, "sysconf"):
        with contextlib.suppress(OSError, ValueError):
            found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with contextlib.suppress(OSError, ValueError):  # "max" where a container has no limit
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(found, default=2**33)


def _is_exhausted(error):
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in _EXHAUSTED)
