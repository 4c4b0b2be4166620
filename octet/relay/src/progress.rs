//! Whether a reader of a connection's first bytes has seen what it looks for.

/// What a reader says to the bytes that it was fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It looks at the next bytes too.
    More,
    /// It has seen what it can, and looks at no more.
    Done,
}

impl Progress {
    /// Whether it is [`Done`](Self::Done).
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Done)
    }
}
