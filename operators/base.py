"""What every operator of Loupe has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import fiftyone.operators as foo
from fiftyone.operators import types
from fiftyone.operators.executor import ExecutionOptions, ExecutionResult
from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core import interrupts
from loupe.brain.core.errors import InputError, Stopped
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.routing import NEEDS
from loupe.brain.worker import asked
from loupe.operators import appearance, dialog, forms, letters, run, scheduling, signature, wording
from loupe.operators.engine_widget import ENGINE, ENGINES, is_offered
from loupe.operators.forms import Form, problem
from loupe.operators.signature import Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Widget, widget_for

#: how to ask for what several verbs take
_EVERYWHERE = {ENGINE: ENGINES}


class LoupeOperator(foo.Operator, ABC):
    """Base of the operators.

    The first line of its docstring is its description in the App.

    Attributes:
        verb: the operator's name, the same as its verb's and its file's
        label, icon: how the App shows it
        button: what its button says
        background: whether it may be delegated to a worker
    """

    verb: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str]
    button: ClassVar[str] = "Run"
    background: ClassVar[bool] = True

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name=self.verb,
            label=f"Loupe: {self.label}",
            description=(type(self).__doc__ or "").strip().splitlines()[0].rstrip("."),
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
    def call(self, ctx: Any, progress: ProgressCallback) -> Summary:
        """Does the work, and returns what came of it."""

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        """Yields what the App is to do at the end."""
        yield ctx.ops.reload_dataset()

    def resolve_input(self, ctx: Any) -> types.Property:
        if _in_app(ctx) and not _is_asked_for(ctx):
            # as it runs, FiftyOne asks for the form once more and ends with an error, that the App shows nowhere, where
            # it does not fit any more: it is looked at in execute, or by the worker, and that is shown
            inputs = types.Object()
        else:
            inputs = forms.as_shown(ctx, lambda: letters.written(self._inputs(ctx)))
        return types.Property(
            inputs, view=types.PromptView(label=f"Loupe: {self.label}", submit_button_label=self.button)
        )

    def _inputs(self, ctx: Any) -> types.Object:
        """Returns the form; what keeps it from being run is an invalid input of it."""
        inputs = types.Object()
        try:
            if ctx.dataset is None:
                problem(inputs, "dataset", "No dataset is open", "Open a dataset first.")
            else:
                from loupe.brain.store.datasets import refresh

                refresh(ctx.dataset)
                with wording.inputs_of(self.verb):
                    self.form(ctx, inputs)
                if self.background and not _workers():
                    forms.ask_for_worker(inputs)
        except Exception as error:
            problem(inputs, "error", "This cannot be run", run.explain(error))
        return inputs

    def _checked_call(self, ctx: Any, progress: ProgressCallback) -> Summary:
        """Does the work where the form still fits: what it asks for may have changed while it was open.

        Raises:
            InputError: it does not fit any more
        """
        if _in_app(ctx):
            forms.require_valid(self._inputs(ctx))
        return self.call(ctx, progress)

    def resolve_output(self, ctx: Any) -> types.Property:
        outputs = types.Object()
        # of a run in the App the dialog of its progress shows the result, too
        if not _in_app(ctx):
            outputs.str("summary", view=types.MarkdownView())
        return types.Property(outputs, view=types.View(label=f"Loupe: {self.label}"))

    def resolve_run_name(self, ctx: Any) -> str:
        # FiftyOne asks for it as it schedules a run, right before it keeps these parameters
        ctx.request_params[NEEDS] = scheduling.needs(ctx.params).to_dict()
        return f"Loupe: {self.label}"

    def resolve_execution_options(self, ctx: Any) -> ExecutionOptions:
        options = ExecutionOptions(allow_immediate_execution=True, allow_delegated_execution=self.background)
        if self.background:
            options.update(available_orchestrators=scheduling.offered(_workers()))
        return options

    def execute(self, ctx: Any) -> Any:
        if ctx.delegated:
            with interrupts.asking(asked.within):
                return self.call(ctx, run.reporter_of_job(ctx)).to_dict()
        return self._immediately(ctx)

    def _immediately(self, ctx: Any) -> Generator[GeneratedMessage, None, None]:
        label = f"Loupe: {self.label}"
        pace = run.Pace()
        in_app = _in_app(ctx)
        with run.stoppable() as stop:
            work = run.in_thread(lambda progress: self._checked_call(ctx, progress), stop)
            try:
                shown = appearance.stored(ctx) if in_app else {}
                done: Summary | None = None
                while done is None:
                    try:
                        step = next(work)
                    except StopIteration as end:
                        done = end.value
                    else:
                        yield dialog.progress(ctx, label, pace.words(step), run.share(step), stop)
                yield from self.after(ctx, done)
                if in_app:
                    changed = appearance.stored(ctx)
                    yield from appearance.show(ctx, shown, changed)
                    done = replace(done, reload=appearance.needs_reload(shown, changed))
            except GeneratorExit:
                work.close()
                raise
            except Exception as error:
                # an exception in the middle of a stream reaches the App as "network error", or not at all
                if not in_app:
                    raise
                with wording.inputs_of(self.verb):
                    message = run.explain(error)
                if isinstance(error, Stopped):
                    yield ctx.ops.reload_dataset()
                yield dialog.failed(ctx, label, error, message)
                yield Failed(message)
                return
        yield dialog.finished(ctx, label, done)
        yield Finished(done.to_dict())


def _workers() -> list[Any]:
    """Returns the workers that are alive."""
    from loupe.brain.store import jobs

    return list(jobs.workers())


def _in_app(ctx: Any) -> bool:
    """Returns whether the App runs it and waits for its messages.

    Only what the App's server was asked for by itself has an operator's address in it; that of a form, ``prompt_id``,
    is not sent along as the operator runs.
    """
    return "operator_uri" in ctx.request_params and not ctx.delegated


def _is_asked_for(ctx: Any) -> bool:
    """Returns whether the App wants to see a form or a result, and does not run the operator."""
    return "target" in ctx.request_params


class VerbOperator(LoupeOperator):
    """An operator that calls the verb of its name; its form comes from the verb's signature and docstring.

    Attributes:
        widgets: how to ask for a parameter, where an input of its kind is not what helps a person
        hidden: the parameters that the form does not ask for, and why
        settings: the parameters that it asks for only where somebody wants to see the settings
        own: what the form asks for beside the verb's parameters
    """

    widgets: ClassVar[Mapping[str, Widget]] = {}
    hidden: ClassVar[Mapping[str, str]] = {}
    settings: ClassVar[tuple[str, ...]] = ()
    own: ClassVar[tuple[Parameter, ...]] = ()

    @abstractmethod
    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        """Says what came of it.

        Args:
            form: as it was filled
            given: what the verb was called with beside the samples, as far as it was not its default
            result: what the verb returned
        """

    def shows(self, form: Form, name: str) -> bool:
        """Returns whether a parameter is asked for now; what is not has the verb's default."""
        return True

    def remark(self, form: Form) -> None:
        """Adds notes and problems at the end of the form."""

    def function(self) -> Callable[..., Any]:
        """Returns the verb."""
        from loupe.brain import api

        verb: Callable[..., Any] = getattr(api, self.verb)
        return verb

    def form(self, ctx: Any, inputs: types.Object) -> None:
        on_samples = signature.takes_view(self.function())
        form = Form(ctx, forms.target(ctx, inputs, self.button) if on_samples else ctx.dataset, inputs)
        asked = list(self.asked(form))
        for parameter, widget in asked:
            if parameter.name not in self.settings:
                widget.ask(form, parameter)
        some_seldom = any(parameter.name in self.settings for parameter, _ in asked)
        if some_seldom:
            inputs.bool(
                "settings",
                label="Show settings",
                description="What seldom needs another value",
                default=False,
                view=types.SwitchView(),
            )
        if some_seldom and form.params.get("settings"):
            for parameter, widget in asked:
                if parameter.name in self.settings:
                    widget.ask(form, parameter)
            for parameter, widget in asked:
                widget.ask_settings(form, parameter)
        self.remark(form)

    def asked(self, form: Form) -> Iterator[tuple[Parameter, Widget]]:
        """Yields each parameter that is asked for now, with its widget; those of its own come last.

        Raises:
            TypeError: no input fits a parameter, and the operator neither says how to ask for it nor hides it
        """
        parameters = signature.of_verb(self.function())
        for parameter in [*parameters.values(), *self.own]:
            if parameter.name in self.hidden or not self.shows(form, parameter.name):
                continue
            if parameter.name == ENGINE and not is_offered():
                continue
            widget = self.widgets.get(parameter.name) or _EVERYWHERE.get(parameter.name) or widget_for(parameter)
            if widget is None:
                raise TypeError(
                    f"expected a widget for {self.verb}({parameter.name}: {parameter.kind}), got none: add one to "
                    "'widgets', or a reason to 'hidden'"
                )
            yield parameter, widget

    def arguments(self, form: Form) -> dict[str, Any]:
        """Returns what to call the verb with: whatever was given and is not the verb's own default.

        Raises:
            InputError: a value does not fit, or one that is needed was left empty
        """
        given = {}
        for parameter, widget in self.asked(form):
            value = widget.read(form, parameter)
            if value is signature.REQUIRED:
                raise InputError(f"{parameter.label}: expected a value, got nothing")
            if value != parameter.default and parameter not in self.own:
                given[parameter.name] = value
        return given

    def value(self, form: Form, name: str) -> Any:
        """Returns one value of the form, the default where it was left empty; raises as ``arguments`` does."""
        return next(widget.read(form, parameter) for parameter, widget in self.asked(form) if parameter.name == name)

    def call(self, ctx: Any, progress: ProgressCallback) -> Summary:
        verb = self.function()
        on_samples = signature.takes_view(verb)
        form = Form(ctx, ctx.target_view() if on_samples else ctx.dataset)
        given = self.arguments(form)
        reporting = {"progress": progress} if signature.reports_progress(verb) else {}
        return self.summarize(form, given, verb(form.samples, **given, **reporting))


class Finished(GeneratedMessage):
    """Carries a generator's result to whoever called it."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        super().__init__(cls=ExecutionResult)
        self.result = dict(result)

    def to_json(self) -> dict[str, Any]:
        return {"type": "SUCCESS", "cls": "ExecutionResult", "body": self.result}


class Failed(GeneratedMessage):
    """Carries an error to whoever called it.

    The App would say "Operation failed" to an ``error``, without the reason, beside the dialog that has it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(cls=ExecutionResult)
        self.message = message

    def to_json(self) -> dict[str, Any]:
        return {
            "type": "ERROR",
            "cls": "ExecutionResult",
            "body": {},
            "error": None,
            "error_message": self.message,
        }
