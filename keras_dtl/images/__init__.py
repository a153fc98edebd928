"""Image files to arrays and back: one way of reading, for training and for production alike.

NumPy and Pillow only. Whatever the file holds, `read_image` returns upright 8-bit pixels, and
whatever is wrong with the file, it raises `ImageError`.
"""

from keras_dtl.images.formats import has_alpha, writable_suffixes
from keras_dtl.images.notes import kept_profile
from keras_dtl.images.pixels import (
    ImageError,
    as_pixels,
    check_size,
    orientation_of,
    resize_image,
    resize_mask,
    turned_upright,
    upright_image,
    upright_size,
)
from keras_dtl.images.reading import (
    MAX_PIXELS,
    find_images,
    find_unread_files,
    open_image,
    read_image,
    read_profile,
    unread_reason,
)
from keras_dtl.images.writing import encode_image, write_image

__all__ = [
    "MAX_PIXELS",
    "ImageError",
    "as_pixels",
    "check_size",
    "encode_image",
    "find_images",
    "find_unread_files",
    "has_alpha",
    "kept_profile",
    "open_image",
    "orientation_of",
    "read_image",
    "read_profile",
    "resize_image",
    "resize_mask",
    "turned_upright",
    "unread_reason",
    "upright_image",
    "upright_size",
    "writable_suffixes",
    "write_image",
]
