"""Files of a new project: any label and path is written readably."""

from hypothesis import given, settings
from hypothesis import strategies as st

from blpo.config.yaml_text import parse_yaml
from blpo.runs.new_project import Project, config_text
from state.settings import TaskSettings

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@settings(max_examples=60)
@given(st.lists(TEXT, min_size=2, max_size=5, unique=True), TEXT)
def test_any_label_and_path_is_written_so_that_it_is_read(labels: list[str], path: str) -> None:
    task = TaskSettings(kind="categorical", labels=tuple(labels))
    text = config_text(Project(task, {"path": path, "label": path}, {"judge": {"name": f"openai:{path}"}}))
    content = parse_yaml(text, "config.yaml")
    assert content["task"] == {"kind": "categorical", "labels": labels}
    assert content["data"] == {"path": path, "label": path}
    assert content["models"]["judge"] == {"name": f"openai:{path}"}
