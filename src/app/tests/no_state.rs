//! Snapshots whose bytes are whole and which are no state to this version.

use super::*;

#[tokio::test]
async fn whole_snapshots_that_are_no_state_keep_their_names_and_the_refusal_says_why() {
    let data = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        let app = App::start(config(data.path())).await.expect("it starts");
        app.stop().await.expect("it stops");
    }
    assert_eq!(spoil(data.path()), [2, 1]);
    let app = App::start(config(data.path())).await.expect("from the journal alone");
    assert_eq!(app.recovered().entries, 2, "the configuration and a restart");
    app.stop().await.expect("it stops");
    let all: Vec<_> = (1..=3).map(|at| format!("snapshot-{at:020}")).collect();
    assert_eq!(names(data.path()), all, "no byte is wrong: nothing is renamed");

    assert_eq!(spoil(data.path()), [3, 2]);
    // As if everything up to the newest had been trimmed.
    let journal = data.path().join("journal");
    let segment = |first: u64| journal.join(format!("segment-{first:020}.sqlite"));
    std::fs::rename(segment(1), segment(3)).expect("it is there");
    let refused = App::start(config(data.path())).await.err();
    assert!(matches!(refused, Some(AppError::Unrestorable { .. })), "{refused:?}");
    let told = refused.map(|why| why.to_string()).unwrap_or_default();
    for part in ["holds no state that can be gone on from", "1 accepted, 0 found", "from a copy"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(names(data.path()), all[1..], "nothing is renamed");
}

/// Makes every snapshot one that is whole and no state. Gives which were.
fn spoil(data: &std::path::Path) -> Vec<u64> {
    let kept = Snapshots::open(data).expect("a folder");
    let mut spoilt = Vec::new();
    loop {
        let found = kept.newest(|snapshot| {
            if spoilt.contains(&snapshot.tip.sequence) {
                return Resumed::of(snapshot).map(|_| None);
            }
            Ok(Some(snapshot))
        });
        let Some(mut snapshot) = found.expect("a folder").newest.flatten() else { return spoilt };
        snapshot.engine.counts.accepted = 1;
        kept.write(&snapshot).expect("it can be written");
        spoilt.push(snapshot.tip.sequence);
    }
}

fn names(data: &std::path::Path) -> Vec<String> {
    let folder = std::fs::read_dir(data.join("snapshots")).expect("a folder");
    let names = folder.map(|e| e.expect("listed").file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}
