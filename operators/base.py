"""What every operator of Loupe has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import fiftyone.operators as foo
from fiftyone.operators import types
from fiftyone.operators.executor import ExecutionOptions, ExecutionResult
from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core.errors import LoupeError, Stopped
from loupe.brain.core.records import ProgressCallback
from loupe.operators import run
from loupe.operators.forms import problem


class LoupeOperator(foo.Operator, ABC):
    """Base of the operators.

    Attributes:
        verb: the operator's name, the same as its verb's and its file's
        label, description, icon: how the App shows it
        button: what its button says
        background: whether it may be delegated to a worker
    """

    verb: ClassVar[str]
    label: ClassVar[str]
    description: ClassVar[str]
    icon: ClassVar[str]
    button: ClassVar[str] = "Run"
    background: ClassVar[bool] = True

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name=self.verb,
            label=f"Loupe: {self.label}",
            description=self.description,
            icon=self.icon,
            dynamic=True,
            execute_as_generator=True,
            allow_delegated_execution=self.background,
            resolve_execution_options_on_change=False,
        )

    @abstractmethod
    def form(self, ctx: Any, inputs: types.Object) -> None:
        """Adds what the operator asks for."""

    @abstractmethod
    def call(self, ctx: Any, progress: ProgressCallback) -> Mapping[str, Any]:
        """Calls the verb; returns ``summary`` (Markdown), ``said`` (one line), and whatever else is useful."""

    def after(self, ctx: Any, result: Mapping[str, Any]) -> Generator[GeneratedMessage, None, None]:
        """Yields what the App is to do at the end."""
        yield ctx.ops.reload_dataset()

    def resolve_input(self, ctx: Any) -> types.Property:
        inputs = types.Object()
        if ctx.dataset is None:
            problem(inputs, "dataset", "No dataset is open", "Open a dataset first.")
        else:
            try:
                self.form(ctx, inputs)
            except LoupeError as error:
                problem(inputs, "error", "This cannot be run", str(error))
        return types.Property(
            inputs, view=types.PromptView(label=f"Loupe: {self.label}", submit_button_label=self.button)
        )

    def resolve_output(self, ctx: Any) -> types.Property:
        outputs = types.Object()
        outputs.str("summary", view=types.MarkdownView())
        return types.Property(outputs, view=types.View(label=f"Loupe: {self.label}"))

    def resolve_run_name(self, ctx: Any) -> str:
        return f"Loupe: {self.label}"

    def resolve_execution_options(self, ctx: Any) -> ExecutionOptions:
        # FiftyOne offers "Schedule" only for orchestrators that it knows, and the open-source edition knows none: ours
        # are the workers that are alive
        options = ExecutionOptions(allow_immediate_execution=True, allow_delegated_execution=self.background)
        if self.background:
            from loupe.brain.store import jobs

            there: dict[str, set[str]] = {}
            for worker in jobs.workers():
                there.setdefault(worker.name, set()).add(worker.device)
            options.update(
                available_orchestrators=[
                    SimpleNamespace(
                        id=name,
                        instance_id=name,
                        description=f"Loupe worker on {', '.join(sorted(devices))}",
                        available_operators=[],
                    )
                    for name, devices in there.items()
                ]
            )
        return options

    def execute(self, ctx: Any) -> Any:
        if ctx.delegated:
            return dict(self.call(ctx, run.reporter_of_job(ctx)))
        return self._immediately(ctx)

    def _immediately(self, ctx: Any) -> Generator[GeneratedMessage, None, None]:
        work = run.in_thread(lambda progress: self.call(ctx, progress))
        try:
            result: Mapping[str, Any] | None = None
            while result is None:
                try:
                    step = next(work)
                except StopIteration as end:
                    result = end.value
                else:
                    yield ctx.ops.set_progress(label=run.describe(step), progress=run.share(step))
        except GeneratorExit:
            work.close()
            raise
        except (LoupeError, Exception) as error:
            # an exception in the middle of a stream reaches the App as "network error": a message reaches it as it is
            if ctx.prompt_id is None:
                raise
            kind = "warning" if isinstance(error, Stopped) else "error"
            yield ctx.ops.notify(run.explain(error), variant=kind)
            yield Failed(run.explain(error))
            return
        yield ctx.ops.set_progress(label=result["said"], progress=1.0)
        yield from self.after(ctx, result)
        yield ctx.ops.notify(result["said"], variant="success")
        yield Finished(result)


class Finished(GeneratedMessage):
    """Carries a generator's result to the App, which shows it with ``resolve_output``."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        super().__init__(cls=ExecutionResult)
        self.result = dict(result)

    def to_json(self) -> dict[str, Any]:
        return {"type": "SUCCESS", "cls": "ExecutionResult", "body": self.result}


class Failed(GeneratedMessage):
    """Carries an error to the App."""

    def __init__(self, message: str) -> None:
        super().__init__(cls=ExecutionResult)
        self.message = message

    def to_json(self) -> dict[str, Any]:
        return {
            "type": "ERROR",
            "cls": "ExecutionResult",
            "body": {},
            "error": self.message,
            "error_message": self.message,
        }
