"""Makes the fixtures of decoding and transforms: what PIL and torchvision make of images.

Run `python make_image_fixtures.py` after `pip install torchvision==0.29.1 pillow==13.0.0`. It reads the
photographs of tests/fixtures/images/photographs and writes the rest of tests/fixtures/images:

- `odd/`: files of unusual kinds, and damaged ones.
- `expected/`: PNGs of what PIL decodes, and of what torchvision's transforms make of the photographs.
- `index.json`: digests of decoded photographs, the transforms' parameters, PIL's verdict on each odd file.
"""

import hashlib
import io
import json
import pathlib
import random
import struct
import warnings
import zlib

import numpy as np
from PIL import Image, ImageCms
from torchvision.transforms import functional as F

FOLDER = pathlib.Path(__file__).parents[3] / "tests" / "fixtures" / "images"
PHOTOGRAPHS = ("china.jpg", "rocket.jpg", "chelsea.png")
TRAIN_SIZES = (128, 96, 64)
TESTS = {"china.jpg": (256, 224), "rocket.jpg": (72, 65), "chelsea.png": (96, 96)}
JITTER = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.2}
SMALL = (40, 27)
WIDE = (20_000, 2)


def decode(path):
    """The pixels of torchvision's default loader."""
    with open(path, "rb") as file:
        return Image.open(file).convert("RGB")


def save_expected(image, name):
    image.save(FOLDER / "expected" / name, optimize=True)
    return name


def draw_choice(rng, image):
    """A crop, a flip and a jitter, as TransformChoice of datasets/image_transforms.ts."""
    width, height = rng.randint(30, image.width), rng.randint(30, image.height)
    crop = {
        "left": rng.randint(0, image.width - width),
        "top": rng.randint(0, image.height - height),
        "width": width,
        "height": height,
    }
    jitter = [
        {"kind": kind, "factor": rng.uniform(-most, most) + (kind != "hue")} for kind, most in JITTER.items()
    ]
    rng.shuffle(jitter)
    return {"crop": crop, "flip": rng.random() < 0.5, "jitter": jitter}


def train(image, size, choice):
    crop = choice["crop"]
    image = F.resized_crop(image, crop["top"], crop["left"], crop["height"], crop["width"], [size, size])
    if choice["flip"]:
        image = F.hflip(image)
    for step in choice["jitter"]:
        image = getattr(F, "adjust_" + step["kind"])(image, step["factor"])
    return image


def make_transforms():
    rng = random.Random(2)
    digests, cases = {}, []
    for name in PHOTOGRAPHS:
        image = decode(FOLDER / "photographs" / name)
        digests[name] = hashlib.sha256(image.tobytes()).hexdigest()
        for size in TRAIN_SIZES:
            choice = draw_choice(rng, image)
            expected = save_expected(train(image, size, choice), f"{name[:-4]}_train{size}.png")
            cases.append({"photograph": name, "expected": expected, "size": size, "choice": choice})
        resize, size = TESTS[name]
        result = F.center_crop(F.resize(image, resize), size)
        expected = save_expected(result, f"{name[:-4]}_test{size}.png")
        cases.append({"photograph": name, "expected": expected, "size": size, "resize": resize})
    return digests, cases


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(size, depth, colour, rows):
    """A PNG of given bits and colour type, of unfiltered rows."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def swapped_profile():
    """A colour profile that exchanges red and green, so that whoever applies it is found out."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {}
    for at in range(132, 132 + 12 * struct.unpack(">I", profile[128:132])[0], 12):
        name, start, length = struct.unpack(">4sII", profile[at : at + 12])
        tags[name] = slice(start, start + length)
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    profile[red], profile[green] = profile[green], profile[red]
    return bytes(profile)


def odd_files():
    """Name and content of each odd file."""
    source = decode(FOLDER / "photographs" / "china.jpg").resize(SMALL)
    source.info.clear()  # its colour profile is not to be saved
    grey, alpha = source.convert("L"), Image.linear_gradient("L").resize(SMALL)
    rgba = Image.merge("RGBA", (*source.split(), alpha))
    turned = [source.rotate(angle) for angle in (0, 120)]
    noise = np.random.default_rng(2).integers(0, 256, (SMALL[1], SMALL[0] * 8), dtype=np.uint8)
    values = np.arange(SMALL[0] * SMALL[1], dtype=np.uint16).reshape(SMALL[::-1])
    wide = Image.linear_gradient("L").resize(WIDE).convert("RGB")
    orientation = Image.Exif()
    orientation[0x112] = 6
    jpeg, cmyk = encoded(source, "JPEG", quality=85), encoded(source.convert("CMYK"), "JPEG")
    plain, webp = encoded(source, "PNG"), encoded(source, "WEBP", quality=80)
    adobe = cmyk.find(b"\xff\xee")
    scan = jpeg.find(b"\xff\xda")
    return {
        "progressive.jpg": encoded(source, "JPEG", quality=80, progressive=True),
        "grey.jpg": encoded(grey, "JPEG"),
        "cmyk.jpg": cmyk,
        "cmyk_unmarked.jpg": cmyk[:adobe] + cmyk[adobe + 16 :],
        "ycck.jpg": cmyk[: adobe + 15] + b"\2" + cmyk[adobe + 16 :],
        "rotated_by_exif.jpg": encoded(source, "JPEG", exif=orientation.tobytes()),
        "profile.jpg": encoded(source, "JPEG", icc_profile=swapped_profile()),
        "stray_bytes.jpg": jpeg[:scan] + b"\0\1\2" + jpeg[scan:],
        "1x1.jpg": encoded(Image.new("RGB", (1, 1), (200, 100, 50)), "JPEG"),
        "wide.jpg": encoded(wide, "JPEG", quality=50),
        "png_named.jpg": plain,
        "bits1.png": encoded(source.convert("1"), "PNG"),
        "bits4.png": png(SMALL, 4, 0, noise[:, : SMALL[0] // 2]),
        "palette.png": encoded(source.quantize(64), "PNG", transparency=bytes(range(0, 256, 4))),
        "grey_alpha.png": encoded(Image.merge("LA", (grey, alpha)), "PNG"),
        "rgba.png": encoded(rgba, "PNG"),
        "grey16.png": encoded(Image.fromarray(values), "PNG"),
        "grey_alpha16.png": png(SMALL, 16, 4, noise[:, : SMALL[0] * 4]),
        "rgb16.png": png(SMALL, 16, 2, noise[:, : SMALL[0] * 6]),
        "rgba16.png": png(SMALL, 16, 6, noise),
        "1x1.png": encoded(Image.new("RGB", (1, 1), (200, 100, 50)), "PNG"),
        "wide.png": encoded(wide, "PNG", optimize=True),
        "animated.png": encoded(turned[0], "PNG", save_all=True, append_images=turned[1:]),
        "lossy.webp": webp,
        "rgba.webp": encoded(rgba, "WEBP", lossless=True, exact=True),
        "animated.webp": encoded(turned[0], "WEBP", save_all=True, append_images=turned[1:], lossless=True),
        "truncated.jpg": jpeg[: len(jpeg) // 2],
        "without_end.jpg": jpeg[:-2],
        "truncated.png": plain[: len(plain) // 2],
        "truncated.webp": webp[: len(webp) // 2],
        "damaged.png": plain[: len(plain) // 2] + bytes(8) + plain[len(plain) // 2 + 8 :],
        "damaged_header.png": plain[:29] + bytes(4) + plain[33:],
        "over_limit.png": png((20_000, 20_000), 1, 0, []),
        "text.jpg": b"This is no image.\n",
        "drawing.png": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>\n',
        "empty.jpg": b"",
        "animated.gif": encoded(turned[0], "GIF", save_all=True, append_images=turned[1:]),
    }


def make_odd():
    verdicts = {}
    for name, content in odd_files().items():
        path = FOLDER / "odd" / name
        path.write_bytes(content)
        try:
            verdicts[name] = save_expected(decode(path), name.replace(".", "_") + ".png")
        except (OSError, SyntaxError, Image.DecompressionBombError):
            verdicts[name] = None
    return verdicts


def main():
    warnings.simplefilter("ignore")
    for name in ("odd", "expected"):
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
    digests, transforms = make_transforms()
    index = {"digests": digests, "transforms": transforms, "odd": make_odd()}
    (FOLDER / "index.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
