import keras
from keras import layers

from keras_dtl.layers import from_pixels

SMALLEST = 16
"""Side of the smallest images of which anything is left after two convolutions and poolings."""


def lenet(input_shape=(28, 28, 3), filters=(32, 48), pooling="flatten", name="lenet"):
    """Return the convolutional part of the digit network of Ganin et al. (2016), section 5.2.2.

    Two 5x5 convolutions without padding, each followed by 2x2 max pooling and ReLU. At 28x28
    the features have 768 numbers.

    Args:
        input_shape: `(height, width, channels)` of uint8 images in 0..255. Height and width may
            be `None` when `pooling` is `"average"`; otherwise each must be at least 16.
        filters: Channels of the two convolutions.
        pooling: How maps become a vector: `"flatten"`, as in the paper, or `"average"` over all
            positions, which admits images of any size.
        name: Name of the model.

    Returns:
        A functional Keras model from images to features `(batch, features)`.
    """
    sides = [side for side in input_shape[:2] if side is not None]
    if sides and min(sides) < SMALLEST:
        raise ValueError(
            f"lenet needs images of at least {SMALLEST} pixels a side. Received: "
            f"input_shape={tuple(input_shape)}. Pass a larger --image-size, or another backbone."
        )
    image = keras.Input(input_shape, dtype="uint8", name="image")
    x = from_pixels(image)
    for count in filters:
        x = layers.Conv2D(count, 5)(x)
        # ReLU after pooling: the same function and gradient on a quarter of the numbers.
        x = layers.ReLU()(layers.MaxPooling2D(2)(x))
    reduce = {"flatten": layers.Flatten, "average": layers.GlobalAveragePooling2D}
    if pooling not in reduce:
        raise ValueError(f"`pooling` must be one of {sorted(reduce)}. Received: {pooling!r}")
    return keras.Model(image, reduce[pooling]()(x), name=name)
