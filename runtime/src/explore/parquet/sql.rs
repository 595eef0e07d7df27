//! How the files are asked: by DuckDB where they lie, by Athena in S3.

use std::collections::BTreeSet;

use super::Partition;
use super::columns::{COLUMNS, Column, Kind};

/// The command that asks them here.
pub(crate) fn duckdb(root: &str) -> String {
    let place = root.replace('\'', "''");
    format!(
        "duckdb -c \"SELECT eventsource, eventname, count(*) AS calls FROM read_parquet('{place}/**/*.parquet', hive_partitioning = true, \
         hive_types_autocast = false) GROUP BY ALL ORDER BY calls DESC LIMIT 20\""
    )
}

/// The table that Athena asks them by once they are in S3. Partitions are worked out from what a question asks for, and none is ever added.
pub(crate) fn athena(partitions: &BTreeSet<Partition>) -> String {
    let columns: Vec<String> = COLUMNS.iter().map(|column| format!("  `{}` {}", column.name, kind(column))).collect();
    let list = |of: fn(&Partition) -> &String| partitions.iter().map(of).map(String::as_str).collect::<BTreeSet<_>>();
    let joined = |of| list(of).into_iter().collect::<Vec<_>>().join(",");
    // What is no day can not be worked out.
    let first = list(|partition| &partition.day).into_iter().find(|day| day.starts_with(|letter: char| letter.is_ascii_digit()));
    let properties = [
        ("projection.enabled", "true".to_owned()),
        ("projection.account.type", "enum".to_owned()),
        ("projection.account.values", joined(|partition| &partition.account)),
        ("projection.region.type", "enum".to_owned()),
        ("projection.region.values", joined(|partition| &partition.region)),
        ("projection.day.type", "date".to_owned()),
        ("projection.day.format", "yyyy-MM-dd".to_owned()),
        ("projection.day.interval", "1".to_owned()),
        ("projection.day.interval.unit", "DAYS".to_owned()),
        ("projection.day.range", format!("{},NOW", first.unwrap_or("2020-01-01"))),
        ("storage.location.template", "s3://BUCKET/PREFIX/account=${account}/region=${region}/day=${day}".to_owned()),
    ];
    let properties: Vec<String> = properties.iter().map(|(name, value)| format!("  '{name}' = '{value}'")).collect();
    format!(
        "CREATE EXTERNAL TABLE cloudtrail (\n{}\n)\nPARTITIONED BY (`account` STRING, `region` STRING, `day` STRING)\nSTORED AS PARQUET\nLOCATION \
         's3://BUCKET/PREFIX/'\nTBLPROPERTIES (\n{}\n);",
        columns.join(",\n"),
        properties.join(",\n")
    )
}

fn kind(column: &Column) -> String {
    let members = |members: &[Column]| {
        let members: Vec<String> = members.iter().map(|member| format!("{}: {}", member.name, kind(member))).collect();
        format!("STRUCT<{}>", members.join(", "))
    };
    match column.kind {
        Kind::Text | Kind::Json => "STRING".to_owned(),
        Kind::Group(inner) => members(inner),
        Kind::List(inner) => format!("ARRAY<{}>", members(inner)),
    }
}
