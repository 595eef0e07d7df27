//! The main job with a real Terraform, end to end on the stand.

mod accounts;
mod alarms;
mod changes;
mod crash;
mod delivery;
mod destinations;
mod diagnostics;
mod doctor;
mod drift;
mod embedded;
mod failures;
mod forwarder;
mod functions;
mod import;
mod input;
mod interruption;
mod packs;
mod lambda;
mod languages;
mod least_privilege;
mod matrix;
mod planning;
mod queries;
mod trails;
mod unknown;
mod world;
