//! The provider's own calls on the stand, without Terraform: what it does when AWS fails, and when it is killed.

mod interrupt;
mod kill;
mod matrix;
mod overlap;
mod sandbox;
mod scope;
