import keras
from keras import layers

SMALLEST_MAP = 4
"""Side below which maps are not halved any more."""


def stage_net(input_shape, filters=(32, 48, 64, 96, 128, 128), groups=8, name="stage_net"):
    """Return a small encoder of photos, which learns from a few hundred images of any size.

    Each stage is a 3x3 convolution, group normalisation, 2x2 max pooling and ReLU. There are as
    many stages as it takes until maps are `SMALLEST_MAP` to twice that a side, which are then
    averaged over cells to about `SMALLEST_MAP`: the features are about as many at 32 pixels as at
    224, and as large, since every stage normalises. So one learning rate does for all sizes, where
    `lenet`, whose features grow with the area of the image, diverges from 64 pixels on.

    Groups are normalised within each image: batches of two domains do not mix, and training and
    inference compute the same.

    Reference: Wu & He, "Group Normalization", ECCV 2018.

    Args:
        input_shape: `(height, width, channels)` of uint8 images in 0..255, at least 8 a side.
        filters: Channels of each stage, multiples of `groups`; the last ones serve large images.
        groups: Groups that the channels of a stage are normalised in.
        name: Name of the model.

    Returns:
        A functional Keras model from images to features `(batch, features)`.

    Raises:
        ValueError: When the images are smaller than 8 pixels, or no fixed size is given.
    """
    _check(input_shape)
    image = keras.Input(input_shape, dtype="uint8", name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(image)
    for index, count in enumerate(filters, 1):
        if index > 1 and min(x.shape[1:3]) < 2 * SMALLEST_MAP:
            break
        x = layers.Conv2D(count, 3, padding="same", use_bias=False, name=f"conv_{index}")(x)
        x = layers.GroupNormalization(groups, name=f"norm_{index}")(x)
        # ReLU after pooling: the same function and gradient on a quarter of the numbers.
        x = layers.ReLU()(layers.MaxPooling2D(2)(x))
    cell = [max(1, round(side / SMALLEST_MAP)) for side in x.shape[1:3]]
    x = layers.AveragePooling2D(cell)(x)
    return keras.Model(image, layers.Flatten()(x), name=name)


def _check(input_shape):
    height, width, _ = input_shape
    if None in (height, width) or min(height, width) < 2 * SMALLEST_MAP:
        raise ValueError(
            f"stage_net needs images of a fixed size of at least {2 * SMALLEST_MAP} pixels. "
            f"Received: input_shape={tuple(input_shape)}. Pass another image size."
        )
