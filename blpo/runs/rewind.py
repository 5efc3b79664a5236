"""Return to the first step with a failed request, so that the request is asked again before the run goes on.

A step within `limits.max_failure_rate` goes on without the failed requests. If the run stops later, after an outage,
the numbers of that step lack answers that a clean run has. All steps after the step are replayed from the store.
"""

from datetime import datetime
from operator import itemgetter
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import StateSnapshot

from blpo.storage.response_store import ResponseStore


async def rewind(graph: CompiledStateGraph[Any, Any, Any, Any], config: RunnableConfig, store: ResponseStore) -> int:
    """Put an unfinished graph before its first step with an unanswered request; return the number of such requests.

    A graph that waits for a person's answer stays, because the person would be asked for all answers again. Failures
    from before an earlier rewind don't count: their steps were done anew, or were left behind.
    """
    unanswered = await store.unanswered()
    current = await graph.aget_state(config)
    if not unanswered or not current.tasks or current.interrupts:
        return 0
    history = [snapshot async for snapshot in graph.aget_state_history(config)]  # newest first
    rewound = next((_created(each) for each in history if (each.metadata or {}).get("source") == "fork"), 0.0)
    failures = {key: time for key, time in sorted(unanswered, key=itemgetter(1), reverse=True) if time >= rewound}
    before = [each for each in history if _created(each) <= min(failures.values(), default=0.0)]
    if not before:
        return 0
    await graph.aupdate_state(before[0].config, None, as_node="__copy__")  # a copy has a fresh inner loop
    return len(failures)


def _created(snapshot: StateSnapshot) -> float:
    return datetime.fromisoformat(snapshot.created_at).timestamp() if snapshot.created_at else 0.0
