from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fxscore.errors import SpaceError
from fxscore.spaces import space_names
from fxscore.spaces.downloads import convert, download
from fxscore.spaces.macro import NASBenchMacro
from fxscore.spaces.official import OfficialFile, local_path, official_file, official_files

CONTENT = b'{"02012100": {}}'


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """This machine, serving one json file and one archive."""
    root = tmp_path / "server"
    root.mkdir()
    (root / "m.json").write_bytes(CONTENT)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as pack:
        pack.writestr("nds_data/DARTS.json", "[]")
    (root / "data.zip").write_bytes(archive.getvalue())
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(root))) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def entry(url: str | None, sha256: str | None = None) -> OfficialFile:
    file = OfficialFile("macro", ("nasbench_macro",), "m.json", "https://example.org", "MIT", url=url)
    return replace(file, sha256=sha256)


class Bar:
    def __init__(self) -> None:
        self.total, self.seen, self.closed = 0, 0, False

    def update(self, n: int, /) -> None:
        self.seen += n

    def reset(self) -> None:
        self.seen = 0

    def close(self) -> None:
        self.closed = True


def test_every_entry_is_complete() -> None:
    files = official_files()
    assert len({file.name for file in files}) == len(files)
    for file in files:
        assert file.page.startswith("https://")
        assert file.licence
        assert bool(file.url) != bool(file.by_hand)
        assert set(file.spaces) <= set(space_names())
        assert file.sha256 is None or len(file.sha256) == 64


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SpaceError, match="no benchmark file 'mnist'; there are nasbench101"):
        official_file("mnist")


def test_a_file_is_downloaded_once(server: str, tmp_path: Path) -> None:
    bar, file = Bar(), entry(f"{server}/m.json", hashlib.sha256(CONTENT).hexdigest())
    assert local_path(file, tmp_path / "data") is None
    path = download(file, tmp_path / "data", bar)
    assert path.read_bytes() == CONTENT
    assert local_path(file, tmp_path / "data") == path
    assert bar.total == len(CONTENT)
    assert bar.closed
    (tmp_path / "server" / "m.json").unlink()
    assert download(file, tmp_path / "data") == path


def test_an_archive_is_unpacked(server: str, tmp_path: Path) -> None:
    file = OfficialFile(
        "nds", (), "data.zip", "https://example.org", "MIT", f"{server}/data.zip", archive=True
    )
    folder = download(file, tmp_path / "data")
    assert (folder / "nds_data" / "DARTS.json").read_text() == "[]"
    assert local_path(file, tmp_path / "data") == folder


def test_a_wrong_checksum_leaves_nothing(server: str, tmp_path: Path) -> None:
    file = entry(f"{server}/m.json", "0" * 64)
    with pytest.raises(SpaceError, match=r"m\.json came from .* but is not what its authors published"):
        download(file, tmp_path / "data")
    assert local_path(file, tmp_path / "data") is None


@pytest.mark.parametrize("path", ["/gone.json", None])
def test_no_answer_is_one_clear_line(path: str | None, server: str, tmp_path: Path) -> None:
    # Port 1 refuses connections, as a machine without a network does.
    url = server + path if path else "http://127.0.0.1:1/m.json"
    with pytest.raises(SpaceError, match=r"m\.json cannot be downloaded .* is there a network\?") as caught:
        download(entry(url), tmp_path / "data")
    assert "\n" not in str(caught.value)
    assert "https://example.org" in str(caught.value)
    assert f"put at {tmp_path / 'data' / 'm.json'}" in str(caught.value)


def test_a_file_without_address_says_how(tmp_path: Path) -> None:
    with pytest.raises(
        SpaceError, match=r"NAS-Bench-201-v1_1-096897\.pth has no direct address: open https://drive"
    ):
        download(official_file("nasbench201"), tmp_path)


def test_a_benchmark_is_converted(tmp_path: Path) -> None:
    source, target, space = tmp_path / "m.json", tmp_path / "m.csv.gz", NASBenchMacro()
    source.write_text('{"02012100": {"mean_acc": 89.1967, "params": 890666, "flops": 47327744}}')
    assert convert(space, source, target) == 1
    first, again = space.read(source), space.read(target)
    assert again.genotypes == first.genotypes
    assert again.labels("cifar10.test").tolist() == [89.1967]
    assert again.flops is not None
    assert again.flops.tolist() == [47327744]
