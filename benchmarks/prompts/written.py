"""Prompts as people write them: is English left alone, and are the words found again below each kind of mark?"""

from __future__ import annotations

import csv
import io
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks import data
from benchmarks.figures import header, row, share, title
from benchmarks.prompts.scoring import lines, suite
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.variants import expanded
from loupe.brain.prompts.wildcards import Wildcards
from loupe.brain.prompts.written import _written, written

_TEXTS = ("prompt", "prompt_en", "prompt_zh", "caption", "text", "short_description", "long_description", "Prompt")
_NO_PROMPTS = ("LICENSE", "object_names.txt", "new_objects.txt", "dataset_meta.json", "final_scores.csv")
_PER_KIND = 600


def _files() -> dict[str, list[str]]:
    """Every prompt of every file of the suites, by file."""
    root = suite()
    made: dict[str, list[str]] = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.name not in _NO_PROMPTS and "human_judgements" not in path.parts:
            made[str(path.relative_to(root))] = [text for text in _of_file(path) if text.strip()]
    return made


def _of_file(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".txt":
        yield from text.splitlines()
    elif path.suffix == ".tsv":
        rows = [line.split("\t") for line in text.splitlines()]
        yield from (cells[0] for cells in rows[1:]) if rows[0][0] == "Prompt" else (cells[-1] for cells in rows)
    else:
        if path.suffix == ".csv":
            records = list(csv.DictReader(io.StringIO(text, newline="")))
        else:
            records = [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)
        yield from (record[key] for record in records for key in _TEXTS if isinstance(record.get(key), str))


def _comfyui() -> list[str]:
    """The texts in the graphs of ComfyUI's own example pictures: people wrote them."""
    from PIL import Image

    texts: set[str] = set()

    def walk(value: object) -> None:
        if isinstance(value, dict):
            texts.update(part for key, part in value.items() if key.startswith("text") and isinstance(part, str))
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)

    for path in sorted(data.required("5_generated", "comfyui_png_with_metadata").rglob("*.png")):
        with Image.open(path) as image:
            graph = image.info.get("prompt")
        if isinstance(graph, str):
            walk(json.loads(graph))
    return sorted(text for text in texts if text.strip())


def _spoilt(prompt: str, word: re.Match[str], before: str, after: str) -> str:
    return f"{prompt[: word.start()]}{before}{word.group()}{after}{prompt[word.end() :]}"


#: how a prompt is marked, given one of its words; what a reader makes of it has to be the prompt again
MARKS: dict[str, Callable[[str, re.Match[str]], str]] = {
    "(word:1.3)": lambda prompt, word: _spoilt(prompt, word, "(", ":1.3)"),
    "((word))": lambda prompt, word: _spoilt(prompt, word, "((", "))"),
    "(all of it:0.9)": lambda prompt, word: f"({prompt}:0.9)",
    "[word], (…:1.2)": lambda prompt, word: f"({_spoilt(prompt, word, '[', ']')}:1.2)",
    "[word|other]": lambda prompt, word: _spoilt(prompt, word, "[", "|other]"),
    "[other:word:0.4]": lambda prompt, word: _spoilt(prompt, word, "[other:", ":0.4]"),
    "<lora:name:0.8>": lambda prompt, word: f"<lora:some name:0.8> {prompt}",
    "<hypernet:name:1> at the end": lambda prompt, word: f"{prompt} <hypernet:name:1>",
    "embedding:name": lambda prompt, word: f"embedding:name, {prompt}",
    "--ar 16:9 --v 6 --style raw": lambda prompt, word: f"{prompt} --ar 16:9 --v 6 --style raw",
    "--no zebras": lambda prompt, word: f"{prompt} --no zebras",
    "links in front": lambda prompt, word: f"https://a.b/c.png https://d.e/f.jpg {prompt}",
    "prompt::2": lambda prompt, word: f"{prompt}::2",
    "negative prompt and settings": lambda prompt, word: (
        f"{prompt}\nNegative prompt: zebras\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x512"
    ),
    "{word|word}": lambda prompt, word: _spoilt(prompt, word, "{", f"|{word.group()}" + "}"),
    "{2$$ and $$…}": lambda prompt, word: f"{{1$$ and $${prompt.replace('|', ' ')}}}",
    "__wildcard__": lambda prompt, word: prompt[: word.start()] + "__word__" + prompt[word.end() :],
}


def written_prompts() -> None:
    """Prints what is changed of prompts without marks, and what is found of prompts with them."""
    _english()
    _marked()
    _people()
    _speed()


def _english() -> None:
    title("Prompts of the suites, which have no marks: how many are changed")
    header("file", "prompts", "with a bracket, a bar or two hyphens", "changed")
    signs = re.compile(r"[()\[\]{}|<>\\]|--|::|__")
    groups: dict[str, list[str]] = {}
    for name, prompts in _files().items():
        groups.setdefault(name.split("/")[0], []).extend(prompts)
    every, with_signs, changed = 0, 0, list[str]()
    for name, prompts in groups.items():
        distinct = dict.fromkeys(prompts)
        own = [prompt for prompt in distinct if written(prompt).plain != prompt.strip() or expanded(prompt, 0).choices]
        signed = sum(bool(signs.search(prompt)) for prompt in distinct)
        row(name, f"{len(distinct):,}", signed, share(len(own), len(distinct)))
        every, with_signs, changed = every + len(distinct), with_signs + signed, [*changed, *own]
    row("all", f"{every:,}", with_signs, share(len(changed), every))
    for prompt in changed:
        print(f"\nchanged: {prompt!r} → {written(prompt).plain!r}")


def _plain_prompts(rng: random.Random) -> list[str]:
    prompts = [
        *lines(suite("dalle3_eval", "drawbench.txt")),
        *lines(suite("t2i_compbench", "complex_val.txt")),
        *lines(suite("geneval", "generation_prompts.txt")),
        *lines(suite("text_rendering", "glyphcontrol_CreativeBench", "all_unigram_top_1000_100_prompt_file_GlyphDraw_"
                     "origin_remove_render_words.txt")),
    ]  # fmt: skip
    rng.shuffle(prompts)
    return [prompt.strip() for prompt in prompts if not re.search(r"[\[\]{}|]|zebra", prompt)][:_PER_KIND]


def _marked() -> None:
    rng = random.Random(0)
    prompts = _plain_prompts(rng)
    title(f"{len(prompts)} prompts with a mark put in: are the words found again, and is the same asked for?")
    header("mark", "the words", "what is asked for, of the words", "and read from the prompt as it is written")
    totals = [0, 0, 0, 0]
    for kind, mark in MARKS.items():
        hits = [0, 0, 0]
        n = 0
        for prompt in prompts:
            quoted = [at for quote in re.finditer(r"[\"“”'‘’]", prompt) for at in (quote.start(),)]
            inside = (min(quoted), max(quoted)) if quoted else (0, 0)
            words = [
                word for word in re.finditer(r"\b[a-z]{4,}\b", prompt) if not inside[0] <= word.start() <= inside[1]
            ]
            if not words:
                continue
            n += 1
            word = rng.choice(words)
            raw = mark(prompt, word)
            chosen = expanded(raw, 0, 0, Wildcards({"word": [word.group()]})).text
            made = written(chosen)
            excluded = f", no {made.negative}" if made.negative else ""
            asked = parse(prompt + (", no zebras" if "zebras" in raw else ""))
            of_words, as_written = parse(made.plain + excluded), parse(chosen)
            hits[0] += made.plain == prompt.strip()
            hits[1] += _same(asked, of_words)
            hits[2] += _same(asked, as_written)
        row(f"`{kind}`".replace("|", "\\|"), *(share(count, n) for count in hits))
        totals = [total + count for total, count in zip(totals, [*hits, n], strict=True)]
    row("all", *(share(count, totals[3]) for count in totals[:3]))


def _same(first: object, other: object) -> bool:
    names = ("objects", "relations", "excluded", "texts")
    return all(getattr(first, name) == getattr(other, name) for name in names)


def _people() -> None:
    prompts = _comfyui()
    changed = [prompt for prompt in prompts if written(prompt).plain != prompt.strip()]
    title("ComfyUI's example pictures: what people wrote (each that is changed was looked at)")
    header("", "share")
    row("prompts that are changed", share(len(changed), len(prompts)))
    marks = re.compile(r":\d\.\d|<lora|embedding:|\(\(")
    row(
        "prompts that still have a mark",
        share(sum(bool(marks.search(written(each).plain)) for each in prompts), len(prompts)),
    )


def _speed() -> None:
    title("Time: processor seconds of the worst nestings, by length (linear is 2)")
    header("text", "25,000", "50,000", "100,000 characters", "ratio of the last two")
    cases: dict[str, Callable[[int], str]] = {
        "`((((…a…))))`": lambda n: "(" * (n // 2) + "a" + ")" * (n // 2),
        "`[a|[a|[a|…`": lambda n: "[a|" * (n // 4) + "]" * (n // 4),
        "`{a|{a|…` and words": lambda n: "{a|" * 40 + "}" * 40 + " a word" * (n // 7),
        "`(a:1.2) ` again and again": lambda n: "(a:1.2) " * (n // 8),
    }
    for name, case in cases.items():
        seconds = []
        for n in (25_000, 50_000, 100_000):
            best = 9.0
            for _ in range(3):
                _written.cache_clear()
                text = case(n)[:100_000]
                started = time.process_time()
                with suppress(ValueError):
                    written(expanded(text, 0).text)
                best = min(best, time.process_time() - started)
            seconds.append(best)
        row(name.replace("|", "\\|"), *(f"{value:.2f}" for value in seconds), f"{seconds[2] / seconds[1]:.1f}")
