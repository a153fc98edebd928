"""Deep adaptation network (Long et al. 2015).

keras-dtl train dan --source digits --target digits_m
keras-dtl train dan --source mnist --target usps --source-size 2000 --target-size 1800
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_dtl.recipes.domain_adaptation import DomainAdaptationRecipe


@dataclass(frozen=True)
class DANRecipe(DomainAdaptationRecipe):
    """Layers distributed alike in both domains, by multi-kernel MMD (Long et al. 2015)."""

    name: ClassVar[str] = "dan"
    suits: ClassVar[str] = "for domains that differ little, and small networks"
    ramped: ClassVar[bool] = True

    adaptation_weight: Literal["auto"] | float = 30.0
    """Weight of the discrepancy, a number far below 1; it rises from 0 along the curve of the
    reversal strength. auto keeps it as large as the label loss, at most 1."""
    compared: tuple[str, ...] = ("features",)
    """Layers whose activations are compared; features and logits name the networks' outputs."""
    estimator: Literal["quadratic", "linear"] = "quadratic"
    """Compare all pairs of a batch, or each image with one other, as in the paper."""
    bandwidth: Literal["mean", "median"] = "mean"
    """Which squared distance the kernels are multiples of."""
    learn_kernel_weights: bool = False
    """Weigh the kernels as the paper does, not all alike."""
    gather: bool = False
    """Compare the images of all devices and workers, as one does, not each its own."""

    def method(self, encoder, classifier):
        from keras_dtl.methods import DAN

        return DAN(
            encoder,
            classifier,
            adaptation_weight=self.adaptation_weight,
            compared=self.compared,
            bandwidth=self.bandwidth,
            estimator=self.estimator,
            learn_kernel_weights=self.learn_kernel_weights,
            batch_norm=self.normalization,
            label_shift=self.label_shift,
            gather=self.gather,
        )
