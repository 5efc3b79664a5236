"""Calls, tokens and dollars by role, as counted by the response store."""

from collections.abc import Mapping

from blpo.models.messages import ROLES, Role
from blpo.models.named_model import NamedModel
from blpo.storage.response_store import ResponseStore
from blpo.storage.role_counts import RoleCounts
from state.role_usage import RoleUsage
from state.settings import counted_role


async def usage_by_role(models: Mapping[Role, NamedModel], store: ResponseStore) -> dict[str, RoleUsage]:
    """Return the usage by role, over all resumes."""
    counts = await store.usage()
    unpriced = {counted_role(role) for role, model in models.items() if not model.is_priced}
    return {role: _usage(counts.get(role, RoleCounts()), role not in unpriced) for role in ROLES}


def _usage(counts: RoleCounts, is_priced: bool) -> RoleUsage:
    return RoleUsage(
        issued=counts.issued,
        cached=counts.cached,
        failed=counts.failed,
        input_tokens=counts.input_tokens,
        output_tokens=counts.output_tokens,
        usd=counts.usd if is_priced and not counts.unpriced else None,
        cached_tokens=counts.cached_tokens,
    )
