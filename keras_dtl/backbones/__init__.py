"""Functions that return functional Keras models."""

from keras_dtl.backbones.conv_net import conv_net
from keras_dtl.backbones.implicit_motion import implicit_decoder, implicit_encoder
from keras_dtl.backbones.latent import (
    class_discriminator,
    latent_decoder,
    latent_encoder,
    pair_discriminator,
)
from keras_dtl.backbones.lenet import lenet
from keras_dtl.backbones.mlp import mlp
from keras_dtl.backbones.patch_discriminator import patch_discriminator
from keras_dtl.backbones.pretrained import architectures, pretrained
from keras_dtl.backbones.resnet_generator import resnet_generator
from keras_dtl.backbones.segmenters import (
    mobilenet_aspp,
    pixel_classifier,
    pixel_discriminator,
    unet_encoder,
)
from keras_dtl.backbones.sequences import (
    code_classifier,
    content_encoder,
    motion_classifiers,
    motion_critic,
    motion_decoder,
    motion_generator,
    motion_pair_discriminator,
    recurrent_decoder,
    recurrent_encoder,
    style_encoder,
)
from keras_dtl.backbones.stage_net import stage_net
from keras_dtl.backbones.torch_file import TorchFileError
from keras_dtl.backbones.torch_weights import load_torch_weights, torch_generator
from keras_dtl.backbones.transformer_net import transformer_net
from keras_dtl.backbones.unet import unet
from keras_dtl.backbones.vgg import normalize_activations, save_vgg19, vgg19_features

__all__ = [
    "TorchFileError",
    "architectures",
    "class_discriminator",
    "code_classifier",
    "content_encoder",
    "conv_net",
    "implicit_decoder",
    "implicit_encoder",
    "latent_decoder",
    "latent_encoder",
    "lenet",
    "load_torch_weights",
    "mlp",
    "mobilenet_aspp",
    "motion_classifiers",
    "motion_critic",
    "motion_decoder",
    "motion_generator",
    "motion_pair_discriminator",
    "normalize_activations",
    "pair_discriminator",
    "patch_discriminator",
    "pixel_classifier",
    "pixel_discriminator",
    "pretrained",
    "recurrent_decoder",
    "recurrent_encoder",
    "resnet_generator",
    "save_vgg19",
    "stage_net",
    "style_encoder",
    "torch_generator",
    "transformer_net",
    "unet",
    "unet_encoder",
    "vgg19_features",
]
