"""One file in, one result out: bytes through a pipe, or a file to a file of another name."""

import errno
from pathlib import Path
from typing import BinaryIO

from keras_dtl.convert.artifact import Artifact
from keras_dtl.convert.image_files.reading import read_file
from keras_dtl.convert.items import Item, ItemError
from keras_dtl.convert.options import ConversionError, Options
from keras_dtl.convert.tasks.by_name import task_class, task_of
from keras_dtl.convert.tiles.tiling import warn_of_small_tiles
from keras_dtl.files import FilePath, atomic_path, readable_name
from keras_dtl.folders import require_output_folder
from keras_dtl.images.formats import format_of, writable_suffixes

_MOST_BYTES = 2**31  # of standard input


def convert_bytes(
    artifact: Artifact, data: bytes, options: Options, suffix: str = ".png", name: str = "-"
) -> bytes:
    """Convert one file that is at hand as bytes.

    Args:
        artifact: What `load_artifact` returned.
        data: The bytes of an image file, or of a BVH file where the model is one of motion.
        options: An `Options`.
        suffix: Of the format that generators write.
        name: What classifiers call it.

    Returns:
        The bytes of an image file or a BVH file, or of a classifier one line of JSON.

    Raises:
        ConversionError: The artifact or an option cannot be used.
        ImageError: The bytes are no image that can be read.
        ItemError: The file cannot be converted.
    """
    task = task_of(artifact, Path(), options)
    warn_of_small_tiles(artifact, options)
    if options.animation == "frames":
        raise ConversionError("Frames of an animation are files; one image cannot hold them.")
    item = Item(0, Path(name), name)
    (loaded,) = task.load(item, data, suffix=suffix)
    outputs = task.model()(loaded.pixels[None])
    return task.encode(loaded, {name: array[0] for name, array in outputs.items()}, suffix)


def convert_file(artifact: Artifact, source: FilePath, target: FilePath, options: Options) -> None:
    """Convert one file to another file, whole or not at all; a dry run only looks whether it can.

    Args:
        artifact: What `load_artifact` returned.
        source: The file to read.
        target: The file to write.
        options: An `Options`.

    Raises:
        ConversionError: The target exists, is the source, or is named as of another format than
            that of the options; or the file cannot be converted.
        OSError: A file cannot be read or written.
    """
    target = Path(target)
    if target.exists() and (not options.overwrite or target.samefile(source)):
        raise ConversionError(f"{readable_name(target)} exists. Name another, or overwrite it.")
    require_output_folder(target.parent, f"What {readable_name(target.name)} is written to")
    _require_format(options.format, target)
    task_of(artifact, target.parent, options).check_single()
    if options.dry_run:
        return
    try:
        data = convert_bytes(artifact, read_file(source), options, target.suffix)
    except ItemError as error:
        raise ConversionError(f"{readable_name(source)}: {error}") from error
    with atomic_path(target) as temporary:
        temporary.write_bytes(data)


def _require_format(name: str, target: Path) -> None:
    """Refuse an option `format` beside a target whose suffix says another one."""
    suffix = f".{name}"
    if suffix in writable_suffixes() and format_of(suffix) != format_of(target.suffix):
        raise ConversionError(
            f"format is {name!r}, but {readable_name(target.name)} is named as of another one. "
            "Leave one of them out."
        )


def is_one_file(artifact: Artifact, source: FilePath, target: FilePath) -> bool:
    """Whether a command line asks for one file, named as one of its task that is no folder.

    Args:
        artifact: What `load_artifact` returned.
        source: What is to be converted.
        target: What is to be written.

    Raises:
        ConversionError: The artifact's task is not known.
    """
    source, target = Path(source), Path(target)
    takes = task_class(artifact).takes_as_target(target.suffix.lower())
    return takes and source.is_file() and not target.is_dir()


def read_limited(stream: BinaryIO) -> bytes:
    """Read a stream to its end, but not for ever.

    Args:
        stream: A binary stream, such as standard input.

    Raises:
        OSError: It holds more than 2 GiB.
    """
    data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise OSError(errno.EFBIG, f"standard input holds more than {_MOST_BYTES} bytes")
    return data
