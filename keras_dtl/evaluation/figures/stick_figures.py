"""Motion as stick figures: moments in a row, and a picture that moves."""

import io
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from keras_dtl.evaluation.figures.appearance import FONT_SIZE, PAGE_WIDTH, new_figure, text_style
from keras_dtl.motion import Skeleton
from keras_dtl.page import SERIES, printable

_ANGLE = 0.6  # radians about the vertical: from ahead and a little from the side
_LEFT, _MIDDLE, _RIGHT = SERIES[0], "#717581", SERIES[1]
_SCALE = 2  # of what is drawn before it is made smaller, for smooth lines


def stick_figures(motions: Mapping, skeleton: Skeleton, moments: int = 8) -> Figure:
    """Draw moments of motions, one row a motion, left limbs blue and right ones orange.

    Args:
        motions: Name to positions `(frames, joints, 3)`.
        skeleton: The `Skeleton`.
        moments: How many of each, evenly spread over it.
    """
    figure = new_figure(PAGE_WIDTH, 1.35 * len(motions))
    size = _size(motions)
    axes = figure.subplots(len(motions), 1, squeeze=False)[:, 0]
    for ax, (name, positions) in zip(axes, motions.items(), strict=True):
        chosen = np.linspace(0, len(positions) - 1, moments).round().astype(int)
        flat = project(center_root(positions))
        for place, frame in enumerate(chosen):
            for joint, parent in _bones(skeleton):
                ends = flat[frame, [parent, joint]] + np.array([0.75 * size * place, 0])
                ax.plot(*ends.T, color=_color(skeleton, joint), linewidth=1.6)
        ax.set_aspect("equal")
        ax.set_axis_off()
        ax.set_title(printable(name), loc="left", pad=2, **text_style(fontsize=FONT_SIZE))
    return figure


def stick_figure_gif(motions: Mapping, skeleton: Skeleton, rate: float, height: int = 220) -> bytes:
    """Draw motions side by side as an animated GIF.

    Args:
        motions: Name to positions `(frames, joints, 3)`; the shortest decides the length.
        skeleton: The `Skeleton`.
        rate: Frames a second.
        height: Of the picture, in pixels.

    Returns:
        The bytes of the file.
    """
    # Browsers play at most 50 frames a second, in hundredths of one.
    step = max(1, round(rate / 25))
    length = min(len(positions) for positions in motions.values())
    flats = [project(center_root(positions))[:length:step] for positions in motions.values()]
    lowest = min(flat[..., 1].min() for flat in flats)
    scale = 0.82 * height / max(flat[..., 1].max() - lowest for flat in flats)
    pictures = []
    for frame in range(len(flats[0])):
        picture = Image.new("RGB", (_SCALE * height * len(flats), _SCALE * height), "white")
        draw = ImageDraw.Draw(picture)
        for place, (name, flat) in enumerate(zip(motions, flats, strict=True)):
            center = np.array([(place + 0.5) * height, 0.94 * height])
            spots = _SCALE * (center + scale * (flat[frame] - [0, lowest]) * [1, -1])
            for joint, parent in _bones(skeleton):
                ends = [tuple(spots[parent]), tuple(spots[joint])]
                draw.line(ends, fill=_color(skeleton, joint), width=3 * _SCALE)
            name = printable(name).encode("latin-1", "replace").decode("latin-1")
            draw.text((_SCALE * (place * height + 6), 4), name, "black", font_size=11 * _SCALE)
        pictures.append(picture.resize((height * len(flats), height)).quantize(16))
    file = io.BytesIO()
    duration = round(100 * step / rate) * 10  # milliseconds
    pictures[0].save(
        file, "GIF", save_all=True, append_images=pictures[1:], duration=duration, loop=0
    )
    return file.getvalue()


def center_root(positions: np.ndarray) -> np.ndarray:
    """Return positions about the root, which keeps its height.

    Args:
        positions: `(frames, joints, 3)`, y up.
    """
    return positions - positions[:, :1] * np.array([1.0, 0.0, 1.0])


def project(positions: np.ndarray) -> np.ndarray:
    """Return where points are seen, `(..., 2)`, y up, from ahead and a little from the side.

    Args:
        positions: `(..., 3)`, y up.
    """
    x, y, z = np.moveaxis(positions, -1, 0)
    across = np.cos(_ANGLE) * x - np.sin(_ANGLE) * z
    toward = np.sin(_ANGLE) * x + np.cos(_ANGLE) * z
    return np.stack([across, y - 0.2 * toward], -1)


def _size(motions):
    return max(np.ptp(project(center_root(positions))[..., 1]) for positions in motions.values())


def _bones(skeleton):
    return [(joint, parent) for joint, parent in enumerate(skeleton.parents) if parent >= 0]


def _color(skeleton, joint):
    return (_MIDDLE, _LEFT, _RIGHT)[side_of(skeleton, joint)]


def side_of(skeleton: Skeleton, joint: int) -> int:
    """Return 1 for a joint of the left, 2 for one of the right, 0 for the middle.

    Args:
        skeleton: The `Skeleton`.
        joint: Index of the joint.
    """
    lefts, rights = zip(*skeleton.pairs, strict=True)
    return 1 if joint in lefts else 2 if joint in rights else 0
