//! What the writer asks of a worker: whether it may send, and to take out what it has sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_core::future::BoxFuture;

use super::hub::{Hub, lock};
use super::loan::Loan;
use super::settle::settle;
use crate::client::batch_writer::Outcome;
use crate::client::batch_writer::gate::Gate;
use crate::runtime;

impl Gate for Arc<Hub> {
    fn prepare(&self, items: Vec<(u64, bool)>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut noted: BTreeMap<u16, (Arc<Loan>, Vec<u64>)> = BTreeMap::new();
            {
                let mut held = lock(&self.held);
                for number in items.into_iter().filter_map(|(number, is_harmless)| (!is_harmless).then_some(number)) {
                    let Some(item) = held.get_mut(&number).filter(|item| !item.loan.is_closed()) else { continue };
                    item.is_single = true;
                    let loan = noted.entry(item.loan.partition).or_insert_with(|| (Arc::clone(&item.loan), Vec::new()));
                    loan.1.push(item.sequence);
                }
            }
            let writes: Vec<_> = noted
                .into_values()
                .map(|(loan, sequences)| {
                    let buckets = self.buckets.clone();
                    runtime::spawn(async move { loan.note(&buckets, &sequences).await })
                })
                .collect();
            for write in writes {
                // One that broke off has closed nothing, and noted nothing for certain.
                if write.await.is_err() {
                    tracing::error!(target: "keyfit::batch_writer", "a note of what is about to be sent broke off");
                }
            }
        })
    }

    fn allows(&self, number: u64) -> bool {
        self.is_valid() && lock(&self.held).get(&number).is_some_and(|item| !item.loan.is_closed())
    }

    fn settle<'a>(&'a self, items: Vec<(u64, &'a [u8], &'a Outcome)>) -> BoxFuture<'a, ()> {
        let settling: Vec<_> =
            items.into_iter().filter_map(|(number, item, outcome)| settle(self, number, item, outcome)).collect();
        Box::pin(async move {
            for settled in settling {
                if settled.await.is_err() {
                    tracing::error!(target: "keyfit::batch_writer", "the settling of an item broke off");
                }
            }
        })
    }
}
