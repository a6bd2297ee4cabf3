//! The trait impls that handles and sources share, written once.
//!
//! A *handle* here is a struct with one field, `inner: IoSource<T>`, where `T`
//! is the type of std that does the work.

/// `event::Source` of a type that another source does the work of: an expression
/// over a reference to the one.
macro_rules! impl_source {
    ($source:ty, |$this:ident| $inner:expr) => {
        impl $crate::event::Source for $source {
            #[inline]
            fn register(
                &mut self,
                registry: &$crate::Registry,
                token: $crate::Token,
                interests: $crate::Interest,
            ) -> std::io::Result<()> {
                let $this = self;
                $crate::event::Source::register(&mut $inner, registry, token, interests)
            }

            #[inline]
            fn reregister(
                &mut self,
                registry: &$crate::Registry,
                token: $crate::Token,
                interests: $crate::Interest,
            ) -> std::io::Result<()> {
                let $this = self;
                $crate::event::Source::reregister(&mut $inner, registry, token, interests)
            }

            #[inline]
            fn deregister(&mut self, registry: &$crate::Registry) -> std::io::Result<()> {
                let $this = self;
                $crate::event::Source::deregister(&mut $inner, registry)
            }
        }
    };
}

/// `event::Source`, `Debug`, and the traits of owners of a raw handle, which
/// `impl_raw_handle` has for each family of systems.
macro_rules! impl_handle {
    ($handle:ty, $inner:ty) => {
        impl_source!($handle, |handle| handle.inner);

        impl std::fmt::Debug for $handle {
            #[inline]
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.inner, f)
            }
        }

        impl_raw_handle!($handle, $inner);
    };
}

/// The traits of owners of a descriptor.
#[cfg(any(unix, target_os = "hermit", target_os = "wasi"))]
macro_rules! impl_raw_handle {
    ($handle:ty, $inner:ty) => {
        impl std::os::fd::AsFd for $handle {
            #[inline]
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                std::os::fd::AsFd::as_fd(&*self.inner)
            }
        }

        impl std::os::fd::AsRawFd for $handle {
            #[inline]
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                std::os::fd::AsRawFd::as_raw_fd(&*self.inner)
            }
        }

        impl std::os::fd::IntoRawFd for $handle {
            #[inline]
            fn into_raw_fd(self) -> std::os::fd::RawFd {
                std::os::fd::IntoRawFd::into_raw_fd(self.inner.into_inner())
            }
        }

        /// The descriptor is taken as it is: whether it is in non-blocking mode
        /// is the caller's business.
        #[allow(unsafe_code)]
        impl std::os::fd::FromRawFd for $handle {
            #[inline]
            unsafe fn from_raw_fd(fd: std::os::fd::RawFd) -> Self {
                // SAFETY: our caller guarantees that the descriptor is open and
                // gives up its ownership.
                let fd = unsafe { std::os::fd::FromRawFd::from_raw_fd(fd) };
                <Self as From<std::os::fd::OwnedFd>>::from(fd)
            }
        }

        /// The descriptor is taken as it is: whether it is in non-blocking mode
        /// is the caller's business.
        impl From<std::os::fd::OwnedFd> for $handle {
            #[inline]
            fn from(fd: std::os::fd::OwnedFd) -> Self {
                let inner = $crate::io_source::IoSource::new(<$inner>::from(fd));
                Self { inner }
            }
        }

        impl From<$handle> for std::os::fd::OwnedFd {
            #[inline]
            fn from(handle: $handle) -> std::os::fd::OwnedFd {
                handle.inner.into_inner().into()
            }
        }
    };
}

/// The traits of owners of a socket.
#[cfg(windows)]
macro_rules! impl_raw_handle {
    ($handle:ty, $inner:ty) => {
        impl std::os::windows::io::AsSocket for $handle {
            #[inline]
            fn as_socket(&self) -> std::os::windows::io::BorrowedSocket<'_> {
                std::os::windows::io::AsSocket::as_socket(&*self.inner)
            }
        }

        impl std::os::windows::io::AsRawSocket for $handle {
            #[inline]
            fn as_raw_socket(&self) -> std::os::windows::io::RawSocket {
                std::os::windows::io::AsRawSocket::as_raw_socket(&*self.inner)
            }
        }

        impl std::os::windows::io::IntoRawSocket for $handle {
            #[inline]
            fn into_raw_socket(self) -> std::os::windows::io::RawSocket {
                std::os::windows::io::IntoRawSocket::into_raw_socket(self.inner.into_inner())
            }
        }

        /// The socket is taken as it is: whether it is in non-blocking mode
        /// is the caller's business.
        #[allow(unsafe_code)]
        impl std::os::windows::io::FromRawSocket for $handle {
            #[inline]
            unsafe fn from_raw_socket(raw: std::os::windows::io::RawSocket) -> Self {
                // SAFETY: our caller guarantees that the socket is open and
                // gives up its ownership.
                let socket = unsafe { std::os::windows::io::FromRawSocket::from_raw_socket(raw) };
                <Self as From<std::os::windows::io::OwnedSocket>>::from(socket)
            }
        }

        /// The socket is taken as it is: whether it is in non-blocking mode
        /// is the caller's business.
        impl From<std::os::windows::io::OwnedSocket> for $handle {
            #[inline]
            fn from(socket: std::os::windows::io::OwnedSocket) -> Self {
                let inner = $crate::io_source::IoSource::new(<$inner>::from(socket));
                Self { inner }
            }
        }

        impl From<$handle> for std::os::windows::io::OwnedSocket {
            #[inline]
            fn from(handle: $handle) -> std::os::windows::io::OwnedSocket {
                handle.inner.into_inner().into()
            }
        }
    };
}

/// The conversions from and to the type of std of the same name.
macro_rules! impl_std_conversions {
    ($handle:ty, $std:ty) => {
        /// The result is still in non-blocking mode.
        impl From<$handle> for $std {
            #[inline]
            fn from(handle: $handle) -> $std {
                handle.inner.into_inner()
            }
        }

        /// Sets the socket to non-blocking mode, which `from_std` does not.
        impl TryFrom<$std> for $handle {
            type Error = std::io::Error;

            #[inline]
            fn try_from(socket: $std) -> std::io::Result<Self> {
                socket.set_nonblocking(true)?;
                Ok(Self::from_std(socket))
            }
        }
    };
}

/// `Read` for the handle and for a reference to it.
macro_rules! impl_read {
    ($handle:ty, $read:path, $read_vectored:path) => {
        impl_read! { @impl $handle, $read, $read_vectored }
        impl_read! { @impl &$handle, $read, $read_vectored }
    };
    (@impl $reader:ty, $read:path, $read_vectored:path) => {
        impl std::io::Read for $reader {
            #[inline]
            fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
                self.inner.do_io(|io| $read(io, buf))
            }

            #[inline]
            fn read_vectored(
                &mut self,
                bufs: &mut [std::io::IoSliceMut<'_>],
            ) -> std::io::Result<usize> {
                self.inner.do_io(|io| $read_vectored(io, bufs))
            }
        }
    };
}

/// `Write` for the handle and for a reference to it.
macro_rules! impl_write {
    ($handle:ty, $write:path, $write_vectored:path) => {
        impl_write! { @impl $handle, $write, $write_vectored }
        impl_write! { @impl &$handle, $write, $write_vectored }
    };
    (@impl $writer:ty, $write:path, $write_vectored:path) => {
        impl std::io::Write for $writer {
            #[inline]
            fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
                self.inner.do_io(|io| $write(io, buf))
            }

            #[inline]
            fn write_vectored(&mut self, bufs: &[std::io::IoSlice<'_>]) -> std::io::Result<usize> {
                self.inner.do_io(|io| $write_vectored(io, bufs))
            }

            /// Does nothing: there is no buffer here.
            #[inline]
            fn flush(&mut self) -> std::io::Result<()> {
                self.inner.do_io(|mut io| std::io::Write::flush(&mut io))
            }
        }
    };
}
