import tensorflow as tf


def velocity_error(motion, other):
    """Mean squared difference of the steps from frame to frame of two motions.

    Args:
        motion, other: Tensors `(batch, time, features)`.

    Returns:
        Scalar float32 tensor; 0 also where they differ by what does not move.
    """
    difference = tf.cast(motion, "float32") - tf.cast(other, "float32")
    return tf.reduce_mean(tf.square(difference[:, 1:] - difference[:, :-1]))
