"""What Triton reads."""

import re


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
