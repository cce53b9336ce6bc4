"""What people write for `device=`."""

import pytest
import torch

from fr_explore.base.devices import torch_device


@pytest.mark.parametrize("device", ["cpu", "CPU", " Cpu ", "cpu:0", torch.device("cpu")])
def test_the_cpu_by_any_name(device):
    assert torch_device(device).type == "cpu"


@pytest.mark.parametrize("device", ["auto", "AUTO", None])
def test_auto_is_a_gpu_if_there_is_one(device, monkeypatch):
    for there, kind in ((False, "cpu"), (True, "cuda")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert torch_device(device).type == kind


@pytest.mark.parametrize("device", ["cuda", "gpu", "GPU:0", "cuda:9", torch.device("cuda", 1)])
def test_a_missing_gpu(device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(
        ValueError, match=f"device '{device}' is not available, .* sees no CUDA GPU: use one of 'auto', 'cpu'"
    ):
        torch_device(device)


@pytest.mark.parametrize("device", ["meta", "xpu", "tpu", "cuda:x", "graphics card", "", 3.5])
def test_what_is_no_device_here(device):
    with pytest.raises(ValueError, match=f"device .*{device}.* is not .*: use one of 'auto', 'cpu'"):
        torch_device(device)


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="this machine has an Apple GPU")
@pytest.mark.parametrize("device", ["mps", "MPS", "metal"])
def test_a_missing_apple_gpu(device):
    with pytest.raises(ValueError, match=f"device '{device}' is not available, this machine has no Apple GPU"):
        torch_device(device)
