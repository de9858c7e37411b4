"""Images are drawn on a Ray cluster: a process for each GPU, or for so many cores, loads the generator once.

A batch goes to a process, and the files of its images come back, as the local engine would write them: only this
process writes to the output folder, as each batch comes, and knows the database. What a process, or a node, that is
killed had not answered is drawn by another one; what lies in the folder already is not drawn again.
"""

from __future__ import annotations

import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from loupe.brain.core import interrupts
from loupe.brain.core.errors import InputError, ProcessLost
from loupe.brain.core.specs import Generator, GeneratorSession
from loupe.brain.engine import output_folder
from loupe.brain.engine.drawing import Drawers, Finished, Generated, Item, adopted, drawn, facts_of, provenance
from loupe.brain.engine.drawing_process import elsewhere, portable, set_torch, torch_settings
from loupe.brain.engine.ending import begun
from loupe.brain.engine.on_ray import unseen
from loupe.brain.engine.processes import require_same
from loupe.brain.engine.ray_cluster import connected
from loupe.brain.engine.ray_crew import Crew, Process
from loupe.brain.imaging.files import is_readable

#: a batch that has cost so many processes is not tried again
MAX_DEATHS = 3


@dataclass(frozen=True)
class Order:
    """A generator that draws.

    Attributes:
        spec: the generator
        device: where
        torch: ``torch_settings`` that hold: they decide bits of the pixels
    """

    spec: Generator
    device: str
    torch: Mapping[str, Any]

    def begin(self, workers: int) -> tuple[Callable[[Sequence[Item]], Answer], GeneratorSession | Exception]:
        """Returns what draws, and what is known of the loaded generator, or why it cannot be loaded."""
        set_torch(self.torch, self.device)
        try:
            session = self.spec.load(self.device)
        except Exception as error:
            return _nothing, portable(error)
        return _Draws(self.spec, session), replace(session, draw=elsewhere)


@dataclass(frozen=True)
class File:
    """An image as it is to lie in the output folder.

    Attributes:
        item: what was wanted
        png: the whole file
        facts: what goes to ``generation``
    """

    item: Item
    png: bytes
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """What became of a batch.

    Attributes:
        files: of its images
        error: what ended it; None: nothing did
        lacking: files to draw from that are not on the node, or cannot be read there, where it ended
        warnings: texts of warnings with their kind
    """

    files: Sequence[File] = ()
    error: Exception | None = None
    lacking: Sequence[str] = ()
    warnings: Sequence[tuple[str, type[Warning]]] = ()


@dataclass
class _Draws:
    """Draws batches, on a node."""

    spec: Generator
    session: GeneratorSession

    def __call__(self, items: Sequence[Item]) -> Answer:
        with warnings.catch_warnings(record=True) as caught:
            try:
                images, seconds = drawn(self.session, items)
                files = []
                for item, image in zip(items, images, strict=True):
                    facts = facts_of(self.spec, self.session, item, image, seconds)
                    # here, where there are many cores, and not in the one process that takes it all in
                    files.append(File(item, output_folder.encoded(image, provenance(item, facts)), facts))
                answer = Answer(files)
            except Exception as error:
                paths = {path for item in items if item.source is not None for path in item.source.files}
                lacking = tuple(sorted(path for path in paths if not is_readable(path)))
                answer = Answer(error=portable(error), lacking=lacking)
        return replace(answer, warnings=tuple((str(each.message), each.category) for each in caught))


def _nothing(_: object) -> Answer:
    raise AssertionError("the generator was not loaded")


@dataclass
class Batches:
    """Hands batches out, in any order: each is done once.

    Attributes:
        expected: how many there may be, at most, as long as they are not known
        waiting: those that nobody draws; after ``close`` no other is handed out
    """

    expected: int = 0
    waiting: deque[tuple[Item, ...]] = field(default_factory=deque)
    _open: int = 0
    _deaths: Counter[str] = field(default_factory=Counter)
    _is_closed: bool = False

    def take(self, max_open: int) -> tuple[Item, ...] | None:
        """Returns what is to be drawn next; None where there is nothing."""
        if not self.waiting or self._is_closed:
            return None
        self._open += 1
        return self.waiting.popleft()

    def again(self, batch: tuple[Item, ...]) -> None:
        """A batch was not drawn, by no fault of its own."""
        self._open -= 1
        self.waiting.appendleft(batch)

    def done(self) -> None:
        """A batch was drawn, or is an error."""
        self._open -= 1

    def worth(self, maximum: int) -> int:
        """Returns how many processes can draw at a time, ``maximum`` at most."""
        return min(maximum, max(self.expected, self._open + (0 if self._is_closed else len(self.waiting))))

    def lost(self, batch: tuple[Item, ...], why: str) -> None:
        """A process ended while it drew a batch: another one draws it.

        Raises:
            ProcessLost: it has cost several
        """
        self.again(batch)
        self._deaths[batch[0].key] += 1
        if self._deaths[batch[0].key] >= MAX_DEATHS:
            raise ProcessLost(
                f"expected images that can be drawn, but {MAX_DEATHS} processes ended while they drew the same "
                f"{len(batch)}, from {batch[0].request.prompt[:200]!r} on; of the last one: {why}. What was drawn is "
                "stored. Where memory is short, draw fewer images at once, and repeat the same call, which goes on "
                "from there"
            )

    def sent(self, batch: tuple[Item, ...]) -> tuple[Item, ...]:
        """Returns what a process is sent."""
        return batch

    def is_suspect(self, batch: tuple[Item, ...]) -> bool:
        """Returns whether a process has ended at a batch."""
        return self._deaths[batch[0].key] > 0

    @property
    def is_done(self) -> bool:
        """Whether nothing more is going to be handed out."""
        return self._is_closed or not self.waiting

    def close(self) -> None:
        """Hands nothing out any more."""
        self._is_closed = True


class OnCluster(Drawers):
    """Draws on the nodes of a cluster; made by ``opened``.

    Args:
        crew: its processes
        batches: from which they are dealt
        folder: where images go
    """

    def __init__(self, crew: Crew[tuple[Item, ...]], batches: Batches, folder: Path) -> None:
        self._crew, self._batches, self._folder = crew, batches, folder
        self._first: tuple[str, GeneratorSession] | None = None
        self._errors: dict[str, Exception] = {}
        self._drawn: Counter[str] = Counter()

    def load(self, waiting: Callable[[], None]) -> None:
        """Waits until one process has loaded the generator; those of nodes that cannot are left out.

        Args:
            waiting: called twice a second; may raise

        Raises:
            Exception: why none can load it
            ProcessLost: no node is left
        """
        while self._first is None:
            self._crew.deal()
            waiting()
            for process, _, loaded in self._crew.heard():
                self._greet(process, loaded)
        self.session = self._first[1]
        self.count = max(1, self._batches.worth(self._crew.room))

    def run(self, batches: Iterable[Sequence[Item]]) -> Iterator[Finished | None]:
        """Yields what became of each batch as it is done.

        Raises:
            Stopped: the caller is to stop at once; what is under way is lost
            ProcessLost: no node is left, or the same batch has cost several processes
            ModelError: a node has loaded another generator
        """
        for batch in batches:
            images, missing = adopted(self._folder, batch)
            if images:
                yield Finished(tuple(images))
            if missing:
                self._batches.waiting.append(tuple(missing))
        self._batches.expected = 0
        while True:
            self._crew.deal()
            if not self._crew.is_at_work and self._batches.is_done:
                return
            done = False
            for heard in self._crew.heard():
                finished = self._take(*heard)
                if finished is not None:
                    # the next ones first: what follows here takes its time
                    self._crew.deal()
                    yield finished
                    done = True
            interrupts.point()
            if not done:
                yield None

    def _take(self, process: Process[Any], batch: tuple[Item, ...] | None, answer: Any) -> Finished | None:
        if batch is None:
            self._greet(process, answer)
            return None
        for text, kind in answer.warnings:
            self._crew.warn(text, kind)
        lacking = next((path for path in answer.lacking if is_readable(path)), None)
        if lacking is not None:
            self._batches.again(batch)
            self._crew.leave_out(process.node, unseen(process.node, lacking))
            return None
        self._batches.done()
        self._drawn[process.node.name] += len(answer.files)
        return self._written(answer)

    def _written(self, answer: Answer) -> Finished:
        images: list[Generated] = []
        try:
            for file in answer.files:
                path = output_folder.put(self._folder, file.item.key, file.png)
                images.append(Generated(path, file.item.request.prompt, file.item.request.factors, file.facts))
            if images:
                output_folder.sync(self._folder)
        except OSError as error:
            return Finished(tuple(images), error)
        return Finished(tuple(images), answer.error)

    def _greet(self, process: Process[Any], loaded: GeneratorSession | Exception) -> None:
        """Takes in what a process says of the generator that it has loaded.

        Raises:
            Exception: why none can load it
            ModelError: it is another one than the first's
        """
        name = process.node.name
        if isinstance(loaded, Exception):
            self._errors[name] = loaded
            try:
                self._crew.leave_out(process.node, f"{name} cannot load the model: {loaded}")
            except InputError:
                if len({str(error) for error in self._errors.values()}) == 1:
                    raise loaded from None  # all say the same: which nodes they are adds nothing
                raise
        elif self._first is None:
            self._first = name, loaded
        else:
            require_same([self._first, (name, loaded)])

    def stop(self) -> None:
        self._batches.close()

    def account(self) -> tuple[dict[str, object], dict[str, str]]:
        nodes = [{"node": name, "images": count} for name, count in sorted(self._drawn.items())]
        return {"nodes": nodes}, {f"node {at}": why for at, why in enumerate(self._crew.left_out.values(), 1)}


@contextmanager
def opened(spec: Generator, folder: Path, device: str, total: int, waiting: Callable[[], None]) -> Iterator[OnCluster]:
    """Starts processes on the cluster, and yields them as the first has loaded the generator; they end with the block.

    Args:
        spec: the generator; its class is sent along where it is of a script or a notebook
        folder: where images go; nobody but this process sees it
        device: ``"cpu"`` or ``"cuda"``, of each process
        total: images that are wanted: no more processes are started
        waiting: called twice a second while they load; may raise

    Raises:
        InputError: a node has another version of Loupe
        ModelError: no node can load the generator; of several reasons an InputError names each node's
        ProcessLost: no node is left
    """
    settings = torch_settings()
    batches = Batches(max(1, total))
    with connected() as ray:
        # one batch at a time: it takes seconds, and who has waited for a second one could not be stopped
        order = Order(spec, device, settings)
        crew = Crew(ray, order, batches, device=device, cpus=settings["threads"], sent=1)
        begun(crew.dismiss)
        try:
            drawers = OnCluster(crew, batches, folder)
            drawers.load(waiting)
            yield drawers
        finally:
            crew.dismiss()
