"""How much memory a graph takes for each pixel of an image, measured in a process of its own.

No count of a graph's values tells: a runtime keeps what it has freed, in pieces whose sizes fit
some of what comes next. In one region, see `arena`, the answer is the same for every size.
Beyond that region it is too small by half at worst: what is free in two regions never serves
together.
"""

import contextlib
import json
import sys
from pathlib import Path

import numpy as np

from keras_dtl.convert.runtimes.providers import Session, open_session

SMALL, LARGE = 64, 448
"""Sides of the two images, in pixels; multiples of what generators need."""


def bytes_per_pixel(file: str, channels: int, multiple: int = 1) -> int:
    """Return how many bytes more this process took for each pixel of a larger image.

    Only the first call in a process tells: the most memory that was taken never falls.

    Args:
        file: An ONNX graph from a batch of uint8 images.
        channels: Of the images.
        multiple: Sides must be multiples of it.
    """
    session = open_session(file, Session("cpu"), any_size=True)
    name, taken, pixels = session.get_inputs()[0].name, [], []
    for side in (SMALL, LARGE):
        side = max(1, side // multiple) * multiple
        image = np.random.default_rng(0).integers(0, 256, (1, side, side, channels), np.uint8)
        session.run(None, {name: image})
        taken.append(most_taken())
        pixels.append(side**2)
    return round((taken[1] - taken[0]) / (pixels[1] - pixels[0]))


def most_taken() -> int:
    """Return the most bytes that this process has had so far."""
    # Not ru_maxrss, which begins with what the process had that began this one. Linux alone tells.
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    """Read the arguments of `bytes_per_pixel` as JSON and write its answer."""
    with contextlib.suppress(OSError, StopIteration, MemoryError):
        print(bytes_per_pixel(**json.load(sys.stdin)))
