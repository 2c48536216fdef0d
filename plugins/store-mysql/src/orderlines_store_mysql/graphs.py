"""Joins whose lines wait for each other: each that is not open has a row, which counts those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines_store_mysql.literals import many, numbers, put

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orderlines.stores.records import Opening
    from orderlines_store_mysql.group import Group
    from orderlines_store_mysql.locking import Join

FOLLOWERS: Final = "INSERT INTO ol_followers (join_id, idx, missing) VALUES"
_READY: Final = "SELECT idx FROM ol_followers WHERE join_id = %s AND missing = 0 ORDER BY idx LIMIT %s"


def enter(group: Group, join: Join, opening: Opening) -> None:
    """Enter the lines of a graph that has been opened."""
    rows = [(join.id, place, len(opening.after.get(place, ()))) for place in range(join.total)]
    group.write(*many(FOLLOWERS, rows))


def forgotten(join: Join) -> str:
    """Return what takes the lines of a graph off that are not open."""
    return put("DELETE FROM ol_followers WHERE join_id = %s", join.id)


def ready(group: Group, join: Join, opening: Opening) -> list[int]:
    """Take off those lines that wait for no other any more, as far as the limit allows; return their places."""
    room = max(opening.limit - (join.remaining - join.unopened - join.queued), 0)
    places = [row[0] for row in group.ask(put(_READY, join.id, room)).rows]
    if places:
        group.write(f"DELETE FROM ol_followers WHERE join_id = {join.id} AND idx IN {numbers(places)}")
        join.unopened -= len(places)
        join.changed = True
    return places


def pass_on(group: Group, join: Join, opening: Opening, place: int, *, good: bool) -> None:
    """Tell those that follow a child in its graph; where it has not succeeded they end with it, and are counted."""
    followers = list(_following(opening, place))
    if good:
        if followers:
            told = f"UPDATE ol_followers SET missing = missing - 1 WHERE join_id = {join.id} AND idx IN"
            group.write(f"{told} {numbers(followers)}")
        return
    while followers:
        further = followers.pop()
        gone = group.ask(put("DELETE FROM ol_followers WHERE join_id = %s AND idx = %s", join.id, further)).matched
        if gone:
            join.unopened -= 1
            join.remaining -= 1
            join.changed = True
            followers.extend(_following(opening, further))


def _following(opening: Opening, place: int) -> Iterable[int]:
    if opening.following:
        return opening.following.get(place, ())
    return [further for further, before in opening.after.items() if place in before]
