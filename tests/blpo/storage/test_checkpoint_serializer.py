"""Values of checkpoints, compressed where they are large."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from blpo.storage.checkpoint_serializer import CheckpointSerializer

SERIALIZER = CheckpointSerializer()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_a_value_is_read_as_it_was(value: object) -> None:
    for state in (value, {"value": value, "prompt": "Judge the image. " * 4000}):
        assert SERIALIZER.loads_typed(SERIALIZER.dumps_typed(state)) == state


def test_a_small_value_stays_as_langgraph_writes_it() -> None:
    plain = JsonPlusSerializer(allowed_msgpack_modules=None)
    assert SERIALIZER.dumps_typed({"round": 1}) == plain.dumps_typed({"round": 1})
    large = plain.dumps_typed(["Judge the image."] * 4000)
    assert SERIALIZER.loads_typed(large) == ["Judge the image."] * 4000
    assert len(SERIALIZER.dumps_typed(["Judge the image."] * 4000)[1]) < len(large[1]) / 20


def test_damaged_bytes_are_named() -> None:
    kind, content = SERIALIZER.dumps_typed("x" * 100_000)
    assert kind == "msgpack+zlib"
    for damaged in (content[:-9], b"nothing", zlib.compress(b"\0" * (64 * 2**20 + 1))):
        with pytest.raises(ValueError, match="checkpoint is damaged"):
            SERIALIZER.loads_typed((kind, damaged))
