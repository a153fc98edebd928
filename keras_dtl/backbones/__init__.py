"""Functions that return functional Keras models."""

from keras_dtl.backbones.lenet import lenet
from keras_dtl.backbones.mlp import mlp
from keras_dtl.backbones.patch_discriminator import patch_discriminator
from keras_dtl.backbones.pretrained import architectures, pretrained
from keras_dtl.backbones.resnet_generator import resnet_generator
from keras_dtl.backbones.unet import unet

__all__ = [
    "architectures",
    "lenet",
    "mlp",
    "patch_discriminator",
    "pretrained",
    "resnet_generator",
    "unet",
]
