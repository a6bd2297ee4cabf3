use super::*;
use std::io::Write;

/// Whose ends do not block.
fn pipe() -> (File, File) {
    let (writer, reader) = crate::sys::unix::syscall::pipe().unwrap();
    (File::from(writer), File::from(reader))
}

#[test]
fn all_is_read_and_then_nothing() {
    let (mut writer, mut reader) = pipe();
    for count in [0, 1, 1023, 1024, 1025, 4096] {
        writer.write_all(&vec![1; count]).unwrap();
        drain(&reader).unwrap();
        let empty = reader.read(&mut [0]).unwrap_err();
        assert_eq!(empty.kind(), ErrorKind::WouldBlock, "{count} bytes");
    }
}

#[test]
fn what_cannot_be_is_an_error() {
    let (writer, reader) = pipe();
    assert!(drain(&writer).is_err());
    assert!(write(&reader, &[1], &reader).is_err());
}
