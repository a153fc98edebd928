"""Motion: one BVH file for each BVH file, in the style of another clip, in the same tree."""

import dataclasses
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from keras_dtl.convert.artifact import Artifact
from keras_dtl.convert.items import Item, ItemError, Loaded
from keras_dtl.convert.options import ConversionError, Options
from keras_dtl.convert.tasks.mirrored_tree import MirroredTree
from keras_dtl.convert.tasks.stick_figures import stick_figures
from keras_dtl.files import readable_name, sha256
from keras_dtl.images import ImageError
from keras_dtl.motion import (
    MIRRORED,
    Body,
    BvhError,
    Skeleton,
    body_of,
    features_of,
    fit_motion,
    format_bvh,
    has_toes_behind,
    heading,
    parse_bvh,
    positions_of,
    read_bvh,
    resample,
)

logger = logging.getLogger("keras_dtl")

SUFFIX = ".bvh"
_LEAD_IN = {"keep": "stays as it is (--lead-in cut leaves it out)", "cut": "is cut"}


@dataclasses.dataclass(slots=True)
class Clip(Loaded):
    """A motion that was read.

    `pixels` are its features, float32 `(frames, features)`, and `size` the number of its frames.

    Args:
        body: The `Body` in the file.
        start: x and z of the root in the first frame.
        facing: Angle about y that the first frame faces, in radians.
    """

    body: Body | None = None
    start: tuple[float, float] = (0.0, 0.0)
    facing: float = 0.0


class MotionStyle(MirroredTree):
    """Writes each BVH file as the model makes it, for the same character.

    Joints, their names and order, channels, frames and up axis are those of the file. It begins
    where the file does and faces the same way. A pose that the clip jumps from, such as a T-pose in
    its first frame, stays as it is unless `options.lead_in` is to cut it. The style of all is that
    of the clip `options.style`, where the model takes one, or the model's own.
    """

    own_options = (*MirroredTree.own_options, "style", "lead_in", "lead_in_frames")
    suffixes = frozenset({SUFFIX})
    none_found = f"no {SUFFIX} files. Check the path."

    def __init__(self, artifact: Artifact, destination: Path, options: Options):
        super().__init__(artifact, destination, options)
        names = [tensor.name for tensor in artifact.manifest.inputs]
        if len(names) != 1 and sorted(names) != ["content", "style"]:
            raise ConversionError(f"Motion needs one input, or content and style; it has {names}.")
        self.name = names[0] if len(names) == 1 else "content"
        self.skeleton, self.rate = _body_of(artifact.manifest)
        self.style = self.style_checksum = None
        if len(names) == 1 and options.style:
            raise ConversionError("This artifact has its style already; leave out style.")
        if len(names) == 2:
            self.style = self._read_style(options.style)
            self.style_checksum = sha256(options.style)

    def _read_style(self, path):
        if not path:
            raise ConversionError(
                "This model takes the style from a clip: name a BVH file (--style FILE), or export "
                "the run with `keras-dtl export RUN --style-of FILE`."
            )
        try:
            body, positions = self._motion_in(read_bvh(path))
            features = features_of(positions, body.skeleton)
        except (BvhError, OSError) as error:
            raise ConversionError(f"The style cannot be read: {error}") from error
        if body.lead_in:
            logger.warning("%s: %s is cut", readable_name(path), _lead_in_words(body))
        return features

    def _motion_in(self, bvh, lead_in=None):
        """Return the body in a file, and its positions at the model's rate without the lead-in."""
        body = body_of(bvh, self.skeleton, lead_in)
        moving = body.positions[body.lead_in :]
        return body, resample(moving, bvh.frames_per_second, self.rate)

    def matter(self) -> list:
        found = [self.artifact.key, self.style_checksum, self.options.suffix]
        found += [] if self.options.lead_in == "keep" else [self.options.lead_in]
        frames = self.options.lead_in_frames
        return found if frames is None else [*found, frames]

    def suffix_of(self, item: Item) -> str:
        return SUFFIX

    def load(
        self,
        item: Item,
        data: bytes,
        content: str = "",
        suffix: str | None = None,
        before: Callable[[int], None] = lambda numbers: None,
    ) -> Iterator[Loaded]:
        before(len(data))
        try:
            body, positions = self._motion_in(parse_bvh(data), self.options.lead_in_frames)
            features = features_of(positions, body.skeleton)
        except BvhError as error:
            raise ItemError(str(error)) from error
        if body.lead_in:
            done = _LEAD_IN[self.options.lead_in]
            logger.warning("%s: %s %s", readable_name(item.name), _lead_in_words(body), done)
        if has_toes_behind(positions, body.skeleton):
            logger.warning("%s: %s", readable_name(item.name), MIRRORED)
        start = tuple(positions[0, 0, [0, 2]])
        facing = heading(positions, body.skeleton)[0]
        shape = (len(features),)
        yield Clip(item, shape, features, content, body=body, start=start, facing=facing)

    def model(self) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
        """Return a function that runs clips one by one: that takes less than reading them."""
        return lambda clips: _stack([self._run(clip[None]) for clip in clips])

    def _run(self, features):
        inputs = {self.name: features}
        if self.style is not None:
            inputs["style"] = self.style[None]
        return self.artifact.run(inputs)

    def encode(self, loaded: Loaded, outputs: dict[str, np.ndarray], suffix: str) -> bytes:
        made = next(iter(outputs.values()))
        if made.shape != loaded.pixels.shape or not np.isfinite(made).all():
            raise ItemError("the model made no motion of it: numbers that are not finite")
        positions = positions_of(made, loaded.body.skeleton, loaded.start, loaded.facing)
        keep = self.options.lead_in == "keep"
        return format_bvh(fit_motion(loaded.body, positions, self.rate, keep)).encode()

    def picture(self, path: Path) -> Image.Image:
        try:
            body = body_of(read_bvh(path))
            return stick_figures(body.bvh, body.turn)
        except BvhError as error:
            raise ImageError(str(error)) from error


def _lead_in_words(body):
    return f"the pose at its begin, {body.lead_in} frames long,"


def _stack(outputs):
    return {name: np.concatenate([one[name] for one in outputs]) for name in outputs[0]}


def _body_of(manifest):
    """Return `Skeleton` and rate that an artifact was trained on."""
    settings = manifest.settings
    try:
        return Skeleton.from_json(settings["skeleton"]), float(settings["rate"])
    except (KeyError, TypeError, ValueError) as error:
        raise ConversionError(
            f"The artifact {manifest.name} does not tell its skeleton and rate ({error}): export "
            "it with settings={'skeleton': skeleton.to_json(), 'rate': 30.0}."
        ) from error
