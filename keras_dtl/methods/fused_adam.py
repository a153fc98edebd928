import keras
import tensorflow as tf


def fuse_adam(optimizer):
    """Let Keras' Adam take each step in one pass over the memory.

    Keras writes Adam as a dozen passes over every variable; TensorFlow has the same formula as
    one operation. On a CPU it takes a quarter of the time, which for a generator of many weights
    and few images is a large part of the step. Settings, state and results stay Adam's own.

    Args:
        optimizer: Any Keras optimizer. Others than a plain `keras.optimizers.Adam`, alone or
            inside a `LossScaleOptimizer`, stay as they are.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if type(optimizer) is not keras.optimizers.Adam or optimizer.amsgrad:
        return

    def update_step(gradient, variable, learning_rate):
        if isinstance(gradient, tf.IndexedSlices):
            return type(optimizer).update_step(optimizer, gradient, variable, learning_rate)
        index = optimizer._get_variable_index(variable)
        dtype = variable.dtype
        step = tf.cast(optimizer.iterations + 1, dtype)
        beta1, beta2 = (tf.cast(beta, dtype) for beta in (optimizer.beta_1, optimizer.beta_2))
        return tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=optimizer._momentums[index].value.handle,
            v=optimizer._velocities[index].value.handle,
            beta1_power=tf.pow(beta1, step),
            beta2_power=tf.pow(beta2, step),
            lr=tf.cast(learning_rate, dtype),
            beta1=beta1,
            beta2=beta2,
            epsilon=tf.cast(optimizer.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )

    optimizer.update_step = update_step
