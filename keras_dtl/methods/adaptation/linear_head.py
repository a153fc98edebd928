import keras
import numpy as np

from keras_dtl.prediction import predict


def refit_head(model, images, labels, regularization=1.0):
    """Replace the classifier's last layer by a linear SVM on what reaches it.

    What Ganin et al. (2016) do before they score: the layers below have settled, a maximum
    margin on top is found exactly. The SVM is linear, so the model keeps its form and exports as
    before; its "probabilities" are then those of margins, right in order, not calibrated.

    Args:
        model: A `DomainAdaptation` whose classifier is a functional model ending in a `Dense`
            layer. That layer's weights change in place.
        images: Source images, as for `encoder`.
        labels: Their integers, or a number for each class; every class of the classifier must be
            among them.
        regularization: C of the SVM.

    Raises:
        ValueError: When the classifier does not end in a `Dense` layer or a class is missing.
    """
    from sklearn.svm import LinearSVC

    last = model.classifier.layers[-1]
    if not isinstance(last, keras.layers.Dense):
        raise ValueError(
            "Only a classifier that ends in a Dense layer can be refit. Received: one that ends "
            f"in {type(last).__name__}."
        )
    labels = np.asarray(labels)
    if labels.ndim == 2:
        labels = labels.argmax(1) if labels.shape[1] > 1 else labels[:, 0]
    found = np.unique(labels)
    if len(found) < last.units:
        raise ValueError(
            f"Refitting needs examples of all {last.units} classes. Received: {len(found)}."
        )
    body = keras.Model(model.classifier.inputs[0], last.input)
    features = predict(model.encoder, images)
    inputs = np.asarray(predict(body, features), "float64")
    svm = LinearSVC(C=regularization).fit(inputs, labels)
    kernel, bias = svm.coef_.T, svm.intercept_
    if last.units == 2:  # one hyperplane serves both sides
        kernel, bias = np.hstack([-kernel, kernel]) / 2, np.concatenate([-bias, bias]) / 2
    last.kernel.assign(kernel)
    if last.use_bias:
        last.bias.assign(bias)
