import logging
import math

import keras
import numpy as np

from keras_dtl.callbacks.failures import (
    Failure,
    Known,
    Probe,
    find_dead_features,
    find_known_by_heart,
    find_one_answer,
    find_one_class,
)
from keras_dtl.callbacks.logged import numbers

logger = logging.getLogger("keras_dtl")

ENOUGH_STEPS = 20
"""Steps after which a training must have learnt something."""
GUESSING = 0.97
"""Share of the loss of guessing from which on nothing has been learnt."""
EXPLODED = 50.0
"""Multiple of its first values, and of 1, from which on a loss has exploded."""
WON, LOST = 0.97, 0.55
"""Domain accuracy from which on a discriminator has won, and below which it never learnt."""
OPPOSED = 0.5
"""Reversal strength from which on a discriminator should have trouble."""
GENERATOR_BEATEN = 0.01
"""Loss of a discriminator of generated images from which on it is never wrong."""
BATCH_SIZE = 64
"""Images that are asked about at once."""

_OF_CLASSES = keras.losses.SparseCategoricalCrossentropy, keras.losses.CategoricalCrossentropy


class FailureWatch(keras.callbacks.Callback):
    """Says in words, while it runs, that a training fails, and how to mend it.

    After each epoch it looks at what was logged and, where it is given images, at what the model
    answers. It names: a label loss that stays at that of guessing; one class for all images, of
    the training or of a target without labels; dead features; losses that explode;
    a training set that is known by heart while other images are guessed; a discriminator that won
    or never learnt. Each is a warning of the logger `keras_dtl`, told once while it lasts.
    `StopWhenDiverged` stops where a loss is no number any more.

    Pass it behind the schedules and before a `Checkpoint`.

    Args:
        probe: `(images, labels)` of a few training images, as many of each class, or None.
        held_out: `(images, labels)` that are not trained with, or None.
        target: Images `(count, height, width, channels)` of a domain to adapt to, or None.
        classes: Their names in label order, by which failures call them, or None.

    Raises:
        ValueError: At the beginning of `fit`, when it is given images and the model has not the
            parts `encoder` and `classifier`.

    Attributes:
        failures: `{name: Failure}` of what was wrong in the last epoch.

    Example:

    ```python
    import keras
    from keras_dtl import SourceOnly, backbones, callbacks, domain_batches, load

    source = load("digits")
    encoder = backbones.lenet(source.image_shape)
    model = SourceOnly(encoder, backbones.mlp(encoder.output_shape[1:], (), 10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.01), loss)
    watch = callbacks.FailureWatch()
    batches = domain_batches(source, load("digits_m"), 32)
    model.fit(batches, steps_per_epoch=2, callbacks=[watch], verbose=0)
    print(watch.failures)  # {} when all is well
    ```
    """

    def __init__(self, probe=None, held_out=None, target=None, classes=None):
        super().__init__()
        self.probe = None if probe is None else Probe(*probe)
        self.held_out = None if held_out is None else Probe(*held_out)
        self.target = target
        self.classes = None if classes is None else tuple(classes)
        self.failures = {}

    def on_train_begin(self, logs=None):
        given = any(images is not None for images in (self.probe, self.held_out, self.target))
        if given and not all(hasattr(self.model, part) for part in ("encoder", "classifier")):
            raise ValueError(
                "FailureWatch asks `encoder` and `classifier` about its images, which "
                f"{type(self.model).__name__} has not. Pass FailureWatch() without images: it "
                "reads the logs."
            )
        self.failures = {}
        self._steps = 0
        self._first = {}
        self._best_discriminator = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._means, self._tail, self._exploded, self._done = {}, {}, None, 0

    def on_train_batch_end(self, batch, logs=None):
        self._steps += batch + 1 - self._done
        values = self._values(batch, numbers(logs))
        half = (self.params.get("steps") or 0) // 2
        for name, value in values.items():
            if batch >= half:
                self._tail.setdefault(name, []).append(value)
        if self._exploded is None:
            self._exploded = self._explosion(values)
            if self._exploded and self._exploded.name not in self.failures:
                self._tell(self._exploded)

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        known, of_answers = self._of_answers()
        found = [self._exploded, *self._of_logs(logs, known), *of_answers]
        found = {failure.name: failure for failure in found if failure is not None}
        for name, failure in found.items():
            if name not in self.failures and failure is not self._exploded:
                self._tell(failure)
        self.failures = found

    # What was logged ----------------------------------------------------------------------

    def _values(self, batch, logs):
        """Return the terms of this step, or of those that ran at once: Keras logs means."""
        values, before, self._done = {}, self._done, batch + 1
        for name, mean in logs.items():
            if name.endswith(("loss", "accuracy")):
                total = self._done * mean - before * self._means.get(name, 0.0)
                values[name] = total / (self._done - before)
                self._means[name] = mean
        return values

    def _explosion(self, values):
        for name, value in values.items():
            first = self._first.setdefault(name, [])
            if len(first) < 3:
                first.append(abs(value))
            if name.endswith("loss") and not math.isfinite(value):
                return Failure(
                    "losses explode",
                    f"`{name}` is {value} in step {self._steps}: the weights are lost. Lower the "
                    "learning rate, give the optimizer `global_clipnorm=1.0`, and look for values "
                    "that are not finite and labels without a class in the data. "
                    "`StopWhenDiverged` stops at once.",
                )
            usual = max(1.0, self._guessing_loss() or 0.0, np.mean(first[:1]))
            if name.endswith("loss") and abs(value) > EXPLODED * usual:
                return Failure(
                    "losses explode",
                    f"`{name}` is {value:.3g} in step {self._steps}, after {first[0]:.3g} in the "
                    "first. What was learnt is lost. Lower the learning rate, let it rise slowly "
                    "(`warm_up`), or give the optimizer `global_clipnorm=1.0`.",
                )
        return None

    def _of_logs(self, logs, known):
        tail = {name: float(np.mean(values)) for name, values in self._tail.items()}
        return [self._guesses(tail, known), self._discriminator(tail, logs), self._generator(tail)]

    def _guessing_loss(self):
        """Return the loss of guessing in nats, or None where the loss is no cross-entropy."""
        shape = getattr(getattr(self.model, "classifier", None), "output_shape", None)
        loss = getattr(self.model, "loss", None)
        if isinstance(loss, keras.losses.BinaryCrossentropy):
            return math.log(2)
        return math.log(shape[-1]) if shape and isinstance(loss, _OF_CLASSES) else None

    def _guesses(self, tail, known):
        """Judge the label loss, and by the share of the probe that is known where it may mislead.

        A loss of weighted labels, or one that is multiplied, may be above that of guessing.
        """
        guessing, loss = self._guessing_loss(), tail.get("label_loss")
        if guessing is None or loss is None or self._steps < ENOUGH_STEPS:
            return None
        if not math.isfinite(loss):
            return None
        if "mapping_loss" in tail:  # ADDA logs known labels alone
            return None
        words = f"the label loss is {loss:.3g}, that of guessing {guessing:.3g}"
        if getattr(self.model, "weighs_labels", False):
            if known is None or known.share > known.by_luck:
                return None
            words = f"{known.share:.0%} of the training images are right, no more than by guessing"
        elif loss < GUESSING * guessing or (known is not None and known.is_most):
            return None
        return Failure(
            "no better than guessing",
            f"{words}: nothing of the classes is known. Try a tenth of the learning rate, check "
            "that labels belong to their images, and train without adaptation first.",
        )

    def _discriminator(self, tail, logs):
        accuracy = tail.get("domain_accuracy")
        if accuracy is None or self._steps < ENOUGH_STEPS:
            return None
        self._best_discriminator = max(self._best_discriminator, accuracy, logs["domain_accuracy"])
        if self._best_discriminator < LOST and tail.get("domain_loss", 1.0) > 0.68:
            return Failure(
                "the discriminator never learnt",
                f"it is right on {accuracy:.0%} of the images, a coin on 50 %: its being fooled "
                "says nothing about the features. Give it a higher learning rate or more units, "
                "or start the reversal later.",
            )
        if accuracy >= WON and self._reversal_strength(logs) >= OPPOSED:
            return Failure(
                "the discriminator has won",
                f"it tells {accuracy:.0%} of the images' domains although the encoder opposes it: "
                "nothing is adapted. Raise the encoder's learning rate or the reversal strength, "
                "or make the discriminator smaller.",
            )
        return None

    def _reversal_strength(self, logs):
        strength = logs.get("reversal_strength", getattr(self.model, "reversal_strength", 0.0))
        return float(strength)

    def _generator(self, tail):
        loss = tail.get("discriminator_loss")
        if loss is None or not 0 <= loss < GENERATOR_BEATEN or self._steps < ENOUGH_STEPS:
            return None
        return Failure(
            "the discriminator has won",
            f"its loss is {loss:.2g}: it is never wrong, and the generator learns nothing from it. "
            "Lower its learning rate, or smooth its labels.",
        )

    # What the model answers ---------------------------------------------------------------

    def _of_answers(self):
        """Return the `Known` share of the probe, where there is one, and what was found."""
        if self._steps < ENOUGH_STEPS:
            return None, []
        found = []
        if self.target is not None and (answers := self._answers(self.target)[1]) is not None:
            found.append(find_one_answer(answers, self._name_of))
        if self.probe is None:
            return None, found
        features, answers = self._answers(self.probe.images)
        found.append(find_dead_features(features))
        if answers is None:
            return None, found
        labels = self.probe.known
        found.append(find_one_class(answers, labels, self._name_of))
        if self.held_out is not None:
            others = self._answers(self.held_out.images)[1]
            found.append(find_known_by_heart(answers, labels, others, self.held_out.known))
        return Known.of(answers, labels), found

    def _answers(self, images):
        """Return features and the answered classes, or None where answers are no classes."""
        parts = [
            self._outputs(images[k : k + BATCH_SIZE]) for k in range(0, len(images), BATCH_SIZE)
        ]
        features, logits = (np.concatenate(part) for part in zip(*parts, strict=True))
        if self._task() not in (None, "classification"):
            return features, None
        return features, logits.argmax(-1) if logits.shape[-1] > 1 else (logits[:, 0] > 0) * 1

    def _outputs(self, images):
        features = self.model.encoder(images, training=False)
        logits = self.model.classifier(features, training=False)
        return [keras.ops.convert_to_numpy(tensor) for tensor in (features, logits)]

    def _task(self):
        """Return what the classifier answers, such as `"classification"`; None: nobody knows."""
        try:
            return self.model.answer().task
        except (AttributeError, ValueError):  # no method of this package, or a loss of one's own
            return None

    def _name_of(self, number):
        return f"class {number}" if self.classes is None else repr(str(self.classes[number]))

    def _tell(self, failure):
        logger.warning("Step %d: %s", self._steps, failure)
