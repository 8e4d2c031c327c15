"""The browser tests would notice what they are there to notice."""

PAGE = """<!doctype html><html lang="en"><title>A page</title>
<p id="text">here</p>
<img src="https://example.org/outside.png" alt="">
<script>
  console.error("written on the console");
  new WebSocket("wss://example.org/socket");
  setTimeout(() => { throw new Error("caught by nobody"); });
</script></html>"""


def test_outside_requests_and_errors_are_noted(tmp_path, serve, visit):
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    seen = visit(f"{serve(tmp_path)}/index.html")
    assert seen.page.text_content("#text") == "here"
    seen.page.wait_for_timeout(200)
    assert "https://example.org/outside.png" in seen.outside
    assert any("example.org/socket" in address for address in seen.outside)
    assert any("written on the console" in error for error in seen.errors)
    assert any("caught by nobody" in error for error in seen.errors)


def test_a_page_from_a_file_is_local(tmp_path, visit):
    page = tmp_path / "page.html"
    page.write_text('<!doctype html><html lang="en"><title>A</title><p>here</html>')
    seen = visit(page.as_uri())
    assert (seen.page.text_content("p").strip(), seen.outside, seen.errors) == ("here", [], [])
