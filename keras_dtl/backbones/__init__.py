"""Functions that return functional Keras models."""

from keras_dtl.backbones.lenet import lenet
from keras_dtl.backbones.mlp import mlp
from keras_dtl.backbones.transformer_net import transformer_net
from keras_dtl.backbones.vgg import normalize_activations, save_vgg19, vgg19_features

__all__ = ["lenet", "mlp"]
__all__ += ["normalize_activations", "save_vgg19", "transformer_net", "vgg19_features"]
