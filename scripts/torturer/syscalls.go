package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// operation is what is done to one page in the system-call sweep.
type operation struct {
	name          string
	before, after string // its versions; "" is no page
}

var operations = []operation{
	{"replace", "old", "new-and-longer"},
	{"first publish", "", "new"},
	{"remove", "old", ""},
}

// order is the line that has the publisher do it.
func (o operation) order(path string) string {
	if o.after == "" {
		return "remove " + path
	}
	return "put " + path + " " + o.after
}

var sweepFaults = []string{"EIO", "ENOSPC", "EACCES", "KILL"}

// sweepCase is one system call of one operation going wrong: it returns an
// error without having been made, or the process is killed before it.
type sweepCase struct {
	op    operation
	call  sysCall
	fault string
}

func (c sweepCase) String() string {
	return fmt.Sprintf("%s, %s number %d, %s", c.op.name, c.call.name, c.call.nth, c.fault)
}

// mustTell reports whether the operation has to answer with an error: the call
// would have changed something, or is what makes a change durable. An empty
// folder that stays behind is none: gc takes it away.
func (c sweepCase) mustTell() bool {
	if c.call.failed || strings.Contains(c.call.line, "AT_REMOVEDIR") {
		return false
	}
	return c.call.changes()
}

// sweepSyscalls does to each system call of a publish and of a removal what
// can happen to it. Whatever that is, a reader finds the old page or the new
// one, whole, and no .gz or .br of the other; an error is told; no file is
// fsynced again after its fsync failed; and the same order given once more, to
// the same process or after a restart, brings the new page. As the process is
// killed before each call in turn, every state that a reader can meet between
// two of them is looked at, too.
//
// Lost counts orders that did not bring the new page, Torn what was neither of
// the two.
func sweepSyscalls(ctx context.Context, lab *Lab) (Outcome, error) {
	strace, err := needProgram("strace")
	if err != nil {
		return Outcome{}, err
	}
	s := &sweep{lab: lab, strace: strace}
	cases, err := s.plan(ctx)
	if err != nil {
		return Outcome{}, err
	}
	if err := s.tryAll(ctx, cases); err != nil {
		return Outcome{}, err
	}
	if s.outcome.Faults < len(cases) {
		return s.outcome, fmt.Errorf("only %d of %d faults fired", s.outcome.Faults, len(cases))
	}
	return s.outcome, nil
}

// sweep is one run of the scenario.
type sweep struct {
	lab    *Lab
	strace string
	paths  atomic.Int64 // given out

	mu      sync.Mutex
	outcome Outcome // guarded by mu
}

// note counts what is wrong in one of the outcome's columns.
func (s *sweep) note(column *int, c sweepCase, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*column++
	if len(s.outcome.Notes) < mostNotes {
		s.outcome.Notes = append(s.outcome.Notes, fmt.Sprintf("%s (%s): %s", c, c.call.line, fmt.Sprintf(format, args...)))
	}
}

// plan records each operation and makes the cases of it. The short form does
// everything to the calls that change something, and kills before the others.
func (s *sweep) plan(ctx context.Context) (cases []sweepCase, err error) {
	b, err := s.newBench("record")
	if err != nil {
		return nil, err
	}
	defer b.close()
	for _, op := range operations {
		calls, err := b.record(ctx, op)
		if err != nil {
			return nil, fmt.Errorf("record %s: %w", op.name, err)
		}
		for _, want := range []string{"fsync", "unlinkat"} {
			if !slices.ContainsFunc(calls, func(c sysCall) bool { return c.name == want }) {
				return nil, fmt.Errorf("record %s: no %s was seen among %d calls; does another thread make it?", op.name, want, len(calls))
			}
		}
		for _, call := range calls {
			for _, fault := range sweepFaults {
				if s.lab.Long || fault == "KILL" || call.changes() {
					cases = append(cases, sweepCase{op, call, fault})
				}
			}
		}
	}
	s.lab.Say("%d faults to try", len(cases))
	return cases, nil
}

// tryAll tries all cases, on every processor.
func (s *sweep) tryAll(ctx context.Context, cases []sweepCase) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	todo := make(chan sweepCase)
	var wg sync.WaitGroup
	for i := range max(2, runtime.NumCPU()) {
		wg.Go(func() {
			b, err := s.newBench(fmt.Sprint("bench", i))
			if err != nil {
				cancel(err)
				return
			}
			defer b.close()
			for c := range todo {
				if err := b.try(ctx, c); err != nil {
					cancel(fmt.Errorf("%s: %w", c, err))
					return
				}
			}
		})
	}
	for _, c := range cases {
		select {
		case todo <- c:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(todo)
	wg.Wait()
	return context.Cause(ctx)
}

// bench is a site for one case at a time, and the publisher that works on it.
// Each case has a page of its own, since one that changes twice a second is
// held back.
type bench struct {
	sweep *sweep
	dir   string
	pub   *publisher // nil when there is none
}

func (s *sweep) newBench(name string) (*bench, error) {
	b := &bench{sweep: s, dir: s.lab.Path(name)}
	return b, os.MkdirAll(b.dir, 0o755)
}

func (b *bench) close() {
	if b.pub != nil {
		b.pub.end()
		b.pub = nil
	}
}

// prepare brings a new page to where an operation begins.
func (b *bench) prepare(ctx context.Context, op operation) (path string, err error) {
	path = fmt.Sprintf("/blog/case-%d", b.sweep.paths.Add(1))
	if b.pub == nil {
		if b.pub, err = startPublisher(ctx, b.dir); err != nil {
			return "", err
		}
	}
	if op.before == "" {
		return path, nil
	}
	return path, b.pub.mustDo("put " + path + " " + op.before)
}

// record lists the system calls of an operation on which nothing fails.
func (b *bench) record(ctx context.Context, op operation) ([]sysCall, error) {
	path, err := b.prepare(ctx, op)
	if err != nil {
		return nil, err
	}
	t, err := startTrace(b.sweep.strace, b.pub.thread, b.dir)
	if err != nil {
		return nil, err
	}
	if err := b.pub.mustDo(op.order(path)); err != nil {
		return nil, err
	}
	text, err := t.end()
	return readCalls(text), err
}

// try has one fault happen to an operation, and judges.
func (b *bench) try(ctx context.Context, c sweepCase) error {
	path, err := b.prepare(ctx, c.op)
	if err != nil {
		return err
	}
	t, err := startTrace(b.sweep.strace, b.pub.thread, b.dir, c.injection())
	if err != nil {
		return err
	}
	answer, err := b.pub.do(c.op.order(path))
	found := look(b.dir, path)
	killed := errors.Is(err, errPublisherEnded)
	if err != nil && !killed {
		return err
	}
	var retried string
	if killed {
		b.close()
	} else if retried, err = b.pub.do(c.op.order(path)); err != nil {
		return err
	}
	trace, err := t.end()
	if err != nil {
		return err
	}
	if killed { // it starts again
		if b.pub, err = startPublisher(ctx, b.dir); err != nil {
			return err
		}
		if retried, err = b.pub.do(c.op.order(path)); err != nil {
			return err
		}
	}
	b.judge(c, fired(trace, killed), answer, found)
	b.judgeRetry(c, retried, look(b.dir, path), trace)
	return nil
}

// judge looks at what the fault has left.
func (b *bench) judge(c sweepCase, fired bool, answer string, found view) {
	o := &b.sweep.outcome
	if fired {
		b.sweep.mu.Lock()
		o.Faults++
		b.sweep.mu.Unlock()
	}
	if why := found.wrong(c.op.before, c.op.after); why != "" {
		b.sweep.note(&o.Torn, c, "%s", why)
	}
	if answer != "ok" {
		return
	}
	if why := found.incomplete(c.op.after); why != "" {
		b.sweep.note(&o.Lost, c, "it answers that all is well, and %s", why)
	}
	if fired && c.mustTell() {
		b.sweep.note(&o.Lost, c, "it answers that all is well")
	}
}

// judgeRetry looks at what the second order has made of it.
func (b *bench) judgeRetry(c sweepCase, answer string, found view, trace string) {
	o := &b.sweep.outcome
	if answer != "ok" {
		b.sweep.note(&o.Lost, c, "the retry answers %q", answer)
	}
	if why := found.incomplete(c.op.after); why != "" {
		b.sweep.note(&o.Lost, c, "after the retry %s", why)
	}
	if file := fsyncedTwice(trace); file != "" {
		b.sweep.note(&o.Lost, c, "%s was fsynced again: a second fsync says that all is well", file)
	}
}
