import logging

from keras_dtl.callbacks import Watch


def test_callback_says_each_finding_once_and_logs_measures(caplog):
    callback = Watch(lambda model, columns, progress: ({"m": progress}, {"bad": "It is bad."}))
    callback.set_params({"epochs": 4})
    logs = [{"loss": 1.0}, {"loss": 2.0}]
    with caplog.at_level(logging.WARNING, "keras_dtl"):
        for epoch, row in enumerate(logs):
            callback.on_epoch_end(epoch, row)
    assert caplog.messages == ["Epoch 1: It is bad."]
    assert [row["m"] for row in logs] == [0.25, 0.5]
    assert callback.columns == {"loss": [1.0, 2.0]}
