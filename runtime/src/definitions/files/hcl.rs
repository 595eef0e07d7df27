//! Where in the files of a Terraform configuration a resource and its attributes stand.
//!
//! A plan tells no places. Files are looked through line by line, as `terraform fmt` writes them: the head of a block and the names of its
//! arguments each begin a line. What is not found is not told.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use trailwire_engine::diagnostic::{Path as AttributePath, Step};

use super::plan::Resource;

/// The file and line of an attribute of a resource, or of the resource itself where the attribute is not found.
pub(super) fn place(configuration: &Path, plan: &Value, resource: &Resource<'_>, path: &AttributePath) -> Option<(String, usize)> {
    let directory = directory_of(configuration, plan, resource.module)?;
    let head = format!("resource \"{}\" \"{}\"", resource.kind, resource.name);
    let mut files: Vec<PathBuf> = fs::read_dir(directory).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "tf"));
    files.sort();
    files.into_iter().find_map(|file| {
        let text = fs::read_to_string(&file).ok()?;
        let name = file.strip_prefix(".").unwrap_or(&file).display().to_string();
        Some((name, line_of(&text, &head, path)?))
    })
}

/// The directory of a module, by following the calls that lead to it. Only modules that are directories of the configuration are there.
fn directory_of(configuration: &Path, plan: &Value, module: &str) -> Option<PathBuf> {
    let mut directory = configuration.to_owned();
    let mut at = plan.pointer("/configuration/root_module");
    for name in module_names(module) {
        let call = at?.get("module_calls")?.get(name)?;
        let source = call.get("source")?.as_str().filter(|source| source.starts_with("./") || source.starts_with("../"))?;
        directory.push(source.strip_prefix("./").unwrap_or(source));
        at = call.get("module");
    }
    Some(directory)
}

/// `a` and `b` of `module.a["x.y"].module.b`.
fn module_names(address: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = address;
    while let Some(after) = rest.strip_prefix("module.") {
        let end = after.find(['.', '[']).unwrap_or(after.len());
        let (name, more) = after.split_at(end);
        names.push(name);
        let after_key = if more.starts_with('[') { more.find("].").map_or("", |at| more.get(at + 2..).unwrap_or("")) } else { "" };
        rest = more.strip_prefix('.').unwrap_or(after_key);
    }
    names
}

/// The line of the innermost part of the path that is found in the block with this head.
fn line_of(text: &str, head: &str, path: &AttributePath) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.iter().position(|line| line.trim_start().starts_with(head))?;
    let indent = indent_of(lines.get(start)?);
    let inside = lines.get(start + 1..)?.iter().position(|line| line.starts_with(&format!("{indent}}}")));
    let mut end = inside.map_or(lines.len(), |inside| start + 1 + inside);
    let mut found = start;
    let mut steps = path.0.iter().peekable();
    while let Some(Step::Attribute(name) | Step::Key(name)) = steps.next() {
        let nth = match steps.peek() {
            Some(Step::Index(nth)) => *nth,
            _ => 0,
        };
        let blocks_before = if matches!(steps.peek(), Some(Step::Index(_))) { nth } else { 0 };
        steps.next_if(|step| matches!(step, Step::Index(_)));
        let begins = |line: &&str| begins_with(line.trim_start(), name);
        let candidates: Vec<usize> = (found + 1..end).filter(|number| lines.get(*number).is_some_and(begins)).collect();
        let Some(first) = candidates.first().copied() else { break };
        let is_block = lines.get(first).is_some_and(|line| line.trim_end().ends_with('{') && !line.contains('='));
        // Blocks of this depth alone: those that are indented like the first.
        let depth = lines.get(first).map(|line| indent_of(line)).unwrap_or_default();
        let siblings: Vec<usize> =
            candidates.into_iter().filter(|number| lines.get(*number).is_some_and(|line| indent_of(line) == depth)).collect();
        found = if is_block { siblings.get(blocks_before).copied()? } else { first };
        if !is_block {
            // The elements of a map begin lines of their own; those of a list are not told apart.
            continue;
        }
        let close = format!("{depth}}}");
        end = (found + 1..end).find(|number| lines.get(*number).is_some_and(|line| line.starts_with(&close))).unwrap_or(end);
    }
    Some(found + 1)
}

fn indent_of(line: &str) -> &str {
    line.get(..line.len() - line.trim_start().len()).unwrap_or("")
}

/// Whether a line begins with this name, in quotes or not, as an argument or a block.
fn begins_with(line: &str, name: &str) -> bool {
    let rest = line.strip_prefix(name).or_else(|| line.strip_prefix('"')?.strip_prefix(name)?.strip_prefix('"'));
    rest.is_some_and(|rest| matches!(rest.trim_start().chars().next(), Some('=' | '{')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
resource "trailwire_trigger" "other" {
  event_names = ["A"]
}

resource "trailwire_trigger" "t" {
  for_each         = local.all
  event_names      = ["A"]
  match_expression = "x"

  action {
    wait {
      duration = "1m"
    }
  }
  action {
    notify {
      destinations = ["a"]
      title        = "t"
      fields = {
        "a b" = "detail.x"
        Group = "detail.y"
      }
    }
  }
  test {
    name   = "a"
    expect = true
  }
  test {
    name   = "b"
    expect = false
  }
}
"#;

    #[test]
    fn the_line_of_an_attribute() {
        let notify = AttributePath::root("action").index(1).attribute("notify").index(0);
        for (path, line) in [
            (AttributePath::default(), 6),
            (AttributePath::root("event_names").index(0), 8),
            (AttributePath::root("match_expression"), 9),
            (AttributePath::root("severity"), 6),
            (AttributePath::root("action").index(0).attribute("wait").index(0).attribute("duration"), 13),
            (notify.attribute("title"), 19),
            (notify.attribute("fields").key("a b"), 21),
            (notify.attribute("fields").key("Group"), 22),
            (AttributePath::root("test").index(1).attribute("expect"), 32),
        ] {
            assert_eq!(line_of(TEXT, "resource \"trailwire_trigger\" \"t\"", &path), Some(line), "{path}");
        }
        assert_eq!(line_of(TEXT, "resource \"trailwire_trigger\" \"gone\"", &AttributePath::default()), None);
    }

    #[test]
    fn the_names_of_modules() {
        assert_eq!(module_names(""), [""; 0]);
        assert_eq!(module_names("module.a"), ["a"]);
        assert_eq!(module_names("module.a[\"x.y\"].module.b[0].module.c"), ["a", "b", "c"]);
    }
}
