//! Measures the compiled matcher against `serde_json::Value` parsing: `trailwire-match-bench BASELINE [EVENTS] [PASSES] [SIZES] [profile]`.
//! With `profile` only our own passes run, for a profiler to look at.
//!
//! BASELINE is the program of ../baseline, which parses the same events in the same order in a process of its own, where
//! `serde_json` has its default features. Passes take turns. Every event is an allocation of its own (the same allocator, the
//! system's, on both sides), the order is a shuffled one, and one call sees one event. Time is the thread's CPU time.
//!
//! A figure is a JSON line on standard output; everything else goes to standard error.

mod dice;
mod events;
mod peers;
mod triggers;

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use trailwire_engine::event::Event;
use trailwire_engine::matcher::{CompiledSet, Fired, Outcome, Scope, Scratch, TriggerSet};
use trailwire_engine::trigger::Trigger;

use dice::{Dice, Zipf};
use peers::{Others, PEERS};
use triggers::Made;

const SEED: u64 = 20_261_121;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: usize| arguments.get(index).map_or(default, |text| text.parse().expect("a number"));
    let baseline = arguments.first().expect("the baseline's program");
    let (count, passes) = (number(1, 200_000), number(2, 7));
    let sizes: Vec<usize> =
        arguments.get(3).map_or(vec![1, 100, 1_000, 10_000], |text| text.split(',').map(|size| size.parse().expect("a size")).collect());

    if arguments.get(4).is_some_and(|word| word == "memory") {
        return measure_memory(sizes.iter().copied().max().unwrap_or(1));
    }
    let events = make_events(count);
    tell_corpus(&events);
    let made = make_triggers(sizes.iter().copied().max().unwrap_or(1));
    if arguments.get(4).is_some_and(|word| word == "profile") {
        for size in sizes {
            let set = compile(size, &made).0;
            for _ in 0..passes {
                eprintln!("{size}: {} ns an event", pass(&set, &events, 1, false) / events.len() as u64);
            }
        }
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let (events_path, triggers_path) = (directory.path().join("events"), directory.path().join("triggers"));
    std::fs::write(&events_path, events.join(&b'\n')).expect("the events");
    let lines: Vec<String> = made.iter().enumerate().map(|(index, made)| made.for_peer(index).to_string()).collect();
    std::fs::write(&triggers_path, lines.join("\n")).expect("the triggers");
    let mut others = Others::start(baseline, &events_path, &triggers_path);

    for size in sizes {
        measure(size, &made, &events, passes, &mut others);
    }
}

/// What a set of so many triggers takes, as this process grows with it.
fn measure_memory(size: usize) {
    let made = make_triggers(size);
    let before = resident_mb();
    let (set, _) = compile(size, &made);
    let grown = resident_mb() - before;
    figure("match_10k_mb", grown, "MB", "resident memory that came with the set of 10,000 triggers, their documents and trees included");
    drop(set);
}

/// Everything about one number of triggers.
fn measure(size: usize, made: &[Made], events: &[Vec<u8>], passes: usize, others: &mut Others) {
    let (set, compile_ms) = compile(size, made);
    if size == 10_000 {
        // In a process of its own: this one has memory to give that it no longer uses.
        let itself = std::env::current_exe().expect("this program");
        let measured = std::process::Command::new(itself).args(["-", "0", "0", "10000", "memory"]).status().expect("a second process");
        assert!(measured.success(), "the process that measures memory failed");
        figure("compile_10k_ms", compile_ms, "ms", "10,000 triggers from parsed documents to a set that judges");
    }
    hold_against_oracle(&set, events);
    let hot = &events[..400.min(events.len())];
    let cycles = (events.len() / 4).div_ceil(hot.len());
    let mut times: [Vec<f64>; 5] = Default::default();
    let mut peers: [Result<Vec<f64>, String>; PEERS.len()] = std::array::from_fn(|_| Ok(Vec::new()));
    for _ in 0..passes {
        let per = |time: u64, events: usize| time as f64 / events as f64;
        times[0].push(per(others.parse(), events.len()));
        times[1].push(per(pass(&set, events, 1, false), events.len()));
        times[2].push(per(pass(&set, hot, cycles, false), hot.len() * cycles));
        times[3].push(per(others.parse(), events.len()));
        times[4].push(per(pass(&set, events, 1, true), events.len()));
        for (peer, times) in PEERS.iter().zip(&mut peers) {
            let seen = events.len() / (peer.one_in)(size);
            *times = std::mem::replace(times, Ok(Vec::new())).and_then(|mut times| {
                times.push(per(others.pass(peer, size, seen)?, seen));
                Ok(times)
            });
        }
    }
    let parse: Vec<f64> = times[0].iter().chain(&times[3]).copied().collect();
    let tell = |name: &str, times: &[f64]| {
        let (least, most) = (least(times), times.iter().copied().fold(0.0, f64::max));
        eprintln!("  {name:14} {:8.1} ns an event, from {least:.1} to {most:.1}", median(times));
    };
    for (name, times) in [("parse", &times[0]), ("judge", &times[1]), ("judge_hot", &times[2]), ("judge_checked", &times[4])] {
        tell(name, times);
    }
    // Each pass against the other side's pass of the same turn.
    let ratio = |name: &str, over: &[f64], under: &[f64], what: &str| {
        let ratios: Vec<f64> = over.iter().zip(under).map(|(over, under)| over / under).collect();
        let (least, most) = (least(&ratios), ratios.iter().copied().fold(0.0, f64::max));
        let note = format!("{what}median of {passes} interleaved passes, from {least:.2} to {most:.2}; {:.0} ns an event", median(under));
        figure(&format!("match_{name}_{size}"), median(&ratios), "x", &note);
    };
    ratio("ratio", &times[0], &times[1], "");
    ratio("hot_ratio", &times[0], &times[2], "");
    ratio("checked_ratio", &times[3], &times[4], "");
    for (peer, peer_times) in PEERS.iter().zip(&peers) {
        match peer_times {
            Ok(peer_times) => {
                tell(peer.name, peer_times);
                ratio(&format!("vs_{}", peer.name), peer_times, &times[1], &format!("{}; ", peer.note));
            }
            Err(reason) => eprintln!("  {:14} cannot run: {reason}", peer.name),
        }
    }
    eprintln!("  parsing: {:.0} ns an event over all passes", median(&parse));
    latencies(&set, events, size);
}

/// The set of the first triggers, and the milliseconds that it took to compile.
fn compile(size: usize, made: &[Made]) -> (CompiledSet, f64) {
    let start = now();
    let triggers: Vec<Trigger> = made
        .iter()
        .take(size)
        .enumerate()
        .map(|(index, made)| Trigger::from_value(&made.document(index)).unwrap_or_else(|wrong| panic!("{}: {wrong:?}", made.expression)))
        .collect();
    let read = now();
    let (set, refused) = CompiledSet::new(triggers);
    let compiled = now();
    assert!(refused.is_empty(), "{refused:?}");
    eprintln!("\n{size} triggers: documents read in {} ms, compiled in {} ms", (read - start) / 1_000_000, (compiled - read) / 1_000_000);
    (set, (compiled - read) as f64 / 1e6)
}

/// The process's resident memory.
fn resident_mb() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0.0);
    pages * rustix::param::page_size() as f64 / 1e6
}

fn make_events(count: usize) -> Vec<Vec<u8>> {
    let mut dice = Dice::new(SEED);
    let zipf = Zipf::new(events::NAMES, 1.05);
    // Made in one order, allocated in another: neighbours in time are none in memory.
    let mut texts: Vec<String> = (0..count)
        .map(|_| {
            let name = zipf.draw(&mut dice);
            events::event(&mut dice, name)
        })
        .collect();
    dice.shuffle(&mut texts);
    let mut events: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    dice.shuffle(&mut events);
    events
}

fn make_triggers(count: usize) -> Vec<Made> {
    let mut dice = Dice::new(SEED + 1);
    let zipf = Zipf::new(events::NAMES, 0.47);
    (0..count).map(|_| triggers::trigger(&mut dice, &zipf)).collect()
}

fn tell_corpus(events: &[Vec<u8>]) {
    let mut lengths: Vec<usize> = events.iter().map(Vec::len).collect();
    lengths.sort_unstable();
    let at = |share: f64| lengths[((lengths.len() - 1) as f64 * share) as usize];
    let mean = lengths.iter().sum::<usize>() / lengths.len();
    let escaped = events.iter().filter(|event| event.contains(&b'\\')).count();
    eprintln!(
        "{} events: length {} / p10 {} / p50 {} / p90 {} / p99 {} / {}, mean {mean}; {escaped} with a backslash",
        events.len(),
        at(0.0),
        at(0.1),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
}

/// The ids of all matching triggers, sorted, of all events: their hash must be the oracle's. Errors count as well.
fn hold_against_oracle(set: &CompiledSet, events: &[Vec<u8>]) {
    let oracle: &TriggerSet = set.oracle();
    let (mut scratch, scope) = (Scratch::default(), Scope::default());
    let (mut ours, mut theirs) = (Hash::default(), Hash::default());
    let (mut candidates, mut matches, mut errors, mut matching) = (0_usize, 0_usize, 0_usize, 0_usize);
    for event in events {
        let verdicts = set.judge(event, &scope, &mut scratch).expect("an event");
        ours.add(u64::MAX);
        matching += usize::from(verdicts.iter().any(|verdict| verdict.fired == Fired::Match));
        for verdict in verdicts {
            ours.add(u64::from(verdict.trigger) * 2 + u64::from(verdict.fired == Fired::Error));
        }
        theirs.add(u64::MAX);
        let value: Value = serde_json::from_slice(event).expect("JSON");
        let judgements = oracle.judge(&Event::from_value(value).expect("an event"), &scope);
        candidates += judgements.len();
        for judgement in judgements {
            let id: u64 = judgement.trigger.name[1..].parse().expect("a number");
            match judgement.outcome {
                Outcome::Match => (matches += 1, theirs.add(id * 2)).1,
                Outcome::Error(_) => (errors += 1, theirs.add(id * 2 + 1)).1,
                Outcome::NoMatch(_) => {}
            }
        }
    }
    assert_eq!(ours.0, theirs.0, "the compiled set and the oracle differ");
    let count = events.len() as f64;
    eprintln!(
        "  equal to the oracle: {:016x}; an event has {:.2} triggers of its name, {:.4} match, {:.4} err; {:.2} % of the events match",
        ours.0,
        candidates as f64 / count,
        matches as f64 / count,
        errors as f64 / count,
        matching as f64 / count * 100.0
    );
}

#[derive(Default)]
struct Hash(u64);

impl Hash {
    fn add(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

fn pass(set: &CompiledSet, events: &[Vec<u8>], cycles: usize, checked: bool) -> u64 {
    let (mut scratch, scope) = (Scratch::default(), Scope::default());
    let mut hash = Hash::default();
    let start = now();
    for _ in 0..cycles {
        for event in events {
            let verdicts = if checked { set.judge_checked(event, &scope, &mut scratch) } else { set.judge(event, &scope, &mut scratch) };
            for verdict in verdicts.expect("an event") {
                hash.add(u64::from(verdict.trigger));
            }
        }
    }
    let time = now() - start;
    black_box(hash.0);
    time
}

/// One event at a time, clock included.
fn latencies(set: &CompiledSet, events: &[Vec<u8>], size: usize) {
    let (mut scratch, scope) = (Scratch::default(), Scope::default());
    let mut times: Vec<u64> = events
        .iter()
        .map(|event| {
            let start = std::time::Instant::now();
            black_box(set.judge(event, &scope, &mut scratch).expect("an event"));
            u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
        })
        .collect();
    times.sort_unstable();
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p99_9", 0.999)] {
        let value = times[((times.len() - 1) as f64 * share) as usize];
        figure(&format!("match_{name}_ns_{size}"), value as f64, "ns", "one event, clock included");
    }
}

fn figure(name: &str, value: f64, unit: &str, note: &str) {
    let value = (value * 100.0).round() / 100.0;
    println!("{}", json!({"name": name, "value": value, "unit": unit, "note": note}));
}

fn now() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn least(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::INFINITY, f64::min)
}
