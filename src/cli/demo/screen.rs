//! Where the live view goes: a terminal that is redrawn, or lines for a log.

use std::io::{IsTerminal, stdout};
use std::time::{Duration, Instant};

use super::view::{Addresses, Frame};
use crate::cli::out::{Palette, Text, put, tell_line};

/// Between two lines for a log.
const PROGRESS: Duration = Duration::from_secs(5);

/// See the module. A terminal's cursor is given back when it is dropped.
#[derive(Debug)]
pub(super) struct Screen {
    live: bool,
    palette: Palette,
    told: Instant,
}

impl Screen {
    /// Live on a terminal, unless JSON is wanted: then stdout belongs to it.
    pub(super) fn open(json: bool) -> Self {
        let live = !json && stdout().is_terminal();
        let palette = if live { Palette::of_stdout() } else { Palette::Plain };
        if live {
            // The other screen, so that what stood there before comes back; no cursor.
            draw("\x1b[?1049h\x1b[?25l");
        }
        Self { live, palette, told: Instant::now() }
    }

    pub(super) fn palette(&self) -> Palette {
        self.palette
    }

    pub(super) fn is_live(&self) -> bool {
        self.live
    }

    /// Says where the router listens, unless every frame will.
    pub(super) fn open_at(&self, addresses: Addresses) {
        if !self.live {
            let Addresses { grpc, http } = addresses;
            tell_line(&format!("demo: the router listens at grpc={grpc} http={http}"));
        }
    }

    pub(super) fn show(&mut self, frame: &Frame<'_>) {
        if self.live {
            // Each line is cleared to its end and all below the last: nothing flickers.
            let mut text = String::from("\x1b[H");
            for line in frame.lines(self.palette) {
                text.push_str(&line);
                text.push_str("\x1b[K\r\n");
            }
            text.push_str("\x1b[J");
            draw(&text);
        } else if self.told.elapsed() >= PROGRESS {
            self.told = Instant::now();
            tell_line(&frame.progress());
        }
    }

    /// Gives the terminal back; again is nothing.
    pub(super) fn close(&mut self) {
        if std::mem::take(&mut self.live) {
            draw("\x1b[?25h\x1b[?1049l");
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.close();
    }
}

fn draw(text: &str) {
    // A terminal that is gone is noticed by Ctrl-C or the end, not here.
    let _ = put(&Text::own(text));
}
