"""Losses as plain functions of tensors; each returns a float32 scalar."""

from keras_dtl.losses.adversarial import domain_accuracy, domain_crossentropy
from keras_dtl.losses.generative import AdversarialLoss, adversarial_loss, gradient_penalty

__all__ = [
    "AdversarialLoss",
    "adversarial_loss",
    "domain_accuracy",
    "domain_crossentropy",
    "gradient_penalty",
]
