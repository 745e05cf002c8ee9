"""wire.py - decode packets of the shim, from the table that the C code is made of.

    for name, fields in wire.decode(packet): ...

Strings come out as bytes.  A packet that cannot be decoded raises ValueError: in a test that is a
finding, not an input to be borne.
"""
import re
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = {"u8": "<B", "u16": "<H", "u32": "<I", "u64": "<Q", "i64": "<q"}


def _messages():
    text = (ROOT / "include/fpmscope/wire.def").read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    by_id, by_name = {}, {}
    for line in text.splitlines():
        message = re.match(r"WIRE_MSG\((\w+), (\w+), (\d+)", line)
        field = re.match(r"WIRE_FIELD\((\w+), (\w+), (\w+)", line)
        if message:
            by_name[message[2]] = by_id[int(message[3])] = (message[1], [])
        elif field:
            by_name[field[1]][1].append((field[2], field[3]))
    return by_id


MESSAGES = _messages()


def _decode_fields(body, fields):
    values, at = {}, 0
    for kind, name in fields:
        if kind == "str":
            (length,) = struct.unpack_from("<H", body, at)
            at += 2
            if at + length > len(body):
                raise ValueError(f"string {name} runs out of its message")
            values[name] = body[at:at + length]
            at += length
        else:
            (values[name],) = struct.unpack_from(NUMBERS[kind], body, at)
            at += struct.calcsize(NUMBERS[kind])
    if at != len(body):
        raise ValueError(f"{len(body) - at} bytes left over")
    return values


def decode(packet):
    """All messages of one packet as (name, {field: value})."""
    at, out = 0, []
    while at < len(packet):
        ident, total = struct.unpack_from("<HH", packet, at)
        if total < 4 or at + total > len(packet):
            raise ValueError("a message is longer than its packet")
        name, fields = MESSAGES[ident]
        out.append((name, _decode_fields(packet[at + 4:at + total], fields)))
        at += total
    return out
