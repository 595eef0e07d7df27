//! What `trailwire import` prints is taken by Terraform as it stands.

use std::fs;

use trailwire_tests::process::Program;
use trailwire_tests::runtime;
use trailwire_tests::stand::repository;

use crate::world::{HOME, PROVIDER, World};

const FORMATS: [&str; 4] = ["sigma", "custodian", "filter-pattern", "event-pattern"];

#[tokio::test]
async fn imported_rules_are_valid_and_formatted() {
    let world = World::new().await;
    let mut configuration = PROVIDER.to_owned();
    for format in FORMATS {
        let mut samples: Vec<String> = fs::read_dir(repository().join("tests/corpus/import").join(format))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| matches!(path.extension().and_then(|end| end.to_str()), Some("yml" | "json" | "txt")))
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        samples.sort();
        let arguments: Vec<&str> = ["import", format].into_iter().chain(samples.iter().map(String::as_str)).collect();
        let imported = Program::start(runtime::command(world.stand, &world.account, HOME, &arguments)).finish().await;
        // Each format has a sample that gives no trigger, which is told.
        assert_eq!(imported.status.code(), Some(1), "{}", imported.said());
        assert!(imported.stderr.contains("left out: "), "{}", imported.said());
        let module = world.terraform.path().join(format);
        fs::create_dir(&module).unwrap();
        fs::write(module.join("main.tf"), &imported.stdout).unwrap();
        configuration.push_str(&format!(
            "module \"{format}\" {{\n  source       = \"./{format}\"\n  hub          = \"security\"\n  destinations = [\"team\"]\n}}\n"
        ));
    }
    world.terraform.configure(&configuration);
    let directories = FORMATS.map(|format| format!("{format}/main.tf"));
    let format: Vec<&str> = ["fmt", "-check", "-diff"].into_iter().chain(directories.iter().map(String::as_str)).collect();
    world.terraform.run(&format).await.success();
    world.terraform.run(&["get", "-no-color"]).await.success();
    world.terraform.run(&["validate", "-no-color"]).await.success();
}
