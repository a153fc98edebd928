"""Images in the light and colours of others: low frequencies exchanged."""

import tensorflow as tf


def fourier_adaptation(images: tf.Tensor, styles: tf.Tensor, share: float = 0.01) -> tf.Tensor:
    """Give images the low frequencies' amplitudes of other images, of each channel by itself.

    Phases stay, and with them what is where; light, colour and haze become the other images'.

    Reference: Yang & Soatto, "FDA: Fourier Domain Adaptation for Semantic Segmentation", CVPR
    2020, who take shares of 0.01 to 0.09.

    Args:
        images: uint8 tensor `(batch, height, width, channels)`.
        styles: uint8 tensor `(others, height, width, channels)`; image `i` takes the amplitudes
            of `styles[i % others]`.
        share: Frequencies of up to this share of the shorter side are exchanged, in cycles an
            image along height and along width; of less than one cycle: the mean alone. 0..0.5.

    Returns:
        uint8 tensor of the shape of `images`. What leaves 0..255 is cut off.

    Raises:
        ValueError: When `share` is out of its range, or images and styles differ in size.
    """
    if not 0 <= share <= 0.5:
        raise ValueError(f"`share` must lie in 0..0.5. Received: {share}")
    if images.shape[1:] != styles.shape[1:]:
        raise ValueError(
            "Images and styles must have one height, width and number of channels. Received: "
            f"{tuple(images.shape[1:])} and {tuple(styles.shape[1:])}"
        )
    height, width = images.shape[1], images.shape[2]
    styles = tf.gather(styles, tf.range(tf.shape(images)[0]) % tf.shape(styles)[0])
    ours, theirs = (_spectrum(batch) for batch in (images, styles))
    limit = int(share * min(height, width))
    rows = tf.range(height)
    low_rows = tf.minimum(rows, height - rows) <= limit  # the upper half are negative frequencies
    low = low_rows[:, None] & (tf.range(width // 2 + 1) <= limit)
    amplitude = tf.where(low, tf.abs(theirs), tf.abs(ours))
    mixed = tf.cast(amplitude, "complex64") * tf.exp(tf.complex(0.0, tf.math.angle(ours)))
    found = tf.signal.irfft2d(mixed, [height, width])
    found = tf.transpose(found, [0, 2, 3, 1])
    return tf.cast(tf.clip_by_value(tf.round(found), 0, 255), "uint8")


def _spectrum(images: tf.Tensor) -> tf.Tensor:
    """Return the transform of each channel, `(batch, channels, height, width // 2 + 1)`."""
    return tf.signal.rfft2d(tf.transpose(tf.cast(images, "float32"), [0, 3, 1, 2]))
