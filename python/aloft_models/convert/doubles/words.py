"""Counts of words and TF-IDF: words are cut by skl2onnx's own converter, the rest is doubles."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from onnx import TensorProto

from aloft_models.convert.doubles.builder import Block, Builder, Exactness, Table
from aloft_models.convert.doubles.registry import transforms
from aloft_models.convert.doubles.scalers import row_norm
from aloft_models.convert.failures import NotConvertible

# Logarithms of so many repetitions of a word are numpy's own.
_REPEATED = 1000
_PATTERN = r"(?u)\b\w\w+\b"
# Words as scikit-learn cuts them: two letters or more, of any alphabet.
_WORDS = r"[\p{L}\p{N}_]{2,}"


@transforms("CountVectorizer")
def counts(b: Builder, model: Any, table: Table) -> Table:
    return (_counted(b, model, table),)


@transforms("TfidfVectorizer")
def tf_idf(b: Builder, model: Any, table: Table) -> Table:
    """As rows of few numbers that are not zero, which scikit-learn adds up in order."""
    block = _counted(b, model, table)
    name = block.name
    if model.sublinear_tf:
        most = b.f(float(_REPEATED))
        cut = b.where(b.op("Less", name, most), name, most)
        logs = np.append(0.0, np.log(np.arange(1.0, _REPEATED + 1)) + 1.0)
        known = b.op("Gather", b.f(logs), b.op("Cast", cut, to=TensorProto.INT64), axis=0)
        is_rare = b.op("Less", name, most)
        beyond = b.add(b.op("Log", b.where(is_rare, most, name)), b.f(1.0))
        name = b.where(is_rare, known, beyond)
    if model.use_idf:
        name = b.mul(name, b.f(model.idf_))
    if model.norm is not None:
        name = b.div(name, row_norm(b, name, model.norm, block.width))
    if model.use_idf or model.norm is not None or model.sublinear_tf:
        b.needs_doubles = True
    return (Block(name, block.width, Exactness.EXACT),)


def _counted(b: Builder, model: Any, table: Table) -> Block:
    if len(table) != 1 or not table[0].is_text or table[0].width != 1:
        raise NotConvertible("words of what is not one column of text")
    if model.analyzer != "word" or model.token_pattern != _PATTERN:
        raise NotConvertible("texts that are cut in another way than into words")
    if any((model.tokenizer, model.preprocessor, model.strip_accents)):
        raise NotConvertible("words with a tokenizer, a preprocessor or without accents")
    if model.stop_words is not None and tuple(model.ngram_range) != (1, 1):
        raise NotConvertible("pairs of words after some were left out")
    graph = _of_words(model)
    names = {graph.input[0].name: table[0].name}
    for one in graph.initializer:
        names[one.name] = b.fresh("c")
        made = copy.deepcopy(one)
        made.name = names[one.name]
        b.constants.append(made)
    for node in graph.node:
        for output in node.output:
            names[output] = b.fresh()
        made = copy.deepcopy(node)
        made.input[:] = [names.get(name, name) for name in node.input]
        made.output[:] = [names[name] for name in node.output]
        b.nodes.append(made)
    name = b.as_double(names[graph.output[0].name])
    if model.binary:
        name = b.as_double(b.op("Greater", name, b.f(0.0)))
    return Block(name, len(model.vocabulary_))


def _of_words(model: Any) -> Any:
    """What counts the words of one column, as a graph."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import StringTensorType
    from sklearn.feature_extraction.text import CountVectorizer

    from aloft_models.convert.estimators import TARGET
    from aloft_models.convert.graph import plain_lowercase

    counter = CountVectorizer(lowercase=model.lowercase, ngram_range=model.ngram_range)
    counter.vocabulary_ = dict(model.vocabulary_)
    counter.fixed_vocabulary_ = True
    made = convert_sklearn(
        counter,
        initial_types=[("text", StringTensorType([None, 1]))],
        target_opset=TARGET,
        options={id(counter): {"tokenexp": _WORDS}},
    )
    plain_lowercase(made)
    if made.graph.output[0].type.tensor_type.elem_type != TensorProto.FLOAT:
        raise NotConvertible("words that are not counted in numbers")
    if np.max(list(model.vocabulary_.values())) + 1 != len(model.vocabulary_):
        raise NotConvertible("a vocabulary with gaps")
    return made.graph
