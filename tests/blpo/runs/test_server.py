"""Studio's server, started by `langgraph dev`, with the SDK as client."""

import asyncio
import json
import sqlite3
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx import HTTPStatusError
from langgraph.runtime import RunControl
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

import blpo
from benchmarks.kill import comparable
from blpo.runs.server import main as can_start
from blpo.runs.server_threads import checkpoint_target, run_of_thread
from state.errors import ConfigError
from state.result import Result
from tests.criteria_set import criteria_config, draw_criteria
from tests.list_set import draw_lists
from tests.pair_set import draw_pairs
from tests.servers.studio import StudioServer
from tests.small_set import draw_dataset

pytestmark = pytest.mark.slow

PROMPT = "Look at the image and rate it from 1 to 5.\n\n- Lower the rating strongly when noise is high or above."
SEARCH = {"outer_rounds": 2, "inner_steps": 2, "error_batch": 24}
GRAPH = "blpo"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("server")
    draw_dataset(folder / "set")
    return folder


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[StudioServer]:
    served = StudioServer(place / "runs")
    served.start()
    yield served
    served.kill()


@pytest.fixture
async def client(server: StudioServer) -> AsyncIterator[LangGraphClient]:
    async with get_client(url=server.url) as connected:
        yield connected


@pytest.fixture(scope="module")
def calm(place: Path) -> Result:
    """Result of the same search on the command line."""
    return asyncio.run(blpo.optimize(settings(place), overrides=[f"run.dir={place / 'calm'}"])).result


def settings(place: Path, **more: Any) -> dict[str, Any]:
    return {"data": {"path": str(place / "set")}, "search": SEARCH, **more}


def prompts(result: Result) -> list[tuple[str, str]]:
    return [(record["judge_prompt"], record["i2t_prompt"]) for record in result["rounds"]]


def paid_twice(run: Path) -> int:
    database = sqlite3.connect(run / "responses.sqlite")
    answered = Counter(key for (key,) in database.execute("SELECT key FROM calls WHERE outcome = 'ok'"))
    database.close()
    return sum(count - 1 for count in answered.values())


async def run_to_its_end(client: LangGraphClient, thread: str, **options: Any) -> dict[str, Any]:
    """Run a thread until the thread stops; return values, or the server's error."""
    ended: Any = await client.runs.wait(thread, GRAPH, raise_error=False, **options)
    return ended if isinstance(ended, dict) else {}


async def question(client: LangGraphClient, thread: str) -> dict[str, Any] | None:
    state = await client.threads.get_state(thread)
    questions: list[Any] = [interrupt["value"] for task in state["tasks"] for interrupt in task["interrupts"]]
    return questions[0] if questions else None


async def test_the_graph_and_its_forms(client: LangGraphClient) -> None:
    (assistant,) = await client.assistants.search(graph_id=GRAPH)
    drawing = await client.assistants.get_graph(assistant["assistant_id"], xray=True)
    nodes = {node["id"] for node in drawing["nodes"]}
    inner = {"verbalize", "critique_judge", "update_judge", "judge", "critique_i2t", "update_i2t"}
    assert {"judge", "collect_errors", "critique_judge", "update_judge", "approve", "evaluate_test"} <= nodes
    assert {f"search_i2t:{name}" for name in inner} <= nodes
    schemas: Any = await client.assistants.get_schemas(assistant["assistant_id"])
    context = schemas["context_schema"]
    assert "required" not in context
    assert context["properties"]["config"]["title"] == "Configuration file"
    search = context["$defs"]["SearchSettings"]["properties"]
    assert {"title", "description", "default", "minimum", "maximum"} <= search["outer_rounds"].keys()
    assert {"pairwise", "ranking"} <= set(context["$defs"]["TaskSettings"]["properties"]["kind"]["enum"])
    assert {"name", "about", "label", "metric", "weight"} <= set(context["$defs"]["CriterionEntry"]["properties"])
    assert {"tasks", "criteria", "criteria_calls", "only"} <= set(context["properties"])
    for name, section in context["$defs"].items():
        fields = section.get("properties", {}).values()
        assert all("title" in field or "$ref" in json.dumps(field) for field in fields), name
    state = schemas["state_schema"]["properties"]
    undescribed = [name for name, field in state.items() if "description" not in json.dumps(field)]
    assert undescribed == []


async def test_a_run_asks_and_gives_what_the_command_line_gives(
    client: LangGraphClient, server: StudioServer, place: Path, calm: Result
) -> None:
    config = place / "config.yaml"
    config.write_text(json.dumps(settings(place)))
    (assistant,) = await client.assistants.search(graph_id=GRAPH)
    schemas: Any = await client.assistants.get_schemas(assistant["assistant_id"])
    fields = schemas["context_schema"]["properties"]
    defaults = {name: field["default"] for name, field in fields.items() if "default" in field}
    assert {"search", "task", "models"} <= defaults.keys()
    context = {**defaults, "config": str(config), "approval": "judge"}  # like a form with all fields
    thread = (await client.threads.create())["thread_id"]
    events: dict[str, list[Any]] = {"custom": [], "custom|search_i2t": []}
    options: Any = {"stream_mode": ["custom"], "stream_subgraphs": True}
    async for part in client.runs.stream(thread, GRAPH, input={}, context=context, **options):
        assert part.event != "error", part.data
        events.setdefault(part.event.split(":")[0], []).append(part.data)
    assert {"judged", "errors", "progress"} <= {event["event"] for event in events["custom"]}
    assert {"phase", "trial"} <= {event["event"] for event in events["custom|search_i2t"]}

    first = await question(client, thread)
    assert first is not None
    assert first["new"] == calm["rounds"][1]["judge_prompt"]
    bad: Any = {"resume": {"decision": "edit", "text": "From {{min}} to 5."}}
    await run_to_its_end(client, thread, command=bad, context=context)
    again = await question(client, thread)
    assert again is not None and "placeholder" in again.pop("problem")
    assert again == first
    run = server.runs / thread
    by_hand = (await blpo.resume(run, answer="approve")).result
    assert by_hand["question"]["round"] == 1
    values: dict[str, Any] = {}
    while await question(client, thread):
        values = await run_to_its_end(client, thread, command={"resume": "approve"}, context={})
    assert prompts(values["result"]) == prompts(calm)
    assert values["result"]["test"] == calm["test"]
    assert json.loads((run / "result.json").read_text())["rounds"] == values["result"]["rounds"]
    assert (await blpo.resume(run)).result["status"] == "complete"
    assert paid_twice(run) == 0

    history = [s async for s in _history(client, thread)]
    before = next(s for s in history if s["next"] == ["judge"] and len(s["values"].get("rounds", [])) == 1)
    fork: Any = await client.threads.update_state(
        thread, {"candidate": PROMPT}, checkpoint=before["checkpoint"], as_node="approve"
    )
    forked = await run_to_its_end(client, thread, input=None, checkpoint=fork["checkpoint"], context=context)
    while await question(client, thread):
        forked = await run_to_its_end(client, thread, command={"resume": "approve"}, context=context)
    assert forked["result"]["rounds"][0]["judge_prompt"] == calm["rounds"][0]["judge_prompt"]
    assert forked["result"]["rounds"][1]["judge_prompt"] == PROMPT
    assert paid_twice(run) == 0


async def _history(client: LangGraphClient, thread: str) -> Any:
    for state in await client.threads.get_history(thread, limit=100):
        yield state


def draw_configured_criteria(folder: Path, _: int) -> Path:
    """Draw images with two criteria, and write a config beside them."""
    config = criteria_config(draw_criteria(folder), folder / "unused")
    (folder / "config.yaml").write_text(json.dumps({key: config[key] for key in ("data", "criteria")}))
    return folder


@pytest.mark.parametrize(
    ("draw", "asks"),
    [(draw_pairs, "p"), (draw_lists, "list "), (draw_configured_criteria, ("quality/", "light/"))],
)
async def test_other_shapes_of_tasks_give_what_the_command_line_gives(
    client: LangGraphClient,
    server: StudioServer,
    tmp_path: Path,
    draw: Callable[[Path, int], Path],
    asks: str | tuple[str, ...],
) -> None:
    config = draw(tmp_path / "set", 16) / "config.yaml"
    search = {"outer_rounds": 1, "inner_steps": 1, "error_batch": 24}
    calm = (
        await blpo.optimize(config, overrides=[f"search={json.dumps(search)}", f"run.dir={tmp_path / 'calm'}"])
    ).result
    (assistant,) = await client.assistants.search(graph_id=GRAPH)
    schemas: Any = await client.assistants.get_schemas(assistant["assistant_id"])
    fields = schemas["context_schema"]["properties"]
    form = {name: field["default"] for name, field in fields.items() if "default" in field}
    context = {**form, "config": str(config), "search": {**form["search"], **search}, "approval": "judge"}
    thread = (await client.threads.create())["thread_id"]
    options: Any = {"stream_mode": ["custom"], "stream_subgraphs": True, "context": context}
    events: list[Any] = []
    async for part in client.runs.stream(thread, GRAPH, input={}, **options):
        assert part.event != "error", part.data
        events.append(part.data)
    assert {"judged", "errors", "progress", "phase"} <= {event["event"] for event in events if "event" in event}
    waiting = await question(client, thread)
    assert waiting is not None and waiting["new"] == calm["rounds"][1]["judge_prompt"]
    assert all(change["id"].startswith(asks) for change in [*waiting["fixes"], *waiting["breaks"]])
    values = await run_to_its_end(client, thread, command={"resume": "approve"}, context={})
    assert values["result"]["test"] == calm["test"]
    assert prompts(values["result"]) == prompts(calm)
    assert paid_twice(server.runs / thread) == 0


async def test_a_run_of_the_command_line_appears_and_goes_on(
    client: LangGraphClient, server: StudioServer, place: Path, calm: Result
) -> None:
    control = RunControl()
    run = server.runs / "by-hand"

    def stop(event: Any) -> None:
        if event["event"] == "errors":
            control.request_drain("test")

    await blpo.optimize(settings(place), overrides=[f"run.dir={run}"], on_event=stop, control=control)
    thread = json.loads((run / "run.json").read_text())["thread_id"]
    for _ in range(300):
        if any(each["thread_id"] == thread for each in await client.threads.search(metadata={"run": "by-hand"})):
            break
        await asyncio.sleep(0.1)
    other = await run_to_its_end(client, thread, input=None, context=settings(place, task={"max": 6}))
    assert "began with other settings" in json.dumps(other)
    values = await run_to_its_end(client, thread, input=None, context={})
    assert comparable(values["result"]) == comparable({**calm})
    assert paid_twice(run) == 0


async def test_what_goes_wrong_is_one_clear_line(
    client: LangGraphClient, server: StudioServer, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(HTTPStatusError, match="404 Not Found"):
        await client.runs.wait(str(uuid.uuid4()), GRAPH, input={})
    for context, message in (
        ({"config": "/nowhere.yaml"}, "/nowhere.yaml does not exist"),
        ({"search": {"outer_rounds": -1}}, "search.outer_rounds: must be greater than or equal to 0"),
        ({"search": {"outer_round": 1}}, "did you mean search.outer_rounds?"),
        ({"data": {"path": str(place / "no-set")}}, "does not exist"),
        ({"models": {"judge": {"name": "nobody:x"}, "optimizer": {"name": "embedded:optimizer"}}}, "nobody"),
    ):
        thread = (await client.threads.create())["thread_id"]
        ended = await run_to_its_end(client, thread, input={}, context=context)
        assert message in ended["__error__"]["message"]
        assert len(ended["__error__"]["message"].splitlines()) == 1
    thread = (await client.threads.create())["thread_id"]
    monkeypatch.setenv("BLPO_RUNS", str(server.runs))
    run = run_of_thread(thread, settings(place))
    try:
        ended = await run_to_its_end(client, thread, input={}, context=settings(place))
        assert "another process is working on" in ended["__error__"]["message"]
    finally:
        run.directory.close()
    log = server.log.read_text()
    assert "RunRefused" in log and "blpo.runs.server.RunRefused: " not in log  # named, without a traceback


def test_a_thread_is_found_again_wherever_its_settings_say(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLPO_RUNS", str(tmp_path))
    monkeypatch.delenv("BLPO_CHECKPOINTS", raising=False)
    thread = str(uuid.uuid4())
    for context in (settings(place, run={"dir": str(tmp_path / "else" / "where")}), {}):
        run = run_of_thread(thread, context)
        run.directory.close()
        assert (run.directory.path, run.directory.info.thread_id, run.settings.run.dir) == (
            tmp_path / thread,
            thread,
            str(tmp_path / thread),
        )
    with pytest.raises(ConfigError, match=r"this server keeps its runs in files.*BLPO_CHECKPOINTS=postgres"):
        run_of_thread(str(uuid.uuid4()), settings(place, run={"checkpoints": "postgres"}))
    assert [path.parent.name for path in tmp_path.glob("*/run.json")] == [thread]


def test_a_server_knows_two_places_for_its_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    for checkpoints in ("postgress", "postgresql://ada:secret@host/blpo"):
        monkeypatch.setenv("BLPO_CHECKPOINTS", checkpoints)
        with pytest.raises(ConfigError) as refused:
            checkpoint_target()
        assert str(refused.value) == "BLPO_CHECKPOINTS: must be postgres, or left out to keep runs in files"


def test_where_runs_can_not_be_kept_is_said_before_the_server_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BLPO_RUNS", str(tmp_path))
    monkeypatch.setenv("BLPO_CHECKPOINTS", "postgres")
    monkeypatch.setenv("BLPO_DATABASE_URL", "postgresql://ada:s3cret@127.0.0.1:1/blpo")
    assert can_start() == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "no server answers at 127.0.0.1:1" in err and "s3cret" not in err
    monkeypatch.delenv("BLPO_CHECKPOINTS")
    assert can_start() == 0


async def test_a_killed_server_pays_nothing_twice(
    client: LangGraphClient, server: StudioServer, place: Path, calm: Result
) -> None:
    thread = (await client.threads.create())["thread_id"]
    options: Any = {"stream_mode": ["custom"], "stream_subgraphs": True, "context": settings(place)}
    try:
        async for part in client.runs.stream(thread, GRAPH, input={}, **options):
            if part.event.startswith("custom|") and part.data["event"] == "trial":
                server.kill()
    except Exception as error:
        assert "killed" not in str(error)  # the connection must break
    server.start()
    for _ in range(300):
        if any(each["thread_id"] == thread for each in await client.threads.search(limit=100)):
            break
        await asyncio.sleep(0.1)
    values = await run_to_its_end(client, thread, input=None, context={}, multitask_strategy="enqueue")
    assert comparable(values["result"]) == comparable({**calm})
    assert paid_twice(server.runs / thread) == 0


async def test_a_teams_server_shares_its_runs_with_the_command_line(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database_url
    monkeypatch.setenv("BLPO_CHECKPOINTS", "postgres")
    draw_dataset(tmp_path / "set")
    server = StudioServer(tmp_path / "runs")
    server.start()
    try:
        async with get_client(url=server.url) as client:
            thread = (await client.threads.create())["thread_id"]
            context = settings(tmp_path, approval="judge")
            await run_to_its_end(client, thread, input={}, context=context)
            assert await question(client, thread)
            result = (await blpo.resume(server.runs / thread, answer="approve")).result
            while "question" in result:
                await run_to_its_end(client, thread, command={"resume": "approve"}, context={})
                result = (await blpo.resume(server.runs / thread)).result
    finally:
        server.kill()
    assert result["status"] == "complete"
    assert not (server.runs / thread / "responses.sqlite").exists()
