"""What a dataset's own metadata says that a prompt asks for: it is taken before anything is read from the words.

Three forms:

- GenEval's ``evaluation_metadata.jsonl``: ``{"tag", "include": [{"class", "count", "color", "position"}], "exclude",
  "prompt"}``. An ``exclude`` of one more than is included makes the count exact; of a class that is not included it
  forbids the class.
- T2I-CompBench has a category and no structure: ``{"category": "spatial", "prompt"}``. The words are read by the rules,
  and then as its evaluation reads them: "on the top of" is above; in the category texture every property is a texture.
- A spec as ``PromptSpec.to_dict`` gives it, for instance in a sample's field ``spec``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from loupe.brain.core.errors import PromptError
from loupe.brain.core.relations import SPATIAL_RELATIONS, RelationName
from loupe.brain.prompts.nouns import word_set
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.spec import Attribute, AttributeKind, PromptSpec, Relation, RequestedObject, Source

_CATEGORIES = word_set(
    """
    color shape texture spatial 2d_spatial 3d_spatial numeracy non_spatial complex attribute_binding
    """
)
_GENEVAL = frozenset(("include", "exclude", "tag"))
_OWN = frozenset(PromptSpec.__dataclass_fields__) - {"prompt"}


def spec_of(prompt: str | None, metadata: Mapping[str, Any] | PromptSpec | None = None) -> PromptSpec | None:
    """Returns what is asked for: by the metadata where there is some, else by the rules; None where there is neither.

    Args:
        prompt: the text; also used where the metadata has none
        metadata: a ``PromptSpec``, or a mapping of one of the forms above

    Raises:
        PromptError: the metadata has none of these forms, or a part of it is wrong

    >>> spec = spec_of(None, {"prompt": "a photo of two dogs", "include": [{"class": "dog", "count": 2}],
    ...                       "exclude": [{"class": "dog", "count": 3}]})
    >>> spec.objects, spec.source
    ((RequestedObject(name='dog', count=2, exact=True, attributes=()),), 'geneval')
    """
    if isinstance(metadata, PromptSpec):
        return metadata
    if metadata is None:
        return parse(prompt) if prompt is not None and (not isinstance(prompt, str) or prompt.strip()) else None
    if not isinstance(metadata, Mapping):
        raise PromptError(f"expected metadata as a mapping or a PromptSpec, got {type(metadata).__name__}")
    if _GENEVAL & metadata.keys():
        return _geneval(prompt, metadata)
    if "category" in metadata and not _OWN & metadata.keys():
        return _t2i_compbench(prompt, metadata)
    if _OWN & metadata.keys():
        values = dict(metadata)
        values["prompt"] = _prompt(prompt, metadata)
        return checked({"source": "field", **values})
    raise PromptError(
        "expected metadata with GenEval's 'include', T2I-CompBench's 'category', or the keys of PromptSpec.to_dict, "
        f"got {', '.join(map(repr, metadata))[:300] or 'an empty mapping'}"
    )


def checked(values: Mapping[str, Any]) -> PromptSpec:
    """Returns the spec that a mapping of ``PromptSpec.to_dict``'s form holds, every value checked.

    Raises:
        PromptError: a key is unknown, or a value is not of its type

    >>> checked({"prompt": "two cats", "objects": [{"name": "cat", "count": 2, "exact": True}]}).objects[0].count
    2
    """
    for key in ("objects", "relations", "excluded", "texts", "unparsed"):
        _expect(isinstance(values.get(key, []), (list, tuple)), key, "a list", values.get(key))
    for key in ("excluded", "texts", "unparsed"):
        for item in values.get(key, ()):
            _expect(isinstance(item, str) and bool(item.strip()), key, "texts that are not empty", item)
    _expect(isinstance(values.get("prompt"), str), "prompt", "a text", values.get("prompt"))
    _expect(isinstance(values.get("text_free", False), bool), "text_free", "true or false", values.get("text_free"))
    _expect(
        values.get("source", "rules") in get_args(Source), "source", _either(get_args(Source)), values.get("source")
    )
    for requested in values.get("objects", ()):
        _check_object(requested)
    for relation in values.get("relations", ()):
        _expect(isinstance(relation, Mapping), "relations", "a mapping", relation)
        for key in ("subject", "object"):
            _expect(_is_number(relation.get(key)), key, "the place of an object", relation.get(key))
        name = relation.get("name")
        _expect(name in tuple(RelationName), "a relation", _either(RelationName), name)
    return PromptSpec.from_dict(dict(values))


def _check_object(requested: Any) -> None:
    _expect(isinstance(requested, Mapping), "objects", "a mapping", requested)
    name = requested.get("name")
    _expect(isinstance(name, str) and bool(name.strip()), "name", "a noun", name)
    count = requested.get("count", 1)
    _expect(count is None or (_is_number(count) and count > 0), "count", "a whole number above 0, or null", count)
    _expect(isinstance(requested.get("exact", False), bool), "exact", "true or false", requested.get("exact"))
    attributes = requested.get("attributes", ())
    _expect(isinstance(attributes, (list, tuple)), "attributes", "a list", attributes)
    for attribute in attributes:
        _expect(isinstance(attribute, Mapping), "attributes", "mappings with kind and value", attribute)
        kind, value = attribute.get("kind"), attribute.get("value")
        _expect(kind in get_args(AttributeKind), "kind", _either(get_args(AttributeKind)), kind)
        _expect(isinstance(value, str) and bool(value.strip()), "value", "a text that is not empty", value)


def _geneval(prompt: str | None, metadata: Mapping[str, Any]) -> PromptSpec:
    include, exclude = metadata.get("include", []), metadata.get("exclude", [])
    for key, items in (("include", include), ("exclude", exclude)):
        _expect(isinstance(items, (list, tuple)), key, "a list", items)
        for clause in items:
            _expect(isinstance(clause, Mapping), key, "mappings with 'class' and 'count'", clause)
            noun, count = clause.get("class"), clause.get("count")
            _expect(isinstance(noun, str) and bool(noun.strip()), "class", "a noun", noun)
            _expect(_is_number(count) and count > 0, "count", "a whole number above 0", count)
    _expect(bool(include) or bool(exclude), "include", "at least one object", include)
    included = {clause["class"] for clause in include}
    too_many = {(clause["class"], clause["count"]) for clause in exclude}
    objects, relations = [], []
    for place, clause in enumerate(include):
        color = clause.get("color")
        _expect(color is None or isinstance(color, str), "color", "a text", color)
        attributes = (Attribute("color", color),) if color else ()
        exact = (clause["class"], clause["count"] + 1) in too_many
        objects.append(RequestedObject(clause["class"], clause["count"], exact, attributes))
        if (position := clause.get("position")) is not None:
            two = isinstance(position, (list, tuple)) and len(position) == 2
            _expect(two and position[0] in SPATIAL_RELATIONS and _is_number(position[1]), "position",
                    "[relation, place of the other object]", position)  # fmt: skip
            relations.append(Relation(place, position[0], position[1]))
    return PromptSpec(
        prompt=_prompt(prompt, metadata),
        objects=tuple(objects),
        relations=tuple(relations),
        excluded=tuple(
            clause["class"] for clause in exclude if clause["class"] not in included and clause["count"] == 1
        ),
        source="geneval",
    )


def _t2i_compbench(prompt: str | None, metadata: Mapping[str, Any]) -> PromptSpec:
    category = metadata["category"]
    base = category.removesuffix("_val").removesuffix("_train") if isinstance(category, str) else ""
    _expect(base in _CATEGORIES, "category", _either(sorted(_CATEGORIES)), category)
    text = _prompt(prompt, metadata)
    spec = parse(text)
    objects, relations = spec.objects, spec.relations
    if base == "texture":
        as_texture = {"material", "other"}
        objects = tuple(
            replace(
                requested,
                attributes=tuple(
                    Attribute("texture", attribute.value) if attribute.kind in as_texture else attribute
                    for attribute in requested.attributes
                ),
            )
            for requested in objects
        )
    if base in ("spatial", "2d_spatial") and "on the top of" in text:
        # its evaluation compares centers: there "on the top of" is above
        relations = tuple(
            replace(relation, name=RelationName.ABOVE.value) if relation.name == RelationName.ON else relation
            for relation in relations
        )
    return replace(spec, objects=objects, relations=relations, source="t2i_compbench")


def _prompt(prompt: str | None, metadata: Mapping[str, Any]) -> str:
    text = metadata.get("prompt", prompt)
    _expect(isinstance(text, str), "prompt", "a text in the metadata or beside it", text)
    return str(text)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _either(names: Any) -> str:
    return "one of " + ", ".join(names)


def _expect(right: bool, what: str, expected: str, got: Any) -> None:
    if not right:
        raise PromptError(f"expected {what} to be {expected}, got {got!r}"[:500])
