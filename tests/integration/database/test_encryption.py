"""A server that speaks only TLS: a site's own, with a certificate of its own authority."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from exporters.neo4j import read_password
from jobs import load_neo4j
from jobs.database.server import Server
from tests.conftest import missing
from tests.integration.database.conftest import StartOwn
from tests.integration.sites import Site


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """The certificate of an authority; beside it the server's, which names 127.0.0.1."""
    if shutil.which("openssl") is None:
        missing("no openssl: apt-get install openssl")
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", "private.key", "-out", "public.crt"]
    for folder, extra in (("other", []), ("tls", names)):
        (tmp_path / folder).mkdir()
        command = [*make, "-subj", f"/CN={folder}", *extra, *files]
        subprocess.run(command, cwd=tmp_path / folder, check=True, capture_output=True)
    return tmp_path / "tls" / "public.crt"


@pytest.fixture
def encrypted(authority: Path, own_server: StartOwn, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server that takes no connection without TLS; the environment has its password."""
    server = own_server(
        {
            "dbms.ssl.policy.bolt.enabled": "true",
            "dbms.ssl.policy.bolt.base_directory": str(authority.parent),
            "server.bolt.tls_level": "REQUIRED",
        }
    )
    monkeypatch.setenv("NEO4J_PASSWORD", read_password(server.password_file))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    return server


def test_a_load_goes_through_tls_and_a_certificate_that_nobody_vouches_for_is_told(
    encrypted: Server,
    authority: Path,
    site: Site,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def load(scheme: str) -> tuple[int, list[str]]:
        monkeypatch.setenv("NEO4J_URI", f"{scheme}://127.0.0.1:{encrypted.bolt_port}")
        code = load_neo4j.main(arguments, site.engine)
        said = capsys.readouterr().err.splitlines()
        return code, [line for line in said if "Neo4j at" in line]

    for scheme in ("bolt+s", "neo4j+s"):
        code, (told,) = load(scheme)
        assert code == 5
        assert "certificate" in told and "SSL_CERT_FILE" in told and "Traceback" not in told

    monkeypatch.setenv("SSL_CERT_FILE", str(authority.parents[1] / "other" / "public.crt"))
    code, (told,) = load("bolt+s")
    assert code == 5 and "certificate" in told

    code, (told,) = load("bolt")
    assert code == 5 and "TLS" in told

    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    for scheme in ("neo4j+s", "bolt+s", "bolt+ssc", "neo4j+ssc"):
        assert load(scheme) == (0, [])
