from __future__ import annotations

import base64
import json
import struct
from pathlib import Path

import pytest
import torch

from fxscore.errors import SpaceError
from fxscore.spaces.files.wire import fields, masked_crc
from fxscore.spaces.nasbench101 import NASBench101, vertex_channels

CHAIN = "0110001100010000:input,conv1x1-bn-relu,conv3x3-bn-relu,output"
POOLS = "0111000100010000:input,maxpool3x3,maxpool3x3,output"
WIDE = (
    "011111000001000001000010000001000000:input,maxpool3x3,maxpool3x3,conv3x3-bn-relu,conv3x3-bn-relu,output"
)


@pytest.mark.parametrize(
    ("text", "published_hash", "published_params"),
    [  # From nasbench_only108.tfrecord, by way of EC-NAS-Bench and NASLib.
        (CHAIN, "5529e1779433733d1145e20de5d8604e", 3_468_426),
        (POOLS, "3af5d23d803ef448b8539054d8c14213", 1_756_298),
        (WIDE, "4a0ab8bbe2441a002e07b0f445ec2d63", 4_095_778),
    ],
)
def test_hash_and_parameters_are_the_published_ones(
    text: str, published_hash: str, published_params: int
) -> None:
    space = NASBench101()
    cell = space.parse(text)
    with torch.device("meta"):
        module = space.build(cell)
    assert space.isomorphism_key(cell) == published_hash
    assert sum(p.numel() for p in module.parameters()) == published_params


def test_widths_share_the_output_and_the_first_take_the_rest() -> None:
    space = NASBench101()
    three = "0111000001000010000100000:input,conv3x3-bn-relu,conv1x1-bn-relu,maxpool3x3,output"
    assert vertex_channels(space.parse(three), 64, 128) == [64, 43, 43, 42, 128]


def test_a_wider_vertex_is_truncated() -> None:
    space = NASBench101()
    # Vertex 1 (43 channels) feeds the output and vertex 3 (42 channels).
    text = "0110000011000010000100000:input,conv3x3-bn-relu,conv1x1-bn-relu,maxpool3x3,output"
    text = "0111000011000010000100000:" + text.partition(":")[2]
    cell = space.parse(text)
    assert vertex_channels(cell, 128, 128) == [128, 43, 43, 42, 128]
    assert space.build(cell)(torch.randn(2, 3, 32, 32)).shape == (2, 10)


def test_isomorphic_cells_share_a_key() -> None:
    space = NASBench101()
    ops = "conv1x1-bn-relu", "conv3x3-bn-relu"
    first = space.cell(ops, [(0, 1), (0, 2), (1, 3), (2, 3)])
    second = space.cell(ops[::-1], [(0, 1), (0, 2), (1, 3), (2, 3)])
    assert first != second
    assert space.isomorphism_key(first) == space.isomorphism_key(second)


def test_dangling_vertices_are_pruned() -> None:
    space = NASBench101()
    ops = ("conv1x1-bn-relu", "maxpool3x3", "conv3x3-bn-relu")
    cell = space.cell(ops, [(0, 1), (1, 2), (0, 3), (3, 4)])
    assert cell == space.cell(("conv3x3-bn-relu",), [(0, 1), (1, 2)])


def test_small_cells_have_larger_neighbours() -> None:
    space = NASBench101()
    cell = space.cell(("maxpool3x3",), [(0, 1), (1, 2)])
    assert {len(other.operations) for other in space.neighbours(cell)} == {1, 2}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (CHAIN.replace("conv1x1", "conv5x5"), "conv5x5-bn-relu.*is not one of"),
        (CHAIN.replace("output", "end"), "must read input,…,output"),
        ("0110001100010001" + CHAIN[16:], r"edge \(3, 3\) does not lead forward"),
        ("0110001100010000:input,conv1x1-bn-relu,output", "is not 3 × 3 digits"),
        ("0100001000000000" + CHAIN[16:], "no path"),
    ],
)
def test_wrong_cells_are_named(text: str, why: str) -> None:
    with pytest.raises(SpaceError, match=why):
        NASBench101().parse(text)


def test_too_many_edges_are_refused() -> None:
    pairs = [(i, j) for i in range(5) for j in range(i + 1, 5)]
    with pytest.raises(SpaceError, match="5 vertices and 10 edges"):
        NASBench101().cell(("maxpool3x3",) * 3, pairs)


# --- the official file, made small ---------------------------------------------------------------------


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def message(*parts: tuple[int, float | int | bytes]) -> bytes:
    """A protocol-buffer message: floats as doubles, ints as varints, bytes length-delimited."""
    out = b""
    for number, value in parts:
        if isinstance(value, float):
            out += varint(number << 3 | 1) + struct.pack("<d", value)
        elif isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def record(text: str, valid: float, test: float, epochs: int = 108, params: int = 3_468_426) -> bytes:
    def evaluation(epoch: float, v: float, t: float) -> bytes:
        return message((1, epoch), (2, 9.5), (3, 1.0), (4, v), (5, t), (6, b"model.ckpt"))

    stages = [(0.0, 0.1, 0.1), (epochs / 2, 0.5, 0.5), (float(epochs), valid, test)]
    metrics = message(*((1, evaluation(*stage)) for stage in stages), (2, params), (3, 17.0))
    digits, _, operations = text.partition(":")
    key = NASBench101().isomorphism_key(NASBench101().parse(text))
    return json.dumps([key, epochs, digits, operations, base64.b64encode(metrics).decode()]).encode()


def tfrecord(path: Path, *records: bytes) -> Path:
    framed = b""
    for data in records:
        length = struct.pack("<Q", len(data))
        framed += length + struct.pack("<I", masked_crc(length)) + data + struct.pack("<I", masked_crc(data))
    path.write_bytes(framed)
    return path


def test_the_checksum_is_crc32c() -> None:
    crc = 0xE3069283  # the published check value of CRC-32C, for "123456789"
    assert masked_crc(b"123456789") == ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


def test_fields_are_read_in_order() -> None:
    assert fields(message((1, 300), (2, b"ab"), (1, 7), (3, 0.5))) == {
        1: [300, 7],
        2: [b"ab"],
        3: [struct.pack("<d", 0.5)],
    }


def test_the_official_file_is_read(tmp_path: Path) -> None:
    file = tfrecord(
        tmp_path / "nasbench_only108.tfrecord",
        record(CHAIN, 0.90, 0.88),
        record(POOLS, 0.80, 0.79, params=1_756_298),
        record(CHAIN, 0.92, 0.90),
        record(CHAIN, 0.30, 0.30, epochs=4),
    )
    table = NASBench101().read(file)
    assert list(map(NASBench101().format, table.genotypes)) == [CHAIN, POOLS]
    assert table.labels("cifar10.valid").tolist() == pytest.approx([91.0, 80.0])
    assert table.labels("cifar10.test").tolist() == pytest.approx([89.0, 79.0])
    assert table.params is not None
    assert table.params.tolist() == [3_468_426, 1_756_298]
    assert table.group is not None
    assert table.group[0] == "5529e1779433733d1145e20de5d8604e"


def test_a_cut_record_is_named(tmp_path: Path) -> None:
    file = tfrecord(tmp_path / "n.tfrecord", record(CHAIN, 0.9, 0.9), record(POOLS, 0.8, 0.8))
    whole = file.read_bytes()
    for length, number in ((len(whole) - 9, 1), (5, 0)):
        file.write_bytes(whole[:length])
        with pytest.raises(SpaceError, match=rf"n\.tfrecord, record {number}: .*cut short"):
            NASBench101().read(file)


@pytest.mark.parametrize("data", [b"{}", b"[1, 2]", b'["h", 108, "01", "input,output", "!!"]', b"\xff\xfe"])
def test_a_foreign_record_is_named(data: bytes, tmp_path: Path) -> None:
    file = tfrecord(tmp_path / "n.tfrecord", record(CHAIN, 0.9, 0.9), data)
    with pytest.raises(SpaceError, match=r"n\.tfrecord, record 1: no NAS-Bench-101 record"):
        NASBench101().read(file)


def test_an_impossible_accuracy_is_named(tmp_path: Path) -> None:
    file = tfrecord(tmp_path / "n.tfrecord", record(CHAIN, 90.0, 0.9))
    with pytest.raises(SpaceError, match=r"record 0: accuracies 90\.0"):
        NASBench101().read(file)


# --- tables ------------------------------------------------------------------------------------------------


def row(text: str, accuracy: str = "92.5", key: str | None = None) -> str:
    digits, _, operations = text.partition(":")
    key = key or NASBench101().isomorphism_key(NASBench101().parse(text))
    return f'{key},{digits},"{operations}",{accuracy},3.468426,9.5'


HEADER = "nb101_hash,adjacency,operations,valid_acc_108ep_one_run,params_millions,zc_snip"


def test_draws_are_grouped(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("\n".join([HEADER, row(CHAIN), row(POOLS), row(CHAIN, "92.7")]))
    table = NASBench101().read(file)
    assert table.group is not None
    assert table.group[0] == table.group[2] != table.group[1]
    assert table.labels("cifar10.valid").tolist() == [92.5, 92.5, 92.7]
    assert table.proxies["snip"].tolist() == [9.5] * 3
    assert table.subset([2, 0]).group == (table.group[0],) * 2


def test_a_wrong_hash_is_named(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("\n".join([HEADER, row(CHAIN, key="5529")]))
    with pytest.raises(SpaceError, match="line 2, column nb101_hash: '5529' is not the hash"):
        NASBench101().read(file)
