"""Accounts, sessions, tokens, waits and what is noted of them, on both databases."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from consilium.database import database as database_module
from consilium.errors import EngineError, InputError, NotAllowed
from consilium.laboratory.laboratory import Laboratory, put_staff
from consilium.web.security import tables
from consilium.web.security.accounts import (
    HEAD,
    SCHEMA,
    Accounts,
    all_accounts,
    change_password,
    choose_language,
    disable,
    reset_password,
)
from consilium.web.security.attempts import TooManyAttempts
from consilium.web.security.audit import events
from consilium.web.security.policy import SignInPolicy
from consilium.web.security.sessions import csrf_of, end_one, open_sessions, present, sign_out
from consilium.web.security.sign_in import WrongPassword, change_own_password, confirm, sign_in
from consilium.web.security.tokens import make_token, present_by_token, revoke_token, tokens
from tests.web.security.conftest import PASSWORD, Clock

HERE = "192.0.2.1"


def enter(accounts: Accounts, person: str = "tang", password: str = PASSWORD, address: str = HERE) -> str:
    return sign_in(accounts, person=person, password=password, address=address).token


def happened(accounts: Accounts) -> list[str]:
    with accounts.reading() as session:
        return [one.what for one in events(session)]


def dump(accounts: Accounts) -> str:
    """Everything that the tables of the accounts hold."""
    with accounts.reading() as session:
        return "\n".join(
            str(tuple(row))
            for table in tables.WebTable.metadata.sorted_tables
            for row in session.execute(text(f"SELECT * FROM {table.name}"))
        )


# The tables


def test_the_steps_make_the_tables_that_the_program_knows(accounts: Accounts) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with accounts._engine.connect() as connection:
        options = {
            "version_table": SCHEMA.version_table, "compare_type": True,
            "include_name": lambda name, kind, _parents: kind != "table" or str(name).startswith("web_"),
        }  # fmt: skip
        assert compare_metadata(MigrationContext.configure(connection, opts=options), tables.WebTable.metadata) == []


def test_the_newest_step_is_the_one_that_is_named() -> None:
    from alembic.script import ScriptDirectory

    steps = ScriptDirectory(str(database_module._ENVIRONMENT), version_locations=[str(SCHEMA.steps)])
    assert steps.get_current_head() == HEAD


@pytest.mark.parametrize("act", ["DELETE FROM web_event", "UPDATE web_event SET who = 'nobody'"])
def test_what_happened_to_accounts_cannot_be_rewritten(accounts: Accounts, act: str) -> None:
    before = happened(accounts)
    with pytest.raises(EngineError, match="what happened is not"), accounts.writing() as session:
        session.execute(text(act))
    assert before == happened(accounts)


# Signing in


def test_who_has_the_password_is_let_in_and_known(accounts: Accounts) -> None:
    token = enter(accounts)
    found = present(accounts, token)
    assert found is not None
    assert (found.person, found.roles, found.csrf) == ("tang", {"technologist"}, csrf_of(token))


@pytest.mark.parametrize(
    ("person", "password"),
    [("tang", "seven otters under a green pian"), ("tang", ""), ("nobody", PASSWORD), ("TANG", PASSWORD), ("", ""),
     ("ren", PASSWORD), ("tang\0", PASSWORD), ("ta\ud800ng", PASSWORD), ("a" * 5000, PASSWORD)],
)  # fmt: skip
def test_anybody_else_is_refused_in_the_same_words(accounts: Accounts, person: str, password: str) -> None:
    with pytest.raises(WrongPassword) as refused:
        enter(accounts, person, password)
    assert str(refused.value).startswith("name and password do not fit")
    assert happened(accounts)[0] == "sign-in failed"


def test_an_unknown_name_takes_as_long_as_a_wrong_password(small: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    from argon2 import PasswordHasher

    asked: list[str] = []
    real = PasswordHasher.verify

    def counted(self: PasswordHasher, stored: str, password: str) -> bool:
        asked.append(stored)
        return real(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    disable(small, "both", True, by="ada")
    for person in ("tang", "nobody", "both", "ren"):
        with pytest.raises(WrongPassword):
            enter(small, person, "wrong, all of them")
    # One check each, with the same parameters.
    assert len(asked) == 4
    assert len({stored.rsplit("$", 2)[0] for stored in asked}) == 1


def test_nothing_that_was_typed_is_kept_or_noted(accounts: Accounts) -> None:
    token = enter(accounts)
    with pytest.raises(WrongPassword):
        enter(accounts, "my-password-in-the-wrong-field", "typed-secret")
    shown, _ = make_token(accounts, "tang", name="lis", roles=["technologist"], days=3)
    reset = reset_password(accounts, "both", by="ada")
    held = dump(accounts)
    for secret in (token, csrf_of(token), PASSWORD, "my-password-in-the-wrong-field", "typed-secret", shown, reset):
        assert secret not in held


def test_each_sign_in_has_a_token_of_its_own_and_ends_the_former_one(accounts: Accounts) -> None:
    first = enter(accounts)
    second = sign_in(accounts, person="tang", password=PASSWORD, address=HERE, replaces=first).token
    assert first != second
    assert present(accounts, first) is None
    assert present(accounts, second) is not None


def test_a_token_that_an_attacker_chose_never_becomes_a_session(accounts: Accounts) -> None:
    sign_in(accounts, person="tang", password=PASSWORD, address=HERE, replaces="chosen-by-an-attacker")
    assert present(accounts, "chosen-by-an-attacker") is None


# How long a session lasts


def test_a_session_is_over_when_it_was_idle(accounts: Accounts, clock: Clock) -> None:
    token = enter(accounts)
    for _ in range(3):
        clock.on(minutes=29)
        assert present(accounts, token) is not None
    clock.on(minutes=31)
    assert present(accounts, token) is None
    clock.on(minutes=-31)
    assert present(accounts, token) is None
    assert happened(accounts)[0] == "session ended"


def test_a_session_is_over_after_a_working_day_however_busy(accounts: Accounts, clock: Clock) -> None:
    token = enter(accounts)
    for _ in range(12 * 4):
        assert present(accounts, token) is not None
        clock.on(minutes=15)
    clock.on(minutes=1)
    assert present(accounts, token) is None


def test_a_session_is_over_when_she_signs_out(accounts: Accounts) -> None:
    token = enter(accounts)
    sign_out(accounts, token, address=HERE)
    assert present(accounts, token) is None
    assert happened(accounts)[0] == "signed out"


@pytest.mark.parametrize("roles", [("technologist", "director"), ()])
def test_a_session_is_over_when_roles_change_whoever_changes_them(
    accounts: Accounts, url: str, roles: tuple[str, ...]
) -> None:
    token = enter(accounts)
    records = Laboratory(url)
    with records.changing("ada") as change:
        put_staff(change, "tang", roles)  # type: ignore[arg-type]
    records.close()
    assert present(accounts, token) is None
    assert happened(accounts)[0] == "session ended"


def test_sessions_are_over_when_the_password_changes(accounts: Accounts) -> None:
    first, second = enter(accounts), enter(accounts)
    made = change_own_password(
        accounts, person="tang", old=PASSWORD, new="four lamps beside the quiet sea", address=HERE
    )
    assert present(accounts, first) is None
    assert present(accounts, second) is None
    assert present(accounts, made.token) is not None
    with pytest.raises(WrongPassword):
        enter(accounts)


def test_everything_is_over_when_the_account_is_disabled_and_comes_back_by_signing_in(accounts: Accounts) -> None:
    token = enter(accounts)
    shown, _ = make_token(accounts, "tang", name="lis", roles=["technologist"], days=3)
    disable(accounts, "tang", True, by="ada")
    assert present(accounts, token) is None
    assert present_by_token(accounts, shown) is None
    with pytest.raises(WrongPassword):
        enter(accounts)
    disable(accounts, "tang", False, by="ada")
    assert present(accounts, token) is None
    assert present(accounts, enter(accounts)) is not None


def test_nobody_locks_herself_out(accounts: Accounts) -> None:
    with pytest.raises(InputError, match="own account"):
        disable(accounts, "ada", True, by="ada")


def test_one_ends_ones_own_sessions_and_no_others(accounts: Accounts) -> None:
    mine, other = enter(accounts), enter(accounts, "both")
    (theirs,) = open_sessions(accounts, "both")
    with pytest.raises(InputError):
        end_one(accounts, "tang", theirs.id, address=HERE)
    assert present(accounts, other) is not None
    (own,) = open_sessions(accounts, "tang")
    end_one(accounts, "tang", own.id, address=HERE)
    assert present(accounts, mine) is None
    for number in (-1, 0, 2**31, 2**63, 2**70):
        with pytest.raises(InputError):
            end_one(accounts, "tang", number, address=HERE)


# Passwords that somebody else made


def test_a_one_time_password_has_to_be_changed_and_used_in_time(accounts: Accounts, clock: Clock) -> None:
    password = reset_password(accounts, "ren", by="ada")
    begun = sign_in(accounts, person="ren", password=password, address=HERE)
    assert begun.present.must_change
    clock.on(days=8)
    with pytest.raises(WrongPassword):
        enter(accounts, "ren", password)
    password = reset_password(accounts, "ren", by="ada")
    made = change_own_password(
        accounts, person="ren", old=password, new="four lamps beside the quiet sea", address=HERE
    )
    assert not made.present.must_change
    clock.on(days=80)
    assert enter(accounts, "ren", "four lamps beside the quiet sea")


def test_only_people_of_the_laboratory_have_accounts(accounts: Accounts) -> None:
    with pytest.raises(NotAllowed):
        reset_password(accounts, "stranger", by="ada")
    assert [one.person for one in all_accounts(accounts)] == ["ada", "both", "tang"]


def test_a_password_is_held_against_the_names_of_person_and_laboratory(accounts: Accounts) -> None:
    for new in ("tang tang tang tang", "Laboratory of tests 2026"):
        with pytest.raises(InputError, match="guess"):
            change_password(accounts, "tang", new=new)


def test_a_language_is_remembered(accounts: Accounts) -> None:
    choose_language(accounts, "tang", "zh")
    found = present(accounts, enter(accounts))
    assert found is not None and found.language == "zh"


# Waits


def wrong(accounts: Accounts, times: int, person: str = "tang", address: str = HERE) -> None:
    for _ in range(times):
        with pytest.raises(WrongPassword):
            enter(accounts, person, "wrong, all of them", address)


def test_after_five_failures_one_waits_twice_as_long_each_time_and_never_for_good(
    accounts: Accounts, clock: Clock
) -> None:
    wrong(accounts, 5)
    waits = []
    for _ in range(14):
        with pytest.raises(TooManyAttempts) as refused:
            enter(accounts)
        waits.append(refused.value.seconds)
        clock.on(seconds=refused.value.seconds)
        wrong(accounts, 1)
    assert waits[:5] == [2, 3, 5, 9, 17]
    assert max(waits) <= 901
    clock.on(seconds=901)
    assert enter(accounts)


def test_the_right_password_ends_the_count(accounts: Accounts) -> None:
    wrong(accounts, 4)
    enter(accounts)
    wrong(accounts, 4)
    enter(accounts)


def test_what_is_refused_in_the_meantime_lengthens_nothing(accounts: Accounts, clock: Clock) -> None:
    wrong(accounts, 5)
    for _ in range(20):
        with pytest.raises(TooManyAttempts):
            enter(accounts)
    clock.on(seconds=2)
    assert enter(accounts)


def test_an_unknown_name_waits_as_a_known_one(accounts: Accounts) -> None:
    wrong(accounts, 5, "nobody")
    with pytest.raises(TooManyAttempts):
        enter(accounts, "nobody")


def test_an_address_waits_whatever_names_it_tries(accounts: Accounts) -> None:
    for number in range(30):
        wrong(accounts, 1, f"name{number}")
    with pytest.raises(TooManyAttempts):
        enter(accounts)
    assert enter(accounts, address="192.0.2.99")


def test_a_stranger_who_guesses_keeps_nobody_out_where_she_always_sits(accounts: Accounts) -> None:
    enter(accounts)
    wrong(accounts, 5, address="203.0.113.7")
    with pytest.raises(TooManyAttempts):
        enter(accounts, address="203.0.113.7")
    assert enter(accounts)


def test_many_at_once_are_counted_one_by_one(accounts: Accounts) -> None:
    def attempt(_number: int) -> str:
        try:
            enter(accounts, "tang", "wrong, all of them")
        except (WrongPassword, TooManyAttempts) as refused:
            return type(refused).__name__
        return "let in"

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(attempt, range(24)))
    assert results.count("WrongPassword") == 5
    assert results.count("TooManyAttempts") == 19


def test_the_count_holds_across_processes_and_restarts(accounts: Accounts, url: str) -> None:
    code = (
        "import sys\n"
        "from consilium.web.security.accounts import Accounts\n"
        "from consilium.web.security.sign_in import sign_in, WrongPassword\n"
        "from datetime import UTC, datetime\n"
        "accounts = Accounts(sys.argv[1], clock=lambda: datetime(2026, 3, 2, 8, 0, tzinfo=UTC))\n"
        "for _ in range(5):\n"
        "    try:\n"
        "        sign_in(accounts, person='tang', password='wrong, all of them', address='192.0.2.1')\n"
        "    except WrongPassword:\n"
        "        pass\n"
    )
    subprocess.run([sys.executable, "-c", code, url], check=True, timeout=60)
    with pytest.raises(TooManyAttempts):
        enter(accounts)
    assert "sign-in blocked" in happened(accounts)


def test_showing_the_password_again_is_counted_too(accounts: Accounts) -> None:
    confirm(accounts, person="tang", password=PASSWORD, address=HERE)
    assert happened(accounts)[0] == "confirmed"
    for _ in range(5):
        with pytest.raises(WrongPassword):
            confirm(accounts, person="tang", password="wrong, all of them", address=HERE)
    assert happened(accounts)[0] == "not confirmed"
    with pytest.raises(TooManyAttempts):
        confirm(accounts, person="tang", password=PASSWORD, address=HERE)


def test_made_up_names_do_not_fill_the_database(small: Accounts, clock: Clock) -> None:
    for number in range(20):
        wrong(small, 1, f"name{number}", f"192.0.2.{number}")
    clock.on(hours=2)
    enter(small)
    with small.reading() as session:
        assert (session.execute(text("SELECT count(*) FROM web_attempt")).scalar() or 0) <= 2


@pytest.mark.parametrize("wrong", [{"idle_minutes": 0}, {"longest_hours": -1}, {"account_failures": True}])
def test_a_policy_is_of_whole_numbers(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError):
        SignInPolicy(**wrong)


# Tokens of other systems


def test_a_token_has_some_roles_for_a_while(accounts: Accounts, clock: Clock) -> None:
    shown, made = make_token(accounts, "both", name="lis", roles=["technologist"], days=30)
    assert shown.startswith("consilium_")
    assert made.roles == ("technologist",)
    found = present_by_token(accounts, shown)
    assert found is not None and (found.person, found.roles, found.session) == ("both", {"technologist"}, None)
    clock.on(days=30)
    assert present_by_token(accounts, shown) is None
    assert tokens(accounts, "both")[0].expired


def test_a_token_counts_no_longer_when_it_is_revoked(accounts: Accounts) -> None:
    shown, _ = make_token(accounts, "tang", name="lis", roles=["technologist"], days=30)
    with pytest.raises(InputError):
        revoke_token(accounts, "both", "lis")
    assert present_by_token(accounts, shown) is not None
    revoke_token(accounts, "tang", "lis")
    assert present_by_token(accounts, shown) is None
    assert happened(accounts)[:2] == ["token revoked", "token made"]


def test_a_token_loses_what_its_person_loses(accounts: Accounts, url: str) -> None:
    shown, _ = make_token(accounts, "both", name="lis", roles=["technologist", "director"], days=30)
    records = Laboratory(url)
    with records.changing("ada") as change:
        put_staff(change, "both", ["technologist"])
    found = present_by_token(accounts, shown)
    assert found is not None and found.roles == {"technologist"}
    records.close()


def test_a_token_is_over_when_the_password_is_reset(accounts: Accounts) -> None:
    shown, _ = make_token(accounts, "tang", name="lis", roles=["technologist"], days=30)
    reset_password(accounts, "tang", by="ada")
    assert present_by_token(accounts, shown) is None


@pytest.mark.parametrize(
    "wish",
    [
        {"name": "", "roles": ["technologist"], "days": 3}, {"name": "a", "roles": [], "days": 3},
        {"name": "a", "roles": ["director"], "days": 3}, {"name": "a", "roles": ["king"], "days": 3},
        {"name": "a", "roles": ["technologist"], "days": 0}, {"name": "a", "roles": ["technologist"], "days": 400},
        {"name": "a\0", "roles": ["technologist"], "days": 3},
    ],
)  # fmt: skip
def test_a_token_is_never_more_than_its_person(accounts: Accounts, wish: dict[str, object]) -> None:
    with pytest.raises(InputError):
        make_token(accounts, "tang", **wish)  # type: ignore[arg-type]


def test_a_name_of_a_token_is_used_once(accounts: Accounts) -> None:
    make_token(accounts, "tang", name="lis", roles=["technologist"], days=30)
    with pytest.raises(InputError):
        make_token(accounts, "tang", name="lis", roles=["technologist"], days=30)


@pytest.mark.parametrize("shown", ["", "consilium_", "x" * 100_000, "\ud800", "' OR 1=1 --", "\0"])
def test_what_is_no_token_is_nobody(accounts: Accounts, shown: str) -> None:
    assert present_by_token(accounts, shown) is None
    assert present(accounts, shown) is None
