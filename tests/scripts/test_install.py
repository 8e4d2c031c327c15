"""What set-up takes over from the caller's pip, and what it leaves behind."""

import os
import runpy

import pytest

from helpers import ROOT

CONFIGURATION = """[global]
index-url = https://mirror.invalid/simple
trusted-host = a.invalid b.invalid
user = true
constraint = /there/is/none.txt
[install]
target = /elsewhere
prefix = /elsewhere
index-url = https://classroom.invalid/simple
[freeze]
find-links = /not/about/installing
"""


@pytest.fixture
def settings(tmp_path):
    """A function that returns the PIP_* variables that pip is called with."""
    environment = runpy.run_path(str(ROOT / "scripts" / "install.py"))["environment"]
    others = {name: v for name, v in os.environ.items() if not name.startswith("PIP_")}

    def of(configuration="", **variables):
        path = tmp_path / "pip.conf"
        path.write_text(configuration)
        made = environment(others | {"PIP_CONFIG_FILE": str(path)} | variables)
        assert made["PATH"] == os.environ["PATH"]
        return {name: value for name, value in made.items() if name.startswith("PIP_")}

    return of


@pytest.mark.slow
def test_where_packages_come_from_is_taken_over(settings):
    expected = {
        "PIP_INDEX_URL": "https://classroom.invalid/simple",
        "PIP_TRUSTED_HOST": "a.invalid b.invalid",
        "PIP_CONFIG_FILE": os.devnull,
    }
    assert expected.items() <= settings(CONFIGURATION).items()
    given = {"PIP_INDEX_URL": "https://own.invalid", "PIP_CERT": "/my/own.pem", "PIP_PROXY": "p:1"}
    assert given.items() <= settings(CONFIGURATION, **given).items()


def test_where_they_go_is_not(settings):
    names = {"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_CONSTRAINT", "PIP_NO_DEPS"}
    found = settings(CONFIGURATION, **dict.fromkeys(names, "1"))
    assert not names & set(found)
    assert "/not/about/installing" not in found.values()


def test_no_configuration_at_all(settings):
    assert settings(PIP_CONFIG_FILE=os.devnull) == {"PIP_CONFIG_FILE": os.devnull}
