"""A URL that is not as it should be is refused by every command that takes it, and no password in it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import orderlines
from orderlines.errors import UsageError

if TYPE_CHECKING:
    from tests.conftest import Shell

DONE = "flow: done\nline: [{id: a, delay: 1ms}]\n"
SECRET = "hunter2"  # noqa: S105 -- not one
NO_URLS = (f"me:{SECRET}@host", f"redis:me:{SECRET}@host/0", f"host?password={SECRET}", f"me:{SECRET}@h?next=http://o")


@pytest.mark.parametrize("option", ["--store", "--results", "--queue"])
@pytest.mark.parametrize("given", NO_URLS)
def test_what_is_no_url_is_refused_and_not_shown(option: str, given: str, shell: Shell) -> None:
    done = shell.call("recover", option, given)
    assert (done.code, done.out) == (2, "")
    told = {
        "--store": "'***' is not the URL of a store; write one such as sqlite:///",
        "--results": "--results: '***' is not the URL of a store; write one such as sqlite:///",
        "--queue": "--queue: what was given is not the URL of a Redis: write one such as redis://",
    }
    assert told[option] in done.err
    assert SECRET not in done.err


def test_a_path_that_is_no_url_is_shown(shell: Shell) -> None:
    assert "'runs/my.db' is not the URL of a store" in shell.call("runs", "--store", "runs/my.db").err


@pytest.mark.parametrize("command", ["status last", "doctor", "logs last", "runs", "workers", "scheduler"])
def test_no_command_shows_a_part_of_what_is_no_url(command: str, shell: Shell) -> None:
    done = shell.call(*command.split(), "--store", NO_URLS[0])
    assert SECRET not in done.out + done.err
    assert "'***' is not the URL of a store" in done.out + done.err


@pytest.mark.parametrize("given", [*NO_URLS, SECRET.encode()])
def test_from_python_too(given: str | bytes) -> None:
    with pytest.raises(UsageError) as caught:
        orderlines.Engine(given)  # type: ignore[arg-type]
    assert SECRET not in str(caught.value)


QUEUES = {
    f"http://me:{SECRET}@host": "is not the URL of a Redis: write one such as redis://",
    f"redis+sentinel://:{SECRET}@host/ours": "do not ask sentinels for it; name any server",
    f"unix:///run/redis.sock?password=a&{SECRET}": "what follows the option 'password' is none: write %26 for an &",
    f"redis://me:{SECRET}": "its port has to be a number",
    f"redis://host/0?passwd={SECRET}": "a queue has no option 'passwd'; there are ca, ",
    f"redis://:{SECRET}@host/0?ca=cert.pem": "the option 'ca' is for TLS: write rediss:// with it",
}


@pytest.mark.parametrize("command", [["scheduler"], ["recover"], ["run", "FLOW"], ["stop", "last"], ["workers"]])
@pytest.mark.parametrize(("queue", "told"), QUEUES.items())
def test_a_queue_that_cannot_be_one_is_refused_before_anything_is_done(
    command: list[str], queue: str, told: str, shell: Shell
) -> None:
    words = [str(shell.flow(DONE)) if word == "FLOW" else word for word in command]
    done = shell.call(*words, "--queue", queue)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: --queue: ")
    assert told in done.err
    assert SECRET not in done.err
    assert not (shell.folder / ".orderlines").exists()
    with pytest.raises(UsageError) as caught:
        orderlines.Engine(f"sqlite:///{shell.folder}/runs.db", queue=queue)
    assert told in str(caught.value)
    assert SECRET not in str(caught.value)
