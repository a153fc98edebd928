"""Images beyond memory, in tiles that overlap by as much as the model looks around."""

import contextlib
import functools
import itertools
import logging
import os
from pathlib import Path

import numpy as np

from keras_dtl.convert.artifact import Artifact, ArtifactError
from keras_dtl.convert.options import ConversionError, Options
from keras_dtl.convert.runtimes.arena import REGION
from keras_dtl.convert.tiles.cuts import cuts
from keras_dtl.convert.tiles.global_statistics import NormalizedGraph, sample

# What runtimes say when memory is exhausted; they have no error of their own for it.
_EXHAUSTED = ("allocate", "bad_alloc", "out of memory", "memory limit")
# Bytes that a run may take, whatever is free at the moment: the same images are cut in every run.
# Up to the one region of `runtimes.arena` what is stated is what a run takes; beyond it is too
# little. Weights, and what else is in it, need the rest.
_WHOLE = REGION - 2**27
_SHARE = 0.25  # of all the memory that there is, where that is less
_LARGEST_TILE = 2048
# Bytes of one tile, or of what statistics are taken of, at most. With the image itself and its
# output, 100 megapixels stay under 4 GB.
_MOST_MEMORY = 5 * 2**28
_FEWEST_TILES = 4  # on a side, of what fits at once
_MUCH_WORK = 4.0  # pixels computed for each that is kept, from which on larger tiles are advised

logger = logging.getLogger("keras_dtl")


class Tiler:
    """Runs a model over a batch of images, in tiles where they are too large.

    A generator that normalises over the whole image gets these statistics from outside, the same
    for every tile: they are taken of the image at once or, where it does not fit, of its tiles,
    which takes two or three times as long as the conversion itself (see `NormalizedGraph`).

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
        rows, columns = (list(cuts(size, side, overlap, multiple)) for size in image.shape[:2])
        tiles = list(itertools.product(rows, columns))
        run, whole = self._runner(image, tiles), None
        for row, column in tiles:
            tile = np.ascontiguousarray(image[row.taken, column.taken])
            output = run(tile)
            if output.shape[:2] != tile.shape[:2]:
                raise ArtifactError("The model must keep the size of its images to run in tiles.")
            if whole is None:
                whole = np.empty((*image.shape[:2], output.shape[2]), output.dtype)
            whole[row.kept, column.kept] = output[row.inner, column.inner]
        return whole

    def _runner(self, image, tiles):
        """Return a function from one tile to its output."""
        name = self.artifact.manifest.outputs[0].name
        if self.tiling["file"] is None:
            return lambda tile: self.artifact.run(tile[None])[name][0]
        if self.graph is None:
            session = self.artifact.open_graph(self.tiling["file"])
            self.graph = NormalizedGraph(session, self.artifact.manifest.inputs[0].name, name)
        statistics = self._statistics(image, tiles)
        return lambda tile: self.graph.convert(tile, statistics)

    def _statistics(self, image, tiles):
        """Return the vector of statistics of the image."""
        if self._fits(image[None]):
            return self.graph.measure(image[None])
        pixels = min(self._budget(), _MOST_MEMORY) / self.tiling["bytes_per_pixel"]
        parts = sample(image, pixels, self.tiling["multiple"])
        return self.graph.measure_in_tiles(image, tiles, parts)


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
