"""EventBridge as boto3's users drive it: patterns tried out, buses and rules in the right order and in the wrong one."""
import json

import pytest

from refusal import refused

EVENT = {"id": "7", "account": "123456789012", "source": "garage", "time": "2026-11-22T18:00:00Z", "region": "us-east-1",
         "resources": ["arn:aws:garage:us-east-1::car/42"], "detail-type": "Car parked",
         "detail": {"plate": "B-NB 1", "level": 3, "paid": 4.5, "owner": {"name": "Ada", "guest": False},
                    "spots": ["a1", "a2"], "ip": "10.1.2.3", "note": None}}


@pytest.fixture(scope="module")
def events(engine):
    return engine.client("events")


@pytest.mark.parametrize("detail, result", [
    ({"level": [3]}, True), ({"level": [4]}, False), ({"level": ["3"]}, False),
    ({"plate": [{"prefix": "B-"}]}, True), ({"plate": [{"suffix": "1"}]}, True),
    ({"plate": [{"equals-ignore-case": "b-nb 1"}]}, True), ({"plate": [{"wildcard": "B-*1"}]}, True),
    ({"plate": [{"anything-but": ["B-NB 2"]}]}, True), ({"plate": [{"anything-but": {"prefix": "B"}}]}, False),
    ({"paid": [{"numeric": [">", 4, "<=", 4.5]}]}, True), ({"paid": [{"numeric": ["=", 4.4]}]}, False),
    ({"owner": {"name": ["Grace", "Ada"]}}, True), ({"owner": {"guest": [True]}}, False),
    ({"spots": ["a2"]}, True), ({"spots": ["a3"]}, False), ({"ip": [{"cidr": "10.1.0.0/16"}]}, True),
    ({"note": [None]}, True), ({"towed": [{"exists": False}]}, True), ({"plate": [{"exists": False}]}, False),
    ({"$or": [{"level": [1]}, {"owner": {"name": ["Ada"]}}]}, True), ({"$or": [{"level": [1]}, {"level": [2]}]}, False),
])
def test_patterns(events, detail, result):
    answer = events.test_event_pattern(EventPattern=json.dumps({"source": ["garage"], "detail": detail}),
                                       Event=json.dumps(EVENT))
    assert answer["Result"] is result


@pytest.mark.parametrize("pattern, says", [
    ("{", "Event pattern is not valid"),
    ('{"source": []}', "Empty arrays are not allowed"),
    ('{"source": "garage"}', "must be an object or an array"),
    ('{"detail": {"level": [{"numeric": [">"]}]}}', "Reason"),
    ('{"detail": {"plate": [{"begins": "B"}]}}', "Unrecognized match type begins"),
    ('{"detail": {"plate": [{"prefix": 5}]}}', "prefix match pattern must be a string"),
])
def test_a_wrong_pattern_makes_no_rule(events, pattern, says):
    with pytest.raises(events.exceptions.InvalidEventPatternException, match=says):
        events.test_event_pattern(EventPattern=pattern, Event=json.dumps(EVENT))
    refused("InvalidEventPatternException", events.put_rule, says, Name="wrong", EventPattern=pattern, status=400)
    refused("ResourceNotFoundException", events.describe_rule, Name="wrong")


def test_the_wrong_order(events):
    with pytest.raises(events.exceptions.ResourceNotFoundException, match="Event bus away does not exist."):
        events.put_rule(Name="r", EventBusName="away", EventPattern='{"source": ["x"]}')
    with pytest.raises(events.exceptions.ResourceNotFoundException, match="Rule none does not exist on EventBus default."):
        events.put_targets(Rule="none", Targets=[{"Id": "1", "Arn": "arn:aws:logs:us-east-1:123456789012:log-group:g"}])
    events.create_event_bus(Name="side")
    with pytest.raises(events.exceptions.ResourceAlreadyExistsException, match="Event bus side already exists."):
        events.create_event_bus(Name="side")
    events.put_rule(Name="r", EventBusName="side", EventPattern='{"source": ["x"]}', Tags=[{"Key": "a", "Value": "b"}])
    refused("ValidationException", events.put_rule, "ScheduleExpression is supported only on the default event bus",
            Name="s", EventBusName="side", ScheduleExpression="rate(1 minute)")
    refused("ValidationException", events.put_rule, "Parameter ScheduleExpression is not valid.", Name="s",
            ScheduleExpression="rate(1 minutes)")
    events.put_targets(Rule="r", EventBusName="side",
                       Targets=[{"Id": "1", "Arn": "arn:aws:logs:us-east-1:123456789012:log-group:g"}])
    refused("ValidationException", events.delete_rule, "Rule can't be deleted since it has targets.", Name="r",
            EventBusName="side")
    refused("ValidationException", events.delete_event_bus, "(?i)rules", Name="side")
    events.disable_rule(Name="r", EventBusName="side")
    assert events.describe_rule(Name="r", EventBusName="side")["State"] == "DISABLED"
    gone = events.remove_targets(Rule="r", EventBusName="side", Ids=["1", "2"])
    assert (gone["FailedEntryCount"], [e["TargetId"] for e in gone["FailedEntries"]]) in ((0, []), (1, ["2"]))
    events.delete_rule(Name="r", EventBusName="side")
    events.delete_rule(Name="r", EventBusName="side")
    events.delete_event_bus(Name="side")
    events.delete_event_bus(Name="side")
