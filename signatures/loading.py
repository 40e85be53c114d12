"""Reading signatures: those that are shipped, and a site's own files; every mistake has its line.

Nothing in a file is trusted: graph/yaml_files.py says what is refused as YAML at all.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import ValidationError

from graph.errors import ConfigError
from graph.suggestions import nearest
from graph.yaml_files import Document, KeyPath, read_mapping
from signatures.explanations import explain
from signatures.lint import clashes, file_name, problems
from signatures.model import Signature

SUFFIX = ".yml"
RULES = "signatures/rules"
MAX_BYTES = 1 << 16  # the longest shipped file has 4 KiB
MOST_TOLD = 20  # problems of one file
LONGEST_NAME = 80  # of a key, in a message


@dataclass
class Library:
    """The sound signatures of some files by file name, and a line for each problem found."""

    signatures: dict[str, Signature] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def load(
    paths: Sequence[str | Path] = (), traces: Collection[str] | None = None
) -> list[Signature]:
    """The shipped signatures, then those of a site's files and folders.

    `traces` are the site's; without them every trace that a feature is named after is believed in.
    Raises ConfigError with one line a problem: a library with a problem is not used in part.
    """
    library = read_library(paths, traces)
    if library.problems:
        raise ConfigError("\n".join(library.problems))
    return list(library.signatures.values())


def signature_of_abuse(name: str, paths: Sequence[str | Path] = ()) -> Signature:
    """The signature with this id or title; raises ConfigError where none of abuse has it."""
    return _called(name, "signature of abuse", [each for each in load(paths) if not each.benign])


def benign_signature(name: str, paths: Sequence[str | Path] = ()) -> Signature:
    """The signature with this id or title; raises ConfigError where no benign one has it."""
    return _called(name, "benign signature", [each for each in load(paths) if each.benign])


def _called(name: str, kind: str, known: Sequence[Signature]) -> Signature:
    by_name = {each.title.lower(): each for each in known} | {str(each.id): each for each in known}
    if name.lower() not in by_name:
        hint = nearest(name.lower(), by_name)
        raise ConfigError(
            f"no {kind} has the id or title {name!r}{hint}; to use one of your own, add its folder "
            "to signatures.paths in the config"
        )
    return by_name[name.lower()]


def read_library(
    paths: Sequence[str | Path] = (),
    traces: Collection[str] | None = None,
    with_shipped: bool = True,
) -> Library:
    """Read all files, and all .yml files directly in the folders, gathering every problem.

    `traces` as in `load`.
    """
    library = Library()
    sources = _in_folder(files("signatures") / "rules", RULES) if with_shipped else []
    for path in map(Path, paths):
        found = _in_folder(path, str(path)) if path.is_dir() else [(str(path), path)]
        if not found:
            library.problems.append(f"{path}: there is no {SUFFIX} file in this folder")
        sources += found
    documents: dict[str, Document] = {}
    known = None if traces is None else frozenset(traces)
    for name, source in sources:
        try:
            documents[name], signature, lines = _checked(_text(source, name), name, known)
        except ConfigError as error:
            library.problems.append(_printable(" ".join(str(error).split())))
        else:
            library.problems += lines
            if signature is not None:
                library.signatures[name] = signature
    for name, place, message in clashes(library.signatures.items()):
        library.problems.append(_line(documents[name], name, place, message))
    return library


@lru_cache(maxsize=1024)
def _checked(
    text: str, name: str, traces: frozenset[str] | None
) -> tuple[Document, Signature | None, Sequence[str]]:
    """A file's data with the signature, if it is sound, or a line for each of its problems.

    Kept, since a command reads the library several times.
    """
    document = read_mapping(text, name)
    signature: Signature | None = None
    try:
        signature = Signature.model_validate(document.data)
    except ValidationError as error:
        found = list(explain(error))
    else:
        found = list(problems(signature, traces))
        if Path(name).name != file_name(signature):
            found.append((("title",), f"the file of this title is called {file_name(signature)}"))
    lines = [_line(document, name, path, message) for path, message in found[:MOST_TOLD]]
    if len(found) > MOST_TOLD:
        lines.append(f"{name}: and {len(found) - MOST_TOLD} more problems")
    return document, None if found else signature, lines


def _line(document: Document, name: str, path: KeyPath, message: str) -> str:
    """One line: file, line of the nearest key that the file has, place and message."""
    known = (path[:depth] for depth in range(len(path), 0, -1))
    line = next((document.lines[above] for above in known if above in document.lines), 1)
    place = ".".join(part[:LONGEST_NAME] for part in path) or "signature"
    return _printable(f"{name}, line {line}: {place}: {message}")


def _printable(text: str) -> str:
    """One line that cannot move a terminal's cursor, whatever a file's keys hold."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def _in_folder(folder: Traversable, name: str) -> list[tuple[str, Traversable]]:
    found = [file for file in folder.iterdir() if file.name.endswith(SUFFIX) and file.is_file()]
    return [(f"{name}/{file.name}", file) for file in sorted(found, key=lambda file: file.name)]


def _text(source: Traversable, name: str) -> str:
    """The text of a file, of which no more is read than a file may hold."""
    try:
        with source.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ConfigError(f"{name} is larger than {MAX_BYTES >> 10} KiB: that is no signature")
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the signature {name}: {error}") from None
