//! Windows: a source is a socket, polled through the driver of sockets (AFD);
//! what completes and is no socket, such as a named pipe, brings an operation
//! of its own to the same completion port.

pub(crate) mod rounds;
pub(crate) mod sock;

cfg_if! {
    if #[cfg(windows)] {
        #[allow(unsafe_code)]
        mod afd;
        #[allow(unsafe_code)]
        pub(crate) mod in_flight;
        #[allow(unsafe_code)]
        pub(crate) mod iocp;
        #[allow(unsafe_code)]
        pub(crate) mod net;
        pub(crate) mod pipe;
        mod selector;
        mod updates;
        mod wait;

        pub(crate) use selector::Selector;
        pub(crate) use std::os::windows::io::AsRawSocket as AsRawSource;
        pub(crate) type RawSource = std::os::windows::io::RawSocket;

        /// The socket that a type of std owns.
        #[inline]
        pub(crate) fn raw_source(io: &impl AsRawSource) -> RawSource {
            io.as_raw_socket()
        }
    } else {
        // Elsewhere the machines that know no kernel are tested.
        mod pipe {
            mod state;
        }
        mod updates;
        mod wait {
            mod state;
        }
    }
}
