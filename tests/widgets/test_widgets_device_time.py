"""DeviceTimeExplorer: the model in Python, the same numbers in the browser, and what it assumes."""

import math

import numpy as np
import pytest
import traitlets

from convbook.arrays import to_gpu
from convbook.layers.summary import Summary
from convbook.losses import SoftmaxCrossEntropy
from convbook.models.digits import digit_cnn
from convbook.optimizers import Adam
from convbook.stand_in import pretended_gpu
from convbook.widgets import DeviceTimeExplorer
from convbook.widgets.device_time import BATCHES, DEVICES, WORKLOADS
from helpers.pages import WIDE, settle, write_widget_page

SHOWN = """
(place) => ({
  parts: Object.fromEntries([...place.querySelectorAll("[data-part]")].map((cell) =>
    [cell.dataset.part, Number(cell.dataset.seconds)])),
  curve: [...place.querySelectorAll("circle[data-batch]:not([data-now])")].map((point) =>
    [Number(point.dataset.batch), Number(point.dataset.seconds)]),
  cpu: [...place.querySelectorAll("rect[data-batch]:not([data-now])")].map((point) =>
    Number(point.dataset.seconds)),
  remark: place.querySelector(".cb-formula").textContent,
  now: place.querySelector(".cb-remark").textContent,
})
"""


def test_the_parts_by_hand():
    w = DeviceTimeExplorer(workload="add", device="T4", batch=100, overhead=20, moving=True)
    parts = w.parts()
    assert parts["launches"] == pytest.approx(40e-6)
    assert parts["memory"] == pytest.approx(100 * 784 * 16 / 320e9)
    assert parts["arithmetic"] == pytest.approx(100 * 784 * 2 / 8.1e12)
    assert parts["moving"] == pytest.approx(313_600 / 15.75e9)
    assert parts["total"] == pytest.approx(parts["launches"] + parts["memory"] + parts["moving"])
    assert w.seconds == {"gpu": parts["total"], "cpu": w.cpu()}


def test_a_loop_over_images_launches_again_for_each():
    w = DeviceTimeExplorer(batch=64)
    whole = w.parts()
    w.mode = "loop"
    assert w.parts()["launches"] == pytest.approx(64 * whole["launches"])
    assert w.parts()["memory"] == whole["memory"]


def test_the_crossover_is_where_the_gpu_becomes_faster():
    w = DeviceTimeExplorer()
    n = w.crossover
    assert w.parts(n)["total"] < w.cpu(n) and w.parts(n // 2)["total"] >= w.cpu(n // 2)
    w.overhead = 100
    assert w.crossover > n
    w.mode = "loop"
    assert w.crossover is None


def test_the_work_is_the_digit_networks():
    summary = Summary(digit_cnn(), (1, 28, 28))
    rows = {row.name: row for row in summary.rows}
    assert WORKLOADS["step"]["flops"] == 3 * 2 * summary.multiplications
    assert WORKLOADS["convolution"]["flops"] == 2 * rows["3"].multiplications
    assert WORKLOADS["convolution"]["moved"] == 4 * math.prod(rows["2"].output_shape)
    assert WORKLOADS["step"]["moved"] == 4 * 28 * 28


def test_the_kernels_are_about_as_many_as_the_package_launches():
    with pretended_gpu() as cupy:
        model, loss = digit_cnn().to_gpu(), SoftmaxCrossEntropy()
        optimizer = Adam(model)
        x, labels = to_gpu(np.ones((2, 1, 28, 28), np.float32)), to_gpu(np.array([3, 4]))
        for _ in range(2):
            cupy.calls.clear()
            loss(model(x), labels)
            model.backward(loss.backward(), need_dx=False)
            optimizer.step()
        assert cupy.kernels == pytest.approx(WORKLOADS["step"]["calls"], rel=0.15)
        given = model[2](model[1](model[0](x)))
        cupy.calls.clear()
        model[3](given)
        assert abs(cupy.kernels - WORKLOADS["convolution"]["calls"]) <= 2


def test_the_bus_is_that_of_the_standard():
    for device, transfers in (("T4", 8e9), ("A100", 16e9)):
        assert DEVICES[device]["link"] == pytest.approx(16 * transfers * 128 / 130 / 8, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("workload", "sleep"),
        ("device", "B52"),
        ("batch", 0),
        ("batch", 4097),
        ("overhead", 0.5),
        ("mode", "both"),
        ("cpu_peak", 0),
    ],
)
def test_refuses_what_it_cannot_show(name, value):
    with pytest.raises(traitlets.TraitError):
        DeviceTimeExplorer(**{name: value})


def test_the_plain_form_has_the_times():
    plain = DeviceTimeExplorer(workload="add").plain()
    assert "NVIDIA T4" in plain and plain.count("<tr>") == 1 + len(BATCHES[::2])


def test_the_page_shows_what_python_computes(tmp_path, open_page):
    widgets = [
        DeviceTimeExplorer(
            workload=workload,
            device=device,
            mode=mode,
            moving=moving,
            batch=batch,
            overhead=overhead,
        )
        for workload, device, mode, moving, batch, overhead in [
            ("step", "T4", "batch", False, 64, 10),
            ("step", "A100", "loop", True, 8, 2),
            ("convolution", "T4", "batch", True, 4096, 1),
            ("add", "A100", "batch", False, 1, 100),
        ]
    ]
    write_widget_page(tmp_path, widgets)
    visit = open_page(viewport=WIDE)
    visit.page.goto((tmp_path / "widgets.html").as_uri())
    settle(visit.page)
    places = visit.page.locator(".convbook-widget")
    for k, w in enumerate(widgets):
        shown = places.nth(k).evaluate(SHOWN)
        parts = w.parts()
        for name in ("launches", "memory", "arithmetic", "moving"):
            assert shown["parts"][name] == pytest.approx(parts[name], rel=1e-12)
        assert shown["parts"]["GPU"] == pytest.approx(parts["total"], rel=1e-12)
        assert shown["parts"]["CPU"] == pytest.approx(w.cpu(), rel=1e-12)
        assert [n for n, _ in shown["curve"]] == list(BATCHES)
        np.testing.assert_allclose(
            [t for _, t in shown["curve"]], [w.parts(n)["total"] for n in BATCHES]
        )
        np.testing.assert_allclose(shown["cpu"], [w.cpu(n) for n in BATCHES])
        said = (
            f"from a batch of {w.crossover:,} on"
            if w.crossover
            else "slower one at every batch size"
        )
        assert said in shown["remark"]
        assert "not a measurement" in shown["remark"]
    assert (visit.errors, visit.outside) == ([], [])


def test_by_hand_on_the_page(tmp_path, open_page):
    write_widget_page(tmp_path, [DeviceTimeExplorer()])
    visit = open_page(viewport=WIDE)
    page = visit.page
    page.goto((tmp_path / "widgets.html").as_uri())
    settle(page)
    place = page.locator(".convbook-widget")
    place.get_by_role("button", name="Compute image by image").click()
    place.get_by_role("slider", name="batch size").press("End")
    place.get_by_role("button", name="Count the time for moving").click()
    w = DeviceTimeExplorer(mode="loop", batch=4096, moving=True)
    shown = place.evaluate(SHOWN)
    assert shown["parts"]["GPU"] == pytest.approx(w.parts()["total"], rel=1e-12)
    assert shown["parts"]["moving"] > 0 and "Batch of 4,096" in shown["now"]
    place.get_by_role("combobox", name="GPU").select_option("A100")
    place.get_by_role("slider", name="per kernel").press("Home")
    w = DeviceTimeExplorer(mode="loop", batch=4096, moving=True, device="A100", overhead=1)
    assert place.evaluate(SHOWN)["parts"]["GPU"] == pytest.approx(w.parts()["total"], rel=1e-12)
    place.get_by_role("button", name="Back to the start").click()
    assert place.evaluate(SHOWN)["parts"]["GPU"] == pytest.approx(
        DeviceTimeExplorer().parts()["total"], rel=1e-12
    )
    assert (visit.errors, visit.outside) == ([], [])
