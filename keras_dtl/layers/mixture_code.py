import math

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_dtl")
class MixtureCode(keras.layers.Layer):
    """Turn draws of the standard Gaussian into draws of a mixture of Gaussians whose means learn.

        m + deviation * code,    m = means . softmax(sharpness * directions . code)

    Each mean has a fixed direction, drawn at random; the direction that a code points to most
    chooses the mean, nearly alone. A generator behind this layer need not bend one cloud into
    objects that have nothing between them, and is still fed by the standard Gaussian. Computed in
    float32 under any policy.

    Reference: Gurumurthy, Sarvadevabhatla & Babu, "DeLiGAN: Generative Adversarial Networks for
    Diverse and Limited Data", CVPR 2017, who draw the mean beside the code and learn deviations.

    Args:
        modes: How many Gaussians, 2 or more.
        deviation: Of each Gaussian, in all directions; above 0.
        sharpness: Above 0; the larger, the fewer codes lie between two means.

    Call arguments:
        code: Tensor `(batch, numbers)`.

    Output shape: that of `code`.
    """

    def __init__(self, modes, deviation=0.3, sharpness=30.0, **kwargs):
        super().__init__(**kwargs)
        if modes < 2 or not (0 < deviation < math.inf and 0 < sharpness < math.inf):
            raise ValueError(
                "`modes` must be 2 or more, `deviation` and `sharpness` above 0. Received: "
                f"{modes}, {deviation} and {sharpness}"
            )
        self.modes = modes
        self.deviation = deviation
        self.sharpness = sharpness

    def build(self, input_shape):
        numbers = input_shape[-1]
        self.directions = self.add_weight(
            name="directions",
            shape=(numbers, self.modes),
            initializer="random_normal",
            trainable=False,
        )
        self.means = self.add_weight(
            name="means",
            shape=(self.modes, numbers),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )

    def call(self, code):
        code = ops.cast(code, "float32")
        directions, means = (ops.cast(w, "float32") for w in (self.directions, self.means))
        towards = ops.matmul(code, directions / ops.norm(directions, axis=0))
        return ops.matmul(ops.softmax(self.sharpness * towards), means) + self.deviation * code

    def compute_output_spec(self, code):
        return keras.KerasTensor(code.shape, "float32")

    def get_config(self):
        names = ("modes", "deviation", "sharpness")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
