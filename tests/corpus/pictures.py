"""Pictures as phones, scanners, fax software and programs write them, and as they arrive."""

import io
import itertools

import cairocffi
from matplotlib.figure import Figure
from PIL import Image

from tests.corpus.libraries import Files, encoded, fpdf2, painted
from tests.corpus.programs import POSTSCRIPT, run


def pillow_jpeg() -> Files:
    for mode, progressive, sampling in itertools.product(("RGB", "L", "CMYK"), (False, True), (0, 1, 2)):
        choice = {"progressive": progressive, "subsampling": sampling, "quality": 60 + 15 * sampling, "optimize": True}
        yield f"{mode} {choice}", encoded("JPEG", painted(mode), **choice)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112], exif[0x010F] = orientation, "手机"
        yield f"turned {orientation}", encoded("JPEG", exif=exif, dpi=(300, 300), restart_marker_rows=4)
    yield "many pictures of a phone", encoded("MPO", save_all=True, append_images=[painted(size=(60, 80))])
    yield "thumbnail of a large one", encoded("JPEG", painted("L", (2480, 3508)))


def pillow_png() -> Files:
    for mode, level in itertools.product(("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), (0, 9)):
        yield f"{mode} {level}", encoded("PNG", painted(mode), compress_level=level, dpi=(200, 200))
    for bits in (1, 2, 4):
        yield f"{bits} bits", encoded("PNG", painted("L").quantize(1 << bits), bits=bits)
    yield "see-through", encoded("PNG", painted("P"), transparency=3)
    yield "moving", encoded("PNG", save_all=True, append_images=[painted(), painted("RGBA")], duration=50)
    yield "A2, black and white, 600 dpi", encoded("PNG", Image.new("1", (9933, 14043), 1))


def pillow_tiff() -> Files:
    fax = ("group3", "group4", "tiff_ccitt")
    every = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "lzma", "zstd")
    choices = [("1", name) for name in (*fax, *every)] + [
        (mode, name) for mode in ("L", "P", "RGB", "RGBA", "CMYK", "I;16") for name in every
    ]
    choices += [("RGB", "jpeg"), ("L", "jpeg"), ("CMYK", "jpeg"), ("LAB", "raw")]
    for mode, compression in choices:
        picture = painted("RGB" if mode == "LAB" else mode)
        yield f"{mode} {compression}", encoded("TIFF", picture, compression=compression, dpi=(300, 300))
    for mode, compression in (("1", "group4"), ("1", "group3"), ("L", "tiff_lzw"), ("RGB", "jpeg"), ("RGB", "raw")):
        pages = [painted(mode, (200 + 8 * n, 280)) for n in range(5)]
        content = encoded("TIFF", pages[0], save_all=True, append_images=pages[1:], compression=compression)
        yield f"pages, {mode} {compression}", content
    yield "A1, black and white, 600 dpi", encoded("TIFF", Image.new("1", (14043, 19866), 1), compression="group4")


def libtiff() -> Files:
    """TIFFs as software of scanners writes them: in bands or tiles, in both byte orders, with separate planes."""
    bilevel, colour = encoded("TIFF", painted("1")), encoded("TIFF", painted("RGB"))
    for choice, layout in itertools.product(
        ("g3", "g3:2d", "g4", "lzw", "zip", "none"), ("-s -r 8", "-s -r 400", "-B", "-L")
    ):
        yield f"{choice} {layout}", run("tiffcp", "-c", choice, *layout.split(), "IN", "OUT", source=bilevel)
    layouts = ("-t -w 64 -l 64", "-p separate", "-p contig -B", "-f lsb2msb")
    for choice, layout in itertools.product(("lzw:2", "zip:2", "packbits", "none"), layouts):
        yield f"{choice} {layout}", run("tiffcp", "-c", choice, *layout.split(), "IN", "OUT", source=colour)


def ghostscript() -> Files:
    """What print-to-picture makes of two pages."""
    devices = "tiffg4 tiffg3 tiffg32d tiffcrle tifflzw tiffpack tiff24nc tiffgray tiff32nc tiff48nc tiff12nc tiffscaled"
    devices += " png16m pngmono png256 png16 pnggray png48 pngalpha jpeg jpeggray jpegcmyk"
    for device in devices.split():
        words = f"gs -q -dBATCH -dNOPAUSE -r60 -sDEVICE={device} -sOutputFile=OUT -dLastPage=1 IN"
        yield device, run(*words.split(), source=POSTSCRIPT)


def poppler() -> Files:
    source, choices = next(fpdf2())[1], ("png", "png -mono", "png -gray", "jpeg", "jpeg -gray", "jpegcmyk", "tiff")
    for choice in choices + tuple(
        f"tiff -tiffcompression {name}" for name in ("none", "packbits", "jpeg", "lzw", "deflate")
    ):
        kind = choice.split()[0].removesuffix("cmyk").replace("jpeg", "jpg")
        words = f"pdftoppm -r 50 -singlefile -{choice} IN OUT".split()
        yield choice, run(*words, source=source, written=f".{kind.replace('tiff', 'tif')}")


def drawing() -> Files:
    """Pictures by Cairo and Matplotlib."""
    for form in (cairocffi.FORMAT_ARGB32, cairocffi.FORMAT_RGB24, cairocffi.FORMAT_A8, cairocffi.FORMAT_A1):
        out = io.BytesIO()
        cairocffi.ImageSurface(form, 200, 300).write_to_png(out)
        yield f"cairo {form}", out.getvalue()
    for kind in ("png", "jpg", "tif"):
        out, figure = io.BytesIO(), Figure()
        figure.add_subplot().plot([1, 2, 4])
        figure.savefig(out, format=kind)
        yield f"matplotlib {kind}", out.getvalue()


def delivered() -> Files:
    """Pictures as browsers and scanners deliver them: truncated at the end mark, or followed by other bytes."""
    jpegs = {mode: encoded("JPEG", painted(mode)) for mode in ("RGB", "L", "CMYK")}
    jpegs |= {f"progressive {mode}": encoded("JPEG", painted(mode), progressive=True) for mode in ("RGB", "L", "CMYK")}
    pngs = {mode: encoded("PNG", painted(mode)) for mode in ("1", "L", "P", "RGB", "RGBA", "I;16")}
    for name, content in jpegs.items():
        yield f"{name}, without EOI", content[:-2]
        yield f"{name}, half of EOI", content[:-1]
        yield f"{name}, zeros for EOI", content[:-2] + bytes(512)
        yield f"{name}, film of a phone behind", content + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 20
        yield f"{name}, zeros behind", content + bytes(4096)
    for name, content in pngs.items():
        yield f"{name}, without IEND", content[:-12]
        yield f"{name}, half of IEND", content[:-6]
        yield f"{name}, zeros behind", content + bytes(4096)
    for compression in ("group4", "tiff_lzw", "raw"):
        content = encoded("TIFF", painted("1"), compression=compression)
        yield f"{compression}, something behind", content + b"\r\n" * 300
        yield f"{compression}, without StripByteCounts", without_lengths(content)


def without_lengths(content: bytes) -> bytes:
    """A TIFF in which the tag of StripByteCounts (279) is a private one."""
    at = content.index((279).to_bytes(2, "little") + b"\4\0")
    return content[:at] + (65000).to_bytes(2, "little") + content[at + 2 :]


PICTURES = (pillow_jpeg, pillow_png, pillow_tiff, libtiff, ghostscript, poppler, drawing, delivered)
