"""An artifact runs over images with NumPy, Pillow and onnxruntime; never with TensorFlow."""

from keras_dtl.convert.artifact import Artifact, ArtifactError, DeviceError, load_artifact
from keras_dtl.convert.folder import convert_folder
from keras_dtl.convert.options import ConversionError, Options
from keras_dtl.convert.report import ConversionReport, Failure

__all__ = [
    "Artifact",
    "ArtifactError",
    "ConversionError",
    "ConversionReport",
    "DeviceError",
    "Failure",
    "Options",
    "convert_folder",
    "load_artifact",
]
