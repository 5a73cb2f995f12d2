"""Rows that a log lost, as SQL of members meets them: who may let a project go on without them, and what follows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product

import psycopg
import pytest

from chatdesk.core.domain.sharing.lost_changes import LostRange
from chatdesk.core.sync import errors
from chatdesk.core.sync.errors import TeamLossChanged
from chatdesk.core.sync.team_store.log_gaps import LogGaps
from tests.helpers.examples import sample
from tests.helpers.postgres import Cluster
from tests.helpers.team_people import Person, Row, Team, pulled

Gaps = list[list[int]]
# What is missing of ten changes; a gap at the end is one that the head tells of.
SHAPES: dict[str, Gaps] = {
    "start": [[1, 1]],
    "middle": [[4, 6]],
    "end": [[9, 10]],
    "several": [[1, 2], [5, 5], [8, 9]],
    "all but one": [[1, 6], [8, 10]],
    "all": [[1, 10]],
}
ROLES = ["viewer", "editor", "admin", "owner"]


@pytest.fixture(params=[0, 16], ids=["1 part", "16 parts"])
def team(request: pytest.FixtureRequest, postgres: Cluster) -> Iterator[Team]:
    database = postgres.workspace_database(partitions=request.param)
    made = Team(database)
    yield made
    made.close()
    postgres.drop(database)


def lose(team: Team, project: str, gaps: Gaps) -> None:
    with team.database.as_superuser() as root:
        for first, last in gaps:
            root.execute(
                "DELETE FROM cd.change WHERE project_id = %s AND seq BETWEEN %s AND %s", [project, first, last]
            )


def missing(person: Person, project: str) -> Gaps:
    found = person.ask("SELECT first, last FROM cd.missing WHERE project_id = %s ORDER BY first", project)
    return [list(each) for each in found]


def accept_a_part(person: Person, project: str, gaps: object, most: int = 5_000) -> object:
    """What is missing after one call, None at the end."""
    return person.value("SELECT cd.accept_loss(%s, %s::jsonb, %s)", project, json.dumps(gaps), most)


def accept(person: Person, project: str, gaps: object, most: int = 5_000) -> str:
    """The state of the refusal, or nothing."""
    left = gaps
    try:
        while (left := accept_a_part(person, project, left, most)) is not None:
            pass
    except psycopg.Error as error:
        return str(error.sqlstate)
    return ""


def log_of_ten(team: Team) -> tuple[str, str, list[Row]]:
    """A project, its thread and the ten rows of its log, all of the owner."""
    project = team.project()
    thread = team.owner.row("thread", "new", "7a0b4d9e-6a5c-4b0e-9a35-000000000000", {"title": "T"})
    body = {"thread_id": thread["entity"], "role": "user"}
    rows = [thread]
    for place in range(1, 10):
        rows.append(team.owner.row("message", "new", f"7a0b4d9e-6a5c-4b0e-9a35-{place:012}", body))
    assert team.owner.push(project, *rows) == ["ok"] * 10
    return project, thread["entity"], rows


def assert_whole(person: Person, project: str) -> None:
    """The log has every number up to its head, and its chain is that of a newcomer who verifies each row."""
    chain = None
    rows = pulled(person)
    for place, each in enumerate(rows, 1):
        assert each.seq == place
        chain = each.chain_after(chain)
        assert each.chain == chain
        assert each.has_accepted_body
    numbers: dict[str, int] = {}
    for each in rows:
        numbers[each.device] = numbers.get(each.device, 0) + 1
        assert each.number == numbers[each.device]
    head = person.ask("SELECT seq, chain FROM cd.project_head WHERE project_id = %s", project)[0]
    assert head == (len(rows), chain)


@pytest.mark.parametrize(("shape", "most"), sample(list(product(SHAPES, (0, 1, 3, 5_000))), 16))
def test_an_owner_lets_a_project_go_on_without_what_is_lost(team: Team, shape: str, most: int) -> None:
    project, thread, rows = log_of_ten(team)
    gaps = SHAPES[shape]
    lost = [row for seq, row in enumerate(rows, 1) if any(first <= seq <= last for first, last in gaps)]
    lose(team, project, gaps)
    eve = team.join("eve", **{project: "viewer"})
    assert missing(eve, project) == gaps
    assert accept(team.owner, project, gaps, most) == ""
    assert missing(eve, project) == []
    assert_whole(eve, project)
    left = [each.id for each in pulled(eve)]
    assert left[:-1] == [row["id"] for row in rows if row not in lost]
    said = pulled(eve)[-1]
    assert (said.kind, said.op, said.reg, said.author) == ("project", "edit", "loss", team.owner.id)
    assert json.loads(said.body or "") == {"changes": len(lost)}
    # The author still has what was lost, and it comes in again as what it was.
    assert team.owner.push(project, *lost) == ["ok"] * len(lost)
    assert_whole(eve, project)
    assert accept(team.owner, project, gaps) == "CD015"
    assert team.owner.push(project, team.owner.row("message", "new", some_message(99), {"thread_id": thread})) == ["ok"]


def some_message(number: int) -> str:
    return f"7a0b4d9e-6a5c-4b0e-9a35-{number:012}"


@pytest.mark.parametrize("role", ROLES)
def test_only_owners_accept_a_loss(team: Team, role: str) -> None:
    project, _, _ = log_of_ten(team)
    eve = team.join("eve", **{project: role})
    lose(team, project, [[4, 6]])
    assert accept(eve, project, [[4, 6]]) == ("" if role == "owner" else "CD007")
    assert missing(eve, project) == ([] if role == "owner" else [[4, 6]])


def test_nobody_else_reads_or_accepts_the_loss_of_a_project(team: Team) -> None:
    project, _, _ = log_of_ten(team)
    stranger = team.join("eve", **{team.project(): "owner"})
    gone = team.join("ben", **{project: "owner"})
    team.owner.ask("SELECT cd.set_role(%s, %s, NULL)", project, gone.id)
    lose(team, project, [[4, 6]])
    assert [missing(stranger, project), missing(gone, project)] == [[], []]
    assert {accept(stranger, project, [[4, 6]]), accept(gone, project, [[4, 6]])} <= {"CD005", "CD007"}
    assert missing(team.owner, project) == [[4, 6]]


_NOT_WHAT_IS_MISSING: tuple[object, ...] = (
    [],
    None,
    {},
    "x",
    [[4, 5]],
    [[4, 7]],
    [[3, 6]],
    [[4, 6], [8, 8]],
    [[4, 4], [5, 6]],
    [[6, 4]],
    [["4", "6"]],
    [[4, 6, 7]],
    [[4]],
    [4, 6],
    [[4, 6], [4, 6]],
    [[1, 10]],
    [[-1, 6]],
    [[4, 6.5]],
    [[4, 10**30]],
)


def test_ranges_that_are_not_what_is_missing_change_nothing(team: Team) -> None:
    """Rows that live are in some of them."""
    project, _, _ = log_of_ten(team)
    lose(team, project, [[4, 6]])
    before = pulled(team.owner)
    states = {str(named): accept(team.owner, project, named) for named in _NOT_WHAT_IS_MISSING}
    assert states == dict.fromkeys(states, "CD015")
    assert pulled(team.owner) == before


def test_a_whole_log_loses_nothing_to_its_owner(team: Team) -> None:
    project, _, _ = log_of_ten(team)
    before = pulled(team.owner)
    assert [accept(team.owner, project, named) for named in ([], [[1, 10]], [[11, 11]])] == ["CD015"] * 3
    assert pulled(team.owner) == before


@pytest.mark.parametrize("most", [1, 2, 5_000])
@pytest.mark.parametrize("seq", [5, 7, 10])
def test_a_loss_hides_no_row_that_was_rewritten(team: Team, seq: int, most: int) -> None:
    project, _, _ = log_of_ten(team)
    lose(team, project, [[2, 3]])
    with team.database.as_superuser() as root:
        root.execute(
            "UPDATE cd.change SET author = gen_random_uuid() WHERE project_id = %s AND seq = %s", [project, seq]
        )
    assert accept(team.owner, project, [[2, 3]], most) == "CD016"
    assert missing(team.owner, project) != []


@pytest.mark.parametrize("role", ROLES)
def test_the_row_about_a_loss_cannot_be_pushed(team: Team, role: str) -> None:
    project, _, _ = log_of_ten(team)
    eve = team.join("eve", **{project: role})
    lose(team, project, [[4, 6]])
    body = {"changes": 3}
    assert eve.push(project, eve.row("project", "edit", project, body, reg="loss")) == ["denied"]
    assert missing(eve, project) == [[4, 6]]


@pytest.mark.parametrize("is_asking_lost", [False, True])
def test_words_that_an_erasure_took_stay_taken(team: Team, is_asking_lost: bool) -> None:
    """The loss has the erased row, or the one that asked for it."""
    project, thread, rows = log_of_ten(team)
    erased = rows[4]
    asking = team.owner.row("thread", "del", thread, {"changes": [erased["id"]]}, reg="erased")
    assert team.owner.push(project, asking) == ["ok"]
    gaps = [[11, 11]] if is_asking_lost else [[5, 5]]
    lose(team, project, gaps)
    eve = team.join("eve", **{project: "viewer"})
    assert accept(team.owner, project, gaps) == ""
    assert_whole(eve, project)
    team.owner.push(project, *([asking] if is_asking_lost else [erased]))
    assert_whole(eve, project)
    back = [each for each in pulled(eve) if each.id == erased["id"]]
    assert [each.is_erased for each in back] == [True]


def test_what_was_lost_comes_again_from_its_author_only(team: Team) -> None:
    project, _, rows = log_of_ten(team)
    eve = team.join("eve", **{project: "editor"})
    lose(team, project, [[4, 4]])
    assert accept(team.owner, project, [[4, 4]]) == ""
    forged = {**rows[3], "dseq": 1, "body": {**rows[3]["body"], "role": "assistant"}}
    assert eve.push(project, forged) == ["id_taken"]
    assert team.owner.push(project, rows[3]) == ["ok"]


def test_a_log_that_lost_rows_takes_what_is_new_before_and_after(team: Team) -> None:
    project, thread, _ = log_of_ten(team)
    ed = team.join("ed", **{project: "editor"})
    lose(team, project, [[4, 6]])
    assert ed.push(project, ed.row("message", "new", some_message(50), {"thread_id": thread, "role": "user"})) == ["ok"]
    assert accept(team.owner, project, [[4, 6]]) == ""
    assert ed.push(project, ed.row("message", "new", some_message(51), {"thread_id": thread, "role": "user"})) == ["ok"]
    assert_whole(ed, project)


def test_whoever_writes_waits_for_a_part_of_the_log_only(team: Team) -> None:
    """Each call rewrites a few changes, and everybody writes in between; also whoever gave up goes on where it was."""
    project, thread, _ = log_of_ten(team)
    ed = team.join("ed", **{project: "editor"})
    lose(team, project, [[2, 2], [5, 6]])
    before = {each.id: each.seq for each in pulled(ed)}
    left: object = [[2, 2], [5, 6]]
    written = 0
    while (left := accept_a_part(team.owner, project, left, 2)) is not None:
        moved = {each.id: each.seq for each in pulled(ed)}
        assert sum(moved[each] != seq for each, seq in before.items()) == 2
        written += 1
        row = ed.row("message", "new", some_message(50 + written), {"thread_id": thread, "role": "user"})
        assert ed.push(project, row) == ["ok"]
        before = {each.id: each.seq for each in pulled(ed)}
        left = missing(team.owner, project)
        assert written < 20
    assert_whole(ed, project)
    assert len(pulled(ed)) == 10 - 3 + written + 1


def test_the_loss_of_one_project_moves_nothing_of_another(team: Team) -> None:
    first, _, _ = log_of_ten(team)
    other = team.project()
    team.owner.thread(other)
    query = "SELECT seq, chain, number FROM cd.change WHERE project_id = %s ORDER BY seq"
    before = team.owner.ask(query, other)
    lose(team, first, [[4, 6]])
    assert accept(team.owner, first, [[4, 6]]) == ""
    assert team.owner.ask(query, other) == before


class _Answers:
    """A server that answers what it is asked to accept with these, one after the other."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(reversed(answers))

    def value(self, _sql: str, *_arguments: object) -> object:
        answer = self.answers.pop()
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    "lie",
    [
        [[2, 4]],  # for ever the same
        [[1, 3]],
        [[9, 12]],  # one more than was agreed to
        [[9, 10], [20, 25]],
        [],
        [[]],
        [["a", "b"]],
        [[None, 4]],
        7,
        "x",
        {"a": 1},
    ],
)
def test_only_what_an_owner_agreed_to_is_accepted_and_a_lie_ends(lie: object) -> None:
    agreed = [LostRange(2, 4, None, None)]
    with pytest.raises(TeamLossChanged):
        LogGaps(_Answers(lie)).accept("p", agreed)  # type: ignore[arg-type]
    with pytest.raises(TeamLossChanged):
        LogGaps(_Answers(*([[each, each + 2]] for each in range(3, 20_000)))).accept("p", agreed)  # type: ignore[arg-type]
    with pytest.raises(TeamLossChanged, match="other changes") as raised:
        LogGaps(_Answers(lie)).accept("p", agreed)  # type: ignore[arg-type]
    assert "Nothing was changed" not in raised.value.sentence, "the first part may have been closed"
    honest = _Answers([[7, 9]], [[12, 14]], None)
    LogGaps(honest).accept("p", agreed)  # type: ignore[arg-type]
    assert honest.answers == []


@pytest.mark.parametrize("is_begun", [False, True])
@pytest.mark.parametrize(
    "error", [errors.TeamLossChanged, errors.TeamRowsChanged, errors.TeamNotAllowed, errors.TeamBusy]
)
def test_what_stops_an_acceptance_says_whether_a_part_was_done(error: type[errors.TeamError], is_begun: bool) -> None:
    answers = _Answers(*([[[7, 9]]] if is_begun else []), error())
    with pytest.raises(error) as raised:
        LogGaps(answers).accept("p", [LostRange(2, 4, None, None)])  # type: ignore[arg-type]
    assert ("up to there already" in raised.value.sentence) is is_begun
    assert (raised.value.sentence == error().sentence) is not is_begun
