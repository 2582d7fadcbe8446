"""A BERT encoder written straight from its weights as an ONNX graph: no deep-learning framework needed.

Devlin et al. 2019 (BERT), Reimers and Gurevych 2019 (mean pooling: Sentence-BERT). The graph uses standard
ONNX operators only, so that any ONNX runtime serves it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Weights = Mapping[str, "np.ndarray[Any, np.dtype[Any]]"]
Array = np.ndarray[Any, np.dtype[np.float32]]

_OPSET = 20  # the first with Gelu as one operator
_IR_VERSION = 10


@dataclass(frozen=True, slots=True)
class BertConfig:
    """The numbers of a checkpoint's config.json that shape the graph."""

    hidden: int
    layers: int
    heads: int
    epsilon: float

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> BertConfig:
        """Raises ValueError for a checkpoint that is not a plain BERT encoder with exact GELU."""
        if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
            kind = f"{config.get('model_type')!r} with {config.get('hidden_act')!r}"
            raise ValueError(f"only BERT encoders with GELU can be exported, this one is {kind}")
        return cls(
            config["hidden_size"],
            config["num_hidden_layers"],
            config["num_attention_heads"],
            config["layer_norm_eps"],
        )


@dataclass(frozen=True, slots=True)
class LinearHead:
    """softmax(weight @ features + bias) on the features that `features` gives for the same layers."""

    weight: Array
    """Shape (classes, hidden * number of layers)."""
    bias: Array
    """Shape (classes,)."""
    layers: tuple[int, ...]
    """The layers whose mean vectors are read; 1 is the first."""


@dataclass(slots=True)
class _Graph:
    """Nodes and weights as they are added; every operator returns the name of its output."""

    given: Weights
    config: BertConfig
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[TensorProto] = field(default_factory=list)

    def weight(self, values: Any) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def linear(self, x: str, weight: Array, bias: Array) -> str:
        """x @ weight.T + bias: checkpoints keep a layer's weight as (out, in)."""
        return self.add("Add", self.add("MatMul", x, self.weight(weight.T)), self.weight(bias))

    def dense(self, name: str, x: str) -> str:
        return self.linear(x, self.given[name + ".weight"], self.given[name + ".bias"])

    def norm(self, name: str, x: str) -> str:
        scale, shift = self.weight(self.given[name + ".weight"]), self.weight(self.given[name + ".bias"])
        return self.add("LayerNormalization", x, scale, shift, axis=-1, epsilon=self.config.epsilon)


def encoder(weights: Weights, config: BertConfig) -> onnx.ModelProto:
    """input_ids, attention_mask (batch, sequence) int64 -> mean-pooled unit embedding (batch, hidden)."""
    graph = _Graph(weights, config)
    pooled = _mean(graph, _layers(graph)[-1])
    graph.add("LpNormalization", pooled, axis=-1, p=2, output="embedding")
    return _model(graph, "embedding", config.hidden)


def features(weights: Weights, config: BertConfig, layers: Sequence[int]) -> onnx.ModelProto:
    """The same inputs -> features (batch, hidden * len(layers)): what a LinearHead is trained on."""
    graph = _Graph(weights, config)
    graph.add("Identity", _features(graph, layers), output="features")
    return _model(graph, "features", config.hidden * len(layers))


def classifier(weights: Weights, config: BertConfig, head: LinearHead) -> onnx.ModelProto:
    """The same inputs -> probabilities (batch, classes)."""
    graph = _Graph(weights, config)
    read = _features(graph, head.layers)
    graph.add("Softmax", graph.linear(read, head.weight, head.bias), axis=-1, output="probabilities")
    return _model(graph, "probabilities", len(head.bias))


def _features(graph: _Graph, layers: Sequence[int]) -> str:
    outputs = _layers(graph)
    return graph.add("Concat", *(_mean(graph, outputs[layer - 1]) for layer in layers), axis=-1)


def _layers(graph: _Graph) -> list[str]:
    """Every layer's token vectors, each (batch, sequence, hidden)."""
    x = _tokens(graph)
    bias = _attention_bias(graph)
    outputs = []
    for layer in range(graph.config.layers):
        x = _layer(graph, f"encoder.layer.{layer}.", x, bias)
        outputs.append(x)
    return outputs


def _tokens(graph: _Graph) -> str:
    """Word plus position plus segment embedding, normalised. One segment only, so it joins the positions."""
    positions = graph.given["embeddings.position_embeddings.weight"]
    segment = graph.given["embeddings.token_type_embeddings.weight"][0]
    table = graph.weight(graph.given["embeddings.word_embeddings.weight"])
    words = graph.add("Gather", table, "input_ids", axis=0)
    length = graph.add("Shape", "input_ids", start=1, end=2)
    zero, axis = graph.weight(np.array([0])), graph.weight(np.array([0]))
    places = graph.add("Slice", graph.weight(positions + segment), zero, length, axis)
    return graph.norm("embeddings.LayerNorm", graph.add("Add", words, places))


def _attention_bias(graph: _Graph) -> str:
    """0 for a token and a large negative number for padding: (batch, 1, 1, sequence)."""
    mask = graph.add("Cast", "attention_mask", to=TensorProto.FLOAT)
    spread = graph.add("Unsqueeze", mask, graph.weight(np.array([1, 2])))
    hidden = graph.add("Sub", graph.weight(np.float32(1)), spread)
    return graph.add("Mul", hidden, graph.weight(np.float32(-10000)))


def _layer(graph: _Graph, name: str, x: str, bias: str) -> str:
    attended = graph.dense(name + "attention.output.dense", _attention(graph, name, x, bias))
    x = graph.norm(name + "attention.output.LayerNorm", graph.add("Add", attended, x))
    wide = graph.add("Gelu", graph.dense(name + "intermediate.dense", x))
    narrow = graph.dense(name + "output.dense", wide)
    return graph.norm(name + "output.LayerNorm", graph.add("Add", narrow, x))


def _attention(graph: _Graph, name: str, x: str, bias: str) -> str:
    """Scaled dot-product attention of all heads."""
    size = graph.config.hidden // graph.config.heads
    heads = graph.weight(np.array([0, 0, 3, graph.config.heads, size]))
    joined = graph.add("Reshape", _query_key_value(graph, name, x, size), heads)
    query, key, value = (
        graph.add("Gather", joined, graph.weight(np.array(part)), axis=2) for part in range(3)
    )
    query = graph.add("Transpose", query, perm=[0, 2, 1, 3])
    key = graph.add("Transpose", key, perm=[0, 2, 3, 1])
    value = graph.add("Transpose", value, perm=[0, 2, 1, 3])
    scores = graph.add("Add", graph.add("MatMul", query, key), bias)
    mixed = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), value)
    together = graph.add("Transpose", mixed, perm=[0, 2, 1, 3])
    return graph.add("Reshape", together, graph.weight(np.array([0, 0, graph.config.hidden])))


def _query_key_value(graph: _Graph, name: str, x: str, size: int) -> str:
    """One matrix product for all three, with the scale 1 / sqrt(size) folded into the queries' weights."""
    parts = [f"{name}attention.self.{part}" for part in ("query", "key", "value")]
    weight = np.concatenate([graph.given[part + ".weight"] for part in parts])
    bias = np.concatenate([graph.given[part + ".bias"] for part in parts])
    weight[: graph.config.hidden] *= np.float32(size**-0.5)
    bias[: graph.config.hidden] *= np.float32(size**-0.5)
    return graph.linear(x, weight, bias)


def _mean(graph: _Graph, x: str) -> str:
    """The mean over the tokens that are not padding. Every text has [CLS], so none is empty."""
    axis = graph.weight(np.array([1]))
    mask = graph.add("Unsqueeze", graph.add("Cast", "attention_mask", to=TensorProto.FLOAT), axis)
    total = graph.add("Squeeze", graph.add("MatMul", mask, x), axis)
    return graph.add("Div", total, graph.add("ReduceSum", mask, graph.weight(np.array([2])), keepdims=0))


def _model(graph: _Graph, output: str, width: int) -> onnx.ModelProto:
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
        for name in ("input_ids", "attention_mask")
    ]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", width])]
    proto = helper.make_graph(graph.nodes, "clary", inputs, outputs, graph.weights)
    opset = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(proto, opset_imports=opset, ir_version=_IR_VERSION, producer_name="clary")
    onnx.checker.check_model(model)
    return model
