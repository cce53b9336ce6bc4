"""Files inside packages, and the reader of ONNX files, against the package onnx."""

import hashlib
import sys

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from fr_explore.base.packaged import packaged_file, read_onnx


def graph(nodes, arrays):
    made = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    made.append(helper.make_tensor("typed", TensorProto.FLOAT, [3], [1.0, -2.0, 0.5]))
    made.append(helper.make_tensor("counts", TensorProto.INT64, [2], [5, 300]))
    return helper.make_model(helper.make_graph(nodes, "g", [], [], made)).SerializeToString()


def test_arrays_and_nodes_are_those_that_onnx_reads():
    arrays = {"w": np.random.default_rng(0).normal(size=(3, 2, 1, 1)).astype(np.float32), "empty": np.zeros(0, "f4")}
    nodes, got = read_onnx(graph([helper.make_node("Conv", ["x", "w"], ["y"], group=2)], arrays))
    assert nodes == [("Conv", ("x", "w"), ("y",), {"group": 2})]
    np.testing.assert_array_equal(got["w"], arrays["w"])
    assert got["empty"].shape == (0,)
    np.testing.assert_array_equal(got["typed"], np.array([1, -2, 0.5], np.float32))
    np.testing.assert_array_equal(got["counts"], [5, 300])


def test_int8_blocks_become_float32():
    """Five numbers in blocks of two: the last block has one number."""
    numbers = np.array([[-128, 127, 3, 4, 5], [1, 0, -1, 2, -2]], np.int8)
    scale = np.array([[0.5, 2, 10], [1, 1, 0.1]], np.float32)
    zero = np.array([[0, 1, 0], [0, 0, 2]], np.int8)
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"], axis=1, block_size=2),
        helper.make_node("Reshape", ["d", "shape"], ["r"]),
        helper.make_node("Reshape", ["x", "shape"], ["y"]),
    ]
    kept, got = read_onnx(graph(nodes, {"q": numbers, "s": scale, "z": zero, "shape": np.array([5, 2])}))
    assert [node.outputs for node in kept] == [("y",)]
    expected = [[-64, 63.5, 4, 6, 50], [1, 0, -1, 2, -0.4]]
    np.testing.assert_allclose(got["r"], np.reshape(expected, (5, 2)), rtol=1e-6)
    assert got["r"].dtype == np.float32


def test_other_types_are_refused_by_name():
    with pytest.raises(ValueError, match="the ONNX array 'h' has type 10: only float32, int8 and int64 are read"):
        read_onnx(graph([], {"h": np.zeros(2, np.float16)}))


def test_a_file_of_a_package_is_found_without_importing_it(tmp_path, monkeypatch):
    package = tmp_path / "weights_of_a_test"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "models" / "net.onnx").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    right = hashlib.sha256(b"weights").hexdigest()
    assert packaged_file("weights_of_a_test", "models/net.onnx", right) == b"weights"
    assert "weights_of_a_test" not in sys.modules
    assert packaged_file("no_such_package_here", "net.onnx", right) is None
    with pytest.raises(ValueError, match="'weights_of_a_test' has no other.onnx: another version is needed"):
        packaged_file("weights_of_a_test", "other.onnx", right)
    with pytest.raises(ValueError, match=r"net.onnx has SHA-256 \w+, expected 0: it is damaged or another file"):
        packaged_file("weights_of_a_test", "models/net.onnx", "0")

