"""A PyTorch module as a function from named arrays to named arrays."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from aloft_models.convert.failures import NotConvertible
from aloft_models.tensors import Array


class Call:
    """Calls a module with tensors in the order of `inputs`: by keyword where these are names of its
    parameters, else by position. `outputs` are the names that the signature gives its answers."""

    def __init__(self, module: Any, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        self.module = module
        self.inputs = tuple(inputs)
        self._outputs = tuple(outputs)
        self._by_keyword = len(self.inputs) > 1 and set(self.inputs) <= _parameters(module)
        with suppress(NotImplementedError):  # a program that torch.export made has no modes
            module.eval()

    def tensors(self, feeds: Mapping[str, Array]) -> tuple[Any, ...]:
        import torch

        return tuple(torch.from_numpy(np.ascontiguousarray(feeds[name])) for name in self.inputs)

    def named(self, *tensors: Any) -> dict[str, Any]:
        """What the module answers, by name; throws NotConvertible where that is no tensor."""
        return self._ask(self.module, tensors)

    def answer(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Throws NotConvertible too where an output has not a row for each row of the inputs."""
        import torch

        with torch.no_grad():
            found = {
                name: tensor.detach().numpy()
                for name, tensor in self.named(*self.tensors(feeds)).items()
            }
        count = len(next(iter(feeds.values())))
        for name, array in found.items():
            if array.shape[:1] != (count,):
                raise NotConvertible(
                    f"output {name!r} has the shape {list(array.shape)} for {count} rows: "
                    "the model does not answer row by row"
                )
        return found

    def flat(self) -> Any:
        """A module that answers with a tuple of tensors, for exporters. A scripted one is itself:
        it is exported as it stands, and cannot be traced from outside."""
        import torch

        if isinstance(self.module, torch.jit.ScriptModule):
            return self.module
        call = self

        class Flat(torch.nn.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.original = call.module

            def forward(self, *tensors: Any) -> Any:
                return tuple(call._ask(self.original, tensors).values())

        made = Flat()
        with suppress(NotImplementedError):
            made.eval()
        return made

    def _ask(self, module: Any, tensors: tuple[Any, ...]) -> dict[str, Any]:
        if self._by_keyword:
            return self._named(module(**dict(zip(self.inputs, tensors, strict=True))))
        return self._named(module(*tensors))

    def _named(self, answer: Any) -> dict[str, Any]:
        import torch

        if isinstance(answer, Mapping):
            found = {str(name): value for name, value in answer.items() if value is not None}
        elif isinstance(answer, tuple | list):
            names = getattr(answer, "_fields", None) or self._names(len(answer))
            found = dict(zip(names, answer, strict=True))
        else:
            found = {self._names(1)[0]: answer}
        for name, value in found.items():
            if not isinstance(value, torch.Tensor):
                raise NotConvertible(f"the model answers with {type(value).__name__} as {name!r}")
        if not found:
            raise NotConvertible("the model answers with nothing")
        return found

    def _names(self, count: int) -> tuple[str, ...]:
        if len(self._outputs) == count:
            return self._outputs
        return ("output",) if count == 1 else tuple(f"output_{index}" for index in range(count))


def _parameters(module: Any) -> set[str]:
    try:
        return set(inspect.signature(module.forward).parameters)
    except (TypeError, ValueError):  # a scripted module need not tell
        return set()
