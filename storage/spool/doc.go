// Package spool is a bounded queue of records in local files, for what has to
// survive while the place where it belongs cannot take it.
//
// The promise: a record is on disk when Append returns without an error, and it
// stays there until somebody has taken it in Drain; then it may come once more,
// after a crash. What a process leaves behind when it dies is drained by the
// next one that looks.
//
// Below the directory every process has a folder of its own, which it keeps
// locked, and in it segments: files of lines, each a checksum and a record,
// which are only ever appended to. An operator can read them.
//
// It does not know what a record says, and it does not log.
package spool
