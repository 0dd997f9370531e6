"""Faults of a file that leave its picture whole: seen to before the decoder, which is stricter than browsers are.

Nothing here decodes. Files that are not what they claim to be pass through as they are, for the decoder to refuse.
"""

import struct
import zlib

_PNG_START = b"\x89PNG\r\n\x1a\n"
_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
_END_OF_JPEG = b"\xff\xd9"
LARGEST_PROFILE = 8_000_000  # bytes, unpacked; printers' profiles have 1 to 4 MB

# Two ways to end entropy-coded data that was cut: a decoder that still needed bits makes other pixels of each.
ENDINGS = (_END_OF_JPEG, b"\x55" * 64 + _END_OF_JPEG)


def without_blemishes(data: bytes) -> bytes:
    """A PNG without its texts and without what is broken beside the picture; any other file as it is.

    The standard lets a reader pass over a chunk whose name begins with a small letter. A text (a whole workflow, of
    other generators) is never needed to show the picture, and one with a wrong checksum is no harm to it.
    """
    if not data.startswith(_PNG_START):
        return data
    kept, at = [_PNG_START], len(_PNG_START)
    while at + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + size
        chunk = data[at:end]
        if end > len(data):
            kept.append(chunk)  # cut: the decoder says whether the picture was whole by then
            break
        if not _may_be_passed_over(name, chunk):
            kept.append(chunk)
        if name == b"IEND":
            break
        at = end
    return b"".join(kept)


def _may_be_passed_over(name: bytes, chunk: bytes) -> bool:
    if name in _TEXTS:
        return True
    if not name[:1].islower():
        return False
    body, (checksum,) = chunk[8:-4], struct.unpack(">I", chunk[-4:])
    return zlib.crc32(name + body) != checksum or (name == b"iCCP" and not _unpacks(body))


def _unpacks(body: bytes) -> bool:
    packed = body.partition(b"\0")[2][1:]
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(packed, LARGEST_PROFILE)
    except zlib.error:
        return False
    return not unpacker.unconsumed_tail


def with_endings(data: bytes) -> tuple[bytes, bytes] | None:
    """A JPEG that lacks its end mark, ended in two ways; None when it has one or is no JPEG.

    It was whole, but for the mark, exactly when both decode to the same pixels.
    """
    if not data.startswith(b"\xff\xd8\xff") or data.endswith(_END_OF_JPEG):
        return None
    begun = data.removesuffix(b"\xff")
    return begun + ENDINGS[0], begun + ENDINGS[1]


def depth_of_png(data: bytes) -> int:
    """Bits a sample, as the header says; 8 for any other file."""
    return data[24] if data.startswith(_PNG_START) and len(data) > 24 else 8
