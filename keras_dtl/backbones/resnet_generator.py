import keras
from keras import layers

from keras_dtl.backbones.convolution import (
    check_normalization,
    convolution,
    normalize,
    tanh_output,
)
from keras_dtl.layers import ReflectionPadding2D, RepeatPixels

UPSAMPLINGS = ("transposed", "resize")
PADDINGS = {"reflect": ReflectionPadding2D, "zero": layers.ZeroPadding2D}


def resnet_generator(
    input_shape=(256, 256, 3),
    output_channels=3,
    filters=64,
    blocks=9,
    normalization: str | None = "instance",
    padding="reflect",
    dropout=0.0,
    upsampling="transposed",
    name="resnet_generator",
):
    """Return the generator of CycleGAN: two halvings, residual blocks, two doublings.

    The authors take 9 blocks for images of 256 pixels and more, 6 for 128. All padding is
    explicit and as in the published PyTorch network, so its weights fit: Keras' `"same"` pads
    strided and transposed 3x3 convolutions on the other side.

    Reference: Zhu, Park, Isola & Efros, "Unpaired Image-to-Image Translation using
    Cycle-Consistent Adversarial Networks", ICCV 2017, after Johnson et al. 2016.

    Differs from the published network: a convolution has no bias where a normalisation follows,
    which would subtract it.

    Args:
        input_shape: `(height, width, channels)` of images in -1..1. Height and width must be
            multiples of 4, and at least 8.
        output_channels: Channels of the generated image.
        filters: Channels of the first and of the last map.
        blocks: How many residual blocks.
        normalization: `"instance"`, as in the paper, `"batch"`, or `None`.
        padding: `"reflect"`, as in the paper, or `"zero"`, at the two ends and in the blocks.
        dropout: Share of numbers dropped within each block; the paper drops none.
        upsampling: How maps are doubled: by `"transposed"` convolutions, as in the paper, which
            reach some pixels more often than others and may draw checkerboards; or by `"resize"`,
            which repeats pixels before a convolution (Odena, Dumoulin & Olah 2016).
        name: Name of the model.

    Returns:
        A functional Keras model from images to images of the same size in -1..1.
    """
    check_normalization(normalization)
    _check(input_shape, padding, upsampling)
    pad = PADDINGS[padding]
    image = keras.Input(input_shape, name="image")
    x = pad(3)(image)
    x = _activate(convolution(filters, 7, 1, normalization)(x), normalization)
    for level in (2, 4):
        x = layers.ZeroPadding2D(1)(x)
        x = convolution(filters * level, 3, 2, normalization)(x)
        x = _activate(x, normalization)
    for _ in range(blocks):
        x = _block(x, 4 * filters, normalization, pad, dropout)
    for level in (2, 1):
        x = _double(x, filters * level, normalization, pad, upsampling)
        x = _activate(x, normalization)
    x = convolution(output_channels, 7)(pad(3)(x))
    return keras.Model(image, tanh_output(x), name=name)


def _activate(x, normalization):
    return layers.ReLU()(normalize(x, normalization))


def _double(x, filters, normalization, pad, upsampling):
    if upsampling == "resize":
        return convolution(filters, 3, 1, normalization)(pad(1)(RepeatPixels()(x)))
    x = convolution(filters, 3, 2, normalization, transposed=True)(x)
    # PyTorch's padding=1, output_padding=1: the whole result but its first row and column.
    return layers.Cropping2D(((1, 0), (1, 0)))(x)


def _block(x, filters, normalization, pad, dropout):
    y = convolution(filters, 3, 1, normalization)(pad(1)(x))
    y = _activate(y, normalization)
    if dropout:
        y = layers.Dropout(dropout)(y)
    y = convolution(filters, 3, 1, normalization)(pad(1)(y))
    return layers.Add()([x, normalize(y, normalization)])


def _check(input_shape, padding, upsampling):
    if padding not in PADDINGS:
        raise ValueError(f"`padding` must be one of {sorted(PADDINGS)}. Received: {padding!r}")
    if upsampling not in UPSAMPLINGS:
        raise ValueError(f"`upsampling` must be one of {UPSAMPLINGS}. Received: {upsampling!r}")
    if any(size is not None and (size % 4 or size < 8) for size in input_shape[:2]):
        raise ValueError(
            "Height and width must be multiples of 4, and at least 8, where the padding of the "
            f"innermost maps still fits. Received: input_shape={tuple(input_shape)}"
        )
