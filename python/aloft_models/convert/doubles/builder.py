"""A graph that grows node by node, and the columns that go through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from aloft_models.convert.failures import NotConvertible

ML = "ai.onnx.ml"


class Exactness(IntEnum):
    """How near a number is to the one that the original computes. The larger, the farther."""

    # What the caller sent, or a small whole number.
    SENT = 0
    # Computed as the original does: each operation rounds alike.
    EXACT = 1
    # Sums in another order, or functions that are not rounded alike: the last bits may differ.
    ROUNDED = 2
    # Computed with 32-bit floats.
    ROUGH = 3
    # The original itself computes with 32-bit floats: its roundings are its own.
    NOISY = 4


@dataclass(frozen=True)
class Block:
    """A tensor [rows, width] of doubles, or of texts, or of 32-bit floats where the original has
    them as such: it was fitted on them."""

    name: str
    width: int
    exactness: Exactness = Exactness.SENT
    is_text: bool = False
    is_single: bool = False

    def as_(self, exactness: Exactness) -> Block:
        return replace(self, exactness=exactness)


Table = tuple[Block, ...]


@dataclass(frozen=True)
class Classified:
    """What a classifier answers: places in `classes` [rows], and numbers [rows, columns]."""

    index: str
    exactness: Exactness
    probabilities: str | None = None
    # [rows, 1] for two classes.
    decision: str | None = None


def width(table: Table) -> int:
    return sum(block.width for block in table)


class Builder:
    """`needs_doubles` becomes true with the first number that 32 bits would change,
    `splits_computed` where something splits numbers that were computed."""

    def __init__(self, taken: Sequence[str]) -> None:
        self._taken = set(taken)
        self._count = 0
        self._known: dict[Any, str] = {}
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.needs_doubles = False
        self.splits_computed = False
        self.missing_text: Any = None

    def fresh(self, stem: str = "v") -> str:
        while True:
            self._count += 1
            name = f"{stem}{self._count}"
            if name not in self._taken:
                return name

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        return self.ops(kind, inputs, 1, domain=domain, **attributes)[0]

    def ops(
        self, kind: str, inputs: Sequence[str], count: int, domain: str = "", **attributes: Any
    ) -> list[str]:
        outputs = [self.fresh() for _ in range(count)]
        self.nodes.append(
            helper.make_node(kind, list(inputs), outputs, domain=domain, **attributes)
        )
        return outputs

    def constant(self, values: Any) -> str:
        array = np.asarray(values)
        if array.dtype.kind in "OU":
            key: Any = ("text", array.shape, tuple(array.ravel().tolist()))
        else:
            key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            name = self.fresh("c")
            if array.dtype.kind in "OU":
                texts = [str(one).encode() for one in array.ravel()]
                tensor = helper.make_tensor(name, TensorProto.STRING, list(array.shape), texts)
            else:
                tensor = numpy_helper.from_array(array, name)
            self.constants.append(tensor)
            self._known[key] = name
        return self._known[key]

    def f(self, values: Any) -> str:
        """Doubles."""
        return self.constant(np.asarray(values, dtype=np.float64))

    def i(self, *values: int) -> str:
        return self.constant(np.asarray(values, dtype=np.int64))

    # Arithmetic

    def add(self, left: str, right: str) -> str:
        return self.op("Add", left, right)

    def sub(self, left: str, right: str) -> str:
        return self.op("Sub", left, right)

    def mul(self, left: str, right: str) -> str:
        return self.op("Mul", left, right)

    def div(self, left: str, right: str) -> str:
        return self.op("Div", left, right)

    def product(self, rows: str, matrix: Any) -> str:
        return self.op("MatMul", rows, self.f(matrix))

    def where(self, condition: str, yes: str, no: str) -> str:
        return self.op("Where", condition, yes, no)

    def sum(self, rows: str) -> str:
        """[rows, 1]"""
        return self.op("ReduceSum", rows, self.i(1), keepdims=1)

    def sum_in_order(self, rows: str, width: int) -> str:
        """[rows, 1], added up from left to right."""
        return self.column(self.op("CumSum", rows, self.constant(np.int64(1))), width - 1)

    def largest(self, rows: str) -> str:
        return self.op("ReduceMax", rows, self.i(1), keepdims=1)

    def as_double(self, name: str) -> str:
        return self.op("Cast", name, to=TensorProto.DOUBLE)

    def as_index(self, truth: str) -> str:
        """Of [rows, 1] booleans."""
        return self.flat(self.op("Cast", truth, to=TensorProto.INT64))

    def flat(self, name: str) -> str:
        return self.op("Reshape", name, self.i(-1))

    def upright(self, name: str) -> str:
        """[rows, 1]"""
        return self.op("Reshape", name, self.i(-1, 1))

    def argmax(self, rows: str) -> str:
        return self.op("ArgMax", rows, axis=1, keepdims=0)

    def beside(self, names: Sequence[str]) -> str:
        return names[0] if len(names) == 1 else self.op("Concat", *names, axis=1)

    def column(self, rows: str, place: int) -> str:
        """[rows, 1]"""
        return self.op("Gather", rows, self.i(place), axis=1)

    def columns(self, rows: str, places: Sequence[int]) -> str:
        return self.op("Gather", rows, self.i(*places), axis=1)

    def softmax(self, rows: str) -> str:
        return self.op("Softmax", rows, axis=1)

    # Tables

    def pick(self, table: Table, places: Sequence[int]) -> Table:
        """Some columns of a table, neighbours in one block together."""
        where = [(at, inner) for at, block in enumerate(table) for inner in range(block.width)]
        runs: list[tuple[int, list[int]]] = []
        for place in places:
            at, inner = where[place]
            if runs and runs[-1][0] == at:
                runs[-1][1].append(inner)
            else:
                runs.append((at, [inner]))
        made = []
        for at, inner_places in runs:
            block = table[at]
            if inner_places == list(range(block.width)):
                made.append(block)
            else:
                name = self.columns(block.name, inner_places)
                made.append(replace(block, name=name, width=len(inner_places)))
        return tuple(made)

    def join(self, table: Table) -> Block:
        """One block of numbers; of doubles where one of them is."""
        if any(block.is_text for block in table):
            raise NotConvertible("numbers are computed from a text column")
        if len(table) == 1:
            return table[0]
        is_single = all(block.is_single for block in table)
        names = [block.name if is_single else self.wide(block).name for block in table]
        worst = max((one.exactness for one in table), default=Exactness.SENT)
        return Block(self.beside(names), width(table), worst, is_single=is_single)

    def wide(self, block: Block) -> Block:
        """The same numbers as doubles."""
        if not block.is_single:
            return block
        return replace(block, name=self.as_double(block.name), is_single=False)

    def real(self, table: Table) -> Block:
        """One block of doubles to compute with."""
        self.needs_doubles = True
        block = self.join(table)
        if block.exactness >= Exactness.NOISY:
            raise NotConvertible("the original computes again and again with 32-bit floats")
        return self.wide(block).as_(Exactness.NOISY) if block.is_single else block

    def split(self, table: Table, what: str) -> Block:
        """One block that is compared as doubles: its numbers must be the original's, to the bit."""
        self.needs_doubles = True
        block = self.wide(self.join(table))
        self._refuse_rounded(block, what)
        self.splits_computed |= block.exactness > Exactness.SENT
        return block

    def cast_split(self, table: Table, what: str) -> str:
        """One tensor of 32-bit floats that is compared: the original casts as well."""
        block = self.join(table)
        self._refuse_rounded(block, what)
        if block.exactness > Exactness.SENT:
            self.needs_doubles = self.splits_computed = True
        if block.is_single:
            return block.name
        return self.op("Cast", block.name, to=TensorProto.FLOAT)

    def _refuse_rounded(self, block: Block, what: str) -> None:
        if block.exactness >= Exactness.ROUNDED:
            raise NotConvertible(
                f"{what} splits computed numbers whose last bits are not the original's"
            )

    def labels(self, index: str, classes: Any) -> str:
        """[rows], from places in `classes`."""
        values = np.asarray(classes)
        if values.dtype.kind in "biu":
            return self.op("Gather", self.constant(values.astype(np.int64)), index, axis=0)
        if values.dtype.kind == "f":
            return self.op("Gather", self.f(values), index, axis=0)
        if not all(isinstance(value, str) for value in values.tolist()):
            raise NotConvertible("labels that are neither numbers nor texts")
        return self.op("Gather", self.constant(values.astype(object)), index, axis=0)

    def used(self, outputs: Sequence[str]) -> None:
        """Leaves out nodes and constants that no output needs."""
        wanted = set(outputs)
        kept = []
        for node in reversed(self.nodes):
            if wanted & set(node.output):
                wanted.update(node.input)
                for attribute in node.attribute:
                    if attribute.HasField("g"):
                        for inner in attribute.g.node:
                            wanted.update(inner.input)
                kept.append(node)
        self.nodes = kept[::-1]
        self.constants = [one for one in self.constants if one.name in wanted]
