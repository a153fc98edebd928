import keras
from keras import layers

from keras_dtl.layers import from_pixels


def conv_net(input_shape=(28, 28, 3), filters=(16, 16, 32, 32, 64, 64), hidden=(64,), name="net"):
    """Return a plain convolutional encoder, deep enough to ask each layer what it learnt.

    3x3 convolutions with ReLU, the image halved after every second one, then fully connected
    layers. Without normalisation, as the network of Yosinski et al. (2014): what a layer
    computes depends on the layers below and on nothing else.

    Args:
        input_shape: `(height, width, channels)` of uint8 images in 0..255; height and width at
            least 2 to the power of half the number of convolutions.
        filters: Channels of each convolution.
        hidden: Sizes of the fully connected layers, possibly none.
        name: Name of the model.

    Returns:
        A functional Keras model from images to features; its layers with weights are called
        `conv_1`, `conv_2` ... and `dense_1` ...
    """
    least = 2 ** (len(filters) // 2)
    if min(input_shape[:2]) < least:
        raise ValueError(
            f"{len(filters)} convolutions halve the image {len(filters) // 2} times. Received: "
            f"input_shape={tuple(input_shape)}. Expected at least {least} pixels a side."
        )
    start = {"kernel_initializer": "he_normal", "activation": "relu"}
    image = keras.Input(input_shape, dtype="uint8", name="image")
    x = from_pixels(image)
    for index, count in enumerate(filters, 1):
        x = layers.Conv2D(count, 3, padding="same", name=f"conv_{index}", **start)(x)
        if index % 2 == 0:
            x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    for index, units in enumerate(hidden, 1):
        x = layers.Dense(units, name=f"dense_{index}", **start)(x)
    return keras.Model(image, x, name=name)
