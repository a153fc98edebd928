"""Generators: one image for each image, of the same size, in the same tree of folders."""

import collections
import errno
import os
from pathlib import PurePosixPath

import numpy as np

from keras_dtl.convert.items import ItemError
from keras_dtl.convert.options import ConversionError
from keras_dtl.images import readable_name, resize_image, write_image

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class ImageToImage:
    """Writes what a generator makes of each image.

    Images whose output is already there are skipped, so that a conversion that was stopped goes
    on where it was. Sizes that the model cannot take are padded by reflection and cropped again;
    models of one fixed size get the image resized, and their output is resized back.
    """

    writers = min(8, os.cpu_count() or 1)

    def __init__(self, artifact, source, destination, options):
        self.output = destination
        self.source = source
        self.options = options
        self.preprocessing = artifact.manifest.preprocessing
        outputs = artifact.manifest.outputs
        if len(outputs) != 1 or not outputs[0].is_image:
            raise ConversionError(
                f"Images can be written of one output that is a batch of uint8 images; the model "
                f"has {[(item.name, item.dtype, item.shape) for item in outputs]}."
            )
        self.image = outputs[0].name

    def select(self, items):
        source, output = self.source.resolve(), self.output.resolve()
        folder = source if source.is_dir() else None
        if output == source.parent if folder is None else output.is_relative_to(folder):
            raise ConversionError(
                f"The output folder {readable_name(output)} is that of the input or lies in it: "
                "images would be overwritten, or converted again by the next run. Choose another."
            )
        self._check_collisions(items)
        if self.options.overwrite:
            return items
        return [item for item in items if not self._target(item).exists()]

    def _check_collisions(self, items):
        names = collections.defaultdict(list)
        for item in items:
            # Some file systems take A.png and a.png for the same.
            names[str(self._target(item)).casefold()].append(item)
        for same in names.values():
            if len(same) > 1:
                raise ConversionError(
                    f"{' and '.join(readable_name(item.name) for item in same)} would be written "
                    f"to the same file {readable_name(self._target(same[0]))}. Rename one, or "
                    'choose the suffix "same".'
                )

    def _target(self, item):
        name = PurePosixPath(item.name)
        suffix = name.suffix if self.options.suffix == "same" else self.options.suffix
        return self.output / name.with_suffix(suffix)

    def __enter__(self):
        self.output.mkdir(parents=True, exist_ok=True)

    def __exit__(self, *error):
        pass

    def prepare(self, image):
        if self.preprocessing.resize is not None:
            return resize_image(image, self.preprocessing.resize)
        multiple = self.preprocessing.size_multiple
        missing = [-size % multiple for size in image.shape[:2]]
        if not any(missing):
            return image
        return np.pad(image, [(0, missing[0]), (0, missing[1]), (0, 0)], mode="reflect")

    def write(self, loaded, outputs):
        image = outputs[self.image]
        if image.shape[:2] != loaded.pixels.shape[:2]:
            raise ItemError(
                f"the model made {image.shape[:2]} pixels (height, width) of "
                f"{loaded.pixels.shape[:2]}; it must keep the size"
            )
        if self.preprocessing.resize is not None:
            image = resize_image(image, loaded.size)
        height, width = loaded.size
        self._save(self._target(loaded.item), image[:height, :width])

    def _save(self, path, image):
        try:
            write_image(path, np.ascontiguousarray(image), quality=self.options.quality)
        except OSError as error:
            if error.errno in _NO_ROOM:
                # Every other image would fail, too.
                raise OSError(error.errno, error.strerror, str(path)) from error
            reason = error.strerror or str(error)
            raise ItemError(f"{readable_name(path)} cannot be written: {reason}") from error

    def leave_out(self, item):
        pass
