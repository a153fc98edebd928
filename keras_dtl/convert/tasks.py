"""What can be done to a folder of images, by the task that a manifest names.

Another task is another file beside `classification.py`, and a line here. A task is made with
`(artifact, source, destination, options)` and has: `output`, where its results will be;
`writers`, the number of threads that may call `write` at once; `select(items)`, which returns
those still to be converted and raises `ConversionError` before anything is written; to be
entered and left as a context; `prepare(image)`, the array that goes into the model;
`write(loaded, outputs)`, for one image; and `leave_out(item)`, for one that failed.
"""

from keras_dtl.convert.classification import Classification
from keras_dtl.convert.image_to_image import ImageToImage

TASKS = {"classification": Classification, "image_to_image": ImageToImage}
