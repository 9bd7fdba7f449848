"""The framing of TFRecord files and of protocol-buffer messages, as far as benchmark files use them.

Sources: TensorFlow's record format (length, masked crc32c, data, masked crc32c) and the protocol-buffer
wire format (base-128 varints; tag = field number · 8 + wire type).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from fxscore.errors import SpaceError

_MASK_DELTA = 0xA282EAD8


def _crc_table() -> tuple[int, ...]:
    """The byte table of CRC-32C (Castagnoli), reflected polynomial 0x82F63B78."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


_TABLE = _crc_table()


def masked_crc(data: bytes) -> int:
    """CRC-32C, rotated right by 15 bits and shifted by a constant, as TFRecord stores it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def records(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """The data of every record.

    The checksum of each length is verified, so that the framing is known to be right; that of the data is
    not, since in Python it would take minutes for the official file.

    Raises:
        SpaceError: the file ends inside a record, or a length's checksum is wrong.
    """
    number = 0
    while header := stream.read(12):
        if len(header) < 12 or masked_crc(header[:8]) != struct.unpack("<I", header[8:])[0]:
            raise SpaceError(f"{name}, record {number}: no TFRecord, or it is cut short or damaged here")
        (length,) = struct.unpack("<Q", header[:8])
        data = stream.read(length + 4)
        if len(data) < length + 4:
            raise SpaceError(f"{name}, record {number}: cut short, {length} bytes were announced")
        yield data[:length]
        number += 1


def fields(message: bytes) -> dict[int, list[int | bytes]]:
    """The fields of a protocol-buffer message: number → values in order.

    Varints are ints; doubles, floats and nested messages are their bytes.

    Raises:
        ValueError: the message is malformed.
    """
    found: dict[int, list[int | bytes]] = {}
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        value, place = _value(message, place, tag & 7)
        found.setdefault(tag >> 3, []).append(value)
    return found


def _value(message: bytes, place: int, kind: int) -> tuple[int | bytes, int]:
    if kind == 0:
        return _varint(message, place)
    if kind == 2:
        length, place = _varint(message, place)
    elif kind in (1, 5):
        length = 8 if kind == 1 else 4
    else:
        raise ValueError(f"wire type {kind} is not known")
    if place + length > len(message):
        raise ValueError("the message is cut short")
    return message[place : place + length], place + length


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(message) and shift < 64:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if not byte & 0x80:
            return value, place
    raise ValueError("the message is cut short")


def nested(value: int | bytes) -> bytes:
    """The bytes of a nested message; raises `ValueError` for a number."""
    if isinstance(value, int):
        raise ValueError("a number stands where a message should")
    return value


def double(value: int | bytes) -> float:
    """The double that a field holds; raises `ValueError` where it holds something else."""
    data = nested(value)
    if len(data) != 8:
        raise ValueError(f"a double has 8 bytes, not {len(data)}")
    return float(struct.unpack("<d", data)[0])
