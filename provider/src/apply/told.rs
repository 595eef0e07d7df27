//! How the failures of many cells are told: what AWS said once, however often it said it, and where.

use std::collections::{BTreeMap, BTreeSet};

use trailwire_engine::fanout::names::Cell;

use super::cells::by_regions;
use crate::cloud::error::CloudError;

/// How many request ids are told of what is the same in many cells.
const REQUEST_IDS: usize = 3;
/// Where lists are broken.
const WIDTH: usize = 110;
const INDENT: &str = "  ";

/// Cells in which the same call failed in the same way.
struct Group<'e> {
    errors: Vec<(&'e Cell, &'e CloudError)>,
    /// What AWS said, with the names of account and region left out where they differ.
    said: String,
}

/// The lines that tell of failures: what happened most often first. Every cell is named.
pub(super) fn lines(failed: &BTreeMap<Cell, CloudError>) -> Vec<String> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (cell, error) in failed {
        let said = said(cell, error);
        match groups.iter_mut().find(|group| group.is_of(error) && group.said == said) {
            Some(group) => group.errors.push((cell, error)),
            None => groups.push(Group { errors: vec![(cell, error)], said }),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.errors.len()));
    groups.iter().flat_map(Group::lines).collect()
}

/// Code and message, in the words that they have in every cell.
fn said(cell: &Cell, error: &CloudError) -> String {
    let code = if error.code.is_empty() { String::new() } else { format!("{}: ", error.code) };
    let mut message = error.message.trim_end_matches('.').replace(cell.region.as_str(), "REGION");
    if !cell.account.is_empty() {
        message = message.replace(cell.account.as_str(), "ACCOUNT");
    }
    let id = error.request_id.as_deref().filter(|id| !id.is_empty());
    code + &id.map_or_else(|| message.clone(), |id| message.replace(id, "ID"))
}

impl Group<'_> {
    fn is_of(&self, error: &CloudError) -> bool {
        self.errors.first().is_some_and(|(_, first)| first.kind == error.kind && first.operation == error.operation)
    }

    fn lines(&self) -> Vec<String> {
        let Some((cell, first)) = self.errors.first() else { return Vec::new() };
        if self.errors.len() == 1 {
            return std::iter::once(format!("{cell}: {}", first.call_and_cause())).chain(first.help()).collect();
        }
        let operation = if first.operation.is_empty() { String::new() } else { format!("`{}`: ", first.operation) };
        let mut lines = vec![format!("{} cells: {operation}{}", self.errors.len(), self.said)];
        for (regions, accounts) in by_regions(self.errors.iter().map(|(cell, _)| *cell)) {
            lines.extend(wrapped(&format!("{}: {}", accounts.join(", "), regions.join(", "))));
        }
        lines.extend(self.request_ids());
        let regions: BTreeSet<&str> = self.errors.iter().map(|(cell, _)| cell.region.as_str()).collect();
        let accounts: BTreeSet<&str> = self.errors.iter().map(|(cell, _)| cell.account.as_str()).collect();
        lines.extend(first.help_in(&Vec::from_iter(accounts), &Vec::from_iter(regions)));
        lines
    }

    fn request_ids(&self) -> Option<String> {
        let ids: Vec<&str> = self.errors.iter().filter_map(|(_, error)| error.request_id.as_deref()).collect();
        let more = ids.len().saturating_sub(REQUEST_IDS);
        let some = ids.iter().take(REQUEST_IDS).copied().collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!ids.is_empty()).then(|| format!("{INDENT}request ids {some}{more}"))
    }
}

/// Text in lines that fit a terminal.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = INDENT.to_owned();
    for word in text.split(' ') {
        if line.len().saturating_add(word.len()) > WIDTH {
            lines.push(std::mem::replace(&mut line, INDENT.repeat(2)).trim_end().to_owned());
        }
        line.push_str(word);
        line.push(' ');
    }
    lines.push(line.trim_end().to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::error::Kind;

    fn error(kind: Kind, cell: &Cell, request: usize, message: &str) -> CloudError {
        CloudError {
            kind,
            code: "AccessDeniedException".to_owned(),
            message: message.replace("REGION", &cell.region).replace("ACCOUNT", &cell.account),
            request_id: Some(format!("r-{request}")),
            cell: Box::new(cell.clone()),
            operation: "events:PutRule",
        }
    }

    #[test]
    fn many_failures_are_a_sentence_and_a_table() {
        let accounts: Vec<String> = (0..20_u64).map(|number| (111_122_223_333 + number).to_string()).collect();
        let regions = ["af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2"];
        let message = "User: arn:aws:sts::ACCOUNT:assumed-role/trailwire-deploy/me is not authorized to perform: events:PutRule on resource: \
                       arn:aws:events:REGION:ACCOUNT:rule/tw-755b7686-a-0 with an explicit deny in a service control policy";
        let mut failed = BTreeMap::new();
        for account in &accounts {
            for region in regions {
                let cell = Cell::new(account, region);
                failed.insert(cell.clone(), error(Kind::ScpDenied, &cell, failed.len(), message));
            }
        }
        let lone = Cell::new("999999999999", "eu-west-1");
        failed.insert(lone.clone(), error(Kind::AccessDenied, &lone, 999, "not authorized."));
        let one_region = Cell::new("888888888888", "ap-east-1");
        failed.insert(one_region.clone(), error(Kind::ScpDenied, &one_region, 500, message));
        let lines = lines(&failed);
        assert_eq!(
            lines.first().unwrap(),
            "141 cells: `events:PutRule`: AccessDeniedException: User: arn:aws:sts::ACCOUNT:assumed-role/trailwire-deploy/me is not authorized \
             to perform: events:PutRule on resource: arn:aws:events:REGION:ACCOUNT:rule/tw-755b7686-a-0 with an explicit deny in a service \
             control policy"
        );
        let all = lines.join("\n");
        assert!(accounts.iter().chain([&lone.account, &one_region.account]).all(|account| all.contains(account.as_str())), "{all}");
        for line in [
            "  888888888888: ap-east-1",
            "  request ids r-0, r-1, r-2 and 138 more",
            "a service control policy forbids it there; to leave the regions out, add to the hub: exclude_regions = [\"af-south-1\", \
             \"ap-east-1\", \"ap-northeast-1\", \"ap-northeast-2\", \"ap-northeast-3\", \"ap-south-1\", \"ap-south-2\"]",
            "999999999999/eu-west-1: `events:PutRule`: AccessDeniedException: not authorized (request id r-999)",
            "allow `events:PutRule` to whoever runs Terraform",
        ] {
            assert!(lines.iter().any(|told| told == line), "{line}\n{all}");
        }
        assert!(lines.len() < 12, "{all}");
    }

    #[test]
    fn lists_are_broken_where_they_are_long() {
        let text: Vec<String> = (0..30).map(|number| format!("region-{number}")).collect();
        let lines = wrapped(&text.join(", "));
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| line.len() <= WIDTH));
        assert_eq!(lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "), text.join(", "));
    }
}
