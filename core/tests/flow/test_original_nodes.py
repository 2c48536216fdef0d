"""Single nodes of the original notation: arguments, results, settings, gateways' conditions."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def translated(task: Any, original: Any) -> Any:
    """Translate one node after a start; a gateway has three nodes to lead to."""

    def run(task_type: str = "common", **fields: Any) -> tuple[dict[str, Any], Any]:
        fields = {"next_id": None, **fields}
        gateway = task_type in {"process_control", "parallel", "group"}
        targets = [task("t1"), task("t2"), task("t3")] if gateway else []
        result = original([task("s", "start", "a"), task("a", task_type, **fields), *targets])
        return result.document["line"][1], result.told

    return run


RESULTS = {
    "the result itself": ([{"k": "${x}"}], {"x": "${result.k}"}, {}),
    "arithmetic": ([{"k": "${x}+1", "variable_type": "int"}], {"x": "${result.k + 1}"}, {"x": "int"}),
    "the result twice": ([{"k": "${x}*${x}"}], {"x": "${result.k * result.k}"}, {}),
    "further names are variables": ([{"k": "${x}*${rate}"}], {"x": "${result.k * rate}"}, {}),
    "joined": ([{"k": "${x}+_done"}], {"x": "${result.k}_done"}, {}),
    "a key that is no name": ([{"a key": "${x}"}], {"x": "${result['a key']}"}, {}),
    "several": (
        [{"k": "${x}", "variable_type": "STR", "variable_desc": ""}, {"m": "${y}"}],
        {"x": "${result.k}", "y": "${result.m}"},
        {"x": "str"},
    ),
    "of an entry before": (
        [{"k": "${x}+1"}, {"m": "${y}*${x}"}, {"n": "${z}+_${x}"}],
        {"x": "${result.k + 1}", "y": "${result.m * (result.k + 1)}", "z": "${result.n}+_${(result.k + 1)}"},
        {},
    ),
    "null": (None, None, {}),
    "none": ([], None, {}),
}


@pytest.mark.parametrize(("value", "assigned", "types"), RESULTS.values(), ids=RESULTS)
def test_results_are_assigned(value: object, assigned: object, types: object, translated: Any) -> None:
    node, told = translated(result=value)
    assert node.get("set") == assigned
    assert node.get("types", {}) == types
    assert told.errors == []


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("${x}", "$[1].result"),
        ([1], "$[1].result[0]"),
        ([{}], "$[1].result[0]"),
        ([{"k": "${x}", "m": "${y}"}], "$[1].result[0]"),
        ([{"k": "x"}], "$[1].result[0].k"),
        ([{"k": 1}], "$[1].result[0].k"),
        ([{"k": "${x}+"}], "$[1].result[0].k"),
        ([{"k": "${x.y}"}], "$[1].result[0].k"),
        ([{"k": "${x}", "variable_type": "number"}], "$[1].result[0].variable_type"),
    ],
)
def test_results_that_say_nothing_are_refused(value: object, path: str, translated: Any) -> None:
    assert [error.path for error in translated(result=value)[1].errors] == [path]


def test_results_that_grow_without_end_are_refused(translated: Any) -> None:
    entries = [{"k": "${x0}+1"}, *({"k": f"${{x{i}}}*${{x{i - 1}}}*${{x{i - 1}}}"} for i in range(1, 60))]
    errors = translated(result=entries)[1].errors
    assert errors
    assert all("longer than 4,096 characters" in error.reason for error in errors)


@pytest.mark.parametrize("variable", ["${total}", "total"])
def test_a_result_config_assigns_one_variable(variable: str, translated: Any) -> None:
    node, told = translated(result_config={"result_key": "add_value", "variable_key": variable})
    assert node["set"] == {"total": "${result.add_value}"}
    assert told.said == []


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ([], "$[1].result_config"),
        ({"result_key": "k"}, "$[1].result_config.variable_key"),
        ({"result_key": "k", "variable_key": "${a}+1"}, "$[1].result_config.variable_key"),
        ({"result_key": 1, "variable_key": "x"}, "$[1].result_config.result_key"),
    ],
)
def test_a_result_config_that_says_nothing_is_refused(config: object, path: str, translated: Any) -> None:
    assert [error.path for error in translated(result_config=config)[1].errors] == [path]


def test_arguments_are_resolved_at_any_depth(translated: Any) -> None:
    node, _ = translated(method_kwargs={"a": [{"b": "${x}+1"}, 2], "c": {"d": ["${x}+_y", None]}})
    assert node["with"] == {"a": [{"b": "${x + 1}"}, 2], "c": {"d": ["${x}_y", None]}}


@pytest.mark.parametrize("kwargs", [None, {}])
def test_no_arguments_are_no_arguments(kwargs: object, translated: Any) -> None:
    node, told = translated(method_kwargs=kwargs)
    assert "with" not in node
    assert told.said == []


@pytest.mark.parametrize(
    ("name", "native"),
    [
        ("result", "result_"),
        ("class", "class_"),
        ("1st", "_1st"),
        ("true", "true_"),
        ("ﬁnal", "final"),
        ("名字", "名字"),
    ],
)
def test_a_name_that_native_expressions_cannot_have_is_changed(name: str, native: str, translated: Any) -> None:
    node, told = translated(method_kwargs={"a": f"${{{name}}}"}, result=[{"k": f"${{{name}}}+1"}])
    assert node["with"] == {"a": f"${{{native}}}"}
    assert node["set"] == {native: "${result.k + 1}"}
    assert [native in warning for warning in told.warnings] == ([True] if native != name else [])


def test_two_names_never_become_one(translated: Any) -> None:
    node, _ = translated(method_kwargs={"a": "${class}", "b": "${class_}"})
    assert node["with"] == {"a": "${class_}", "b": "${class__}"}


@pytest.mark.parametrize(
    ("module", "method", "call"),
    [("AddTest", "test_add", "Test.test_add"), ("SubtractionTest", "x", "Test.x"), ("Start", "start", "BuiltIn.start")],
)
def test_the_libraries_of_the_earliest_files_have_other_names(
    module: str, method: str, call: str, translated: Any
) -> None:
    assert translated(task_module=module, method_name=method)[0]["call"] == call


CONFIGS = {
    "null": (None, {}),
    "empty values": ({"timeout": None, "task_strategy": None, "runner": ""}, {}),
    "timeout": ({"timeout": 2.5}, {"timeout": 2.5}),
    "raise": ({"task_strategy": "Raise"}, {"on_error": "raise"}),
    "skip": ({"task_strategy": "SKIP"}, {"on_error": "skip"}),
    "ignore": ({"task_strategy": "ignore"}, {"on_error": "skip"}),
    "retry": ({"task_strategy": "retry"}, {"retry": {"times": 3, "delay": 1}, "on_error": "raise"}),
    "retry often": (
        {"task_strategy": "RETRY", "retry_time": 9, "sleep_time": 0},
        {"retry": {"times": 9, "delay": 0}, "on_error": "raise"},
    ),
    "no retry": ({"retry_time": 9, "sleep_time": 0}, {}),
    "runner": ({"runner": "Process"}, {"executor": "process"}),
    "callback": (
        {"callback_func": "send", "callback_module": "mail"},
        {"on_failure": {"call": "mail.send", "with": None}},
    ),
}


@pytest.mark.parametrize(("config", "settings"), CONFIGS.values(), ids=CONFIGS)
def test_a_task_config_becomes_settings(config: object, settings: dict[str, Any], translated: Any) -> None:
    node, told = translated(task_config=config)
    assert {key: value for key, value in node.items() if key not in ("id", "call")} == settings
    assert told.said == []


@pytest.mark.parametrize(
    ("config", "path", "named"),
    [
        ([], "$[1].task_config", "a list"),
        ({"task_strategy": "pray"}, "$[1].task_config.task_strategy", "'pray'"),
        ({"task_strategy": 1}, "$[1].task_config.task_strategy", "an integer"),
        ({"runner": 1}, "$[1].task_config.runner", "an integer"),
        ({"callback_func": "send"}, "$[1].task_config", "callback_module"),
        ({"callback_func": 1, "callback_module": "mail"}, "$[1].task_config.callback_func", "callback_func"),
    ],
)
def test_a_wrong_task_config_is_refused(config: object, path: str, named: str, translated: Any) -> None:
    errors = translated(task_config=config)[1].errors
    assert [error.path for error in errors] == [path]
    assert named in errors[0].reason


@pytest.mark.parametrize(
    ("task_type", "config", "field"),
    [("end", {"timeout": 1}, "timeout"), ("common", {"pool_size": 2}, "pool_size"), ("common", {"new": 1}, "new")],
)
def test_a_setting_without_effect_is_a_warning(task_type: str, config: Any, field: str, translated: Any) -> None:
    told = translated(task_type, task_config=config)[1]
    assert told.errors == []
    assert len([warning for warning in told.warnings if field in warning]) == 1


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        (None, {"executor": "gevent"}),
        ({"runner": None}, {"executor": "gevent"}),
        ({"runner": "process", "pool_size": 4}, {"executor": "process", "limit": 4}),
    ],
)
def test_a_parallel_says_where_its_calls_run(config: object, settings: dict[str, Any], translated: Any) -> None:
    node, told = translated("parallel", method_kwargs={"parallel_task_ids": ["t1", "t2", "t3"]}, task_config=config)
    assert {key: value for key, value in node["parallel"].items() if key != "lines"} == settings
    assert told.said == []


MEMBERS = {"parallel": {"parallel_task_ids": ["t1", "t2", "t3"]}, "group": {"group_ids": ["t1", "t2", "t3"]}}


@pytest.mark.parametrize("task_type", MEMBERS)
@pytest.mark.parametrize(
    ("config", "settings"),
    [
        ({"timeout": 3}, {"timeout": 3}),
        ({"task_strategy": "Ignore"}, {"on_error": "skip"}),
        ({"task_strategy": "raise"}, {"on_error": "raise"}),
        (
            {"callback_func": "tell", "callback_module": "Test"},
            {"on_failure": {"call": "Test.tell", "with": None}},
        ),
    ],
)
def test_what_opens_lines_can_time_out_and_fail(
    task_type: str, config: object, settings: dict[str, Any], translated: Any
) -> None:
    node, told = translated(task_type, method_kwargs=MEMBERS[task_type], task_config=config)
    assert settings.items() <= node.items()
    assert told.said == []


@pytest.mark.parametrize("task_type", MEMBERS)
def test_what_opens_lines_is_not_tried_again(task_type: str, translated: Any) -> None:
    config = {"task_strategy": "retry", "retry_time": 2}
    node, told = translated(task_type, method_kwargs=MEMBERS[task_type], task_config=config)
    assert node["on_error"] == "raise"
    assert "retry" not in node
    assert told.errors == []
    assert [word for word in ("retry_time", "not tried again") if not any(word in said for said in told.warnings)] == []


def test_unknown_fields_are_kept_and_named_once(translated: Any) -> None:
    node, told = translated(colour="red", desc="a note", prev_id=None, module_version=None)
    assert node["extra"] == {"colour": "red", "desc": "a note"}
    assert told.warnings == ["the field 'colour' of node a is unknown, and ignored"]


@pytest.mark.parametrize("key", ["process_id", "process_name", "sub_process_id"])
def test_a_sub_process_names_a_flow(key: str, translated: Any) -> None:
    node, told = translated("sub_process", method_kwargs={key: "other flow", "n": "${x}+1"})
    assert (node["flow"], node["with"]) == ("other_flow", {"n": "${x + 1}"})
    assert told.errors == []


def test_a_sub_process_without_a_flow_is_refused(translated: Any) -> None:
    assert [error.path for error in translated("sub_process", method_kwargs={})[1].errors] == ["$[1].method_kwargs"]


def second_form(*comparisons: Any) -> dict[str, Any]:
    return {"pc_type": "result", "conditions": [{"task_id": "t1", "condition": list(comparisons)}], "expression": []}


def compared(condition: object, sign: object, target: object) -> dict[str, Any]:
    return {"condition": condition, "sign": sign, "target": target}


STATUS = "nodes['s'].status"
GATES = {
    "value, first form": (
        {
            "conditions": [{"A": [compared("${n}", ">", 1)]}, {"B": [compared("${n}", "=", 1), compared(3, "<=", 4)]}],
            "expression": {"A": {"task_id": "t1"}, "B": {"task_id": "t2"}},
        },
        [{"when": "${n > 1}", "goto": "t1"}, {"when": "${n == 1 and 3 <= 4}", "goto": "t2"}],
    ),
    "value, letters in one mapping": (
        {
            "conditions": [{"A": [compared("${n}", ">", 1)], "B": [compared("${n}", "==", 1)]}],
            "expression": {"A": {"task_id": "t1"}, "B": {"task_id": "t2"}},
        },
        [{"when": "${n > 1}", "goto": "t1"}, {"when": "${n == 1}", "goto": "t2"}],
    ),
    "value, second form": (
        second_form(compared("${n}+1", ">=", "${m}*2")),
        [{"when": "${n + 1 >= m * 2}", "goto": "t1"}],
    ),
    "text": (second_form(compared("${n}", "!=", "it's")), [{"when": '${n != "it\'s"}', "goto": "t1"}]),
    "text that is joined": (
        second_form(compared("${n}+_x", "=", "a")),
        [{"when": "${str(n) + '_x' == 'a'}", "goto": "t1"}],
    ),
    "a number in a text, ordered": (second_form(compared("5", "<", "${n}")), [{"when": "${5 < n}", "goto": "t1"}]),
    "a number in a text, equal": (second_form(compared("5", "=", "${n}")), [{"when": "${'5' == n}", "goto": "t1"}]),
    "a boolean": (second_form(compared("${n}", "=", True)), [{"when": "${n == True}", "goto": "t1"}]),
    "null": (second_form(compared("${n}", "=", None)), [{"when": "${n == None}", "goto": "t1"}]),
    "status, first form": (
        {"conditions": "s", "expression": {"success": {"task_id": "t1"}, "failure": {"task_id": "t2"}}},
        [{"when": f"${{{STATUS} == 'SUCCESS'}}", "goto": "t1"}, {"else": "t2"}],
    ),
    "status, any case and bare ids": (
        {"conditions": "s", "expression": {"SUCCESS": "t1", "Failure": "t2"}},
        [{"when": f"${{{STATUS} == 'SUCCESS'}}", "goto": "t1"}, {"else": "t2"}],
    ),
    "status, a list": (
        {"conditions": ["s", "t3"], "expression": {"success": {"task_id": "t1"}, "failure": {"task_id": "t2"}}},
        [
            {"when": f"${{{STATUS} == 'SUCCESS' and nodes['t3'].status == 'SUCCESS'}}", "goto": "t1"},
            {"else": "t2"},
        ],
    ),
    "status, success alone": (
        {"conditions": "s", "expression": {"success": {"task_id": "t1"}}},
        [{"when": f"${{{STATUS} == 'SUCCESS'}}", "goto": "t1"}],
    ),
    "status, failure alone": (
        {"conditions": "s", "expression": {"failure": {"task_id": "t1"}}},
        [{"when": f"${{not ({STATUS} == 'SUCCESS')}}", "goto": "t1"}],
    ),
    "status, oldest": (
        {"conditions": "Failure", "expression": {"success": {"task_id": "t1"}, "failure": {"task_id": "t2"}}},
        [{"when": False, "goto": "t1"}, {"else": "t2"}],
    ),
    "status, oldest, one branch": (
        {"conditions": "success", "expression": {"success": {"task_id": "t1"}}},
        [{"when": True, "goto": "t1"}],
    ),
    "status, second form": (
        {
            "pc_type": "Status",
            "conditions": [
                {"task_id": "t1", "condition": [{"task_status": "SUCCESS", "condition": "s"}]},
                {"task_id": "t2", "condition": [{"task_status": "failure", "condition": ["s"]}]},
            ],
        },
        [{"when": f"${{{STATUS} == 'SUCCESS'}}", "goto": "t1"}, {"when": f"${{{STATUS} != 'SUCCESS'}}", "goto": "t2"}],
    ),
}


@pytest.mark.parametrize(("kwargs", "cases"), GATES.values(), ids=GATES)
def test_every_form_of_a_gateway_becomes_a_switch(kwargs: object, cases: object, translated: Any) -> None:
    node, told = translated("process_control", method_kwargs=kwargs)
    assert node["switch"] == cases
    assert told.errors == []


BASE = "$[1].method_kwargs"
BAD_GATES = {
    "nothing": (None, f"{BASE}.conditions", "no conditions"),
    "an unknown watched node": ({"conditions": 77, "expression": {"success": "t1"}}, f"{BASE}.conditions", "names 77"),
    "an unknown target": (
        {"conditions": "s", "expression": {"success": {"task_id": 77}, "failure": {"task_id": "t1"}}},
        f"{BASE}.expression.success.task_id",
        "names 77",
    ),
    "an unknown target, second form": (
        {"conditions": [{"task_id": 77, "condition": [compared(1, "=", 1)]}]},
        f"{BASE}.conditions[0].task_id",
        "names 77",
    ),
    "a letter that leads nowhere": (
        {"conditions": [{"A": [compared(1, "=", 1)]}], "expression": {}},
        f"{BASE}.conditions[0].A",
        "does not say where 'A' leads",
    ),
    "a literal that leads nowhere": (
        {"conditions": "success", "expression": {"failure": "t1"}},
        f"{BASE}.conditions",
        "does not say where 'success' leads",
    ),
    "an unknown sign": (second_form(compared(1, "~", 1)), f"{BASE}.conditions[0].condition[0].sign", "'~'"),
    "no sign": (second_form({"condition": 1}), f"{BASE}.conditions[0].condition[0]", "no sign and no target"),
    "no comparison": (second_form(), f"{BASE}.conditions[0].condition", "no comparison"),
    "a list": (second_form(compared([1], "=", 1)), f"{BASE}.conditions[0].condition[0].condition", "a list"),
    "a bad expression": (
        second_form(compared("${n}+", "=", 1)),
        f"{BASE}.conditions[0].condition[0].condition",
        "'${n}+'",
    ),
    "an unknown status": (
        second_form({"task_status": "maybe", "condition": "s"}),
        f"{BASE}.conditions[0].condition[0].task_status",
        "'maybe'",
    ),
    "an unknown kind": (
        {**second_form(compared(1, "=", 1)), "pc_type": "mood"},
        f"{BASE}.pc_type",
        "'mood'",
    ),
}


@pytest.mark.parametrize(("kwargs", "path", "named"), BAD_GATES.values(), ids=BAD_GATES)
def test_a_gateway_that_cannot_decide_is_refused(kwargs: object, path: str, named: str, translated: Any) -> None:
    errors = translated("process_control", method_kwargs=kwargs)[1].errors
    assert [error.path for error in errors] == [path]
    assert named in errors[0].reason


def test_a_target_that_no_condition_leads_to_is_a_warning(translated: Any) -> None:
    expression = {"A": {"task_id": "t1"}, "B": {"task_id": "t2"}}
    kwargs = {"conditions": [{"A": [compared(1, "=", 1)]}], "expression": expression}
    told = translated("process_control", method_kwargs=kwargs)[1]
    assert "no condition of node a leads to 'b' of its expression" in told.warnings
