"""One image in, one result out: bytes through a pipe, or a file to a file of another name."""

import errno
from pathlib import Path

from keras_dtl.convert.items import Item, ItemError, Loaded
from keras_dtl.convert.options import ConversionError
from keras_dtl.convert.reading import pictures, read_file
from keras_dtl.convert.tasks import task_of
from keras_dtl.convert.tiling import Tiler
from keras_dtl.files import atomic_path
from keras_dtl.images import SUFFIXES, readable_name


def convert_bytes(artifact, data, options, suffix=".png", name="-"):
    """Convert one encoded image.

    Args:
        artifact: What `load_artifact` returned.
        data: The bytes of an image file.
        options: An `Options`.
        suffix: Of the format that generators write.
        name: What classifiers call it.

    Returns:
        The bytes of an image file, or of a classifier one line of JSON.

    Raises:
        ImageError: The bytes are no image that can be read.
        ItemError: The image cannot be converted.
    """
    task = task_of(artifact, Path(), options)
    if options.animation == "frames":
        raise ConversionError("Frames of an animation are files; one image cannot hold them.")
    item = Item(0, Path(name), f"{name}{suffix}" if name == "-" else name)
    channels = artifact.manifest.preprocessing.channels
    for picture in pictures(data, channels, options, options.alpha == "keep"):
        loaded = Loaded(
            item=item,
            size=picture.pixels.shape[:2],
            pixels=task.prepare(picture.pixels),
            alpha=picture.alpha,
            tags=picture.tags,
        )
    outputs = Tiler(artifact, options)(loaded.pixels[None])
    return task.one(loaded, {name: array[0] for name, array in outputs.items()}, suffix)


def convert_file(artifact, source, target, options):
    """Convert one image file to another file, whole or not at all.

    Raises:
        ConversionError: The target exists, is the source, or is no image file's name.
        OSError: A file cannot be read or written.
    """
    target = Path(target)
    if target.exists() and (not options.overwrite or target.samefile(source)):
        raise ConversionError(f"{readable_name(target)} exists. Name another, or overwrite it.")
    if artifact.task == "classification":
        raise ConversionError("A classifier writes a table; name a folder as output.")
    try:
        data = convert_bytes(artifact, read_file(source), options, target.suffix)
    except ItemError as error:
        raise ConversionError(f"{readable_name(source)}: {error}") from error
    with atomic_path(target) as temporary:
        temporary.write_bytes(data)


def is_one_file(source, target):
    """Whether a command line asks for one file, named as an image file that is no folder."""
    source, target = Path(source), Path(target)
    return source.is_file() and target.suffix.lower() in SUFFIXES and not target.is_dir()


def read_limited(stream, limit=2**31):
    """Read a stream to its end, but not for ever."""
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"standard input holds more than {limit} bytes")
    return data
