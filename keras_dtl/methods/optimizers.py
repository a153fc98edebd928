"""The optimizers that methods step with: Adam in one pass, rates of variables, whole gradients.

Keras' optimizers know none of these. What is handed to `compile` becomes an optimizer of the same
settings and the same state whose class does; the one handed over stays as it was.
"""

import functools

import keras
import tensorflow as tf

from keras_dtl.distribution import replica_count


@keras.saving.register_keras_serializable("keras_dtl")
class FusedAdam(keras.optimizers.Adam):
    """Adam that takes each step in one pass over the memory.

    Keras writes Adam as a dozen passes over every variable; TensorFlow has the same formula as
    one operation. On a CPU it takes a quarter of the time, which for a generator of many weights
    and few images is a large part of the step. Settings, state and results are those of
    `keras.optimizers.Adam`; sparse gradients, and all under `amsgrad`, take its own step.

    Args:
        *args, **kwargs: Of `keras.optimizers.Adam`.

    Example:

    ```python
    import keras
    from keras_dtl.methods.optimizers import FusedAdam

    weight = keras.Variable([1.0, 2.0])
    FusedAdam(0.1).apply([keras.ops.ones(2)], [weight])
    ```
    """

    def update_step(self, gradient, variable, learning_rate):
        if self.amsgrad or isinstance(gradient, tf.IndexedSlices):
            return super().update_step(gradient, variable, learning_rate)
        index = self._get_variable_index(variable)
        dtype = variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        beta1, beta2 = (tf.cast(beta, dtype) for beta in (self.beta_1, self.beta_2))
        return tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(beta1, step),
            beta2_power=tf.pow(beta2, step),
            lr=tf.cast(learning_rate, dtype),
            beta1=beta1,
            beta2=beta2,
            epsilon=tf.cast(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )


class WholeGradients:
    """Mixin of an optimizer whose gradients are added up over the replicas already, see `add_up`.

    Keras clips what each replica found and adds that up, so that replicas take longer steps than
    one would. Here clipping, loss scaling and accumulation see the gradient of the whole batch.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars):
        return list(grads_and_vars)


class RateFactors:
    """Mixin of an optimizer: lets single variables learn at a multiple of its rate.

    The multiple acts on the rate and not on the gradient, which Adam and its like would undo.
    Weight decay keeps the optimizer's own rate.
    """

    def build(self, variables):
        self.rate_factors = tuple(self.rate_factor(variable) for variable in variables)
        super().build(variables)

    def update_step(self, gradient, variable, learning_rate):
        factor = self.rate_factors[self._get_variable_index(variable)]
        return super().update_step(gradient, variable, learning_rate * factor)


@functools.cache
def _extended(kind, extensions):
    if not extensions:
        return kind
    return type(kind.__name__, (*extensions, kind), {"extended": kind, "__module__": __name__})


def method_optimizer(optimizer, factors=None):
    """Return the optimizer that a method steps with, like the one that it was given.

    Args:
        optimizer: Any Keras optimizer, its name or its config; it does not change. A plain Adam
            becomes a `FusedAdam`, alone or inside a `LossScaleOptimizer`.
        factors: `{id of a variable: multiple of the learning rate, 0 or more}`; all others keep
            the rate.

    Returns:
        A Keras optimizer: a new one, not yet built, or `optimizer` itself where nothing is to be
        added to it. In the scope of several replicas it takes `WholeGradients`.
    """
    optimizer = keras.optimizers.get(optimizer)
    kind = _plain_class(optimizer)
    if kind is keras.optimizers.LossScaleOptimizer:
        inner = method_optimizer(optimizer.inner_optimizer, factors)
        config = {k: v for k, v in optimizer.get_config().items() if k != "inner_optimizer"}
        return kind(inner, **config)
    fused = FusedAdam if kind is keras.optimizers.Adam else kind
    wanted = (WholeGradients, replica_count() > 1), (RateFactors, bool(factors))
    extended = _extended(fused, tuple(extension for extension, is_wanted in wanted if is_wanted))
    if extended is type(optimizer) and not factors:
        return optimizer
    new = extended.from_config(optimizer.get_config())
    if factors:
        new.rate_factor = lambda variable: factors.get(id(variable), 1.0)
    return new


def own_objects(optimizers):
    """Return optimizers by name of which no two are one object, as each has a state of its own.

    Args:
        optimizers: What `method_optimizer` returned, by the names of the players.
    """
    own = {}
    for name, each in optimizers.items():
        shared = any(each is other for other in own.values())
        own[name] = type(each).from_config(each.get_config()) if shared else each
    return own


def takes_whole_gradients(optimizer):
    """Return whether an optimizer leaves it to the caller to add gradients up over replicas."""
    return isinstance(getattr(optimizer, "inner_optimizer", optimizer), WholeGradients)


def serialize_optimizer(optimizer):
    """Return the config of the optimizer that a method's was made from.

    So a saved model names Keras' own classes, and `compile` adds again what a method adds.

    Args:
        optimizer: What `method_optimizer` returned, also inside a `LossScaleOptimizer`.

    Returns:
        JSON-ready dictionary for `keras.optimizers.deserialize`.
    """
    # The optimizer itself and no copy of it: Keras tells objects apart by where they lie.
    config = {**keras.optimizers.serialize(optimizer), **_names(_plain_class(optimizer))}
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        config["config"]["inner_optimizer"] = serialize_optimizer(optimizer.inner_optimizer)
    return config


def carry_state(source, target, variables):
    """Give an optimizer the state of the one that it was made from, where both move the same.

    Args:
        source: Keras optimizer that may have stepped already.
        target: What `method_optimizer` made of it. Unless `source` is built it stays as it is.
        variables: What `target` moves.
    """
    if source is target or not source.built:
        return
    target.build(variables)
    if not hasattr(source, "inner_optimizer"):
        target = getattr(target, "inner_optimizer", target)
    pairs = list(zip(source.variables, target.variables, strict=False))
    same = all(ours.name == theirs.name and ours.shape == theirs.shape for ours, theirs in pairs)
    if same and len(source.variables) == len(target.variables):
        for ours, theirs in pairs:
            theirs.assign(ours)


def with_loss_scaling(optimizer):
    """Return what scales losses for float16, as `keras.Model.compile` does for its optimizer.

    Args:
        optimizer: Keras optimizer, which may scale them already.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")


def _plain_class(optimizer):
    kind = type(optimizer)
    kind = getattr(kind, "extended", kind)
    return keras.optimizers.Adam if kind is FusedAdam else kind


def _names(kind):
    """Return what a config says of the class of its optimizer."""
    name = kind.__name__
    if getattr(keras.optimizers, name, None) is kind:
        return {"module": "keras.optimizers", "class_name": name, "registered_name": None}
    registered = keras.saving.get_registered_name(kind)
    return {"module": kind.__module__, "class_name": name, "registered_name": registered}
