//! Threads that do one thing at a time together.
//!
//! The parts of a training step are as short as the time in which a thread that sleeps is woken. So those who help look out
//! for the next part for a while before they sleep, and whoever hands one out does not wait for them: it takes pieces of the
//! work like the others, and at last waits only for those that have come.

use crate::{Error, Result};
use rayon::iter::IndexedParallelIterator;
use rayon::iter::plumbing::{Producer, ProducerCallback};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;

/// Pieces for each thread: those that are done with theirs take over from those that were disturbed.
const PIECES: usize = 8;
/// Looks at whether there is work, with a pause after each, before the processor is offered to others: about 50 µs.
const PAUSES: usize = 1000;
/// Further looks, with such an offer after each, before sleep.
const OFFERS: usize = 500;

/// A job: called with the index of each thread that takes part, it does pieces of the work until none are left.
type Job<'a> = dyn Fn(usize) + Sync + 'a;

/// The thread that asks, and its helpers.
pub(super) struct Threads {
    shared: Arc<Shared>,
    /// Held by the thread whose job it is.
    turn: Mutex<()>,
    helpers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    slot: Mutex<Slot>,
    /// Jobs so far, and the end; changed while the slot is locked.
    jobs: AtomicUsize,
    /// Helpers that are at the job; raised while the slot is locked and has one.
    inside: AtomicUsize,
    wake: Condvar,
}

#[derive(Default)]
struct Slot {
    /// What there is to do. Only [`Open`] ends its lifetime, which is not really 'static.
    job: Option<&'static Job<'static>>,
    sleepers: usize,
    ended: bool,
    panic: Option<Box<dyn Any + Send>>,
}

impl Threads {
    /// So many threads, the caller among them.
    pub fn new(count: usize) -> Result<Self> {
        let mut threads = Self::alone();
        for index in 1..count {
            let shared = Arc::clone(&threads.shared);
            let helper = std::thread::Builder::new().name(format!("cpu-{index}")).spawn(move || shared.help(index));
            let helper = helper.map_err(|error| Error::Device(format!("cannot start {count} threads: {error}")))?;
            threads.helpers.push(helper);
        }
        Ok(threads)
    }

    /// The calling thread alone.
    pub fn alone() -> Self {
        Self { shared: Arc::default(), turn: Mutex::default(), helpers: Vec::new() }
    }

    /// How many share the work.
    pub fn count(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Does something with each item.
    pub fn for_each<I: IndexedParallelIterator>(&self, items: I, run: impl Fn(I::Item) + Sync) {
        self.for_each_with(items, || (), |(), item| run(item));
    }

    /// Does something with each item, and with what a thread keeps from one to the next.
    pub fn for_each_with<I: IndexedParallelIterator, T>(
        &self,
        items: I,
        kept: impl Fn() -> T + Sync,
        run: impl Fn(&mut T, I::Item) + Sync,
    ) {
        let len = items.len();
        items.with_producer(Divide { threads: self, len, kept, run });
    }

    /// Calls a job on every thread that comes while this one is at it.
    fn share(&self, job: &Job<'_>) {
        // A job within a job, or beside that of another caller, is done by its own thread.
        let turn = match self.turn.try_lock() {
            Ok(turn) => Some(turn),
            Err(TryLockError::Poisoned(turn)) => Some(turn.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        if turn.is_none() || self.helpers.is_empty() {
            return job(0);
        }
        let open = Open::new(&self.shared, job);
        job(0);
        drop(open);
        let panic = self.shared.lock().panic.take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let mut slot = self.shared.lock();
        slot.ended = true;
        self.shared.jobs.fetch_add(1, Ordering::Release);
        self.shared.wake.notify_all();
        drop(slot);
        for helper in self.helpers.drain(..) {
            // A helper catches the panics of its jobs, and has none of its own.
            let _ = helper.join();
        }
    }
}

impl Shared {
    /// The slot; whole even where a thread panicked, since each change of it is.
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a helper does, to its end.
    fn help(&self, index: usize) {
        let mut seen = 0;
        loop {
            for look in 0..PAUSES + OFFERS {
                if self.jobs.load(Ordering::Acquire) != seen {
                    break;
                }
                pause(look);
            }
            let mut slot = self.lock();
            while self.jobs.load(Ordering::Relaxed) == seen {
                slot.sleepers += 1;
                slot = self.wake.wait(slot).unwrap_or_else(PoisonError::into_inner);
                slot.sleepers -= 1;
            }
            seen = self.jobs.load(Ordering::Relaxed);
            if slot.ended {
                return;
            }
            let Some(job) = slot.job else { continue };
            self.inside.fetch_add(1, Ordering::Relaxed);
            drop(slot);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| job(index))) {
                self.lock().panic = Some(panic);
            }
            self.inside.fetch_sub(1, Ordering::Release);
        }
    }
}

/// Waits a moment; after many looks, one in which others may run.
fn pause(looks: usize) {
    if looks < PAUSES {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

/// A job in the slot, for as long as this lives.
struct Open<'a>(&'a Shared);

impl<'a> Open<'a> {
    fn new(shared: &'a Shared, job: &Job<'_>) -> Self {
        // SAFETY: helpers take the job from the slot only, and count themselves `inside` while they use it; dropping `Open`,
        // which the caller does before the job's lifetime ends, empties the slot and then waits until none is inside.
        let job = unsafe { std::mem::transmute::<&Job<'_>, &'static Job<'static>>(job) };
        let mut slot = shared.lock();
        slot.panic = None;
        slot.job = Some(job);
        shared.jobs.fetch_add(1, Ordering::Release);
        if slot.sleepers > 0 {
            shared.wake.notify_all();
        }
        Self(shared)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.lock().job = None;
        let mut looks = 0;
        while self.0.inside.load(Ordering::Acquire) > 0 {
            pause(looks);
            looks += 1;
        }
    }
}

/// Divides items into pieces, and the pieces between threads.
struct Divide<'a, K, F> {
    threads: &'a Threads,
    len: usize,
    kept: K,
    run: F,
}

impl<Item, T, K, F> ProducerCallback<Item> for Divide<'_, K, F>
where
    K: Fn() -> T + Sync,
    F: Fn(&mut T, Item) + Sync,
{
    type Output = ();

    fn callback<P: Producer<Item = Item>>(self, items: P) {
        let Self { threads, len, kept, run } = self;
        let count = threads.count();
        let pieces = (count * PIECES).min(len / items.min_len().max(1)).max(1);
        if count == 1 || pieces == 1 {
            let mut kept = kept();
            return items.into_iter().for_each(|item| run(&mut kept, item));
        }
        let mut rest = items;
        let mut divided = Vec::with_capacity(pieces);
        for piece in 0..pieces - 1 {
            let (piece, after) = rest.split_at((piece + 1) * len / pieces - piece * len / pieces);
            divided.push(Mutex::new(Some(piece)));
            rest = after;
        }
        divided.push(Mutex::new(Some(rest)));
        threads.share(&|index| {
            // Each begins with the pieces that it has at every step, which its cache may still hold.
            let (before, from) = divided.split_at(index * pieces / count);
            let mut state = None;
            for piece in from.iter().chain(before) {
                let piece = piece.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(piece) = piece {
                    let kept = state.get_or_insert_with(&kept);
                    piece.into_iter().for_each(|item| run(kept, item));
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn every_item_is_done_once_by_any_number_of_threads() {
        for count in [1, 2, 3, 7] {
            let threads = Threads::new(count).unwrap();
            assert_eq!(threads.count(), count);
            for len in [0, 1, 2, 7, 100, 1000] {
                let mut items = vec![0_usize; len];
                threads.for_each(items.par_iter_mut().enumerate(), |(index, item)| *item += index + 1);
                assert!(items.iter().copied().eq(1..=len), "{len} items, {count} threads: {items:?}");
            }
        }
    }

    #[test]
    fn helpers_take_part_also_when_they_were_asleep() {
        let threads = Threads::new(3).unwrap();
        for _ in 0..3 {
            while threads.shared.lock().sleepers < 2 {
                std::thread::yield_now();
            }
            let names = Mutex::new(HashSet::new());
            // Each of the three waits for the other two.
            let meeting = std::sync::Barrier::new(3);
            threads.for_each([0; 3].par_iter(), |_| {
                names.lock().unwrap().insert(std::thread::current().id());
                meeting.wait();
            });
            assert_eq!(names.into_inner().unwrap().len(), 3);
        }
    }

    #[test]
    fn what_a_thread_keeps_is_made_once_for_each() {
        let threads = Threads::new(2).unwrap();
        let made = AtomicUsize::new(0);
        threads.for_each_with(
            (0..1000).into_par_iter(),
            || made.fetch_add(1, Ordering::Relaxed),
            |kept, _| assert!(*kept < 2),
        );
        assert!(made.into_inner() <= 2);
    }

    #[test]
    fn a_job_within_a_job_is_done() {
        let threads = Threads::new(2).unwrap();
        let sum = AtomicUsize::new(0);
        threads.for_each((0..10).into_par_iter(), |_| {
            threads.for_each((0..10).into_par_iter(), |inner| {
                sum.fetch_add(inner, Ordering::Relaxed);
            });
        });
        assert_eq!(sum.into_inner(), 450);
    }

    #[test]
    fn callers_beside_each_other_are_both_served() {
        let threads = Threads::new(3).unwrap();
        let caller = || {
            for _ in 0..2000 {
                let sum = AtomicUsize::new(0);
                threads.for_each((0..20).into_par_iter(), |item| {
                    sum.fetch_add(item, Ordering::Relaxed);
                });
                assert_eq!(sum.into_inner(), 190);
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(caller);
            scope.spawn(caller);
        });
    }

    #[test]
    fn a_panic_reaches_the_caller_and_breaks_nothing() {
        let threads = Threads::new(2).unwrap();
        let caller = std::thread::current().id();
        for of_caller in [true, false] {
            // Both have an item, and one of them fails.
            let meeting = std::sync::Barrier::new(2);
            let result = catch_unwind(AssertUnwindSafe(|| {
                threads.for_each([0; 2].par_iter(), |_| {
                    meeting.wait();
                    assert_ne!(std::thread::current().id() == caller, of_caller, "meant to fail");
                });
            }));
            let message = *result.unwrap_err().downcast::<String>().unwrap();
            assert!(message.contains("meant to fail"), "{message}");
        }
        let sum = AtomicUsize::new(0);
        threads.for_each((0..10).into_par_iter(), |item| {
            sum.fetch_add(item, Ordering::Relaxed);
        });
        assert_eq!(sum.into_inner(), 45);
    }
}
