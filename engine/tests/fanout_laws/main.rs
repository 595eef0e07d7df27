//! The laws of fan-out, on a model of what AWS has in one cell and how it answers: whatever is there, the steps lead to what is wanted, and then there are
//! none; removal leaves nothing of ours; what is not ours is never touched; and all of that holds wherever the work was broken off.
//!
//! Each property runs 10,000 cases.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod alarms;
mod dice;
mod start;
#[path = "../../src/testing.rs"]
mod testing;
mod wanted;
mod world;

use proptest::prelude::*;

use dice::Dice;
use start::world;
use wanted::{View, Wanted, wanted};
use world::World;

/// A world to start from, and what is wanted first and then.
fn cast(seed: u64, view: View) -> (World, Wanted, Wanted) {
    let dice = &mut Dice(seed);
    let start = world(dice);
    let start = if view == View::Listed { start.with_room_for_targets() } else { start };
    (start, wanted(dice), wanted(dice))
}

proptest! {
    #![proptest_config(testing::cases())]

    #[test]
    fn the_steps_lead_to_what_is_wanted_and_then_there_are_none(seed in any::<u64>(), view in view()) {
        let (start, wanted, _) = cast(seed, view);
        let mut world = start.clone();
        wanted.apply(&mut world, view, usize::MAX).unwrap();
        assert_as_wanted(&wanted, &start, &world, view);
        let before = world.clone();
        let steps = wanted.apply(&mut world, view, usize::MAX).unwrap();
        prop_assert_eq!(steps, 0, "something is done twice");
        prop_assert_eq!(world, before);
    }

    #[test]
    fn what_was_broken_off_is_finished_by_the_next_apply(seed in any::<u64>(), view in view(), steps in 0_usize..12) {
        let (start, first, second) = cast(seed, view);
        let mut world = start.clone();
        first.apply(&mut world, view, steps).unwrap();
        second.apply(&mut world, view, usize::MAX).unwrap();
        assert_as_wanted(&second, &start, &world, view);
    }

    #[test]
    fn removal_leaves_nothing_of_ours_and_touches_nothing_else(
        seed in any::<u64>(), view in view(), steps in 0_usize..20, broken_off in 0_usize..12,
    ) {
        let (start, wanted, _) = cast(seed, view);
        let mut world = start.clone();
        wanted.apply(&mut world, view, steps).unwrap();
        wanted.remove(&mut world, view, broken_off).unwrap();
        wanted.remove(&mut world, view, usize::MAX).unwrap();
        prop_assert_eq!(world, start.of_others());
    }

    /// A rule that sends to the hub before and after does so at every moment between.
    #[test]
    fn what_is_carried_before_and_after_is_carried_all_the_time(seed in any::<u64>(), steps in 0_usize..20) {
        let (start, wanted, _) = cast(seed, View::Deep);
        let carried = |world: &World| {
            let carrying = world.rules.iter().filter(|(_, rule)| rule.carries());
            carrying.map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        let (mut whole, mut part) = (start.clone(), start.clone());
        wanted.apply(&mut whole, View::Deep, usize::MAX).unwrap();
        wanted.apply(&mut part, View::Deep, steps).unwrap();
        let (before, now, after) = (carried(&start), carried(&part), carried(&whole));
        for name in before.iter().filter(|name| after.contains(name)) {
            prop_assert!(now.contains(name), "{} does not carry after {} steps", name, steps);
        }
    }
}

fn view() -> impl Strategy<Value = View> {
    prop_oneof![Just(View::Listed), Just(View::Deep)]
}

/// Ours is as wanted; the rest is as it was.
#[track_caller]
fn assert_as_wanted(wanted: &Wanted, start: &World, world: &World, view: View) {
    assert_eq!(wanted.differences(world, view), [] as [String; 0]);
    assert_eq!(world.of_others(), start.of_others(), "something of somebody else changed");
}
