//! A script of steps as it stands in its file: what is asked, written by hand, and what went over the wire, recorded.
//!
//! ```text
//! # A remark.
//! == CreateRole              a call that is recorded; the input follows, as JSON in the model's names
//! {"RoleName": "reader", …}
//! > POST /                   the request, as recorded
//! < 200                      the answer, as recorded
//! == GetRole fails           one that must be refused
//! == iam:CreateRole          a call of another service
//! == GetUser as CreateAccessKey   with the key of that answer
//! -- CreateRole              a call that is not recorded
//! -- settle 20               slow work runs; twenty seconds pass
//! ```

/// One file.
pub struct Script {
    /// What stands above the first step.
    preface: Vec<String>,
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    head: String,
    pub action: Action,
    /// What is written by hand below the head.
    pub input: Vec<String>,
    /// What was recorded: lines with `> ` and `< `.
    pub recorded: Vec<String>,
    /// Remarks and empty lines after it.
    tail: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Lets slow work run, then that many seconds pass, one by one.
    Settle(i64),
    Call(Call),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Where it is not the folder's own.
    pub service: Option<String>,
    /// As registered.
    pub name: String,
    /// The answer that has the key; root's without one.
    pub user: Option<String>,
    pub fails: bool,
    pub recorded: bool,
}

impl Script {
    pub fn parse(text: &str) -> Self {
        let mut script = Self { preface: Vec::new(), steps: Vec::new() };
        for line in text.lines() {
            if line.starts_with("== ") || line.starts_with("-- ") {
                script.steps.push(Step::begin(line));
                continue;
            }
            let Some(step) = script.steps.last_mut() else {
                script.preface.push(line.to_owned());
                continue;
            };
            let recorded =
                ["> ", "< "].iter().any(|mark| line.starts_with(mark)) || line == ">" || line == "<";
            if recorded {
                step.recorded.push(line.to_owned());
            } else if !step.recorded.is_empty() || line.starts_with("# ") {
                step.tail.push(line.to_owned());
            } else {
                step.input.push(line.to_owned());
            }
        }
        for step in &mut script.steps {
            // Empty lines at the end of what is asked, where nothing is recorded yet, belong to the layout.
            while step.recorded.is_empty() && step.input.last().is_some_and(String::is_empty) {
                step.input.pop();
                step.tail.insert(0, String::new());
            }
        }
        script
    }

    pub fn print(&self) -> String {
        let mut lines: Vec<&str> = self.preface.iter().map(String::as_str).collect();
        for step in &self.steps {
            lines.push(&step.head);
            lines.extend(step.input.iter().chain(&step.recorded).chain(&step.tail).map(String::as_str));
        }
        lines.join("\n") + "\n"
    }
}

impl Step {
    fn begin(head: &str) -> Self {
        let mut words = head.split_whitespace();
        let recorded = words.next() == Some("==");
        let name = words.next().expect("a step has a name");
        let action = if name == "settle" {
            Action::Settle(words.next().map_or(0, |seconds| seconds.parse().expect("seconds")))
        } else {
            let (service, name) = match name.split_once(':') {
                Some((service, name)) => (Some(service.to_owned()), name),
                None => (None, name),
            };
            let mut call = Call { service, name: name.to_owned(), user: None, fails: false, recorded };
            while let Some(word) = words.next() {
                match word {
                    "as" => call.user = words.next().map(str::to_owned),
                    "fails" => call.fails = true,
                    _ => panic!("{head}: what is {word}?"),
                }
            }
            Action::Call(call)
        };
        let head = head.to_owned();
        Self { head, action, input: Vec::new(), recorded: Vec::new(), tail: Vec::new() }
    }

    pub fn title(&self) -> &str {
        &self.head
    }
}

#[test]
fn scripts_come_back() {
    let text = "# Of roles.\n\n== GetRole fails\n{\"RoleName\":\n \"x\"}\n> POST /\n>\n> a\n< 200\n<\n< b\n\n# More.\n\
        -- settle 20\n== iam:GetUser as X\n\n-- s3:PutObject\nPUT /a\nx: y\n\n<A/>\n";
    let script = Script::parse(text);
    assert_eq!(script.print(), text);
    let steps = &script.steps;
    assert_eq!(steps[0].input, ["{\"RoleName\":", " \"x\"}"]);
    assert_eq!(steps[0].recorded.len(), 6);
    assert_eq!(steps[1].action, Action::Settle(20));
    let Action::Call(call) = &steps[2].action else { panic!() };
    assert_eq!(
        (call.service.as_deref(), call.user.as_deref(), call.recorded),
        (Some("iam"), Some("X"), true)
    );
    assert_eq!(steps[3].input, ["PUT /a", "x: y", "", "<A/>"]);
}
