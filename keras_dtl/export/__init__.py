"""A trained model becomes an artifact that serving systems and `keras_dtl.convert` read.

`artifact` is the way of an export: `deployable` is the model as clients see it, `formats` write the
files into a `draft` by way of `graphs` and `pixels`, and `checks` compare each with the model.
"""

from keras_dtl.export.artifact import export_model
from keras_dtl.export.errors import ExportError
from keras_dtl.export.formats.table import FORMATS, Format
from keras_dtl.export.rehearsal import check_exportable

__all__ = ["FORMATS", "ExportError", "Format", "check_exportable", "export_model"]
