import keras
import tensorflow as tf

from keras_dtl.losses import (
    kernel_discrepancies,
    maximum_mean_discrepancy,
    optimal_kernel_weights,
)
from keras_dtl.methods.adaptation.layer_alignment import LayerAlignment

FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)


@keras.saving.register_keras_serializable("keras_dtl")
class DAN(LayerAlignment):
    """Deep adaptation network: layers whose activations are distributed alike in both domains.

        min  L_label + adaptation_weight * sum over layers of MMD^2(source, target)

    with the squared maximum mean discrepancy under several Gaussian kernels, see
    `keras_dtl.losses.maximum_mean_discrepancy`. Kernels are averaged, so that the weight does
    not depend on how many there are; the estimate is unbiased and may be negative.

    Logs: `label_loss`, `discrepancy`.

    Reference: Long et al., "Learning Transferable Features with Deep Adaptation Networks",
    ICML 2015.

    Differs from the paper: by default all pairs of a batch are compared and the kernels weigh
    alike, as in the authors' released code, which also takes 5 kernels around the mean squared
    distance where the paper has 33 around the median. `estimator="linear"`,
    `bandwidth="median"` and `learn_kernel_weights=True` give the paper's choices. The kernel
    weights are solved for on each batch and averaged over batches, where the paper alternates
    with passes over all data. `adaptation_strength` can be raised along a schedule, without which
    a weight far above 1 may drive all activations to 0 before the classes are learnt. To let new
    layers learn faster than pretrained ones, pass `learning_rate_multipliers` to `compile`.

    Args:
        encoder, classifier, adaptation_weight, batch_norm: See `DomainAdaptation`.
        compared, gather: See `LayerAlignment`; the paper takes the last, task-specific layers.
        kernel_factors: Multiples of the mean or median squared distance, one for each kernel.
        bandwidth: `"mean"` or `"median"`.
        estimator: `"quadratic"` or `"linear"`.
        learn_kernel_weights: Whether kernels are weighed so that they tell the domains apart
            most reliably.

    Example:

    ```python
    import keras_dtl

    encoder = keras_dtl.backbones.lenet((28, 28, 3))
    classifier = keras_dtl.backbones.mlp(encoder.output_shape[1:], (100, 100), 10)
    compared = ("hidden_1", "hidden_2", "logits")
    model = keras_dtl.DAN(encoder, classifier, compared=compared)
    ```
    """

    tracked = ("label_loss", "discrepancy")
    scheduled = True

    def __init__(
        self,
        encoder,
        classifier,
        adaptation_weight: float | str = 1.0,
        compared=("features", "logits"),
        kernel_factors=FACTORS,
        bandwidth="mean",
        estimator="quadratic",
        learn_kernel_weights=False,
        batch_norm="joint",
        gather=False,
        **kwargs,
    ):
        super().__init__(
            encoder, classifier, adaptation_weight, compared, batch_norm, gather, **kwargs
        )
        self.kernel_factors = tuple(kernel_factors)
        self.bandwidth = bandwidth
        self.estimator = estimator
        self.learn_kernel_weights = learn_kernel_weights
        # What no kernel can be is told now, not by the first step.
        maximum_mean_discrepancy(tf.zeros((2, 1)), tf.ones((2, 1)), **self._kernels())
        self.kernel_weights = {}
        if learn_kernel_weights:
            self.kernel_weights = {name: self._kernel_weights(name) for name in self.compared}

    def distance(self, name, source, target):
        weights = self._learn(name, source, target) if self.learn_kernel_weights else None
        return maximum_mean_discrepancy(source, target, **self._kernels(), kernel_weights=weights)

    def _kernels(self):
        return {
            "factors": self.kernel_factors,
            "bandwidth": self.bandwidth,
            "estimator": self.estimator,
        }

    def _learn(self, name, source, target):
        kernels = {**self._kernels(), "estimator": "linear"}
        best = optimal_kernel_weights(kernel_discrepancies(source, target, **kernels))
        weights = self.kernel_weights[name]
        weights.assign(0.95 * weights + 0.05 * best)
        return weights

    def _kernel_weights(self, name):
        count = len(self.kernel_factors)
        return self.add_weight(
            name=f"{name}_kernel_weights",
            shape=(count,),
            initializer=keras.initializers.Constant(1 / count),
            trainable=False,
            dtype="float32",
            aggregation="mean",
        )
