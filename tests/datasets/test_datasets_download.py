"""Downloads: whole and right, or an error that says what to do, and nothing left in the cache."""

import os
import socket

import numpy as np
import pooch
import pytest

from convbook.datasets import cifar10, files, mnist, originals
from helpers.datasets_server import (
    BATCHES,
    SHAPES,
    archive,
    described,
    packed,
    serving,
    small_cifar10,
    small_mnist,
)

FIRST = originals.MNIST["x_train"].name


@pytest.fixture
def server():
    with serving() as server:
        yield server


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache; no proxy and no setting of this machine comes in between."""
    monkeypatch.setattr(files, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("CONVBOOK_QUIET", "1")
    monkeypatch.delenv(files.VARIABLE, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def digits(server, cache, monkeypatch):
    """The server has a small MNIST in two places, and these are the usual mirrors."""
    published = {}
    for key, array in small_mnist().items():
        content = packed(array)
        published[key] = described(originals.MNIST[key], content)
        for mirror in "ab":
            server.files[f"/{mirror}/{published[key].name}"] = content
    monkeypatch.setattr(originals, "MNIST", published)
    monkeypatch.setattr(originals, "MNIST_SHAPES", SHAPES)
    monkeypatch.setattr(originals, "MNIST_MIRRORS", (f"{server.url}/a", f"{server.url}/b/"))
    return server


@pytest.fixture
def no_server():
    """An address at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def kept(cache):
    return sorted(path.name for path in cache.rglob("*")) if cache.exists() else []


def is_mnist(images):
    return all(
        np.array_equal(getattr(images, key).squeeze(), array)
        for key, array in small_mnist().items()
    )


def test_from_the_first_mirror_and_then_from_the_cache(digits, cache):
    assert is_mnist(mnist(full=True, dtype=np.uint8))
    names = [file.name for file in originals.MNIST.values()]
    assert digits.asked == [f"/a/{name}" for name in names]
    assert kept(cache) == sorted(names)
    assert is_mnist(mnist(full=True, dtype=np.uint8))
    assert len(digits.asked) == 4


def test_cifar10(server, cache, monkeypatch):
    records = small_cifar10()
    content = archive({name: batch.tobytes() for name, batch in records.items()})
    server.files["/cifar-10-binary.tar.gz"] = content
    monkeypatch.setattr(originals, "CIFAR10", described(originals.CIFAR10, content))
    monkeypatch.setattr(originals, "CIFAR10_BATCHES", BATCHES)
    monkeypatch.setattr(originals, "CIFAR10_MIRRORS", (server.url,))
    images = cifar10(full=True, dtype=np.uint8)
    np.testing.assert_array_equal(images.y_test, records["test_batch.bin"][:, 0])
    assert kept(cache) == ["cifar-10-binary.tar.gz"]


@pytest.mark.parametrize("where", ["argument", "variable"])
def test_a_classroom_mirror(digits, cache, monkeypatch, where):
    mirror = digits.url + "/b"
    if where == "variable":
        monkeypatch.setenv(files.VARIABLE, mirror)
    assert is_mnist(
        mnist(full=True, folder=mirror if where == "argument" else None, dtype=np.uint8)
    )
    assert {path[:3] for path in digits.asked} == {"/b/"}


def test_the_next_mirror_is_tried(digits, cache):
    del digits.files[f"/a/{FIRST}"]
    assert is_mnist(mnist(full=True, dtype=np.uint8))
    second = originals.MNIST["y_train"].name
    assert digits.asked[:3] == [f"/a/{FIRST}", f"/b/{FIRST}", f"/a/{second}"]


def test_a_mirror_that_is_away(digits, cache, no_server, monkeypatch):
    monkeypatch.setattr(originals, "MNIST_MIRRORS", (no_server, digits.url + "/b"))
    assert is_mnist(mnist(full=True, dtype=np.uint8))


def test_not_found(digits, cache):
    for mirror in "ab":
        del digits.files[f"/{mirror}/{FIRST}"]
    with pytest.raises(OSError, match="nothing of it was kept") as error:
        mnist(full=True)
    message = str(error.value)
    for part in (
        FIRST,
        f"{digits.url}/a/{FIRST}",
        f"{digits.url}/b/{FIRST}",
        "the server answered 404 Not Found",
        "folder=",
        files.VARIABLE,
        "embedded sample",
    ):
        assert part in message, part
    assert kept(cache) == []


def test_no_network(cache, no_server, monkeypatch):
    monkeypatch.setattr(originals, "MNIST_MIRRORS", (no_server, no_server + "/b"))
    with pytest.raises(ConnectionError, match="no connection .*embedded sample.* needs none") as e:
        mnist(full=True)
    assert len(str(e.value).splitlines()) == 1 and FIRST in str(e.value)
    assert e.value.__cause__ is None and e.value.__context__ is None  # one short traceback
    assert kept(cache) == []


def test_an_unknown_host(cache):
    with pytest.raises(ConnectionError, match="embedded sample"):
        mnist(full=True, folder="http://mirror.invalid/mnist")


@pytest.mark.parametrize("content", [b"<html>Please log in</html>", b""])
def test_a_wrong_file(digits, cache, content):
    for mirror in "ab":
        digits.files[f"/{mirror}/{FIRST}"] = content
    with pytest.raises(OSError, match="not the right file") as error:
        mnist(full=True)
    file = originals.MNIST["x_train"]
    assert f"expected {file.size:,} bytes with SHA-256 {file.sha256}" in str(error.value)
    assert f"found {len(content):,} bytes with" in str(error.value)
    assert kept(cache) == []


def test_a_recompressed_file_from_a_mirror_is_refused(digits, cache):
    """What a mirror sends must be the published file; only a local folder may hold another."""
    digits.files[f"/b/{FIRST}"] = packed(small_mnist()["x_train"]) + b"\0"
    with pytest.raises(OSError, match="not the right file"):
        mnist(full=True, folder=digits.url + "/b")
    assert kept(cache) == []


def test_a_connection_that_breaks_off(digits, cache):
    digits.trouble = "break"
    with pytest.raises(OSError, match="the connection broke off") as error:
        mnist(full=True)
    size = originals.MNIST["x_train"].size
    assert f"expected {size:,} bytes, found {size // 2:,}" in str(error.value)
    assert kept(cache) == []
    digits.trouble = None
    assert is_mnist(mnist(full=True, dtype=np.uint8))


def test_a_break_in_the_middle_keeps_what_is_whole(digits, cache):
    for mirror in "ab":
        del digits.files[f"/{mirror}/{originals.MNIST['y_test'].name}"]
    with pytest.raises(OSError, match=originals.MNIST["y_test"].name):
        mnist(full=True)
    assert len(kept(cache)) == 3


@pytest.mark.parametrize("trouble", ["encoded", "unsized"])
def test_servers_with_habits_of_their_own(digits, cache, trouble):
    """A .gz file labelled as a compressed transfer is kept as it is; a length need not be told."""
    digits.trouble = trouble
    assert is_mnist(mnist(full=True, dtype=np.uint8))


def test_a_damaged_file_in_the_cache_is_fetched_again(digits, cache):
    mnist(full=True)
    whole = (cache / FIRST).read_bytes()
    (cache / FIRST).write_bytes(whole[:100])
    assert is_mnist(mnist(full=True, dtype=np.uint8))
    assert (cache / FIRST).read_bytes() == whole
    assert len(digits.asked) == 5


def test_an_interrupted_download_leaves_nothing(digits, cache, monkeypatch):
    class Impatient(files.Transfer):
        def __call__(self, url, output_file, _):
            super().__call__(url, output_file, _)
            raise KeyboardInterrupt

    monkeypatch.setattr(files, "Transfer", Impatient)
    with pytest.raises(KeyboardInterrupt):
        mnist(full=True)
    assert kept(cache) == []


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may write everywhere"
)
def test_a_cache_that_cannot_be_written(digits, cache):
    cache.mkdir()
    cache.chmod(0o500)
    with pytest.raises(OSError, match="cannot be kept in .*folder="):
        mnist(full=True)


def test_a_cache_that_is_no_folder(digits, cache):
    cache.write_text("in the way")
    with pytest.raises(OSError, match="cannot be kept in .*folder="):
        mnist(full=True)


def test_a_folder_of_the_files_name_in_the_cache(digits, cache):
    (cache / FIRST).mkdir(parents=True)
    with pytest.raises(OSError, match=f"{FIRST}' must be a file, and is a folder. Remove it"):
        mnist(full=True)
    assert digits.asked == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_that_are_not_there(cache, monkeypatch, variable):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "/there/are/none.pem")
    with pytest.raises(OSError, match=f"the certificates .* cannot be read .*{variable}") as error:
        mnist(full=True, folder="https://127.0.0.1:9/mnist")
    message = str(error.value)
    assert "/there/are/none.pem" in message and "embedded sample" in message
    assert "cannot be kept" not in message and str(cache) not in message
    assert kept(cache) == []


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_a_proxy_that_is_away(digits, cache, no_server, monkeypatch, variable):
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, no_server.replace("//", "//somebody:secret@"))
    with pytest.raises(OSError, match=f"no way through the proxy, which {variable} names") as error:
        mnist(full=True, folder="http://mirror.invalid/mnist")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("address", ["http://[bad", "http://", "https://?", "http://a b/"])
def test_an_address_that_is_none(cache, address):
    with pytest.raises(OSError) as error:
        mnist(full=True, folder=address)
    assert "not the right file" not in str(error.value)
    assert "broke off" not in str(error.value)


@pytest.mark.parametrize("quiet", [False, True])
def test_progress(digits, cache, monkeypatch, capfd, quiet):
    if not quiet:
        monkeypatch.delenv("CONVBOOK_QUIET")
    level = pooch.get_logger().level
    mnist(full=True)
    output, progress = capfd.readouterr()
    assert output == ""
    if quiet:
        assert progress == ""
    else:
        assert all(f"{file.name}: 100%" in progress for file in originals.MNIST.values())
    assert pooch.get_logger().level == level
