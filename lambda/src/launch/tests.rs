//! The event processor against events and clouds of many kinds.

use super::*;
use crate::fake::{Fake, FakeClock, OWNER, OWNER_TAG, PRODUCT_TAG, URL};

const OTHER_TAG: (&str, &str) = (
    "aws:servicecatalog:provisionedProductArn",
    "arn:aws:servicecatalog:us-east-1:111122223333:stack/victim/pp-nopqrstuvwxyz",
);

/// A launch under the name Demo-User, with members that the function does not know.
fn event() -> Value {
    json!({
        "version": "0",
        "source": "aws.servicecatalog",
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {
            "eventVersion": "1.11",
            "eventSource": "servicecatalog.amazonaws.com",
            "eventName": "ProvisionProduct",
            "userIdentity": { "type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/alice" },
            "requestParameters": {
                "productId": "prod-aaaaaaaaaaaaa",
                "provisioningParameters": [
                    { "key": "NotebookInstanceType", "value": "ml.t3.medium" },
                    { "key": "S3IAMConfigStackName", "value": "s3-iam-config" },
                    { "key": "NotebookUserName", "value": "Demo-User", "new": [] },
                ],
            },
            "responseElements": { "recordDetail": {
                "recordId": "rec-aaaaaaaaaaaaa",
                "provisionedProductId": "pp-abcdefghijklm",
                "status": "CREATED",
            }},
        },
    })
}

fn record(fake: &Fake, status: &str) {
    let errors = json!([{ "Code": "400", "Description": "Demo-User-Notebook already exists" }]);
    let errors = if status == "FAILED" { errors } else { json!([]) };
    let record = json!({ "RecordDetail": { "Status": status, "RecordErrors": errors } });
    fake.answer("DescribeRecord", 200, &record);
}

/// Runs the function with 100 seconds to go.
fn run(fake: &Fake, clock: &FakeClock, event: &Value) -> Result<Value, Failure> {
    let settings =
        Settings { default_user: UserName::parse("Default-User").unwrap(), session_seconds: 43_200 };
    handle(&fake.client(clock), clock, &settings, event, clock.now() + Duration::from_secs(100))
}

fn with(pointer: &str, value: Value) -> Value {
    let mut event = event();
    *event.pointer_mut(pointer).unwrap() = value;
    event
}

const PARAMETERS: &str = "/detail/requestParameters/provisioningParameters";

#[test]
fn a_ready_notebook_gets_a_link_at_once() {
    let (fake, clock) = (Fake::start(), FakeClock::new());
    fake.notebook("InService", &[("NotebookUserName", "x"), OWNER_TAG, PRODUCT_TAG]).links();
    let done = run(&fake, &clock, &event()).unwrap();
    assert_eq!(done, json!({ "outcome": "stored", "parameter": "/SageMaker/Notebooks/Demo-User-Notebook" }));
    assert_eq!(
        fake.operations(),
        ["DescribeNotebookInstance", "ListTags", "CreatePresignedNotebookInstanceUrl", "PutParameter"]
    );
    assert_eq!(clock.total(), Duration::ZERO);
    assert_eq!(
        fake.input("CreatePresignedNotebookInstanceUrl"),
        json!({ "NotebookInstanceName": "Demo-User-Notebook", "SessionExpirationDurationInSeconds": 43_200 })
    );
    let stored = fake.input("PutParameter");
    assert_eq!(stored["Name"], "/SageMaker/Notebooks/Demo-User-Notebook");
    assert_eq!(stored["Value"], URL);
    assert_eq!((&stored["Type"], &stored["Tier"]), (&json!("String"), &json!("Standard")));
    assert_eq!(stored["Tags"], json!([{ "Key": "NotebookOwner", "Value": OWNER }]));
}

/// The name had another owner before: the tag changes hands before the new link is there to be read.
#[test]
fn a_parameter_that_is_there_gets_its_owner_first() {
    let (fake, clock) = (Fake::start(), FakeClock::new());
    let exists = json!({ "__type": "ParameterAlreadyExists", "message": "" });
    fake.answer("PutParameter", 400, &exists);
    fake.notebook("InService", &[OWNER_TAG, PRODUCT_TAG]).links();
    assert_eq!(run(&fake, &clock, &event()).unwrap()["outcome"], "stored");
    assert_eq!(fake.operations()[3..], ["PutParameter", "AddTagsToResource", "PutParameter"]);
    let tagged = fake.input("AddTagsToResource");
    assert_eq!(tagged["ResourceId"], "/SageMaker/Notebooks/Demo-User-Notebook");
    assert_eq!(tagged["Tags"], json!([{ "Key": "NotebookOwner", "Value": OWNER }]));
    let stored = fake.input("PutParameter");
    assert_eq!((&stored["Overwrite"], &stored["Tags"]), (&json!(true), &Value::Null));
}

#[test]
fn an_unknown_owner_is_nobody() {
    let (fake, clock) = (Fake::start(), FakeClock::new());
    fake.notebook("InService", &[PRODUCT_TAG]).links();
    assert_eq!(run(&fake, &clock, &event()).unwrap()["outcome"], "stored");
    assert_eq!(fake.input("PutParameter")["Tags"][0]["Value"], "");
}

#[test]
fn it_waits_with_growing_pauses() {
    let (fake, clock) = (Fake::start(), FakeClock::new());
    fake.no_notebook().no_notebook();
    for _ in 0..70 {
        fake.status("Pending");
    }
    fake.notebook("InService", &[PRODUCT_TAG]).links();
    record(&fake, "IN_PROGRESS");
    assert_eq!(run(&fake, &clock, &event()).unwrap()["outcome"], "stored");
    let slept = clock.slept.borrow();
    assert_eq!(slept.len(), 72);
    assert_eq!(slept[..9], [Duration::from_millis(20); 9]);
    assert_eq!(slept[9], Duration::from_micros(22_500));
    assert!(slept.is_sorted());
    assert_eq!(slept[71], Duration::from_secs(2));
}

#[test]
fn it_gives_up_before_the_deadline() {
    let (fake, clock) = (Fake::start(), FakeClock::new());
    fake.status("Pending");
    let error = run(&fake, &clock, &event()).unwrap_err();
    assert_eq!(error, Failure::new("NotebookNotReady", "Demo-User-Notebook is not in service yet"));
    assert!(clock.total() > Duration::from_secs(88) && clock.total() <= Duration::from_secs(92));
}

/// Somebody launches under the name of a colleague whose notebook runs.
#[test]
fn a_name_alone_opens_nothing() {
    let foreign_tags: [&[(&str, &str)]; 4] = [
        &[OTHER_TAG],
        &[],
        &[("provisionedProductArn", PRODUCT_TAG.1)],
        &[(
            PRODUCT_TAG.0,
            "arn:aws:servicecatalog:us-east-1:111122223333:stack/pp-abcdefghijklm/pp-nopqrstuvwxyz",
        )],
    ];
    for tags in foreign_tags {
        for (end, outcome) in [("FAILED", None), ("SUCCEEDED", Some("ignored"))] {
            let (fake, clock) = (Fake::start(), FakeClock::new());
            fake.notebook("InService", tags).links();
            record(&fake, "IN_PROGRESS");
            record(&fake, end);
            let done = run(&fake, &clock, &event());
            match outcome {
                Some(outcome) => assert_eq!(done.unwrap()["outcome"], outcome),
                None => {
                    let error = done.unwrap_err();
                    assert_eq!(error.kind, "LaunchFailed");
                    assert!(error.message.ends_with("Demo-User-Notebook already exists"), "{error:?}");
                }
            }
            let minted = fake.operations().iter().any(|o| o == "CreatePresignedNotebookInstanceUrl");
            assert!(!minted, "a link to a notebook tagged {tags:?}");
        }
    }
}

#[test]
fn a_launch_that_ended_between_two_questions_is_not_missed() {
    let (fake, clock) = (Fake::start(), FakeClock::new());
    fake.no_notebook().notebook("InService", &[PRODUCT_TAG]).links();
    record(&fake, "SUCCEEDED");
    assert_eq!(run(&fake, &clock, &event()).unwrap()["outcome"], "stored");
    assert_eq!(clock.total(), Duration::ZERO);
}

#[test]
fn a_launch_without_a_notebook_ends_with_its_record() {
    for (status, ended) in [("SUCCEEDED", true), ("FAILED", false)] {
        let (fake, clock) = (Fake::start(), FakeClock::new());
        fake.no_notebook();
        record(&fake, "IN_PROGRESS");
        record(&fake, status);
        assert_eq!(run(&fake, &clock, &event()).is_ok(), ended);
        assert_eq!(clock.total(), Duration::from_millis(20));
    }
}

#[test]
fn a_catalog_that_does_not_answer_costs_only_the_reason() {
    let (fake, clock) = (Fake::start(), FakeClock::new());
    fake.answer("DescribeRecord", 400, &json!({ "__type": "AccessDeniedException" }));
    fake.no_notebook().notebook("InService", &[PRODUCT_TAG]).links();
    assert_eq!(run(&fake, &clock, &event()).unwrap()["outcome"], "stored");
}

#[test]
fn ends_without_a_link() {
    let cases = [
        ("Failed", Err(Failure::new("NotebookFailed", "Demo-User-Notebook failed: no capacity"))),
        ("Stopped", Ok(json!({ "outcome": "ignored", "reason": "the notebook is Stopped" }))),
        ("Deleting", Ok(json!({ "outcome": "ignored", "reason": "the notebook is Deleting" }))),
    ];
    for (status, expected) in cases {
        let (fake, clock) = (Fake::start(), FakeClock::new());
        fake.notebook(status, &[PRODUCT_TAG]).links();
        assert_eq!(run(&fake, &clock, &event()), expected);
        assert_eq!(fake.operations(), ["DescribeNotebookInstance", "ListTags"]);
    }
}

#[test]
fn events_that_are_no_launch_ask_nothing() {
    let mut failed = with("/detail/responseElements", Value::Null);
    failed["detail"]["errorCode"] = "AccessDenied".into();
    let twice = json!([
        { "key": "NotebookUserName", "value": "a" },
        { "key": "NotebookUserName", "value": "b" },
    ]);
    let name = |name: Value| with(PARAMETERS, json!([{ "key": "NotebookUserName", "value": name }]));
    let cases = [
        failed,
        with("/detail/responseElements/recordDetail", Value::Null),
        with("/detail/responseElements/recordDetail/provisionedProductId", json!("")),
        with("/detail/eventName", json!("TerminateProvisionedProduct")),
        with("/detail/eventSource", json!("attacker.example")),
        with("/detail", Value::Null),
        with(PARAMETERS, twice),
        name(json!("../../other")),
        name(json!("HIDDEN_DUE_TO_SECURITY_REASONS")),
        name(json!(7)),
        name(Value::Null),
        name(json!("x".repeat(200_000))),
        Value::Null,
        json!([]),
        json!("ProvisionProduct"),
    ];
    for event in cases {
        let (fake, clock) = (Fake::start(), FakeClock::new());
        assert_eq!(run(&fake, &clock, &event).unwrap()["outcome"], "ignored");
        assert_eq!(fake.operations(), Vec::<String>::new());
    }
}

#[test]
fn the_name_is_found_by_its_key() {
    let own = json!({ "key": "NotebookUserName", "value": "Demo-User" });
    let cases = [
        (json!([own, { "key": "NotebookInstanceType", "value": "other" }]), "Demo-User"),
        (json!([{ "key": "NotebookInstanceType", "value": "other" }, own]), "Demo-User"),
        (json!([own, own]), "Demo-User"),
        (json!([null, 7, {}, own]), "Demo-User"),
        (json!([{ "key": "NotebookInstanceType", "value": "ml.t3.medium" }]), "Default-User"),
        (json!([]), "Default-User"),
        (Value::Null, "Default-User"),
    ];
    for (parameters, name) in cases {
        let (fake, clock) = (Fake::start(), FakeClock::new());
        fake.no_notebook();
        record(&fake, "SUCCEEDED");
        assert_eq!(run(&fake, &clock, &with(PARAMETERS, parameters)).unwrap()["outcome"], "ignored");
        let asked = json!({ "NotebookInstanceName": format!("{name}-Notebook") });
        assert_eq!(fake.input("DescribeNotebookInstance"), asked);
    }
}

#[test]
fn tags_are_read_to_the_last_page() {
    let (fake, clock) = (Fake::start(), FakeClock::new());
    let page = json!({ "Tags": [{ "Key": "a", "Value": "b" }], "NextToken": "more" });
    fake.answer("ListTags", 200, &page).notebook("InService", &[PRODUCT_TAG]).links();
    assert_eq!(run(&fake, &clock, &event()).unwrap()["outcome"], "stored");
    assert_eq!(fake.input("ListTags")["NextToken"], "more");
}

/// Parameter Store's messages may repeat the value.
#[test]
fn a_failed_store_does_not_tell_the_link() {
    let (fake, clock) = (Fake::start(), FakeClock::new());
    let message = format!("Value '{URL}' at 'value' failed to satisfy constraint");
    fake.notebook("InService", &[PRODUCT_TAG])
        .answer("CreatePresignedNotebookInstanceUrl", 200, &json!({ "AuthorizedUrl": URL }))
        .answer("PutParameter", 400, &json!({ "__type": "ValidationException", "message": message }));
    let error = run(&fake, &clock, &event()).unwrap_err();
    assert_eq!(error, Failure::new("AwsError", "PutParameter: ValidationException (400)"));
}
