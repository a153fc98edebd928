"""Functions that return functional Keras models."""

from keras_dtl.backbones.lenet import lenet
from keras_dtl.backbones.mlp import mlp

__all__ = ["lenet", "mlp"]
