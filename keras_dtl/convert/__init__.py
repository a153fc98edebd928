"""An artifact runs over images with NumPy, Pillow and onnxruntime; never with TensorFlow.

`folder` is the way of a conversion: `inputs` lists the files, a class of `tasks` says what is made
of each, `engines` read, run and write, the `journal` says what is done. `artifact` opens a model on
one of the `runtimes`; `single` and `watch` are the other ways in, `trial` chooses the fastest.
"""

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
