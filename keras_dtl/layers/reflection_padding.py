import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_dtl")
class ReflectionPadding2D(keras.layers.Layer):
    """Pads height and width with the mirror image of what is inside, the edge not repeated.

    Padding with zeros draws a frame around generated images; mirrored content does not.

    Args:
        padding: How many rows and columns are added: a whole number for all four sides,
            `(height, width)`, or `((top, bottom), (left, right))`.

    Call arguments:
        images: Tensor of shape `(batch, height, width, channels)`. Height and width must each
            be larger than the padding on either of their sides.

    Output shape: `(batch, height + top + bottom, width + left + right, channels)`.
    """

    def __init__(self, padding: int | tuple = 1, **kwargs):
        super().__init__(**kwargs)
        self.padding = _four_sides(padding)

    def call(self, images):
        rows, columns = self.padding
        return ops.pad(images, ((0, 0), rows, columns, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape):
        batch, *sizes, channels = input_shape
        padded = (_pad(size, sides) for size, sides in zip(sizes, self.padding, strict=True))
        return (batch, *padded, channels)

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}


def _four_sides(padding):
    if isinstance(padding, int):
        padding = (padding, padding)
    try:
        rows, columns = ((p, p) if isinstance(p, int) else tuple(p) for p in padding)
        numbers = [int(number) for number in (*rows, *columns)]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != 4 or min(numbers) < 0:
        raise ValueError(
            "`padding` must be a whole number, (height, width) or ((top, bottom), (left, right)), "
            f"none of them negative. Received: padding={padding!r}"
        )
    return tuple(numbers[:2]), tuple(numbers[2:])


def _pad(size, sides):
    if size is None:
        return None
    if size <= max(sides):
        raise ValueError(
            f"Mirroring {max(sides)} rows or columns needs an image of at least {max(sides) + 1}. "
            f"Received: {size}. Use larger images or less padding."
        )
    return size + sum(sides)
