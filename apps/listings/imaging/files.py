"""Our images as files: sRGB named in them, their origin written into them, the same bytes for the same picture."""

import io
import uuid
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from apps.listings.imaging.matte import Picture

_VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"  # IPTC, of 17 September 2024
ENHANCED = f"{_VOCABULARY}algorithmicallyEnhanced"
COMPOSITE = f"{_VOCABULARY}composite"
COMPOSITE_WITH_AI = f"{_VOCABULARY}compositeWithTrainedAlgorithmicMedia"
MADE_BY_AI = f"{_VOCABULARY}trainedAlgorithmicMedia"
THUMBNAIL = 640

_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 Iptc4xmpExt:DigitalSourceType="{source_type}" photoshop:Credit="{credit}" xmp:CreatorTool="Pressroom"
 xmpMM:DocumentID="urn:uuid:{document}"><dc:creator><rdf:Seq><rdf:li>{creator}</rdf:li></rdf:Seq></dc:creator>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


@cache
def srgb_profile() -> bytes:
    """One profile for ever: one made anew would carry the time, and the same picture would be other bytes."""
    return (Path(__file__).parent / "srgb.icc").read_bytes()


def packet(*, source_type: str, creator: str, credit: str, document: uuid.UUID) -> bytes:
    """XMP that says where a picture comes from, in IPTC's words."""
    quoted = {'"': "&quot;"}
    return _PACKET.format(
        source_type=escape(source_type, quoted),
        creator=escape(creator, quoted),
        credit=escape(credit, quoted),
        document=document,
    ).encode()


def jpeg(picture: Picture, *, quality: int, xmp: bytes) -> bytes:
    """Full colour at every pixel (4:4:4): halved colour would spoil the white beside the product up to 12 px away."""
    file = io.BytesIO()
    Image.fromarray(picture, "RGB").save(
        file, "JPEG", quality=quality, subsampling=0, optimize=True, icc_profile=srgb_profile(), xmp=xmp
    )
    return file.getvalue()


def thumbnail(picture: Picture) -> bytes:
    """WebP, its longer side 640 px."""
    image = Image.fromarray(picture, "RGB")
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    file = io.BytesIO()
    image.save(file, "WEBP", quality=84, method=4)
    return file.getvalue()


def resized(data: bytes, side: int) -> Picture:
    """A square image of ours in another size."""
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGB").resize((side, side), Image.Resampling.LANCZOS))


def xmp_of(data: bytes) -> bytes:
    """What it says of its origin: a copy in another size has the same."""
    with Image.open(io.BytesIO(data)) as image:
        told = image.info.get("xmp") or b""
        return bytes(told) if isinstance(told, bytes) else str(told).encode()


def png(rgba: Picture) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgba, "RGBA").save(file, "PNG")
    return file.getvalue()


def rgb_on_white(data: bytes) -> Picture:
    """RGB of a stored photograph, which was checked and turned upright when it came; what is transparent on white."""
    rgba = opened(data)
    cover = rgba[..., 3:].astype(np.float32) / 255
    return np.round(rgba[..., :3] * cover + 255 * (1 - cover)).astype(np.uint8)


def opened(data: bytes) -> Picture:
    """RGBA of a file that the decoder has looked at before."""
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGBA"))
