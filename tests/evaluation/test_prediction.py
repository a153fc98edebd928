import keras
import numpy as np

from keras_dtl.evaluation import predict


def test_batches_are_joined_in_the_structure_of_the_output():
    sizes = []

    def network(batch):
        sizes.append(len(batch[0]))
        return {"sum": batch[0] + batch[1], "first": batch[0]}

    x = np.arange(10.0)
    found = predict(network, [x, 2 * x], batch_size=4)
    assert sizes == [4, 4, 2]
    np.testing.assert_array_equal(found["sum"], 3 * x)
    np.testing.assert_array_equal(found["first"], x)


def test_inputs_keep_their_form_and_layers_do_not_train():
    forms = []
    x = np.ones((3, 1000), "float32")
    for inputs in (x, [x], (x,)):
        predict(lambda batch: forms.append(type(batch)) or batch[0], inputs)
    assert forms == [np.ndarray, list, tuple]
    np.testing.assert_array_equal(predict(keras.layers.Dropout(0.5), x), x)
