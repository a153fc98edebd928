import keras


def from_pixels(image, name=None):
    """Return symbolic images as networks in -1..1 take them: the opposite of `ToPixels`.

    Args:
        image: Keras tensor `(batch, height, width, channels)` of any type, in 0..255.
        name: Name of the layer.

    Returns:
        Keras tensor of the same shape in -1..1, in the type that the policy computes in.

    Example:

    ```python
    import keras
    from keras_dtl.layers import ToPixels, from_pixels

    image = keras.Input((None, None, 3), dtype="uint8")
    model = keras.Model(image, ToPixels()(from_pixels(image)))
    ```
    """
    return keras.layers.Rescaling(1 / 127.5, offset=-1.0, name=name)(image)
