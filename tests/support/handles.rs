//! The handles of this process.

use std::os::windows::io::{FromRawHandle, OwnedHandle};
use std::ptr::null;

use windows_sys::Win32::Foundation::{GetHandleInformation, HANDLE};
use windows_sys::Win32::System::Threading::CreateEventW;

/// More than any test has, and their numbers: the system gives out multiples of four, small ones
/// first.
const HANDLES: usize = 1 << 11;

/// How many handles are open. Each number is tried, since Wine does not know their count
/// (`GetProcessHandleCount` says 0 there).
pub(crate) fn open_handles() -> u32 {
    let count = || {
        let numbers = 1..HANDLES;
        numbers.filter(|number| is_open(number << 2)).count() as u32
    };
    let before = count();
    #[allow(unsafe_code)]
    // SAFETY: an event without attributes and name.
    let event = unsafe { CreateEventW(null(), 0, 0, null()) };
    #[allow(unsafe_code)]
    // SAFETY: the call has just made it, for us alone.
    let event = unsafe { OwnedHandle::from_raw_handle(event) };
    assert_eq!(count(), before + 1, "one more that is known is counted");
    drop(event);
    before
}

fn is_open(number: usize) -> bool {
    let mut flags = 0;
    #[allow(unsafe_code)]
    // SAFETY: the call writes to `flags`; any number may be asked for.
    let known = unsafe { GetHandleInformation(number as HANDLE, &mut flags) };
    known != 0
}
