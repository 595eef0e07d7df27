//! The other side of the matching benchmark. It reads events and triggers from files and measures one pass for each line that it
//! is sent: `parse` (every event to a `serde_json::Value`), `jmespath N M` (crate `jmespath` on the first N triggers, behind an
//! index by event name, over the first M events) or `quamina N M` (crate `quamina` on their event patterns). It answers
//! `nanoseconds checksum`, in thread CPU time, or `refused: reason`.

mod patterns;

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::{env, fs};

use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

/// A trigger as the index sees it.
struct Trigger {
    names: Vec<String>,
    any_event: bool,
    expression: String,
    patterns: Vec<String>,
}

fn main() {
    let mut arguments = env::args().skip(1);
    let (events, triggers) = (arguments.next().expect("a file of events"), arguments.next().expect("a file of triggers"));
    let events = read_events(&events);
    let triggers = read_triggers(&triggers);
    let mut output = std::io::stdout().lock();
    let mut jmespath: Held<Index> = Held::default();
    let mut quamina: Held<patterns::Patterns> = Held::default();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a command");
        let words: Vec<&str> = line.split(' ').collect();
        let number = |word: &str| word.parse::<usize>().expect("a number");
        let answer = match words[..] {
            ["parse"] => Ok(parse(&events)),
            ["jmespath", count, most] => Ok(jmespath.of(&triggers[..number(count)], Index::of).pass(&events[..number(most)])),
            ["quamina", count, most] => quamina.of(&triggers[..number(count)], patterns::Patterns::of).pass(&events[..number(most)]),
            _ => panic!("unknown command: {line}"),
        };
        match answer {
            Ok((time, sum)) => writeln!(output, "{time} {sum}"),
            Err(reason) => writeln!(output, "refused: {reason}"),
        }
        .and_then(|()| output.flush())
        .expect("an answer");
    }
}

/// What was compiled last, for how many triggers.
struct Held<T>(Option<(usize, T)>);

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Held<T> {
    fn of(&mut self, triggers: &[Trigger], make: fn(&[Trigger]) -> T) -> &T {
        if self.0.as_ref().is_none_or(|(held, _)| *held != triggers.len()) {
            self.0 = Some((triggers.len(), make(triggers)));
        }
        &self.0.as_ref().expect("just made").1
    }
}

fn now() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Each event is an allocation of its own, in the order of the file, which is a shuffled one.
fn read_events(path: &str) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).expect("the events");
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

fn read_triggers(path: &str) -> Vec<Trigger> {
    let text = fs::read_to_string(path).expect("the triggers");
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().map_or(Vec::new(), |texts| texts.iter().map(|text| text.as_str().expect("a text").to_owned()).collect())
    };
    let read = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("a trigger");
        Trigger {
            names: texts(&value["event_names"]),
            any_event: value["any_event"] == true,
            expression: value["peer_expression"].as_str().expect("an expression").to_owned(),
            patterns: texts(&value["patterns"]),
        }
    };
    text.lines().map(read).collect()
}

fn parse(events: &[Vec<u8>]) -> (u64, usize) {
    let start = now();
    let mut members = 0;
    for event in events {
        let value: Value = serde_json::from_slice(std::hint::black_box(event)).expect("JSON");
        members += value.as_object().map_or(0, serde_json::Map::len);
    }
    (now() - start, members)
}

struct Index {
    runtime: jmespath::Runtime,
    expressions: Vec<jmespath::Expression<'static>>,
    by_name: HashMap<String, Vec<usize>>,
    any_event: Vec<usize>,
}

impl Index {
    fn of(triggers: &[Trigger]) -> Self {
        let mut runtime = jmespath::Runtime::new();
        runtime.register_builtin_functions();
        let mut index = Self { runtime, expressions: Vec::new(), by_name: HashMap::new(), any_event: Vec::new() };
        for (number, trigger) in triggers.iter().enumerate() {
            index.expressions.push(jmespath::compile(&trigger.expression).expect("JMESPath"));
            for name in &trigger.names {
                index.by_name.entry(name.clone()).or_default().push(number);
            }
            if trigger.any_event {
                index.any_event.push(number);
            }
        }
        index
    }

    /// The way that costs this crate least: one document an event, `interpret` instead of `search`, which would copy it.
    fn pass(&self, events: &[Vec<u8>]) -> (u64, usize) {
        let start = now();
        let mut matches = 0;
        for event in events {
            let text = std::str::from_utf8(event).expect("UTF-8");
            let document = jmespath::Rcvar::new(jmespath::Variable::from_json(text).expect("JSON"));
            let name = document.get_field("detail").get_field("eventName");
            let named = name.as_string().and_then(|name| self.by_name.get(name)).map_or(&[][..], Vec::as_slice);
            for number in named.iter().chain(&self.any_event) {
                let mut context = jmespath::Context::new("", &self.runtime);
                let found = jmespath::interpret(&document, self.expressions[*number].as_ast(), &mut context);
                matches += usize::from(found.is_ok_and(|value| value.is_truthy()));
            }
        }
        (now() - start, matches)
    }
}
