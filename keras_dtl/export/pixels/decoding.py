"""Image files to pixels within TensorFlow's graph, as `keras_dtl.images.read_image` reads them.

Orientation, transparency over white, 16 bits, palettes, grey and CMYK come out as there. What
TensorFlow cannot read that way is refused by name.

The graph is part of every SavedModel, and its operations are what exports and loading take time
for: so bytes are cut out of the file as text, and what differs between the kinds of files is kept
in tables.
"""

import functools
from typing import Any

import tensorflow as tf

from keras_dtl.export.pixels import exif

# What files begin with; a PNG is read in one of three ways.
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"GIF8", b"BM")
_PADDING = b"\0" * 72  # so that what is looked for near the end is cut out of nothing
# Flags of the extended header: bit 1 is that of animations.
_FLAGS = "".join(f"\\x{flags:02x}" for flags in range(128) if flags & 2)
_ANIMATED = rf"VP8X\C{{4}}[{_FLAGS}]"
_ADOBE = r"\C*Adobe\x00\C*"
_REFUSAL = "image_bytes reads JPEG, PNG, GIF, BMP and WebP files; this is none of them, or damaged."


def decode_upright(encoded: tf.Tensor, channels: int) -> tf.Tensor:
    """Return the upright pixels of one image file.

    Args:
        encoded: Scalar string, the bytes of the file.
        channels: 1 for grey, 3 for RGB, 4 for RGB with alpha.

    Returns:
        uint8 tensor `(height, width, channels)`.
    """
    return _to_channels(_decoder()(encoded), channels)


@functools.cache
def _decoder() -> Any:
    """Return the function of many operations, which are traced once in a process."""
    with tf.init_scope():
        return _decode_upright.get_concrete_function()


@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def _decode_upright(encoded: tf.Tensor) -> tf.Tensor:
    file = tf.strings.join([encoded, _PADDING])
    kind = _kind(file)
    readers = (_jpeg, _png, _webp, _gif, _bmp, _refuse, _shallow_png, _deep_grey_png)
    branches = [functools.partial(read, encoded, file) for read in readers]
    depth = tf.strings.substr(file, 24, 2)  # bits and kind of the colors of a PNG
    is_shallow = tf.reduce_any(tf.strings.substr(depth, 0, 1) == [b"\1", b"\2", b"\4"])
    png = tf.where(is_shallow, 6, tf.where(depth == b"\x10\0", 7, 1))
    pixels = tf.switch_case(tf.where(kind == 1, png, kind), branches)
    return _upright(pixels, exif.orientation(file, tf.strings.length(encoded), kind))


def _kind(file: tf.Tensor) -> tf.Tensor:
    """Return which of `_BEGINNINGS` a file has, or their number where it has none."""
    lengths = list(map(len, _BEGINNINGS))
    same = tf.strings.substr(file, [0] * len(lengths), lengths) == list(_BEGINNINGS)
    return tf.argmax(tf.cast(tf.concat([same, [True]], 0), tf.int32), output_type=tf.int32)


def _cut(encoded: tf.Tensor, place: tf.Tensor, count: Any) -> tf.Tensor:
    """Return bytes from a place on, fewer where there are fewer, and none outside the file."""
    end = tf.strings.length(encoded)
    place = tf.where(place < 0, end, tf.minimum(place, end))
    return tf.strings.substr(encoded, place, tf.maximum(count, 0))


def _refuse(encoded: tf.Tensor, file: tf.Tensor) -> tf.Tensor:
    return _refused(_REFUSAL)


def _refused(message: str) -> tf.Tensor:
    with tf.control_dependencies([tf.debugging.Assert(False, [message])]):
        return tf.zeros((1, 1, 4), tf.uint8)


def _opaque(pixels: tf.Tensor) -> tf.Tensor:
    """Append a channel of 255."""
    return tf.pad(pixels, [(0, 0), (0, 0), (0, 1)], constant_values=255)


def _with_alpha(pixels: tf.Tensor) -> tf.Tensor:
    """Return RGB with alpha of pixels that have as many channels as their file."""
    is_color = tf.cast(tf.shape(pixels)[-1] > 2, tf.int32)
    places = tf.gather([[0, 0, 0, 1], [0, 1, 2, 3]], is_color)  # the appended one where none is
    return tf.gather(_opaque(pixels), places, axis=-1)


# Kinds of files ---------------------------------------------------------------------------


def _jpeg(encoded: tf.Tensor, file: tf.Tensor) -> tf.Tensor:
    # Without Adobe's mark programs differ in whether CMYK is stored inverted.
    is_cmyk = tf.unstack(tf.io.extract_jpeg_shape(encoded), 3)[2] == 4
    looked_at = tf.where(is_cmyk, file, b"Adobe\0")  # in others for nothing
    is_marked = tf.strings.regex_full_match(looked_at, _ADOBE)
    accurate = {"dct_method": "INTEGER_ACCURATE", "fancy_upscaling": True}
    message = "JPEG files in CMYK without Adobe's mark: send RGB."
    with tf.control_dependencies([tf.debugging.Assert(is_marked, [message])]):
        return _opaque(tf.io.decode_jpeg(encoded, channels=3, **accurate))


def _png(encoded: tf.Tensor, file: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_png(encoded, 4)


def _shallow_png(encoded: tf.Tensor, file: tf.Tensor) -> tf.Tensor:
    """Of less than 8 bits: asked for four channels, TensorFlow leaves alpha of 1 unscaled."""
    pixels = _with_alpha(tf.io.decode_png(encoded, 0))
    is_grey = tf.strings.substr(file, 25, 1) == b"\0"
    return tf.where(is_grey, _one_clear_grey(encoded, pixels), pixels)


def _one_clear_grey(encoded: tf.Tensor, pixels: tf.Tensor) -> tf.Tensor:
    """Give grey pixels the alpha 0 where they are the one grey that is clear, and 255 elsewhere."""
    alpha = tf.cast(tf.io.decode_png(encoded, 4) > 0, tf.uint8) * 255
    return tf.where([False, False, False, True], alpha, pixels)


def _deep_grey_png(encoded: tf.Tensor, file: tf.Tensor) -> tf.Tensor:
    """Of 16 bits, scaled; other images of 16 bits are cut to their high bytes."""
    grey = tf.cast(tf.io.decode_png(encoded, 1, tf.uint16), tf.int64)
    scaled = tf.tile(tf.cast((grey * 255 + 32767) // 65535, tf.uint8), (1, 1, 4))
    return _one_clear_grey(encoded, scaled)


def _webp(encoded: tf.Tensor, file: tf.Tensor) -> tf.Tensor:
    if not hasattr(tf.io, "decode_webp"):
        return _refused("This TensorFlow reads no WebP: send JPEG or PNG.")
    is_animated = tf.strings.regex_full_match(tf.strings.substr(file, 12, 9), _ANIMATED)
    # One image is answered, and its decoder is not safe with several.
    message = "WebP files that are animations: send one frame of it, or PNG."
    with tf.control_dependencies([tf.debugging.Assert(~is_animated, [message])]):
        pixels = tf.io.decode_webp(tf.identity(encoded), channels=0)
    return _with_alpha(tf.reshape(pixels, tf.shape(pixels)[-3:]))


def _gif(encoded: tf.Tensor, file: tf.Tensor) -> tf.Tensor:
    """Read the first frame; what is left out of it TensorFlow paints black, which is no answer."""
    size = tf.strings.length(encoded)

    def four(place):
        part = tf.strings.substr(file, tf.minimum(place, size), 4)
        return tf.unstack(tf.cast(tf.io.decode_raw(part, tf.uint8), tf.int32), 4)

    def step(place, inside, holds, goes):
        first, label, _, flags = four(place)
        goes = (inside | (first == 0x21)) & (place < size)
        is_transparent = ~inside & (label == 0xF9) & (flags % 2 == 1)
        # Of an extension two bytes, of what is inside as many as its first byte says, up to 0.
        after = place + tf.where(inside, first + 1, 2)
        inside = ~inside | (first > 0)
        return tf.where(goes, after, place), inside & goes, holds & ~(is_transparent & goes), goes

    flags = four(10)[0]
    table = tf.where(flags >= 128, 3 * tf.bitwise.left_shift(2, flags % 8), 0)
    start = (13 + table, False, True, True)
    place, _, holds, _ = tf.while_loop(lambda *state: state[-1], step, start)
    begin = tf.minimum(place, size) + 1
    frame = tf.io.decode_raw(tf.strings.substr(file, begin, 8), tf.uint16)
    screen = tf.io.decode_raw(tf.strings.substr(file, 6, 4), tf.uint16)
    same = tf.cast(frame, tf.int32) == tf.concat([[0, 0], tf.cast(screen, tf.int32)], 0)
    message = "GIF files with transparency or a frame smaller than the screen: send PNG."
    with tf.control_dependencies([tf.debugging.Assert(holds & tf.reduce_all(same), [message])]):
        return _opaque(tf.io.decode_gif(encoded)[0])


def _bmp(encoded: tf.Tensor, file: tf.Tensor) -> tf.Tensor:
    numbers = tf.io.decode_raw(tf.strings.substr(file, 10, 60), tf.int32)
    numbers = tf.unstack(numbers, 15)
    begin, header, width, signed_height, planes, packing = numbers[:6]
    bits = tf.bitwise.right_shift(planes, 16)
    is_plain = (packing == 0) & tf.reduce_any(bits == [1, 4, 8, 24, 32])
    # Packed in three masks, and in a fourth of alpha where the header is of a later version.
    masks = tf.stack([packing, bits, *numbers[11:14]])
    is_bgra = tf.reduce_all(masks == [3, 32, 0xFF0000, 0xFF00, 0xFF])
    has_alpha = is_bgra & (header >= 56) & (numbers[14] == -(1 << 24))
    known = (header >= 40) & (is_plain | is_bgra)
    message = "BMP files of 16 bits, of odd masks or compressed: send PNG."
    with tf.control_dependencies([tf.debugging.Assert(known, [message])]):
        height = tf.abs(signed_height)
        stride = (width * bits + 31) // 32 * 4
    data = tf.io.decode_raw(_cut(encoded, begin, stride * height), tf.uint8)
    is_whole = (tf.minimum(stride, height) > 0) & (tf.size(data) == stride * height)
    message = "The BMP file is truncated or damaged."
    with tf.control_dependencies([tf.debugging.Assert(is_whole, [message])]):
        data = tf.identity(data)
    rows = tf.reshape(data, (height, stride))[:: -tf.sign(signed_height)]

    def indexed():
        each = 8 // bits  # pixels in a byte, the first in the highest bits
        shifts = tf.range(each - 1, -1, -1) * bits
        indices = tf.bitwise.right_shift(tf.cast(rows, tf.int32)[..., None], shifts)
        indices %= tf.bitwise.left_shift(1, bits)
        indices = tf.reshape(indices, (height, stride * each))[:, :width]
        length = tf.minimum((begin - 14 - header) // 4, 256) * 4
        colors = tf.io.decode_raw(_cut(encoded, 14 + header, length), tf.uint8)
        colors = tf.reshape(tf.concat([colors, tf.zeros(1024, tf.uint8)], 0), (-1, 4))
        return tf.gather(colors, indices)  # black, where the file lists fewer

    def direct():
        count = bits // 8
        return tf.reshape(rows[:, : width * count], (height, width, count))

    pixels = _opaque(tf.cond(bits <= 8, indexed, direct))
    alpha = tf.where(has_alpha, 3, tf.shape(pixels)[-1] - 1)
    return tf.gather(pixels, tf.stack([2, 1, 0, alpha]), axis=-1)


# Pixels -----------------------------------------------------------------------------------


def _upright(pixels: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turn pixels as the EXIF orientation says, 1 to 8."""
    steps = [(1, 1), (1, -1), (-1, -1), (-1, 1)] * 2
    pixels = tf.transpose(pixels, tf.where(orientation < 5, [0, 1, 2], [1, 0, 2]))
    step = tf.gather(steps, orientation - 1)
    pixels = tf.strided_slice(pixels, (0, 0), (0, 0), step, begin_mask=3, end_mask=3)
    return tf.ensure_shape(pixels, (None, None, 4))


def _to_channels(pixels: tf.Tensor, channels: int) -> tf.Tensor:
    """Return RGB with alpha as 1, 3 or 4 channels, rounded as Pillow rounds."""
    if channels == 4:
        return pixels
    values = tf.cast(pixels, tf.int32)
    color, alpha = values[..., :3], values[..., 3:]
    over = (color * alpha + 255 * (255 - alpha)) * 128 + 0x4000
    over = tf.bitwise.right_shift(tf.bitwise.right_shift(over, 8) + over, 8)
    color = tf.where(alpha == 0, 255, tf.bitwise.right_shift(over, 7))
    if channels == 1:
        weighted = tf.reduce_sum(color * [19595, 38470, 7471], -1, keepdims=True)
        color = tf.bitwise.right_shift(weighted + 0x8000, 16)
    return tf.cast(color, tf.uint8)
