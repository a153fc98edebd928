"""Operations and whole ONNX graphs, written so that every runtime computes them, and well."""
