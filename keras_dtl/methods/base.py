"""What every method shares: configuration, several optimizers, one step of each, logs by name."""

import inspect
import math

import keras
import tensorflow as tf

from keras_dtl.distribution import ReplicatedSteps, replica_count
from keras_dtl.methods.arguments import check_numbers, plain
from keras_dtl.methods.averages import own_averages
from keras_dtl.methods.batch_norm import fused_batch_norm
from keras_dtl.methods.given_data import require_ends
from keras_dtl.methods.given_losses import nothing_to_evaluate, refuse_losses, refuse_validation
from keras_dtl.methods.networks import check_networks, refuse_added_losses, tell_frozen
from keras_dtl.methods.optimizers import own_objects, take_step, with_loss_scaling


class Method(ReplicatedSteps, keras.Model):
    """A published method as a Keras model with its own `train_step`.

    A subclass names its parts once and receives the rest. Its constructor takes the networks
    first, then the weights of the losses, and keeps each argument in an attribute of the same
    name; from these `get_config` and `from_config` follow. `call` is the path that is deployed.

    Under `tf.distribute` replicas share each batch and learn what one would from the whole, see
    `keras_dtl.distribution.ReplicatedSteps` for where they cannot; a method says so where its own
    losses compare the examples of a batch with each other. Random numbers that a method draws for
    examples are those of one replica; XLA (`jit_compile`) draws others of the same seed.

    Class attributes:
        task: What the deployed model does: `"classification"`, `"image_to_image"`, ...
        tracked: Names of the terms that `train_step` reports; each gets a running mean.
        player_optimizers: Names of further optimizers that `compile` takes by keyword, for
            methods with a second player, such as `("discriminator_optimizer",)`.
        learning: Names of the networks that learn, at least in part.
        calls_once: Whether a step calls each network that learns once.

    Attributes:
        weighs_labels: Whether examples or classes were weighted in the last loss of labels.
        own_losses: Whether all losses are the method's own, so that `compile` takes none and no
            metrics, and there is nothing for `evaluate` to compare.
    """

    task = None
    tracked = ()
    player_optimizers = ()
    learning = ()
    calls_once = True
    weighs_labels = False
    own_losses = False

    def __new__(cls, *args, **kwargs):
        check_networks(cls, args, kwargs)
        check_numbers(cls, args, kwargs)
        method = super().__new__(cls, *args, **kwargs)
        method._keywords = tuple(kwargs)
        return method

    def __init__(self, **kwargs):
        super().__init__(**{"autocast": False, **kwargs})  # 16 bits round what `call` scales
        self.trackers = {name: keras.metrics.Mean(name) for name in self.tracked}

    def build(self, input_shape=None):
        """Do nothing: the networks come built."""

    # Configuration ------------------------------------------------------------------------

    def get_config(self):
        of_layers = inspect.signature(keras.layers.Layer.__init__).parameters
        passed_on = set(self._keywords).difference(of_layers)  # to a base, by `**kwargs`
        names = dict.fromkeys((*self._argument_names(), *sorted(passed_on)))
        return {**super().get_config(), **{name: plain(getattr(self, name)) for name in names}}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**keras.saving.deserialize_keras_object(config, custom_objects=custom_objects))

    @classmethod
    def _argument_names(cls):
        parameters = inspect.signature(cls.__init__).parameters.values()
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        return [p.name for p in parameters if p.kind in named and p.name != "self"]

    # Optimizers ---------------------------------------------------------------------------

    def compile(
        self,
        optimizer="rmsprop",
        *args,
        learning_rate_multipliers=None,
        auto_scale_loss=True,
        **kwargs,
    ):
        """Take the arguments of `keras.Model.compile` and one optimizer for each further player.

        What is handed over is what steps, as in Keras; it keeps no multiples of its rate.

        Args:
            optimizer: Keras optimizer, or its name.
            *args, **kwargs: Of `keras.Model.compile`, and the further players' optimizers.
            learning_rate_multipliers: `{part: factor}`: the parts of this model, by attribute
                name, that learn at a multiple of their optimizer's rate, of 0 or more.
                `{"encoder": 0.1}` treats a pretrained encoder with care.
            auto_scale_loss: Whether losses are scaled under the policy `"mixed_float16"`.

        Raises:
            ValueError: When the optimizer of a player is missing, a part is unknown, or a loss is
                given to a method whose losses are its own.
        """
        if self.own_losses:
            refuse_losses(self, args, kwargs)
        self.learning_rate_multipliers = dict(learning_rate_multipliers or {})
        given = {name: kwargs.pop(name, None) for name in self.player_optimizers}
        for name in [name for name, player in given.items() if player is None]:
            raise ValueError(
                f"{type(self).__name__}.compile() needs `{name}`. Received: None. "
                f"Pass one, e.g. {name}=keras.optimizers.Adam(2e-4)."
            )
        for network in () if self.trainable else self.layers:
            network.trainable = False  # Keras' constructor does not tell them
        tell_frozen(self, self.learning)
        self.build()
        self.rate_factors()  # says what is wrong with the multipliers
        given = {k: keras.optimizers.get(v) for k, v in {"optimizer": optimizer, **given}.items()}
        given = own_objects(given)
        super().compile(given.pop("optimizer"), *args, auto_scale_loss=auto_scale_loss, **kwargs)
        for name, each in given.items():
            scaled = auto_scale_loss and self.dtype_policy.name == "mixed_float16"
            setattr(self, name, with_loss_scaling(each) if scaled else each)

    def rate_factors(self):
        """Return `{id of a variable: multiple of its optimizer's learning rate}`."""
        factors = {}
        for part, factor in self.learning_rate_multipliers.items():
            if not hasattr(self, part) or not 0 <= factor < math.inf:
                raise ValueError(
                    "`learning_rate_multipliers` maps parts of the model to factors of 0 or more. "
                    f"Received: {part!r}: {factor}, for a {type(self).__name__}."
                )
            factors.update({id(v): factor for v in getattr(self, part).trainable_variables})
        return factors

    def get_compile_config(self):
        config = super().get_compile_config()
        if self.compiled and self.learning_rate_multipliers:
            config["learning_rate_multipliers"] = self.learning_rate_multipliers
        for name in ("optimizer", *self.player_optimizers) if self.compiled else ():
            config[name] = keras.optimizers.serialize(getattr(self, name))
        return config

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.build_optimizers()

    def optimized_variables(self):
        """Return `{optimizer name: variables}`: which optimizer moves what."""
        return {"optimizer": self.trainable_variables}

    def moved_variables(self, optimizer):
        """Return what an optimizer, a key of `optimized_variables()`, moves, each once."""
        return list({id(v): v for v in self.optimized_variables()[optimizer]}.values())

    def build_optimizers(self):
        """Create the state of every optimizer, so that it can be loaded before the first step."""
        for name in self.optimized_variables():
            if not getattr(self, name).built:
                getattr(self, name).build(self.moved_variables(name))

    def make_train_function(self, force=False):
        # Callbacks may have states for them, and some start from the weights, which no graph knows.
        with self.distribute_strategy.scope():
            self.build_optimizers()
        return super().make_train_function(force)

    def fit(self, *args, **kwargs):
        """See `keras.Model.fit`. Every optimizer with `use_ema` ends on the averages it kept.

        Raises:
            ValueError: When a data set has no end, and no `steps_per_epoch` is given.
            NotImplementedError: When validation is asked for, see `evaluate`.
        """
        given = inspect.signature(keras.Model.fit).bind(self, *args, **kwargs).arguments
        require_ends(given)
        if self.own_losses:
            refuse_validation(self, given)
        names = ("optimizer", *self.player_optimizers) if self.compiled else ()
        with own_averages(*(getattr(self, name) for name in names)), fused_batch_norm(self):
            return super().fit(*args, **kwargs)

    def evaluate(self, *args, **kwargs):
        """See `keras.Model.evaluate`. Not of methods whose losses are their own."""
        if self.own_losses:
            raise NotImplementedError(nothing_to_evaluate(self))
        return super().evaluate(*args, **kwargs)

    def minimize(self, loss, tape, optimizer="optimizer"):
        """Take one step of the named optimizer down the gradient of `loss`.

        The gradient starts from the optimizer's loss scale (1 but in float16) divided by the
        number of replicas, since a `tf.distribute` strategy adds up what its replicas found.

        Args:
            loss: Scalar tensor, recorded by `tape`: the mean over this replica's batch.
            tape: The `tf.GradientTape`; persistent when several players minimise.
            optimizer: Key of `optimized_variables()`.
        """
        variables = self.moved_variables(optimizer)
        optimizer = getattr(self, optimizer)
        start = optimizer.scale_loss(tf.ones_like(loss) / replica_count())
        gradients = tape.gradient(loss, variables, output_gradients=start)
        take_step(optimizer, gradients, variables, self.rate_factors())

    # Losses and logs ----------------------------------------------------------------------

    def compiled_loss(self, y, y_pred, sample_weight=None):
        """Return the loss given to `compile`, by itself, as a mean over this replica.

        Args:
            y: What is wanted, `(batch, ...)`.
            y_pred: What the model gives, as the loss takes it.
            sample_weight: Of each example, `(batch,)`, or None.

        Returns:
            Scalar float32 tensor.
        """
        self.weighs_labels = sample_weight is not None
        loss = self.compute_loss(y=y, y_pred=y_pred, sample_weight=sample_weight, training=True)
        # Keras has divided it already, and added what layers ask for, see `regularization`.
        return tf.cast(loss, "float32") * replica_count() - _sum(self.losses)

    def regularization(self, optimizer="optimizer"):
        """Return what layers ask for beside the losses, to be added to what is minimised.

        That are penalties on the weights that an optimizer moves (`kernel_regularizer`). Where a
        step calls each network once, it is also what layers add as they are called (`add_loss`).

        Args:
            optimizer: Key of `optimized_variables()`.

        Returns:
            Scalar float32 tensor.

        Raises:
            ValueError: When layers add a loss as they are called, and it would count for the last
                call alone, or for nobody knows whom.
        """
        if not self.player_optimizers and self.calls_once:
            return _sum(self.losses)
        refuse_added_losses(self)
        moved = self.moved_variables(optimizer)
        return _sum([v.regularizer(v) for v in moved if v.regularizer is not None])

    def report(self, examples=None, **terms):
        """Add this step's terms to their running means and return all logs.

        Args:
            examples: How many there are, by which Keras weighs the losses of batches, or None.
            **terms: Scalars by the names in `tracked`, and `loss`, the total.
        """
        self.update_terms(terms, examples)
        return self.get_metrics_result()

    def update_terms(self, terms, examples=None):
        """Add this step's terms to their running means, see `report`."""
        for metric in self.metrics:
            if metric.name in terms:
                metric.update_state(terms.pop(metric.name), examples)
        if terms:
            raise ValueError(
                f"{type(self).__name__} reports {sorted(terms)}, which `tracked` does not name. "
                f"It names {self.tracked}."
            )

    def test_step(self, data):
        logs = super().test_step(data)
        # Terms of training alone would read 0.0 here.
        return {name: value for name, value in logs.items() if name not in self.trackers}

    # Deployment ---------------------------------------------------------------------------

    def deployable(self):
        """Return the functional Keras model that is exported: raw input to final answer.

        It takes uint8 images in 0..255 and holds all scaling, and shares its weights with
        this model.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what it deploys.")

    answers = None
    """Method `(predictions, inputs)` that returns what `deployable()` shall answer where `predict`
    of these inputs gives these predictions, an array, or `None` where that is something else.

    By it an export is compared with what was trained. A method whose `predict` does not take what
    its `deployable()` takes has none.
    """


def _sum(losses):
    return tf.add_n([tf.zeros(()), *(tf.reduce_sum(tf.cast(x, "float32")) for x in losses)])
