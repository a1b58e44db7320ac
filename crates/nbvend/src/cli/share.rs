//! How notebooks share the machine: the flags of `nbvend up` for it.

use clap::Args;
use nbvend_cloud::config::NotebookSettings;

#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct Share {
    /// Start no notebook into the last so many MiB of free memory [default: 512]
    #[arg(long, value_name = "MIB")]
    pub memory_reserve: Option<u64>,
    /// Promise the machine's memory so many times over, by the notebooks' types [default: what is really free counts]
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    pub memory_factor: Option<f64>,
    /// Stop a notebook nobody has worked with for so long; the tag nbvend:idle-stop-minutes goes before [default: never]
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=525_600))]
    pub idle_stop_minutes: Option<u32>,
    /// Stop a notebook so long after its start; the tag nbvend:max-lifetime-hours goes before [default: never]
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..=87_600))]
    pub max_lifetime_hours: Option<u32>,
    /// Let several people have notebooks where the machine cannot keep them apart
    #[arg(long)]
    pub force_process_isolation: bool,
}

fn factor(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "a number is wanted, as 1.5".to_owned())?;
    if number.is_finite() && number > 0.0 { Ok(number) } else { Err("it must be above 0".to_owned()) }
}

impl Share {
    pub fn settings(&self) -> NotebookSettings {
        let default = NotebookSettings::default();
        NotebookSettings {
            memory_reserve: self
                .memory_reserve
                .map_or(default.memory_reserve, |mib| mib.saturating_mul(1 << 20)),
            memory_factor: self.memory_factor,
            idle_stop_minutes: self.idle_stop_minutes,
            max_lifetime_hours: self.max_lifetime_hours,
            force_process_isolation: self.force_process_isolation,
        }
    }

    /// The same flags, for an engine that is started in the background.
    pub fn flags(&self) -> Vec<String> {
        let number = |name: &str, value: Option<String>| value.map(|value| format!("--{name}={value}"));
        let all = [
            number("memory-reserve", self.memory_reserve.map(|n| n.to_string())),
            number("memory-factor", self.memory_factor.map(|n| n.to_string())),
            number("idle-stop-minutes", self.idle_stop_minutes.map(|n| n.to_string())),
            number("max-lifetime-hours", self.max_lifetime_hours.map(|n| n.to_string())),
            self.force_process_isolation.then(|| "--force-process-isolation".to_owned()),
        ];
        all.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        share: Share,
    }

    #[test]
    fn flags_go_there_and_back() {
        let share = Share {
            memory_reserve: Some(100),
            memory_factor: Some(1.5),
            idle_stop_minutes: Some(30),
            max_lifetime_hours: Some(12),
            force_process_isolation: true,
        };
        for share in [share, Share::default()] {
            let read = Line::parse_from(std::iter::once("x".to_owned()).chain(share.flags())).share;
            assert_eq!(read, share);
        }
        assert_eq!(Share::default().settings(), NotebookSettings::default());
        assert!(Line::try_parse_from(["x", "--memory-factor=0"]).is_err());
        assert!(Line::try_parse_from(["x", "--idle-stop-minutes=0"]).is_err());
    }
}
