import keras
from keras import ops

NORMALIZATIONS = (None, "positions", "elements")


@keras.saving.register_keras_serializable("keras_dtl")
class GramMatrix(keras.layers.Layer):
    """The products of every pair of channels, summed over all positions of an image.

    It keeps which features occur together and forgets where: the description of style of
    Gatys et al. Sums are taken in float32 whatever the policy, since those over a large
    image leave the range of float16.

    Reference: Gatys, Ecker & Bethge, "Image Style Transfer Using Convolutional Neural
    Networks", CVPR 2016.

    Args:
        normalization: What the sums are divided by. `None` leaves them as in the paper;
            `"positions"` divides by height x width, as the authors' later code does;
            `"elements"` divides by height x width x channels (Johnson et al. 2016).

    Call arguments:
        features: Tensor of shape `(batch, height, width, channels)`.

    Output shape: `(batch, channels, channels)`, float32, symmetric.
    """

    def __init__(self, normalization=None, **kwargs):
        super().__init__(**kwargs)
        if normalization not in NORMALIZATIONS:
            raise ValueError(
                f"`normalization` must be one of {NORMALIZATIONS}. "
                f"Received: normalization={normalization!r}"
            )
        self.normalization = normalization

    def call(self, features):
        _, height, width, channels = ops.shape(features)
        flat = ops.reshape(ops.cast(features, "float32"), (-1, height * width, channels))
        gram = ops.matmul(ops.transpose(flat, (0, 2, 1)), flat)
        if self.normalization is None:
            return gram
        count = height * width * (channels if self.normalization == "elements" else 1)
        return gram / ops.cast(count, "float32")

    def compute_output_spec(self, features):
        batch, _, _, channels = features.shape
        return keras.KerasTensor((batch, channels, channels), dtype="float32")

    def get_config(self):
        return {**super().get_config(), "normalization": self.normalization}
