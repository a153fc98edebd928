"""What an artifact's graph is computed by: onnxruntime or OpenVINO, measured and compared."""
