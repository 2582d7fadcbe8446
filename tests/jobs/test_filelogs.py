"""Lines of a log file, forwards and backwards."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from clary.backends.filelogs import FileLogs

texts = st.lists(st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=40), max_size=30)


@settings(max_examples=60, deadline=None)
@given(texts=texts, unfinished=st.booleans(), page=st.integers(1, 7), block=st.integers(1, 50))
def test_pages_forwards_and_backwards_give_all_lines(
    texts: list[str], unfinished: bool, page: int, block: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        logs = FileLogs(Path(folder))
        content = "".join(f"{1000 + i}\t{text}\n" for i, text in enumerate(texts))
        logs.file("/g", "a/b").write_bytes((content + "9999\tnot yet" * unfinished).encode())
        ahead, offset = [], 0
        while lines := logs.lines("/g", "a/b", offset, page):
            ahead += lines
            offset = lines[-1].end
        back: list[object] = []
        end: int | None = None
        import clary.backends.filelogs as module

        module.BLOCK, kept = block, module.BLOCK
        try:
            while lines := logs.lines_before("/g", "a/b", end, page):
                back = [*lines, *back]
                end = lines[0].offset
        finally:
            module.BLOCK = kept
        assert [line.message for line in ahead] == texts
        assert [line.timestamp_ms for line in ahead] == [1000 + i for i in range(len(texts))]
        assert [(line.message, line.offset, line.end) for line in ahead] == [
            (line.message, line.offset, line.end)  # type: ignore[attr-defined]
            for line in back
        ]


def test_groups_and_streams(tmp_path: Path) -> None:
    logs = FileLogs(tmp_path)
    assert logs.groups() == []
    assert logs.streams("/aws/none") == []
    logs.file("/aws/x", "job/algo-1-1").write_text("5\ta\n7\tb\n")
    logs.file("/aws/x", "job2/algo-1-1").write_text("")
    assert logs.groups("/aws") == ["/aws/x"]
    assert [stream.name for stream in logs.streams("/aws/x")] == ["job/algo-1-1", "job2/algo-1-1"]
    first = logs.streams("/aws/x", "job/")[0]
    assert (first.created_ms, first.first_event_ms, first.last_event_ms, first.bytes) == (5, 5, 7, 8)
    logs.delete("/aws/x")
    assert logs.groups() == []
