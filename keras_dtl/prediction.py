"""What a Keras model makes of arrays, through a pipeline of our own."""

import numpy as np

from keras_dtl.pipeline import pipeline_options


def predict(model, inputs, batch_size: int = 256) -> np.ndarray:
    """Return what `model.predict` makes of an array, in batches and in order.

    The pipeline that Keras makes of an array is parallel. Where operations are held to be
    deterministic TensorFlow rewrites it, and writes an error each time that it is made: "NodeDef
    mentions attribute use_unbounded_threadpool". This one has nothing to rewrite; batches, and so
    the answers, are the same.

    Args:
        model: Keras model of one input.
        inputs: Array `(examples, ...)`, at least one, of the type that the model takes.
        batch_size: Examples in a batch; the last one may hold fewer.

    Returns:
        Array `(examples, ...)`, or the model's structure of such.
    """
    return model.predict(batches_of(inputs, batch_size), verbose=0)


def batches_of(inputs, batch_size: int):
    """Return the finite `tf.data.Dataset` of an array's batches, in order.

    Args:
        inputs, batch_size: As for `predict`.
    """
    import tensorflow as tf

    with tf.device("CPU:0"):  # where the pipeline runs
        tensor = tf.convert_to_tensor(inputs)
    starts = tf.data.Dataset.range(0, len(tensor), batch_size)
    batches = starts.map(lambda start: tensor[start : start + batch_size])
    return batches.with_options(pipeline_options()).prefetch(1)
