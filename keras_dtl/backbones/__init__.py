"""Functions that return functional Keras models."""

from keras_dtl.backbones.lenet import lenet
from keras_dtl.backbones.mlp import mlp
from keras_dtl.backbones.pretrained import architectures, pretrained

__all__ = ["architectures", "lenet", "mlp", "pretrained"]
