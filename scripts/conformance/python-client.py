"""Asks the servers of the plan on standard input with tecton-client; prints each case as a line of JSON."""

import asyncio
import json
import math
import sys

import httpx
from tecton_client import AsyncTectonClient, MetadataOptions, RequestOptions, TectonClient
from tecton_client import exceptions

plan = json.load(sys.stdin)
ann = {"user_id": "ann", "device_id": 7}
scalars = {
    "facts.flag_last_1d_continuous": False,
    "facts.moment_last_1d_continuous": "2024-01-10T12:00:00.250Z",
    "facts.real_last_3_1d_continuous": [0.5, 1.5],
    "facts.real_mean_1d_continuous": 1.0,
    "facts.whole_count_1d_continuous": 3,
    "facts.whole_last_1d_continuous": -1,
    "facts.whole_last_3_1d_continuous": [1, 9007199254740993, -1],
    "facts.whole_sum_1d_continuous": 9007199254740993,
    "facts.word_last_1d_continuous": "one",
    "facts.word_last_3_1d_continuous": ["one", "two", "one"],
    "facts.word_last_distinct_2_1d_continuous": ["two", "one"],
}
names_and_types = MetadataOptions(include_names=True, include_data_types=True)


def client(server="well", key="unknown"):
    # A server may take the 2 s that a request has.
    session = httpx.Client(timeout=10)
    return TectonClient(plan["urls"][server], plan["keys"][key], default_workspace_name="prod", client=session)


def ask(to=None, service="scalars", keys=ann, **options):
    return (to or client()).get_features(
        feature_service_name=service, join_key_map=keys, metadata_options=names_and_types, **options
    )


def check(found, expected):
    assert found == expected, f"{found!r}, expected {expected!r}"


def check_types():
    found = ask().get_features_dict()
    check(found, scalars)
    check(list(found), sorted(found))


def check_key_forms():
    check(ask(keys={"user_id": "ann", "device_id": "7"}).get_features_dict(), scalars)


def check_unknown():
    unknown = {"user_id": "nobody", "device_id": 1}
    check(set(ask(keys=unknown).get_features_dict().values()), {None})
    options = RequestOptions(coerce_null_counts_to_zero=True, read_from_cache=True, write_to_cache=False)
    found = ask(keys=unknown, request_options=options).get_features_dict()
    check(found["facts.whole_count_1d_continuous"], 0)
    check(found["facts.whole_sum_1d_continuous"], None)


def check_null_key():
    found = ask(keys={**ann, "user_id": None}).get_features_dict()
    check(set(found.values()), {None})


def check_plain():
    answer = client().get_features(feature_service_name="scalars", join_key_map=ann)
    check(answer.metadata, None)
    check(len(answer.result.features), len(scalars))


def check_metadata_options():
    answer = client().get_features(
        feature_service_name="scalars", join_key_map=ann, metadata_options=MetadataOptions.all()
    )
    check({feature["status"] for feature in answer.metadata["features"]}, {"PRESENT"})
    assert all(feature["effectiveTime"].endswith("Z") for feature in answer.metadata["features"])
    check(answer.slo_info.slo_eligible, True)
    assert answer.slo_info.server_time_seconds >= answer.slo_info.slo_server_time_seconds >= 0
    assert answer.slo_info.store_response_size_bytes > 0


def check_key():
    found = ask(client("guarded", "reader")).get_features_dict()
    check(set(found), set(scalars))


def ask_too_often():
    for _ in range(2):
        ask(client("guarded", "hasty"))


def check_nested():
    request = {
        "real": "NaN",
        "list": ["1", None, str(2**62)],
        "table": {"a": "1", "b": None},
        "item": {"name": "n", "size": str(-(2**63)), "price": 0.5},
    }
    found = ask(service="nested", keys={}, request_context_map=request).get_features_dict()
    assert math.isnan(float(found["echo.real"])), found
    check(found["echo.list"], [1, None, 2**62])
    check(found["echo.table"], {"a": 1, "b": None})
    check(found["echo.item"], {"name": "n", "size": -(2**63), "price": 0.5})
    check(found["echo.nothing"], None)


def check_async():
    async def run():
        asynchronous = AsyncTectonClient(plan["urls"]["well"], "none", default_workspace_name="prod")
        answers = await asyncio.gather(
            *(
                asynchronous.get_features(
                    feature_service_name="scalars", join_key_map=ann, metadata_options=names_and_types
                )
                for _ in range(3)
            )
        )
        for answer in answers:
            check(answer.get_features_dict(), scalars)

    asyncio.run(run())


def check_feature_service_metadata():
    found = client().get_feature_service_metadata(feature_service_name="scalars")
    check({key["name"]: key["dataType"]["type"] for key in found.input_join_keys}, {"user_id": "string", "device_id": "int64"})
    check([value["name"] for value in found.feature_values], sorted(scalars))
    context = client().get_feature_service_metadata(feature_service_name="nested")
    check({key["name"] for key in context.input_request_context_keys}, {"real", "list", "table", "item"})


def refused(expected, status, call):
    """Whether a call raises the exception that the client has for a status, with the server's words."""

    def run():
        try:
            answer = call()
        except exceptions.TectonHttpException as error:
            check(type(error), expected)
            head, _, words = error.message.partition(": ")
            assert head.startswith(f"{status} "), error.message
            # The client drops the words of statuses that it has no exception for.
            assert words or expected is exceptions.TectonHttpException, error.message
            return
        raise AssertionError(f"it answered {answer!r}")

    return run


cases = [
    ("get_features: scalars and arrays", check_types),
    ("get_features: int64 join key as text", check_key_forms),
    ("get_features: unknown entity, counts coerced", check_unknown),
    ("get_features: join key null", check_null_key),
    ("get_features: no metadata asked for", check_plain),
    ("get_features: all metadata", check_metadata_options),
    ("get_features: maps, structs, NaN, nulls", check_nested),
    ("get_features: asynchronous", check_async),
    ("get_features: with a key", check_key),
    ("400: join key left out", refused(exceptions.BadRequestError, 400, lambda: ask(keys={"user_id": "a"}))),
    ("401: unknown key", refused(exceptions.UnauthorizedError, 401, lambda: ask(client("guarded")))),
    ("403: key of another service", refused(exceptions.ForbiddenError, 403, lambda: ask(client("guarded", "outsider")))),
    ("404: unknown service", refused(exceptions.NotFoundError, 404, lambda: ask(service="none"))),
    ("404: unknown workspace", refused(exceptions.NotFoundError, 404, lambda: ask(workspace_name="none"))),
    ("429: more than a key may ask", refused(exceptions.ResourceExhaustedError, 429, ask_too_often)),
    ("500: store broken", refused(exceptions.TectonHttpException, 500, lambda: ask(client("broken")))),
    ("503: store away", refused(exceptions.ServiceUnavailableError, 503, lambda: ask(client("away")))),
    ("503: store silent", refused(exceptions.ServiceUnavailableError, 503, lambda: ask(client("silent")))),
    ("504: request out of time", refused(exceptions.GatewayTimeoutError, 504, lambda: ask(client("hanging")))),
    ("metadata: types of keys and features", check_feature_service_metadata),
]

for name, run in cases:
    try:
        run()
        problem = None
    except Exception as error:  # A case that fails in any way is a failed case, and the next one runs.
        problem = f"{type(error).__name__}: {error}"
    print(json.dumps({"name": name, "problem": problem}), flush=True)
