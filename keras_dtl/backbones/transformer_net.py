import keras
from keras import layers

from keras_dtl.layers import (
    ConditionalInstanceNormalization,
    InstanceNormalization,
    ReflectionPadding2D,
    RepeatPixels,
)

CHANGE = 0.2
"""What the last convolution is multiplied by. An optimizer such as Adam moves each of its
81 x filters weights by about the learning rate at once: in full, the first steps would turn whole
regions black or white, which a net that ends in tanh leaves for thousands of steps."""


def transformer_net(
    input_shape=(None, None, 3), filters=32, blocks=5, num_styles=1, name="transformer_net"
):
    """Return the image transformation network of Johnson et al.: a photo in, the picture out.

    Two halvings, residual blocks, two doublings; the result is a change that is added to the
    photo, so that training begins at the photo itself and takes hundreds of steps, not tens of
    thousands. Each convolution but the last is followed by
    instance normalisation (Ulyanov et al. 2016) and, but at the end of a block, by ReLU.

    Reference: Johnson, Alahi & Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and
    Super-Resolution", ECCV 2016.

    Differs from the paper: the photo is added, in place of a scaled tanh; instance in place of
    batch normalisation; mirrored padding at every convolution; the image is doubled by repeating
    pixels before a convolution instead of by a convolution of stride 1/2, which draws
    checkerboards (Odena, Dumoulin & Olah 2016).

    Args:
        input_shape: `(height, width, 3)` of images in -1..1. Height and width must be multiples
            of 4, and at least 8; they may be None.
        filters: Channels of the first map; the paper's 32, fewer for speed.
        blocks: How many residual blocks.
        num_styles: With more than one, the network takes `[image, style]`, where `style` has a
            weight for each style, `(batch, num_styles)`.
        name: Name of the model.

    Returns:
        A functional Keras model to images of the same size, roughly in -1..1.
    """
    if any(size is not None and (size % 4 or size < 8) for size in input_shape[:2]):
        raise ValueError(
            "Height and width must be multiples of 4, and at least 8, where the padding of the "
            f"innermost maps still fits. Received: input_shape={tuple(input_shape)}"
        )
    image = keras.Input(input_shape, name="image")
    style = keras.Input((num_styles,), name="style") if num_styles > 1 else None
    x = _activate(_convolution(image, filters, 9), style)
    for level in (2, 4):
        x = _activate(_convolution(x, filters * level, 3, strides=2), style)
    for _ in range(blocks):
        x = _block(x, 4 * filters, style)
    for level in (2, 1):
        x = _activate(_convolution(RepeatPixels()(x), filters * level, 3), style)
    x = _convolution(x, 3, 9, use_bias=True)
    x = layers.Rescaling(CHANGE, dtype="float32", name="change")(x)
    x = layers.Add(dtype="float32", name="generated")([image, x])
    return keras.Model(image if style is None else [image, style], x, name=name)


def _convolution(x, filters, size, strides=1, use_bias=False):
    x = ReflectionPadding2D(size // 2)(x)
    # No bias where the normalisation that follows would subtract it.
    return layers.Conv2D(filters, size, strides=strides, use_bias=use_bias)(x)


def _normalize(x, style):
    if style is None:
        return InstanceNormalization()(x)
    return ConditionalInstanceNormalization()([x, style])


def _activate(x, style):
    return layers.ReLU()(_normalize(x, style))


def _block(x, filters, style):
    y = _activate(_convolution(x, filters, 3), style)
    y = _normalize(_convolution(y, filters, 3), style)
    return layers.Add()([x, y])
