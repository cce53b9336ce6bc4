"""Files inside packages, and the reader of ONNX files, against the package onnx."""

import hashlib
import sys

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from fr_explore.base.packaged import find, onnx_layers, onnx_weights, verified_bytes


def graph(nodes, arrays):
    made = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    made.append(helper.make_tensor("typed", TensorProto.FLOAT, [3], [1.0, -2.0, 0.5]))
    return helper.make_model(helper.make_graph(nodes, "g", [], [], made)).SerializeToString()


def test_arrays_are_those_that_onnx_wrote():
    arrays = {"w": np.random.default_rng(0).normal(size=(300, 2, 1)).astype(np.float32), "n": np.array([5, -1, 2**40])}
    got = onnx_weights(graph([], arrays))
    assert set(got) == {"w", "n", "typed"}
    for name, array in arrays.items():
        np.testing.assert_array_equal(got[name], array)
    np.testing.assert_array_equal(got["typed"], np.array([1, -2, 0.5], np.float32))


def test_int8_blocks_become_float32():
    """Five numbers in blocks of two: the last block has one number."""
    parts = {
        "w_quantized": np.array([[-128, 127, 3, 4, 5], [1, 0, -1, 2, -2]], np.int8),
        "w_scales": np.array([[0.5, 2, 10], [1, 1, 0.1]], np.float32),
        "w_zero_point": np.array([[0, 1, 0], [0, 0, 2]], np.int8),
        "w_shape": np.array([5, 2]),
    }
    expected = [[-64, 63.5, 4, 6, 50], [1, 0, -1, 2, -0.4]]
    got = onnx_weights(graph([], parts))["w"]
    np.testing.assert_allclose(got, np.reshape(expected, (5, 2)), rtol=1e-6)
    assert got.dtype == np.float32


def test_what_each_layer_reads():
    nodes = [
        helper.make_node("DequantizeLinear", ["a_quantized", "a_scales", "a_zero_point"], ["a_dequantized"], axis=1),
        helper.make_node("Reshape", ["a_dequantized", "a_shape"], ["a_reshaped"]),
        helper.make_node("Conv", ["x", "a_reshaped", "b_dequantized"], ["y"], group=2),
        helper.make_node("Relu", ["y"], ["z"]),
        helper.make_node("Conv", ["z", "c"], ["end"]),
    ]
    assert onnx_layers(graph(nodes, {}), "Conv") == [("x", "a", "b"), ("z", "c")]


def test_what_is_no_onnx_file():
    for data in (b"", b"no file", graph([], {"h": np.zeros(2, np.float16)})):
        with pytest.raises(ValueError, match=r"these are not the weights of an \.onnx file .*: install its package"):
            onnx_weights(data)


def test_a_file_of_a_package_is_found_without_importing_it(tmp_path, monkeypatch):
    package = tmp_path / "weights_of_a_test"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "models" / "net.onnx").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    path = find("weights_of_a_test", "models", "net.onnx")
    assert path is not None
    assert verified_bytes(path, hashlib.sha256(b"weights").hexdigest()) == b"weights"
    assert "weights_of_a_test" not in sys.modules
    assert find("no_such_package_here", "net.onnx") is None
    assert find("weights_of_a_test", "other.onnx") is None
    with pytest.raises(ValueError, match=r"net\.onnx has SHA-256 \w+, expected 0: it is damaged or another file"):
        verified_bytes(path, "0")
