"""Generators: one image for each image, of the same size, in the same tree of folders."""

import collections
import contextlib
import hashlib
import os
from pathlib import PurePosixPath

import numpy as np

from keras_dtl.convert.artifact import mirrored
from keras_dtl.convert.items import ItemError
from keras_dtl.convert.options import ConversionError
from keras_dtl.convert.run import DiskFull, no_room_is_fatal
from keras_dtl.images import SUFFIXES, encode_image, has_alpha, readable_name, resize_image

_FORMATS = ("png", "jpg", "webp", "tif", "same")


class ImageToImage:
    """Writes what a generator makes of each image.

    Sizes that the model cannot take are padded by reflection and cropped again; models of one
    fixed size get the image resized, and their output is resized back. Transparency, notes and
    the colour profile of each image go with it by choice.
    """

    writers = min(32, os.cpu_count() or 1)
    writable = "a batch of uint8 images"

    def __init__(self, artifact, destination, options):
        self.output = destination
        self.options = options
        self.format = options.format_among(_FORMATS)
        self.preprocessing = artifact.manifest.preprocessing
        self.multiple = np.lcm(self.preprocessing.size_multiple, options.bucket)
        outputs = artifact.manifest.outputs
        if len(outputs) != 1 or not self.can_write(outputs[0]):
            raise ConversionError(
                f"Images can be written of one output that is {self.writable}; the model "
                f"has {[(item.name, item.dtype, item.shape) for item in outputs]}."
            )
        self.image = outputs[0].name
        self.journal = None

    def can_write(self, output):
        """Return whether the model's output, a `Tensor`, is what this task writes."""
        return output.is_image

    def plan(self, items):
        """Refuse to begin where two images would become one file, or an image its own."""
        sources = {_same(item.path.resolve()): item for item in items if _resolves(item.path)}
        names = collections.defaultdict(list)
        for item in items:
            target = self.target(item)
            # Some file systems take A.png and a.png for the same.
            names[_same(target)].append(item)
            if _same(self.output.resolve() / target.relative_to(self.output)) in sources:
                raise ConversionError(
                    f"The output of {readable_name(item.name)} would replace an input, "
                    f"{readable_name(target)}: its folder is that of the input or lies in it. "
                    "Choose another, or a suffix."
                )
        for same in names.values():
            if len(same) > 1:
                raise ConversionError(
                    f"{' and '.join(readable_name(item.name) for item in same)} would be written "
                    f"to the same file {readable_name(self.target(same[0]))}. Rename one, or "
                    'choose the format "same".'
                )

    def target(self, item, frame=None):
        """Return where the output of an item, or of one of its frames, belongs."""
        name = PurePosixPath(item.name)
        named = name.with_name(name.stem + self.options.suffix + name.suffix)
        suffix = name.suffix if self.format == "same" else f".{self.format}"
        if frame is not None:
            # Named after the whole file name, which no other file of the folder has.
            return self.output / named / f"{frame:05}{suffix}"
        return self.output / named.with_suffix(suffix)

    @contextlib.contextmanager
    def writing(self, journal):
        self.journal = journal
        yield

    def is_done(self, item, records):
        frames = [record.get("frame") for record in records]
        return all(
            self.journal.is_whole(record, self.target(item, frame))
            for record, frame in zip(records, frames, strict=True)
        )

    def check_free(self, item, frame=None):
        target = self.target(item, frame)
        if target.suffix.lower() not in SUFFIXES:
            raise ItemError(f"images cannot be written as {target.suffix!r}; choose a format")
        if self.options.overwrite or not os.path.lexists(target):
            return
        if self.journal is None or not self.journal.wrote(item.name, target):
            raise ItemError(
                f"{readable_name(target)} exists and is not what a conversion wrote for it; "
                "remove it, choose another folder or suffix, or overwrite"
            )

    def keeps_alpha(self, item):
        return self.options.alpha == "keep" and has_alpha(self.target(item).suffix)

    def prepare(self, image):
        if self.preprocessing.resize is not None:
            return resize_image(image, self.preprocessing.resize)
        return mirrored(image, self.multiple)

    def make(self, loaded, outputs):
        return self.one(loaded, outputs, self.target(loaded.item, loaded.frame).suffix)

    def keep(self, loaded, data):
        target = self.target(loaded.item, loaded.frame)
        if loaded.frame is not None:
            self.check_free(loaded.item, loaded.frame)
        name, frame = loaded.item.name, loaded.frame or 0
        digest = hashlib.sha256(data).hexdigest()
        try:
            with no_room_is_fatal():
                self.journal.add(name, loaded.content, frame, loaded.frames, output=digest)
                self.journal.publish(target, data)
        except DiskFull:
            raise
        except OSError as error:
            reason = error.strerror or str(error)
            raise ItemError(f"{readable_name(target)} cannot be written: {reason}") from error

    def one(self, loaded, outputs, suffix):
        """Return the encoded output of one image."""
        image = outputs[self.image]
        if image.shape[:2] != loaded.pixels.shape[:2]:
            raise ItemError(
                f"the model made {image.shape[:2]} pixels (height, width) of "
                f"{loaded.pixels.shape[:2]}; it must keep the size"
            )
        if self.preprocessing.resize is not None:
            image = resize_image(image, loaded.size)
        height, width = loaded.size
        image = np.ascontiguousarray(image[:height, :width])
        try:
            return encode_image(image, suffix, self.options.quality, loaded.alpha, loaded.tags)
        # Encoders have limits of their own, such as the 16383 pixels of WebP.
        except (ValueError, OSError) as error:
            raise ItemError(f"it cannot be encoded as {suffix}: {error}") from error

    def leave_out(self, item):
        pass

    def shown(self, item):
        """Return the output as a path, for the gallery."""
        target = self.target(item)
        return target if target.is_file() else None


def _same(path):
    return str(path).casefold()


def _resolves(path):
    with contextlib.suppress(OSError, RuntimeError):
        path.resolve()
        return True
    return False
