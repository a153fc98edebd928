import math

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_dtl")
class CosineLogits(keras.layers.Layer):
    """Logits from the angle between features and one prototype a class.

        logit_k = w_k . x / (|x| temperature)

    Features are brought to length 1, so how strong they are in one domain or the other does not
    count, only where they point. Computed in float32 under any policy.

    Reference: Saito et al., "Semi-supervised Domain Adaptation via Minimax Entropy", ICCV 2019.

    Args:
        classes: How many logits.
        temperature: Above 0; the smaller, the sharper the answers.

    Call arguments:
        features: Tensor `(batch, features)`.

    Output shape: `(batch, classes)`.
    """

    def __init__(self, classes, temperature=0.05, **kwargs):
        super().__init__(**kwargs)
        if not 0 < temperature < math.inf:
            raise ValueError(f"`temperature` must be above 0. Received: {temperature}")
        self.classes = classes
        self.temperature = temperature

    def build(self, input_shape):
        self.prototypes = self.add_weight(
            name="prototypes", shape=(input_shape[-1], self.classes), initializer="glorot_uniform"
        )

    def call(self, features):
        x = ops.cast(features, "float32")
        # The smallest length keeps all-zero features, and their gradient, finite.
        length = ops.sqrt(ops.maximum(ops.sum(x * x, axis=-1, keepdims=True), 1e-12))
        return ops.matmul(x / length, ops.cast(self.prototypes, "float32")) / self.temperature

    def compute_output_spec(self, features):
        return keras.KerasTensor((*features.shape[:-1], self.classes), "float32")

    def get_config(self):
        return {**super().get_config(), "classes": self.classes, "temperature": self.temperature}
