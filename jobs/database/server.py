"""A local Neo4j server under a folder: started, found again, stopped.

Everything is in `<folder>`: settings in `conf`, data, logs, and `server.json`, which names the
processes. The server listens on loopback only, and its password is in a file of its owner.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from http.client import HTTPException
from pathlib import Path

import psutil

from graph.engines.base import DependencyError
from jobs.database.artifacts import server_class_path
from jobs.database.ports import free_port
from jobs.database.runtime import java_executable
from jobs.files import make_private, remove, write_json

HOST = "127.0.0.1"
USER = "neo4j"
STATE = "server.json"
PORTS = (7687, 7474, 7475)
"""Of Bolt, of Browser and of the guide, where they are free."""

HEAP = "1g"
READY_WITHIN_S = 300
GUIDE_WITHIN_S = 30
STOPPED_WITHIN_S = 60

RECOVER = {"internal.dbms.tx_log.fail_on_corrupted_log_files": "false"}
"""The setting with which Neo4j drops the end of a transaction log that a full disk cut off."""
NO_REASONS = ("Error: Could not create the Java Virtual Machine.", "Error: A fatal exception has")
"""What Java says after it has said why it does not start."""

OPENED = [
    f"--add-opens=java.base/{package}=ALL-UNNAMED"
    for package in ("java.nio", "java.io", "sun.nio.ch")
]


@dataclass(frozen=True)
class Process:
    """A process by its id and the time of its start, since ids are given again."""

    pid: int
    started: float

    def running(self) -> psutil.Process | None:
        """The process while it runs, else None."""
        try:
            found = psutil.Process(self.pid)
            alive = found.create_time() == self.started and found.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return found if alive else None


@dataclass(frozen=True)
class Server:
    """A server that was started: where it listens and which processes it is."""

    folder: Path
    bolt_port: int
    http_port: int
    guide_port: int
    java: Process
    guide: Process
    heap: str = HEAP

    @property
    def uri(self) -> str:
        """What a driver connects to."""
        return f"bolt://{HOST}:{self.bolt_port}"

    @property
    def browser(self) -> str:
        """The address of Neo4j Browser."""
        return f"http://{HOST}:{self.http_port}/browser/"

    @property
    def guide_url(self) -> str:
        """The address of the folder with the guide, the saved queries and the style."""
        return f"http://{HOST}:{self.guide_port}"

    @property
    def ports(self) -> tuple[int, int, int]:
        """Where Bolt, Browser and the guide are."""
        return self.bolt_port, self.http_port, self.guide_port

    @property
    def has_guide(self) -> bool:
        """Whether the guide is served."""
        return _listens(self.guide, self.guide_port)

    @property
    def guide_folder(self) -> Path:
        """The folder that is served there."""
        return self.folder / "guide"

    @property
    def password_file(self) -> Path:
        """The file with the password."""
        return password_file(self.folder)


def password_file(folder: Path) -> Path:
    """Where a server's password is."""
    return folder / "password"


def find_server(folder: Path) -> Server | None:
    """The server that runs in a folder, if one does."""
    server = _recorded(folder)
    return server if server and server.java.running() else None


def _recorded(folder: Path) -> Server | None:
    """The server that was started last in a folder and not stopped, whether or not it lives."""
    try:
        content = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    java, guide = Process(**content.pop("java")), Process(**content.pop("guide"))
    return Server(folder, **content, java=java, guide=guide)


def start_server(
    folder: Path,
    heap: str = HEAP,
    java_options: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
    ports: tuple[int, int, int] = PORTS,
) -> Server:
    """Start the server of a folder, or return the one that runs; ready when this returns.

    Where only the guide's process has ended, it is started anew, as Browser knows its port.
    What is in its folder `guide` is served to Browser; `settings` are Neo4j's, beside ours; of
    `ports` those are taken that are free. Raises DependencyError where Java or the server's files
    cannot be had, and when it does not come up.
    """
    if (there := find_server(folder)) and _is_ready(there):
        return there if there.has_guide else _with_guide_again(there)
    if dead := _recorded(folder):
        stop_server(dead)
    java, class_path, (bolt, http, guide_port) = prepare_server(folder, settings, ports)
    command = [java, "-Xms256m", f"-Xmx{heap}", *java_options, *OPENED, "-cp", class_path]
    command += ["org.neo4j.server.CommunityEntryPoint"]
    command += [f"--home-dir={folder.absolute()}", f"--config-dir={(folder / 'conf').absolute()}"]
    serving = _serve_guide(folder, guide_port)
    running = _detached(command, folder / "logs" / "console.log")
    server = Server(folder, bolt, http, guide_port, running, serving, heap)
    _record(server)
    try:
        if not _is_ready(server):
            raise DependencyError(why_not(server))
    except BaseException:
        stop_server(server)
        raise
    return server


def _serve_guide(folder: Path, port: int) -> Process:
    serve = [sys.executable, "-m", "jobs.database.guide_server", str(folder / "guide"), str(port)]
    return _detached(serve, folder / "logs" / "guide.log")


def _with_guide_again(server: Server) -> Server:
    """Serve the guide of a server that runs; raises DependencyError where its port is taken."""
    again = replace(server, guide=_serve_guide(server.folder, server.guide_port))
    _record(again)
    deadline = time.monotonic() + GUIDE_WITHIN_S
    while time.monotonic() < deadline and again.guide.running():
        if again.has_guide:
            return again
        time.sleep(0.1)
    raise DependencyError(
        f"the guide cannot be served at {server.guide_url}, where Browser looks for it: see "
        f"{server.folder / 'logs' / 'guide.log'}; actorgraph neo4j stop, then start, takes another "
        "port"
    )


def _record(server: Server) -> None:
    content = {key: value for key, value in asdict(server).items() if key != "folder"}
    write_json(server.folder / STATE, content)


def prepare_server(
    folder: Path,
    settings: Mapping[str, str] | None = None,
    preferred: tuple[int, int, int] = PORTS,
) -> tuple[str, str, tuple[int, int, int]]:
    """Make a server's folder ready: settings, password; returns Java, class path and free ports."""
    make_private(folder)
    java, class_path = java_executable(), os.pathsep.join(map(str, server_class_path()))
    bolt, http, guide = (free_port(HOST, port) for port in preferred)
    _write_settings(folder, {**_settings(bolt, http, guide), **(settings or {})})
    if not password_file(folder).exists():
        _set_password(folder, java, class_path)
    return java, class_path, (bolt, http, guide)


def stop_server(server: Server) -> None:
    """End a server's processes; raises DependencyError when it does not end in time."""
    for process in (server.guide, server.java):
        if running := process.running():
            running.terminate()
            try:
                running.wait(STOPPED_WITHIN_S)
            except psutil.TimeoutExpired:
                raise DependencyError(
                    f"process {process.pid} (Neo4j in {server.folder}) has not ended after "
                    f"{STOPPED_WITHIN_S} s: look into {server.folder / 'logs' / 'neo4j.log'}"
                ) from None
    remove(server.folder / STATE)


def _settings(bolt: int, http: int, guide: int) -> dict[str, str]:
    """Neo4j's settings; Browser is told the true port, and begins with our style and guide."""
    guide_url = f"http://{HOST}:{guide}"
    return {
        "server.default_listen_address": HOST,
        "server.bolt.listen_address": f"{HOST}:{bolt}",
        "server.bolt.advertised_address": f"{HOST}:{bolt}",
        "server.http.listen_address": f"{HOST}:{http}",
        "server.http.advertised_address": f"{HOST}:{http}",
        "server.https.enabled": "false",
        "server.memory.pagecache.size": "256m",
        "dbms.security.auth_enabled": "true",
        "dbms.usage_report.enabled": "false",
        "client.allow_telemetry": "false",
        # Otherwise a server that is told to end waits ten seconds for late connections.
        "internal.dbms.bolt.netty_server_shutdown_quiet_period": "0",
        "browser.remote_content_hostname_whitelist": HOST,
        "browser.post_connect_cmd": f"style {guide_url}/style.grass; play {guide_url}/guide.html",
    }


def _write_settings(folder: Path, settings: Mapping[str, str]) -> None:
    make_private(folder / "conf")
    make_private(folder / "logs")
    lines = "".join(f"{key}={value}\n" for key, value in settings.items())
    (folder / "conf" / "neo4j.conf").write_text(lines, encoding="utf-8")


def _set_password(folder: Path, java: str, class_path: str) -> None:
    """Make a password and give it to the server before its first start, by a file, not argv."""
    password = secrets.token_hex(18)  # Neo4j takes one that begins with - for an option
    arguments = folder / "conf" / "password-arguments"
    _write_private(arguments, f"dbms\nset-initial-password\n{password}\n")
    where = {"NEO4J_HOME": str(folder.absolute()), "NEO4J_CONF": str((folder / "conf").absolute())}
    try:
        subprocess.run(
            [java, "-cp", class_path, "org.neo4j.cli.AdminTool", f"@{arguments.absolute()}"],
            env={**os.environ, **where},
            check=True,
            capture_output=True,
            text=True,
        )
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or ["it says nothing"])[0]
        raise DependencyError(f"Neo4j refused its first password: {reason}") from None
    finally:
        remove(arguments)
    _write_private(password_file(folder), f"{password}\n")


def _write_private(path: Path, text: str) -> None:
    remove(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _detached(command: list[str], output: Path) -> Process:
    """Start a process that outlives this one."""
    with output.open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    return Process(process.pid, psutil.Process(process.pid).create_time())


def _is_ready(server: Server) -> bool:
    """Wait until a server answers; false when it ends, or does not answer in time."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and server.java.running():
        if _answers(server):
            return True
        time.sleep(0.2)
    return False


def why_not(server: Server) -> str:
    """Why a server did not come up, by the last that it said."""
    log = server.folder / "logs" / "console.log"
    told = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    lines = [line for line in told if not line.startswith(NO_REASONS)]
    return (
        f"Neo4j in {server.folder} did not come up: {lines[-1] if lines else 'it says nothing'} "
        f"(more in {log} and {server.folder / 'logs' / 'neo4j.log'})"
    )


def _answers(server: Server) -> bool:
    """Whether it takes connections of both kinds, and does so itself.

    Another server may have taken a port between the choice and the start: it would answer, too.
    """
    try:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        direct.open(f"http://{HOST}:{server.http_port}/", timeout=5).close()
    except (OSError, HTTPException):
        return False
    return _listens(server.java, server.http_port, server.bolt_port)


def _listens(process: Process, *ports: int) -> bool:
    """Whether a process runs and takes connections at these ports itself."""
    try:
        running = process.running()
        found = running.net_connections("inet") if running else []
    except psutil.Error:
        return False
    return {*ports} <= {each.laddr.port for each in found if each.status == psutil.CONN_LISTEN}
