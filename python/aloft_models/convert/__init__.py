"""Turns a registered MLflow model into what the gateway serves: one ONNX file where ONNX can
express the model, otherwise the model's folder for the Python worker."""
