"""Deep transfer learning for TensorFlow and Keras 3, from `fit` to production inference.

Names are loaded when first used, so that converting with a trained model starts in a fraction
of a second and needs no TensorFlow.
"""

import importlib

from keras_dtl.version import __version__

_HOME_OF = {
    # methods
    "ADDA": "keras_dtl.methods",
    "CCSA": "keras_dtl.methods",
    "DAN": "keras_dtl.methods",
    "CycleGAN": "keras_dtl.methods",
    "DANN": "keras_dtl.methods",
    "DeepCORAL": "keras_dtl.methods",
    "DomainAdaptation": "keras_dtl.methods",
    "CGMV": "keras_dtl.methods",
    "GMV": "keras_dtl.methods",
    "MME": "keras_dtl.methods",
    "Method": "keras_dtl.methods",
    "Pix2Pix": "keras_dtl.methods",
    "SequenceGMV": "keras_dtl.methods",
    "SequenceStyleTransfer": "keras_dtl.methods",
    "SequentialAdversarialAutoencoder": "keras_dtl.methods",
    "SourceOnly": "keras_dtl.methods",
    "FastStyle": "keras_dtl.methods",
    "FineTuning": "keras_dtl.methods",
    "StyleTransfer": "keras_dtl.methods",
    "SwapVAE": "keras_dtl.methods",
    # data
    "load": "keras_dtl.data",
    "load_motion": "keras_dtl.data",
    "domain_batches": "keras_dtl.data",
    # export and inference
    "export_model": "keras_dtl.export",
    "load_artifact": "keras_dtl.convert",
    "convert_folder": "keras_dtl.convert",
}
_ROOMS = ("backbones", "callbacks", "convert", "data", "evaluation", "export", "layers", "losses")
_ROOMS += ("methods",)

__all__ = ["__version__"]


def __getattr__(name):
    if name in _HOME_OF:
        return getattr(importlib.import_module(_HOME_OF[name]), name)
    if name in _ROOMS:
        return importlib.import_module(f"keras_dtl.{name}")
    raise AttributeError(f"module 'keras_dtl' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
