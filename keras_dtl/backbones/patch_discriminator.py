import keras
from keras import layers

from keras_dtl.backbones.convolution import (
    check_normalization,
    convolution,
    leaky,
    normalize,
)

WIDEST = 8  # times `filters`: where the number of channels stops to double
STRIDED_CONVOLUTIONS = {1: 0, 16: 1, 34: 2, 70: 3, 142: 4, 286: 5}
"""Receptive field in pixels to the number of convolutions of stride 2."""


def patch_discriminator(
    input_shape=(256, 256, 3),
    receptive_field=70,
    filters=64,
    normalization: str | None = "batch",
    name="patch_discriminator",
):
    """Return PatchGAN: a map of logits, each of which judges one patch of the image.

    4x4 convolutions with zero padding of 1, of stride 2 but for the last two, and leaky ReLU;
    for a receptive field of 1, three 1x1 convolutions. No normalisation on the first map. The
    layout is that of the published PyTorch network, so its weights fit.

    To judge pairs, as pix2pix does, give it the channels of both images together.

    Reference: Isola, Zhu, Zhou & Efros, "Image-to-Image Translation with Conditional
    Adversarial Networks", CVPR 2017, section 6.1.2.

    Args:
        input_shape: `(height, width, channels)` of images in -1..1.
        receptive_field: Side of a patch in pixels: 1, 16, 34, 70, 142 or 286.
        filters: Channels of the first map; they double until eight times as many.
        normalization: `"batch"` (pix2pix), `"instance"` (CycleGAN), or `None`, which suits a
            gradient penalty.
        name: Name of the model.

    Returns:
        A functional Keras model from images to logits `(batch, rows, columns, 1)`.
    """
    check_normalization(normalization)
    if receptive_field not in STRIDED_CONVOLUTIONS:
        raise ValueError(
            f"`receptive_field` must be one of {sorted(STRIDED_CONVOLUTIONS)}. "
            f"Received: {receptive_field!r}"
        )
    image = keras.Input(input_shape, name="image")
    if receptive_field == 1:
        x = _pixelwise(image, filters, normalization)
    else:
        strided = STRIDED_CONVOLUTIONS[receptive_field]
        _check_size(input_shape, strided, receptive_field)
        x = _patchwise(image, filters, strided, normalization)
    # Losses are sums of small numbers: in float32 whatever the policy.
    logits = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(image, logits, name=name)


def _pixelwise(x, filters, normalization):
    x = leaky(convolution(filters, 1)(x))
    x = convolution(2 * filters, 1, 1, normalization)(x)
    return convolution(1, 1)(leaky(normalize(x, normalization)))


def _patchwise(x, filters, strided, normalization):
    for level in range(strided + 1):
        kind = normalization if level else None
        stride = 2 if level < strided else 1
        width = filters * min(2**level, WIDEST)
        x = convolution(width, 4, stride, kind)(layers.ZeroPadding2D(1)(x))
        x = leaky(normalize(x, kind))
    return convolution(1, 4)(layers.ZeroPadding2D(1)(x))


def _check_size(input_shape, strided, receptive_field):
    smallest = 3 * 2**strided
    if any(size is not None and size < smallest for size in input_shape[:2]):
        raise ValueError(
            f"A receptive field of {receptive_field} needs images of at least {smallest} pixels. "
            f"Received: input_shape={tuple(input_shape)}. Choose a smaller receptive field."
        )
