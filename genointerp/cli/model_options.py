"""The options by which a command loads a model, the same for every command that does."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from genointerp.model.protocol import DnaModel
    from genointerp.reading.model_choice import RecordedModel
    from genointerp.reading.parallel import LoadModel


@dataclass(frozen=True)
class ModelChoice:
    """A model, and how it is to be loaded, as the options of a command say.

    Parameters
    ----------
    name
        As ``load_model`` takes it; None for the model that files were made with.
    device
        Where it runs.
    options
        The other arguments of ``load_model``.
    """

    name: str | None
    device: str
    options: dict[str, Any]

    def load_or_recorded(self) -> "DnaModel | RecordedModel":
        """Load the model; where none is named, it is that which the files were made with."""
        from genointerp.reading.model_choice import RecordedModel

        if self.name is not None:
            return self.load()
        given = {key: value for key, value in self.options.items() if value not in (None, False)}
        return RecordedModel({"device": self.device, **given})

    def loader(self, *, up_to: str | None = None) -> "LoadModel":
        """Return what loads the model on a device; without the blocks above a site, if given."""
        from genointerp.model.registry import load_model

        assert self.name is not None
        return functools.partial(load_model, self.name, up_to=up_to, **self.options)

    def load(self) -> "DnaModel":
        """Load the model."""
        return self.loader()(device=self.device)


def _option(*names: str, help: str) -> Any:  # noqa: ANN401 - as typer has it
    return typer.Option(*names, help=help, rich_help_panel="Model")


def _options(
    model: Annotated[
        str | None,
        _option(help="name (see `genointerp models`), folder, or hub repository owner/name"),
    ] = "nano",
    checkpoint: Annotated[Path | None, _option(help="local weights, instead of a download")] = None,
    revision: Annotated[
        str | None, _option(help="branch, tag or commit of the hub repository")
    ] = None,
    trust_remote_code: Annotated[
        bool, _option("--trust-remote-code", help="allow Python code of the repository to run")
    ] = False,
    dtype: Annotated[
        Literal["float32", "bfloat16", "float16"] | None,
        _option(help="dtype of the weights; by default as fits model and device"),
    ] = None,
    attention: Annotated[
        str | None,
        _option(
            help="attention kernel: sdpa, flash_attention_2, _3 or _4; by default the best here"
        ),
    ] = None,
    require_flash: Annotated[
        bool, _option("--require-flash", help="stop unless a flash attention kernel is used")
    ] = False,
    device: Annotated[
        str,
        _option(
            help="cpu, cuda; cuda:0,cuda:1 or auto spread a model that reads, and trains nothing"
        ),
    ] = "cpu",
    random_weights: Annotated[
        int | None,
        _option(help="draw random weights with this seed instead, as a control"),
    ] = None,
    of_parent: Annotated[
        bool,
        _option(
            "--of-parent",
            help="let an edited or tuned model be read with dictionaries of its parent",
        ),
    ] = False,
) -> ModelChoice:
    options = {
        "checkpoint": checkpoint,
        "revision": revision,
        "trust_remote_code": trust_remote_code,
        "dtype": dtype,
        "attention": attention,
        "require_flash": require_flash,
        "random_weights": random_weights,
        "of_parent": of_parent,
    }
    return ModelChoice(model, device, options)


_NAME = "name (see `genointerp models`), folder, or hub repository owner/name"
_RECORDED = Annotated[
    str | None, _option(help=f"{_NAME}; by default what the files were made with")
]
_ARGUMENT = Annotated[str, typer.Argument(help=f"model: {_NAME}", show_default=False)]
_Named = Literal["option", "argument", "recorded"]


def with_model_options(
    command: Callable[..., None], *, named: _Named = "option"
) -> Callable[..., None]:
    """Give a command the options of a model in place of its parameter ``model``.

    Parameters
    ----------
    named
        How the model is named: by ``--model``, which is nano by default; by an argument, of a
        command that is about the model; or not at all if the files of the command say which it is
        (``recorded``).
    """
    added = dict(inspect.signature(_options).parameters)
    if named == "recorded":
        added["model"] = added["model"].replace(default=None, annotation=_RECORDED)
    if named == "argument":
        none = inspect.Parameter.empty
        added["model"] = added["model"].replace(default=none, annotation=_ARGUMENT)
    own = inspect.signature(command).parameters

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:  # noqa: ANN401 - what the command line holds
        choice = _options(**{name: values.pop(name) for name in added})
        command(model=choice, **values)

    before = [*own].index("model")
    parameters = [*own.values()]
    parameters[before : before + 1] = added.values()
    keywords = [it.replace(kind=inspect.Parameter.KEYWORD_ONLY) for it in parameters]
    # typer reads names and order from the one and types from the other
    wrapper.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {it.name: it.annotation for it in keywords}
    return wrapper


with_recorded_model = functools.partial(with_model_options, named="recorded")
"""For a command whose files say which model they were made with."""

with_model_argument = functools.partial(with_model_options, named="argument")
"""For a command that is about a model."""
