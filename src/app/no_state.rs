//! Snapshots whose bytes are whole and which are no state to this version.

use super::tests::config;
use super::*;

#[tokio::test]
async fn whole_snapshots_that_are_no_state_keep_their_names_and_the_refusal_says_why() {
    let data = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        let app = App::start(config(data.path())).await.expect("it starts");
        app.stop().await.expect("it stops");
    }
    let kept = Snapshots::open(data.path()).expect("a folder");
    let mut spoilt = Vec::new();
    while let Some(mut snapshot) = kept
        .newest(|snapshot| match spoilt.contains(&snapshot.tip.sequence) {
            true => Resumed::of(snapshot).map(|_| None),
            false => Ok(Some(snapshot)),
        })
        .expect("a folder")
        .newest
        .flatten()
    {
        snapshot.engine.counts.accepted += 1;
        kept.write(&snapshot).expect("it can be written");
        spoilt.push(snapshot.tip.sequence);
    }
    assert_eq!(spoilt.len(), 2, "both");
    let names = || {
        let folder = std::fs::read_dir(data.path().join("snapshots")).expect("a folder");
        let mut names: Vec<_> = folder.map(|e| e.expect("listed").file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    // As if everything up to the newest had been trimmed.
    let journal = data.path().join("journal");
    let segment = |first: u64| journal.join(format!("segment-{first:020}.sqlite"));
    std::fs::rename(segment(1), segment(3)).expect("it is there");
    let refused = App::start(config(data.path())).await.err();
    assert!(matches!(refused, Some(AppError::Unrestorable { .. })), "{refused:?}");
    let told = refused.map(|why| why.to_string()).unwrap_or_default();
    for part in ["holds no state that can be gone on from", "1 accepted, 0 found", "a copy"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(names(), before, "no byte is wrong: nothing is renamed");
    // With the whole journal it starts without them.
    std::fs::rename(segment(3), segment(1)).expect("it is there");
    let app = App::start(config(data.path())).await.expect("from the journal alone");
    assert_eq!(app.recovered().entries, 3, "the configuration and two restarts");
    app.stop().await.expect("it stops");
}
