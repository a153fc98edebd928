"""Statistics over a whole image of which no graph can hold all."""

import logging
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from keras_dtl.convert.artifact import ArtifactError
from keras_dtl.convert.tiles.cuts import Cut, spread

# Parts of an image that stand for it. More and smaller ones stand better, but see less around
# them; what they do not see is corrected.
_PARTS = 24
# Tiles from which the sample is corrected first; then it is corrected from all, again and again.
_FIRST_TILES, _MOST_ROUNDS = 16, 4
# Difference of any mean, in deviations, or of any deviation, in itself, at which the next
# correction is the last: it leaves an eighth of it or less.
_ENOUGH = 0.02
_EPSILON = 1e-5  # below it a variance is nothing to a normalisation
_INPUTS = 4  # of a graph that can tell what a part of a tile has

logger = logging.getLogger("keras_dtl")

Tiles = Sequence[tuple[Cut, Cut]]


class NormalizedGraph:
    """A generator whose normalisations over the whole image can be given from outside.

    The statistics of an image that does not fit are found in rounds. Parts from all over it,
    normalised together, stand for the whole. Tiles are normalised by what the parts have, and what
    the tiles have differently, all of them together, is added to the parts' own, layer by layer,
    in the next round. Where both agree the statistics are those of the whole image. In the first
    round some of the tiles do.

    Chen et al., "Towards Ultra-Resolution Neural Style Transfer via Thumbnail Instance
    Normalization", AAAI 2022, take them of a small copy instead: it loses the fine structure that
    the first layers look at.

    Args:
        graph: An open session of the artifact's second graph.
        image: Name of its input for images.
        output: Name of its output.
    """

    def __init__(self, graph: Any, image: str, output: str):
        self.graph, self.image, self.output = graph, image, output
        self.inputs = {item.name: item for item in graph.get_inputs()}

    def convert(self, tile: np.ndarray, statistics: np.ndarray) -> np.ndarray:
        """Return what becomes of one tile.

        Args:
            tile: uint8 `(height, width, channels)`.
            statistics: Of the whole image, from `measure` or `measure_in_tiles`.
        """
        return self._run([self.output], tile[None], statistics, given=True)[0][0]

    def measure(self, images: np.ndarray) -> np.ndarray:
        """Return the statistics that images have together.

        Args:
            images: uint8 `(batch, height, width, channels)`.

        Returns:
            float32 vector: means of all layers and channels, then as many variances.
        """
        return self._measure(images, 0.0)[0]

    def measure_in_tiles(self, image: np.ndarray, tiles: Tiles, parts: np.ndarray) -> np.ndarray:
        """Return the statistics of an image, as `measure` would if the image fitted.

        Args:
            image: uint8 `(height, width, channels)`.
            tiles: Rows and columns of each tile, which cover the image.
            parts: What `sample` returns.
        """
        measured, used = self._measure(parts, 0.0)
        if len(self.inputs) < _INPUTS:
            logger.warning(
                "This image does not fit in memory, and the model was exported before tiles could "
                "be measured: parts of the image stand for all of it. Export the model again for "
                "what the whole image gives."
            )
            return used
        some = tiles[:: math.ceil(len(tiles) / _FIRST_TILES)]
        for chosen in [some] + [tiles] * _MOST_ROUNDS:
            found = self._measure_tiles(image, chosen, used)
            difference = _difference(found, used)
            measured, used = self._measure(parts, found - measured)
            if chosen is tiles and difference <= _ENOUGH:
                return used
        logger.warning(
            "The statistics of an image of %d x %d pixels are still %.0f %% of a deviation off "
            "after %d rounds: its output may differ from that of the whole image.",
            *(image.shape[1], image.shape[0], 100 * difference, _MOST_ROUNDS),
        )
        return used

    def _measure(self, images, added):
        """Return what images have together, and that with `added`, which then normalises them."""
        length = self.inputs["statistics"].shape[0]
        added = np.broadcast_to(np.float32(added), length)
        if len(self.inputs) < _INPUTS:
            return self._run(["measured"], images, added, given=False) * 2
        return self._run(["measured", "used"], images, added, given=False)

    def _measure_tiles(self, image: np.ndarray, tiles: Iterable, used: np.ndarray) -> np.ndarray:
        """Return what the tiles have together, each without its margin, normalised by `used`."""
        total, pixels = 0.0, 0
        for row, column in tiles:
            tile = np.ascontiguousarray(image[row.taken, column.taken])
            inner = (row.inner.start, column.inner.start, row.inner.stop, column.inner.stop)
            [found] = self._run(["measured"], tile[None], used, given=True, inner=inner)
            area = (inner[2] - inner[0]) * (inner[3] - inner[1])
            total, pixels = total + area * found.astype("float64"), pixels + area
        return np.float32(total / pixels)

    def _run(self, outputs, images, statistics, given, inner=None):
        inputs = {
            self.image: images,
            "statistics": statistics,
            "given": np.array(given),
            "inner": np.array(inner or (0, 0, *images.shape[1:3]), np.int64),
        }
        try:
            return self.graph.run(outputs, {name: inputs[name] for name in self.inputs})
        # The errors of onnxruntime have no base class but Exception.
        except Exception as error:
            raise ArtifactError(f"The model could not be run in tiles: {error}") from error


def _difference(found: np.ndarray, used: np.ndarray) -> float:
    """Return the largest difference of two vectors of statistics, in deviations."""
    means, variances = np.split(np.stack([found, used]).astype("float64"), 2, axis=1)
    deviations = np.sqrt(variances + _EPSILON)
    moved = np.abs(means[0] - means[1]) / deviations[1]
    return float(max(moved.max(), np.abs(deviations[0] / deviations[1] - 1).max()))


def sample(image: np.ndarray, pixels: float, multiple: int) -> np.ndarray:
    """Return parts of one size from all over an image.

    Args:
        image: uint8 `(height, width, channels)`.
        pixels: How many the parts have together, at most (but for images of a few pixels).
        multiple: Of the sides of the parts.

    Returns:
        uint8 `(parts, height, width, channels)`.
    """
    side = max(8, round((pixels / _PARTS) ** 0.5 / multiple)) * multiple
    height, width = (min(side, size // multiple * multiple) for size in image.shape[:2])
    many = max(1, int(pixels / (height * width)))
    rows = max(1, round((many * image.shape[0] / image.shape[1]) ** 0.5))
    tops = spread(image.shape[0], height, rows)
    lefts = spread(image.shape[1], width, max(1, many // rows))
    return np.stack([image[y : y + height, x : x + width] for y in tops for x in lefts])
