"""Motion as a small picture: a few frames beside each other, as stick figures."""

import dataclasses

import numpy as np
from PIL import Image, ImageDraw

from keras_dtl.motion import Bvh, forward_kinematics

_SIZE = (320, 180)  # width and height
_FRAMES = 5
_MARGIN = 8  # pixels
_SLANT = 0.5**0.5  # cosine and sine of 45 degrees
_INK, _PAPER = (40, 40, 40), (255, 255, 255)


def stick_figures(bvh: Bvh, turn: np.ndarray | None = None) -> Image.Image:
    """Draw frames of a motion from its begin to its end, seen from between the x and z axes.

    Args:
        bvh: The motion. All frames have one scale and one ground.
        turn: What turns places in the file into places with y up, `(3, 3)`; None where they are.

    Returns:
        A Pillow image in RGB.
    """
    chosen = np.linspace(0, len(bvh.values) - 1, _FRAMES).round().astype(int)
    places = forward_kinematics(dataclasses.replace(bvh, values=bvh.values[chosen]))[0]
    x, y, z = np.moveaxis(places if turn is None else places @ turn.T, -1, 0)
    flat = np.stack([(x - z) * _SLANT, y], -1)  # (frames, joints, 2)
    # Each figure about its own middle.
    flat[..., 0] -= (flat[..., 0].min(1) + flat[..., 0].max(1))[:, None] / 2
    width, height = _SIZE[0] / _FRAMES, _SIZE[1]
    lowest, tallest = flat[..., 1].min(), np.ptp(flat[..., 1])
    widest = 2 * np.abs(flat[..., 0]).max()
    scale = min((width - _MARGIN) / max(widest, 1e-9), (height - _MARGIN) / max(tallest, 1e-9))
    picture = Image.new("RGB", _SIZE, _PAPER)
    draw = ImageDraw.Draw(picture)
    for place, figure in enumerate(flat):
        x = width * (place + 0.5) + figure[:, 0] * scale
        y = height - _MARGIN / 2 - (figure[:, 1] - lowest) * scale
        for index, parent in enumerate(bvh.parents):
            if parent >= 0:
                draw.line([x[parent], y[parent], x[index], y[index]], fill=_INK, width=2)
    return picture
