"""`make serve` and `make widget`: what is watched, what is served, and when pages load again."""

import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

from helpers import ROOT


@pytest.fixture
def serving(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import serving

    monkeypatch.setattr(serving, "LOOK_EVERY", 0.02)
    return serving


def get(server, path):
    with urllib.request.urlopen(
        f"http://127.0.0.1:{server.server_port}{path}", timeout=10
    ) as answer:
        return answer.read().decode()


def test_changes_are_seen(serving, tmp_path):
    folder, single = tmp_path / "book", tmp_path / "_toc.yml"
    for name in ("a.md", "deep/b.py", ".hidden/c.md", "__pycache__/d.pyc", ".e.swp"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("1")
    single.write_text("1")
    before = serving.state([folder, single])
    assert sorted(path.name for path in before) == ["_toc.yml", "a.md", "b.py"]
    assert serving.changed(before, serving.state([folder, single])) == []
    (folder / "deep/b.py").unlink()
    (folder / "new.md").write_text("1")
    (folder / ".hidden/c.md").write_text("22")
    after = serving.state([folder, single])
    assert serving.changed(before, after) == [folder / "deep/b.py", folder / "new.md"]


@pytest.mark.slow
def test_pages_learn_of_a_new_version_and_other_files_stay_as_they_are(serving, tmp_path):
    (tmp_path / "index.html").write_text("<p>here")
    (tmp_path / "a.css").write_text("p {}")
    server = serving.start(tmp_path, 0)
    try:
        assert get(server, "/.version") == "0"
        server.version += 1
        assert get(server, "/.version") == "1"
        for address in ("/", "/index.html"):
            assert get(server, address) == "<p>here" + serving.RELOAD.decode()
        assert get(server, "/a.css") == "p {}"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(server, "/missing.html")
        with pytest.raises(SystemExit, match=f"Port {server.server_port} is taken"):
            serving.start(tmp_path, server.server_port)
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.slow
def test_a_change_is_built_and_a_failure_waits_for_the_next(serving, tmp_path, monkeypatch, capsys):
    source, built, started = tmp_path / "page.md", [], []
    source.write_text("0")
    monkeypatch.setattr(
        serving, "start", lambda *a, start=serving.start: started.append(start(*a)) or started[0]
    )

    def build(files):
        built.append(source.read_text())
        if built[-1] == "end":
            raise KeyboardInterrupt
        return built[-1] != "broken"

    def edit():
        for number, text in enumerate(("good", "broken", "end")):
            while not started or len(built) < number:
                time.sleep(0.01)
            source.write_text(text)

    editor = threading.Thread(target=edit)
    editor.start()
    serving.serve(tmp_path, 0, [source], build)
    editor.join()
    assert built == ["good", "broken", "end"] and started[0].version == 1
    output = capsys.readouterr().out
    assert "page.md changed" in output and "Made anew" in output and "Not made anew" in output


def test_what_a_change_of_the_book_builds(serving, monkeypatch):
    import serve_site

    commands = []

    def run(command, **options):
        commands.append(command)
        return type("Result", (), {"returncode": 0})

    monkeypatch.setattr(serve_site.subprocess, "run", run)
    assert serve_site.build([serve_site.BOOK / "speed.ipynb", serve_site.BOOK / "notation.md"])
    assert serve_site.build([ROOT / "_toc.yml", serve_site.BOOK / "speed.ipynb"])
    assert serve_site.build([ROOT / "src/convbook/functional.py"])
    assert ["--all" in command for command in commands] == [False, True, True]
    assert all(source.exists() for source in serve_site.SOURCES)
    sys.modules.pop("serve_site")
