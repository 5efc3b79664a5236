"""Exported judges send the requests and give the verdicts of `blpo judge`; the target libraries accept the files."""

import ast
import asyncio
import hashlib
import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import OpenAIError
from PIL import Image

import blpo
from blpo.cli.main import main
from blpo.data.image_sources import FileImage
from blpo.reports.exports.judge_module import DOORS, Door, judge_module
from blpo.reports.exports.literals import literal
from blpo.runs.judge_file import JudgeFile
from state.errors import ConfigError
from state.sample import Sample
from state.settings import FurtherColumn, ModelSettings, TaskSettings
from tests.servers.chat_server import ChatServer, Fault, Messages

HOSTILE = (
    "\"\"\" + exit() + '''\\\n{{label_form}} {{ 7 * 7 }} {%x%} {0} ${KEY} \u2028 \u202e \U0001f600 é\r\n\t<text>\\"
)
RATING = TaskSettings()
KINDS = TaskSettings(kind="categorical", labels=("na'tural", 'arti"""ficial {{place}}', "\u2028both\\"))
PLAIN = "Rate how real the image looks."
KEY = "sk-exports-0123456789"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    for name in ("MLFLOW_DISABLE_TELEMETRY", "MLFLOW_ALLOW_FILE_STORE"):
        monkeypatch.setenv(name, "true")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw an image for every kind of preparation, and a file without an image."""
    folder = tmp_path_factory.mktemp("images")
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    picture = Image.fromarray(noise)
    turned = Image.Exif()
    turned[0x0112] = 6
    picture.save(folder / "plain.png")
    picture.save(folder / "turned.jpg", exif=turned, comment=b"where it was taken")
    picture.convert("RGBA").save(folder / "clear.webp", lossless=True)
    picture.resize((700, 600)).save(folder / "large.jpg")
    Image.fromarray(noise[..., 0].astype(np.uint16) * 257).save(folder / "deep.png")
    (folder / "zz_none.png").write_bytes(b"no image")
    return folder


def load(source: str, folder: Path) -> ModuleType:
    path = folder / f"exported_{hashlib.sha256(source.encode()).hexdigest()[:12]}.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def exported(judge: JudgeFile, folder: Path, door: Door = "python") -> ModuleType:
    return load(judge_module(judge, door, HOSTILE), folder)


def judge_of(url: str, task: TaskSettings = RATING, prompt: str = PLAIN, **model: Any) -> JudgeFile:
    served = ModelSettings(name="vllm:org/judge", base_url=url, **{"max_retries": 0, **model})
    return JudgeFile(judge_prompt=prompt, task=task, model=served)


def moody(task: TaskSettings) -> Callable[[Messages], str]:
    """Replies of all kinds, by the conversation."""
    first, last = task.values[0], task.values[-1]
    replies = [
        json.dumps({"reason": "sharp", "label": first}),
        f"<think>{first}?</think> Here: " + json.dumps({"Reason": "x", "LABEL": str(last)}) + " done",
        f"Rating: {last}",
        "I am not sure at all",
        "",
        json.dumps({"reason": "far off", "label": 97}),
    ]

    def answer(messages: Messages) -> str:
        return replies[int(hashlib.sha256(json.dumps(messages).encode()).hexdigest(), 16) % len(replies)]

    return answer


async def ours(judge: JudgeFile, items: list[tuple[tuple[Path, ...], str | None]]) -> list[dict[str, Any]]:
    """Return the verdicts of `blpo judge`, in the order of the items."""
    answers = []
    for number, (paths, text) in enumerate(items):
        sample = Sample(str(number), tuple(FileImage(str(path), str(path)) for path in paths), None, text)
        (verdict,) = await blpo.Judge(judge)([sample])
        content = {"status": verdict.status, "label": verdict.label, "reason": verdict.reason}
        answers.append({**content, **({"scores": {str(k): p for k, p in verdict.scores}} if verdict.scores else {})})
    return answers


async def theirs(module: ModuleType, items: list[tuple[tuple[Path, ...], str | None]]) -> list[dict[str, Any]]:
    return [await asyncio.to_thread(module.judge, *paths, text=text) for paths, text in items]


def logprobs_of(label: str) -> dict[str, Any]:
    alternatives = [{"token": "1", "logprob": -0.1}, {"token": "5", "logprob": -2.0}]
    tokens = [('{"label": ', []), (label, alternatives), ("}", [])]
    return {"content": [{"token": token, "logprob": 0.0, "top_logprobs": others} for token, others in tokens]}


@pytest.mark.parametrize(
    ("task", "prompt", "settings", "choice"),
    [
        (RATING, PLAIN, {}, {}),
        (KINDS, HOSTILE, {"part_order": "rubric_first", "max_tokens": 99, "max_pixels": 5000}, {}),
        (RATING, HOSTILE, {"logprobs": True, "structured_output": "choice"}, {"logprobs": logprobs_of("1")}),
        (
            TaskSettings(min=0, max=500),
            PLAIN,
            {"temperature": None, "reasoning_effort": "low", "structured_output": False, "max_side": 40},
            {},
        ),
    ],
    ids=["plain", "hostile", "scores", "free"],
)
async def test_it_asks_what_we_ask_and_answers_what_we_answer(
    images: Path, tmp_path: Path, task: TaskSettings, prompt: str, settings: dict[str, Any], choice: dict[str, Any]
) -> None:
    files = sorted(images.iterdir())
    items: list[tuple[tuple[Path, ...], str | None]] = [((file,), None) for file in files]
    items += [((files[0],), f"a </text> {HOSTILE} {number}") for number in range(6)] + [((files[0], files[1]), "two")]
    async with ChatServer(answer=moody(task), choice=choice) as server:
        judge = judge_of(f"{server.base_url}/?api-version=1", task, prompt, **settings)
        expected = await ours(judge, items)
        requests, target, server.requests = server.requests, server.target, []
        assert await theirs(exported(judge, tmp_path), items) == expected
        assert server.target == target
        assert server.headers["authorization"] == f"Bearer {KEY}"
    assert json.dumps(server.requests, sort_keys=True) == json.dumps(requests, sort_keys=True)
    schemas = [[json.dumps(r.get("response_format")) for r in bodies] for bodies in (server.requests, requests)]
    assert schemas[0] == schemas[1]  # the order of a schema's properties matters too
    assert len(requests) > len(items) - 1, "something was repaired"
    assert {verdict["status"] for verdict in expected} == {"ok", "unparseable", "error"}


@pytest.mark.parametrize(
    ("names", "further"), [((), None), (("front", "side"), None), ((), ("reference", "reference_text"))]
)
async def test_several_images_are_asked_about_as_we_ask(
    images: Path, tmp_path: Path, names: tuple[str, ...], further: tuple[FurtherColumn, ...] | None
) -> None:
    files = sorted(images.iterdir())
    counts = (2,) if names else (1, 2, 4)
    samples = [
        Sample("x", tuple(FileImage(str(f), str(f)) for f in files[:count]), None, text, reference_text=text and "y")
        for count in counts
        for text in (None, "a </text> cat")
    ]
    async with ChatServer(answer=lambda _: '{"reason": "calm", "label": 4}') as server:
        judge = judge_of(server.base_url).model_copy(update={"image_names": names, "further_columns": further})
        reference = FileImage(str(files[0]), "reference")
        compared = [replace(each, context=(("reference", reference),)) for each in samples]
        shown = compared if further else [replace(each, reference_text=None) for each in samples]
        expected = await blpo.Judge(judge)(shown)
        requests, server.requests = server.requests, []
        module = exported(judge, tmp_path)
        for sample in shown:
            others = {"reference": files[0], "reference_text": sample.reference_text} if further else {}
            paths = [source.name for source in sample.images]
            answer = await asyncio.to_thread(module.judge, *paths, text=sample.text, **others)
            assert answer == {"status": "ok", "label": 4, "reason": "calm"}
    assert {verdict.label for verdict in expected} == {4}
    sent, ours_sent = (sorted(json.dumps(r, sort_keys=True) for r in each) for each in (server.requests, requests))
    assert sent == ours_sent
    if names:
        assert module.judge(files[0])["reason"] == "has 1 image, and data.image_names names 2"
        evaluator = exported(judge, tmp_path, "langsmith")
        assert evaluator.images_in({"images": ["a.png", "b.png"]}) == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault(body="refusal"), "refused"),
        (Fault(body="html"), "error"),
        (Fault(body="no_choices"), "error"),
        (Fault(body="dropped"), "error"),
        (Fault(body="empty"), "unparseable"),
        (Fault(status=500), "error"),
        (Fault(status=400, message="blocked", code="content_filter"), "refused"),
        (Fault(status=400, message=f"bad key {KEY}"), "error"),
    ],
    ids=["refusal", "html", "no_choices", "dropped", "empty", "500", "filter", "400"],
)
async def test_failures_have_the_status_they_have_with_us(
    images: Path, tmp_path: Path, fault: Fault, status: str
) -> None:
    items: list[tuple[tuple[Path, ...], str | None]] = [((images / "plain.png",), None)]
    async with ChatServer(answer=lambda _: "", faults=lambda _: fault) as server:
        judge = judge_of(server.base_url)
        (expected,) = await ours(judge, items)
        count = server.count
        (answer,) = await theirs(exported(judge, tmp_path), items)
    assert (answer["status"], answer["label"]) == (expected["status"], expected["label"]) == (status, None)
    assert server.count == 2 * count
    assert KEY not in json.dumps(answer)


async def test_it_asks_without_a_schema_where_that_is_refused_and_stops_where_no_request_can_succeed(
    images: Path, tmp_path: Path
) -> None:
    items: list[tuple[tuple[Path, ...], str | None]] = [((images / "plain.png",), None)] * 2
    async with ChatServer(answer=lambda _: '{"label": 2}', structured="refused") as server:
        module = exported(judge_of(server.base_url), tmp_path)
        assert [verdict["label"] for verdict in await theirs(module, items)] == [2, 2]
        assert server.count == 3
    async with ChatServer(answer=lambda _: "", api_key="another") as server:
        program = tmp_path / "program.py"
        program.write_text(judge_module(judge_of(server.base_url), "python", "run"), encoding="utf-8")
        code, out, err = await ran(program, images / "plain.png", tmp_path)
    assert (code, out) == (1, "")
    assert "org/judge: " in err and "***" in err and KEY not in err and "Traceback" not in err


async def test_the_file_is_a_program_without_us(images: Path, tmp_path: Path) -> None:
    async with ChatServer(answer=lambda _: '{"reason": "grün", "label": 4}') as server:
        source = judge_module(judge_of(server.base_url), "python", "run")
        (tmp_path / "judge.py").write_text(source, encoding="utf-8")
        code, out, _ = await ran(tmp_path / "judge.py", images / "plain.png", tmp_path)
    line = {"image": str(images / "plain.png"), "status": "ok", "label": 4, "reason": "grün"}
    assert (code, out) == (0, json.dumps(line, ensure_ascii=False) + "\n")
    optional = {"pillow_heif"}  # imported for a HEIC image alone
    assert imported(source) - optional <= sys.stdlib_module_names | {"openai", "PIL", "numpy"}


@pytest.mark.parametrize("door", DOORS)
def test_no_name_is_defined_twice(door: Door) -> None:
    body = ast.parse(judge_module(judge_of("http://127.0.0.1:9/v1", logprobs=True), door, "run")).body
    targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in body if isinstance(node, ast.AnnAssign)]
    names = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    names += [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert sorted(names) == sorted(set(names))


async def ran(program: Path, image: Path, folder: Path) -> tuple[int | None, str, str]:
    """Run the program in a process without our modules."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(program), str(image), cwd=folder, stdout=-1, stderr=-1
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def imported(source: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(source)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.text(max_size=300) | st.integers() | st.none(), lambda v: st.lists(v) | st.tuples(v, v), max_leaves=4
    )
)
def test_literals_are_the_values_they_stand_for(value: object) -> None:
    source = literal(value)
    assert ast.literal_eval(source) == value
    assert all(line.isprintable() for line in source.split("\n"))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", ["vllm:m", "embedded:judge"])
def test_foreign_text_is_never_code(door: Door, name: str) -> None:
    model = ModelSettings(name=name, base_url="http://127.0.0.1:9/v1")
    calm = JudgeFile(judge_prompt="calm", task=TaskSettings(kind="categorical", labels=("a", "b")), model=model)
    hostile = calm.model_copy(update={"judge_prompt": HOSTILE, "task": KINDS})

    def shape(judge: JudgeFile, run: str) -> list[str]:
        """The file's statements, with all constants alike."""
        tree = ast.parse(judge_module(judge, door, run))
        kinds = (type(node).__name__ for node in ast.walk(tree))
        return [kind for kind in kinds if kind not in ("Constant", "Load")]

    assert shape(hostile, HOSTILE) == shape(calm, "run")
    text = judge_module(hostile, door, HOSTILE)
    assert "\u2028" not in text and "\u202e" not in text and "\r" not in text


def test_an_embedded_judge_is_loaded_by_us(images: Path, tmp_path: Path) -> None:
    judge = JudgeFile(judge_prompt=PLAIN, task=RATING, model=ModelSettings(name="embedded:judge"))
    module = exported(judge, tmp_path)
    files = sorted(images.iterdir())
    expected = asyncio.run(blpo.Judge(judge)(files))
    answers = [module.judge(file) for file in files]
    assert [(each["status"], each["label"]) for each in answers] == [(v.status, v.label) for v in expected]
    assert module.judge((images / "plain.png").read_bytes()) == module.judge(images / "plain.png")
    assert "import blpo" in judge_module(judge, "python", "run")


def test_an_openevals_evaluator(images: Path, tmp_path: Path) -> None:
    labels = TaskSettings(kind="categorical", labels=("real", "fake"), positive="fake")
    judge = JudgeFile(judge_prompt=PLAIN, task=RATING, model=ModelSettings(name="embedded:judge"))
    module, image = exported(judge, tmp_path, "openevals"), images / "plain.png"
    label = module.judge(image)["label"]
    result = module.image_judge(inputs={"text": "noise"}, outputs={"image": image}, reference_outputs={"label": 1})
    assert (result["key"], result["score"], result["metadata"]) == (
        "image_judge",
        label,
        {"status": "ok", "label": label},
    )
    assert module.image_judge(outputs=image.read_bytes())["score"] == label
    data = {"mime_type": "image/png", "data": "data:image/png;base64,!"}
    failed = dict(module.image_judge(outputs={}, attachments={"image": data}))
    assert failed["score"] is None and failed["comment"].startswith("error: the image: ")
    named = exported(judge.model_copy(update={"task": labels}), tmp_path, "openevals")
    assert named.SCORES == {"real": 0, "fake": 1}
    result = named.image_judge(outputs={"image": image})
    assert result["score"] == named.SCORES[result["metadata"]["label"]]


async def test_a_langsmith_evaluator(images: Path, tmp_path: Path) -> None:
    from langsmith import Client, evaluate
    from langsmith.schemas import Example

    judge = JudgeFile(judge_prompt=PLAIN, task=RATING, model=ModelSettings(name="embedded:judge"))
    module = exported(judge, tmp_path, "langsmith")
    named = [str(images / "plain.png"), str(images / "zz_none.png")]
    examples = [Example(id=uuid4(), dataset_id=uuid4(), inputs={"at": i}, outputs={"label": 1}) for i in range(2)]
    async with ChatServer() as server:
        client = Client(api_url=server.base_url, api_key="none", auto_batch_tracing=False)

        def run() -> list[Any]:
            def target(inputs: dict[str, Any]) -> dict[str, str]:
                return {"image": named[inputs["at"]]}

            with pytest.warns(UserWarning, match="upload_(results|runs)"):
                results = evaluate(
                    target, data=examples, evaluators=[module.image_judge], upload_results=False, client=client
                )
            return [row["evaluation_results"]["results"] for row in results]

        rows = await asyncio.to_thread(run)
        assert server.target == "", "nothing is sent to LangSmith"
    by_status = {result.metadata["status"]: result for (result,) in rows}
    assert by_status["ok"].score == module.judge(named[0])["label"]
    assert by_status["error"].score is None and by_status["error"].value is None
    assert by_status["error"].comment.startswith("error: ")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # mlflow's and pandas' own, about themselves
def test_an_mlflow_scorer(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "runs").as_uri())
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "")
    import mlflow

    task = TaskSettings(kind="categorical", labels=("real", "fake"))
    judge = JudgeFile(judge_prompt=PLAIN, task=task, model=ModelSettings(name="embedded:judge"))
    module = exported(judge, tmp_path, "mlflow")
    rows = [{"inputs": {"q": "x"}, "outputs": {"image": str(images / f"{n}.png")}} for n in ("plain", "zz_none")]
    feedback = module.image_judge.run(**rows[0])
    assert feedback.value == module.judge(images / "plain.png")["label"]
    assert feedback.source.source_type == "LLM_JUDGE"
    mlflow.set_experiment("exports")
    result: Any = mlflow.genai.evaluate(data=rows, scorers=[module.image_judge])
    records = [assessments[0]["feedback"] for assessments in result.result_df["assessments"]]
    values = [record.get("value") or record["error"]["error_code"] for record in records]
    assert sorted(values) == sorted([feedback.value, "ERROR"])


@pytest.mark.parametrize(("door", "module"), [("openevals", "openevals.types"), ("mlflow", "mlflow.entities")])
def test_a_missing_library_is_named_with_its_extra(
    door: Door, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as if not installed
    with pytest.raises(ImportError, match=f"needs {door}: .* the extra exports"):
        exported(judge_of("http://127.0.0.1:9/v1"), tmp_path, door)


def test_a_secret_in_the_address_is_refused() -> None:
    for address in ("http://me:pass@host/v1", "http://host/v1?api_key=abc"):
        with pytest.raises(ConfigError, match="secret must not be in a file") as refused:
            judge_module(judge_of(address), "python", "run")
        assert "me:" not in str(refused.value) and "abc" not in str(refused.value)


def test_a_missing_key_is_named(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("GATEWAY", raising=False)
    for headers, name in (({}, "OPENAI_API_KEY"), ({"api-key": "${GATEWAY}"}, "GATEWAY")):
        model = ModelSettings(name="openai:m", base_url="http://127.0.0.1:9/v1", headers=headers)
        module = exported(JudgeFile(judge_prompt=PLAIN, task=RATING, model=model), tmp_path)
        with pytest.raises(OpenAIError, match=f"{name}.* in the environment"):
            module.judge(images / "plain.png")


async def test_a_gateway_gets_its_header_and_no_other_key(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY", "gateway-secret")
    async with ChatServer(answer=lambda _: "gateway-secret") as server:
        module = exported(judge_of(server.base_url, headers={"api-key": "${GATEWAY}"}), tmp_path)
        (answer,) = await theirs(module, [((images / "plain.png",), None)])
        assert server.headers["api-key"] == "gateway-secret" and "authorization" not in server.headers
    assert answer == {"status": "unparseable", "label": None, "reason": "no label in: ***"}


@pytest.mark.parametrize("door", ["openevals", "langsmith"])
def test_the_score_is_of_the_positive_label(door: Door, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = TaskSettings(kind="categorical", labels=("no", "yes", "1"))
    file = tmp_path / "judge.yaml"
    file.write_text(judge_of("http://127.0.0.1:9/v1", task).dump(), encoding="utf-8")
    command = ["export", str(file), "--to", door, "--out", str(tmp_path / "j.py")]
    assert main(command) == 2
    err = capsys.readouterr().err
    assert "task.positive is not set; say which label scores 1 (no, yes, 1)" in err and err.count("\n") == 1
    for label in ("yes", "1"):
        assert main([*command, "--set", f"task.positive={label}"]) == 0
        module = load((tmp_path / "j.py").read_text(encoding="utf-8"), tmp_path)
        assert {each: int(each == label) for each in task.labels} == module.SCORES
        assert module.score_of("no") == 0
    for override, message in (("task.positive=maybe", "is no category"), ("data.path=x", "task.positive=LABEL alone")):
        assert main([*command, "--set", override]) == 2
        assert message in capsys.readouterr().err
    assert main(["export", str(file), "--to", "python", "--out", str(tmp_path / "p.py")]) == 0


def test_an_item_without_an_image_names_the_keys(tmp_path: Path) -> None:
    module = exported(judge_of("http://127.0.0.1:9/v1"), tmp_path, "openevals")
    assert "looked for image or image_a+image_b" in module.image_judge(outputs={})["comment"]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "it's a run"
    run.mkdir()
    (run / "judge.yaml").write_text(judge_of("http://127.0.0.1:9/v1").dump(), encoding="utf-8")
    for door in DOORS:
        assert main(["export", str(run), "--to", door]) == 0
        path = Path(capsys.readouterr().out.strip())
        assert path.resolve().parent == run / "exports"
        compile(path.read_text(encoding="utf-8"), str(path), "exec")
    assert main(["export", str(run / "judge.yaml"), "--to", "python", "--out", str(tmp_path / "new" / "j.py")]) == 0
    assert (tmp_path / "new" / "j.py").read_text(encoding="utf-8").startswith('"""A judge of images')
    assert main(["export", str(tmp_path), "--to", "python"]) == 2
    assert "judge.yaml does not exist" in capsys.readouterr().err
    assert main(["export", str(run), "--to", "excel"]) == 2
    assert "label-studio" in capsys.readouterr().err


BROKEN: dict[str, dict[str, Any]] = {
    "an error in place of choices": {"error": {"message": "upstream overloaded", "code": 502}},
    "an error in the choice": {"choices": [{"error": {"message": "gone", "code": 500}, "message": {"content": ""}}]},
    "a broken end": {"choices": [{"finish_reason": "error", "message": {"content": '{"label": 1}'}}]},
    "no choices": {"choices": []},
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_failure_inside_a_reply_is_tried_again(
    name: str, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = {"choices": [{"message": {"content": '{"reason": "sharp", "label": 4}'}}]}
    replies = [Fault(text=json.dumps(BROKEN[name]))] * 2 + [Fault(text=json.dumps(good))]
    async with ChatServer(answer=lambda _: "", faults=iter(replies)) as server:
        module = exported(judge_of(server.base_url, max_retries=2), tmp_path)
        monkeypatch.setattr(module, "_FIRST_WAIT", 0.001)
        verdict = await asyncio.to_thread(module.judge, images / "plain.png")
        assert (verdict["status"], verdict["label"], server.count) == ("ok", 4, 3)
        server.faults = iter(replies)
        monkeypatch.setattr(module, "MAX_RETRIES", 1)
        verdict = await asyncio.to_thread(module.judge, images / "plain.png")
    assert (verdict["status"], server.count) == ("error", 5)
    assert "the reply is no chat completion" in verdict["reason"]


async def test_a_refusal_inside_a_reply_is_not_tried_again(images: Path, tmp_path: Path) -> None:
    refusal = {"error": {"message": "blocked by the content filter", "code": "content_filter"}}
    async with ChatServer(answer=lambda _: "", faults=iter([Fault(text=json.dumps(refusal))])) as server:
        module = exported(judge_of(server.base_url, max_retries=2), tmp_path)
        verdict = await asyncio.to_thread(module.judge, images / "plain.png")
    assert (verdict["status"], verdict["label"], server.count) == ("refused", None, 1)
