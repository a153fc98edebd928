"""Image files as a model takes them, with what is given back to their outputs."""

import dataclasses
import io
import typing
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageCms

from keras_dtl.convert.image_files.notes import notes_of
from keras_dtl.convert.image_files.small_png import read_small_png
from keras_dtl.convert.items import Item, ItemError, Loaded
from keras_dtl.convert.options import Options
from keras_dtl.files import FilePath, read_regular
from keras_dtl.images import as_pixels, check_size, kept_profile, open_image, upright_image

_LARGEST_FILE = 2**31  # bytes; files are read whole
_THUMBNAIL = (320, 320)  # width and height at most
# But not the previews that cameras hide in a JPEG.
_ANIMATED = ("AVIF", "GIF", "PNG", "TIFF", "WEBP")


@dataclasses.dataclass(frozen=True)
class Picture:
    """One image, or one frame of an animation.

    Args:
        pixels: A uint8 array of shape `(height, width, channels)`.
        alpha: A uint8 array of shape `(height, width)`, or `None`.
        tags: What Pillow's `save` takes to write the notes and the colour profile again.
        frame: Place among the frames, or `None` where the file is one image.
        frames: Number of frames.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    tags: dict
    frame: int | None
    frames: int


def read_file(path: FilePath) -> bytes:
    """Return the bytes of a file, which is not read where it cannot be an image.

    Args:
        path: The file.

    Raises:
        OSError: It cannot be read, is too large, or is no regular file.
    """
    return read_regular(path, _LARGEST_FILE)


def pictures(
    data: bytes,
    channels: int,
    options: Options,
    keep_alpha: bool,
    before: Callable[[int], None] = lambda pixels: None,
) -> Iterator[Picture]:
    """Decode an image file, frame by frame.

    Args:
        data: The bytes of the file.
        channels: That the model takes.
        options: The `Options` of the conversion.
        keep_alpha: Whether transparency goes beside the pixels, which are then as they are;
            otherwise they are laid over white.
        before: Called with the number of pixels of each frame before it is decoded.

    Yields:
        One `Picture`, or one for each frame where `options.animation` asks for them.

    Raises:
        ImageError: The file is no image, damaged, too large, or an animation that is refused.
    """
    small = read_small_png(data, channels)
    if small is not None and small.shape[0] * small.shape[1] <= options.max_pixels:
        before(small.shape[0] * small.shape[1])
        yield Picture(small, None, {}, None, 1)
        return
    with open_image(data, options.max_pixels) as image:
        frames = getattr(image, "n_frames", 1) if image.format in _ANIMATED else 1
        if frames > 1 and options.animation == "refuse":
            raise ItemError(
                f"it is an animation of {frames} frames; choose the first or all of them by the "
                "option animation"
            )
        wanted = range(frames) if options.animation == "frames" else range(1)
        for frame in wanted:
            if frame:
                image.seek(frame)
                check_size(image, options.max_pixels)
            before(image.size[0] * image.size[1])
            number = frame if len(wanted) > 1 else None
            yield _picture(image, channels, options, keep_alpha, number, len(wanted))


def load(
    item: Item,
    data: bytes,
    content: str,
    task: typing.Any,
    keep_alpha: bool,
    before: Callable[[int], None] = lambda pixels: None,
) -> Iterator[Loaded]:
    """Yield what goes into the model of an image file: a `Loaded` for each frame.

    Args:
        item: The `Item`.
        data: The bytes of its file.
        content: SHA-256 of these.
        task: The `keras_dtl.convert.tasks.image_task.ImageTask`.
        keep_alpha: Whether transparency goes beside the pixels.
        before: Called with the number of pixels of each frame before it is decoded.
    """
    channels = task.preprocessing.channels
    for picture in pictures(data, channels, task.options, keep_alpha, before):
        yield Loaded(
            item=item,
            size=picture.pixels.shape[:2],
            pixels=task.prepare(picture.pixels),
            content=content,
            alpha=picture.alpha,
            tags=picture.tags,
            frame=picture.frame,
            frames=picture.frames,
        )


def thumbnail(path: FilePath, max_pixels: int) -> Image.Image:
    """Return a small copy of an image file, in RGB.

    Args:
        path: The file.
        max_pixels: Larger images are refused.

    Raises:
        ImageError: It cannot be read.
    """
    with open_image(path, max_pixels) as image:
        image.draft("RGB", _THUMBNAIL)  # JPEG: decodes a smaller image
        picture = Image.fromarray(as_pixels(upright_image(image), 3))
    picture.thumbnail(_THUMBNAIL)
    return picture


def _picture(image, channels, options, keep_alpha, frame, frames):
    upright = upright_image(image)
    tags = _tags(image, options, upright.size)
    if options.profile == "srgb":
        upright = _in_srgb(upright, image.info.get("icc_profile"))
    if keep_alpha and channels != 4 and upright.has_transparency_data:
        whole = as_pixels(upright, 4)
        alpha = np.ascontiguousarray(whole[:, :, 3])
        opaque = Image.fromarray(np.ascontiguousarray(whole[:, :, :3]))
        return Picture(as_pixels(opaque, channels), alpha, tags, frame, frames)
    return Picture(as_pixels(upright, channels), None, tags, frame, frames)


def _in_srgb(image, profile):
    """Convert colours to sRGB; a profile that cannot be used is one that is not there."""
    kind = profile[16:20] if isinstance(profile, bytes) else None
    if kind not in (b"RGB ", b"GRAY", b"CMYK") or image.mode == "1":
        return image
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    mode = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}[kind]
    if (kind == b"CMYK") != (image.mode == "CMYK"):
        return image  # of other values than these
    opaque = image.convert("RGBA").convert(mode) if alpha else image.convert(mode)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(opaque, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _tags(image, options, size):
    tags = {}
    if options.profile == "keep" and (profile := kept_profile(image)):
        tags["icc_profile"] = profile
    if options.metadata != "drop":
        tags |= notes_of(image, size, location=options.metadata == "keep")
    return tags
