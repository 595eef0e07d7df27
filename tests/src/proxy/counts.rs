//! How often each operation was called.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::identify::{Call, Matcher};

/// The number of calls of one operation, by one account in one region. Calls that a fault answered or cut are counted too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallCount {
    /// The account that called.
    pub account: String,
    /// The region of the calls.
    pub region: String,
    /// The signing name of the service.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// How many calls there were.
    pub count: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    calls: Mutex<BTreeMap<Call, u64>>,
}

impl Counts {
    pub(crate) fn add(&self, call: &Call) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry(call.clone()).or_default() += 1;
    }

    /// The counts of the calls that fit.
    pub(crate) fn read(&self, matcher: &Matcher) -> Vec<CallCount> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = calls.iter().filter(|(call, _)| matcher.fits(call));
        fitting
            .map(|(call, count)| CallCount {
                account: call.account.clone(),
                region: call.region.clone(),
                service: call.service.clone(),
                operation: call.operation.clone(),
                count: *count,
            })
            .collect()
    }

    /// Forgets the calls that fit.
    pub(crate) fn clear(&self, matcher: &Matcher) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.retain(|call, _| !matcher.fits(call));
    }
}
