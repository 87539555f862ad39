// Package worker makes triggers come true: it accepts them into the ledger,
// wakes a worker through asynq's queues, renders, checks, publishes, and tells
// the ledger how it went.
//
// The invariant: nothing here remembers what a page is owed. Every wake-up,
// from asynq, from this process or from the sweeper, is only a reason to ask
// the ledger, which answers whether there is still something to do. So a task
// that is lost, doubled or late costs time and never an update.
//
// It is the only package that knows asynq, and the only place that retries.
package worker
