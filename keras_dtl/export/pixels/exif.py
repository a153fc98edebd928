"""The EXIF orientation of an image file, looked up within TensorFlow's graph.

JPEG, PNG and WebP files are chains of parts, each with a mark and a length. One loop goes through
all three, with what differs in the rows of a table.
"""

import tensorflow as tf

_JPEG, _CHAINED = 0, 3  # the number of JPEG, and of the kinds that have such parts
_MOST_TAGS = 1000
_ORIENTATION, _SHORT, _LONG = 0x0112, 3, 4
_PREFIX = b"Exif\0\0"
_MARKS = (b"\xff\xe1", b"eXIf", b"EXIF")
# Where the first part begins; where in a part its mark, its length and its notes stand; how many
# bytes it has beside its length, of which multiple that is; how long its mark is.
_CHAINS = (
    (2, 0, 2, 4, 2, 1, 2),
    (8, 4, 0, 8, 12, 1, 4),
    (12, 0, 4, 8, 8, 2, 4),
)
_LITTLE, _BIG = (1, 1 << 8, 1 << 16, 1 << 24), (1 << 24, 1 << 16, 1 << 8, 1)
_LENGTHS = ((1 << 8, 1, 0, 0), _BIG, _LITTLE)


def orientation(file: tf.Tensor, size: tf.Tensor, kind: tf.Tensor) -> tf.Tensor:
    """Return the EXIF orientation of a file, 1 to 8, and 1 where there is none.

    Args:
        file: Scalar string, with at least 20 more bytes behind its own.
        size: Scalar, how many bytes are its own.
        kind: Scalar, 0 for JPEG, 1 for PNG, 2 for WebP, more for those without EXIF.
    """
    begin = _notes(file, size, kind)
    mark = tf.strings.substr(file, tf.maximum(begin, 0), 4)
    is_exif = (begin >= 0) & tf.reduce_any(mark == [b"II*\0", b"MM\0*"])
    weights = tf.gather([_weights(_LITTLE), _weights(_BIG)], tf.cast(mark == b"MM\0*", tf.int32))

    def entries(places):
        """Return tag, type, short and long value of the twelve bytes at each place."""
        places = tf.clip_by_value(places, 0, size)
        texts = tf.strings.substr(file, places, tf.fill(tf.shape(places), 12))
        values = tf.cast(tf.reshape(tf.io.decode_raw(texts, tf.uint8), (-1, 12)), tf.int32)
        return tf.unstack(tf.linalg.matmul(values, weights), 4, axis=1)

    # The offset of the directory, and the number of its entries, read as parts of an entry.
    directory = begin + entries(tf.reshape(begin - 4, (1,)))[3]
    count = tf.clip_by_value(entries(directory)[0], 0, _MOST_TAGS)
    count = tf.where(is_exif, tf.reshape(count, ()), 0)
    tag, kind, short, long = entries(directory + 2 + 12 * tf.range(count))
    values = tf.where(kind == _SHORT, short, tf.where(kind == _LONG, long, 0))
    values = tf.where(tag == _ORIENTATION, values, 0)
    value = tf.reduce_max(tf.concat([values, [1]], 0))
    return tf.where(value <= 8, value, 1)


def _weights(order: tuple[int, ...]) -> list[list[int]]:
    """Return what an entry's bytes count in tag, type, short and long value: `(12, 4)`."""
    short = _LITTLE[:2] if order == _LITTLE else _BIG[2:]
    places = ((0, short), (2, short), (8, short), (8, order))
    columns = [[0] * at + [*values] + [0] * (12 - at - len(values)) for at, values in places]
    return [list(row) for row in zip(*columns, strict=True)]


def _notes(file: tf.Tensor, size: tf.Tensor, kind: tf.Tensor) -> tf.Tensor:
    """Return where in a file its EXIF notes begin, or -1."""
    chain, is_jpeg = tf.minimum(kind, _CHAINED - 1), kind == _JPEG
    row, mark = tf.gather(_CHAINS, chain), tf.gather(_MARKS, chain)
    begin, mark_at, length_at, notes_at, beside, multiple, long = tf.unstack(row)
    weights = tf.gather(_LENGTHS, chain)

    def unread(place, found):
        return (found < 0) & (place + 4 <= size)

    def step(place, found):
        four = tf.strings.substr(file, place + tf.stack([0, length_at]), [4, 4])
        head, length = tf.unstack(tf.cast(tf.io.decode_raw(four, tf.uint8), tf.int32), 2)
        first, second, _, _ = tf.unstack(head, 4)
        length = tf.maximum(tf.reduce_sum(length * weights), 0)
        length += -length % multiple
        # A JPEG file fills up with 0xFF, and its chain ends where the pixels begin.
        is_filled = is_jpeg & (second == 0xFF)
        ends = is_jpeg & ((first != 0xFF) | (second == 0xDA) | (second == 0xD9))
        after = place + tf.where(is_filled, 1, beside + length)
        places = place + tf.stack([mark_at, notes_at])
        texts = tf.strings.substr(file, places, tf.stack([long, len(_PREFIX)]))
        is_marked, has_prefix = tf.unstack(texts == tf.stack([mark, _PREFIX]))
        notes = place + notes_at + tf.where(has_prefix, len(_PREFIX), 0)
        return (
            tf.where(ends | (after <= place), size, after),  # not beyond what a number holds
            tf.where(is_marked & (has_prefix | ~is_jpeg), notes, -1),
        )

    start = tf.where(kind < _CHAINED, begin, size)
    return tf.while_loop(unread, step, (start, -1))[1]
