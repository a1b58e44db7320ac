"""CloudWatch Logs as boto3's users drive it."""
import threading
import time

import pytest

from refusal import all_pages, refused


@pytest.fixture(scope="module")
def logs(engine):
    return engine.client("logs")


def now():
    return int(time.time() * 1000)


def test_groups(logs):
    logs.create_log_group(logGroupName="/app/one", tags={"team": "red"})
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException,
                       match="The specified log group already exists"):
        logs.create_log_group(logGroupName="/app/one")
    group = logs.describe_log_groups(logGroupNamePrefix="/app/one")["logGroups"][0]
    assert group["arn"] == "arn:aws:logs:us-east-1:123456789012:log-group:/app/one:*"
    assert "retentionInDays" not in group and group["storedBytes"] == 0 and group["creationTime"] <= now()
    logs.put_retention_policy(logGroupName="/app/one", retentionInDays=7)
    assert logs.describe_log_groups(logGroupNamePrefix="/app/one")["logGroups"][0]["retentionInDays"] == 7
    refused("InvalidParameterException", logs.put_retention_policy, logGroupName="/app/one", retentionInDays=8)
    logs.delete_retention_policy(logGroupName="/app/one")
    assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix="/app/one")["logGroups"][0]

    arn = group["arn"].removesuffix(":*")
    logs.tag_resource(resourceArn=arn, tags={"floor": "2"})
    logs.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"floor": "2"}
    logs.tag_log_group(logGroupName="/app/one", tags={"old": "way"})
    logs.untag_log_group(logGroupName="/app/one", tags=["floor"])
    assert logs.list_tags_log_group(logGroupName="/app/one")["tags"] == {"old": "way"}

    logs.delete_log_group(logGroupName="/app/one")
    with pytest.raises(logs.exceptions.ResourceNotFoundException, match="The specified log group does not exist"):
        logs.delete_log_group(logGroupName="/app/one")


def test_pages_of_groups_and_streams(logs):
    names = [f"/page/{at}" for at in range(5)]
    for name in names:
        logs.create_log_group(logGroupName=name)
        logs.create_log_stream(logGroupName="/page/0", logStreamName=name.replace("/", "-"))
    found = all_pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix="/page/")
    assert [g["logGroupName"] for g in found] == names
    streams = all_pages(logs, "describe_log_streams", "logStreams", logGroupName="/page/0")
    assert [s["logStreamName"] for s in streams] == [n.replace("/", "-") for n in names]
    assert logs.describe_log_streams(logGroupName="/page/0", descending=True)["logStreams"][0][
        "logStreamName"] == "-page-4"
    for at, stream in enumerate(reversed(streams)):
        logs.put_log_events(logGroupName="/page/0", logStreamName=stream["logStreamName"],
                            logEvents=[{"timestamp": now() - 10_000 + at, "message": "x"}])
    by_time = all_pages(logs, "describe_log_streams", "logStreams", logGroupName="/page/0",
                        orderBy="LastEventTime", descending=True)
    assert [s["logStreamName"] for s in by_time] == [s["logStreamName"] for s in streams]
    refused("InvalidParameterException", logs.describe_log_streams, "(?i)LastEventTime|order",
            logGroupName="/page/0", orderBy="LastEventTime", logStreamNamePrefix="x")
    pattern = all_pages(logs, "describe_log_groups", "logGroups", logGroupNamePattern="ge/3")
    assert [g["logGroupName"] for g in pattern] == ["/page/3"]


def test_events_come_back_in_order(logs):
    logs.create_log_group(logGroupName="events")
    logs.create_log_stream(logGroupName="events", logStreamName="s")
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName="events", logStreamName="s")
    begin = now() - 60_000
    sent = [{"timestamp": begin + at, "message": f"line {at}"} for at in range(25)]
    answer = logs.put_log_events(logGroupName="events", logStreamName="s", logEvents=sent)
    assert "nextSequenceToken" in answer and "rejectedLogEventsInfo" not in answer
    read = logs.get_log_events(logGroupName="events", logStreamName="s", startFromHead=True)
    assert [(e["timestamp"], e["message"]) for e in read["events"]] == [
        (e["timestamp"], e["message"]) for e in sent]

    token, lines = None, []
    while True:
        more = {"nextToken": token} if token else {"startFromHead": True}
        page = logs.get_log_events(logGroupName="events", logStreamName="s", limit=10, **more)
        lines += [e["message"] for e in page["events"]]
        if page["nextForwardToken"] == token:
            break
        token = page["nextForwardToken"]
    assert lines == [e["message"] for e in sent]
    newest = logs.get_log_events(logGroupName="events", logStreamName="s", limit=3)["events"]
    assert [e["message"] for e in newest] == ["line 22", "line 23", "line 24"]
    window = logs.get_log_events(logGroupName="events", logStreamName="s", startTime=begin + 5, endTime=begin + 8)
    assert [e["message"] for e in window["events"]] == ["line 5", "line 6", "line 7"]

    found = all_pages(logs, "filter_log_events", "events", 4, logGroupName="events")
    assert [e["message"] for e in found] == [e["message"] for e in sent]
    assert len({e["eventId"] for e in found}) == 25
    one = logs.filter_log_events(logGroupName="events", filterPattern='"line 7"')["events"]
    assert [e["message"] for e in one] == ["line 7"]
    refused("InvalidParameterException", logs.get_log_events, logGroupName="events", logStreamName="s",
            nextToken="nonsense")


def test_filters(logs):
    logs.create_log_group(logGroupName="filters")
    for stream in ("web-1", "web-2", "batch"):
        logs.create_log_stream(logGroupName="filters", logStreamName=stream)
    at = now() - 5_000
    for stream, message in [("web-1", "ERROR disk full"), ("web-2", '{"level": "ERROR", "code": 500}'),
                            ("batch", "INFO fine"), ("web-1", '{"level": "INFO", "code": 200}')]:
        logs.put_log_events(logGroupName="filters", logStreamName=stream,
                            logEvents=[{"timestamp": at, "message": message}])
        at += 1

    def found(**how):
        return [e["message"] for e in logs.filter_log_events(logGroupName="filters", **how)["events"]]

    assert found(filterPattern="ERROR disk") == ["ERROR disk full"]
    assert found(filterPattern="?disk ?fine") == ["ERROR disk full", "INFO fine"]
    assert found(filterPattern="ERROR -disk") == ['{"level": "ERROR", "code": 500}']
    assert found(filterPattern="{ $.code >= 500 && $.level = \"ERROR\" }") == ['{"level": "ERROR", "code": 500}']
    assert len(found(logStreamNamePrefix="web-")) == 3 and found(logStreamNames=["batch"]) == ["INFO fine"]
    refused("InvalidParameterException", logs.filter_log_events, logGroupName="filters", logStreamNames=["batch"],
            logStreamNamePrefix="web-")
    refused("InvalidParameterException", logs.filter_log_events, logGroupName="filters", filterPattern="{ $.x = ")


def test_what_is_too_old_or_too_new_is_rejected(logs):
    logs.create_log_group(logGroupName="times")
    logs.create_log_stream(logGroupName="times", logStreamName="s")
    day = 24 * 3600 * 1000
    hour = day // 24
    put = lambda *times: logs.put_log_events(logGroupName="times", logStreamName="s", logEvents=[
        {"timestamp": now() + time, "message": "good" if -14 * day < time < 2 * hour else "bad"} for time in times])
    assert put(-14 * day - hour, -14 * day + hour)["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert put(0, 3 * hour)["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    read = logs.get_log_events(logGroupName="times", logStreamName="s")
    assert [e["message"] for e in read["events"]] == ["good", "good"]
    refused("InvalidParameterException", logs.put_log_events, logGroupName="times", logStreamName="s",
            logEvents=[{"timestamp": now(), "message": "b"}, {"timestamp": now() - 1000, "message": "a"}])
    refused("InvalidParameterException", logs.put_log_events, logGroupName="times", logStreamName="s",
            logEvents=[{"timestamp": at, "message": "x"} for at in (now(), now() - 25 * 3600 * 1000)])


def test_wrong_order(logs):
    put = {"logEvents": [{"timestamp": now(), "message": "x"}]}
    for call, more in ((logs.put_log_events, put), (logs.get_log_events, {})):
        parameters = {"logGroupName": "nowhere", "logStreamName": "s", **more}
        with pytest.raises(logs.exceptions.ResourceNotFoundException, match="The specified log group does not exist"):
            call(**parameters)
    logs.create_log_group(logGroupName="order")
    with pytest.raises(logs.exceptions.ResourceNotFoundException, match="The specified log stream does not exist"):
        logs.put_log_events(logGroupName="order", logStreamName="none",
                            logEvents=[{"timestamp": now(), "message": "x"}])
    logs.create_log_stream(logGroupName="order", logStreamName="s")
    logs.put_log_events(logGroupName="order", logStreamName="s", logEvents=[{"timestamp": now(), "message": "x"}])
    logs.delete_log_stream(logGroupName="order", logStreamName="s")
    assert logs.filter_log_events(logGroupName="order")["events"] == []
    refused("ResourceNotFoundException", logs.delete_log_stream, logGroupName="order", logStreamName="s")
    logs.create_log_stream(logGroupName="order", logStreamName="s")
    assert logs.get_log_events(logGroupName="order", logStreamName="s")["events"] == [], "a new stream is empty"
    refused("InvalidParameterException", logs.create_log_group, "(?i)logGroupName", logGroupName="bad name!")
    refused("InvalidParameterException", logs.create_log_stream, "(?i)logStreamName", logGroupName="order",
            logStreamName="a:b")


def test_many_writers_lose_nothing(logs):
    logs.create_log_group(logGroupName="busy")
    logs.create_log_stream(logGroupName="busy", logStreamName="s")

    def write(who):
        for at in range(10):
            logs.put_log_events(logGroupName="busy", logStreamName="s",
                                logEvents=[{"timestamp": now(), "message": f"{who}:{at}"}])

    threads = [threading.Thread(target=write, args=(who,)) for who in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = {e["message"] for e in all_pages(logs, "filter_log_events", "events", 13, logGroupName="busy")}
    assert lines == {f"{who}:{at}" for who in range(6) for at in range(10)}


def test_lines_survive_a_kill(engine):
    logs = engine.client("logs")
    logs.create_log_group(logGroupName="lasting")
    logs.create_log_stream(logGroupName="lasting", logStreamName="s")
    logs.put_log_events(logGroupName="lasting", logStreamName="s", logEvents=[{"timestamp": now(), "message": "é ✓"}])
    engine.kill()
    engine.start()
    assert [e["message"] for e in engine.client("logs").filter_log_events(logGroupName="lasting")["events"]] == ["é ✓"]
