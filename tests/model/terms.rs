//! The words in which sources, their model and the steps speak to each other.

/// Whether the queue knows levels, of which operations, or time, make edges.
pub(crate) const REARMED: bool = cfg!(any(
    windows,
    mio_unsupported_force_poll_poll,
    mio_ports_emulation
));

/// Reading or writing: an index into what is kept for each.
pub(crate) const DIRECTIONS: [usize; 2] = [READ, WRITE];
pub(crate) const READ: usize = 0;
pub(crate) const WRITE: usize = 1;

/// What an event, or an interest, names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Pair {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

impl Pair {
    pub(crate) fn has(self, direction: usize) -> bool {
        [self.read, self.write][direction]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Edge,
    Level,
    OneShot,
}

/// What an unread quantity counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    Datagrams,
    /// One read takes all.
    Counter,
}

/// What the kind of a source lets the model know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nature {
    pub(crate) unit: Unit,
    /// What was sent may still be under way.
    pub(crate) remote: bool,
    /// What arrives is an edge even if nobody came to `WouldBlock`: the queue is the kernel's own.
    pub(crate) kernel_edges: bool,
}

/// How far the peer has ended the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Open,
    /// It writes no more.
    Half,
    /// It is gone, and had read everything.
    Closed,
    /// It is gone, and operations fail.
    Broken,
}

/// How an operation went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done(usize),
    WouldBlock,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Yes,
    No,
    Unknown,
}

/// What contradicts the contract.
pub(crate) type Verdict = Result<(), String>;
