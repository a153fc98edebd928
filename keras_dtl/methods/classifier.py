"""What methods share whose deployed model is an encoder, a classifier and an answer."""

import inspect

import keras

from keras_dtl.layers import answer_of
from keras_dtl.methods.base import Method
from keras_dtl.methods.given_labels import check_labels, faults_in_words
from keras_dtl.methods.inputs import check_asked, logits_loss
from keras_dtl.methods.probability_metrics import logits_metrics


class ClassifierMethod(Method):
    """A method whose deployed model is an encoder and a classifier, to which it adds the answer.

    What the classifier's numbers stand for follows from the compiled loss, see
    `keras_dtl.layers.Answer`.
    """

    learning = ("encoder", "classifier")

    def compile(self, optimizer="rmsprop", loss=None, *args, **kwargs):
        """See `Method.compile`. A cross-entropy of probabilities is taken as one of logits, and so
        are Keras' metrics of probabilities.
        """
        loss = logits_loss(loss)
        _, _, _, *names = inspect.signature(keras.Model.compile).parameters
        kwargs |= dict(zip(names, args, strict=False))
        for name in ("metrics", "weighted_metrics"):
            if kwargs.get(name):
                kwargs[name] = logits_metrics(kwargs[name], self.classifier.output_shape, loss)
        super().compile(optimizer, loss, **kwargs)

    def fit(self, x=None, y=None, *args, **kwargs):
        """See `keras.Model.fit`.

        Raises:
            ValueError: When labels are of another form than the loss reads, or no class has them.
        """
        self._check_labels(x, y)
        with faults_in_words(self.classifier.output_shape[-1]):
            return super().fit(x, y, *args, **kwargs)

    def evaluate(self, x=None, y=None, *args, **kwargs):
        """See `keras.Model.evaluate`.

        Raises:
            ValueError: As of `fit`, without labels, and when images were scaled before, which the
                encoder does by itself.
        """
        check_asked(x, self.encoder)
        if y is None and hasattr(x, "shape"):
            raise ValueError("evaluate() takes images and their labels. Received: images alone.")
        self._check_labels(x, y)
        with faults_in_words(self.classifier.output_shape[-1]):
            return super().evaluate(x, y, *args, **kwargs)

    def _check_labels(self, x, y):
        check_labels(x, y, self.loss, self.classifier.output_shape[-1])

    def predict(self, x, *args, **kwargs):
        """See `keras.Model.predict`.

        Raises:
            ValueError: As of `evaluate`, and for several arrays, such as images and their labels.
        """
        if isinstance(x, (tuple, list)) and len(x) > 1:
            raise ValueError(
                f"predict() takes one array of images. Received: a {type(x).__name__} of {len(x)}. "
                "Leave labels out, and join several images by numpy.stack."
            )
        check_asked(x, self.encoder)
        return super().predict(x, *args, **kwargs)

    def answer(self, postprocessing=None):
        """Return the `keras_dtl.layers.Answer` that the model was trained to give.

        Args:
            postprocessing: `"softmax"`, `"sigmoid"` or `"none"`, where the loss does not tell.

        Raises:
            ValueError: When neither tells.
        """
        return answer_of(self.classifier.output_shape, self.loss, postprocessing)

    def deployable(self, postprocessing=None, dtype=None):
        """Return the functional model from examples to the answer, see `Method.deployable`.

        Args:
            postprocessing: As `answer` takes it.
            dtype: Of the input; by default what the encoder declares.
        """
        return deployed_classifier(
            self.encoder, self.classifier, self.name, self.answer(postprocessing), dtype
        )

    def answers(self, predictions, inputs, postprocessing=None):
        return self.answer(postprocessing).array(predictions, inputs[0])


def deployed_classifier(encoder, classifier, name, answer=None, dtype=None):
    """Return the functional model from examples to the answer of encoder and classifier.

    The answer is `probabilities`, `values`, or of a segmenter `class_map`, the class of each
    pixel.

    Args:
        encoder: Network from images `(batch, height, width, channels)`, or other examples, to
            features.
        classifier: Network from features to logits.
        name: Of the model.
        answer: The `keras_dtl.layers.Answer`; by default one of several classes.
        dtype: Of the input; by default what the encoder declares.
    """
    [declared] = encoder.inputs
    names = {2: "features", 3: "series", 4: "image"}
    image = keras.Input(
        encoder.input_shape[1:],
        dtype=dtype or declared.dtype,
        name=names.get(len(encoder.input_shape), "input"),
    )
    logits = classifier(encoder(image, training=False), training=False)
    answer = answer or answer_of(classifier.output_shape)
    return keras.Model(image, answer.tensor(logits, image), name=name)


def is_dense(classifier):
    """Return whether a classifier gives logits of every position, as a segmenter does.

    Args:
        classifier: Network to logits `(batch, classes)` or `(batch, height, width, classes)`.
    """
    return len(classifier.output_shape) == 4
