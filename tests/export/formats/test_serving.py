"""What Triton, TensorFlow Serving and servers of the Open Inference Protocol read."""

import json
import re

import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto


def test_triton_config_describes_the_graph(classifier_artifact):
    text = (classifier_artifact / "config.pbtxt").read_text()
    assert 'name: "classifier"' in text
    assert 'platform: "onnxruntime_onnx"' in text
    assert 'default_model_filename: "model.onnx"' in text
    # Triton adds the batch axis itself where max_batch_size is not 0.
    assert re.search(r"max_batch_size: [1-9]", text)
    assert '{ name: "image" data_type: TYPE_UINT8 dims: [ 12, 10, 3 ] }' in text
    assert '{ name: "probabilities" data_type: TYPE_FP32 dims: [ 3 ] }' in text
    for opening, closing in ("[]", "{}"):
        assert text.count(opening) == text.count(closing)


def test_triton_config_marks_free_sizes_and_separates_tensors(
    generator_artifact, two_inputs_artifact
):
    assert "dims: [ -1, -1, 3 ]" in (generator_artifact / "config.pbtxt").read_text()
    text = (two_inputs_artifact / "config.pbtxt").read_text()
    assert re.search(r"dims: \[ -1, 6 \] },\n  { name: \"input_1\"", text)


def test_open_inference_description_names_every_tensor(generator_artifact, two_inputs_artifact):
    value = json.loads((generator_artifact / "open_inference.json").read_text())
    assert value["platform"] == "onnx_onnxv1"
    assert value["versions"] == ["1"]
    assert value["inputs"] == [{"name": "image", "datatype": "UINT8", "shape": [-1, -1, -1, 3]}]
    value = json.loads((two_inputs_artifact / "open_inference.json").read_text())
    assert [item["datatype"] for item in value["inputs"]] == ["FP32", "FP32"]


def fields(data):
    """Return the fields of a protocol buffer message that hold bytes, as `(number, bytes)`."""
    found, place = [], 0
    while place < len(data):
        number, kind = data[place] >> 3, data[place] & 7
        assert kind == 2
        size, shift, place = 0, 0, place + 1
        while True:
            size |= (data[place] & 127) << shift
            place, shift = place + 1, shift + 7
            if data[place - 1] < 128:
                break
        found.append((number, data[place : place + size]))
        place += size
    return found


def test_warm_up_requests_are_what_the_signatures_take(classifier_artifact):
    """Read back by the numbers of the fields in tensorflow_serving/apis/*.proto."""
    file = classifier_artifact / "1" / "assets.extra" / "tf_serving_warmup_requests"
    model = tf.saved_model.load(classifier_artifact / "1")
    seen = []
    for record in tf.data.TFRecordDataset(str(file)):
        ((number, log),) = fields(record.numpy())
        assert number == 6  # predict_log
        ((_, request),) = fields(log)
        (_, spec), (_, entry) = fields(request)
        assert fields(spec)[0] == (1, b"classifier")
        signature = fields(spec)[1][1].decode()
        (_, key), (_, tensor) = fields(entry)
        value = tf.make_ndarray(TensorProto.FromString(tensor))
        outputs = model.signatures[signature](**{key.decode(): tf.constant(value)})
        assert outputs["probabilities"].shape == (1, 3)
        seen.append(signature)
    assert seen == ["serving_default", "image_bytes"]
