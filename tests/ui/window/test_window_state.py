"""The file that remembers the window."""

from __future__ import annotations

import stat

from chatdesk.ui.window.window_state import (
    MAX_ANCHORS,
    MAX_OPEN_FOLDERS,
    NextQuestion,
    SavedAnchor,
    SavedBeside,
    WindowState,
    WindowStateFile,
)


def test_saved_state_is_loaded(tmp_path):
    path = tmp_path / "window.json"
    file = WindowStateFile(path)
    state = WindowState(x=-20, y=7, is_maximised=True, open_thread_id="t", anchors={"t": SavedAnchor("m", 3.5, False)})
    file.save_soon(WindowState())
    file.save_soon(state)
    assert file.flush()
    file.close()
    assert WindowStateFile(path).load() == state
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["window.json"]


def test_a_broken_file_is_kept_aside(tmp_path):
    path = tmp_path / "window.json"
    path.write_text("{broken")
    assert WindowStateFile(path).load() == WindowState()
    assert (tmp_path / "window.broken-1.json").read_text() == "{broken"
    assert not path.exists()


def test_senseless_fields_take_their_defaults():
    state = WindowState.from_json('{"width": true, "height": -4, "x": "1", "anchors": [1], "sidebar_width": NaN}')
    assert state == WindowState()


def test_numbers_that_are_too_large_take_their_defaults():
    large = "1" + "0" * 400
    assert WindowState.from_json(f'{{"beside": {{"share": {large}}}}}').beside.share == 0.5
    state = WindowState.from_json(f'{{"anchors": {{"t": {{"offset_px": -{large}}}}}, "width": {large}}}')
    assert state == WindowState(anchors={"t": SavedAnchor()})


def test_a_huge_file_is_kept_aside(tmp_path):
    path = tmp_path / "window.json"
    path.write_text(" " * 2_000_000)
    assert WindowStateFile(path).load() == WindowState()
    assert (tmp_path / "window.broken-1.json").exists()


def test_the_choices_for_the_next_question_are_saved():
    questions = {
        None: NextQuestion(assistant_id="a"),
        "t": NextQuestion((("one", "small"), ("two", "large"))),
        "u": NextQuestion(once_id="a"),
    }
    beside = SavedBeside("u", is_active=True)
    state = WindowState(next_questions=questions, compared_ids=("m",), beside=beside)
    assert WindowState.from_json(state.to_json()) == state


def test_senseless_questions_are_left_out():
    senseless = '{"t": 1, "u": {"models": "small", "once_id": 7}, "v": {"models": [["one"], 5, ["one", "small"]]}}'
    state = WindowState.from_json(f'{{"next_questions": {senseless}, "compared_ids": 4}}')
    assert state.next_questions == {"u": NextQuestion(), "v": NextQuestion((("one", "small"),))}
    assert state.compared_ids == ()
    assert WindowState.from_json('{"next_questions": []}') == WindowState()


def test_only_the_newest_anchors_are_kept():
    state = WindowState(anchors={str(number): SavedAnchor() for number in range(MAX_ANCHORS + 5)})
    kept = list(WindowState.from_json(state.to_json()).anchors)
    assert kept == [str(number) for number in range(5, MAX_ANCHORS + 5)]


def test_a_read_only_directory_does_not_crash(tmp_path):
    file = WindowStateFile(tmp_path / "missing" / "window.json")
    file.save_soon(WindowState())
    file.close()
    assert file.load() == WindowState()


def test_the_list_of_the_sidebar_is_kept_and_nonsense_dropped() -> None:
    kept = WindowState(open_project_id="", is_sorted_by_name=True, list_top_id="thread", list_top_px=-7)
    assert WindowState.from_json(kept.to_json()) == kept
    broken = '{"open_project_id": 3, "is_sorted_by_name": "yes", "list_top_id": [], "list_top_px": 1e99}'
    assert WindowState.from_json(broken) == WindowState()


def test_the_open_folders_are_remembered_within_bounds():
    state = WindowState(is_grouped_by_project=True, open_folders=tuple(f"p{number}" for number in range(3_000)))
    back = WindowState.from_json(state.to_json())
    assert back.is_grouped_by_project
    assert back.open_folders == state.open_folders[:MAX_OPEN_FOLDERS]
    odd = WindowState.from_json('{"is_grouped_by_project": 1, "open_folders": ["a", 3, null, "b"]}')
    assert not odd.is_grouped_by_project
    assert odd.open_folders == ("a", "b")
    assert WindowState.from_json('{"open_folders": {"a": 1}}').open_folders == ()
