"""The recorder of the GPU's figures runs to its end, without a GPU and with a stand-in for one."""

import json
import sys

import pytest

from convbook.arrays import is_cupy
from convbook.stand_in import pretended_gpu
from helpers import ROOT

SMALL = {
    "elements": (10, 100),
    "sides": (4, 8),
    "naive": (2, 2, 3),
    "batches": (1, 2),
    "layer_batch": {"digit_cnn": 2, "resnet8": 2},
    "transfers": (16, 64),
}


@pytest.fixture(scope="module")
def recorder():
    """The script, as a module."""
    folder = str(ROOT / "benchmarks")
    sys.path.insert(0, folder)
    try:
        import record_gpu

        yield record_gpu
    finally:
        sys.path.remove(folder)


def check_common(part):
    """The figures that the CPU and the GPU share are all there, and positive."""
    assert part["elementwise"]["elements"] == [10, 100]
    assert min(part["elementwise"]["seconds"] + part["matmul"]["seconds"]) > 0
    assert set(part["naive"]["seconds"]) == {"image by image", "weight by weight", "the package"}
    assert part["naive"]["small_operations"]["image by image"] == 2 * 2 * 3 * 3
    for name, first in (("digit_cnn", "Conv2d(1, "), ("resnet8", "Conv2d(3, ")):
        assert part["steps"][name]["batch"] == [1, 2]
        assert min(part["steps"][name]["seconds"]) > 0
        rows = part["layers"][name]["rows"]
        assert rows[0]["is"].startswith(first) and len(rows) > 8
        assert all(row["forward"] > 0 and row["backward"] > 0 for row in rows)


def test_without_a_gpu_the_cpu_is_recorded_and_the_reason(recorder, monkeypatch, tmp_path):
    monkeypatch.setattr(recorder, "gpu_available", lambda: False)
    record = recorder.record(1, SMALL)
    check_common(record["cpu"])
    assert record["gpu"] is None and "no GPU that CuPy can use" in record["why_no_gpu"]
    assert record["machine"]["threads_used"] == 1 and record["machine"]["date"]
    recorder.write(record, tmp_path / "gpu.json")


@pytest.mark.slow
def test_with_a_gpu_everything_is_recorded(recorder, monkeypatch, tmp_path):
    monkeypatch.setattr(recorder, "why_no_torch", lambda: "")
    on_gpu = recorder.time_torch
    monkeypatch.setattr(
        recorder, "time_torch", lambda repeats, batches: on_gpu(repeats, batches, device="cpu")
    )
    environments = []

    def here(part, **environment):
        environments.append(environment)
        return recorder.PARTS[part]() if part == "first_calls" else {"part": part}

    with pretended_gpu():
        record = recorder.record(1, SMALL, run=here)
    gpu = record["gpu"]
    check_common(gpu)
    assert gpu["device"]["name"] == "stand-in" and gpu["device"]["date"]
    assert min(gpu["transfer"]["to_device"] + gpu["transfer"]["to_host"]) > 0
    assert len(gpu["memory"]["bytes"]) == 2
    assert set(gpu["first_calls"]["nothing compiled"]) == {"ready", "first", "second", "usual"}
    assert gpu["precision"]["tf32"] == {"part": "matmul_now"}
    folders = [e["CUPY_CACHE_DIR"] for e in environments if "CUPY_CACHE_DIR" in e]
    assert len(folders) == 2 and folders[0] == folders[1]  # the second finds what was compiled
    assert {"CUPY_TF32": "1"} in environments
    assert min(record["torch"]["steps"]["digit_cnn"]["seconds"]) > 0
    recorder.write(record, tmp_path / "gpu.json")


def test_the_device_computes_what_is_timed_as_the_gpus(recorder):
    with pretended_gpu() as cupy:
        clock = recorder.cupy_clock(1)
        layers = recorder.passes(
            recorder.networks()["digit_cnn"]().to_gpu(),
            clock.put(recorder.mini_batch((2, 1, 28, 28))[0]),
        )
        assert all(is_cupy(given) and is_cupy(dy) for _, _, given, dy in layers)
        before = len(cupy.calls)
        recorder.time_naive(clock, (2, 2, 3))
        assert len(cupy.calls) - before > 36


def test_the_first_layer_is_timed_as_in_training_without_dx(recorder, monkeypatch):
    asked, backward = [], recorder.layers.Conv2d.backward

    def remembered(self, dy, need_dx=True):
        asked.append((self.in_channels, need_dx))
        return backward(self, dy, need_dx)

    monkeypatch.setattr(recorder.layers.Conv2d, "backward", remembered)
    recorder.time_layers(recorder.cpu_clock(1), SMALL["layer_batch"])
    first = {1, 3}  # channels of the digits and of the photographs
    assert {need_dx for channels, need_dx in asked if channels in first} == {False}
    assert {need_dx for channels, need_dx in asked if channels not in first} == {True}


def test_the_clock_waits_for_the_device(recorder):
    log = []
    clock = recorder.Clock(5, synchronize=lambda: log.append("wait"))
    clock.once(lambda: log.append("call"))
    assert log == ["wait", "call", "wait"]
    clock.once(lambda: log.append("call"), calls=3)
    assert log[3:] == ["wait", "call", "call", "call", "wait"]


def test_the_clock_takes_the_median_without_the_first_calls(recorder):
    durations = iter([9.0, 5.0, 2.0, 100.0, 3.0])  # two to warm up, three that count
    now = 0

    def call():
        nonlocal now
        now += next(durations)

    assert recorder.Clock(3, now=lambda: now).median(call) == 3


def test_short_calls_are_made_in_a_row(recorder):
    now = calls = 0

    def call():
        nonlocal now, calls
        now, calls = now + 1e-5, calls + 1

    assert recorder.Clock(2, now=lambda: now).median(call) == pytest.approx(1e-5)
    assert 2 + 2 * 99 <= calls <= 2 + 2 * 101


def test_sizes_that_take_too_long_or_do_not_fit_are_left_out(recorder):
    tried = []

    def measure(size):
        tried.append(size)
        if size == 3:
            raise type("OutOfMemoryError", (Exception,), {})("no room")
        return float(size)

    clock = recorder.cpu_clock(1)
    assert recorder.growing((1, 2, 3, 4), measure, clock) == [1, 2, None, None]
    assert recorder.growing((1, 9, 10), measure, clock) == [1, 9, None]
    assert tried == [1, 2, 3, 1, 9]
    with pytest.raises(ValueError, match="a mistake"):
        recorder.growing((1,), lambda size: int("a mistake"), clock)


def test_pytorchs_twin_computes_the_same(recorder):
    torch = pytest.importorskip("torch")
    import numpy as np

    model = recorder.networks()["digit_cnn"]()
    x, _ = recorder.mini_batch((3, 1, 28, 28))
    theirs = recorder.torch_twin(model)(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(model(x), theirs, atol=1e-4)


def test_figures_of_a_gpu_are_never_lost(recorder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(recorder, "gpu_available", lambda: False)
    target = tmp_path / "gpu.json"
    target.write_text('{"gpu": {"device": {"name": "a GPU"}}}')
    recorder.main(["--target", str(target)])
    assert json.loads(target.read_text())["gpu"]["device"]["name"] == "a GPU"
    assert "is left as it is" in capsys.readouterr().out


def test_what_is_missing_is_said_in_a_sentence(recorder, monkeypatch):
    monkeypatch.setattr(recorder, "torch", None)
    assert recorder.why_no_torch() == "PyTorch is not installed"


def test_the_stored_record_is_complete(recorder):
    record = json.loads(recorder.TARGET.read_text(encoding="utf-8"))
    assert tuple(record["cpu"]["steps"]["digit_cnn"]["batch"]) == recorder.BATCHES
    assert (record["gpu"] is None) == ("why_no_gpu" in record)
    if record["gpu"]:
        assert record["gpu"]["device"]["name"] and record["gpu"]["device"]["date"]


def test_the_record_agrees_with_that_of_the_chapter_before(recorder):
    """Chapter 3-5-1 times the same layers: what is one measurement here is one there."""
    ours = json.loads(recorder.TARGET.read_text(encoding="utf-8"))["cpu"]["layers"]["digit_cnn"]
    path = recorder.TARGET.with_name("chapter_3_5_1.json")
    theirs = json.loads(path.read_text(encoding="utf-8"))["times"]["layers"]
    assert ours["batch"] == theirs["batch_size"]
    for row, other in zip(ours["rows"], theirs["rows"], strict=True):
        assert row["is"] == other["layer"]
        if row["backward"] > 5e-4:  # what takes less is noise
            assert 0.4 < row["backward"] / other["backward"] < 2.5, row["is"]
