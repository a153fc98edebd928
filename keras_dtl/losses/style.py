import tensorflow as tf

LOSS_SCALES = ("paper", "gatys_torch", "johnson", "relative")


def content_loss(features, target, scale="paper"):
    """Squared distance of the features of an image from those of the content.

    Published programs divide by different numbers, so a weight of the loss means nothing
    without its scale. `d` are the differences, `N` channels at `M` positions:

    - `"paper"`: half the sum of `d^2`;
    - `"gatys_torch"`, `"johnson"`: the mean of `d^2`;
    - `"relative"`: `sum d^2` divided by the sum of the squared target, of each image by itself.

    Reference: Gatys, Ecker & Bethge, "Image Style Transfer Using Convolutional Neural
    Networks", CVPR 2016, equation 1.

    Args:
        features: Tensor `(batch, height, width, channels)`.
        target: Tensor of the same shape.
        scale: One of `LOSS_SCALES`.

    Returns:
        Scalar float32 tensor, the mean over the batch.
    """
    _check(scale)
    features, target = tf.cast(features, "float32"), tf.cast(target, "float32")
    difference = features - target
    if scale == "relative":
        return _relative(difference, target)
    if scale == "paper":
        return 0.5 * tf.reduce_sum(tf.square(difference)) / _size(difference, 0)
    return tf.reduce_mean(tf.square(difference))


def style_loss(gram, target, scale="paper"):
    """Squared distance of two Gram matrices: of what occurs together, wherever it does.

    Both are divided by the number of positions beforehand (`GramMatrix("positions")`), so that
    images of different sizes compare. With `N` channels and `d` the differences:

    - `"paper"`: `sum d^2 / (4 N^2)`, which is its equation 4 where both images have one size;
    - `"gatys_torch"`: `mean d^2 / N^2`: the authors' later program, whose layer weights
      `1000 / N^2` are the weight 1000 here;
    - `"johnson"`: the mean of `d^2` after a further division of both matrices by `N`, as in
      jcjohnson/neural-style, which is the same number;
    - `"relative"`: `sum d^2` divided by the sum of the squared target. All layers then count
      alike, whatever the network; in the other scales one of them may outweigh the rest by a
      thousand times.

    Reference: Gatys, Ecker & Bethge, CVPR 2016, equations 3 to 5.

    Args:
        gram: Tensor `(batch, channels, channels)`, divided by height x width.
        target: Tensor of a shape that broadcasts to it.
        scale: One of `LOSS_SCALES`.

    Returns:
        Scalar float32 tensor, the mean over the batch.
    """
    _check(scale)
    gram, target = tf.cast(gram, "float32"), tf.cast(target, "float32")
    difference = gram - target
    if scale == "relative":
        return _relative(difference, target)
    total = tf.reduce_sum(tf.square(difference)) / _size(difference, 0)
    channels = _size(difference, -1)
    return total / (4 * channels**2) if scale == "paper" else total / channels**4


def total_variation(images, scale="johnson"):
    """Half the sum of squared differences between neighbouring pixels: the roughness of images.

    Its gradient is that of jcjohnson/neural-style's term. Under the scale `"relative"` it is
    divided by the number of values, so that a weight means the same for images of any size.

    Args:
        images: Tensor `(batch, height, width, channels)`.
        scale: One of `LOSS_SCALES`.

    Returns:
        Scalar float32 tensor, the mean over the batch.
    """
    _check(scale)
    images = tf.cast(images, "float32")
    down = images[:, 1:] - images[:, :-1]
    right = images[:, :, 1:] - images[:, :, :-1]
    total = 0.5 * (tf.reduce_sum(tf.square(down)) + tf.reduce_sum(tf.square(right)))
    return total / (
        tf.cast(tf.size(images), "float32") if scale == "relative" else _size(images, 0)
    )


def _relative(difference, target):
    inner = range(1, len(difference.shape))
    distance, size = (tf.reduce_sum(tf.square(x), inner) for x in (difference, target))
    return tf.reduce_mean(distance / tf.maximum(size, 1e-12))


def _size(tensor, axis):
    return tf.cast(tf.shape(tensor)[axis], "float32")


def _check(scale):
    if scale not in LOSS_SCALES:
        raise ValueError(f"`scale` must be one of {LOSS_SCALES}. Received: {scale!r}")
