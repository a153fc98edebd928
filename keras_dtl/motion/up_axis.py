"""Which axis of a file is up: read from the rest pose, and from the clip as a whole."""

import numpy as np

from keras_dtl.motion.bvh_content import children_of
from keras_dtl.motion.skeleton import middle_pairs

_AGREEMENT = 0.7  # cosine between an axis and what points along it
_TURNS = {
    "x": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "-x": ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
    "y": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "-y": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    "z": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "-z": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
}
"""By the axis that is up in a file: what turns it into y."""


def turn_to_y(up: str) -> np.ndarray:
    """Return the rotation `(3, 3)` that turns an axis to y.

    Args:
        up: One of x, y, z, -x, -y, -z.
    """
    return np.array(_TURNS[up], "float64")


def up_axes(
    names: tuple[str, ...], parents: tuple[int, ...], rest: np.ndarray, places: np.ndarray
) -> tuple[str, str | None]:
    """Return the axis that is up in a clip, and that of the rest pose, None if that does not stand.

    The rest pose decides, unless the clip as a whole stands on the ground of another axis.

    Args:
        names, parents: Of the joints.
        rest: Where they rest, `(joints, 3)`, in the axes of the file.
        places: Where they are, `(frames, joints, 3)`, in the axes of the file.
    """
    limbs = _Limbs(names, parents)
    rest_up = _common_axis(limbs.directions(rest[None])[0])
    clip_up = _common_axis(np.median(limbs.directions(places), 0).mean(0, keepdims=True))
    if rest_up not in ("y", "z"):
        # Bones of many files rest along axes of their own, in a pose that nobody stands in.
        return clip_up or "y", None
    if clip_up in (None, rest_up):
        return rest_up, rest_up
    stands, lies = (
        _is_on_ground(places @ turn_to_y(up)[1] / limbs.leg(places), heights)
        for up, heights in ((clip_up, _STANDING), (rest_up, _LYING))
    )
    return (clip_up if stands and not lies else rest_up), rest_up


_STANDING, _LYING = (0.6, 1.3), (0.0, 0.45)
"""Heights of the pelvis above the ground, in leg lengths."""


def _is_on_ground(heights, of_pelvis):
    """Tell whether a body keeps to the ground at 0, with its pelvis as high as expected.

    `heights` is `(frames, joints)`, in leg lengths.
    """
    least, most = of_pelvis
    pelvis = heights[:, 0]
    on_ground = -0.15 < heights.min() < 0.3
    return bool(on_ground and least <= pelvis.mean() <= most and pelvis.std() < 0.3)


def _common_axis(directions):
    """Return the axis along which all directions `(n, 3)` point, or None."""
    lengths = np.linalg.norm(directions, axis=-1, keepdims=True)
    units = directions / np.maximum(lengths, 1e-12)
    for up in "yzx":
        along = units[:, "xyz".index(up)]
        if along.min() > _AGREEMENT:
            return up
        if along.max() < -_AGREEMENT:
            return f"-{up}"
    return None


class _Limbs:
    """The legs and the trunk of a body: what hangs in pairs from the pelvis, and above it."""

    def __init__(self, names, parents):
        self.children = children_of(parents)
        pairs = middle_pairs(names, parents)
        at_pelvis = [pair for pair in pairs if parents[pair[0]] == 0] or list(pairs)
        self.hips = list(max(at_pelvis, key=lambda pair: self._depth(pair[0])))
        self.ankles = [self._end(hip, 2) for hip in self.hips]
        self.shoulders = sorted({parents[pair[0]] for pair in pairs} - {0, *self.hips})

    def _depth(self, index):
        """Return how many bones there are to the furthest end."""
        depths, left = [0], [(index, 0)]
        while left:
            here, depth = left.pop()
            depths.append(depth)
            left += [(child, depth + 1) for child in self.children[here]]
        return max(depths)

    def _end(self, index, bones):
        for _ in range(bones):
            if self.children[index]:
                index = max(self.children[index], key=self._depth)
        return index

    def directions(self, places):
        """Return unit vectors `(frames, limbs, 3)`, each from below to above."""
        bones = places[:, self.hips] - places[:, self.ankles]
        if self.shoulders:
            trunk = places[:, self.shoulders].mean(1, keepdims=True) - places[:, :1]
            bones = np.concatenate([bones, trunk], 1)
        return bones / np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-12)

    def leg(self, places):
        """Return the length of a straight leg."""
        bones = np.linalg.norm(places[:, self.hips] - places[:, self.ankles], axis=-1)
        return max(bones.max(), 1e-12)
