"""How methods step with Keras' optimizers: Adam in one pass, rates of variables, whole gradients.

Keras' optimizers know none of these. One that is handed to `compile` stays what it is; for as long
as it takes a step of a method, it takes it in this way.
"""

import contextlib
import functools

import keras
import tensorflow as tf

from keras_dtl.distribution import add_up, replica_count


def take_step(optimizer, gradients, variables, factors=None):
    """Let an optimizer move variables down their gradients.

    Several replicas add their gradients up before: Keras clips what each replica found and adds
    that up, so that replicas take longer steps than one would. Here clipping, loss scaling and
    accumulation see the gradient of the whole batch.

    Args:
        optimizer: Any Keras optimizer; one of `adam_step` takes that.
        gradients: What this replica found, a tensor or None for each of `variables`.
        variables: Keras variables, on which the optimizer is built if it is not yet.
        factors: `{id of a variable: multiple of the learning rate, 0 or more}`; all others keep
            the rate. The multiple acts on the rate and not on the gradient, which Adam and its
            like would undo. Weight decay keeps the optimizer's own rate.

    Example:

    ```python
    import keras
    from keras_dtl.methods.optimizers import take_step

    weight = keras.Variable([1.0, 2.0])
    take_step(keras.optimizers.Adam(0.1), [keras.ops.ones(2)], [weight], {id(weight): 0.5})
    ```
    """
    if replica_count() > 1:
        gradients = add_up(gradients)
    if not optimizer.built:  # by which a `MultiOptimizer` learns which there are
        optimizer.build(variables)
    with contextlib.ExitStack() as stack:
        for each in stepping(optimizer):
            stack.enter_context(_stepping_as_here(each, factors or {}))
        optimizer.apply(gradients, variables)


def stepping(optimizer):
    """Return the optimizers that step for one: that whose losses it scales, or each of several.

    Args:
        optimizer: Keras optimizer, such as a `LossScaleOptimizer` or a `MultiOptimizer`.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return getattr(inner, "optimizers", [inner])


@contextlib.contextmanager
def _stepping_as_here(optimizer, factors):
    ways = {
        "update_step": functools.partial(_update_step, optimizer, factors),
        # They are added up already. Keras binds them together even where there is one replica, by
        # which TensorFlow takes reads of weights for ordered that are not, once it undoes that.
        "_all_reduce_sum_gradients": functools.partial(list),
    }
    for name, way in ways.items():
        setattr(optimizer, name, way)
    try:
        yield
    finally:
        for name in ways:  # another replica, which shares the optimizer, may have done so
            vars(optimizer).pop(name, None)


def _update_step(optimizer, factors, gradient, variable, learning_rate):
    index = optimizer._get_variable_index(variable)
    factor = factors.get(id(optimizer._trainable_variables[index]))
    if factor is not None:
        learning_rate = learning_rate * factor
    kind = type(optimizer)
    is_adam = kind.update_step is keras.optimizers.Adam.update_step
    if is_adam and not optimizer.amsgrad and not isinstance(gradient, tf.IndexedSlices):
        return adam_step(optimizer, gradient, variable, learning_rate)
    return kind.update_step(optimizer, gradient, variable, learning_rate)


def adam_step(optimizer, gradient, variable, learning_rate):
    """Take the step of Adam, and of AdamW, in one pass over the memory.

    Keras writes Adam as a dozen passes over every variable; TensorFlow has the same formula as
    one operation. On a CPU it takes a quarter of the time, which for a generator of many weights
    and few images is a large part of the step. State and results are those of Keras.

    Args:
        optimizer: `keras.optimizers.Adam` without `amsgrad`, built.
        gradient: Dense tensor.
        variable: What it moves.
        learning_rate: Scalar.
    """
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


def own_objects(optimizers):
    """Return optimizers by name of which no two are one object, as each has a state of its own.

    Args:
        optimizers: Keras optimizers by the names of the players.

    Raises:
        ValueError: When one of several players cannot be copied.
    """
    own = {}
    for name, each in optimizers.items():
        shared = any(each is other for other in own.values())
        own[name] = _copy(each, name) if shared else each
    return own


def _copy(optimizer, name):
    try:
        copy = type(optimizer).from_config(optimizer.get_config())
    except (NotImplementedError, TypeError, ValueError) as error:
        raise ValueError(
            f"One optimizer was given to several players, of which each needs one of its own, and "
            f"it cannot be copied for `{name}`: {error} Pass an optimizer for each."
        ) from error
    for ours, theirs in zip(stepping(optimizer), stepping(copy), strict=False):
        # What `exclude_from_weight_decay` was told stands in no config.
        told = {k: v for k, v in vars(ours).items() if k.startswith("_exclude_from_weight_decay")}
        vars(theirs).update(told)
    return copy


def with_loss_scaling(optimizer):
    """Return what scales losses for float16, as `keras.Model.compile` does for its optimizer.

    Args:
        optimizer: Keras optimizer, which may scale them already.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")
