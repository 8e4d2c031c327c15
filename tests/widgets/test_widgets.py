"""The explorers in Python: their state, their checks, and the form they have on a page."""

import html
import json
import re

import numpy as np
import pytest
import traitlets

from convbook.functional import conv2d
from convbook.widgets import ConvolutionExplorer, bundle
from convbook.widgets.base import Real
from helpers.figures import ALL, make


def state_on_page(widget):
    return json.loads(
        html.unescape(re.search(r'data-state="([^"]*)"', widget.static_html()).group(1))
    )


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
class TestEveryExplorer:
    def test_says_the_same_each_time(self, cls):
        assert make(cls).static_html() == make(cls).static_html()
        assert repr(make(cls)) == f"{cls.__name__}()"

    def test_carries_its_state_and_a_plain_form(self, cls):
        widget = make(cls)
        assert state_on_page(widget) == json.loads(json.dumps(widget.state))
        assert not any(name.startswith("_") for name in widget.state)
        assert "<table" in widget.static_html() or "<p" in widget.static_html()
        assert "<script" not in widget.static_html()

    def test_offers_a_page_form_beside_the_live_one(self, cls):
        data, _ = make(cls)._repr_mimebundle_()
        assert {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"} <= set(data)

    def test_script_holds_all_that_it_imports(self, cls):
        script = bundle.script(cls.module)
        assert "exports.default = " in script
        assert not re.search(r"^(import|export)\b", script, re.MULTILINE)

    def test_documents_itself(self, cls):
        assert "Parameters" in cls.__doc__


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf"), True, "1", None, 1j])
@pytest.mark.parametrize("cls", ALL)
def test_a_real_number_is_a_finite_one(cls, wrong):
    for name, trait in cls.class_traits().items():
        if isinstance(trait, Real):
            with pytest.raises(traitlets.TraitError, match=f"{name} must be a finite number"):
                make(cls, **{name: wrong})


def test_each_module_on_disk_belongs_to_a_widget():
    assert bundle.figures() == sorted(cls.module for cls in ALL)


class TestConvolutionExplorer:
    def test_output_is_the_packages(self):
        w = ConvolutionExplorer(stride=2, padding=1, bias=1.5)
        expected = conv2d(
            np.asarray(w.x)[None, None], np.asarray(w.f)[None, None], np.array([1.5]), 2, 1
        )
        np.testing.assert_array_equal(w.output, expected[0, 0])
        w.stride = 1
        assert w.output.shape == (4, 4)

    def test_course_example(self):
        assert ConvolutionExplorer().output.tolist() == [[4, 8], [20, 24]]

    def test_whole_numbers_stay_whole(self):
        assert (
            ConvolutionExplorer(x=np.eye(3), f=[[1.0, 2.5]]).state["x"]
            == np.eye(3, dtype=int).tolist()
        )

    @pytest.mark.parametrize(
        ("name", "value", "allowed"),
        [
            ("stride", 0, "from 1 to 8"),
            ("stride", 1.5, "from 1 to 8"),
            ("stride", True, "from 1 to 8"),
            ("padding", -1, "from 0 to 4"),
            ("dilation", "2", "from 1 to 7"),
            ("x", [1, 2], "2 axes"),
            ("x", np.zeros((9, 9)), "8 and 8"),
            ("f", np.zeros((3, 6)), "5 and 5"),
            ("f", [[1, float("nan")]], "finite"),
            ("f", [[1, 2], [3]], "2 axes"),
            ("f", np.zeros((0, 2)), "lengths 1 to"),
        ],
    )
    def test_refuses_what_it_cannot_show(self, name, value, allowed):
        w = ConvolutionExplorer()
        before = w.state
        with pytest.raises(traitlets.TraitError, match=name) as error:
            setattr(w, name, value)
        assert allowed in str(error.value)
        assert w.state == before

    def test_a_filter_that_does_not_fit_is_said_on_the_page(self):
        w = ConvolutionExplorer(x=[[1, 2], [3, 4]])
        with pytest.raises(ValueError, match="kernel"):
            _ = w.output
        assert "<p>" in w.plain()

    def test_two_widgets_share_no_state(self):
        first, second = ConvolutionExplorer(), ConvolutionExplorer()
        first.x[0][0] = 99
        assert second.x[0][0] == 1
