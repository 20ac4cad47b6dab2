"""DER (X.690), read and written without any library that the program uses: trees of Node.

parse() takes nothing that is BER and no DER: what it gives back is encoded to the same bytes.
"""
import dataclasses

BOOLEAN, INTEGER, BITS, OCTETS, NULL, OID = 1, 2, 3, 4, 5, 6
UTF8, PRINTABLE, IA5, UTC, GENERALIZED = 12, 19, 22, 23, 24
SEQUENCE, SET = 0x30, 0x31


class NotDer(ValueError):
    pass


@dataclasses.dataclass
class Node:
    tag: int
    value: object           # bytes, or a list of nodes when it is constructed

    def __getitem__(self, at):
        return self.value[at]

    def __len__(self):
        return len(self.value)


def context(number, constructed=True):
    return 0x80 | (0x20 if constructed else 0) | number


def _length(data, at):
    first = data[at]
    if first < 0x80:
        return first, at + 1
    count = first & 0x7f
    body = data[at + 1:at + 1 + count]
    if not count or len(body) < count or body[0] == 0 or (count == 1 and body[0] < 0x80):
        raise NotDer("a length that is not the shortest one")
    return int.from_bytes(body, "big"), at + 1 + count


def _node(data, at):
    if at + 2 > len(data) or data[at] & 0x1f == 0x1f:
        raise NotDer("no tag of one byte and a length")
    tag = data[at]
    length, begin = _length(data, at + 1)
    end = begin + length
    if end > len(data):
        raise NotDer("cut short")
    if not tag & 0x20:
        return Node(tag, bytes(data[begin:end])), end
    children = []
    while begin < end:
        child, begin = _node(data[:end], begin)
        children.append(child)
    return Node(tag, children), end


def parse(data):
    node, end = _node(data, 0)
    if end != len(data):
        raise NotDer("bytes after the end")
    return node


def encode(node):
    body = node.value if isinstance(node.value, bytes) else b"".join(map(encode, node.value))
    size = len(body)
    if size < 0x80:
        return bytes([node.tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([node.tag, 0x80 | len(length)]) + length + body


def oid(dotted):
    """The body of an OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    out = bytearray([first * 40 + second])
    for number in rest:
        groups = [number & 0x7f]
        while number := number >> 7:
            groups.append(0x80 | number & 0x7f)
        out += bytes(reversed(groups))
    return bytes(out)


def walk(node):
    yield node
    if isinstance(node.value, list):
        for child in node.value:
            yield from walk(child)
