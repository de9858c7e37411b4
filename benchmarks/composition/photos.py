"""Photos that show what COCO names, the model that looks at them, and what is asked about each."""

from __future__ import annotations

from pathlib import Path

from benchmarks import data

#: ImageNet classes that show one of COCO's
SHOWN = {
    "bird": "cock ostrich chickadee water_ouzel bald_eagle coucal bee_eater black_swan spoonbill oystercatcher "
    "albatross",
    "dog": "Maltese_dog Rhodesian_ridgeback bluetick English_foxhound redbone Scottish_deerhound Rottweiler "
    "Siberian_husky Staffordshire_bullterrier American_Staffordshire_terrier Lakeland_terrier Sealyham_terrier "
    "Dandie_Dinmont malinois giant_schnauzer standard_schnauzer English_setter groenendael "
    "Bouvier_des_Flandres Greater_Swiss_Mountain_dog Bernese_mountain_dog",
    "cat": "tiger_cat Egyptian_cat",
    "train": "bullet_train electric_locomotive freight_car steam_locomotive",
    "car": "minivan Model_T",
    "truck": "moving_van trailer_truck",
    "tie": "bow_tie Windsor_tie",
    "bus": "minibus",
    "bicycle": "mountain_bike",
    "laptop": "laptop",
    "dining table": "desk",
    "bowl": "mixing_bowl",
    "bottle": "water_bottle",
    "sink": "washbasin",
    "wine glass": "red_wine",
}

#: what is in none of those photos but by chance
ABSENT = [
    "bear",
    "zebra",
    "giraffe",
    "elephant",
    "cow",
    "sheep",
    "horse",
    "pizza",
    "toilet",
    "airplane",
    "bus",
    "umbrella",
    "banana",
] + [
    "stop sign",
    "teddy bear",
]


def model() -> str:
    """Returns the file of YOLOX-nano.

    Raises:
        MissingData: it is not there
    """
    return str(data.required("9_weights/onnx/yolox_nano.onnx"))


def asked_photos() -> list[tuple[int, bool, str, Path]]:
    """Returns (number, whether it is there, noun, photo): each photo with what it shows and what it does not."""
    shown = {name: label for label, names in SHOWN.items() for name in names.split()}
    asked = []
    for number, path in enumerate(data.photos()):
        label = shown.get(path.stem.split("_", 1)[1])
        if label:
            asked.append((number, True, label, path))
            asked += [(number, False, other, path) for other in ABSENT if other != label]
    return asked
