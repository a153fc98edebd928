"""Image files to pixels within TensorFlow's graph, as `keras_dtl.images.read_image` reads them.

Orientation, transparency over white, 16 bits, palettes, grey and CMYK come out as there. What
TensorFlow cannot read that way is refused by name.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

_ORIENTATION, _SHORT = 0x0112, 3
_MOST_TAGS = 1000
_KINDS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"RIFF")
_REFUSAL = "image_bytes reads JPEG, PNG, GIF, BMP and WebP files; this is none of them, or damaged."


def decode_upright(encoded: tf.Tensor, channels: int) -> tf.Tensor:
    """Return the upright pixels of one image file.

    Args:
        encoded: Scalar string, the bytes of the file.
        channels: 1 for grey, 3 for RGB, 4 for RGB with alpha.

    Returns:
        uint8 tensor `(height, width, channels)`.
    """
    return _to_channels(_decode_upright(encoded), channels)


# A function of its own, so that its many operations are traced once in a process.
@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def _decode_upright(encoded: tf.Tensor) -> tf.Tensor:
    data = tf.cast(tf.io.decode_raw(encoded, tf.uint8), tf.int32)
    readers = [_jpeg, _png, _gif, _bmp, _webp, _refuse]
    branches = [_branch(reader, encoded, data) for reader in readers]
    pixels, exif = tf.switch_case(_kind(data), branches)
    return _upright(pixels, _orientation(data, exif))


def _kind(data: tf.Tensor) -> tf.Tensor:
    """Return which of `_KINDS` a file begins like, or their number where it is none."""
    longest = max(map(len, _KINDS))
    padded = [[*kind, *[-1] * (longest - len(kind))] for kind in _KINDS]
    table = tf.constant([*padded, [-1] * longest])  # what begins like nothing is the last
    same = (_bytes(data, 0, longest) == table) | (table < 0)
    return tf.argmax(tf.cast(tf.reduce_all(same, 1), tf.int32), output_type=tf.int32)


def _branch(reader: Callable, encoded: tf.Tensor, data: tf.Tensor) -> Callable:
    def read():
        pixels, exif = reader(encoded, data)
        return tf.ensure_shape(pixels, (None, None, 4)), tf.cast(exif, tf.int32)

    return read


_NO_EXIF = tf.int32.min + 1


def _refuse(encoded: tf.Tensor, data: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return _refused(_REFUSAL)


def _refused(message: str) -> tuple[tf.Tensor, tf.Tensor]:
    with tf.control_dependencies([tf.debugging.Assert(False, [message])]):
        return tf.zeros((1, 1, 4), tf.uint8), _NO_EXIF


def _opaque(pixels: tf.Tensor) -> tf.Tensor:
    return tf.concat([pixels, tf.fill((*_size(pixels), 1), tf.constant(255, tf.uint8))], -1)


def _with_alpha(pixels: tf.Tensor) -> tf.Tensor:
    """Return RGB with alpha of pixels that have as many channels as their file."""
    count = tf.shape(pixels)[-1]
    color = tf.cond(count > 2, lambda: pixels[..., :3], lambda: tf.repeat(pixels[..., :1], 3, -1))
    color = tf.ensure_shape(color, (None, None, 3))
    return tf.cond(
        count % 2 == 0,
        lambda: tf.concat([color, pixels[..., -1:]], -1),
        lambda: _opaque(color),
    )


def _size(pixels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    shape = tf.shape(pixels)
    return shape[-3], shape[-2]


def _jpeg(encoded: tf.Tensor, data: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    pixels = tf.io.decode_jpeg(
        encoded, channels=3, dct_method="INTEGER_ACCURATE", fancy_upscaling=True
    )

    def unread(place, found):
        marker = _byte(data, place + 1)
        is_head = (_byte(data, place) == 0xFF) & (marker != 0xDA) & (marker != 0xD9)
        return is_head & (found < 0) & (place + 4 <= tf.size(data))

    def step(place, found):
        is_exif = (_byte(data, place + 1) == 0xE1) & _are(data, place + 4, b"Exif\0\0")
        is_padding = _byte(data, place + 1) == 0xFF
        after = place + tf.where(is_padding, 1, 2 + _big(data, place + 2, 2))
        return after, tf.where(is_exif & ~is_padding, place + 10, found)

    _, exif = tf.while_loop(unread, step, (2, _NO_EXIF))
    return _opaque(pixels), exif


def _png(encoded: tf.Tensor, data: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    is_deep_grey = (data[24] == 16) & (data[25] == 0)

    def deep_grey():  # scaled; other images of 16 bits are cut to their high bytes
        grey = tf.cast(tf.io.decode_png(encoded, 1, tf.uint16), tf.int64)
        return _opaque(tf.repeat(tf.cast((grey * 255 + 32767) // 65535, tf.uint8), 3, -1))

    def shallow():  # asked for four channels, TensorFlow leaves alpha of 1 to 4 bits unscaled
        return _with_alpha(tf.io.decode_png(encoded, 0))

    def deep():
        return tf.cond(is_deep_grey, deep_grey, lambda: tf.io.decode_png(encoded, 4))

    pixels = tf.cond(data[24] < 8, shallow, deep)

    def unread(place, found):
        return (found < 0) & (place + 12 <= tf.size(data))

    def step(place, found):
        return (
            place + 12 + tf.maximum(_big(data, place, 4), 0),
            tf.where(_are(data, place + 4, b"eXIf"), place + 8, found),
        )

    _, exif = tf.while_loop(unread, step, (8, _NO_EXIF))
    return pixels, exif


def _webp(encoded: tf.Tensor, data: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    if not hasattr(tf.io, "decode_webp"):
        return _refused("This TensorFlow reads no WebP: send JPEG or PNG.")
    pixels = tf.io.decode_webp(encoded, channels=0)
    pixels = _with_alpha(tf.reshape(pixels, tf.shape(pixels)[-3:]))

    def unread(place, found):
        return (found < 0) & (place + 8 <= tf.size(data))

    def step(place, found):
        size = tf.maximum(_little(data, place + 4, 4), 0)
        begin = place + 8 + tf.where(_are(data, place + 8, b"Exif\0\0"), 6, 0)
        found = tf.where(_are(data, place, b"EXIF"), begin, found)
        return place + 8 + size + size % 2, found

    _, exif = tf.while_loop(unread, step, (12, _NO_EXIF))
    return pixels, exif


def _gif(encoded: tf.Tensor, data: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Read the first frame; what is left out of it TensorFlow paints black, which is no answer."""

    def unread(place, holds):
        return (_byte(data, place) == 0x21) & (place < tf.size(data))

    def step(place, holds):
        is_control = _byte(data, place + 1) == 0xF9
        is_transparent = is_control & (_byte(data, place + 3) % 2 == 1)
        end = tf.while_loop(
            lambda at: (_byte(data, at) != 0) & (at < tf.size(data)),
            lambda at: (at + _byte(data, at) + 1,),
            (place + 2,),
        )[0]
        return end + 1, holds & ~is_transparent

    flags = data[10]
    table = tf.where(flags >= 128, 3 * tf.bitwise.left_shift(2, flags % 8), 0)
    place, holds = tf.while_loop(unread, step, (13 + table, True))
    corner, frame = tf.unstack(_little(data, place + tf.constant([[1, 3], [5, 7]]), 2))
    screen = _little(data, [6, 8], 2)
    whole = holds & tf.reduce_all((corner == 0) & (frame == screen))
    message = "GIF files with transparency or a frame smaller than the screen: send PNG."
    with tf.control_dependencies([tf.debugging.Assert(whole, [message])]):
        frames = tf.io.decode_gif(encoded)
    return _opaque(frames[0]), _NO_EXIF


def _bmp(encoded: tf.Tensor, data: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    numbers, bits = _little(data, [10, 14, 18, 22, 30, 54, 58, 62], 4), _little(data, 28, 2)
    begin, header, width, signed_height, packing = tf.unstack(numbers[:5])
    masks = numbers[5:]
    is_plain = (packing == 0) & tf.reduce_any(bits == [1, 4, 8, 24, 32])
    is_bgra = (packing == 3) & (bits == 32) & tf.reduce_all(masks == [0xFF0000, 0xFF00, 0xFF])
    known = (header >= 40) & (is_plain | is_bgra)
    message = "BMP files of 16 bits, of odd masks or compressed: send PNG."
    with tf.control_dependencies([tf.debugging.Assert(known, [message])]):
        height = tf.abs(signed_height)
        stride = (width * bits + 31) // 32 * 4
    rows = tf.reshape(data[begin : begin + stride * height], (height, stride))
    rows = tf.where(signed_height > 0, rows[::-1], rows)

    def indexed():
        each = 8 // bits  # pixels in a byte, the first in the highest bits
        shifts = tf.range(each - 1, -1, -1) * bits
        numbers = tf.bitwise.right_shift(rows[..., None], shifts) % tf.bitwise.left_shift(1, bits)
        numbers = tf.reshape(numbers, (height, stride * each))[:, :width]
        colors = tf.reshape(data[14 + header : 14 + header + 4 * 256][: begin - 14 - header], (-1,))
        colors = tf.reshape(colors[: tf.size(colors) // 4 * 4], (-1, 4))
        return tf.gather(colors, tf.minimum(numbers, tf.shape(colors)[0] - 1))[..., 2::-1]

    def direct():
        count = bits // 8
        return tf.reshape(rows[:, : width * count], (height, width, count))[..., 2::-1]

    def alpha():
        values = tf.reshape(rows[:, : width * 4], (height, width, 4))[..., 3:]
        return tf.ensure_shape(values, (None, None, 1))

    pixels = tf.cond(bits <= 8, indexed, direct)
    # Only a header of a later version says that there is alpha.
    has_alpha = is_bgra & (header >= 56) & (_byte(data, 69) == 0xFF)
    full = lambda: tf.fill((height, width, 1), 255)  # noqa: E731
    both = tf.concat(
        [tf.ensure_shape(pixels, (None, None, 3)), tf.cond(has_alpha, alpha, full)], -1
    )
    return tf.cast(both, tf.uint8), _NO_EXIF


# Bytes ------------------------------------------------------------------------------------


def _bytes(data: tf.Tensor, place: Any, count: int) -> tf.Tensor:
    """Return the bytes from a place on, along a new last axis; those outside the file read 0."""
    places = tf.expand_dims(place, -1) + list(range(count))
    inside = (places >= 0) & (places < tf.size(data))
    return tf.where(inside, tf.gather(data, tf.where(inside, places, 0)), 0)


def _byte(data: tf.Tensor, place: Any) -> tf.Tensor:
    return _bytes(data, place, 1)[..., 0]


def _big(data: tf.Tensor, place: Any, count: int) -> tf.Tensor:
    powers = [256**at for at in reversed(range(count))]
    return tf.reduce_sum(_bytes(data, place, count) * powers, -1)  # int32, and so is the sign


def _little(data: tf.Tensor, place: Any, count: int) -> tf.Tensor:
    powers = [256**at for at in range(count)]
    return tf.reduce_sum(_bytes(data, place, count) * powers, -1)


def _are(data: tf.Tensor, place: Any, expected: bytes) -> tf.Tensor:
    return tf.reduce_all(_bytes(data, place, len(expected)) == list(expected))


def _orientation(data: tf.Tensor, exif: tf.Tensor) -> tf.Tensor:
    """Return the EXIF orientation, 1 to 8, of the notes that begin at a byte, 1 where none do."""
    is_little = _are(data, exif, b"II")

    def number(place, count):
        powers = [256**at for at in range(count)]
        powers = tf.where(is_little, powers, powers[::-1])
        return tf.reduce_sum(_bytes(data, place, count) * powers, -1)

    is_exif = (exif >= 0) & (_are(data, exif, b"II*\0") | _are(data, exif, b"MM\0*"))
    directory = exif + number(exif + 4, 4)
    count = tf.where(is_exif, tf.clip_by_value(number(directory, 2), 0, _MOST_TAGS), 0)
    entries = directory + 2 + 12 * tf.range(count)
    values = tf.where(
        number(entries + 2, 2) == _SHORT, number(entries + 8, 2), number(entries + 8, 4)
    )
    found = tf.where(number(entries, 2) == _ORIENTATION, values, 0)
    value = tf.reduce_max(tf.concat([found, [1]], 0))
    return tf.where(value <= 8, value, 1)


def _upright(pixels: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    pixels = tf.cond(orientation >= 5, lambda: tf.transpose(pixels, (1, 0, 2)), lambda: pixels)
    for axis, turned in ((0, (3, 4, 7, 8)), (1, (2, 3, 6, 7))):
        is_turned = tf.reduce_any(orientation == list(turned))
        pixels = _reversed_where(pixels, axis, is_turned)
    return pixels


def _reversed_where(pixels: tf.Tensor, axis: int, condition: tf.Tensor) -> tf.Tensor:
    return tf.cond(condition, lambda: tf.reverse(pixels, [axis]), lambda: pixels)


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
