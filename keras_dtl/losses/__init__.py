"""Losses as plain functions of tensors; each returns a float32 scalar."""

from keras_dtl.losses.adversarial import domain_accuracy, domain_crossentropy
from keras_dtl.losses.confusion import class_confusion
from keras_dtl.losses.contrastive import contrastive_alignment, paired_contrast
from keras_dtl.losses.correlation_alignment import correlation_alignment
from keras_dtl.losses.entropy import confusion_loss, mean_entropy, mutual_information
from keras_dtl.losses.generative import (
    AdversarialLoss,
    adversarial_loss,
    game_without_penalty,
    gradient_penalty,
    real_gradient_penalty,
)
from keras_dtl.losses.maximum_mean_discrepancy import (
    kernel_discrepancies,
    maximum_mean_discrepancy,
    optimal_kernel_weights,
)
from keras_dtl.losses.motion import velocity_error
from keras_dtl.losses.style import LOSS_SCALES, content_loss, style_loss, total_variation
from keras_dtl.losses.variational import (
    class_discrepancy,
    gaussian_divergence,
    moment_discrepancy,
)

__all__ = [
    "LOSS_SCALES",
    "AdversarialLoss",
    "adversarial_loss",
    "class_confusion",
    "class_discrepancy",
    "confusion_loss",
    "content_loss",
    "contrastive_alignment",
    "correlation_alignment",
    "domain_accuracy",
    "domain_crossentropy",
    "game_without_penalty",
    "gaussian_divergence",
    "gradient_penalty",
    "kernel_discrepancies",
    "maximum_mean_discrepancy",
    "mean_entropy",
    "moment_discrepancy",
    "mutual_information",
    "optimal_kernel_weights",
    "paired_contrast",
    "real_gradient_penalty",
    "style_loss",
    "total_variation",
    "velocity_error",
]
