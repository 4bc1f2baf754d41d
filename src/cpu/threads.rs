//! How work is divided: between the threads of the pool that runs it, or not at all where the calling thread does a small
//! step by itself.

use rayon::iter::plumbing::{Producer, ProducerCallback};
use rayon::prelude::*;

/// Threads that share the work.
pub(super) fn count() -> usize {
    if pooled() { rayon::current_num_threads() } else { 1 }
}

/// Whether this thread belongs to a pool. Outside of one, rayon would start threads for the whole process.
fn pooled() -> bool {
    rayon::current_thread_index().is_some()
}

/// Does something with each item.
pub(super) fn for_each<I: IndexedParallelIterator>(items: I, run: impl Fn(I::Item) + Send + Sync) {
    for_each_with(items, || (), |(), item| run(item));
}

/// Does something with each item, and with what is kept from one to the next.
pub(super) fn for_each_with<I: IndexedParallelIterator, T>(
    items: I,
    kept: impl Fn() -> T + Send + Sync,
    run: impl Fn(&mut T, I::Item) + Send + Sync,
) {
    if pooled() {
        items.for_each_init(kept, run);
    } else {
        let mut kept = kept();
        items.with_producer(InOrder(|item| run(&mut kept, item)));
    }
}

/// Items one after another.
struct InOrder<F>(F);

impl<T, F: FnMut(T)> ProducerCallback<T> for InOrder<F> {
    type Output = ();

    fn callback<P: Producer<Item = T>>(self, items: P) {
        items.into_iter().for_each(self.0);
    }
}
