//! The same work on one thread, or on all threads of rayon's pool.
//!
//! Each piece of work gives its own result at its own place, so that the number of threads changes
//! nothing but the time.

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut1, Axis};
#[cfg(feature = "rayon")]
use rayon::prelude::*;

/// What `make` gives for 0 to `count - 1`, in this order.
pub(crate) fn map<T: Send>(count: usize, make: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
    #[cfg(feature = "rayon")]
    let all = (0..count).into_par_iter().map(make).collect();
    #[cfg(not(feature = "rayon"))]
    let all = (0..count).map(make).collect();
    all
}

/// Calls `work` for each block of at most `rows` rows of `data`, at least one, with their places of
/// `scores`, and with a scratch that `scratch` makes once per piece of work that runs on one thread.
pub(crate) fn for_each_block<S>(
    data: ArrayView2<'_, f64>,
    mut scores: ArrayViewMut1<'_, f64>,
    rows: usize,
    scratch: impl Fn() -> S + Send + Sync,
    work: impl Fn(ArrayView2<'_, f64>, ArrayViewMut1<'_, f64>, &mut S) + Send + Sync,
) {
    let data = data.axis_chunks_iter(Axis(0), rows);
    let scores = scores.axis_chunks_iter_mut(Axis(0), rows);
    #[cfg(feature = "rayon")]
    data.into_par_iter()
        .zip(scores)
        .for_each_init(scratch, |scratch, (data, scores)| {
            work(data, scores, scratch);
        });
    #[cfg(not(feature = "rayon"))]
    {
        let mut scratch = scratch();
        for (data, scores) in data.into_iter().zip(scores) {
            work(data, scores, &mut scratch);
        }
    }
}

/// Writes what `score` gives for each row of `data` to its place of `scores`, at most `rows` rows, at
/// least one, in one go on one thread.
pub(crate) fn for_each_row(
    data: ArrayView2<'_, f64>,
    scores: ArrayViewMut1<'_, f64>,
    rows: usize,
    score: impl Fn(ArrayView1<'_, f64>) -> f64 + Send + Sync,
) {
    let work = |data: ArrayView2<'_, f64>, mut scores: ArrayViewMut1<'_, f64>, (): &mut ()| {
        for (row, place) in data.rows().into_iter().zip(&mut scores) {
            *place = score(row);
        }
    };
    for_each_block(data, scores, rows, || (), work);
}
