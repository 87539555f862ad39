// Package ledger keeps, in Redis, what every page is owed.
//
// The promise, each part with a test: a page has a record under `owed:` if and
// only if an accepted trigger has no finished run that was claimed after it.
// At most one run owns a page, and one token can be claimed for it. A run that
// lost its page is told so before it changes anything. Every record has a time
// at which the sweeper looks at it, so whatever dies, somebody goes on.
//
// Who knows that a source shows a change late asks with a time to settle. Such a
// trigger is only met by a run that was claimed when that time was over: one
// that began before is followed by another.
//
// The reason for all this is in asynq's own dedup, which loses updates: a task
// that is refused because the same one is active was asked for after the
// active one had read its content. So asynq's tasks are only wake-ups here,
// and each carries a token that the ledger may have replaced meanwhile.
//
// State changes only in the Lua scripts beside this file, each of which is one
// atomic step, reads the clock of Redis, and can be sent again after a lost
// reply. The package does not know asynq, does not render and does not retry.
package ledger
