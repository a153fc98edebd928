"""Losses as plain functions of tensors; each returns a float32 scalar."""

from keras_dtl.losses.adversarial import domain_accuracy, domain_crossentropy
from keras_dtl.losses.style import LOSS_SCALES, content_loss, style_loss, total_variation

__all__ = ["domain_accuracy", "domain_crossentropy"]
__all__ += ["LOSS_SCALES", "content_loss", "style_loss", "total_variation"]
