//! Schedule expressions.

use nbvend_pattern::Schedule;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fn ms(text: &str) -> i64 {
    OffsetDateTime::parse(text, &Rfc3339).expect("a good time").unix_timestamp() * 1000
}

#[test]
fn refused() {
    for text in [
        "",
        "rate()",
        "rate(10)",
        "rate(5 seconds)",
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(1 hours)",
        "rate(3 day)",
        "rate(0 minutes)",
        "rate(-5 minutes)",
        "rate(+5 minutes)",
        "rate(1.5 hours)",
        "rate(5 Minutes)",
        "rate( 5 minutes )",
        " rate(5 minutes)",
        "rate(5  minutes)",
        "rate(x minutes)",
        "rate(99999999999999 days)",
        "Rate(5 minutes)",
        "every(5 minutes)",
        "at(2030-01-01T00:00:00)",
        "cron()",
        "cron(nonsense)",
        "cron(0 12 * * ?)",
        "cron(0 0 12 * * ? *)",
        "cron(0 12 * * * *)",
        "cron(0 12 ? * ? *)",
        "cron(0 12 1 * 2 *)",
        "cron(60 12 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 0 0 * ? *)",
        "cron(0 0 32 * ? *)",
        "cron(0 0 1 13 ? *)",
        "cron(0 0 ? * 8 *)",
        "cron(0 0 ? * 0 *)",
        "cron(0 0 ? * MON#6 *)",
        "cron(0 0 ? * MUN *)",
        "cron(0 0 1 MON ? *)",
        "cron(0 0 1 * ? 1969)",
        "cron(0 0 1 * ? 2200)",
        "cron(*/0 * * * ? *)",
        "cron(5-1 * * * ? *)",
        "cron(L * * * ? *)",
        "cron(0 0 W * ? *)",
        "cron(,5 * * * ? *)",
        "cron(? * * * ? *)",
        "cron(0 12 +1 * ? *)",
        "cron(@daily)",
        "cron(0 12 * * ? * )",
        "cron(0 12 * * ? *",
        "cron(1,,2 * * * ? *)",
    ] {
        match Schedule::parse(text) {
            Ok(schedule) => panic!("{text} was accepted: {schedule:?}"),
            Err(e) => assert_eq!(e.to_string(), "Parameter ScheduleExpression is not valid."),
        }
    }
}

#[test]
fn rates() {
    for (text, minutes) in [
        ("rate(1 minute)", 1),
        ("rate(5 minutes)", 5),
        ("rate(1 hour)", 60),
        ("rate(12 hours)", 720),
        ("rate(1 day)", 1440),
        ("rate(7 days)", 10080),
    ] {
        assert_eq!(
            Schedule::parse(text).unwrap().next_after(1_234),
            Some(1_234 + minutes * 60_000),
            "{text}"
        );
    }
    assert_eq!(Schedule::parse("rate(1 minute)").unwrap().next_after(i64::MAX), None);
}

#[test]
fn crons() {
    // 2024-06-11 is a Tuesday.
    let now = "2024-06-11T08:33:10Z";
    for (expression, from, next) in [
        ("* * * * ? *", now, "2024-06-11T08:34:00Z"),
        ("* * ? * * *", now, "2024-06-11T08:34:00Z"),
        ("0 12 * * ? *", now, "2024-06-11T12:00:00Z"),
        ("0 12 * * ? *", "2024-06-11T12:00:00Z", "2024-06-12T12:00:00Z"),
        ("0 12 * * ? *", "2024-06-11T11:59:59Z", "2024-06-11T12:00:00Z"),
        ("0/15 * * * ? *", now, "2024-06-11T08:45:00Z"),
        ("5/20 * * * ? *", now, "2024-06-11T08:45:00Z"),
        ("*/20 9-10 * * ? *", now, "2024-06-11T09:00:00Z"),
        ("1,2,59 8 * * ? *", now, "2024-06-11T08:59:00Z"),
        ("0 18 ? * MON-FRI *", "2024-06-14T18:00:00Z", "2024-06-17T18:00:00Z"),
        ("0 18 ? * mon-fri *", "2024-06-14T18:00:00Z", "2024-06-17T18:00:00Z"),
        ("0 0 ? * 1 *", now, "2024-06-16T00:00:00Z"),
        ("0 0 ? * 7 *", now, "2024-06-15T00:00:00Z"),
        ("0 0 ? * SUN-SAT *", now, "2024-06-12T00:00:00Z"),
        ("0 0 ? * L *", now, "2024-06-15T00:00:00Z"),
        ("0 0 ? * FRIL *", now, "2024-06-28T00:00:00Z"),
        ("0 0 ? * 6L *", now, "2024-06-28T00:00:00Z"),
        ("0 0 ? * TUE#2 *", now, "2024-07-09T00:00:00Z"),
        ("0 0 ? * 3#3 *", now, "2024-06-18T00:00:00Z"),
        ("0 0 ? * MON#5 *", now, "2024-07-29T00:00:00Z"),
        ("0 0 L * ? *", now, "2024-06-30T00:00:00Z"),
        ("0 0 L FEB ? *", now, "2025-02-28T00:00:00Z"),
        ("0 0 LW * ? *", now, "2024-06-28T00:00:00Z"),
        // The 15th is a Saturday, the 1st of September 2024 a Sunday.
        ("0 0 15W * ? *", now, "2024-06-14T00:00:00Z"),
        ("0 0 1W SEP ? *", now, "2024-09-02T00:00:00Z"),
        ("0 0 29 2 ? *", now, "2028-02-29T00:00:00Z"),
        ("0 0 31 * ? *", now, "2024-07-31T00:00:00Z"),
        ("30 8 1 1,JUL ? *", now, "2024-07-01T08:30:00Z"),
        ("0 0 1 1 ? 2030-2032", now, "2030-01-01T00:00:00Z"),
        ("0 0 1 1 ? */10", now, "2030-01-01T00:00:00Z"),
        ("0 0 1 1 ? 2021/4,2027", now, "2025-01-01T00:00:00Z"),
        ("0 0 ? * */3 *", now, "2024-06-12T00:00:00Z"),
        ("59 23 31 12 ? 2199", now, "2199-12-31T23:59:00Z"),
        ("0 0 1 1 ? *", "1969-06-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    ] {
        let schedule = Schedule::parse(&format!("cron({expression})")).unwrap();
        assert_eq!(schedule.next_after(ms(from)), Some(ms(next)), "cron({expression}) after {from}");
    }
}

#[test]
fn crons_that_never_fire_again() {
    for expression in ["0 0 1 1 ? 2020", "0 0 30 2 ? *", "0 0 29 2 ? 2100"] {
        let schedule = Schedule::parse(&format!("cron({expression})")).unwrap();
        assert_eq!(schedule.next_after(ms("2024-06-11T08:33:10Z")), None, "{expression}");
    }
    assert_eq!(Schedule::parse("cron(0 0 1 1 ? *)").unwrap().next_after(i64::MAX), None);
}
