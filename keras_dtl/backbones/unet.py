import keras
from keras import layers

from keras_dtl.backbones.convolution import (
    check_normalization,
    convolution,
    leaky,
    normalize,
    tanh_output,
)

WIDEST = 8  # times `filters`: where the number of channels stops to double
NOISY_MAPS = 3


def unet(
    input_shape=(256, 256, 3),
    output_channels=3,
    filters=64,
    depth=None,
    normalization: str | None = "batch",
    dropout=0.5,
    name="unet",
):
    """Return the generator of pix2pix: an encoder and a decoder that see each other's maps.

    `depth` times a 4x4 convolution halves the image, down to 1x1 by default, and as many
    transposed ones double it again; each receives the encoder's map of the same size beside the
    decoder's. No normalisation on the first map nor, by the authors' amendment, on the last:
    of a single position nothing but the offset would be left. Strides and padding are those of
    the published PyTorch network, so its weights fit.

    Reference: Isola, Zhu, Zhou & Efros, "Image-to-Image Translation with Conditional
    Adversarial Networks", CVPR 2017, section 6.1.

    Differs from the paper: a convolution has no bias where a normalisation follows.

    Args:
        input_shape: `(height, width, channels)` of images in -1..1. Height and width must be
            multiples of 2 to the power of `depth`.
        output_channels: Channels of the generated image.
        filters: Channels of the first map; they double until eight times as many.
        depth: How many times the image is halved: 8 for 256 pixels. By default until the
            shorter side is 1, which takes a power of two.
        normalization: `"batch"`, as in the paper, `"instance"`, or `None`.
        dropout: Share of numbers dropped in the decoder's three innermost maps: the paper's only
            source of noise.
        name: Name of the model.

    Returns:
        A functional Keras model from images to images of the same size in -1..1.
    """
    check_normalization(normalization)
    depth = depth or _depth_of(input_shape)
    _check_size(input_shape, depth)
    widths = [filters * min(2**level, WIDEST) for level in range(depth)]
    image = x = keras.Input(input_shape, name="image")
    maps = []
    for level, width in enumerate(widths):
        kind = normalization if 0 < level < depth - 1 else None
        x = convolution(width, 4, 2, kind, padding="same")(leaky(x) if level else x)
        x = normalize(x, kind)
        maps.append(x)
    for level in reversed(range(1, depth)):
        x = convolution(widths[level - 1], 4, 2, normalization, transposed=True, padding="same")(
            layers.ReLU()(x)
        )
        x = normalize(x, normalization)
        if dropout and level >= depth - NOISY_MAPS:
            x = layers.Dropout(dropout)(x)
        x = layers.Concatenate()([maps[level - 1], x])
    x = layers.ReLU()(x)
    x = convolution(output_channels, 4, 2, transposed=True, padding="same")(x)
    return keras.Model(image, tanh_output(x), name=name)


def _depth_of(input_shape):
    side = min(input_shape[:2], key=lambda size: size or 0)
    if not side or side & (side - 1) or side < 4:
        raise ValueError(
            "The default depth of a U-Net needs a side that is a power of two, 4 or more. "
            f"Received: input_shape={tuple(input_shape)}. Pass `depth`, or resize the images."
        )
    return side.bit_length() - 1


def _check_size(input_shape, depth):
    multiple = 2**depth
    if depth < 2 or any(size is not None and size % multiple for size in input_shape[:2]):
        raise ValueError(
            f"A U-Net of depth {depth} (2 or more) takes heights and widths that are multiples "
            f"of {multiple}. Received: input_shape={tuple(input_shape)}. Pass a smaller `depth`."
        )
