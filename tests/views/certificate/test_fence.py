"""Typesetting has no access to network or disk."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import urlopen

import pikepdf
import pytest
from flask import Flask

from models.certificate import typesetting
from models.certificate.typesetting import Order
from tests import ROOT
from tests.views.certificate.read_papers import pages, tight
from views.resources import keys


class TestFence:
    @pytest.fixture
    def recording_server(self) -> Iterator[tuple[str, list[str]]]:
        """A server on this machine, and the paths requested from it."""
        asked: list[str] = []

        class Recorder(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_words: Any) -> None:
                """Silent."""

        server = HTTPServer(("127.0.0.1", 0), Recorder)
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        server.server_close()

    def test_typesetting_fetches_nothing_from_network_or_disk(
        self, recording_server: tuple[str, list[str]], tmp_path: Path, app: Flask
    ) -> None:
        """AC6: even if the template refers to them."""
        address, asked = recording_server
        secret = tmp_path / "secret.txt"
        secret.write_text("TOPSECRET")
        html = (
            f'<link rel="stylesheet" href="{address}/style.css"><link rel="attachment" href="{secret.as_uri()}">'
            f'<img src="{address}/image.png"><img src="{secret.as_uri()}"><style>@import "{address}/more.css";'
            f'@font-face {{ font-family: x; src: url("{address}/font.woff") }} p {{ font-family: x }}</style>'
            '<p>正文<div id="seal"></div>'
        )
        with app.app_context():
            document, _page, _box = typesetting.render_pdf(Order(html, "{}", date(2026, 11, 24), keys(), "320000"))
        assert asked == []
        with pikepdf.open(BytesIO(document)) as opened:
            assert list(opened.attachments) == ["snapshot.json"]
        assert pages(document) == ["正文"]
        urlopen(f"{address}/seen").close()
        assert asked == ["/seen"]

    def test_addresses_in_a_field_are_only_text(
        self, recording_server: tuple[str, list[str]], make_application: Any, paper: Any
    ) -> None:
        """AC6: <img src=…> and file:// in a title are printed, not followed."""
        address, asked = recording_server
        title = f'"><img src={address}/x.png><link rel=attachment href=file:///etc/passwd>'
        document = paper(make_application(status="filed", title=title))
        assert tight(title) in "".join(pages(document))
        assert asked == []
        with pikepdf.open(BytesIO(document)) as opened:
            assert list(opened.attachments) == ["snapshot.json"]

    def test_start_up_does_not_load_weasyprint(self) -> None:
        """PD9: WeasyPrint is imported by the first print, not by the application."""
        look = "import sys, app; sys.exit('weasyprint' in sys.modules)"
        root = ROOT
        assert subprocess.run([sys.executable, "-c", look], cwd=root, check=False).returncode == 0
